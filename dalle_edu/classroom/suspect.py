"""“Which mistake is this?”: a question on a wrong version of the library's code, whose source is hidden."""

from collections.abc import Callable
from typing import Any

from dalle_edu.classroom.checking.proof import mistakes
from dalle_edu.classroom.quiz import Choice
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say


def suspect(target: str, number: int) -> tuple[Callable[..., Any], Choice]:
    """A classic mistake of a target under a neutral name, and a question that asks which of the target's mistakes it is.

    `number` is its index, from 0. Raises `DalleEduError` for an index out of range, and for a target with fewer than two mistakes.
    """
    known = [mistake for mistake in mistakes() if mistake.target == target]
    if not 0 <= number < len(known) or len(known) < 2:
        raise DalleEduError(
            f"{target} has {len(known)} known mistakes, and number {number} was asked for; take a target with two or more,"
            " and count from 0",
            f"{target} a {len(known)} erreurs connues, et la numéro {number} est demandée ; prenez une cible qui en a au moins deux,"
            " et comptez à partir de 0",
        )

    def mystery(*args: Any, **options: Any) -> Any:
        return known[number].version(*args, **options)

    question = say("Which mistake does this version make?", "Quelle erreur cette version fait-elle ?")
    why = say("Its answers on small inputs give it away.", "Ses réponses sur de petites entrées la trahissent.")
    return mystery, Choice(question, [mistake.explanation for mistake in known], number, why)
