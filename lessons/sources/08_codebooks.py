# ---
# jupyter:
#   lesson:
#     number: "08"
#     hours: [2.5, 0.5, 2, 1.5]
#     session: 200
#     title: {en: "Codebooks: pictures become words", fr: "Les dictionnaires : des images en mots"}
# ---

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ceci est une image
#
# Soixante-quatre nombres, et rien d'autre. Combien d'objets ? où ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### This is a picture
#
# Sixty-four numbers, and nothing else. How many objects? where?

# %% [markdown] lang="fr"
# Une image de 64 × 64 pixels tient en 12 288 nombres : $64 \times 64$ pixels, trois couleurs. En voici une, tout entière, en **soixante-
# quatre**. Ce n'en est pas un résumé : une machine de ce cours la repeindra, à partir de ces nombres et de rien d'autre.
#
# **Devinez d'abord.** Combien d'objets ? où sont-ils ? lequel est le plus grand ? Notez vos réponses : nous repeindrons l'image à la
# [](#sixty-four-words).

# %% [markdown] lang="en"
# A picture of 64 × 64 pixels is 12,288 numbers: $64 \times 64$ pixels, three colours. Here is one, entire, in **sixty-four**. This is no
# summary: a machine of this course will paint it again, from these numbers and nothing else.
#
# **Guess first.** How many objects? where are they? which one is the largest? Note your answers: we shall paint the picture again in
# [](#sixty-four-words).

# %% tags=["hide-input"]
import torch

from dalle_edu import load
from dalle_edu.classroom.figures import picture, plot
from dalle_edu.world import render, sample_scene

# en: the codec of lesson 13's machine, trained for hours
# fr: le codec de la machine de la leçon 13, entraîné des heures
well_trained = load("dalle_mini")
secret = render([sample_scene(5, 8)], 64)
with torch.no_grad():
    sixty_four = well_trained.encode(secret)[0]


# %% tags=["hide-input"]
def draw_numbers(axes, numbers, image=None):
    # en: a number in each square, over the image if there is one
    # fr: un nombre par carreau, par-dessus l'image s'il y en a une
    side = 8 if image is None else image.shape[-1]
    axes.set(xlim=(0, side), ylim=(side, 0), xticks=[], yticks=[], aspect="equal")
    if image is not None:
        shown = (image.detach().permute(1, 2, 0) / 2 + 0.5).clamp(0, 1)
        axes.imshow(shown, extent=(0, side, side, 0), alpha=0.6)
    step = side / 8
    for place in range(9):
        axes.axhline(place * step, color="silver", linewidth=0.7)
        axes.axvline(place * step, color="silver", linewidth=0.7)
    for row in range(8):
        for column in range(8):
            axes.text((column + 0.5) * step, (row + 0.5) * step,
                      str(int(numbers[row, column])), ha="center", va="center",
                      fontsize=12)


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=4.6, height=4.6)
draw_numbers(axes, sixty_four)
picture(figure, say("A grid of eight rows of eight numbers, most of them the same "
                    "number.",
                    "Une grille de huit lignes de huit nombres, presque toujours "
                    "le même."))

# %% claims=true
assert secret.numel() == 64 * 64 * 3 == 12288
assert sixty_four.numel() == 64
assert int((sixty_four == sixty_four.flatten().mode().values).sum()) > 32

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Projeter la grille, ne rien dire d'autre. Faire parier : combien d'objets, où ? Quelqu'un verra que le même nombre est presque
# partout. (C'est le papier blanc.) Noter deux réponses au tableau. Demander combien de nombres a l'image d'origine. (12 288.) La réponse
# viendra à la section 12.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Show the grid, say nothing else. Take bets: how many objects, where? Somebody will see that one number is nearly everywhere. (It is
# white paper.) Write two answers on the board. Ask how many numbers the original picture has. (12,288.) The answer comes in section 12.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - remplacer un vecteur par un numéro ;
# - copier un gradient, et dire ce qu'il en coûte ;
# - écrire les deux pertes, bêta où il faut ;
# - faire suivre des codes, ranimer les morts ;
# - compter les bits d'une image.
#
# **Il faut** les leçons 01, 04, 05 et 07.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - replace a vector by a number;
# - copy a gradient, and say what it costs;
# - write both losses, beta where it belongs;
# - let codes follow, and revive the dead;
# - count the bits of a picture.
#
# **You need** lessons 01, 04, 05 and 07.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander qui se rappelle l'auto-encodeur (leçon 07) : un encodeur, un goulot, un décodeur. Aujourd'hui, le goulot devient une liste
# de mots. Annoncer deux séances : jusqu'à la section 7, puis le reste. Prévoir des gommettes de couleur pour la section 3.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask who remembers the autoencoder (lesson 07): an encoder, a bottleneck, a decoder. Today the bottleneck becomes a list of words.
# Announce two sessions: up to section 7, then the rest. Bring coloured stickers for section 3.

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - remplacer des vecteurs par les numéros d'un dictionnaire, et compter les bits que cela prend ;
# - faire passer un gradient par-dessus un choix, et dire ce que cette copie a d'approché ;
# - écrire les deux pertes d'un VQ-VAE, et mettre bêta sur la bonne ;
# - faire suivre les vecteurs par leurs codes, mesurer un effondrement et le soigner ;
# - dire pourquoi un dictionnaire ne dessine pas tout seul, et ce qu'un GPT y ajoute.
#
# **Il faut** les leçons [01](lesson:01) (pentes, PyTorch), [04](lesson:04) (convolutions), [05](lesson:05) (un GPT) et [07](lesson:07)
# (l'auto-encodeur).
#
# **Si le temps manque**, les sections [1](#the-nearest-code), [2](#count-the-bits), [5](#a-choice-has-no-slope), [7](#two-losses) à
# [9](#codes-that-die), [11](#the-vq-vae) et [12](#sixty-four-words) forment le chemin principal. La [](#what-the-copy-costs) et les deux
# expériences ([](#what-beta-holds-back), [](#why-patches-are-blind)) peuvent attendre. Un exercice non fait n'arrête rien : la bibliothèque
# prend la place de ce qui manque.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - replace vectors by the numbers of a codebook, and count the bits that this takes;
# - pass a gradient across a choice, and say what this copy approximates;
# - write the two losses of a VQ-VAE, and put beta on the right one;
# - let codes follow vectors, measure a collapse and cure it;
# - say why a codebook does not draw by itself, and what a GPT adds to it.
#
# **You need** lessons [01](lesson:01) (slopes, PyTorch), [04](lesson:04) (convolutions), [05](lesson:05) (a GPT) and [07](lesson:07) (the
# autoencoder).
#
# **If time is short**, sections [1](#the-nearest-code), [2](#count-the-bits), [5](#a-choice-has-no-slope), [7](#two-losses) to
# [9](#codes-that-die), [11](#the-vq-vae) and [12](#sixty-four-words) are the main path. [](#what-the-copy-costs) and the two experiments
# ([](#what-beta-holds-back), [](#why-patches-are-blind)) can wait. An exercise left undone stops nothing: the library takes the place of
# what is missing.

# %%
import math
from dataclasses import replace

import torch.nn.functional as F
from einops import rearrange
from torch import nn

from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLACK, BLUE, COLOURS, GREEN, ORANGE
from dalle_edu.classroom.figures import SKY, VERMILION, legend
from dalle_edu.language import decimal

# %% [markdown] lang="fr"
# ## 1. Le code le plus proche
#
# Un peintre qui n'a que trois pots prend, pour chaque couleur, le pot **le plus proche**. Un **dictionnaire de codes** (*codebook*) est
# cette rangée de pots : une liste de vecteurs, les codes, numérotés à partir de 0. Remplacer un vecteur par le numéro de son code le plus
# proche s'appelle la **quantification vectorielle**.
#
# Trois codes dans le plan : $c_0 = (0, 0)$, $c_1 = (4, 0)$, $c_2 = (1, 3)$. Le vecteur $v = (2{,}5 \,;\, 1)$ est à $2{,}5^2 + 1^2 = 7{,}25$
# du premier, au carré. **Devinez** de tête lequel est le plus proche ; puis cherchez lequel a le plus grand produit scalaire avec $v$.
# Est-ce le même ?

# %% [markdown] lang="en"
# ## 1. The nearest code
#
# A painter who has three pots only takes, for each colour, the pot that is **nearest**. A **codebook** is that row of pots: a list of
# vectors, the codes, numbered from 0. To replace a vector by the number of its nearest code is called **vector quantisation**.
#
# Three codes in the plane: $c_0 = (0, 0)$, $c_1 = (4, 0)$, $c_2 = (1, 3)$. The vector $v = (2.5, 1)$ is at $2.5^2 + 1^2 = 7.25$ from the
# first, squared. **Guess** in your head which one is nearest; then look for the one whose dot product with $v$ is largest. Is it the same?

# %%
three_codes = {0: (0.0, 0.0), 1: (4.0, 0.0), 2: (1.0, 3.0)}
v = (2.5, 1.0)
print(say("code  squared distance  dot product", "code  distance au carré  produit"))
for number, code in three_codes.items():
    distance = sum((a - b) ** 2 for a, b in zip(v, code))
    product = sum(a * b for a, b in zip(v, code))
    print(f"{number:4} {decimal(distance, 2):>17} {decimal(product, 2):>12}")

# %% claims=true
distances = [sum((a - b) ** 2 for a, b in zip(v, code)) for code in three_codes.values()]
assert distances == [7.25, 3.25, 6.25]
assert distances.index(min(distances)) == 1
assert [sum(a * b for a, b in zip(v, code)) for code in three_codes.values()] == [0, 10, 5.5]

# %% [markdown] lang="fr"
# Le code 1 gagne des deux façons, mais regardez le code 0 : son produit est nul, quel que soit $v$. Nul, il ne gagnerait contre un autre
# que si le produit de celui-ci était négatif, même pour un vecteur collé à lui. Le produit favorise les codes **longs**. Il faut en
# retrancher quelque chose ; développez le carré :
#
# $$ |v - c|^2 = |v|^2 - 2 \, v \cdot c + |c|^2 $$
#
# Le premier terme est le même pour tous les codes : on l'oublie. Restent un produit de matrices, pour tous les vecteurs et tous les codes à
# la fois, et les longueurs des codes. (Si tous les codes avaient la même longueur, le plus grand produit serait le plus proche : d'où
# l'habitude, chez certains, de tout normaliser.)
#
# Voici le plan entier, chaque point à la couleur de son code : ce sont les **cellules de Voronoï**. Chaque flèche est un remplacement.

# %% [markdown] lang="en"
# Code 1 wins both ways, but look at code 0: its product is zero, whatever $v$ is. Being zero it would win against another only if that
# one's product were negative, even for a vector that touches it. The product favours **long** codes. Something must be subtracted; expand
# the square:
#
# $$ |v - c|^2 = |v|^2 - 2 \, v \cdot c + |c|^2 $$
#
# The first term is the same for all codes: forget it. What is left is one product of matrices, for all vectors and all codes at once, and
# the lengths of the codes. (If all codes had the same length, the largest product would be the nearest: hence the habit, with some, of
# normalising everything.)
#
# Here is the whole plane, each point in the colour of its code: these are the **Voronoi cells**. Each arrow is a replacement.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Chaque vecteur prend le code le plus proche
#
# $$ |v - c|^2 = |v|^2 - 2 \, v \cdot c + |c|^2 $$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. Each vector takes the nearest code
#
# $$ |v - c|^2 = |v|^2 - 2 \, v \cdot c + |c|^2 $$

# %% tags=["hide-input"]
def draw_cells(axes, codes, low=-4.0, high=6.0):
    # en: each point of the plane in the colour of its nearest code
    # fr: chaque point du plan à la couleur du code le plus proche
    line = torch.linspace(low, high, 161)
    points = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)
    owner = torch.cdist(points.flatten(0, 1), codes).argmin(dim=1).view(161, 161)
    for number in owner.unique().tolist():
        inside = (owner == number).float()
        colour = COLOURS[number % len(COLOURS)]
        axes.contourf(line, line, inside, levels=[0.5, 1.5], colors=[colour], alpha=0.22)
    axes.scatter(codes[:, 0], codes[:, 1], s=55, marker="s", color=BLACK, zorder=3)
    axes.set(xticks=[], yticks=[], xlim=(low, high), ylim=(low, high), aspect="equal")


# %% slide="fragment" tags=["hide-input"]
generator = torch.Generator().manual_seed(1)
corners = torch.tensor(list(three_codes.values()))
wanderers = -3.5 + 9 * torch.rand(14, 2, generator=generator)
figure, axes = plot(width=4.8, height=4.6)
draw_cells(axes, corners)
for number, point in three_codes.items():
    axes.annotate(str(number), point, xytext=(7, 5), textcoords="offset points",
                  fontsize=14, fontweight="bold")
for point in wanderers:
    target = corners[(corners - point).square().sum(dim=1).argmin()]
    axes.annotate("", xy=target.tolist(), xytext=point.tolist(),
                  arrowprops={"arrowstyle": "->", "color": "dimgray"})
axes.scatter(wanderers[:, 0], wanderers[:, 1], s=25, color=VERMILION, zorder=4)
picture(figure, say("The plane cut into three cells by straight borders; from each of "
                    "fourteen points an arrow goes to the code of its cell.",
                    "Le plan coupé en trois cellules par des bords droits ; de "
                    "chacun de quatorze points part une flèche vers le code de sa "
                    "cellule."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Au tableau, les trois codes et v = (2,5 ; 1) : distances au carré 7,25, 3,25 et 6,25. Puis les produits : 0, 10, 5,5. Demander où
# placer un vecteur pour que le produit se trompe. (Tout près du code 0.) Faire développer le carré : quel terme ne sert à rien ? Les bords
# sont des médiatrices.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. On the board, the three codes and v = (2.5, 1): squared distances 7.25, 3.25 and 6.25. Then the products: 0, 10, 5.5. Ask where to
# put a vector so that the product is wrong. (Close to code 0.) Have the square expanded: which term is of no use? The borders are
# perpendicular bisectors.

# %% [markdown] lang="fr"
# Les bords sont les médiatrices des codes. À vous, sans boucle : `vectors` est de forme (…, d), `codebook` de forme (k, d) ; rendez les
# numéros, de forme (…). À égalité, le plus petit numéro l'emporte : c'est ce que fait `argmin`.
#
# <details><summary>Un indice</summary>
#
# `vectors @ codebook.T` est de forme (…, k) : tous les produits. `codebook.square().sum(dim=-1)`, de forme (k,), donne $|c|^2$.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# $|c|^2 - 2 \, v \cdot c$, puis `.argmin(dim=-1)`.
#
# </details>

# %% [markdown] lang="en"
# The borders are the perpendicular bisectors of the codes. Your turn, without a loop: `vectors` is of shape (…, d), `codebook` of shape
# (k, d); return the numbers, of shape (…). Of equally near codes the smallest number wins: that is what `argmin` does.
#
# <details><summary>A hint</summary>
#
# `vectors @ codebook.T` is of shape (…, k): all the products. `codebook.square().sum(dim=-1)`, of shape (k,), is $|c|^2$.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# $|c|^2 - 2 \, v \cdot c$, then `.argmin(dim=-1)`.
#
# </details>

# %% implements="codebook:nearest_code" level=1
"""Le numéro du code le plus proche de chaque vecteur, en distance euclidienne.

Les codes sont les lignes de `codebook`, numérotées à partir de 0 ; à égalité,
le premier l'emporte. |v - c|² = |v|² - 2 v·c + |c|², et |v|² est le même pour
tous les codes : un seul produit de matrices suffit.
"""

# %% scratch=true
nearest_code(torch.tensor([[2.5, 1.0], [0.1, 0.2]]), corners)
# → tensor([1, 0])

# %% [markdown] lang="fr"
# ## 2. Compter les bits
#
# Dire un numéro parmi $k$ prend $\log_2 k$ bits : un bit pour 2 codes, deux bits pour 4, huit pour 256. L'image du début a 12 288 nombres,
# écrits d'ordinaire sur 8 bits chacun : 98 304 bits. Ses soixante-quatre numéros sont pris dans un dictionnaire de 384 codes. **Devinez**
# par combien la taille est divisée : 12 288 ÷ 64, plus, ou moins ?

# %% [markdown] lang="en"
# ## 2. Count the bits
#
# To say one number out of $k$ takes $\log_2 k$ bits: one bit for 2 codes, two bits for 4, eight for 256. The picture of the beginning has
# 12,288 numbers, each usually written in 8 bits: 98,304 bits. Its sixty-four numbers are taken from a codebook of 384 codes. **Guess** by
# how much the size is divided: 12,288 ÷ 64, more, or less?

# %% [markdown] lang="fr"
# Écrivez `picture_bits(positions, num_codes)`, le nombre de bits d'une image de `positions` codes, chacun pris parmi `num_codes`. Deux
# nombres entiers entrent, un `float` sort.
#
# <details><summary>Un indice</summary>
#
# `math.log2` est le logarithme en base 2.
#
# </details>

# %% [markdown] lang="en"
# Write `picture_bits(positions, num_codes)`, the number of bits of a picture of `positions` codes, each one out of `num_codes`. Two whole
# numbers come in, a `float` goes out.
#
# <details><summary>A hint</summary>
#
# `math.log2` is the logarithm to base 2.
#
# </details>

# %% level=1
def picture_bits(positions, num_codes):
    return positions * math.log2(num_codes)

# %% scratch=true
picture_bits(4, 8)  # → 12.0

# %%
def bits_of_three():
    return [picture_bits(64, 2), picture_bits(64, 384), picture_bits(1024, 8192)]


expect(bits_of_three, [64.0, 64 * math.log2(384), 13312.0],
       say("64 codes of 2, 64 of 384, 1,024 of 8,192",
           "64 codes sur 2, 64 sur 384, 1 024 sur 8 192"), tolerance=1e-3)

# %%
as_pixels = 64 * 64 * 3 * 8
as_codes = 64 * math.log2(384)
print(say("as pixels:", "en pixels :"), as_pixels, "bits")
print(say("as codes: ", "en codes :"), decimal(as_codes, 0), "bits")
print(say("divided by", "divisé par"), decimal(as_pixels / as_codes, 0))

# %% claims=true
assert as_pixels == 98304
assert round(as_codes) == 549
assert round(as_pixels / as_codes) == 179
assert 12288 / 64 == 192 > as_pixels / as_codes

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercices 1 et 2 · Le plus proche, et son prix
#
# **12 min.**
#
# - **1** ● `nearest_code` : sans boucle.
# - **2** ● `picture_bits` : 64 codes sur 384, combien de bits ?

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercises 1 and 2 · The nearest, and its price
#
# **12 min.**
#
# - **1** ● `nearest_code`: without a loop.
# - **2** ● `picture_bits`: 64 codes of 384, how many bits?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Fautes à guetter : l'argmax du produit (les codes longs gagnent) ; |c| au lieu de |c|² ; l'argmax d'une distance. Pour 2, faire
# dire : 64 fois 8,58 bits, soit 549. Demander pourquoi la division est par 179 et non par 192. (Un numéro sur 384 prend un peu plus de 8
# bits.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Mistakes to look for: the argmax of the product (long codes win); |c| in place of |c|²; the argmax of a distance. For 2, have them
# say: 64 times 8.58 bits, or 549. Ask why the size is divided by 179 and not by 192. (A number out of 384 takes a little more than 8 bits.)

# %% [markdown] lang="fr"
# De 98 304 bits à 549 : divisé par 179, un peu moins que 192, car un numéro sur 384 prend un peu plus de 8 bits. DALL·E 1 dit de même une
# image de 256 × 256 en 1 024 numéros sur 8 192, soit 13 312 bits ([](work:ramesh2021)).
#
# Le numéro n'a pas de sens par lui-même. Le code 17 n'est pas « entre » 16 et 18 : l'ordre de la liste est dû au hasard. C'est en cela
# qu'un code ressemble à un **mot**, et non à une mesure. (Un dictionnaire de codes n'est pas pour autant un découpage de texte : ses mots
# sont des vecteurs appris, et la machine en invente le sens.)

# %% [markdown] lang="en"
# From 98,304 bits to 549: divided by 179, a little less than 192, for a number out of 384 takes a little more than 8 bits. DALL·E 1
# likewise says a picture of 256 × 256 in 1,024 numbers out of 8,192, or 13,312 bits ([](work:ramesh2021)).
#
# The number means nothing by itself. Code 17 is not "between" 16 and 18: the order of the list is due to chance. In this a code is like a
# **word**, not like a measurement. (A codebook is no tokenizer of text for all that: its words are learned vectors, and the machine makes
# up what they mean.)
