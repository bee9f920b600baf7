"""Mistakes about tokens that know their neighbours."""

from dalle_edu.classroom.checking.edited import edited

MISTAKES = [
    edited(
        "neighbours:shifted",
        "return F.pad(x, (0, 0, tokens, 0))[:, : x.shape[1]]",
        "return torch.roll(x, tokens, dims=1)",
        "The sequence is rolled: the first tokens see the last ones, which come after them; zeros come in before the start.",
        "La suite tourne en rond : les premiers jetons voient les derniers, qui viennent après eux ; avant le début, il y a des zéros.",
    ),
    edited(
        "neighbours:Smear",
        "shifted(x, 1)",
        "torch.roll(x, -1, dims=1)",
        "Each token is given the one after it, which it must predict; give it the one before.",
        "Chaque jeton reçoit celui qui le suit, qu'il doit prédire ; donnez-lui celui qui le précède.",
    ),
    edited(
        "neighbours:Canon",
        "shifted(x, distance)",
        "shifted(y, distance)",
        "Each tap reads what the tap before it has already mixed, so that far tokens come in several times; read x itself.",
        "Chaque poids lit ce que le précédent a déjà mélangé, et des jetons lointains entrent plusieurs fois ; lisez x lui-même.",
    ),
    edited(
        "neighbours:Canon",
        "enumerate(self.weight, start=1)",
        "enumerate(self.weight.flip(0), start=1)",
        "The weights are in the wrong order: the first row belongs to the nearest token, the last to the farthest.",
        "Les poids sont dans le mauvais ordre : la première ligne est celle du jeton le plus proche, la dernière celle du plus lointain.",
    ),
]
