"""`python -m benchmarks`: a line on the machine, then the tables of sampling and of training."""

import argparse
import sys
from importlib.util import find_spec

import torch

from benchmarks import sampling, training
from benchmarks.measuring import machine


def main() -> None:
    """`python -m benchmarks [--quick]`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds: a minute and a half rather than five, and noisier")
    quick = parser.parse_args().quick
    missing = [name for name in ("transformers", "x_transformers") if find_spec(name) is None]
    if missing:
        sys.exit(f"the peers to compare with are missing ({', '.join(missing)}); install them with: pip install -e '.[peers]'")
    torch.set_num_threads(1)
    print(f"{machine()}\n\n## Sampling\n\n{sampling.measure(3 if quick else 9)}\n", flush=True)
    print(f"## Training\n\n{training.measure(updates=4 if quick else 8, rounds=1 if quick else 3)}")


if __name__ == "__main__":
    main()
