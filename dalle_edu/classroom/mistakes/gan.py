"""Mistakes about GANs."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.dcgan import Discriminator, PatchDiscriminator
from dalle_edu.bricks.gan import Game, discriminator_step, generator_step
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


def fake_not_detached(game: Game, real: Tensor, noise: Tensor, labels: Tensor | None = None) -> Tensor:
    given = () if labels is None else (labels,)
    fake = game.generator(noise, *given)
    loss = game.losses.discriminator(game.discriminator(real, *given), game.discriminator(fake, *given))
    game.discriminator_optimizer.zero_grad()
    loss.backward()
    game.discriminator_optimizer.step()
    return loss.detach()


def real_and_fake_in_one_batch(game: Game, real: Tensor, noise: Tensor, labels: Tensor | None = None) -> Tensor:
    given = () if labels is None else (labels,)
    fake = game.generator(noise, *given).detach()
    both = () if labels is None else (torch.cat([labels, labels]),)
    real_logits, fake_logits = game.discriminator(torch.cat([real, fake]), *both).chunk(2)
    loss = game.losses.discriminator(real_logits, fake_logits)
    game.discriminator_optimizer.zero_grad()
    loss.backward()
    game.discriminator_optimizer.step()
    return loss.detach()


def discriminator_not_frozen(game: Game, noise: Tensor, labels: Tensor | None = None) -> Tensor:
    given = () if labels is None else (labels,)
    loss = game.losses.generator(game.discriminator(game.generator(noise, *given), *given))
    game.generator_optimizer.zero_grad()
    loss.backward()
    game.generator_optimizer.step()
    game.discriminator_optimizer.step()
    return loss.detach()


def gradients_left_over(
    game: Game, draw_real: Callable, draw_noise: Callable, rounds: int, k: int = 1, callback: Callable | None = None
) -> None:
    for turn in range(rounds):
        for _ in range(k):
            real, labels = draw_real()
            given = () if labels is None else (labels,)
            fake = game.generator(draw_noise(), *given).detach()
            d_loss = game.losses.discriminator(game.discriminator(real, *given), game.discriminator(fake, *given))
            d_loss.backward()
            game.discriminator_optimizer.step()
        g_loss = generator_step(game, draw_noise(), labels)
        if callback is not None:
            callback(turn, d_loss.detach(), g_loss)


def one_noise_for_the_whole_round(
    game: Game, draw_real: Callable, draw_noise: Callable, rounds: int, k: int = 1, callback: Callable | None = None
) -> None:
    for turn in range(rounds):
        noise = draw_noise()
        for _ in range(k):
            real, labels = draw_real()
            d_loss = discriminator_step(game, real, noise, labels)
        g_loss = generator_step(game, noise, labels)
        if callback is not None:
            callback(turn, d_loss, g_loss)


class HalvesToTheEnd(PatchDiscriminator):
    def __init__(self, channels: int = 3, width: int = 64, layers: int = 3, norm: type = torch.nn.BatchNorm2d):
        super().__init__(channels, width, layers, norm)
        for module in self.judge:
            if isinstance(module, torch.nn.Conv2d):
                module.stride = (2, 2)


class ClassWithoutPicture(Discriminator):
    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        assert self.embedding is not None
        logits = self.judge(self.look(images)).squeeze(1)
        return logits + self.embedding(labels).sum(dim=1)


class ClassTermAveraged(Discriminator):
    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        assert self.embedding is not None
        features = self.look(images)
        return self.judge(features).squeeze(1) + (self.embedding(labels) * features).mean(dim=1)


def seen_once_is_kept(classes: Tensor, num_classes: int, least: float = 0.01) -> tuple[int, float]:
    counts = classes.bincount(minlength=num_classes)
    return int((counts > 0).sum()), float(torch.special.entr(counts / len(classes)).sum())


MISTAKES = [
    Mistake(
        "gan:optimal_discriminator",
        generators_share,
        "This is the share of the fakes; the discriminator says how likely a picture is to be real: p / (p + q).",
        "C'est la part des faux ; le discriminateur dit à quel point une image a des chances d'être vraie : p / (p + q).",
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
    Mistake(
        "gan:hinge_discriminator_loss",
        margin_forgotten,
        "The margin is missing: logits of the right sign already cost nothing, and 0 for everything is a perfect score.",
        "La marge manque : un logit du bon signe ne coûte déjà plus rien, et répondre 0 à tout donne une perte nulle.",
    ),
    Mistake(
        "gan:discriminator_step",
        fake_not_detached,
        "The fakes keep their graph, so the discriminator's loss leaves gradients in the generator; draw them without gradient.",
        "Les faux gardent leur graphe : la perte du discriminateur laisse des gradients dans le générateur ; produisez-les sans gradient.",
    ),
    Mistake(
        "gan:discriminator_step",
        real_and_fake_in_one_batch,
        "Real and fake share one batch, and batch normalisation mixes their statistics; pass them through the discriminator apart.",
        "Vraies et fausses images partagent un lot, et la normalisation par lot mêle leurs statistiques ; passez-les séparément.",
    ),
    Mistake(
        "gan:generator_step",
        discriminator_not_frozen,
        "The discriminator keeps the gradients of the generator's loss and steps along them, towards being fooled; freeze it here.",
        "Le discriminateur garde les gradients de la perte du générateur et les suit, vers l'erreur ; gelez-le pendant ce pas.",
    ),
    Mistake(
        "gan:algorithm_1",
        gradients_left_over,
        "Gradients of the step before are never cleared and add up; call zero_grad before each backward pass.",
        "Les gradients du pas précédent ne sont jamais effacés et s'ajoutent ; appelez zero_grad avant chaque rétropropagation.",
    ),
    Mistake(
        "gan:algorithm_1",
        one_noise_for_the_whole_round,
        "One batch of noise serves the whole round; each of the k steps and the generator's own draw theirs afresh.",
        "Un seul lot de bruit sert pour tout le tour ; chacun des k pas, et celui du générateur, en tire un nouveau.",
    ),
    Mistake(
        "dcgan:Discriminator",
        ClassWithoutPicture,
        "The class shifts the logit whatever the picture shows; its vector must be multiplied with the picture's features.",
        "La classe décale le logit quoi que montre l'image ; son vecteur doit être multiplié par les traits de l'image.",
    ),
    Mistake(
        "dcgan:Discriminator",
        ClassTermAveraged,
        "The product of the class's vector and the features is averaged, not summed: the more features, the less the class counts.",
        "Le produit du vecteur de la classe et des traits est moyenné et non sommé : plus il y a de traits, moins la classe compte.",
    ),
    Mistake(
        "dcgan:PatchDiscriminator",
        HalvesToTheEnd,
        "Every convolution halves, so that patches are too large and too few; the last two have stride 1.",
        "Chaque convolution divise par deux : les morceaux sont trop grands et trop peu nombreux ; les deux dernières ont un pas de 1.",
    ),
    Mistake(
        "gan:mode_coverage",
        seen_once_is_kept,
        "One sample out of a thousand counts as a mode kept; a class is present when a sizeable part of the samples falls in it.",
        "Un échantillon sur mille suffit pour qu'un mode compte ; une classe est présente si une part notable des échantillons y tombe.",
    ),
]
