import math
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dalle_edu.bricks.decoding import beam_search, choose, keep_above_epsilon, keep_top_k, keep_top_p, sample, sample_sequence, temper
from dalle_edu.bricks.guidance import guide

seeds = st.integers(0, 2**31)


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---------------------------------------------------------------- filters


def rows(seed: int, n: int = 6, v: int = 12, scale: float = 2.0) -> torch.Tensor:
    return scale * torch.randn(n, v, generator=fresh(seed), dtype=torch.float64)


@given(seed=seeds, k=st.integers(1, 12))
def test_keep_top_k_is_transformers(seed, k):
    warpers = pytest.importorskip("transformers.generation.logits_process", reason="the peers are in the test extra")
    logits = rows(seed)
    before = logits.clone()
    kept = keep_top_k(logits, k)
    assert torch.equal(kept, warpers.TopKLogitsWarper(k)(None, logits))
    assert (kept.isfinite().sum(dim=-1) == k).all()
    assert torch.equal(logits, before)


@given(seed=seeds, p=st.floats(0.01, 0.99))
def test_keep_top_p_is_transformers(seed, p):
    warpers = pytest.importorskip("transformers.generation.logits_process", reason="the peers are in the test extra")
    logits = rows(seed)
    before = logits.clone()
    assert torch.equal(keep_top_p(logits, p), warpers.TopPLogitsWarper(p)(None, logits))
    assert torch.equal(logits, before)


@given(seed=seeds, p=st.floats(0.01, 0.99))
def test_keep_top_p_keeps_the_smallest_sufficient_set(seed, p):
    logits = rows(seed)
    for row, kept in zip(logits.softmax(dim=-1), keep_top_p(logits, p).isfinite(), strict=True):
        chosen = row[kept]
        assert chosen.sum() >= p - 1e-9
        assert chosen.sum() - chosen.min() < p + 1e-9  # without its least likely member it would not do
        assert (row[~kept] <= chosen.min()).all()


@given(seed=seeds, epsilon=st.floats(1e-4, 0.99))
def test_keep_above_epsilon_is_transformers(seed, epsilon):
    warpers = pytest.importorskip("transformers.generation.logits_process", reason="the peers are in the test extra")
    logits = rows(seed)
    before = logits.clone()
    assert torch.equal(keep_above_epsilon(logits, epsilon), warpers.EpsilonLogitsWarper(epsilon)(None, logits))
    assert torch.equal(logits, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_half_precision_keeps_what_is_well_above_epsilon(dtype):
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.04, 0.01]]).log().to(dtype)
    for epsilon, kept in ((0.02, 4), (0.1, 3), (0.2, 2), (0.9, 1)):
        filtered = keep_above_epsilon(logits, epsilon)
        assert filtered.dtype == dtype
        assert filtered.isfinite().tolist() == [[True] * kept + [False] * (5 - kept)]


def test_filters_that_keep_everything_change_nothing():
    logits = torch.randn(4, 2000, generator=fresh(0)) * 6
    assert torch.equal(keep_top_k(logits, 2000), logits)
    assert torch.equal(keep_top_k(logits, 10**9), logits)
    assert torch.equal(keep_top_p(logits, 1.0), logits)
    assert torch.equal(keep_above_epsilon(logits, 0.0), logits)


def test_filters_that_keep_one_keep_the_likeliest():
    logits = rows(3)
    for kept in (keep_top_k(logits, 1), keep_top_p(logits, 1e-9), keep_above_epsilon(logits, 1.0)):
        assert torch.equal(kept.isfinite().nonzero()[:, 1], logits.argmax(dim=-1))


# ---------------------------------------------------------------- drawing


def test_draws_have_the_right_frequencies():
    logits = torch.tensor([1.5, 0.0, -1.0, 0.7, -math.inf, 0.2])
    draws = sample(logits.expand(20_000, 6), torch.rand(20_000, generator=fresh(0)))
    counts = draws.bincount(minlength=6)
    assert counts[4] == 0
    possible = [0, 1, 2, 3, 5]
    expected = 20_000 * logits.double().softmax(dim=-1)
    assert stats.chisquare(counts[possible].numpy(), expected[possible].numpy()).pvalue > 0.01


def test_a_draw_inverts_the_cumulative_distribution():
    logits = torch.tensor([0.5, 0.25, 0.25]).log().expand(6, 3)
    uniform = torch.tensor([0.0, 0.499, 0.501, 0.749, 0.751, 1 - 2**-24])
    assert sample(logits, uniform).tolist() == [0, 0, 1, 1, 2, 2]


@given(seed=seeds, uniform=st.floats(0, 1, exclude_max=True, width=32), k=st.integers(1, 12))
def test_what_was_filtered_out_is_never_drawn(seed, uniform, k):
    logits = keep_top_k(rows(seed), k)
    chosen = sample(logits, torch.full((6,), uniform))
    assert logits.gather(1, chosen[:, None]).isfinite().all()


@given(seed=seeds)
def test_a_row_draws_as_it_would_alone(seed):
    logits, uniform = rows(seed), torch.rand(6, generator=fresh(seed))
    alone = torch.cat([sample(logits[i : i + 1], uniform[i : i + 1]) for i in range(6)])
    assert torch.equal(sample(logits, uniform), alone)


def test_choose_is_temperature_then_filters_then_draw():
    logits, uniform = rows(5), torch.rand(6, generator=fresh(5))
    assert torch.equal(choose(logits, uniform), sample(logits, uniform))
    expected = sample(keep_top_p(keep_top_k(logits / 0.5, 5), 0.8), uniform)
    assert torch.equal(choose(logits, uniform, temperature=0.5, top_k=5, top_p=0.8), expected)
    assert torch.equal(choose(logits, uniform, temperature=0.0), logits.argmax(dim=-1))
    assert torch.equal(choose(logits, uniform, top_k=1), logits.argmax(dim=-1))


# ---------------------------------------------------------------- guidance


def test_guide():
    logits = torch.tensor([[1.0, 2.0], [3.0, 3.0], [0.0, 4.0], [1.0, 1.0]])
    conditional, unconditional = logits[:2], logits[2:]
    torch.testing.assert_close(guide(logits, 1.0), conditional)
    torch.testing.assert_close(guide(logits, 0.0), unconditional)
    torch.testing.assert_close(guide(logits, 3.0), torch.tensor([[3.0, -2.0], [7.0, 7.0]]))


@given(seed=seeds, guidance_scale=st.floats(0, 10))
def test_guidance_between_equals_is_a_no_op(seed, guidance_scale):
    logits = rows(seed)
    torch.testing.assert_close(guide(torch.cat([logits, logits]), guidance_scale), logits)


# ---------------------------------------------------------------- beam search


def chain(seed: int, v: int = 4):
    """A language in which the next token depends on the last one: log p(next | tokens)."""
    table = torch.randn(v, v, generator=fresh(seed), dtype=torch.float64).mul(1.5).log_softmax(dim=-1)
    return lambda tokens: table[tokens[:, -1]]


def score_of(language, start: list[int], sequence: list[int]) -> float:
    total = 0.0
    for i, token in enumerate(sequence):
        total += float(language(torch.tensor([start + sequence[:i]]))[0, token])
    return total


def exhaustive(language, end: int | None, penalty: float, length: int = 4, v: int = 4) -> tuple[list[int], float]:
    """The best of all sequences, by trying them all."""
    found = []
    for size in range(1, length + 1):
        for sequence in product(range(v), repeat=size):
            if end in sequence[:-1] or (size < length and sequence[-1] != end):
                continue
            found.append((list(sequence), score_of(language, [0], list(sequence)) / size**penalty))
    return max(found, key=lambda pair: pair[1])


@given(seed=seeds, end=st.sampled_from([None, 2]), penalty=st.sampled_from([0.0, 0.7, 1.0]))
def test_enough_beams_find_the_best_sequence(seed, end, penalty):
    language = chain(seed)
    sequence, score = beam_search(language, torch.tensor([0]), beams=64, length=4, end=end, length_penalty=penalty)
    best, expected = exhaustive(language, end, penalty)
    assert score == pytest.approx(expected)
    assert sequence.tolist() == best


@given(seed=seeds)
def test_one_beam_is_greedy(seed):
    language, tokens = chain(seed), [0]
    for _ in range(5):
        tokens.append(int(language(torch.tensor([tokens]))[0].argmax()))
    sequence, score = beam_search(language, torch.tensor([0]), beams=1, length=5)
    assert sequence.tolist() == tokens[1:]
    assert score == pytest.approx(score_of(language, [0], tokens[1:]))


@given(seed=seeds)
def test_more_beams_never_do_worse_here(seed):
    language = chain(seed)
    scores = [beam_search(language, torch.tensor([0]), beams, length=4)[1] for beams in (1, 64)]
    assert scores[1] >= scores[0] - 1e-12


def test_it_stops_at_the_end():
    table = torch.tensor([[0.1, 0.9], [0.5, 0.5]], dtype=torch.float64).log()
    sequence, score = beam_search(lambda tokens: table[tokens[:, -1]], torch.tensor([0]), beams=2, length=10, end=1)
    assert sequence.tolist() == [1]
    assert score == pytest.approx(math.log(0.9))


@pytest.mark.parametrize(("beams", "length"), [(0, 3), (2, 0)])
def test_no_beam_or_no_length_is_refused(beams, length):
    with pytest.raises(ValueError, match="at least 1"):
        beam_search(chain(0), torch.tensor([0]), beams, length)


@given(st.integers(0, 10**6), st.floats(0.2, 2.0), st.floats(0.2, 2.0))
def test_daring_says_whether_and_temperature_says_which(seed, temperature, daring):
    logits = 3 * torch.randn(5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    chances = temper(logits, temperature, daring).exp()
    likeliest = logits.argmax(dim=-1, keepdim=True)
    assert torch.allclose(chances.sum(dim=-1), torch.ones(5, dtype=torch.float64))
    assert torch.allclose(chances.gather(-1, likeliest), (logits / daring).softmax(dim=-1).gather(-1, likeliest))
    others = torch.ones_like(logits, dtype=torch.bool).scatter(-1, likeliest, False)
    which = (logits / temperature)[others].view(5, 11).softmax(dim=-1)
    assert torch.allclose(chances[others].view(5, 11), which * (1 - chances.gather(-1, likeliest)))


def test_one_temperature_for_both_is_the_usual_one():
    logits = torch.randn(4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(temper(logits, 0.3, 0.3), (logits / 0.3).log_softmax(dim=-1))


def test_what_is_rare_at_each_step_happens_with_daring_only():
    logits = torch.tensor([[0.97, 0.02, 0.01]]).log().expand(20_000, 3)
    uniforms = torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    timid, daring = choose(logits, uniforms, 0.3), choose(logits, uniforms, 0.3, daring=1.0)
    assert (timid != 0).float().mean() < 1e-3
    assert (daring != 0).float().mean() == pytest.approx(0.03, abs=0.004)
    assert (daring == 1).sum() > 5 * (daring == 2).sum()


@given(seed=seeds, temperature=st.sampled_from([0.3, 1.0, 3.0]))
def test_tempered_daringly_what_is_left_out_stays_out(seed, temperature):
    logits = rows(seed)
    for filtered in (keep_above_epsilon(logits, 0.1), keep_above_epsilon(logits, 1.0)):
        chances = temper(filtered, temperature, daring=0.8).exp()
        assert torch.equal(chances > 0, filtered.isfinite())
        assert torch.allclose(chances.sum(dim=-1), torch.ones(6, dtype=torch.float64))


# ---------------------------------------------------------------- epsilon in the sampler


def written(logits: torch.Tensor, uniforms: torch.Tensor, guidance_scale: float, **options) -> torch.Tensor:
    """The codes of a network that says the same at each position."""
    return sample_sequence(lambda position, codes: logits, uniforms, guidance_scale, **options)


@given(seed=seeds, guidance_scale=st.sampled_from([0.0, 0.4, 1.0, 2.5]), temperature=st.sampled_from([0.4, 1.0, 3.0]))
def test_epsilon_asks_the_network_before_guidance_and_temperature(seed, guidance_scale, temperature):
    """Code after code in plain Python and float64: which are kept, then the guided and tempered distribution of these, inverted."""
    epsilon = 0.08
    said, unsaid = rows(seed, 3), rows(seed + 1, 3)
    uniforms = torch.rand(3, 4, generator=fresh(seed), dtype=torch.float64)
    both = said if guidance_scale == 1 else torch.cat([said, unsaid])
    drawn = written(both, uniforms, guidance_scale, temperature=temperature, epsilon=epsilon)
    for i, j in product(range(3), range(4)):
        trained = [u + min(guidance_scale, 1.0) * (s - u) for s, u in zip(said[i].tolist(), unsaid[i].tolist(), strict=True)]
        total = sum(map(math.exp, trained))
        kept = [code for code in range(12) if math.exp(trained[code]) / total >= epsilon or trained[code] == max(trained)]
        guided = [float(unsaid[i, code] + guidance_scale * (said[i, code] - unsaid[i, code])) / temperature for code in kept]
        weights = [math.exp(each - max(guided)) for each in guided]
        passed, left = 0, float(uniforms[i, j]) * sum(weights)
        while left >= weights[passed] and passed < len(kept) - 1:
            left -= weights[passed]
            passed += 1
        assert int(drawn[i, j]) == kept[passed]


def test_guidance_brings_back_nothing_that_epsilon_left_out():
    """Code 2 has 1 chance in 100 with the caption, and far fewer without: strong guidance would make it the likeliest."""
    logits = torch.tensor([[0.59, 0.4, 0.01], [0.599, 0.4009, 1e-7]]).log()
    uniforms = torch.rand(1, 50, generator=fresh(0))
    assert (written(logits, uniforms, 3.0, temperature=0.0) == 2).all()
    assert (written(logits, uniforms, 3.0, temperature=0.0, epsilon=0.02) == 0).all()
    assert set(written(logits, uniforms, 3.0, epsilon=0.02)[0].tolist()) == {0, 1}
    assert (written(logits, uniforms, 3.0, temperature=0.0, epsilon=0.005) == 2).all()


def test_epsilon_lets_what_is_rare_begin_and_what_is_noise_not():
    """White paper 93, a beginning 5, noise 2 chances in 100: a low temperature never begins, temperature 1 draws the noise."""
    logits = torch.tensor([0.93, 0.05, *[0.0005] * 40]).log().expand(5000, 42)
    uniforms = torch.rand(5000, 1, generator=fresh(0))
    cold, plain, kept = (written(logits, uniforms, 1.0, **how) for how in ({"temperature": 0.3}, {}, {"epsilon": 0.01}))
    assert (cold != 0).sum() < 5
    assert (plain > 1).float().mean() == pytest.approx(0.02, abs=0.006)
    assert (kept > 1).sum() == 0
    assert (kept == 1).float().mean() == pytest.approx(0.05, abs=0.01)
