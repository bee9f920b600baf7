"""The GPT over text and picture against Hugging Face's GPT-2, and its sampler against GPT-2's own `generate`."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say

_SMALL = GPTConfig(text_vocabulary=11, text_length=4, num_codes=17, grid=3, width=16, depth=3, heads=2)
_TEXT = torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2]])


def _codes() -> Tensor:
    return torch.randint(17, (4, 9), generator=torch.Generator().manual_seed(1))


def lively(model: TextToImageGPT) -> TextToImageGPT:
    """The same network, in double precision, with weights that all matter: at its start a GPT says nearly the same whatever it reads."""
    for name, parameter in model.named_parameters():
        generator = torch.Generator().manual_seed(sum(map(ord, name)))
        torch.nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.3, generator=generator)
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


def _network(version: Any) -> float:
    model, codes = lively(version(_SMALL)), _codes()
    peer = gpt2(model)
    words = model.text_embedding(_TEXT) + model.text_position.weight
    words = torch.where((_TEXT == 0)[..., None], model.text_padding.weight.expand(4, -1, -1), words)
    places = torch.arange(9)
    pictures = model.code_embedding(codes) + model.row_position(places // 3) + model.column_position(places % 3)
    stream = torch.cat([model.start.expand(4, 1, -1), words, pictures[:, :-1]], dim=1)
    hidden = peer(inputs_embeds=stream).last_hidden_state
    text_logits, code_logits = model(_TEXT, codes)
    return max(gap(text_logits, model.text_head(hidden[:, :4])), gap(code_logits, model.code_head(hidden[:, 4:])))


@torch.no_grad()
def _sampler(version: Any) -> float:
    """How many codes differ from those that GPT-2 finds likeliest, step by step, with guidance computed from two passes."""
    torch.manual_seed(0)
    model = lively(TextToImageGPT(_SMALL))
    peer, wrong = gpt2(model), 0.0
    for guidance_scale in (1.0, 2.5):
        written = torch.zeros(4, 0, dtype=torch.long)
        for _ in range(9):
            streams = [torch.cat([model.embed_text(text), model.embed_codes(written)], dim=1) for text in (_TEXT, torch.zeros_like(_TEXT))]
            said, unsaid = (model.code_head(peer(inputs_embeds=stream).last_hidden_state[:, -1]) for stream in streams)
            written = torch.cat([written, (unsaid + guidance_scale * (said - unsaid)).argmax(dim=-1, keepdim=True)], dim=1)
        wrong += float((version(model, _TEXT, torch.zeros(4, 9), guidance_scale, temperature=0.0) != written).sum())
    return wrong


REFERENCES = [
    Reference("gpt:TextToImageGPT", "transformers GPT2Model", _network, 1e-10),
    Reference(
        "gpt:sample_codes",
        say("transformers GPT2Model, one token at a time without cache", "transformers GPT2Model, un jeton à la fois sans cache"),
        _sampler,
        0.0,
    ),
]
