"""Apple's GPU, emulated on the CPU: tensors that say that they are on "mps", and refuse what Metal refuses.

Refused are float64 in any form, operations that mix them with a CPU tensor (one without dimensions may join in), random numbers from a
generator of another device, and operations that this version of torch does not implement for Metal, in the backward pass too. There is no
fallback to the CPU. A test is given the device by `emulated_metal`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torchgen
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

MPS = torch.device("mps", 0)
_aten = torch.ops.aten
_COPIES = (_aten._to_copy.default, _aten.copy_.default)  # what may take a tensor from a device to another
_RESHAPED_IN_PLACE = ("aten::squeeze_", "aten::unsqueeze_", "aten::t_", "aten::transpose_")
_NO_DOUBLE = (
    "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. Please use float32 instead."  # as Metal
)
_ONE_DEVICE = "Expected all tensors to be on the same device, but found at least two devices, mps:0 and cpu!"


class MetalTensor(Tensor):
    """A tensor on the emulated device. `held` is the CPU tensor that does its work."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl
    is_mps, is_cpu = True, False

    @staticmethod
    def __new__(cls, held: Tensor) -> "MetalTensor":
        if held.dtype == torch.float64:
            raise TypeError(_NO_DOUBLE)
        layout: Any = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        return Tensor._make_wrapper_subclass(cls, held.shape, device="cpu", **layout)  # type: ignore[attr-defined]

    def __init__(self, held: Tensor):
        self.held = held

    def __repr__(self, **_: Any) -> str:
        return f"{self.held.detach()!r} on mps"

    device = property(lambda self: MPS)  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _compute(func, args, kwargs or {})


_Generator = torch.Generator


class MetalGenerator(_Generator):
    """A generator of the emulated device."""

    device = property(lambda self: MPS)  # type: ignore[assignment]


class _AnyGenerator(type(_Generator)):  # type: ignore[misc]
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _Generator)


class _MadeGenerator(_Generator, metaclass=_AnyGenerator):
    """`torch.Generator` where there is an Apple GPU: a generator of the device that it is given."""

    def __new__(cls, device: torch.device | str = "cpu"):  # type: ignore[misc]
        return MetalGenerator() if torch.device(device).type == "mps" else _Generator(device)


def _compute(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The result of an operation, on the CPU, and then on Metal if it is to be there. Raises what Metal raises."""
    tensors = [leaf for leaf in _leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    on_metal = [tensor for tensor in tensors if isinstance(tensor, MetalTensor)]
    asked = kwargs.get("device")
    if func is _aten._to_copy.default and asked is not None and not _Functions.inside:
        there = asked.type == "mps"
    else:  # inside a function torch asks for the device that a wrapper tells it, the CPU
        there = bool(on_metal) or getattr(asked, "type", "") == "mps" or (_Functions.inside and not tensors)
    if not on_metal and not there:
        return func(*args, **kwargs)
    if kwargs.get("dtype") == torch.float64:
        raise TypeError(_NO_DOUBLE)
    if func not in _COPIES:
        if any(tensor.ndim for tensor in tensors if not isinstance(tensor, MetalTensor)):
            raise RuntimeError(f"{_ONE_DEVICE} ({func})")
        if not _implemented(func) or _repeats_the_border(func, args):
            raise NotImplementedError(f"The operator '{func}' is not currently implemented for the MPS device.")
    own = {id(tensor.held): tensor for tensor in on_metal}  # what an operation in place gives back

    def put(leaf: Any) -> Any:
        return own.get(id(leaf)) if id(leaf) in own else MetalTensor(leaf) if isinstance(leaf, Tensor) and there else leaf

    def take(leaf: Any) -> Any:
        return leaf.held if isinstance(leaf, MetalTensor) else leaf

    kwargs = kwargs | ({"device": torch.device("cpu")} if asked is not None else {})
    given = _mapped(take, args)
    if func._schema.name in _RESHAPED_IN_PLACE:
        with torch._C._DisableTorchDispatch():  # type: ignore[attr-defined]
            func(*args)  # the wrapper's own shape
    return _mapped(put, func(*given, **_mapped(take, kwargs)))


def _leaves(value: Any) -> Iterator[Any]:
    """What lists, tuples and dictionaries within one another hold. (PyTorch's own trees are several times slower.)"""
    if isinstance(value, list | tuple | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
    else:
        yield value


def _mapped(change: Any, value: Any) -> Any:
    """Lists, tuples and dictionaries within one another, with what they hold changed."""
    if isinstance(value, dict):
        return {name: _mapped(change, each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(_mapped(change, each) for each in value)
    return change(value)


@cache
def _kernels() -> dict[str, tuple[str, str]]:
    """By name of an operation of torch: the operation that it delegates to, or "", and the text of its dispatch table, or ""."""
    text = (Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml").read_text(encoding="utf-8")
    found = {}
    for block in re.split(r"\n- func: ", text)[1:]:
        delegate = re.search(r"\n  structured_delegate: (\S+)", block)
        table = re.search(r"\n  dispatch:\n((?:    .*\n?)+)", block)
        found[block.partition("(")[0]] = (delegate[1] if delegate else "", table[1] if table else "")
    return found


def _implemented(func: Any) -> bool:
    """Whether this version of torch has a kernel of an operation for Metal, or makes it of others."""
    if func.namespace != "aten":
        return False
    name = func._schema.name.removeprefix("aten::") + (f".{func._schema.overload_name}" if func._schema.overload_name else "")
    delegate, table = _kernels().get(name, ("", ""))
    if delegate:
        _, table = _kernels()[delegate]
    return not table or "MPS" in table or "Composite" in table


def _repeats_the_border(func: Any, args: Any) -> bool:
    """Whether an operation is `grid_sample` with the border's pixels repeated, which Metal's kernel refuses."""
    numbers = [arg for arg in args if type(arg) is int]
    return func._schema.name.startswith("aten::grid_sampler_2d") and numbers[1] == 1


class _Functions(TorchFunctionMode):
    """What is decided before an operation is dispatched: devices by name, generators, and the ways out to Python and NumPy.

    `inside` is true during a function of Metal's tensors, whose own new tensors are on Metal too.
    """

    inside = False

    @classmethod
    @contextmanager
    def inside_of(cls, on_metal: bool) -> Iterator[None]:
        """A context in which `inside` is as given."""
        before, cls.inside = cls.inside, on_metal
        try:
            yield
        finally:
            cls.inside = before

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "__get__":  # an attribute
            return func(*args, **kwargs)
        leaves = list(_leaves((args, kwargs)))
        if any(isinstance(leaf, torch.device | str) for leaf in leaves):
            args, kwargs = _mapped(_numbered, args), _mapped(_numbered, kwargs)
        on_metal = any(isinstance(leaf, MetalTensor) for leaf in leaves)
        there = on_metal or getattr(kwargs.get("device"), "type", "") == "mps"
        for leaf in leaves:
            if isinstance(leaf, _Generator) and isinstance(leaf, MetalGenerator) != there:
                wanted, came = ("mps", "cpu") if there else ("cpu", "mps")
                raise RuntimeError(f"Expected a '{wanted}' device type for generator but found '{came}'")
        if func in (torch.tensor, torch.as_tensor) and there:
            device = kwargs.pop("device")
            return func(*args, **kwargs).to(device)
        if func in (Tensor.to, Tensor.cpu) and (on_metal or MPS in args or there):
            return _moved(*args, **kwargs) if func is Tensor.to else _moved(args[0], torch.device("cpu"))
        if on_metal and func is torch.nn.functional.scaled_dot_product_attention:  # on the CPU, another kernel than Metal's
            with sdpa_kernel(SDPBackend.MATH):
                return func(*args, **kwargs)
        if on_metal and func in (Tensor.numpy, Tensor.__array__):
            raise TypeError("can't convert mps:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.")
        if on_metal and func is Tensor.tolist:
            return args[0].held.tolist()
        with self.inside_of(on_metal):
            return func(*args, **kwargs)


def _moved(tensor: Tensor, *args: Any, copy: bool = False, **kwargs: Any) -> Tensor:
    """What `Tensor.to` gives where one of the tensors is on Metal."""
    like = next((each for each in args if isinstance(each, Tensor)), None)
    device, dtype, _, memory_format = torch._C._nn._parse_to(*args, **kwargs)
    device = like.device if like is not None else device or tensor.device
    dtype = dtype or tensor.dtype
    if (device, dtype) == (tensor.device, tensor.dtype) and not copy and memory_format is None:
        return tensor
    return _Move.apply(tensor, device, dtype, memory_format)


class _Move(torch.autograd.Function):
    """A copy on another device or in another dtype, whose gradient comes back to where the tensor is."""

    @staticmethod
    def forward(ctx, tensor, device, dtype, memory_format):
        ctx.back = (tensor.device, tensor.dtype)
        with _Functions.inside_of(False):
            return _aten._to_copy(tensor, dtype=dtype, device=device, memory_format=memory_format)

    @staticmethod
    def backward(ctx, gradient):
        return _moved(gradient, *ctx.back), None, None, None


def _numbered(leaf: Any) -> Any:
    """A device that is called "mps" as the first of its kind, since torch would ask the device's driver, which is not there."""
    named = isinstance(leaf, torch.device) or leaf == "mps" if isinstance(leaf, torch.device | str) else False
    return MPS if named and torch.device(leaf).type == "mps" else leaf


class _Operations(TorchDispatchMode):
    """Every operation, those of the backward pass among them."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _compute(func, args, kwargs or {})


@contextmanager
def emulated_metal() -> Iterator[torch.device]:
    """A context in which this machine has an Apple GPU, which `choose_device` prefers. `with` gives the device."""
    with pytest.MonkeyPatch.context() as patch, _Functions(), _Operations():
        patch.setattr(torch, "Generator", _MadeGenerator)
        patch.setattr(torch, "inference_mode", lambda mode=True: torch.no_grad() if mode else nullcontext())  # wrappers cannot enter it
        patch.setattr(torch.backends.mps, "is_available", lambda: True)
        patch.setattr(torch.__future__, "_overwrite_module_params_on_conversion", True)  # a module's weights move as new parameters
        yield torch.device("mps")
