# ---
# jupyter:
#   lesson:
#     number: "01"
#     hours: [2, 1, 1, 2]
#     title: {en: "From one neuron to backpropagation", fr: "D'un neurone à la rétropropagation"}
# ---

# %% [markdown] lang="fr" slide="subslide"
# Toutes les machines de ce cours, DALL·E compris, sont faites de la même pièce : une somme pondérée suivie d'une décision. Voici cette
# pièce, ce qu'elle sait faire seule, ce qu'elle ne saura jamais faire, et comment des couches de telles pièces apprennent.
#
# **À la fin de cette leçon, vous saurez**
#
# - écrire un neurone et le voir comme une droite qui coupe le plan ;
# - le laisser apprendre par la règle de Rosenblatt, et compter ses corrections ;
# - prouver qu'aucun neurone seul ne calcule le « ou exclusif » ;
# - écrire un réseau à plusieurs couches, et son gradient, à la main, en NumPy ;
# - reconnaître des chiffres manuscrits, puis récrire le même réseau en une ligne de PyTorch.
#
# **Il faut** un peu de Python et de NumPy, et savoir ce que sont une dérivée, un produit scalaire et un produit de matrices. Rien d'autre.

# %% [markdown] lang="en" slide="subslide"
# Every machine of this course, DALL·E included, is made of one and the same part: a weighted sum followed by a decision. Here is that part,
# what it can do alone, what it never will, and how layers of such parts learn.
#
# **By the end of this lesson you will be able to**
#
# - write a neuron, and see it as a line that cuts the plane;
# - let it learn by Rosenblatt's rule, and count its corrections;
# - prove that no single neuron computes the exclusive or;
# - write a network of several layers, and its gradient, by hand, in NumPy;
# - recognise handwritten digits, then write the same network again in one line of PyTorch.
#
# **You need** a little Python and NumPy, and to know what a derivative, a dot product and a product of matrices are. Nothing else.

# %%
import numpy as np
import torch
from torch import nn

from dalle_edu.bricks.perceptron import GATES, gate, novikoff_bound, xor
from dalle_edu.bricks.mlp import relu_interpolation
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLUE, COLOURS, ORANGE, VERMILION, legend, picture, plot
from dalle_edu.classroom.suspect import suspect
from dalle_edu.classroom.widgets.boundary import boundary_explorer, draw_boundary
from dalle_edu.datasets.digits import digits

# %% [markdown] lang="fr" slide="slide"
# ## 1. Un neurone vote
#
# Un neurone reçoit des nombres et rend une réponse : oui ou non. Imaginez un jury dont chaque membre a une voix, mais où certaines voix
# comptent double et d'autres comptent contre. On additionne ; si le total atteint un seuil, c'est oui.
#
# Chaque entrée $x_i$ est multipliée par son **poids** $w_i$. Le **biais** $b$ dit combien le neurone penche d'avance vers le oui : c'est le
# seuil, changé de signe et passé de l'autre côté de l'inégalité.

# %% [markdown] lang="en" slide="slide"
# ## 1. A neuron votes
#
# A neuron takes numbers and gives an answer: yes or no. Think of a jury where every member has a vote, but where some votes count double
# and others count against. Add them up; if the total reaches a threshold, it is a yes.
#
# Each input $x_i$ is multiplied by its **weight** $w_i$. The **bias** $b$ says how far the neuron leans towards yes beforehand: it is the
# threshold with its sign changed, brought to the other side of the inequality.

# %% [markdown] slide="fragment"
# $$ y = \begin{cases} 1 & w_1 x_1 + \dots + w_d x_d + b \ge 0 \\ 0 & w_1 x_1 + \dots + w_d x_d + b < 0 \end{cases} $$

# %% [markdown] lang="fr"
# D'abord la décision : 1 à partir de zéro, 0 au-dessous. Écrivez-la pour un tableau entier d'un coup ; `np.where(condition, a, b)` prend
# `a` là où la condition est vraie et `b` ailleurs.

# %% [markdown] lang="en"
# First the decision: 1 from zero upwards, 0 below. Write it for a whole array at once; `np.where(condition, a, b)` takes `a` where the
# condition is true and `b` elsewhere.

# %% implements="perceptron:step" level=1
"""La fonction marche : 1 là où z >= 0, 0 ailleurs.

Comme activation, 1 signifie que le neurone s'active (Rosenblatt 1958).
"""

# %% [markdown] lang="fr"
# Puis la somme. `x` contient un exemple par ligne : `x @ weights` fait toutes les sommes pondérées ensemble.
#
# <details><summary>Un indice</summary>La décision est déjà écrite : il reste à lui donner la bonne somme.</details>

# %% [markdown] lang="en"
# Then the sum. `x` holds one example per row: `x @ weights` does all the weighted sums together.
#
# <details><summary>A hint</summary>The decision is written already: what remains is to give it the right sum.</details>

# %% implements="perceptron:neuron" level=1
"""Un neurone : 1 là où x · weights + bias n'est pas négatif, 0 ailleurs."""

# %% [markdown] lang="fr" slide="slide"
# ### Un neurone est une droite
#
# Avec deux entrées, les points où la somme vaut exactement zéro forment une droite. D'un côté le neurone s'active, de l'autre il se tait.
# Les poids sont une flèche perpendiculaire à la droite, qui montre le côté du oui ; le biais pousse la droite le long de la flèche, dans un
# sens ou dans l'autre.
#
# Voici deux nuages de points. Tournez et poussez la droite pour les séparer.

# %% [markdown] lang="en" slide="slide"
# ### A neuron is a line
#
# With two inputs, the points where the sum is exactly zero form a line. On one side the neuron fires, on the other it keeps silent. The
# weights are an arrow at right angles to the line, which points to the side of yes; the bias pushes the line along the arrow, one way or
# the other.
#
# Here are two clouds of points. Turn and push the line until it separates them.

# %% slide="fragment" tags=["output-only-slide"]
rng = np.random.default_rng(0)
clouds = np.concatenate([rng.normal((1.2, 0.9), 0.45, (30, 2)), rng.normal((-0.6, -1.0), 0.45, (30, 2))])
labels = np.repeat([1, -1], 30)
boundary_explorer(clouds, labels)

# %% [markdown] lang="fr" slide="slide"
# ### Des portes logiques
#
# McCulloch et Pitts l'ont remarqué dès 1943 : avec des entrées 0 ou 1, un neurone calcule une porte logique. Pour « et », les deux
# voix ensemble doivent atteindre le seuil, et une seule ne doit pas y suffire.

# %% [markdown] lang="en" slide="slide"
# ### Logic gates
#
# McCulloch and Pitts saw it as early as 1943: with inputs 0 or 1, a neuron computes a logic gate. For "and", the two votes together must
# reach the threshold, and one alone must not.

# %% slide="fragment"
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
for name in ("and", "or", "nand"):
    weights, bias = GATES[name]
    print(f"{name:5} w = {weights}  b = {bias:4}  ->", gate(name, corners))

# %% [markdown] lang="fr"
# Trouvez vous-même les poids et le biais de la porte « a implique b », qui ne vaut 0 que si a vaut 1 et b vaut 0. Les quatre coins sont
# dans l'ordre 00, 01, 10, 11.

# %% [markdown] lang="en"
# Find the weights and the bias of the gate "a implies b" yourself: it is 0 only when a is 1 and b is 0. The four corners come in the
# order 00, 01, 10, 11.

# %% level=1
implies_weights = [-1.0, 1.0]
implies_bias = 0.5

# %%
def table():
    if implies_weights is ... or implies_bias is ...:
        return ...
    return neuron(corners, np.array(implies_weights), implies_bias)


expect(table, [1, 1, 0, 1], say("the table of “a implies b”", "la table de « a implique b »"))

# %% [markdown] lang="fr" slide="slide"
# ## 2. Le neurone apprend
#
# Placer la droite à la main ne mène pas loin. En 1958, Frank Rosenblatt laisse le neurone se corriger lui-même. On lui montre un exemple ;
# s'il a tort, on ajoute l'exemple à ses poids, avec le signe de la bonne réponse. La droite tourne alors un peu vers l'exemple manqué.
#
# La bonne réponse, ou **étiquette** $y$, vaut ici $-1$ (non) ou $+1$ (oui). Le biais est rangé dans $w$ : c'est le poids d'une entrée qui
# vaut toujours 1.

# %% [markdown] lang="en" slide="slide"
# ## 2. The neuron learns
#
# Placing the line by hand does not take us far. In 1958 Frank Rosenblatt lets the neuron correct itself. Show it an example; if it is
# wrong, add the example to its weights, with the sign of the right answer. The line then turns a little towards the example that it missed.
#
# The right answer, or **label** $y$, is $-1$ (no) or $+1$ (yes) here. The bias is kept in $w$: it is the weight of an input that is
# always 1.

# %% [markdown] slide="fragment"
# $$ y \, (w \cdot x) \le 0 \quad \Longrightarrow \quad w \leftarrow w + y \, x $$

# %% [markdown] lang="fr"
# Écrivez la règle. Un exemple sur la droite compte comme une erreur : sinon, partis de zéro, les poids ne bougeraient jamais. Les exemples
# passent dans l'ordre, au plus `passes` fois ; un passage sans correction termine. Gardez la droite (les poids, puis le biais) après chaque
# correction dans `boundaries`, zéros de départ compris, et rendez `PerceptronRun(np.array(boundaries), converged=…)`. Nul besoin d'un
# **pas d'apprentissage**, c'est-à-dire d'un facteur devant $y \, x$ : la description de la fonction dit pourquoi.
#
# <details><summary>Un indice</summary>`np.column_stack([x, np.ones(len(x))])` ajoute l'entrée toujours égale à 1. Après une correction,
# créez un nouveau tableau (`boundary = boundary + …`) : `+=` changerait aussi ceux que vous avez gardés.</details>

# %% [markdown] lang="en"
# Write the rule. An example on the line counts as an error: otherwise the weights, which start at zero, would never move. The examples go
# by in order, at most `passes` times; a pass without a correction ends it. Keep the line (the weights, then the bias) after each correction
# in `boundaries`, the zeros of the beginning included, and return `PerceptronRun(np.array(boundaries), converged=…)`. It needs no
# **learning rate**, that is, no factor before $y \, x$: the function's description says why.
#
# <details><summary>A hint</summary>`np.column_stack([x, np.ones(len(x))])` adds the input that is always 1. After a correction make a new
# array (`boundary = boundary + …`): `+=` would change those that you kept, too.</details>

# %% implements="perceptron:train_perceptron" level=2
"""Règle de Rosenblatt : ajouter aux poids chaque exemple mal classé.

L'exemple est d'abord multiplié par son étiquette (`y`, -1 ou +1). Un exemple
sur la droite compte comme mal classé. Les exemples passent dans l'ordre, au
plus `passes` fois. Un passage sans correction termine l'entraînement : la
droite sépare les classes. Il n'y a pas de pas d'apprentissage : puisque les
poids partent de zéro, il ne ferait qu'en changer l'échelle.
"""
# the bias is the weight of an input that is always 1 => le biais est le poids d'une entrée toujours égale à 1

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### La droite qu'il a trouvée

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### The line that it found

# %% slide="fragment"
order = rng.permutation(len(clouds))
learned = train_perceptron(clouds[order], labels[order])
print(say("corrections:", "corrections :"), len(learned.boundaries) - 1)
draw_boundary(clouds, labels, learned.weights, learned.bias)

# %% [markdown] lang="fr" slide="slide"
# ### Combien de corrections ?
#
# Supposons que des poids $w^\star$, de longueur 1, séparent les classes avec une **marge** $\gamma$ : $y \, (w^\star \cdot x) \ge \gamma$
# pour chaque exemple. Supposons aussi qu'aucun exemple, entrée 1 comprise, n'est plus long que $R$. Novikoff a prouvé en 1962 que le
# neurone se corrige alors au plus $(R/\gamma)^2$ fois, quel que soit le nombre d'exemples.
#
# Chaque correction fait avancer $w$ d'au moins $\gamma$ le long de $w^\star$. Et comme elle n'a lieu que si $y \, (w \cdot x) \le 0$, le
# carré de la longueur de $w$ grandit d'au plus $R^2$. Après $n$ corrections :

# %% [markdown] lang="en" slide="slide"
# ### How many corrections?
#
# Suppose that weights $w^\star$ of length 1 separate the classes with a **margin** $\gamma$: $y \, (w^\star \cdot x) \ge \gamma$ for every
# example. Suppose too that no example, its input of 1 included, is longer than $R$. Novikoff proved in 1962 that the neuron then corrects
# itself at most $(R/\gamma)^2$ times, however many examples there are.
#
# Each correction moves $w$ at least $\gamma$ along $w^\star$. And since it is made only if $y \, (w \cdot x) \le 0$, the square of the
# length of $w$ grows by at most $R^2$. After $n$ corrections:

# %% [markdown] slide="fragment"
# $$ n \, \gamma \;\le\; w \cdot w^\star \;\le\; \lVert w \rVert \;\le\; \sqrt{n} \, R \quad \Longrightarrow \quad n \le (R / \gamma)^2 $$

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### La borne, et ce qui se passe

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### The bound, and what happens

# %% slide="fragment" tags=["output-only-slide"]
margins = [1.2, 0.9, 0.6, 0.3, 0.1, 0.03]
made, allowed = [], []
for margin in margins:
    points = rng.uniform(-2, 2, (2000, 2))
    distance = points @ [0.6, 0.8]
    points, sign = points[abs(distance) > margin], np.sign(distance[abs(distance) > margin]).astype(int)
    made.append(len(train_perceptron(points, sign).boundaries) - 1)
    allowed.append(novikoff_bound(points, sign, np.array([0.6, 0.8]), 0.0))
figure, axes = plot()
axes.loglog(margins, allowed, "o-", color=BLUE, label=say("the bound", "la borne"))
axes.loglog(margins, made, "s-", color=VERMILION, label=say("corrections made", "corrections faites"))
axes.set(xlabel=say("margin", "marge"))
legend(axes)
picture(figure, say("As the margin shrinks, corrections grow more numerous, but stay below the bound.",
                    "Quand la marge rétrécit, les corrections sont plus nombreuses, mais restent sous la borne."))

# %% [markdown] lang="fr" slide="slide"
# ## 3. Ce qu'aucun neurone ne saura faire
#
# Le « ou exclusif » vaut 1 quand une entrée et une seule vaut 1. Supposons qu'un neurone le calcule. Il se tait en 00 et en 11 :
# $b < 0$ et $w_1 + w_2 + b < 0$. Il s'active en 01 et en 10 : $w_2 + b \ge 0$ et $w_1 + b \ge 0$. Ajoutez les deux
# premières, puis les deux dernières :

# %% [markdown] lang="en" slide="slide"
# ## 3. What no neuron will ever do
#
# The exclusive or is 1 when one and only one input is 1. Suppose that a neuron computes it. It keeps silent at 00 and at 11:
# $b < 0$ and $w_1 + w_2 + b < 0$. It fires at 01 and at 10: $w_2 + b \ge 0$ and $w_1 + b \ge 0$. Add the first two, then
# the last two:

# %% [markdown] slide="fragment"
# $$ w_1 + w_2 + 2b \;<\; 0 \;\le\; w_1 + w_2 + 2b $$

# %% [markdown] lang="fr"
# C'est impossible. En 1969, Minsky et Papert ont consacré un livre à ce que les perceptrons ne peuvent pas calculer. Vérifions au hasard :
# cent mille neurones, et le meilleur score de tous.

# %% [markdown] lang="en"
# That is impossible. In 1969 Minsky and Papert devoted a book to what perceptrons cannot compute. Let us check at random: a hundred
# thousand neurons, and the best score of all.

# %% slide="fragment"
exclusive = np.array([0, 1, 1, 0])
tries = rng.normal(size=(100_000, 3))
answers = corners @ tries[:, :2].T + tries[:, 2] >= 0
print(say("best of 100,000 neurons:", "le meilleur de 100 000 neurones :"), (answers.T == exclusive).mean(axis=1).max())
print(say("two layers:", "deux couches :"), xor(corners))

# %% [markdown] lang="fr" slide="subslide"
# Deux couches suffisent pourtant : ($x_1$ ou $x_2$) et non ($x_1$ et $x_2$). La première couche dessine deux droites, la seconde ne garde
# que la bande entre elles. Tout le problème est de **trouver** ces poids : la règle de Rosenblatt corrige la sortie, mais qui dira à un
# neurone **caché**, de la première couche, ce qu'il aurait dû répondre ?

# %% [markdown] lang="en" slide="subslide"
# Two layers are enough, though: ($x_1$ or $x_2$) and not ($x_1$ and $x_2$). The first layer draws two lines, the second keeps only the band
# between them. The whole problem is to **find** those weights: Rosenblatt's rule corrects the output, but who will tell a **hidden**
# neuron, one of the first layer, what it should have answered?

# %% [markdown] lang="fr" slide="slide"
# ## 4. Adoucir la décision
#
# C'est la pente qui le dira au neurone caché. Mais la décision est une marche, de pente nulle : poussez un peu un poids, et la réponse ne
# change pas, ou saute. Remplaçons-la par une courbe lisse, la **sigmoïde**, qui va de 0 à 1 et dit « plutôt oui » ou « plutôt non ».

# %% [markdown] lang="en" slide="slide"
# ## 4. Softening the decision
#
# The slope will tell the hidden neuron. But the decision is a step, whose slope is zero: push a weight a little, and the answer does not
# change, or jumps. Let us put a smooth curve in its place, the **sigmoid**, which goes from 0 to 1 and says "rather yes" or "rather no".

# %% [markdown] slide="fragment"
# $$ \sigma(z) = \frac{1}{1 + e^{-z}} \qquad\qquad \sigma'(z) = \sigma(z) \, \bigl(1 - \sigma(z)\bigr) $$

# %% [markdown] lang="fr"
# Écrivez-la sans débordement : `np.exp(1000)` vaut l'infini. Pour $z$ négatif, $\sigma(z) = e^{z} / (1 + e^{z})$ n'a que de petites
# exponentielles.
#
# <details><summary>Un indice</summary>Prenez `small = np.exp(-np.abs(z))` : c'est $e^{-z}$ d'un côté et $e^{z}$ de l'autre, jamais plus
# de 1. Il ne reste qu'à choisir le numérateur.</details>

# %% [markdown] lang="en"
# Write it without overflow: `np.exp(1000)` is infinite. For negative $z$, $\sigma(z) = e^{z} / (1 + e^{z})$ has only small exponentials.
#
# <details><summary>A hint</summary>Take `small = np.exp(-np.abs(z))`: it is $e^{-z}$ on one side and $e^{z}$ on the other, never more
# than 1. What remains is to choose the numerator.</details>

# %% implements="mlp:sigmoid" level=1
"""La fonction logistique 1 / (1 + exp(-z)), dans (0, 1).

On ne prend l'exponentielle d'aucun nombre positif : rien ne déborde.
"""

# %% [markdown] lang="fr"
# Puis sa pente : la seconde formule ci-dessus la donne à partir de `sigmoid` elle-même.

# %% [markdown] lang="en"
# Then its slope: the second formula above gives it from `sigmoid` itself.

# %% implements="mlp:sigmoid_derivative" level=1
"""La pente de la sigmoïde : σ(z) (1 - σ(z)).

Elle vaut au plus 1/4 : de longues suites de sigmoïdes apprennent lentement.
"""
# 1 - σ(z) is σ(-z) => 1 - σ(z) est σ(-z)

# %% [markdown] lang="fr"
# La fonction qui suit la somme s'appelle l'**activation** du neurone. Deux autres serviront plus loin : la **tangente hyperbolique**
# (`tanh`), une sigmoïde étirée pour aller de $-1$ à 1, et le **rectifieur** (*rectified linear unit*, ReLU ; Nair et Hinton 2010),
# $\max(z, 0)$, dont la pente vaut 1 dès que $z > 0$.

# %% [markdown] lang="en"
# The function that follows the sum is called the neuron's **activation**. Two others will be of use later: the **hyperbolic tangent**
# (`tanh`), a sigmoid stretched to go from $-1$ to 1, and the **rectifier** (rectified linear unit, ReLU; Nair and Hinton 2010),
# $\max(z, 0)$, whose slope is 1 as soon as $z > 0$.

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Quatre activations

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### Four activations

# %% slide="fragment" tags=["output-only-slide"]
from dalle_edu.bricks.mlp import ACTIVATIONS

z = np.linspace(-4, 4, 401)
figure, panels = plot(1, 2, width=9)
for (name, (function, derivative)), colour in zip(ACTIVATIONS.items(), COLOURS):
    panels[0].plot(z, function(z), color=colour, label=name)
    panels[1].plot(z, derivative(z), color=colour, label=name)
panels[0].set_title(say("activations", "activations"))
panels[1].set_title(say("their slopes", "leurs pentes"))
legend(panels[0])
picture(figure, say("Step, sigmoid, hyperbolic tangent and rectifier, and their slopes; the step's slope is zero everywhere.",
                    "Marche, sigmoïde, tangente hyperbolique et rectifieur, et leurs pentes ; la pente de la marche est nulle partout."))

# %% [markdown] lang="fr" slide="slide"
# ## 5. Mesurer l'erreur
#
# Pour choisir entre $k$ réponses, un réseau donne un nombre par réponse, un **logit**. Le **softmax** en fait des probabilités : positives,
# de somme 1, la plus grande au plus grand logit.

# %% [markdown] lang="en" slide="slide"
# ## 5. Measuring the error
#
# To choose among $k$ answers a network gives a number for each, a **logit**. The **softmax** makes probabilities of them: positive, summing
# to 1, the largest for the largest logit.

# %% [markdown] slide="fragment"
# $$ p_i = \frac{e^{z_i}}{\sum_j e^{z_j}} $$

# %% [markdown] lang="fr"
# Deux pièges : l'exponentielle d'un grand logit déborde, et la somme doit se faire sur les réponses (le dernier axe), non sur les exemples.
#
# <details><summary>Un indice</summary>Soustraire le même nombre à tous les logits d'un exemple ne change pas $p$. Soustrayez à chaque
# exemple son plus grand logit ; `keepdims=True` rend `max` et `sum` en colonne, une ligne par exemple.</details>

# %% [markdown] lang="en"
# Two traps: the exponential of a large logit overflows, and the sum goes over the answers (the last axis), not over the examples.
#
# <details><summary>A hint</summary>Subtracting the same number from all logits of an example does not change $p$. Subtract from each
# example its largest logit; `keepdims=True` gives `max` and `sum` as a column, one row per example.</details>

# %% implements="mlp:softmax" level=2
"""exp(z) / Σ exp(z) selon le dernier axe : des nombres positifs de somme 1.

On soustrait d'abord le plus grand z : le résultat est le même, et aucune
exponentielle ne dépasse 1.
"""

# %% [markdown] lang="fr" slide="slide"
# ### L'entropie croisée
#
# La **perte** dit en un nombre combien une réponse est mauvaise. Si le réseau a donné à la bonne réponse la probabilité $p$, la perte
# vaut $-\log p$ : rien s'il en était sûr ($p = 1$), l'infini s'il la jugeait impossible ($p = 0$). C'est sa surprise, en nats (le
# logarithme est népérien). La moyenne sur un **lot** (*batch*) de $n$ exemples est l'**entropie croisée**.
#
# Le **gradient** de la perte est la liste de ses dérivées, une pour chaque nombre dont elle dépend. Par rapport aux logits, il est très
# simple : ce que le réseau a dit, moins ce qu'il fallait dire.

# %% [markdown] lang="en" slide="slide"
# ### Cross-entropy
#
# The **loss** says in one number how bad an answer is. If the network gave the right answer the probability $p$, the loss is
# $-\log p$: nothing if the network was sure of it ($p = 1$), infinity if it thought it impossible ($p = 0$). It is the network's surprise,
# in nats (the logarithm is the natural one). The mean over a **batch** of $n$ examples is the **cross-entropy**.
#
# The **gradient** of the loss is the list of its derivatives, one for each number that it depends on. With respect to the logits it is very
# simple: what the network said, less what it should have said.

# %% [markdown] slide="fragment"
# $$ L = -\frac{1}{n} \sum_{i=1}^{n} \log p_{i, t_i} \qquad\qquad \frac{\partial L}{\partial z_{ij}} = \frac{p_{ij} - [j = t_i]}{n} $$

# %% [markdown] lang="fr"
# Ici $t_i$, la **cible**, est le numéro de la bonne réponse de l'exemple $i$, et $[j = t_i]$ vaut 1 si $j = t_i$, 0 sinon : pour chaque
# exemple, une ligne de zéros avec un seul 1 (« un parmi $k$ », *one-hot*). Le gradient vient de ce que
# $-\log p_t = \log \sum_l e^{z_l} - z_t$, où la dérivée de $\log \sum_l e^{z_l}$ par rapport à $z_j$ est $p_j$.
#
# La fonction rend la perte **et** son gradient. N'oubliez pas le $1/n$ du gradient.
#
# <details><summary>Un indice</summary>$\log p = (z - \max z) - \log \sum \exp(z - \max z)$. `tableau[np.arange(n), targets]` prend un
# nombre par ligne, celui de la cible.</details>

# %% [markdown] lang="en"
# Here $t_i$, the **target**, is the number of the right answer of example $i$, and $[j = t_i]$ is 1 if $j = t_i$, 0 otherwise: for each
# example, a row of zeros with a single 1 (*one-hot*). The gradient comes from $-\log p_t = \log \sum_l e^{z_l} - z_t$, where the derivative
# of $\log \sum_l e^{z_l}$ with respect to $z_j$ is $p_j$.
#
# The function returns the loss **and** its gradient. Do not forget the gradient's $1/n$.
#
# <details><summary>A hint</summary>$\log p = (z - \max z) - \log \sum \exp(z - \max z)$. `array[np.arange(n), targets]` takes one number
# per row, the target's.</details>

# %% implements="mlp:cross_entropy" level=2
"""La moyenne de -log softmax(logits)[cible], en nats, et son gradient.

La moyenne est prise sur le lot. Le gradient par rapport aux logits est
(softmax - un parmi k) / n. Les cibles sont des numéros de classe, de 0 à k - 1.
"""

# %% [markdown] lang="fr" slide="slide"
# ## 6. Des couches
#
# Une **couche** est une rangée de neurones qui lisent les mêmes entrées ; chaque colonne de $W$ contient les poids de l'un d'eux. Un
# **perceptron multicouche** (*multilayer perceptron*, MLP) enchaîne : somme pondérée, activation $\varphi$, somme pondérée, activation… La
# dernière couche n'a pas d'activation : elle donne les logits. Sans activation entre elles, deux couches n'en vaudraient qu'une, car un
# produit de matrices est une matrice.

# %% [markdown] lang="en" slide="slide"
# ## 6. Layers
#
# A **layer** is a row of neurons that read the same inputs; each column of $W$ holds the weights of one of them. A **multilayer
# perceptron** (MLP) alternates: weighted sum, activation $\varphi$, weighted sum, activation… The last layer has no activation: it gives
# the logits. Without activations in between, two layers would be worth no more than one, for a product of matrices is a matrix.

# %% [markdown] slide="fragment"
# $$ s_1 = x W_1 + b_1 \qquad a_1 = \varphi(s_1) \qquad s_2 = a_1 W_2 + b_2 $$

# %% [markdown] lang="fr" slide="slide"
# ### La rétropropagation
#
# Qui dit au neurone caché ce qu'il aurait dû répondre ? La **règle de la chaîne** : quand des effets s'enchaînent, leurs pentes se
# multiplient. On part de la fin, du gradient $g$ de la perte par rapport à la sortie, et on remonte une couche après l'autre :
#
# - le gradient d'un poids est ce qui est **entré** par lui, multiplié par ce qui est **revenu** à sa sortie ;
# - ce qui revient à la couche d'avant est $g$, passé à l'envers par les mêmes poids ;
# - en traversant l'activation, il est multiplié par la pente qu'elle avait **à la somme reçue**.

# %% [markdown] lang="en" slide="slide"
# ### Backpropagation
#
# Who tells the hidden neuron what it should have answered? The **chain rule**: when effects follow one another, their slopes multiply.
# Start at the end, from the gradient $g$ of the loss with respect to the output, and go back one layer after the other:
#
# - a weight's gradient is what **came in** through it, times what **came back** to its output;
# - what comes back to the layer before is $g$, taken backwards through the same weights;
# - on its way through the activation it is multiplied by the slope that the activation had **at the sum it was given**.

# %% [markdown] slide="fragment"
# $$ \frac{\partial L}{\partial W_2} = a_1^\top g \qquad \frac{\partial L}{\partial b_2} = \sum_i g_i \qquad
# \frac{\partial L}{\partial s_1} = \bigl(g \, W_2^\top\bigr) \odot \varphi'(s_1) $$

# %% [markdown] lang="fr"
# Dans ces formules, $\top$ transpose, $\odot$ multiplie terme à terme, et $\sum_i$ porte sur les exemples du lot. Tout le réseau vous est
# donné, sauf `backward` : `self.given[i]` est ce que la couche i a reçu, `self.sums[i]` ce qu'elle a sommé, `self.derivative` est
# $\varphi'$. Rendez les gradients dans l'ordre de `parameters()` : poids puis biais, de la première couche à la dernière.
#
# <details><summary>Un indice</summary>Parcourez les couches à l'envers et mettez chaque paire de gradients **devant** celles que vous avez
# déjà. La première couche n'a personne à qui passer le gradient.</details>

# %% [markdown] lang="en"
# In these formulas $\top$ transposes, $\odot$ multiplies term by term, and $\sum_i$ runs over the examples of the batch. The whole network
# is given, except `backward`: `self.given[i]` is what layer i received, `self.sums[i]` what it summed, `self.derivative` is $\varphi'$.
# Return the gradients in the order of `parameters()`: weights then bias, from the first layer to the last.
#
# <details><summary>A hint</summary>Go through the layers backwards and put each pair of gradients **before** those that you have already.
# The first layer has nobody to pass a gradient to.</details>

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

# %% [markdown] lang="fr" slide="slide"
# ### Ne croyez pas un gradient : mesurez-le
#
# Une dérivée est une limite. On peut donc la vérifier en poussant chaque poids un tout petit peu ; ici, un seul. C'est lent, et les
# dernières décimales diffèrent, mais une faute dans la formule se voit : faites-le chaque fois que vous écrivez un gradient.

# %% [markdown] lang="en" slide="slide"
# ### Do not believe a gradient: measure it
#
# A derivative is a limit. So it can be checked by pushing each weight a tiny bit; here, a single weight. That is slow, and the last
# decimals differ, but a mistake in the formula shows: do it whenever you write a gradient.

# %% slide="fragment"
network = MLP((3, 5, 2), "tanh", np.random.default_rng(1))
x, targets = rng.normal(size=(4, 3)), np.array([0, 1, 1, 0])
written = network.backward(cross_entropy(network.forward(x), targets)[1])
weight, nudge = network.weights[0], 1e-6
weight[2, 3] += nudge
above = cross_entropy(network.forward(x), targets)[0]
weight[2, 3] -= 2 * nudge
below = cross_entropy(network.forward(x), targets)[0]
weight[2, 3] += nudge
print(say("measured", "mesuré"), (above - below) / (2 * nudge))
print(say("written ", "écrit "), written[0][2, 3])

# %% [markdown] lang="fr" slide="slide"
# ## 7. Descendre la pente
#
# Le gradient montre la montée la plus raide ; on fait un petit pas dans l'autre sens. Sur tous les exemples à la fois, chaque pas coûterait
# cher ; sur un seul, il serait trop bruité. On prend donc un petit **lot** (*mini-batch*) au hasard. Un tour complet des exemples est une
# **époque**.

# %% [markdown] lang="en" slide="slide"
# ## 7. Going down the slope
#
# The gradient points up the steepest way; take a small step the other way. On all examples at once each step would be costly; on a single
# one it would be too noisy. So take a small random **batch** (a mini-batch). A whole round of the examples is an **epoch**.

# %% [markdown] slide="fragment"
# $$ \theta \leftarrow \theta - \eta \, \nabla_\theta L $$

# %% [markdown] lang="fr"
# Ici $\theta$ désigne tous les poids et biais, et le **pas d'apprentissage** $\eta$ (`learning_rate`) règle la longueur du pas. Écrivez
# l'entraînement : à chaque époque un nouvel ordre (`generator.permutation`), un lot à la fois, un pas par lot. `loss` rend la perte et son
# gradient, comme `cross_entropy`. Rendez la perte moyenne de chaque époque ; le dernier lot peut être plus petit, comptez-le selon sa
# taille.
#
# <details><summary>Un indice</summary>`parameter -= learning_rate * slope` change le tableau sur place, donc le réseau ;
# `parameter = parameter - …` laisserait le réseau tel quel.</details>

# %% [markdown] lang="en"
# Here $\theta$ stands for all weights and biases, and the **learning rate** $\eta$ sets the length of the step. Write the training: in each
# epoch a new order (`generator.permutation`), a batch at a time, a step for each batch. `loss` returns the loss and its gradient, as
# `cross_entropy` does. Return the mean loss of each epoch; the last batch may be smaller, count it according to its size.
#
# <details><summary>A hint</summary>`parameter -= learning_rate * slope` changes the array in place, hence the network;
# `parameter = parameter - …` would leave the network as it was.</details>

# %% implements="mlp:gradient_descent" level=3
"""Entraîner un réseau par descente de gradient par petits lots.

Chaque époque parcourt les exemples dans un nouvel ordre, lot par lot, et fait
un pas vers le bas pour chaque lot. Le réseau est changé sur place. Rend la
perte moyenne de chaque époque.
"""

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Deux spirales

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Two spirals

# %% slide="fragment"
def spirals(n, generator):
    turn = np.sqrt(generator.uniform(0.02, 1, n)) * 3 * np.pi
    arm = generator.integers(0, 2, n)
    angle = turn + np.pi * arm
    places = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 5
    return places + generator.normal(0, 0.06, (n, 2)), arm


points, arms = spirals(600, np.random.default_rng(2))
network = MLP((2, 32, 32, 2), "tanh", np.random.default_rng(3))
rng = np.random.default_rng(4)
losses = gradient_descent(network, cross_entropy, points, arms, rng, epochs=400, batch_size=50, learning_rate=0.2)
right = (network.forward(points).argmax(axis=1) == arms).mean()
print(say(f"right: {right:.1%}, loss {losses[-1]:.3f}", f"justes : {100 * right:.1f} %, perte {losses[-1]:.3f}"))

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### La frontière qu'il a trouvée

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### The boundary that it found

# %% slide="fragment" tags=["output-only-slide"]
side = np.linspace(-2.2, 2.2, 161)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
shades = softmax(network.forward(plane))[:, 1].reshape(161, 161)
figure, axes = plot(width=4.6, height=4.3)
axes.contourf(side, side, shades, levels=np.linspace(0, 1, 11), cmap="PuOr_r", alpha=0.6)
for arm, colour, marker in ((0, BLUE, "^"), (1, ORANGE, "o")):
    axes.scatter(*points[arms == arm].T, s=9, color=colour, marker=marker)
axes.set(aspect="equal")
picture(figure, say("Two intertwined spirals, and the smooth boundary between them that the network found.",
                    "Deux spirales enlacées, et la frontière lisse que le réseau a trouvée entre elles."))

# %% [markdown] lang="fr" slide="slide"
# ### Le pas d'apprentissage
#
# Un réglage, une image : la même descente avec cinq pas différents. Si le pas est trop petit, elle traîne ; s'il est trop grand, elle saute
# par-dessus la vallée. Entre les deux, plusieurs valeurs conviennent.

# %% [markdown] lang="en" slide="slide"
# ### The learning rate
#
# One knob, one picture: the same descent with five learning rates. If the rate is too small, it drags on; if it is too large, it jumps over
# the valley. In between, several values will do.

# %% slide="fragment" tags=["output-only-slide"]
figure, axes = plot()
for rate, colour in zip((0.003, 0.03, 0.3, 1.0, 10.0), COLOURS):
    network = MLP((2, 32, 32, 2), "tanh", np.random.default_rng(3))
    losses = gradient_descent(network, cross_entropy, points, arms, np.random.default_rng(4), 120, 50, rate)
    axes.semilogy(losses, color=colour, label=f"{rate:g}")
axes.set(xlabel=say("epoch", "époque"), ylabel=say("loss", "perte"))
legend(axes, title=say("learning rate", "pas"), loc="lower left")
picture(figure, say("Loss against epochs for five learning rates: with the smallest it hardly falls, with two in between it falls lowest, "
                    "with the largest it climbs and stays high.",
                    "Perte selon l'époque pour cinq pas : avec le plus petit elle descend à peine, avec deux pas moyens elle descend "
                    "le plus bas, avec le plus grand elle monte et reste en haut."))

# %% [markdown] lang="fr" slide="slide"
# ## 8. De vrais chiffres
#
# Le même code, sans une ligne de plus, apprend à lire. Voici 1 797 chiffres manuscrits de 8 × 8 pixels, livrés avec scikit-learn. Chaque
# image devient 64 nombres.

# %% [markdown] lang="en" slide="slide"
# ## 8. Real digits
#
# The same code, with not a line added, learns to read. Here are 1,797 handwritten digits of 8 × 8 pixels, which come with scikit-learn.
# Each picture becomes 64 numbers.

# %%
images, classes = digits()
x, y = images.flatten(1).double().numpy(), classes.numpy()
shuffled = np.random.default_rng(5).permutation(len(x))
train, test = shuffled[:1400], shuffled[1400:]
figure, panels = plot(1, 10, width=9, height=1.3)
for panel, picked in zip(panels, train):
    panel.imshow(images[picked, 0].numpy(), cmap="gray")
    panel.axis("off")
picture(figure, say("Ten handwritten digits, white on black, eight pixels on a side.",
                    "Dix chiffres manuscrits, blanc sur noir, de huit pixels de côté."))

# %% slide="fragment"
reader = MLP((64, 48, 10), "relu", np.random.default_rng(6))
rng = np.random.default_rng(7)
history = gradient_descent(reader, cross_entropy, x[train], y[train], rng, epochs=60, batch_size=32, learning_rate=0.05)
accuracy = (reader.forward(x[test]).argmax(axis=1) == y[test]).mean()
print(say(f"right on digits never seen: {accuracy:.1%}", f"justes sur des chiffres jamais vus : {100 * accuracy:.1f} %"))

# %% [markdown] lang="fr"
# À vous de régler. Trouvez un réseau d'**au plus 1 500 poids et biais** qui lise au moins 93 % des chiffres jamais vus : choisissez la
# taille de la couche cachée, l'activation, le pas, le nombre d'époques. Donnez le réseau entraîné dans `small`, et ses pertes dans
# `history`.
#
# À force d'essais, ces chiffres ne sont plus vraiment inconnus : une étude rigoureuse règle le réseau sur une troisième part des
# exemples, dite de **validation**, et garde ceux-ci pour la fin.
#
# <details><summary>Un indice</summary>64 entrées, h neurones, 10 sorties : 64h + h + 10h + 10 nombres. Donc h vaut au plus 19.</details>

# %% [markdown] lang="en"
# Now tune one. Find a network of **at most 1,500 weights and biases** that reads at least 93 % of the digits never seen: choose the hidden
# size, the activation, the learning rate, the number of epochs. Give the trained network in `small`, and its losses in `history`.
#
# After enough tries these digits are no longer really unknown: a rigorous study tunes the network on a third part of the examples,
# called the **validation** set, and keeps these for the end.
#
# <details><summary>A hint</summary>64 inputs, h neurons, 10 outputs: 64h + h + 10h + 10 numbers. So h is at most 19.</details>

# %% level=3
small = MLP((64, 18, 10), "relu", np.random.default_rng(8))
history = gradient_descent(small, cross_entropy, x[train], y[train], np.random.default_rng(9), epochs=80, batch_size=16, learning_rate=0.03)

# %%
def small_and_good():
    if small is ...:
        return ...
    count = sum(parameter.size for parameter in small.parameters())
    read = (small.forward(x[test]).argmax(axis=1) == y[test]).mean()
    print(count, say("numbers,", "nombres,"), f"{100 * read:.1f} %")
    return bool(count <= 1500 and read >= 0.93)


expect(small_and_good, True, say("small and good enough", "assez petit et assez bon"))

# %% [markdown] lang="fr" slide="slide"
# ## 9. Le même réseau en PyTorch
#
# Vous avez écrit les gradients ; vous avez gagné le droit de ne plus le faire. PyTorch note chaque opération à l'aller et applique la règle
# de la chaîne au retour. Avec les mêmes poids, rangés une ligne par neurone (d'où les `.T`), il trouve les mêmes gradients que vous, aux
# arrondis près.

# %% [markdown] lang="en" slide="slide"
# ## 9. The same network in PyTorch
#
# You wrote the gradients; you have earned the right not to any more. PyTorch notes each operation on the way forward and applies the chain
# rule on the way back. With the same weights, kept one row per neuron (hence the `.T`), it finds the same gradients as you, but for
# rounding.

# %% slide="fragment"
ours = MLP((64, 48, 10), "relu", np.random.default_rng(6))
theirs = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10)).double()
with torch.no_grad():
    for parameter, value in zip(theirs.parameters(), ours.parameters()):
        parameter.copy_(torch.from_numpy(value.T))

loss = nn.functional.cross_entropy(theirs(torch.from_numpy(x[:50])), classes[:50])
loss.backward()
by_hand = ours.backward(cross_entropy(ours.forward(x[:50]), y[:50])[1])
gaps = [parameter.grad.numpy().T - slope for parameter, slope in zip(theirs.parameters(), by_hand)]
print(say("largest gap:", "plus grand écart :"), max(abs(gap).max() for gap in gaps))

# %% [markdown] lang="fr" slide="slide"
# ## 10. Assez de neurones dessinent n'importe quelle courbe
#
# Cybenko (1989), pour des sigmoïdes, et Hornik (1991), pour toute activation continue, bornée et non constante, l'ont prouvé : une seule
# couche cachée, assez large, approche d'aussi près que l'on veut toute fonction continue sur un domaine fermé et borné. Avec des ReLU et
# une seule entrée, on le voit sans rien entraîner : chaque neurone ajoute un changement de pente, et la ligne brisée suit la courbe. Si la
# courbe est lisse et les neurones assez nombreux, les doubler divise l'erreur par quatre environ.

# %% [markdown] lang="en" slide="slide"
# ## 10. Enough neurons draw any curve
#
# Cybenko (1989), for sigmoids, and Hornik (1991), for any activation that is continuous, bounded and not constant, proved it: a single
# hidden layer, wide enough, comes as near as you like to any continuous function on a closed and bounded domain. With ReLUs and a single
# input it can be seen without training anything: each neuron adds one change of slope, and the broken line follows the curve. If the curve
# is smooth and the neurons are many enough, twice as many make about a quarter of the error.

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### De plus en plus de neurones

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### More and more neurons

# %% slide="fragment" tags=["output-only-slide"]
def curve(x):
    return np.sin(2.5 * x) + 0.4 * np.sin(7 * x)


def approximate(neurons):
    knots, across = np.linspace(-1.5, 1.5, neurons + 1), np.linspace(-1.5, 1.5, 601)
    drawn = relu_interpolation(knots, curve(knots)).forward(across[:, None])[:, 0]
    error = abs(drawn - curve(across)).max()
    figure, axes = plot()
    axes.plot(across, curve(across), color="grey", linewidth=6, alpha=0.4)
    axes.plot(across, drawn, color=VERMILION)
    axes.set_title(say(f"{neurons} neurons, largest error {error:.3f}", f"{neurons} neurones, plus grande erreur {error:.3f}"))
    return picture(figure, say(f"A curve and the broken line of {neurons} neurons.",
                               f"Une courbe et la ligne brisée de {neurons} neurones."))


Explorer(approximate, neurons=Knob(say("neurons", "neurones"), [2, 4, 8, 16, 32], start=1))

# %% [markdown] lang="fr" slide="slide"
# ## 11. Quelle erreur est-ce ?
#
# Voici un softmax écrit par quelqu'un d'autre. Il est faux. Ne regardez pas son code : interrogez-le. Que donne-t-il pour un exemple ? pour
# deux ? pour de grands nombres ? Puis répondez.

# %% [markdown] lang="en" slide="slide"
# ## 11. Which mistake is this?
#
# Here is a softmax that somebody else wrote. It is wrong. Do not look at its code: question it. What does it give for one example? for two?
# for large numbers? Then answer.

# %% slide="fragment"
mystery, question = suspect("mlp:softmax", 1)
print(mystery(np.array([[1.0, 2.0, 3.0]])))
print(mystery(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])))
print(mystery(np.array([[0.0, 0.0], [0.0, 800.0]])))

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr"
# ## 12. Questions

# %% [markdown] lang="en"
# ## 12. Questions

# %% quiz="perceptron"
quiz(
    Choice(
        say("The bias of a neuron is raised. What happens to its line?", "On augmente le biais d'un neurone. Qu'arrive-t-il à sa droite ?"),
        [say("It turns.", "Elle tourne."), say("It moves, and the side of yes grows.", "Elle se déplace, et le côté du oui grandit."),
         say("It moves, and the side of yes shrinks.", "Elle se déplace, et le côté du oui rétrécit.")],
        right=1,
        why=say("A larger bias needs less from the inputs to reach zero.",
                "Un biais plus grand demande moins aux entrées pour atteindre zéro."),
    ),
    Choice(
        say("Rosenblatt's rule is run, with no limit on passes, on examples that no line separates. What does it do?",
            "On lance la règle de Rosenblatt, sans limiter les passages, sur des exemples qu'aucune droite ne sépare. Que fait-elle ?"),
        [say("It finds the line with the fewest errors.", "Elle trouve la droite qui fait le moins d'erreurs."),
         say("It stops at the first pass.", "Elle s'arrête au premier passage."),
         say("It goes on correcting for ever.", "Elle corrige sans fin.")],
        right=2,
        why=say("A pass without a correction would mean a line that separates, and there is none.",
                "Un passage sans correction voudrait dire une droite qui sépare, et il n'y en a pas."),
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
        computed=lambda: round(float(np.log(10)), 2),
    ),
    Choice(
        say("All weights start at zero. What goes wrong?", "Tous les poids partent de zéro. Qu'est-ce qui ne va pas ?"),
        [say("Nothing: the gradient will move them.", "Rien : le gradient les fera bouger."),
         say("The neurons of a hidden layer stay alike for ever.", "Les neurones d'une couche cachée restent pareils pour toujours."),
         say("The loss is infinite.", "La perte est infinie.")],
        right=1,
        why=say("Equal neurons get equal gradients; only chance tells them apart.",
                "Des neurones égaux reçoivent des gradients égaux ; seul le hasard les départage."),
    ),
    Choice(
        say("Ten layers without any activation between them compute", "Dix couches sans aucune activation entre elles calculent"),
        [say("the same as one layer", "la même chose qu'une couche"), say("any curve", "n'importe quelle courbe"),
         say("the exclusive or", "le ou exclusif")],
        right=0,
        why=say("A product of ten matrices is a matrix.", "Un produit de dix matrices est une matrice."),
    ),
    Number(
        say("The largest slope of the sigmoid is", "La plus grande pente de la sigmoïde vaut"),
        right=0.25,
        why=say("At z = 0, where σ = 1/2. By their slopes alone, ten sigmoids in a row divide a gradient by a million at least.",
                "En z = 0, où σ = 1/2. Par leurs seules pentes, dix sigmoïdes à la suite divisent un gradient par un million au moins."),
        computed=lambda: float(sigmoid_derivative(np.zeros(1))[0]),
    ),
)

# %% [markdown] lang="fr" slide="slide"
# ## À retenir
#
# - Un neurone est une somme pondérée et une décision : une droite qui coupe le plan.
# - La règle de Rosenblatt trouve une droite qui sépare, s'il y en a une ; la marge et la longueur des exemples, non leur nombre, bornent
#   ses corrections.
# - Aucune droite ne fait le « ou exclusif » ; deux couches le font.
# - La rétropropagation est la règle de la chaîne, de la fin au début : entrée × retour, retour par les mêmes poids, fois la pente.
# - Un gradient se vérifie en poussant chaque poids.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La leçon 02 donne des vecteurs aux mots, avec les mêmes outils : une perte, un gradient, des lots. Avant cela, changez l'activation du
# réseau des spirales pour `"step"` et regardez la perte : pourquoi reste-t-elle si haute, et quelle couche apprend encore ?
#
# ## Sources
#
# - W. McCulloch et W. Pitts, *A logical calculus of the ideas immanent in nervous activity*, 1943.
# - F. Rosenblatt, *The perceptron: a probabilistic model for information storage and organization in the brain*, 1958.
# - A. Novikoff, *On convergence proofs on perceptrons*, 1962.
# - M. Minsky et S. Papert, *Perceptrons*, 1969.
# - D. Rumelhart, G. Hinton et R. Williams, *Learning representations by back-propagating errors*, 1986.
# - G. Cybenko, *Approximation by superpositions of a sigmoidal function*, 1989 ; K. Hornik, *Approximation capabilities of multilayer
#   feedforward networks*, 1991.
# - E. Alpaydin et C. Kaynak, *Optical recognition of handwritten digits*, 1998 (les chiffres de scikit-learn).
# - V. Nair et G. Hinton, *Rectified linear units improve restricted Boltzmann machines*, 2010.
# - K. He, X. Zhang, S. Ren et J. Sun, *Delving deep into rectifiers: surpassing human-level performance on ImageNet classification*, 2015.

# %% [markdown] lang="en" slide="slide"
# ## Take-aways
#
# - A neuron is a weighted sum and a decision: a line that cuts the plane.
# - Rosenblatt's rule finds a line that separates, if there is one; the margin and the length of the examples, not their number, bound its
#   corrections.
# - No line does the exclusive or; two layers do.
# - Backpropagation is the chain rule from the end to the beginning: input × what came back, back through the same weights, times the slope.
# - A gradient is checked by pushing each weight.

# %% [markdown] lang="en"
# ## Reading on
#
# Lesson 02 gives vectors to words, with the same tools: a loss, a gradient, batches. Before that, change the activation of the spirals'
# network to `"step"` and look at the loss: why does it stay so high, and which layer still learns?
#
# ## Sources
#
# - W. McCulloch and W. Pitts, *A logical calculus of the ideas immanent in nervous activity*, 1943.
# - F. Rosenblatt, *The perceptron: a probabilistic model for information storage and organization in the brain*, 1958.
# - A. Novikoff, *On convergence proofs on perceptrons*, 1962.
# - M. Minsky and S. Papert, *Perceptrons*, 1969.
# - D. Rumelhart, G. Hinton and R. Williams, *Learning representations by back-propagating errors*, 1986.
# - G. Cybenko, *Approximation by superpositions of a sigmoidal function*, 1989; K. Hornik, *Approximation capabilities of multilayer
#   feedforward networks*, 1991.
# - E. Alpaydin and C. Kaynak, *Optical recognition of handwritten digits*, 1998 (scikit-learn's digits).
# - V. Nair and G. Hinton, *Rectified linear units improve restricted Boltzmann machines*, 2010.
# - K. He, X. Zhang, S. Ren and J. Sun, *Delving deep into rectifiers: surpassing human-level performance on ImageNet classification*, 2015.
