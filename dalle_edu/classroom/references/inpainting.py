"""Inpainting, and guidance of a diffusion network, against diffusers' steps and two separate calls."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.diffusion import picture_and_noise
from dalle_edu.classroom.checking.asking import asked, numbers
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.denoising import tame
from dalle_edu.classroom.references.diffusion import FEW, LINEAR, their_scheduler, timesteps_of
from dalle_edu.language import comma, say


def _wave(x_t: Tensor, t: Tensor, pooled: Tensor, angle: Tensor | None = None) -> Tensor:
    turned = torch.sin(x_t + pooled) + t.view(-1, *[1] * (x_t.ndim - 1)) / 1000
    return turned if angle is None else turned * angle


def _guided(seed: int) -> list[Case]:
    """Against the mixture that Ho & Salimans write, (1 + w) with - w without, with w = scale - 1, and two separate calls."""

    def case(shape: tuple[int, ...], times: tuple[int, ...], scale: float, angled: bool, number: int) -> Case:
        n, flat = shape[0], [1] * (len(shape) - 1)
        x_t, later = numbers(number, *shape), numbers(number + 1, *shape)
        given = {"pooled": numbers(number + 2, n, *flat)}
        blank = {"pooled": 0.1 * numbers(number + 3, n, *flat)}
        if angled:
            given, blank = given | {"angle": numbers(number + 4, *shape)}, {"angle": numbers(number + 5, *shape)} | blank

        def ask(version: Any) -> list[Tensor]:
            predict = asked(lambda given, blank: version(_wave, scale, given, blank), given, blank)
            steps = ((x_t, timesteps_of(*times)), (later, timesteps_of(*times[::-1])), (x_t, timesteps_of(*times)))
            return [asked(predict, *step) for step in steps]

        def peer() -> list[Tensor]:
            steps = ((x_t, timesteps_of(*times)), (later, timesteps_of(*times[::-1])), (x_t, timesteps_of(*times)))
            return [torch.lerp(_wave(*step, **blank), _wave(*step, **given), scale) for step in steps]

        size, both = " × ".join(map(str, shape)), (", two conditions", ", deux conditions") if angled else ("", "")
        en, fr = f"x_t of {size}, guidance_scale = {scale:g}{both[0]}", f"x_t de {size}, guidance_scale = {comma(scale, 1)}{both[1]}"
        return scenario(f"{en}, three steps", f"{fr}, trois pas", peer, ask, x_t.numel())

    return [
        *(case((1, 1), (7,), scale, False, seed) for scale in (0.0, 1.0, 2.0)),
        *(case((3, 2, 4, 5), (0, 500, 999), scale, False, seed + 10) for scale in (0.0, 1.0, 4.0)),
        case((2, 6), (3, 80), 1.5, True, seed + 20),
        case((2, 6), (3, 80), 1.0, True, seed + 20),
        *(_runs(3, scale, seed + 30) for scale in (1.0, 2.5)),
    ]


def _runs(n: int, scale: float, seed: int) -> Case:
    """How many pictures the network is given in each of its runs: 2n in one, or n where guidance changes nothing."""
    x_t, given, blank = (numbers(seed + place, n, 2) for place in range(3))
    runs = say("pictures in each run of the network", "images à chaque passage du réseau")

    def ask(version: Any) -> dict[str, list[int]]:
        sizes = list[int]()

        def network(x_t: Tensor, t: Tensor, **conditions: Tensor) -> Tensor:
            sizes.append(len(x_t))
            return _wave(x_t, t, **conditions)

        predict = version(network, scale, {"pooled": given.clone()}, {"pooled": blank.clone()})
        for t in (70, 50):
            predict(x_t.clone(), timesteps_of(*[t] * n))
        return {runs: sizes}

    said = f"x_t of {n} × 2, guidance_scale = {scale:g}, two steps", f"x_t de {n} × 2, guidance_scale = {comma(scale, 1)}, deux pas"
    return scenario(*said, lambda: {runs: [n if scale == 1 else 2 * n] * 2}, ask, 200)


def _inpainting(seed: int) -> list[Case]:
    return [
        *(_one_step(shape, masked, times, fixed, seed) for shape, masked, times, fixed in _ONE_STEP),
        _trajectory((2, 1, 6, 6), seed),
        _trajectory((1, 3, 4, 5), seed + 1),
    ]


_ONE_STEP = (  # the shape of known, that of the mask, timesteps, whether the noise is given
    ((1, 2), (1, 2), (3,), True),
    ((1, 2), (1, 2), (0,), False),
    ((3, 2, 4, 5), (1, 1, 4, 5), (0, 2, 3), True),
    ((3, 2, 4, 5), (3, 2, 4, 5), (3, 1, 1), False),
    ((2, 6), (1, 6), (1, 2), False),
)


def _one_step(shape: tuple[int, ...], masked: tuple[int, ...], times: tuple[int, ...], fixed: bool, seed: int) -> Case:
    """What the denoiser is shown, and what is made of its answer, at two steps in a row."""
    known, x_t, noise = (numbers(seed + place, *shape) for place in range(3))
    mask = torch.arange(torch.Size(masked).numel()).view(masked) % 3 == 0
    t = timesteps_of(*times)
    seen, made = say("shown to the denoiser", "montré au débruiteur"), say("estimates", "estimations")

    def ask(version: Any) -> dict[str, Any]:
        shown: list[Tensor] = []

        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            shown.append(x_t.clone())
            return tame(x_t, t)

        def twice(known: Tensor, mask: Tensor, noise: Tensor, x_t: Tensor, t: Tensor) -> list[Tensor]:
            options = {"noise": noise} if fixed else {}
            around = version(denoise, known, mask, FEW, generator=torch.Generator().manual_seed(seed), **options)
            return [around(x_t, t), around(x_t, t)]

        estimates = asked(twice, known, mask, noise, x_t, t)
        return {seen: shown, made: estimates}

    def peer() -> dict[str, Any]:
        generator, shown = torch.Generator().manual_seed(seed), list[Tensor]()
        for _ in range(2):
            fresh = noise if fixed else torch.empty_like(known).normal_(generator=generator)
            shown.append(torch.lerp(x_t, their_scheduler(FEW).add_noise(known, fresh, t), mask.double().expand(shape)))
        return {seen: shown, made: [torch.lerp(tame(each, t), known, mask.double().expand(shape)) for each in shown]}

    size, over = (" × ".join(map(str, each)) for each in (shape, masked))
    said = (", `noise` given", ", `noise` donné") if fixed else ("", "")
    en, fr = f"known of {size}, mask of {over}{said[0]}, two steps", f"known de {size}, mask de {over}{said[1]}, deux pas"
    return scenario(en, fr, peer, ask, known.numel())


def _trajectory(shape: tuple[int, ...], seed: int) -> Case:
    """A whole RePaint trajectory: diffusers' scheduler replaces after each step what ours replaces before the next."""
    from dalle_edu.bricks.samplers import ddim

    known, start = numbers(seed + 10, *shape), numbers(seed + 11, *shape)
    mask = torch.zeros(1, 1, *shape[2:], dtype=torch.bool)
    mask[..., :3] = True

    def ask(version: Any) -> Tensor:
        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            return picture_and_noise(tame(x_t, t), x_t, t, LINEAR, "eps")[0]

        def drawn(known: Tensor, mask: Tensor, start: Tensor) -> Tensor:
            return ddim(version(denoise, known, mask, LINEAR, torch.Generator().manual_seed(seed)), start, LINEAR, 10)

        return asked(drawn, known, mask, start)

    def peer() -> Tensor:
        from diffusers import RePaintScheduler

        theirs: Any = RePaintScheduler(clip_sample=False)
        theirs.alphas_cumprod = LINEAR.alphas_bar
        theirs.set_timesteps(10, jump_length=1, jump_n_sample=1)
        theirs.timesteps = theirs.timesteps + 99  # from 999 down to 99: ours start where nothing but noise is left
        generator = torch.Generator().manual_seed(seed)
        last = torch.full((shape[0],), 999)
        first = their_scheduler(LINEAR).add_noise(known, torch.empty_like(known).normal_(generator=generator), last)
        x = torch.where(mask, first, start)
        for t in theirs.timesteps.tolist():
            answer = tame(x, torch.full((shape[0],), t))
            x = theirs.step(answer, t, x, known, mask.double(), generator=generator).prev_sample
        return x

    size = " × ".join(map(str, shape))
    return scenario(f"pictures of {size}, the ten steps of DDIM", f"des images de {size}, les dix pas de DDIM", peer, ask, 300)


REFERENCES = [
    Reference(
        "guidance:guided",
        say("torch.lerp of two separate calls", "torch.lerp de deux appels séparés"),
        cases=_guided,
        tolerance=1e-10,
    ),
    Reference(
        "inpainting:inpainting",
        say("diffusers.RePaintScheduler, a whole trajectory", "diffusers.RePaintScheduler, une trajectoire entière"),
        cases=_inpainting,
        tolerance=1e-10,
    ),
]
