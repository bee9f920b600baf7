"""The captioned world: a synthetic data set of scenes, their pictures, and their captions in French and in English.

Real data sets are in `dalle_edu.datasets`: digits, MNIST, COCO, a folder of pictures with captions, WebDataset shards.
"""

from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Adjective, Catalogue, Colour, Noun, Shape, Size
from dalle_edu.world.dataset import Batch, World
from dalle_edu.world.grammar import caption, check_prompt, phrasings, read_caption, unknown_words
from dalle_edu.world.held_out import is_held_out
from dalle_edu.world.renderer import RESOLUTIONS, render
from dalle_edu.world.scene_sampler import sample_scene
from dalle_edu.world.scenes import Description, Mention, Object, Scene, relation_between
from dalle_edu.world.sheet import picture_sheet, save_picture
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer, train_tokenizer

__all__ = [
    "LANGUAGES",
    "RESOLUTIONS",
    "SHAPES",
    "Adjective",
    "Batch",
    "CaptionTokenizer",
    "Catalogue",
    "Colour",
    "Description",
    "Mention",
    "Noun",
    "Object",
    "Scene",
    "Shape",
    "Size",
    "World",
    "caption",
    "caption_tokenizer",
    "check_prompt",
    "is_held_out",
    "phrasings",
    "picture_sheet",
    "read_caption",
    "relation_between",
    "render",
    "sample_scene",
    "save_picture",
    "train_tokenizer",
    "unknown_words",
]
