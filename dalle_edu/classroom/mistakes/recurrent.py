"""Mistakes about recurrent networks."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.recurrent import GRUCell, LSTMCell, RNNCell, hidden_of, unroll
from dalle_edu.classroom.checking.edited import edited
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


def last_place_for_last_read(cell: Any, x: Tensor, state: Any = None, mask: Tensor | None = None, backwards: bool = False) -> Any:
    outputs, end = unroll(cell, x, state, mask, backwards)
    if backwards:
        end = unroll(cell, x[:, -1:], state, None if mask is None else mask[:, -1:])[1]
    return outputs, end


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


def input_and_target_alike(sentences: Tensor) -> tuple[Tensor, Tensor]:
    return sentences[:, :-1], sentences[:, :-1]


def turned_round(sentences: Tensor) -> tuple[Tensor, Tensor]:
    return sentences, sentences.roll(-1, dims=1)


def padding_in_the_count(logits: Tensor, expected: Tensor) -> Tensor:
    surprise = -logits.log_softmax(dim=-1).gather(-1, expected.unsqueeze(-1)).squeeze(-1)
    return (surprise * (expected != 0)).mean()


def probabilities_divided(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    weights = logits.softmax(dim=-1) / max(temperature, 1e-3)
    return torch.multinomial(weights, 1, generator=generator).squeeze(-1)


def always_the_likeliest(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    return logits.argmax(dim=-1)


MISTAKES = [
    edited(
        "recurrent:RNNCell",
        "torch.tanh(",
        "torch.relu(",
        "A ReLU has no ceiling: a state multiplied again and again grows without end; the plain cell squashes it by tanh.",
        "Un ReLU n'a pas de plafond : un état multiplié encore et encore croît sans fin ; la cellule simple l'écrase par tanh.",
    ),
    edited(
        "recurrent:RNNCell",
        "torch.tanh(",
        "torch.sigmoid(",
        "A sigmoid gives states in (0, 1), which cannot say no; tanh gives both signs, from -1 to 1.",
        "Une sigmoïde donne des états entre 0 et 1, qui ne peuvent dire non ; tanh donne les deux signes, de -1 à 1.",
    ),
    edited(
        "recurrent:GRUCell",
        "(1 - z) * candidate",
        "candidate",
        "The candidate comes in whole beside the past that was kept: the shares of z and 1 - z must sum to 1.",
        "Le candidat entre en entier à côté du passé gardé : les parts z et 1 - z doivent faire 1.",
    ),
    edited(
        "recurrent:LSTMCell",
        "memory.tanh()",
        "memory",
        "The hidden state shows the memory without its tanh, and is no longer bounded; h = o tanh(c).",
        "L'état caché montre la mémoire sans tanh, et n'est plus borné ; h = o tanh(c).",
    ),
    edited(
        "recurrent:unroll",
        "renewed = cell(x[:, t], state)",
        "renewed = cell(x[:, t], cell.start(x))",
        "Each symbol is read from an empty state: nothing is remembered; hand the last state on to the next step.",
        "Chaque symbole est lu depuis un état vide : rien n'est retenu ; passez le dernier état au pas suivant.",
    ),
    Mistake(
        "language_model:teacher_forcing",
        input_and_target_alike,
        "The target is the symbol shown, not the one after it: the model learns to copy; shift the targets by one.",
        "La cible est le symbole montré, et non le suivant : le modèle apprend à recopier ; décalez les cibles d'un cran.",
    ),
    Mistake(
        "language_model:teacher_forcing",
        turned_round,
        "Rolling the row brings its first symbol back at the end, as a target; cut one symbol off each side instead.",
        "Faire tourner la ligne ramène le premier symbole à la fin, comme cible ; coupez plutôt un symbole de chaque côté.",
    ),
    Mistake(
        "language_model:masked_cross_entropy",
        padding_in_the_count,
        "Padding is left out of the sum and not of the count: longer padding lowers the loss; divide by the number of real symbols.",
        "Le remplissage est ôté de la somme, mais pas du compte : en ajouter baisse la perte ; divisez par le nombre de vrais symboles.",
    ),
    Mistake(
        "language_model:sample_next",
        probabilities_divided,
        "The probabilities are divided, and keep their ratios: the temperature changes nothing; divide the logits, before the softmax.",
        "Ce sont les probabilités qui sont divisées, et leurs rapports restent : divisez les logits, avant le softmax.",
    ),
    Mistake(
        "language_model:sample_next",
        always_the_likeliest,
        "The likeliest symbol is always taken, whatever the temperature; that is right at 0 alone: else sample.",
        "Le symbole le plus probable est toujours pris, quelle que soit la température ; ce n'est juste qu'à 0 : sinon, tirez au sort.",
    ),
    edited(
        "language_model:sample_next",
        ".squeeze(-1)",
        ".squeeze()",
        "For a single text the answer loses its only axis: `squeeze()` drops every axis of 1; `squeeze(-1)` drops the last one alone.",
        "Pour un seul texte, la réponse perd son seul axe : `squeeze()` ôte tous les axes de 1 ; `squeeze(-1)` n'ôte que le dernier.",
    ),
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
    edited(
        "recurrent:RNNCell",
        "torch.tanh(from_input + from_state)",
        "torch.tanh(from_input) + torch.tanh(from_state)",
        "Each part goes through tanh by itself, and the state reaches from -2 to 2; add the two sums first, then take tanh.",
        "Chaque partie passe seule par tanh, et l'état va de -2 à 2 ; additionnez d'abord les deux sommes, puis prenez tanh.",
    ),
    edited(
        "recurrent:RNNCell",
        "torch.tanh(from_input + from_state)",
        "torch.tanh(from_input + from_state - self.bias_hh)",
        "The bias of the state, b_hh, is forgotten: both parts have one, and `sums` adds them.",
        "Le biais de l'état, b_hh, est oublié : les deux parties en ont un, et `sums` les ajoute.",
    ),
    edited(
        "recurrent:LSTMCell",
        "i, f, g, o =",
        "f, i, g, o =",
        "The input and forget gates are swapped; PyTorch's rows are input, forget, candidate, output, in this order.",
        "Les portes d'entrée et d'oubli sont interverties ; les lignes de PyTorch sont entrée, oubli, candidat, sortie, dans cet ordre.",
    ),
    edited(
        "recurrent:GRUCell",
        "r, z =",
        "z, r =",
        "The reset and update gates are swapped; PyTorch's rows are reset, update, candidate, in this order.",
        "Les portes de remise à zéro et de mise à jour sont interverties ; les lignes de PyTorch sont r, z, candidat, dans cet ordre.",
    ),
    edited(
        "recurrent:unroll",
        "each_part(keep_at_padding, renewed, state)",
        "each_part(lambda part: part * mask[:, t, None], renewed)",
        "On padding the state becomes 0, and the sentence is forgotten; keep the state of before, with torch.where.",
        "Sur le remplissage, l'état devient 0 et la phrase est oubliée ; gardez l'état d'avant, par torch.where.",
    ),
    Mistake(
        "recurrent:unroll",
        last_place_for_last_read,
        "Read backwards, the state of the last place is that of the first symbol read; hand back the one after the last step.",
        "En lecture à rebours, l'état de la dernière place est celui du premier symbole lu ; rendez celui du dernier pas.",
    ),
]
