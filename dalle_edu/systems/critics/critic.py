"""A critic: a model that embeds pictures and sentences as unit vectors in one
space, and so can compare any picture with any sentence.

Our own CLIP is one, and so is any pretrained model of open_clip. What both can be
used for is here: similarity, zero-shot classification, search. Lesson 12.

Letters: n pictures, m sentences, k classes or neighbours, e channels of the sphere.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.contrastive import similarity as cosines
from dalle_edu.bricks.zero_shot import ensemble, zero_shot
from dalle_edu.bricks.zero_shot import search as nearest
from dalle_edu.errors import DalleEduError
from dalle_edu.world.domain import SHAPES_DOMAIN, Domain
from dalle_edu.world.grammar import MAX_CHARACTERS, unknown_words

Queries = Tensor | Sequence[str]  # pictures or sentences


class Critic(ABC):
    """A model that compares pictures in [-1, 1], of any side, with sentences.
    Subclasses define both encoders and their scale. `domain` is what exams ask it
    about. Lesson 12.
    """

    domain: Domain = SHAPES_DOMAIN

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the critic in reports."""

    @abstractmethod
    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """Pictures, on any device, as unit vectors on the critic's device.
        Differentiable in the pictures.
        """

    @abstractmethod
    def encode_texts(self, captions: Sequence[str]) -> Float[Tensor, "m e"]:
        """Sentences as unit vectors. Raises `DalleEduError` for one that the model
        cannot read.
        """

    @property
    @abstractmethod
    def scale(self) -> Tensor:
        """The factor of cosines in a softmax: the inverse of the temperature."""

    def similarity(
        self, images: Float[Tensor, "n 3 h w"], captions: Sequence[str]
    ) -> Float[Tensor, "n m"]:
        """The cosine of every picture with every sentence, in [-1, 1].
        Differentiable in the pictures.
        """
        return cosines(self.encode_images(images), self.encode_texts(captions))

    def classes(
        self,
        names: Sequence[str | Sequence[str]],
        templates: Sequence[str] = ("{}",),
    ) -> Float[Tensor, "k e"]:
        """A unit vector for each class: the ensemble of its names, each in each
        template ("a picture of {}"). Raises `DalleEduError` for empty lists, a
        string in place of a list, and a template without exactly one "{}".
        """
        if (
            isinstance(names, str)
            or isinstance(templates, str)
            or not names
            or not templates
        ):
            raise DalleEduError(
                "classes and templates are lists, and not empty; write "
                'classify(images, ["a circle", "a square"], ["a picture of {}"])',
                "classes et modèles sont des listes, non vides ; écrivez "
                'classify(images, ["un cercle", "un carré"], ["une image de {}"])',
            )
        wrong = next(
            (template for template in templates if template.count("{}") != 1), None
        )
        if wrong is not None:
            raise DalleEduError(
                f'the template "{wrong}" must hold {{}} once, where the name of '
                "the class goes",
                f"le modèle « {wrong} » doit contenir {{}} une fois, là où va le "
                "nom de la classe",
            )
        sentences = [
            [
                template.replace("{}", name)
                for name in _several(class_names)
                for template in templates
            ]
            for class_names in names
        ]
        vectors = self.encode_texts([text for each in sentences for text in each])
        parts = vectors.split([len(each) for each in sentences])
        return torch.stack([ensemble(part) for part in parts])

    @torch.no_grad()
    def classify(
        self,
        images: Float[Tensor, "n 3 h w"],
        names: Sequence[str | Sequence[str]],
        templates: Sequence[str] = ("{}",),
    ) -> Float[Tensor, "n k"]:
        """The probability of each class for each picture, in [0, 1], without any
        training on classes (zero-shot; Radford et al. 2021, section 3.1).

        A class is a name, or several that mean the same. Each name is put in each
        of the `templates`, and the vectors of all sentences of a class are averaged
        (section 3.1.4). Raises `DalleEduError` as `classes` does.
        """
        return zero_shot(
            self.encode_images(images), self.classes(names, templates), self.scale
        )

    @torch.no_grad()
    def search(
        self, queries: Queries, gallery: Queries, k: int = 1
    ) -> Int[Tensor, "n k"]:
        """The indices of the k entries of a gallery that are nearest to each query,
        the nearest first.

        Sentences find pictures, `search(["a red circle"], images)`; pictures find
        sentences, `search(images, captions)`; and pictures find similar pictures.
        """
        return nearest(self._encode(queries), self._encode(gallery), k)

    def _encode(self, queries: Queries) -> Float[Tensor, "n e"]:
        return (
            self.encode_images(queries)
            if isinstance(queries, Tensor)
            else self.encode_texts(queries)
        )


def _several(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def check_pictures(images: Tensor) -> None:
    """Raise `DalleEduError` unless `images` are pictures: (n, 3, h, w)."""
    if images.ndim != 4 or images.shape[1] != 3 or not images.numel():
        raise DalleEduError(
            f"the pictures are {list(images.shape)}; give at least one, as [n, 3, "
            "height, width] in [-1, 1]",
            f"les images sont {list(images.shape)} ; donnez-en au moins une, en "
            "[n, 3, hauteur, largeur] dans [-1, 1]",
        )


def check_sentences(captions: Sequence[str]) -> None:
    """Raise `DalleEduError` unless `captions` is a list of at least one string."""
    if isinstance(captions, str):
        raise DalleEduError(
            f'the sentences are the one string "{captions[:40]}"; give a list, as '
            'in ["a red circle"]',
            f"les phrases sont une seule chaîne, « {captions[:40]} » ; donnez une "
            'liste, comme ["un cercle rouge"]',
        )
    if not captions:
        raise DalleEduError(
            "no sentence was given; give one or more",
            "aucune phrase n'est donnée ; donnez-en une ou plusieurs",
        )


def check_captions(captions: Sequence[str], domain: Domain) -> None:
    """Raise `DalleEduError` unless each caption names an object of the domain's
    catalogue, or consists of known words alone ("red").
    """
    check_sentences(captions)
    catalogue = domain.catalogue
    for text in set(captions):
        short = isinstance(text, str) and len(text) <= MAX_CHARACTERS
        words = text.split() if short else []
        letters_only = bool(words) and all(word.isalpha() for word in words)
        listed = letters_only and catalogue and not unknown_words(text, catalogue)
        if not listed:
            domain.check_prompt(text)
