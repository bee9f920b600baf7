"""Any pretrained model of open_clip in the place of our CLIP, for photographs and
for words that our world lacks (Ilharco et al. 2021). Lesson 12.

    PretrainedClip.load("ViT-B-32/laion2b_s34b_b79k")  a model and its training set
    PretrainedClip.load("local-dir:FOLDER")            a folder that open_clip reads

`open_clip.list_pretrained()` gives all names. A folder may hold our own CLIP, which
`dalle-edu export` writes.

Weights are downloaded as safetensors when they are first asked for. Their size is
announced, their checksum verified, and they are kept. Importing this file downloads
nothing and does not import open_clip, which takes seconds.

Letters: n pictures, m sentences, e channels, s pixels on a side of what the model
is given.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dalle_edu.checkpoints import hub
from dalle_edu.checkpoints.hub import EXAMPLE, LOCAL
from dalle_edu.device import off_metal
from dalle_edu.download import tell
from dalle_edu.errors import DalleEduError, lacks_memory, no_memory
from dalle_edu.systems.critics.critic import Critic, check_pictures, check_sentences
from dalle_edu.systems.critics.open_clip_folder import open_folder, unreadable

_TOGETHER = 64


class PretrainedClip(Critic):
    """A model of open_clip, with the methods of our own CLIP. Its weights are
    frozen; gradients pass through it to the pictures.

    `preprocessing` is open_clip's `preprocess_cfg`: size, mean, standard deviation,
    interpolation and resize mode.
    """

    def __init__(
        self,
        name: str,
        model: torch.nn.Module,
        tokenizer: Callable[..., Tensor],
        preprocessing: dict[str, Any],
    ):
        self._title = name
        self.tokenizer, self.preprocessing = tokenizer, preprocessing
        self.model = model.eval().requires_grad_(False)

    @classmethod
    def load(
        cls,
        name: str,
        device: str = "cpu",
        folder: str | Path | None = None,
        say: Callable[[str], object] = tell,
    ) -> "PretrainedClip":
        """The model called "ARCHITECTURE/TAG", or the one in "local-dir:FOLDER".

        Weights that are not in Hugging Face's cache (or in the one in `folder`)
        are downloaded to it; `say` is called with a sentence that gives their size.
        Raises `DalleEduError` for a name that open_clip does not know, a folder
        that it cannot read, weights that the hub does not send, and, within two
        seconds, where the network is needed and cannot be reached.
        """
        if name.startswith(LOCAL):
            loaded = cls(name, *open_folder(Path(name.removeprefix(LOCAL)), device))
            loaded._rehearse(Path(name.removeprefix(LOCAL)))
            return loaded
        architecture, tag = hub.parts(name)
        hub.check_reachable(name, folder)  # before the slow import of open_clip
        known = _known(architecture, tag)
        weights = hub.weights_of(name, known["hf_hub"], folder, say)
        return cls(name, *_open(architecture, known, weights, device))

    @torch.no_grad()
    def _rehearse(self, folder: Path) -> None:
        """Compare a picture with a word once: raise `DalleEduError` where that
        fails, or gives no number.
        """
        try:
            blank = torch.zeros(1, 3, 8, 8, device=self.scale.device)
            score = float(self.scale * self.similarity(blank, ["a"]))
            if not math.isfinite(score):
                raise ValueError(f"a score is {score}")
        except Exception as error:
            if lacks_memory(error):
                raise no_memory() from error
            raise unreadable(folder, error) from error

    @property
    def title(self) -> str:
        return self._title

    @property
    def scale(self) -> Tensor:
        return self.model.logit_scale.exp()  # type: ignore[operator]

    @property
    def resolution(self) -> int:
        """Pixels on a side of what the model is given."""
        size = self.preprocessing["size"]
        return size if isinstance(size, int) else size[0]

    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """Pictures in [-1, 1], of any size, as unit vectors. They are resized and
        normalised as in the model's training. Differentiable. Raises
        `DalleEduError` for anything but a batch of pictures.
        """
        check_pictures(images)
        encode: Any = self.model.encode_image
        parts = images.to(self.scale.device, self.scale.dtype).split(_TOGETHER)
        return torch.cat(
            [encode(self._prepared(part), normalize=True) for part in parts]
        )

    def encode_texts(self, captions: Sequence[str]) -> Float[Tensor, "m e"]:
        """Sentences as unit vectors: any words, in the languages that the model was
        trained on, most often English alone. Raises `DalleEduError` for an empty
        list, an empty sentence, and one longer than the model's context.
        """
        check_sentences(captions)
        length = self.model.context_length
        for caption in captions:
            if not isinstance(caption, str) or not caption.strip():
                raise DalleEduError(
                    f"a sentence is {caption!r}; give words to each",
                    f"une phrase est {caption!r} ; donnez des mots à chacune",
                )
        # four times the context, to see what the tokenizer would cut off
        tokens = self.tokenizer(list(captions), context_length=4 * length)  # type: ignore[operator]
        # the last token of a row is padding, whichever number that is
        beyond = (tokens[:, length:] != tokens[:, -1:]).any(dim=1)
        if beyond.any():
            longest = captions[int(beyond.int().argmax())]
            raise DalleEduError(
                f'the caption "{longest[:40]}…" is longer than the {length} tokens '
                f"that {self.title} reads; shorten it",
                f"la légende « {longest[:40]}… » dépasse les {length} jetons que "
                f"lit {self.title} ; raccourcissez-la",
            )
        return self.model.encode_text(
            tokens[:, :length].to(self.scale.device), normalize=True
        )  # type: ignore[operator]

    def _prepared(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n 3 s s"]:
        """Pictures as the model is given them: square, resized, normalised."""
        settings = self.preprocessing
        pixels = _square(
            (images + 1) / 2, settings["resize_mode"], settings.get("fill_color", 0)
        )
        mode = "bilinear" if settings["interpolation"] == "bilinear" else "bicubic"
        side = (self.resolution, self.resolution)
        if pixels.shape[2:] != side:
            # torch has no gradients of this on Apple's GPU
            shown = off_metal(pixels) if pixels.requires_grad else pixels
            smaller = F.interpolate(
                shown, size=side, mode=mode, antialias=True, align_corners=False
            )
            pixels = smaller.to(pixels.device).clamp(0, 1)
        mean, std = (
            images.new_tensor(settings[key]).view(3, 1, 1)
            for key in ("mean", "std")
        )
        return (pixels - mean) / std


def _square(pixels: Tensor, mode: str, fill: int) -> Tensor:
    """Pictures made square as open_clip's resize mode says: the middle of each
    ("shortest"), or all of it with margins ("longest"). For "squash" they come back
    as they are, to be squashed by resizing.
    """
    h, w = pixels.shape[2:]
    if h == w or mode == "squash":
        return pixels
    if mode == "longest":
        high, wide = max(h, w) - h, max(h, w) - w
        return F.pad(
            pixels,
            (wide // 2, wide - wide // 2, high // 2, high - high // 2),
            value=fill / 255,
        )
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    return pixels[:, :, top : top + side, left : left + side]


# ------------------------------------------------------------- what open_clip knows


def _known(architecture: str, tag: str) -> dict[str, Any]:
    """open_clip's entry for a model. Raises `DalleEduError` unless there is one,
    its weights are on the hub, and its tokenizer comes with open_clip.
    """
    import open_clip

    known = open_clip.get_pretrained_cfg(architecture, tag)
    configuration = open_clip.get_model_config(architecture)
    if not known or configuration is None:
        tags = (
            ", ".join(open_clip.list_pretrained_tags_by_model(architecture))
            or ", ".join(open_clip.list_models()[:12]) + "…"
        )
        raise DalleEduError(
            f"open_clip has no pretrained {architecture}/{tag}; choose among: "
            f"{tags}",
            f"open_clip n'a pas de {architecture}/{tag} préentraîné ; choisissez "
            f"parmi : {tags}",
        )
    if not known.get("hf_hub") or "hf_tokenizer_name" in configuration["text_cfg"]:
        raise DalleEduError(
            f"{architecture}/{tag} has its weights or its tokenizer elsewhere, "
            f"which this library does not fetch; take {EXAMPLE}",
            f"{architecture}/{tag} a ses poids ou son découpage en jetons "
            f"ailleurs, et cette bibliothèque n'y va pas ; prenez {EXAMPLE}",
        )
    return known


def _open(
    architecture: str, known: dict[str, Any], weights: Path, device: str
) -> tuple[Any, Any, dict[str, Any]]:
    """A model with downloaded weights, its tokenizer, and its preprocessing."""
    import open_clip

    kept = ("mean", "std", "interpolation", "resize_mode")
    model = open_clip.create_model(
        architecture,
        pretrained=str(weights),
        device=device,
        force_quick_gelu=bool(known.get("quick_gelu")),
        force_preprocess_cfg={key: known[key] for key in kept if key in known},
    )
    return model, open_clip.get_tokenizer(architecture), model.visual.preprocess_cfg
