"""Mistakes about the diffusion process."""

from collections.abc import Callable

import torch
from torch import Tensor

from dalle_edu.bricks import diffusion
from dalle_edu.bricks.noise_schedule import NoiseSchedule, beside
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def alpha_instead_of_its_product(x0: Tensor, noise: Tensor, t: Tensor, schedule: NoiseSchedule) -> Tensor:
    alpha = beside((1 - schedule.betas)[t], x0).to(x0)
    return alpha.sqrt() * x0 + (1 - alpha).sqrt() * noise


def v_with_the_wrong_sign(x0: Tensor, noise: Tensor, t: Tensor, schedule: NoiseSchedule, target: str) -> Tensor:
    if target != "v":
        return diffusion.training_target(x0, noise, t, schedule, target)
    return -diffusion.training_target(x0, noise, t, schedule, "v")


def picture_not_divided_by_its_rate(
    prediction: Tensor, x_t: Tensor, t: Tensor, schedule: NoiseSchedule, target: str
) -> tuple[Tensor, Tensor]:
    if target != "eps":
        return diffusion.picture_and_noise(prediction, x_t, t, schedule, target)
    return x_t - schedule.rates(t, x_t)[1] * prediction, prediction


def one_timestep_for_the_whole_batch(
    network: Callable[..., Tensor],
    x0: Tensor,
    schedule: NoiseSchedule,
    target: str = "v",
    weights: Tensor | None = None,
    generator: torch.Generator | None = None,
    **conditions: Tensor,
) -> Tensor:
    t = torch.randint(len(schedule), (1,), generator=generator).expand(len(x0))
    noise = torch.empty_like(x0).normal_(generator=generator)
    prediction = network(diffusion.add_noise(x0, noise, t, schedule), t, **conditions)
    error = (prediction - diffusion.training_target(x0, noise, t, schedule, target)).square().flatten(1).mean(dim=1)
    return error.mean() if weights is None else (weights[t] * error).mean()


def level_not_told(low: Tensor, resolution: int, t: Tensor, schedule: NoiseSchedule, generator: torch.Generator | None = None) -> Tensor:
    told = diffusion.low_resolution_condition(low, resolution, t, schedule, generator)
    return torch.cat([told[:, :-1], torch.zeros_like(told[:, -1:])], dim=1)


AS_PREDICTED = (
    "The prediction is returned as it is; it may be noise or v, and is to be turned into the picture first.",
    "La prédiction est rendue telle quelle ; ce peut être le bruit ou v, et il faut d'abord en tirer l'image.",
)

MISTAKES = [
    Mistake(
        "diffusion:add_noise",
        alpha_instead_of_its_product,
        "The signal left at t is taken from that step's alpha alone; it is the product of all alphas so far.",
        "Le signal qui reste à t est tiré du seul alpha de ce pas ; c'est le produit de tous les alphas jusque-là.",
    ),
    edited(
        "diffusion:add_noise",
        "signal_rate * x0 + noise_rate * noise",
        "signal_rate**2 * x0 + noise_rate**2 * noise",
        "The product of the alphas is a variance: multiply the picture by its square root, and the noise by that of its complement to 1.",
        "Le produit des alphas est une variance : multipliez l'image par sa racine carrée, et le bruit par celle du complément à 1.",
    ),
    Mistake(
        "diffusion:training_target",
        v_with_the_wrong_sign,
        "The sign of v is turned round: v is signal rate × noise minus noise rate × picture, and samplers count on it.",
        "Le signe de v est renversé : v vaut taux de signal × bruit moins taux de bruit × image, et les échantillonneurs s'y fient.",
    ),
    Mistake(
        "diffusion:picture_and_noise",
        picture_not_divided_by_its_rate,
        "The noise is taken away but the picture is still faint: divide what is left by the signal rate.",
        "Le bruit est ôté mais l'image reste affaiblie : divisez ce qui reste par le taux de signal.",
    ),
    Mistake(
        "diffusion:diffusion_loss",
        one_timestep_for_the_whole_batch,
        "All pictures of the batch get the same timestep, so the gradient jumps from batch to batch; draw one for each.",
        "Toutes les images du lot reçoivent le même instant et le gradient saute d'un lot à l'autre ; tirez-en un pour chacune.",
    ),
    edited(
        "diffusion:dynamic_threshold",
        "x0.clamp(-largest, largest) / largest",
        "x0 / largest",
        "The picture is divided by the threshold but not clipped to it first: the brightest pixels still leave [-1, 1].",
        "L'image est divisée par le seuil sans y avoir été bornée : les pixels les plus vifs sortent encore de [-1, 1].",
    ),
    edited(
        "diffusion:dynamic_threshold",
        ".clamp(min=1)",
        "",
        "The threshold may fall below 1: pictures that were in range already are stretched; take at least 1.",
        "Le seuil peut descendre sous 1 : des images qui étaient déjà dans les bornes sont étirées ; prenez au moins 1.",
    ),
    edited(
        "inpainting:inpainting",
        "torch.where(mask,",
        "torch.where(~mask,",
        "The mask is read the other way round, and the known region is painted over: True says what is kept.",
        "Le masque est lu à l'envers et la région connue est repeinte : True dit ce que l'on garde.",
    ),
    edited(
        "inpainting:inpainting",
        "return torch.where(mask, known, denoise(noisy, t))",
        "return denoise(noisy, t)",
        "The network's answer is kept inside the mask too, where the truth is known: put the known picture back into the answer.",
        "La réponse du réseau est gardée même dans le masque, où la vérité est connue : remettez-y l'image connue.",
    ),
    edited(
        "inpainting:inpainting",
        "add_noise(known, eps, t, schedule)",
        "known",
        "The known region goes in without noise, which the network never saw beside noise; bring it to the level of the step.",
        "La région connue entre sans bruit, ce que le réseau n'a jamais vu à côté du bruit ; portez-la au niveau du pas.",
    ),
    Mistake(
        "diffusion:low_resolution_condition",
        level_not_told,
        "The small picture is noised but the network is not told how much; give it the level in a channel of its own.",
        "La petite image est bruitée mais le réseau ignore de combien ; donnez-lui le niveau dans un canal à part.",
    ),
    edited(
        "diffusion:add_noise",
        "signal_rate, noise_rate = schedule",
        "noise_rate, signal_rate = schedule",
        "The two rates are exchanged: `rates` gives that of the signal first, and early timesteps must be nearly clean.",
        "Les deux taux sont échangés : `rates` donne d'abord celui du signal, et les premiers instants doivent être presque nets.",
    ),
    edited(
        "diffusion:add_noise",
        "noise_rate * noise",
        "(1 - signal_rate) * noise",
        "The rates are made to add up to 1; it is their squares that do, so that the variance stays 1.",
        "Les taux ont ici pour somme 1 ; ce sont leurs carrés qui l'ont, pour que la variance reste 1.",
    ),
    edited(
        "diffusion:training_target",
        "signal_rate * noise - noise_rate * x0",
        "noise_rate * noise - signal_rate * x0",
        "The rates of v are exchanged: the noise is multiplied by the signal rate, the picture by the noise rate.",
        "Les taux de v sont échangés : le bruit est multiplié par le taux de signal, l'image par le taux de bruit.",
    ),
    edited(
        "diffusion:training_target",
        "signal_rate * noise - noise_rate * x0",
        "noise - x0",
        "This, noise - x0, is the velocity of flow matching; v weighs each of them by the other's rate.",
        "Ceci, noise - x0, est la vitesse du flow matching ; v pondère chacun des deux par le taux de l'autre.",
    ),
    edited(
        "diffusion:picture_and_noise",
        "(x_t - signal_rate * prediction) / noise_rate",
        "x_t - signal_rate * prediction",
        "What is left of x_t without the picture is the noise times its rate: divide by the noise rate.",
        "Ce qui reste de x_t sans l'image est le bruit fois son taux : divisez par le taux de bruit.",
    ),
    edited(
        "diffusion:picture_and_noise",
        "x0 = signal_rate * x_t - noise_rate * prediction",
        "x0 = signal_rate * x_t + noise_rate * prediction",
        "The sign is wrong for v: the picture is signal rate × x_t minus noise rate × v.",
        "Le signe est faux pour v : l'image vaut taux de signal × x_t moins taux de bruit × v.",
    ),
    edited(
        "diffusion:diffusion_loss",
        ".mean(dim=1)",
        ".sum(dim=1)",
        "The squared errors of a picture are added up, so that the loss grows with its size: take their mean.",
        "Les erreurs au carré d'une image sont additionnées, et la perte grandit avec sa taille : prenez-en la moyenne.",
    ),
    edited(
        "diffusion:diffusion_loss",
        "schedule), t, **conditions)",
        "schedule), t)",
        "The conditions never reach the network, which then cannot learn what it is asked for; hand them on.",
        "Les conditions n'arrivent jamais au réseau, qui ne peut apprendre ce qu'on lui demande ; transmettez-les.",
    ),
    edited(
        "diffusion:diffusion_loss",
        "training_target(x0, noise, t, schedule, target)",
        'training_target(x0, noise, t, schedule, "eps")',
        "The prediction is always compared with the noise; compare it with the target that is asked for.",
        "La prédiction est toujours comparée au bruit ; comparez-la à la cible demandée.",
    ),
    edited(
        "diffusion:denoiser",
        "x0, _ = picture_and_noise",
        "_, x0 = picture_and_noise",
        "It returns the noise that the prediction implies; a denoiser returns the clean picture.",
        "Elle rend le bruit que la prédiction implique ; un débruiteur rend l'image nette.",
    ),
    edited(
        "diffusion:denoiser",
        "return x0 if clip is None else clip(x0)",
        "return x0",
        "The argument `clip` is ignored; where it is given, the estimate goes through it before it is returned.",
        "L'argument `clip` est ignoré ; quand il est donné, l'estimation y passe avant d'être rendue.",
    ),
    edited(
        "diffusion:denoiser",
        "network(x_t, t), x_t, t, schedule, target)\n        return x0 if clip is None else clip(x0)",
        "network(x_t, t) if clip is None else clip(network(x_t, t)), x_t, t, schedule, target)\n        return x0",
        "The network's prediction is clipped; what has a range is the picture that it implies: clip that.",
        "C'est la prédiction du réseau qui est bornée ; ce qui a des bornes est l'image qu'elle implique : bornez celle-ci.",
    ),
    edited(
        "diffusion:denoiser",
        "return x0 if clip is None else clip(x0)",
        "return network(x_t, t)",
        *AS_PREDICTED,
    ),
    edited(
        "diffusion:denoiser",
        "x0, _ = picture_and_noise(network(x_t, t), x_t, t, schedule, target)",
        "x0 = network(x_t, t)",
        *AS_PREDICTED,
    ),
    edited(
        "diffusion:dynamic_threshold",
        "percentile, dim=1)",
        "percentile).repeat(len(x0))",
        "One threshold serves the whole batch, so that a picture depends on its neighbours; each picture has its own.",
        "Un seul seuil sert à tout le lot, et une image dépend de ses voisines ; chaque image a le sien.",
    ),
    edited(
        "diffusion:dynamic_threshold",
        "x0.clamp(-largest, largest) / largest",
        "x0.clamp(-1, 1)",
        "This is the plain clip to [-1, 1], which flattens all that is beyond; clip at the threshold, then divide by it.",
        "C'est le bornage simple à [-1, 1], qui aplatit tout ce qui dépasse ; bornez au seuil, puis divisez par lui.",
    ),
    edited(
        "diffusion:picture_and_noise",
        "signal_rate * x_t - noise_rate * prediction",
        "signal_rate * x_t + noise_rate * prediction",
        "noise_rate * x_t + signal_rate * prediction",
        "noise_rate * x_t - signal_rate * prediction",
        "Both signs are wrong for v, as if v were picture less noise: v is signal rate × noise minus noise rate × picture.",
        "Les deux signes sont faux pour v, comme s'il valait image moins bruit : c'est taux de signal × bruit moins taux de bruit × image.",
    ),
    edited(
        "diffusion:picture_and_noise",
        'if target == "eps":',
        'if target != "x0":',
        "A prediction of v is taken for the noise; v mixes picture and noise, and has two formulas of its own.",
        "Une prédiction de v est prise pour le bruit ; v mêle image et bruit, et a deux formules à elle.",
    ),
    edited(
        "diffusion:diffusion_loss",
        "(weights.to(error)[t] * error).mean()",
        "(weights.to(error)[t] * error).sum() / weights.to(error)[t].sum()",
        "It is divided by the sum of the weights that were met, so that doubling all changes nothing; take the mean over pictures.",
        "Elle est divisée par la somme des poids rencontrés, et les doubler tous ne change rien ; prenez la moyenne sur les images.",
    ),
    edited(
        "diffusion:dynamic_threshold",
        "x0.reshape(len(x0), -1).abs()",
        "x0.reshape(len(x0), -1)",
        "The percentile is that of the numbers with their signs, and the very dark is not seen to be out of range; take absolute values.",
        "Le percentile porte sur les nombres avec leur signe, et le très sombre ne compte pas ; prenez d'abord les valeurs absolues.",
    ),
    edited(
        "inpainting:inpainting",
        "torch.where(mask, add_noise(known, eps, t, schedule), x_t)",
        "x_t",
        "The known region is put into the estimate alone: the denoiser never sees it, and paints the rest without regard to it.",
        "La région connue n'est mise que dans l'estimation : le débruiteur ne la voit jamais, et peint le reste sans en tenir compte.",
    ),
    edited(
        "inpainting:inpainting",
        "    def denoise_around",
        "    once = torch.empty_like(known).normal_(generator=generator) if noise is None else noise\n\n    def denoise_around",
        "            eps = torch.empty_like(known).normal_(generator=generator)\n",
        "            eps = once\n",
        "One noise serves all steps; unless `noise` is given, the known region gets new noise each time the denoiser is called.",
        "Un même bruit sert à tous les pas ; sauf si `noise` est donné, la région connue reçoit un bruit nouveau à chaque appel.",
    ),
]
