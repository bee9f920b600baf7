"""What depends on the device: which one is chosen, whether it has bfloat16, and layers that are laid out for it."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from emulated.metal import emulated_metal

from dalle_edu.device import choose_device, linear_for, off_metal
from dalle_edu.errors import DalleEduError
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run


@pytest.mark.parametrize("rows", [1, 2, 4, 64])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_layer_laid_out_for_its_rows_is_the_same_layer(rows, dtype, generator):
    weight = torch.randn(48, 40, dtype=dtype, generator=generator)
    x = torch.randn(rows, 40, dtype=dtype, generator=generator)
    assert torch.allclose(linear_for(weight, rows)(x), F.linear(x, weight), atol=1e-4)
    assert not torch.allclose(linear_for(weight + 0.1, rows)(x), F.linear(x, weight), atol=1e-2)


def test_it_serves_other_numbers_of_rows_too(generator):
    weight, x = torch.randn(8, 16, generator=generator), torch.randn(5, 16, generator=generator)
    assert torch.allclose(linear_for(weight, 3)(x), F.linear(x, weight), atol=1e-5)


def test_where_the_operators_are_missing_it_is_plain(monkeypatch, generator):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    weight, x = torch.randn(8, 16, generator=generator), torch.randn(4, 16, generator=generator)
    assert torch.equal(linear_for(weight, 4)(x), F.linear(x, weight))


# ---------------------------------------------------------------- which device, and bfloat16 on it


@pytest.fixture
def two_gpus(monkeypatch) -> Callable[..., None]:
    """A machine whose CUDA devices have these compute capabilities; the current one is the first. As on the oldest of them, bfloat16 is
    emulated where it is not there, and torch says that it is supported.
    """

    def there_are(*capabilities: tuple[int, int]) -> None:
        def capability(device: torch.device | None = None) -> tuple[int, int]:
            return capabilities[torch.device(device or "cuda").index or 0]

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(capabilities))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: f"GPU {torch.device(device).index or 0}")
        monkeypatch.setattr(torch.cuda, "get_device_capability", capability)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)

    return there_are


@pytest.mark.parametrize(("capability", "bfloat16"), [((7, 0), False), ((7, 5), False), ((8, 0), True), ((8, 9), True), ((9, 0), True)])
def test_bfloat16_is_used_where_the_gpu_has_it_and_not_where_it_is_emulated(two_gpus, capability, bfloat16):
    two_gpus(capability)
    place = choose_device()
    assert place.torch_device.type == "cuda"
    assert place.bfloat16 is bfloat16
    assert place.autocast()._enabled is bfloat16 or not torch.amp.is_autocast_available("cuda")
    assert ("has no bfloat16" in place.remark) is not bfloat16
    assert ("fp32" in str(place)) is not bfloat16


def test_the_device_that_is_named_is_asked_and_not_the_current_one(two_gpus):
    two_gpus((9, 0), (7, 5))
    assert choose_device("cuda:0").bfloat16
    assert not choose_device("cuda:1").bfloat16
    assert not choose_device(torch.device("cuda", 1)).bfloat16
    assert choose_device("cuda:1").remark == (
        "GPU 1 has no bfloat16 (compute capability 7.5; 8.0 is needed), so it computes in float32, more slowly"
    )


def test_the_reason_is_told_once_and_by_training(monkeypatch, capsys, tmp_path):
    place = choose_device("cpu")
    monkeypatch.setattr("dalle_edu.training.loop.choose_device", lambda wanted: place.__class__(place.torch_device, False, "T4", "slowly"))
    monkeypatch.setattr("dalle_edu.training.loop.Trainer.go", lambda trainer, _: trainer.system)
    for quiet, times in ((False, 1), (True, 0)):
        train(Run("dalle1", updates=10, exam=0), tmp_path, quiet=quiet)
        assert capsys.readouterr().err.count("slowly") == times


@pytest.mark.parametrize("wanted", ["gpu", "", 5.5, [1], "tpu:0", "meta", "xpu", "cuda:x"])
def test_what_is_no_device_is_refused_in_one_sentence(wanted, no_shape_checking):
    with pytest.raises(DalleEduError, match="the device "):
        choose_device(wanted)


def test_only_tensors_of_apples_gpu_go_to_the_cpu():
    x = torch.ones(2)
    assert off_metal(x) is x
    with emulated_metal() as metal:
        assert off_metal(x.to(metal)).device.type == "cpu"
