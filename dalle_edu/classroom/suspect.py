"""“Which mistake is this?”: a question on a wrong version of the library's code, whose source is hidden."""

from collections.abc import Callable
from typing import Any

from dalle_edu.classroom.checking.proof import mistakes
from dalle_edu.classroom.quiz import Choice
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say

MOST = 4  # mistakes to choose from


def suspect(target: str, name: str) -> tuple[Callable[..., Any], Choice]:
    """A classic mistake of a target under a neutral name, and a question that asks which of the target's mistakes it is.

    `name` is that of the mistake, as `dalle_edu/classroom/mistakes` has it. The question offers it and up to three others. Raises
    `DalleEduError` for another name, and for a target with fewer than two mistakes.
    """
    known = {mistake.name: mistake for mistake in mistakes(target)}
    if name not in known or len(known) < 2:
        raise DalleEduError(
            f'{target} has the mistakes {list(known)}, and "{name}" was asked for; take one of them, of a target with two or more',
            f"{target} a les erreurs {list(known)}, et « {name} » est demandée ; prenez-en une, d'une cible qui en a au moins deux",
        )
    offered = [name, *(other for other in known if other != name)][:MOST]
    shown = [each for each in known if each in offered]

    def mystery(*args: Any, **options: Any) -> Any:
        return known[name].version(*args, **options)

    question = say("Which mistake does this version make?", "Quelle erreur cette version fait-elle ?")
    why = say("Its answers on small inputs give it away.", "Ses réponses sur de petites entrées la trahissent.")
    other = say(
        "That mistake would give other numbers on one of these inputs: work it out.",
        "Cette erreur donnerait d'autres nombres sur une de ces entrées : faites le calcul.",
    )
    explanations = [known[each].explanation for each in shown]
    return mystery, Choice(question, explanations, shown.index(name), why, [other] * (len(shown) - 1))
