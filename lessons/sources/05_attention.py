# ---
# jupyter:
#   lesson:
#     number: "05"
#     hours: [3, 0.5, 1.5, 3]
#     title: {en: "From one query to a GPT that writes captions", fr: "D'une requête à un GPT qui écrit des légendes"}
# ---

# %% [markdown] lang="fr" slide="subslide"
# Un réseau récurrent lit une phrase mot après mot et retient ce qu'il peut. L'attention fait autrement : chaque mot regarde tous les
# autres, et prend chez eux ce dont il a besoin. C'est la pièce dont sont faits GPT, DALL·E et presque tout ce que ce cours construira.
#
# **À la fin de cette leçon, vous saurez**
#
# - calculer une attention à la main, en cinq pas, et dire pourquoi on y divise par $\sqrt{d}$ ;
# - masquer ce qui ne doit pas être vu, et le faire au bon moment ;
# - partager l'attention entre plusieurs têtes, et rendre aux mots leur ordre ;
# - monter un bloc de transformeur, puis un encodeur, un décodeur, un GPT ;
# - faire écrire ce GPT, de cinq façons, et compter ce que le cache lui épargne.
#
# **Il faut** les leçons 01 à 03 : le softmax et l'entropie croisée, les plongements (embeddings) de mots, les réseaux récurrents.

# %% [markdown] lang="en" slide="subslide"
# A recurrent network reads a sentence word after word and keeps what it can. Attention goes about it differently: each word looks at all
# the others, and takes from them what it needs. It is the part that GPT, DALL·E and nearly all that this course will build are made of.
#
# **By the end of this lesson you will be able to**
#
# - work out an attention by hand, in five steps, and say why it divides by $\sqrt{d}$;
# - mask what must not be seen, and do it at the right moment;
# - share attention out among several heads, and give words their order back;
# - put together a transformer's block, then an encoder, a decoder, a GPT;
# - let that GPT write, in five ways, and count what the cache saves it.
#
# **You need** lessons 01 to 03: softmax and cross-entropy, word embeddings, recurrent networks.

# %%
import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

from dalle_edu.bricks import attention
from dalle_edu.bricks.attention import CrossAttention, KeyValueCache
from dalle_edu.bricks.decoding import beam_search, choose
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLUE, COLOURS, GREEN, ORANGE, SKY, VERMILION, legend, picture, plot
from dalle_edu.world import LANGUAGES, SHAPES, Description, Mention, World, caption, caption_tokenizer, phrasings, read_caption

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Un seul vecteur pour toute une phrase
#
# - **L'étranglement** : cinq mots ou cinquante, un vecteur de même taille.
# - **La distance** : le signal s'use à chaque étape. Mesurons-le.
# - **La file d'attente** : l'état 40 attend l'état 39.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. One vector for a whole sentence
#
# - **The bottleneck**: five words or fifty, a vector of the same size.
# - **The distance**: the signal wears away at each step. Let us measure it.
# - **The queue**: state 40 waits for state 39.

# %% [markdown] lang="fr"
# ## 1. Un seul vecteur pour toute une phrase
#
# La leçon 03 traduisait ainsi : un réseau récurrent lit la phrase, passe son dernier état à un autre, qui écrit. Trois choses y clochent.
#
# - **L'étranglement.** Cinq mots ou cinquante, tout doit tenir dans un vecteur de même taille.
# - **La distance.** Entre le premier mot et le dernier, le signal traverse toutes les étapes, et s'use à chacune.
# - **La file d'attente.** L'état 40 attend l'état 39 : impossible de calculer en parallèle.
#
# Mesurons l'usure : si l'on pousse un peu un mot, de combien bouge la réponse au dernier ? Trois lecteurs non entraînés lisent quarante
# mots tirés au hasard.

# %% [markdown] lang="en"
# ## 1. One vector for a whole sentence
#
# Lesson 03 translated like this: a recurrent network reads the sentence and hands its last state to another, which writes. Three things are
# wrong with it.
#
# - **The bottleneck.** Five words or fifty, all must fit into a vector of the same size.
# - **The distance.** From the first word to the last, the signal goes through every step, and wears away at each.
# - **The queue.** State 40 waits for state 39: there is no computing in parallel.
#
# Let us measure the wear: push a word a little; how much does the answer at the last one move? Three readers, not trained, read forty
# random words.

# %%
from dalle_edu.bricks.recurrent import GRUCell, RNNCell, unroll

torch.manual_seed(0)
plain, gated, looking = RNNCell(32, 32), GRUCell(32, 32), attention.MultiHeadAttention(32, heads=4)
readers = {
    say("plain recurrent cell", "cellule récurrente simple"): lambda x: unroll(plain, x)[0],
    say("GRU", "GRU"): lambda x: unroll(gated, x)[0],
    say("attention", "attention"): looking,
}
words = torch.randn(64, 40, 32).requires_grad_()
heard = {}
print(say("slope, 1, 10 and 39 words before the last:", "pente, 1, 10 et 39 mots avant le dernier :"))
for name, read in readers.items():
    slope = torch.autograd.grad(read(words)[:, -1].sum(), words)[0]
    heard[name] = slope.norm(dim=-1).mean(dim=0).flip(0)
    print(f"{name:26} {heard[name][1]:.0e} {heard[name][10]:.0e} {heard[name][39]:.0e}")

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot()
for (name, slopes), colour in zip(heard.items(), COLOURS):
    axes.semilogy(slopes, color=colour, label=name)
axes.set(xlabel=say("distance to the last word", "distance au dernier mot"), ylabel=say("slope", "pente"))
legend(axes)
picture(figure, say("Before training, a word's influence on the last answer fades with distance in both recurrent cells, not in attention.",
                    "Avant l'entraînement, l'influence d'un mot sur la dernière réponse s'éteint avec la distance, sauf pour l'attention."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Demander : qui se souvient du premier mot de la phrase que je viens de dire ? Faire lire l'échelle : elle est logarithmique. Un réseau
# entraîné fait mieux que ces cellules au hasard, mais il part de là, et c'est par cette pente qu'il apprend.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Ask: who remembers the first word of the sentence I have just said? Have them read the scale: it is logarithmic. A trained network does
# better than these random cells, but that is where it starts, and this slope is what it learns by.

# %% [markdown] lang="fr" slide="slide"
# ### Regarder en arrière
#
# Bahdanau, Cho et Bengio (2015) gardent **tous** les états $h_1, \dots, h_n$ du lecteur. À chaque mot à écrire, l'écrivain, dans l'état
# $s_t$, pose une question et reçoit un résumé fait pour elle, le **vecteur de contexte** $c_t$. Dans les termes d'aujourd'hui, trois
# matrices apprises donnent les rôles :
#
# - la **requête** (*query*) $q_t$ : ce que l'écrivain cherche ;
# - la **clé** (*key*) $k_i$ de chaque mot lu : ce à quoi il répond ;
# - la **valeur** (*value*) $v_i$ de chaque mot lu : ce qu'il a à donner.

# %% [markdown] lang="en" slide="slide"
# ### Looking back
#
# Bahdanau, Cho and Bengio (2015) keep **all** the reader's states $h_1, \dots, h_n$. For each word to write, the writer, in state $s_t$,
# asks a question and gets a summary made for it, the **context vector** $c_t$. In today's terms, three learned matrices give the roles:
#
# - the **query** $q_t$: what the writer looks for;
# - the **key** $k_i$ of each word read: what it answers to;
# - the **value** $v_i$ of each word read: what it has to give.

# %% [markdown] slide="fragment"
# $$ \begin{gathered} q_t = W_Q \, s_t \qquad k_i = W_K \, h_i \qquad v_i = W_V \, h_i \\[1ex]
# \alpha_{ti} = \frac{e^{\,\mathrm{score}(q_t, k_i)}}{\sum_j e^{\,\mathrm{score}(q_t, k_j)}} \qquad c_t = \sum_i \alpha_{ti} \, v_i \end{gathered} $$

# %% [markdown] lang="fr"
# Un **score** note chaque paire d'une requête et d'une clé ; le softmax en fait $\alpha_{ti}$, le poids du mot $i$ dans le mélange. Chez
# Bahdanau, le score est un petit réseau appris, $a \cdot \tanh(W q + U k)$ ; Luong, Pham et Manning (2015) montrent qu'un simple produit
# scalaire, $q \cdot k$, suffit souvent. Chaque contexte dépend de toutes les clés et de toutes les valeurs, mais d'une seule requête : la
# sienne.
#
# Vaswani et ses collègues (2017) font alors le pas décisif : si l'on peut regarder partout, à quoi bon la récurrence ? On garde l'attention
# et l'on jette la récurrence. Les $s_t$ et les $h_i$ ne sont plus des états, mais des plongements de mots, puis les sorties de la couche du
# dessous. L'étranglement, la distance et, sauf quand on écrit, la file disparaissent ensemble :
#
# | une couche, sur $t$ mots de $w$ canaux | étapes à la suite | chemin d'un mot à l'autre | multiplications, environ |
# |---|---|---|---|
# | récurrente | $t$ | jusqu'à $t$ | $t \cdot w^2$ |
# | attention | 1 | 1 | $t^2 \cdot w$ |
#
# (Vaswani et al. 2017, tableau 1, qui ne compte pas les matrices des trois rôles.) Tout a un prix : celui de l'attention croît avec le
# **carré** de la longueur.

# %% [markdown] lang="en"
# A **score** marks each pair of a query and a key; the softmax makes of it $\alpha_{ti}$, the weight of word $i$ in the mixture. Bahdanau's
# score is a small learned network, $a \cdot \tanh(W q + U k)$; Luong, Pham and Manning (2015) show that a plain dot product, $q \cdot k$,
# will often do. Each context depends on all the keys and all the values, but on one query alone: its own.
#
# Then Vaswani and colleagues (2017) take the decisive step: if one can look everywhere, what is recurrence for? Keep attention and throw
# recurrence away. The $s_t$ and $h_i$ are no longer states but word embeddings, then the outputs of the layer below. Bottleneck, distance
# and, except in writing, queue vanish together:
#
# | a layer, on $t$ words of $w$ channels | steps one after the other | path from word to word | multiplications, roughly |
# |---|---|---|---|
# | recurrent | $t$ | up to $t$ | $t \cdot w^2$ |
# | attention | 1 | 1 | $t^2 \cdot w$ |
#
# (Vaswani et al. 2017, table 1, which leaves out the matrices of the three roles.) Everything has a price: that of attention grows with the
# **square** of the length.

# %% [markdown] lang="fr" slide="slide"
# ## 2. Cinq pas
#
# Un dictionnaire rend la valeur de **la** clé égale à la requête. L'attention est un dictionnaire aimable : toute clé répond, d'autant plus
# fort qu'elle ressemble à la requête, et l'on repart avec un mélange. Voici trois objets, à quatre canaux (rond, pointu, rouge, bleu),
# dont la valeur est la place, en centimètres. La requête cherche « rond et rouge » : $q = (2, 0, 2, 0)$.
#
# | objet | clé | 1. score $q \cdot k$ | 2. divisé par $\sqrt 4$ | 3. masque | 4. softmax | valeur |
# |---|---|---|---|---|---|---|
# | cercle rouge | (1, 0, 1, 0) | 4 | 2 | — | 0,665 | (10, 0) |
# | cercle bleu | (1, 0, 0, 1) | 2 | 1 | — | 0,245 | (0, 10) |
# | étoile bleue | (0, 1, 0, 1) | 0 | 0 | — | 0,090 | (10, 10) |
#
# 5\. Le mélange : $0{,}665 \, (10, 0) + 0{,}245 \, (0, 10) + 0{,}090 \, (10, 10) \approx (7{,}55 \,;\, 3{,}35)$.

# %% [markdown] lang="en" slide="slide"
# ## 2. Five steps
#
# A dictionary returns the value of **the** key that equals the query. Attention is an obliging dictionary: every key answers, the louder
# the more it is like the query, and one goes home with a mixture. Here are three objects, in four channels (round, pointed, red, blue),
# whose value is their place, in centimetres. The query looks for "round and red": $q = (2, 0, 2, 0)$.
#
# | object | key | 1. score $q \cdot k$ | 2. divided by $\sqrt 4$ | 3. mask | 4. softmax | value |
# |---|---|---|---|---|---|---|
# | red circle | (1, 0, 1, 0) | 4 | 2 | — | 0.665 | (10, 0) |
# | blue circle | (1, 0, 0, 1) | 2 | 1 | — | 0.245 | (0, 10) |
# | blue star | (0, 1, 0, 1) | 0 | 0 | — | 0.090 | (10, 10) |
#
# 5\. The mixture: $0.665 \, (10, 0) + 0.245 \, (0, 10) + 0.090 \, (10, 10) \approx (7.55, 3.35)$.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Calculer ces poids à la main, au tableau : exp(2) ≈ 7,39, exp(1) ≈ 2,72, exp(0) = 1, somme 11,11. Demander ce que devient le mélange si la
# requête est (0, 0, 0, 0) : la moyenne des trois places.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Work these weights out by hand on the board: exp(2) ≈ 7.39, exp(1) ≈ 2.72, exp(0) = 1, sum 11.11. Ask what becomes of the mixture when the
# query is (0, 0, 0, 0): the mean of the three places.

# %% [markdown] lang="fr"
# Les mêmes pas en Python, sans une matrice :

# %% [markdown] lang="en"
# The same steps in Python, without a matrix:

# %%
seen = {
    say("red circle", "cercle rouge"): ([1, 0, 1, 0], [10, 0]),
    say("blue circle", "cercle bleu"): ([1, 0, 0, 1], [0, 10]),
    say("blue star", "étoile bleue"): ([0, 1, 0, 1], [10, 10]),
}
asked = [2, 0, 2, 0]
scores = [sum(a * b for a, b in zip(asked, key)) for key, _ in seen.values()]
scaled = [score / math.sqrt(len(asked)) for score in scores]
risen = [math.exp(score) for score in scaled]
weights = [each / sum(risen) for each in risen]
for name, *row in zip(seen, scores, scaled, weights):
    print(f"{name:14}", *(f"{number:7.3f}" for number in row))
print([sum(weight * place[axis] for weight, (_, place) in zip(weights, seen.values())) for axis in (0, 1)])

# %% [markdown] lang="fr"
# ### Toutes les requêtes à la fois
#
# Empilez les requêtes en lignes d'une matrice $Q$, les clés en $K$, les valeurs en $V$. Un produit donne tous les scores, un autre tous les
# mélanges : aucune boucle, et c'est ce que les processeurs font de mieux.

# %% [markdown] lang="en"
# ### All queries at once
#
# Stack the queries as the rows of a matrix $Q$, the keys as $K$, the values as $V$. One product gives all the scores, another all the
# mixtures: no loop, and just what processors do best.

# %% [markdown] slide="fragment"
# $$ \mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left( \frac{Q K^\top}{\sqrt d} \right) V $$

# %% [markdown] lang="fr"
# Écrivez les cinq pas en tenseurs. `query` est de forme (…, q, d), soit q requêtes de d canaux ; `key`, (…, k, d) ; `value`, (…, k, v). Les
# axes de devant, autant qu'il y en a, suivent tout seuls. `mask`, s'il est donné, vaut `True` là où une requête a le droit de regarder ;
# ailleurs, mettez $-\infty$ dans les **scores**, avant le softmax. Rendez les mélanges et les poids.
#
# <details><summary>Un indice</summary>`key.transpose(-2, -1)` échange les deux derniers axes. `scores.masked_fill(~mask, -math.inf)` écrit
# $-\infty$ là où le masque est faux. Le softmax va sur les clés : le dernier axe.</details>

# %% [markdown] lang="en"
# Write the five steps in tensors. `query` is of shape (…, q, d), that is q queries of d channels; `key`, (…, k, d); `value`, (…, k, v). The
# axes in front, as many as there are, come along by themselves. `mask`, if given, is `True` where a query may look; elsewhere put $-\infty$
# into the **scores**, before the softmax. Return the mixtures and the weights.
#
# <details><summary>A hint</summary>`key.transpose(-2, -1)` swaps the last two axes. `scores.masked_fill(~mask, -math.inf)` writes
# $-\infty$ where the mask is false. The softmax goes over the keys: the last axis.</details>

# %% implements="attention:scaled_dot_product" level=2
"""softmax(Q Kᵀ / √d) V (Vaswani et al. 2017, équation 1), et ses poids.

`mask` est vrai là où une requête a le droit de regarder. Une requête qui ne
peut regarder nulle part reçoit NaN, comme dans PyTorch.
"""
# 1. how well each key fits each query: *n q k => 1. à quel point chaque clé convient à chaque requête : *n q k
# 2. scores of variance d get variance 1: large ones saturate the softmax => 2. la variance des scores passe de d à 1 : de grands scores figent le softmax
# 3. hidden keys score -inf *before* the softmax: their weight is 0 => 3. une clé cachée a le score -inf *avant* le softmax : son poids est 0
# 4. the softmax is over the keys: each query's weights sum to 1 => 4. le softmax va sur les clés : les poids de chaque requête sont de somme 1
# 5. each query gets the mean of the values with these weights => 5. chaque requête reçoit la moyenne des valeurs avec ces poids

# %%
query = torch.tensor([asked], dtype=torch.float32)
key, value = (torch.tensor([pair[side] for pair in seen.values()], dtype=torch.float32) for side in (0, 1))
mixture, weights = scaled_dot_product(query, key, value)
print(weights, mixture)

# %% [markdown] lang="fr"
# À vous de demander. Trouvez une requête, de forme 1 × 4, qui mette **plus de 90 %** du poids sur l'étoile bleue.
#
# <details><summary>Un indice</summary>La direction dit ce que l'on cherche ; la longueur, avec quelle insistance.</details>

# %% [markdown] lang="en"
# Your turn to ask. Find a query, of shape 1 × 4, that puts **more than 90 %** of the weight on the blue star.
#
# <details><summary>A hint</summary>The direction says what one looks for; the length, how insistently.</details>

# %% level=1
insistent = torch.tensor([[0.0, 6.0, 0.0, 6.0]])

# %%
def on_the_star():
    if insistent is ...:
        return ...
    return bool(scaled_dot_product(insistent, key, value)[1][0, 2] > 0.9)


expect(on_the_star, True, say("more than 90 % on the star", "plus de 90 % sur l'étoile"))

# %% [markdown] lang="fr" slide="slide"
# ## 3. Pourquoi diviser par √d ?
#
# De longs vecteurs crient. Si les canaux d'une requête et d'une clé sont indépendants, de moyenne 0 et de variance 1, leur produit scalaire
# est une somme de $d$ termes, de variance $d$ : ses valeurs typiques croissent comme $\sqrt d$. Le softmax de grands scores ne mélange
# plus, il **choisit**, et là où il est plat, rien n'apprend. Diviser par $\sqrt d$ remet la variance à 1. L'article de 2017 a $d = 64$ : il
# divise par 8.

# %% [markdown] lang="en" slide="slide"
# ## 3. Why divide by √d?
#
# Long vectors shout. If the channels of a query and of a key are independent, of mean 0 and variance 1, their dot product is a sum of $d$
# terms, of variance $d$: its typical values grow like $\sqrt d$. The softmax of large scores no longer mixes, it **chooses**, and where it
# is flat nothing learns. Dividing by $\sqrt d$ brings the variance back to 1. The paper of 2017 has $d = 64$: it divides by 8.

# %% [markdown]
# $$ \mathrm{Var}(q \cdot k) = \sum_{i=1}^{d} \mathrm{Var}(q_i \, k_i) = d \qquad\qquad
# \mathrm{Var}\!\left( \frac{q \cdot k}{\sqrt d} \right) = 1 $$

# %%
def look(width, divided):
    generator = torch.Generator().manual_seed(width)
    asking, answering = (torch.randn(500, rows, width, generator=generator) for rows in (1, 16))
    scores = asking @ answering.transpose(1, 2) / (math.sqrt(width) if divided else 1)
    largest = scores.requires_grad_().softmax(dim=-1).amax(dim=-1)
    slope = torch.autograd.grad(largest.sum(), scores)[0]
    return largest.mean().item(), slope.abs().sum(dim=-1).mean().item()


widths = [2, 8, 32, 128, 512]
looks = {divided: list(zip(*(look(width, divided) for width in widths))) for divided in (True, False)}
print(say("largest weight, divided:    ", "plus grand poids, divisé :    "), [round(share, 2) for share in looks[True][0]])
print(say("largest weight, not divided:", "plus grand poids, non divisé :"), [round(share, 2) for share in looks[False][0]])

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=9, height=3.3)
for divided, colour in ((True, BLUE), (False, VERMILION)):
    label = say("divided by √d", "divisés par √d") if divided else say("not divided", "non divisés")
    for panel, measured in zip(panels, looks[divided]):
        panel.semilogx(widths, measured, "o-", base=2, color=colour, label=label)
panels[0].set(title=say("largest weight of 16", "plus grand poids sur 16"), xlabel="d", ylim=(0, 1))
panels[1].set(title=say("slope through the softmax", "pente à travers le softmax"), xlabel="d", ylim=(0, 0.5))
legend(panels[0])
picture(figure, say("Without the division one key takes nearly all the weight as d grows, and the slope falls; with it they hardly move.",
                    "Sans division, une clé prend presque tout le poids quand d grandit, et la pente tombe ; avec, ils ne bougent guère."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Seize clés au hasard : aucune ne mérite d'être choisie. Demander ce que vaudrait chaque poids si le partage était égal (1/16, soit 0,06),
# puis lire les courbes : le plus grand reste près de 0,24 avec la division, et monte vers 1 sans elle. Rappeler la sigmoïde de la leçon 01,
# plate loin de zéro : c'est le même mal, et la pente de droite le montre.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Sixteen random keys: none deserves to be chosen. Ask what each weight would be if all were shared equally (1/16, or 0.06), then read the
# curves: the largest stays near 0.24 with the division, and climbs towards 1 without it. Recall the sigmoid of lesson 01, flat far from
# zero: it is the same ill, and the slope on the right shows it.

# %% [markdown] lang="fr" slide="slide"
# ## 4. Cacher
#
# Deux choses ne doivent pas être vues : le **remplissage**, qui met les phrases d'un lot à la même longueur, et, pour qui écrit,
# **l'avenir**. Cacher l'avenir rapporte gros : une légende de $t$ jetons (ici, des mots) pose $t$ questions à la fois, « que vient-il
# après ceux-ci ? », et aucune ne peut copier.
#
# Le masque passe **avant** le softmax. Après, les poids gardés ne seraient plus de somme 1 : le mélange rétrécirait.

# %% [markdown] lang="en" slide="slide"
# ## 4. Hiding
#
# Two things must not be seen: **padding**, which brings the sentences of a batch to one length, and, for a writer, **the future**. Hiding
# the future pays well: a caption of $t$ tokens (here, words) asks $t$ questions at once, "what comes after these?", and none of them can
# copy.
#
# The mask comes **before** the softmax. After it, the weights that are kept would no longer sum to 1: the mixture would shrink.

# %%
mask = torch.tensor([[False, True, True]])
before = scaled_dot_product(query, key, value, mask)[1]
after = scaled_dot_product(query, key, value)[1] * mask
print(say("mask before the softmax:", "masque avant le softmax :"), before, say("sum", "somme"), before.sum().item())
print(say("mask after the softmax: ", "masque après le softmax :"), after, say("sum", "somme"), after.sum().item())

# %% [markdown] lang="fr"
# Écrivez le masque **causal**, qui cache l'avenir. S'il y a autant de requêtes que de clés, la requête $i$ voit les clés jusqu'à $i$
# comprise. S'il y a moins de requêtes, ce sont les dernières d'une suite dont on a déjà toutes les clés : la dernière requête voit tout.
#
# <details><summary>Un indice</summary>`torch.ones(…, dtype=torch.bool).tril(d)` garde le triangle du bas ; `d` décale sa diagonale vers la
# droite.</details>

# %% [markdown] lang="en"
# Write the **causal** mask, which hides the future. With as many queries as keys, query $i$ sees the keys up to $i$ included. With fewer
# queries, they are the last of a sequence of which we have all the keys already: the last query sees everything.
#
# <details><summary>A hint</summary>`torch.ones(…, dtype=torch.bool).tril(d)` keeps the lower triangle; `d` shifts its diagonal to the
# right.</details>

# %% implements="attention:causal_mask" level=1
"""Vrai là où une requête peut regarder : les clés jusqu'à sa propre position.

Les requêtes sont les dernières de la suite. La dernière voit toutes les clés,
l'avant-dernière toutes sauf la dernière, et ainsi de suite.
"""

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=8, height=2.8)
for panel, queries in zip(panels, (6, 2)):
    panel.imshow(causal_mask(queries, 6).numpy(), cmap="Blues", vmin=-0.3, vmax=1.3)
    panel.set(xticks=range(6), yticks=range(queries), xlabel=say("keys", "clés"), ylabel=say("queries", "requêtes"))
    panel.set_title(say(f"{queries} queries, 6 keys", f"{queries} requêtes, 6 clés"))
picture(figure, say("Causal masks: a triangle for six queries on six keys; its last two rows for two queries.",
                    "Masques causaux : un triangle pour six requêtes et six clés ; ses deux dernières lignes pour deux requêtes."))

# %% [markdown] lang="fr" slide="slide"
# ## 5. Se regarder, ou regarder ailleurs
#
# Le calcul est le même ; seule change la provenance.
#
# | | requêtes | clés et valeurs | à quoi elle sert |
# |---|---|---|---|
# | **auto-attention** | la suite elle-même | la suite elle-même | lier les mots d'une phrase entre eux |
# | **attention croisée** | la suite qu'on écrit | la suite qu'on a lue | traduire ; dessiner ce que dit une phrase |
#
# Dans les deux cas, ce qui s'apprend, ce sont les matrices qui font requêtes, clés et valeurs ; les poids se recalculent pour chaque
# phrase.

# %% [markdown] lang="en" slide="slide"
# ## 5. Looking at oneself, or elsewhere
#
# The computation is the same; only the origin changes.
#
# | | queries | keys and values | what it is for |
# |---|---|---|---|
# | **self-attention** | the sequence itself | the sequence itself | linking the words of a sentence |
# | **cross-attention** | the sequence being written | the sequence that was read | translating; drawing what a sentence says |
#
# Either way, what is learned are the matrices that make queries, keys and values; the weights are worked out anew for each sentence.

# %% [markdown] lang="fr"
# Qui écrit sans récurrence a besoin des deux : l'attention croisée seule ne saurait, de ce qui est déjà écrit, que le dernier mot ;
# l'auto-attention lui rend les autres.
#
# Voyons un regard s'apprendre. On montre cinq objets de couleurs différentes et l'on nomme une couleur : quelle forme a l'objet de cette
# couleur ? Une seule attention croisée doit répondre. La fonction `learn` servira à toutes les expériences de la leçon : un optimiseur, un
# pas d'apprentissage qui décroît, une mesure à chaque étape.

# %% [markdown] lang="en"
# A writer without recurrence needs both: cross-attention alone would know only the last word of what is written already; self-attention
# gives it the others back.
#
# Let us watch a look being learned. Five objects of different colours are shown and a colour is named: what shape has the object of that
# colour? A single cross-attention has to answer. The function `learn` will serve all the experiments of the lesson: an optimiser, a
# decreasing learning rate, a measure at each step.

# %%
def learn(model, question, steps, rate=3e-3):
    optimizer, measured = torch.optim.AdamW(model.parameters(), rate), []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        loss, measure = question(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        measured.append(measure)
    return measured


def accuracy(logits, answers):
    return (logits.argmax(dim=-1) == answers).float().mean().item()


# %%
from dalle_edu.classroom.demos.attention import LookUp, questions


def name_the_shape(model):
    *shown, answers = questions(128, generator)
    logits = model(*shown)
    return F.cross_entropy(logits, answers), accuracy(logits, answers)


torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
reader = LookUp(looks=True)
right = learn(reader, name_the_shape, steps=300)
print(say("right answers, in %, every 50 steps and at the last:", "réponses justes, en %, tous les 50 pas et au dernier :"))
print([round(100 * part) for part in right[::50]], round(100 * right[-1]))

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Un regard qui s'apprend
#
# Cinq objets, une couleur nommée : quelle forme ? La seule leçon reçue est la bonne réponse.

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### A look that is learned
#
# Five objects, a colour named: which shape? All it was ever taught is the right answer.

# %% slide="fragment" tags=["hide-input"]
*shown, _ = questions(5, torch.Generator().manual_seed(2))
maps = []
reader(*shown, maps=maps)
figure, axes = plot(width=9, height=3.4)
axes.imshow(maps[0][:, 0, 0].numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
for row, column in itertools.product(range(5), range(5)):
    shape, colour = SHAPES.shapes[shown[2][row, column]].name, SHAPES.colours[shown[1][row, column]].name
    name = caption(Description((Mention(shape, colour),)), say("en", "fr"))
    axes.text(column, row, name, ha="center", va="center", fontsize=9, color="white" if maps[0][row, 0, 0, column] > 0.5 else "black")
asked = [SHAPES.colours[colour].words[say("en", "fr")].masculine + say("?", " ?") for colour in shown[0]]
axes.set_yticks(range(5), asked)
axes.set_xticks([])
picture(figure, say("Five questions, one a row: each puts its weight on the object of the colour that it asks for.",
                    "Cinq questions, une par ligne : chacune met son poids sur l'objet de la couleur demandée."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Personne n'a dit au réseau où regarder : il n'a reçu que la forme à répondre. Demander ce que sont ici la requête (la couleur nommée), la
# clé et la valeur (tirées de la paire couleur et forme). Le même mécanisme lira les mots pendant que l'on dessine, aux leçons 10 et 11.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Nobody told the network where to look: it was only given the shape to answer. Ask what the query is here (the colour that is named), and
# the key and the value (made from the pair of colour and shape). The same mechanism will read words while we draw, in lessons 10 and 11.

# %% [markdown] lang="fr" slide="slide"
# ## 6. Plusieurs têtes
#
# Les poids d'un softmax sont de somme 1 : une attention regarde un seul endroit, ou plusieurs à moitié. On en met donc plusieurs côte à
# côte, les **têtes**, chacune sur sa tranche des canaux, avec ses requêtes, ses clés, ses valeurs. Leurs réponses, bout à bout, passent par
# une dernière matrice qui les mêle. Huit têtes de 64 canaux coûtent à peu près autant qu'une de 512.

# %% [markdown] lang="en" slide="slide"
# ## 6. Several heads
#
# The weights of a softmax sum to 1: an attention looks at one place only, or half looks at several. So put several side by side, the
# **heads**, each on its slice of the channels, with queries, keys and values of its own. Their answers, end to end, go through a last
# matrix that mixes them. Eight heads of 64 channels cost about as much as one of 512.

# %% [markdown]
# $$ \mathrm{head}_i = \mathrm{Attention}(Q_i, K_i, V_i) \qquad\qquad
# \mathrm{MultiHead}(X) = [\mathrm{head}_1 ; \dots ; \mathrm{head}_s] \, W_O $$

# %% [markdown] lang="fr"
# Que vaut une seconde tête ? Posons deux questions d'un coup : deux couleurs sont nommées, dans un certain ordre, et il faut rendre les
# deux formes **dans cet ordre**. Une seule requête porte les deux questions, et chaque tête n'en rapporte qu'un mélange.

# %% [markdown] lang="en"
# What is a second head worth? Let us ask two questions at once: two colours are named, in some order, and both shapes must be given **in
# that order**. A single query carries both questions, and each head brings home one mixture only.

# %%
class TwoLooks(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.asked, self.colours, self.shapes = nn.Embedding(16, 32), nn.Embedding(8, 32), nn.Embedding(8, 32)
        self.attention, self.name = CrossAttention(32, heads, memory_width=64), nn.Linear(32, 16)

    def forward(self, first, second, colours, shapes):
        query = self.asked(first) + self.asked(second + 8)
        memory = torch.cat([self.colours(colours), self.shapes(shapes)], dim=-1)
        return self.name(self.attention(query.unsqueeze(1), memory)).reshape(-1, 2, 8)


# %%
def name_two_shapes(model):
    colours = torch.rand(128, 8, generator=generator).argsort(dim=1)[:, :4]
    shapes, places = torch.randint(8, (128, 4), generator=generator), torch.rand(128, 4, generator=generator).argsort(dim=1)[:, :2]
    logits, answers = model(*colours.gather(1, places).T, colours, shapes), shapes.gather(1, places)
    return F.cross_entropy(logits.flatten(0, 1), answers.flatten()), accuracy(logits, answers)


# %%
learned = {}
for heads in (1, 2, 4):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    right = torch.tensor(learn(TwoLooks(heads), name_two_shapes, steps=200, rate=1e-2))
    learned[heads] = 100 * right.unflatten(0, (-1, 10)).mean(dim=1)
    print(say(f"heads: {heads}, right: {learned[heads][-1]:.0f} %", f"têtes : {heads}, justes : {learned[heads][-1]:.0f} %"))

# %% [markdown] lang="fr" slide="fragment" slide_only=true
# Deux couleurs nommées, deux formes à rendre dans l'ordre, un mélange par tête :

# %% [markdown] lang="en" slide="fragment" slide_only=true
# Two colours named, two shapes to be given in order, one mixture a head:

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.3)
for (heads, right), colour in zip(learned.items(), COLOURS):
    axes.plot(range(5, 201, 10), right, color=colour, label=heads)
axes.set(xlabel=say("step", "pas"), ylabel=say("right answers (%)", "réponses justes (%)"), ylim=(0, 103))
legend(axes, title=say("heads", "têtes"), loc="lower right")
picture(figure, say("With one head, answers about two places at once stay far from right; with two heads or four they all become right.",
                    "Avec une tête, les réponses aux deux questions plafonnent loin du but ; avec deux ou quatre, toutes sont justes."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Avant de montrer la courbe, faire voter : une tête suffira-t-elle, en regardant à moitié chaque objet ? Elle rapporte bien les deux
# formes, mais mélangées : impossible de dire laquelle répond à la première question. Deux têtes, deux regards.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Before showing the curve, take a vote: will one head do, half looking at each object? It does bring home both shapes, but blended: there
# is no telling which answers the first question. Two heads, two looks.

# %% [markdown] lang="fr"
# Écrivez `forward`, le cœur de tout ce qui suit. `self.qkv` fait les trois rôles d'un coup : $3w$ canaux, à couper en requêtes, clés,
# valeurs, puis en têtes, pour arriver à la forme (n phrases, têtes, jetons, canaux d'une tête). Ensuite :
#
# - `cache`, s'il y en a un, garde les clés et valeurs des jetons d'avant : `key, value = cache.extend(layer, key, value)` (section 12) ;
# - si `causal`, le masque causal, de forme (requêtes, clés) ; `visible`, s'il est donné, de forme (n, clés), s'y joint : on regarde là où
#   **les deux** le permettent ;
# - `attend(query, key, value, mask, maps)` est donnée : elle fait pour toutes les têtes ce que fait votre `scaled_dot_product`, et range
#   leurs réponses bout à bout ; `self.out` les mêle.
#
# <details><summary>Un indice</summary>`rearrange(self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads)` coupe et range en
# une ligne ; le premier axe se déballe en trois. `visible[:, None, None]` a la forme (n, 1, 1, clés).</details>

# %% [markdown] lang="en"
# Write `forward`, the heart of all that follows. `self.qkv` makes the three roles at once: $3w$ channels, to be cut into queries, keys,
# values, and then into heads, down to the shape (n sentences, heads, tokens, channels of a head). Then:
#
# - `cache`, if there is one, keeps the keys and values of the tokens before: `key, value = cache.extend(layer, key, value)` (section 12);
# - if `causal`, the causal mask, of shape (queries, keys); `visible`, if given, of shape (n, keys), joins it: one looks where **both**
#   allow it;
# - `attend(query, key, value, mask, maps)` is given: it does for all heads what your `scaled_dot_product` does, and puts their answers end
#   to end; `self.out` mixes them.
#
# <details><summary>A hint</summary>`rearrange(self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads)` cuts and sorts in
# one line; the first axis unpacks into three. `visible[:, None, None]` has the shape (n, 1, 1, keys).</details>

# %% implements="attention:MultiHeadAttention" level=3 hollow=["forward"]
"""L'auto-attention par `heads` attentions côte à côte.

Chacune a sa tranche de canaux, et une projection mêle leurs résultats (Vaswani
et al. 2017, section 3.2.2).
"""
"""Les nouveaux canaux des jetons, d'après ceux que chacun peut regarder.

Avec `causal`, un jeton ne regarde pas ceux qui le suivent. `visible` est
faux là où un jeton est du remplissage, qu'aucun jeton ne regarde. `cache`
garde les clés et les valeurs des jetons d'avant, dans la couche numéro
`layer`. Une liste `maps` reçoit les poids.
"""
# a single query is the newest token, which sees every key => une requête seule est le jeton le plus récent, qui voit toutes les clés

# %% [markdown] lang="fr" slide="slide"
# ## 7. L'ordre des mots
#
# L'attention a un défaut de naissance : sans masque, elle ne voit qu'un **ensemble**. Mélangez les jetons, et les réponses sortent
# mélangées de même, sans autre changement : scores et sommes se moquent de l'ordre. « Un cercle sur un carré » et
# « un carré sur un cercle » seraient la même phrase.

# %% [markdown] lang="en" slide="slide"
# ## 7. The order of words
#
# Attention has a birth defect: without a mask it sees nothing but a **set**. Shuffle the tokens, and the answers come out shuffled alike,
# with no other change: scores and sums do not care about order. "A circle above a square" and "a square above a circle" would be one and
# the same sentence.

# %% slide="fragment"
layer, tokens = MultiHeadAttention(32, 4), torch.randn(1, 6, 32, generator=torch.Generator().manual_seed(0))
order = [3, 0, 5, 1, 4, 2]
straight, shuffled = layer(tokens, causal=False), layer(tokens[:, order], causal=False)
print((shuffled - straight[:, order]).abs().max().item())

# %% [markdown] lang="fr" slide="slide"
# ### Des ondes pour horloge
#
# Le remède : **ajouter** à chaque plongement un vecteur qui dit sa place. Il peut être appris, un par place, comme un mot. Ou calculé :
# l'article de 2017 prend des ondes, de plus en plus lentes d'une paire de canaux à la suivante, comme les aiguilles d'une horloge. Avancer
# d'un jeton fait tourner chaque aiguille d'un angle fixe : la distance entre deux places se lit dans leur produit scalaire.

# %% [markdown] lang="en" slide="slide"
# ### Waves for a clock
#
# The cure: **add** to each embedding a vector that tells its place. It may be learned, one for each place, like a word. Or worked out: the
# paper of 2017 takes waves, slower and slower from one pair of channels to the next, like the hands of a clock. Moving on by one token
# turns each hand by a fixed angle: the distance between two places can be read in their dot product.

# %% [markdown]
# $$ p_{t, \, 2i} = \sin\!\left( \frac{t}{10000^{2i/w}} \right) \qquad\qquad p_{t, \, 2i+1} = \cos\!\left( \frac{t}{10000^{2i/w}} \right) $$

# %% [markdown] lang="fr"
# Écrivez ces ondes : `length` places de `width` canaux, sinus et cosinus en alternance. Aucune boucle n'est nécessaire.
#
# <details><summary>Un indice</summary>Une colonne de temps multipliée par une ligne de vitesses donne tous les angles. `torch.stack([a, b],
# dim=-1)` met les paires côte à côte ; `flatten(1)` les aligne.</details>

# %% [markdown] lang="en"
# Write these waves: `length` places of `width` channels, sine and cosine in turn. No loop is needed.
#
# <details><summary>A hint</summary>A column of times multiplied by a row of speeds gives all the angles. `torch.stack([a, b], dim=-1)` puts
# the pairs side by side; `flatten(1)` lines them up.</details>

# %% level=2
def waves(length, width):
    speeds = 10_000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


# %%
from dalle_edu.bricks.transformer import Encoder, sinusoidal_positions

expect(lambda: waves(50, 16), sinusoidal_positions(50, 16), say("fifty places of sixteen channels", "cinquante places de seize canaux"), tolerance=1e-4)

# %% slide="fragment" tags=["hide-input"]
places = sinusoidal_positions(60, 64)
figure, panels = plot(1, 2, width=9, height=3.0)
panels[0].imshow(places.numpy(), cmap="PuOr", aspect="auto")
panels[0].set(xlabel=say("channel", "canal"), ylabel=say("place", "place"))
panels[1].imshow((places @ places.T).numpy(), cmap="Blues")
panels[1].set(xlabel=say("place", "place"), title=say("dot product of two places", "produit scalaire de deux places"))
picture(figure, say("Waves, fast in the first channels, slow in the last; the product of two places depends on their distance alone.",
                    "Des ondes, rapides d'abord, lentes aux derniers canaux ; le produit de deux places ne dépend que de leur distance."))

# %% [markdown] lang="fr"
# **Une tête faite à la main.** Voici un regard qu'aucun entraînement n'a touché. Prenez pour clés les places elles-mêmes, et pour requêtes
# les places passées par une matrice fixe, `turn` : si `places @ turn` recule chaque place d'un jeton, alors chaque jeton regardera celui
# d'avant. Écrivez `step_back(width)`, qui rend cette matrice, de `width` × `width`. Elle ne dépend pas de la place : c'est tout le charme
# des ondes. (La figure multiplie les requêtes par 50, pour insister.)
#
# <details><summary>Un indice</summary>Chaque paire de canaux, $(\sin a, \cos a)$, doit devenir $(\sin(a - b), \cos(a - b))$, où $b$ est
# l'angle dont elle tourne en un jeton. Développez les deux : ce qui multiplie $\sin a$ et $\cos a$ remplit un carré de 2 × 2 sur la
# diagonale. Attention au côté : les places sont des lignes.</details>

# %% [markdown] lang="en"
# **A head made by hand.** Here is a look that no training has touched. Take the places themselves for keys, and for queries the places
# passed through a fixed matrix, `turn`: if `places @ turn` moves each place back by one token, then each token will look at the one before.
# Write `step_back(width)`, which returns that matrix, of `width` × `width`. It does not depend on the place: that is the whole charm of
# waves. (The figure multiplies the queries by 50, to insist.)
#
# <details><summary>A hint</summary>Each pair of channels, $(\sin a, \cos a)$, must become $(\sin(a - b), \cos(a - b))$, where $b$ is the
# angle by which it turns in one token. Expand both: what multiplies $\sin a$ and $\cos a$ fills a square of 2 × 2 on the diagonal. Mind the
# side: places are rows.</details>

# %% level=3
def step_back(width):
    turn = torch.zeros(width, width)
    for channel in range(0, width, 2):
        angle = 10_000 ** (-channel / width)
        turn[channel, channel : channel + 2] = torch.tensor([math.cos(angle), math.sin(angle)])
        turn[channel + 1, channel : channel + 2] = torch.tensor([-math.sin(angle), math.cos(angle)])
    return turn


# %%
places = sinusoidal_positions(12, 32)
expect(lambda: (places @ step_back(32))[1:], places[:-1], say("each place, one token back", "chaque place, un jeton en arrière"), tolerance=1e-4)

# %%
try:
    turned = places @ step_back(32)
except NotImplementedError:
    # en: while your matrix is missing, each place is given the one before it
    # fr: tant que votre matrice manque, chaque place reçoit celle d'avant
    turned = torch.cat([places[:1], places[:-1]])
_, weights = scaled_dot_product(50 * turned, places, places, causal_mask(12, 12))
figure, axes = plot(width=4.2, height=3.8)
axes.imshow(weights.numpy(), cmap="Blues", vmin=0, vmax=1)
axes.set(xlabel=say("looked at", "regardé"), ylabel=say("looking", "qui regarde"))
picture(figure, say("Where each of twelve tokens looks: with the right matrix, at the one just before it.",
                    "Où regarde chacun de douze jetons : avec la bonne matrice, juste avant lui."))

# %% [markdown] lang="fr" slide="slide"
# ### Avec et sans places
#
# Un bouton, une image. Un encodeur lit une phrase comme « a circle above a square » et doit nommer l'objet du haut. Chaque ensemble de mots
# sert à deux phrases de réponses contraires : sans places, on ne peut avoir raison qu'une fois sur deux. (En anglais dans les deux
# éditions : en français, « d'un » trahit le second objet.)

# %% [markdown] lang="en" slide="slide"
# ### With and without places
#
# One knob, one picture. An encoder reads a sentence such as "a circle above a square" and must name the object on top. Each set of words
# makes two sentences, with opposite answers: without places nobody can be right more than half the time. (In English in both editions: in
# French, "d'un" gives the second object away.)

# %%
tokenizer = caption_tokenizer()
names = [shape.name for shape in SHAPES.shapes]
asked = list(itertools.product(itertools.permutations(range(8), 2), ("above", "below")))
sentences = [caption(Description((Mention(names[a]), Mention(names[b])), relation=how), "en") for (a, b), how in asked]
tokens, on_top = tokenizer.encode(sentences, 6), torch.tensor([a if how == "above" else b for (a, b), how in asked])
print(len(sentences), sentences[0], tokens[0].tolist(), names[on_top[0]])


# %%
class Higher(nn.Module):
    def __init__(self, places):
        super().__init__()
        self.words, self.encoder, self.answer = nn.Embedding(512, 32), Encoder(32, depth=2, heads=4), nn.Linear(32, 8)
        self.places = places

    def forward(self, tokens):
        return self.answer(self.encoder(self.words(tokens) + self.places).mean(dim=1))


# %%
def which_is_higher(model):
    logits = model(tokens)
    return F.cross_entropy(logits, on_top), accuracy(logits, on_top)


kinds = {say("none", "aucune"): torch.zeros(6, 32), say("waves", "ondes"): sinusoidal_positions(6, 32), say("learned", "apprises"): None}
learned = {}
for name, places in kinds.items():
    torch.manual_seed(0)
    model = Higher(nn.Parameter(torch.randn(6, 32)) if places is None else places)
    learned[name] = [100 * part for part in learn(model, which_is_higher, steps=80)]
    print(f"{name:10} {learned[name][-1]:.0f} %")

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.3)
for (name, right), colour, line in zip(learned.items(), COLOURS, ("-", "-", "--")):
    axes.plot(right, line, color=colour, label=name)
axes.set(xlabel=say("step", "pas"), ylabel=say("right answers (%)", "réponses justes (%)"), ylim=(0, 103))
legend(axes, title=say("places", "places"), loc="lower right")
picture(figure, say("Without places the answers stop at half; with waves or with learned places all become right.",
                    "Sans places, les réponses plafonnent à la moitié ; avec des ondes ou des places apprises, toutes deviennent justes."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Demander pourquoi exactement la moitié, et non un peu plus ou un peu moins : parce que le réseau doit donner la même réponse à deux
# phrases dont une seule la mérite. Un masque causal laisse filtrer un peu d'ordre (le premier jeton ne voit que lui-même), mais on n'a pas
# à s'en contenter.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Ask why exactly half, and not a little more or less: because the network must give the same answer to two sentences of which only one
# deserves it. A causal mask lets some order through (the first token sees itself only), but there is no need to make do with that.

# %% [markdown] lang="fr" slide="slide"
# ## 8. Empiler
#
# L'attention échange, elle ne réfléchit pas : ses mélanges sont des moyennes. Après elle, un **petit réseau** (*feed-forward*), le même
# pour tous les jetons d'une couche, traite chacun à part. Attention puis petit réseau font un **bloc**. Deux précautions permettent d'en
# empiler des dizaines :
#
# - le **chemin résiduel** (He et al. 2016) : chaque sous-couche **ajoute** sa réponse à ce qu'on lui a donné, et non aux mots du départ ;
# - la **normalisation de couche** (Ba et al. 2016) : les canaux de chaque jeton sont ramenés à une moyenne de 0 et une variance de 1, puis
#   multipliés par un gain appris $g$.

# %% [markdown] lang="en" slide="slide"
# ## 8. Stacking
#
# Attention exchanges, it does not think: its mixtures are means. After it a **small network** (*feed-forward*), the same for all the tokens
# of a layer, works on each one apart. Attention and small network make a **block**. Two precautions let us stack dozens of them:
#
# - the **residual path** (He et al. 2016): each sublayer **adds** its answer to what it was given, not to the words at the start;
# - **layer normalisation** (Ba et al. 2016): each token's channels are brought to a mean of 0 and a variance of 1, then multiplied by a
#   learned gain $g$.

# %% [markdown] slide="fragment"
# $$ \begin{gathered} \mathrm{LN}(x) = g \odot \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + \varepsilon}} \\[1ex]
# x \leftarrow x + \mathrm{Attention}(\mathrm{LN}_1(x)) \qquad x \leftarrow x + W_2 \, \mathrm{gelu}(W_1 \, \mathrm{LN}_2(x)) \end{gathered} $$

# %% [markdown] lang="fr"
# Le transformeur de 2017 normalisait **après** chaque somme ; on normalise aujourd'hui **avant** chaque sous-couche (Xiong et al. 2020) :
# le chemin du milieu reste libre d'un bout à l'autre, et l'entraînement est plus stable. Le petit réseau passe de $w$ canaux à $4w$, puis
# revient à $w$ : il tient les deux tiers des poids du bloc. `gelu` est un rectifieur au coude adouci (Hendrycks et Gimpel 2016).
#
# Écrivez `forward`. La première sous-couche est `self.attention(…, self.causal, cache, layer, visible, maps)` ; la seconde enchaîne
# `self.expand`, `F.gelu` et `self.contract`.
#
# <details><summary>Un indice</summary>Deux lignes de même forme : le flux, plus une sous-couche de sa version normalisée. Le flux lui-même
# n'est jamais normalisé.</details>

# %% [markdown] lang="en"
# The transformer of 2017 normalised **after** each sum; today one normalises **before** each sublayer (Xiong et al. 2020): the path in the
# middle stays free from end to end, and training is steadier. The small network goes from $w$ channels to $4w$ and back to
# $w$: it holds two thirds of the block's weights. `gelu` is a rectifier with its bend made smooth (Hendrycks and Gimpel 2016).
#
# Write `forward`. The first sublayer is `self.attention(…, self.causal, cache, layer, visible, maps)`; the second goes through
# `self.expand`, `F.gelu` and `self.contract`.
#
# <details><summary>A hint</summary>Two lines of the same form: the stream, plus a sublayer of its normalised version. The stream itself is
# never normalised.</details>

# %% implements="transformer:Block" level=2 hollow=["forward"]
"""Une couche de GPT-2 : attention, puis un petit réseau pour chaque jeton.

Le résultat de chacun est ajouté à son entrée. Si `causal` est faux, chaque
jeton regarde tous les autres, comme dans un encodeur.
"""
"""Le flux après l'attention et le petit réseau.

`visible`, `cache`, `layer` et `maps` sont ceux de `MultiHeadAttention`.
"""

# %% [markdown] lang="fr" slide="slide"
# ### Ce que vaut le chemin résiduel
#
# Vingt-quatre blocs non entraînés ; après chacun, à quel point deux jetons voisins se ressemblent-ils ? Sans chemin résiduel, moyenner des
# moyennes rend tous les jetons pareils en quelques couches (Dong et al. 2021) : il n'y a plus rien à regarder.

# %% [markdown] lang="en" slide="slide"
# ### What the residual path is worth
#
# Twenty-four blocks, not trained; after each, how alike are two neighbouring tokens? Without the residual path, taking means of means makes
# all tokens alike within a few layers (Dong et al. 2021): there is nothing left to look at.

# %%
from dalle_edu.classroom.mistakes.transformer import NoResidual, NormAfter

names = [say("norm before", "norme avant"), say("norm after", "norme après"), say("no residual", "sans résidu")]
alike = {name: [] for name in names}
print(say("cosine after 1, 4, 12 and 24 blocks:", "cosinus après 1, 4, 12 et 24 blocs :"))
for name, kind in zip(names, (Block, NormAfter, NoResidual)):
    torch.manual_seed(0)
    x = torch.randn(8, 10, 64)
    with torch.no_grad():
        for _ in range(24):
            x = kind(64, 4)(x)
            alike[name].append(F.cosine_similarity(x[:, 1:], x[:, :-1], dim=-1).mean().item())
    print(f"{name:12}", [round(alike[name][depth - 1], 2) for depth in (1, 4, 12, 24)])

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.4)
for (name, cosines), colour in zip(alike.items(), COLOURS):
    axes.plot(range(1, 25), cosines, color=colour, label=name)
axes.set(xlabel=say("blocks", "blocs"), ylabel=say("cosine of neighbours", "cosinus de voisins"), ylim=(0, 1.05))
legend(axes)
picture(figure, say("Without the residual path neighbouring tokens soon become alike; with it they stay apart through 24 blocks.",
                    "Sans chemin résiduel, les jetons voisins deviennent vite pareils ; avec lui, ils restent distincts sur 24 blocs."))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. Encodeur, décodeur, ou les deux

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. Encoder, decoder, or both

# %% [markdown] lang="fr"
# ## 9. Encodeur, décodeur, ou les deux
#
# Le transformeur de 2017 traduit. L'**encodeur** lit : une pile de blocs de même forme, chacun avec ses propres poids. Le **décodeur**
# écrit : ses blocs ont une sous-couche de plus, une attention croisée, dont les requêtes viennent du décodeur et dont clés et valeurs
# viennent toujours du **haut** de l'encodeur. Au sommet, une couche linéaire donne un logit à chaque mot du vocabulaire, et le softmax en
# fait des probabilités.

# %% [markdown] lang="en"
# ## 9. Encoder, decoder, or both
#
# The transformer of 2017 translates. The **encoder** reads: a stack of blocks of one form, each with weights of its own. The **decoder**
# writes: its blocks have one more sublayer, a cross-attention, whose queries come from the decoder and whose keys and values always come
# from the **top** of the encoder. Above it all, a linear layer gives a logit to each word of the vocabulary, and the softmax makes
# probabilities of them.

# %% slide="fragment" tags=["hide-input"]
reads = say("embeddings + places|self-attention|small network|(what was read)|ENCODER × 6",
            "plongements + places|auto-attention|petit réseau|(ce qui est lu)|ENCODEUR × 6")
writes = say("embeddings + places|masked self-attention|cross-attention|small network|linear, softmax: next word|DECODER × 6",
             "plongements + places|auto-attention masquée|attention croisée|petit réseau|linéaire, softmax : mot suivant|DÉCODEUR × 6")
figure, axes = plot(width=9, height=4.3)
for x, names in ((0.2, reads.split("|")), (0.75, writes.split("|"))):
    for y, name in enumerate(names):
        colour = SKY if "attention" in name else ORANGE if y in (2, 3) else "white"
        frame = {"boxstyle": "round,pad=0.5", "facecolor": colour} if name[0].islower() else None
        axes.text(x, y, name, ha="center", va="center", fontsize=11, bbox=frame)
        if 0 < y < len(names) - 1:
            axes.annotate("", (x, y - 0.28), (x, y - 0.72), arrowprops={"arrowstyle": "-|>"})
axes.annotate("", (0.61, 2), (0.33, 3), arrowprops={"arrowstyle": "-|>", "color": GREEN, "lw": 2})
axes.text(0.47, 2.75, say("keys, values", "clés, valeurs"), ha="center", color=GREEN)
axes.set(xlim=(0, 1), ylim=(-0.5, 5.3))
axes.axis("off")
picture(figure, say("An encoder, self-attention then small network, gives keys and values to the decoder's cross-attention.",
                    "Un encodeur, auto-attention puis petit réseau, donne clés et valeurs à l'attention croisée du décodeur."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Chaque boîte d'attention ou de réseau est entourée d'un chemin résiduel et d'une normalisation, que le dessin omet. Le modèle de base de
# 2017 : six couches de chaque côté, 512 canaux, huit têtes de 64, un petit réseau de 2 048, 65 millions de poids. Demander d'où viennent Q,
# K et V à chaque boîte.

# %% [markdown] lang="en" slide="notes" slide_only=true
# Each attention or network box is wrapped in a residual path and a normalisation, which the drawing leaves out. The base model of 2017: six
# layers on each side, 512 channels, eight heads of 64, a small network of 2,048, 65 million weights. Ask where Q, K and V come from at each
# box.

# %%
from dalle_edu.bricks.transformer import Transformer

machine = Transformer(30, 30, width=32, depth=2, heads=4)
source, written = torch.tensor([[5, 8, 3, 9, 2, 7, 4]]), torch.tensor([[1, 6, 3]])
reading, across = [], []
memory = machine.encode(source, reading)
logits = machine.decode(written, memory, source, across)
print(say("the encoder looks at itself:", "l'encodeur se regarde : "), [tuple(each.shape) for each in reading])
print(say("the decoder looks at it:    ", "le décodeur le regarde :"), [tuple(each.shape) for each in across])
print("logits", tuple(logits.shape))

# %% [markdown] lang="fr"
# Quatre têtes par couche ; sept mots lus qui se regardent tous ; trois mots écrits qui regardent les sept. **À l'entraînement**, on donne
# au décodeur la vraie traduction, décalée d'un mot, et le masque lui cache la suite : toutes les positions se calculent en parallèle, d'où
# la vitesse. **À l'écriture**, le mot choisi rentre par le bas et l'on recommence : là, c'est bien un mot après l'autre, et l'on parle
# d'écriture **autorégressive**. La perte est l'entropie croisée ; la cible étant un mot certain, elle vaut la divergence de
# Kullback-Leibler entre ce qu'il fallait dire et ce qui est dit.

# %% [markdown] lang="en"
# Four heads a layer; seven words read that all look at each other; three words written that look at the seven. **In training**, the decoder
# is given the true translation, shifted by one word, and the mask hides the rest from it: all positions are computed in parallel, hence the
# speed. **In writing**, the chosen word goes in at the bottom and all begins again: there it really is one word after the other, and the
# writing is called **autoregressive**. The loss is cross-entropy; since the target is one word for certain, it equals the Kullback-Leibler
# divergence between what should be said and what is said.

# %% [markdown] lang="fr" slide="slide"
# ### Trois familles
#
# | pile | elle sait | exemples | dans ce cours |
# |---|---|---|---|
# | encodeur seul | lire | BERT ; l'encodeur de T5, dans Imagen | lire la phrase à dessiner |
# | décodeur seul | écrire la suite | GPT ; DALL·E 1 : 64 couches, 62 têtes de 64 | textes, puis images |
# | les deux | lire puis écrire | la machine de 2017 ; BART, dans DALL·E mini : 12 + 12 | traduire |
#
# Un décodeur seul n'a personne à lire : l'attention croisée disparaît. Son bloc est exactement votre `Block`, causal.

# %% [markdown] lang="en" slide="slide"
# ### Three families
#
# | stack | it can | examples | in this course |
# |---|---|---|---|
# | encoder alone | read | BERT; T5's encoder, in Imagen | reading the sentence to draw |
# | decoder alone | write what follows | GPT; DALL·E 1: 64 layers, 62 heads of 64 | texts, then pictures |
# | both | read, then write | the machine of 2017; BART, in DALL·E mini: 12 + 12 | translating |
#
# A decoder alone has nobody to read: cross-attention goes. Its block is exactly your `Block`, causal.

# %% [markdown] lang="fr" slide="slide"
# ## 10. Un GPT qui écrit des légendes
#
# GPT : *generative pre-trained transformer* (Radford et al. 2018). Une pile de blocs causaux, une question à chaque position : **quel est
# le jeton suivant ?** Notre corpus : 4 000 légendes de notre monde de formes, en français et en anglais. Le jeton 0 ouvre la phrase, et la
# ferme.

# %% [markdown] lang="en" slide="slide"
# ## 10. A GPT that writes captions
#
# GPT: *generative pre-trained transformer* (Radford et al. 2018). A stack of causal blocks, one question at every position: **which token
# comes next?** Our corpus: 4,000 captions of our world of shapes, in French and in English. Token 0 opens the sentence, and closes it.

# %% [markdown] lang="fr"
# Chaque mot de ce monde est un jeton, et le réseau doit rendre la suite de jetons décalée d'un cran.

# %% [markdown] lang="en"
# Each word of that world is a token, and the network has to give the sequence of tokens back shifted by one.

# %%
LENGTH = 16
world = World(4000, seed=0)
captions = [world[number][1] for number in range(len(world))]
rows = tokenizer.encode(captions, LENGTH)
shown = F.pad(rows, (1, 0))[:, :-1]
expected = rows.masked_fill((rows == 0).cumsum(dim=1) > 1, -100)
print(captions[0], captions[1], captions[2], sep="\n")
print(say("shown:   ", "montré :  "), shown[0].tolist())
print(say("expected:", "attendu : "), expected[0].tolist())

# %% [markdown] lang="fr"
# Dans `expected`, $-100$ marque ce que `F.cross_entropy` ne compte pas : le remplissage après la fin.

# %% [markdown] lang="en"
# In `expected`, $-100$ marks what `F.cross_entropy` does not count: the padding after the end.

# %% slide="fragment"
class CaptionGPT(nn.Module):
    def __init__(self, width=64, depth=2, heads=4):
        super().__init__()
        self.words, self.places = nn.Embedding(512, width), nn.Embedding(LENGTH, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width, bias=False), nn.Linear(width, 512, bias=False)

    def forward(self, tokens, cache=None, maps=None):
        first = cache.filled if cache is not None else 0
        x = self.words(tokens) + self.places.weight[first : first + tokens.shape[1]]
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer, maps=maps)
        if cache is not None:
            cache.filled += tokens.shape[1]
        return self.head(self.norm(x))


# %%
def next_token(model):
    batch = torch.randint(len(rows), (64,), generator=generator)
    loss = F.cross_entropy(model(shown[batch]).flatten(0, 1), expected[batch].flatten())
    return loss, loss.item()


torch.manual_seed(0)
generator, gpt = torch.Generator().manual_seed(0), CaptionGPT()
losses = learn(gpt, next_token, steps=1000)
print(say("weights:", "poids :"), sum(parameter.numel() for parameter in gpt.parameters()))
print(say("loss of one who finds 512 tokens equally likely:", "perte de qui juge les 512 jetons équiprobables :"), round(math.log(512), 2))
print(say(f"at the first step: {losses[0]:.2f}", f"au premier pas : {losses[0]:.2f}"))
print(say(f"over the last 50 steps: {sum(losses[-50:]) / 50:.2f}", f"sur les 50 derniers pas : {sum(losses[-50:]) / 50:.2f}"))

# %% [markdown] lang="fr"
# À quoi comparer cette perte ? À ce que savent de simples comptes : celui des mots un à un, et celui des paires, c'est-à-dire du mot
# suivant quand on ne connaît que le dernier. Sous la seconde ligne, le réseau sait plus que le dernier mot : il se sert aussi de sa place,
# ou regarde plus loin en arrière.

# %% [markdown] lang="en"
# What should this loss be compared with? With what plain counts know: those of single words, and those of pairs, that is of the next word
# when one knows the last word only. Below the second line, the network knows more than the last word: it also uses its place, or looks
# further back.

# %%
def nats(counts):
    share = counts[counts > 0] / counts.sum()
    return -(share * share.log()).sum().item()


kept = expected >= 0
pairs = torch.zeros(512, 512).index_put_((shown[kept], expected[kept]), torch.ones(()), accumulate=True)
alone, paired = nats(pairs.sum(dim=0)), nats(pairs) - nats(pairs.sum(dim=1))
print(say(f"single words {alone:.2f}, pairs {paired:.2f}", f"mots seuls {alone:.2f}, paires {paired:.2f}"))

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Mieux que compter

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### Better than counting

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot()
axes.plot(range(10, 1001, 20), torch.tensor(losses).unflatten(0, (-1, 20)).mean(dim=1), color=BLUE, label="GPT")
axes.axhline(alone, color=ORANGE, linestyle=":", label=say("single words", "mots seuls"))
axes.axhline(paired, color=VERMILION, linestyle="--", label=say("pairs of words", "paires de mots"))
axes.set(xlabel=say("step", "pas"), ylabel=say("nats per token", "nats par jeton"), ylim=(0, None))
legend(axes)
picture(figure, say("The GPT's loss falls below what counting words knows, then below what counting pairs of words knows.",
                    "La perte du GPT passe sous ce que savent les comptes de mots, puis sous ce que savent les comptes de paires."))

# %% [markdown] lang="fr" slide="slide"
# ### Il écrit
#
# Écrire, c'est demander les probabilités du jeton suivant, le tirer au sort, l'ajouter et recommencer. `choose` fait le tirage (nous
# l'ouvrons à la section suivante) ; `uniforms` lui apporte le hasard, un nombre par jeton.

# %% [markdown] lang="en" slide="slide"
# ### It writes
#
# Writing is asking for the probabilities of the next token, drawing it, adding it, and beginning again. `choose` does the drawing (we open
# it in the next section); `uniforms` brings it its chance, a number for each token.

# %% slide="fragment"
@torch.no_grad()
def write(gpt, uniforms, **options):
    written = torch.zeros(len(uniforms), 1, dtype=torch.long)
    for uniform in uniforms.T:
        logits = gpt(written)[:, -1]
        written = torch.cat([written, choose(logits, uniform, **options)[:, None]], dim=1)
    return written[:, 1:].masked_fill((written[:, 1:] == 0).cumsum(dim=1) > 0, 0)


# %% slide="fragment"
uniforms = torch.rand(200, LENGTH, generator=torch.Generator().manual_seed(1))
said = [tokenizer.decode(row) for row in write(gpt, uniforms)]
print(*said[:6], sep="\n")

# %% [markdown] lang="fr" slide="slide"
# ### Est-ce de la grammaire ?
#
# Notre monde sait lire : `read_caption` rend ce que dit une légende, ou `None`. Elle est indulgente ; la seconde mesure ne l'est pas : la
# phrase doit être, **au mot près**, l'une de celles que la grammaire aurait écrites, accords compris. Le GPT n'a pourtant vu que des
# phrases.

# %% [markdown] lang="en" slide="slide"
# ### Is it grammar?
#
# Our world can read: `read_caption` returns what a caption says, or `None`. It is lenient; the second measure is not: the sentence must be,
# **word for word**, one that the grammar would have written, agreements included. Yet the GPT has seen nothing but sentences.

# %% [markdown] lang="fr"
# (Les jetons n'ont ni accents ni traits d'union : on compare sans eux.)

# %% [markdown] lang="en"
# (Tokens have neither accents nor hyphens: we compare without them.)

# %%
from dalle_edu.world.grammar import normalize


def is_exact(sentence):
    read = read_caption(sentence)
    return read is not None and any(sentence == normalize(way) for language in LANGUAGES for way in phrasings(read, language))


def shares(sentences):
    known = {normalize(text) for text in captions}
    tests = (lambda text: read_caption(text) is not None, is_exact, lambda text: text not in known)
    return [sum(map(test, sentences)) / len(sentences) for test in tests] + [len(set(sentences)) / len(sentences)]


# %% slide="fragment"
measures = say("read|word for word|not in the corpus|different", "lues|au mot près|hors du corpus|différentes")
for measure, share in zip(measures.split("|"), shares(said)):
    print(f"{measure:20} {100 * share:5.1f} %")
print(say("wrong:", "fausses :"), *[text for text in said if not is_exact(text)][:4], sep="\n  ")

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Faire chercher la faute dans chaque phrase fausse. Demander si le réseau récite : la ligne « hors du corpus » répond. Puis demander ce
# qu'il faudrait pour atteindre 100 % : plus de pas, plus de données, ou seulement tirer avec moins de hasard ?

# %% [markdown] lang="en" slide="notes" slide_only=true
# Have them find the fault in each wrong sentence. Ask whether the network recites: the line "not in the corpus" answers. Then ask what it
# would take to reach 100 %: more steps, more data, or only drawing with less chance?

# %% [markdown] lang="fr"
# A-t-il appris l'accord ? Après un nom masculin, féminin, singulier, pluriel, quelle forme de « noir » attend-il ? Chaque ligne donne les
# probabilités, en %, du mot suivant.

# %% [markdown] lang="en"
# Has it learned agreement? French adjectives agree with their noun. After a masculine, a feminine, a singular, a plural noun, which form of
# "noir" (black) does it expect? Each row gives the probabilities, in %, of the next word.

# %%
def prompt(text):
    tokens = tokenizer.encode([text], LENGTH - 1)
    return F.pad(tokens[tokens > 0], (1, 0))[None]


forms = ["noir", "noire", "noirs", "noires"]
columns = [int(tokenizer.encode([form], 1)) for form in forms]
print(" " * 20, *(f"{form:>7}" for form in forms))
for beginning in ("il y a un cercle", "il y a une étoile", "il y a deux cercles", "il y a deux étoiles"):
    with torch.no_grad():
        probabilities = gpt(prompt(beginning))[0, -1].softmax(dim=-1)
    print(f"{beginning:20}", *(f"{100 * probabilities[column]:7.1f}" for column in columns))

# %% [markdown] lang="fr"
# Refaites l'expérience avec « vert » : l'étoile n'en veut presque pas, sous aucune forme. C'est que l'étoile verte est l'une des
# combinaisons que le monde garde pour l'examen ; le réseau n'a appris que ce qu'on lui a montré.

# %% [markdown] lang="en"
# Do it again with "vert" (green): the star will hardly have it, in any form. That is because the green star is one of the combinations that
# the world keeps for the exam; the network has learned only what it was shown.

# %% [markdown] lang="fr" slide="slide"
# ## 11. Choisir le jeton suivant
#
# Le réseau donne une distribution ; à nous d'en faire une phrase.
#
# - **glouton** : toujours le plus probable ;
# - **température** $T$ : diviser les logits par $T$ avant le softmax. Sous 1, les favoris gagnent du terrain ; au-dessus, ils en perdent ;
# - **top-k** : ne tirer que parmi les $k$ plus probables ; **top-p** : parmi les plus probables qui font ensemble $p$ ;
# - **faisceau** : ne pas tirer du tout, mais chercher la phrase entière la plus probable.

# %% [markdown] lang="en" slide="slide"
# ## 11. Choosing the next token
#
# The network gives a distribution; it is up to us to make a sentence of it.
#
# - **greedy**: always the likeliest;
# - **temperature** $T$: divide the logits by $T$ before the softmax. Below 1 the favourites gain ground; above, they lose it;
# - **top-k**: draw among the $k$ likeliest only; **top-p**: among the likeliest that make $p$ together;
# - **beam**: do not draw at all, but look for the likeliest whole sentence.

# %% [markdown]
# $$ p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}} $$

# %%
@torch.no_grad()
def following(text):
    return gpt(prompt(text))[:, -1]


# %%
def tempered(temperature):
    beginning = say("there is a large", "il y a un grand")
    logits = following(beginning)[0]
    likely = logits.topk(12).indices
    figure, axes = plot(height=3.4)
    chances = 100 * (logits / temperature).softmax(dim=-1)[likely]
    axes.bar([tokenizer.decode(token[None]) for token in likely], chances.tolist(), color=BLUE)
    axes.tick_params(axis="x", rotation=40)
    axes.set_title(say(f"“{beginning} …”, temperature {temperature:g}", f"« {beginning} … », température {temperature:g}"))
    axes.set(ylim=(0, 100), ylabel="%")
    return picture(figure, say(f"Probabilities of the next word at temperature {temperature:g}.",
                               f"Probabilités du mot suivant à la température {temperature:g}."))


# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### La température

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### Temperature

# %% slide="fragment"
Explorer(tempered, temperature=Knob(say("temperature", "température"), [0.1, 0.5, 1, 2, 4, 8], start=2))

# %% [markdown] lang="fr"
# Combien de hasard faut-il ? Comptons, sur cent phrases à chaque température, celles qui sont justes et celles qui diffèrent entre elles.

# %% [markdown] lang="en"
# How much chance is right? Let us count, in a hundred sentences at each temperature, those that are right and those that differ from each
# other.

# %%
temperatures = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0]
measured = []
print(say("temperature, right word for word, different:", "température, justes au mot près, différentes :"))
for temperature in temperatures:
    measured.append(shares([tokenizer.decode(row) for row in write(gpt, uniforms[:100], temperature=temperature)]))
    print(f"{temperature:4}", *(f"{100 * share:5.0f} %" for share in (measured[-1][1], measured[-1][3])))

# %% [markdown] lang="fr" slide="subslide" slide_only=true
# ### Combien de hasard ?

# %% [markdown] lang="en" slide="subslide" slide_only=true
# ### How much chance?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot()
axes.plot(temperatures, [100 * share[1] for share in measured], "o-", color=BLUE, label=say("right, word for word", "justes, au mot près"))
axes.plot(temperatures, [100 * share[3] for share in measured], "s--", color=VERMILION, label=say("different", "différentes"))
axes.set(xlabel=say("temperature", "température"), ylabel="%", ylim=(0, 103))
legend(axes)
picture(figure, say("As the temperature rises, sentences become more different from each other, and fewer of them are right.",
                    "Quand la température monte, les phrases se distinguent davantage, et moins d'entre elles sont justes."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Demander à quelle température l'on écrirait un poème, une ordonnance. À 0, une seule phrase, cent fois : c'est le glouton. Faire le lien
# avec la longueur de la requête de l'exercice 2 : déjà une température, à l'envers (plus longue, elle laisse moins de choix).

# %% [markdown] lang="en" slide="notes" slide_only=true
# Ask at which temperature one would write a poem, a prescription. At 0, one sentence a hundred times: that is greedy. Make the link with
# the length of the query in exercise 2: a temperature already, upside down (the longer, the less is left to choose from).

# %% [markdown] lang="fr"
# Écrivez top-k : dans chaque ligne, laissez les $k$ plus grands logits et mettez les autres à $-\infty$. Si $k$ dépasse le vocabulaire,
# tout reste.
#
# <details><summary>Un indice</summary>`logits.topk(k, dim=-1).values[..., -1:]` est le plus petit logit à garder.</details>

# %% [markdown] lang="en"
# Write top-k: in each row, leave the $k$ largest logits and set the others to $-\infty$. If $k$ is more than the vocabulary, all stay.
#
# <details><summary>A hint</summary>`logits.topk(k, dim=-1).values[..., -1:]` is the smallest logit to keep.</details>

# %% implements="decoding:keep_top_k" level=1
"""Top-k : garder les k entrées les plus probables de chaque ligne.

Les logits des autres deviennent -inf : leur probabilité est 0
(Fan et al. 2018).
"""

# %% [markdown] lang="fr"
# Puis top-p : le **plus petit** ensemble d'entrées dont les probabilités font ensemble au moins $p$. Celle qui fait franchir $p$ est
# gardée ; la plus probable l'est toujours. Les logits reviennent à leur place.
#
# <details><summary>Un indice</summary>Triez du plus grand au plus petit. Une entrée est de trop si la somme des probabilités **avant** elle
# atteint déjà $p$ : la somme cumulée moins elle-même. `scatter(-1, order, …)` remet chaque valeur d'où elle venait.</details>

# %% [markdown] lang="en"
# Then top-p: the **smallest** set of entries whose probabilities make at least $p$ together. The one that crosses $p$ is kept; the
# likeliest always is. The logits come back to their places.
#
# <details><summary>A hint</summary>Sort from the largest to the smallest. An entry is one too many if the sum of the probabilities
# **before** it reaches $p$ already: the cumulative sum less itself. `scatter(-1, order, …)` puts each value back where it came
# from.</details>

# %% implements="decoding:keep_top_p" level=3
"""Top-p : garder le plus petit ensemble dont la probabilité atteint p.

C'est le *nucleus sampling* (Holtzman et al. 2020). L'entrée la plus probable
est toujours gardée. Les logits des entrées écartées deviennent -inf.
"""
# rounding in the sum below would lose the least likely => l'arrondi de la somme ci-dessous perdrait les moins probables
# each logit goes back to its place => chaque logit revient à sa place

# %% [markdown] lang="fr"
# ### Un nombre fixe, ou une part fixe ?
#
# Top-k garde cinq mots partout : trop peu après « un », où tant de mots conviennent ; trop là où deux seulement sont possibles. Top-p
# s'adapte.

# %% [markdown] lang="en"
# ### A fixed number, or a fixed share?
#
# Top-k keeps five words everywhere: too few after "a large", where so many words will do; too many where only two are possible. Top-p
# adapts.

# %%
figure, panels = plot(1, 2, width=9, height=3.2)
for panel, text in zip(panels, (say("there is a large", "il y a un"), say("a red circle to the", "un cercle rouge au"))):
    logits = following(text)
    kept = int((keep_top_p(logits, 0.9) > -math.inf).sum())
    panel.bar(range(1, 16), (100 * logits.softmax(dim=-1).sort(descending=True).values[0, :15]).tolist(), color=SKY)
    panel.axvline(5.5, color=ORANGE, linestyle="--", label="top-k, k = 5")
    panel.axvline(kept + 0.5, color=VERMILION, label=say("top-p, p = 0.9", "top-p, p = 0,9"))
    panel.set(title=say(f"“{text} …”: top-p keeps {kept}", f"« {text} … » : top-p en garde {kept}"), xlabel=say("rank", "rang"), ylabel="%")
legend(panels[1])
picture(figure, say("Two next-word distributions, one wide and one narrow: top-k cuts both at five, top-p each where it must.",
                    "Deux distributions du mot suivant, une large et une étroite : top-k coupe à cinq, top-p où il faut."))

# %% [markdown] lang="fr"
# Reste le tirage. Posez les probabilités bout à bout sur un segment de longueur 1 ; `uniform`, un nombre par ligne entre 0 et 1, tombe dans
# l'une d'elles. Le hasard vient du dehors : une phrase ne dépend donc pas des autres phrases du lot.
#
# <details><summary>Un indice</summary>La somme cumulée dit où finit chaque entrée. Combien finissent à `uniform` ou avant ? C'est le numéro
# cherché. Calculez en `double` ; `torch.searchsorted(…, right=True)`, ou une comparaison et une somme, compte pour vous.</details>

# %% [markdown] lang="en"
# There remains the draw. Lay the probabilities end to end on a segment of length 1; `uniform`, a number for each row between 0 and 1, falls
# into one of them. Chance comes from outside: so a sentence does not depend on the other sentences of the batch.
#
# <details><summary>A hint</summary>The cumulative sum says where each entry ends. How many end at `uniform` or before? That is the number
# wanted. Work in `double`; `torch.searchsorted(…, right=True)`, or a comparison and a sum, counts for you.</details>

# %% implements="decoding:sample" level=2
"""Tirer une entrée de chaque ligne avec les probabilités softmax(logits).

C'est celle où la répartition cumulée franchit `uniform`, dans [0, 1). Il y a un
tel nombre par ligne, donné du dehors : une image ne dépend donc pas du lot dans
lequel elle est tirée.
"""
# rounding may make the total differ from 1 => les arrondis peuvent écarter le total de 1

# %% [markdown] lang="fr" slide="slide"
# ### Chercher la phrase la plus probable
#
# Le glouton prend à chaque pas le meilleur jeton, ce qui ne mène pas toujours à la meilleure phrase. La recherche en **faisceau** (*beam
# search*) garde à chaque pas les $b$ meilleurs débuts. Le score est la log-probabilité de la phrase entière ; diviser par la longueur
# (`length_penalty=1`) rend leur chance aux longues, à qui chaque mot de plus coûte.

# %% [markdown] lang="en" slide="slide"
# ### Looking for the likeliest sentence
#
# Greedy takes the best token at each step, which does not always lead to the best sentence. **Beam search** keeps the $b$ best beginnings
# at each step. The score is the log-probability of the whole sentence; dividing by the length (`length_penalty=1`) gives their chance back
# to long ones, which pay for each further word.

# %% slide="fragment"
@torch.no_grad()
def next_words(tokens):
    return gpt(tokens)[:, -1].log_softmax(dim=-1)


start = torch.tensor([0])
print(say("beams, length_penalty, score, sentence:", "faisceau, length_penalty, score, phrase :"))
for beams, penalty in ((1, 0.0), (2, 0.0), (4, 0.0), (16, 0.0), (16, 1.0)):
    tokens, score = beam_search(next_words, start, beams, LENGTH - 1, end=0, length_penalty=penalty)
    print(f"{beams:2} {penalty:g} {score:8.3f}  {tokenizer.decode(tokens)}")

# %% [markdown] lang="fr"
# Les façons de choisir, côte à côte, sur deux cents phrases (le faisceau n'y est pas : il n'a qu'une phrase à dire). Filtrer permet de
# monter la température sans perdre la grammaire. Le vocabulaire a 512 entrées, et à chaque pas les mauvaises, si peu probables soient-elles
# une à une, pèsent ensemble : c'est cette **traîne** que les filtres coupent.

# %% [markdown] lang="en"
# The ways to choose, side by side, on two hundred sentences (not beam search: it has one sentence to say). Filtering lets the temperature
# rise without losing the grammar. The vocabulary has 512 entries, and at each step the wrong ones, however unlikely one by one, add up:
# this **tail** is what the filters cut off.

# %%
ways = [{"temperature": 0.0}, {"temperature": 0.7}, {}, {"temperature": 1.5}]
ways += [{"temperature": 1.5, "top_k": 8}, {"temperature": 1.5, "top_p": 0.9}]
print(f"{'':38}", say("word for word   different", "au mot près   différentes"))
for way in ways:
    _, exact, _, different = shares([tokenizer.decode(row) for row in write(gpt, uniforms, **way)])
    print(f"{way!s:38} {100 * exact:11.1f} % {100 * different:9.1f} %")

# %% [markdown] lang="fr" slide="slide"
# ## 12. Ne pas tout recalculer
#
# `write` a un vice : pour écrire le jeton $t$, il repasse les $t$ précédents dans le réseau. Or rien n'y a changé : grâce au masque causal,
# les clés et valeurs d'un jeton ne dépendent que de lui et de ceux d'avant. On les garde donc, dans un **cache**. Chaque nouveau jeton fait
# sa requête, sa clé, sa valeur, et regarde ce que le cache a gardé.

# %% [markdown] lang="en" slide="slide"
# ## 12. Not computing it all again
#
# `write` has a vice: to write token $t$ it passes the $t$ before it through the network again. Yet nothing has changed there: thanks to the
# causal mask, a token's keys and values depend only on itself and those before it. So keep them, in a **cache**. Each new token makes its
# query, its key, its value, and looks at what the cache has kept.

# %% [markdown]
# $$ 1 + 2 + \dots + t = \frac{t \, (t + 1)}{2} \qquad \longrightarrow \qquad t $$

# %%
@torch.no_grad()
def write_cached(gpt, uniforms, **options):
    written = torch.zeros(len(uniforms), 1, dtype=torch.long)
    cache = KeyValueCache(2, len(uniforms), 4, LENGTH, 16, written.device, torch.float32)
    for uniform in uniforms.T:
        logits = gpt(written[:, -1:], cache)[:, -1]
        written = torch.cat([written, choose(logits, uniform, **options)[:, None]], dim=1)
    return written[:, 1:].masked_fill((written[:, 1:] == 0).cumsum(dim=1) > 0, 0)


print(say("the same sentences:", "les mêmes phrases :"), bool((write_cached(gpt, uniforms) == write(gpt, uniforms)).all()))

# %%
from torch.utils.flop_counter import FlopCounterMode

lengths = [1, 2, 4, 6, 8, 10, 12, 14, 16]
work = {say("everything again", "tout refaire"): write, say("with the cache", "avec le cache"): write_cached}
for name, how in work.items():
    work[name] = []
    for length in lengths:
        with FlopCounterMode(display=False) as counter:
            how(gpt, uniforms[:1, :length])
        work[name].append(counter.get_total_flops() / 1e6)
    print(say(f"{name:16} {work[name][-1]:6.2f} million operations", f"{name:16} {work[name][-1]:6.2f} millions d'opérations"))

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.4)
for (name, operations), colour in zip(work.items(), (VERMILION, BLUE)):
    axes.plot(lengths, operations, "o-", color=colour, label=name)
axes.set(xlabel=say("tokens written", "jetons écrits"), ylabel=say("millions of operations", "millions d'opérations"))
legend(axes)
picture(figure, say("Operations to write a sentence: they grow with the square of its length without the cache, and linearly with it.",
                    "Opérations pour écrire une phrase : sans cache, comme le carré de sa longueur ; avec lui, en ligne droite."))

# %% [markdown] lang="fr"
# Le compte est celui des produits par les matrices de poids. Le prix du cache est de la mémoire : deux vecteurs par jeton et par couche.
# Pour les 1 280 jetons de DALL·E 1, avec 64 couches et 62 têtes de 64 canaux, cela fait 650 millions de nombres par image en cours.

# %% [markdown] lang="en"
# What is counted are the products by weight matrices. The price of the cache is memory: two vectors for each token and each layer. For the
# 1,280 tokens of DALL·E 1, with 64 layers and 62 heads of 64 channels, that makes 650 million numbers for each picture under way.

# %% [markdown] lang="fr" slide="slide"
# ## 13. Où regardent les têtes ?
#
# Pointez un jeton (cliquez, dans un notebook) et choisissez une couche : chaque ligne montre où une tête regarde quand le GPT cherche le
# mot qui suit ce jeton. En gris, ce que le masque cache. Y a-t-il une tête qui regarde le mot d'avant ? une qui revient au début ? une qui
# retrouve le premier objet ?

# %% [markdown] lang="en" slide="slide"
# ## 13. Where do the heads look?
#
# Point at a token (click, in a notebook) and choose a layer: each row shows where a head looks while the GPT searches for the word after
# this token. In grey, what the mask hides. Is there a head that looks at the word before? one that goes back to the start? one that finds
# the first object again?

# %%
from dalle_edu.classroom.widgets.attention import attention_explorer

sentence = say("a large black star above a small pink ring", "une grande étoile noire au-dessus d'un petit anneau rose")
maps = []
gpt(prompt(sentence), maps=maps)
pieces = [piece.lstrip("Ġ") for piece in tokenizer.tokens(sentence)]

# %% slide="fragment"
attention_explorer([say("(start)", "(début)"), *pieces], maps, start=3)

# %% [markdown] lang="fr"
# Une phrase ne fait pas une habitude. Voici, en moyenne sur cent légendes, la part du regard que chaque tête donne au début, au jeton
# d'avant et au jeton lui-même.

# %% [markdown] lang="en"
# One sentence makes no habit. Here is, over a hundred captions, the share of its look that each head gives to the start, to the token
# before and to the token itself.

# %%
maps, long = [], shown[rows[:, 6] > 0][:100, :8]
gpt(long, maps=maps)
print(say("layer head   start  before  itself", "couche tête  début   avant lui-même"))
for layer, weights in enumerate(maps):
    at_start, before = weights[:, :, 2:, 0].mean(dim=(0, 2)), weights.diagonal(-1, dim1=2, dim2=3)[..., 1:].mean(dim=(0, 2))
    itself = weights.diagonal(0, dim1=2, dim2=3)[..., 2:].mean(dim=(0, 2))
    for head in range(len(itself)):
        print(f"{layer + 1:5} {head + 1:4}", *(f"{100 * part[head]:6.0f}%" for part in (at_start, before, itself)))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# Mettre en garde : une carte d'attention montre d'où vient l'information, pas ce qui en est fait ; c'est un indice, non une explication.
# Laisser chacun proposer un rôle pour une tête, puis le vérifier sur la moyenne de cent légendes.

# %% [markdown] lang="en" slide="notes" slide_only=true
# A warning: an attention map shows where information comes from, not what is made of it; it is a clue, not an explanation. Let everyone
# suggest a role for one head, then check it against the mean over a hundred captions.

# %% [markdown] lang="fr" slide="slide"
# ## 14. Quelle erreur est-ce ?
#
# Voici une attention écrite par quelqu'un d'autre. Elle est fausse. Ne regardez pas son code : interrogez-la. Que donne-t-elle pour une
# requête seule ? pour deux ? avec un masque ? Puis répondez.

# %% [markdown] lang="en" slide="slide"
# ## 14. Which mistake is this?
#
# Here is an attention that somebody else wrote. It is wrong. Do not look at its code: question it. What does it give for a single query?
# for two? with a mask? Then answer.

# %% slide="fragment"
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("attention:scaled_dot_product", 1)
print(mystery(query, key, value))
print(mystery(torch.cat([query, 2 * query]), key, value)[1])
print(mystery(torch.cat([query, 2 * query]), key, value, torch.tensor([[True, True, False]]))[1])

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr"
# ## 15. Questions

# %% [markdown] lang="en"
# ## 15. Questions

# %% quiz="attention"
quiz(
    Number(
        say("A query has two keys, whose scores, divided already, are 0 and log 3. What is the weight of the second?",
            "Une requête a deux clés, dont les scores, déjà divisés, valent 0 et log 3. Quel est le poids de la seconde ?"),
        right=0.75,
        why=say("exp(0) = 1 and exp(log 3) = 3; 3 out of 4.", "exp(0) = 1 et exp(log 3) = 3 ; 3 sur 4."),
        computed=lambda: float(torch.tensor([0.0, math.log(3)]).softmax(dim=0)[1]),
        tolerance=1e-6,
    ),
    Choice(
        say("The division by √d is left out, with d = 512. What happens at the start of training?",
            "On oublie la division par √d, avec d = 512. Que se passe-t-il au début de l'entraînement ?"),
        [say("Nothing: the softmax normalises anyway.", "Rien : le softmax normalise de toute façon."),
         say("Each query takes nearly all from one key, and the slope is small.",
             "Chaque requête prend presque tout à une clé, et la pente est faible."),
         say("All keys weigh the same.", "Toutes les clés pèsent pareil.")],
        right=1,
        why=say("Scores of standard deviation √512 ≈ 23 make the softmax a choice, flat nearly everywhere.",
                "Des scores d'écart type √512 ≈ 23 font du softmax un choix, plat presque partout."),
    ),
    Choice(
        say("In a decoder's cross-attention, where do keys and values come from?",
            "Dans l'attention croisée d'un décodeur, d'où viennent clés et valeurs ?"),
        [say("from the decoder's layer below", "de la couche du dessous du décodeur"),
         say("from the encoder's layer of the same height", "de la couche de même hauteur de l'encodeur"),
         say("from the top of the encoder", "du haut de l'encodeur")],
        right=2,
        why=say("Every layer of the decoder reads the same, finished memory; only the queries are its own.",
                "Chaque couche du décodeur lit la même mémoire achevée ; seules les requêtes sont à elle."),
    ),
    Choice(
        say("The tokens of an encoder without places are put in reverse order. Its outputs are",
            "On renverse l'ordre des jetons d'un encodeur sans places. Ses sorties sont"),
        [say("unchanged", "inchangées"), say("the same, in reverse order", "les mêmes, dans l'ordre renversé"),
         say("entirely different", "tout autres")],
        right=1,
        why=say("Attention and small network treat tokens alike wherever they stand: outputs follow their tokens.",
                "Attention et petit réseau traitent pareillement les jetons où qu'ils soient : les sorties suivent leurs jetons."),
    ),
    Number(
        say("How many weights has a block of 64 channels (no biases)?", "Combien de poids a un bloc de 64 canaux (sans biais) ?"),
        right=49280,
        why=say("4 × 64² for attention, 8 × 64² for the small network, 2 × 64 for the norms. The number of heads does not matter.",
                "4 × 64² pour l'attention, 8 × 64² pour le petit réseau, 2 × 64 pour les normes. Le nombre de têtes n'y fait rien."),
        computed=lambda: sum(parameter.numel() for parameter in Block(64, 4).parameters()),
    ),
    Number(
        say("Probabilities are 0.5, 0.3, 0.15 and 0.05. How many entries does top-p keep with p = 0.75?",
            "Les probabilités sont 0,5, 0,3, 0,15 et 0,05. Combien d'entrées top-p garde-t-il avec p = 0,75 ?"),
        right=2,
        why=say("0.5 is not enough; 0.5 + 0.3 crosses 0.75.", "0,5 ne suffit pas ; 0,5 + 0,3 franchit 0,75."),
        computed=lambda: int((keep_top_p(torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log(), 0.75) > -math.inf).sum()),
    ),
    Number(
        say("Without a cache, how many tokens go through the network to write the 1,280 of DALL·E 1, one after the other?",
            "Sans cache, combien de jetons passent dans le réseau pour écrire un à un les 1 280 de DALL·E 1 ?"),
        right=819840,
        why=say("1 + 2 + … + 1,280 = 1,280 × 1,281 / 2; with the cache, 1,280.",
                "1 + 2 + … + 1 280 = 1 280 × 1 281 / 2 ; avec le cache, 1 280."),
        computed=lambda: sum(range(1, 1281)),
    ),
    Choice(
        say("Temperature 0 is", "La température 0, c'est"),
        [say("the uniform draw", "le tirage uniforme"), say("the greedy choice", "le choix glouton"),
         say("beam search", "la recherche en faisceau")],
        right=1,
        why=say("Dividing by almost nothing lets the largest logit win alone.",
                "Diviser par presque rien laisse le plus grand logit gagner seul."),
    ),
)

# %% [markdown] lang="fr" slide="slide"
# ## À retenir
#
# - Requête, clés, valeurs : scores, division par $\sqrt d$, masque, softmax, mélange. Cinq pas, sans boucle.
# - Le masque passe avant le softmax ; causal, il permet d'apprendre de toutes les positions à la fois.
# - Une tête est un regard ; il en faut plusieurs, côte à côte.
# - Sans masque, l'attention ne voit qu'un ensemble : les places s'ajoutent aux mots.
# - Un bloc : le flux, plus une attention, plus un petit réseau, chacun sur le flux normalisé.
# - Encodeur pour lire, décodeur pour écrire, attention croisée entre les deux ; un GPT n'est qu'une pile de blocs causaux.
# - Le réseau donne des probabilités ; température, top-k, top-p et faisceau en font une phrase, et le cache la fait vite.

# %% [markdown] lang="en" slide="slide"
# ## Take-aways
#
# - Query, keys, values: scores, division by $\sqrt d$, mask, softmax, mixture. Five steps, no loop.
# - The mask comes before the softmax; causal, it lets all positions learn at once.
# - A head is one look; several are needed, side by side.
# - Without a mask, attention sees nothing but a set: places are added to the words.
# - A block: the stream, plus an attention, plus a small network, each on the normalised stream.
# - Encoder to read, decoder to write, cross-attention between them; a GPT is no more than a stack of causal blocks.
# - The network gives probabilities; temperature, top-k, top-p and beams make a sentence of them, and the cache makes it fast.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La leçon 11 donnera à ce GPT des jetons d'image à la suite de ses jetons de texte : il écrira des dessins. Il lui faut d'abord des codes
# pour les images ; c'est l'affaire des leçons 07 et 08. D'ici là, entraînez `CaptionGPT` avec `depth=0`, puis 1 : où la perte se
# pose-t-elle, par rapport à la ligne des paires, et pourquoi ? Et que perd-on à retirer `self.places`, quand le masque causal reste ?
#
# ## Sources
#
# - I. Sutskever, O. Vinyals et Q. Le, *Sequence to sequence learning with neural networks*, 2014.
# - D. Bahdanau, K. Cho et Y. Bengio, *Neural machine translation by jointly learning to align and translate*, 2015.
# - M.-T. Luong, H. Pham et C. Manning, *Effective approaches to attention-based neural machine translation*, 2015.
# - A. Vaswani et al., *Attention is all you need*, 2017.
# - K. He et al., *Deep residual learning for image recognition*, 2016 ; J. Ba, J. Kiros et G. Hinton, *Layer normalization*, 2016 ; R.
#   Xiong et al., *On layer normalization in the transformer architecture*, 2020 ; D. Hendrycks et K. Gimpel, *Gaussian error linear units*,
#   2016.
# - Y. Dong, J.-B. Cordonnier et A. Loukas, *Attention is not all you need: pure attention loses rank doubly exponentially with depth*,
#   2021.
# - A. Radford et al., *Improving language understanding by generative pre-training*, 2018 ; *Language models are unsupervised multitask
#   learners*, 2019.
# - J. Devlin et al., *BERT: pre-training of deep bidirectional transformers for language understanding*, 2019 ; M. Lewis et al., *BART*,
#   2020 ; C. Raffel et al., *Exploring the limits of transfer learning with a unified text-to-text transformer*, 2020.
# - A. Fan, M. Lewis et Y. Dauphin, *Hierarchical neural story generation*, 2018 ; A. Holtzman et al., *The curious case of neural text
#   degeneration*, 2020.
# - A. Ramesh et al., *Zero-shot text-to-image generation*, 2021 ; B. Dayma et al., *DALL·E mini*, 2021 ; C. Saharia et al. (Imagen),
#   *Photorealistic text-to-image diffusion models with deep language understanding*, 2022.

# %% [markdown] lang="en"
# ## Reading on
#
# Lesson 11 will give this GPT image tokens after its text tokens: it will write drawings. First it needs codes for pictures; lessons 07 and
# 08 see to that. Until then, train `CaptionGPT` with `depth=0`, then 1: where does the loss settle, next to the line of pairs, and why? And
# what is lost by taking `self.places` away while the causal mask stays?
#
# ## Sources
#
# - I. Sutskever, O. Vinyals and Q. Le, *Sequence to sequence learning with neural networks*, 2014.
# - D. Bahdanau, K. Cho and Y. Bengio, *Neural machine translation by jointly learning to align and translate*, 2015.
# - M.-T. Luong, H. Pham and C. Manning, *Effective approaches to attention-based neural machine translation*, 2015.
# - A. Vaswani and others, *Attention is all you need*, 2017.
# - K. He and others, *Deep residual learning for image recognition*, 2016; J. Ba, J. Kiros and G. Hinton, *Layer normalization*, 2016; R.
#   Xiong and others, *On layer normalization in the transformer architecture*, 2020; D. Hendrycks and K. Gimpel, *Gaussian error linear
#   units*, 2016.
# - Y. Dong, J.-B. Cordonnier and A. Loukas, *Attention is not all you need: pure attention loses rank doubly exponentially with depth*,
#   2021.
# - A. Radford and others, *Improving language understanding by generative pre-training*, 2018; *Language models are unsupervised multitask
#   learners*, 2019.
# - J. Devlin and others, *BERT: pre-training of deep bidirectional transformers for language understanding*, 2019; M. Lewis and others,
#   *BART*, 2020; C. Raffel and others, *Exploring the limits of transfer learning with a unified text-to-text transformer*, 2020.
# - A. Fan, M. Lewis and Y. Dauphin, *Hierarchical neural story generation*, 2018; A. Holtzman and others, *The curious case of neural text
#   degeneration*, 2020.
# - A. Ramesh and others, *Zero-shot text-to-image generation*, 2021; B. Dayma and others, *DALL·E mini*, 2021; C. Saharia and others
#   (Imagen), *Photorealistic text-to-image diffusion models with deep language understanding*, 2022.
