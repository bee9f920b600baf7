"""What every test shares: one thread, no chance, and no GPU test where there is no GPU."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings
from networks import hub, no_network, server, silence  # noqa: F401  fixtures

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the peers are built from configurations, never fetched
os.environ["DALLE_EDU_LANGUAGE"] = "en"  # whatever the locale of the machine

settings.register_profile("dalle_edu", derandomize=True, deadline=None, max_examples=50, database=None)
settings.load_profile("dalle_edu")
torch.set_num_threads(1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device, and torch sees none")


@pytest.fixture(scope="session", autouse=True)
def desk_of_the_tests(tmp_path_factory) -> Iterator[Path]:
    """What lessons keep goes to a folder of the tests, and never to the reader's own."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DALLE_EDU_DESK", str(tmp_path_factory.mktemp("desk")))
        yield Path(os.environ["DALLE_EDU_DESK"])


@pytest.fixture
def direct(monkeypatch, tmp_path) -> str:
    """A system from outside the package, by its name on the command line, in a folder of the test's own; no other test knows it."""
    from dalle_edu.systems.interface import registry

    shutil.copy(Path(__file__).parent / "outside" / "direct.py", tmp_path)
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.chdir(tmp_path)
    return "direct.py:Direct"


@pytest.fixture
def generator() -> torch.Generator:
    """A source of chance that every test starts anew."""
    return torch.Generator().manual_seed(0)


@pytest.fixture
def no_shape_checking() -> Iterator[None]:
    """What a reader meets: the library's own errors, without the type checker of the tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process; returns the exit status, standard output and standard error."""
    from dalle_edu import cli

    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dalle-edu", *map(str, words)])
        try:
            cli.main()
            status = 0
        except SystemExit as stop:
            status = stop.code or 0
        captured = capsys.readouterr()
        return int(status), captured.out, captured.err

    return call
