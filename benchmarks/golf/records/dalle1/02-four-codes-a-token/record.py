"""DALL·E 1 whose words know their neighbours, whose tokens hold four codes, and whose batches are shared out between two threads.

The codec:
1. Its codes start as what the untrained encoder gives for patches of the first pictures, those with contrast more often.
2. Twice as many codes, two thirds of the width; all learn faster, the codebook most.

The GPT:
3. Words know the words before them: smear on their embeddings, canon layers in each block. Embeddings learn four times as fast.
4. Four codes side by side are one token, so a picture is 16 tokens and not 64. From the GPT's output for a token, a small network (one
   hidden layer) writes the four codes one after the other, each given those before.
5. Image tokens know their neighbours too, the one on their left and those above.
6. A batch's captions end where its longest does, and no token looks at padding.
7. It is small, three layers of width 160: what counts in five minutes is how often weights are updated.

The cores:
8. Torch can have two cores work on one product, but products here are small, and cores wait for each other at each. So each of two
   threads takes half of a batch through the whole network, on a core of its own, and half of Muon's matrices. They meet twice an update.

The sampling:
9. Where an object begins is uncertain at each place, so a low temperature never begins it and a high one frays its edges. Epsilon sampling
   (Hewitt et al. 2022) leaves out what the caption makes less likely than 1 %, and then needs no low temperature.
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

CODES, CODEC_SHARE, DECODER_SHARE = 256, 0.17, 0.035  # the shares of the time that two stages take, and the third what is left
GRID, TOGETHER, WORDS, VOCABULARY = 8, 4, 20, 512  # codes on a side, codes of a token, tokens of a caption, entries of the vocabulary
CAPTION_DROPOUT = 0.1
GUIDANCE, TEMPERATURE, EPSILON = 2.0, 0.85, 0.01
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


class QuartetGPT(nn.Module):
    """A GPT over the caption's tokens and 16 tokens of four codes. n captions, t words and the start, k image tokens, w channels."""

    def __init__(self, width, depth, heads):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(width))
        self.text_embedding, self.text_position = nn.Embedding(VOCABULARY, width), nn.Embedding(WORDS, width)
        self.code_embeddings = nn.ModuleList(nn.Embedding(CODES, width) for _ in range(TOGETHER))
        self.row_position, self.column_position = nn.Embedding(GRID, width), nn.Embedding(GRID // TOGETHER, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, bias=False)
        self.text_head = nn.Linear(width, VOCABULARY, bias=False)
        # the small network that writes the codes of a token
        self.before_embeddings = nn.ModuleList(nn.Embedding(CODES, width) for _ in range(TOGETHER - 1))
        self.place_position = nn.Embedding(TOGETHER, width)
        self.small_norm = nn.LayerNorm(width, bias=False)
        self.expand, self.contract = nn.Linear(width, 2 * width, bias=False), nn.Linear(2 * width, width, bias=False)
        self.code_head = nn.Linear(width, CODES, bias=False)
        initialise(self, depth)
        self.smear = nn.Linear(width, width, bias=False)
        nn.init.normal_(self.smear.weight, std=0.02)
        self.canons = nn.ModuleList(Canon(width) for _ in range(depth))
        self.image_canons = nn.ModuleList(Canon(width) for _ in range(depth))

    def stream(self, text, codes):
        """What the blocks make of captions (n, t - 1) and codes (n, k, 4): (n, t + k, w)."""
        words = self.text_embedding(text) + self.text_position.weight[: text.shape[1]]
        words = torch.cat([self.start.expand(len(text), 1, -1), words], dim=1)
        words = torch.cat([words[:, :1], words[:, 1:] + self.smear(words[:, :-1])], dim=1)
        places = torch.arange(codes.shape[1])
        image = self.row_position(places // (GRID // TOGETHER)) + self.column_position(places % (GRID // TOGETHER))
        image = image + sum(embedding(codes[:, :, j]) for j, embedding in enumerate(self.code_embeddings))
        x, t = torch.cat([words, image], dim=1), words.shape[1]
        seen = F.pad(F.pad(text != 0, (1, 0), value=True), (0, codes.shape[1]), value=True)
        length = x.shape[1]
        mask = (torch.ones(length, length).tril() > 0) & (seen[:, None, None] | (torch.eye(length) > 0))
        for block, canon, image_canon in zip(self.blocks, self.canons, self.image_canons, strict=True):
            normed = block.norm_1(x)
            normed = torch.cat([canon(normed[:, :t]), image_canon(normed[:, t:])], dim=1)
            qkv = rearrange(block.attention.qkv(normed), "n t (three s d) -> three n s t d", three=3, s=block.attention.heads)
            x = x + block.attention.out(attend(*qkv, mask))
            x = x + block.contract(F.gelu(block.expand(block.norm_2(x))))
        return x

    def code_logits(self, hidden, codes):
        """The logits of the four codes of tokens (n, k, 4, codes), from the outputs before them (n, k, w) and the codes themselves."""
        given = [hidden]
        for j, embedding in enumerate(self.before_embeddings):
            given.append(given[-1] + embedding(codes[:, :, j]))
        x = torch.stack(given, dim=2) + self.place_position.weight
        x = x + self.contract(F.gelu(self.expand(self.small_norm(x))))
        return self.code_head(self.norm(x))

    def loss(self, text, codes):
        """An eighth of the cross-entropy of words, padding left out, and seven eighths of that of codes (n, 64)."""
        text = trimmed(text)
        codes, t = codes.unflatten(1, (-1, TOGETHER)), text.shape[1]
        hidden = self.stream(text, codes[:, :-1])
        word_logits = self.text_head(self.norm(hidden[:, :t])).float().flatten(0, 1)
        code_logits = self.code_logits(hidden[:, t:], codes).float().flatten(0, 2)
        words = F.cross_entropy(word_logits, text.flatten(), ignore_index=0)
        image = F.cross_entropy(code_logits, codes.flatten())
        return {"loss": words / 8 + image * 7 / 8, "words": words.detach(), "image": image.detach()}

    def sample(self, text, uniforms):
        """Codes (n, 64), with guidance: logits move away from those of an empty caption."""
        text, n = trimmed(text), len(text)
        both = torch.cat([text, torch.zeros_like(text)])
        codes = torch.zeros(n, 0, TOGETHER, dtype=torch.long)
        for token in range(GRID * GRID // TOGETHER):
            hidden = self.stream(both, codes.repeat(2, 1, 1))[:, -1:]
            four = torch.zeros(n, 1, TOGETHER, dtype=torch.long)
            for j in range(TOGETHER):
                said, unsaid = self.code_logits(hidden, four.repeat(2, 1, 1))[:, 0, j].float().chunk(2)
                probable = said.softmax(-1)
                kept = (probable >= EPSILON) | (probable == probable.amax(-1, keepdim=True))
                guided = (unsaid + GUIDANCE * (said - unsaid)).masked_fill(~kept, -math.inf)
                likely = (guided / TEMPERATURE).softmax(-1).cumsum(-1)
                four[:, 0, j] = (likely < uniforms[:, token * TOGETHER + j, None] * likely[:, -1:]).sum(-1).clamp(max=CODES - 1)
            codes = torch.cat([codes, four], dim=1)
        return codes.flatten(1)


def trimmed(text):
    """Captions without the padding that all of them have."""
    return text[:, : max(1, int((text != 0).sum(dim=1).max()))]


class DallE1(nn.Module):
    """The two networks."""

    def __init__(self):
        super().__init__()
        self.dvae = DiscreteVAE(DVAEConfig(resolution=32, num_codes=CODES, width=32))
        self.gpt = QuartetGPT(width=160, depth=3, heads=4)


def build():
    """Both networks, with random weights."""
    return DallE1()


def train(model, game):
    """The dVAE, its decoder, the GPT, one after the other."""
    dvae, gpt = model.dvae, model.gpt
    torch.set_num_threads(1)  # for each of the two threads
    start_codes(dvae, game.batch(256).pictures, torch.Generator().manual_seed(game.seed))

    def codec(progress, pictures, tokens, generator):
        return dvae.loss(pictures, temperature_at(progress), generator)

    def decoder(progress, pictures, tokens, generator):
        return dvae.decoder_loss(pictures)

    def prior(progress, pictures, tokens, generator):
        said = torch.rand(len(tokens), 1, generator=generator) >= CAPTION_DROPOUT
        return gpt.loss(tokens * said, dvae.encode(pictures).flatten(1))

    convolutions = [*named(dvae.encoder), *named(dvae.decoder)]
    matrices = [*named(gpt.blocks), *named(gpt.expand), *named(gpt.contract)]
    begun = game.progress()  # importing torch has taken a little
    codec_until, decoder_until = (begun + share * (1 - begun) for share in (CODEC_SHARE, CODEC_SHARE + DECODER_SHARE))
    stage(game, model, "codec", codec_until, codec, 32, named(dvae), convolutions, 3e-3, 3e-2)
    stage(game, model, "decoder", decoder_until, decoder, 32, named(dvae.decoder), named(dvae.decoder), 1.5e-3, 1.5e-2)
    stage(game, model, "prior", 1.0, prior, 64, named(gpt), matrices, 2e-3, 2e-2)
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
    """Pictures from codes that are sampled with guidance."""
    uniforms = torch.rand(len(tokens), GRID * GRID, generator=torch.Generator().manual_seed(seed))
    codes = model.gpt.sample(tokens, uniforms)
    return model.dvae.decode(codes.unflatten(1, (GRID, GRID))).clamp(-1, 1)
