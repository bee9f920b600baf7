"""CLIP against open_clip, PyTorch and scikit-learn."""

import math
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.contrastive import CLIP, CLIPConfig
from dalle_edu.classroom.checking.asking import DOUBLE, asked, double, filled, gradients_by_name, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.neighbours import smeared


def embeddings(seed: int, n: int = 6, m: int = 6, e: int = 5, gradient: bool = False) -> list[Tensor]:
    """Embeddings of all lengths; sentences lean towards the first picture."""
    images = numbers(seed, n, e)
    return [each.detach().requires_grad_(gradient) for each in (3 * images, numbers(seed + 1, m, e) + images[:1])]


def _cosines(images: Tensor, texts: Tensor) -> Tensor:
    return F.cosine_similarity(images[:, None], texts[None], dim=-1)


def _similarity(seed: int) -> list[Case]:
    def peer(images: Tensor, texts: Tensor) -> Tensor:
        from sklearn.metrics.pairwise import cosine_similarity

        return torch.from_numpy(cosine_similarity(images.numpy(), texts.numpy()))

    east, both = double([2.0, 0.0]), double([0.0, 5.0], [3.0, 4.0])
    return [
        call(peer, east, double([3.0, 0.0])),
        call(peer, east, both),
        call(peer, both, -both),
        call(peer, double([1e-6, 0.0], [0.0, 1e6]), both),
        call(peer, *embeddings(seed, 4, 6)),
        call(peer, *embeddings(seed + 2, 7, 1, 3)),
        call(_cosines, *embeddings(seed + 4, 5, 5)),
        call(_cosines, *embeddings(seed + 6, 3, 4, gradient=True)),
    ]


def _capped_scale(seed: int) -> list[Case]:
    """Below the cap as open_clip's model multiplies, above it as its training clamps: to ln 100."""

    def peer(log_scale: Tensor) -> Tensor:
        from open_clip import CLIP as TheirCLIP

        theirs = TheirCLIP(8, {"layers": 1, "width": 8, "head_width": 4, "image_size": 8, "patch_size": 4}, _their_text(8, 4)).double()
        with torch.no_grad():
            theirs.logit_scale.fill_(log_scale).clamp_(0, math.log(100))
        return theirs.logit_scale.exp().detach()

    def below(log_scale: Tensor) -> Tensor:
        return log_scale.exp()

    def above(log_scale: Tensor) -> Tensor:
        return 0 * log_scale + 100

    def scalar(value: float, gradient: bool = False) -> Tensor:
        return torch.tensor(value, dtype=DOUBLE, requires_grad=gradient)

    any_scale = float(torch.rand((), generator=torch.Generator().manual_seed(seed))) * 4
    values = (0.0, 1.0, math.log(1 / 0.07), 0.3, 4.0, math.log(100), 6.0, 150.0, 1000.0, any_scale)
    return [
        *(call(peer, scalar(value)) for value in values),
        call(below, scalar(-2.0)),
        call(below, scalar(2.0, gradient=True)),
        call(above, scalar(5.0, gradient=True)),
    ]


def _with_open_clip(images: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
    from open_clip.loss import ClipLoss

    return ClipLoss()(F.normalize(images, dim=-1), F.normalize(texts, dim=-1), scale)


def _clip_loss(seed: int) -> list[Case]:
    scale, pair = torch.tensor(7.0, dtype=DOUBLE), double([1.0, 0.0], [0.0, 2.0])
    return [
        call(_with_open_clip, double([1.0, 0.0]), double([0.0, 1.0]), 1.0),
        call(_with_open_clip, pair, pair, 1.0),
        call(_with_open_clip, pair, pair.flip(0), 3.0),
        call(_with_open_clip, pair, double([1.0, 1.0], [1.0, 1.0]), 5.0),
        call(_with_open_clip, *embeddings(seed), scale),
        call(_with_open_clip, *embeddings(seed + 2, 4, 4, 7), 0.5),
        call(_with_open_clip, *embeddings(seed + 4, 5, 5, 3), 100.0),
    ]


def _clip_loss_by_halves(seed: int) -> list[Case]:
    """The loss and its gradients: cross-entropy both ways, by PyTorch's own, with the pairs in the labels."""

    def peer(images: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
        logits, criterion, labels = scale * _cosines(images, texts), nn.CrossEntropyLoss(), torch.arange(len(images))
        return (criterion(logits, labels) + criterion(logits.transpose(0, 1), labels)) / 2

    scales = [torch.tensor(value, dtype=DOUBLE, requires_grad=True) for value in (4.0, 20.0)]
    return [
        call(peer, *embeddings(seed, 2, 2, 2, gradient=True), scales[0]),
        call(peer, *embeddings(seed + 2, gradient=True), scales[0]),
        call(peer, *embeddings(seed + 4, 5, 5, 3, gradient=True), scales[1]),
        call(peer, *embeddings(seed + 6, 4, 4, 3, gradient=True), 4.0),
    ]


def _their_text(width: int, heads: int, length: int = 8, layers: int = 2, vocabulary: int = 30) -> dict[str, Any]:
    """A text tower that reads at the first padding token: end of text is token 0."""
    return {
        "context_length": length,
        "vocab_size": vocabulary,
        "width": width,
        "heads": heads,
        "layers": layers,
        "pool_type": "eos",
        "eos_id": 0,
    }


_CONFIGS = (
    CLIPConfig(4, 4, 0, 5, 2, width=4, heads=2, image_depth=1, text_depth=1, embedding=3),
    CLIPConfig(8, 4, 0, 30, 7, width=16, heads=2, image_depth=2, text_depth=2, embedding=6),
    CLIPConfig(6, 2, 0, 12, 4, width=8, heads=4, image_depth=1, text_depth=3, embedding=5),
)

_STEM = CLIPConfig(8, 4, 2, 12, 4, width=8, heads=2, image_depth=1, text_depth=1, embedding=5)
_SMEARED = tuple(replace(config, smear=True) for config in _CONFIGS[:2])


def _theirs(ours: Any) -> Any:
    """open_clip's model with the weights of a CLIP. It has biases, which are set to 0 where ours has none."""
    import open_clip

    config, width = ours.config, ours.config.width
    vision = {"layers": config.image_depth, "width": width, "head_width": width // config.heads,
              "image_size": config.resolution, "patch_size": config.patch_size}  # fmt: skip
    text_shape = _their_text(width, config.heads, config.text_length + 1, config.text_depth, config.vocabulary)
    theirs: Any = open_clip.CLIP(config.embedding, vision, text_shape).double()
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
        image, text, visual = ours.image_tower, ours.text_tower, theirs.visual
        if not config.stem_depth:
            visual.conv1.weight.copy_(image.patchify.weight)
            visual.positional_embedding[1:] = image.position[1:] + image.patchify.bias
            visual.positional_embedding[0] = image.position[0]
        else:
            visual.positional_embedding.copy_(image.position)
        visual.class_embedding.copy_(image.class_token)
        visual.ln_pre.weight.copy_(image.norm_in.weight)
        visual.ln_post.weight.copy_(image.norm_out.weight)
        visual.proj.copy_(image.project.weight.T)
        theirs.token_embedding.weight.copy_(text.word.weight)
        theirs.positional_embedding.copy_(text.position)
        theirs.ln_final.weight.copy_(text.norm_out.weight)
        theirs.text_projection.copy_(text.project.weight.T)
        theirs.logit_scale.copy_(ours.log_scale)
        our_blocks: list[Any] = [*image.blocks, *text.blocks]
        for mine, other in zip(our_blocks, [*visual.transformer.resblocks, *theirs.transformer.resblocks], strict=True):
            other.ln_1.weight.copy_(mine.norm_1.weight)
            other.attn.in_proj_weight.copy_(mine.attention.qkv.weight)
            other.attn.out_proj.weight.copy_(mine.attention.out.weight)
            other.ln_2.weight.copy_(mine.norm_2.weight)
            other.mlp.c_fc.weight.copy_(mine.expand.weight)
            other.mlp.c_proj.weight.copy_(mine.contract.weight)
    if config.stem_depth:
        visual.conv1 = _Stem(ours.image_tower.patchify)
    if config.smear:
        before = text.smear.before.weight.detach().clone()
        theirs.transformer.register_forward_pre_hook(lambda _, given: (smeared(given[0], before), *given[1:]))
    return theirs.eval()


class _Stem(nn.Module):
    """A few convolutions before the transformer, by PyTorch's: patches of half the side, residual blocks, and patches of 2."""

    def __init__(self, parts: Any):
        super().__init__()
        self.weights = {name: value.detach() for name, value in parts.named_parameters()}
        self.depth = len(parts[1])

    def forward(self, x: Tensor) -> Tensor:
        def applied(given: Tensor, name: str, stride: int, padding: int = 0) -> Tensor:
            return F.conv2d(given, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], stride, padding)

        x = applied(x, "0", self.weights["0.weight"].shape[-1])
        for block in range(self.depth):
            x = x + applied(applied(x.relu(), f"1.{block}.look", 1, 1).relu(), f"1.{block}.mix", 1)
        return applied(x.relu(), "3", 2)


def _captions(config: CLIPConfig, n: int, seed: int) -> Tensor:
    """Captions of all lengths, a full one and an empty one among them."""
    text = torch.randint(1, config.vocabulary, (n, config.text_length), generator=torch.Generator().manual_seed(seed))
    for row in range(1, n):
        text[row, (config.text_length * (n - 1 - row)) // n :] = 0
    return text


def _ended(config: CLIPConfig, text: Tensor) -> Tensor:
    return F.pad(text, (0, config.text_length + 1 - text.shape[1]))


def _named(config: CLIPConfig) -> str:
    stem = f", stem_depth = {config.stem_depth}" if config.stem_depth else ""
    smear = ", smear = True" if config.smear else ""
    return f"width = {config.width}, heads = {config.heads}{stem}{smear}"


def _clips(config: CLIPConfig, n: int, m: int, seed: int) -> list[Case]:
    """Embeddings and logits; the loss, its gradient, and the scale brought back to its cap."""
    images, text = numbers(seed, n, 3, config.resolution, config.resolution), _captions(config, m, seed)
    pairs = min(n, m)

    def ask(version: Any) -> dict[str, Tensor]:
        ours = filled(version(config), seed).eval()
        found = {
            "encode_image": asked(ours.encode_image, images),
            "encode_text": asked(ours.encode_text, text),
            "logits": asked(ours.forward, images, text),
            "scale": ours.scale,
        }
        return {name: value.detach() for name, value in found.items()}

    def peer() -> dict[str, Tensor]:
        theirs = _theirs(filled(CLIP(config), seed))
        ended = _ended(config, text)
        found = {
            "encode_image": theirs.encode_image(images, normalize=True),
            "encode_text": theirs.encode_text(ended, normalize=True),
            "logits": theirs.get_logits(images, ended)[0],
            "scale": theirs.logit_scale.exp(),
        }
        return {name: value.detach() for name, value in found.items()}

    def learnt(model: Any, log_scale: float, loss: Any) -> dict[str, Any]:
        with torch.no_grad():
            model.log_scale.fill_(log_scale)
        found = loss(model)
        towers = {name: slope for name, slope in gradients_by_name(found, model).items() if "tower" in name}
        return {"loss": found.detach(), "gradients": towers, "log_scale": model.log_scale.detach()}

    def ask_loss(version: Any) -> list[Any]:
        def loss(model: Any) -> Tensor:
            return asked(model.loss, images[:pairs], text[:pairs])["loss"]

        return [learnt(filled(version(config), seed), log_scale, loss) for log_scale in (1.0, 5.0)]

    def peer_loss() -> list[Any]:
        def loss(model: Any) -> Tensor:
            with torch.no_grad():
                model.log_scale.clamp_(max=math.log(100))
            towers = model.image_tower(images[:pairs]), model.text_tower(text[:pairs])
            return _with_open_clip(*towers, model.log_scale.exp())

        return [learnt(filled(CLIP(config), seed), log_scale, loss) for log_scale in (1.0, 5.0)]

    en, fr = f"{_named(config)}, pictures: {n}, captions: {m}", f"{_named(config)}, images : {n}, légendes : {m}"
    return [
        scenario(en, fr, peer, ask, images.numel() + text.numel()),
        scenario(f"{en}: the loss", f"{fr} : la perte", peer_loss, ask_loss, images.numel() + text.numel() + 1),
    ]


def _clip(seed: int) -> list[Case]:
    asked = ((1, 1), (4, 4), (2, 5), (1, 1), (3, 3))
    pairs = enumerate(zip((*_CONFIGS, *_SMEARED), asked, strict=True))
    return [case for place, (config, size) in pairs for case in _clips(config, *size, seed + place)]


def _part_of(config: CLIPConfig, tower: str, seed: int) -> Any:
    """A tower's weights, as whole CLIPs name them."""
    return getattr(filled(CLIP(config), seed), tower).state_dict()


def _image_tower(seed: int) -> list[Case]:
    """An image tower alone, before its vector is brought to length 1, and the gradient that comes back to the pictures."""

    def case(config: CLIPConfig, n: int, number: int) -> Case:
        images, weights = numbers(number, n, 3, config.resolution, config.resolution), _part_of(config, "image_tower", number)

        size = f"{n} × 3 × {config.resolution} × {config.resolution}"

        def learned(encode: Any) -> dict[str, Tensor]:
            return call(None, images.clone().requires_grad_()).ask(encode)

        def ask(version: Any) -> dict[str, Tensor]:
            tower = version(config).double()
            tower.load_state_dict(weights)
            return learned(tower.forward)

        def peer() -> dict[str, Tensor]:
            return learned(_theirs(filled(CLIP(config), number)).encode_image)

        en, fr = f"{_named(config)}, pictures of {size}", f"{_named(config)}, des images de {size}"
        return scenario(en, fr, peer, ask, images.numel())

    sizes = (*zip(_CONFIGS, (1, 4, 2), strict=True), (_STEM, 3))
    return [case(config, n, seed + 10 * place) for place, (config, n) in enumerate(sizes)]


def _text_tower(seed: int) -> list[Case]:
    """A text tower alone: full, shorter and empty captions, and captions that are cut before their padding."""

    def case(config: CLIPConfig, n: int, cut: int, number: int) -> Case:
        text, weights = _captions(config, n, number)[:, : config.text_length - cut], _part_of(config, "text_tower", number)

        def ask(version: Any) -> Tensor:
            tower = version(config).double()
            tower.load_state_dict(weights)
            return asked(tower.forward, text).detach()

        def peer() -> Tensor:
            return _theirs(filled(CLIP(config), number)).encode_text(_ended(config, text)).detach()

        en, fr = f"{_named(config)}, captions of {n} × {text.shape[1]}", f"{_named(config)}, des légendes de {n} × {text.shape[1]}"
        return scenario(en, fr, peer, ask, text.numel())

    sizes = ((_CONFIGS[0], 1, 0), (_CONFIGS[0], 2, 1), (_CONFIGS[1], 4, 0), (_CONFIGS[1], 5, 3), (_CONFIGS[2], 3, 0))
    near = ((_SMEARED[0], 1, 0), (_SMEARED[1], 4, 2))
    return [case(*size, seed + 10 * place) for place, size in enumerate((*sizes, *near))]


REFERENCES = [
    Reference("contrastive:similarity", "sklearn.metrics.pairwise.cosine_similarity", cases=_similarity, tolerance=1e-10),
    Reference("contrastive:capped_scale", "open_clip.CLIP.logit_scale", cases=_capped_scale, tolerance=1e-10),
    Reference("contrastive:clip_loss", "open_clip.loss.ClipLoss", cases=_clip_loss, tolerance=1e-10),
    Reference("contrastive:clip_loss", "torch.nn.CrossEntropyLoss", cases=_clip_loss_by_halves, tolerance=1e-10),
    Reference("contrastive:CLIP", "open_clip.CLIP", cases=_clip, tolerance=1e-10),
    Reference("contrastive:ImageTower", "open_clip.CLIP.encode_image", cases=_image_tower, tolerance=1e-10),
    Reference("contrastive:TextTower", "open_clip.CLIP.encode_text", cases=_text_tower, tolerance=1e-10),
]
