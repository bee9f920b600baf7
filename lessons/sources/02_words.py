# ---
# jupyter:
#   lesson:
#     number: "02"
#     hours: [2.5, 1, 1.5, 1.5]
#     session: 210
#     title: {en: "Words as vectors", fr: "Des mots en vecteurs"}
# ---

# %% [markdown] lang="fr"
# Un programme a lu six mille phrases toutes simples : « le roi porte une couronne en or », « la femme conduit une voiture », « le chaton
# suit sa maman partout ». Aucune ne dit ce qu'est un roi, ni ce qui distingue une femme d'un homme. En moins d'une minute, il a donné à
# chaque mot une place : quarante-huit nombres. Voici six de ces places, aplaties sur la page.
#
# **Devinez d'abord.** Une flèche va d'« homme » à « femme ». La même flèche part de « roi » : quel mot se trouve au point d'interrogation ?

# %% [markdown] lang="en"
# A program has read six thousand very plain sentences: "the king wears a golden crown", "the woman drives a car", "the kitten follows its
# mum everywhere". None says what a king is, nor what tells a woman from a man. In less than a minute the program gave each word a place:
# forty-eight numbers. Here are six of these places, flattened onto the page.
#
# **Guess first.** An arrow goes from "man" to "woman". The same arrow starts from "king": which word stands at the question mark?

# %% tags=["hide-input"]
import torch
import torch.nn.functional as F

import dalle_edu.bricks.words as lexicon
from dalle_edu.bricks.word2vec import Word2VecConfig, train_word2vec
from dalle_edu.classroom.desk import kept
from dalle_edu.classroom.figures import BLUE, GREEN, ORANGE, VERMILION
from dalle_edu.classroom.figures import legend, picture, plot
from dalle_edu.datasets.sentences import analogies, sentences, word_pairs


# %% tags=["hide-input"]
def corpus(which, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    written = sentences(which, count, generator)
    return [lexicon.split_words(sentence) for sentence in written]


def learn(text, seed=0, **options):
    known = lexicon.Vocabulary(text)
    generator = torch.Generator().manual_seed(seed)
    settings = Word2VecConfig(**options)
    model, losses = train_word2vec(text, known, settings, generator)
    return model.vectors, losses


def learn_both():
    return {which: learn(corpus(which, 6000)) for which in ("fr", "en")}


# %% tags=["hide-input"]
language = say("en", "fr")
text = corpus(language, 6000)
vocabulary = lexicon.Vocabulary(text)
learned = kept("vectors", learn_both, patience=5)
vectors, losses = learned[language]


# %% tags=["hide-input"]
def flattened(names):
    chosen = [vocabulary[name] for name in names]
    unit = F.normalize(vectors[chosen], dim=1)
    men, women = unit[::2], unit[1::2]
    # en: upwards, the mean arrow; across, from the first pair to the last
    # fr: vers le haut, la flèche moyenne ; en travers, de la 1re paire à la 3e
    up = F.normalize((women - men).mean(dim=0), dim=0)
    apart = (men + women)[-1] - (men + women)[0]
    across = F.normalize(apart - (apart @ up) * up, dim=0)
    return dict(zip(names, torch.stack([unit @ across, unit @ up], dim=1).tolist()))


def arrow(axes, start, end, colour):
    style = {"arrowstyle": "->", "color": colour, "lw": 2.5,
             "shrinkA": 8, "shrinkB": 8}
    axes.annotate("", end, start, arrowprops=style)


# %% tags=["hide-input"]
def draw_family(hidden):
    names = say("man woman brother sister king queen",
                "homme femme frère sœur roi reine").split()
    places = flattened(names)
    figure, axes = plot(width=7, height=4.2)
    for start, end in zip(names[::2], names[1::2]):
        if not hidden or start != names[2]:
            arrow(axes, places[start], places[end], VERMILION)
    for name, (x, y) in places.items():
        axes.plot(x, y, "o", color="black")
        shown = "?" if hidden and name == names[5] else name
        away = -16 if name in names[::2] else 16
        axes.annotate(shown, (x, y), (0, away), textcoords="offset points",
                      ha="center", va="center", fontsize=14)
    axes.margins(0.15)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure


# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## Quel mot est au point d'interrogation ?
#
# Six mille phrases lues, quarante-huit nombres par mot, et deux flèches pareilles.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## Which word is at the question mark?
#
# Six thousand sentences read, forty-eight numbers a word, and two arrows alike.

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
picture(draw_family(hidden=True),
        say("Six words on a plane; one arrow goes from man to woman, another "
            "like it from king to a question mark.",
            "Six mots dans un plan ; une flèche va d'homme à femme, une autre, "
            "semblable, de roi à un point d'interrogation."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire écrire à chacun le mot qu'il attend, sans le dire. Demander ensuite : qui a dit à la machine ce qu'est une reine ?
# (Personne ; elle n'a lu que des phrases.) Garder la réponse pour la section 7. Pendant ce temps, lancer les premières cellules : elles
# prennent quelques secondes.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Let everyone write down the word they expect, without saying it. Then ask: who told the machine what a queen is? (Nobody; it has
# read nothing but sentences.) Keep the answer for section 7. Meanwhile run the first cells: they take a few seconds.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - changer un texte en nombres, et revenir ;
# - choisir une similarité, et dire ce qu'elle ignore ;
# - écrire skip-gram et sa perte ;
# - lire une analogie d'un œil critique ;
# - fusionner des lettres : BPE.
#
# **Il faut** la leçon 01.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - turn text into numbers, and back;
# - choose a similarity, and say what it ignores;
# - write skip-gram and its loss;
# - read an analogy with a critical eye;
# - merge letters: BPE.
#
# **You need** lesson 01.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Deux séances de 105 minutes : la première finit à la perte, la seconde commence par l'entraînement. Demander qui se rappelle la
# sigmoïde, un gradient, un lot : c'est tout ce qu'il faut de la leçon 01.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Two classes of 105 minutes: the first ends with the loss, the second begins with training. Ask who remembers the sigmoid, a
# gradient, a batch: that is all we need of lesson 01.

# %% [markdown] lang="fr"
# Gardez votre réponse : la [](#king-minus-man-plus-woman) la donnera, après que vous aurez écrit de vos mains tout ce qu'il faut pour
# l'obtenir. Chaque machine de ce cours commence par là : un texte entre, des vecteurs en sortent.
#
# **À la fin de cette leçon, vous saurez**
#
# - changer un texte en nombres, et revenir ;
# - choisir une similarité, et dire ce qu'elle ignore ;
# - écrire skip-gram et l'échantillonnage négatif, pièce par pièce ;
# - lire une analogie d'un œil critique, et dire pourquoi trois phrases n'apprennent rien ;
# - mesurer un préjugé que des vecteurs ont pris dans un texte ;
# - faire un BPE à la main, pour les mots que l'on n'a jamais vus.
#
# **Il faut** la [](lesson:01) : le produit scalaire, la sigmoïde, une perte, un gradient. Ici commence PyTorch : un **tenseur** est un
# tableau de NumPy qui sait aussi calculer ses gradients. Le peu qu'il en faut est expliqué au passage.
#
# **Si le temps manque**, les sections [1](#from-a-sentence-to-numbers) à [8](#three-sentences-teach-nothing) et leurs exercices ● et ●●
# forment le chemin principal. Les fenêtres en tenseurs ([](#the-company-of-a-word)) et la [](#what-the-text-has-planted) peuvent attendre.
# Un exercice non fait n'arrête rien : la bibliothèque prend la place de ce qui manque.

# %% [markdown] lang="en"
# Keep your answer: [](#king-minus-man-plus-woman) will give it, once you have written with your own hands all that it takes to get there.
# Every machine of this course begins like this: text goes in, vectors come out.
#
# **By the end of this lesson you will be able to**
#
# - turn text into numbers, and back;
# - choose a similarity, and say what it ignores;
# - write skip-gram and negative sampling, piece by piece;
# - read an analogy with a critical eye, and say why three sentences teach nothing;
# - measure a bias that vectors have picked up from a text;
# - do BPE by hand, for words that were never seen.
#
# **You need** [](lesson:01): the dot product, the sigmoid, a loss, a gradient. PyTorch begins here: a **tensor** is a NumPy array that can
# also work out its gradients. The little that is needed is explained on the way.
#
# **If time is short**, sections [1](#from-a-sentence-to-numbers) to [8](#three-sentences-teach-nothing) and their exercises ● and ●● are
# the main path. Windows in tensors ([](#the-company-of-a-word)) and [](#what-the-text-has-planted) can wait. An exercise left undone stops
# nothing: the library takes the place of what is missing.

# %%
import math
from collections import Counter

import numpy as np

from dalle_edu.bricks.word2vec import NOTHING, examples
from dalle_edu.classroom.figures import COLOURS
from dalle_edu.classroom.suspect import suspect
from dalle_edu.classroom.widgets.neighbours import NeighbourTable
from dalle_edu.datasets.sentences import JOYFUL_ANIMALS
from dalle_edu.language import decimal, scientific

# %%
# en: gensim takes a while to load: better now than in the middle of section 8
# fr: gensim est long à charger : mieux vaut ici qu'au milieu de la section 8
try:
    from gensim.models import Word2Vec as GensimWord2Vec
except ImportError:
    GensimWord2Vec = None
    print(say("gensim is not made for this Python yet: what needs it stays empty.",
              "gensim n'est pas fait pour ce Python : ce qui l'emploie est vide."))

# %% [markdown] lang="fr"
# ## 1. D'une phrase à des nombres
#
# Une machine ne lit que des nombres. Premier pas : couper le texte en **jetons** (*tokens*), ici des mots. Couper aux espaces ne suffit
# pas. **Devinez** : combien de morceaux de la phrase ci-dessous ne sont pas des mots que l'on trouverait dans un dictionnaire ?

# %% [markdown] lang="en"
# ## 1. From a sentence to numbers
#
# A machine reads nothing but numbers. First step: cut the text into **tokens**, here words. To cut at spaces is not enough. **Guess**: how
# many pieces of the sentence below are not words that one would find in a dictionary?

# %%
sentence = say("Surprisingly, the king's cat sleeps; the dog's kennel isn't far.",
               "Étonnamment, j'aime l'hiver ; le chat, lui, n'aime que l'été.")
at_spaces = sentence.split()
split = lexicon.split_words(sentence)
print(say("at spaces:", "aux espaces :"), " | ".join(at_spaces))
print(say("letters:", "aux lettres :"), " | ".join(split))

# %% claims=true
assert at_spaces[0][0].isupper() and split[0][0].islower()
assert len(split) > len(at_spaces) == 10
assert sum(word.isalpha() and word.islower() for word in at_spaces) == say(4, 2)
assert not any("'" in word for word in split)
not_found = say("Surprisingly, king's sleeps; dog's far.",
                "Étonnamment, j'aime l'hiver ; chat, lui, n'aime l'été.").split()
in_dictionary = set(say("the cat kennel isn't", "le que").split())
assert set(at_spaces) == in_dictionary | set(not_found)
assert len(not_found) == say(5, 8)
assert say({"king", "s", "isn", "t"}, {"aime", "j", "l", "n"}) <= set(split)

# %% [markdown] lang="fr"
# Aux espaces, huit morceaux sur dix ne sont pas des mots du dictionnaire : la ponctuation se colle aux mots, ou reste seule, et « j'aime »
# et « n'aime » font deux mots sans rapport. La capitale reste aussi. `split_words` prend les suites de lettres, en minuscules : « aime » y
# est deux fois le même mot. C'est un choix, et tout découpage en est un : il dit d'avance ce que la machine pourra distinguer.
#
# Deuxième pas : numéroter. Un **vocabulaire** est la liste des mots du texte, du plus fréquent au plus rare ; le jeton d'un mot est son
# numéro. Un vocabulaire est fini : il garde le numéro 0 pour « tout le reste », que l'on écrit `<unk>` (de *unknown*, inconnu).

# %% [markdown] lang="en"
# At spaces, six pieces out of ten are no dictionary words (five, if yours has "isn't"): punctuation sticks where it can, and "king's" is a
# word unrelated to "king". The capital stays, too. `split_words` takes runs of letters, in lower case: "king" is "king" again, and a lone
# "s" is the price. It is a choice, and every way to cut is one: it says beforehand what the machine will be able to tell apart.
#
# Second step: numbers. A **vocabulary** is the list of the words of the text, the most frequent first; the token of a word is its number. A
# vocabulary is finite: it keeps number 0 for "all the rest", written `<unk>` (unknown).

# %%
print(say("words:", "mots :"), len(vocabulary) - 1)
for number in (0, 1, 2, 3, 100):
    word, count = vocabulary.words[number], vocabulary.counts[number]
    print(f"{number:4}  {word:10} {count:6}")

# %% claims=true
assert vocabulary.words[1] == say("the", "le")
assert vocabulary.counts[0] == 0
share = vocabulary.counts[1] / vocabulary.counts.sum()
assert share > 0.05
assert 250 < len(vocabulary) < 300

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. D'une phrase à des nombres
#
# | phrase | le | chat | chante | zut |
# |---|---|---|---|---|
# | **jetons** | 1 | 3 | 2 | 0 |
#
# Un vocabulaire numérote les mots du texte. Tout le reste est le numéro 0.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. From a sentence to numbers
#
# | sentence | the | cat | bites | gosh |
# |---|---|---|---|---|
# | **tokens** | 1 | 3 | 2 | 0 |
#
# A vocabulary numbers the words of the text. All the rest is number 0.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander comment couper « j'aime », « aujourd'hui », « porte-monnaie ». (Aucune réponse n'est la bonne : c'est un choix.)
# Insister : le numéro n'a pas de sens en lui-même ; « chat » vaut 3 parce qu'il est moins fréquent que 1 et 2. Que perd-on avec le numéro
# 0 ? (Tous les mots inconnus se ressemblent.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask how to cut "isn't", "mother-in-law", "U.S.". (No answer is the right one: it is a choice.) Insist: the number has no meaning in
# itself; "cat" is 3 because it is less frequent than 1 and 2. What is lost with number 0? (All unknown words look alike.)

# %% [markdown] lang="fr"
# Les mots les plus fréquents sont de tout petits mots : des articles, « de ». Nous leur réglerons leur compte à la [](#pull-and-push). Le
# numéro 0 n'a pas servi : le vocabulaire est fait de ce texte même.

# %% [markdown] lang="en"
# The most frequent words are small ones: articles and the like. [](#pull-and-push) will deal with them. Number 0 was not needed: the
# vocabulary is made of this very text.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercices 1 et 2 · Des numéros, puis des vecteurs
#
# **12 min.** 1 ● `Vocabulary.encode` : un inconnu reçoit 0. 2 ● `one_hot` : un 1 parmi des 0.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-2"
# ### Exercises 1 and 2 · Numbers, then vectors
#
# **12 min.** 1 ● `Vocabulary.encode`: an unknown word gets 0. 2 ● `one_hot`: a 1 among 0s.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 12 min. Montrer une fois la cellule d'essai et celle qui vérifie. Faute à guetter en 1 : jeter l'inconnu, si bien que la phrase
# raccourcit. En 2 : une boucle là où une comparaison suffit. Qui a fini cherche la distance entre deux vecteurs « un parmi n » : la section
# 2 la donne.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 12 min. Show the scratch cell and the one that checks, once. Mistake to look for in 1: dropping the unknown word, so that the sentence
# gets shorter. In 2: a loop where a comparison is enough. Who has finished looks for the distance of two one-hot vectors: section 2 gives
# it.

# %% [markdown] lang="fr"
# Écrivez `encode`, qui change une liste de mots en leurs numéros, un par mot, dans l'ordre. `self._ids` est le dictionnaire des mots
# connus : mot, numéro. Un mot inconnu ne disparaît pas : il reçoit le numéro `UNKNOWN`, qui vaut 0. Rendez un tenseur d'entiers,
# `torch.tensor(liste, dtype=torch.long)`. Le reste de la classe est déjà écrit.
#
# La signature se lit ainsi : `Int[Tensor, "t"]` est un tenseur d'entiers qui a un seul axe, de longueur t. C'est une note pour le lecteur :
# Python n'en tient pas compte.
#
# <details><summary>Un indice</summary>
#
# `self._ids.get(word, UNKNOWN)` rend le numéro du mot, ou `UNKNOWN` s'il n'y est pas.
#
# </details>

# %% [markdown] lang="en"
# Write `encode`, which turns a list of words into their numbers, one for each word, in order. `self._ids` is the dictionary of known words:
# word, number. An unknown word does not vanish: it gets the number `UNKNOWN`, which is 0. Return a tensor of whole numbers,
# `torch.tensor(the_list, dtype=torch.long)`. The rest of the class is written already.
#
# The signature reads like this: `Int[Tensor, "t"]` is a tensor of whole numbers that has a single axis, of length t. It is a note to the
# reader: Python takes no notice of it.
#
# <details><summary>A hint</summary>
#
# `self._ids.get(word, UNKNOWN)` gives the word's number, or `UNKNOWN` where it is not there.
#
# </details>

# %% implements="words:Vocabulary" level=1 hollow=["encode"]
"""Les mots rencontrés au moins `min_count` fois, et un numéro pour chacun.

Les numéros commencent à 1, avec le mot le plus fréquent ; à égalité, ils
suivent l'ordre alphabétique. `words[0]` est « <unk> », le mot inconnu. `counts`
dit combien de fois chaque mot a été rencontré ; pour le mot inconnu, c'est le
nombre de jetons qu'il remplace. `vocabulary[word]` est le numéro d'un mot
connu.
"""
"""Le numéro d'un mot connu."""
"""Les numéros des mots ; un mot hors du vocabulaire donne `UNKNOWN`."""

# %% scratch=true
small = Vocabulary([say("the cat bites", "le chat chante").split(),
                    say("the dog", "le chien").split()])
small.encode(say("the mouse bites", "la souris chante").split())
# en: → tensor([1, 0, 2])
# fr: → tensor([0, 0, 2])

# %% [markdown] lang="fr"
# ## 2. Tous aussi loin les uns des autres
#
# Peut-on calculer avec ces numéros ? Dans l'[](exercise:02/1), « chat » est le 3, « chante » le 2 : un chat n'est pas un chant et demi. Le
# plus simple est de donner à chaque mot un axe à lui : le vecteur du mot numéro $i$ a un 1 à la place $i$ et des 0 ailleurs. C'est le codage **un parmi n**
# (*one-hot*). Avec trois mots : $(1, 0, 0)$, $(0, 1, 0)$, $(0, 0, 1)$. La distance entre les deux premiers est
# $\sqrt{1^2 + 1^2 + 0^2} = \sqrt 2$. **Devinez** la distance de « roi » à « reine », puis celle de « roi » à « grain ».

# %% [markdown] lang="en"
# ## 2. All as far from one another
#
# Can one compute with these numbers? In [](exercise:02/1), "cat" is 3 and "bites" is 2: a cat is not one and a half bites. The simplest is
# to give each word an axis of its own: the vector of word number $i$ has a 1 at place $i$ and 0 elsewhere. This is **one-hot** coding. With
# three words: $(1, 0, 0)$, $(0, 1, 0)$, $(0, 0, 1)$. The distance of the first two is $\sqrt{1^2 + 1^2 + 0^2} = \sqrt 2$. **Guess** the
# distance from "king" to "queen", then that from "king" to "grain".

# %% [markdown] lang="fr"
# `ids` est un tenseur de numéros, de forme quelconque, `(*n)` ; `size`, le nombre de mots. Rendez des vecteurs de longueur `size`, un par
# numéro, sur un dernier axe ajouté : de la forme `(*n, v)`, et du type `dtype`.
#
# Dans la signature, `Int[Tensor, "*n"]` est un tenseur d'entiers d'une forme quelconque, `Float[Tensor, "*n v"]` un tenseur de nombres à
# virgule qui a un axe de plus, de longueur v.
#
# <details><summary>Un indice</summary>
#
# `ids.unsqueeze(-1)` ajoute un dernier axe, de longueur 1. Comparez-le par `==` à `torch.arange(size, device=ids.device)`, c'est-à-dire
# 0, 1, …, size − 1 : PyTorch compare chaque numéro à toutes les places.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Une comparaison donne vrai ou faux ; `.to(dtype)` en fait des 1 et des 0.
#
# </details>

# %% [markdown] lang="en"
# `ids` is a tensor of numbers, of any shape, `(*n)`; `size`, the number of words. Return vectors of length `size`, one for each number,
# along a new last axis: of shape `(*n, v)`, and of type `dtype`.
#
# In the signature, `Int[Tensor, "*n"]` is a tensor of whole numbers of any shape, `Float[Tensor, "*n v"]` a tensor of floating-point
# numbers that has one more axis, of length v.
#
# <details><summary>A hint</summary>
#
# `ids.unsqueeze(-1)` adds a last axis, of length 1. Compare it by `==` with `torch.arange(size, device=ids.device)`, that is
# 0, 1, …, size − 1: PyTorch compares each number with all places.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# A comparison gives true or false; `.to(dtype)` makes 1s and 0s of them.
#
# </details>

# %% implements="words:one_hot" level=1
"""Des vecteurs de longueur `size` : 1 à la place du numéro du mot, 0 ailleurs.

Tous les mots sont aussi loin les uns des autres.
"""

# %% scratch=true
one_hot(torch.tensor([2, 0]), 3)
# → tensor([[0., 0., 1.], [1., 0., 0.]])

# %%
names = say("king queen prince father France Italy cat kitten grain",
            "roi reine prince père France Italie chat chaton grain").split()
chosen = vocabulary.encode([name.lower() for name in names])
far_apart = one_hot(chosen, len(vocabulary))
distances = torch.cdist(far_apart, far_apart)
print(say("king to queen:", "roi à reine :"), decimal(distances[0, 1], 3))
print(say("king to grain:", "roi à grain :"), decimal(distances[0, 8], 3))

# %% claims=true
assert abs(distances[0, 1] - math.sqrt(2)) < 1e-6
assert abs(distances[0, 8] - math.sqrt(2)) < 1e-6
assert (chosen > 0).all()

# %% [markdown] lang="fr"
# Toujours $\sqrt 2 \approx 1{,}414$. Un parmi n ne dit rien des mots, sinon qu'ils sont différents, et chaque vecteur a autant de nombres
# qu'il y a de mots. Il nous faut des vecteurs plus courts, dont les distances **disent quelque chose** : des **plongements**
# (*embeddings*). Voici neuf mots comparés deux à deux, codés un parmi n, puis par les vecteurs appris : plus la case est foncée, plus leur
# cosinus est grand, et plus ils se ressemblent (la section suivante dit ce qu'est un cosinus).

# %% [markdown] lang="en"
# Always $\sqrt 2 \approx 1.414$. One-hot says nothing of words but that they differ, and each vector has as many numbers as there are
# words. We need shorter vectors, whose distances **say something**: **embeddings**. Here are nine words compared two by two, one-hot and
# then by the learned vectors: the darker the square, the greater their cosine, and the more alike they are (the next section says what a
# cosine is).

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Un parmi n, ou appris ?
#
# Le cosinus de chaque paire de mots : plus c'est foncé, plus ils se ressemblent.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. One-hot, or learned?
#
# The cosine of each pair of words: the darker, the more alike.

# %% slide="fragment" tags=["hide-input"]
unit = F.normalize(vectors[chosen], dim=1)
cosines = unit @ unit.T
figure, panels = plot(1, 2, width=8.6, height=4.4)
titles = say("one-hot|learned", "un parmi n|appris").split("|")
for panel, shown, title in zip(panels, (far_apart @ far_apart.T, cosines), titles):
    panel.imshow(shown.numpy(), cmap="Blues", vmin=0, vmax=1)
    panel.set(title=title, yticks=range(9), yticklabels=names)
    panel.set_xticks(range(9), names, rotation=60, ha="right",
                     rotation_mode="anchor")
picture(figure, say("One-hot vectors are alike to themselves alone; learned ones "
                    "form blocks: people, countries, animals and grain.",
                    "Les vecteurs un parmi n ne ressemblent qu'à eux-mêmes ; les "
                    "appris font des blocs : gens, pays, animaux et grain."))

# %% claims=true
people, countries, animals = cosines[:4, :4], cosines[4:6, 4:6], cosines[6:, 6:]
outside = max(cosines[:4, 4:8].max(), cosines[4:6, 6:8].max())
assert min(people.min(), countries.min(), animals.min()) > outside

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. À gauche, rien qu'une diagonale : chaque mot est sur son axe. À droite, des blocs : les gens, les pays, les animaux. Demander : qui
# a dit à la machine que la France et l'Italie vont ensemble ? (Personne. C'est toute la leçon.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. On the left nothing but a diagonal: each word is on its own axis. On the right, blocks: people, countries, animals. Ask: who told
# the machine that France and Italy go together? (Nobody. That is the whole lesson.)

# %% [markdown] lang="fr"
# À gauche, une diagonale. À droite, trois blocs : des gens, des pays, des animaux. Le grain, que picorent la poule et le poussin, se range
# avec eux. Personne n'a donné ces catégories. D'où viennent-elles ? C'est l'affaire des sections [4](#the-company-of-a-word) à
# [6](#learning) ; d'abord, que veut dire « se ressembler » ?

# %% [markdown] lang="en"
# On the left, a diagonal. On the right, three blocks: people, countries, animals. Grain, which hens and chicks eat, is found with them.
# Nobody gave these categories. Where do they come from? Sections [4](#the-company-of-a-word) to [6](#learning) will tell; first, what does
# "alike" mean?

# %% [markdown] lang="fr"
# ## 3. Trois façons de se ressembler
#
# Prenez $a = (1, 2)$ et $b = (2, 4)$. Ils pointent dans la même direction, mais $b$ est deux fois plus long. Se ressemblent-ils ?
#
# - **Le cosinus** de leur angle dit oui, tout à fait : $\frac{1 \times 2 + 2 \times 4}{\sqrt{1 + 4} \, \sqrt{4 + 16}} = \frac{10}{10} = 1$. Il
#   ignore les longueurs. Il va de $-1$ (opposés) à 1, et vaut 0 pour un angle droit.
# - **La distance euclidienne** dit : pas tant que ça. $\sqrt{(1 - 2)^2 + (2 - 4)^2} = \sqrt 5 \approx 2{,}24$, soit une similarité de
#   $\frac{1}{1 + 2{,}24} \approx 0{,}31$. Elle tient compte des longueurs.
# - **L'indice de Jaccard** ne compare pas des vecteurs, mais des **ensembles** : les mots communs, divisés par tous les mots. Entre « le chat
#   dort » et « le chien dort », il vaut 0,5 : 2 mots communs sur 4. Il se passe de plongements, et ignore l'ordre et les répétitions.

# %% [markdown] lang="en"
# ## 3. Three ways to be alike
#
# Take $a = (1, 2)$ and $b = (2, 4)$. They point in the same direction, but $b$ is twice as long. Are they alike?
#
# - **The cosine** of their angle says yes, entirely: $\frac{1 \times 2 + 2 \times 4}{\sqrt{1 + 4} \, \sqrt{4 + 16}} = \frac{10}{10} = 1$. It
#   ignores lengths. It goes from $-1$ (opposite) to 1, and is 0 at a right angle.
# - **Euclidean distance** says: not that much. $\sqrt{(1 - 2)^2 + (2 - 4)^2} = \sqrt 5 \approx 2.24$, which is a similarity of
#   $\frac{1}{1 + 2.24} \approx 0.31$. It takes lengths into account.
# - **The Jaccard index** does not compare vectors but **sets**: the words in common, divided by all the words. Of "the cat sleeps" and "the
#   dog sleeps" it is 0.5: 2 words out of 4 are shared. It needs no embedding, and ignores order and repetition.

# %% [markdown]
# $$ \cos(a, b) = \frac{a \cdot b}{\lVert a \rVert \, \lVert b \rVert} \qquad
# \mathrm{euclid}(a, b) = \frac{1}{1 + \lVert a - b \rVert} \qquad J(A, B) = \frac{|A \cap B|}{|A \cup B|} $$

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Trois façons de se ressembler
#
# Le cosinus lit l'angle, la distance lit l'écart. Jaccard compte des mots.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Three ways to be alike
#
# The cosine reads the angle, the distance reads the gap. Jaccard counts words.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.5, height=3.6)
for name, end, colour in (("b", (2, 4), ORANGE), ("c", (2, 1), GREEN),
                          ("a", (1, 2), BLUE)):
    arrow(axes, (0, 0), end, colour)
    axes.text(end[0] + 0.08, end[1], name, fontsize=16, color=colour)
axes.plot([1, 2], [2, 1], linestyle=":", color="grey")
axes.set(xlim=(-0.2, 5), ylim=(-0.2, 4.5), xticks=range(5), yticks=range(5))
axes.text(2.7, 3.1, say("a and b: one direction", "a et b : une direction"), fontsize=13)
axes.text(2.7, 2.3, say("a and c: the nearest tips", "a et c : pointes proches"), fontsize=13)
axes.set_aspect("equal")
picture(figure, say("Vectors a and b lie on one line, b twice as long; the tip of "
                    "c is nearer to that of a than the tip of b is.",
                    "Les vecteurs a et b sont sur une droite, b deux fois plus "
                    "long ; la pointe de c est plus près de celle de a."))

# %% claims=true
a, b, c = (torch.tensor(each) for each in ([1.0, 2.0], [2.0, 4.0], [2.0, 1.0]))
assert (a - c).norm() < (a - b).norm()
assert abs(F.cosine_similarity(a, b, dim=0) - 1) < 1e-6
assert F.cosine_similarity(a, c, dim=0) < 0.9
vector_lengths = vectors.norm(dim=1)
assert vector_lengths[50:60].mean() > 1.2 * vector_lengths[-10:].mean()

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire calculer les deux nombres au tableau. Demander lequel est le plus proche de a : b ou c ? (b par le cosinus, c par la
# distance : cela dépend de ce que l'on veut ignorer.) Et Jaccard de « le chat dort » et « dort le chat » ? (1 : il ignore l'ordre.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have both numbers worked out on the board. Ask which is nearer to a: b or c? (b by the cosine, c by the distance: it depends on
# what one wants to ignore.) And Jaccard of "the cat sleeps" and "sleeps the cat"? (1: it ignores order.)

# %% [markdown] lang="fr"
# Qui est le plus proche de $a$ ? $b$ par le cosinus, $c$ par la distance. Aucune similarité n'est « la bonne » : chacune choisit ce qu'elle
# ignore. Pour des mots, on prend presque toujours le cosinus : la longueur d'un vecteur dépend du nombre de fois que son mot a été lu, et
# c'est le sens du mot que l'on cherche. Écrivez-les toutes les trois.

# %% [markdown] lang="en"
# Which is nearest to $a$? $b$ by the cosine, $c$ by the distance. No similarity is "the right one": each chooses what it ignores. For words
# one nearly always takes the cosine: the length of a word's vector depends on how often it was read, and it is its meaning that one is
# after. Write all three.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 3-5"
# ### Exercices 3 à 5 · Les trois similarités
#
# **15 min.** 3 ● `cosine_similarity`. 4 ● `euclidean_similarity`. 5 ● `jaccard_similarity`.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 3-5"
# ### Exercises 3 to 5 · The three similarities
#
# **15 min.** 3 ● `cosine_similarity`. 4 ● `euclidean_similarity`. 5 ● `jaccard_similarity`.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Fautes à guetter : `.norm()` sans `dim`, qui prend une seule longueur pour tout le lot ; la distance au lieu de la similarité ; la
# racine oubliée ; Jaccard divisé par la somme des tailles, qui compte deux fois les mots communs. Demander ce que rendent deux vecteurs
# nuls, deux ensembles vides.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Mistakes to look for: `.norm()` without `dim`, which takes one length for the whole batch; the distance instead of the similarity;
# the root forgotten; Jaccard divided by the sum of the sizes, which counts shared words twice. Ask what two zero vectors give, and two
# empty sets.

# %% [markdown] lang="fr"
# `a` et `b` ont la même forme, `(*n, d)` : des lots de vecteurs de d nombres. Rendez un cosinus par paire, de forme `(*n)`. Un vecteur nul
# n'a pas de direction : son cosinus vaut 0, et il ne faut pas diviser par 0.
#
# <details><summary>Un indice</summary>
#
# `(a * b).sum(dim=-1)` est le produit scalaire le long du dernier axe ; `a.norm(dim=-1)`, la longueur de chaque vecteur.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `.clamp(min=1e-12)` remplace par $10^{-12}$ tout ce qui est plus petit : divisez par le produit des longueurs ainsi protégé.
#
# </details>

# %% [markdown] lang="en"
# `a` and `b` are of the same shape, `(*n, d)`: batches of vectors of d numbers. Return one cosine for each pair, of shape `(*n)`. A zero
# vector has no direction: its cosine is 0, and one must not divide by 0.
#
# <details><summary>A hint</summary>
#
# `(a * b).sum(dim=-1)` is the dot product along the last axis; `a.norm(dim=-1)`, the length of each vector.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `.clamp(min=1e-12)` replaces all that is smaller by $10^{-12}$: divide by the product of the lengths, protected like this.
#
# </details>

# %% implements="words:cosine_similarity" level=1
"""Le cosinus de l'angle entre des vecteurs, de -1 à 1.

Il dépend de leurs directions et non de leurs longueurs. Avec un vecteur nul, il
vaut 0.
"""

# %% scratch=true
cosine_similarity(torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0]))
# → tensor(0.9600)

# %% [markdown] lang="fr"
# De même pour la distance euclidienne, changée en similarité : 1 pour deux vecteurs égaux, et d'autant moins qu'ils sont loin.
#
# <details><summary>Un indice</summary>
#
# `(a - b).square()` élève chaque écart au carré ; `.sum(dim=-1)`, puis `.sqrt()`.
#
# </details>

# %% [markdown] lang="en"
# Likewise for Euclidean distance, turned into a similarity: 1 for two equal vectors, and the less the farther apart they are.
#
# <details><summary>A hint</summary>
#
# `(a - b).square()` squares each difference; `.sum(dim=-1)`, then `.sqrt()`.
#
# </details>

# %% implements="words:euclidean_similarity" level=1
"""1 / (1 + distance), dans (0, 1] : 1 pour des vecteurs égaux.

Elle dépend aussi des longueurs, et les vecteurs des mots fréquents sont plus
longs.
"""

# %% scratch=true
euclidean_similarity(torch.tensor([0.0, 0.0]), torch.tensor([3.0, 0.0]))
# → tensor(0.2500)

# %% [markdown] lang="fr"
# Et pour Jaccard, sur des ensembles de Python : `a & b` est l'intersection, `a | b` la réunion, `len` compte. Deux ensembles vides sont
# égaux : rendez 1.0.
#
# <details><summary>Un indice</summary>
#
# Un ensemble vide compte pour faux : `if a or b` dit que l'un des deux au moins ne l'est pas.
#
# </details>

# %% [markdown] lang="en"
# And for Jaccard, on Python's sets: `a & b` is the intersection, `a | b` the union, `len` counts. Two empty sets are equal: return 1.0.
#
# <details><summary>A hint</summary>
#
# An empty set counts as false: `if a or b` says that at least one of the two is not.
#
# </details>

# %% implements="words:jaccard_similarity" level=1
"""|a ∩ b| / |a ∪ b|, la part de mots que deux ensembles ont en commun.

Elle va de 0 à 1 (Jaccard 1901). Deux ensembles vides sont égaux : 1.
"""

# %% scratch=true
jaccard_similarity(set(say("the cat sleeps", "le chat dort").split()),
                   set(say("the dog sleeps", "le chien dort").split()))
# → 0.5

# %% [markdown] lang="fr"
# ## 4. La compagnie d'un mot
#
# Que veut dire « tova » ? « Le tova miaule », « le tova dort sur le coussin », « elle caresse le tova ». Vous le savez déjà, et personne ne
# l'a défini : ses voisins vous l'ont dit. C'est l'hypothèse distributionnelle, que [Firth (1957)](work:firth1957) résume ainsi : on connaît
# un mot à la compagnie qu'il fréquente. Des mots qui ont les mêmes voisins ont souvent un sens voisin. Ce n'est pas un théorème : « chaud »
# et « froid » ont les mêmes voisins, eux aussi.
#
# Pour une machine, la compagnie d'un mot est ce qui tombe dans une **fenêtre** autour de lui : ici, deux mots de chaque côté. Au bord de la
# phrase, il y en a moins. **Devinez** : « le chat dort sur le tapis » a six mots ; avec une fenêtre de 2, combien de paires (mot, voisin) ?

# %% [markdown] lang="en"
# ## 4. The company of a word
#
# What does "tova" mean? "The tova miaows", "the tova sleeps on the cushion", "she strokes the tova". You know already, and nobody defined
# it: its neighbours told you. This is the distributional hypothesis, which [Firth (1957)](work:firth1957) sums up so: you shall know a word
# by the company it keeps. Words that have the same neighbours often have neighbouring meanings. It is no theorem: "hot" and "cold" have the
# same neighbours, too.
#
# For a machine, the company of a word is what falls into a **window** around it: here, two words on each side. At the edge of the sentence
# there are fewer. **Guess**: "the cat sleeps on the rug" has six words; with a window of 2, how many pairs (word, neighbour)?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. La compagnie d'un mot
#
# Une fenêtre de deux mots passe sur la phrase. Combien de paires (mot, voisin) ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. The company of a word
#
# A window of two words slides along the sentence. How many pairs (word, neighbour)?

# %% slide="fragment" tags=["hide-input"]
six_words = say("the cat sleeps on the rug", "le chat dort sur le tapis").split()
figure, axes = plot(width=8, height=3.6)
for row, middle in enumerate(six_words):
    for column, word in enumerate(six_words):
        distance = abs(column - row)
        colour, weight = "grey", "normal"
        if distance <= 2:
            colour, weight = BLUE, "bold"
        if distance == 0:
            colour = ORANGE
        axes.text(column, -row, word, ha="center", va="center", fontsize=14,
                  color=colour, fontweight=weight)
axes.set(xlim=(-0.7, 5.7), ylim=(-5.6, 0.6), xticks=[], yticks=[])
axes.spines[:].set_visible(False)
picture(figure, say("The sentence six times, a line for each of its words in "
                    "orange; its neighbours, at most two away, are blue.",
                    "La phrase six fois, une ligne par mot, en orange ; ses "
                    "voisins, à deux places au plus, sont en bleu."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Au tableau : la fenêtre sur la phrase, mot après mot. Faire compter les mots bleus : 2, 3, 4, 4, 3, 2, soit 18. Demander pourquoi
# la fenêtre s'arrête à la fin de la phrase. (Le premier mot de la suivante n'a rien à voir.) Et pourquoi le mot n'est pas son propre
# voisin ? (Il apprendrait à se deviner lui-même.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. On the board: the window on the sentence, word after word. Have them count the blue words: 2, 3, 4, 4, 3, 2, which is 18. Ask why
# the window stops at the end of the sentence. (The first word of the next has nothing to do with it.) And why is the word not its own
# neighbour? (It would learn to guess itself.)

# %% [markdown] lang="fr"
# Les mots bleus sont 2, 3, 4, 4, 3, 2 : dix-huit paires.

# %% [markdown] lang="fr"
# Écrivez `pairs_of`, qui donne toutes les paires (mot, voisin) d'une phrase : pour chaque mot de la liste `words`, de
# gauche à droite, un tuple `(mot, voisin)` pour chacun de ses voisins, de gauche à droite, à `window` places au plus. Aucun mot n'est son
# propre voisin.
#
# <details><summary>Un indice</summary>
#
# Deux boucles : `for place, word in enumerate(words)`, puis une boucle sur les places voisines, de `place - window` à `place + window`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `range(max(0, place - window), min(len(words), place + window + 1))` ne sort pas de la phrase ; reste à sauter `place` elle-même.
#
# </details>

# %% [markdown] lang="en"
# The blue words are 2, 3, 4, 4, 3, 2: eighteen pairs.

# %% [markdown] lang="en"
# Write `pairs_of`, which gives all pairs (word, neighbour) of a sentence: for each word of the list `words`, from left
# to right, a tuple `(word, neighbour)` for each of its neighbours, from left to right, at most `window` places away. No word is its own
# neighbour.
#
# <details><summary>A hint</summary>
#
# Two loops: `for place, word in enumerate(words)`, then a loop over the places around, from `place - window` to `place + window`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `range(max(0, place - window), min(len(words), place + window + 1))` stays inside the sentence; what remains is to skip `place` itself.
#
# </details>

# %% level=1
def pairs_of(words, window):
    pairs = []
    for place, word in enumerate(words):
        first = max(0, place - window)
        last = min(len(words), place + window + 1)
        for other in range(first, last):
            if other != place:
                pairs.append((word, words[other]))
    return pairs


# %% scratch=true
pairs_of(say("the cat sings", "le chat chante").split(), 1)
# en: → [('the', 'cat'), ('cat', 'the'), ('cat', 'sings'), ('sings', 'cat')]
# fr: → [('le', 'chat'), ('chat', 'le'), ('chat', 'chante'), ('chante', 'chat')]

# %%
letters = ["a", "b", "c", "d"]
side_by_side = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("c", "d"),
                ("d", "c")]
two_away = [("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("b", "d"),
            ("c", "a"), ("c", "b"), ("c", "d"), ("d", "b"), ("d", "c")]
expect(lambda: [pairs_of(letters, 1), pairs_of(letters, 2)],
       [side_by_side, two_away],
       say("the pairs of four words, with windows of 1 and 2",
           "les paires de quatre mots, fenêtres de 1 et de 2"))

# %% claims=true
assert len(pairs_of(six_words, 2)) == 18

# %% [markdown] lang="fr"
# ### Toutes les fenêtres à la fois
#
# Une boucle de Python par mot serait bien lente sur un long texte. PyTorch peut faire la même chose d'un coup, dans un seul tableau.

# %% [markdown] lang="fr"
# Écrivez `windows`. Elle reçoit tous les jetons du texte mis bout à bout, `tokens`, de forme (t), et, pour chacun, le numéro de sa phrase,
# `sentence`, de forme (t). Elle rend un tableau (t, c), avec c = 2 × `window` + 1 : la ligne i contient les mots autour du jeton i, de
# gauche à droite, et `NOTHING` (−1) au milieu, hors du texte et dans une autre phrase.
#
# Avec un `generator`, chaque jeton tire au sort sa propre portée, de 1 à `window` : les mots proches comptent ainsi plus que les lointains
# ([](work:mikolov2013efficient)). Le tirage est `torch.randint(1, window + 1, tokens.shape, generator=generator, device=tokens.device)`.
#
# <details><summary>Un indice</summary>
#
# `offsets = torch.arange(-window, window + 1)` et `positions = torch.arange(len(tokens))` ; les places voisines de chaque jeton sont
# `positions[:, None] + offsets`, un tableau (t, c).
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Pour ne pas sortir du texte, ajoutez `window` places vides de chaque côté : `F.pad(tokens, (window, window), value=NOTHING)`. Toutes les
# places se décalent alors de `window` vers la droite. Faites de même pour `sentence` : vous saurez de quelle phrase vient chaque voisin.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Un voisin reste s'il n'est pas le jeton lui-même, s'il est à portée et s'il est de la même phrase ;
# `around.masked_fill(~reste, NOTHING)` efface les autres (`~` est « non », `&` est « et »).
#
# </details>

# %% [markdown] lang="en"
# ### All windows at once
#
# A Python loop for each word would be slow indeed on a long text. PyTorch can do the same in one go, in a single table.

# %% [markdown] lang="en"
# Write `windows`. It is given all the tokens of the text laid end to end, `tokens`, of shape (t), and for each of them the number of its
# sentence, `sentence`, of shape (t). It returns a table (t, c), with c = 2 × `window` + 1: row i holds the words around token i, from left
# to right, and `NOTHING` (−1) in the middle, outside the text, and in another sentence.
#
# With a `generator`, each token draws lots for a reach of its own, from 1 to `window`: so near words count for more than far ones
# ([](work:mikolov2013efficient)). The lots are `torch.randint(1, window + 1, tokens.shape, generator=generator, device=tokens.device)`.
#
# <details><summary>A hint</summary>
#
# `offsets = torch.arange(-window, window + 1)` and `positions = torch.arange(len(tokens))`; the places around each token are
# `positions[:, None] + offsets`, a table (t, c).
#
# </details>
#
# <details><summary>A second hint</summary>
#
# To stay inside the text, add `window` empty places on each side: `F.pad(tokens, (window, window), value=NOTHING)`. All places then move on
# by `window`. Do the same with `sentence`: you will know which sentence each neighbour comes from.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# A neighbour stays if it is not the token itself, is within reach, and is of the same sentence; `around.masked_fill(~stays, NOTHING)`
# blanks the others (`~` is "not", `&` is "and").
#
# </details>

# %% implements="word2vec:windows" level=3
"""Les voisins de chaque jeton dans sa phrase, à `window` places au plus.

`sentence` est le numéro de la phrase de chaque jeton. c vaut 2 * window + 1.
`NOTHING` remplit le milieu et les places sans voisin. Avec un générateur, la
fenêtre est dynamique : chaque jeton tire sa portée, de 1 à `window`, et les
mots proches comptent donc plus (Mikolov et al. 2013a, section 3.2).
"""
# the padding moves every token `window` places to the right => le remplissage décale chaque jeton de `window` places vers la droite

# %% scratch=true
windows(torch.tensor([5, 6, 7, 8]), torch.tensor([0, 0, 0, 1]), window=1)
# → tensor([[-1, -1, 6], [ 5, -1, 7], [ 6, -1, -1], [-1, -1, -1]])

# %% [markdown] lang="fr"
# La dernière ligne est vide : le jeton 8 est seul dans sa phrase. De ces fenêtres, on tire deux sortes d'exemples
# ([](work:mikolov2013efficient)) :
#
# - **skip-gram** : on donne le mot, et l'on devine chaque voisin ; un exemple par paire ;
# - **CBOW** (*continuous bag of words*, sac de mots continu) : on donne tous les voisins à la fois, et l'on devine le mot ; un exemple par
#   mot.

# %% [markdown] lang="en"
# The last row is empty: token 8 is alone in its sentence. From these windows one makes two kinds of examples
# ([](work:mikolov2013efficient)):
#
# - **skip-gram**: the word is given, and each neighbour guessed; an example for each pair;
# - **CBOW** (continuous bag of words): all neighbours are given at once, and the word guessed; an example for each word.

# %%
tokens = torch.arange(1, 7)
around = windows(tokens, torch.zeros(6, dtype=torch.long), window=2)
for name, cbow in (("skip-gram", False), ("CBOW", True)):
    given, targets = examples(tokens, around, cbow)
    print(f"{name:10} {len(targets):3}", say("examples", "exemples"))

# %% claims=true
assert len(examples(tokens, around, False)[1]) == 18
assert len(examples(tokens, around, True)[1]) == 6

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Deviner le voisin, ou le mot ?
#
# | | on donne | on devine | exemples |
# |---|---|---|---|
# | **skip-gram** | dort | le, chat, sur, le | 18 |
# | **CBOW** | le, chat, sur, le | dort | 6 |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Guess the neighbour, or the word?
#
# | | given | guessed | examples |
# |---|---|---|---|
# | **skip-gram** | sleeps | the, cat, on, the | 18 |
# | **CBOW** | the, cat, on, the | sleeps | 6 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Lire le tableau pour « dort ». Demander lequel va plus vite (CBOW : trois fois moins d'exemples ici) et lequel regarde chaque paire
# de plus près (skip-gram). La section 9 les comparera.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Read the table for "sleeps". Ask which is quicker (CBOW: a third of the examples here) and which looks more closely at each pair
# (skip-gram). Section 9 will compare them.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 6-7"
# ### Exercices 6 et 7 · Des fenêtres
#
# **18 min.** 6 ● `pairs_of`, avec deux boucles. 7 ●●● `windows`, sans boucle : chez soi.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 6-7"
# ### Exercises 6 and 7 · Windows
#
# **18 min.** 6 ● `pairs_of`, with two loops. 7 ●●● `windows`, without a loop: at home.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 18 min. L'exercice 6 en classe, pour tous. Fautes à guetter : le mot compté parmi ses voisins, un indice négatif qui prend la fin de la
# liste. L'exercice 7 pour qui a fini : dessiner les places vides ajoutées de chaque côté.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 18 min. Exercise 6 in class, for all. Mistakes to look for: the word counted among its neighbours, a negative index that takes the end of
# the list. Exercise 7 for who has finished: draw the empty places added on each side.

# %% [markdown] lang="fr"
# Dix-huit paires, celles de la figure ; six mots.
#
# ## 5. Attirer, repousser
#
# **Word2vec** est le nom du programme qui a rendu ces vecteurs célèbres. Avec skip-gram, il apprend ainsi : à la vue de « chat », la
# machine doit reconnaître que « dort » est un vrai voisin, et que « couronne », tiré au sort, n'en est pas un. Chaque mot a **deux**
# vecteurs : un vecteur d'entrée $u$, quand on le donne, et un vecteur de sortie $v$, quand on le devine. Pourquoi deux ? Un mot n'est
# presque jamais son propre voisin ; avec un seul vecteur, son produit avec lui-même, qui ne peut être que positif, dirait le contraire.
#
# Le produit $s = u \cdot v$ est un score ; la sigmoïde de la [](lesson:01) en fait une probabilité d'être un vrai voisin. Prenons
# $s = 0$, le début : $\sigma(0) = 0{,}5$, la machine n'en sait rien. La perte est $-\log 0{,}5 \approx 0{,}69$ pour le vrai voisin, et
# autant pour chaque mot de bruit. Avec un vrai voisin et $m = 5$ mots de bruit, la perte de départ est donc
# $6 \times 0{,}693 \approx 4{,}16$.

# %% [markdown] lang="en"
# Eighteen pairs, those of the figure; six words.
#
# ## 5. Pull and push
#
# **Word2vec** is the name of the program that made these vectors famous. With skip-gram, it learns like this: shown "cat", the machine must
# recognise that "sleeps" is a true neighbour, and that "crown", sampled by lot, is not. Each word has **two** vectors: an input vector $u$,
# for when it is given, and an output vector $v$, for when it is guessed. Why two? A word is almost never its own neighbour; with a single
# vector, its product with itself, which can be nothing but positive, would say the opposite.
#
# The product $s = u \cdot v$ is a score; the sigmoid of [](lesson:01) makes of it a probability of being a true neighbour. Take $s = 0$,
# the beginning: $\sigma(0) = 0.5$, the machine has no idea. The loss is $-\log 0.5 \approx 0.69$ for the true neighbour, and as much for
# each noise word. With one true neighbour and $m = 5$ noise words, the loss at the start is therefore $6 \times 0.693 \approx 4.16$.

# %% [markdown]
# $$ L = -\log \sigma(v_{+} \cdot u) - \sum_{i=1}^{m} \log \sigma(-v_i \cdot u) \qquad\qquad
# \frac{\partial L}{\partial s_{+}} = \sigma(s_{+}) - 1 \qquad \frac{\partial L}{\partial s_i} = \sigma(s_i) $$

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Attirer, repousser
#
# Un vrai voisin est attiré, un mot de bruit repoussé ; ce qui est déjà su ne bouge plus.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. Pull and push
#
# A true neighbour is pulled, a noise word pushed; what is known already moves no more.

# %% slide="fragment" tags=["hide-input"]
scores = torch.linspace(-5, 5, 101)
figure, axes = plot(height=3.4)
axes.plot(scores, 1 - scores.sigmoid(), color=BLUE,
          label=say("true neighbour: pulled", "vrai voisin : attiré"))
axes.plot(scores, -scores.sigmoid(), color=VERMILION,
          label=say("noise word: pushed", "mot de bruit : repoussé"))
axes.axhline(0, color="grey", linewidth=0.8)
axes.set(xlabel=say("score s", "score s"), ylim=(-1.1, 1.1),
         ylabel=say("pull (+) or push (−)", "attiré (+), repoussé (−)"))
legend(axes, loc="upper right")
picture(figure, say("The pull on a true neighbour falls to 0 as its score grows; "
                    "the push on a noise word falls to 0 as its score sinks.",
                    "L'attraction d'un vrai voisin tombe à 0 quand son score "
                    "monte ; la répulsion du bruit tombe à 0 quand il baisse."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Deux volontaires et une corde : le vrai voisin tire, le bruit repousse. Demander : que se passe-t-il si l'on ne fait qu'attirer ?
# (Tous les vecteurs finissent au même endroit : la perte serait nulle, et l'on n'aurait rien appris.) Faire calculer la perte de départ :
# 6 fois log 2.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Two volunteers and a rope: the true neighbour pulls, the noise pushes. Ask: what happens if one only pulls? (All vectors end in the
# same place: the loss would be zero, and nothing learned.) Have the loss at the start worked out: 6 times log 2.

# %% [markdown] lang="fr"
# Lisez la figure : un vrai voisin de score bas est fort attiré ; de score haut, à peine. Le bruit fait l'inverse. Sans lui, rien
# n'empêcherait tous les mots de se rejoindre en un point. Cette façon de faire s'appelle l'**échantillonnage négatif**
# ([](work:mikolov2013)). Il reste à savoir qui tirer.
#
# ### Quel bruit ?
#
# Tirer les mots aussi souvent qu'ils viennent dans le texte, c'est repousser « le » sans cesse. Les tirer tous également, c'est ne presque
# jamais le repousser. [Mikolov et ses collègues](work:mikolov2013) élèvent les effectifs à la puissance 3/4, entre les deux ; ils l'ont
# choisie à l'essai, et non déduite. Un mot rencontré 81 fois et un autre 16 fois : $81^{3/4} = 27$, $16^{3/4} = 8$. Au lieu de
# $\frac{81}{97} \approx 84$ %, le premier a $\frac{27}{35} \approx 77$ %.

# %% [markdown] lang="en"
# Read the figure: a true neighbour with a low score is strongly pulled; with a high one, hardly. Noise does the opposite. Without it,
# nothing would keep all words from meeting in one point. This way of doing is called **negative sampling** ([](work:mikolov2013)). It
# remains to know whom to sample.
#
# ### Which noise?
#
# To sample words as often as they come in the text is to push "the" all the time. To sample them all equally is hardly ever to push it.
# [Mikolov and colleagues](work:mikolov2013) raise the counts to the power 3/4, between the two; they chose it by trial, and did not derive
# it. One word was met 81 times and another 16: $81^{3/4} = 27$, $16^{3/4} = 8$. Instead of $\frac{81}{97} \approx 84$ %, the first gets
# $\frac{27}{35} \approx 77$ %.

# %% claims=true
assert round(81**0.75) == 27 and round(16**0.75) == 8
assert round(100 * 81 / 97) == 84 and round(100 * 27 / 35) == 77

# %% [markdown] lang="fr"
# `counts`, de forme (v), dit combien de fois chaque mot a été rencontré. Rendez la probabilité de chacun comme mot de bruit, de forme (v)
# et de somme 1 : en proportion de l'effectif à la puissance `power`. Le mot inconnu, numéro `UNKNOWN`, a la probabilité 0.
#
# Le calcul se fait en nombres à virgule de 64 bits, grâce à deux aides : `exact(counts)` rend une copie des effectifs de ce type, et
# `beside(counts, probabilities)` rend les probabilités sur le même appareil que les effectifs.
#
# <details><summary>Un indice</summary>
#
# Élevez à la puissance, mettez 0 à la place `UNKNOWN`, et seulement alors divisez par la somme.
#
# </details>

# %% [markdown] lang="en"
# `counts`, of shape (v), says how often each word was met. Return the probability of each as a noise word, of shape (v), adding up to 1: in
# proportion to its count to the power `power`. The unknown word, number `UNKNOWN`, has probability 0.
#
# Two helpers make the computation equally precise everywhere: `exact(counts)` gives a copy of the counts as floating-point numbers of
# 64 bits, and `beside(counts, probabilities)` gives the probabilities on the same device as the counts.
#
# <details><summary>A hint</summary>
#
# Raise to the power, put 0 at place `UNKNOWN`, and only then divide by the sum.
#
# </details>

# %% implements="word2vec:noise_distribution" level=1
"""La probabilité de chaque mot comme mot de bruit : en proportion de
effectif^power.

Une puissance de 0 rend tous les mots également probables, et 1 aussi probables
que dans le texte. Entre les deux, un mot rare est tiré plus souvent qu'on ne le
rencontre (Mikolov et al. 2013b, section 2.2). Le mot inconnu a la
probabilité 0.
"""

# %% scratch=true
noise_distribution(torch.tensor([5, 81, 16]))
# → tensor([0.0000, 0.7714, 0.2286], dtype=torch.float64)

# %% [markdown] lang="fr"
# ### Trop de « le »
#
# « le » est voisin de tout, et n'apprend donc rien sur personne. Le remède est le **sous-échantillonnage** : à chaque passage sur le texte,
# un mot de fréquence $f$ n'est gardé qu'avec la probabilité ci-dessous, où $t$ est un seuil, ici $0{,}001$. Les rares restent toujours.
# Pour un mot de fréquence $0{,}1$, c'est $\sqrt{0{,}01} + 0{,}01 = 0{,}11$ : il en part neuf sur dix. (L'article a la racine seule ; son
# programme ajoute le second terme, et nous faisons comme lui.)

# %% [markdown] lang="en"
# ### Too many "the"
#
# "the" is a neighbour of everything, and so teaches nothing about anybody. The remedy is **subsampling**: on each pass over the text a word
# of frequency $f$ is kept only with the probability below, where $t$ is a threshold, here $0.001$. Rare words always stay. A word of
# frequency $0.1$: $\sqrt{0.01} + 0.01 = 0.11$, nine in ten of them go. (The paper has the root alone; its program adds the second term, and
# we do as it does.)

# %% [markdown]
# $$ p_{\text{noise}}(w) = \frac{n_w^{3/4}}{\sum_{w'} n_{w'}^{3/4}} \qquad\qquad
# p_{\text{keep}}(w) = \min\left( 1, \sqrt{\frac{t}{f_w}} + \frac{t}{f_w} \right) $$

# %% [markdown] lang="fr"
# Écrivez cette probabilité pour tous les mots à la fois : `counts` est de forme (v), le résultat aussi. La fréquence d'un mot est son
# effectif divisé par celui de tous les mots **connus** ensemble. Le mot inconnu n'est pas gardé : probabilité 0.
#
# <details><summary>Un indice</summary>
#
# Mettez d'abord 0 à la place `UNKNOWN` d'une copie, `known = exact(counts)` : la somme est alors celle des mots connus.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `threshold * known.sum() / known` est $t / f$ pour tous les mots. `.clamp(max=1)` coupe ce qui dépasse 1. Remettez enfin 0 à la place
# `UNKNOWN`, où l'on vient de diviser par 0.
#
# </details>

# %% [markdown] lang="en"
# Write this probability for all words at once: `counts` is of shape (v), and so is the result. The frequency of a word is its count divided
# by that of all **known** words together. The unknown word is not kept: probability 0.
#
# <details><summary>A hint</summary>
#
# First put 0 at place `UNKNOWN` of a copy, `known = exact(counts)`: the sum is then that of the known words.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `threshold * known.sum() / known` is $t / f$ for all words. `.clamp(max=1)` cuts what exceeds 1. Finally put 0 back at place `UNKNOWN`,
# where one has just divided by 0.
#
# </details>

# %% implements="word2vec:keep_probability" level=2
"""Sous-échantillonnage : la probabilité qu'un mot de fréquence f reste.

Elle vaut min(1, √(threshold / f) + threshold / f), où f est sa part des jetons
des mots connus. Des mots fréquents comme « le » disent peu, et sont souvent
écartés. L'équation 5 de Mikolov et al. 2013b a √(threshold / f) seule ; la
somme est ce que calcule leur programme word2vec.c, et gensim après lui. Les
mots inconnus ont la probabilité 0. Les mots autour d'un mot écarté deviennent
voisins.
"""
# threshold / f => threshold / f

# %% scratch=true
keep_probability(torch.tensor([9, 900, 99, 1]), threshold=0.01)
# → tensor([0.0000, 0.1165, 0.4188, 1.0000], dtype=torch.float64)

# %%
keep = keep_probability(vocabulary.counts)
noise = noise_distribution(vocabulary.counts)
print(say("word         count    kept   noise",
          "mot       effectif   gardé   bruit"))
for number in (1, 2, 30, 200):
    word, count = vocabulary.words[number], vocabulary.counts[number]
    kept_share = decimal(100 * keep[number], 0)
    noise_share = decimal(100 * noise[number], 2)
    print(f"{word:10} {count:7} {kept_share:>5} % {noise_share:>5} %")

# %% claims=true
assert 0.05 < keep[1] < 0.13
assert keep[200] == 1
assert noise[1] > noise[200] > 0

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Qui repousser, qui écarter ?
#
# Entre « comme dans le texte » et « tous pareils ». Et neuf « le » sur dix s'en vont.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Whom to push, whom to leave out?
#
# Between "as in the text" and "all alike". And nine "the" in ten go.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=9, height=3.4)
counts = torch.cat([torch.zeros(1, dtype=torch.long), vocabulary.counts[1:]])
powers = ((1.0, ORANGE, "1"), (0.75, BLUE, "3/4"), (0.0, GREEN, "0"))
for power, colour, name in powers:
    shares = noise_distribution(counts, power)[1:41]
    panels[0].plot(range(1, 41), 100 * shares, color=colour,
                   label=say(f"power {name}", f"puissance {name}"))
panels[0].set(xlabel=say("rank of the word", "rang du mot"), ylabel="%",
              title=say("sampled as noise", "tiré comme bruit"))
legend(panels[0])
panels[1].plot(range(1, 41), 100 * keep[1:41], "o", color=BLUE)
panels[1].set(xlabel=say("rank of the word", "rang du mot"), ylim=(0, 105),
              ylabel="%", title=say("kept in the text", "gardé dans le texte"))
picture(figure, say("With the power 3/4, noise favours frequent words less than "
                    "the text does; the most frequent words are mostly left out.",
                    "Avec la puissance 3/4, le bruit favorise les mots fréquents "
                    "moins que le texte ; les plus fréquents partent souvent."))

# %% claims=true
as_in_text, between, alike = (noise_distribution(counts, power)[1]
                              for power in (1.0, 0.75, 0.0))
assert as_in_text > between > alike
assert keep[1] < keep[40]
assert 0.05 < keep[1] < 0.13

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. À gauche : 1, 3/4, 0. Demander ce que change la puissance pour le mot le plus fréquent, pour le plus rare. Pourquoi 3/4 ? Parce que
# c'est ce qui marchait le mieux, disent ses auteurs. À droite, les mots fréquents s'en vont, et leurs voisins se rapprochent : la fenêtre
# voit plus loin.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. On the left: 1, 3/4, 0. Ask what the power changes for the most frequent word, and for the rarest. Why 3/4? Because it worked best,
# its authors say. On the right the frequent words go, and their neighbours move closer: the window sees further.

# %% [markdown] lang="fr"
# « le » est écarté environ neuf fois sur dix ; un mot du deux-centième rang reste toujours.
#
# ### La perte et le vecteur caché
#
# Deux pièces encore. Un exemple a un vecteur, `hidden` : pour skip-gram, celui du mot donné ; pour CBOW, la moyenne des voisins.

# %% [markdown] lang="fr"
# Écrivez la perte d'un lot de n exemples :
#
# - `hidden`, (n, d) : le vecteur de chaque exemple ;
# - `output`, (v, d) : les vecteurs de sortie de tous les mots ;
# - `targets`, (n) : le vrai voisin ; `negatives`, (n, m) : ses m mots de bruit.
#
# Rendez la moyenne de $L$ sur les n exemples. Quand le hasard a tiré comme bruit le vrai voisin lui-même, ce tirage ne compte pas.
#
# <details><summary>Un indice</summary>
#
# `output[targets]` est de forme (n, d) : les vecteurs des vrais voisins. Le score de chacun est `(output[targets] * hidden).sum(dim=-1)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `output[negatives]` est de forme (n, m, d). `output[negatives] @ hidden.unsqueeze(-1)` est (n, m, 1) ; `.squeeze(-1)` ôte le dernier axe.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `F.logsigmoid(x)` est $\log \sigma(x)$, sans débordement. Les termes à écarter deviennent 0 : `.masked_fill(negatives ==
# targets.unsqueeze(-1), 0)`. On **additionne** le bruit, puis on prend la moyenne des exemples.
#
# </details>

# %% [markdown] lang="en"
# The most frequent word is left out about nine times in ten; a word of the two-hundredth rank always stays.
#
# ### The loss and the hidden vector
#
# Two more pieces. An example has a vector, `hidden`: for skip-gram, that of the given word; for CBOW, the mean of the neighbours.

# %% [markdown] lang="en"
# Write the loss of a batch of n examples:
#
# - `hidden`, (n, d): the vector of each example;
# - `output`, (v, d): the output vectors of all words;
# - `targets`, (n): the true neighbour; `negatives`, (n, m): its m noise words.
#
# Return the mean of $L$ over the n examples. Where chance has sampled the true neighbour itself as noise, it does not count.
#
# <details><summary>A hint</summary>
#
# `output[targets]` is of shape (n, d): the vectors of the true neighbours. Their scores are `(output[targets] * hidden).sum(dim=-1)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `output[negatives]` is of shape (n, m, d). `output[negatives] @ hidden.unsqueeze(-1)` is (n, m, 1); `.squeeze(-1)` takes the last axis
# away.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `F.logsigmoid(x)` is $\log \sigma(x)$, without overflow. Terms to leave out become 0: `.masked_fill(negatives == targets.unsqueeze(-1),
# 0)`. The noise is **added up**, then the mean is taken over the examples.
#
# </details>

# %% implements="word2vec:negative_sampling_loss" level=2
"""La perte quand on distingue un vrai mot des mots de bruit, en nats, en
moyenne sur n.

Elle vaut -log σ(output[cible] · hidden) - Σ log σ(-output[bruit] · hidden)
(Mikolov et al. 2013b, équation 4). Les mots de bruit qui se trouvent être la
cible sont écartés.
"""

# %% scratch=true
negative_sampling_loss(torch.zeros(1, 2), torch.zeros(9, 2),
                       torch.tensor([3]), torch.tensor([[1, 2, 4, 5, 6]]))
# → tensor(4.1589)

# %% [markdown] lang="fr"
# $6 \log 2 \approx 4{,}16$ : ce que nous avions calculé.

# %% [markdown] lang="fr"
# Reste `hidden` : pour chaque exemple, `given`, de forme (n, c), donne c numéros de mots, et `NOTHING` (−1) aux places vides. Rendez, de
# forme (n, d), la **moyenne** des vecteurs d'entrée (`self.input`, de forme (v, d)) des mots présents. `Word2Vec` est une classe de PyTorch
# (`nn.Module`) : ses paramètres sont les nombres qui apprendront.
#
# <details><summary>Un indice</summary>
#
# Pour Python, −1 est la **dernière** ligne : `self.input[given]` prendrait le dernier mot. `given.clamp(min=0)` évite cela ; multipliez
# ensuite par 0 les places vides.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `present = (given != NOTHING).unsqueeze(-1)`, de forme (n, c, 1). La somme des vecteurs présents, divisée par leur nombre,
# `present.sum(dim=1).clamp(min=1)`.
#
# </details>

# %% [markdown] lang="en"
# $6 \log 2 \approx 4.16$: what we had worked out.

# %% [markdown] lang="en"
# What remains is `hidden`: for each example `given`, of shape (n, c), gives c word numbers, and `NOTHING` (−1) at empty places. Return, of
# shape (n, d), the **mean** of the input vectors (`self.input`, of shape (v, d)) of the words that are there. `Word2Vec` is a PyTorch class
# (`nn.Module`): its parameters are the numbers that will learn.
#
# <details><summary>A hint</summary>
#
# For Python, −1 is the **last** row: `self.input[given]` would take the last word. `given.clamp(min=0)` avoids that; then multiply the
# empty places by 0.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `present = (given != NOTHING).unsqueeze(-1)`, of shape (n, c, 1). The sum of the vectors present, divided by their number,
# `present.sum(dim=1).clamp(min=1)`.
#
# </details>

# %% implements="word2vec:Word2Vec" level=2 hollow=["hidden"]
"""Un modèle qui a deux vecteurs par mot, `input` et `output`.

Le vecteur d'entrée sert là où un mot est donné, celui de sortie là où il est à
prédire. `vectors`, que l'on garde, sont ceux d'entrée.
"""
"""Les vecteurs d'entrée de tous les mots, sans gradient."""
"""La moyenne des vecteurs d'entrée des mots donnés, `NOTHING` excepté."""
"""La perte : prédire `targets` d'après les mots donnés, contre du bruit."""

# %% scratch=true
model = Word2Vec(4, 2, torch.Generator().manual_seed(0))
model.input.data = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0], [9.0, 9.0]])
model.hidden(torch.tensor([[1, 2], [2, NOTHING]])).tolist()
# → [[2.0, 3.0], [3.0, 4.0]]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 8-11"
# ### Exercices 8 à 11 · Skip-gram, pièce par pièce
#
# **25 min.** 8 ● le bruit. 9 ●● qui reste. 10 ●● la perte. 11 ●● le vecteur caché.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 8-11"
# ### Exercises 8 to 11 · Skip-gram, piece by piece
#
# **25 min.** 8 ● the noise. 9 ●● who stays. 10 ●● the loss. 11 ●● the hidden vector.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 25 min. 8 et 10 en classe, 9 et 11 pour qui avance vite ou chez soi. Fautes à guetter en 10 : le signe du bruit oublié, une moyenne au
# lieu d'une somme. En 11 : les places vides comptées dans la moyenne, ou remplies par le dernier mot. La perte de départ, 4,16, est une
# bonne question à poser à tous.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 25 min. 8 and 10 in class, 9 and 11 for the quick, or at home. Mistakes to look for in 10: the sign of the noise forgotten, a mean instead
# of a sum. In 11: empty places counted in the mean, or filled with the last word. The loss at the start, 4.16, is a good question for all.

# %% [markdown] lang="fr"
# ## 6. Apprendre
#
# Voici tout l'entraînement, avec vos pièces : les fenêtres, les exemples, le bruit, la perte. `loss.backward()` calcule les gradients,
# comme votre rétropropagation de la [](lesson:01) ; `optimizer.step()` fait un pas. La perte est une moyenne ; nous la multiplions par le
# nombre d'exemples du lot, pour que chaque exemple fasse un pas entier, comme dans le programme d'origine. `torch.randperm` mélange les
# exemples, `.split(256)` les coupe en lots, `torch.multinomial` tire les mots de bruit selon leurs probabilités. **Devinez** : où trois
# passages mèneront-ils une perte qui part de 4,16 ?

# %% [markdown] lang="en"
# ## 6. Learning
#
# Here is the whole training, with your pieces: windows, examples, noise, loss. `loss.backward()` works out the gradients, like your
# backpropagation of [](lesson:01); `optimizer.step()` takes a step. The loss is a mean; we multiply it by the number of examples of the
# batch, so that each example takes a whole step, as in the original program. `torch.randperm` shuffles the examples, `.split(256)` cuts
# them into batches, `torch.multinomial` samples noise words by their probabilities. **Guess**: where will three epochs bring a loss that
# starts from 4.16?

# %%
generator = torch.Generator().manual_seed(0)
small_text = text[:1000]
tokens = torch.cat([vocabulary.encode(words) for words in small_text])
lengths = torch.tensor([len(words) for words in small_text])
sentence_of = torch.arange(len(lengths)).repeat_interleave(lengths)
# en: the frequent words are thinned out
# fr: les mots fréquents sont éclaircis
stays = torch.rand(len(tokens), generator=generator) < keep[tokens]
around = windows(tokens[stays], sentence_of[stays], 5, generator)
given, targets = examples(tokens[stays], around, cbow=False)
print(say("examples:", "exemples :"), len(targets))

# %%
model = Word2Vec(len(vocabulary), 48, generator)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
trace = []
for epoch in range(3):
    for batch in torch.randperm(len(targets), generator=generator).split(256):
        negatives = torch.multinomial(noise, 5 * len(batch), replacement=True,
                                      generator=generator).view(-1, 5)
        hidden = model.hidden(given[batch])
        loss = negative_sampling_loss(hidden, model.output, targets[batch],
                                      negatives)
        optimizer.zero_grad()
        (loss * len(batch)).backward()
        optimizer.step()
        trace.append(loss.item())
print(say("first batch:", "premier lot :"), decimal(trace[0], 2))
print(say("last batch:", "dernier lot :"), decimal(trace[-1], 2))

# %% claims=true
assert 0 < 6 * math.log(2) - trace[0] < 0.1
assert trace[-1] < trace[0] - 1
assert losses[-1] < 1.2 < losses[0]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. La perte descend
#
# Un lot, un bruit, une perte, un pas ; et l'on recommence.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. The loss goes down
#
# A batch, a noise, a loss, a step; and begin again.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(height=3.4)
axes.plot(range(1, len(losses) + 1), losses, "o-", color=BLUE)
axes.axhline(6 * math.log(2), color="grey", linestyle=":",
             label=say("knowing nothing: 6 log 2", "qui ne sait rien : 6 log 2"))
axes.set(xlabel=say("epoch", "époque"), ylim=(0, 4.5), xticks=(1, 5, 10, 15, 20),
         ylabel=say("nats per example", "nats par exemple"))
legend(axes)
picture(figure, say("The loss of twenty epochs on 6,000 sentences falls from the "
                    "start of one that knows nothing to about one.",
                    "La perte de vingt époques sur 6 000 phrases tombe de celle "
                    "de qui ne sait rien à un environ."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Lire la boucle ligne à ligne dans le notebook. Demander d'où part la perte (6 log 2 ≈ 4,16) et pourquoi elle ne finit pas à 0.
# (Après « le roi », plusieurs voisins sont vrais, et le bruit tombe parfois sur l'un d'eux.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Read the loop line by line in the notebook. Ask where the loss starts (6 log 2 ≈ 4.16), and why it does not end at 0. (After "the
# king" several neighbours are true, and the noise sometimes hits one of them.)

# %% [markdown] lang="fr"
# La perte part bien de $6 \log 2 \approx 4{,}16$, ou d'un peu moins : un mot de bruit qui se trouve être le vrai voisin ne compte pas. Puis
# elle descend. `train_word2vec` fait la même chose sur les 6 000 phrases, vingt fois, avec un pas qui rétrécit ; elle a donné les vecteurs
# du début de la leçon. Interrogeons-les.
#
# ### Les plus proches voisins
#
# De quels mots un mot est-il le plus proche ? Il faut comparer un vecteur à tous les autres.

# %% [markdown] lang="fr"
# Écrivez `nearest`, qui cherche les mots les plus proches d'un vecteur `query`, de forme (d), parmi `vectors`, de forme (v, d) : les
# `count` plus grands cosinus, dans l'ordre, et les numéros des mots. Le mot inconnu n'est jamais une réponse, ni les mots de `excluded`.
#
# <details><summary>Un indice</summary>
#
# Votre `cosine_similarity` veut deux formes égales : `query.expand_as(vectors)` répète la requête sur chaque ligne.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Donnez $-\infty$ (`-torch.inf`) au cosinus de ceux que l'on écarte : `cosines[[UNKNOWN, *excluded]] = …`. Puis `cosines.topk(count)` rend
# les plus grandes valeurs et leurs places.
#
# </details>

# %% [markdown] lang="en"
# The loss does start from $6 \log 2 \approx 4.16$, or a little less: a noise word that happens to be the true neighbour does not count. Then
# it goes down. `train_word2vec` does the same on the 6,000 sentences, twenty times, with a step that shrinks; it gave the vectors of the
# beginning of the lesson. Let us question them.
#
# ### The nearest neighbours
#
# Which words is a word nearest to? One vector is to be compared with all the others.

# %% [markdown] lang="en"
# Write `nearest`, which looks for the words nearest to a vector `query`, of shape (d), among `vectors`, of shape (v, d): the `count`
# largest cosines, in order, and the numbers of the words. The unknown word is never an answer, nor are the words of `excluded`.
#
# <details><summary>A hint</summary>
#
# Your `cosine_similarity` wants two equal shapes: `query.expand_as(vectors)` repeats the query on each row.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Give $-\infty$ (`-torch.inf`) to the cosine of those that are left out: `cosines[[UNKNOWN, *excluded]] = …`. Then `cosines.topk(count)`
# gives the largest values and their places.
#
# </details>

# %% implements="words:nearest" level=2
"""Les mots dont les vecteurs ont le plus grand cosinus avec `query`.

Rend les cosinus et les numéros des mots, `count` de chaque, le plus proche
d'abord. Le mot inconnu et les mots de `excluded` sont laissés de côté.
"""

# %% scratch=true
few = torch.tensor([[9.0, 9.0], [1.0, 0.0], [2.0, 2.0], [0.0, 1.0]])
cosines, numbers = nearest(few, few[1], count=2, excluded=[1])
numbers.tolist()
# → [2, 3]

# %%
def neighbours(name, count=5):
    number = vocabulary.encode([name]).item()
    cosines, numbers = nearest(vectors, vectors[number], count, excluded=[number])
    found = [vocabulary.words[each] for each in numbers.tolist()]
    return found, cosines.tolist()


for name in say("king boy france kitten the",
                "roi garçon france chaton le").split():
    found, cosines = neighbours(name)
    listed = [f"{word} {decimal(value, 2)}" for word, value in zip(found, cosines)]
    print(f"{name:8}", ", ".join(listed))

# %% claims=true
king, queen = say("king", "roi"), say("queen", "reine")
assert {queen, say("prince", "prince")} <= set(neighbours(king, 8)[0])
assert set(say("man woman", "homme femme").split()) <= set(neighbours(king)[0])
assert "seine" in neighbours("france")[0]
countries = {country.lower() for country, _ in word_pairs(language)["capital"]}
assert len(countries & set(neighbours("france", 8)[0])) >= 3
assert "seine" in neighbours("france")[0]
assert say("girl", "fille") in neighbours(say("boy", "garçon"), 3)[0]
assert say("cushion", "coussin") in neighbours(say("kitten", "chaton"))[0]
assert max(neighbours(say("the", "le"))[1]) < 0.6

# %% [markdown] lang="fr"
# Un roi a pour voisins la reine et le prince, un pays d'autres pays : des mots que l'on pourrait mettre **à sa place**. La France a aussi
# la Seine, et le chaton, le coussin : seuls chats et chatons s'y couchent, si bien que les deux mots ont presque toute leur compagnie en
# commun. « le », voisin de tous, n'est proche de personne. Regardez enfin ce que le voisinage ne dit pas : « garçon » et « fille » sont
# tout proches, et ne veulent pas dire la même chose. Proche ne veut pas dire synonyme : le cosinus dit que deux mots partagent leurs
# contextes, et les contraires les partagent aussi.
#
# Comparons les trois similarités. Les deux premières comparent les vecteurs ; Jaccard compare, sans rien apprendre, les **ensembles** de
# mots rencontrés à deux places au plus. **Tapez un mot** des phrases.

# %% [markdown] lang="en"
# A country has other countries for neighbours, a king other crowned heads, and man and woman too: words that one could put **in its
# place**. Mixed with them is what comes up with it: France has the Seine. The kitten has the cushion: only cats and kittens lie on it, so
# that the two words have nearly all their company in common. "the", everybody's neighbour, is near to nobody. Look finally at what being
# near does not say: "boy" and "girl" are very near, and do not mean the same. Near is not a synonym: the cosine says that two words share
# their contexts, and opposites share them too.
#
# Let us compare the three similarities. The first two compare vectors; Jaccard compares, without learning anything, the **sets** of words
# met at most two places away. **Type a word** of the sentences.

# %%
company = {}
for words in text:
    for place, word in enumerate(words):
        around_it = words[max(0, place - 2) : place] + words[place + 1 : place + 3]
        company.setdefault(word, set()).update(around_it)
NeighbourTable(vocabulary, vectors, company, start=say("cat", "chat"))

# %% [markdown] lang="fr"
# Essayez `le`, `reine`, `paris`, `lion`. Jaccard trouve déjà beaucoup, mais il compte un voisin rencontré une fois comme un autre rencontré
# cent fois, et ne sait rien des voisins des voisins.

# %% [markdown] lang="en"
# Try `the`, `queen`, `paris`, `lion`. Jaccard already finds a lot, but it counts a neighbour met once like another met a hundred times, and
# knows nothing of neighbours' neighbours.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Trois similarités, trois voisinages
#
# Les cinq plus proches d'un mot. Pariez avant chaque colonne.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Three similarities, three neighbourhoods
#
# The five nearest to a word. Place a bet before each column.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=8.5, height=3.4)
desk = NeighbourTable(vocabulary, vectors, company, start=say("cat", "chat"))
for column, (title, found) in enumerate(desk.columns(desk.start).items()):
    axes.text(3 * column, 0, title, fontsize=13, fontweight="bold", color=BLUE)
    for row, (word, value) in enumerate(found):
        axes.text(3 * column, -row - 1, f"{word}  {decimal(value, 2)}", fontsize=14)
axes.set(xlim=(-0.2, 9.5), ylim=(-5.6, 0.8), xticks=[], yticks=[])
axes.spines[:].set_visible(False)
picture(figure, say("The five words nearest to cat by cosine, by Euclidean "
                    "similarity and by the company that words keep.",
                    "Les cinq mots les plus proches de chat par le cosinus, par "
                    "la similarité euclidienne et par la compagnie."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Ouvrir le notebook et laisser la classe choisir les mots. Parier sur les voisins de « paris », de « le », de « reine ». Faire
# trouver un contraire parmi les voisins : proche n'est pas synonyme. Où les trois colonnes diffèrent-elles, et pourquoi ?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Open the notebook and let the class choose words. Bet on the neighbours of "paris", of "the", of "queen". Have them find an
# opposite among the neighbours: near is not a synonym. Where do the three columns differ, and why?

# %% [markdown] lang="fr"
# ## 7. Roi moins homme plus femme
#
# Revenons à la flèche. De « homme » à « femme », on va par $u_{\text{femme}} - u_{\text{homme}}$. Ajoutez cette flèche à « roi » : vous
# tombez quelque part ; le mot le plus proche est la réponse à « homme est à femme comme roi est à… ». Un exemple en deux dimensions : homme
# $(0, 1)$, femme $(1, 0)$, roi $(0{,}6 ; 0{,}8)$. On arrive en $(1{,}6 ; -0{,}2)$.
#
# Trois précautions, de [Mikolov, Yih et Zweig (2013)](work:mikolov2013linguistic) : les vecteurs sont d'abord ramenés à la longueur 1 ; on
# compare par le cosinus ; et les trois mots de la question ne peuvent pas être la réponse. (Cette dernière règle est loin d'être anodine :
# nous y reviendrons.)

# %% [markdown] lang="en"
# ## 7. King minus man plus woman
#
# Back to the arrow. From "man" to "woman" one goes by $u_{\text{woman}} - u_{\text{man}}$. Add this arrow to "king": you land somewhere;
# the nearest word is the answer to "man is to woman as king is to…". An example in two dimensions: man $(0, 1)$, woman $(1, 0)$, king
# $(0.6, 0.8)$. One arrives at $(1.6, -0.2)$.
#
# Three precautions, from [Mikolov, Yih and Zweig (2013)](work:mikolov2013linguistic): vectors are first brought to length 1; one compares
# by the cosine; and the three words of the question cannot be the answer. (This last rule is far from harmless: we shall come back to it.)

# %% [markdown] lang="fr"
# Écrivez `analogy`. `a`, `b`, `c` sont des numéros de mots : « a est à b comme c est à… ». Rendez ce que rend `nearest` : les cosinus et
# les numéros des `count` mots les plus proches de $b - a + c$.
#
# <details><summary>Un indice</summary>
#
# `F.normalize(vectors, dim=-1)` ramène chaque vecteur à la longueur 1. Puis un seul appel de `nearest`, avec `excluded=(a, b, c)`.
#
# </details>

# %% [markdown] lang="en"
# Write `analogy`. `a`, `b`, `c` are word numbers: "a is to b as c is to…". Return what `nearest` returns: the cosines and the numbers of
# the `count` words nearest to $b - a + c$.
#
# <details><summary>A hint</summary>
#
# `F.normalize(vectors, dim=-1)` brings each vector to length 1. Then a single call of `nearest`, with `excluded=(a, b, c)`.
#
# </details>

# %% implements="words:analogy" level=2
"""Les mots d tels que a est à b comme c est à d : les plus proches de
b - a + c.

Les vecteurs sont d'abord ramenés à la longueur 1 (3CosAdd ; Mikolov, Yih et
Zweig 2013). a, b et c eux-mêmes sont exclus, par convention : c est le plus
souvent le plus proche de tous. Rend ce que rend `nearest`.
"""

# %% scratch=true
few = torch.tensor([[9.0, 9.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8], [0.9, -0.1],
                    [-1.0, 0.0]])
cosines, numbers = analogy(few, 1, 2, 3)
numbers.tolist()
# → [4]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 12-13"
# ### Exercices 12 et 13 · Voisins et analogies
#
# **15 min.** 12 ●● `nearest`. 13 ●● `analogy` : deux lignes suffisent. N'interrogez pas encore le roi !

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 12-13"
# ### Exercises 12 and 13 · Neighbours and analogies
#
# **15 min.** 12 ●● `nearest`. 13 ●● `analogy`: two lines are enough. Do not question the king yet!

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Fautes à guetter : le produit scalaire au lieu du cosinus ; les exclus oubliés (la réponse est alors « roi ») ; la différence à
# l'envers, qui mène de femme à homme ; les vecteurs non ramenés à la longueur 1. Attendre que tous aient fini : la cellule d'après est pour
# tout le monde.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Mistakes to look for: the dot product for the cosine; the exclusions forgotten (the answer is then "king"); the difference the
# wrong way, which leads from woman to man; vectors not brought to length 1. Wait until everyone has finished: the next cell is for all.

# %% [markdown] lang="fr"
# Vous rappelez-vous votre réponse du début ? Voici celle des vecteurs.

# %% [markdown] lang="en"
# Read again what you wrote at the beginning. Here is the answer.

# %%
first, second, third = say("man woman king", "homme femme roi").split()
question = vocabulary.encode([first, second, third]).tolist()
cosines, numbers = analogy(vectors, *question, count=3)
print(f"{third} - {first} + {second} =")
for value, number in zip(cosines.tolist(), numbers.tolist()):
    print(f"   {vocabulary.words[number]:12} {decimal(value, 2)}")

# %% claims=true
assert vocabulary.words[numbers[0]] == queen
assert cosines[0] > cosines[1] + 0.1

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. roi − homme + femme = reine

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. king − man + woman = queen

# %% slide="fragment" tags=["hide-input"]
picture(draw_family(hidden=False),
        say("Three arrows, from man to woman, from brother to sister and from king "
            "to queen, all pointing the same way.",
            "Trois flèches, d'homme à femme, de frère à sœur et de roi à reine, "
            "toutes dans le même sens."))

# %% claims=true
family = say("man woman brother sister king queen",
             "homme femme frère sœur roi reine").split()
flat = torch.tensor(list(flattened(family).values()))
arrows = F.normalize(flat[1::2] - flat[::2], dim=1)
assert (arrows @ arrows.T).min() > 0.9
chosen = [vocabulary[name] for name in family]
unit = F.normalize(vectors[chosen], dim=1)
arrows = F.normalize(unit[1::2] - unit[::2], dim=1)
assert (arrows @ arrows.T).min() > 0.6

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Lancer la cellule ensemble. Laisser le silence, puis demander : où, dans les six mille phrases, est-il écrit qu'une reine est un
# roi femme ? (Nulle part. « Il », « elle », « content », « contente » vont avec les uns et les autres ; « palais », « couronne », avec roi
# et reine.) C'est le moment de la leçon.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Run the cell together. Leave a silence, then ask: where in the six thousand sentences is it written that a queen is a female king?
# (Nowhere. "he", "she", "sir", "madam" go with the ones and the others; "palace", "crown" with king and queen.) This is the moment of the
# lesson.

# %% [markdown] lang="fr"
# **Reine.** Trois flèches presque parallèles : de l'homme à la femme, du frère à la sœur, du roi à la reine. (La page est choisie pour le
# montrer : vers le haut, la flèche moyenne. Dans les quarante-huit dimensions, les trois flèches ont entre elles des cosinus de plus de
# 0,6.) Personne n'a défini une reine. Mais « palais » et « couronne » sont de la compagnie du roi et de la reine ; « elle », « contente »,
# de celle de la reine et de la femme. La somme de ces compagnies est la compagnie de la reine.
#
# Un exemple peut être un coup de chance. Les phrases ont de quoi poser 588 questions : genre, âge, rang, pays et capitale, animal et petit.
# Posons-les toutes, **dans les deux langues**, avant et après l'entraînement. **Devinez** les quatre nombres de réponses justes.

# %% [markdown] lang="en"
# **Queen.** Three nearly parallel arrows: from man to woman, brother to sister, king to queen. (The page is chosen to show it: upwards is
# the mean arrow. In the forty-eight dimensions the three arrows have cosines of more than 0.6 with one another.) Nobody defined a queen.
# But "palace" and "crown" are of the company of king and queen; "she" and "her", of that of queen and woman. The sum of these companies is
# the company of the queen.
#
# One example may be luck. The sentences have it in them to ask 588 questions: gender, age, rank, country and capital, animal and young. Let
# us ask them all, **in both languages**, before and after training. **Guess** the four numbers of right answers.

# %%
def questions_of(which, known):
    asked = []
    for questions in analogies(which).values():
        for words in questions:
            if all(word in known for word in words):
                asked.append([known[word] for word in words])
    return torch.tensor(asked).reshape(-1, 4)


def right_answers(which, known, vectors):
    asked = questions_of(which, known)
    if len(asked) == 0:
        return 0
    return round(lexicon.analogy_accuracy(vectors, asked) * len(asked))


# %%
answered = {}
for which, name in (("fr", say("French", "français")),
                    ("en", say("English", "anglais"))):
    known = lexicon.Vocabulary(corpus(which, 6000))
    untouched = Word2Vec(len(known), 48, torch.Generator().manual_seed(0))
    before = right_answers(which, known, untouched.vectors)
    after = right_answers(which, known, learned[which][0])
    answered[which] = before, after
    print(f"{name:9}", say("before:", "avant :"), f"{before:3}",
          say("  after:", "  après :"), after, say("of 588", "sur 588"))

# %% claims=true
assert sum(map(len, analogies("fr").values())) == 588
assert sum(map(len, analogies("en").values())) == 588
assert all(before <= 12 and after >= 0.95 * 588 for before, after in answered.values())
for which, (a, b, c, d) in {"fr": ("homme", "femme", "roi", "reine"),
                            "en": ("man", "woman", "king", "queen")}.items():
    known = lexicon.Vocabulary(corpus(which, 6000))
    best = lexicon.analogy(learned[which][0], known[a], known[b], known[c])[1]
    assert known.words[best] == d

# %% [markdown] lang="fr"
# Avant, presque rien ; après, plus de 95 % dans les deux langues. Deux questions avant d'applaudir.
#
# **Quelle dimension veut dire « genre » ?** Si c'était l'une des quarante-huit, la flèche d'homme à femme n'aurait qu'un nombre non nul.
# **Et la règle des mots exclus ?** Autorisons la réponse à être l'un des mots de la question. **Devinez** combien de justes il reste.

# %% [markdown] lang="en"
# Before, next to nothing; after, over 95 % in both languages. Two questions before applauding.
#
# **Which dimension means "gender"?** Were it one of the forty-eight, the arrow from man to woman would have a single number that is not
# zero. **And the rule of excluded words?** Let the answer be one of the words of the question. **Guess** how many right ones are left.

# %%
unit = F.normalize(vectors, dim=1)
pairs = [[vocabulary[word] for word in pair]
         for pair in word_pairs(language)["gender"]]
masculine, feminine = torch.tensor(pairs).T
gender = (unit[feminine] - unit[masculine]).mean(dim=0)
shares = gender.square() / gender.square().sum()
print(say("largest share of one dimension:", "plus grande part d'une dimension :"),
      decimal(100 * shares.max(), 0), "%")

# %%
asked = questions_of(language, vocabulary)
a, b, c, d = asked.T
reached = F.normalize(unit[b] - unit[a] + unit[c], dim=1)
best = (reached @ unit[1:].T).argmax(dim=1) + 1
allowed = (best == d).sum().item()
of_question = ((best == b) | (best == c)).sum().item()
print(say("right, all words allowed:", "justes, tous mots permis :"), allowed,
      say("of", "sur"), len(asked))
print(say("answers taken from the question:", "réponses prises à la question :"),
      of_question)

# %% claims=true
assert shares.max() < say(0.5, 0.25)
assert 0.85 * len(asked) < allowed < answered[language][1] - 10
assert of_question >= 10

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ce que les analogies ne prouvent pas
#
# Chaque dimension, de la flèche « genre ». Laquelle veut dire « genre » ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### What analogies do not prove
#
# Each dimension of the arrow "gender". Which one means "gender"?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3)
axes.bar(range(1, 49), gender.numpy(), color=BLUE)
axes.axhline(0, color="black", linewidth=0.8)
axes.set(xlabel="dimension", yticks=[], ylabel=say("part of the arrow", "part de la flèche"))
picture(figure, say("The gender arrow has parts, positive and negative, in nearly "
                    "all of the forty-eight dimensions.",
                    "La flèche du genre a une part, positive ou négative, dans "
                    "presque toutes les quarante-huit dimensions."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Aucune dimension n'a de nom : la flèche est une **direction**, répartie sur presque toutes. Faire répondre à « la machine
# comprend-elle ce qu'est une reine ? » (Elle sait de quels mots elle est entourée.) Dire un mot de la règle des mots exclus : sans elle,
# quelques réponses tombent sur la question elle-même.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. No dimension has a name: the arrow is a **direction**, spread over nearly all. Have them answer "does the machine understand what a
# queen is?" (It knows which words surround her.) Say a word about the rule of excluded words: without it, some answers fall on the question
# itself.

# %% [markdown] lang="fr"
# Aucune dimension ne porte le genre à elle seule : la plus forte n'en a pas le quart. Le sens est dans une **direction**, pas dans un axe ;
# tournez tous les vecteurs ensemble, aucun cosinus ne change.
#
# Sans la règle, quelques réponses tombent sur un mot de la question. Sur ce texte bien rangé, c'est peu. Sur de vrais textes, $c$ est le
# plus souvent le plus proche de tous, et la règle cache combien la flèche est faible ([](work:linzen2016)). Elle peut même inventer : à
# « homme est à médecin comme femme est à… », elle interdit de répondre « médecin » ([](work:nissim2020)). Une analogie juste montre que
# deux paires de mots ont des compagnies qui diffèrent de la même façon ; elle ne prouve pas que l'on a compris.
#
# ## 8. Trois phrases n'apprennent rien
#
# On rencontre souvent word2vec par un exemple comme celui-ci : trois phrases, cinq nombres par mot, et la bibliothèque
# [gensim](work:rehurek2010). (`vector_size` s'appelait `size` avant gensim 4.) Il tourne sans erreur, et affiche les voisins de « joie ».
# **Devinez** ce que ces voisins deviennent si l'on ne l'entraîne **pas du tout**.

# %% [markdown] lang="en"
# No dimension carries gender: the strongest has less than half of it. Meaning is in a **direction**, not in an axis; turn all vectors
# together, and the cosines do not change.
#
# Without the rule, some answers fall on a word of the question. On this tidy text they are few. On real texts $c$ is most often the nearest
# of all, and the rule hides how weak the arrow is ([](work:linzen2016)). It can even invent: to "man is to doctor as woman is to…", it
# forbids the answer "doctor" ([](work:nissim2020)). A right analogy shows that two pairs of words have companies that differ in the same
# way; it does not prove that anything was understood.
#
# ## 8. Three sentences teach nothing
#
# One often meets word2vec through an example like this one: three sentences, five numbers a word, and the library
# [gensim](work:rehurek2010). (`vector_size` was called `size` before gensim 4.) It runs without an error, and shows the neighbours of
# "joy". **Guess** what becomes of these neighbours if one does **not train it at all**.

# %%
three = [lexicon.split_words(sentence) for sentence in JOYFUL_ANIMALS[language]]
print(*JOYFUL_ANIMALS[language], sep="\n")
asked_word = say("joy", "joie")


def five_neighbours(seed, trained):
    settings = dict(vector_size=5, window=5, min_count=1, workers=1, seed=seed)
    if trained:
        model = GensimWord2Vec(three, **settings)
    else:
        model = GensimWord2Vec(**settings)
        model.build_vocab(three)
    found = [word for word, _ in model.wv.most_similar(asked_word, topn=5)]
    return found, model.wv.vectors


# %%
if GensimWord2Vec is not None:
    trained, after = five_neighbours(seed=1, trained=True)
    untrained, before = five_neighbours(seed=1, trained=False)
    moved = abs(after - before).max()
    print(say("trained:  ", "entraîné :    "), ", ".join(trained))
    print(say("untrained:", "non entraîné :"), ", ".join(untrained))
    print(say("largest change of a number:", "plus grand changement d'un nombre :"),
          scientific(moved))
    for seed in (2, 3):
        others, _ = five_neighbours(seed, trained=True)
        print(say(f"seed {seed}:   ", f"graine {seed} :    "), ", ".join(others))

# %% claims=true
if GensimWord2Vec is not None:
    assert trained == untrained
    assert moved < 1e-3 < 0.1 < abs(before).max()
    assert len({tuple(five_neighbours(seed, True)[0]) for seed in (1, 2, 3)}) == 3

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Trois phrases n'apprennent rien
#
# Les cinq voisins de « joie », selon gensim.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. Three sentences teach nothing
#
# The five neighbours of "joy", by gensim.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=8.5, height=2.8)
rows = {}
if GensimWord2Vec is not None:
    rows = {say("trained", "entraîné"): trained,
            say("NOT trained", "NON entraîné"): untrained,
            say("seed 2", "graine 2"): five_neighbours(2, True)[0],
            say("seed 3", "graine 3"): five_neighbours(3, True)[0]}
for row, (name, found) in enumerate(rows.items()):
    colour = VERMILION if row < 2 else "black"
    axes.text(0, -row, name, fontsize=14, fontweight="bold", color=colour)
    axes.text(3, -row, ", ".join(found), fontsize=14, color=colour)
axes.set(xlim=(-0.2, 10), ylim=(-3.6, 0.8), xticks=[], yticks=[])
axes.spines[:].set_visible(False)
picture(figure, say("The neighbours after training and without any training are "
                    "the same; two other seeds give others.",
                    "Les voisins après entraînement et sans entraînement sont les "
                    "mêmes ; deux autres graines en donnent d'autres."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Montrer d'abord la première ligne seule, et faire commenter : cela semble vouloir dire quelque chose. Puis la deuxième. Demander
# pourquoi rien n'a bougé. (Une trentaine de mots, cinq passages, un pas minuscule.) Et si l'on changeait la graine ? Morale : comparer
# toujours à « avant l'entraînement ».

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Show the first line alone at first, and have it commented on: it seems to mean something. Then the second. Ask why nothing moved.
# (Some thirty words, five passes, a tiny step.) And with another seed? Moral: always compare with "before training".

# %% [markdown] lang="fr"
# Les cinq mêmes, dans le même ordre : les nombres ont bougé de moins d'un millième, alors que le plus grand vaut 0,19. Ces voisins sont
# ceux du **hasard de départ**, et une autre graine en donne d'autres. Dans cinq dimensions, d'ailleurs, un cosinus élevé ne veut pas dire
# grand-chose : le plus proche d'un vecteur, parmi vingt autres tirés au hasard, a avec lui un cosinus de 0,76 en moyenne, contre 0,27 en
# quarante-huit dimensions.
#
# Faut-il entraîner plus longtemps ? Deux mille passages font bouger les nombres. Mais que pourraient-ils apprendre ? Dans trois phrases,
# presque chaque mot n'a qu'une compagnie, celle de sa phrase : rien ne dit ce qu'il partage avec les mots d'ailleurs.

# %% [markdown] lang="en"
# The same five, in the same order: the numbers have moved by less than a thousandth, where they go up to 0.19. These neighbours are those
# of the **random start**, and another seed gives others. In five dimensions, by the way, a high cosine does not mean much: of twenty random
# vectors, the nearest to another has a cosine of 0.76 on average, as against 0.27 in forty-eight dimensions.
#
# Should one train longer? Two thousand passes do move the numbers. But what could they learn? In three sentences almost every word has but
# one company, that of its sentence: nothing says what it shares with words elsewhere.

# %% claims=true
if GensimWord2Vec is not None:
    assert round(float(abs(before).max()), 2) == 0.19
    longer = GensimWord2Vec(three, vector_size=5, window=5, min_count=1, workers=1,
                            seed=1, epochs=2000)
    assert abs(longer.wv.vectors - before).max() > 0.5
generator = torch.Generator().manual_seed(0)
for width, expected_cosine in ((5, 0.76), (48, 0.27)):
    at_random = F.normalize(torch.randn(2000, 21, width, generator=generator), dim=2)
    cosines = at_random[:, :1] @ at_random[:, 1:].transpose(1, 2)
    assert abs(cosines.amax(dim=2).mean() - expected_cosine) < 0.01

# %% [markdown] lang="fr"
# ### Combien de phrases, alors ?
#
# Même grammaire, même entraînement, 3, 30, 300, 1 000 ou 6 000 phrases. Une question dont un mot n'a jamais été lu est perdue. **Devinez**
# la courbe : où commence-t-elle à monter ?

# %% [markdown] lang="en"
# ### How many sentences, then?
#
# Same grammar, same training, 3, 30, 300, 1,000 or 6,000 sentences. A question with a word that was never read is lost. **Guess** the
# curve: where does it begin to rise?

# %%
def count_curve():
    found = []
    for count in (3, 30, 300, 1000):
        read = corpus(language, count)
        known = lexicon.Vocabulary(read)
        found.append(right_answers(language, known, learn(read)[0]))
    return found


sentence_counts = [3, 30, 300, 1000, 6000]
curve = [*kept("curve", count_curve, patience=5), answered[language][1]]
for count, right in zip(sentence_counts, curve):
    print(f"{count:5}", say("sentences:", "phrases :"), f"{right:4}",
          say("right of 588", "justes sur 588"))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Combien de phrases, alors ?
#
# Même grammaire, même entraînement. Avant de voir : où la courbe monte-t-elle ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### How many sentences, then?
#
# Same grammar, same training. Before you see it: where does the curve rise?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.4)
percentages = [100 * right / 588 for right in curve]
axes.semilogx(sentence_counts, percentages, "o-", color=BLUE)
axes.set_xticks(sentence_counts, say("3|30|300|1,000|6,000",
                                     "3|30|300|1 000|6 000").split("|"))
axes.minorticks_off()
axes.set(xlabel=say("sentences read", "phrases lues"), ylim=(-3, 103),
         ylabel=say("analogies right, in %", "analogies justes, en %"))
picture(figure, say("Under 2 % of analogies are right with 3 and 30 sentences, "
                    "under 20 % with 300, more than 95 % with 6,000.",
                    "Moins de 2 % d'analogies justes avec 3 et 30 phrases, moins "
                    "de 20 % avec 300, plus de 95 % avec 6 000."))

# %% claims=true
shares = [right / 588 for right in curve]
assert max(shares[0], shares[1]) < 0.02
assert 0.02 < shares[2] < 0.2
assert 0.5 < shares[3] < 0.8
assert shares[4] > 0.95

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire dessiner la courbe à main levée avant de la montrer. Lire : moins de 2 % avec 3 et 30 phrases, plus de 95 % avec 6 000.
# Demander ce qui manque à 300 phrases. (Chaque mot y est lu quelques fois, et pas dans toutes ses compagnies.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have the curve drawn by hand before you show it. Read: under 2 % with 3 and 30 sentences, over 95 % with 6,000. Ask what is missing
# with 300 sentences. (Each word is read a few times, and not in all its companies.)

# %% [markdown] lang="fr"
# Trois et trente phrases : moins de 2 %. Trois cents : moins de 20 %. Avec 6 000, plus de 95 %. Word2vec n'a rien d'un réseau profond, et
# pourtant il lui faut **beaucoup** d'exemples de chaque compagnie. Ces phrases sont d'ailleurs un cas facile : moins de trois cents mots,
# et des tournures qui se répètent.
#
# ## 9. Un bouton : la fenêtre
#
# Jusqu'où regarder ? Un bouton, une image : la fenêtre, de 1 à 5 mots, sur 2 500 phrases. Nous comptons à part les questions de genre
# (« il », « elle » et les articles sont tout près) et celles de capitales (« en France on mange des crêpes » : le mot utile est loin).
# **Devinez** lesquelles souffrent le plus d'une fenêtre de 1.

# %% [markdown] lang="en"
# Three and thirty sentences: under 2 %. Three hundred: under 20 %. A thousand: more than half. With 6,000, over 95 %. Word2vec is no deep
# network, and understands no better than another; it needs **many** examples of each company. These sentences are an easy case, by the way:
# fewer than three hundred words, and turns of phrase that repeat.
#
# ## 9. A knob: the window
#
# How far should one look? One knob, one picture: the window, from 1 to 5 words, on 2,500 sentences. We count apart the questions of gender
# ("he", "him" and "sir" are close by) and those of capitals ("in France people eat pancakes": the useful word is far). **Guess** which
# suffer most from a window of 1.

# %%
def by_relation(which, known, vectors):
    found = {}
    for relation, questions in analogies(which).items():
        asked = [[known[word] for word in words] for words in questions]
        found[relation] = lexicon.analogy_accuracy(vectors, torch.tensor(asked))
    return found


def window_study():
    read = corpus(language, 2500)
    known = lexicon.Vocabulary(read)
    choices = [dict(window=1), dict(window=2), dict(window=5), dict(cbow=True)]
    return [by_relation(language, known, learn(read, **choice)[0])
            for choice in choices]


*by_window, by_cbow = kept("window", window_study, patience=5)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. Un bouton : la fenêtre
#
# De 1 à 5 mots de chaque côté. Qui souffre d'une petite fenêtre ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. A knob: the window
#
# From 1 to 5 words on each side. Who suffers from a small window?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(height=3.4)
named = {"gender": say("gender", "genre"), "capital": say("capital", "capitale")}
for (relation, name), colour in zip(named.items(), (VERMILION, BLUE)):
    percentages = [100 * found[relation] for found in by_window]
    axes.plot([1, 2, 5], percentages, "o-", color=colour, label=name)
axes.set(xlabel=say("window", "fenêtre"), xticks=[1, 2, 5], ylim=(0, 105),
         ylabel=say("analogies right, in %", "analogies justes, en %"))
legend(axes, loc="lower right")
picture(figure, say("Capitals gain a lot as the window grows from 1 to 5 words; "
                    "gender is high already with a window of 1.",
                    "Les capitales gagnent beaucoup quand la fenêtre passe de 1 à "
                    "5 mots ; le genre est déjà haut avec une fenêtre de 1."))

# %% claims=true
narrow, _, wide = by_window
assert narrow["gender"] > 0.8
assert narrow["capital"] < wide["capital"] - 0.08
assert narrow["capital"] < narrow["gender"] - 0.1

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire parier : genre ou capitales ? La petite fenêtre voit la grammaire, qui est tout près ; la grande voit de quoi l'on parle.
# Demander ce que donnerait une fenêtre de la longueur du texte. (Tous les mots auraient la même compagnie.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take bets: gender or capitals? A small window sees grammar, which is close by; a large one sees what the talk is about. Ask what a
# window as long as the text would give. (All words would have the same company.)

# %% [markdown] lang="fr"
# Une petite fenêtre suffit à la grammaire, qui est tout près ; il en faut une plus grande pour ce dont on parle. Et **skip-gram ou CBOW** ?
# Même texte, même fenêtre de 5, mêmes vingt époques. **Devinez** qui répond le mieux.

# %% [markdown] lang="en"
# A small window is enough for grammar, which is close by; what the talk is about takes a larger one. And **skip-gram or CBOW**? Same text,
# same window of 5, same twenty epochs. **Guess** which answers best.

# %%
def mean_share(found):
    questions = analogies(language)
    counted = {relation: len(asked) for relation, asked in questions.items()}
    right = sum(found[relation] * counted[relation] for relation in counted)
    return right / sum(counted.values())


skip_gram, bag = mean_share(by_window[-1]), mean_share(by_cbow)
print("skip-gram ", decimal(100 * skip_gram), "%")
print("CBOW      ", decimal(100 * bag), "%")

# %% claims=true
assert skip_gram > 0.9
assert bag < skip_gram - 0.15

# %% [markdown] lang="fr"
# Skip-gram l'emporte nettement **ici**, à nombre d'époques égal : il tire de chaque fenêtre plusieurs exemples, et fait donc plusieurs pas
# là où CBOW en fait un. CBOW a en revanche moins d'exemples à traiter, et va plus vite. C'est un constat sur ce corpus, non une loi.

# %% [markdown] lang="en"
# Skip-gram wins clearly **here**, with as many epochs: it makes several examples of each window, and so takes several steps where CBOW
# takes one. CBOW on the other hand has fewer examples to go through, and is quicker. This is a finding about this corpus, not a law.

# %% [markdown] lang="fr"
# ## 10. Du vrai texte
#
# Nos phrases sont sages. Voici 300 dépêches de la radio publique australienne, réunies par [Lee, Pincombe et Welsh (2005)](work:lee2005) et
# livrées avec gensim ; elles sont en anglais. Soixante mille mots, c'est peu : [Mikolov et ses collègues](work:mikolov2013) en avaient un
# milliard. **Devinez** les voisins de *cricket*, de *fire* (feu), de *police* et de *the* (le).

# %% [markdown] lang="en"
# ## 10. Real text
#
# Our sentences are well behaved. Here are 300 items of news of the Australian public radio, collected by
# [Lee, Pincombe and Welsh (2005)](work:lee2005) and shipped with gensim. Sixty thousand words is little:
# [Mikolov and colleagues](work:mikolov2013) had a billion. **Guess** the neighbours of *cricket*, of *fire*, of *police* and of *the*.

# %%
def lee_neighbours():
    from gensim.test.utils import datapath

    with open(datapath("lee_background.cor"), encoding="utf-8") as file:
        news = [lexicon.split_words(line) for line in file]
    model = GensimWord2Vec(news, vector_size=50, min_count=5, sg=1, epochs=25,
                           seed=1, workers=1)
    asked = ("cricket", "fire", "police", "the")
    near = {word: [other for other, _ in model.wv.most_similar(word, topn=5)]
            for word in asked}
    return {"near": near, "words": sum(map(len, news)), "texts": len(news)}


if GensimWord2Vec is not None:
    news = kept("lee", lee_neighbours, patience=5)
    for word, near in news["near"].items():
        print(f"{word:12}", ", ".join(near))

# %% claims=true
if GensimWord2Vec is not None:
    assert news["texts"] == 300 and 59_000 < news["words"] < 62_000
    assert {"crews", "rural", "service", "buildings"} & set(news["near"]["fire"])
    assert {"test", "warne", "captain", "coach"} & set(news["near"]["cricket"])
    assert {"officers", "officer"} & set(news["near"]["police"])
    assert {"of", "in", "and", "to", "a"} & set(news["near"]["the"])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. Du vrai texte
#
# Trois cents dépêches australiennes : les cinq plus proches.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. Real text
#
# Three hundred items of Australian news: the five nearest.

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(width=8.5, height=2.8)
listed = news["near"] if GensimWord2Vec is not None else {}
for row, (word, near) in enumerate(listed.items()):
    axes.text(0, -row, word, fontsize=14, fontweight="bold", color=BLUE)
    axes.text(2.4, -row, ", ".join(near), fontsize=14)
axes.set(xlim=(-0.2, 10), ylim=(-3.6, 0.8), xticks=[], yticks=[])
axes.spines[:].set_visible(False)
picture(figure, say("The five nearest words of four words in Australian news: "
                    "those of their subject, and for “the” small words.",
                    "Les cinq mots les plus proches de quatre mots des dépêches : "
                    "ceux de leur sujet, et pour « the » de petits mots."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Le sujet se voit (le sport, les incendies) ; le sens exact, non. Demander ce que disent les voisins de « fire » : de quoi
# parlaient les dépêches, et non ce que veut dire le mot. C'est la transition vers la section suivante.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. The subject shows (sport, bush fires); the exact meaning does not. Ask what the neighbours of "fire" say: what the news
# talked about, not what the word means. It is the bridge to the next section.

# %% [markdown] lang="fr"
# On reconnaît le sujet : un match, un incendie et ceux qui le combattent, des policiers (*officers*). Mais ces voisins sont ceux de 300
# dépêches d'une époque : ils disent de quoi l'on parlait avec ce mot, et non ce qu'il veut dire. « the » a pour voisins d'autres petits
# mots : on les trouve partout, eux aussi.

# %% [markdown] lang="en"
# The subject can be recognised: a match, a fire and those who fight it, police officers. But these neighbours are those of 300 items of
# news of one period: they say what the talk was about when the word came up, not what it means. "the" has other small words for neighbours:
# they are everywhere, too.

# %% [markdown] lang="fr"
# ## 11. Ce que le texte a semé
#
# Si des vecteurs apprennent de leur compagnie, ils apprennent aussi ses préjugés. [Bolukbasi et ses collègues (2016)](work:bolukbasi2016)
# l'ont montré sur des vecteurs tirés d'articles de presse : des métiers y penchent vers « il » ou vers « elle ». Faisons-en l'expérience là
# où l'on connaît la réponse : semons nous-mêmes le préjugé. Cinq métiers, dont le nom est le même au masculin et au féminin, entrent dans
# 2 500 phrases : cent phrases chacun. La part de phrases au féminin est de 10 % pour « pilote », 30 % pour « journaliste », 50 % pour
# « dentiste », 70 % pour « photographe », 90 % pour « fleuriste ». **Devinez** : que retrouvera-t-on dans les vecteurs ?

# %% [markdown] lang="en"
# ## 11. What the text has planted
#
# If vectors learn from company, they learn its prejudices too. [Bolukbasi and colleagues (2016)](work:bolukbasi2016) showed it on vectors
# made from news: occupations in them lean towards "he" or towards "she". Let us try it where the answer is known: we plant the bias
# ourselves. Five occupations are put into 2,500 sentences: a hundred sentences each. The share of sentences about a woman is 10 % for
# "pilot", 30 % for "journalist", 50 % for "dentist", 70 % for "photographer", 90 % for "florist". **Guess**: what will be found in the
# vectors?

# %%
said_of_him = say("the {} says that he is happy|everyone greets the {} and then "
                  "thanks him|the {} keeps his promise and he is proud of it",
                  "le {} dit qu'il est content|tout le monde salue le {} puis "
                  "le remercie|un {} grand et fort arrive seul").split("|")
said_of_her = say("the {} says that she is happy|everyone greets the {} and then "
                  "thanks her|the {} keeps her promise and she is proud of it",
                  "la {} dit qu'elle est contente|tout le monde salue la {} puis "
                  "la remercie|une {} grande et forte arrive seule").split("|")
jobs = say("pilot journalist dentist photographer florist",
           "pilote journaliste dentiste photographe fleuriste").split()
planted = dict(zip(jobs, (10, 30, 50, 70, 90)))


# %%
def planted_sentences(job, women):
    found = []
    for number in range(100):
        said = said_of_her if number < women else said_of_him
        found.append(lexicon.split_words(said[number % 3].format(job)))
    return found


def study_of_jobs():
    read = corpus(language, 2500)
    for job, women in planted.items():
        read += planted_sentences(job, women)
    return learn(read)[0]


# %%
with_jobs = corpus(language, 2500)
for job, women in planted.items():
    with_jobs += planted_sentences(job, women)
    print(f"{job:13} {women:3}", say("about her,", "au féminin,"),
          f"{100 - women:3}", say("about him", "au masculin"))
print(say("for example:", "par exemple :"))
print("  ", " ".join(with_jobs[-100]))
print("  ", " ".join(with_jobs[-1]))
job_words = lexicon.Vocabulary(with_jobs)
job_vectors = kept("jobs", study_of_jobs, patience=5)

# %% [markdown] lang="fr"
# À vous d'écrire la **sonde**. `lean(vectors, number, pairs)` dit de quel côté penche le mot `number` : `vectors` est de forme (v, d),
# `pairs` de forme (p, 2), les numéros de p paires (masculin, féminin), comme homme et femme. En trois pas : ramenez tous les vecteurs à la
# longueur 1 ; faites la moyenne des p flèches « féminin moins masculin » ; rendez le cosinus du mot et de cette direction, un nombre de
# Python. Positif, le mot penche vers le féminin ; négatif, vers le masculin.
#
# <details><summary>Un indice</summary>
#
# `pairs[:, 1]` est la colonne des numéros féminins ; `unit[pairs[:, 1]]`, leurs vecteurs, de forme (p, d).
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `direction = (unit[pairs[:, 1]] - unit[pairs[:, 0]]).mean(dim=0)`, de forme (d). Puis `cosine_similarity`, et `.item()`, qui fait d'un
# tenseur d'un seul nombre un nombre de Python.
#
# </details>

# %% [markdown] lang="en"
# Now write the **probe**. `lean(vectors, number, pairs)` says to which side word `number` leans: `vectors` is of shape (v, d), `pairs` of
# shape (p, 2), the numbers of p pairs (masculine, feminine), such as man and woman. In three steps: bring all vectors to length 1; take the
# mean of the p arrows "feminine minus masculine"; return the cosine of the word and this direction, a Python number. Positive, the word
# leans towards the feminine; negative, towards the masculine.
#
# <details><summary>A hint</summary>
#
# `pairs[:, 1]` is the column of feminine numbers; `unit[pairs[:, 1]]`, their vectors, of shape (p, d).
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `direction = (unit[pairs[:, 1]] - unit[pairs[:, 0]]).mean(dim=0)`, of shape (d). Then `cosine_similarity`, and `.item()`, which makes a
# Python number of a tensor of a single number.
#
# </details>

# %% level=3
def lean(vectors, number, pairs):
    unit = F.normalize(vectors, dim=-1)
    arrows = unit[pairs[:, 1]] - unit[pairs[:, 0]]
    direction = arrows.mean(dim=0)
    return cosine_similarity(unit[number], direction).item()


# %% scratch=true
plane = torch.tensor([[0.0, 0.0], [0.0, 1.0], [3.0, 0.0], [2.0, 2.0], [4.0, 0.0]])
round(lean(plane, 4, torch.tensor([[1, 2]])), 3)
# → 0.707

# %%
plane = torch.tensor([[0.0, 0.0], [0.0, 5.0], [3.0, 0.0], [0.0, 1.0], [1.0, 0.0],
                      [1.0, 1.0]])
two_pairs = torch.tensor([[1, 2], [3, 4]])


def leans_of_plane():
    return [lean(plane, number, two_pairs) for number in (1, 2, 5)]


expect(leans_of_plane, [-0.5**0.5, 0.5**0.5, 0.0],
       say("three words of a plane", "trois mots d'un plan"))

# %% tags=["hide-input"]
gender_pairs = torch.tensor([[job_words[word] for word in pair]
                             for pair in word_pairs(language)["gender"]])


def nearer_to_her(job):
    # en: the same, measured otherwise: how much nearer a job is to the feminine
    # en: words than to the masculine ones
    # fr: la même mesure, faite autrement : de combien un métier est plus près des
    # fr: mots féminins que des masculins
    of_job = F.normalize(job_vectors[job_words[job]], dim=-1)
    he, she = F.normalize(job_vectors[gender_pairs], dim=-1).mean(dim=0)
    return ((of_job @ she - of_job @ he) / torch.dist(he, she)).item()


# %%
try:
    leans = [lean(job_vectors, job_words[job], gender_pairs) for job in jobs]
except NotImplementedError:
    # en: while your probe is missing
    # fr: tant que votre sonde manque
    leans = [nearer_to_her(job) for job in jobs]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. Ce que le texte a semé
#
# Cinq métiers, de 10 à 90 % de phrases au féminin. Que retrouve-t-on ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. What the text has planted
#
# Five occupations, from 10 to 90 % of sentences about a woman. What is found?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=7.5, height=3.4)
axes.axhline(0, color="grey", linewidth=0.8)
axes.plot(list(planted.values()), leans, "o-", color=VERMILION)
for job, women, value in zip(jobs, planted.values(), leans):
    axes.annotate(job, (women, value), (6, -16), textcoords="offset points",
                  fontsize=13, bbox={"facecolor": "white", "edgecolor": "none",
                                     "pad": 1})
axes.set(xlabel=say("sentences about a woman, in %", "phrases au féminin, en %"),
         xlim=(0, 115), ylim=(-0.35, 0.35), xticks=(10, 30, 50, 70, 90),
         ylabel=say("measured lean", "penchant mesuré"))
picture(figure, say("The measured lean of five occupations against the share that "
                    "was planted: it rises with that share.",
                    "Le penchant mesuré de cinq métiers selon la part semée : il "
                    "monte avec cette part."))

# %% claims=true
assert all(abs(value - nearer_to_her(job)) < 1e-5 for job, value in zip(jobs, leans))
assert leans[0] < -0.08 and leans[4] > 0.08
assert abs(leans[2]) < 0.1
assert leans[0] < leans[2] < leans[4]
assert leans[0] < leans[1] and leans[3] > leans[2] - 0.03

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 10 min. Discussion, avec une source : [](work:bolukbasi2016). Demander : qui a mis ce préjugé ? (Nous, et les vecteurs l'ont rendu tel
# quel.) Est-ce une faute de la machine ? Peut-on l'ôter ? Ôter la direction du genre est possible, mais les mots qui penchaient ensemble
# restent voisins ([](work:gonen2019)). Limite de l'expérience : cinq mots, un texte fait exprès.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 10 min. A discussion, with a source: [](work:bolukbasi2016). Ask: who put this bias there? (We did, and the vectors gave it back as it
# was.) Is it the machine's fault? Can it be taken out? The gender direction can be taken away, but words that leaned together stay
# neighbours ([](work:gonen2019)). A limit of the experiment: five words, a text made for it.

# %% [markdown] lang="fr"
# La ligne monte : le penchant suit ce que nous avons semé. Les vecteurs n'ont pas d'opinion : ils rendent le texte.
# Rendre le texte, c'est aussi rendre ce qu'il a d'injuste, et le répandre, si l'on trie avec eux des candidatures.
#
# Les limites, maintenant. [Bolukbasi et ses collègues](work:bolukbasi2016) proposent d'ôter des vecteurs la direction du genre ; mais les
# mots qui penchaient du même côté restent voisins les uns des autres, et le préjugé se retrouve ([Gonen et Goldberg 2019](work:gonen2019)).
# La sonde dépend des paires que l'on choisit. Et elle ne voit que ce que l'on cherche : deux genres, ici, et rien d'autre. DALL·E, qui lit
# des légendes et regarde des images, apprend de la même façon ; la [](lesson:17) y revient.

# %% [markdown] lang="en"
# The lean follows what we planted. The vectors have no opinion: they give the text back. To give the text back is also to give back what is
# unjust in it, and to spread it, if applications are sorted with them.
#
# Now the limits. [Bolukbasi and colleagues](work:bolukbasi2016) propose to take the gender direction out of the vectors; but words that
# leaned to the same side stay each other's neighbours, and the bias can be found again ([Gonen and Goldberg 2019](work:gonen2019)). The
# probe depends on the pairs that one chooses. And it sees only what one looks for: two genders here, and nothing else. DALL·E, which reads
# captions and looks at pictures, learns in the same way; [](lesson:17) comes back to it.

# %% [markdown] lang="fr" own_numbers=true
# ## 12. Les mots jamais vus
#
# Un vocabulaire de mots a un trou : tout mot nouveau est `<unk>`. Couper en lettres n'en laisse aucun, mais une lettre ne veut rien dire,
# et les phrases deviennent longues. Entre les deux : des **morceaux** de mots, les plus fréquents en un seul jeton. Le **BPE** (*byte-pair
# encoding*, codage par paires d'octets ; [Sennrich, Haddow et Birch 2016](work:sennrich2016)) les trouve ainsi : partir des lettres,
# chercher la paire de voisins la plus fréquente, la fusionner partout, recommencer.
#
# Quatre mots, et combien de fois chacun est lu : « chat » 7, « chaton » 4, « chatons » 2, « raton » 3. La paire (a, t) vient dans les
# quatre : $7 + 4 + 2 + 3 = 16$ fois. C'est la plus fréquente : « c h at », « r at o n ». **Devinez** les deux fusions suivantes ; à
# égalité, la première dans l'ordre alphabétique l'emporte.

# %% [markdown] lang="en" own_numbers=true
# ## 12. Words never seen
#
# A vocabulary of words has a hole: every new word is `<unk>`. To cut into letters leaves none, but a letter means nothing, and sentences
# get long. Between the two: **pieces** of words, the most frequent as a single token. **BPE** (byte-pair encoding, [Sennrich, Haddow and
# Birch 2016](work:sennrich2016)) finds them like this: begin with letters, look for the most frequent pair of neighbours, merge it
# everywhere, begin again.
#
# Four words, and how many times each is read: "fox" 7, "foxes" 4, "boxes" 3, "axes" 2. The pair (o, x) comes in three of them:
# $7 + 4 + 3 = 14$ times. It is the most frequent: "f ox", "b ox e s". **Guess** the next two merges.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Fusionner les lettres
#
# | mot | lu | lettres | après une fusion |
# |---|---|---|---|
# | chaton | 4 | c h a t o n | c h **at** o n |
# | raton | 3 | r a t o n | r **at** o n |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. Merging letters
#
# | word | read | letters | after one merge |
# |---|---|---|---|
# | foxes | 4 | f o x e s | f **ox** e s |
# | boxes | 3 | b o x e s | b **ox** e s |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Au tableau, faire les deux fusions suivantes avec la classe, en recomptant à chaque fois. À égalité, l'ordre alphabétique. Demander
# quand s'arrêter. (Quand le vocabulaire a la taille voulue : 16 384 chez DALL·E 1.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. On the board, do the next two merges with the class, counting anew each time. Ties go by the alphabet. Ask when to stop. (When the
# vocabulary has the size that is wanted: 16,384 for DALL·E 1.)

# %% [markdown] lang="fr"
# Pour fusionner, une aide est donnée : `merged(pieces, pair)` rend la liste de morceaux où chaque `pair` est devenue un seul morceau.

# %% [markdown] lang="en"
# For merging, help is given: `merged(pieces, pair)` returns the list of pieces in which every `pair` has become a single piece.

# %%
def merged(pieces, pair):
    result = []
    for piece in pieces:
        if result and (result[-1], piece) == pair:
            result[-1] = result[-1] + piece
        else:
            result.append(piece)
    return result


# %% [markdown] lang="fr"
# La bibliothèque `tokenizers`, avec laquelle ont été faits les jetons des légendes de ce cours (par `train_tokenizer`), sait trouver ces
# fusions. La liste que vous écrirez sera comparée à la sienne.

# %% [markdown] lang="en"
# The library `tokenizers`, used by `train_tokenizer`, which made the tokens of this course's captions, can find these merges. The list that
# you are about to write will be compared with its own.

# %%
import json

from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def merges_of_library(counts, how_many):
    letters = {letter for word in counts for letter in word}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=len(letters) + how_many,
                                  show_progress=False)
    read = [word for word, count in counts.items() for _ in range(count)]
    tokenizer.train_from_iterator(read, trainer)
    written = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(pair) for pair in written]


# %% [markdown] lang="fr"
# Écrivez `byte_pair_merges(counts, how_many)`. `counts` est un dictionnaire : mot, nombre de fois qu'il est lu. Rendez la liste des
# `how_many` premières fusions, chacune un tuple de deux morceaux, dans l'ordre. Une paire compte autant de fois que les mots qui la
# contiennent sont lus. À égalité, prenez la première dans l'ordre alphabétique.
#
# <details><summary>Un indice</summary>
#
# Gardez pour chaque mot sa liste de morceaux : `pieces = {word: list(word) for word in counts}`. Ce sont les lettres, au début.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `zip(pieces[word], pieces[word][1:])` donne les paires d'un mot. Comptez-les dans un `Counter()`, en ajoutant `counts[word]`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `min(found, key=lambda pair: (-found[pair], pair))` est la paire la plus fréquente, et à égalité la première de l'alphabet.
#
# </details>

# %% [markdown] lang="en"
# Write `byte_pair_merges(counts, how_many)`. `counts` is a dictionary: word, how many times it is read. Return the list of the first
# `how_many` merges, each a tuple of two pieces, in order. A pair counts as many times as the words that hold it are read. Of equals, take
# the first in alphabetical order.
#
# <details><summary>A hint</summary>
#
# Keep each word's list of pieces: `pieces = {word: list(word) for word in counts}`. They are the letters, at first.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `zip(pieces[word], pieces[word][1:])` gives the pairs of a word. Count them in a `Counter()`, adding `counts[word]`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `min(found, key=lambda pair: (-found[pair], pair))` is the most frequent pair, and of equals the first of the alphabet.
#
# </details>

# %% level=2
def byte_pair_merges(counts, how_many):
    pieces = {word: list(word) for word in counts}
    merges = []
    for _ in range(how_many):
        found = Counter()
        for word, count in counts.items():
            for pair in zip(pieces[word], pieces[word][1:]):
                found[pair] += count
        best = min(found, key=lambda pair: (-found[pair], pair))
        merges.append(best)
        for word in counts:
            pieces[word] = merged(pieces[word], best)
    return merges


# %% scratch=true
byte_pair_merges({say("to", "ta"): 3, say("ton", "tas"): 2}, 2)
# en: → [('t', 'o'), ('to', 'n')]
# fr: → [('t', 'a'), ('ta', 's')]

# %%
four_words = say("fox foxes axes boxes", "chat chaton chatons raton").split()
read_words = dict(zip(four_words, (7, 4, 2, 3)))
expect(lambda: byte_pair_merges(read_words, 5), merges_of_library(read_words, 5),
       say("the first five merges", "les cinq premières fusions"))

# %%
merges = merges_of_library(read_words, 5)
for number, (left, right) in enumerate(merges, start=1):
    print(f"{number}.  {left} + {right}")


def pieces_of(word):
    pieces = list(word)
    for pair in merges:
        pieces = merged(pieces, pair)
    return pieces


print(say("never read:", "jamais lus :"))
for word in say("box sox bees", "chats rats chanson").split():
    print("  ", word, "→", " | ".join(pieces_of(word)))

# %% claims=true
assert merges[:2] == say([("o", "x"), ("f", "ox")], [("a", "t"), ("c", "h")])
assert merges == byte_pair_merges(read_words, 5)
first_word = say("box", "chats")
assert first_word not in read_words
assert len(pieces_of(first_word)) == say(1, 2)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Les fusions font un arbre
#
# Des lettres au mot, une fusion par étage.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Merges make a tree
#
# From the letters to the word, a merge on each floor.

# %% tags=["hide-input"]
shown_word = say("foxes", "chatons")
nodes = [(letter, float(place), 0.0) for place, letter in enumerate(shown_word)]
everything, branches = list(nodes), []
for floor, pair in enumerate(merges, start=1):
    for place in range(len(nodes) - 1, 0, -1):
        left, right = nodes[place - 1], nodes[place]
        if (left[0], right[0]) == pair:
            top = (left[0] + right[0], (left[1] + right[1]) / 2, float(floor))
            branches += [(left, top), (right, top)]
            nodes[place - 1 : place + 1] = [top]
            everything.append(top)

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.5, height=3.8)
for child, top in branches:
    axes.plot([child[1], top[1]], [child[2], top[2]], color=BLUE, zorder=0)
for piece, x, y in everything:
    axes.text(x, y, piece, ha="center", va="center", fontsize=15,
              bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": BLUE})
axes.set(xlim=(-0.6, len(shown_word) - 0.4), ylim=(-0.5, 5.5), xticks=[],
         ylabel=say("merge", "fusion"), yticks=range(6))
picture(figure, say("A tree: the letters of foxes at the bottom, joined two by "
                    "two by the merges, up to the whole word.",
                    "Un arbre : les lettres de chatons en bas, réunies deux à deux"
                    " par les fusions, jusqu'à chaton ; le s reste seul."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Lire l'arbre de bas en haut. Demander comment seront coupés des mots jamais lus : « chats », « rats », « chanson ». Aucun n'est
# inconnu : au pire, ce sont des lettres (et, sur des octets, n'importe quel texte se code).

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Read the tree from bottom to top. Ask how words never read will be cut: "box", "sox", "bees". None is unknown: at worst they are
# letters (and on bytes, any text can be encoded).

# %% [markdown] lang="fr" own_numbers=true
# « chat » est un seul jeton, et « chats », jamais lu, en fait deux, « chat » et « s ». Plus rien n'est inconnu, tant que les lettres sont
# connues ; si l'on part des **octets** au lieu des lettres, n'importe quel texte se code, même 😀. C'est ce que font GPT-2
# ([](work:radford2019)) et les machines de ce cours. Tout modèle de texte commence ainsi : un découpage, puis, pour chaque jeton, un
# vecteur appris ; un encodeur de texte en tire ensuite des vecteurs de même taille, quelle que soit la phrase. La [](lesson:11) réunira
# dans un même flux des jetons de texte et des jetons d'image.

# %% [markdown] lang="en" own_numbers=true
# "fox" is a single token, and so is "box", which was never read. Nothing is unknown any more, as long as the letters are known; beginning
# with **bytes** instead of letters, any text can be encoded, even 😀. This is what GPT-2 ([](work:radford2019)) and the machines of this
# course do. Every model of text begins like this: a way to cut, then a learned vector for each token; a text encoder then makes of them
# vectors of the same length for all sentences. [](lesson:11) will join tokens of text and tokens of pictures in one stream.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 14-15"
# ### Exercices 14 et 15 · La sonde et les fusions
#
# **20 min.** 15 ●● `byte_pair_merges`, en classe. 14 ●●● `lean`, la sonde de la section 11 : chez soi.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 14-15"
# ### Exercises 14 and 15 · The probe and the merges
#
# **20 min.** 15 ●● `byte_pair_merges`, in class. 14 ●●● `lean`, the probe of section 11: at home.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. En 15, fautes à guetter : compter une paire une fois par mot et non par lecture ; ne pas recompter après chaque fusion ; l'égalité
# tranchée au hasard. En 14 : la direction dans le mauvais sens, le mot non normalisé.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. In 15, mistakes to look for: counting a pair once for each word and not for each reading; not counting anew after each merge; ties
# left to chance. In 14: the direction the wrong way round, the word not normalised.

# %% [markdown] lang="fr"
# ## 13. Quelle erreur est-ce ?
#
# Voici une perte d'échantillonnage négatif écrite par quelqu'un d'autre. Elle est fausse. Ne regardez pas son code : interrogez-la. Tous
# les scores valent 0, comme au départ. **Devinez** d'abord ce que la vraie perte donnerait avec 1, 2 et 5 mots de bruit, puis répondez.

# %% [markdown] lang="en"
# ## 13. Which mistake is this?
#
# Here is a negative sampling loss that somebody else wrote. It is wrong. Do not look at its code: question it. All scores are 0, as at the
# start. First **guess** what the true loss would give with 1, 2 and 5 noise words, then answer.

# %%
mystery, suspicion = suspect("word2vec:negative_sampling_loss", "noise_averaged")
answers_given = []
for count in (1, 2, 5):
    negatives = torch.arange(2, 2 + count).unsqueeze(0)
    loss = mystery(torch.zeros(1, 4), torch.zeros(9, 4), torch.tensor([1]),
                   negatives)
    answers_given.append(loss.item())
    print("m =", count, say("  loss", "  perte"), decimal(loss, 2))

# %% claims=true
assert all(abs(loss - 2 * math.log(2)) < 1e-6 for loss in answers_given)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 13. Quelle erreur est-ce ?
#
# Une perte écrite par quelqu'un d'autre, quand tous les scores sont nuls. En gris, la vraie. Qu'a-t-on fait du bruit ?

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 13. Which mistake is this?
#
# A loss that somebody else wrote, while all scores are zero. Grey is the true one. What was done with the noise?

# %% slide="fragment" slide_only=true tags=["hide-input"]
figure, axes = plot(height=2.8)
places = torch.arange(3)
true_losses = [(1 + count) * math.log(2) for count in (1, 2, 5)]
axes.bar(places - 0.2, true_losses, 0.4, color="silver",
         label=say("the true loss", "la vraie perte"))
axes.bar(places + 0.2, answers_given, 0.4, color=VERMILION,
         label=say("this one", "celle-ci"))
legend(axes)
axes.set_xticks(places, ["1", "2", "5"])
axes.set(xlabel=say("noise words", "mots de bruit"), ylabel=say("loss", "perte"))
picture(figure, say("The true loss grows with the number of noise words; the wrong "
                    "one stays the same.",
                    "La vraie perte grandit avec le nombre de mots de bruit ; la "
                    "fausse ne bouge pas."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux minutes par deux, puis un vote. La vraie perte vaut (1 + m) log 2 ; celle-ci ne dépend pas de m. Demander ce que cela change à
# l'entraînement. (Le bruit repousse m fois moins.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two minutes in pairs, then a vote. The true loss is (1 + m) log 2; this one does not depend on m. Ask what it changes in training.
# (The noise pushes m times less.)

# %% quiz="mystery"
quiz(suspicion)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz vectors"
# ## 14. Neuf questions
#
# **8 min.** Répondez seul, puis comparez à deux. Écrivez d'abord celle-ci :
#
# | mot | lu | lettres |
# |---|---|---|
# | ana | 3 fois | a n a |
# | anas | 2 fois | a n a s |
#
# Combien de jetons dans « anas », après deux fusions ?

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz vectors"
# ## 14. Nine questions
#
# **8 min.** Answer alone, then compare in pairs. Write this one first:
#
# | word | read | letters |
# |---|---|---|
# | ana | 3 times | a n a |
# | anas | 2 times | a n a s |
#
# How many tokens in "anas", after two merges?

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Faire répondre dans le notebook, puis corriger les trois questions les plus manquées. Celle du tableau : (a, n) et (n, a) viennent
# cinq fois ; l'alphabet choisit (a, n), puis (an, a) ; reste « ana » et « s ».

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Let them answer in the notebook, then go over the three questions most often missed. The one of the table: (a, n) and (n, a) come
# five times; the alphabet chooses (a, n), then (an, a); what remains is "ana" and "s".

# %% [markdown] lang="fr"
# ## 14. Questions

# %% [markdown] lang="en"
# ## 14. Questions

# %% quiz="vectors"
quiz(
    Number(
        say("What is the cosine of (1, 2) and (2, 4)?", "Que vaut le cosinus de (1, 2) et (2, 4) ?"),
        right=1.0,
        why=say("They point the same way; the cosine ignores that one is twice as long.",
                "Ils ont la même direction ; le cosinus ignore que l'un est deux fois plus long."),
        computed=lambda: float(lexicon.cosine_similarity(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]))),
        tolerance=1e-6,
        near_misses={10.0: say("That is the dot product; divide it by both lengths.",
                               "C'est le produit scalaire ; divisez-le par les deux longueurs.")},
    ),
    Number(
        say("How far apart are two different one-hot vectors of a vocabulary of 10,000 words?",
            "À quelle distance sont deux vecteurs un parmi n différents, dans un vocabulaire de 10 000 mots ?"),
        right=2**0.5,
        why=say("√(1² + 1²), whatever the size of the vocabulary.", "√(1² + 1²), quelle que soit la taille du vocabulaire."),
        computed=lambda: float((lexicon.one_hot(torch.tensor([3]), 10_000) - lexicon.one_hot(torch.tensor([8]), 10_000)).norm()),
        tolerance=1e-6,
    ),
    Number(
        say("What is the Jaccard index of {a, cat, sleeps} and {a, dog, sleeps, here}?",
            "Que vaut l'indice de Jaccard de {le, chat, dort} et {le, chien, dort, ici} ?"),
        right=0.4,
        why=say("2 words in common, 5 words in all.", "2 mots communs, 5 mots en tout."),
        computed=lambda: lexicon.jaccard_similarity({"a", "b", "c"}, {"a", "d", "c", "e"}),
        near_misses={2 / 7: say("The shared words were counted twice: the union has 5 words.",
                                "Les mots communs ont été comptés deux fois : la réunion a 5 mots.")},
    ),
    Number(
        say("How many pairs (word, neighbour) has a sentence of five words, with a window of 1?",
            "Combien de paires (mot, voisin) a une phrase de cinq mots, avec une fenêtre de 1 ?"),
        right=8,
        why=say("1 + 2 + 2 + 2 + 1: the words at the ends have one neighbour.",
                "1 + 2 + 2 + 2 + 1 : les mots des bouts ont un seul voisin."),
        computed=lambda: sum(1 for a in range(5) for b in range(5) if abs(a - b) == 1),
        near_misses={10: say("The words at the ends have one neighbour only.", "Les mots des bouts n'ont qu'un voisin.")},
    ),
    Number(
        say("With 10 noise words, what is the loss of an example while all scores are 0? (two decimals)",
            "Avec 10 mots de bruit, quelle est la perte d'un exemple quand tous les scores valent 0 ? (deux décimales)"),
        right=7.62,
        decimals=2,
        why=say("(1 + 10) log 2.", "(1 + 10) log 2."),
        computed=lambda: round(11 * math.log(2), 2),
        near_misses={6.93: say("The true neighbour counts too.", "Le vrai voisin compte aussi.")},
    ),
    Choice(
        say("Which words does subsampling mostly leave out?", "Quels mots le sous-échantillonnage écarte-t-il surtout ?"),
        [say("rare words", "les mots rares"), say("very frequent words", "les mots très fréquents"),
         say("unknown words, and they alone", "les mots inconnus, et eux seuls")],
        right=1,
        why=say("They are everybody's neighbours and tell little about anybody.", "Voisins de tous, ils disent peu de chacun."),
        why_not=[
            say("A word below the threshold is always kept.", "Un mot sous le seuil est toujours gardé."),
            say("Unknown words go too, but most of what goes are articles and the like.",
                "Les inconnus s'en vont aussi, mais ce sont surtout des articles qui partent."),
        ],
    ),
    Choice(
        say("Two words have a cosine of 0.8 in well-trained vectors. This says that",
            "Deux mots ont un cosinus de 0,8 dans des vecteurs bien entraînés. Que montre-t-il ?"),
        [say("they are synonyms", "qu'ils sont synonymes"), say("they often stand side by side", "qu'ils sont souvent côte à côte"),
         say("they keep similar company", "qu'ils ont une compagnie semblable")],
        right=2,
        why=say("Synonyms do, and so do opposites: hot and cold.", "C'est le cas des synonymes, mais aussi des contraires : chaud et froid."),
        why_not=[
            say("Opposites share their contexts too.", "Les contraires partagent aussi leurs contextes."),
            say("Not the same thing: each may never be met beside the other, and have the same neighbours.",
                "Ce n'est pas la même chose : ils peuvent ne jamais se rencontrer, et avoir les mêmes voisins."),
        ],
    ),
    Choice(
        say("A trained model shows neighbours that seem to make sense. What do you check first?",
            "Un modèle entraîné montre des voisins qui semblent avoir un sens. Que vérifiez-vous d'abord ?"),
        [say("that the cosines are high", "que les cosinus sont élevés"),
         say("what the same model shows before training", "ce que montre le même modèle avant l'entraînement"),
         say("that the program ran without an error", "que le programme a tourné sans erreur")],
        right=1,
        why=say("On three sentences they were the same: those of chance.", "Sur trois phrases, c'étaient les mêmes : ceux du hasard."),
        why_not=[
            say("In few dimensions, random vectors have high cosines too.", "En peu de dimensions, des vecteurs au hasard ont aussi de hauts cosinus."),
            say("A program that learns nothing runs without an error too.", "Un programme qui n'apprend rien tourne aussi sans erreur."),
        ],
    ),
    Number(
        say("“ana” is read 3 times and “anas” 2 times. After two merges (ties by the alphabet), how many tokens has “anas”?",
            "« ana » est lu 3 fois, « anas » 2 fois. Après deux fusions (à égalité, l'alphabet), combien de jetons a « anas » ?"),
        right=2,
        why=say("an, then ana: ana | s.", "an, puis ana : ana | s."),
        computed=lambda: len(merged(merged(list("anas"), ("a", "n")), ("an", "a"))),
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Un mot, un numéro ; puis un vecteur appris.
# - La compagnie d'un mot en donne le sens, ou presque.
# - Attirer les vrais voisins, repousser le bruit.
# - Comparer toujours à « sans entraînement ».
# - Les vecteurs rendent le texte, préjugés compris.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - A word, a number; then a learned vector.
# - The company of a word gives its meaning, or nearly.
# - Pull true neighbours, push noise.
# - Always compare with "not trained".
# - Vectors give the text back, prejudices included.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 7, 9, 11 et 14. La leçon 03 lira ces
# vecteurs l'un après l'autre : l'ordre des mots, que rien ici ne voit, y comptera.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: finish exercises 7, 9, 11 and 14. Lesson 03 will read these vectors
# one after the other: the order of words, which nothing here sees, will count.

# %% [markdown] lang="fr"
# ## À retenir
#
# - Un texte se coupe en jetons ; chacun a un numéro, puis un vecteur. Un parmi n met tous les mots à la même distance ; un plongement appris, non.
# - Le cosinus ignore les longueurs, Jaccard ignore l'ordre et les répétitions : choisir une similarité, c'est choisir ce que l'on ignore.
# - Des mots qui ont la même compagnie ont des vecteurs proches ; les contraires aussi.
# - Skip-gram attire les vrais voisins et repousse un bruit tiré au sort ; la perte part de $(1 + m) \log 2$.
# - Une analogie est une flèche, et aucune dimension n'a de nom.
# - Trois phrases n'apprennent rien : les voisins sont ceux du hasard. Il en faut des milliers.
# - Les vecteurs rendent ce que le texte a semé.
# - BPE coupe les mots jamais vus en morceaux connus.

# %% [markdown] lang="en"
# ## Take-aways
#
# - Text is cut into tokens; each has a number, then a vector. One-hot puts all words at the same distance; a learned embedding does not.
# - The cosine ignores lengths, Jaccard ignores order and repetition: to choose a similarity is to choose what to ignore.
# - Words that keep the same company have near vectors; so have opposites.
# - Skip-gram pulls true neighbours and pushes noise sampled by lot; the loss starts from $(1 + m) \log 2$.
# - An analogy is an arrow, and no dimension has a name.
# - Three sentences teach nothing: the neighbours are those of chance. It takes thousands.
# - Vectors give back what the text has planted.
# - BPE cuts words never seen into pieces that are known.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# Ces vecteurs ne savent rien de l'ordre : « le chien mord l'homme » et « l'homme mord le chien » ont les mêmes mots. La [](lesson:03) les
# lit l'un après l'autre ; la [](lesson:05), tous à la fois, et chaque mot y aura un vecteur qui dépend de ses voisins. D'ici là, combien
# d'analogies tiennent dans cinq nombres ? Devinez, puis lancez `right_answers(language, vocabulary, learn(text, dim=5)[0])`.
#
# ## Sources
#
# - J. R. Firth, [*A synopsis of linguistic theory*](work:firth1957), 1957.
# - T. Mikolov, K. Chen, G. Corrado et J. Dean, [*Efficient estimation of word representations in vector space*](work:mikolov2013efficient),
#   2013 ; T. Mikolov et al., [*Distributed representations of words and phrases and their compositionality*](work:mikolov2013), 2013 ;
#   T. Mikolov, W. Yih et G. Zweig, [*Linguistic regularities in continuous space word representations*](work:mikolov2013linguistic), 2013.
# - R. Řehůřek et P. Sojka, [*Software framework for topic modelling with large corpora*](work:rehurek2010) (gensim), 2010.
# - T. Linzen, [*Issues in evaluating semantic spaces using word analogies*](work:linzen2016), 2016 ; M. Nissim, R. van Noord et R. van der Goot,
#   [*Fair is better than sensational*](work:nissim2020), 2020.
# - T. Bolukbasi et al., [*Man is to computer programmer as woman is to homemaker?*](work:bolukbasi2016), 2016 ; H. Gonen et Y. Goldberg,
#   [*Lipstick on a pig*](work:gonen2019), 2019.
# - M. Lee, B. Pincombe et M. Welsh, [*An empirical evaluation of models of text document similarity*](work:lee2005), 2005.
# - R. Sennrich, B. Haddow et A. Birch, [*Neural machine translation of rare words with subword units*](work:sennrich2016), 2016 ; A. Radford
#   et al., [*Language models are unsupervised multitask learners*](work:radford2019), 2019.
# - P. Jaccard, [*Étude comparative de la distribution florale*](work:jaccard1901), 1901.

# %% [markdown] lang="en"
# ## Reading on
#
# These vectors know nothing of order: "the dog bites the man" and "the man bites the dog" have the same words. [](lesson:03) reads them one
# after the other; [](lesson:05), all at once, and each word will have a vector there that depends on its neighbours. Until then, how many
# analogies fit into five numbers? Guess, then run `right_answers(language, vocabulary, learn(text, dim=5)[0])`.
#
# ## Sources
#
# - J. R. Firth, [*A synopsis of linguistic theory*](work:firth1957), 1957.
# - T. Mikolov, K. Chen, G. Corrado and J. Dean, [*Efficient estimation of word representations in vector space*](work:mikolov2013efficient),
#   2013; T. Mikolov and others, [*Distributed representations of words and phrases and their compositionality*](work:mikolov2013), 2013;
#   T. Mikolov, W. Yih and G. Zweig, [*Linguistic regularities in continuous space word representations*](work:mikolov2013linguistic), 2013.
# - R. Řehůřek and P. Sojka, [*Software framework for topic modelling with large corpora*](work:rehurek2010) (gensim), 2010.
# - T. Linzen, [*Issues in evaluating semantic spaces using word analogies*](work:linzen2016), 2016; M. Nissim, R. van Noord and R. van der Goot,
#   [*Fair is better than sensational*](work:nissim2020), 2020.
# - T. Bolukbasi and others, [*Man is to computer programmer as woman is to homemaker?*](work:bolukbasi2016), 2016; H. Gonen and Y. Goldberg,
#   [*Lipstick on a pig*](work:gonen2019), 2019.
# - M. Lee, B. Pincombe and M. Welsh, [*An empirical evaluation of models of text document similarity*](work:lee2005), 2005.
# - R. Sennrich, B. Haddow and A. Birch, [*Neural machine translation of rare words with subword units*](work:sennrich2016), 2016; A. Radford
#   and others, [*Language models are unsupervised multitask learners*](work:radford2019), 2019.
# - P. Jaccard, [*Étude comparative de la distribution florale*](work:jaccard1901), 1901.
