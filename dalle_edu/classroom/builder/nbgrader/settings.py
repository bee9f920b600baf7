"""The settings of an nbgrader course, nbgrader_config.py, in the language of its instructor."""

from dalle_edu.classroom.builder.hollow import TO_DO
from dalle_edu.classroom.builder.source import one_language
from dalle_edu.language import chosen

SETTINGS = "nbgrader_config.py"

_BOTH = r"""
# en: nbgrader's settings for this course, written by `dalle-edu lessons build --nbgrader`: yours to change, it does not write them again.
# fr: Les réglages de nbgrader pour ce cours, écrits par `dalle-edu lessons build --nbgrader` : changez-les, il ne les réécrit pas.
import os

from dalle_edu.classroom.course import GRADING, MAKING

c = get_config()
c.CourseDirectory.course_id = "dalle-edu"
os.environ["DALLE_EDU_LANGUAGE"] = say("en", "fr")

# en: What students get: the exercises, emptied; your own solutions, if you add any, stand between BEGIN SOLUTION and END SOLUTION.
# fr: Ce que les étudiants reçoivent : les exercices, vidés ; vos propres solutions, s'il y en a, sont entre BEGIN SOLUTION et END SOLUTION.
c.GenerateAssignment.preprocessors = MAKING
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # TO_DO"}
c.ClearSolutions.text_stub = say("Your answer here.", "Votre réponse ici.")

# en: What they hand in: alice_01_perceptron.ipynb, or 01_perceptron.ipynb in a folder alice, or in one of Moodle's folders.
# fr: Ce qu'ils rendent : alice_01_perceptron.ipynb, ou 01_perceptron.ipynb dans un dossier alice, ou dans un dossier de Moodle.
c.FileNameCollectorPlugin.named_regexp = (
    r"(?:.*[/\\])?(?!extracted[/\\])(?P<student_id>[^/\\]+?)(?:_\d+_assignsubmission_file_?)?[/\\_](?P<file_id>\d\d_\w+)\.ipynb$"
)

# en: How it is graded: cells that reach into the notebook itself, and those that end it, are not run.
# fr: Comment c'est noté : les cellules qui touchent au notebook lui-même, et celles qui l'arrêtent, ne sont pas exécutées.
c.Autograde.autograde_preprocessors = GRADING
# en: Seconds, for a cell. An endless loop within an exercise is stopped long before.
# fr: Des secondes, pour une cellule. Une boucle sans fin dans un exercice est arrêtée bien avant.
c.Execute.timeout = 300
c.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--log-level=ERROR"]
"""


def settings(language: str) -> str:
    """The text of a course's nbgrader_config.py."""
    return one_language(_BOTH.strip().replace("TO_DO", chosen(TO_DO, language)), language) + "\n"
