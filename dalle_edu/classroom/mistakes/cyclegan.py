"""Mistakes about CycleGAN."""

import torch
from torch import Tensor

from dalle_edu.bricks.cyclegan import HistoryPool
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.classroom.mistakes.gan import MEAN_TOO_SOON


class NeverOld(HistoryPool):
    def __call__(self, fakes: Tensor) -> Tensor:
        self.images = [*self.images, *fakes.detach()][-self.size :]
        return fakes.detach()


class CopiesStay(HistoryPool):
    def __call__(self, fakes: Tensor) -> Tensor:
        shown = []
        for fake in fakes.detach():
            if len(self.images) < self.size:
                self.images.append(fake)
                shown.append(fake)
            elif torch.rand((), generator=self.generator) < 0.5:
                shown.append(self.images[int(torch.randint(self.size, (), generator=self.generator))])
            else:
                shown.append(fake)
        return torch.stack(shown)


NOT_FROZEN = ("requires_grad_(False)", "requires_grad_(True)")
TRANSLATORS_GRADIENTS = (
    "The translators' step leaves gradients in the discriminators, which step along them; freeze them or clear them first.",
    "Le pas des traducteurs laisse aux discriminateurs des gradients qu'ils suivent ensuite ; gelez-les, ou effacez-les d'abord.",
)

MISTAKES = [
    edited(
        "cyclegan:CycleGAN",
        "F.l1_loss(self.to_a(fake_b), a) + F.l1_loss(self.to_b(fake_a), b)",
        "F.l1_loss(self.to_a(fake_b), b) + F.l1_loss(self.to_b(fake_a), a)",
        "The cycle is compared with the other style's picture; a -> b -> a must return the picture a that it began with.",
        "Le cycle est comparé à l'image de l'autre style ; a -> b -> a doit rendre l'image a dont il est parti.",
    ),
    edited(
        "cyclegan:CycleGAN",
        "F.l1_loss(self.to_a(fake_b), a) + F.l1_loss(self.to_b(fake_a), b)",
        "F.l1_loss(self.to_b(fake_b), a) + F.l1_loss(self.to_a(fake_a), b)",
        "The cycle goes the same way twice; the way back is the other translator's.",
        "Le cycle prend deux fois le même chemin ; le retour est l'affaire de l'autre traducteur.",
    ),
    edited(
        "cyclegan:CycleGAN",
        "F.l1_loss(self.to_b(b), b) + F.l1_loss(self.to_a(a), a)",
        "F.l1_loss(fake_b, a) + F.l1_loss(fake_a, b)",
        "Identity is asked of pictures that are to be translated, so that nothing changes; ask it of those already in the style.",
        "L'identité est exigée des images à traduire, et plus rien ne change ; exigez-la de celles qui sont déjà dans le style.",
    ),
    edited(
        "cyclegan:CycleGAN",
        "self.judge_a(fake_a.detach())",
        "self.judge_a(fake_a)",
        "self.judge_b(fake_b.detach())",
        "self.judge_b(fake_b)",
        "The discriminators' loss reaches back into the translators and teaches them to be found out; detach the fakes.",
        "La perte des discriminateurs remonte dans les traducteurs et leur apprend à se faire prendre ; détachez les faux.",
    ),
    edited(
        "cyclegan:cyclegan_step",
        *NOT_FROZEN,
        "    exchange.judges.zero_grad()\n",
        "",
        *TRANSLATORS_GRADIENTS,
    ),
    edited(
        "cyclegan:cyclegan_step",
        *NOT_FROZEN,
        "    exchange.judges.zero_grad()\n",
        "",
        "    exchange.translators.zero_grad()\n",
        "    exchange.translators.zero_grad()\n    exchange.judges.zero_grad()\n",
        *TRANSLATORS_GRADIENTS,
    ),
    Mistake(
        "cyclegan:HistoryPool",
        NeverOld,
        "The pool stores fakes and shows only the newest, so the discriminators forget; once it is full, half must be old.",
        "La réserve ne montre que ses faux les plus récents, et les juges oublient ; quand elle est pleine, montrez une moitié d'anciens.",
    ),
    Mistake(
        "cyclegan:HistoryPool",
        CopiesStay,
        "An old fake is shown but keeps its place, so the pool never changes; the new one must take the place of the old.",
        "Un faux ancien est montré mais garde sa place, et la réserve ne change plus ; le nouveau doit prendre la place de l'ancien.",
    ),
    edited(
        "cyclegan:least_squares_discriminator_loss",
        ") / 2",
        ")",
        "The half is missing: equation 9 of Mao et al. takes half of the sum of both means.",
        "La moitié manque : l'équation 9 de Mao et al. prend la moitié de la somme des deux moyennes.",
    ),
    edited(
        "cyclegan:least_squares_discriminator_loss",
        "(real_logits - 1).square().mean() + fake_logits.square()",
        "real_logits.square().mean() + (fake_logits - 1).square()",
        "The targets are exchanged: the output should be 1 on real pictures and 0 on fakes.",
        "Les cibles sont échangées : la sortie doit valoir 1 sur les vraies images et 0 sur les fausses.",
    ),
    edited(
        "cyclegan:least_squares_discriminator_loss",
        "(real_logits - 1).square().mean() + fake_logits.square().mean()",
        "(real_logits.sigmoid() - 1).square().mean() + fake_logits.sigmoid().square().mean()",
        "A sigmoid comes before the squares, and saturates; least squares take the outputs as they are.",
        "Une sigmoïde précède les carrés, et sature ; les moindres carrés prennent les sorties telles quelles.",
    ),
    edited(
        "cyclegan:least_squares_generator_loss",
        "(fake_logits - 1)",
        "fake_logits",
        "This is the judge's aim, 0 on fakes; the generator wants its fakes to be given 1.",
        "C'est le but du juge, 0 sur les faux ; le générateur veut que ses faux reçoivent 1.",
    ),
    edited(
        "cyclegan:least_squares_generator_loss",
        ".square()",
        ".abs()",
        "The difference from 1 is taken as it is; least squares take its square, which pulls harder from afar.",
        "L'écart à 1 est pris tel quel ; les moindres carrés en prennent le carré, qui tire plus fort de loin.",
    ),
    edited(
        "cyclegan:least_squares_generator_loss",
        "(fake_logits - 1)",
        "(fake_logits.sigmoid() - 1)",
        "A sigmoid comes before the square, and its gradient vanishes where the judge is sure; take the outputs as they are.",
        "Une sigmoïde précède le carré, et son gradient s'éteint là où le juge est sûr ; prenez les sorties telles quelles.",
    ),
    edited(
        "cyclegan:cyclegan_step",
        'exchange.pool_a(parts.pop("fake_a"))',
        'parts.pop("fake_a")',
        'exchange.pool_b(parts.pop("fake_b"))',
        'parts.pop("fake_b")',
        "The judges see the newest fakes only; what they see comes from the pools, which are given the new ones.",
        "Les juges ne voient que les faux du moment ; ce qu'ils voient vient des réserves, auxquelles on donne les nouveaux.",
    ),
    edited(
        "cyclegan:cyclegan_step",
        "    exchange.judges.zero_grad()\n",
        "",
        "The judges' gradients of the step before are not cleared and add to the new ones; call zero_grad before their loss goes back.",
        "Les gradients des juges au pas d'avant ne sont pas effacés et s'ajoutent ; appelez zero_grad avant leur rétropropagation.",
    ),
    edited(
        "cyclegan:HistoryPool",
        "torch.rand((), generator=self.generator) < 0.5",
        "True",
        "Once the pool is full every picture shown is an old one; half of them must be new.",
        "Une fois la réserve pleine, toutes les images montrées sont anciennes ; la moitié doivent être nouvelles.",
    ),
    edited(
        "cyclegan:CycleGAN",
        "LEAST_SQUARES.generator(self.judge_b(fake_b))",
        "LEAST_SQUARES.generator(self.judge_b(fake_a))",
        "LEAST_SQUARES.generator(self.judge_a(fake_a))",
        "LEAST_SQUARES.generator(self.judge_a(fake_b))",
        "Each discriminator judges the fakes of the other style, so that nothing need be translated; `judge_b` judges what `to_b` makes.",
        "Chaque discriminateur juge les faux de l'autre style, et il n'y a plus rien à traduire ; `judge_b` juge ce que fait `to_b`.",
    ),
    edited(
        "cyclegan:CycleGAN",
        '"cycle": cycle,',
        '"cycle": self.config.cycle_weight * cycle,',
        '"identity": identity,',
        '"identity": self.config.identity_weight * identity,',
        "The parts are returned with their weights; they are reported as they are, only `loss` weighs them.",
        "Les parties sont rendues avec leurs poids ; on les donne telles quelles, seule `loss` les pondère.",
    ),
    edited(
        "cyclegan:CycleGAN",
        "self.to_a(fake_b)",
        "self.to_a(fake_b.detach())",
        "self.to_b(fake_a)",
        "self.to_b(fake_a.detach())",
        "The fakes are detached before the way back, and the cycle no longer teaches the way there; detach only what is returned.",
        "Les faux sont détachés avant le retour, et le cycle n'apprend plus rien à l'aller ; ne détachez que ce qui est rendu.",
    ),
    edited(
        "cyclegan:cyclegan_step",
        'exchange.pool_a(parts.pop("fake_a"))',
        'exchange.pool_a(parts.pop("fake_b"))',
        'exchange.pool_b(parts.pop("fake_b"))',
        'exchange.pool_b(parts.pop("fake_a"))',
        "Each pool is given the fakes of the other style, and each discriminator learns on the wrong ones; `fake_a` goes to `pool_a`.",
        "Chaque réserve reçoit les faux de l'autre style, et chaque discriminateur apprend sur les mauvais ; `fake_a` va à `pool_a`.",
    ),
    edited(
        "cyclegan:least_squares_discriminator_loss",
        "((real_logits - 1).square().mean() + fake_logits.square().mean()) / 2",
        "(real_logits - 1).square().mean() + fake_logits.square().mean() / 2",
        "Only the fakes' mean is halved: a division comes before a sum; put the sum in parentheses.",
        "Seule la moyenne des faux est divisée par deux : une division passe avant une somme ; mettez la somme entre parenthèses.",
    ),
    edited(
        "cyclegan:least_squares_generator_loss",
        "(fake_logits - 1).square().mean()",
        "(fake_logits - 1).square().mean() / 2",
        "It is halved, as the discriminator's is, which adds up two means; the generator's has one, and is whole.",
        "Elle est divisée par deux, comme celle du discriminateur, qui additionne deux moyennes ; celle-ci n'en a qu'une, entière.",
    ),
    edited(
        "cyclegan:least_squares_generator_loss",
        "(fake_logits - 1).square().mean()",
        "(fake_logits.mean() - 1).square()",
        *MEAN_TOO_SOON,
    ),
    edited(
        "cyclegan:HistoryPool",
        "fakes.detach()",
        "fakes",
        "What the pool keeps holds the graph of the translator that made it, batch after batch in memory; detach the fakes first.",
        "Ce que la réserve garde retient le graphe du traducteur qui l'a fait, lot après lot en mémoire ; détachez d'abord les faux.",
    ),
]
