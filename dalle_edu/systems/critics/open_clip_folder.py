"""A folder with a model that open_clip understands, opened without trusting it: its
configuration is checked by the types of open_clip's own, its weights are those that
the configuration asks for, and nothing in it is executed. Lesson 12.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from dalle_edu.checkpoints.checkpoint import check_tensors, read_tensors
from dalle_edu.checkpoints.hub import LOCAL
from dalle_edu.errors import DalleEduError, lacks_memory, no_memory
from dalle_edu.files import read_file
from dalle_edu.systems.interface.configuration import (
    check_sizes,
    rebuild,
    shortened,
)
from dalle_edu.systems.interface.trainable import WithoutInitialisation

_CONFIGURATION = "open_clip_config.json"
# in the order in which open_clip looks for them
_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
)


@dataclass(frozen=True)
class _Model:
    """What open_clip's `model_cfg` may say."""

    embed_dim: int
    vision_cfg: dict
    text_cfg: dict
    quick_gelu: bool = False
    custom_text: bool = False
    init_logit_scale: float = 0.0
    init_logit_bias: float | None = None
    nonscalar_logit_scale: bool = False


def open_folder(folder: Path, device: str) -> tuple[Any, Any, dict[str, Any]]:
    """The model in a folder, its tokenizer, and its preprocessing. Raises
    `DalleEduError` where there is none: without weights in safetensors (pickles
    are never opened), or with a configuration that open_clip cannot build or that
    has other weights.
    """
    if not (folder / _CONFIGURATION).is_file():
        raise DalleEduError(
            f"there is no open_clip model in {folder}; give a folder with an "
            f"{_CONFIGURATION}",
            f"il n'y a pas de modèle d'open_clip dans {folder} ; donnez un "
            f"dossier avec un {_CONFIGURATION}",
        )
    weights = next(
        (folder / each for each in _WEIGHTS if (folder / each).exists()), None
    )
    if weights is None:
        raise DalleEduError(
            f"{folder} holds no {_WEIGHTS[0]}, and a model without its weights "
            "judges at random; export it again, or give another folder",
            f"{folder} ne contient pas de {_WEIGHTS[0]}, et un modèle sans ses "
            "poids juge au hasard ; exportez-le de nouveau, ou donnez un autre "
            "dossier",
        )
    text = read_file(folder / _CONFIGURATION)
    tensors, _ = read_tensors(weights)
    try:
        settings, wanted = json.loads(text), None
        kind, model_cfg, preprocessing = _described(settings)
        with torch.device("meta"), WithoutInitialisation(tensors):
            wanted = kind(**model_cfg).state_dict()
        check_tensors(tensors, wanted, weights)
        with WithoutInitialisation(tensors):
            model = kind(**model_cfg)
        model.load_state_dict(tensors)
        preprocessing["size"] = model.visual.image_size
        model.visual.preprocess_cfg = preprocessing
        return model.to(device), _tokenizer(folder), preprocessing
    except DalleEduError as error:
        if wanted is not None:
            raise
        raise unreadable(folder, error) from error
    except ImportError as error:
        if lacks_memory(error):
            raise no_memory() from error
        raise DalleEduError(
            f"open_clip needs another package to read {folder} ({error}); install "
            "it: pip install -c constraints.txt -e '.[peers]'",
            f"open_clip a besoin d'un autre paquet pour lire {folder} ({error}) : "
            "pip install -c constraints.txt -e '.[peers]'",
        ) from error
    except Exception as error:  # whatever a configuration may lead to
        if lacks_memory(error):
            raise no_memory() from error
        raise unreadable(folder, error) from error


def _described(
    settings: Any,
) -> tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]:
    """The class that a configuration describes, its arguments, and the
    preprocessing of pictures. Raises `TypeError` or `ValueError` for anything that
    open_clip does not know, and for a network that would have to be fetched.
    """
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg, CustomTextCLIP
    from open_clip.transform import PreprocessCfg

    if not isinstance(settings, dict):
        raise TypeError(f"the configuration is {shortened(settings)}")
    model_cfg: dict = settings.get("model_cfg", {})
    model = rebuild(_Model, model_cfg, "model_cfg")
    towers = (
        rebuild(CLIPVisionCfg, model.vision_cfg, "vision_cfg"),
        rebuild(CLIPTextCfg, model.text_cfg, "text_cfg"),
    )
    for each in (model.embed_dim, *towers):
        check_sizes(each, "model_cfg", largest=1 << 20)
    if towers[0].timm_model_name or towers[1].hf_model_name:
        raise ValueError("it is made of another library's networks")
    if not set(towers[1].tokenizer_kwargs or {}) <= {"clean", "strip_sep_token"}:
        raise ValueError("tokenizer_kwargs")
    pictures = rebuild(
        PreprocessCfg, settings.get("preprocess_cfg", {}), "preprocess_cfg"
    )
    if not (len(pictures.mean) == len(pictures.std) == 3 and min(pictures.std) > 0):
        raise ValueError(f"mean {pictures.mean}, std {pictures.std}")
    arguments = {
        key: value for key, value in model_cfg.items() if key != "custom_text"
    }
    return (
        CustomTextCLIP if model.custom_text else CLIP,
        arguments,
        asdict(pictures),
    )


def _tokenizer(folder: Path) -> Any:
    """A folder's tokenizer. Raises `ValueError` for one that brings code along."""
    import open_clip

    place = folder / "tokenizer_config.json"
    if place.exists() and "auto_map" in json.loads(read_file(place)):
        raise ValueError("its tokenizer is code, which is not executed")
    return open_clip.get_tokenizer(f"{LOCAL}{folder}")


def unreadable(folder: Path, error: Exception) -> DalleEduError:
    """The error to raise where open_clip does not understand a folder."""
    why = " ".join(f"{error or type(error).__name__}".split())[:300]
    return DalleEduError(
        f"open_clip cannot read {folder} ({why}); export the model again, or give "
        "another folder",
        f"open_clip ne sait pas lire {folder} ({why}) ; exportez de nouveau le "
        "modèle, ou donnez un autre dossier",
    )
