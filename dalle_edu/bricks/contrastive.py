"""CLIP: pictures and sentences on one sphere, each picture nearest to the sentence
that says it (Radford et al. 2021).

Two towers, one for each, end in a unit vector. In a batch of n pairs each picture
must choose its own sentence among n, and each sentence its own picture: two
classifications whose classes are the batch itself. What comes out compares any
picture with any sentence: it classifies without having been shown a class
(zero-shot), searches, ranks what another model draws, and guides it.

Letters: n pictures, m sentences, e channels of the shared sphere, t text tokens, p
patches, w channels of a tower, H x W pixels, k classes. Lesson 12.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.convolution import Patchify, residual_stack
from dalle_edu.bricks.transformer import Block
from dalle_edu.errors import DalleEduError

# of similarities, before the softmax (Radford et al. 2021, section 2.5)
LARGEST_SCALE = 100.0
PAD = 0  # what the world's tokenizer fills captions up with

# ---------------------------------------------------------------- the loss


def similarity(
    images: Float[Tensor, "n e"], texts: Float[Tensor, "m f"]
) -> Float[Tensor, "n m"]:
    """The cosine of every picture with every sentence, in [-1, 1]; the embeddings
    may have any length.
    """
    _check_channels(images, texts)
    return F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T


def capped_scale(log_scale: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """What similarities are multiplied by before a softmax, the inverse of its
    temperature: exp(log_scale), at most 100.

    Learned as a logarithm, it stays positive and moves by factors.
    """
    return log_scale.clamp(max=math.log(LARGEST_SCALE)).exp()


def clip_loss(
    images: Float[Tensor, "n e"],
    texts: Float[Tensor, "m f"],
    scale: Float[Tensor, ""] | float,
) -> Float[Tensor, ""]:
    """The mean of both cross-entropies, in nats: which sentence is each picture's,
    and which picture is each sentence's (figure 3).

    Row i of `images` and row i of `texts` are a pair. log n when nothing is known.
    Raises `DalleEduError` when there are not as many of each.
    """
    _check_channels(images, texts)
    if len(images) != len(texts):
        raise DalleEduError(
            f"{len(images)} pictures came with {len(texts)} sentences; the loss "
            "takes pairs, one sentence for each picture",
            f"{len(images)} images sont venues avec {len(texts)} phrases ; la "
            "perte prend des paires, une phrase par image",
        )
    logits = scale * similarity(images, texts)
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def _check_channels(images: Tensor, texts: Tensor) -> None:
    if images.shape[-1] != texts.shape[-1]:
        raise DalleEduError(
            f"the embeddings have {images.shape[-1]} and {texts.shape[-1]} "
            "channels; compare those of one model",
            f"les plongements ont {images.shape[-1]} et {texts.shape[-1]} canaux ; "
            "comparez ceux d'un même modèle",
        )


# ---------------------------------------------------------------- the towers


@dataclass(frozen=True)
class CLIPConfig:
    """The shape of both towers: their width and heads are the same, their depths
    are not.

    With a `stem_depth`, patches are seen through a few convolutions first; 0 is a
    plain vision transformer.
    """

    resolution: int = 32
    patch_size: int = 8
    stem_depth: int = 2
    vocabulary: int = 512
    text_length: int = 20
    width: int = 128
    heads: int = 4
    image_depth: int = 2
    text_depth: int = 2
    embedding: int = 64

    def __post_init__(self) -> None:
        if self.resolution % self.patch_size or (
            self.stem_depth and self.patch_size % 2
        ):
            raise DalleEduError(
                f"patches of {self.patch_size} pixels do not fit a side of "
                f"{self.resolution}; choose a divisor, an even one under a stem",
                f"des morceaux de {self.patch_size} pixels ne vont pas dans un "
                f"côté de {self.resolution} ; choisissez un diviseur, pair si "
                "stem_depth n'est pas 0",
            )


class ImageTower(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2021): patches as tokens, and a
    class token that gathers what the picture is.

    A few convolutions before it know what neighbours are; a transformer must learn
    that, and takes longer (Xiao et al. 2021).
    """

    def __init__(self, config: CLIPConfig):
        super().__init__()
        self.config = config
        width, patches = config.width, (config.resolution // config.patch_size) ** 2
        self.patchify: nn.Module = Patchify(3, width, config.patch_size)
        if config.stem_depth:
            halfway = [
                Patchify(3, width // 2, config.patch_size // 2),
                residual_stack(width // 2, config.stem_depth),
                nn.ReLU(),
            ]
            self.patchify = nn.Sequential(*halfway, Patchify(width // 2, width, 2))
        self.class_token = nn.Parameter(torch.randn(width) * width**-0.5)
        self.position = nn.Parameter(torch.randn(patches + 1, width) * width**-0.5)
        self.norm_in = nn.LayerNorm(width, bias=False)
        self.blocks = nn.Sequential(
            *(
                Block(width, config.heads, causal=False)
                for _ in range(config.image_depth)
            )
        )
        self.norm_out = nn.LayerNorm(width, bias=False)
        self.project = nn.Linear(width, config.embedding, bias=False)

    def forward(self, images: Float[Tensor, "n 3 H W"]) -> Float[Tensor, "n e"]:
        """One vector for each picture, of any length. Differentiable in the
        picture.
        """
        came, expected = (
            list(images.shape[1:]),
            [3, self.config.resolution, self.config.resolution],
        )
        if came != expected:
            raise DalleEduError(
                f"the pictures are {came}; this model looks at {expected}: resize "
                "them, or cut pieces out",
                f"les images sont {came} ; ce modèle en regarde de {expected} : "
                "changez leur taille ou découpez-les",
            )
        patches = rearrange(self.patchify(images), "n w y x -> n (y x) w")
        # n p+1 w
        x = (
            torch.cat(
                [self.class_token.expand(len(patches), 1, -1), patches], dim=1
            )
            + self.position
        )
        return self.project(self.norm_out(self.blocks(self.norm_in(x))[:, 0]))


class TextTower(nn.Module):
    """A causal transformer over a caption, read where the caption ends: the one
    place that has seen all of it.

    The first padding token serves as end of text; nothing before it can see the
    padding after it, so padding changes nothing.
    """

    def __init__(self, config: CLIPConfig):
        super().__init__()
        self.config = config
        width = config.width
        self.word = nn.Embedding(config.vocabulary, width)
        self.position = nn.Parameter(
            torch.randn(config.text_length + 1, width) * 0.01
        )
        self.blocks = nn.Sequential(
            *(Block(width, config.heads) for _ in range(config.text_depth))
        )
        self.norm_out = nn.LayerNorm(width, bias=False)
        self.project = nn.Linear(width, config.embedding, bias=False)
        nn.init.normal_(self.word.weight, std=0.02)

    def hidden(self, text: Int[Tensor, "m t"]) -> Float[Tensor, "m t+1 w"]:
        """The state of each token after the last layer, and of an end of text after
        them: what a prior or a decoder attends to.
        """
        if text.shape[1] > self.config.text_length:
            raise DalleEduError(
                f"the captions have {text.shape[1]} tokens; this model reads "
                f"{self.config.text_length} at most",
                f"les légendes ont {text.shape[1]} jetons ; ce modèle en lit "
                f"{self.config.text_length} au plus",
            )
        text = F.pad(text, (0, 1), value=PAD)  # so that every caption has an end
        return self.norm_out(
            self.blocks(self.word(text) + self.position[: text.shape[1]])
        )

    def pool(
        self, hidden: Float[Tensor, "m ended w"], text: Int[Tensor, "m t"]
    ) -> Float[Tensor, "m e"]:
        """One vector for each caption: the state at its end, projected."""
        end = (text != PAD).sum(dim=1)
        return self.project(
            hidden[torch.arange(len(text), device=text.device), end]
        )

    def forward(self, text: Int[Tensor, "m t"]) -> Float[Tensor, "m e"]:
        """One vector for each caption, not yet of length 1. Raises `DalleEduError`
        for captions longer than `text_length`.
        """
        return self.pool(self.hidden(text), text)


class CLIP(nn.Module):
    """Both towers and the scale they learn together.

    Pictures are (n, 3, resolution, resolution) in [-1, 1]; captions are token
    numbers, (m, t), padded at the end with 0.
    """

    def __init__(self, config: CLIPConfig):
        super().__init__()
        self.config = config
        self.image_tower, self.text_tower = ImageTower(config), TextTower(config)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    @property
    def scale(self) -> Float[Tensor, ""]:
        """What cosines are multiplied by, at most 100."""
        return capped_scale(self.log_scale)

    def encode_image(
        self, images: Float[Tensor, "n 3 H W"]
    ) -> Float[Tensor, "n e"]:
        """Pictures, or any batch of pieces cut out of one, as unit vectors."""
        return F.normalize(self.image_tower(images), dim=-1)

    def encode_text(self, text: Int[Tensor, "m t"]) -> Float[Tensor, "m e"]:
        """Captions as unit vectors."""
        return F.normalize(self.text_tower(text), dim=-1)

    def forward(
        self, images: Float[Tensor, "n 3 H W"], text: Int[Tensor, "m t"]
    ) -> Float[Tensor, "n m"]:
        """The logits of every picture with every caption: cosine times scale."""
        return self.scale * self.encode_image(images) @ self.encode_text(text).T

    def loss(
        self, images: Float[Tensor, "n 3 H W"], text: Int[Tensor, "n t"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The loss of a batch of pairs, and the scale.

        A step may have carried the learned logarithm over its cap, where it has no
        gradient and would stay: it is set back first.
        """
        with torch.no_grad():
            self.log_scale.clamp_(max=math.log(LARGEST_SCALE))
        return {
            "loss": clip_loss(
                self.image_tower(images), self.text_tower(text), self.scale
            ),
            "scale": self.scale.detach(),
        }
