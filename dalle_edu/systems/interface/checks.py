"""The doors of systems: what is asked of them is checked before any work is
done.
"""

from collections.abc import Sequence

from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.world.grammar import check_prompt

MAX_IMAGES = 1024  # in one call


def check_prompts(prompts: Sequence[str]) -> None:
    """Raise `DalleEduError` unless `prompts` is a list of 1 to 1,024 sentences that
    can be drawn.
    """
    if isinstance(prompts, str):
        raise DalleEduError(
            "generate takes a list of prompts and was given the string "
            f'"{prompts[:40]}"; write generate(["a red circle"])',
            "generate prend une liste de phrases et a reçu la chaîne « "
            f'{prompts[:40]} » ; écrivez generate(["un cercle rouge"])',
        )
    if not 1 <= len(prompts) <= MAX_IMAGES:
        raise DalleEduError(
            f"{len(prompts)} pictures were asked for; one call draws 1 to "
            f"{MAX_IMAGES}",
            f"{len(prompts)} images sont demandées ; un appel en dessine de 1 à "
            f"{MAX_IMAGES}",
        )
    for prompt in set(prompts):
        check_prompt(prompt)


def check_images(images: Tensor, resolution: int) -> None:
    """Raise `DalleEduError` unless `images` is a batch of pictures of a system's
    own size, in [-1, 1].
    """
    if (
        images.ndim != 4
        or images.shape[1:] != (3, resolution, resolution)
        or not len(images)
    ):
        raise DalleEduError(
            f"the pictures are {tuple(images.shape)}; this system works on (n, 3, "
            f"{resolution}, {resolution}): resize them",
            f"les images sont {tuple(images.shape)} ; ce système travaille sur (n, "
            f"3, {resolution}, {resolution}) : redimensionnez-les",
        )
    # not a number is not in range either
    if not images.is_floating_point() or not float(images.abs().max()) <= 1 + 1e-4:
        raise DalleEduError(
            f"the pictures are {images.dtype} from {float(images.min()):g} to "
            f"{float(images.max()):g}; give floats from -1 to 1",
            f"les images sont {images.dtype} de {float(images.min()):g} à "
            f"{float(images.max()):g} ; donnez des réels de -1 à 1",
        )


def check_couples(first: Tensor, second: Tensor) -> None:
    """Raise `DalleEduError` unless these are two batches of square pictures in [-1,
    1], as many in each.
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


def check_pairs(images: Tensor, *captions: Sequence[str]) -> None:
    """Raise `DalleEduError` unless there is a sentence that can be drawn for each
    picture, in each list of sentences.
    """
    for each in captions:
        check_prompts(each)
        if len(each) != len(images):
            raise DalleEduError(
                f"{len(images)} pictures came with {len(each)} sentences; give one "
                "for each",
                f"{len(images)} images sont venues avec {len(each)} phrases ; "
                "donnez-en une par image",
            )


def check_guidance_scale(guidance_scale: float) -> None:
    """Raise `DalleEduError` unless the guidance scale is 0 to 50."""
    if not 0 <= guidance_scale <= 50:
        raise DalleEduError(
            f"the guidance is {guidance_scale}; it goes from 0 (the caption is "
            "ignored) to 50, and 1 is no guidance",
            f"le guidage est {guidance_scale} ; il va de 0 (la phrase est ignorée) "
            "à 50, et 1 ne guide pas",
        )


def check_steps(steps: int) -> None:
    """Raise `DalleEduError` unless a sampler can take so many steps."""
    if not 1 <= steps <= 1000:
        raise DalleEduError(
            f"{steps} steps were asked for; a sampler takes 1 to 1000",
            f"{steps} pas sont demandés ; un échantillonneur en fait de 1 à 1000",
        )


def check_tries(tries: int) -> None:
    """Raise `DalleEduError` unless a picture can be drawn so many times."""
    if not 1 <= tries <= MAX_IMAGES:
        raise DalleEduError(
            f"{tries} tries were asked for; a picture is drawn 1 to {MAX_IMAGES} "
            "times",
            f"{tries} essais sont demandés ; une image se dessine de 1 à "
            f"{MAX_IMAGES} fois",
        )


def check_choice(
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    daring: float | None = None,
) -> None:
    """Raise `DalleEduError` unless these say how to choose a code among those that
    a network thinks likely.
    """
    if not 0 <= temperature <= 10:
        raise DalleEduError(
            f"the temperature is {temperature}; it goes from 0 (always the "
            "likeliest code) to 10",
            f"la température est {temperature} ; elle va de 0 (toujours le code le "
            "plus probable) à 10",
        )
    if daring is not None and not 0.01 <= daring <= 10:
        raise DalleEduError(
            f"daring is {daring}; it is a temperature from 0.01 to 10",
            f"l'audace est {daring} ; c'est une température de 0,01 à 10",
        )
    if top_k is not None and top_k < 1:
        raise DalleEduError(
            f"top-k is {top_k}; it keeps 1 code or more",
            f"top-k est {top_k} ; il garde au moins 1 code",
        )
    if top_p is not None and not 0 < top_p <= 1:
        raise DalleEduError(
            f"top-p is {top_p}; it is a probability above 0, at most 1",
            f"top-p est {top_p} ; c'est une probabilité au-dessus de 0 et d'au "
            "plus 1",
        )
