"""Attention maps: the attention weights of each head of a transformer, token by token."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import VERMILION, Picture, picture, plot
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say

MOST_FRAMES = 40  # the most pictures on a page: tokens × layers
SHOWN = 0.1  # weights from here on are written as numbers


def attention_explorer(tokens: Sequence[str], maps: Sequence[Float[Tensor, "1 s t t"]], start: int | None = None) -> Explorer:
    """An interactive attention map: the attention weights of every head from a token that is pointed at, in a layer that is chosen.

    `maps` are the weights of one sentence in [0, 1], a tensor for each layer, as `MultiHeadAttention` keeps them. The token `start` (by
    default the last) is shown first. Raises `DalleEduError` when maps and tokens are not of the same number, and when they make more than
    40 pictures. Lesson 05.
    """
    expected = (1, len(tokens), len(tokens))
    for weights in maps:
        if (weights.shape[0], *weights.shape[2:]) != expected:
            got = tuple(weights.shape)
            raise DalleEduError(
                f"the sentence has {len(tokens)} tokens and a map is of shape {got}; give the maps of this sentence, 1 × heads × t × t",
                f"la phrase a {len(tokens)} jetons et une carte est de forme {got} ; donnez les cartes de cette phrase, 1 × têtes × t × t",
            )
    if not 1 <= len(tokens) * len(maps) <= MOST_FRAMES:
        raise DalleEduError(
            f"{len(tokens)} tokens and {len(maps)} layers make {len(tokens) * len(maps)} pictures; choose from 1 to {MOST_FRAMES}",
            f"{len(tokens)} jetons et {len(maps)} couches font {len(tokens) * len(maps)} images ; choisissez-en de 1 à {MOST_FRAMES}",
        )
    layers = [say(f"layer {number}", f"couche {number}") for number in range(1, len(maps) + 1)]
    return Explorer(
        lambda token, layer: draw_looks(tokens, maps[layer][0], token),
        token=Knob(
            say("token", "jeton"),
            range(len(tokens)),
            tokens,
            len(tokens) - 1 if start is None else start,
            pointed=True,
        ),
        layer=Knob(say("layer", "couche"), range(len(maps)), layers),
    )


def draw_looks(tokens: Sequence[str], weights: Float[Tensor, "s t t"], token: int) -> Picture:
    """The attention weights in [0, 1] from one token: a row for each head, a column for each token that is attended to.

    Weights of 0, such as those of masked tokens, are grey.
    """
    looks = weights[:, token].detach().float().cpu().numpy()
    heads, count = looks.shape
    figure, axes = plot(width=max(5.0, 0.75 * count + 1.2), height=0.45 * heads + 1.3)
    axes.set_facecolor("#dddddd")
    axes.imshow(np.ma.masked_equal(looks, 0.0), cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for head, place in np.argwhere(looks >= SHOWN):
        colour = "white" if looks[head, place] > 0.55 else "black"
        axes.text(place, head, f"{100 * looks[head, place]:.0f}", ha="center", va="center", color=colour)
    axes.set_xticks(range(count), tokens, rotation=35, ha="right", rotation_mode="anchor")
    axes.get_xticklabels()[token].set(color=VERMILION, fontweight="bold")
    axes.set_yticks(range(heads), [say(f"head {head}", f"tête {head}") for head in range(1, heads + 1)])
    axes.set_title(say(f"where “{tokens[token]}” looks, in %", f"où regarde « {tokens[token]} », en %"), color=VERMILION)
    best = [(tokens[place], 100 * looks[head, place]) for head, place in enumerate(looks.argmax(axis=1))]
    en = ", ".join(f"head {head} looks most at “{word}” ({part:.0f} %)" for head, (word, part) in enumerate(best, 1))
    fr = ", ".join(f"la tête {head} regarde surtout « {word} » ({part:.0f} %)" for head, (word, part) in enumerate(best, 1))
    return picture(figure, say(f"From the token “{tokens[token]}”: {en}.", f"Depuis le jeton « {tokens[token]} » : {fr}."))
