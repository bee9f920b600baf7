"""Which codes are rewritten, against SciPy's connected regions, with toy codes and made-up probabilities."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dalle_edu.classroom.checking.asking import lent
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.reranking import BLUE, RED, STAR

ENTRIES, WORDS = 6, [RED, BLUE, STAR]  # codes of the codebook, and captions that the toy knows


def toy(version: Any, side: int, tables: Tensor | None = None) -> Any:
    """A system of `side` x `side` codes, each of 2 x 2 pixels of one grey.

    `tables` (captions, codes, entries) are the logits of each place under each caption; without it they depend on everything.
    """

    class Toy(version):
        name, resolution, evaluations, device = "toy", 2 * side, 1, torch.device("cpu")

        def stage_loss(self, *_: Any) -> dict[str, Tensor]:
            return {}

        def generate(self, prompts: Sequence[str], *, seed: int = 0, **settings: Any) -> Tensor:
            raise NotImplementedError

        @property
        def grid(self) -> int:
            return side

        def encode(self, images: Tensor) -> Tensor:
            return encoded(images)

        def decode(self, codes: Tensor) -> Tensor:
            return decoded(codes, side)

        def tokens(self, captions: Sequence[str]) -> Tensor:
            return torch.tensor([[WORDS.index(caption)] for caption in captions])

        def logits(self, text: Tensor, codes: Tensor) -> Tensor:
            return tables[text[:, 0]] if tables is not None else logits_of(text[:, 0], codes)

        def sample_codes(self, prompts: Sequence[str], *, seed: int = 0, given: Tensor | None = None, **settings: Any) -> Tensor:
            return sampled(prompts, seed, given, side, settings.get("temperature"), settings.get("guidance_scale", 1.0))

    return Toy()


def encoded(images: Tensor) -> Tensor:
    grey = images[:, 0, ::2, ::2].double()
    return ((grey + 1) / 2 * (ENTRIES - 1)).round().long()


def decoded(codes: Tensor, grid: int) -> Tensor:
    grey = codes.view(-1, 1, grid, grid).double() / (ENTRIES - 1) * 2 - 1
    return grey.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3).repeat(1, 3, 1, 1)


def logits_of(captions: Tensor, codes: Tensor) -> Tensor:
    """Logits that depend on the caption, the place, and the code before."""
    before = torch.nn.functional.pad(codes, (1, 0))[:, :-1]
    place = torch.arange(codes.shape[1])
    angle = 3 * captions[:, None, None] + place[None, :, None] + before[..., None] + 2 * torch.arange(ENTRIES)
    return 2 * torch.sin(angle.double())


def sampled(prompts: Sequence[str], seed: int, given: Tensor | None, grid: int, temperature: float | None, scale: float) -> Tensor:
    """Codes that depend on all that `sample_codes` is told; those given are kept."""
    rows = torch.tensor([WORDS.index(prompt) + 7 * row for row, prompt in enumerate(prompts)])[:, None]
    codes = (rows + torch.arange(grid * grid) ** 2 + seed + int(10 * (temperature or 0)) + int(10 * scale)) % ENTRIES
    return codes if given is None else torch.where(given >= 0, given, codes)


# ---------------------------------------------------------------- which codes


def _doubted(codes: np.ndarray, unlikely: np.ndarray) -> np.ndarray:
    """Unlikely codes, the regions of other codes than the ground that touch them, and a border of one."""
    from scipy import ndimage

    around = np.ones((3, 3), dtype=bool)
    ground = np.bincount(codes.ravel()).argmax()
    regions, _ = ndimage.label(codes != ground, structure=around)
    touched = np.unique(regions[ndimage.binary_dilation(unlikely, structure=around)])
    rewritten = unlikely | (np.isin(regions, touched) & (regions > 0))
    return np.asarray(ndimage.binary_dilation(rewritten, structure=around))


def _picture(*rows: str) -> Tensor:
    return torch.tensor([[int(code) for code in row] for row in rows])


def _believing(codes: Tensor, factors: Tensor) -> Tensor:
    """Logits under which the first caption finds each code in place as likely as others, and the second `factors` times as likely."""
    tables = torch.full((3, codes.numel(), ENTRIES), 0.2 / (ENTRIES - 1)).double()
    for caption, likely in ((0, torch.full_like(factors, 0.5)), (1, 0.5 * factors), (2, torch.full_like(factors, 0.5))):
        tables[caption] = ((1 - likely.flatten()) / (ENTRIES - 1))[:, None]
        tables[caption].scatter_(1, codes.flatten()[:, None], likely.flatten()[:, None].double())
    return tables.log()


OBJECTS = _picture("000000", "011000", "001002", "000022", "400000", "040000")


def _of_doubts(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)

    def case(codes: Tensor, factors: dict[tuple[int, int], float], before: str = RED, after: str = BLUE) -> Case:
        table = torch.ones(codes.shape, dtype=torch.float64)
        for place, factor in factors.items():
            table[place] = factor
        under = {RED: torch.ones_like(table), BLUE: table, STAR: torch.ones_like(table)}
        unlikely = (under[after] / under[before] < 0.2).numpy()

        def ask(version: Any) -> Tensor:
            system = toy(version, len(codes), _believing(codes, table))
            return lent(system.doubted, "codes before after", codes[None], [before], [after])

        shown = ", ".join(f"{list(place)}: {factor:g}" for place, factor in factors.items())
        en, fr = (
            f"doubted, codes of {len(codes)} × {len(codes)}, how likely",
            f"doubted, codes de {len(codes)} × {len(codes)}, vraisemblances",
        )
        title = f" {{{shown}}}, {before} → {after}"
        return scenario(
            en + title, fr + title, lambda: torch.from_numpy(_doubted(codes.numpy(), unlikely))[None], ask, codes.numel() + len(factors)
        )

    def drawn() -> Case:
        codes = torch.from_numpy(np.where(rng.random((9, 9)) < 0.7, 3, rng.integers(0, ENTRIES, (9, 9))))
        places = {(int(y), int(x)): float(rng.choice([0.05, 0.15, 0.25, 1.5])) for y, x in rng.integers(0, 9, (4, 2))}
        return case(codes, places)

    around = _picture("23232", "55553", "55552", "55553", "32323")
    return [
        case(_picture("000", "010", "000"), {}),
        case(_picture("000", "010", "000"), {(1, 1): 0.1}),
        case(_picture("0000", "0000", "0001", "0000"), {(0, 0): 0.1}),
        case(OBJECTS, {(1, 1): 0.1}),
        case(OBJECTS, {(2, 5): 0.19}),
        case(OBJECTS, {(2, 5): 0.21}),
        case(OBJECTS, {(4, 0): 0.1}),
        case(OBJECTS, {(0, 0): 0.1}),
        case(OBJECTS, {(1, 1): 0.1}, BLUE, RED),
        case(OBJECTS, {(1, 1): 1.9, (2, 2): 0.3}, STAR, BLUE),
        case(around, {(0, 0): 0.1}),
        case(_picture("3330", "3330", "3333", "0133"), {(3, 1): 0.01}),
        *(drawn() for _ in range(3)),
    ]


# ---------------------------------------------------------------- whole edits


def _images(seed: int, n: int, grid: int) -> Tensor:
    """Pictures of greys between those of codes."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.where(
        torch.rand(n, grid, grid, generator=generator) < 0.6, 2, torch.randint(ENTRIES, (n, grid, grid), generator=generator)
    )
    noise = 0.02 * torch.rand(n, 3, 2 * grid, 2 * grid, generator=generator, dtype=torch.float64)
    return (decoded(codes.flatten(1), grid) * 0.98 + noise).clamp(-1, 1)


def _of_completions(seed: int) -> list[Case]:
    images = _images(seed, 2, 5)

    def case(rows: float | None, first: int = 0, **settings: float) -> Case:
        options = {} if rows is None else {"rows": rows}
        options |= ({"seed": first} if first else {}) | settings

        def peer() -> Tensor:
            height = round((0.5 if rows is None else rows) * 5)
            codes = encoded(images)
            codes[:, height:] = -1
            written = sampled([RED, STAR], first, codes.flatten(1), 5, settings.get("temperature"), settings.get("guidance_scale", 1.0))
            finished = decoded(written, 5)
            finished[:, :, : 2 * height] = images[:, :, : 2 * height]
            return finished

        def ask(version: Any) -> Tensor:
            return lent(lambda *given: toy(version, 5).complete(*given, **options), "images prompts", images, [RED, STAR])

        title = f"complete(images, {[RED, STAR]}" + "".join(f", {key}={value:g}" for key, value in options.items()) + ")"
        return scenario(title, title, peer, ask, 200)

    return [case(None), case(0.0), case(1.0), case(0.35), case(0.45, 3), case(0.6, 1, temperature=0.5, guidance_scale=2.0)]


def _of_alterations(seed: int) -> list[Case]:
    images = _images(seed + 5, 2, 4)

    def log_likelihoods(caption: str, codes: Tensor) -> Tensor:
        logits = logits_of(torch.tensor([WORDS.index(caption)]), codes[None])[0].numpy()
        return torch.from_numpy(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))[torch.arange(codes.numel()), codes]

    def peer(before: list[str], after: list[str], tries: int, first: int, temperature: float, scale: float) -> Tensor:
        kept = []
        for codes, old, new in zip(encoded(images), before, after, strict=True):
            gain = log_likelihoods(new, codes.flatten()) - log_likelihoods(old, codes.flatten())
            doubted = _doubted(codes.numpy(), (gain.exp() < 0.2).view_as(codes).numpy())
            kept += [codes.masked_fill(torch.from_numpy(doubted), -1).flatten()] * tries
        prompts = [new for new in after for _ in range(tries)]
        written = sampled(prompts, first, torch.stack(kept), 4, temperature, scale)
        sums = [float(log_likelihoods(prompt, codes).sum()) for prompt, codes in zip(prompts, written, strict=True)]
        best = [max(range(row, row + tries), key=sums.__getitem__) for row in range(0, len(sums), tries)]
        return decoded(written[best], 4)

    def case(before: list[str], after: list[str], tries: int = 8, first: int = 0, temperature: float = 1.0, scale: float = 1.0) -> Case:
        named = {"tries": (tries, 8), "seed": (first, 0), "temperature": (temperature, 1.0), "guidance_scale": (scale, 1.0)}
        options: dict[str, Any] = {key: value for key, (value, default) in named.items() if value != default}

        def ask(version: Callable[..., Any]) -> Tensor:
            return lent(lambda *given: toy(version, 4).alter(*given, **options), "images before after", images, before, after)

        title = f"alter(images, {before}, {after}" + "".join(f", {key}={value:g}" for key, value in options.items()) + ")"
        return scenario(title, title, lambda: peer(before, after, tries, first, temperature, scale), ask, 300)

    return [
        case([RED, RED], [BLUE, STAR]),
        case([RED, STAR], [BLUE, STAR], tries=1),
        case([STAR, BLUE], [RED, RED], tries=1, first=4),
        case([STAR, BLUE], [RED, RED], tries=1, temperature=0.5),
        case([STAR, BLUE], [RED, RED], tries=1, scale=2.0),
        case([STAR, BLUE], [RED, RED], tries=3, first=4, temperature=0.5, scale=2.0),
    ]


REFERENCES = [
    Reference(
        "systems.image_edits.rewriting:Rewriting",
        "scipy.ndimage.label",
        cases=lambda seed: [*_of_doubts(seed), *_of_completions(seed), *_of_alterations(seed)],
        tolerance=1e-8,
    ),
]
