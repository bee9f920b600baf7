"""The GPT over text and picture against Hugging Face's GPT-2, and its sampler against GPT-2 and Hugging Face's filters, step by step."""

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT
from dalle_edu.classroom.checking.asking import lent, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.decoding import above_epsilon, chosen_of
from dalle_edu.language import say

_TINY = GPTConfig(text_vocabulary=3, text_length=2, num_codes=3, grid=2, width=4, depth=1, heads=1)
_SMALL = GPTConfig(text_vocabulary=11, text_length=4, num_codes=17, grid=3, width=16, depth=3, heads=2)
_OTHER = GPTConfig(text_vocabulary=7, text_length=5, num_codes=6, grid=2, width=12, depth=2, heads=3)
_TEXT = torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2]])
_OUTSIDE = ("start", "text_embedding.weight", "text_padding.weight", "text_position.weight", "code_embedding.weight", "row_position.weight")
_LEARNED = (*_OUTSIDE, "column_position.weight", "code_head.weight")


def lively(model: Any, seed: int = 0) -> Any:
    """The same network, in double precision, with weights that all matter: at its start it says nearly the same whatever it reads."""
    for name, parameter in model.named_parameters():
        generator = torch.Generator().manual_seed(sum(map(ord, name)) + 10_000 * seed)
        nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.3, generator=generator)
    return model.double().eval()


def gpt2(model: TextToImageGPT) -> Any:
    """GPT-2 with a network's weights: no biases, no positions of its own, the same activation; logits over the codes."""
    import transformers

    config, length = model.config, 1 + model.config.text_length + model.config.image_length
    network = transformers.GPT2Model(
        transformers.GPT2Config(
            vocab_size=2, n_positions=length, n_embd=config.width, n_layer=config.depth, n_head=config.heads, activation_function="gelu",
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, layer_norm_epsilon=model.norm.eps, use_cache=False,
            bos_token_id=None, eos_token_id=None,
        )
    )  # fmt: skip
    peer: Any = cast("nn.Module", network).to(model.norm.weight.dtype).eval()
    with torch.no_grad():
        for parameter in peer.parameters():
            parameter.zero_()
        for theirs, ours in zip(peer.h, cast("Any", model.blocks), strict=True):
            theirs.ln_1.weight.copy_(ours.norm_1.weight)
            theirs.ln_2.weight.copy_(ours.norm_2.weight)
            theirs.attn.c_attn.weight.copy_(ours.attention.qkv.weight.T)  # its Conv1D keeps the transpose
            theirs.attn.c_proj.weight.copy_(ours.attention.out.weight.T)
            theirs.mlp.c_fc.weight.copy_(ours.expand.weight.T)
            theirs.mlp.c_proj.weight.copy_(ours.contract.weight.T)
        peer.ln_f.weight.copy_(model.norm.weight)
    return peer


def _stream(model: TextToImageGPT, text: Tensor, codes: Tensor) -> Tensor:
    """The embeddings of the start token, the caption and some codes, by the network's tables."""
    tokens, places = text.shape[1], torch.arange(codes.shape[1])
    words = F.embedding(text, model.text_embedding.weight) + model.text_position.weight[:tokens]
    words = torch.where((text == 0)[..., None], model.text_padding.weight[:tokens].expand(len(text), -1, -1), words)
    grid, pictures = model.config.grid, F.embedding(codes, model.code_embedding.weight)
    pictures = pictures + model.row_position.weight[places // grid] + model.column_position.weight[places % grid]
    return torch.cat([model.start.expand(len(text), 1, -1), words, pictures], dim=1)


def _peer_logits(model: TextToImageGPT, text: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    hidden = gpt2(model)(inputs_embeds=_stream(model, text, codes[:, :-1])).last_hidden_state
    tokens = text.shape[1]
    return F.linear(hidden[:, :tokens], model.text_head.weight), F.linear(hidden[:, tokens:], model.code_head.weight)


def _codes(config: GPTConfig, n: int, seed: int) -> Tensor:
    return torch.randint(config.num_codes, (n, config.image_length), generator=torch.Generator().manual_seed(seed + 1))


def _asked(seed: int) -> list[tuple[GPTConfig, Tensor]]:
    """Networks and captions: a tiny one, captions with padding and of padding alone, a caption shorter than the network's, one alone."""
    drawn = torch.randint(1, 7, (3, 5), generator=torch.Generator().manual_seed(seed)) * (torch.arange(5) < torch.tensor([[5], [2], [3]]))
    return [(_TINY, torch.tensor([[1, 0]])), (_SMALL, _TEXT), (_SMALL, _TEXT[:2, :3]), (_OTHER, drawn), (_OTHER, drawn[2:])]


def _title(config: GPTConfig, text: Tensor) -> tuple[str, str]:
    shown = str(text.tolist()) if text.numel() < 5 else f"{len(text)} × {text.shape[1]}"
    return f"text {shown}, grid {config.grid}", f"texte {shown}, grille {config.grid}"


def _network(seed: int) -> list[Case]:
    return [case for config, text in _asked(seed) for case in _answers(config, text, seed)]


def _answers(config: GPTConfig, text: Tensor, seed: int) -> list[Case]:
    """The logits of a stream, and those of the code that comes after some."""
    codes, (en, fr) = _codes(config, len(text), seed), _title(config, text)

    def named(answer: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        return {say("text", "texte"): answer[0].detach(), "codes": answer[1].detach()}

    def ask(version: Callable[..., Any]) -> dict[str, Tensor]:
        return named(lent(lively(version(config), seed), "text codes", text, codes))

    def peer() -> Any:
        return lively(TextToImageGPT(config), seed)

    def after(written: int) -> Case:
        def next_one(version: Callable[..., Any]) -> Tensor:
            return next_logits(lively(version(config), seed), text, codes, written).detach()

        return scenario(
            f"{en}, next_logits after {written} codes",
            f"{fr}, next_logits après {written} codes",
            lambda: _peer_logits(peer(), text, codes)[1][:, written].detach(),
            next_one,
            text.numel() + codes.numel() + 1,
        )

    return [
        scenario(en, fr, lambda: named(_peer_logits(peer(), text, codes)), ask, text.numel() + codes.numel()),
        *(after(written) for written in (0, 1, config.image_length - 1)),
    ]


def next_logits(model: Any, text: Tensor, codes: Tensor, written: int) -> Tensor:
    """What a network says after so many codes; one without `next_logits` is asked for the logits of the whole stream."""
    if hasattr(model, "next_logits"):
        return lent(model.next_logits, "text written", text, codes[:, :written])
    answer = model(text.clone(), codes.clone())
    return (answer[1] if isinstance(answer, tuple) else answer)[:, written]


def _losses(seed: int) -> list[Case]:
    """The losses, of which one has a gradient, and that gradient."""

    def case(config: GPTConfig, text: Tensor) -> Case:
        codes, (en, fr) = _codes(config, len(text), seed), _title(config, text)

        def named(losses: dict[str, Tensor], model: Any) -> dict[str, Any]:
            found = with_gradients(losses["loss"], [model.get_parameter(name) for name in _LEARNED])
            return found | {name: losses[name].detach() for name in ("text", "image")}

        def ask(version: Callable[..., Any]) -> dict[str, Any]:
            model = lively(version(config), seed)
            losses = lent(model.loss, "text codes", text, codes)
            return named(losses, model) | {"requires_grad": [bool(losses[name].requires_grad) for name in ("loss", "text", "image")]}

        def peer() -> dict[str, Any]:
            model = lively(TextToImageGPT(config), seed)
            logits = _peer_logits(model, text, codes)
            parts = [F.cross_entropy(each.transpose(1, 2).float(), given) for each, given in zip(logits, (text, codes), strict=True)]
            losses = {"loss": parts[0] / 8 + 7 * parts[1] / 8, "text": parts[0], "image": parts[1]}
            return named(losses, model) | {"requires_grad": [True, False, False]}

        return scenario(f"{en}: loss", f"{fr} : perte", peer, ask, text.numel() + codes.numel())

    return [case(*each) for each in _asked(seed)]


# ---------------------------------------------------------------- sampling


@torch.no_grad()
def _sampled(
    model: Any,
    text: Tensor,
    uniforms: Tensor,
    guidance_scale: float = 1.0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    cached: bool = True,
    given: Tensor | None = None,
    callback: Callable[[int, Tensor], None] | None = None,
    daring: float | None = None,
    epsilon: float | None = None,
) -> Tensor:
    """Codes that GPT-2 writes, one token at a time without cache, with guidance computed from two passes."""
    peer, written = gpt2(model), torch.zeros(len(text), 0, dtype=torch.long)
    for position in range(uniforms.shape[1]):
        streams = [_stream(model, each, written) for each in (text, torch.zeros_like(text))]
        said, unsaid = (F.linear(peer(inputs_embeds=each).last_hidden_state[:, -1], model.code_head.weight) for each in streams)
        logits = unsaid + guidance_scale * (said - unsaid)
        if epsilon is not None:
            logits = logits.where(above_epsilon(unsaid + min(guidance_scale, 1) * (said - unsaid), epsilon) > -torch.inf, -torch.inf)
        chosen = chosen_of(logits, uniforms[:, position], temperature, top_k, top_p, daring)
        if given is not None:
            chosen = chosen.where(given[:, position] < 0, given[:, position])
        written = torch.cat([written, chosen.unsqueeze(1)], dim=1)
        if callback is not None:
            callback(position, F.pad(written, (0, uniforms.shape[1] - written.shape[1])))
    return written


def _options(uniforms: Tensor, seed: int) -> list[tuple[float, dict[str, Any]]]:
    """Every option alone, some together."""
    known = _codes(_SMALL, 4, seed + 5).where(torch.rand(4, 9, generator=torch.Generator().manual_seed(seed + 6)) < 0.4, -1)
    return [
        (1.0, {"temperature": 0.0}),
        (2.5, {"temperature": 0.0}),
        (0.0, {"temperature": 0.0}),
        (1.0, {}),
        (3.0, {}),
        (1.0, {"temperature": 0.4}),
        (1.0, {"temperature": 3.0, "top_k": 3}),
        (1.0, {"temperature": 3.0, "top_p": 0.5}),
        (1.5, {"temperature": 2.0, "top_k": 6, "top_p": 0.7}),
        (1.0, {"temperature": 3.0, "daring": 0.2}),
        (1.0, {"temperature": 0.5, "daring": 4.0, "top_k": 5}),
        (1.0, {"epsilon": 0.1}),
        (0.0, {"epsilon": 0.1, "temperature": 0.0}),
        (0.5, {"epsilon": 0.15}),
        (4.0, {"epsilon": 0.06, "temperature": 3.0}),
        (3.0, {"epsilon": 0.2, "temperature": 2.0, "daring": 3.0}),
        (1.0, {"given": known}),
        (2.0, {"given": known, "cached": False}),
        (1.0, {"cached": False, "temperature": 2.0}),
    ]


def _sampler(seed: int) -> list[Case]:
    tiny, small, other = (lively(TextToImageGPT(config), seed) for config in (_TINY, _SMALL, _OTHER))
    text, uniforms = _asked(seed)[3][1], torch.rand(4, 9, generator=torch.Generator().manual_seed(seed + 2))
    few, one = torch.tensor([[1, 0]]), torch.tensor([[0.1, 0.9, 0.5, 0.3]])
    return [
        call(_sampled, tiny, few, one, temperature=0.0, may_change=("model",)),
        call(_sampled, tiny, few, one, may_change=("model",)),
        *(call(_sampled, small, _TEXT, uniforms, scale, may_change=("model",), **options) for scale, options in _options(uniforms, seed)),
        call(_sampled, small, _TEXT, uniforms, may_change=("model",)),
        call(_sampled, other, text, uniforms[:3, :4], 2.0, 1.5, 4, 0.9, may_change=("model",)),
        _told_of_each_code(small, uniforms),
        *_from_any_network(seed),
    ]


def _told_of_each_code(model: Any, uniforms: Tensor) -> Case:
    """What a callback hears, and that the codes can be used once gradients are wanted again."""

    def heard(sample: Callable[..., Tensor]) -> dict[str, Any]:
        told: list[tuple[int, list[list[int]]]] = []
        codes = sample(
            model, _TEXT.clone(), uniforms.clone(), temperature=0.5,
            callback=lambda position, codes: told.append((position, codes[:, : position + 1].tolist())),
        )  # fmt: skip
        table = torch.ones(17, 2, requires_grad=True)
        F.embedding(codes, table).sum().backward()
        return {"callback": told, "codes": codes}

    return scenario("what `callback` hears", "ce que reçoit `callback`", lambda: heard(_sampled), heard, 400)


class _Table:
    """A network of another kind: the next code's logits depend on the caption, the place and the code before. It notes what it is asked."""

    def __init__(self, seed: int):
        self.logits, self.asked = 2 * numbers(seed, 5, 6, 4, 5), list[Any]()

    def with_cache(self, text: Tensor) -> Any:
        """Itself, which knows the captions."""
        self.asked.append(("with_cache", text.tolist()))
        return _Reader(self, text)

    def next_logits(self, text: Tensor, written: Tensor) -> Tensor:
        """The logits after some codes."""
        self.asked.append(("next_logits", text.tolist(), written.tolist()))
        return self.after(text, written)

    def after(self, text: Tensor, written: Tensor) -> Tensor:
        """A row of the table for each picture."""
        last = written[:, -1] if written.shape[1] else torch.full((len(text),), 4)
        last = last.repeat(len(text) // len(last))
        return self.logits[text.sum(dim=1) % 5, written.shape[1] % 6].gather(1, (last % 4)[:, None, None].expand(-1, 1, 5)).squeeze(1)


class _Reader:
    """A table with its captions."""

    def __init__(self, table: _Table, text: Tensor):
        self.table, self.text = table, text

    def next_logits(self, position: int, written: Tensor) -> Tensor:
        """The logits of the code at `position`."""
        self.table.asked.append((position, written.tolist()))
        return self.table.after(self.text, written)


def _from_any_network(seed: int) -> list[Case]:
    """What a network that is no GPT is asked, with a cache and without, and the codes."""
    text, uniforms = torch.tensor([[1, 3], [2, 2], [4, 0]]), torch.rand(3, 5, generator=torch.Generator().manual_seed(seed + 3))

    def case(scale: float, cached: bool) -> Case:
        def ask(version: Callable[..., Tensor]) -> dict[str, Any]:
            table = _Table(seed)
            codes = lent(lambda *given: version(table, *given, scale, cached=cached), "text uniforms", text, uniforms)
            return {"codes": codes, say("asked", "demandes"): table.asked}

        def peer() -> dict[str, Any]:
            table, written, asked = _Table(seed), torch.zeros(3, 0, dtype=torch.long), list[Any]()
            empty, twice = torch.zeros_like(text), scale != 1
            both = torch.cat([text, empty]) if twice else text
            asked += [("with_cache", both.tolist())] if cached else []
            for position in range(5):
                rows = torch.cat([written, written]) if twice else written
                asked.append((position, written.tolist()) if cached else ("next_logits", both.tolist(), rows.tolist()))
                said, unsaid = table.after(text, written), table.after(empty, written)
                chosen = chosen_of(unsaid + scale * (said - unsaid), uniforms[:, position])
                written = torch.cat([written, chosen[:, None]], dim=1)
            return {"codes": written, say("asked", "demandes"): asked}

        en, fr = f"another network, guidance_scale={scale}, cached={cached}", f"un autre réseau, guidance_scale={scale}, cached={cached}"
        return scenario(en, fr, peer, ask, 300)

    return [case(1.0, True), case(3.0, True), case(1.0, False), case(3.0, False)]


REFERENCES = [
    Reference("gpt:TextToImageGPT", "transformers GPT2Model", cases=_network, tolerance=1e-10),
    Reference(
        "gpt:TextToImageGPT",
        say("transformers GPT2Model, with PyTorch's cross-entropy", "transformers GPT2Model, avec l'entropie croisée de PyTorch"),
        cases=_losses,
        tolerance=1e-6,
    ),
    Reference(
        "gpt:sample_codes",
        say("transformers GPT2Model, one token at a time without cache", "transformers GPT2Model, un jeton à la fois sans cache"),
        cases=_sampler,
        tolerance=0.0,
    ),
]
