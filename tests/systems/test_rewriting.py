"""Rewriting by DALL·E 1 and mini: which codes a changed caption puts in doubt, what is written anew, and which try is kept."""

import math
from typing import cast

import pytest
import torch
from by_hand import batch, log_softmax, seeded, spy
from tiny_systems import build
from torch import Tensor

from dalle_edu.systems.families.autoregressive import AutoregressiveSystem

OLD, NEW = "a red circle", "a blue circle"
SIDE, GROUND = 8, 3


@pytest.fixture(params=["dalle1", "dalle_mini"])
def tiny(request) -> AutoregressiveSystem:
    return cast("AutoregressiveSystem", build(request.param))


def scene(*rows: str) -> Tensor:
    """A grid of codes: "." is the ground, a digit an object's code."""
    padded = [row.ljust(SIDE, ".") for row in rows] + ["." * SIDE] * (SIDE - len(rows))
    return torch.tensor([[GROUND if c == "." else 10 + int(c) for c in row] for row in padded])[None]


def marked(*rows: str) -> Tensor:
    """A grid of positions: "#" is marked."""
    padded = [row.ljust(SIDE, ".") for row in rows] + ["." * SIDE] * (SIDE - len(rows))
    return torch.tensor([[c == "#" for c in row] for row in padded])[None]


def believing(system: AutoregressiveSystem, monkeypatch: pytest.MonkeyPatch, old: Tensor, new: Tensor) -> None:
    """Make the network give each code in place the log-likelihood `old` under the old caption, and `new` under any other."""
    before = system.tokens([OLD])

    def logits(text: Tensor, codes: Tensor) -> Tensor:
        found = []
        for row, told in zip(codes, text, strict=True):
            wanted = (old if torch.equal(told, before[0]) else new).flatten()
            each = torch.full((len(row), 32), 0.0)
            rest = torch.log((1 - wanted.exp()) / 31)  # shared out among the other codes
            each[:] = rest[:, None]
            each[torch.arange(len(row)), row] = wanted
            found.append(each)
        return torch.stack(found)

    monkeypatch.setattr(system, "logits", logits)


LIKELY = math.log(0.5)
OBJECTS = scene("........", ".11.....", ".1....22", "......22", "........", "....4...", "...4....", "........")


def doubts(system: AutoregressiveSystem, monkeypatch, places: list[tuple[int, int]], factor: float, codes: Tensor = OBJECTS) -> Tensor:
    """What is doubted when the new caption makes the codes at these places `factor` times as likely as the old one did."""
    old = torch.full((SIDE, SIDE), LIKELY)
    new = old.clone()
    for y, x in places:
        new[y, x] += math.log(factor)
    believing(system, monkeypatch, old, new)
    return system.doubted(codes, [OLD], [NEW])


def test_an_unlikely_code_is_doubted_with_its_whole_object_and_a_border_of_one(tiny, monkeypatch):
    expected = marked("####....", "####....", "####....", "###.....")
    expected[0, 3, :3] = True
    found = doubts(tiny, monkeypatch, [(1, 1)], 0.1)
    assert torch.equal(found, expected)


def test_the_other_objects_are_kept(tiny, monkeypatch):
    found = doubts(tiny, monkeypatch, [(2, 7)], 0.01)
    assert torch.equal(found, marked("........", ".....###", ".....###", ".....###", ".....###"))


def test_an_object_hangs_together_over_corners(tiny, monkeypatch):
    found = doubts(tiny, monkeypatch, [(5, 4)], 0.01)
    assert torch.equal(found, marked("", "", "", "", "...###..", "..####..", "..####..", "..###..."))


def test_a_doubt_on_the_ground_takes_its_border_alone(tiny, monkeypatch):
    found = doubts(tiny, monkeypatch, [(7, 7)], 0.01)
    assert torch.equal(found, marked("", "", "", "", "", "", "......##", "......##"))


def test_next_to_an_object_a_doubt_on_the_ground_takes_the_object_along(tiny, monkeypatch):
    found = doubts(tiny, monkeypatch, [(0, 0)], 0.01)
    assert torch.equal(found, marked("####....", "####....", "####....", "###....."))


def test_several_doubts_add_up(tiny, monkeypatch):
    one, other, both = (doubts(tiny, monkeypatch, places, 0.01) for places in ([(1, 1)], [(2, 7)], [(1, 1), (2, 7)]))
    assert torch.equal(both, one | other)


@pytest.mark.parametrize(("factor", "doubted"), [(0.01, True), (0.19, True), (0.21, False), (1.0, False), (1.9, False)])
def test_a_code_is_doubted_when_it_is_less_than_a_fifth_as_likely(tiny, monkeypatch, factor, doubted):
    assert bool(doubts(tiny, monkeypatch, [(1, 1)], factor).any()) == doubted


def test_swapped_captions_doubt_other_codes(tiny, monkeypatch):
    """Codes that the new caption makes likelier are kept; with the captions swapped it is they that are doubted."""
    old, new = torch.full((SIDE, SIDE), LIKELY), torch.full((SIDE, SIDE), LIKELY)
    old[1, 1] -= 4.0  # the object on the left is less likely under the old caption
    new[2, 7] -= 4.0  # that on the right under the new one
    believing(tiny, monkeypatch, old, new)
    assert torch.equal(tiny.doubted(OBJECTS, [OLD], [NEW]), marked("........", ".....###", ".....###", ".....###", ".....###"))
    assert torch.equal(tiny.doubted(OBJECTS, [NEW], [OLD]), marked("####....", "####....", "####....", "###....."))


def test_each_picture_of_a_batch_has_its_own_ground_and_its_own_doubts(tiny, monkeypatch):
    other = torch.where(OBJECTS == GROUND, 11, torch.where(OBJECTS == 11, GROUND, OBJECTS))  # ground and first object exchanged
    old, new = torch.full((SIDE, SIDE), LIKELY), torch.full((SIDE, SIDE), LIKELY)
    new[1, 1] -= 4.0
    believing(tiny, monkeypatch, old, new)
    found = tiny.doubted(torch.cat([OBJECTS, other, OBJECTS]), [OLD, OLD, OLD], [NEW, NEW, OLD])
    expected = marked("####....", "####....", "####....", "###.....")
    assert torch.equal(found, torch.cat([expected, expected, marked()]))


@torch.no_grad()
def test_the_log_likelihood_is_that_of_each_code_in_its_place(tiny):
    codes = torch.randint(32, (2, 64), generator=seeded())
    captions = [OLD, "trois étoiles vertes"]
    found = tiny._log_likelihood(captions, codes)
    logs = log_softmax(tiny.logits(tiny.tokens(captions), codes))
    for row in range(2):
        for place in range(64):
            assert float(found[row, place]) == pytest.approx(float(logs[row, place, codes[row, place]]), abs=1e-4)


# ---------------------------------------------------------------- alter


def test_doubted_codes_alone_are_written_anew_and_the_likeliest_try_is_kept(tiny, monkeypatch):
    images, (before, after) = batch(32, 2)[0], ([OLD, "un carré vert"], [NEW, "un carré jaune"])
    codes = tiny.encode(images)
    anew = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    anew[0, 2:5, 3:6] = anew[1, 6:, :2] = True
    tries = torch.where(anew.repeat_interleave(3, 0), torch.randint(32, (6, SIDE, SIDE), generator=seeded()), codes.repeat_interleave(3, 0))
    written = tries.flatten(1)
    asked: list[tuple] = []
    monkeypatch.setattr(tiny, "doubted", lambda *told: asked.append(told) or anew)
    monkeypatch.setattr(tiny, "sample_codes", lambda *told, **options: asked.append((told, options)) or written)
    likely: list[tuple] = []
    levels = torch.tensor([-9.0, -1.0, -5.0, -4.0, -7.0, -2.0])  # of the tries: the second and the third are the best of theirs
    monkeypatch.setattr(tiny, "_log_likelihood", lambda *told: likely.append(told) or levels[:, None].expand(6, 64))
    kept = tiny.alter(images, before, after, tries=3, seed=5, guidance_scale=1.5)
    assert torch.equal(asked[0][0], codes)
    assert asked[0][1:] == (before, after)
    (prompts,), options = asked[1]
    assert prompts == [caption for caption in after for _ in range(3)]
    assert torch.equal(options["given"], torch.where(anew, -1, codes).flatten(1).repeat_interleave(3, dim=0))
    assert (options["seed"], options["temperature"], options["guidance_scale"]) == (5, 1.0, 1.5)
    assert likely[0][0] == prompts  # under what is to be said
    assert torch.equal(likely[0][1], written)
    assert torch.equal(kept, tiny.decode(written[[1, 5]]))


def test_tries_are_compared_by_all_their_codes_together(tiny, monkeypatch):
    """One code in a hundred may be hopeless: it is the sum that counts, not the best or the worst."""
    images = batch(32, 1)[0]
    logs = torch.full((2, 64), -1.0)
    logs[0, 0], logs[1] = -30.0, -2.0
    monkeypatch.setattr(tiny, "doubted", lambda codes, *_: torch.ones_like(codes, dtype=torch.bool))
    written = torch.stack([torch.full((64,), 4), torch.full((64,), 7)])
    monkeypatch.setattr(tiny, "sample_codes", lambda *_, **__: written)
    monkeypatch.setattr(tiny, "_log_likelihood", lambda *_: logs)
    assert torch.equal(tiny.alter(images, [OLD], [NEW], tries=2), tiny.decode(written[:1]))


def test_altering_for_real_keeps_the_codes_that_are_not_in_doubt(tiny, monkeypatch):
    images, tries = batch(32, 2)[0], 4
    codes = tiny.encode(images)
    anew = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    anew[:, 3:6, 2:7] = True
    monkeypatch.setattr(tiny, "doubted", lambda *_: anew)
    calls = spy(monkeypatch, tiny, "decode")
    tiny.alter(images, [OLD] * 2, [NEW] * 2, tries=tries, seed=2)
    found = calls[0][0][0].view(2, SIDE, SIDE)
    assert torch.equal(found[~anew], codes[~anew])
    assert not torch.equal(found[anew], codes[anew])
    given = torch.where(anew, -1, codes).flatten(1).repeat_interleave(tries, dim=0)
    written = tiny.sample_codes([NEW] * 2 * tries, seed=2, given=given, temperature=1.0)
    logs = log_softmax(tiny.logits(tiny.tokens([NEW] * 2 * tries), written))
    sums = [sum(float(logs[i, j, written[i, j]]) for j in range(64)) for i in range(2 * tries)]
    best = [max(range(tries), key=lambda k: sums[row * tries + k]) + row * tries for row in range(2)]
    assert torch.equal(found.flatten(1), written[best])


# ---------------------------------------------------------------- complete


@pytest.mark.parametrize(("rows", "given"), [(0.0, 0), (0.26, 2), (0.5, 4), (0.9, 7), (1.0, 8)])
def test_completing_gives_the_codes_of_the_top_rows(tiny, rows, given, monkeypatch):
    images, captions = batch(32, 2)
    codes = tiny.encode(images)
    calls = spy(monkeypatch, tiny, "sample_codes")
    finished = tiny.complete(images, captions, rows=rows, seed=3)
    ((prompts, *_), options) = calls[0]
    expected = codes.clone()
    expected[:, given:] = -1
    assert prompts == captions
    assert torch.equal(options["given"], expected.flatten(1))
    height = given * 4
    assert torch.equal(finished[:, :, :height], images[:, :, :height])
    written = tiny.sample_codes(captions, seed=3, given=expected.flatten(1))
    assert torch.equal(finished[:, :, height:], tiny.decode(written)[:, :, height:])
