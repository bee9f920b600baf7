"""The command line: `dalle-edu generate · train · score · world · doctor`.

Every failure that a user can cause ends in one sentence on standard error and a non-zero exit status.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: idle threads that spin make small models several times slower

import typer
from rich.console import Console
from rich.table import Table

from dalle_edu.errors import DalleEduError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Pictures from sentences, by machines built from scratch.",
)
out, err = Console(), Console(stderr=True)

DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda or mps; the fastest one present unless given")]
SeedOption = Annotated[int, typer.Option(min=0, max=2**31, help="the same seed gives the same result")]

SKILL_NAMES = {
    "fr": {
        "single_object": "un objet", "two_objects": "deux objets", "counting": "nombre", "colours": "couleurs", "shape": "forme",
        "size": "taille", "position": "position", "colour_attribution": "attribution des couleurs",
    },
    "en": {
        "single_object": "one object", "two_objects": "two objects", "counting": "number", "colours": "colours", "shape": "shape",
        "size": "size", "position": "position", "colour_attribution": "colour attribution",
    },
}  # fmt: skip


@app.command()
def generate(
    prompts: Annotated[list[str], typer.Argument(help="sentences, in French or in English")],
    system: Annotated[str, typer.Option(help="a system's name, or the path of its weights")] = "dalle1",
    n: Annotated[int, typer.Option("-n", help="pictures for each sentence")] = 4,
    seed: SeedOption = 0,
    guidance: Annotated[float | None, typer.Option(help="1 as trained, more follows the sentence more closely")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 always the likeliest, 1 as trained")] = None,
    top_k: Annotated[int | None, typer.Option(help="choose among the k likeliest codes")] = None,
    top_p: Annotated[float | None, typer.Option(help="choose among the likeliest codes that reach this probability")] = None,
    out_file: Annotated[Path, typer.Option("--out", help="the PNG to write")] = Path("dalle1.png"),
    json_file: Annotated[Path | None, typer.Option("--json", help="write the marks of every picture here")] = None,
    device: DeviceOption = None,
) -> None:
    """Draw sentences: a grid of pictures with their captions, and a mark for each."""
    import torch

    from dalle_edu.device import choose_device
    from dalle_edu.files import check_writable
    from dalle_edu.weights import load_system
    from dalle_edu.world.grammar import check_prompt
    from dalle_edu.world.sheet import picture_sheet, save_picture

    if not 1 <= n <= 1024 or n * len(prompts) > 1024:
        raise DalleEduError(f"{n * len(prompts)} pictures were asked for; one call draws 1 to 1024")
    if out_file.suffix.lower() != ".png":
        raise DalleEduError(f"pictures are written as PNG and the file is {out_file.name!r}; end its name in .png")
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


@app.command()
def train(
    system: Annotated[str, typer.Argument(help="the system to train")] = "dalle1",
    preset: Annotated[str, typer.Option(help="laptop, standard or gpu")] = "laptop",
    minutes: Annotated[float | None, typer.Option(help="wall time for all stages together (12 unless --updates is given)")] = None,
    updates: Annotated[int | None, typer.Option(help="updates for all stages together: exactly repeatable")] = None,
    run: Annotated[Path | None, typer.Option(help="the run's folder; a run that is already there goes on")] = None,
    seed: SeedOption = 0,
    batch_size: Annotated[int | None, typer.Option(help="pictures in an update")] = None,
    exam: Annotated[int, typer.Option(min=0, max=4096, help="prompts of the exam at each look; 0 for none")] = 128,
    save_every: Annotated[float, typer.Option(min=0, help="seconds between checkpoints")] = 60.0,
    device: DeviceOption = None,
    compile: Annotated[bool, typer.Option("--compile", help="compile the networks (pays on a GPU)")] = False,
) -> None:
    """Train a system; the folder fills with a log, sheets of pictures, checkpoints, and the weights at the end."""
    from dalle_edu.training import Run
    from dalle_edu.training import train as train_system

    if minutes is None and updates is None:
        minutes = 12.0
    folder = run or Path("runs") / f"{system}-{preset}"
    settings = Run(system, preset, seed, updates, minutes, batch_size, exam, save_every)
    try:
        train_system(settings, folder, device, compile)
    except KeyboardInterrupt:
        err.print(f"stopped; the checkpoint is in {folder}, and the same command goes on from it", highlight=False)
        raise typer.Exit(130) from None
    out.print(f"→ {folder / (system + '.safetensors')}", highlight=False)


@app.command()
def score(
    system: Annotated[str, typer.Argument(help="a system's name, or the path of its weights")] = "dalle1",
    prompts: Annotated[int, typer.Option(help="pictures to draw and mark")] = 512,
    seed: SeedOption = 0,
    guidance: Annotated[float | None, typer.Option(help="as in generate")] = None,
    temperature: Annotated[float | None, typer.Option(help="as in generate")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the report here")] = None,
    device: DeviceOption = None,
) -> None:
    """Examine a system: how often it is right, skill by skill, with 95 % intervals."""
    from rich.progress import Progress

    from dalle_edu.device import choose_device
    from dalle_edu.files import check_writable
    from dalle_edu.scorecard import score as examine
    from dalle_edu.weights import load_system

    if json_file:
        check_writable(json_file)
    machine = load_system(system, str(choose_device(device).torch_device))
    options: Any = {key: value for key, value in {"guidance": guidance, "temperature": temperature}.items() if value is not None}
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(machine.name, total=prompts)
        report = examine(machine, machine.name, prompts, seed, progress=lambda count: bar.advance(task, count), **options)
    table = Table(title=f"{machine.name}, {prompts} prompts, seed {seed}")
    table.add_column("skill")
    for column in ("seen", "held out", "French", "English"):
        table.add_column(column, justify="right")
    parts = [report.rates(split="seen"), report.rates(split="held_out"), report.rates("fr"), report.rates("en")]
    for skill in parts[0]:
        table.add_row(skill, *(_rate(part[skill].to_json()) for part in parts))
    out.print(table)
    if json_file:
        report.save(json_file)


def _rate(rate: dict[str, int | float]) -> str:
    if not rate["n"]:
        return "–"
    return f"{100 * rate['rate']:.1f} % [{100 * rate['low']:.1f}, {100 * rate['high']:.1f}] of {rate['n']:.0f}"


@app.command()
def world(
    n: Annotated[int, typer.Option(help="scenes to draw")] = 16,
    seed: SeedOption = 0,
    split: Annotated[str, typer.Option(help="seen, held_out or all")] = "all",
    resolution: Annotated[int, typer.Option(help="pixels on a side")] = 64,
    out_file: Annotated[Path, typer.Option("--out", help="the PNG to write")] = Path("world.png"),
) -> None:
    """Draw a sheet of the captioned world."""
    from dalle_edu.files import check_writable
    from dalle_edu.world import World, picture_sheet, save_picture
    from dalle_edu.world.scenes import SPLITS

    if not 1 <= n <= 1024:
        raise DalleEduError(f"{n} scenes were asked for; a sheet holds 1 to 1024")
    if split not in SPLITS:
        raise DalleEduError(f"the split is {split!r}; it is one of {', '.join(SPLITS)}")
    check_writable(out_file)
    series = World(n, seed=seed, split=split)
    items = [series[i] for i in range(n)]
    save_picture(picture_sheet(series.collate(items).images(resolution), [text for _, text in items]), out_file)
    out.print(f"→ {out_file}", highlight=False)


@app.command()
def doctor() -> None:
    """Say what is installed, which devices there are, and what is missing and how to mend it."""
    from dalle_edu.doctor import examine_installation

    findings = examine_installation()
    table = Table(show_header=False)
    for finding in findings:
        table.add_row("[green]ok[/green]" if finding.good else "[red]mend[/red]", finding.subject, finding.says)
    out.print(table)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


def _fail(sentence: str, status: int = 1) -> NoReturn:
    err.print(f"dalle-edu: {sentence}", style="red", highlight=False, markup=False, soft_wrap=True)
    sys.exit(status)


def main() -> None:
    """The entry point: turns what went wrong into one sentence."""
    try:
        app()
    except DalleEduError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except MemoryError:
        _fail("there is not enough memory; ask for fewer pictures or a smaller preset")
    except RuntimeError as error:
        if "allocate" in str(error) or "out of memory" in str(error).lower():
            _fail("there is not enough memory; ask for fewer pictures, a smaller batch or a smaller preset")
        raise
    except BrokenPipeError:
        sys.exit(1)
