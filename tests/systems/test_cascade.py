"""What Imagen and DALL·E 2 share: guidance at every step, pictures painted into, larger ones from small ones."""

from typing import Any

import pytest
import torch
from by_hand import cosine_alphas_bar, seeded
from tiny_systems import build, tiny_unet, tiny_upsampler

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.families.cascade import Cascade, CascadeSampling
from dalle_edu.systems.imagen import Imagen, ImagenConfig, ImagenModel
from dalle_edu.systems.parts.text_encoder import TextEncoderConfig
from dalle_edu.world import World

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]


@pytest.fixture(scope="module", params=["imagen", "dalle2"])
def tiny(request) -> Cascade:
    system = build(request.param)
    assert isinstance(system, Cascade)
    return system


def pictures(n: int, resolution: int) -> torch.Tensor:
    return World(n).collate([World(n)[i] for i in range(n)]).images(resolution)


@pytest.mark.parametrize(("guidance_scale", "rows"), [(1.0, 3), (2.5, 6)])
def test_guidance_acts_at_every_step(tiny, guidance_scale, rows, monkeypatch):
    asked: list[int] = []
    unet = tiny.base_model.unet
    forward = unet.forward

    def watched(x: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        asked.append(len(x))
        return forward(x, *rest, **more)

    monkeypatch.setattr(unet, "forward", watched)
    tiny.generate(PROMPTS, guidance_scale=guidance_scale, steps=5)
    tries = getattr(tiny.config.sampling, "tries", 1)
    assert asked == [rows * tries] * 5  # one network evaluation a step, on a doubled batch where there is guidance


def test_the_callback_sees_every_step(tiny):
    seen = []
    drawn = tiny.generate(PROMPTS, steps=6, callback=seen.append)
    base = [told for told in seen if told.stage == tiny.base_stage]
    assert len(base) == 6
    assert base[0].state.abs().max() > 1.5 > base[-1].estimate.abs().max()  # noise at first, and at last a clean picture
    assert [told.stage for told in seen[-2:]] == ["upsampler_64"] * 2
    tries = getattr(tiny.config.sampling, "tries", 1)
    best = seen[-1].estimate.clamp(-1, 1).unflatten(0, (-1, tries))
    assert all(any(torch.equal(picture, one) for one in each) for picture, each in zip(drawn, best, strict=True))


def test_thresholding_matters_where_guidance_is_strong(tiny):
    drawn = {way: tiny.generate(PROMPTS, guidance_scale=20.0, threshold=way) for way in (True, False)}
    assert not torch.equal(drawn[True], drawn[False])
    assert torch.equal(tiny.generate(PROMPTS, guidance_scale=20.0), drawn[tiny.config.sampling.threshold])


@pytest.mark.parametrize("dynamic", [True, False])
def test_the_threshold_divides_by_the_brightest_and_the_clip_cuts_off(tiny, dynamic, monkeypatch):
    """With a network that predicts v = 0, the clean picture is the noisy one times the rate of signal, brought into range."""
    base, x_t = tiny.base_model, 6 * torch.randn(2, 3, 16, 16, generator=seeded())
    monkeypatch.setattr(base.unet, "forward", lambda x, t, **conditions: torch.zeros_like(x))
    denoise = base.denoiser({}, {}, 1.0, dynamic, None, x_t)
    t = torch.tensor([300, 300])
    raw = x_t * cosine_alphas_bar(shift=2.0)[300].sqrt().float()
    if dynamic:
        brightest = torch.stack([picture.abs().flatten().double().quantile(0.995) for picture in raw]).float().view(2, 1, 1, 1)
        raw = raw.clamp(-brightest, brightest) / brightest
    torch.testing.assert_close(denoise(x_t, t), raw.clamp(-1, 1), rtol=1e-4, atol=1e-4)


def test_what_is_painted_anew_is_the_try_that_clip_likes_best():
    tiny = build("dalle2")
    images, keep = pictures(3, tiny.resolution), torch.zeros(3, 1, 64, 64, dtype=torch.bool)
    assert tiny.config.sampling.tries > 1
    torch.testing.assert_close(tiny.inpaint(images, keep, PROMPTS, seed=2), tiny.generate(PROMPTS, seed=2), atol=1e-5, rtol=0)


def test_kept_pixels_stay_and_the_others_are_painted(tiny):
    images = pictures(3, tiny.resolution)
    keep = torch.ones(3, 1, 64, 64, dtype=torch.bool)
    keep[:, :, 20:52, 30:] = False
    first, second = (tiny.inpaint(images, keep, PROMPTS, seed=seed) for seed in (0, 1))
    where = keep.expand_as(images)
    assert torch.equal(first[where], images[where])
    assert not torch.equal(first[~where], images[~where])
    assert not torch.equal(first[~where], second[~where])
    hidden = torch.where(keep, images, 0.5)
    torch.testing.assert_close(tiny.inpaint(hidden, keep, PROMPTS, seed=0), first, rtol=0, atol=1e-5)  # what is not kept is not seen


@pytest.mark.parametrize(
    "keep", [torch.ones(3, 1, 64, 64), torch.ones(3, 1, 32, 32, dtype=torch.bool), torch.ones(2, 1, 64, 64, dtype=torch.bool)]
)
def test_masks_of_another_kind_or_shape_are_refused(tiny, keep, no_shape_checking):
    with pytest.raises(DalleEduError, match="keep"):
        tiny.inpaint(pictures(3, 64), keep, PROMPTS)


@pytest.mark.parametrize("steps", [0, 1001])
def test_steps_out_of_range_are_refused(tiny, steps):
    with pytest.raises(DalleEduError, match="steps"):
        tiny.generate(PROMPTS, steps=steps)


def test_the_base_alone_is_previewed_small_and_upsamplers_large(tiny):
    images = pictures(2, 64)
    painting = next(stage.name for stage in tiny.stages if stage.name in ("base", "decoder"))
    small, large = (tiny.preview(stage, images, PROMPTS[:2], seed=0) for stage in (painting, "upsampler_64"))
    assert small is not None
    assert large is not None
    assert small.shape[-1] == 32
    assert large.shape[-1] == 64


def test_each_upsampler_is_previewed_at_its_own_size_and_without_those_after_it():
    text_encoder, base_model = TextEncoderConfig(width=16, depth=1, heads=2), tiny_unet(16, 16)
    model = ImagenModel(text_encoder, base_model, (tiny_upsampler(), tiny_upsampler()))
    system = Imagen(ImagenConfig(model, sampling=CascadeSampling(steps=4, upsampler_steps=2)))
    images = pictures(2, 128)

    def previews():
        return [system.preview(f"upsampler_{side}", images, PROMPTS[:2], seed=0) for side in (64, 128)]

    before = previews()
    assert [preview.shape[-1] for preview in before] == [64, 128]
    with torch.no_grad():
        for parameter in system.upsamplers[1].parameters():
            parameter.add_(1.0)
    after = previews()
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])
