"""`python -m tools.fuzz --inputs 1000`: try bad inputs, and end with an error while one is not told in a sentence."""

import argparse
import collections
import os
import sys
import tempfile
import time

from tools.fuzz import KINDS
from tools.fuzz.pool import tried
from tools.fuzz.trial import SECONDS, attempt, make


def main() -> None:
    """Print the faults as they are found, then how many inputs of each kind there were. Raises `SystemExit` where there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--only", metavar="KIND/NUMBER", help="one input, in this process, and what it says")
    options = parser.parse_args()
    if options.only:
        kind, _, number = options.only.partition("/")
        trial = make(KINDS[kind], kind, options.seed, int(number))
        print(trial.says, trial.words, attempt(trial), sep="\n")
        return
    each, rest = divmod(options.inputs, len(options.kinds))
    jobs = [(kind, number) for place, kind in enumerate(options.kinds) for number in range(each + (place < rest))]
    began, faults, slowest = time.monotonic(), collections.Counter[str](), 0.0
    aside = tempfile.TemporaryDirectory(prefix="fuzz_")  # for processes that are ended and cannot tidy up
    os.environ["TMPDIR"] = aside.name
    for (kind, number), says, seconds, verdict in tried(jobs, options.seed, options.workers):
        slowest = max(slowest, seconds)
        if verdict.fault:
            faults[verdict.fault] += 1
            print(f"{verdict.fault}: {kind}/{number} {says!r}: {verdict.said.strip()[-600:]!r}", flush=True)
    kinds = ", ".join(f"{count} {fault}" for fault, count in sorted(faults.items())) or "no fault"
    took = time.monotonic() - began
    print(f"{len(jobs)} inputs of {len(options.kinds)} kinds: {kinds}; {took:.0f} s, the slowest {slowest:.1f} s of {SECONDS:.0f}")
    aside.cleanup()
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
