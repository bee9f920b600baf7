# ---
# jupyter:
#   lesson:
#     number: "11"
#     hours: [3.5, 0.5, 1, 2]
#     title: {en: "DALL·E 1: a sentence becomes a picture", fr: "DALL·E 1 : une phrase devient une image"}
# ---

# %% [markdown] lang="fr" slide="subslide"
# Une phrase entre, une image sort. Vous avez toutes les pièces : l'auto-encodeur et son dictionnaire de codes, le *codebook* (leçon 08), le
# transformeur qui écrit un jeton après l'autre (leçon 05). DALL·E 1 les visse l'une à l'autre. Nous le démontons, puis nous le remontons à
# la main.
#
# **À la fin de cette leçon, vous saurez**
#
# - dire ce que fait chacune des deux étapes de DALL·E 1, et pourquoi il en faut deux ;
# - tirer au sort d'une façon qui se dérive : le Gumbel-softmax et sa température ;
# - garder un codebook en vie, et lire dedans ;
# - écrire une image code après code, la guider, la compléter, en choisir une parmi plusieurs ;
# - mesurer ce qu'une machine a compris, compétence par compétence, sans vous laisser tromper par le hasard.
#
# **Il faut** les leçons 05 (attention et transformeurs) et 08 (auto-encodeurs et codebooks).

# %% [markdown] lang="en" slide="subslide"
# A sentence goes in, a picture comes out. You have all the parts: the autoencoder and its dictionary of codes, the *codebook* (lesson 08),
# the transformer that writes one token after the other (lesson 05). DALL·E 1 bolts them together. We take it apart, then put it together
# again by hand.
#
# **By the end of this lesson you will be able to**
#
# - say what each of the two stages of DALL·E 1 does, and why there must be two;
# - draw lots in a way that has a derivative: the Gumbel-softmax and its temperature;
# - keep a codebook alive, and read what is in it;
# - write a picture code by code, guide it, complete it, choose one among several;
# - measure what a machine has understood, skill by skill, without being fooled by chance.
#
# **You need** lessons 05 (attention and transformers) and 08 (autoencoders and codebooks).

# %%
import json
import math
import time

import torch
import torch.nn.functional as F
from einops import rearrange

import dalle_edu
from dalle_edu.bricks.codebook import codes_alive
from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig, patch_contrast, temperature_at
from dalle_edu.bricks.gpt import GPTConfig, sample_codes
from dalle_edu.bricks.decoding import choose
from dalle_edu.scorecard import SKILL_NAMES, mark, questions, parse_pictures, wilson_interval
from dalle_edu.systems.dalle1 import DallE1, DallE1Config, DallE1Model
from dalle_edu.systems.interface.noise import uniforms_for
from dalle_edu.checkpoints.shipped import weights_path

# %%
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLUE, COLOURS, GREEN, ORANGE, PURPLE, SKY, VERMILION, legend, picture, plot, sheet
from dalle_edu.classroom.suspect import suspect
from dalle_edu.classroom.widgets.studio import studio
from dalle_edu.world import (SHAPES, Description, Mention, Object, Scene, World, caption, check_prompt, phrasings, read_caption, render,
                             unknown_words)

# %% [markdown] lang="fr" slide="slide"
# ## 1. La promesse
#
# Voici la machine entière, avec les poids qui accompagnent ce cours. Elle lit le français et l'anglais ; son monde tient en huit formes,
# huit couleurs, deux tailles, quatre positions et les nombres de un à quatre. Elle se trompe parfois ; nous compterons combien.

# %% [markdown] lang="en" slide="slide"
# ## 1. The promise
#
# Here is the whole machine, with the weights that come with this course. It reads French and English; its world holds eight shapes, eight
# colours, two sizes, four positions and the numbers from one to four. It errs at times; we shall count how often.

# %% slide="fragment"
machine = dalle_edu.load("dalle1")
gpt, codec = machine.gpt.config, machine.dvae.config
wishes = [
    say("a large red circle to the left of a small blue square", "un grand cercle rouge à gauche d'un petit carré bleu"),
    say("three blue stars", "trois étoiles bleues"),
    say("a pink heart above a black ring", "un cœur rose au-dessus d'un anneau noir"),
    say("a purple cross and an orange star", "une croix violette et une étoile orange"),
]
sheet(machine.generate(wishes, seed=1), wishes,
      say("Four small pictures of coloured shapes, each above the sentence that it was drawn from.",
          "Quatre petites images de formes colorées, chacune au-dessus de la phrase dont elle est tirée."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Demander à la salle une phrase de son cru avant de montrer la suite, et la taper dans l'atelier (section 10). Garder une phrase ratée pour
# la section 12 : les échecs enseignent plus que les réussites.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Ask the room for a sentence of its own before going on, and type it into the studio (section 10). Keep a failure for section 12: failures
# teach more than successes.

# %% [markdown] lang="fr"
# ## 2. Deux étapes
#
# Un transformeur sait continuer une suite de jetons. Une phrase est une suite de jetons ; une image n'en est pas une. D'où deux étapes
# (Ramesh et al. 2021) :
#
# 1. **un codec** : un auto-encodeur variationnel discret (dVAE) apprend à dire toute image par une petite grille de numéros, pris dans une
#    liste, le codebook ;
# 2. **un écrivain** : un transformeur à la GPT apprend à continuer une phrase par les numéros de son image.
#
# Pour dessiner : la phrase, puis les numéros que l'écrivain ajoute, puis le décodeur, qui les peint.

# %% [markdown] lang="en"
# ## 2. Two stages
#
# A transformer can continue a sequence of tokens. A sentence is a sequence of tokens; a picture is not. Hence two stages (Ramesh et al.
# 2021):
#
# 1. **a codec**: a discrete variational autoencoder (dVAE) learns to say any picture as a small grid of numbers, taken from a list, the
#    codebook;
# 2. **a writer**: a transformer in the manner of GPT learns to continue a sentence with the numbers of its picture.
#
# To draw: the sentence, then the numbers that the writer adds, then the decoder, which paints them.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Deux étapes
#
# 1. Un **codec** : toute image devient une petite grille de numéros.
# 2. Un **écrivain** : un transformeur continue une phrase par les numéros de son image.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. Two stages
#
# 1. A **codec**: any picture becomes a small grid of numbers.
# 2. A **writer**: a transformer continues a sentence with the numbers of its picture.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=9, height=2.7)
boxes = {say("picture", "image"): (0, 1), say("encoder", "encodeur"): (2, 1), "codes": (4, 1), say("decoder", "décodeur"): (6, 1),
         say("picture again", "image refaite"): (8, 1), say("sentence", "phrase"): (0, 0), say("tokens", "jetons"): (2, 0), "GPT": (4, 0)}
for name, (x, y) in boxes.items():
    axes.text(x, y, name, ha="center", va="center", bbox={"boxstyle": "round,pad=0.5", "facecolor": SKY if y else ORANGE, "alpha": 0.5})
for x, y in ((1, 1), (3, 1), (5, 1), (7, 1), (1, 0), (3, 0)):
    axes.annotate("", xy=(x + 0.3, y), xytext=(x - 0.3, y), arrowprops={"arrowstyle": "-|>"})
axes.annotate("", xy=(4, 0.75), xytext=(4, 0.25), arrowprops={"arrowstyle": "-|>"})
axes.set(xlim=(-0.8, 9), ylim=(-0.5, 1.5))
axes.axis("off")
picture(figure, say("Two rows of boxes: picture, encoder, codes, decoder, picture again; sentence, tokens, GPT, which writes the codes.",
                    "Deux rangées de boîtes : image, encodeur, codes, décodeur, image refaite ; phrase, jetons, GPT, qui écrit les codes."))

# %% [markdown] lang="fr"
# CLIP, un troisième réseau, ne dessine pas : il choisissait, parmi 512 images tirées pour la même phrase, celles qui lui allaient le mieux.
# Il a sa leçon, la 12 ; ici, l'examinateur du cours, qui relit une image et note ce qu'elle a de juste, tiendra son rôle (section 14).
#
# Le transformeur de DALL·E 1, qu'OpenAI a présenté comme une version de GPT-3, n'en a ni les poids ni tout à fait la forme (son attention
# est creuse : outre la phrase, chaque code ne regarde que sa ligne, sa colonne ou son voisinage, selon la couche). Mais c'est la même
# famille : prédire le jeton suivant, rien d'autre. Voici les deux machines côte à côte. OpenAI a réuni 250 millions de couples d'images et
# de textes ; notre monde, lui, se dessine à la demande.

# %% [markdown] lang="en"
# CLIP, a third network, does not draw: it chose, among 512 pictures drawn for the same sentence, those that suited it best. It has a lesson
# of its own, the 12th; here the course's examiner, which reads a picture and marks what is right in it, will play its part (section 14).
#
# The transformer of DALL·E 1, which OpenAI presented as a version of GPT-3, has neither its weights nor quite its form (its attention is
# sparse: besides the sentence, each code looks only along its row, its column or around itself, depending on the layer). But it is of the
# same family: predict the next token, nothing else. Here are the two machines side by side. OpenAI gathered 250 million pairs of pictures
# and texts; our world is drawn on demand.

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Les deux machines

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### The two machines

# %% slide="fragment" tags=["hide-input"]
rows = {
    say("pixels on a side", "pixels de côté"): (256, machine.resolution),
    say("text tokens at most", "jetons de texte au plus"): (256, gpt.text_length),
    say("codes in a picture", "codes par image"): (32 * 32, gpt.image_length),
    say("the two together", "les deux ensemble"): (256 + 32 * 32, gpt.text_length + gpt.image_length),
    say("text vocabulary", "vocabulaire du texte"): (16384, gpt.text_vocabulary),
    say("codes to choose from", "codes au choix"): (8192, codec.num_codes),
    say("layers", "couches"): (64, gpt.depth),
    say("heads in a layer", "têtes par couche"): (62, gpt.heads),
    say("channels in a head", "canaux par tête"): (64, gpt.width // gpt.heads),
    say("parameters", "paramètres"): (12 * 10**9, sum(one.numel() for one in machine.gpt.parameters())),
}
print(say("                              DALL·E 1        ours", "                              DALL·E 1    le nôtre"))
for name, (first, second) in rows.items():
    print(f"{name:24}{first:>14,}{second:>12,}".replace(",", say(",", " ")))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Les chiffres que l'on cite de DALL·E 1 demandent du soin. Son FID sur COCO, sans entraînement sur COCO, se lit de 17,9 à 28 selon les
# articles : images floutées ou non, nombre d'images, réglages. Donner la fourchette, jamais un chiffre seul.

# %% [markdown] lang="en" slide="notes" slide_only=true
# The figures quoted for DALL·E 1 need care. Its FID on COCO, without training on COCO, is quoted from 17.9 to 28 depending on the paper:
# blurred pictures or not, number of pictures, settings. Give the range, never one figure alone.

# %% [markdown] lang="fr" slide="slide"
# ## 3. Ce qu'un codec achète
#
# Pourquoi ne pas écrire les pixels eux-mêmes, l'un après l'autre ? Parce que l'attention compare chaque jeton à tous les précédents : une
# suite deux fois plus longue demande environ quatre fois plus de comparaisons. Une image de 256 × 256 pixels a trois nombres par pixel ; le
# codec de DALL·E la dit en 32 × 32 codes.

# %% [markdown] lang="en" slide="slide"
# ## 3. What a codec buys
#
# Why not write the pixels themselves, one after the other? Because attention compares each token with all those before it: a sequence twice
# as long asks for about four times as many comparisons. A picture of 256 × 256 pixels has three numbers a pixel; DALL·E's codec says it in
# 32 × 32 codes.

# %% [markdown] lang="fr"
# Combien de nombres un code de DALL·E remplace-t-il ? Et par combien le nombre de paires que l'attention compare est-il divisé, si l'on
# compte une paire pour tout couple de jetons ?

# %% [markdown] lang="en"
# How many numbers does one code of DALL·E stand for? And by how much is the number of pairs that attention compares divided, counting a
# pair for any two tokens?

# %% level=1
numbers_per_code = 256 * 256 * 3 / (32 * 32)
pairs_divided_by = (256 * 256 * 3) ** 2 / (32 * 32) ** 2

# %%
theirs = DVAEConfig(resolution=256, grid=32, num_codes=8192)
patch = theirs.resolution // theirs.grid
expect(numbers_per_code, 3 * patch**2, say("the numbers behind a code", "les nombres derrière un code"))
expect(pairs_divided_by, (3 * patch**2) ** 2, say("the saving in pairs", "l'économie de paires"))

# %% [markdown] lang="fr"
# Notre image a seize fois moins de pixels, et notre grille seize fois moins de cases : un code y remplace autant de nombres que chez
# OpenAI. En bits, l'économie est moindre : un nombre de 0 à 255 en coûte 8, et choisir parmi $K$ codes en coûte $\log_2 K$.

# %% [markdown] lang="en"
# Our picture has sixteen times fewer pixels, and our grid sixteen times fewer positions: a code stands for as many numbers here as at
# OpenAI. In bits the saving is smaller: a number from 0 to 255 costs 8, and choosing among $K$ codes costs $\log_2 K$.

# %% slide="fragment" tags=["output-only-slide"]
world = World(128, seed=77)
scenes, captions = zip(*(world[i] for i in range(128)))
images = render(scenes, machine.resolution)
codes = machine.dvae.encode(images)
for name, setting in (("DALL·E 1", theirs), (say("ours", "le nôtre"), codec)):
    numbers, count = 3 * setting.resolution**2, setting.grid**2
    bits = count * math.log2(setting.num_codes)
    print(f"{name:9}", say(f"{numbers} numbers → {count} codes ({numbers / count:.0f} each); {8 * numbers} bits → {bits:.0f} bits",
                           f"{numbers} nombres → {count} codes ({numbers / count:.0f} chacun) ; {8 * numbers} bits → {bits:.0f} bits"))

# %% [markdown] lang="fr"
# ## 4. Tirer au sort, et dériver quand même
#
# L'encodeur donne à chaque case de la grille un logit $\ell_k$ par code. Il faut en **choisir** un. Or un choix est une marche d'escalier :
# poussez un peu un logit, et rien ne change, ou tout. La pente est nulle ; l'encodeur n'apprendrait rien.
#
# La leçon 08 copiait le gradient par-dessus le choix (van den Oord et al. 2017). DALL·E 1 fait autrement, en deux idées.
#
# **D'abord, un tirage qui est un maximum.** Ajoutez à chaque logit un bruit $g_k = -\log(-\log u_k)$, chaque $u_k$ étant tiré uniformément
# entre 0 et 1, indépendamment des autres. Le plus grand des $\ell_k + g_k$ est celui du code $k$ avec exactement la probabilité que lui
# donne le softmax (Gumbel 1954).

# %% [markdown] lang="en"
# ## 4. Drawing lots, and a derivative all the same
#
# The encoder gives each position of the grid a logit $\ell_k$ for each code. One must be **chosen**. But a choice is a step of a staircase:
# push a logit a little, and nothing changes, or everything. The slope is zero; the encoder would learn nothing.
#
# Lesson 08 copied the gradient across the choice (van den Oord et al. 2017). DALL·E 1 does it another way, by two ideas.
#
# **First, a draw that is a maximum.** Add to each logit a noise $g_k = -\log(-\log u_k)$, each $u_k$ being drawn uniformly between 0 and 1,
# independently of the others. The largest of the $\ell_k + g_k$ is that of code $k$ with exactly the probability that the softmax gives it
# (Gumbel 1954).

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Tirer au sort, et dériver quand même
#
# Choisir un code n'a pas de pente. Deux idées :
#
# - **un tirage qui est un maximum** : logit + bruit de Gumbel, et le plus grand gagne, avec la probabilité du softmax ;
# - **un maximum qui s'adoucit** : un softmax de température $\tau$ à la place du plus grand.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. Drawing lots, and a derivative all the same
#
# Choosing a code has no slope. Two ideas:
#
# - **a draw that is a maximum**: logit + Gumbel noise, and the largest wins, with the softmax's probability;
# - **a maximum that softens**: a softmax of temperature $\tau$ in place of the largest.

# %% [markdown] lang="fr"
# **Ensuite, un maximum qui s'adoucit.** À la place du plus grand, prenez un softmax, dont une **température** $\tau$ règle la dureté :
# c'est le Gumbel-softmax (Jang et al. 2017 ; Maddison et al. 2017). Près de 0, il rend presque un seul code ; plus haut, un mélange. Il se
# dérive à toute température positive.

# %% [markdown] lang="en"
# **Then, a maximum that softens.** In place of the largest take a softmax whose hardness is set by a **temperature** $\tau$: that is the
# Gumbel-softmax (Jang et al. 2017; Maddison et al. 2017). Near 0 it gives almost a single code; higher up, a mixture. It has a derivative
# at every positive temperature.

# %% [markdown] slide="fragment"
# $$ y_k = \frac{\exp\bigl((\ell_k + g_k)/\tau\bigr)}{\sum_j \exp\bigl((\ell_j + g_j)/\tau\bigr)} \qquad\qquad g_k = -\log(-\log u_k) $$

# %% [markdown] lang="fr"
# Écrivez-le. Pour que la vérification tire le même hasard que vous, prenez vos nombres ainsi :
# `torch.empty_like(logits).uniform_(1e-7, 1, generator=generator)`.
#
# Avec `hard`, la fonction rend un vrai choix (un seul 1, des 0) dont le gradient reste celui du mélange : le passage direct
# (*straight-through*) de la leçon 08.
#
# <details><summary>Un indice</summary>`dur + doux - doux.detach()` vaut `dur` à l'aller ; au retour, seul `doux` a un gradient.
# `torch.zeros_like(doux).scatter_(-1, doux.argmax(dim=-1, keepdim=True), 1.0)` pose les 1.</details>

# %% [markdown] lang="en"
# Write it. So that the check meets the same chance as you, draw your numbers this way:
# `torch.empty_like(logits).uniform_(1e-7, 1, generator=generator)`.
#
# With `hard` the function returns a true choice (a single 1, and zeros) whose gradient is still that of the mixture: the straight-through
# of lesson 08.
#
# <details><summary>A hint</summary>`hard + soft - soft.detach()` is `hard` on the way there; on the way back only `soft` has a gradient.
# `torch.zeros_like(soft).scatter_(-1, soft.argmax(dim=-1, keepdim=True), 1.0)` puts the ones in place.</details>

# %% implements="dvae:gumbel_softmax" level=2
"""Tire un code pour chaque position, en douceur (Gumbel-softmax).

Le tirage vaut softmax((logits + bruit de Gumbel) / température) : k nombres positifs de somme 1 (Jang et al. 2017 ; Maddison et al. 2017).
Quand la température descend vers 0, il tend vers un vecteur à un seul 1, de probabilités softmax(logits).

Avec `hard`, le résultat *est* ce vecteur, tandis que son gradient reste celui du tirage doux (passage direct, Bengio et al. 2013).
Leçon 11.
"""
# -log(-log u) => -log(-log u)

# %%
logits = torch.tensor([2.0, 1.5, 0.5, 0.0, -0.5, -1.0])
draws = gumbel_softmax(logits.expand(20_000, 6), 0.5, generator=torch.Generator().manual_seed(0))
winners = torch.bincount(draws.argmax(dim=-1), minlength=6) / len(draws)
figure, axes = plot(height=2.8)
axes.bar([code - 0.2 for code in range(6)], logits.softmax(dim=-1).numpy(), 0.4, color=BLUE, label="softmax")
axes.bar([code + 0.2 for code in range(6)], winners.numpy(), 0.4, color=ORANGE,
         label=say("winners of 20,000 draws", "gagnants de 20 000 tirages"))
axes.set(xlabel="code", ylabel=say("share", "part"))
legend(axes)
picture(figure, say("For each of six codes, the softmax's probability and the share of draws won: two bars almost equal.",
                    "Pour chacun de six codes, la probabilité du softmax et la part de tirages gagnés : deux barres presque égales."))

# %% [markdown] lang="fr" slide="slide"
# ### Ce que le décodeur reçoit : un point de l'enveloppe convexe
#
# Un mélange de codes n'est pas un code : c'est la moyenne pondérée de leurs vecteurs $c_k$, soit $\sum_k y_k \, c_k$, un point de
# l'**enveloppe convexe** dont ils sont les sommets (pour six codes dans le plan, un hexagone). Pendant l'entraînement, le décodeur peint
# depuis l'intérieur de l'enveloppe, où tout glisse et se dérive ; à basse température, les points se serrent contre les sommets, les seuls
# endroits qui existeront ensuite.

# %% [markdown] lang="en" slide="slide"
# ### What the decoder receives: a point of the convex hull
#
# A mixture of codes is not a code: it is the weighted mean of their vectors $c_k$, that is $\sum_k y_k \, c_k$, a point of the **convex
# hull** whose corners they are (for six codes in the plane, a hexagon). During training the decoder paints from inside the hull, where
# everything glides and has a slope; at a low temperature the points press against the corners, the only places that will exist afterwards.

# %% slide="fragment" tags=["output-only-slide"]
angles = torch.arange(6) * torch.pi / 3
corners = torch.stack([angles.cos(), angles.sin()], dim=-1)


def draw_hull(temperature):
    soft = gumbel_softmax(logits.expand(400, 6), temperature, generator=torch.Generator().manual_seed(1))
    figure, (bars, hull) = plot(1, 2, width=8, height=3.4)
    for row, colour in zip(range(3), COLOURS):
        bars.bar([code + 0.25 * (row - 1) for code in range(6)], soft[row].numpy(), 0.25, color=colour)
    bars.set(ylim=(0, 1.05), xlabel="code", title=say("three draws", "trois tirages"))
    hull.fill(*corners.T.numpy(), color=SKY, alpha=0.2)
    hull.scatter(*(soft @ corners).T.numpy(), s=6, color=VERMILION)
    hull.set(aspect="equal", xticks=[], yticks=[], title=say(f"400 draws, τ = {temperature:g}", f"400 tirages, τ = {temperature:g}"))
    return picture(figure, say(f"Three soft draws as bars, and 400 as points in a hexagon of six codes, at τ = {temperature:g}.",
                               f"Trois tirages doux en barres, et 400 points dans l'hexagone de six codes, à τ = {temperature:g}."))


Explorer(draw_hull, temperature=Knob(say("temperature", "température"), [4.0, 1.0, 0.25, 0.0625], start=1))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Faire deviner avant de bouger le curseur : où vont les points quand τ monte ? (vers le milieu, tous) quand τ descend ? (aux sommets, en
# nombre proportionnel au softmax). Puis : à quel sommet vont-ils le plus ? Au code 0, à droite.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Let them guess before the slider moves: where do the points go as τ rises? (towards the middle, all of them) as τ falls? (to the corners,
# in numbers proportional to the softmax). Then: to which corner most of all? To code 0, on the right.

# %% [markdown] lang="fr" slide="slide"
# ### Pourquoi ne pas descendre à zéro ?
#
# Un bouton, une image. Donnons à chaque code une valeur, et cherchons comment les logits changent la valeur moyenne du code tiré. La vraie
# pente se calcule : au logit $k$, de probabilité $p_k$ et de valeur $v_k$, elle vaut $p_k \, (v_k - \sum_j p_j v_j)$. Le Gumbel-softmax en
# donne une estimation, dont voici les deux défauts : son **biais** (en moyenne, elle s'écarte de la vraie pente) et sa **dispersion** (d'un
# tirage à l'autre, elle change).

# %% [markdown] lang="en" slide="slide"
# ### Why not go down to zero?
#
# One knob, one picture. Give each code a value, and ask how the logits change the mean value of the code that is drawn. The true slope can
# be computed: at logit $k$, of probability $p_k$ and value $v_k$, it is $p_k \, (v_k - \sum_j p_j v_j)$. The Gumbel-softmax gives an
# estimate of it, with two defects: its **bias** (on average it is off the true slope) and its **spread** (it changes from one draw to the
# next).

# %%
values = torch.tensor([0.0, 1.0, -1.0, 2.0, 0.5, -2.0])
p = logits.softmax(dim=-1)
exact = p * (values - p @ values)
temperatures, bias, spread = [4.0, 2.0, 1.0, 1 / 2, 1 / 4, 1 / 8, 1 / 16], [], []
for temperature in temperatures:
    pushed = logits.repeat(20_000, 1).requires_grad_()
    (gumbel_softmax(pushed, temperature, generator=torch.Generator().manual_seed(0)) @ values).sum().backward()
    bias.append(float((pushed.grad.mean(dim=0) - exact).norm()))
    spread.append(float(pushed.grad.std(dim=0).norm()))

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.2)
axes.loglog(temperatures, bias, "o-", color=BLUE, label=say("bias", "biais"))
axes.loglog(temperatures, spread, "s-", color=VERMILION, label=say("spread", "dispersion"))
axes.loglog(temperatures, [one / math.sqrt(20_000) for one in spread], ":", color="grey",
            label=say("error due to chance", "erreur due au hasard"))
axes.set(xlabel=say("temperature", "température"))
legend(axes)
picture(figure, say("As the temperature falls, the gradient's spread grows and its bias falls, then chance hides it.",
                    "Quand la température baisse, la dispersion du gradient augmente et son biais diminue, puis le hasard le cache."))

# %% [markdown] lang="fr"
# On commence donc haut, où le gradient est calme, et l'on finit bas, où il est presque sans biais. (Le pointillé est l'erreur que le hasard
# laisse à une moyenne de 20 000 tirages : un biais mesuré qui le touche peut être nul.) DALL·E 1 descend de 1 à 1/16 en 150 000 mises à
# jour ; notre dVAE s'arrête à 1/4 (`temperature_at`), car ses tirages y sont déjà presque francs.

# %% [markdown] lang="en"
# So one begins high, where the gradient is calm, and ends low, where it is almost without bias. (The dotted line is the error that chance
# leaves in a mean of 20,000 draws: a measured bias that touches it may be zero.) DALL·E 1 goes from 1 down to 1/16 in 150,000 updates; our
# dVAE stops at 1/4 (`temperature_at`), for its draws are nearly clear-cut by then.

# %% [markdown] lang="fr" slide="slide"
# ## 5. Garder le codebook en vie
#
# La perte d'un VAE (leçon 07) a deux morceaux : refaire l'image, et rester près d'une loi choisie d'avance. Ici la loi est l'**uniforme** :
# tous les codes également probables. Pour la loi $q$ d'une case, la divergence se réduit à une entropie :

# %% [markdown] lang="en" slide="slide"
# ## 5. Keeping the codebook alive
#
# The loss of a VAE (lesson 07) has two parts: make the picture again, and stay near a distribution chosen beforehand. Here that is the
# **uniform** one: all codes equally likely. For the distribution $q$ of a position the divergence comes down to an entropy:

# %% [markdown] slide="fragment"
# $$ \mathrm{KL}(q \,\Vert\, \mathcal{U}) = \log K - H(q) \qquad\qquad H(q) = -\sum_{k=1}^{K} q_k \log q_k $$

# %% [markdown] lang="fr"
# Écrivez-la à partir de `log_q`, dont le dernier axe est celui des codes. Une seule décision compte : somme ou moyenne sur les images et
# les cases ? La docstring répond.
#
# <details><summary>Un indice</summary>`log_q.exp() * log_q` est le terme à sommer sur les codes ; son signe est déjà celui de
# $-H$.</details>

# %% [markdown] lang="en"
# Write it from `log_q`, whose last axis is that of the codes. One decision matters: a sum or a mean over pictures and positions? The
# docstring answers.
#
# <details><summary>A hint</summary>`log_q.exp() * log_q` is the term to sum over the codes; its sign is already that of $-H$.</details>

# %% implements="dvae:kl_to_uniform" level=1
"""KL(q || uniforme) = log k - H(q), en nats par position.

C'est la moyenne sur le lot et la grille : ni la taille de l'un ni celle de l'autre ne change son poids. Leçon 11.
"""

# %% [markdown] lang="fr"
# Une réécriture bien connue de DALL·E additionne la divergence sur le lot : son poids change alors avec la taille du lot, donc avec la
# mémoire de votre carte graphique, et un réglage publié ne veut plus rien dire ailleurs. La moyenne, elle, dit la même chose de 1, 8 ou 64
# images. (OpenAI fait monter son poids β de 0 à 6,6 en 5 000 mises à jour, et divise toute la perte par les 256 × 256 × 3 nombres de
# l'image : pour 1 024 codes, la divergence moyenne d'un code y pèse β/192. Un poids sans son diviseur ne dit rien.)

# %% [markdown] lang="en"
# A well-known rewriting of DALL·E adds the divergence up over the batch: its weight then changes with the size of the batch, hence with the
# memory of your graphics card, and a published setting means nothing elsewhere. The mean says the same of 1, 8 or 64 pictures. (OpenAI
# raises its weight β from 0 to 6.6 in 5,000 updates, and divides the whole loss by the 256 × 256 × 3 numbers of the picture: with 1,024
# codes, the mean divergence of a code weighs β/192 there. A weight without its divisor says nothing.)

# %% slide="fragment"
with torch.no_grad():
    log_q = machine.dvae.logits(images).log_softmax(dim=-1)
for batch in (1, 8, 64):
    part = log_q[:batch]
    total = part.exp().mul(part).sum() + part[..., 0].numel() * math.log(codec.num_codes)
    print(say(f"batch of {batch:2}: mean {float(kl_to_uniform(part)):.2f}, sum {float(total):9.1f}",
              f"lot de {batch:2} : moyenne {float(kl_to_uniform(part)):.2f}, somme {float(total):9.1f}"))

# %% [markdown] lang="fr" slide="slide"
# ### Ce que l'on veut vraiment
#
# La divergence demande à **chaque case** d'hésiter entre tous les codes. Ce n'est pas ce que nous cherchons. Nous voulons que chaque case
# soit sûre, et que **toutes ensemble** elles se servent de tout le codebook ; sinon quelques codes prennent tout, les autres meurent, et le
# décodeur n'a plus de quoi peindre.
#
# Mesurons donc l'entropie de la loi **moyenne** du lot. Nous la récompenserons : `- entropy_weight × entropie` entre dans la perte.

# %% [markdown] lang="en" slide="slide"
# ### What we really want
#
# The divergence asks **each position** to hesitate between all codes. That is not what we are after. We want each position to be sure, and
# **all of them together** to use the whole codebook; or else a few codes take everything, the others die, and the decoder has nothing left
# to paint with.
#
# So measure the entropy of the batch's **mean** distribution. We shall reward it: `- entropy_weight × entropy` enters the loss.

# %% [markdown] lang="fr"
# Écrivez cette entropie. `weight`, s'il est donné, dit combien chaque case compte dans la moyenne : dans la perte, c'est son contraste
# (l'écart-type de ses pixels), car des codes sont à garder là où il y a quelque chose à voir. `torch.special.entr(p)` vaut $-p \log p$, et
# 0 en 0.
#
# <details><summary>Un indice</summary>Mettez toutes les cases en rang, `(m, k)`, et les poids de même, `(m,)`. Une moyenne pondérée de
# lignes est un produit : `weight @ q`, divisé par la somme des poids.</details>

# %% [markdown] lang="en"
# Write this entropy. `weight`, where given, says how much each position counts in the mean: in the loss it is its contrast (the standard
# deviation of its pixels), for codes are to be kept where there is something to see. `torch.special.entr(p)` is $-p \log p$, and 0 at 0.
#
# <details><summary>A hint</summary>Put all positions in a row, `(m, k)`, and the weights likewise, `(m,)`. A weighted mean of rows is a
# product: `weight @ q`, divided by the sum of the weights.</details>

# %% implements="dvae:codebook_entropy" level=2
"""L'entropie, en nats, de la loi moyenne sur les codes dans un lot.

Elle vaut log k quand tous les codes servent autant, et 0 quand un seul fait tout. `weight` dit combien chaque position compte dans la
moyenne (autant que les autres, s'il n'est pas donné). Leçon 11.
"""

# %% [markdown] lang="fr"
# Trois encodeurs de quatre cases et quatre codes. Le premier dit toujours le même code, sans hésiter. Le deuxième hésite partout. Le
# troisième est celui que nous voulons : sûr, et différent d'une case à l'autre.

# %% [markdown] lang="en"
# Three encoders with four positions and four codes. The first always says the same code, without hesitating. The second hesitates
# everywhere. The third is the one that we want: sure, and different from one position to the next.

# %% slide="fragment"
sure = torch.eye(4).add(1e-9).log()
encoders = {say("always the same code", "toujours le même code"): sure[:1].repeat(4, 1),
            say("hesitates everywhere", "hésite partout"): torch.full((4, 4), 0.25).log(),
            say("sure, and varied", "sûr, et varié"): sure}
for name, said in encoders.items():
    print(f"{name:22} KL {float(kl_to_uniform(said)):.2f}  ", say("entropy of the mean", "entropie de la moyenne"),
          f"{float(codebook_entropy(said)):.2f}")

# %% [markdown] lang="fr"
# La divergence ne distingue pas le premier du troisième ; l'entropie de la moyenne ne distingue pas le deuxième du troisième, mais la
# reconstruction s'en charge : un encodeur qui hésite partout ne dit rien de l'image. Notre dVAE donne donc un poids nul à la divergence et
# récompense l'entropie.
#
# L'expérience : deux petits dVAE de 64 codes, l'un sans récompense, l'autre avec. On compte les codes encore en usage.

# %% [markdown] lang="en"
# The divergence does not tell the first from the third; the entropy of the mean does not tell the second from the third, but the
# reconstruction sees to that: an encoder that hesitates everywhere says nothing of the picture. So our dVAE gives the divergence no weight
# and rewards the entropy.
#
# The experiment: two small dVAEs of 64 codes, one without the reward, one with it. Count the codes still in use.

# %%
def codes_over_time(reward, updates=120, size=16):
    torch.manual_seed(0)
    model = DiscreteVAE(DVAEConfig(resolution=32, num_codes=64, width=16, depth=1, code_dim=16, entropy_weight=reward))
    optimizer, dice = torch.optim.AdamW(model.parameters(), lr=3e-3), torch.Generator().manual_seed(0)
    practice, alive = World(size * updates, seed=0), []
    for update in range(updates):
        batch = practice.collate([practice[size * update + i] for i in range(size)])
        loss = model.loss(batch.images(32), temperature_at(update / updates), dice)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % 15 == 14:
            alive.append(int(codes_alive(model.encode(render(scenes, 32)), 64)[0]))
    return alive

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Les codes encore en usage

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### Codes still in use

# %% slide="fragment" tags=["output-only-slide"]
figure, axes = plot(height=3.2)
for reward, colour, marker in ((0.0, ORANGE, "s"), (0.02, BLUE, "o")):
    alive = codes_over_time(reward)
    label = say("reward for entropy", "récompense de l'entropie")
    axes.plot(range(15, 121, 15), alive, color=colour, marker=marker, label=f"{label} {reward:g}")
    print(f"{label} {reward:g} →", alive[-1])
axes.set(xlabel=say("update", "mise à jour"), ylabel=say("codes in use, of 64", "codes en usage, sur 64"), ylim=(0, 66))
legend(axes)
picture(figure, say("Codes in use against updates: a handful without the reward, most of them with it.",
                    "Codes en usage selon les mises à jour : une poignée sans récompense, la plupart avec."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Question à poser : pourquoi un code mort ne revient-il pas tout seul ? Sa part dans les mélanges est presque nulle, donc il n'entre
# presque dans aucune image, donc presque aucun gradient ne lui dit où aller. La récompense est le seul terme qui le réclame.

# %% [markdown] lang="en" slide="notes" slide_only=true
# A question to ask: why does a dead code not come back by itself? Its share in the mixtures is almost nothing, so it enters almost no
# picture, so almost no gradient tells it where to go. The reward is the only term that asks for it.

# %% [markdown] lang="fr"
# ### À la fin, des codes durs
#
# L'écrivain de l'étape 2 ne connaît que des numéros. DALL·E 1 lui donne le code **le plus probable** de chaque case, sans tirage. Le nôtre
# aussi. Or le décodeur a appris sur des mélanges, où un peu des autres codes passe toujours. Une courte étape, nommée `decoder`, l'entraîne
# donc seul, sur les codes durs, avant que l'écrivain ne commence.

# %% [markdown] lang="en"
# ### At the end, hard codes
#
# The writer of stage two knows numbers only. DALL·E 1 gives it the **likeliest** code of each position, without drawing. So does ours. But
# the decoder has learned on mixtures, which always let a little of the other codes through. A short stage, named `decoder`, therefore
# trains it alone, on hard codes, before the writer begins.

# %%
dice = torch.Generator().manual_seed(0)
choices = {say("the likeliest code", "le code le plus probable"): F.one_hot(log_q.argmax(dim=-1), codec.num_codes).float(),
           say("a soft draw, τ = 1/4", "un tirage doux, τ = 1/4"): gumbel_softmax(log_q, 1 / 4, generator=dice),
           say("a hard draw", "un tirage dur"): gumbel_softmax(log_q, 1 / 4, hard=True, generator=dice)}
with torch.no_grad():
    for name, choice in choices.items():
        painted = machine.dvae.decode_soft(choice).clamp(-1, 1)
        print(f"{name:26}", say("mean square error", "erreur quadratique moyenne"), f"{float(F.mse_loss(painted, images)):.4f}")

# %% [markdown] lang="fr"
# Le code le plus probable refait mieux l'image qu'un code tiré : le hasard n'aidait que l'apprentissage.

# %% [markdown] lang="en"
# The likeliest code rebuilds the picture better than one that is drawn: chance helped learning only.

# %% [markdown] lang="fr" slide="slide"
# ## 6. Dans le dVAE
#
# Que voit l'écrivain ? Ceci : à gauche une image, au milieu ce qu'il en lira, à droite ce que le décodeur en refait.

# %% [markdown] lang="en" slide="slide"
# ## 6. Inside the dVAE
#
# What does the writer see? This: on the left a picture, in the middle what the writer will read of it, on the right what the decoder makes
# of that.

# %% slide="fragment" tags=["output-only-slide"]
def show(axes, image):
    axes.imshow((image.detach().clamp(-1, 1).permute(1, 2, 0).numpy() + 1) / 2)
    axes.axis("off")


number = next(i for i, scene in enumerate(scenes) if scene.description.relation)
background = int(codes.flatten().mode().values)
figure, (left, middle, right) = plot(1, 3, width=9, height=3.2)
show(left, images[number])
middle.imshow((codes[number] != background).numpy(), cmap="Oranges", vmax=4)
for place, code in enumerate(codes[number].flatten().tolist()):
    middle.text(place % 8, place // 8, code, ha="center", va="center", fontsize=7)
middle.axis("off")
show(right, machine.reconstruct(images[number : number + 1])[0])
picture(figure, say("A picture of two shapes; its grid of 8 × 8 numbers, most of them the same; what the decoder makes of them.",
                    "Une image de deux formes ; sa grille de 8 × 8 numéros, pour la plupart les mêmes ; ce que le décodeur en refait."))

# %%
counts = torch.bincount(codes.flatten(), minlength=codec.num_codes)
order = counts.argsort(descending=True)
right = [all(mark(scene.description, objects).values()) for scene, objects in zip(scenes, parse_pictures(machine.reconstruct(images)))]
low, high = wilson_interval(sum(right), len(right))
print(say(f"the code {background} alone makes up {float(counts.max() / counts.sum()):.0%} of all codes: white paper",
          f"le code {background} fait à lui seul {100 * float(counts.max() / counts.sum()):.0f} % de tous les codes : le papier blanc"))
print(say(f"pictures made again in which the examiner finds everything right: {sum(right)} of {len(right)} [{low:.0%}, {high:.0%}]",
          f"images refaites où l'examinateur trouve tout juste : {sum(right)} sur {len(right)} [{100 * low:.0f} %, {100 * high:.0f} %]"))

# %% [markdown] lang="fr"
# Entre crochets, l'intervalle de Wilson (1927) à 95 % : les taux que ce décompte rend plausibles. Un tel taux est à peu près un
# **plafond** : l'écrivain aura beau choisir les bons codes, l'image ne sera pas plus juste que ce que le décodeur sait peindre. À peu près
# seulement : là où la phrase laisse le choix, l'écrivain peut préférer ce qui se peint bien.

# %% [markdown] lang="en"
# In brackets, the 95% interval of Wilson (1927): the rates that this count leaves plausible. Such a rate is roughly a **ceiling**: however
# well the writer chooses its codes, no picture will be more right than what the decoder can paint. Only roughly: where the sentence leaves
# a choice, the writer may prefer what is easily painted.

# %% [markdown] lang="fr" slide="slide"
# ### Le dictionnaire, en images
#
# Un code n'est qu'un numéro ; que veut-il dire ? Découpons nos 128 images en cases et faisons la moyenne de celles auxquelles l'encodeur
# donne le même code. Voici les 96 codes les plus employés après le papier blanc : des bords, des pointes, des aplats, un alphabet de traits
# que personne n'a dessiné.

# %% [markdown] lang="en" slide="slide"
# ### The dictionary, in pictures
#
# A code is a mere number; what does it mean? Cut our 128 pictures into patches, and take the mean of those to which the encoder gives the
# same code. Here are the 96 codes most used after white paper: edges, tips, flat colours, an alphabet of strokes that nobody drew.

# %% slide="fragment" tags=["output-only-slide"]
side = machine.resolution // 8
patches = rearrange(images, "n c (h p) (w q) -> (n h w) c p q", p=side, q=side)
means = torch.stack([patches[codes.flatten() == code].mean(dim=0) for code in order[1:97]])
figure, axes = plot(width=9, height=3.6)
show(axes, rearrange(F.pad(means, (1, 1, 1, 1), value=0.6), "(r c) ch h w -> ch (r h) (c w)", r=6))
picture(figure, say("Ninety-six small coloured patches: edges, corners and fills, each the mean of what one code stands for.",
                    "Quatre-vingt-seize petits motifs colorés : bords, coins et aplats, chacun la moyenne de ce qu'un code remplace."))

# %% [markdown] lang="fr"
# ### Changer un seul code
#
# Prenons une image, remplaçons le code de sa case la plus contrastée, et peignons. À droite, où l'image a changé : au-delà de la case, car,
# pour en peindre une, le décodeur regarde aussi ses voisines. L'encodeur, lui, code chaque case sans rien voir d'autre ; des cases
# pareilles ont donc des codes pareils.

# %% [markdown] lang="en"
# ### Changing a single code
#
# Take a picture, replace the code of its most contrasted position, and paint. On the right, where the picture changed: beyond that
# position, for to paint one the decoder also looks at its neighbours. The encoder codes each position without seeing anything else, so
# equal patches have equal codes.

# %%
row, column = divmod(int(patch_contrast(images[number : number + 1], 8).flatten().argmax()), 8)


def with_code(code):
    changed = codes[number : number + 1].clone()
    changed[0, row, column] = code
    with torch.no_grad():
        before, after = machine.dvae.decode(codes[number : number + 1])[0], machine.dvae.decode(changed)[0]
    figure, (left, right) = plot(1, 2, width=6.4, height=3.2)
    show(left, after)
    right.imshow((after - before).abs().amax(dim=0).numpy(), cmap="magma", vmin=0, vmax=2)
    right.axis("off")
    return picture(figure, say(f"The picture with code {code} in one position, and a map of what that changed.",
                               f"L'image avec le code {code} dans une case, et la carte de ce que cela change."))


Explorer(with_code, code=Knob(say(f"code in row {row}, column {column}", f"code en ligne {row}, colonne {column}"),
                              order[:8].tolist(), start=0))

# %% [markdown] lang="fr"
# Comment l'encodeur choisit-il ? Il dit pour chaque case une **direction**, un vecteur de longueur 1 ; chaque code en a une aussi, et le
# logit d'un code est leur produit scalaire, fois une constante. (L'encodeur de DALL·E donne un logit libre par code ; à notre taille, dans
# nos essais, la plupart des codes en mouraient.)
#
# Voici les directions de quatre images, et celles des codes. Trouvez le code de chaque case.
#
# <details><summary>Un indice</summary>Entre vecteurs de longueur 1, le plus grand produit est aussi la plus petite distance. Un seul
# produit de matrices donne tous ces produits scalaires ; `argmax` choisit.</details>

# %% [markdown] lang="en"
# How does the encoder choose? For each position it says a **direction**, a vector of length 1; each code has one too, and the logit of a
# code is their dot product, times a constant. (DALL·E's encoder gives one free logit a code; at our size, in our trials, most codes died of
# it.)
#
# Here are the directions of four pictures, and those of the codes. Find the code of each position.
#
# <details><summary>A hint</summary>Between vectors of length 1 the largest product is also the smallest distance. A single matrix product
# gives all these dot products; `argmax` chooses.</details>

# %%
with torch.no_grad():
    directions = F.normalize(machine.dvae.encoder(images[:4]).permute(0, 2, 3, 1), dim=-1)
    code_directions = machine.dvae.code_directions()
print(directions.shape, code_directions.shape)

# %% level=1
chosen_codes = (directions @ code_directions.T).argmax(dim=-1)

# %%
expect(chosen_codes, machine.dvae.encode(images[:4]), say("the codes of four pictures", "les codes de quatre images"))

# %% [markdown] lang="fr" slide="slide"
# ## 7. Un seul flux
#
# L'écrivain ne connaît pas deux sortes de choses, du texte et des images : il connaît une suite. D'abord un jeton de départ, puis les
# jetons de la phrase, du **remplissage** jusqu'à la longueur prévue, puis les codes de l'image, ligne par ligne. Une seule question
# partout : quel jeton ensuite ?

# %% [markdown] lang="en" slide="slide"
# ## 7. A single stream
#
# The writer does not know two kinds of things, text and pictures: it knows one sequence. First a start token, then the tokens of the
# sentence, **padding** up to the planned length, then the codes of the picture, row by row. One question everywhere: which token comes
# next?

# %% [markdown] lang="fr"
# Nos jetons viennent d'un BPE (*byte pair encoding*, Sennrich et al. 2016 : partir des octets, puis fusionner encore et encore la paire la
# plus fréquente) d'au plus 512 entrées, appris sur les deux langues ensemble, sans majuscules ni accents ; `Ġ` y marque un début de mot.
# DALL·E 1 en a 16 384, en minuscules aussi, et oublie au hasard une fusion sur dix à l'entraînement (*BPE dropout*, Provilkov et al. 2020),
# pour qu'un mot mal coupé se lise encore.

# %% [markdown] lang="en"
# Our tokens come from a BPE (*byte pair encoding*, Sennrich et al. 2016: begin with bytes, then merge the most frequent pair, over and
# over) of at most 512 entries, learned on both languages together, without capitals or accents; `Ġ` marks the beginning of a word. DALL·E 1
# has 16,384, in lower case too, and forgets one merge in ten at random in training (*BPE dropout*, Provilkov et al. 2020), so that a word
# badly cut can still be read.

# %% slide="fragment" tags=["output-only-slide"]
sentence = wishes[0]
text = machine.tokens([sentence])
words, blanks = int((text != 0).sum()), int((text == 0).sum())
print(machine.tokenizer.tokens(sentence))
print(text[0].tolist())
figure, axes = plot(width=9, height=1.7)
start = 0
for name, count, colour in ((say("start", "départ"), 1, PURPLE), (say("sentence", "phrase"), words, ORANGE),
                            (say("padding", "remplissage"), blanks, "lightgrey"), ("codes", gpt.image_length, SKY)):
    axes.bar(range(start, start + count), 1, width=1, color=colour, edgecolor="white", label=f"{name} ({count})")
    start += count
axes.set(yticks=[], xlim=(-1, start))
figure.legend(loc="outside upper center", ncols=4, frameon=False)
picture(figure, say(f"A ribbon of {start} squares: one for the start, then the sentence, the padding, and {gpt.image_length} codes.",
                    f"Un ruban de {start} cases : une pour le départ, puis la phrase, le remplissage, et {gpt.image_length} codes."))

# %% [markdown] lang="fr"
# ### Le remplissage s'apprend
#
# Que mettre après une phrase courte ? DALL·E 1 a un remplissage **appris, différent à chaque position** du texte. Ses auteurs rapportent
# une perte de validation plus haute, mais de meilleurs résultats sur les phrases inhabituelles. Un jeton de la phrase a un plongement
# (*embedding*), plus celui de sa position ; le remplissage n'a que le sien.

# %% [markdown] lang="en"
# ### Padding is learned
#
# What should follow a short sentence? DALL·E 1 has a padding that is **learned, and different at each position** of the text. Its authors
# report a higher validation loss, but better results on unusual sentences. A token of the sentence has an embedding, plus that of its
# position; padding has only its own.

# %% [markdown] lang="fr"
# Écrivez ce plongement. `text` contient des numéros de jetons (n, t), 0 pour le remplissage ; `words` (v, w) est la table des jetons,
# `positions` et `padding` (t, w) celles des positions et du remplissage. Rendez (n, t, w).
#
# <details><summary>Un indice</summary>`words[text]` prend une ligne par jeton. `torch.where(condition, a, b)` choisit case par case ; la
# condition est (n, t), et il lui faut un axe de plus.</details>

# %% [markdown] lang="en"
# Write this embedding. `text` holds token numbers (n, t), 0 for padding; `words` (v, w) is the table of tokens, `positions` and `padding`
# (t, w) those of positions and of padding. Return (n, t, w).
#
# <details><summary>A hint</summary>`words[text]` takes a row for each token. `torch.where(condition, a, b)` chooses place by place; the
# condition is (n, t), and it needs one more axis.</details>

# %% level=2
def embed_words(text, words, positions, padding):
    return torch.where((text == 0).unsqueeze(-1), padding, words[text] + positions)

# %%
tables = [machine.gpt.text_embedding.weight, machine.gpt.text_position.weight, machine.gpt.text_padding.weight]
some = machine.tokens(wishes)
expect(lambda: embed_words(some, *(table.detach() for table in tables)), machine.gpt.embed_text(some)[:, 1:], say("the embedding of four sentences", "le plongement de quatre phrases"))

# %% [markdown] lang="fr" slide="slide"
# ### Des positions à deux dimensions
#
# Le code numéro $i$ est en ligne $\lfloor i / 8 \rfloor$ et colonne $i \bmod 8$. Un plongement par ligne, un par colonne, et l'on
# additionne : 16 vecteurs au lieu de 64, et deux cases l'une sous l'autre, à huit jetons de distance dans le flux, se ressemblent d'office.
#
# Voici la ressemblance (le cosinus) de la case marquée avec toutes les autres, dans les poids livrés.

# %% [markdown] lang="en" slide="slide"
# ### Positions in two dimensions
#
# Code number $i$ stands in row $\lfloor i / 8 \rfloor$ and column $i \bmod 8$. One embedding for each row, one for each column, and add: 16
# vectors in place of 64, and two positions one below the other, eight tokens apart in the stream, are alike from the outset.
#
# Here is the likeness (the cosine) of the marked position to all others, in the shipped weights.

# %% slide="fragment" tags=["output-only-slide"]
with torch.no_grad():
    places = (machine.gpt.row_position.weight[:, None] + machine.gpt.column_position.weight).flatten(0, 1)
    likeness = F.cosine_similarity(places[3 * 8 + 4], places, dim=-1).view(8, 8)
figure, axes = plot(width=4, height=3.4)
figure.colorbar(axes.imshow(likeness.numpy(), cmap="viridis"), ax=axes)
axes.plot(4, 3, "x", color="white", markersize=12, markeredgewidth=3)
axes.set(xlabel=say("column", "colonne"), ylabel=say("row", "ligne"))
picture(figure, say("A grid of eight by eight likenesses: the row and the column of the marked position stand out.",
                    "Une grille de huit sur huit ressemblances : la ligne et la colonne de la case marquée ressortent."))

# %% [markdown] lang="fr"
# ### La perte : un huitième, sept huitièmes
#
# Le réseau prédit aussi la phrase, ce qui lui apprend la langue ; mais c'est l'image que nous voulons. DALL·E 1 pèse donc les deux
# entropies croisées, $L_{\mathrm{t}}$ celle du texte et $L_{\mathrm{i}}$ celle de l'image :

# %% [markdown] lang="en"
# ### The loss: one eighth, seven eighths
#
# The network predicts the sentence too, which teaches it the language; but it is the picture that we want. So DALL·E 1 weighs the two
# cross-entropies, $L_{\mathrm{t}}$ that of the text and $L_{\mathrm{i}}$ that of the picture:

# %% [markdown]
# $$ L = \tfrac{1}{8} \, L_{\mathrm{t}} + \tfrac{7}{8} \, L_{\mathrm{i}} $$

# %%
with torch.no_grad():
    losses = machine.gpt.loss(machine.tokens(captions), codes.flatten(1))
print(say("nats per token         text    image", "nats par jeton         texte    image"))
print(say("knows nothing       ", "ne sait rien        "), f"{math.log(gpt.text_vocabulary):6.2f}   {math.log(gpt.num_codes):6.2f}")
print(say("the trained network ", "le réseau entraîné  "), f"{float(losses['text']):6.2f}   {float(losses['image']):6.2f}")
bits = gpt.image_length * float(losses["image"]) / math.log(2)
print(say(f"once the sentence is known, a picture costs {bits:.0f} bits; its codes alone took {64 * math.log2(gpt.num_codes):.0f}",
          f"une fois la phrase connue, une image coûte {bits:.0f} bits ; ses codes seuls en prenaient {64 * math.log2(gpt.num_codes):.0f}"))

# %% [markdown] lang="fr"
# Ce qui reste est ce que la phrase ne dit pas : où exactement, de quelle taille au juste. La phrase est imprévisible aussi, sauf son
# remplissage.

# %% [markdown] lang="en"
# What is left is what the sentence does not say: where exactly, how large to the pixel. The sentence is unpredictable too, but for its
# padding.

# %% [markdown] lang="fr" slide="slide"
# ### Où la phrase sert-elle ?
#
# Montrons au réseau une image et la phrase qui la dit, puis la même image **sans phrase**. À chaque case, combien le vrai code l'a-t-il
# surpris ? En bits : $-\log_2$ de la probabilité qu'il lui donnait.

# %% [markdown] lang="en" slide="slide"
# ### Where does the sentence help?
#
# Show the network a picture and the sentence that says it, then the same picture **without a sentence**. At each position, how much did the
# true code surprise it? In bits: $-\log_2$ of the probability that it gave that code.

# %%
told = caption(scenes[number].description, say("en", "fr"))
said = machine.tokens([told])
truth = codes[number].view(1, 64).repeat(2, 1)
with torch.no_grad():
    guesses = machine.gpt(torch.cat([said, torch.zeros_like(said)]), truth)[1]
surprise = F.cross_entropy(guesses.transpose(1, 2), truth, reduction="none").view(2, 8, 8) / math.log(2)
print(told)

# %% slide="fragment" tags=["hide-input"]
figure, (left, *maps) = plot(1, 3, width=9, height=3)
show(left, images[number])
for axes, one, name in zip(maps, surprise, (say("with the sentence", "avec la phrase"), say("without", "sans"))):
    shown = axes.imshow(one.numpy(), cmap="magma", vmin=0, vmax=float(surprise.max()))
    axes.set_title(f"{name}, {float(one.sum()):.0f} bits")
    axes.axis("off")
figure.colorbar(shown, ax=maps)
picture(figure, say("A picture, and the network's surprise at each of its codes, with the sentence and without it.",
                    "Une image, et la surprise du réseau à chacun de ses codes, avec la phrase et sans elle."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Faire remarquer où la surprise est grande : à la première case d'un objet dans l'ordre de lecture. Une fois l'objet commencé, sa forme et
# sa couleur sont connues et la suite va de soi. La phrase retire de la surprise là où l'objet commence.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Point out where the surprise is large: at an object's first position in reading order. Once the object is begun, its shape and colour are
# known and the rest goes without saying. The sentence takes away surprise where the object begins.

# %% [markdown] lang="fr" slide="slide"
# ## 8. Écrire une image
#
# Assemblons la machine à la main, avec les briques : les jetons de la phrase ; `sample_codes`, qui écrit un code après l'autre ; le
# décodeur, qui peint. La fonction de rappel (`callback`) est appelée à chaque code : nous gardons ce qui est écrit, pour le regarder
# pousser. Tout le hasard tient dans `uniforms`, un nombre entre 0 et 1 par code : le même hasard redonne la même image.

# %% [markdown] lang="en" slide="slide"
# ## 8. Writing a picture
#
# Let us put the machine together by hand, from the bricks: the tokens of the sentence; `sample_codes`, which writes one code after the
# other; the decoder, which paints. The `callback` is called at each code: we keep what is written, to watch it grow. All the chance is in
# `uniforms`, one number between 0 and 1 for each code: the same chance gives the same picture again.

# %%
written = []
settings = {"guidance_scale": machine.config.sampling.guidance_scale, "temperature": machine.config.sampling.temperature}
uniforms = uniforms_for(1, gpt.image_length, seed=3)
final = sample_codes(machine.gpt, text, uniforms, **settings, callback=lambda position, codes: written.append(codes.clone()))
with torch.no_grad():
    by_hand = machine.dvae.decode(final.view(1, 8, 8)).clamp(-1, 1)
gap = (by_hand - machine.generate([sentence], seed=3, **settings)).abs().max()
print(say("difference from the machine's own:", "écart avec la machine elle-même :"), float(gap))

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 4, width=8.5, height=4.4)
for line, axes in zip(range(1, 9), panels.flat):
    grid = torch.full((1, 64), background)
    grid[:, : 8 * line] = written[8 * line - 1][:, : 8 * line]
    with torch.no_grad():
        page = machine.dvae.decode(grid.view(1, 8, 8))[0]
    page[:, line * side :] = 0.6
    show(axes, page)
picture(figure, say("Eight states of one picture: it grows row by row from the top, the part not yet written in grey.",
                    "Huit états d'une même image : elle pousse ligne par ligne depuis le haut, la partie non écrite en gris."))

# %% [markdown] lang="fr"
# À vous d'écrire la boucle, sans cache ni guidage, avec ce que le réseau offre de plus simple : `model(text, codes)` rend les logits du
# texte et ceux de **tous** les codes d'un coup, chacun ne dépendant que de ce qui le précède. Pour la case `position`, seuls comptent donc
# les codes déjà écrits ; les autres peuvent valoir n'importe quoi.
#
# `uniforms` (n, 64) contient le hasard de chaque case ; `choose(logits, uniform, temperature)` tire un code par ligne. Rendez les codes (n,
# 64).
#
# <details><summary>Un indice</summary>Partez de zéros, d'entiers (`dtype=torch.long`), et remplissez une colonne par tour.</details>

# %% [markdown] lang="en"
# Your turn to write the loop, without cache or guidance, with the simplest thing that the network offers: `model(text, codes)` returns the
# logits of the text and those of **all** codes at once, each depending only on what comes before it. So at `position` only the codes
# already written matter; the others may be anything.
#
# `uniforms` (n, 64) holds the chance of each position; `choose(logits, uniform, temperature)` draws one code for each row. Return the codes
# (n, 64).
#
# <details><summary>A hint</summary>Begin with zeros, whole numbers (`dtype=torch.long`), and fill one column at each turn.</details>

# %% level=2
def sample_sequence(model, text, uniforms, temperature):
    codes = torch.zeros(uniforms.shape, dtype=torch.long)
    for position in range(uniforms.shape[1]):
        logits = model(text, codes)[1][:, position]
        codes[:, position] = choose(logits, uniforms[:, position], temperature)
    return codes

# %%
@torch.no_grad()
def mine():
    return sample_sequence(machine.gpt, text, uniforms, 0.7)


expect(mine, sample_codes(machine.gpt, text, uniforms, temperature=0.7), say("the 64 codes of a picture", "les 64 codes d'une image"))

# %% [markdown] lang="fr"
# Votre boucle recalcule tout le flux à chaque code. Le cache de la leçon 05 garde les clés et les valeurs : un code nouveau ne coûte que
# lui-même. Les codes sont les mêmes, le temps non.

# %% [markdown] lang="en"
# Your loop computes the whole stream again at each code. The cache of lesson 05 keeps keys and values: a new code costs itself alone. The
# codes are the same, the time is not.

# %%
for cached in (True, False):
    began = time.process_time()
    found = sample_codes(machine.gpt, text, uniforms, **settings, cached=cached)
    spent = time.process_time() - began
    print("cache", cached, f"{spent:.2f} s", say("same codes:", "mêmes codes :"), bool((found == final).all()))

# %% [markdown] lang="fr" slide="slide"
# ## 9. Le guidage sans classifieur
#
# À l'entraînement, une phrase sur dix est effacée : le réseau sait donc aussi ce qu'il dessinerait **sans** phrase. En dessinant, on le lui
# demande deux fois et l'on exagère la différence (Ho et Salimans 2021) :

# %% [markdown] lang="en" slide="slide"
# ## 9. Classifier-free guidance
#
# In training one sentence in ten is wiped out: so the network knows what it would draw **without** a sentence, too. When drawing we ask it
# twice, and exaggerate the difference (Ho and Salimans 2021):

# %% [markdown] slide="fragment"
# $$ \ell = \ell_{\varnothing} + s \, \bigl(\ell_{y} - \ell_{\varnothing}\bigr) $$

# %% [markdown] lang="fr" slide="fragment"
# $\ell_y$ sont les logits avec la phrase $y$, $\ell_{\varnothing}$ les logits sans phrase. Le guidage $s = 0$ oublie la phrase, $s = 1$ ne
# change rien, $s > 1$ s'éloigne de ce que l'on dessinerait sans elle. Les deux questions partent ensemble, en un **lot doublé** : les
# phrases d'abord, autant de phrases vides ensuite, les mêmes codes après les deux.

# %% [markdown] lang="en" slide="fragment"
# $\ell_y$ are the logits with the sentence $y$, $\ell_{\varnothing}$ those without one. The guidance $s = 0$ forgets the sentence, $s = 1$
# changes nothing, $s > 1$ moves away from what one would draw without it. Both questions go together, as one **doubled batch**: the
# sentences first, as many empty ones next, the same codes after both.

# %% [markdown] lang="fr"
# DALL·E 1 ne guidait pas : l'idée date de la fin de la même année. DALL·E mini, DALL·E 2 et Imagen l'ont reprise. Écrivez-la ; `logits`
# contient les deux moitiés du lot doublé.

# %% [markdown] lang="en"
# DALL·E 1 did not guide: the idea dates from the end of the same year. DALL·E mini, DALL·E 2 and Imagen took it up. Write it; `logits`
# holds the two halves of the doubled batch.

# %% implements="guidance:guide" level=1
"""Guidage sans classifieur de logits (Ho et Salimans 2021).

Les logits vont de ce que le réseau dit sans phrase vers ce qu'il dit avec une.
La première moitié des lignes est conditionnelle, la seconde ne l'est pas. Une
échelle de 0 rend la seconde moitié, 1 la première ; au-delà de 1, la phrase
compte davantage.
"""

# %% [markdown] lang="fr"
# Combien faut-il guider ? L'examinateur le dira. `questions` prend des scènes que l'entraînement n'a jamais montrées et dit chacune en
# français, puis en anglais ; un quart de ces phrases portent sur des combinaisons réservées (section 11). Une image est juste quand
# **toutes** ses notes le sont. Avec 40 phrases, un taux ne se lit qu'avec son intervalle.

# %% [markdown] lang="en"
# How much guidance is right? The examiner will say. `questions` takes scenes that training never showed and says each in French, then in
# English; a quarter of these sentences are about held-out combinations (section 11). A picture is right when **all** its marks are. With 40
# sentences a rate can be read only with its interval.

# %%
asked = questions(40, seed=3)
sentences = [question.text for question in asked]


def count_right(images):
    found = parse_pictures(images)
    return sum(all(mark(question.scene.description, objects).values()) for question, objects in zip(asked, found))


def sweep(knob, values):
    return [count_right(machine.generate(sentences, seed=5, **{knob: value})) for value in values]


def draw_rates(axes, values, counts, colour):
    rates = [100 * count / len(asked) for count in counts]
    low, high = zip(*(wilson_interval(count, len(asked)) for count in counts))
    around = [[rate - 100 * one for rate, one in zip(rates, low)], [100 * one - rate for rate, one in zip(rates, high)]]
    axes.errorbar(values, rates, around, color=colour, marker="o", capsize=4)

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Combien guider ?

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### How much guidance?

# %% slide="fragment" tags=["output-only-slide"]
guidances = [0, 1, 2, 3, 5, 8]
counts_guided = sweep("guidance_scale", guidances)
figure, axes = plot(height=3.4)
draw_rates(axes, guidances, counts_guided, BLUE)
axes.set(xlabel=say("guidance", "guidage"), ylabel=say("pictures all right (%)", "images toutes justes (%)"), ylim=(-3, 103))
print(dict(zip(guidances, counts_guided)), say("of", "sur"), len(asked))
least, most, last = counts_guided[0], max(counts_guided), counts_guided[-1]
picture(figure, say(f"Right pictures of 40 against guidance, with intervals: {least} at 0, {most} at best, {last} at 8.",
                    f"Images justes sur 40 selon le guidage, avec intervalles : {least} à 0, {most} au mieux, {last} à 8."))

# %% [markdown] lang="fr"
# À 0, la phrase ne compte plus et presque rien n'est juste. Trop guidé, le réseau est poussé là où l'entraînement n'est jamais allé. Entre
# les deux, regardez les intervalles avant de couronner un vainqueur : ceux qui se recouvrent ne départagent rien. Pour séparer 90 % de
# 95 %, il faudrait plusieurs centaines de phrases ; l'examen complet en a 1 024. Retenez le score du guidage 1, le réseau tel qu'il a
# appris, mais tiré à la température de la machine : la section suivante le redonnera à la température 1.

# %% [markdown] lang="en"
# At 0 the sentence no longer counts and almost nothing is right. Guided too much, the network is pushed where training never went. In
# between, look at the intervals before you crown a winner: those that overlap decide nothing. To tell 90% from 95% would take several
# hundred sentences; the full exam has 1,024. Remember the score of guidance 1, the network as it has learned, but drawn at the machine's
# temperature: the next section gives it again at temperature 1.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Demander : combien de lignes le réseau traite-t-il pour dessiner 40 phrases guidées ? 80, à chacun des 64 pas. Raconter la faute d'une
# bibliothèque connue : son cache réutilisait les clés conditionnelles pour la moitié sans phrase, et le guidage disparaissait dès le
# deuxième code, sans une erreur.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Ask: how many rows does the network process to draw 40 guided sentences? 80, at each of the 64 steps. Tell of a well-known library's
# fault: its cache reused the conditional keys for the half without a sentence, and guidance vanished from the second code on, without any
# error.

# %% [markdown] lang="fr" slide="slide"
# ## 10. La température du tirage
#
# Autre température, même mot : avant de tirer un code, on divise les logits par $T$. Près de 0, toujours le plus probable ; à 1, comme à
# l'entraînement ; au-delà, de plus en plus au hasard. La monter échange la justesse contre la variété. Mesurons les deux : le taux d'images
# justes, et l'écart entre huit images d'une même phrase.

# %% [markdown] lang="en" slide="slide"
# ## 10. The temperature of the draw
#
# Another temperature, the same word: before a code is drawn, the logits are divided by $T$. Near 0, always the likeliest; at 1, as in
# training; beyond, more and more by chance. Raising it trades rightness for variety. Measure both: the rate of right pictures, and how far
# eight pictures of one sentence differ.

# %% slide="fragment" tags=["output-only-slide"]
heats = [0, 0.4, 0.7, 1, 2]
counts_heated = sweep("temperature", heats)
variety = [float(machine.generate([sentence] * 8, seed=6, temperature=heat).std(dim=0).mean()) for heat in heats]
figure, (left, right) = plot(1, 2, width=9, height=3.2)
draw_rates(left, heats, counts_heated, BLUE)
left.set(xlabel=say("temperature", "température"), ylabel=say("pictures all right (%)", "images toutes justes (%)"), ylim=(-3, 103))
right.plot(heats, variety, "s-", color=VERMILION)
right.set(xlabel=say("temperature", "température"), ylabel=say("spread of eight pictures", "écart entre huit images"))
print(dict(zip(heats, counts_heated)), say("of", "sur"), len(asked))
cold, hot = counts_heated[0], counts_heated[-1]
picture(figure, say(f"Against temperature: right pictures of 40, {cold} at 0 and {hot} at 2; and how far eight pictures differ.",
                    f"Selon la température : images justes sur 40, {cold} à 0 et {hot} à 2 ; et l'écart entre huit images."))

# %% [markdown] lang="fr"
# Deux filtres coupent la queue de la loi avant le tirage (leçon 05) : `top_k` ne garde que les $k$ codes les plus probables, `top_p` que
# les plus probables dont la somme atteint $p$. Que valent-ils à la température 1, sans guidage ? Lisez les intervalles avant de répondre.

# %% [markdown] lang="en"
# Two filters cut the distribution's tail before the draw (lesson 05): `top_k` keeps the $k$ likeliest codes only, `top_p` the likeliest
# whose sum reaches $p$. What are they worth at temperature 1, without guidance? Read the intervals before you answer.

# %%
wanted = sum(question.scene.description.number for question in asked)
for options in ({}, {"top_k": 4}, {"top_p": 0.9}, {"temperature": 0.3}):
    made = machine.generate(sentences, seed=5, **{"guidance_scale": 1.0, "temperature": 1.0} | options)
    count, drawn = count_right(made), sum(map(len, parse_pictures(made)))
    low, high = wilson_interval(count, len(asked))
    print(f"{options!s:20} {count:3} / {len(asked)}   [{100 * low:3.0f} %, {100 * high:3.0f} %]   ",
          say(f"{drawn} objects drawn, {wanted} asked for", f"{drawn} objets dessinés, {wanted} demandés"))

# %% [markdown] lang="fr"
# La première ligne est le guidage 1 de tout à l'heure, à la température 1 ; la dernière est tirée à froid. Le guidage et la température ne
# se règlent pas l'un sans l'autre : à presque chaque case, ce qu'il y a de plus probable est le papier blanc, et un réseau non guidé que
# l'on tire à froid peut ne jamais oser commencer un objet. Comparez les objets dessinés aux objets demandés.

# %% [markdown] lang="en"
# The first line is the guidance 1 of a moment ago, at temperature 1; the last is drawn cold. Guidance and temperature cannot be set one
# without the other: at nearly every position the likeliest thing is white paper, and a network without guidance that is drawn from coldly
# may never dare to begin an object. Compare the objects drawn with those asked for.

# %% [markdown] lang="fr"
# ### Oser commencer
#
# Voyez ce que coûte un tirage froid. Le papier blanc a 97 chances sur 100 à une case, un début d'objet 3 : à $T = 0{,}3$, les logits sont
# multipliés par plus de 3, et 3 chances sur 100 deviennent une sur cent mille. La machine remet l'objet à plus tard, case après case, et le
# place quand elle ne peut plus attendre. Deux objets commencent alors sur la même ligne, ce que le monde montre rarement et qu'elle connaît mal.

# %% [markdown] lang="en"
# ### Daring to begin
#
# See what drawing coldly costs. White paper has 97 chances in 100 at a position, the beginning of an object 3: at $T = 0.3$ the logits are
# multiplied by more than 3, and 3 chances in 100 become one in a hundred thousand. The machine puts the object off, position after position,
# and places it when it can wait no longer. Two objects then begin on one row, which the world seldom shows and the machine knows badly.

# %% [markdown] lang="fr"
# Le remède : deux questions, deux températures. **Faut-il** quitter le code le plus probable ? C'est l'audace (`daring`). **Pour lequel** des
# autres ? C'est la température. Dessinons 64 phrases qui nomment deux objets sans dire où ils sont.

# %% [markdown] lang="en"
# The remedy: two questions, two temperatures. **Whether** to leave the likeliest code is the `daring`. **For which** other one is the
# temperature. Let us draw 64 sentences that name two objects without saying where they stand.

# %%
couples = World(64, seed=11, kinds={"pair": 1.0})
shown, spoken = zip(*(couples[i] for i in range(64)))


def level(objects):
    return len(objects) == 2 and abs(objects[0].y - objects[1].y) < 0.1


print(say("the world          ", "le monde           "), f"{sum(level(scene.objects) for scene in shown):2}",
      say("of 64 side by side at one height", "sur 64 côte à côte, à la même hauteur"))
for name, options in ((say("one temperature    ", "une température    "), {}), (say("and a daring of 0.7", "et une audace à 0,7"), {"daring": 0.7})):
    found = parse_pictures(machine.generate(spoken, seed=5, temperature=0.3, **options))
    right = sum(all(mark(scene.description, objects).values()) for scene, objects in zip(shown, found))
    print(name, f"{sum(map(level, found)):2}", say(f"side by side; {right} of 64 all right", f"côte à côte ; {right} sur 64 toutes justes"))

# %% [markdown] lang="fr"
# Une température basse ne rend donc pas seulement les images plus semblables : elle change leur composition, et les rend plus difficiles.
# Avant de conclure qu'un réseau n'a pas appris, demandez-vous si le tirage le laisse dire ce qu'il sait. La machine se sert des deux
# températures, chaque fois que vous ne lui en donnez aucune.

# %% [markdown] lang="en"
# So a low temperature does not only make pictures more alike: it changes how they are composed, and makes them harder. Before you conclude
# that a network has not learned, ask whether the sampling lets it say what it knows. The machine uses both temperatures whenever you give it
# none.

# %% [markdown] lang="fr" slide="slide"
# ### L'atelier
#
# À vous : une phrase, un guidage, une graine, et les notes de l'examinateur sous chaque image. Dans un notebook, vous écrivez votre phrase
# et réglez aussi la température ; sur une page sans noyau, choisissez parmi les phrases dessinées d'avance. Commencez par mettre le guidage
# à 0.

# %% [markdown] lang="en" slide="slide"
# ### The studio
#
# Your turn: a sentence, a guidance, a seed, and the examiner's marks under each picture. In a notebook you write your own sentence and set
# the temperature too; on a page without a kernel, choose among sentences drawn beforehand. Begin by setting the guidance to 0.

# %% slide="fragment" tags=["output-only-slide"]
studio(machine)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Laisser la salle jouer cinq minutes. À faire remarquer : à 0, les images sont nettes et ne répondent à rien ; au plus fort guidage,
# compter les ✗. S'il y en a plus qu'à 1 ou 2, demander pourquoi trop écouter la phrase la fait mal dessiner.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Let the room play for five minutes. To point out: at 0 the pictures are clean and answer nothing; at the strongest guidance, count the ✗.
# If there are more than at 1 or 2, ask why listening too hard to the sentence makes for bad drawing.

# %% [markdown] lang="fr" slide="slide"
# ## 11. Ce qu'elle a compris
#
# Une machine peut réciter. Pour savoir si elle **compose**, l'entraînement ne montre jamais certains couples de forme et de couleur, ni
# certaines relations : jamais d'étoile verte, mais des étoiles et du vert. Voici les huit couples réservés.

# %% [markdown] lang="en" slide="slide"
# ## 11. What it has understood
#
# A machine can recite. To know whether it **composes**, training never shows certain pairs of shape and colour, nor certain relations:
# never a green star, but stars, and green. Here are the eight pairs held out.

# %% slide="fragment" tags=["output-only-slide"]
never = [Description((Mention(shape, colour),)) for shape, colour in sorted(SHAPES.held_out_objects)]
unseen = [caption(description, say("en", "fr")) for description in never]
new = machine.generate(unseen, seed=2)
notes = [all(mark(description, objects).values()) for description, objects in zip(never, parse_pictures(new))]
sheet(new, [f"{'✓' if note else '✗'} {words}" for note, words in zip(notes, unseen)],
      say(f"Eight pictures of combinations never seen in training; {sum(notes)} are right.",
          f"Huit images de combinaisons jamais vues à l'entraînement ; {sum(notes)} sont justes."))

# %% [markdown] lang="fr"
# Huit images ne prouvent rien. Le rapport qui accompagne les poids vient de 1 024 phrases : 512 scènes, dites chacune dans les deux
# langues. Lisons-le.

# %% [markdown] lang="en"
# Eight pictures prove nothing. The report that comes with the weights is made from 1,024 sentences: 512 scenes, each said in both
# languages. Let us read it.

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### L'examen complet

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### The full exam

# %% slide="fragment" tags=["hide-input"]
report = json.loads(weights_path("dalle1").with_suffix(".json").read_text(encoding="utf-8"))
names = SKILL_NAMES[say("en", "fr")]
figure, axes = plot(width=8, height=3.8)
for shift, part, colour, marker, label in ((0.15, "seen", BLUE, "o", say("seen combinations", "combinaisons vues")),
                                           (-0.15, "held_out", VERMILION, "s", say("never seen", "jamais vues"))):
    for place, rate in enumerate(report["splits"][part].values()):
        axes.plot([100 * rate["low"], 100 * rate["high"]], [place + shift] * 2, color=colour)
        axes.plot(100 * rate["rate"], place + shift, marker, color=colour, label=label if place == 0 else None)
axes.set(yticks=range(len(names)), yticklabels=names.values(), xlabel=say("right marks (%)", "notes justes (%)"), xlim=(0, 101))
legend(axes, loc="lower left")
picture(figure, say("The rate of right marks for eight skills, with intervals, for combinations seen and never seen in training.",
                    "Le taux de notes justes pour huit compétences, avec intervalles, pour les combinaisons vues et jamais vues."))

# %%
print(say("rate and 95% interval      French                English", "taux et intervalle à 95 %  français              anglais"))
for skill, name in names.items():
    line = [f"{100 * rate['rate']:5.1f} [{100 * rate['low']:4.1f}, {100 * rate['high']:5.1f}]"
            for rate in (report["languages"]["fr"][skill], report["languages"]["en"][skill])]
    print(f"{name:26}", "   ".join(line))

# %% [markdown] lang="fr"
# Une machine, deux langues, un seul vocabulaire de jetons : rien ne lui dit laquelle elle lit. Et la tournure ? Elle compte pour CLIP, qui
# classe mieux les photographies quand on lui écrit « a photo of a dog » que « dog » tout court (Radford et al. 2021). La grammaire de notre
# monde dit la même scène de plusieurs façons ; comparons-les.

# %% [markdown] lang="en"
# One machine, two languages, a single vocabulary of tokens: nothing tells it which one it is reading. And the wording? It matters to CLIP,
# which classifies photographs better from “a photo of a dog” than from “dog” alone (Radford et al. 2021). Our world's grammar says the same
# scene in several ways; compare them.

# %%
scene = Description((Mention("heart", "purple"), Mention("cross", "orange")), relation="left")
for wording in phrasings(scene, say("en", "fr")):
    found = parse_pictures(machine.generate([wording] * 8, seed=4))
    print(sum(all(mark(scene, objects).values()) for objects in found), "/ 8 ", wording)

# %% [markdown] lang="fr" slide="slide"
# ## 12. Ce qu'elle ne sait pas dire
#
# Son vocabulaire est fini. Un mot inconnu n'est pas avalé en silence : `unknown_words` le nomme. Une phrase dont tous les mots sont connus
# peut encore sortir du monde : trois choses, ou deux nombres à la fois. La machine dessine quand même, avec aplomb ; c'est au lecteur de se
# méfier.

# %% [markdown] lang="en" slide="slide"
# ## 12. What it cannot say
#
# Its vocabulary is finite. An unknown word is not swallowed in silence: `unknown_words` names it. A sentence all of whose words are known
# may still leave the world: three things, or two numbers at once. The machine draws all the same, with assurance; it is for the reader to
# beware.

# %% slide="fragment" tags=["output-only-slide"]
odd = [
    say("a turquoise circle and a red square", "un cercle turquoise et un carré rouge"),
    say("a red circle and a blue square and a black star", "un cercle rouge et un carré bleu et une étoile noire"),
    say("two red circles and three blue squares", "deux cercles rouges et trois carrés bleus"),
    say("a star without any ring", "une étoile sans aucun anneau"),
]
for words in odd:
    reading = say("read", "lue") if read_caption(words) else say("beyond the grammar", "hors de la grammaire")
    print(f"{words:52}", reading, say("· unknown:", "· inconnus :"), ", ".join(unknown_words(words)) or "—")
sheet(machine.generate(odd, seed=1), odd, say("Four pictures drawn from sentences that go beyond the machine's world.",
                                              "Quatre images tirées de phrases qui sortent du monde de la machine."))

# %% [markdown] lang="fr"
# Sans aucun objet connu, elle refuse, et dit pourquoi.

# %% [markdown] lang="en"
# Without any object that it knows it refuses, and says why.

# %%
try:
    check_prompt(say("a corgi playing a flame-throwing trumpet", "un corgi qui joue d'une trompette lance-flammes"))
except ValueError as refusal:
    print(refusal)

# %% [markdown] lang="fr"
# ## 13. Continuer une image
#
# DALL·E 1 prenait aussi le haut d'une image et inventait le reste. Rien à apprendre de plus : des codes donnés sont des codes déjà écrits.
# Voici le haut d'une image, un cercle rouge, et trois phrases qui demandent trois choses au-dessous.

# %% [markdown] lang="en"
# ## 13. Continuing a picture
#
# DALL·E 1 also took the top of a picture and invented the rest. There is nothing more to learn: codes that are given are codes already
# written. Here is the top of a picture, a red circle, and three sentences that ask for three things below it.

# %% [markdown] lang="fr"
# Écrivez `complete` : votre boucle, avec le guidage en un lot doublé, qui commence par les codes `given` (n, g) et les laisse tels quels.
# Le hasard de la case `position` est toujours `uniforms[:, position]`, si bien qu'un début tiré par la machine doit retrouver sa propre
# suite.
#
# <details><summary>Un indice</summary>`torch.cat([text, torch.zeros_like(text)])` est le lot doublé ; `codes.repeat(2, 1)` donne aux deux
# moitiés les mêmes codes. `guide` rend une moitié.</details>

# %% [markdown] lang="en"
# Write `complete`: your loop, with guidance in one doubled batch, which begins with the codes `given` (n, g) and leaves them alone. The
# chance of `position` is always `uniforms[:, position]`, so a beginning drawn by the machine must find its own continuation again.
#
# <details><summary>A hint</summary>`torch.cat([text, torch.zeros_like(text)])` is the doubled batch; `codes.repeat(2, 1)` gives both halves
# the same codes. `guide` returns one half.</details>

# %% level=3
def complete(model, text, uniforms, given, guidance_scale, temperature):
    both = torch.cat([text, torch.zeros_like(text)])
    codes = torch.zeros(uniforms.shape, dtype=torch.long)
    codes[:, : given.shape[1]] = given
    for position in range(given.shape[1], uniforms.shape[1]):
        logits = guide(model(both, codes.repeat(2, 1))[1][:, position], guidance_scale)
        codes[:, position] = choose(logits, uniforms[:, position], temperature)
    return codes

# %%
top = Scene((Object("circle", "red", "small", 0.5, 0.24, 0.14),), Description((Mention("circle", "red"),)))
given = machine.dvae.encode(render([top], machine.resolution)).flatten(1)[:, :32].repeat(3, 1)
below = [say(f"a red circle above a {thing}", f"un cercle rouge au-dessus d'{chose}") for thing, chose in (
    ("blue square", "un carré bleu"), ("black star", "une étoile noire"), ("green heart", "un cœur vert"))]
@torch.no_grad()
def again():
    return complete(machine.gpt, text, uniforms, final[:, :40], **settings)


expect(again, final, say("a beginning finds its continuation", "un début retrouve sa suite"))
with torch.no_grad():
    finished = sample_codes(machine.gpt, machine.tokens(below), uniforms_for(3, 64, seed=1), given=F.pad(given, (0, 32), value=-1), **settings)
sheet(machine.dvae.decode(finished.view(3, 8, 8)), below,
      say("Three pictures with the same top, completed after three sentences.",
          "Trois images dont le haut est le même, complétées d'après trois phrases."))

# %% [markdown] lang="fr" slide="slide"
# ## 14. Plusieurs essais, un critique
#
# DALL·E 1 tirait 512 images par phrase et laissait CLIP les classer ; le gain s'aplatissait au-delà d'une trentaine. Prenons l'examinateur
# pour critique, et comptons les phrases pour lesquelles une image au moins, parmi $k$, est toute juste.

# %% [markdown] lang="en" slide="slide"
# ## 14. Several tries, one critic
#
# DALL·E 1 drew 512 pictures a sentence and let CLIP rank them; the gain flattened beyond thirty or so. Take the examiner as critic, and
# count the sentences for which one picture at least, among $k$, is all right.

# %% slide="fragment" tags=["output-only-slide"]
tries = torch.stack([machine.generate(sentences, seed=100 + number, temperature=1.0, guidance_scale=1.0) for number in range(5)])
right = torch.tensor([[all(mark(question.scene.description, objects).values()) for question, objects in zip(asked, parse_pictures(images))]
                      for images in tries])
best = [int(right[:k].any(dim=0).sum()) for k in range(1, 6)]
figure, axes = plot(height=3.2)
draw_rates(axes, range(1, 6), best, GREEN)
axes.set(xlabel=say("pictures for each sentence", "images par phrase"), xticks=range(1, 6), ylim=(0, 103))
axes.set_ylabel(say("a right one among them (%)", "une juste parmi elles (%)"))
print(best, say("of", "sur"), len(asked))
picture(figure, say(f"Sentences of 40 with a right picture, against the number of tries: {best[0]} with one, {best[-1]} with five.",
                    f"Phrases sur 40 qui ont une image juste, selon le nombre d'essais : {best[0]} avec un, {best[-1]} avec cinq."))

# %% [markdown] lang="fr"
# Il y a là une triche : le critique est aussi le juge. CLIP, lui, ne connaît pas les notes ; la leçon 12 dira ce qu'un critique appris vaut
# face à celui-ci.
#
# **À vous de battre les réglages par défaut.** Écrivez `draw_better(sentences, seed)`, qui rend une image par phrase et a le droit d'en
# dessiner huit au plus pour chacune. Sur 24 phrases, il faut plus d'images toutes justes que `machine.generate(sentences, seed=seed)`, ou
# n'en manquer qu'une. Tout est permis : réglages, filtres, essais. `mark` attend une description, que donne `read_caption(phrase)`, et des
# objets, que donne `parse_pictures(images)`.
#
# <details><summary>Un indice</summary>Le nombre de notes justes, `sum(mark(…).values())`, classe même des images toutes fausses. Et que
# vaut un second essai s'il ressemble au premier ?</details>

# %% [markdown] lang="en"
# There is cheating here: the critic is the judge, too. CLIP does not know the marks; lesson 12 will say what a learned critic is worth next
# to this one.
#
# **Beat the default settings.** Write `draw_better(sentences, seed)`, which returns one picture for each sentence and may draw eight at
# most for each. On 24 sentences it must have more pictures all right than `machine.generate(sentences, seed=seed)`, or miss one at most.
# Everything is allowed: settings, filters, tries. `mark` expects a description, which `read_caption(sentence)` gives, and objects, which
# `parse_pictures(images)` gives.
#
# <details><summary>A hint</summary>The number of right marks, `sum(mark(…).values())`, ranks even pictures that are all wrong. And what is
# a second try worth if it is like the first?</details>

# %% level=3
def draw_better(sentences, seed):
    descriptions = [read_caption(sentence) for sentence in sentences]
    tries = [machine.generate(sentences, seed=seed + number, temperature=0.9) for number in range(4)]
    points = [[sum(mark(description, objects).values()) for description, objects in zip(descriptions, parse_pictures(images))]
              for images in tries]
    return torch.stack(tries)[torch.tensor(points).argmax(dim=0), torch.arange(len(sentences))]

# %%
def beaten():
    some = sentences[:24]
    before, after = count_right(machine.generate(some, seed=9)), count_right(draw_better(some, seed=9))
    print(before, "→", after, say("of", "sur"), len(some))
    return after > before or after >= len(some) - 1


expect(beaten, True, say("better than the default settings", "mieux que les réglages par défaut"))

# %% [markdown] lang="fr" slide="slide"
# ## 15. L'entraîner
#
# Le tout, en une demi-minute de calcul environ : une machine bien plus légère que la nôtre, un seul objet par image, 32 pixels. Une boucle
# suffit, car chaque étape est la même chose : un lot, une perte, un pas. La dernière étape se nomme `prior` : l'écrivain y apprend la loi
# *a priori* des codes. `build_optimizers` suit la recette de l'étape : AdamW, et, pour les matrices qu'elle nomme, Muon, qui fait apprendre
# toutes leurs directions au même pas (Jordan et al. 2024).

# %% [markdown] lang="en" slide="slide"
# ## 15. Training it
#
# The whole of it, in about half a minute of computing: a machine far lighter than ours, one object a picture, 32 pixels. One loop is
# enough, for each stage is the same: a batch, a loss, a step. The last stage is named `prior`: in it the writer learns the *a priori*
# distribution of codes. `build_optimizers` follows the stage's recipe: AdamW and, for the matrices that it names, Muon, which makes all
# their directions learn at the same pace (Jordan et al. 2024).

# %%
from dalle_edu.training.optimizers import build_optimizers
from dalle_edu.training.learning_rate import learning_rate_schedule

torch.manual_seed(0)
shapes = DallE1Model(dvae=DVAEConfig(resolution=32, num_codes=64, width=24, depth=1),
                     gpt=GPTConfig(num_codes=64, width=64, depth=1, heads=2, text_length=12))
tiny = DallE1(DallE1Config(shapes))
alone, dice = World(10**6, seed=0, kinds={"single": 1.0}), torch.Generator().manual_seed(0)
print(say("parameters:", "paramètres :"), tiny.parameter_count(), "/", machine.parameter_count())

# %%
journal = {}
for stage, updates in zip(tiny.stages, (250, 30, 400)):
    optimizers, curve = build_optimizers(tiny, stage), []
    for update in range(updates):
        batch = alone.collate([alone[update * 16 + i] for i in range(16)])
        loss = tiny.loss(batch.images(32), batch.captions, stage=stage.name, progress=update / updates, generator=dice)["loss"]
        loss.backward()
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * learning_rate_schedule(update, update / updates)
            optimizer.step()
            optimizer.zero_grad()
        curve.append(float(loss.detach()))
    journal[stage.name] = curve

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 3, width=9, height=2.8)
for axes, (name, curve), colour in zip(panels, journal.items(), COLOURS):
    axes.plot(curve, color=colour)
    axes.set(title=name, xlabel=say("update", "mise à jour"))
panels[0].set_ylabel(say("loss", "perte"))
panels[2].axhline(math.log(512) / 8 + math.log(64) * 7 / 8, color="grey", linestyle=":")
picture(figure, say("The loss of the three stages; the prior's begins near the dotted line, the loss of one that knows nothing, and falls.",
                    "La perte des trois étapes ; celle de `prior` part près du pointillé, la perte de qui ne sait rien, et descend."))

# %% [markdown] lang="fr"
# La ligne pointillée, à droite, est la perte de qui ne sait rien : $\frac18 \log 512 + \frac78 \log 64$. **Vérifiez toujours votre première
# perte** ; si elle n'en est pas proche, cherchez l'erreur avant d'attendre des heures.
#
# Et que dessine cette machine d'une demi-minute ?

# %% [markdown] lang="en"
# The dotted line, on the right, is the loss of one that knows nothing: $\frac18 \log 512 + \frac78 \log 64$. **Always check your first
# loss**; if it is not near, look for the bug before you wait for hours.
#
# And what does this machine of half a minute draw?

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Une demi-minute plus tard

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### Half a minute later

# %% slide="fragment" tags=["output-only-slide"]
tiny.eval()
simple = [alone[500_000 + i] for i in range(64)]
drawn = tiny.generate([words for _, words in simple])
found = [mark(scene.description, objects) for (scene, _), objects in zip(simple, parse_pictures(drawn))]
for skill in ("colours", "shape"):
    notes = [each[skill] for each in found if skill in each]
    print(f"{names[skill]:10} {sum(notes)} / {len(notes)}")
sheet(drawn[:8], [words for _, words in simple[:8]],
      say("Eight pictures, each drawn from the sentence under it by a network trained for half a minute.",
          "Huit images, tirées chacune de la phrase au-dessous par un réseau entraîné une demi-minute."))

# %% [markdown] lang="fr"
# Des taches, mais souvent de la bonne couleur ; de la bonne forme, presque jamais. La couleur vient la première : une case suffit à la
# montrer, alors qu'une forme demande que plusieurs cases s'accordent.
#
# L'entraînement complet est une commande. Douze minutes sur un portable donnent une machine qui dessine ; les poids livrés ont pris le
# temps que dit leur fiche (`data/weights/dalle1.fr.md`).
#
# ```sh
# dalle-edu train dalle1 --preset laptop --minutes 12
# dalle-edu generate "un cercle rouge" --system runs/dalle1-laptop/dalle1.safetensors
# ```

# %% [markdown] lang="en"
# Blobs, but often of the right colour; of the right shape, hardly ever. Colour comes first: one patch is enough to show it, while a shape
# asks several patches to agree.
#
# The full training is one command. Twelve minutes on a laptop give a machine that draws; the shipped weights took the time that their card
# says (`data/weights/dalle1.md`).
#
# ```sh
# dalle-edu train dalle1 --preset laptop --minutes 12
# dalle-edu generate "a red circle" --system runs/dalle1-laptop/dalle1.safetensors
# ```

# %% [markdown] lang="fr" slide="slide"
# ## 16. Les compétences arrivent l'une après l'autre
#
# Pendant que nos poids s'entraînaient, l'examinateur passait de temps en temps, avec 128 phrases. Voici son journal pour l'étape `prior`.
# Une seule perte descend ; ce qu'elle apprend arrive dans un ordre.

# %% [markdown] lang="en" slide="slide"
# ## 16. Skills come one after the other
#
# While our weights were training, the examiner came by now and then, with 128 sentences. Here is its log of the stage `prior`. A single
# loss goes down; what it learns comes in an order.

# %% slide="fragment" tags=["output-only-slide"]
log = weights_path("dalle1").with_name("dalle1.log.jsonl").read_text(encoding="utf-8")
looks = [entry for entry in map(json.loads, log.splitlines()) if entry["stage"] == "prior" and "skills" in entry]
followed = ("position", "shape", "counting", "colour_attribution", "colours")
figure, axes = plot(width=8, height=3.6)
for skill, colour, marker in zip(followed, COLOURS, "os^vD"):
    axes.plot([look["seconds"] / 60 for look in looks], [100 * look["skills"][skill] for look in looks], color=colour, marker=marker,
              markersize=4, label=names[skill])
axes.set(xlabel=say("minutes of the stage", "minutes de l'étape"), ylabel=say("right marks (%)", "notes justes (%)"), ylim=(-2, 102))
legend(axes, loc="lower right")
picture(figure, say("Right marks of five skills against minutes of training: five curves, each rising at its own time.",
                    "Notes justes de cinq compétences selon les minutes d'entraînement : cinq courbes, qui montent chacune à son heure."))

# %% [markdown] lang="fr"
# Quand chaque compétence passe-t-elle la moitié ? Entre deux visites de l'examinateur, on relie par une droite, en partant de zéro.

# %% [markdown] lang="en"
# When does each skill pass one half? Between two visits of the examiner, draw a straight line, beginning at zero.

# %%
def half_way(skill):
    began, low = 0.0, 0.0
    for look in looks:
        ended, high = look["seconds"] / 60, look["skills"][skill]
        if low < 0.5 <= high:
            return began + (0.5 - low) / (high - low) * (ended - began)
        began, low = ended, high
    return math.inf


for skill in sorted(followed, key=half_way):
    print(f"{names[skill]:26}", say("half of it after", "la moitié après"), f"{half_way(skill):5.1f} min")

# %% [markdown] lang="fr"
# Pourquoi la couleur si tôt, et l'espace si tard ? Une explication : comptez ce qui doit s'accorder. Une couleur tient dans une case ; un
# nombre, dans des taches séparées ; une forme, dans des cases voisines. Lier chaque couleur à sa forme demande de relire dans la phrase
# quelle couleur va avec quelle forme ; placer un objet par rapport à l'autre demande en plus de se souvenir, bien des lignes plus bas, de
# ce que l'on a mis en haut. (Une part de l'ordre est dans la définition des notes : celle de position exige que les deux objets soient
# justes.)
#
# Un grand modèle peut garder ce profil une fois entraîné. GenEval (Ghosh et al. 2023) note DALL·E 2 ainsi : un objet 94 %, couleurs 77 %,
# deux objets 66 %, nombre 49 %, attribution des couleurs 19 %, **position 10 %**. Il rend bien mieux les choses et les couleurs que
# l'espace. Comparez à la fin de nos courbes.

# %% [markdown] lang="en"
# Why is colour so early, and space so late? One explanation: count what must agree. A colour fits in one patch; a number, in separate
# blobs; a shape, in neighbouring patches. Binding each colour to its shape takes reading again in the sentence which colour goes with which
# shape; placing one object with respect to the other takes, on top of that, remembering many rows further down what was put above. (Part of
# the order is in the definition of the marks: that of position requires both objects to be right.)
#
# A large model may keep this profile once trained. GenEval (Ghosh et al. 2023) marks DALL·E 2 thus: one object 94%, colours 77%, two
# objects 66%, counting 49%, colour attribution 19%, **position 10%**. It renders things and colours far better than space. Compare the end
# of our curves.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Cacher la légende et faire parier sur l'ordre avant de montrer la figure. Puis demander : si l'on arrête l'entraînement trop tôt, que
# conclurait-on de la machine ? « Elle comprend les couleurs, mais pas l'espace. » Ce n'est pas une loi : c'est un moment de la courbe.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Hide the legend and let them bet on the order before showing the figure. Then ask: if training stopped too early, what would one conclude
# about the machine? "It understands colours, but not space." That is no law: it is a moment of the curve.

# %% [markdown] lang="fr"
# ## 17. Quelle erreur est-ce ?
#
# Quelqu'un d'autre a écrit ce Gumbel-softmax. Il est faux. Ne lisez pas son code : interrogez-le. Chaque code gagne-t-il aussi souvent que
# le softmax le dit, à toute température ? Le tirage durcit-il quand elle baisse ? Le même hasard donne-t-il toujours le même gagnant ?

# %% [markdown] lang="en"
# ## 17. Which mistake is this?
#
# Somebody else wrote this Gumbel-softmax. It is wrong. Do not read its code: question it. Does each code win as often as the softmax says,
# at every temperature? Does the draw harden as the temperature falls? Does the same chance always give the same winner?

# %%
mystery, question = suspect("dvae:gumbel_softmax", 1)
print("softmax      ", [round(float(one), 2) for one in logits.softmax(dim=-1)])
for temperature in (2.0, 1.0, 0.25):
    soft = mystery(logits.expand(20_000, 6), temperature, generator=torch.Generator().manual_seed(0))
    winners = torch.bincount(soft.argmax(dim=-1), minlength=6) / len(soft)
    print(f"τ = {temperature:<9g}", [round(float(one), 2) for one in winners], end=" ")
    print(say("largest entry:", "plus grande part :"), round(float(soft.amax(dim=-1).mean()), 2))

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr"
# ## 18. Questions

# %% [markdown] lang="en"
# ## 18. Questions

# %% quiz="dalle1"
quiz(
    Number(
        say("How many tokens, text and picture together, does the stream of DALL·E 1 hold?",
            "Combien de jetons, texte et image ensemble, le flux de DALL·E 1 contient-il ?"),
        right=1280,
        why=say("256 for the text and 32 × 32 for the picture.", "256 pour le texte et 32 × 32 pour l'image."),
        computed=lambda: 256 + theirs.grid**2,
    ),
    Number(
        say("A network that knows nothing predicts one code among 8,192. What is its loss, in nats, to two decimals?",
            "Un réseau qui ne sait rien prédit un code parmi 8 192. Que vaut sa perte, en nats, à deux décimales ?"),
        right=9.01,
        why=say("The logarithm of 8,192, that is 13 bits.", "Le logarithme de 8 192, soit 13 bits."),
        computed=lambda: round(math.log(theirs.num_codes), 2),
    ),
    Choice(
        say("The temperature of the Gumbel-softmax goes from 1 down to 1/16 during training. Why not begin at 1/16?",
            "La température du Gumbel-softmax descend de 1 à 1/16 pendant l'entraînement. Pourquoi ne pas commencer à 1/16 ?"),
        [say("The draws would be biased.", "Les tirages seraient biaisés."),
         say("The gradients would be too noisy to learn from.", "Les gradients seraient trop bruités pour apprendre."),
         say("The decoder would see mixtures of codes.", "Le décodeur verrait des mélanges de codes.")],
        right=1,
        why=say("Cold draws give gradients of smaller bias and larger spread; mixtures belong to high temperatures.",
                "À froid, les gradients ont moins de biais et plus de dispersion ; les mélanges viennent des hautes températures."),
    ),
    Number(
        say("An encoder is certain of one code among 8 everywhere. What is its divergence from the uniform distribution, to two decimals?",
            "Un encodeur est certain d'un code parmi 8 partout. Que vaut sa divergence avec la loi uniforme, à deux décimales ?"),
        right=2.08,
        why=say("log 8 - 0: a sure choice has no entropy.", "log 8 - 0 : un choix sûr n'a pas d'entropie."),
        computed=lambda: round(float(kl_to_uniform(torch.eye(8).add(1e-12).log())), 2),
    ),
    Choice(
        say("Why does the encoder of the shipped dVAE look at each patch alone?",
            "Pourquoi l'encodeur du dVAE livré regarde-t-il chaque case seule ?"),
        [say("So that equal patches get equal codes, easy to predict.",
             "Pour que des cases pareilles aient des codes pareils, faciles à prédire."),
         say("Because the decoder does, too.", "Parce que le décodeur fait de même."),
         say("Because a convolution cannot look further.", "Parce qu'une convolution ne peut pas voir plus loin.")],
        right=0,
        why=say("A code that speaks of its neighbours changes with them, and the writer must predict that. The decoder does look around.",
                "Un code qui parle de ses voisins change avec eux, et l'écrivain doit le prédire. Le décodeur, lui, regarde autour."),
    ),
    Number(
        say("16 sentences are drawn with guidance 3. How many rows does the network process at each step?",
            "On dessine 16 phrases avec un guidage de 3. Combien de lignes le réseau traite-t-il à chaque pas ?"),
        right=32,
        why=say("The sentences, and as many empty ones; the value of the guidance does not matter, unless it is 1.",
                "Les phrases, et autant de phrases vides ; la valeur du guidage n'y change rien, sauf 1."),
        computed=lambda: len(torch.cat([torch.ones(16, 20), torch.zeros(16, 20)])),
    ),
    Choice(
        say("Setting A gets 44 of 48 pictures right, setting B 46 of 48. What do you conclude?",
            "Le réglage A donne 44 images justes sur 48, le réglage B 46 sur 48. Que concluez-vous ?"),
        [say("B is better by 4 points.", "B est meilleur de 4 points."),
         say("Nothing yet: the intervals overlap widely.", "Rien encore : les intervalles se recouvrent largement."),
         say("Both are the same.", "Les deux se valent.")],
        right=1,
        why=say("Chance is enough to explain two pictures. Nor does that prove them equal: ask more sentences.",
                "Le hasard suffit à expliquer deux images. Cela ne prouve pas non plus l'égalité : posez plus de phrases."),
    ),
    Choice(
        say("The loss of stage two soon falls to almost nothing, and the samples are noise. What do you suspect first?",
            "La perte de l'étape 2 tombe vite presque à rien, et les tirages sont du bruit. Que soupçonnez-vous d'abord ?"),
        [say("The temperature of sampling is too high.", "La température du tirage est trop haute."),
         say("Each code is predicted from a stream that already holds it.", "Chaque code est prédit depuis un flux qui le contient déjà."),
         say("The codebook has collapsed to a few codes.", "Le codebook s'est réduit à quelques codes.")],
        right=1,
        why=say("An answer that is shown need not be learned. A collapsed codebook too gives a low loss, but bare pictures.",
                "Une réponse montrée n'a pas à être apprise. Un codebook réduit donne aussi une perte basse, mais des images nues."),
    ),
)

# %% [markdown] lang="fr"
# ## 19. Les limites, franchement
#
# - **Notre monde est un bocal.** Huit formes sur fond blanc : c'est ce qui permet de tout noter, et ce qui interdit de conclure sur des
#   photographies.
# - **Les chiffres de DALL·E 1 varient.** Son FID sur COCO (un écart entre images dessinées et photographies ; plus il est petit, mieux
#   c'est) est cité de 17,9 à 28 selon l'article, le floutage et le nombre d'images. OpenAI a publié son dVAE, mais pas son transformeur :
#   personne d'autre ne peut refaire la mesure.
# - **L'ordre de lecture est une contrainte.** Ce qui est écrit en haut ne se corrige plus. Les modèles de diffusion (leçon 10) n'ont pas ce
#   défaut.
# - **Un codec perd.** De petits visages, des lettres : tout ce qu'un code ne peut pas dire des 192 nombres qu'il remplace.

# %% [markdown] lang="en"
# ## 19. The limits, frankly
#
# - **Our world is a fishbowl.** Eight shapes on white: that is what lets us mark everything, and what forbids conclusions about
#   photographs.
# - **The figures of DALL·E 1 vary.** Its FID on COCO (a distance between drawn pictures and photographs; the smaller, the better) is quoted
#   from 17.9 to 28 depending on the paper, the blurring and the number of pictures. OpenAI published its dVAE but not its transformer:
#   nobody else can measure it again.
# - **Reading order is a constraint.** What is written above is never corrected. Diffusion models (lesson 10) do not have that fault.
# - **A codec loses.** Small faces, letters: all that one code cannot say of the 192 numbers that it stands for.

# %% [markdown] lang="fr" slide="slide"
# ## À retenir
#
# - DALL·E 1 est un codec et un écrivain : un dVAE fait d'une image une grille de codes, un transformeur continue la phrase par ces codes.
# - Le Gumbel-softmax est un tirage qui se dérive ; chaud, son gradient est biaisé ; froid, il est bruité.
# - Une divergence se moyenne ; récompenser l'entropie de la loi moyenne garde le codebook en vie.
# - Texte et image forment un seul flux : remplissage appris, positions à deux dimensions, pertes pesées 1/8 et 7/8.
# - Le guidage exagère ce que la phrase change ; la température échange la justesse contre la variété ; un critique choisit.
# - Un taux se lit avec son intervalle ; les compétences arrivent dans un ordre, l'espace parmi les dernières.

# %% [markdown] lang="en" slide="slide"
# ## Take-aways
#
# - DALL·E 1 is a codec and a writer: a dVAE turns a picture into a grid of codes, a transformer continues the sentence with these codes.
# - The Gumbel-softmax is a draw that has a derivative; hot, its gradient is biased; cold, it is noisy.
# - A divergence is averaged; rewarding the entropy of the mean distribution keeps the codebook alive.
# - Text and picture are a single stream: learned padding, two-dimensional positions, losses weighted 1/8 and 7/8.
# - Guidance exaggerates what the sentence changes; temperature trades rightness for variety; a critic chooses.
# - A rate is read with its interval; skills come in an order, space among the last.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La leçon 12 entraîne CLIP, le critique qui ne connaît pas les notes. D'ici là, refaites le balayage du guidage avec `temperature=1` : le
# meilleur guidage est-il le même ? Pourquoi guider refroidit-il aussi la loi ?
#
# ## Sources
#
# - A. Ramesh et al., *Zero-Shot Text-to-Image Generation*, 2021 : DALL·E 1.
# - E. Gumbel, *Statistical Theory of Extreme Values and Some Practical Applications*, 1954.
# - E. Jang, S. Gu et B. Poole, *Categorical Reparameterization with Gumbel-Softmax*, 2017 ; C. Maddison, A. Mnih et Y. W. Teh, *The
#   Concrete Distribution*, 2017.
# - Y. Bengio, N. Léonard et A. Courville, *Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
#   Computation*, 2013.
# - A. van den Oord, O. Vinyals et K. Kavukcuoglu, *Neural Discrete Representation Learning*, 2017.
# - R. Sennrich, B. Haddow et A. Birch, *Neural Machine Translation of Rare Words with Subword Units*, 2016 : BPE.
# - I. Provilkov, D. Emelianenko et E. Voita, *BPE-Dropout: Simple and Effective Subword Regularization*, 2020.
# - J. Ho et T. Salimans, *Classifier-Free Diffusion Guidance*, 2021.
# - E. B. Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, 1927.
# - A. Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, 2021 : CLIP.
# - K. Jordan et al., *Muon: An optimizer for hidden layers in neural networks*, 2024.
# - D. Ghosh, H. Hajishirzi et L. Schmidt, *GenEval: An Object-Focused Framework for Evaluating Text-to-Image Alignment*, 2023.

# %% [markdown] lang="en"
# ## Reading on
#
# Lesson 12 trains CLIP, the critic that does not know the marks. Until then, run the sweep of guidance again with `temperature=1`: is the
# best guidance the same? Why does guiding also cool the distribution?
#
# ## Sources
#
# - A. Ramesh et al., *Zero-Shot Text-to-Image Generation*, 2021: DALL·E 1.
# - E. Gumbel, *Statistical Theory of Extreme Values and Some Practical Applications*, 1954.
# - E. Jang, S. Gu and B. Poole, *Categorical Reparameterization with Gumbel-Softmax*, 2017; C. Maddison, A. Mnih and Y. W. Teh, *The
#   Concrete Distribution*, 2017.
# - Y. Bengio, N. Léonard and A. Courville, *Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
#   Computation*, 2013.
# - A. van den Oord, O. Vinyals and K. Kavukcuoglu, *Neural Discrete Representation Learning*, 2017.
# - R. Sennrich, B. Haddow and A. Birch, *Neural Machine Translation of Rare Words with Subword Units*, 2016: BPE.
# - I. Provilkov, D. Emelianenko and E. Voita, *BPE-Dropout: Simple and Effective Subword Regularization*, 2020.
# - J. Ho and T. Salimans, *Classifier-Free Diffusion Guidance*, 2021.
# - E. B. Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, 1927.
# - A. Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, 2021: CLIP.
# - K. Jordan et al., *Muon: An optimizer for hidden layers in neural networks*, 2024.
# - D. Ghosh, H. Hajishirzi and L. Schmidt, *GenEval: An Object-Focused Framework for Evaluating Text-to-Image Alignment*, 2023.
