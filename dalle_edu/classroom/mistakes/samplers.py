"""Mistakes about samplers."""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.bricks.samplers import Step, spaced_timesteps
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def spaced_from_zero_up(schedule: NoiseSchedule, steps: int) -> list[int]:
    return [t * (len(schedule) // steps) for t in reversed(range(steps))]


def _ancestral(denoise: Any, x: Tensor, schedule: NoiseSchedule, steps: int, generator: Any, callback: Any, **wrong: bool) -> Tensor:
    """DDPM with one of its classic faults."""
    path = spaced_timesteps(schedule, steps)
    for index, (t, before) in enumerate(pairwise([*path, -1])):
        asked = max(t - 1, 0) if wrong.get("one_too_low") else t
        x0 = denoise(x, torch.full((len(x),), asked))
        if callback is not None:
            callback(Step(index, steps, t, x, x0))
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        beta = float(schedule.betas[t]) if wrong.get("one_step_beta") else 1 - now / then
        x = (math.sqrt(then) * beta * x0 + math.sqrt(1 - beta) * (1 - then) * x) / (1 - now)
        variance = beta * (1 - then) / (1 - now)
        if before < 0 and wrong.get("noise_at_the_end"):
            variance = beta
        spread = variance if wrong.get("variance_as_deviation") else math.sqrt(variance)
        x = x + spread * torch.empty_like(x).normal_(generator=generator)
    return x


def noise_at_the_last_step(
    denoise: Any, noise: Tensor, schedule: NoiseSchedule, steps: int = 50, generator: Any = None, callback: Any = None
) -> Tensor:
    return _ancestral(denoise, noise, schedule, steps, generator, callback, noise_at_the_end=True)


def timestep_off_by_one(
    denoise: Any, noise: Tensor, schedule: NoiseSchedule, steps: int = 50, generator: Any = None, callback: Any = None
) -> Tensor:
    return _ancestral(denoise, noise, schedule, steps, generator, callback, one_too_low=True)


def beta_of_a_single_timestep(
    denoise: Any, noise: Tensor, schedule: NoiseSchedule, steps: int = 50, generator: Any = None, callback: Any = None
) -> Tensor:
    return _ancestral(denoise, noise, schedule, steps, generator, callback, one_step_beta=True)


def variance_taken_for_deviation(
    denoise: Any, noise: Tensor, schedule: NoiseSchedule, steps: int = 50, generator: Any = None, callback: Any = None
) -> Tensor:
    return _ancestral(denoise, noise, schedule, steps, generator, callback, variance_as_deviation=True)


def fresh_noise_on_top(
    denoise: Any, noise: Tensor, schedule: NoiseSchedule, steps: int = 50, generator: Any = None, callback: Any = None, eta: float = 0.0
) -> Tensor:
    x = noise
    for index, (t, before) in enumerate(pairwise([*spaced_timesteps(schedule, steps), -1])):
        x0 = denoise(x, torch.full((len(x),), t))
        if callback is not None:
            callback(Step(index, steps, t, x, x0))
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        eps = (x - math.sqrt(now) * x0) / math.sqrt(1 - now)
        fresh = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
        x = math.sqrt(then) * x0 + math.sqrt(1 - then) * eps + fresh * torch.empty_like(x).normal_(generator=generator)
    return x


def expects_the_answer_to_turn_back(
    denoise: Any, noise: Tensor, schedule: NoiseSchedule, steps: int = 20, generator: Any = None, callback: Any = None
) -> Tensor:
    x, path, earlier = noise, spaced_timesteps(schedule, steps), None
    for index, (t, before) in enumerate(pairwise([*path, -1])):
        x0 = denoise(x, torch.full((len(x),), t))
        if callback is not None:
            callback(Step(index, steps, t, x, x0))
        if before < 0:
            break
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        stride = (math.log(then / (1 - then)) - math.log(now / (1 - now))) / 2
        expected = x0 if earlier is None else x0 + stride / (2 * earlier[1]) * (earlier[0] - x0)
        x = math.sqrt((1 - then) / (1 - now)) * x - math.sqrt(then) * math.expm1(-stride) * expected
        earlier = x0, stride
    return x0


MISTAKES = [
    Mistake(
        "samplers:spaced_timesteps",
        spaced_from_zero_up,
        "The timesteps never reach the last one: sampling starts with pure noise where the network expects a trace of picture.",
        "Les instants n'atteignent jamais le dernier : on part de bruit pur là où le réseau attend une trace d'image.",
    ),
    Mistake(
        "samplers:ddpm",
        noise_at_the_last_step,
        "The last step adds noise too, and the finished picture stays grainy; return the mean there.",
        "Le dernier pas ajoute encore du bruit et l'image finie reste granuleuse ; rendez-y la moyenne.",
    ),
    Mistake(
        "samplers:ddpm",
        timestep_off_by_one,
        "The network is told the timestep before: it leaves noise in the picture at each step; ask at the t of x_t.",
        "On donne au réseau l'instant d'avant : il laisse du bruit à chaque pas ; interrogez-le au t de x_t.",
    ),
    Mistake(
        "samplers:ddpm",
        beta_of_a_single_timestep,
        "A step that skips timesteps uses the beta of one: take 1 - alpha_bar(t) / alpha_bar(before), all the noise in between.",
        "Un pas qui saute des instants prend le bêta d'un seul ; il faut 1 - alpha_bar(t) / alpha_bar(avant), tout le bruit entre eux.",
    ),
    Mistake(
        "samplers:ddpm",
        variance_taken_for_deviation,
        "The fresh noise is multiplied by the variance; it wants its square root, the standard deviation.",
        "Le bruit nouveau est multiplié par la variance ; il lui faut sa racine carrée, l'écart-type.",
    ),
    Mistake(
        "samplers:ddim",
        fresh_noise_on_top,
        "Fresh noise comes on top of all the old: the picture is noisier than its timestep; make room for it under the root.",
        "Le bruit nouveau s'ajoute à tout l'ancien : l'image est plus bruitée que son instant ; faites-lui place sous la racine.",
    ),
    Mistake(
        "samplers:dpm_solver",
        expects_the_answer_to_turn_back,
        "The two last answers are subtracted the wrong way round: the solver must go on in the direction they took, not back.",
        "Les deux dernières réponses sont soustraites à l'envers : le solveur doit continuer dans leur sens, non revenir.",
    ),
    edited(
        "samplers:spaced_timesteps",
        ") - 1 for",
        ") for",
        "They begin at T, which is none: timesteps go from 0 to T - 1.",
        "Ils commencent à T, qui n'existe pas : les instants vont de 0 à T - 1.",
    ),
    edited(
        "samplers:spaced_timesteps",
        "for step in range(steps)]",
        "for step in reversed(range(steps))]",
        "They go upwards; a sampler begins with pure noise and goes down.",
        "Ils vont en montant ; un échantillonneur part du bruit pur et descend.",
    ),
    edited(
        "samplers:spaced_timesteps",
        "round(len(schedule) * (1 - step / steps)) - 1",
        "round((len(schedule) - 1) * (1 - step / max(1, steps - 1)))",
        "The last one is 0, where hardly any noise is left, so that a step is wasted; the T timesteps are cut in equal parts instead.",
        "Le dernier est 0, où il n'y a presque plus de bruit : un pas est perdu ; partagez les T instants en parts égales.",
    ),
    edited(
        "samplers:ddim",
        "(x - math.sqrt(now) * x0) / math.sqrt(1 - now)",
        "x - math.sqrt(now) * x0",
        "What the estimate leaves of x is the noise times its rate; divide by that rate before mixing it again.",
        "Ce que l'estimation laisse de x est le bruit fois son taux ; divisez par ce taux avant de le mélanger de nouveau.",
    ),
    edited(
        "samplers:ddim",
        "math.sqrt(then) * x0 + math.sqrt(1 - then - fresh**2)",
        "math.sqrt(now) * x0 + math.sqrt(1 - now)",
        "Picture and noise are mixed at the level that they had: nothing changes; take the level of the next timestep.",
        "Image et bruit sont mêlés au niveau qu'ils avaient : rien ne change ; prenez le niveau de l'instant suivant.",
    ),
    edited(
        "samplers:ddim",
        "fresh = eta * ",
        "fresh = 0 * ",
        "The argument `eta` is ignored; it says how much fresh noise a step adds, from none to that of DDPM.",
        "L'argument `eta` est ignoré ; il dit combien de bruit nouveau un pas ajoute, de rien jusqu'à celui de DDPM.",
    ),
    edited(
        "samplers:dpm_solver",
        "earlier = x0, stride",
        "earlier = None",
        "The answer before is never kept, so that each step is DDIM's; remember it, and go on changing as it did.",
        "La réponse d'avant n'est jamais gardée, et chaque pas est celui de DDIM ; retenez-la, et prolongez le changement.",
    ),
    edited(
        "samplers:dpm_solver",
        "earlier = x0, stride",
        "earlier = expected, stride",
        "The mix D is kept as the answer before; keep x_0 itself, as the network gave it.",
        "C'est le mélange D qui est gardé pour réponse d'avant ; gardez x_0 même, tel que le réseau l'a donné.",
    ),
    edited(
        "samplers:dpm_solver",
        "stride / (2 * earlier[1])",
        "earlier[1] / (2 * stride)",
        "The ratio of the strides is turned over: a longer step goes further in the direction that the answers took.",
        "Le rapport des enjambées est renversé : un pas plus long va plus loin dans la direction que prennent les réponses.",
    ),
    edited(
        "samplers:dpm_solver",
        " - math.log(now / (1 - now))) / 2",
        " - math.log(now / (1 - now)))",
        "Time is the logarithm of signal over noise, as rates; this is that of their variances, twice as much.",
        "Le temps est le logarithme du rapport des taux, signal sur bruit ; c'est ici celui des variances, deux fois plus grand.",
    ),
    edited(
        "samplers:ddpm",
        "math.sqrt(beta * (1 - then) / (1 - now))",
        "math.sqrt(beta)",
        "The fresh noise has the larger of the paper's two variances, beta; the smaller one is beta × (1 - then) / (1 - now).",
        "Le bruit nouveau a la plus grande des deux variances de l'article, bêta ; la plus petite est bêta × (1 - après) / (1 - ici).",
    ),
    edited(
        "samplers:ddpm",
        "schedule.alpha_bar(before)",
        "schedule.alpha_bar(t - 1)",
        "Each step goes to t - 1 only, though the path leaps over many timesteps; take the alpha_bar of the next one of the path.",
        "Chaque pas ne va qu'à t - 1, alors que le chemin saute bien des instants ; prenez l'alpha_bar du prochain instant du chemin.",
    ),
    edited(
        "samplers:dpm_solver",
        "return estimate_x0(denoise, x, path, len(path) - 1, callback)",
        "x0 = estimate_x0(denoise, x, path, len(path) - 1, callback)\n    return x0 if earlier is None else x0 + 0.5 * (x0 - earlier[0])",
        "The last step still looks ahead of its estimate; it goes to an infinite time, where only the estimate is left: return that.",
        "Le dernier pas prolonge encore son estimation ; il va jusqu'à un temps infini, où il ne reste qu'elle : rendez-la telle quelle.",
    ),
    edited(
        "samplers:ddim",
        "schedule.alpha_bar(before)",
        "schedule.alpha_bar(max(before, 0))",
        "The last step goes to timestep 0, where a little noise is left; after the last timestep alpha_bar is 1.",
        "Le dernier pas va à l'instant 0, où il reste un peu de bruit ; après le dernier instant, alpha_bar vaut 1.",
    ),
]
