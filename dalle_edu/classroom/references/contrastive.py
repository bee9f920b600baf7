"""CLIP against open_clip, PyTorch and scikit-learn."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.contrastive import CLIP, CLIPConfig
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _embeddings(n: int = 6, m: int = 6, e: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(n, e, generator=generator, dtype=torch.float64)
    texts = torch.randn(m, e, generator=generator, dtype=torch.float64)
    return 3 * images, texts + images[:1]


def _similarity(version: Callable[..., Tensor]) -> float:
    from sklearn.metrics.pairwise import cosine_similarity

    images, texts = _embeddings(4, 6)
    found = version(images, texts)
    pairs = F.cosine_similarity(images[:, None], texts[None], dim=-1)
    return max(gap(found, cosine_similarity(images, texts)), gap(found, pairs))


def _capped_scale(version: Callable[..., Tensor]) -> float:
    """Below the cap as open_clip's model multiplies, above it as its training clamps: to ln 100."""
    from open_clip import CLIP as TheirCLIP

    theirs = TheirCLIP(8, {"layers": 1, "width": 8, "head_width": 4, "image_size": 8, "patch_size": 4}, _their_text(8, 4)).double()
    differences = []
    for log_scale in (math.log(1 / 0.07), 0.3, 4.0, math.log(100), 6.0, 150.0):
        with torch.no_grad():
            theirs.logit_scale.fill_(log_scale).clamp_(0, math.log(100))
        differences.append(gap(version(torch.tensor(log_scale, dtype=torch.float64)), theirs.logit_scale.exp()))
    return max(differences)


def _clip_loss(version: Callable[..., Tensor]) -> float:
    from open_clip.loss import ClipLoss

    images, texts = _embeddings()
    scale = torch.tensor(7.0, dtype=torch.float64)
    expected = ClipLoss()(F.normalize(images, dim=-1), F.normalize(texts, dim=-1), scale)
    return gap(version(images, texts, scale), expected)


def _clip_loss_by_halves(version: Callable[..., Tensor]) -> float:
    """The loss and its gradient: cross-entropy both ways, by PyTorch's own, with the pairs in the labels."""
    ours, theirs = ([part.clone().requires_grad_() for part in _embeddings()] for _ in range(2))
    loss = version(ours[0], ours[1], torch.tensor(4.0, dtype=torch.float64))
    logits = 4 * F.cosine_similarity(theirs[0][:, None], theirs[1][None], dim=-1)
    criterion, labels = nn.CrossEntropyLoss(), torch.arange(6)
    expected = (criterion(logits, labels) + criterion(logits.transpose(0, 1), labels)) / 2
    loss.backward()
    expected.backward()
    slopes = [gap(mine.grad, other.grad) for mine, other in zip(ours, theirs, strict=True)]
    return max(gap(loss, expected), *slopes)


# ---------------------------------------------------------------- whole towers


def _their_text(width: int, heads: int, length: int = 8) -> dict[str, Any]:
    """A text tower that reads at the first padding token: end of text is token 0."""
    return {
        "context_length": length,
        "vocab_size": 30,
        "width": width,
        "heads": heads,
        "layers": 2,
        "pool_type": "eos",
        "eos_id": 0,
    }


def _copied(version: type[CLIP]) -> tuple[CLIP, Any]:
    """Ours and open_clip's with the same weights. Theirs has biases, which are set to 0 where ours has none."""
    import open_clip

    torch.manual_seed(0)
    ours = version(CLIPConfig(8, 4, 0, 30, 7, width=16, heads=2, image_depth=2, text_depth=2, embedding=6)).double()
    vision = {"layers": 2, "width": 16, "head_width": 8, "image_size": 8, "patch_size": 4}
    theirs = open_clip.CLIP(6, vision, _their_text(16, 2)).double()
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
        for parameter in ours.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) / 4)
        image, text, visual = ours.image_tower, ours.text_tower, theirs.visual
        visual.conv1.weight.copy_(image.patchify.weight)
        visual.class_embedding.copy_(image.class_token)
        visual.positional_embedding.copy_(image.position)
        visual.positional_embedding[1:] += image.patchify.bias
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
    return ours.eval(), theirs.eval()


def _batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(4, 3, 8, 8, generator=generator, dtype=torch.float64)
    text = torch.randint(1, 30, (4, 7), generator=generator)
    for row, length in zip(text, (7, 3, 5, 1), strict=True):
        row[length:] = 0
    return images, text


def _clip(version: type[CLIP]) -> float:
    ours, theirs = _copied(version)
    images, text = _batch()
    ended = F.pad(text, (0, 1))
    logits, _ = theirs.get_logits(images, ended)
    return max(
        gap(ours.encode_image(images), theirs.encode_image(images, normalize=True)),
        gap(ours.encode_text(text), theirs.encode_text(ended, normalize=True)),
        gap(ours(images, text), logits),
    )


def _image_tower(version: type[nn.Module]) -> float:
    """An image tower alone, before its vector is brought to length 1."""
    ours, theirs = _copied(CLIP)
    tower = version(ours.config).double()
    tower.load_state_dict(ours.image_tower.state_dict())
    return gap(tower(_batch()[0]), theirs.encode_image(_batch()[0]))


def _text_tower(version: type[nn.Module]) -> float:
    ours, theirs = _copied(CLIP)
    tower = version(ours.config).double()
    tower.load_state_dict(ours.text_tower.state_dict())
    text = _batch()[1]
    return gap(tower(text), theirs.encode_text(F.pad(text, (0, 1))))


# ---------------------------------------------------------------- uses


def _ensemble(version: Callable[..., Tensor]) -> float:
    """As open_clip builds the weights of a zero-shot classifier, with a model that looks its prompts up in a table."""
    from open_clip.zero_shot_classifier import build_zero_shot_classifier

    table = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * torch.tensor([1.0, 2.0, 9.0]).view(3, 1)

    class Table:
        def encode_text(self, tokens: Tensor, normalize: bool = False) -> Tensor:
            rows = table[tokens[:, 0], tokens[:, 1]]
            return F.normalize(rows, dim=-1) if normalize else rows

    def tokens(texts: list[str]) -> Tensor:
        return torch.tensor([[int(number) for number in text.split()] for text in texts])

    expected = build_zero_shot_classifier(
        Table(), tokens, [str(k) for k in range(4)], [lambda name, j=j: f"{name} {j}" for j in range(3)], 2, use_tqdm=False
    )
    return gap(version(table), expected.T)


def _zero_shot(version: Callable[..., Tensor]) -> float:
    from scipy.special import softmax
    from sklearn.metrics.pairwise import cosine_similarity

    images, classes = _embeddings(6, 3)
    return gap(version(images, classes, 20.0), softmax(20 * cosine_similarity(images, classes), axis=1))


def _search(version: Callable[..., Tensor]) -> float:
    from sklearn.neighbors import NearestNeighbors

    query, gallery = _embeddings(5, 9)
    expected = NearestNeighbors(n_neighbors=4, metric="cosine").fit(gallery).kneighbors(query, return_distance=False)
    return gap(version(query, gallery, 4), expected)


def _recall_at(version: Callable[..., float]) -> float:
    from sklearn.metrics import top_k_accuracy_score

    generator = torch.Generator().manual_seed(4)
    scores = torch.randn(40, 40, generator=generator, dtype=torch.float64) + 1.5 * torch.eye(40)
    own = torch.randperm(40, generator=generator)
    differences = []
    for k in (1, 3, 10):
        for direction in (scores, scores.T):
            differences.append(gap(version(direction, k), top_k_accuracy_score(np.arange(40), direction, k=k)))
        differences.append(gap(version(scores, k, own), top_k_accuracy_score(own, scores, k=k, labels=np.arange(40))))
    return max(differences)


REFERENCES = [
    Reference("contrastive:similarity", "sklearn.metrics.pairwise.cosine_similarity", _similarity, 1e-10),
    Reference("contrastive:capped_scale", "open_clip.CLIP.logit_scale", _capped_scale, 1e-10),
    Reference("contrastive:clip_loss", "open_clip.loss.ClipLoss", _clip_loss, 1e-10),
    Reference("contrastive:clip_loss", "torch.nn.CrossEntropyLoss", _clip_loss_by_halves, 1e-10),
    Reference("contrastive:CLIP", "open_clip.CLIP", _clip, 1e-10),
    Reference("contrastive:ImageTower", "open_clip.CLIP.encode_image", _image_tower, 1e-10),
    Reference("contrastive:TextTower", "open_clip.CLIP.encode_text", _text_tower, 1e-10),
    Reference("zero_shot:ensemble", "open_clip.build_zero_shot_classifier", _ensemble, 1e-10),
    Reference("zero_shot:zero_shot", say("scipy.special.softmax of cosines", "scipy.special.softmax de cosinus"), _zero_shot, 1e-10),
    Reference("zero_shot:search", "sklearn.neighbors.NearestNeighbors", _search, 0.0),
    Reference("zero_shot:recall_at", "sklearn.metrics.top_k_accuracy_score", _recall_at, 1e-6),
]
