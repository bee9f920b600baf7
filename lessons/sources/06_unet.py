# ---
# jupyter:
#   lesson:
#     number: "06"
#     hours: [2.5, 0.5, 1.5, 1.5]
#     session: 177
#     title: {en: "Back to pixels: the U-Net", fr: "Retour aux pixels : l'U-Net"}
# ---

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### « Agrandissez-moi ça. »
#
# Huit pixels sur huit : combien d'objets ? quelles formes ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### "Enhance that."
#
# Eight pixels by eight: how many objects? which shapes?

# %% [markdown] lang="fr"
# Dans les films, un policier se penche sur une photographie de quelques pixels et dit : « Agrandissez-moi ça. » Une touche, et l'on lit la
# plaque d'immatriculation. Voici une scène de ce cours, dont nous n'avons gardé que huit pixels sur huit.
#
# **Devinez d'abord.** Combien d'objets ? de quelles formes ? Et que peut une machine qui n'a que ces 64 pixels pour en rendre 1 024 ? Notez
# vos réponses : nous y reviendrons à la [](#enhance).

# %% [markdown] lang="en"
# In films, a detective bends over a photograph of a few pixels and says: "Enhance that." One key, and the number plate can be read. Here is
# a scene of this course, of which we have kept no more than eight pixels by eight.
#
# **Guess first.** How many objects? of which shapes? And what can a machine do that has only these 64 pixels, and is to give back 1,024?
# Note your answers: we come back to them in [](#enhance).

# %% tags=["hide-input"]
from dataclasses import replace

import torch

from dalle_edu.bricks.pooling import avg_pool2d
from dalle_edu.classroom.figures import picture, plot
from dalle_edu.world import SHAPES, render, sample_scene

# en: four of the eight shapes of our world, to learn faster
# fr: quatre des huit formes de notre monde, pour apprendre plus vite
shape_names = ("circle", "square", "star", "heart")
four_shapes = replace(SHAPES, shapes=tuple(map(SHAPES.shape, shape_names)))
# en: a scene chosen for its small shapes, and the mean of each block of 4 × 4
# fr: une scène choisie pour ses petites formes, et la moyenne de chaque bloc de 4 × 4
scene = sample_scene(0, 3122, "all", catalogue=four_shapes)
large = render([scene], 32, catalogue=four_shapes)
small = avg_pool2d(large, 4)


# %% tags=["hide-input"]
def show(panel, image, title=""):
    # en: an image of shape (3, h, w), with values in [-1, 1]
    # fr: une image de forme (3, h, w), de valeurs dans [-1, 1]
    panel.imshow((image.detach().permute(1, 2, 0) / 2 + 0.5).clamp(0, 1))
    panel.set(title=title, xticks=[], yticks=[])
    panel.spines[:].set(visible=True, color="silver")


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=3.4, height=3.4)
show(axes, small[0])
picture(figure, say("Sixty-four squares, a few of them orange or pale orange; "
                    "no shape can be read.",
                    "Soixante-quatre carrés, dont quelques-uns orange ou orange "
                    "pâle ; aucune forme ne se lit."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire parier avant d'en dire plus : combien d'objets, quelles formes ? Noter deux ou trois réponses au tableau. Demander qui a vu
# la scène du film, et si l'on peut vraiment « agrandir ». (Rendre des pixels, oui ; rendre ceux qui étaient là, non.) La réponse viendra à
# la section 9.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take bets before saying more: how many objects, which shapes? Write two or three answers on the board. Ask who has seen the scene
# in a film, and whether one can really "enhance". (Give pixels, yes; give back those that were there, no.) The answer comes in section 9.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - agrandir de quatre façons ;
# - dire ce qu'est une convolution transposée ;
# - faire un damier, et le soigner ;
# - monter un U-Net, couper ses raccourcis ;
# - segmenter, et mesurer l'IoU.
#
# **Il faut** les leçons 01 et 04.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - enlarge in four ways;
# - say what a transposed convolution is;
# - make a checkerboard, and cure it;
# - build a U-Net, cut its skips;
# - segment, and measure IoU.
#
# **You need** lessons 01 and 04.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander qui se rappelle la taille de sortie d'une convolution, et sa matrice : c'est de là que l'on repart. Annoncer deux séances
# de 90 minutes : agrandir (sections 1 à 4), puis l'U-Net (5 à 10). Le papier calque servira aux tampons.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask who remembers the output size of a convolution, and its matrix: that is where we start from. Announce two sessions of 90
# minutes: enlarging (sections 1 to 4), then the U-Net (5 to 10). Tracing paper will serve for the stamps.

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - agrandir une image de quatre façons, et dire lesquelles ont des poids à apprendre ;
# - écrire une convolution transposée, calculer la taille qu'elle rend, et montrer qu'elle n'est l'inverse de rien ;
# - faire apparaître un damier, et le faire disparaître ;
# - monter un U-Net, et dire ce que portent ses raccourcis, preuve à l'appui ;
# - segmenter des scènes, mesurer l'IoU, et dire pourquoi tout cela ne dessine pas encore.
#
# **Il faut** la [](lesson:01) (pentes, rétropropagation, PyTorch) et la [](lesson:04) (convolution, pas, marge, pooling, matrice d'une
# convolution).
#
# **Si le temps manque**, les sections [1](#four-ways-up), [2](#stamps), [5](#down-and-up) à [8](#which-skip) forment le chemin principal,
# et leurs exercices ● et ●● suffisent. La [](#the-transpose-is-no-inverse) et la [](#the-checkerboard) peuvent attendre. Un exercice non
# fait n'arrête rien : la bibliothèque prend la place de ce qui manque.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - enlarge a picture in four ways, and say which of them have weights to learn;
# - write a transposed convolution, work out the size that it gives, and show that it is the inverse of nothing;
# - make a checkerboard appear, and make it go away;
# - build a U-Net, and say, with proof, what its skips carry;
# - segment scenes, measure IoU, and say why all this does not draw yet.
#
# **You need** [](lesson:01) (slopes, backpropagation, PyTorch) and [](lesson:04) (convolution, stride, padding, pooling, the matrix of a
# convolution).
#
# **If time is short**, sections [1](#four-ways-up), [2](#stamps), [5](#down-and-up) to [8](#which-skip) are the main path, and their
# exercises ● and ●● are enough. [](#the-transpose-is-no-inverse) and [](#the-checkerboard) can wait. An exercise left undone stops nothing:
# the library takes the place of what is missing.

# %%
import itertools

import torch.nn.functional as F
from torch import nn

from dalle_edu.bricks.convolution import conv2d, convolution_matrix
from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.classroom.figures import BLUE, GREEN, ORANGE, PURPLE
from dalle_edu.classroom.figures import SKY, VERMILION, legend
from dalle_edu.language import decimal

# %% [markdown] lang="fr"
# ## 1. Quatre façons de remonter
#
# Un réseau convolutif descend : de 1 024 pixels, il fait 64 positions, puis une réponse. Qui veut rendre une **image** (une carte des
# objets, une scène plus nette, bientôt un dessin) doit remonter. Il y a quatre façons d'agrandir :
#
# | façon | poids à apprendre | idée |
# |---|---|---|
# | le plus proche voisin | 0 | répéter chaque pixel |
# | interpolation bilinéaire | 0 | mêler les pixels voisins |
# | convolution transposée | ceux d'un noyau | poser un tampon par position |
# | convolution sous-pixel | ceux d'un noyau | calculer plusieurs pixels par position, puis les ranger |
#
# Commençons par une ligne de deux pixels, 2 et 6, à doubler. Le plus proche voisin donne 2, 2, 6, 6 : une marche d'escalier. La bilinéaire
# adoucit la marche. Un pixel est un petit carré, et sa valeur est celle de son **centre** ; les bords extérieurs de l'image restent en
# place. Le centre du nouveau pixel $i$ tombe donc, mesuré en anciens pixels, à
#
# $$ c_i = \frac{i + \frac12}{s} - \frac12 , \qquad w_{ij} = \max(0, \; 1 - |c_i - j|) $$
#
# où $s$ est l'échelle, et où $w_{ij}$ est la part que prend l'ancien pixel $j$ : 1 si le centre tombe sur le sien, 0 à un pixel de là. Ici
# $s = 2$, et les centres tombent à $-0{,}25$, $0{,}25$, $0{,}75$ et $1{,}25$. Le deuxième vaut $0{,}75 \times 2 + 0{,}25 \times 6 = 3$. Le
# premier centre tombe avant 0 : on l'y ramène, et le pixel vaut 2.
#
# **Devinez** les deux derniers.

# %% [markdown] lang="en"
# ## 1. Four ways up
#
# A convolutional network goes down: of 1,024 pixels it makes 64 positions, then an answer. To give back a **picture** (a map of the
# objects, a sharper scene, soon a drawing) one has to come up again. There are four ways to enlarge:
#
# | way | weights to learn | idea |
# |---|---|---|
# | nearest neighbour | 0 | repeat each pixel |
# | bilinear interpolation | 0 | mix neighbouring pixels |
# | transposed convolution | those of a kernel | one stamp for each position |
# | sub-pixel convolution | those of a kernel | compute several pixels at each position, then put them in place |
#
# Let us begin with a row of two pixels, 2 and 6, to be doubled. Nearest neighbour gives 2, 2, 6, 6: a step of a staircase. Bilinear softens
# the step. A pixel is a little square, and its value is that of its **centre**; the outer edges of the picture stay in place. So the centre
# of new pixel $i$ falls, measured in old pixels, at
#
# $$ c_i = \frac{i + \frac12}{s} - \frac12 , \qquad w_{ij} = \max(0, \; 1 - |c_i - j|) $$
#
# where $s$ is the scale, and $w_{ij}$ the share that old pixel $j$ takes: 1 if it lies just beneath, 0 at a distance of one pixel. Here
# $s = 2$, and the centres fall at $-0.25$, $0.25$, $0.75$ and $1.25$. The second is $0.75 \times 2 + 0.25 \times 6 = 3$. The first is
# beyond the edge: it is brought back to 0, and is 2.
#
# **Guess** the last two.

# %%
old, scale = [2.0, 6.0], 2
row = []
for i in range(scale * len(old)):
    centre = (i + 0.5) / scale - 0.5
    centre = min(max(centre, 0), len(old) - 1)
    shares = [max(0.0, 1 - abs(centre - j)) for j in range(len(old))]
    row.append(sum(share * pixel for share, pixel in zip(shares, old)))
print(say("doubled:", "doublée :"), *(decimal(pixel) for pixel in row))

# %% claims=true
assert row == [2, 3, 5, 6]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Quatre façons de remonter
#
# | façon | poids | idée |
# |---|---|---|
# | plus proche voisin | 0 | répéter |
# | bilinéaire | 0 | mêler les voisins |
# | convolution transposée | un noyau | un tampon par position |
# | sous-pixel | un noyau | calculer, puis ranger |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. Four ways up
#
# | way | weights | idea |
# |---|---|---|
# | nearest neighbour | 0 | repeat |
# | bilinear | 0 | mix neighbours |
# | transposed convolution | a kernel | one stamp per position |
# | sub-pixel | a kernel | compute, then put in place |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Au tableau : deux pixels, 2 et 6, à doubler. Le plus proche voisin : 2, 2, 6, 6. Faire placer les centres des quatre nouveaux
# pixels sur un trait gradué : −0,25, 0,25, 0,75, 1,25. Faire calculer le deuxième (3) puis deviner les deux derniers (5 et 6). Demander
# combien de poids la bilinéaire apprend. (Aucun.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. On the board: two pixels, 2 and 6, to be doubled. Nearest neighbour: 2, 2, 6, 6. Have the centres of the four new pixels placed on
# a line with marks: −0.25, 0.25, 0.75, 1.25. Have the second worked out (3), then the last two guessed (5 and 6). Ask how many weights
# bilinear learns. (None.)

# %% [markdown] lang="fr"
# La doublée monte en pente douce : 2, 3, 5, 6.

# %% [markdown] lang="fr"
# À vous, en tenseurs. Les images d'un lot sont de forme (n, c, h, w) : n images de c canaux, h lignes et w colonnes. Rendez-les `scale`
# fois plus grandes de chaque côté, chaque pixel répété sur place.
#
# <details><summary>Un indice</summary>
#
# `x.repeat_interleave(3, dim=2)` répète trois fois chaque ligne, à côté d'elle-même. (`repeat` répéterait toute l'image, comme un
# carrelage.)
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Deux fois : le long des lignes, puis le long des colonnes (`dim=3`).
#
# </details>

# %% [markdown] lang="en"
# The doubled row rises gently: 2, 3, 5, 6.

# %% [markdown] lang="en"
# Your turn, in tensors. The pictures of a batch are of shape (n, c, h, w): n pictures of c channels, h rows and w columns. Return them
# `scale` times as large on each side, with each pixel repeated on the spot.
#
# <details><summary>A hint</summary>
#
# `x.repeat_interleave(3, dim=2)` repeats each row three times, next to itself. (`repeat` would repeat the whole picture, like tiles.)
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Twice: along the rows, then along the columns (`dim=3`).
#
# </details>

# %% implements="pooling:upsample_nearest" level=1
"""Agrandit au plus proche voisin : chaque pixel est répété des deux côtés.

Il y a `scale` fois plus de pixels de chaque côté.
"""

# %% scratch=true
upsample_nearest(torch.tensor([[[[2.0, 6.0]]]]), 2)
# → tensor([[[[2., 2., 6., 6.], [2., 2., 6., 6.]]]])

# %% [markdown] lang="fr"
# Pour la bilinéaire, écrivez d'abord la matrice des parts $w_{ij}$ d'un côté de `size` pixels : une ligne par nouveau pixel, une colonne
# par ancien, donc de forme (`size * scale`, `size`), en double précision. Les centres qui tombent au-delà du bord sont ramenés entre 0 et
# `size - 1`.
#
# <details><summary>Un indice</summary>
#
# `torch.arange(size * scale, dtype=torch.float64)` donne les numéros des nouveaux pixels ; la formule de $c_i$ s'y applique d'un coup.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `centres[:, None] - torch.arange(size)` a une ligne par nouveau pixel et une colonne par ancien ; `.abs()`, puis `.clamp(min=0)`.
#
# </details>

# %% [markdown] lang="en"
# For bilinear, first write the matrix of the shares $w_{ij}$ of a side of `size` pixels: a row for each new pixel, a column for each old
# one, so of shape (`size * scale`, `size`), in double precision. Centres that fall beyond the edge are brought back between 0 and
# `size - 1`.
#
# <details><summary>A hint</summary>
#
# `torch.arange(size * scale, dtype=torch.float64)` gives the numbers of the new pixels; the formula of $c_i$ applies to all at once.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `centres[:, None] - torch.arange(size)` has a row for each new pixel and a column for each old one; `.abs()`, then `.clamp(min=0)`.
#
# </details>

# %% implements="pooling:linear_weights" level=2
"""La matrice de l'interpolation linéaire : de quoi est mêlé chaque pixel.

La ligne i est celle du nouveau pixel i. Un côté de `size` pixels devient
`scale` fois plus long. Les poids d'une ligne, en double précision, ont 1 pour
somme : les deux anciens pixels dont le centre est le plus proche comptent selon
leur distance et, au-delà du bord, le dernier pixel compte seul.
"""
# the centres of the new pixels, in the old ones' coordinates => les centres des nouveaux pixels, en coordonnées des anciens

# %% scratch=true
linear_weights(2, 2).tolist()
# → [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]

# %% [markdown] lang="fr"
# Sur une image, on interpole les lignes **et** les colonnes : d'où « bilinéaire ». Une matrice à gauche mêle les lignes, une matrice à
# droite mêle les colonnes. Les images peuvent ne pas être carrées.
#
# <details><summary>Un indice</summary>
#
# `@` multiplie des lots entiers : (h′, h) @ (n, c, h, w) donne (n, c, h′, w). À droite, il faut la transposée.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `linear_weights(h, scale).to(images)` met la matrice dans le type des images.
#
# </details>

# %% [markdown] lang="en"
# On a picture one interpolates rows **and** columns: hence "bilinear". A matrix on the left mixes the rows, a matrix on the right the
# columns. Pictures need not be square.
#
# <details><summary>A hint</summary>
#
# `@` multiplies whole batches: (h′, h) @ (n, c, h, w) gives (n, c, h′, w). On the right the transpose is needed.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `linear_weights(h, scale).to(images)` brings the matrix to the type of the pictures.
#
# </details>

# %% implements="pooling:upsample_bilinear" level=1
"""Agrandit par interpolation : un nouveau pixel mêle les quatre plus proches.

Ils comptent selon leur distance. Les pixels sont de petits carrés, dont les
bords extérieurs coïncident avant et après (`align_corners=False`). Au-delà du
bord, les pixels se répètent. Il y a `scale` fois plus de pixels de chaque côté.
"""

# %% scratch=true
upsample_bilinear(torch.tensor([[[[2.0, 6.0]]]]), 2)
# → tensor([[[[2., 3., 5., 6.], [2., 3., 5., 6.]]]])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercices 1 à 3 · Répéter, puis mêler
#
# **15 min.**
#
# - **1** ● `upsample_nearest` : répéter sur place.
# - **2** ●● `linear_weights` : la matrice des parts.
# - **3** ● `upsample_bilinear` : une matrice par côté.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercises 1 to 3 · Repeat, then mix
#
# **15 min.**
#
# - **1** ● `upsample_nearest`: repeat on the spot.
# - **2** ●● `linear_weights`: the matrix of shares.
# - **3** ● `upsample_bilinear`: a matrix for each side.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner la section 1. Fautes à guetter : `repeat`, qui carrelle l'image ; des centres sans le demi-pixel, et tout glisse ; un bord
# qui s'assombrit parce que les parts n'y ont plus 1 pour somme. Demander la somme d'une ligne de la matrice. (1.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out section 1. Mistakes to look for: `repeat`, which tiles the picture; centres without the half pixel, so that all slides;
# an edge that darkens because the shares no longer sum to 1 there. Ask for the sum of a row of the matrix. (1.)

# %% [markdown] lang="fr"
# Agrandissons quatre fois les 64 pixels du début. **Devinez** : l'une des deux façons laissera-t-elle lire les formes ?

# %% [markdown] lang="en"
# Let us enlarge the 64 pixels of the beginning four times. **Guess**: will one of the two ways let the shapes be read?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Plus de pixels, pas plus de savoir
#
# 1 024 pixels faits de 64 : lit-on mieux les formes ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### More pixels, no more knowledge
#
# 1,024 pixels made of 64: are the shapes easier to read?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=6.6, height=3.5)
show(panels[0], upsample_nearest(small, 4)[0], say("nearest", "plus proche voisin"))
show(panels[1], upsample_bilinear(small, 4)[0], say("bilinear", "bilinéaire"))
picture(figure, say("Enlarged by nearest neighbour, the squares remain; by "
                    "bilinear, they become orange clouds.",
                    "Au plus proche voisin, les carrés restent ; en bilinéaire, "
                    "ils deviennent des nuages orange."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire comparer : des carrés, des nuages ; dans les deux cas, aucune forme. Demander ce que chaque méthode a ajouté. (Rien : on
# retrouve les 64 nombres en refaisant la moyenne de chaque bloc, exactement au plus proche voisin, à peu près en bilinéaire.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Have them compared: squares, clouds; no shape in either. Ask what each method has added. (Nothing: the 64 numbers come back by
# taking the mean of each block again, exactly with nearest neighbour, nearly with bilinear.)

# %% [markdown] lang="fr"
# Des carrés, ou des nuages : les formes ne reviennent pas. Ces deux façons n'ont rien à apprendre, et n'ajoutent rien à ce que disaient les
# 64 pixels. Pour qu'un agrandissement apprenne, il lui faut des poids.

# %% [markdown] lang="en"
# Squares, or clouds: the shapes do not come back. These two ways have nothing to learn, and add nothing to what the 64 pixels said. For an
# enlargement to learn, it needs weights.

# %% [markdown] lang="fr"
# ## 2. Des tampons
#
# Une convolution ramasse : un noyau se pose sur neuf pixels et en fait un nombre. Retournons le geste. Chaque position d'une petite carte
# tient un **tampon**, le noyau, et l'imprime sur une grande feuille, d'autant plus foncé que sa valeur est grande. D'une position à la
# suivante, le tampon avance du pas (*stride*) ; là où deux empreintes se recouvrent, elles **s'ajoutent**. C'est la **convolution
# transposée**.
#
# En une dimension : les valeurs 2 et 3, le noyau $(1, 2, 1)$, un pas de 2. La première position imprime 2, 4, 2 ; la seconde, deux pixels
# plus loin, imprime 3, 6, 3. **Devinez** combien de pixels a la feuille, et lequel reçoit les deux empreintes.

# %% [markdown] lang="en"
# ## 2. Stamps
#
# A convolution gathers: a kernel is laid on nine pixels and makes one number of them. Let us turn the gesture round. Each position of a
# small map holds a **stamp**, the kernel, and prints it on a large sheet, the darker the larger its value. From one position to the next
# the stamp moves on by the stride; where two prints overlap, they **add**. This is the **transposed convolution**.
#
# In one dimension: the values 2 and 3, the kernel $(1, 2, 1)$, a stride of 2. The first position prints 2, 4, 2; the second, two pixels
# further, prints 3, 6, 3. **Guess** how many pixels the sheet has, and which one gets both prints.

# %%
values_to_print, stamp, stride = [2, 3], [1, 2, 1], 2
printed = [0] * ((len(values_to_print) - 1) * stride + len(stamp))
for place, value in enumerate(values_to_print):
    for offset, ink in enumerate(stamp):
        printed[place * stride + offset] += value * ink
print(say("the sheet:", "la feuille :"), *printed)

# %% claims=true
assert printed == [2, 4, 5, 6, 3]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Des tampons qui s'ajoutent
#
# Valeurs 2 et 3, noyau $(1, 2, 1)$, pas de 2 : que vaut le pixel du milieu ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. Stamps that add
#
# Values 2 and 3, kernel $(1, 2, 1)$, stride 2: what is the middle pixel?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.4, height=3.0)
axes.bar(range(0, 3), [2, 4, 2], color=SKY, label=say("stamp of value 2", "tampon de valeur 2"))
axes.bar(range(2, 5), [3, 6, 3], bottom=[2, 0, 0], color=ORANGE,
         label=say("stamp of value 3", "tampon de valeur 3"))
for pixel, height in enumerate(printed):
    axes.text(pixel, height + 0.2, str(height), ha="center", fontsize=13)
axes.set(xlabel=say("pixel of the sheet", "pixel de la feuille"), ylim=(0, 9.5))
axes.set_xticks(range(5))
legend(axes, loc="upper left")
picture(figure, say("Two stamps two pixels apart: 2, 4, 2 and 3, 6, 3; the middle "
                    "pixel gets 2 and 3, which makes 5.",
                    "Deux tampons à deux pixels d'écart : 2, 4, 2 et 3, 6, 3 ; "
                    "le pixel du milieu reçoit 2 et 3, soit 5."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Au papier calque : un élève par position, chacun décalque son noyau, deux carreaux plus loin que le précédent ; on superpose. Faire
# deviner la taille (5) et le pixel deux fois imprimé (celui du milieu, 5). Demander ce que ferait un pas de 3. (Les tampons se touchent
# sans se recouvrir.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. With tracing paper: one student for each position, each traces the kernel, two squares further than the one before; lay them over
# each other. Let them guess the size (5) and the pixel printed twice (the middle one, 5). Ask what a stride of 3 would do. (The stamps
# touch and do not overlap.)

# %% [markdown] lang="fr"
# Cinq pixels : 2, 4, 5, 6, 3. Entre deux positions, un seul pas, puis le dernier noyau en entier : $(2 - 1) \times 2 + 3 = 5$. Et la
# **marge** $p$ (*padding*) ? Une convolution l'ajoute de chaque côté de son entrée ; sa transposée, qui fait le chemin inverse, la
# **retire** de chaque côté de sa sortie. De $n$ positions, un noyau de $k$, un pas $s$ et une marge $p$ font
#
# $$ n' = (n - 1) \, s - 2p + k $$
#
# pixels ([](work:dumoulin2016), relation 13). On lit parfois que 2 × 2 positions et un noyau de 3 × 3, au pas de 1, donnent 3 × 3. La
# formule dit autre chose ; **calculez** avant de lire la suite.

# %% [markdown] lang="fr"
# Écrivez cette taille : tout y est entier, et il n'y a pas de tenseur.
#
# <details><summary>Un indice</summary>
#
# Avec deux positions, il n'y a qu'un pas ; avec `size` positions, `size - 1`.
#
# </details>

# %% [markdown] lang="en"
# Five pixels: 2, 4, 5, 6, 3. Between two positions there is a single stride, then comes the last kernel, whole: $(2 - 1) \times 2 + 3 = 5$.
# And the **padding** $p$? A convolution adds it on each side of its input; its transpose, which goes the other way, **takes it off** on
# each side of its output. Of $n$ positions, a kernel of $k$, a stride $s$ and a padding $p$ make
#
# $$ n' = (n - 1) \, s - 2p + k $$
#
# pixels ([](work:dumoulin2016), relationship 13). One sometimes reads that 2 × 2 positions and a kernel of 3 × 3, at stride 1, give 3 × 3.
# The formula says otherwise; **work it out** before you read on.

# %% [markdown] lang="en"
# Write this size: everything is a whole number, and there is no tensor.
#
# <details><summary>A hint</summary>
#
# With two positions there is only one stride; with `size` positions, `size - 1`.
#
# </details>

# %% implements="convolution:transposed_output_size" level=1
"""Le côté, en pixels, de ce que rend une convolution transposée.

C'est (size - 1) stride - 2 padding + kernel. Une convolution le ramène à
`size`.
"""

# %% scratch=true
transposed_output_size(2, 3, stride=2)  # → 5

# %%
for kernel_size, stride, padding in ((3, 1, 0), (2, 1, 0), (3, 2, 1), (4, 2, 1)):
    side = transposed_output_size(2, kernel_size, stride, padding)
    print(say(f"kernel {kernel_size}, stride {stride}, padding {padding}:",
              f"noyau {kernel_size}, pas {stride}, marge {padding} :"),
          side, "pixels")

# %% claims=true
assert transposed_output_size(2, 3, 1) == 4
assert transposed_output_size(2, 2, 1) == transposed_output_size(2, 3, 2, 1) == 3
assert transposed_output_size(2, 4, 2, 1) == 4

# %% [markdown] lang="fr"
# De 2 × 2 positions, un noyau de 3 × 3 au pas de 1 fait donc 4 × 4 pixels. Pour 3 × 3, il faut un noyau de 2 × 2, ou un pas de 2 et une
# marge de 1. La dernière ligne est la préférée des réseaux : de 2, elle fait 4, le double.

# %% [markdown] lang="fr"
# **Le double, toujours.** Avec un noyau de 4 et une marge de 1, 2 positions viennent de donner 4 pixels. Trouvez un autre couple, au noyau
# **plus grand que 4**, qui double exactement n'importe quelle taille, au pas de 2. Mettez dans `doubling` la taille du noyau et la marge,
# dans une liste de deux nombres ; il y a plusieurs bonnes réponses.
#
# <details><summary>Un indice</summary>
#
# $(n - 1) \times 2 - 2p + k = 2n$ : qu'en tirez-vous pour $k - 2p$ ?
#
# </details>

# %% [markdown] lang="en"
# So a kernel of 3 × 3 at stride 1 makes 4 × 4 pixels of 2 × 2 positions. For 3 × 3 it takes a kernel of 2 × 2, or a stride of 2 and a
# padding of 1. The last line is the one that networks like best: of 2 it makes 4, the double.

# %% [markdown] lang="en"
# **Always the double.** A kernel of 4 and a padding of 1 have just made 4 of 2. Find another pair, with a kernel **larger than 4**, which
# doubles any size exactly at stride 2. Put into `doubling` the kernel size and the padding, in a list of two numbers; there are several
# right answers.
#
# <details><summary>A hint</summary>
#
# $(n - 1) \times 2 - 2p + k = 2n$: what does it say of $k - 2p$?
#
# </details>

# %% level=1
doubling = [6, 2]

# %% scratch=true
[transposed_output_size(n, 3, stride=2) for n in (1, 4, 7)]
# → [3, 9, 15]

# %%
def doubles():
    if doubling is ...:
        return ...
    kernel_size, padding = doubling
    if kernel_size <= 4:
        return say(f"a kernel of {kernel_size}; take one larger than 4",
                   f"un noyau de {kernel_size} ; prenez-le plus grand que 4")
    return [transposed_output_size(n, kernel_size, 2, padding) for n in (3, 4, 7)]


expect(doubles, [6, 8, 14], say("the double of 3, 4 and 7", "le double de 3, 4 et 7"))

# %% [markdown] lang="fr"
# Un noyau de 3 n'y arrive jamais au pas de 2 : $k - 2p = 2$ demande un $k$ pair. PyTorch a pour ce cas un argument `output_padding`, qui
# ajoute une ligne et une colonne d'un seul côté : plusieurs tailles d'entrée donnent la même sortie à une convolution de pas 2, et il faut
# bien dire laquelle on veut retrouver.

# %% [markdown] lang="en"
# A kernel of 3 never manages it at stride 2: $k - 2p = 2$ asks for an even $k$. For that case PyTorch has an argument `output_padding`,
# which adds a row and a column on one side only: several input sizes give the same output in a convolution of stride 2, and one has to say
# which of them is to be found again.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercices 4 à 6 · Imprimer
#
# **20 min.**
#
# - **4** ● `transposed_output_size`.
# - **5** ● Doubler toute taille, au pas de 2.
# - **6** ●● `conv_transpose2d` : les tampons s'ajoutent.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercises 4 to 6 · Printing
#
# **20 min.**
#
# - **4** ● `transposed_output_size`.
# - **5** ● Double any size, at stride 2.
# - **6** ●● `conv_transpose2d`: stamps add.

# %% [markdown] slide="fragment" slide_only=true
# $$ n' = (n - 1) \, s - 2p + k $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner la section 2. Fautes à guetter : `=` au lieu de `+=` (le dernier tampon efface), un noyau retourné, la marge qu'on oublie
# de retirer. Pour le 5, faire écrire l'égalité au tableau : k − 2p = 2. Demander pourquoi 3 n'ira jamais. (Il est impair.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out section 2. Mistakes to look for: `=` in place of `+=` (the last stamp wipes out), a kernel turned over, the padding that
# one forgets to take off. For 5, have the equality written on the board: k − 2p = 2. Ask why 3 will never do. (It is odd.)

# %% [markdown] lang="fr"
# Écrivez la convolution transposée en deux dimensions. `maps`, de forme (n, k, h, w), a k canaux ; `kernels`, de forme (o, c, p, q), a un
# noyau de c canaux pour chacun d'eux (donc o = k). Le résultat a c canaux. Un canal d'entrée imprime son noyau sur chaque canal de sortie,
# et tous les canaux d'entrée impriment sur la même feuille.
#
# <details><summary>Un indice</summary>
#
# Préparez une feuille de zéros, marges comprises : ses côtés sont ceux de `transposed_output_size`, plus deux marges.
# `maps.new_zeros(n, c, …)` fait des zéros du même type que `maps`, que le résultat doit garder. À la fin, coupez les marges ; attention,
# `[p:-p]` ne garde rien quand p vaut 0.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Deux boucles suffisent, sur les p × q pixels du **noyau**, et non sur les positions : le pixel (i, j) de tous les tampons tombe sur les
# lignes i, i + s, i + 2s… de la feuille, `slice(i, i + h * stride, stride)`, et de même pour les colonnes.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `torch.einsum("nohw,oc->nchw", maps, kernels[:, :, i, j])` donne ce que le pixel (i, j) du noyau imprime, partout à la fois : on
# multiplie, et l'on somme sur o. Ajoutez-le avec `+=`.
#
# </details>

# %% [markdown] lang="en"
# Write the transposed convolution in two dimensions. `maps`, of shape (n, k, h, w), has k channels; `kernels`, of shape (o, c, p, q), has a
# kernel of c channels for each of them (so o = k). The result has c channels. An input channel prints its kernel on each output channel,
# and all input channels print on the same sheet.
#
# <details><summary>A hint</summary>
#
# Prepare a sheet of zeros, padding included: its sides are those of `transposed_output_size` and twice the padding.
# `maps.new_zeros(n, c, …)` makes zeros of the same type as `maps`, which the result must keep. At the end, cut the padding off; mind that
# `[p:-p]` keeps nothing when p is 0.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Two loops are enough, over the p × q pixels of the **kernel** and not over the positions: pixel (i, j) of all stamps falls on rows i, i +
# s, i + 2s… of the sheet, `slice(i, i + h * stride, stride)`, and likewise for the columns.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `torch.einsum("nohw,oc->nchw", maps, kernels[:, :, i, j])` gives what pixel (i, j) of the kernel prints, everywhere at once: multiply, and
# sum over o. Add it with `+=`.
#
# </details>

# %% implements="convolution:conv_transpose2d" level=2
"""La convolution transposée : chaque position peint son noyau, fois sa valeur.

Elle multiplie par la transposée de `convolution_matrix`. Les noyaux sont peints
à `stride` pixels l'un de l'autre et s'ajoutent là où ils se recouvrent. La
rétropropagation fait de même du gradient d'une convolution.
"""

# %% scratch=true
two_positions = torch.tensor([[[[2.0, 3.0]]]])
conv_transpose2d(two_positions, torch.tensor([[[[1.0, 2.0, 1.0]]]]), stride=2)
# → tensor([[[[2., 4., 5., 6., 3.]]]])

# %% [markdown] lang="fr"
# Quatre positions, un noyau de 3 × 3 au pas de 1. **Devinez** quels pixels de la feuille reçoivent les quatre empreintes.

# %% [markdown] lang="en"
# Four positions, a kernel of 3 × 3 at stride 1. **Guess** which pixels of the sheet get all four prints.

# %% tags=["hide-input"]
four_values = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
nine_weights = torch.tensor([[[[1.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 1.0]]]])
single_prints = []
for place in range(4):
    alone = torch.zeros(4)
    alone[place] = four_values.flatten()[place]
    single_prints.append(conv_transpose2d(alone.view(1, 1, 2, 2), nine_weights))
sheet_of_four = conv_transpose2d(four_values, nine_weights)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Quatre tampons de 3 × 3 : 4 × 4, et non 3 × 3

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Four stamps of 3 × 3: 4 × 4, and not 3 × 3

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 5, width=9.5, height=2.5)
titles = [say(f"stamp of {value}", f"tampon de {value}") for value in (1, 2, 3, 4)]
titles.append(say("their sum", "leur somme"))
for panel, grid, title in zip(panels, [*single_prints, sheet_of_four], titles):
    panel.imshow(grid[0, 0], cmap="Blues", vmin=0, vmax=16)
    for i, j in itertools.product(range(4), range(4)):
        ink = int(grid[0, 0, i, j])
        if ink:
            colour = "white" if ink > 9 else "black"
            panel.text(j, i, str(ink), ha="center", va="center", color=colour,
                       fontsize=12)
    panel.set(title=title, xticks=[], yticks=[])
picture(figure, say("Four stamps on a sheet of 4 × 4, each alone, and their sum; "
                    "the four pixels of the middle get all four prints.",
                    "Quatre tampons sur une feuille de 4 × 4, chacun seul, puis "
                    "leur somme ; les quatre pixels du milieu reçoivent les "
                    "quatre empreintes."))

# %% claims=true
assert sheet_of_four.shape == (1, 1, 4, 4)
prints = conv_transpose2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3))[0, 0]
assert (prints[1:3, 1:3] == 4).all() and (prints == 4).sum() == 4

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire compter les pixels : 4 × 4. Certains cours écrivent 3 × 3 pour ce cas ; la formule et l'image disent 4. Demander quels pixels
# se trouvent sous les quatre tampons. (Les quatre du milieu.) Et combien de fois un coin est imprimé ? (Une fois.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have the pixels counted: 4 × 4. Some courses write 3 × 3 for this case; formula and picture say 4. Ask which pixels lie under all
# four stamps. (The four in the middle.) And how often is a corner printed? (Once.)

# %% [markdown] lang="fr"
# Les quatre pixels du milieu sont sous les quatre tampons ; un coin n'est que sous un seul. Retenez cette inégalité : elle reviendra.
#
# La bibliothèque a deux agrandisseurs à poids. `Spread`, dont le pas vaut le noyau, pose des tampons côte à côte, sans recouvrement : c'est
# l'*up-conv* de l'U-Net. `Unpatchify` est la quatrième façon : une convolution ordinaire calcule $s^2$ nombres par position, que l'on range
# en carrés de $s \times s$ pixels, la convolution sous-pixel de [](work:shi2016).

# %% [markdown] lang="en"
# The four pixels of the middle are under all four stamps; a corner is under one only. Keep this inequality in mind: it will come back.
#
# The library has two enlargers with weights. `Spread`, whose stride is its kernel, sets stamps side by side, without overlap: it is the
# *up-conv* of the U-Net. `Unpatchify` is the fourth way: an ordinary convolution computes $s^2$ numbers at each position, which are put in
# place as squares of $s \times s$ pixels, the sub-pixel convolution of [](work:shi2016).

# %% [markdown] lang="fr"
# ## 3. La transposée n'est pas l'inverse
#
# On appelle parfois cela une « déconvolution ». Le mot promet trop. La [](lesson:04) a écrit la convolution comme **une matrice** $M$ : la
# carte est $M$ fois l'image. Une ligne de $M$ dit ce qu'une position **ramasse** ; une colonne, sur quelles positions un pixel **agit**.
# Les tampons, eux, multiplient par la transposée $M^\top$ : une position, une colonne de $M^\top$, et cette colonne est son tampon.
#
# **Devinez** les formes de $M$ et de $M^\top$ pour une image de 4 × 4, un noyau de 3 × 3, un pas de 1, sans marge.

# %% [markdown] lang="en"
# ## 3. The transpose is no inverse
#
# This is sometimes called a "deconvolution". The word promises too much. [](lesson:04) wrote convolution as **a matrix** $M$: the map is
# $M$ times the picture. A row of $M$ says what a position **gathers**; a column, on which positions a pixel **acts**. Stamps multiply by
# the transpose $M^\top$: one position, one column of $M^\top$, and that column is its stamp.
#
# **Guess** the shapes of $M$ and $M^\top$ for a picture of 4 × 4, a kernel of 3 × 3, a stride of 1, without padding.

# %%
kernel = torch.tensor([[[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]]) / 16
matrix = convolution_matrix(kernel, (4, 4))
maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
by_stamps = conv_transpose2d(maps, kernel).flatten()
by_matrix = matrix.T @ maps.flatten()
print(say("rows and columns of M:", "lignes et colonnes de M :"), *matrix.shape)
print(say("stamps and transposed matrix agree:", "tampons et matrice transposée s'accordent :"),
      say("yes", "oui") if torch.allclose(by_stamps, by_matrix) else say("no", "non"))

# %% claims=true
assert matrix.shape == (4, 16)
assert torch.allclose(by_stamps, by_matrix)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Ramasser, imprimer : une matrice et sa transposée

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Gather, print: a matrix and its transpose

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=8, height=3.4)
panels[0].imshow(matrix, cmap="Blues")
panels[0].set(title=say("M: a row gathers", "M : une ligne ramasse"))
panels[0].set(xlabel=say("16 pixels", "16 pixels"), ylabel=say("4 positions", "4 positions"))
panels[1].imshow(matrix.T, cmap="Blues")
panels[1].set(title=say("its transpose: a column prints", "sa transposée : une colonne imprime"))
panels[1].set(xlabel=say("4 positions", "4 positions"), ylabel=say("16 pixels", "16 pixels"))
for panel in panels:
    panel.set(xticks=[], yticks=[])
picture(figure, say("A matrix of 4 rows and 16 columns with nine numbers in each "
                    "row, and its transpose, of 16 rows and 4 columns.",
                    "Une matrice de 4 lignes et 16 colonnes, neuf nombres par "
                    "ligne, et sa transposée, de 16 lignes et 4 colonnes."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Rappeler la matrice de la leçon 04 : une ligne par position, neuf nombres par ligne, le reste est nul. Faire dire les deux formes :
# 4 × 16 et 16 × 4. Demander ce que contient une colonne de la transposée. (Un tampon, posé à sa place.) Demander si M a un inverse. (Elle
# n'est même pas carrée.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Recall the matrix of lesson 04: a row for each position, nine numbers in each row, the rest is zero. Have both shapes said: 4 × 16
# and 16 × 4. Ask what a column of the transpose holds. (A stamp, set in its place.) Ask whether M has an inverse. (It is not even square.)

# %% [markdown] lang="fr"
# Quatre lignes, seize colonnes : $M$ n'est pas carrée, elle n'a pas d'inverse. Sa transposée rend la bonne **taille**, pas les bons pixels
# ([](work:dumoulin2016), chapitre 4 : rien n'y garantit que l'on retrouve l'entrée).
#
# D'où vient-elle, alors ? Vous l'avez déjà fait tourner mille fois. Si la perte bouge de $g$ quand la carte bouge, de combien bouge-t-elle
# quand l'image bouge ? La carte est $M x$ ; la règle de la chaîne de la [](lesson:01) donne $M^\top g$. **Le gradient d'une convolution,
# par rapport à son entrée, est une convolution transposée**, avec le même noyau. Vérifions avec PyTorch :

# %% [markdown] lang="en"
# Four rows, sixteen columns: $M$ is not square, it has no inverse. Its transpose gives back the right **size**, not the right pixels
# ([](work:dumoulin2016), chapter 4: nothing there guarantees that the input is found again).
#
# Then where does it come from? You have run it a thousand times already. If the loss moves by $g$ when the map moves, by how much does it
# move when the picture moves? The map is $M x$; the chain rule of [](lesson:01) gives $M^\top g$. **The gradient of a convolution with
# respect to its input is a transposed convolution**, with the same kernel. Let us check with PyTorch:

# %%
torch.manual_seed(0)
image = torch.randn(1, 3, 9, 9, requires_grad=True)
kernels = torch.randn(5, 3, 3, 3)
answer = F.conv2d(image, kernels, stride=2, padding=1)
push = torch.randn_like(answer)
(slope,) = torch.autograd.grad(answer, image, push)
printed_slope = conv_transpose2d(push, kernels, stride=2, padding=1)
difference = (slope - printed_slope).abs().max().item()
print(say("the same slope:", "la même pente :"),
      say("yes", "oui") if difference < 1e-4 else say("no", "non"))

# %% claims=true
assert difference < 1e-4

# %% [markdown] lang="fr"
# Une convolution transposée est donc la rétropropagation d'une convolution, employée à l'aller. Reste à **voir** qu'elle n'est pas
# l'inverse. Floutons une scène grise de 16 × 16 avec le noyau ci-dessus et une marge de 1, puis essayons deux retours : la transposée, et
# le système d'équations. Car avec cette marge, $M$ est carrée, de 256 sur 256 : il y a autant d'équations que d'inconnues. **Devinez** ce
# que donnera chacun.

# %% [markdown] lang="fr"
# **Défaire une convolution.** Écrivez `undo(maps, kernels, size, stride, padding)`, qui rend l'image, de forme (1, c, `size`, `size`), dont
# la convolution est le plus près possible de `maps`, au sens des moindres carrés ; s'il y en a plusieurs, la plus petite. `maps` est de
# forme (1, o, h, w).
#
# <details><summary>Un indice</summary>
#
# `convolution_matrix(kernels, (size, size), stride, padding)` est la matrice $M$. On cherche $x$ pour que $M x$ soit proche de
# `maps.flatten()`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.linalg.pinv(matrix)`, la pseudo-inverse, donne cette solution, la plus petite de toutes, par un simple produit.
#
# </details>

# %% [markdown] lang="en"
# So a transposed convolution is the backpropagation of a convolution, used on the way forward. It remains to **see** that it is no inverse.
# Let us blur a grey scene of 16 × 16 with the kernel above and a padding of 1, then try two ways back: the transpose, and the system of
# equations. For with this padding $M$ is square, 256 by 256: there are as many equations as unknowns. **Guess** what each will give.

# %% [markdown] lang="en"
# **Undo a convolution.** Write `undo(maps, kernels, size, stride, padding)`, which returns the picture, of shape (1, c, `size`, `size`),
# whose convolution is as near as possible to `maps`, in the sense of least squares; if there are several, the smallest. `maps` is of shape
# (1, o, h, w).
#
# <details><summary>A hint</summary>
#
# `convolution_matrix(kernels, (size, size), stride, padding)` is the matrix $M$. Look for $x$ so that $M x$ is near `maps.flatten()`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.linalg.pinv(matrix)`, the pseudo-inverse, gives this solution, the smallest of all, by a mere product.
#
# </details>

# %% level=3
def undo(maps, kernels, size, stride=1, padding=0):
    matrix = convolution_matrix(kernels, (size, size), stride, padding)
    pixels = torch.linalg.pinv(matrix) @ maps.flatten()
    return pixels.view(1, kernels.shape[1], size, size)

# %% scratch=true
four_weights = torch.tensor([[[[1.0, 2.0], [0.0, 1.0]]]])
undo(torch.tensor([[[[6.0]]]]), four_weights, 2).round(decimals=2)
# → tensor([[[[1., 2.], [0., 1.]]]])

# %%
def pictures_undone():
    generator = torch.Generator().manual_seed(0)
    picture_lost = torch.randn(1, 1, 6, 6, generator=generator, dtype=torch.float64)
    blurred = conv2d(picture_lost, kernel.double(), padding=1)
    whole = undo(blurred, kernel.double(), 6, padding=1)
    few = conv2d(picture_lost, kernel.double(), stride=2)
    small_again = undo(few, kernel.double(), 6, stride=2)
    again = conv2d(small_again, kernel.double(), stride=2)
    found = [torch.allclose(whole, picture_lost), torch.allclose(again, few)]
    return [say("yes", "oui") if each else say("no", "non") for each in found]


expect(pictures_undone, [say("yes", "oui")] * 2,
       say("the picture found again, the few positions explained",
           "l'image retrouvée, les quelques positions expliquées"))

# %% tags=["hide-input"]
def pseudo_inverse(maps, size, stride):
    matrix = convolution_matrix(kernel.double(), (size, size), stride, 1)
    return (torch.linalg.pinv(matrix) @ maps.flatten()).view(1, 1, size, size)


grey = avg_pool2d(large, 2).mean(dim=1, keepdim=True).double()
ways_back = []
for stride in (1, 2):
    blurred = conv2d(grey, kernel.double(), stride, 1)
    stamped = F.conv_transpose2d(blurred, kernel.double(), stride=stride,
                                 padding=1, output_padding=stride - 1)
    solved = pseudo_inverse(blurred, 16, stride)
    ways_back.append((grey, blurred, stamped, solved))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Transposer n'est pas défaire
#
# En haut, 256 équations pour 256 pixels ; en bas, au pas de 2, 64.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### To transpose is not to undo
#
# Above, 256 equations for 256 pixels; below, at stride 2, 64.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 4, width=8.4, height=4.3)
titles = say("scene|convolved|transpose|least squares",
             "scène|convoluée|transposée|moindres carrés").split("|")
for row_of_panels, row in zip(panels, ways_back):
    for panel, grid in zip(row_of_panels, row):
        panel.imshow(grid[0, 0], cmap="gray")
        panel.set(xticks=[], yticks=[])
for panel, title in zip(panels[0], titles):
    panel.set_title(title, fontsize=15)
panels[0, 0].set_ylabel(say("stride 1", "pas 1"), fontsize=15)
panels[1, 0].set_ylabel(say("stride 2", "pas 2"), fontsize=15)
picture(figure, say("At stride 1 the transpose is more blurred and least squares "
                    "give the scene back; at stride 2 neither does.",
                    "Au pas de 1, la transposée est plus floue encore et les "
                    "moindres carrés rendent la scène ; au pas de 2, ni l'une "
                    "ni les autres."))

# %% claims=true
def distance(one, other):
    """How far apart two pictures are, whatever their brightness and contrast."""
    pair = [each.flatten() - each.mean() for each in (one, other)]
    return 1 - F.cosine_similarity(*pair, dim=0).item()


scene_1, blurred_1, stamped_1, solved_1 = ways_back[0]
scene_2, blurred_2, stamped_2, solved_2 = ways_back[1]
assert (solved_1 - scene_1).abs().max() < 1e-6
assert distance(stamped_1, scene_1) > distance(blurred_1, scene_1) > 0.01
assert distance(solved_2, scene_2) > 0.01
again = conv2d(solved_2, kernel.double(), 2, 1)
assert (again - blurred_2).abs().max() < 1e-6

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire deviner la troisième colonne avant de la montrer. En haut : la transposée floute une seconde fois ; les moindres carrés
# rendent la scène, au bruit d'arrondi près. En bas : quatre fois moins de nombres, et rien ne rend ce qui est perdu. Demander laquelle des
# images du bas, convoluée, redonne les 64 nombres. (La dernière, exactement.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let them guess the third column before you show it. Above: the transpose blurs a second time; least squares give the scene back, up
# to rounding. Below: four times fewer numbers, and nothing gives back what is lost. Ask which of the pictures below, convolved, gives the
# 64 numbers again. (The last, exactly.)

# %% [markdown] lang="fr"
# En haut, la transposée floute une seconde fois : elle est plus loin de la scène que l'image floue. Les moindres carrés, eux, la rendent
# exactement. (Le cadre sombre vient de la marge : ses zéros sont gris ; le papier, qui vaut 1, est blanc.) En bas, au pas de 2, il n'y a
# que 64 équations pour 256 pixels : les moindres carrés trouvent une image dont la convolution redonne les 64 nombres, et ce n'est pas la
# scène. Il y en a une infinité d'autres. **Ce qui est perdu ne se calcule pas** ; on peut seulement apprendre à le deviner.

# %% [markdown] lang="en"
# Above, the transpose blurs a second time: it is farther from the scene than the blurred picture is. Least squares do give it back,
# exactly. (The dark frame comes from the padding: its zeros are grey; paper, which is 1, is white.) Below, at stride 2, there are only 64
# equations for 256 pixels: least squares find a picture whose convolution gives the 64 numbers again, and it is not the scene. There are
# endless others. **What is lost cannot be computed**; one can only learn to guess it.

# %% [markdown] lang="fr"
# ## 4. Le damier
#
# Une machine qui peint du ciel devrait peindre un aplat. En 2016, beaucoup peignaient un damier ([](work:odena2016)). Voyons pourquoi :
# donnons à une convolution transposée de pas 2 une carte toute de 1, et un noyau tout de 1. Chaque pixel dit alors combien de tampons l'ont
# touché. **Devinez** ces nombres pour un noyau de 3, puis pour un noyau de 4.

# %% [markdown] lang="en"
# ## 4. The checkerboard
#
# A machine that paints a sky should paint it flat. In 2016 many painted a checkerboard ([](work:odena2016)). Let us see why: give a
# transposed convolution of stride 2 a map of ones, and a kernel of ones. Then each pixel says how many stamps have touched it. **Guess**
# these numbers for a kernel of 3, then for a kernel of 4.

# %%
flat = torch.ones(1, 1, 6, 6)
coverage_3 = conv_transpose2d(flat, torch.ones(1, 1, 3, 3), stride=2, padding=1)
coverage_4 = conv_transpose2d(flat, torch.ones(1, 1, 4, 4), stride=2, padding=1)
for name, coverage in ((say("kernel 3:", "noyau 3 :"), coverage_3),
                       (say("kernel 4:", "noyau 4 :"), coverage_4)):
    # en: without the border, where there are fewer neighbours
    # fr: sans le bord, où il y a moins de voisins
    inside = coverage[0, 0, 2:-2, 2:-2]
    print(name, *(int(count) for count in inside.unique()), say("stamps", "tampons"))

# %% claims=true
assert coverage_3[0, 0, 2:-2, 2:-2].unique().tolist() == [1, 2, 4]
assert coverage_4[0, 0, 2:-2, 2:-2].unique().tolist() == [4]

# %% [markdown] lang="fr"
# Noyau de 3 : un, deux ou quatre tampons selon le pixel. Noyau de 4, multiple du pas : quatre tampons partout. L'autre remède est
# d'agrandir **puis** de convoluer : on double au plus proche voisin, et une convolution ordinaire, de pas 1, repasse partout de la même
# façon.

# %% [markdown] lang="fr"
# Écrivez ce second remède : `enlarge_then_convolve(maps, kernels)` double `maps`, de forme (n, c, h, w), au plus proche voisin, puis la
# convolue par `kernels`, de forme (o, c, 3, 3), de façon que les côtés aient exactement doublé. Servez-vous de `upsample_nearest` et de
# `conv2d`.
#
# <details><summary>Un indice</summary>
#
# Quelle marge garde la taille, avec un noyau de 3 et un pas de 1 ?
#
# </details>

# %% [markdown] lang="en"
# Kernel 3: one, two or four stamps, depending on the pixel. Kernel 4, a multiple of the stride: four stamps everywhere. The other cure is
# to enlarge **and then** convolve: double by nearest neighbour, and an ordinary convolution, of stride 1, goes over everything in the same
# way.

# %% [markdown] lang="en"
# Write this second cure: `enlarge_then_convolve(maps, kernels)` doubles `maps`, of shape (n, c, h, w), by nearest neighbour, then convolves
# it with `kernels`, of shape (o, c, 3, 3), so that the sides have exactly doubled. Use `upsample_nearest` and `conv2d`.
#
# <details><summary>A hint</summary>
#
# Which padding keeps the size, with a kernel of 3 and a stride of 1?
#
# </details>

# %% level=2
def enlarge_then_convolve(maps, kernels):
    return conv2d(upsample_nearest(maps, 2), kernels, padding=1)

# %% scratch=true
enlarge_then_convolve(torch.tensor([[[[1.0, 5.0]]]]), torch.full((1, 1, 3, 3), 1.0))
# → tensor([[[[ 4., 14., 22., 20.], [ 4., 14., 22., 20.]]]])

# %%
def enlarged_and_convolved():
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 4, 5, generator=generator)
    kernels = torch.randn(4, 3, 3, 3, generator=generator)
    given = maps.clone()
    found = enlarge_then_convolve(maps, kernels)
    large_maps = F.interpolate(given, scale_factor=2, mode="nearest")
    wanted = F.conv2d(large_maps, kernels, padding=1)
    if found.shape != wanted.shape:
        return [*found.shape]
    return [*found.shape, (found - wanted).abs().max().item()]


expect(enlarged_and_convolved, [2, 4, 8, 10, 0.0],
       say("the shape, then the difference from PyTorch's two steps",
           "la forme, puis l'écart avec les deux étapes de PyTorch"))

# %% [markdown] lang="fr"
# **Un réglage, une image.** Donnons un aplat à des noyaux au hasard (cent de chaque taille, poids entre 0 et 1), et mesurons l'inégalité de
# ce qu'ils peignent : l'écart type des pixels, divisé par leur moyenne. Un aplat parfait fait 0. **Devinez** la forme de la courbe, quand
# la taille du noyau va de 2 à 8, au pas de 2.

# %% [markdown] lang="en"
# **One knob, one picture.** Let us give a flat map to random kernels (a hundred of each size, weights between 0 and 1), and measure how
# uneven what they paint is: the standard deviation of the pixels, divided by their mean. A perfectly flat sheet makes 0. **Guess** the
# shape of the curve, when the size of the kernel goes from 2 to 8, at stride 2.

# %%
def unevenness(paint):
    # en: of what a hundred random kernels paint on a flat map, far from the border
    # fr: de ce que cent noyaux au hasard peignent sur un aplat, loin du bord
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(100):
        inside = paint(torch.ones(1, 1, 12, 12), generator)[0, 0, 8:-8, 8:-8]
        found.append((inside.std() / inside.mean()).item())
    return sum(found) / len(found)


# %%
sizes = list(range(2, 9))
uneven = []
for size in sizes:
    def stamps(maps, generator, size=size):
        kernels = torch.rand(1, 1, size, size, generator=generator)
        return F.conv_transpose2d(maps, kernels, stride=2)
    uneven.append(unevenness(stamps))


def resized(maps, generator):
    kernels = torch.rand(1, 1, 3, 3, generator=generator)
    return F.conv2d(F.interpolate(maps, scale_factor=2), kernels, padding=1)


uneven_resized = unevenness(resized)
print(say("kernel       ", "noyau        "), *(f"{size:6}" for size in sizes))
print(say("unevenness   ", "inégalité    "), *(f"{decimal(each, 2):>6}" for each in uneven))
print(say("enlarge, then convolve:", "agrandir, puis convoluer :"), decimal(uneven_resized, 2))

# %% claims=true
by_size = dict(zip(sizes, uneven))
for even in (4, 6, 8):
    assert by_size[even - 1] > 1.2 * by_size[even]
assert by_size[3] == max(uneven[1:])
assert by_size[3] > 0.5 and uneven_resized < 1e-5

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Un damier, et son remède
#
# Un aplat, au pas de 2 : combien de tampons par pixel ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. A checkerboard, and its cure
#
# A flat map, at stride 2: how many stamps for each pixel?

# %% slide="fragment" tags=["hide-input"]
cured = conv2d(upsample_nearest(flat, 2), torch.ones(1, 1, 3, 3) * 4 / 9, padding=1)
figure, panels = plot(1, 3, width=9, height=3.3)
for panel, grid, title in (
    (panels[0], coverage_3, say("kernel 3", "noyau 3")),
    (panels[1], coverage_4, say("kernel 4", "noyau 4")),
    (panels[2], cured, say("enlarge, then convolve", "agrandir, puis convoluer")),
):
    panel.imshow(grid[0, 0, 2:-2, 2:-2], cmap="Blues", vmin=0, vmax=4.5)
    panel.set(title=title, xticks=[], yticks=[])
picture(figure, say("Kernel 3 makes a checkerboard of pixels touched once, twice "
                    "and four times; the two cures are even.",
                    "Le noyau de 3 fait un damier de pixels touchés une, deux ou "
                    "quatre fois ; les deux remèdes sont unis."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire compter les tampons d'une ligne, au noyau de 3 : un, deux, un, deux. En carré : 1, 2 ou 4. Puis au noyau de 4 : deux et deux,
# donc quatre partout. Demander la règle. (Le noyau est un multiple du pas.) Préciser qu'un noyau de 4 appris peut encore faire un damier ;
# agrandir puis convoluer, non.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have the stamps of a row counted, with kernel 3: one, two, one, two. Squared: 1, 2 or 4. Then with kernel 4: two and two, so four
# everywhere. Ask for the rule. (The kernel is a multiple of the stride.) Say that a learned kernel of 4 may still make a checkerboard;
# enlarging and then convolving does not.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un réglage : la taille du noyau
#
# Cent noyaux au hasard peignent un aplat, au pas de 2.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### One knob: the size of the kernel
#
# A hundred random kernels paint a flat map, at stride 2.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.5, height=3.2)
axes.plot(sizes, uneven, "o-", color=VERMILION,
          label=say("transposed convolution", "convolution transposée"))
axes.axhline(uneven_resized, color=BLUE, linestyle="--",
             label=say("enlarge, then convolve", "agrandir, puis convoluer"))
axes.set(xlabel=say("side of the kernel", "côté du noyau"), ylim=(-0.05, 0.8))
axes.set(ylabel=say("unevenness", "inégalité"))
legend(axes)
picture(figure, say("Unevenness against the kernel's side: a sawtooth, higher for "
                    "odd sides; zero where one enlarges, then convolves.",
                    "L'inégalité selon le côté du noyau : des dents de scie, plus "
                    "hautes aux côtés impairs ; zéro si l'on agrandit d'abord."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire dessiner la courbe en l'air avant de la montrer. Des dents de scie : 3 est le pire, chaque multiple de 2 vaut mieux que
# l'impair d'avant. Demander pourquoi le noyau de 4 n'est pas à zéro. (Les tampons sont aussi nombreux partout, mais pas les mêmes poids.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have the curve drawn in the air before you show it. A sawtooth: 3 is the worst, each multiple of 2 is better than the odd one
# before. Ask why kernel 4 is not at zero. (There are as many stamps everywhere, but not the same weights.)

# %% [markdown] lang="fr"
# **Ce que nous avons appris.** Des dents de scie : à partir de 3, chaque taille impaire est plus inégale que la paire qui la suit, et 3, la
# taille la plus courante, est la pire. Un multiple du pas enlève le damier que fait l'architecture ; il reste celui que font des poids au
# hasard, que l'apprentissage peut corriger, ou non. Agrandir puis convoluer donne 0, quels que soient les poids : sur un aplat, toutes les
# positions voient la même chose. (Un noyau de 2 pose ses tampons côte à côte : rien n'y mêle ses quatre poids, d'où son inégalité.)
#
# Le damier a un jumeau : le gradient d'une convolution de noyau 3 et de pas 2 est une convolution transposée de noyau 3 et de pas 2. Sa
# pente est en damier aussi.

# %% [markdown] lang="en"
# **What we have learned.** A sawtooth: from 3 on, each odd size is more uneven than the even one after it, and 3, the commonest size, is
# the worst. A multiple of the stride removes the checkerboard that the architecture makes; what remains is made by random weights, which
# learning may correct, or may not. To enlarge and then convolve gives 0, whatever the weights: on a flat map all positions see the same. (A
# kernel of 2 sets its stamps side by side: nothing mixes its four weights, hence its unevenness.)
#
# The checkerboard has a twin: the gradient of a convolution of kernel 3 and stride 2 is a transposed convolution of kernel 3 and stride 2.
# Its slope is a checkerboard too.

# %% [markdown] lang="fr"
# ## 5. Descendre et remonter
#
# On voudrait maintenant nommer **chaque pixel** : celui-ci est à une étoile, celui-là au papier. Cela s'appelle **segmenter**. Deux savoirs
# y sont nécessaires, et ils se contrarient :
#
# - **quoi** : pour dire qu'un pixel est dans une étoile, il faut voir toute l'étoile. Descendre le permet : au fond, une position voit
#   large.
# - **où** : pour dire que l'étoile finit à ce pixel-ci, il faut la résolution du départ. Descendre la perd.
#
# Olaf Ronneberger, Philipp Fischer et Thomas Brox, qui cherchaient des cellules au microscope, ont trouvé un arrangement
# ([](work:ronneberger2015), introduction) : descendre, remonter, et à chaque étage de la remontée, joindre à ce qui vient d'en bas ce que
# l'on avait vu à cette résolution en descendant. Ces ponts sont les **raccourcis** (*skip connections*). Dessiné, cela fait un U.

# %% [markdown] lang="en"
# ## 5. Down and up
#
# Now we should like to name **every pixel**: this one belongs to a star, that one to the paper. This is called **segmentation**. It takes
# two kinds of knowledge, and they are at odds:
#
# - **what**: to say that a pixel is in a star, one must see the whole star. Going down allows it: at the bottom a position sees widely.
# - **where**: to say that the star ends at this very pixel, one needs the resolution of the start. Going down loses it.
#
# Olaf Ronneberger, Philipp Fischer and Thomas Brox, who were looking for cells under the microscope, found an arrangement
# ([](work:ronneberger2015), introduction): go down, come up again, and at each floor on the way up join to what comes from below what had
# been seen at that resolution on the way down. These bridges are the **skip connections**. Drawn, it makes a U.

# %% tags=["hide-input"]
from dalle_edu.bricks.unet import UNetLayers

WIDTHS = (16, 32, 32, 64)
CLASSES = 1 + len(shape_names)


# en: no patches, one block for each level, and neither time nor words
# fr: pas de carreaux, un bloc par étage, et ni temps ni mots
config = UNetConfig(in_channels=3, out_channels=CLASSES, patch_size=1, depth=1,
                    widths=WIDTHS, attention_levels=(), time=False)
layers = UNetLayers(config)
sides_of_levels = [32 // 2**level for level in range(len(WIDTHS))]


# %% tags=["hide-input"]
def arrow(axes, begin, end, colour, line="-"):
    how = {"arrowstyle": "->", "lw": 2, "color": colour, "linestyle": line}
    axes.annotate("", end, begin, arrowprops=how)


def floor(axes, column, level, colour):
    text = f"{sides_of_levels[level]} × {sides_of_levels[level]}\n× {WIDTHS[level]}"
    frame = {"boxstyle": "round", "fc": "white", "ec": colour, "lw": 2}
    axes.text(column, -level, text, ha="center", va="center", fontsize=12,
              bbox=frame)


# %% tags=["hide-input"]
def draw_u():
    figure, axes = plot(width=8.6, height=4.3)
    for level in range(3):
        floor(axes, level, level, BLUE)
        floor(axes, 6 - level, level, GREEN)
        arrow(axes, (level + 0.5, -level), (5.5 - level, -level), VERMILION, "--")
        high, low = -level - 0.35, -level - 0.7
        arrow(axes, (level + 0.35, high), (level + 0.8, low), BLUE)
        arrow(axes, (5.2 - level, low), (5.65 - level, high), GREEN)
        axes.text(3, -level + 0.12, say("skip", "raccourci"), ha="center", fontsize=12)
    floor(axes, 3, 3, ORANGE)
    axes.text(-0.1, 0.55, say("picture", "image"), ha="center", fontsize=12)
    axes.text(6.1, 0.55, "classes", ha="center", fontsize=12)
    axes.set(xlim=(-0.7, 6.7), ylim=(-3.5, 0.8))
    axes.axis("off")
    return figure


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Un U : descendre, remonter, et des ponts

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. A U: down, up, and bridges

# %% slide="fragment" tags=["hide-input"]
picture(draw_u(), say("A U: from 32 × 32 with 16 channels down to 4 × 4 with 64, and "
                      "up again; three dashed skips go across.",
                      "Un U : on descend de 32 × 32 (16 canaux) à 4 × 4 (64), "
                      "puis on remonte ; trois raccourcis en tirets."))

# %% claims=true
maps_going_down, x = [], layers.door(torch.zeros(1, 3, 32, 32))
for level, down in zip(layers.encoder, layers.down):
    x = level(x)
    maps_going_down.append(x)
    x = down(x)
maps_going_down.append(layers.encoder[-1](x))
assert [each.shape[1] for each in maps_going_down] == list(WIDTHS)
assert [each.shape[2] for each in maps_going_down] == sides_of_levels == [32, 16, 8, 4]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Suivre le trajet du doigt. À gauche, chaque étage divise les côtés par deux. Demander ce que voit une position du fond. (Un carré
# d'au moins 8 pixels de côté, et ses voisins.) Demander ce qui est perdu. (Où, dans ces 8 × 8 pixels.) Puis les ponts : à droite, on joint
# ce qui monte et ce qui traverse.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Follow the way with a finger. On the left each floor halves the sides. Ask what a position at the bottom sees. (A square of at
# least 8 pixels on a side, and its neighbours.) Ask what is lost. (Where, within these 8 × 8 pixels.) Then the bridges: on the right, what
# comes up is joined with what goes across.

# %% [markdown] lang="fr"
# Suivez les flèches. En bleu, la descente : à chaque étage, un bloc de convolutions, puis `Patchify`, une convolution de noyau 2 et de pas
# 2, qui divise les côtés par deux. En orange, le fond : 4 × 4 positions, dont chacune représente 8 × 8 pixels. En vert, la remontée :
# `Spread` double les côtés, on **joint** le raccourci, et un bloc mêle les deux. Joindre veut dire mettre les canaux bout à bout
# (concaténer) : 32 canaux montés et 32 canaux du raccourci en font 64. Pourquoi ne pas les ajouter ? La convolution qui suit saurait faire
# cette somme, avec des poids égaux ; bout à bout, elle peut aussi faire autre chose, et n'a pas à démêler ce qu'une somme aurait mêlé.

# %% [markdown] lang="fr"
# **Combien de canaux ?** Mettez dans `joined_channels` le nombre de canaux qui entrent dans chaque bloc de la remontée, de l'étage de 8 × 8
# à celui de 32 × 32, dans une liste de trois nombres.
#
# <details><summary>Un indice</summary>
#
# `Spread` ramène ce qui monte à la largeur de l'étage où il arrive ; le raccourci en a autant.
#
# </details>

# %% [markdown] lang="en"
# Follow the arrows. In blue, the way down: on each floor a block of convolutions, then `Patchify`, a convolution of kernel 2 and stride 2,
# which halves the sides. In orange, the bottom: 4 × 4 positions, each of which stands for 8 × 8 pixels. In green, the way up: `Spread`
# doubles the sides, the skip is **joined**, and a block mixes the two. To join means to put channels end to end (to concatenate): 32
# channels that came up and 32 channels of the skip make 64. Why not add them? The convolution that follows could make that sum, with equal
# weights; end to end, it can do something else too, and need not untangle what a sum would have tangled.

# %% [markdown] lang="en"
# **How many channels?** Put into `joined_channels` the number of channels that go into each block on the way up, from the floor of 8 × 8 to
# that of 32 × 32, in a list of three numbers.
#
# <details><summary>A hint</summary>
#
# `Spread` brings what comes up to the width of the floor where it arrives; the skip has as many.
#
# </details>

# %% level=1
joined_channels = [64, 64, 32]

# %% scratch=true
[(side, width) for side, width in zip(sides_of_levels, WIDTHS)]
# → [(32, 16), (16, 32), (8, 32), (4, 64)]

# %%
convolutions = [level.blocks[0].look_1 for level in layers.decoder]
expect(joined_channels, [each.in_channels for each in reversed(convolutions)],
       say("the channels joined", "les canaux joints"))

# %% [markdown] lang="fr"
# ### Un bloc de l'U-Net
#
# Le bloc de chaque étage est le bloc résiduel de la [](lesson:04), en plus soigné ([](work:ho2020), annexe B). Deux nouveautés.
#
# **GroupNorm.** Au fil des couches, les nombres grandissent ou s'éteignent. On les remet à l'échelle : moyenne 0, variance 1. Quatre
# nombres, 1, 3, 5, 7 : leur moyenne est 4, leur écart type $\sqrt 5 \approx 2{,}24$ ; ils deviennent $-1{,}34$, $-0{,}45$, $0{,}45$ et
# $1{,}34$. *GroupNorm* le fait pour chaque image à part, par groupes de canaux ([](work:wu2018)). L'ancienne façon, sur tout le lot, marche
# mal avec de petits lots, et les lots d'images le sont.
#
# **Commencer par ne rien faire.** La seconde convolution a au départ des poids nuls : un bloc neuf rend son entrée. Le réseau commence
# comme un simple va-et-vient, et chaque bloc ne s'en écarte qu'autant que cela sert.
#
# L'activation est SiLU, $z \cdot \sigma(z)$, une ReLU arrondie. Un bloc peut aussi recevoir une **condition**, un vecteur par image : deux
# nombres par canal, une échelle et un décalage, en sont tirés ([](work:dhariwal2021)). Ici, il n'y en a pas ; la [](lesson:10) s'en servira
# pour dire au réseau à quel instant il en est.

# %% [markdown] lang="en"
# ### A block of the U-Net
#
# The block of each floor is the residual block of [](lesson:04), made with more care ([](work:ho2020), appendix B). Two things are new.
#
# **GroupNorm.** From layer to layer numbers grow or die out. They are brought back to scale: mean 0, variance 1. Four numbers, 1, 3, 5, 7:
# their mean is 4, their standard deviation $\sqrt 5 \approx 2.24$; they become $-1.34$, $-0.45$, $0.45$ and $1.34$. *GroupNorm* does so for
# each picture apart, by groups of channels ([](work:wu2018)). The older way, over the whole batch, does badly with small batches, and those
# of pictures are small.
#
# **Begin by doing nothing.** The second convolution has weights of zero at the start: a new block returns its input. The network begins as
# a plain there and back, and each block departs from it only as far as that helps.
#
# The activation is SiLU, $z \cdot \sigma(z)$, a ReLU with a rounded corner. A block may also be given a **condition**, one vector for each
# picture: two numbers for each channel, a scale and a shift, are computed from it ([](work:dhariwal2021)). Here there is none;
# [](lesson:10) will use it to tell what time it is.

# %%
normed = F.group_norm(torch.tensor([[1.0, 3.0, 5.0, 7.0]]), num_groups=1)
print(say("normalised:", "normés :"), *(decimal(each, 2) for each in normed[0]))

# %% claims=true
assert [round(each, 2) for each in normed[0].tolist()] == [-1.34, -0.45, 0.45, 1.34]

# %% [markdown] lang="fr"
# Écrivez `forward`, la traversée du bloc ; le constructeur est donné. `x` est de forme (n, c, h, w), la réponse (n, width, h, w). Dans
# l'ordre : `norm_1`, SiLU, `look_1`, `norm_2` ; puis, s'il y a une condition, de forme (n, e), l'échelle et le décalage ; puis SiLU et
# `look_2`. Cette correction s'ajoute à `shortcut(x)`, qui est `x`, ou une convolution 1 × 1 quand la largeur change.
#
# La condition passe par SiLU, puis par `scale_shift`, qui rend 2 × width nombres : d'abord les échelles, ensuite les décalages. On
# multiplie par **1 + échelle**, pour qu'une échelle de 0 ne change rien.
#
# <details><summary>Un indice</summary>
#
# `F.silu` est SiLU. Sans condition, tout tient en deux lignes : `hidden = …`, puis `return self.shortcut(x) + …`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `scale, shift = scale_shift[:, :, None, None].chunk(2, dim=1)` coupe en deux, et étend sur h et w : `scale_shift` y est ce que la couche
# `self.scale_shift` a rendu. `self.scale_shift` vaut `None` dans un bloc sans condition.
#
# </details>

# %% [markdown] lang="en"
# Write the way through the block; its constructor is given. `x` is of shape (n, c, h, w), the answer (n, width, h, w). In this order:
# `norm_1`, SiLU, `look_1`, `norm_2`; then, if there is a condition, of shape (n, e), scale and shift; then SiLU and `look_2`. This
# correction is added to `shortcut(x)`, which is `x`, or a 1 × 1 convolution where the width changes.
#
# The condition goes through SiLU, then through `scale_shift`, which returns 2 × width numbers: the scales first, then the shifts. Multiply
# by **1 + scale**, so that a scale of 0 changes nothing.
#
# <details><summary>A hint</summary>
#
# `F.silu` is SiLU. Without a condition it all fits into two lines: `hidden = …`, then `return self.shortcut(x) + …`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `scale, shift = scale_shift[:, :, None, None].chunk(2, dim=1)` cuts in two, and spreads over h and w: here `scale_shift` is what the layer
# `self.scale_shift` has returned. `self.scale_shift` is `None` in a block without a condition.
#
# </details>

# %% implements="unet_blocks:GroupNormBlock" level=2 hollow=["forward"]
"""Un bloc résiduel : deux fois GroupNorm, SiLU, convolution 3 x 3.

Il suit Ho et al. (2020, annexe B). Une couche linéaire tire de SiLU(condition)
une échelle et un décalage par canal, et la seconde normalisation est suivie de
x * (1 + échelle) + décalage (Dhariwal et Nichol 2021, section 3) : deux zéros
ne changent rien. La seconde convolution part de zéro, si bien que le bloc
commence comme l'identité, ou comme une convolution 1 x 1 là où la largeur
change. Si `condition_width` vaut 0, il n'y a pas de condition.
"""
"""L'entrée, ou sa convolution 1 x 1, plus une correction."""

# %% scratch=true
torch.manual_seed(0)
x = torch.randn(1, 8, 4, 4)
bool((GroupNormBlock(8, 8)(x) == x).all())  # → True

# %% [markdown] lang="fr"
# ### L'U-Net
#
# Tout est prêt : les blocs, ce qui descend, ce qui remonte. Il ne manque que les ponts, et l'ordre du trajet.

# %% [markdown] lang="fr"
# Les couches sont dans `UNetLayers`, que votre classe prolonge ; il vous reste le câblage. `forward` est donnée : elle découpe l'image par
# `self.door`, appelle `down_and_up`, puis rend des pixels par `self.exit` (la ligne `torch.autocast` ne sert qu'à garder toute la précision
# sur une carte graphique). Écrivez deux méthodes.
#
# - `join(x, skip)` concatène, sur les canaux, ce qui monte et le raccourci, dans cet ordre : (n, c, h, w) et (n, c, h, w) font (n, 2c, h,
#   w).
# - `down_and_up(x, condition, words, mask)` fait tout le trajet, de (n, c, h, w) à (n, c, h, w), et **appelle `self.join`** à chaque étage
#   de la remontée : plus loin, nous changerons `join` pour couper des raccourcis.
#
# Les couches sont dans des listes, du plus fin au plus grossier : `self.encoder[i]` est le bloc de l'étage i à la descente, `self.down[i]`
# en descend, `self.up[i]` y remonte, `self.decoder[i]` est son bloc à la remontée. `self.encoder` en a un de plus que les autres : le fond.
# Un étage s'appelle ainsi : `level(x, condition, words, mask)`. Au fond, après le bloc, `self.middle`, s'il n'est pas `None`, s'appelle
# `self.middle(x, words, mask)`. (`condition`, `words` et `mask` ne font que passer ; la [](lesson:10) s'en servira.)
#
# <details><summary>Un indice</summary>
#
# À la descente : le bloc, **puis** on garde le résultat, puis `down`. Après le dernier `down`, le fond.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# À la remontée, du plus grossier au plus fin : `for level, up, skip in reversed(list(zip(self.decoder, self.up, skips)))`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Un étage de la remontée tient en une ligne : `x = level(self.join(up(x), skip), condition, words, mask)`.
#
# </details>

# %% [markdown] lang="en"
# ### The U-Net
#
# Everything is ready: the blocks, what goes down, what comes up. All that is missing are the bridges, and the order of the journey.

# %% [markdown] lang="en"
# The layers are in `UNetLayers`, which your class extends; what is left to you is the wiring. `forward` is given: it cuts the picture up by
# `self.door`, calls `down_and_up`, and then gives pixels back by `self.exit` (the line `torch.autocast` only keeps full precision on a
# graphics card). Write two methods.
#
# - `join(x, skip)` concatenates, along channels, what comes up and the skip, in this order: (n, c, h, w) and (n, c, h, w) make (n, 2c, h,
#   w).
# - `down_and_up(x, condition, words, mask)` goes all the way, from (n, c, h, w) to (n, c, h, w), and **calls `self.join`** on each floor of
#   the way up: later we shall change `join` to cut skips.
#
# The layers are in lists, from the finest to the coarsest: `self.encoder[i]` is the block of floor i on the way down, `self.down[i]` goes
# down from there, `self.up[i]` comes up to it, `self.decoder[i]` is its block on the way up. `self.encoder` has one more than the others:
# the bottom. A floor is called like this: `level(x, condition, words, mask)`. At the bottom, after the block, `self.middle`, unless it is
# `None`, is called as `self.middle(x, words, mask)`. (`condition`, `words` and `mask` are only passing through; [](lesson:10) will use
# them.)
#
# <details><summary>A hint</summary>
#
# On the way down: the block, **then** keep the result, then `down`. After the last `down`, the bottom.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# On the way up, from the coarsest to the finest: `for level, up, skip in reversed(list(zip(self.decoder, self.up, skips)))`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# A floor of the way up is one line: `x = level(self.join(up(x), skip), condition, words, mask)`.
#
# </details>

# %% implements="unet:UNet" level=3 hollow=["join", "down_and_up"]
"""L'U-Net : des images, et des images de même taille.

En segmentation, il donne les logits de la classe de chaque pixel ; en
diffusion, le bruit, l'image nette ou v. Une entrée que la configuration
n'annonce pas est refusée. L'entrée sans condition, à l'entraînement et pour le
guidage, est un `text_mask` partout faux et un vecteur `pooled` nul.
"""
"""Concatène ce qui monte d'en bas et le raccourci de cette résolution."""
"""Descend, passe par le fond, remonte, chaque niveau avec son raccourci."""
"""L'applique : de (n, in_channels, H, W) à (n, out_channels, H, W).

H et W sont des multiples de `config.stride`. `time` contient des instants,
de 0 à 1 000 environ, qui peuvent être fractionnaires. `text` contient les
vecteurs des mots de la légende, et `text_mask` est vrai pour ceux qui ne
sont pas du remplissage. `pooled` est un vecteur pour l'image entière : une
classe ou un plongement.
"""
# the bottom: each position stands for `stride` pixels on a side => le fond : chaque position représente `stride` pixels de côté
# full precision for accuracy; and half would be slow on few channels => pleine précision ; la demie serait lente avec peu de canaux

# %% scratch=true
class SpeakingUNet(UNet):
    # en: says at which side your `join` is called; if it says nothing, it is not
    # fr: dit à quel côté votre `join` est appelée ; s'il se tait, elle ne l'est pas
    def join(self, x, skip):
        print(say("join, side", "join, côté"), x.shape[-1])
        return super().join(x, skip)


torch.manual_seed(0)
small_network = SpeakingUNet(UNetConfig(3, 5, 1, (8, 16), 1, (), time=False))
small_network(torch.randn(2, 3, 8, 8)).shape  # → torch.Size([2, 5, 8, 8])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 9-11"
# ### Exercices 9 à 11 · Monter l'U-Net
#
# **25 min.**
#
# - **9** ● Combien de canaux sont joints ?
# - **10** ●● `GroupNormBlock` : une correction ajoutée.
# - **11** ●●● `UNet` : joindre, descendre, remonter.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 9-11"
# ### Exercises 9 to 11 · Building the U-Net
#
# **25 min.**
#
# - **9** ● How many channels are joined?
# - **10** ●● `GroupNormBlock`: a correction, added.
# - **11** ●●● `UNet`: join, go down, come up.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 25 min. Donner la section 5. Fautes à guetter : le raccourci gardé avant le bloc ; `x` joint à lui-même ; le fond oublié ; multiplier par
# l'échelle et non par 1 + échelle. Qui finit tôt compte les multiplications de chaque étage. Demander pourquoi un bloc neuf rend son
# entrée. (Sa seconde convolution est nulle.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 25 min. Hand out section 5. Mistakes to look for: the skip kept before the block; `x` joined with itself; the bottom forgotten;
# multiplying by the scale and not by 1 + scale. Who is done early counts the multiplications of each floor. Ask why a new block returns its
# input. (Its second convolution is zero.)

# %% [markdown] lang="fr"
# L'U-Net de la bibliothèque porte encore trois pièces, que cette leçon n'allume pas : `sinusoidal_embedding` lui dit l'instant, et
# `AttentionBlock` et `Middle` lui font lire des mots, par l'attention de la [](lesson:05). L'U-Net a été fait pour segmenter. Il est devenu
# vers 2020 le réseau de la diffusion ([](lesson:10)) ; depuis, des transformeurs prennent parfois sa place ([](work:peebles2023)).

# %% [markdown] lang="en"
# The U-Net of the library holds three more parts, which this lesson does not switch on: `sinusoidal_embedding` tells it the time step, and
# `AttentionBlock` and `Middle` let it read words, by the attention of [](lesson:05). The U-Net was made for segmentation. Around 2020 it
# became the network of diffusion ([](lesson:10)); since then transformers sometimes take its place ([](work:peebles2023)).

# %% [markdown] lang="fr"
# ## 6. Nommer chaque pixel
#
# Chaque pixel de nos scènes a une classe : 0 pour le papier, puis cercle, carré, étoile, cœur. Voici de quoi apprendre, et un examen de 200
# scènes que le réseau n'aura pas vues. **Devinez** l'exactitude, c'est-à-dire la part de pixels justes, d'une machine qui répondrait
# toujours « papier ».

# %% [markdown] lang="en"
# ## 6. Naming every pixel
#
# Each pixel of our scenes has a class: 0 for paper, then circle, square, star, heart. Here is what to learn from, and an exam of 200 scenes
# that the network will not have seen. **Guess** the accuracy, that is the share of right pixels, of a machine that would always answer
# "paper".

# %%
from dalle_edu.classroom.demos.unet import labelled_scenes

images, truth = labelled_scenes(0, 2000, seed=0, catalogue=four_shapes)
exam_images, exam_truth = labelled_scenes(3000, 200, seed=0, catalogue=four_shapes)
white_paper = torch.zeros_like(exam_truth)
paper_right = (white_paper == exam_truth).float().mean().item()
print(say("right with white paper:", "justes avec du papier blanc :"),
      decimal(100 * paper_right, 0), "%")

# %% claims=true
assert 0.88 < paper_right < 0.93

# %% [markdown] lang="fr"
# Neuf pixels sur dix sont du papier : qui ne voit rien tombe juste neuf fois sur dix. L'exactitude flatte. On mesure donc **l'intersection
# sur l'union** (*intersection over union*, **IoU** ; [](work:jaccard1912), et [](work:everingham2010) pour la segmentation), classe par
# classe :
#
# $$ \mathrm{IoU}_k = \frac{\text{pixels que les deux cartes donnent à } k}{\text{pixels que l'une au moins donne à } k} $$
#
# Deux carrés de même taille, dont l'un couvre la moitié de l'autre : deux moitiés chacun, dont une en commun. L'union en compte trois,
# l'IoU est de 1/3. Ce n'est pas la moitié : l'IoU compte **aussi** ce que l'on a pris en trop. Puis on fait la moyenne des classes : le
# papier n'est plus qu'une voix sur cinq.

# %% [markdown] lang="en"
# Nine pixels out of ten are paper: one who sees nothing is right nine times out of ten. Accuracy flatters. So one measures **intersection
# over union** (**IoU**; [](work:jaccard1912), and [](work:everingham2010) for segmentation), class by class:
#
# $$ \mathrm{IoU}_k = \frac{\text{pixels that both maps give to } k}{\text{pixels that at least one of them gives to } k} $$
#
# Two squares of the same size, one of which covers half of the other: two halves each, one in common. The union has three, the IoU is 1/3.
# It is not one half: IoU counts what was taken in excess **as well**. Then the mean over classes is taken: paper is now one vote of five.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. L'exactitude flatte, l'IoU non
#
# Deux carrés de même taille, à demi l'un sur l'autre : quel IoU ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. Accuracy flatters, IoU does not
#
# Two squares of one size, one half over the other: which IoU?

# %% slide="fragment" tags=["hide-input"]
from matplotlib.patches import Rectangle

figure, axes = plot(width=5.6, height=2.7)
axes.axis("off")
axes.add_patch(Rectangle((0, 0), 2, 2, color=BLUE, alpha=0.45))
axes.add_patch(Rectangle((1, 0), 2, 2, color=ORANGE, alpha=0.45))
axes.text(0.1, 2.12, say("truth", "vérité"), fontsize=13)
axes.text(2.9, 2.12, say("answer", "réponse"), ha="right", fontsize=13)
for place in (0.5, 1.5, 2.5):
    axes.text(place, 1, "1", ha="center", va="center", fontsize=15)
sums = say("in both: 1\nin either: 3\nIoU: 1/3",
           "dans les deux : 1\ndans l'un au moins : 3\nIoU : 1/3")
axes.text(3.3, 1, sums, va="center", fontsize=13)
axes.set(xlim=(-0.1, 6.2), ylim=(-0.15, 2.5), aspect="equal")
picture(figure, say("Two squares that overlap by half: one part in both, three in "
                    "either; an IoU of one third.",
                    "Deux carrés à demi l'un sur l'autre : une part commune, trois "
                    "dans l'un au moins ; un IoU d'un tiers."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. D'abord l'exactitude du papier blanc, à deviner : neuf pixels sur dix. Puis les carrés ; laisser dire « la moitié », et faire
# compter l'union : trois. Demander l'IoU du papier blanc pour la classe étoile. (Zéro.) Et sa moyenne ? (Neuf dixièmes sur cinq classes,
# soit à peine un cinquième.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. First the accuracy of white paper, to be guessed: nine pixels out of ten. Then the squares; let them say "one half", and have the
# union counted: three. Ask for the IoU of white paper on the class star. (Zero.) And its mean? (Nine tenths over five classes, hardly a
# fifth.)

# %% [markdown] lang="fr"
# Écrivez l'IoU moyen. `found` et `truth` sont de forme (n, h, w) et contiennent des numéros de classe, de 0 à `classes - 1`. Pour chaque
# classe, comptez sur tous les pixels de toutes les images ; une classe absente des deux cartes compte 0. Rendez un `float`.
#
# <details><summary>Un indice</summary>
#
# Avec une boucle : `(found == k) & (truth == k)` est l'intersection, `|` l'union ; `.sum()` les compte. Attention à la division par zéro :
# `max(union, 1)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Sans boucle : le nombre `truth * classes + found` dit la paire de classes d'un pixel ; `.flatten().bincount(minlength=classes**2)` compte
# chaque paire, et `.view(classes, classes)` en fait une table. L'intersection est sa diagonale.
#
# </details>

# %% [markdown] lang="en"
# Write the mean IoU. `found` and `truth` are of shape (n, h, w) and hold class numbers, from 0 to `classes - 1`. For each class, count over
# all pixels of all pictures; a class that is in neither map counts as 0. Return a `float`.
#
# <details><summary>A hint</summary>
#
# With a loop: `(found == k) & (truth == k)` is the intersection, `|` the union; `.sum()` counts them. Mind the division by zero:
# `max(union, 1)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Without a loop: the number `truth * classes + found` says a pixel's pair of classes; `.flatten().bincount(minlength=classes**2)` counts
# each pair, and `.view(classes, classes)` makes a table of them. The intersection is its diagonal.
#
# </details>

# %% implements="segmentation:mean_iou" level=2
"""L'intersection sur l'union de chaque classe, et leur moyenne.

Elle est entre 0 et 1. Les pixels contiennent des numéros de classe, de 0 à
`classes` - 1. Pour chaque classe, on compte sur toutes les images les pixels
que les deux cartes lui donnent, et l'on divise par ceux que l'une au moins lui
donne ; une classe absente des deux compte 0.
"""
# how many pixels each pair (true class, found class) has => combien de pixels a chaque paire (vraie classe, classe trouvée)

# %% scratch=true
round(mean_iou(torch.tensor([[[1, 1, 0]]]), torch.tensor([[[0, 1, 1]]]), 2), 3)
# → 0.167

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 12"
# ### Exercice 12 · L'IoU moyen
#
# **10 min.**
#
# ●● `mean_iou` : par classe, l'intersection sur l'union, puis la moyenne.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 12"
# ### Exercise 12 · The mean IoU
#
# **10 min.**
#
# ●● `mean_iou`: for each class, intersection over union, then the mean.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 10 min. Fautes à guetter : l'exactitude à la place de l'IoU ; l'union sans retirer l'intersection comptée deux fois ; un seul rapport pour
# toutes les classes, et le papier décide. Demander ce que vaut l'IoU d'une classe trouvée partout. (Sa part des pixels.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 10 min. Mistakes to look for: accuracy in place of IoU; the union without taking off the intersection counted twice; a single ratio for
# all classes, and paper decides. Ask what the IoU of a class is that is found everywhere. (Its share of the pixels.)

# %% [markdown] lang="fr"
# Apprenons. La perte est l'entropie croisée de la [](lesson:01), pixel par pixel : les logits sont de forme (n, 5, h, w), la vérité (n, h,
# w). Chaque pas prend huit scènes. L'optimiseur est AdamW, et `OneCycleLR` fait monter le pas d'apprentissage, puis le ramène à zéro.
#
# Votre `UNet` reçoit au passage des **interrupteurs** : `join` y multiplie chaque raccourci par 1, ou par 0 pour le couper. Pour l'instant,
# tous valent 1.

# %% [markdown] lang="en"
# Let us learn. The loss is the cross-entropy of [](lesson:01), pixel by pixel: the logits are of shape (n, 5, h, w), the truth (n, h, w).
# Each step takes eight scenes. The optimiser is AdamW, and `OneCycleLR` lets the learning rate rise, then fall to zero.
#
# On this occasion your `UNet` gets **switches**: `join` multiplies each skip by 1, or by 0 to cut it. For the time being all are 1.

# %%
class SwitchedUNet(UNet):
    # en: a switch for each skip, from the finest on: 1 lets it through, 0 cuts it
    # fr: un interrupteur par raccourci, du plus fin : 1 le laisse passer, 0 le coupe
    switches = torch.ones(1, 3)

    def join(self, x, skip):
        level = sides_of_levels.index(skip.shape[-1])
        return super().join(x, skip * self.switches[:, level, None, None, None])


# %%
def last_loss(trained):
    return decimal(sum(trained["losses"][-50:]) / 50, 3)


def learn(network, loss_of, steps, rate, seed):
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.1)
    generator, losses = torch.Generator().manual_seed(seed), []
    for _ in range(steps):
        chosen = torch.randint(len(images), (8,), generator=generator)
        loss = loss_of(network, chosen, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


# %%
def name_pixels(network, chosen, generator):
    return F.cross_entropy(network(images[chosen]), truth[chosen])


def train_segmenter():
    losses = learn(segmenter, name_pixels, steps=320, rate=3e-3, seed=0)
    return {"losses": losses, "weights": segmenter.state_dict()}


# %%
from dalle_edu.classroom.desk import kept

torch.manual_seed(0)
segmenter = SwitchedUNet(config)
# en: kept on disk: after a restart it is read, not computed again
# fr: gardé sur disque : après un redémarrage, on le relit sans recalculer
trained = kept("segmenter", train_segmenter, patience=5)
segmenter.load_state_dict(trained["weights"])
print(say("loss of the last 50 steps:", "perte des 50 derniers pas :"), last_loss(trained))

# %% [markdown] lang="fr"
# Cette perte est basse, mais elle se lit mal : neuf pixels sur dix sont du papier. **Devinez** l'IoU moyen du papier blanc, et celui de
# l'U-Net après 320 pas.

# %% [markdown] lang="en"
# This loss is low, but hard to read: nine pixels out of ten are paper. **Guess** the mean IoU of white paper, and that of the U-Net after
# 320 steps.

# %%
@torch.no_grad()
def logits_with(on):
    # en: the logits of the exam, with the skips that are on
    # fr: les logits de l'examen, avec les raccourcis ouverts
    segmenter.switches = torch.tensor([on], dtype=torch.float32)
    return segmenter(exam_images)


ALL, NONE = (1, 1, 1), (0, 0, 0)
iou_of_paper = mean_iou(white_paper, exam_truth, CLASSES)
first_answer = logits_with(ALL).argmax(dim=1)
first_iou = mean_iou(first_answer, exam_truth, CLASSES)
first_right = (first_answer == exam_truth).float().mean().item()
print(say("mean IoU:    white paper", "IoU moyen :  papier blanc"),
      decimal(iou_of_paper, 2), " U-Net", decimal(first_iou, 2))
print(say("right pixels: white paper", "pixels justes : papier blanc"),
      decimal(100 * paper_right, 0), "%", " U-Net",
      decimal(100 * first_right, 0), "%")

# %% claims=true
assert abs(iou_of_paper - 0.18) < 0.005
assert first_iou > 0.6 > iou_of_paper
assert first_right > 0.96

# %% [markdown] lang="fr"
# Le papier blanc tombe juste neuf fois sur dix et n'a qu'un IoU de 0,18 ; l'U-Net, lui, a vu les formes. Regardons cinq scènes de l'examen,
# les cinq premières qui contiennent deux formes différentes.

# %% [markdown] lang="en"
# White paper is right nine times out of ten and has an IoU of no more than 0.18; the U-Net has seen the shapes. Let us look at five scenes
# of the exam, the first five that hold two different shapes.

# %%
from dalle_edu.classroom.widgets.skips import CLASS_COLOURS, draw_classes

kinds = [len(classes.unique()) for classes in exam_truth]
# en: three classes: paper and two shapes
# fr: trois classes : le papier et deux formes
shown = [number for number, count in enumerate(kinds) if count == 3][:5]


# %% tags=["hide-input"]
def draw_rows(rows, alt, height):
    # en: the scenes, then a row for each map of classes, and the colours of the classes
    # fr: les scènes, puis une ligne par carte de classes, et les couleurs des classes
    figure, panels = plot(1 + len(rows), len(shown), width=6.6, height=height)
    for column, number in enumerate(shown):
        show(panels[0, column], exam_images[number])
        for panel, classes in zip(panels[1:, column], rows.values()):
            draw_classes(panel, classes[number])
    for panel, name in zip(panels[:, 0], [say("scene", "scène"), *rows]):
        panel.set_ylabel(name, fontsize=15)
    names = say("circle|square|star|heart", "cercle|carré|étoile|cœur").split("|")
    colours = CLASS_COLOURS[1:CLASSES]
    squares = [Rectangle((0, 0), 1, 1, color=colour) for colour in colours]
    figure.legend(squares, names, loc="outside lower center", ncols=4,
                  frameon=False, fontsize=15)
    return picture(figure, alt)


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Il nomme chaque pixel

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### It names every pixel

# %% slide="fragment" tags=["hide-input"]
draw_rows({say("truth", "vérité"): exam_truth, "U-Net": first_answer},
          say("Five scenes, their true classes, and the answers of the U-Net, which "
              "are nearly the same.",
              "Cinq scènes, leurs vraies classes, et les réponses de l'U-Net, "
              "presque les mêmes."), height=3.9)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Ce sont les cinq premières scènes de l'examen à deux formes, et non les plus réussies : le dire. Faire chercher les fautes. (Aux
# pointes des étoiles, aux bords.) Demander ce que la couleur de la scène dit de la classe. (Rien : une étoile peut être de toutes les
# couleurs.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. These are the first five scenes of the exam with two shapes, and not the best ones: say so. Have the faults looked for. (At the
# tips of stars, at edges.) Ask what the colour of the scene says of the class. (Nothing: a star may have any colour.)

# %% [markdown] lang="fr"
# Il a nommé presque tout, en quelque trois cents pas. Reste la question de cette leçon : que font les raccourcis ?
#
# ## 7. Couper les ponts
#
# Coupons-les tous les trois, sans prévenir : le réseau, qui vient d'apprendre, reçoit des zéros à leur place. **Devinez** l'IoU : au-dessus
# ou au-dessous du papier blanc ?

# %% [markdown] lang="en"
# It has named nearly everything, after three hundred steps. There remains the question of this lesson: what do skips do?
#
# ## 7. Cutting the bridges
#
# Let us cut all three, without warning: the network, which has just learned, gets zeros in their place. **Guess** the IoU: above or below
# that of white paper?

# %%
unwarned = logits_with(NONE).argmax(dim=1)
unwarned_iou = mean_iou(unwarned, exam_truth, CLASSES)
print(say("mean IoU, cut without warning:", "IoU moyen, coupés sans prévenir :"),
      decimal(unwarned_iou, 2))

# %% claims=true
assert unwarned_iou < iou_of_paper

# %% [markdown] lang="fr"
# Au-dessous du papier blanc, qui ne voit rien. (Si votre IoU n'a pas bougé, votre `down_and_up` n'appelle pas `self.join` : revenez à
# l'[](exercise:06/11).) Mais ne concluons rien de cette chute : la remontée n'avait jamais vu de zéros, et un réseau que l'on surprend ne
# dit pas ce qu'il sait. Laissons-le **s'habituer**. Pendant 300 pas de plus, on tire à pile ou face, pour chaque image et pour chaque
# raccourci, s'il est coupé. Le même réseau, avec les mêmes poids, apprend ainsi à faire de son mieux avec chacun des huit réglages.
#
# **Devinez**, pour le réseau habitué, quand tout est coupé : saura-t-il encore **quelles** formes sont là ? Saura-t-il encore **où** elles
# finissent ?

# %% [markdown] lang="en"
# Below white paper, which sees nothing. (If your IoU did not move, your `down_and_up` does not call `self.join`: go back to
# [](exercise:06/11).) But let us conclude nothing from this fall: the way up had never seen zeros, and a network taken by surprise does not
# say what it knows. Let it **get used to it**. For 300 steps more, a coin decides, for each picture and for each skip, whether it is cut.
# The same network, with the same weights, thus learns to do its best with each of the eight settings.
#
# **Guess**, for the network that has got used to it, when all are cut: will it still know **which** shapes are there? Will it still know
# **where** they end?

# %%
def name_pixels_by_coin(network, chosen, generator):
    coins = torch.rand(len(chosen), 3, generator=generator)
    network.switches = (coins < 0.5).float()
    return name_pixels(network, chosen, generator)


def get_used_to_cuts():
    losses = learn(segmenter, name_pixels_by_coin, steps=300, rate=2e-3, seed=1)
    return {"losses": losses, "weights": segmenter.state_dict()}


used_to_it = kept("used_to_cuts", get_used_to_cuts, patience=5)
segmenter.load_state_dict(used_to_it["weights"])
print(say("loss of the last 50 steps:", "perte des 50 derniers pas :"), last_loss(used_to_it))

# %% [markdown] lang="fr"
# Une moyenne, tous réglages mêlés : elle ne dit rien de chacun. Trois mesures, donc, sur l'examen. L'**IoU** moyen. Le **quoi** : dans
# chaque scène, pour chaque forme présente, la classe qui revient le plus souvent sur ses pixels, le papier mis à part, est-elle la bonne ?
# Le **où** : la part de pixels justes **sur les contours**, ceux qui touchent une autre classe.

# %% [markdown] lang="en"
# A mean over all settings: it says nothing of each. Hence three measures, on the exam. The mean **IoU**. The **what**: in each scene, for
# each shape that is there, is the class most often answered on its pixels, paper apart, the right one? The **where**: the share of right
# pixels **on outlines**, those that touch another class.

# %%
grey_levels = exam_truth.float().unsqueeze(1)
highest = F.max_pool2d(grey_levels, 3, stride=1, padding=1)
lowest = -F.max_pool2d(-grey_levels, 3, stride=1, padding=1)
outlines = (highest != lowest).squeeze(1)


def what_is_right(logits):
    shape_answered = logits[:, 1:].argmax(dim=1) + 1
    right = []
    for answered, classes in zip(shape_answered, exam_truth):
        for kind in classes.unique():
            if kind > 0:
                right.append(answered[classes == kind].mode().values == kind)
    return sum(right).item() / len(right)


def where_is_right(answer):
    return (answer == exam_truth)[outlines].float().mean().item()


# %%
all_settings = list(itertools.product((1, 0), repeat=3))
logits_of = {on: logits_with(on) for on in all_settings}
answers = {on: logits.argmax(dim=1) for on, logits in logits_of.items()}
iou = {on: mean_iou(answer, exam_truth, CLASSES) for on, answer in answers.items()}
what = {on: what_is_right(logits) for on, logits in logits_of.items()}
where = {on: where_is_right(answer) for on, answer in answers.items()}
where_of_paper = where_is_right(white_paper)
print(say("skips            IoU   what  where", "raccourcis       IoU   quoi     où"))
for name, on in ((say("all on", "tous"), ALL), (say("all cut", "aucun"), NONE)):
    print(f"{name:14} {decimal(iou[on], 2):>5}",
          f"{100 * what[on]:5.0f}% {100 * where[on]:5.0f}%")
print(f"{say('white paper', 'papier blanc'):14} {decimal(iou_of_paper, 2):>5}",
      f"{say('(none)', '(rien)'):>6} {100 * where_of_paper:5.0f}%")

# %% claims=true
assert iou[ALL] > 0.75 and iou[NONE] < iou[ALL] - 0.08
assert what[ALL] > 0.85 and what[NONE] > 0.6
assert 1 - where[NONE] > 3 * (1 - where[ALL])
assert where[NONE] > where_of_paper

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Coupez les raccourcis

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. Cut the skips

# %% slide="fragment" tags=["hide-input"]
draw_rows({say("truth", "vérité"): exam_truth, say("all on", "tous"): answers[ALL],
           say("all cut", "aucun"): answers[NONE]},
          say("Five scenes; with its skips the network draws each shape; without "
              "them, round patches in the right place, mostly of the right class.",
              "Cinq scènes ; avec ses raccourcis, le réseau trace chaque forme ; "
              "sans eux, des taches rondes au bon endroit, le plus souvent de la "
              "bonne classe."),
          height=4.8)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Le moment de la leçon. Cacher la dernière ligne, et faire parier : que restera-t-il ? Puis la montrer. Il sait encore, le plus
# souvent, ce qui est là, et à peu près où ; il ne sait plus où cela finit : l'étoile n'a plus de pointes, le carré plus de coins. Demander
# par où passait le contour. (Par les ponts.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. The moment of the lesson. Hide the last row, and take bets: what will be left? Then show it. It still knows, most of the time, what
# is there, and roughly where; it no longer knows where it ends: the star has no tips, the square no corners. Ask which way the outline
# took. (Across the bridges.)

# %% [markdown] lang="fr"
# Regardez la dernière ligne. Il y a une tache là où il y a une forme, et le plus souvent elle porte le bon nom : le fond, qui voit large,
# sait encore **ce qui est là**. Mais l'étoile a perdu ses pointes et le carré ses coins : il ne sait plus **où cela finit**. Sur les
# contours, l'U-Net sans ponts se trompe plus de trois fois plus souvent.
#
# On lit parfois que les raccourcis « gardent l'information sémantique », le sens. C'est l'inverse : le sens remonte du fond ; les
# raccourcis portent la place exacte. Sous d'autres mots, c'est ce que disait l'article de 2015 : pour **localiser**, on combine ce qui
# remonte avec les détails fins de la descente ([](work:ronneberger2015), introduction).

# %% [markdown] lang="en"
# Look at the last row. There is a patch where there is a shape, and most of the time it has the right name: the bottom, which sees widely,
# still knows **what is there**. But the star has lost its tips and the square its corners: it no longer knows **where it ends**. On
# outlines the U-Net without bridges is wrong more than three times as often.
#
# One sometimes reads that skips "keep semantic information", the meaning. It is the other way round: meaning comes up from the bottom;
# skips carry the exact place. In other words, this is what the paper of 2015 said: in order to **localise**, what comes up is combined with
# the fine details of the way down ([](work:ronneberger2015), introduction).

# %% [markdown] lang="fr"
# ## 8. Quel raccourci ?
#
# Trois ponts : à 32 × 32, à 16 × 16, à 8 × 8. N'en ouvrons qu'un à la fois. **Classez-les** d'abord, du plus utile au moins utile.

# %% [markdown] lang="en"
# ## 8. Which skip?
#
# Three bridges: at 32 × 32, at 16 × 16, at 8 × 8. Let us open one at a time. **Rank them** first, from the most useful to the least.

# %%
only = {32: (1, 0, 0), 16: (0, 1, 0), 8: (0, 0, 1)}
bars = {say("none", "aucun"): NONE}
for side, on in only.items():
    bars[say(f"{side} × {side} alone", f"{side} × {side} seul")] = on
bars[say("all", "tous")] = ALL

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Quel raccourci compte ?
#
# Un seul ouvert à la fois : lequel suffit presque ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. Which skip matters?
#
# A single one open at a time: which is nearly enough?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=7.4, height=3.5)
for marks, sign, colour, name in (
    (what, "s", ORANGE, say("what", "quoi")),
    (where, "^", GREEN, say("where", "où")),
    (iou, "o", BLUE, say("mean IoU", "IoU moyen")),
):
    heights = [marks[on] for on in bars.values()]
    axes.plot(heights, sign, color=colour, markersize=11, label=name)
axes.set_xticks(range(len(bars)), list(bars))
axes.set(xlim=(-0.5, len(bars) - 0.5), ylabel=say("share, or IoU", "part, ou IoU"))
axes.grid(axis="y", alpha=0.4)
legend(axes, loc="lower right")
picture(figure, say("Mean IoU, what and where for no skip, each alone, and all: "
                    "that of 32 × 32 or 16 × 16 alone is nearly as good as all.",
                    "IoU moyen, quoi et où : sans raccourci, avec un seul, avec "
                    "tous ; celui de 32 × 32 ou de 16 × 16 vaut presque les "
                    "trois."))

# %% claims=true
assert all(iou[on] > iou[NONE] + 0.02 for on in only.values())
assert iou[only[8]] == min(iou[on] for on in only.values())
for side in (16, 32):
    assert iou[only[side]] > iou[ALL] - 0.08
    assert where[only[side]] > where[NONE] + 0.05

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire classer les trois avant de montrer. Chacun aide ; celui de 8 × 8 aide le moins, l'un des deux autres suffit presque. Demander
# pourquoi le plus grossier sert peu. (À 8 × 8, une position couvre déjà quatre pixels de côté.) Un autre réseau, d'autres images pourraient
# classer autrement : c'est la méthode qui compte.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have the three ranked before you show it. Each helps; that of 8 × 8 helps least, either of the others is nearly enough. Ask why the
# coarsest is of little use. (At 8 × 8 a position already covers four pixels on a side.) Another network, other pictures might rank them
# otherwise: it is the method that counts.

# %% [markdown] lang="fr"
# **Ce que nous avons appris.** Chaque pont sert ; le plus grossier sert le moins : à 8 × 8, une position couvre quatre pixels de côté, et
# le contour y est déjà flou. Celui de 16 × 16 ou celui de 32 × 32, à lui seul, fait presque autant que les trois : à 16 × 16, une position
# sait un peu de quoi elle fait partie, et place encore à deux pixels près ; à 32 × 32, elle place au pixel près. Sur d'autres images, ou
# avec un autre réseau, le classement peut changer ; la méthode reste : couper, laisser s'habituer, mesurer.
#
# À vous de jouer avec les interrupteurs. **Avant chaque geste, dites** ce qui va changer dans la réponse.

# %% [markdown] lang="en"
# **What we have learned.** Each bridge is of use; the coarsest is of least: at 8 × 8 a position covers four pixels on a side, and the
# outline is blurred there already. That of 16 × 16 or that of 32 × 32 alone does nearly as much as all three: at 16 × 16 a position knows a
# little of what it is part of, and still places within two pixels; at 32 × 32 it places to the pixel. On other pictures, or with another
# network, the ranking may change; the method stays: cut, let it get used to it, measure.
#
# Now play with the switches. **Before each move, say** what is going to change in the answer.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Trois interrupteurs
#
# Avant chaque geste, dites ce qui va changer.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Three switches
#
# Before each move, say what is going to change.

# %% slide="fragment" tags=["output-only-slide"]
from dalle_edu.classroom.widgets.skips import skips_explorer

few = shown[:4]
by_switches = {tuple(map(bool, on)): answer[few] for on, answer in answers.items()}
skips_explorer(exam_images[few], exam_truth[few], by_switches, sides=(32, 16, 8))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Couper un interrupteur à la fois, à la demande de la classe ; celle-ci annonce d'abord le changement. Chercher une scène où le nom
# change, et pas seulement le contour. Demander ce que l'on couperait si la mémoire manquait. (Le plus fin : c'est de loin le plus cher à
# garder.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Cut one switch at a time, as the class asks; the class announces the change first. Look for a scene where the name changes, and not
# the outline alone. Ask what one would cut if memory were short. (The finest: it is by far the dearest to keep.)

# %% [markdown] lang="fr"
# ## 9. Agrandissez-moi ça
#
# Revenons au film. Un U-Net peut apprendre à agrandir : c'est la **super-résolution**. On réduit une scène à 8 × 8, on l'agrandit en
# bilinéaire, et l'U-Net **corrige** ce nuage ; la perte est l'écart au carré avec la vraie scène. Comme sa dernière couche part de zéro, il
# commence en rendant la bilinéaire, et ne peut que mieux faire.
#
# Il a vu 2 000 scènes, mais pas celle du début. **Devinez** : retrouvera-t-il les formes que vous avez notées ?

# %% [markdown] lang="en"
# ## 9. Enhance
#
# Let us go back to the film. A U-Net can learn to enlarge: this is **super-resolution**. Shrink a scene to 8 × 8, enlarge it by bilinear,
# and the U-Net **corrects** this cloud; the loss is the squared difference from the true scene. As its last layer starts at zero, it begins
# by giving back the bilinear picture, and can only do better.
#
# It has seen 2,000 scenes, but not that of the beginning. **Guess**: will it find the shapes that you noted?

# %%
def enhance(network, low):
    cloud = F.interpolate(low, scale_factor=4, mode="bilinear")
    return cloud + network(cloud)


def restore_pixels(network, chosen, generator):
    high = images[chosen]
    return F.mse_loss(enhance(network, avg_pool2d(high, 4)), high)


def train_enhancer():
    losses = learn(enhancer, restore_pixels, steps=170, rate=4e-3, seed=0)
    return {"losses": losses, "weights": enhancer.state_dict()}


# %%
torch.manual_seed(0)
enhancer = UNet(replace(config, out_channels=3, widths=(16, 32, 32)))
learned = kept("enhancer", train_enhancer, patience=5)
enhancer.load_state_dict(learned["weights"])
print(say("loss of the last 50 steps:", "perte des 50 derniers pas :"), last_loss(learned))

# %%
with torch.no_grad():
    exam_low = avg_pool2d(exam_images, 4)
    cloud_loss = F.mse_loss(upsample_bilinear(exam_low, 4), exam_images).item()
    exam_enhanced = enhance(enhancer, exam_low)
    enhanced_loss = F.mse_loss(exam_enhanced, exam_images).item()
    shrunk_again = (avg_pool2d(exam_enhanced, 4) - exam_low).abs().mean().item()
print(say("squared error: bilinear", "erreur au carré : bilinéaire"),
      decimal(cloud_loss, 4), " U-Net", decimal(enhanced_loss, 4))
print(say("U-Net, shrunk again to 64 pixels: mean difference",
          "U-Net, réduit de nouveau à 64 pixels : écart moyen"),
      decimal(shrunk_again, 3))

# %% claims=true
assert enhanced_loss < cloud_loss / 3
assert shrunk_again < 0.03

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. Agrandissez-moi ça
#
# Huit pixels sur huit, et un U-Net qui a vu 2 000 scènes.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. Enhance
#
# Eight pixels by eight, and a U-Net that has seen 2,000 scenes.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 4, width=9, height=2.9)
show(panels[0], small[0], say("the 64 pixels", "les 64 pixels"))
show(panels[1], upsample_bilinear(small, 4)[0], say("bilinear", "bilinéaire"))
with torch.no_grad():
    show(panels[2], enhance(enhancer, small)[0], "U-Net")
show(panels[3], large[0], say("truth", "vérité"))
picture(figure, say("The 64 pixels, the bilinear cloud, the answer of the U-Net, "
                    "sharp patches, and the truth: four orange stars.",
                    "Les 64 pixels, le nuage bilinéaire, la réponse de l'U-Net, "
                    "des taches nettes, et la vérité : quatre étoiles orange."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Reprendre les paris du début. L'U-Net divise l'erreur par plus de trois, et sa réponse est nette. Puis découvrir la vérité : des
# étoiles, et il a peint des taches. Demander s'il s'est trompé. (Réduite, sa réponse redonne les 64 pixels à très peu près : elle leur est
# fidèle.) Il a inventé le plus plausible.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Take up the bets of the beginning. The U-Net divides the error by more than three, and its answer is sharp. Then uncover the truth:
# stars, and it has painted patches. Ask whether it was wrong. (Shrunk, its answer gives nearly the 64 pixels again: it is faithful to
# them.) It has invented what is plausible.

# %% [markdown] lang="fr"
# L'erreur est divisée par plus de trois, les couleurs sont pleines, le nuage a disparu : c'est bien mieux que la bilinéaire. Mais ce sont
# quatre étoiles, et l'U-Net a peint des taches. Il n'a pas désobéi : réduite à 8 × 8, sa réponse redonne les 64 pixels à très peu près.
# **Il n'a pas retrouvé le détail ; il l'a inventé**, de la façon qui, en moyenne, lui coûtait le moins. Une plaque d'immatriculation
# « agrandie » serait inventée de même.
#
# Voici la preuve. Deux scènes différentes, un disque et un carré, choisies pour que leurs 8 × 8 soient presque les mêmes. **Devinez** les
# deux réponses.

# %% [markdown] lang="en"
# The error is divided by more than three, colours are full, the cloud is gone: much better than bilinear. But these are four stars, and the
# U-Net has painted patches. It has not disobeyed: shrunk to 8 × 8, its answer gives nearly the 64 pixels again. **It has not found the
# detail again; it has invented it**, in the way that, on average, cost it least. A number plate that is "enhanced" would be invented
# likewise.
#
# Here is the proof. Two different scenes, a disc and a square, chosen so that their 8 × 8 are nearly the same. **Guess** both answers.

# %% tags=["hide-input"]
base = sample_scene(0, 3001, "all", catalogue=four_shapes)


def lone(shape, radius):
    # en: a single blue object in the middle
    # fr: un seul objet bleu, au milieu
    thing = replace(base.objects[0], shape=shape, colour="blue", x=0.5, y=0.5,
                    radius=radius)
    return replace(base, objects=(thing,))


# en: radii for which both cover as much of the four pixels in the middle
# fr: des rayons pour lesquels les deux couvrent autant des quatre pixels du milieu
disc_and_square = [lone("circle", 0.12), lone("square", 0.138)]
twins = render(disc_and_square, 32, catalogue=four_shapes)
with torch.no_grad():
    twins_low = avg_pool2d(twins, 4)
    twins_enhanced = enhance(enhancer, twins_low)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Deux scènes, une seule réponse

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Two scenes, one answer

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 3, width=6.6, height=4.6)
for row_of_panels, row in zip(panels, zip(twins, twins_low, twins_enhanced)):
    for panel, image in zip(row_of_panels, row):
        show(panel, image)
titles = say("scene|8 × 8|U-Net", "scène|8 × 8|U-Net").split("|")
for panel, title in zip(panels[0], titles):
    panel.set(title=title)
picture(figure, say("A disc and a square; their 8 × 8 pictures look the same, and so "
                    "do the answers of the U-Net, which are neither.",
                    "Un disque et un carré ; leurs 8 × 8 se ressemblent, et les "
                    "réponses de l'U-Net aussi : ni l'un ni l'autre."))

# %% claims=true
assert (twins[0] - twins[1]).abs().max() > 0.9
assert (twins_low[0] - twins_low[1]).abs().max() < 0.02
assert (twins_enhanced[0] - twins_enhanced[1]).abs().max() < 0.1

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Montrer les deux scènes, puis leurs 8 × 8, cacher la réponse. Demander : que peut répondre une fonction à deux entrées presque
# égales ? (Deux réponses presque égales.) Or ici il en faudrait deux très différentes. Laisser la classe conclure : il manque un choix.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Show both scenes, then their 8 × 8, and hide the answer. Ask: what can a function answer to two inputs that are nearly equal? (Two
# answers that are nearly equal.) Yet here two very different ones would be needed. Let the class conclude: a choice is missing.

# %% [markdown] lang="fr"
# Deux scènes, la même réponse, et ce n'est ni l'une ni l'autre. Le réseau n'y peut rien : à entrée égale, réponse égale.
#
# ## 10. Pas encore une machine qui dessine
#
# Un U-Net rend des images. Pourquoi ne pas lui demander d'en dessiner ? Pour trois raisons.
#
# - **Il ne choisit pas.** C'est une fonction : la même entrée donne toujours la même sortie. Donnez-lui du papier blanc, il rendra toujours
#   la même chose.
# - **Il ne dit pas de probabilité.** Les classes d'un pixel ont chacune la leur, mais l'image entière n'en a pas : rien ne dit à quel point
#   une scène serait vraisemblable.
# - **Il fait un compromis.** Quand deux réponses sont possibles, l'erreur au carré ne récompense pas l'une ou l'autre : elle récompense
#   leur milieu.
#
# Le troisième point se calcule. Un pixel vaut 0 ou 1, à pile ou face. Répondre 0 ou 1 coûte en moyenne 0,5 ; répondre 0,5 coûte toujours
# 0,25. **Devinez** la meilleure réponse si le 1 a trois chances sur quatre.

# %% [markdown] lang="en"
# Two scenes, the same answer, and it is neither of them. The network cannot help it: to equal inputs, equal answers.
#
# ## 10. Not yet a machine that draws
#
# A U-Net gives pictures back. Why not ask it to draw some? For three reasons.
#
# - **It does not choose.** It is a function: the same input always gives the same output. Give it white paper, and it will always give back
#   the same thing.
# - **It states no probability.** The classes of a pixel have one each, but the picture as a whole has none: nothing says how likely a scene
#   would be.
# - **It compromises.** When two answers are possible, squared error does not reward one or the other: it rewards their middle.
#
# The third point can be computed. A pixel is 0 or 1, by the toss of a coin. To answer 0 or 1 costs 0.5 on average; to answer 0.5 always
# costs 0.25. **Guess** the best answer if 1 has three chances out of four.

# %%
print(say("answer   mean squared error", "réponse  erreur au carré moyenne"))
for answer in (0, 0.5, 0.75, 1):
    cost = 0.25 * (answer - 0) ** 2 + 0.75 * (answer - 1) ** 2
    print(f"{decimal(answer, 2):>7} {decimal(cost, 3):>8}")

# %% claims=true
costs = [0.25 * answer**2 + 0.75 * (answer - 1) ** 2 for answer in (0, 0.5, 0.75, 1)]
assert min(costs) == costs[2] == 0.1875
assert 0.5 * 0.5**2 + 0.5 * 0.5**2 == 0.25

# %% [markdown] lang="fr"
# La meilleure réponse est 0,75, la **moyenne** : une valeur que le pixel n'a jamais. Il en va de même d'images entières.

# %% [markdown] lang="fr"
# **La meilleure réponse unique.** Écrivez `best_answer(pictures, probabilities)` : `pictures`, de forme (k, c, h, w), contient k images
# possibles, `probabilities`, de forme (k,), leurs probabilités, de somme 1. Rendez l'image, de forme (c, h, w), dont l'erreur au carré est
# en moyenne la plus petite.
#
# <details><summary>Un indice</summary>
#
# Pour un pixel, dérivez $\sum_k p_k (a - x_k)^2$ par rapport à $a$ : où s'annule-t-elle ?
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# C'est $\sum_k p_k \, x_k$ : étendez les probabilités avec `probabilities[:, None, None, None]`, multipliez, sommez sur k.
#
# </details>

# %% [markdown] lang="en"
# The best answer is 0.75, the **mean**: a value that the pixel never has. It is the same with whole pictures.

# %% [markdown] lang="en"
# **The best single answer.** Write `best_answer(pictures, probabilities)`: `pictures`, of shape (k, c, h, w), holds k possible pictures,
# `probabilities`, of shape (k,), their probabilities, which sum to 1. Return the picture, of shape (c, h, w), whose squared error is
# smallest on average.
#
# <details><summary>A hint</summary>
#
# For one pixel, differentiate $\sum_k p_k (a - x_k)^2$ with respect to $a$: where is it zero?
#
# </details>
#
# <details><summary>A second hint</summary>
#
# It is $\sum_k p_k \, x_k$: spread the probabilities with `probabilities[:, None, None, None]`, multiply, sum over k.
#
# </details>

# %% level=2
def best_answer(pictures, probabilities):
    return (probabilities[:, None, None, None] * pictures).sum(dim=0)

# %% scratch=true
best_answer(torch.tensor([[[[0.0]]], [[[1.0]]]]), torch.tensor([0.25, 0.75]))
# → tensor([[[0.7500]]])

# %%
def least_on_average():
    pictures = torch.arange(12.0).square().view(3, 2, 1, 2)
    return best_answer(pictures, torch.tensor([0.5, 0.25, 0.25]))


expect(least_on_average, torch.tensor([[[20.0, 27.0]], [[36.0, 47.0]]]),
       say("the answer to the squares of 0 to 11, as three pictures of 2 × 1 × 2",
           "la réponse aux carrés de 0 à 11, en trois images de 2 × 1 × 2"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. Ni choix, ni probabilité : la moyenne
#
# Un disque ou un carré, à pile ou face : la réponse qui coûte le moins.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. No choice, no probability: the mean
#
# A disc or a square, by the toss of a coin: the answer that costs least.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 3, width=7.4, height=2.8)
titles = say("one chance in two|one chance in two|the cheapest answer",
             "une chance sur deux|une chance sur deux|la moins chère").split("|")
for panel, image, title in zip(panels, [*twins, twins.mean(dim=0)], titles):
    show(panel, image[:, 8:24, 8:24], title)
picture(figure, say("A disc, a square, and their mean: a disc with pale corners, "
                    "which is neither.",
                    "Un disque, un carré, et leur moyenne : un disque aux coins "
                    "pâles, qui n'est ni l'un ni l'autre."))

# %% claims=true
middle = twins.mean(dim=0)
cost_of_middle = sum(F.mse_loss(middle, each).item() for each in twins) / 2
cost_of_disc = sum(F.mse_loss(twins[0], each).item() for each in twins) / 2
assert cost_of_middle < 0.6 * cost_of_disc

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Le pixel à pile ou face, au tableau : 0,5 en moyenne pour qui choisit, 0,25 pour qui répond le milieu. Puis l'image. Demander
# quelle note aurait une machine qui dessinerait toujours un vrai disque. (Une moins bonne.) Voilà pourquoi il faut une autre perte, et du
# hasard : la leçon 07.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. The pixel by the toss of a coin, on the board: 0.5 on average for one who chooses, 0.25 for one who answers the middle. Then the
# picture. Ask what mark a machine would get that always drew a real disc. (A worse one.) That is why another loss is needed, and chance:
# lesson 07.

# %% [markdown] lang="fr"
# Un disque aux coins pâles, que personne n'a jamais dessiné, coûte moins que chacune des deux vraies scènes. C'est de là que vient le flou.
# Pour dessiner, il faut une machine qui **tire au sort** entre les réponses possibles, et qui sache à quelles images elle donne de la
# **probabilité**. L'U-Net sera son pinceau ; ce qui lui manque vient à la [](lesson:07), puis à la [](lesson:10).

# %% [markdown] lang="en"
# A disc with pale corners, which nobody has ever drawn, costs less than either of the two true scenes. This is where blur comes from. To
# draw, one needs a machine that **samples** among the possible answers, and knows to which pictures it gives **probability**. The U-Net
# will be its brush; what it lacks comes in [](lesson:07), then in [](lesson:10).

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 7-8, 13"
# ### Exercices 7, 8 et 13 · Pour chez soi
#
# **6 min** pour les lire.
#
# - **7** ●●● Défaire une convolution.
# - **8** ●● Agrandir, puis convoluer.
# - **13** ●● La meilleure réponse unique.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 7-8, 13"
# ### Exercises 7, 8 and 13 · For home
#
# **6 min** to read them.
#
# - **7** ●●● Undo a convolution.
# - **8** ●● Enlarge, then convolve.
# - **13** ●● The best single answer.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Lire les trois énoncés ensemble. Le 8 tient en une ligne ; le faire en classe s'il reste du temps. Pour le 7, rappeler ce qu'est
# une pseudo-inverse : la solution la plus petite des moindres carrés. Pour le 13, faire dériver un pixel au tableau.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Read the three statements together. 8 is one line; do it in class if there is time. For 7, recall what a pseudo-inverse is: the
# smallest solution in least squares. For 13, have one pixel differentiated on the board.

# %% [markdown] lang="fr"
# ## 11. Quelle erreur est-ce ?
#
# Voici une convolution transposée écrite par quelqu'un d'autre. Elle est fausse. Ne regardez pas son code : interrogez-la. **Avant de
# lancer la cellule**, écrivez ce qu'une bonne version répondrait : une position seule de valeur 2, avec le noyau (1, 2, 3) ; deux
# positions, 2 et 3, au pas de 3 ; les mêmes, au pas de 2.

# %% [markdown] lang="en"
# ## 11. Which mistake is this?
#
# Here is a transposed convolution that somebody else wrote. It is wrong. Do not look at its code: question it. **Before you run the cell**,
# write down what a good version would answer: a single position of value 2, with the kernel (1, 2, 3); two positions, 2 and 3, at stride 3;
# the same ones, at stride 2.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("convolution:conv_transpose2d", "overlaps_overwrite")
one_two_three = torch.tensor([[[[1.0, 2.0, 3.0]]]])
questions_asked = (
    (say("value 2:", "valeur 2 :"), [2.0], 1),
    (say("2 and 3, stride 3:", "2 et 3, pas 3 :"), [2.0, 3.0], 3),
    (say("2 and 3, stride 2:", "2 et 3, pas 2 :"), [2.0, 3.0], 2),
)
for name, given, stride in questions_asked:
    found = mystery(torch.tensor([[[given]]]), one_two_three, stride)
    print(f"{name:20}", *(f"{pixel:.0f}" for pixel in found.flatten()))

# %% claims=true
assert found.flatten().tolist() == [2, 4, 3, 6, 9]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 11. Quelle erreur est-ce ?
#
# Une convolution transposée fausse, de noyau (1, 2, 3).
#
# | positions | pas | elle répond |
# |---|---|---|
# | 2 | 1 | 2 4 6 |
# | 2, 3 | 3 | 2 4 6 3 6 9 |
# | 2, 3 | 2 | 2 4 3 6 9 |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 11. Which mistake is this?
#
# A wrong transposed convolution, of kernel (1, 2, 3).
#
# | positions | stride | it answers |
# |---|---|---|
# | 2 | 1 | 2 4 6 |
# | 2, 3 | 3 | 2 4 6 3 6 9 |
# | 2, 3 | 2 | 2 4 3 6 9 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux minutes par deux, puis un vote. Les deux premières réponses sont justes ; à la troisième, une bonne version donnerait 2, 4, 9,
# 6, 9. Demander ce que la troisième a de particulier. (Les tampons se recouvrent.) Le 3 du milieu vient du second tampon seul.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two minutes in pairs, then a vote. The first two answers are right; to the third a good version would give 2, 4, 9, 6, 9. Ask what
# is special about the third. (The stamps overlap.) The 3 in the middle comes from the second stamp alone.

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz unet"
# ## 12. Neuf questions
#
# **8 min.** Répondez seul, puis comparez à deux.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz unet"
# ## 12. Nine questions
#
# **8 min.** Answer alone, then compare in pairs.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Quatre minutes seul, dans le notebook ; puis à main levée. S'arrêter là où la moitié de la salle se trompe. Les deux tailles et
# l'IoU se refont au tableau. Que chacun note la question qu'il a manquée.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Four minutes alone, in the notebook; then by show of hands. Stop where half the room is wrong. Both sizes and the IoU are worked
# out again on the board. Let everyone note the question they missed.

# %% [markdown] lang="fr"
# ## 12. Questions

# %% [markdown] lang="en"
# ## 12. Questions

# %% quiz="unet"
quiz(
    Number(
        say("A transposed convolution of kernel 3, stride 1, without padding, is given 2 positions. How many pixels does it make "
            "on a side?",
            "Une convolution transposée de noyau 3, de pas 1, sans marge, reçoit 2 positions. Combien de pixels de côté fait-elle ?"),
        right=4,
        why=say("(2 − 1) × 1 + 3 = 4.", "(2 − 1) × 1 + 3 = 4."),
        computed=lambda: F.conv_transpose1d(torch.ones(1, 1, 2), torch.ones(1, 1, 3)).shape[-1],
        near_misses={3: say("3 is the side of the kernel: the second stamp goes one pixel beyond it.",
                            "3 est le côté du noyau : le second tampon le dépasse d'un pixel.")},
    ),
    Number(
        say("And of 5 positions, with kernel 4, stride 2 and padding 1?",
            "Et de 5 positions, avec un noyau de 4, un pas de 2 et une marge de 1 ?"),
        right=10,
        why=say("(5 − 1) × 2 − 2 + 4 = 10: exactly the double.", "(5 − 1) × 2 − 2 + 4 = 10 : exactement le double."),
        computed=lambda: F.conv_transpose1d(torch.ones(1, 1, 5), torch.ones(1, 1, 4), stride=2, padding=1).shape[-1],
        near_misses={12: say("The padding is taken off here: − 2 × 1.", "Ici, la marge se retire : − 2 × 1.")},
    ),
    Choice(
        say("A convolution of kernel 4, stride 2 and padding 1 was given a picture of even side. Of that picture, the transposed "
            "convolution with the same settings gives back",
            "Une convolution de noyau 4, de pas 2 et de marge 1 a reçu une image de côté pair. De cette image, la convolution transposée "
            "aux mêmes réglages rend"),
        [say("the pixels", "les pixels"), say("the size", "la taille"), say("neither", "ni l'un ni l'autre")],
        right=1,
        why=say("It multiplies by the transposed matrix, which has the right shape and is no inverse. An odd side would come back one "
                "pixel smaller: that pixel is what `output_padding` adds.",
                "Elle multiplie par la matrice transposée, qui a la bonne forme et n'est pas l'inverse. Un côté impair reviendrait avec un "
                "pixel de moins : c'est lui que `output_padding` ajoute."),
        why_not=[
            say("That would take an inverse; M is not even square, as a rule.",
                "Il faudrait un inverse ; M n'est même pas carrée, en général."),
            say("Rows and columns are exchanged: what came out of so many pixels goes back to as many.",
                "Lignes et colonnes sont échangées : ce qui venait de tant de pixels y retourne."),
        ],
    ),
    Choice(
        say("The gradient of a convolution, with respect to its input, is", "Le gradient d'une convolution, par rapport à son entrée, est"),
        [say("a convolution of the picture with itself", "une convolution de l'image par elle-même"),
         say("the same convolution, of the slopes that come back", "la même convolution, appliquée aux pentes qui reviennent"),
         say("a transposed convolution of the slopes that come back", "une convolution transposée, appliquée aux pentes qui reviennent")],
        right=2,
        why=say("The map is M x, so that the slope is M transposed times what comes back.",
                "La carte est M x ; la pente est donc la transposée de M fois ce qui revient."),
        why_not=[
            say("The input plays no part in that slope: the convolution is linear in it.",
                "L'entrée n'intervient pas dans cette pente : la convolution est linéaire."),
            say("The shapes would not fit: slopes come on the map, and must go to the picture.",
                "Les formes n'iraient pas : les pentes arrivent sur la carte et doivent aller sur l'image."),
        ],
    ),
    Number(
        say("How many weights does bilinear upsampling have to learn, for pictures of 3 channels?",
            "Combien de poids l'agrandissement bilinéaire doit-il apprendre, pour des images de 3 canaux ?"),
        right=0,
        why=say("None: its shares depend on distances alone.", "Aucun : ses parts ne dépendent que des distances."),
        computed=lambda: sum(each.numel() for each in nn.Upsample(scale_factor=2, mode="bilinear").parameters()),
    ),
    Choice(
        say("Which transposed convolution touches all pixels away from the border equally often?",
            "Quelle convolution transposée touche autant de fois chaque pixel, loin du bord ?"),
        [say("kernel 3, stride 2", "noyau 3, pas 2"),
         say("kernel 4, stride 2", "noyau 4, pas 2"),
         say("kernel 4, stride 3", "noyau 4, pas 3")],
        right=1,
        why=say("4 is a multiple of 2.", "4 est un multiple de 2."),
        why_not=[
            say("Along a row pixels are touched once, twice, once, twice.",
                "Le long d'une ligne : une fois, deux fois, une fois, deux fois."),
            say("One pixel in three is touched twice along a row.", "Le long d'une ligne, un pixel sur trois est touché deux fois."),
        ],
    ),
    Number(
        say("Two discs of the same size: a third of each lies in the other. What is their IoU?",
            "Deux disques de même taille : un tiers de chacun est dans l'autre. Quel est leur IoU ?"),
        right=0.2,
        why=say("With three thirds each: 1 in both, 3 + 3 − 1 = 5 in either.",
                "Trois tiers chacun : 1 dans les deux, 3 + 3 − 1 = 5 dans l'un au moins."),
        computed=lambda: (1 / 3) / (1 + 1 - 1 / 3),
        near_misses={1 / 3: say("What was taken in excess counts too: divide by the union.",
                                "Ce qui est pris en trop compte aussi : divisez par l'union.")},
    ),
    Choice(
        say("In a U-Net, the exact outline of a star comes mostly", "Dans un U-Net, le contour exact d'une étoile vient surtout"),
        [say("from the bottom", "du fond"),
         say("across the skips", "par les raccourcis"),
         say("from the last layer's biases", "des biais de la dernière couche")],
        right=1,
        why=say("With the skips cut, the name stays right most of the time, and outlines are wrong far more often.",
                "Raccourcis coupés, le nom reste le plus souvent juste, et les contours sont bien plus souvent faux."),
        why_not=[
            say("The bottom knows what is there; one of its positions stands for 8 × 8 pixels.",
                "Le fond sait ce qui est là ; une de ses positions représente 8 × 8 pixels."),
            say("They are the same for all pixels.", "Ils sont les mêmes pour tous les pixels."),
        ],
    ),
    Choice(
        say("A U-Net trained with squared error on two equally likely answers gives",
            "Un U-Net entraîné par l'erreur au carré sur deux réponses également probables rend"),
        [say("one of them, by chance", "l'une d'elles, au hasard"),
         say("their mean", "leur moyenne"),
         say("the simpler one", "la plus simple")],
        right=1,
        why=say("The mean has the smallest squared error on average: hence blur.",
                "C'est la moyenne dont l'erreur au carré est en moyenne la plus petite : d'où le flou."),
        why_not=[
            say("There is no chance in it: the same input gives the same output.",
                "Il n'y a en lui aucun hasard : la même entrée donne la même sortie."),
            say("Nothing in the loss knows what is simple.", "Rien dans la perte ne sait ce qui est simple."),
        ],
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Répéter, mêler, tamponner, ranger.
# - Transposer n'est pas défaire : c'est rétropropager.
# - Un noyau multiple du pas, ou gare au damier.
# - Le fond sait quoi ; les ponts savent où.
# - Sans hasard, on rend la moyenne.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - Repeat, mix, stamp, rearrange.
# - To transpose is not to undo: it is to backpropagate.
# - A multiple of the stride, or a checkerboard.
# - The bottom knows what; the bridges know where.
# - Without chance, one gives the mean.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 7, 8, 11 et 13. La leçon 07 part du fond du
# U : que faire de ces quelques nombres, si l'on coupe tous les ponts et que l'on y tire au sort ?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: finish exercises 7, 8, 11 and 13. Lesson 07 sets out from the bottom
# of the U: what can be made of these few numbers, if all bridges are cut and one samples there?

# %% [markdown] lang="fr"
# ## À retenir
#
# - Quatre façons d'agrandir : répéter et mêler n'apprennent rien ; poser des tampons, ou calculer puis ranger, a des poids.
# - Une convolution transposée fait $(n - 1) s - 2p + k$ pixels. Elle multiplie par la matrice transposée : c'est le gradient d'une
#   convolution, et l'inverse de rien.
# - Un noyau dont le côté n'est pas un multiple du pas peint un damier. Agrandir puis convoluer n'en fait pas.
# - L'U-Net descend pour savoir quoi, remonte pour dire où ; ses raccourcis portent la place exacte.
# - L'exactitude flatte quand une classe est partout : mesurez l'IoU, classe par classe.
# - Avant de conclure d'une coupure, laissez le réseau s'habituer.
# - Agrandir n'est pas retrouver : une machine invente le plus plausible, et sans hasard elle rend la moyenne.

# %% [markdown] lang="en"
# ## Take-aways
#
# - Four ways to enlarge: repeating and mixing learn nothing; setting stamps, or computing and then putting in place, has weights.
# - A transposed convolution makes $(n - 1) s - 2p + k$ pixels. It multiplies by the transposed matrix: it is the gradient of a convolution,
#   and the inverse of nothing.
# - A kernel that is no multiple of the stride paints a checkerboard. To enlarge and then convolve makes none.
# - The U-Net goes down to know what, and comes up to say where; its skips carry the exact place.
# - Accuracy flatters when one class is everywhere: measure IoU, class by class.
# - Before you conclude from a cut, let the network get used to it.
# - To enlarge is not to find again: a machine invents what is most plausible, and without chance it gives the mean.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:07) coupe tous les ponts, rétrécit le fond, et y met du hasard : l'auto-encodeur variationnel dessinera des chiffres que
# personne n'a écrits. L'U-Net revient à la [](lesson:10), où il ôte du bruit, et à la [](lesson:15), où il agrandit par étages. D'ici là,
# entraînez `enhancer` avec l'erreur absolue (`F.l1_loss`) : sa meilleure réponse n'est plus la moyenne, mais la médiane. Le disque et le
# carré y gagnent-ils ?
#
# ## Sources
#
# - V. Dumoulin et F. Visin, [*A guide to convolution arithmetic for deep learning*](work:dumoulin2016), 2016.
# - A. Odena, V. Dumoulin et C. Olah, [*Deconvolution and checkerboard artifacts*](work:odena2016), 2016.
# - W. Shi et al., [*Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
#   network*](work:shi2016), 2016.
# - O. Ronneberger, P. Fischer et T. Brox, [*U-Net: convolutional networks for biomedical image segmentation*](work:ronneberger2015), 2015.
# - Y. Wu et K. He, [*Group normalization*](work:wu2018), 2018 ; J. Ho, A. Jain et P. Abbeel, [*Denoising diffusion probabilistic
#   models*](work:ho2020), 2020 ; P. Dhariwal et A. Nichol, [*Diffusion models beat GANs on image synthesis*](work:dhariwal2021), 2021 ; W.
#   Peebles et S. Xie, [*Scalable diffusion models with transformers*](work:peebles2023), 2023.
# - P. Jaccard, [*The distribution of the flora in the alpine zone*](work:jaccard1912), 1912 ; M. Everingham et al., [*The PASCAL visual
#   object classes (VOC) challenge*](work:everingham2010), 2010.

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:07) cuts all bridges, narrows the bottom, and puts chance there: the variational autoencoder will draw digits that nobody wrote.
# The U-Net comes back in [](lesson:10), where it takes out noise, and in [](lesson:15), where it enlarges floor by floor. Until then, train
# `enhancer` with the absolute error (`F.l1_loss`): its best answer is no longer the mean but the median. Do the disc and the square gain by
# it?
#
# ## Sources
#
# - V. Dumoulin and F. Visin, [*A guide to convolution arithmetic for deep learning*](work:dumoulin2016), 2016.
# - A. Odena, V. Dumoulin and C. Olah, [*Deconvolution and checkerboard artifacts*](work:odena2016), 2016.
# - W. Shi and others, [*Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
#   network*](work:shi2016), 2016.
# - O. Ronneberger, P. Fischer and T. Brox, [*U-Net: convolutional networks for biomedical image segmentation*](work:ronneberger2015), 2015.
# - Y. Wu and K. He, [*Group normalization*](work:wu2018), 2018; J. Ho, A. Jain and P. Abbeel, [*Denoising diffusion probabilistic
#   models*](work:ho2020), 2020; P. Dhariwal and A. Nichol, [*Diffusion models beat GANs on image synthesis*](work:dhariwal2021), 2021; W.
#   Peebles and S. Xie, [*Scalable diffusion models with transformers*](work:peebles2023), 2023.
# - P. Jaccard, [*The distribution of the flora in the alpine zone*](work:jaccard1912), 1912; M. Everingham and others, [*The PASCAL visual
#   object classes (VOC) challenge*](work:everingham2010), 2010.
