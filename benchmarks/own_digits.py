"""How often a system trained on digits draws the one that it is asked for, by a classifier that learned from other digits.

    dalle-edu train dalle1 --data digits --minutes 12 --run runs/digits
    python -m benchmarks.own_digits runs/digits/dalle1.safetensors

The classifier, scikit-learn's support vector machine, learns from the digits that are held out of training. What it makes of the digits
that the system was trained on says how far it can be believed.
"""

import argparse
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import dalle_edu
from dalle_edu.datasets.captioned_source import CaptionedSource
from dalle_edu.datasets.digits import Digits
from dalle_edu.datasets.mnist import DIGITS
from dalle_edu.scorecard import Rate


def labels_of(captions: list[str]) -> list[int]:
    """The digit that each caption names, in English or in French."""
    names = [{DIGITS["en"][digit], DIGITS["fr"][digit]} for digit in range(10)]
    return [next(digit for digit in range(10) if names[digit] & set(caption.split())) for caption in captions]


def as_features(images: Tensor) -> Any:
    """Pictures as rows of 8 x 8 greys in [-1, 1]."""
    grey = images.cpu().mean(dim=1, keepdim=True)
    return F.interpolate(grey, size=8, mode="area").flatten(1).numpy()


def main() -> None:
    """Print the two rates."""
    from sklearn.svm import SVC

    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_digits", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("--each", type=int, default=20, help="pictures of each digit in each language")
    asked = parser.parse_args()
    system = dalle_edu.load(asked.weights)
    source = CaptionedSource(Digits(system.resolution))
    held_out, series = source.held_out(1024), source.series(0)
    trained = series.collate([series[i] for i in range(source.size or 0)])
    reader = SVC(C=10.0).fit(as_features(held_out.images(system.resolution)), labels_of(held_out.captions))
    read = reader.predict(as_features(trained.images(system.resolution)))
    right = sum(int(a == b) for a, b in zip(read, labels_of(trained.captions), strict=True))
    print(f"the classifier, of {len(held_out.captions)} other digits, reads {Rate(len(read), right)} of those trained on")
    prompts = sorted(set(trained.captions)) * asked.each
    with torch.no_grad():
        drawn = torch.cat([system.generate(prompts[i : i + 100], seed=i) for i in range(0, len(prompts), 100)])
    wanted, found = labels_of(prompts), reader.predict(as_features(drawn))
    for digit in range(10):
        mine = [int(b) for a, b in zip(wanted, found, strict=True) if a == digit]
        print(f"{digit}: {sum(each == digit for each in mine)} of {len(mine)}")
    print(f"as asked: {Rate(len(wanted), sum(int(a == b) for a, b in zip(wanted, found, strict=True)))}")


if __name__ == "__main__":
    main()
