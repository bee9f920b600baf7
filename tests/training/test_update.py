"""What the loop composes: the average, the learning rate, the optimisers' groups, what is frozen; each against numbers worked out here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from by_hand import seeded
from tiny_systems import TINY, build, tiny_clip
from tiny_training import RUN
from torch import Tensor, nn

from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.training import loop
from dalle_edu.training.ema import EMA
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.loop import Trainer, train
from dalle_edu.training.muon import Muon
from dalle_edu.training.optimizers import build_optimizers, trained_parameters

STAGES = [(name, stage.name) for name in sorted(TINY) for stage in build(name).stages] + [("clip", "clip")]
SHORT = replace(RUN, updates=20, batch_size=2, exam=0, save_every=60.0)


# ---------------------------------------------------------------- the average


def averaged(start: float, weights: list[float], longest: float) -> float:
    """decay * average + (1 - decay) * weight, with a decay that starts at a tenth and grows."""
    average = start
    for count, weight in enumerate(weights):
        decay = (1 + count) / (10 + count)
        if decay > longest:
            decay = longest
        average = decay * average + (1 - decay) * weight
    return average


@pytest.mark.parametrize(("options", "longest"), [({}, 0.995), ({"decay": 0.5}, 0.5)])
def test_the_average_is_that_of_a_loop_written_by_hand(options, longest):
    weights = torch.randn(20, 3, generator=seeded(), dtype=torch.float64)
    parameters = [("a", nn.Parameter(torch.full((3,), 4.0, dtype=torch.float64))), ("b", nn.Parameter(torch.zeros(1, dtype=torch.float64)))]
    ema = EMA(parameters, **options)
    for count, row in enumerate(weights):
        parameters[0][1].data.copy_(row)
        ema.update(parameters, count)
        expected = [averaged(4.0, weights[: count + 1, i].tolist(), longest) for i in range(3)]
        torch.testing.assert_close(ema.weights["a"], torch.tensor(expected, dtype=torch.float64))
    assert torch.equal(ema.weights["b"], torch.zeros(1, dtype=torch.float64))
    assert torch.equal(parameters[0][1], weights[-1])  # the weights themselves are left alone


def test_the_average_has_its_full_length_late_and_a_short_one_early():
    for count, decay in ((0, 0.1), (1, 2 / 11), (90, 0.91), (1790, 1791 / 1800), (1791, 0.995), (10**6, 0.995)):
        ema = EMA([("w", torch.zeros(1))])
        ema.update([("w", torch.ones(1))], count)
        assert float(ema.weights["w"]) == pytest.approx(1 - decay, abs=1e-6)


def test_swapping_exchanges_average_and_weights_and_nothing_else():
    parameters = [("w", nn.Parameter(torch.tensor([1.0, 2.0]))), ("v", nn.Parameter(torch.tensor([5.0])))]
    ema = EMA(parameters)
    ema.weights = {"w": torch.tensor([-3.0, -4.0]), "v": torch.tensor([-6.0])}
    ema.swap(parameters)
    assert [p.tolist() for _, p in parameters] == [[-3.0, -4.0], [-6.0]]
    assert {name: value.tolist() for name, value in ema.weights.items()} == {"w": [1.0, 2.0], "v": [5.0]}
    assert all(p.requires_grad for _, p in parameters)


def test_what_a_stage_leaves_behind_is_the_average_of_the_weights_after_each_update(tmp_path, monkeypatch):
    """Whatever the loop does, its weights in the end are the average, worked out here, of those it had after each update."""
    met: dict[str, list[Tensor]] = {}
    begun: dict[str, Tensor] = {}
    make, update = EMA.__init__, EMA.update

    def begin(self: EMA, parameters: Any, *rest: Any, **options: Any) -> None:
        parameters = list(parameters)
        begun.update({name: value.detach().clone() for name, value in parameters})
        met.update({name: [] for name, _ in parameters})
        make(self, parameters, *rest, **options)

    def follow(self: EMA, parameters: Any, *rest: Any, **options: Any) -> None:
        for name, value in parameters:
            met[name].append(value.detach().clone())
        update(self, parameters, *rest, **options)

    monkeypatch.setattr(EMA, "__init__", begin)
    monkeypatch.setattr(EMA, "update", follow)
    train(SHORT, tmp_path, device="cpu", quiet=True)
    saved, _ = load_checkpoint(tmp_path / "dalle1.safetensors")
    checked = 0
    for name, weights in met.items():
        if name.startswith("gpt."):  # which no later stage changes
            first = [value.flatten()[0].double().item() for value in weights]
            expected = averaged(begun[name].flatten()[0].double().item(), first, 0.995)
            assert float(saved[name].flatten()[0]) == pytest.approx(expected, rel=1e-3, abs=1e-4), name
            checked += len(set(first)) == 5  # its updates, each of which changed it
    assert checked > 5


def test_exams_along_the_way_are_of_the_average(tmp_path, monkeypatch):
    follow, see, events = EMA.update, loop.look, list[tuple[str, dict[str, Tensor]]]()

    def updated(self: EMA, parameters: Any, *rest: Any) -> None:
        follow(self, parameters, *rest)
        events.append(("weights", {name: value.detach().clone() for name, value in parameters}))
        events.append(("average", {name: value.clone() for name, value in self.weights.items()}))

    def seen(system: Any, *rest: Any) -> dict[str, Any]:
        events.append(("seen", {name: value.detach().clone() for name, value in system.named_parameters()}))
        return see(system, *rest)

    monkeypatch.setattr(EMA, "update", updated)
    monkeypatch.setattr(loop, "look", seen)
    train(replace(SHORT, exam=2), tmp_path, device="cpu", quiet=True)
    looked = [place for place, (what, _) in enumerate(events) if what == "seen"]
    assert len(looked) > 3
    for place in looked:
        (_, weights), (_, average) = events[place - 2 : place]
        found = events[place][1]
        assert all(torch.equal(found[name], average[name]) for name in average)
        assert any(not torch.equal(weights[name], average[name]) for name in average)


def test_a_stage_ends_with_its_average_and_the_next_begins_there(tmp_path, monkeypatch):
    """At a large rate the average is so far from the last weights that one cannot pass for the other."""
    met: list[dict[str, float]] = []
    stages: list[tuple[dict[str, float], list[dict[str, float]], dict[str, float]]] = []
    real, update = Trainer._stage, EMA.update

    def numbers(parameters: Any) -> dict[str, float]:
        return {name: float(value.detach().flatten()[0]) for name, value in parameters}

    def follow(self: EMA, parameters: Any, *rest: Any, **options: Any) -> None:
        met.append(numbers(parameters))
        update(self, parameters, *rest, **options)

    def watched(self: Trainer, *rest: Any) -> None:
        begun = numbers(self.system.named_parameters())
        met.clear()
        real(self, *rest)
        stages.append((begun, list(met), numbers(self.system.named_parameters())))

    monkeypatch.setattr(EMA, "update", follow)
    monkeypatch.setattr(Trainer, "_stage", watched)
    train(replace(SHORT, rate=10.0), tmp_path, device="cpu", quiet=True)
    assert [len(weights) for _, weights, _ in stages] == [14, 1, 5]
    for begun, weights, left in stages:
        expected = {name: averaged(begun[name], [each[name] for each in weights], 0.995) for name in weights[0]}
        assert {name: left[name] for name in expected} == pytest.approx(expected, abs=1e-6)
        assert sum(abs(expected[name] - weights[-1][name]) > 1e-5 for name in expected) > len(expected) / 2
    assert [begun for begun, _, _ in stages[1:]] == [left for _, _, left in stages[:-1]]


def test_exams_along_the_way_change_nothing_of_what_is_learned(tmp_path, monkeypatch):
    """In DALL·E mini the codebook follows its vectors in training mode alone, to which the loop must return with the weights."""
    kind = model_class("dalle_mini")
    monkeypatch.setitem(kind.presets, "tiny", build("dalle_mini").config)
    run = replace(SHORT, system="dalle_mini", updates=10)
    without, examined = (train(replace(run, exam=exam), tmp_path / str(exam), device="cpu", quiet=True).state_dict() for exam in (0, 1))
    assert list((tmp_path / "1" / "sheets").iterdir())
    for name, value in without.items():
        assert torch.equal(examined[name], value), name


# ---------------------------------------------------------------- the learning rate


@pytest.mark.parametrize(
    ("update", "progress", "rate"),
    [
        (0, 0.0, 1 / 30),
        (14, 0.0, 0.5),
        (29, 0.0, 1.0),
        (29, 0.2, 0.8),
        (30, 0.25, 0.75),
        (14, 0.5, 0.25),
        (400, 0.75, 0.25),
        (500, 1.0, 0.0),
    ],
)
def test_the_learning_rate_at_some_updates(update, progress, rate):
    assert learning_rate_schedule(update, progress) == pytest.approx(rate)


def test_the_warmup_is_as_long_as_asked():
    assert [learning_rate_schedule(i, 0.0, warmup=4) for i in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_each_update_has_the_rate_of_the_schedule_and_steps_on_clipped_gradients(tmp_path, monkeypatch):
    met: list[tuple[str, float, float]] = []
    for kind in (torch.optim.AdamW, Muon):
        step = kind.step

        def watched(self: Any, *rest: Any, step: Any = step, **options: Any) -> Any:
            gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
            norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum()
            met.extend((type(self).__name__, group["lr"], float(norm)) for group in self.param_groups)
            return step(self, *rest, **options)

        monkeypatch.setattr(kind, "step", watched)
    train(replace(SHORT, rate=0.5, clip=0.01), tmp_path, device="cpu", quiet=True)
    updates = {"codec": 14, "decoder": 1, "prior": 5}  # 0.7, 0.05 and 0.25 of twenty
    stages = build("dalle1").stages
    expected = [
        (optimizer, 0.5 * peak * learning_rate_schedule(i, i / updates[stage.name]))
        for stage in stages
        for i in range(updates[stage.name])
        for optimizer, peak in (("AdamW", stage.learning_rate), ("Muon", stage.matrix_learning_rate))
    ]
    assert [(optimizer, pytest.approx(rate)) for optimizer, rate, _ in met] == expected
    norms = [(one[2] + other[2]) ** 0.5 for one, other in zip(met[::2], met[1::2], strict=True)]
    assert max(norms) <= 0.01 * 1.001  # of both optimisers' gradients together
    assert sum(norm > 0.0099 for norm in norms) > len(norms) / 2


# ---------------------------------------------------------------- optimisers and stages


def by_name(name: str):
    return tiny_clip() if name == "clip" else build(name)


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_matrices_and_kernels_of_blocks_go_to_muon_and_all_else_to_adamw(name, stage):
    system = by_name(name)
    recipe = next(each for each in system.stages if each.name == stage)
    names = {id(p): n for n, p in system.named_parameters()}
    expected: dict[str, set[str]] = {"AdamW": set(), "Muon": set()}
    for part in recipe.parts:
        for inside, parameter in system.get_submodule(part).named_parameters():
            path = f"{part}.{inside}"
            within = any(path == m or path.startswith(m + ".") for m in recipe.muon)
            expected["Muon" if within and parameter.dim() > 1 else "AdamW"].add(path)
    optimizers = build_optimizers(system, recipe)
    found = {type(each).__name__: {names[id(p)] for group in each.param_groups for p in group["params"]} for each in optimizers}
    assert found.get("AdamW") == expected["AdamW"]
    assert found.get("Muon", set()) == expected["Muon"]
    assert bool(recipe.muon) == bool(expected["Muon"])  # what a recipe names is there
    for optimizer in optimizers:
        peak = recipe.matrix_learning_rate if isinstance(optimizer, Muon) else recipe.learning_rate
        for group, factor in zip(optimizer.param_groups, (1.0, recipe.embeddings_rate), strict=False):
            assert (group["lr"], group["peak"], group["weight_decay"]) == (factor * peak, factor * peak, 0.01)
    assert optimizers[0].param_groups[0]["betas"] == (0.9, 0.98)
    if expected["Muon"]:
        assert optimizers[1].param_groups[0]["momentum"] == 0.95


LEARNS = {
    ("dalle1", "codec"): {"dvae"},
    ("dalle1", "decoder"): {"dvae.decoder"},
    ("dalle1", "prior"): {"gpt"},
    ("dalle_mini", "features"): {"vqgan.perceptual", "guess"},
    ("dalle_mini", "codec"): {"vqgan.encoder", "vqgan.decoder", "vqgan.discriminator"},
    ("dalle_mini", "prior"): {"bart"},
    ("dalle2", "decoder"): {"decoder"},
    ("dalle2", "upsampler_64"): {"upsamplers.0"},
    ("dalle2", "prior"): {"prior"},
    ("dalle2", "prior_ar"): {"prior_ar"},
    ("imagen", "text_encoder"): {"text_encoder"},
    ("imagen", "base"): {"base"},
    ("imagen", "upsampler_64"): {"upsamplers.0"},
    ("clip", "clip"): {"clip"},
}


def test_what_each_stage_trains_is_written_here():
    assert set(LEARNS) == set(STAGES)


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.safetensors"
    torch.manual_seed(0)
    tiny_clip().save(path)
    return path


@pytest.mark.parametrize("name", sorted({name for name, _ in STAGES}))
def test_a_stage_changes_its_own_parts_and_freezes_all_others(name, tmp_path, clip_file, monkeypatch):
    kind = model_class(name)
    monkeypatch.setitem(kind.presets, "tiny", by_name(name).config)
    foundations = {"clip": str(clip_file)} if kind.foundations else {}
    frozen, changed = {}, {}
    real = Trainer._stage

    def watched(self: Trainer, index: int, stage: Any, stopping: Any) -> None:
        before = {n: p.detach().clone() for n, p in self.system.named_parameters()}
        real(self, index, stage, stopping)
        frozen[stage.name] = {n for n, p in self.system.named_parameters() if not p.requires_grad}
        changed[stage.name] = {n for n, p in self.system.named_parameters() if not torch.equal(p, before[n])}

    monkeypatch.setattr(Trainer, "_stage", watched)
    run = replace(SHORT, system=name, updates=8, foundations=foundations)
    system = train(run, tmp_path, device="cpu", quiet=True)
    assert list(changed) == [stage.name for stage in system.stages]
    for stage in system.stages:
        ours = tuple(part + "." for part in LEARNS[name, stage.name])
        own = {n for n, _ in system.named_parameters() if n.startswith(ours)}
        assert {n for n, _ in trained_parameters(system, stage)} == own
        assert frozen[stage.name] == {n for n, _ in system.named_parameters()} - own
        moved = {n for n in changed[stage.name] if n != "vqgan.quantizer.codebook"}  # which follows its vectors, and has no gradient
        assert moved <= own
        assert moved
