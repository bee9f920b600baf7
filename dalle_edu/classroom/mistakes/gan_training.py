"""Mistakes about the moves of a GAN's two players."""

from collections.abc import Callable

import torch
from torch import Tensor

from dalle_edu.bricks.gan import Game, discriminator_step, generator_step
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


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


MISTAKES = [
    Mistake(
        "gan:discriminator_step",
        fake_not_detached,
        "The fakes keep their graph, so the discriminator's loss leaves gradients in the generator; make them without gradient.",
        "Les faux gardent leur graphe : la perte du discriminateur laisse des gradients dans le générateur ; produisez-les sans gradient.",
    ),
    Mistake(
        "gan:discriminator_step",
        real_and_fake_in_one_batch,
        "Real and fake share one batch, and batch normalisation mixes their statistics; pass them through the discriminator apart.",
        "Vraies et fausses images partagent un lot, et la normalisation par lot mêle leurs statistiques ; passez-les séparément.",
    ),
    edited(
        "gan:discriminator_step",
        "    game.discriminator_optimizer.zero_grad()\n",
        "",
        "The gradients left by the move before are not cleared and add to these; call the optimiser's zero_grad first.",
        "Les gradients laissés par le coup d'avant ne sont pas effacés et s'ajoutent ; appelez d'abord zero_grad.",
    ),
    edited(
        "gan:discriminator_step",
        "discriminator(real_logits, fake_logits)",
        "discriminator(fake_logits, real_logits)",
        "The loss is given the fakes first; it takes the logits of real pictures, then those of fakes.",
        "La perte reçoit d'abord les faux ; elle prend les logits des vraies images, puis ceux des fausses.",
    ),
    Mistake(
        "gan:generator_step",
        discriminator_not_frozen,
        "The discriminator keeps the gradients of the generator's loss and steps along them, towards being fooled; freeze it here.",
        "Le discriminateur garde les gradients de la perte du générateur et les suit, vers l'erreur ; gelez-le pendant ce pas.",
    ),
    edited(
        "gan:generator_step",
        "    game.discriminator.requires_grad_(True)\n",
        "",
        "The discriminator stays frozen after the generator's move, and never learns again; unfreeze it once the loss is computed.",
        "Le discriminateur reste gelé après le coup du générateur et n'apprend plus ; rendez-lui ses gradients une fois la perte calculée.",
    ),
    edited(
        "gan:generator_step",
        "    game.generator_optimizer.zero_grad()\n",
        "",
        "The generator's old gradients are not cleared and add to the new ones; call its optimiser's zero_grad before backward.",
        "Les anciens gradients du générateur ne sont pas effacés et s'ajoutent ; appelez zero_grad avant la rétropropagation.",
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
    edited(
        "gan:algorithm_1",
        "        g_loss = generator_step",
        "            g_loss = generator_step",
        "The generator moves after every step of the discriminator; it moves once a round, after all k of them.",
        "Le générateur joue après chaque pas du discriminateur ; il joue une fois par tour, après les k pas.",
    ),
    edited(
        "gan:algorithm_1",
        "        for _ in range(k):\n            real, labels = draw_real()\n",
        "        real, labels = draw_real()\n        for _ in range(k):\n",
        "The k steps of a round all see one batch of real pictures; each of them samples its own.",
        "Les k pas d'un tour voient tous le même lot de vraies images ; chacun tire le sien.",
    ),
    edited(
        "gan:generator_step",
        "    game.discriminator.requires_grad_(False)\n",
        "",
        "The discriminator keeps the gradients of the generator's loss, and whoever steps next may follow them; freeze it here.",
        "Le discriminateur garde les gradients de la perte du générateur, que le pas suivant peut suivre ; gelez-le pendant ce pas.",
    ),
    edited(
        "gan:algorithm_1",
        "generator_step(game, draw_noise(), labels)",
        "generator_step(game, draw_noise())",
        "The generator is not told the classes, and draws anything; give it the labels of the last batch.",
        "Le générateur ignore les classes, et dessine n'importe quoi ; donnez-lui les étiquettes du dernier lot.",
    ),
]
