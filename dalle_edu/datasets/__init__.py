"""Data sets of pictures with captions: MNIST, COCO captions, a folder of files, WebDataset shards.

The modules `digits`, `sentences` and `translations` hold smaller data sets that need no download.
"""

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair
from dalle_edu.datasets.coco import Coco, write_coco_sample
from dalle_edu.datasets.folder import Folder
from dalle_edu.datasets.mnist import MNIST
from dalle_edu.datasets.report import LeftOut, Report, Why
from dalle_edu.datasets.shards import Shards, write_shards

__all__ = ["MNIST", "Coco", "CaptionedDataset", "Folder", "LeftOut", "Pair", "Report", "Shards", "Why", "write_coco_sample", "write_shards"]
