"""What every method that draws does first, so that a seed has one picture whatever
the state of PyTorch around the call, and that one sentence may be given as it is.

`drawing` is the decorator of these methods. Under an outer autocast, matrix
products would be rounded otherwise; in inference mode, no picture could be
optimised; and weights in half or double precision draw other pictures, or none.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from itertools import islice
from numbers import Integral
from typing import Any, TypeVar, cast

import torch
from torch import nn

from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import check_seed
from dalle_edu.systems.interface.checks import MAX_IMAGES

Method = TypeVar("Method", bound=Callable[..., Any])


def drawing(method: Method) -> Method:
    """A decorator for the methods of a system that draw: they run in float32,
    without autocast and without gradients, and their argument `seed` is checked.

    Those that begin with `prompts` take one sentence too, `n`, the number of
    pictures of each, side by side, and `generator`, from which the seed is drawn.
    They raise `DalleEduError` for what `check_seed` and `check_count` refuse, for
    both a seed and a generator, and for a system whose weights are not in float32.
    """
    signature = inspect.signature(method)
    reads = list(signature.parameters)[1:2] == ["prompts"]

    @wraps(method)
    def drawn(self: Any, *args: Any, **options: Any) -> Any:
        n = options.pop("n", None) if reads else None
        generator = options.pop("generator", None) if reads else None
        given = signature.bind(self, *args, **options)
        if reads:
            given.arguments["prompts"] = _repeated(given.arguments["prompts"], n)
        if generator is not None:
            given.arguments["seed"] = _seed_from(generator, given.arguments)
        if "seed" in given.arguments:
            given.arguments["seed"] = check_seed(given.arguments["seed"])
        check_precision(self)
        off = torch.autocast(self.device.type, enabled=False)
        with torch.inference_mode(False), torch.no_grad(), off:
            return method(*given.args, **given.kwargs)

    return cast(Method, drawn)


def check_count(n: Any) -> int:
    """The number of pictures of each prompt. Raises `DalleEduError` for what is no
    whole number above 0.
    """
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
        raise DalleEduError(
            f"{n!r} pictures of each sentence were asked for; give a whole number "
            "above 0",
            f"{n!r} images de chaque phrase sont demandées ; donnez un nombre "
            "entier au-dessus de 0",
        )
    return int(n)


def _repeated(prompts: Any, n: Any) -> Any:
    """Each prompt n times in a row; one sentence is a list of one. What is no list
    of sentences is left to `check_prompts`, as is their number.
    """
    if isinstance(prompts, str):
        prompts = [prompts]
    if n is None or not isinstance(prompts, Iterable):
        return prompts
    count = check_count(n)
    each = islice(prompts, MAX_IMAGES + 1)
    return [prompt for prompt in each for _ in range(min(count, MAX_IMAGES + 1))]


def _seed_from(generator: Any, arguments: dict[str, Any]) -> int:
    """A seed that is drawn from a generator, which moves on."""
    if "seed" in arguments:
        raise DalleEduError(
            "a seed and a generator were given; give one of them",
            "une graine et un générateur sont donnés ; donnez l'un des deux",
        )
    if not isinstance(generator, torch.Generator):
        raise DalleEduError(
            f"the generator is {generator!r}; give a torch.Generator, or seed=7",
            f"le générateur est {generator!r} ; donnez un torch.Generator, ou "
            "seed=7",
        )
    draw = torch.empty((), dtype=torch.int64, device=generator.device)
    return int(draw.random_(2**62, generator=generator))


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
