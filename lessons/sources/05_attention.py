# ---
# jupyter:
#   lesson:
#     number: "05"
#     hours: [3, 1, 1.5, 2.5]
#     session: 240
#     title: {en: "From one query to a GPT that writes captions", fr: "D'une requête à un GPT qui écrit des légendes"}
# ---

# %% [markdown] lang="fr"
# Une machine de ce cours vient de dessiner « un grand cercle rouge au-dessus d'une petite étoile bleue ». Elle a posé le dessin carreau par
# carreau, de gauche à droite et de haut en bas, et nous avons noté, à chaque carreau, **quels mots elle regardait**. Chaque carte bleue
# ci-dessous appartient à un mot : plus un carreau est foncé, plus la machine regardait ce mot en le posant.
#
# **Devinez d'abord.** Où sera foncée la carte de « cercle » ? celle d'« étoile » ? Et celle de « dessus », qui ne nomme rien que l'on
# voie ?

# %% [markdown] lang="en"
# A machine of this course has just drawn "a large red circle above a small blue star". It laid the picture square by square, from left to
# right and from top to bottom, and at each square we noted **which words it was looking at**. Each blue map below belongs to a word: the
# darker a square, the more the machine looked at that word while laying it.
#
# **Guess first.** Where will the map of "circle" be dark? that of "star"? And that of "above", which names nothing that one can see?

# %% tags=["hide-input"]
import torch

from dalle_edu import load
from dalle_edu.classroom.figures import picture, plot

painter = load("dalle_mini")


# %% tags=["hide-input"]
def looks_at_words(sentence):
    with torch.no_grad():
        codes = painter.sample_codes([sentence], seed=0)
        text, maps = painter.tokens([sentence]), []
        memory, visible = painter.code_prior.encode(text)
        written = painter.code_prior.embed_codes(codes[:, :-1])
        painter.code_prior.decoder(written, memory, visible, maps)
        drawn = painter.decode(codes)[0].permute(1, 2, 0) / 2 + 0.5
    # en: the mean over layers and heads, without the column of a start token
    # fr: la moyenne des couches et des têtes, sans la colonne d'un jeton de début
    looks = torch.cat(maps, dim=1)[0].mean(dim=0)[:, 1:].unflatten(0, (8, 8))
    return drawn, looks


# %% tags=["hide-input"]
sentence = say("a large red circle above a small blue star",
               "un grand cercle rouge au-dessus d'une petite étoile bleue")
drawn, looks = looks_at_words(sentence)
words = [piece.lstrip("Ġ") for piece in painter.tokenizer.tokens(sentence)]
# en: a map for each of nine words
# fr: une carte pour chacun de neuf mots : « au » n'a pas la sienne
chosen = [place for place, word in enumerate(words) if word != "au"]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## Quels mots regarde-t-elle ?
#
# Plus un carreau est foncé, plus elle regardait ce mot en le posant.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## Which words does it look at?
#
# The darker a square, the more it looked at that word while laying it.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 5, width=9, height=4.1)
for panel in panels.flat:
    panel.axis("off")
panels[0, 0].imshow(drawn.clamp(0, 1))
for panel, place in zip(panels.flat[1:], chosen):
    panel.imshow(looks[:, :, place], cmap="Blues", vmin=0)
    panel.set_title(words[place])
picture(figure, say("A red circle above a blue star, and a map for each word: "
                    "the words of the circle are dark at the top, those of the "
                    "star below.",
                    "Un cercle rouge sur une étoile bleue, et une carte par mot"
                    " : les mots du cercle sont foncés en haut, ceux de "
                    "l'étoile en bas."))

# %% claims=true
top, bottom = looks[:4].mean(dim=(0, 1)), looks[4:].mean(dim=(0, 1))
circle = words.index(say("circle", "cercle"))
star = words.index(say("star", "etoile"))
between = words.index(say("above", "dessus"))
assert top[circle] > 2 * bottom[circle]
assert bottom[star] > 2 * top[star]
edges = looks[:, [0, 7]].mean(dim=(0, 1))
assert edges[between] > 1.5 * looks[:, 2:6].mean(dim=(0, 1))[between]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Avant de montrer les cartes, faire parier : où sera foncée celle de « cercle » ? celle de « dessus » ? (En haut ; aux bords du
# dessin.) Dire que c'est une moyenne sur toutes les têtes, et que l'on y reviendra à la fin. Demander : à quoi bon relire la phrase à
# chaque carreau ? (Pour n'avoir rien à retenir.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Before showing the maps, take bets: where will that of "circle" be dark? that of "above"? (At the top; along the edges.) Say that
# this is a mean over all heads; we come back to it at the end. Ask: why read the sentence again at each square? (Nothing to keep in mind.)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - calculer une attention à la main ;
# - masquer l'avenir et le remplissage ;
# - partager le regard entre des têtes ;
# - monter un GPT et le faire écrire ;
# - lui épargner de tout recalculer.
#
# **Il faut** les leçons 01 à 03.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - work out an attention by hand;
# - hide the future, and padding;
# - share looks out among heads;
# - build a GPT and let it write;
# - spare it from computing again.
#
# **You need** lessons 01 to 03.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander qui se rappelle le softmax, un plongement, un réseau récurrent : ce sont les trois choses dont on a besoin. Annoncer le
# plan de trois séances : jusqu'à la section 5, puis jusqu'à la section 9, puis le GPT. Les exercices les plus durs se finissent chez soi.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask who remembers the softmax, an embedding, a recurrent network: these are the three things needed. Announce the three classes: up
# to section 5, then up to section 9, then the GPT. The hardest exercises are finished at home.

# %% [markdown] lang="fr"
# Les mots du cercle sont regardés en haut, là où se pose le cercle ; ceux de l'étoile, en bas. « Dessus » est regardé aux bords du dessin,
# là où il n'y a rien à dessiner, seulement à placer. (Les jetons n'ont pas d'accents ; la machine est celle de la [](lesson:13).)
#
# Personne ne lui a dit où regarder. Elle l'a appris toute seule, parce que regarder l'aidait à bien dessiner. Ce regard s'appelle
# l'**attention**. C'est la pièce dont sont faits GPT, DALL·E et presque tout ce que ce cours construira. À la fin de la leçon, vous l'aurez
# écrite de vos mains, et vous relirez cette image.

# %% [markdown] lang="en"
# The words of the circle are looked at in the upper part, where the circle goes; those of the star, below. "Above" is looked at along the
# edges, where there is nothing to draw, only to place. (The machine is that of [](lesson:13).)
#
# Nobody told it where to look. It learned that by itself, because looking helped it to draw well. This looking is called **attention**. It
# is the part that GPT, DALL·E and nearly all that this course will build are made of. At the end of the lesson you will have written it
# with your own hands, and you will read this picture again.

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - calculer une attention à la main, en cinq pas, et dire pourquoi on y divise par $\sqrt{d}$ ;
# - masquer ce qui ne doit pas être vu, et le faire au bon moment ;
# - partager l'attention entre plusieurs têtes, et rendre aux mots leur ordre ;
# - monter un bloc de transformeur, puis un encodeur, un décodeur, un GPT ;
# - faire écrire ce GPT, de cinq façons, et compter ce que le cache lui épargne.
#
# **Il faut** les leçons [01](lesson:01) à [03](lesson:03) : le softmax et l'entropie croisée, les plongements (embeddings) de mots, les
# réseaux récurrents.
#
# **Si le temps manque**, les sections [1](#one-vector-for-a-whole-sentence) à [6](#several-heads) et [8](#stacking) à
# [10](#a-gpt-that-writes-captions) forment le chemin principal, et leurs exercices ● et ●● suffisent. Peuvent attendre : la tête faite à la
# main ([](#the-order-of-words)), top-p et le faisceau ([](#choosing-the-next-token)), et la [](#not-computing-it-all-again), que la
# [](lesson:11) utilisera. Un exercice non fait n'arrête rien : la bibliothèque prend la place de ce qui manque.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - work out an attention by hand, in five steps, and say why it divides by $\sqrt{d}$;
# - mask what must not be seen, and do it at the right moment;
# - share attention out among several heads, and give words their order back;
# - put together a transformer block, then an encoder, a decoder, a GPT;
# - let that GPT write, in five ways, and count what the cache saves it.
#
# **You need** lessons [01](lesson:01) to [03](lesson:03): softmax and cross-entropy, word embeddings, recurrent networks.
#
# **If time is short**, sections [1](#one-vector-for-a-whole-sentence) to [6](#several-heads) and [8](#stacking) to
# [10](#a-gpt-that-writes-captions) are the main path, and their exercises ● and ●● are enough. What can wait: the head made by hand
# ([](#the-order-of-words)), top-p and beam search ([](#choosing-the-next-token)), and [](#not-computing-it-all-again), which [](lesson:11)
# will use. An exercise left undone stops nothing: the library takes the place of what is missing.

# %%
import itertools
import math

import torch.nn.functional as F
from torch import nn

from dalle_edu.bricks.attention import CrossAttention, KeyValueCache
from dalle_edu.bricks.attention import MultiHeadAttention
from dalle_edu.bricks.decoding import beam_search, choose
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLUE, COLOURS, GREEN, ORANGE
from dalle_edu.classroom.figures import SKY, VERMILION, legend
from dalle_edu.language import decimal
from dalle_edu.world import SHAPES, Description, Mention, World
from dalle_edu.world import caption, caption_tokenizer, phrasings, read_caption

# %% [markdown] lang="fr"
# ## 1. Un seul vecteur pour toute une phrase
#
# Les premiers traducteurs faits de deux réseaux récurrents ([Sutskever, Vinyals et Le 2014](work:sutskever2014)) travaillaient ainsi :
# l'un, l'encodeur, lit la phrase ; il passe à l'autre, le décodeur, son dernier état, et rien d'autre. Trois choses y clochent.
#
# - **L'étranglement.** Cinq mots ou cinquante, tout doit tenir dans un vecteur de même taille.
# - **La distance.** Entre le premier mot et le dernier, le signal traverse toutes les étapes, et s'use à chacune.
# - **La file d'attente.** L'état 40 attend l'état 39 : impossible de calculer en parallèle.
#
# Mesurons l'usure. Trois réseaux non entraînés lisent quarante mots tirés au hasard. On pousse un peu un mot : de combien bouge la réponse
# au dernier ? C'est une pente ; `torch.autograd.grad` la calcule par rétropropagation. **Devinez** : pour chaque réseau, que vaut-elle pour
# le premier mot, comparée à celle de l'avant-dernier ?

# %% [markdown] lang="en"
# ## 1. One vector for a whole sentence
#
# The first translators made of two recurrent networks ([Sutskever, Vinyals and Le 2014](work:sutskever2014)) worked like this: one, the
# encoder, reads the sentence; it hands its last state to the other, the decoder, and nothing else. Three things are wrong with it.
#
# - **The bottleneck.** Five words or fifty, all must fit into a vector of the same size.
# - **The distance.** From the first word to the last, the signal goes through every step, and wears away at each.
# - **The queue.** State 40 waits for state 39: there is no computing in parallel.
#
# Let us measure the wear. Three networks, not trained, read forty random words. Push a word a little: how much does the answer at the last
# one move? That is a slope; `torch.autograd.grad` works it out by backpropagation. **Guess**: for each network, what is it for the first
# word, compared with that of the last but one?

# %%
from dalle_edu.bricks.recurrent import GRUCell, RNNCell, unroll

torch.manual_seed(0)
plain_cell, gru_cell = RNNCell(32, 32), GRUCell(32, 32)
networks = {
    say("plain recurrent cell", "cellule récurrente simple"):
        lambda words: unroll(plain_cell, words)[0],
    "GRU": lambda words: unroll(gru_cell, words)[0],
    "attention": MultiHeadAttention(32, heads=4),
}

# %%
# en: 64 sentences of 40 words of 32 channels
# fr: 64 phrases de 40 mots de 32 canaux
random_words = torch.randn(64, 40, 32, requires_grad=True)
influence = {}
print(say("words before the last:           1       10       39",
          "mots avant le dernier :          1       10       39"))
for name, read in networks.items():
    last = read(random_words)[:, -1].sum()
    slope = torch.autograd.grad(last, random_words)[0]
    # en: the slope's length for each word, from the last word back to the first
    # fr: la longueur de la pente pour chaque mot, du dernier mot au premier
    influence[name] = slope.norm(dim=-1).mean(dim=0).flip(0)
    chosen = [influence[name][place] for place in (1, 10, 39)]
    print(f"{name:26}", *(f"{slope:8.0e}" for slope in chosen))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Une récurrence oublie le début
#
# Poussons un mot : de combien bouge la réponse au dernier ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. Recurrence forgets the beginning
#
# Push one word: how much does the answer at the last one move?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot()
for (name, slopes), colour in zip(influence.items(), COLOURS):
    axes.semilogy(slopes, color=colour, label=name)
axes.set(xlabel=say("distance to the last word", "distance au dernier mot"),
         ylabel=say("slope", "pente"))
legend(axes)
picture(figure, say("A word's influence on the last answer fades with distance "
                    "in both recurrent cells, not in attention.",
                    "L'influence d'un mot sur la dernière réponse s'éteint avec"
                    " la distance, sauf pour l'attention."))

# %% claims=true
plain, gru, attention_slope = influence.values()
assert plain[10] < plain[1] / 500
assert plain[39] < 1e-11
assert 1e-10 < gru[39] < 1e-7
assert 0.5 < attention_slope[39] / attention_slope[1] < 2

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Trois maux : l'étranglement (un vecteur pour cinq ou cinquante mots), la distance, la file d'attente. Faire lire l'échelle,
# logarithmique : dans la cellule simple, dix mots divisent la pente par plus de cinq cents. Demander pourquoi la courbe de l'attention est
# plate. (Un seul pas relie chaque mot au dernier.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Three ills: the bottleneck (one vector for five words or fifty), the distance, the queue. Have them read the scale, which is
# logarithmic: in the plain cell ten words divide the slope by more than five hundred. Ask why attention's curve is flat. (A single step
# links each word to the last.)

# %% [markdown] lang="fr"
# L'échelle est logarithmique : un trait de plus vers le bas, dix ou cent fois moins. Dans la cellule simple, dix mots suffisent à diviser
# la pente par plus de cinq cents ; du premier mot, il ne reste presque rien (moins de $10^{-11}$). Les portes du GRU freinent l'usure, sans l'arrêter.
# Pour l'attention, la ligne est plate : le premier mot compte autant que l'avant-dernier. Un réseau entraîné fait mieux que ces cellules au
# hasard, mais c'est de là qu'il part, et c'est par cette pente qu'il apprend.

# %% [markdown] lang="en"
# The scale is logarithmic: one mark further down is ten or a hundred times less. In the plain cell, ten words are enough to divide the
# slope by more than five hundred; of the first word next to nothing is left (below $10^{-11}$). The gates of the GRU slow the wear, and do not stop it.
# For attention the line is flat: the first word counts as much as the last but one. A trained network does better than these random cells,
# but that is where it starts, and this slope is what it learns by.

# %% [markdown] lang="fr"
# ### Regarder en arrière
#
# Le remède, vous l'avez rencontré à la fin de la [](lesson:03) : [Bahdanau, Cho et Bengio (2015)](work:bahdanau2015) gardent **tous** les
# états $h_1, \dots, h_n$ de l'encodeur. Pour écrire le mot $t$, le décodeur, dans l'état $s_{t-1}$ où l'a laissé le mot d'avant, note
# chaque mot lu par un **score**, et reçoit un mélange fait pour lui, le **vecteur de contexte** $c_t$. Trois mots lus ont, disons, les
# scores 2, 1 et 0. Leurs exponentielles valent 7,39, 2,72 et 1, de somme 11,11 : les poids sont 0,665, 0,245 et 0,090, et le contexte prend
# les deux tiers de ce que dit le premier mot. C'est le softmax de la [](lesson:01).
#
# Cette leçon reprend l'idée dans les termes d'aujourd'hui. Trois matrices apprises donnent trois rôles :
#
# - la **requête** (*query*) $q_t$ : ce que le décodeur cherche ;
# - la **clé** (*key*) $k_i$ de chaque mot lu : ce à quoi il répond ;
# - la **valeur** (*value*) $v_i$ de chaque mot lu : ce qu'il a à donner.

# %% [markdown] lang="en"
# ### Looking back
#
# You met the cure at the end of [](lesson:03): [Bahdanau, Cho and Bengio (2015)](work:bahdanau2015) keep **all** the states
# $h_1, \dots, h_n$ of the encoder. To write word $t$, the decoder, in the state $s_{t-1}$ where the word before has left it, marks each
# word read with a **score**, and gets a mixture made for it, the **context vector** $c_t$. Say that three words read have the scores 2, 1
# and 0. Their exponentials are 7.39, 2.72 and 1, whose sum is 11.11: the weights are 0.665, 0.245 and 0.090, and the context takes two
# thirds of what the first word says. This is the softmax of [](lesson:01).
#
# This lesson takes the idea up in today's terms. Three learned matrices give three roles:
#
# - the **query** $q_t$: what the decoder looks for;
# - the **key** $k_i$ of each word read: what it answers to;
# - the **value** $v_i$ of each word read: what it has to give.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Tout garder, et regarder en arrière
#
# - la **requête** $q$ : ce que l'on cherche ;
# - la **clé** $k$ : ce à quoi un mot répond ;
# - la **valeur** $v$ : ce qu'il donne.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Keep everything, and look back
#
# - the **query** $q$: what is looked for;
# - the **key** $k$: what a word answers to;
# - the **value** $v$: what it gives.

# %% [markdown] slide="fragment"
# $$ \begin{gathered} q_t = W_Q \, s_{t-1} \qquad k_i = W_K \, h_i \qquad v_i = W_V \, h_i \\[1ex]
# \alpha_{ti} = \frac{e^{\,\mathrm{score}(q_t, k_i)}}{\sum_j e^{\,\mathrm{score}(q_t, k_j)}} \qquad c_t = \sum_i \alpha_{ti} \, v_i \end{gathered} $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Au tableau : des scores 2, 1 et 0 donnent les poids 0,665, 0,245 et 0,090. Demander d'où vient la requête (de qui écrit), d'où
# viennent clés et valeurs (de ce qui est lu). Chez Bahdanau, le score est un petit réseau ; un produit scalaire suffit souvent.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. On the board: scores 2, 1 and 0 give the weights 0.665, 0.245 and 0.090. Ask where the query comes from (from who writes), and
# where keys and values come from (from what was read). Bahdanau's score is a small network; a dot product will often do.

# %% [markdown] lang="fr"
# Le softmax fait des scores $\alpha_{ti}$, le poids du mot $i$ dans le mélange. Chez Bahdanau, le score est un petit réseau appris, et les
# valeurs sont les états eux-mêmes ; [Luong, Pham et Manning (2015)](work:luong2015), qui demandent avec l'état présent $s_t$, montrent
# qu'un simple produit scalaire, $q \cdot k$, suffit souvent. Chaque contexte dépend de toutes les clés et de toutes les valeurs, mais d'une
# seule requête : la sienne.
#
# [Vaswani et ses collègues (2017)](work:vaswani2017) font alors le pas décisif : si l'on peut regarder partout, à quoi bon la récurrence ?
# On garde l'attention et l'on jette la récurrence. Les $s$ et les $h$ ne sont plus des états, mais des plongements de mots, puis les
# sorties de la couche du dessous. L'étranglement, la distance et, sauf quand on écrit, la file disparaissent ensemble :
#
# | une couche, sur $t$ mots de $w$ canaux | étapes à la suite | chemin d'un mot à l'autre | multiplications, environ |
# |---|---|---|---|
# | récurrente | $t$ | jusqu'à $t$ | $t \cdot w^2$ |
# | attention | 1 | 1 | $t^2 \cdot w$ |
#
# ([](work:vaswani2017), tableau 1, qui ne compte pas les matrices des trois rôles.) Tout a un prix : celui de l'attention croît avec le
# **carré** de la longueur.

# %% [markdown] lang="en"
# The softmax makes of the scores $\alpha_{ti}$, the weight of word $i$ in the mixture. Bahdanau's score is a small learned network, and his
# values are the states themselves; [Luong, Pham and Manning (2015)](work:luong2015), who ask with the present state $s_t$, show that a
# plain dot product, $q \cdot k$, will often do. Each context depends on all the keys and all the values, but on one query alone: its own.
#
# Then [Vaswani and colleagues (2017)](work:vaswani2017) take the decisive step: if one can look everywhere, what is recurrence for? Keep
# attention and throw recurrence away. The $s$ and $h$ are no longer states but word embeddings, then the outputs of the layer below.
# Bottleneck, distance and, except in writing, queue vanish together:
#
# | a layer, on $t$ words of $w$ channels | steps one after the other | path from word to word | multiplications, roughly |
# |---|---|---|---|
# | recurrent | $t$ | up to $t$ | $t \cdot w^2$ |
# | attention | 1 | 1 | $t^2 \cdot w$ |
#
# ([](work:vaswani2017), table 1, which leaves out the matrices of the three roles.) Everything has a price: that of attention grows with
# the **square** of the length.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### L'attention jette la récurrence
#
# | $t$ mots de $w$ canaux | étapes à la suite | d'un mot à l'autre | multiplications |
# |---|---|---|---|
# | **récurrente** | $t$ | jusqu'à $t$ | $t \cdot w^2$ |
# | **attention** | 1 | 1 | $t^2 \cdot w$ |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Attention throws recurrence away
#
# | $t$ words of $w$ channels | steps in a row | from word to word | multiplications |
# |---|---|---|---|
# | **recurrent** | $t$ | up to $t$ | $t \cdot w^2$ |
# | **attention** | 1 | 1 | $t^2 \cdot w$ |

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(height=2.3)
lengths_read = torch.logspace(0, 4, 50)
costs = {say("recurrent", "récurrente"): lengths_read * 512**2,
         "attention": lengths_read**2 * 512}
for (name, products), colour in zip(costs.items(), (ORANGE, BLUE)):
    axes.loglog(lengths_read, products, color=colour, label=name)
axes.axvline(512, color="grey", linestyle=":")
axes.set(xlabel=say("words read, w = 512", "mots lus, w = 512"))
axes.set_ylabel("multiplications")
legend(axes)
picture(figure, say("Attention multiplies less than recurrence up to 512 words, "
                    "the number of channels, and more beyond.",
                    "L'attention multiplie moins que la récurrence jusqu'à 512 "
                    "mots, le nombre de canaux, et plus au-delà."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. [](work:vaswani2017) : si l'on peut regarder partout, à quoi bon la récurrence ? Demander ce que coûte une phrase deux
# fois plus longue. (Deux fois plus d'étapes pour l'une ; quatre fois plus de multiplications pour l'autre.) Puis : quand l'attention
# est-elle la moins chère ? (Quand t est plus petit que w.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. [](work:vaswani2017): if one can look everywhere, what is recurrence for? Ask what a sentence twice as long costs. (Twice
# the steps for one; four times the multiplications for the other.) Then: when is attention the cheaper? (When t is smaller than w.)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Toute clé répond, plus ou moins fort
#
# « Rond et rouge » : $q = (2, 0, 2, 0)$
#
# | objet | clé | score | ÷ $\sqrt 4$ | softmax |
# |---|---|---|---|---|
# | cercle rouge | $(1, 0, 1, 0)$ | 4 | 2 | 0,665 |
# | cercle bleu | $(1, 0, 0, 1)$ | 2 | 1 | 0,245 |
# | étoile bleue | $(0, 1, 0, 1)$ | 0 | 0 | 0,090 |
#
# $0{,}665 \, (10 \,; 0) + 0{,}245 \, (0 \,; 10) + 0{,}090 \, (10 \,; 10) \approx (7{,}55 \,; 3{,}35)$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. Every key answers, more or less loudly
#
# "Round and red": $q = (2, 0, 2, 0)$
#
# | object | key | score | ÷ $\sqrt 4$ | softmax |
# |---|---|---|---|---|
# | red circle | $(1, 0, 1, 0)$ | 4 | 2 | 0.665 |
# | blue circle | $(1, 0, 0, 1)$ | 2 | 1 | 0.245 |
# | blue star | $(0, 1, 0, 1)$ | 0 | 0 | 0.090 |
#
# $0.665 \, (10, 0) + 0.245 \, (0, 10) + 0.090 \, (10, 10) \approx (7.55, 3.35)$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Cacher le tableau, donner les quatre canaux (rond, pointu, rouge, bleu) et faire deviner qui pèsera le plus. Puis calculer les
# poids au tableau : exp(2) ≈ 7,39, exp(1) ≈ 2,72, exp(0) = 1, somme 11,11. Demander ce qui distingue cela d'un dictionnaire. (Lui ne rend
# que la clé égale.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. Hide the table, give the four channels (round, pointed, red, blue) and let them guess which will weigh most. Then work the weights
# out on the board: exp(2) ≈ 7.39, exp(1) ≈ 2.72, exp(0) = 1, sum 11.11. Ask how this differs from a dictionary. (That returns the equal key
# alone.)

# %% [markdown] lang="fr"
# ## 2. Cinq pas
#
# Un dictionnaire rend la valeur de **la** clé égale à la requête. L'attention est un dictionnaire aimable : toute clé répond, d'autant plus
# fort qu'elle ressemble à la requête, et l'on repart avec un mélange. Voici trois objets, à quatre canaux (rond, pointu, rouge, bleu), dont
# la valeur est la place, en centimètres. La requête cherche « rond et rouge » : $q = (2, 0, 2, 0)$. **Devinez** avant de lire le tableau :
# quel objet pèsera le plus ? lequel ne pèsera presque rien ?
#
# | objet | clé | 1. score $q \cdot k$ | 2. divisé par $\sqrt 4$ | 3. masque | 4. softmax | valeur |
# |---|---|---|---|---|---|---|
# | cercle rouge | (1, 0, 1, 0) | 4 | 2 | — | 0,665 | (10, 0) |
# | cercle bleu | (1, 0, 0, 1) | 2 | 1 | — | 0,245 | (0, 10) |
# | étoile bleue | (0, 1, 0, 1) | 0 | 0 | — | 0,090 | (10, 10) |
#
# 5\. Le mélange : $0{,}665 \, (10, 0) + 0{,}245 \, (0, 10) + 0{,}090 \, (10, 10) \approx (7{,}55 \,;\, 3{,}35)$.
#
# Le premier pas, pour le cercle rouge : $2 \times 1 + 0 \times 0 + 2 \times 1 + 0 \times 0 = 4$. On repart avec une place qui n'est celle
# d'aucun objet, mais qui penche vers le cercle rouge. (La [](#why-divide-by-d) dira pourquoi l'on divise, la [](#hiding) ce que l'on
# masque.)

# %% [markdown] lang="en"
# ## 2. Five steps
#
# A dictionary returns the value of **the** key that equals the query. Attention is an obliging dictionary: every key answers, the louder
# the more it is like the query, and one goes home with a mixture. Here are three objects, in four channels (round, pointed, red, blue),
# whose value is their place, in centimetres. The query looks for "round and red": $q = (2, 0, 2, 0)$. **Guess** before you read the table:
# which object will weigh most? which next to nothing?
#
# | object | key | 1. score $q \cdot k$ | 2. divided by $\sqrt 4$ | 3. mask | 4. softmax | value |
# |---|---|---|---|---|---|---|
# | red circle | (1, 0, 1, 0) | 4 | 2 | — | 0.665 | (10, 0) |
# | blue circle | (1, 0, 0, 1) | 2 | 1 | — | 0.245 | (0, 10) |
# | blue star | (0, 1, 0, 1) | 0 | 0 | — | 0.090 | (10, 10) |
#
# 5\. The mixture: $0.665 \, (10, 0) + 0.245 \, (0, 10) + 0.090 \, (10, 10) \approx (7.55, 3.35)$.
#
# The first step, for the red circle: $2 \times 1 + 0 \times 0 + 2 \times 1 + 0 \times 0 = 4$. One goes home with a place that is no
# object's, but that leans towards the red circle. ([](#why-divide-by-d) will say why one divides, [](#hiding) what one masks.)

# %% [markdown] lang="fr"
# Les mêmes pas en Python, sans une matrice :

# %% [markdown] lang="en"
# The same steps in Python, without a matrix:

# %%
keys = {
    say("red circle", "cercle rouge"): [1, 0, 1, 0],
    say("blue circle", "cercle bleu"): [1, 0, 0, 1],
    say("blue star", "étoile bleue"): [0, 1, 0, 1],
}
values = [[10, 0], [0, 10], [10, 10]]
round_and_red = [2, 0, 2, 0]
scores = [sum(a * b for a, b in zip(round_and_red, key)) for key in keys.values()]
scaled = [score / math.sqrt(4) for score in scores]
exponentials = [math.exp(score) for score in scaled]
weights = [each / sum(exponentials) for each in exponentials]

# %%
print(say("object         score  scaled  weight", "objet          score  divisé   poids"))
for name, score, divided, weight in zip(keys, scores, scaled, weights):
    print(f"{name:14} {score:5} {decimal(divided):>7} {decimal(weight, 3):>7}")
mixture = [0.0, 0.0]
for weight, (x, y) in zip(weights, values):
    mixture[0] += weight * x
    mixture[1] += weight * y
print(say("mixture:", "mélange :"), decimal(mixture[0], 2), decimal(mixture[1], 2))

# %% claims=true
assert [round(weight, 3) for weight in weights] == [0.665, 0.245, 0.09]
assert [round(part, 2) for part in mixture] == [7.55, 3.35]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### On repart avec un mélange
#
# La valeur de chaque objet est sa place. Plus le poids est grand, plus le trait est épais.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### One goes home with a mixture
#
# Each object's value is its place. The larger the weight, the thicker the line.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=6, height=3.5)
marks = zip(keys, values, weights, (VERMILION, BLUE, BLUE), "oo*")
for name, (x, y), weight, colour, mark in marks:
    axes.plot(x, y, mark, color=colour, markersize=20)
    line = {"color": "silver", "lw": 15 * weight, "zorder": 0}
    axes.plot([x, mixture[0]], [y, mixture[1]], **line)
    y += 1.1 if y else -2.1
    axes.text(x, y, f"{name} {decimal(weight, 3)}", ha="center", fontsize=12)
axes.plot(*mixture, "X", color=GREEN, markersize=17)
axes.text(mixture[0] - 1, mixture[1], say("mixture", "mélange"), ha="right",
          va="center", fontsize=12, color=GREEN)
axes.set(xlim=(-4, 15), ylim=(-2.6, 12.4), xticks=(0, 5, 10), yticks=(0, 5, 10))
picture(figure, say("Three objects at their places, and the mixture, which lies "
                    "nearest to the red circle, whose weight is largest.",
                    "Trois objets à leur place, et le mélange, plus près du "
                    "cercle rouge, dont le poids est le plus grand."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Le mélange, (7,55 ; 3,35), n'est la place d'aucun objet, mais penche vers le cercle rouge. Demander où il va pour la requête (0, 0,
# 0, 0) : à la moyenne des trois places. Et pour une requête deux fois plus longue ? Plus près du cercle rouge : la longueur dit avec quelle
# insistance on cherche.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. The mixture, (7.55, 3.35), is no object's place, but leans towards the red circle. Ask where it goes for the query (0, 0, 0, 0): to
# the mean of the three places. And for a query twice as long? Nearer to the red circle: the length says how insistently one looks.

# %% [markdown] lang="fr"
# Ce sont les nombres du tableau.
#
# ### Toutes les requêtes à la fois
#
# Empilez les requêtes en lignes d'une matrice $Q$, les clés en $K$, les valeurs en $V$. Un produit donne tous les scores, un autre tous les
# mélanges : aucune boucle, et c'est ce que les processeurs font de mieux.

# %% [markdown] lang="en"
# These are the numbers of the table.
#
# ### All queries at once
#
# Stack the queries as the rows of a matrix $Q$, the keys as $K$, the values as $V$. One product gives all the scores, another all the
# mixtures: no loop, and just what processors do best.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercices 1 et 2 · Cinq pas en tenseurs
#
# **18 min.** 1 : `scaled_dot_product`, sans boucle ; rendez mélanges et poids. 2 : une requête qui met 90 % du poids sur l'étoile.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercises 1 and 2 · Five steps in tensors
#
# **18 min.** 1: `scaled_dot_product`, without a loop; return mixtures and weights. 2: a query that puts 90 % of the weight on the star.

# %% [markdown] slide="fragment"
# $$ \mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left( \frac{Q K^\top}{\sqrt d} \right) V $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 18 min. Donner la section 2 du notebook. Fautes à guetter : softmax sur le mauvais axe (demander la somme d'une ligne : 1), `key.T` au
# lieu des deux derniers axes, masque posé après le softmax, division oubliée. Exercice 2 : qui double la requête voit le poids monter ;
# pourquoi ? (La longueur dit l'insistance.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 18 min. Hand out section 2 of the notebook. Mistakes to look for: softmax over the wrong axis (ask for the sum of a row: 1), `key.T`
# instead of the last two axes, the mask after the softmax, the division forgotten. Exercise 2: doubling the query raises the weight; why?
# (Length is insistence.)

# %% [markdown] lang="fr"
# Écrivez les cinq pas en tenseurs. `query` est de forme (…, q, d), soit q requêtes de d canaux ; `key`, (…, k, d) ; `value`, (…, k, v). Les
# axes de devant, autant qu'il y en a, suivent tout seuls. `mask`, s'il est donné, vaut `True` là où une requête a le droit de regarder ;
# ailleurs, mettez $-\infty$ dans les **scores**, avant le softmax. Rendez deux choses : les mélanges, (…, q, v), et les poids, (…, q, k).
#
# Dans la signature, `Float[Tensor, "*n q d"]` est de la notation jaxtyping : un tenseur de nombres à virgule, et le nom de ses axes ; `*n`
# veut dire « autant d'axes que l'on veut ». Elle se lit, et n'oblige à rien.
#
# <details><summary>Un indice</summary>
#
# Les scores sont un produit de matrices : (q, d) fois (d, k) donne (q, k). Il faut donc échanger les deux derniers axes de `key` :
# `key.transpose(-2, -1)`. `@` est le produit de matrices.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `scores.masked_fill(~mask, -math.inf)` rend une copie où $-\infty$ remplace les scores là où `mask` est faux (`~` est « non »). `if mask
# is not None:` avant.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Le softmax va sur les clés, le dernier axe : `scores.softmax(dim=-1)`. Puis `weights @ value`.
#
# </details>

# %% [markdown] lang="en"
# Write the five steps in tensors. `query` is of shape (…, q, d), that is q queries of d channels; `key`, (…, k, d); `value`, (…, k, v). The
# axes in front, as many as there are, come along by themselves. `mask`, if given, is `True` where a query may look; elsewhere put $-\infty$
# into the **scores**, before the softmax. Return two things: the mixtures, (…, q, v), and the weights, (…, q, k).
#
# In the signature, `Float[Tensor, "*n q d"]` is jaxtyping's notation: a tensor of floating-point numbers, and the names of its axes; `*n`
# means "as many axes as one likes". It is there to be read, and enforces nothing.
#
# <details><summary>A hint</summary>
#
# The scores are a product of matrices: (q, d) times (d, k) gives (q, k). So the last two axes of `key` must be swapped: `key.transpose(-2,
# -1)`. `@` is the product of matrices.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `scores.masked_fill(~mask, -math.inf)` returns a copy in which $-\infty$ replaces the scores where `mask` is false (`~` is "not"). `if
# mask is not None:` before that.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# The softmax goes over the keys, the last axis: `scores.softmax(dim=-1)`. Then `weights @ value`.
#
# </details>

# %% implements="attention:scaled_dot_product" level=2
"""softmax(Q Kᵀ / √d) V (Vaswani et al. 2017, équation 1), et ses poids.

`mask` est vrai là où une requête a le droit de regarder. Une requête qui ne
peut regarder nulle part reçoit NaN (le noyau fusionné de PyTorch lui donne 0).
"""
# 1. how well each key fits each query: *n q k => 1. à quel point chaque clé convient à chaque requête : *n q k
# 2. scores of variance d get variance 1: large ones saturate the softmax => 2. la variance des scores passe de d à 1 : de grands scores figent le softmax
# 3. hidden keys score -inf *before* the softmax: their weight is 0 => 3. une clé cachée a le score -inf *avant* le softmax : son poids est 0
# 4. the softmax is over the keys: each query's weights sum to 1 => 4. le softmax va sur les clés : les poids de chaque requête sont de somme 1
# 5. each query gets the mean of the values with these weights => 5. chaque requête reçoit la moyenne des valeurs avec ces poids

# %% scratch=true
query = torch.tensor([[2.0, 0.0]])
key = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
value = torch.tensor([[10.0], [0.0]])
scaled_dot_product(query, key, value)
# → (tensor([[8.0443]]), tensor([[0.8044, 0.1956]]))

# %% [markdown] lang="fr"
# Les trois objets, maintenant avec votre fonction :

# %% [markdown] lang="en"
# The three objects, with your function now:

# %%
query = torch.tensor([round_and_red], dtype=torch.float32)
key = torch.tensor(list(keys.values()), dtype=torch.float32)
value = torch.tensor(values, dtype=torch.float32)
mixture, weights = scaled_dot_product(query, key, value)
print(say("weights:", "poids :  "), *(decimal(weight, 3) for weight in weights[0]))
print(say("mixture:", "mélange :"), *(decimal(part, 2) for part in mixture[0]))

# %% [markdown] lang="fr"
# Les mêmes nombres, à nouveau. À vous de demander.

# %% [markdown] lang="fr"
# Trouvez une requête, de forme (1, 4), qui mette **plus de 90 %** du poids sur l'étoile bleue, la troisième clé.
#
# <details><summary>Un indice</summary>
#
# La direction dit ce que l'on cherche ; la longueur, avec quelle insistance.
#
# </details>

# %% [markdown] lang="en"
# The same numbers again. Your turn to ask.

# %% [markdown] lang="en"
# Find a query, of shape (1, 4), that puts **more than 90 %** of the weight on the blue star, the third key.
#
# <details><summary>A hint</summary>
#
# The direction says what one looks for; the length, how insistently.
#
# </details>

# %% level=1
insistent = torch.tensor([[0.0, 6.0, 0.0, 6.0]])

# %% scratch=true
scaled_dot_product(torch.tensor([[0.0, 2.0, 0.0, 2.0]]), key, value)[1]
# → tensor([[0.0900, 0.2447, 0.6652]])

# %%
def on_the_star():
    if insistent is ...:
        return ...
    weights = scaled_dot_product(insistent, key, value)[1]
    return bool(weights[0, 2] > 0.9)


expect(on_the_star, True, say("more than 90 % on the star", "plus de 90 % sur l'étoile"))

# %% [markdown] lang="fr"
# ## 3. Pourquoi diviser par √d ?
#
# De longs vecteurs crient. Prenez des canaux qui valent $+1$ ou $-1$ au hasard. Avec $d = 4$, le score est une somme de quatre $\pm 1$ : il
# va de $-4$ à 4, et s'écarte de 0 d'environ 2. Avec $d = 100$, il s'écarte d'environ 10. Et $e^{10}$ vaut 22 026 : une clé à peine mieux
# servie par le hasard emporte tout.
#
# Plus généralement, si les canaux d'une requête et d'une clé sont indépendants, de moyenne 0 et de variance 1, leur produit scalaire est
# une somme de $d$ termes, de variance $d$ : ses valeurs typiques croissent comme $\sqrt d$. Diviser par $\sqrt d$ remet la variance à 1.
# [L'article de 2017](work:vaswani2017) a $d = 64$ : il divise par 8.

# %% [markdown] lang="en"
# ## 3. Why divide by √d?
#
# Long vectors shout. Take channels that are $+1$ or $-1$ at random. With $d = 4$, the score is a sum of four $\pm 1$: it goes from $-4$ to
# 4, and strays from 0 by about 2. With $d = 100$ it strays by about 10. And $e^{10}$ is 22,026: a key that chance has served a little
# better takes all.
#
# More generally, if the channels of a query and of a key are independent, of mean 0 and variance 1, their dot product is a sum of $d$
# terms, of variance $d$: its typical values grow like $\sqrt d$. Dividing by $\sqrt d$ brings the variance back to 1. [The paper of
# 2017](work:vaswani2017) has $d = 64$: it divides by 8.

# %% [markdown]
# $$ \mathrm{Var}(q \cdot k) = \sum_{i=1}^{d} \mathrm{Var}(q_i \, k_i) = d \qquad\qquad
# \mathrm{Var}\!\left( \frac{q \cdot k}{\sqrt d} \right) = 1 $$

# %% [markdown] lang="fr"
# Mesurons ce que cela fait : 500 requêtes au hasard, seize clés au hasard chacune, dont aucune ne mérite d'être choisie. Si le partage
# était égal, chaque clé aurait 1/16, soit 0,06. **Devinez** le plus grand des seize poids, pour $d = 512$, avec la division, et sans elle.

# %% [markdown] lang="en"
# Let us measure what it does: 500 random queries, sixteen random keys for each, none of which deserves to be chosen. If all were shared
# equally, each key would have 1/16, or 0.06. **Guess** the largest of the sixteen weights, for $d = 512$, with the division and without it.

# %%
def largest_weight(width, divided):
    generator = torch.Generator().manual_seed(width)
    queries = torch.randn(500, 1, width, generator=generator)
    random_keys = torch.randn(500, 16, width, generator=generator)
    scores = queries @ random_keys.transpose(1, 2)
    if divided:
        scores = scores / math.sqrt(width)
    scores.requires_grad_()
    largest = scores.softmax(dim=-1).amax(dim=-1)
    # en: how much the largest weight moves when the scores are pushed
    # fr: de combien bouge le plus grand poids quand on pousse les scores
    slope = torch.autograd.grad(largest.sum(), scores)[0]
    return largest.mean().item(), slope.abs().sum(dim=-1).mean().item()


# %%
widths = [2, 8, 32, 128, 512]
measured = {}
for divided in (True, False):
    pairs = [largest_weight(width, divided) for width in widths]
    # en: the largest weights, then the slopes
    # fr: les plus grands poids, puis les pentes
    measured[divided] = list(zip(*pairs))
print(say("largest weight for d =  ", "plus grand poids, d =   "), *(f"{d:5}" for d in widths))
print(say("divided by √d           ", "divisé par √d           "),
      *(f"{decimal(weight, 2):>5}" for weight in measured[True][0]))
print(say("not divided             ", "non divisé              "),
      *(f"{decimal(weight, 2):>5}" for weight in measured[False][0]))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Pourquoi diviser par √d ?
#
# Un score de $d$ canaux a la variance $d$. Voici seize clés au hasard.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Why divide by √d?
#
# A score of $d$ channels has variance $d$. Here are sixteen random keys.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=9, height=3.3)
for divided, colour in ((True, BLUE), (False, VERMILION)):
    label = say("divided by √d", "divisés par √d")
    if not divided:
        label = say("not divided", "non divisés")
    for panel, curve in zip(panels, measured[divided]):
        panel.semilogx(widths, curve, "o-", base=2, color=colour, label=label)
panels[0].set(title=say("largest weight of 16", "plus grand poids sur 16"), ylim=(0, 1))
panels[1].set(title=say("slope through the softmax", "pente à travers le softmax"))
panels[1].set(ylim=(0, 0.5), xlabel="d")
panels[0].set(xlabel="d")
legend(panels[0])
picture(figure, say("Without the division one key takes nearly all the weight "
                    "as d grows, and the slope falls; with it they hardly move.",
                    "Sans division, une clé prend presque tout le poids quand d"
                    " grandit, et la pente tombe ; avec, ils ne bougent guère."))

# %% claims=true
assert (math.sqrt(4), math.sqrt(100), round(math.exp(10))) == (2, 10, 22026)
assert all(0.18 < weight < 0.3 for weight in measured[True][0])
assert measured[False][0][-1] > 0.9
assert measured[False][1][-1] < measured[True][1][-1] / 3

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Demander ce que vaudrait chaque poids à parts égales (1/16, soit 0,06) ; aucune clé ne mérite mieux. Lire les courbes. Sans
# division, à 512 canaux, une clé prend plus de 90 % : le softmax ne mélange plus, il choisit. À droite, la pente tombe : rien n'apprend.
# C'est la sigmoïde de la leçon 01, plate loin de zéro.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Ask what each weight would be in equal shares (1/16, or 0.06); no key deserves better. Read the curves. Without the division, at
# 512 channels, one key takes over 90 %: the softmax no longer mixes, it chooses. On the right the slope falls: nothing learns. It is the
# sigmoid of lesson 01, flat far from zero.

# %% [markdown] lang="fr"
# Avec la division, le plus grand poids reste autour d'un quart, quel que soit $d$. Sans elle, à 512 canaux, une clé que rien ne distinguait
# prend plus de 90 % du poids : le softmax ne mélange plus, il **choisit**. À droite, le mal profond : la pente tombe. Là où le softmax est
# plat, pousser un score ne change rien, et rien n'apprend. C'est la sigmoïde de la [](lesson:01), plate loin de zéro.

# %% [markdown] lang="en"
# With the division the largest weight stays around a quarter, whatever $d$. Without it, at 512 channels, a key that nothing set apart takes
# more than 90 % of the weight: the softmax no longer mixes, it **chooses**. On the right is the deeper ill: the slope falls. Where the
# softmax is flat, pushing a score changes nothing, and nothing learns. It is the sigmoid of [](lesson:01), flat far from zero.

# %% [markdown] lang="fr"
# ## 4. Cacher
#
# Deux choses ne doivent pas être vues : le **remplissage** (*padding*), qui met les phrases d'un lot à la même longueur, et, pour qui
# écrit, **l'avenir**. Cacher l'avenir rapporte gros : une légende de $t$ jetons (ici, des mots) pose $t$ questions à la fois, « que
# vient-il après ceux-ci ? », et aucune ne peut copier la réponse.
#
# Cachons le cercle rouge à notre requête. Faut-il écrire $-\infty$ dans les scores avant le softmax, ou multiplier les poids par 0 après ?
# **Devinez** la somme des poids dans chaque cas.

# %% [markdown] lang="en"
# ## 4. Hiding
#
# Two things must not be seen: **padding**, which brings the sentences of a batch to one length, and, for a writer, **the future**. Hiding
# the future pays well: a caption of $t$ tokens (here, words) asks $t$ questions at once, "what comes after these?", and none of them can
# copy the answer.
#
# Let us hide the red circle from our query. Should one write $-\infty$ into the scores before the softmax, or multiply the weights by 0
# after it? **Guess** the sum of the weights in each case.

# %%
mask = torch.tensor([[False, True, True]])
before = scaled_dot_product(query, key, value, mask)[1]
after = scaled_dot_product(query, key, value)[1] * mask
for name, weights in ((say("mask before", "masque avant"), before),
                      (say("mask after", "masque après"), after)):
    row = "  ".join(decimal(weight, 3) for weight in weights[0])
    print(f"{name:12}  {row}  {say('sum', 'somme')} {decimal(weights.sum(), 3)}")

# %% claims=true
assert abs(before.sum() - 1) < 1e-6
assert abs(after.sum() - 0.335) < 1e-3

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Le masque passe avant le softmax
#
# Cachons le cercle rouge : $-\infty$ dans les scores, ou 0 dans les poids ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. The mask comes before the softmax
#
# Let us hide the red circle: $-\infty$ in the scores, or 0 in the weights?

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(height=2.7)
for row, kept in ((0, after[0].tolist()), (1, before[0].tolist())):
    begun = 0.0
    for name, share, colour in zip(keys, kept, (VERMILION, SKY, ORANGE)):
        axes.barh(row, share, left=begun, color=colour, height=0.6)
        if share > 0.2:
            axes.text(begun + share / 2, row, name, ha="center", va="center")
        begun += share
    total = say("sum ", "somme ") + decimal(begun, 3)
    axes.text(begun + 0.02, row, total, va="center")
ways_to_mask = say("mask after|mask before", "masque après|masque avant")
axes.set_yticks((0, 1), ways_to_mask.split("|"))
axes.set(xlim=(0, 1.3), xticks=(0, 0.5, 1), xlabel=say("weights", "poids"))
picture(figure, say("With the mask before the softmax the weights sum to 1; with "
                    "the mask after it they sum to a third.",
                    "Avec le masque avant le softmax, la somme des poids est 1 ;"
                    " avec le masque après, elle n'est que d'un tiers."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux choses ne doivent pas être vues : le remplissage des phrases courtes et, pour qui écrit, l'avenir. Faire deviner les deux
# sommes (1 et un tiers). Demander ce que devient le mélange quand la somme est un tiers : il rétrécit d'autant. Le masque passe donc avant.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two things must not be seen: the padding of short sentences and, for a writer, the future. Let them guess the two sums (1 and a
# third). Ask what becomes of the mixture when the sum is a third: it shrinks by as much. So the mask comes before.

# %% [markdown] lang="fr"
# Avant, les deux objets qui restent se partagent tout, et la somme est 1. Après, la somme des poids gardés n'est plus qu'un tiers : le
# mélange rétrécit d'autant. Le masque passe donc **avant** le softmax.

# %% [markdown] lang="fr"
# Écrivez le masque **causal**, qui cache l'avenir. S'il y a autant de requêtes que de clés, la requête $i$ voit les clés jusqu'à $i$
# comprise. S'il y a moins de requêtes, ce sont les dernières d'une suite dont on a déjà toutes les clés : la dernière requête voit tout,
# l'avant-dernière tout sauf la dernière clé. Le résultat est de forme (queries, keys), en booléens. `device` dit sur quel processeur le
# créer : passez-le à `torch.ones`.
#
# <details><summary>Un indice</summary>
#
# `torch.ones(queries, keys, dtype=torch.bool, device=device).tril(d)` garde le triangle du bas ; `d` décale sa diagonale de `d` colonnes
# vers la droite. De combien faut-il la décaler pour 2 requêtes et 3 clés ?
#
# </details>

# %% [markdown] lang="en"
# Before, the two objects that are left share everything, and the sum is 1. After, the weights that are kept sum to a third only: the
# mixture shrinks by as much. So the mask comes **before** the softmax.

# %% [markdown] lang="en"
# Write the **causal** mask, which hides the future. With as many queries as keys, query $i$ sees the keys up to $i$ included. With fewer
# queries, they are the last of a sequence of which we have all the keys already: the last query sees everything, the one before it all but
# the last key. The result is of shape (queries, keys), in booleans. `device` says on which processor to make it: hand it to `torch.ones`.
#
# <details><summary>A hint</summary>
#
# `torch.ones(queries, keys, dtype=torch.bool, device=device).tril(d)` keeps the lower triangle; `d` shifts its diagonal by `d` columns to
# the right. By how many must it be shifted for 2 queries and 3 keys?
#
# </details>

# %% implements="attention:causal_mask" level=1
"""Vrai là où une requête peut regarder : les clés jusqu'à sa propre position.

Les requêtes sont les dernières de la suite. La dernière voit toutes les clés,
l'avant-dernière toutes sauf la dernière, et ainsi de suite.
"""

# %% scratch=true
causal_mask(2, 3).int()  # → tensor([[1, 1, 0], [1, 1, 1]], dtype=torch.int32)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Qui écrit ne voit pas l'avenir
#
# En foncé, ce qui est vu : chaque ligne voit une clé de plus que celle du dessus.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A writer does not see the future
#
# Dark is what is seen: each row sees one key more than the row above.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=8, height=2.8)
for panel, queries in zip(panels, (6, 2)):
    panel.imshow(causal_mask(queries, 6).numpy(), cmap="Blues", vmin=-0.3, vmax=1.3)
    panel.set(xticks=range(6), yticks=range(queries))
    panel.set(xlabel=say("keys", "clés"), ylabel=say("queries", "requêtes"))
    panel.set_title(say(f"{queries} queries, 6 keys", f"{queries} requêtes, 6 clés"))
picture(figure, say("Causal masks: a triangle for six queries on six keys; its "
                    "last two rows for two queries.",
                    "Masques causaux : un triangle pour six requêtes et six "
                    "clés ; ses deux dernières lignes pour deux requêtes."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Cacher l'avenir rapporte gros : une légende de t jetons pose t questions d'un coup, et aucune ne copie la réponse. Demander
# pourquoi deux requêtes seules ont les deux dernières lignes : ce sont les derniers jetons d'une suite dont toutes les clés sont déjà là.
# Le cache s'en servira.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Hiding the future pays well: a caption of t tokens asks t questions at once, and none can copy the answer. Ask why two queries
# alone have the last two rows: they are the last tokens of a sequence whose keys are all there already. The cache will use this.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 3-4"
# ### Exercices 3 et 4 · Deux masques
#
# **8 min.** 3 : `causal_mask`, le triangle. 4 : `joined_mask`, les deux masques joints.
#
# | masque | forme | le même pour |
# |---|---|---|
# | causal | (q, k) | toutes les phrases |
# | visible | (n, k) | toutes les requêtes |
# | les deux | (n, q, k) | – |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 3-4"
# ### Exercises 3 and 4 · Two masks
#
# **8 min.** 3: `causal_mask`, the triangle. 4: `joined_mask`, both masks joined.
#
# | mask | shape | the same for |
# |---|---|---|
# | causal | (q, k) | all sentences |
# | visible | (n, k) | all queries |
# | both | (n, q, k) | – |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Donner la section 4. Fautes à guetter : diagonale non décalée quand il y a moins de requêtes que de clés (pour 2 et 3, de combien ?
# d'une colonne) ; masque inversé, vrai là où l'on cache ; axe inséré au mauvais endroit, que seule une phrase avec remplissage révèle.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Hand out section 4. Mistakes to look for: the diagonal not shifted when there are fewer queries than keys (for 2 and 3, by how
# much? one column); the mask upside down, true where one hides; the axis inserted in the wrong place, which only a sentence with padding
# reveals.

# %% [markdown] lang="fr"
# En foncé, ce qui est vu : chaque ligne voit une clé de plus que celle du dessus. Deux requêtes seules ont les deux dernières lignes du
# triangle ; la [](#not-computing-it-all-again) s'en servira.

# %% [markdown] lang="fr"
# Dans un lot, les deux masques se rencontrent : une requête regarde là où **les deux** le permettent. `causal` est de forme (q, k), le même
# pour toutes les phrases ; `visible`, de forme (n, k), est faux là où une phrase n'a que du remplissage, le même pour toutes les requêtes.
# Écrivez `joined_mask`, qui rend un masque de forme (n, q, k).
#
# <details><summary>Un indice</summary>
#
# `visible[:, None]` insère un axe de longueur 1 : (n, 1, k). Entre (n, 1, k) et (q, k), PyTorch répète de lui-même ce qui manque
# (*broadcasting*). `&` est « et ».
#
# </details>

# %% [markdown] lang="en"
# Dark is what is seen: each row sees one key more than the row above. Two queries alone have the last two rows of the triangle;
# [](#not-computing-it-all-again) will use this.

# %% [markdown] lang="en"
# In a batch the two masks meet: a query looks where **both** allow it. `causal` is of shape (q, k), the same for all sentences; `visible`,
# of shape (n, k), is false where a sentence has nothing but padding, the same for all queries. Write `joined_mask`, which returns a mask of
# shape (n, q, k).
#
# <details><summary>A hint</summary>
#
# `visible[:, None]` inserts an axis of length 1: (n, 1, k). Between (n, 1, k) and (q, k), PyTorch repeats by itself what is missing
# (broadcasting). `&` is "and".
#
# </details>

# %% level=1
def joined_mask(causal, visible):
    return causal & visible[:, None]


# %% scratch=true
two_sentences = torch.tensor([[True, True], [True, False]])
joined_mask(causal_mask(2, 2), two_sentences).int()
# → tensor([[[1, 0], [1, 1]], [[1, 0], [1, 0]]], dtype=torch.int32)

# %%
two_sentences = torch.tensor([[True, True, True], [True, True, False]])
right_masks = torch.tensor([[[1, 0, 0], [1, 1, 0], [1, 1, 1]],
                            [[1, 0, 0], [1, 1, 0], [1, 1, 0]]]).bool()
no_future = torch.ones(3, 3, dtype=torch.bool).tril()
expect(lambda: joined_mask(no_future, two_sentences), right_masks,
       say("the masks of two sentences", "les masques de deux phrases"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Un seul calcul, deux provenances
#
# | | requêtes | clés et valeurs |
# |---|---|---|
# | **auto-attention** | la suite elle-même | la suite elle-même |
# | **attention croisée** | la suite qu'on écrit | la suite qu'on a lue |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. One computation, two origins
#
# | | queries | keys and values |
# |---|---|---|
# | **self-attention** | the sequence itself | the sequence itself |
# | **cross-attention** | the sequence being written | the sequence that was read |

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, panels = plot(1, 2, width=8, height=2.4)
read = say("a large red circle", "un grand cercle rouge").split()
squares = [say("square", "carreau") + f" {number}" for number in (1, 2, 3, 4)]
titles = say("self-attention|cross-attention", "auto-attention|attention croisée")
for panel, asking, title in zip(panels, (read, squares), titles.split("|")):
    for x, there in itertools.product(range(4), range(4)):
        colour = BLUE if x == 3 else "lightgrey"
        panel.plot((x, there), (0.9, 0.1), color=colour, zorder=x)
    for x in range(4):
        panel.text(x, 1, asking[x], ha="center", color=BLUE if x == 3 else "black")
        panel.text(x, 0, read[x], ha="center", va="top")
    panel.set(title=title, xlim=(-0.5, 3.5), ylim=(-0.2, 1.2))
    panel.axis("off")
picture(figure, say("In self-attention words look at words of their own sentence; "
                    "in cross-attention squares look at words.",
                    "En auto-attention, les mots regardent ceux de leur phrase ; "
                    "en attention croisée, des carreaux regardent les mots."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander : la machine du début, laquelle a-t-elle ? (Une attention croisée : les carreaux demandent, les mots répondent.) Qui écrit
# a besoin des deux : l'attention croisée seule ne saurait, de ce qui est déjà écrit, que le dernier mot. Ce qui s'apprend, ce sont les
# trois matrices.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask: which one has the machine of the beginning? (Cross-attention: the squares ask, the words answer.) A writer needs both:
# cross-attention alone would know only the last word of what is written already. What is learned are the three matrices.

# %% [markdown] lang="fr"
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
# phrase. Qui écrit sans récurrence a besoin des deux : l'attention croisée seule ne saurait, de ce qui est déjà écrit, que le dernier mot ;
# l'auto-attention lui rend les autres.
#
# Voyons un regard s'apprendre. On montre cinq objets de couleurs différentes et l'on nomme une couleur : quelle forme a l'objet de cette
# couleur ? Une seule attention croisée doit répondre. La requête est faite de la couleur nommée ; les clés et les valeurs, des cinq paires
# d'une couleur et d'une forme. La fonction `learn` servira à toutes les expériences de la leçon : un optimiseur, un pas d'apprentissage qui
# décroît, une mesure à chaque pas.

# %% [markdown] lang="en"
# ## 5. Looking at oneself, or elsewhere
#
# The computation is the same; only the origin changes.
#
# | | queries | keys and values | what it is for |
# |---|---|---|---|
# | **self-attention** | the sequence itself | the sequence itself | linking the words of a sentence |
# | **cross-attention** | the sequence being written | the sequence that was read | translating; drawing what a sentence says |
#
# Either way, what is learned are the matrices that make queries, keys and values; the weights are worked out anew for each sentence. A
# decoder without recurrence needs both: cross-attention alone would know only the last word of what is written already; self-attention
# gives it the others back.
#
# Let us watch a look being learned. Five objects of different colours are shown and a colour is named: what shape has the object of that
# colour? A single cross-attention has to answer. The query is made from the colour that is named; the keys and values, from the five pairs
# of a colour and a shape. The function `learn` will serve all the experiments of the lesson: an optimiser, a decreasing learning rate, a
# measure at each step.

# %%
def learn(model, question, steps, rate=3e-3):
    optimizer = torch.optim.AdamW(model.parameters(), rate, fused=True)
    measures = []
    for step in range(steps):
        # en: the learning rate goes down to 0 in a straight line
        # fr: le pas d'apprentissage descend à 0 en ligne droite
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        loss, measure = question(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        measures.append(measure)
    return measures


def accuracy(logits, answers):
    return (logits.argmax(dim=-1) == answers).float().mean().item()

# %% [markdown] lang="fr"
# **Devinez** : avec huit formes, le hasard répond juste une fois sur huit. Combien de fois, après 300 pas ? Et où ira le poids, alors
# que personne ne dit au réseau où regarder ?

# %% [markdown] lang="en"
# **Guess**: with eight shapes, chance is right one time in eight. How often, after 300 steps? And where will the weight go, when nobody
# tells the network where to look?

# %%
from dalle_edu.classroom.demos.attention import LookUp, questions


def name_the_shape(model):
    *asked, answers = questions(128, generator)
    logits = model(*asked)
    return F.cross_entropy(logits, answers), accuracy(logits, answers)


torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
looker = LookUp(looks=True)
right = learn(looker, name_the_shape, steps=300)
begun, ended = 100 * right[0], 100 * right[-1]
print(say(f"right answers: {begun:.0f} % at the first step, {ended:.0f} % at the last",
          f"réponses justes : {begun:.0f} % au premier pas, {ended:.0f} % au dernier"))

# %% claims=true
assert right[0] < 0.3
assert right[-1] > 0.98

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Personne ne lui a dit où regarder
#
# Cinq objets, une couleur nommée : quelle forme ? Il n'apprend que de la réponse.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Nobody told it where to look
#
# Five objects, a colour named: which shape? It learns from the answer alone.

# %% tags=["hide-input"]
language = say("en", "fr")
colours_asked, colours, shapes, _ = questions(5, torch.Generator().manual_seed(2))
maps = []
looker(colours_asked, colours, shapes, maps=maps)
weights = maps[0][:, 0, 0]
figure, axes = plot(width=9, height=3.4)
axes.imshow(weights.numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
for row, column in itertools.product(range(5), range(5)):
    shape = SHAPES.shapes[shapes[row, column]].name
    colour = SHAPES.colours[colours[row, column]].name
    ink = "white" if weights[row, column] > 0.5 else "black"
    name = caption(Description((Mention(shape, colour),)), language)
    axes.text(column, row, name, ha="center", va="center", color=ink)

# %% slide="fragment" tags=["hide-input"]
named = [SHAPES.colours[n].words[language].masculine for n in colours_asked]
axes.set_yticks(range(5), [name + say("?", " ?") for name in named])
axes.set_xticks([])
picture(figure, say("Five questions, one a row: each puts its weight on the "
                    "object of the colour that it asks for.",
                    "Cinq questions, une par ligne : chacune met son poids sur "
                    "l'objet de la couleur demandée."))

# %% claims=true
wanted = (colours == colours_asked[:, None]).float()
assert (weights * wanted).sum(dim=1).min() > 0.9

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Chaque ligne est une question ; la case foncée, l'objet où va le poids. Le réseau n'a reçu que la forme à répondre. Demander ce que
# sont ici la requête (la couleur nommée), la clé et la valeur (tirées de la paire couleur et forme). Le même mécanisme revient aux leçons
# 10 et 13.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Each row is a question; the dark square, the object where the weight goes. The network was only given the shape to answer. Ask what
# the query is here (the colour named), and the key and the value (made from the pair of colour and shape). The same mechanism comes back in
# lessons 10 and 13.

# %% [markdown] lang="fr"
# Chaque ligne est une question ; la case foncée, l'objet où va le poids. C'est chaque fois celui de la couleur demandée. Le réseau n'a reçu
# que la forme à répondre : regarder au bon endroit est ce qu'il a trouvé de mieux. Le même mécanisme lira les mots pendant que l'on
# dessine, aux leçons [10](lesson:10) et [13](lesson:13) ; c'est lui que montraient les cartes du début.

# %% [markdown] lang="en"
# Each row is a question; the dark square, the object where the weight goes. Each time it is the one of the colour asked for. The network
# was only given the shape to answer: looking at the right place is the best that it found. The same mechanism will read words while a
# picture is being drawn, in lessons [10](lesson:10) and [13](lesson:13); it is what the maps at the beginning showed.

# %% [markdown] lang="fr"
# ## 6. Plusieurs têtes
#
# Les poids d'un softmax sont de somme 1 : une attention regarde un seul endroit, ou plusieurs à moitié. On en met donc plusieurs côte à
# côte, les **têtes**, chacune sur sa tranche des canaux, avec ses requêtes, ses clés, ses valeurs. Avec 8 canaux et 2 têtes, la première
# travaille sur les canaux 1 à 4, la seconde sur les canaux 5 à 8. Leurs réponses, bout à bout, refont 8 canaux, qu'une dernière matrice
# $W_O$ mêle. Huit têtes de 64 canaux coûtent à peu près autant qu'une de 512.

# %% [markdown] lang="en"
# ## 6. Several heads
#
# The weights of a softmax sum to 1: an attention looks at one place only, or half looks at several. So put several side by side, the
# **heads**, each on its slice of the channels, with queries, keys and values of its own. With 8 channels and 2 heads, the first works on
# channels 1 to 4, the second on channels 5 to 8. Their answers, end to end, make 8 channels again, which a last matrix $W_O$ mixes. Eight
# heads of 64 channels cost about as much as one of 512.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. Une tête, un mélange
#
# | | canaux 1 à 4 | canaux 5 à 8 |
# |---|---|---|
# | **tête 1** | $Q_1$, $K_1$, $V_1$ | |
# | **tête 2** | | $Q_2$, $K_2$, $V_2$ |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. One head, one mixture
#
# | | channels 1 to 4 | channels 5 to 8 |
# |---|---|---|
# | **head 1** | $Q_1$, $K_1$, $V_1$ | |
# | **head 2** | | $Q_2$, $K_2$, $V_2$ |

# %% [markdown] slide="fragment"
# $$ \mathrm{head}_i = \mathrm{Attention}(Q_i, K_i, V_i) \qquad\qquad
# \mathrm{MultiHead}(X) = [\mathrm{head}_1 ; \dots ; \mathrm{head}_s] \, W_O $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Les poids d'un softmax sont de somme 1 : une tête regarde un seul endroit, ou plusieurs à moitié. Plusieurs têtes travaillent côte
# à côte, chacune sur sa tranche de canaux ; bout à bout, leurs réponses refont les canaux, que la matrice de sortie mêle. Demander ce que
# coûtent huit têtes de 64 canaux. (Autant qu'une de 512.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. The weights of a softmax sum to 1: a head looks at one place only, or half looks at several. Several heads work side by side, each
# on its slice of channels; end to end, their answers make the channels again, which a matrix mixes. Ask what eight heads of 64 channels
# cost. (One of 512.)

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
        # en: each colour has two vectors: asked for first, asked for second
        # fr: chaque couleur a deux vecteurs : demandée en premier, en second
        self.asked = nn.Embedding(16, 32)
        self.colours, self.shapes = nn.Embedding(8, 32), nn.Embedding(8, 32)
        self.attention = CrossAttention(32, heads, memory_width=64)
        self.name = nn.Linear(32, 16)

    def forward(self, first, second, colours, shapes):
        query = self.asked(first) + self.asked(second + 8)
        memory = torch.cat([self.colours(colours), self.shapes(shapes)], dim=-1)
        answer = self.attention(query.unsqueeze(1), memory)
        return self.name(answer).reshape(-1, 2, 8)


# %%
def some_of_eight(count):
    # en: sorting random numbers shuffles 0 to 7; `count` of them are kept
    # fr: trier des nombres au hasard mélange 0 à 7 ; on en garde `count`
    return torch.rand(128, 8, generator=generator).argsort(dim=1)[:, :count]


def name_two_shapes(model):
    colours = some_of_eight(4)
    shapes = torch.randint(8, (128, 4), generator=generator)
    places = torch.rand(128, 4, generator=generator).argsort(dim=1)[:, :2]
    # en: `gather` picks from each row the entries at these places
    # fr: `gather` prend dans chaque ligne les entrées à ces places
    first, second = colours.gather(1, places).T
    answers = shapes.gather(1, places)
    logits = model(first, second, colours, shapes)
    loss = F.cross_entropy(logits.flatten(0, 1), answers.flatten())
    return loss, accuracy(logits, answers)

# %% [markdown] lang="fr"
# **Devinez** : quelle part de réponses justes avec une tête, deux, quatre ? Une tête pourrait regarder à moitié chacun des deux objets :
# cela suffirait-il ?

# %% [markdown] lang="en"
# **Guess**: what share of right answers with one head, two, four? A head might half look at each of the two objects: would that do?

# %%
learned = {}
for heads in (1, 2, 4):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    right = learn(TwoLooks(heads), name_two_shapes, steps=200, rate=1e-2)
    # en: means of ten steps, in %
    # fr: moyennes de dix pas, en %
    learned[heads] = 100 * torch.tensor(right).unflatten(0, (-1, 10)).mean(dim=1)
    print(say(f"heads: {heads}, right at the end: {learned[heads][-1]:.0f} %",
              f"têtes : {heads}, justes à la fin : {learned[heads][-1]:.0f} %"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Deux questions, deux têtes
#
# Deux couleurs nommées, deux formes à rendre dans l'ordre : une tête suffira-t-elle ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Two questions, two heads
#
# Two colours named, two shapes to be given in order: will one head do?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.3)
for (heads, right), colour, line in zip(learned.items(), COLOURS, ("-", "-", "--")):
    axes.plot(range(5, 201, 10), right, line, color=colour, label=heads)
axes.set(xlabel=say("step", "pas"), ylabel=say("right answers (%)", "réponses justes (%)"))
axes.set_ylim(0, 103)
legend(axes, title=say("heads", "têtes"), loc="lower right")
picture(figure, say("With one head, answers about two places at once stay far "
                    "from right; with two heads or four they all become right.",
                    "Avec une tête, les réponses aux deux questions plafonnent "
                    "loin du but ; avec deux ou quatre, toutes sont justes."))

# %% claims=true
# levels off around 60 %: the last fifty steps, then the fifty before them
assert all(abs(part.mean() - 60) < 5 for part in (learned[1][-5:], learned[1][-10:-5]))
assert min(learned[2][-1], learned[4][-1]) > 98

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Avant de montrer la courbe, faire voter : une tête suffira-t-elle, en regardant à moitié chaque objet ? Elle rapporte bien les deux
# formes, mais mélangées : impossible de dire laquelle répond à la première question. Elle plafonne vers 60 %. Deux têtes, deux regards.
# Demander ce qu'ajoutent la troisième et la quatrième. (Rien, ici.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Before showing the curve, take a vote: will one head do, half looking at each object? It does bring home both shapes, but blended:
# there is no telling which answers the first question. It levels off around 60 %. Two heads, two looks. Ask what the third and the fourth
# add. (Nothing here.)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 5-7"
# ### Exercices 5 à 7 · Couper, regarder, recoller
#
# **15 min.** Finissez 7 chez vous.
#
# | | fonction | forme |
# |---|---|---|
# | | `x` | (n, t, w) |
# | 5 | `split_heads` | (n, s, t, d) |
# | 6 | `merge_heads` | (n, t, w) |
# | 7 | `several_heads` | (n, t, w) |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 5-7"
# ### Exercises 5 to 7 · Cut, look, glue
#
# **15 min.** Finish 7 at home.
#
# | | function | shape |
# |---|---|---|
# | | `x` | (n, t, w) |
# | 5 | `split_heads` | (n, s, t, d) |
# | 6 | `merge_heads` | (n, t, w) |
# | 7 | `several_heads` | (n, t, w) |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner la section 6, « De vos mains ». Faute la plus fréquente : `reshape` à la place de `unflatten` puis `transpose`, qui mêle
# les jetons d'une phrase ; la forme est bonne, les nombres non. Faire essayer sur deux jetons de quatre canaux. Pour 7, dans l'ordre :
# trois rôles, couper, regarder, recoller, `out`.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out section 6, "With your own hands". The commonest mistake: `reshape` instead of `unflatten` then `transpose`, which mixes
# up the tokens of a sentence; the shape is right, the numbers are not. Have them try two tokens of four channels. For 7, in order: three
# roles, cut, look, glue, `out`.

# %% [markdown] lang="fr"
# Une tête plafonne vers 60 %. Elle rapporte bien les deux formes, mais mélangées : impossible de dire laquelle répond à la première
# question. Deux têtes, deux regards : tout est juste. Une troisième et une quatrième n'ajoutent rien ici ; une phrase pose plus de deux
# questions à la fois.

# %% [markdown] lang="en"
# One head levels off around 60 %. It does bring home both shapes, but blended: there is no telling which answers the first question. Two
# heads, two looks: all is right. A third and a fourth add nothing here; a sentence asks more than two questions at once.

# %% [markdown] lang="fr"
# ### De vos mains, en trois pas

# %% [markdown] lang="fr"
# Une attention à plusieurs têtes coupe les canaux, regarde, recolle. D'abord couper. `x` est de forme (n, t, w) : n phrases, t jetons, w
# canaux. Rendez-le de forme (n, s, t, d), où s est le nombre de têtes et d = w / s : la première tête prend les d premiers canaux. L'axe
# des têtes passe devant les jetons, pour que chaque tête voie une phrase entière.
#
# <details><summary>Un indice</summary>
#
# `x.unflatten(-1, (heads, -1))` coupe le dernier axe en deux : (n, t, s, d). Il reste à échanger les axes 1 et 2, par `.transpose(1, 2)`.
#
# </details>

# %% [markdown] lang="en"
# ### With your own hands, in three steps

# %% [markdown] lang="en"
# An attention with several heads cuts the channels, looks, and glues. First the cutting. `x` is of shape (n, t, w): n sentences, t tokens,
# w channels. Return it in the shape (n, s, t, d), where s is the number of heads and d = w / s: the first head takes the first d channels.
# The axis of heads goes before that of tokens, so that each head sees a whole sentence.
#
# <details><summary>A hint</summary>
#
# `x.unflatten(-1, (heads, -1))` cuts the last axis in two: (n, t, s, d). What remains is to swap axes 1 and 2, with `.transpose(1, 2)`.
#
# </details>

# %% level=1
def split_heads(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


# %% scratch=true
two_tokens = torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]])
split_heads(two_tokens, 2)  # → tensor([[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]])

# %%
numbers = torch.arange(48).reshape(2, 4, 6)
slices = numbers[..., :2], numbers[..., 2:4], numbers[..., 4:]
by_slices = torch.stack(slices, dim=1)
expect(lambda: split_heads(numbers, 3), by_slices,
       say("six channels in three heads", "six canaux en trois têtes"))

# %% [markdown] lang="fr"
# Puis recoller : l'inverse exact, de (n, s, t, d) à (n, t, w).
#
# <details><summary>Un indice</summary>
#
# Échangez les axes d'abord ; `.flatten(2)` réunit ensuite les axes à partir du numéro 2.
#
# </details>

# %% [markdown] lang="en"
# Then the gluing: the exact inverse, from (n, s, t, d) to (n, t, w).
#
# <details><summary>A hint</summary>
#
# Swap the axes first; `.flatten(2)` then joins the axes from number 2 on.
#
# </details>

# %% level=1
def merge_heads(mixtures):
    return mixtures.transpose(1, 2).flatten(2)


# %% scratch=true
two_heads = torch.tensor([[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]])
merge_heads(two_heads)  # → tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]])

# %%
expect(lambda: merge_heads(by_slices), numbers,
       say("six channels again", "six canaux à nouveau"))

# %% [markdown] lang="fr"
# Enfin l'auto-attention entière, **première version** : des têtes et un masque. `qkv` est une couche linéaire qui fait les trois rôles d'un
# coup : pour chaque jeton, $3w$ canaux, les requêtes d'abord, puis les clés, puis les valeurs. `out` est la matrice $W_O$. `x` est de forme
# (n, t, w), la réponse aussi. Coupez chaque rôle en têtes ; votre `scaled_dot_product` les traite toutes à la fois, puisque les axes de
# devant suivent tout seuls.
#
# <details><summary>Un indice</summary>
#
# `qkv(x).chunk(3, dim=-1)` coupe le dernier axe en trois parts égales : un tenseur pour chaque rôle.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Dans l'ordre : trois rôles, `split_heads` sur chacun, `scaled_dot_product` avec le masque, `merge_heads` sur les mélanges (le premier de
# ses deux résultats), `out`.
#
# </details>

# %% [markdown] lang="en"
# Last, the whole self-attention, **first version**: heads and a mask. `qkv` is a linear layer that makes the three roles at once: for each
# token $3w$ channels, the queries first, then the keys, then the values. `out` is the matrix $W_O$. `x` is of shape (n, t, w), and so is
# the answer. Cut each role into heads; your `scaled_dot_product` deals with all of them at once, since the axes in front come along by
# themselves.
#
# <details><summary>A hint</summary>
#
# `qkv(x).chunk(3, dim=-1)` cuts the last axis into three equal parts: a tensor for each role.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# In order: three roles, `split_heads` on each, `scaled_dot_product` with the mask, `merge_heads` on the mixtures (the first of its two
# results), `out`.
#
# </details>

# %% level=2
def several_heads(x, qkv, out, heads, mask=None):
    roles = qkv(x).chunk(3, dim=-1)
    query, key, value = (split_heads(role, heads) for role in roles)
    mixtures, _ = scaled_dot_product(query, key, value, mask)
    return out(merge_heads(mixtures))


# %% scratch=true
copies, same = nn.Linear(2, 6, bias=False), nn.Linear(2, 2, bias=False)
# en: queries and keys of 0, values as they came: each answer is the mean
# fr: requêtes et clés de 0, valeurs inchangées : chaque réponse est la moyenne
same.weight.data = torch.eye(2)
copies.weight.data = torch.cat([torch.zeros(4, 2), torch.eye(2)])
several_heads(torch.tensor([[[1.0, 2.0], [3.0, 6.0]]]), copies, same, 2).tolist()
# → [[[2.0, 4.0], [2.0, 4.0]]]

# %%
torch.manual_seed(0)
layer, sentences = MultiHeadAttention(12, heads=3), torch.randn(2, 5, 12)
future_hidden = torch.ones(5, 5, dtype=torch.bool).tril()


def with_and_without_mask():
    free = several_heads(sentences, layer.qkv, layer.out, 3)
    masked = several_heads(sentences, layer.qkv, layer.out, 3, future_hidden)
    return torch.stack([free, masked])


answers = [layer(sentences, causal=causal) for causal in (False, True)]
expect(with_and_without_mask, torch.stack(answers).detach(),
       say("three heads, without mask and with it", "trois têtes, sans masque et avec"))

# %% [markdown] lang="fr"
# La bibliothèque range ces lignes dans une classe, `MultiHeadAttention`, avec ses deux matrices. La leçon s'en servira désormais ; la
# [](#not-computing-it-all-again) y ajoutera ce qui manque, une mémoire, et elle sera alors à vous tout entière.

# %% [markdown] lang="en"
# The library keeps these lines in a class, `MultiHeadAttention`, together with its two matrices. The lesson will use it from here on;
# [](#not-computing-it-all-again) will add what is missing, a memory, and then it will be yours altogether.

# %% [markdown] lang="fr"
# ## 7. L'ordre des mots
#
# L'attention a un défaut de naissance : sans masque, elle ne voit qu'un **ensemble**. Scores et sommes se moquent de l'ordre. « Un cercle
# sur un carré » et « un carré sur un cercle » seraient la même phrase.
#
# Mélangeons six jetons et comparons. **Devinez** : les réponses changeront-elles du tout au tout, un peu, ou seulement de place ?

# %% [markdown] lang="en"
# ## 7. The order of words
#
# Attention has a birth defect: without a mask it sees nothing but a **set**. Scores and sums do not care about order. "A circle above a
# square" and "a square above a circle" would be one and the same sentence.
#
# Let us shuffle six tokens and compare. **Guess**: will the answers change entirely, a little, or only their places?

# %%
torch.manual_seed(0)
layer, six_tokens = MultiHeadAttention(32, heads=4), torch.randn(1, 6, 32)
order = [3, 0, 5, 1, 4, 2]
answers = layer(six_tokens, causal=False)
answers_shuffled = layer(six_tokens[:, order], causal=False)
gap = (answers_shuffled - answers[:, order]).abs().max()
print(say("answers of shuffled tokens = shuffled answers, within 0.000001:",
          "réponses des jetons mélangés = réponses mélangées, à 0,000001 près :"),
      say("yes", "oui") if gap < 1e-6 else say("no", "non"))

# %% claims=true
assert gap < 1e-6

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Sans places, une phrase est un ensemble
#
# Six jetons, puis les mêmes, mélangés : chaque réponse suit son jeton.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. Without places, a sentence is a set
#
# Six tokens, then the same, shuffled: each answer follows its token.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, panels = plot(1, 2, width=8, height=3.1)
both = (answers[0], range(6)), (answers_shuffled[0], order)
for panel, (grid, tokens_in) in zip(panels, both):
    apart = (grid - grid.mean(dim=0)).detach()
    panel.imshow(apart.numpy(), cmap="PuOr", aspect="auto")
    panel.set_yticks(range(6), [str(token + 1) for token in tokens_in])
    panel.set(xticks=[], xlabel=say("answer, less the mean", "réponse, sans la moyenne"))
panels[0].set(title=say("in order", "dans l'ordre"), ylabel=say("token", "jeton"))
panels[1].set_title(say("shuffled", "mélangés"))
picture(figure, say("The answers of six tokens, in order and shuffled: each token "
                    "has the same row of colours in both.",
                    "Les réponses de six jetons, dans l'ordre et mélangés : chaque "
                    "jeton a la même ligne de couleurs dans les deux."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire deviner si les réponses changent du tout au tout, un peu, ou seulement de place. (De place : scores et sommes se moquent de
# l'ordre.) Demander ce que cela fait de « un cercle sur un carré » et « un carré sur un cercle ». (La même phrase : la moyenne des réponses
# ne les distingue pas.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Let them guess whether the answers change entirely, a little, or only their places. (Their places: scores and sums do not care
# about order.) Ask what this makes of "a circle above a square" and "a square above a circle". (The same sentence: the mean of the answers
# cannot tell them apart.)

# %% [markdown] lang="fr"
# Les réponses sont les mêmes, à l'arrondi près : elles ont seulement suivi leurs jetons.
#
# ### Des ondes pour horloge
#
# Le remède : **ajouter** à chaque plongement un vecteur qui dit sa place, son **encodage de position** (*positional encoding*). Il peut
# être appris, un par place, comme un mot. Ou calculé : [l'article de 2017](work:vaswani2017) prend des ondes, de plus en plus lentes d'une
# paire de canaux à la suivante, comme les aiguilles d'une horloge. Avec quatre canaux, l'aiguille rapide tourne de 1 radian par jeton, la
# lente de 0,01 : la place 1 est $(\sin 1, \cos 1, \sin 0{,}01, \cos 0{,}01) \approx (0{,}84 ; 0{,}54 ; 0{,}01 ; 1{,}00)$.

# %% [markdown] lang="en"
# The answers are the same, up to rounding: they have merely followed their tokens.
#
# ### Waves for a clock
#
# The cure: **add** to each embedding a vector that tells its place, its **positional encoding**. It may be learned, one for each place,
# like a word. Or worked out: [the paper of 2017](work:vaswani2017) takes waves, slower and slower from one pair of channels to the next,
# like the hands of a clock. With four channels, the fast hand turns by 1 radian a token, the slow one by 0.01: place 1 is
# $(\sin 1, \cos 1, \sin 0.01, \cos 0.01) \approx (0.84, 0.54, 0.01, 1.00)$.

# %% [markdown]
# $$ p_{t, \, 2i} = \sin\!\left( \frac{t}{10000^{2i/w}} \right) \qquad\qquad p_{t, \, 2i+1} = \cos\!\left( \frac{t}{10000^{2i/w}} \right) $$

# %% [markdown] lang="fr"
# Avancer d'un jeton fait tourner chaque aiguille d'un angle fixe : la distance entre deux places se lit dans leur produit scalaire.

# %% [markdown] lang="fr"
# Écrivez ces ondes : `length` places de `width` canaux, donc un tenseur de forme (length, width), sinus et cosinus en alternance. Aucune
# boucle n'est nécessaire.
#
# <details><summary>Un indice</summary>
#
# Les vitesses : `10_000 ** (-torch.arange(0, width, 2) / width)`, une par paire. Une colonne de temps (length, 1) multipliée par une ligne
# de vitesses donne tous les angles, (length, width / 2).
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.arange(length)[:, None]` est la colonne. `torch.stack([a, b], dim=-1)` met sinus et cosinus côte à côte ; `.flatten(1)` les aligne
# en alternance.
#
# </details>

# %% [markdown] lang="en"
# Moving on by one token turns each hand by a fixed angle: the distance between two places can be read in their dot product.

# %% [markdown] lang="en"
# Write these waves: `length` places of `width` channels, so a tensor of shape (length, width), sine and cosine in turn. No loop is needed.
#
# <details><summary>A hint</summary>
#
# The speeds: `10_000 ** (-torch.arange(0, width, 2) / width)`, one for each pair. A column of times (length, 1) multiplied by a row of
# speeds gives all the angles, (length, width / 2).
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.arange(length)[:, None]` is the column. `torch.stack([a, b], dim=-1)` puts sine and cosine side by side; `.flatten(1)` lines them
# up in turn.
#
# </details>

# %% level=2
def waves(length, width):
    speeds = 10_000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


# %% scratch=true
waves(2, 4)
# → tensor([[0.0000, 1.0000, 0.0000, 1.0000], [0.8415, 0.5403, 0.0100, 0.9999]])

# %%
from dalle_edu.bricks.transformer import Encoder, sinusoidal_positions

expect(lambda: waves(50, 16), sinusoidal_positions(50, 16),
       say("fifty places of sixteen channels", "cinquante places de seize canaux"),
       tolerance=1e-4)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Des ondes pour horloge
#
# **Ajouter** à chaque plongement sa place : des aiguilles de plus en plus lentes.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Waves for a clock
#
# **Add** its place to each embedding: hands slower and slower.

# %% slide="fragment" tags=["hide-input"]
places = sinusoidal_positions(60, 64)
figure, panels = plot(1, 2, width=9, height=3.0)
panels[0].imshow(places.numpy(), cmap="PuOr", aspect="auto")
panels[0].set(xlabel=say("channel", "canal"), ylabel=say("place", "place"))
panels[1].imshow((places @ places.T).numpy(), cmap="Blues")
panels[1].set(xlabel=say("place", "place"),
              title=say("dot product of two places", "produit scalaire de deux places"))
picture(figure, say("Waves, fast in the first channels, slow in the last; the "
                    "product of two places depends on their distance alone.",
                    "Des ondes, rapides d'abord, lentes aux derniers canaux ; "
                    "le produit de deux places ne dépend que de leur distance."))

# %% claims=true
products = places @ places.T
assert torch.allclose(products.diagonal(5), products[0, 5].expand(55), atol=1e-3)
assert products.argmax(dim=1).tolist() == list(range(60))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire tourner un bras comme une aiguille rapide, l'autre comme une lente. À gauche, chaque ligne est une place. À droite, des
# bandes le long de la diagonale : demander ce qu'elles disent. (Le produit de deux places ne dépend que de leur distance.) Une place peut
# aussi être apprise, comme un mot.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Turn one arm like a fast hand of a clock, the other like a slow one. On the left each row is a place. On the right are bands along
# the diagonal: ask what they say. (The product of two places depends on their distance alone.) A place may also be learned, like a word.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 8-9"
# ### Exercices 8 et 9 · Les aiguilles
#
# **8 min.** 8 : `waves`, sans boucle. 9, chez vous : `step_back`, la matrice qui recule d'une place. Avec elle, chaque jeton regarde celui
# d'avant :

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 8-9"
# ### Exercises 8 and 9 · The hands of the clock
#
# **8 min.** 8: `waves`, without a loop. 9, at home: `step_back`, the matrix that moves back one place. With it, each token looks at the one
# before:

# %% [markdown] lang="fr"
# À gauche, chaque ligne est une place ; les premiers canaux battent vite, les derniers à peine. À droite, des bandes parallèles à la
# diagonale : le produit de deux places ne dépend que de leur distance, et il est le plus grand pour une place et elle-même.

# %% [markdown] lang="fr"
# **Une tête faite à la main.** Voici un regard qu'aucun entraînement n'a touché. Prenez pour clés les places elles-mêmes, et pour requêtes
# les places passées par une matrice fixe, `turn` : si `places @ turn` recule chaque place d'un jeton, alors chaque jeton regardera celui
# d'avant. Écrivez `step_back(width)`, qui rend cette matrice, de forme (width, width). Elle ne dépend pas de la place : c'est tout le
# charme des ondes.
#
# <details><summary>Un indice</summary>
#
# Chaque paire de canaux, $(\sin a, \cos a)$, doit devenir $(\sin(a - b), \cos(a - b))$, où $b$ est l'angle dont elle tourne en un jeton,
# $10000^{-2i/w}$.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# $\sin(a - b) = \sin a \cos b - \cos a \sin b$ et $\cos(a - b) = \cos a \cos b + \sin a \sin b$. Ce qui multiplie $\sin a$ et $\cos a$
# remplit un carré de 2 × 2 sur la diagonale d'une matrice de zéros.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Les places sont des **lignes**, à gauche du produit : la première ligne du carré est ce que devient $\sin a$, soit $(\cos b, \sin b)$ ; la
# seconde, ce que devient $\cos a$, soit $(-\sin b, \cos b)$.
#
# </details>

# %% [markdown] lang="en"
# On the left each row is a place; the first channels beat fast, the last hardly at all. On the right are bands along the diagonal: the
# product of two places depends on their distance alone, and is largest for a place and itself.

# %% [markdown] lang="en"
# **A head made by hand.** Here is a look that no training has touched. Take the places themselves for keys, and for queries the places
# passed through a fixed matrix, `turn`: if `places @ turn` moves each place back by one token, then each token will look at the one before.
# Write `step_back(width)`, which returns that matrix, of shape (width, width). It does not depend on the place: that is the whole charm of
# waves.
#
# <details><summary>A hint</summary>
#
# Each pair of channels, $(\sin a, \cos a)$, must become $(\sin(a - b), \cos(a - b))$, where $b$ is the angle by which it turns in one
# token, $10000^{-2i/w}$.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# $\sin(a - b) = \sin a \cos b - \cos a \sin b$ and $\cos(a - b) = \cos a \cos b + \sin a \sin b$. What multiplies $\sin a$ and $\cos a$
# fills a square of 2 × 2 on the diagonal of a matrix of zeros.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# Places are **rows**, on the left of the product: the first row of the square is what becomes of $\sin a$, that is $(\cos b, \sin b)$; the
# second, what becomes of $\cos a$, that is $(-\sin b, \cos b)$.
#
# </details>

# %% level=3
def step_back(width):
    turn = torch.zeros(width, width)
    for channel in range(0, width, 2):
        angle = 10_000 ** (-channel / width)
        cosine, sine = math.cos(angle), math.sin(angle)
        turn[channel, channel : channel + 2] = torch.tensor([cosine, sine])
        turn[channel + 1, channel : channel + 2] = torch.tensor([-sine, cosine])
    return turn


# %% scratch=true
# en: place 1, one token back, is place 0
# fr: la place 1, un jeton en arrière, est la place 0
(sinusoidal_positions(2, 4)[1] @ step_back(4)).round(decimals=3).abs()
# → tensor([0., 1., 0., 1.])

# %%
places = sinusoidal_positions(12, 32)
expect(lambda: (places @ step_back(32))[1:], places[:-1],
       say("each place, one token back", "chaque place, un jeton en arrière"),
       tolerance=1e-4)

# %% slide="fragment" tags=["hide-input"]
try:
    turned = places @ step_back(32)
except NotImplementedError:
    # en: while your matrix is missing, each place is given the one before it
    # fr: tant que votre matrice manque, chaque place reçoit celle d'avant
    turned = torch.cat([places[:1], places[:-1]])
# en: the queries are made 50 times as long, to insist
# fr: les requêtes sont 50 fois plus longues, pour insister
_, weights = scaled_dot_product(50 * turned, places, places, causal_mask(12, 12))
figure, axes = plot(width=4.2, height=3.8)
axes.imshow(weights.numpy(), cmap="Blues", vmin=0, vmax=1)
axes.set(xlabel=say("looked at", "regardé"), ylabel=say("looking", "qui regarde"))
picture(figure, say("Where each of twelve tokens looks: with the right matrix, "
                    "at the one just before it.",
                    "Où regarde chacun de douze jetons : avec la bonne matrice,"
                    " juste avant lui."))

# %% claims=true
assert weights.diagonal(-1).min() > 0.99

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Donner la section 7. Fautes à guetter en 8 : tous les sinus puis tous les cosinus, au lieu de l'alternance ; une vitesse par canal,
# au lieu d'une par paire. Pour 9, dessiner au tableau la rotation d'une paire. Les places sont des lignes : qui transpose la matrice avance
# au lieu de reculer.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Hand out section 7. Mistakes to look for in 8: all sines then all cosines, instead of in turn; a speed for each channel, instead of
# one for each pair. For 9, draw the rotation of one pair on the board. Places are rows: transposing the matrix goes forward instead of
# back.

# %% [markdown] lang="fr"
# Chaque jeton regarde celui d'avant, et lui seul (le premier n'a que lui-même). Une matrice fixe y suffit : un réseau peut donc
# l'apprendre.
#
# ### Avec et sans places
#
# Un bouton, une image. Un encodeur lit une phrase comme « un cercle au-dessus d'un carré » et doit nommer l'objet du haut. Chaque ensemble
# de mots sert à deux phrases de réponses contraires. (Six formes, toutes masculines : « d'une étoile » trahirait le second objet.)

# %% [markdown] lang="en"
# Each token looks at the one before, and at it alone (the first has only itself). A fixed matrix is enough for that: so a network can learn
# it.
#
# ### With and without places
#
# One knob, one picture. An encoder reads a sentence such as "a circle above a square" and must name the object on top, one of six shapes.
# Each set of words makes two sentences, with opposite answers.

# %%
tokenizer = caption_tokenizer()
names = ["circle", "square", "triangle", "ring", "heart", "diamond"]
sentences, on_top = [], []
for first, second in itertools.permutations(range(6), 2):
    for relation in ("above", "below"):
        mentions = Mention(names[first]), Mention(names[second])
        scene = Description(mentions, relation=relation)
        sentences.append(caption(scene, language))
        on_top.append(first if relation == "above" else second)
tokens = tokenizer.encode(sentences, 6)
on_top = torch.tensor(on_top)
print(len(sentences), say("sentences, such as:", "phrases, comme :"), sentences[0])
print(say("as tokens:", "en jetons :"), tokens[0].tolist())


# %%
class Higher(nn.Module):
    def __init__(self, places):
        super().__init__()
        self.words, self.answer = nn.Embedding(512, 32), nn.Linear(32, 6)
        self.encoder = Encoder(32, depth=2, heads=4)
        self.places = places

    def forward(self, tokens):
        read = self.encoder(self.words(tokens) + self.places)
        # en: one answer for the sentence: from the mean of its tokens
        # fr: une réponse pour la phrase : de la moyenne de ses jetons
        return self.answer(read.mean(dim=1))


def which_is_higher(model):
    logits = model(tokens)
    return F.cross_entropy(logits, on_top), accuracy(logits, on_top)

# %% [markdown] lang="fr"
# **Devinez** : sans places, quelle part de réponses justes au mieux ? Une sur six, la moitié, presque toutes ?

# %% [markdown] lang="en"
# **Guess**: without places, what share of right answers at best? One in six, half, nearly all?

# %%
kinds = {say("none", "aucune"): torch.zeros(6, 32),
         say("waves", "ondes"): sinusoidal_positions(6, 32),
         say("learned", "apprises"): None}
learned = {}
for name, places in kinds.items():
    torch.manual_seed(0)
    if places is None:
        places = nn.Parameter(torch.randn(6, 32))
    right = learn(Higher(places), which_is_higher, steps=80)
    learned[name] = [100 * share for share in right]
    print(f"{name:10} {learned[name][-1]:.0f} %")

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Sans places, la moitié, pas plus
#
# « Un cercle au-dessus d'un carré » : quel objet est en haut ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Without places, half, and no more
#
# "A circle above a square": which object is on top?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.3)
for (name, right), colour, line in zip(learned.items(), COLOURS, ("-", "-", "--")):
    axes.plot(right, line, color=colour, label=name)
axes.set(xlabel=say("step", "pas"), ylabel=say("right answers (%)", "réponses justes (%)"))
axes.set_ylim(0, 103)
legend(axes, title=say("places", "places"), loc="lower right")
picture(figure, say("Without places the answers stop at half; with waves or "
                    "with learned places all become right.",
                    "Sans places, les réponses plafonnent à la moitié ; avec "
                    "des ondes ou des places apprises, toutes deviennent "
                    "justes."))

# %% claims=true
without, with_waves, with_learned = (right[-1] for right in learned.values())
assert 49 < without < 51
assert min(with_waves, with_learned) > 99

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander pourquoi exactement la moitié, et non un peu plus ou un peu moins. (Les mêmes mots font deux phrases de réponses
# contraires ; le réseau doit répondre pareil aux deux.) Ondes ou places apprises : ici, les deux suffisent. Un masque causal laisserait
# filtrer un peu d'ordre.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask why exactly half, and not a little more or less. (The same words make two sentences with opposite answers; the network must
# answer both alike.) Waves or learned places: here both will do. A causal mask would let some order through.

# %% [markdown] lang="fr"
# Sans places, exactement la moitié : le réseau sait de quels objets on parle, mais doit donner la même réponse à deux phrases dont une
# seule la mérite. Avec des places, calculées ou apprises, tout devient juste. (Un masque causal laisse filtrer un peu d'ordre, puisque le
# premier jeton ne voit que lui-même ; on n'a pas à s'en contenter.)

# %% [markdown] lang="en"
# Without places, exactly half: the network knows which objects are spoken of, but must give the same answer to two sentences of which only
# one deserves it. With places, worked out or learned, all becomes right. (A causal mask lets some order through, since the first token sees
# itself only; there is no need to make do with that.)

# %% [markdown] lang="fr"
# ## 8. Empiler
#
# L'attention échange, elle ne réfléchit pas : ses mélanges sont des moyennes. Après elle, un **petit réseau** (*feed-forward*), le même
# pour tous les jetons d'une couche, traite chacun à part ; chaque couche a le sien. Attention puis petit réseau font un **bloc**. Deux
# précautions permettent d'en empiler des dizaines :
#
# - le **chemin résiduel** ([](work:he2016)) : chaque sous-couche **ajoute** sa réponse à ce qu'on lui a donné, et non aux mots du départ ;
#   ce qui traverse ainsi la pile s'appelle le **flux** ;
# - la **normalisation de couche** ([](work:ba2016)) : les canaux de chaque jeton sont ramenés à une moyenne de 0 et une variance de 1, puis
#   multipliés par un gain appris $g$. Un jeton de canaux (1, 3) a la moyenne 2 et la variance 1 : il devient $(-1, 1)$.

# %% [markdown] lang="en"
# ## 8. Stacking
#
# Attention exchanges, it does not think: its mixtures are means. After it a **small network** (*feed-forward*), the same for all the tokens
# of a layer, works on each one apart; each layer has its own. Attention and small network make a **block**. Two precautions let us stack
# dozens of them:
#
# - the **residual path** ([](work:he2016)): each sublayer **adds** its answer to what it was given, not to the words at the start; what
#   goes through the stack in this way is called the **stream**;
# - **layer normalisation** ([](work:ba2016)): each token's channels are brought to a mean of 0 and a variance of 1, then multiplied by a
#   learned gain $g$. A token of channels (1, 3) has mean 2 and variance 1: it becomes $(-1, 1)$.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Un bloc ajoute au flux
#
# L'attention échange ; un **petit réseau** travaille chaque jeton à part.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. A block adds to the stream
#
# Attention exchanges; a **small network** works on each token apart.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=9, height=2.3)
stream = {"arrowstyle": "-|>", "color": BLUE, "lw": 4}
axes.annotate("", (1, 0), (0, 0), arrowprops=stream)
for left, right in ((0.04, 0.45), (0.5, 0.95)):
    axes.plot((left, left, right, right), (0, 1, 1, 0), color="black", zorder=0)
    axes.plot(right, 0, "P", color=BLUE, markersize=20)
parts = say("norm|attention|norm|small network",
            "norme|attention|norme|petit réseau").split("|")
for x, name in zip((0.14, 0.32, 0.6, 0.8), parts):
    colour = SKY if "att" in name else ORANGE if " " in name else "white"
    box = {"boxstyle": "round,pad=0.5", "facecolor": colour}
    axes.text(x, 1, name, ha="center", va="center", fontsize=14, bbox=box)
axes.set(xlim=(0, 1), ylim=(-0.5, 1.5))
axes.axis("off")
picture(figure, say("A block: norm and attention, then norm and small network, "
                    "add their answers to a stream that goes straight on.",
                    "Un bloc : norme et attention, puis norme et petit réseau, "
                    "ajoutent leurs réponses au flux, qui va tout droit."))

# %% [markdown] slide="fragment"
# $$ \begin{gathered} \mathrm{LN}(x) = g \odot \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + \varepsilon}} \\[1ex]
# x \leftarrow x + \mathrm{Attention}(\mathrm{LN}_1(x)) \qquad x \leftarrow x + W_2 \, \mathrm{gelu}(W_1 \, \mathrm{LN}_2(x)) \end{gathered} $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Suivre le flux du doigt : il va tout droit, et chaque sous-couche y ajoute sa réponse. La norme ramène les canaux d'un jeton à une
# moyenne de 0 et une variance de 1. Demander ce que devient (1, 3) : (−1, 1). En 2017 on normalisait après la somme ; aujourd'hui, avant.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Follow the stream with a finger: it goes straight through, and each sublayer adds its answer. The norm brings a token's channels to
# a mean of 0 and a variance of 1. Ask what becomes of (1, 3): (−1, 1). In 2017 one normalised after the sum; today, before.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 10"
# ### Exercice 10 · Le bloc
#
# **12 min.** Écrivez `forward` en deux lignes : le flux, plus une sous-couche de sa version normalisée. Vous avez :
#
# ```python
# self.norm_1, self.attention(…, self.causal, cache, layer, visible, maps)
# self.norm_2, self.expand, F.gelu, self.contract
# ```

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 10"
# ### Exercise 10 · The block
#
# **12 min.** Write `forward` in two lines: the stream, plus a sublayer of its normalised version. You have:
#
# ```python
# self.norm_1, self.attention(…, self.causal, cache, layer, visible, maps)
# self.norm_2, self.expand, F.gelu, self.contract
# ```

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Donner la section 8. Fautes à guetter : la seconde sous-couche ajoutée aux mots du départ et non au flux ; le flux lui-même
# normalisé ; `x += …`, qui change le tenseur reçu ; `visible` ou `cache` oubliés en route. L'épreuve : des sous-couches qui répondent 0
# laissent le flux intact.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Hand out section 8. Mistakes to look for: the second sublayer added to the words at the start, not to the stream; the stream
# itself normalised; `x += …`, which changes the tensor received; `visible` or `cache` lost on the way. The test: sublayers that answer 0
# leave the stream as it was.

# %% [markdown] lang="fr"
# Le transformeur de 2017 normalisait **après** chaque somme ; on normalise aujourd'hui **avant** chaque sous-couche ([](work:xiong2020)) :
# le chemin du milieu reste libre d'un bout à l'autre, et l'entraînement est plus stable. Le petit réseau passe de $w$ canaux à $4w$, puis
# revient à $w$ : il tient les deux tiers des poids du bloc. `gelu` est un rectifieur au coude adouci ([](work:hendrycks2016)).

# %% [markdown] lang="fr"
# Écrivez `forward` : `x`, de forme (n, t, w), entre, et le flux de même forme sort. La première sous-couche est `self.attention`, que l'on
# appelle ainsi : `self.attention(…, self.causal, cache, layer, visible, maps)`. Les quatre derniers arguments sont pour elle : passez-les
# sans y toucher (`visible` est le masque du remplissage ; les autres serviront aux sections [12](#not-computing-it-all-again) et
# [13](#where-do-the-heads-look)). La seconde enchaîne `self.expand`, `F.gelu` et `self.contract`.
#
# <details><summary>Un indice</summary>
#
# Deux lignes de même forme : le flux, plus une sous-couche de sa version normalisée. Le flux lui-même n'est jamais normalisé.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `x = x + self.attention(self.norm_1(x), …)` ; pour la seconde, `self.norm_2(x)`, puis `self.expand`, `F.gelu`, `self.contract`, et l'on
# rend la somme. N'écrivez pas `x += …` : cela changerait le tenseur qu'on vous a donné.
#
# </details>

# %% [markdown] lang="en"
# The transformer of 2017 normalised **after** each sum; today one normalises **before** each sublayer ([](work:xiong2020)): the path in the
# middle stays free from end to end, and training is steadier. The small network goes from $w$ channels to $4w$ and back to $w$: it holds
# two thirds of the block's weights. `gelu` is a rectifier with its bend made smooth ([](work:hendrycks2016)).

# %% [markdown] lang="en"
# Write `forward`: `x`, of shape (n, t, w), goes in, and the stream of the same shape comes out. The first sublayer is `self.attention`,
# which is called like this: `self.attention(…, self.causal, cache, layer, visible, maps)`. The last four arguments are for it: hand them on
# untouched (`visible` is the mask of padding; the others will serve in sections [12](#not-computing-it-all-again) and
# [13](#where-do-the-heads-look)). The second goes through `self.expand`, `F.gelu` and `self.contract`.
#
# <details><summary>A hint</summary>
#
# Two lines of the same form: the stream, plus a sublayer of its normalised version. The stream itself is never normalised.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `x = x + self.attention(self.norm_1(x), …)`; for the second, `self.norm_2(x)`, then `self.expand`, `F.gelu`, `self.contract`, and the sum
# is returned. Do not write `x += …`: it would change the tensor that you were given.
#
# </details>

# %% implements="transformer:Block" level=2 hollow=["forward"]
"""Une couche de GPT-2 : attention, puis un petit réseau pour chaque jeton.

Le résultat de chacun est ajouté à son entrée. Si `causal` est faux, chaque
jeton regarde tous les autres, comme dans un encodeur.
"""
"""Le flux après l'attention et le petit réseau.

`visible`, `cache`, `layer` et `maps` sont ceux de `MultiHeadAttention`.
"""

# %% scratch=true
block = Block(width=8, heads=2)
# en: sublayers that answer 0 leave the stream as it was
# fr: des sous-couches qui répondent 0 laissent le flux tel quel
nn.init.zeros_(block.attention.out.weight)
nn.init.zeros_(block.contract.weight)
block(torch.arange(8.0).reshape(1, 1, 8)).tolist()
# → [[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]]

# %% [markdown] lang="fr"
# ### Ce que vaut le chemin résiduel
#
# Empilons vingt-quatre blocs non entraînés ; après chacun, à quel point deux jetons voisins se ressemblent-ils ? Mesurons-le par le cosinus
# de leurs canaux : 1 veut dire « pareils ». Trois sortes de blocs : le vôtre, celui de 2017, un bloc sans chemin résiduel. **Devinez** pour
# chacun le cosinus après quatre blocs.

# %% [markdown] lang="en"
# ### What the residual path is worth
#
# Let us stack twenty-four blocks, not trained; after each, how alike are two neighbouring tokens? The cosine of their channels is the
# measure: 1 means "alike". Three kinds of blocks: yours, that of 2017, a block without a residual path. **Guess** for each the cosine after
# four blocks.

# %%
from dalle_edu.classroom.mistakes.transformer import NoResidual, NormAfter

kinds = {say("norm before", "norme avant"): Block,
         say("norm after", "norme après"): NormAfter,
         say("no residual", "sans résidu"): NoResidual}
alike = {}
print(say("cosine after         1     4    12    24 blocks",
          "cosinus après        1     4    12    24 blocs"))
for name, kind in kinds.items():
    torch.manual_seed(0)
    x, alike[name] = torch.randn(8, 10, 64), []
    with torch.no_grad():
        for _ in range(24):
            x = kind(64, 4)(x)
            neighbours = F.cosine_similarity(x[:, 1:], x[:, :-1], dim=-1)
            alike[name].append(neighbours.mean().item())
    cosines = [alike[name][depth - 1] for depth in (1, 4, 12, 24)]
    print(f"{name:16}", *(f"{decimal(cosine, 2):>5}" for cosine in cosines))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Sans chemin résiduel, tout se ressemble
#
# Vingt-quatre blocs non entraînés : à quel point deux jetons voisins se ressemblent-ils ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Without the residual path, all become alike
#
# Twenty-four blocks, not trained: how alike are two neighbouring tokens?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.4)
for (name, cosines), colour in zip(alike.items(), COLOURS):
    axes.plot(range(1, 25), cosines, color=colour, label=name)
axes.set(xlabel=say("blocks", "blocs"), ylim=(0, 1.05))
axes.set_ylabel(say("cosine of neighbours", "cosinus de voisins"))
legend(axes)
picture(figure, say("Without the residual path neighbouring tokens soon become "
                    "alike; with it they stay apart through 24 blocks.",
                    "Sans chemin résiduel, les jetons voisins deviennent vite "
                    "pareils ; avec lui, ils restent distincts sur 24 blocs."))

# %% claims=true
norm_before, norm_after, no_residual = alike.values()
assert no_residual[3] > 0.97
assert norm_before[23] < 0.6
assert norm_before[23] < norm_after[23] < 0.9

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire deviner le cosinus après quatre blocs. Sans chemin résiduel, tous les jetons sont presque pareils, à force de moyennes de
# moyennes ; il n'y a plus rien à regarder. Demander laquelle des deux autres courbes est la meilleure, et pourquoi. (Norme avant : le
# chemin du milieu reste libre.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Let them guess the cosine after four blocks. Without the residual path all tokens are nearly alike, by dint of means of means;
# there is nothing left to look at. Ask which of the two other curves is better, and why. (Norm before: the path in the middle stays free.)

# %% [markdown] lang="fr"
# Sans chemin résiduel, quatre blocs suffisent : tous les jetons sont presque pareils, à force de moyennes de moyennes ([](work:dong2021)),
# et il n'y a plus rien à regarder. Avec lui, ils restent distincts jusqu'au bout, et mieux quand la norme est avant.

# %% [markdown] lang="en"
# Without the residual path four blocks are enough: all tokens are nearly alike, by dint of means of means ([](work:dong2021)), and there is
# nothing left to look at. With it they stay apart to the end, and better so where the norm comes before.

# %% [markdown] lang="fr"
# ## 9. Encodeur, décodeur, ou les deux
#
# Le transformeur de 2017 traduit. L'**encodeur** lit : une pile de blocs de même forme, chacun avec ses propres poids. Le **décodeur**
# écrit : ses blocs ont une sous-couche de plus, une attention croisée, dont les requêtes viennent du décodeur et dont clés et valeurs
# viennent toujours du **haut** de l'encodeur. Au sommet du décodeur, une couche linéaire donne un logit à chaque mot du vocabulaire, et le
# softmax en fait des probabilités. **Avant de regarder le dessin**, dites d'où viennent requêtes, clés et valeurs à chaque attention.

# %% [markdown] lang="en"
# ## 9. Encoder, decoder, or both
#
# The transformer of 2017 translates. The **encoder** reads: a stack of blocks of one form, each with weights of its own. The **decoder**
# writes: its blocks have one more sublayer, a cross-attention, whose queries come from the decoder and whose keys and values always come
# from the **top** of the encoder. Above the decoder, a linear layer gives a logit to each word of the vocabulary, and the softmax makes
# probabilities of them. **Before you look at the drawing**, say where queries, keys and values come from at each attention.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. L'encodeur lit, le décodeur écrit

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. The encoder reads, the decoder writes

# %% tags=["hide-input"]
reads = say("embeddings + places|self-attention|small network|"
            "(what was read)|ENCODER × 6",
            "plongements + places|auto-attention|petit réseau|"
            "(ce qui est lu)|ENCODEUR × 6")
writes = say("embeddings + places|masked self-attention|cross-attention|"
             "small network|linear, softmax: next word|DECODER × 6",
             "plongements + places|auto-attention masquée|attention croisée|"
             "petit réseau|linéaire, softmax : mot suivant|DÉCODEUR × 6")
figure, axes = plot(width=9, height=4.3)
arrow = {"arrowstyle": "-|>"}


# %% slide="fragment" tags=["hide-input"]
for x, boxes in ((0.2, reads.split("|")), (0.75, writes.split("|"))):
    for y, name in enumerate(boxes):
        colour = SKY if "attention" in name else ORANGE if y in (2, 3) else "white"
        frame = {"boxstyle": "round,pad=0.5", "facecolor": colour}
        frame = frame if name[0].islower() else None
        axes.text(x, y, name, ha="center", va="center", fontsize=11, bbox=frame)
        if 0 < y < len(boxes) - 1:
            axes.annotate("", (x, y - 0.28), (x, y - 0.72), arrowprops=arrow)
green = {"arrowstyle": "-|>", "color": GREEN, "lw": 2}
axes.annotate("", (0.61, 2), (0.33, 3), arrowprops=green)
axes.text(0.47, 2.75, say("keys, values", "clés, valeurs"), ha="center", color=GREEN)
axes.set(xlim=(0, 1), ylim=(-0.5, 5.3))
axes.axis("off")
picture(figure, say("An encoder, self-attention then small network, gives keys "
                    "and values to the decoder's cross-attention.",
                    "Un encodeur, auto-attention puis petit réseau, donne clés "
                    "et valeurs à l'attention croisée du décodeur."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Chaque boîte est entourée d'un chemin résiduel et d'une norme, que le dessin omet. Avant les flèches, demander d'où viennent Q, K
# et V à chaque attention. (À la croisée : Q du décodeur, K et V du haut de l'encodeur.) Le modèle de base de 2017 : six couches de chaque
# côté, 512 canaux, huit têtes, 65 millions de poids.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. A residual path and a norm around each box are left out. Ask where Q, K and V come from at each attention. (At the crossed one: Q
# from the decoder, K and V from the top of the encoder.) The base model of 2017: six layers on each side, 512 channels, eight heads, 65
# million weights.

# %% [markdown] lang="fr"
# De bas en haut : l'encodeur se regarde lui-même ; le décodeur se regarde, l'avenir caché, puis regarde ce qui a été lu (la flèche verte).
# Vérifions sur la machine de la bibliothèque, non entraînée, avec sept mots lus et trois mots écrits. **Devinez** la forme des poids :
# lots, têtes, requêtes, clés.

# %% [markdown] lang="en"
# From bottom to top: the encoder looks at itself; the decoder looks at itself, the future hidden, then at what was read (the green arrow).
# Let us check on the library's machine, not trained, with seven words read and three words written. **Guess** the shape of the weights:
# batch, heads, queries, keys.

# %%
from dalle_edu.bricks.transformer import Transformer

machine = Transformer(30, 30, width=32, depth=2, heads=4)
source, written = torch.tensor([[5, 8, 3, 9, 2, 7, 4]]), torch.tensor([[1, 6, 3]])
reading, across = [], []
memory = machine.encode(source, reading)
logits = machine.decode(written, memory, source, across)
print(say("the encoder looks at itself:", "l'encodeur se regarde :     "),
      [tuple(weights.shape) for weights in reading])
print(say("the decoder looks at it:    ", "le décodeur le regarde :    "),
      [tuple(weights.shape) for weights in across])
print(say("logits of the next word:    ", "logits du mot suivant :     "),
      tuple(logits.shape))

# %% [markdown] lang="fr"
# Deux couches, quatre têtes par couche ; sept mots lus qui se regardent tous ; trois mots écrits qui regardent les sept ; et pour chacun
# des trois, un logit pour chacun des trente mots du vocabulaire.
#
# **À l'entraînement**, on donne au décodeur la vraie traduction, décalée d'un mot, et le masque lui cache la suite : c'est le **forçage par
# l'enseignant** (*teacher forcing*) de la [](lesson:03). Toutes les positions se calculent en parallèle, d'où la vitesse. **À l'écriture**,
# le mot choisi rentre par le bas et l'on recommence : là, c'est bien un mot après l'autre, et l'on parle d'écriture **autorégressive**. La
# perte est l'entropie croisée ; la cible étant un mot certain, elle vaut la divergence de Kullback-Leibler entre ce qu'il fallait dire et
# ce qui est dit.

# %% [markdown] lang="en"
# Two layers, four heads a layer; seven words read that all look at each other; three words written that look at the seven; and for each of
# the three, a logit for each of the thirty words of the vocabulary.
#
# **In training**, the decoder is given the true translation, shifted by one word, and the mask hides the rest from it: this is the
# **teacher forcing** of [](lesson:03). All positions are computed in parallel, hence the speed. **In writing**, the chosen word goes in at
# the bottom and all begins again: there it really is one word after the other, and the writing is called **autoregressive**. The loss is
# cross-entropy; since the target is one word for certain, it equals the Kullback-Leibler divergence between what should be said and what is
# said.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Trois familles
#
# | pile | elle sait | exemples |
# |---|---|---|
# | **encodeur seul** | lire | BERT ; l'encodeur de T5 |
# | **décodeur seul** | écrire la suite | GPT ; DALL·E 1 |
# | **les deux** | lire, puis écrire | la machine de 2017 ; BART |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Three families
#
# | stack | it can | examples |
# |---|---|---|
# | **encoder alone** | read | BERT; T5's encoder |
# | **decoder alone** | write what follows | GPT; DALL·E 1 |
# | **both** | read, then write | the machine of 2017; BART |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander de quelle famille est la machine du début (les deux : elle lit une phrase, puis écrit des carreaux), et laquelle il faut
# pour continuer un texte. Un décodeur seul n'a personne à lire : l'attention croisée disparaît, et son bloc est exactement le `Block` de
# l'exercice 10, causal.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask which family the machine of the beginning belongs to (both: it reads a sentence, then writes squares), and which is needed to
# continue a text. A decoder alone has nobody to read: cross-attention goes, and its block is exactly the `Block` of exercise 10, causal.

# %% [markdown] lang="fr"
# ### Trois familles
#
# | pile | elle sait | exemples | dans ce cours |
# |---|---|---|---|
# | encodeur seul | lire | BERT ([](work:devlin2019)) ; l'encodeur de T5 ([](work:raffel2020)), dans Imagen | lire la phrase à dessiner |
# | décodeur seul | écrire la suite | GPT ; DALL·E 1 : 64 couches, 62 têtes de 64 | textes, puis images |
# | les deux | lire, puis écrire | la machine de 2017 ; BART ([](work:lewis2020)), dans DALL·E mini : 12 + 12 couches | traduire |
#
# Un décodeur seul n'a personne à lire : l'attention croisée disparaît. Son bloc est exactement votre `Block`, causal.

# %% [markdown] lang="en"
# ### Three families
#
# | stack | it can | examples | in this course |
# |---|---|---|---|
# | encoder alone | read | BERT ([](work:devlin2019)); T5's encoder ([](work:raffel2020)), in Imagen | reading the sentence to draw |
# | decoder alone | write what follows | GPT; DALL·E 1: 64 layers, 62 heads of 64 | texts, then pictures |
# | both | read, then write | the machine of 2017; BART ([](work:lewis2020)), in DALL·E mini: 12 + 12 layers | translating |
#
# A decoder alone has nobody to read: cross-attention goes. Its block is exactly your `Block`, causal.

# %% [markdown] lang="fr"
# ## 10. Un GPT qui écrit des légendes
#
# GPT : *generative pre-trained transformer* ([](work:radford2018)). Une pile de blocs causaux, une question à chaque position : **quel est
# le jeton suivant ?** Notre corpus : 4 000 légendes, en français, de notre monde de formes. Chaque mot de ce monde est un jeton ; le jeton
# 0 ouvre la phrase, et la ferme. Le réseau doit rendre la suite de jetons décalée d'un cran : c'est encore le forçage par l'enseignant.

# %% [markdown] lang="en"
# ## 10. A GPT that writes captions
#
# GPT: *generative pre-trained transformer* ([](work:radford2018)). A stack of causal blocks, one question at every position: **which token
# comes next?** Our corpus: 4,000 captions, in English, of our world of shapes. Each word of that world is a token; token 0 opens the
# sentence, and closes it. The network has to give the sequence of tokens back shifted by one: teacher forcing once more.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. À chaque position : quel jeton suit ?
#
# | montré | (début) | un | grand | cercle | rouge |
# |---|---|---|---|---|---|
# | **attendu** | **un** | **grand** | **cercle** | **rouge** | **(fin)** |
#
# 4 000 légendes de notre monde de formes, décalées d'un cran.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. At each position: which token comes next?
#
# | shown | (start) | a | large | red | circle |
# |---|---|---|---|---|---|
# | **expected** | **a** | **large** | **red** | **circle** | **(end)** |
#
# 4,000 captions of our world of shapes, shifted by one.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. À l'entraînement, on montre la vraie phrase, et le masque causal cache la suite : cinq questions d'un coup, en parallèle. C'est le
# forçage par l'enseignant. Demander ce qui change quand il écrit : un mot après l'autre, et ce sont ses propres mots qui rentrent, fautes
# comprises.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. In training the true sentence is shown, and the causal mask hides the rest: five questions at once, in parallel. This is teacher
# forcing. Ask what changes when it writes: one word after the other, and it is its own words that go in, mistakes included.

# %%
LENGTH = 16
world = World(4000, seed=0, languages=(language,))
captions = [world[number][1] for number in range(len(world))]
rows = tokenizer.encode(captions, LENGTH)
# en: shown: a 0 in front, and the last token away
# fr: montré : un 0 devant, et le dernier jeton en moins
shown = F.pad(rows, (1, 0))[:, :-1]
# en: everything after the first 0 is padding, and is not counted
# fr: tout ce qui suit le premier 0 est du remplissage, et ne compte pas
is_padding = (rows == 0).cumsum(dim=1) > 1
expected = rows.masked_fill(is_padding, -100)
print(captions[0], captions[1], captions[2], sep="\n")
print(say("shown:   ", "montré :  "), shown[0].tolist())
print(say("expected:", "attendu : "), expected[0].tolist())

# %% [markdown] lang="fr"
# La seconde ligne est la première, décalée d'un cran. $-100$ marque ce que `F.cross_entropy` ne compte pas : le remplissage après la fin.
# Voici le réseau : deux plongements, deux blocs, une couche linéaire. Les arguments `cache` et `maps` ne font que passer ; ils serviront
# aux sections [12](#not-computing-it-all-again) et [13](#where-do-the-heads-look).

# %% [markdown] lang="en"
# The second line is the first, shifted by one. $-100$ marks what `F.cross_entropy` does not count: the padding after the end. Here is the
# network: two embeddings, two blocks, a linear layer. The arguments `cache` and `maps` are only passing through; they will serve in
# sections [12](#not-computing-it-all-again) and [13](#where-do-the-heads-look).

# %%
class CaptionGPT(nn.Module):
    def __init__(self, width=64, depth=2, heads=4):
        super().__init__()
        self.words = nn.Embedding(512, width)
        self.places = nn.Embedding(LENGTH, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, 512, bias=False)

    def forward(self, tokens, cache=None, maps=None):
        first = 0 if cache is None else cache.filled
        places = self.places.weight[first : first + tokens.shape[1]]
        x = self.words(tokens) + places
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer, maps=maps)
        if cache is not None:
            cache.filled += tokens.shape[1]
        return self.head(self.norm(x))


# %% [markdown] lang="fr"
# **Devinez** : qui n'a rien appris et juge les 512 jetons équiprobables a une perte de $\log 512 \approx 6{,}24$ nats. Où finira le GPT,
# après 600 pas ? Une perte de $\log 2 \approx 0{,}69$ voudrait dire qu'il hésite, en moyenne, entre deux mots.

# %% [markdown] lang="en"
# **Guess**: one who has learned nothing and finds the 512 tokens equally likely has a loss of $\log 512 \approx 6.24$ nats. Where will the
# GPT end, after 600 steps? A loss of $\log 2 \approx 0.69$ would mean that it hesitates, on average, between two words.

# %%
def next_token(model):
    batch = torch.randint(len(rows), (64,), generator=generator)
    logits = model(shown[batch])
    # en: all positions of all sentences are so many questions
    # fr: toutes les positions de toutes les phrases sont autant de questions
    loss = F.cross_entropy(logits.flatten(0, 1), expected[batch].flatten())
    return loss, loss.item()


def train_gpt():
    losses = learn(gpt, next_token, steps=600)
    return {"losses": losses, "weights": gpt.state_dict()}


# %%
from dalle_edu.classroom.desk import kept

torch.manual_seed(0)
generator, gpt = torch.Generator().manual_seed(0), CaptionGPT()
# en: kept on disk: after a restart it is read, not computed again
# fr: gardé sur disque : après un redémarrage, on le relit sans recalculer
trained = kept("gpt", train_gpt, patience=5)
gpt.load_state_dict(trained["weights"])
losses = trained["losses"]
at_end = sum(losses[-50:]) / 50
weights_of_gpt = sum(parameter.numel() for parameter in gpt.parameters())
print(say(f"{weights_of_gpt:,} weights", f"{weights_of_gpt:,} poids".replace(",", " ")))
for when, loss in ((say("first step:", "premier pas :"), losses[0]),
                   (say("last 50 steps:", "50 derniers pas :"), at_end)):
    print(f"{when:16} {decimal(loss, 2)}")

# %% [markdown] lang="fr"
# À quoi comparer cette perte ? À ce que savent de simples comptes : celui des mots un à un, et celui des paires, c'est-à-dire du mot
# suivant quand on ne connaît que le dernier.

# %% [markdown] lang="en"
# What should this loss be compared with? With what plain counts know: those of single words, and those of pairs, that is of the next word
# when one knows the last word only.

# %%
def nats(counts):
    share = counts[counts > 0] / counts.sum()
    return -(share * share.log()).sum().item()


counted = expected >= 0
pairs = torch.zeros(512, 512)
# en: add 1 at (word, next word) for each pair in the corpus
# fr: ajouter 1 en (mot, mot suivant) pour chaque paire du corpus
where = shown[counted], expected[counted]
pairs.index_put_(where, torch.ones(()), accumulate=True)
single_words = nats(pairs.sum(dim=0))
pairs_of_words = nats(pairs) - nats(pairs.sum(dim=1))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Mieux que compter
#
# En pointillé, ce que savent de simples comptes, de mots ou de paires de mots.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Better than counting
#
# Dotted and dashed, what plain counts know, of words or of pairs of words.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot()
smooth = torch.tensor(losses).unflatten(0, (-1, 20)).mean(dim=1)
axes.plot(range(10, 601, 20), smooth, color=BLUE, label="GPT")
axes.axhline(single_words, color=ORANGE, linestyle=":",
             label=say("single words", "mots seuls"))
axes.axhline(pairs_of_words, color=VERMILION, linestyle="--",
             label=say("pairs of words", "paires de mots"))
axes.set(xlabel=say("step", "pas"), ylabel=say("nats per token", "nats par jeton"))
axes.set_ylim(0, None)
legend(axes)
picture(figure, say("The GPT's loss falls below what counting words knows, then"
                    " below what counting pairs of words knows.",
                    "La perte du GPT passe sous ce que savent les comptes de "
                    "mots, puis sous ce que savent les comptes de paires."))

# %% claims=true
assert 5.9 < losses[0] < 6.9
assert at_end < pairs_of_words - 0.08
near = 1.3 if language == "fr" else 1.4
assert abs(at_end - near) < 0.05
assert math.exp(at_end) < 4 if language == "fr" else abs(math.exp(at_end) - 4) < 0.25
assert single_words > 3.2

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander où part la courbe : log 512 ≈ 6,24 nats, pour qui n'a rien appris. Faire deviner où elle finit. Sous la ligne des paires,
# le réseau sait plus que le dernier mot. Pourquoi ne descend-il pas à 0 ? (Personne ne peut savoir quelle couleur viendra.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask where the curve starts: log 512 ≈ 6.24 nats, for one who has learned nothing. Let them guess where it ends. Below the line of
# pairs, the network knows more than the last word. Why does it not go down to 0? (Nobody can know which colour will come.)

# %% [markdown] lang="fr" own_numbers=true
# Le GPT passe sous la ligne des paires : il sait plus que le dernier mot, donc il se sert de sa place, ou regarde plus loin en arrière (la
# [](#where-do-the-heads-look) tranchera). Il finit vers 1,3 nat, soit une hésitation entre moins de quatre mots
# ($e^{1{,}3} \approx 3{,}7$). Il ne peut guère descendre plus bas : après « un cercle », personne ne peut savoir quelle couleur viendra.

# %% [markdown] lang="en" own_numbers=true
# The GPT goes below the line of pairs: it knows more than the last word, so it uses its place, or looks further back
# ([](#where-do-the-heads-look) will decide). It ends near 1.4 nats, which is hesitating between some four words ($e^{1.4} \approx 4$). It
# can hardly go lower: after "a large", nobody can know which colour will come.

# %% [markdown] lang="fr"
# ### Il écrit
#
# Écrire, c'est demander les probabilités du jeton suivant, le tirer au sort, l'ajouter et recommencer. `choose` fait le tirage (nous
# l'ouvrons à la section suivante) ; `uniforms` lui apporte le hasard, un nombre par jeton. `@torch.no_grad()` dit à PyTorch que l'on n'aura
# pas besoin de gradients.

# %% [markdown] lang="en"
# ### It writes
#
# Writing is asking for the probabilities of the next token, sampling it, adding it, and beginning again. `choose` does the sampling (we
# open it in the next section); `uniforms` brings it its chance, a number for each token. `@torch.no_grad()` tells PyTorch that no gradients
# will be needed.

# %%
@torch.no_grad()
def write(gpt, uniforms, **options):
    written = torch.zeros(len(uniforms), 1, dtype=torch.long)
    for uniform in uniforms.T:
        logits = gpt(written)[:, -1]
        chosen = choose(logits, uniform, **options)
        written = torch.cat([written, chosen[:, None]], dim=1)
    return until_the_end(written[:, 1:])


def until_the_end(tokens):
    # en: a sentence ends at its first 0
    # fr: une phrase finit à son premier 0
    return tokens.masked_fill((tokens == 0).cumsum(dim=1) > 0, 0)


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Demander, tirer, ajouter, recommencer
#
# ```python
# for uniform in uniforms.T:
#     logits = gpt(written)[:, -1]
#     chosen = choose(logits, uniform)
#     written = torch.cat([written, chosen[:, None]], dim=1)
# ```

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Ask, sample, add, begin again
#
# ```python
# for uniform in uniforms.T:
#     logits = gpt(written)[:, -1]
#     chosen = choose(logits, uniform)
#     written = torch.cat([written, chosen[:, None]], dim=1)
# ```

# %% slide="fragment" tags=["output-only-slide"]
uniforms = torch.rand(200, LENGTH, generator=torch.Generator().manual_seed(1))
said = [tokenizer.decode(row) for row in write(gpt, uniforms)]
print(*said[:6], sep="\n")

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Lire la boucle ligne à ligne : les logits du dernier jeton, un tirage, le jeton au bout, et l'on recommence. Puis les phrases :
# personne ne les a écrites. Demander s'il y en a une fausse. (Les jetons n'ont ni accents ni traits d'union : ce n'est pas une faute.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Read the loop line by line: the logits of the last token, a sampling, the token at the end, and again. Then the sentences: nobody
# wrote them. Ask whether one of them is wrong. (Tokens have neither accents nor hyphens: that is no mistake.)

# %% [markdown] lang="fr"
# Voilà des phrases que personne n'a écrites. (Les jetons n'ont ni accents ni traits d'union.)
#
# ### Est-ce de la grammaire ?
#
# Notre monde sait lire : `read_caption` rend ce que dit une légende, ou `None`. Elle est indulgente ; la seconde mesure ne l'est pas : la
# phrase doit être, **au mot près**, l'une de celles que la grammaire aurait écrites, accords compris. **Devinez** : sur 200 phrases,
# combien passeront ? et combien seront des phrases du corpus, récitées ?

# %% [markdown] lang="en"
# These are sentences that nobody wrote. (Tokens have neither accents nor hyphens.)
#
# ### Is it grammar?
#
# Our world can read: `read_caption` returns what a caption says, or `None`. It is lenient; the second measure is not: the sentence must be,
# **word for word**, one that the grammar would have written, agreements included. **Guess**: of 200 sentences, how many will pass? and how
# many will be sentences of the corpus, recited?

# %%
from dalle_edu.world.grammar import normalize

corpus = {normalize(text) for text in captions}


# %%
def is_exact(sentence):
    description = read_caption(sentence)
    if description is None:
        return False
    ways = phrasings(description, language)
    return sentence in [normalize(way) for way in ways]


def shares(sentences):
    count = len(sentences)
    return {
        "read": sum(read_caption(text) is not None for text in sentences) / count,
        "exact": sum(is_exact(text) for text in sentences) / count,
        "new": sum(text not in corpus for text in sentences) / count,
        "different": len(set(sentences)) / count,
    }


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Il ne récite pas
#
# Deux cents phrases : combien sont justes ? combien sont nouvelles ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### It does not recite
#
# Two hundred sentences: how many are right? how many are new?

# %% slide="fragment" tags=["output-only-slide"]
found = shares(said)
for what, name in (("read", say("understood", "comprises")),
                   ("exact", say("right, word for word", "justes, au mot près")),
                   ("new", say("not in the corpus", "hors du corpus"))):
    print(f"{name:20} {decimal(100 * found[what]):>5} %")
print(say("wrong:", "fausses :"))
print(*[f"  {text}" for text in said if not is_exact(text)][:4], sep="\n")

# %% claims=true
assert 0.88 < found["exact"] < 0.99
assert found["read"] >= found["exact"]
assert 0.5 < found["new"] < 0.75

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire deviner les trois nombres avant de les montrer. « Justes, au mot près » veut dire que la grammaire aurait pu écrire la
# phrase. Faire chercher la faute dans chaque phrase fausse : un mot manque ou déborde, ou un jeton d'une autre espèce s'est glissé.
# Récite-t-il ? (Plus de la moitié sont hors du corpus.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let them guess the three numbers before showing them. "Right, word for word" means that the grammar could have written the
# sentence. Have them find the fault in each wrong one: a word missing or too many, or a token of another sort. Does it recite? (Over half
# are not in the corpus.)

# %% [markdown] lang="fr"
# Neuf phrases sur dix, ou peu s'en faut, sont justes au mot près, et plus de la moitié ne sont pas dans le corpus : il ne récite pas.
# Pourtant personne ne lui a donné de règle de grammaire ; il n'a vu que des phrases. Cherchez la faute dans chacune des phrases fausses. Il en est
# de deux sortes : un mot qui manque ou qui déborde, et un jeton d'une autre espèce, tiré par malchance parmi les 512 (un octet
# qui, seul, n'est aucune lettre s'écrit �).

# %% [markdown] lang="en"
# Nine sentences in ten, or nearly so, are right word for word, and over half of them are not in the corpus: it does not recite. Yet nobody gave
# it a rule of grammar; it has seen nothing but sentences. Look for the fault in each of the wrong ones. There are two kinds: a word that is
# missing or one too many, and a token of another sort altogether, sampled by bad luck among the 512 (a byte that alone is no letter is
# written �).

# %% [markdown] lang="fr"
# A-t-il appris l'accord ? Voici quatre débuts, qui finissent par un nom masculin ou féminin, singulier ou pluriel. **Devinez** où seront
# les plus grands nombres : chaque ligne donne les probabilités, en %, que le mot suivant soit l'une des quatre formes de « noir ».

# %% [markdown] lang="en"
# Has it learned singular and plural? Here are four beginnings; what decides, "a", "one", "two" or "four", stands two words before the noun,
# and the colour says nothing. **Guess** where the large numbers will be: each row gives the probabilities, in %, that the next word is one
# of four nouns.

# %%
def prompt(text):
    tokens = tokenizer.encode([text], LENGTH - 1)
    # en: the 0 that opens a sentence, then the tokens without their padding
    # fr: le 0 qui ouvre la phrase, puis les jetons sans leur remplissage
    return F.pad(tokens[tokens > 0], (1, 0))[None]


@torch.no_grad()
def chances(beginning, words):
    probabilities = gpt(prompt(beginning))[0, -1].softmax(dim=-1)
    tokens = [int(tokenizer.encode([word], 1)) for word in words]
    return [100 * probabilities[token].item() for token in tokens]


# %%
def table(beginnings, words):
    print(" " * 20, *(f"{word:>8}" for word in words))
    for beginning in beginnings:
        row = chances(beginning, words)
        print(f"{beginning:20}", *(f"{decimal(chance):>8}" for chance in row))


# %%
beginnings = say("there is a red|there is one red|"
                 "there are two red|there are four red",
                 "il y a un cercle|il y a une étoile|"
                 "il y a deux cercles|il y a deux étoiles").split("|")
forms = say("circle|star|circles|stars", "noir|noire|noirs|noires").split("|")
table(beginnings, forms)

# %% claims=true
chance_of = [chances(beginning, forms) for beginning in beginnings]
if language == "fr":
    assert all(max(range(4), key=row.__getitem__) == [0, 1, 2, 3][place]
               for place, row in enumerate(chance_of))
    assert all(sorted(row)[-1] > 5 * sorted(row)[-2] for row in chance_of)
else:
    for row in chance_of[:2]:
        assert min(row[:2]) > 20 * max(row[2:])
    for row in chance_of[2:]:
        assert min(row[2:]) > 20 * max(row[:2])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Il accorde, et nul ne lui a dit la règle
#
# Les chances, en %, de quatre formes de « noir ».

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Singular or plural? Nobody told it the rule
#
# The chances, in %, of four nouns.

# %% slide="fragment" slide_only=true tags=["hide-input"]
chance_rows = [chances(beginning, forms) for beginning in beginnings]
largest = max(map(max, chance_rows))
figure, axes = plot(width=8, height=3.2)
axes.imshow(chance_rows, cmap="Blues", vmin=0, vmax=largest, aspect="auto")
for row, column in itertools.product(range(4), range(4)):
    chance = chance_rows[row][column]
    axes.text(column, row, decimal(chance), ha="center", va="center", fontsize=14,
              color="white" if chance > largest / 2 else "black")
axes.set_xticks(range(4), forms, fontsize=13)
axes.set_yticks(range(4), [f"{text} …" for text in beginnings], fontsize=13)
axes.xaxis.tick_top()
picture(figure, say("Chances of four nouns after four beginnings: singular nouns "
                    "after a and one, plural nouns after two and four.",
                    "Chances de quatre formes de noir après quatre débuts : chaque "
                    "fois, la forme accordée est loin devant."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Cacher les nombres et faire deviner où sera le foncé. Genre et nombre sont appris, de phrases seules. Énigme pour la maison : « une
# croix » est souvent suivie de « verte », « une étoile » presque jamais. Pourquoi ? (Aucune légende du corpus ne nomme une étoile verte :
# le monde la garde pour l'examen.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Hide the numbers and let them guess where it will be dark. What decides stands two words before the noun, and the colour says
# nothing. A riddle for home: a star is often red, hardly ever green. Why? (No caption of the corpus names a green star: the world keeps it
# for the exam.)

# %% [markdown] lang="fr"
# Sur chaque ligne, la forme accordée est loin devant les trois autres : le genre et le nombre sont appris. (La somme d'une ligne n'est pas
# 100 : d'autres couleurs peuvent suivre.)
#
# Une énigme pour finir : le même tableau avec d'autres couleurs. Que peut bien avoir l'étoile contre le vert ?

# %% [markdown] lang="en"
# After "a" and "one" nearly always singular nouns, after "two" and "four" plural ones: it has learned number, and to look for it over the
# colour's head. (The rows do not sum to 100: other shapes may follow.)
#
# A riddle to end with: the same table with another colour. What can green have against stars?

# %%
table(say("there is a red|there is a green", "il y a une croix|il y a une étoile").split("|"),
      say("star|circle|square", "verte|rouge|bleue").split("|"))

# %% claims=true
usual = chances(say("there is a red", "il y a une croix"), [say("star", "verte")])[0]
never = chances(say("there is a green", "il y a une étoile"), [say("star", "verte")])[0]
assert never < usual / 4

# %% [markdown] lang="fr"
# La croix peut être verte, l'étoile presque jamais. C'est que l'étoile verte est l'une des combinaisons que le monde garde pour l'examen :
# aucune légende du corpus ne la nomme. Le réseau n'a appris que ce qu'on lui a montré ; la [](lesson:11) en fera une épreuve.

# %% [markdown] lang="en"
# A star may be red, and hardly ever green. That is because the green star is one of the combinations that the world keeps for the exam: no
# caption of the corpus names it. The network has learned only what it was shown; [](lesson:11) will make a test of it.

# %% [markdown] lang="fr"
# ## 11. Choisir le jeton suivant
#
# Le réseau donne une distribution ; à nous d'en faire une phrase.
#
# - **glouton** : toujours le plus probable ;
# - **température** $T$ : diviser les logits par $T$ avant le softmax. Sous 1, les favoris gagnent du terrain ; au-dessus, ils en perdent ;
# - **top-k** : ne tirer que parmi les $k$ plus probables ; **top-p** : parmi les plus probables qui font ensemble $p$ ;
# - **faisceau** : ne pas tirer du tout, mais chercher la phrase entière la plus probable.
#
# Des logits 2, 1, 0 donnent, à $T = 1$, les probabilités 0,665, 0,245, 0,090. À $T = 0{,}5$, ils deviennent 4, 2, 0 : 0,867, 0,117, 0,016.

# %% [markdown] lang="en"
# ## 11. Choosing the next token
#
# The network gives a distribution; it is up to us to make a sentence of it.
#
# - **greedy**: always the likeliest;
# - **temperature** $T$: divide the logits by $T$ before the softmax. Below 1 the favourites gain ground; above, they lose it;
# - **top-k**: sample among the $k$ likeliest only; **top-p**: among the likeliest that make $p$ together;
# - **beam search**: do not sample at all, but look for the likeliest whole sentence.
#
# Logits 2, 1, 0 give, at $T = 1$, the probabilities 0.665, 0.245, 0.090. At $T = 0.5$ they become 4, 2, 0: 0.867, 0.117, 0.016.

# %% [markdown]
# $$ p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}} $$

# %% claims=true
halved = torch.tensor([4.0, 2.0, 0.0]).softmax(dim=0)
assert [round(share, 3) for share in halved.tolist()] == [0.867, 0.117, 0.016]

# %%
@torch.no_grad()
def following(text):
    return gpt(prompt(text))[:, -1]


# %%
def tempered(temperature):
    beginning = say("there is a large", "il y a un grand")
    logits = following(beginning)[0]
    likely = logits.topk(12).indices
    shares = 100 * (logits / temperature).softmax(dim=-1)[likely]
    figure, axes = plot(height=3.4)
    words = [tokenizer.decode(token[None]) for token in likely]
    axes.bar(words, shares, color=BLUE)
    axes.tick_params(axis="x", rotation=40)
    axes.set_title(say(f"“{beginning} …”, temperature {temperature:g}",
                       f"« {beginning} … », température {temperature:g}"))
    axes.set(ylim=(0, 100), ylabel="%")
    return picture(figure, say(f"Probabilities of the next word, at {temperature:g}.",
                               f"Probabilités du mot suivant, à {temperature:g}."))


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. La température partage autrement
#
# Diviser les logits par $T$ : sous 1, les favoris gagnent ; au-dessus, ils perdent.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. Temperature shares out differently
#
# Divide the logits by $T$: below 1 the favourites gain; above, they lose.

# %% slide="fragment" tags=["output-only-slide"]
values = [0.1, 0.5, 1, 2, 4, 8]
Explorer(tempered, temperature=Knob(say("temperature", "température"), values, start=2))

# %% claims=true
next_logits = following(say("there is a large", "il y a un grand"))[0]
assert (next_logits / 0.1).softmax(dim=-1).topk(6).values.sum() > 0.9
assert (next_logits / 8).softmax(dim=-1).topk(12).values.sum() < 0.5

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Tourner le bouton. Des logits 2, 1, 0 donnent 0,665, 0,245, 0,090 ; demander ce qu'ils donnent à la température 0,5 (0,867, 0,117,
# 0,016), puis à une température immense (un tiers chacun). À 8, le reste du vocabulaire, que la figure ne montre pas, prend plus de la
# moitié.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Turn the knob. Logits 2, 1, 0 give 0.665, 0.245, 0.090; ask what they give at temperature 0.5 (0.867, 0.117, 0.016), then at an
# immense temperature (a third each). At 8 the rest of the vocabulary, which the figure does not show, takes more than half.

# %% [markdown] lang="fr"
# À 0,1, les quelques favoris se partagent tout ; à 8, ils ne dépassent plus guère les autres, et le reste du vocabulaire, que la figure ne
# montre pas, prend ce qui manque pour faire 100 % : plus de la moitié.
#
# Combien de hasard faut-il ? Comptons, sur cent phrases à chaque température, celles qui sont justes et celles qui diffèrent entre elles.
# **Devinez** : à la température 0, combien de phrases différentes sur cent ?

# %% [markdown] lang="en"
# At 0.1 the few favourites share all; at 8 they hardly stand out any more, and the rest of the vocabulary, which the figure does not show,
# takes what is missing from 100 %: more than half.
#
# How much chance does it take? Let us count, in a hundred sentences at each temperature, those that are right and those that differ from
# each other. **Guess**: at temperature 0, how many different sentences in a hundred?

# %%
temperatures = [0.0, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0]
measured = []
print(say("temperature  right  different, of 100",
          "température justes  différentes, sur 100"))
for temperature in temperatures:
    tokens = write(gpt, uniforms[:100], temperature=temperature)
    measured.append(shares([tokenizer.decode(row) for row in tokens]))
    exact, different = measured[-1]["exact"], measured[-1]["different"]
    print(f"{decimal(temperature):>11} {100 * exact:5.0f}% {100 * different:9.0f}")

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Combien de hasard ? Vers 0,7
#
# Cent phrases à chaque température : combien sont justes, combien diffèrent ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### How much chance? Around 0.7
#
# A hundred sentences at each temperature: how many are right, how many differ?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot()
exact = [100 * share["exact"] for share in measured]
different = [100 * share["different"] for share in measured]
axes.plot(temperatures, exact, "o-", color=BLUE,
          label=say("right, word for word", "justes, au mot près"))
axes.plot(temperatures, different, "s--", color=VERMILION,
          label=say("different", "différentes"))
axes.set(xlabel=say("temperature", "température"), ylabel="%", ylim=(0, 103))
legend(axes)
picture(figure, say("As the temperature rises, sentences become more different "
                    "from each other, and fewer of them are right.",
                    "Quand la température monte, les phrases se distinguent "
                    "davantage, et moins d'entre elles sont justes."))

# %% claims=true
assert different[0] == 1
assert min(exact[:4]) > 93
assert different[3] > 88
assert exact[-1] < 40

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander : à 0, combien de phrases différentes sur cent ? (Une : c'est le glouton.) À quelle température écrirait-on un poème, une
# ordonnance ? Faire le lien avec l'exercice 2 : la longueur de la requête était déjà une température, à l'envers. Plus longue, elle laisse
# moins de choix.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask: at 0, how many different sentences in a hundred? (One: that is greedy.) At which temperature would one write a poem, a
# prescription? Make the link with exercise 2: the length of the query was a temperature already, upside down. The longer, the less is left
# to choose from.

# %% [markdown] lang="fr"
# À 0, une seule phrase, cent fois : c'est le glouton. Vers 0,7, presque toutes les phrases sont justes et presque toutes diffèrent : c'est
# là que l'on se place d'ordinaire. À 2, bien plus de la moitié sont fausses.

# %% [markdown] lang="en"
# At 0, one sentence a hundred times: that is greedy. Around 0.7 nearly all sentences are right and nearly all differ: this is where one
# usually goes. At 2, far more than half are wrong.

# %% [markdown] lang="fr"
# Écrivez top-k. `logits` est de forme (n, v) : une ligne par phrase, une entrée par mot du vocabulaire. Dans chaque ligne, laissez les $k$
# plus grands et mettez les autres à $-\infty$ ; la forme ne change pas. Si $k$ dépasse le vocabulaire, tout reste.
#
# <details><summary>Un indice</summary>
#
# `logits.topk(k, dim=-1).values[..., -1:]` est le plus petit logit à garder, de forme (n, 1). `min(k, logits.shape[-1])` règle le cas d'un
# trop grand $k$. Puis `masked_fill`.
#
# </details>

# %% [markdown] lang="en"
# Write top-k. `logits` is of shape (n, v): a row for each sentence, an entry for each word of the vocabulary. In each row, leave the $k$
# largest and set the others to $-\infty$; the shape stays the same. If $k$ is more than the vocabulary, all stay.
#
# <details><summary>A hint</summary>
#
# `logits.topk(k, dim=-1).values[..., -1:]` is the smallest logit to keep, of shape (n, 1). `min(k, logits.shape[-1])` settles the case of
# too large a $k$. Then `masked_fill`.
#
# </details>

# %% implements="decoding:keep_top_k" level=1
"""Top-k : garder les k entrées les plus probables de chaque ligne.

Les logits des autres deviennent -inf : leur probabilité est 0
(Fan et al. 2018).
"""

# %% scratch=true
keep_top_k(torch.tensor([[0.0, 2.0, 1.0]]), 2)  # → tensor([[-inf, 2., 1.]])

# %% [markdown] lang="fr"
# Puis top-p : le **plus petit** ensemble d'entrées dont les probabilités font ensemble au moins $p$. Celle qui fait franchir $p$ est
# gardée ; la plus probable l'est toujours. La forme, (n, v), ne change pas, et les logits gardés restent à leur place. Avec $p = 1$ rien
# n'est écarté : rendez `logits` tel quel, car l'arrondi d'une somme perdrait les moins probables.
#
# <details><summary>Un indice</summary>
#
# Triez : `ordered, order = logits.sort(dim=-1, descending=True)` ; `order` dit d'où vient chaque valeur. Le softmax de `ordered` en fait
# des probabilités.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Une entrée est de trop si la somme des probabilités **avant** elle atteint déjà $p$ : la somme cumulée (`cumsum`) moins elle-même.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `kept = ordered.masked_fill(before >= p, -math.inf)`, puis `torch.full_like(logits, -math.inf).scatter(-1, order, kept)` remet chaque
# valeur d'où elle venait.
#
# </details>

# %% [markdown] lang="en"
# Then top-p: the **smallest** set of entries whose probabilities make at least $p$ together. The one that crosses $p$ is kept; the
# likeliest always is. The shape, (n, v), stays the same, and the logits that are kept stay in their places. With $p = 1$ nothing is left
# out: return `logits` as it is, for the rounding of a sum would lose the least likely.
#
# <details><summary>A hint</summary>
#
# Sort: `ordered, order = logits.sort(dim=-1, descending=True)`; `order` says where each value comes from. The softmax of `ordered` makes
# probabilities of it.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# An entry is one too many if the sum of the probabilities **before** it reaches $p$ already: the cumulative sum (`cumsum`) less itself.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `kept = ordered.masked_fill(before >= p, -math.inf)`, then `torch.full_like(logits, -math.inf).scatter(-1, order, kept)` puts each value
# back where it came from.
#
# </details>

# %% implements="decoding:keep_top_p" level=3
"""Top-p : garder le plus petit ensemble dont la probabilité atteint p.

C'est le *nucleus sampling* (Holtzman et al. 2020). L'entrée la plus probable
est toujours gardée. Les logits des entrées écartées deviennent -inf.
"""
# rounding in the sum below would lose the least likely => l'arrondi de la somme ci-dessous perdrait les moins probables
# each logit goes back to its place => chaque logit revient à sa place

# %% scratch=true
keep_top_p(torch.tensor([[0.15, 0.5, 0.05, 0.3]]).log(), 0.75).exp()
# → tensor([[0.0000, 0.5000, 0.0000, 0.3000]])

# %% [markdown] lang="fr"
# ### Un nombre fixe, ou une part fixe ?
#
# Voici deux débuts : l'un peut continuer de bien des façons, l'autre de deux seulement. **Devinez** combien de mots top-p, avec $p =
# 0{,}9$, garde de chacun.

# %% [markdown] lang="en"
# ### A fixed number, or a fixed share?
#
# Here are two beginnings: one may go on in many ways, the other in two only. **Guess** how many words top-p, with $p = 0.9$, keeps of each.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un nombre fixe, ou une part fixe ?
#
# **Top-k** garde $k$ mots partout ; **top-p**, le plus petit ensemble qui fait $p$.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A fixed number, or a fixed share?
#
# **Top-k** keeps $k$ words everywhere; **top-p**, the smallest set that makes $p$.

# %% tags=["hide-input"]
beginnings = say("there is a large|a red circle to the", "il y a un|un cercle rouge au").split("|")
figure, panels = plot(1, 2, width=9, height=3.2)
top_p_keeps = []
for panel, text in zip(panels, beginnings):
    logits = following(text)
    kept = int((keep_top_p(logits, 0.9) > -math.inf).sum())
    top_p_keeps.append(kept)
    likely = 100 * logits.softmax(dim=-1).sort(descending=True).values[0, :15]
    panel.bar(range(1, 16), likely, color=SKY)
    panel.axvline(5.5, color=ORANGE, linestyle="--", label="top-k, k = 5")
    panel.axvline(kept + 0.5, color=VERMILION, label=say("top-p, p = 0.9", "top-p, p = 0,9"))
    panel.set(title=say(f"“{text} …”: top-p keeps {kept}",
                        f"« {text} … » : top-p en garde {kept}"))
    panel.set(xlabel=say("rank", "rang"), ylabel="%")
legend(panels[1])
# %% slide="fragment" tags=["hide-input"]
picture(figure, say("Two next-word distributions, one wide and one narrow: "
                    "top-k cuts both at five, top-p each where it must.",
                    "Deux distributions du mot suivant, une large et une "
                    "étroite : top-k coupe à cinq, top-p où il faut."))

# %% claims=true
assert top_p_keeps[0] > 5
assert top_p_keeps[1] == 2

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire deviner combien de mots top-p garde de chaque début. À gauche, tant de mots conviennent que cinq sont trop peu ; à droite,
# deux seulement sont possibles, et cinq en laissent passer de faux. Demander lequel des deux filtres s'adapte. (Top-p.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Let them guess how many words top-p keeps of each beginning. On the left so many words will do that five are too few; on the right
# two only are possible, and five let wrong ones through. Ask which of the two filters adapts. (Top-p.)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 11-13"
# ### Exercices 11 à 13 · Couper, puis tirer
#
# **12 min.** Faites 11 et 13 ; 12, chez vous.
#
# | | fonction | exemple | réponse |
# |---|---|---|---|
# | 11 | `keep_top_k` | $(0, 2, 1)$, $k = 2$ | $(-\infty, 2, 1)$ |
# | 12 | `keep_top_p` | parts $(0{,}15 \,; 0{,}5 \,; 0{,}05 \,; 0{,}3)$, $p = 0{,}75$ | 2ᵉ et 4ᵉ |
# | 13 | `sample` | parts $(0{,}5 \,; 0{,}3 \,; 0{,}2)$, $u = 0{,}6$ | numéro 1 |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 11-13"
# ### Exercises 11 to 13 · Cut, then sample
#
# **12 min.** Do 11 and 13; 12 at home.
#
# | | function | example | answer |
# |---|---|---|---|
# | 11 | `keep_top_k` | $(0, 2, 1)$, $k = 2$ | $(-\infty, 2, 1)$ |
# | 12 | `keep_top_p` | shares $(0.15, 0.5, 0.05, 0.3)$, $p = 0.75$ | 2nd and 4th |
# | 13 | `sample` | shares $(0.5, 0.3, 0.2)$, $u = 0.6$ | number 1 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Donner la section 11. Pour 13, dessiner le segment : 0,5, 0,3 et 0,2 bout à bout ; où tombe 0,6 ? (Dans la deuxième entrée, de
# numéro 1.) Fautes à guetter : un k plus grand que le vocabulaire ; en 12, l'entrée qui franchit p écartée, ou les logits rendus triés ; en
# 13, un total sous 1.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Hand out section 11. For 13, draw the segment: 0.5, 0.3 and 0.2 end to end; where does 0.6 fall? (Into the second entry, number
# 1.) Mistakes to look for: a k larger than the vocabulary; in 12, the entry that crosses p left out, or logits returned sorted; in 13, a
# total below 1.

# %% [markdown] lang="fr"
# Top-k garde cinq mots partout : trop peu après « un », où tant de mots conviennent ; trop là où deux seulement sont possibles. Top-p
# s'adapte.

# %% [markdown] lang="fr"
# Reste le tirage. Posez les probabilités bout à bout sur un segment de longueur 1 : 0,5, 0,3 et 0,2 finissent à 0,5, 0,8 et 1. Un nombre
# `uniform` tiré entre 0 et 1 tombe dans l'une d'elles : 0,6 tombe dans la deuxième, de numéro 1. `logits` est de forme (n, v), `uniform` de
# forme (n,) ; rendez n numéros. Le hasard vient du dehors : une phrase ne dépend donc pas des autres phrases du lot.
#
# <details><summary>Un indice</summary>
#
# La somme cumulée dit où finit chaque entrée. Combien finissent à `uniform` ou avant ? C'est le numéro cherché. Calculez en `double`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `(cumulative <= uniform.double()[:, None]).sum(dim=-1)` compte ; `torch.searchsorted(…, right=True)` fait de même. L'arrondi peut donner
# un total un peu au-dessous de 1 : bornez le résultat à `logits.shape[-1] - 1` par `.clamp(max=…)`.
#
# </details>

# %% [markdown] lang="en"
# Top-k keeps five words everywhere: too few after "a large", where so many words will do; too many where only two are possible. Top-p
# adapts.

# %% [markdown] lang="en"
# There remains the sampling. Lay the probabilities end to end on a segment of length 1: 0.5, 0.3 and 0.2 end at 0.5, 0.8 and 1. A number
# `uniform`, chosen at random between 0 and 1, falls into one of them: 0.6 falls into the second, which is number 1. `logits` is of shape
# (n, v), `uniform` of shape (n,); return n numbers. Chance comes from outside: so a sentence does not depend on the other sentences of the
# batch.
#
# <details><summary>A hint</summary>
#
# The cumulative sum says where each entry ends. How many end at `uniform` or before? That is the number wanted. Work in `double`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `(cumulative <= uniform.double()[:, None]).sum(dim=-1)` counts; `torch.searchsorted(…, right=True)` does the same. Rounding may give a
# total a little below 1: keep the result at `logits.shape[-1] - 1` or below with `.clamp(max=…)`.
#
# </details>

# %% implements="decoding:sample" level=2
"""Tirer une entrée de chaque ligne avec les probabilités softmax(logits).

C'est celle où la répartition cumulée franchit `uniform`, dans [0, 1). Il y a un
tel nombre par ligne, donné du dehors : une image ne dépend donc pas du lot dans
lequel elle est tirée.
"""
# float64, which Apple's GPU lacks: there, this step is made on the CPU => float64, que le GPU d'Apple n'a pas : là, ce pas est fait sur le CPU
# rounding may make the total differ from 1 => les arrondis peuvent écarter le total de 1

# %% scratch=true
sample(torch.tensor([[0.5, 0.3, 0.2]]).log(), torch.tensor([0.6]))  # → tensor([1])

# %% [markdown] lang="fr"
# ### Chercher la phrase la plus probable
#
# Le glouton prend à chaque pas le meilleur jeton, ce qui ne mène pas toujours à la meilleure phrase. La recherche en **faisceau** (*beam
# search*) garde à chaque pas les $b$ meilleurs débuts. Le score est la log-probabilité de la phrase entière ; diviser par la longueur
# (`length_penalty=1`) rend leur chance aux longues, à qui chaque mot de plus coûte. **Devinez** ce que deviennent les phrases quand le
# faisceau s'élargit : plus longues, ou plus courtes ?

# %% [markdown] lang="en"
# ### Looking for the likeliest sentence
#
# Greedy takes the best token at each step, which does not always lead to the best sentence. **Beam search** keeps the $b$ best beginnings
# at each step. The score is the log-probability of the whole sentence; dividing by the length (`length_penalty=1`) gives their chance back
# to long ones, which pay for each further word. **Guess** what becomes of the sentences as the beam widens: longer, or shorter?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Le faisceau cherche la phrase entière
#
# À chaque pas, garder les $b$ meilleurs débuts. Le score : leur log-probabilité.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A beam looks for the whole sentence
#
# At each step, keep the $b$ best beginnings. The score: their log-probability.

# %% slide="fragment" tags=["output-only-slide"]
@torch.no_grad()
def next_words(tokens):
    return gpt(tokens)[:, -1].log_softmax(dim=-1)


start, beam_scores, beam_lengths = torch.tensor([0]), [], []
print(say("beams  penalty   score  sentence", "faisceau pénalité score  phrase"))
for beams, penalty in ((1, 0.0), (4, 0.0), (16, 0.0), (16, 1.0)):
    best, score = beam_search(
        next_words, start, beams, LENGTH - 1, end=0, length_penalty=penalty
    )
    beam_scores.append(score)
    beam_lengths.append(len(best))
    shown_score = decimal(score, 2)
    print(f"{beams:5} {penalty:8g} {shown_score:>7}  {tokenizer.decode(best)}")

# %% claims=true
assert beam_scores[0] < beam_scores[1] <= beam_scores[2]
assert beam_lengths[2] < beam_lengths[0]

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire deviner : quand le faisceau s'élargit, les phrases sont-elles plus longues ou plus courtes ? (Plus courtes : chaque mot
# coûte.) Avec la pénalité, le score est une moyenne par mot, et ne se compare pas aux autres. Demander à quoi sert un faisceau, qui n'a
# qu'une phrase à dire. (À traduire.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Let them guess: as the beam widens, are sentences longer or shorter? (Shorter: every word costs.) With the penalty, the score is a
# mean per word, and does not compare with the others. Ask what a beam is good for, which has one sentence to say. (Translating.)

# %% [markdown] lang="fr"
# Un faisceau de seize trouve mieux que le glouton, et sa phrase est plus courte : chaque mot coûte. (Avec la pénalité, le score est une
# moyenne par mot : il ne se compare pas aux autres.) Un faisceau n'a qu'une phrase à dire ; on s'en sert pour traduire, peu pour inventer.
#
# Les autres façons de choisir, côte à côte, sur deux cents phrases. **Devinez** laquelle permet de monter à la température 1,5 sans perdre
# la grammaire.

# %% [markdown] lang="en"
# Sixteen beams find a likelier sentence than greedy does, and a shorter one: every word costs. (With the penalty the score is a mean per
# word: it does not compare with the others.) Beam search has one sentence to say; it is used for translating, less for inventing.
#
# The other ways to choose, side by side, on two hundred sentences. **Guess** which one lets the temperature rise to 1.5 without losing the
# grammar.

# %%
ways = {
    say("greedy", "glouton"): {"temperature": 0.0},
    say("temperature 0.7", "température 0,7"): {"temperature": 0.7},
    say("temperature 1.5", "température 1,5"): {"temperature": 1.5},
    say("1.5 and top-k, k = 8", "1,5 et top-k, k = 8"): {"temperature": 1.5, "top_k": 8},
    say("1.5 and top-p, p = 0.9", "1,5 et top-p, p = 0,9"):
        {"temperature": 1.5, "top_p": 0.9},
}
by_way = []
print(" " * 22, say("right  different, of 200", "justes différentes, sur 200"))
for name, options in ways.items():
    tokens = write(gpt, uniforms, **options)
    by_way.append(shares([tokenizer.decode(row) for row in tokens]))
    exact, different = by_way[-1]["exact"], by_way[-1]["different"]
    print(f"{name:22} {100 * exact:5.0f}% {200 * different:9.0f}")

# %% claims=true
right = [way["exact"] for way in by_way]
assert right[2] < 0.67
assert min(right[3], right[4]) > right[2] + 0.15
assert min(way["different"] for way in by_way[2:]) > 0.9

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un filtre rend la grammaire
#
# Deux cents phrases, cinq façons de choisir.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### A filter brings grammar back
#
# Two hundred sentences, five ways to choose.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=8, height=3.6)
series = (("exact", say("right, word for word", "justes, au mot près"), BLUE, -0.2),
          ("different", say("different", "différentes"), ORANGE, 0.2))
for what, label, colour, shift in series:
    lengths_of_bars = [100 * way[what] for way in by_way]
    where_bars = [place + shift for place in range(len(by_way))]
    axes.barh(where_bars, lengths_of_bars, 0.38, color=colour, label=label)
axes.set_yticks(range(len(ways)), list(ways), fontsize=12)
axes.invert_yaxis()
axes.set(xlim=(0, 105), xlabel="%")
axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
picture(figure, say("At temperature 1.5 many sentences are wrong; with top-k or "
                    "top-p they are right again, and still differ.",
                    "À la température 1,5, beaucoup de phrases sont fausses ; avec "
                    "top-k ou top-p, elles sont justes à nouveau, et diverses."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander laquelle permet de monter à 1,5 sans perdre la grammaire, avant de montrer. Le vocabulaire a 512 entrées ; à chaque pas,
# les mauvaises, si peu probables soient-elles une à une, pèsent ensemble : c'est cette traîne que les filtres coupent. Demander ce qui
# manque au glouton. (Il n'a qu'une phrase.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask which one lets the temperature rise to 1.5 without losing the grammar, before showing. The vocabulary has 512 entries; at each
# step the wrong ones, however unlikely one by one, add up: the filters cut off this tail. Ask what greedy lacks. (It has one sentence
# only.)

# %% [markdown] lang="fr"
# À 1,5 sans filtre, plus d'un tiers des phrases sont fausses ; avec l'un ou l'autre filtre, la grammaire revient, et les phrases restent
# diverses. Le vocabulaire a 512 entrées, et à chaque pas les mauvaises, si peu probables soient-elles une à une, pèsent ensemble : c'est
# cette **traîne** que les filtres coupent.

# %% [markdown] lang="en"
# At 1.5 without a filter more than a third of the sentences are wrong; with either filter the grammar comes back, and the sentences remain
# varied. The vocabulary has 512 entries, and at each step the wrong ones, however unlikely one by one, add up: this **tail** is what the
# filters cut off.

# %% [markdown] lang="fr"
# ## 12. Ne pas tout recalculer
#
# `write` a un vice : pour écrire le jeton $t$, il repasse les $t$ précédents dans le réseau. Or rien n'y a changé : grâce au masque causal,
# les clés et valeurs d'un jeton ne dépendent que de lui et de ceux d'avant. On les garde donc, dans un **cache**. Chaque nouveau jeton fait
# sa requête, sa clé, sa valeur, et regarde ce que le cache a gardé. Pour quatre jetons, $1 + 2 + 3 + 4 = 10$ passages deviennent 4 :

# %% [markdown] lang="en"
# ## 12. Not computing it all again
#
# `write` has a vice: to write token $t$ it passes the $t$ before it through the network again. Yet nothing has changed there: thanks to the
# causal mask, a token's keys and values depend only on itself and those before it. So keep them, in a **cache**. Each new token makes its
# query, its key, its value, and looks at what the cache has kept. For four tokens, $1 + 2 + 3 + 4 = 10$ passages become 4:

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Ne calculer que du neuf
#
# Le masque causal le permet : clés et valeurs d'avant ne changent plus. Gardons-les.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. Compute only what is new
#
# The causal mask allows it: earlier keys and values no longer change. Keep them.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, panels = plot(1, 2, width=8, height=3.5)
again_each = torch.ones(6, 6).tril()
once = 0.25 * again_each + 0.75 * torch.eye(6)
titles = say("everything again: 21 passages|with the cache: 6",
             "tout refaire : 21 passages|avec le cache : 6").split("|")
for panel, grid, title in zip(panels, (again_each, once), titles):
    panel.imshow(grid.numpy(), cmap="Blues", vmin=0, vmax=1.2)
    panel.set_xticks(range(6), list("123456"))
    panel.set_yticks(range(6), list("123456"))
    panel.set(title=title, xlabel=say("token", "jeton"))
    panel.set_ylabel(say("step", "étape"))
picture(figure, say("Without the cache each step computes all tokens so far; with "
                    "it, the newest alone, the others being kept.",
                    "Sans cache, chaque étape calcule tous les jetons ; avec "
                    "lui, le dernier seulement, les autres étant gardés."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. En foncé, ce qui se calcule ; en clair, ce que l'on relit. Demander pourquoi l'on garde clés et valeurs, et non les requêtes : une
# requête ne sert qu'une fois. Et sans masque causal ? (Chaque nouveau mot changerait ceux d'avant : le cache serait faux.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Dark is what is computed; pale, what is read again. Ask why keys and values are kept, and not queries: a query serves only once.
# And without a causal mask? (Each new word would change those before: the cache would be wrong.)

# %% [markdown]
# $$ 1 + 2 + \dots + t = \frac{t \, (t + 1)}{2} \qquad \longrightarrow \qquad t $$

# %% [markdown] lang="fr"
# Le `KeyValueCache` de la bibliothèque est un carnet : une page par couche. `extend(layer, key, value)` écrit les nouvelles clés et valeurs
# à la suite, sur la page de la couche, et rend toutes celles de la page. Voyons-le avec une seule tête d'un seul canal. **Devinez** ce que
# rend le second appel.

# %% [markdown] lang="en"
# The library's `KeyValueCache` is a notebook: a page for each layer. `extend(layer, key, value)` writes the new keys and values below the
# others, on the layer's page, and returns all those of the page. Let us see it with a single head of a single channel. **Guess** what the
# second call returns.

# %%
def new_cache(layers, n, heads, length, head_dim):
    where, kind = torch.device("cpu"), torch.float32
    return KeyValueCache(layers, n, heads, length, head_dim, where, kind)


cache = new_cache(layers=1, n=1, heads=1, length=4, head_dim=1)
first = torch.tensor([[[[1.0], [2.0]]]])
keys_so_far, _ = cache.extend(0, first, first)
print(say("after two tokens: ", "après deux jetons : "), keys_so_far.flatten().tolist())
# en: the network counts the tokens when all its layers have run
# fr: le réseau compte les jetons quand toutes ses couches ont passé
cache.filled += 2
third = torch.tensor([[[[3.0]]]])
keys_so_far, _ = cache.extend(0, third, third)
print(say("after the third: ", "après le troisième : "), keys_so_far.flatten().tolist())

# %% claims=true
assert keys_so_far.flatten().tolist() == [1, 2, 3]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 14"
# ### Exercice 14 · Votre attention, version finale
#
# **5 min** pour lire ; finissez chez vous. Trois pas à écrire :
#
# ```python
# query, key, value = rearrange(
#     self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads
# )
# ...  # s'il y a un cache, y ranger clés et valeurs
# ...  # le masque causal, si `causal`
# ...  # `visible`, s'il est donné, s'y joint
# return self.out(attend(query, key, value, mask, maps))
# ```

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 14"
# ### Exercise 14 · Your attention, final version
#
# **5 min** to read; finish at home. Three steps to write:
#
# ```python
# query, key, value = rearrange(
#     self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads
# )
# ...  # if there is a cache, put keys and values in it
# ...  # the causal mask, if `causal`
# ...  # `visible`, if given, joins it
# return self.out(attend(query, key, value, mask, maps))
# ```

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Donner la section 12. Lire ensemble les trois trous, sans les remplir. Faute à guetter : compter les clés avant d'y avoir mis
# celles du cache ; le masque n'a alors pas la bonne largeur. Demander combien de lignes a le masque pour une requête seule (une, qui voit
# tout).

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Hand out section 12. Read the three gaps together, without filling them. A mistake to look for: counting the keys before those of
# the cache are in; then the mask has the wrong width. Ask how many rows the mask has for a single query (one, which sees everything).

# %% [markdown] lang="fr"
# On donne une clé, on en reçoit trois.
#
# ### Votre attention, version finale

# %% [markdown] lang="fr"
# Voici votre première version ([](#several-heads)) rangée dans la classe, avec trois étapes nouvelles à écrire, marquées `← nouveau` :
#
# ```python
# query, key, value = rearrange(
#     self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads
# )                        # les trois rôles, coupés en têtes : chunk et split_heads en une fois
# ...                      # ← nouveau : s'il y a un cache, y ranger clés et valeurs
# ...                      # ← nouveau : le masque causal, si `causal`
# ...                      # ← nouveau : `visible`, s'il est donné, s'y joint
# return self.out(attend(query, key, value, mask, maps))
# ```
#
# `rearrange`, de la bibliothèque einops, lit les axes par leurs noms ; `attend` fait pour toutes les têtes ce que font `scaled_dot_product`
# et `merge_heads`, et range les poids dans la liste `maps` si on en donne une. Le masque causal a autant de lignes que de requêtes et
# autant de colonnes que de clés, **cache compris** ; une requête seule est le dernier jeton, qui voit tout. `visible`, de forme (n, k),
# doit s'étendre sur les têtes et les requêtes. Sans `causal` ni `visible`, `mask` vaut `None`. `x` et la réponse sont de forme (n, t, w).
#
# <details><summary>Un indice</summary>
#
# Le cache tient en deux lignes : `if cache is not None:` puis `key, value = cache.extend(layer, key, value)`. Comptez les clés **après**.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `query.shape[2]` est le nombre de requêtes, `key.shape[2]` celui des clés : `mask = causal_mask(query.shape[2], key.shape[2], x.device) if
# causal else None`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `visible[:, None, None]` a la forme (n, 1, 1, k). S'il y a un masque causal, `mask & visible[:, None, None]` ; sinon `visible[:, None,
# None]` seul.
#
# </details>

# %% [markdown] lang="en"
# One key is given, three come back.
#
# ### Your attention, final version

# %% [markdown] lang="en"
# Here is your first version ([](#several-heads)), put into the class, with three new steps to write, marked `← new`:
#
# ```python
# query, key, value = rearrange(
#     self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads
# )                        # the three roles, cut into heads: chunk and split_heads at once
# ...                      # ← new: if there is a cache, put keys and values in it
# ...                      # ← new: the causal mask, if `causal`
# ...                      # ← new: `visible`, if given, joins it
# return self.out(attend(query, key, value, mask, maps))
# ```
#
# `rearrange`, from the library einops, reads axes by their names; `attend` does for all heads what `scaled_dot_product` and `merge_heads`
# do, and puts the weights into the list `maps` if one is given. The causal mask has as many rows as there are queries and as many columns
# as there are keys, **cache included**; a single query is the last token, which sees everything. `visible`, of shape (n, k), must spread
# over heads and queries. With neither `causal` nor `visible`, `mask` is `None`. `x` and the answer are of shape (n, t, w).
#
# <details><summary>A hint</summary>
#
# The cache takes two lines: `if cache is not None:`, then `key, value = cache.extend(layer, key, value)`. Count the keys **afterwards**.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `query.shape[2]` is the number of queries, `key.shape[2]` that of keys: `mask = causal_mask(query.shape[2], key.shape[2], x.device) if
# causal else None`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `visible[:, None, None]` has the shape (n, 1, 1, k). If there is a causal mask, `mask & visible[:, None, None]`; if not, `visible[:, None,
# None]` alone.
#
# </details>

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

# %% scratch=true
torch.manual_seed(0)
layer, three_tokens = MultiHeadAttention(8, heads=2), torch.randn(1, 3, 8)
at_once = layer(three_tokens)
cache = new_cache(layers=1, n=1, heads=2, length=3, head_dim=4)
one_by_one = []
for token in three_tokens.split(1, dim=1):
    one_by_one.append(layer(token, cache=cache))
    cache.filled += 1
torch.allclose(torch.cat(one_by_one, dim=1), at_once, atol=1e-6)  # → True

# %% [markdown] lang="fr"
# Mettons votre classe à la place de celle de la bibliothèque, avec les poids que le GPT a appris, et récrivons les deux cents phrases en ne
# donnant au réseau qu'un jeton à la fois. **Devinez** : seront-ce les mêmes phrases ?

# %% [markdown] lang="en"
# Let us put your class in the place of the library's, with the weights that the GPT has learned, and write the two hundred sentences again,
# giving the network only one token at a time. **Guess**: will they be the same sentences?

# %%
for block in gpt.blocks:
    yours = MultiHeadAttention(64, heads=4)
    yours.load_state_dict(block.attention.state_dict())
    block.attention = yours


@torch.no_grad()
def write_cached(gpt, uniforms, **options):
    written = torch.zeros(len(uniforms), 1, dtype=torch.long)
    cache = new_cache(2, len(uniforms), heads=4, length=LENGTH, head_dim=16)
    for uniform in uniforms.T:
        logits = gpt(written[:, -1:], cache)[:, -1]
        chosen = choose(logits, uniform, **options)
        written = torch.cat([written, chosen[:, None]], dim=1)
    return until_the_end(written[:, 1:])


# %%
same = (write_cached(gpt, uniforms) == write(gpt, uniforms)).all(dim=1).sum().item()
print(say(f"{same} sentences of 200 are the same", f"{same} phrases sur 200 sont les mêmes"))

# %%
from torch.utils.flop_counter import FlopCounterMode

lengths = [1, 2, 4, 6, 8, 10, 12, 14, 16]
writers = {say("everything again", "tout refaire"): write,
           say("with the cache", "avec le cache"): write_cached}
work = {}
for name, writer in writers.items():
    work[name] = []
    for length in lengths:
        with FlopCounterMode(display=False) as counter:
            writer(gpt, uniforms[:1, :length])
        work[name].append(counter.get_total_flops() / 1e6)
    print(f"{name:18} {decimal(work[name][-1]):>5}",
          say("million operations for 16 tokens", "millions d'opérations pour 16 jetons"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Les mêmes phrases, huit fois moins de travail
#
# Seize jetons : 136 passages, ou 16.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The same sentences, an eighth of the work
#
# Sixteen tokens: 136 passages, or 16.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.4)
for (name, operations), colour in zip(work.items(), (VERMILION, BLUE)):
    axes.plot(lengths, operations, "o-", color=colour, label=name)
axes.set(xlabel=say("tokens written", "jetons écrits"))
axes.set(ylabel=say("millions of operations", "millions d'opérations"))
legend(axes)
picture(figure, say("Operations to write a sentence: they grow with the square "
                    "of its length without the cache, and linearly with it.",
                    "Opérations pour écrire une phrase : sans cache, comme le "
                    "carré de sa longueur ; avec lui, en ligne droite."))

# %% claims=true
again, with_cache = work.values()
assert same >= 198
assert 7.5 < again[-1] / with_cache[-1] < 9.5
assert abs(2 * 64 * 62 * 64 * 1280 - 650_000_000) < 1_000_000

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander si les phrases sont les mêmes. (Oui, avec la classe de l'exercice 14 et les poids appris.) Sans cache, le travail croît
# comme le carré de la longueur ; avec lui, en ligne droite. Le prix est de la mémoire : 650 millions de nombres pour une image de DALL·E 1.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask whether the sentences are the same. (Yes, with the class of exercise 14 and the learned weights.) Without the cache, work grows
# like the square of the length; with it, in a straight line. The price is memory: 650 million numbers for one picture of DALL·E 1.

# %% [markdown] lang="fr"
# Les mêmes phrases, pour huit fois moins de travail : $16 \times 17 / 2 = 136$ passages contre 16. Et l'écart grandit avec la longueur. Le
# prix du cache est de la mémoire : deux vecteurs par jeton et par couche. Pour les 1 280 jetons de DALL·E 1, avec 64 couches et 62 têtes de
# 64 canaux, cela fait $2 \times 1\,280 \times 64 \times 62 \times 64 \approx 650$ millions de nombres par image en cours.

# %% [markdown] lang="en"
# The same sentences, for an eighth of the work: $16 \times 17 / 2 = 136$ passages against 16. And the gap grows with the length. The price
# of the cache is memory: two vectors for each token and each layer. For the 1,280 tokens of DALL·E 1, with 64 layers and 62 heads of 64
# channels, that makes $2 \times 1{,}280 \times 64 \times 62 \times 64 \approx 650$ million numbers for each picture under way.

# %% [markdown] lang="fr"
# ## 13. Où regardent les têtes ?
#
# Pointez un jeton (cliquez, dans un notebook) et choisissez une couche : chaque ligne montre où une tête regarde quand le GPT cherche le
# mot qui suit ce jeton. En gris, ce que le masque cache. **Cherchez** : y a-t-il une tête qui regarde le mot d'avant ? une qui revient au
# début ? une qui retrouve le premier objet ? Notez le rôle que vous donneriez à une tête.

# %% [markdown] lang="en"
# ## 13. Where do the heads look?
#
# Point at a token (click, in a notebook) and choose a layer: each row shows where a head looks while the GPT searches for the word after
# this token. In grey, what the mask hides. **Look**: is there a head that looks at the word before? one that goes back to the start? one
# that finds the first object again? Note the role that you would give to a head.

# %%
from dalle_edu.classroom.widgets.attention import attention_explorer

sentence = say("a large black star above a small pink ring",
               "une grande étoile noire au-dessus d'un petit anneau rose")
maps = []
with torch.no_grad():
    gpt(prompt(sentence), maps=maps)
pieces = [piece.lstrip("Ġ") for piece in tokenizer.tokens(sentence)]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 13. Où regardent les têtes ?
#
# Une regarde-t-elle le mot d'avant ? une autre, le début ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 13. Where do the heads look?
#
# Does one look at the word before? another, at the start?

# %% slide="fragment" tags=["output-only-slide"]
attention_explorer([say("(start)", "(début)"), *pieces], maps, start=3)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Laisser chacun proposer un rôle pour une tête. Mettre en garde : une carte montre d'où vient l'information, pas ce qui en est fait.
# Sur cent légendes, quelques têtes penchent vers le début ou vers le jeton d'avant ; aucune n'y met tout. Demander comment l'on saurait si
# une tête sert. (En la coupant.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let everyone suggest a role for a head. A warning: a map shows where information comes from, not what is made of it. Over a hundred
# captions some heads lean to the start or to the token before; none puts everything there. Ask how one would know whether a head is of use.
# (By cutting it.)

# %% [markdown] lang="fr"
# Une phrase ne fait pas une habitude. Voici, en moyenne sur cent légendes, la part du regard que chaque tête donne au début, au jeton
# d'avant et au jeton lui-même. (Un regard également partagé donnerait 20 % à chacun.) **Comparez** avec les rôles que vous avez notés.

# %% [markdown] lang="en"
# One sentence makes no habit. Here is, over a hundred captions, the share of its look that each head gives to the start, to the token
# before and to the token itself. (A look shared out equally would give 20 % to each.) **Compare** with the roles that you noted.

# %%
long_captions = shown[rows[:, 6] > 0][:100, :8]
maps, roles = [], []
with torch.no_grad():
    gpt(long_captions, maps=maps)
print(say("layer head   start  before  itself", "couche tête  début   avant lui-même"))
for layer, weights in enumerate(maps):
    # en: from the third token on, so that there is something to choose from
    # fr: à partir du troisième jeton, pour qu'il y ait de quoi choisir
    at_start = weights[:, :, 2:, 0].mean(dim=(0, 2))
    before = weights.diagonal(-1, dim1=2, dim2=3)[..., 1:].mean(dim=(0, 2))
    itself = weights.diagonal(0, dim1=2, dim2=3)[..., 2:].mean(dim=(0, 2))
    for head in range(4):
        role = [100 * share[head].item() for share in (at_start, before, itself)]
        roles.append(role)
        print(f"{layer + 1:5} {head + 1:4}", *(f"{share:6.0f}%" for share in role))

# %% claims=true
assert abs(100 * sum(1 / place for place in range(3, 9)) / 6 - 20) < 1
assert max(max(role) for role in roles) < 55
assert max(max(role) for role in roles) > 27

# %% [markdown] lang="fr"
# Quelques têtes penchent d'un côté, vers le début ou vers le jeton d'avant ; aucune n'y met tout. Le rôle que montrait une phrase se
# brouille sur cent.
#
# Et si un regard servait à quelque chose, qu'arrive-t-il sans lui ? **Coupons** des têtes : mettons à zéro ce que $W_O$ prend d'elles, et
# mesurons la perte sur 400 légendes. **Devinez** : de combien monte-t-elle quand on coupe une tête ? et quand on coupe les huit ?

# %% [markdown] lang="en"
# Some heads lean to one side, to the start or to the token before; none puts everything there. The role that one sentence showed is blurred
# over a hundred.
#
# And if a look is good for something, what happens without it? Let us **cut** heads: set to zero what $W_O$ takes from them, and measure
# the loss on 400 captions. **Guess**: by how much does it go up when one head is cut? and when all eight are?

# %%
@torch.no_grad()
def loss_without(heads):
    matrices = [block.attention.out.weight for block in gpt.blocks]
    whole = [matrix.clone() for matrix in matrices]
    for layer, head in heads:
        # en: each head has 16 of the 64 channels
        # fr: chaque tête a 16 des 64 canaux
        matrices[layer][:, 16 * head : 16 * (head + 1)] = 0
    logits = gpt(shown[:400])
    for matrix, copy in zip(matrices, whole):
        matrix.copy_(copy)
    return F.cross_entropy(logits.flatten(0, 1), expected[:400].flatten()).item()


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Couper une tête ne coûte presque rien
#
# Et les huit à la fois ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Cutting one head costs next to nothing
#
# And all eight at once?

# %% slide="fragment" tags=["output-only-slide"]
heads = list(itertools.product(range(2), range(4)))
entire, all_cut = loss_without([]), loss_without(heads)
one_cut = [loss_without([head]) for head in heads]
figure, axes = plot(height=3.3)
bars = [entire, *one_cut, all_cut]
labels = [say("none", "aucune"), *(f"{layer + 1}·{head + 1}" for layer, head in heads),
          say("all", "toutes")]
axes.bar(labels, bars, color=[GREEN, *[SKY] * 8, VERMILION])
axes.axhline(pairs_of_words, color=BLUE, linestyle="--",
             label=say("pairs of words", "paires de mots"))
axes.set(xlabel=say("head that is cut (layer·head)", "tête coupée (couche·tête)"))
axes.set(ylabel=say("loss, in nats", "perte, en nats"))
axes.set_ylim(0, 2.1)
legend(axes, loc="upper left")
picture(figure, say("Cutting one head hardly raises the loss; cutting all eight "
                    "raises it above the line of pairs of words.",
                    "Couper une tête ne change guère la perte ; les couper toutes "
                    "la porte au-dessus de la ligne des paires de mots."))

# %% claims=true
assert max(one_cut) - entire < 0.12
assert all_cut - entire > 0.08
assert all_cut - entire > 2 * (max(one_cut) - entire)
assert all_cut > pairs_of_words - 0.02

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire deviner les deux hausses. Une tête coupée : les sept autres y suppléent. Toutes coupées : le réseau revient à la ligne des
# paires, ou un peu au-dessus. Demander ce qu'il sait encore. (Le dernier mot et sa place.) Une carte d'attention est un indice ; la coupure
# est l'épreuve.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let them guess both rises. One head cut: the seven others make up for it. All cut: the network is back at the line of pairs, or a
# little above. Ask what it still knows. (The last word and its place.) An attention map is a clue; cutting is the test.

# %% [markdown] lang="fr"
# **Ce que nous avons appris.** Couper une tête ne coûte presque rien : les sept autres y suppléent. Les couper toutes ramène le réseau à la
# ligne des paires, ou un peu au-dessus : sans attention, il ne lui reste que le dernier mot et sa place. Ce que le GPT sait de plus que les
# comptes, c'est donc bien à ses regards qu'il le doit, mais à tous ensemble, et à aucun en particulier. Une carte d'attention est un
# indice ; la coupure est l'épreuve.

# %% [markdown] lang="en"
# **What we have learned.** Cutting one head costs next to nothing: the seven others make up for it. Cutting them all brings the network
# back to the line of pairs, or a little above: without attention it is left with the last word and its place. So what the GPT knows beyond
# plain counts it does owe to its looks, but to all of them together, and to none in particular. An attention map is a clue; cutting is the
# test.

# %% [markdown] lang="fr"
# ### Relire la première image
#
# Vous savez maintenant tout ce que montraient les cartes du début. Le dessinateur est un encodeur et un décodeur, comme à la
# [](#encoder-decoder-or-both). Les requêtes viennent des carreaux, les clés et les valeurs viennent des mots : c'est une attention croisée,
# masquée seulement au remplissage. Chaque carte est une colonne de ses poids, en moyenne sur cinq couches et quatre têtes. Changez la
# phrase, et **devinez** avant de lancer.

# %% [markdown] lang="en"
# ### Reading the first picture again
#
# You now know all that the maps at the beginning showed. The machine that draws is an encoder and a decoder, as in
# [](#encoder-decoder-or-both). The queries come from the squares, the keys and values from the words: it is a cross-attention, masked only
# where there is padding. Each map is a column of its weights, as a mean over five layers and four heads. Change the sentence, and **guess**
# before you run it.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Relire la première image
#
# « Un anneau jaune à gauche d'un cœur violet » : le regard suit la phrase.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Reading the first picture again
#
# "A yellow ring to the left of a purple heart": the look follows the sentence.

# %% slide="fragment" tags=["output-only-slide"]
yours = say("a yellow ring to the left of a purple heart",
            "un anneau jaune à gauche d'un cœur violet")
drawn, looks = looks_at_words(yours)
words = [piece.lstrip("Ġ") for piece in painter.tokenizer.tokens(yours)]
figure, panels = plot(1, 4, width=9, height=2.6)
panels[0].imshow(drawn.clamp(0, 1))
for panel, word in zip(panels[1:], say("ring left heart", "anneau gauche coeur").split()):
    panel.imshow(looks[:, :, words.index(word)], cmap="Blues", vmin=0)
    panel.set_title(word)
for panel in panels:
    panel.axis("off")
picture(figure, say("A yellow ring left of a purple heart; the map of each noun"
                    " is dark on its own side.",
                    "Un anneau jaune à gauche d'un cœur violet ; la carte de "
                    "chaque nom est foncée de son côté."))

# %% claims=true
ring_map = looks[:, :, words.index(say("ring", "anneau"))]
heart_map = looks[:, :, words.index(say("heart", "coeur"))]
assert ring_map[:, :4].mean() > 1.5 * ring_map[:, 4:].mean()
assert heart_map[:, 4:].mean() > 1.5 * heart_map[:, :4].mean()

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Faire dire à la classe tout ce que montre l'image : requêtes des carreaux, clés et valeurs des mots, attention croisée, moyenne sur
# cinq couches et quatre têtes. Demander ce qu'est une carte. (Une colonne des poids.) Faire proposer une autre phrase et deviner avant de
# lancer.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Have the class say all that the picture shows: queries from the squares, keys and values from the words, cross-attention, a mean
# over five layers and four heads. Ask what a map is. (A column of the weights.) Have them suggest another sentence, and guess before
# running it.

# %% [markdown] lang="fr"
# Chaque nom est regardé de son côté : au début de la leçon, en haut et en bas ; ici, à gauche et à droite. Le regard suit la phrase. Ce que
# vous savez faire maintenant, de $q \cdot k$ au cache, suffit à construire cette machine.

# %% [markdown] lang="en"
# Each noun is looked at on its own side: above and below at the beginning of the lesson, left and right here. The look follows the
# sentence. What you can do now, from $q \cdot k$ to the cache, is enough to build this machine.

# %% [markdown] lang="fr"
# ## 14. Quelle erreur est-ce ?
#
# Voici une attention écrite par quelqu'un d'autre. Elle est fausse. Ne regardez pas son code : interrogez-la. Que donne-t-elle pour une
# requête seule ? pour deux ? avec un masque ? Chaque ligne ci-dessous est une requête, chaque colonne une clé : quelles sommes
# attendiez-vous ? Puis répondez.

# %% [markdown] lang="en"
# ## 14. Which mistake is this?
#
# Here is an attention that somebody else wrote. It is wrong. Do not look at its code: question it. What does it give for a single query?
# for two? with a mask? Each row below is a query, each column a key: which sums did you expect? Then answer.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("attention:scaled_dot_product", "softmax_over_queries")
two_queries = torch.cat([query, 2 * query])
mask = torch.tensor([[True, True, False]])

# %%
for title, given in (
    (say("weights of one query:", "poids d'une requête :"), (query, key, value)),
    (say("of two queries:", "de deux requêtes :"), (two_queries, key, value)),
    (say("the third key hidden:", "la troisième clé cachée :"),
     (two_queries, key, value, mask)),
):
    print(title)
    for row in mystery(*given)[1]:
        print("  ", *(decimal(weight, 2) for weight in row))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 14. Quelle erreur est-ce ?
#
# Une attention écrite par quelqu'un d'autre. Elle est fausse. Chaque ligne est une requête, chaque colonne une clé : quelles sommes
# attendiez-vous ?

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 14. Which mistake is this?
#
# An attention that somebody else wrote. It is wrong. Each row is a query, each column a key: which sums did you expect?

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, panels = plot(1, 3, width=8, height=2.2)
asked_of = (query,), (two_queries,), (two_queries, mask)
titles = say("one query|two queries|third key hidden",
             "une requête|deux requêtes|troisième clé cachée").split("|")
for panel, (asking, *hidden), title in zip(panels, asked_of, titles):
    grid = mystery(asking, key, value, *hidden)[1]
    panel.imshow(grid.numpy(), cmap="Blues", vmin=0, vmax=1.8)
    for row, column in itertools.product(range(len(grid)), range(3)):
        weight = decimal(grid[row, column], 2)
        panel.text(column, row, weight, ha="center", va="center", fontsize=12)
    panel.set(title=title, xticks=[], yticks=[], xlabel=say("keys", "clés"))
panels[0].set_ylabel(say("queries", "requêtes"))
picture(figure, say("The weights of the wrong attention for one query, for two, "
                    "and with the third key hidden.",
                    "Les poids de l'attention fausse pour une requête, pour deux,"
                    " et quand la troisième clé est cachée."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Deux minutes par deux, puis un vote. Faire sommer les lignes, puis les colonnes. Une requête seule : trois fois 1. Deux requêtes :
# ce sont les colonnes qui font 1. Le softmax est passé sur les requêtes, et non sur les clés. Demander quelle question l'a montré le plus
# vite.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Two minutes in pairs, then a vote. Have them add up the rows, then the columns. A single query: 1, three times. Two queries: it is
# the columns that make 1. The softmax went over the queries, not over the keys. Ask which question showed it fastest.

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz attention"
# ## 15. Neuf questions
#
# **8 min.** Répondez seul, puis comparez à deux. Écrivez d'abord celle-ci :
#
# | clé | score | poids |
# |---|---|---|
# | première | $0$ | ? |
# | seconde | $\log 3$ | ? |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz attention"
# ## 15. Nine questions
#
# **8 min.** Answer alone, then compare in pairs. Write this one first:
#
# | key | score | weight |
# |---|---|---|
# | first | $0$ | ? |
# | second | $\log 3$ | ? |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Faire répondre dans le notebook, puis corriger les trois questions les plus manquées. La première, au tableau : exp(0) = 1 et
# exp(log 3) = 3, donc un quart et trois quarts. Celles que la classe n'a pas eu le temps de faire se finissent chez soi.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Let them answer in the notebook, then go over the three questions most often missed. The first on the board: exp(0) = 1 and exp(log
# 3) = 3, hence a quarter and three quarters. Those that the class had no time for are finished at home.

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
        why_not=[
            say("The softmax makes the sum 1; it does not make the shares even. Scores twice as far apart are shared out quite differently.",
                "Le softmax donne une somme de 1 ; il n'égalise pas les parts. Des scores deux fois plus écartés se partagent tout autrement."),
            say("That is what scores near 0 do. Here they are large, and far apart.",
                "C'est ce que font des scores proches de 0. Ici, ils sont grands, et très écartés."),
        ],
    ),
    Choice(
        say("In a decoder's cross-attention, where do keys and values come from?",
            "Dans l'attention croisée d'un décodeur, d'où viennent clés et valeurs ?"),
        [say("from the decoder's layer below", "de la couche du dessous du décodeur"),
         say("from the encoder's layer of the same height", "de la couche de même hauteur de l'encodeur"),
         say("from the top of the encoder", "du haut de l'encodeur")],
        right=2,
        why=say("Every layer of the decoder reads the same, finished memory, with key and value matrices of its own.",
                "Chaque couche du décodeur lit la même mémoire achevée, avec ses propres matrices de clés et de valeurs."),
        why_not=[
            say("That is self-attention; the queries of cross-attention come from there, and only they.",
                "C'est l'auto-attention ; de là viennent les requêtes de l'attention croisée, et elles seules."),
            say("A plausible design, but not that of 2017: the encoder has finished before the decoder begins.",
                "Ce serait concevable, mais ce n'est pas la machine de 2017 : l'encodeur a fini avant que le décodeur commence."),
        ],
    ),
    Choice(
        say("The tokens of an encoder without places are put in reverse order. Its outputs are",
            "On renverse l'ordre des jetons d'un encodeur sans places. Ses sorties sont"),
        [say("unchanged", "inchangées"), say("the same, in reverse order", "les mêmes, dans l'ordre renversé"),
         say("entirely different", "tout autres")],
        right=1,
        why=say("Attention and small network treat tokens alike wherever they stand: outputs follow their tokens.",
                "Attention et petit réseau traitent pareillement les jetons où qu'ils soient : les sorties suivent leurs jetons."),
        why_not=[
            say("Their mean is unchanged; but each output belongs to a token, and goes where it goes.",
                "Leur moyenne est inchangée ; mais chaque sortie est celle d'un jeton, et va où il va."),
            say("That would need something that depends on the place: there is nothing of the kind.",
                "Il y faudrait quelque chose qui dépende de la place : il n'y a rien de tel."),
        ],
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
        say("In training, a decoder reads the true sentence, with its future masked. Why?",
            "À l'entraînement, un décodeur lit la vraie phrase, l'avenir masqué. Pourquoi ?"),
        [say("So that every position learns at once, and none can copy the answer.",
             "Pour que toutes les positions apprennent à la fois, et qu'aucune ne copie la réponse."),
         say("So that it gets used to its own mistakes.", "Pour qu'il s'habitue à ses propres fautes."),
         say("Because in training it writes one word after the other.", "Parce qu'à l'entraînement il écrit un mot après l'autre.")],
        right=0,
        why=say("This is teacher forcing: the true words before are given, the true words after are hidden.",
                "C'est le forçage par l'enseignant : les vrais mots d'avant sont donnés, les vrais mots d'après sont cachés."),
        why_not=[
            say("On the contrary: it never sees its own mistakes in training, and meets them only in writing.",
                "Au contraire : il ne voit jamais ses fautes à l'entraînement, et ne les rencontre qu'en écrivant."),
            say("That is writing. In training all positions are computed in parallel.",
                "Cela, c'est l'écriture. À l'entraînement, toutes les positions se calculent en parallèle."),
        ],
    ),
    Choice(
        say("Temperature 0 is", "La température 0, c'est"),
        [say("sampling all words alike", "le tirage uniforme"), say("the greedy choice", "le choix glouton"),
         say("beam search", "la recherche en faisceau")],
        right=1,
        why=say("Dividing by almost nothing lets the largest logit win alone.",
                "Diviser par presque rien laisse le plus grand logit gagner seul."),
        why_not=[
            say("That is an endless temperature: all logits become 0.", "C'est une température infinie : tous les logits deviennent 0."),
            say("Beam search looks for the best sentence; greedy takes the best word, and may miss it.",
                "Le faisceau cherche la meilleure phrase ; le glouton prend le meilleur mot, et peut la manquer."),
        ],
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Scores, division, masque, softmax, mélange.
# - Plusieurs têtes, des places, un chemin résiduel.
# - Encodeur pour lire, décodeur pour écrire.
# - Un GPT : des blocs causaux.
# - Température, filtres, faisceau ; un cache.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - Scores, division, mask, softmax, mixture.
# - Several heads, places, a residual path.
# - An encoder to read, a decoder to write.
# - A GPT: causal blocks.
# - Temperature, filters, beams; a cache.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 7, 9, 12 et 14. La leçon 11 donnera à ce
# GPT des jetons d'image à la suite de ses jetons de texte : il écrira des dessins.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: finish exercises 7, 9, 12 and 14. Lesson 11 will give this GPT image
# tokens after its text tokens: it will write drawings.

# %% [markdown] lang="fr"
# ## À retenir
#
# - Requête, clés, valeurs : scores, division par $\sqrt d$, masque, softmax, mélange. Cinq pas, sans boucle.
# - Le masque passe avant le softmax ; causal, il permet d'apprendre de toutes les positions à la fois.
# - Une tête est un regard ; il en faut plusieurs, côte à côte.
# - Sans masque, l'attention ne voit qu'un ensemble : les places s'ajoutent aux mots.
# - Un bloc : le flux, plus une attention, plus un petit réseau, chacun sur le flux normalisé.
# - Encodeur pour lire, décodeur pour écrire, attention croisée entre les deux ; un GPT n'est qu'une pile de blocs causaux.
# - Le réseau donne des probabilités ; température, top-k, top-p et faisceau en font une phrase, et le cache la fait vite.
# - Une carte d'attention dit d'où vient l'information ; couper une tête dit ce qu'elle valait.

# %% [markdown] lang="en"
# ## Take-aways
#
# - Query, keys, values: scores, division by $\sqrt d$, mask, softmax, mixture. Five steps, no loop.
# - The mask comes before the softmax; causal, it lets all positions learn at once.
# - A head is one look; several are needed, side by side.
# - Without a mask, attention sees nothing but a set: places are added to the words.
# - A block: the stream, plus an attention, plus a small network, each on the normalised stream.
# - Encoder to read, decoder to write, cross-attention between them; a GPT is no more than a stack of causal blocks.
# - The network gives probabilities; temperature, top-k, top-p and beams make a sentence of them, and the cache makes it fast.
# - An attention map tells where information comes from; cutting a head tells what it was worth.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:11) donnera à ce GPT des jetons d'image à la suite de ses jetons de texte : il écrira des dessins. Il lui faut d'abord des
# codes pour les images ; c'est l'affaire des leçons [07](lesson:07) et [08](lesson:08). L'attention croisée revient dans le U-Net de la
# [](lesson:10) et dans la machine de la [](lesson:13). D'ici là, entraînez `CaptionGPT` avec `depth=0`, puis 1 : où la perte se
# pose-t-elle, par rapport à la ligne des paires, et pourquoi ? Et que perd-on à retirer `self.places`, quand le masque causal reste ?
#
# ## Sources
#
# - I. Sutskever, O. Vinyals et Q. Le, [*Sequence to sequence learning with neural networks*](work:sutskever2014), 2014.
# - D. Bahdanau, K. Cho et Y. Bengio, [*Neural machine translation by jointly learning to align and translate*](work:bahdanau2015), 2015.
# - M.-T. Luong, H. Pham et C. Manning, [*Effective approaches to attention-based neural machine translation*](work:luong2015), 2015.
# - A. Vaswani et al., [*Attention is all you need*](work:vaswani2017), 2017.
# - K. He et al., [*Deep residual learning for image recognition*](work:he2016), 2016 ; J. Ba, J. Kiros et G. Hinton, [*Layer
#   normalization*](work:ba2016), 2016 ; R. Xiong et al., [*On layer normalization in the transformer architecture*](work:xiong2020), 2020 ;
#   D. Hendrycks et K. Gimpel, [*Gaussian error linear units*](work:hendrycks2016), 2016.
# - Y. Dong, J.-B. Cordonnier et A. Loukas, [*Attention is not all you need: pure attention loses rank doubly exponentially with
#   depth*](work:dong2021), 2021.
# - A. Radford et al., [*Improving language understanding by generative pre-training*](work:radford2018), 2018 ; [*Language models are
#   unsupervised multitask learners*](work:radford2019), 2019.
# - J. Devlin et al., [*BERT: pre-training of deep bidirectional transformers for language understanding*](work:devlin2019), 2019 ; M. Lewis
#   et al., [*BART*](work:lewis2020), 2020 ; C. Raffel et al., [*Exploring the limits of transfer learning with a unified text-to-text
#   transformer*](work:raffel2020), 2020.
# - A. Fan, M. Lewis et Y. Dauphin, [*Hierarchical neural story generation*](work:fan2018), 2018 ; A. Holtzman et al., [*The curious case of
#   neural text degeneration*](work:holtzman2020), 2020.
# - A. Ramesh et al., [*Zero-shot text-to-image generation*](work:ramesh2021), 2021 ; B. Dayma et al., [*DALL·E mini*](work:dayma2021),
#   2021 ; C. Saharia et al. (Imagen), [*Photorealistic text-to-image diffusion models with deep language understanding*](work:saharia2022),
#   2022.
#
# À lire ou à voir aussi : J. Alammar, *The illustrated transformer*, pour les dessins ; A. Karpathy, *nanoGPT*, pour un GPT entier en un
# fichier.

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:11) will give this GPT image tokens after its text tokens: it will write drawings. First it needs codes for pictures; lessons
# [07](lesson:07) and [08](lesson:08) see to that. Cross-attention comes back in the U-Net of [](lesson:10) and in the machine of
# [](lesson:13). Until then, train `CaptionGPT` with `depth=0`, then 1: where does the loss settle, next to the line of pairs, and why? And
# what is lost by taking `self.places` away while the causal mask stays?
#
# ## Sources
#
# - I. Sutskever, O. Vinyals and Q. Le, [*Sequence to sequence learning with neural networks*](work:sutskever2014), 2014.
# - D. Bahdanau, K. Cho and Y. Bengio, [*Neural machine translation by jointly learning to align and translate*](work:bahdanau2015), 2015.
# - M.-T. Luong, H. Pham and C. Manning, [*Effective approaches to attention-based neural machine translation*](work:luong2015), 2015.
# - A. Vaswani and others, [*Attention is all you need*](work:vaswani2017), 2017.
# - K. He and others, [*Deep residual learning for image recognition*](work:he2016), 2016; J. Ba, J. Kiros and G. Hinton, [*Layer
#   normalization*](work:ba2016), 2016; R. Xiong and others, [*On layer normalization in the transformer architecture*](work:xiong2020),
#   2020; D. Hendrycks and K. Gimpel, [*Gaussian error linear units*](work:hendrycks2016), 2016.
# - Y. Dong, J.-B. Cordonnier and A. Loukas, [*Attention is not all you need: pure attention loses rank doubly exponentially with
#   depth*](work:dong2021), 2021.
# - A. Radford and others, [*Improving language understanding by generative pre-training*](work:radford2018), 2018; [*Language models are
#   unsupervised multitask learners*](work:radford2019), 2019.
# - J. Devlin and others, [*BERT: pre-training of deep bidirectional transformers for language understanding*](work:devlin2019), 2019; M.
#   Lewis and others, [*BART*](work:lewis2020), 2020; C. Raffel and others, [*Exploring the limits of transfer learning with a unified
#   text-to-text transformer*](work:raffel2020), 2020.
# - A. Fan, M. Lewis and Y. Dauphin, [*Hierarchical neural story generation*](work:fan2018), 2018; A. Holtzman and others, [*The curious
#   case of neural text degeneration*](work:holtzman2020), 2020.
# - A. Ramesh and others, [*Zero-shot text-to-image generation*](work:ramesh2021), 2021; B. Dayma and others, [*DALL·E
#   mini*](work:dayma2021), 2021; C. Saharia and others (Imagen), [*Photorealistic text-to-image diffusion models with deep language
#   understanding*](work:saharia2022), 2022.
#
# Also worth reading: J. Alammar, *The illustrated transformer*, for its drawings; A. Karpathy, *nanoGPT*, for a whole GPT in one file.
