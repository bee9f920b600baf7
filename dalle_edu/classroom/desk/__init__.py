"""The student's desk: what surrounds a check. The lesson that is open, its exercises and solutions, what was tried, and what is kept.

The first cell of a lesson opens it, `open_lesson("01_perceptron", "en")`. From there on `check` and `expect` note what they judge, in one
small file of this machine; `progress`, `solution`, `reset` and `take_up` read it. Graded editions note nothing and give no solution.
"""

from dalle_edu.classroom.desk.keeping import kept
from dalle_edu.classroom.desk.opening import open_lesson
from dalle_edu.classroom.desk.progress_table import forget_progress, progress
from dalle_edu.classroom.desk.resetting import reset
from dalle_edu.classroom.desk.solutions import solution
from dalle_edu.classroom.desk.taking_up import take_up

__all__ = ["forget_progress", "kept", "open_lesson", "progress", "reset", "solution", "take_up"]
