"""Loading leaves no trace in the process: what other threads build meanwhile is initialised as ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from tiny_systems import TINY, build
from torch import Tensor, nn

from dalle_edu.loading import load_model
from dalle_edu.systems.interface.trainable import WithoutInitialisation

FILLS = ("normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "ones_", "zeros_")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    for name in TINY:
        build(name).save(folder / f"{name}.safetensors", dtype=torch.float32)
    return {name: folder / f"{name}.safetensors" for name in TINY}


@torch.no_grad()
def check_fresh(weights: Tensor, deviation: float) -> None:
    assert bool(weights.isfinite().all())
    assert weights.unique().numel() > 0.9 * weights.numel()
    assert 0.8 * deviation < float(weights.std()) < 1.2 * deviation


def test_what_is_built_while_weights_are_loaded_is_initialised(files):
    functions = {name: getattr(nn.init, name) for name in FILLS}
    methods = {name: getattr(Tensor, name) for name in ("normal_", "uniform_")}
    stop = threading.Event()

    def load_again_and_again(name: str) -> int:
        loaded = 0
        while not stop.is_set() or not loaded:
            model = load_model(files[name])
            assert not any(parameter.isnan().any() for parameter in model.parameters())
            loaded += 1
        return loaded

    built = 0
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(load_again_and_again, name) for name in ("dalle1", "dalle_mini", "dalle2", "imagen")]
        try:
            while built < 150 or not all(each.running() or each.done() for each in running):
                embedding, linear = nn.Embedding(20, 30), nn.Linear(25, 40)
                check_fresh(embedding.weight, 1.0)
                check_fresh(linear.weight, 3**-0.5 / 5)
                assert embedding.weight.device.type == linear.weight.device.type == "cpu"
                assert all(getattr(nn.init, name) is function for name, function in functions.items())
                assert all(getattr(Tensor, name) is method for name, method in methods.items())
                built += 1
        finally:
            stop.set()
        assert all(each.result() >= 1 for each in running)
    assert all(getattr(nn.init, name) is function for name, function in functions.items())


def test_loaded_in_four_threads_at_once_weights_are_those_of_the_file(files):
    with ThreadPoolExecutor(4) as threads:
        models = list(threads.map(load_model, list(files.values()) * 4))
    for name, model in zip(list(files) * 4, models, strict=True):
        expected = build(name).state_dict()
        assert expected.keys() == model.state_dict().keys()
        assert all(torch.equal(value, expected[key]) for key, value in model.state_dict().items())


def test_loading_leaves_the_chance_of_others_alone(files):
    torch.manual_seed(4)
    before = torch.get_rng_state()
    for path in files.values():
        load_model(path)
    assert torch.equal(torch.get_rng_state(), before)


def test_initialisation_is_left_out_in_the_block_alone():
    with torch.device("meta"), WithoutInitialisation():
        assert nn.Linear(3, 4).weight.is_meta
    with WithoutInitialisation():
        kept = torch.full((4, 5), 7.0)
        for fill in (nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_):
            assert fill(kept) is kept
        assert bool((kept == 7.0).all())
        assert bool((kept + 1 == 8.0).all())  # all else is computed
    check_fresh(nn.Embedding(20, 30).weight, 1.0)
    check_fresh(nn.Linear(25, 40).weight, 3**-0.5 / 5)


def test_a_block_that_ends_in_an_error_is_left_too():
    with pytest.raises(ValueError, match="stop"), WithoutInitialisation():
        raise ValueError("stop")
    check_fresh(nn.Embedding(20, 30).weight, 1.0)
