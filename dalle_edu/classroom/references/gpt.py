"""The GPT over text and picture against Hugging Face's GPT-2. Its sampler is in `code_sampling.py`."""

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.bart import TextToImageBART
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT
from dalle_edu.classroom.checking.asking import lent
from dalle_edu.classroom.checking.cases import Case, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.local_model import local_stream
from dalle_edu.language import say

TINY = GPTConfig(text_vocabulary=3, text_length=2, num_codes=3, grid=2, width=4, depth=1, heads=1)
SMALL = GPTConfig(text_vocabulary=11, text_length=4, num_codes=17, grid=3, width=16, depth=3, heads=2)
OTHER = GPTConfig(text_vocabulary=7, text_length=5, num_codes=6, grid=2, width=12, depth=2, heads=3)
PAIRS = GPTConfig(text_vocabulary=7, text_length=5, num_codes=6, grid=4, width=12, depth=2, heads=3, codes_per_token=2)
ROWS = GPTConfig(text_vocabulary=7, text_length=5, num_codes=6, grid=3, width=8, depth=1, heads=2, codes_per_token=3)
TEXT = torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2]])
_OUTSIDE = ("start", "text_embedding.weight", "text_padding.weight", "text_position.weight", "code_embedding.weight", "row_position.weight")
_LEARNED = (*_OUTSIDE, "column_position.weight", "code_head.weight")
LOCAL = tuple(f"local.{name}.weight" for name in ("code_embedding", "place_embedding", "norm", "expand", "contract"))


def lively(model: Any, seed: int = 0) -> Any:
    """The same network, in double precision, with weights that all matter: at its start it says nearly the same whatever it reads."""
    for name, parameter in model.named_parameters():
        generator = torch.Generator().manual_seed(sum(map(ord, name)) + 10_000 * seed)
        nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.3, generator=generator)
    return model.double().eval()


def gpt2(model: TextToImageGPT) -> Any:
    """GPT-2 with a network's weights, up to the last norm: no biases, no positions of its own, the same activation."""
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
    peer.ln_f = nn.Identity()
    return peer


def embedded_stream(model: TextToImageGPT, text: Tensor, codes: Tensor) -> Tensor:
    """The embeddings of the start token, the caption and some codes, by the network's tables; tokens that are not whole are left out."""
    config, tokens = model.config, text.shape[1]
    together, grid = config.codes_per_token, config.grid
    words = F.embedding(text, model.text_embedding.weight) + model.text_position.weight[:tokens]
    assert model.text_padding is not None  # padding is not masked in these cases
    words = torch.where((text == 0)[..., None], model.text_padding.weight[:tokens].expand(len(text), -1, -1), words)
    stream = [model.start.expand(len(text), -1), *words.unbind(dim=1)]
    for token, embedded in enumerate(embedded_tokens(model, codes)):
        row, column = divmod(token * together, grid)
        stream.append(embedded + model.row_position.weight[row] + model.column_position.weight[column // together])
    return torch.stack(stream, dim=1)


def embedded_tokens(model: TextToImageGPT | TextToImageBART, codes: Tensor) -> list[Tensor]:
    """The embeddings (n, w) of the tokens that are whole, without their positions: each code looked up in the table of its place."""
    tables = model.code_embedding.weight.split(model.config.num_codes)
    firsts = range(0, codes.shape[1] - len(tables) + 1, len(tables))
    return [torch.stack([table[codes[:, first + place]] for place, table in enumerate(tables)]).sum(dim=0) for first in firsts]


def _peer_logits(model: TextToImageGPT, text: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """The logits of words and codes; the stream for a code is that of its token, and what PyTorch's layers make of the codes before it."""
    together, tokens = model.config.codes_per_token, text.shape[1]
    hidden = gpt2(model)(inputs_embeds=embedded_stream(model, text, codes[:, :-together])).last_hidden_state
    each = [
        stream_for_code(model, hidden[:, tokens + position // together], codes[:, position - position % together : position])
        for position in range(codes.shape[1])
    ]
    return logits_of(model, hidden[:, :tokens], model.text_head.weight), logits_of(model, torch.stack(each, dim=1), model.code_head.weight)


def logits_of(model: TextToImageGPT, x: Tensor, head: Tensor) -> Tensor:
    return F.linear(F.layer_norm(x, x.shape[-1:], model.norm.weight, eps=model.norm.eps), head)


def stream_for_code(model: TextToImageGPT | TextToImageBART, hidden: Tensor, before: Tensor) -> Tensor:
    """The stream for one code of each picture, of whose token the codes `before` are written."""
    return hidden if model.config.codes_per_token == 1 else local_stream(cast("Any", model.local), hidden, before)


def random_codes(config: GPTConfig, n: int, seed: int) -> Tensor:
    return torch.randint(config.num_codes, (n, config.image_length), generator=torch.Generator().manual_seed(seed + 1))


def networks_and_captions(seed: int) -> list[tuple[GPTConfig, Tensor]]:
    """Networks and captions: a tiny one, captions with padding and of padding alone, a caption shorter than the network's, one alone."""
    drawn = torch.randint(1, 7, (3, 5), generator=torch.Generator().manual_seed(seed)) * (torch.arange(5) < torch.tensor([[5], [2], [3]]))
    one_code = [(TINY, torch.tensor([[1, 0]])), (SMALL, TEXT), (SMALL, TEXT[:2, :3]), (OTHER, drawn), (OTHER, drawn[2:])]
    return [*one_code, (PAIRS, drawn), (ROWS, drawn[:2])]


def _title(config: GPTConfig, text: Tensor) -> tuple[str, str]:
    shown = str(text.tolist()) if text.numel() < 5 else f"{len(text)} × {text.shape[1]}"
    together = "" if config.codes_per_token == 1 else f", codes_per_token {config.codes_per_token}"
    return f"text {shown}, grid {config.grid}{together}", f"texte {shown}, grille {config.grid}{together}"


def _network(seed: int) -> list[Case]:
    return [case for config, text in networks_and_captions(seed) for case in _answers(config, text, seed)]


def _answers(config: GPTConfig, text: Tensor, seed: int) -> list[Case]:
    """The logits of a stream, and those of the code that comes after some."""
    codes, (en, fr) = random_codes(config, len(text), seed), _title(config, text)

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
        *(after(written) for written in (0, 1, config.image_length // 2, config.image_length - 1)),
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
        codes, (en, fr) = random_codes(config, len(text), seed), _title(config, text)

        def named(losses: dict[str, Tensor], model: Any) -> dict[str, Any]:
            names = _LEARNED if config.codes_per_token == 1 else (*_LEARNED, *LOCAL)
            found = with_gradients(losses["loss"], [model.get_parameter(name) for name in names])
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

    return [case(*each) for each in networks_and_captions(seed)]


REFERENCES = [
    Reference("gpt:TextToImageGPT", "transformers GPT2Model", cases=_network, tolerance=1e-10),
    Reference(
        "gpt:TextToImageGPT",
        say("transformers GPT2Model, with PyTorch's cross-entropy", "transformers GPT2Model, avec l'entropie croisée de PyTorch"),
        cases=_losses,
        tolerance=1e-6,
    ),
]
