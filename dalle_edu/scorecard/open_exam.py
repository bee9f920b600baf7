"""The exam of a system on captioned pictures of any kind, for which there is no examiner: held-out losses, and the opinion of a critic.

    reports = open_score(system, source, critic, prompts=64)
    print(*reports["held_out"].lines("en"), sep="\\n")
    reports["held_out"].sheet.show()

Nothing here knows whether a picture is right. Each number therefore stands between two others that bound it: what true pictures get, and
what chance gets. `caption_retrieval.py` and `fidelity.py` say what each measures.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from dalle_edu.datasets.source import Batch, Series, Source
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.progress_bar import progress_bar
from dalle_edu.scorecard.caption_retrieval import Captions, match
from dalle_edu.scorecard.exam import Draws
from dalle_edu.scorecard.fidelity import frechet_fidelity, kernel_fidelity
from dalle_edu.scorecard.memorization import memorization
from dalle_edu.scorecard.open_report import OpenReport
from dalle_edu.seeds import SEEDS, check_seed
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.critics.reranking import BestOf
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.world.sheet import picture_sheet

_TOGETHER = 64  # pictures in a batch; a constant, since the random numbers of each depend on its place there
_TURNS = 4  # times that a loss, which has random numbers of its own, is measured
_SHOWN = 16  # pairs on the sheet
_COMPARED = 2048  # training pictures that drawn ones are compared with, to find copies


def open_score(
    system: Any,
    source: Source,
    critic: Critic | None = None,
    prompts: int = 256,
    seed: int = 0,
    progress: bool | None = None,
    **options: Any,
) -> dict[str, OpenReport]:
    """Examine a system on at most `prompts` pictures of a source that it was trained on, "seen", and on as many that were "held_out", as
    `open_exam` does. Of a source that holds nothing out there is no report of these. What is drawn for held-out captions is compared with
    training pictures, at most 2,048, where the source has an end.

    Raises `DalleEduError` for fewer than 1 or more than 100000 prompts, for what is no seed, and as `open_exam` does.
    """
    if not 1 <= prompts <= 100_000:
        raise DalleEduError(
            f"an exam of {prompts} prompts was asked for; it has 1 to 100000",
            f"un examen de {prompts} phrases est demandé ; il en a de 1 à 100000",
        )
    series, size = source.series(0), source.size
    seen, held_out = _first(series, min(prompts, size or prompts)), source.held_out(prompts)
    reports = {"seen": open_exam(system, seen, critic, seed, progress, **options)}
    if held_out.captions:
        trained = _first(series, min(size, _COMPARED)) if size else None
        reports["held_out"] = open_exam(system, held_out, critic, seed, progress, trained, **options)
    return reports


def _first(series: Series, n: int) -> Batch:
    return series.collate([series[index] for index in range(n)])


@torch.no_grad()
def open_exam(
    system: Any,
    batch: Batch,
    critic: Critic | None = None,
    seed: int = 0,
    progress: bool | None = None,
    trained: Batch | None = None,
    **options: Any,
) -> OpenReport:
    """Examine a system on captioned pictures that it was not trained on.

    A system that learns has a loss on them in each of its stages; one that draws draws a picture for each caption, which `critic` judges
    beside the true ones; a critic is judged by how it finds the captions of true pictures, and needs no other. Copies of `trained`,
    training pictures, are looked for in what is drawn. The same batch and seed give the same numbers. `options` go to `system.generate`;
    `progress` shows a bar: True, False, or None for one where somebody waits. Raises `DalleEduError` for an empty batch, what is no seed,
    and a caption that system or critic cannot read.
    """
    seed = check_seed(seed)
    if not batch.captions:
        raise DalleEduError(
            "the exam was given no held-out picture; keep some pictures out of training",
            "l'examen n'a reçu aucune image réservée ; gardez-en quelques-unes hors de l'entraînement",
        )
    captions, networks = Captions.of(batch.captions), system.system if isinstance(system, BestOf) else system
    judge = system if isinstance(system, Critic) else critic
    texts = judge.encode_texts(captions.distinct) if judge else None  # first, since drawing takes long
    images = batch.images(networks.resolution, getattr(networks, "device", "cpu"))
    facts: dict[str, Any] = {
        "system": system.title if isinstance(system, Critic) else system.name,
        "seed": seed,
        "pictures": len(images),
        "captions": len(captions.distinct),
        "losses": held_out_losses(networks, images, batch.captions) if isinstance(networks, Trainable) else {},
    }
    drawn = draw(system, batch.captions, seed, progress, **options) if isinstance(system, Draws) else None
    if drawn is not None:
        facts["sheet"] = comparison_sheet(images, drawn, captions, facts["system"])
        if trained is not None:
            facts["memorization"] = memorization(drawn, images, trained.images(networks.resolution))
    if judge is None or texts is None:
        return OpenReport(**facts)
    true_features, galleries = judge.encode_images(images), captions.galleries(seed)
    facts |= {"critic": judge.title, "gallery": captions.gallery, "channels": true_features.shape[1]}
    facts["true"] = match(true_features, texts, captions, galleries)
    if drawn is not None:
        features = judge.encode_images(drawn)
        facts["drawn"] = match(features, texts, captions, galleries)
        facts["kernel"] = kernel_fidelity(features, true_features, seed)
        facts["frechet"] = frechet_fidelity(features, true_features, seed)
    return OpenReport(**facts)


@torch.no_grad()
def held_out_losses(system: Trainable, images: Float[Tensor, "n 3 h w"], captions: Sequence[str]) -> dict[str, float]:
    """The loss of each stage of a system on these pictures, by the stage's name: a mean over the batch, in parts of nearly equal size and
    in a fixed random order, and over fixed random numbers.

    The system is in evaluation mode meanwhile. Its stages are taken as if at their end (progress 1).
    """
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    parts = order.tensor_split(-(-len(order) // _TOGETHER))
    losses = {}
    with _evaluating(system):
        for stage in system.stages:
            total = 0.0
            for turn in range(_TURNS):
                for number, rows in enumerate(parts):
                    generator = torch.Generator(images.device).manual_seed(1_009 * turn + number)
                    said = [captions[i] for i in rows.tolist()]
                    with torch.enable_grad():  # a VQGAN's loss weighs its terms by their gradients
                        found = system.loss(images[rows.to(images.device)], said, stage=stage.name, generator=generator)
                    total += len(rows) * float(found["loss"].detach())
            losses[stage.name] = total / (_TURNS * len(images))
    return losses


@contextmanager
def _evaluating(system: nn.Module) -> Iterator[None]:
    """A context in which a system is in evaluation mode; each of its parts is then put back in its own."""
    modes = [(part, part.training) for part in system.modules()]
    system.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


@torch.no_grad()
def draw(system: Draws, captions: Sequence[str], seed: int = 0, progress: bool | None = None, **options: Any) -> Float[Tensor, "n 3 h w"]:
    """A picture for each caption. The random numbers of picture i depend on i and the seed alone."""
    drawn = []
    with progress_bar(say("drawing", "dessin"), len(captions), progress) as bar:
        for start in range(0, len(captions), _TOGETHER):
            drawn.append(system.generate(captions[start : start + _TOGETHER], seed=(seed * 1_000_003 + start) % SEEDS, **options))
            bar.reach(min(start + _TOGETHER, len(captions)))
    return torch.cat(drawn)


def comparison_sheet(
    true: Float[Tensor, "n 3 h w"], drawn: Float[Tensor, "n 3 h w"], captions: Captions, name: str, rows: int = _SHOWN
) -> Image.Image:
    """A sheet with a true picture and a drawn one side by side, two such pairs in a row: the first of each distinct caption, at most `rows`
    of them. `name` is the system's.
    """
    own = captions.own.tolist()
    first = [own.index(i) for i in range(min(rows, len(captions.distinct)))]
    pairs = [image for i in first for image in (true[i].cpu(), drawn[i].cpu())]
    said = [text for i in first for text in (captions.distinct[own[i]], say(f"drawn by {name}", f"dessiné par {name}"))]
    side = drawn.shape[-1]
    return picture_sheet(torch.stack(pairs), said, columns=4, tile=side * max(1, 128 // side))
