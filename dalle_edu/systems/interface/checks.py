"""Checks of what a system is given, before any work is done.

Each raises `DalleEduError`, which says in English and in French what was given,
what was expected and what to do. A system's `generate` begins with `check_prompts`;
`Trainable.loss` makes `check_stage` and `check_batch` for every system.
"""

from collections.abc import Iterable, Sequence

from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.world.domain import SHAPES_DOMAIN, Domain

MAX_IMAGES = 1024  # in one call


def check_prompts(
    prompts: Iterable[str], domain: Domain = SHAPES_DOMAIN
) -> list[str]:
    """The prompts as a list, whatever they come in. Raises `DalleEduError` unless
    they are 1 to 1,024 sentences that can be drawn: in the domain of a catalogue,
    each names an object of it.
    """
    if isinstance(prompts, str):
        raise DalleEduError(
            "generate takes a list of prompts and was given the string "
            f'"{prompts[:40]}"; write generate(["a red circle"])',
            "generate prend une liste de phrases et a reçu la chaîne « "
            f'{prompts[:40]} » ; écrivez generate(["un cercle rouge"])',
        )
    if not isinstance(prompts, Iterable):
        kind = type(prompts).__name__
        raise DalleEduError(
            f"the prompts are of the type {kind}; give a list of sentences, as in "
            '["a red circle"]',
            f"les phrases sont du type {kind} ; donnez-en une liste, comme "
            '["un cercle rouge"]',
        )
    prompts = list(prompts)
    if not 1 <= len(prompts) <= MAX_IMAGES:
        raise DalleEduError(
            f"{len(prompts)} pictures were asked for; one call draws 1 to "
            f"{MAX_IMAGES}",
            f"{len(prompts)} images sont demandées ; un appel en dessine de 1 à "
            f"{MAX_IMAGES}",
        )
    # not of a set: what is no string may have no hash
    for prompt in prompts:
        domain.check_prompt(prompt)
    return prompts


def check_images(images: Tensor, resolution: int) -> None:
    """Raise `DalleEduError` unless `images` is a batch of at least one picture,
    (n, 3, resolution, resolution), in [-1, 1], of any floating-point precision.
    """
    if not isinstance(images, Tensor):
        kind = type(images).__name__
        raise DalleEduError(
            f"the pictures are of the type {kind}; give a tensor of floats, (n, 3, "
            "height, width), from -1 to 1",
            f"les images sont du type {kind} ; donnez un tenseur de réels, (n, 3, "
            "hauteur, largeur), de -1 à 1",
        )
    if (
        images.ndim != 4
        or images.shape[1:] != (3, resolution, resolution)
        or not len(images)
    ):
        raise DalleEduError(
            f"the pictures are {tuple(images.shape)}; this system works on (n, 3, "
            f"{resolution}, {resolution}): resize them",
            f"les images sont {tuple(images.shape)} ; ce système travaille sur "
            f"(n, 3, {resolution}, {resolution}) : redimensionnez-les",
        )
    # written so that NaN is out of range too
    if not images.is_floating_point() or not float(images.abs().max()) <= 1 + 1e-4:
        raise DalleEduError(
            f"the pictures are {images.dtype} from {float(images.min()):g} to "
            f"{float(images.max()):g}; give floats from -1 to 1",
            f"les images sont {images.dtype} de {float(images.min()):g} à "
            f"{float(images.max()):g} ; donnez des réels de -1 à 1",
        )


def check_couples(first: Tensor, second: Tensor) -> None:
    """Raise `DalleEduError` unless these are two batches of square pictures in
    [-1, 1], of the same length.
    """
    for images in (first, second):
        check_images(images, images.shape[-1])
    if len(first) != len(second):
        raise DalleEduError(
            f"{len(first)} pictures came with {len(second)} others; give one for "
            "each",
            f"{len(first)} images sont venues avec {len(second)} autres ; "
            "donnez-en une par image",
        )


def check_pairs(
    images: Tensor, *captions: Iterable[str], domain: Domain = SHAPES_DOMAIN
) -> list[list[str]]:
    """The captions, as lists. Raises `DalleEduError` unless each list holds one for
    each picture, and all of them can be drawn in the domain.
    """
    lists = [check_prompts(each, domain) for each in captions]
    for each in lists:
        if len(each) != len(images):
            raise DalleEduError(
                f"{len(images)} pictures came with {len(each)} sentences; give "
                "one for each",
                f"{len(images)} images sont venues avec {len(each)} phrases ; "
                "donnez-en une par image",
            )
    return lists


def check_batch(
    images: Tensor, captions: Sequence[str], resolution: int, progress: float
) -> None:
    """Raise `DalleEduError` unless these are what a loss takes: pictures of the
    system's resolution in [-1, 1], a caption for each, and a progress in [0, 1].
    """
    check_images(images, resolution)
    if isinstance(captions, str) or len(captions) != len(images):
        n = 1 if isinstance(captions, str) else len(captions)
        raise DalleEduError(
            f"{len(images)} pictures came with {n} captions; give a list of one "
            "each",
            f"{len(images)} images sont venues avec {n} légendes ; donnez-en une "
            "liste, une par image",
        )
    if not 0 <= progress <= 1:
        raise DalleEduError(
            f"the progress is {progress:g}; it goes from 0 to 1 within a stage",
            f"l'avancement est {progress:g} ; il va de 0 à 1 dans une étape",
        )


def check_stage(
    name: str, stage: str | None, known: Sequence[str], made_of: Sequence[str] = ()
) -> str:
    """The stage asked for, or the only one there is.

    `name` is the system's, `known` are its stages, `made_of` the systems from whose
    weights one without stages is put together. Raises `DalleEduError` for a stage
    that the system does not have, and where none is named and there are several, or
    none.
    """
    if stage is None and len(known) == 1:
        return known[0]
    if stage in known:
        return stage  # type: ignore[return-value]
    if not known:
        en, fr = (word.join(made_of) for word in (" and ", " et "))
        raise DalleEduError(
            f"{name} learns nothing of its own, so it has no loss; "
            f"train {en}, of which it is made",
            f"{name} n'apprend rien par lui-même, donc n'a pas de perte ; "
            f"entraînez {fr}, dont il est fait",
        )
    stages = ", ".join(known)
    raise DalleEduError(
        f'{name} has no stage "{stage}"; name one of: {stages}'
        if stage
        else f"{name} learns in stages; name one of: {stages}",
        f"{name} n'a pas d'étape « {stage} » ; nommez-en une parmi : {stages}"
        if stage
        else f"{name} apprend par étapes ; nommez-en une parmi : {stages}",
    )
