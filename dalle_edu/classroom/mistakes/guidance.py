"""Mistakes about guidance, of codes and of diffusion."""

from torch import Tensor

from dalle_edu.bricks import guidance
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def halves_swapped(logits: Tensor, guidance_scale: float) -> Tensor:
    unconditional, conditional = logits.chunk(2)
    return unconditional + guidance_scale * (conditional - unconditional)


def guidance_from_the_conditional(logits: Tensor, guidance_scale: float) -> Tensor:
    conditional, unconditional = logits.chunk(2)
    return conditional + guidance_scale * (conditional - unconditional)


def guidance_at_the_first_step_only(
    network: guidance.Network, guidance_scale: float, conditional: dict[str, Tensor], unconditional: dict[str, Tensor]
) -> guidance.Network:
    steps = iter([guidance.guided(network, guidance_scale, conditional, unconditional)])
    after = guidance.guided(network, 1.0, conditional, unconditional)
    return lambda x_t, t: next(steps, after)(x_t, t)


MISTAKES = [
    Mistake(
        "guidance:guide",
        halves_swapped,
        "The two halves of the batch are swapped: guidance pushes away from the caption.",
        "Les deux moitiés du lot sont échangées : le guidage éloigne de la phrase.",
    ),
    Mistake(
        "guidance:guide",
        guidance_from_the_conditional,
        "The difference is added to the conditional logits, so guidance 1 already guides; start from the unconditional ones.",
        "La différence est ajoutée aux logits conditionnels, si bien qu'un guidage de 1 guide déjà ; partez des logits sans condition.",
    ),
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
    edited(
        "guidance:guided",
        "with_condition, without = both",
        "without, with_condition = both",
        "The halves of the doubled batch are swapped: guidance runs away from what is asked.",
        "Les moitiés du lot doublé sont échangées : le guidage s'éloigne de ce qui est demandé.",
    ),
    Mistake(
        "guidance:guided",
        guidance_at_the_first_step_only,
        "Guidance acts at the first step only; every step must mix what the network says with and without the condition.",
        "Le guidage n'agit qu'au premier pas ; chaque pas doit mêler ce que le réseau dit avec et sans la condition.",
    ),
    edited(
        "guidance:guided",
        "return without + guidance_scale",
        "return with_condition + guidance_scale",
        "The difference is added to the conditional answer, so that it guides by one scale too many; start from the unconditional one.",
        "La différence s'ajoute à la réponse conditionnée et guide d'une échelle de trop ; partez de la réponse sans condition.",
    ),
    edited(
        "guidance:guided",
        "both = network(torch.cat([x_t, x_t]), torch.cat([t, t]), **doubled)",
        "both = torch.cat([network(x_t, t, **conditional), network(x_t, t, **unconditional)])",
        "The network runs twice, on n pictures each time; one run on a batch of 2n costs less on a GPU: join them with `torch.cat`.",
        "Le réseau tourne deux fois, sur n images chaque fois ; un seul passage de 2n coûte moins sur un GPU : joignez par `torch.cat`.",
    ),
    edited(
        "guidance:guided",
        "        if guidance_scale == 1:\n            return network(x_t, t, **conditional)\n",
        "",
        "both = network(torch.cat([x_t, x_t]), torch.cat([t, t]), **doubled)",
        "both = torch.cat([network(x_t, t, **conditional), network(x_t, t, **unconditional)])",
        "The network runs twice, even at scale 1: join both batches with `torch.cat` for one run of 2n rows; at scale 1, n are enough.",
        "Le réseau tourne deux fois, même à l'échelle 1 : joignez par `torch.cat`, un passage de 2n lignes ; à l'échelle 1, n suffisent.",
    ),
    edited(
        "guidance:guided",
        "        if guidance_scale == 1:\n            return network(x_t, t, **conditional)\n",
        "",
        "At scale 1 guidance changes nothing: run the network on the n conditional rows alone, which costs half.",
        "À l'échelle 1, le guidage ne change rien : un passage sur les n lignes avec condition suffit, et coûte la moitié.",
    ),
    edited(
        "guidance:guided",
        "torch.cat([x_t, x_t]), torch.cat([t, t])",
        "x_t.repeat_interleave(2, dim=0), t.repeat_interleave(2)",
        "Each picture is repeated beside itself, the conditions half after half, and they no longer match; use `torch.cat` for all.",
        "Chaque image est répétée à côté d'elle-même, et les conditions moitié après moitié : rien ne va ensemble ; `torch.cat` pour tout.",
    ),
]
