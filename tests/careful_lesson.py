"""A small lesson without a fault, with a bit of everything, to be edited without care: exercises, quiz, figure, hints, formulas, links."""

from pathlib import Path

NAME = "98_careful.py"
CAREFUL = r'''# ---
# jupyter:
#   lesson:
#     number: "98"
#     hours: [0.5, 0.1, 0.2, 0.1]
#     title: {en: "A careful trial", fr: "Un essai soigné"}
# ---

# %% [markdown] lang="fr" slide="slide"
# ## Une marche
#
# La marche vaut 1 à partir de zéro. Elle vaut 0 avant, soit 1,5 fois moins souvent : voyez la [suite](#a-second-step).
#
# On la note $y$, et on écrit « un pas » ; c'est la seule image de ce texte.

# %% [markdown] lang="en" slide="slide"
# ## A step
#
# The step is 1 from zero upwards. It is 0 before, that is 1.5 times less often: see the [rest](#a-second-step).
#
# It is written $y$, and called "a step"; this is the only picture of the text.

# %% [markdown]
# $$ y = \frac{1}{1 + e^{-x}} $$

# %% tags=["hide-input"]
import numpy as np

from dalle_edu.classroom.figures import picture, plot

# en: a line of numbers
# fr: une ligne de nombres
z = np.linspace(-1, 1, 5)
figure, axes = plot()
axes.plot(z, z >= 0)
picture(figure, say("A curve that jumps from 0 to 1 in the middle.",
                    "Une courbe qui saute de 0 à 1 au milieu."))

# %% [markdown] lang="fr"
# À vous d'écrire la marche. Voir {cite}`rosenblatt1958`, ou la leçon [du début](98_careful.ipynb).
#
# <details><summary>Un indice</summary>
#
# Il suffit de comparer à zéro.
#
# </details>

# %% [markdown] lang="en"
# Now write the step. See {cite}`rosenblatt1958`, or the lesson [from the start](98_careful.ipynb).
#
# <details><summary>A hint</summary>
#
# It is enough to compare with zero.
#
# </details>

# %% implements="perceptron:step" level=1
"""La fonction marche : 1 là où z >= 0, 0 ailleurs.

Comme activation, 1 signifie que le neurone s'active (Rosenblatt 1958).
"""

# %% scratch=true
step(np.array([-1.0, 0.0, 2.0]))  # → array([0., 1., 1.])

# %% [markdown] lang="fr"
# ## Un second pas
#
# Voici le code d'un double, que vous écrirez ensuite :
#
# ```python
# two = 1 + 1
# ```

# %% [markdown] lang="en"
# ## A second step
#
# Here is the code of a double, which you will write next:
#
# ```python
# two = 1 + 1
# ```

# %% level=2
def double(x):
    return 2 * x


# %%
expect(lambda: double(3), 6, say("the double of 3", "le double de 3"))

# %% claims=true
assert double(2) == 4

# %% quiz="careful"
quiz(
    Number(
        say("What is the double of 4, written $2 x$?", "Combien vaut le double de 4, noté $2 x$ ?"),
        right=8,
        why=say("Twice four is eight.", "Deux fois quatre font huit."),
    ),
)
'''


def write(folder: Path, text: str = CAREFUL, name: str = NAME) -> Path:
    """Write a lesson where the builder looks for it; returns its path."""
    path = folder / "sources" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    return path
