# ---
# jupyter:
#   lesson:
#     number: "10"
#     hours: [3.5, 1.0, 3.0, 1.5]
#     session: 180
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

white_noise = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(7))


# %% tags=["hide-input"]
def show(panel, image, title=""):
    # en: an image of shape (1, h, w) or (3, h, w), with values in [-1, 1]
    # fr: une image de forme (1, h, w) ou (3, h, w), de valeurs dans [-1, 1]
    pixels = (image.detach() / 2 + 0.5).clamp(0, 1).permute(1, 2, 0)
    panel.imshow(pixels.expand(-1, -1, 3), interpolation="nearest")
    panel.set(title=title, xticks=[], yticks=[])
    panel.spines[:].set(visible=True, color="silver")


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=3.2, height=3.2)
show(axes, white_noise[0])
picture(figure, say("Sixty-four squares of random greys, in which no digit can be "
                    "read.",
                    "Soixante-quatre carrés de gris au hasard, où aucun chiffre ne "
                    "se lit."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire voter : qui voit un 3 ? un 8 ? Noter les voix au tableau, de 0 à 9. Ne rien dire de plus. La réponse (tous les dix, de la même
# main) attend la section 9.

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
# 2 min. Deux séances de 90 minutes : le plan, sans une seule image, jusqu'à la section 6 ; les chiffres et les scènes ensuite. Demander ce que
# rend un U-Net à qui deux réponses sont également permises. (Leur moyenne : fin de la leçon 06. C'est la clé de celle-ci.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Two sessions of 90 minutes: the plane, without a single picture, as far as section 6; digits and scenes after that. Ask what a U-Net
# gives that is allowed two answers, equally likely. (Their mean: the end of lesson 06. It is the key to this one.)

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
# [8](#guidance) et [9](#one-hand) forment le chemin principal. Un exercice non fait n'arrête rien : la bibliothèque prend la place de ce qui
# manque.

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
# [8](#guidance) and [9](#one-hand) are the main path. An exercise left undone stops nothing: the library takes the place of what is missing.

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
# Commençons sans images : une **donnée** sera un point du plan, et nos données, deux demi-lunes emboîtées. « Dessiner » voudra dire : rendre un
# nouveau point, pris sur les lunes. Regardons d'abord le chemin inverse, qui est facile. À chaque **instant**, tout point se rapproche un peu du
# centre et reçoit un peu de bruit. **Devinez** : à quel moment ne reconnaîtrez-vous plus les lunes ?

# %% [markdown] lang="en"
# ## 1. A shape dissolves
#
# Let us begin without pictures: a **datum** will be a point of the plane, and our data two half moons, one inside the other. To "draw" will mean
# to return a new point, on the moons. First let us watch the opposite way, which is easy. At each **timestep** every point moves a little towards
# the centre and receives a little noise. **Guess**: at what moment will you no longer recognise the moons?

# %% tags=["hide-input"]
from dalle_edu.bricks.noise_schedule import cosine_schedule as the_cosine

points = moons(800, torch.Generator().manual_seed(0))
eps = torch.randn(800, 2, generator=torch.Generator().manual_seed(1))


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
figure, panels = plot(1, 5, width=10, height=2.4)
for panel, t in zip(panels, (0, 200, 400, 600, 999)):
    kept_part = the_cosine().alpha_bar(t)
    dissolved = math.sqrt(kept_part) * points + math.sqrt(1 - kept_part) * eps
    scatter(panel, dissolved, f"t = {t}")
picture(figure, say("Two half moons become a round cloud, from t = 0 to t = 999; at "
                    "600 they can hardly be told.",
                    "Deux demi-lunes deviennent un nuage rond, de t = 0 à t = 999 ; à "
                    "600, on ne les devine presque plus."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Image : une vitre qui givre. Faire parier sur le moment où la forme disparaît. Demander ce qui reste à la fin. (Un nuage rond, le même
# quelle que soit la forme du début : du bruit blanc.) C'est ce qui permettra de partir de lui.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Image: a window pane that freezes over. Take bets on when the shape disappears. Ask what is left at the end. (A round cloud, the same
# whatever the shape at the start: white noise.) That is what will let us start from it.

# %% [markdown] lang="fr"
# Vers 600, l'œil ne voit plus guère qu'un nuage rond ; à 999, c'est du **bruit blanc** : des nombres normaux, tirés un à un, sans lien entre eux
# ni avec le départ. Et maintenant, un nombre à la main.
#
# Un pixel vaut $x_0 = 1$. À un instant, une part $\beta$ (« bêta ») de la variance est remplacée par du bruit :
# $x' = \sqrt{1 - \beta} \; x + \sqrt{\beta} \; \varepsilon$, où $\varepsilon$ est tiré d'une loi normale de moyenne 0 et de variance 1. Prenons
# $\beta = 0{,}1$ puis $0{,}2$. Après le premier pas, il reste $\sqrt{0{,}9}$ du pixel ; après le second, $\sqrt{0{,}9 \times 0{,}8} =
# \sqrt{0{,}72}$, soit 0,85. Quant au bruit, sa variance vaut 0,1 après le premier pas, puis $0{,}8 \times 0{,}1 + 0{,}2 = 0{,}28$. Or
# $0{,}28 = 1 - 0{,}72$.
#
# Ce n'est pas un hasard. La somme de deux bruits normaux est encore un bruit normal, et les variances s'ajoutent. **Deux pas en font un seul**,
# et mille aussi ([Ho, Jain et Abbeel 2020](work:ho2020), équation 4 ; l'idée de ce va-et-vient est de [Sohl-Dickstein et
# al. 2015](work:sohldickstein2015)) :

# %% [markdown] lang="en"
# Around 600 the eye sees little more than a round cloud; at 999 it is **white noise**: normal numbers, sampled one by one, that have nothing to do
# with one another or with the start. And now a number by hand.
#
# A pixel is $x_0 = 1$. At a timestep, a part $\beta$ ("beta") of the variance is replaced by noise:
# $x' = \sqrt{1 - \beta} \; x + \sqrt{\beta} \; \varepsilon$, where $\varepsilon$ is sampled from a normal distribution of mean 0 and variance 1.
# Let us take $\beta = 0.1$, then $0.2$. After the first step $\sqrt{0.9}$ of the pixel is left; after the second, $\sqrt{0.9 \times 0.8} =
# \sqrt{0.72}$, which is 0.85. As for the noise, its variance is 0.1 after the first step, then $0.8 \times 0.1 + 0.2 = 0.28$. And
# $0.28 = 1 - 0.72$.
#
# This is no accident. The sum of two normal noises is a normal noise again, and the variances add up. **Two steps make one**, and so do a
# thousand ([Ho, Jain and Abbeel 2020](work:ho2020), equation 4; the idea of going there and back is that of [Sohl-Dickstein and others
# 2015](work:sohldickstein2015)):

# %% [markdown]
# $$ x_t = \sqrt{\bar\alpha_t} \; x_0 + \sqrt{1 - \bar\alpha_t} \; \varepsilon , \qquad
# \bar\alpha_t = \prod_{s \le t} (1 - \beta_s) $$

# %% [markdown] lang="fr"
# $\bar\alpha_t$ (« alpha barre ») est la part de la **variance** qui vient encore de l'image. Sa racine est le **taux de signal** ; celle de
# $1 - \bar\alpha_t$, le **taux de bruit**. Les deux *carrés* ont 1 pour somme : une donnée de variance 1 la garde tout du long.

# %% [markdown] lang="en"
# $\bar\alpha_t$ ("alpha bar") is the part of the **variance** that still comes from the picture. Its root is the **signal rate**; that of
# $1 - \bar\alpha_t$, the **noise rate**. The two *squares* add up to 1: data of variance 1 keep it all along.

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
# 6 min. Faire les deux pas au tableau, avec un pixel à 1. Demander la variance du bruit après le second pas avant de l'écrire. Souligner :
# bêta et alpha barre sont des variances, on multiplie par leurs racines. Question qui revient : pourquoi mille instants ? (C'est une échelle :
# l'article en prit mille, et nous dessinerons en vingt pas.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Do both steps on the board, with a pixel of 1. Ask for the variance of the noise after the second step before writing it. Stress that
# beta and alpha bar are variances, and that one multiplies by their roots. A question that comes back: why a thousand timesteps? (It is a scale:
# the paper took a thousand, and we shall draw in twenty steps.)

# %% [markdown] lang="fr"
# À vous. Un **calendrier de bruit** est la liste des $\beta$. Le premier fut le plus simple : $\beta$ croît régulièrement, de `first` à `last`
# compris ; [l'article](work:ho2020) prit mille instants, de 0,0001 à 0,02. Rendez un `NoiseSchedule`, qui calcule $\bar\alpha$ tout seul. Ses
# bêtas sont un tenseur de `timesteps` nombres en double précision (`dtype=torch.float64`).
#
# <details><summary>Un indice</summary>
#
# `torch.linspace(0, 1, 5)` donne cinq nombres à égale distance, les deux bouts compris ; il accepte `dtype=`.
#
# </details>

# %% [markdown] lang="en"
# Your turn. A **noise schedule** is the list of the $\beta$. The first was the simplest: $\beta$ grows evenly, from `first` to `last`, both
# included; [the paper](work:ho2020) took a thousand timesteps, from 0.0001 to 0.02. Return a `NoiseSchedule`, which works out $\bar\alpha$ by
# itself. Its betas are a tensor of `timesteps` numbers in double precision (`dtype=torch.float64`).
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
# Le chemin long, maintenant : `x` passe par tous les instants, un à un. `betas` et `noises` ont la même longueur ; `noises[i]` a la forme de `x`.
# Rendez le dernier `x`.
#
# <details><summary>Un indice</summary>
#
# `zip(betas, noises)` donne les couples, dans l'ordre ; à chaque tour, remplacez `x` par $\sqrt{1 - \beta} \, x + \sqrt\beta \,
# \varepsilon$.
#
# </details>

# %% [markdown] lang="en"
# The long way, now: `x` goes through all timesteps, one by one. `betas` and `noises` are of the same length; `noises[i]` has the shape of `x`.
# Return the last `x`.
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
    return step_by_step(torch.tensor([0.0]), [0.1, 0.2], torch.tensor([[1.0], [1.0]]))


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
# And the short way. `x0` and `noise` are of shape (n, …), n pictures; `t` is of shape (n,), one timestep **for each picture**. Return $x_t$.
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
# 12 min. Fautes à guetter : les racines oubliées (la variance ne reste pas 1) ; l'alpha d'un seul instant à la place du produit ; les deux taux
# échangés. Demander à chacun la variance de sa sortie.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Mistakes to look for: roots forgotten (the variance does not stay 1); the alpha of a single timestep instead of the product; the two
# rates exchanged. Ask everyone for the variance of their output.

# %% [markdown] lang="fr"
# Le pari : mille petits pas, un bruit nouveau à chacun, contre un seul grand. Prenons le même point de départ, mille fois. **Devinez** : les deux
# nuages auront-ils même centre et même largeur ?

# %% [markdown] lang="en"
# The bet: a thousand small steps, with new noise at each, against a single large one. Let us take the same starting point, a thousand times.
# **Guess**: will the two clouds have the same centre and the same width?

# %%
generator = torch.Generator().manual_seed(0)
start = torch.tensor([2.0, -1.0]).repeat(1000, 1)
first_half = linear_schedule().betas[:300]
noises = torch.randn(300, 1000, 2, generator=generator)
long_way = step_by_step(start, first_half.tolist(), noises)
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
# Même centre, même largeur, aux hasards du tirage près. Nous sautons donc à n'importe quel instant en une ligne : l'entraînement n'aura jamais
# besoin de parcourir le chemin.

# %% [markdown] lang="en"
# The same centre, the same width, but for the chances of sampling. So we jump to any timestep in one line: training will never have to walk the
# path.

# %% [markdown] lang="fr"
# ## 2. Ce qu'un calendrier cache
#
# Deux calendriers de mille instants n'emploient pas leur temps de même. En 2021, [Nichol et Dhariwal](work:nichol2021) remarquèrent que le
# linéaire détruit de petites images trop tôt : ses derniers instants ne montrent que du bruit, et n'apprennent rien. Ils décidèrent donc de
# $\bar\alpha$ lui-même, qui descend comme un cosinus au carré. Après $i$ instants sur $T$ :

# %% [markdown] lang="en"
# ## 2. What a schedule hides
#
# Two schedules of a thousand timesteps do not spend their time alike. In 2021, [Nichol and Dhariwal](work:nichol2021) noticed that the linear one
# destroys small pictures too early: its last timesteps show nothing but noise, and teach nothing. So they decided on $\bar\alpha$ itself, which
# falls like a squared cosine. After $i$ timesteps of $T$:

# %% [markdown]
# $$ \bar\alpha = \cos^2\!\left( \frac{i / T + 0.008}{1 + 0.008} \cdot \frac{\pi}{2} \right) , \qquad
# \beta_i = 1 - \frac{\bar\alpha_{\text{after}}}{\bar\alpha_{\text{before}}} $$

# %% [markdown] lang="fr"
# Avec deux instants et sans décalage (0 à la place de 0,008) : $\bar\alpha$ part de 1, passe par $\cos^2(\pi / 4) = 0{,}5$, et finit à 0. Les bêtas
# sont $1 - 0{,}5 / 1 = 0{,}5$ et $1 - 0 / 0{,}5 = 1$. Un bêta de 1 ne laisse rien à quoi revenir : on borne à `max_beta`.
#
# Écrivez-le. `at` aura `timesteps` + 1 valeurs, de 0 à 1 ; les bêtas, une de moins, en double précision.
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
# With two timesteps and no offset (0 in place of 0.008), $\bar\alpha$ starts from 1, passes through $\cos^2(\pi / 4) = 0.5$, and ends at 0. The
# betas are $1 - 0.5 / 1 = 0.5$ and $1 - 0 / 0.5 = 1$. A beta of 1 leaves nothing to come back to: it is clipped at `max_beta`.
#
# Write it. `at` will have `timesteps` + 1 values, from 0 to 1; the betas, one fewer, in double precision.
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
linéaire (Nichol et Dhariwal 2021, équation 17). Après i instants sur T, alpha_bar
est le carré du cosinus de (i / T + offset) / (1 + offset) * pi / 2, et chaque bêta
vaut 1 moins le rapport d'alpha_bar après son instant à alpha_bar avant, en float64.
Les derniers bêtas vaudraient 1, ce qui ne laisse aucun signal par quoi diviser :
ils sont bornés à `max_beta`.
"""

# %% scratch=true
cosine_schedule(2, offset=0.0).betas
# → tensor([0.5000, 0.9990], dtype=torch.float64)

# %% [markdown] lang="fr"
# Un chiffre écrit à la main, brouillé selon l'un et l'autre. **Devinez** : au milieu du temps, que reste-t-il de la variance de l'image sous le
# calendrier linéaire ? la moitié ? un dixième ? moins ?

# %% [markdown] lang="en"
# A handwritten digit, noised according to both. **Guess**: at half time, what is left of the picture's variance under the linear schedule? half?
# a tenth? less?

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
same_noise = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(3))
figure, panels = plot(2, 7, width=9, height=3.2)
for row, (name, schedule) in zip(panels, schedules.items()):
    for panel, t in zip(row, moments):
        noisy = add_noise(images[5:6], same_noise, torch.tensor([t]), schedule)
        show(panel, noisy[0], f"t = {t}" if row is panels[0] else "")
    row[0].set_ylabel(name)
picture(figure, say("A handwritten 5 at seven timesteps: at 450 it is still there "
                    "under the cosine schedule, and lost under the linear one.",
                    "Un 5 manuscrit à sept instants : à 450, il est encore là sous le "
                    "calendrier en cosinus, et perdu sous le linéaire."))

# %% claims=true
assert labels[5] == 5
assert 0.07 < linear_schedule().alpha_bar(499) < 0.1
assert 0.48 < cosine_schedule().alpha_bar(499) < 0.51
assert linear_schedule().alpha_bar(749) < 0.01

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Demander ce qui reste au milieu du temps : moins d'un dixième de la variance sous le linéaire, la moitié sous le cosinus. Que peut
# apprendre un réseau à qui l'on montre du bruit pur ? (La moyenne des images, et c'est tout.) Un calendrier décide de ce que le réseau regarde.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Ask what is left at half time: less than a tenth of the variance under the linear schedule, half of it under the cosine. What can a
# network learn that is shown pure noise? (The mean of the pictures, and no more.) A schedule decides what the network looks at.

# %% [markdown] lang="fr"
# Moins d'un dixième sous le linéaire, et moins d'un centième aux trois quarts ; la moitié sous le cosinus. Un calendrier n'est donc pas un détail :
# il décide à quels degrés de brouillard le réseau passe son temps. Nous prendrons le cosinus.

# %% [markdown] lang="en"
# Less than a tenth under the linear one, and less than a hundredth at three quarters; half of it under the cosine. So a schedule is no detail: it
# decides at which densities of fog the network spends its time. We shall take the cosine.

# %% [markdown] lang="fr"
# ## 3. Trois façons de dire la même chose
#
# Le retour sera l'affaire d'un réseau, qui voit $x_t$ et connaît $t$. Que doit-il prédire ? L'image $x_0$, bien sûr. Ou le bruit $\varepsilon$ : qui
# connaît l'un en tire l'autre. Prenons des taux commodes, 0,6 de signal et 0,8 de bruit, un pixel $x_0 = 1$ et un bruit $\varepsilon = -0{,}5$ :
#
# $$ x_t = 0{,}6 \times 1 + 0{,}8 \times (-0{,}5) = 0{,}2 $$
#
# Un réseau qui devine $\varepsilon = -0{,}5$ a deviné l'image : $(0{,}2 - 0{,}8 \times (-0{,}5)) / 0{,}6 = 1$. Mais notez la division par 0,6. Quand
# le taux de signal sera 0,001, une erreur minuscule sur le bruit sera multipliée par mille. De même $x_0$ dit mal le bruit là où il n'y en a presque
# pas. D'où une troisième cible ([Salimans et Ho 2022](work:salimans2022)), qui ne divise jamais :

# %% [markdown] lang="en"
# ## 3. Three ways to say the same
#
# The way back will be the work of a network, which sees $x_t$ and knows $t$. What should it predict? The picture $x_0$, of course. Or the noise
# $\varepsilon$: who knows one gets the other. Let us take convenient rates, 0.6 of signal and 0.8 of noise, a pixel $x_0 = 1$ and a noise
# $\varepsilon = -0.5$:
#
# $$ x_t = 0.6 \times 1 + 0.8 \times (-0.5) = 0.2 $$
#
# A network that guesses $\varepsilon = -0.5$ has guessed the picture: $(0.2 - 0.8 \times (-0.5)) / 0.6 = 1$. But note the division by 0.6. When the
# signal rate is 0.001, a tiny error in the noise will be multiplied by a thousand. In the same way $x_0$ tells the noise badly where there is hardly
# any. Hence a third target ([Salimans and Ho 2022](work:salimans2022)), which never divides:

# %% [markdown]
# $$ v = \sqrt{\bar\alpha_t} \; \varepsilon - \sqrt{1 - \bar\alpha_t} \; x_0 \qquad\qquad
# x_0 = \sqrt{\bar\alpha_t} \; x_t - \sqrt{1 - \bar\alpha_t} \; v $$

# %% [markdown] lang="fr"
# Ici, $v = 0{,}6 \times (-0{,}5) - 0{,}8 \times 1 = -1{,}1$, et l'on retrouve $0{,}6 \times 0{,}2 + 0{,}8 \times 1{,}1 = 1$. Une image le dit mieux : les
# deux taux sont le cosinus et le sinus d'un angle. De $x_0$ à $\varepsilon$, $x_t$ parcourt un quart de tour, et $v$ est la direction dans laquelle
# il avance.

# %% [markdown] lang="en"
# Here $v = 0.6 \times (-0.5) - 0.8 \times 1 = -1.1$, and one finds again $0.6 \times 0.2 + 0.8 \times 1.1 = 1$. A picture says it better: the two
# rates are the cosine and the sine of an angle. From $x_0$ to $\varepsilon$, $x_t$ goes through a quarter of a turn, and $v$ is the direction in which
# it moves.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Image, bruit, vitesse
#
# Qui connaît l'un, et $x_t$, connaît les trois.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Picture, noise, velocity
#
# Who knows one, and $x_t$, knows all three.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=4.6, height=4.2)
angles = torch.linspace(0, math.pi / 2, 50)
axes.plot(angles.cos(), angles.sin(), color="silver")
ends = {"$x_0$": (1, 0), r"$\varepsilon$": (0, 1), "$x_t$": (0.6, 0.8)}
for (name, end), colour in zip(ends.items(), (BLUE, VERMILION, "black")):
    axes.annotate("", end, (0, 0), arrowprops={"arrowstyle": "->", "color": colour,
                                               "linewidth": 2})
    axes.text(1.06 * end[0], 1.06 * end[1], name, fontsize=16, color=colour)
axes.annotate("", (0.6 - 0.4, 0.8 + 0.3), (0.6, 0.8),
              arrowprops={"arrowstyle": "->", "color": GREEN, "linewidth": 2})
axes.text(0.28, 1.12, "$v$", fontsize=16, color=GREEN)
axes.set(xlim=(-0.1, 1.25), ylim=(-0.1, 1.25), aspect="equal")
axes.set(xlabel=say("signal rate", "taux de signal"))
axes.set(ylabel=say("noise rate", "taux de bruit"))
picture(figure, say("A quarter of a circle from x0 to epsilon; x_t is on it at rates "
                    "0.6 and 0.8, and v points along the circle, towards the noise.",
                    "Un quart de cercle de x0 à epsilon ; x_t s'y trouve aux taux 0,6 "
                    "et 0,8, et v est dirigée le long du cercle, vers le bruit."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Le nombre d'abord, au tableau : x_t = 0,2 ; retrouver 1 depuis le bruit, puis depuis v. Demander ce que devient la division par le taux de
# signal tout à droite du temps. (Elle explose.) Puis le quart de tour. Question à prévoir : pourquoi prédire le bruit ? (C'est ce que fit l'article
# de 2020 ; les trois disent la même chose, mais pas avec la même précision partout.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. The number first, on the board: x_t = 0.2; find 1 again from the noise, then from v. Ask what becomes of the division by the signal rate at
# the very end of time. (It explodes.) Then the quarter of a turn. A question to expect: why predict noise? (It is what the paper of 2020 did; all
# three say the same, but not equally well everywhere.)

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

v vaut taux de signal * bruit - taux de bruit * image (Salimans et Ho 2022). « eps »
dit peu là où il n'y a presque pas de bruit, et « x0 » là où il n'y a presque pas de
signal ; « v » est à peu près aussi difficile partout.
"""

# %% scratch=true
easy_rates = NoiseSchedule(torch.tensor([0.64]))
at_once = torch.tensor([0])
training_target(torch.tensor([[1.0]]), torch.tensor([[-0.5]]), at_once, easy_rates, "v")
# → tensor([[-1.1000]])

# %% [markdown] lang="fr"
# Et dans l'autre sens : d'une prédiction et de `x_t`, tirez l'image **et** le bruit, dans cet ordre, quelle que soit la cible. C'est ce qui rendra
# les échantillonneurs indifférents à ce choix.
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
# And the other way round: of a prediction and `x_t`, work out the picture **and** the noise, in that order, whatever the target. This is what will
# make samplers indifferent to the choice.
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
picture_and_noise(torch.tensor([[-1.1]]), torch.tensor([[0.2]]), at_once, easy_rates, "v")
# → (tensor([[1.0000]]), tensor([[-0.5000]]))

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
# 15 min. Fautes à guetter : un bêta qui arrive à 1 ; le signe de v ; la division oubliée dans l'image tirée du bruit. Qui a fini calcule l'erreur
# sur l'image, à t = 999, d'une erreur d'un centième sur le bruit.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Mistakes to look for: a beta that comes to 1; the sign of v; the division forgotten in the picture taken from the noise. Who has finished
# works out the error in the picture, at t = 999, of an error of a hundredth in the noise.

# %% [markdown] lang="fr"
# Plus de cent, pour des pixels qui vont de −1 à 1. Au milieu, les deux erreurs se valent. Nous prédirons $v$, et la [](#the-way-back-without-chance)
# dira ce qu'il en coûte de ne pas le faire.

# %% [markdown] lang="en"
# More than a hundred, for pixels that go from −1 to 1. In the middle the two errors are alike. We shall predict $v$, and
# [](#the-way-back-without-chance) will say what it costs not to.
