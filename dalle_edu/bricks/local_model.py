"""Several codes a token: a local model writes the codes of a token one by one.

A GPT over single codes runs all its layers for every code. In MegaByte (Yu et al.
2023) a global model runs once for a patch of neighbours, and from its output a
small local model predicts what is in the patch, each byte given those before it.
The depth transformer of RQ-Transformer (Lee et al. 2022) does the same for the
codes of one position. Here a patch is some codes side by side in a row, the global
model is the GPT, or the decoder of the BART, and the local model is one hidden
layer, run for each code. Lesson 11.

Letters: n captions, k tokens, g codes of a token, w channels.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


def by_place(codes: Int[Tensor, "*n g"], num_codes: int) -> Int[Tensor, "*n g"]:
    """The rows of codes in a table that has `num_codes` rows for each place.

    A code means one thing at the left end of a token and another at its right. So
    the embedding of code c at place j is row j `num_codes` + c.
    """
    return codes + num_codes * torch.arange(codes.shape[-1], device=codes.device)


class LocalModel(nn.Module):
    """From the GPT's stream for a token, that for each code of the next one.

    The stream for code j is that for the token, plus the embeddings of the codes
    before j in the same token, plus an embedding of the place j. A small residual
    network of one hidden layer then mixes the channels. The GPT's last norm and its
    head make logits of it. All this holds for the decoder of the BART too.
    """

    def __init__(self, width: int, num_codes: int, codes_per_token: int):
        super().__init__()
        self.num_codes = num_codes
        # the last code has none after it that could read it
        rows = (codes_per_token - 1) * num_codes
        self.code_embedding = nn.Embedding(rows, width)
        self.place_embedding = nn.Embedding(codes_per_token, width)
        self.norm = nn.LayerNorm(width, bias=False)
        self.expand = nn.Linear(width, 2 * width, bias=False)
        self.contract = nn.Linear(2 * width, width, bias=False)

    def _mix(self, x: Float[Tensor, "*n w"]) -> Float[Tensor, "*n w"]:
        return x + self.contract(F.gelu(self.expand(self.norm(x))))

    def forward(
        self, hidden: Float[Tensor, "n k w"], codes: Int[Tensor, "n k g"]
    ) -> Float[Tensor, "n k g w"]:
        """The stream for each code, given the codes before it in its token.

        `hidden` is the GPT's stream, before its last norm, from which each token is
        predicted. `codes` are those of that token, in [0, `num_codes`).
        """
        before = self.code_embedding(by_place(codes[:, :, :-1], self.num_codes))
        read = torch.cat([hidden.unsqueeze(2), before], dim=2).cumsum(dim=2)
        return self._mix(read + self.place_embedding.weight)

    def step(
        self, hidden: Float[Tensor, "n w"], written: Int[Tensor, "n written"]
    ) -> Float[Tensor, "n w"]:
        """The stream for the code that follows those `written` of a token."""
        before = self.code_embedding(by_place(written, self.num_codes)).sum(dim=1)
        place = self.place_embedding.weight[written.shape[1]]
        return self._mix(hidden + before + place)
