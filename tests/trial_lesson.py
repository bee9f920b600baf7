"""A small lesson, to be written with or without faults."""

from pathlib import Path

HEAD = """# ---
# jupyter:
#   lesson:
#     number: "99"
#     hours: [0.1, 0.1, 0.2, 0.1]
#     title: {en: "A trial", fr: "Un essai"}
# ---

"""
GOOD = '''# %% [markdown] lang="fr" slide="slide"
# ## Une marche
#
# La décision est écrite ici, pour un tableau entier.

# %% [markdown] lang="en" slide="slide"
# ## A step
#
# The decision is written here, for a whole array.

# %% [markdown]
# $$ y = 1 $$

# %%
import numpy as np

# en: a line of numbers
# fr: une ligne de nombres
z = np.linspace(-1, 1, 5)
print(say("numbers:", "nombres :"), z)

# %% implements="perceptron:step" level=1
"""1 là où z >= 0, 0 ailleurs : un neurone s'active (Rosenblatt 1958)."""

# %% level=2
half = 1 / 2


def double(x):
    return 2 * x


# %%
expect(half, 0.5, say("half", "la moitié"))
'''


def write(folder: Path, text: str) -> Path:
    path = folder / "sources" / "99_trial.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + text, encoding="utf-8")
    return path
