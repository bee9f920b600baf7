"""Doors to data from elsewhere: MNIST, COCO captions, a folder of one's own, WebDataset shards. Each gives pictures with captions."""

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair
from dalle_edu.datasets.coco import Coco, write_coco_sample
from dalle_edu.datasets.folder import Folder
from dalle_edu.datasets.mnist import MNIST
from dalle_edu.datasets.report import LeftOut, Report, Why
from dalle_edu.datasets.shards import Shards, write_shards

__all__ = ["MNIST", "Coco", "CaptionedDataset", "Folder", "LeftOut", "Pair", "Report", "Shards", "Why", "write_coco_sample", "write_shards"]
