"""`dalle-edu score`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dalle_edu.cli.app import (
    ALL,
    EXAMINEE,
    PNG,
    CandidatesOption,
    DeviceOption,
    JsonOption,
    OtherClipOption,
    SeedOption,
    command,
    models,
    out,
    reachable,
    ready,
    write_json,
    written,
)
from dalle_edu.cli.generate import accepted, all_trained, only_with_candidates
from dalle_edu.cli.sampling_options import sampling_options
from dalle_edu.cli.tables import rate_tables
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say, sentence_language


@command(
    say(
        "Examine a system, or a critic such as clip: how often it is right, skill by skill, with 95 % intervals.",
        "Examine un système, ou un critique comme clip : part de réponses justes, par compétence, avec des intervalles à 95 %.",
    ),
)
@sampling_options
def score(
    system: Annotated[
        str, typer.Argument(help=say(f"{EXAMINEE}; or all, that draw", f"{EXAMINEE} ; ou all, tous ceux qui dessinent"), callback=reachable)
    ] = "dalle1",
    prompts: Annotated[int, typer.Option(help=say("pictures to draw and mark", "images à dessiner et à noter"))] = 512,
    seed: SeedOption = 0,
    candidates: CandidatesOption = None,
    clip: OtherClipOption = None,
    data: Annotated[
        str | None,
        typer.Option(
            help=say(
                "for what was trained on pictures of yours (train --data): where they are; --clip then names the critic",
                "pour ce qui a été entraîné sur vos images (train --data) : où elles sont ; --clip nomme alors le critique",
            )
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help=say("with --data: true pictures beside drawn ones, ", "avec --data : des images vraies à côté des dessinées, ") + PNG
        ),
    ] = None,
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Examine a system, a critic, or all systems that draw. Raises `DalleEduError` for a sheet without data."""
    from dalle_edu.device import choose_device
    from dalle_edu.loading import load_critic, load_examinee, load_system
    from dalle_edu.systems.critics.critic import Critic
    from dalle_edu.systems.critics.reranking import BestOf, check_candidates
    from dalle_edu.systems.interface.system import System
    from dalle_edu.world.domain import catalogue_of

    ready(json_file, sheet, given=models(system, clip))
    if sheet is not None and data is None:
        raise DalleEduError(
            "--sheet shows pictures of yours beside drawn ones; name them with --data",
            "--sheet montre vos images à côté des dessinées ; nommez-les avec --data",
        )
    if candidates is not None:
        check_candidates(candidates)
    place = str(choose_device(device).torch_device)
    of_one = [*settings, *(name for name, value in (("candidates", candidates), ("clip", clip), ("data", data)) if value is not None)]
    if system == ALL:
        _none_of(of_one, ALL)
        _compare(prompts, seed, place, json_file)
        return
    examinee = load_examinee(system, place)
    from dalle_edu.scorecard import SKILL_NAMES, critic_exam
    from dalle_edu.scorecard import score as score_system

    report: Any
    if data is not None:
        critic = load_critic(clip, place) if clip else None
        _on_data(examinee, data, critic, prompts, seed, {"candidates": candidates}, settings, sheet, json_file)
        return
    if isinstance(examinee, Critic):
        _none_of(of_one, examinee.title)
        name, names = examinee.title, critic_exam.QUESTION_NAMES
        report = critic_exam.examine_critic(examinee, prompts, min(100, prompts), seed=seed)
    else:
        machine: Any = examinee if isinstance(examinee, System) else load_system(system, place)  # which says that it does not draw
        accepted(machine, settings)
        catalogue_of(machine)
        only_with_candidates(clip, candidates)
        if candidates is not None:
            machine = BestOf(machine, load_critic(clip or "clip", place), candidates)
        name, names = machine.name, SKILL_NAMES
        report = score_system(machine, name, prompts, seed, **settings)
    title = say(f"{name}, {prompts} prompts, seed {seed}", f"{name}, {prompts} phrases, graine {seed}")
    parts = {
        say("seen", "vues"): report.rates(split="seen"),
        say("held out", "réservées"): report.rates(split="held_out"),
        say("French", "français"): report.rates("fr"),
        say("English", "anglais"): report.rates("en"),
    }
    for table in rate_tables(title, say("skill", "compétence"), names[sentence_language()], parts):
        out.print(table)
    if json_file:
        write_json(json_file, report.to_json())


def _on_data(
    examinee: Any,
    data: str,
    critic: Any,
    prompts: int,
    seed: int,
    others: dict[str, Any],
    settings: dict[str, Any],
    sheet: Path | None,
    json_file: Path | None,
) -> None:
    """Examine a system, or a critic, on pictures that people captioned, print what is found, and write it as JSON; the sheet shows those
    that are held out, where there are any. Raises `DalleEduError` for settings that it does not take.
    """
    from dalle_edu.datasets.opening import open_source
    from dalle_edu.scorecard.open_exam import open_score
    from dalle_edu.systems.critics.critic import Critic
    from dalle_edu.world.sheet import save_picture

    given = [name for name, value in others.items() if value is not None]
    _none_of(given + ([*settings] if isinstance(examinee, Critic) else []), say("an exam on --data", "un examen sur --data"))
    if not isinstance(examinee, Critic):
        accepted(examinee, settings)
    reports = open_score(examinee, open_source(data, examinee.resolution), critic, prompts, seed, **settings)
    headings = {"seen": say("trained on", "vues à l'entraînement"), "held_out": say("held out", "réservées")}
    for part, report in reports.items():
        out.print(headings[part], style="bold", highlight=False)
        for line in report.lines(sentence_language()):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
    shown = [report.sheet for report in reversed(reports.values()) if report.sheet is not None]
    if sheet is not None and shown:
        save_picture(shown[0], sheet)
        written(sheet)
    if json_file:
        write_json(json_file, {part: report.to_json() for part, report in reports.items()})


def _none_of(settings: list[str], who: str) -> None:
    """Raise `DalleEduError` where settings were given: `who` is examined without."""
    if settings:
        names = ", ".join(settings)
        raise DalleEduError(
            f"{who} takes no {names}; leave that out, or examine one system that draws",
            f"{who} ne prend pas {names} ; ne le donnez pas, ou examinez un seul système qui dessine",
        )


def _compare(prompts: int, seed: int, place: str, json_file: Path | None) -> None:
    """Examine every system that has its weights, print one table of them all, and write it as JSON."""
    from dalle_edu.checkpoints.shipped import weights_path
    from dalle_edu.loading import load_system, made_of
    from dalle_edu.scorecard.compare import enter, same_numbers, table, training_of

    entries = []
    for name in all_trained():
        files = [weights_path(each) for each in made_of(name)]
        training = training_of(weights_path(name).with_suffix(".json"))
        machine: Any = load_system(name, place)
        entries.append(enter(machine, prompts, seed, files, training))
        if json_file:  # after each system, so that what was measured is kept if the next one fails
            write_json(json_file, {"prompts": prompts, "seed": seed, "systems": entries})
    numbers = same_numbers(entries)
    where = say("world {world}, exam {exam}", "monde {world}, examen {exam}").format(**numbers)
    asked = say(f"{prompts} prompts, seed {seed}: % seen/held out", f"{prompts} phrases, graine {seed} : % vues/réservées")
    printed = Table(title=f"{asked} ({where})")
    printed.add_column("")
    for entry in entries:
        printed.add_column(entry["system"], justify="right")
    for lines in table(entries, sentence_language()):
        printed.add_section()
        for line in lines:
            printed.add_row(*line)
    out.print(printed)
