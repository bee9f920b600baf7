"""The encoder–decoder from captions to codes against PyTorch's transformer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.bart import BARTConfig, TextToImageBART
from dalle_edu.classroom.checking.asking import lent
from dalle_edu.classroom.checking.cases import Case, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.gpt import LOCAL, embedded_tokens, lively, next_logits, stream_for_code
from dalle_edu.classroom.references.neighbours import smeared
from dalle_edu.language import say

__all__ = ["SMALL", "TEXT", "lively", "peer_logits"]

_TINY = BARTConfig(text_vocabulary=3, text_length=2, num_codes=3, grid=2, width=4, depth=1, heads=1, encoder_depth=1)
SMALL = BARTConfig(text_vocabulary=11, text_length=4, num_codes=17, grid=3, width=16, depth=3, heads=2, encoder_depth=2)
_OTHER = BARTConfig(text_vocabulary=7, text_length=5, num_codes=6, grid=2, width=12, depth=1, heads=3, encoder_depth=3)
_PAIRS = replace(_OTHER, grid=4, codes_per_token=2)
_ROWS = replace(_OTHER, grid=3, codes_per_token=3, directed=True)
TEXT = torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2]])


@torch.no_grad()
def torch_transformer(model: TextToImageBART) -> tuple[nn.TransformerEncoder, nn.TransformerDecoder, nn.Module]:
    """PyTorch's encoder, its decoder up to the last norm, and that norm, with a network's weights."""
    config = model.config
    options: dict[str, Any] = {"activation": "gelu", "batch_first": True, "norm_first": True, "bias": False, "dtype": torch.float64}
    layer = nn.TransformerEncoderLayer(config.width, config.heads, 4 * config.width, 0.0, **options)
    norm = nn.LayerNorm(config.width, bias=False, dtype=torch.float64)
    encoder = nn.TransformerEncoder(layer, config.encoder_depth, norm, enable_nested_tensor=False)
    other = nn.TransformerDecoderLayer(config.width, config.heads, 4 * config.width, 0.0, **options)
    decoder, last = nn.TransformerDecoder(other, config.depth), nn.LayerNorm(config.width, bias=False, dtype=torch.float64)
    norm.weight.copy_(model.encoder.norm.weight)
    last.weight.copy_(model.decoder.norm.weight)
    for peer, ours in ((encoder, model.encoder), (decoder, model.decoder)):
        for theirs, block in zip(peer.layers, cast("Any", ours.blocks), strict=True):
            layer_of: Any = theirs
            layer_of.norm1.weight.copy_(block.norm_1.weight)
            layer_of.norm2.weight.copy_(block.norm_2.weight)
            layer_of.self_attn.in_proj_weight.copy_(block.attention.qkv.weight)
            layer_of.self_attn.out_proj.weight.copy_(block.attention.out.weight)
            layer_of.linear1.weight.copy_(block.expand.weight)
            layer_of.linear2.weight.copy_(block.contract.weight)
            if peer is decoder:
                across = block.cross_attention
                layer_of.norm3.weight.copy_(block.norm_3.weight)
                layer_of.multihead_attn.in_proj_weight.copy_(torch.cat([across.query.weight, across.key_value.weight]))
                layer_of.multihead_attn.out_proj.weight.copy_(across.out.weight)
    return encoder.train(), decoder.train(), last  # without dropout; in `eval`, a fused path skips padding


def _ways(heads: int, hidden: Tensor) -> Tensor:
    """For each caption and head, what a word may not see: half of the heads, the first, look back and the others ahead."""
    tokens = hidden.shape[1]
    ahead = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
    unseen = torch.stack([ahead if 2 * head < heads else ahead.T for head in range(heads)])
    itself = torch.eye(tokens, dtype=torch.bool)
    return ((unseen | hidden[:, None, None]) & ~itself).flatten(0, 1)


def _peer_memory(model: TextToImageBART, text: Tensor) -> tuple[Tensor, Tensor]:
    """What PyTorch's encoder makes of captions, and where that is hidden."""
    encoder, config = torch_transformer(model)[0], model.config
    hidden = torch.cat([torch.zeros(len(text), 1, dtype=torch.bool), text == 0], dim=1)
    words = F.embedding(F.pad(text, (1, 0)), model.text_embedding.weight) + model.text_position.weight[: text.shape[1] + 1]
    if config.smear:
        words = smeared(words, model.smear.get_parameter("before.weight"))
    if config.directed:
        return encoder(words, mask=_ways(config.heads, hidden)), hidden
    return encoder(words, src_key_padding_mask=hidden), hidden


def peer_logits(model: TextToImageBART, text: Tensor, written: Tensor) -> Tensor:
    """The logits after each of the codes written so far, by PyTorch's layers: (n, written + 1, v)."""
    memory, hidden = _peer_memory(model, text)
    n, together, grid = len(text), model.config.codes_per_token, model.config.grid
    x = torch.stack([model.start.expand(n, -1), *embedded_tokens(model, written)], dim=1)
    places = together * torch.arange(x.shape[1])
    x = x + model.row_position.weight[places // grid] + model.column_position.weight[places % grid // together]
    mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=torch.float64)
    _, decoder, last = torch_transformer(model)
    read = decoder(x, memory, tgt_mask=mask, memory_key_padding_mask=hidden)
    each = [
        stream_for_code(model, read[:, position // together], written[:, position - position % together : position])
        for position in range(written.shape[1] + 1)
    ]
    return F.linear(last(torch.stack(each, dim=1)), model.code_head.weight)


def _asked(seed: int) -> list[tuple[BARTConfig, Tensor]]:
    """Networks and captions: a tiny one, captions with padding and of padding alone, shorter ones, one alone; heads that look one way;
    several codes a token.
    """
    drawn = torch.randint(1, 7, (3, 5), generator=torch.Generator().manual_seed(seed)) * (torch.arange(5) < torch.tensor([[5], [2], [3]]))
    return [
        (_TINY, torch.tensor([[1, 0]])),
        (SMALL, TEXT),
        (SMALL, TEXT[:2, :3]),
        (_OTHER, drawn),
        (_OTHER, drawn[1:2]),
        (replace(SMALL, directed=True), TEXT),
        (replace(_OTHER, directed=True), drawn),
        (_PAIRS, drawn),
        (_ROWS, drawn[:2]),
        (replace(_TINY, smear=True), torch.tensor([[1, 2]])),
        (replace(SMALL, directed=True, smear=True), TEXT),
    ]


def _title(config: BARTConfig, text: Tensor) -> tuple[str, str]:
    shown = str(text.tolist()) if text.numel() < 5 else f"{len(text)} × {text.shape[1]}"
    options = "".join(f", {name}=True" for name in ("directed", "smear") if getattr(config, name))
    options += f", codes_per_token {config.codes_per_token}" if config.codes_per_token > 1 else ""
    return f"text {shown}, grid {config.grid}{options}", f"texte {shown}, grille {config.grid}{options}"


def _codes(config: BARTConfig, n: int, seed: int) -> Tensor:
    return torch.randint(config.num_codes, (n, config.image_length), generator=torch.Generator().manual_seed(seed + 1))


def _answers(config: BARTConfig, text: Tensor, seed: int) -> list[Case]:
    """The logits of all codes, those of the code that comes after some, and the memory of the captions."""
    codes, (en, fr) = _codes(config, len(text), seed), _title(config, text)

    def ask(version: Callable[..., Any]) -> Tensor:
        return lent(lively(version(config), seed), "text codes", text, codes).detach()

    def peer() -> Any:
        return lively(TextToImageBART(config), seed)

    def remembered(version: Callable[..., Any]) -> dict[str, Tensor]:
        memory, visible = lent(lively(version(config), seed).encode, "text", text)
        return of_memory(memory, visible)

    def of_memory(memory: Tensor, visible: Tensor) -> dict[str, Tensor]:
        return {say("memory", "mémoire"): memory.detach().where(visible.unsqueeze(-1), 0.0), "visible": visible}

    def their_memory() -> dict[str, Tensor]:
        memory, hidden = _peer_memory(peer(), text)
        return of_memory(memory, ~hidden)

    def after(written: int) -> Case:
        return scenario(
            f"{en}, next_logits after {written} codes",
            f"{fr}, next_logits après {written} codes",
            lambda: peer_logits(peer(), text, codes[:, :written])[:, -1].detach(),
            lambda version: next_logits(lively(version(config), seed), text, codes, written).detach(),
            weight + 2,
        )

    weight = text.numel() + codes.numel()
    return [
        scenario(en, fr, lambda: peer_logits(peer(), text, codes[:, :-1]).detach(), ask, weight),
        scenario(f"{en}, encode", f"{fr}, encode", their_memory, remembered, weight + 1),
        *(after(written) for written in (0, 1, config.image_length - 1)),
    ]


def _network(seed: int) -> list[Case]:
    return [case for config, text in _asked(seed) for case in _answers(config, text, seed)]


def _losses(seed: int) -> list[Case]:
    """The loss and its gradient."""
    tables = ("text_embedding", "text_position", "code_embedding", "row_position", "column_position", "code_head")
    weights = ("start", *(f"{name}.weight" for name in tables))

    def case(config: BARTConfig, text: Tensor) -> Case:
        codes, (en, fr) = _codes(config, len(text), seed), _title(config, text)
        learned = (*weights, *(["smear.before.weight"] if config.smear else []))

        def named(loss: Tensor, model: Any) -> dict[str, Any]:
            names = learned if config.codes_per_token == 1 else (*learned, *LOCAL)
            return with_gradients(loss, [model.get_parameter(name) for name in names])

        def ask(version: Callable[..., Any]) -> dict[str, Any]:
            model = lively(version(config), seed)
            return named(lent(model.loss, "text codes", text, codes)["loss"], model)

        def peer() -> dict[str, Any]:
            model = lively(TextToImageBART(config), seed)
            loss = F.cross_entropy(peer_logits(model, text, codes[:, :-1]).transpose(1, 2).float(), codes)
            return named(loss, model)

        return scenario(f"{en}: loss", f"{fr} : perte", peer, ask, text.numel() + codes.numel())

    return [case(*each) for each in _asked(seed)]


REFERENCES = [
    Reference(
        "bart:TextToImageBART",
        say("torch.nn.TransformerEncoder and TransformerDecoder", "torch.nn.TransformerEncoder et TransformerDecoder"),
        cases=_network,
        tolerance=1e-10,
    ),
    Reference(
        "bart:TextToImageBART",
        say("PyTorch's transformer and cross-entropy", "le transformeur et l'entropie croisée de PyTorch"),
        cases=_losses,
        tolerance=1e-6,
    ),
]
