"""The priors of DALL·E 2 against algebra in NumPy, and networks put together by hand from the same parts."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.bricks.samplers import dpm_solver
from dalle_edu.bricks.transformer import Block
from dalle_edu.classroom.checking.asking import asked, filled, numbers
from dalle_edu.classroom.checking.cases import Case, scenario, slopes
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say
from dalle_edu.systems.parts.embedding_priors import LATE, PriorConfig

SMALL = PriorConfig(text_width=3, embedding=4, width=8, depth=1, heads=2, components=2, bins=6)
ROUNDS = 80  # of batches that are followed
LARGER = PriorConfig(text_width=5, embedding=8, width=12, depth=2, heads=3, components=5, bins=9)


def _unit(seed: int, n: int, e: int) -> Tensor:
    return F.normalize(numbers(seed, n, e), dim=-1)


def _told(config: PriorConfig, n: int, tokens: int, seed: int) -> tuple[Tensor, Tensor]:
    return numbers(seed + 1, n, tokens, config.text_width), _unit(seed + 2, n, config.embedding)


class _Parts(nn.Module):
    """The linear maps and blocks of both priors, under their names."""

    def __init__(self, config: PriorConfig):
        super().__init__()
        e, w = config.embedding, config.width
        self.known = nn.ModuleDict({"words": nn.Linear(config.text_width, w, bias=False), "caption": nn.Linear(e, w, bias=False)})
        self.blocks = nn.ModuleList(Block(w, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(w, bias=False)
        self.time = nn.Sequential(nn.Linear(w, w), nn.SiLU(), nn.Linear(w, w))
        self.noisy, self.answer, self.clean = nn.Linear(e, w), nn.Parameter(torch.zeros(w)), nn.Linear(w, e, bias=False)
        self.value, self.place = nn.Embedding(config.components * config.bins, w), nn.Embedding(config.components, w)
        self.start, self.head = nn.Parameter(torch.zeros(w)), nn.Linear(w, config.bins, bias=False)

    def read(self, tokens: list[Tensor], words: Tensor, caption: Tensor) -> Tensor:
        """What the blocks make of the caption's tokens, its embedding times √e, and the tokens after them."""
        x = torch.cat([self.known["words"](words), self.known["caption"](math.sqrt(caption.shape[1]) * caption)[:, None], *tokens], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def _of_network(kind: str, shown: str, config: PriorConfig, n: int, tokens: int, peer: Any, ask: Any, extra: int = 0) -> Case:
    en, fr = f"{kind}, {n} captions of {tokens} tokens", f"{kind}, {n} légendes de {tokens} jetons"
    return scenario(en + shown, fr + shown, peer, ask, 100 + n * tokens * config.width + extra)


# ---------------------------------------------------------------- by diffusion


def _waves(t: Tensor, width: int) -> Tensor:
    """Sines, then cosines, at speeds from 1 down to 1 / 10000."""
    speeds = np.logspace(0, -4, width // 2)
    angles = t.numpy()[:, None] * speeds
    return torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], axis=1))


def _diffusion(seed: int) -> list[Case]:
    def cases(config: PriorConfig, n: int, tokens: int, times: list[int], seed: int) -> list[Case]:
        x_t, t, told = numbers(seed, n, config.embedding), torch.tensor(times), _told(config, n, tokens, seed)
        noise = numbers(seed + 3, n, 2 * config.embedding)
        parts = filled(_Parts(config), seed)

        def predicted(x_t: Tensor, t: Tensor, words: Tensor, caption: Tensor) -> Tensor:
            last = [parts.time(_waves(t, config.width)), parts.noisy(x_t), parts.answer.expand(len(x_t), -1)]
            return parts.clean(parts.read([each[:, None] for each in last], words, caption)[:, -1])

        def sampled(version: Any, scale: float, steps: int) -> Tensor:
            made = filled(version(config), seed)
            return asked(made.sample, noise, *told, scale, steps).detach()

        def nearer(scale: float, steps: int) -> Tensor:
            """Two samples, and the one that points more the caption's way."""
            blank = [torch.zeros_like(each) for each in told]

            def denoise(x: Tensor, t: Tensor) -> Tensor:
                return torch.lerp(predicted(x, t, *blank), predicted(x, t, *told), scale)

            both = [dpm_solver(denoise, half, cosine_schedule(), steps).detach() for half in noise.split(config.embedding, dim=1)]
            rows = zip(*(each.numpy() for each in both), told[1].numpy(), strict=True)
            best = [max((one, other), key=lambda z: float(z @ caption) / float(np.linalg.norm(z))) for one, other, caption in rows]
            return torch.from_numpy(np.stack([z / np.linalg.norm(z) for z in best]))

        def ask(version: Any) -> Tensor:
            return asked(filled(version(config), seed), x_t, t, *told).detach()

        return [
            _of_network("forward", f", t = {times}", config, n, tokens, lambda: predicted(x_t, t, *told).detach(), ask),
            _of_network("sample", "", config, n, tokens, lambda: nearer(1.0, 3), lambda version: sampled(version, 1.0, 3), 1),
            _of_network("sample", ", 2.5", config, n, tokens, lambda: nearer(2.5, 4), lambda version: sampled(version, 2.5, 4), 2),
        ]

    return [
        *cases(SMALL, 1, 2, [0], seed),
        *cases(SMALL, 3, 1, [0, 500, 999], seed + 10),
        *cases(LARGER, 4, 3, [3, 80, 700, 999], seed + 20),
    ]


# ---------------------------------------------------------------- component by component


def _components(config: PriorConfig, seed: int) -> dict[str, Tensor]:
    """A mean, principal directions and deviations that `seed` draws."""
    e, k = config.embedding, config.components
    basis = torch.linalg.qr(numbers(seed, e, e)).Q[:, :k]
    return {
        "mean": 0.1 * numbers(seed + 1, e),
        "basis": basis,
        "deviation": 0.05 + 0.3 * torch.rand(k, dtype=torch.float64, generator=_chance(seed)),
    }


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _settled(version: Any, config: PriorConfig, components: dict[str, Tensor], seed: int = 0) -> Any:
    made = filled(version(config), seed)
    for name, value in components.items():
        getattr(made, name).copy_(value)
    return made


def _to_codes(embedding: Tensor, components: dict[str, Tensor], bins: int) -> Tensor:
    """The number of bin edges at or below each component, between the second and the last but one."""
    along = (embedding - components["mean"]).numpy() @ components["basis"].numpy() / components["deviation"].numpy()
    return torch.from_numpy(np.digitize(along, np.linspace(-3, 3, bins + 1)[1:-1]))


def _to_embedding(codes: Tensor, components: dict[str, Tensor], bins: int) -> Tensor:
    edges = np.linspace(-3, 3, bins + 1)
    middles = ((edges[:-1] + edges[1:]) / 2)[codes.numpy()] * components["deviation"].numpy()
    z = components["mean"].numpy() + np.einsum("nk,ek->ne", middles, components["basis"].numpy())
    return torch.from_numpy(z / np.linalg.norm(z, axis=1, keepdims=True))


def _of_codes(seed: int) -> list[Case]:
    plain = {"mean": torch.zeros(4), "basis": torch.eye(4)[:, [1, 0]], "deviation": torch.ones(2)}
    on_edges = torch.tensor([[0.0, 0.0, 5.0, 5.0], [1.0, -1.0, 5.0, 5.0], [3.0, -3.0, 0.0, 0.0], [3.5, -4.0, 0.0, 0.0]]).double()
    some = torch.tensor([[0, 5], [3, 2]])

    def case(name: str, given: Tensor, config: PriorConfig, components: dict[str, Tensor], peer: Any) -> Case:
        shown = f"{name}({given.tolist()})" if given.numel() < 20 else f"{name}, {' × '.join(map(str, given.shape))}"
        title = f"{shown}, bins={config.bins}"
        return scenario(
            title, title, lambda: peer(given, components, config.bins),
            lambda version: asked(getattr(_settled(version, config, components), name), given), given.numel(),
        )  # fmt: skip

    drawn = _components(LARGER, seed)
    many = _unit(seed + 5, 20, 8)
    codes = torch.randint(LARGER.bins, (7, LARGER.components), generator=_chance(seed))
    return [
        case("to_codes", on_edges[:1], SMALL, plain, _to_codes),
        case("to_codes", on_edges, SMALL, plain, _to_codes),
        case("to_codes", many, LARGER, drawn, _to_codes),
        case("to_embedding", some[:1], SMALL, plain, _to_embedding),
        case("to_embedding", some, SMALL, plain | {"mean": torch.tensor([0.0, 1.0, 0.5, 0.0])}, _to_embedding),
        case("to_embedding", codes, LARGER, drawn, _to_embedding),
    ]


def _of_moments(seed: int) -> list[Case]:
    """The directions of largest variance of embeddings that were followed: so often that little is left of the beginning."""

    def case(config: PriorConfig, n: int, seed: int) -> Case:
        e, k = config.embedding, config.components
        spread = torch.linspace(2.0, 0.5, e, dtype=torch.float64) ** 2
        turn = torch.linalg.qr(numbers(seed, e, e)).Q
        batches = [F.normalize(numbers(seed + i, n, e) * spread @ turn + 0.3, dim=1).float() for i in range(4)]

        def ask(version: Any) -> dict[str, Tensor]:
            made = version(config)
            asked(made.follow, batches[0])
            for i in range(1, ROUNDS):
                made.follow(batches[i % 4])
            made.settle()
            found = {name: getattr(made, name).clone() for name in ("mean", "basis", "deviation")}
            made.follow(batches[0])  # nothing moves any more
            made.settle()
            return {name: getattr(made, name) for name in found} if all(torch.equal(found[n], getattr(made, n)) for n in found) else {}

        def peer() -> dict[str, Tensor]:
            mean, second = np.zeros(e), np.eye(e) / e
            for i in range(ROUNDS):
                z = batches[i % 4].double().numpy()
                mean, second = (1 - LATE) * mean + LATE * z.mean(axis=0), (1 - LATE) * second + LATE * z.T @ z / len(z)
            _, values, vectors = np.linalg.svd(second - np.outer(mean, mean))
            signs = np.sign(vectors[np.arange(e), np.abs(vectors).argmax(axis=1)])
            basis = (vectors * signs[:, None])[:k].T
            return {
                "mean": torch.tensor(mean).float(),
                "basis": torch.tensor(basis).float(),
                "deviation": torch.tensor(values[:k] ** 0.5).float(),
            }

        en = f"follow, {ROUNDS} batches of {n} × {e}, and settle, k={k}"
        return scenario(en, en.replace("batches of", "lots de").replace(", and", ", et"), peer, ask, 50 + n * e)

    return [case(SMALL, 12, seed), case(LARGER, 30, seed + 50)]


def _of_writing(seed: int) -> list[Case]:
    """The network, its loss, and what it samples."""

    def cases(config: PriorConfig, n: int, tokens: int, seed: int) -> list[Case]:
        components, told = _components(config, seed + 9), _told(config, n, tokens, seed)
        parts, embedding, k = filled(_Parts(config), seed), _unit(seed + 4, n, config.embedding), config.components
        codes = torch.randint(config.bins, (n, k), generator=_chance(seed))
        uniforms = torch.rand(n, k, dtype=torch.float64, generator=_chance(seed + 1))

        def logits(codes: Tensor, words: Tensor, caption: Tensor) -> Tensor:
            written = [parts.start.expand(n, -1)]
            written += [parts.value.weight[codes[:, i] + i * config.bins] for i in range(min(codes.shape[1], k - 1))]
            tokens = [(each + parts.place.weight[i])[:, None] for i, each in enumerate(written)]
            return parts.head(parts.read(tokens, words, caption)[:, -len(written) :])

        def forward(version: Any, written: int) -> Tensor:
            return asked(_settled(version, config, components, seed), codes[:, :written], *told).detach()

        def loss(version: Any) -> dict[str, Any]:
            made = _settled(version, config, components, seed)
            found = asked(made.loss, embedding, *told)["loss"]
            return {"loss": found.detach(), "gradient": slopes(found, [made.head.weight, made.start])}

        def their_loss() -> dict[str, Any]:
            own = _to_codes(embedding, components, config.bins)
            chosen = logits(own, *told).double().softmax(dim=-1).gather(2, own[..., None])
            found = -chosen.log().mean()
            return {"loss": found.detach().float(), "gradient": slopes(found, [parts.head.weight, parts.start])}

        def sampled(scale: float, temperature: float) -> Tensor:
            written, blank = torch.zeros(n, 0, dtype=torch.long), [torch.zeros_like(each) for each in told]
            for i in range(k):
                mixed = torch.lerp(logits(written, *blank)[:, -1], logits(written, *told)[:, -1], scale) / temperature
                below = mixed.softmax(dim=-1).cumsum(dim=-1) <= uniforms[:, i : i + 1]
                written = torch.cat([written, below.sum(dim=1, keepdim=True)], dim=1)
            return _to_embedding(written, components, config.bins)

        def sample(version: Any, *options: float) -> Tensor:
            return asked(_settled(version, config, components, seed).sample, uniforms, *told, *options).detach()

        def case(name: str, shown: str, peer: Any, ask: Any, extra: int) -> Case:
            return _of_network(name, shown, config, n, tokens, peer, ask, extra)

        return [
            *(
                case(
                    "forward",
                    f", codes[:, :{i}]",
                    lambda i=i: logits(codes[:, :i], *told).detach(),
                    lambda version, i=i: forward(version, i),
                    i,
                )
                for i in (0, 1, k - 1)
            ),
            case("loss", "", their_loss, loss, k + 1),
            case("sample", "", lambda: sampled(1.0, 1.0), sample, k + 2),
            case("sample", ", 3.0, 0.5", lambda: sampled(3.0, 0.5), lambda version: sample(version, 3.0, 0.5), k + 3),
        ]

    return [*cases(SMALL, 1, 2, seed), *cases(LARGER, 3, 4, seed + 10)]


_PRIORS = "systems.parts.embedding_priors"
REFERENCES = [
    Reference(
        f"{_PRIORS}:DiffusionPrior", say("the same parts, put together by hand", "les mêmes pièces, assemblées à la main"), _diffusion, 1e-4
    ),
    Reference(f"{_PRIORS}:AutoregressivePrior", "numpy.digitize", cases=_of_codes, tolerance=1e-6),
    Reference(
        f"{_PRIORS}:AutoregressivePrior",
        say("the same parts, put together by hand", "les mêmes pièces, assemblées à la main"),
        _of_writing,
        1e-5,
    ),
    Reference(f"{_PRIORS}:AutoregressivePrior", "numpy.linalg.svd", cases=_of_moments, tolerance=1e-3),
]
