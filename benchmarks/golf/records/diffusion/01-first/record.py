"""A diffusion model: the U-Net of the library's Imagen at 32 pixels, with a small text encoder that learns with it.

Imagen trains its text encoder first, on captions alone. Here both learn from the pictures: the U-Net attends to the states of the tokens,
and every block of it is told their mean. Muon takes the matrices and AdamW all else; what is kept is the average of the weights.
"""

import torch
from torch import nn

from dalle_edu.bricks.diffusion import denoiser, diffusion_loss
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.noise_schedule import cosine_schedule, shifted
from dalle_edu.bricks.samplers import dpm_solver
from dalle_edu.bricks.transformer import Encoder
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.device import choose_device
from dalle_edu.training.ema import EMA
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.muon import Muon

WIDTH, CAPTION_DROPOUT, BATCH = 96, 0.1, 64
SCHEDULE = shifted(cosine_schedule(), 2.0)  # noisier than cosine, since the layout is decided where there is most noise


class TextToImage(nn.Module):
    """The text encoder and the U-Net."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(512, WIDTH)
        self.places = nn.Embedding(20, WIDTH)
        self.encoder = Encoder(WIDTH, depth=3, heads=4, directed=True)
        self.unet = UNet(
            UNetConfig(widths=(80, 160), depth=1, attention_levels=(), middle_depth=5, heads=5, text_width=WIDTH, pooled_width=WIDTH)
        )

    def read(self, tokens):
        """What the U-Net is conditioned on: the states of the tokens, which of them are no padding, and their mean."""
        visible = tokens != 0
        states = self.encoder(self.words(tokens) + self.places.weight, visible)
        states = torch.where(visible.unsqueeze(-1), states, 0.0).float()
        mean = states.sum(dim=1) / visible.sum(dim=1, keepdim=True).clamp(min=1)
        return {"text": states, "text_mask": visible, "pooled": mean}


def build():
    """Both networks, with random weights."""
    return TextToImage()


def train(model, game):
    """Learn v from noisy pictures and their captions, of which a tenth is left out."""
    place, generator = choose_device("cpu"), torch.Generator().manual_seed(game.seed)
    model.train().to(memory_format=torch.channels_last)
    unet = model.unet
    by_muon = {id(each) for part in (model.encoder, unet.encoder, unet.decoder, unet.middle) for each in part.parameters()}
    matrices = [each for each in model.parameters() if each.ndim >= 2 and id(each) in by_muon]
    rest = [each for each in model.parameters() if each.ndim < 2 or id(each) not in by_muon]
    optimizers = [
        torch.optim.AdamW(rest, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
        Muon(matrices, lr=2e-2, weight_decay=0.01, precision=torch.bfloat16 if place.bfloat16 else torch.float32),
    ]
    parameters, update = list(model.named_parameters()), 0
    ema = EMA(parameters)
    while (progress := game.progress()) < 1:
        for optimizer, peak in zip(optimizers, (2e-3, 2e-2), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * learning_rate_schedule(update, progress)
        batch = game.batch(BATCH)
        said = torch.rand(BATCH, 1, generator=generator) >= CAPTION_DROPOUT
        pictures = batch.pictures.contiguous(memory_format=torch.channels_last)
        with place.autocast():
            loss = diffusion_loss(model.unet, pictures, SCHEDULE, generator=generator, **model.read(batch.tokens * said))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        ema.update(parameters, update)
        update += 1
        if update % 10 == 0:
            game.log(update, loss=loss)
    ema.swap(parameters)
    model.half()


def draw(model, tokens, seed):
    """Pictures from noise, in sixteen steps of DPM-Solver++ with guidance 2."""
    place = choose_device("cpu")
    noise = torch.randn(len(tokens), 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    network = guided(model.unet, 2.0, model.read(tokens), model.read(torch.zeros_like(tokens)))
    denoise = denoiser(network, SCHEDULE, "v", lambda x0: x0.clamp(-1, 1))
    with place.autocast():
        return dpm_solver(denoise, noise, SCHEDULE, steps=16).clamp(-1, 1)
