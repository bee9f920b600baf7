"""Checkpoints of earlier versions: what was called otherwise then is given today's
names when a file is read.
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
# and stages, which bear the names of what they train
_PARTS = {"imagen": {"reader": "text_encoder"}}


def upgraded(
    tensors: dict[str, Tensor], metadata: dict[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the metadata of a checkpoint under today's names; those of
    today's come back as they are.
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
    `sampling`, where an earlier version wrote all settings side by side.

    Each goes to the part that has a field of that name; the shares and batch sizes
    that stages were made from have none, and are left to the recipe's own.
    """
    if "model" in config:
        return config
    grouped: dict[str, dict[str, Any]] = {}
    left = dict(config)
    for part, hint in get_type_hints(kind).items():
        names = [field.name for field in fields(hint) if field.name in left]
        grouped[part] = {name: left.pop(name) for name in names}
    return grouped
