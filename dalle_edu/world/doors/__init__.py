"""Doors to data from elsewhere: MNIST, COCO captions, a folder of one's own, WebDataset shards. Each gives pictures with captions."""

from dalle_edu.world.doors.coco import Coco, write_coco_sample
from dalle_edu.world.doors.door import Door, Pair
from dalle_edu.world.doors.folder import Folder
from dalle_edu.world.doors.mnist import MNIST
from dalle_edu.world.doors.report import LeftOut, Report, Why
from dalle_edu.world.doors.shards import Shards, write_shards

__all__ = ["MNIST", "Coco", "Door", "Folder", "LeftOut", "Pair", "Report", "Shards", "Why", "write_coco_sample", "write_shards"]
