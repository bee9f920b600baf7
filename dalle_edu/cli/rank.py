"""`dalle-edu rank`: questionnaires in which people, a critic and the examiner rank sentences and pictures."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dalle_edu.cli.app import SYSTEM, DeviceOption, JsonOption, OtherClipOption, SeedOption, app, models, out, ready, write_json, written
from dalle_edu.cli.sampling_options import sampling_options
from dalle_edu.cli.typer_in_french import Command, Group
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say, sentence_language

rank = typer.Typer(cls=Group, add_completion=False)
app.add_typer(
    rank,
    name="rank",
    help=say(
        "Have sentences and pictures ranked, and say how far people, CLIP and the examiner agree.",
        "Fait classer des phrases et des images, et dit à quel point les gens, CLIP et l'examinateur s'accordent.",
    ),
)

NewFolder = Annotated[Path, typer.Argument(help=say("the folder to create", "le dossier à créer"))]
Count = Annotated[int, typer.Option("-n", min=1, max=500, help=say("questions", "questions"))]
KIND_NAMES = {
    "fr": {"person": "personne", "model": "machine"},
    "en": {"person": "person", "model": "machine"},
}


@rank.command(
    cls=Command,
    help=say(
        "Write questions of three sentences for one picture, of COCO or of our own world.",
        "Écrit des questions de trois phrases pour une image, de COCO ou de notre monde.",
    ),
)
def captions(
    folder: NewFolder,
    n: Count = 20,
    coco: Annotated[
        Path | None,
        typer.Option(help=say("COCO's folder; our own world if none is given", "le dossier de COCO ; à défaut, notre monde")),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help=say("COCO's split, val2017 unless given", "la partie de COCO ; à défaut, val2017"))
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help=say("fetch what is missing of COCO", "télécharge ce qui manque de COCO"))
    ] = False,
    first: Annotated[int, typer.Option(min=3, help=say("pictures to choose from", "images parmi lesquelles choisir"))] = 500,
    side: Annotated[int, typer.Option(min=16, max=1024, help=say("pixels on a side", "pixels de côté"))] = 224,
    seed: SeedOption = 0,
    json_file: JsonOption = None,
) -> None:
    """Write questions of three sentences for one picture. Raises `DalleEduError` for options of COCO without its folder."""
    import tempfile

    from dalle_edu.datasets import Coco, write_coco_sample
    from dalle_edu.files import check_new_folder
    from dalle_edu.rankings.questionnaire import QUESTIONS, Questionnaire, caption_questions

    check_new_folder(folder)
    ready(folder / QUESTIONS, json_file)
    if coco is None and (split is not None or download):
        raise DalleEduError(
            "--split and --download are about COCO; give its folder with --coco",
            "--split et --download concernent COCO ; donnez son dossier avec --coco",
        )
    with tempfile.TemporaryDirectory() as aside:
        if coco is None:
            dataset = Coco(write_coco_sample(Path(aside) / "coco", min(first, 100), seed), "sample", side)
        else:
            dataset = Coco(coco, split or "val2017", side, download=download, first=first)
        Questionnaire(caption_questions(dataset, n, seed)).save(folder)
    _filled(folder, json_file)


@rank.command(
    cls=Command,
    help=say("Write questions of several pictures for one sentence.", "Écrit des questions de plusieurs images pour une phrase."),
)
@sampling_options
def pictures(
    folder: NewFolder,
    n: Count = 20,
    choices: Annotated[int, typer.Option(min=2, max=8, help=say("pictures of each sentence", "images par phrase"))] = 4,
    data: Annotated[
        str | None,
        typer.Option(
            help=say(
                "for a system trained on pictures of yours (train --data): where they are; their captions are the sentences",
                "pour un système entraîné sur vos images (train --data) : où elles sont ; leurs légendes sont les phrases",
            )
        ),
    ] = None,
    system: Annotated[str, typer.Option(help=SYSTEM)] = "dalle1",
    seed: SeedOption = 0,
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Write questions of several pictures for one sentence."""
    from dalle_edu.cli.generate import accepted
    from dalle_edu.datasets.opening import open_source
    from dalle_edu.device import choose_device
    from dalle_edu.files import check_new_folder
    from dalle_edu.loading import load_system
    from dalle_edu.rankings.questionnaire import QUESTIONS, Questionnaire, picture_questions
    from dalle_edu.scorecard import questions
    from dalle_edu.world.domain import catalogue_of

    check_new_folder(folder)
    ready(folder / QUESTIONS, json_file, given=models(system))
    machine = load_system(system, str(choose_device(device).torch_device))
    if data is None:
        sentences = [question.text for question in questions(2 * n, seed, catalogue_of(machine))]
        chosen = [sentences[2 * i + i % 2] for i in range(n)]  # every scene once, in French and in English by turns
    else:
        series = open_source(data, machine.resolution).series(seed)
        chosen = list(dict.fromkeys(series.collate([series[index] for index in range(20 * n)]).captions))[:n]
    options = accepted(machine, settings)
    Questionnaire(picture_questions(machine, chosen, choices, seed, **options), domain=machine.domain).save(folder)
    _filled(folder, json_file)


@rank.command(
    cls=Command,
    help=say("Say how far the rankings in a folder agree.", "Dit à quel point les classements d'un dossier s'accordent."),
)
def compare(
    folder: Annotated[Path, typer.Argument(help=say("a questionnaire's folder", "le dossier d'un questionnaire"))],
    clip: OtherClipOption = None,
    without_clip: Annotated[bool, typer.Option("--without-clip", help=say("compare without a critic", "compare sans critique"))] = False,
    json_file: JsonOption = None,
    device: DeviceOption = None,
) -> None:
    """Print how far the rankings in a folder agree. Raises `DalleEduError` where `--clip` and `--without-clip` are both given."""
    from dataclasses import asdict

    from dalle_edu.device import choose_device
    from dalle_edu.loading import load_critic
    from dalle_edu.rankings.agreement import EXAMINER, agreements, ranked_by_critic, ranked_by_examiner
    from dalle_edu.rankings.questionnaire import PROTOCOL, Questionnaire

    ready(json_file)
    if clip and without_clip:
        raise DalleEduError(
            "--clip names what --without-clip leaves out; give one of them",
            "--clip nomme ce que --without-clip écarte ; donnez l'un des deux",
        )
    questionnaire = Questionnaire.load(folder)
    rankings = [*questionnaire.rankings, ranked_by_examiner(questionnaire)]
    if not without_clip:
        rankings.append(ranked_by_critic(questionnaire, load_critic(clip or "clip", str(choose_device(device).torch_device))))
    found = agreements([ranking for ranking in rankings if ranking.places])
    table = Table(title=say("Kendall's τ, with its 95 % interval", "τ de Kendall, avec son intervalle à 95 %"))
    for column in (say("ranked by", "classé par"), say("and by", "et par")):
        table.add_column(column)
    for column in ("τ", say("questions", "questions"), say("tied", "à égalité")):
        table.add_column(column, justify="right")
    names = KIND_NAMES[sentence_language()]
    named = {PROTOCOL: say("the protocol", "le protocole"), EXAMINER: say("the examiner", "l'examinateur")}
    for each in found:
        raters = [named.get(rater) or f"{rater} ({names[kind]})" for rater, kind in zip(each.raters, each.kinds, strict=True)]
        interval = say(", ", "\u00a0; ").join(decimal(end, 2) for end in (each.low, each.high))
        tau = f"{decimal(each.tau, 2)} [{interval}]" if each.questions else "–"
        table.add_row(*raters, tau, str(each.questions), str(each.tied))
    out.print(table)
    if json_file:
        write_json(json_file, {"agreements": [asdict(each) | ({} if each.questions else {"tau": None}) for each in found]})


def _filled(folder: Path, json_file: Path | None) -> None:
    """Say where the questions are, and how to rank them; with `--json`, what they are."""
    import json

    from dalle_edu.rankings.questionnaire import QUESTIONS

    if json_file:
        write_json(json_file, {"folder": str(folder), **json.loads((folder / QUESTIONS).read_text(encoding="utf-8"))})
    written(folder)
    out.print(
        say(
            f'to rank them, in a notebook: from dalle_edu.classroom.widgets.ranking import ranking; ranking("{folder}", rater="…")',
            f'pour classer, dans un notebook : from dalle_edu.classroom.widgets.ranking import ranking; ranking("{folder}", rater="…")',
        ),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
