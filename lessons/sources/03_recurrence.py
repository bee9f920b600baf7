# ---
# jupyter:
#   lesson:
#     number: "03"
#     hours: [3, 1, 2, 2]
#     session: 212
#     title: {en: "Recurrence: read, remember, translate", fr: "La récurrence : lire, retenir, traduire"}
# ---

# %% [markdown] lang="fr"
# Voici le début d'une légende. Il manque les deux dernières lettres.
#
# **Devinez-les.** La flèche part du mot qui vous renseigne : que dit-il, et pendant combien de lettres faut-il le retenir ?

# %% [markdown] lang="en"
# Here is the beginning of a caption. Its last letter is missing.
#
# **Guess it.** The arrow comes from the word that tells you: what does it say, and for how many letters must one remember it?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## Que faut-il retenir ?
#
# Quelles lettres manquent ? Que dit le mot d'où part la flèche ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## What must be remembered?
#
# Which letter is missing? What does the word say that the arrow comes from?

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
from dalle_edu.classroom.diagrams.recurrent import draw_lstm, draw_tape
from dalle_edu.classroom.diagrams.recurrent import draw_translator, draw_unrolled

opening = say("two small green stars", "deux petites étoiles vertes")
missing = len(say("s", "es"))
telling = opening.index(say("two", "étoiles"))
draw_tape(opening, hidden=len(opening) - missing, clue=telling)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Laisser deviner, puis demander d'où vient la certitude : « étoiles » est au féminin pluriel, douze lettres plus tôt. Demander ce
# qu'une machine qui lit lettre après lettre doit garder en tête. (Le genre et le nombre, jusqu'à la fin.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Let them guess, then ask where the certainty comes from: "two" says that there are several, twenty letters earlier. Ask what a
# machine that reads letter after letter must keep in mind. (That there are several, to the end.)

# %% claims=true
assert len(opening) - missing - telling == say(20, 12)

# %% [markdown] lang="fr" own_numbers=true
# « Es », bien sûr : le mot « étoiles » est au féminin, et au pluriel. Il commence douze lettres plus tôt. Qui lit une lettre à la fois doit
# **retenir** ces deux choses, pendant douze lettres, puis s'en servir.
#
# Qu'écrit une machine qui ne retient rien, parce qu'elle n'a rien appris ? Voici trois légendes d'un réseau tout neuf, lettre par lettre.

# %% [markdown] lang="en" own_numbers=true
# "S", of course: the first word was "two". It begins twenty letters earlier. Whoever reads one letter at a time must **remember** that there
# are several, for twenty letters, and then use it.
#
# What does a machine write that remembers nothing, because it has learned nothing? Here are three captions by a brand-new network, letter by
# letter.

# %% tags=["hide-input"]
import torch

from dalle_edu.bricks.language_model import PAD, START, CharacterModel
from dalle_edu.bricks.language_model import SequenceVocabulary
from dalle_edu.world import World

language = say("en", "fr")
world = World(4000, seed=0, languages=(language,))
captions = [world[number][1] for number in range(len(world))]
vocabulary = SequenceVocabulary(captions)


# %% tags=["hide-input"]
def write(model, count, temperature=1.0, seed=0):
    prompt = torch.full((count, 1), START)
    generator = torch.Generator().manual_seed(seed)
    tokens = model.sample(prompt, 80, temperature, generator)
    return ["".join(vocabulary.decode(row)) for row in tokens]


# %%
torch.manual_seed(0)
newborn = CharacterModel(len(vocabulary), width=32, hidden=96)
for sentence in write(newborn, 3):
    print(sentence[:60])

# %% [markdown] lang="fr"
# Du bruit. Dans une minute de calcul, ce même réseau écrira des légendes, et notre grammaire dira combien sont justes, accords compris.
# **Pariez** déjà : qu'apprendra-t-il d'abord, et dans quel ordre ? Les accords, les mots longs, les mots courts, les espaces ?

# %% [markdown] lang="en"
# Noise. After a minute of computing, this same network will write captions, and our grammar will say how many are right, agreement
# included. **Place your bets**: what will it learn first, and in which order? Agreement, long words, short words, spaces?

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - écrire une cellule récurrente, un LSTM, un GRU ;
# - lire une phrase, et tirer la suite au sort ;
# - entraîner un traducteur ;
# - calculer trois scores d'attention à la main.
#
# **Il faut** les leçons 01 et 02.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - write a recurrent cell, an LSTM, a GRU;
# - read a sentence, and sample what follows;
# - train a translator;
# - compute three attention scores by hand.
#
# **You need** lessons 01 and 02.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Dire que cette leçon raconte une histoire dont la leçon 05 a besoin : les réseaux récurrents ont porté la langue jusqu'en 2017.
# Noter au tableau les paris sur l'ordre d'apprentissage ; on les jugera à la section 7.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Say that this lesson tells a story which lesson 05 needs: recurrent networks carried language until 2017. Write the bets on the
# order of learning on the board; section 7 will judge them.

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - écrire les cellules RNN, LSTM et GRU, porte par porte, et les dérouler sur une phrase, avec un masque ;
# - entraîner un modèle de langue par forçage par l'enseignant, et en tirer du texte, à la température que vous voulez ;
# - reconnaître un gradient qui explose, et l'écrêter ; mesurer jusqu'où un état se souvient ;
# - monter un traducteur, montrer qu'il oublie, et le guérir par l'attention, en trois scores calculés à la main.
#
# **Il faut** les leçons [01](lesson:01) et [02](lesson:02) : la rétropropagation, l'entropie croisée, le plongement (embedding) d'un mot.
#
# **Si le temps manque**, les sections [1](#one-symbol-at-a-time) à [7](#it-writes) et [9](#one-network-reads-another-writes) à
# [12](#the-same-task-looking) forment le chemin principal. Un exercice non fait n'arrête rien : la bibliothèque prend sa place.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - write RNN, LSTM and GRU cells, gate by gate, and unroll them over a sentence, with a mask;
# - train a language model with teacher forcing, and sample text from it, at any temperature;
# - recognise a gradient that explodes, and clip it; measure how far back a state remembers;
# - put together a translator, show that it forgets, and cure it with attention, in three scores computed by hand.
#
# **You need** lessons [01](lesson:01) and [02](lesson:02): backpropagation, cross-entropy, the embedding of a word.
#
# **If time is short**, sections [1](#one-symbol-at-a-time) to [7](#it-writes) and [9](#one-network-reads-another-writes) to
# [12](#the-same-task-looking) are the main path. An exercise left undone stops nothing: the library takes its place.

# %%
import math

import torch.nn.functional as F
from torch import nn

from dalle_edu.bricks.recurrent import GRUCell, LSTMCell, RNNCell, unroll
from dalle_edu.classroom.desk import kept
from dalle_edu.classroom.figures import BLUE, COLOURS, GREEN, ORANGE
from dalle_edu.classroom.figures import VERMILION, legend, picture, plot
from dalle_edu.language import decimal
from dalle_edu.world import phrasings, read_caption

# %% [markdown] lang="fr"
# ## 1. Un symbole à la fois
#
# Un réseau de la [](lesson:01) attend un nombre fixe d'entrées. Une phrase n'a pas de longueur fixe. L'idée : lire **un symbole à la
# fois**, avec un carnet de taille fixe que l'on réécrit à chaque symbole. Le carnet est un vecteur, l'**état caché** $h$. Un seul petit
# réseau, la **cellule**, calcule le nouvel état d'après le symbole $x$ et l'état d'avant ([](work:elman1990)).
#
# Prenons le plus petit : un état d'un seul nombre. Le symbole compte pour 0,5, l'état d'avant pour 0,8, puis tanh ramène la somme entre −1
# et 1. On lit 1, 0, 0. Le premier état est $\tanh(0{,}5 \times 1 + 0{,}8 \times 0) = \tanh(0{,}5) \approx 0{,}46$. **Devinez** les deux
# suivants : que reste-t-il du 1 ?

# %% [markdown] lang="en"
# ## 1. One symbol at a time
#
# A network of [](lesson:01) expects a fixed number of inputs. A sentence has no fixed length. The idea: read **one symbol at a time**, with
# a notepad of fixed size that is written anew at each symbol. The notepad is a vector, the **hidden state** $h$. One small network, the
# **cell**, computes the new state from the symbol $x$ and the state before ([](work:elman1990)).
#
# Take the smallest: a state of a single number. The symbol counts for 0.5, the state before for 0.8, then tanh brings the sum between −1
# and 1. Read 1, 0, 0. The first state is $\tanh(0.5 \times 1 + 0.8 \times 0) = \tanh(0.5) \approx 0.46$. **Guess** the next two: what is
# left of the 1?

# %%
state, states = 0.0, []
for symbol in (1, 0, 0):
    state = math.tanh(0.5 * symbol + 0.8 * state)
    states.append(state)
print(say("states:", "états :"), *(decimal(state, 3) for state in states))

# %% claims=true
assert [round(state, 3) for state in states] == [0.462, 0.354, 0.276]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Un carnet, réécrit à chaque symbole
#
# On lit 1, 0, 0. Que reste-t-il du 1 ?
#
# | symbole | somme | état |
# |---|---|---|
# | 1 | $0{,}5$ | $0{,}462$ |
# | 0 | $0{,}8 \times 0{,}462$ | $0{,}354$ |
# | 0 | $0{,}8 \times 0{,}354$ | $0{,}276$ |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. A notepad, written anew at each symbol
#
# Read 1, 0, 0. What is left of the 1?
#
# | symbol | sum | state |
# |---|---|---|
# | 1 | $0.5$ | $0.462$ |
# | 0 | $0.8 \times 0.462$ | $0.354$ |
# | 0 | $0.8 \times 0.354$ | $0.276$ |

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=6, height=2.0)
axes.bar(range(3), states, color=BLUE, width=0.5)
axes.set_xticks(range(3), ["1", "0", "0"])
axes.set(xlabel=say("symbol", "symbole"), ylabel=say("state", "état"), ylim=(0, 0.55))
picture(figure, say("The state after the symbols 1, 0 and 0: the trace of the 1 fades.",
                    "L'état après les symboles 1, 0 et 0 : la trace du 1 s'efface."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Jouer la cellule : un étudiant lit un symbole, écrit l'état au tableau, efface l'ancien. Demander ce qui distingue l'état de la
# sortie. (L'état est gardé pour le pas suivant ; la sortie est ce qu'on en montre. Ici, c'est le même vecteur.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Play the cell: a student reads a symbol, writes the state on the board, wipes the old one. Ask what tells the state from the output.
# (The state is kept for the next step; the output is what is shown of it. Here they are one vector.)

# %% [markdown] lang="fr"
# Il en reste la trace, de plus en plus faible. Avec des vecteurs, les nombres 0,5 et 0,8 deviennent deux matrices, $W_{ih}$ (de l'entrée vers
# l'état) et $W_{hh}$ (de l'état vers l'état), avec un biais chacune :

# %% [markdown] lang="en"
# Its trace is left, fainter and fainter. With vectors, the numbers 0.5 and 0.8 become two matrices, $W_{ih}$ (from the input to the state)
# and $W_{hh}$ (from the state to the state), with a bias each:

# %% [markdown]
# $$ h_t = \tanh\!\left( W_{ih} \, x_t + b_{ih} + W_{hh} \, h_{t-1} + b_{hh} \right) $$

# %% [markdown] lang="fr"
# Quatre questions reviennent toujours.
#
# - **L'état, ou la sortie ?** L'état est ce que la cellule garde pour elle ; la sortie, ce qu'elle montre au reste du réseau. Dans cette
#   cellule simple, c'est le même vecteur ; un LSTM aura un second vecteur, qu'il ne montre pas.
# - **Pourquoi deux biais ?** Un seul suffirait ici : ils s'ajoutent. PyTorch en a deux parce que le GRU de la [](#gru-two-gates) en a besoin,
#   et l'on garde partout les mêmes noms.
# - **Pourquoi tanh, et non ReLU ?** L'état est multiplié encore et encore : il lui faut un plafond. tanh va de −1 à 1, la sigmoïde de 0 à
#   1, et ni l'une ni l'autre n'atteint ses bornes. tanh écrase ; il ne « normalise » pas : rien ne garantit une moyenne ou un écart type.
# - **`batch_first` ?** Nos phrases sont rangées (phrases, symboles, canaux). PyTorch met par défaut les symboles d'abord ;
#   `batch_first=True` rend notre ordre.

# %% [markdown] lang="en"
# Four questions always come up.
#
# - **The state, or the output?** The state is what the cell keeps for itself; the output is what it shows to the rest of the network. In
#   this plain cell they are one vector; an LSTM will have a second one, which it does not show.
# - **Why two biases?** One would do here: they add up. PyTorch has two because the GRU of [](#gru-two-gates) needs them, and the names are
#   kept the same everywhere.
# - **Why tanh, and not ReLU?** The state is multiplied again and again: it needs a ceiling. tanh goes from −1 to 1, the sigmoid from 0 to 1,
#   and neither reaches its bounds. tanh squashes; it does not "normalise": nothing guarantees a mean or a standard deviation.
# - **`batch_first`?** Our sentences are laid out as (sentences, symbols, channels). By default PyTorch puts the symbols first;
#   `batch_first=True` gives our order.

# %% [markdown] lang="fr"
# Écrivez la méthode `forward`. Elle reçoit `x`, de forme (n, x), un symbole pour chacune des n phrases, et `state`, de forme (n, h) ; elle
# rend le nouvel état, (n, h). `self.sums(x, state)` rend les deux sommes, celle de l'entrée et celle de l'état, biais compris.
#
# <details><summary>Un indice</summary>
#
# `from_input, from_state = self.sums(x, state)`. Il reste à les ajouter, et à plier le tout.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.tanh` va sur la somme, et non sur chacune.
#
# </details>

# %% [markdown] lang="en"
# Write `forward`: `x`, of shape (n, x), a symbol for each of n sentences, and `state`, (n, h), go in; the new state, (n, h), comes out.
# `self.sums(x, state)` returns the two sums, that of the input and that of the state, biases included.
#
# <details><summary>A hint</summary>
#
# `from_input, from_state = self.sums(x, state)`. What is left is to add them, and to bend the whole.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.tanh` goes over the sum, not over each.
#
# </details>

# %% implements="recurrent:RNNCell" level=1 hollow=["forward"]
"""La cellule simple : h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman 1990).

Chaque pas multiplie le passé par W_hh et l'écrase par tanh. Les gradients
s'éteignent donc en une dizaine de symboles (Bengio et al. 1994).
"""
"""L'état caché après un symbole de plus."""

# %% scratch=true
small = RNNCell(1, 1)
for parameter in small.parameters():
    nn.init.zeros_(parameter)
# en: the numbers of the example: 0.5 for the symbol, 0.8 for the state
# fr: les nombres de l'exemple : 0,5 pour le symbole, 0,8 pour l'état
nn.init.constant_(small.weight_ih, 0.5)
nn.init.constant_(small.weight_hh, 0.8)
small(torch.tensor([[0.0]]), torch.tensor([[0.462]])).detach()
# → tensor([[0.3536]])

# %% [markdown] lang="fr"
# ## 2. Dérouler
#
# Dessinons la cellule : une boîte A, avec une boucle. Une boucle se suit mal des yeux ; on la **déroule**. La même cellule est copiée une
# fois par symbole, et chaque copie passe son état à la suivante. **Devinez** : combien de matrices $W_{hh}$ y a-t-il dans ce dessin de
# cinq boîtes ?

# %% [markdown] lang="en"
# ## 2. Unrolling
#
# Let us draw the cell: a box A, with a loop. The eye follows a loop badly; it is **unrolled**. The same cell is copied once for each
# symbol, and each copy hands its state to the next. **Guess**: how many matrices $W_{hh}$ are there in this drawing of five boxes?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Dérouler
#
# Cinq boîtes : combien de matrices $W_{hh}$ ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. Unrolling
#
# Five boxes: how many matrices $W_{hh}$?

# %% slide="fragment" tags=["hide-input"]
draw_unrolled(list(say("stars", "étoil")), every=True)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Une seule : ce sont les mêmes poids, recopiés. Faire passer un billet plié de main en main, chacun le réécrit : c'est l'état.
# Demander ce qui change si la phrase a cinquante lettres. (Rien dans les poids ; cinquante pas, l'un après l'autre.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. A single one: the weights are the same, copied. Have a folded note pass from hand to hand, each one rewriting it: that is the state.
# Ask what changes if the sentence has fifty letters. (Nothing in the weights; fifty steps, one after the other.)

# %% [markdown] lang="fr"
# Une seule : les cinq boîtes ont **les mêmes poids**. C'est ce qui permet de lire des phrases de toute longueur avec un réseau de taille
# fixe. Que faut-il garder de ce qui sort ? Pour prédire la lettre suivante à chaque pas, **toutes** les sorties. Pour juger la phrase
# entière, ou pour la traduire, **la dernière** :

# %% [markdown] lang="en"
# A single one: the five boxes have **the same weights**. That is what lets a network of fixed size read sentences of any length. What should
# be kept of what comes out? To predict the next letter at each step, **all** the outputs. To judge the whole sentence, or to translate it,
# **the last**:

# %% tags=["hide-input"]
draw_unrolled(list(say("stars", "étoil")), every=False)

# %% [markdown] lang="fr"
# Les phrases d'un lot n'ont pas la même longueur. On complète les courtes par du **remplissage** (*padding*) ; `mask`, de forme (n, t), est
# vrai sur les symboles, faux sur le remplissage. Là, l'état doit **rester tel quel** : sinon, la fin d'une phrase dépendrait de la longueur
# de ses voisines.

# %% [markdown] lang="fr"
# Écrivez `unroll`. `x` est de forme (n, t, x). Rendez l'état caché après chaque symbole, (n, t, h), et le dernier état. Avec `backwards`, on
# lit de droite à gauche, mais la sortie t reste celle du symbole t. Trois outils sont prêts : `cell.start(x)` donne l'état de départ,
# `hidden_of(state)` l'état caché, et `each_part(f, a, b)` applique `f` à l'état caché (et, pour un LSTM, à la mémoire aussi). Sans `state`
# (`None`), partez de `cell.start(x)` ; sans `mask`, tout est symbole.
#
# <details><summary>Un indice</summary>
#
# Une boucle sur `range(x.shape[1])`, retournée par `reversed` si `backwards`. À chaque tour : `renewed = cell(x[:, t], state)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.where(condition, a, b)` prend dans `a` là où la condition est vraie. La condition, `mask[:, t, None]`, est de forme (n, 1).
# `partial(torch.where, condition)` est la fonction qui attend encore `a` et `b` (la bibliothèque l'appelle `where_real`) : donnez-la à
# `each_part`, avec `renewed` et `state`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Gardez les sorties dans une liste ; retournez-la si l'on a lu à rebours (`outputs[::-1]`), puis `torch.stack(…, dim=1)`.
#
# </details>

# %% [markdown] lang="en"
# The sentences of a batch differ in length. Short ones are filled up with **padding**; `mask`, of shape (n, t), is true on symbols and
# false on padding. There the state must **stay as it is**: otherwise the end of a sentence would depend on the length of its neighbours.

# %% [markdown] lang="en"
# Write `unroll`. `x` is of shape (n, t, x). Return the hidden state after each symbol, (n, t, h), and the last state. With `backwards` one
# reads from right to left, but output t is still that of symbol t. Three tools are ready: `cell.start(x)` gives the state to start from,
# `hidden_of(state)` the hidden state, and `each_part(f, a, b)` applies `f` to the hidden state (and, for an LSTM, to the memory too).
# Without a `state` (`None`), start from `cell.start(x)`; without a `mask`, all are symbols.
#
# <details><summary>A hint</summary>
#
# A loop over `range(x.shape[1])`, turned round by `reversed` if `backwards`. Each time: `renewed = cell(x[:, t], state)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.where(condition, a, b)` takes from `a` where the condition is true. The condition, `mask[:, t, None]`, is of shape (n, 1).
# `partial(torch.where, condition)` is the function that still waits for `a` and `b` (the library calls it `where_real`): give it to
# `each_part`, with `renewed` and `state`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# Keep the outputs in a list; turn it round if you have read backwards (`outputs[::-1]`), then `torch.stack(…, dim=1)`.
#
# </details>

# %% implements="recurrent:unroll" level=2
"""Lire des phrases avec une cellule, de mêmes poids à chaque symbole.

Rend l'état caché après chaque symbole, et le dernier état. `mask` est vrai
sur les symboles, faux sur le remplissage, où l'état reste tel quel. Avec
`backwards`, la phrase se lit du dernier symbole au premier ; la sortie t
reste celle du symbole t.
"""

# %% scratch=true
# en: one sentence of three symbols, the last of which is padding
# fr: une phrase de trois symboles, dont le dernier est du remplissage
symbols = torch.tensor([[[1.0], [0.0], [5.0]]])
outputs, last = unroll(small, symbols, mask=torch.tensor([[True, True, False]]))
outputs.squeeze().detach()
# → tensor([0.4621, 0.3537, 0.3537])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercices 1 et 2 · Une cellule, et son ruban
#
# **20 min.** 1 : `RNNCell.forward`. 2 : `unroll`, où le remplissage laisse l'état tel quel.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercises 1 and 2 · A cell, and its tape
#
# **20 min.** 1: `RNNCell.forward`. 2: `unroll`, where padding leaves the state as it is.

# %% slide="fragment" slide_only=true tags=["hide-input"]
draw_unrolled(list(say("stars", "étoil")), every=False)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner les sections 1 et 2 du notebook. À guetter : tanh sur chaque somme au lieu du total ; l'état qui n'est pas transmis d'un pas
# à l'autre ; les sorties laissées à l'envers. Demander ce que vaut le dernier état d'une phrase suivie de dix remplissages. (Le même.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out sections 1 and 2 of the notebook. Watch for: tanh over each sum instead of the total; the state not handed on from step to
# step; outputs left the wrong way round. Ask what the last state is of a sentence followed by ten paddings. (The same.)

# %% [markdown] lang="fr"
# ## 3. Prédire le symbole suivant
#
# Que faire d'un état ? Lui demander **la suite**. Une couche linéaire fait de l'état un logit par symbole ; le softmax en fait des
# probabilités. C'est un **modèle de langue**, ici au niveau des lettres. Son corpus : 4 000 légendes de notre monde de formes.
#
# Trois symboles sont à part. `^` ouvre la phrase : il faut bien montrer quelque chose avant la première lettre. `$` la ferme :
# sans lui, le réseau ne saurait jamais s'arrêter. `·` remplit.

# %% [markdown] lang="en"
# ## 3. Predicting the next symbol
#
# What is a state good for? Asking it **what comes next**. A linear layer makes a logit for each symbol out of the state; the softmax makes
# probabilities of them. This is a **language model**, here at the level of letters. Its corpus: 4,000 captions of our world of shapes.
#
# Three symbols are no letters. `^` opens the sentence: something has to be shown before the first letter. `$` closes it: without it the
# network would never know when to stop. `·` is padding.

# %%
tokens = vocabulary.encode(captions)
print(say("symbols:", "symboles :"), "".join(vocabulary.symbols))
print("".join(vocabulary.symbols[number] for number in tokens[1, :60]))

# %% [markdown] lang="fr"
# À l'entraînement, on montre au réseau la **vraie** phrase, quoi qu'il ait prédit : c'est le **forçage par l'enseignant** (*teacher
# forcing*, [](work:williams1989)). À chaque pas, l'entrée est un vrai symbole, et la cible celui qui le suit. Pour la légende « un cœur »,
# où la case vide est l'espace :
#
# | montré | (début) | u | n |  | c | œ | u | r |
# |---|---|---|---|---|---|---|---|---|
# | **attendu** | **u** | **n** |  | **c** | **œ** | **u** | **r** | **(fin)** |

# %% [markdown] lang="fr"
# Écrivez `teacher_forcing` : `sentences`, des entiers de forme (n, t), donne deux tenseurs de forme (n, t − 1), les entrées et les cibles.
#
# <details><summary>Un indice</summary>
#
# Les entrées sont tout, sauf le dernier symbole ; les cibles, tout, sauf le premier. `sentences[:, 1:]` est l'un des deux.
#
# </details>

# %% [markdown] lang="en"
# In training the network is shown the **true** sentence, whatever it has predicted: this is **teacher forcing** ([](work:williams1989)). At
# each step the input is a true symbol, and the target the one that follows it.
#
# | shown | (start) | a |  | r | i | n | g |
# |---|---|---|---|---|---|---|---|
# | **expected** | **a** |  | **r** | **i** | **n** | **g** | **(end)** |

# %% [markdown] lang="en"
# Write `teacher_forcing`: `sentences`, integers of shape (n, t), gives two tensors of shape (n, t − 1), the inputs and the targets.
#
# <details><summary>A hint</summary>
#
# The inputs are all but the last symbol; the targets, all but the first. `sentences[:, 1:]` is one of the two.
#
# </details>

# %% implements="language_model:teacher_forcing" level=1
"""Les entrées et les cibles d'un modèle qui prédit le symbole suivant.

L'entrée de chaque pas est le vrai symbole, quoi que le modèle ait prédit
auparavant (Williams et Zipser 1989) ; la cible est le symbole d'après.
"""

# %% scratch=true
teacher_forcing(torch.tensor([[1, 5, 7, 2]]))
# → (tensor([[1, 5, 7]]), tensor([[5, 7, 2]]))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Montrer le vrai, demander la suite
#
# | montré | (début) | u | n |  | c | œ | u | r |
# |---|---|---|---|---|---|---|---|---|
# | **attendu** | **u** | **n** |  | **c** | **œ** | **u** | **r** | **(fin)** |
#
# Au premier pas, qui hésite également entre $v$ symboles perd $\log v$.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Show the truth, ask for the next
#
# | shown | (start) | a |  | r | i | n | g |
# |---|---|---|---|---|---|---|---|
# | **expected** | **a** |  | **r** | **i** | **n** | **g** | **(end)** |
#
# At the first step, hesitating equally between $v$ symbols costs $\log v$.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander pourquoi un symbole de début, pourquoi un symbole de fin. Puis : à l'examen, l'enseignant n'est plus là ; d'où viendra
# l'entrée ? (De ce que le réseau vient d'écrire.) Garder la question pour la section 13.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask why there is a start symbol, and why an end symbol. Then: in the exam the teacher is gone; where will the input come from? (From
# what the network has just written.) Keep the question for section 13.

# %% [markdown] lang="fr"
# ### La perte, et la perplexité
#
# La perte d'un pas est la surprise, $-\log p$, où $p$ est la probabilité du vrai symbole. Un symbole auquel on donnait 0,5 coûte
# $\log 2 \approx 0{,}69$ nat ; s'il n'avait que 0,25, le double. La moyenne se lit mieux une fois passée à l'exponentielle : c'est la
# **perplexité**. $e^{\text{perte}}$ dit entre combien de symboles équiprobables le réseau hésite. **Devinez** la première perte d'un réseau
# tout neuf.

# %% [markdown] lang="en"
# ### The loss, and perplexity
#
# The loss of a step is the surprise, $-\log p$, where $p$ is the probability of the true symbol. A symbol that was given 0.5 costs
# $\log 2 \approx 0.69$ nats; one that was given 0.25, twice as much. The mean is easier to read under an exponential, **perplexity**:
# $e^{\text{loss}}$ says among how many equally likely symbols the network hesitates. **Guess** the first loss of a brand-new network.

# %%
first_loss = newborn.loss(tokens[:200]).item()
print(say("symbols:", "symboles :"), len(vocabulary))
print("log v:", decimal(math.log(len(vocabulary)), 2))
print(say("first loss:", "première perte :"), decimal(first_loss, 2))
print(say("perplexity:", "perplexité :"), decimal(math.exp(first_loss), 1))

# %% claims=true
assert abs(first_loss - math.log(len(vocabulary))) < 0.1
assert round(math.log(2), 2) == 0.69
assert math.isclose(-math.log(0.25), 2 * math.log(2))

# %% [markdown] lang="fr"
# Près de $\log v$, où $v$ est le nombre de symboles : il hésite entre tous. Reste un piège. Le remplissage est facile à deviner ; s'il
# comptait, la perte baisserait sans que rien d'utile soit appris.

# %% [markdown] lang="fr"
# Écrivez `masked_cross_entropy` : `logits`, de forme (n, t, v), et `expected`, des entiers de forme (n, t), donnent un nombre, la moyenne
# des surprises des vrais symboles de tout le lot. `PAD` vaut 0, et marque le remplissage.
#
# <details><summary>Un indice</summary>
#
# $-\log \mathrm{softmax}(z)_k = \log \sum_j e^{z_j} - z_k$. Le premier terme est `logits.logsumexp(dim=-1)`, de forme (n, t), sans
# débordement.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `logits.gather(-1, expected.unsqueeze(-1)).squeeze(-1)` prend, à chaque place, le logit du symbole attendu.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `real = (expected != PAD)` ; divisez **une** fois : la somme des surprises réelles, par le nombre de vrais symboles.
#
# </details>

# %% [markdown] lang="en"
# Close to $\log v$, where $v$ is the number of symbols: it hesitates among all of them. One trap is left. Padding is easy to guess; if it
# counted, the loss would fall without anything useful being learned.

# %% [markdown] lang="en"
# Write `masked_cross_entropy`: `logits`, of shape (n, t, v), and `expected`, integers of shape (n, t), give a number, the mean of the
# surprises of the real symbols of the whole batch. `PAD` is 0, and marks padding.
#
# <details><summary>A hint</summary>
#
# $-\log \mathrm{softmax}(z)_k = \log \sum_j e^{z_j} - z_k$. The first term is `logits.logsumexp(dim=-1)`, of shape (n, t), without overflow.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `logits.gather(-1, expected.unsqueeze(-1)).squeeze(-1)` takes, at each place, the logit of the expected symbol.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `real = (expected != PAD)`; divide **once**: the sum of the real surprises, by the number of real symbols.
#
# </details>

# %% implements="language_model:masked_cross_entropy" level=2
"""La moyenne de -log softmax(logits)[expected], en nats, hors remplissage."""

# %% scratch=true
# en: two symbols, equally likely; the second place is padding
# fr: deux symboles équiprobables ; la seconde place est du remplissage
masked_cross_entropy(torch.zeros(1, 2, 2), torch.tensor([[1, PAD]]))
# → tensor(0.6931)

# %% [markdown] lang="fr"
# ### Tirer la suite au sort
#
# Écrire, c'est demander les probabilités, **tirer au sort** un symbole, le relire, recommencer. Une **température** $T$ divise les logits
# avant le softmax : à 1, ce sont les probabilités du réseau ; en dessous, les symboles probables le deviennent davantage ; à 0, on prend
# toujours le plus probable.
#
# Trois logits : 2, 1, 0. À $T = 1$, leurs probabilités sont 0,665, 0,245 et 0,090. **Devinez** la première à $T = 0{,}5$.

# %% [markdown] lang="en"
# ### Sampling what comes next
#
# Writing is asking for the probabilities, **sampling** a symbol, reading it, beginning again. A **temperature** $T$ divides the logits
# before the softmax: at 1 the probabilities are the network's; below, likely symbols become likelier; at 0 the likeliest is always taken.
#
# Three logits: 2, 1, 0. At $T = 1$ their probabilities are 0.665, 0.245 and 0.090. **Guess** the first at $T = 0.5$.

# %%
three_logits = torch.tensor([2.0, 1.0, 0.0])
for temperature in (2.0, 1.0, 0.5):
    shares = (three_logits / temperature).softmax(dim=0)
    print("T =", decimal(temperature, 1), " ", *(decimal(p, 3) for p in shares))

# %% claims=true
assert [round(p, 3) for p in three_logits.softmax(dim=0).tolist()] == [0.665, 0.245, 0.09]
assert round((three_logits / 0.5).softmax(dim=0)[0].item(), 2) == 0.87

# %% [markdown] lang="fr"
# À 0,5, la première monte à 0,87 : le choix se resserre.

# %% [markdown] lang="fr"
# Écrivez `sample_next` : `logits`, de forme (n, v), donne n entiers, un symbole par phrase. À température 0, le plus probable.
#
# <details><summary>Un indice</summary>
#
# `torch.multinomial(probabilities, 1, generator=generator)` tire un indice par ligne ; le résultat est de forme (n, 1).
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# On ne peut pas diviser par 0 : traitez d'abord ce cas, avec `logits.argmax(dim=-1)`.
#
# </details>

# %% [markdown] lang="en"
# At 0.5 the first rises to 0.87: the choice narrows.

# %% [markdown] lang="en"
# Write `sample_next`: `logits`, of shape (n, v), gives n integers, a symbol for each sentence. At temperature 0, the likeliest.
#
# <details><summary>A hint</summary>
#
# `torch.multinomial(probabilities, 1, generator=generator)` samples an index for each row; the result is of shape (n, 1).
#
# </details>
#
# <details><summary>A second hint</summary>
#
# One cannot divide by 0: deal with that case first, with `logits.argmax(dim=-1)`.
#
# </details>

# %% implements="language_model:sample_next" level=1
"""Tire le symbole suivant selon softmax(logits / température).

Une température de 1 garde les probabilités du modèle. En dessous, les
symboles probables le deviennent davantage ; au-dessus, moins. 0 prend
toujours le plus probable.
"""

# %% scratch=true
sample_next(torch.tensor([[0.0, 3.0], [5.0, 1.0]]), 0.0, torch.Generator())
# → tensor([1, 0])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La température
#
# Logits 2, 1 et 0 : que devient la première probabilité ?
#
# | $T$ | | | |
# |---|---|---|---|
# | 2 | 0,506 | 0,307 | 0,186 |
# | 1 | 0,665 | 0,245 | 0,090 |
# | 0,5 | 0,867 | 0,117 | 0,016 |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Temperature
#
# Logits 2, 1 and 0: what becomes of the first probability?
#
# | $T$ | | | |
# |---|---|---|---|
# | 2 | 0.506 | 0.307 | 0.186 |
# | 1 | 0.665 | 0.245 | 0.090 |
# | 0.5 | 0.867 | 0.117 | 0.016 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire calculer la ligne T = 1 : exp 2 ≈ 7,39, exp 1 ≈ 2,72, exp 0 = 1. Demander ce que donne une température très grande (tous
# égaux), puis 0 (toujours le premier). Prévenir : c'est sur les logits que l'on divise, pas sur les probabilités.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them compute the row T = 1: exp 2 ≈ 7.39, exp 1 ≈ 2.72, exp 0 = 1. Ask what a very large temperature gives (all alike), then 0
# (always the first). Warn them: it is the logits that are divided, not the probabilities.

# %% claims=true
rows = {2.0: [0.506, 0.307, 0.186], 0.5: [0.867, 0.117, 0.016]}
for temperature, row in rows.items():
    found = (three_logits / temperature).softmax(dim=0).tolist()
    assert [round(share, 3) for share in found] == row

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 3-5"
# ### Exercices 3 à 5 · Apprendre, puis écrire
#
# **20 min.** 3 : `teacher_forcing`. 4 : `masked_cross_entropy`, sans le remplissage. 5 : `sample_next`.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 3-5"
# ### Exercises 3 to 5 · Learn, then write
#
# **20 min.** 3: `teacher_forcing`. 4: `masked_cross_entropy`, without padding. 5: `sample_next`.

# %% [markdown] slide="fragment" slide_only=true
# $$ -\log \mathrm{softmax}(z)_k = \log \sum_j e^{z_j} - z_k $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner la section 3. À guetter : une moyenne par phrase au lieu d'une seule division ; le remplissage dans le compte ; les
# probabilités divisées au lieu des logits. Demander la perplexité d'une perte de log 2. (Deux.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out section 3. Watch for: a mean for each sentence instead of one division; padding in the count; probabilities divided
# instead of logits. Ask for the perplexity of a loss of log 2. (Two.)

# %% [markdown] lang="fr"
# ## 4. Ce que pèse le passé
#
# Comment la cellule apprend-elle ? On la déroule, et l'on rétropropage d'un bout à l'autre du ruban, de la perte du dernier pas jusqu'au
# premier : c'est la **rétropropagation à travers le temps**. Les mêmes poids reçoivent un gradient à chaque pas ; on les additionne. On
# s'arrête au début de la phrase (ou, pour un long texte, au bout d'un nombre fixé de pas).
#
# En remontant, le gradient traverse $W_{hh}$ et la pente de tanh à **chaque** pas :

# %% [markdown] lang="en"
# ## 4. What the past weighs
#
# How does the cell learn? It is unrolled, and one backpropagates from one end of the tape to the other, from the loss of the last step down
# to the first: this is **backpropagation through time**. The same weights get a gradient at each step; these are added up. One stops at
# the beginning of the sentence (or, in a long text, after a fixed number of steps).
#
# On its way back, the gradient goes through $W_{hh}$ and the slope of tanh at **each** step:

# %% [markdown]
# $$ \frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} \mathrm{diag}\!\left( 1 - h_j^2 \right) W_{hh} $$

# %% [markdown] lang="fr"
# Un produit de facteurs semblables reste rarement près de 1. **Devinez** ce que donnent dix pas, si chaque pas multiplie par 0,5 ;
# puis si chaque pas multiplie par 2.

# %% [markdown] lang="en"
# A product of similar factors seldom stays near 1. **Guess** what ten steps make if each multiplies by 0.5; then if each multiplies by
# 2.

# %%
for factor in (0.5, 1.0, 2.0):
    print(decimal(factor, 1), "→", decimal(factor**10, 3))

# %% claims=true
assert 0.0009 < 0.5**10 < 0.001
assert 2**10 == 1024

# %% [markdown] lang="fr"
# Un millième, ou mille. Le premier mal, le gradient qui **s'éteint**, empêche d'apprendre ce qui est loin ([](work:bengio1994)). Le second,
# le gradient qui **explose**, défait en un pas ce qui était appris. Voyons-le. Voici une cellule simple dont la matrice $W_{hh}$ est cinq
# fois trop grande ; elle apprend nos légendes par descente de gradient, quatre-vingts pas. À chaque pas, nous notons la longueur du
# gradient.

# %% [markdown] lang="en"
# A thousandth, or a thousand. The first ill, the gradient that **vanishes**, keeps it from learning what is far away ([](work:bengio1994)).
# The second, the gradient that **explodes**, undoes in one step what was learned. Let us see it. Here is a plain cell whose matrix $W_{hh}$
# is five times too large; it learns our captions by gradient descent, eighty steps. At each step we note the length of the gradient.

# %%
def too_large():
    torch.manual_seed(0)
    model = CharacterModel(len(vocabulary), width=32, hidden=64, cell=RNNCell)
    with torch.no_grad():
        model.cell.weight_hh *= 5
    return model


# %%
def descend(limit):
    model = too_large()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    generator, losses, lengths = torch.Generator().manual_seed(0), [], []
    for _ in range(80):
        chosen = torch.randint(len(tokens), (32,), generator=generator)
        loss = model.loss(tokens[chosen, :40])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        # en: returns the gradient's length, and shortens it to the limit
        # fr: rend la longueur du gradient, et le ramène à la limite
        length = nn.utils.clip_grad_norm_(model.parameters(), limit)
        lengths.append(length.item())
        optimizer.step()
    return losses, lengths


# %%
free_losses, free_lengths = descend(limit=math.inf)
usual = sorted(free_lengths)[40]
print(say("usual length of the gradient:", "longueur habituelle du gradient :"),
      decimal(usual, 1))
print(say("at the first step:", "au premier pas :"), decimal(free_lengths[0], 0))
print(say("largest after that:", "la plus grande ensuite :"),
      decimal(max(free_lengths[1:]), 0))

# %% claims=true
assert free_lengths[0] > 200 * usual
assert max(free_lengths[1:]) > 5 * usual

# %% [markdown] lang="fr"
# Au premier pas, le gradient est des centaines de fois plus long que d'habitude, et il bondit encore ensuite. Un pas de cette longueur jette les
# poids au loin. Le remède est brutal et suffit : l'**écrêtage** (*gradient clipping*, [](work:pascanu2013)). Si le gradient dépasse une limite, on le
# raccourcit à cette limite, **sans changer sa direction**.

# %% [markdown] lang="en"
# At the first step the gradient is hundreds of times longer than usual, and it leaps again later. A step of that length throws the weights far
# away. The cure is brutal, and is enough: **clipping** ([](work:pascanu2013)). If the gradient exceeds a limit, it is shortened to that limit, **without changing its
# direction**.

# %% [markdown] lang="fr"
# Écrivez `clipped` : un vecteur `gradient` et une limite donnent le gradient raccourci. Plus court que la limite, il reste tel quel.
#
# <details><summary>Un indice</summary>
#
# `gradient.norm()` est sa longueur. Par combien faut-il multiplier un vecteur de longueur 10 pour qu'il ait la longueur 1 ?
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Le facteur est le plus petit de deux nombres : 1, et la limite divisée par la longueur.
#
# </details>

# %% [markdown] lang="en"
# Write `clipped`: a vector `gradient` and a limit give the gradient shortened. Shorter than the limit, it stays as it is.
#
# <details><summary>A hint</summary>
#
# `gradient.norm()` is its length. By how much must a vector of length 10 be multiplied to have length 1?
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The factor is the smaller of two numbers: 1, and the limit divided by the length.
#
# </details>

# %% level=1
def clipped(gradient, limit):
    factor = min(1.0, limit / gradient.norm().item())
    return gradient * factor


# %% scratch=true
clipped(torch.tensor([3.0, 4.0]), 1.0)
# → tensor([0.6000, 0.8000])

# %%
def three_gradients():
    given = [6.0, 8.0], [0.3, 0.4], [-5.0]
    return [clipped(torch.tensor(each), 2.0) for each in given]


shortened = [torch.tensor(each) for each in ([1.2, 1.6], [0.3, 0.4], [-2.0])]
expect(three_gradients, shortened, say("three gradients, limit 2", "trois gradients, limite 2"),
       tolerance=1e-4)

# %%
clipped_losses, clipped_lengths = descend(limit=1.0)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Un gradient explose
#
# La même cellule, le même pas : libre, ou écrêté à 1.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. A gradient explodes
#
# The same cell, the same step: free, or clipped to 1.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=9, height=3.3)
panels[0].semilogy(free_lengths, color=VERMILION)
panels[0].axhline(1, color="grey", linestyle=":")
panels[0].set(xlabel=say("step", "pas"), title=say("length of the gradient", "longueur du gradient"))
for losses, colour, name in ((free_losses, VERMILION, say("free", "libre")),
                             (clipped_losses, BLUE, say("clipped", "écrêté"))):
    panels[1].plot(losses, color=colour, label=name)
panels[1].set(xlabel=say("step", "pas"), title=say("loss (nats)", "perte (nats)"), ylim=(0, 8))
legend(panels[1])
picture(figure, say("The free gradient begins hundreds of times too long and leaps "
                    "again; with clipping the loss falls lower.",
                    "Le gradient libre commence des centaines de fois trop long, "
                    "puis bondit ; écrêté, la perte tombe plus bas."))

# %% claims=true
assert sum(clipped_losses[-10:]) / 10 < sum(free_losses[-10:]) / 10 - 0.3


def leaps(losses):
    return sum(after - before > 0.4 for before, after in zip(losses, losses[1:]))


assert leaps(free_losses) >= 2
assert leaps(clipped_losses) == 0

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Lire l'échelle, logarithmique : au premier pas, des centaines de fois l'ordinaire. Demander ce que l'écrêtage change à la direction
# (rien), et s'il guérit le gradient qui s'éteint (non : on ne rallonge pas ce qui ne dit plus rien).

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Read the scale, which is logarithmic: at the first step, hundreds of times the usual. Ask what clipping changes in the direction
# (nothing), and whether it cures the gradient that vanishes (no: what says nothing any more cannot be lengthened).

# %% [markdown] lang="fr"
# Libre, la perte remonte par bonds. Écrêté, le même réseau descend sans bond, avec le même pas d'apprentissage, et finit plus bas. Toute la
# suite de la leçon écrête à 1. Mais l'écrêtage ne peut rien contre le gradient qui s'éteint : il faut une autre cellule.

# %% [markdown] lang="en"
# Free, the loss leaps up again and again. Clipped, the same network descends without leaps, at the same learning rate, and ends lower. All
# the rest of the lesson clips to 1. But clipping is no help against the gradient that vanishes: for that another cell is needed.

# %% [markdown] lang="fr"
# ## 5. Le LSTM : un tapis et quatre boîtes
#
# L'idée de [Hochreiter et Schmidhuber](work:hochreiter1997) : ne plus **multiplier** la mémoire par une matrice, mais y **ajouter**. Une
# mémoire $c$ avance sur un tapis roulant ; rien ne la plie au passage. Quatre petits réseaux, qui voient tous le symbole $x$ et l'état $h$,
# décident de tout. Trois sont des **portes** (*gates*) : une sigmoïde, donc un nombre entre 0 et 1, qui multiplie.
#
# - La porte d'**oubli** $f$ : quelle part de la mémoire garder ?
# - La porte d'**entrée** $i$ : quelle part du candidat y ajouter ?
# - Le **candidat** $g$, lui, passe par tanh : ce que l'on voudrait écrire, entre −1 et 1.
# - La porte de **sortie** $o$ : quelle part de la mémoire montrer ?
#
# Un nombre pour chacune. La mémoire vaut 2. Les sommes sont 2 pour l'oubli, −2 pour l'entrée, 1 pour le candidat, 0 pour la sortie.
# **Devinez** si la nouvelle mémoire sera plus grande ou plus petite que 2.

# %% [markdown] lang="en"
# ## 5. The LSTM: a belt and four boxes
#
# The idea of [Hochreiter and Schmidhuber](work:hochreiter1997): no longer **multiply** the memory, but **add** to it. A memory $c$ moves along
# on a belt; nothing bends it on the way. Four small networks, which all see the symbol $x$ and the state $h$, decide everything. Three are
# **gates**: a sigmoid, hence a number between 0 and 1, that multiplies.
#
# - The **forget** gate $f$: what part of the memory to keep?
# - The **input** gate $i$: what part of the candidate to add?
# - The **candidate** $g$ goes through tanh: what one would like to write, between −1 and 1.
# - The **output** gate $o$: what part of the memory to show?
#
# A number for each. The memory is 2. The sums are 2 for forget, −2 for input, 1 for the candidate, 0 for output. **Guess** whether the new
# memory will be larger or smaller than 2.

# %%
def sigmoid(z):
    return 1 / (1 + math.exp(-z))


memory = 2.0
forget, enter, candidate, show = sigmoid(2), sigmoid(-2), math.tanh(1), sigmoid(0)
new_memory = forget * memory + enter * candidate
hidden = show * math.tanh(new_memory)
gates = forget, enter, candidate, show
print("f, i, g, o:", *(decimal(part, 3) for part in gates))
print(say("new memory c:", "nouvelle mémoire c :"), decimal(new_memory, 3))
print(say("hidden state h:", "état caché h :"), decimal(hidden, 3))

# %% claims=true
assert [round(part, 3) for part in (forget, enter, candidate)] == [0.881, 0.119, 0.762]
assert (round(new_memory, 3), round(hidden, 3)) == (1.852, 0.476)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Le LSTM : un tapis, quatre boîtes

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. The LSTM: a belt, four boxes

# %% slide="fragment" tags=["hide-input"]
draw_lstm({"f": forget, "i": enter, "g": candidate, "o": show,
           "before": memory, "c": new_memory, "h": hidden})

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Suivre le tapis du doigt : fois f, plus i fois g. Refaire le calcul : 0,881 fois 2, plus 0,119 fois 0,762, soit 1,852. Demander ce
# que devient la mémoire si f = 1 et i = 0 (elle ne change pas, aussi longtemps que l'on veut). c n'est pas une sortie : h l'est.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Follow the belt with a finger: times f, plus i times g. Do the sum again: 0.881 times 2, plus 0.119 times 0.762, which is 1.852. Ask
# what becomes of the memory if f = 1 and i = 0 (it does not change, for as long as one likes). c is not an output: h is.

# %% [markdown] lang="fr"
# Plus petite : on n'en a gardé que 0,881 fois la valeur, sans presque rien y ajouter. En formules, où $\odot$ multiplie nombre à nombre :

# %% [markdown] lang="en"
# Smaller: only 0.881 of it was kept, and next to nothing added. In formulas, where $\odot$ multiplies number by number:

# %% [markdown]
# $$ \begin{gathered} i, f, o = \sigma(\cdot) \qquad g = \tanh(\cdot) \\ c_t = f \odot c_{t-1} + i \odot g \qquad h_t = o \odot \tanh(c_t) \end{gathered} $$

# %% [markdown] lang="fr"
# L'état d'un LSTM est donc **deux** vecteurs : l'état caché $h$, que le reste du réseau voit, et la mémoire $c$ (*cell state*), qui ne sort pas. La
# pente de $c_t$ par rapport à $c_{t-1}$, le long du tapis, est $f$ : avec $f$ proche de 1, rien ne s'éteint. (Le LSTM de 1997 n'avait pas
# de porte d'oubli : [Gers, Schmidhuber et Cummins](work:gers2000) l'ont ajoutée.)

# %% [markdown] lang="fr"
# Écrivez `forward`. `x` est de forme (n, x) ; `state` est la paire `(hidden, memory)`, chacun de forme (n, h). Rendez la nouvelle paire. Les
# quatre sommes sont rangées côte à côte, dans l'ordre de PyTorch : **entrée, oubli, candidat, sortie** (i, f, g, o).
#
# <details><summary>Un indice</summary>
#
# `from_input, from_state = self.sums(x, hidden)` sont de forme (n, 4h). Ajoutez-les, puis coupez en quatre : `.chunk(4, dim=-1)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `.sigmoid()` pour i, f et o ; `.tanh()` pour g. D'abord la mémoire, puis l'état caché, qui se sert de la nouvelle.
#
# </details>

# %% [markdown] lang="en"
# The state of an LSTM is thus **two** vectors: the hidden state $h$, which the rest of the network sees, and the memory $c$ (the cell
# state), which does not come out. The slope of $c_t$ with respect to $c_{t-1}$, along the belt, is $f$: with $f$ close to 1, nothing
# vanishes. (The LSTM of 1997 had no forget gate: [Gers, Schmidhuber and Cummins](work:gers2000) added it.)

# %% [markdown] lang="en"
# Write `forward`. `x` is of shape (n, x); `state` is the pair `(hidden, memory)`, each of shape (n, h). Return the new pair. The four sums
# stand side by side, in PyTorch's order: **input, forget, candidate, output** (i, f, g, o).
#
# <details><summary>A hint</summary>
#
# `from_input, from_state = self.sums(x, hidden)` are of shape (n, 4h). Add them, then cut into four: `.chunk(4, dim=-1)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `.sigmoid()` for i, f and o; `.tanh()` for g. First the memory, then the hidden state, which uses the new one.
#
# </details>

# %% implements="recurrent:LSTMCell" level=2 hollow=["forward"]
"""Une mémoire c, et un état caché qui en montre une part.

La mémoire n'est que réduite et augmentée, si bien que les gradients durent.
L'état caché est h = o tanh(c). L'état est la paire (h, c). Les portes sont
dans l'ordre de PyTorch : entrée i, oubli f, candidat g, sortie o.
"""
"""L'état avant toute lecture : ses deux parties sont nulles."""
"""L'état caché et la mémoire après un symbole de plus."""
# keep part of the memory, add part of the candidate => garder une part de la mémoire, ajouter une part du candidat

# %% scratch=true
tiny = LSTMCell(1, 1)
for parameter in tiny.parameters():
    nn.init.zeros_(parameter)
# en: i, f, g, o, as in the example
# fr: i, f, g, o, comme dans l'exemple
tiny.bias_ih.data = torch.tensor([-2.0, 2.0, 1.0, 0.0])
state = (torch.zeros(1, 1), torch.tensor([[2.0]]))
[round(part.item(), 3) for part in tiny(torch.zeros(1, 1), state)]
# → [0.476, 1.852]

# %% [markdown] lang="fr"
# ### Retenir un bit
#
# Une mémoire qui ne perd rien, cela se règle à la main. Notre LSTM n'a qu'une unité. Il lit deux nombres par pas : une valeur, +1 ou −1, et
# un signal « note ! », 1 au premier pas, 0 ensuite. Il doit retenir **la première valeur** pendant cinquante pas, et ignorer les suivantes.

# %% [markdown] lang="en"
# ### Remembering one bit
#
# A memory that loses nothing can be set by hand. Our LSTM has a single unit. It reads two numbers at each step: a value, +1 or −1, and a
# signal "take note!", 1 at the first step and 0 from then on. It has to remember **the first value** for fifty steps, and ignore the others.

# %% [markdown] lang="fr"
# Remplissez `by_hand`, de forme (4, 3). Les lignes sont i, f, g, o ; les colonnes, le poids de la valeur, celui du signal, et le biais.
# Aucune porte n'a besoin de l'état caché : ses poids restent à 0. Mais c'est lui que l'on lit à la fin : après le cinquantième pas, il doit
# avoir le signe de la première valeur, et dépasser 0,5 en valeur absolue.
#
# <details><summary>Un indice</summary>
#
# Pour chaque ligne, posez deux questions : que doit valoir cette porte au premier pas (signal 1) ? et ensuite (signal 0) ?
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# La porte d'entrée doit être ouverte quand le signal vaut 1 et fermée quand il vaut 0 : un poids de 20 sur le signal et un biais de −10
# donnent $\sigma(10)$, puis $\sigma(-10)$. Celle d'oubli fait l'inverse.
#
# </details>

# %% [markdown] lang="en"
# Fill in `by_hand`, of shape (4, 3). The rows are i, f, g, o; the columns are the weight of the value, that of the signal, and the bias. No
# gate needs the hidden state: its weights stay 0. But it is what is read at the end: after the fiftieth step it must have the sign of the
# first value, and exceed 0.5 in absolute value.
#
# <details><summary>A hint</summary>
#
# For each row ask two questions: what should this gate be at the first step (signal 1)? and after that (signal 0)?
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The input gate must be open when the signal is 1 and shut when it is 0: a weight of 20 on the signal and a bias of −10 give $\sigma(10)$,
# then $\sigma(-10)$. The forget gate does the opposite.
#
# </details>

# %% level=2
by_hand = torch.tensor([
    [0.0, 20.0, -10.0],
    [0.0, -20.0, 10.0],
    [3.0, 0.0, 0.0],
    [0.0, 0.0, 10.0],
])

# %% scratch=true
# en: the input gate at the first step, then at any other
# fr: la porte d'entrée au premier pas, puis à tout autre
gate = torch.tensor([0.0, 20.0, -10.0])
two_steps = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
(two_steps @ gate).sigmoid().round(decimals=3)
# → tensor([1., 0.])

# %%
def remembered(weights):
    cell = LSTMCell(2, 1)
    for parameter in cell.parameters():
        nn.init.zeros_(parameter)
    cell.weight_ih.data, cell.bias_ih.data = weights[:, :2], weights[:, 2]
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(2, (200, 50), generator=generator) * 2.0 - 1
    signal = torch.zeros(200, 50)
    signal[:, 0] = 1
    outputs, _ = unroll(cell, torch.stack([values, signal], dim=-1))
    # en: the last hidden state has the first value's sign, and is not faint
    # fr: le dernier état caché a le signe de la première valeur, et n'est pas faible
    last = outputs[:, -1, 0].detach()
    return bool((last * values[:, 0] > 0.5).all())


# %%
expect(lambda: ... if by_hand is ... else remembered(by_hand), True,
       say("the first bit after fifty steps", "le premier bit après cinquante pas"))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 6-8"
# ### Exercices 6 à 8 · Écrêter, retenir
#
# **25 min.** 6 : `clipped`. 7 : `LSTMCell.forward`, dans l'ordre i, f, g, o. 8 : des portes réglées à la main, un bit retenu cinquante pas.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 6-8"
# ### Exercises 6 to 8 · Clip, remember
#
# **25 min.** 6: `clipped`. 7: `LSTMCell.forward`, in the order i, f, g, o. 8: gates set by hand, one bit remembered for fifty steps.

# %% [markdown] slide="fragment" slide_only=true
# $$ c_t = f \odot c_{t-1} + i \odot g \qquad h_t = o \odot \tanh(c_t) $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 25 min. Donner les sections 4 et 5. À guetter : o et g intervertis (l'ordre de PyTorch est i, f, g, o) ; h et c intervertis ; tanh oublié
# dans h. Exercice 8 : faire dire d'abord en mots ce que doit faire chaque porte, au premier pas, puis ensuite.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 25 min. Hand out sections 4 and 5. Watch for: o and g swapped (PyTorch's order is i, f, g, o); h and c swapped; tanh forgotten in h.
# Exercise 8: have them say first, in words, what each gate must do at the first step, and from then on.

# %% [markdown] lang="fr"
# ### Un bouton : le biais d'oubli
#
# Un LSTM neuf a des portes d'oubli autour de $\sigma(0) = 0{,}5$ : il jette la moitié de sa mémoire à chaque pas. Faisons-lui apprendre le
# même jeu : retenir le premier signe, malgré les vingt-quatre nombres tirés au sort qui le suivent. L'entraînement dure cent pas. Un seul
# bouton change : le **biais** de sa porte d'oubli au départ. **Devinez** l'exactitude pour −2, 0, 1, 2 et 4, sachant que le hasard
# fait 50 %.

# %% [markdown] lang="en"
# ### One knob: the forget bias
#
# A new LSTM has forget gates around $\sigma(0) = 0.5$: it throws half of its memory away at each step. Let it learn the same game: remember
# the first sign under twenty-four random numbers, a hundred training steps. One knob alone changes: the **bias** of its forget gate at the
# start. **Guess** the accuracy for −2, 0, 1, 2 and 4, knowing that chance makes 50%.

# %%
def new_player(forget_bias):
    torch.manual_seed(0)
    cell, head = LSTMCell(1, 8), nn.Linear(8, 1)
    with torch.no_grad():
        # en: the second quarter of the rows is the forget gate's
        # fr: le deuxième quart des lignes est celui de la porte d'oubli
        cell.bias_ih[8:16] = forget_bias
        cell.bias_hh[8:16] = 0
    return cell, head


def play(cell, head, games, generator):
    numbers = torch.randn(games, 25, 1, generator=generator) / 2
    bits = torch.randint(2, (games,), generator=generator).float()
    numbers[:, 0, 0] = 4 * bits - 2
    return head(unroll(cell, numbers)[0][:, -1]).squeeze(1), bits


# %%
def recall(forget_bias):
    generator = torch.Generator().manual_seed(0)
    cell, head = new_player(forget_bias)
    weights = [*cell.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=0.02)
    for _ in range(100):
        logits, bits = play(cell, head, 32, generator)
        loss = F.binary_cross_entropy_with_logits(logits, bits)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
    logits, bits = play(cell, head, 500, generator)
    return ((logits > 0) == (bits > 0)).float().mean().item()


# %%
biases = [-2, 0, 1, 2, 4]
recalled = [recall(bias) for bias in biases]
for bias, share in zip(biases, recalled):
    print(f"{bias:3}", say(f"{share:5.0%}", f"{100 * share:4.0f} %"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Un bouton : le biais d'oubli
#
# Retenir un signe sous vingt-quatre nombres : qu'apprend le LSTM en cent pas ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### One knob: the forget bias
#
# Remember a sign under twenty-four numbers: what does the LSTM learn in a hundred steps?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.2)
axes.plot(biases, [100 * share for share in recalled], "o-", color=BLUE)
axes.axhline(50, color="grey", linestyle=":", label=say("chance", "hasard"))
axes.set(xlabel=say("forget bias at the start", "biais d'oubli au départ"),
         ylabel=say("right (%)", "justes (%)"), ylim=(40, 103), xticks=biases)
legend(axes, loc="lower right")
picture(figure, say("With a forget bias of 0 or less the LSTM answers by chance; at 1"
                    " it has not learned yet; from 2 on it is always right.",
                    "Avec un biais d'oubli de 0 ou moins, le LSTM répond au hasard"
                    " ; à 1, il n'a pas encore appris ; dès 2, il a raison."))

# %% claims=true
assert max(recalled[0], recalled[1]) < 0.6
assert recalled[2] < 0.9
assert min(recalled[3], recalled[4]) > 0.97
assert 0.8 < sigmoid(2)
assert sigmoid(0) == 0.5

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Prendre les paris avant la courbe. Une mémoire qui ne garde que la moitié à chaque pas n'a plus rien au bout de vingt-quatre :
# aucun gradient ne vient dire qu'il fallait garder. Demander quel défaut un biais de 4 pourrait avoir. (Il apprend lentement à oublier.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Take bets before the curve. A memory that keeps only half at each step has nothing left after twenty-four: no gradient comes to say
# that it should have kept. Ask what fault a bias of 4 might have. (It is slow to learn to forget.)

# %% [markdown] lang="fr"
# Tout ou rien. À 0 ou moins, le LSTM oublie avant d'avoir pu apprendre à retenir ; à 2, la porte commence à 0,88, et il retient. C'est un
# vieux conseil ([](work:jozefowicz2015)) : commencer avec un biais d'oubli positif. À 1, notre LSTM échoue encore ; mais nos légendes demandent de
# retenir moins longtemps que ce jeu : nous prendrons 1.

# %% [markdown] lang="en"
# All or nothing. At 0 or below, the LSTM forgets before it can learn to remember; at 2 the gate starts at 0.88, and it remembers. It is old
# advice ([](work:jozefowicz2015)): begin with a positive forget bias. At 1 it still fails; but our captions ask for a shorter memory than
# this game: we shall take 1.

# %% claims=true
assert round(sigmoid(2), 2) == 0.88

# %% [markdown] lang="fr"
# ## 6. GRU : deux portes
#
# Le **GRU** ([](work:cho2014)) se passe de mémoire à part : son état caché en tient lieu. Deux portes suffisent, deux sigmoïdes de sommes
# comme celles du LSTM. La porte de **remise à zéro** $r$ dit combien de passé le candidat $n$ a le droit de voir ; la porte de **mise à
# jour** $z$, combien de passé on garde. Ce qu'on garde et ce qu'on ajoute font toujours 1 : un seul bouton, au lieu de deux.

# %% [markdown] lang="en"
# ## 6. GRU: two gates
#
# The **GRU** ([](work:cho2014)) does without a memory apart: its hidden state takes its place. Two gates are enough, two sigmoids of sums
# like those of the LSTM. The **reset** gate $r$ says how much of the past the candidate $n$ may see; the **update** gate $z$, how much of
# the past is kept. What is kept and what is added always make 1: one knob, instead of two.

# %% [markdown]
# $$ n = \tanh\!\left( W x + b + r \odot (U h_{t-1} + b') \right) \qquad h_t = z \odot h_{t-1} + (1 - z) \odot n $$

# %% [markdown] lang="fr"
# Écrivez `forward` : `x`, (n, x), et `state`, (n, h), donnent le nouvel état, (n, h). Les trois parties sont dans l'ordre r, z, n. Attention :
# $r$ multiplie la somme venue de l'état **seule**, biais compris. C'est pour cela qu'il y a deux biais, et que `self.sums` rend deux tenseurs.
#
# <details><summary>Un indice</summary>
#
# Coupez **chacune** des deux sommes en trois : `r_x, z_x, n_x = from_input.chunk(3, dim=-1)`, et de même pour l'état.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `r` et `z` sont des sigmoïdes de sommes ; le candidat est `torch.tanh(n_x + r * n_h)`.
#
# </details>

# %% [markdown] lang="en"
# Write `forward`: `x`, (n, x), and `state`, (n, h), give the new state, (n, h). The three parts are in the order r, z, n. Mind: $r$
# multiplies **only** the sum that comes from the state, bias included. That is why there are two biases, and why `self.sums` returns two
# tensors.
#
# <details><summary>A hint</summary>
#
# Cut **each** of the two sums into three: `r_x, z_x, n_x = from_input.chunk(3, dim=-1)`, and likewise for the state.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `r` and `z` are sigmoids of sums; the candidate is `torch.tanh(n_x + r * n_h)`.
#
# </details>

# %% implements="recurrent:GRUCell" level=2 hollow=["forward"]
"""Le GRU : h' = z h + (1 - z) n, avec deux portes et sans mémoire à part.

Le candidat n voit du passé ce que la porte de remise à zéro r laisse passer.
Les lignes sont dans l'ordre de PyTorch : remise à zéro r, mise à jour z,
candidat n. Comme dans PyTorch, et non comme chez Cho et al. (2014), r
multiplie le produit W_hh h + b_hh, et non h : un seul produit sert à tout.
"""
"""L'état caché après un symbole de plus."""
# z = 1 keeps the past whole => z = 1 garde tout le passé

# %% scratch=true
gru = GRUCell(1, 1)
for parameter in gru.parameters():
    nn.init.zeros_(parameter)
# en: every sum is 0: half of the past is kept, and the candidate is 0
# fr: toutes les sommes sont nulles : on garde la moitié du passé, le candidat vaut 0
round(gru(torch.zeros(1, 1), torch.tensor([[0.8]])).item(), 3)
# → 0.4

# %% [markdown] lang="fr"
# ### Trois cellules, les mêmes légendes
#
# Qui apprend le mieux, et qui se souvient de plus loin ? Cent trente pas chacune, mêmes lots, même recette : Adam ([](work:kingma2015)),
# un pas qui monte puis redescend ([](work:smith2018)), gradient écrêté. Les légendes sont rangées par longueur, et un lot en prend de
# voisines, pour ne calculer presque aucun remplissage.

# %% [markdown] lang="en"
# ### Three cells, the same captions
#
# Which learns best, and which remembers from furthest away? A hundred and thirty steps each, the same batches, the same recipe: Adam
# ([](work:kingma2015)), a step that grows and then shrinks ([](work:smith2018)), clipped gradients. The captions are sorted by length, and
# a batch takes neighbours, so that hardly any padding is computed.

# %%
def train(model, ask, steps, rate, watch=None):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    one_cycle = torch.optim.lr_scheduler.OneCycleLR
    pace = one_cycle(optimizer, rate, total_steps=steps, pct_start=0.1)
    losses = []
    for step in range(1, steps + 1):
        loss = ask(model)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        pace.step()
        losses.append(loss.item())
        if watch is not None:
            watch(step)
    return losses


# %%
by_length = tokens[(tokens != PAD).sum(dim=1).argsort(stable=True)]


def ask_captions(seed):
    generator = torch.Generator().manual_seed(seed)

    def ask(model):
        first = int(torch.randint(len(by_length) - 64, (1,), generator=generator))
        batch = by_length[first : first + 64]
        longest = int((batch != PAD).sum(dim=1).max())
        return model.loss(batch[:, :longest])

    return ask


# %%
def new_model(cell, hidden=96):
    torch.manual_seed(0)
    model = CharacterModel(len(vocabulary), width=32, hidden=hidden, cell=cell)
    if cell is LSTMCell:
        with torch.no_grad():
            model.cell.bias_ih[hidden : 2 * hidden] += 1
    return model


# %%
kinds = {"RNN": RNNCell, "GRU": GRUCell, "LSTM": LSTMCell}


def reach(model):
    # en: how strongly the state after 30 letters feels each letter
    # fr: à quel point l'état après 30 lettres sent chacune d'elles
    long_ones = tokens[(tokens[:, :30] != PAD).all(dim=1)][:100, :30]
    embedded = model.embedding(long_ones).detach().requires_grad_()
    last = unroll(model.cell, embedded)[0][:, -1]
    slope = torch.autograd.grad((last * last.detach().sign()).sum(), embedded)[0]
    felt = slope.norm(dim=-1).mean(dim=0).flip(0)
    return felt / felt[0]


# %%
def three_trainings():
    found = {}
    for name, cell in kinds.items():
        model = new_model(cell)
        losses = train(model, ask_captions(0), steps=130, rate=0.02)
        found[name] = {"losses": losses, "reach": reach(model)}
    return found


# %%
three = kept("three_cells", three_trainings, patience=5)
print(say("cell     weights   loss at the end", "cellule    poids   perte à la fin"))
for name, found in three.items():
    cell, at_end = kinds[name](32, 96), sum(found["losses"][-20:]) / 20
    weights = sum(parameter.numel() for parameter in cell.parameters())
    print(f"{name:7} {weights:8}  ", decimal(at_end, 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. Trois cellules, les mêmes légendes
#
# Laquelle apprend le mieux ? Laquelle se souvient de plus loin ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. Three cells, the same captions
#
# Which learns best? Which remembers from furthest away?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=9, height=3.3)
for (name, found), colour in zip(three.items(), COLOURS):
    smooth = torch.tensor(found["losses"]).unfold(0, 10, 1).mean(dim=1)
    panels[0].plot(range(10, 131), smooth, color=colour, label=name)
    panels[1].semilogy(found["reach"], color=colour, label=name)
panels[0].set(xlabel=say("step", "pas"), ylabel=say("nats per letter", "nats par lettre"))
panels[1].set(xlabel=say("letters ago", "lettres plus tôt"))
panels[1].set_ylabel(say("slope", "pente"))
legend(panels[0])
picture(figure, say("Three cells learn alike; the slope on letters long past falls "
                    "fastest in the plain cell.",
                    "Trois cellules apprennent de même ; la pente sur les lettres "
                    "lointaines tombe le plus vite dans la cellule simple."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire compter les poids : une matrice pour la cellule simple, trois pour le GRU, quatre pour le LSTM. Lire la courbe de droite :
# après entraînement, combien reste-t-il de la lettre d'il y a vingt ? Demander pourquoi la perte ne suffit pas à juger la mémoire.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have them count the weights: one matrix for the plain cell, three for the GRU, four for the LSTM. Read the curve on the right: after
# training, how much is left of the letter of twenty ago? Ask why the loss is not enough to judge memory.

# %% claims=true
plain, gated, long_memory = (found["reach"] for found in three.values())
assert plain[29] < gated[29] < long_memory[29]
assert long_memory[29] > 20 * plain[29]
ends = [sum(found["losses"][-20:]) / 20 for found in three.values()]
assert max(ends) - min(ends) < 0.05
weight_counts = [sum(parameter.numel() for parameter in cell(32, 96).parameters())
                 for cell in kinds.values()]
assert weight_counts == [12480 * matrices for matrices in (1, 3, 4)]

# %% [markdown] lang="fr"
# Les pertes se valent : pour épeler, il suffit de quelques lettres. La mémoire, non. La courbe de droite dit de combien l'état change quand
# on touche à une lettre, rapporté à la dernière lue. De la lettre lue vingt-neuf pas plus tôt, l'état du LSTM garde plus de vingt fois ce
# qu'en garde la cellule simple, et le GRU est entre les deux. « Longue » mémoire ne veut pas dire sans fin : les trois courbes descendent.
# Et le LSTM paie : quatre matrices, contre trois au GRU, et une à la cellule simple.

# %% [markdown] lang="en"
# The losses are much the same: a few letters are enough for spelling. Memory is not. The curve on the right says how much the state changes
# when a letter is touched, compared with the last letter read. Of the letter read twenty-nine steps earlier, the LSTM's state keeps more
# than twenty times what the plain cell keeps, and the GRU is in between. "Long" memory does not mean endless: all three curves go down. And
# the LSTM pays: four matrices, against three for the GRU and one for the plain cell.

# %% [markdown] lang="fr"
# ## 7. Il écrit
#
# Voici le moment. Le LSTM du début apprend nos 4 000 légendes : cinq cents pas, moins d'une minute de calcul. En chemin, nous lui
# faisons passer deux épreuves. La **dictée** : sur 200 légendes nouvelles, le vrai début sous les yeux, sa lettre la plus probable est-elle
# la bonne ? Nous comptons à part les espaces, les mots courts (trois lettres au plus), les mots longs (six au moins), chacun après sa
# première lettre, et le *s* du pluriel. La **rédaction** : il écrit seul cent légendes, et la grammaire du monde dit combien elle en
# accepte, accords compris.
#
# C'est l'heure des **paris** : dans quel ordre ces quatre courbes vont-elles monter ?

# %% [markdown] lang="en"
# ## 7. It writes
#
# This is the moment. The LSTM of the beginning learns our 4,000 captions: five hundred steps, less than a minute of computing. On the way, we
# give it two tests. **Dictation**: on 200 new captions, with the true beginning before it, is its likeliest letter the right one? We count
# apart the spaces, the short words (three letters at most), the long words (six at least), each after its first letter, and the *s* of the
# plural. **Essay**: it writes a hundred captions alone, and the grammar of the world says how many it accepts, agreement included.
#
# It is time for **bets**: in which order will these four curves rise?

# %%
def accepted(sentence):
    # en: what the sentence describes, if the grammar can read it
    # fr: ce que la phrase décrit, si la grammaire sait la lire
    description = read_caption(sentence)
    return description is not None and sentence in phrasings(description, language)


examples = say(["two small green stars", "two small green star"],
               ["deux petites étoiles vertes", "deux petites étoiles verts"])
for sentence in examples:
    print(f"{sentence:28}", say("accepted", "acceptée") if accepted(sentence)
          else say("refused", "refusée"))

# %% claims=true
assert accepted(examples[0])
assert not accepted(examples[1])

# %% [markdown] lang="fr"
# Une seule lettre de travers, et la légende est refusée. Préparons la dictée.

# %% [markdown] lang="en"
# One letter wrong, and the caption is refused. Let us prepare the dictation.

# %%
new_world = World(200, seed=1, languages=(language,))
new_captions = [new_world[number][1] for number in range(200)]
shown, expected = teacher_forcing(vocabulary.encode(new_captions))

# %%
# en: (row, first letter, last letter + 1) for each thing to be got right
# fr: (ligne, première lettre, dernière lettre + 1) de chaque chose à trouver
spaces, short_words, long_words, plurals = [], [], [], []
for row, sentence in enumerate(new_captions):
    begin, several = 0, read_caption(sentence).count > 1
    for word in sentence.split(" "):
        end = begin + len(word)
        if end < len(sentence):
            spaces.append((row, end, end + 1))
        if 2 <= len(word) <= 3:
            short_words.append((row, begin + 1, end))
        if len(word) >= 6:
            long_words.append((row, begin + 1, end))
        # en: the s of "trois", three in French, is not a plural's
        # fr: le s de « trois » n'est pas celui d'un pluriel
        if several and word.endswith("s") and word != "trois":
            plurals.append((row, end - 1, end))
        begin = end + 1

# %%
kinds_of_letters = {say("spaces", "espaces"): spaces,
                    say("short words", "mots courts"): short_words,
                    say("long words", "mots longs"): long_words,
                    say("plural s", "s du pluriel"): plurals}

# %%
@torch.no_grad()
def dictation(model):
    right = model(shown)[0].argmax(dim=-1) == expected
    found = []
    for spans in kinds_of_letters.values():
        passed = [bool(right[row, begin:end].all()) for row, begin, end in spans]
        found.append(sum(passed) / len(passed))
    return found


# %%
MOMENTS = [1, 5, 10, 20, 30, 45, 65, 90, 130, 200, 300, 400, 500]


def train_writer():
    model = new_model(LSTMCell)
    path = {"dictation": [], "accepted": [], "samples": []}

    def watch(step):
        if step in MOMENTS:
            essay = write(model, 100, seed=step)
            path["dictation"].append(dictation(model))
            path["accepted"].append(sum(map(accepted, essay)) / 100)
            path["samples"].append(essay[0])

    losses = train(model, ask_captions(0), 500, rate=0.02, watch=watch)
    return {"weights": model.state_dict(), "losses": losses, **path}


# %%
trained = kept("writer", train_writer, patience=5)
writer = new_model(LSTMCell)
writer.load_state_dict(trained["weights"])
before = sum(map(accepted, write(newborn, 300))) / 300
essay = write(writer, 300)
after = sum(map(accepted, essay)) / 300
for sentence in essay[:6]:
    print("✓" if accepted(sentence) else "✗", sentence)
print(say(f"accepted, before: {before:.0%}", f"acceptées, avant : {100 * before:.0f} %"))
print(say(f"accepted, after:  {after:.0%}", f"acceptées, après : {100 * after:.0f} %"))

# %% claims=true
assert before == 0
assert after > say(0.7, 0.8)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Il écrivait du bruit…
#
# … et voici ce qu'il écrit, de pas en pas.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. It wrote noise…
#
# … and this is what it writes, as the steps go by.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=9, height=3.6)
axes.axis("off")
chosen = [0, 2, 4, 6, 8, 9, 10, 12]
for line, place in enumerate(chosen):
    sentence = trained["samples"][place][:52]
    height = 1 - (line + 0.5) / len(chosen)
    axes.text(0, height, say(f"step {MOMENTS[place]}", f"pas {MOMENTS[place]}"),
              fontsize=12, va="center")
    axes.text(0.13, height, sentence, fontsize=13, va="center", family="monospace",
              color=GREEN if accepted(sentence) else VERMILION)
picture(figure, say("Samples of the network along its training: noise, then letters "
                    "like words, then captions that the grammar accepts.",
                    "Ce qu'écrit le réseau en apprenant : du bruit, puis des "
                    "semblants de mots, puis des légendes acceptées."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Lire à voix haute, ligne par ligne : la classe rit aux premières. En vert, ce que la grammaire du monde accepte. Faire trouver ce
# qui manque encore aux rouges. Avant l'entraînement : aucune légende acceptée ; après, plus de sept sur dix.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Read aloud, line by line: the class laughs at the first ones. In green, what the grammar of the world accepts. Have them find what
# the red ones still lack. Before training: no caption accepted; afterwards, more than seven in ten.

# %% [markdown] lang="fr" own_numbers=true
# Il y a une minute, il écrivait du bruit, et la grammaire n'acceptait **rien**. Elle accepte maintenant plus de huit légendes sur dix,
# accords compris, alors qu'il écrit une lettre à la fois, et que nul ne lui a dit ce qu'est un mot. Une légende refusée peut d'ailleurs se
# lire sans faute : notre monde ne met « à gauche » ou « au-dessus » qu'entre deux objets seuls, et jamais comptés, pas même par « 1 ».
#
# ### Dans quel ordre a-t-il appris ?

# %% [markdown] lang="en" own_numbers=true
# A minute ago it wrote noise, and the grammar accepted **nothing**. Now it accepts more than seven captions in ten, agreement included,
# though it writes one letter at a time, and nobody has told it what a word is. A caption that is refused may read well, though: in our
# world "to the left of" or "above" only ever joins two single objects, and there they are never counted.
#
# ### In which order did it learn?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Dans quel ordre a-t-il appris ?
#
# La dictée et la rédaction, de pas en pas.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### In which order did it learn?
#
# Dictation and essay, as the steps go by.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=8, height=3.8)
for kind, (kind_name, kind_colour) in enumerate(zip(kinds_of_letters, COLOURS)):
    kind_shares = [100 * found[kind] for found in trained["dictation"]]
    axes.semilogx(MOMENTS, kind_shares, "o-", color=kind_colour,
                  label=kind_name)
axes.semilogx(MOMENTS, [100 * share for share in trained["accepted"]], "k--",
              label=say("captions accepted", "légendes acceptées"))
axes.set(xlabel=say("step", "pas"), ylabel=say("right (%)", "justes (%)"))
axes.set_xticks([1, 10, 100, 500], ["1", "10", "100", "500"])
legend(axes, loc="center left", bbox_to_anchor=(1.0, 0.5))
picture(figure, say("Spaces are learned first, then short words, long words, and the "
                    "plural; whole captions come after the long words.",
                    "Les espaces viennent d'abord, puis les mots courts, les mots "
                    "longs et le pluriel ; les légendes, après les mots longs."))

# %%
def learned_at(shares):
    # en: from here on it stays above three fifths of what it ends with
    # fr: dès lors, elle reste au-dessus des trois cinquièmes de sa fin
    low = [place for place, share in enumerate(shares) if share < 0.6 * shares[-1]]
    return MOMENTS[low[-1] + 1]


order = []
for place, name in enumerate(kinds_of_letters):
    order.append(learned_at([found[place] for found in trained["dictation"]]))
    print(f"{name:14}", say(f"step {order[-1]}", f"pas {order[-1]}"))

# %% claims=true
assert order[0] < order[1] < order[2] < order[3]
text = "".join(captions)
assert 1 / 6.7 < text.count(" ") / len(text) < 1 / 4.7
assert order[0] <= 20
assert order[3] >= 200
assert learned_at(trained["accepted"]) > order[2]
assert trained["dictation"][-1][3] > 0.95
assert trained["dictation"][-1][2] < 0.9

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Comparer aux paris du début. Les espaces d'abord : un symbole sur cinq ou six en est un, et il revient régulièrement. Les accords en
# dernier : il faut les retenir. Demander pourquoi les mots n'atteignent pas 100 %. (Après « c », carré ou cercle ?)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Compare with the bets. Spaces first: one symbol in five or six is one, and it comes back regularly. Agreement last: it has to be
# remembered. Ask why words do not reach 100%. (After "c", is it a circle or a cross?)

# %% [markdown] lang="fr"
# Disons qu'une chose est apprise quand sa courbe ne repasse plus sous les trois cinquièmes de sa valeur finale (les tout premiers points ne
# doivent rien qu'au hasard). Les **espaces** d'abord, en vingt pas au plus ; puis les mots **courts**, puis les mots **longs** ; et bien
# après, à deux cents pas ou plus, le **s** du pluriel, qu'il faut retenir de plus loin. Une légende n'est acceptée que si tout y est juste.
# Les mots n'atteignent pas 100 %, et ne le peuvent pas : après la première lettre, « c » peut annoncer un carré, un cercle ou une croix.

# %% [markdown] lang="en"
# Let us say that a curve is learned once it no longer goes below three fifths of what it ends with (its very first points are mere chance).
# **Spaces** first, within twenty steps; then **short** words, then **long** ones; and much later, at two hundred steps or more, the **s** of the
# plural, which has to be remembered from further away. A caption is accepted only if everything in it is right. Words do not reach 100%,
# and cannot: after its first letter, "c" may announce a circle or a cross.

# %% [markdown] lang="fr"
# ### La température
#
# On peut lui demander plus de prudence. Trois cents légendes à chaque température : combien la grammaire en accepte-t-elle, et combien sont
# différentes ? **Devinez** le prix de la prudence.

# %% [markdown] lang="en"
# ### Temperature
#
# It can be asked for more caution. Three hundred captions at each temperature: how many does the grammar accept, and how many are
# different? **Guess** the price of caution.

# %%
temperatures = [0.2, 0.5, 0.8, 1.0, 1.3, 1.6]
right_share, variety = [], []
for temperature in temperatures:
    sentences = write(writer, 300, temperature)
    right_share.append(sum(map(accepted, sentences)) / 300)
    variety.append(len(set(sentences)) / 300)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Prudent, ou varié
#
# Trois cents légendes à chaque température.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Cautious, or varied
#
# Three hundred captions at each temperature.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.3)
for curve, curve_colour, curve_name in ((right_share, BLUE, say("accepted", "acceptées")),
                                        (variety, ORANGE, say("different", "différentes"))):
    curve_percents = [100 * part for part in curve]
    axes.plot(temperatures, curve_percents, "o-", color=curve_colour,
              label=curve_name)
axes.set(xlabel=say("temperature", "température"), ylabel="%", ylim=(0, 103))
legend(axes)
picture(figure, say("As the temperature rises fewer captions are accepted, and "
                    "more of them are different.",
                    "Quand la température monte, moins de légendes sont acceptées, et "
                    "plus de légendes diffèrent."))

# %% claims=true
assert right_share[0] > 0.95
assert right_share[0] > right_share[3] > right_share[5]
assert variety[0] < variety[1] < variety[3]
assert right_share[5] < 0.5

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire lire les deux courbes ensemble. À basse température, presque tout est juste, et tout se répète. Demander quelle température
# on choisirait pour un correcteur, pour un poète. Le modèle n'a pas changé : seulement le tirage.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them read both curves together. At a low temperature nearly everything is right, and everything is repeated. Ask which
# temperature one would choose for a proofreader, for a poet. The model has not changed: the sampling has.

# %% [markdown] lang="fr"
# À basse température, presque tout est accepté, mais il se répète. À 1,6, plus de la moitié est refusée. Le réseau est le même : seul le tirage a
# changé.

# %% [markdown] lang="fr"
# Écrivez vous-même la boucle : la méthode `sample` de `CharacterModel`. `prompt`, l'invite, est de forme (n, p) ; on rend (n, p + length).
# `self(unread, state)` lit des jetons à partir d'un état, et rend les logits après chacun, (n, t, v), et l'état d'après. Après le symbole
# de fin, `END`, une phrase ne reçoit plus que du remplissage, `PAD`.
#
# <details><summary>Un indice</summary>
#
# Au premier tour, on lit toute l'invite ; ensuite, le seul symbole que l'on vient de tirer. L'état, lui, contient déjà le reste.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `logits[:, -1]` sont ceux d'après le dernier symbole : donnez-les à `sample_next`. Gardez un tenseur de n booléens, `ended`, et
# `chosen.masked_fill(ended, PAD)`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `chosen.unsqueeze(1)` est de forme (n, 1) : c'est ce qu'on lira au tour suivant, et ce qu'on ajoute par `torch.cat([…], dim=1)`.
#
# </details>

# %% [markdown] lang="en"
# At a low temperature nearly everything is accepted, but it repeats itself. At 1.6 more than half is refused. The network is the same: only the
# sampling has changed.

# %% [markdown] lang="en"
# Write the loop yourself: the method `sample` of `CharacterModel`. `prompt` is of shape (n, p); return (n, p + length). `self(unread,
# state)` reads tokens from a state on, and returns the logits after each, (n, t, v), and the state afterwards. After the end symbol, `END`,
# a sentence gets nothing but padding, `PAD`.
#
# <details><summary>A hint</summary>
#
# The first time, the whole prompt is read; from then on, only the symbol just sampled. The state already holds the rest.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `logits[:, -1]` are those after the last symbol: give them to `sample_next`. Keep a tensor of n booleans, `ended`, and
# `chosen.masked_fill(ended, PAD)`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `chosen.unsqueeze(1)` is of shape (n, 1): it is what is read next, and what is added by `torch.cat([…], dim=1)`.
#
# </details>

# %% implements="language_model:CharacterModel" level=3 hollow=["sample"]
"""Un modèle de langue lettre à lettre : plongement, cellule, couche linéaire.

Karpathy et al. (2015) regardent à l'intérieur d'un tel réseau.
"""
"""Les logits du caractère qui suit chacun, et le dernier état.

À partir de cet état, la lecture reprend où elle s'était arrêtée.
"""
"""L'entropie croisée du caractère suivant, en nats par caractère."""
"""Des invites continuées de `length` symboles chacune, tirés un à un.

Rend les invites et leur suite. Une invite peut n'être que le symbole de
début. Après une fin vient du remplissage.
"""
# what the state does not hold yet => ce que l'état ne contient pas encore

# %% scratch=true
torch.manual_seed(0)
untaught = CharacterModel(6, width=3, hidden=4)
greedy = untaught.sample(torch.tensor([[1, 3]]), 3, 0.0, torch.Generator())
greedy.shape
# → torch.Size([1, 5])

# %% [markdown] lang="fr"
# ## 8. Que regarde une unité ?
#
# Quelque part dans les 96 nombres de la mémoire, le pluriel doit être noté : les accords sont justes. Y a-t-il **une** unité qui le sache à
# elle seule ? [Karpathy, Johnson et Fei-Fei](work:karpathy2015) ont cherché de telles unités dans des modèles de lettres.
#
# Cherchons, sans rien supposer. Le réseau lit des légendes nouvelles d'une seule sorte d'objet ; sur chaque lettre de la seconde moitié,
# une fois le nombre dit, on relève la mémoire $c$. Pour chaque unité, un seuil sépare au mieux « un seul » de « plusieurs ». **Devinez**
# l'exactitude de la meilleure des 96.

# %% [markdown] lang="en"
# ## 8. What does a unit look at?
#
# Somewhere in the 96 numbers of the memory the plural must be noted: agreement is right. Is there **one** unit that knows it all by itself?
# [Karpathy, Johnson and Fei-Fei](work:karpathy2015) looked for such units in models of letters.
#
# Let us look, and suppose nothing. The network reads new captions of one kind of object; at each letter of the second half, once the number
# has been said, we read the memory $c$. For each unit, a threshold separates "one" from "several" as well as it can. **Guess** the accuracy
# of the best of the 96.

# %%
from dalle_edu.classroom.widgets.gates import gate_explorer, gate_readings


def read_memory(sentence):
    numbers = vocabulary.encode([sentence])[:, 1:-1]
    start = torch.full((1, 1), START)
    embedded = writer.embedding(torch.cat([start, numbers], dim=1)).detach()
    # en: the first row is that of the start symbol
    # fr: la première ligne est celle du symbole de début
    readings = gate_readings(writer.cell, embedded)
    return {part: rows[1:] for part, rows in readings.items()}


# %%
memories, plural = [], []
for sentence in new_captions:
    description = read_caption(sentence)
    if len(description.mentions) == 1:
        # en: from the second half of the caption on, number has been said
        # fr: dès la seconde moitié de la légende, le nombre a été dit
        half = len(sentence) // 2
        memory_after = read_memory(sentence)["c"][half:]
        memories.append(memory_after)
        plural += [description.count > 1] * len(memory_after)
memories, plural = torch.cat(memories), torch.tensor(plural)

# %%
def best_threshold(numbers):
    best = 0.0
    for threshold in numbers.quantile(torch.linspace(0.02, 0.98, 49)):
        share = ((numbers > threshold) == plural).float().mean().item()
        best = max(best, share, 1 - share)
    return best


accuracies = torch.tensor([best_threshold(unit) for unit in memories.T])
telling_unit = int(accuracies.argmax())
always = max(plural.float().mean().item(), 1 - plural.float().mean().item())
for name, share in ((say("always the same answer:", "toujours la même réponse :"), always),
                    (say("a middling unit:", "une unité moyenne :"), accuracies.median()),
                    (say("the best unit:", "la meilleure unité :"), accuracies.max())):
    print(f"{name:26}", say(f"{share:.0%}", f"{100 * share:.0f} %"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. L'unité qui en dit le plus
#
# Orange : sa mémoire est positive ; bleu : négative. Que note-t-elle ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. The most telling unit
#
# Orange: its memory is positive; blue: negative. What does it note?

# %% slide="fragment" tags=["hide-input"]
from dalle_edu.classroom.diagrams.recurrent import draw_letters

lines = say(["a small green star",
             "two small green stars",
             "a picture of a large red ring",
             "a picture of 3 large red rings"],
            ["une petite étoile verte",
             "deux petites étoiles vertes",
             "une image d'un grand anneau rouge",
             "une image de 3 grands anneaux rouges"])
shades = [read_memory(line)["c"][:, telling_unit] for line in lines]
draw_letters(lines, shades,
             say("Four captions coloured by the memory of one unit, letter by "
                 "letter: singular and plural ones have different colours.",
                 "Quatre légendes colorées par la mémoire d'une unité, lettre à "
                 "lettre : singulier et pluriel n'ont pas la même couleur."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire dire d'abord ce que la couleur semble suivre, puis donner l'exactitude de la meilleure unité, et celle de qui répond toujours
# pareil. Demander si une unité qui devine le pluriel le « sait » seule. (Non : le réseau l'écrit sur plusieurs unités à la fois.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them say first what the colour seems to follow, then give the accuracy of the best unit, and that of always giving one answer.
# Ask whether a unit that tells the plural "knows" it alone. (No: the network writes it over several units at once.)

# %% claims=true
assert accuracies.max() > 0.95
assert always < 0.6
assert accuracies.median() < 0.7
one, two = shades[0][len(lines[0]) // 2 :], shades[1][len(lines[1]) // 2 :]
assert (one.mean() > 0) != (two.mean() > 0)

# %% [markdown] lang="fr"
# Elle existe. Dans le dessin, l'orange est une mémoire positive, le bleu une mémoire négative. Une seule unité, sur 96, sépare le singulier
# du pluriel presque toujours (plus de 95 % des lettres), là où répondre toujours pareil ferait moins de 60 %, et où une unité moyenne ne
# fait guère mieux. Personne ne l'a demandée : elle est née parce que l'accord se note mieux ainsi. Prudence, pourtant : nous avons choisi
# la meilleure **après coup**, et rien ne dit qu'elle soit seule à savoir.
#
# ### Pas à pas
#
# Voici cette unité, en haut, et sept autres. Désignez une lettre : les portes, la mémoire et l'état caché sont ceux d'**après** cette
# lettre. (Une barre de la mémoire s'arrête à 3, même quand la mémoire va plus loin.) Cherchez où la porte d'entrée s'ouvre pour la première
# unité, et si sa porte d'oubli reste près de 1 ensuite.

# %% [markdown] lang="en"
# There is one. In the picture, orange is a positive memory, and blue a negative one. A single unit of the 96 tells singular from plural
# nearly always (at more than 95% of the letters), where always giving one answer would make less than 60%, and a middling unit hardly does
# better. Nobody asked for it: it was born because agreement is best noted like that. Be careful, though: we chose the best one **after the
# fact**, and nothing says that it is the only one to know.
#
# ### Step by step
#
# Here is this unit, at the top, and seven others. Point at a letter: the gates, the memory and the hidden state are those **after** this
# letter. (A bar of the memory stops at 3, even when the memory goes further.) Look for where the input gate of the first unit opens, and
# whether its forget gate stays near 1 from then on.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ses portes, lettre à lettre
#
# Où sa mémoire se décide-t-elle ? Que fait ensuite la porte d'oubli ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Its gates, letter by letter
#
# Where does its memory make up its mind? What does the forget gate do then?

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=8, height=3.2)
walk = read_memory(opening)
axes.plot(walk["c"][:, telling_unit], color=BLUE, label=say("memory c", "mémoire c"))
axes.plot(walk["f"][:, telling_unit], color=ORANGE,
          label=say("forget gate", "porte d'oubli"))
axes.plot(walk["i"][:, telling_unit], color=GREEN,
          label=say("input gate", "porte d'entrée"))
axes.set_xticks(range(len(opening)), list(opening))
axes.axhline(0, color="grey", linestyle=":")
legend(axes, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
picture(figure, say("The memory, the forget gate and the input gate of the most "
                    "telling unit, letter by letter.",
                    "La mémoire, la porte d'oubli et la porte d'entrée de l'unité "
                    "la plus parlante, lettre à lettre."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Suivre la mémoire de l'unité lettre à lettre. Demander où elle se décide, et ce que fait sa porte d'oubli ensuite. Dans le notebook,
# le même dessin se parcourt lettre par lettre : laisser deux minutes pour le faire.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Follow the unit's memory letter by letter. Ask where it makes up its mind, and what its forget gate does afterwards. In the notebook
# the same drawing is walked through letter by letter: give them two minutes to do so.

# %%
best_units = accuracies.argsort(descending=True)[:8].tolist()
gate_explorer(list(opening), read_memory(opening), best_units)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 9-10"
# ### Exercices 9 et 10 · Le GRU ; la boucle qui écrit
#
# **20 min.** 9 : `GRUCell.forward`, où r multiplie la somme venue de l'état. 10 (chez soi) : `CharacterModel.sample`.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 9-10"
# ### Exercises 9 and 10 · The GRU; the loop that writes
#
# **20 min.** 9: `GRUCell.forward`, where r multiplies the sum that comes from the state. 10 (at home): `CharacterModel.sample`.

# %% [markdown] slide="fragment" slide_only=true
# $$ h_t = z \odot h_{t-1} + (1 - z) \odot n $$

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Exercice 9 en classe ; à guetter : z lu à l'envers ; r appliqué à l'état avant le produit, comme dans le premier article.
# L'exercice 10 se finit chez soi ; dire en classe ce que contient déjà l'état, et ce qu'il reste à lire.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Exercise 9 in class; watch for: z read the other way round; r applied to the state before the product, as in the first paper.
# Exercise 10 is finished at home; say in class what the state already holds, and what is left to read.

# %% [markdown] lang="fr"
# ## 9. Un réseau lit, un autre écrit
#
# Traduire, c'est lire une suite et en écrire une autre, de longueur différente. L'idée de 2014 ([](work:cho2014), [](work:sutskever2014)) :
# deux réseaux récurrents. Le premier, l'**encodeur**, lit la phrase ; ses sorties, on les **jette**, et l'on ne garde que son dernier état
# (pour un LSTM, $h$ **et** $c$). Le second, le **décodeur**, part de cet état et écrit mot après mot, jusqu'au symbole de fin.
#
# À l'entraînement, le décodeur est forcé par l'enseignant : on lui montre la vraie traduction, décalée d'un cran. À l'usage, il relit ses
# propres mots. **Devinez** : de ces deux phases, laquelle est la plus sévère ? Nous le mesurerons à la [](#without-the-teacher).

# %% [markdown] lang="en"
# ## 9. One network reads, another writes
#
# Translating is reading one sequence and writing another, of a different length. The idea of 2014 ([](work:cho2014),
# [](work:sutskever2014)): two recurrent networks. The first, the **encoder**, reads the sentence; its outputs are **thrown away**, and only
# its last state is kept (for an LSTM, $h$ **and** $c$). The second, the **decoder**, starts from that state and writes word after word,
# until the end symbol.
#
# In training the decoder is under teacher forcing: it is shown the true translation, shifted by one. In use it reads its own words again.
# **Guess**: which of these two phases is the harder? We shall measure it in [](#without-the-teacher).

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. Un réseau lit, un autre écrit
#
# Entre les deux passe un seul vecteur.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. One network reads, another writes
#
# A single vector passes between the two.

# %% slide="fragment" tags=["hide-input"]
draw_translator(["une", "étoile", "verte"], ["a", "green", "star", say("(end)", "(fin)")],
                looks=False)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander ce qui relie les deux réseaux : le dernier état, et rien d'autre. Où iraient les autres sorties du lecteur ? (À la
# poubelle.) Demander ce qu'il faut pour que le décodeur sache s'arrêter. (Le symbole de fin, appris comme un mot.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask what links the two networks: the last state, and nothing else. Where do the reader's other outputs go? (Into the bin.) Ask what
# it takes for the decoder to know when to stop. (The end symbol, learned like a word.)

# %% [markdown] lang="fr"
# Notre tâche : du français vers l'anglais, sur les légendes du monde, chacune avec une seule bonne traduction. Un symbole est maintenant un
# **mot**. Remarquez que l'adjectif change de place.

# %% [markdown] lang="en"
# Our task: from French to English, on the captions of the world, each with one right translation. A symbol is now a **word**. Note that the
# adjective moves.

# %%
from dalle_edu.datasets.translations import caption_pairs, join_words, split_words

pairs, new_pairs = caption_pairs(6000), caption_pairs(600, seed=1)
french, english = (SequenceVocabulary([split_words(pair[side]) for pair in pairs])
                   for side in (0, 1))


def encode_pairs(some):
    source = french.encode([split_words(pair[0]) for pair in some])
    target = english.encode([split_words(pair[1]) for pair in some])
    # en: sorted by length, so that a batch holds little padding
    # fr: rangées par longueur, pour qu'un lot ait peu de remplissage
    order = (source != PAD).sum(dim=1).argsort(stable=True)
    return source[order], target[order]


source, target = encode_pairs(pairs)
new_source, new_target = encode_pairs(new_pairs)
# %%
for pair in new_pairs[:3]:
    print(pair[0], "→", pair[1])
print(say("words:", "mots :"), len(french), len(english))

# %% [markdown] lang="fr"
# La bibliothèque a un traducteur, `Seq2Seq`. Son encodeur lit dans les deux sens, et range les états des deux sens côte à côte : les
# derniers pour le décodeur, et tous les autres dans une « mémoire » (qui n'est pas la mémoire $c$ d'un LSTM). Une pièce y est
# interchangeable, l'**attention** : elle dit ce que le décodeur reçoit de cette mémoire. Commençons par le traducteur d'avant l'attention :
# celui qui n'en reçoit **rien**.

# %% [markdown] lang="fr"
# Écrivez `forward` de `NoAttention`. `query`, de forme (n, q, h), vient des q mots à écrire ; `memory`, (n, k, m), des k mots lus. Rendez
# deux tenseurs nuls : le mélange, (n, q, m), et les poids, (n, q, k). Sa méthode `scores` rend déjà des zéros de forme (n, q, k).
#
# <details><summary>Un indice</summary>
#
# `query.new_zeros(2, 3)` fait des zéros de forme (2, 3), sur le même appareil et de même précision que `query`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Le mélange est fait de mémoire : il en a la largeur, `memory.shape[-1]`, et non celle de la requête.
#
# </details>

# %% [markdown] lang="en"
# The library has a translator, `Seq2Seq`. Its encoder reads in both directions, and puts the states of both side by side: the last ones for
# the decoder, and all the others into a "memory" (which is not the memory $c$ of an LSTM). One part can be exchanged, **attention**: it says
# what the decoder gets of that memory. Let us begin with the translator before attention: the one that gets **nothing** of it.

# %% [markdown] lang="en"
# Write `forward` of `NoAttention`. `query`, of shape (n, q, h), comes from the q words to be written; `memory`, (n, k, m), from the k words
# read. Return two tensors of zeros: the mixture, (n, q, m), and the weights, (n, q, k). Its method `scores` already returns zeros of shape
# (n, q, k).
#
# <details><summary>A hint</summary>
#
# `query.new_zeros(2, 3)` makes zeros of shape (2, 3), on the same device and with the same precision as `query`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The mixture is made of memory: it has its width, `memory.shape[-1]`, and not that of the query.
#
# </details>

# %% implements="seq2seq:NoAttention" level=1 hollow=["forward"]
"""Un mélange de zéros : le décodeur n'a que le dernier état de l'encodeur.

C'est le traducteur d'avant l'attention (Sutskever et al. 2014). À côté des
autres, il dit ce que vaut l'attention. Il n'a pas de paramètres.
"""
"""Zéro pour chaque requête et chaque mot lu : rien n'est comparé."""
"""Des zéros de la largeur de la mémoire, et des poids qui valent tous 0."""

# %% scratch=true
nothing = NoAttention(4, 2)
nothing(torch.ones(1, 1, 4), torch.ones(1, 3, 2), torch.ones(1, 3).bool())
# → (tensor([[[0., 0.]]]), tensor([[[0., 0., 0.]]]))

# %% [markdown] lang="fr"
# ## 10. Il oublie
#
# Entraînons ce traducteur sur 6 000 paires, 250 pas, puis comptons, sur 600 phrases nouvelles, les traductions **exactes, au mot
# près**, selon la longueur de la phrase lue. Tout doit passer par un vecteur de 96 nombres. **Devinez** : combien seront exactes à trois
# mots ? à douze ?

# %% [markdown] lang="en"
# ## 10. It forgets
#
# Let us train this translator on 6,000 pairs, 250 steps, then count, on 600 new sentences, the translations that are **exact, to
# the word**, by the length of the sentence read. Everything must go through a vector of 96 numbers. **Guess**: how many exact ones at three
# words? at twelve?

# %%
from dalle_edu.bricks.seq2seq import Seq2Seq


def new_translator(attention):
    torch.manual_seed(0)
    sizes = len(french), len(english)
    return Seq2Seq(*sizes, width=48, hidden=96, attention=attention)


# %%
def ask_pairs():
    generator = torch.Generator().manual_seed(0)

    def ask(model):
        first = int(torch.randint(len(source) - 64, (1,), generator=generator))
        batch = [side[first : first + 64] for side in (source, target)]
        # en: columns that are nothing but padding are cut off
        # fr: on coupe les colonnes qui ne sont que du remplissage
        batch = [rows[:, (rows != PAD).any(dim=0)] for rows in batch]
        return model.loss(*batch)

    return ask


# %%
def train_translator(attention):
    model = new_translator(attention)
    losses = train(model, ask_pairs(), 250, rate=0.015)
    return {"weights": model.state_dict(), "losses": losses}


# %%
def train_without():
    return train_translator(NoAttention)


trained = kept("without_attention", train_without, patience=5)
forgetful = new_translator(NoAttention)
forgetful.load_state_dict(trained["weights"])
print(say("loss at the end:", "perte à la fin :"), decimal(sum(trained["losses"][-20:]) / 20, 2))


# %%
def exact(model):
    # en: for each new sentence, whether it is translated to the word
    # fr: pour chaque phrase nouvelle, si elle est traduite au mot près
    written, _ = model.translate(new_source)
    said = [english.decode(row) for row in written]
    wanted = [english.decode(row) for row in new_target]
    return torch.tensor([one == other for one, other in zip(said, wanted)])


# %%
words_read = (new_source != PAD).sum(dim=1) - 2
groups = {"2–4": (2, 4), "5–7": (5, 7), "8–10": (8, 10), "11–14": (11, 14)}


def by_group(right):
    found = []
    for low, high in groups.values():
        chosen = (words_read >= low) & (words_read <= high)
        found.append(right[chosen].float().mean().item())
    return found


# %%
alone = by_group(exact(forgetful))
for name, share in zip(groups, alone):
    print(f"{name:>5}", say(f"words: {share:4.0%}", f"mots : {100 * share:3.0f} %"))
written, _ = forgetful.translate(new_source[-2:])
for read, said in zip(new_source[-2:], written):
    print(join_words(french.decode(read)))
    print("  →", join_words(english.decode(said)))

# %% claims=true
assert min(alone[:2]) > 0.5
assert max(alone[2:]) < 0.05

# %% [markdown] lang="fr"
# Jusqu'à sept mots, il s'en tire le plus souvent. Au-delà, presque jamais : moins d'une fois sur vingt. Ses longues phrases sont bien
# tournées, mais pas fidèles : les couleurs et les objets ont changé, ou manquent. Le décodeur a pourtant appris à parler ; c'est le
# **vecteur** qui n'a pas tout retenu.

# %% [markdown] lang="en"
# Up to seven words it mostly manages. Beyond that, hardly ever: less than once in twenty. Its long sentences are well turned, but not faithful:
# colours and objects have slipped, or are missing. Yet the decoder has learned to speak; it is the **vector** that has not kept everything.

# %% [markdown] lang="fr"
# ## 11. Trois scores, à la main
#
# Le remède : garder **tous** les états lus, et laisser le décodeur les regarder. À chaque mot à écrire, il note chaque mot lu par un
# **score** ; un softmax en fait des poids ; le mélange des états, avec ces poids, est le **contexte**. Trois façons de noter.
#
# - Luong, produit scalaire (*dot*) : $q \cdot k$, où $q$ est l'état du décodeur (la requête) et $k$ celui d'un mot lu (la clé).
# - Luong, général (*general*) : $q \cdot W k$, où la matrice $W$ apprend quel canal de l'un va avec quel canal de l'autre.
# - Bahdanau, additif (*additive*) : $v \cdot \tanh(W q + U k)$, un petit réseau.
#
# Des nombres. L'état du décodeur est $q = (2, 1)$. Trois mots lus ont les états $(1, 0)$, $(0, 1)$ et $(1, 1)$. Pour le général,
# $W$ échange les deux canaux. Pour l'additif, $W$ et $U$ ne changent rien, et $v = (1, 1)$. **Devinez** : quel mot gagne, dans les trois
# cas ? lequel des trois hésite le plus ?

# %% [markdown] lang="en"
# ## 11. Three scores, by hand
#
# The cure: keep **all** the states that were read, and let the decoder look at them. For each word to be written, it marks each word read
# with a **score**; a softmax makes weights of them; the mixture of the states, with these weights, is the **context**. Three ways to mark.
#
# - Luong, dot product: $q \cdot k$, where $q$ is the decoder's state (the query) and $k$ that of a word read (the key).
# - Luong, general: $q \cdot W k$, where the matrix $W$ learns which channel of one goes with which channel of the other.
# - Bahdanau, additive: $v \cdot \tanh(W q + U k)$, a small network.
#
# Numbers. The decoder's state is $q = (2, 1)$. Three words read have the states $(1, 0)$, $(0, 1)$ and $(1, 1)$. For general, $W$ swaps the
# two channels. For additive, $W$ and $U$ change nothing, and $v = (1, 1)$. **Guess**: which word wins in all three cases? which of the
# three hesitates most?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. Trois scores, à la main
#
# $q = (2, 1)$
#
# | état lu | $q \cdot k$ | $q \cdot W k$ | $v \cdot \tanh(q + k)$ |
# |---|---|---|---|
# | $(1, 0)$ | 2 | 1 | 1,757 |
# | $(0, 1)$ | 1 | 2 | 1,928 |
# | $(1, 1)$ | 3 | 3 | 1,959 |
# | **poids du 3ᵉ** | 0,665 | 0,665 | 0,359 |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. Three scores, by hand
#
# $q = (2, 1)$
#
# | state read | $q \cdot k$ | $q \cdot W k$ | $v \cdot \tanh(q + k)$ |
# |---|---|---|---|
# | $(1, 0)$ | 2 | 1 | 1.757 |
# | $(0, 1)$ | 1 | 2 | 1.928 |
# | $(1, 1)$ | 3 | 3 | 1.959 |
# | **weight of the 3rd** | 0.665 | 0.665 | 0.359 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Calculer une case par colonne au tableau : 2 × 1 + 1 × 0 = 2 ; puis tanh(3) + tanh(1) ≈ 0,995 + 0,762. Demander pourquoi l'additif
# hésite. (tanh plafonne : les sommes se ressemblent ; un v plus grand trancherait.) Bahdanau interroge avec l'état d'avant, Luong avec l'état présent.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. Work out one cell of each column on the board: 2 × 1 + 1 × 0 = 2; then tanh(3) + tanh(1) ≈ 0.995 + 0.762. Ask why additive hesitates.
# (tanh has a ceiling: the sums are alike; a larger v would decide.) Bahdanau asks with the state before, Luong with the present state.

# %%
query, states_read = [2, 1], [[1, 0], [0, 1], [1, 1]]
dot, general, additive = [], [], []
for first, second in states_read:
    dot.append(query[0] * first + query[1] * second)
    # en: W swaps the channels of the state
    # fr: W échange les canaux de l'état
    general.append(query[0] * second + query[1] * first)
    additive.append(math.tanh(query[0] + first) + math.tanh(query[1] + second))


def shares_of(scores):
    exponentials = [math.exp(score) for score in scores]
    return [each / sum(exponentials) for each in exponentials]


# %%
for name, scores in ((say("dot", "scalaire"), dot), (say("general", "général"), general),
                     (say("additive", "additif"), additive)):
    shares = shares_of(scores)
    print(f"{name:9}", *(f"{decimal(score, 3):>6}" for score in scores), "  →",
          *(decimal(share, 3) for share in shares))
context = [0.0, 0.0]
for share, (first, second) in zip(shares_of(dot), states_read):
    context[0] += share * first
    context[1] += share * second
print(say("context (dot):", "contexte (scalaire) :"), *(decimal(part, 3) for part in context))

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=7, height=2.2)
for place, (scores, colour) in enumerate(zip((dot, general, additive), COLOURS)):
    heights = [100 * share for share in shares_of(scores)]
    axes.bar([0.28 * place + word for word in range(3)], heights, 0.25, color=colour,
             label=say("dot general additive", "scalaire général additif").split()[place])
axes.set_xticks([0.28, 1.28, 2.28], ["(1, 0)", "(0, 1)", "(1, 1)"])
axes.set_ylabel(say("weight (%)", "poids (%)"))
legend(axes, loc="upper left")
picture(figure, say("The weights of three states by three scores: the third wins, and "
                    "additive hesitates.",
                    "Les poids de trois états selon trois scores : le troisième "
                    "l'emporte, et l'additif hésite."))

# %% claims=true
assert [round(score, 3) for score in additive] == [1.757, 1.928, 1.959]
assert (dot, general) == ([2, 1, 3], [1, 2, 3])
assert round(shares_of(dot)[2], 3) == round(shares_of(general)[2], 3) == 0.665
assert round(shares_of(additive)[2], 3) == 0.359
assert [round(part, 2) for part in context] == [0.91, 0.76]

# %% [markdown] lang="fr"
# Le troisième gagne partout ; l'additif hésite, parce que tanh plafonne. Le contexte du produit scalaire, (0,91 ; 0,76), est surtout le troisième
# état, $(1, 1)$, tiré un peu vers les autres.
#
# Une différence de plus : Bahdanau interroge avec l'état d'**avant** le pas, $s_{t-1}$, et donne le contexte au pas ; Luong interroge avec l'état
# **présent**, $s_t$, et mêle le contexte après. Notre `Seq2Seq` suit Luong pour les trois scores : l'entraînement calcule ainsi toute une phrase
# à la fois.

# %% [markdown] lang="fr"
# Écrivez `scores` de `DotAttention` : `query`, (n, q, h), et `memory`, (n, k, h), donnent les scores, (n, q, k).
#
# <details><summary>Un indice</summary>
#
# Un produit de matrices : (q, h) fois (h, k). `memory.transpose(-2, -1)` échange les deux derniers axes.
#
# </details>

# %% [markdown] lang="en"
# The third wins everywhere; additive hesitates, because tanh has a ceiling. The context of the dot product, (0.91, 0.76), is mostly the third
# state, $(1, 1)$, pulled a little towards the others.
#
# One more difference: Bahdanau asks with the state **before** the step, $s_{t-1}$, and gives the context to the step; Luong asks with the
# **present** state, $s_t$, and mixes the context in afterwards. Our `Seq2Seq` follows Luong for all three scores: training then computes a
# whole sentence at once.

# %% [markdown] lang="en"
# Write `scores` of `DotAttention`: `query`, (n, q, h), and `memory`, (n, k, h), give the scores, (n, q, k).
#
# <details><summary>A hint</summary>
#
# A product of matrices: (q, h) times (h, k). `memory.transpose(-2, -1)` swaps the last two axes.
#
# </details>

# %% implements="seq2seq:DotAttention" level=1 hollow=["scores"]
"""score(q, k) = q · k (Luong et al. 2015, équation 8), sans paramètres."""
"""Le produit scalaire de chaque requête et de la mémoire de chaque mot."""

# %% scratch=true
query = torch.tensor([[[2.0, 1.0]]])
memory = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])
DotAttention(2, 2).scores(query, memory)
# → tensor([[[2., 1., 3.]]])

# %% [markdown] lang="fr"
# Puis `scores` de `GeneralAttention`. `self.key` est la matrice $W$, une couche linéaire de m canaux vers h : (n, k, m) devient (n, k, h).
#
# <details><summary>Un indice</summary>
#
# Le même produit, sur `self.key(memory)`.
#
# </details>

# %% [markdown] lang="en"
# Then `scores` of `GeneralAttention`. `self.key` is the matrix $W$, a linear layer from m channels to h: (n, k, m) becomes (n, k, h).
#
# <details><summary>A hint</summary>
#
# The same product, on `self.key(memory)`.
#
# </details>

# %% implements="seq2seq:GeneralAttention" level=1 hollow=["scores"]
"""score(q, k) = q · W k (Luong et al. 2015, équation 8).

La matrice W apprend quels canaux de la requête vont avec ceux de la mémoire.
"""
"""Le produit scalaire de la requête et de W fois la mémoire d'un mot."""

# %% scratch=true
swapping = GeneralAttention(2, 2)
swapping.key.weight.data = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
swapping.scores(query, memory).detach()
# → tensor([[[1., 2., 3.]]])

# %% [markdown] lang="fr"
# Enfin `scores` d'`AdditiveAttention`. `self.query` est $W$, `self.key` est $U$, `self.value` est $v$, une couche de h canaux vers 1. Il faut
# la somme de **chaque** requête et de **chaque** clé : un tenseur de forme (n, q, k, h).
#
# <details><summary>Un indice</summary>
#
# `queries.unsqueeze(2)` est de forme (n, q, 1, h), `keys.unsqueeze(1)` de forme (n, 1, k, h). PyTorch répète ce qui manque quand on les
# additionne.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `self.value(….tanh())` est de forme (n, q, k, 1) : `.squeeze(-1)` ôte le dernier axe.
#
# </details>

# %% [markdown] lang="en"
# Last, `scores` of `AdditiveAttention`. `self.query` is $W$, `self.key` is $U$, `self.value` is $v$, a layer from h channels to 1. What is
# needed is the sum of **each** query and **each** key: a tensor of shape (n, q, k, h).
#
# <details><summary>A hint</summary>
#
# `queries.unsqueeze(2)` is of shape (n, q, 1, h), `keys.unsqueeze(1)` of shape (n, 1, k, h). PyTorch repeats what is missing when they are
# added.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `self.value(….tanh())` is of shape (n, q, k, 1): `.squeeze(-1)` takes the last axis away.
#
# </details>

# %% implements="seq2seq:AdditiveAttention" level=2 hollow=["scores"]
"""score(q, k) = v · tanh(W q + U k) (Bahdanau et al. 2015, annexe A.1.2).

Un petit réseau note chaque paire d'une requête et de la mémoire d'un mot.
"""
"""Le score que le réseau donne à une requête et à la mémoire d'un mot."""
# n q k h => n q k h

# %% scratch=true
network = AdditiveAttention(2, 2)
network.query.weight.data = network.key.weight.data = torch.eye(2)
network.value.weight.data = torch.ones(1, 2)
network.scores(query, memory).detach()
# → tensor([[[1.7566, 1.9281, 1.9591]]])

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 11-14"
# ### Exercices 11 à 14 · Trois façons de noter
#
# **20 min.** 11 : rien du tout, `NoAttention`. 12 et 13 : `DotAttention`, `GeneralAttention`. 14 : `AdditiveAttention`, chaque requête avec
# chaque clé.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 11-14"
# ### Exercises 11 to 14 · Three ways to mark
#
# **20 min.** 11: nothing at all, `NoAttention`. 12 and 13: `DotAttention`, `GeneralAttention`. 14: `AdditiveAttention`, each query with each
# key.

# %% slide="fragment" slide_only=true tags=["hide-input"]
draw_translator(["une", "étoile", "verte"], ["a", "green", "star"], looks=True)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner les sections 9 et 11. À guetter : les zéros de la largeur de la requête ; les axes q et k intervertis ; tanh après v ;
# l'habitude de diviser par la racine de d (c'est la leçon 05, pas ici).

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out sections 9 and 11. Watch for: zeros of the query's width; axes q and k swapped; tanh after v; the habit of dividing by the
# root of d (that is lesson 05, not here).

# %% [markdown] lang="fr"
# ## 12. La même tâche, en regardant
#
# Rien d'autre ne change : mêmes paires, mêmes 250 pas, même largeur. Chaque traducteur garde en plus tous les états lus, et note à sa
# façon. **Devinez** : sur les longues phrases, qui fait mieux que le dernier état seul ? Un des trois, ou tous ?

# %% [markdown] lang="en"
# ## 12. The same task, looking
#
# Nothing else changes: the same pairs, the same 250 steps, the same width. Each translator also keeps all the states read, and
# marks in its own way. **Guess**: on long sentences, which do better than the last state alone? One of the three, or all?

# %%
scorers = {say("dot (Luong)", "scalaire (Luong)"): DotAttention,
           say("general (Luong)", "général (Luong)"): GeneralAttention,
           say("additive (Bahdanau)", "additif (Bahdanau)"): AdditiveAttention}


def train_three():
    kinds_of_attention = (DotAttention, GeneralAttention, AdditiveAttention)
    return [train_translator(attention) for attention in kinds_of_attention]


# %%
translators, shares_right = {}, {}
three_of_them = kept("with_attention", train_three, patience=5)
for (name, attention), found in zip(scorers.items(), three_of_them):
    translators[name] = new_translator(attention)
    translators[name].load_state_dict(found["weights"])
    shares_right[name] = by_group(exact(translators[name]))
    print(f"{name:20}", *(say(f"{share:5.0%}", f"{100 * share:4.0f} %")
                          for share in shares_right[name]))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Oublier, ou regarder
#
# Traductions exactes, au mot près, selon la longueur de la phrase.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. Forget, or look
#
# Exact translations, to the word, by the length of the sentence.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=8, height=3.6)
# en: the second line is broad, and is seen where another covers it
# fr: la deuxième ligne est large, et se voit là où une autre la couvre
curves = {say("last state alone", "dernier état seul"): alone, **shares_right}
marks = zip(curves.items(), (VERMILION, BLUE, GREEN, ORANGE), "soD^")
for (name, shares), colour, mark in marks:
    percents = [100 * share for share in shares]
    wide = 7 if colour == BLUE else 2
    axes.plot(range(4), percents, marker=mark, color=colour, label=name, lw=wide)
axes.set_xticks(range(4), list(groups))
axes.set(xlabel=say("words read", "mots lus"), ylim=(-3, 103))
axes.set_ylabel(say("exact (%)", "exactes (%)"))
legend(axes, loc="lower left")
picture(figure, say("With the last state alone exact translations fall to almost "
                    "none beyond seven words; with attention they stay higher.",
                    "Avec le dernier état seul, les traductions exactes tombent à "
                    "presque rien après sept mots ; avec attention, bien moins."))

# %% claims=true
luong, its_general, bahdanau = shares_right.values()
assert min(luong) > 0.9
assert min(bahdanau) > 0.9
assert min(its_general[:2]) > 0.9
assert alone[3] + 0.2 < its_general[3] < 0.8
assert max(len(french.decode(row)) for row in new_source) == 14

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Prendre les paris, puis montrer. La courbe du bas et les trois autres ne diffèrent que par ce que le décodeur peut regarder.
# Demander si l'attention remplace l'encodeur. (Non : elle regarde ce qu'il a écrit.) Puis : que coûte-t-elle ? (Garder tous les états.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Take bets, then show. The lower curve and the other three differ only in what the decoder may look at. Ask whether attention replaces
# the encoder. (No: it looks at what the encoder wrote.) Then: what does it cost? (Keeping all the states.)

# %% [markdown] lang="fr"
# Tous, et de loin. Le produit scalaire et l'additif traduisent plus de neuf phrases sur dix à **toute** longueur ; le dernier état seul n'y arrivait
# presque jamais au-delà de sept mots. Ce n'est pas le décodeur qui manquait de talent, c'est le passage qui était étroit. Le général, lui,
# reste en arrière sur les longues phrases : il a une matrice de plus à apprendre, et 250 pas n'y ont pas suffi. Sur d'autres tâches,
# à d'autres tailles, l'ordre peut changer. Notez que l'attention ne **remplace** pas l'encodeur : elle regarde ce qu'il a écrit.
#
# ### Où regarde-t-il ?
#
# Les poids font une image, l'**alignement** : une ligne par mot écrit, une colonne par mot lu. En français, l'adjectif de couleur suit le
# nom ; en anglais, il le précède. **Devinez** la forme du dessin, autour de « green star ».

# %% [markdown] lang="en"
# All, and by far. The dot product and additive translate more than nine sentences in ten at **every** length; beyond seven words the last state
# alone hardly ever managed. It was not the decoder that lacked talent, it was the passage that was narrow. General stays behind on long
# sentences: it has one more matrix to learn, and 250 steps were not enough. On other tasks, at other sizes, the order may change.
# Note that attention does not **replace** the encoder: it looks at what the encoder has written.
#
# ### Where does it look?
#
# The weights make a picture, the **alignment**: a row for each word written, a column for each word read. In French the adjective of colour
# follows the noun; in English it comes before. **Guess** the shape of the drawing around "green star".

# %%
sentence = "une grande étoile verte au-dessus d'un petit carré rose"
read = split_words(sentence)
looking = translators[say("additive (Bahdanau)", "additif (Bahdanau)")]
written, looks = looking.translate(french.encode([read]))
said = english.decode(written[0])
print(join_words(said))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Où regarde-t-il ?
#
# Une ligne par mot écrit. « Verte » suit « étoile » ; « green » précède « star ».

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Where does it look?
#
# A row for each word written. "Verte" follows "étoile"; "green" comes before "star".

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=8, height=4.2)
axes.imshow(looks[0, : len(said)], cmap="Blues", vmin=0, vmax=1, aspect="auto")
columns = [say("(start)", "(début)"), *read, say("(end)", "(fin)")]
slanted = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
axes.set_xticks(range(len(columns)), columns, **slanted)
axes.set_yticks(range(len(said)), said)
axes.set(xlabel=say("read", "lu"), ylabel=say("written", "écrit"))
picture(figure, say("Alignment of a French sentence with its English translation: "
                    "each word written looks near the word it translates.",
                    "Alignement d'une phrase française et de sa traduction : chaque"
                    " mot écrit regarde près du mot qu'il traduit."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire chercher le croisement : deux mots échangent leur place, et les taches aussi. Demander la forme du tableau (mots écrits × mots
# lus), et la somme d'une ligne (1). Une tache à côté du bon mot n'est pas une faute : chaque état lu connaît aussi ses voisins.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have them look for the crossing: two words change places, and so do the blots. Ask for the shape of the table (words written × words
# read), and the sum of a row (1). A blot next to the right word is no fault: each state read knows its neighbours too.

# %% claims=true
assert join_words(said) == "a large green star above a small pink square"
for word, its_source in (("large", "grande"), ("star", "étoile"), ("green", "verte"),
                         ("above", "au-dessus"), ("small", "petit"), ("square", "carré")):
    row, column = looks[0, said.index(word)], read.index(its_source) + 1
    assert row[column - 1 : column + 2].sum() > 0.5, (word, row)
assert torch.allclose(looks[0, : len(said)].sum(dim=1), torch.ones(len(said)), atol=1e-5)

# %% [markdown] lang="fr"
# Chaque mot écrit met plus de la moitié de son poids sur le mot qu'il traduit, ou juste à côté : l'état de chaque mot, lu dans les deux sens,
# connaît aussi ses voisins. Autour de « green star », l'ordre se croise. Personne n'a donné ces correspondances : elles sont venues de la
# perte seule. La [](lesson:05) repartira de cette image, et jettera la récurrence.

# %% [markdown] lang="en"
# Each word written puts more than half of its weight on the word it translates, or right beside it: the state of each word, read in both
# directions, knows its neighbours too. Around "green star" the order crosses. Nobody gave these correspondences: they came from the loss
# alone. [](lesson:05) will start again from this picture, and throw recurrence away.

# %% [markdown] lang="fr"
# ## 13. Sans l'enseignant
#
# À l'entraînement, le décodeur ne voit que de vrais mots. Seul, il relit les siens, fautes comprises, et il n'en a jamais vu : c'est le
# **biais d'exposition** (*exposure bias*, [](work:ranzato2016)). Mesurons-le sur le traducteur sans attention, qui se trompe souvent. Deux
# fois, les mêmes phrases : forcé par l'enseignant, puis seul. À chaque place, quelle part des mots est juste ? **Devinez** où les deux
# courbes se séparent.

# %% [markdown] lang="en"
# ## 13. Without the teacher
#
# In training the decoder sees nothing but true words. Alone, it reads its own again, mistakes included, and it has never seen any: this is
# **exposure bias** ([](work:ranzato2016)). Let us measure it on the translator without attention, which often goes wrong. The same sentences
# twice: under teacher forcing, then alone. At each place, what share of the words is right? **Guess** where the two curves part.

# %%
@torch.no_grad()
def right_by_place(model):
    wanted = new_target[:, 1:]
    forced = model(new_source, new_target[:, :-1])[0].argmax(dim=-1)
    free, _ = model.translate(new_source, length=wanted.shape[1])
    free = F.pad(free, (0, wanted.shape[1] - free.shape[1]))
    curves = []
    for answer in (forced, free):
        right = (answer == wanted) & (wanted != PAD)
        curves.append(right.sum(dim=0) / (wanted != PAD).sum(dim=0))
    return curves


# %%
forced_right, free_right = right_by_place(forgetful)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 13. Sans l'enseignant
#
# Le traducteur sans attention, mot après mot : guidé par les vrais mots, ou seul.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 13. Without the teacher
#
# The translator without attention, word after word: led by the true words, or alone.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.3)
places = range(1, 13)
led = say("with the true words", "avec les vrais mots")
for shares, colour, name in ((forced_right, BLUE, led),
                             (free_right, VERMILION, say("alone", "seul"))):
    axes.plot(places, 100 * shares[:12], "o-", color=colour, label=name)
axes.set(xlabel=say("word", "mot"), ylabel=say("right (%)", "justes (%)"), ylim=(0, 103))
legend(axes)
picture(figure, say("Led by the true words the translator stays right more often; "
                    "alone, its share of right words falls further.",
                    "Guidé par les vrais mots, le traducteur reste plus souvent "
                    "juste ; seul, sa part de mots justes tombe plus bas."))

# %% claims=true
assert abs(forced_right[0] - free_right[0]) < 1e-6
gap = forced_right - free_right
assert max(gap[:3]) < 0.1 and gap[5] > 0.1
assert forced_right[7:12].mean() > free_right[7:12].mean() + 0.3

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander pourquoi le premier point est commun (rien n'a encore été écrit). Puis pourquoi l'écart croît : une faute en appelle
# d'autres. Le forçage par l'enseignant n'est pas une triche à l'examen : à l'examen, il n'y en a plus.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask why the first point is shared (nothing has been written yet). Then why the gap grows: one mistake calls for others. Teacher forcing
# is no cheating in the exam: in the exam there is none left.

# %% [markdown] lang="fr"
# Au premier mot, les deux courbes se confondent : rien n'a encore été écrit. Vers le cinquième, elles se séparent pour de bon ; après le
# septième, l'écart dépasse trente points. La perte d'entraînement, qui ne voit que la courbe du haut, **ne mesure pas** ce que fait le
# réseau quand il écrit seul : il faut le faire écrire, et compter.
#
# Pourquoi apprendre est-il rapide, et écrire, lent ? Forcé, le réseau reçoit tous ses mots d'un coup, et un lot de phrases pose toutes ses
# questions en un passage. Seul, il lui faut **son** mot d'avant pour demander le suivant.

# %% [markdown] lang="fr"
# Pour finir, la boucle qui traduit : `translate` de `Seq2Seq`. `source` est de forme (n, k). On rend les jetons écrits, (n, q), et les poids de
# chacun, (n, q, k). `self.encode(source)` rend la mémoire et l'état de départ ; `self.decode(last, state, memory, mask)` lit les mots `last`,
# de forme (n, 1), et rend les logits, les poids et l'état suivant. On prend toujours le mot le plus probable. On s'arrête quand toutes les
# phrases ont dit `END`, ou à `length` mots ; une phrase finie ne reçoit plus que `PAD`.
#
# <details><summary>Un indice</summary>
#
# `last` commence par `START` pour chaque phrase : `source.new_full((len(source), 1), START)`. Le masque est vrai là où `source` n'est pas du
# remplissage.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# La boucle : décoder, choisir par `argmax(dim=-1)`, remplacer par `PAD` là où c'est fini (`masked_fill(ended, PAD)`), mettre `ended` à jour.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Gardez jetons et poids dans deux listes, puis `torch.cat(…, dim=1)`. L'état rendu par `decode` sert au tour suivant.
#
# </details>

# %% [markdown] lang="en"
# The first word is the same: nothing has been written yet. About the fifth they part for good; after the seventh the gap exceeds thirty
# points. The training loss, which sees only the upper curve, **does not measure** what the network does when it writes alone: one has to
# let it write, and count.
#
# Why is learning fast, and writing slow? Under teacher forcing the network gets all its words at once, and a batch of sentences asks all its
# questions in one pass. Alone, it needs **its own** word before to ask for the next.

# %% [markdown] lang="en"
# To end with, the loop that translates: `translate` of `Seq2Seq`. `source` is of shape (n, k). Return the tokens written, (n, q), and the
# weights of each, (n, q, k). `self.encode(source)` returns the memory and the state to start from; `self.decode(last, state, memory, mask)`
# reads the words `last`, of shape (n, 1), and returns the logits, the weights and the next state. The likeliest word is always taken. Stop
# when all sentences have said `END`, or at `length` words; a sentence that has ended gets nothing but `PAD`.
#
# <details><summary>A hint</summary>
#
# `last` begins with `START` for each sentence: `source.new_full((len(source), 1), START)`. The mask is true where `source` is not padding.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The loop: decode, choose by `argmax(dim=-1)`, replace by `PAD` where the end has come (`masked_fill(ended, PAD)`), update `ended`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# Keep tokens and weights in two lists, then `torch.cat(…, dim=1)`. The state that `decode` returns serves the next time.
#
# </details>

# %% implements="seq2seq:Seq2Seq" level=3 hollow=["translate"]
"""Un encodeur et un décodeur, avec une attention entre eux.

L'encodeur lit la phrase dans les deux sens, et le décodeur (`writer`) part
du dernier état de chacun. L'attention vient après le pas du décodeur (Luong
et al. 2015, équation 5) : l'entraînement la calcule pour toute une phrase à
la fois. Chez Bahdanau et al., elle vient avant le pas, qui en reçoit le
résultat.
"""
"""La mémoire de chaque mot lu, et le premier état du décodeur.

Les deux tiennent les deux sens côte à côte.
"""
"""Les logits du mot qui suit chacun de ceux que l'on montre.

Rend aussi les poids d'attention de chacun, et le dernier état du décodeur.
"""
"""Les logits et les poids d'attention, forcés par l'enseignant.

`shown` contient les vrais mots, dont les logits prédisent le suivant.
"""
"""L'entropie croisée de la traduction, en nats par mot."""
"""Traductions gloutonnes, avec les poids d'attention de chaque mot.

Le mot le plus probable est pris à chaque pas, jusqu'à ce que toutes les
phrases soient finies, ou aient `length` mots.
"""
# attention weights => poids d'attention

# %% scratch=true
torch.manual_seed(0)
untaught = Seq2Seq(9, 8, width=3, hidden=4)
read = torch.tensor([[1, 5, 3, 2], [1, 4, 2, 0]])
words, weights = untaught.translate(read, length=3)
words.shape, weights.shape
# → (torch.Size([2, 3]), torch.Size([2, 3, 4]))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 15"
# ### Exercice 15 · La boucle qui traduit
#
# **5 min, puis chez soi.** `Seq2Seq.translate` : encoder, puis décoder, choisir, recommencer.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 15"
# ### Exercise 15 · The loop that translates
#
# **5 min, then at home.** `Seq2Seq.translate`: encode, then decode, choose, begin again.

# %% slide="fragment" slide_only=true tags=["hide-input"]
draw_translator(["une", "étoile", "verte"], ["a", "green", "star", say("(end)", "(fin)")],
                looks=True)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Dire la boucle à voix haute, la classe dicte : que montre-t-on d'abord ? (Le début.) Qu'emporte-t-on d'un tour au suivant ? (Le mot
# choisi, et l'état.) Quand s'arrête-t-on ? À guetter : l'état qui repart du premier à chaque mot.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Say the loop aloud, with the class dictating: what is shown first? (The start.) What is carried from one turn to the next? (The chosen
# word, and the state.) When does it stop? Watch for: the state that goes back to the first one at each word.

# %% [markdown] lang="fr"
# ## 14. Quelle erreur est-ce ?
#
# Voici un LSTM écrit par quelqu'un d'autre. Il est faux. N'ouvrez pas son code : réglez ses portes, et interrogez-le. La mémoire d'avant
# vaut 2. Une somme de 10 ouvre une porte, une somme de −10 la ferme ; le candidat est 0. **Devinez** d'abord ce que devrait valoir la
# nouvelle mémoire dans chaque cas.

# %% [markdown] lang="en"
# ## 14. Which mistake is this?
#
# Here is an LSTM that somebody else wrote. It is wrong. Do not open its code: set its gates, and question it. The memory before is 2. A sum
# of 10 opens a gate, a sum of −10 shuts it; the candidate is 0. **Guess** first what the new memory should be in each case.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("recurrent:LSTMCell", "NothingForgotten")


def question_it(i, f, o):
    cell = mystery(1, 1)
    for parameter in cell.parameters():
        nn.init.zeros_(parameter)
    cell.bias_ih.data = torch.tensor([i, f, 0.0, o])
    return cell(torch.zeros(1, 1), (torch.zeros(1, 1), torch.tensor([[2.0]])))


# %%
probes = {say("forget open", "oubli ouvert"): (-10.0, 10.0, 10.0),
          say("forget shut", "oubli fermé"): (-10.0, -10.0, 10.0),
          say("output shut", "sortie fermée"): (-10.0, 10.0, -10.0)}
print(" " * 20 + "c      h")
for name, gates in probes.items():
    hidden, memory = (part.item() for part in question_it(*gates))
    print(f"{name:14} {decimal(memory, 2):>6} {decimal(hidden, 2):>6}")

# %% claims=true
with_forget_shut = question_it(-10.0, -10.0, 10.0)
assert abs(with_forget_shut[1].item() - 2) < 1e-3

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 14. Quelle erreur est-ce ?
#
# Un LSTM faux. Mémoire d'avant : 2. Candidat : 0. Que devrait valoir la nouvelle mémoire ?

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 14. Which mistake is this?
#
# A wrong LSTM. Memory before: 2. Candidate: 0. What should the new memory be?

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=7, height=2.6)
answers = [question_it(*gates) for gates in probes.values()]
for place, (hidden, memory) in enumerate(answers):
    axes.bar(place - 0.18, memory.item(), 0.34, color=BLUE)
    axes.bar(place + 0.18, hidden.item(), 0.34, color=VERMILION)
    for shift, part in ((-0.18, memory), (0.18, hidden)):
        height, number = part.item() + 0.05, decimal(part.item(), 2)
        axes.text(place + shift, height, number, ha="center", fontsize=12)
axes.set_xticks(range(3), list(probes))
axes.set(ylabel=say("c (blue), h (red)", "c (bleu), h (rouge)"), ylim=(0, 2.5))
picture(figure, say("The memory and the hidden state of the wrong LSTM with the "
                    "forget gate open, shut, and with the output gate shut.",
                    "La mémoire et l'état caché du LSTM faux, porte d'oubli ouverte,"
                    " fermée, puis porte de sortie fermée."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Deux minutes par deux, puis un vote. Un LSTM juste donnerait 2, 0 et 2 pour la mémoire. Celui-ci garde 2 quand l'oubli est fermé :
# la porte d'oubli n'agit pas. Demander pourquoi la troisième épreuve ne suffisait pas.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Two minutes in pairs, then a vote. A right LSTM would give 2, 0 and 2 for the memory. This one keeps 2 with the forget gate shut: the
# gate does nothing. Ask why the third probe was not enough.

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz recurrence"
# ## 15. Huit questions
#
# **8 min.** Répondez seul, puis comparez à deux. Écrivez d'abord celle-ci :
#
# | $f$ | $i$ | la mémoire |
# |---|---|---|
# | 1 | 0 | ? |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz recurrence"
# ## 15. Eight questions
#
# **8 min.** Answer alone, then compare in pairs. Write this one first:
#
# | $f$ | $i$ | the memory |
# |---|---|---|
# | 1 | 0 | ? |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Faire répondre dans le notebook, puis corriger les trois questions les plus manquées. Celles que la classe n'a pas eu le temps de
# faire se finissent chez soi.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Let them answer in the notebook, then go over the three questions most often missed. Those that the class had no time for are
# finished at home.

# %% [markdown] lang="fr"
# ## 15. Questions

# %% [markdown] lang="en"
# ## 15. Questions

# %% quiz="recurrence"
quiz(
    Number(
        say("How many numbers does an LSTM cell learn, from 32 channels to a state of 64, with both biases?",
            "Combien de nombres apprend une cellule LSTM, de 32 canaux vers un état de 64, ses deux biais compris ?"),
        right=25088,
        why=say("4 × 64 rows, of 32 + 64 weights and 2 biases each: 256 × 98.",
                "4 × 64 lignes, de 32 + 64 poids et 2 biais chacune : 256 × 98."),
        computed=lambda: sum(parameter.numel() for parameter in LSTMCell(32, 64).parameters()),
    ),
    Choice(
        say("In an LSTM, f = 1 and i = 0. The memory", "Dans un LSTM, f = 1 et i = 0. La mémoire"),
        [say("is wiped", "est effacée"), say("stays as it was", "reste telle quelle"),
         say("becomes the candidate", "devient le candidat")],
        right=1,
        why=say("c = 1 × c + 0 × g: kept whole, with nothing added, for as long as the gates stay like that.",
                "c = 1 × c + 0 × g : gardée en entier, sans ajout, tant que les portes restent ainsi."),
        why_not=[
            say("That is f = 0: the forget gate says what part is kept, in spite of its name.",
                "Cela, c'est f = 0 : malgré son nom, la porte d'oubli dit la part que l'on garde."),
            say("That is f = 0 and i = 1.", "Cela, c'est f = 0 et i = 1."),
        ],
    ),
    Number(
        say("A loss of 1.2 nats per letter: what is the perplexity?", "Une perte de 1,2 nat par lettre : quelle est la perplexité ?"),
        right=3.32,
        why=say("exp(1.2): it hesitates as among 3.3 equally likely letters.",
                "exp(1,2) : il hésite comme entre 3,3 lettres équiprobables."),
        computed=lambda: math.exp(1.2),
        tolerance=0.01,
    ),
    Number(
        say("Each step multiplies the gradient by 0.5. By how much do ten steps?", "Chaque pas multiplie le gradient par 0,5. Et dix pas, par combien ?"),
        right=0.000977,
        why=say("0.5 to the power 10, a little less than a thousandth.", "0,5 puissance 10, un peu moins d'un millième."),
        computed=lambda: 0.5**10,
        tolerance=3e-5,
    ),
    Choice(
        say("Under teacher forcing, to predict word t, the decoder is shown", "Avec le forçage par l'enseignant, pour prédire le mot t, on montre au décodeur"),
        [say("the true word t − 1", "le vrai mot t − 1"), say("the true word t", "le vrai mot t"),
         say("the word that it has just written", "le mot qu'il vient d'écrire")],
        right=0,
        why=say("Inputs are the true words, shifted by one: START is shown for the first.",
                "Les entrées sont les vrais mots, décalés d'un cran : pour le premier, on montre START."),
        why_not=[
            say("Then it would copy: the loss would fall to nothing, and it would write nonsense alone.",
                "Il recopierait : la perte tomberait à presque rien et, seul, il écrirait n'importe quoi."),
            say("That is writing alone, as in the exam.", "Cela, c'est écrire seul, comme à l'examen."),
        ],
    ),
    Choice(
        say("A sentence is followed by ten paddings, and the mask is given. The last state is",
            "Une phrase est suivie de dix symboles de remplissage, et le masque est donné. Le dernier état est"),
        [say("closer to zero", "plus proche de zéro"), say("that of padding", "celui du remplissage"),
         say("that of its last word", "celui de son dernier mot")],
        right=2,
        why=say("Where the mask is false, the state stays as it is.", "Là où le masque est faux, l'état reste tel quel."),
        why_not=[
            say("It would fade if padding were read as zeros; it is not read at all.",
                "Il s'userait si le remplissage était lu comme des zéros ; il n'est pas lu du tout."),
            say("That is what a cell without a mask gives: the end would depend on its neighbours' lengths.",
                "C'est ce que donne une cellule sans masque : la fin dépendrait de la longueur des voisines."),
        ],
    ),
    Choice(
        say("An alignment of a sentence of 9 tokens with a translation of 7 has the shape",
            "L'alignement d'une phrase de 9 jetons et d'une traduction de 7 a la forme"),
        [say("7 × 9, and each row sums to 1", "7 × 9, et chaque ligne fait 1"),
         say("9 × 7, and each row sums to 1", "9 × 7, et chaque ligne fait 1"),
         say("9 × 9", "9 × 9")],
        right=0,
        why=say("A row for each word written, which shares its weight out among the words read.",
                "Une ligne par mot écrit, qui partage son poids entre les mots lus."),
        why_not=[
            say("It is the writer who asks: each word written has weights, and they sum to 1.",
                "C'est celui qui écrit qui demande : chaque mot écrit a ses poids, de somme 1."),
            say("Nothing forces both sentences to be equally long; that is what it is for.",
                "Rien n'oblige les deux phrases à la même longueur ; c'est à cela qu'il sert."),
        ],
    ),
    Number(
        say("A gradient of length 10 is clipped to 0.5. By what number is it multiplied?",
            "Un gradient de longueur 10 est écrêté à 0,5. Par quel nombre le multiplie-t-on ?"),
        right=0.05,
        why=say("0.5 / 10: its direction does not change.", "0,5 / 10 : sa direction ne change pas."),
        computed=lambda: 0.5 / torch.tensor([6.0, 8.0]).norm().item(),
        tolerance=1e-6,
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Un état de taille fixe, réécrit à chaque symbole.
# - Un gradient s'éteint ou explose ; on écrête.
# - LSTM : on ajoute, on n'écrase pas.
# - Montrer le vrai à l'entraînement ; seul à l'examen.
# - Un vecteur oublie ; l'attention regarde.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - A state of fixed size, written anew at each symbol.
# - A gradient vanishes or explodes; it is clipped.
# - LSTM: add, do not squash.
# - Show the truth in training; alone in the exam.
# - One vector forgets; attention looks.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : les exercices 10 et 15. La leçon 05 gardera l'attention, et se
# passera de récurrence.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: exercises 10 and 15. Lesson 05 will keep attention, and do without
# recurrence.

# %% [markdown] lang="fr"
# ## À retenir
#
# - Une cellule réécrit un état de taille fixe à chaque symbole ; les poids sont les mêmes partout. Le remplissage laisse l'état tel quel.
# - Le gradient traverse un produit : il s'éteint, ou il explose. L'écrêtage raccourcit, sans changer la direction.
# - Le LSTM a deux vecteurs : $h$, que l'on voit, et $c$, sur un tapis que des portes réduisent et augmentent. Le GRU n'en a qu'un.
# - Un modèle de langue apprend forcé par l'enseignant, et écrit seul : ce ne sont pas les mêmes conditions.
# - L'ordre d'apprentissage : les espaces, les mots, et les accords en dernier. Une unité s'est mise à noter le pluriel.
# - Un traducteur à un seul vecteur oublie les longues phrases. L'attention garde tous les états : des scores, un softmax, un mélange.

# %% [markdown] lang="en"
# ## Take-aways
#
# - A cell writes a state of fixed size anew at each symbol; the weights are the same everywhere. Padding leaves the state as it is.
# - The gradient goes through a product: it vanishes, or it explodes. Clipping shortens it, and keeps its direction.
# - The LSTM has two vectors: $h$, which is seen, and $c$, on a belt that gates scale down and add to. The GRU has only one.
# - A language model learns under teacher forcing, and writes alone: the conditions are not the same.
# - The order of learning: spaces, words, and agreement last. One unit took to noting the plural.
# - A translator with a single vector forgets long sentences. Attention keeps all the states: scores, a softmax, a mixture.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# Les réseaux récurrents sont-ils morts ? Ils ont porté la langue jusqu'en 2017 ; DALL·E et GPT n'en ont pas. Mais un état de taille fixe, mis
# à jour pas à pas, garde un atout : lire un flux sans fin à coût constant. Les modèles à espace d'états, comme Mamba ([](work:gu2023)), en ont
# repris l'idée. La [](lesson:05) prendra l'autre chemin : garder l'attention, et jeter la récurrence.
#
# D'ici là : entraînez `new_model(RNNCell)`, et cherchez son unité du pluriel, dans son état caché cette fois :
# `unroll(model.cell, embedded)[0][0]` le donne après chaque symbole. Existe-t-elle ? Que deviennent les quatre parts de la [](#it-forgets)
# avec `hidden=192` ?
#
# ## Sources
#
# - J. Elman, [*Finding structure in time*](work:elman1990), 1990 ; R. Williams et D. Zipser, [*A learning algorithm for continually running
#   fully recurrent neural networks*](work:williams1989), 1989.
# - Y. Bengio, P. Simard et P. Frasconi, [*Learning long-term dependencies with gradient descent is difficult*](work:bengio1994), 1994 ;
#   R. Pascanu, T. Mikolov et Y. Bengio, [*On the difficulty of training recurrent neural networks*](work:pascanu2013), 2013.
# - S. Hochreiter et J. Schmidhuber, [*Long short-term memory*](work:hochreiter1997), 1997 ; F. Gers, J. Schmidhuber et F. Cummins,
#   [*Learning to forget*](work:gers2000), 2000 ; R. Józefowicz, W. Zaremba et I. Sutskever, [*An empirical exploration of recurrent network
#   architectures*](work:jozefowicz2015), 2015.
# - K. Cho et al., [*Learning phrase representations using RNN encoder-decoder*](work:cho2014), 2014 ; I. Sutskever, O. Vinyals et Q. Le,
#   [*Sequence to sequence learning with neural networks*](work:sutskever2014), 2014.
# - D. Bahdanau, K. Cho et Y. Bengio, [*Neural machine translation by jointly learning to align and translate*](work:bahdanau2015), 2015 ;
#   M.-T. Luong, H. Pham et C. Manning, [*Effective approaches to attention-based neural machine translation*](work:luong2015), 2015.
# - D. Kingma et J. Ba, [*Adam*](work:kingma2015), 2015 ; L. Smith, [*A disciplined approach to neural network
#   hyper-parameters*](work:smith2018), 2018 ; M. Ranzato et al., [*Sequence level training with recurrent neural
#   networks*](work:ranzato2016), 2016.
#
# À lire aussi : A. Karpathy, J. Johnson et L. Fei-Fei, [*Visualizing and understanding recurrent networks*](work:karpathy2015), 2015, pour des
# unités vues à l'œuvre ; C. Olah, *Understanding LSTM networks*, et A. Karpathy, *The unreasonable effectiveness of recurrent neural
# networks*, deux billets très lus.

# %% [markdown] lang="en"
# ## Reading on
#
# Are recurrent networks dead? They carried language until 2017; DALL·E and GPT have none. But a state of fixed size, updated step by step,
# keeps one advantage: reading an endless stream at a constant cost. State-space models, such as Mamba ([](work:gu2023)), have taken up the
# idea. [](lesson:05) will take the other road: keep attention, and throw recurrence away.
#
# Until then: train `new_model(RNNCell)`, and look for its plural unit, in its hidden state this time:
# `unroll(model.cell, embedded)[0][0]` gives it after each symbol. Is there one? What becomes of the four shares of [](#it-forgets)
# with `hidden=192`?
#
# ## Sources
#
# - J. Elman, [*Finding structure in time*](work:elman1990), 1990; R. Williams and D. Zipser, [*A learning algorithm for continually running
#   fully recurrent neural networks*](work:williams1989), 1989.
# - Y. Bengio, P. Simard and P. Frasconi, [*Learning long-term dependencies with gradient descent is difficult*](work:bengio1994), 1994; R.
#   Pascanu, T. Mikolov and Y. Bengio, [*On the difficulty of training recurrent neural networks*](work:pascanu2013), 2013.
# - S. Hochreiter and J. Schmidhuber, [*Long short-term memory*](work:hochreiter1997), 1997; F. Gers, J. Schmidhuber and F. Cummins, [*Learning
#   to forget*](work:gers2000), 2000; R. Józefowicz, W. Zaremba and I. Sutskever, [*An empirical exploration of recurrent network
#   architectures*](work:jozefowicz2015), 2015.
# - K. Cho and others, [*Learning phrase representations using RNN encoder-decoder*](work:cho2014), 2014; I. Sutskever, O. Vinyals and Q. Le,
#   [*Sequence to sequence learning with neural networks*](work:sutskever2014), 2014.
# - D. Bahdanau, K. Cho and Y. Bengio, [*Neural machine translation by jointly learning to align and translate*](work:bahdanau2015), 2015; M.-T.
#   Luong, H. Pham and C. Manning, [*Effective approaches to attention-based neural machine translation*](work:luong2015), 2015.
# - D. Kingma and J. Ba, [*Adam*](work:kingma2015), 2015; L. Smith, [*A disciplined approach to neural network
#   hyper-parameters*](work:smith2018), 2018; M. Ranzato and others, [*Sequence level training with recurrent neural
#   networks*](work:ranzato2016), 2016.
#
# Also worth reading: A. Karpathy, J. Johnson and L. Fei-Fei, [*Visualizing and understanding recurrent networks*](work:karpathy2015), 2015,
# for units seen at work; C. Olah, *Understanding LSTM networks*, and A. Karpathy, *The unreasonable effectiveness of recurrent neural
# networks*, two posts that have been read a great deal.
