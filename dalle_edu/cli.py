"""The command line: `dalle-edu generate · train · score · world · doctor`.

Every failure that a user can cause ends in one sentence on standard error and a non-zero exit status.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: idle threads that spin make small models several times slower

import typer
from rich.console import Console
from rich.table import Table

from dalle_edu.errors import DalleEduError
from dalle_edu.helpful import Command, Group
from dalle_edu.language import reader_language, say

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=say(
        "Pictures from sentences, by machines built from scratch.", "Des images à partir de phrases, par des machines faites de zéro."
    ),
)
out, err = Console(), Console(stderr=True)

_DEVICE = say("cpu, cuda or mps; the fastest one present unless given", "cpu, cuda ou mps ; le plus rapide présent, si rien n'est dit")
DeviceOption = Annotated[str | None, typer.Option(help=_DEVICE)]
_SEED = say("the same seed gives the same result", "la même graine donne le même résultat")
SeedOption = Annotated[int, typer.Option(min=0, max=2**31, help=_SEED)]
_SYSTEM = say("a system's name, or the path of its weights", "le nom d'un système, ou le chemin de ses poids")
_PNG = say("the PNG to write", "le PNG à écrire")


@app.command(
    cls=Command,
    help=say(
        "Draw sentences: a grid of pictures with their captions, and a mark for each.",
        "Dessine des phrases : une grille d'images légendées, et une note pour chacune.",
    ),
)
def generate(
    prompts: Annotated[list[str], typer.Argument(help=say("sentences, in French or in English", "des phrases, en français ou en anglais"))],
    system: Annotated[str, typer.Option(help=_SYSTEM)] = "dalle1",
    n: Annotated[int, typer.Option("-n", help=say("pictures for each sentence", "images par phrase"))] = 4,
    seed: SeedOption = 0,
    guidance: Annotated[
        float | None,
        typer.Option(
            help=say(
                "1 as trained, more follows the sentence more closely",
                "1 comme à l'entraînement ; plus grand, l'image suit la phrase de plus près",
            )
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(help=say("0 always the likeliest, 1 as trained", "0 toujours le plus probable, 1 comme à l'entraînement")),
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(help=say("choose among the k likeliest codes", "choisit parmi les k codes les plus probables"))
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            help=say(
                "choose among the likeliest codes that reach this probability",
                "choisit parmi les codes les plus probables qui atteignent cette probabilité",
            )
        ),
    ] = None,
    out_file: Annotated[Path, typer.Option("--out", help=_PNG)] = Path("dalle1.png"),
    json_file: Annotated[
        Path | None, typer.Option("--json", help=say("write the marks of every picture here", "écrit ici les notes de chaque image"))
    ] = None,
    device: DeviceOption = None,
) -> None:
    import torch

    from dalle_edu.device import choose_device
    from dalle_edu.files import check_writable
    from dalle_edu.weights import load_system
    from dalle_edu.world.grammar import check_prompt
    from dalle_edu.world.sheet import not_png, picture_sheet, save_picture

    if not 1 <= n <= 1024 or n * len(prompts) > 1024:
        asked = n * len(prompts)
        raise DalleEduError(
            f"{asked} pictures were asked for; one call draws 1 to 1024", f"{asked} images sont demandées ; un appel en dessine de 1 à 1024"
        )
    if out_file.suffix.lower() != ".png":
        raise not_png(out_file)
    for path in filter(None, (out_file, json_file)):
        check_writable(path)
    for prompt in prompts:
        report = check_prompt(prompt)
        if report:
            err.print(report, style="yellow", highlight=False, soft_wrap=True)
    machine = load_system(system, str(choose_device(device).torch_device))
    texts = [prompt for prompt in prompts for _ in range(n)]
    settings = {"guidance": guidance, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    images = machine.generate(texts, seed=seed, **{key: value for key, value in settings.items() if value is not None}).cpu()
    marks, found = _mark_all(texts, images)
    columns = n if n <= 8 else 8
    labels = [_label(text, mark) for text, mark in zip(texts, marks, strict=True)]
    if n > 8 and n % 8 and len(prompts) > 1:
        columns = max(c for c in range(1, 9) if n % c == 0)
    save_picture(picture_sheet(images, labels, columns=columns), out_file)
    if json_file:
        pictures = [
            {"prompt": text, "marks": mark, "objects": [vars(thing) for thing in things]}
            for text, mark, things in zip(texts, marks, found, strict=True)
        ]
        _write_json(
            json_file, {"system": machine.name, "seed": seed, "settings": settings, "torch": torch.__version__, "pictures": pictures}
        )
    for index, prompt in enumerate(prompts):
        _print_marks(prompt, marks[index * n : (index + 1) * n])
    out.print(f"→ {out_file}", highlight=False)


def _mark_all(texts: list[str], images: Any) -> tuple[list[dict[str, bool] | None], list]:
    """The marks of each picture, None where the examiner cannot tell what the sentence asks for, and what it found."""
    from dalle_edu.scorecard import mark, read_pictures
    from dalle_edu.world.grammar import read_caption

    found = read_pictures(images)
    descriptions = {text: read_caption(text) for text in set(texts)}
    marks = []
    for text, objects in zip(texts, found, strict=True):
        description = descriptions[text]
        marks.append(None if description is None else mark(description, objects))
    return marks, found


def _label(text: str, marks: dict[str, bool] | None) -> str:
    return text if marks is None else f"{text}  ({sum(marks.values())}/{len(marks)})"


def _print_marks(prompt: str, marks: list[dict[str, bool] | None]) -> None:
    from dalle_edu.scorecard import SKILL_NAMES
    from dalle_edu.world.grammar import guess_language

    language = guess_language(prompt)
    known = [mark for mark in marks if mark is not None]
    if not known:
        sentence = (
            "l'examinateur ne sait pas lire cette phrase : pas de note"
            if language == "fr"
            else "the examiner cannot read this sentence: no marks"
        )
        out.print(f"[bold]{prompt}[/bold]: {sentence}" if language == "en" else f"[bold]{prompt}[/bold] : {sentence}", highlight=False)
        return
    rates = " · ".join(f"{SKILL_NAMES[language][skill]} {sum(mark[skill] for mark in known)}/{len(known)}" for skill in known[0])
    right = sum(all(mark.values()) for mark in known)
    verdict = f"{right} sur {len(known)} tout justes" if language == "fr" else f"{right} of {len(known)} all right"
    out.print(f"[bold]{prompt}[/bold]\n  {verdict} — {rates}", highlight=False, soft_wrap=True)


def _write_json(path: Path, document: Any) -> None:
    import json

    from dalle_edu.files import write_aside

    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    write_aside(path, lambda file: file.write(text.encode()))


@app.command(
    cls=Command,
    help=say(
        "Train a system; the folder fills with a log, sheets of pictures, checkpoints, and the weights at the end.",
        "Entraîne un système ; le dossier se remplit d'un journal, de planches d'images, de sauvegardes, et des poids à la fin.",
    ),
)
def train(
    system: Annotated[str, typer.Argument(help=say("the system to train", "le système à entraîner"))] = "dalle1",
    preset: Annotated[str, typer.Option(help=say("laptop, standard or gpu", "laptop, standard ou gpu"))] = "laptop",
    minutes: Annotated[
        float | None,
        typer.Option(
            help=say(
                "wall time for all stages together (12 unless --updates is given)",
                "temps réel de toutes les étapes ensemble (12, sauf si --updates est donné)",
            )
        ),
    ] = None,
    updates: Annotated[
        int | None,
        typer.Option(
            help=say(
                "updates for all stages together: exactly repeatable", "mises à jour de toutes les étapes ensemble : exactement répétable"
            )
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "the run's folder; a run that is already there goes on", "le dossier de l'entraînement ; s'il y en a déjà un, il continue"
            )
        ),
    ] = None,
    seed: SeedOption = 0,
    batch_size: Annotated[int | None, typer.Option(help=say("pictures in an update", "images par mise à jour"))] = None,
    exam: Annotated[
        int,
        typer.Option(
            min=0, max=4096, help=say("prompts of the exam at each look; 0 for none", "phrases de l'examen à chaque arrêt ; 0 pour aucune")
        ),
    ] = 128,
    save_every: Annotated[float, typer.Option(min=0, help=say("seconds between checkpoints", "secondes entre deux sauvegardes"))] = 60.0,
    device: DeviceOption = None,
    compile: Annotated[
        bool, typer.Option("--compile", help=say("compile the networks (pays on a GPU)", "compile les réseaux (utile sur un GPU)"))
    ] = False,
) -> None:
    from dalle_edu.training import Run
    from dalle_edu.training import train as train_system

    if minutes is None and updates is None:
        minutes = 12.0
    folder = run or Path("runs") / f"{system}-{preset}"
    settings = Run(system, preset, seed, updates, minutes, batch_size, exam, save_every)
    try:
        train_system(settings, folder, device, compile)
    except KeyboardInterrupt:
        en = f"stopped; the checkpoint is in {folder}, and the same command goes on from it"
        fr = f"arrêté ; la sauvegarde est dans {folder}, et la même commande continue à partir d'elle"
        err.print(say(en, fr), highlight=False)
        raise typer.Exit(130) from None
    out.print(f"→ {folder / (system + '.safetensors')}", highlight=False)


@app.command(
    cls=Command,
    help=say(
        "Examine a system: how often it is right, skill by skill, with 95 % intervals.",
        "Examine un système : combien de fois il a raison, compétence par compétence, avec des intervalles à 95 %.",
    ),
)
def score(
    system: Annotated[str, typer.Argument(help=_SYSTEM)] = "dalle1",
    prompts: Annotated[int, typer.Option(help=say("pictures to draw and mark", "images à dessiner et à noter"))] = 512,
    seed: SeedOption = 0,
    guidance: Annotated[float | None, typer.Option(help=say("as in generate", "comme pour generate"))] = None,
    temperature: Annotated[float | None, typer.Option(help=say("as in generate", "comme pour generate"))] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help=say("write the report here", "écrit ici le rapport"))] = None,
    device: DeviceOption = None,
) -> None:
    from rich.progress import Progress

    from dalle_edu.device import choose_device
    from dalle_edu.files import check_writable
    from dalle_edu.scorecard import SKILL_NAMES
    from dalle_edu.scorecard import score as examine
    from dalle_edu.weights import load_system

    if json_file:
        check_writable(json_file)
    machine = load_system(system, str(choose_device(device).torch_device))
    options: Any = {key: value for key, value in {"guidance": guidance, "temperature": temperature}.items() if value is not None}
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(machine.name, total=prompts)
        report = examine(machine, machine.name, prompts, seed, progress=lambda count: bar.advance(task, count), **options)
    table = Table(title=say(f"{machine.name}, {prompts} prompts, seed {seed}", f"{machine.name}, {prompts} phrases, graine {seed}"))
    table.add_column(say("skill", "compétence"))
    for column in (say("seen", "vues"), say("held out", "réservées"), say("French", "français"), say("English", "anglais")):
        table.add_column(column, justify="right")
    parts = [report.rates(split="seen"), report.rates(split="held_out"), report.rates("fr"), report.rates("en")]
    for skill in parts[0]:
        table.add_row(SKILL_NAMES[reader_language()][skill], *(_rate(part[skill].to_json()) for part in parts))
    out.print(table)
    if json_file:
        report.save(json_file)


def _rate(rate: dict[str, int | float]) -> str:
    if not rate["n"]:
        return "–"
    return f"{100 * rate['rate']:.1f} % [{100 * rate['low']:.1f}, {100 * rate['high']:.1f}] {say('of', 'sur')} {rate['n']:.0f}"


@app.command(cls=Command, help=say("Draw a sheet of the captioned world.", "Dessine une planche du monde légendé."))
def world(
    n: Annotated[int, typer.Option(help=say("scenes to draw", "scènes à dessiner"))] = 16,
    seed: SeedOption = 0,
    split: Annotated[str, typer.Option(help=say("seen, held_out or all", "seen (vues), held_out (réservées) ou all (toutes)"))] = "all",
    resolution: Annotated[int, typer.Option(help=say("pixels on a side", "pixels de côté"))] = 64,
    out_file: Annotated[Path, typer.Option("--out", help=_PNG)] = Path("world.png"),
) -> None:
    from dalle_edu.files import check_writable
    from dalle_edu.world import World, picture_sheet, save_picture
    from dalle_edu.world.scenes import SPLITS

    if not 1 <= n <= 1024:
        raise DalleEduError(
            f"{n} scenes were asked for; a sheet holds 1 to 1024", f"{n} scènes sont demandées ; une planche en tient de 1 à 1024"
        )
    if split not in SPLITS:
        known = ", ".join(SPLITS)
        raise DalleEduError(f'the split is "{split}"; it is one of {known}', f"le choix est « {split} » ; il est l'un de {known}")
    check_writable(out_file)
    series = World(n, seed=seed, split=split)
    items = [series[i] for i in range(n)]
    save_picture(picture_sheet(series.collate(items).images(resolution), [text for _, text in items]), out_file)
    out.print(f"→ {out_file}", highlight=False)


@app.command(
    cls=Command,
    help=say(
        "Say what is installed, which devices there are, and what is missing and how to mend it.",
        "Dit ce qui est installé, quels appareils sont là, ce qui manque et comment y remédier.",
    ),
)
def doctor(
    bricks: Annotated[
        bool, typer.Option("--bricks", help=say("hold every brick against its references", "confronte chaque brique à ses références"))
    ] = False,
) -> None:
    from dalle_edu.doctor import examine_bricks, examine_installation

    if bricks:
        good = _print_proofs(examine_bricks())
    else:
        table, findings = Table(show_header=False), examine_installation()
        for finding in findings:
            mark = "[green]ok[/green]" if finding.good else say("[red]mend[/red]", "[red]à réparer[/red]")
            table.add_row(mark, finding.subject, finding.says)
        out.print(table)
        good = all(finding.good for finding in findings)
    if not good:
        raise typer.Exit(1)


def _print_proofs(proofs: Iterable[Any]) -> bool:
    table, good = Table(), True
    table.add_column(say("brick", "brique"), no_wrap=True)
    table.add_column(say("reference", "référence"), ratio=1)
    for heading in (say("largest gap", "plus grand écart"), say("mistakes caught", "erreurs prises")):
        table.add_column(heading, justify="right")
    for proof in proofs:
        difference = say("not installed", "pas installé") if proof.difference is None else f"{proof.difference:.1e}"
        caught = f"{proof.caught} / {proof.mistakes}" if proof.mistakes else "–"
        table.add_row(proof.target, proof.peers, difference, caught, style="" if proof.good else "red")
        good = good and proof.good
    out.print(table)
    return good


def _fail(sentence: str, status: int = 1) -> NoReturn:
    err.print(f"dalle-edu: {sentence}", style="red", highlight=False, markup=False, soft_wrap=True)
    sys.exit(status)


def _no_memory() -> str:
    return say(
        "there is not enough memory; ask for fewer pictures, a smaller batch or a smaller preset",
        "la mémoire ne suffit pas ; demandez moins d'images, un lot plus petit ou un préréglage plus petit",
    )


def main() -> None:
    """The entry point: turns what went wrong into one sentence."""
    try:
        app()
    except DalleEduError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail(say("interrupted", "interrompu"), 130)
    except MemoryError:
        _fail(_no_memory())
    except RuntimeError as error:
        if "allocate" in str(error) or "out of memory" in str(error).lower():
            _fail(_no_memory())
        raise
    except BrokenPipeError:
        sys.exit(1)
