"""Mistakes about the game of a GAN: its exact value, its losses, and the coverage of modes."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def generators_share(p: Tensor, q: Tensor) -> Tensor:
    return q / (p + q)


def sigmoid_twice(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    real, fake = real_logits.sigmoid(), fake_logits.sigmoid()
    return F.binary_cross_entropy_with_logits(real, torch.ones_like(real)) + F.binary_cross_entropy_with_logits(
        fake, torch.zeros_like(fake)
    )


def labels_swapped(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return F.softplus(real_logits).mean() + F.softplus(-fake_logits).mean()


def log_of_a_rounded_probability(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return -real_logits.sigmoid().log().mean() - (1 - fake_logits.sigmoid()).log().mean()


def helps_the_discriminator(fake_logits: Tensor) -> Tensor:
    return F.softplus(fake_logits).mean()


def margin_forgotten(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return F.relu(-real_logits).mean() + F.relu(fake_logits).mean()


def seen_once_is_kept(classes: Tensor, num_classes: int, least: float = 0.01) -> tuple[int, float]:
    counts = classes.bincount(minlength=num_classes)
    return int((counts > 0).sum()), float(torch.special.entr(counts / len(classes)).sum())


ZERO_TIMES_INFINITY = (
    "The product 0 · log 0 comes out as nan: an outcome of probability 0 adds nothing, whatever its logarithm: see `torch.xlogy`.",
    "Le produit 0 · log 0 donne nan : une issue de probabilité 0 n'ajoute rien, quel que soit son logarithme ; `torch.xlogy` le sait.",
)
ONE_MEAN = (
    "One mean is taken over all logits; take one over the real and one over the fakes, and add them.",
    "Une seule moyenne porte sur tous les logits ; prenez-en une sur les vraies, une sur les fausses, et additionnez-les.",
)
HALVED = (
    "It is half of what is asked: the two means are added up, and no mean is taken of them.",
    "C'est la moitié de ce qui est demandé : les deux moyennes s'additionnent, sans qu'on en prenne la moyenne.",
)
MEAN_TOO_SOON = (
    "The mean is taken first, so that logits too high and too low make up for each other; each has a cost, then comes the mean.",
    "La moyenne vient trop tôt : des logits trop hauts et trop bas se compensent ; chacun a son coût, puis vient la moyenne.",
)

MISTAKES = [
    Mistake(
        "gan:optimal_discriminator",
        generators_share,
        "This is the share of the fakes; the discriminator says how likely a picture is to be real: p / (p + q).",
        "C'est la part des faux ; le discriminateur dit à quel point une image a des chances d'être vraie : p / (p + q).",
    ),
    edited(
        "gan:optimal_discriminator",
        "p / (p + q).clamp",
        "p / q.clamp",
        "The ratio p / q says how many times likelier the outcome is among real ones; a probability is p / (p + q), which never exceeds 1.",
        "Le rapport p / q dit combien de fois l'issue est plus probable chez les vraies ; une probabilité vaut p / (p + q), 1 au plus.",
    ),
    edited(
        "gan:optimal_discriminator",
        "torch.where(p + q > 0, p / (p + q).clamp(min=smallest), 0.5)",
        "(p > q).to(p.dtype)",
        "It decides outright for the likelier side; where both occur, the best judge hedges: p / (p + q).",
        "Elle tranche pour le côté le plus probable ; là où les deux se présentent, le meilleur juge partage : p / (p + q).",
    ),
    edited(
        "gan:optimal_discriminator",
        ", 0.5)",
        ", 0.0)",
        "Where neither ever gives the outcome, p / (p + q) is 0 / 0, and the answer agreed on is 1/2.",
        "Là où aucune des deux ne donne l'issue, p / (p + q) vaut 0 / 0, et la réponse convenue est 1/2.",
    ),
    edited(
        "gan:expected_value",
        "torch.xlogy(q, 1 - d)",
        "torch.xlogy(q, d)",
        "On a fake the discriminator is right with probability 1 - d, so that q weighs log(1 - d).",
        "Sur un faux, le discriminateur a raison avec la probabilité 1 - d ; q pondère donc log(1 - d).",
    ),
    edited(
        "gan:expected_value",
        "(torch.xlogy(p, d) + torch.xlogy(q, 1 - d))",
        "(p * d.log() + q * (1 - d).log())",
        *ZERO_TIMES_INFINITY,
    ),
    edited(
        "gan:expected_value",
        ".sum()",
        ".mean()",
        "The terms are averaged over outcomes, but p and q weigh them already: add them up.",
        "Les termes sont moyennés sur les issues, alors que p et q les pondèrent déjà : additionnez-les.",
    ),
    edited(
        "gan:expected_value",
        ".sum()",
        ".sum() / torch.log(torch.tensor(2.0, dtype=d.dtype))",
        "The value is in bits; it is wanted in nats, with natural logarithms.",
        "La valeur est en bits ; elle est demandée en nats, avec des logarithmes naturels.",
    ),
    edited(
        "gan:jensen_shannon",
        "mixture = (p + q) / 2",
        "mixture = p + q",
        "The sum p + q adds up to 2 and is no distribution; the mixture is the half of it.",
        "La somme p + q a pour total 2 et n'est pas une loi ; le mélange en est la moitié.",
    ),
    edited(
        "gan:jensen_shannon",
        "(entropy(p) + entropy(q)).sum() / 2",
        "(entropy(p) + entropy(q)).sum()",
        "Both entropies are taken off whole; it is their mean that is taken from the mixture's entropy.",
        "Les deux entropies sont ôtées en entier ; c'est leur moyenne qui s'ôte de l'entropie du mélange.",
    ),
    edited(
        "gan:jensen_shannon",
        "entropy(mixture).sum() - (entropy(p) + entropy(q)).sum() / 2",
        "(entropy(p) + entropy(q)).sum() / 2 - entropy(mixture).sum()",
        "The difference is the wrong way round: a mixture is more uncertain than its parts, and a divergence is never negative.",
        "La différence est prise à l'envers : un mélange est plus incertain que ses parts, et une divergence n'est jamais négative.",
    ),
    edited(
        "gan:jensen_shannon",
        "return entropy(mixture).sum() - (entropy(p) + entropy(q)).sum() / 2",
        "return (entropy(mixture).sum() - (entropy(p) + entropy(q)).sum() / 2).clamp(min=0).sqrt()",
        "This is the Jensen-Shannon distance, its square root, as SciPy gives it; the divergence is wanted.",
        "C'est la distance de Jensen-Shannon, sa racine carrée, que donne SciPy ; c'est la divergence qui est demandée.",
    ),
    Mistake(
        "gan:discriminator_loss",
        sigmoid_twice,
        "The logits go through a sigmoid and then into a loss that applies one itself; give it the logits.",
        "Les logits passent par une sigmoïde, puis par une perte qui en applique déjà une ; donnez-lui les logits.",
    ),
    Mistake(
        "gan:discriminator_loss",
        labels_swapped,
        "Real pictures are labelled fake and fakes real; the logit of a real picture must rise and that of a fake fall.",
        "Les vraies images sont étiquetées fausses et inversement ; le logit d'une vraie doit monter, celui d'une fausse descendre.",
    ),
    Mistake(
        "gan:discriminator_loss",
        log_of_a_rounded_probability,
        "The logarithm is taken of a probability that has rounded to 0 and the loss is infinite; stay with logits: log σ(l) and log σ(-l).",
        "Le logarithme porte sur une probabilité arrondie à 0 et la perte est infinie ; restez avec les logits : log σ(l) et log σ(-l).",
    ),
    Mistake(
        "gan:saturating_loss",
        helps_the_discriminator,
        "The sign is wrong: lowering -log(1 - D) teaches the generator to be found out; it must lower log(1 - D).",
        "Le signe est faux : abaisser -log(1 - D) apprend au générateur à se faire prendre ; il doit abaisser log(1 - D).",
    ),
    edited(
        "gan:saturating_loss",
        "F.logsigmoid(-fake_logits)",
        "F.logsigmoid(fake_logits)",
        "This is log D: lowering it teaches the generator to be found out; what it lowers is log(1 - D), the log σ of -l.",
        "C'est log D : l'abaisser apprend au générateur à se faire prendre ; ce qu'il abaisse est log(1 - D), le log σ de -l.",
    ),
    edited(
        "gan:saturating_loss",
        "F.logsigmoid(-fake_logits)",
        "(1 - fake_logits.sigmoid()).log()",
        "For a large logit 1 - σ(l) rounds to 0 and its logarithm is infinite; write log(1 - D) as log σ(-l).",
        "Pour un grand logit, 1 - σ(l) s'arrondit à 0 et son logarithme est infini ; écrivez log(1 - D) comme log σ(-l).",
    ),
    edited(
        "gan:saturating_loss",
        ".mean()",
        ".sum()",
        "The loss is summed over the fakes, so that it grows with the batch: take the mean.",
        "La perte est sommée sur les faux et grandit avec le lot : prenez la moyenne.",
    ),
    edited(
        "gan:non_saturating_loss",
        "-F.logsigmoid(fake_logits)",
        "F.logsigmoid(fake_logits)",
        "The sign is wrong: lowering log D makes D surer of its fakes; the loss is -log D.",
        "Le signe est faux : abaisser log D rend D plus sûr que ce sont des faux ; la perte est -log D.",
    ),
    edited(
        "gan:non_saturating_loss",
        "-F.logsigmoid(fake_logits)",
        "F.logsigmoid(-fake_logits)",
        "This is the saturating loss, log(1 - D), which hardly pulls where D is sure of a fake; the other one is -log D.",
        "C'est la perte qui sature, log(1 - D), qui ne tire presque pas là où D est sûr de son fait ; l'autre est -log D.",
    ),
    edited(
        "gan:non_saturating_loss",
        "-F.logsigmoid(fake_logits)",
        "-fake_logits.sigmoid().log()",
        "For a very negative logit σ(l) rounds to 0 and the loss is infinite just where it must pull; use log σ(l) in one function.",
        "Pour un logit très négatif, σ(l) s'arrondit à 0 et la perte est infinie là où elle doit tirer ; prenez log σ(l) d'un seul tenant.",
    ),
    Mistake(
        "gan:hinge_discriminator_loss",
        margin_forgotten,
        "The margin is missing: logits of the right sign already cost nothing, and 0 for everything is a perfect score.",
        "La marge manque : un logit du bon signe ne coûte déjà plus rien, et répondre 0 à tout donne une perte nulle.",
    ),
    edited(
        "gan:hinge_discriminator_loss",
        "1 - real_logits",
        "1 + real_logits",
        "1 + fake_logits",
        "1 - fake_logits",
        "The two margins are exchanged: real logits should exceed 1, which costs 1 - l, and fake ones stay below -1, which costs 1 + l.",
        "Les deux marges sont échangées : une vraie doit dépasser 1, ce qui coûte 1 - l, et une fausse rester sous -1, ce qui coûte 1 + l.",
    ),
    edited(
        "gan:hinge_discriminator_loss",
        "F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()",
        "(1 - real_logits).mean() + (1 + fake_logits).mean()",
        "Nothing stops at the margin: a logit beyond it must cost 0, not less than 0; a ReLU does that.",
        "Rien ne s'arrête à la marge : au-delà, un logit doit coûter 0, et non moins que 0 ; une ReLU s'en charge.",
    ),
    edited(
        "gan:hinge_discriminator_loss",
        "F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()",
        "torch.cat([F.relu(1 - real_logits).flatten(), F.relu(1 + fake_logits).flatten()]).mean()",
        *ONE_MEAN,
    ),
    Mistake(
        "gan:mode_coverage",
        seen_once_is_kept,
        "One sample out of a thousand counts as a mode kept; a class is present when a sizeable part of the samples falls in it.",
        "Un échantillon sur mille suffit pour qu'un mode compte ; une classe est présente si une part notable des échantillons y tombe.",
    ),
    edited(
        "gan:mode_coverage",
        "shares = classes.bincount(minlength=num_classes) / len(classes)",
        "shares = classes.bincount(minlength=num_classes).double()",
        "The counts are not divided by the number of samples: the entropy is that of shares, which add up to 1.",
        "Les effectifs ne sont pas divisés par le nombre d'échantillons : l'entropie est celle des parts, dont la somme est 1.",
    ),
    edited(
        "gan:mode_coverage",
        "shares >= least",
        "shares > least",
        "A class with exactly the part `least` of the samples is left out: at least that part is enough.",
        "Une classe qui a exactement la part `least` des échantillons est exclue : il suffit qu'elle l'atteigne.",
    ),
    edited(
        "gan:mode_coverage",
        "torch.special.entr(shares).sum()",
        "torch.special.entr(shares).sum() / torch.log(torch.tensor(2.0))",
        "The entropy is in bits; it is wanted in nats, with natural logarithms.",
        "L'entropie est en bits ; elle est demandée en nats, avec des logarithmes naturels.",
    ),
    edited(
        "gan:optimal_discriminator",
        "torch.where(p + q > 0",
        "torch.where((p > 0) & (q > 0)",
        "The answer is 1/2 wherever one of them is 0; what only real pictures, or only fakes, can be is known for sure: 1, or 0.",
        "La réponse est 1/2 dès que l'une des deux vaut 0 ; ce que seules les vraies, ou seuls les faux, peuvent être est sûr : 1, ou 0.",
    ),
    edited(
        "gan:expected_value",
        "torch.xlogy(p, d) + torch.xlogy(q, 1 - d)",
        "torch.xlogy(q, d) + torch.xlogy(p, 1 - d)",
        "The two laws are exchanged: p, that of real outcomes, weighs log d, and q, that of fakes, log(1 - d).",
        "Les deux lois sont échangées : p, celle des vraies issues, pondère log d, et q, celle des fausses, log(1 - d).",
    ),
    edited(
        "gan:jensen_shannon",
        "entropy(mixture).sum() - (entropy(p) + entropy(q)).sum() / 2",
        "(torch.xlogy(p, p) - torch.xlogy(p, q) + torch.xlogy(q, q) - torch.xlogy(q, p)).sum() / 2",
        "It compares p and q with each other, and is infinite where one of them is 0; compare each with their mixture.",
        "Elle compare p et q l'une à l'autre, et devient infinie là où l'une est nulle ; comparez chacune à leur mélange.",
    ),
    edited(
        "gan:jensen_shannon",
        "entropy(mixture).sum() - (entropy(p) + entropy(q)).sum() / 2",
        'sum(F.kl_div(law.log(), mixture, reduction="sum") for law in (p, q)) / 2',
        "These are divergences of the mixture from p and q: `F.kl_div(log_b, a)` is KL(a ‖ b), so the mixture comes first, as a logarithm.",
        "Ce sont les divergences du mélange à p et q : `F.kl_div(log_b, a)` est KL(a ‖ b), le mélange vient donc d'abord, en logarithme.",
    ),
    edited(
        "gan:discriminator_loss",
        "-value(real_logits, fake_logits)",
        "F.softplus(-real_logits).mean() + F.softplus(-fake_logits).mean()",
        "The fakes, too, are labelled real, and D learns to say yes to all; their label is 0, and their cost -log(1 - D).",
        "Les faux aussi sont étiquetés vrais, et D apprend à dire oui à tout ; leur étiquette est 0, et leur coût -log(1 - D).",
    ),
    edited(
        "gan:discriminator_loss",
        "-value(real_logits, fake_logits)",
        "torch.cat([F.softplus(-real_logits).flatten(), F.softplus(fake_logits).flatten()]).mean()",
        *ONE_MEAN,
    ),
    edited("gan:discriminator_loss", "-value(real_logits, fake_logits)", "-value(real_logits, fake_logits) / 2", *HALVED),
    edited(
        "gan:hinge_discriminator_loss",
        "F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()",
        "(F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()) / 2",
        *HALVED,
    ),
    edited(
        "gan:hinge_discriminator_loss",
        "F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()",
        "F.relu(1 - real_logits.mean()) + F.relu(1 + fake_logits.mean())",
        *MEAN_TOO_SOON,
    ),
    edited(
        "gan:non_saturating_loss",
        "-F.logsigmoid(fake_logits)",
        "-F.logsigmoid(-fake_logits)",
        "The fakes are labelled fake, which is what D wants of itself; G wants them to be taken for real: label 1, -log D.",
        "Les faux sont étiquetés faux, ce que D attend de lui-même ; G veut qu'on les prenne pour vrais : étiquette 1, -log D.",
    ),
    edited("gan:jensen_shannon", "torch.special.entr", "lambda law: -law * law.log()", *ZERO_TIMES_INFINITY),
    edited("gan:mode_coverage", "torch.special.entr(shares)", "(-shares * shares.log())", *ZERO_TIMES_INFINITY),
    edited(
        "gan:optimal_discriminator",
        "torch.where(p + q > 0, p / (p + q).clamp(min=smallest), 0.5)",
        "p / (p + q)",
        "Where neither ever gives the outcome, p / (p + q) is 0 / 0, not a number; the answer agreed on is 1/2: see `torch.where`.",
        "Là où aucune des deux ne donne l'issue, p / (p + q) vaut 0 / 0, qui n'est pas un nombre ; il faut 1/2 : voyez `torch.where`.",
    ),
]
