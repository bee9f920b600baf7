"""The text-to-image GPT as sampling uses it, with a cache: one token at a time.

Letters: n captions (with guidance, twice as many rows as pictures), t text tokens,
g codes of an image token, w channels, v codes.
"""

from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.bricks.local_model import by_place
from dalle_edu.bricks.neighbours import Canon
from dalle_edu.bricks.transformer import Block
from dalle_edu.device import linear_for


class CachedGPT:
    """A `TextToImageGPT`, the `model`, with a cache, as sampling uses it.

    It reads the captions at once, then one token of each picture at a time. Its
    logits are those of `forward`. One token is so little work that looking up
    modules and launching operations would cost as much again. So weights are looked
    up once, and row and column positions are added up beforehand.
    """

    def __init__(self, model: Any, text: Int[Tensor, "n t"]):
        config, rows, head = model.config, len(text), model.code_head.weight
        self.heads, self.head_dim = config.heads, config.width // config.heads
        self.together, self.local = config.codes_per_token, model.local
        length = 1 + config.text_length + config.image_length // self.together
        self.cache = KeyValueCache(
            config.depth,
            rows,
            config.heads,
            length,
            self.head_dim,
            head.device,
            head.dtype,
        )
        self.blocks = [
            (
                block.norm_1.weight,
                linear_for(block.attention.qkv.weight, rows),
                linear_for(block.attention.out.weight, rows),
                block.norm_2.weight,
                linear_for(block.expand.weight, rows),
                linear_for(block.contract.weight, rows),
            )
            for block in cast("list[Block]", model.blocks)
        ]
        # what the canon layers of image tokens look back at: the newest comes first
        self.canons = list(model.image_canons)
        self.recent: list[list[Tensor]] = [[] for _ in self.blocks]
        self.norm = model.norm.weight
        self.head = linear_for(head, rows)
        self.codes, self.num_codes = model.code_embedding.weight, config.num_codes
        by_row, by_column = model.row_position.weight, model.column_position.weight
        self.positions = (by_row[:, None] + by_column).flatten(0, 1)
        words = model.smear(model.embed_text(text))
        hidden = model._run(words, text, self.cache)
        self.hidden = model.predicting(hidden, text)[:, -1].contiguous()
        self.visible = model.visible(text, length - words.shape[1])

    def next_logits(
        self, position: int, written: Int[Tensor, "pictures written"]
    ) -> Float[Tensor, "n v"]:
        """The logits of the code at `position`, given those written before it.

        With guidance the captions come twice, with words and without: the codes of
        each picture then go on after both. Positions must be asked for in order.
        """
        written = written.repeat(len(self.hidden) // len(written), 1)
        token, place = divmod(position, self.together)
        if token > 0 and place == 0:
            self.hidden = self._after(token - 1, written[:, -self.together :])
        x = self.hidden
        if self.local is not None:
            x = self.local.step(x, written[:, position - place :])
        return self.head(torch.layer_norm(x, x.shape[1:], self.norm))

    def _after(self, token: int, codes: Int[Tensor, "n g"]) -> Float[Tensor, "n w"]:
        """The stream after all layers, for a token of each picture."""
        embedded = F.embedding(by_place(codes, self.num_codes), self.codes)
        x = embedded.sum(dim=1) + self.positions[token]
        n, w = x.shape
        mask = None
        if self.visible is not None:
            mask = self.visible[:, None, None, : self.cache.filled + 1]
        for layer, block in enumerate(self.blocks):
            norm_1, qkv, out, norm_2, expand, contract = block
            normed = torch.layer_norm(x, (w,), norm_1)
            if self.canons:
                normed = self._with_neighbours(layer, normed)
            projected = qkv(normed)
            by_head = projected.view(n, 3, self.heads, 1, self.head_dim)
            query, key, value = by_head.unbind(1)
            key, value = self.cache.extend(layer, key, value)
            mixed = F.scaled_dot_product_attention(query, key, value, mask)
            x = x + out(mixed.view(n, w))
            x = x + contract(F.gelu(expand(torch.layer_norm(x, (w,), norm_2))))
        self.cache.filled += 1
        return x

    def _with_neighbours(
        self, layer: int, normed: Float[Tensor, "n w"]
    ) -> Float[Tensor, "n w"]:
        """The newest image tokens with those before them mixed in."""
        canon, before = cast("Canon", self.canons[layer]), self.recent[layer]
        mixed = canon.step(normed, before)
        self.recent[layer] = [normed, *before][: len(canon.weight)]
        return mixed
