"""Any data set of captioned pictures as a source to train on.

    source = CaptionedSource(Folder("holidays", resolution=64, keep=room_for_pictures()))
    print(*source.remarks(), sep="\\n")       # how many are held out, what was shortened, what nothing can be learned from

Its tokenizer and its domain come of the training captions alone.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable

from dalle_edu.datasets.captioned_dataset import CaptionedDataset
from dalle_edu.datasets.captioned_series import CaptionedBatch, CaptionedSeries, batch_of
from dalle_edu.datasets.report import shown
from dalle_edu.datasets.split import ENOUGH, held_out_names
from dalle_edu.language import comma, say
from dalle_edu.world.domain import MOST_WORDS, OpenDomain
from dalle_edu.world.tokenizer import MOST_BYTES, MOST_OPEN_TOKENS, CaptionTokenizer, train_open_tokenizer
from dalle_edu.world.words import normal_words

LONGEST = 64  # tokens of a caption; what comes after them is cut off
ROOM = 20  # tokens that a prompt may have, however short the captions are: a word that they do not have takes several


class CaptionedSource:
    """A data set as a source (`source.Source`). About a tenth of its pictures are held out, by their names (`split.py`).

    The tokenizer is a byte-level BPE of at most `vocabulary_size` tokens. Captions of more than `longest` tokens are shortened. Pictures
    are read from memory where the data set keeps them (`keep`), and are decoded by those who take them otherwise.
    """

    def __init__(self, dataset: CaptionedDataset, vocabulary_size: int = MOST_OPEN_TOKENS, longest: int = LONGEST):
        names = [pair.name for pair in dataset.pairs]
        held_out = {name: rank for rank, name in enumerate(held_out_names(names))}
        self.dataset, self.name = dataset, dataset.name
        self.items = [item for item, name in enumerate(names) if name not in held_out]
        self.items_held_out = sorted((item for item, name in enumerate(names) if name in held_out), key=lambda item: held_out[names[item]])
        self.size: int | None = len(self.items)
        self.fingerprint = _fingerprint(dataset)

        given = [tuple(caption[: MOST_BYTES * longest + 1] for caption in pair.captions) for pair in dataset.pairs]
        self.tokenizer = train_open_tokenizer((caption for item in self.items for caption in given[item]), vocabulary_size)
        learned = {caption for item in self.items for caption in given[item]}
        lengths = _lengths(self.tokenizer, {caption for captions in given for caption in captions})
        self.text_length: int | None = min(longest, max(ROOM, *(lengths[caption] for caption in learned)))
        fitting = {
            caption: caption if tokens <= self.text_length else self.tokenizer.shortened(caption, self.text_length)
            for caption, tokens in lengths.items()
        }
        self.captions = [tuple(fitting[caption] for caption in captions) for captions in given]
        self.shortened = sum(lengths[caption] > self.text_length for captions in given for caption in captions)
        self.same_caption = len({fitting[caption] for caption in learned}) == 1
        self.domain = OpenDomain(_words(fitting[caption] for caption in learned))

    def series(self, seed: int) -> CaptionedSeries:
        """The endless series of a stage of training: each picture once an epoch, with a caption that the seed and the number choose."""
        return CaptionedSeries(self.dataset, self.items, self.captions, seed)

    def held_out(self, n: int) -> CaptionedBatch:
        """At most `n` captioned pictures that training never shows, always the same. There may be none.

        Raises `DalleEduError` where one has become bad since the data set opened.
        """
        chosen = self.items_held_out[:n]
        pixels = [self.dataset.pixels(item) for item in chosen]
        captions = [random.Random(repr(self.dataset.pairs[item].name)).choice(self.captions[item]) for item in chosen]
        return batch_of(list(zip(pixels, captions, strict=True)), self.dataset.resolution)

    def remarks(self, batch_size: int | None = None) -> list[str]:
        """What to say before training, in the reader's language: what is held out, shortened, left out, and what cannot be learned.

        With the size of a batch, also where an epoch is shorter than a batch.
        """
        n, held = self.size or 0, len(self.items_held_out)
        told = [say(f"pictures to train on: {n}; held out: {held}", f"images pour l'entraînement : {n} ; réservées : {held}")]
        if self.dataset.report.left_out:
            told += str(self.dataset.report).splitlines()
        if not held:
            told.append(
                say(
                    f"nothing is held out of fewer than {ENOUGH} pictures, so nothing says how well new ones are understood",
                    f"rien n'est réservé sous {ENOUGH} images, donc rien ne dit comment de nouvelles sont comprises",
                )
            )
        if self.shortened:
            told.append(
                say(
                    f"captions shortened to {self.text_length} tokens: {self.shortened}",
                    f"légendes raccourcies à {self.text_length} jetons : {self.shortened}",
                )
            )
        if self.same_caption:
            told.append(
                say(
                    "all captions are the same: nothing can be learned from words; write captions that differ where pictures do",
                    "toutes les légendes sont les mêmes : rien ne peut s'apprendre des mots ; écrivez des légendes qui diffèrent quand les "
                    "images diffèrent",
                )
            )
        if self.dataset.uniform:
            told.append(_of_one_colour(self.dataset.uniform))
        if batch_size is not None and n < batch_size:
            told.append(
                say(
                    f"a batch of {batch_size} is more than an epoch of {n}: it shows each picture about {batch_size / n:.1f} times",
                    f"un lot de {batch_size} dépasse une époque de {n} : il montre chaque image environ {comma(batch_size / n)} fois",
                )
            )
        return told


def _of_one_colour(names: list[str]) -> str:
    listed, more = ", ".join(shown(name) for name in names[:3]), "…" * (len(names) > 3)
    return say(
        f"pictures of one colour all over, as a single pixel is: {len(names)} ({listed}{more}); little can be learned from them",
        f"images d'une seule couleur, comme l'est un seul pixel : {len(names)} ({listed}{more}) ; on en apprend peu",
    )


def _fingerprint(dataset: CaptionedDataset) -> str:
    """The kind of a data set, the number of its items, and a digest of their names, captions and sizes."""
    digest = hashlib.sha256()
    for pair, size in zip(dataset.pairs, dataset.sizes, strict=True):
        digest.update(json.dumps([pair.name, pair.captions, size]).encode() + b"\n")
    return f"{type(dataset).__name__.lower()} {len(dataset.pairs)} {digest.hexdigest()[:16]}"


def _lengths(tokenizer: CaptionTokenizer, captions: Iterable[str]) -> dict[str, int]:
    """The number of tokens of each caption."""
    ordered = sorted(captions)
    return dict(zip(ordered, tokenizer.lengths(ordered), strict=True))


def _words(captions: Iterable[str]) -> tuple[str, ...]:
    """The words of captions in normalised form, in the order of the alphabet: the most frequent where there are too many."""
    counts = Counter(word for caption in captions for word in normal_words(caption))
    if len(counts) > MOST_WORDS:
        counts = Counter(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]))
    return tuple(sorted(counts))
