"""Mistakes about recurrent networks."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.recurrent import GRUCell, LSTMCell, RNNCell, hidden_of, unroll
from dalle_edu.classroom.checking.proof import Mistake


class TanhForgotten(RNNCell):
    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        from_input, from_state = self.sums(x, state)
        return from_input + from_state


class GatesInAnotherOrder(LSTMCell):
    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        hidden, memory = state
        i, f, o, g = sum(self.sums(x, hidden)).chunk(4, dim=-1)  # type: ignore[union-attr]
        memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
        return o.sigmoid() * memory.tanh(), memory


class NothingForgotten(LSTMCell):
    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        hidden, memory = state
        i, _, g, o = sum(self.sums(x, hidden)).chunk(4, dim=-1)  # type: ignore[union-attr]
        memory = memory + i.sigmoid() * g.tanh()
        return o.sigmoid() * memory.tanh(), memory


class HiddenAndMemorySwapped(LSTMCell):
    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        memory, hidden = state
        return super().forward(x, (hidden, memory))


class UpdateUpsideDown(GRUCell):
    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (part.chunk(3, dim=-1) for part in self.sums(x, state))
        z = (z_x + z_h).sigmoid()
        return (1 - z) * state + z * torch.tanh(n_x + (r_x + r_h).sigmoid() * n_h)


class ResetBeforeTheProduct(GRUCell):
    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        (r_x, z_x, n_x), (r_h, z_h, _) = (part.chunk(3, dim=-1) for part in self.sums(x, state))
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        n_h = self.sums(x, r * state)[1].chunk(3, dim=-1)[2]
        return z * state + (1 - z) * torch.tanh(n_x + n_h)


def padding_read(cell: Any, x: Tensor, state: Any = None, mask: Tensor | None = None, backwards: bool = False) -> tuple[Tensor, Any]:
    state, outputs = cell.start(x), []
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        state = cell(x[:, t], state)
        outputs.append(hidden_of(state))
    return torch.stack(outputs[::-1] if backwards else outputs, dim=1), state


def outputs_left_backwards(cell: Any, x: Tensor, state: Any = None, mask: Tensor | None = None, backwards: bool = False) -> Any:
    outputs, state = unroll(cell, x, state, mask, backwards)
    return (outputs.flip(1) if backwards else outputs), state


def shown_the_answer(sentences: Tensor) -> tuple[Tensor, Tensor]:
    return sentences[:, 1:], sentences[:, 1:]


def padding_counted(logits: Tensor, expected: Tensor) -> Tensor:
    return -logits.log_softmax(dim=-1).gather(-1, expected.unsqueeze(-1)).mean()


def sentences_averaged(logits: Tensor, expected: Tensor) -> Tensor:
    surprise = -logits.log_softmax(dim=-1).gather(-1, expected.unsqueeze(-1)).squeeze(-1)
    real = expected != 0
    return ((surprise * real).sum(dim=1) / real.sum(dim=1)).mean()


def temperature_multiplied(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    return torch.multinomial((logits * temperature).softmax(dim=-1), 1, generator=generator).squeeze(-1)


MISTAKES = [
    Mistake(
        "recurrent:RNNCell",
        TanhForgotten,
        "Nothing bounds the state: without tanh the cell is linear, and the state explodes or dies out; end the step with tanh.",
        "Rien ne borne l'état : sans tanh la cellule est linéaire, et l'état explose ou s'éteint ; terminez le pas par tanh.",
    ),
    Mistake(
        "recurrent:LSTMCell",
        GatesInAnotherOrder,
        "The candidate and the output gate are swapped; PyTorch's rows are input, forget, candidate, output, in this order.",
        "Le candidat et la porte de sortie sont intervertis ; les lignes de PyTorch sont entrée, oubli, candidat, sortie, dans cet ordre.",
    ),
    Mistake(
        "recurrent:LSTMCell",
        NothingForgotten,
        "The forget gate is missing: the memory only ever grows; multiply the old memory by sigmoid(f) before you add.",
        "La porte d'oubli manque : la mémoire ne fait que s'accumuler ; multipliez l'ancienne mémoire par sigmoid(f) avant d'ajouter.",
    ),
    Mistake(
        "recurrent:LSTMCell",
        HiddenAndMemorySwapped,
        "The two parts of the state are swapped; it is (hidden, memory), and only the hidden part enters the gates.",
        "Les deux parties de l'état sont interverties ; c'est (état caché, mémoire), et seul l'état caché entre dans les portes.",
    ),
    Mistake(
        "recurrent:GRUCell",
        UpdateUpsideDown,
        "The update gate is read the other way round: in PyTorch, z keeps the past and 1 - z lets the candidate in.",
        "La porte de mise à jour est lue à l'envers : dans PyTorch, z garde le passé et 1 - z laisse entrer le candidat.",
    ),
    Mistake(
        "recurrent:GRUCell",
        ResetBeforeTheProduct,
        "The reset gate scales the state before the product, as in the first paper; PyTorch scales W_hh h + b_hh after it.",
        "La porte de remise à zéro agit sur l'état avant le produit, comme dans le premier article ; PyTorch pondère W_hh h + b_hh après.",
    ),
    Mistake(
        "recurrent:unroll",
        padding_read,
        "Padding is read as if it were words, so a sentence's last state depends on its neighbours' lengths; hold the state there.",
        "Le remplissage est lu comme des mots : le dernier état dépend de la longueur des autres phrases ; gardez-y l'état tel quel.",
    ),
    Mistake(
        "recurrent:unroll",
        outputs_left_backwards,
        "Read backwards, the outputs come last symbol first; turn them round, so that output t belongs to symbol t.",
        "En lecture à rebours, les sorties viennent du dernier symbole au premier ; retournez-les : la sortie t va au symbole t.",
    ),
    Mistake(
        "language_model:teacher_forcing",
        shown_the_answer,
        "The network is shown the very symbol it must say: it copies, and writes nonsense alone; show it the symbol before.",
        "On montre au réseau le symbole même qu'il doit dire : il recopie, et seul il écrit n'importe quoi ; montrez-lui le précédent.",
    ),
    Mistake(
        "language_model:masked_cross_entropy",
        padding_counted,
        "Padding counts in the loss, which then falls because padding is easy to guess; leave it out of the sum and of the count.",
        "Le remplissage compte dans la perte, qui baisse parce qu'il est facile à deviner ; ôtez-le de la somme et du compte.",
    ),
    Mistake(
        "language_model:masked_cross_entropy",
        sentences_averaged,
        "Each sentence is averaged on its own, so the words of short ones weigh more; divide once, by the number of real symbols.",
        "Chaque phrase a sa moyenne, et les mots des phrases courtes pèsent plus ; divisez une fois, par le nombre de vrais symboles.",
    ),
    Mistake(
        "language_model:sample_next",
        temperature_multiplied,
        "The logits are multiplied by the temperature; divide them, so that a low temperature sharpens the choice.",
        "Les logits sont multipliés par la température ; divisez-les : une température basse doit resserrer le choix.",
    ),
]
