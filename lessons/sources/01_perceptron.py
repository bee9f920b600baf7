# ---
# jupyter:
#   lesson:
#     number: "01"
#     hours: [2.5, 1, 1, 1.5]
#     session: 240
#     title: {en: "From one neuron to backpropagation", fr: "D'un neurone à la rétropropagation"}
# ---

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Quelle règle dit « c'est un 3 » et jamais « c'est un 8 » ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Cacher la moitié gauche et laisser chercher une règle sur les seuls nombres, par deux. Noter une ou deux règles au tableau : on les
# jugera sur de vrais chiffres. Demander ce qu'elles deviennent si le trait glisse d'un pixel. (Elles cèdent.) Personne n'écrira la règle :
# des neurones la trouveront.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Which rule says "it is a 3", and never "it is an 8"?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Hide the left half, and let pairs look for a rule on the numbers alone. Write one or two rules on the board: they will be judged on
# real digits. Ask what becomes of them if the stroke moves by one pixel. (They break.) Nobody will write the rule: neurons will find it.

# %% [markdown] lang="fr"
# ## Une image, soixante-quatre nombres
#
# Voici un chiffre écrit à la main. À gauche, vous le lisez sans effort. À droite, la même image telle qu'une machine la reçoit : 64 nombres,
# de 0 pour le noir à 16 pour le blanc.
#
# **Avant de continuer, écrivez une règle** qui, à partir des seuls nombres, dise « c'est un 3 » et jamais « c'est un 8 ».

# %% [markdown] lang="en"
# ## A picture, sixty-four numbers
#
# Here is a digit written by hand. On the left you read it without effort. On the right is the same picture as a machine is given it: 64
# numbers, from 0 for black to 16 for white.
#
# **Before you go on, write a rule** that, from the numbers alone, says "it is a 3", and never "it is an 8".

# %% slide="fragment" tags=["hide-input"]
from dalle_edu.classroom.diagrams.perceptron import draw_pixels
from dalle_edu.datasets.digits import digits

images, classes = digits()
draw_pixels(8 * images[918, 0].numpy() + 8)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ## Ce que vous saurez faire
#
# - Voir un **neurone** comme une droite, et le laisser se corriger.
# - Prouver ce qu'aucun neurone seul ne calcule.
# - Écrire un réseau et ses **gradients**, à la main.
# - Lui apprendre à lire des chiffres.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Trois séances de 80 minutes environ : la première finit sur le « ou exclusif », la deuxième sur la chaîne de la rétropropagation.
# Demander qui a déjà dérivé une fonction composée, qui a déjà multiplié deux matrices. Un exercice laissé n'arrête personne : la
# bibliothèque met sa version à la place.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ## What you will be able to do
#
# - See a **neuron** as a line, and let it correct itself.
# - Prove what no single neuron computes.
# - Write a network and its **gradients** by hand.
# - Teach it to read digits.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Three sessions of about 80 minutes: the first ends with the exclusive or, the second with the chain of backpropagation. Ask who has
# differentiated a composed function before, and who has multiplied two matrices. An exercise left out stops nobody: the library puts in its
# own version.

# %% [markdown] lang="fr"
# Et si le trait est plus épais, penché, décalé d'un pixel ? Une règle écrite à la main cède vite. Dans cette leçon, personne n'écrit la
# règle. Nous construisons une pièce très simple, le **neurone**, qui corrige ses erreurs ; puis nous en montons des rangées. À la
# [](#real-digits), cinquante-huit neurones liront ce chiffre, et des centaines d'autres qu'ils n'auront jamais vus. Toutes les machines de
# ce cours, DALL·E compris, sont faites de cette pièce.
#
# **À la fin de cette leçon, vous saurez**
#
# - écrire un neurone et le voir comme une droite qui coupe le plan ;
# - le laisser apprendre de ses erreurs, et compter ses corrections ;
# - prouver qu'aucun neurone seul ne calcule le « ou exclusif » ;
# - écrire un réseau à plusieurs couches et ses gradients, à la main, en NumPy ;
# - lui apprendre à lire des chiffres, puis récrire le même réseau en PyTorch.
#
# **Il faut** un peu de Python et de NumPy, et savoir ce que sont une dérivée, un produit scalaire et un produit de matrices.
#
# **Si vous avez moins de six heures**, lisez tout et ne faites que les exercices ● : trois heures et demie. À la place de chaque exercice
# que vous laissez, la bibliothèque met sa propre version, et la suite fonctionne. On peut aussi sauter, la première fois, « Combien de
# corrections ? » ([](#the-neuron-learns)) et les sections [9](#the-same-network-in-pytorch) à [11](#which-mistake-is-this).
#
# Sous chaque exercice, une cellule d'essai donne un exemple d'appel et, derrière la flèche →, la valeur attendue. La cellule d'après
# vérifie : ✓ c'est juste, … pas encore fait, ✗ à revoir.

# %% [markdown] lang="en"
# And if the stroke is thicker, slanted, shifted by one pixel? A rule written by hand soon breaks. In this lesson nobody writes the rule. We
# build a very simple part, the **neuron**, which corrects its own mistakes; then we put rows of them together. In [](#real-digits)
# fifty-eight neurons will read this digit, and hundreds of others that they have never seen. Every machine of this course, DALL·E included,
# is made of this part.
#
# **By the end of this lesson you will be able to**
#
# - write a neuron, and see it as a line that cuts the plane;
# - let it learn from its mistakes, and count its corrections;
# - prove that no single neuron computes the exclusive or;
# - write a network of several layers and its gradients, by hand, in NumPy;
# - teach it to read digits, then write the same network again in PyTorch.
#
# **You need** a little Python and NumPy, and to know what a derivative, a dot product and a product of matrices are.
#
# **If you have less than six hours**, read everything and do the exercises marked ● only: three and a half hours. For each exercise that
# you leave out, the library puts in its own version, and all that follows works. The first time you may also skip "How many corrections?"
# ([](#the-neuron-learns)) and sections [9](#the-same-network-in-pytorch) to [11](#which-mistake-is-this).
#
# Under each exercise a scratch cell gives an example call and, after the arrow →, the value to expect. The cell after it checks: ✓ it is
# right, … not done yet, ✗ look again.

# %%
import numpy as np
import torch
from torch import nn

from dalle_edu.bricks import mlp
from dalle_edu.bricks.mlp import mean_squared_error, relu_interpolation
from dalle_edu.bricks.perceptron import GATES, gate, novikoff_bound, xor
from dalle_edu.classroom.diagrams import perceptron as diagrams
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLUE, COLOURS, ORANGE, VERMILION
from dalle_edu.classroom.figures import legend, picture, plot
from dalle_edu.classroom.suspect import suspect
from dalle_edu.classroom.widgets.boundary import (
    boundary_explorer,
    corrections_explorer,
)
from dalle_edu.language import decimal

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un neurone additionne des voix
#
# Beau temps, un ami, pas de devoir : sort-on ? Oui si, **poids** $w$ et **biais** $b$, $w_1 x_1 + \dots + w_d x_d + b \ge 0$.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire voter la salle avant l'image : trois volontaires, une voix qui compte double, une simple, une trois fois contre. Et s'il y a
# un devoir ? (La somme est −1,5 : non.) Quel biais ferait sortir toujours ? (Au moins 3, pour les soirs où seul le devoir se lève.) Puis
# lire la formule.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A neuron adds up votes
#
# Fine weather, a friend, no homework: do we go out? Yes if, with **weights** $w$ and **bias** $b$, $w_1 x_1 + \dots + w_d x_d + b \ge 0$.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let the room vote before the picture: three volunteers, one vote that counts double, one simple, one three times against. And if
# there is homework? (The sum is −1.5: no.) Which bias would make us go out always? (3 at least, for evenings when homework alone stands
# up.) Then read the formula.

# %% [markdown] lang="fr"
# ## 1. Un neurone vote
#
# Sortir ce soir ? Un jury de trois voix décide, et toutes ne se valent pas. « Il fait beau » compte double. « Un ami vient » compte une
# fois. « Un devoir à rendre » compte trois fois, mais contre. On additionne les voix de ceux qui se lèvent ; si le total atteint un seuil de
# 1,5, c'est oui.
#
# Ce soir il fait beau, un ami vient, et il n'y a pas de devoir :

# %% [markdown] lang="en"
# ## 1. A neuron votes
#
# Go out tonight? A jury of three votes decides, and not all are worth the same. "The weather is fine" counts double. "A friend comes"
# counts once. "Homework is due" counts three times, but against. Add up the votes of those who stand up; if the total reaches a threshold
# of 1.5, it is a yes.
#
# Tonight the weather is fine, a friend comes, and there is no homework:

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
diagrams.draw_neuron(
    names=[
        say("the weather is fine", "il fait beau"),
        say("a friend comes", "un ami vient"),
        say("homework is due", "un devoir à rendre"),
    ],
    inputs=[1, 1, 0],
    weights=[2, 1, -3],
    bias=-1.5,
)

# %% [markdown] lang="fr"
# Lisez de gauche à droite : $1 \times 2 + 1 \times 1 + 0 \times (-3) - 1{,}5 = 1{,}5$. La somme n'est pas négative : oui, on sort. Le seuil
# est passé de l'autre côté avec un signe moins : au lieu de demander « le total atteint-il 1,5 ? », on demande « le total moins 1,5 est-il
# au moins zéro ? ».
#
# Un **neurone** est cela, et rien de plus. Il reçoit des nombres $x_1, \dots, x_d$, les **entrées**. Chacun est multiplié par son **poids**
# $w_i$. Le **biais** $b$ dit combien le neurone penche d'avance vers le oui : ici, $-1{,}5$. La réponse $y$ vaut 1 pour oui, 0 pour non.

# %% [markdown] lang="en"
# Read it from left to right: $1 \times 2 + 1 \times 1 + 0 \times (-3) - 1.5 = 1.5$. The sum is not negative: yes, we go out. The threshold
# has moved to the other side with a minus sign: rather than "does the total reach 1.5?", we ask "is the total less 1.5 at least zero?".
#
# A **neuron** is that, and no more. It is given numbers $x_1, \dots, x_d$, its **inputs**. Each is multiplied by its **weight** $w_i$. The
# **bias** $b$ says how far the neuron leans towards yes beforehand: here, $-1.5$. The answer $y$ is 1 for yes, 0 for no.

# %% [markdown]
# $$ y = \begin{cases} 1 & w_1 x_1 + \dots + w_d x_d + b \ge 0 \\ 0 & w_1 x_1 + \dots + w_d x_d + b < 0 \end{cases} $$

# %% [markdown] lang="fr"
# Le même calcul en NumPy : `inputs @ weights` multiplie terme à terme et additionne. **Avant de lancer la cellule, écrivez les deux
# sommes** : celle de ce soir, puis celle d'un soir où il y a aussi un devoir.

# %% [markdown] lang="en"
# The same in NumPy: `inputs @ weights` multiplies term by term and adds up. **Before you run the cell, write down the two sums**: that of
# tonight, then that of an evening with homework, too.

# %%
weights = np.array([2.0, 1.0, -3.0])
bias = -1.5
without = np.array([1, 1, 0]) @ weights + bias
with_homework = np.array([1, 1, 1]) @ weights + bias
print(say("without homework:", "sans devoir :"), decimal(without))
print(say("with homework:", "avec devoir :"), decimal(with_homework))

# %% claims=true
assert without == 1.5 and with_homework == -1.5

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-2"
# ## Exercices 1 et 2 : la marche, puis le neurone
#
# **10 min**, par deux, au clavier.
#
# - **1** ● `step` : 1 à partir de zéro, 0 au-dessous.
# - **2** ● `neuron` : une réponse par ligne de `x`.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 10 min. Distribuer le notebook ; montrer une fois la cellule d'essai et celle qui vérifie. Erreurs à guetter : `z > 0` au lieu de
# `z >= 0`, une boucle là où `np.where` suffit, le biais oublié, `weights @ x` à l'envers. Qui a fini cherche des poids qui font toujours
# répondre non.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-2"
# ## Exercises 1 and 2: the step, then the neuron
#
# **10 min**, in pairs, at the keyboard.
#
# - **1** ● `step`: 1 from zero upwards, 0 below.
# - **2** ● `neuron`: one answer for each row of `x`.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 10 min. Hand out the notebook; show the scratch cell and the one that checks, once. Mistakes to look for: `z > 0` for `z >= 0`, a loop
# where `np.where` is enough, the bias forgotten, `weights @ x` the wrong way round. Who has finished looks for weights that always answer
# no.

# %% [markdown] lang="fr"
# Le devoir retire 3 : la somme tombe à −1,5, et la réponse devient non. Une seule voix assez forte renverse deux autres.

# %% [markdown] lang="fr"
# À vous d'écrire la décision : 1 à partir de zéro, 0 au-dessous. On l'appelle la **fonction marche** (*step*), à cause de la forme de sa
# courbe. Écrivez-la pour un tableau entier d'un coup : `np.where(condition, a, b)` prend `a` là où la condition est vraie, `b` ailleurs.
#
# Dans les exercices, l'en-tête de la fonction dit ce qui entre et ce qui sort. `Real[ndarray, "*n"]` se lit « un tableau NumPy de nombres,
# d'une forme quelconque » ; après la flèche, `Float[ndarray, "*n"]`, « un tableau de nombres à virgule, de la même forme ». Plus loin,
# `"n d"` voudra dire n lignes et d colonnes. C'est une note pour le lecteur : Python n'en tient pas compte.
#
# <details><summary>Un indice</summary>La condition est `z >= 0` : NumPy compare tous les nombres du tableau à la fois. Les deux valeurs
# à choisir sont 1.0 et 0.0.</details>

# %% [markdown] lang="en"
# Homework takes away 3: the sum falls to −1.5, and the answer becomes no. One vote that is strong enough overturns two others.

# %% [markdown] lang="en"
# Now write the decision: 1 from zero upwards, 0 below. It is called the **step function**, after the shape of its curve. Write it for a
# whole array at once: `np.where(condition, a, b)` takes `a` where the condition is true, `b` elsewhere.
#
# In the exercises a function's first line says what goes in and what comes out. `Real[ndarray, "*n"]` reads "a NumPy array of numbers, of
# any shape"; after the arrow, `Float[ndarray, "*n"]`, "an array of floating-point numbers, of the same shape". Later on, `"n d"` will mean
# n rows and d columns. It is a note to the reader: Python takes no notice of it.
#
# <details><summary>A hint</summary>The condition is `z >= 0`: NumPy compares all the numbers of the array at once. The two values to choose
# from are 1.0 and 0.0.</details>

# %% implements="perceptron:step" level=1
"""La fonction marche : 1 là où z >= 0, 0 ailleurs.

Comme activation, 1 signifie que le neurone s'active (Rosenblatt 1958).
"""

# %% scratch=true
step(np.array([-1.0, 0.0, 2.0]))  # → array([0., 1., 1.])

# %% [markdown] lang="fr"
# Puis le neurone entier. `x` contient $n$ exemples, un par ligne, et chaque exemple a $d$ nombres. Il n'y a qu'une liste de $d$ poids, car
# c'est un seul neurone. Rendez une réponse par exemple : $n$ nombres.
#
# Pas besoin de boucle : si `x` a plusieurs lignes, `x @ weights` fait la somme pondérée de chacune.
#
# <details><summary>Un indice</summary>La décision est déjà écrite : c'est `step`. Il reste à lui donner les bonnes sommes, biais
# compris.</details>

# %% [markdown] lang="en"
# Then the whole neuron. `x` holds $n$ examples, one per row, and each example has $d$ numbers. There is a single list of $d$ weights, for it
# is a single neuron. Return one answer for each example: $n$ numbers.
#
# There is no need of a loop: if `x` has several rows, `x @ weights` does the weighted sum of each.
#
# <details><summary>A hint</summary>The decision is written already: it is `step`. What remains is to give it the right sums, bias
# included.</details>

# %% implements="perceptron:neuron" level=1
"""Un neurone : 1 là où x · weights + bias n'est pas négatif, 0 ailleurs."""

# %% scratch=true
neuron(np.array([[1, 1, 0], [1, 1, 1]]), np.array([2.0, 1.0, -3.0]), -1.5)
# → array([1., 0.])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Où va la droite quand le biais augmente ?
#
# Les **poids** : une flèche vers le oui.
#
# Puis cherchez un réglage sans faute.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire répondre avant de toucher au réglage. (La droite recule, contre la flèche : le côté du oui grandit.) Chercher ensemble un
# réglage sans faute : 30° ou 60°, biais −1. Y a-t-il d'autres droites ? (Une infinité : ces nuages sont linéairement séparables.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Where does the line go when the bias grows?
#
# The **weights**: an arrow towards yes.
#
# Then look for a setting without a mistake.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them answer before you touch the knob. (The line retreats, against the arrow: the side of yes grows.) Look together for a
# setting without a mistake: 30° or 60°, bias −1. Are there other lines? (Infinitely many: these clouds are linearly separable.)

# %% [markdown] lang="fr"
# ### Un neurone est une droite
#
# Avec deux entrées, chaque exemple est un point du plan. Les points où la somme vaut exactement zéro forment une droite : d'un côté le
# neurone s'active, de l'autre il se tait. Les poids sont une flèche perpendiculaire à cette droite, tournée vers le côté du oui. Le biais
# pousse la droite le long de la flèche.
#
# Voici deux nuages de trente points au hasard. Le générateur `np.random.default_rng(22)` part d'une **graine**, 22, et tire donc les mêmes
# chaque fois. Le neurone doit dire oui aux ronds et non aux triangles. **Avant de toucher aux réglages, dites** dans quel sens partira la
# droite si le biais augmente. Puis cherchez un réglage sans une seule faute.

# %% [markdown] lang="en"
# ### A neuron is a line
#
# With two inputs, each example is a point of the plane. The points where the sum is exactly zero form a line: on one side the neuron fires,
# on the other it stays silent. The weights are an arrow at right angles to that line, which points to the side of yes. The bias pushes the
# line along the arrow.
#
# Here are two clouds of thirty random points. The generator `np.random.default_rng(22)` starts from a **seed**, 22, so it gives the same
# ones every time. The neuron should say yes to the circles and no to the triangles. **Before you touch the knobs, say** which way the line
# will go if the bias grows. Then look for a setting without a single mistake.

# %% slide="fragment" tags=["output-only-slide"]
generator = np.random.default_rng(22)
circles = generator.normal((1.6, 1.3), 0.45, (30, 2))
triangles = generator.normal((0.2, -0.3), 0.45, (30, 2))
clouds = np.concatenate([circles, triangles])
labels = np.repeat([1, -1], 30)
boundary_explorer(clouds, labels)

# %% claims=true
def mistakes_at(degrees, bias):
    direction = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    return int(((neuron(clouds, direction, bias) == 1) != (labels == 1)).sum())


faultless = [(d, b) for d in range(0, 360, 30) for b in range(-2, 2) if mistakes_at(d, b) == 0]
assert faultless == [(30, -1), (60, -1)]

# %% [markdown] lang="fr"
# Un biais plus grand fait reculer la droite, contre la flèche : le côté du oui s'agrandit. Deux réglages ne font aucune faute : 30° et
# 60°, avec un biais de −1. Bien d'autres droites sépareraient ces nuages ; on dit qu'ils sont **linéairement séparables**.

# %% [markdown] lang="en"
# A larger bias makes the line retreat, against the arrow: the side of yes grows. Two settings make no mistake: 30° and 60°, with a bias of
# −1. Many other lines would separate these clouds; they are called **linearly separable**.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Une porte logique est une droite entre quatre coins
#
# Deux entrées, 0 ou 1. Si « et » a le biais −1,5, quel est celui de « ou » ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. [](work:mcculloch1943). Pour « et », une voix seule ne suffit pas. Faire deviner le biais de « ou » avant l'image (−0,5), puis
# les nombres de « non », à une entrée (poids −1, biais 0,5). Quelle porte manque ? (Le « ou exclusif » : ne pas répondre encore.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A logic gate is a line between four corners
#
# Two inputs, 0 or 1. If "and" has the bias −1.5, which has "or"?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. [](work:mcculloch1943). For "and", one vote alone is not enough. Have them guess the bias of "or" before the picture (−0.5),
# then the numbers of "not", with one input (weight −1, bias 0.5). Which gate is missing? (The exclusive or: do not answer yet.)

# %% [markdown] lang="fr"
# ### Des portes logiques
#
# [McCulloch et Pitts](work:mcculloch1943) l'ont montré dès 1943 : quand les entrées valent 0 ou 1, un neurone peut être une porte logique.
# Pour « et » (`and`), les deux voix ensemble doivent atteindre le seuil, et une seule ne doit pas y suffire : des poids 1 et 1 et un biais
# de −1,5 conviennent. **Devinez** quel biais donne « ou » (`or`) avec les mêmes poids, et comment un neurone à une seule entrée dit
# « non ».
#
# La table `GATES` contient les poids et le biais de chaque porte ; les quatre coins passent dans l'ordre 00, 01, 10, 11.

# %% [markdown] lang="en"
# ### Logic gates
#
# [McCulloch and Pitts](work:mcculloch1943) showed it as early as 1943: when the inputs are 0 or 1, a neuron can be a logic gate. For "and",
# the two votes together must reach the threshold, and one alone must not: weights 1 and 1 and a bias of −1.5 will do. **Guess** which bias
# gives "or" with the same weights, and how a neuron with a single input says "not".
#
# The table `GATES` holds the weights and the bias of each gate; the four corners come in the order 00, 01, 10, 11.

# %%
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
for name in ("and", "or", "nand"):
    print(f"{name:5} {GATES[name]}  ->", gate(name, corners))
print(f"not   {GATES['not']}  ->", gate("not", np.array([[0], [1]])))

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
def draw_corners(axes, values, title):
    for value, colour, marker in ((1, ORANGE, "o"), (0, BLUE, "^")):
        places = corners[np.asarray(values) == value]
        axes.scatter(*places.T, s=120, color=colour, marker=marker, zorder=3)
    axes.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), aspect="equal", xticks=[0, 1], yticks=[0, 1])
    axes.set_title(title, fontsize=14)


figure, panels = plot(1, 3, width=7.6, height=3.1)
edge = np.array([-0.4, 1.4])
for axes, name, title in zip(panels, ("and", "or", "nand"), (say("and, bias", "et, biais"), say("or, bias", "ou, biais"), say("nand, bias", "nand, biais"))):
    (first, second), shift = GATES[name]
    border = -(first * edge + shift) / second
    axes.plot(edge, border, color="black")
    axes.fill_between(edge, border, 1.4 if second > 0 else -0.4, color=ORANGE, alpha=0.2)
    draw_corners(axes, gate(name, corners), title + f" {shift:+g}".replace("-", "−"))
picture(figure, say("Three gates as lines between the corners 00, 01, 10 and 11, with their biases.",
                    "Trois portes, en droites entre les coins 00, 01, 10 et 11, avec leurs biais."))

# %% claims=true
assert GATES["or"] == ((1.0, 1.0), -0.5) and GATES["not"] == ((-1.0,), 0.5)
assert gate("or", corners).tolist() == [0, 1, 1, 1] and gate("not", np.array([[0], [1]])).tolist() == [1, 0]
assert (gate("nand", corners) == 1 - gate("and", corners)).all()
assert GATES["nand"] == (tuple(-weight for weight in GATES["and"][0]), -GATES["and"][1])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 3"
# ## Exercice 3 : « a implique b »
#
# **5 min**, seul, sur papier puis au clavier.
#
# - **3** ● 0 si a = 1 et b = 0, sinon 1. Trouvez deux poids et un biais ; plusieurs réponses conviennent.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Une feuille par personne : y écrire d'abord les quatre sommes, pour 00, 01, 10, 11, et leurs signes. Une réponse : poids −1 et 1,
# biais 0,5. Erreurs à guetter : a et b échangés, une somme nulle prise pour un non. Comparer deux réponses différentes au tableau.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 3"
# ## Exercise 3: "a implies b"
#
# **5 min**, alone, on paper, then at the keyboard.
#
# - **3** ● 0 if a = 1 and b = 0, else 1. Find two weights and a bias; several answers will do.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. A sheet of paper each: first write the four sums, for 00, 01, 10, 11, and their signs. One answer: weights −1 and 1, bias 0.5.
# Mistakes to look for: a and b swapped, a sum of zero taken for a no. Compare two different answers on the board.

# %% [markdown] lang="fr"
# Chaque ligne donne les poids, le biais, puis les réponses. Pour « ou », un seuil de 0,5 suffit : une seule voix y arrive. « Non » (`not`)
# n'a qu'une entrée, qui vote contre : 0 devient 1, et 1 devient 0. Quant à `nand`, il répond le contraire de `and`, avec les mêmes nombres
# changés de signe.

# %% [markdown] lang="fr"
# Trouvez vous-même les poids et le biais de « a implique b », qui ne vaut 0 que si a vaut 1 et b vaut 0. Il y a deux poids, dans une liste,
# et un biais ; plusieurs réponses conviennent.
#
# <details><summary>Un indice</summary>Laquelle des deux entrées vote contre ? Les sommes voulues, pour 00, 01, 10, 11, sont : au moins 0,
# au moins 0, négative, au moins 0. La première est le biais seul.</details>

# %% [markdown] lang="en"
# Each line gives the weights, the bias, then the answers. For "or" a threshold of 0.5 is enough: a single vote reaches it. "Not" has one
# input, which votes against: 0 becomes 1, and 1 becomes 0. As for `nand`, it answers the opposite of `and`, with the same numbers, their
# signs changed.

# %% [markdown] lang="en"
# Find the weights and the bias of "a implies b" yourself: it is 0 only when a is 1 and b is 0. There are two weights, in a list, and a
# bias; several answers will do.
#
# <details><summary>A hint</summary>Which of the two inputs votes against? The sums you want, for 00, 01, 10, 11, are: at least 0, at least
# 0, negative, at least 0. The first is the bias alone.</details>

# %% level=1
implies_weights = [-1.0, 1.0]
implies_bias = 0.5

# %% scratch=true
neuron(corners, np.array(implies_weights), implies_bias)
# → array([1., 1., 0., 1.])

# %%
def table():
    if implies_weights is ... or implies_bias is ...:
        return ...
    return neuron(corners, np.array(implies_weights), implies_bias)


expect(table, [1, 1, 0, 1], say("the table of “a implies b”", "la table de « a implique b »"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Il se trompe ? On ajoute l'exemple aux poids
#
# Avec le signe de la bonne réponse, $y = \pm 1$.
#
# $(2, 1)$ : oui. $(1, 2)$ : non.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Partir de zéro et faire à la main, avec la salle, les quatre lignes du tableau de la leçon : deux corrections, poids (1, −1), biais
# 0. Pourquoi zéro compte-t-il comme une erreur ? (Sinon les poids, nuls, ne bougeraient jamais.) Puis suivre les deux droites dans l'image.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Wrong? Add the example to the weights
#
# With the sign of the right answer, $y = \pm 1$.
#
# $(2, 1)$: yes. $(1, 2)$: no.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Start from zero and do the four rows of the lesson's table by hand, with the room: two corrections, weights (1, −1), bias 0. Why
# does zero count as a mistake? (Otherwise the weights, all zero, would never move.) Then follow the two lines in the picture.

# %% [markdown] lang="fr"
# ## 2. Le neurone apprend
#
# Placer la droite à la main ne mène pas loin : avec 64 entrées, il y a 64 poids à régler, et plus rien à voir. Le neurone doit se corriger
# lui-même. Frank Rosenblatt présente son **perceptron**, une machine qui apprend, en [1958](work:rosenblatt1958) ; la règle que voici, la
# correction d'erreur, est celle de ses travaux de [1960](work:rosenblatt1960) à [1962](work:rosenblatt1962). On montre un exemple au
# neurone. S'il a raison, on ne touche à rien. S'il a tort, on ajoute l'exemple à ses poids, avec le signe de la bonne réponse.
#
# La bonne réponse, ou **étiquette** $y$, vaut maintenant $+1$ pour oui et $-1$ pour non. Le biais est rangé avec les poids : c'est le poids
# d'une entrée de plus, qui vaut toujours 1. Un neurone à deux entrées est donc une liste de trois nombres.
#
# Deux exemples, (2, 1) pour oui et (1, 2) pour non, et un neurone qui part de zéro :
#
# | exemple, avec son 1 | étiquette $y$ | somme | $y$ × somme | correction | poids, puis biais |
# |---|---|---|---|---|---|
# | (2, 1, 1) | +1 | 0 | 0 | + (2, 1, 1) | (2, 1, 1) |
# | (1, 2, 1) | −1 | 2 + 2 + 1 = 5 | −5 | − (1, 2, 1) | (1, −1, 0) |
# | (2, 1, 1) | +1 | 2 − 1 = 1 | 1 | aucune | (1, −1, 0) |
# | (1, 2, 1) | −1 | 1 − 2 = −1 | 1 | aucune | (1, −1, 0) |
#
# L'étiquette fois la somme est positive quand le neurone a raison. À la première ligne elle vaut zéro : l'exemple est sur la droite, et
# cela compte comme une erreur ; sinon, partis de zéro, les poids ne bougeraient jamais. Après deux corrections, le neurone a raison sur les
# deux exemples.

# %% [markdown] lang="en"
# ## 2. The neuron learns
#
# Placing the line by hand does not take us far: with 64 inputs there are 64 weights to set, and nothing left to see. The neuron must
# correct itself. Frank Rosenblatt presented his **perceptron**, a machine that learns, in [1958](work:rosenblatt1958); the rule below,
# error correction, is that of his work from [1960](work:rosenblatt1960) to [1962](work:rosenblatt1962). Show the neuron an example. If it
# is right, touch nothing. If it is wrong, add the example to its weights, with the sign of the right answer.
#
# The right answer, or **label** $y$, is now $+1$ for yes and $-1$ for no. The bias is kept with the weights: it is the weight of one more
# input, which is always 1. So a neuron with two inputs is a list of three numbers.
#
# Two examples, (2, 1) for yes and (1, 2) for no, and a neuron that starts from zero:
#
# | example, with its 1 | label $y$ | sum | $y$ × sum | correction | weights, then bias |
# |---|---|---|---|---|---|
# | (2, 1, 1) | +1 | 0 | 0 | + (2, 1, 1) | (2, 1, 1) |
# | (1, 2, 1) | −1 | 2 + 2 + 1 = 5 | −5 | − (1, 2, 1) | (1, −1, 0) |
# | (2, 1, 1) | +1 | 2 − 1 = 1 | 1 | none | (1, −1, 0) |
# | (1, 2, 1) | −1 | 1 − 2 = −1 | 1 | none | (1, −1, 0) |
#
# The label times the sum is positive when the neuron is right. In the first row it is zero: the example is on the line, and that counts as
# a mistake; otherwise the weights, which start at zero, would never move. After two corrections the neuron is right about both examples.

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
corrections_explorer(
    np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([1, -1]),
    np.array([[0.0, 0.0, 0.0], [2.0, 1.0, 1.0], [1.0, -1.0, 0.0]]),
)

# %% [markdown] slide="fragment"
# $$ y \, (w \cdot x) \le 0 \quad \Longrightarrow \quad w \leftarrow w + y \, x $$

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 4-5"
# ## Exercices 4 et 5 : corriger, puis entraîner
#
# **14 min**, par deux.
#
# - **4** ● `corrected` : une ligne du tableau.
# - **5** ●● `train_perceptron` : jusqu'à un passage sans correction. À finir chez soi.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 14 min. Cinq minutes pour le 4, le reste pour commencer le 5 ; écrire les deux boucles au tableau pour qui bloque. Erreurs à guetter :
# `< 0` au lieu de `<= 0` (rien ne bouge), `boundary += …`, qui change les listes déjà gardées, le 1 oublié, aucun arrêt après un passage
# sans correction.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 4-5"
# ## Exercises 4 and 5: correct, then train
#
# **14 min**, in pairs.
#
# - **4** ● `corrected`: one row of the table.
# - **5** ●● `train_perceptron`: until a pass without a correction. To be finished at home.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 14 min. Five minutes for 4, the rest to begin 5; write the two loops on the board for those who are stuck. Mistakes to look for: `< 0` for
# `<= 0` (nothing moves), `boundary += …`, which changes the lists that were kept, the 1 forgotten, no stop after a pass without a
# correction.

# %% [markdown] lang="fr"
# Écrivez une ligne de ce tableau. `boundary` contient les poids puis le biais, `example` les entrées puis un 1 : deux listes de même
# longueur. `label` vaut −1 ou +1. Rendez la liste des poids et du biais après cet exemple, corrigée ou non, sans modifier celle que l'on
# vous donne.
#
# <details><summary>Un indice</summary>`label * (example @ boundary)` est le produit de la quatrième colonne. S'il est au plus zéro,
# rendez `boundary + label * example` ; sinon, `boundary`.</details>

# %% [markdown] lang="en"
# Write one row of that table. `boundary` holds the weights, then the bias; `example` the inputs, then a 1: two lists of the same length.
# `label` is −1 or +1. Return the list of the weights and the bias after this example, corrected or not, without changing the one that you
# are given.
#
# <details><summary>A hint</summary>`label * (example @ boundary)` is the product in the fourth column. If this number is at most zero,
# return `boundary + label * example`; otherwise `boundary`.</details>

# %% level=1
def corrected(boundary, example, label):
    if label * (example @ boundary) <= 0:
        return boundary + label * example
    return boundary

# %% scratch=true
corrected(np.array([2.0, 1.0, 1.0]), np.array([1.0, 2.0, 1.0]), -1)
# → array([ 1., -1., 0.])

# %%
def four_rows():
    lists = [np.zeros(3)]
    for example, label in (((2, 1, 1), 1), ((1, 2, 1), -1)) * 2:
        lists.append(corrected(lists[-1], np.array(example), label))
    return np.array(lists)


wanted = [[0, 0, 0], [2, 1, 1], [1, -1, 0], [1, -1, 0], [1, -1, 0]]
expect(four_rows, wanted, say("the rows of the table", "les lignes du tableau"))

# %% [markdown] lang="fr"
# Un passage sur tous les exemples ne suffit pas toujours : une correction faite pour l'un peut gâter la réponse à un autre. On recommence
# donc, jusqu'à un passage sans aucune correction.

# %% [markdown] lang="fr"
# Écrivez l'entraînement. `x` contient un exemple par ligne, sans le 1, et `y` les étiquettes. Parcourez les exemples dans l'ordre, au plus
# `passes` fois, et arrêtez-vous après un passage sans correction. Pour que l'on puisse suivre la droite, gardez les poids et le biais après
# **chaque correction** dans la liste `boundaries`, qui commence par des zéros. Rendez
# `PerceptronRun(np.array(boundaries), converged=…)` : `converged` dit si le dernier passage n'a rien corrigé.
#
# <details><summary>Un indice</summary>`np.column_stack([x, np.ones(len(x))])` ajoute à chaque exemple l'entrée toujours égale à 1. Deux
# boucles : une sur les passages, une sur les exemples et leurs étiquettes, avec `zip`.</details>
#
# <details><summary>Un deuxième indice</summary>Au début de chaque passage, notez `before = len(boundaries)` : si la longueur est la même
# à la fin, rien n'a été corrigé. Écrivez la correction ici (`boundary = boundary + …`) : `boundary += …` changerait aussi les listes que
# vous avez gardées.</details>

# %% [markdown] lang="en"
# One pass over all the examples is not always enough: a correction made for one may spoil the answer to another. So begin again, until a
# pass without any correction.

# %% [markdown] lang="en"
# Write the training. `x` holds one example per row, without the 1, and `y` the labels. Go through the examples in order, at most `passes`
# times, and stop after a pass without a correction. So that the line can be followed, keep the weights and the bias after **each
# correction** in the list `boundaries`, which begins with zeros. Return `PerceptronRun(np.array(boundaries), converged=…)`: `converged`
# says whether the last pass corrected nothing.
#
# <details><summary>A hint</summary>`np.column_stack([x, np.ones(len(x))])` gives each example the input that is always 1. Two loops: one
# over the passes, one over the examples and their labels, with `zip`.</details>
#
# <details><summary>A second hint</summary>At the beginning of each pass note `before = len(boundaries)`: if the length is the same at the
# end, nothing was corrected. Write the correction here (`boundary = boundary + …`): `boundary += …` would change the lists that you
# kept, too.</details>

# %% implements="perceptron:train_perceptron" level=2
"""Rosenblatt (1962) : ajouter aux poids les exemples mal classés.

Un exemple est d'abord multiplié par son étiquette (`y`, -1 ou +1). Un exemple
sur la droite compte comme mal classé. Les exemples passent dans l'ordre, au
plus `passes` fois. Un passage sans correction termine l'entraînement : la
droite sépare les classes. Il n'y a pas de pas d'apprentissage : puisque les
poids partent de zéro, il ne ferait qu'en changer l'échelle.
"""
# the bias is the weight of an input that is always 1 => le biais est le poids d'une entrée toujours égale à 1

# %% scratch=true
train_perceptron(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([1, -1])).boundaries
# → array([[ 0., 0., 0.], [ 2., 1., 1.], [ 1., -1., 0.]])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Combien de corrections pour soixante points ?
#
# Et le nombre de fautes diminue-t-il à chacune ? Pariez.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Recueillir les paris avant de montrer. (Quinze.) Revenir à la correction 1 et avancer une à une : après la sixième, une faute ;
# après la septième, quatorze. Le neurone a-t-il désappris ? (Chaque correction améliore la somme de l'exemple cerclé ; pour les autres,
# rien n'est sûr.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### How many corrections for sixty points?
#
# And does the number of mistakes fall with each? Bet.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Collect the bets before showing. (Fifteen.) Go back to correction 1 and advance one by one: after the sixth, one mistake; after the
# seventh, fourteen. Has the neuron unlearned something? (Each correction improves the ringed example's sum; for the others nothing is
# certain.)

# %% [markdown] lang="fr"
# ### La droite, correction après correction
#
# Rendons au neurone les deux nuages, mélangés, et laissons-le faire. **Pariez d'abord** : combien de corrections pour soixante points ? Et
# le nombre de fautes diminue-t-il à chacune ? Dans la figure, la droite du moment est noire, les précédentes grises, et le point qui a
# causé la correction est cerclé. Revenez à la première et avancez.

# %% [markdown] lang="en"
# ### The line, correction after correction
#
# Let us give the neuron the two clouds, shuffled, and leave it to itself. **Bet first**: how many corrections for sixty points? And does
# the number of mistakes fall with each? In the figure the line of the moment is black, those before it grey, and the point that caused the
# correction has a ring. Go back to the first and advance.

# %% slide="fragment" tags=["output-only-slide"]
order = generator.permutation(len(clouds))
learned = train_perceptron(clouds[order], labels[order])
corrections_explorer(clouds, labels, learned.boundaries)

# %% claims=true
assert learned.converged and len(learned.boundaries) - 1 == 15
wrong_after = [int(((neuron(clouds, line[:2], line[2]) == 1) != (labels == 1)).sum()) for line in learned.boundaries]
assert wrong_after[6] == 1 and wrong_after[7] == 14 and wrong_after[15] == 0

# %% [markdown] lang="fr"
# Quinze corrections, pour soixante points. Le chemin n'est pas droit : après la sixième, il ne reste qu'une faute ; la septième, faite pour
# corriger celle-là, en crée quatorze. Chaque correction améliore la somme de l'exemple cerclé ; pour les autres, rien n'est
# sûr. Pourquoi cela finit-il par s'arrêter ?

# %% [markdown] lang="en"
# Fifteen corrections, for sixty points. The path is not straight: after the sixth a single mistake is left; the seventh, made to correct
# that one, makes fourteen. Each correction improves the sum of the ringed example; for the others nothing is certain. Why
# does it come to an end at all?

# %% [markdown] lang="fr"
# ### Combien de corrections ?
#
# Reprenons les deux exemples du tableau, avec leur 1. Leur longueur au carré est $2^2 + 1^2 + 1^2 = 6$. Les poids $(1, -1, 0)$ les
# séparent ; divisés par leur longueur, $\sqrt 2$, ils donnent les sommes $1/\sqrt 2$ et $-1/\sqrt 2$ : chaque exemple est à une distance
# $1/\sqrt 2$ de la droite, du bon côté. Le théorème ci-dessous promet au plus $6 / (1/\sqrt 2)^2 = 12$ corrections ; il en a fallu 2.
#
# En général, supposons que des poids $w^\star$, biais compris, de longueur 1, séparent les classes avec une **marge** $\gamma$,
# c'est-à-dire $y \, (w^\star \cdot x) \ge \gamma$ pour chaque exemple, et qu'aucun exemple, son 1 compris, n'est plus long que $R$.
# [Novikoff](work:novikoff1962) a prouvé en 1962 qu'il y a alors au plus $(R/\gamma)^2$ corrections, quel que soit le nombre d'exemples. Sa
# preuve suit deux nombres :
#
# - chaque correction fait avancer $w$ d'au moins $\gamma$ le long de $w^\star$, puisque $y \, (w^\star \cdot x) \ge \gamma$ ;
# - elle allonge peu $w$ : comme elle n'a lieu que si $y \, (w \cdot x) \le 0$, le carré de sa longueur grandit d'au plus $R^2$.
#
# Après $n$ corrections :

# %% [markdown] lang="en"
# ### How many corrections?
#
# Take the two examples of the table again, with their 1. The square of their length is $2^2 + 1^2 + 1^2 = 6$. The weights $(1, -1, 0)$
# separate them; divided by their length, $\sqrt 2$, they give the sums $1/\sqrt 2$ and $-1/\sqrt 2$: each example is at a distance
# $1/\sqrt 2$ from the line, on the right side. The theorem below promises at most $6 / (1/\sqrt 2)^2 = 12$ corrections; it took 2.
#
# In general, suppose that weights $w^\star$, bias included, of length 1, separate the classes with a **margin** $\gamma$, that is,
# $y \, (w^\star \cdot x) \ge \gamma$ for every example, and that no example, its 1 included, is longer than $R$.
# [Novikoff](work:novikoff1962) proved in 1962 that there are then at most $(R/\gamma)^2$ corrections, however many examples there are. His
# proof follows two numbers:
#
# - each correction moves $w$ at least $\gamma$ along $w^\star$, since $y \, (w^\star \cdot x) \ge \gamma$;
# - it makes $w$ little longer: as it is made only if $y \, (w \cdot x) \le 0$, the square of its length grows by at most $R^2$.
#
# After $n$ corrections:

# %% [markdown]
# $$ n \, \gamma \;\le\; w \cdot w^\star \;\le\; \lVert w \rVert \;\le\; \sqrt{n} \, R \quad \Longrightarrow \quad n \le (R / \gamma)^2 $$

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### C'est la marge qui compte, non le nombre d'exemples
#
# Au plus $(R/\gamma)^2$ corrections ([](work:novikoff1962)). $\gamma$ : la **marge** ; $R$ : le plus long exemple.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Au tableau, les deux exemples de tout à l'heure : R² = 6, γ² = 1/2, donc au plus 12 corrections ; il y en a eu 2. Demander avant
# l'image : si la marge est quarante fois plus petite, combien de fois plus de corrections ? (Dix : de 2 à 20, quand la borne monte à près
# de 10 000.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The margin counts, not the number of examples
#
# At most $(R/\gamma)^2$ corrections ([](work:novikoff1962)). $\gamma$: the **margin**; $R$: the longest example.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. On the board, the two examples from before: R² = 6, γ² = 1/2, so at most 12 corrections; there were 2. Ask before the picture: if
# the margin is forty times smaller, how many times more corrections? (Ten: from 2 to 20, while the bound climbs to nearly 10,000.)

# %% [markdown] lang="fr"
# La bibliothèque calcule la borne ; retrouvons le 12. Puis mesurons : 2 000 points au hasard, de part et d'autre d'une droite, dont on
# écarte ceux qui en sont trop près. **Devinez** : si la marge devient quarante fois plus petite, y aura-t-il quarante fois plus de
# corrections ?

# %% [markdown] lang="en"
# The library computes the bound; let us find the 12 again. Then measure: 2,000 random points on both sides of a line, without those that
# are too near it. **Guess**: if the margin becomes forty times smaller, will there be forty times as many corrections?

# %%
two_examples = np.array([[2.0, 1.0], [1.0, 2.0]])
found = novikoff_bound(two_examples, np.array([1, -1]), np.array([1.0, -1.0]), 0.0)
print(say("the bound for the table:", "la borne pour le tableau :"), round(found))

generator = np.random.default_rng(1)
margins = [1.2, 0.9, 0.6, 0.3, 0.1, 0.03]
made, allowed = [], []
for margin in margins:
    spread = generator.uniform(-2, 2, (2000, 2))
    distances = spread @ [0.6, 0.8]
    far = abs(distances) > margin
    sides = np.sign(distances[far]).astype(int)
    made.append(len(train_perceptron(spread[far], sides).boundaries) - 1)
    allowed.append(novikoff_bound(spread[far], sides, np.array([0.6, 0.8]), 0.0))

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, axes = plot()
axes.loglog(margins, allowed, "o-", color=BLUE, label=say("the bound", "la borne"))
axes.loglog(margins, made, "s-", color=VERMILION, label=say("corrections made", "corrections faites"))
axes.set(xlabel=say("margin", "marge"), ylabel=say("corrections", "corrections"))
axes.set_title(say("Far fewer corrections than the bound allows", "Bien moins de corrections que la borne n'en permet"))
legend(axes)
picture(figure, say("As the margin shrinks, the bound soars and corrections "
                    "grow slowly, always below it.",
                    "Quand la marge rétrécit, la borne s'envole et les "
                    "corrections augmentent peu, toujours au-dessous."))

# %% claims=true
assert round(found) == 12
assert all(few <= many for few, many in zip(made, allowed, strict=True))
assert made[0] == 2 and made[-1] == 20 and 9000 < allowed[-1] < 11000
assert margins[0] / margins[-1] > 39

# %% [markdown] lang="fr"
# Non : de la plus grande marge à la plus petite, on passe de 2 corrections à 20, dix fois plus seulement, alors que la borne monte jusqu'à
# près de 10 000. La borne est un maximum garanti, quel que soit l'ordre des exemples ; ces tirages en restent loin. Et elle dit
# l'essentiel : c'est la marge qui compte, non le nombre d'exemples.

# %% [markdown] lang="en"
# No: from the largest margin to the smallest we go from 2 corrections to 20, only ten times as many, while the bound climbs to nearly
# 10,000. The bound is a guaranteed maximum, whatever the order of the examples; these samples stay far from it. And it says
# what matters: the margin counts, not the number of examples.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Quelle droite sépare les ronds des triangles ?
#
# Le **ou exclusif** : oui si une entrée, et une seule, vaut 1.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Deux minutes sur papier : combien de coins du bon côté, au mieux ? (Trois.) Puis la preuve : muet en 00 et 11, actif en 01 et 10,
# cela fait quatre inégalités ; ajouter les deux premières, puis les deux autres. Cent mille essais au hasard prouveraient-ils cela ? (Non :
# il en reste une infinité.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Which line separates the circles from the triangles?
#
# The **exclusive or**: yes if one input, and only one, is 1.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Two minutes on paper: how many corners on the right side, at best? (Three.) Then the proof: silent at 00 and 11, firing at 01 and
# 10, that makes four inequalities; add the first two, then the other two. Would a hundred thousand random tries prove it? (No: infinitely
# many remain.)

# %% [markdown] lang="fr"
# ## 3. Ce qu'aucun neurone ne saura faire
#
# Une porte manquait à la liste : le **ou exclusif**, qui vaut 1 quand une entrée et une seule vaut 1. Placez les quatre coins sur une feuille,
# entourez 01 et 10, et cherchez une droite qui les sépare des deux autres. **Notez** le plus grand nombre de coins que vous arrivez à
# mettre du bon côté.
#
# Supposons qu'un neurone y arrive. Il se tait en 00 et en 11 : $b < 0$ et $w_1 + w_2 + b < 0$. Il s'active en 01 et en 10 :
# $w_2 + b \ge 0$ et $w_1 + b \ge 0$. Ajoutez les deux premières inégalités, puis les deux dernières :

# %% [markdown] lang="en"
# ## 3. What no neuron will ever do
#
# One gate was missing from the list: the **exclusive or**, which is 1 when one and only one input is 1. Put the four corners on a sheet of
# paper, circle 01 and 10, and look for a line that separates them from the other two. **Write down** the largest number of corners that you
# can put on the right side.
#
# Suppose that a neuron does it. It stays silent at 00 and at 11: $b < 0$ and $w_1 + w_2 + b < 0$. It fires at 01 and at 10: $w_2 + b \ge 0$
# and $w_1 + b \ge 0$. Add the first two inequalities, then the last two:

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=3.6, height=3.4)
draw_corners(axes, xor(corners), say("exclusive or", "ou exclusif"))
picture(figure, say("Four corners: circles at 01 and 10, triangles at 00 and 11.",
                    "Quatre coins : des ronds en 01 et en 10, des triangles en 00 et en 11."))

# %% [markdown] lang="fr" slide="fragment" slide_only=true
# S'il y en avait une :

# %% [markdown] lang="en" slide="fragment" slide_only=true
# If there were one:

# %% [markdown] slide="fragment"
# $$ w_1 + w_2 + 2b \;<\; 0 \;\le\; w_1 + w_2 + 2b $$

# %% [markdown] lang="fr"
# Un nombre serait plus petit que lui-même : ce neurone n'existe pas. En 1969, [Minsky et Papert](work:minsky1969) ont consacré un livre à
# ce que les perceptrons ne peuvent pas calculer. Et le meilleur neurone, combien de coins a-t-il justes ? Tirons-en cent mille au hasard.

# %% [markdown] lang="en"
# A number would be smaller than itself: there is no such neuron. In 1969 [Minsky and Papert](work:minsky1969) devoted a book to what
# perceptrons cannot compute. And the best neuron, how many corners does it get right? Let us try a hundred thousand random ones.

# %%
exclusive = np.array([0, 1, 1, 0])
tries = np.random.default_rng(0).normal(size=(100_000, 3))
# en: one column per neuron
# fr: une colonne par neurone
sums = corners @ tries[:, :2].T + tries[:, 2]
right_corners = ((sums >= 0).T == exclusive).sum(axis=1)
print(say("corners right, at best:", "coins justes, au mieux :"), right_corners.max())
print(say("two layers of neurons:", "deux couches de neurones :"), xor(corners))

# %% claims=true
assert right_corners.max() == 3
assert xor(corners).tolist() == exclusive.tolist()
assert [gate("or", corners).tolist(), gate("nand", corners).tolist()] == [[0, 1, 1, 1], [1, 1, 1, 0]]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Une droite ne suffit pas, deux suffisent
#
# Première couche : « ou » et `nand`. Seconde couche : « et » des deux.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Suivre le coin 11 : « ou » dit 1, `nand` dit 0, donc « et » dit 0. Faire vérifier les trois autres coins. Question de la leçon :
# ces deux neurones sont cachés ; qui leur dira ce qu'ils auraient dû répondre ? Laisser la question ouverte : fin de la première séance.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### One line is not enough, two are
#
# First layer: "or" and `nand`. Second layer: "and" of the two.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Follow the corner 11: "or" says 1, `nand` says 0, so "and" says 0. Have the other three corners checked. The lesson's question:
# these two neurons are hidden; who will tell them what they should have answered? Leave it open: end of the first session.

# %% [markdown] lang="fr"
# Trois sur quatre, jamais mieux. Mais la dernière ligne dit 0, 1, 1, 0 : deux **couches** de neurones y arrivent. Regardez la figure avant
# de lire comment.

# %% [markdown] lang="en"
# Three out of four, never better. But the last line says 0, 1, 1, 0: two **layers** of neurons do it. Look at the figure before you read
# how.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 2, width=7.6, height=3.6)
across = np.array([-0.4, 1.4])
titles = say("one line: 3 corners of 4", "une droite : 3 coins sur 4"), say("two lines: 4 of 4", "deux droites : 4 sur 4")
panels[0].fill_between(across, 0.5 - across, 1.4, color=ORANGE, alpha=0.2)
panels[1].fill_between(across, 0.5 - across, 1.5 - across, color=ORANGE, alpha=0.2)
for panel, title in zip(panels, titles):
    panel.plot(across, 0.5 - across, color="black")
    for value, colour, marker in ((1, ORANGE, "o"), (0, BLUE, "^")):
        places = corners[exclusive == value]
        panel.scatter(*places.T, s=90, color=colour, marker=marker, zorder=3)
    panel.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), aspect="equal", title=title)
    panel.set(xticks=[0, 1], yticks=[0, 1])
panels[1].plot(across, 1.5 - across, color="black")
picture(figure, say("One line leaves the corner 11 on the side of yes; two "
                    "lines keep only the band with 01 and 10.",
                    "Une droite laisse le coin 11 du côté du oui ; deux droites"
                    " ne gardent que la bande de 01 et 10."))

# %% [markdown] lang="fr"
# À gauche, la droite du « ou » se trompe sur un coin. À droite, une deuxième droite, celle de `nand`, l'écarte ; entre les deux reste la
# bande du oui. La première couche a donc deux neurones, « ou » et `nand`. La seconde en a un, qui reçoit leurs réponses et dit « et » :
#
# | entrées | « ou » | `nand` | « et » des deux |
# |---|---|---|---|
# | 00 | 0 | 1 | 0 |
# | 01 | 1 | 1 | 1 |
# | 10 | 1 | 1 | 1 |
# | 11 | 1 | 0 | 0 |
#
# Nous avons posé ces poids à la main. Comment les **trouver** ? La règle de Rosenblatt compare la réponse d'un neurone à la bonne. Mais
# « ou » et `nand` sont des neurones **cachés**, à l'intérieur : personne ne nous dit ce qu'ils auraient dû répondre. C'est la question de
# cette leçon ; la réponse est à la [](#layers).

# %% [markdown] lang="en"
# On the left, the line of "or" is wrong about one corner. On the right a second line, that of `nand`, keeps it out; between the two remains
# the band of yes. So the first layer has two neurons, "or" and `nand`. The second has one, which is given their answers and says "and":
#
# | inputs | "or" | `nand` | "and" of the two |
# |---|---|---|---|
# | 00 | 0 | 1 | 0 |
# | 01 | 1 | 1 | 1 |
# | 10 | 1 | 1 | 1 |
# | 11 | 1 | 0 | 0 |
#
# We set these weights by hand. How can they be **found**? Rosenblatt's rule compares a neuron's answer with the right one. But "or" and
# `nand` are **hidden** neurons, inside: nobody tells us what they should have answered. That is the question of this lesson; the answer
# is in [](#layers).

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La sigmoïde : une marche qui a une pente
#
# Poussée d'un rien, la marche ne bouge pas, ou saute. La sigmoïde glisse.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Si je pousse un poids d'un millième, que fait la réponse d'une marche ? (Rien, ou un saut.) Faire calculer σ(0) de tête (1/2), puis
# σ(2), avec 0,135 pour l'exponentielle de −2 (0,881). Et σ(−2), sans calcul ? (1 − 0,881 = 0,119.) La seconde formule donne la pente.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The sigmoid: a step with a slope
#
# Nudged, the step stays still, or jumps. The sigmoid glides.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. If I push a weight by a thousandth, what does a step's answer do? (Nothing, or a jump.) Have them compute σ(0) in their heads
# (1/2), then σ(2), with 0.135 for the exponential of −2 (0.881). And σ(−2), without computing? (1 − 0.881 = 0.119.) The second formula
# gives the slope.

# %% [markdown] lang="fr"
# ## 4. Adoucir la décision
#
# Poussez un peu un poids d'un neurone caché : si la réponse finale s'améliorait un peu, on saurait dans quel sens aller. Mais la décision
# est une marche. Elle ne change pas, ou elle saute. Sa **pente** est nulle : elle ne dit rien.
#
# Remplaçons-la par une courbe lisse qui va de 0 à 1. Pour une somme de 2, prenons $e^{-2} \approx 0{,}135$, puis
# $1 / (1 + 0{,}135) \approx 0{,}881$ : « plutôt oui ». Pour $-2$ : $e^{2} \approx 7{,}389$, et $1 / (1 + 7{,}389) \approx 0{,}119$ :
# « plutôt non ». Pour 0, exactement la moitié. Cette courbe est la **sigmoïde**, $\sigma$. Voici sa formule et, à droite, celle de sa
# pente, $\sigma'$ :

# %% [markdown] lang="en"
# ## 4. Softening the decision
#
# Push a weight of a hidden neuron a little: if the final answer became a little better, we would know which way to go. But the decision is
# a step. It does not change, or it jumps. Its **slope** is zero: it tells us nothing.
#
# Put in its place a smooth curve that goes from 0 to 1. For a sum of 2, take $e^{-2} \approx 0.135$, then $1 / (1 + 0.135) \approx 0.881$:
# "probably yes". For $-2$: $e^{2} \approx 7.389$, and $1 / (1 + 7.389) \approx 0.119$: "probably no". For 0, exactly one half. This curve
# is the **sigmoid**, $\sigma$. Here is its formula and, on the right, that of its slope, $\sigma'$:

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=5.8, height=2.6)
around = np.linspace(-5, 5, 401)
axes.plot(around, around >= 0, color=BLUE, label=say("step", "marche"))
axes.plot(around, mlp.sigmoid(around), color=VERMILION, label=say("sigmoid", "sigmoïde"))
for place in (-2.0, 0.0, 2.0):
    height = mlp.sigmoid(np.array(place)).item()
    axes.plot(place, height, "o", color=VERMILION)
    axes.text(place + 0.25, height - 0.07, decimal(height, 3), fontsize=13, color=VERMILION)
axes.set(xlabel=say("sum", "somme"), xticks=[-4, -2, 0, 2, 4])
legend(axes, fontsize=12)
picture(figure, say("The step jumps from 0 to 1 at zero; the sigmoid climbs smoothly from 0 to 1.",
                    "La marche saute de 0 à 1 en zéro ; la sigmoïde monte doucement de 0 à 1."))

# %% [markdown] slide="fragment"
# $$ \sigma(z) = \frac{1}{1 + e^{-z}} \qquad\qquad \sigma'(z) = \sigma(z) \, \bigl(1 - \sigma(z)\bigr) $$

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 6-7"
# ## Exercices 6 et 7 : la sigmoïde et sa pente
#
# **10 min**, par deux.
#
# - **6** ●● `sigmoid` : qu'aucune exponentielle ne dépasse 1.
# - **7** ● `sigmoid_derivative` : à partir de `sigmoid`.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 10 min. Montrer d'abord ce que `np.exp(1000)` répond : un infini et un avertissement. Donner le premier indice du 6 après trois minutes.
# Erreurs à guetter : juste pour les seuls nombres positifs, ou les seuls négatifs ; `z * (1 - z)` au lieu de σ(z) (1 − σ(z)) ; l'exposant
# du mauvais signe.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 6-7"
# ## Exercises 6 and 7: the sigmoid and its slope
#
# **10 min**, in pairs.
#
# - **6** ●● `sigmoid`: let no exponential exceed 1.
# - **7** ● `sigmoid_derivative`: from `sigmoid`.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 10 min. First show what `np.exp(1000)` answers: an infinity and a warning. Give the first hint of 6 after three minutes. Mistakes to look
# for: right for positive numbers alone, or for negative ones alone; `z * (1 - z)` for σ(z) (1 − σ(z)); the exponent with the wrong sign.

# %% [markdown] lang="fr"
# Un piège attend celui qui recopie la formule : pour $z = -1\,000$, l'ordinateur calcule $e^{1\,000}$, le trouve infini et s'en plaint ; on
# dit que le calcul **déborde**. Écrivez la sigmoïde sans qu'aucune exponentielle ne dépasse 1. `z` et la réponse ont la même forme,
# quelconque.
#
# Multipliez le haut et le bas de la fraction par $e^{z}$ : $\sigma(z) = e^{z} / (1 + e^{z})$. Cette écriture convient quand $z$ est négatif,
# la première quand il est positif.
#
# <details><summary>Un indice</summary>`small = np.exp(-np.abs(z))` vaut $e^{-z}$ si $z$ est positif, $e^{z}$ s'il est négatif : jamais plus
# de 1. Dans les deux écritures, le bas de la fraction est `1 + small`.</details>
#
# <details><summary>Un deuxième indice</summary>Seul le haut diffère : 1 si $z \ge 0$, `small` sinon. `np.where` choisit.</details>

# %% [markdown] lang="en"
# A trap awaits whoever copies the formula: for $z = -1{,}000$ the computer works out $e^{1{,}000}$, finds it infinite and complains; the
# computation **overflows**. Write the sigmoid so that no exponential exceeds 1. `z` and the answer have the same shape, whatever it is.
#
# Multiply the top and the bottom of the fraction by $e^{z}$: $\sigma(z) = e^{z} / (1 + e^{z})$. This form suits where $z$ is negative, the
# first where it is positive.
#
# <details><summary>A hint</summary>`small = np.exp(-np.abs(z))` is $e^{-z}$ if $z$ is positive, $e^{z}$ if it is negative: never more than
# 1. In both forms the bottom of the fraction is `1 + small`.</details>
#
# <details><summary>A second hint</summary>Only the top differs: 1 if $z \ge 0$, `small` otherwise. `np.where` chooses.</details>

# %% implements="mlp:sigmoid" level=2
"""La fonction logistique 1 / (1 + exp(-z)), dans (0, 1).

On ne prend l'exponentielle d'aucun nombre positif : rien ne déborde.
"""

# %% scratch=true
sigmoid(np.array([-2.0, 1.0, 2.0])).round(3)  # → array([0.119, 0.731, 0.881])

# %% [markdown] lang="fr"
# Puis sa pente. La dérivée de $1 / (1 + e^{-z})$ est $e^{-z} / (1 + e^{-z})^2$ : c'est $\sigma(z)$, fois $e^{-z} / (1 + e^{-z})$, qui vaut
# $1 - \sigma(z)$. En $z = 2$, la sigmoïde vaut 0,881 ; sa pente y vaut donc $0{,}881 \times 0{,}119 \approx 0{,}105$. La seconde formule
# donne la pente à partir de `sigmoid`, déjà écrite : `z` est toujours la somme, non la sigmoïde de la somme.
#
# <details><summary>Un indice</summary>$1 - \sigma(z)$ s'écrit aussi $\sigma(-z)$ : un produit de deux appels de `sigmoid`
# suffit.</details>

# %% [markdown] lang="en"
# Then its slope. The derivative of $1 / (1 + e^{-z})$ is $e^{-z} / (1 + e^{-z})^2$: that is $\sigma(z)$, times $e^{-z} / (1 + e^{-z})$,
# which is $1 - \sigma(z)$. At $z = 2$ the sigmoid is 0.881; so its slope there is $0.881 \times 0.119 \approx 0.105$. The second formula
# gives the slope from `sigmoid`, which is written already: `z` is still the sum, not the sigmoid of the sum.
#
# <details><summary>A hint</summary>$1 - \sigma(z)$ is also $\sigma(-z)$: a product of two calls of `sigmoid` is enough.</details>

# %% implements="mlp:sigmoid_derivative" level=1
"""La pente de la sigmoïde : σ(z) (1 - σ(z)).

Elle vaut au plus 1/4 : de longues suites de sigmoïdes apprennent lentement.
"""
# 1 - σ(z) is σ(-z) => 1 - σ(z) est σ(-z)

# %% scratch=true
sigmoid_derivative(np.array([-2.0, 1.0, 2.0])).round(3)
# → array([0.105, 0.197, 0.105])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Laquelle a la plus grande pente, et où ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire deviner avant l'image. (La tangente hyperbolique, 1 à l'origine, et le rectifieur, 1 pour toute somme positive ; la sigmoïde,
# un quart au plus ; la marche, zéro.) Qu'apprend un neurone trop sûr de lui ? (Peu : loin de l'origine, les courbes en S sont presque
# plates.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Which has the steepest slope, and where?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them guess before the picture. (The hyperbolic tangent, 1 at the origin, and the rectifier, 1 for every positive sum; the
# sigmoid, a quarter at most; the step, zero.) What does a neuron learn that is too sure of itself? (Little: far from the origin the
# S-shaped curves are nearly flat.)

# %% [markdown] lang="fr"
# La fonction qui suit la somme s'appelle l'**activation** du neurone. Deux autres serviront plus loin : la **tangente hyperbolique**
# (`tanh`), une sigmoïde étirée pour aller de $-1$ à 1, et le **rectifieur** (*rectified linear unit*, ReLU ; [](work:nair2010)),
# $\max(z, 0)$, qui laisse passer les nombres positifs et arrête les autres. **Devinez** laquelle des quatre a la plus grande pente, et où.

# %% [markdown] lang="en"
# The function that follows the sum is called the neuron's **activation**. Two others will be of use later: the **hyperbolic tangent**
# (`tanh`), a sigmoid stretched to go from $-1$ to 1, and the **rectifier** (rectified linear unit, ReLU; [](work:nair2010)),
# $\max(z, 0)$, which lets positive numbers pass and stops the others. **Guess** which of the four has the largest slope, and where.

# %% tags=["hide-input", "output-only-slide"]
z = np.linspace(-4, 4, 401)
figure, panels = plot(1, 2, width=9)
for (name, (function, derivative)), colour in zip(mlp.ACTIVATIONS.items(), COLOURS):
    panels[0].plot(z, function(z), color=colour, label=name)
    panels[1].plot(z, derivative(z), color=colour, label=name)
panels[0].set(title=say("activations", "activations"), ylim=(-1.2, 2), xlabel=say("sum", "somme"))
panels[1].set(title=say("their slopes: the step's is zero", "leurs pentes : celle de la marche est nulle"), xlabel=say("sum", "somme"))
legend(panels[0])
picture(figure, say("Step, sigmoid, hyperbolic tangent and rectifier, and their"
                    " slopes; the step's slope is zero everywhere.",
                    "Marche, sigmoïde, tangente hyperbolique et rectifieur, et "
                    "leurs pentes ; la pente de la marche est nulle partout."))

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
figure.set_size_inches(7.4, 3.5)
panels[1].set_title(say("their slopes", "leurs pentes"))
picture(figure, say("Four activations and, beside them, their slopes; the step's is zero everywhere.",
                    "Quatre activations et, à côté, leurs pentes ; celle de la marche est nulle partout."))

# %% claims=true
slopes_of = {name: derivative(z).max() for name, (_, derivative) in mlp.ACTIVATIONS.items()}
assert slopes_of["step"] == 0 and slopes_of["sigmoid"] == 0.25 and slopes_of["tanh"] == 1 and slopes_of["relu"] == 1
assert abs(np.exp(-2) - 0.135) < 5e-4 and abs(np.exp(2) - 7.389) < 5e-4 and abs(0.881 * 0.119 - 0.105) < 5e-4

# %% [markdown] lang="fr"
# À droite, la marche ne donne rien. La sigmoïde a une pente d'un quart au plus, à l'origine ; la tangente hyperbolique y atteint 1 ; le
# rectifieur garde 1 pour toute somme positive. Loin de l'origine, les pentes des deux courbes en S s'éteignent : un neurone trop sûr de
# lui apprend peu.

# %% [markdown] lang="en"
# On the right, the step gives nothing. The sigmoid has a slope of a quarter at most, at the origin; there the hyperbolic tangent reaches 1;
# the rectifier keeps 1 for every positive sum. Far from the origin the slopes of the two S-shaped curves fade: a neuron that is too sure
# of itself learns little.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Le softmax fait des probabilités
#
# Un nombre par réponse, son **logit** ; l'exponentielle ; la part de chacune.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire calculer (2, 1, 0) à la main avant l'image : exponentielles 7,39, 2,72 et 1 ; somme 11,11 ; parts 0,665, 0,245 et 0,090. Que
# change-t-on en ajoutant 10 à chaque logit ? (Rien : tout est multiplié par le même nombre.) Garder les trois parts au tableau.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The softmax makes probabilities
#
# A number for each answer, its **logit**; the exponential; the share of each.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have (2, 1, 0) worked out by hand before the picture: exponentials 7.39, 2.72 and 1; sum 11.11; shares 0.665, 0.245 and 0.090. What
# changes if 10 is added to each logit? (Nothing: all are multiplied by the same number.) Keep the three shares on the board.

# %% [markdown] lang="fr"
# ## 5. Mesurer l'erreur
#
# Pour choisir entre plusieurs réponses, un réseau donne un nombre à chacune, un **logit** : grand si elle lui semble bonne. Soit trois
# logits : 2, 1 et 0. Leurs exponentielles valent 7,389, 2,718 et 1 : toutes positives. Leur somme est 11,107. Divisez chacune par la somme :
# 0,665, 0,245 et 0,090. Ce sont des probabilités : positives, de somme 1, dans l'ordre des logits. Voilà le **softmax** :

# %% [markdown] lang="en"
# ## 5. Measuring the error
#
# To choose among several answers a network gives each a number, a **logit**: large if the answer seems good to it. Take three logits: 2, 1
# and 0. Their exponentials are 7.389, 2.718 and 1: all positive. They sum to 11.107. Divide each by the sum: 0.665, 0.245 and 0.090. These
# are probabilities: positive, summing to 1, in the order of the logits. That is the **softmax**:

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
def draw_bars(rows, titles, alt, digits=(3, 3, 3)):
    figure, panels = plot(1, len(rows), width=7, height=2.8)
    for axes, row, title, places in zip(panels, rows, titles, digits):
        axes.bar(range(len(row)), row, color=[BLUE, ORANGE, VERMILION][: len(row)])
        axes.axhline(0, color="black", linewidth=0.8)
        for place, value in enumerate(row):
            text, above = decimal(float(value), places).replace("-", "−"), value >= 0
            axes.annotate(text, (place, value), xytext=(0, 4 if above else -4), textcoords="offset points",
                          ha="center", va="bottom" if above else "top", fontsize=13)
        axes.set(xticks=[], yticks=[])
        axes.margins(x=0.1, y=0.18)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_title(title, fontsize=14)
    return picture(figure, alt)

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
three = np.array([2.0, 1.0, 0.0])
draw_bars(
    [three, np.exp(three), mlp.softmax(three[None])[0]],
    [say("logits", "logits"), say("exponentials", "exponentielles"), say("probabilities", "probabilités")],
    say("Three logits as bars, their exponentials, and the probabilities that the softmax makes of them.",
        "Trois logits en barres, leurs exponentielles, et les probabilités que le softmax en fait."),
    digits=(0, 2, 3),
)

# %% [markdown] slide="fragment"
# $$ p_i = \frac{e^{z_i}}{\sum_j e^{z_j}} $$

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 8"
# ## Exercice 8 : le softmax
#
# **7 min**, par deux.
#
# - **8** ●● `softmax` : la somme le long du dernier axe ; que de grands logits ne débordent pas.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Au tableau, un tableau de deux lignes et trois colonnes : où est un exemple, où est une réponse ? Erreurs à guetter : la somme de
# tout, ou d'une colonne, `keepdims` oublié, la moyenne ôtée au lieu du maximum, un seul maximum pour tous les exemples.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 8"
# ## Exercise 8: the softmax
#
# **7 min**, in pairs.
#
# - **8** ●● `softmax`: the sum along the last axis; let no large logits overflow.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. On the board, an array of two rows and three columns: where is an example, where is an answer? Mistakes to look for: the sum of
# everything, or of a column, `keepdims` forgotten, the mean taken away in place of the maximum, a single maximum for all examples.

# %% [markdown] lang="fr"
# Écrivez-le. `z` contient les logits d'un exemple par ligne, ou davantage de dimensions : les réponses sont toujours le long du **dernier
# axe**, et la somme se fait le long de cet axe, non d'un exemple à l'autre. La réponse a la forme de `z`. Ici aussi, de grands logits
# feraient déborder l'exponentielle ; mais ajouter le même nombre à tous les logits d'un exemple ne change pas ses probabilités.
#
# <details><summary>Un indice</summary>Soustrayez d'abord à chaque exemple son plus grand logit : plus aucune exponentielle ne dépasse
# 1.</details>
#
# <details><summary>Un deuxième indice</summary>`z.max(axis=-1, keepdims=True)` rend un maximum par exemple, en colonne, prêt à être
# soustrait ; `.sum(axis=-1, keepdims=True)` fait de même pour la somme.</details>

# %% [markdown] lang="en"
# Write it. `z` holds the logits of one example per row, or more dimensions: the answers are always along the **last axis**, and the sum is
# taken along it, not from one example to another. The answer has the shape of `z`. Here again, large logits would make the exponential
# overflow; but adding the same number to all the logits of an example does not change its probabilities.
#
# <details><summary>A hint</summary>First subtract from each example its largest logit: no exponential exceeds 1 any more.</details>
#
# <details><summary>A second hint</summary>`z.max(axis=-1, keepdims=True)` gives one maximum per example, as a column, ready to be
# subtracted; `.sum(axis=-1, keepdims=True)` does the same for the sum.</details>

# %% implements="mlp:softmax" level=2
"""exp(z) / Σ exp(z) selon le dernier axe : des nombres positifs de somme 1.

On soustrait d'abord le plus grand z : le résultat est le même, et aucune
exponentielle ne dépasse 1.
"""

# %% scratch=true
softmax(np.array([[2.0, 1.0, 0.0], [5.0, 5.0, 5.0]])).round(3)
# → array([[0.665, 0.245, 0.09 ], [0.333, 0.333, 0.333]])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La perte : sa surprise devant la bonne réponse
#
# $-\log p$, s'il lui avait donné la probabilité $p$.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Que perd un réseau sûr et juste ? (Zéro.) Sûr et faux ? (Une perte immense.) Lire les deux points : 0,665 donne 0,408, et 0,090
# donne 2,408. Et qui ne sait rien, entre dix classes ? (2,30, le logarithme de 10 : à reconnaître au début de tout entraînement.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The loss: its surprise at the right answer
#
# $-\log p$, if it had given it the probability $p$.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. What does a network lose that is sure and right? (Zero.) Sure and wrong? (A huge loss.) Read the two points: 0.665 gives 0.408, and
# 0.090 gives 2.408. And one that knows nothing, among ten classes? (2.30, the logarithm of 10: to be recognised whenever training begins.)

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=7.4, height=3.5)
given = np.linspace(0.02, 1, 300)
axes.plot(given, -np.log(given), color=BLUE)
for chance in mlp.softmax(three[None])[0, [0, 2]]:
    axes.plot(chance, -np.log(chance), "o", color=VERMILION, markersize=8)
    label = f"{decimal(chance, 3)} → {decimal(-np.log(chance), 3)}"
    axes.text(chance + 0.02, -np.log(chance) + 0.1, label, fontsize=13, color=VERMILION)
axes.set(xlabel=say("probability of the right answer", "probabilité de la bonne réponse"), ylabel=say("loss", "perte"))
picture(figure, say("The loss falls from nearly four to zero as the probability of the right answer goes to one.",
                    "La perte descend de près de quatre à zéro quand la probabilité de la bonne réponse va vers un."))

# %% [markdown] lang="fr"
# ### L'entropie croisée
#
# La **perte** dit en un nombre combien une réponse est mauvaise. Si le réseau a donné à la bonne réponse la probabilité $p$, la perte vaut
# $-\log p$ (logarithme népérien) : zéro s'il en était sûr, immense s'il la croyait presque impossible. C'est sa surprise, mesurée en
# **nats**. Avec les probabilités 0,665, 0,245 et 0,090 :
#
# - si la première réponse est la bonne, la perte vaut $-\log 0{,}665 \approx 0{,}408$ ;
# - si c'est la dernière, $-\log 0{,}090 \approx 2{,}408$ : bien plus.
#
# Écrivez cette perte, pour plusieurs exemples à la fois. `probabilities` a une ligne par exemple, une colonne par réponse ; `targets` donne,
# pour chaque exemple, le numéro de la bonne réponse, à partir de 0 : sa **cible**. Rendez une perte par exemple.
#
# <details><summary>Un indice</summary>`probabilities[rows, targets]`, où `rows = np.arange(len(targets))` vaut 0, 1, 2…, prend un nombre par
# ligne : celui de la colonne `targets`. `np.log` est le logarithme népérien.</details>

# %% [markdown] lang="en"
# ### Cross-entropy
#
# The **loss** says in one number how bad an answer is. If the network gave the right answer the probability $p$, the loss is $-\log p$ (the
# natural logarithm): zero if the network was sure of it, huge if it thought it almost impossible. It is the network's surprise, measured
# in **nats**. With the probabilities 0.665, 0.245 and 0.090:
#
# - if the first answer is the right one, the loss is $-\log 0.665 \approx 0.408$;
# - if it is the last, $-\log 0.090 \approx 2.408$: much more.
#
# Write this loss, for several examples at once. `probabilities` has one row per example, one column per answer; `targets` gives, for each
# example, the number of the right answer, from 0: its **target**. Return one loss per example.
#
# <details><summary>A hint</summary>`probabilities[rows, targets]`, where `rows = np.arange(len(targets))` is 0, 1, 2…, takes one number per
# row: that of the column `targets`. `np.log` is the natural logarithm.</details>

# %% level=1
def surprise(probabilities, targets):
    rows = np.arange(len(targets))
    return -np.log(probabilities[rows, targets])

# %% scratch=true
twice = np.array([[0.665, 0.245, 0.09], [0.665, 0.245, 0.09]])
surprise(twice, np.array([0, 2])).round(3)
# → array([0.408, 2.408])

# %%
def three_surprises():
    halves = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.0, 0.0, 1.0]])
    return surprise(halves, np.array([1, 0, 2]))


wanted = [2 * np.log(2), 3 * np.log(2), 0.0]
expect(three_surprises, wanted, say("the three losses", "les trois pertes"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La pente : ce qu'il a dit, moins ce qu'il fallait dire
#
# La première réponse est la bonne :

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Reprendre les trois parts du tableau : il suffit d'ôter 1 à la bonne réponse. Que veut dire le signe moins ? (Si ce logit augmente,
# la perte baisse.) Que vaut la somme des trois pentes ? (Zéro.) Pour un lot de n exemples, on prend la moyenne : tout est divisé par n.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The slope: what it said, less what it should have said
#
# The first answer is the right one:

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Take up the three shares on the board: it is enough to take 1 from the right answer. What does the minus sign mean? (If this logit
# rises, the loss falls.) What is the sum of the three slopes? (Zero.) For a batch of n examples, take the mean: all is divided by n.

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
draw_bars(
    [mlp.softmax(three[None])[0], np.array([1.0, 0.0, 0.0]), mlp.cross_entropy(three[None], np.array([0]))[1][0]],
    [say("said", "dit"), say("should have said", "à dire"), say("gradient", "gradient")],
    say("What the network said as bars, what it should have said, and their difference, the gradient.",
        "Ce que le réseau a dit, en barres, ce qu'il fallait dire, et leur différence, le gradient."),
    digits=(3, 0, 3),
)

# %% [markdown] lang="fr"
# ### Le gradient de la perte
#
# De combien change la perte quand on pousse un peu chaque logit ? Ces pentes, une par logit, forment le **gradient**. Il est d'une
# simplicité remarquable : ce que le réseau a dit, moins ce qu'il fallait dire. Si la première réponse est la bonne, il fallait dire
# (1, 0, 0), et le gradient est $(0{,}665 - 1,\ 0{,}245,\ 0{,}090) = (-0{,}335,\ 0{,}245,\ 0{,}090)$. Le signe moins du premier veut dire : si
# ce logit augmente, la perte baisse.
#
# Pour un **lot** (*batch*) de $n$ exemples, on prend la moyenne des pertes : c'est l'**entropie croisée**. Chaque exemple compte alors pour
# un $n$-ième, dans la perte comme dans le gradient. Notons $z_{ij}$ le logit de la réponse $j$ pour l'exemple $i$, $p_{ij}$ sa
# probabilité, $t_i$ la cible de l'exemple, et $[j = t_i]$ ce qu'il fallait dire : 1 pour la bonne réponse, 0 pour les autres. Avec $k$
# réponses, c'est le codage « un parmi $k$ » (*one-hot*).

# %% [markdown] lang="en"
# ### The gradient of the loss
#
# How much does the loss change when each logit is pushed a little? These slopes, one for each logit, make up the **gradient**. It is
# remarkably simple: what the network said, less what it should have said. If the first answer is the right one, it should have said
# (1, 0, 0), and the gradient is $(0.665 - 1,\ 0.245,\ 0.090) = (-0.335,\ 0.245,\ 0.090)$. The minus sign of the first means: if
# this logit rises, the loss falls.
#
# For a **batch** of $n$ examples, take the mean of the losses: that is the **cross-entropy**. Each example then counts for one $n$th, in
# the loss and in the gradient alike. Let $z_{ij}$ be the logit of answer $j$ for example $i$, $p_{ij}$ its probability, $t_i$ the example's
# target, and $[j = t_i]$ what should have been said: 1 for the right answer, 0 for the others. With $k$ answers, this is *one-hot* coding,
# one of $k$.

# %% [markdown] slide="fragment"
# $$ L = -\frac{1}{n} \sum_{i=1}^{n} \log p_{i, t_i} \qquad\qquad \frac{\partial L}{\partial z_{ij}} = \frac{p_{ij} - [j = t_i]}{n} $$

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 9-10"
# ## Exercices 9 et 10 : la perte et son gradient
#
# **12 min**, par deux.
#
# - **9** ● `surprise` : une perte par exemple.
# - **10** ●● `cross_entropy` : leur moyenne, et son gradient. À finir chez soi.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Faire dire à voix haute ce que rend `probabilities[rows, targets]`, avant de coder. Erreurs à guetter : `[:, targets]`, qui prend
# toutes les cibles à chaque ligne, le logarithme de `softmax`, qui peut valoir moins l'infini, la somme au lieu de la moyenne, la division
# par n oubliée dans le gradient.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 9-10"
# ## Exercises 9 and 10: the loss and its gradient
#
# **12 min**, in pairs.
#
# - **9** ● `surprise`: one loss per example.
# - **10** ●● `cross_entropy`: their mean, and its gradient. To be finished at home.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Have somebody say aloud what `probabilities[rows, targets]` returns, before coding. Mistakes to look for: `[:, targets]`, which
# takes all targets in every row, the logarithm of `softmax`, which can be minus infinity, the sum in place of the mean, the division by n
# forgotten in the gradient.

# %% [markdown] lang="fr"
# D'où vient ce gradient ? De ce que $-\log p_t = \log \sum_l e^{z_l} - z_t$. La dérivée du premier terme par rapport à $z_j$ est justement
# $p_j$ ; celle du second vaut $-1$ si $j = t$, 0 sinon.

# %% [markdown] lang="fr"
# Écrivez la fonction, qui rend la perte **et** son gradient. `logits` a $n$ lignes, une par exemple, et $k$ colonnes, une par réponse ;
# `targets` contient $n$ numéros, de 0 à $k - 1$. Rendez un nombre, puis un tableau de $n$ lignes et $k$ colonnes.
#
# <details><summary>Un indice</summary>`shifted = logits - logits.max(axis=1, keepdims=True)`, puis le logarithme des probabilités, sans
# débordement : `shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))`. Ne prenez pas le logarithme de `softmax(logits)` : il vaut
# moins l'infini quand une probabilité est arrondie à zéro.</details>
#
# <details><summary>Un deuxième indice</summary>La perte est la moyenne des surprises : prenez de nouveau un nombre par ligne, celui de la
# cible. Pour le gradient, partez de l'exponentielle des logarithmes, ôtez 1 à ces places
# (`gradient[np.arange(n), targets] -= 1`) et divisez par $n$.</details>

# %% [markdown] lang="en"
# Where does this gradient come from? From $-\log p_t = \log \sum_l e^{z_l} - z_t$. The derivative of the first term with respect to $z_j$ is
# just $p_j$; that of the second is $-1$ if $j = t$, 0 otherwise.

# %% [markdown] lang="en"
# Write the function, which returns the loss **and** its gradient. `logits` has $n$ rows, one per example, and $k$ columns, one per answer;
# `targets` holds $n$ numbers, from 0 to $k - 1$. Return a number, then an array of $n$ rows and $k$ columns.
#
# <details><summary>A hint</summary>`shifted = logits - logits.max(axis=1, keepdims=True)`, then the logarithm of the probabilities, without
# overflow: `shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))`. Do not take the logarithm of `softmax(logits)`: it is minus
# infinity when a probability is rounded to zero.</details>
#
# <details><summary>A second hint</summary>The loss is the mean of the surprises: take one number per row again, the target's. For the
# gradient, start from the exponential of the logarithms, take 1 away in those places
# (`gradient[np.arange(n), targets] -= 1`), and divide by $n$.</details>

# %% implements="mlp:cross_entropy" level=2
"""La moyenne de -log softmax(logits)[cible], en nats, et son gradient.

La moyenne est prise sur le lot. Le gradient par rapport aux logits est
(softmax - un parmi k) / n. Les cibles sont des numéros de classe, de 0 à k - 1.
"""

# %% scratch=true
loss, gradient = cross_entropy(np.array([[2.0, 1.0, 0.0]]), np.array([0]))
round(loss, 3), gradient.round(3)  # → (0.408, array([[-0.335, 0.245, 0.09 ]]))

# %% claims=true
assert np.allclose(softmax(np.array([[2.0, 1.0, 0.0]])), [[0.665, 0.245, 0.090]], atol=5e-4)
assert np.allclose(np.exp([2, 1, 0]), [7.389, 2.718, 1], atol=5e-4) and round(float(np.exp([2, 1, 0]).sum()), 3) == 11.107
assert np.allclose(-np.log([0.665, 0.090]), [0.408, 2.408], atol=5e-4)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Une sigmoïde est un softmax à deux réponses
#
# Avec l'entropie croisée, un neurone à sigmoïde fait une **régression logistique**.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Prendre les logits 0 pour non, 2 pour oui, et faire deviner la probabilité du oui. (0,881 : c'est σ(2), déjà vu.) Le perceptron,
# avec sa marche, fait-il une régression logistique ? (Non : il ne donne aucune probabilité.) Les statisticiens la connaissent depuis 1958.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A sigmoid is a softmax of two answers
#
# With cross-entropy, a neuron with a sigmoid does a **logistic regression**.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Take the logits 0 for no, 2 for yes, and have the probability of yes guessed. (0.881: it is σ(2), seen before.) Does the
# perceptron, with its step, do a logistic regression? (No: it gives no probability.) Statisticians have known it since 1958.

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
pair = np.array([0.0, 2.0])
draw_bars(
    [pair, np.exp(pair), mlp.softmax(pair[None])[0]],
    [say("logits", "logits"), say("exponentials", "exponentielles"), say("probabilities", "probabilités")],
    say("The logits 0 and 2 as bars, their exponentials, and the two probabilities, that of yes being the sigmoid of 2.",
        "Les logits 0 et 2 en barres, leurs exponentielles, et les deux probabilités, celle du oui étant la sigmoïde de 2."),
    digits=(0, 2, 3),
)

# %% [markdown] lang="fr"
# ### Deux réponses : la régression logistique
#
# Et s'il n'y a que deux réponses, non et oui ? Prenons les logits 0 et $z$. Le softmax donne au oui $e^z / (1 + e^z) = \sigma(z)$ : la
# sigmoïde est un softmax à deux réponses. **Devinez** le nombre que la cellule va écrire, si $z = 2$ ; la [](#softening-the-decision) l'a
# déjà donné.

# %% [markdown] lang="en"
# ### Two answers: logistic regression
#
# And if there are only two answers, no and yes? Take the logits 0 and $z$. The softmax gives the yes $e^z / (1 + e^z) = \sigma(z)$: the
# sigmoid is a softmax of two answers. **Guess** the number that the cell will write if $z = 2$; [](#softening-the-decision) has given it
# already.

# %%
yes = softmax(np.array([[0.0, 2.0]]))[0, 1]
print(say("softmax of (0, 2):", "softmax de (0, 2) :"), decimal(yes, 3))
print(say("sigmoid of 2:", "sigmoïde de 2 :"), decimal(sigmoid(np.array([2.0]))[0], 3))

# %% claims=true
assert abs(yes - 0.881) < 5e-4 and abs(yes - sigmoid(np.array([2.0]))[0]) < 1e-12

# %% [markdown] lang="fr"
# Deux fois 0,881. L'entropie croisée devient alors $-\log \sigma(z)$ si la bonne réponse est oui, $-\log(1 - \sigma(z))$ si c'est non. Un
# neurone à sigmoïde qui diminue cette perte fait exactement une **régression logistique** à deux classes, que les statisticiens emploient
# depuis longtemps ([](work:cox1958)). Le perceptron de la [](#the-neuron-learns), avec sa marche et sa règle, n'en est pas une : il ne
# donne pas de probabilité.

# %% [markdown] lang="en"
# Twice 0.881. The cross-entropy then becomes $-\log \sigma(z)$ if the right answer is yes, $-\log(1 - \sigma(z))$ if it is no. A neuron
# with a sigmoid that lowers this loss performs exactly a **logistic regression** with two classes, which statisticians have long used
# ([](work:cox1958)). The perceptron of [](#the-neuron-learns), with its step and its rule, is not one: it gives no probability.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Combien de nombres ces deux couches apprennent-elles ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Une couche : des neurones qui lisent les mêmes entrées. Faire compter : 6 poids, puis 6, et 3 + 2 biais ; 17 en tout. Pourquoi une
# activation entre les couches ? (Sans elle, deux couches n'en valent qu'une : un produit de matrices est une matrice.) Écrire la forme de
# chaque matrice sous la formule.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### How many numbers do these two layers learn?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. A layer: neurons that read the same inputs. Have them count: 6 weights, then 6, and 3 + 2 biases; 17 in all. Why an activation
# between layers? (Without it two layers are worth one: a product of matrices is a matrix.) Write the shape of each matrix below the
# formula.

# %% [markdown] lang="fr"
# ## 6. Des couches
#
# Une **couche** est une rangée de neurones qui lisent les mêmes entrées. Un **perceptron multicouche** (*multilayer perceptron*, MLP) met
# des couches à la suite. **Comptez les poids** de celui-ci avant de lire plus loin.

# %% [markdown] lang="en"
# ## 6. Layers
#
# A **layer** is a row of neurons that read the same inputs. A **multilayer perceptron** (MLP) puts layers one after another. **Count the
# weights** of this one before you read on.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
diagrams.draw_network((2, 3, 2))

# %% [markdown] lang="fr"
# Chaque trait est un poids : $2 \times 3 = 6$ dans la première couche, $3 \times 2 = 6$ dans la seconde ; chaque neurone a de plus un
# biais, donc $3 + 2$. En tout, 17 nombres à apprendre. Les poids d'une couche se rangent dans une matrice $W$, une **colonne par
# neurone** : la matrice $x W$ contient alors toutes les sommes pondérées, un exemple par ligne, un neurone par colonne ; il reste à leur
# ajouter les biais $b$.
#
# Un exemple $x$ donne les sommes $s_1$, puis leurs activations $a_1 = \varphi(s_1)$, puis les sommes $s_2$ : on appelle activation la
# fonction $\varphi$, et aussi ce qu'elle rend. La dernière couche n'a pas d'activation : ses sommes sont les logits. Entre les couches, en
# revanche, il en faut une : sans elle, deux couches n'en vaudraient qu'une, car un produit de matrices est encore une matrice.

# %% [markdown] lang="en"
# Each link is a weight: $2 \times 3 = 6$ in the first layer, $3 \times 2 = 6$ in the second; each neuron has a bias besides, so $3 + 2$. In
# all, 17 numbers to learn. The weights of a layer are kept in a matrix $W$, one **column per neuron**: the matrix $x W$ then holds all the
# weighted sums, one example per row, one neuron per column; what remains is to add the biases $b$.
#
# An example $x$ gives the sums $s_1$, then their activations $a_1 = \varphi(s_1)$, then the sums $s_2$: the function $\varphi$ is called
# the activation, and so is what it returns. The last layer has no activation: its sums are the logits. Between layers, on the other hand,
# there must be one: without it two layers would be worth no more than one, for a product of matrices is a matrix again.

# %% [markdown] slide="fragment"
# $$ s_1 = x W_1 + b_1 \qquad a_1 = \varphi(s_1) \qquad s_2 = a_1 W_2 + b_2 $$

# %% claims=true
assert sum(parameter.size for parameter in mlp.MLP((2, 3, 2), "tanh", np.random.default_rng(0)).parameters()) == 17

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un rien de plus ici, combien de riens sur la perte ?
#
# La sortie devrait valoir 1. Écrivez trois nombres : un rien de plus sur la sortie ? sur l'activation ? sur la somme ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Refaire l'aller ensemble, de gauche à droite : 2 × 0,5 − 1 = 0 ; σ(0) = 0,5 ; 0,5 × 3 = 1,5 ; (1,5 − 1)² = 0,25. Puis une minute
# pour écrire les trois nombres, en partant de la sortie. Ne rien corriger : la diapositive suivante répond (1, 3 et 0,75).

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A nudge here: how many nudges in the loss?
#
# The output should be 1. Write down three numbers: a nudge at the output? at the activation? at the sum?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Go forward together, from left to right: 2 × 0.5 − 1 = 0; σ(0) = 0.5; 0.5 × 3 = 1.5; (1.5 − 1)² = 0.25. Then a minute to write the
# three numbers, beginning at the output. Correct nothing: the next slide answers (1, 3 and 0.75).

# %% [markdown] lang="fr"
# ### La rétropropagation
#
# Revenons à la question : qui dit au neurone caché ce qu'il aurait dû répondre ? Prenons le plus petit réseau qui en ait un : une
# entrée, un neurone caché à sigmoïde, une sortie. L'entrée vaut 2, la sortie devrait valoir 1. La perte est ici le carré de l'écart.
#
# Voici l'aller. Suivez-le de gauche à droite, et refaites les calculs.

# %% [markdown] lang="en"
# ### Backpropagation
#
# Back to the question: who tells the hidden neuron what it should have answered? Take the smallest network that has one: an input, a
# hidden neuron with a sigmoid, an output. The input is 2, the output should be 1. The loss, here, is the square of the gap.
#
# Here is the way forward. Follow it from left to right, and check the arithmetic.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
chain_numbers = {
    "x": 2.0,
    "weights": (0.5, 3.0),
    "biases": (-1.0, 0.0),
    "target": 1.0,
}
diagrams.draw_chain(**chain_numbers, back=False)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Au retour, les pentes se multiplient
#
# Personne ne dit au neurone caché ce qu'il aurait dû répondre : la pente 3 lui suffit.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min, le cœur de la leçon. Un nombre par rangée de la salle, de droite à gauche, avant de montrer : 1, puis 3 × 1 = 3, puis 0,25 × 3 =
# 0,75. Et les poids ? (Ce qui est entré, fois ce qui est revenu : 2 × 0,75 = 1,5, et 0,5 × 1 = 0,5.) Faire dire d'où vient le 3.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### On the way back, the slopes multiply
#
# Nobody tells the hidden neuron what it should have answered: the slope 3 is enough.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min, the heart of the lesson. One number by each row of the room, from right to left, before you show it: 1, then 3 × 1 = 3, then 0.25 ×
# 3 = 0.75. And the weights? (What came in, times what came back: 2 × 0.75 = 1.5, and 0.5 × 1 = 0.5.) Have them say where the 3 comes from.

# %% [markdown] lang="fr"
# La somme est $2 \times 0{,}5 - 1 = 0$, puis $\sigma(0) = 0{,}5$, puis $0{,}5 \times 3 = 1{,}5$, et la perte $(1{,}5 - 1)^2 = 0{,}25$.
#
# **Écrivez trois nombres** avant de continuer. Si la sortie augmentait d'un rien, de combien de riens augmenterait la perte ? Et si
# l'activation augmentait d'un rien ? Et la somme ?

# %% [markdown] lang="en"
# The sum is $2 \times 0.5 - 1 = 0$, then $\sigma(0) = 0.5$, then $0.5 \times 3 = 1.5$, and the loss $(1.5 - 1)^2 = 0.25$.
#
# **Write down three numbers** before you go on. If the output grew by a nudge, by how many nudges would the loss grow? And if the
# activation grew by a nudge? And the sum?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
diagrams.draw_chain(**chain_numbers)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 11"
# ## Exercice 11 : un poids de 4 au lieu de 3
#
# **5 min**, seul, sur papier.
#
# - **11** ● Tout le reste est égal : quelle est la pente du premier poids ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Distribuer la chaîne imprimée, sans ses nombres. Réponse : la sortie vaut 2, sa pente 2 × (2 − 1) = 2, celle de l'activation 8,
# celle de la somme 2, celle du poids 4. Erreur à guetter : garder l'aller d'avant. Fin de la deuxième séance.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 11"
# ## Exercise 11: a weight of 4 in place of 3
#
# **5 min**, alone, on paper.
#
# - **11** ● All else is equal: what is the slope of the first weight?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Hand out the chain on paper, without its numbers. Answer: the output is 2, its slope 2 × (2 − 1) = 2, the activation's 8, the sum's
# 2, the weight's 4. Mistake to look for: keeping the way forward from before. End of the second session.

# %% [markdown] lang="fr"
# En bas, de droite à gauche, ce que vaut un rien à chaque endroit. Sur la sortie, la pente de la perte est
# $2 \times (1{,}5 - 1) = 1$. Un rien sur l'activation est multiplié par 3 pour arriver à la sortie : sa pente est $3 \times 1 = 3$. Un rien
# sur la somme est multiplié par la pente de la sigmoïde, $0{,}25$ : $0{,}25 \times 3 = 0{,}75$. Quand des effets s'enchaînent, leurs pentes
# se multiplient : c'est la **règle de la chaîne**.
#
# Et les poids ? Pousser le poids 0,5 d'un rien change la somme de 2 riens, puisque l'entrée vaut 2 : sa pente est donc
# $2 \times 0{,}75 = 1{,}5$. De même, le poids 3 a la pente $0{,}5 \times 1 = 0{,}5$. Pour un biais, c'est comme si l'entrée valait 1.
#
# Voilà la réponse : le neurone caché n'a pas besoin qu'on lui dise ce qu'il aurait dû répondre. La pente 3, revenue de la fin par son
# propre poids de sortie, lui dit dans quel sens changer, et combien cela importe. C'est la **rétropropagation** ([Rumelhart, Hinton et
# Williams 1986](work:rumelhart1986)).

# %% [markdown] lang="fr"
# Refaites le calcul avec un poids de sortie de 4 au lieu de 3, tout le reste égal. Quelle est alors la pente du premier poids ?
#
# <details><summary>Un indice</summary>L'aller change : la sortie vaut $0{,}5 \times 4 = 2$. Puis, au retour : la pente sur la sortie, celle sur
# l'activation, celle sur la somme, et enfin le poids.</details>

# %% [markdown] lang="en"
# At the bottom, from right to left, is what a nudge is worth at each place. At the output the loss has the slope $2 \times (1.5 - 1) = 1$.
# A nudge at the activation is multiplied by 3 on its way to the output: its slope is $3 \times 1 = 3$. A nudge at the sum is multiplied by
# the sigmoid's slope, $0.25$: $0.25 \times 3 = 0.75$. When effects follow one another, their slopes multiply: that is the **chain rule**.
#
# And the weights? Pushing the weight 0.5 by a nudge changes the sum by 2 nudges, since the input is 2: so its slope is
# $2 \times 0.75 = 1.5$. Likewise the weight 3 has the slope $0.5 \times 1 = 0.5$. For a bias, it is as if the input were 1.
#
# That is the answer: the hidden neuron need not be told what it should have answered. The slope 3, which came back from the end through its
# own weight to the output, tells it which way to change, and how much that matters. This is **backpropagation** ([Rumelhart, Hinton and
# Williams 1986](work:rumelhart1986)).

# %% [markdown] lang="en"
# Do it again with an output weight of 4 in place of 3, all else equal. What is then the slope of the first weight?
#
# <details><summary>A hint</summary>The way forward changes: the output is $0.5 \times 4 = 2$. Then, on the way back: the slope at the output,
# that at the activation, that at the sum, and finally the weight.</details>

# %% level=1
slope_of_first_weight = 2 * (2 - 1) * 4 * 0.25 * 2

# %% scratch=true
2 * (1.5 - 1) * 3 * 0.25 * 2  # → 1.5

# %%
expect(slope_of_first_weight, 4.0, say("the slope of the first weight", "la pente du premier poids"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Toute une couche : les mêmes produits, en matrices
#
# Ce qui est **entré**, fois ce qui est **revenu** ; retour par les **mêmes poids**.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Retrouver chaque terme dans la chaîne : l'activation 0,5, la pente revenue 1, le poids 3, la pente 0,25. Puis les formes, avec 4
# exemples et un réseau 3 → 5 → 2 : le premier produit est 5 × 2, comme W₂. Et le dernier ? (4 × 5, comme s₁.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A whole layer: the same products, as matrices
#
# What **came in**, times what **came back**; then back by the **same weights**.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Find each term in the chain: the activation 0.5, the slope 1 that came back, the weight 3, the slope 0.25. Then the shapes, with 4
# examples and a network 3 → 5 → 2: the first product is 5 × 2, like W₂. And the last? (4 × 5, like s₁.)

# %% [markdown] lang="fr"
# ### Toute une couche à la fois
#
# Avec plusieurs neurones et plusieurs exemples, ce sont les mêmes produits, rangés dans des matrices. Soit $g$ le gradient de la perte par
# rapport à ce qu'une couche a sommé, une ligne par exemple, une colonne par neurone :
#
# - le gradient d'un poids : ce qui est **entré** par lui, fois ce qui est **revenu** à sa sortie, additionné sur les exemples du lot ;
# - celui d'un biais : ce qui est revenu, additionné sur les exemples ;
# - vers la couche d'avant : $g$ repasse à l'envers par les **mêmes poids**, puis est multiplié par la **pente** que l'activation avait à la
#   somme reçue.
#
# Ci-dessous, $\top$ échange lignes et colonnes, et $\odot$ multiplie terme à terme.

# %% [markdown] lang="en"
# ### A whole layer at once
#
# With several neurons and several examples these are the same products, kept in matrices. Let $g$ be the gradient of the loss with respect
# to what a layer summed, one row per example, one column per neuron:
#
# - a weight's gradient: what **came in** through it, times what **came back** to its output, added up over the examples of the batch;
# - a bias's: what came back, added up over the examples;
# - to the layer before: $g$ goes backwards through the **same weights**, then is multiplied by the **slope** that the activation had at the
#   sum it was given.
#
# Below, $\top$ swaps rows and columns, and $\odot$ multiplies term by term.

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
figure, panels = plot(1, 2, width=9, height=3)
factors = [((5, 4), r"$a_1^\top$"), ((4, 2), "$g$")], [((4, 2), "$g$"), ((2, 5), r"$W_2^\top$")]
for axes, (left, right), result in zip(panels, factors, ("$W_2$", "$s_1$")):
    start, product = 0.0, ((left[0][0], right[0][1]), result)
    for ((rows, columns), name), colour in zip((left, right, product), (BLUE, VERMILION, ORANGE)):
        across_it = [start, start + columns, start + columns, start]
        axes.fill(across_it, [-rows / 2, -rows / 2, rows / 2, rows / 2], color=colour, alpha=0.35)
        axes.text(start + columns / 2, 0, name, ha="center", va="center", fontsize=15)
        axes.text(start + columns / 2, -3.4, f"{rows} × {columns}", ha="center", fontsize=13)
        sign = "" if colour == ORANGE else "·" if colour == BLUE else "→"
        axes.text(start + columns + 0.6, 0, sign, ha="center", va="center", fontsize=15)
        start += columns + 1.2
    axes.axis("off")
    axes.set(aspect="equal", ylim=(-3.8, 2.8))
picture(figure, say("Two products of matrices as rectangles: 5 by 4 times 4 by 2 is 5 by 2; 4 by 2 times 2 by 5 is 4 by 5.",
                    "Deux produits de matrices, en rectangles : 5 × 4 fois 4 × 2 fait 5 × 2 ; 4 × 2 fois 2 × 5 fait 4 × 5."))

# %% [markdown] slide="fragment"
# $$ \frac{\partial L}{\partial W_2} = a_1^\top g \qquad \frac{\partial L}{\partial b_2} = \sum_i g_i \qquad
# \frac{\partial L}{\partial s_1} = \bigl(g \, W_2^\top\bigr) \odot \varphi'(s_1) $$

# %% [markdown] lang="fr"
# Les formes sont un bon garde-fou. Avec 4 exemples et un réseau 3 → 5 → 2, $a_1$ est 4 × 5 et $g$ est 4 × 2 : $a_1^\top g$ est 5 × 2, comme
# $W_2$ ; et $g W_2^\top$ est 4 × 5, comme $s_1$. Si une forme ne va pas, une transposée manque.
#
# D'abord la chaîne de la figure, en code : une fonction qui la construit, avec la classe de réseau qu'on lui donne. Sa perte,
# `mean_squared_error`, est la moyenne des carrés des écarts ; comme `cross_entropy`, elle rend aussi son gradient.

# %% [markdown] lang="en"
# Shapes are a good safeguard. With 4 examples and a network 3 → 5 → 2, $a_1$ is 4 × 5 and $g$ is 4 × 2: $a_1^\top g$ is 5 × 2, like $W_2$;
# and $g W_2^\top$ is 4 × 5, like $s_1$. If a shape does not fit, a transpose is missing.
#
# First the chain of the figure, in code: a function that builds it, with the class of network that it is given. Its loss,
# `mean_squared_error`, is the mean of the squares of the gaps; like `cross_entropy`, it returns its gradient, too.

# %%
def tiny_chain(network_class):
    network = network_class((1, 1, 1), "sigmoid", np.random.default_rng(0))
    network.weights = [np.array([[0.5]]), np.array([[3.0]])]
    network.biases = [np.array([-1.0]), np.array([0.0])]
    return network


chain_input, chain_target = np.array([[2.0]]), np.array([[1.0]])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 12"
# ## Exercice 12 : la rétropropagation
#
# **12 min** pour commencer, par deux ; à finir chez soi.
#
# - **12** ●●● `backward` : trois formules, dans une boucle de la dernière couche à la première.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Distribuer les trois formules et les formes de leurs termes. D'abord la dernière couche seule, puis la boucle. Erreurs à guetter :
# une transposée qui manque, la liste à l'envers, l'activation au lieu de sa pente, une pente à la dernière couche, qui n'a pas
# d'activation, une moyenne pour le biais.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 12"
# ## Exercise 12: backpropagation
#
# **12 min** to begin, in pairs; to be finished at home.
#
# - **12** ●●● `backward`: three formulas, in a loop from the last layer to the first.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Hand out the three formulas and the shapes of their terms. First the last layer alone, then the loop. Mistakes to look for: a
# transpose that is missing, the list the wrong way round, the activation in place of its slope, a slope at the last layer, which has no
# activation, a mean for the bias.

# %% [markdown] lang="fr"
# Tout le réseau vous est donné, sauf `backward`, qui fait le retour. `forward` a gardé ce qu'il faut : pour la couche numéro `i`,
# `self.given[i]` est ce qui y est entré, `self.sums[i]` ce qu'elle a sommé, `self.weights[i]` ses poids ; `self.derivative` est la fonction
# $\varphi'$. `gradient` est celui de la perte par rapport aux sorties : une ligne par exemple, une colonne par sortie. Rendez la liste des
# gradients dans l'ordre de `parameters()` : poids puis biais, de la première couche à la dernière, chacun de la forme de ce qu'il corrige.
#
# <details><summary>Un indice</summary>Une boucle sur les couches, de la dernière à la première :
# `for layer in reversed(range(len(self.weights)))`. À chaque tour, les deux premières formules donnent les gradients de cette couche ; la
# troisième donne le `gradient` du tour suivant.</details>
#
# <details><summary>Un deuxième indice</summary>Le gradient des poids est `self.given[layer].T @ gradient`, celui du biais
# `gradient.sum(axis=0)`. Mettez cette paire **devant** celles que vous avez déjà, puisque l'on va à l'envers.</details>
#
# <details><summary>Un troisième indice</summary>Pour passer à la couche d'avant, s'il y en a une (`layer > 0`) :
# `(gradient @ self.weights[layer].T) * self.derivative(self.sums[layer - 1])`.</details>

# %% [markdown] lang="en"
# The whole network is given, except `backward`, which goes back. `forward` has kept what is needed: for layer number `i`, `self.given[i]`
# is what came in, `self.sums[i]` what it summed, `self.weights[i]` its weights; `self.derivative` is the function $\varphi'$. `gradient` is
# that of the loss with respect to the outputs: one row per example, one column per output. Return the list of the gradients in the order of
# `parameters()`: weights then bias, from the first layer to the last, each of the shape of what it corrects.
#
# <details><summary>A hint</summary>A loop over the layers, from the last to the first: `for layer in reversed(range(len(self.weights)))`. In
# each round the first two formulas give this layer's gradients; the third gives the `gradient` of the next round.</details>
#
# <details><summary>A second hint</summary>The weights' gradient is `self.given[layer].T @ gradient`, the bias's `gradient.sum(axis=0)`. Put
# this pair **before** those that you have already, since we go backwards.</details>
#
# <details><summary>A third hint</summary>To go on to the layer before, if there is one (`layer > 0`):
# `(gradient @ self.weights[layer].T) * self.derivative(self.sums[layer - 1])`.</details>

# %% implements="mlp:MLP" level=3 hollow=["backward"]
"""Des couches de neurones : x ↦ activation(x W + b), encore et encore.

La dernière couche n'a pas d'activation. `sizes` donne le nombre d'entrées, de
neurones de chaque couche cachée, et de sorties. Les poids sont tirés au départ
d'une loi normale de variance 2 / entrées, qui garde la taille d'un signal à
travers des couches ReLU (He et al. 2015, équation 10). Les biais partent de
zéro.
"""
"""Les poids et le biais de chaque couche, de la première à la dernière.

Ce sont les tableaux eux-mêmes : les changer sur place change le réseau.
"""
"""Les sorties de la dernière couche.

Ce que chaque couche a reçu et ce qu'elle a sommé sont gardés pour
`backward`.
"""
"""Les gradients de la perte par rapport à `parameters()`, dans leur ordre.

`gradient` est celui de la perte par rapport aux sorties. La règle de la
chaîne va de la dernière couche à la première (Rumelhart, Hinton et
Williams 1986). À appeler après `forward`.
"""

# %% scratch=true
chain = tiny_chain(MLP)
loss, gradient = mean_squared_error(chain.forward(chain_input), chain_target)
[slope.item() for slope in chain.backward(gradient)]  # → [1.5, 0.75, 0.5, 1.0]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ne croyez pas un gradient : mesurez-le
#
# Pousser un poids, dans les deux sens, et voir ce que devient la perte.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Pourquoi dans les deux sens ? (Ce que la courbe a de courbure s'annule.) D'un millionième, la pente mesurée et la pente écrite
# s'accordent sur huit décimales. Pourquoi ne pas toujours mesurer ? (Deux passages par poids ; la rétropropagation les donne toutes en un
# retour.) À faire pour tout gradient que l'on écrit.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Do not believe a gradient: measure it
#
# Push a weight, both ways, and see what becomes of the loss.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Why both ways? (What is curved in the curve cancels.) By a millionth, the measured slope and the written one agree to eight
# decimals. Why not always measure? (Two runs per weight; backpropagation gives them all in one way back.) To be done for every gradient
# that one writes.

# %% [markdown] lang="fr"
# ### Ne croyez pas un gradient : mesurez-le
#
# L'exemple de l'essai rend les quatre nombres de la figure : 1,5 et 0,75 pour le premier poids et son biais, 0,5 et 1 pour le second. Mais
# pour un réseau plus grand ? Une dérivée est une limite : on peut la vérifier en poussant un poids d'un millionième, vers le haut puis vers
# le bas. Le changement de la perte entre les deux, divisé par deux millionièmes, est presque exactement la pente. Essayons sur le poids qui
# va de la troisième entrée au quatrième neurone caché. **Combien de décimales communes attendez-vous ?**

# %% [markdown] lang="en"
# ### Do not believe a gradient: measure it
#
# The example in the scratch cell gives the four numbers of the figure: 1.5 and 0.75 for the first weight and its bias, 0.5 and 1 for the
# second. But for a larger network? A derivative is a limit: it can be checked by pushing a weight by a millionth, up, then down. The change
# of the loss between the two, divided by two millionths, is very nearly the slope. Let us try the weight that goes from the third input to
# the fourth hidden neuron. **How many decimals in common do you expect?**

# %%
network = MLP((3, 5, 2), "tanh", np.random.default_rng(1))
x, targets = np.random.default_rng(0).normal(size=(4, 3)), np.array([0, 1, 1, 0])
_, gradient = cross_entropy(network.forward(x), targets)
written = network.backward(gradient)[0][2, 3]

# %%
weights, nudge = network.weights[0], 1e-6
weights[2, 3] += nudge
above, _ = cross_entropy(network.forward(x), targets)
weights[2, 3] -= 2 * nudge
below, _ = cross_entropy(network.forward(x), targets)
weights[2, 3] += nudge
measured = (above - below) / (2 * nudge)
print(say("written: ", "écrit :  "), decimal(written, 8))
print(say("measured:", "mesuré : "), decimal(measured, 8))

# %% claims=true
assert abs(written - measured) < 5e-9

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
def loss_pushed(push):
    network.weights[0][2, 3] += push
    pushed, _ = cross_entropy(network.forward(x), targets)
    network.weights[0][2, 3] -= push
    return pushed


pushes = np.linspace(-1.5, 1.5, 61)
curved = [loss_pushed(push) for push in pushes]
figure, axes = plot(width=7.4, height=3.4)
axes.plot(pushes, curved, color=BLUE, label=say("loss", "perte"))
axes.plot(pushes, loss_pushed(0.0) + written * pushes, "--", color=VERMILION, label=say("written slope", "pente écrite"))
axes.set(xlabel=say("push of the weight", "poussée du poids"))
axes.set_title(say(f"written {written:.6f}, measured {measured:.6f}", f"écrite {written:.6f}, mesurée {measured:.6f}"), fontsize=14)
legend(axes, fontsize=12)
picture(figure, say("The loss as a curve against a weight, and the straight line of the written slope that touches it.",
                    "La perte en courbe selon un poids, et la droite de la pente écrite, qui la touche."))

# %% [markdown] lang="fr"
# Les deux nombres s'accordent sur huit décimales ; au-delà, l'arrondi de l'ordinateur brouille la mesure. Pour tous les poids, il faudrait
# relancer le réseau deux fois par poids ; la rétropropagation donne toutes les pentes en un seul retour. On l'emploie donc pour apprendre,
# et l'on mesure pour vérifier.

# %% [markdown] lang="en"
# The two numbers agree to eight decimals; beyond that the computer's rounding blurs the measurement. For all the weights, the network would
# have to be run twice per weight; backpropagation gives all the slopes in a single way back. So we use it to learn, and measure to check.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un petit pas vers le bas, et l'on recommence
#
# Un dixième de la pente à chaque pas : $\eta = 0{,}1$.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. L'image : une montagne dans le brouillard, la pente sous le pied. Premier pas : 0,5 − 0,1 × 1,5 = 0,35. Pourquoi les pas
# raccourcissent-ils ? (La pente diminue.) Et un pas trop grand ? (Il saute la vallée.) Dire « lot » et « époque » : un tour complet des
# exemples, lot après lot.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A small step down, and again
#
# A tenth of the slope at each step: $\eta = 0.1$.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. The image: a mountain in fog, the slope under one's foot. First step: 0.5 − 0.1 × 1.5 = 0.35. Why do the steps grow shorter? (The
# slope falls.) And too large a step? (It leaps over the valley.) Say "batch" and "epoch": a whole round of the examples, batch after batch.

# %% [markdown] lang="fr"
# ## 7. Descendre la pente
#
# Imaginez une montagne dans le brouillard : on ne voit pas la vallée, mais on sent la pente sous le pied. On fait un petit pas vers le bas,
# et l'on recommence. Dans la chaîne de la [](#layers), le premier poids vaut 0,5 et sa pente 1,5 : s'il grandit, la perte grandit. Il doit
# donc baisser. Ôtons-lui un dixième de sa pente : il devient $0{,}5 - 0{,}1 \times 1{,}5 = 0{,}35$. De même, son biais passe de $-1$ à
# $-1 - 0{,}1 \times 0{,}75 = -1{,}075$, le poids 3 à 2,95 et son biais de 0 à $-0{,}1$.
#
# **Devinez** : la perte valait 0,25 ; après ce seul pas sur les quatre nombres, sera-t-elle plus près de 0,2 ou de 0 ?
#
# Notons $\theta$ tous les poids et biais, $\nabla_\theta L$ leurs pentes, c'est-à-dire le gradient, et $\eta$ le **pas d'apprentissage**
# (*learning rate*) :

# %% [markdown] lang="en"
# ## 7. Going down the slope
#
# Think of a mountain in fog: the valley is out of sight, but one feels the slope under one's foot. Take a small step down, and begin again.
# In the chain of [](#layers) the first weight is 0.5 and its slope 1.5: if it grows, the loss grows. So it must go down. Take away a tenth
# of its slope: it becomes $0.5 - 0.1 \times 1.5 = 0.35$. Likewise its bias goes from $-1$ to $-1 - 0.1 \times 0.75 = -1.075$, the weight 3
# to 2.95, and its bias from 0 to $-0.1$.
#
# **Guess**: the loss was 0.25; after this one step of all four numbers, will it be nearer to 0.2 or to 0?
#
# Let $\theta$ be all weights and biases, $\nabla_\theta L$ their slopes, that is, the gradient, and $\eta$ the **learning rate**:

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
def output_at(weight):
    return 3 * mlp.sigmoid(2 * np.asarray(weight) - 1)


def slope_at(weight):
    return 2 * (output_at(weight) - 1) * 3 * mlp.sigmoid_derivative(2 * np.asarray(weight) - 1) * 2


visited = [0.5]
for _ in range(7):
    visited.append(float(visited[-1] - 0.1 * slope_at(visited[-1])))
valley = np.linspace(-0.15, 0.6, 200)
figure, axes = plot(width=6, height=2.8)
axes.plot(valley, (output_at(valley) - 1) ** 2, color=BLUE)
axes.plot(visited, (output_at(np.array(visited)) - 1) ** 2, "o-", color=VERMILION, linewidth=1)
axes.set(xlabel=say("first weight of the chain", "premier poids de la chaîne"), ylabel=say("loss", "perte"))
picture(figure, say("The chain's loss against its first weight; steps go down from 0.5, shorter and shorter.",
                    "La perte de la chaîne selon son premier poids ; des pas descendent depuis 0,5, de plus en plus courts."))

# %% [markdown] slide="fragment"
# $$ \theta \leftarrow \theta - \eta \, \nabla_\theta L $$

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 13-14"
# ## Exercices 13 et 14 : un pas, puis l'entraînement
#
# **12 min**, par deux.
#
# - **13** ●● `one_step` : aller, perte, retour, correction sur place.
# - **14** ●●● `gradient_descent` : des lots, des époques. À finir chez soi.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Le 13 en classe ; le 14 se commence par ses deux boucles, au tableau. Erreurs à guetter : `parameter = parameter - …`, qui laisse
# le réseau tel quel, un seul mélange pour toutes les époques, les cibles non mélangées, le dernier lot, plus petit, oublié ou compté comme
# un grand.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 13-14"
# ## Exercises 13 and 14: one step, then training
#
# **12 min**, in pairs.
#
# - **13** ●● `one_step`: forward, loss, back, correction in place.
# - **14** ●●● `gradient_descent`: batches, epochs. To be finished at home.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. 13 in class; 14 begins with its two loops, on the board. Mistakes to look for: `parameter = parameter - …`, which leaves the
# network as it was, a single shuffle for all epochs, targets that are not shuffled, the last batch, a smaller one, forgotten or counted as
# a large one.

# %% [markdown] lang="fr"
# Écrivez un pas. `loss(sorties, cibles)` rend la perte et son gradient, comme `cross_entropy`. Faites l'aller, la perte, le retour, puis
# corrigez chaque tableau de `network.parameters()`, **sur place**. Rendez la perte d'avant la correction. L'essai fait deux pas, avec
# `mlp.MLP`, le réseau de la bibliothèque : la perte du second répond à la devinette.
#
# <details><summary>Un indice</summary>`network.backward(gradient)` rend une liste de gradients dans l'ordre de `network.parameters()` :
# parcourez les deux ensemble avec `zip`.</details>
#
# <details><summary>Un deuxième indice</summary>`parameter -= learning_rate * slope` change le tableau lui-même, donc le réseau ;
# `parameter = parameter - …` ferait un autre tableau, et le réseau resterait tel quel.</details>

# %% [markdown] lang="en"
# Write one step. `loss(outputs, targets)` returns the loss and its gradient, as `cross_entropy` does. Go forward, take the loss, go back,
# then correct each array of `network.parameters()`, **in place**. Return the loss from before the correction. The example takes two steps,
# with `mlp.MLP`, the library's network: the loss of the second settles your guess.
#
# <details><summary>A hint</summary>`network.backward(gradient)` returns a list of gradients in the order of `network.parameters()`: go
# through both together with `zip`.</details>
#
# <details><summary>A second hint</summary>`parameter -= learning_rate * slope` changes the array itself, hence the network;
# `parameter = parameter - …` would make another array, and the network would stay as it was.</details>

# %% level=2
def one_step(network, loss, x, targets, learning_rate):
    value, gradient = loss(network.forward(x), targets)
    slopes = network.backward(gradient)
    for parameter, slope in zip(network.parameters(), slopes):
        parameter -= learning_rate * slope
    return value

# %% scratch=true
chain = tiny_chain(mlp.MLP)
first = one_step(chain, mean_squared_error, chain_input, chain_target, 0.1)
second = one_step(chain, mean_squared_error, chain_input, chain_target, 0.1)
round(first, 3), round(second, 3)  # → (0.25, 0.01)

# %%
def after_one_step():
    stepped = tiny_chain(mlp.MLP)
    value = one_step(stepped, mean_squared_error, chain_input, chain_target, 0.2)
    return [value, *(parameter.item() for parameter in stepped.parameters())]


wanted = [0.25, 0.2, -1.15, 2.9, -0.2]
expect(after_one_step, wanted, say("the loss and the four numbers", "la perte et les quatre nombres"))

# %% [markdown] lang="fr"
# De 0,25 à 0,01 en un pas : la chaîne est petite, et la pente raide.
#
# ### Des lots et des époques
#
# Avec des milliers d'exemples, les montrer tous à chaque pas coûterait cher ; n'en montrer qu'un rendrait le pas trop hasardeux. On prend
# un petit **lot** (*mini-batch*). À chaque **époque**, on mélange les exemples, puis on les passe lot après lot. Voici sept numéros,
# mélangés, en lots de trois. **Combien de lots, et de quelles tailles ?**

# %% [markdown] lang="en"
# From 0.25 to 0.01 in one step: the chain is small, and the slope steep.
#
# ### Batches and epochs
#
# With thousands of examples, showing all of them at each step would be costly; showing a single one would leave the step too much to
# chance. So take a small **batch** (a mini-batch). In each **epoch** the examples are shuffled, then go by batch after batch. Here are seven
# numbers, shuffled, in batches of three. **How many batches, and of which sizes?**

# %%
order = np.random.default_rng(0).permutation(7)
for start in range(0, 7, 3):
    print(order[start : start + 3])

# %% [markdown] lang="fr"
# Deux lots de trois, et un dernier, d'un seul numéro : la tranche s'arrête au bout toute seule. Chaque numéro est passé une fois.

# %% [markdown] lang="fr"
# Écrivez l'entraînement : `epochs` fois, un nouvel ordre, tiré par `generator.permutation(len(x))`, puis un pas par lot de `batch_size`
# exemples. `x[batch]` prend les lignes dont `batch` donne les numéros. Rendez une liste : la perte moyenne **par exemple** de chaque époque.
# Le dernier lot peut être plus petit ; il compte selon sa taille.
#
# <details><summary>Un indice</summary>Deux boucles : `for _ in range(epochs)`, puis, comme ci-dessus,
# `for start in range(0, len(x), batch_size)`. À l'intérieur, c'est le pas que vous venez d'écrire.</details>
#
# <details><summary>Un deuxième indice</summary>La perte d'un lot est une moyenne : ajoutez-la à `total`, multipliée par `len(batch)`. À la
# fin de l'époque, ajoutez `total / len(x)` à la liste.</details>
#
# <details><summary>Un troisième indice</summary>`order = generator.permutation(len(x))` au début de l'époque, `total = 0.0`, puis
# `batch = order[start : start + batch_size]` et
# `total += one_step(network, loss, x[batch], targets[batch], learning_rate) * len(batch)`.</details>

# %% [markdown] lang="en"
# Two batches of three, and a last one of a single number: the slice stops at the end by itself. Each number has gone by once.

# %% [markdown] lang="en"
# Write the training: `epochs` times, a new order, from `generator.permutation(len(x))`, then a step for each batch of `batch_size`
# examples. `x[batch]` takes the rows whose numbers are in `batch`. Return a list: the mean loss **per example** of each epoch. The last batch
# may be smaller; it counts according to its size.
#
# <details><summary>A hint</summary>Two loops: `for _ in range(epochs)`, then, as above, `for start in range(0, len(x), batch_size)`. Inside
# is the step that you have just written.</details>
#
# <details><summary>A second hint</summary>A batch's loss is a mean: add it to `total`, times `len(batch)`. At the end of the epoch add
# `total / len(x)` to the list.</details>
#
# <details><summary>A third hint</summary>`order = generator.permutation(len(x))` at the beginning of the epoch, `total = 0.0`, then
# `batch = order[start : start + batch_size]` and
# `total += one_step(network, loss, x[batch], targets[batch], learning_rate) * len(batch)`.</details>

# %% implements="mlp:gradient_descent" level=3
"""Entraîner un réseau par descente de gradient par petits lots.

Chaque époque parcourt les exemples dans un nouvel ordre, lot par lot, et fait
un pas vers le bas pour chaque lot. Le réseau est changé sur place. Rend la
perte moyenne de chaque époque.
"""

# %% scratch=true
losses = gradient_descent(
    tiny_chain(mlp.MLP), mean_squared_error, chain_input, chain_target,
    np.random.default_rng(0), epochs=2, batch_size=1, learning_rate=0.1,
)
[round(loss, 3) for loss in losses]  # → [0.25, 0.01]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Trouvera-t-il seul les poids du « ou exclusif » ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Parier avant de montrer. La perte tombe de 0,83 à 0,02, et les réponses sont 0, 1, 1, 0 : le réseau a trouvé ses propres portes.
# Qui a dit aux neurones cachés quoi répondre ? (Personne : une pente leur est revenue, 200 fois.) D'où vient le hasard ? (Des poids de
# départ.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Will it find the weights of the exclusive or by itself?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Bet before you show it. The loss falls from 0.83 to 0.02, and the answers are 0, 1, 1, 0: the network has found gates of its own.
# Who told the hidden neurons what to answer? (Nobody: a slope came back to them, 200 times.) Where does chance come in? (In the weights at
# the start.)

# %% [markdown] lang="fr"
# Revenons au « ou exclusif ». À la [](#what-no-neuron-will-ever-do), nous avions posé ses poids à la main. **Pariez** : un réseau de quatre
# neurones cachés, parti de poids tirés au hasard, en trouvera-t-il seul qui conviennent ?

# %% [markdown] lang="en"
# Back to the exclusive or. In [](#what-no-neuron-will-ever-do) we set its weights by hand. **Bet**: will a network of four hidden neurons,
# which starts from random weights, find weights that do it, all by itself?

# %% slide="fragment"
learner = MLP((2, 4, 2), "tanh", np.random.default_rng(0))
losses = gradient_descent(
    learner, cross_entropy, corners, exclusive, np.random.default_rng(0),
    epochs=200, batch_size=4, learning_rate=0.5,
)
print(say("loss, at first:", "perte, au début :"), decimal(losses[0], 2))
print(say("loss, at last:", "perte, à la fin :"), decimal(losses[-1], 2))
print(say("answers:", "réponses :"), learner.forward(corners).argmax(axis=1))

# %% claims=true
assert learner.forward(corners).argmax(axis=1).tolist() == [0, 1, 1, 0]
assert round(losses[0], 2) == 0.83 and round(losses[-1], 2) == 0.02

# %% [markdown] lang="fr"
# La perte tombe de 0,83 à 0,02, et les réponses sont 0, 1, 1, 0 : le réseau a trouvé ses propres portes. (`argmax(axis=1)` donne, pour chaque
# ligne, le numéro du plus grand logit : la réponse choisie.)

# %% [markdown] lang="en"
# The loss falls from 0.83 to 0.02, and the answers are 0, 1, 1, 0: the network has found gates of its own. (`argmax(axis=1)` gives, for each
# row, the number of the largest logit: the answer chosen.)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Quelle part de ces points une droite a-t-elle juste ?
#
# Et un réseau à deux couches cachées de 32 neurones ? Écrivez deux pourcentages.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire tracer la meilleure droite du doigt sur l'image, puis écrire les deux pourcentages. Demander ce que le hasard donnerait. (Un
# point sur deux.) Faire voter à main levée pour le réseau : moins de 80 %, moins de 95 %, plus. La réponse est sur la diapositive suivante.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### What share of these points does a line get right?
#
# And a network with two hidden layers of 32 neurons? Write down two percentages.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Have the best line traced with a finger on the picture, then the two percentages written. Ask what chance would give. (One point in
# two.) Have a show of hands for the network: below 80%, below 95%, above. The answer is on the next slide.

# %% [markdown] lang="fr"
# ### Deux spirales
#
# Plus difficile : six cents points sur deux spirales enlacées, tirés au hasard.

# %% [markdown] lang="en"
# ### Two spirals
#
# Something harder: six hundred random points on two intertwined spirals.

# %%
def spirals(n, generator):
    turn = np.sqrt(generator.uniform(0.02, 1, n)) * 3 * np.pi
    arm = generator.integers(0, 2, n)
    angle = turn + np.pi * arm
    places = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 5
    return places + generator.normal(0, 0.06, (n, 2)), arm


points, arms = spirals(600, np.random.default_rng(2))

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
def draw_spirals(axes):
    for arm, colour, marker in ((0, BLUE, "^"), (1, ORANGE, "o")):
        axes.scatter(*points[arms == arm].T, s=9, color=colour, marker=marker)
    axes.set(aspect="equal", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))


figure, axes = plot(width=4.2, height=4)
draw_spirals(axes)
axes.set_title(say("Which line would separate them?", "Quelle droite les séparerait ?"))
picture(figure, say("Two spirals of points, of two colours, wound round each "
                    "other.",
                    "Deux spirales de points, de deux couleurs, enroulées l'une"
                    " autour de l'autre."))

# %% [markdown] lang="fr"
# **Écrivez deux pourcentages** : quelle part des points une droite, c'est-à-dire un réseau sans couche cachée, classera-t-elle bien une fois
# entraînée ? Et un réseau à deux couches cachées de 32 neurones ?

# %% [markdown] lang="en"
# **Write down two percentages**: what share of the points will a line, that is, a network without a hidden layer, get right once it is
# trained? And a network with two hidden layers of 32 neurons?

# %%
def train_on_spirals(sizes, epochs, learning_rate):
    network = MLP(sizes, "tanh", np.random.default_rng(3))
    losses = gradient_descent(
        network, cross_entropy, points, arms, np.random.default_rng(4),
        epochs=epochs, batch_size=50, learning_rate=learning_rate,
    )
    return network, losses


shares = {}
for sizes in ((2, 2), (2, 32, 32, 2)):
    network, losses = train_on_spirals(sizes, epochs=400, learning_rate=0.2)
    shares[sizes] = 100 * (network.forward(points).argmax(axis=1) == arms).mean()
    print(sizes, say("right:", "justes :"), decimal(shares[sizes]), "%")

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Personne ne lui a dit ce qu'est une spirale
#
# Une droite : deux points sur trois. Le réseau : tous.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. La couleur du fond est la probabilité. Où la frontière est-elle floue ? (Là où il n'y a pas de points.) Avoir tout juste, est-ce
# une bonne nouvelle ? (On ne sait pas : ce sont les points de l'entraînement. Il faut juger sur ce qu'il n'a jamais vu.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Nobody told it what a spiral is
#
# A line: two points in three. The network: all of them.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. The colour of the background is the probability. Where is the boundary blurred? (Where there are no points.) All right, is that
# good news? (One cannot say: these are the points of the training. It must be judged on what it has never seen.)

# %% tags=["hide-input", "output-only-slide"]
side = np.linspace(-2.2, 2.2, 161)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
shades = softmax(network.forward(plane))[:, 1].reshape(161, 161)
figure, axes = plot(width=4.6, height=4.4)
levels = np.linspace(0, 1, 11)
axes.contourf(side, side, shades, levels=levels, cmap="PuOr_r", alpha=0.4)
draw_spirals(axes)
axes.set_title(say("The network winds its boundary between them", "Le réseau enroule sa frontière entre elles"))
picture(figure, say("Two intertwined spirals, and the smooth boundary between "
                    "them that the network found.",
                    "Deux spirales enlacées, et la frontière lisse que le "
                    "réseau a trouvée entre elles."))

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
figure.set_size_inches(4.3, 4.1)
picture(figure, say("Two intertwined spirals, and the smooth boundary between them that the network found.",
                    "Deux spirales enlacées, et la frontière lisse que le réseau a trouvée entre elles."))

# %% claims=true
assert 60 < shares[2, 2] < 70 and shares[2, 32, 32, 2] == 100

# %% [markdown] lang="fr"
# `(2, 2)` est un réseau sans couche cachée, donc une droite, là où ses deux logits sont égaux : à peine deux points sur trois, où le hasard
# en donnerait un sur deux. Avec deux couches cachées, tous. La couleur de fond donne la probabilité de chaque bras ; la frontière s'enroule
# avec les spirales, et personne ne lui a dit ce qu'est une spirale. Attention : ce sont les points de l'entraînement. La [](#real-digits)
# jugera sur des exemples jamais vus.

# %% [markdown] lang="en"
# `(2, 2)` is a network without a hidden layer, so a line, where its two logits are equal: barely two points in three, where chance would
# give one in two. With two hidden layers, all of them. The colour of the background gives the probability of each arm; the boundary winds
# with the spirals, and nobody told it what a spiral is. Beware: these are the points of the training. [](#real-digits) will judge on
# examples never seen.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Quel pas d'apprentissage descend le mieux ?
#
# Votez : 0,003, 0,03, 0,3, 1 ou 10.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire voter avant l'image, et noter les voix. Lire l'échelle : chaque trait divise la perte par dix. L'ordre : 1, puis 0,3, 0,03,
# 0,003 et 10. Que fait le pas de 10 ? (Il saute par-dessus la vallée et retombe plus haut.) Un bon pas se cherche, pour chaque réseau.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Which learning rate goes down best?
#
# Vote: 0.003, 0.03, 0.3, 1 or 10.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them vote before the picture, and write down the votes. Read the scale: each mark divides the loss by ten. The order: 1, then
# 0.3, 0.03, 0.003 and 10. What does the rate of 10 do? (It leaps over the valley and lands higher.) A good rate is looked for, for each
# network.

# %% [markdown] lang="fr"
# ### Le pas d'apprentissage
#
# Un réglage, une image. La même descente, avec cinq pas d'apprentissage : 0,003, 0,03, 0,3, 1 et 10. **Rangez-les** du meilleur au pire
# avant de lancer la cellule.

# %% [markdown] lang="en"
# ### The learning rate
#
# One knob, one picture. The same descent with five learning rates: 0.003, 0.03, 0.3, 1 and 10. **Rank them** from best to worst before you
# run the cell.

# %% slide="fragment" tags=["output-only-slide"]
figure, axes = plot()
final = {}
for rate, colour in zip((0.003, 0.03, 0.3, 1.0, 10.0), COLOURS):
    _, losses = train_on_spirals((2, 32, 32, 2), epochs=120, learning_rate=rate)
    axes.semilogy(losses, color=colour, label=f"{rate:g}")
    final[rate] = losses[-1]
axes.set(xlabel=say("epoch", "époque"), ylabel=say("loss", "perte"))
axes.set_title(say("Too small drags on, too large leaps away", "Trop petit, il traîne ; trop grand, il bondit"))
legend(axes, title=say("learning rate", "pas"), loc="lower left")
picture(figure, say(
    "Loss against epochs for five learning rates: "
    "0.003 hardly falls, 0.3 and 1 fall lowest, 10 climbs and stays high.",
    "Perte selon l'époque pour cinq pas : 0,003 descend à peine, "
    "0,3 et 1 descendent le plus bas, 10 monte et reste en haut.",
))

# %% claims=true
assert sorted(final, key=final.get) == [1.0, 0.3, 0.03, 0.003, 10.0]
assert final[10.0] > 10 > 0.65 > final[0.003] > 0.55 and final[1.0] < 0.003

# %% [markdown] lang="fr"
# Le meilleur ici est 1, puis 0,3 ; 0,03 descend, mais lentement. À 0,003, la perte a à peine bougé. À 10, elle grimpe et finit à plus de
# dix nats : chaque pas saute par-dessus la vallée et retombe plus haut. Le bon pas dépend du réseau et des exemples : on en essaie
# plusieurs.

# %% [markdown] lang="en"
# The best here is 1, then 0.3; 0.03 goes down, but slowly. At 0.003 the loss has hardly moved. At 10 it climbs, and ends above ten nats:
# each step leaps over the valley and lands higher up. The right rate depends on the network and on the examples: one tries several.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Quelle part des chiffres jamais vus lira-t-il bien ?
#
# 1 400 pour apprendre, 397 pour l'examen, 58 neurones. Pariez.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Reprendre les règles notées au début : que diraient-elles de ces trente chiffres ? Noter les paris. (95,7 % ; sans couche cachée,
# 94,7 %.) Pourquoi mettre 397 chiffres à part ? (On n'interroge pas un élève sur les exercices du cours.) Le 3 du début est lu comme un 3,
# presque sans hésiter.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### What share of digits never seen will it read right?
#
# 1,400 to learn from, 397 for the exam, 58 neurons. Bet.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take up the rules written at the beginning: what would they say of these thirty digits? Write down the bets. (95.7%; without a
# hidden layer, 94.7%.) Why put 397 digits apart? (One does not examine a pupil on the exercises done in class.) The 3 of the beginning is
# read as a 3, almost without hesitation.

# %% [markdown] lang="fr"
# ## 8. De vrais chiffres
#
# Revenons aux 64 nombres du début. scikit-learn est livré avec 1 797 chiffres manuscrits de 8 × 8 pixels ([](work:alpaydin1998)). En
# voici dix.

# %% [markdown] lang="en"
# ## 8. Real digits
#
# Back to the 64 numbers of the beginning. scikit-learn comes with 1,797 handwritten digits of 8 × 8 pixels ([](work:alpaydin1998)). Here
# are ten.

# %% tags=["hide-input", "output-only-slide"]
def show_digits(numbers, titles, rows=1, alt=""):
    columns = -(-len(numbers) // rows)
    figure, panels = plot(rows, columns, width=9, height=0.3 + 1.15 * rows)
    for panel in panels.flat:
        panel.axis("off")
    for panel, number, title in zip(panels.flat, numbers, titles):
        panel.imshow(images[number, 0].numpy(), cmap="gray")
        panel.set_title(title, fontsize=11)
    return picture(figure, alt)


ten = [int((classes == digit).nonzero()[7]) for digit in range(10)]
show_digits(ten, range(10), alt=say("One handwritten digit of each kind, white "
                                    "on black, eight pixels on a side.",
                                    "Un chiffre manuscrit de chaque sorte, "
                                    "blanc sur noir, de huit pixels de côté."))

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
thirty = [int((classes == digit).nonzero()[place]) for place in (7, 8, 9) for digit in range(10)]
show_digits(thirty, [*range(10), *[""] * 20], rows=3, alt=say(
    "Thirty handwritten digits, three of each kind, white on black, eight pixels on a side.",
    "Trente chiffres manuscrits, trois de chaque sorte, blanc sur noir, de huit pixels de côté."))

# %% [markdown] lang="fr"
# Vous les lisez sans doute tous, mais le 8 demande un effort : huit pixels de côté, c'est peu.
#
# Les images arrivent en tableau de PyTorch, la bibliothèque de la [](#the-same-network-in-pytorch). `flatten(1)` met bout à bout les lignes
# de chaque image : 64 nombres. `double()` les écrit avec 64 bits, et `numpy()` en fait un tableau de NumPy. Dans ce tableau, le noir vaut
# −1 et le blanc 1.
#
# Pour juger honnêtement, on n'interroge pas un élève sur les exercices du cours. Mélangeons les images : 1 400 chiffres serviront à
# apprendre, et les 397 autres, que le réseau ne verra pas, à l'examiner. Ce réseau, `reader`, a 48 neurones cachés et 10 neurones de
# sortie, un par chiffre : les cinquante-huit du début. **Écrivez votre pari** : quelle part de ces 397 lira-t-il bien ? Son **exactitude**
# (*accuracy*) est cette part.

# %% [markdown] lang="en"
# You can probably read them all, but the 8 takes an effort: eight pixels on a side are few.
#
# The pictures come as an array of PyTorch, the library of [](#the-same-network-in-pytorch). `flatten(1)` puts the rows of each picture end
# to end: 64 numbers. `double()` writes them with 64 bits, and `numpy()` makes a NumPy array of them. In this array black is −1 and white is
# 1.
#
# To judge honestly, one does not examine a pupil on the exercises done in class. Shuffle the pictures: 1,400 digits will serve for
# learning, and the other 397, which the network will not see, for the exam. This network, `reader`, has 48 hidden neurons and 10 output
# neurons, one for each digit: the fifty-eight of the beginning. **Write down your bet**: what share of these 397 will it read right? Its
# **accuracy** is that share.

# %%
pixels = images.flatten(1).double().numpy()
answers = classes.numpy()
order = np.random.default_rng(5).permutation(len(pixels))
seen, unseen = order[:1400], order[1400:]

reader = MLP((64, 48, 10), "relu", np.random.default_rng(6))
gradient_descent(
    reader, cross_entropy, pixels[seen], answers[seen], np.random.default_rng(7),
    epochs=60, batch_size=32, learning_rate=0.05,
)
chances = softmax(reader.forward(pixels))
reading = chances.argmax(axis=1)
right = (reading == answers)[unseen].mean()
print(say("right on digits never seen:", "justes sur des chiffres jamais vus :"), decimal(100 * right), "%")

# %%
print(say("the digit of the beginning is read as", "le chiffre du début est lu comme un"), reading[918])
print(say("with probability", "avec la probabilité"), decimal(chances[918].max(), 3))

# %% claims=true
assert 918 in unseen and reading[918] == answers[918] == 3 and chances[918].max() > 0.995
assert round(100 * right, 1) == 95.7 and len(unseen) == 397

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Dix-sept erreurs sur 397 : les liriez-vous mieux ?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Une minute en silence, puis : quel chiffre manque-t-il le plus ? (Le 8, neuf fois ; le 3, cinq fois.) Lesquels liriez-vous mal
# aussi ? Hésite-t-il quand il se trompe ? (Pas toujours : deux 8 sont lus de travers avec au moins 99 %.) La probabilité d'un réseau n'est
# pas une garantie.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Seventeen errors in 397: would you read them better?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. A minute of silence, then: which digit does it miss most? (The 8, nine times; the 3, five times.) Which would you misread, too?
# Does it hesitate when it is wrong? (Not always: two 8s are misread with at least 99%.) A network's probability is not a guarantee.

# %% [markdown] lang="fr"
# Environ 96 %, et le chiffre du début, qui n'était pas parmi les 1 400, est lu comme un 3, presque sans hésiter. La règle que vous cherchiez
# est là, dans 3 610 nombres que personne n'a écrits. Comparez avec la vôtre.
#
# Un chiffre sur vingt-trois, tout de même, est mal lu. **Avant de regarder, devinez** : quel chiffre est le plus souvent manqué ? Et le
# réseau hésite-t-il quand il se trompe ?

# %% [markdown] lang="en"
# About 96%, and the digit of the beginning, which was not among the 1,400, is read as a 3, almost without hesitation. The rule that you were
# looking for is there, in 3,610 numbers that nobody wrote. Compare it with yours.
#
# One digit in twenty-three, all the same, is misread. **Before you look, guess**: which digit is missed most often? And does the network
# hesitate when it is wrong?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
missed = [number for number in unseen if reading[number] != answers[number]]
titles = [
    f"{answers[n]} → {reading[n]} ({100 * chances[n].max():.0f}%)" for n in missed
]
show_digits(missed, titles, rows=3, alt=say(
    "The seventeen digits that the network misreads, each with what it is, what"
    " the network read, and how sure it was; nine are eights.",
    "Les dix-sept chiffres que le réseau lit mal, chacun avec ce qu'il est, ce "
    "qu'il y lit et sa confiance ; neuf sont des huit."))

# %% claims=true
assert len(missed) == 17 and 23 < 397 / 17 < 24
assert sum(answers[number] == 8 for number in missed) == 9 and sum(answers[number] == 3 for number in missed) == 5
assert sum(chances[number].max() > 0.985 for number in missed) == 2 and all(answers[n] == 8 for n in missed if chances[n].max() > 0.985)
assert sum(parameter.size for parameter in reader.parameters()) == 3610

# %% [markdown] lang="fr"
# Au-dessus de chaque image : le vrai chiffre, ce que le réseau a lu, sa probabilité. Dix-sept erreurs, dont neuf sur des 8 et cinq sur des
# 3 : la question du début était la bonne. Certains de ces chiffres feraient hésiter n'importe qui. Mais deux 8 sont lus de travers avec une
# probabilité d'au moins 99 %, à l'arrondi : la probabilité d'un réseau n'est pas une garantie.
#
# ### Ce que cherche un neurone
#
# Un neurone de la première couche a 64 poids, un par pixel : on peut donc les montrer comme une image. En orange, les pixels dont le blanc
# le fait s'activer ; en violet, ceux dont le blanc le retient. En haut, les dix neurones d'un réseau **sans** couche cachée, un par
# chiffre, entraîné de la même façon. En bas, dix des 48 neurones cachés de notre réseau, ceux qui pèsent le plus sur les réponses.
# **Devinez** lesquels ressembleront à des chiffres.

# %% [markdown] lang="en"
# Above each picture: the true digit, what the network read, its probability. Seventeen errors, of which nine are 8s and five are 3s: the
# question of the beginning was the right one. Some of these digits would make anybody hesitate. But two 8s are misread with a probability
# of at least 99%, rounded: a network's probability is not a guarantee.
#
# ### What a neuron looks for
#
# A neuron of the first layer has 64 weights, one for each pixel: so they can be shown as a picture. In orange, the pixels whose white makes
# it fire; in purple, those whose white holds it back. Above, the ten neurons of a network **without** a hidden layer, one for each digit,
# trained in the same way. Below, ten of the 48 hidden neurons of our network, those that weigh most on the answers. **Guess** which of them
# will look like digits.

# %%
flat_reader = MLP((64, 10), "relu", np.random.default_rng(6))
gradient_descent(
    flat_reader, cross_entropy, pixels[seen], answers[seen],
    np.random.default_rng(7), epochs=60, batch_size=32, learning_rate=0.05,
)
flat_right = (flat_reader.forward(pixels).argmax(axis=1) == answers)[unseen].mean()
print(say("without a hidden layer:", "sans couche cachée :"), decimal(100 * flat_right), "%")

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Que cherche un neurone ?
#
# Sans couche cachée (en haut), des patrons. Avec (en bas), des morceaux.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Orange : le blanc de ce pixel pousse au oui ; violet : il retient. Faire deviner lesquels ressembleront à des chiffres. (En haut,
# le 0 est un anneau au centre interdit ; en bas, aucun.) La couche cachée apporte-t-elle beaucoup ? (Un point : ces chiffres sont presque
# linéairement séparables.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### What does a neuron look for?
#
# Without a hidden layer (above), templates. With one (below), pieces.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Orange: white in this pixel pushes towards yes; purple: it holds back. Have them guess which will look like digits. (Above, the 0
# is a ring with a forbidden centre; below, none.) Does the hidden layer bring much? (One point: these digits are nearly linearly
# separable.)

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
heaviest = np.argsort(-abs(reader.weights[1]).sum(axis=1))[:10]
figure, panels = plot(2, 10, width=9, height=2.6)
for panel in panels.flat:
    panel.axis("off")
for digit in range(10):
    flat = flat_reader.weights[0][:, digit].reshape(8, 8)
    panels[0, digit].imshow(flat, cmap="PuOr_r", vmin=-0.8, vmax=0.8)
    panels[0, digit].set_title(f"{digit}", fontsize=11)
    hidden = reader.weights[0][:, heaviest[digit]].reshape(8, 8)
    panels[1, digit].imshow(hidden, cmap="PuOr_r", vmin=-0.6, vmax=0.6)
picture(figure, say("Weights as pictures: above, the ten neurons of a network "
                    "without a hidden layer, where that of 0 is a ring; below, "
                    "ten hidden neurons, patches that resemble no digit.",
                    "Des poids en images : en haut, les dix neurones d'un "
                    "réseau sans couche cachée, où celui du 0 est un anneau ; "
                    "en bas, dix neurones cachés, des taches qui ne ressemblent"
                    " à aucun chiffre."))

# %% claims=true
ring = flat_reader.weights[0][:, 0].reshape(8, 8)
assert ring[3:5, 3:5].max() < 0 < min(ring[2:6, 2].mean(), ring[2:6, 5].mean())
started = MLP((64, 48, 10), "relu", np.random.default_rng(6)).weights[0]
assert np.corrcoef(started.ravel(), reader.weights[0].ravel())[0, 1] > 0.5
assert round(100 * flat_right, 1) == 94.7 and round(100 * (right - flat_right)) == 1

# %% [markdown] lang="fr"
# En haut, on reconnaît le 0 : un anneau orange, un centre violet qui interdit le blanc au milieu. Un neurone seul ne peut chercher qu'un tel
# patron. En bas, rien ne ressemble à un chiffre : un neurone caché cherche un morceau, un bout de trait contre un fond, et la couche
# suivante assemble. Une partie de ces taches n'est que le bruit du tirage de départ, que l'entraînement n'a pas effacé.
#
# La couche cachée apporte-t-elle beaucoup ? Sans elle, 94,7 % ; avec elle, 95,7 %. Un point, ici : les chiffres sont presque linéairement
# séparables. Les spirales, elles, ne l'étaient pas.

# %% [markdown] lang="en"
# Above, one recognises the 0: an orange ring, a purple centre that forbids white in the middle. A neuron alone can look for such a template
# only. Below, nothing looks like a digit: a hidden neuron looks for a piece, a bit of stroke against a background, and the next layer puts
# the pieces together. Part of these patches is no more than the noise of the random start, which training has not wiped out.
#
# Does the hidden layer bring much? Without it, 94.7%; with it, 95.7%. One point, here: digits are nearly linearly separable. The spirals
# were not.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### PyTorch trouve-t-il les mêmes gradients que vous ?
#
# Les mêmes poids dans les deux réseaux, puis `loss.backward()`.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire dire ce que chaque appel remplace : `nn.Linear`, une couche ; `loss.backward()`, leur `backward`. Pourquoi `.T` ? (PyTorch
# range une ligne par neurone.) Quel écart attendre ? (Environ $10^{-16}$, l'arrondi des nombres de 64 bits : les deux calculs sont le
# même.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Does PyTorch find the same gradients as you?
#
# The same weights in both networks, then `loss.backward()`.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them say what each call stands for: `nn.Linear`, a layer; `loss.backward()`, their `backward`. Why `.T`? (PyTorch keeps one
# row per neuron.) Which gap to expect? (About $10^{-16}$, the rounding of numbers of 64 bits: the two computations are the same.)

# %% [markdown] lang="fr"
# ## 9. Le même réseau en PyTorch
#
# Vous avez écrit les gradients ; vous avez gagné le droit de ne plus le faire. PyTorch note chaque opération à l'aller et applique la règle
# de la chaîne au retour. La suite du cours s'en sert. Voici ses mots :
#
# - `nn.Linear(64, 48)` est une couche : des poids et un biais, sans activation ; `nn.ReLU()` est l'activation ;
# - `nn.Sequential(…)` les met à la suite, en une seule ligne ; `.double()` prend des nombres de 64 bits, comme les nôtres ;
# - PyTorch range les poids **une ligne par neurone**, nous une colonne : d'où les transposées, `.T` ;
# - `torch.from_numpy` fait d'un tableau de NumPy un **tenseur**, le tableau de PyTorch ;
# - `with torch.no_grad()` : ce qui suit ne fait pas partie du calcul à dériver ; `copy_` écrit sur place.
#
# Donnons les mêmes poids aux deux réseaux.

# %% [markdown] lang="en"
# ## 9. The same network in PyTorch
#
# You wrote the gradients; you have earned the right not to write them any more. PyTorch notes each operation on the way forward and applies
# the chain rule on the way back. The rest of the course relies on it. These are its words:
#
# - `nn.Linear(64, 48)` is a layer: weights and a bias, without an activation; `nn.ReLU()` is the activation;
# - `nn.Sequential(…)` puts them one after another, in a single line; `.double()` takes numbers of 64 bits, like ours;
# - PyTorch keeps weights **one row per neuron**, we one column: hence the transposes, `.T`;
# - `torch.from_numpy` turns a NumPy array into a **tensor**, PyTorch's array;
# - `with torch.no_grad()`: what follows is no part of the computation to differentiate; `copy_` writes in place.
#
# Let us give both networks the same weights.

# %% slide="fragment"
ours = MLP((64, 48, 10), "relu", np.random.default_rng(6))
theirs = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10)).double()
with torch.no_grad():
    for parameter, value in zip(theirs.parameters(), ours.parameters()):
        parameter.copy_(torch.from_numpy(value.T))

# %% [markdown] lang="fr"
# Puis l'aller et le retour. `nn.functional.cross_entropy` prend des logits et des numéros de classe, comme la nôtre, mais ne rend que la
# perte. `loss.backward()` calcule toutes les pentes et les laisse dans `parameter.grad`, à côté de chaque paramètre. **Quel écart
# attendez-vous** entre ses gradients et les vôtres ?

# %% [markdown] lang="en"
# Then forward and back. `nn.functional.cross_entropy` takes logits and class numbers, like ours, but returns the loss alone.
# `loss.backward()` computes all the slopes and leaves them in `parameter.grad`, beside each parameter. **Which gap do you expect** between
# its gradients and yours?

# %% tags=["output-only-slide"]
fifty = torch.from_numpy(pixels[:50])
loss = nn.functional.cross_entropy(theirs(fifty), classes[:50])
loss.backward()
_, gradient = cross_entropy(ours.forward(pixels[:50]), answers[:50])
gaps = []
for parameter, slope in zip(theirs.parameters(), ours.backward(gradient)):
    gaps.append(abs(parameter.grad.numpy().T - slope).max())
print(say("largest gap:", "plus grand écart :"), f"{max(gaps):.0e}")

# %% claims=true
assert max(gaps) < 1e-14 < 1e-9 < max(abs(slope).max() for slope in ours.backward(gradient))

# %% slide="fragment" slide_only=true tags=["hide-input", "output-only-slide"]
figure, axes = plot(width=5.6, height=2.4)
for parameter, slope in zip(theirs.parameters(), ours.backward(gradient)):
    axes.plot(slope.ravel(), parameter.grad.numpy().T.ravel(), ".", color=BLUE)
axes.set(xlabel=say("your gradients", "vos gradients"), ylabel=say("those of PyTorch", "ceux de PyTorch"))
picture(figure, say("The gradients of PyTorch against those written by hand: all points lie on the diagonal.",
                    "Les gradients de PyTorch selon ceux écrits à la main : tous les points sont sur la diagonale."))

# %% [markdown] lang="fr"
# Un nombre comme `6e-17` se lit $6 \times 10^{-17}$. Un écart si petit n'est que l'arrondi de nombres à seize chiffres : les deux calculs
# sont le même.

# %% [markdown] lang="en"
# A number such as `6e-17` reads $6 \times 10^{-17}$. So small a gap is no more than the rounding of numbers of sixteen digits: the two
# computations are the same.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Combien de neurones pour suivre cette courbe ?
#
# Chaque ReLU ajoute un changement de pente.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Lire l'erreur avec 16 neurones (0,094), faire prédire celle avec 32 (0,025 : divisée par quatre environ), puis déplacer le réglage.
# Que ne promet pas le théorème d'approximation universelle ? (Que la descente trouve ces poids : il dit seulement qu'ils existent.)

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### How many neurons to follow this curve?
#
# Each ReLU adds one change of slope.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Read the error with 16 neurons (0.094), have that with 32 predicted (0.025: divided by about four), then move the knob. What does
# the theorem of universal approximation not promise? (That the descent finds these weights: it only says that they exist.)

# %% [markdown] lang="fr"
# ## 10. Assez de neurones suivent n'importe quelle courbe
#
# Jusqu'où va une seule couche cachée ? Avec une entrée, une sortie et des ReLU, on le voit sans rien entraîner : chaque neurone ajoute un
# changement de pente, et la ligne brisée suit la courbe. **Avant de bouger le réglage**, dites ce que devient l'erreur quand on double le
# nombre de neurones.

# %% [markdown] lang="en"
# ## 10. Enough neurons follow any curve
#
# How far does a single hidden layer go? With one input, one output and ReLUs it can be seen without training anything: each neuron adds one
# change of slope, and the broken line follows the curve. **Before you move the knob**, say what becomes of the error when the number of
# neurons is doubled.

# %%
across = np.linspace(-1.5, 1.5, 601)
curve = np.sin(2.5 * across) + 0.4 * np.sin(7 * across)


def approximate(neurons):
    knots = np.linspace(-1.5, 1.5, neurons + 1)
    network = relu_interpolation(knots, np.interp(knots, across, curve))
    broken = network.forward(across[:, None])[:, 0]
    error = abs(broken - curve).max()
    figure, axes = plot()
    axes.plot(across, curve, color="grey", linewidth=6, alpha=0.4)
    axes.plot(across, broken, color=VERMILION)
    title = say(f"{neurons} neurons, largest error {error:.3f}",
                f"{neurons} neurones, plus grande erreur {error:.3f}")
    axes.set_title(title)
    return picture(figure, say("A curve and a broken line: ", "Une courbe et une ligne brisée : ") + title)

# %% slide="fragment" tags=["output-only-slide"]
Explorer(approximate, neurons=Knob(say("neurons", "neurones"), [2, 4, 8, 16, 32], start=1))

# %% claims=true
def error_of(neurons):
    knots = np.linspace(-1.5, 1.5, neurons + 1)
    return abs(relu_interpolation(knots, np.interp(knots, across, curve)).forward(across[:, None])[:, 0] - curve).max()


assert round(error_of(4), 3) == 0.883 and round(error_of(16), 3) == 0.094 and round(error_of(32), 3) == 0.025

# %% [markdown] lang="fr"
# Avec 4 neurones, l'erreur est de 0,883 ; avec 16, de 0,094 ; avec 32, de 0,025. Dès que les neurones sont assez nombreux pour une courbe
# lisse, les doubler divise l'erreur par quatre environ.
#
# C'est un cas d'un théorème général, l'**approximation universelle** : une seule couche cachée, assez large, approche d'aussi près que l'on
# veut toute fonction continue sur un domaine fermé et borné. [Cybenko (1989)](work:cybenko1989) l'a prouvé pour des sigmoïdes, [Hornik,
# Stinchcombe et White (1989)](work:hornik1989) puis [Hornik (1991)](work:hornik1991) pour des activations bornées. Le rectifieur ne l'est
# pas : pour lui, le résultat est de [Leshno, Lin, Pinkus et Schocken (1993)](work:leshno1993), qui l'étendent à toute activation continue
# qui n'est pas un polynôme. Tous disent que de bons poids **existent** ; aucun ne dit que la descente les trouve.

# %% [markdown] lang="en"
# With 4 neurons the error is 0.883; with 16, 0.094; with 32, 0.025. As soon as the neurons are many enough for a smooth curve, doubling
# them divides the error by about four.
#
# It is a case of a general theorem, **universal approximation**: a single hidden layer, wide enough, comes as near as you like to any
# continuous function on a closed and bounded domain. [Cybenko (1989)](work:cybenko1989) proved it for sigmoids, [Hornik, Stinchcombe and
# White (1989)](work:hornik1989), then [Hornik (1991)](work:hornik1991), for bounded activations. The rectifier is not bounded: for it, the
# result is due to [Leshno, Lin, Pinkus and Schocken (1993)](work:leshno1993), who extend it to any continuous activation that is not a
# polynomial. All say that good weights **exist**; none says that the descent finds them.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## Quiz : quelle erreur ce softmax fait-il ?
#
# Avant chaque réponse, dites ce qu'un bon softmax rendrait.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Cacher les réponses, et les dévoiler une à une. Un exemple seul : trois fois 1, déjà faux. Faire additionner chaque ligne, puis
# chaque colonne. (Les colonnes font 1, et non les lignes.) Laisser voter sur les choix ci-dessous avant de conclure.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## Quiz: which mistake does this softmax make?
#
# Before each answer, say what a good softmax would return.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Hide the answers, and uncover them one by one. A single example: 1 three times, wrong already. Have each row added up, then each
# column. (The columns make 1, and not the rows.) Let them vote on the choices below before you conclude.

# %% [markdown] lang="fr"
# ## 11. Quelle erreur est-ce ?
#
# Voici un softmax écrit par quelqu'un d'autre, et il est faux. Ne regardez pas son code : interrogez-le. **Avant de lancer la cellule**,
# écrivez ce qu'un bon softmax répondrait à ces trois questions : un exemple seul, le même deux fois, et un grand logit. Faites la somme
# de chaque ligne de ses réponses, puis de chaque colonne.

# %% [markdown] lang="en"
# ## 11. Which mistake is this?
#
# Here is a softmax that somebody else wrote, and it is wrong. Do not look at its code: question it. **Before you run the cell**, write down
# what a good softmax would answer to these three questions: a single example, the same one twice, and a large logit. Add up each row of
# its answers, then each column.

# %% slide="fragment"
mystery, question = suspect("mlp:softmax", "softmax_over_the_batch")
print(say("one example:", "un exemple :"), mystery(np.array([[1.0, 2.0, 3.0]])))
print(say("the same twice:", "le même deux fois :"))
print(mystery(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])))
print(say("a large logit:", "un grand logit :"))
print(mystery(np.array([[0.0, 0.0], [0.0, 800.0]])))

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 15-17"
# ## Exercices 15 à 17 : pour chez soi
#
# **6 min** pour les lire et faire le premier.
#
# - **15** ● Une majorité de trois voix.
# - **16** ●● La marche n'apprend pas.
# - **17** ●●● Petit et bon : 1 500 nombres, 93 % de chiffres bien lus.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Le 15 en classe. (Trois poids de 1 et un biais de −1,5.) Faire prédire le 16. (Deux tableaux sur six : derrière une marche, rien ne
# revient.) Pour le 17, combien de neurones cachés au plus ? (19.) Erreur à guetter : régler le réseau sur les chiffres de l'examen.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 15-17"
# ## Exercises 15 to 17: for home
#
# **6 min** to read them and do the first.
#
# - **15** ● A majority of three votes.
# - **16** ●● The step does not learn.
# - **17** ●●● Small and good: 1,500 numbers, 93% of digits read right.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. 15 in class. (Three weights of 1 and a bias of −1.5.) Have 16 predicted. (Two arrays of six: behind a step nothing comes back.) For
# 17, how many hidden neurons at most? (19.) Mistake to look for: tuning the network on the digits of the exam.

# %% [markdown] lang="fr"
# ## 12. Trois exercices pour finir

# %% [markdown] lang="fr"
# **Une majorité.** Trois entrées, 0 ou 1 : trouvez les poids, dans une liste de trois nombres, et le biais d'un neurone qui dit oui quand
# deux au moins valent 1.
#
# <details><summary>Un indice</summary>Trois poids égaux à 1 : quelle somme ont deux voix ? Et une seule ? Le biais place le seuil entre les
# deux.</details>

# %% [markdown] lang="en"
# ## 12. Three exercises to end with

# %% [markdown] lang="en"
# **A majority.** Three inputs, 0 or 1: find the weights, in a list of three numbers, and the bias of a neuron that says yes when at least
# two are 1.
#
# <details><summary>A hint</summary>Three weights of 1: which sum do two votes have? And a single one? The bias puts the threshold between
# the two.</details>

# %% level=1
majority_weights = [1.0, 1.0, 1.0]
majority_bias = -1.5

# %% scratch=true
neuron(np.array([[1, 0, 1], [0, 1, 0]]), np.array(majority_weights), majority_bias)
# → array([1., 0.])

# %%
def votes_of_three():
    if majority_weights is ... or majority_bias is ...:
        return ...
    every_vote = np.array(list(np.ndindex(2, 2, 2)))
    return neuron(every_vote, np.array(majority_weights), majority_bias)


expect(votes_of_three, [0, 0, 0, 1, 0, 1, 1, 1], say("the majority", "la majorité"))

# %% [markdown] lang="fr"
# **La marche n'apprend pas.** Voici le réseau des spirales en plus petit, avec la marche pour activation, et les gradients de sa perte : six
# tableaux, poids et biais des trois couches.

# %% [markdown] lang="en"
# **The step does not learn.** Here is a smaller network for the spirals, with the step as its activation, and the gradients of its loss: six
# arrays, the weights and biases of the three layers.

# %%
stepped = mlp.MLP((2, 8, 8, 2), "step", np.random.default_rng(0))
_, gradient = mlp.cross_entropy(stepped.forward(points), arms)
step_slopes = stepped.backward(gradient)

# %% [markdown] lang="fr"
# Prédisez d'abord combien de ces six tableaux ne sont pas entièrement nuls ; puis écrivez dans `moving` le calcul qui les compte. Quelles
# couches apprennent encore ?
#
# <details><summary>Un indice</summary>La pente de la marche est nulle partout. Que devient un gradient qui la traverse ?</details>
#
# <details><summary>Un deuxième indice</summary>`slope.any()` dit si un tableau contient au moins un nombre non nul ; comptez ceux de
# `step_slopes`.</details>

# %% [markdown] lang="en"
# First predict how many of these six arrays are not all zeros; then write in `moving` the expression that counts them. Which layers still
# learn?
#
# <details><summary>A hint</summary>The step's slope is zero everywhere. What becomes of a gradient that passes through it?</details>
#
# <details><summary>A second hint</summary>`slope.any()` says whether an array holds at least one number that is not zero; count those of
# `step_slopes`.</details>

# %% level=2
moving = sum(bool(slope.any()) for slope in step_slopes)

# %% scratch=true
[slope.shape for slope in step_slopes]
# → [(2, 8), (8,), (8, 8), (8,), (8, 2), (2,)]

# %%
expect(moving, 2, say("the arrays that still move", "les tableaux qui bougent encore"))

# %% [markdown] lang="fr"
# Les poids et le biais de la dernière couche, et rien d'autre : derrière une marche, plus rien ne revient.

# %% [markdown] lang="fr"
# **Petit et bon.** Trouvez un réseau d'au plus 1 500 poids et biais qui lise au moins 93 % des chiffres jamais vus. Choisissez la taille de la
# couche cachée, l'activation, le pas, le nombre d'époques. Mettez le réseau entraîné dans `small` et ses pertes dans `history` ; il est jugé
# sur `pixels[unseen]`, qu'il ne doit pas voir à l'entraînement.
#
# À force d'essais sur les mêmes 397 chiffres, vous finirez par choisir un réseau qui leur convient : ils ne seront plus vraiment inconnus.
# Une étude rigoureuse règle le réseau sur un troisième groupe d'exemples, dit de **validation**, et garde pour la fin ceux de l'examen.
#
# <details><summary>Un indice</summary>64 entrées, h neurones cachés, 10 sorties : 64h + h + 10h + 10 nombres. Combien vaut h au
# plus ?</details>
#
# <details><summary>Un deuxième indice</summary>h vaut au plus 19. Partez de la cellule qui entraîne `reader`, avec 18 neurones, et regardez la
# dernière perte : si elle est encore haute, plus d'époques.</details>
#
# <details><summary>Un troisième indice</summary>`MLP((64, 18, 10), "relu", np.random.default_rng(8))`, 80 époques, des lots de 16, un pas
# de 0,03.</details>

# %% [markdown] lang="en"
# The weights and the bias of the last layer, and nothing else: behind a step nothing comes back any more.

# %% [markdown] lang="en"
# **Small and good.** Find a network of at most 1,500 weights and biases that reads at least 93% of the digits never seen. Choose the size
# of the hidden layer, the activation, the learning rate, the number of epochs. Put the trained network in `small` and its losses in
# `history`; it is judged on `pixels[unseen]`, which it must not see in training.
#
# After enough tries on the same 397 digits you will end up choosing a network that suits them: they will no longer be really unknown. A
# rigorous study tunes the network on a third group of examples, called the **validation** set, and keeps those of the exam for the end.
#
# <details><summary>A hint</summary>64 inputs, h hidden neurons, 10 outputs: 64h + h + 10h + 10 numbers. How large can h be?</details>
#
# <details><summary>A second hint</summary>h is at most 19. Start from the cell that trains `reader`, with 18 neurons, and look at the last
# loss: if it is still high, more epochs.</details>
#
# <details><summary>A third hint</summary>`MLP((64, 18, 10), "relu", np.random.default_rng(8))`, 80 epochs, batches of 16, a learning rate of
# 0.03.</details>

# %% level=3
small = MLP((64, 18, 10), "relu", np.random.default_rng(8))
history = gradient_descent(
    small, cross_entropy, pixels[seen], answers[seen], np.random.default_rng(9),
    epochs=80, batch_size=16, learning_rate=0.03,
)

# %% scratch=true
largest = mlp.MLP((64, 19, 10), "relu", np.random.default_rng(0))
sum(parameter.size for parameter in largest.parameters())  # → 1435

# %%
def small_and_good():
    if small is ...:
        return ...
    count = sum(parameter.size for parameter in small.parameters())
    read = (small.forward(pixels[unseen]).argmax(axis=1) == answers[unseen]).mean()
    print(count, say("numbers, right:", "nombres, justes :"), decimal(100 * read), "%")
    return bool(count <= 1500 and read >= 0.93)


expect(small_and_good, True, say("small and good enough", "assez petit et assez bon"))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz perceptron"
# ## Quiz : neuf questions
#
# **8 min**. Seul d'abord ; puis comparez avec votre voisin.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Quatre minutes seul, dans le notebook ; puis à main levée, question par question. S'arrêter où la moitié de la salle se trompe, et
# faire expliquer par qui a juste. Le calcul des 3 610 nombres et la pente de la chaîne se refont au tableau.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz perceptron"
# ## Quiz: nine questions
#
# **8 min**. Alone at first; then compare with your neighbour.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Four minutes alone, in the notebook; then by show of hands, question by question. Stop where half the room is wrong, and let those
# who are right explain. The count of 3,610 numbers and the slope of the chain are worked out again on the board.

# %% [markdown] lang="fr"
# ## 13. Questions

# %% [markdown] lang="en"
# ## 13. Questions

# %% quiz="perceptron"
quiz(
    Choice(
        say("The bias of a neuron is raised. What happens to its line?", "On augmente le biais d'un neurone. Qu'arrive-t-il à sa droite ?"),
        [say("It turns.", "Elle tourne."), say("It moves, and the side of yes grows.", "Elle se déplace, et le côté du oui grandit."),
         say("It moves, and the side of yes shrinks.", "Elle se déplace, et le côté du oui rétrécit.")],
        right=1,
        why=say("A larger bias needs less from the inputs to reach zero.",
                "Un biais plus grand demande moins aux entrées pour atteindre zéro."),
        why_not=[
            say("Its slant depends on the weights alone, and they have not changed.",
                "Son inclinaison ne dépend que des poids, et ils n'ont pas changé."),
            say("That is what a smaller bias does: the sum is then harder to bring to zero.",
                "C'est l'effet d'un biais plus petit : la somme a alors plus de mal à atteindre zéro."),
        ],
    ),
    Choice(
        say("Rosenblatt's rule is run, with no limit on passes, on examples that no line separates. What does it do?",
            "On lance la règle de Rosenblatt, sans limiter les passages, sur des exemples qu'aucune droite ne sépare. Que fait-elle ?"),
        [say("It finds the line with the fewest mistakes.", "Elle trouve la droite qui fait le moins de fautes."),
         say("It stops after the first pass.", "Elle s'arrête après le premier passage."),
         say("It goes on correcting for ever.", "Elle corrige sans fin.")],
        right=2,
        why=say("A pass without a correction would mean a line that separates, and there is none.",
                "Un passage sans correction voudrait dire une droite qui sépare, et il n'y en a pas."),
        why_not=[
            say("It knows nothing of the number of mistakes: it corrects one example at a time.",
                "Elle ignore le nombre de fautes : elle corrige un exemple à la fois."),
            say("It stops after a pass without a correction, and every pass has one here.",
                "Elle s'arrête après un passage sans correction, et ici chaque passage en fait une."),
        ],
    ),
    Choice(
        say("A neuron is a binary logistic regression if", "Un neurone est une régression logistique à deux classes si"),
        [say("its activation is a step and Rosenblatt's rule corrects it", "son activation est la marche et la règle de Rosenblatt le corrige"),
         say("its activation is a sigmoid and it lowers the cross-entropy", "son activation est la sigmoïde et il diminue l'entropie croisée"),
         say("its activation is a ReLU and it lowers the cross-entropy", "son activation est un ReLU et il diminue l'entropie croisée")],
        right=1,
        why=say("The sigmoid gives the probability of yes, and the cross-entropy is the surprise at the right answer.",
                "La sigmoïde donne la probabilité du oui, et l'entropie croisée est la surprise devant la bonne réponse."),
        why_not=[
            say("That is the perceptron: it says yes or no, and no probability.",
                "C'est le perceptron : il dit oui ou non, et aucune probabilité."),
            say("A ReLU may give 7: that is no probability.", "Un ReLU peut donner 7 : ce n'est pas une probabilité."),
        ],
    ),
    Number(
        say("How many weights and biases does a network of sizes (64, 48, 10) have?",
            "Combien de poids et de biais un réseau de tailles (64, 48, 10) a-t-il ?"),
        right=3610,
        why=say("64 × 48 + 48 in the first layer, 48 × 10 + 10 in the second.",
                "64 × 48 + 48 dans la première couche, 48 × 10 + 10 dans la seconde."),
        computed=lambda: sum(p.size for p in MLP((64, 48, 10), "relu", np.random.default_rng(0)).parameters()),
    ),
    Number(
        say("A network that knows nothing gives ten classes the same probability. What is its cross-entropy, in nats, to two decimals?",
            "Un réseau qui ne sait rien donne à dix classes la même probabilité. "
            "Que vaut son entropie croisée, en nats, à deux décimales ?"),
        right=2.30,
        why=say("-log(1/10) = log 10. If your first loss is far from it, look for a bug.",
                "-log(1/10) = log 10. Si votre première perte en est loin, cherchez une erreur."),
        computed=lambda: round(cross_entropy(np.zeros((1, 10)), np.array([0]))[0], 2),
    ),
    Number(
        say("In the chain of section 6 the input is 4 in place of 2, and the first bias −2, so that all else stays the same. What is the slope of the first weight?",
            "Dans la chaîne de la section 6, l'entrée vaut 4 au lieu de 2 et le premier biais −2 : tout le reste est inchangé. Quelle est la pente du premier poids ?"),
        right=3.0,
        why=say("What came in, 4, times what came back, 0.75.", "Ce qui est entré, 4, fois ce qui est revenu, 0,75."),
        computed=lambda: 4 * 0.75,
    ),
    Choice(
        say("All weights start at zero. What goes wrong?", "Tous les poids partent de zéro. Qu'est-ce qui ne va pas ?"),
        [say("Nothing: the gradient will move them.", "Rien : le gradient les fera bouger."),
         say("The neurons of a hidden layer stay alike for ever.", "Les neurones d'une couche cachée restent pareils pour toujours."),
         say("The loss is infinite.", "La perte est infinie.")],
        right=1,
        why=say("Equal neurons get equal gradients; only chance tells them apart.",
                "Des neurones égaux reçoivent des gradients égaux ; seul le hasard les départage."),
        why_not=[
            say("It moves them all by the same amount, or not at all: a slope of zero comes back through weights of zero.",
                "Il les fait bouger tous d'autant, ou pas du tout : à travers des poids nuls revient une pente nulle."),
            say("All answers get the same probability: the loss is the logarithm of their number.",
                "Toutes les réponses ont la même probabilité : la perte est le logarithme de leur nombre."),
        ],
    ),
    Choice(
        say("Ten layers without any activation between them compute", "Dix couches sans aucune activation entre elles calculent"),
        [say("the same as one layer", "la même chose qu'une couche"), say("any curve", "n'importe quelle courbe"),
         say("the exclusive or", "le ou exclusif")],
        right=0,
        why=say("A product of ten matrices is a matrix.", "Un produit de dix matrices est une matrice."),
        why_not=[
            say("It takes changes of slope to follow a curve, and only an activation makes them.",
                "Suivre une courbe demande des changements de pente, et seule une activation en fait."),
            say("The exclusive or needs two lines; ten layers without activation have one.",
                "Le ou exclusif demande deux droites ; dix couches sans activation n'en ont qu'une."),
        ],
    ),
    Number(
        say("The largest slope of the sigmoid is", "La plus grande pente de la sigmoïde vaut"),
        right=0.25,
        why=say("At z = 0, where σ = 1/2. By their slopes alone, ten sigmoids in a row divide a gradient by a million at least.",
                "En z = 0, où σ = 1/2. Par leurs seules pentes, dix sigmoïdes à la suite divisent un gradient par un million au moins."),
        computed=lambda: float(sigmoid_derivative(np.zeros(1))[0]),
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Un neurone : une somme pondérée, une décision, une droite.
# - Une faute le corrige ; la marge borne les corrections.
# - Le « ou exclusif » demande deux couches.
# - Rétropropager : multiplier les pentes, de la fin au début.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire dire chaque ligne par quelqu'un, sans regarder, avec l'image qui va avec. Rappeler ce qui se finit à la maison : les
# exercices 5, 10, 12, 14, 16 et 17. Annoncer la suite, la leçon 02 : les mêmes outils, et des mots pour entrées.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - A neuron: a weighted sum, a decision, a line.
# - A mistake corrects it; the margin bounds the corrections.
# - The exclusive or takes two layers.
# - Backpropagation: multiply the slopes, from the end to the beginning.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Have somebody say each line without looking, with the picture that goes with it. Recall what is to be finished at home: exercises
# 5, 10, 12, 14, 16 and 17. Announce what follows, lesson 02: the same tools, and words for inputs.

# %% [markdown] lang="fr"
# ## À retenir
#
# - Un neurone est une somme pondérée et une décision : une droite qui coupe le plan.
# - La correction d'erreur trouve une droite qui sépare, s'il y en a une ; la marge et la longueur des exemples, non leur nombre, bornent ses
#   corrections.
# - Aucune droite ne fait le « ou exclusif » ; deux couches le font.
# - La rétropropagation est la règle de la chaîne, de la fin au début : ce qui est entré fois ce qui est revenu ; retour par les mêmes poids,
#   fois la pente.
# - Un gradient se vérifie en poussant les poids, et un réseau se juge sur ce qu'il n'a jamais vu.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:02) donne des vecteurs aux mots, avec les mêmes outils : une perte, un gradient, des lots.
#
# Pour revoir la rétropropagation autrement : M. Nielsen, [*Neural networks and deep learning*](work:nielsen2015) (2015), livre libre en
# ligne, écrit lui aussi un réseau qui lit des chiffres, en NumPy ; la série de vidéos *Neural networks* de G. Sanderson (chaîne
# 3Blue1Brown, en anglais, sous-titrée) montre les mêmes idées en mouvement.
#
# ## Sources
#
# - W. McCulloch et W. Pitts, [*A logical calculus of the ideas immanent in nervous activity*](work:mcculloch1943), 1943.
# - F. Rosenblatt, [*The perceptron: a probabilistic model for information storage and organization in the brain*](work:rosenblatt1958),
#   1958 ; [*Perceptron simulation experiments*](work:rosenblatt1960), 1960 ; [*Principles of neurodynamics*](work:rosenblatt1962), 1962.
# - D. Cox, [*The regression analysis of binary sequences*](work:cox1958), 1958.
# - A. Novikoff, [*On convergence proofs on perceptrons*](work:novikoff1962), 1962.
# - M. Minsky et S. Papert, [*Perceptrons*](work:minsky1969), 1969.
# - D. Rumelhart, G. Hinton et R. Williams, [*Learning representations by back-propagating errors*](work:rumelhart1986), 1986.
# - G. Cybenko, [*Approximation by superpositions of a sigmoidal function*](work:cybenko1989), 1989.
# - K. Hornik, M. Stinchcombe et H. White, [*Multilayer feedforward networks are universal approximators*](work:hornik1989), 1989 ; K.
#   Hornik, [*Approximation capabilities of multilayer feedforward networks*](work:hornik1991), 1991.
# - M. Leshno, V. Lin, A. Pinkus et S. Schocken, [*Multilayer feedforward networks with a nonpolynomial activation function can approximate
#   any function*](work:leshno1993), 1993.
# - E. Alpaydin et C. Kaynak, [*Optical recognition of handwritten digits*](work:alpaydin1998), 1998 (les chiffres de scikit-learn).
# - V. Nair et G. Hinton, [*Rectified linear units improve restricted Boltzmann machines*](work:nair2010), 2010.
# - K. He, X. Zhang, S. Ren et J. Sun, [*Delving deep into rectifiers: surpassing human-level performance on ImageNet
#   classification*](work:he2015), 2015.

# %% [markdown] lang="en"
# ## Take-aways
#
# - A neuron is a weighted sum and a decision: a line that cuts the plane.
# - Error correction finds a line that separates, if there is one; the margin and the length of the examples, not their number, bound its
#   corrections.
# - No line does the exclusive or; two layers do.
# - Backpropagation is the chain rule from the end to the beginning: what came in times what came back; back through the same weights, times
#   the slope.
# - A gradient is checked by pushing the weights, and a network is judged on what it has never seen.

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:02) gives vectors to words, with the same tools: a loss, a gradient, batches.
#
# To see backpropagation again in another way: M. Nielsen, [*Neural networks and deep learning*](work:nielsen2015) (2015), a free book
# online, also writes a network that reads digits, in NumPy; the video series *Neural networks* by G. Sanderson (channel 3Blue1Brown) shows
# the same ideas in motion.
#
# ## Sources
#
# - W. McCulloch and W. Pitts, [*A logical calculus of the ideas immanent in nervous activity*](work:mcculloch1943), 1943.
# - F. Rosenblatt, [*The perceptron: a probabilistic model for information storage and organization in the brain*](work:rosenblatt1958),
#   1958; [*Perceptron simulation experiments*](work:rosenblatt1960), 1960; [*Principles of neurodynamics*](work:rosenblatt1962), 1962.
# - D. Cox, [*The regression analysis of binary sequences*](work:cox1958), 1958.
# - A. Novikoff, [*On convergence proofs on perceptrons*](work:novikoff1962), 1962.
# - M. Minsky and S. Papert, [*Perceptrons*](work:minsky1969), 1969.
# - D. Rumelhart, G. Hinton and R. Williams, [*Learning representations by back-propagating errors*](work:rumelhart1986), 1986.
# - G. Cybenko, [*Approximation by superpositions of a sigmoidal function*](work:cybenko1989), 1989.
# - K. Hornik, M. Stinchcombe and H. White, [*Multilayer feedforward networks are universal approximators*](work:hornik1989), 1989; K.
#   Hornik, [*Approximation capabilities of multilayer feedforward networks*](work:hornik1991), 1991.
# - M. Leshno, V. Lin, A. Pinkus and S. Schocken, [*Multilayer feedforward networks with a nonpolynomial activation function can approximate
#   any function*](work:leshno1993), 1993.
# - E. Alpaydin and C. Kaynak, [*Optical recognition of handwritten digits*](work:alpaydin1998), 1998 (scikit-learn's digits).
# - V. Nair and G. Hinton, [*Rectified linear units improve restricted Boltzmann machines*](work:nair2010), 2010.
# - K. He, X. Zhang, S. Ren and J. Sun, [*Delving deep into rectifiers: surpassing human-level performance on ImageNet
#   classification*](work:he2015), 2015.
