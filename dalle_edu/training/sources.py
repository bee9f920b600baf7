"""What a run learns from: the source that its settings name, and a system made to fit it."""

from typing import Any

import torch

from dalle_edu.datasets.opening import open_source
from dalle_edu.datasets.source import Source
from dalle_edu.datasets.world_source import WorldSource, open_world
from dalle_edu.systems.interface.configuration import fitted
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.systems.interface.trainable import Trainable, WithoutInitialisation
from dalle_edu.training.run import Run


def source_of(run: Run) -> Source:
    """The source that a run's settings name: the world of the shapes, unless they name data or another world. Raises `DalleEduError` where
    there is none at its place.
    """
    if run.world is not None:
        return open_world(run.world)
    return WorldSource() if run.data is None else open_source(run.data, resolution_of(run), run.seed)


def resolution_of(run: Run) -> int:
    """Pixels on a side of the pictures that the run's system learns from."""
    kind: Any = model_class(run.system)
    with torch.device("meta"), WithoutInitialisation():
        resolution: int = kind(kind.presets[run.preset]).resolution
    return resolution


def system_for(run: Run, source: Source) -> Trainable:
    """The run's system, with its first random weights. Its tokenizer, the length of its captions and its domain are those of the source."""
    kind: Any = model_class(run.system)
    config = kind.presets[run.preset]
    if source.text_length is not None:
        config = fitted(config, source.tokenizer.vocabulary_size, source.text_length)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        system: Trainable = kind(config, source.tokenizer)
    system.domain = source.domain
    return system
