"""The examiner: reads a picture back into a scene and marks it against its caption, skill by skill."""

from dalle_edu.scorecard.exam import Question, Report, questions, score
from dalle_edu.scorecard.marks import SKILL_NAMES, SKILLS, Rate, mark, wilson_interval
from dalle_edu.scorecard.reader import Found, read_pictures

__all__ = ["SKILL_NAMES", "SKILLS", "Found", "Question", "Rate", "Report", "mark", "questions", "read_pictures", "score", "wilson_interval"]
