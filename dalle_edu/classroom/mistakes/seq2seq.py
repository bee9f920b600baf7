"""Mistakes about attention in sequence-to-sequence models, and about translation."""

import torch
from torch import Tensor

from dalle_edu.bricks.language_model import masked_cross_entropy
from dalle_edu.bricks.recurrent import each_part
from dalle_edu.bricks.seq2seq import AdditiveAttention, DotAttention, GeneralAttention, NoAttention, Seq2Seq
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


class PlainMean(NoAttention):
    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = self.scores(query, memory).masked_fill(~mask.unsqueeze(1), -torch.inf).softmax(dim=-1)
        return weights @ memory, weights


class WidthOfTheQuery(NoAttention):
    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros_like(query), self.scores(query, memory)


class LastWordOnly(NoAttention):
    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return memory[:, -1:].expand(-1, query.shape[1], -1), self.scores(query, memory)


class SoftmaxOverQueries(DotAttention):
    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = self.scores(query, memory).masked_fill(~mask.unsqueeze(1), -1e9).softmax(dim=1)
        return weights @ memory, weights


class PaddingAttended(AdditiveAttention):
    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = self.scores(query, memory).softmax(dim=-1)
        return weights @ memory, weights


class PaddingScoresZero(DotAttention):
    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = (self.scores(query, memory) * mask.unsqueeze(1)).softmax(dim=-1)
        return weights @ memory, weights


class NoTanhBetween(AdditiveAttention):
    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        return self.value(self.query(query).unsqueeze(2) + self.key(memory).unsqueeze(1)).squeeze(-1)


class MemoryTransformed(GeneralAttention):
    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        mixed, weights = super().forward(query, memory, mask)
        return self.key(mixed), weights


class ShownTheAnswer(Seq2Seq):
    def loss(self, source: Tensor, target: Tensor) -> Tensor:
        return masked_cross_entropy(self(source, target[:, 1:])[0], target[:, 1:])


class StartsFromNothing(Seq2Seq):
    def encode(self, source: Tensor) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
        memory, state = super().encode(source)
        return memory, each_part(torch.zeros_like, state)


MISTAKES = [
    Mistake(
        "seq2seq:NoAttention",
        PlainMean,
        "Equal weights are a look at every word, as a plain mean; without attention the weights are 0, and so is the mixture.",
        "Des poids égaux regardent encore tous les mots, en simple moyenne ; sans attention, les poids sont nuls, et le mélange aussi.",
    ),
    Mistake(
        "seq2seq:NoAttention",
        WidthOfTheQuery,
        "The zeros have the width of the query; a mixture is made of the memory, and has its width.",
        "Les zéros ont la largeur de la requête ; un mélange est fait de la mémoire, et il en a la largeur.",
    ),
    Mistake(
        "seq2seq:NoAttention",
        LastWordOnly,
        "The memory of the last word is handed over at each step, and the decoder looks at it; hand over zeros.",
        "La mémoire du dernier mot est transmise à chaque pas, et le décodeur la regarde ; transmettez des zéros.",
    ),
    edited(
        "seq2seq:DotAttention",
        "memory.transpose(-2, -1)",
        "memory.transpose(-2, -1) / query.shape[-1] ** 0.5",
        "The scores are divided by the square root of the size, as in 2017; Luong's dot product is taken as it is.",
        "Les scores sont divisés par la racine de la taille, comme en 2017 ; le produit scalaire de Luong se prend tel quel.",
    ),
    edited(
        "seq2seq:GeneralAttention",
        "self.key(memory).transpose(-2, -1)",
        "self.key(memory).tanh().transpose(-2, -1)",
        "A tanh bends the keys: that belongs to the additive score; q · W k is bilinear, and W is all there is.",
        "Un tanh plie les clés : c'est l'affaire du score additif ; q · W k est bilinéaire, et il n'y a que W.",
    ),
    edited(
        "seq2seq:GeneralAttention",
        "self.key(memory).transpose(-2, -1)",
        "self.key(memory).transpose(-2, -1) / query.shape[-1] ** 0.5",
        "The scores are divided by the square root of the size, as in 2017; Luong's score is q · W k as it is.",
        "Les scores sont divisés par la racine de la taille, comme en 2017 ; le score de Luong est q · W k, tel quel.",
    ),
    edited(
        "seq2seq:AdditiveAttention",
        "self.value(pairs.tanh())",
        "self.value(pairs).tanh()",
        "The tanh comes after v: then scores stay between -1 and 1 and the softmax never chooses; bend the pairs, and let v add them up.",
        "Le tanh vient après v : les scores restent entre -1 et 1, et le softmax ne choisit jamais ; pliez les paires, puis v les somme.",
    ),
    edited(
        "seq2seq:Seq2Seq",
        "weights, state = self.decode(last",
        "weights, _ = self.decode(last",
        "The decoder goes back to its first state at each word and forgets what it has written; hand on the state that `decode` returns.",
        "Le décodeur revient à son premier état à chaque mot et oublie ce qu'il a écrit ; transmettez l'état que rend `decode`.",
    ),
    edited(
        "seq2seq:Seq2Seq",
        ".masked_fill(ended, PAD)",
        "",
        "A sentence that has ended goes on as long as its neighbours; write padding after the end.",
        "Une phrase finie continue aussi longtemps que ses voisines ; après la fin, écrivez du remplissage.",
    ),
    Mistake(
        "seq2seq:DotAttention",
        SoftmaxOverQueries,
        "The softmax runs over the words written; each of them must share its attention out among the words read, the last axis.",
        "Le softmax porte sur les mots écrits ; chacun doit répartir son attention entre les mots lus, le dernier axe.",
    ),
    Mistake(
        "seq2seq:DotAttention",
        PaddingScoresZero,
        "A score of 0 is not a weight of 0: padding still gets e⁰ before the division; write -∞ into its scores.",
        "Un score nul n'est pas un poids nul : le remplissage reçoit encore e⁰ avant la division ; écrivez -∞ dans ses scores.",
    ),
    Mistake(
        "seq2seq:AdditiveAttention",
        PaddingAttended,
        "Padding is looked at like a word, so a translation changes with the longest sentence of the batch; mask it before the softmax.",
        "Le remplissage est regardé comme un mot : la traduction change avec la plus longue phrase du lot ; masquez-le avant le softmax.",
    ),
    Mistake(
        "seq2seq:AdditiveAttention",
        NoTanhBetween,
        "Without tanh the query adds the same to all scores, and the softmax forgets it: every word looks at the same place.",
        "Sans tanh, la requête ajoute la même chose à tous les scores, et le softmax l'oublie : chaque mot regarde au même endroit.",
    ),
    Mistake(
        "seq2seq:GeneralAttention",
        MemoryTransformed,
        "The mixture went through W too; W serves to compare, and what is mixed is the memory as it is.",
        "Le mélange est passé lui aussi par W ; W sert à comparer, et c'est la mémoire telle quelle que l'on mélange.",
    ),
    Mistake(
        "seq2seq:Seq2Seq",
        ShownTheAnswer,
        "The writer is shown the word it must say: the loss falls to nothing and the translations are worthless; show it the word before.",
        "On montre au décodeur le mot qu'il doit dire : la perte s'effondre et il ne traduit rien ; montrez-lui le mot précédent.",
    ),
    Mistake(
        "seq2seq:Seq2Seq",
        StartsFromNothing,
        "The writer starts from zeros and must find all through attention; hand it the state in which the reader ended.",
        "Le décodeur part de zéros et doit tout trouver par l'attention ; donnez-lui l'état dans lequel la lecture s'est achevée.",
    ),
    edited(
        "seq2seq:DotAttention",
        "query @ memory.transpose(-2, -1)",
        "(query @ memory.transpose(-2, -1)).softmax(dim=-1)",
        "The softmax is taken here, and then again by `forward`, which makes the weights nearly equal; return the scores as they are.",
        "Le softmax est pris ici, puis encore par `forward`, ce qui rend les poids presque égaux ; rendez les scores tels quels.",
    ),
    edited(
        "seq2seq:DotAttention",
        "memory.transpose(-2, -1)",
        "memory.reshape(len(memory), memory.shape[2], memory.shape[1])",
        "A reshape mixes the channels of several words; exchange the two axes, with transpose(-2, -1).",
        "Un reshape mêle les canaux de plusieurs mots ; échangez les deux axes, par transpose(-2, -1).",
    ),
    edited(
        "seq2seq:Seq2Seq",
        "self.decode(shown, state, memory",
        "self.decode(shown, self.writer.start(memory), memory",
        "In `forward` the decoder starts from zeros; hand it the state that `encode` returns.",
        "Dans `forward`, le décodeur part de zéros ; donnez-lui l'état que rend `encode`.",
    ),
    edited(
        "seq2seq:Seq2Seq",
        "return logits, weights",
        "return logits.softmax(dim=-1), weights",
        "Probabilities are returned for logits, and the loss takes their softmax once more; return what `decode` gives.",
        "Des probabilités sont rendues pour des logits, et la perte en prend encore le softmax ; rendez ce que donne `decode`.",
    ),
    edited(
        "seq2seq:Seq2Seq",
        "not ended.all()",
        "not ended.any()",
        "The whole batch stops as soon as one sentence has ended; go on until all have, with all().",
        "Tout le lot s'arrête dès qu'une phrase est finie ; continuez jusqu'à ce que toutes le soient, par all().",
    ),
    edited(
        "seq2seq:Seq2Seq",
        " and not ended.all()",
        "",
        "Padding is written up to `length` words though every sentence has ended; stop there.",
        "Du remplissage est écrit jusqu'à `length` mots, alors que toutes les phrases sont finies ; arrêtez-vous là.",
    ),
]
