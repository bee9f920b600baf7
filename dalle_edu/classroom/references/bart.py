"""The encoder–decoder from captions to codes against PyTorch's transformer."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.bart import BARTConfig, TextToImageBART
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say

SMALL = BARTConfig(text_vocabulary=11, text_length=4, num_codes=17, grid=3, width=16, depth=3, heads=2, encoder_depth=2)
TEXT = torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2]])


def lively(model: TextToImageBART) -> TextToImageBART:
    """The same network, in double precision, with weights that all matter."""
    for name, parameter in model.named_parameters():
        generator = torch.Generator().manual_seed(sum(map(ord, name)))
        nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.3, generator=generator)
    return model.double().eval()


@torch.no_grad()
def torch_transformer(model: TextToImageBART) -> tuple[nn.TransformerEncoder, nn.TransformerDecoder]:
    """PyTorch's encoder and decoder with a network's weights."""
    config = model.config
    options: dict[str, Any] = {"activation": "gelu", "batch_first": True, "norm_first": True, "bias": False, "dtype": torch.float64}
    layer = nn.TransformerEncoderLayer(config.width, config.heads, 4 * config.width, 0.0, **options)
    norm = nn.LayerNorm(config.width, bias=False, dtype=torch.float64)
    encoder = nn.TransformerEncoder(layer, config.encoder_depth, norm, enable_nested_tensor=False)
    other = nn.TransformerDecoderLayer(config.width, config.heads, 4 * config.width, 0.0, **options)
    decoder = nn.TransformerDecoder(other, config.depth, nn.LayerNorm(config.width, bias=False, dtype=torch.float64))
    for peer, ours in ((encoder, model.encoder), (decoder, model.decoder)):
        cast("nn.LayerNorm", peer.norm).weight.copy_(ours.norm.weight)
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
    return encoder.eval(), decoder.eval()


@torch.no_grad()
def peer_logits(model: TextToImageBART, text: Tensor, written: Tensor) -> Tensor:
    """The logits after each of the codes written so far, by PyTorch's layers: (n, written + 1, v)."""
    encoder, decoder = torch_transformer(model)
    hidden = torch.cat([torch.zeros(len(text), 1, dtype=torch.bool), text == 0], dim=1)
    words = model.text_embedding(F.pad(text, (1, 0))) + model.text_position.weight
    memory = encoder(words, src_key_padding_mask=hidden)
    n, tokens = len(text), written.shape[1] + 1
    places = torch.arange(tokens)
    x = torch.cat([model.start.expand(n, 1, -1), model.code_embedding(written)], dim=1)
    x = x + model.row_position(places // model.config.grid) + model.column_position(places % model.config.grid)
    mask = nn.Transformer.generate_square_subsequent_mask(tokens, dtype=torch.float64)
    return model.code_head(decoder(x, memory, tgt_mask=mask, memory_key_padding_mask=hidden))


@torch.no_grad()
def _network(version: Any) -> float:
    model = lively(version(SMALL))
    codes = torch.randint(17, (4, 9), generator=torch.Generator().manual_seed(1))
    return gap(model(TEXT, codes), peer_logits(model, TEXT, codes[:, :-1]))


REFERENCES = [
    Reference(
        "bart:TextToImageBART",
        say("torch.nn.TransformerEncoder and TransformerDecoder", "torch.nn.TransformerEncoder et TransformerDecoder"),
        _network,
        1e-10,
    ),
]
