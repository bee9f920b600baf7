"""The synthetic world as a source to train on, with any catalogue."""

from functools import cached_property
from itertools import product

from dalle_edu.datasets.source import ENDLESS
from dalle_edu.errors import DalleEduError
from dalle_edu.python_files import named_in_file, names_a_file
from dalle_edu.seeds import SEEDS
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.catalogue_files import world_of
from dalle_edu.world.dataset import Batch, World
from dalle_edu.world.domain import ClosedDomain
from dalle_edu.world.grammar import phrasings
from dalle_edu.world.scene_sampler import PRACTICE
from dalle_edu.world.scenes import RELATIONS, Description, Mention
from dalle_edu.world.tokenizer import caption_tokenizer, train_tokenizer

_HELD_OUT_SEED = SEEDS - 1  # of held-out scenes where the catalogue holds nothing out: no run has it


def open_world(name: str) -> "WorldSource":
    """The world of a catalogue: "shapes", or a catalogue in a file, "moon.py:MOONS", which imports the file. Raises `DalleEduError` where
    there is none.
    """
    if name == "shapes":
        return WorldSource()
    catalogue = named_in_file(name) if names_a_file(name) else None
    if not isinstance(catalogue, Catalogue):
        raise DalleEduError(
            f'there is no catalogue "{name}"; give shapes, or a file and a Catalogue in it, as in moon.py:MOONS',
            f"il n'y a pas de catalogue « {name} » ; donnez shapes, ou un fichier et un Catalogue qu'il définit, comme moon.py:MOONS",
        )
    return WorldSource(catalogue, name.rpartition(":")[2].lower())


def longest_captions(catalogue: Catalogue) -> list[str]:
    """Captions of a catalogue among which the longest is: of each object with size and colour, several alike, and twice in a pair."""
    objects = [Mention(*(thing.name for thing in each)) for each in product(catalogue.shapes, catalogue.colours, catalogue.sizes)]
    said = [Description((each,), count) for each in objects for count in (1, 2, 3, 4)]
    said += [Description((each, each), relation=relation) for each in objects for relation in (None, *RELATIONS)]
    return [way for description in said for language in LANGUAGES for way in phrasings(description, language, catalogue)]


class WorldSource:
    """Scenes of a catalogue with captions of its grammar, without end, as a source (`source.Source`)."""

    size: int | None = None

    def __init__(self, catalogue: Catalogue = SHAPES, name: str = "world"):
        self.catalogue = catalogue
        self.name = name
        self.domain = ClosedDomain(catalogue)
        self.tokenizer = caption_tokenizer() if catalogue is SHAPES else train_tokenizer(catalogue)
        self.text_length = None if catalogue is SHAPES else max(self.tokenizer.lengths(longest_captions(catalogue)))

    @cached_property
    def fingerprint(self) -> str:
        """The world's number, or a digest of its catalogue where it is another."""
        return f"world {world_of(self.catalogue)}"

    def series(self, seed: int) -> World:
        """The series of a stage of training: scenes that show no held-out combination, with captions for practice."""
        return World(ENDLESS, seed, kinds=PRACTICE, catalogue=self.catalogue)

    def held_out(self, n: int) -> Batch:
        """`n` scenes with held-out combinations; scenes of another seed where the catalogue holds nothing out."""
        split = "held_out" if self.catalogue.held_out_objects or self.catalogue.held_out_relations else "all"
        scenes = World(n, _HELD_OUT_SEED, split, kinds=PRACTICE, catalogue=self.catalogue)
        return scenes.collate([scenes[index] for index in range(n)])

    def remarks(self, batch_size: int | None = None) -> list[str]:
        """Nothing: the world has no surprises."""
        return []
