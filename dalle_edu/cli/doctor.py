"""`dalle-edu doctor`."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dalle_edu.cli.app import command, out
from dalle_edu.language import say, scientific


@command(
    say(
        "Say what is installed, which devices there are, what is missing, and what to do about it.",
        "Dit ce qui est installé, quels processeurs et GPU sont disponibles, ce qui manque et comment y remédier.",
    ),
)
def doctor(
    bricks: Annotated[
        bool,
        typer.Option(
            "--bricks",
            help=say(
                "hold the bricks, and what is made of them, against their references",
                "confronte à leurs références les briques et ce qui en est fait",
            ),
        ),
    ] = False,
) -> None:
    """Examine the installation, or with `--bricks` all that has a reference. Raises `typer.Exit` with status 1 where something is wrong."""
    from dalle_edu.classroom.checking.proof import prove_bricks
    from dalle_edu.cli.installation import check_installation

    if bricks:
        good = _print_proofs(prove_bricks())
    else:
        table, findings = Table(show_header=False), check_installation()
        for finding in findings:
            mark = Text("ok", "green") if finding.good else Text(say("mend", "à réparer"), "red")
            table.add_row(mark, finding.subject, finding.says)
        out.print(table)
        good = all(finding.good for finding in findings)
    if not good:
        raise typer.Exit(1)


def _print_proofs(proofs: Iterable[Any]) -> bool:
    """Print a line for each proof, and which references cannot be installed here. Returns whether all are good."""
    from dalle_edu.classroom.checking.left_out import left_out

    table, good, proofs = Table(), True, list(proofs)
    table.add_column(say("function or class", "fonction ou classe"), overflow="fold")
    table.add_column(say("reference", "référence"), ratio=1, overflow="fold")
    for heading in (say("largest gap", "plus grand écart"), say("mistakes caught", "erreurs repérées")):
        table.add_column(heading, justify="right")
    for proof in proofs:
        absent = say("left out", "laissé de côté") if left_out(proof.missing) else say("not installed", "non installé")
        difference = absent if proof.difference is None else scientific(proof.difference)
        caught = f"{proof.caught} / {proof.mistakes}" if proof.mistakes else "–"
        table.add_row(proof.target, proof.peers, difference, caught, style="" if proof.good else "red")
        good = good and proof.good
    out.print(table)
    for sentence in sorted({left_out(proof.missing) for proof in proofs} - {""}):
        out.print(sentence, highlight=False, soft_wrap=True)
    return good
