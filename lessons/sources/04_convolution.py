# ---
# jupyter:
#   lesson:
#     number: "04"
#     hours: [2.5, 1, 1.5, 2]
#     session: 199
#     title: {en: "Convolution: seeing", fr: "La convolution : voir"}
# ---

# %% [markdown] lang="fr"
# À gauche, un dessin : de l'encre sur du papier. À sa droite, le même dessin vu de trois façons, A, B et C. Pour chacune, une petite
# fenêtre de trois pixels sur trois a glissé partout, et **neuf nombres**, toujours les mêmes, ont décidé de ce qu'elle voyait. Orange : elle
# dit oui ; violet : elle dit non ; blanc : rien à signaler. Les trois jeux de neuf nombres sont en bas, dans le désordre.
#
# **Devinez d'abord.** Quels nombres, 1, 2 ou 3, ont fait A ? B ? C ? Notez votre réponse.

# %% [markdown] lang="en"
# On the left is a drawing: ink on paper. To its right is the same drawing seen in three ways, A, B and C. For each, a small window of three
# pixels by three has slid everywhere, and **nine numbers**, always the same, have decided what it saw. Orange: it says yes; purple: it says
# no; white: nothing to report. The three sets of nine numbers are below, in another order.
#
# **Guess first.** Which numbers, 1, 2 or 3, made A? B? C? Note your answer.

# %% tags=["hide-input"]
from dataclasses import replace

import torch
import torch.nn.functional as F

from dalle_edu.classroom.figures import picture, plot
from dalle_edu.world import Object, render, sample_scene

four = [Object("square", "black", "large", 0.27, 0.27, 0.2),
        Object("ring", "black", "large", 0.74, 0.27, 0.2),
        Object("triangle", "black", "large", 0.27, 0.74, 0.2),
        Object("heart", "black", "large", 0.74, 0.74, 0.2)]
drawing = render([replace(sample_scene(0), objects=tuple(four))], 32)

# %% tags=["hide-input"]
# en: ink is 1, white paper is 0
# fr: l'encre vaut 1, le papier blanc 0
ink = (1 - drawing.amin(dim=1)[0]) / 2
slope = torch.tensor([[-1.0, 0.0, 1.0]] * 3)
kernels = {"A": slope, "B": torch.full((3, 3), 1 / 9), "C": slope.T}


def see(ink, kernel):
    return F.conv2d(ink[None, None], kernel[None, None])[0, 0]


# %% tags=["hide-input"]
def show_grid(panel, grid, title, numbers=False, reach=None):
    grid = torch.as_tensor(grid, dtype=torch.float32)
    reach = reach or max(grid.abs().max().item(), 1e-9)
    panel.imshow(grid.numpy(), cmap="PuOr_r", vmin=-reach, vmax=reach)
    panel.set(title=title, xticks=[], yticks=[])
    if numbers:
        for row, line in enumerate(grid.tolist()):
            for column, number in enumerate(line):
                text = f"{number:.2f}" if number % 1 else f"{number:.0f}"
                text = text.replace("-", "−")
                panel.text(column, row, text, ha="center", va="center", fontsize=12)


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## Neuf nombres, une façon de voir
#
# Lesquels, 1, 2 ou 3, ont fait A ? B ? C ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## Nine numbers, a way of seeing
#
# Which of them, 1, 2 or 3, made A? B? C?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 4, width=9, height=4.4)
panels[0, 0].imshow(ink.numpy(), cmap="gray_r", vmin=0, vmax=1)
panels[0, 0].set(title=say("the drawing", "le dessin"), xticks=[], yticks=[])
panels[1, 0].axis("off")
for panel, (name, kernel) in zip(panels[0, 1:], kernels.items()):
    show_grid(panel, see(ink, kernel), name)
made_by = {"1": "B", "2": "C", "3": "A"}
for panel, (number, name) in zip(panels[1, 1:], made_by.items()):
    show_grid(panel, kernels[name], number, numbers=True, reach=2)
picture(figure, say("A drawing and three maps of it, A, B and C; below, three sets "
                    "of nine numbers, 1, 2 and 3, in another order.",
                    "Un dessin et trois cartes de lui, A, B et C ; au-dessous, "
                    "trois jeux de neuf nombres, 1, 2 et 3, dans le désordre."))

# %% claims=true
assert see(ink, kernels["B"]).min() >= 0
assert see(ink, kernels["A"]).min() < -0.5 and see(ink, kernels["C"]).min() < -0.5
assert (kernels[made_by["1"]] > 0).all() and torch.equal(kernels[made_by["3"]], slope)
assert torch.equal(kernels[made_by["2"]], slope.T)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Laisser regarder en silence, puis voter. B n'a pas de violet : ses nombres sont tous positifs, c'est 1. A réagit aux bords
# verticaux : ses colonnes s'opposent, c'est 3. C, aux bords horizontaux : c'est 2. Demander pourquoi l'intérieur des formes est blanc dans
# A et C. (Les neuf nombres y font zéro.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Let them look in silence, then vote. B has no purple: its numbers are all positive, that is 1. A reacts to vertical edges: its
# columns oppose each other, that is 3. C reacts to horizontal edges: that is 2. Ask why the inside of shapes is white in A and C. (There the
# nine numbers cancel out.)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - calculer une taille de sortie ;
# - écrire une convolution de trois façons ;
# - dire ce que coûtent pas, marge et pooling ;
# - trouver un champ récepteur ;
# - entraîner un réseau qui lit, et l'ouvrir.
#
# **Il faut** la leçon 01.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - work out the size of an output;
# - write a convolution in three ways;
# - say what stride, padding and pooling cost;
# - find a receptive field;
# - train a reading network, and open it.
#
# **You need** lesson 01.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander qui se rappelle le MLP de la leçon 01 : des couches où chaque neurone regarde tous les nombres. Annoncer deux séances
# possibles : jusqu'à la section 7 (la mécanique), puis le réseau qui lit. Distribuer à chacun une feuille quadrillée de 5 × 5 et une
# fenêtre de 3 × 3 découpée.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask who remembers the MLP of lesson 01: layers in which each neuron looks at all the numbers. Announce two possible classes: up to
# section 7 (the mechanics), then the network that reads. Hand out a paper grid of 5 × 5 and a cut-out window of 3 × 3 to each.

# %% [markdown] lang="fr"
# B est faite par 1 : neuf neuvièmes, une moyenne, qui floute et ne dit jamais non. A est faite par 3 : les colonnes s'opposent, et la
# fenêtre dit oui là où, de gauche à droite, on passe du papier à l'encre, non là où l'on revient au papier. C est faite par 2, le même jeu
# couché : il voit les bords du haut et du bas. Dans A et C, à l'intérieur d'une forme, les nombres opposés s'annulent : blanc.
#
# Ces neuf nombres s'appellent un **noyau** (*kernel*) ; le geste, une **convolution**. Ici, une personne les a choisis. Un réseau de neurones
# peut les **apprendre**, par dizaines, et des couches de noyaux posées l'une sur l'autre lisent des chiffres, reconnaissent des visages, et
# dessinent : toutes les machines à images de ce cours en ont. Le plus étonnant viendra vers la fin : nous mélangerons les pixels de
# toutes les images, et verrons qui s'en aperçoit.

# %% [markdown] lang="en"
# B was made by 1: nine ninths, a mean, which blurs and never says no. A was made by 3: the columns oppose each other, and the window says
# yes where ink begins to the right of paper, no where it ends. C was made by 2, the same set lying down: it sees the edges at the top and
# bottom. Inside a shape the opposite numbers cancel out: white.
#
# These nine numbers are called a **kernel**; the gesture, a **convolution**. Here a person chose them. A neural network can **learn** them, by
# the dozen, and layers of kernels one above the other read digits, recognise faces, and draw: all the picture machines of this course have
# them. The greatest surprise comes towards the end: we shall shuffle the pixels of all the pictures, and see who notices.

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - calculer la taille de ce qui sort d'une convolution, quels que soient le noyau, le pas et la marge ;
# - écrire une convolution de trois façons : par des boucles, par un produit de matrices, comme une grande matrice ;
# - dire ce qu'un filtre voit, et ce que coûtent le pas, la marge et le pooling ;
# - trouver le champ récepteur d'un réseau ;
# - entraîner un petit réseau convolutif, regarder dedans, et dire sur quelle hypothèse il repose.
#
# **Il faut** la [](lesson:01) : les couches, la ReLU, l'entropie croisée, l'entraînement en PyTorch.
#
# **Si le temps manque**, les sections [1](#a-picture-is-a-long-list-of-numbers) à [5](#one-product-of-matrices),
# [9](#a-network-that-reads) et [10](#who-notices) forment le chemin principal. Peuvent attendre : la grande matrice
# ([](#a-convolution-is-a-matrix)), que la [](lesson:06) reprendra, et la profondeur ([](#deeper)). Un exercice non fait n'arrête rien : la
# bibliothèque prend la place de ce qui manque.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - work out the size of what comes out of a convolution, whatever the kernel, the stride and the padding;
# - write a convolution in three ways: by loops, as a product of matrices, as one big matrix;
# - say what a filter sees, and what stride, padding and pooling cost;
# - find the receptive field of a network;
# - train a small convolutional network, look inside, and say which hypothesis it rests on.
#
# **You need** [](lesson:01): layers, the ReLU, cross-entropy, training in PyTorch.
#
# **If time is short**, sections [1](#a-picture-is-a-long-list-of-numbers) to [5](#one-product-of-matrices), [9](#a-network-that-reads) and
# [10](#who-notices) are the main path. What can wait: the big matrix ([](#a-convolution-is-a-matrix)), which [](lesson:06) takes up again,
# and depth ([](#deeper)). An exercise left undone stops nothing: the library takes the place of what is missing.

# %%
from torch import nn

from dalle_edu.bricks.convolution import ResidualBlock, SmallClassifier
from dalle_edu.classroom.figures import BLUE, COLOURS, GREEN, ORANGE
from dalle_edu.classroom.figures import SKY, VERMILION, legend
from dalle_edu.classroom.widgets.kernel_painter import KernelPainter, draw_seen
from dalle_edu.datasets.digits import digits
from dalle_edu.language import decimal

# %% [markdown] lang="fr"
# ## 1. Une image est une longue liste de nombres
#
# La vision par ordinateur poursuit plusieurs buts : **classer** (quel chiffre est-ce ?), mais aussi **débruiter** ([](lesson:10)),
# **transformer** (un style en un autre : [](lesson:09)), **engendrer** (dessiner ce qu'une phrase décrit : [](lesson:11)). Tous commencent par la même difficulté : une image, c'est beaucoup de
# nombres. Un chiffre de 8 × 8 pixels gris en a 64. Une scène en couleurs de 64 × 64 en a $64 \times 64 \times 3 = 12\,288$, et une photo de
# 224 × 224, 150 528.
#
# On peut mettre ces nombres bout à bout : l'image devient un **point** d'un espace à 64, ou à 12 288 dimensions, comme un mot devenait un
# point à la [](lesson:02). C'est ce que fait le MLP de la [](lesson:01), et cela coûte cher : chaque neurone de sa première couche a un
# poids par pixel. Pour cent neurones et la scène en couleurs, cela fait 1 228 800 poids, avant d'avoir rien décidé. Et cela perd
# quelque chose. **Devinez** quoi, en regardant ces deux rangées.

# %% [markdown] lang="en"
# ## 1. A picture is a long list of numbers
#
# Computer vision has several aims: to **classify** (which digit is this?), but also to **denoise** ([](lesson:10)), to
# **transform** (one style into another: [](lesson:09)), to **generate** (to draw what a sentence describes: [](lesson:11)). All begin with the same difficulty: a picture is many numbers. A digit of
# 8 × 8 grey pixels has 64 of them. A scene in colour, 64 × 64, has $64 \times 64 \times 3 = 12{,}288$, and a photograph of 224 × 224,
# 150,528.
#
# One can put these numbers end to end: the picture becomes a **point** of a space of 64, or of 12,288 dimensions, as a word became a point
# in [](lesson:02). The MLP of [](lesson:01) does this, and it is costly: each neuron of its first layer has a weight for each pixel. For a
# hundred neurons and the scene in colour, that makes 1,228,800 weights, before anything is decided. And something gets lost. **Guess** what,
# by looking at these two rows.

# %% tags=["hide-input"]
images, classes = digits()
generator = torch.Generator().manual_seed(0)
shuffled_order = torch.randperm(len(images), generator=generator)
# en: ink again: 1 where the pen was, 0 on paper
# fr: de l'encre, à nouveau : 1 où le stylo a passé, 0 sur le papier
images, classes = (images[shuffled_order] + 1) / 2, classes[shuffled_order]


def scatter(images, side, seed):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(side - 7, (len(images), 2), generator=generator)
    sheets = torch.zeros(len(images), 1, side, side)
    for sheet, image, (row, column) in zip(sheets, images, corners.tolist()):
        sheet[:, row : row + 8, column : column + 8] = image
    return sheets


# %% tags=["hide-input"]
scattered = scatter(images, 12, seed=0)
# en: a new place for each of the 144 pixels, the same for all pictures
# fr: une place nouvelle pour chacun des 144 pixels, la même partout
new_places = torch.randperm(144, generator=torch.Generator().manual_seed(0))
shuffled = scattered.flatten(1)[:, new_places].view_as(scattered)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Une image, ou une liste de nombres ?
#
# En bas, les mêmes pixels, tous déplacés de la même façon. Qui s'en aperçoit ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. A picture, or a list of numbers?
#
# Below, the same pixels, all moved in the same way. Who notices?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 8, width=9, height=2.6)
for column in range(8):
    for panel, sheets in zip(panels[:, column], (scattered, shuffled)):
        panel.imshow(sheets[column, 0].numpy(), cmap="gray_r", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
    panels[0, column].set_title(int(classes[column]))
panels[0, 0].set_ylabel(say("in place", "en place"))
panels[1, 0].set_ylabel(say("shuffled", "mélangés"))
picture(figure, say("Eight digits on sheets of twelve pixels; below, the same with "
                    "their pixels shuffled, which look like noise.",
                    "Huit chiffres sur des feuilles de douze pixels ; dessous, les "
                    "mêmes aux pixels mélangés, qui ont l'air de bruit."))

# %% claims=true
assert images[0].numel() == 64
assert 64 * 64 * 3 == 12_288 and 224 * 224 * 3 == 150_528 and 12_288 * 100 == 1_228_800
assert len(images) == 1797 and scattered.shape == (1797, 1, 12, 12)
assert torch.equal(scattered.flatten(1).sort().values, shuffled.flatten(1).sort().values)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire compter : 64 nombres pour un chiffre, 12 288 pour une scène, 150 528 pour une photo. Demander si quelqu'un lit la rangée du
# bas. Puis faire écrire le pari de la leçon : un MLP et un réseau convolutif d'autant de poids, avec et sans mélange ; quatre nombres. On
# les reprendra à la section 10.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have them count: 64 numbers for a digit, 12,288 for a scene, 150,528 for a photograph. Ask whether anyone can read the lower row.
# Then have them write down the bet of the lesson: an MLP and a convolutional network with as many weights, with and without shuffling; four
# numbers. They come back in section 10.

# %% [markdown] lang="fr"
# En haut, des chiffres manuscrits de scikit-learn ([](work:alpaydin1998)), chacun posé au hasard sur une feuille de 12 × 12. En bas, les
# mêmes feuilles : on a donné à chacun des 144 pixels une nouvelle place, **la même pour toutes les images**. Rien n'est perdu, puisqu'on
# pourrait tout remettre en place ; pourtant, nous ne lisons plus rien. Un MLP, lui, reçoit une liste : que le pixel 37 soit voisin du pixel
# 38 ne lui est dit nulle part. (Le jeu d'exercice de toute la vision est MNIST : 60 000 images de 28 × 28 pour apprendre, 10 000 pour
# l'examen ([](work:lecun1998)) ; les nôtres sont plus petits, et déjà sur votre disque.)
#
# **Faites votre pari, par écrit** : un MLP et un réseau convolutif, ayant à peu près autant de poids, apprennent à lire 1 400 de ces feuilles ;
# on les interroge sur les 397 autres. Quelle part liront-ils, en place ? et mélangés ? Quatre nombres. La [](#who-notices) répondra.
#
# Qu'avaient donc de si particulier les images d'en haut ? Prenons deux pixels à $d$ cases l'un de l'autre, sur la même ligne, et demandons
# de combien le second ressemble au premier : leur corrélation vaut 1 s'ils sont toujours égaux, 0 s'ils n'ont rien à voir, moins que 0 si
# l'un est plutôt d'encre quand l'autre est de papier. **Devinez** la courbe, en place et mélangés.

# %% [markdown] lang="en"
# Above are handwritten digits of scikit-learn ([](work:alpaydin1998)), each laid at random on a sheet of 12 × 12. Below are the same sheets:
# each of the 144 pixels was given a new place, **the same for all pictures**. Nothing is lost, since all could be put back; and yet we can
# read nothing any more. An MLP gets a list: nowhere is it told that pixel 37 is a neighbour of pixel 38. (The practice set of all vision
# is MNIST: 60,000 pictures of 28 × 28 to learn from, 10,000 for the exam ([](work:lecun1998)); ours are smaller, and on your disk
# already.)
#
# **Make your bet, in writing**: an MLP and a convolutional network, with about as many weights, learn to read 1,400 of these sheets; they
# are examined on the other 397. What share will they read, in place? and shuffled? Four numbers. [](#who-notices) will answer.
#
# So what was so special about the pictures above? Take two pixels $d$ squares apart, in the same row, and ask how far the second is like
# the first: their correlation is 1 if they are always equal, 0 if they have nothing to do with each other, below 0 if one tends to be ink
# where the other is paper. **Guess** the curve, in place and shuffled.

# %% tags=["hide-input"]
def correlation(sheets, distance):
    pairs = torch.stack([sheets[..., :-distance].flatten(),
                         sheets[..., distance:].flatten()])
    return torch.corrcoef(pairs)[0, 1].item()


distances = range(1, 8)
alike = {say("in place", "en place"): [correlation(scattered, d) for d in distances],
         say("shuffled", "mélangés"): [correlation(shuffled, d) for d in distances]}

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Des voisins se ressemblent
#
# Deux pixels à $d$ cases l'un de l'autre : le second ressemble-t-il au premier ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Neighbours are alike
#
# Two pixels $d$ squares apart: is the second like the first?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(height=3.1)
styles = (BLUE, "o-"), (VERMILION, "s--")
for (name, curve), (colour, line) in zip(alike.items(), styles):
    axes.plot(distances, curve, line, color=colour, label=name)
axes.axhline(0, color="grey", linewidth=0.8)
axes.set(xlabel=say("distance in pixels", "distance en pixels"),
         ylabel=say("correlation", "corrélation"))
legend(axes)
picture(figure, say("In place, the correlation falls from 0.6 to zero in three "
                    "pixels, then a little below; shuffled, it stays near zero.",
                    "En place, la corrélation tombe de 0,6 à zéro en trois "
                    "pixels, puis un peu au-dessous ; mélangés, elle reste près "
                    "de zéro."))

# %% claims=true
placed, mixed = alike.values()
assert 0.55 < placed[0] < 0.65 and abs(placed[2]) < 0.1
assert max(placed[3:]) < -0.1 and max(abs(value) for value in mixed) < 0.1
assert placed[0] > 2 * max(abs(value) for value in mixed)
assert max(mixed) - min(mixed) < 0.2

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire dessiner la courbe en l'air avant de la montrer. Des voisins se ressemblent, à trois cases plus du tout. Demander ce qu'en
# tirerait quelqu'un qui doit économiser des poids. (Ne regarder que des voisins.) Et si le même trait peut apparaître partout ? (Réemployer
# les mêmes poids.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Have them draw the curve in the air before it is shown. Neighbours are alike, three squares apart no more. Ask what somebody
# who must save weights would make of it. (Look at neighbours only.) And if the same stroke can turn up anywhere? (Use the same weights
# again.)

# %% [markdown] lang="fr"
# En place, un pixel ressemble beaucoup à son voisin, et plus du tout à celui qui est trois cases plus loin. (Cinq cases plus loin, la
# courbe passe sous zéro : un chiffre a environ cinq pixels de large, et l'encre d'ici fait face à du papier.) Mélangés, toutes les
# distances se valent. Une image n'est donc pas une liste quelconque, et l'on peut faire deux **hypothèses** :
#
# - la **localité** : ce qu'un pixel veut dire se lit dans ses voisins ; une petite fenêtre suffit ;
# - **le même motif partout** : un trait vertical est un trait vertical en haut comme en bas ; les mêmes poids peuvent servir partout.
#
# La convolution est exactement cela : une petite fenêtre, les mêmes poids partout. (Dans un son ou un texte, les voisins sont dans le temps,
# et la même idée sert.)

# %% [markdown] lang="en"
# In place, a pixel is much like its neighbour, and not at all like the one three squares further on. (Five squares on, the curve is below
# zero: a digit is about five pixels wide, and ink here faces paper there.) Shuffled, all distances are the same. So a picture is no list
# like any other, and one can make two **hypotheses**:
#
# - **locality**: what can be understood of a pixel is understood from its neighbours; a small window is enough;
# - **the same pattern anywhere**: a vertical stroke is a vertical stroke at the top as at the bottom; the same weights can serve everywhere.
#
# Convolution is just that: a small window, the same weights everywhere. (In a sound or a text, neighbours are so in time, and the same idea
# serves.)

# %% [markdown] lang="fr"
# ## 2. Une fenêtre qui glisse
#
# Prenez une feuille quadrillée : un dessin de 5 × 5, et une fenêtre de 3 × 3 où sont écrits les neuf poids. On pose la fenêtre dans un coin,
# on multiplie chaque pixel par le poids qui le couvre, on **additionne les neuf produits** : c'est un nombre de la réponse. Puis on avance
# d'un pixel. La réponse s'appelle une **carte** (*feature map*). Au premier coin, trois lignes identiques donnent
#
# $$ 3 \times \big( (-1) \times 0 + 0 \times 0 + 1 \times 1 \big) = 3 $$
#
# **Calculez à la main** les deux cases marquées d'un point d'interrogation, avant de lire la suite.

# %% [markdown] lang="en"
# ## 2. A window that slides
#
# Take a sheet of squared paper: a drawing of 5 × 5, and a window of 3 × 3 on which the nine weights are written. Lay the window in a corner,
# multiply each pixel by the weight that covers it, **add up the nine products**: that is one number of the answer. Then move on by a pixel.
# The answer is called a **feature map**. In the first corner, three rows alike give
#
# $$ 3 \times \big( (-1) \times 0 + 0 \times 0 + 1 \times 1 \big) = 3 $$
#
# **Work out by hand** the two squares with a question mark before you read on.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Une fenêtre qui glisse
#
# Neuf produits, une somme. Que mettre à la place des deux « ? » ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. A window that slides
#
# Nine products, one sum. What goes in the place of the two "?"?

# %% tags=["hide-input"]
corner = torch.zeros(5, 5)
corner[:3, 2:] = 1
sums = see(corner, slope)


def frame(panel, left, top, side, colour=BLUE):
    right, bottom = left + side, top + side
    panel.plot([left, right, right, left, left], [top, top, bottom, bottom, top],
               color=colour, linewidth=4)


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 3, width=9, height=3)
show_grid(panels[0], corner, say("drawing", "dessin"), numbers=True, reach=2)
frame(panels[0], -0.45, -0.45, 2.9)
show_grid(panels[1], slope, say("weights", "poids"), numbers=True, reach=2)
# en: two of the sums are for the reader to find
# fr: deux des sommes sont à trouver
show_grid(panels[2], torch.zeros(3, 3), say("sums", "sommes"))
for row in range(3):
    for column in range(3):
        hidden = (row, column) in ((0, 2), (2, 0))
        text = "?" if hidden else f"{sums[row, column]:.0f}"
        panels[2].text(column, row, text, ha="center", va="center", fontsize=14)
picture(figure, say("A drawing of five by five, a window on its corner, the nine "
                    "weights, and the nine sums, two of them to be found.",
                    "Un dessin de cinq sur cinq, une fenêtre sur son coin, les neuf"
                    " poids, et les neuf sommes, dont deux à trouver."))

# %% claims=true
assert sums.tolist() == [[3, 3, 0], [2, 2, 0], [1, 1, 0]]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 10 min. Sur le papier, avec la fenêtre découpée, avant tout code. En haut à droite : l'encre couvre les trois colonnes, −1 et +1
# s'annulent, 0. En bas à gauche : une seule ligne d'encre, 1. Demander où la carte est la plus forte. (Là où la fenêtre chevauche le bord
# gauche de l'encre.) Demander sa taille : 3 × 3, et pourquoi.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 10 min. On paper, with the cut-out window, before any code. At the top right: ink covers the three columns, −1 and +1 cancel out, 0. At the
# bottom left: a single row of ink, 1. Ask where the map is strongest. (Where the window straddles the left edge of the ink.) Ask its size:
# 3 × 3, and why.

# %% [markdown] lang="fr"
# En haut à droite, la fenêtre ne couvre que de l'encre : $-1$ et $+1$ s'annulent, **0**. En bas à gauche, une seule ligne d'encre la
# touche : **1**. La carte est forte là où le motif du noyau se trouve dans le dessin : un bord gauche. Une convolution est une **recherche
# de motif**, et chaque somme est un produit scalaire, comme celui du neurone de la [](lesson:01), dont les entrées seraient neuf voisins.
# Avec $x$ pour les pixels, $w$ pour les poids et $y$ pour la carte, lignes et colonnes comptées à partir de 0 :

# %% [markdown] lang="en"
# At the top right the window covers nothing but ink: $-1$ and $+1$ cancel out, **0**. At the bottom left a single row of ink touches it:
# **1**. The map is strong where the pattern of the kernel is found in the drawing: a left edge. A convolution is a **search for a
# pattern**, and each sum is a dot product, like that of the neuron of [](lesson:01) with nine neighbours for inputs. With $x$ for the
# pixels, $w$ for the weights and $y$ for the map, rows and columns counted from 0:

# %% [markdown]
# $$ y_{ij} = \sum_{a=0}^{2} \sum_{b=0}^{2} w_{ab} \; x_{i+a,\,j+b} $$

# %% [markdown] lang="fr"
# En mathématiques, une convolution retourne d'abord le noyau ; ce que font les réseaux s'y appelle une corrélation croisée. Comme les poids
# sont appris, retourner ou non ne change rien à ce que l'on peut apprendre, et l'on a gardé le beau nom.
#
# Peignez maintenant un noyau. Dans un notebook, changez les neuf nombres et l'image ; sur une page, choisissez dans les deux menus.
# **Devinez** avant chaque essai. Que voit un noyau qui ne contient qu'un 1 au centre ? Et si ce 1 est une case plus à droite ?

# %% [markdown] lang="en"
# In mathematics a convolution first turns the kernel over; what networks do is called a cross-correlation there. Since the weights are
# learned, turning over or not changes nothing in what can be learned, and the fine name was kept.
#
# Now paint a kernel. In a notebook, change the nine numbers and the picture; on a page, choose from the two menus. **Guess** before each
# try. What does a kernel see that holds nothing but a 1 in its centre? And if that 1 stands a square further to the right?

# %%
pictures = {say("scene", "scène"): ink,
            say("digit", "chiffre"): images[1, 0],
            say("another scene", "autre scène"):
                (1 - render([sample_scene(3, 5)], 32).amin(dim=1)[0]) / 2}
choices = {
    say("vertical edges", "bords verticaux"): slope,
    say("horizontal edges", "bords horizontaux"): slope.T,
    say("a 1 in the centre", "un 1 au centre"): [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    say("a 1 at the side", "un 1 sur le côté"): [[0, 0, 0], [0, 0, 1], [0, 0, 0]],
    say("all edges", "tous les bords"): [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    say("sharper", "plus net"): [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    say("slanting strokes", "traits penchés"):
        [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
}
choices = {name: torch.as_tensor(rows, dtype=torch.float32).tolist()
           for name, rows in choices.items()}

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Peignez un noyau
#
# Neuf boutons, et la scène change. Que voit un 1 seul, au centre ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Paint a kernel
#
# Nine knobs, and the scene changes. What does a single 1 in the centre see?

# %% slide="fragment" tags=["output-only-slide"]
KernelPainter(pictures, choices)

# %% claims=true
centre = torch.tensor(choices[say("a 1 in the centre", "un 1 au centre")])
side = torch.tensor(choices[say("a 1 at the side", "un 1 sur le côté")])
assert torch.equal(see(ink, centre), ink[1:-1, 1:-1])
assert torch.equal(see(ink, side), ink[1:-1, 2:])
assert torch.tensor(choices[say("all edges", "tous les bords")]).sum() == 0

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Laisser la classe dicter les nombres. Un 1 seul au centre recopie l'image ; sur le côté, il la décale d'un pixel. « Tous les bords »
# a une somme nulle : du blanc là où rien ne change. Demander un noyau qui ne verrait que les traits penchés. Faire nommer ce que tous les
# détecteurs de bords ont en commun. (La somme de leurs poids est 0.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let the class dictate the numbers. A single 1 in the centre copies the picture; at the side it shifts it by a pixel. "All edges" has
# a sum of zero: white where nothing changes. Ask for a kernel that would see slanting strokes only. Have them name what all edge detectors
# have in common. (Their weights add up to 0.)

# %% [markdown] lang="fr"
# Un 1 seul au centre recopie l'image ; une case à droite, il décale l'image vers la gauche. Les détecteurs de bords ont tous des poids de
# **somme nulle** : là où rien ne change, ils ne disent rien. À vous d'en faire un, sans regarder plus haut.

# %% [markdown] lang="en"
# A single 1 in the centre copies the picture; a square to the right, it shifts the picture to the left. Edge detectors all have weights
# whose **sum is zero**: where nothing changes, they say nothing. Now make one yourself, without looking further up.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercices 1 et 2 · Deux noyaux à la main
#
# **8 min.** 1 : neuf nombres qui disent oui au bord gauche d'un carré, non au bord droit, rien ailleurs. 2 : neuf nombres qui floutent sans
# assombrir.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercises 1 and 2 · Two kernels by hand
#
# **8 min.** 1: nine numbers that say yes at the left edge of a square, no at its right edge, nothing elsewhere. 2: nine numbers that blur
# and do not darken.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Donner la fin de la section 2. Fautes à guetter en 1 : les signes échangés (c'est le bord droit qui dit oui), un noyau dont la somme
# n'est pas nulle (l'intérieur du carré répond). En 2 : neuf 1, qui rendent l'image neuf fois plus foncée. Demander ce que doit valoir la
# somme. (1.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Hand out the end of section 2. Mistakes to look for in 1: signs exchanged (it is the right edge that says yes), a kernel whose sum
# is not zero (the inside of the square answers). In 2: nine 1s, which make the picture nine times as dark. Ask what the sum must be. (1.)

# %% [markdown] lang="fr"
# Écrivez un noyau, un tenseur de forme (3, 3), qui trouve les **bords gauches** : une somme positive là où l'encre commence quand on va vers la
# droite, négative là où elle finit, et 0 à l'intérieur d'un carré d'encre comme au milieu de son bord du haut. Plusieurs noyaux
# conviennent.
#
# <details><summary>Un indice</summary>
#
# Il compare la colonne de droite de la fenêtre à sa colonne de gauche.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Des poids négatifs à gauche, zéro au milieu, les mêmes poids, positifs, à droite.
#
# </details>

# %% [markdown] lang="en"
# Write a kernel, a tensor of shape (3, 3), that finds **left edges**: a positive sum where ink begins as one goes to the right, a negative one
# where it ends, and 0 both inside a square of ink and in the middle of its upper edge. Several kernels will do.
#
# <details><summary>A hint</summary>
#
# It compares the right column of the window with its left column.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Negative weights on the left, zero in the middle, the same weights, positive, on the right.
#
# </details>

# %% level=1
left_edges = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])

# %% scratch=true
right_column = torch.tensor([[0.0, 0.0, 1.0]] * 3)
see(torch.tensor([[0.0, 1.0, 1.0]] * 3), right_column).item()  # → 3.0

# %%
square = torch.zeros(9, 9)
square[2:7, 2:7] = 1


def at_left_inside_right_and_top():
    if left_edges is ...:
        return ...
    kernel = torch.as_tensor(left_edges, dtype=torch.float32).view(3, 3)
    # en: the sign of the sum at four places of the square
    # fr: le signe de la somme en quatre endroits du carré
    signs = see(square, kernel).sign().int().tolist()
    return [signs[3][1], signs[3][3], signs[3][5], signs[1][3]]


expect(at_left_inside_right_and_top, [1, 0, -1, 0],
       say("signs at the left edge, inside, at the right edge, at the top",
           "signes au bord gauche, à l'intérieur, au bord droit, en haut"))

# %%
def or_nothing(kernel):
    # en: an exercise not done yet sees nothing
    # fr: un exercice pas encore fait ne voit rien
    if kernel is ...:
        return torch.zeros(3, 3)
    return torch.as_tensor(kernel, dtype=torch.float32)


draw_seen(ink, or_nothing(left_edges))

# %% claims=true
assert (see(ink, left_edges) > 1).any() and (see(ink, left_edges) < -1).any()

# %% [markdown] lang="fr"
# Orange au bord gauche de chaque forme, violet à son bord droit. (Avec 1, 2, 1 pour les trois lignes, c'est le filtre de Sobel.) Le suivant
# fait le contraire : il efface les bords.

# %% [markdown] lang="fr"
# Écrivez un noyau de forme (3, 3) qui **floute** : chaque nombre de la carte est une moyenne de neuf voisins, où tous comptent, et une surface
# unie garde sa couleur.
#
# <details><summary>Un indice</summary>
#
# Une surface unie de valeur 1 doit donner 1 : que vaut donc la somme des neuf poids ?
#
# </details>

# %% [markdown] lang="en"
# Orange at the left edge of each shape, purple at its right edge. (With 1, 2, 1 for the three rows it is the Sobel filter.) The next one
# does the opposite: it wipes edges out.

# %% [markdown] lang="en"
# Write a kernel of shape (3, 3) that **blurs**: each number of the map is a mean of nine neighbours, in which all count, and an even surface
# keeps its colour.
#
# <details><summary>A hint</summary>
#
# An even surface of value 1 must give 1: so what is the sum of the nine weights?
#
# </details>

# %% level=1
blur = torch.full((3, 3), 1 / 9)

# %% scratch=true
see(torch.ones(3, 3), torch.full((3, 3), 1.0)).item()  # → 9.0

# %%
def all_count_and_nothing_darkens():
    if blur is ...:
        return ...
    weights = or_nothing(blur).view(3, 3)
    return [bool((weights > 0).all()), round(weights.sum().item(), 4)]


expect(all_count_and_nothing_darkens, [True, 1.0],
       say("whether all nine count, and their sum", "si les neuf comptent, et leur somme"))

# %%
draw_seen(ink, or_nothing(blur))

# %% claims=true
assert see(ink, blur).max() <= 1.0001 and see(ink, blur).min() >= 0

# %% [markdown] lang="fr"
# Tout est orange ou blanc : une moyenne d'encre n'est jamais négative. Les bords sont devenus des pentes douces.

# %% [markdown] lang="en"
# All is orange or white: a mean of ink is never negative. Edges have become gentle slopes.

# %% [markdown] lang="fr"
# ## 3. Quelle taille sort ?
#
# La carte du dessin de 5 × 5 avait 3 × 3 cases : une fenêtre de 3 qui doit tenir tout entière n'a que 3 places sur 5. Deux réglages
# changent le compte :
#
# - le **pas** (*stride*) $s$ : de combien on avance ; avec un pas de 2, on saute une place sur deux ;
# - la **marge de zéros** (*padding*) $p$ : combien de zéros on pose tout autour, pour que la fenêtre puisse aussi se tenir au bord.
#
# **Devinez** le nombre de places de cette fenêtre de 3 sur les mêmes 5 pixels, avec un pas de 2 ; puis avec un pas de 2 et une marge de 1.

# %% [markdown] lang="en"
# ## 3. What size comes out?
#
# The map of the 5 × 5 had 3 × 3 squares: a window of 3 that must fit as a whole has only 3 places on 5. Two settings change the count:
#
# - the **stride** $s$: how far one moves on; with a stride of 2, every other place is skipped;
# - **zero padding** $p$: how many zeros are laid all around, so that the window can stand at the edge too.
#
# **Guess** the number of places of this window of 3 on the same 5 pixels, with a stride of 2; then with a stride of 2 and a padding of 1.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Combien de places ?
#
# Une fenêtre de 3 sur 5 pixels : pas de 1, pas de 2, pas de 2 et marge de 1.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. How many places?
#
# A window of 3 on 5 pixels: stride 1, stride 2, stride 2 and padding 1.

# %% tags=["hide-input"]
def draw_places(panel, title, stride, padding):
    for pixel in range(-padding, 5 + padding):
        inside = 0 <= pixel < 5
        panel.fill([pixel - 0.5, pixel + 0.5, pixel + 0.5, pixel - 0.5],
                   [-0.5, -0.5, 0.5, 0.5], edgecolor="black",
                   facecolor="silver" if inside else "white")
        panel.text(pixel, 0, "" if inside else "0", ha="center", va="center",
                   fontsize=12)
    for place, left in enumerate(range(-padding, 3 + padding, stride)):
        panel.plot([left - 0.4, left + 2.4], [0.9 + 0.35 * place] * 2,
                   color=BLUE, linewidth=6, solid_capstyle="butt")
    panel.set(title=title, xlim=(-1.7, 5.7), ylim=(-0.7, 2.2))
    panel.axis("off")


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 3, width=9, height=2.7)
titles = say("stride 1|stride 2|stride 2, padding 1",
             "pas de 1|pas de 2|pas de 2, marge de 1").split("|")
for panel, title, stride, padding in zip(panels, titles, (1, 2, 2), (0, 0, 1)):
    draw_places(panel, title, stride, padding)
picture(figure, say("The places of a window of three on five pixels, as blue bars: "
                    "three, two, and three again with a zero at each end.",
                    "Les places d'une fenêtre de trois sur cinq pixels, en traits "
                    "bleus : trois, deux, et de nouveau trois avec un zéro à "
                    "chaque bout."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Compter les traits bleus : 3, 2, 3. Puis la formule, lue à voix haute : ce qui reste quand la première fenêtre est posée, divisé par
# le pas, plus cette première place. Demander ce qui se passe si la division ne tombe pas juste. (On arrondit à l'entier
# inférieur : des pixels ne sont vus par personne.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Count the blue bars: 3, 2, 3. Then the formula, read aloud: what is left once the first window is laid, divided by the stride, plus
# that first place. Ask what happens if the division leaves a remainder. (It is rounded down: some pixels are seen by nobody.)

# %% [markdown] lang="fr"
# Trois places ; deux ; trois. Comptons : une fois la première fenêtre posée, il reste $5 - 3$ pixels à parcourir, par pas de $s$, et la marge
# en ajoute $2p$, une fois $p$ **de chaque côté** :

# %% [markdown] lang="en"
# Three places; two; three. Let us count: once the first window is laid, $5 - 3$ pixels are left to walk, in strides of $s$, and padding
# adds $2p$, once $p$ at **each end**:

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La taille qui sort
#
# $n$ pixels, un noyau de $k$, une marge de $p$, un pas de $s$ :

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The size that comes out
#
# $n$ pixels, a kernel of $k$, a padding of $p$, a stride of $s$:

# %% [markdown] slide="fragment"
# $$ n' = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1 \qquad\qquad \left\lfloor \frac{5 - 3}{2} \right\rfloor + 1 = 2 $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Faire dire chaque lettre : n pixels, k de noyau, p de marge, s de pas. Faire calculer 8, 3, pas 2, marge 1 : (8 + 2 − 3) / 2 = 3,5,
# donc 3, plus 1 : 4. Le pas de 2 divise par deux ; c'est lui qui réduit, pas la convolution.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Have each letter said: n pixels, k of kernel, p of padding, s of stride. Have them work out 8, 3, stride 2, padding 1: (8 + 2 − 3) / 2
# = 3.5, hence 3, plus 1: 4. The stride of 2 halves; it is the stride that reduces, not the convolution.

# %% [markdown] lang="fr"
# Les crochets arrondissent **à l'entier inférieur** : si la division ne tombe pas juste, les derniers pixels ne sont vus par personne. Les
# côtés 5 et 6, avec un noyau de 3 et un pas de 2, donnent tous deux 2 places. (Le guide de [Dumoulin et Visin](work:dumoulin2016) a tous
# les cas.)
#
# Une idée reçue : « la convolution réduit l'image ». Non : avec un pas de 1 et une marge de 1, une fenêtre de 3 **garde** la taille (on dit
# *same padding*). Sans marge, elle rogne deux pixels par côté. Ce qui réduit vraiment, c'est le **pas**, ou le pooling de la [](#pooling).

# %% [markdown] lang="fr"
# Écrivez la formule. `size`, `kernel_size`, `stride` et `padding` sont des entiers, et la réponse aussi.
#
# <details><summary>Un indice</summary>
#
# En Python, `//` divise et arrondit à l'entier inférieur.
#
# </details>

# %% [markdown] lang="en"
# The brackets round **down**: if the division leaves a remainder, the last pixels are seen by nobody. Sides of 5 and 6, with a kernel of 3
# and a stride of 2, both give 2 places. (The guide by [Dumoulin and Visin](work:dumoulin2016) has all the cases.)
#
# A common belief: "convolution makes the picture smaller". No: with a stride of 1 and a padding of 1, a window of 3 **keeps** the size (this is
# called *same padding*). Without padding each side gets two pixels shorter. What really reduces is the **stride**, or the pooling of
# [](#pooling).

# %% [markdown] lang="en"
# Write the formula. `size`, `kernel_size`, `stride` and `padding` are whole numbers, and so is the answer.
#
# <details><summary>A hint</summary>
#
# In Python, `//` divides and rounds down.
#
# </details>

# %% implements="convolution:conv_output_size" level=1
"""Le nombre de places d'un noyau le long d'un côté de `size` pixels.

C'est floor((size + 2 padding - kernel) / stride) + 1 : 5 pixels, un noyau de 3,
un pas de 2 et pas de marge en font 2.
"""

# %% scratch=true
conv_output_size(6, 3, stride=2, padding=2)  # → 4

# %%
print(say("side  kernel  stride  padding   places",
          "côté   noyau     pas    marge   places"))
settings = (5, 3, 1, 0), (5, 3, 2, 0), (6, 3, 2, 0), (12, 3, 1, 1), (12, 2, 2, 0)
for side, kernel_size, stride, padding in settings:
    places = conv_output_size(side, kernel_size, stride, padding)
    print(f"{side:4} {kernel_size:7} {stride:7} {padding:8} {places:8}")

# %% claims=true
places = [conv_output_size(*each) for each in ((5, 3, 1, 0), (5, 3, 2, 0), (6, 3, 2, 0), (12, 3, 1, 1), (12, 2, 2, 0), (5, 3, 2, 1))]
assert places == [3, 2, 2, 12, 6, 3]
assert conv_output_size(6, 3, 2, 2) == 4 and conv_output_size(8, 3, 1, 0) == 6

# %% [markdown] lang="fr"
# Une feuille de 12 garde ses 12 places avec un noyau de 3 et une marge de 1 ; une fenêtre de 2 et un pas de 2 en font 6. Gardez ces deux
# lignes en tête : ce sont les deux gestes de tout réseau convolutif.

# %% [markdown] lang="en"
# A sheet of 12 keeps its 12 places with a kernel of 3 and a padding of 1; a window of 2 and a stride of 2 make 6 of them. Keep these two
# lines in mind: they are the two gestures of every convolutional network.

# %% [markdown] lang="fr"
# ## 4. Des boucles, et des canaux
#
# Une image en couleurs a trois **canaux** : rouge, vert, bleu. Un noyau a alors des poids pour **chaque** canal, trois grilles de neuf, et
# les trois sommes **s'ajoutent** : il sort une seule carte. Pour avoir 16 cartes, il faut 16 noyaux. Ces 16 cartes sont les canaux que verra la
# couche suivante : après la première couche, un canal n'est plus une couleur, c'est la réponse d'un noyau.
#
# **Devinez** combien de poids a une couche qui va de 3 canaux à 16, avec des noyaux de 3 × 3, et un **biais** pour chaque noyau (un nombre
# ajouté à toute sa carte). Et combien en aurait-elle sur des images mille fois plus grandes ?

# %% [markdown] lang="en"
# ## 4. Loops, and channels
#
# A picture in colour has three **channels**: red, green, blue. A kernel then has weights for **each** channel, three grids of nine, and the
# three sums **add up**: a single map comes out. For 16 maps, 16 kernels are needed. These 16 maps are the channels that the next layer sees:
# after the first layer a channel is no colour any more, it is the answer of a kernel.
#
# **Guess** how many weights a layer has that goes from 3 channels to 16, with kernels of 3 × 3, and a **bias** for each kernel (a number
# added to the whole of its map). And how many would it have on pictures a thousand times as large?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Trois canaux entrent, deux cartes sortent
#
# Un noyau a une grille par canal ; ses sommes s'ajoutent.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. Three channels in, two maps out
#
# A kernel has a grid for each channel; its sums add up.

# %% tags=["hide-input"]
def box(axes, x, y, colour, label):
    axes.text(x, y, label, ha="center", va="center", fontsize=13,
              bbox={"boxstyle": "square,pad=0.7", "facecolor": colour})


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=9, height=2.7)
for row, name in enumerate(say("red|green|blue", "rouge|vert|bleu").split("|")):
    box(axes, 0, -row, "white", name)
    axes.plot([0.5, 2.2], [-row, -0.3], color=SKY, linewidth=2)
    axes.plot([0.5, 2.2], [-row, -1.7], color=ORANGE, linewidth=2)
for kernel, colour in enumerate((SKY, ORANGE)):
    y = -0.3 - 1.4 * kernel
    box(axes, 3, y, colour, say(f"kernel {kernel + 1}: 3 × 9 weights",
                                f"noyau {kernel + 1} : 3 × 9 poids"))
    arrow = {"arrowstyle": "-|>", "lw": 2}
    axes.annotate("", (5.4, y), (4.2, y), arrowprops=arrow)
    box(axes, 6, y, colour, say(f"map {kernel + 1}", f"carte {kernel + 1}"))
axes.set(xlim=(-0.7, 6.8), ylim=(-2.6, 0.6))
axes.axis("off")
picture(figure, say("Three channels go into each of two kernels, of three grids of "
                    "nine weights; each kernel gives one map.",
                    "Trois canaux entrent dans chacun de deux noyaux, de trois "
                    "grilles de neuf poids ; chaque noyau donne une carte."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Suivre un noyau du doigt : trois grilles, trois sommes, un total. Demander combien de poids pour 3 canaux et 16 noyaux : 3 × 9 × 16 =
# 432, plus 16 biais, 448. Et sur une image mille fois plus grande ? (Autant.) Un noyau de 1 × 1 a un sens : il mélange les canaux, pixel par
# pixel.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Follow a kernel with a finger: three grids, three sums, one total. Ask how many weights for 3 channels and 16 kernels: 3 × 9 × 16 =
# 432, and 16 biases, 448. And on a picture a thousand times as large? (As many.) A kernel of 1 × 1 makes sense: it mixes channels, pixel by
# pixel.

# %% [markdown] lang="fr"
# Un noyau a $3 \times 9 = 27$ poids ; seize noyaux, 432 ; avec les 16 biais, **448**, quelle que soit l'image. Une couche dense, elle, en
# voudrait un par pixel et par neurone. Un noyau de **1 × 1** a un sens aussi : il ne regarde aucun voisin, et mélange les canaux.

# %% [markdown] lang="fr"
# Écrivez ce compte pour une couche quelconque : `channels` canaux à l'entrée, `kernels` noyaux, de côté `side`, biais compris.
#
# <details><summary>Un indice</summary>
#
# Le biais est un poids de plus par noyau.
#
# </details>

# %% [markdown] lang="en"
# A kernel has $3 \times 9 = 27$ weights; sixteen kernels, 432; with the 16 biases, **448**, whatever the picture. A dense layer would want one
# for each pixel and each neuron. A kernel of **1 × 1** makes sense too: it looks at no neighbour, and mixes the channels.

# %% [markdown] lang="en"
# Write this count for any layer: `channels` channels in, `kernels` kernels, of side `side`, biases included.
#
# <details><summary>A hint</summary>
#
# The bias is one more weight for each kernel.
#
# </details>

# %% level=1
def layer_weights(channels, kernels, side):
    return kernels * (channels * side**2 + 1)


# %% scratch=true
layer_weights(1, 1, 3)  # → 10

# %%
layers = [(3, 16, 3), (16, 32, 3), (32, 8, 1)]
by_pytorch = [sum(weight.numel() for weight in nn.Conv2d(*layer).parameters())
              for layer in layers]
expect(lambda: [layer_weights(*layer) for layer in layers], by_pytorch,
       say("PyTorch's own count for three layers", "le compte de PyTorch pour trois couches"))

# %% claims=true
assert layer_weights(3, 16, 3) == 448 and 3 * 9 * 16 == 432

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 3-5"
# ### Exercices 3 à 5 · Compter, puis glisser
#
# **25 min.** 3 : les places. 4 : les poids d'une couche. 5 : `conv2d_by_loops`, la convolution comme on l'a faite à la main, canaux compris.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 3-5"
# ### Exercises 3 to 5 · Counting, then sliding
#
# **25 min.** 3: the places. 4: the weights of a layer. 5: `conv2d_by_loops`, the convolution as it was done by hand, channels included.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 25 min. Donner les sections 3 et 4. Fautes à guetter : la marge comptée une fois, le + 1 oublié ; en 5, le noyau retourné, la somme faite sur
# un seul canal, le pas appliqué aux lignes et non aux colonnes. Conseiller de garder le papier sous les yeux : deux boucles, une par
# position, rien de plus.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 25 min. Hand out sections 3 and 4. Mistakes to look for: padding counted once, the + 1 forgotten; in 5, the kernel turned over, the sum over
# one channel only, the stride applied to rows and not to columns. Advise them to keep the paper in sight: two loops, over positions, nothing
# more.

# %% [markdown] lang="fr"
# Maintenant, toute la convolution, **par des boucles**. (Dans la signature, `Float[Tensor, "n c h w"]` est de la notation jaxtyping : un
# tenseur de nombres à virgule, et le nom de ses axes. Elle se lit, et n'oblige à rien.) `images` est de forme (n, c, h, w) : n images, c
# canaux, h lignes, w colonnes. `kernels` est de forme (o, c, p, q) : o noyaux, qui ont chacun c grilles de p × q. La réponse est de forme
# (n, o, lignes, colonnes), du même type (`dtype`) que `images`. Posez la marge, faites deux boucles sur les positions, et remplissez une
# case de toutes les cartes à la fois. `conv_output_size` donne le nombre de places.
#
# <details><summary>Un indice</summary>
#
# `F.pad(images, (padding,) * 4)` pose la marge des quatre côtés. `images.new_zeros(n, o, rows, columns)` prépare la réponse.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# À la position (i, j), le morceau est `padded[:, :, i * stride : i * stride + p, j * stride : j * stride + q]`, de forme (n, c, p, q).
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `patch.unsqueeze(1) * kernels` multiplie chaque morceau par chaque noyau : (n, o, c, p, q). Additionnez sur les trois derniers axes, par
# `.sum(dim=(2, 3, 4))`.
#
# </details>

# %% [markdown] lang="en"
# Now the whole convolution, **by loops**. (In the signature, `Float[Tensor, "n c h w"]` is jaxtyping's notation: a tensor of floating-point
# numbers, and the names of its axes. It is there to be read, and enforces nothing.) `images` is of shape (n, c, h, w): n pictures, c channels, h rows, w columns. `kernels` is of shape
# (o, c, p, q): o kernels, each with c grids of p × q. The answer is of shape (n, o, rows, columns). Lay the padding, loop twice over the
# positions, and fill one square of all the maps at a time. `conv_output_size` gives the number of places.
#
# <details><summary>A hint</summary>
#
# `F.pad(images, (padding,) * 4)` lays the padding on all four sides. `images.new_zeros(n, o, rows, columns)` prepares the answer.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# At position (i, j) the patch is `padded[:, :, i * stride : i * stride + p, j * stride : j * stride + q]`, of shape (n, c, p, q).
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `patch.unsqueeze(1) * kernels` multiplies each patch by each kernel: (n, o, c, p, q). Add up over the last three axes, with
# `.sum(dim=(2, 3, 4))`.
#
# </details>

# %% implements="convolution:conv2d_by_loops" level=2
"""La convolution selon sa définition, une position après l'autre.

Chaque sortie est la somme des pixels d'un morceau, multipliés par les poids du
noyau. Comme dans toutes les bibliothèques d'apprentissage profond, le noyau
n'est pas retourné, à la différence de la convolution des mathématiques.
"""
# n o c p q => n o c p q

# %% scratch=true
conv2d_by_loops(corner[None, None], slope[None, None]).tolist()
# → [[[[3.0, 3.0, 0.0], [2.0, 2.0, 0.0], [1.0, 1.0, 0.0]]]]

# %% [markdown] lang="fr"
# Ce sont les neuf sommes du papier. Posons à la convolution une question de fond. On déplace l'image d'un pixel vers la droite :
# que fait la carte ? **Devinez** : elle ne bouge pas ? elle bouge d'un pixel aussi ? elle change du tout au tout ?

# %% [markdown] lang="en"
# These are the nine sums of the paper. Let us ask it a deep question. The picture is moved one pixel to the right: what does the map do?
# **Guess**: does it stay? does it move by a pixel too? does it change altogether?

# %%
sheet = F.pad(images[1:2], (2, 2, 2, 2))
# en: every column goes one to the right; the last, empty, comes first
# fr: chaque colonne va d'un rang à droite ; la dernière, vide, vient en tête
moved = sheet.roll(1, dims=3)
before = conv2d_by_loops(sheet, slope[None, None])
after = conv2d_by_loops(moved, slope[None, None])
print(say("largest difference, the map moved alike: ",
          "plus grand écart, la carte déplacée de même : "),
      decimal((after[..., 1:] - before[..., :-1]).abs().max(), 2))
print(say("largest difference, the map left in place:",
          "plus grand écart, la carte laissée en place :"),
      decimal((after - before).abs().max(), 2))

# %% claims=true
assert torch.equal(after[..., 1:], before[..., :-1])
assert (after - before).abs().max() > 1

# %% [markdown] lang="fr"
# La carte bouge **avec** l'image, exactement : les mêmes poids passent partout. C'est l'**équivariance** aux translations. On entend
# souvent qu'un réseau convolutif est *invariant* : que sa réponse ne bouge pas. Une convolution ne l'est pas ; la [](#pooling) et la
# [](#who-still-reads-it) diront d'où peut venir un peu d'invariance. (Pour les rotations, elle n'est ni équivariante ni invariante.)

# %% [markdown] lang="en"
# The map moves **with** the picture, exactly: the same weights pass everywhere. This is **equivariance** to translations. One often hears
# that a convolutional network is *invariant*: that its answer does not move. A convolution is not; [](#pooling) and
# [](#who-still-reads-it) will say where a little invariance may come from. (To rotations it is neither.)

# %% [markdown] lang="fr"
# ## 5. Un produit de matrices
#
# Deux boucles de Python, pour une image de 224 × 224, font cinquante mille tours. Les processeurs, eux, sont faits pour une seule chose :
# **multiplier des matrices**. Faisons-en une. On découpe d'abord tous les morceaux de l'image, et l'on met chacun debout, en **colonne** :
# c'est *im2col* (« image vers colonnes »). Ci-dessous, une image de 3 × 3, et ses colonnes pour une fenêtre de 2 × 2. **Devinez** la
# première ; et pourquoi quatre colonnes, de quatre nombres chacune ?

# %% [markdown] lang="en"
# ## 5. One product of matrices
#
# Two loops of Python make fifty thousand turns for a picture of 224 × 224. Processors are made for one thing: **multiplying matrices**. Let
# us make one. First all the patches of the picture are cut out, and each is stood upright, as a **column**: this is *im2col* ("image to
# columns"). Below are a picture of 3 × 3, and its columns for a window of 2 × 2. **Guess** the first; and why four columns, of four numbers
# each?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Les morceaux, debout, en colonnes
#
# Une fenêtre de 2 × 2 sur 3 × 3 : combien de colonnes ? Quelle est la première ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. Patches, upright, as columns
#
# A window of 2 × 2 on 3 × 3: how many columns? Which is the first?

# %% tags=["hide-input", "output-only-slide"] slide="fragment"
nine = torch.arange(1.0, 10).view(3, 3)
standing = F.unfold(nine[None, None], (2, 2))[0]
figure, panels = plot(1, 2, width=7.5, height=2.9)
show_grid(panels[0], nine, say("picture", "image"), numbers=True, reach=30)
show_grid(panels[1], torch.zeros(4, 4), say("columns", "colonnes"))
for row in range(4):
    for column in range(4):
        text = "?" if column == 0 else f"{standing[row, column]:.0f}"
        panels[1].text(column, row, text, ha="center", va="center", fontsize=13)
picture(figure, say("The numbers one to nine in a square, and their four patches as "
                    "four columns, the first of them to be found.",
                    "Les nombres de un à neuf en carré, et leurs quatre morceaux en "
                    "quatre colonnes, dont la première à trouver."))

# %% claims=true
assert standing.shape == (4, 4) and standing[:, 0].tolist() == [1, 2, 4, 5]
assert conv_output_size(224, 3) ** 2 == 49_284

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. La première colonne : 1, 2, 4, 5. Demander pourquoi le 5 est dans les quatre colonnes. (Quatre fenêtres le couvrent : la matrice
# répète.) Au tableau : un noyau couché en ligne, fois la matrice, donne la carte. Seize noyaux : seize lignes, toujours un seul produit.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. The first column: 1, 2, 4, 5. Ask why the 5 is in all four columns. (Four windows cover it: the matrix repeats.) On the board: a
# kernel laid as a row, times the matrix, gives the map. Sixteen kernels: sixteen rows, still a single product.

# %% [markdown] lang="fr"
# Quatre positions, donc quatre colonnes ; quatre pixels par morceau, donc quatre lignes ; la première colonne est 1, 2, 4, 5. Le 5 du milieu
# est dans les quatre : la matrice répète, et c'est le prix de la vitesse.

# %% [markdown] lang="fr"
# Écrivez `im2col`. `images` est de forme (n, c, h, w), `kernel_size` une paire (p, q). La réponse est de forme (n, c·p·q, l) : une colonne
# par position, dans l'ordre de la lecture ; dans une colonne, canal par canal, ligne par ligne. Un outil : `x.unfold(2, p, stride)` découpe
# l'axe 2 en fenêtres de p, tous les `stride`, et met le contenu des fenêtres dans un **nouvel axe, le dernier**.
#
# <details><summary>Un indice</summary>
#
# Après la marge, `padded.unfold(2, p, stride).unfold(3, q, stride)` est de forme (n, c, i, j, p, q), où i et j sont les positions.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `rearrange`, de la bibliothèque einops, lit les axes par leurs noms, et des parenthèses en réunissent plusieurs : `rearrange(patches, "n c i
# j p q -> n (c p q) (i j)")`.
#
# </details>

# %% [markdown] lang="en"
# Four positions, hence four columns; four pixels in a patch, hence four rows; the first column is 1, 2, 4, 5. The 5 in the middle is in all
# four: the matrix repeats, and that is the price of speed.

# %% [markdown] lang="en"
# Write `im2col`. `images` is of shape (n, c, h, w), `kernel_size` a pair (p, q). The answer is of shape (n, c·p·q, l): a column for each
# position, in reading order; within a column, channel by channel, row by row. A tool: `x.unfold(2, p, stride)` cuts axis 2 into windows of
# p, every `stride`, and puts what the windows hold into a **new axis, the last**.
#
# <details><summary>A hint</summary>
#
# After the padding, `padded.unfold(2, p, stride).unfold(3, q, stride)` is of shape (n, c, i, j, p, q), where i and j are the positions.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `rearrange`, from the library einops, reads axes by their names, and brackets join several: `rearrange(patches, "n c i j p q -> n (c p q) (i
# j)")`.
#
# </details>

# %% implements="convolution:im2col" level=2
"""Les morceaux d'images, en colonnes.

Une colonne va canal par canal, ligne par ligne. Les l colonnes sont dans
l'ordre de la lecture.
"""

# %% scratch=true
im2col(nine[None, None], (2, 2))[0, :, 0].tolist()  # → [1.0, 2.0, 4.0, 5.0]

# %% [markdown] lang="fr"
# Reste le produit. Les noyaux, aplatis, sont les **lignes** d'une matrice de forme (o, c·p·q) ; elle multiplie les colonnes, et donne (n, o, l).
# Il n'y a plus qu'à remettre les l positions en lignes et en colonnes. C'est `conv2d` ; `kernels` est de forme (o, c, p, q), comme plus haut.
#
# <details><summary>Un indice</summary>
#
# `kernels.flatten(1)` réunit les axes à partir du numéro 1. `@` est le produit de matrices.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Il y a `conv_output_size(images.shape[2], p, stride, padding)` lignes : `rearrange(…, "n o (i j) -> n o i j", i=rows)`, ou
# `.unflatten(2, (rows, -1))`.
#
# </details>

# %% [markdown] lang="en"
# What remains is the product. The kernels, flattened, are the **rows** of a matrix of shape (o, c·p·q); it multiplies the columns, and gives
# (n, o, l). The l positions need only be put back into rows and columns. That is `conv2d`; `kernels` is of shape (o, c, p, q), as above.
#
# <details><summary>A hint</summary>
#
# `kernels.flatten(1)` joins the axes from number 1 on. `@` is the product of matrices.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# There are `conv_output_size(images.shape[2], p, stride, padding)` rows: `rearrange(…, "n o (i j) -> n o i j", i=rows)`, or
# `.unflatten(2, (rows, -1))`.
#
# </details>

# %% implements="convolution:conv2d" level=2
"""La convolution en un seul produit de matrices, comme la calculent les
bibliothèques rapides.

Les noyaux sont les lignes d'une matrice, les morceaux les colonnes de l'autre.
"""

# %% scratch=true
conv2d(nine[None, None], torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])).tolist()
# → [[[[6.0, 8.0], [12.0, 14.0]]]]

# %% [markdown] lang="fr"
# Même réponse que les boucles ? Et combien de produits de tenseurs l'une et l'autre demandent-elles à PyTorch, pour une scène de 64 × 64 et seize
# noyaux ? **Devinez** avant de lancer.

# %% [markdown] lang="en"
# The same answer as the loops? And how many products of tensors does either of them ask PyTorch for, on a scene of 64 × 64 with sixteen
# kernels? **Guess** before you run it.

# %%
torch.manual_seed(0)
sixteen = torch.randn(16, 3, 3, 3)
colours = render([sample_scene(3, 5)], 64)
one_product = conv2d(colours, sixteen, padding=1)
by_loops = conv2d_by_loops(colours, sixteen, padding=1)
positions = conv_output_size(64, 3, 1, 1) ** 2
same = torch.allclose(one_product, by_loops, atol=1e-4)
print(say("the same answer:", "même réponse :"),
      say("yes", "oui") if same else say("no", "non"))
print(say("products asked for by the loops: ", "produits demandés par les boucles : "), positions)
print(say("products asked for by im2col:    ", "produits demandés par im2col :      "), 1)

# %% claims=true
assert torch.allclose(one_product, by_loops, atol=1e-4) and positions == 4096

# %% [markdown] lang="fr"
# Le même résultat, et les mêmes multiplications ; mais 4 096 petits produits d'un côté, un grand de l'autre. C'est pourquoi une carte
# graphique aime les convolutions.

# %% [markdown] lang="en"
# The same result, and the same multiplications; but 4,096 small products on one side, one large one on the other. This is why a graphics card
# likes convolutions.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 6-8"
# ### Exercices 6 à 8 · Colonnes, produit, matrice
#
# **30 min.** 6 : `im2col`. 7 : `conv2d`, en un produit. 8, à finir chez soi : la grande matrice.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 6-8"
# ### Exercises 6 to 8 · Columns, product, matrix
#
# **30 min.** 6: `im2col`. 7: `conv2d`, in one product. 8, to be finished at home: the big matrix.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 30 min. Donner la section 5. Fautes à guetter : des morceaux en lignes et non en colonnes, les canaux entrelacés avec les pixels, les
# positions rangées colonne par colonne. Pour 7, faire écrire les formes : (o, cpq) fois (cpq, l). Qui a fini lit la section 6, et l'idée de
# l'exercice 8 : une image d'un seul pixel donne une colonne.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 30 min. Hand out section 5. Mistakes to look for: patches as rows and not as columns, channels interleaved with pixels, positions laid out
# column by column. For 7, have the shapes written down: (o, cpq) times (cpq, l). Those who are done read section 6, and the idea of exercise
# 8: a picture of a single pixel gives a column.

# %% [markdown] lang="fr"
# ## 6. Une convolution est une matrice
#
# Troisième façon. Une convolution est **linéaire** : la carte d'une somme d'images est la somme des cartes. Donc c'est une matrice, celle d'une
# couche dense : mettez l'image de 5 × 5 bout à bout, 25 nombres ; la carte de 3 × 3, neuf nombres ; la matrice a 9 lignes et 25 colonnes,
# 225 cases. **Devinez** : combien de ces cases ne sont pas nulles, si aucun des neuf poids ne l'est ? Et combien de nombres différents
# contiennent-elles ?

# %% [markdown] lang="en"
# ## 6. A convolution is a matrix
#
# A third way. A convolution is **linear**: the map of a sum of pictures is the sum of their maps. So it is a matrix, that of a dense layer: put
# the picture of 5 × 5 end to end, 25 numbers; the map of 3 × 3, nine numbers; the matrix has 9 rows and 25 columns, 225 squares. **Guess**:
# how many of these squares are not zero, if none of the nine weights is? And how many different numbers do they hold?

# %% [markdown] lang="fr"
# Trouvez cette matrice, pour des noyaux quelconques de forme (o, c, p, q) et des images de taille `size`, soit h lignes et w colonnes : une
# ligne par nombre des cartes (toutes les cartes bout à bout), une colonne par pixel (tous les canaux bout à bout).
#
# <details><summary>Un indice</summary>
#
# La colonne d'une matrice est ce qu'elle fait d'un vecteur qui n'a qu'un 1. Ici : d'une image noire où un seul pixel vaut 1.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.eye(c * h * w, dtype=kernels.dtype)` contient toutes ces images, une par ligne. Donnez-leur la forme (c·h·w, c, h, w) par `.view`,
# et convolez-les toutes à la fois.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `conv2d(…).flatten(1)` a une **ligne** par image ; il en faut une colonne : `.T`.
#
# </details>

# %% [markdown] lang="en"
# Find this matrix, for any kernels of shape (o, c, p, q) and pictures of `size`, that is h rows and w columns: a row for each number of the
# maps (all maps end to end), a column for each pixel (all channels end to end).
#
# <details><summary>A hint</summary>
#
# The column of a matrix is what it makes of a vector with a single 1. Here: of a picture that is zero but for one pixel, which is 1.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.eye(c * h * w, dtype=kernels.dtype)` holds all these pictures, one in each row. Give them the shape (c·h·w, c, h, w) with `.view`,
# and convolve them all at once.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `conv2d(…).flatten(1)` has a **row** for each picture; it must be a column: `.T`.
#
# </details>

# %% implements="convolution:convolution_matrix" level=3
"""La matrice d'une convolution, pour des images de taille `size`.

Elle mène d'une image mise bout à bout à ses cartes mises bout à bout. Presque
toute de zéros, elle a les mêmes quelques poids à chaque ligne.
"""
# column i is what becomes of a picture with a single pixel, the i-th => la colonne i est ce que devient une image d'un seul pixel, le i-ème

# %% scratch=true
convolution_matrix(torch.tensor([[[[1.0, -1.0]]]]), (1, 3)).tolist()
# → [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. Une convolution est une matrice
#
# 5 × 5 entre, 3 × 3 sort : combien de cases non nulles sur 225 ? Combien de nombres différents ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. A convolution is a matrix
#
# 5 × 5 in, 3 × 3 out: how many squares of 225 are not zero? How many different numbers?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
one_to_nine = torch.arange(1.0, 10).view(1, 1, 3, 3)
matrix = convolution_matrix(one_to_nine, (5, 5))
figure, axes = plot(width=9, height=3.7)
axes.imshow(matrix.numpy(), cmap="Blues", vmin=0, vmax=14)
for row, column in matrix.nonzero().tolist():
    axes.text(column, row, f"{matrix[row, column]:.0f}", ha="center", va="center",
              fontsize=12)
axes.set(xlabel=say("the 25 pixels", "les 25 pixels"), xticks=[], yticks=[])
axes.set_ylabel(say("the 9 sums", "les 9 sommes"))
picture(figure, say("A matrix of nine rows and twenty-five columns: each row has "
                    "the weights one to nine, further to the right row by row.",
                    "Une matrice de neuf lignes et vingt-cinq colonnes : chaque "
                    "ligne a les poids un à neuf, de plus en plus à droite."))

# %% claims=true
assert matrix.shape == (9, 25) and int((matrix != 0).sum()) == 81
assert len(matrix[matrix != 0].unique()) == 9
assert torch.equal(matrix @ corner.flatten(), conv2d(corner[None, None], one_to_nine).flatten())

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire parier sur les deux nombres : 81 cases, 9 nombres. Suivre le 5 du doigt, ligne après ligne : il descend en diagonale.
# Demander ce qu'est une couche dense de 25 vers 9. (La même matrice, pleine, 225 nombres libres.) La convolution est donc une couche dense
# à qui l'on a dit deux choses de plus.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take bets on both numbers: 81 squares, 9 numbers. Follow the 5 with a finger, row after row: it goes down a diagonal. Ask what a
# dense layer from 25 to 9 is. (The same matrix, full, 225 free numbers.) So convolution is a dense layer that was told two more things.

# %% [markdown] lang="fr"
# Neuf cases non nulles par ligne, **81** sur 225 ; et **neuf** nombres différents, les mêmes à chaque ligne, décalés. Une couche dense aurait
# 225 nombres libres. La convolution est donc une couche dense dont on a fixé presque tout : des zéros loin (c'est la localité), les mêmes poids
# à chaque ligne (c'est le même motif partout). Un MLP **pourrait** apprendre cette matrice ; rien ne l'y pousse. Cette matrice resservira : sa
# transposée, à la [](lesson:06), remontera de 3 × 3 à 5 × 5.

# %% [markdown] lang="en"
# Nine squares in each row are not zero, **81** of 225; and **nine** different numbers, the same in each row, further along. A dense layer would
# have 225 free numbers. So a convolution is a dense layer of which almost all was settled beforehand: zeros far away (that is locality), the
# same weights in each row (that is the same pattern anywhere). An MLP **could** learn this matrix; nothing drives it there. We shall meet the
# matrix again: its transpose, in [](lesson:06), goes back up from 3 × 3 to 5 × 5.

# %% [markdown] lang="fr"
# ## 7. Pooling
#
# Pour décider « c'est un 3 », peu importe qu'un bord soit au pixel 17 ou 18. Le **pooling** garde un seul nombre par morceau d'une carte,
# de 2 × 2 le plus souvent : le **plus grand** (*max pooling*), ou la **moyenne**. Il n'a aucun poids : rien ne s'y apprend. Chaque canal
# est réduit à part. **Devinez** ce que les deux font de cette carte, puis ce qu'ils en font si on la décale d'un pixel vers la gauche (ce
# qui sort à gauche rentre à droite).

# %% [markdown] lang="en"
# ## 7. Pooling
#
# To decide "this is a 3", it matters little whether an edge is at pixel 17 or 18. **Pooling** keeps a single number for each patch of a
# map, most often of 2 × 2: the **largest** (max pooling), or the **mean**. It has no weights: nothing is learned in it. Each channel is
# pooled by itself. **Guess** what both make of this map, then what they make of it when it is shifted one pixel to the left (what leaves on
# the left comes in again on the right).

# %%
seen_map = torch.tensor([[0, 9, 0, 0], [0, 0, 0, 0], [0, 0, 5, 0], [1, 0, 0, 0]])
for line in seen_map.tolist():
    print(*line)

# %% [markdown] lang="fr"
# Écrivez le premier : `images` est de forme (n, c, h, w), et chaque morceau a `kernel_size` pixels de côté. Par défaut, les morceaux ne se
# recouvrent pas : si `stride` vaut `None`, le pas est `kernel_size`.
#
# <details><summary>Un indice</summary>
#
# `images.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)` est de forme (n, c, lignes, colonnes, côté, côté).
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `.amax(dim=(-2, -1))` prend le plus grand sur les deux derniers axes.
#
# </details>

# %% [markdown] lang="en"
# Write the first: `images` is of shape (n, c, h, w), and each patch has `kernel_size` pixels on a side. By default patches do not overlap: if
# `stride` is `None`, the stride is `kernel_size`.
#
# <details><summary>A hint</summary>
#
# `images.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)` is of shape (n, c, rows, columns, side, side).
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `.amax(dim=(-2, -1))` takes the largest over the last two axes.
#
# </details>

# %% implements="pooling:max_pool2d" level=1
"""Max pooling : la plus grande valeur de chaque morceau.

Il dit que quelque chose a été vu, où que ce soit dans le morceau. `kernel_size`
est le côté d'un morceau, et `stride` la distance entre morceaux, `kernel_size`
s'il n'est pas donné.
"""

# %% scratch=true
max_pool2d(torch.tensor([[[[1.0, 4.0], [2.0, 3.0]]]]), 2).tolist()  # → [[[[4.0]]]]

# %% [markdown] lang="fr"
# Puis la moyenne. Une question en passant : ne serait-ce pas une convolution, de pas 2, dont les quatre poids valent un quart ? (Oui ; pour
# le maximum, aucun noyau n'y suffit.)
#
# <details><summary>Un indice</summary>
#
# Les mêmes morceaux, `.mean` au lieu de `.amax`.
#
# </details>

# %% [markdown] lang="en"
# Then the mean. A question in passing: is it not a convolution of stride 2 whose four weights are a quarter? (It is; for the maximum no
# kernel will do.)
#
# <details><summary>A hint</summary>
#
# The same patches, `.mean` instead of `.amax`.
#
# </details>

# %% implements="pooling:avg_pool2d" level=1
"""Pooling moyen : la moyenne de chaque morceau.

`kernel_size` est le côté d'un morceau, et `stride` la distance entre morceaux,
`kernel_size` s'il n'est pas donné.
"""

# %% scratch=true
avg_pool2d(torch.tensor([[[[1.0, 4.0], [2.0, 3.0]]]]), 2).tolist()  # → [[[[2.5]]]]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Pooling : un nombre par morceau
#
# La carte se décale d'un pixel : que deviennent le maximum et la moyenne ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. Pooling: one number for each patch
#
# The map shifts by a pixel: what becomes of the maximum and of the mean?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
shifted_map = seen_map.roll(-1, dims=1)
figure, panels = plot(2, 3, width=7, height=4)
for row, (given, name) in enumerate(((seen_map, say("map", "carte")),
                                     (shifted_map, say("shifted", "décalée")))):
    square_map = given[None, None].float()
    show_grid(panels[row, 0], given, name, numbers=True, reach=12)
    show_grid(panels[row, 1], max_pool2d(square_map, 2)[0, 0],
              say("largest", "plus grand"), numbers=True, reach=12)
    show_grid(panels[row, 2], avg_pool2d(square_map, 2)[0, 0],
              say("mean", "moyenne"), numbers=True, reach=12)
    for panel in panels[row, :1]:
        panel.axhline(1.5, color="black")
        panel.axvline(1.5, color="black")
picture(figure, say("A map of four by four and its pooling by the largest and by the "
                    "mean; below, the same when the map is shifted by a pixel.",
                    "Une carte de quatre sur quatre, réduite par le plus grand et "
                    "par la moyenne ; dessous, la même, décalée d'un pixel."))

# %% claims=true
pooled, pooled_shifted = (max_pool2d(each[None, None].float(), 2)[0, 0].tolist() for each in (seen_map, shifted_map))
assert pooled == [[9, 0], [1, 5]] and pooled_shifted == [[9, 0], [5, 1]]
assert avg_pool2d(seen_map[None, None].float(), 2)[0, 0].tolist() == [[2.25, 0], [0.25, 1.25]]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire calculer les deux réductions avant de montrer la figure. Le 9 reste dans son morceau : le maximum ne voit pas le déplacement. Le 5
# passe dans le morceau voisin : il le voit. Demander combien de poids. (Aucun.) Et combien de canaux en sortent. (Autant qu'il en entre.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have them work out both reductions before the figure. The 9 stays in its patch: the maximum does not see the shift. The 5 crosses into
# the next patch: it does. Ask how many weights. (None.) And how many channels come out. (As many as go in.)

# %% [markdown] lang="fr"
# Le 9 s'est déplacé **dans** son morceau : la réponse n'a pas bougé. Le 5 a **traversé** une frontière : il passe dans la case voisine. Le
# pooling donne donc un **peu** d'invariance, pour des déplacements plus petits que le morceau, et quand la frontière s'y prête.

# %% [markdown] lang="en"
# The 9 moved **within** its patch: the answer did not move. The 5 **crossed** a border: it goes into the next square. So pooling gives a
# **little** invariance, for shifts smaller than the patch, and where the border allows it.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 9-11"
# ### Exercices 9 à 11 · Réduire, et voir loin
#
# **15 min.** 9 et 10 : les deux poolings. 11 : `receptive_field`, après la section 8.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 9-11"
# ### Exercises 9 to 11 · Reducing, and seeing far
#
# **15 min.** 9 and 10: both poolings. 11: `receptive_field`, after section 8.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner les sections 7 et 8. Fautes à guetter : un pas de 1 quand rien n'est donné, un maximum pris sur les canaux aussi ; en 11, des
# côtés de noyaux additionnés, ou le pas de la couche elle-même compté. Faire chercher 11 sur le papier, de la sortie vers l'image.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out sections 7 and 8. Mistakes to look for: a stride of 1 when none is given, a maximum over the channels too; in 11, the sides
# of kernels added up, or the layer's own stride counted. Have 11 worked out on paper, from the output back to the picture.

# %% [markdown] lang="fr"
# ## 8. Jusqu'où voit un neurone ?
#
# Une fenêtre de 3 voit trois pixels. Mais ceux que voit une **deuxième** couche ont eux-mêmes vu leurs voisins. **Devinez** combien de
# pixels, par côté, voit une sortie de trois couches de 3 × 3, posées l'une sur l'autre : 3, 7, 9 ou 27 ? Et une sortie de deux couches
# seulement, avec un pooling de 2 entre elles ?

# %% [markdown] lang="en"
# ## 8. How far does a neuron see?
#
# A window of 3 sees three pixels. But those that a **second** layer sees have themselves seen their neighbours. **Guess** how many pixels, on a
# side, an output of three layers of 3 × 3, one above the other, sees: 3, 7, 9 or 27? And an output of only
# two layers, with a pooling of 2 between them?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Le champ récepteur grandit
#
# En haut, une sortie ; en bas, les pixels dont elle dépend.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. The receptive field grows
#
# At the top one output; at the bottom the pixels it depends on.

# %% tags=["hide-input"]
def fields_drawn(panel, kernels, strides, title):
    # en: from the output down to the picture, as many squares as are seen
    # fr: de la sortie à l'image, autant de cases qu'il en est vu
    field, middle = 1, 0.0
    heights = range(len(kernels), -1, -1)
    for height, kernel, stride in zip(heights, [*reversed(kernels), 1],
                                      [*reversed(strides), 1]):
        left = middle - field / 2
        panel.barh(height, field, left=left, height=0.6,
                   color=COLOURS[height % 6], edgecolor="black")
        panel.text(field / 2 + 0.4, height, str(field), va="center", fontsize=13)
        field = (field - 1) * stride + kernel
    panel.set(title=title, xlim=(-6, 7), yticks=[], xticks=[])
    panel.spines[["left", "bottom"]].set_visible(False)


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 2, width=9, height=3)
fields_drawn(panels[0], [3, 3, 3], [1, 1, 1],
             say("3, then 3, then 3", "3, puis 3, puis 3"))
for height, name in ((3, say("output", "sortie")), (0, say("picture", "image"))):
    panels[0].text(-5.8, height, name, va="center", fontsize=12)
fields_drawn(panels[1], [3, 2, 3], [1, 2, 1],
             say("3, pooling by 2, then 3", "3, pooling de 2, puis 3"))
picture(figure, say("What an output depends on, layer by layer: one, three, five, "
                    "seven pixels; with a pooling one, three, six, eight.",
                    "Ce dont dépend une sortie, couche après couche : un, trois, "
                    "cinq, sept pixels ; avec un pooling, un, trois, six, huit."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire deviner 7 : chaque couche ajoute 2. Puis compter avec le pooling, du haut vers le bas : 1, 3, puis 6 (chaque case en couvre
# deux), puis 8. Demander ce qui fait grandir le champ le plus vite. (Les pas : ils se multiplient.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Let them guess 7: each layer adds 2. Then count with the pooling, from the top down: 1, 3, then 6 (each square covers two), then 8. Ask
# what makes the field grow fastest. (Strides: they multiply.)

# %% [markdown] lang="fr"
# **Sept** pixels : chaque couche ajoute 2. Avec un pooling, huit pour deux couches seulement. Cette partie de l'image dont dépend un nombre
# s'appelle son **champ récepteur**. Pour le calculer, partez d'une sortie, et descendez : $r$ cases d'une carte, avec un noyau $k$ et un pas
# $s$, en voient $(r - 1)\,s + k$ dans la couche du dessous. Les pas se multiplient : c'est d'eux que vient la portée.

# %% [markdown] lang="fr"
# Écrivez-le. `kernels` et `strides` sont deux listes, de la première couche à la dernière ; la réponse est un entier. Une chaîne vide voit 1
# pixel.
#
# <details><summary>Un indice</summary>
#
# Commencez par `field = 1`, et parcourez les couches **de la dernière à la première** : `zip(reversed(kernels), reversed(strides))`.
#
# </details>

# %% [markdown] lang="en"
# **Seven** pixels: each layer adds 2. With a pooling, eight for two layers only. This part of the picture on which a number depends is called
# its **receptive field**. To work it out, begin at an output, and go down: $r$ squares of a map, with a kernel $k$ and a stride $s$, see
# $(r - 1)\,s + k$ squares of the layer below. Strides multiply: reach comes from them.

# %% [markdown] lang="en"
# Write it. `kernels` and `strides` are two lists, from the first layer to the last; the answer is a whole number. An empty chain sees 1
# pixel.
#
# <details><summary>A hint</summary>
#
# Begin with `field = 1`, and go through the layers **from the last to the first**: `zip(reversed(kernels), reversed(strides))`.
#
# </details>

# %% implements="convolution:receptive_field" level=2
"""Le côté, en pixels, de ce que voit une sortie d'une chaîne de convolutions.

Il se compte de la sortie vers l'image.
"""

# %% scratch=true
receptive_field([3, 3], [2, 1])  # → 7

# %% claims=true
assert receptive_field([3, 3, 3], [1, 1, 1]) == 7 and receptive_field([3, 2, 3], [1, 2, 1]) == 8

# %% [markdown] lang="fr"
# Voir n'est pas regarder. Un pixel au coin du champ n'atteint la sortie que par un seul chemin ; un pixel du milieu, par beaucoup.
# Mesurons : dix couches de 3 × 3, sans ReLU, de poids tirés au hasard, et la pente de la sortie du milieu par rapport à chaque pixel. Le champ a
# `receptive_field([3] * 10, [1] * 10)` pixels de côté, soit 21. **Devinez** : quelle part de la pente tombe dans le carré central de 9 × 9,
# qui n'est que 18 % du champ ?

# %% [markdown] lang="en"
# To see is not to look. A pixel at the corner of the field reaches the output by a single path; a pixel in the middle, by many. Let us
# measure: ten layers of 3 × 3, without ReLU, with random weights, and the slope of the middle output with respect to each pixel. The field
# is `receptive_field([3] * 10, [1] * 10)` pixels wide, that is 21. **Guess**: what share of the slope falls into the central square of 9 ×
# 9, which is only 18% of the field?

# %% tags=["hide-input"]
torch.manual_seed(0)
tower = nn.Sequential(nn.Conv2d(1, 8, 3), *(nn.Conv2d(8, 8, 3) for _ in range(9)))
noise = torch.randn(64, 1, 21, 21, requires_grad=True)
grad = torch.autograd.grad(tower(noise).sum(), noise)[0]
influence = grad.abs().mean(dim=(0, 1))
share_in_the_middle = (influence[6:15, 6:15].sum() / influence.sum()).item()

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Voir n'est pas regarder
#
# Dix couches : 21 pixels de côté. D'où vient vraiment la réponse ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### To see is not to look
#
# Ten layers: 21 pixels wide. Where does the answer really come from?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=4.6, height=3.5)
axes.imshow(influence.numpy(), cmap="Blues", vmin=0)
frame(axes, 5.5, 5.5, 9, VERMILION)
share = decimal(100 * share_in_the_middle, 0)
axes.set(xticks=[], yticks=[])
axes.set_title(say(f"{share}% in the middle square",
                   f"{share} % dans le carré central"))
picture(figure, say("The slope of one output with respect to each pixel of its field "
                    "is strong in the middle and fades towards the rim.",
                    "La pente d'une sortie par rapport à chaque pixel de son champ "
                    "est forte au milieu et s'éteint vers le bord."))

# %% claims=true
assert receptive_field([3] * 10, [1] * 10) == 21 and round(100 * 81 / 441) == 18
assert share_in_the_middle > 0.5

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire parier la part du carré rouge : il n'est que 18 % de la surface. Plus de la moitié de la pente. Demander pourquoi. (Un pixel du coin
# n'a qu'un chemin ; celui du milieu en a des milliers.) Moralité : plus de couches voient plus loin, mais regardent surtout devant elles.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Take bets on the share of the red square: it is only 18% of the area. More than half of the slope. Ask why. (A pixel at the corner has
# one path; one in the middle has thousands.) Moral: more layers see further, but look mostly straight ahead.

# %% [markdown] lang="fr"
# Plus de la moitié, dans 18 % de la surface : la réponse vient surtout du milieu, et le champ **utile** est bien plus petit que le champ récepteur
# ([](work:luo2016)). « Plus de couches voient toujours plus » est donc vrai sur le papier seulement.

# %% [markdown] lang="en"
# More than half, in 18% of the area: the answer comes mostly from the middle, and the **effective** field is much smaller than the receptive
# field ([](work:luo2016)). So "more layers always see more" is true on paper only.

# %% [markdown] lang="fr"
# ## 9. Un réseau qui lit
#
# Tous les réseaux à images ont au plus trois phases. **Réduire** : des convolutions, entrecoupées de pas ou de pooling ; l'espace rétrécit,
# les canaux se multiplient, jusqu'à ce qu'il ne reste qu'un point d'un petit espace. **Décider** : dans ce petit espace, une couche dense,
# celle de la [](lesson:01), choisit. **Restaurer**, si c'est une image que l'on veut : remonter vers les pixels ; ce sera la
# [](lesson:06). Pour lire un chiffre, les deux premières suffisent : c'est le plan de LeNet ([](work:lecun1998)), après celui qui lisait des
# codes postaux dès 1989 ([](work:lecun1989)).
#
# Voici `SmallClassifier`, de la bibliothèque : convolution, ReLU, pooling, convolution, ReLU, moyennes sur une grille de 2 × 2 (celle de
# chaque quart de la carte), couche dense. **Devinez** : le nombre de nombres ne fait-il que descendre, de l'entrée à la sortie ?

# %% [markdown] lang="en"
# ## 9. A network that reads
#
# All picture networks have three phases at most. **Reduce**: convolutions, with strides or pooling in between; space shrinks, channels
# multiply, until nothing is left but a point of a small space. **Decide**: in this small space a dense layer, that of [](lesson:01), chooses.
# **Restore**, if a picture is what one wants: go back up to pixels; that will be [](lesson:06). To read a digit the first two are enough: this
# is the plan of LeNet ([](work:lecun1998)), after the one that read postcodes as early as 1989 ([](work:lecun1989)).
#
# Here is the library's `SmallClassifier`: convolution, ReLU, pooling, convolution, ReLU, means over a grid of 2 × 2 (one for each quarter
# of the map), dense layer. **Guess**: does the number of numbers do nothing but fall, from the input to the output?

# %%
torch.manual_seed(0)
reader = SmallClassifier(channels=1, classes=10)
passing = scattered[:1]
sizes = []
for layer in [*reader.features, nn.Flatten(), reader.decide]:
    passing = layer(passing)
    if not isinstance(layer, nn.ReLU):
        sizes.append(passing[0].numel())
        shape = " × ".join(str(size) for size in passing.shape[1:])
        print(f"{type(layer).__name__:18} {shape:14} {sizes[-1]:5}")


def count(network):
    return sum(weight.numel() for weight in network.parameters())


print(say("weights:", "poids :"), count(reader))

# %% claims=true
assert sizes == [2304, 576, 1152, 128, 128, 10] and count(reader) == 6090
assert count(nn.Sequential(nn.Linear(144, 39), nn.Linear(39, 10))) == 6055

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. Réduire, décider (restaurer)
#
# L'espace rétrécit, les canaux se multiplient.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. Reduce, decide (restore)
#
# Space shrinks, channels multiply.

# %% tags=["hide-input"]
def draw_maps(axes, x, channels, side, colour):
    for number in range(min(channels, 6)):
        left = x + 0.09 * number
        low, wide, high = 0.09 * number, side / 8, side / 6
        axes.fill([left, left + wide, left + wide, left],
                  [low, low, low + high, low + high],
                  facecolor=colour, edgecolor="black", linewidth=0.8)
    size = f"{channels} × {side} × {side}"
    axes.text(x + 0.7, -0.5, size, ha="center", fontsize=12)


# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=9, height=3)
stages = [(1, 12), (16, 12), (16, 6), (32, 6), (32, 2)]
for place, (channels, side) in enumerate(stages):
    draw_maps(axes, 2.3 * place, channels, side, COLOURS[place])
axes.bar(11.9, 2, width=0.25, bottom=0, color=BLUE, edgecolor="black")
axes.text(11.9, -0.5, "10", ha="center", fontsize=12)
axes.text(4.3, 3, say("reduce", "réduire"), ha="center", fontsize=14)
axes.text(11.9, 3, say("decide", "décider"), ha="center", fontsize=14)
axes.set(xlim=(-0.4, 12.8), ylim=(-0.8, 3.4))
axes.axis("off")
picture(figure, say("A sheet of 12 by 12 becomes 16 maps of 12, of 6, then 32 maps of "
                    "6, of 2, and ten numbers, one for each digit.",
                    "Une feuille de 12 sur 12 devient 16 cartes de 12, de 6, puis "
                    "32 cartes de 6, de 2, et dix nombres, un par chiffre."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire multiplier : 144, 2 304, 576, 1 152, 128, 10. La première couche en ajoute. Demander ce qui réduit. (Le pooling, pas la
# convolution.) Et où est le MLP ? (À la fin, une seule couche, dans un petit espace.) La troisième phase, restaurer, sera la leçon 06.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them multiply: 144, 2,304, 576, 1,152, 128, 10. The first layer adds some. Ask what reduces. (Pooling, not convolution.) And where
# is the MLP? (At the end, a single layer, in a small space.) The third phase, restore, will be lesson 06.

# %% [markdown] lang="fr"
# Non : 144 pixels deviennent **2 304** nombres, puis 576, 1 152, 128, et dix. La convolution ajoute des canaux ; c'est le pooling qui réduit.
# Entraînons-le sur 1 400 feuilles, comme à la [](lesson:01) : des lots de 64, l'entropie croisée, 300 pas. Les 397 autres sont pour l'examen.

# %% [markdown] lang="en"
# No: 144 pixels become **2,304** numbers, then 576, 1,152, 128, and ten. The convolution adds channels; it is pooling that reduces. Let us
# train it on 1,400 sheets, as in [](lesson:01): batches of 64, cross-entropy, 300 steps. The other 397 are for the exam.

# %%
def train(network, sheets, answers, seed=0, steps=300, rate=0.02):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, fused=True)
    # en: the learning rate goes up, then down to nothing
    # fr: le pas d'apprentissage monte, puis redescend à rien
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    losses = []
    for _ in range(steps):
        rows = torch.randint(len(sheets), (64,), generator=generator)
        loss = F.cross_entropy(network(sheets[rows]), answers[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pace.step()
        losses.append(loss.item())
    return losses


# %%
@torch.no_grad()
def read_right(network, sheets, answers):
    right = network(sheets).argmax(dim=1) == answers
    return 100 * right.float().mean().item()


history = train(reader, scattered[:1400], classes[:1400])
by_reader = read_right(reader, scattered[1400:], classes[1400:])
print(say("read right, of digits never seen:", "lus, de chiffres jamais vus :"),
      decimal(by_reader), "%")

# %% claims=true
assert by_reader > 90

# %% [markdown] lang="fr"
# Plus de neuf chiffres sur dix, jamais vus, posés n'importe où. **Devinez** : à quoi ressembleront les seize noyaux que la première couche a appris ?

# %% [markdown] lang="en"
# More than nine digits out of ten, never seen, laid anywhere. **Guess**: what will the sixteen kernels look like that the first layer has learned?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Seize noyaux, appris
#
# Cherchez un bord gauche, un bord du haut, un trait penché.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Sixteen kernels, learned
#
# Look for a left edge, an upper edge, a slanting stroke.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
learned = reader.features[0].weight.detach()[:, 0]
figure, panels = plot(2, 8, width=9, height=2.5)
for panel, kernel in zip(panels.flat, learned):
    show_grid(panel, kernel, "", reach=learned.abs().max().item())
picture(figure, say("The sixteen kernels of the first layer, three by three: several "
                    "oppose one side, orange, to the other, purple.",
                    "Les seize noyaux de la première couche, de trois sur trois : "
                    "plusieurs opposent un côté, orange, à l'autre, violet."))

# %% claims=true
def likeness(kernel, pattern):
    return abs(F.cosine_similarity(kernel.flatten(), pattern.flatten(), dim=0).item())


edges = [slope, slope.T, torch.tensor([[-1.0, -1, 0], [-1, 0, 1], [0, 1, 1]]), torch.tensor([[0.0, -1, -1], [1, 0, -1], [1, 1, 0]])]
assert sum(max(likeness(kernel, edge) for edge in edges) > 0.6 for kernel in learned) >= 3

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Laisser chercher : quels noyaux sont des bords, dans quelle direction ? Personne ne les a écrits. Demander pourquoi d'autres ont l'air de
# bruit : neuf nombres sont bien peu pour un dessin, et ce sont les combinaisons qui comptent.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Let them look: which kernels are edges, in which direction? Nobody wrote them. Ask why others look like noise: nine numbers are very few
# for a drawing, and it is the combinations that count.

# %% [markdown] lang="fr"
# Plusieurs sont des bords, que personne n'a écrits ; d'autres ont l'air de bruit. Neuf nombres ne font pas un dessin, et ce sont les
# **combinaisons** qui comptent. La deuxième couche, elle, combine : `receptive_field([3, 2, 3], [1, 2, 1])` vaut 8, et chacune de ses cases voit
# un morceau de 8 × 8. Pour savoir ce qu'un canal y cherche, ne regardons pas ses poids, mais les **morceaux qui l'excitent le plus**, sur les 397
# feuilles de l'examen ([Zeiler et Fergus](work:zeiler2014) l'ont fait sur des photos). **Devinez** : des points, des traits, des chiffres entiers ?

# %% [markdown] lang="en"
# Several are edges, which nobody wrote; others look like noise. Nine numbers make no drawing, and it is the **combinations** that count. The
# second layer does combine: `receptive_field([3, 2, 3], [1, 2, 1])` is 8, and each of its squares sees a patch of 8 × 8. To know what a channel
# looks for there, let us look not at its weights but at the **patches that excite it most**, over the 397 sheets of the exam ([Zeiler and
# Fergus](work:zeiler2014) did so on photographs). **Guess**: dots, strokes, whole digits?

# %% tags=["hide-input"]
exam = scattered[1400:]
with torch.no_grad():
    maps = reader.features[:5](exam)
padded = F.pad(exam, (4, 4, 4, 4))


def most_exciting(channel, count=6):
    # en: the strongest square of each sheet, then the strongest sheets
    # fr: la case la plus forte de chaque feuille, puis les feuilles les plus fortes
    strongest, places = maps[:, channel].flatten(1).max(dim=1)
    sheets = strongest.topk(count).indices
    patches = []
    for sheet in sheets.tolist():
        row, column = divmod(places[sheet].item(), 6)
        top, left = 2 * row + 1, 2 * column + 1
        patches.append(padded[sheet, 0, top : top + 8, left : left + 8])
    return torch.stack(patches)


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ce que cherche la deuxième couche
#
# Une ligne par canal : les six morceaux qui l'excitent le plus.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### What the second layer looks for
#
# A row for each channel: the six patches that excite it most.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
# en: the channels that fire rarely and strongly
# fr: les canaux qui répondent rarement et fort
highest, usual = maps.amax(dim=(0, 2, 3)), maps.mean(dim=(0, 2, 3))
rarely = torch.where(highest > 1, highest / (usual + 1e-6), torch.zeros(()))
chosen = rarely.topk(5).indices
figure, panels = plot(5, 6, width=6, height=5)
for row, channel in zip(panels, chosen.tolist()):
    for panel, patch in zip(row, most_exciting(channel)):
        panel.imshow(patch.numpy(), cmap="gray_r", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
picture(figure, say("Five channels of the second layer, one a row, and the six "
                    "patches that excite each most, mostly alike within a row.",
                    "Cinq canaux de la deuxième couche, un par ligne, et les six "
                    "morceaux qui excitent le plus chacun : un trait par ligne."))

# %% claims=true
def alike_in_pairs(patches):
    centred = patches.flatten(1) - patches.flatten(1).mean(dim=1, keepdim=True)
    unit = F.normalize(centred, dim=1)
    return (unit @ unit.T)[torch.triu(torch.ones(len(unit), len(unit)), 1) > 0].mean().item()


drawn = torch.stack([padded[sheet, 0, 4:12, 4:12] for sheet in range(60)])
of_channels = [alike_in_pairs(most_exciting(channel)) for channel in chosen.tolist()]
assert sum(of_channels) / 5 > alike_in_pairs(drawn) + 0.15
assert receptive_field([3, 2, 3], [1, 2, 1]) == 8

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Une ligne à la fois, faire nommer ce que le canal cherche. Ce sont des traits, des courbes, des bouts de chiffres, et non des chiffres
# entiers ; une même ligne vient souvent de plusieurs chiffres. Demander pourquoi c'est utile. (Une barre sert au 1, au 4 et au 7.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Row by row, have them name what the channel looks for. They are strokes, curves, ends of digits, and not whole digits; a row often comes
# from several digits. Ask why this is useful. (A bar serves the 1, the 4 and the 7.)

# %% [markdown] lang="fr"
# Dans chaque ligne, les morceaux se ressemblent plus que des morceaux pris au hasard : un même trait, une même courbe, parfois dans des chiffres
# différents. Première couche, des bords ; deuxième, des combinaisons de bords ; et la couche dense, à la fin, vote.

# %% [markdown] lang="en"
# In each row the patches are more alike than patches taken at random: one stroke, one curve, sometimes in different digits. First layer, edges;
# second layer, combinations of edges; and the dense layer, at the end, votes.

# %% [markdown] lang="fr"
# ## 10. Qui s'en aperçoit ?
#
# Reprenez votre pari de la [](#a-picture-is-a-long-list-of-numbers). D'un côté, un MLP comme celui de la [](lesson:01) : 144 pixels, 39 neurones
# cachés, 10 sorties, soit 6 055 poids. De l'autre, le réseau convolutif, 6 090 poids. Chacun apprend deux fois, de zéro : sur les feuilles en
# place, puis sur les feuilles **mélangées**, toutes de la même façon. Trois tirages des poids de départ pour chacun. **Relisez vos quatre
# nombres**, puis lancez.

# %% [markdown] lang="en"
# ## 10. Who notices?
#
# Take up your bet of [](#a-picture-is-a-long-list-of-numbers). On one side an MLP like that of [](lesson:01): 144 pixels, 39 hidden neurons, 10
# outputs, or 6,055 weights. On the other the convolutional network, 6,090 weights. Each learns twice, from nothing: on the sheets in place, then
# on the **shuffled** sheets, all in the same way. Three sets of starting weights for each. **Read your four numbers again**, then run it.

# %%
def new_mlp(pixels=144, hidden=39):
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU(),
                         nn.Linear(hidden, 10))


def learn_and_be_examined(build, sheets, seeds=(0, 1, 2)):
    rates = []
    for seed in seeds:
        torch.manual_seed(seed)
        network = build()
        train(network, sheets[:1400], classes[:1400], seed)
        rates.append(read_right(network, sheets[1400:], classes[1400:]))
    return rates


# %%
def new_cnn():
    return SmallClassifier(channels=1, classes=10)


def in_place_and_shuffled(build):
    return [learn_and_be_examined(build, scattered),
            learn_and_be_examined(build, shuffled)]


def all_four():
    return {"mlp": in_place_and_shuffled(new_mlp),
            "cnn": in_place_and_shuffled(new_cnn)}

# %%
from dalle_edu.classroom.desk import kept

# en: what takes long is kept on disk, and read again after a restart
# fr: ce qui est long est gardé sur disque, et relu après un redémarrage
rates = kept("shuffled", all_four, patience=5)
means = {name: [sum(each) / 3 for each in pair] for name, pair in rates.items()}
print(say("                in place  shuffled", "                en place  mélangés"))
for name, title in (("mlp", "MLP"), ("cnn", say("convolutional", "convolutif"))):
    print(f"{title:15}", *(f"{decimal(mean, 0):>6} %" for mean in means[name]))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. Qui s'en aperçoit ?
#
# Mêmes feuilles, presque autant de poids. Reprenez vos quatre nombres.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. Who notices?
#
# The same sheets, nearly as many weights. Take up your four numbers.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=7, height=3.5)
for shift, name, colour in ((-0.2, "mlp", ORANGE), (0.2, "cnn", BLUE)):
    title = "MLP" if name == "mlp" else say("convolutional network", "réseau convolutif")
    axes.bar([shift, 1 + shift], means[name], width=0.36, color=colour, label=title)
    for place, three in enumerate(rates[name]):
        axes.plot([place + shift] * 3, three, "o", color="black", markersize=5)
axes.axhline(10, color="grey", linestyle=":")
axes.text(0.5, 12, say("chance", "hasard"), ha="center", fontsize=12)
axes.set_xticks([0, 1], [say("in place", "en place"), say("shuffled", "mélangés")])
axes.set(ylabel=say("digits read (%)", "chiffres lus (%)"), ylim=(0, 118))
legend(axes, loc="upper right", ncols=2)
picture(figure, say("Digits read: in place the convolutional network is ahead; "
                    "shuffled, the MLP is as before and the other far behind.",
                    "Chiffres lus : en place, le réseau convolutif mène ; mélangés, "
                    "le MLP lit comme avant et l'autre est loin derrière."))

# %% claims=true
assert min(rates["cnn"][0]) > max(rates["mlp"][0]) + 5
assert abs(means["mlp"][0] - means["mlp"][1]) < 5
assert max(rates["cnn"][1]) < min(rates["mlp"][1])
assert means["cnn"][0] - means["cnn"][1] > 30
assert count(new_mlp()) == 6055

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire relire les paris à voix haute avant de montrer. Le MLP ne s'aperçoit de rien ; le réseau convolutif perd tout ce qu'il avait de
# plus, et davantage. Laisser un silence. Puis demander : qu'a-t-on changé, au fond ? (Pas les nombres : leur voisinage.) Qui aurait gagné sur des
# données sans voisinage, un tableau de notes par exemple ? (Le MLP.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Have the bets read aloud before showing. The MLP notices nothing; the convolutional network loses all that it had over it, and more.
# Leave a silence. Then ask: what was changed, really? (Not the numbers: their neighbourhood.) Who would have won on data without a
# neighbourhood, a table of marks for example? (The MLP.)

# %% [markdown] lang="fr"
# En place, le réseau convolutif lit bien plus de chiffres. Mélangez : le MLP **ne s'aperçoit de rien**, et le réseau convolutif perd **tout ce
# qu'il avait de plus**, et davantage : il passe derrière. Son avantage ne venait ni du nombre de ses poids, ni d'une magie, mais d'une
# **hypothèse** : les voisins vont ensemble, et un motif peut être partout. Quand l'hypothèse est vraie, elle tient lieu de bien des exemples ;
# quand elle est fausse, elle enferme. Toutes les machines de ce cours en font une ; demandez-vous toujours laquelle.

# %% [markdown] lang="fr"
# « Ne s'aperçoit de rien » n'est pas une façon de parler. Soit `plain`, un MLP quelconque, et ses réponses aux feuilles en place. Donnez les poids qu'il
# faudrait à sa première couche pour qu'il réponde **exactement** pareil aux feuilles mélangées. `weight` est de forme (39, 144), une colonne par
# pixel ; le pixel `j` d'une feuille mélangée est le pixel `new_places[j]` de la feuille en place.
#
# <details><summary>Un indice</summary>
#
# Chaque pixel doit retrouver son poids : quelle colonne va à la place `j` ?
#
# </details>

# %% [markdown] lang="en"
# In place the convolutional network reads many more digits. Shuffle: the MLP **notices nothing**, and the convolutional network loses **all that
# it had over it**, and more: it falls behind. Its advantage came neither from the number of its weights nor from some magic, but from a
# **hypothesis**: neighbours belong together, and a pattern can be anywhere. Where the hypothesis is true it stands in for many examples;
# where it is false it is a cage. All the machines of this course make one; always ask which.

# %% [markdown] lang="en"
# "Notices nothing" is not just a manner of speaking. Let `plain` be any MLP, with its answers to the sheets in place. Give the weights that
# its first layer would need to answer the shuffled sheets in **exactly** the same way. `weight` is of shape (39, 144), a column for each
# pixel; pixel `j` of a shuffled sheet is pixel `new_places[j]` of the sheet in place.
#
# <details><summary>A hint</summary>
#
# Each pixel must find its weight again: which column goes to place `j`?
#
# </details>

# %% level=2
def weights_for_shuffled(weight, new_places):
    return weight[:, new_places]


# %% scratch=true
three_weights = torch.tensor([[1.0, 2.0, 3.0]])
weights_for_shuffled(three_weights, torch.tensor([2, 0, 1])).tolist()
# → [[3.0, 1.0, 2.0]]

# %%
torch.manual_seed(0)
plain = new_mlp()
answers_in_place = plain(scattered[:50]).detach()


def largest_difference():
    twin = new_mlp()
    twin.load_state_dict(plain.state_dict())
    with torch.no_grad():
        twin[1].weight.copy_(weights_for_shuffled(plain[1].weight, new_places))
        differences = twin(shuffled[:50]) - answers_in_place
    return round(differences.abs().max().item(), 3)


expect(largest_difference, 0.0,
       say("largest difference between the answers, in place and shuffled",
           "plus grand écart entre les réponses, en place et mélangées"))

# %% [markdown] lang="fr"
# Pour tout MLP qui lit les feuilles en place, il en existe un qui lit les feuilles mélangées, aussi bien. Pour un noyau de 3 × 3, non : les
# neuf pixels qu'il voulait sont maintenant aux quatre coins de la feuille.

# %% [markdown] lang="en"
# For every MLP that reads the sheets in place there is one that reads the shuffled ones, just as well. For a kernel of 3 × 3 there is not: the
# nine pixels that it wanted are now scattered all over the sheet.

# %% [markdown] lang="fr"
# ## 11. Un bouton : mélanger un peu
#
# Un bouton, une image. Au lieu de mélanger toute la feuille, mélangeons dans des carrés : 1 × 1 (rien ne bouge), 2 × 2, 3 × 3, 6 × 6, 12 × 12
# (toute la feuille). Plus le carré est grand, plus un pixel peut aller loin de ses voisins. **Devinez** la courbe : en pente douce, ou une
# falaise ? Où ?

# %% [markdown] lang="en"
# ## 11. A knob: shuffle a little
#
# One knob, one picture. Instead of shuffling the whole sheet, let us shuffle within squares: 1 × 1 (nothing moves), 2 × 2, 3 × 3, 6 × 6, 12 × 12
# (the whole sheet). The larger the square, the further a pixel can go from its neighbours. **Guess** the curve: a gentle slope, or a cliff?
# Where?

# %%
def shuffle_within(side):
    generator = torch.Generator().manual_seed(0)
    places = torch.arange(144).view(12, 12)
    for top in range(0, 12, side):
        for left in range(0, 12, side):
            square = places[top : top + side, left : left + side]
            order = torch.randperm(side * side, generator=generator)
            places[top : top + side, left : left + side] = (
                square.flatten()[order].view(side, side))
    return scattered.flatten(1)[:, places.flatten()].view_as(scattered)


# %%
def turn_the_knob():
    return [learn_and_be_examined(new_cnn, shuffle_within(side), seeds=[0])[0]
            for side in (2, 3, 6)]


sides = [1, 2, 3, 6, 12]
between = kept("knob", turn_the_knob, patience=5)
read_at = [rates["cnn"][0][0], *between, rates["cnn"][1][0]]
for side, share in zip(sides, read_at):
    print(f"{side:2} × {side:<2} {decimal(share, 0):>4} %")

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. Mélanger un peu
#
# Des pixels mélangés dans des carrés de plus en plus grands.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. Shuffle a little
#
# Pixels shuffled within larger and larger squares.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(height=3.3)
axes.plot(range(5), read_at, "o-", color=BLUE,
          label=say("convolutional network", "réseau convolutif"))
axes.axhline(means["mlp"][0], color=ORANGE, linestyle="--", label="MLP")
axes.set_xticks(range(5), [f"{side} × {side}" for side in sides])
axes.set(xlabel=say("square within which pixels move", "carré où bougent les pixels"))
axes.set(ylabel=say("digits read (%)", "chiffres lus (%)"), ylim=(0, 103))
legend(axes)
picture(figure, say("The further pixels move, the fewer digits the convolutional "
                    "network reads; it soon falls below the MLP.",
                    "Plus les pixels bougent, moins le réseau convolutif lit de "
                    "chiffres ; il passe vite sous le MLP."))

# %% claims=true
assert read_at[0] > read_at[1] + 5 and read_at[1] > read_at[2] and read_at[1] > read_at[4] + 10
assert read_at[2] < means["mlp"][0]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire dessiner la courbe. Elle tombe tout de suite : dans des carrés de 2 × 2, chaque pixel reste à un pas de chez lui, et le réseau lit
# déjà nettement moins. Demander pourquoi. (Un noyau de 3 × 3 ne regarde que des voisins immédiats.) Et le MLP ? (Une droite.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them draw the curve. It falls at once: in squares of 2 × 2 each pixel stays a step from home, and already the network reads clearly
# less. Ask why. (A kernel of 3 × 3 looks at immediate neighbours only.) And the MLP? (A straight line.)

# %% [markdown] lang="fr"
# **Ce que nous avons appris.** La chute commence tout de suite : mélanger dans des carrés de 2 × 2, où chacun reste à un pas de chez lui, coûte déjà
# cher, et à 3 × 3 le réseau est sous le MLP. Ce qu'un petit noyau exploite, c'est le voisinage **immédiat**.

# %% [markdown] lang="en"
# **What we have learned.** The fall begins at once: shuffling within squares of 2 × 2, where everyone stays a step from home, is already costly, and
# at 3 × 3 the network is below the MLP. What a small kernel makes use of is the **immediate** neighbourhood.

# %% [markdown] lang="fr"
# ## 12. Qui le lit encore ?
#
# « Un réseau convolutif est invariant aux translations. » Mettons-le à l'épreuve. Trois réseaux apprennent sur des chiffres **tous au centre**
# d'une feuille de 18 × 18 : un MLP ; notre réseau, qui finit par des moyennes sur une grille de 2 × 2 ; et le même, qui finit par **un seul
# maximum** sur toute la carte, pour chaque canal. À l'examen, on déplace le chiffre de deux pixels au plus. **Devinez** : qui le lit encore ? Et un
# déplacement de 1 est-il plus facile qu'un déplacement de 2 ?

# %% [markdown] lang="en"
# ## 12. Who still reads it?
#
# "A convolutional network is invariant to translations." Let us put it to the test. Three networks learn from digits **all in the centre** of a
# sheet of 18 × 18: an MLP; our network, which ends in means over a grid of 2 × 2; and the same, ending in **a single maximum** over the whole map,
# for each channel. In the exam the digit is moved by two pixels at most. **Guess**: who still reads it? And is a move of 1 easier than a move of 2?

# %%
def ends_in_a_maximum():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1),
        nn.Flatten(), nn.Linear(32, 10))


def at(row, column):
    return F.pad(images, (5 + column, 5 - column, 5 + row, 5 - row))


# %%
def learn_in_the_centre(build):
    torch.manual_seed(0)
    network = build()
    train(network, at(0, 0)[:1400], classes[:1400], steps=200)
    return [[read_right(network, at(row, column)[1400:], classes[1400:])
             for column in range(-2, 3)] for row in range(-2, 3)]


# %%
def larger_mlp():
    return new_mlp(pixels=324, hidden=18)


def move_the_digit():
    return {"mlp": learn_in_the_centre(larger_mlp),
            "grid": learn_in_the_centre(new_cnn),
            "maximum": learn_in_the_centre(ends_in_a_maximum)}


still_read = kept("moved", move_the_digit, patience=5)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Qui le lit encore ?
#
# Appris au centre ; déplacé de deux pixels au plus. En %.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. Who still reads it?
#
# Learned in the centre; moved by two pixels at most. In %.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 3, width=9, height=3.3)
titles = {"mlp": "MLP", "grid": say("means, 2 × 2", "moyennes, 2 × 2"),
          "maximum": say("one maximum", "un seul maximum")}
for panel, (name, grid) in zip(panels, still_read.items()):
    panel.imshow(grid, cmap="Blues", vmin=0, vmax=150)
    for row, line in enumerate(grid):
        for column, share in enumerate(line):
            panel.text(column, row, f"{share:.0f}", ha="center", va="center")
    panel.set(title=titles[name], xticks=range(5), yticks=range(5))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_ticklabels(["−2", "−1", "0", "1", "2"])
    panel.set_xlabel(say("moved to the right", "vers la droite"))
panels[0].set_ylabel(say("moved down", "vers le bas"))
picture(figure, say("Digits read for each move: the MLP only in the centre, the means "
                    "next to it, the maximum at every move of two pixels.",
                    "Chiffres lus pour chaque déplacement : le MLP au centre "
                    "seulement, les moyennes tout près, le maximum à chaque "
                    "déplacement de deux pixels."))

# %% claims=true
mlp_read, grid_read, maximum_read = (torch.tensor(still_read[name]) for name in ("mlp", "grid", "maximum"))
ring = torch.ones(5, 5, dtype=torch.bool)
ring[2, 2] = False
assert min(mlp_read[2, 2], grid_read[2, 2], maximum_read[2, 2]) > 90
assert mlp_read[ring].mean() < grid_read[ring].mean() < maximum_read[ring].mean()
by_two, by_one = maximum_read[0::2, 0::2], maximum_read[1::2, 1::2]
assert (by_two - maximum_read[2, 2]).abs().max() < 0.01
assert by_one.max() < maximum_read[2, 2] - 20
assert count(larger_mlp()) == 6040

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire voter avant. Le MLP perd tout en deux pixels. Les moyennes en gardent un peu, tout près. Puis la surprise, à droite : un déplacement
# de 2 ne change rien, un déplacement de 1 coûte cher. Demander pourquoi. (Le pooling avance de 2 en 2 : un déplacement de 2 est exactement une
# case.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have them vote first. The MLP loses everything within two pixels. The means keep a little, close by. Then the surprise, on the right: a
# move of 2 changes nothing, a move of 1 costs a lot. Ask why. (Pooling moves on by 2: a move of 2 is exactly one square.)

# %% [markdown] lang="fr"
# Tous trois lisent le centre. Ailleurs, le MLP s'effondre ; les moyennes sur 2 × 2 sauvent quelque chose tout près ; le maximum, lui, lit un
# chiffre déplacé de **2** exactement comme un chiffre au centre. La convolution est **équivariante** : la carte suit le chiffre. L'**invariance**
# vient après, de ce qui oublie la place : un maximum sur toute la carte l'oublie ; une grille de 2 × 2, non.
#
# Et la surprise : un déplacement de **1**, plus petit, coûte cher. Le pooling avance de 2 en 2 : déplacer de 2 décale ses cases d'une, exactement ;
# déplacer de 1 réunit d'autres pixels. Notre réseau n'est équivariant que de deux en deux. Le remède ? Apprendre avec des chiffres posés partout,
# comme à la [](#a-network-that-reads). (Retournez la feuille, ou tournez-la : plus rien n'est promis.)

# %% [markdown] lang="en"
# All three read the centre. Elsewhere the MLP collapses; the means over 2 × 2 save something close by; the maximum reads a digit moved by **2**
# exactly as it reads one in the centre. The convolution is **equivariant**: the map follows the digit. **Invariance** comes afterwards, from what
# forgets the place: a maximum over the whole map forgets it; a grid of 2 × 2 does not.
#
# And the surprise: a move of **1**, a smaller one, costs a lot. Pooling moves on by 2: a move of 2 shifts its squares by one, exactly; a move of 1 puts
# other pixels together. Our network is equivariant two by two only. The cure? To learn from digits laid anywhere, as in
# [](#a-network-that-reads). (Turn the sheet over, or round: nothing is promised any more.)

# %% [markdown] lang="fr"
# ## 13. Pooling ou pas de 2 ?
#
# Trois façons de passer de 12 × 12 à 6 × 6 : un maximum, une moyenne, ou une convolution de **pas 2**, qui saute une place sur deux. Mêmes
# poids, 6 090, et à peu près autant de multiplications. (`nn.Identity`, ci-dessous, est la couche qui ne fait rien.)
# **Devinez** laquelle de ces façons lit le mieux nos feuilles.

# %% [markdown] lang="en"
# ## 13. Pooling, or a stride of 2?
#
# Three ways to go from 12 × 12 to 6 × 6: a maximum, a mean, or a convolution of **stride 2**, which skips every other place. The same weights,
# 6,090, and about as many multiplications. (`nn.Identity`, below, is the layer that does nothing.) **Guess** which of these ways reads our
# sheets best.

# %%
def by_mean():
    network = new_cnn()
    # en: `features` is the list of layers; number 2 is the max pooling
    # fr: `features` est la liste des couches ; la 2 est le max pooling
    network.features[2] = nn.AvgPool2d(2)
    return network


def by_stride():
    network = new_cnn()
    network.features[0] = nn.Conv2d(1, 16, 3, stride=2, padding=1)
    network.features[2] = nn.Identity()
    return network


def three_ways():
    return {"mean": learn_and_be_examined(by_mean, scattered),
            "stride": learn_and_be_examined(by_stride, scattered)}


# %%
ways = {"maximum": rates["cnn"][0], **kept("ways", three_ways, patience=5)}
second = 36 * 32 * 16 * 9
multiplications = {"maximum": 144 * 16 * 9 + second, "mean": 144 * 16 * 9 + second,
                   "stride": 36 * 16 * 9 + second}
for way, title in (("maximum", "maximum"), ("mean", say("mean", "moyenne")),
                   ("stride", say("stride 2", "pas de 2"))):
    shares = "  ".join(decimal(share) for share in ways[way])
    print(f"{title:9} {multiplications[way]:7}", say("products  ", "produits  "), shares, "%")

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 13. Pooling ou pas de 2 ?
#
# Mêmes poids, presque autant de produits. Trois points : trois tirages.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 13. Pooling, or a stride of 2?
#
# The same weights, nearly as many products. Three dots: three seeds.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(height=3.1)
for place, (three, colour) in enumerate(zip(ways.values(), (BLUE, SKY, ORANGE))):
    mean = sum(three) / 3
    axes.plot([place - 0.25, place + 0.25], [mean, mean], color=colour, linewidth=5)
    axes.plot([place] * 3, three, "o", color="black", markersize=5)
axes.set_xticks(range(3), say("maximum|mean|stride 2",
                              "maximum|moyenne|pas de 2").split("|"))
axes.set(ylabel=say("digits read (%)", "chiffres lus (%)"), ylim=(80, 100),
         xlim=(-0.6, 2.6))
axes.set_yticks([80, 85, 90, 95, 100])
picture(figure, say("Digits read by networks that reduce by a maximum, a mean or a "
                    "stride of two, three trials and their mean: the maximum reads "
                    "most.",
                    "Chiffres lus par des réseaux qui réduisent par un maximum, une "
                    "moyenne ou un pas de deux, trois essais et leur moyenne : le "
                    "maximum en lit le plus."))

# %% claims=true
assert sum(ways["maximum"]) > sum(ways["mean"]) and sum(ways["maximum"]) > sum(ways["stride"])
assert sum(ways["maximum"]) - sum(ways["stride"]) < 15
assert 0.9 < multiplications["stride"] / multiplications["maximum"] < 1
assert count(by_stride()) == count(by_mean()) == 6090

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. L'axe commence à 80 : le dire. Ici, le maximum gagne, de peu, à poids égaux. Demander si c'est une loi. (Non : de grands réseaux remplacent le
# pooling par des pas de 2 sans y perdre. Un maximum a regardé toutes les places, un pas de 2 n'en regarde qu'une sur quatre, mais apprend
# quoi en faire.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. The axis begins at 80: say so. Here the maximum wins, by a little, at equal weights. Ask whether it is a law. (No: large networks replace pooling by
# strides of 2 and lose nothing. A maximum has looked at every place; a stride of 2 looks at one in four, but learns what to make of it.)

# %% [markdown] lang="fr"
# Ici, le maximum lit le mieux, de peu (l'axe commence à 80 %) : il a regardé toutes les places, et garde la plus forte ; un pas de 2 n'en
# regarde qu'une sur quatre. Ce n'est pas une loi : dans de grands réseaux, des convolutions de pas 2 remplacent tout le pooling sans y
# perdre ([](work:springenberg2015)), et la plupart des machines à dessiner de ce cours préfèrent le pas, qui, lui, s'apprend.

# %% [markdown] lang="en"
# Here the maximum reads best, by a little (the axis begins at 80%): it has looked at every place, and keeps the strongest; a stride of 2
# looks at one in four. It is no law: in large networks, convolutions of stride 2 replace all pooling and lose nothing
# ([](work:springenberg2015)), and most of the drawing machines of this course prefer the stride, which can be learned.

# %% [markdown] lang="fr"
# ## 14. Plus profond
#
# Si deux couches voient des traits, vingt verraient mieux ? Pas si vite : on mesurera ce que donne une pile toute simple. Ce qui permet
# d'empiler, c'est le **chemin résiduel** ([](work:he2016)) : un bloc n'écrit pas sa réponse, il **ajoute une correction** à ce qu'il a
# reçu. Si $f$ commence à zéro, le bloc ne fait d'abord rien, et ne s'en écarte qu'autant que cela aide :

# %% [markdown] lang="en"
# ## 14. Deeper
#
# If two layers see strokes, would twenty see better? Not so fast: we shall measure what a plain stack does. What lets us stack them is the
# **residual path** ([](work:he2016)): a block does not write its answer, it **adds a correction** to what it was given. If $f$ begins at
# zero, the block does nothing at first, and departs from that only as far as it helps:

# %% [markdown]
# $$ y = x + f(x) $$

# %% [markdown] lang="fr"
# Écrivez le calcul d'un bloc. `x`, de forme (n, c, h, w), passe par une ReLU, par `self.look` (une convolution de 3 × 3, qui garde la taille), par une
# ReLU encore, par `self.mix` (une convolution de 1 × 1, dont les poids commencent à zéro) ; et l'on ajoute `x`. La réponse a la forme de `x`.
#
# <details><summary>Un indice</summary>
#
# `F.relu(x)` ; de l'intérieur vers l'extérieur.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# D'abord `self.look(F.relu(x))` ; ce qui en sort passe par `F.relu`, puis par `self.mix`. La réponse commence par `x +`.
#
# </details>

# %% [markdown] lang="en"
# Write what a block computes. `x`, of shape (n, c, h, w), goes through a ReLU, through `self.look` (a convolution of 3 × 3, which keeps the size),
# through another ReLU, through `self.mix` (a convolution of 1 × 1, whose weights begin at zero); and `x` is added. The answer has the shape of `x`.
#
# <details><summary>A hint</summary>
#
# `F.relu(x)`; from the inside outwards.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# First `self.look(F.relu(x))`; what comes out goes through `F.relu`, then through `self.mix`. The answer begins with `x +`.
#
# </details>

# %% implements="convolution:ResidualBlock" level=2 hollow=["forward"]
"""Une correction ajoutée à son entrée (He et al. 2016).

C'est ReLU, convolution, ReLU, convolution de 1 x 1. La première convolution
regarde aussi les voisins ou, si `kernel_size` vaut 1, chaque position seule. La
dernière commence à zéro : une pile profonde commence par être l'identité, et
chaque bloc ne s'en écarte qu'autant que cela aide.
"""
"""L'entrée et sa correction."""

# %% scratch=true
ResidualBlock(1)(torch.tensor([[[[1.0, -2.0]]]])).tolist()  # → [[[[1.0, -2.0]]]]

# %% [markdown] lang="fr"
# Un bloc neuf ne fait rien : même le nombre négatif traverse. Comparons, sur les chiffres de 8 × 8, 150 pas d'apprentissage : un bloc ; dix blocs, soit
# vingt convolutions, sans le chemin résiduel ; dix blocs avec. **Devinez** où finit la perte de chacun. (Répondre au hasard donne
# $\log 10 \approx 2{,}30$. Dans le code, `block(x) - x` retire le `x` que le bloc ajoute : il n'y a plus de chemin.)

# %% [markdown] lang="en"
# A new block does nothing: even the negative number goes through. Let us compare, on the digits of 8 × 8, 150 steps of learning: one block; ten
# blocks, that is twenty convolutions, without the residual path; ten blocks with it. **Guess** where the loss of each ends. (Answering at random
# gives $\log 10 \approx 2.30$. In the code, `block(x) - x` takes off the `x` that the block adds: the path is gone.)

# %%
class Deep(nn.Module):
    def __init__(self, depth, residual):
        super().__init__()
        self.begin = nn.Conv2d(1, 8, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(8) for _ in range(depth))
        self.decide = nn.Linear(32, 10)
        self.residual = residual
        if not residual:
            # en: without the path, weights of zero would let nothing through
            # fr: sans le chemin, des poids nuls ne laisseraient rien passer
            for block in self.blocks:
                block.mix.reset_parameters()

    def forward(self, sheets):
        x = self.begin(sheets)
        for block in self.blocks:
            x = block(x) if self.residual else block(x) - x
        return self.decide(F.adaptive_avg_pool2d(F.relu(x), 2).flatten(1))

# %% tags=["hide-input"]
def go_deep():
    curves = []
    for depth, residual in ((1, True), (10, False), (10, True)):
        torch.manual_seed(0)
        network = Deep(depth, residual)
        losses = train(network, images[:1400], classes[:1400],
                       steps=150, rate=0.005)
        # en: means of ten steps, which jump about less
        # fr: des moyennes de dix pas, qui sautent moins
        curves.append(torch.tensor(losses).view(15, 10).mean(dim=1).tolist())
    return curves


# %%
curves = kept("deep", go_deep, patience=5)
names = [say("one block", "un bloc"),
         say("ten blocks, without path", "dix blocs, sans chemin"),
         say("ten blocks, with path", "dix blocs, avec chemin")]
print(say("loss at the end", "perte à la fin"))
for name, curve in zip(names, curves):
    print(f"{name:25}", decimal(curve[-1], 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 12-14"
# ### Exercices 12 à 14 · Permuter, ajouter, faire petit
#
# **15 min.** 12 : les poids du MLP mélangé. 13 : `ResidualBlock.forward`, en une ligne. 14, chez soi : petit et bon.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 12-14"
# ### Exercises 12 to 14 · Permuting, adding, going small
#
# **15 min.** 12: the weights of the shuffled MLP. 13: `ResidualBlock.forward`, in one line. 14, at home: small and good.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner les sections 10 et 14. Faute à guetter en 12 : ranger les lignes au lieu des colonnes. En 13 : oublier d'ajouter `x`, ou passer une
# ReLU sur la somme, qui coupe le chemin. L'exercice 14 se fait chez soi, sur la machine de chacun.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out sections 10 and 14. Mistake to look for in 12: rows put in order instead of columns. In 13: `x` not added, or a ReLU over the
# sum, which cuts the path. Exercise 14 is done at home, on everyone's own machine.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 14. Dix blocs, avec et sans le chemin
#
# $y = x + f(x)$ : un bloc ajoute une correction.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 14. Ten blocks, with and without the path
#
# $y = x + f(x)$: a block adds a correction.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot(height=3.3)
lines = (GREEN, "^-"), (VERMILION, "s--"), (BLUE, "o-")
for name, curve, (colour, line) in zip(names, curves, lines):
    axes.plot(range(10, 151, 10), curve, line, color=colour, label=name)
axes.set(xlabel=say("step", "pas"), ylabel=say("loss, in nats", "perte, en nats"))
axes.set_ylim(0, 2.6)
legend(axes, loc="lower left")
picture(figure, say("The loss of ten blocks without the path stays at chance; with "
                    "the path it falls, below that of a single block.",
                    "La perte de dix blocs sans le chemin reste au hasard ; avec "
                    "lui, elle tombe, plus bas que celle d'un seul bloc."))

# %% claims=true
one, without, with_path = (curve[-1] for curve in curves)
assert 2.2 < without < 2.4 and with_path < one < 2
assert abs(torch.tensor(10.0).log().item() - 2.30) < 0.01

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire parier. Sans le chemin, vingt convolutions restent à 2,30 : le hasard. Avec lui, les mêmes apprennent, mieux qu'un seul bloc.
# Demander pourquoi. (La pente revient par l'addition, sans s'user ; leçons 03 et 05.) C'est la même addition que dans un transformeur.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take bets. Without the path, twenty convolutions stay at 2.30: chance. With it the same ones learn, better than a single block. Ask why.
# (The slope comes back through the addition, and does not wear away; lessons 03 and 05.) It is the same addition as in a transformer.

# %% [markdown] lang="fr"
# Sans le chemin, la perte reste au niveau du hasard : à travers vingt couches, la pente s'est usée. Avec lui, les mêmes convolutions apprennent, et font
# mieux qu'un seul bloc. La pente revient par l'addition, intacte ; c'est la même addition que dans le transformeur de la [](lesson:05), et dans presque
# tous les réseaux de ce cours.

# %% [markdown] lang="fr"
# **Petit et bon.** Trouvez un réseau d'**au plus 2 000 poids** qui lise **au moins 82 %** des feuilles jamais vues (le MLP, avec trois fois
# plus de poids, n'y arrivait pas). Mettez-le, entraîné, dans `small`, et ce que rend `train` dans `losses_of_small` ; il est jugé sur
# `scattered[1400:]`, qu'il ne doit pas voir en apprenant.
#
# <details><summary>Un indice</summary>
#
# `SmallClassifier(1, 10, width=…)` : comptez ses poids, avec `count`, pour quelques largeurs.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Une largeur de 8, puis `train(small, scattered[:1400], classes[:1400])`. Si cela ne suffit pas, plus de pas (`steps=500`).
#
# </details>

# %% [markdown] lang="en"
# Without the path the loss stays at chance: through twenty layers the slope has worn away. With it the same convolutions learn, and do better than
# a single block. The slope comes back through the addition, whole; it is the same addition as in the transformer of [](lesson:05), and in nearly all
# the networks of this course.

# %% [markdown] lang="en"
# **Small and good.** Find a network of **at most 2,000 weights** that reads **at least 82%** of the sheets never seen (the MLP, with three
# times as many weights, did not). Put it, trained, into `small`, and what `train` returns into `losses_of_small`; it is judged on
# `scattered[1400:]`, which it must not see while learning.
#
# <details><summary>A hint</summary>
#
# `SmallClassifier(1, 10, width=…)`: count its weights, with `count`, for a few widths.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# A width of 8, then `train(small, scattered[:1400], classes[:1400])`. If that is not enough, more steps (`steps=500`).
#
# </details>

# %% level=3
torch.manual_seed(0)
small = SmallClassifier(1, 10, width=8)
losses_of_small = train(small, scattered[:1400], classes[:1400])

# %% scratch=true
count(SmallClassifier(1, 10, width=4))  # → 666

# %%
def small_and_good():
    if small is ...:
        return ...
    read = read_right(small, scattered[1400:], classes[1400:])
    print(count(small), say("weights, read:", "poids, lus :"), decimal(read), "%")
    return bool(count(small) <= 2000 and read >= 82)


expect(small_and_good, True, say("small and good enough", "assez petit et assez bon"))

# %% claims=true
assert max(rates["mlp"][0]) < 82 and count(new_mlp()) > 3 * 2000

# %% [markdown] lang="fr"
# ## 15. Quelle erreur est-ce ?
#
# Voici une convolution écrite par quelqu'un d'autre. Elle est fausse. Ne regardez pas son code : interrogez-la, avec le coin d'encre du
# papier et le noyau des bords gauches. Que donne-t-elle d'un seul canal ? de deux canaux, si l'encre est dans le second ? avec un pas de 2
# et une marge ? **Devinez** d'abord les trois cartes que donnerait une convolution juste ; comparez-les à celles qui sortent, puis
# répondez.

# %% [markdown] lang="en"
# ## 15. Which mistake is this?
#
# Here is a convolution that somebody else wrote. It is wrong. Do not look at its code: question it, with the corner of ink from the paper
# and the kernel of left edges. What does it give for a single channel? for two channels, if the ink is in the second? with a stride of 2
# and padding? **Guess** first the three maps that a right convolution would give; compare them with those that come out, then answer.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("convolution:conv2d_by_loops", "channels_kept_apart")
one_channel = corner[None, None]
in_the_second = torch.cat([torch.zeros_like(one_channel), one_channel], dim=1)
twice = slope.expand(1, 2, 3, 3)
asked_of = {say("one channel", "un canal"): mystery(one_channel, slope[None, None]),
            say("ink in the second", "encre dans le second"): mystery(in_the_second, twice),
            say("stride 2, padding 1", "pas de 2, marge de 1"):
                mystery(one_channel, slope[None, None], stride=2, padding=1)}

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 15. Quelle erreur est-ce ?
#
# Une convolution écrite par quelqu'un d'autre. Elle est fausse. Laquelle des trois cartes la trahit ?

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 15. Which mistake is this?
#
# A convolution that somebody else wrote. It is wrong. Which of the three maps gives it away?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 3, width=9, height=3)
for panel, (title, answer) in zip(panels, asked_of.items()):
    show_grid(panel, answer[0, 0], title, numbers=True, reach=5)
picture(figure, say("Three maps of the wrong convolution: for one channel, for ink in "
                    "the second channel, and with a stride and padding.",
                    "Trois cartes de la convolution fausse : pour un canal, pour de "
                    "l'encre dans le second, et avec un pas et une marge."))

# %% claims=true
assert torch.equal(mystery(one_channel, slope[None, None]), conv2d(one_channel, slope[None, None]))
assert mystery(in_the_second, twice).abs().max() == 0
assert conv2d(in_the_second, twice)[0, 0].tolist() == [[3, 3, 0], [2, 2, 0], [1, 1, 0]]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux minutes à deux, puis un vote. Un canal : juste. Un pas et une marge : juste. De l'encre dans le second canal : zéro partout, alors que les
# sommes devraient s'ajouter. Demander pourquoi un test sur des images grises ne l'aurait pas vu. (Il n'y a qu'un canal.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two minutes in pairs, then a vote. One channel: right. A stride and padding: right. Ink in the second channel: zero everywhere, although the
# sums should add up. Ask why a test on grey pictures would not have seen it. (There is only one channel.)

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz convolution"
# ## 16. Neuf questions
#
# **8 min.** Répondez seul, puis comparez à deux. Écrivez d'abord celle-ci : 12 pixels, un noyau de 3, un pas de 2, une marge de 1 : combien de
# places ?

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz convolution"
# ## 16. Nine questions
#
# **8 min.** Answer alone, then compare in pairs. Write this one first: 12 pixels, a kernel of 3, a stride of 2, a padding of 1: how many places?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Faire répondre dans le notebook, puis corriger les trois questions les plus manquées. La première, au tableau : (12 + 2 − 3) / 2 = 5,5, donc 5,
# plus 1 : 6. Le champ récepteur se refait de la sortie vers l'image : 3, puis 7, puis 15.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Let them answer in the notebook, then go over the three questions most often missed. The first on the board: (12 + 2 − 3) / 2 = 5.5, hence 5,
# plus 1: 6. The receptive field is worked out from the output to the picture: 3, then 7, then 15.

# %% [markdown] lang="fr"
# ## 16. Questions

# %% [markdown] lang="en"
# ## 16. Questions

# %% quiz="convolution"
quiz(
    Number(
        say("12 pixels, a kernel of 3, a stride of 2, a padding of 1: how many places?",
            "12 pixels, un noyau de 3, un pas de 2, une marge de 1 : combien de places ?"),
        right=6,
        why=say("(12 + 2 − 3) / 2 is 5.5, rounded down to 5, plus 1.", "(12 + 2 − 3) / 2 vaut 5,5, arrondi à 5, plus 1."),
        computed=lambda: conv_output_size(12, 3, 2, 1),
    ),
    Number(
        say("A picture of 5 × 5, a kernel of 3 × 3, a stride of 2, no padding: how many numbers does the map have?",
            "Une image de 5 × 5, un noyau de 3 × 3, un pas de 2, sans marge : combien de nombres a la carte ?"),
        right=4,
        why=say("(5 − 3) / 2 + 1 = 2 places along each side: 2 × 2.", "(5 − 3) / 2 + 1 = 2 places par côté : 2 × 2."),
        computed=lambda: conv_output_size(5, 3, 2) ** 2,
    ),
    Number(
        say("How many weights has a layer from 8 channels to 4, with kernels of 5 × 5, biases included?",
            "Combien de poids a une couche de 8 canaux vers 4, à noyaux de 5 × 5, biais compris ?"),
        right=804,
        why=say("Each of the 4 kernels has 8 × 25 weights and a bias: 4 × 201.", "Chacun des 4 noyaux a 8 × 25 poids et un biais : 4 × 201."),
        computed=lambda: sum(weight.numel() for weight in nn.Conv2d(8, 4, 5).parameters()),
    ),
    Number(
        say("Three layers of 3 × 3; the first two have a stride of 2, the last a stride of 1. How many pixels wide is the receptive field?",
            "Trois couches de 3 × 3 ; les deux premières ont un pas de 2, la dernière un pas de 1. Combien de pixels de côté a le champ récepteur ?"),
        right=15,
        why=say("From the output: 3, then (3 − 1) × 2 + 3 = 7, then (7 − 1) × 2 + 3 = 15.",
                "Depuis la sortie : 3, puis (3 − 1) × 2 + 3 = 7, puis (7 − 1) × 2 + 3 = 15."),
        computed=lambda: receptive_field([3, 3, 3], [2, 2, 1]),
    ),
    Choice(
        say("The picture is moved two pixels to the right. The map of a convolution of stride 1",
            "On déplace l'image de deux pixels vers la droite. La carte d'une convolution de pas 1"),
        [say("stays as it was", "reste comme elle était"), say("moves two pixels to the right too", "se déplace aussi de deux pixels vers la droite"),
         say("becomes quite different", "devient tout autre")],
        right=1,
        why=say("The same weights pass everywhere: equivariance.", "Les mêmes poids passent partout : c'est l'équivariance."),
        why_not=[
            say("That would be invariance: something must then forget where things were.",
                "Ce serait de l'invariance : il faudrait que quelque chose oublie où étaient les choses."),
            say("Every window finds the same pixels again, elsewhere.", "Chaque fenêtre retrouve les mêmes pixels, ailleurs."),
        ],
    ),
    Choice(
        say("All pixels are shuffled, in the same way for all pictures, before training. What reads as well as before?",
            "Tous les pixels sont mélangés, de la même façon pour toutes les images, avant l'entraînement. Qu'est-ce qui lit aussi bien qu'avant ?"),
        [say("the convolutional network", "le réseau convolutif"), say("the MLP", "le MLP"), say("neither", "ni l'un ni l'autre")],
        right=1,
        why=say("It has a weight for each pixel, wherever the pixel is.", "Il a un poids par pixel, où que soit le pixel."),
        why_not=[
            say("Its kernels look at neighbours, and neighbours no longer belong together.",
                "Ses noyaux regardent des voisins, et les voisins ne vont plus ensemble."),
            say("One of them was never told which pixels are neighbours.", "À l'un des deux, personne n'a jamais dit quels pixels étaient voisins."),
        ],
    ),
    Choice(
        say("What does a max pooling layer learn?", "Qu'apprend une couche de max pooling ?"),
        [say("which places matter", "quelles places comptent"), say("one weight for each channel", "un poids par canal"), say("nothing", "rien")],
        right=2,
        why=say("It has no weights; what it is given is learned by the layers before it.",
                "Elle n'a aucun poids ; ce qu'on lui donne est appris par les couches d'avant."),
        why_not=[
            say("It takes the largest, wherever it is, by a rule that never changes.", "Elle prend le plus grand, où qu'il soit, par une règle qui ne change jamais."),
            say("Count its parameters in PyTorch.", "Comptez ses paramètres dans PyTorch."),
        ],
    ),
    Choice(
        say("A convolution of 3 × 3, stride 1, padding 1, goes from 16 channels to 32. What becomes of the number of numbers?",
            "Une convolution de 3 × 3, de pas 1 et de marge 1, va de 16 canaux à 32. Que devient le nombre de nombres ?"),
        [say("it doubles", "il double"), say("it is halved", "il est divisé par deux"), say("it stays", "il ne change pas")],
        right=0,
        why=say("The map keeps its size, and there are twice as many: a convolution does not reduce by itself.",
                "Les cartes gardent leur taille, et il y en a deux fois plus : une convolution ne réduit pas d'elle-même."),
        why_not=[
            say("That would take a stride or a pooling.", "Il y faudrait un pas, ou un pooling."),
            say("The size stays; but count the channels.", "La taille ne change pas ; mais comptez les canaux."),
        ],
    ),
    Choice(
        say("Why does the last convolution of a residual block begin at zero?", "Pourquoi la dernière convolution d'un bloc résiduel commence-t-elle à zéro ?"),
        [say("so that the stack begins as the identity", "pour que la pile commence par être l'identité"),
         say("to save memory", "pour épargner de la mémoire"), say("because the ReLU needs it", "parce que la ReLU le demande")],
        right=0,
        why=say("Each block adds nothing at first; the input and the slope go straight through.",
                "Chaque bloc n'ajoute d'abord rien ; l'entrée et la pente passent tout droit."),
        why_not=[
            say("A zero takes as much room as another number.", "Un zéro prend autant de place qu'un autre nombre."),
            say("A ReLU takes any number; look at what the block adds to its input.", "Une ReLU accepte tout nombre ; voyez ce que le bloc ajoute à son entrée."),
        ],
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Une petite fenêtre, les mêmes poids partout.
# - Boucles, produit ou matrice : un seul calcul.
# - Le pas et le pooling réduisent.
# - La carte suit l'image : équivariance.
# - Tout repose sur le voisinage.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - A small window, the same weights everywhere.
# - Loops, product or matrix: one computation.
# - Stride and pooling reduce.
# - The map follows the picture: equivariance.
# - All rests on the neighbourhood.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 8 et 14. La leçon 06 remontera vers les pixels, par
# la transposée de la matrice de la section 6.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: finish exercises 8 and 14. Lesson 06 goes back up to pixels, by the transpose of
# the matrix of section 6.

# %% [markdown] lang="fr"
# ## À retenir
#
# - Une convolution fait glisser une petite fenêtre, avec les mêmes poids partout : une recherche de motif.
# - La taille de sortie : $\lfloor (n + 2p - k) / s \rfloor + 1$. Avec une marge, la convolution ne réduit rien ; le pas et le pooling, si.
# - Un noyau a des poids pour chaque canal ; autant de noyaux, autant de cartes.
# - Boucles, produit de matrices, grande matrice : trois écritures du même calcul. C'est une couche dense à qui l'on a dit deux choses.
# - Le champ récepteur se compte de la sortie vers l'image ; le champ utile est plus petit.
# - La convolution est équivariante ; l'invariance vient de ce qui oublie la place.
# - Réduire, décider, restaurer : les trois phases des réseaux à images.
# - Mélangez les pixels, et l'avantage disparaît : il venait d'une hypothèse sur le voisinage.
# - Un chemin résiduel laisse passer la pente : on peut empiler.

# %% [markdown] lang="en"
# ## Take-aways
#
# - A convolution slides a small window, with the same weights everywhere: a search for a pattern.
# - The size of an output: $\lfloor (n + 2p - k) / s \rfloor + 1$. With padding a convolution reduces nothing; stride and pooling do.
# - A kernel has weights for each channel; as many kernels, as many maps.
# - Loops, product of matrices, big matrix: three ways to write one computation. It is a dense layer that was told two things.
# - The receptive field is counted from the output to the picture; the effective field is smaller.
# - Convolution is equivariant; invariance comes from what forgets the place.
# - Reduce, decide, restore: the three phases of picture networks.
# - Shuffle the pixels, and the advantage is gone: it came from a hypothesis about neighbourhood.
# - A residual path lets the slope through: one can stack.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:06) prend la transposée de la grande matrice et remonte vers les pixels, pour colorier chaque objet d'une scène. Les leçons
# [07](lesson:07) et [08](lesson:08) réduisent une image à quelques nombres, puis à des mots ; la [](lesson:12) met images et phrases dans un même espace.
# D'ici là : remplacez le noyau de 3 × 3 par un de 5 × 5 à la [](#who-notices) ; qui y gagne ? Et que donne le bouton de la
# [](#a-knob-shuffle-a-little) ?
#
# ## Sources
#
# - Y. LeCun et al., [*Backpropagation applied to handwritten zip code recognition*](work:lecun1989), 1989 ; [*Gradient-based learning applied to
#   document recognition*](work:lecun1998), 1998.
# - V. Dumoulin et F. Visin, [*A guide to convolution arithmetic for deep learning*](work:dumoulin2016), 2016.
# - M. Zeiler et R. Fergus, [*Visualizing and understanding convolutional networks*](work:zeiler2014), 2014.
# - J. Springenberg et al., [*Striving for simplicity: the all convolutional net*](work:springenberg2015), 2015.
# - K. He et al., [*Deep residual learning for image recognition*](work:he2016), 2016.
# - W. Luo et al., [*Understanding the effective receptive field in deep convolutional neural networks*](work:luo2016), 2016.
# - E. Alpaydin et C. Kaynak, [*Optical recognition of handwritten digits*](work:alpaydin1998), 1998 (les chiffres de scikit-learn).

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:06) takes the transpose of the big matrix and goes back up to pixels, to colour each object of a scene. Lessons [07](lesson:07) and
# [08](lesson:08) bring a picture down to a few numbers, then to words; [](lesson:12) puts pictures and sentences into one space. Until then: replace
# the kernel of 3 × 3 by one of 5 × 5 in [](#who-notices); who gains by it? And what does the knob of [](#a-knob-shuffle-a-little) give?
#
# ## Sources
#
# - Y. LeCun and others, [*Backpropagation applied to handwritten zip code recognition*](work:lecun1989), 1989; [*Gradient-based learning applied to
#   document recognition*](work:lecun1998), 1998.
# - V. Dumoulin and F. Visin, [*A guide to convolution arithmetic for deep learning*](work:dumoulin2016), 2016.
# - M. Zeiler and R. Fergus, [*Visualizing and understanding convolutional networks*](work:zeiler2014), 2014.
# - J. Springenberg and others, [*Striving for simplicity: the all convolutional net*](work:springenberg2015), 2015.
# - K. He and others, [*Deep residual learning for image recognition*](work:he2016), 2016.
# - W. Luo and others, [*Understanding the effective receptive field in deep convolutional neural networks*](work:luo2016), 2016.
# - E. Alpaydin and C. Kaynak, [*Optical recognition of handwritten digits*](work:alpaydin1998), 1998 (scikit-learn's digits).
