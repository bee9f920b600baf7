"""What every method that draws does first, so that a seed has one picture whatever
the state of PyTorch around the call.

`drawing` is the decorator of these methods. Under an outer autocast, matrix
products would be rounded otherwise; in inference mode, no picture could be
optimised; and weights in half or double precision draw other pictures, or none.
The arguments that all of them take are read in `arguments.py`, and what they tell
on the way is in `progress.py`.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from torch import nn

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.arguments import drawing_arguments
from dalle_edu.systems.interface.progress import shown

Method = TypeVar("Method", bound=Callable[..., Any])


def drawing(method: Method) -> Method:
    """A decorator for the methods of a system that draw: they run in float32,
    without autocast and without gradients, and their argument `seed` is checked.

    Those that begin with `prompts` take one sentence too, `n`, the number of
    pictures of each, side by side, and `generator`, from which the seed is drawn.
    Those that have a parameter `callback` take `progress` too: True shows a bar,
    False none, and None one where somebody waits. Others leave both to what they
    call. They raise `DalleEduError` as `drawing_arguments` and `shown` do, and for
    a system whose weights are not in float32.
    """
    signature = inspect.signature(method)
    tells = "callback" in signature.parameters

    @wraps(method)
    def drawn(self: Any, *args: Any, **options: Any) -> Any:
        progress = options.pop("progress", None) if tells else None
        given = drawing_arguments(signature, (self, *args), options)
        check_precision(self)
        off = torch.autocast(self.device.type, enabled=False)
        with torch.inference_mode(False), torch.no_grad(), off:
            if not tells:
                return method(*given.args, **given.kwargs)
            callback = given.arguments.get("callback")
            with shown(callback, self.name, progress) as told:
                given.arguments["callback"] = told
                return method(*given.args, **given.kwargs)

    return cast(Method, drawn)


def check_precision(model: nn.Module) -> None:
    """Raise `DalleEduError` unless all weights are in float32, the only precision
    that this library draws and compares in.
    """
    for weight in model.parameters():
        if weight.dtype != torch.float32:
            name = getattr(model, "name", type(model).__name__)
            found = str(weight.dtype).removeprefix("torch.")
            raise DalleEduError(
                f"the weights of {name} are in {found}, and it works in float32; "
                "call .float() on it first",
                f"les poids de {name} sont en {found}, et il travaille en "
                "float32 ; appelez d'abord .float() sur lui",
            )
