"""What a run draws by lot: scenes and random numbers of their own for each stage and update, the same each time."""

from dataclasses import replace
from typing import Any

import torch
from tiny_training import RUN

from dalle_edu.systems.dalle1 import DallE1
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run

SHORT = replace(RUN, updates=12, batch_size=2, exam=0, save_every=60.0)


def watched(monkeypatch, tmp_path, run: Run) -> list[dict[str, Any]]:
    """What the loss is called with, update after update."""
    calls: list[dict[str, Any]] = []
    real = DallE1.loss

    def loss(self: DallE1, images: Any, captions: Any, *, stage: Any, progress: Any, generator: Any) -> Any:
        state = generator.get_state()
        calls.append({"stage": stage, "captions": list(captions), "chance": bytes(state.tolist()), "images": images, "progress": progress})
        return real(self, images, captions, stage=stage, progress=progress, generator=generator)

    with monkeypatch.context() as patched:
        patched.setattr(DallE1, "loss", loss)
        train(run, tmp_path / f"{run.seed}-{len(list(tmp_path.iterdir()))}", device="cpu", quiet=True)
    return calls


def test_each_update_has_scenes_and_random_numbers_of_its_own_and_the_same_run_has_the_same(monkeypatch, tmp_path):
    first, again, other = (watched(monkeypatch, tmp_path, replace(SHORT, seed=seed)) for seed in (3, 3, 4))
    assert len(first) == 12
    assert len({call["stage"] for call in first}) == 3
    for part in ("chance", "captions"):
        met = [str(call[part]) for call in (*first, *other)]
        assert len(set(met)) == len(met), part  # whatever the seed, the stage and the update
        assert met[:12] == [str(call[part]) for call in again]
    for one, same in zip(first, again, strict=True):
        assert torch.equal(one["images"], same["images"])
    assert [call["progress"] for call in first if call["stage"] == "codec"] == [i / 8 for i in range(8)]
