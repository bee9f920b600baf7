"""Our CLIP as a model of open_clip: a folder with its configuration, weights and tokenizer, which open_clip loads by itself.

    open_clip.create_model_and_transforms("local-dir:FOLDER")       the model and how it wants its pictures
    open_clip.get_tokenizer("local-dir:FOLDER")                     the tokenizer (through transformers, which it needs)

Both models compute the same function. Where their parts differ: our layers have no biases, so theirs are zero; the bias of our patches is
added to the position embeddings; our text tower pools at the first padding token, so padding is their end of text.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from dalle_edu.bricks.contrastive import CLIPConfig
from dalle_edu.bricks.convolution import Patchify
from dalle_edu.errors import DalleEduError
from dalle_edu.files import check_writable, write_aside
from dalle_edu.systems.clip import Clip
from dalle_edu.world.tokenizer import PAD, CaptionTokenizer

CONFIGURATION, WEIGHTS, TOKENIZER, TOKENIZER_SETTINGS = (
    "open_clip_config.json",
    "open_clip_model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
)
MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)  # a normalisation that maps [0, 1] to our [-1, 1]
_PAD = "[PAD]"


NAME = "dalle_edu_clip"


def exported_files(name: str = NAME) -> tuple[str, ...]:
    """The names of the files that `export_to_open_clip` writes."""
    return (f"{name}.json", WEIGHTS, TOKENIZER, TOKENIZER_SETTINGS, CONFIGURATION)


def export_to_open_clip(clip: Clip, folder: str | Path, name: str = NAME) -> Path:
    """Write our CLIP to `folder` as a model of open_clip, in float32, and return the folder.

    Beside "local-dir:", the model can be loaded by `name` after `open_clip.add_model_config(folder / f"{name}.json")`, with
    `pretrained=folder / "open_clip_model.safetensors"` and `image_mean` and `image_std` of (0.5, 0.5, 0.5). Raises `DalleEduError` where
    the folder cannot be written, or the model has what open_clip's does not: convolutions before its patches, or words smeared with their
    neighbours.
    """
    folder = Path(folder)
    if clip.config.model.clip.smear:
        raise DalleEduError(
            "this CLIP mixes each word with the one before it (smear), and open_clip's text transformer does not; train one with "
            "smear=False, such as the preset standard",
            "ce CLIP mêle à chaque mot celui d'avant (smear), et le transformeur de texte d'open_clip ne le fait pas ; entraînez-en un "
            "avec smear=False, comme le préréglage standard",
        )
    if clip.config.model.clip.stem_depth:
        raise DalleEduError(
            f"this CLIP has a stem of {clip.config.model.clip.stem_depth} convolutions, and open_clip's vision transformer has none; "
            "train one with stem_depth=0",
            f"ce CLIP a {clip.config.model.clip.stem_depth} convolutions d'entrée, et le transformeur d'images d'open_clip n'en a pas ; "
            "entraînez-en un avec stem_depth=0",
        )
    check_writable(folder / CONFIGURATION)
    model, preprocessing = open_clip_config(clip.config.model.clip, name)
    by_name = model | {"text_cfg": model["text_cfg"] | {"hf_tokenizer_name": os.path.realpath(folder)}}
    contents = {
        f"{name}.json": _json(by_name),
        WEIGHTS: to_bytes(open_clip_tensors(clip), metadata={"format": "pt"}),
        TOKENIZER: _json(_ended(clip.tokenizer)),
        TOKENIZER_SETTINGS: _json(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "pad_token": _PAD,
                "eos_token": _PAD,
                "split_special_tokens": True,  # "[PAD]" in a caption is five characters
                "clean_up_tokenization_spaces": False,
                "model_max_length": clip.config.model.clip.text_length + 1,
            }
        ),
        CONFIGURATION: _json({"model_cfg": model, "preprocess_cfg": preprocessing}),  # last: open_clip knows a model's folder by it
    }
    for file_name, data in contents.items():
        write_aside(folder / file_name, lambda file, data=data: file.write(data))  # type: ignore[misc]
    return folder


def open_clip_config(config: CLIPConfig, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """open_clip's configurations of the model and of the preprocessing of its pictures. `name` is the tokenizer's."""
    vision = {
        "image_size": config.resolution,
        "patch_size": config.patch_size,
        "width": config.width,
        "layers": config.image_depth,
        "head_width": config.width // config.heads,
    }
    text = {
        "context_length": config.text_length + 1,  # with the end of text
        "vocab_size": config.vocabulary,
        "width": config.width,
        "heads": config.heads,
        "layers": config.text_depth,
        "pool_type": "eos",  # the state at the first token that is `eos_id`
        "eos_id": PAD,
        "pad_id": PAD,
        "hf_tokenizer_name": name,
        "tokenizer_kwargs": {"clean": "whitespace"},
    }
    preprocessing = {"size": config.resolution, "mean": MEAN, "std": STD, "interpolation": "bilinear", "resize_mode": "squash"}
    return {"embed_dim": config.embedding, "vision_cfg": vision, "text_cfg": text}, preprocessing


def open_clip_tensors(clip: Clip) -> dict[str, Tensor]:
    """Our weights under open_clip's names, on the CPU, in float32."""
    image, text = clip.clip.image_tower, clip.clip.text_tower
    patchify = image.patchify
    assert isinstance(patchify, Patchify)
    position = image.position.clone()
    if patchify.bias is not None:
        position[1:] += patchify.bias  # position 0 is the class token's
    tensors = {
        "visual.conv1.weight": patchify.weight,
        "visual.class_embedding": image.class_token,
        "visual.positional_embedding": position,
        **_norm("visual.ln_pre", image.norm_in),
        **_norm("visual.ln_post", image.norm_out),
        "visual.proj": image.project.weight.T,
        "token_embedding.weight": text.word.weight,
        "positional_embedding": text.position,
        **_norm("ln_final", text.norm_out),
        "text_projection": text.project.weight.T,
        "logit_scale": clip.scale.log(),
    }
    for prefix, blocks in (("visual.transformer", image.blocks), ("transformer", text.blocks)):
        for i, block in enumerate(blocks):
            tensors |= dict(_block(f"{prefix}.resblocks.{i}", block))
    return {key: value.detach().float().cpu().contiguous().clone() for key, value in tensors.items()}


def _block(prefix: str, block: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The weights of a transformer block under open_clip's names."""
    weights = block.state_dict()
    width = weights["attention.out.weight"].shape[0]
    yield from _norm(f"{prefix}.ln_1", block.get_submodule("norm_1")).items()
    yield from _norm(f"{prefix}.ln_2", block.get_submodule("norm_2")).items()
    for theirs, ours, outputs in (
        ("attn.in_proj_", "attention.qkv", 3 * width),
        ("attn.out_proj.", "attention.out", width),
        ("mlp.c_fc.", "expand", 4 * width),
        ("mlp.c_proj.", "contract", width),
    ):
        yield f"{prefix}.{theirs}weight", weights[f"{ours}.weight"]
        yield f"{prefix}.{theirs}bias", torch.zeros(outputs)


def _norm(prefix: str, norm: nn.Module) -> dict[str, Tensor]:
    """The weights of a layer normalisation, with a bias of zero."""
    weight = norm.state_dict()["weight"]
    return {f"{prefix}.weight": weight, f"{prefix}.bias": torch.zeros_like(weight)}


def _ended(tokenizer: CaptionTokenizer) -> dict[str, Any]:
    """The tokenizer's file, changed so that every caption ends with a padding token, even one that had to be cut."""
    document = json.loads(tokenizer.to_json())
    document["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": _PAD, "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {_PAD: {"id": _PAD, "ids": [PAD], "tokens": [_PAD]}},
    }
    return document


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode(
        errors="backslashreplace"
    )  # bytes of a path that is not UTF-8
