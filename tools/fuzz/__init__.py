"""`make fuzz`: bad inputs of every kind, a thousand of them, and what the library makes of each.

Any input must end in one sentence, within 20 seconds and 2 GiB, and leave no file behind. Each kind of input has a maker in `KINDS`, which
makes an input from a seed; `pool.py` tries them in processes of their own, and `trial.py` tries one.
"""

from tools.fuzz import commands, critics, data, paths, weights
from tools.fuzz.trial import Maker

KINDS: dict[str, Maker] = {**weights.KINDS, **paths.KINDS, **commands.KINDS, **data.KINDS, **critics.KINDS}
