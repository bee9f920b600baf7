"""The arguments that every method that draws takes alike: one sentence or several,
how many pictures of each, and where its chance comes from.
"""

import inspect
from collections.abc import Iterable
from itertools import islice
from numbers import Integral
from typing import Any

import torch

from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import check_seed
from dalle_edu.systems.interface.checks import MAX_IMAGES


def drawing_arguments(
    signature: inspect.Signature, args: tuple, options: dict[str, Any]
) -> inspect.BoundArguments:
    """The arguments of a call of a method that draws, bound to its parameters.

    Where the method begins with `prompts`, one sentence becomes a list, `n` repeats
    each, and `generator` becomes a seed. A seed is checked. Raises `DalleEduError`
    for what `check_seed` and `check_count` refuse, and for both a seed and a
    generator.
    """
    n = generator = None
    reads = list(signature.parameters)[1:2] == ["prompts"]
    if reads:
        n, generator = options.pop("n", None), options.pop("generator", None)
    given = signature.bind(*args, **options)
    if reads:
        given.arguments["prompts"] = _repeated(given.arguments["prompts"], n)
    if generator is not None:
        given.arguments["seed"] = _seed_from(generator, given.arguments)
    if "seed" in given.arguments:
        given.arguments["seed"] = check_seed(given.arguments["seed"])
    return given


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
