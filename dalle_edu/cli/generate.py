"""`dalle-edu generate`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dalle_edu.cli.app import PNG, SYSTEM, CandidatesOption, ClipOption, DeviceOption, SeedOption, command, err, out, write_json
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say


@command(
    say(
        "Draw sentences: a grid of pictures with their captions, and a mark for each.",
        "Dessine des phrases : une grille d'images légendées, et une note pour chacune.",
    ),
)
def generate(
    prompts: Annotated[list[str], typer.Argument(help=say("sentences, in French or in English", "des phrases, en français ou en anglais"))],
    system: Annotated[str, typer.Option(help=SYSTEM)] = "dalle1",
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
    candidates: CandidatesOption = None,
    clip: ClipOption = "clip",
    out_file: Annotated[Path, typer.Option("--out", help=PNG)] = Path("dalle1.png"),
    json_file: Annotated[
        Path | None, typer.Option("--json", help=say("write the marks of every picture here", "écrit ici les notes de chaque image"))
    ] = None,
    device: DeviceOption = None,
) -> None:
    import torch

    from dalle_edu.device import choose_device
    from dalle_edu.files import check_writable
    from dalle_edu.systems.rerank import best_of, check_candidates
    from dalle_edu.weights import load_critic, load_system
    from dalle_edu.world.grammar import check_prompt
    from dalle_edu.world.sheet import not_png, picture_sheet, save_picture

    if not 1 <= n <= 1024 or n * len(prompts) > 1024:
        asked = n * len(prompts)
        raise DalleEduError(
            f"{asked} pictures were asked for; one call draws 1 to 1024", f"{asked} images sont demandées ; un appel en dessine de 1 à 1024"
        )
    if out_file.suffix.lower() != ".png":
        raise not_png(out_file)
    if candidates is not None:
        check_candidates(candidates, keep=n)
    for path in filter(None, (out_file, json_file)):
        check_writable(path)
    for prompt in prompts:
        report = check_prompt(prompt)
        if report:
            err.print(report, style="yellow", highlight=False, soft_wrap=True)
    place = str(choose_device(device).torch_device)
    machine = load_system(system, place)
    texts = [prompt for prompt in prompts for _ in range(n)]
    settings = {"guidance": guidance, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    given: dict[str, Any] = {key: value for key, value in settings.items() if value is not None}
    likings: list[float] | None = None
    if candidates is None:
        images = machine.generate(texts, seed=seed, **given).cpu()
    else:
        best, scores = best_of(machine, prompts, load_critic(clip, place), candidates, n, seed, **given)
        images, likings = best.flatten(0, 1).cpu(), scores.flatten().tolist()
    marks, found = _mark_all(texts, images)
    columns = n if n <= 8 else 8
    labels = [_label(text, mark) for text, mark in zip(texts, marks, strict=True)]
    if n > 8 and n % 8 and len(prompts) > 1:
        columns = max(c for c in range(1, 9) if n % c == 0)
    save_picture(picture_sheet(images, labels, columns=columns), out_file)
    if json_file:
        pictures: list[dict[str, Any]] = [
            {"prompt": text, "marks": mark, "objects": [vars(thing) for thing in things]}
            for text, mark, things in zip(texts, marks, found, strict=True)
        ]
        document = {"system": machine.name, "seed": seed, "settings": settings, "torch": torch.__version__, "pictures": pictures}
        if likings is not None:
            document |= {"candidates": candidates, "clip": clip}
            pictures[:] = [picture | {"clip_score": round(liking, 4)} for picture, liking in zip(pictures, likings, strict=True)]
        write_json(json_file, document)
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
