import pickle
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.datasets.epochs import Epochs
from dalle_edu.datasets.split import ENOUGH, MOST, held_out_names


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("seed", [0, 1, 2**62])
def test_every_item_comes_once_an_epoch(n, seed):
    epochs = Epochs(n, seed)
    for epoch in range(4):
        assert sorted(epochs[epoch * n + place] for place in range(n)) == list(range(n))


@given(st.integers(1, 40), st.integers(0, 2**63 - 1), st.lists(st.integers(0, 2**40), min_size=1, max_size=20))
def test_a_number_gives_its_item_whatever_was_asked_before(n, seed, numbers):
    epochs = Epochs(n, seed)
    assert [epochs[number] for number in numbers] == [Epochs(n, seed)[number] for number in numbers]


def test_each_epoch_and_each_seed_has_its_order():
    orders = [tuple(Epochs(30, seed).order(epoch).tolist()) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9


def test_all_orders_are_as_likely():
    counts = Counter(tuple(Epochs(3, 0).order(epoch).tolist()) for epoch in range(1200))
    assert len(counts) == 6
    assert all(140 < count < 260 for count in counts.values())


def test_two_orders_are_kept_at_most():
    epochs = Epochs(5, 0)
    for number in range(1000):
        _ = epochs[number]
        assert len(epochs._orders) <= 2
    assert pickle.loads(pickle.dumps(epochs))._orders == {}
    assert pickle.loads(pickle.dumps(epochs))[123] == epochs[123]


# ---------------------------------------------------------------- which names are held out


@pytest.mark.parametrize("n", [0, 1, 2, ENOUGH - 1])
def test_nothing_is_held_out_of_a_few(n):
    assert held_out_names(f"{i}.png" for i in range(n)) == []


@given(st.integers(ENOUGH, 60), st.integers(0, 10**6))
def test_at_least_one_and_at_most_a_fifth_is_held_out(n, start):
    assert 1 <= len(held_out_names(f"{start + i}.png" for i in range(n))) <= n // 5


def test_about_a_tenth_is_held_out_and_a_thousand_at_most():
    assert 850 < len(held_out_names(f"{i}.png" for i in range(10_000))) < 1100
    assert len(held_out_names(f"{i}.png" for i in range(30_000))) == MOST


@given(st.integers(200, 400), st.integers(1, 50))
def test_more_pictures_move_no_other(n, more):
    before, after = (set(held_out_names(f"{i}.png" for i in range(count))) for count in (n, n + more))
    assert before == {name for name in after if int(name[:-4]) < n}


def test_a_name_that_is_no_utf8_has_a_side():
    held_out_names([f"{i}\udcff" for i in range(20)])
