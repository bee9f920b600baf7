"""`dalle-edu doctor`."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dalle_edu.cli import unforeseen
from dalle_edu.cli.app import JsonOption, command, out, ready, write_json, write_text, written
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
    report: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "write here what to send when something fails: no name and no path is in it; - for standard output",
                "écrit ici ce qu'il faut envoyer quand quelque chose échoue : ni nom ni chemin n'y figurent ; - pour la sortie standard",
            )
        ),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Examine the installation, or with `--bricks` all that has a reference. Raises `typer.Exit` with status 1 where something is wrong."""
    ready(report, json_file)
    from dalle_edu.classroom.checking.proof import prove_bricks
    from dalle_edu.cli.installation import check_installation

    if bricks:
        proofs = list(prove_bricks())
        good, facts = _print_proofs(proofs), [asdict(proof) | {"good": proof.good} for proof in proofs]
    else:
        findings = check_installation()
        good, facts = all(finding.good for finding in findings), [asdict(finding) for finding in findings]
        if report:
            write_text(report, unforeseen.report([(each.good, each.subject, each.says) for each in findings]))
            written(report)
            out.print(unforeseen.where(), highlight=False, soft_wrap=True)
        else:
            _print_findings(findings)
    if json_file:
        write_json(json_file, facts)
    if not good:
        raise typer.Exit(1)


def _print_findings(findings: Iterable[Any]) -> None:
    """Print a line for each finding."""
    table = Table(show_header=False)
    for finding in findings:
        mark = Text("ok", "green") if finding.good else Text(say("mend", "à réparer"), "red")
        table.add_row(mark, finding.subject, finding.says)
    out.print(table)


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
