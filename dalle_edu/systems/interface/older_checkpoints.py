"""Checkpoints of earlier versions: what was called otherwise then is given today's
names when a file is read.
"""

from typing import Any

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
