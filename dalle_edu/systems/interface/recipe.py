"""Recipes: how a system learns, as values.

A recipe is a tuple of stages, which training goes through in order. In each stage
some submodules learn and all others are frozen.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    `name` is what `stage_loss` and `preview` are given. `parts` are the submodules
    that learn ("gpt", or "dvae.decoder" for one inside another); all others are
    frozen. `share` is the stage's part of a run of so many minutes, and
    `updates_share` its part of a run of so many updates: each adds up to 1 over the
    stages of a recipe. `batch_size` is in pictures.

    The matrices and convolution kernels of the submodules named in `muon` are
    trained by Muon at `matrix_learning_rate`, everything else by AdamW at
    `learning_rate`. Both are peaks: the rate rises to them and then falls to zero.
    Embeddings that AdamW trains, of `nn.Embedding` and parameters called "start",
    learn at `embeddings_rate` times its rate.

    Where `start_images` is above 0, the system is given that many pictures before
    the first update of the stage, to initialise weights from (`start_stage`).

    `shows` says, in English and in French, what exams along the way look at, where
    that is not what the system draws once it is trained.
    """

    name: str
    parts: tuple[str, ...]
    share: float
    batch_size: int
    learning_rate: float
    updates_share: float
    matrix_learning_rate: float = 0.0
    muon: tuple[str, ...] = ()
    weight_decay: float = 0.01
    shows: tuple[str, str] | None = None
    embeddings_rate: float = 1.0
    start_images: int = 0


@dataclass(frozen=True)
class Recipe:
    """How a system learns. Subclasses add what else training depends on, such as
    dropouts and weights of losses. Without stages there is nothing to train: the
    system is put together from the weights of others.
    """

    stages: tuple[Stage, ...] = ()
