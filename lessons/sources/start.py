# ---
# jupyter:
#   lesson:
#     number: ""
#     hours: [0.2, 0.1, 0, 0]
#     title: {en: "Start here", fr: "Commencer ici"}
# ---

# %% [markdown] lang="fr"
# Un notebook est une page faite de **cellules** : du texte, comme ici, ou du code, qui se lance. Cliquez dans la cellule de code ci-dessus
# et appuyez sur **Maj+Entrée** : elle est lancée, et la suivante est choisie. Quand une cellule travaille, elle porte `[*]` ; finie, un
# numéro.
#
# | pour | faites |
# |---|---|
# | lancer une cellule | Maj+Entrée |
# | écrire dans une cellule, en sortir | Entrée, Échap |
# | aller d'une cellule à l'autre, sans souris | Échap, puis ↑ et ↓ |
# | ajouter une cellule à vous, dessous | Échap, puis B |
# | enregistrer (c'est aussi fait toutes les deux minutes) | Ctrl+S, ou Cmd+S |
# | arrêter ce qui dure trop | Échap, puis deux fois I |
# | tout reprendre à neuf | le menu Noyau, « Redémarrer le noyau », puis la première cellule |
#
# Ces notebooks sont à vous : écrivez-y. Rien ne les écrase, ni `make lessons`, ni `git pull`, ni `make clean`. Si une leçon change,
# `dalle-edu lessons get` met vos réponses dans la nouvelle et garde l'ancienne dans `before/`.

# %% [markdown] lang="en"
# A notebook is a page made of **cells**: text, as here, or code, which is run. Click in the cell of code above and press **Shift+Enter**: it
# is run, and the next one is chosen. While a cell is at work it bears `[*]`; when it is done, a number.
#
# | to | do |
# |---|---|
# | run a cell | Shift+Enter |
# | write in a cell, leave it | Enter, Escape |
# | go from cell to cell, without a mouse | Escape, then ↑ and ↓ |
# | add a cell of your own, below | Escape, then B |
# | save (this is done every two minutes as well) | Ctrl+S, or Cmd+S |
# | stop what takes too long | Escape, then I twice |
# | begin afresh | the menu Kernel, “Restart Kernel”, then the first cell |
#
# These notebooks are yours: write in them. Nothing overwrites them, neither `make lessons`, nor `git pull`, nor `make clean`. If a lesson
# changes, `dalle-edu lessons get` puts your answers into the new one and keeps the old one in `before/`.

# %% [markdown] lang="fr"
# ## Votre installation
#
# La cellule suivante dit si tout ce qu'il faut au cours est là, et sinon ce qu'il faut faire.

# %% [markdown] lang="en"
# ## Your set-up
#
# The next cell says whether all that the course needs is here, and if not, what to do.

# %%
from dalle_edu.cli.installation import in_words

print(in_words())

# %% [markdown] lang="fr"
# ## Un exercice
#
# Un exercice a un numéro et des points : ● se fait en quelques minutes, ●● demande de réfléchir, ●●● d'y passer une demi-heure ou plus.
# Remplacez la ligne `raise NotImplementedError` par votre code, lancez la cellule, essayez votre fonction sur l'exemple, puis lancez la
# cellule de vérification. Elle répond :
#
# - **✓** c'est juste ;
# - **…** pas encore fait, ou pas encore lancé ;
# - **✗** pas encore juste : lisez ce que la vôtre donne, et ce qui est voulu ;
# - **?** cela n'a pas pu être vérifié, et c'est dit pourquoi.
#
# Un exercice laissé de côté n'arrête rien : la fonction de la bibliothèque prend alors la place de la vôtre. Celui-ci, pour essayer :
# écrivez `return 2 * x`.
#
# <details><summary>Un indice</summary>
#
# Les indices sont ainsi pliés : cliquez dessus quand vous en voulez un. Ici, toute la réponse est dans la phrase qui précède.
#
# </details>

# %% [markdown] lang="en"
# ## An exercise
#
# An exercise has a number and dots: ● takes a few minutes, ●● some thought, ●●● half an hour or more. Replace the line
# `raise NotImplementedError` by your code, run the cell, try your function on the example, then run the cell that checks. It answers:
#
# - **✓** it is right;
# - **…** not done yet, or not run yet;
# - **✗** not right yet: read what yours gives, and what is wanted;
# - **?** it could not be checked, and the reason is given.
#
# An exercise left out stops nothing: the library's function then takes the place of yours. This one is for trying: write
# `return 2 * x`.
#
# <details><summary>A hint</summary>
#
# Hints are folded like this one: click on one when you want it. Here, the whole answer is in the sentence before.
#
# </details>

# %% level=1
def double(x):
    return 2 * x


# %% scratch=true
double(3)  # → 6

# %%
expect(lambda: [double(x) for x in (0, 3, 21)], [0, 6, 42], say("double of 0, 3 and 21", "double de 0, 3 et 21"))

# %% [markdown] lang="fr"
# ## Un quiz
#
# Une leçon se termine par un quiz. Son code est plié ; lancez la cellule pour le voir. Écrivez un nombre, puis
# Entrée ; ou choisissez une réponse, puis « Vérifier » (au clavier, Tab va au bouton et Espace appuie). Après deux essais, le raisonnement
# s'ouvre.

# %% [markdown] lang="en"
# ## A quiz
#
# A lesson ends with a quiz. Its code is folded; run the cell to see it. Write a number, then Enter; or
# choose an answer, then “Check” (on the keyboard, Tab goes to the button and Space presses). After two tries the reasoning opens.

# %% quiz="start"
quiz(
    Number(
        say("How many dots has the hardest kind of exercise?", "Combien de points ont les exercices les plus difficiles ?"),
        right=3,
        why=say("●●● takes half an hour or more.", "●●● prend une demi-heure ou plus."),
    ),
)

# %% [markdown] lang="fr"
# ## Les leçons
#
# LESSONS

# %% [markdown] lang="en"
# ## The lessons
#
# LESSONS
