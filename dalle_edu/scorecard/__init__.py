"""The examiner: it parses a picture into a scene and marks it against its caption, skill by skill."""

from dalle_edu.scorecard.confidence_interval import Rate, wilson_interval
from dalle_edu.scorecard.exam import Question, Report, questions, score
from dalle_edu.scorecard.marks import SKILL_NAMES, SKILLS, mark, why_no_marks
from dalle_edu.scorecard.picture_parser import Found, parse_pictures

__all__ = [
    "SKILL_NAMES",
    "SKILLS",
    "Found",
    "Question",
    "Rate",
    "Report",
    "mark",
    "questions",
    "parse_pictures",
    "score",
    "why_no_marks",
    "wilson_interval",
]
