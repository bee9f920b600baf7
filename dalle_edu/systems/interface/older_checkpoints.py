"""Checkpoints of earlier versions: their settings, stages and weights are given
today's names when a file is read. A new system needs nothing of this.
"""

from dataclasses import fields
from typing import Any, get_type_hints

from torch import Tensor

_SETTINGS = {
    "guidance": "guidance_scale",
    "prior_guidance": "prior_guidance_scale",
    "reader": "text_encoder",
    "reader_share": "text_encoder_share",
    "reader_batch_size": "text_encoder_batch_size",
    "judge_width": "discriminator_width",
    "paraphrase": "paraphrase_weight",
    "forgiving": "mask_false_negatives",
    "photocopies": "grayscale_share",
    "disturbance": "augmentation",
}
# parts of a system, and the stages that are called by the part they train
_PARTS = {"imagen": {"reader": "text_encoder"}}


def upgraded(
    tensors: dict[str, Tensor], metadata: dict[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the metadata of a checkpoint under today's names. A
    checkpoint of this version comes back as it is.
    """
    parts = _PARTS.get(metadata.get("system", ""), {})
    named = {}
    for name, tensor in tensors.items():
        part, dot, rest = name.partition(".")
        named[parts.get(part, part) + dot + rest] = tensor
    config = {
        _SETTINGS.get(name, name): value
        for name, value in metadata.get("config", {}).items()
    }
    changed: dict[str, Any] = {"config": config}
    for when in ("run", "before"):
        if when in metadata:
            runs = metadata[when] if when == "before" else [metadata[when]]
            renamed = [
                run | {"only": _stages(run.get("only"), parts)} for run in runs
            ]
            changed[when] = renamed if when == "before" else renamed[0]
    return named, metadata | changed


def _stages(only: str | None, parts: dict[str, str]) -> str | None:
    return only and ",".join(parts.get(stage, stage) for stage in only.split(","))


def regrouped(kind: type, config: dict[str, Any]) -> dict[str, Any]:
    """A configuration as JSON in today's three parts, `model`, `recipe` and
    `sampling`; an earlier version wrote all settings side by side.

    Each setting goes to the part of `kind` that has a field of that name. Settings
    without such a field (shares and batch sizes, which are now in the stages) are
    left out, and the recipe keeps its defaults.
    """
    if "model" in config:
        return config
    grouped: dict[str, dict[str, Any]] = {}
    left = dict(config)
    for part, hint in get_type_hints(kind).items():
        names = [field.name for field in fields(hint) if field.name in left]
        grouped[part] = {name: left.pop(name) for name in names}
    return grouped
