"""DALL·E 1 as the library's "laptop" preset first trained it.

A dVAE turns pictures into codes, and a GPT writes captions and codes as one stream.

A seventh of the time goes to the dVAE, a fiftieth to its decoder alone, the rest to the GPT. Muon takes the matrices and AdamW all else;
what is kept is the average of the weights.
"""

import torch
from torch import nn

from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig, temperature_at
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT, sample_codes
from dalle_edu.device import choose_device
from dalle_edu.training.ema import EMA
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.muon import Muon

CODES, CODEC_SHARE, DECODER_SHARE = 128, 0.14, 0.02  # the shares of the time that two stages take, and the third what is left
CAPTION_DROPOUT = 0.1


class DallE1(nn.Module):
    """The two networks."""

    def __init__(self):
        super().__init__()
        self.dvae = DiscreteVAE(DVAEConfig(resolution=32, num_codes=CODES, width=48))
        self.gpt = TextToImageGPT(GPTConfig(num_codes=CODES, width=192, depth=4, heads=4))


def build():
    """Both networks, with random weights."""
    return DallE1()


def train(model, game):
    """The dVAE, its decoder, the GPT, one after the other."""
    dvae, gpt = model.dvae, model.gpt
    generator = torch.Generator().manual_seed(game.seed)

    def codec(progress):
        pictures = game.batch(32).pictures.contiguous(memory_format=torch.channels_last)
        return dvae.loss(pictures, temperature_at(progress), generator)

    def decoder(progress):
        return dvae.decoder_loss(game.batch(32).pictures.contiguous(memory_format=torch.channels_last))

    def prior(progress):
        batch = game.batch(64)
        said = torch.rand(64, 1, generator=generator) >= CAPTION_DROPOUT
        pictures = batch.pictures.contiguous(memory_format=torch.channels_last)
        return gpt.loss(batch.tokens * said, dvae.encode(pictures).flatten(1))

    convolutions = [*named(dvae.encoder), *named(dvae.decoder)]
    begun = game.progress()  # importing torch has taken a little
    codec_until, decoder_until = (begun + share * (1 - begun) for share in (CODEC_SHARE, CODEC_SHARE + DECODER_SHARE))
    stage(game, model, "codec", codec_until, codec, named(dvae), convolutions, 2e-3, 2e-2)
    stage(game, model, "decoder", decoder_until, decoder, named(dvae.decoder), named(dvae.decoder), 1e-3, 1e-2)
    stage(game, model, "prior", 1.0, prior, named(gpt), named(gpt.blocks), 2e-3, 2e-2)
    model.half()


def named(network):
    """The parameters of a network."""
    return list(network.parameters())


def stage(game, model, name, until, loss_of, learning, by_muon, rate, matrix_rate):
    """Train some parameters until a part of the time is spent; of those in `by_muon`, Muon takes the matrices and kernels."""
    place, began = choose_device("cpu"), game.progress()
    own = {id(parameter) for parameter in learning}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in own)
    model.train().to(memory_format=torch.channels_last)
    theirs = {id(parameter) for parameter in by_muon if parameter.ndim >= 2}
    matrices = [parameter for parameter in learning if id(parameter) in theirs]
    rest = [parameter for parameter in learning if id(parameter) not in theirs]
    precision = torch.bfloat16 if place.bfloat16 else torch.float32
    optimizers = [
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
        Muon(matrices, lr=matrix_rate, weight_decay=0.01, precision=precision),
    ]
    peaks = (rate, matrix_rate)
    parameters = [(str(number), parameter) for number, parameter in enumerate(learning)]
    ema, update = EMA(parameters), 0
    while (spent := game.progress()) < until:
        progress = (spent - began) / (until - began)
        for optimizer, peak in zip(optimizers, peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * learning_rate_schedule(update, progress)
        with place.autocast():
            losses = loss_of(progress)
        losses["loss"].backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        ema.update(parameters, update)
        update += 1
        train.updates += 1
        if update % 10 == 0:
            game.log(train.updates, **{f"{name}_{key}": value for key, value in losses.items()})
    ema.swap(parameters)


train.updates = 0


def draw(model, tokens, seed):
    """Pictures from codes that are sampled with guidance 2 and temperature 0.7."""
    uniforms = torch.rand(len(tokens), 64, generator=torch.Generator().manual_seed(seed))
    codes = sample_codes(model.gpt, tokens, uniforms, guidance_scale=2.0, temperature=0.7)
    return model.dvae.decode(codes.unflatten(1, (8, 8))).clamp(-1, 1)
