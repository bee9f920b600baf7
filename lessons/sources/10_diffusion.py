# ---
# jupyter:
#   lesson:
#     number: "10"
#     hours: [3.5, 1.0, 3.0, 1.5]
#     session: 240
#     title: {en: "Diffusion", fr: "La diffusion"}
# ---

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Quel chiffre s'y cache ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Which digit hides in it?

# %% [markdown] lang="fr"
# Voici un carré de 8 pixels sur 8. Chacun de ses 64 niveaux de gris a été tiré au sort, sans regarder les autres.
#
# **Devinez d'abord.** Quel chiffre s'y cache ? Plissez les yeux, éloignez-vous, et notez votre réponse : nous y reviendrons à la
# [](#one-hand).

# %% [markdown] lang="en"
# Here is a square of 8 pixels by 8. Each of its 64 levels of grey was sampled at random, without a look at the others.
#
# **Guess first.** Which digit hides in it? Half close your eyes, step back, and note your answer: we come back to it in [](#one-hand).

# %% tags=["hide-input"]
import torch

from dalle_edu.classroom.figures import picture, plot


def seeded(seed):
    # en: a generator of random numbers that begins anew from a seed
    # fr: un générateur de nombres au hasard, qui repart d'une graine
    return torch.Generator().manual_seed(seed)


white_noise = torch.randn(1, 1, 8, 8, generator=seeded(8))


# %% tags=["hide-input"]
def show(panel, image, title="", smooth=False):
    # en: an image of shape (1, h, w) or (3, h, w), with values in [-1, 1]
    # fr: une image de forme (1, h, w) ou (3, h, w), de valeurs dans [-1, 1]
    pixels = (image.detach() / 2 + 0.5).clamp(0, 1).permute(1, 2, 0)
    panel.imshow(pixels.expand(-1, -1, 3),
                 interpolation="bicubic" if smooth else "nearest")
    panel.set(title=title, xticks=[], yticks=[])
    panel.spines[:].set(visible=True, color="silver")


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=3.2, height=3.2)
show(axes, white_noise[0])
picture(figure, say("Sixty-four squares of random greys, in which no digit "
                    "can be read.",
                    "Soixante-quatre carrés de gris au hasard, où aucun "
                    "chiffre ne se lit."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire voter : qui voit un 3 ? un 8 ? Noter les voix au tableau, de 0 à 9. Ne rien dire de plus. La réponse (tous les dix, de la
# même main) attend la section 9.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Have them vote: who sees a 3? an 8? Write the votes on the board, from 0 to 9. Say no more. The answer (all ten, in one hand) waits
# for section 9.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - brouiller une image en une ligne ;
# - apprendre à débruiter, de trois façons ;
# - écrire DDPM, DDIM et le guidage ;
# - compléter une image, chercher la copie ;
# - suivre un chemin droit.
#
# **Il faut** les leçons 01 et 06.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - noise a picture in one line;
# - learn to denoise, in three ways;
# - write DDPM, DDIM and guidance;
# - complete a picture, look for copies;
# - follow a straight path.
#
# **You need** lessons 01 and 06.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Trois séances de 80 minutes : brouiller et apprendre, dans le plan ; revenir, guider, dessiner des chiffres ; les phrases et le
# chemin droit. Demander ce que rend un U-Net à qui deux réponses sont également permises. (Leur moyenne : fin de la leçon 06. C'est la
# clé de celle-ci.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Three sessions of 80 minutes: noising and learning, in the plane; coming back, guiding, drawing digits; sentences and the
# straight path. Ask what a U-Net gives that is allowed two answers, equally likely. (Their mean: the end of lesson 06. It is the key to
# this one.)

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - brouiller une image en une ligne, et prouver que cette ligne vaut mille petits pas ;
# - entraîner un débruiteur sur l'une de trois cibles, et passer de l'une à l'autre ;
# - écrire DDPM et DDIM, et compter ce qu'ils demandent au réseau ;
# - guider, et mesurer ce que le guidage coûte ;
# - garder ce que l'on connaît d'une image et inventer le reste ; chercher si l'invention est une copie ;
# - remplacer le chemin courbe de la diffusion par une ligne droite (*flow matching*).
#
# **Il faut** la [](lesson:01) (pentes, PyTorch) et la [](lesson:06) (U-Net, et pourquoi l'erreur au carré rend la moyenne).
#
# **Si le temps manque**, les sections [1](#a-shape-dissolves), [3](#three-ways-to-say-the-same) à [6](#the-way-back-without-chance),
# [8](#guidance) et [9](#one-hand) forment le chemin principal. Un exercice non fait n'arrête rien : la bibliothèque prend la place de ce
# qui manque.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - noise a picture in one line, and prove that this line is worth a thousand small steps;
# - train a denoiser on any of three targets, and convert between them;
# - write DDPM and DDIM, and count what they ask of the network;
# - guide, and measure what guidance costs;
# - keep what is known of a picture and invent the rest; find out whether the invention is a copy;
# - replace diffusion's curved path by a straight line (*flow matching*).
#
# **You need** [](lesson:01) (slopes, PyTorch) and [](lesson:06) (the U-Net, and why squared error gives the mean).
#
# **If time is short**, sections [1](#a-shape-dissolves), [3](#three-ways-to-say-the-same) to [6](#the-way-back-without-chance),
# [8](#guidance) and [9](#one-hand) are the main path. An exercise left undone stops nothing: the library takes the place of what is
# missing.

# %%
import math
from functools import partial
from itertools import pairwise

import torch.nn.functional as F
from torch import nn

from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.classroom.demos.flow import moons
from dalle_edu.classroom.figures import BLUE, GREEN, ORANGE, PURPLE
from dalle_edu.classroom.figures import VERMILION, legend
from dalle_edu.language import decimal

# %% [markdown] lang="fr"
# ## 1. Une forme se dissout
#
# Commençons sans images : une **donnée** sera un point du plan, et nos données, deux demi-lunes emboîtées. « Dessiner » voudra dire :
# rendre un nouveau point, pris sur les lunes. Regardons d'abord le chemin inverse, qui est facile. À chaque **instant**, tout point se
# rapproche un peu du centre et reçoit un peu de bruit. **Devinez** : à quel moment ne reconnaîtrez-vous plus les lunes ?

# %% [markdown] lang="en"
# ## 1. A shape dissolves
#
# Let us begin without pictures: a **datum** will be a point of the plane, and our data two interlocked half moons. To "draw" will mean to
# return a new point, on the moons. First let us watch the opposite way, which is easy. At each **timestep** every point moves a little
# towards the centre and receives a little noise. **Guess**: at what moment will you no longer recognise the moons?

# %% tags=["hide-input"]
from dalle_edu.bricks.noise_schedule import cosine_schedule as the_cosine

points = moons(800, seeded(0))
eps = torch.randn(800, 2, generator=seeded(1))


# %% tags=["hide-input"]
def scatter(panel, where, title="", colour=BLUE, size=3):
    panel.scatter(where[:, 0], where[:, 1], s=size, color=colour)
    panel.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
    panel.set_title(title)


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Une forme se dissout
#
# Un peu moins de forme, un peu plus de bruit, à chaque instant $t$.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. A shape dissolves
#
# A little less of the shape, a little more noise, at each timestep $t$.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 5, width=9.5, height=2.4)
for panel, moment in zip(panels, (0, 200, 400, 600, 999)):
    share = the_cosine().alpha_bar(moment)
    dissolved = math.sqrt(share) * points + math.sqrt(1 - share) * eps
    scatter(panel, dissolved, f"t = {moment}")
picture(figure, say("Two half moons become a round cloud, from t = 0 to t = "
                    "999; at 600 they can hardly be made out.",
                    "Deux demi-lunes deviennent un nuage rond, de t = 0 à t "
                    "= 999 ; à 600, on ne les devine presque plus."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Image : une vitre qui givre. Faire parier sur le moment où la forme disparaît. Demander ce qui reste à la fin. (Un nuage rond, le
# même quelle que soit la forme du début : du bruit blanc.) C'est ce qui permettra de partir de lui.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Image: a window pane that freezes over. Take bets on when the shape disappears. Ask what is left at the end. (A round cloud, the
# same whatever the shape at the start: white noise.) That is what will let us start from it.

# %% [markdown] lang="fr"
# Vers 600, l'œil ne voit plus guère qu'un nuage rond ; à 999, c'est du **bruit blanc** : des nombres normaux, tirés un à un, sans lien
# entre eux ni avec le départ. Et maintenant, un nombre à la main.
#
# Un pixel vaut $x_0 = 1$. À un instant, une part $\beta$ (« bêta ») de la variance est remplacée par du bruit : $x' = \sqrt{1 - \beta} \;
# x + \sqrt{\beta} \; \varepsilon$, où $\varepsilon$ est tiré d'une loi normale de moyenne 0 et de variance 1. Prenons $\beta = 0{,}1$
# puis $0{,}2$. Après le premier pas, il reste $\sqrt{0{,}9}$ du pixel ; après le second, $\sqrt{0{,}9 \times 0{,}8} = \sqrt{0{,}72}$,
# soit 0,85. Quant au bruit, sa variance vaut 0,1 après le premier pas, puis $0{,}8 \times 0{,}1 + 0{,}2 = 0{,}28$. Or $0{,}28 = 1 -
# 0{,}72$.
#
# Ce n'est pas un hasard. La somme de deux bruits normaux est encore un bruit normal, et les variances s'ajoutent. **Deux pas en font un
# seul**, et mille aussi ([Ho, Jain et Abbeel 2020](work:ho2020), équation 4 ; l'idée de ce va-et-vient est de [Sohl-Dickstein et al.
# 2015](work:sohldickstein2015)) :

# %% [markdown] lang="en"
# Around 600 the eye sees little more than a round cloud; at 999 it is **white noise**: normal numbers, sampled one by one, that have
# nothing to do with one another or with the start. And now a number by hand.
#
# A pixel is $x_0 = 1$. At a timestep, a part $\beta$ ("beta") of the variance is replaced by noise: $x' = \sqrt{1 - \beta} \; x +
# \sqrt{\beta} \; \varepsilon$, where $\varepsilon$ is sampled from a normal distribution of mean 0 and variance 1. Let us take $\beta =
# 0.1$, then $0.2$. After the first step $\sqrt{0.9}$ of the pixel is left; after the second, $\sqrt{0.9 \times 0.8} = \sqrt{0.72}$, which
# is 0.85. As for the noise, its variance is 0.1 after the first step, then $0.8 \times 0.1 + 0.2 = 0.28$. And $0.28 = 1 - 0.72$.
#
# This is no accident. The sum of two normal noises is a normal noise again, and the variances add up. **Two steps make one**, and so do a
# thousand ([Ho, Jain and Abbeel 2020](work:ho2020), equation 4; the idea of going there and back is that of [Sohl-Dickstein and others
# 2015](work:sohldickstein2015)):

# %% [markdown]
# $$ x_t = \sqrt{\bar\alpha_t} \; x_0 + \sqrt{1 - \bar\alpha_t} \; \varepsilon , \qquad
# \bar\alpha_t = \prod_{s \le t} (1 - \beta_s) $$

# %% [markdown] lang="fr"
# $\bar\alpha_t$ (« alpha barre ») est la part de la **variance** qui vient encore de l'image. Sa racine est le **taux de signal** ; celle
# de $1 - \bar\alpha_t$, le **taux de bruit**. Les deux *carrés* ont 1 pour somme : une donnée de variance 1 la garde tout du long. Les
# instants se comptent à partir de 0 : $t = 0$ est le premier, déjà un peu brouillé. Retrouvons nos deux nombres, 0,85 et
# $\sqrt{0{,}28} = 0{,}53$ :

# %% [markdown] lang="en"
# $\bar\alpha_t$ ("alpha bar") is the part of the **variance** that still comes from the picture. Its root is the **signal rate**; that of
# $1 - \bar\alpha_t$, the **noise rate**. The two *squares* add up to 1: data of variance 1 keep it all along. Timesteps are counted from 0:
# $t = 0$ is the first, a little noisy already. Let us find our two numbers again, 0.85 and $\sqrt{0.28} = 0.53$:

# %%
two_steps = NoiseSchedule(torch.tensor([0.1, 0.2]))
for t in (0, 1):
    kept_part = two_steps.alpha_bar(t)
    print(f"t = {t}", say("  signal rate", "  taux de signal"),
          decimal(math.sqrt(kept_part), 2), say("  noise rate", "  taux de bruit"),
          decimal(math.sqrt(1 - kept_part), 2))

# %% claims=true
assert abs(two_steps.alpha_bar(1) - 0.72) < 1e-6
assert round(math.sqrt(0.72), 2) == 0.85 and abs(0.8 * 0.1 + 0.2 - (1 - 0.72)) < 1e-9

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Deux pas n'en font qu'un
#
# $$ x_t = \sqrt{\bar\alpha_t} \; x_0 + \sqrt{1 - \bar\alpha_t} \; \varepsilon $$
#
# $\beta = 0{,}1$ puis $0{,}2$ : $\bar\alpha = 0{,}9 \times 0{,}8 = 0{,}72$.
#
# Bruit : $0{,}8 \times 0{,}1 + 0{,}2 = 0{,}28$.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Two steps make one
#
# $$ x_t = \sqrt{\bar\alpha_t} \; x_0 + \sqrt{1 - \bar\alpha_t} \; \varepsilon $$
#
# $\beta = 0.1$, then $0.2$: $\bar\alpha = 0.9 \times 0.8 = 0.72$.
#
# Noise: $0.8 \times 0.1 + 0.2 = 0.28$.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire les deux pas au tableau, avec un pixel à 1. Demander la variance du bruit après le second pas avant de l'écrire.
# Souligner : bêta et alpha barre sont des variances, on multiplie par leurs racines. Question qui revient : pourquoi mille instants ?
# (C'est une échelle : l'article en prit mille, et nous dessinerons en vingt pas.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Do both steps on the board, with a pixel of 1. Ask for the variance of the noise after the second step before writing it. Stress
# that beta and alpha bar are variances, and that one multiplies by their roots. A question that comes back: why a thousand timesteps? (It
# is a scale: the paper took a thousand, and we shall draw in twenty steps.)

# %% [markdown] lang="fr"
# À vous. Un **calendrier de bruit** est la liste des $\beta$. Le premier fut le plus simple : $\beta$ croît régulièrement, de `first` à
# `last` compris ; [l'article](work:ho2020) prit mille instants, de 0,0001 à 0,02. Rendez un `NoiseSchedule`, qui calcule $\bar\alpha$
# tout seul. Ses bêtas sont un tenseur de `timesteps` nombres en double précision (`dtype=torch.float64`).
#
# <details><summary>Un indice</summary>
#
# `torch.linspace(0, 1, 5)` donne cinq nombres à égale distance, les deux bouts compris ; il accepte `dtype=`.
#
# </details>

# %% [markdown] lang="en"
# Your turn. A **noise schedule** is the list of the $\beta$. The first was the simplest: $\beta$ grows evenly, from `first` to `last`,
# both included; [the paper](work:ho2020) took a thousand timesteps, from 0.0001 to 0.02. Return a `NoiseSchedule`, which works out
# $\bar\alpha$ by itself. Its betas are a tensor of `timesteps` numbers in double precision (`dtype=torch.float64`).
#
# <details><summary>A hint</summary>
#
# `torch.linspace(0, 1, 5)` gives five numbers at equal distances, both ends included; it accepts `dtype=`.
#
# </details>

# %% implements="noise_schedule:linear_schedule" level=1
"""Le calendrier linéaire : des bêtas qui croissent régulièrement.

Ils vont de `first` à `last`, tous deux compris, en float64 (Ho et al. 2020,
section 4). Les valeurs par défaut sont faites pour 1 000 instants.
"""

# %% scratch=true
linear_schedule(3, 0.1, 0.3).betas
# → tensor([0.1000, 0.2000, 0.3000], dtype=torch.float64)

# %% [markdown] lang="fr"
# Le chemin long, maintenant : `x` passe par tous les instants, un à un. `betas` et `noises` ont la même longueur ; `noises[i]` a la forme
# de `x`. Rendez le dernier `x`.
#
# <details><summary>Un indice</summary>
#
# `zip(betas, noises)` donne les couples, dans l'ordre ; à chaque tour, remplacez `x` par $\sqrt{1 - \beta} \, x + \sqrt\beta \,
# \varepsilon$.
#
# </details>

# %% [markdown] lang="en"
# The long way, now: `x` goes through all timesteps, one by one. `betas` and `noises` are of the same length; `noises[i]` has the shape of
# `x`. Return the last `x`.
#
# <details><summary>A hint</summary>
#
# `zip(betas, noises)` gives the pairs, in order; at each turn replace `x` by $\sqrt{1 - \beta} \, x + \sqrt\beta \, \varepsilon$.
#
# </details>

# %% level=1
def step_by_step(x, betas, noises):
    for beta, noise in zip(betas, noises):
        x = math.sqrt(1 - beta) * x + math.sqrt(beta) * noise
    return x

# %% scratch=true
step_by_step(torch.tensor([1.0]), [0.1, 0.2], torch.tensor([[0.0], [0.0]]))
# → tensor([0.8485])

# %%
def only_noise():
    ones = torch.tensor([[1.0], [1.0]])
    return step_by_step(torch.tensor([0.0]), [0.1, 0.2], ones)


expect(only_noise, torch.tensor([0.730056]),
       say("two noises of 1 on a pixel of 0", "deux bruits de 1 sur un pixel de 0"))

# %% [markdown] lang="fr"
# Et le chemin court. `x0` et `noise` sont de forme (n, …), n images ; `t` est de forme (n,), un instant **par image**. Rendez $x_t$.
#
# <details><summary>Un indice</summary>
#
# `schedule.rates(t, x0)` rend le taux de signal et le taux de bruit, déjà de la forme qui multiplie les images.
#
# </details>

# %% [markdown] lang="en"
# And the short way. `x0` and `noise` are of shape (n, …), n pictures; `t` is of shape (n,), one timestep **for each picture**. Return
# $x_t$.
#
# <details><summary>A hint</summary>
#
# `schedule.rates(t, x0)` returns the signal rate and the noise rate, already of the shape that multiplies the pictures.
#
# </details>

# %% implements="diffusion:add_noise" level=1
"""Tire x_t selon q(x_t | x_0), en un pas (Ho et al. 2020, équation 4).

`noise` suit une loi normale de moyenne 0 et de variance 1.
"""

# %% scratch=true
one_and_zero = torch.tensor([[1.0, 0.0]])
zero_and_one = torch.tensor([[0.0, 1.0]])
add_noise(one_and_zero, zero_and_one, torch.tensor([1]), two_steps)
# → tensor([[0.8485, 0.5292]])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercices 1 à 3 · Brouiller
#
# **12 min.**
#
# - **1** ● `linear_schedule` : des bêtas réguliers.
# - **2** ● `step_by_step` : le chemin long.
# - **3** ● `add_noise` : le chemin court.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercises 1 to 3 · Adding noise
#
# **12 min.**
#
# - **1** ● `linear_schedule`: even betas.
# - **2** ● `step_by_step`: the long way.
# - **3** ● `add_noise`: the short way.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Fautes à guetter : les racines oubliées (la variance ne reste pas 1) ; l'alpha d'un seul instant à la place du produit ; les
# deux taux échangés. Demander à chacun la variance de sa sortie.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Mistakes to look for: roots forgotten (the variance does not stay 1); the alpha of a single timestep instead of the product; the
# two rates exchanged. Ask everyone for the variance of their output.

# %% [markdown] lang="fr"
# Le pari : trois cents petits pas, un bruit nouveau à chacun, contre un seul grand. Prenons le même point de départ, mille fois.
# **Devinez** : les deux nuages auront-ils même centre et même largeur ?

# %% [markdown] lang="en"
# The bet: three hundred small steps, with new noise at each, against a single large one. Let us take the same starting point, a thousand
# times. **Guess**: will the two clouds have the same centre and the same width?

# %%
generator = seeded(0)
start = torch.tensor([2.0, -1.0]).repeat(1000, 1)
long_way, now = start, torch.zeros(1000, dtype=torch.long)
for beta in linear_schedule().betas[:300]:
    # en: one small step is a schedule of a single timestep
    # fr: un petit pas est un calendrier d'un seul instant
    small_step = NoiseSchedule(beta[None])
    noise = torch.randn(1000, 2, generator=generator)
    long_way = add_noise(long_way, noise, now, small_step)
short_way = add_noise(start, torch.randn(1000, 2, generator=generator),
                      torch.full((1000,), 299), linear_schedule())
for name, cloud in ((say("300 steps", "300 pas"), long_way),
                    (say("one line ", "une ligne"), short_way)):
    print(name, say("  centre", "  centre"), *(decimal(x, 2) for x in cloud.mean(dim=0)),
          say("  width", "  largeur"), *(decimal(x, 2) for x in cloud.std(dim=0)))

# %% claims=true
assert (long_way.mean(dim=0) - short_way.mean(dim=0)).abs().max() < 0.1
assert (long_way.std(dim=0) - short_way.std(dim=0)).abs().max() < 0.06

# %% [markdown] lang="fr"
# Même centre, même largeur, aux hasards du tirage près. Nous sautons donc à n'importe quel instant en une ligne : l'entraînement n'aura
# jamais besoin de parcourir le chemin.

# %% [markdown] lang="en"
# The same centre, the same width, but for the chance of sampling. So we jump to any timestep in one line: training will never have to walk
# the path.

# %% [markdown] lang="fr"
# ## 2. Ce qu'un calendrier cache
#
# Deux calendriers de mille instants n'emploient pas leur temps de même. En 2021, [Nichol et Dhariwal](work:nichol2021) remarquèrent que le
# linéaire détruit de petites images trop tôt : ses derniers instants ne montrent que du bruit, et n'apprennent rien au réseau. Ils fixèrent
# donc $\bar\alpha$ lui-même, qui descend comme un cosinus au carré. Après $i$ instants sur $T$ :

# %% [markdown] lang="en"
# ## 2. What a schedule hides
#
# Two schedules of a thousand timesteps do not spend their time alike. In 2021, [Nichol and Dhariwal](work:nichol2021) noticed that the
# linear one destroys small pictures too early: its last timesteps show nothing but noise, and teach nothing. So they chose $\bar\alpha$
# itself, which falls like a squared cosine. After $i$ timesteps of $T$:

# %% [markdown]
# $$ \bar\alpha = \cos^2\!\left( \frac{i / T + 0.008}{1 + 0.008} \cdot \frac{\pi}{2} \right) , \qquad
# \beta_i = 1 - \frac{\bar\alpha_{\text{after}}}{\bar\alpha_{\text{before}}} $$

# %% [markdown] lang="fr"
# Avec deux instants et sans décalage (0 à la place de 0,008) : $\bar\alpha$ part de 1, passe par $\cos^2(\pi / 4) = 0{,}5$, et finit à 0.
# Les bêtas sont $1 - 0{,}5 / 1 = 0{,}5$ et $1 - 0 / 0{,}5 = 1$. Un bêta de 1 ne laisserait plus aucun signal : on borne les bêtas à
# `max_beta`.

# %% [markdown] lang="en"
# With two timesteps and no offset (0 in place of 0.008), $\bar\alpha$ starts from 1, passes through $\cos^2(\pi / 4) = 0.5$, and
# ends at 0. The betas are $1 - 0.5 / 1 = 0.5$ and $1 - 0 / 0.5 = 1$. A beta of 1 would leave no signal at all: betas are clipped at
# `max_beta`.

# %% [markdown] lang="fr"
# Écrivez le calendrier en cosinus. Il y a `timesteps` + 1 valeurs de $i / T$, de 0 à 1, et un bêta de moins, en double précision.
#
# <details><summary>Un indice</summary>
#
# `torch.arange(timesteps + 1, dtype=torch.float64) / timesteps` donne les $i / T$ ; `.cos() ** 2` s'applique à tous.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `alpha_bar[1:] / alpha_bar[:-1]` divise chaque valeur par celle d'avant. `.clamp(max=max_beta)` borne.
#
# </details>

# %% [markdown] lang="en"
# Write the cosine schedule. There are `timesteps` + 1 values of $i / T$, from 0 to 1, and one beta fewer, in double precision.
#
# <details><summary>A hint</summary>
#
# `torch.arange(timesteps + 1, dtype=torch.float64) / timesteps` gives the $i / T$; `.cos() ** 2` applies to all of them.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `alpha_bar[1:] / alpha_bar[:-1]` divides each value by the one before. `.clamp(max=max_beta)` clips.
#
# </details>

# %% implements="noise_schedule:cosine_schedule" level=2
"""Le calendrier en cosinus : alpha_bar descend comme un cosinus au carré.

De petites images gardent plus de signal aux premiers instants que sous le
linéaire (Nichol et Dhariwal 2021, équation 17). Après i instants sur T,
alpha_bar est le carré du cosinus de (i / T + offset) / (1 + offset) * pi / 2,
et chaque bêta vaut 1 moins le rapport d'alpha_bar après son instant à
alpha_bar avant, en float64. Les derniers bêtas vaudraient 1, ce qui ne laisse
aucun signal par quoi diviser : ils sont bornés à `max_beta`.
"""

# %% scratch=true
cosine_schedule(2, offset=0.0).betas
# → tensor([0.5000, 0.9990], dtype=torch.float64)

# %% [markdown] lang="fr"
# Un chiffre écrit à la main, brouillé selon l'un et l'autre. **Devinez** : au milieu du temps, que reste-t-il de la variance de l'image
# sous le calendrier linéaire ? la moitié ? un dixième ? moins ?

# %% [markdown] lang="en"
# A handwritten digit, noised according to both. **Guess**: at half time, what is left of the picture's variance under the linear
# schedule? half? a tenth? less?

# %%
from dalle_edu.datasets.digits import digits

images, labels = digits(8)
schedules = {say("linear", "linéaire"): linear_schedule(),
             say("cosine", "cosinus"): cosine_schedule()}
for name, schedule in schedules.items():
    left = [decimal(100 * schedule.alpha_bar(t), 1) + " %" for t in (249, 499, 749)]
    print(f"{name:9}", say("left at 1/4, 1/2, 3/4:", "reste à 1/4, 1/2, 3/4 :"), *left)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Deux calendriers
#
# Le linéaire passe sa seconde moitié dans le noir.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. Two schedules
#
# The linear one spends its second half in the dark.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
moments = (0, 150, 300, 450, 600, 750, 999)
same_noise = torch.randn(1, 1, 8, 8, generator=seeded(3))
figure, panels = plot(2, 7, width=9, height=3.2)
for row, (name, schedule) in zip(panels, schedules.items()):
    for panel, moment in zip(row, moments):
        at = torch.tensor([moment])
        show(panel, add_noise(images[5:6], same_noise, at, schedule)[0])
        panel.set_xlabel(f"t = {moment}")
    row[0].set_ylabel(name)
picture(figure, say("A handwritten 5 at seven timesteps: at 450 it is still "
                    "there under the cosine schedule, and lost under the "
                    "linear one.",
                    "Un 5 manuscrit à sept instants : à 450, il est encore "
                    "là sous le calendrier en cosinus, et perdu sous le "
                    "linéaire."))

# %% claims=true
assert labels[5] == 5
assert 0.07 < linear_schedule().alpha_bar(499) < 0.1
assert 0.48 < cosine_schedule().alpha_bar(499) < 0.51
assert linear_schedule().alpha_bar(749) < 0.01

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Demander ce qui reste au milieu du temps : moins d'un dixième de la variance sous le linéaire, la moitié sous le cosinus. Que
# peut apprendre un réseau à qui l'on montre du bruit pur ? (La moyenne des images, et c'est tout.) Un calendrier décide de ce que le
# réseau regarde.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Ask what is left at half time: less than a tenth of the variance under the linear schedule, half of it under the cosine. What can a
# network learn that is shown pure noise? (The mean of the pictures, and no more.) A schedule decides what the network looks at.

# %% [markdown] lang="fr"
# Moins d'un dixième sous le linéaire, et moins d'un centième aux trois quarts ; la moitié sous le cosinus. Un calendrier n'est donc pas
# un détail : il décide à quels degrés de brouillard le réseau passe son temps. Nous prendrons le cosinus.

# %% [markdown] lang="en"
# Less than a tenth under the linear one, and less than a hundredth at three quarters; half of it under the cosine. So a schedule is no
# detail: it decides at which densities of fog the network spends its time. We shall take the cosine.

# %% [markdown] lang="fr"
# ## 3. Trois façons de dire la même chose
#
# Le retour sera l'affaire d'un réseau, qui voit $x_t$ et connaît $t$. Que doit-il prédire ? L'image $x_0$, bien sûr. Ou le bruit
# $\varepsilon$ : qui connaît l'un en tire l'autre. Prenons des taux commodes, 0,6 de signal et 0,8 de bruit, un pixel $x_0 = 1$ et un
# bruit $\varepsilon = -0{,}5$ :
#
# $$ x_t = 0{,}6 \times 1 + 0{,}8 \times (-0{,}5) = 0{,}2 $$
#
# Un réseau qui devine $\varepsilon = -0{,}5$ a deviné l'image : $(0{,}2 - 0{,}8 \times (-0{,}5)) / 0{,}6 = 1$. Mais notez la division par
# 0,6. Quand le taux de signal sera 0,001, une erreur minuscule sur le bruit sera multipliée par mille. De même $x_0$ dit mal le bruit là
# où il n'y en a presque pas. D'où une troisième cible ([Salimans et Ho 2022](work:salimans2022)), qui ne divise jamais :

# %% [markdown] lang="en"
# ## 3. Three ways to say the same
#
# The way back will be the work of a network, which sees $x_t$ and knows $t$. What should it predict? The picture $x_0$, of course. Or the
# noise $\varepsilon$: whoever knows one gets the other. Let us take convenient rates, 0.6 of signal and 0.8 of noise, a pixel $x_0 = 1$ and
# a noise $\varepsilon = -0.5$:
#
# $$ x_t = 0.6 \times 1 + 0.8 \times (-0.5) = 0.2 $$
#
# A network that guesses $\varepsilon = -0.5$ has guessed the picture: $(0.2 - 0.8 \times (-0.5)) / 0.6 = 1$. But note the division by
# 0.6. When the signal rate is 0.001, a tiny error in the noise will be multiplied by a thousand. In the same way $x_0$ tells the noise
# badly where there is hardly any. Hence a third target ([Salimans and Ho 2022](work:salimans2022)), which never divides:

# %% [markdown]
# $$ v = \sqrt{\bar\alpha_t} \; \varepsilon - \sqrt{1 - \bar\alpha_t} \; x_0 \qquad\qquad
# x_0 = \sqrt{\bar\alpha_t} \; x_t - \sqrt{1 - \bar\alpha_t} \; v $$

# %% [markdown] lang="fr"
# Ici, $v = 0{,}6 \times (-0{,}5) - 0{,}8 \times 1 = -1{,}1$, et l'on retrouve $0{,}6 \times 0{,}2 + 0{,}8 \times 1{,}1 = 1$. Une image le
# dit mieux : les deux taux sont le cosinus et le sinus d'un angle. De $x_0$ à $\varepsilon$, $x_t$ parcourt un quart de tour, et $v$ est
# la direction dans laquelle il avance.

# %% [markdown] lang="en"
# Here $v = 0.6 \times (-0.5) - 0.8 \times 1 = -1.1$, and one finds again $0.6 \times 0.2 + 0.8 \times 1.1 = 1$. A picture says it better:
# the two rates are the cosine and the sine of an angle. From $x_0$ to $\varepsilon$, $x_t$ goes through a quarter of a turn, and $v$ is
# the direction in which it moves.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Image, bruit, vitesse
#
# Qui connaît l'un, et $x_t$, connaît les trois.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Picture, noise, velocity
#
# Who knows one, and $x_t$, knows all three.

# %% tags=["hide-input"]
def draw_arrow(axes, start, end, colour):
    arrow = {"arrowstyle": "->", "color": colour, "linewidth": 2}
    axes.annotate("", end, start, arrowprops=arrow)


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=4.6, height=4.2)
angles = torch.linspace(0, math.pi / 2, 50)
axes.plot(angles.cos(), angles.sin(), color="silver")
ends = {"$x_0$": (1, 0), r"$\varepsilon$": (0, 1), "$x_t$": (0.6, 0.8)}
for (name, end), colour in zip(ends.items(), (BLUE, VERMILION, "black")):
    draw_arrow(axes, (0, 0), end, colour)
    axes.text(1.06 * end[0], 1.06 * end[1], name, fontsize=16, color=colour)
draw_arrow(axes, (0.6, 0.8), (0.6 - 0.4, 0.8 + 0.3), GREEN)
axes.text(0.28, 1.12, "$v$", fontsize=16, color=GREEN)
axes.set(xlim=(-0.1, 1.25), ylim=(-0.1, 1.25), aspect="equal")
axes.set(xlabel=say("signal rate", "taux de signal"),
         ylabel=say("noise rate", "taux de bruit"))
picture(figure, say("A quarter of a circle from x0 to epsilon; x_t is on it "
                    "at rates 0.6 and 0.8, and v points along the circle, "
                    "towards the noise.",
                    "Un quart de cercle de x0 à epsilon ; x_t s'y trouve aux "
                    "taux 0,6 et 0,8, et v est dirigée le long du cercle, "
                    "vers le bruit."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Le nombre d'abord, au tableau : x_t = 0,2 ; retrouver 1 depuis le bruit, puis depuis v. Demander ce que devient la division par
# le taux de signal tout à droite du temps. (Elle explose.) Puis le quart de tour. Question à prévoir : pourquoi prédire le bruit ? (C'est
# ce que fit l'article de 2020 ; les trois disent la même chose, mais pas avec la même précision partout.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. The number first, on the board: x_t = 0.2; find 1 again from the noise, then from v. Ask what becomes of the division by the
# signal rate at the very end of time. (It explodes.) Then the quarter of a turn. A question to expect: why predict noise? (It is what the
# paper of 2020 did; all three say the same, but not equally well everywhere.)

# %% [markdown] lang="fr"
# Écrivez ce que le réseau doit prédire. `target` est `"eps"`, `"x0"` ou `"v"` ; tout est de forme (n, …), et `t` de forme (n,).
#
# <details><summary>Un indice</summary>
#
# Deux cas se rendent tels quels. Pour `"v"`, `schedule.rates(t, x0)` donne les deux taux.
#
# </details>

# %% [markdown] lang="en"
# Write what the network is to predict. `target` is `"eps"`, `"x0"` or `"v"`; all is of shape (n, …), and `t` of shape (n,).
#
# <details><summary>A hint</summary>
#
# Two cases are returned as they are. For `"v"`, `schedule.rates(t, x0)` gives the two rates.
#
# </details>

# %% implements="diffusion:training_target" level=1
"""Ce que le réseau doit prédire à t : le bruit, l'image, ou v.

v vaut taux de signal * bruit - taux de bruit * image (Salimans et Ho 2022).
« eps » dit peu là où il n'y a presque pas de bruit, et « x0 » là où il n'y a
presque pas de signal ; « v » est à peu près aussi difficile partout.
"""

# %% scratch=true
easy_rates = NoiseSchedule(torch.tensor([0.64]))
at_once = torch.tensor([0])
one, minus_half = torch.tensor([[1.0]]), torch.tensor([[-0.5]])
training_target(one, minus_half, at_once, easy_rates, "v")
# → tensor([[-1.1000]])

# %% [markdown] lang="fr"
# Et dans l'autre sens : d'une prédiction et de `x_t`, tirez l'image **et** le bruit, dans cet ordre, quelle que soit la cible. C'est ce
# qui rendra les échantillonneurs indifférents à ce choix.
#
# <details><summary>Un indice</summary>
#
# $x_t = a \, x_0 + b \, \varepsilon$, où $a$ et $b$ sont les deux taux. Si la prédiction est l'un, isolez l'autre.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Pour `"v"`, la formule d'au-dessus donne $x_0$ ; et $\varepsilon = b \, x_t + a \, v$.
#
# </details>

# %% [markdown] lang="en"
# And the other way round: of a prediction and `x_t`, work out the picture **and** the noise, in that order, whatever the target. This is
# what will make samplers indifferent to the choice.
#
# <details><summary>A hint</summary>
#
# $x_t = a \, x_0 + b \, \varepsilon$, where $a$ and $b$ are the two rates. If the prediction is one, solve for the other.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# For `"v"` the formula above gives $x_0$; and $\varepsilon = b \, x_t + a \, v$.
#
# </details>

# %% implements="diffusion:picture_and_noise" level=2
"""L'image x0 et le bruit eps qu'une prédiction implique.

Quel que soit celui qui est prédit, x_t donne l'autre : les échantillonneurs
travaillent de même pour toutes les cibles.
"""

# %% scratch=true
v, x_t = torch.tensor([[-1.1]]), torch.tensor([[0.2]])
picture_and_noise(v, x_t, at_once, easy_rates, "v")
# → (tensor([[1.]]), tensor([[-0.5000]]))

# %% [markdown] lang="fr"
# À la fin du temps, que coûte une erreur d'un centième sur le bruit ? **Devinez** l'erreur sur l'image, à $t = 999$.

# %% [markdown] lang="en"
# At the end of time, what does an error of a hundredth in the noise cost? **Guess** the error in the picture, at $t = 999$.

# %%
for t in (99, 499, 899, 999):
    signal, noise = (rate.item() for rate in cosine_schedule().rates(
        torch.tensor([t]), torch.zeros(1)))
    print(f"t = {t:3}", say("  error in x0:", "  erreur sur x0 :"),
          decimal(0.01 * noise / signal, 3))

# %% claims=true
assert 0.01 * noise / signal > 100
assert 0.01 * math.sqrt(1 / cosine_schedule().alpha_bar(499) - 1) < 0.011

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercices 4 à 6 · Calendrier et cibles
#
# **15 min.**
#
# - **4** ●● `cosine_schedule` : de $\bar\alpha$ aux bêtas.
# - **5** ● `training_target` : trois cibles.
# - **6** ●● `picture_and_noise` : et retour.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercises 4 to 6 · Schedule and targets
#
# **15 min.**
#
# - **4** ●● `cosine_schedule`: from $\bar\alpha$ to betas.
# - **5** ● `training_target`: three targets.
# - **6** ●● `picture_and_noise`: and back.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Fautes à guetter : un bêta qui arrive à 1 ; le signe de v ; la division oubliée dans l'image tirée du bruit. Qui a fini calcule
# l'erreur sur l'image, à t = 999, d'une erreur d'un centième sur le bruit.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Mistakes to look for: a beta that comes to 1; the sign of v; the division forgotten in the picture taken from the noise. Who has
# finished works out the error in the picture, at t = 999, of an error of a hundredth in the noise.

# %% [markdown] lang="fr"
# Plus de cent, pour des pixels qui vont de −1 à 1. Au milieu, les deux erreurs se valent. Nous prédirons $v$, et la
# [](#the-way-back-without-chance) dira ce qu'il en coûte de ne pas le faire.

# %% [markdown] lang="en"
# More than a hundred, for pixels that go from −1 to 1. In the middle the two errors are alike. We shall predict $v$, and
# [](#the-way-back-without-chance) will say what it costs not to.

# %% [markdown] lang="fr"
# ## 4. Un seul réseau pour tous les instants
#
# Mille instants, mille réseaux ? Non : **un seul**, à qui l'on dit $t$. Mais un nombre de 0 à 999 est une mauvaise entrée : 999
# écraserait tout, et 3 ressemblerait trop à 4. On le montre donc comme le fait une horloge, par des aiguilles. Avec deux aiguilles, l'une
# fait un tour en 6 instants environ, l'autre en met soixante mille. À $t = 1$, la rapide a tourné de 1 radian : son sinus vaut 0,84 et
# son cosinus 0,54 ; la lente a tourné de 0,0001 : 0 et 1, presque. Plus généralement, l'aiguille $k$ de $w / 2$ tourne à la vitesse

# %% [markdown] lang="en"
# ## 4. One network for all timesteps
#
# A thousand timesteps, a thousand networks? No: **a single one**, which is told $t$. But a number from 0 to 999 is a poor input: 999
# would crush everything, and 3 would look too much like 4. So it is shown as a clock does it, by hands. With two hands, one goes round in
# about 6 timesteps, the other takes sixty thousand. At $t = 1$ the fast one has turned by 1 radian: its sine is 0.84 and its cosine 0.54;
# the slow one has turned by 0.0001: 0 and 1, nearly. More generally, hand $k$ of $w / 2$ turns at the speed

# %% [markdown]
# $$ \omega_k = \exp\!\left( - \frac{k}{w/2 - 1} \, \ln 10\,000 \right) , \qquad k = 0, \dots, \frac{w}{2} - 1 $$

# %% claims=true
assert round(math.sin(1), 2) == 0.84 and round(math.cos(1), 2) == 0.54
assert 6 < 2 * math.pi < 7 and 60_000 < 2 * math.pi * 10_000 < 65_000

# %% [markdown] lang="fr"
# Écrivez ce plongement. `time` est de forme (n,), en entiers ou non ; rendez (n, `width`) : d'abord **tous les sinus**, puis tous les
# cosinus, de la plus rapide à la plus lente. `max_period` remplace 10 000.
#
# <details><summary>Un indice</summary>
#
# `torch.arange(width // 2)` donne les $k$ ; `torch.exp` et `math.log` font les vitesses, une par aiguille.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `time[:, None] * speeds` a une ligne par instant, une colonne par aiguille. Puis `torch.cat([…, …], dim=-1)`.
#
# </details>

# %% [markdown] lang="en"
# Write this embedding. `time` is of shape (n,), whole numbers or not; return (n, `width`): first **all sines**, then all cosines, from
# the fastest to the slowest. `max_period` stands for 10,000.
#
# <details><summary>A hint</summary>
#
# `torch.arange(width // 2)` gives the $k$; `torch.exp` and `math.log` make the speeds, one for each hand.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `time[:, None] * speeds` has a row for each timestep and a column for each hand. Then `torch.cat([…, …], dim=-1)`.
#
# </details>

# %% implements="unet_blocks:sinusoidal_embedding" level=2
"""Le plongement sinusoïdal des instants : sinus et cosinus de n nombres réels.

Chaque nombre devient des points sur `width / 2` cercles, qui tournent à des
vitesses de 1 à 1 / max_period (Vaswani et al. 2017, section 3.5). La
convention est celle de Ho et al. (2020) : d'abord tous les sinus, puis tous
les cosinus, et les deux bouts de la suite géométrique des vitesses sont
compris. Les instants vont de 0 à environ 1 000 et peuvent être fractionnaires.
"""

# %% scratch=true
sinusoidal_embedding(torch.tensor([10.0]), 4, max_period=10.0)
# → tensor([[-0.5440, 0.8415, -0.8391, 0.5403]])

# %% [markdown] lang="fr"
# Le réseau du plan est un MLP de la [](lesson:01) : il reçoit le point et le plongement de l'instant, et rend deux nombres. Ses
# coordonnées aussi lui sont montrées par quelques aiguilles, pour qu'il voie fin. `nn.SiLU` est une activation, $x$ fois sa sigmoïde.

# %% [markdown] lang="en"
# The network of the plane is an MLP of [](lesson:01): it is given the point and the embedding of the timestep, and returns two numbers.
# It is shown its coordinates by a few hands too, so that it sees fine details. `nn.SiLU` is an activation, $x$ times its sigmoid.

# %%
class PlaneNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        # en: the point: 2 numbers, 6 sines and 6 cosines; the timestep: 32 numbers
        # fr: le point : 2 nombres, 6 sinus et 6 cosinus ; l'instant : 32 nombres
        self.layers = nn.Sequential(
            nn.Linear(14 + 32, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(),
            nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 2))

    def forward(self, x_t, t):
        turned = torch.cat([x_t, 2 * x_t, 4 * x_t], dim=1)
        time = sinusoidal_embedding(t, 32).to(x_t.dtype)
        shown = [x_t, turned.sin(), turned.cos(), time]
        return self.layers(torch.cat(shown, dim=1))


# %% [markdown] lang="fr"
# L'entraînement tient en quatre gestes ([Ho et al. 2020](work:ho2020), algorithme 1) : choisir un instant au hasard pour chaque donnée ;
# y aller d'un bond ; demander au réseau ; mesurer l'erreur au carré sur la cible.

# %% [markdown] lang="en"
# Training takes four moves ([Ho and others 2020](work:ho2020), algorithm 1): choose a timestep at random for each datum; jump there; ask
# the network; measure the squared error on the target.

# %% [markdown] lang="fr"
# Écrivez cette perte. `spread_timesteps(n, timesteps, generator, device)` vous est donnée : elle tire un instant par donnée, et les
# répand sur tout le calendrier. Tirez ensuite le bruit avec `generator`. L'erreur d'une donnée est la **moyenne** sur ses nombres, fois
# le poids de son instant si `weights` (de forme (T,)) est donné ; la perte est la moyenne sur les données. `conditions` va au réseau tel
# quel.
#
# <details><summary>Un indice</summary>
#
# `torch.empty_like(x0).normal_(generator=generator)` tire un bruit de la forme de `x0`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `network(add_noise(…), t, **conditions)` contre `training_target(…)`. Pour la moyenne par donnée :
# `.square().reshape(len(x0), -1).mean(dim=1)`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `weights[t]` donne à chaque donnée le poids de son instant.
#
# </details>

# %% [markdown] lang="en"
# Write this loss. `spread_timesteps(n, timesteps, generator, device)` is given to you: it samples a timestep for each datum, and spreads
# them over the whole schedule. Then sample the noise with `generator`. The error of a datum is the **mean** over its numbers, times the
# weight of its timestep if `weights` (of shape (T,)) is given; the loss is the mean over data. `conditions` goes to the network
# unchanged.
#
# <details><summary>A hint</summary>
#
# `torch.empty_like(x0).normal_(generator=generator)` samples noise of the shape of `x0`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `network(add_noise(…), t, **conditions)` against `training_target(…)`. For the mean of each datum:
# `.square().reshape(len(x0), -1).mean(dim=1)`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `weights[t]` gives each datum the weight of its timestep.
#
# </details>

# %% implements="diffusion:diffusion_loss" level=2
"""L'erreur au carré moyenne de ce que prédit un réseau à des instants au
hasard.

C'est la perte de Ho et al. (2020, algorithme 1), avec les instants de
`spread_timesteps`, un par image. L'erreur d'une image est la moyenne sur ses
nombres, fois le poids de son instant s'il y a des `weights` ; la perte est la
moyenne sur les images. `conditions` va au réseau sans changement. `generator`
donne d'abord les instants, puis un bruit normal, et doit être sur l'appareil
de `x0`.
"""

# %% scratch=true
# en: a network that answers 0 where 1 is wanted: its squared error is 1
# fr: un réseau qui répond 0 quand il faut 1 : son erreur au carré vaut 1
answers_zero = lambda x_t, t: 0 * x_t
ten_ones = torch.ones(10, 1)
diffusion_loss(answers_zero, ten_ones, easy_rates, "x0")
# → tensor(1.)

# %% [markdown] lang="fr"
# Entraînons, six cents pas, et mesurons la perte à côté de celle d'un réseau qui répond toujours 0. **Devinez** : dix fois moins ? cent
# fois ?

# %% [markdown] lang="en"
# Let us train, six hundred steps, and measure the loss beside that of a network that always answers 0. **Guess**: ten times less? a
# hundred?

# %%
cosine = cosine_schedule()


def learn(network, loss_of, steps, rate):
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, fused=True)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.1)
    generator, losses = seeded(0), []
    for _ in range(steps):
        loss = loss_of(network, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
        losses.append(loss.item())
    return sum(losses[-100:]) / 100


# %%
def loss_on_moons(target, network, generator):
    return diffusion_loss(network, moons(256, generator), cosine, target,
                          generator=generator)


def learn_the_moons():
    learned = {}
    for target in ("v", "eps", "x0"):
        torch.manual_seed(0)
        network = PlaneNetwork()
        loss = learn(network, partial(loss_on_moons, target), 600, rate=1e-2)
        learned[target] = {"loss": loss, "weights": network.state_dict()}
    return learned


# %%
from dalle_edu.classroom.desk import kept

# en: kept on disk: after a restart it is read, not computed again
# fr: gardé sur disque : après un redémarrage, on le relit sans recalculer
learned = kept("moons", learn_the_moons, patience=5)
plane_networks = {}
for target, found in learned.items():
    plane_networks[target] = PlaneNetwork()
    plane_networks[target].load_state_dict(found["weights"])
many_moons = moons(20_000, seeded(2))
loss_of_zero = diffusion_loss(lambda x_t, t: 0 * x_t, many_moons, cosine).item()
print(say("loss of the network:", "perte du réseau :"), decimal(learned["v"]["loss"], 2))
print(say("loss of the answer 0:", "perte de qui répond 0 :"), decimal(loss_of_zero, 2))

# %% claims=true
assert 0.8 < learned["v"]["loss"] < 0.97
assert 0.97 < loss_of_zero < 1.2 and learned["v"]["loss"] < loss_of_zero

# %% [markdown] lang="fr"
# Elle n'a presque pas bougé ! Échec ? Non. Un point brouillé peut venir de mille endroits, et nul ne peut deviner d'où *celui-ci* vient.
# Comme à la fin de la [](lesson:06), l'erreur au carré fait rendre la **moyenne** de tout ce qui est possible ; presque toute cette perte
# est du hasard qu'aucun réseau n'ôtera. Une perte de diffusion ne se lit donc pas comme une note. Regardons plutôt ce que le réseau
# croit. Il prédit $v$ ; il nous faut $x_0$.

# %% [markdown] lang="en"
# It has hardly moved! A failure? No. A noisy point may come from a thousand places, and nobody can guess where *this* one comes from. As
# at the end of [](lesson:06), squared error makes the network return the **mean** of all that is possible; nearly all of this loss is
# chance that no network will remove. So a diffusion loss is not read as a mark. Let us look at what the network believes instead. It
# predicts $v$; we need $x_0$.

# %% [markdown] lang="fr"
# Un **débruiteur** est une fonction de (`x_t`, `t`) qui rend l'image nette à laquelle elle croit, sa **croyance**. Faites-en un d'un
# réseau : rendez une **fonction**, qui interroge le réseau, en tire $x_0$, et le passe à `clip` s'il y en a un.
#
# <details><summary>Un indice</summary>
#
# On peut définir une fonction dans une fonction, et la rendre : `def denoise(x_t, t): …` puis `return denoise`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `picture_and_noise` rend l'image et le bruit : `x0, _ = picture_and_noise(…)`.
#
# </details>

# %% [markdown] lang="en"
# A **denoiser** is a function of (`x_t`, `t`) that returns the clean picture it believes in, its **belief**. Make one of a network: return
# a **function**, which asks the network, works $x_0$ out of its answer, and hands it to `clip` if there is one.
#
# <details><summary>A hint</summary>
#
# One may define a function within a function, and return it: `def denoise(x_t, t): …`, then `return denoise`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `picture_and_noise` returns the picture and the noise: `x0, _ = picture_and_noise(…)`.
#
# </details>

# %% implements="diffusion:denoiser" level=1
"""Le débruiteur d'un réseau : de (x_t, t) à son estimation de l'image nette.

`clip`, s'il est donné, ramène l'estimation dans ses bornes.
"""

# %% scratch=true
says_v = lambda x_t, t: torch.full_like(x_t, -1.1)
denoiser(says_v, easy_rates, "v")(torch.tensor([[0.2]]), at_once)
# → tensor([[1.]])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercices 7 à 9 · Apprendre
#
# **18 min.**
#
# - **7** ●● `sinusoidal_embedding` : l'horloge.
# - **8** ●● `diffusion_loss` : quatre gestes.
# - **9** ● `denoiser` : de $v$ à l'image.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercises 7 to 9 · Learning
#
# **18 min.**
#
# - **7** ●● `sinusoidal_embedding`: the clock.
# - **8** ●● `diffusion_loss`: four moves.
# - **9** ● `denoiser`: from $v$ to the picture.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 18 min. Fautes à guetter : un seul instant pour tout le lot ; la somme au lieu de la moyenne ; la prédiction rendue telle quelle par le
# débruiteur. Demander pourquoi un seul réseau suffit à mille instants. (On lui dit lequel, et les instants voisins se ressemblent.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 18 min. Mistakes to look for: one timestep for the whole batch; the sum instead of the mean; the prediction returned as it is by the
# denoiser. Ask why one network is enough for a thousand timesteps. (It is told which, and neighbouring timesteps are alike.)

# %% [markdown] lang="fr"
# Posons une grille de points, et traçons de chacun une flèche vers là d'où le réseau le croit venu. **Devinez** : où pointent les flèches
# à $t = 950$ ? et à $t = 150$ ?

# %% [markdown] lang="en"
# Let us lay out a grid of points, and draw from each an arrow to where the network believes that it comes from. **Guess**: where do the
# arrows point at $t = 950$? and at $t = 150$?

# %%
believe = denoiser(plane_networks["v"], cosine)
ticks = torch.linspace(-2.4, 2.4, 11)
grid = torch.cartesian_prod(ticks, ticks)
beliefs = {}
with torch.no_grad():
    for t in (950, 600, 150):
        beliefs[t] = believe(grid, torch.full((len(grid),), t))
for t, belief in beliefs.items():
    print(f"t = {t}", say("  width of the beliefs:", "  largeur des croyances :"),
          decimal(belief.std(dim=0).mean(), 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Ce que croit le débruiteur
#
# Une flèche, de chaque point vers là d'où il viendrait.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. What the denoiser believes
#
# An arrow, from each point to where it would come from.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 3, width=9.5, height=3.6)
for panel, (moment, belief) in zip(panels, beliefs.items()):
    scatter(panel, points, f"t = {moment}", colour="lightgrey")
    arrows = belief - grid
    panel.quiver(grid[:, 0], grid[:, 1], arrows[:, 0], arrows[:, 1], color=BLUE,
                 angles="xy", scale_units="xy", scale=1, width=0.005)
picture(figure, say("Fields of arrows: at t = 950 all point to the middle, "
                    "at 600 to the nearer moon, at 150 nearly all to the "
                    "nearest point of a moon.",
                    "Des champs de flèches : à t = 950, toutes visent le "
                    "milieu ; à 600, la lune la plus proche ; à 150, presque "
                    "toutes, le point le plus proche."))

# %% claims=true
assert beliefs[950].std(dim=0).mean() < 0.35 < beliefs[600].std(dim=0).mean() < beliefs[150].std(dim=0).mean()

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire dessiner les flèches avant de montrer. À 950, on ne sait rien : la moyenne des lunes. À 150, le point de lune le plus
# proche. Demander si l'on pourrait s'arrêter au premier panneau. (Tout le monde au milieu : ni l'une ni l'autre lune.) Le retour dépend
# des données ; l'aller, non.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have the arrows drawn before showing them. At 950 one knows nothing: the mean of the moons. At 150, the nearest point of a moon.
# Ask whether one could stop at the first panel. (Everyone in the middle: neither moon.) The way back depends on the data; the way there
# does not.

# %% [markdown] lang="fr"
# À 950, toutes les flèches visent le milieu, d'où la petite largeur : c'est la moyenne des deux lunes, où il n'y a pas une donnée. À 600,
# chacune choisit sa lune. À 150, presque toutes visent le point le plus proche. Voilà tout ce que le réseau a appris, et l'on voit pourquoi
# il **fallait** apprendre : connaître le mécanisme du bruit ne suffit pas. L'aller est le même pour tous les dessins du monde ; le retour,
# la loi de l'instant d'avant sachant celui-ci, dépend des données. Changez les lunes en cercles, et toutes ces flèches changent.

# %% [markdown] lang="en"
# At 950 all arrows point to the middle, hence the small width: it is the mean of both moons, where there is no datum at all. At 600 each
# chooses its moon. At 150 nearly all point to the nearest place. That is all the network has learned, and one sees why it **had to** be
# learned: to know how the noise is made is not enough. The way there is the same for all drawings in the world; the way back, the law of
# the timestep before given this one, depends on the data. Change the moons into circles, and all these arrows change.

# %% [markdown] lang="fr"
# ## 5. Le retour, pas à pas
#
# Partons d'un nuage de bruit pur et suivons les flèches **d'un seul coup** : tous les points tombent au milieu. Il faut donc avancer un
# peu, redemander, avancer encore. DDPM ([Ho et al. 2020](work:ho2020)) calcule, à chaque pas, la loi de l'instant d'avant, en tenant la
# croyance pour vraie, et **y tire un point au hasard**.
#
# Un nombre d'abord. De $\bar\alpha = 0{,}36$ (« maintenant »), on va à $0{,}64$ (« ensuite »). Entre les deux, $\beta = 1 - 0{,}36 /
# 0{,}64 = 0{,}4375$. Le point vaut $x = 0{,}2$, et le débruiteur croit en $x_0 = 1$. La moyenne de l'instant d'avant mêle les deux :
#
# $$ \frac{0{,}8 \times 0{,}4375 \times 1 + 0{,}75 \times 0{,}36 \times 0{,}2}{0{,}64} = 0{,}63 $$
#
# car $\sqrt{0{,}64} = 0{,}8$, $\sqrt{1 - 0{,}4375} = 0{,}75$ et $1 - 0{,}64 = 0{,}36$ ; en bas, $1 - 0{,}36 = 0{,}64$. Plus généralement
# (équation 7) :

# %% [markdown] lang="en"
# ## 5. The way back, step by step
#
# Let us start from a cloud of pure noise and follow the arrows **in one go**: all points fall in the middle. So one has to move a little,
# ask again, and move on. DDPM ([Ho and others 2020](work:ho2020)) works out, at each step, the law of the timestep before, taking the
# belief for true, and **samples a point from it**.
#
# First a number. From $\bar\alpha = 0.36$ ("now") we go to $0.64$ ("then"). Between the two, $\beta = 1 - 0.36 / 0.64 = 0.4375$. The
# point is $x = 0.2$, and the denoiser believes in $x_0 = 1$. The mean of the timestep before mixes both:
#
# $$ \frac{0.8 \times 0.4375 \times 1 + 0.75 \times 0.36 \times 0.2}{0.64} = 0.63 $$
#
# since $\sqrt{0.64} = 0.8$, $\sqrt{1 - 0.4375} = 0.75$ and $1 - 0.64 = 0.36$; below the bar, $1 - 0.36 = 0.64$. More generally
# (equation 7):

# %% [markdown]
# $$ \mu = \frac{\sqrt{\bar\alpha_{\text{then}}} \; \beta \; x_0 + \sqrt{1 - \beta} \, (1 - \bar\alpha_{\text{then}}) \, x}{1 - \bar\alpha_{\text{now}}} ,
# \qquad \sigma^2 = \beta \, \frac{1 - \bar\alpha_{\text{then}}}{1 - \bar\alpha_{\text{now}}} $$

# %% claims=true
assert round((0.8 * 0.4375 + 0.75 * 0.36 * 0.2) / 0.64, 2) == 0.63
assert 1 - 0.36 / 0.64 == 0.4375 and math.sqrt(1 - 0.4375) == 0.75

# %% [markdown] lang="fr"
# D'abord, par quels instants passer. On peut en sauter : la formule ne connaît que deux $\bar\alpha$. Rendez `steps` instants en ordre
# descendant, à partir du dernier, $T - 1$, où il n'y a que du bruit : celui du pas $i$ est $T (1 - i / \text{steps})$, arrondi, moins 1.
# (En partant de 0 vers le haut, on commencerait par un instant où le réseau attend un reste d'image : [Lin et al. 2024](work:lin2024).)
#
# <details><summary>Un indice</summary>
#
# `len(schedule)` est $T$ ; `round(…)` arrondit ; une compréhension de liste sur `range(steps)`.
#
# </details>

# %% [markdown] lang="en"
# First, which timesteps to pass through. One may skip some: the formula knows only two $\bar\alpha$. Return `steps` timesteps in falling
# order, from the last one, $T - 1$, where there is nothing but noise: that of step $i$ is $T (1 - i / \text{steps})$, rounded, minus 1.
# (Counted from 0 upwards, one would begin at a timestep where the network expects a remnant of picture: [Lin and others
# 2024](work:lin2024).)
#
# <details><summary>A hint</summary>
#
# `len(schedule)` is $T$; `round(…)` rounds; a list comprehension over `range(steps)`.
#
# </details>

# %% implements="samplers:spaced_timesteps" level=1
"""`steps` instants à égale distance, du dernier, T - 1, en descendant.

Celui du pas i, à partir de 0, est T (1 - i / steps), arrondi, moins 1 ; un demi
s'arrondit au nombre pair, comme avec `round`. On part donc de T - 1, où il n'y
a que du bruit. À égale distance depuis 0, ils finiraient sous T - 1, où le
débruiteur attend un peu d'image dans ce qui est du bruit pur (Lin et al. 2024,
table 2, « trailing »).
"""

# %% scratch=true
spaced_timesteps(cosine_schedule(1000), 4)
# → [999, 749, 499, 249]

# %% [markdown] lang="fr"
# Et DDPM. `path` sera `spaced_timesteps(schedule, steps)`, la liste des instants ; `pairwise([*path, -1])` donne les couples (instant,
# suivant), et `schedule.alpha_bar(-1)` vaut 1 : l'image nette. La bibliothèque vous donne
# `estimate_x0(denoise, x, path, index, callback)` : elle interroge le débruiteur à l'instant `path[index]`, et montre le pas à qui
# regarde : `callback` reçoit un objet qui porte `t`, `x` et `x0`. **Le dernier pas n'ajoute pas de bruit** : personne ne l'ôterait, et la
# formule y donne $\sigma = 0$.
#
# <details><summary>Un indice</summary>
#
# `for index, (t, before) in enumerate(pairwise([*path, -1])):` puis `now = schedule.alpha_bar(t)`, `then = schedule.alpha_bar(before)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `x = (of_x0 * x0 + of_x * x) / (1 - now)`, avec les deux coefficients de la formule de $\mu$.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Si `before >= 0`, ajoutez $\sigma$ (la **racine** de la variance) fois `torch.empty_like(x).normal_(generator=generator)`.
#
# </details>

# %% [markdown] lang="en"
# And DDPM. `path` will be `spaced_timesteps(schedule, steps)`, the list of timesteps; `pairwise([*path, -1])` gives the pairs (timestep,
# next one), and `schedule.alpha_bar(-1)` is 1: the clean picture. The library gives you `estimate_x0(denoise, x, path, index, callback)`:
# it asks the denoiser at timestep `path[index]`, and shows the step to whoever watches: `callback` receives an object with `t`, `x` and
# `x0`. **The last step adds no noise**: nobody would take it out, and the formula gives $\sigma = 0$ there.
#
# <details><summary>A hint</summary>
#
# `for index, (t, before) in enumerate(pairwise([*path, -1])):`, then `now = schedule.alpha_bar(t)`, `then = schedule.alpha_bar(before)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `x = (of_x0 * x0 + of_x * x) / (1 - now)`, with the two coefficients of the formula of $\mu$.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# If `before >= 0`, add $\sigma$ (the **root** of the variance) times `torch.empty_like(x).normal_(generator=generator)`.
#
# </details>

# %% implements="samplers:ddpm" level=2
"""DDPM, ou tirage ancestral (Ho et al. 2020, algorithme 2 et équation 7).

Chaque x est tiré selon q(x_avant | x_maintenant, x_0), avec l'estimation de
x_0 du débruiteur. Si alpha_bar vaut `now` à cet instant et `then` au suivant
du chemin (1 après le dernier), et beta = 1 - now / then, sa moyenne est
(sqrt(then) * beta * x_0 + sqrt(1 - beta) * (1 - then) * x) / (1 - now). Le
bruit nouveau a la plus petite des deux variances de l'article, beta * (1 -
then) / (1 - now) ; le dernier pas n'en ajoute pas. Le bruit nouveau corrige
les erreurs passées, mais demande beaucoup de pas.
"""
# the noise that all timesteps between them add => le bruit qu'ils ajoutent en tout

# %% scratch=true
# en: two timesteps, alpha_bar 0.64 then 0.36; a denoiser that always believes in 1
# fr: deux instants, alpha_bar 0,64 puis 0,36 ; un débruiteur qui croit toujours en 1
two_rates = NoiseSchedule(torch.tensor([0.36, 0.4375]))
believes_in_one = lambda x_t, t: torch.ones_like(x_t)
ddpm(believes_in_one, torch.tensor([[0.2]]), two_rates, steps=2)
# → tensor([[1.]])

# %% [markdown] lang="fr"
# Tout le retour, en quelques instants : d'un coup, en 5 pas, en 50. Pour comparer deux nuages, nous mesurons leur **distance** : l'écart
# moyen de leurs ombres sur une droite, une fois triées, en moyenne sur 32 droites. **Devinez** à partir de combien de pas on reconnaît les
# lunes.

# %% [markdown] lang="en"
# The whole way back, in a few moments: in one go, in 5 steps, in 50. To compare two clouds we measure their **distance**: the mean gap of
# their shadows on a line, once sorted, in the mean over 32 lines. **Guess** from how many steps on the moons can be recognised.

# %%
from dalle_edu.classroom.demos.samplers import distance_of_laws

start = torch.randn(2000, 2, generator=seeded(4))
truth = moons(2000, seeded(5))
again = moons(2000, seeded(6))
sampled = {}
for steps in (1, 5, 50):
    sampled[steps] = ddpm(believe, start, cosine, steps, seeded(0))
    print(f"{steps:2}", say("steps: distance from the moons",
                            "pas : distance aux lunes"),
          decimal(distance_of_laws(sampled[steps], truth), 2))
print(say("two true samples:", "deux vrais tirages :"),
      decimal(distance_of_laws(again, truth), 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Le retour, pas à pas
#
# Avancer un peu, redemander, avancer encore.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. The way back, step by step
#
# Move a little, ask again, move on.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 4, width=9.5, height=2.9)
titles = say("one step|5 steps|50 steps|true moons",
             "un pas|5 pas|50 pas|vraies lunes").split("|")
for panel, cloud, title in zip(panels, [*sampled.values(), truth], titles):
    scatter(panel, cloud[:800], title, colour=GREEN if cloud is truth else BLUE)
picture(figure, say("From the same noise: in one step all points are in the "
                    "middle; in 5 the moons are thick; in 50 they look like "
                    "the true ones.",
                    "Du même bruit : en un pas, tous les points sont au "
                    "milieu ; en 5, les lunes sont épaisses ; en 50, elles "
                    "ressemblent aux vraies."))

# %% claims=true
_far = [distance_of_laws(sampled[steps], truth) for steps in (1, 5, 50)]
assert _far[0] > 2 * _far[1] > 3 * _far[2] / 1.2
assert sampled[1].std() < 0.3
assert _far[2] < 1.5 * distance_of_laws(again, truth)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Le nombre au tableau (0,63), puis la figure. Demander ce que vaut un seul pas. (La moyenne : tous au milieu.) Demander pourquoi
# le dernier pas n'ajoute pas de bruit. (Personne ne l'ôterait.) Ce que l'on vient de voir est tout le procédé ; le reste de la leçon
# remplace des points par des images.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. The number on the board (0.63), then the figure. Ask what a single step gives. (The mean: all in the middle.) Ask why the last
# step adds no noise. (Nobody would take it out.) What we have just seen is the whole process; the rest of the lesson puts pictures in the
# place of points.

# %% [markdown] lang="fr"
# En un pas, la moyenne ; en cinq, des lunes épaisses ; en cinquante, des lunes, à peu près aussi proches des vraies que deux vrais tirages
# le sont l'un de l'autre. Nous venons de **dessiner** : ces points sont nouveaux.
#
# « Le réseau retrouve l'original », lit-on souvent. À l'entraînement, oui, on le compare à un original. Au tirage, il n'y en a pas.
# Vérifions : prenons **un** point d'une lune, brouillons-le jusqu'à l'instant $t$, cent fois, et revenons. **Devinez** où l'on arrive, de
# $t = 99$, de 399, de 999.

# %% [markdown] lang="en"
# In one step, the mean; in five, thick moons; in fifty, moons, about as near to the true ones as two true samples are to each other. We
# have just **drawn**: these points are new.
#
# "The network finds the original again", one often reads. In training, yes, it is compared with an original. In sampling there is none.
# Let us check: take **one** point of a moon, noise it as far as timestep $t$, a hundred times, and come back. **Guess** where one
# arrives, from $t = 99$, from 399, from 999.

# %%
def there_and_back(original, t):
    # en: the schedule up to t: the sampler starts from its last timestep
    # fr: le calendrier jusqu'à t : l'échantillonneur part de son dernier instant
    shorter = NoiseSchedule(cosine.betas[:t + 1])
    generator = seeded(t)
    copies = original.repeat(100, 1)
    noisy = add_noise(copies, torch.randn(100, 2, generator=generator),
                      torch.full((100,), t), shorter)
    return ddpm(believe, noisy, shorter, 25, generator)


# %%
original = moons(60, seeded(8))[4:5]
returned = {t: there_and_back(original, t) for t in (99, 399, 999)}
for t, ends in returned.items():
    print(f"t = {t:3}", say("  mean distance to the original:",
                            "  distance moyenne à l'original :"),
          decimal((ends - original).norm(dim=1).mean(), 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Retrouve-t-il l'original ?
#
# Un point, brouillé cent fois jusqu'à $t$, puis débruité.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Does it find the original again?
#
# One point, noised a hundred times as far as $t$, then denoised.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 3, width=9.5, height=3.4)
for panel, (t, ends) in zip(panels, returned.items()):
    scatter(panel, points, f"t = {t}", colour="lightgrey")
    scatter(panel, ends, f"t = {t}", colour=BLUE, size=12)
    scatter(panel, original, f"t = {t}", colour=VERMILION, size=90)
picture(figure, say("From t = 99 all hundred come back beside the red "
                    "original; from 399 nearly all spread over its moon; from "
                    "999, over both.",
                    "De t = 99, les cent reviennent près de l'original rouge "
                    "; de 399, presque tous s'étalent sur sa lune ; de "
                    "999, sur les deux."))

# %% claims=true
_away = [(ends - original).norm(dim=1).mean().item() for ends in returned.values()]
assert _away[0] < 0.35 and _away[0] < 0.6 * _away[1] < 0.6 * _away[2]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Le malentendu le plus tenace : « il retrouve l'image ». Faire parier, puis montrer. De 99, oui, à peu près. De 399, un parent. De
# 999, n'importe lequel : il ne reste rien à retrouver. Demander à quoi peut servir le panneau du milieu. (Des variantes d'une image : la
# leçon 14.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. The most stubborn misunderstanding: "it finds the picture". Take bets, then show. From 99, yes, more or less. From 399, a
# relative. From 999, any of them: there is nothing left to find. Ask what the middle panel may be good for. (Variations of a picture:
# lesson 14.)

# %% [markdown] lang="fr"
# De 99, on revient tout près ; de 399, chez un parent ; de 999, n'importe où sur les lunes. Il n'y a pas d'original à retrouver : chaque
# bruit mène à un dessin nouveau. Le panneau du milieu est d'ailleurs utile : « d'une image, plusieurs qui lui ressemblent ». DALL·E 2 le
# fait autrement, en gardant le plongement de l'image et en retirant le bruit ([](lesson:14)).

# %% [markdown] lang="en"
# From 99 one comes back close by; from 399, to a relative; from 999, anywhere on the moons. There is no original to be found again: each
# noise leads to a new drawing. The middle panel has its uses, by the way: "of one picture, several that resemble it". DALL·E 2 does it in
# another way, by keeping the picture's embedding and sampling the noise anew ([](lesson:14)).

# %% [markdown] lang="fr"
# ## 6. Le retour sans hasard
#
# DDPM tire au sort à chaque pas. Est-ce nécessaire ? En 2021, [Song, Meng et Ermon](work:song2021) remarquèrent que le réseau appris sert
# tel quel à un autre chemin, sans aucun tirage : **DDIM**. La croyance $x_0$ implique un bruit ; on les mêle de nouveau, avec moins de
# bruit. Avec nos nombres, $x = 0{,}2$ et $x_0 = 1$ impliquent $\varepsilon = (0{,}2 - 0{,}6 \times 1) / 0{,}8 = -0{,}5$ ; à $\bar\alpha =
# 0{,}64$, cela fait $0{,}8 \times 1 + 0{,}6 \times (-0{,}5) = 0{,}5$. Le même réseau, une autre marche.

# %% [markdown] lang="en"
# ## 6. The way back without chance
#
# DDPM samples at each step. Is that necessary? In 2021, [Song, Meng and Ermon](work:song2021) noticed that the trained network serves, as
# it is, on another path, without any sampling: **DDIM**. The belief $x_0$ implies a noise; both are mixed again, with less noise. With
# our numbers, $x = 0.2$ and $x_0 = 1$ imply $\varepsilon = (0.2 - 0.6 \times 1) / 0.8 = -0.5$; at $\bar\alpha = 0.64$ this makes $0.8
# \times 1 + 0.6 \times (-0.5) = 0.5$. The same network, another way of walking.

# %% [markdown]
# $$ \varepsilon = \frac{x - \sqrt{\bar\alpha_{\text{now}}} \; x_0}{\sqrt{1 - \bar\alpha_{\text{now}}}} , \qquad
# x' = \sqrt{\bar\alpha_{\text{then}}} \; x_0 + \sqrt{1 - \bar\alpha_{\text{then}} - \sigma^2} \; \varepsilon + \sigma \, \varepsilon' $$

# %% [markdown] lang="fr"
# Ici $\sigma$ vaut `eta` fois l'écart-type du bruit nouveau de DDPM, $\sqrt{\frac{1 - \bar\alpha_{\text{then}}}{1 -
# \bar\alpha_{\text{now}}} \left(1 - \frac{\bar\alpha_{\text{now}}}{\bar\alpha_{\text{then}}}\right)}$, et $\varepsilon'$ est ce bruit
# nouveau. À `eta` = 0, rien n'est tiré ; à 1, c'est DDPM. Écrivez-le, sur le modèle du précédent ; n'appelez le générateur
# que si $\sigma > 0$.
#
# <details><summary>Un indice</summary>
#
# La boucle est celle de DDPM : `estimate_x0`, `now`, `then`. Puis `eps`, selon la première formule.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `math.sqrt(then) * x0 + math.sqrt(1 - then - fresh**2) * eps`, où `fresh` est $\sigma$.
#
# </details>

# %% [markdown] lang="en"
# Here $\sigma$ is `eta` times the deviation of DDPM's fresh noise, $\sqrt{\frac{1 - \bar\alpha_{\text{then}}}{1 -
# \bar\alpha_{\text{now}}} \left(1 - \frac{\bar\alpha_{\text{now}}}{\bar\alpha_{\text{then}}}\right)}$, and $\varepsilon'$ is that fresh
# noise. With `eta` = 0 nothing is sampled; with 1 it is DDPM. Write it, on the model of the one before; call the generator only if
# $\sigma > 0$.
#
# <details><summary>A hint</summary>
#
# The loop is that of DDPM: `estimate_x0`, `now`, `then`. Then `eps`, by the first formula.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `math.sqrt(then) * x0 + math.sqrt(1 - then - fresh**2) * eps`, where `fresh` is $\sigma$.
#
# </details>

# %% implements="samplers:ddim" level=2
"""DDIM : mêler de nouveau l'image estimée et son bruit, avec moins de bruit.

Le bruit est ce que l'estimation du débruiteur laisse de x, divisé par son taux
(Song et al. 2021, équation 12). Ils sont mêlés aux taux de l'instant suivant
du chemin ; après le dernier, il ne reste rien du bruit. Le bruit nouveau a
`eta` fois l'écart-type de celui de `ddpm`, et la variance de l'ancien lui fait
place. Avec `eta` = 0, aucun bruit n'est ajouté, ni tiré : chaque bruit de
départ a son image, et des bruits proches ont des images proches. Avec `eta` =
1, c'est `ddpm`.
"""

# %% scratch=true
seen = []
first = torch.tensor([[0.2]])
ddim(believes_in_one, first, two_rates, steps=2, callback=seen.append)
# en: the point at the second step, as the callback received it
# fr: le point au deuxième pas, tel que le callback l'a reçu
seen[1].x
# → tensor([[0.5000]])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 10-12"
# ### Exercices 10 à 12 · Revenir
#
# **18 min.**
#
# - **10** ● `spaced_timesteps` : par où passer.
# - **11** ●● `ddpm` : croire, mêler, tirer.
# - **12** ●● `ddim` : sans tirer.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 10-12"
# ### Exercises 10 to 12 · Coming back
#
# **18 min.**
#
# - **10** ● `spaced_timesteps`: where to pass.
# - **11** ●● `ddpm`: believe, mix, sample.
# - **12** ●● `ddim`: without sampling.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 18 min. Fautes à guetter : du bruit ajouté au dernier pas ; la variance prise pour l'écart-type ; le bêta d'un seul instant, alors que
# l'on en saute ; dans DDIM, les taux de maintenant à la place de ceux d'ensuite.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 18 min. Mistakes to look for: noise added at the last step; the variance taken for the deviation; the beta of a single timestep, though
# some are skipped; in DDIM, the rates of now instead of those of then.

# %% [markdown] lang="fr"
# Où est donc le hasard de DDIM ? **Devinez** ce que donnent deux appels avec le même bruit de départ, et regardez les chemins.

# %% [markdown] lang="en"
# Where then is the chance in DDIM? **Guess** what two calls with the same starting noise give, and look at the paths.

# %%
ways = {}
for name, sampler in (("DDPM", ddpm), ("DDIM", ddim)):
    path = []
    first = sampler(believe, start[:30], cosine, 40, seeded(0),
                    path.append)
    second = sampler(believe, start[:30], cosine, 40, seeded(1))
    ways[name] = torch.stack([step.x for step in path] + [first])
    print(name, say("twice, mean distance:", "deux fois, distance moyenne :"),
          decimal((first - second).norm(dim=1).mean(), 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. Avec ou sans hasard
#
# Trente bruits de départ, quarante pas.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. With or without chance
#
# Thirty starting noises, forty steps.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 2, width=8, height=3.8)
for panel, (name, way), colour in zip(panels, ways.items(), (VERMILION, BLUE)):
    scatter(panel, points, name, colour="lightgrey")
    panel.plot(way[..., 0], way[..., 1], color=colour, linewidth=0.8, alpha=0.7)
    panel.scatter(way[-1, :, 0], way[-1, :, 1], s=14, color="black", zorder=3)
    panel.set_title(name)
picture(figure, say("Thirty paths to the moons: DDPM's are jagged, DDIM's "
                    "are curves, most of them smooth.",
                    "Trente chemins vers les lunes : ceux de DDPM "
                    "zigzaguent, ceux de DDIM sont des courbes, lisses pour "
                    "la plupart."))

# %% claims=true
_length = {name: (way[1:] - way[:-1]).norm(dim=2).sum(dim=0).mean() for name, way in ways.items()}
assert _length["DDPM"] > 2 * _length["DDIM"]
assert torch.equal(ddim(believe, start[:5], cosine, 10), ddim(believe, start[:5], cosine, 10))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Demander où est le hasard de DDIM. (Tout entier dans le bruit de départ.) Deux conséquences : le même bruit refait la même image,
# et des bruits voisins, des images voisines. C'est ce qui permettra la surprise de la section 9.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Ask where the chance in DDIM is. (All of it in the starting noise.) Two consequences: the same noise makes the same picture
# again, and neighbouring noises, neighbouring pictures. This is what will allow the surprise of section 9.

# %% [markdown] lang="fr"
# Tout le hasard de DDIM est dans le bruit de départ : le même bruit refait le même point. Et ses chemins, bien plus lisses, se parcourent à
# grands pas ; l'article annonce un tirage [10 à 50 fois plus rapide](work:song2021).
#
# On peut faire mieux sans demander plus. La croyance change le long du chemin, et d'une façon régulière : **DPM-Solver++** ([Lu et al.
# 2022](work:lu2022)) se souvient de la croyance d'avant, et avance vers celle qu'il *attend*. C'est l'exercice le plus difficile de la
# leçon. Mesurons le temps par $\lambda = \ln (\text{taux de signal} / \text{taux de bruit})$ ; d'un instant au suivant, $\lambda$ croît
# de $h$, et les taux de bruit vont de $s$ à $s'$, le taux de signal arrive à $a'$ :

# %% [markdown] lang="en"
# All of DDIM's chance is in the starting noise: the same noise makes the same point again. And its paths, much smoother, can be walked in
# long strides; the paper reports sampling [10 to 50 times faster](work:song2021).
#
# One can do better without asking more. The belief changes along the path, and evenly: **DPM-Solver++** ([Lu and others
# 2022](work:lu2022)) remembers the belief before, and moves towards the one that it *expects*. It is the hardest exercise of the lesson.
# Let us measure time by $\lambda = \ln (\text{signal rate} / \text{noise rate})$; from one timestep to the next $\lambda$ grows by $h$,
# and the noise rates go from $s$ to $s'$, while the signal rate comes to $a'$:

# %% [markdown]
# $$ x' = \frac{s'}{s} \, x - a' \, (e^{-h} - 1) \, D , \qquad D = x_0 + \frac{h}{2 \, h_{\text{before}}} \, (x_0 - x_0^{\text{before}}) $$

# %% [markdown] lang="fr"
# Au premier pas, il n'y a pas d'avant : $D = x_0$. Le dernier pas rend la croyance elle-même. Écrivez-le : la boucle va sur
# `pairwise(path)`, sans le −1 ; après elle, `return estimate_x0(denoise, x, path, len(path) - 1, callback)`.
#
# <details><summary>Un indice</summary>
#
# $\lambda = \frac12 \ln \frac{\bar\alpha}{1 - \bar\alpha}$, si bien que $h$ est la moitié d'une différence de deux logarithmes.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Gardez dans `earlier` le couple (croyance, $h$) du pas d'avant, `None` au début.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `math.expm1(-stride)` est $e^{-h} - 1$, sans perte de chiffres.
#
# </details>

# %% [markdown] lang="en"
# At the first step there is no before: $D = x_0$. The last step returns the belief itself. Write it: the loop goes over `pairwise(path)`,
# without the −1; after it, `return estimate_x0(denoise, x, path, len(path) - 1, callback)`.
#
# <details><summary>A hint</summary>
#
# $\lambda = \frac12 \ln \frac{\bar\alpha}{1 - \bar\alpha}$, so that $h$ is half of a difference of two logarithms.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Keep in `earlier` the pair (belief, $h$) of the step before, `None` at the beginning.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `math.expm1(-stride)` is $e^{-h} - 1$, without loss of digits.
#
# </details>

# %% implements="samplers:dpm_solver" level=3
"""DPM-Solver++(2M), du second ordre (Lu et al. 2022b, algorithme 2).

Il s'attend que l'estimation du débruiteur continue de changer comme elle vient
de le faire. Le temps est mesuré par le logarithme de taux de signal sur taux
de bruit, où le chemin est presque droit. Pour un pas h de ce temps, un taux de
bruit qui va de s à s', et un taux de signal a' après lui, x devient s' / s * x
- a' * (exp(-h) - 1) * expected, où `expected` est x_0 + h / (2 * pas d'avant)
* (x_0 - estimation d'avant). Le premier pas et le dernier, qui va à un temps
infini et rend son estimation, sont du premier ordre (ceux de DDIM). Aucun
bruit n'est ajouté : `generator` ne sert pas.
"""
# the last estimate and stride => estimation, pas

# %% scratch=true
seen = []
only_one = torch.tensor([[0.2]])
dpm_solver(believes_in_one, only_one, two_rates, steps=2, callback=seen.append)
# en: the point at the second step, as the callback received it
# fr: le point au deuxième pas, tel que le callback l'a reçu
seen[1].x
# → tensor([[0.5000]])

# %% [markdown] lang="fr"
# Combien de passages faut-il ? Pour ne mesurer que l'échantillonneur, prenons huit petits nuages sur un cercle, dont le meilleur débruiteur
# possible se calcule. Pour chaque bruit, comparons le point où l'on arrive en quelques pas à celui où l'on arrive en mille. **Devinez** :
# qui gagne à 10 pas, et de combien ?

# %% [markdown] lang="en"
# How many runs of the network does it take? To measure the sampler alone, let us take eight small clouds on a circle, whose best possible
# denoiser can be worked out. For each noise let us compare the point reached in a few steps with the one reached in a thousand. **Guess**:
# who wins at 10 steps, and by how much?

# %%
from dalle_edu.classroom.demos.samplers import best_denoiser

exact = best_denoiser(cosine)
noises = torch.randn(500, 2, generator=seeded(0),
                     dtype=torch.float64)
where_it_ends = dpm_solver(exact, noises, cosine, 1000)
few_steps, errors = (5, 10, 20, 40, 80), {"DDIM": [], "DPM-Solver++": []}
print(say("runs         ", "passages     "), *(f"{steps:5}" for steps in few_steps))
for name, sampler in (("DDIM", ddim), ("DPM-Solver++", dpm_solver)):
    for steps in few_steps:
        ends = sampler(exact, noises, cosine, steps)
        errors[name].append((ends - where_it_ends).norm(dim=1).mean().item())
    print(f"{name:13}", *(decimal(error, 3) for error in errors[name]))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Combien de pas ?
#
# La distance à la fin exacte de chaque bruit.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### How many steps?
#
# The distance from the exact end of each noise.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=6, height=3.6)
for (name, curve), colour, mark_ in zip(errors.items(), (BLUE, GREEN), "^s"):
    axes.loglog(few_steps, curve, mark_ + "-", color=colour, label=name)
axes.set_xticks(few_steps, [str(steps) for steps in few_steps])
axes.set_yticks([0.001, 0.01, 0.1], [say("0.001", "0,001"), say("0.01", "0,01"),
                                     say("0.1", "0,1")])
axes.minorticks_off()
axes.set(xlabel=say("runs of the network", "passages dans le réseau"))
axes.set(ylabel=say("error", "erreur"))
legend(axes)
picture(figure, say("Both errors fall as steps grow; that of DPM-Solver++ "
                    "falls much faster.",
                    "Les deux erreurs tombent quand les pas augmentent ; "
                    "celle de DPM-Solver++, bien plus vite."))

# %% claims=true
assert all(_later < _earlier for _curve in errors.values() for _earlier, _later in pairwise(_curve))
assert errors["DPM-Solver++"][3] < errors["DDIM"][3] / 2
assert 0.6 < errors["DPM-Solver++"][1] / errors["DDIM"][1] < 0.8

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Lire la pente : DDIM, du premier ordre, divise l'erreur par deux quand les pas doublent ; l'autre, bien davantage. Se souvenir
# d'une réponse ne coûte pas une question de plus. Demander ce que « moins de pas » coûte vraiment ; la section 11 le mesurera sur des
# scènes.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Read the slope: DDIM, of first order, halves its error when the steps double; the other does much better. To remember an answer
# costs not one question more. Ask what "fewer steps" really costs; section 11 will measure it on scenes.

# %% [markdown] lang="fr"
# À 10 passages, l'erreur de DPM-Solver++, du second ordre, est plus petite de près d'un tiers ; à 40, elle n'atteint pas la moitié de celle
# de DDIM, au même prix.
#
# Reste la promesse de la [](#three-ways-to-say-the-same). Les trois cibles ont été apprises par le même réseau, avec les mêmes données et
# le même nombre de pas. Laquelle dessine le mieux, en 20 pas de DDIM ? **Devinez** laquelle échoue.

# %% [markdown] lang="en"
# At 10 runs DPM-Solver++, of the second order, is wrong by nearly a third less; at 40 it is less than half as wrong as DDIM, at the same
# price.
#
# The promise of [](#three-ways-to-say-the-same) is left. All three targets were learned by the same network, from the same data, in the
# same number of steps. Which draws best, in 20 steps of DDIM? **Guess** which one fails.

# %%
into_the_plane = lambda x0: x0.clamp(-3, 3)
distances = {}
for target, network in plane_networks.items():
    plain = ddim(denoiser(network, cosine, target), start, cosine, 20)
    in_range = denoiser(network, cosine, target, into_the_plane)
    clipped = ddim(in_range, start, cosine, 20)
    distances[target] = [distance_of_laws(plain, truth),
                         distance_of_laws(clipped, truth)]
    print(f"{target:4}", say("distance:", "distance :"), decimal(distances[target][0], 2),
          say("  clipped:", "  bornée :"), decimal(distances[target][1], 2))

# %% claims=true
assert distances["eps"][0] > 5 * max(distances["v"][0], distances["x0"][0])
assert distances["eps"][1] < distances["eps"][0] / 5

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### $\varepsilon$, $x_0$ ou $v$, à temps égal
#
# Même réseau, mêmes données, mêmes pas. En 20 pas de DDIM :
#
# | cible | telle quelle | bornée au plan |
# |---|---|---|
# | $v$ | bonne | bonne |
# | $x_0$ | assez bonne | assez bonne |
# | $\varepsilon$ | explose | la moins bonne |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### $\varepsilon$, $x_0$ or $v$, at equal time
#
# The same network, data and steps. In 20 steps of DDIM:
#
# | target | as it is | clipped to the plane |
# |---|---|---|
# | $v$ | good | good |
# | $x_0$ | fairly good | fairly good |
# | $\varepsilon$ | explodes | the worst |

# %% claims=true
assert distances["v"][1] < distances["x0"][1] < distances["eps"][1]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire voter pour la cible qui échoue. La division par le taux de signal, vue à la section 3, la jette hors du plan dès le premier
# pas. Demander comment l'article de 2020 s'en tirait. (Un calendrier qui garde un peu de signal à la fin, des croyances bornées, et mille
# pas de DDPM.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them vote for the target that fails. The division by the signal rate, seen in section 3, throws it out of the plane at the
# first step. Ask how the paper of 2020 managed. (A schedule that keeps a little signal at the end, clipped beliefs, and a thousand steps
# of DDPM.)

# %% [markdown] lang="fr"
# $\varepsilon$ s'envole : au premier pas, la division par le taux de signal jette la croyance hors du plan. Bornée, elle revient, sans
# égaler les deux autres ; $v$ gagne. Voici donc trois raisons pour lesquelles « la perte est basse et les échantillons sont du bruit » :
# des images hors de [−1, 1], un $t$ sur une autre échelle qu'à l'entraînement, une croyance jamais bornée. La perte, elle, ne dit rien de
# tout cela.

# %% [markdown] lang="en"
# $\varepsilon$ flies away: at the first step the division by the signal rate throws the belief out of the plane. Clipped, it comes back,
# without equalling the other two; $v$ wins. So here are three reasons why "the loss is low and the samples are noise": pictures out of
# [−1, 1], a $t$ on another scale than in training, a belief that is never clipped. The loss says nothing of all this.

# %% [markdown] lang="fr"
# ## 7. Des points aux chiffres
#
# Rien, dans ce qui précède, ne savait que $x$ était un point. Remplaçons-le par une image de 64 pixels, et le MLP par le U-Net de la
# [](lesson:06) : il reçoit une image brouillée et en rend une de même taille. C'est l'outil de presque toute la génération d'images de
# 2020 à 2022 ; des transformeurs ont pris sa place depuis ([Peebles et Xie 2023](work:peebles2023)). L'instant entre dans chaque bloc
# résiduel, par son plongement. Et l'on y ajoute un **renseignement** : la classe du chiffre voulu, dix nombres dont un seul vaut 1.
#
# Classer, débruiter, dessiner : longtemps, ce furent trois métiers de la vision par ordinateur. Ici, on apprend le deuxième, et l'on
# obtient le troisième.

# %% [markdown] lang="en"
# ## 7. From points to digits
#
# Nothing in what precedes knew that $x$ was a point. Let us put a picture of 64 pixels in its place, and in place of the MLP the U-Net of
# [](lesson:06): it is given a noisy picture and returns one of the same size. It is the tool of nearly all picture generation from 2020
# to 2022; transformers have taken its place since ([Peebles and Xie 2023](work:peebles2023)). The timestep enters every residual block,
# by its embedding. And a piece of **information** is added: the class of the digit that is wanted, ten numbers of which a single one is
# 1.
#
# To classify, to denoise, to draw: for a long time these were three trades of computer vision. Here one learns the second, and gets the
# third.

# %%
from dalle_edu.bricks.unet import UNet, UNetConfig

classes = F.one_hot(labels, 10).float()
order = torch.randperm(len(images), generator=seeded(0))
seen_digits, new_digits = order[:1300], order[1300:]


def build_digit_network():
    torch.manual_seed(0)
    return UNet(UNetConfig(in_channels=1, out_channels=1, widths=(24, 48), depth=1,
                           attention_levels=(1,), heads=2, pooled_width=10))


# %%
def loss_on_digits(network, generator):
    chosen = seen_digits[torch.randint(1300, (64,), generator=generator)]
    # en: one class in ten is left out, and becomes ten zeros
    # fr: une classe sur dix est tue, et devient dix zéros
    told = torch.rand(64, 1, generator=generator) >= 0.1
    return diffusion_loss(network, images[chosen], cosine, "v", generator=generator,
                          pooled=classes[chosen] * told)


def learn_the_digits():
    network = build_digit_network()
    learn(network, loss_on_digits, steps=340, rate=3e-3)
    return network


# %%
network = kept("digits", learn_the_digits, like=build_digit_network, patience=5)
ten = torch.eye(10)
clip = lambda x0: x0.clamp(-1, 1)
denoise = denoiser(partial(network, pooled=ten), cosine, "v", clip)
ten_noises = torch.randn(10, 1, 8, 8, generator=seeded(2))
path = []
drawn = ddim(denoise, ten_noises, cosine, 20, callback=path.append)

# %% [markdown] lang="fr"
# Un chemin, du bruit au chiffre : en haut, ce que tient l'échantillonneur ; en bas, ce que croit le réseau au même instant. **Devinez** :
# devant du bruit pur, à quoi croit un réseau à qui l'on n'a dit que « 3 » ? et qu'est-ce qui se précise en dernier ?

# %% [markdown] lang="en"
# A path, from noise to digit: above, what the sampler holds; below, what the network believes at the same timestep. **Guess**: faced with
# pure noise, what does a network believe in that was only told "3"? and what becomes sharp last?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Du bruit au chiffre
#
# En haut $x_t$, en bas la croyance en $x_0$.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. From noise to digit
#
# Above $x_t$, below the belief in $x_0$.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
shown = (0, 4, 8, 12, 15, 17, 19)
figure, panels = plot(2, 7, width=9, height=3.2)
for column, index in zip(panels.T, shown):
    show(column[0], path[index].x[3], f"t = {path[index].t}")
    show(column[1], path[index].x0[3], smooth=True)
panels[0, 0].set_ylabel("$x_t$")
panels[1, 0].set_ylabel(say("belief", "croyance"))
picture(figure, say("Above, noise that turns into a 3; below, beliefs that "
                    "begin as a blurred mean 3 and grow sharper.",
                    "En haut, un bruit qui devient un 3 ; en bas, des "
                    "croyances qui commencent par un 3 moyen et flou, puis "
                    "se précisent."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire deviner l'instant où le chiffre se décide. La première croyance est un 3 moyen, flou : la moyenne, encore. Puis l'épaisseur
# et le penchant se fixent, enfin les bords. Demander ce qui, dans le U-Net, sait l'instant et la classe. (Chaque bloc résiduel, par son
# plongement.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Have the timestep guessed at which the digit is decided. The first belief is a mean 3, blurred: the mean, once more. Then
# thickness and slant are settled, and edges last. Ask what in the U-Net knows the timestep and the class. (Every residual block, by its
# embedding.)

# %% [markdown] lang="fr"
# La première croyance, sur du bruit pur, est le 3 **moyen**. Puis le 3 prend de l'épaisseur et un penchant, et ses bords viennent en
# dernier : du grossier au fin. À quels instants est-ce difficile ? Mesurons l'erreur du même réseau, instant par instant, sur 200
# chiffres qu'il n'a jamais vus, avec trois règles : l'erreur sur $v$, et celles sur l'image et sur le bruit que ce $v$ implique.
# **Devinez** la forme des trois courbes.

# %% [markdown] lang="en"
# The first belief, from pure noise, is the **mean** 3. Then the 3 takes on a thickness and a slant, and its edges come last: from coarse
# to fine. At which timesteps is it hard? Let us measure the error of the same network, timestep by timestep, on 200 digits that it has
# never seen, by three rulers: the error in $v$, and those in the picture and in the noise that this $v$ implies. **Guess** the shape of
# the three curves.

# %%
moments = (20, 100, 200, 300, 450, 600, 700, 800, 900, 980)
some = new_digits[:200]
true_noise = torch.randn(200, 1, 8, 8, generator=seeded(9))
by_moment = {"v": [], "x0": [], "eps": []}
for moment in moments:
    t = torch.full((200,), moment)
    x_t = add_noise(images[some], true_noise, t, cosine)
    with torch.no_grad():
        v = network(x_t, t, pooled=classes[some])
    x0, implied = picture_and_noise(v, x_t, t, cosine, "v")
    wanted = training_target(images[some], true_noise, t, cosine, "v")
    by_moment["v"].append(F.mse_loss(v, wanted).item())
    by_moment["x0"].append(F.mse_loss(x0, images[some]).item())
    by_moment["eps"].append(F.mse_loss(implied, true_noise).item())

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La perte, instant par instant

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The loss, timestep by timestep

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.5, height=3.6)
names = {"v": "$v$", "x0": "$x_0$", "eps": r"$\varepsilon$"}
colours, styles = (GREEN, BLUE, VERMILION), ("o-", "s--", "^:")
for (ruler, curve), colour, style in zip(by_moment.items(), colours, styles):
    axes.plot(moments, curve, style, color=colour, label=names[ruler])
axes.set(xlabel="t", ylabel=say("mean squared error", "erreur au carré moyenne"))
legend(axes)
picture(figure, say("The error in the noise is large at early timesteps, "
                    "that in the picture at late ones; that in v is the sum "
                    "of both.",
                    "L'erreur sur le bruit est grande aux premiers instants, "
                    "celle sur l'image aux derniers ; celle sur v est la "
                    "somme des deux."))

# %% claims=true
assert by_moment["eps"][0] > 4 * by_moment["eps"][-1] and by_moment["x0"][-1] > 4 * by_moment["x0"][0]
assert all(abs(a - b - c) < 1e-3 for a, b, c in zip(*(by_moment[ruler] for ruler in ("v", "x0", "eps"))))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire dessiner les courbes d'abord. Là où il y a peu de bruit, le bruit est dur à voir ; là où il y a peu d'image, l'image.
# L'erreur sur v est la somme des deux : le montrer par le quart de tour (une rotation garde les longueurs). Une moyenne sur tous les
# instants cache tout cela.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have the curves drawn first. Where there is little noise, the noise is hard to see; where there is little picture, the picture.
# The error in v is the sum of both: show it by the quarter of a turn (a rotation keeps lengths). A mean over all timesteps hides all
# this.

# %% [markdown] lang="fr"
# Là où il y a peu de bruit, le bruit est difficile à lire ; là où il reste peu d'image, c'est l'image. Et l'erreur sur $v$ est, à chaque
# instant, exactement la somme des deux : $v$ et $x_t$ sont $\varepsilon$ et $x_0$ tournés d'un angle, et une rotation garde les
# longueurs.

# %% [markdown] lang="en"
# Where there is little noise, the noise is hard to read; where little picture is left, it is the picture. And the error in $v$ is, at
# each timestep, exactly the sum of both: $v$ and $x_t$ are $\varepsilon$ and $x_0$ turned by an angle, and a rotation keeps lengths.

# %% [markdown] lang="fr"
# ## 8. Le guidage
#
# Nous voulons $P(\text{image} \mid \text{demande})$ : un raton laveur dans un casque d'astronaute ou, ici, un 7. Le réseau entend la
# demande ; mais une image floue, qui va avec tout, lui coûte peu : il obéit mollement. En 2021, [Ho et Salimans](work:ho2021) trouvèrent
# le remède, dit **guidage sans classifieur**. À l'entraînement, on tait la demande une fois sur dix : il n'y a qu'**un** réseau et
# qu'**une** perte, et ce réseau sait aussi dessiner sans consigne. Au tirage seulement, on l'interroge deux fois, et l'on exagère la
# différence.
#
# Un nombre : sans consigne, il prédit 0,2 ; avec, 0,5. À l'échelle 3, on prend $0{,}2 + 3 \times (0{,}5 - 0{,}2) = 1{,}1$. À 1, la
# réponse avec consigne ; à 0, celle sans.

# %% [markdown] lang="en"
# ## 8. Guidance
#
# We want $P(\text{picture} \mid \text{request})$: a raccoon in an astronaut's helmet or, here, a 7. The network hears the request; but a
# blurred picture, which goes with everything, costs it little: it obeys half-heartedly. In 2021, [Ho and Salimans](work:ho2021) found the
# cure, called **classifier-free guidance**. In training the request is left out one time in ten: there is only **one** network and
# **one** loss, and this network can also draw without being told. In sampling alone it is asked twice, and the difference is enlarged.
#
# A number: without the request it predicts 0.2; with it, 0.5. At scale 3 one takes $0.2 + 3 \times (0.5 - 0.2) = 1.1$. At 1, the answer
# with the request; at 0, the one without.

# %% [markdown]
# $$ \tilde v = v_{\varnothing} + s \, \left( v_{c} - v_{\varnothing} \right) $$

# %% claims=true
assert abs(0.2 + 3 * (0.5 - 0.2) - 1.1) < 1e-9

# %% [markdown] lang="fr"
# Rendez un **réseau guidé**, une fonction de (`x_t`, `t`). `conditional` et `unconditional` sont des dictionnaires : les mêmes noms, des
# tenseurs d'une ligne par image. Le réseau ne doit être appelé **qu'une fois**, sur un lot de 2n lignes ; à l'échelle 1, où le guidage ne
# change rien, sur n lignes seulement.
#
# <details><summary>Un indice</summary>
#
# `torch.cat([x_t, x_t])` double le lot ; `t` aussi, et chaque condition : `torch.cat([conditional[name], unconditional[name]])`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `with_condition, without = both.chunk(2)` coupe le résultat en ses deux moitiés.
#
# </details>

# %% [markdown] lang="en"
# Return a **guided network**, a function of (`x_t`, `t`). `conditional` and `unconditional` are dictionaries: the same names, tensors
# with a row for each picture. The network is to be called **once only**, on a batch of 2n rows; at scale 1, where guidance changes
# nothing, on n rows alone.
#
# <details><summary>A hint</summary>
#
# `torch.cat([x_t, x_t])` doubles the batch; `t` likewise, and each condition: `torch.cat([conditional[name], unconditional[name]])`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `with_condition, without = both.chunk(2)` cuts the result into its two halves.
#
# </details>

# %% implements="guidance:guided" level=2
"""Le guidage sans classifieur d'un réseau de diffusion (Ho et Salimans 2021).

Rend un réseau `(x_t, t)` dont la prédiction va de celle sans condition vers
celle avec condition, et au-delà pour une échelle de plus de 1. `conditional`
et `unconditional` sont les conditions de n images, par nom. Le réseau
travaille une fois, sur un lot de 2n. À l'échelle 1, il travaille sur n,
puisque le guidage n'y change rien. On peut mêler eps, x0 ou v : à (x_t, t)
donnés, chacun est fonction linéaire des autres.
"""

# %% scratch=true
# en: a network that repeats its condition
# fr: un réseau qui répète sa condition
repeats = lambda x_t, t, told: told
with_it = {"told": torch.tensor([[0.5]])}
without_it = {"told": torch.tensor([[0.2]])}
guided(repeats, 3.0, with_it, without_it)(torch.zeros(1, 1), at_once)
# → tensor([[1.1000]])

# %% [markdown] lang="fr"
# **Un bouton, une image.** Tournons l'échelle de 0 à 8. Un juge, qui n'a appris que sur les chiffres que le réseau n'a pas vus, lit cent
# dessins : sont-ils ce que l'on demandait ? Et combien diffèrent-ils entre eux, à demande égale (l'écart-type des pixels autour de la
# moyenne de la classe) ? **Devinez** les deux courbes.

# %% [markdown] lang="en"
# **One knob, one picture.** Let us turn the scale from 0 to 8. A judge, which has learned only from digits that the network has not seen,
# reads a hundred drawings: are they what was asked for? And how much do they differ from one another, for the same request (the deviation
# of pixels from the mean of the class)? **Guess** both curves.

# %%
from sklearn.svm import SVC

from dalle_edu.classroom.demos.diffusion import variety

judge = SVC(C=10).fit(images[new_digits].flatten(1), labels[new_digits])


def draw_digits(asked, scale, noise, steps=10, callback=None):
    told = {"pooled": F.one_hot(asked, 10).float()}
    untold = {"pooled": torch.zeros(len(asked), 10)}
    guided_network = guided(network, scale, told, untold)
    denoise = denoiser(guided_network, cosine, "v", clip)
    return dpm_solver(denoise, noise, cosine, steps, callback=callback)


# %%
asked = torch.arange(10).repeat(10)
hundred_noises = torch.randn(100, 1, 8, 8, generator=seeded(1))
scales, obeyed, spread, sheets = (0, 1, 2, 4, 8), [], [], {}
with torch.no_grad():
    for scale in scales:
        sheets[scale] = draw_digits(asked, scale, hundred_noises)
        obeyed.append(judge.score(sheets[scale].flatten(1), asked))
        spread.append(variety(sheets[scale], asked))
        print(say("scale", "échelle"), scale, say("  as asked:", "  comme demandé :"),
              decimal(100 * obeyed[-1], 0), "%", say("  variety:", "  variété :"),
              decimal(spread[-1], 2))
print(say("variety of real digits:", "variété de vrais chiffres :"),
      decimal(variety(images, labels), 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Un bouton : l'échelle du guidage
#
# $\tilde v = v_{\varnothing} + s \, (v_c - v_{\varnothing})$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. One knob: the guidance scale
#
# $\tilde v = v_{\varnothing} + s \, (v_c - v_{\varnothing})$

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=6.5, height=3.4)
of_real = variety(images, labels)
axes.plot(scales, obeyed, "o-", color=BLUE, label=say("as asked", "comme demandé"))
axes.plot(scales, [each / of_real for each in spread], "s--", color=VERMILION,
          label=say("variety / real", "variété / réelle"))
axes.set(xlabel=say("guidance scale", "échelle du guidage"), ylim=(0, 1.2))
axes.set_xticks(scales, [str(scale) for scale in scales])
legend(axes, loc="lower right")
picture(figure, say("As the scale grows, more digits are as asked, up to "
                    "nearly all; their variety falls, then stays.",
                    "Quand l'échelle croît, plus de chiffres sont ceux "
                    "demandés, presque tous bientôt ; leur variété tombe, "
                    "puis reste."))

# %% claims=true
assert obeyed[0] < 0.25 and obeyed[1] < obeyed[2] and min(obeyed[2:]) > 0.9
assert spread[1] > spread[2] > spread[3]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Le nombre au tableau : 1,1. Faire dessiner les deux courbes. On lit parfois que le guidage donne « qualité et diversité » : il
# achète l'une avec l'autre. Demander s'il entraîne quelque chose. (Rien : il n'agit qu'au tirage ; à l'entraînement, on n'a fait que
# taire une classe sur dix.) Coût : deux lignes par image et par pas ; vingt pas, quatre images, 160 lignes.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. The number on the board: 1.1. Have both curves drawn. One sometimes reads that guidance gives "quality and diversity": it buys
# one with the other. Ask whether it trains anything. (Nothing: it acts in sampling alone; all that training did was to leave out one
# class in ten.) Cost: two rows for each picture and each step; twenty steps, four pictures, 160 rows.

# %% [markdown] lang="fr"
# **Ce que nous avons appris.** À 0, la demande n'est pas entendue : un dessin sur dix la suit, par hasard. De 1 à 4, l'obéissance monte et
# la variété descend. On lit parfois que la partie « avec » apporte la qualité, et la partie « sans » la diversité ; c'est l'inverse qui se
# mesure : le guidage **coûte** de la diversité, et la réponse sans consigne n'est là que pour qu'on s'en éloigne. Il n'entraîne rien : il
# n'agit qu'au tirage.
#
# Voyez-le sur les mêmes bruits, d'une colonne à l'autre ; la demande est écrite à gauche. **Devinez** ce qui arrive aux traits à
# l'échelle 8.

# %% [markdown] lang="en"
# **What we have learned.** At 0 the request is not heard: one drawing in ten follows it, by chance. From 1 to 4 obedience rises and variety
# falls. One sometimes reads that the part "with" brings quality, and the part "without" diversity; what one measures is otherwise: guidance
# **costs** diversity, and the answer without the request is only there to be moved away from. It trains nothing: it acts in sampling alone.
#
# See it on the same noises, from one column to the next; the request stands on the left. **Guess** what becomes of the strokes at scale 8.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### L'éventail
#
# Une ligne : un bruit, une demande. De gauche à droite : 0, 1, 2, 4, 8.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The fan
#
# A row: one noise, one request. From left to right: 0, 1, 2, 4, 8.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
chosen_rows = (22, 37, 33, 45)
figure, panels = plot(4, 5, width=5.6, height=4.5)
for row, number in zip(panels, chosen_rows):
    for panel, scale in zip(row, scales):
        show(panel, sheets[scale][number], smooth=True)
    row[0].set_ylabel(say(f"a {asked[number]}", f"un {asked[number]}"))
for panel, scale in zip(panels[0], scales):
    panel.set_title(f"s = {scale}")
picture(figure, say("Four noises, four requests: at scale 0 any digit comes; "
                    "from 2 on the one that was asked for; at 8 strokes are "
                    "pure black and white.",
                    "Quatre bruits, quatre demandes : à 0 vient n'importe "
                    "quel chiffre ; dès 2, celui demandé ; à 8, les traits "
                    "sont noirs ou blancs."))

# %% claims=true
_pure = {scale: (sheets[scale].abs() > 0.97).float().mean().item() for scale in (1, 8)}
assert _pure[8] > 1.3 * _pure[1], _pure

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Suivre une ligne du doigt. À 0, la demande n'est pas entendue. À 8, les traits saturent : le guidage pousse les pixels hors de
# leurs bornes. Demander ce qu'un bornage simple fait alors des nuances. (Il les écrase.) D'où le seuillage dynamique d'Imagen, exercice
# suivant.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Follow a row with a finger. At 0 the request is not heard. At 8 strokes saturate: guidance pushes pixels out of range. Ask what a
# plain clip then does to shades. (It flattens them.) Hence Imagen's dynamic thresholding, the next exercise.

# %% [markdown] lang="fr"
# À 8, bien plus de pixels sont tout noirs ou tout blancs : le guidage les pousse hors de [−1, 1], et le bornage les écrase sur les bords.
# Imagen ([Saharia et al. 2022](work:saharia2022)) proposa le **seuillage dynamique** : pour chaque image, le seuil $m$ est la valeur
# absolue qu'une part `percentile` de ses nombres ne dépasse pas, ou 1 si c'est plus ; on borne à $\pm m$, **puis** on divise par $m$. Avec
# (3 ; −1,5 ; 0,6) et un percentile de 1, $m = 3$ : il reste (1 ; −0,5 ; 0,2), là où le bornage simple donne (1 ; −1 ; 0,6).

# %% [markdown] lang="en"
# At 8 many more pixels are pure black or pure white: guidance pushes them out of [−1, 1], and the clip flattens them against the edges.
# Imagen ([Saharia and others 2022](work:saharia2022)) proposed **dynamic thresholding**: for each picture the threshold $m$ is the absolute
# value that a part `percentile` of its numbers do not exceed, or 1 if that is larger; one clips at $\pm m$, **then** divides by $m$. With
# (3, −1.5, 0.6) and a percentile of 1, $m = 3$: what is left is (1, −0.5, 0.2), where the plain clip gives (1, −1, 0.6).

# %% [markdown] lang="fr"
# Écrivez le seuillage dynamique d'un lot (n, …). Le résultat a le type de `x0`, même en demi-précision (`bfloat16`), que `torch.quantile`
# refuse.
#
# <details><summary>Un indice</summary>
#
# `torch.quantile(valeurs, percentile, dim=1)` sur `x0.reshape(len(x0), -1).abs()` ; puis `.clamp(min=1)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `valeurs.to(torch.promote_types(x0.dtype, torch.float32))` monte à float32 ce qui est en dessous, et laisse float64 ; à la fin,
# `.to(x0.dtype)` sur le seuil.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `beside(threshold, x0)`, que la bibliothèque vous donne, met n nombres dans une forme qui multiplie ou divise n images.
# `x0.clamp(-largest, largest)` accepte des tenseurs.
#
# </details>

# %% [markdown] lang="en"
# Write dynamic thresholding, for a batch (n, …). The result has the dtype of `x0`, even in half precision (`bfloat16`), which
# `torch.quantile` refuses.
#
# <details><summary>A hint</summary>
#
# `torch.quantile(values, percentile, dim=1)` on `x0.reshape(len(x0), -1).abs()`; then `.clamp(min=1)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `values.to(torch.promote_types(x0.dtype, torch.float32))` lifts to float32 what is below it, and leaves float64; in the end,
# `.to(x0.dtype)` on the threshold.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `beside(threshold, x0)`, which the library gives you, brings n numbers to a shape that multiplies or divides n pictures.
# `x0.clamp(-largest, largest)` accepts tensors.
#
# </details>

# %% implements="diffusion:dynamic_threshold" level=2
"""Le seuillage dynamique : ramener chaque image dans [-1, 1] sans l'aplatir.

Chaque image est bornée à la valeur absolue qu'une part `percentile` de ses
nombres ne dépasse pas, ou à 1 si c'est plus, puis divisée par elle (Saharia et
al. 2022, Imagen, section 2.3). Un guidage fort pousse les pixels hors de leurs
bornes, et un bornage simple en ferait des plaques saturées. Une image déjà
dans les bornes reste comme elle est.
"""
# torch.quantile refuses half precision => torch.quantile refuse la demi-précision

# %% scratch=true
dynamic_threshold(torch.tensor([[3.0, -1.5, 0.6]]), percentile=1.0)
# → tensor([[ 1.0000, -0.5000, 0.2000]])

# %% [markdown] lang="fr"
# Combien de pixels des croyances sortent de leurs bornes, en chemin ? **Devinez**, à l'échelle 1 puis à 8.

# %% [markdown] lang="en"
# How many pixels of the beliefs leave their range, on the way? **Guess**, at scale 1 and then at 8.

# %%
def share_out_of_range(scale):
    shares = []

    def look_and_clip(x0):
        shares.append((x0.abs() > 1.1).float().mean().item())
        return clip(x0)

    told, untold = {"pooled": ten}, {"pooled": 0 * ten}
    guided_network = guided(network, scale, told, untold)
    look = denoiser(guided_network, cosine, "v", look_and_clip)
    ddim(look, ten_noises, cosine, 10)
    return 100 * sum(shares) / len(shares)


out_of_range = [share_out_of_range(scale) for scale in (1, 8)]
print(say("out of range at scale 1:", "hors des bornes à l'échelle 1 :"),
      decimal(out_of_range[0], 0), "%", say(" at 8:", " à 8 :"),
      decimal(out_of_range[1], 0), "%")

# %% claims=true
assert out_of_range[0] < 12 and 40 < out_of_range[1] < 65

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 13-15"
# ### Exercices 13 à 15 · Aller vite, obéir
#
# **13 min** pour 14 et 15 ; 13 pour chez soi.
#
# - **13** ●●● `dpm_solver` : se souvenir d'une croyance.
# - **14** ●● `guided` : deux questions en une.
# - **15** ●● `dynamic_threshold` : borner sans écraser.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 13-15"
# ### Exercises 13 to 15 · Going fast, obeying
#
# **13 min** for 14 and 15; 13 for home.
#
# - **13** ●●● `dpm_solver`: remember a belief.
# - **14** ●● `guided`: two questions in one.
# - **15** ●● `dynamic_threshold`: clip without flattening.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 13 min. Fautes à guetter : les moitiés du lot échangées (le guidage fuit ce qu'on demande) ; partir de la réponse conditionnée ; un seul
# seuil pour tout le lot ; un seuil sous 1, qui étire des images déjà dans leurs bornes.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 13 min. Mistakes to look for: the halves of the batch swapped (guidance runs from what is asked); starting from the conditional answer;
# one threshold for the whole batch; a threshold below 1, which stretches pictures already in range.

# %% [markdown] lang="fr"
# À l'échelle 1, quelques pixels sur cent ; à 8, environ la moitié. La [](lesson:15) reprendra ce seuil, là où il compte. GLIDE ([Nichol et
# al. 2022](work:nichol2022)) remplaça la classe par une **phrase** : une diffusion guidée par du texte. Le décodeur de DALL·E 2 en
# descend : un modèle de diffusion guidé, à qui l'on dit un plongement de CLIP ([](lesson:14)). À cette façon près de donner le
# renseignement (« un homme aux cheveux roux », une classe, une image), c'est ce que vous venez d'écrire.

# %% [markdown] lang="en"
# At scale 1, a few pixels in a hundred; at 8, about half of them. [](lesson:15) will come back to this threshold, where it matters. GLIDE
# ([Nichol and others 2022](work:nichol2022)) put a **sentence** in the place of the class: diffusion guided by text. DALL·E 2's decoder
# descends from it: a guided diffusion model, told a CLIP embedding ([](lesson:14)). But for how the information is given ("a red-haired
# man", a class, a picture), it is what you have just written.

# %% [markdown] lang="fr"
# ## 9. Une seule main
#
# Revenons au carré du début. **Rappelez-vous** le chiffre que vous y aviez vu. Donnons ce même carré, dix fois, au même réseau, avec dix
# demandes : 0, 1, 2, jusqu'à 9. Aucun tirage en chemin. **Devinez** : qu'auront ces dix dessins en commun ?

# %% [markdown] lang="en"
# ## 9. One hand
#
# Back to the square of the beginning. **Remember** the digit that you saw in it. Let us give this very square, ten times, to the same
# network, with ten requests: 0, 1, 2, up to 9. Nothing is sampled on the way. **Guess**: what will these ten drawings have in common?

# %%
ten_digits, hand = torch.arange(10), []
with torch.no_grad():
    one_hand = draw_digits(ten_digits, 2, white_noise.expand(10, -1, -1, -1), 20,
                           callback=hand.append)
    other_noise = torch.randn(1, 1, 8, 8, generator=seeded(15))
    other_hand = draw_digits(ten_digits, 2, other_noise.expand(10, -1, -1, -1), 20)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. Le même bruit, dix demandes

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. The same noise, ten requests

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 11, width=9.5, height=2.3)
for row, noise, digits_drawn in zip(panels, (white_noise, other_noise),
                                    (one_hand, other_hand)):
    show(row[0], noise[0])
    for panel, image in zip(row[1:], digits_drawn):
        show(panel, image, smooth=True)
panels[0, 0].set_title(say("noise", "bruit"))
picture(figure, say("Two rows. From the first noise, ten digits of one "
                    "handwriting; from another noise, ten digits of another.",
                    "Deux lignes. Du premier bruit, dix chiffres d'une même "
                    "écriture ; d'un autre bruit, dix chiffres d'une autre."))

# %% claims=true
assert judge.score(one_hand.flatten(1), ten_digits) >= 0.9

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Relire les votes du début : tout le monde avait raison. Laisser regarder. Demander ce qui est commun à une ligne : l'épaisseur,
# le penchant, la place sur la feuille. La classe décide du chiffre ; le bruit, de la main.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Read out the votes of the beginning: everyone was right. Let them look. Ask what a row has in common: thickness, slant, place on
# the sheet. The class decides the digit; the noise, the hand.

# %% [markdown] lang="fr"
# Les dix s'y cachaient, **de la même main** (l'affichage est adouci ; ce sont les mêmes 64 pixels). Tout ce que la classe ne décide pas,
# l'épaisseur du trait, son penchant, sa place, vient du bruit, et le bruit est le même. Chaque carré de bruit est une écriture. Est-ce
# une impression ? Prenons vingt bruits. L'encre d'un dessin (la moyenne de ses pixels), comparée à celle de sa classe : si le bruit ne
# décidait de rien, la moyenne des dix écarts d'une main varierait dix fois moins qu'un écart seul. **Devinez** la part.

# %% [markdown] lang="en"
# All ten were hidden there, **in one hand** (the display is smoothed; they are the same 64 pixels). All that the class does not decide, the
# thickness of the stroke, its slant, its place, comes from the noise, and the noise is the same. Each square of noise is a handwriting. Is
# that only an impression? Let us take twenty noises. The ink of a drawing (the mean of its pixels), compared with that of its class: if the
# noise decided nothing, the mean of the ten differences of a hand would vary ten times less than a single difference. **Guess** that share,
# in per cent.

# %%
twenty = torch.randn(20, 1, 8, 8, generator=seeded(5))
with torch.no_grad():
    each_ten_times = twenty.repeat_interleave(10, dim=0)
    hands = draw_digits(ten_digits.repeat(20), 2, each_ten_times)
ink = hands.mean(dim=(1, 2, 3)).view(20, 10)
difference = ink - ink.mean(dim=0)
share = (difference.mean(dim=1).var() / difference.var(dim=0).mean()).item()
print(say("share of the hand:", "part de la main :"), decimal(100 * share, 0), "%",
      say(" by chance alone:", " par le seul hasard :"), "10 %")

# %% claims=true
assert share > 0.25

# %% [markdown] lang="fr"
# Bien plus que le dixième du hasard : la main tient. Regardez maintenant les dix chemins se séparer. Au premier pas, l'état est dix fois
# le même carré. **Devinez** à quel pas deux chiffres voisins, le 3 et le 8, se distinguent.

# %% [markdown] lang="en"
# Much more than the tenth of chance: the hand holds. Now watch the ten paths part. At the first step the state is ten times the same
# square. **Guess** at which step two close digits, the 3 and the 8, can be told apart.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Dix chemins se séparent
#
# Tournez le temps.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Ten paths part
#
# Turn the time.

# %% slide="fragment" tags=["output-only-slide"]
from dalle_edu.classroom.widgets.sampling_path import path_explorer

path_explorer(hand, cosine, start=12)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Tourner le bouton depuis le début. L'état : dix fois le même carré, longtemps. Les croyances : dix chiffres dès le premier pas,
# parce que la classe est dite ; flous, moyens. Demander ce que l'on verrait sans classe. (Dix fois la même chose, jusqu'au bout.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Turn the knob from the beginning. The state: ten times the same square, for long. The beliefs: ten digits from the first step,
# since the class is told; blurred, mean ones. Ask what one would see without a class. (Ten times the same, to the end.)

# %% [markdown] lang="fr"
# Les états restent longtemps presque pareils ; les croyances, elles, se séparent dès le premier pas, puisque la classe est dite. L'image
# se fait d'abord dans la croyance.

# %% [markdown] lang="en"
# The states stay nearly alike for long; the beliefs part at the first step, since the class is told. The picture is made in the belief
# first.

# %% [markdown] lang="fr"
# ## 10. Compléter
#
# Une moitié de l'image est connue ; que le réseau invente l'autre. Inutile de l'entraîner de nouveau : il suffit d'agir dans la boucle, à
# **deux** endroits ([Lugmayr et al. 2022](work:lugmayr2022)). **Avant** de l'interroger, on remet dans `x_t` la région connue, brouillée
# comme le reste ; **après**, on la remet, nette, dans sa croyance. Tout échantillonneur s'en sert alors sans le savoir.

# %% [markdown] lang="en"
# ## 10. Completing
#
# One half of the picture is known; let the network invent the other. There is no need to train it again: it is enough to act within the
# loop, in **two** places ([Lugmayr and others 2022](work:lugmayr2022)). **Before** it is asked, the known region is put back into `x_t`,
# as noisy as the rest; **after**, it is put back, clean, into its belief. Any sampler then uses it without knowing.

# %% [markdown] lang="fr"
# Rendez un débruiteur. `mask` vaut `True` là où `known` est à garder. Le bruit de la région connue est `noise` s'il est donné ; sinon, il
# est tiré de nouveau à chaque appel, avec `generator`.
#
# <details><summary>Un indice</summary>
#
# `torch.where(mask, a, b)` prend `a` là où le masque est vrai, `b` ailleurs. Il sert deux fois.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `add_noise(known, eps, t, schedule)` brouille ce qui est connu, au degré du pas.
#
# </details>

# %% [markdown] lang="en"
# Return a denoiser. `mask` is `True` where `known` is to be kept. The noise of the known region is `noise` if it is given; otherwise it
# is sampled anew at each call, with `generator`.
#
# <details><summary>A hint</summary>
#
# `torch.where(mask, a, b)` takes `a` where the mask is true, `b` elsewhere. It serves twice.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `add_noise(known, eps, t, schedule)` noises what is known, to the level of the step.
#
# </details>

# %% implements="inpainting:inpainting" level=2
"""Un débruiteur qui garde la région connue et invente le reste.

À chaque pas, la région connue est brouillée au degré de ce pas, avec un bruit
nouveau chaque fois, ou toujours avec `noise`. C'est le remplacement de Lugmayr
et al. (2022, RePaint, équation 8), sans leurs retours en arrière.

`mask` est vrai là où `known` est gardé. Là, le débruiteur voit l'image connue,
aussi bruitée que le reste, et son estimation est remplacée par l'image connue.
Tout échantillonneur peut se servir du résultat.
"""

# %% scratch=true
left_half = torch.tensor([[True, False]])
sevens = torch.tensor([[7.0, 7.0]])
around = inpainting(believes_in_one, sevens, left_half, easy_rates)
around(torch.zeros(1, 2), at_once)
# → tensor([[7., 1.]])

# %% [markdown] lang="fr"
# Cinq vrais chiffres, que le réseau n'a jamais vus, dont nous ne gardons que la moitié haute. Nous demandons d'abord leur propre classe,
# puis une autre. **Devinez** : le haut d'un 7 peut-il finir en 2 ?

# %% [markdown] lang="en"
# Five true digits, which the network has never seen, of which we keep the upper half alone. We first ask for their own class, then for
# another one. **Guess**: can the top of a 7 end as a 2?

# %%
unseen, of_class = images[new_digits], labels[new_digits]
first_of = [int((of_class == digit).nonzero()[0]) for digit in (0, 3, 5, 7, 9)]
known, true_class = unseen[first_of], of_class[first_of]
upper_half = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
upper_half[:, :, :4] = True


# %%
def complete(asked):
    generator = seeded(0)
    told = {"pooled": F.one_hot(asked, 10).float()}
    untold = {"pooled": torch.zeros(len(asked), 10)}
    plain = denoiser(guided(network, 2, told, untold), cosine, "v", clip)
    around = inpainting(plain, known, upper_half, cosine, generator)
    noise = torch.empty_like(known).normal_(generator=generator)
    return ddim(around, noise, cosine, 25)


# %%
other_class = torch.tensor([8, 2, 9, 2, 8])
with torch.no_grad():
    same, other = complete(true_class), complete(other_class)
hidden = torch.where(upper_half, known, torch.zeros(()))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. Compléter
#
# La moitié haute est connue. Demandé : la même classe, puis 8, 2, 9, 2, 8.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. Completing
#
# The upper half is known. Asked for: the same class, then 8, 2, 9, 2, 8.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(4, 5, width=5.6, height=4.5)
row_names = say("true|known|same class|another", "vrai|connu|même classe|une autre").split("|")
all_rows = (known, hidden, same, other)
for row, row_name, row_images in zip(panels, row_names, all_rows):
    for panel, image in zip(row, row_images):
        show(panel, image, smooth=row_images is not hidden)
    row[0].set_ylabel(row_name)
picture(figure, say("Five digits, their upper halves, and two completions of "
                    "each: as their own class, and as another; the upper "
                    "half stays.",
                    "Cinq chiffres, leurs moitiés hautes, et deux "
                    "compléments de chacun : dans leur classe et dans une "
                    "autre ; le haut reste."))

# %% claims=true
assert torch.allclose(same[:, :, :4], known[:, :, :4], atol=1e-5)
assert torch.allclose(other[:, :, :4], known[:, :, :4], atol=1e-5)
assert int((torch.tensor(judge.predict(same.flatten(1))) == true_class).sum()) >= 4

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Demander où l'on agit : en deux endroits, avant et après l'appel. Que se passe-t-il si l'on oublie le bruit du premier ? (Le
# réseau voit du net à côté de bruité : il n'a jamais vu cela.) Le haut d'un 7 finit très bien en 2. Les raccords sont quelquefois
# visibles.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Ask where one acts: in two places, before and after the call. What happens if the noise of the first is forgotten? (The network
# sees clean beside noisy: it has never seen that.) The top of a 7 ends very well as a 2. Seams can be seen at times.

# %% [markdown] lang="fr"
# Le haut est intact, et le bas obéit : le même sommet finit dans sa classe ou dans une autre, quand c'est possible.

# %% [markdown] lang="en"
# The top is untouched, and the bottom obeys: the same top ends in its own class or in another, where that is possible.

# %% [markdown] lang="fr"
# ## 11. Mémoire ou invention ?
#
# Et si le réseau ne faisait que réciter ? Cherchons, pour chacun des cent dessins guidés à 2, le plus proche des 1 300 chiffres appris,
# et sa distance (racine de la moyenne des carrés, sur les pixels). Il nous faut une mesure à côté : celle de **vrais** chiffres que le
# réseau n'a jamais vus. **Devinez** : les dessins sont-ils plus près des chiffres appris, ou plus loin, que de nouveaux vrais chiffres ?

# %% [markdown] lang="en"
# ## 11. Memory or invention?
#
# What if the network only recited? For each of the hundred drawings guided at 2, let us look for the closest of the 1,300 digits learned
# from, and its distance (root mean square over pixels). We need a measure beside it: that of **true** digits that the network has never
# seen. **Guess**: are the drawings closer to the digits learned from, or further away, than new true digits are?

# %%
from dalle_edu.classroom.demos.diffusion import nearest

learned_from = images[seen_digits]
invented = sheets[2].clamp(-1, 1)
which, how_far = nearest(invented, learned_from)
real_far = nearest(unseen, learned_from)[1]
print(say("drawings: nearest on average", "dessins : le plus proche, en moyenne"),
      decimal(how_far.mean(), 2), say(" closest of all", " le moins loin"),
      decimal(how_far.min(), 2))
print(say("new true digits:             ", "vrais chiffres nouveaux :            "),
      decimal(real_far.mean(), 2), say(" closest of all", " le moins loin"),
      decimal(real_far.min(), 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. Mémoire ou invention ?
#
# En haut, un dessin ; en bas, le plus proche des chiffres appris.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. Memory or invention?
#
# Above, a drawing; below, the nearest of the digits learned from.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 8, width=9, height=2.9)
for column, number in zip(panels.T, (0, 11, 22, 33, 44, 55, 66, 77)):
    show(column[0], invented[number], smooth=True)
    show(column[1], learned_from[which[number]], smooth=True)
    column[1].set_xlabel(decimal(how_far[number], 2))
panels[0, 0].set_ylabel(say("drawn", "dessin"))
panels[1, 0].set_ylabel(say("learned", "appris"))
picture(figure, say("Eight drawn digits, and under each the nearest learned "
                    "one: alike, never the same.",
                    "Huit chiffres dessinés et, sous chacun, le plus proche "
                    "des chiffres appris : parents, jamais les mêmes."))

# %% claims=true
assert how_far.mean() > real_far.mean() and how_far.min() > real_far.min() > 0

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire parier. Une copie serait à distance 0. Insister sur la mesure d'à côté : sans les vrais chiffres nouveaux, la distance ne
# voudrait rien dire. Demander quand un réseau récite. (Peu d'images, vues souvent, un grand réseau : on l'a montré sur de grands
# modèles.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take bets. A copy would be at distance 0. Stress the measure beside it: without the new true digits the distance would mean
# nothing. Ask when a network recites. (Few pictures, seen often, a large network: it has been shown on large models.)

# %% [markdown] lang="fr"
# Nos dessins sont **plus loin** des chiffres appris que ne le sont de vrais chiffres nouveaux : ce réseau ne récite pas. Il n'en va pas
# toujours ainsi : de grands modèles rendent presque trait pour trait des images vues de nombreuses fois ([Carlini et al.
# 2023](work:carlini2023)). La question se pose à chaque modèle, et se mesure.

# %% [markdown] lang="en"
# Our drawings are **further** from the digits learned from than new true digits are: this network does not recite. It is not always so:
# large models give back, nearly stroke for stroke, pictures that they saw many times ([Carlini and others 2023](work:carlini2023)). The
# question is to be asked of each model, and can be measured.

# %% [markdown] lang="fr"
# ## 12. Une phrase, une scène
#
# Remplaçons la classe par une phrase. Dans Imagen, un encodeur de texte, que la [](lesson:15) ouvrira, rend un vecteur par jeton, et un
# pour la phrase. Le second entre dans chaque bloc, comme notre classe ; les premiers sont **regardés** : au fond du U-Net, chaque
# position de l'image pose ses questions aux jetons, par l'attention croisée de la [](lesson:05). Chargeons le petit Imagen du cours, et
# son premier étage, de 32 pixels : c'est votre guidage, votre échantillonneur et votre débruiteur, autour d'un plus grand réseau.

# %% [markdown] lang="en"
# ## 12. A sentence, a scene
#
# Let us put a sentence in the place of the class. In Imagen a text encoder, which [](lesson:15) will open, returns a vector for each token,
# and one for the sentence. The latter enters every block, as our class does; the former are **looked at**: at the bottom of the U-Net each
# position of the picture puts its questions to the tokens, by the cross-attention of [](lesson:05). Let us load the course's small Imagen,
# and its base model, of 32 pixels: it is your guidance, your sampler and your denoiser, round a larger network.

# %%
import dalle_edu
from dalle_edu.scorecard import mark, parse_pictures, questions

imagen = dalle_edu.load("imagen")
scenes = questions(16, seed=3)
scene_noise = torch.randn(16, 3, 32, 32, generator=seeded(0))
# en: the first scene is asked in French, then in English
# fr: la première scène est demandée en français, puis en anglais
french, english = (scene.text for scene in scenes[:2])
my_sentence = say(english, french)
print(my_sentence)


# %%
@torch.no_grad()
def draw_scenes(sentences, noise, steps, callback=None):
    told, untold = imagen.conditions(sentences)
    base, schedule = imagen.base.unet, imagen.base.schedule
    guided_base = guided(base, 2.0, told, untold)
    denoise = denoiser(guided_base, schedule, "v", clip)
    drawn = dpm_solver(denoise, noise, schedule, steps, callback=callback)
    return drawn.clamp(-1, 1)


# %%
def all_right(drawn):
    marks = [mark(scene.scene.description, found)
             for scene, found in zip(scenes, parse_pictures(drawn))]
    return sum(all(each.values()) for each in marks)


def try_few_steps():
    sentences = [scene.text for scene in scenes]
    return {steps: all_right(draw_scenes(sentences, scene_noise, steps))
            for steps in (2, 3, 5, 10)}


# %% [markdown] lang="fr"
# Seize phrases de notre monde, en français et en anglais, mêmes bruits, et l'examinateur du cours, qui lit chaque dessin et dit si
# **tout** y est juste. **Devinez** : combien sur seize en 2 pas ? en 5 ? en 10 ?

# %% [markdown] lang="en"
# Sixteen sentences of our world, in French and in English, the same noises, and the course's examiner, who reads each drawing and says
# whether **all** of it is right. **Guess**: how many of sixteen in 2 steps? in 5? in 10?

# %%
right_in = kept("scenes", try_few_steps, patience=5)
for steps, right in right_in.items():
    print(f"{steps:2}", say("steps:", "pas :"), f"{right:2}", say("of 16", "sur 16"))

# %% claims=true
assert right_in[2] < right_in[3] and right_in[2] <= 8
assert right_in[5] >= 12 and abs(right_in[10] - right_in[5]) <= 2

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Moins de pas, moins bien ?
#
# Seize phrases, les mêmes bruits.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. Fewer steps, worse?
#
# Sixteen sentences, the same noises.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=5.6, height=3.2)
axes.plot(range(4), list(right_in.values()), "o-", color=BLUE)
axes.set_xticks(range(4), [str(steps) for steps in right_in])
axes.set_yticks(range(0, 17, 4))
axes.set(ylim=(0, 16.5), xlabel=say("steps", "pas"))
axes.set(ylabel=say("all right, of 16", "tout juste, sur 16"))
picture(figure, say("Few scenes are right in two steps, most in five, and "
                    "about as many in ten.",
                    "Peu de scènes sont justes en deux pas, la plupart en "
                    "cinq, et à peu près autant en dix."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire parier sur 2, 5, 10. L'idée reçue, « moins de pas, moins bien », est fausse dès cinq pas pour ces scènes simples. Rappeler
# la taille de l'échantillon : seize. À deux pas, la croyance est encore une moyenne.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take bets on 2, 5, 10. The received idea, "fewer steps, worse", is wrong from five steps on for these simple scenes. Recall the
# size of the sample: sixteen. In two steps the belief is still a mean.

# %% [markdown] lang="fr"
# À cinq pas, c'est fait, et dix n'y changent presque rien. Seize scènes ne tranchent pas entre des nombres voisins ; elles suffisent à dire
# que deux pas sont trop peu.
#
# Que croit-on de la phrase à chaque instant ? **Devinez** ce qui se décide en premier : la place, la couleur ou le contour.

# %% [markdown] lang="en"
# In five steps it is done, and ten change next to nothing. Sixteen scenes cannot decide between close numbers; they are enough to say that
# two steps are too few.
#
# What is believed of the sentence at each timestep? **Guess** what is decided first: place, colour or outline.

# %%
scene_path = []
drawn_scene = draw_scenes([my_sentence], scene_noise[:1], 20, scene_path.append)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ce que croit le réseau d'une phrase

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### What the network believes of a sentence

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 6, width=9, height=3.5)
for column, index in zip(panels.T, (0, 1, 2, 4, 9, 19)):
    show(column[0], scene_path[index].x[0], say(f"step {index + 1}", f"pas {index + 1}"))
    show(column[1], scene_path[index].x0[0])
panels[0, 0].set_ylabel("$x_t$")
panels[1, 0].set_ylabel(say("belief", "croyance"))
picture(figure, say("Above, noise; below, beliefs: two blurred spots, in "
                    "place and in colour, at the first step; sharp outlines "
                    "at the end.",
                    "En haut, du bruit ; en bas, des croyances : deux taches "
                    "floues, en place et en couleur, au premier pas ; des "
                    "bords nets à la fin."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Les objets sont en place alors que l'état du haut est encore du bruit à l'œil nu. Demander ce que cela veut dire pour le
# calendrier. (Il faut passer plus d'instants dans le bruit : l'exercice 17.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. The objects are in place while the state above is still noise to the naked eye. Ask what that means for the schedule. (More
# timesteps must be spent in noise: exercise 17.)

# %% [markdown] lang="fr"
# La place et la couleur se décident dans les tout premiers pas, quand l'état n'est que du bruit pour l'œil ; les contours viennent à la
# fin. De grandes surfaces unies se devinent à travers beaucoup de bruit : peu d'instants du calendrier décident donc d'elles. Le remède
# ([Hoogeboom, Heek et Salimans 2023](work:hoogeboom2023)) est d'avoir partout `factor` fois plus de **bruit par rapport au signal**. Ce
# rapport est celui des taux ; sur les variances, c'est `factor` au carré. Avec $\bar\alpha = 0{,}5$, les variances sont égales, de rapport
# 1 ; au facteur 2, le rapport devient 4, et $\bar\alpha = 1 / (1 + 4) = 0{,}2$.

# %% [markdown] lang="en"
# Place and colour are decided in the very first steps, while the state is nothing but noise to the eye; outlines come at the end. Large
# plain areas can be made out through much noise: so few timesteps of the schedule decide about them. The cure ([Hoogeboom, Heek and
# Salimans 2023](work:hoogeboom2023)) is to have `factor` times as much **noise in relation to the signal**, everywhere. That ratio is the
# one of the rates; for variances it is `factor` squared. With $\bar\alpha = 0.5$ the variances are equal, their ratio 1; at factor 2 the
# ratio becomes 4, and $\bar\alpha = 1 / (1 + 4) = 0.2$.

# %% [markdown] lang="fr"
# Écrivez-le : rendez un nouveau `NoiseSchedule`, donc des bêtas : 1 moins le rapport de chaque nouveau $\bar\alpha$ à celui d'avant (1
# avant le premier), bornés à 0,9999.
#
# <details><summary>Un indice</summary>
#
# `schedule.alphas_bar` est la liste des $\bar\alpha$. Le rapport des variances est $(1 - \bar\alpha) / \bar\alpha$ ; s'il vaut $r$, alors
# $\bar\alpha = 1 / (1 + r)$.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.cat([alphas_bar.new_ones(1), alphas_bar[:-1]])` est la liste des $\bar\alpha$ d'avant.
#
# </details>

# %% [markdown] lang="en"
# Write it: return a new `NoiseSchedule`, that is betas: 1 minus the ratio of each new $\bar\alpha$ to the one before (1 before the
# first), clipped at 0.9999.
#
# <details><summary>A hint</summary>
#
# `schedule.alphas_bar` is the list of the $\bar\alpha$. The ratio of the variances is $(1 - \bar\alpha) / \bar\alpha$; if it is $r$, then
# $\bar\alpha = 1 / (1 + r)$.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.cat([alphas_bar.new_ones(1), alphas_bar[:-1]])` is the list of the $\bar\alpha$ before.
#
# </details>

# %% implements="noise_schedule:shifted" level=2
"""Un calendrier de rapport bruit sur signal `factor` fois plus grand à chaque
instant.

Le rapport est celui des taux, non des variances (Hoogeboom et al. 2023,
section 3.1). Les bêtas suivent du nouvel alpha_bar, qui vaut 1 avant le
premier instant, et sont bornés à 0,9999. De grandes surfaces unies se voient
encore à travers beaucoup de bruit : avec un calendrier fait pour des
photographies, peu d'instants décident de leur place. Plus de bruit donne à
cette décision plus d'instants, à l'entraînement et au tirage.
"""
# alpha_bar is a variance, hence the square => alpha_bar est une variance, d'où le carré

# %% scratch=true
shifted(NoiseSchedule(torch.tensor([0.5])), 2.0).alphas_bar
# → tensor([0.2000], dtype=torch.float64)

# %%
for name, schedule in ((say("cosine", "cosinus"), cosine),
                       (say("shifted by 2", "décalé de 2"), shifted(cosine, 2.0))):
    mostly_noise = (schedule.alphas_bar < 0.5).double().mean().item()
    print(f"{name:13}", say("timesteps with more noise than picture:",
                            "instants où le bruit l'emporte :"),
          decimal(100 * mostly_noise, 0), "%")

# %% claims=true
assert abs((cosine.alphas_bar < 0.5).double().mean() - 0.5) < 0.02
assert 0.68 < mostly_noise < 0.73

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 16-17"
# ### Exercices 16 et 17 · Compléter, décaler
#
# **14 min.**
#
# - **16** ●● `inpainting` : agir en deux endroits.
# - **17** ●● `shifted` : plus de bruit partout.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 16-17"
# ### Exercises 16 and 17 · Completing, shifting
#
# **14 min.**
#
# - **16** ●● `inpainting`: act in two places.
# - **17** ●● `shifted`: more noise everywhere.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 14 min. Fautes à guetter : le masque lu à l'envers ; la région connue remise sans bruit ; le facteur appliqué aux variances ; des bêtas
# que l'on multiplie au lieu du rapport.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 14 min. Mistakes to look for: the mask read the other way round; the known region put back without noise; the factor applied to
# variances; betas multiplied instead of the ratio.

# %% [markdown] lang="fr"
# La moitié des instants devient plus des deux tiers : c'est le calendrier du petit Imagen que vous venez de faire dessiner.

# %% [markdown] lang="en"
# Half of the timesteps become more than two thirds: it is the schedule of the small Imagen with which you have just drawn.

# %% [markdown] lang="fr"
# ## 13. Le chemin droit
#
# La diffusion mêle l'image et le bruit le long d'un quart de cercle. Pourquoi pas le long d'une **droite**, à vitesse constante ? C'est
# le *flow matching*, l'appariement de flots, que trois équipes publièrent en même temps ([Lipman et al. 2023](work:lipman2023), [Liu,
# Gong et Liu 2023](work:liu2023), [Albergo et Vanden-Eijnden 2023](work:albergo2023)), et dont Stable Diffusion 3 fit son socle ([Esser et
# al. 2024](work:esser2024)). Le temps $t$ est un nombre de 0 (net) à 1 (bruit) :

# %% [markdown] lang="en"
# ## 13. The straight path
#
# Diffusion mixes picture and noise along a quarter of a circle. Why not along a **straight line**, at constant speed? It is *flow
# matching*, which three teams published at the same time ([Lipman and others 2023](work:lipman2023), [Liu, Gong and Liu
# 2023](work:liu2023), [Albergo and Vanden-Eijnden 2023](work:albergo2023)), and which Stable Diffusion 3 made its foundation ([Esser and
# others 2024](work:esser2024)). Time $t$ is a number from 0 (clean) to 1 (noise):

# %% [markdown]
# $$ x_t = (1 - t) \, x_0 + t \, \varepsilon , \qquad \frac{d x_t}{d t} = \varepsilon - x_0 $$

# %% [markdown] lang="fr"
# Un nombre : $x_0 = 1$, $\varepsilon = -0{,}5$, $t = 0{,}4$ donnent $x_t = 0{,}6 \times 1 + 0{,}4 \times (-0{,}5) = 0{,}4$ et une vitesse
# de $-1{,}5$. De $x_t$, reculez de $0{,}4$ à cette vitesse : $0{,}4 + 0{,}4 \times 1{,}5 = 1$.

# %% [markdown] lang="en"
# A number: $x_0 = 1$, $\varepsilon = -0.5$, $t = 0.4$ give $x_t = 0.6 \times 1 + 0.4 \times (-0.5) = 0.4$ and a velocity of $-1.5$. From
# $x_t$ go back by $0.4$ at that velocity: $0.4 + 0.4 \times 1.5 = 1$.

# %% [markdown] lang="fr"
# Écrivez-le : `x0` et `noise` de forme (n, …), `t` de forme (n,). Rendez le point et la vitesse. `_part_of_noise(t, x0)` vous est
# donnée : ce sont les temps, dans une forme qui multiplie les images.
#
# <details><summary>Un indice</summary>
#
# La vitesse ne dépend pas de $t$.
#
# </details>

# %% [markdown] lang="en"
# Write it: `x0` and `noise` of shape (n, …), `t` of shape (n,). Return the point and the velocity. `_part_of_noise(t, x0)` is given to
# you: it is the times, in a shape that multiplies the pictures.
#
# <details><summary>A hint</summary>
#
# The velocity does not depend on $t$.
#
# </details>

# %% implements="flow:straight_path" level=1
"""Le point x_t de la droite de l'image au bruit, et sa vitesse.

x_t = (1 - t) x0 + t noise, et la vitesse d x_t / dt = noise - x0 est la même à
tout t (Lipman et al. 2023, section 4.1, exemple II, avec sigma_min = 0 ; Liu
et al. 2023, équation 1). `noise` suit une loi normale de moyenne 0 et de
variance 1.
"""

# %% scratch=true
straight_path(torch.tensor([[1.0]]), torch.tensor([[-0.5]]), torch.tensor([0.4]))
# → (tensor([[0.4000]]), tensor([[-1.5000]]))

# %% [markdown] lang="fr"
# La perte a les mêmes gestes que celle de la diffusion, avec `times(n, generator, device)` pour les temps, tirés d'abord, et le bruit
# ensuite. Rendez l'erreur au carré moyenne sur la vitesse.
#
# <details><summary>Un indice</summary>
#
# `t = times(len(x0), generator, x0.device)` ; le bruit, `torch.empty_like(x0).normal_(generator=generator)` ; puis `straight_path`.
#
# </details>

# %% [markdown] lang="en"
# The loss has the same moves as that of diffusion, with `times(n, generator, device)` for the times, sampled first, and the noise after
# them. Return the mean squared error of the velocity.
#
# <details><summary>A hint</summary>
#
# `t = times(len(x0), generator, x0.device)`; the noise, `torch.empty_like(x0).normal_(generator=generator)`; then `straight_path`.
#
# </details>

# %% implements="flow:flow_matching_loss" level=2
"""L'erreur au carré moyenne de la vitesse d'un réseau, à des temps au
hasard.

Chaque image est mise en couple avec son propre bruit. Bien des droites se
croisent en un (x_t, t), et la meilleure réponse est la moyenne de leurs
vitesses, qui porte dans l'ensemble le bruit aux images (Lipman et al. 2023,
théorème 2 et équation 23). `times` est `uniform_times`, `logit_normal_times`
ou une autre fonction du même genre : les temps fréquents sont ceux qui
comptent. `conditions` va au réseau sans changement. `generator` donne les
temps et le bruit, normal centré réduit ; il doit être sur l'appareil de `x0`.
"""

# %% scratch=true
# en: a network that knows the velocity of ones at time t: (x_t - 1) / t
# fr: un réseau qui connaît la vitesse de 1 partout au temps t : (x_t - 1) / t
knows = lambda x_t, t: (x_t - 1) / t[:, None]
flow_matching_loss(knows, ten_ones).item() < 1e-6
# → True

# %% [markdown] lang="fr"
# Pour dessiner, on suit la vitesse du bruit à l'image : c'est une équation différentielle, et la façon la plus simple de la résoudre est
# celle d'Euler : marcher tout droit, regarder de nouveau.

# %% [markdown] lang="en"
# To draw, one follows the velocity from noise to picture: it is a differential equation, and the simplest way to solve it is Euler's:
# walk straight on, look again.

# %% [markdown] lang="fr"
# Écrivez-la. `spaced_times(steps, shift)` rend `steps` + 1 temps, de 1 à 0, à égale distance si `shift` vaut 1.
# `_velocity(network, x, now, index, steps, callback)` interroge le réseau et montre le pas.
#
# <details><summary>Un indice</summary>
#
# `for index, (now, then) in enumerate(pairwise(spaced_times(steps, shift))):` et `x = x + (then - now) * …`. Le temps descend :
# `then - now` est négatif.
#
# </details>

# %% [markdown] lang="en"
# Write it. `spaced_times(steps, shift)` returns `steps` + 1 times, from 1 to 0, at equal distances if `shift` is 1.
# `_velocity(network, x, now, index, steps, callback)` asks the network and shows the step.
#
# <details><summary>A hint</summary>
#
# `for index, (now, then) in enumerate(pairwise(spaced_times(steps, shift))):` and `x = x + (then - now) * …`. Time falls: `then - now` is
# negative.
#
# </details>

# %% implements="flow:euler" level=1
"""La méthode d'Euler : avancer tout droit selon la vitesse, regarder de
nouveau.

Elle est du premier ordre : deux fois plus de pas, deux fois moins d'erreur. Un
pas donne la même chose que mêler de nouveau, avec moins de bruit, l'image et
le bruit de `endpoints`, ce que fait DDIM.
"""

# %% scratch=true
# en: a velocity that halves x in two steps
# fr: une vitesse qui réduit x en deux pas
euler(lambda x_t, t: x_t, torch.tensor([[1.0]]), steps=2)
# → tensor([[0.2500]])

# %% [markdown] lang="fr"
# Mieux, pour autant de passages dans le réseau : la méthode du **point milieu**. On essaie la moitié du pas, on y regarde la vitesse, et
# l'on fait tout le pas, depuis le départ, avec celle-ci. Un pas coûte deux passages : `steps` compte les passages, et s'il est impair, le
# dernier pas est celui d'Euler. Avec la vitesse $x$ du dernier exemple et un seul grand pas de 1 à 0 : la moitié mène à
# $1 - 0{,}5 = 0{,}5$, où la vitesse vaut 0,5 ; on arrive à $1 - 0{,}5 = 0{,}5$. La vraie réponse est $e^{-1}$, soit 0,37 ; Euler, en un
# pas, donnait 0.

# %% [markdown] lang="en"
# Better, for as many runs of the network: the **midpoint** method. To go from one time to the next, which is called a *stride*, one tries
# half of it, looks at the velocity there, and walks the whole stride, from its start, with that. A stride costs two runs: `steps` counts
# runs, and if it is odd, the last stride is Euler's. With the velocity $x$ of the last example and a single large stride from 1 to 0: half
# of it leads to $1 - 0.5 = 0.5$, where the velocity is 0.5; one arrives at $1 - 0.5 = 0.5$. The true answer is $e^{-1}$, that is 0.37;
# Euler, in one stride, gave 0.

# %% [markdown] lang="fr"
# Écrivez cette méthode. `spaced_times` et `_velocity` servent comme pour Euler.
#
# <details><summary>Un indice</summary>
#
# Il y a `(steps + 1) // 2` pas. Le passage numéro `2 * stride` regarde au départ ; le numéro `2 * stride + 1`, à mi-chemin, s'il reste un
# passage.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `tried = x + (half - now) * velocity`, puis la vitesse en `tried` au temps `half` ; enfin `x = x + (then - now) * velocity`.
#
# </details>

# %% [markdown] lang="en"
# Write this method. `spaced_times` and `_velocity` serve as they do for Euler.
#
# <details><summary>A hint</summary>
#
# There are `(steps + 1) // 2` strides. Run number `2 * stride` looks at the start; number `2 * stride + 1`, half way, if there is a run
# left.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `tried = x + (half - now) * velocity`, then the velocity at `tried` at time `half`; at last `x = x + (then - now) * velocity`.
#
# </details>

# %% implements="flow:midpoint" level=3
"""La méthode du point milieu : essayer un demi-pas, faire le pas entier avec
ce qu'il montre.

Elle est du second ordre : deux fois plus de pas, quatre fois moins d'erreur
(Runge 1895). Un pas fait travailler le réseau deux fois ; si `steps` est
impair, le dernier est celui d'Euler.
"""

# %% scratch=true
midpoint(lambda x_t, t: x_t, torch.tensor([[1.0]]), steps=2)
# → tensor([[0.5000]])

# %% claims=true
assert round(math.exp(-1), 2) == 0.37
assert euler(lambda x_t, t: x_t, torch.ones(1, 1), steps=1).item() == 0

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 18-21"
# ### Exercices 18 à 21 · La ligne droite
#
# **14 min** pour 18 à 20 ; 21 pour chez soi.
#
# - **18** ● `straight_path` : un point, une vitesse.
# - **19** ●● `flow_matching_loss` : les mêmes gestes.
# - **20** ● `euler` : tout droit.
# - **21** ●●● `midpoint` : essayer, puis marcher.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 18-21"
# ### Exercises 18 to 21 · The straight line
#
# **14 min** for 18 to 20; 21 for home.
#
# - **18** ● `straight_path`: a point, a velocity.
# - **19** ●● `flow_matching_loss`: the same moves.
# - **20** ● `euler`: straight on.
# - **21** ●●● `midpoint`: try, then walk.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 14 min. Fautes à guetter : le signe (le temps descend) ; un seul temps pour tout le lot ; l'image et le bruit échangés. Faire comparer,
# ligne à ligne, avec la perte et le DDIM de la première séance.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 14 min. Mistakes to look for: the sign (time falls); one time for the whole batch; picture and noise exchanged. Have them compare, line
# by line, with the loss and the DDIM of the first session.

# %% [markdown] lang="fr"
# Le réseau du plan, le même, apprend des vitesses, avec autant de pas. Les droites de l'entraînement se croisent sans cesse.
# **Devinez** : ses chemins seront-ils droits ? pourront-ils se croiser ?

# %% [markdown] lang="en"
# The network of the plane, the same, learns velocities, in as many steps. The lines of training cross all the time. **Guess**: will its
# paths be straight? can they cross?

# %%
from dalle_edu.bricks.flow import on_timestep_scale


def flow_on_moons(network, generator):
    # en: the clock of the embedding is made for 0 to 1,000
    # fr: l'horloge du plongement est faite pour 0 à 1 000
    return flow_matching_loss(on_timestep_scale(network), moons(256, generator),
                              generator=generator)


# %%
torch.manual_seed(0)
velocities = PlaneNetwork()
learn(velocities, flow_on_moons, 600, rate=1e-2)
flow_path = []
plane_flow = on_timestep_scale(velocities)
arrived = euler(plane_flow, start[:60], 40, callback=flow_path.append)
flow_way = torch.stack([step.x for step in flow_path] + [arrived])
diffusion_path = []
arrived = ddim(believe, start[:60], cosine, 40, callback=diffusion_path.append)
ddim_way = torch.stack([step.x for step in diffusion_path] + [arrived])


# %%
def detour(way):
    # en: the length of the paths over the distance from end to end
    # fr: la longueur des chemins sur la distance d'un bout à l'autre
    length = (way[1:] - way[:-1]).norm(dim=2).sum(dim=0)
    return (length.sum() / (way[-1] - way[0]).norm(dim=1).sum()).item()


def from_the_moons(cloud):
    return distance_of_laws(cloud, truth)


# %%
print(say("detour: flow", "détour : flot"), decimal(detour(flow_way), 2),
      " DDIM", decimal(detour(ddim_way), 2))
print(say("distance from the moons:", "distance aux lunes :"))
for count in (2, 4, 10):
    walks = (ddim(believe, start, cosine, count), euler(plane_flow, start, count),
             midpoint(plane_flow, start, count))
    shown = [decimal(from_the_moons(cloud), 2) for cloud in walks]
    print(f"{count:2}", say("runs: DDIM", "passages : DDIM"), shown[0], " Euler", shown[1],
          say("midpoint", "point milieu"), shown[2])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 13. Le chemin droit
#
# Des droites à l'entraînement ; leur moyenne au tirage.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 13. The straight path
#
# Straight lines in training; their mean in sampling.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
lines = torch.stack([start[:60], truth[:60]])
figure, panels = plot(1, 3, width=9.5, height=3.6)
titles = say("training lines|the flow|DDIM", "droites d'entraînement|le flot|DDIM").split("|")
for panel, way, title, colour in zip(panels, (lines, flow_way, ddim_way), titles,
                                     ("grey", GREEN, BLUE)):
    scatter(panel, points, title, colour="lightgrey")
    panel.plot(way[..., 0], way[..., 1], color=colour, linewidth=0.8, alpha=0.7)
    panel.scatter(way[-1, :, 0], way[-1, :, 1], s=10, color="black", zorder=3)
    panel.set_title(title)
picture(figure, say("Sixty lines from noise to moons, which cross; the paths "
                    "of the flow, which make detours; the curves of "
                    "DDIM, less bent.",
                    "Soixante droites du bruit aux lunes, qui se croisent ; "
                    "les chemins du flot, qui font des détours ; "
                    "les courbes de DDIM, plus douces."))

# %% claims=true
assert 1 < detour(ddim_way) < detour(flow_way)
_in_two = [from_the_moons(cloud) for cloud in (ddim(believe, start, cosine, 2), euler(plane_flow, start, 2),
                                               midpoint(plane_flow, start, 2))]
assert abs(_in_two[0] - _in_two[1]) < 0.1 * _in_two[0] and _in_two[2] < 0.6 * _in_two[0]
_in_ten = [from_the_moons(cloud) for cloud in walks]
assert max(_in_ten) - min(_in_ten) < 0.05

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire deviner. En un point où passent cent droites, le réseau rend leur vitesse moyenne : les chemins tournent, plus que ceux de
# DDIM. Une vitesse par point et par instant : ils ne peuvent se croiser. Droites sont les lignes de l'entraînement. Montrer que v et la
# vitesse disent la même chose.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Have them guess. At a point where a hundred lines pass, the network gives their mean velocity: the paths bend, more than DDIM's.
# One velocity for each point and each time: they cannot cross. What is straight is the lines of training. Show that v and the velocity
# say the same.

# %% [markdown] lang="fr"
# Ce sont les lignes de l'**entraînement** qui sont droites. Là où cent d'entre elles se croisent, le réseau rend la **moyenne** de leurs
# vitesses, encore elle : ses chemins filent d'abord vers le milieu, puis tournent, et leur détour dépasse celui de DDIM. Une seule vitesse
# par point et par temps : deux points n'y sont jamais au même endroit au même temps. (Sur la figure leurs traces se coupent, mais à des
# temps différents.) En deux passages, Euler vaut DDIM ; le point milieu, qui regarde en chemin, fait bien mieux ; en dix, tous se valent.
# Le gain n'est donc pas magique : pas de calendrier, pas de division, une vitesse qui dit les deux bouts à tout instant. Rien d'autre n'a
# changé : la perte a les mêmes gestes, `guided` sert tel quel. $v$ et la vitesse disent d'ailleurs la même chose, la direction du chemin,
# l'une sur le cercle, l'autre sur la droite.
#
# Et sur les chiffres ? Même U-Net, mêmes données, mêmes pas d'entraînement. Comparons la distance aux vrais chiffres nouveaux, classe par
# classe, en 2, 4 et 10 passages, sans guidage. **Devinez** où l'écart est le plus grand.

# %% [markdown] lang="en"
# It is the lines of **training** that are straight. Where a hundred of them cross, the network gives the **mean** of their velocities, the
# mean once more: the paths of the flow first make for the middle, then bend, and their detour is larger than DDIM's. A single velocity for
# each point and time: no two points are ever at one place at one time. (In the figure their traces do cross, but at different times.) In
# two runs Euler is no better than DDIM; the midpoint method, which looks on the way, does much better; in ten, all are alike. So the gain
# is no magic: no schedule, no division, a velocity that tells both ends at any time. Nothing else has changed: the loss has the same moves,
# `guided` serves as it is. And $v$ and the velocity say the same, the direction of the path, one on the circle, the other on the line.
#
# And on digits? The same U-Net, the same data, the same steps of training. Let us compare the distance to new true digits, class by
# class, in 2, 4 and 10 runs, without guidance. **Guess** where the gap is largest.

# %%
from dalle_edu.classroom.demos.flow import distance_by_class


def flow_on_digits(network, generator):
    chosen = seen_digits[torch.randint(1300, (64,), generator=generator)]
    told = torch.rand(64, 1, generator=generator) >= 0.1
    return flow_matching_loss(on_timestep_scale(network), images[chosen],
                              generator=generator, pooled=classes[chosen] * told)


def learn_the_flow():
    network = build_digit_network()
    learn(network, flow_on_digits, 340, rate=3e-3)
    return network


flow_network = kept("flow", learn_the_flow, like=build_digit_network, patience=5)

# %%
two_hundred = torch.arange(10).repeat(20)
noises = torch.randn(200, 1, 8, 8, generator=seeded(6))
pooled = F.one_hot(two_hundred, 10).float()
told_v = denoiser(partial(network, pooled=pooled), cosine, "v", clip)
told_flow = on_timestep_scale(partial(flow_network, pooled=pooled))
runs, few_runs = (2, 4, 10), {}
with torch.no_grad():
    for count in runs:
        few_runs["DDIM", count] = ddim(told_v, noises, cosine, count)
        few_runs["Euler", count] = clip(euler(told_flow, noises, count))
        few_runs["midpoint", count] = clip(midpoint(told_flow, noises, count))
gaps = {key: distance_by_class((found, two_hundred), (unseen, of_class))
        for key, found in few_runs.items()}
ways_of_walking = {"DDIM": "DDIM", "Euler": say("flow, Euler", "flot, Euler"),
                   "midpoint": say("flow, midpoint", "flot, point milieu")}
print(say("runs              ", "passages          "), *(f"{count:4}" for count in runs))
for way, name in ways_of_walking.items():
    print(f"{name:18}", *(decimal(gaps[way, count], 2) for count in runs))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Sur les chiffres, en quatre passages
#
# DDIM, le flot par Euler, le flot par le point milieu.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### On digits, in four runs
#
# DDIM, the flow by Euler, the flow by midpoint.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(3, 10, width=9.5, height=3.3)
labels_of_rows = ("DDIM", "Euler", say("midpoint", "milieu"))
for row, way, name in zip(panels, ways_of_walking, labels_of_rows):
    for digit, panel in enumerate(row):
        show(panel, few_runs[way, 4][digit], smooth=True)
    row[0].set_ylabel(name)
picture(figure, say("Ten digits in four runs, by three ways: DDIM's are pale "
                    "and average; the flow's have slightly sharper strokes.",
                    "Dix chiffres en quatre passages, de trois façons : ceux "
                    "de DDIM sont pâles et moyens ; ceux du flot ont des "
                    "traits un peu plus nets."))

# %% claims=true
assert gaps["midpoint", 2] < gaps["Euler", 2] < gaps["DDIM", 2]
assert all(gaps[way, count] < gaps["DDIM", count] for way in ("Euler", "midpoint") for count in runs)
assert gaps["DDIM", 2] - gaps["midpoint", 2] > gaps["DDIM", 10] - gaps["midpoint", 10]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. L'écart est grand à deux passages et se resserre à dix. Prévenir : des chiffres moyens se lisent très bien ; un juge qui lit ne
# suffit pas, il faut une distance entre des lois. La démonstration complète, sur mille chiffres, est dans la bibliothèque.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. The gap is large in two runs and narrows in ten. A warning: mean digits are easy to read; a judge who reads is
# not enough, it takes a distance between distributions. The whole demonstration, on a thousand digits, is in the library.

# %% [markdown] lang="fr"
# À apprentissage égal, le flot est plus près des vrais chiffres à chaque fois, et surtout à deux passages. Le chemin n'en est pas la
# seule cause : cette perte ne pèse pas les instants comme l'autre. (La comparaison entière, sur mille chiffres et jusqu'à vingt
# passages, est dans la bibliothèque : `python -m dalle_edu.classroom.demo flow --out flow.png`.)

# %% [markdown] lang="en"
# With the same learning the flow is closer to true digits each time, and above all in two runs. The path is not the only cause: this loss
# does not weigh the times as the other does. (The whole comparison, on a thousand digits and up to twenty runs, is in the
# library:
# `python -m dalle_edu.classroom.demo flow --out flow.png`.)

# %% [markdown] lang="fr"
# ## 14. Un GAN, en mieux ?
#
# On a résumé la diffusion ainsi : « comme les GAN, en mieux ». Ce sont deux méthodes différentes. Un GAN ([](lesson:09)) joue contre un
# adversaire, dessine en un passage, et peut oublier des sortes entières d'images. La diffusion n'a pas d'adversaire : c'est une
# **régression**, dont la perte descend sans surprise ; elle dessine en plusieurs passages, et couvre mieux la variété. En 2021, [Dhariwal
# et Nichol](work:dhariwal2021) montrèrent qu'elle dépassait les GAN sur ImageNet, avec un classifieur pour guide. « Mieux » a donc trois
# sens, la qualité, la couverture et le coût, et le GAN garde le dernier.
#
# | | GAN | VAE | diffusion, flot |
# |---|---|---|---|
# | on apprend | un jeu | une borne | une régression |
# | passages pour dessiner | 1 | 1 | plusieurs |
# | variété | peut s'effondrer | entière, floue | entière, nette |
# | $P(x)$ | aucune | une borne | une borne ; exacte le long d'un flot |
#
# « La diffusion ne donne aucune probabilité » : si. Sa perte, bien pondérée, **est** une borne, comme celle du VAE ([Ho et al.
# 2020](work:ho2020)) ; et un chemin sans hasard permet de calculer la probabilité elle-même.
#
# **Ce qui a changé depuis 2022.** On diffuse rarement des pixels : un auto-encodeur ([](lesson:07)) rapetisse d'abord l'image, et l'on
# diffuse ses latents ([Rombach et al. 2022](work:rombach2022)). Des transformeurs remplacent le U-Net ([Peebles et Xie
# 2023](work:peebles2023)). Et le chemin s'est redressé ([Esser et al. 2024](work:esser2024)).

# %% [markdown] lang="en"
# ## 14. A GAN, but better?
#
# Diffusion has been summed up like this: "GANs, but better". They are two different methods. A GAN ([](lesson:09)) plays against an
# adversary, draws in one run, and may forget whole kinds of pictures. Diffusion has no adversary: it is a **regression**, whose loss
# falls without surprises; it draws in several runs, and covers variety better. In 2021, [Dhariwal and Nichol](work:dhariwal2021) showed
# that it surpassed GANs on ImageNet, with a classifier for a guide. So "better" has three meanings, quality, coverage and cost, and the
# GAN keeps the last.
#
# | | GAN | VAE | diffusion, flow |
# |---|---|---|---|
# | one learns | a game | a bound | a regression |
# | runs to draw | 1 | 1 | several |
# | variety | may collapse | whole, blurred | whole, sharp |
# | $P(x)$ | none | a bound | a bound; exact along a flow |
#
# "Diffusion gives no probability": it does. Its loss, rightly weighted, **is** a bound, like that of the VAE ([Ho and others
# 2020](work:ho2020)); and a path without chance lets one compute the probability itself.
#
# **What has changed since 2022.** Pixels are rarely diffused: an autoencoder ([](lesson:07)) first makes the picture small, and its
# latents are diffused ([Rombach and others 2022](work:rombach2022)). Transformers replace the U-Net ([Peebles and Xie
# 2023](work:peebles2023)). And the path has been straightened ([Esser and others 2024](work:esser2024)).

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 14. Un GAN, en mieux ?
#
# | | GAN | diffusion |
# |---|---|---|
# | on apprend | un jeu | une régression |
# | passages | 1 | plusieurs |
# | variété | peut s'effondrer | entière |
# | $P(x)$ | aucune | une borne |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 14. A GAN, but better?
#
# | | GAN | diffusion |
# |---|---|---|
# | one learns | a game | a regression |
# | runs | 1 | several |
# | variety | may collapse | whole |
# | $P(x)$ | none | a bound |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander en quel sens « mieux » : qualité, couverture, coût. Le GAN dessine en un passage. Dire ce qui a changé depuis 2022 : les
# latents, les transformeurs, les lignes droites. Tout se retrouve dans ce que la classe vient d'écrire.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask in what sense "better": quality, coverage, cost. The GAN draws in one run. Say what has changed since 2022: latents,
# transformers, the straight path. All of it is found in what the class has just written.

# %% [markdown] lang="fr"
# ## 15. Quelle erreur est-ce ?
#
# Voici un `add_noise` écrit par quelqu'un d'autre. Il est faux. Ne regardez pas son code : interrogez-le. **Avant de lancer la cellule**,
# écrivez ce qu'une bonne version répondrait à un pixel de 1 sans bruit, puis à un pixel de 0 avec un bruit de 1, aux deux instants du
# calendrier de bêtas 0,1 et 0,2.

# %% [markdown] lang="en"
# ## 15. Which mistake is this?
#
# Here is an `add_noise` that somebody else wrote. It is wrong. Do not look at its code: question it. **Before you run the cell**, write
# down what a good version would answer to a pixel of 1 without noise, then to a pixel of 0 with a noise of 1, at both timesteps of the
# schedule of betas 0.1 and 0.2.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("diffusion:add_noise", "alpha_instead_of_its_product")
both, answers = torch.tensor([0, 1]), []
for name, pixel, noise in ((say("pixel 1, noise 0:", "pixel 1, bruit 0 :"), 1.0, 0.0),
                           (say("pixel 0, noise 1:", "pixel 0, bruit 1 :"), 0.0, 1.0)):
    pixels, noises = torch.full((2, 1), pixel), torch.full((2, 1), noise)
    answer = mystery(pixels, noises, both, two_steps)
    answers.append([decimal(each, 3) for each in answer.flatten()])
    print(name, *answers[-1])

# %% claims=true
assert [each.replace(",", ".") for each in answers[0]] == ["0.949", "0.894"]
assert [each.replace(",", ".") for each in answers[1]] == ["0.316", "0.447"]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 15. Quelle erreur est-ce ?
#
# Un `add_noise` faux, de bêtas 0,1 puis 0,2.
#
# | pixel, bruit | $t = 0$ | $t = 1$ |
# |---|---|---|
# | 1, 0 | 0,949 | 0,894 |
# | 0, 1 | 0,316 | 0,447 |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 15. Which mistake is this?
#
# A wrong `add_noise`, of betas 0.1, then 0.2.
#
# | pixel, noise | $t = 0$ | $t = 1$ |
# |---|---|---|
# | 1, 0 | 0.949 | 0.894 |
# | 0, 1 | 0.316 | 0.447 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux minutes par deux, puis un vote. La première colonne est juste ; à la seconde, une bonne version donnerait 0,849 et 0,529.
# Demander d'où vient 0,894. (De la racine de 0,8, le seul second alpha.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two minutes in pairs, then a vote. The first column is right; in the second a good version would give 0.849 and 0.529. Ask where
# 0.894 comes from. (From the root of 0.8, the second alpha alone.)

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz diffusion"
# ## 16. Neuf questions
#
# **8 min.** Répondez seul, puis comparez à deux.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz diffusion"
# ## 16. Nine questions
#
# **8 min.** Answer alone, then compare in pairs.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Quatre minutes seul, dans le notebook ; puis à main levée. S'arrêter là où la moitié de la salle se trompe. Les trois nombres se
# refont au tableau.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Four minutes alone, in the notebook; then by show of hands. Stop where half the room is wrong. The three numbers are worked out
# again on the board.

# %% [markdown] lang="fr"
# ## 16. Questions

# %% [markdown] lang="en"
# ## 16. Questions

# %% quiz="diffusion"
quiz(
    Number(
        say("Betas of 0.5, then 0.2. What is alpha bar after both timesteps?",
            "Des bêtas de 0,5 puis 0,2. Que vaut alpha barre après les deux instants ?"),
        right=0.4,
        why=say("It is the product of what each leaves: 0.5 × 0.8.", "C'est le produit de ce que chacun laisse : 0,5 × 0,8."),
        computed=lambda: NoiseSchedule(torch.tensor([0.5, 0.2])).alpha_bar(1),
        tolerance=1e-6,
        near_misses={0.1: say("That is the product of the betas; multiply what is left.",
                              "C'est le produit des bêtas ; multipliez ce qui reste.")},
    ),
    Number(
        say("Signal rate 0.8, noise rate 0.6, x_t = 1, and the network predicts a noise of 1. Which x_0 does it believe in?",
            "Taux de signal 0,8, taux de bruit 0,6, x_t = 1, et le réseau prédit un bruit de 1. En quel x_0 croit-il ?"),
        right=0.5,
        why=say("(1 − 0.6 × 1) / 0.8 = 0.5.", "(1 − 0,6 × 1) / 0,8 = 0,5."),
        computed=lambda: (1 - 0.6 * 1) / 0.8,
        near_misses={0.4: say("The noise is taken away; what is left is still faint: divide by the signal rate.",
                              "Le bruit est ôté ; ce qui reste est encore affaibli : divisez par le taux de signal.")},
    ),
    Choice(
        say("Data of variance 1 are noised as far as any timestep. Their variance", "Des données de variance 1 sont brouillées jusqu'à un instant. Leur variance"),
        [say("grows", "croît"), say("falls", "décroît"), say("stays 1", "reste 1")],
        right=2,
        why=say("The squares of the two rates add up to 1.", "Les carrés des deux taux ont 1 pour somme."),
        why_not=[
            say("It would if noise were added without weakening the picture.", "Ce serait le cas si l'on ajoutait du bruit sans affaiblir l'image."),
            say("What the picture loses is given to the noise.", "Ce que perd l'image est donné au bruit."),
        ],
    ),
    Choice(
        say("A well trained diffusion loss on our moons stays close to that of a network that always answers 0, because",
            "Une perte de diffusion bien entraînée, sur nos lunes, reste proche de celle de qui répond 0, parce que"),
        [say("the learning rate is too small", "le pas d'apprentissage est trop petit"),
         say("most of it is chance that nobody can predict", "l'essentiel en est du hasard que nul ne peut prédire"),
         say("the network is too small", "le réseau est trop petit")],
        right=1,
        why=say("A noisy point may come from many places; the best answer is their mean, and it is rarely the truth.",
                "Un point brouillé peut venir de bien des endroits ; la meilleure réponse est leur moyenne, et c'est rarement la vérité."),
        why_not=[
            say("Training longer would hardly lower it; look at what is drawn.", "S'entraîner plus ne la baisserait guère ; regardez ce qui est dessiné."),
            say("A perfect network would have nearly the same loss.", "Un réseau parfait aurait presque la même perte."),
        ],
    ),
    Number(
        say("Four pictures, 20 steps, guidance at scale 3: how many rows does the network see in all?",
            "Quatre images, 20 pas, un guidage à l'échelle 3 : combien de lignes le réseau voit-il en tout ?"),
        right=160,
        why=say("4 × 20, twice: with the request and without it.", "4 × 20, deux fois : avec la demande et sans elle."),
        computed=lambda: 4 * 20 * 2,
        near_misses={80: say("Guidance asks twice.", "Le guidage interroge deux fois."),
                     240: say("The scale multiplies a difference, not the questions.", "L'échelle multiplie une différence, non les questions.")},
    ),
    Choice(
        say("The last step of DDPM adds", "Le dernier pas de DDPM ajoute"),
        [say("no noise", "aucun bruit"),
         say("as much as the others", "autant de bruit que les autres"),
         say("the starting noise once more", "le bruit de départ, une fois encore")],
        right=0,
        why=say("Nobody would take it out again: the picture is handed over.", "Personne ne l'ôterait : l'image est rendue."),
        why_not=[
            say("Each step adds its own amount, less and less.", "Chaque pas en ajoute sa quantité, de moins en moins."),
            say("That noise was used at the start alone.", "Ce bruit n'a servi qu'au départ."),
        ],
    ),
    Choice(
        say("In DDIM, chance is", "Dans DDIM, le hasard est"),
        [say("at each step", "à chaque pas"),
         say("in the weights", "dans les poids"),
         say("in the starting noise", "dans le bruit de départ")],
        right=2,
        why=say("The same noise makes the same picture again.", "Le même bruit refait la même image."),
        why_not=[
            say("That is DDPM.", "C'est DDPM."),
            say("They are fixed once training is over.", "Ils sont fixés quand l'entraînement est fini."),
        ],
    ),
    Choice(
        say("Raising the guidance scale from 1 to 4", "Monter l'échelle du guidage de 1 à 4"),
        [say("gives more quality and more variety", "donne plus de qualité et plus de variété"),
         say("buys obedience with variety", "achète de l'obéissance avec de la variété"),
         say("trains the network further", "continue d'entraîner le réseau")],
        right=1,
        why=say("Both curves of section 8 say so.", "Les deux courbes de la section 8 le disent."),
        why_not=[
            say("One of the two fell when we measured.", "L'une des deux est tombée quand nous avons mesuré."),
            say("It acts in sampling; no weight moves.", "Il agit au tirage ; aucun poids ne bouge."),
        ],
    ),
    Choice(
        say("To keep a known region, inpainting acts", "Pour garder une région connue, la complétion agit"),
        [say("at the end: it pastes the region onto the picture", "à la fin : elle colle la région sur l'image"),
         say("in training: it hides the rest", "à l'entraînement : elle cache le reste"),
         say("at each step: before the network is asked, and on its answer", "à chaque pas : avant d'interroger le réseau, et sur sa réponse")],
        right=2,
        why=say("So the rest is invented to go with what is known.", "Ainsi le reste est inventé pour s'accorder à ce qui est connu."),
        why_not=[
            say("The rest would know nothing of it, and the seam would show.", "Le reste n'en saurait rien, et le raccord se verrait."),
            say("The network of this lesson was never trained for it.", "Le réseau de cette leçon n'y a jamais été entraîné."),
        ],
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Brouiller : une ligne.
# - Débruiter : la moyenne du possible.
# - Dessiner : avancer un peu, redemander.
# - Guider : obéir, au prix de la variété.
# - Une droite pour un arc : les mêmes gestes.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - To add noise: one line.
# - To denoise: the mean of what is possible.
# - To draw: move a little, ask again.
# - To guide: obey, at the price of variety.
# - A line for an arc: the same moves.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 13 et 21. La leçon 14 et la 15 mettront
# ce que l'on vient d'écrire derrière une phrase.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: finish exercises 13 and 21. Lessons 14 and 15 will put what has just
# been written behind a sentence.

# %% [markdown] lang="fr"
# ## À retenir
#
# - $x_t = \sqrt{\bar\alpha_t} \, x_0 + \sqrt{1 - \bar\alpha_t} \, \varepsilon$ : tout instant est à une ligne de l'image, et la variance
#   reste 1.
# - Un seul réseau, à qui l'on dit $t$, apprend une régression ; sa meilleure réponse est la moyenne de ce qui est possible, et sa perte
#   n'est pas une note.
# - $\varepsilon$, $x_0$ et $v$ disent la même chose, pas avec la même précision : $v$ ne divise jamais.
# - On ne retrouve pas un original : on avance un peu vers la croyance, on redemande. DDPM tire à chaque pas ; DDIM n'a de hasard qu'au
#   départ.
# - Le guidage agit au tirage seul ; il paie l'obéissance en variété. Pour compléter, on agit deux fois dans la boucle.
# - « Copie ou invention ? » se mesure, à côté de vrais exemples nouveaux.
# - Une ligne droite au lieu d'un arc : l'appariement de flots garde tous les gestes, et nos chiffres s'en trouvent mieux quand les
#   passages sont rares.

# %% [markdown] lang="en"
# ## Take-aways
#
# - $x_t = \sqrt{\bar\alpha_t} \, x_0 + \sqrt{1 - \bar\alpha_t} \, \varepsilon$: every timestep is one line away from the picture, and the
#   variance stays 1.
# - A single network, which is told $t$, learns a regression; its best answer is the mean of what is possible, and its loss is not a mark.
# - $\varepsilon$, $x_0$ and $v$ say the same, not equally well: $v$ never divides.
# - One does not find an original again: one moves a little towards the belief, and asks again. DDPM samples at each step; DDIM has chance
#   at the start alone.
# - Guidance acts in sampling alone; it pays for obedience with variety. To complete, one acts twice within the loop.
# - "Copy or invention?" can be measured, beside new true examples.
# - A straight line instead of an arc: flow matching keeps all moves, and our digits are the better for it where runs are few.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:11) dessine tout autrement, code après code ; la [](lesson:14) et la [](lesson:15) reprennent la diffusion derrière une
# phrase. D'ici là : entraînez le réseau du plan sur une forme à vous ; comparez `uniform_times` et `logit_normal_times` ; cherchez à
# partir de combien de chiffres appris le réseau cesse de réciter.
#
# ## Sources
#
# - J. Sohl-Dickstein et al., [*Deep unsupervised learning using nonequilibrium thermodynamics*](work:sohldickstein2015), 2015.
# - J. Ho, A. Jain et P. Abbeel, [*Denoising diffusion probabilistic models*](work:ho2020), 2020.
# - A. Nichol et P. Dhariwal, [*Improved denoising diffusion probabilistic models*](work:nichol2021), 2021 ; P. Dhariwal et A. Nichol,
#   [*Diffusion models beat GANs on image synthesis*](work:dhariwal2021), 2021.
# - J. Song, C. Meng et S. Ermon, [*Denoising diffusion implicit models*](work:song2021), 2021 ; C. Lu et al.,
#   [*DPM-Solver++*](work:lu2022), 2022.
# - T. Salimans et J. Ho, [*Progressive distillation for fast sampling of diffusion models*](work:salimans2022), 2022 ; S. Lin et al.,
#   [*Common diffusion noise schedules and sample steps are flawed*](work:lin2024), 2024 ; E. Hoogeboom, J. Heek et T. Salimans, [*Simple
#   diffusion*](work:hoogeboom2023), 2023.
# - J. Ho et T. Salimans, [*Classifier-free diffusion guidance*](work:ho2021), 2021 ; A. Nichol et al., [*GLIDE*](work:nichol2022), 2022 ;
#   C. Saharia et al., [*Photorealistic text-to-image diffusion models with deep language understanding*](work:saharia2022), 2022.
# - A. Lugmayr et al., [*RePaint*](work:lugmayr2022), 2022 ; N. Carlini et al., [*Extracting training data from diffusion
#   models*](work:carlini2023), 2023.
# - Y. Lipman et al., [*Flow matching for generative modeling*](work:lipman2023), 2023 ; X. Liu, C. Gong et Q. Liu, [*Flow straight and
#   fast*](work:liu2023), 2023 ; M. Albergo et E. Vanden-Eijnden, [*Building normalizing flows with stochastic
#   interpolants*](work:albergo2023), 2023 ; P. Esser et al., [*Scaling rectified flow transformers for high-resolution image
#   synthesis*](work:esser2024), 2024.
# - R. Rombach et al., [*High-resolution image synthesis with latent diffusion models*](work:rombach2022), 2022 ; W. Peebles et S. Xie,
#   [*Scalable diffusion models with transformers*](work:peebles2023), 2023.

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:11) draws in quite another way, code after code; [](lesson:14) and [](lesson:15) take up diffusion behind a sentence. Until
# then: train the network of the plane on a shape of your own; compare `uniform_times` and `logit_normal_times`; find from how many digits
# on the network ceases to recite.
#
# ## Sources
#
# - J. Sohl-Dickstein and others, [*Deep unsupervised learning using nonequilibrium thermodynamics*](work:sohldickstein2015), 2015.
# - J. Ho, A. Jain and P. Abbeel, [*Denoising diffusion probabilistic models*](work:ho2020), 2020.
# - A. Nichol and P. Dhariwal, [*Improved denoising diffusion probabilistic models*](work:nichol2021), 2021; P. Dhariwal and A. Nichol,
#   [*Diffusion models beat GANs on image synthesis*](work:dhariwal2021), 2021.
# - J. Song, C. Meng and S. Ermon, [*Denoising diffusion implicit models*](work:song2021), 2021; C. Lu and others,
#   [*DPM-Solver++*](work:lu2022), 2022.
# - T. Salimans and J. Ho, [*Progressive distillation for fast sampling of diffusion models*](work:salimans2022), 2022; S. Lin and others,
#   [*Common diffusion noise schedules and sample steps are flawed*](work:lin2024), 2024; E. Hoogeboom, J. Heek and T. Salimans, [*Simple
#   diffusion*](work:hoogeboom2023), 2023.
# - J. Ho and T. Salimans, [*Classifier-free diffusion guidance*](work:ho2021), 2021; A. Nichol and others, [*GLIDE*](work:nichol2022),
#   2022; C. Saharia and others, [*Photorealistic text-to-image diffusion models with deep language understanding*](work:saharia2022),
#   2022.
# - A. Lugmayr and others, [*RePaint*](work:lugmayr2022), 2022; N. Carlini and others, [*Extracting training data from diffusion
#   models*](work:carlini2023), 2023.
# - Y. Lipman and others, [*Flow matching for generative modeling*](work:lipman2023), 2023; X. Liu, C. Gong and Q. Liu, [*Flow straight
#   and fast*](work:liu2023), 2023; M. Albergo and E. Vanden-Eijnden, [*Building normalizing flows with stochastic
#   interpolants*](work:albergo2023), 2023; P. Esser and others, [*Scaling rectified flow transformers for high-resolution image
#   synthesis*](work:esser2024), 2024.
# - R. Rombach and others, [*High-resolution image synthesis with latent diffusion models*](work:rombach2022), 2022; W. Peebles and S.
#   Xie, [*Scalable diffusion models with transformers*](work:peebles2023), 2023.
