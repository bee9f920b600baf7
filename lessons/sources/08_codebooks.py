# ---
# jupyter:
#   lesson:
#     number: "08"
#     hours: [2.5, 0.5, 2, 1.5]
#     session: 211
#     title: {en: "Codebooks: pictures become words", fr: "Les dictionnaires : des images en mots"}
# ---

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ceci est une image
#
# Soixante-quatre nombres, et rien d'autre. Combien d'objets ? où ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### This is a picture
#
# Sixty-four numbers, and nothing else. How many objects? Where?

# %% [markdown] lang="fr"
# Une image de 64 × 64 pixels tient en 12 288 nombres : $64 \times 64 \times 3$, pour trois couleurs. En voici une en **soixante-quatre**.
# Une machine de ce cours la repeindra, à partir de ces nombres et de rien d'autre.
#
# **Devinez d'abord.** Combien d'objets ? où sont-ils ? et que ne peut-on pas savoir ? Notez vos réponses : nous repeindrons l'image à la
# [](#sixty-four-words).

# %% [markdown] lang="en"
# A picture of 64 × 64 pixels is 12,288 numbers: $64 \times 64 \times 3$, for three colours. Here is one in **sixty-four**. A machine of
# this course will paint it again, from these numbers and nothing else.
#
# **Guess first.** How many objects are there? Where are they? And what cannot be known? Write down your answers: we shall paint the picture
# again in [](#sixty-four-words).

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
                    "one; the others are on the right, in rows two to seven.",
                    "Une grille de huit lignes de huit nombres, le plus souvent le "
                    "même ; les autres sont à droite, dans les lignes 2 à 7."))

# %% claims=true
assert secret.numel() == 64 * 64 * 3 == 12288
assert sixty_four.numel() == 64
assert int((sixty_four == sixty_four.flatten().mode().values).sum()) > 32
_rows, _columns = (sixty_four != sixty_four.flatten().mode().values).nonzero().T
assert sorted(set(_rows.tolist())) == [1, 2, 3, 4, 5, 6] and int(_columns.min()) == 4

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
# - copier un gradient, et à quel prix ;
# - écrire les deux pertes, placer bêta ;
# - faire suivre, ranimer des codes ;
# - compter les bits d'une image.
#
# **Il faut** les leçons 01, 04, 05 et 07.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - replace a vector by a number;
# - copy a gradient, and its price;
# - write both losses, and beta;
# - follow and revive codes;
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
# - copy a gradient across a choice, and say what this copy approximates;
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
from dalle_edu.bricks.transformer import Block
from dalle_edu.classroom.figures import BLACK, BLUE, COLOURS, ORANGE
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
# A painter with only three pots of paint takes, for each colour, the pot that is **nearest**. A **codebook** is that row of pots: a list of
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
# Code 1 wins both ways, but look at code 0: its product is zero, whatever $v$ is. Even for a vector that touches it, it would win only if
# the products of all others were negative. The product favours **long** codes. Something must be subtracted; expand the square:
#
# $$ |v - c|^2 = |v|^2 - 2 \, v \cdot c + |c|^2 $$
#
# The first term is the same for all codes: forget it. What is left is one product of matrices, for all vectors and all codes at once, and
# the squared lengths of the codes. (If all codes had the same length, the largest product would be the nearest: hence the habit, in some
# papers, of giving length 1 to all vectors and codes.)
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
        axes.contourf(line, line, inside, [0.5, 1.5], colors=[colour], alpha=0.22)
    axes.scatter(codes[:, 0], codes[:, 1], s=55, marker="s", color=BLACK, zorder=3)
    axes.set(xlim=(low, high), ylim=(low, high), xticks=[], yticks=[])
    axes.set_aspect("equal")


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
# sont des morceaux de médiatrices.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. On the board, the three codes and v = (2.5, 1): squared distances 7.25, 3.25 and 6.25. Then the products: 0, 10, 5.5. Ask where to
# put a vector so that the product is wrong. (Close to code 0.) Have the square expanded: which term is of no use? The borders are
# perpendicular bisectors.

# %% [markdown] lang="fr"
# Chaque bord est pris sur la médiatrice de deux codes : ses points sont à égale distance des deux.

# %% [markdown] lang="fr"
# À vous, sans boucle : `vectors` est de forme (…, d), `codebook` de forme (k, d) ; rendez les numéros, de forme (…). Les trois points
# tiennent lieu d'un nombre d'axes quelconque, même nul : un vecteur seul, une liste, une grille. À égalité, le plus petit numéro
# l'emporte : c'est ce que fait `argmin`.
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
# Each border lies on the perpendicular bisector of two codes: its points are equally far from both.

# %% [markdown] lang="en"
# Your turn, without a loop: `vectors` is of shape (…, d), `codebook` of shape (k, d); return the numbers, of shape (…). The three dots
# stand for any number of axes, even none: one vector, a list, a grid. Of equally near codes the smallest number wins: that is what `argmin`
# does.
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
print(say(f"as pixels: {as_pixels:,} bits",
          f"en pixels : {as_pixels:,} bits".replace(",", " ")))
print(say("as codes: ", "en codes :"), decimal(as_codes, 0), "bits")
print(say("divided by", "divisé par"), decimal(as_pixels / as_codes, 0))

# %% claims=true
assert as_pixels == 98304
assert round(as_codes) == 549
assert round(as_pixels / as_codes) == 179
assert 12288 / 64 == 192 > as_pixels / as_codes
assert round(math.log2(384), 1) == 8.6

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
# dire : 64 fois 8,58 bits, soit 549. Demander pourquoi la division est par 179 et non par 192. (Un numéro sur 384 prend plus de 8 bits.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Mistakes to look for: the argmax of the product (long codes win); |c| in place of |c|²; the argmax of a distance. For 2, have them
# say: 64 times 8.58 bits, or 549. Ask why the size is divided by 179 and not by 192. (A number out of 384 takes more than 8 bits.)

# %% [markdown] lang="fr"
# De 98 304 bits à 549 : divisé par 179, un peu moins que 192, car un numéro sur 384 prend 8,6 bits, et non 8. DALL·E 1 dit de même une
# image de 256 × 256 en 1 024 numéros sur 8 192, soit 13 312 bits ([](work:ramesh2021)).
#
# Le numéro n'a pas de sens par lui-même. Le code 17 n'est pas « entre » 16 et 18 : l'ordre de la liste est dû au hasard. C'est en cela
# qu'un code ressemble à un **mot**, et non à une mesure. (Un dictionnaire de codes n'est pas pour autant un découpage de texte : ses mots
# sont des vecteurs appris, et la machine en invente le sens.)

# %% [markdown] lang="en"
# From 98,304 bits to 549: divided by 179, a little less than 192, for a number out of 384 takes 8.6 bits, and not 8. DALL·E 1
# likewise says a picture of 256 × 256 in 1,024 numbers out of 8,192, or 13,312 bits ([](work:ramesh2021)).
#
# The number means nothing by itself. Code 17 is not "between" 16 and 18: the order of the list is due to chance. In this a code is like a
# **word**, not like a measurement. (A codebook is no tokenizer of text for all that: its words are learned vectors, and the machine makes
# up what they mean.)

# %% [markdown] lang="fr"
# ## 3. Les k-moyennes en dix lignes
#
# D'où viennent les codes ? D'une idée de 1957 ([](work:lloyd1982)), les **k-moyennes** (*k-means*), en deux gestes que l'on répète :
#
# 1. chaque point choisit le code le plus proche ;
# 2. chaque code va au **milieu** des points qui l'ont choisi.
#
# Sur une droite : les points 0, 1 et 8, les codes 1 et 3. Le point 0 et le point 1 choisissent le code 1, qui va en 0,5 ; le point 8
# choisit le code 3, qui va en 8. L'erreur est la moyenne des carrés des distances des points à leurs codes. Chaque geste la diminue, ou la
# laisse telle quelle : le premier choisit mieux, le second place mieux. **Devinez** : que fait un code qu'aucun point n'a choisi ?

# %% [markdown] lang="en"
# ## 3. Ten lines of k-means
#
# Where do codes come from? From an idea of 1957 ([](work:lloyd1982)), **k-means**: two moves, again and again.
#
# 1. Each point chooses the nearest code.
# 2. Each code goes to the **middle** of the points that chose it.
#
# On a line: the points 0, 1 and 8, the codes 1 and 3. Points 0 and 1 choose code 1, which goes to 0.5; point 8 chooses code 3, which goes
# to 8. The error is the mean squared distance of the points to their codes. Each move makes it smaller, or leaves it as it is: the first
# chooses better, the second places better. **Guess**: what does a code do that no point has chosen?

# %% [markdown] lang="fr"
# Il reste où il est : on ne peut pas prendre le milieu de rien.

# %% [markdown] lang="fr"
# Écrivez `k_means(points, codes, steps)` : `points` est de forme (m, d),
# `codes`, de forme (k, d), est le départ, à ne pas modifier ; rendez les codes, de même forme, après `steps` tours des deux gestes.
# Tous les points choisissent avant qu'un code ne bouge.
#
# <details><summary>Un indice</summary>
#
# `codes = codes.clone()`, puis une boucle de `steps` tours ; dans chacun, `numbers = nearest_code(points, codes)`, de forme (m,).
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `points[numbers == number]` sont les points du code `number` ; s'il y en a, leur `.mean(dim=0)` est sa nouvelle place.
#
# </details>

# %% [markdown] lang="en"
# It stays where it is: there is no middle of nothing.

# %% [markdown] lang="en"
# Write `k_means(points, codes, steps)`: `points` is of shape (m, d), `codes`, of shape
# (k, d), is the start, not to be modified; return the codes, of the same shape, after `steps` rounds of the two moves. All
# points choose before any code moves.
#
# <details><summary>A hint</summary>
#
# `codes = codes.clone()`, then a loop of `steps` rounds; in each, `numbers = nearest_code(points, codes)`, of shape (m,).
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `points[numbers == number]` are the points of code `number`; if there are any, their `.mean(dim=0)` is its new place.
#
# </details>

# %% level=2
def k_means(points, codes, steps):
    codes = codes.clone()
    for _ in range(steps):
        numbers = nearest_code(points, codes)
        for number in range(len(codes)):
            chosen = points[numbers == number]
            if len(chosen) > 0:
                codes[number] = chosen.mean(dim=0)
    return codes

# %% scratch=true
k_means(torch.tensor([[0.0], [1.0], [8.0]]), torch.tensor([[1.0], [3.0]]), 1)
# → tensor([[0.5000], [8.0000]])

# %%
def rounds_of_k_means():
    points = torch.tensor([[7.0, 3], [6, 1], [2, 1], [9, 4], [1, 1]])
    codes = torch.tensor([[7.0, 1], [8, 0], [50, 50]])
    after = [k_means(points, codes, steps) for steps in (1, 2, 5)]
    return torch.stack([codes, *after])


expect(rounds_of_k_means, torch.tensor([[[7.0, 1], [8, 0], [50, 50]],
                                        [[5.0, 2], [8, 0], [50, 50]],
                                        [[4.0, 1.5], [9, 4], [50, 50]],
                                        [[3.0, 1], [8, 3.5], [50, 50]]]),
       say("the start, which is left as it is, then 1, 2 and 5 rounds",
           "le départ, laissé tel quel, puis 1, 2 et 5 tours"))

# %% [markdown] lang="fr"
# Plus loin, il y aura des milliers de points et des centaines de codes. Voici la même chose sans boucle sur les codes : `bincount` compte
# les points de chaque code, `index_add_` fait leur somme, et `torch.where` laisse en place les codes sans point.

# %% [markdown] lang="en"
# Later there will be thousands of points and hundreds of codes. Here is the same without a loop over codes: `bincount` counts the points of
# each code, `index_add_` sums them, and `torch.where` leaves codes without a point where they are.

# %%
def fast_k_means(points, codes, steps):
    for _ in range(steps):
        numbers = nearest_code(points, codes)
        counts = torch.bincount(numbers, minlength=len(codes)).unsqueeze(1)
        sums = torch.zeros_like(codes).index_add_(0, numbers, points)
        codes = torch.where(counts > 0, sums / counts.clamp(min=1), codes)
    return codes


def error_of(points, codes):
    # en: the mean squared distance to the nearest code
    # fr: la distance au carré, en moyenne, au code le plus proche
    away = codes[nearest_code(points, codes)] - points
    return away.square().sum(dim=1).mean().item()


# %%
generator = torch.Generator().manual_seed(0)
heaps = torch.tensor([[-1.5, -1.0], [3.5, -1.2], [1.2, 3.0]])
cloud = torch.cat([heap + 0.7 * torch.randn(60, 2, generator=generator)
                   for heap in heaps])
start = torch.tensor([[-1.0, 4.5], [0.5, 4.0], [1.8, 4.8], [3.0, 4.2], [4.4, 4.8],
                      [5.2, 3.6]])
film = {rounds: fast_k_means(cloud, start, rounds) for rounds in (0, 1, 2, 10)}
for rounds, codes in film.items():
    print(say(f"rounds: {rounds:2}  error:", f"tours : {rounds:2}  erreur :"),
          decimal(error_of(cloud, codes), 2))

# %% claims=true
errors = [error_of(cloud, codes) for codes in film.values()]
assert errors == sorted(errors, reverse=True)
assert errors[-1] < errors[0] / 10
rounds_in_a_row = [error_of(cloud, fast_k_means(cloud, start, each)) for each in range(12)]
assert rounds_in_a_row == sorted(rounds_in_a_row, reverse=True)
assert len(nearest_code(cloud, film[10]).unique()) == 5
assert torch.equal(film[10][4], start[4])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Choisir, se placer, recommencer
#
# Les k-moyennes : chaque point choisit, chaque code va au milieu des siens.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Choose, move, again
#
# K-means: each point chooses, each code goes to the middle of its own.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 4, width=10, height=2.9)
for panel, (rounds, codes) in zip(panels, film.items()):
    draw_cells(panel, codes)
    panel.scatter(cloud[:, 0], cloud[:, 1], s=5, color="dimgray", zorder=2)
    title = say("start", "départ") if rounds == 0 else say(
        f"round {rounds}", f"tour {rounds}")
    panel.set_title(title, fontsize=14)
picture(figure, say("Six codes start in a row at the top; round after round five "
                    "of them move onto three heaps of points, one stays.",
                    "Six codes partent en ligne en haut ; tour après tour, cinq "
                    "d'entre eux vont sur trois tas de points, un reste."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Avec des gommettes : la classe place douze points au tableau, trois codes en couleur ; chacun colle la gommette du code le plus
# proche, puis l'on déplace les codes. Trois tours suffisent. Demander pourquoi l'erreur ne monte jamais. (Chaque geste choisit le mieux, à
# l'autre donné.) Et le code sans point ?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. With stickers: the class puts twelve points on the board, three codes in colour; each student sticks the colour of the nearest
# code, then the codes are moved. Three rounds are enough. Ask why the error never rises. (Each move does best, given the other.) And the
# code without a point?

# %% [markdown] lang="fr"
# L'erreur ne monte jamais ; elle est divisée ici par plus de dix. Mais le résultat dépend du départ : des six codes, un est resté dans son
# coin, en haut à droite, sans un seul point. Cinq servent.

# %% [markdown] lang="en"
# The error never rises; here it is divided by more than ten. But the outcome depends on the start: one of the six codes has stayed in its
# corner, at the top on the right, without a single point. Five are of use.

# %% [markdown] lang="fr"
# ## 4. Un codec sans réseau
#
# Une image n'est pas un nuage de points du plan, mais ses **carreaux** en sont un, dans un espace plus grand. Coupons une image de 64 × 64
# en 8 × 8 carreaux de 8 × 8 pixels : chacun est un vecteur de $8 \times 8 \times 3 = 192$ nombres. Un dictionnaire de carreaux, et l'image
# se dit en 64 numéros. C'est un **codec** : il code, puis décode.

# %% [markdown] lang="en"
# ## 4. A codec without a network
#
# A picture is no cloud of points in the plane, but its **patches** are one, in a larger space. Cut a picture of 64 × 64 into 8 × 8 patches
# of 8 × 8 pixels: each is a vector of $8 \times 8 \times 3 = 192$ numbers. With a codebook of patches the picture is said in 64 numbers.
# This is a **codec**: it codes, then decodes.

# %% tags=["hide-input"]
from dalle_edu.world import SHAPES

# en: four of the eight shapes and colours of our world, to learn faster
# fr: quatre des huit formes et couleurs de notre monde, pour apprendre plus vite
shape_names = ("circle", "square", "star", "heart")
colour_names = ("red", "green", "blue", "yellow")
four = replace(
    SHAPES,
    shapes=tuple(map(SHAPES.shape, shape_names)),
    colours=tuple(each for each in SHAPES.colours if each.name in colour_names),
)


# %% tags=["hide-input"]
def scenes(seed, count):
    chosen = [sample_scene(seed, i, "all", catalogue=four) for i in range(count)]
    return render(chosen, 64, catalogue=four)


images, exam = scenes(0, 1000), scenes(100, 200)


# %% tags=["hide-input"]
def show(panel, image, title=""):
    panel.imshow((image.detach().permute(1, 2, 0) / 2 + 0.5).clamp(0, 1))
    panel.set(xticks=[], yticks=[])
    panel.set_title(title, fontsize=14)
    panel.spines[:].set(visible=True, color="silver")


# %%
def cut(pictures):
    # en: each patch of 8 × 8 × 3 becomes a row of 192 numbers
    # fr: chaque carreau de 8 × 8 × 3 devient une ligne de 192 nombres
    return rearrange(pictures, "n c (h p) (w q) -> n h w (c p q)", p=8, q=8)


patches = cut(images[:200]).flatten(0, 2)
white = (patches > 0.9999).all(dim=1).float().mean().item()
count, length = patches.shape
print(say(f"{count:,} patches of {length} numbers",
          f"{count:,} carreaux de {length} nombres".replace(",", " ")))
print(say("white paper:", "papier blanc :"), decimal(100 * white, 0), "%")

# %% claims=true
assert patches.shape == (12800, 192)
assert 0.6 < white < 0.8

# %% [markdown] lang="fr"
# `rearrange`, de la bibliothèque einops, lit les axes par leurs noms : `(h p)` veut dire que l'axe des lignes est fait de h carreaux de p
# pixels, et `(c p q)` aligne couleurs, lignes et colonnes d'un carreau en un seul vecteur.
#
# Sept carreaux sur dix sont du papier blanc ! **Devinez** : si l'on choisit 128 codes de départ au hasard parmi ces carreaux, combien
# serviront ?

# %% [markdown] lang="en"
# `rearrange`, from the library einops, reads axes by their names: `(h p)` says that the axis of rows is made of h patches of p pixels, and
# `(c p q)` lines up the colours, rows and columns of a patch as a single vector.
#
# Seven patches in ten are white paper! **Guess**: if 128 codes are chosen to start with at random among these patches, how many will be of
# use?

# %%
generator = torch.Generator().manual_seed(0)
exam_patches = cut(exam).flatten(0, 2)
different = torch.unique(patches, dim=0)
for name, pool in ((say("any patches", "carreaux quelconques"), patches),
                   (say("different patches", "carreaux différents"), different)):
    chosen = torch.randperm(len(pool), generator=generator)[:128]
    codebook = fast_k_means(patches, pool[chosen], 10)
    used = len(nearest_code(exam_patches, codebook).unique())
    print(f"{name:20}", say("codes of use:", "codes qui servent :"), f"{used:3} / 128")
    if pool is patches:
        used_of_any = used

# %% claims=true
assert used_of_any < 64
assert used > 115

# %% [markdown] lang="fr"
# Moins de la moitié : les codes partis du même carreau blanc sont au même endroit, le premier prend tout, les autres n'ont personne. Partir
# de carreaux **différents** les garde en vie. Retenez ce mal : il reviendra, en plus grave, à la [](#codes-that-die).

# %% [markdown] lang="fr"
# À vous de repeindre. `numbers` est de forme (n, h, w), `codebook` de forme (k, 3 × `patch_size`²), chaque ligne dans l'ordre `(c p q)` de
# `cut`. Rendez les images, de forme (n, 3, h × `patch_size`, w × `patch_size`).
#
# <details><summary>Un indice</summary>
#
# `codebook[numbers]`, de forme (n, h, w, 3 × `patch_size`²), met à chaque place la ligne de son numéro.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# C'est le `rearrange` de `cut`, lu à l'envers ; donnez-lui `c=3` et `p=patch_size, q=patch_size` pour qu'il sache couper.
#
# </details>

# %% [markdown] lang="en"
# Less than half: codes that started from the same white patch are in the same place, the first takes all, the others have nobody. Starting
# from **different** patches keeps them alive. Remember this trouble: it comes back, and worse, in [](#codes-that-die).

# %% [markdown] lang="en"
# Your turn to paint. `numbers` is of shape (n, h, w), `codebook` of shape (k, 3 × `patch_size`²), each row in the order `(c p q)` of `cut`.
# Return the pictures, of shape (n, 3, h × `patch_size`, w × `patch_size`).
#
# <details><summary>A hint</summary>
#
# `codebook[numbers]`, of shape (n, h, w, 3 × `patch_size`²), puts in each place the row of its number.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# It is the `rearrange` of `cut`, read backwards; give it `c=3` and `p=patch_size, q=patch_size`, so that it knows how to cut.
#
# </details>

# %% level=2
def paint(numbers, codebook, patch_size):
    return rearrange(codebook[numbers], "n h w (c p q) -> n c (h p) (w q)",
                     c=3, p=patch_size, q=patch_size)

# %% scratch=true
reds_and_greens = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
paint(torch.tensor([[[0, 1]]]), reds_and_greens, 1).flatten(2)
# → tensor([[[1., 0.], [0., 1.], [0., 0.]]])

# %%
def painted_again():
    numbers = torch.arange(3 * 64).view(3, 8, 8)
    return paint(numbers, cut(images[:3]).flatten(0, 2), 8)


expect(painted_again, images[:3],
       say("three scenes, each patch a code of its own",
           "trois scènes, dont chaque carreau est un code à lui seul"))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 3-4"
# ### Exercices 3 et 4 · Un codec en dix lignes
#
# **18 min.**
#
# - **3** ●● `k_means` : choisir, se placer, recommencer.
# - **4** ●● `paint` : des numéros aux pixels.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 3-4"
# ### Exercises 3 and 4 · A codec in ten lines
#
# **18 min.**
#
# - **3** ●● `k_means`: choose, move, again.
# - **4** ●● `paint`: from numbers to pixels.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 18 min. Fautes à guetter en 3 : modifier le départ ; la moyenne d'un code sans point (nan) ; déplacer les codes pendant que les points
# choisissent. En 4 : l'ordre des axes dans `rearrange`. Demander combien de nombres a un code de carreau. (192.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 18 min. Mistakes to look for in 3: modifying the start; the mean of a code without a point (nan); moving codes while points are still
# choosing. In 4: the order of axes in `rearrange`. Ask how many numbers a code of a patch has. (192.)

# %% [markdown] lang="fr"
# ### Un bouton : la taille du dictionnaire
#
# Un bouton, une image. Nous apprenons cinq dictionnaires de carreaux sur 200 scènes, de 2 à 512 codes, et mesurons l'erreur au carré, en
# moyenne par nombre, sur ces scènes et sur 200 autres, jamais vues. À chaque cran, un code prend deux bits de plus. **Devinez** : l'erreur
# tombe-t-elle à chaque cran ? et les deux courbes se quittent-elles ?

# %% [markdown] lang="en"
# ### One knob: the size of the codebook
#
# One knob, one picture. We learn five codebooks of patches on 200 scenes, from 2 to 512 codes, and measure the squared error, as a mean per
# number, on these scenes and on 200 others never seen. With each notch a code takes two bits more. **Guess**: does the error fall at each
# notch? and do the two curves part?

# %%
sizes = [2, 8, 32, 128, 512]


def turn_the_knob():
    generator = torch.Generator().manual_seed(0)
    books, errors = [], []
    for size in sizes:
        chosen = torch.randperm(len(different), generator=generator)[:size]
        books.append(fast_k_means(patches, different[chosen], 10))
        both = [error_of(each, books[-1]) / 192 for each in (patches, exam_patches)]
        errors.append(both)
    return {"books": books, "errors": errors}


# %%
from dalle_edu.classroom.desk import kept

# en: what took long is kept on disk: after a restart it is read again
# fr: ce qui a pris du temps est gardé sur disque : après un redémarrage, on le relit
knob = kept("sizes", turn_the_knob, patience=5)
print(say("codes  bits a picture  seen    unseen", "codes  bits par image  vues    jamais vues"))
for size, (seen, unseen) in zip(sizes, knob["errors"]):
    bits = decimal(64 * math.log2(size), 0)
    print(f"{size:5} {bits:>15}  {decimal(seen, 4)}  {decimal(unseen, 4)}")

# %% claims=true
seen, unseen = zip(*knob["errors"])
assert list(seen) == sorted(seen, reverse=True)
assert list(unseen) == sorted(unseen, reverse=True)
assert all(later < 0.65 * former for former, later in zip(seen, seen[1:]))
assert unseen[1] < 1.1 * seen[1] and unseen[2] < 1.1 * seen[2]
assert unseen[3] > 1.1 * seen[3]
assert unseen[-1] > 1.4 * seen[-1]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un bouton : la taille du dictionnaire
#
# Deux bits de plus à chaque cran : que gagne-t-on ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### One knob: the size of the codebook
#
# Two bits more at each notch: what is gained?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.6, height=3.4)
for row, colour, label in (
        (0, BLUE, say("scenes it learned from", "scènes apprises")),
        (1, VERMILION, say("scenes never seen", "scènes jamais vues"))):
    axes.plot(range(5), [both[row] for both in knob["errors"]], "o-",
              color=colour, label=label)
axes.set(yscale="log", xlabel=say("codes in the codebook", "codes du dictionnaire"),
         ylabel=say("squared error", "erreur au carré"))
axes.set_xticks(range(5), [str(size) for size in sizes])
axes.set_yticks([0.01, 0.02, 0.05, 0.1], ["0.01", "0.02", "0.05", "0.1"])
axes.minorticks_off()
legend(axes)
picture(figure, say("The error falls at each notch; on scenes never seen it falls "
                    "less, and the two curves part from 128 codes on.",
                    "L'erreur tombe à chaque cran ; sur des scènes jamais vues elle "
                    "tombe moins, et les courbes se quittent dès 128 codes."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire lire l'échelle, logarithmique : à chaque cran, deux bits de plus par code, et l'erreur tombe d'un tiers au moins. Demander
# pourquoi les courbes se quittent. (Avec 512 codes pour quelques milliers de carreaux différents, le dictionnaire apprend des carreaux par
# cœur.) Plus de codes n'aide donc pas toujours.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have them read the scale, which is logarithmic: at each notch two bits more per code, and the error falls by a third at least. Ask
# why the curves part. (With 512 codes for a few thousand different patches, the codebook learns patches by heart.) So more codes do not
# always help.

# %% [markdown] lang="fr"
# **Ce que dit le bouton.** Deux bits de plus par code, et l'erreur sur les scènes apprises tombe chaque fois d'un tiers au moins. Sur des
# scènes jamais vues elle tombe aussi, mais de moins en moins : à 512 codes, elle dépasse l'autre de plus de 40 %. Le dictionnaire commence
# à apprendre des carreaux par cœur. Choisir $k$, c'est choisir un point de cette courbe.

# %% [markdown] lang="en"
# **What the knob says.** Two bits more per code, and the error on the scenes it learned from falls by a third at least each time. On scenes
# never seen it falls too, but less and less: at 512 codes it exceeds the other by more than 40 %. The codebook begins to learn patches by
# heart. To choose $k$ is to choose a point on this curve.

# %% tags=["hide-input"]
def draw_pairs(rows, alt, chosen=(1, 2, 3, 4, 6)):
    # en: a row of scenes of the exam for each name
    # fr: une ligne de scènes de l'examen pour chaque nom
    figure, panels = plot(len(rows), len(chosen), width=7.8, height=1.6 * len(rows))
    for panels_of_row, (name, pictures) in zip(panels, rows.items()):
        for panel, number in zip(panels_of_row, chosen):
            show(panel, pictures[number])
        panels_of_row[0].set_ylabel(name, fontsize=15)
    return picture(figure, alt)


# %% [markdown] lang="fr"
# Voyons. La même scène, dite avec 32, puis 512 carreaux :

# %% [markdown] lang="en"
# Let us see. The same scenes, said with 32 patches, then with 512:

# %% tags=["hide-input"]
def laid(codebook):
    numbers = nearest_code(cut(exam[:8]), codebook)
    return rearrange(codebook[numbers], "n h w (c p q) -> n c (h p) (w q)",
                     c=3, p=8, q=8)


draw_pairs({say("scene", "scène"): exam, "32 codes": laid(knob["books"][2]),
            "512 codes": laid(knob["books"][4])},
           say("Scenes laid with 32 patches are rough mosaics; with 512 they are "
               "nearly right, with broken edges.",
               "Des scènes posées avec 32 carreaux sont des mosaïques grossières ; "
               "avec 512, elles sont presque justes, aux bords brisés."))

# %% [markdown] lang="fr"
# Une mosaïque : à 32 codes, des à-peu-près ; à 512, les formes y sont, aux bords brisés. C'est la limite d'un codec qui compare des pixels
# et pose chaque carreau sans regarder les voisins. Remplaçons les carreaux par les vecteurs d'un **encodeur**, et la pose par un
# **décodeur**, qui apprennent tous deux. C'est l'auto-encodeur de la [](lesson:07), avec un dictionnaire au milieu. Un obstacle se dresse
# aussitôt.

# %% [markdown] lang="en"
# A mosaic: at 32 codes, rough guesses; at 512 the shapes are there, with broken edges. This is the limit of a codec that compares pixels
# and lays each patch without looking at its neighbours. Let us replace patches by the vectors of an **encoder**, and laying by a
# **decoder**, both of which learn. It is the autoencoder of [](lesson:07) with a codebook in the middle. An obstacle arises at once.

# %% [markdown] lang="fr"
# ## 5. Un choix n'a pas de pente
#
# Le décodeur peint à partir des codes ; la perte compare sa peinture à l'image ; le gradient redescend par le décodeur jusqu'au code. Puis
# il doit remonter à l'encodeur, à travers le **choix**. Or poussez un peu le vecteur : son code ne change pas. Poussez-le encore, il franchit
# un bord, et le code saute. Une marche d'escalier : la pente est nulle partout, et n'existe pas aux bords. L'encodeur n'apprend rien.
#
# Déplacez le vecteur. **Devinez d'abord** : combien de fois son code change-t-il en chemin ? Et l'une des deux pentes affichées
# change-t-elle ?

# %% [markdown] lang="en"
# ## 5. A choice has no slope
#
# The decoder paints from codes; the loss compares its painting with the picture; the gradient comes down through the decoder to the code.
# Then it has to go up to the encoder, across the **choice**. But push the vector a little: its code does not change. Push on: it crosses a
# border, and the code jumps. A staircase: the slope is zero everywhere but at the borders, where there is none. The encoder learns nothing.
#
# Move the vector. **Guess first**: how many times does its code change on the way? And does either of the two slopes shown change?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Un choix n'a pas de pente
#
# Le code saute aux bords, et reste immobile entre eux.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. A choice has no slope
#
# The code jumps at borders, and does not move between them.

# %% slide="fragment" tags=["output-only-slide"]
from dalle_edu.classroom.widgets.border_crosser import border_explorer

five_codes = [[0.0, 0.3], [2.0, 2.4], [3.4, 0.0], [5.4, 2.6], [7.0, 0.2]]
five_codes = torch.tensor(five_codes)
way_in, way_out = torch.tensor([0.2, 1.0]), torch.tensor([6.8, 1.4])
border_explorer(five_codes, way_in, way_out, steps=13)

# %% claims=true
from dalle_edu.classroom.widgets.border_crosser import slopes_at

_start, _end = torch.tensor([0.2, 1.0]), torch.tensor([6.8, 1.4])
_parts = torch.linspace(0, 1, 1001)[:, None]
_codes = nearest_code(_start + _parts * (_end - _start), five_codes)
assert int((_codes[1:] != _codes[:-1]).sum()) == 4
_way = (_end - _start) / (_end - _start).norm()
for _part in (0.0, 0.13, 0.37, 0.61, 0.99):
    _true, _passed = slopes_at(_start + _part * (_end - _start), five_codes, _way)
    assert _true == 0 and abs(_passed - 1) < 1e-5

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Déplacer le curseur lentement ; la classe dit « saut » à chaque bord (quatre fois). Demander la pente vraie entre deux bords.
# (Zéro.) Puis : que ferait un encodeur dont tous les gradients sont nuls ? (Rien.) Montrer la seconde pente, qui vaut toujours 1 : c'est un
# mensonge utile, dont la section 6 dira le prix.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Move the slider slowly; the class says "jump" at each border (four times). Ask for the true slope between two borders. (Zero.) Then:
# what would an encoder do all of whose gradients are zero? (Nothing.) Show the second slope, which is always 1: it is a useful lie, whose
# price section 6 will tell.

# %% [markdown] lang="fr"
# Le code change quatre fois ; la pente vraie est 0 partout ailleurs. L'autre vaut 1 partout : c'est un mensonge, et il est utile. Le
# **passage direct** (*straight-through*, [](work:bengio2013)) rend le code à l'aller et, au retour, fait comme si l'on n'avait rien remplacé :
# le gradient qui arrive au code est recopié, tel quel, au vecteur. Il tient en une ligne :
#
# $$ v + \mathrm{sg}[\, c - v \,] $$
#
# $\mathrm{sg}$ (*stop gradient*), c'est `.detach()` en PyTorch : la valeur passe, le gradient non. À l'aller, $v + (c - v) = c$. Au retour,
# le crochet compte pour une constante, et il reste $v$ : pente 1 vers le vecteur, aucune vers le code. Pour $v = 0{,}5$ et $c = 1$, la
# valeur est 1 ; si la perte est le carré de la sortie, son gradient au code est $2 \times 1 = 2$. **Devinez** celui que reçoit $v$.

# %% [markdown] lang="en"
# The code changes four times; the true slope is 0 everywhere else. The other one is 1 everywhere: it is a lie, and a useful one. The
# **straight-through estimator** ([](work:bengio2013)) gives the code on the way forward and, on the way back, acts as if nothing had been
# replaced: the gradient that arrives at the code is copied to the vector as it is. It is one line:
#
# $$ v + \mathrm{sg}[\, c - v \,] $$
#
# $\mathrm{sg}$ (stop gradient) is `.detach()` in PyTorch: the value goes through, the gradient does not. On the way forward
# $v + (c - v) = c$. On the way back the bracket counts as a constant, and $v$ is left: slope 1 towards the vector, none towards the code.
# For $v = 0.5$ and $c = 1$ the value is 1; if the loss is the square of the output, its gradient at the code is $2 \times 1 = 2$. **Guess**
# which one $v$ receives.

# %%
vector = torch.tensor(0.5, requires_grad=True)
code = torch.tensor(1.0, requires_grad=True)
output = vector + (code - vector).detach()
output.square().backward()
print(say("value:", "valeur :"), decimal(output.item(), 1))
print(say("gradient of the vector:", "gradient du vecteur :"), decimal(vector.grad, 1))
print(say("gradient of the code:", "gradient du code :"),
      say("none", "aucun") if code.grad is None else decimal(code.grad, 1))

# %% claims=true
assert output.item() == 1 and vector.grad == 2 and code.grad is None

# %% [markdown] lang="fr"
# Le vecteur reçoit 2, le gradient du code. Calculé à la place du vecteur, le gradient serait $2 \times 0{,}5 = 1$ ; à travers le choix, 0.
# Le code, lui, ne reçoit rien : il aura sa propre perte ([](#two-losses)).

# %% [markdown] lang="fr"
# Écrivez-le. `vectors` et `quantized` (les codes choisis) ont la même forme, (…, d) ; rendez la valeur de `quantized`, avec le gradient de
# `vectors`.
#
# <details><summary>Un indice</summary>
#
# Une ligne. Ce qui est dans le crochet est la différence, détachée.
#
# </details>

# %% [markdown] lang="en"
# The vector receives 2, the gradient of the code; at its own place it would have been $2 \times 0.5 = 1$, and across the choice, 0. The code
# receives nothing: it will have a loss of its own ([](#two-losses)).

# %% [markdown] lang="en"
# Write it. `vectors` and `quantized` (the chosen codes) have the same shape, (…, d); return the value of `quantized`, with the gradient of
# `vectors`.
#
# <details><summary>A hint</summary>
#
# One line. What is in the bracket is the difference, detached.
#
# </details>

# %% implements="codebook:straight_through" level=1
"""Le passage direct : les codes, avec le gradient des vecteurs.

La valeur est celle de `quantized`. Le gradient qui y arrive continue, inchangé,
vers `vectors`, et aucun ne va à `quantized` (Bengio et al. 2013).
"""

# %% scratch=true
straight_through(torch.tensor([0.5, -1.0]), torch.tensor([1.0, 0.0]))
# → tensor([1., 0.])

# %% [markdown] lang="fr"
# ## 6. Ce que coûte la copie
#
# La copie n'est pas exacte. De quoi est-elle l'approximation ? Pas de la pente à travers un choix, qui est nulle. Mais un encodeur n'a pas
# un vecteur, il en a des milliers, un peu différents : quand il change, certains franchissent un bord. La perte **moyenne** d'un nuage de
# vecteurs, elle, a une pente.
#
# Sur une droite, des codes tous les `spacing`, et une perte $L$ du code. Un nuage uniforme, large d'un intervalle, est centré en $v$, entre
# les codes $a$ et $b$ : une part $p = (v - a) / (b - a)$ du nuage est passée du côté de $b$. Sa perte moyenne est donc
# $(1 - p) \, L(a) + p \, L(b)$, dont la pente est celle de la **corde** ; la copie donne, en moyenne, un mélange de deux **tangentes** :
#
# $$ \underbrace{\frac{L(b) - L(a)}{b - a}}_{\text{la vérité}} \qquad\qquad \underbrace{(1 - p) \, L'(a) + p \, L'(b)}_{\text{le passage direct}} $$
#
# Exemple : $L(c) = c^3$, $v = 0{,}75$, un code tous les 1. La corde de 0 à 1 a la pente 1. Les tangentes sont 0 et 3, et
# $0{,}25 \times 0 + 0{,}75 \times 3 = 2{,}25$. La copie a le bon signe, et plus du double. **Devinez** : que deviennent les deux nombres
# avec un code tous les 0,5 ?

# %% [markdown] lang="en"
# ## 6. What the copy costs
#
# The copy is not exact. What does it approximate? Not the slope across a choice, which is zero. But an encoder does not have one vector, it
# has thousands, a little different: when it changes, some of them cross a border. The **mean** loss of a cloud of vectors does have a slope.
#
# On a line, codes every `spacing`, and a loss $L$ of the code. A uniform cloud, one interval wide, is centred at $v$, between codes $a$ and
# $b$: a share $p = (v - a) / (b - a)$ of the cloud has passed to the side of $b$. So its mean loss is $(1 - p) \, L(a) + p \, L(b)$, whose
# slope is that of the **chord**; the copy gives, on average, a mixture of two **tangents**:
#
# $$ \underbrace{\frac{L(b) - L(a)}{b - a}}_{\text{the truth}} \qquad\qquad \underbrace{(1 - p) \, L'(a) + p \, L'(b)}_{\text{straight-through}} $$
#
# An example: $L(c) = c^3$, $v = 0.75$, a code every 1. The chord from 0 to 1 has slope 1. The tangents are 0 and 3, and
# $0.25 \times 0 + 0.75 \times 3 = 2.25$. The copy has the right sign, and more than twice the size. **Guess**: what do the two numbers
# become with a code every 0.5?

# %% [markdown] lang="fr"
# Écrivez `two_slopes(loss, v, spacing)` : `loss` est une fonction d'un tenseur, nombre par nombre ; `v` est de forme (m,). Rendez deux
# tenseurs de forme (m,) : la pente de la corde, et le mélange des deux tangentes.
#
# <details><summary>Un indice</summary>
#
# `a = (v / spacing).floor() * spacing`, `b = a + spacing`, et la part est `(v - a) / spacing`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Les tangentes viennent d'autograd : `a.requires_grad_()`, puis `torch.autograd.grad(loss(a).sum(), a)[0]` ; de même pour `b`, que
# `(a + spacing).detach()` coupe du calcul de `a`.
#
# </details>

# %% [markdown] lang="en"
# Write `two_slopes(loss, v, spacing)`: `loss` is a function of a tensor, number by number; `v` is of shape (m,). Return two tensors of shape
# (m,): the slope of the chord, and the mixture of the two tangents.
#
# <details><summary>A hint</summary>
#
# `a = (v / spacing).floor() * spacing`, `b = a + spacing`, and the share is `(v - a) / spacing`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The tangents come from autograd: `a.requires_grad_()`, then `torch.autograd.grad(loss(a).sum(), a)[0]`; likewise for `b`, which
# `(a + spacing).detach()` cuts off from the computation of `a`.
#
# </details>

# %% level=2
def two_slopes(loss, v, spacing):
    a = (v / spacing).floor() * spacing
    b = a + spacing
    share = (v - a) / spacing
    chord = (loss(b) - loss(a)) / spacing
    a.requires_grad_()
    b = b.detach().requires_grad_()
    tangent_a = torch.autograd.grad(loss(a).sum(), a)[0]
    tangent_b = torch.autograd.grad(loss(b).sum(), b)[0]
    return chord, (1 - share) * tangent_a + share * tangent_b

# %% scratch=true
two_slopes(lambda c: c**3, torch.tensor([0.75]), 1.0)
# → (tensor([1.]), tensor([2.2500]))

# %%
def cubes_and_squares():
    half = two_slopes(lambda c: c**3, torch.tensor([0.75, 0.1, -0.2]), 0.5)
    square = two_slopes(lambda c: c**2, torch.tensor([0.25, 0.5, 1.5]), 1.0)
    return torch.stack([*half, *square])


expect(cubes_and_squares, torch.tensor([[1.75, 0.25, 0.25], [1.875, 0.15, 0.3],
                                        [1.0, 1.0, 3.0], [0.5, 1.0, 3.0]]),
       say("chord and tangents of c³, a code every 0.5, then of c², one every 1",
           "corde et tangentes de c³, un code tous les 0,5, puis de c², tous les 1"))

# %% [markdown] lang="fr"
# À 0,5, les deux nombres sont 1,75 et 1,875 : presque égaux. Et pour un carré, la copie est exacte au bord, à mi-chemin des deux codes.
# Prenons une perte qui ondule, et mesurons : à combien de places la copie pousse-t-elle **du mauvais côté** ?

# %% [markdown] lang="en"
# At 0.5 the two numbers are 1.75 and 1.875: nearly equal. And for a square the copy is exact at the border, halfway between the two codes.
# Let us take a loss that waves, and measure: at how many places does the copy push **the wrong way**?

# %% tags=["hide-input"]
def wavy(c):
    return torch.sin(2.2 * c) + 0.3 * c


def slopes_of_wave(spacing):
    a = (line / spacing).floor() * spacing
    share = (line - a) / spacing
    truth = (wavy(a + spacing) - wavy(a)) / spacing
    tangents = [2.2 * torch.cos(2.2 * c) + 0.3 for c in (a, a + spacing)]
    return truth, (1 - share) * tangents[0] + share * tangents[1]


# %%
line = torch.linspace(0, 6, 1201)[:-1]
wrong = {}
for spacing in (1.5, 1.0, 0.5, 0.25):
    truth, passed_on = slopes_of_wave(spacing)
    wrong[spacing] = ((truth * passed_on) < 0).float().mean().item()
    print(say("a code every", "un code tous les"),
          decimal(spacing, 2) + say(":", " :"),
          decimal(100 * wrong[spacing], 0), "%",
          say("of places pushed the wrong way", "des places du mauvais côté"))

# %% claims=true
shares_wrong = list(wrong.values())
assert shares_wrong == sorted(shares_wrong, reverse=True)
assert 0.4 < wrong[1.5] < 0.5 and wrong[0.25] < 0.06
# the formulas are means over the cloud, as a million vectors say too
_v = 0.8 + (torch.rand(1_000_000, generator=torch.Generator().manual_seed(0)) - 0.5)
_codes = _v.round()
_tangents = (2.2 * torch.cos(2.2 * _codes) + 0.3).mean()
_nudged = wavy((_v + 0.02).round()).mean() - wavy((_v - 0.02).round()).mean()
_at = slopes_of_wave(1.0)
assert abs(_tangents - _at[1][160]) < 0.01
assert abs(_nudged / 0.04 - _at[0][160]) < 0.05

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. La copie est bonne entre codes serrés
#
# Vraie pente : une corde. Copie : des tangentes.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. The copy is good between codes close together
#
# True slope: a chord. Copy: tangents.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=9, height=3.3)
for panel, spacing in zip(panels, (1.5, 0.25)):
    truth, passed_on = slopes_of_wave(spacing)
    panel.plot(line, truth, color=BLUE, label=say("true", "vraie"))
    panel.plot(line, passed_on, "--", color=VERMILION,
               label=say("straight-through", "passage direct"))
    panel.axhline(0, color="silver", linewidth=0.8, zorder=0)
    panel.set_title(say(f"a code every {spacing}", f"un code tous les {spacing}"))
    panel.set(xlabel=say("place of the vectors", "place des vecteurs"), ylim=(-3.2, 4.4))
panels[0].set_ylabel(say("slope of the mean loss", "pente de la perte moyenne"))
legend(panels[0], loc="upper left", ncols=2)
picture(figure, say("With codes far apart the slope passed on is often of the wrong "
                    "sign; with dense codes it follows the true one.",
                    "Avec des codes éloignés, la pente recopiée a souvent le mauvais "
                    "signe ; avec des codes serrés, elle suit la vraie."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Au tableau : la courbe, deux codes, la corde, les deux tangentes. Calculer c³ ensemble : 1 contre 2,25. Demander quand la copie est
# bonne. (Quand les codes sont si serrés que la courbe est presque droite entre eux.) Et quand elle se trompe de côté ? (Quand la courbe
# ondule entre deux codes.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. On the board: the curve, two codes, the chord, both tangents. Work out c³ together: 1 against 2.25. Ask when the copy is good.
# (When codes are so dense that the curve is nearly straight between them.) And when does it go the wrong way? (When the curve waves between
# two codes.)

# %% [markdown] lang="fr"
# Avec des codes éloignés, la copie pousse du mauvais côté à plus de quatre places sur dix ; avec des codes serrés, à moins d'une sur
# quinze. Le passage direct est un estimateur **biaisé** : il suppose que la perte est presque droite d'un code à son voisin. C'est une
# raison de plus de garder les vecteurs tout près de leurs codes.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 5-6"
# ### Exercices 5 et 6 · Copier, et savoir ce que l'on copie
#
# **15 min.**
#
# - **5** ● `straight_through` : une ligne.
# - **6** ●● `two_slopes` : la corde, et les tangentes.

# %% [markdown] lang="en"
# With codes far apart the copy pushes the wrong way at more than four places in ten; with dense codes, at less than one in fifteen. The
# straight-through estimator is **biased**: it supposes that the loss is nearly straight from a code to its neighbour. One more reason to
# keep vectors close to their codes.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 5-6"
# ### Exercises 5 and 6 · Copy, and know what is copied
#
# **15 min.**
#
# - **5** ● `straight_through`: one line.
# - **6** ●● `two_slopes`: the chord, and the tangents.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Fautes à guetter en 5 : détacher toute la sortie (le gradient est coupé) ; partir du code (le gradient va aux codes). En 6 :
# oublier de détacher b, qui dépend de a. Demander une perte pour laquelle corde et tangentes sont égales partout. (Une droite.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Mistakes to look for in 5: detaching all of the output (the gradient is cut); starting from the code (the gradient goes to the
# codes). In 6: forgetting to detach b, which depends on a. Ask for a loss whose chord and tangents are equal everywhere. (A straight line.)

# %% [markdown] lang="fr"
# ## 7. Deux pertes
#
# La copie ne donne rien aux codes. Il leur faut une perte à eux : que chaque code aille vers les vecteurs qui l'ont choisi. Et puisque la
# copie n'est bonne que de près, une autre retient les vecteurs : c'est l'**engagement** (*commitment*). Le VQ-VAE additionne les deux à
# l'erreur de reconstruction ([](work:vandenoord2017), équation 3) :
#
# $$ \underbrace{\bigl|\, \mathrm{sg}[v] - c \,\bigr|^2}_{\text{déplace le code}} \; + \; \beta \, \underbrace{\bigl|\, v - \mathrm{sg}[c]
# \,\bigr|^2}_{\text{retient le vecteur}} $$
#
# Les deux termes ont la **même valeur** à $\beta$ près ; seuls leurs gradients diffèrent. Pour $v = (1, 2)$ et $c = (0, 0)$, la moyenne des
# carrés est $(1 + 4) / 2 = 2{,}5$ ; avec $\beta = 1/4$, l'engagement vaut 0,625. **Devinez** de quel côté chaque terme pousse le code, et de
# quel côté le vecteur.

# %% [markdown] lang="en"
# ## 7. Two losses
#
# The copy gives nothing to the codes. They need a loss of their own: let each code go towards the vectors that chose it. And since the copy
# is good only from close by, another one holds vectors back: the **commitment**. The VQ-VAE adds both to the reconstruction error
# ([](work:vandenoord2017), equation 3):
#
# $$ \underbrace{\bigl|\, \mathrm{sg}[v] - c \,\bigr|^2}_{\text{moves the code}} \; + \; \beta \, \underbrace{\bigl|\, v - \mathrm{sg}[c]
# \,\bigr|^2}_{\text{holds the vector}} $$
#
# Both terms have the **same value**, but for $\beta$; only their gradients differ. For $v = (1, 2)$ and $c = (0, 0)$ the mean of the squares
# is $(1 + 4) / 2 = 2.5$; with $\beta = 1/4$ the commitment is 0.625. **Guess** which way each term pushes the code, and which way the
# vector.

# %% [markdown] lang="fr"
# Écrivez les deux, dans cet ordre, `vectors` et `quantized` de même forme ; rendez deux nombres (des tenseurs sans axe), moyennes sur
# toutes les entrées.
#
# <details><summary>Un indice</summary>
#
# `F.mse_loss(a, b)` est la moyenne des carrés de `a - b`. `.detach()` sur ce qui ne doit pas bouger.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Bêta va sur le terme où c'est le **code** qui est détaché.
#
# </details>

# %% [markdown] lang="en"
# Write both, in this order, `vectors` and `quantized` of one shape; return two numbers (tensors without an axis), means over all entries.
#
# <details><summary>A hint</summary>
#
# `F.mse_loss(a, b)` is the mean of the squares of `a - b`. `.detach()` on what must not move.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Beta goes on the term in which the **code** is detached.
#
# </details>

# %% implements="codebook:vq_losses" level=2
"""La perte du dictionnaire et la perte d'engagement, moyennes sur tout.

Ce sont les deux derniers termes de l'équation 3 de van den Oord et al. (2017) ;
sg arrête le gradient. La perte du dictionnaire, la première, |sg[v] - c|²,
déplace les codes vers les vecteurs. La perte d'engagement, |v - sg[c]|² fois
`beta`, retient les vecteurs près de leurs codes.
"""

# %% scratch=true
vq_losses(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0]))
# → (tensor(2.5000), tensor(0.6250))

# %%
vector = torch.tensor([1.0, 2.0], requires_grad=True)
code = torch.tensor([0.0, 0.0], requires_grad=True)
names = (say("codebook", "dictionnaire"), say("commitment", "engagement"))
for name, term in zip(names, vq_losses(vector, code)):
    pushes = torch.autograd.grad(term, (vector, code), allow_unused=True)
    for what, push in zip((say("vector", "vecteur"), "code"), pushes):
        pushed = say("nothing", "rien")
        if push is not None:
            pushed = "  ".join(decimal(-each, 2) for each in push)
        print(f"{name:12} → {what:8} {pushed}")

# %% claims=true
_first, _second = vq_losses(vector, code)
assert torch.autograd.grad(_first, code, retain_graph=True)[0].tolist() == [-1, -2]
assert torch.autograd.grad(_second, vector)[0].tolist() == [0.25, 0.5]
assert (_first.item(), _second.item()) == (2.5, 0.625)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Deux termes, deux sens
#
# | | pousse le code | pousse le vecteur |
# |---|---|---|
# | reconstruction | non | oui, par la copie |
# | $\lvert \mathrm{sg}[v] - c \rvert^2$ | vers $v$ | non |
# | $\beta \lvert v - \mathrm{sg}[c] \rvert^2$ | non | vers $c$ |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. Two terms, two ways
#
# | | pushes the code | pushes the vector |
# |---|---|---|
# | reconstruction | no | yes, by the copy |
# | $\lvert \mathrm{sg}[v] - c \rvert^2$ | towards $v$ | no |
# | $\beta \lvert v - \mathrm{sg}[c] \rvert^2$ | no | towards $c$ |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Deux élèves tiennent une corde, l'un est le code, l'autre le vecteur : la première perte fait marcher l'un, la seconde l'autre.
# Demander ce qui change si rien n'est détaché. (Chaque terme tire des deux côtés, bêta ne les sépare plus.) Raconter la faute de VQGAN :
# bêta sur l'autre terme, gardée pour que les vieux poids se chargent.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Two students hold a rope, one is the code, the other the vector: the first loss makes one walk, the second the other. Ask what
# changes if nothing is detached. (Each term pulls on both sides, beta no longer tells them apart.) Tell the story of VQGAN's fault: beta on
# the other term, kept so that old weights would load.

# %% [markdown] lang="fr"
# Chaque terme ne déplace qu'un côté : le dictionnaire pousse le code vers le vecteur, l'engagement pousse le vecteur vers le code, quatre
# fois moins fort. Pourquoi 1/4 ? Les auteurs ont vu qu'entre 0,1 et 2 les résultats ne changeaient guère, et ont pris 0,25
# ([](work:vandenoord2017)). La [](#what-beta-holds-back) dira ce qui arrive loin de là.
#
# Une histoire vraie : le code publié de VQGAN ([](work:esser2021)) a mis bêta sur **l'autre** terme. La faute, une fois découverte, a été
# gardée par défaut, pour que les poids déjà publiés servent encore. Les deux carrés ont la même valeur, et leur somme est la même, que bêta
# soit sur l'un ou sur l'autre : rien ne se voit dans la courbe de perte. Voilà pourquoi l'on vérifie aussi les **gradients**.

# %% [markdown] lang="en"
# Each term moves one side only: the codebook loss pushes the code towards the vector, the commitment pushes the vector towards the code,
# four times less. Why 1/4? The authors saw that between 0.1 and 2 the results hardly changed, and took 0.25
# ([](work:vandenoord2017)). [](#what-beta-holds-back) will tell what happens far from there.
#
# A true story: the published code of VQGAN ([](work:esser2021)) put beta on **the other** term. Once discovered, the fault was kept by
# default, so that weights already published would still serve. Both squares have the same value, so that their sum is the same whichever
# of them has beta: nothing shows in the curve of the loss. This is why **gradients** are checked as well.

# %% [markdown] lang="fr"
# ## 8. Des codes qui suivent
#
# La perte du dictionnaire fait avancer un code d'un petit pas vers la moyenne des vecteurs qui l'ont choisi. Pourquoi de petits pas ? Les
# k-moyennes y vont d'un coup. Mais un lot n'a que quelques images : d'un lot à l'autre, la moyenne saute. On prend donc une **moyenne
# glissante**, qui garde une part $\gamma$ d'elle-même ([](work:vandenoord2017), annexe A.1) :
#
# $$ N \leftarrow \gamma N + (1 - \gamma) \, n \qquad\quad S \leftarrow \gamma S + (1 - \gamma) \sum v \qquad\quad c = \frac{S}{N} $$
#
# $n$ est le nombre de vecteurs du lot qui ont choisi le code, $\sum v$ leur somme. Un code en 3, $N = 1$, donc $S = 3$ ; deux vecteurs le
# choisissent, 5 et 7 ; $\gamma = 0{,}9$. Alors $N = 0{,}9 + 0{,}2 = 1{,}1$ et $S = 2{,}7 + 1{,}2 = 3{,}9$ : le code va en 3,55. **Devinez** :
# et avec $\gamma = 0$ ?

# %% [markdown] lang="en"
# ## 8. Codes that follow
#
# The codebook loss makes a code go a small step towards the mean of the vectors that chose it. Why small steps? K-means goes there at once.
# But a batch has a few pictures only: from one batch to the next the mean jumps. So one takes a **moving average**, which keeps a share
# $\gamma$ of itself ([](work:vandenoord2017), appendix A.1):
#
# $$ N \leftarrow \gamma N + (1 - \gamma) \, n \qquad\quad S \leftarrow \gamma S + (1 - \gamma) \sum v \qquad\quad c = \frac{S}{N} $$
#
# $n$ is how many vectors of the batch chose the code, $\sum v$ their sum. A code at 3, $N = 1$, so $S = 3$; two vectors choose it, 5 and 7;
# $\gamma = 0.9$. Then $N = 0.9 + 0.2 = 1.1$ and $S = 2.7 + 1.2 = 3.9$: the code goes to 3.55. **Guess**: and with $\gamma = 0$?

# %%
for kept_share in (0.9, 0.5, 0.0):
    count = kept_share * 1 + (1 - kept_share) * 2
    total = kept_share * 3 + (1 - kept_share) * (5 + 7)
    print(f"γ = {decimal(kept_share, 1)}", say("the code goes to", "le code va en"),
          decimal(total / count, 2))

# %% claims=true
assert round((0.9 * 3 + 0.1 * 12) / (0.9 + 0.2), 2) == 3.55
assert total / count == 6

# %% [markdown] lang="fr"
# Avec $\gamma = 0$, le code va en 6, au milieu de 5 et de 7 : c'est un tour de **k-moyennes**. Vérifions sur le nuage de la
# [](#ten-lines-of-k-means), avec le quantificateur de la bibliothèque et tout le nuage pour lot.

# %% [markdown] lang="en"
# With $\gamma = 0$ the code goes to 6, to the middle of 5 and 7: it is a round of **k-means**. Let us check on the cloud of
# [](#ten-lines-of-k-means), with the library's quantiser and the whole cloud as a batch.

# %%
from dalle_edu.bricks.codebook import VectorQuantizer


def quantizer_at(quantizer, codes):
    # en: the same start for codes and sums; counts start at 1
    # fr: le même départ pour les codes et les sommes ; les comptes partent de 1
    with torch.no_grad():
        quantizer.codebook.copy_(codes)
        quantizer.sums.copy_(codes)
    return quantizer


# %%
first_codes = cloud[::30]
following = quantizer_at(VectorQuantizer(6, 2, decay=0.0), first_codes)
for _ in range(5):
    following.follow(cloud, nearest_code(cloud, following.codebook), 0.0)
five_rounds = fast_k_means(cloud, first_codes, 5)
apart = (following.codebook - five_rounds).abs().max().item()
print(say("five rounds, five batches: the same codes?",
          "cinq tours, cinq lots : les mêmes codes ?"),
      say("yes", "oui") if apart < 1e-3 else say("no", "non"))

# %% claims=true
assert apart < 1e-3

# %% tags=["hide-input"]
def glide(kept_share):
    # en: a code that starts at 0; batches of four vectors spread around 5
    # fr: un code qui part de 0 ; des lots de quatre vecteurs autour de 5
    generator = torch.Generator().manual_seed(2)
    count, total, path = 1.0, 0.0, [0.0]
    for _ in range(60):
        batch = 5 + 2 * torch.randn(4, generator=generator)
        count = kept_share * count + (1 - kept_share) * 4
        total = kept_share * total + (1 - kept_share) * batch.sum().item()
        path.append(total / count)
    return path


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Suivre : des k-moyennes qui glissent
#
# $$ N \leftarrow \gamma N + (1 - \gamma) \, n \qquad S \leftarrow \gamma S + (1 - \gamma) \sum v \qquad c = S / N $$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. To follow: k-means that glides
#
# $$ N \leftarrow \gamma N + (1 - \gamma) \, n \qquad S \leftarrow \gamma S + (1 - \gamma) \sum v \qquad c = S / N $$

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=7, height=3.1)
paths = {kept_share: glide(kept_share) for kept_share in (0.0, 0.8, 0.99)}
for (kept_share, path), colour in zip(paths.items(), (ORANGE, SKY, BLUE)):
    axes.plot(path, color=colour, label=f"γ = {kept_share:g}")
axes.axhline(5, color="gray", linestyle=":")
axes.set(xlabel=say("batch", "lot"), ylabel=say("place of the code", "place du code"),
         ylim=(-0.3, 9.3))
axes.legend(frameon=False, ncols=3, loc="upper center")
picture(figure, say("A code that keeps nothing jumps about 5 at each batch; one "
                    "that keeps 0.8 settles near 5; with 0.99 it goes slowly.",
                    "Un code qui ne garde rien saute autour de 5 à chaque lot ; "
                    "à 0,8, il se pose près de 5 ; à 0,99, il y va lentement."))

# %% claims=true
def _wobble(path):
    return torch.tensor(path[20:]).std().item()


assert _wobble(paths[0.8]) < _wobble(paths[0.0]) / 2
assert abs(paths[0.8][-1] - 5) < 0.6
assert paths[0.99][30] < 4

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Calculer au tableau : un code en 3, les vecteurs 5 et 7, γ = 0,9 : 3,55. Puis γ = 0 : 6, les k-moyennes. Demander ce que l'on gagne
# à glisser. (Un lot a peu d'images : sans mémoire, le code saute.) Et ce que l'on perd ? (Le retard : l'encodeur change, les codes le
# suivent.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Work it out on the board: a code at 3, the vectors 5 and 7, γ = 0.9: 3.55. Then γ = 0: 6, k-means. Ask what is gained by gliding.
# (A batch has few pictures: without memory the code jumps.) And what is lost? (The lag: the encoder changes, codes follow it.)

# %% [markdown] lang="fr"
# Les mêmes codes : un dictionnaire qui suit **est** une suite de k-moyennes, un lot à la fois. Plus $\gamma$ est grand, moins le code saute,
# et plus il tarde. Entre la perte et la moyenne glissante, laquelle choisir ? La seconde n'a pas de pas d'apprentissage à régler, et
# remplace le premier des deux termes : il ne reste de perte que l'engagement.

# %% [markdown] lang="en"
# The same codes: a codebook that follows **is** k-means, one batch at a time. The larger $\gamma$, the less the code jumps, and the more it
# lags. Which one to choose, the loss or the moving average? The latter has no learning rate to be tuned, and takes the place of the first
# of the two terms: of the loss only the commitment is left.

# %% [markdown] lang="fr"
# ## 9. Des codes qui meurent
#
# Un code que personne ne choisit ne bouge pas. Comme il ne bouge pas, personne ne le choisit. Il est **mort**, et ne revient pas de lui-même.
# Si presque tous meurent, le dictionnaire s'est **effondré** (*collapse*) : on croit avoir 512 mots, on en dit douze.
#
# Comment le mesurer ? Compter les codes qui servent ne suffit pas : un code choisi une fois compte autant qu'un autre choisi mille fois.
# La **perplexité** est l'exponentielle de l'entropie de leurs fréquences $f_k$ : le nombre de codes qui, employés à parts égales, seraient
# aussi imprévisibles.
#
# $$ \exp\Bigl( - \sum_k f_k \log f_k \Bigr) $$
#
# Trois codes aux fréquences 1/2, 1/4, 1/4 : l'entropie est de 1,04 nat, la perplexité de 2,83. Un peu moins de trois, puisque l'un domine.
# **Devinez** la perplexité de 512 codes dont la moitié servent également, les autres jamais.

# %% [markdown] lang="en"
# ## 9. Codes that die
#
# A code that nobody chooses does not move. As it does not move, nobody chooses it. It is **dead**, and does not come back by itself. If
# nearly all of them die, the codebook has **collapsed**: one believes that one has 512 words, and uses twelve.
#
# How to measure it? Counting the codes in use is not enough: a code chosen once counts as much as another chosen a thousand times. The
# **perplexity** is the exponential of the entropy of their frequencies $f_k$: the number of codes that, used in equal shares, would be as
# hard to predict.
#
# $$ \exp\Bigl( - \sum_k f_k \log f_k \Bigr) $$
#
# Three codes of frequencies 1/2, 1/4, 1/4: the entropy is 1.04 nats, the perplexity 2.83. A little less than three, since one of them
# dominates. **Guess** the perplexity of 512 codes, half of which are used equally often, the others never.

# %%
for frequencies in ([0.5, 0.25, 0.25], [1 / 256] * 256 + [0.0] * 256):
    entropy = sum(-f * math.log(f) for f in frequencies if f > 0)
    count = len(frequencies)
    print(say(f"{count:3} codes: entropy", f"{count:3} codes : entropie"),
          decimal(entropy, 2), "nats,",
          say("perplexity", "perplexité"), decimal(math.exp(entropy), 2))

# %% claims=true
assert round(sum(-f * math.log(f) for f in (0.5, 0.25, 0.25)), 2) == 1.04
assert round(math.exp(sum(-f * math.log(f) for f in (0.5, 0.25, 0.25))), 2) == 2.83
assert round(math.exp(entropy)) == 256

# %% [markdown] lang="fr"
# 256 : exactement ceux qui servent. Attention, la perplexité est celle d'**un lot** : quarante sur 512 n'est pas un mal si le lot n'a que
# quelques images, ou si neuf carreaux sur dix sont du papier blanc.

# %% [markdown] lang="fr"
# Écrivez `codes_alive(codes, num_codes)` : `codes`, de forme (n, h, w), contient des numéros. Rendez deux nombres, des tenseurs de type
# float32 sans axe : combien de codes servent dans tout le lot, et la perplexité.
#
# <details><summary>Un indice</summary>
#
# `torch.bincount(codes.flatten(), minlength=num_codes)` compte chaque code, sur toutes les images ensemble.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# 0 × log 0 n'est pas un nombre pour un ordinateur. `torch.special.entr(f)` vaut $-f \log f$, et 0 en 0.
#
# </details>

# %% [markdown] lang="en"
# 256: exactly those in use. Note that the perplexity is that of **a batch**: forty out of 512 is no harm if the batch has a few pictures
# only, or if nine patches in ten are white paper.

# %% [markdown] lang="en"
# Write `codes_alive(codes, num_codes)`: `codes`, of shape (n, h, w), holds numbers. Return two numbers, tensors of type float32 without an
# axis: how many codes are in use in the whole batch, and the perplexity.
#
# <details><summary>A hint</summary>
#
# `torch.bincount(codes.flatten(), minlength=num_codes)` counts each code, over all pictures together.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# To a computer, 0 × log 0 is not a number. `torch.special.entr(f)` is $-f \log f$, and 0 at 0.
#
# </details>

# %% implements="codebook:codes_alive" level=2
"""Combien de codes un lot emploie : ceux qui y sont, et la perplexité.

La perplexité est l'exponentielle de l'entropie, en nats, des fréquences des
codes parmi toutes les places de toutes les images ; elle va de 1 à `num_codes`.
Un code absent n'y ajoute rien. Les deux résultats sont des nombres seuls dans
des tenseurs float32 ; ils restent sur l'appareil, car lire leur valeur fait
attendre le GPU.
"""

# %% scratch=true
codes_alive(torch.tensor([[[0, 0], [2, 3]]]), 8)
# → (tensor(3.), tensor(2.8284))

# %% [markdown] lang="fr"
# Faisons mourir des codes. Huit codes partent tous **du même coin**, loin du nuage ; ils suivent, avec $\gamma = 0{,}8$. **Devinez** combien
# vivront au vingtième lot.

# %% [markdown] lang="en"
# Let us make codes die. Eight codes all start **in the same corner**, far from the cloud; they follow, with $\gamma = 0.8$. **Guess** how
# many will live at the twentieth batch.

# %%
corner = torch.tensor([5.2, 5.2])
generator = torch.Generator().manual_seed(1)
bad_start = corner + 0.3 * torch.randn(8, 2, generator=generator)
# en: the cloud as one picture of 12 × 15 vectors of two channels
# fr: le nuage comme une image de 12 × 15 vecteurs de deux canaux
cloud_picture = cloud.T.reshape(1, 2, 12, 15)
falling = quantizer_at(VectorQuantizer(8, 2, decay=0.8), bad_start)
collapse = {0: falling.codebook.clone()}
for batch_number in range(1, 21):
    falling(cloud_picture)
    if batch_number in (1, 5, 20):
        collapse[batch_number] = falling.codebook.clone()


# %%
def tell_life(frames):
    for batch_number, codes in frames.items():
        numbers = nearest_code(cloud, codes).view(1, 12, 15)
        alive, perplexity = codes_alive(numbers, 8)
        print(say(f"batch {batch_number:2}: alive", f"lot {batch_number:2} : en vie"),
              f"{alive:.0f}/8,", say("perplexity", "perplexité"),
              f"{decimal(perplexity, 1)},", say("error", "erreur"),
              decimal(error_of(cloud, codes), 2))


tell_life(collapse)

# %% claims=true
_last = collapse[20]
_living = nearest_code(cloud, _last).unique()
assert len(_living) == 3
assert max(len(nearest_code(cloud, each).unique()) for each in collapse.values()) == 3
_dead = [number for number in range(8) if number not in _living.tolist()]
assert ((_last - bad_start)[_dead].norm(dim=1) < 0.2).all()

# %% tags=["hide-input"]
def draw_film(frames, alt):
    figure, panels = plot(1, len(frames), width=10, height=2.9)
    for panel, (batch_number, codes) in zip(panels, frames.items()):
        draw_cells(panel, codes)
        panel.scatter(cloud[:, 0], cloud[:, 1], s=5, color="dimgray", zorder=2)
        panel.set_title(say(f"batch {batch_number}", f"lot {batch_number}"), fontsize=14)
    return picture(figure, alt)


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. L'effondrement
#
# Huit codes partent du même coin. Combien vivent au vingtième lot ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. Collapse
#
# Eight codes start in the same corner. How many live at the twentieth batch?

# %% slide="fragment" tags=["hide-input"]
draw_film(collapse, say("Of eight codes in one corner, three go to the three heaps; "
                        "the five others stay where they were.",
                        "De huit codes partis d'un coin, trois vont aux trois tas ; "
                        "les cinq autres restent où ils étaient."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Demander d'abord combien vivront. (Trois : un par tas.) Faire raconter : les codes les plus proches du nuage prennent tout ; ils
# partent vers leurs tas ; les autres ne sont plus les plus proches de rien. Demander s'ils reviendront si l'on continue. (Non : ils ne
# bougent pas.) Puis le remède.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Ask first how many will live. (Three: one for each heap.) Have the story told: the codes nearest to the cloud take all; they leave
# for their heaps; the others are nearest to nothing any more. Ask whether they will come back if one goes on. (No: they do not move.)
# Then the cure.

# %% [markdown] lang="fr"
# Trois sur huit, un par tas. Les cinq autres sont restés dans leur coin, et y resteraient mille lots encore.
#
# ### Ranimer
#
# Le remède est simple : un code dont le compte glissant $N$ est tombé sous un seuil est posé **sur un vecteur du lot**, pris au hasard. Il
# est alors le plus proche d'au moins un vecteur. Son compte devient 1 et sa somme ce vecteur, comme si un vecteur venait de le choisir. Si
# l'on oublie la somme, le lot suivant le renvoie d'où il vient.

# %% [markdown] lang="en"
# Three of eight, one for each heap. The five others have stayed in their corner, and would stay there a thousand batches more.
#
# ### Revival
#
# The cure is simple: a code whose moving count $N$ has fallen below a threshold is put **on a vector of the batch**, taken at random. Then
# it is nearest to one vector at least. Its count becomes 1 and its sum that vector, as if one vector had just chosen it. If the sum is
# forgotten, the next batch sends it back where it came from.

# %% [markdown] lang="fr"
# Voici la pièce centrale de la leçon. `VectorQuantizer` a un `codebook` (k, d), des `counts` (k,) et des `sums` (k, d) ; son constructeur
# est donné. Écrivez trois méthodes.
#
# - `forward(vectors)` : `vectors` est de forme (n, d, h, w). Mettez les canaux en dernier, choisissez les codes, calculez les deux pertes ;
#   à l'entraînement, et si `self.decay` n'est pas `None`, appelez `self.follow`. Rendez `Quantized(codes, vectors, loss)` : les numéros
#   (n, h, w), les codes avec le gradient du passage direct (n, d, h, w), et la perte : l'engagement seul, ou les deux termes si
#   `self.decay` vaut `None`. Ce que l'on rend est fait des codes **d'avant** `follow`.
# - `follow(vectors, codes, decay)` : `vectors` (m, d), `codes` (m,). Mettez à jour `counts`, `sums`, puis `codebook`, sur place. Pour ne
#   jamais diviser par 0, le compte est adouci : $(N + \varepsilon) / (T + k \, \varepsilon) \times T$, où $T$ est la somme des comptes et
#   $\varepsilon = 10^{-5}$.
# - `revive(vectors, threshold, generator)` : aplatissez le lot en `flat`, de forme (n × h × w, d), canaux en dernier. Pour chacun des k
#   codes, mort ou non, tirez-en un vecteur, par `torch.randint(len(flat), (self.num_codes,), generator=generator, device=flat.device)` ;
#   posez sur le sien chaque code dont le compte est sous le seuil. Rendez le nombre de ces codes, un entier dans un tenseur.
#
# <details><summary>Un indice</summary>
#
# `rearrange(vectors, "n d h w -> n h w d")` met les canaux en dernier ; tout le calcul se fait en `.float()`. Dans `forward`, donnez à
# `follow` des vecteurs détachés et aplatis : `last.detach().flatten(0, 2)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `F.one_hot(codes, self.num_codes)`, de forme (m, k), en nombres à virgule : sa somme sur m compte, sa transposée fois les vecteurs
# additionne. `self.counts.lerp_(new, 1 - decay)` fait la moyenne glissante sur place.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Dans `revive` : `torch.where(rows, replacements, self.codebook)`, où `rows` est de forme (k, 1), choisit ligne par ligne ; puis
# `self.codebook.copy_(…)`. N'oubliez ni `sums`, ni `counts.masked_fill_(dead, 1.0)`.
#
# </details>

# %% [markdown] lang="en"
# Here is the centrepiece of the lesson. `VectorQuantizer` has a `codebook` (k, d), `counts` (k,) and `sums` (k, d); its constructor is
# given. Write three methods.
#
# - `forward(vectors)`: `vectors` is of shape (n, d, h, w). Put channels last, choose the codes, work out both losses; in training, and if
#   `self.decay` is not `None`, call `self.follow`. Return `Quantized(codes, vectors, loss)`: the numbers (n, h, w), the codes with the
#   straight-through gradient (n, d, h, w), and the loss: the commitment alone, or both terms if `self.decay` is `None`. What is returned
#   is made of the codes **before** `follow`.
# - `follow(vectors, codes, decay)`: `vectors` (m, d), `codes` (m,). Update `counts`, `sums`, then `codebook`, in place. So as never to
#   divide by 0, the count is smoothed: $(N + \varepsilon) / (T + k \, \varepsilon) \times T$, where $T$ is the sum of the counts and
#   $\varepsilon = 10^{-5}$.
# - `revive(vectors, threshold, generator)`: flatten the batch into `flat`, of shape (n × h × w, d), channels last. For each of the k
#   codes, dead or not, pick a vector of it, by `torch.randint(len(flat), (self.num_codes,), generator=generator, device=flat.device)`; put
#   each code whose count is below the threshold on its own. Return how many such codes there are, a whole number in a tensor.
#
# <details><summary>A hint</summary>
#
# `rearrange(vectors, "n d h w -> n h w d")` puts channels last; all is computed in `.float()`. In `forward`, give `follow` vectors that are
# detached and flattened: `last.detach().flatten(0, 2)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `F.one_hot(codes, self.num_codes)`, of shape (m, k), as floating-point numbers: its sum over m counts, its transpose times the vectors
# adds up. `self.counts.lerp_(new, 1 - decay)` makes the moving average in place.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# In `revive`: `torch.where(rows, replacements, self.codebook)`, where `rows` is of shape (k, 1), chooses row by row; then
# `self.codebook.copy_(…)`. Forget neither `sums` nor `counts.masked_fill_(dead, 1.0)`.
#
# </details>

# %% implements="codebook:VectorQuantizer" level=3 hollow=["forward", "follow", "revive"]
"""Un dictionnaire qui suit les vecteurs qu'il quantifie.

Si `decay` vaut None, les codes se déplacent par gradient (la perte du
dictionnaire). Avec un `decay`, ce sont les moyennes glissantes des vecteurs qui
les ont choisis, sans pas d'apprentissage (van den Oord et al. 2017, annexe
A.1). Un code que personne ne choisit ne bouge plus, jusqu'à ce que `revive` le
pose là où sont les vecteurs.

`counts` contient la moyenne glissante du nombre de vecteurs d'un lot qui
choisissent chaque code, et `sums` celle de la somme de ces vecteurs.
"""
"""Remplace chaque vecteur par son code le plus proche.

Un vecteur est fait des d canaux d'une place. La perte est celle
d'engagement ; sans `decay`, celle du dictionnaire s'y ajoute. Avec un
`decay`, et à l'entraînement seulement, le dictionnaire suit ensuite les
vecteurs ; ce qui est rendu est encore fait des codes d'avant.
"""
"""Met à jour les moyennes glissantes, puis les codes qu'elles définissent.

Une moyenne glissante garde la part `decay` d'elle-même et prend 1 - decay
de la valeur du lot : pour `counts`, le nombre de vecteurs qui ont choisi
chaque code, pour `sums`, leur somme. Un code est sa somme divisée par son
compte, adouci en (compte + ε) / (total + k ε) total, où ε vaut 1e-5 et
total additionne les comptes.
"""
"""Pose les codes rarement choisis sur des vecteurs ; rend leur nombre.

Ce sont ceux dont le compte glissant est sous `threshold`. Chacun devient un
vecteur du lot, tiré pour lui seul avec `generator`, tous aussi probables.
Sa ligne de `sums` devient ce vecteur et son compte 1, comme si un vecteur
venait de le choisir.
"""
# in half precision, a moving average loses its many small steps => en demi-précision, une moyenne glissante perd ses nombreux petits pas
# Laplace smoothing: no division by zero where no vector chose the code => lissage de Laplace : pas de division par zéro pour un code sans vecteur

# %% scratch=true
small = VectorQuantizer(2, 1, decay=0.9)
small.codebook.data.copy_(torch.tensor([[3.0], [50.0]]))
small.sums.copy_(small.codebook)
small(torch.tensor([[[[5.0, 7.0]]]]))
small.codebook.data.round(decimals=2)
# → tensor([[ 3.5500], [50.0000]])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercices 7 à 9 · Un dictionnaire vivant
#
# **30 min.**
#
# - **7** ●● `vq_losses` : bêta sur le bon terme.
# - **8** ●● `codes_alive` : combien servent, et la perplexité.
# - **9** ●●● `VectorQuantizer` : choisir, suivre, ranimer.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercises 7 to 9 · A living codebook
#
# **30 min.**
#
# - **7** ●● `vq_losses`: beta on the right term.
# - **8** ●● `codes_alive`: how many are in use, and the perplexity.
# - **9** ●●● `VectorQuantizer`: choose, follow, revive.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 30 min. Fautes à guetter en 7 : bêta sur l'autre terme, rien de détaché. En 8 : 0 × log 0 ; la moyenne image par image ; l'entropie au lieu
# de son exponentielle. En 9 : `decay` et 1 − `decay` échangés ; suivre aussi en mode eval ; ranimer sans toucher à `sums`. Qui n'a pas fini
# 9 la finit chez soi.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 30 min. Mistakes to look for in 7: beta on the other term, nothing detached. In 8: 0 × log 0; a mean picture by picture; the entropy in
# place of its exponential. In 9: `decay` and 1 − `decay` exchanged; following in eval mode too; reviving without touching `sums`. Who has
# not finished 9 finishes it at home.

# %% [markdown] lang="fr"
# Reprenons le dictionnaire effondré, ranimons une fois, puis laissons-le suivre vingt lots de plus. **Devinez** : combien vivront ? Et
# l'erreur ?

# %% [markdown] lang="en"
# Let us take the collapsed codebook, revive once, then let it follow for twenty batches more. **Guess**: how many will live? And the error?

# %%
rising = VectorQuantizer(8, 2, decay=0.8)
rising.load_state_dict(falling.state_dict())
generator = torch.Generator().manual_seed(0)
revived = rising.revive(cloud_picture, generator=generator)
print(say("revived:", "ranimés :"), int(revived))
revival = {20: rising.codebook.detach().clone()}
for batch_number in range(21, 41):
    rising(cloud_picture)
    if batch_number in (21, 25, 40):
        revival[batch_number] = rising.codebook.detach().clone()
tell_life(revival)

# %% claims=true
assert int(revived) == 5
assert len(nearest_code(cloud, revival[40]).unique()) == 8
assert error_of(cloud, revival[40]) < 0.7 * error_of(cloud, collapse[20])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ranimer : poser un code mort sur un vecteur du lot

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Revival: put a dead code on a vector of the batch

# %% slide="fragment" tags=["hide-input"]
draw_film(revival, say("The five dead codes are put on points of the heaps; twenty "
                       "batches later all eight have a cell of their own.",
                       "Les cinq codes morts sont posés sur des points des tas ; "
                       "vingt lots plus tard, chacun des huit a sa cellule."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Comparer aux images d'avant : huit cellules, une erreur plus basse d'un tiers. Demander ce qui se passerait si l'on ne changeait
# pas `sums`. (Le lot suivant renverrait le code dans son coin.) Et si l'on ranimait à chaque lot, jusqu'à la fin ? (Des codes rares mais
# utiles sauteraient sans cesse.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Compare with the pictures before: eight cells, an error lower by a third. Ask what would happen if `sums` were not changed. (The
# next batch would send the code back to its corner.) And if one revived at every batch, up to the end? (Codes that are rare but useful
# would jump all the time.)

# %% [markdown] lang="fr"
# Les huit vivent, et l'erreur a baissé de plus de 30 %. On ranime pendant l'entraînement, et l'on s'arrête avant la fin, pour que les codes
# rares, mais utiles, puissent se poser.

# %% [markdown] lang="en"
# All eight live, and the error has gone down by more than 30 %. One revives during training, and stops before the end, so that codes that
# are rare, but useful, can settle.

# %% [markdown] lang="fr"
# ## 10. Des carreaux, à l'entrée et à la sortie
#
# Retour aux images. L'encodeur fait de chaque carreau un vecteur. Sa première couche coupe l'image en carreaux de $p \times p$ et donne à
# chacun le même produit de matrice : `Patchify`. C'est une convolution dont le pas est égal au noyau ([](lesson:04)) ; comme les carreaux ne
# se recouvrent pas, c'est aussi `cut`, puis un seul produit.
#
# Un carreau de 2 × 2, de valeurs 0, 1, 4, 5, et des poids tous égaux à 1 : le résultat est leur somme, 10. **Devinez** combien de vecteurs
# rend une image de 64 × 64 pour $p = 8$, et combien pour une image de 67 × 64.

# %% [markdown] lang="en"
# ## 10. Patches, in and out
#
# Back to pictures. The encoder makes a vector of each patch. Its first layer cuts the picture into patches of $p \times p$ and multiplies
# each one by the same matrix: `Patchify`. It is a convolution whose stride equals its kernel ([](lesson:04)); as patches do not
# overlap, it is also `cut`, then a single product.
#
# A patch of 2 × 2, of values 0, 1, 4, 5, and weights all equal to 1: the result is their sum, 10. **Guess** how many vectors a picture of
# 64 × 64 gives for $p = 8$, and how many one of 67 × 64.

# %% [markdown] lang="fr"
# Soixante-quatre, dans les deux cas : ce qui ne remplit pas un carreau est laissé de côté, comme le fait une convolution.

# %% [markdown] lang="fr"
# Écrivez `forward`. `x` est de forme (n, c, h, w), la réponse (n, d, h / p, w / p), arrondis vers le bas. Les poids viennent d'une
# convolution : `self.weight` est de forme (d, c, p, p), `self.bias` (d,), et $p$ vaut `self.stride[0]`.
#
# <details><summary>Un indice</summary>
#
# Rognez d'abord : `x[:, :, :height, :width]`, où `height = x.shape[2] // p * p`. Puis le `rearrange` de `cut`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `F.linear(patches, self.weight.flatten(1), self.bias)` agit sur le dernier axe ; il reste à remettre les canaux en deuxième place, par
# `rearrange(…, "n h w d -> n d h w")`.
#
# </details>

# %% [markdown] lang="en"
# Sixty-four, in both cases: what fills no patch is left out, as in a convolution.

# %% [markdown] lang="en"
# Write `forward`. `x` is of shape (n, c, h, w), the answer (n, d, h / p, w / p), rounded down. The weights are those of a convolution:
# `self.weight` is of shape (d, c, p, p), `self.bias` (d,), and $p$ is `self.stride[0]`.
#
# <details><summary>A hint</summary>
#
# Crop first: `x[:, :, :height, :width]`, where `height = x.shape[2] // p * p`. Then the `rearrange` of `cut`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `F.linear(patches, self.weight.flatten(1), self.bias)` acts on the last axis; what is left is to put channels back in second place, by
# `rearrange(…, "n h w d -> n d h w")`.
#
# </details>

# %% implements="convolution:Patchify" level=2 hollow=["forward"]
"""Coupe les images en carreaux p x p, et projette chacun sur `width` canaux.

C'est une convolution dont le pas est égal au noyau. Des carreaux qui ne se
recouvrent pas sont les lignes d'une matrice : un seul produit la calcule,
bien plus vite que la convolution en demi-précision.
"""
"""Les carreaux projetés, un pour chaque carreau entier des images."""
# as in a convolution, rows and columns that fill no patch are left out => comme une convolution, on laisse de côté ce qui ne fait pas un carreau

# %% scratch=true
add_up = Patchify(1, 1, 2)
add_up.weight.data.fill_(1.0)
add_up.bias.data.zero_()
add_up(torch.tensor([[[[0.0, 1.0, 2.0], [4.0, 5.0, 6.0]]]])).tolist()
# → [[[[10.0]]]]

# %% [markdown] lang="fr"
# À la sortie, le chemin inverse : chaque place devient un carreau. `Unpatchify` est la **convolution sous-pixel** de la [](lesson:06)
# ([](work:shi2016)) : une convolution 3 × 3 calcule $p^2$ nombres par place et par couleur, que l'on range ensuite en carreaux. Comme son
# noyau voit les voisins, les bords de deux carreaux peuvent s'accorder : c'est ce qui manquait à notre mosaïque.

# %% [markdown] lang="fr"
# Écrivez encore `forward`. `x` est de forme (n, width, h, w) ; la couche `self.paint` est donnée et rend
# (n, channels × p², h, w), où $p$ est `self.patch_size`. Rendez (n, channels, h × p, w × p) : dans chaque carreau, les $p^2$ nombres se rangent ligne par ligne.
#
# <details><summary>Un indice</summary>
#
# `F.pixel_shuffle(painted, p)` range ; `rearrange(painted, "n (c p q) h w -> n c (h p) (w q)", p=p, q=p)` fait de même.
#
# </details>

# %% [markdown] lang="en"
# At the exit, the way back: each position becomes a patch. `Unpatchify` is the **sub-pixel convolution** of [](lesson:06)
# ([](work:shi2016)): a 3 × 3 convolution computes $p^2$ numbers for each position and colour, which are then put in place as patches. As
# its kernel sees the neighbours, the edges of two patches can agree: this is what our mosaic lacked.

# %% [markdown] lang="en"
# Write `forward` once more. `x` is of shape (n, width, h, w); the layer `self.paint` is given and returns
# (n, channels × p², h, w), where $p$ is `self.patch_size`. Return (n, channels, h × p, w × p): within each patch the $p^2$ numbers go row by row.
#
# <details><summary>A hint</summary>
#
# `F.pixel_shuffle(painted, p)` puts them in place; `rearrange(painted, "n (c p q) h w -> n c (h p) (w q)", p=p, q=p)` does the same.
#
# </details>

# %% implements="convolution:Unpatchify" level=1 hollow=["forward"]
"""Chaque place devient un carreau p x p, après un regard à ses voisines.

C'est la convolution sous-pixel (Shi et al. 2016).
"""
"""Les images que les carreaux composent."""

# %% scratch=true
four_pixels = Unpatchify(1, 1, 2)
four_pixels.paint.weight.data.zero_()
four_pixels.paint.bias.data.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
four_pixels(torch.zeros(1, 1, 1, 2)).tolist()
# → [[[[1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 3.0, 4.0]]]]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. Des carreaux, à l'entrée et à la sortie
#
# `Patchify` coupe et projette : un carreau, un vecteur. `Unpatchify` peint, puis range : un vecteur et ses voisins, un carreau.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. Patches, in and out
#
# `Patchify` cuts and projects: a patch, a vector. `Unpatchify` paints, then puts in place: a vector and its neighbours, a patch.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, panels = plot(1, 3, width=9, height=3.5)
show(panels[0], exam[1], say("64 × 64 pixels", "64 × 64 pixels"))
for place in range(0, 65, 8):
    panels[0].axhline(place - 0.5, color="gray", linewidth=0.6)
    panels[0].axvline(place - 0.5, color="gray", linewidth=0.6)
titles = say("64 vectors|nine for one patch",
             "64 vecteurs|neuf pour un carreau").split("|")
for panel, title, looked in zip(panels[1:], titles, (0, 3)):
    for first, side, colour in ((0, 8, SKY), (3, looked, ORANGE)):
        places = torch.arange(first, first + side)
        panel.scatter(*torch.meshgrid(places, places, indexing="xy"),
                      s=60, marker="s", color=colour)
    panel.set(xticks=[], yticks=[], aspect="equal")
    panel.set_title(title, fontsize=14)
picture(figure, say("A scene cut into 8 × 8 patches, a vector for each, and the "
                    "nine, a vector and its neighbours, that paint one patch.",
                    "Une scène coupée en 8 × 8 carreaux, un vecteur par carreau, "
                    "et les neuf, un vecteur et ses voisins, qui peignent un carreau."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire compter : 64 carreaux, 192 nombres chacun. Demander ce que l'encodeur voit d'un carreau à l'autre. (Rien.) Et le décodeur ?
# (Neuf carreaux à chaque convolution, davantage en les empilant.) Demander pourquoi cette différence ; garder les réponses pour la
# section 14.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them count: 64 patches, of 192 numbers each. Ask what the encoder sees from one patch to the next. (Nothing.) And the decoder?
# (Nine patches in each convolution, more when they are stacked.) Ask why they differ; keep the answers for section 14.

# %% [markdown] lang="fr"
# ## 11. Le VQ-VAE
#
# Tout est là ; assemblons. Un **encodeur** (`Patchify`, puis des convolutions 1 × 1, qui ne voient que leur carreau), un dictionnaire, un
# **décodeur** (des convolutions 3 × 3, et deux `Unpatchify`, de 2 et de 4). C'est le **VQ-VAE** ([](work:vandenoord2017)). La perte est
# une somme : l'erreur de reconstruction (au carré, plus absolue), plus la perte du quantificateur.

# %% [markdown] lang="fr"
# Écrivez `loss`. Les images sont de forme (n, 3, H, W). Rendez un dictionnaire à cinq entrées, des tenseurs sans axe : `"loss"`, à
# minimiser ; `"reconstruction"`, la moyenne des carrés plus celle des valeurs absolues ; `"codebook"`, la perte du quantificateur ;
# `"codes_alive"` et `"perplexity"`. Toutes sont détachées, sauf `"loss"`.
#
# <details><summary>Un indice</summary>
#
# `quantized = self.quantizer(self.encoder(images))` donne `quantized.codes`, `quantized.vectors` et `quantized.loss`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Le décodeur reçoit `quantized.vectors` : les codes, avec le gradient de l'encodeur. `F.mse_loss` et `F.l1_loss` sont les deux erreurs.
#
# </details>

# %% [markdown] lang="en"
# ## 11. The VQ-VAE
#
# Everything is there; let us put it together. An **encoder** (`Patchify`, then 1 × 1 convolutions, which see their own patch alone), a
# codebook, a **decoder** (3 × 3 convolutions, and two `Unpatchify`, of 2 and of 4). This is the **VQ-VAE** ([](work:vandenoord2017)). The
# loss is a sum: the reconstruction error (squared, plus absolute), plus the loss of the quantiser.

# %% [markdown] lang="en"
# Write `loss`. The pictures are of shape (n, 3, H, W). Return a dictionary of five entries, tensors without an axis: `"loss"`, to be
# minimised; `"reconstruction"`, the mean of squares plus that of absolute values; `"codebook"`, the loss of the quantiser; `"codes_alive"`
# and `"perplexity"`. All but `"loss"` are detached.
#
# <details><summary>A hint</summary>
#
# `quantized = self.quantizer(self.encoder(images))` gives `quantized.codes`, `quantized.vectors` and `quantized.loss`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The decoder receives `quantized.vectors`: the codes, with the gradient of the encoder. `F.mse_loss` and `F.l1_loss` are the two errors.
#
# </details>

# %% implements="codebook:VQVAE" level=2 hollow=["loss"]
"""Le VQ-VAE : un encodeur, un dictionnaire, un décodeur.

Les images sont dans [-1, 1] ; les codes sont des nombres entiers inférieurs à
`num_codes`, (n, grid, grid). `beta` et `decay` sont ceux de `VectorQuantizer`.
"""
"""Le code le plus proche à chaque place."""
"""L'image que représente une grille de codes."""
"""La perte et ses parties, par leur nom.

« loss » vaut « reconstruction » + « codebook ». La première est l'erreur
au carré moyenne plus l'erreur absolue moyenne entre les images et ce que
le décodeur fait des vecteurs quantifiés ; la seconde est la perte du
quantificateur. « codes_alive » et « perplexity » disent combien de codes
le lot emploie. Tout est détaché, sauf « loss ».
"""

# %% scratch=true
torch.manual_seed(0)
tiny = VQVAE(CodecConfig(resolution=8, grid=2, num_codes=4, width=4, depth=1))
parts = tiny.loss(torch.zeros(1, 3, 8, 8))
round((parts["loss"] - parts["reconstruction"] - parts["codebook"]).item(), 3)
# → 0.0

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 10-12"
# ### Exercices 10 à 12 · Monter le VQ-VAE
#
# **20 min.**
#
# - **10** ●● `Patchify` : couper, projeter.
# - **11** ● `Unpatchify` : peindre, ranger.
# - **12** ●● `VQVAE` : la somme des pertes.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 10-12"
# ### Exercises 10 to 12 · Build the VQ-VAE
#
# **20 min.**
#
# - **10** ●● `Patchify`: cut, project.
# - **11** ● `Unpatchify`: paint, put in place.
# - **12** ●● `VQVAE`: the sum of the losses.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Fautes à guetter en 10 : `reshape` au lieu de `rearrange` (des suites d'une ligne passent pour des carreaux) ; l'ordre (p q c). En
# 12 : décoder les codes nus, sans gradient ; oublier la perte du quantificateur. Demander ce qui apprend si l'on décode les codes nus. (Le
# décodeur seul.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Mistakes to look for in 10: `reshape` in place of `rearrange` (runs of a row pass for patches); the order (p q c). In 12: decoding
# bare codes, without a gradient; forgetting the quantiser's loss. Ask what learns if one decodes bare codes. (The decoder alone.)

# %% [markdown] lang="fr"
# Entraînons-le, avec 128 codes, donc autant de bits que l'avant-dernier cran du bouton. `Learner` range deux optimiseurs, ceux de toutes les
# machines du cours : Muon pour les matrices et les noyaux, AdamW pour le reste. Tous les vingt pas, on ranime ; passé les quatre
# cinquièmes, on laisse les codes se poser. **Devinez** : l'erreur sur les scènes jamais vues sera-t-elle plus basse que celle des carreaux
# de pixels ?

# %% [markdown] lang="en"
# Let us train it, with 128 codes, so with as many bits as the last notch but one of the knob. `Learner` keeps two optimisers, those of all
# machines of the course: Muon for matrices and kernels, AdamW for the rest. Every twenty steps codes are revived; after four fifths they
# are left to settle. **Guess**: will the error on scenes never seen be lower than that of patches of pixels?

# %%
from dalle_edu.classroom.learner import Learner
from dalle_edu.training.learning_rate import learning_rate_schedule


def learn(codec, steps, revive=True):
    learner = Learner(codec, muon=("encoder", "decoder"))
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        chosen = torch.randint(len(images), (8,), generator=generator)
        loss = codec.loss(images[chosen])["loss"]
        learner.step(loss, learning_rate_schedule(step, step / steps))
        if revive and step % 20 == 19 and step < 0.8 * steps:
            vectors = codec.encoder(images[chosen]).detach()
            codec.quantizer.revive(vectors, generator=generator)
    return codec.state_dict()


# %%
torch.manual_seed(0)
shape = CodecConfig(64, 8, num_codes=128, width=24, depth=1, code_dim=8)
codec = VQVAE(shape, decay=0.9)


def train_codec():
    return learn(codec, steps=400)


# %%
@torch.no_grad()
def looked_at(codec, pictures):
    # en: the codes, what is painted from them, and the squared error
    # fr: les codes, ce que l'on en peint, et l'erreur au carré
    codes = codec.encode(pictures)
    painted = codec.decode(codes)
    return codes, painted, F.mse_loss(painted, pictures).item()


# %%
codec.load_state_dict(kept("codec", train_codec, patience=5))
codec.eval()
exam_codes, exam_painted, codec_error = looked_at(codec, exam)
alive, perplexity = codes_alive(exam_codes, 128)
with torch.no_grad():
    trained_for_hours = well_trained.decode(well_trained.encode(exam).flatten(1))
hours_error = F.mse_loss(trained_for_hours, exam).item()
pixels_error = knob["errors"][3][1]
print(say("128 patches of pixels:", "128 carreaux de pixels :  "), decimal(pixels_error, 4))
print(say("our VQ-VAE, 128 codes:", "notre VQ-VAE, 128 codes : "), decimal(codec_error, 4))
print(say("trained for hours, 384:", "entraîné des heures, 384 :"), decimal(hours_error, 4))
print(say("codes alive:", "codes en vie :"), f"{alive:.0f}/128,",
      say("perplexity:", "perplexité :"), decimal(perplexity, 1))

# %% claims=true
assert codec_error < 0.95 * pixels_error
assert hours_error < pixels_error / 8
assert alive > 100
assert 5.5 < perplexity < 6.5

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. Le même nombre de bits
#
# 128 carreaux de pixels, ou 128 codes appris ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. The same number of bits
#
# 128 patches of pixels, or 128 learned codes?

# %% slide="fragment" tags=["hide-input"]
draw_pairs({say("scene", "scène"): exam, say("pixels", "pixels"): laid(knob["books"][3]),
            "VQ-VAE": exam_painted},
           say("Five scenes: laid with 128 patches of pixels their edges are broken; "
               "painted by the VQ-VAE they are softer, and whole.",
               "Cinq scènes : posées avec 128 carreaux de pixels, leurs bords sont "
               "brisés ; peintes par le VQ-VAE, elles sont plus douces, entières."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire comparer les bords. Les deux lignes disent la même chose en autant de bits. Demander ce que le réseau a de plus. (Un décodeur
# qui voit les voisins, et des codes choisis pour lui.) Lire la table : le même réseau, plus grand et entraîné des heures, fait plus de huit
# fois mieux ; les carreaux de pixels, eux, n'ont plus rien à apprendre.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have the edges compared. Both rows say the same in as many bits. Ask what the network has in addition. (A decoder that sees the
# neighbours, and codes chosen for it.) Read the table: the same network, larger and trained for hours, does over eight times better;
# patches of pixels have nothing more to learn.

# %% [markdown] lang="fr"
# Au même prix, le VQ-VAE se trompe moins, après moins d'une minute d'apprentissage. Et il a de la marge : le codec de la [](lesson:13), plus
# grand et entraîné des heures, se trompe plus de huit fois moins que les carreaux de pixels, qui, eux, n'ont plus rien à apprendre.
#
# Plus de cent codes vivent, mais la perplexité est sous dix. Est-ce un effondrement ? Regardez qui prend la place :

# %% [markdown] lang="en"
# At the same price the VQ-VAE is wrong by less, after less than a minute of training. And it has room to grow: the codec of [](lesson:13),
# larger and trained for hours, has less than an eighth of the error of patches of pixels, which have nothing more to learn.
#
# More than a hundred codes are alive, but the perplexity is below ten. Is that a collapse? See who takes the room:

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Perplexité 6 sur 128 : un effondrement ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Perplexity 6 of 128: a collapse?

# %% slide="fragment" tags=["hide-input"]
counts = torch.bincount(exam_codes.flatten(), minlength=128)
counts = counts.sort(descending=True).values
shares = 100 * counts / counts.sum()
ink = exam_codes[exam_codes != exam_codes.flatten().mode().values]
ink_perplexity = codes_alive(ink.view(1, 1, -1), 128)[1].item()
figure, axes = plot(width=7, height=3)
axes.bar(range(1, 129), shares.clamp(min=0.02), color=BLUE, width=1.0)
axes.set(yscale="log", xlabel=say("codes, from the commonest on",
                                  "codes, à partir du plus fréquent"),
         ylabel=say("share of positions (%)", "part des places (%)"))
axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
axes.minorticks_off()
picture(figure, say("One code takes over two thirds of all positions; more than a "
                    "hundred others share the rest.",
                    "Un code prend plus des deux tiers des places ; plus de cent "
                    "autres se partagent le reste."))

# %% claims=true
assert 66 < shares[0] < 75
assert ink_perplexity > 50

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander quel est le premier code. (Le papier blanc : plus des deux tiers.) Une perplexité basse n'est donc pas un mal en soi : sans
# le papier, elle dépasse cinquante. Demander ce que l'on verrait dans un vrai effondrement. (Peu de codes vivants, et une erreur qui ne
# baisse plus.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask which code comes first. (White paper: more than two thirds.) So a low perplexity is no harm in itself: without the paper it
# exceeds fifty. Ask what one would see in a true collapse. (Few codes alive, and an error that no longer falls.)

# %% [markdown] lang="fr"
# Un seul code, celui du papier blanc, prend plus des deux tiers des places. Sans lui, la perplexité dépasse 50. Une perplexité se lit donc
# avec les images sous les yeux.
#
# ## 12. Soixante-quatre mots
#
# Voici une scène de l'examen, que notre codec n'a jamais vue, dite par lui : un numéro par carreau ; puis redite, à partir de ces seuls
# numéros.

# %% [markdown] lang="en"
# A single code, that of white paper, takes more than two thirds of the positions. Without it the perplexity exceeds 50. So a perplexity is
# to be read with the pictures in view.
#
# ## 12. Sixty-four words
#
# Here is a scene of the exam, which our codec has never seen, said by it: a number for each patch; then said back, from these numbers
# alone.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Une image dite en 64 mots, et redite

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. A picture said in 64 words, and said back

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 3, width=9.6, height=3.7)
show(panels[0], exam[4], say("12,288 numbers", "12 288 nombres"))
draw_numbers(panels[1], exam_codes[4], exam[4])
panels[1].set_title(say("64 words", "64 mots"), fontsize=14)
show(panels[2], exam_painted[4], say("said back", "redits"))
picture(figure, say("A square and a heart; the number of a code on each of 64 "
                    "patches; and the scene painted again from these numbers.",
                    "Un carré et un cœur ; le numéro d'un code sur chacun des 64 "
                    "carreaux ; et la scène repeinte d'après ces numéros."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Laisser regarder. Faire trouver le numéro du papier blanc. Demander combien de bits : 64 × 7 = 448, contre 98 304. Demander ce qui
# s'est perdu. (Des coins, des bords : ce qu'un code de plus aurait dit.) Puis revenir à la grille du début.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Let them look. Have them find the number of white paper. Ask how many bits: 64 × 7 = 448, against 98,304. Ask what has been lost.
# (Corners, edges: what one more code would have said.) Then go back to the grid of the beginning.

# %% [markdown] lang="fr"
# Quatre cent quarante-huit bits, au lieu de 98 304. Et maintenant, la grille du tout début. Reprenez vos réponses : combien d'objets, et
# où ? Le codec qui l'avait écrite la repeint.

# %% [markdown] lang="en"
# Four hundred and forty-eight bits, in place of 98,304. And now, the grid of the very beginning. Go back to your answers: how many objects,
# and where? The codec that had written it paints it again.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La grille du début
#
# Qui avait vu juste ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The grid of the beginning
#
# Who had seen it?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
with torch.no_grad():
    said_back = well_trained.decode(sixty_four.flatten()[None])
figure, panels = plot(1, 3, width=9.6, height=3.7)
draw_numbers(panels[0], sixty_four)
panels[0].set_title(say("the 64 numbers", "les 64 nombres"), fontsize=14)
show(panels[1], said_back[0], say("said back", "redits"))
show(panels[2], secret[0], say("the original", "l'original"))
picture(figure, say("The 64 numbers, what the codec paints of them, and the "
                    "original: a green disc above an orange triangle.",
                    "Les 64 nombres, ce que le codec en peint, et l'original : "
                    "un disque vert au-dessus d'un triangle orange."))

# %% claims=true
assert F.mse_loss(said_back, secret) < 0.004
_scene = sample_scene(5, 8)
assert {(each.shape, each.colour) for each in _scene.objects} == {
    ("triangle", "orange"), ("circle", "green")}

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Relire les paris du début avant de découvrir. Demander ce que l'on pouvait savoir de la grille seule : où il y a de l'encre, rien de
# plus. Le sens des numéros est dans le dictionnaire et dans le décodeur. Demander : que faudrait-il pour qu'une machine **écrive** de telles
# grilles ? (La leçon 05.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Read the bets of the beginning again before uncovering. Ask what could be known from the grid alone: where there is ink, nothing
# more. What numbers mean is in the codebook and in the decoder. Ask: what would it take for a machine to **write** such grids? (Lesson 05.)

# %% [markdown] lang="fr"
# Un disque vert, un triangle orange : 12 288 nombres, dits en 64 mots, et redits. La grille seule disait où il y a de l'encre ; ce
# que les mots veulent dire est dans le dictionnaire et dans le décodeur.
#
# Deux numéros voisins se ressemblent-ils ? Voici douze codes de notre dictionnaire, dans l'ordre de leurs numéros, chacun peint sur neuf
# carreaux, seul de son espèce. **Devinez** d'abord.

# %% [markdown] lang="en"
# A green disc, an orange triangle: 12,288 numbers, said in 64 words, and said back. The grid alone told where there is ink; what the
# words mean is in the codebook and in the decoder.
#
# Are two neighbouring numbers alike? Here are twelve codes of our codebook, in the order of their numbers, each painted on nine patches,
# with no other beside it. **Guess** first.

# %%
paper = int(exam_codes.flatten().mode().values)
inked = [number for number in exam_codes.unique().tolist() if number != paper][:12]
nine_times = torch.tensor(inked)[:, None, None].expand(12, 3, 3)
with torch.no_grad():
    strip = codec.decode(nine_times)

# %%
codebook = codec.quantizer.codebook.detach()
in_use = codebook[exam_codes.unique()]
next_ones = (in_use[1:] - in_use[:-1]).norm(dim=1).mean().item()
any_two = torch.pdist(in_use).mean().item()
print(say("distance to the next number:", "distance au numéro suivant :"),
      decimal(next_ones, 2))
print(say("distance of any two:", "distance de deux quelconques :"), decimal(any_two, 2))

# %% claims=true
assert 0.85 < next_ones / any_two < 1.15

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### L'ordre des numéros n'a pas de sens

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The order of the numbers means nothing

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 6, width=9, height=3.6)
for panel, number, painted in zip(panels.flat, inked, strip):
    show(panel, painted, str(number))
picture(figure, say("Twelve codes, each painted on nine patches: some nearly white, "
                    "others blue, green or red; no order shows.",
                    "Douze codes, chacun peint sur neuf carreaux : les uns presque "
                    "blancs, d'autres bleus, verts ou rouges ; nul ordre."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander s'il y a un ordre. (Non : deux numéros voisins ne sont pas plus proches que deux autres.) Demander alors ce que voudrait
# dire « le code 12,5 ». (Rien : on n'additionne pas des mots.) C'est pourquoi l'écrivain de la section 15 prédira des probabilités, comme
# pour des mots.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask whether there is an order. (No: two neighbouring numbers are no nearer than two others.) Then ask what "code 12.5" would mean.
# (Nothing: one does not add words up.) This is why the writer of section 15 will predict probabilities, as for words.

# %% [markdown] lang="fr"
# Non : deux numéros qui se suivent ne sont pas plus proches que deux autres. Un code est une étiquette. On ne l'ajoute pas, on ne le
# moyenne pas ; on le **prédit**, comme un mot.

# %% [markdown] lang="en"
# No: two numbers that follow each other are no nearer than two others. A code is a label. One does not add it up, nor take its mean; one
# **predicts** it, like a word.

# %% [markdown] lang="fr"
# ## 13. Ce que retient bêta
#
# La [](#two-losses) promettait de dire ce que fait $\beta$. Entraînons trois petits VQ-VAE dont les codes suivent par la **perte** (sans
# moyenne glissante, sans ranimer), avec $\beta = 0$, 0,25 et 4. Mesurons l'écart d'un vecteur à son code, l'étalement des vecteurs
# (l'écart-type), et les codes en vie. **Devinez** ce que devient l'écart à $\beta = 0$, et les codes à $\beta = 4$.

# %% [markdown] lang="en"
# ## 13. What beta holds back
#
# [](#two-losses) promised to tell what $\beta$ does. Let us train three small VQ-VAEs whose codes follow by the **loss** (no moving average,
# no revival), with $\beta = 0$, 0.25 and 4. We measure the distance of a vector from its code, the spread of the vectors (their standard
# deviation), and the codes alive. **Guess** what becomes of the distance at $\beta = 0$, and of the codes at $\beta = 4$.

# %%
betas = [0.0, 0.25, 4.0]
config = CodecConfig(64, 8, num_codes=64, width=12, depth=1, code_dim=8)


@torch.no_grad()
def held_back(codec):
    vectors = codec.encoder(exam).permute(0, 2, 3, 1)
    codes = codec.encode(exam)
    squared = (vectors - codec.quantizer.codebook[codes]).square().sum(dim=-1)
    spread = vectors.flatten(0, 2).var(dim=0).sum().sqrt().item()
    return squared.mean().sqrt().item(), spread, codes_alive(codes, 64)[0].item()


# %%
def try_betas():
    found = []
    for beta in betas:
        torch.manual_seed(0)
        small_codec = VQVAE(config, beta=beta, decay=None)
        learn(small_codec, steps=120, revive=False)
        found.append(list(held_back(small_codec)))
    return found


# %%
held = kept("betas", try_betas, patience=5)
print(say("  β    distance  spread  codes alive", "  β    écart     étalement  codes en vie"))
for beta, (distance, spread, living) in zip(betas, held):
    print(f"{decimal(beta, 2):>5}", f"{decimal(distance, 2):>8}",
          f"{decimal(spread, 2):>8}", f"{living:8.0f} / 64")
away, wide, alive_codes = zip(*held)

# %% claims=true
_distances, _spreads, _living = zip(*held)
assert _distances[0] > 1.5 * _spreads[0]
assert _distances[1] < 0.8 * _spreads[1]
assert list(_spreads) == sorted(_spreads, reverse=True)
assert list(_distances) == sorted(_distances, reverse=True)
assert _living[2] <= 3 < _living[1] < 10 < _living[0] < 20

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 13. Ce que retient bêta
#
# Trois petits VQ-VAE, sans ranimer : trop peu de bêta, assez, trop.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 13. What beta holds back
#
# Three small VQ-VAEs, no revival: too little beta, enough, too much.

# %% slide="fragment" tags=["hide-input"]
figure, (lengths, lives) = plot(1, 2, width=9, height=3.2)
names = say("distance to the code|spread of the vectors",
            "écart au code|étalement des vecteurs").split("|")
for shift, row, colour, name in ((-0.2, away, VERMILION, names[0]),
                                 (0.2, wide, SKY, names[1])):
    sides = [each + shift for each in range(3)]
    lengths.bar(sides, row, 0.38, color=colour, label=name)
legend(lengths)
lives.bar(range(3), alive_codes, 0.5, color=BLUE)
for place, count in enumerate(alive_codes):
    lives.text(place, count + 0.5, f"{count:.0f}", ha="center", fontsize=13)
lives.set(title=say("codes alive, of 64", "codes en vie, sur 64"), ylim=(0, 21))
for axes in (lengths, lives):
    axes.set_xticks(range(3), [f"β = {beta:g}" for beta in betas])
picture(figure, say("No beta: vectors are farther from their codes than they spread. "
                    "A large one: they hardly spread, and few codes live.",
                    "Sans bêta, les vecteurs sont plus loin de leurs codes qu'ils ne "
                    "s'étalent ; avec un grand, tout se serre, peu vivent."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire deviner les deux bouts. À 0, le décodeur pousse les vecteurs, rien ne les retient, les codes courent derrière : l'écart dépasse
# l'étalement. À 4, les vecteurs n'osent plus quitter leurs codes : deux ou trois codes disent tout. Demander quel remède de la section 9
# aiderait à 4. (Ranimer.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let them guess both ends. At 0 the decoder pushes vectors, nothing holds them, codes run after them: the distance exceeds the
# spread. At 4 vectors no longer dare to leave their codes: two or three codes say all. Ask which cure of section 9 would help at 4.
# (Revival.)

# %% [markdown] lang="fr"
# Sans bêta, rien ne retient les vecteurs : le décodeur les pousse, ils s'enfuient, et les codes courent derrière sans les rattraper.
# L'écart dépasse l'étalement : le passage direct copie un gradient pris bien loin de là. Avec un grand bêta, les vecteurs restent collés
# aux premiers codes venus : deux ou trois mots pour tout dire. Entre les deux, un quart. (Même là,
# moins de dix codes vivent : bêta ne dispense pas de ranimer.)

# %% [markdown] lang="en"
# Without beta nothing holds the vectors: the decoder pushes them, they run away, and the codes run after them without catching up. The
# distance exceeds the spread: straight-through copies a gradient taken a long way off. With a large beta the vectors stick to the first
# codes that come: two or three words to say everything. Between the two, a quarter. (Even there, fewer than ten
# codes live: beta does not spare the revival.)

# %% [markdown] lang="fr"
# ## 14. Pourquoi des carreaux aveugles
#
# Notre encodeur ne voit qu'un carreau à la fois, alors que le décodeur voit les voisins. Pourquoi s'en priver ? Essayons un encodeur aux
# convolutions 3 × 3, qui voit. Même nombre de codes ; moins de canaux et moins de pas, pour aller vite. **Devinez** : combien de codes
# différents chacun emploie-t-il pour le papier blanc ?

# %% [markdown] lang="en"
# ## 14. Why patches are blind
#
# Our encoder sees nothing of a patch but itself, while the decoder sees the neighbours. Why do without? Let us try an encoder with 3 × 3
# convolutions, which sees. As many codes; fewer channels and fewer steps, to be quick. **Guess**: how many different codes does each one use
# for white paper?

# %%
from dalle_edu.bricks.convolution import residual_stack


def encoder_that_sees(config):
    wide = 4 * config.width
    return nn.Sequential(
        Patchify(3, wide, 8),
        residual_stack(wide, 1, kernel_size=3),
        nn.ReLU(),
        nn.Conv2d(wide, config.code_dim, kernel_size=1),
    )


# %%
torch.manual_seed(0)
seeing_config = replace(shape, width=16)
seeing = VQVAE(seeing_config, decay=0.9)
seeing.encoder = encoder_that_sees(seeing_config)


def train_seeing():
    return learn(seeing, steps=200)


# %%
seeing.load_state_dict(kept("seeing", train_seeing, patience=5))
seeing.eval()
is_white = (cut(exam) > 0.9999).all(dim=-1)
seen_codes, _, seeing_error = looked_at(seeing, exam)
blind_words, seeing_words = (len(codes[is_white].unique())
                             for codes in (exam_codes, seen_codes))
print(say("codes for white paper, blind encoder:", "codes du papier blanc, encodeur aveugle :"),
      blind_words)
print(say("codes for white paper, seeing encoder:", "codes du papier blanc, encodeur qui voit :"),
      seeing_words)
for name, codes in ((say("blind", "aveugle"), exam_codes), (say("seeing", "qui voit"), seen_codes)):
    print(f"{name:9}", say("perplexity:", "perplexité :"), decimal(codes_alive(codes, 128)[1], 1))

# %% claims=true
assert blind_words == 1
assert seeing_words > 25
assert codes_alive(seen_codes, 128)[1] > 2 * codes_alive(exam_codes, 128)[1]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 14. Pourquoi des carreaux aveugles
#
# Un mot pour le papier blanc, ou des dizaines ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 14. Why patches are blind
#
# One word for white paper, or dozens?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 3, width=9.6, height=3.7)
show(panels[0], exam[3], say("scene", "scène"))
draw_numbers(panels[1], exam_codes[3], exam[3])
panels[1].set_title(say("blind encoder", "encodeur aveugle"), fontsize=14)
draw_numbers(panels[2], seen_codes[3], exam[3])
panels[2].set_title(say("encoder that sees", "encodeur qui voit"), fontsize=14)
picture(figure, say("A small square; the blind encoder writes one number on all white "
                    "patches, the seeing one writes many different ones.",
                    "Un petit carré ; l'encodeur aveugle écrit un seul numéro sur "
                    "tous les carreaux blancs, celui qui voit en écrit beaucoup."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander ce que l'encodeur qui voit écrit sur un carreau blanc. (Quelque chose de ses voisins, du bord de la feuille.) Sa perplexité
# est plus haute : est-ce mieux ? (Pas pour qui devra prédire ces codes : beaucoup de mots pour du vide.) Une perplexité haute n'est pas un
# but.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask what the seeing encoder writes on a white patch. (Something about its neighbours, about the edge of the sheet.) Its perplexity
# is higher: is that better? (Not for one who will have to predict these codes: many words for nothing.) A high perplexity is no goal.

# %% [markdown] lang="fr"
# L'aveugle dit le papier d'un seul mot, toujours le même : à carreau égal, code égal. Celui qui voit emploie des dizaines de mots pour du
# vide, car il y met quelque chose des voisins et des bords. Sa perplexité est bien plus haute, et ce n'est **pas** un avantage : celui qui
# devra prédire ces codes passera son temps à prédire du papier. Voilà pourquoi nos carreaux sont aveugles.

# %% [markdown] lang="en"
# The blind one says paper in a single word, always the same: to equal patches, equal codes. The seeing one uses dozens of words for
# nothing, as it puts something of neighbours and edges in them. Its perplexity is much higher, and that is **no** advantage: whoever has to
# predict these codes will spend the time on predicting paper. This is why our patches are blind.

# %% [markdown] lang="fr"
# ## 15. Un sac de codes ne dessine pas
#
# Le VQ-VAE dessine-t-il ? Le VAE de la [](lesson:07) tirait au sort un point de son plan latent, et le décodait. Tirons donc des codes.
# Selon quelle loi ? Pour un VAE, le KL tire les vecteurs vers une loi connue. Ici, l'encodeur choisit un code **à coup sûr** ; face à une loi
# uniforme sur $k$ codes, le KL de chaque place vaut toujours $\log k$, quoi que fasse l'encodeur : une constante, sans gradient. Rien ne
# rend donc la loi uniforme vraie. Prenons les **fréquences** mesurées : un **sac de codes**, dont on tire 64 numéros. **Devinez** l'image.
#
# Mesurons d'abord ce sac en bits. Un code de fréquence $f$ s'y dit en $-\log_2 f$ bits : 1 bit pour une fréquence de 1/2, 3 pour 1/8. Deux
# fois un code de fréquence 1/2, puis un de 1/8 : ces trois codes se disent en moyenne en $(1 + 1 + 3) / 3 = 1{,}67$ bit.

# %% [markdown] lang="en"
# ## 15. A bag of codes does not draw
#
# Does the VQ-VAE draw? The VAE of [](lesson:07) sampled a point of its latent plane, and decoded it. So let us sample codes. From which
# distribution? In a VAE the KL pulls vectors towards a known one. Here the encoder chooses a code **for sure**; against a uniform
# distribution over $k$ codes the KL of each position is always $\log k$, whatever the encoder does: a constant, without a gradient. So
# nothing makes the uniform distribution true. Let us take the measured **frequencies**: a **bag of codes**, out of which one takes 64
# numbers. **Guess** the picture.
#
# First let us measure this bag in bits. A code of frequency $f$ is said in $-\log_2 f$ bits: 1 bit for a frequency of 1/2, 3 for 1/8. Twice
# a code of frequency 1/2, then one of 1/8: these three codes are said in $(1 + 1 + 3) / 3 = 1.67$ bits on average.

# %% [markdown] lang="fr"
# Écrivez `bits_of_bag(codes, frequencies)` : `codes` contient des numéros, de forme quelconque ; `frequencies`, de forme (k,), toutes
# positives, de somme 1. Rendez la moyenne des bits, dans un tenseur sans axe.
#
# <details><summary>Un indice</summary>
#
# `frequencies[codes]` est la fréquence de chaque code ; `.log2()`, un signe, `.mean()`.
#
# </details>

# %% [markdown] lang="en"
# Write `bits_of_bag(codes, frequencies)`: `codes` holds numbers, of any shape; `frequencies`, of shape (k,), all positive, sum to 1. Return
# the mean of the bits, in a tensor without an axis.
#
# <details><summary>A hint</summary>
#
# `frequencies[codes]` is the frequency of each code; `.log2()`, a sign, `.mean()`.
#
# </details>

# %% level=1
def bits_of_bag(codes, frequencies):
    return -frequencies[codes].log2().mean()

# %% scratch=true
bits_of_bag(torch.tensor([0, 0, 1]), torch.tensor([0.5, 0.125, 0.375]))
# → tensor(1.6667)

# %%
def bits_of_two_bags():
    fair = torch.full((8,), 0.125)
    unfair = torch.tensor([0.25, 0.5, 0.25])
    return torch.stack([bits_of_bag(torch.arange(8).view(2, 4), fair),
                        bits_of_bag(torch.tensor([0, 1, 1, 2]), unfair)])


expect(bits_of_two_bags, torch.tensor([3.0, 1.5]),
       say("the bits of eight equal codes, and of three unequal ones",
           "les bits de huit codes égaux, puis de trois codes inégaux"))

# %% [markdown] lang="fr"
# Face au sac, un **GPT** ([](lesson:05)) : il lit les codes déjà écrits, ligne après ligne, et prédit le suivant. Le voici en peu de lignes,
# avec les blocs de la [](lesson:05) ; chaque code reçoit sa place sous la forme d'une ligne et d'une colonne. À la place $i$, il ne voit que
# les codes d'avant : tout est décalé d'un cran, derrière un jeton de début.

# %% [markdown] lang="en"
# Against the bag, a **GPT** ([](lesson:05)): it reads the codes already written, row after row, and predicts the next. Here it is in a few
# lines, with the blocks of [](lesson:05); each code is given its place as a row and a column. At position $i$ it sees the codes before it
# only: everything is shifted by one, behind a start token.

# %%
class CodeGPT(nn.Module):
    def __init__(self, num_codes, width):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(width))
        self.embedding = nn.Embedding(num_codes, width)
        self.row, self.column = nn.Embedding(8, width), nn.Embedding(8, width)
        self.blocks = nn.Sequential(Block(width, heads=4), Block(width, heads=4))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, num_codes)

    def forward(self, codes):
        # en: of codes (n, t), the logits of each one, (n, t, k), from those before
        # fr: des codes (n, t), les logits de chacun, (n, t, k), d'après les précédents
        places = torch.arange(codes.shape[1])
        before = self.embedding(codes[:, :-1])
        x = torch.cat([self.start.expand(len(codes), 1, -1), before], dim=1)
        x = x + self.row(places // 8) + self.column(places % 8)
        return self.head(self.norm(self.blocks(x)))


# %%
with torch.no_grad():
    parts_of_images = [codec.encode(part) for part in images.split(200)]
sentences = torch.cat(parts_of_images).flatten(1)
exam_sentences = exam_codes.flatten(1)


def train_writer():
    generator = torch.Generator().manual_seed(0)
    learner = Learner(writer, muon=("blocks",))
    for step in range(260):
        chosen = torch.randint(len(sentences), (16,), generator=generator)
        logits = writer(sentences[chosen])
        loss = F.cross_entropy(logits.flatten(0, 1), sentences[chosen].flatten())
        learner.step(loss, learning_rate_schedule(step, step / 260))
    return writer.state_dict()


# %%
torch.manual_seed(0)
writer = CodeGPT(num_codes=128, width=64)
writer.load_state_dict(kept("writer", train_writer, patience=5))
writer.eval()
counts = torch.bincount(sentences.flatten(), minlength=128) + 0.5
frequencies = counts / counts.sum()
with torch.no_grad():
    logits = writer(exam_sentences).flatten(0, 1)
    nats = F.cross_entropy(logits, exam_sentences.flatten())
bag_bits = -frequencies[exam_sentences].log2().mean().item()
writer_bits = nats.item() / math.log(2)
for name, bits in ((say("all codes alike:", "tous les codes égaux :"), 7.0),
                   (say("bag of codes:", "sac de codes :"), bag_bits),
                   (say("GPT on codes:", "GPT sur les codes :"), writer_bits)):
    print(f"{name:23}", decimal(bits, 2), say("bits a code,", "bits par code,"),
          decimal(64 * bits, 0), say("a picture", "par image"))

# %% claims=true
assert bag_bits < 3
assert writer_bits < bag_bits / 1.7 and 64 * writer_bits < 100

# %% [markdown] lang="fr"
# L'image de 98 304 bits, puis de 448, n'en demande plus que cent, ou moins, à qui sait prédire : prédire, c'est comprimer.
#
# Pour la suite, voici un « GPT » sans surprise : il est sûr que vient un de plus que le code d'avant (après 6 vient 0), et commence par 5.

# %% [markdown] lang="en"
# The picture of 98,304 bits, then of 448, asks no more than a hundred, or fewer, from one who can predict: to predict is to compress.
#
# For what follows, here is a "GPT" without surprises: it is sure that one more than the code before comes next (after 6 comes 0), and it
# begins with 5.

# %%
def counting(codes):
    # en: codes of shape (n, t); logits of shape (n, t, 7)
    # fr: des codes de forme (n, t) ; des logits de forme (n, t, 7)
    last = F.pad(codes[:, :-1], (1, 0), value=4)
    return 1000.0 * F.one_hot((last + 1) % 7, 7)

# %% [markdown] lang="fr"
# Faites écrire ce GPT. `write_codes(gpt, count, generator)` rend `count` phrases de 64 codes, de forme (count, 64). À chaque pas : les logits
# du prochain code, un tirage, et le code rejoint la phrase. `gpt` s'appelle comme `writer` : de (n, t), il rend (n, t, k), et sa dernière
# ligne ne dépend pas du dernier code reçu.
#
# <details><summary>Un indice</summary>
#
# Commencez par `written = torch.zeros(count, 0, dtype=torch.long)`. Pour interroger le GPT sur la place suivante, ajoutez un code
# quelconque : `gpt(F.pad(written, (0, 1)))[:, -1]`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)`, de forme (count, 1), puis `torch.cat`.
#
# </details>

# %% [markdown] lang="en"
# Let this GPT write. `write_codes(gpt, count, generator)` returns `count` sentences of 64 codes, of shape (count, 64). At each step: the
# logits of the next code, a sample, and the code joins the sentence. `gpt` is called as `writer` is: of (n, t) it makes (n, t, k), and its
# last row does not depend on the last code that it is given.
#
# <details><summary>A hint</summary>
#
# Begin with `written = torch.zeros(count, 0, dtype=torch.long)`. To ask the GPT about the next place, append any code:
# `gpt(F.pad(written, (0, 1)))[:, -1]`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)`, of shape (count, 1), then `torch.cat`.
#
# </details>

# %% level=3
def write_codes(gpt, count, generator):
    written = torch.zeros(count, 0, dtype=torch.long)
    for _ in range(64):
        logits = gpt(F.pad(written, (0, 1)))[:, -1]
        chosen = torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)
        written = torch.cat([written, chosen], dim=1)
    return written

# %% scratch=true
write_codes(counting, 1, torch.Generator())[0, :9].tolist()
# → [5, 6, 0, 1, 2, 3, 4, 5, 6]

# %%
def coin(codes):
    return torch.zeros(*codes.shape, 2)


def count_and_chance():
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1, 1)]
    sure = write_codes(counting, 3, generators[0])
    fair, again = (write_codes(coin, 200, each) for each in generators[1:])
    half = bool(0.45 < fair.float().mean() < 0.55)
    return [list(sure.shape), sure[2, -3:].tolist(), half, torch.equal(fair, again)]


expect(count_and_chance, [[3, 64], [3, 4, 5], True, True],
       say("the shape, the end of a count, whether a coin is fair, and whether one "
           "seed always writes the same",
           "la forme, la fin d'un compte, si une pièce est équitable, et si une même "
           "graine écrit toujours la même chose"))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 13-14"
# ### Exercices 13 et 14 · Du sac au GPT
#
# **12 min.**
#
# - **13** ● `bits_of_bag` : que coûte un code ?
# - **14** ●●● `write_codes` : écrire une image.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 13-14"
# ### Exercises 13 and 14 · From the bag to the GPT
#
# **12 min.**
#
# - **13** ● `bits_of_bag`: what does a code cost?
# - **14** ●●● `write_codes`: write a picture.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Fautes à guetter en 13 : le logarithme naturel (des nats) ; le signe. En 14 : prendre le code le plus probable au lieu de tirer ;
# lire les logits de la mauvaise place. Demander pourquoi le GPT doit connaître la ligne et la colonne. (Sans elles, il ne sait pas où finit
# une ligne.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Mistakes to look for in 13: the natural logarithm (nats); the sign. In 14: taking the likeliest code instead of sampling; reading
# the logits of the wrong place. Ask why the GPT must know the row and the column. (Without them it does not know where a row ends.)

# %% [markdown] lang="fr"
# Six dessins du sac, six du GPT, six vraies scènes dites par le codec. La bibliothèque écrit comme vous (`sample_sequence`), avec un hasard
# venu du dehors.

# %% [markdown] lang="en"
# Six drawings from the bag, six by the GPT, six true scenes as the codec says them. The library writes as you do (`sample_sequence`), with
# random numbers that come from outside.

# %%
from dalle_edu.bricks.decoding import sample_sequence


@torch.no_grad()
def next_logits(position, written):
    return writer(F.pad(written, (0, 1)))[:, -1]


generator = torch.Generator().manual_seed(4)
from_bag = torch.multinomial(frequencies, 6 * 64, True, generator=generator)
from_bag = from_bag.view(6, 8, 8)
uniforms = torch.rand(6, 64, generator=generator)
from_writer = sample_sequence(next_logits, uniforms).view(6, 8, 8)
with torch.no_grad():
    drawn_by_bag = codec.decode(from_bag)
    drawn_by_writer = codec.decode(from_writer)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 15. Un sac de codes fait des confettis

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 15. A bag of codes makes confetti

# %% slide="fragment" tags=["hide-input"]
draw_pairs({say("bag", "sac"): drawn_by_bag, "GPT": drawn_by_writer,
            say("scenes", "scènes"): exam_painted[:6]},
           say("From the bag, confetti of all colours; from the GPT, blots of one "
               "colour, some of them objects; below, true scenes.",
               "Du sac, des confettis de toutes les couleurs ; du GPT, des taches "
               "d'une couleur, parfois des objets ; en bas, de vraies scènes."),
           chosen=range(6))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Cacher la deuxième ligne. Demander ce qui manque au sac. (Qu'un code dépende de ses voisins.) Découvrir le GPT : des taches d'un
# seul tenant, presque d'une seule couleur. Lire les bits : 7, puis moins de 3, puis moins encore. Demander ce qui lui manque pour être
# DALL·E. (Une phrase.) Lire la première phrase de la section 4 de la leçon 11.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Hide the second row. Ask what the bag lacks. (That a code depend on its neighbours.) Uncover the GPT: blots in one piece, nearly
# of one colour. Read the bits: 7, then less than 3, then less again. Ask what it lacks to be DALL·E. (A sentence.) Read the first sentence
# of section 4 of lesson 11.

# %% [markdown] lang="fr"
# Du sac, des confettis : chaque code est plausible, leur voisinage ne l'est pas. Du GPT, des taches d'un seul tenant, chacune presque
# d'une seule couleur, parfois une forme. Il a eu moins d'une minute, et personne ne lui a dit quoi dessiner ; mais il dit un code en
# près de deux fois moins de bits que le sac. Les codes font le vocabulaire, le GPT fait les phrases. Donnez-lui une légende à lire avant,
# et c'est DALL·E 1 : la [](lesson:11) commence là. (Elle choisira ses codes autrement : par un tirage adouci, au lieu du plus proche.)

# %% [markdown] lang="en"
# From the bag, confetti: each code is plausible, their neighbourhood is not. From the GPT, blots in one piece, each nearly of one colour,
# sometimes a shape. It had less than a minute, and nobody told it what to draw; but it says a code in not much more than half the bits of
# the bag. Codes make the vocabulary, the GPT makes the sentences. Give it a caption to read first, and it is DALL·E 1: [](lesson:11)
# begins there. (It will choose its codes another way: by a softened sample, in place of the nearest.)

# %% [markdown] lang="fr"
# ## 16. Quelle erreur est-ce ?
#
# Voici un `nearest_code` écrit par quelqu'un d'autre. Il est faux. Ne regardez pas son code : interrogez-le, avec les trois codes de la
# [](#the-nearest-code), $(0, 0)$, $(4, 0)$ et $(1, 3)$. Puis répondez.

# %% [markdown] lang="en"
# ## 16. Which mistake is this?
#
# Here is a `nearest_code` that somebody else wrote. It is wrong. Do not look at its code: question it, with the three codes of
# [](#the-nearest-code), $(0, 0)$, $(4, 0)$ and $(1, 3)$. Then answer.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("codebook:nearest_code", "largest_product")
asked_about = [[2.5, 1.0], [4.0, 0.0], [1.0, 3.0], [0.1, 0.2], [-1.0, -1.0]]
asked_about = torch.tensor(asked_about)
print(say("vector        its answer", "vecteur       sa réponse"))
for vector, answer in zip(asked_about, mystery(asked_about, corners)):
    written = "  ".join(f"{decimal(each, 1):>4}" for each in vector)
    print(written, f"{int(answer):12}")

# %% claims=true
assert mystery(asked_about, corners).tolist() == [1, 1, 2, 2, 0]
assert nearest_code(asked_about, corners).tolist() == [1, 1, 2, 0, 0]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 16. Quelle erreur est-ce ?
#
# Trois codes : $(0, 0)$, $(4, 0)$, $(1, 3)$.
#
# | vecteur | sa réponse |
# |---|---|
# | $(2{,}5 \,; 1)$ | 1 |
# | $(4 \,; 0)$ | 1 |
# | $(1 \,; 3)$ | 2 |
# | $(0{,}1 \,; 0{,}2)$ | 2 |
# | $(-1 \,; -1)$ | 0 |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 16. Which mistake is this?
#
# Three codes: $(0, 0)$, $(4, 0)$, $(1, 3)$.
#
# | vector | its answer |
# |---|---|
# | $(2.5, 1)$ | 1 |
# | $(4, 0)$ | 1 |
# | $(1, 3)$ | 2 |
# | $(0.1, 0.2)$ | 2 |
# | $(-1, -1)$ | 0 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux minutes par deux, puis un vote. Quatre réponses sont justes ; la quatrième devrait être 0. Demander ce que ce vecteur a de
# particulier. (Il touche le code 0, qui est le plus court.) Faire calculer les trois produits : 0, 0,4, 0,7.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two minutes in pairs, then a vote. Four answers are right; the fourth should be 0. Ask what is special about that vector. (It
# touches code 0, the shortest.) Have the three products worked out: 0, 0.4, 0.7.

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz codebooks"
# ## 17. Neuf questions
#
# **8 min.** Répondez seul, puis comparez à deux.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz codebooks"
# ## 17. Nine questions
#
# **8 min.** Answer alone, then compare in pairs.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Quatre minutes seul, dans le notebook ; puis à main levée. S'arrêter là où la moitié de la salle se trompe. Les bits et la
# compression se refont au tableau. Que chacun note la question qu'il a manquée.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Four minutes alone, in the notebook; then by show of hands. Stop where half the room is wrong. Bits and compression are worked out
# again on the board. Let everyone note the question they missed.

# %% [markdown] lang="fr"
# ## 17. Questions

# %% [markdown] lang="en"
# ## 17. Questions

# %% quiz="codebooks"
quiz(
    Number(
        say("A picture is said in 8 × 8 codes out of 384. How many bits is that, to the nearest whole number?",
            "Une image est dite en 8 × 8 codes pris parmi 384. Combien de bits, arrondis à l'entier ?"),
        right=549,
        why=say("64 × log2(384) = 64 × 8.585 = 549.4.", "64 × log2(384) = 64 × 8,585 = 549,4."),
        computed=lambda: round(64 * math.log2(384)),
        near_misses={
            512: say("8 bits a code would do for 256 codes; 384 are more.", "8 bits par code suffiraient pour 256 codes ; 384, c'est plus."),
            576: say("9 bits a code would do for 512 codes; 384 are fewer.", "9 bits par code suffiraient pour 512 codes ; 384, c'est moins."),
        },
    ),
    Number(
        say("Of 512 codes half are used equally often, the others never. What is the perplexity?",
            "Sur 512 codes, la moitié servent aussi souvent les uns que les autres, le reste jamais. Quelle est la perplexité ?"),
        right=256,
        why=say("The entropy of 256 equal shares is log 256.", "L'entropie de 256 parts égales est log 256."),
        computed=lambda: math.exp(-sum(1 / 256 * math.log(1 / 256) for _ in range(256))),
        tolerance=1e-6,
        near_misses={8: say("That is the entropy in bits; the perplexity is a number of codes.",
                            "C'est l'entropie en bits ; la perplexité est un nombre de codes.")},
    ),
    Choice(
        say("In |sg[v] − c|² + β |v − sg[c]|², which term moves the encoder?",
            "Dans |sg[v] − c|² + β |v − sg[c]|², quel terme déplace l'encodeur ?"),
        [say("the first", "le premier"), say("the second", "le second"), say("both", "les deux")],
        right=1,
        why=say("In the second the code is detached: only v is pushed.", "Dans le second, le code est détaché : seul v est poussé."),
        why_not=[
            say("There v is detached: the term moves codes only.", "Là, v est détaché : le terme ne déplace que les codes."),
            say("Each stops the gradient on one side, so that it moves the other only.",
                "Chacun arrête le gradient d'un côté, et ne déplace donc que l'autre."),
        ],
    ),
    Choice(
        say("Across the straight-through estimator, what does the code receive of the decoder's gradient?",
            "À travers le passage direct, que reçoit le code du gradient du décodeur ?"),
        [say("all of it, as the vector does", "tout, comme le vecteur"),
         say("half of it", "la moitié"),
         say("nothing", "rien")],
        right=2,
        why=say("The difference is detached: all goes to the vector. The code has a loss of its own, or follows as a moving average.",
                "La différence est détachée : tout va au vecteur. Le code a sa propre perte, ou suit par moyennes."),
        why_not=[
            say("Only if nothing were detached; then the output would be v + c − v, and the vector would receive nothing.",
                "Seulement si rien n'était détaché ; alors la sortie serait v + c − v, et le vecteur ne recevrait rien."),
            say("Nothing shares it out: what is detached receives nothing.", "Rien ne le partage : ce qui est détaché ne reçoit rien."),
        ],
    ),
    Number(
        say("A picture of 32 × 32 pixels, three colours of 8 bits each, is said in 4 × 4 codes out of 256. By how much is its size divided?",
            "Une image de 32 × 32 pixels, trois couleurs de 8 bits chacune, est dite en 4 × 4 codes parmi 256. Par combien est divisée sa taille ?"),
        right=192,
        why=say("24,576 bits over 16 × 8 = 128 bits.", "24 576 bits sur 16 × 8 = 128 bits."),
        computed=lambda: 32 * 32 * 3 * 8 / (16 * math.log2(256)),
        near_misses={64: say("There are three colours for each pixel.", "Il y a trois couleurs par pixel.")},
    ),
    Choice(
        say("At the very first batch the perplexity is 1. What does that say?", "Au tout premier lot, la perplexité vaut 1. Qu'est-ce à dire ?"),
        [say("All vectors have chosen one and the same code.", "Tous les vecteurs ont choisi un seul et même code."),
         say("Each code was chosen once.", "Chaque code a été choisi une fois."),
         say("The loss is 1.", "La perte vaut 1.")],
        right=0,
        why=say("A perplexity of 1 is an entropy of 0: nothing is left to predict. One code is nearest to all.",
                "Une perplexité de 1 est une entropie de 0 : rien à prédire. Un code est le plus proche de tous."),
        why_not=[
            say("Then it would be the number of codes, the largest possible.", "Alors elle serait le nombre de codes, la plus grande possible."),
            say("The perplexity knows the codes alone, not the loss.", "La perplexité ne connaît que les codes, pas la perte."),
        ],
    ),
    Choice(
        say("A code has died. What brings it back?", "Un code est mort. Qu'est-ce qui le fait revenir ?"),
        [say("more batches", "davantage de lots"),
         say("to be put on a vector of a batch", "d'être posé sur un vecteur d'un lot"),
         say("a larger β", "un bêta plus grand")],
        right=1,
        why=say("There it is nearest to one vector at least, and follows again.", "Il y est le plus proche d'un vecteur au moins, et suit de nouveau."),
        why_not=[
            say("It does not move because nobody chooses it, and nobody chooses it because it does not move.",
                "Il ne bouge pas parce que personne ne le choisit, et personne ne le choisit parce qu'il ne bouge pas."),
            say("Beta holds the vectors near the codes that they have chosen already.",
                "Bêta retient les vecteurs près des codes qu'ils ont déjà choisis."),
        ],
    ),
    Choice(
        say("When is the largest dot product sure to be the nearest code?", "Quand le plus grand produit scalaire est-il à coup sûr le code le plus proche ?"),
        [say("when the vector has length 1", "quand le vecteur est de longueur 1"),
         say("always", "toujours"),
         say("when all codes have the same length", "quand tous les codes ont la même longueur")],
        right=2,
        why=say("Then |c|² is the same for all, and only − 2 v·c tells them apart.", "Alors |c|² est le même pour tous, et seul − 2 v·c les distingue."),
        why_not=[
            say("The vector's length changes nothing: |v|² is the same for all codes.", "La longueur du vecteur n'y change rien : |v|² est le même pour tous les codes."),
            say("Long codes win against a short one that the vector touches.", "Les codes longs gagnent contre un code court que le vecteur touche."),
        ],
    ),
    Choice(
        say("The straight-through gradient is", "Le gradient du passage direct est"),
        [say("exact", "exact"),
         say("nearly right where codes are dense", "presque juste là où les codes sont serrés"),
         say("right on average, always", "juste en moyenne, toujours")],
        right=1,
        why=say("Tangents are near the chord where the loss is nearly straight from one code to the next.",
                "Les tangentes sont proches de la corde là où la perte est presque droite d'un code au suivant."),
        why_not=[
            say("The true slope across a choice is zero, and that of the mean loss is a chord, not a tangent.",
                "La vraie pente à travers un choix est nulle, et celle de la perte moyenne est une corde, non une tangente."),
            say("It is biased: with codes far apart it may even push the wrong way.",
                "Il est biaisé : avec des codes éloignés, il peut même pousser du mauvais côté."),
        ],
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Un code est une étiquette : log₂ k bits.
# - Choisir n'a pas de pente : on copie un gradient.
# - Une perte par côté ; bêta retient.
# - Suivre, c'est faire des k-moyennes ; ranimer guérit.
# - Un dictionnaire ne dessine pas : un GPT écrit.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - A code is a label: log₂ k bits.
# - A choice has no slope: copy one.
# - A loss for each side; beta holds back.
# - To follow is k-means; revive the dead.
# - A codebook does not draw: a GPT writes.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 6, 9 et 14. La leçon 09 rendra nets les bords
# de ce codec, avec un juge ; la leçon 11 donnera une légende au GPT.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: finish exercises 6, 9 and 14. Lesson 09 will sharpen the edges of this
# codec, with a judge; lesson 11 will give the GPT a caption.

# %% [markdown] lang="fr"
# ## À retenir
#
# - Un dictionnaire remplace un vecteur par le numéro du code le plus proche : $\log_2 k$ bits, et un numéro sans ordre.
# - Les k-moyennes alternent choisir et se placer ; l'erreur ne monte jamais, mais le départ compte.
# - Un choix a une pente nulle. Le passage direct recopie le gradient du code au vecteur : une tangente pour une corde, biaisée, bonne quand
#   les codes sont serrés.
# - Deux pertes, une par côté : le dictionnaire déplace le code, l'engagement, fois bêta, retient le vecteur.
# - Un dictionnaire qui suit par moyennes glissantes est une suite de k-moyennes. Ses codes meurent : on compte, on regarde la perplexité, on
#   ranime.
# - Une perplexité se lit avec les images : un papier dit en un seul mot est une bonne chose.
# - Un VQ-VAE code et décode ; pour dessiner, il faut savoir quels codes vont ensemble.

# %% [markdown] lang="en"
# ## Take-aways
#
# - A codebook replaces a vector by the number of the nearest code: $\log_2 k$ bits, and a number without an order.
# - K-means alternates choosing and moving; the error never rises, but the start matters.
# - A choice has slope zero. Straight-through copies the gradient of the code to the vector: a tangent for a chord, biased, good when codes
#   are dense.
# - Two losses, one for each side: the codebook loss moves the code; the commitment, times beta, holds the vector.
# - A codebook that follows by moving averages is k-means, batch after batch. Its codes die: count them, look at the perplexity, revive.
# - A perplexity is read together with the pictures: paper said in a single word is a good thing.
# - A VQ-VAE codes and decodes; to draw, one must know which codes go together.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:09) ajoutera un juge à ce codec : ce sera le VQGAN, aux bords nets. La [](lesson:11) remplacera le plus proche par un tirage
# adouci, et donnera une légende au GPT ; la [](lesson:13) fera de même avec le VQGAN. D'ici là, entraînez un codec neuf sans
# ranimer (`revive=False`) : combien de codes vivent, et que devient l'erreur ? Et que gagne-t-on à poser d'emblée les codes sur des vecteurs
# du premier lot ?
#
# ## Sources
#
# - S. Lloyd, [*Least squares quantization in PCM*](work:lloyd1982), 1982 (écrit en 1957).
# - A. van den Oord, O. Vinyals et K. Kavukcuoglu, [*Neural discrete representation learning*](work:vandenoord2017), 2017.
# - Y. Bengio, N. Léonard et A. Courville, [*Estimating or propagating gradients through stochastic neurons for conditional
#   computation*](work:bengio2013), 2013.
# - W. Shi et al., [*Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
#   network*](work:shi2016), 2016.
# - P. Esser, R. Rombach et B. Ommer, [*Taming transformers for high-resolution image synthesis*](work:esser2021), 2021, et son code,
#   *taming-transformers*, où se lit l'histoire de bêta.
# - A. Ramesh et al., [*Zero-shot text-to-image generation*](work:ramesh2021), 2021.

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:09) will add a judge to this codec: that will be the VQGAN, with sharp edges. [](lesson:11) will replace the nearest by a softened
# sample, and give the GPT a caption; [](lesson:13) will do the same with the VQGAN. Until then, train a new codec without revival
# (`revive=False`): how many codes live, and what becomes of the error? And what is gained by starting with codes put on vectors of the
# first batch?
#
# ## Sources
#
# - S. Lloyd, [*Least squares quantization in PCM*](work:lloyd1982), 1982 (written in 1957).
# - A. van den Oord, O. Vinyals and K. Kavukcuoglu, [*Neural discrete representation learning*](work:vandenoord2017), 2017.
# - Y. Bengio, N. Léonard and A. Courville, [*Estimating or propagating gradients through stochastic neurons for conditional
#   computation*](work:bengio2013), 2013.
# - W. Shi and others, [*Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
#   network*](work:shi2016), 2016.
# - P. Esser, R. Rombach and B. Ommer, [*Taming transformers for high-resolution image synthesis*](work:esser2021), 2021, and its code,
#   *taming-transformers*, where the story of beta can be read.
# - A. Ramesh and others, [*Zero-shot text-to-image generation*](work:ramesh2021), 2021.
