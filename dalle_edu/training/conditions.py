"""The conditions of a run: what its weights depend on beside its settings.

A run is repeated bit for bit on the same kind of processor, with as many threads and processes, the same torch and the same precision.
Under other conditions sums are added up in another order, and the weights differ a little, then more and more.
"""

from typing import Any

import torch

from dalle_edu.device import Device, processor_name
from dalle_edu.language import say

_NAMES = {
    "torch": ("torch", "torch"),
    "device": ("device", "appareil"),
    "processor": ("processor", "processeur"),
    "threads": ("threads", "fils"),
    "processes": ("processes", "processus"),
    "pieces": ("pieces of a batch", "morceaux d'un lot"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "compiled": ("compiled", "compilé"),
}


def conditions(place: Device, processes: int, compiled: bool, pieces: int = 1) -> dict[str, Any]:
    """The conditions of this process, on the device `place`, as JSON can hold them. `pieces` is how many a batch is cut into for its
    threads, at most; batches that stay whole are not named, as in earlier versions, which cut none.
    """
    here = {
        "torch": str(torch.__version__),
        "device": place.torch_device.type,
        "processor": processor_name(place.torch_device),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "bfloat16": place.bfloat16,
        "compiled": compiled,
    }
    return here | {"pieces": pieces} if pieces > 1 else here


def differences(then: dict[str, Any], now: dict[str, Any]) -> str | None:
    """The sentence that says in what two conditions differ; None where they do not. What one of them does not name does not count, but
    for the pieces of a batch, of which there was one.
    """
    then, now = ({"pieces": 1} | each if each else each for each in (then, now))
    changed = [name for name in now if name in then and then[name] != now[name]]
    if not changed:
        return None
    listed = ", ".join(f"{say(*_NAMES[name])} {_shown(then[name])} → {_shown(now[name])}" for name in changed)
    return say(
        f"the run goes on under other conditions ({listed}): its weights will differ from those of a run that never stopped; give the same"
        " again for the same weights",
        f"l'entraînement continue dans d'autres conditions ({listed}) : ses poids ne seront pas ceux d'un entraînement jamais arrêté ;"
        " redonnez les mêmes pour avoir les mêmes poids",
    )


def _shown(value: Any) -> str:
    return {True: say("yes", "oui"), False: say("no", "non")}[value] if isinstance(value, bool) else str(value)[:80]
