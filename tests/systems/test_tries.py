"""Of several tries, the best is kept: the nearest to its embedding in DALL·E 2, the nearest to the sentence in VQGAN+CLIP."""

import pytest
import torch
import torch.nn.functional as F
from by_hand import seeded, spy
from tiny_systems import build
from torch import Tensor


@pytest.mark.parametrize("best", [[0, 1, 2], [2, 2, 0], [1, 0, 1]])
def test_of_the_tries_at_an_embedding_the_one_that_clip_sees_nearest_is_kept(best, monkeypatch):
    """Pictures are flat, and told apart by their brightness; CLIP is made to see the wanted try of each near, and the others far."""
    system = build("dalle2")
    z = F.normalize(torch.randn(3, 16, generator=seeded()), dim=-1)
    far = F.normalize(z + 0.8 * torch.randn(3, 16, generator=seeded(1)), dim=-1)
    drawn = torch.linspace(-1, 1, 9).view(9, 1, 1, 1).expand(9, 3, 64, 64)
    seen = torch.stack([z[i] if best[i] == k else far[i] for i in range(3) for k in range(3)])
    asked: list[Tensor] = []
    monkeypatch.setattr(system, "sample", lambda *told: asked.append(told[0]["pooled"]) or drawn)
    monkeypatch.setattr(system, "encode_images", lambda images: seen if images is drawn else pytest.fail("other pictures"))
    kept = system.decode_embeddings(z, tries=3)
    torch.testing.assert_close(asked[0], z.repeat_interleave(3, dim=0) * 4)  # each embedding's tries are neighbours
    assert torch.equal(kept, drawn[[3 * i + k for i, k in enumerate(best)]])


def test_really_drawn_tries_are_ranked_by_their_embeddings(monkeypatch):
    system = build("dalle2")
    z = F.normalize(torch.randn(2, 16, generator=seeded(2)), dim=-1)
    everything: list[Tensor] = []
    sample = system.sample
    monkeypatch.setattr(system, "sample", lambda *told: everything.append(sample(*told)) or everything[-1])
    kept = system.decode_embeddings(z, ["a red circle", "un carré bleu"], tries=4, seed=3)
    near = (system.encode_images(everything[0]) * z.repeat_interleave(4, dim=0)).sum(dim=1).view(2, 4)
    for i in range(2):
        assert len({round(float(each), 6) for each in near[i]}) == 4
        assert torch.equal(kept[i], everything[0][4 * i + int(near[i].argmax())])


def test_each_try_keeps_to_its_own_caption_and_its_own_known_pixels(monkeypatch):
    system = build("dalle2")
    z, captions = F.normalize(torch.randn(2, 16, generator=seeded(2)), dim=-1), ["a red circle", "un carré bleu"]
    known = torch.rand(2, 3, 64, 64, generator=seeded(3)), torch.rand(2, 1, 64, 64, generator=seeded(4)) < 0.5
    calls = spy(monkeypatch, system, "sample")
    system.decode_embeddings(z, captions, tries=3, known=known)
    ((told, untold, _, _, kept, *_), _) = calls[0]
    words, mask = system.encode_texts(captions)[0], system.visible(captions)
    for row in range(6):
        assert torch.equal(told["text"][row], words[row // 3])
        assert torch.equal(told["text_mask"][row], mask[row // 3])
        for found, given in zip(kept, known, strict=True):
            assert torch.equal(found[row], given[row // 3])
    assert not untold["text_mask"].any()
    assert not untold["pooled"].any()


def test_vqgan_clip_begins_with_the_nearest_of_its_beginnings(monkeypatch):
    system = build("vqgan_clip")
    noise = torch.randn(2, 5, 8, 8, 8, generator=seeded())
    aim = F.normalize(torch.randn(2, 16, generator=seeded(1)), dim=-1)
    found = system._beginning(noise, aim)
    paper = system.vqgan.encoder(torch.ones(1, 3, 32, 32))
    for i in range(2):
        near = [float((system._encode(system._paint(paper + noise[i, k][None])) * aim[i]).sum()) for k in range(5)]
        torch.testing.assert_close(found[i], paper[0] + noise[i, near.index(max(near))])
