from dataclasses import replace

import pytest
import torch
from tiny_systems import TINY, build
from torch import nn

from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.systems import dalle_mini
from dalle_edu.systems.dalle1 import LOCAL, PRESETS, DallE1, DallE1Model
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.muon import Muon, orthogonal
from dalle_edu.training.optimizers import build_optimizers, load_optimizer_tensors, misfit, optimizer_tensors, trained_parameters


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
def test_singular_values_come_near_one_and_directions_stay(shape, precision):
    matrix = torch.randn(shape, generator=fresh(0))
    found = orthogonal(matrix[None], precision)[0]
    assert found.shape == matrix.shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.4
    assert values.max() < 1.4
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    kept = (left.T @ found @ right.T).diagonal() / values.sort(descending=True).values.mean()
    assert kept.min() > 0.4  # the same singular vectors, none turned round


@pytest.mark.parametrize("shape", [(6, 20), (20, 6)])
def test_muon_is_pytorchs_on_matrices(shape):
    start = torch.randn(shape, generator=fresh(1))
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    steps = [
        (ours, Muon([ours], lr=0.02, momentum=0.9, weight_decay=0.1)),
        (theirs, torch.optim.Muon([theirs], lr=0.02, momentum=0.9, weight_decay=0.1)),
    ]
    for step in range(5):
        for parameter, optimizer in steps:
            parameter.grad = torch.randn(shape, generator=fresh(10 + step))
            optimizer.step()
    assert not torch.equal(ours, start)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_matrices_turned_together_move_as_they_would_alone():
    starts = [torch.randn(shape, generator=fresh(rank)) for rank, shape in enumerate([(6, 20), (6, 20), (20, 6)])]
    together, alone = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    for parameter in (*together, *alone):
        parameter.grad = parameter.detach().sin()
    Muon(together, lr=0.02).step()
    for parameter in alone:
        Muon([parameter], lr=0.02).step()
    for one, other, start in zip(together, alone, starts, strict=True):
        assert not torch.equal(one, start)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (32, 2, 3, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_muon_takes_a_kernel_as_a_matrix(shape, layout):
    start, gradient = torch.randn(shape, generator=fresh(2)), torch.randn(shape, generator=fresh(3))
    kernel = nn.Parameter(start.clone().contiguous(memory_format=layout))
    matrix = nn.Parameter(start.flatten(1).clone())
    kernel.grad, matrix.grad = gradient.contiguous(memory_format=layout), gradient.flatten(1)
    for parameter in (kernel, matrix):
        Muon([parameter], lr=0.02).step()
    assert not torch.equal(kernel, start)
    torch.testing.assert_close(kernel.flatten(1), matrix, rtol=0, atol=1e-6)


def test_unless_asked_for_nothing_decays():
    weight = nn.Parameter(torch.ones(3, 4))
    weight.grad = torch.zeros(3, 4)
    Muon([weight], lr=0.5).step()
    assert torch.equal(weight, torch.ones(3, 4))


def test_a_recipe_reaches_the_optimizers():
    system = build("dalle1")
    codec = replace(system.stages[0], embeddings_rate=1.0)
    recipe = replace(codec, learning_rate=0.25, matrix_learning_rate=0.5, muon=("dvae.encoder",), weight_decay=0.125)
    adamw, muon = build_optimizers(system, recipe)
    assert isinstance(adamw, torch.optim.AdamW)
    assert isinstance(muon, Muon)
    for optimizer, rate in ((adamw, 0.25), (muon, 0.5)):
        (group,) = optimizer.param_groups
        assert (group["lr"], group["peak"], group["weight_decay"]) == (rate, rate, 0.125)
    assert adamw.param_groups[0]["betas"] == (0.9, 0.98)
    learning = trained_parameters(system, recipe)
    matrices = {value for name, value in learning if name.startswith("dvae.encoder") and value.ndim >= 2}
    assert matrices
    assert set(muon.param_groups[0]["params"]) == matrices
    assert set(adamw.param_groups[0]["params"]) == {value for _, value in learning} - matrices


@pytest.fixture(scope="module")
def laptop() -> DallE1:
    torch.manual_seed(0)
    return DallE1(PRESETS["laptop"])


def test_embeddings_learn_faster_and_canon_weights_are_adamws(laptop):
    """The groups of the laptop's prior by name, and all that it trains in one of them."""
    prior = laptop.stages[-1]
    names = {id(parameter): name for name, parameter in laptop.named_parameters()}
    adamw, muon = build_optimizers(laptop, prior)
    plain, embeddings = adamw.param_groups
    found = [{names[id(parameter)] for parameter in group["params"]} for group in (plain, embeddings, *muon.param_groups)]
    tables = ("text_embedding", "text_position", "code_embedding", "row_position", "column_position")
    tables = (*tables, "local.code_embedding", "local.place_embedding")
    assert found[1] == {"gpt.start", *(f"gpt.{table}.weight" for table in tables)}
    assert {"gpt.smear.before.weight", "gpt.text_head.weight", "gpt.blocks.0.norm_1.weight"} < found[0]
    assert {f"gpt.{canons}.{layer}.weight" for canons in ("canons", "image_canons") for layer in range(3)} < found[0]
    assert all(name.startswith(("gpt.blocks", *LOCAL)) for name in found[2])
    assert sum(map(len, found)) == len(set.union(*found)) == len(trained_parameters(laptop, prior))
    for group, rate in ((plain, 2e-3), (embeddings, 8e-3), (muon.param_groups[0], 2e-2)):
        assert group["lr"] == group["peak"] == pytest.approx(rate)
        assert group["weight_decay"] == 0.01


@pytest.mark.parametrize(("name", "stage"), [("dalle_mini", -1), ("imagen", 0)])
def test_the_smear_of_a_text_encoder_is_adamws(name, stage):
    system = build(name)
    (smear,) = (parameter for key, parameter in system.named_parameters() if key.endswith("smear.before.weight"))
    adamw, _ = build_optimizers(system, system.stages[stage])
    assert any(parameter is smear for parameter in adamw.param_groups[0]["params"])


@pytest.mark.parametrize(("name", "network"), [("dalle1", "gpt"), ("dalle_mini", "bart")])
def test_muon_trains_the_matrices_of_the_local_model_and_its_tables_are_embeddings(name, network):
    system = build(name)
    names = {id(parameter): name for name, parameter in system.named_parameters()}
    adamw, muon = build_optimizers(system, replace(system.stages[-1], embeddings_rate=4.0))
    found = [{names[id(each)] for each in group["params"]} for group in (*adamw.param_groups, *muon.param_groups)]
    inside = f"{network}.local."
    local = [{name.removeprefix(inside) for name in group if name.startswith(inside)} for group in found]
    assert local == [{"norm.weight"}, {"code_embedding.weight", "place_embedding.weight"}, {"expand.weight", "contract.weight"}]


@pytest.mark.parametrize("config", [TINY["dalle1"]().config, *PRESETS.values()])
def test_a_recipe_knows_whether_its_gpt_has_a_local_model(config):
    assert config.recipe.stages[-1].muon[1:] == (LOCAL if config.model.gpt.codes_per_token > 1 else ())


@pytest.mark.parametrize("config", [TINY["dalle_mini"]().config, *dalle_mini.PRESETS.values()])
def test_a_recipe_knows_whether_its_bart_has_a_local_model(config):
    assert config.recipe.stages[-1].muon[2:] == (dalle_mini.LOCAL if config.model.bart.codes_per_token > 1 else ())


def test_a_stage_may_name_a_part_that_is_not_there():
    system = DallE1(replace(TINY["dalle1"]().config, model=DallE1Model(gpt=GPTConfig(width=32, depth=1, heads=2))))
    muon = build_optimizers(system, system.stages[-1])[1]
    assert len(muon.param_groups[0]["params"]) == 4


def test_the_codebook_learns_faster_too():
    """The codebook of the codec is an embedding, alone in its group."""
    system = build("dalle1")
    codec = replace(system.stages[0], learning_rate=1e-2, embeddings_rate=4.0)
    adamw, muon = build_optimizers(system, codec)
    plain, embeddings = adamw.param_groups
    assert [id(parameter) for parameter in embeddings["params"]] == [id(system.dvae.codebook.weight)]
    assert (plain["peak"], embeddings["peak"]) == (1e-2, 4e-2)
    assert plain["params"]
    assert all(parameter.ndim < 2 for parameter in plain["params"])  # biases; kernels are Muon's
    assert muon.param_groups[0]["peak"] == codec.matrix_learning_rate


def by_adamws_rule(weight: torch.Tensor, gradients: list[torch.Tensor], rate: float) -> torch.Tensor:
    """Loshchilov & Hutter 2019, algorithm 2, without a schedule."""
    first, second = torch.zeros_like(weight), torch.zeros_like(weight)
    for step, gradient in enumerate(gradients, start=1):
        first, second = 0.9 * first + 0.1 * gradient, 0.98 * second + 0.02 * gradient**2
        direction = (first / (1 - 0.9**step)) / ((second / (1 - 0.98**step)).sqrt() + 1e-8)
        weight = weight - rate * direction - rate * 0.01 * weight
    return weight


def test_two_steps_of_adamw_with_two_rates_by_hand():
    system = build("dalle1")
    prior = replace(system.stages[-1], learning_rate=1e-2, embeddings_rate=4.0)
    adamw = build_optimizers(system, prior)[0]
    by_name = dict(system.named_parameters())
    rates = {"gpt.code_embedding.weight": 4e-2, "gpt.start": 4e-2, "gpt.code_head.weight": 1e-2, "gpt.norm.weight": 1e-2}
    gradients = {name: [torch.randn(by_name[name].shape, generator=fresh(len(name) + i)) for i in range(2)] for name in rates}
    expected = {name: by_adamws_rule(by_name[name].detach().clone(), gradients[name], rate) for name, rate in rates.items()}
    for step in range(2):
        for name in rates:
            by_name[name].grad = gradients[name][step]
        adamw.step()
    for name, value in expected.items():
        torch.testing.assert_close(by_name[name].detach(), value, rtol=0, atol=1e-6)


def test_without_a_rate_of_their_own_embeddings_stay_in_their_place():
    """One group, in the order of the parameters, so that runs of other recipes resume as before."""
    for name in ("dalle1", "dalle_mini"):
        system = build(name)
        adamw, muon = build_optimizers(system, replace(system.stages[-1], embeddings_rate=1.0))
        (group,) = adamw.param_groups
        by_muon = {id(parameter) for parameter in muon.param_groups[0]["params"]}
        learning = [id(parameter) for _, parameter in trained_parameters(system, system.stages[-1])]
        assert [id(parameter) for parameter in group["params"]] == [each for each in learning if each not in by_muon]


def test_the_state_of_two_groups_comes_back_where_it_was():
    system, other = build("dalle1"), build("dalle1")
    prior = replace(system.stages[-1], embeddings_rate=4.0)
    before, after = build_optimizers(system, prior), build_optimizers(other, prior)
    for name, parameter in trained_parameters(system, prior):
        parameter.grad = torch.randn(parameter.shape, generator=fresh(len(name)))
    for optimizer in before:
        optimizer.step()
    tensors = optimizer_tensors(before)
    assert misfit(after, tensors) is None
    load_optimizer_tensors(after, tensors)
    there = dict(other.named_parameters())
    for name, parameter in trained_parameters(system, prior):
        theirs = next(optimizer.state[there[name]] for optimizer in after if there[name] in optimizer.state)
        ours = next(optimizer.state[parameter] for optimizer in before if parameter in optimizer.state)
        assert all(torch.equal(ours[key], theirs[key]) for key in ours), name
    assert after[0].param_groups[1]["peak"] == 8e-3
    assert misfit(build_optimizers(other, replace(prior, embeddings_rate=1.0)), tensors) is not None  # the order of another recipe


def test_the_rate_climbs_and_falls_to_zero():
    assert learning_rate_schedule(0, 0.0) == pytest.approx(1 / 30)
    assert learning_rate_schedule(100, 0.0) == 1.0
    assert learning_rate_schedule(500, 0.5) == pytest.approx(0.5)
    assert learning_rate_schedule(1000, 1.0) == 0.0
    assert learning_rate_schedule(1001, 1.001) == 0.0
