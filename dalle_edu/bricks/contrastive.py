"""CLIP: contrastive learning of pictures and sentences (Radford et al. 2021).

An image encoder and a text encoder, the two towers, embed pictures and sentences as
unit vectors in one space. In a batch of n pairs each picture must choose its own
sentence among n, and each sentence its own picture: two classifications whose
classes are the batch itself. The trained model compares any picture with any
sentence. It classifies without having been shown a class (`zero_shot.py`),
searches, ranks what another model generates, and guides it. Lesson 12.

Letters: n pictures, m sentences, e channels of an embedding, f those of a
sentence's where they might differ, t text tokens, ended = t + 1 with the end of
text, p patches, w channels of a tower, H x W pixels.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.convolution import Patchify, residual_stack
from dalle_edu.bricks.neighbours import Smear
from dalle_edu.bricks.transformer import Block
from dalle_edu.errors import DalleEduError

LARGEST_SCALE = 100.0  # of similarities (Radford et al. 2021, section 2.5)
PAD = 0  # the padding token of the world's tokenizer

# ------------------------------------------------------------------------- the loss


def similarity(
    images: Float[Tensor, "n e"], texts: Float[Tensor, "m f"]
) -> Float[Tensor, "n m"]:
    """The cosine of every picture with every sentence, in [-1, 1].

    The embeddings may have any length. Raises `DalleEduError` unless they have as
    many channels.
    """
    _check_channels(images, texts)
    return F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T


def capped_scale(log_scale: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """The factor of similarities before a softmax: exp(log_scale), at most 100.

    It is the inverse of the softmax's temperature. Learned as a logarithm, it stays
    positive and changes by factors.
    """
    return log_scale.clamp(max=math.log(LARGEST_SCALE)).exp()


def clip_loss(
    images: Float[Tensor, "n e"],
    texts: Float[Tensor, "m f"],
    scale: Float[Tensor, ""] | float,
) -> Float[Tensor, ""]:
    """The symmetric contrastive loss: the mean of two cross-entropies, in nats.

    One asks which sentence is each picture's, the other which picture is each
    sentence's (Radford et al. 2021, figure 3). Row i of `images` and row i of
    `texts` are a pair. The loss is log n when nothing is known. Raises
    `DalleEduError` when there are not as many of each, or not as many channels.
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
    """Raise `DalleEduError` for embeddings of different widths."""
    if images.shape[-1] != texts.shape[-1]:
        raise DalleEduError(
            f"the embeddings have {images.shape[-1]} and {texts.shape[-1]} "
            "channels; compare those of one model",
            f"les plongements ont {images.shape[-1]} et {texts.shape[-1]} canaux ; "
            "comparez ceux d'un même modèle",
        )


# ----------------------------------------------------------------------- the towers


@dataclass(frozen=True)
class CLIPConfig:
    """The shape of both towers.

    Their width and their heads are the same, their depths are not. With a
    `stem_depth`, patches go through a few convolutions first; 0 is a plain vision
    transformer. `embedding` is the width of the shared space. With `smear`, which
    CLIP did not have, each word's embedding gets a map of the one before it added
    (`neighbours.py`). Raises `DalleEduError` for patches that do not divide the
    picture, or have an odd side under a stem.
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
    smear: bool = False

    def __post_init__(self) -> None:
        odd_under_stem = self.stem_depth and self.patch_size % 2
        if self.resolution % self.patch_size or odd_under_stem:
            raise DalleEduError(
                f"patches of {self.patch_size} pixels do not fit a side of "
                f"{self.resolution}; choose a divisor, an even one under a stem",
                f"des morceaux de {self.patch_size} pixels ne vont pas dans un "
                f"côté de {self.resolution} ; choisissez un diviseur, pair si "
                "stem_depth n'est pas 0",
            )


class ImageTower(nn.Module):
    """The image encoder: a vision transformer (ViT, Dosovitskiy et al. 2021).

    Patches are its tokens, and a class token beside them gathers what the picture
    is: its last state, projected, is the embedding. A few convolutions come before.
    They relate neighbouring pixels from the start, which a transformer has to
    learn, and more slowly (Xiao et al. 2021).
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
        """The embedding of each picture, of any length.

        Pictures are in [-1, 1]. The embedding is differentiable in the picture.
        Raises `DalleEduError` for pictures of another shape.
        """
        side = self.config.resolution
        got, expected = list(images.shape[1:]), [3, side, side]
        if got != expected:
            raise DalleEduError(
                f"the pictures are {got}; this model looks at {expected}: resize "
                "them, or cut pieces out",
                f"les images sont {got} ; ce modèle en regarde de {expected} : "
                "changez leur taille ou découpez-les",
            )
        patches = rearrange(self.patchify(images), "n w y x -> n (y x) w")
        class_token = self.class_token.expand(len(patches), 1, -1)
        tokens = torch.cat([class_token, patches], dim=1)
        x = tokens + self.position  # n p+1 w
        return self.project(self.norm_out(self.blocks(self.norm_in(x))[:, 0]))


class TextTower(nn.Module):
    """The text encoder: a causal transformer, read at the end of the caption.

    The end is the one place that attends to the whole caption. The first padding
    token serves as end of text. No token before it attends to the padding after it,
    so that padding changes nothing.
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
        self.smear = Smear(width) if config.smear else nn.Identity()

    def hidden(self, text: Int[Tensor, "m t"]) -> Float[Tensor, "m t+1 w"]:
        """The last layer's state at each token, and at an end of text.

        A prior or a decoder attends to them. Raises `DalleEduError` for captions
        longer than `text_length`.
        """
        if text.shape[1] > self.config.text_length:
            raise DalleEduError(
                f"the captions have {text.shape[1]} tokens; this model reads "
                f"{self.config.text_length} at most",
                f"les légendes ont {text.shape[1]} jetons ; ce modèle en lit "
                f"{self.config.text_length} au plus",
            )
        text = F.pad(text, (0, 1), value=PAD)  # so that every caption has an end
        x = self.word(text) + self.position[: text.shape[1]]
        return self.norm_out(self.blocks(self.smear(x)))

    def pool(
        self, hidden: Float[Tensor, "m ended w"], text: Int[Tensor, "m t"]
    ) -> Float[Tensor, "m e"]:
        """The embedding of each caption: the state at its end, projected."""
        end = (text != PAD).sum(dim=1)
        captions = torch.arange(len(text), device=text.device)
        return self.project(hidden[captions, end])

    def forward(self, text: Int[Tensor, "m t"]) -> Float[Tensor, "m e"]:
        """The embedding of each caption, of any length.

        Raises `DalleEduError` for captions longer than `text_length`.
        """
        return self.pool(self.hidden(text), text)


class CLIP(nn.Module):
    """CLIP: both towers, and the scale of the similarities, learned with them.

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
        """The factor of the cosines, at most 100."""
        return capped_scale(self.log_scale)

    def encode_image(
        self, images: Float[Tensor, "n 3 H W"]
    ) -> Float[Tensor, "n e"]:
        """The embeddings of pictures, or of pieces of them, as unit vectors."""
        return F.normalize(self.image_tower(images), dim=-1)

    def encode_text(self, text: Int[Tensor, "m t"]) -> Float[Tensor, "m e"]:
        """The embeddings of captions, as unit vectors."""
        return F.normalize(self.text_tower(text), dim=-1)

    def forward(
        self, images: Float[Tensor, "n 3 H W"], text: Int[Tensor, "m t"]
    ) -> Float[Tensor, "n m"]:
        """The logits of every picture with every caption: cosine times scale."""
        return self.scale * self.encode_image(images) @ self.encode_text(text).T

    def loss(
        self, images: Float[Tensor, "n 3 H W"], text: Int[Tensor, "n t"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The contrastive loss of a batch of pairs, and the scale.

        The last optimiser step may have carried `log_scale` above its cap, where it
        has no gradient and would stay. It is set back to the cap first.
        """
        with torch.no_grad():
            self.log_scale.clamp_(max=math.log(LARGEST_SCALE))
        image_vectors = self.image_tower(images)
        text_vectors = self.text_tower(text)
        loss = clip_loss(image_vectors, text_vectors, self.scale)
        return {"loss": loss, "scale": self.scale.detach()}
