"""Discrete diffusion: a picture is 64 codes, noise hides or changes them, a transformer takes it away (Gu et al. 2022, VQ-Diffusion).

Noise in pixels teaches words slowly. In most noisy pictures the layout can still be seen, and where it cannot, the best guess is a mean
over all places, which changes little when "left" becomes "right". A code is there or hidden, and guessing it is a choice among 256, so each
word that tells one code from another shows in the loss at once.

The noise:
1. Each code is hidden with a probability that is drawn for each picture, from 0 to 1. Of those left, 3 % are exchanged for another code, so
   that the network learns to doubt what it sees.
2. The network sees the whole picture, guesses all codes, and is marked on the hidden ones, and for a tenth on the others.

The network:
3. Words know the words before them (smear, canon layers) and image tokens their eight neighbours; embeddings learn four times as fast.
4. Four codes side by side are one token, hidden or not, so a picture is 16 tokens. A small network guesses each code of a token.
5. Words look at words alone, image tokens at all.

To draw, all codes are hidden. In 32 steps all are guessed, with guidance and epsilon sampling, and two more at random places are kept.

The codec, and how two threads share each batch, are those of the second record for DALL·E 1.
"""

import math
from multiprocessing.pool import ThreadPool

import torch
import torch.nn.functional as F
from dalle_edu.bricks.attention import attend
from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig, patch_contrast, temperature_at
from dalle_edu.bricks.transformer import Block, initialise
from dalle_edu.device import choose_device
from dalle_edu.training.ema import EMA
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.muon import Muon
from einops import rearrange
from torch import nn

CODES, CODEC_SHARE, DECODER_SHARE = 256, 0.06, 0.015  # the shares of the time that two stages take, and the third what is left
GRID, TOGETHER, WORDS, VOCABULARY = 8, 4, 20, 512  # codes on a side, codes of a token, tokens of a caption, entries of the vocabulary
CAPTION_DROPOUT = 0.1
GUIDANCE, TEMPERATURE, EPSILON, STEPS = 2.0, 0.8, 0.01, 32
EXCHANGED, UNHIDDEN_WEIGHT = 0.03, 0.1  # of the codes that are not hidden: the part that is changed, and what their guesses count
NEIGHBOURS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != (0, 0)]
EMBEDDED = ("embedding", "position", "padding", "start", "codebook")  # what the names of embeddings hold
EMBEDDINGS_RATE = 4  # times the rate of what else AdamW takes


class Canon(nn.Module):
    """y(t) = x(t) + sum of w(j) x(t - j) over the neighbours j = 1, 2, 3, channel by channel (Allen-Zhu 2025)."""

    def __init__(self, width, neighbours=3):
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(neighbours, width))

    def forward(self, x):
        shifted = [F.pad(x, (0, 0, back, 0))[:, : x.shape[1]] * w for back, w in enumerate(self.weight, start=1)]
        return x + sum(shifted)


class Around(nn.Module):
    """Adds to each token of the picture its eight neighbours, channel by channel."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(0.15 * torch.randn(len(NEIGHBOURS), width))

    def forward(self, x):
        rows = x.unflatten(1, (GRID, -1))
        height, width = rows.shape[1:3]
        padded, mixed = F.pad(rows, (0, 0, 1, 1, 1, 1)), rows
        for (row, column), weight in zip(NEIGHBOURS, self.weight, strict=True):
            mixed = mixed + weight * padded[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]
        return mixed.flatten(1, 2)


class Denoiser(nn.Module):
    """A transformer over the caption and 16 tokens of four codes. n captions, t words and the start, k image tokens, w channels."""

    def __init__(self, width, depth, heads):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(width))
        self.text_embedding, self.text_position = nn.Embedding(VOCABULARY, width), nn.Embedding(WORDS, width)
        # one code more: hidden
        self.code_embeddings = nn.ModuleList(nn.Embedding(CODES + 1, width) for _ in range(TOGETHER))
        self.row_position, self.column_position = nn.Embedding(GRID, width), nn.Embedding(GRID // TOGETHER, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, bias=False)
        # the small network that guesses each code of a token
        self.own_embedding, self.place_position = nn.Embedding(CODES + 1, width), nn.Embedding(TOGETHER, width)
        self.small_norm = nn.LayerNorm(width, bias=False)
        self.expand, self.contract = nn.Linear(width, 2 * width, bias=False), nn.Linear(2 * width, width, bias=False)
        self.code_head = nn.Linear(width, CODES, bias=False)
        initialise(self, depth)
        self.smear = nn.Linear(width, width, bias=False)
        nn.init.normal_(self.smear.weight, std=0.02)
        self.canons = nn.ModuleList(Canon(width) for _ in range(depth))
        self.arounds = nn.ModuleList(Around(width) for _ in range(depth))

    def forward(self, text, codes):
        """The logits of all codes (n, 64, codes), of captions (n, t - 1) and codes (n, 64), of which those that equal CODES are hidden."""
        words = self.text_embedding(text) + self.text_position.weight[: text.shape[1]]
        words = torch.cat([self.start.expand(len(text), 1, -1), words], dim=1)
        words = torch.cat([words[:, :1], words[:, 1:] + self.smear(words[:, :-1])], dim=1)
        tokens = codes.unflatten(1, (-1, TOGETHER))
        places = torch.arange(tokens.shape[1])
        image = self.row_position(places // (GRID // TOGETHER)) + self.column_position(places % (GRID // TOGETHER))
        image = image + sum(embedding(tokens[:, :, j]) for j, embedding in enumerate(self.code_embeddings))
        x, t = torch.cat([words, image], dim=1), words.shape[1]
        seen = F.pad(F.pad(text != 0, (1, 0), value=True), (0, len(places)), value=True)
        mask = torch.ones(x.shape[1], x.shape[1]) > 0
        mask[:t, t:] = False  # words look at words alone
        mask = mask & seen[:, None, None]
        for block, canon, around in zip(self.blocks, self.canons, self.arounds, strict=True):
            normed = block.norm_1(x)
            normed = torch.cat([canon(normed[:, :t]), around(normed[:, t:])], dim=1)
            qkv = rearrange(block.attention.qkv(normed), "n t (three s d) -> three n s t d", three=3, s=block.attention.heads)
            x = x + block.attention.out(attend(*qkv, mask))
            x = x + block.contract(F.gelu(block.expand(block.norm_2(x))))
        x = x[:, t:].unsqueeze(2) + self.place_position.weight + self.own_embedding(tokens)
        x = x + self.contract(F.gelu(self.expand(self.small_norm(x))))
        return self.code_head(self.norm(x)).flatten(1, 2)

    def loss(self, text, codes, generator):
        """The cross-entropy of the hidden codes (n, 64), and a tenth of that of the others."""
        draws = torch.rand(3, *codes.shape, generator=generator)
        hidden = draws[0] < draws[1, :, :1].clamp(min=1 / codes.shape[1])
        exchanged = torch.where(draws[2] < EXCHANGED, torch.randint(0, CODES, codes.shape, generator=generator), codes)
        logits = self(trimmed(text), torch.where(hidden, CODES, exchanged)).float()
        each = F.cross_entropy(logits.mT, codes, reduction="none")
        weight = torch.where(hidden, 1.0, UNHIDDEN_WEIGHT)
        return {"loss": (each * weight).sum() / weight.sum(), "hidden": (each * hidden).sum().detach() / hidden.sum()}

    def sample(self, text, generator):
        """Codes (n, 64), with guidance: logits move away from those of an empty caption."""
        text, n = trimmed(text), len(text)
        both = torch.cat([text, torch.zeros_like(text)])
        codes = torch.full((n, GRID * GRID), CODES)
        order = torch.rand(codes.shape, generator=generator).argsort(dim=1).argsort(dim=1)
        for step in range(1, STEPS + 1):
            said, unsaid = self(both, codes.repeat(2, 1)).float().chunk(2)
            probable = said.softmax(-1)
            kept = (probable >= EPSILON) | (probable == probable.amax(-1, keepdim=True))
            guided = (unsaid + GUIDANCE * (said - unsaid)).masked_fill(~kept, -math.inf)
            likely = (guided / TEMPERATURE).softmax(-1).cumsum(-1)
            uniforms = torch.rand(n, GRID * GRID, 1, generator=generator)
            guessed = (likely < uniforms * likely[..., -1:]).sum(-1).clamp(max=CODES - 1)
            shown = (order < GRID * GRID * step // STEPS) & (codes == CODES)
            codes = torch.where(shown, guessed, codes)
        return codes


def trimmed(text):
    """Captions without the padding that all of them have."""
    return text[:, : max(1, int((text != 0).sum(dim=1).max()))]


class DiscreteDiffusion(nn.Module):
    """The two networks."""

    def __init__(self):
        super().__init__()
        self.dvae = DiscreteVAE(DVAEConfig(resolution=32, num_codes=CODES, width=32))
        self.denoiser = Denoiser(width=192, depth=4, heads=4)


def build():
    """Both networks, with random weights."""
    return DiscreteDiffusion()


def train(model, game):
    """The dVAE, its decoder, the denoiser, one after the other."""
    dvae, denoiser = model.dvae, model.denoiser
    torch.set_num_threads(1)  # for each of the two threads
    start_codes(dvae, game.batch(256).pictures, torch.Generator().manual_seed(game.seed))

    def codec(progress, pictures, tokens, generator):
        return dvae.loss(pictures, temperature_at(progress), generator)

    def decoder(progress, pictures, tokens, generator):
        return dvae.decoder_loss(pictures)

    def codes(progress, pictures, tokens, generator):
        said = torch.rand(len(tokens), 1, generator=generator) >= CAPTION_DROPOUT
        return denoiser.loss(tokens * said, dvae.encode(pictures).flatten(1), generator)

    convolutions = [*named(dvae.encoder), *named(dvae.decoder)]
    matrices = [*named(denoiser.blocks), *named(denoiser.expand), *named(denoiser.contract)]
    begun = game.progress()  # importing torch has taken a little
    codec_until, decoder_until = (begun + share * (1 - begun) for share in (CODEC_SHARE, CODEC_SHARE + DECODER_SHARE))
    stage(game, model, "codec", codec_until, codec, 32, named(dvae), convolutions, 3e-3, 3e-2)
    stage(game, model, "decoder", decoder_until, decoder, 32, named(dvae.decoder), named(dvae.decoder), 1.5e-3, 1.5e-2)
    stage(game, model, "denoiser", 1.0, codes, 64, named(denoiser), matrices, 2e-3, 2e-2)
    model.half()


@torch.no_grad()
def start_codes(dvae, pictures, generator):
    """Put each code where the encoder puts a patch, sampled by its contrast. Codes keep their length, which says how fast they turn."""
    directions = dvae.encoder(pictures).permute(0, 2, 3, 1).flatten(0, 2)
    contrast = patch_contrast(pictures, 8).flatten() + 1e-3
    chosen = directions[torch.multinomial(contrast, CODES, generator=generator)]
    dvae.codebook.weight.copy_(nn.functional.normalize(chosen, dim=-1) * dvae.codebook.weight.norm(dim=-1, keepdim=True))


def named(network):
    """The parameters of a network."""
    return list(network.parameters())


def stage(game, model, name, until, loss_of, size, learning, by_muon, rate, matrix_rate):
    """Train some parameters until a part of the time is spent; of those in `by_muon`, Muon takes the matrices and kernels."""
    place, began = choose_device("cpu"), game.progress()
    own = {id(parameter) for parameter in learning}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in own)
    model.train().to(memory_format=torch.channels_last)
    theirs = {id(parameter) for parameter in by_muon if parameter.ndim >= 2}
    embeddings = {id(p) for n, p in model.named_parameters() if any(part in n for part in EMBEDDED)}
    matrices = [parameter for parameter in learning if id(parameter) in theirs]
    rest = [parameter for parameter in learning if id(parameter) not in theirs | embeddings]
    embedded = [parameter for parameter in learning if id(parameter) in embeddings]
    precision = torch.bfloat16 if place.bfloat16 else torch.float32
    adam = torch.optim.AdamW(
        [{"params": rest, "lr": rate}, {"params": embedded, "lr": EMBEDDINGS_RATE * rate}],
        betas=(0.9, 0.98), weight_decay=0.01, fused=True,
    )  # fmt: skip
    muons = [Muon(half, lr=matrix_rate, weight_decay=0.01, precision=precision) for half in equal_work(matrices)]
    groups = [group for optimizer in (adam, *muons) for group in optimizer.param_groups]
    peaks = [group["lr"] for group in groups]
    parameters = [(str(number), parameter) for number, parameter in enumerate(learning)]
    generators = [torch.Generator().manual_seed(2 * game.seed + half) for half in range(2)]
    ema, update, threads = EMA(parameters), 0, ThreadPool(1)
    batches = game.ahead(size, workers=1)
    while (spent := game.progress()) < until:
        progress = (spent - began) / (until - began)
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * learning_rate_schedule(update, progress)
        batch = next(batches)
        halves = list(zip(batch.pictures.chunk(2), batch.tokens.chunk(2), generators, strict=True))

        def losses_of(half, progress=progress):
            pictures, tokens, generator = half
            with place.autocast():
                return loss_of(progress, pictures.contiguous(memory_format=torch.channels_last), tokens, generator)

        def gradients_of(half, losses_of=losses_of):
            return torch.autograd.grad(losses_of(half)["loss"], learning, allow_unused=True)

        other = threads.apply_async(gradients_of, halves[1:])
        losses = losses_of(halves[0])
        losses["loss"].backward()
        for parameter, gradient in zip(learning, other.get(), strict=True):
            if gradient is not None:
                parameter.grad.add_(gradient).mul_(0.5)
        nn.utils.clip_grad_norm_(learning, 1.0)
        stepped = threads.apply_async(muons[1].step)
        muons[0].step()
        stepped.get()
        adam.step()
        for parameter in learning:
            parameter.grad = None
        ema.update(parameters, update)
        update += 1
        train.updates += 1
        if update % 10 == 0:
            game.log(train.updates, **{f"{name}_{key}": value for key, value in losses.items()})
    ema.swap(parameters)


train.updates = 0


def equal_work(matrices):
    """The matrices in two parts that Muon takes about as long for. It multiplies each by itself, on its shorter side."""

    def work(matrix):
        rows, columns = len(matrix), matrix[0].numel()
        return min(rows, columns) ** 2 * max(rows, columns)

    parts, sums = ([], []), [0, 0]
    for matrix in sorted(matrices, key=work, reverse=True):
        lighter = sums.index(min(sums))
        parts[lighter].append(matrix)
        sums[lighter] += work(matrix)
    return parts


def draw(model, tokens, seed):
    """Pictures from codes that are all hidden at first."""
    with choose_device("cpu").autocast():
        codes = model.denoiser.sample(tokens, torch.Generator().manual_seed(seed))
    return model.dvae.decode(codes.unflatten(1, (GRID, GRID))).clamp(-1, 1)
