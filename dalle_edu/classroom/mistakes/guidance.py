"""Mistakes about guidance, as edits of the library's code."""

from dalle_edu.classroom.checking.edited import edited

MISTAKES = [
    edited(
        "guidance:guide",
        "logits.chunk(2)",
        "logits.chunk(2, dim=-1)",
        "The vocabulary is cut in two, not the batch: the halves are the first rows and the last ones.",
        "C'est le vocabulaire qui est coupé en deux, et non le lot : les moitiés sont les premières lignes et les dernières.",
    ),
    edited(
        "guidance:guide",
        "logits.chunk(2)",
        "(logits[::2], logits[1::2])",
        "The rows are taken in turn: the first half of them is conditional, the second unconditional.",
        "Les lignes sont prises en alternance : la première moitié est conditionnelle, la seconde ne l'est pas.",
    ),
    edited(
        "guidance:guide",
        "logits.chunk(2)",
        "logits.softmax(dim=-1).chunk(2)",
        "It guides probabilities, which may then be negative: mix the logits as they are.",
        "Ce sont des probabilités qui sont guidées, et elles peuvent devenir négatives : mêlez les logits tels quels.",
    ),
    edited(
        "guidance:guide",
        "    return unconditional + guidance_scale * (conditional - unconditional)",
        "    return (unconditional + guidance_scale * (conditional - unconditional)).repeat(2, 1)",
        "It returns 2n rows; of each pair one is left: n rows.",
        "Elle rend 2n lignes ; de chaque paire il en reste une : n lignes.",
    ),
    edited(
        "guidance:guide",
        "guidance_scale * (conditional - unconditional)",
        "guidance_scale * conditional - unconditional",
        "Parentheses are missing: the scale multiplies the whole difference.",
        "Il manque des parenthèses : l'échelle multiplie toute la différence.",
    ),
    edited(
        "guidance:guide",
        "guidance_scale *",
        "int(guidance_scale) *",
        "The scale is made whole: 1.5 counts as 1.",
        "L'échelle est rendue entière : 1,5 compte pour 1.",
    ),
    edited(
        "guidance:guide",
        "logits.chunk(2)",
        "(logits[:1], logits[1:2])",
        "Only the first two rows are used: cut the batch in its middle, whatever its size.",
        "Seules les deux premières lignes servent : coupez le lot en son milieu, quelle que soit sa taille.",
    ),
    edited(
        "guidance:guide",
        "unconditional + guidance_scale * (conditional - unconditional)",
        "guidance_scale * (conditional - unconditional)",
        "The difference alone is returned: it is to be added to the unconditional logits.",
        "Seule la différence est rendue : elle s'ajoute aux logits sans condition.",
    ),
    edited(
        "guidance:guide",
        "(conditional - unconditional)",
        "(unconditional - conditional)",
        "The difference has the wrong sign: guidance goes from the unconditional towards the conditional.",
        "La différence a le mauvais signe : le guidage va du non conditionnel vers le conditionnel.",
    ),
]
