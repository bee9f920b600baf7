"""Data sets of pictures with captions: MNIST, COCO captions, a folder of files, WebDataset shards.

The modules `digits`, `sentences` and `translations` hold smaller data sets that need no download. Each data set of captioned pictures is
also a source to train on (`captioned_source.py`), as the world is (`world_source.py`); `open_source` opens one by its place.
"""

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair
from dalle_edu.datasets.captioned_source import CaptionedSource
from dalle_edu.datasets.coco import Coco, write_coco_sample
from dalle_edu.datasets.digits import Digits
from dalle_edu.datasets.folder import Folder
from dalle_edu.datasets.mnist import MNIST
from dalle_edu.datasets.opening import open_source
from dalle_edu.datasets.report import LeftOut, Report, Why
from dalle_edu.datasets.shards import Shards, write_shards
from dalle_edu.datasets.source import Source
from dalle_edu.datasets.world_source import WorldSource

__all__ = [
    "MNIST",
    "CaptionedDataset",
    "CaptionedSource",
    "Coco",
    "Digits",
    "Folder",
    "LeftOut",
    "Pair",
    "Report",
    "Shards",
    "Source",
    "Why",
    "WorldSource",
    "open_source",
    "write_coco_sample",
    "write_shards",
]
