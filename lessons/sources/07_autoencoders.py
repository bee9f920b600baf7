# ---
# jupyter:
#   lesson:
#     number: "07"
#     hours: [3, 1, 2, 2]
#     session: 200
#     title: {en: "Autoencoders and the VAE", fr: "Les auto-encodeurs et le VAE"}
# ---

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Qui a écrit cela ?
#
# Douze chiffres. Six viennent d'une main ; six, de personne.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Who wrote this?
#
# Twelve digits. Six came from a hand; six from nobody.

# %% [markdown] lang="fr"
# Voici douze chiffres de huit pixels sur huit. Six ont été écrits par des gens, puis numérisés. Les six autres, personne ne les a écrits
# : une machine les a faits à partir de dix nombres tirés au sort.
#
# **Devinez d'abord.** Lesquels ? Notez six numéros ; la réponse est à la [](#the-vae).

# %% [markdown] lang="en"
# Here are twelve digits of eight pixels by eight. Six were written by people, then scanned. The other six nobody wrote: a machine made
# them out of ten numbers sampled at random.
#
# **Guess first.** Which ones? Note six numbers; the answer is in [](#the-vae).

# %% tags=["hide-input"]
import torch
from torch import nn

from dalle_edu.bricks import vae as ready_made
from dalle_edu.classroom.desk import kept
from dalle_edu.classroom.figures import BLUE, GREEN, ORANGE, PURPLE
from dalle_edu.classroom.figures import SKY, VERMILION, legend, picture, plot
from dalle_edu.datasets.digits import digits
from dalle_edu.language import decimal

# en: 1,797 digits in random order, pixels from 0 (black) to 1 (white)
# fr: 1 797 chiffres dans un ordre au hasard, des pixels de 0 (noir) à 1 (blanc)
raw_digits, raw_names = digits()
shuffled = torch.randperm(len(raw_digits), generator=torch.Generator().manual_seed(0))
all_digits = (raw_digits.flatten(1)[shuffled] + 1) / 2
all_names = raw_names[shuffled]
known, known_names = all_digits[:1500], all_names[:1500]
new, new_names = all_digits[1500:], all_names[1500:]


# %% tags=["hide-input"]
def learn(network, pictures, loss_of, steps=800, rate=3e-3, seed=0):
    # en: random batches of 64; the rate rises, then falls to zero
    # fr: des lots de 64 au hasard ; le pas monte, puis descend à zéro
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        chosen = torch.randint(len(pictures), (64,), generator=generator)
        loss = loss_of(network, pictures[chosen], generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def loss_of_vae(network, batch, generator):
    return network.loss(batch, generator)["loss"]


# %% tags=["hide-input"]
HIDDEN = (256, 128)
TEN = ready_made.VAEConfig(64, 10, HIDDEN, "gaussian", std=0.2)


def train_the_forger():
    torch.manual_seed(0)
    forger = ready_made.VAE(TEN)
    learn(forger, known, loss_of_vae)
    return forger.state_dict()


def show(panel, digit, title=""):
    # en: 64 pixels of values in [0, 1], as a picture of 8 × 8
    # fr: 64 pixels de valeurs dans [0, 1], en image de 8 × 8
    side = round(digit.numel() ** 0.5)
    panel.imshow(digit.detach().view(side, side), cmap="gray", vmin=0, vmax=1)
    panel.set(title=title, xticks=[], yticks=[])


forger = ready_made.VAE(TEN)
forger_weights = kept("forger", train_the_forger, patience=5)
forger.load_state_dict(forger_weights)
forged = forger.sample(6, torch.Generator().manual_seed(4))
twelve = torch.cat([new[20:26], forged])
mixed = torch.randperm(12, generator=torch.Generator().manual_seed(2))

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 6, width=7.6, height=3.2)
for number, (panel, which) in enumerate(zip(panels.flat, mixed), start=1):
    show(panel, twelve[which], str(number))
picture(figure, say("Twelve digits of 8 × 8 pixels, numbered; it is hard to say which "
                    "were written by hand.",
                    "Douze chiffres de 8 × 8 pixels, numérotés ; on voit mal "
                    "lesquels ont été écrits à la main."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Voter à main levée pour chaque numéro, noter les votes au tableau sans rien dire. La réponse viendra à la section 9. Demander à
# quoi chacun se fie. (Souvent à la netteté : garder le mot pour la section 14.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Vote by show of hands on each number; write the votes on the board and say nothing. The answer comes in section 9. Ask what they
# go by. (Sharpness, most of the time: keep the word for section 14.)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - retrouver l'ACP avec un réseau ;
# - montrer les trous d'un auto-encodeur ;
# - démontrer l'ELBO, nombres à l'appui ;
# - écrire un VAE, tirer des chiffres du bruit ;
# - lire un plan latent.
#
# **Il faut** les leçons 01 et 06.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - find PCA again with a network;
# - show the holes of an autoencoder;
# - derive the ELBO, checked in numbers;
# - write a VAE, make digits out of noise;
# - read a latent plane.
#
# **You need** lessons 01 and 06.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. C'est la leçon où il y a le plus de mathématiques : annoncer deux séances (sections 1 à 6, puis 7 à 14), et le chemin sans
# intégrales, qui saute les sections 6 et 13 et n'y perd aucune expérience. Demander qui se rappelle ce qu'est une moyenne pondérée : il
# n'en faudra guère plus.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. This lesson has the most mathematics of the course: announce two sessions (sections 1 to 6, then 7 to 14), and the path without
# integrals, which skips sections 6 and 13 and loses no experiment. Ask who remembers what a weighted mean is: hardly more will be needed.

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - comprimer une image en deux nombres, par l'ACP ou par un réseau, et mesurer l'angle entre les deux ;
# - montrer qu'un auto-encodeur ordinaire a des trous ;
# - démontrer la borne ELBO, chaque ligne vérifiée par des nombres ;
# - écrire un VAE : ses deux termes, son tirage, sa perte ;
# - tirer des chiffres du bruit, lire un plan latent, régler $\beta$ et le nombre de latents.
#
# **Il faut** la [](lesson:01) (pentes, entropie croisée, PyTorch) et la fin de la [](lesson:06), qui nous a laissés devant une moyenne
# floue.
#
# **Le chemin sans intégrales.** Les sections marquées ◆, la [](#the-bound-line-by-line) et la [](#how-probable-is-this-picture), sont
# pour qui veut les démonstrations. Sautez-les sans crainte : une phrase en gras, à leur fin, dit ce qu'il faut en emporter, et les autres
# sections tiennent sans elles. Un exercice non fait n'arrête rien : la bibliothèque prend la place de ce qui manque.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - compress a picture into two numbers, by PCA or by a network, and measure the angle between the two;
# - show that a plain autoencoder has holes;
# - derive the bound called ELBO, each line checked in numbers;
# - write a VAE: its two terms, its sampling, its loss;
# - make digits out of noise, read a latent plane, set $\beta$ and the number of latents.
#
# **You need** [](lesson:01) (slopes, cross-entropy, PyTorch) and the end of [](lesson:06), which left us in front of a blurred mean.
#
# **The path without integrals.** The sections marked ◆, [](#the-bound-line-by-line) and [](#how-probable-is-this-picture), are for those
# who want the proofs. Skip them without fear: a sentence in bold, at their end, says what to take along, and the other sections stand
# without them. An exercise left undone stops nothing: the library takes the place of what is missing.

# %%
import math

import torch.nn.functional as F

# %% [markdown] lang="fr"
# ## 1. Choisir des pixels, ou les mêler
#
# Un chiffre tient en 64 nombres. Peut-on le dire en deux ? Ce serait une **compression** : un **encodeur** fait de 64 nombres deux, qu'on
# appelle les **latents**, ou le code ; un **décodeur** refait 64 nombres de ces deux. On cherche, dans une famille de telles paires,
# celle qui rend le mieux les images.
#
# Pour réduire le nombre de dimensions, il y a deux façons :
#
# - **sélectionner** : garder deux pixels, jeter les autres ;
# - **extraire** : calculer deux nombres de tous les pixels.
#
# Un exemple à deux dimensions, dont on ne garde qu'un nombre. Trois points : (1, 1), (2, 3), (3, 2), de moyenne (2, 2). Qui garde la
# première coordonnée et met la moyenne, 2, à la place de la seconde se trompe de 1, 1 et 0 : 2 en tout, au carré. Qui projette sur la
# diagonale, la droite $y = x$, garde le premier point tel quel et ramène les deux autres à (2,5 ; 2,5).
#
# **Devinez** l'erreur au carré totale de la diagonale.

# %% [markdown] lang="en"
# ## 1. Choose pixels, or mix them
#
# A digit is 64 numbers. Can it be said in two? That would be a **compression**: an **encoder** makes two numbers of 64, called the
# **latents**, or the code; a **decoder** makes 64 numbers again of these two. In a family of such pairs, one looks for the pair that
# gives the pictures back best.
#
# There are two ways to reduce the number of dimensions:
#
# - **selection**: keep two pixels, throw the others away;
# - **extraction**: compute two numbers from all pixels.
#
# An example in two dimensions, of which a single number is kept. Three points: (1, 1), (2, 3), (3, 2), of mean (2, 2). Whoever keeps the
# first coordinate, and puts the mean, 2, for the second, is wrong by 1, 1 and 0: 2 in all, squared. Whoever projects onto the diagonal,
# the line $y = x$, keeps the first point as it is, and brings the two others to (2.5, 2.5).
#
# **Guess** the total squared error of the diagonal.

# %%
points = torch.tensor([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0]])
selected = torch.stack([points[:, 0], torch.full((3,), 2.0)], dim=1)
diagonal = torch.tensor([1.0, 1.0]) / math.sqrt(2)
projected = 2 + ((points - 2) @ diagonal)[:, None] * diagonal
for name, found in ((say("first coordinate", "première coordonnée"), selected),
                    (say("diagonal", "diagonale"), projected)):
    total = (found - points).square().sum().item()
    print(f"{name:20}", say("squared error", "erreur au carré"), decimal(total, 1))

# %% claims=true
assert (selected - points).square().sum() == 2
assert abs((projected - points).square().sum() - 1) < 1e-5

# %% [markdown] lang="fr"
# La diagonale se trompe deux fois moins. De toutes les droites, c'est la meilleure : celle de l'**analyse en composantes principales**,
# ou ACP ([](work:pearson1901)). En général, la première composante est la direction où les données, **centrées**, varient le plus ; la
# deuxième, celle où elles varient le plus parmi les directions à angle droit de la première, et ainsi de suite. Ce sont les vecteurs
# propres de la covariance, $\frac{1}{n-1} X^\top X$ pour des données centrées $X$, qui ont les plus grandes valeurs propres. Garder les
# $k$ premières est ce que l'on peut faire de mieux avec un plan de dimension $k$, en erreur au carré ([](work:eckart1936)).
#
# On les calcule par la **décomposition en valeurs singulières** (SVD). `torch.linalg.svd(X, full_matrices=False)` rend trois choses,
# `u, s, v` : les lignes de `v` sont les directions, de la plus étalée à la plus plate, et `s ** 2 / (n - 1)` les variances le long de
# chacune.

# %% [markdown] lang="en"
# The diagonal is wrong by half as much. Of all lines it is the best: that of **principal component analysis**, or PCA
# ([](work:pearson1901)). In general, the first component is the direction along which the data, **centred**, vary most; the second is the
# one along which they vary most among the directions at right angles to the first, and so on. They are the eigenvectors of the
# covariance, $\frac{1}{n-1} X^\top X$ for centred data $X$, that have the largest eigenvalues. To keep the first $k$ is the best that can
# be done with a plane of dimension $k$, in squared error ([](work:eckart1936)).
#
# They are computed by the **singular value decomposition** (SVD). `torch.linalg.svd(X, full_matrices=False)` returns three things,
# `u, s, v`: the rows of `v` are the directions, from the most spread out to the flattest, and `s ** 2 / (n - 1)` the variances along
# each.

# %% [markdown] lang="fr"
# ### Exercice
#
# Écrivez `pca(data, latent)`. `data` est de forme (n, d) : n images de d pixels. Rendez `PCA(mean, directions, variances)`, une petite
# classe donnée par la bibliothèque, qui sait ensuite `encode` et `decode` : la moyenne, de forme (d,) ; les `latent` premières
# directions, de forme (latent, d) ; leurs variances, de forme (latent,).
#
# <details><summary>Un indice</summary>
#
# Centrez d'abord : `data - data.mean(dim=0)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `v[:latent]` et `s[:latent] ** 2 / (len(data) - 1)`.
#
# </details>

# %% [markdown] lang="en"
# ### Exercise
#
# Write `pca(data, latent)`. `data` is of shape (n, d): n pictures of d pixels. Return `PCA(mean, directions, variances)`, a small class
# that the library gives, and that can then `encode` and `decode`: the mean, of shape (d,); the first `latent` directions, of shape
# (latent, d); their variances, of shape (latent,).
#
# <details><summary>A hint</summary>
#
# Centre first: `data - data.mean(dim=0)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `v[:latent]` and `s[:latent] ** 2 / (len(data) - 1)`.
#
# </details>

# %% implements="autoencoder:pca" level=2
"""Les `latent` composantes principales des données, par une formule.

Ce sont les vecteurs singuliers à droite des données *centrées*, par variance
décroissante ; chacun est une ligne de `directions`, de longueur 1, dans un sens
ou dans l'autre. `variances` sont les carrés des valeurs singulières sur n - 1.
Aucun autre plan de cette dimension ne rend les données avec une moindre erreur
au carré (Eckart et Young 1936).
"""

# %% scratch=true
pca(torch.tensor([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0]]), 1).variances
# → tensor([1.5000])

# %% [markdown] lang="fr"
# Comparons les deux façons sur des chiffres **nouveaux**, que personne n'a montrés à l'ACP. L'erreur est toujours celle d'une image : les
# carrés sommés sur ses 64 pixels, puis la moyenne sur les images. **Devinez** : combien de pixels faut-il sélectionner pour faire mieux
# que deux composantes ?

# %% [markdown] lang="en"
# Let us compare the two ways on **new** digits, which PCA was never shown. The error is always that of one picture: squares summed over
# its 64 pixels, then the mean over pictures. **Guess**: how many pixels must be selected to do better than two components?

# %%
def error(rebuilt, pictures):
    return (rebuilt - pictures).square().sum(dim=1).mean().item()


most_varied = known.var(dim=0).argsort(descending=True)
sizes = (2, 5, 10, 20)
by_pca, by_pixels = [], []
for size in sizes:
    plane = pca(known, size)
    by_pca.append(error(plane.decode(plane.encode(new)), new))
    mostly_mean = known.mean(dim=0).repeat(len(new), 1)
    mostly_mean[:, most_varied[:size]] = new[:, most_varied[:size]]
    by_pixels.append(error(mostly_mean, new))

# %% claims=true
assert by_pixels[1] > by_pixels[2] - 2 > 0 and all(a < b for a, b in zip(by_pca, by_pixels))
assert by_pixels[1] > by_pca[0] > by_pixels[2]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Choisir des pixels, ou les mêler
#
# Combien de pixels valent deux composantes ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. Choose pixels, or mix them
#
# How many pixels are worth two components?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.4, height=3.4)
axes.plot(sizes, by_pixels, color=VERMILION, marker="s", linewidth=2,
          label=say("pixels selected", "pixels sélectionnés"))
axes.plot(sizes, by_pca, color=BLUE, marker="o", linewidth=2,
          label=say("components (PCA)", "composantes (ACP)"))
axes.set(xlabel=say("numbers kept", "nombres gardés"), ylim=(0, 5),
         ylabel=say("squared error of a digit", "erreur au carré"), xticks=sizes)
legend(axes)
picture(figure, say("The error falls as more numbers are kept; at every number, "
                    "components do better than pixels.",
                    "L'erreur baisse quand on garde plus de nombres ; partout, les "
                    "composantes font mieux que les pixels."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Faire l'exemple des trois points au tableau : garder une coordonnée (erreur 2), projeter sur la diagonale (erreur 1). Puis la
# courbe : deux composantes font mieux que cinq pixels. Demander pourquoi. (Chaque pixel ne parle que pour lui ; une composante parle pour
# tous.) Ne pas oublier de centrer.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. Work the example of three points on the board: keep one coordinate (error 2), project onto the diagonal (error 1). Then the
# curve: two components do better than five pixels. Ask why. (A pixel speaks for itself alone; a component speaks for all.) Do not forget
# to centre.

# %% [markdown] lang="fr"
# Deux composantes font mieux que cinq pixels, et moins bien que dix. Extraire l'emporte sur sélectionner, parce que les pixels d'un
# chiffre vont ensemble. Mais l'ACP ne sait faire que des plans.

# %% [markdown] lang="en"
# Two components do better than five pixels, and less well than ten. Extraction beats selection, because the pixels of a digit go
# together. But PCA can only make planes.

# %% [markdown] lang="fr"
# ## 2. Un réseau qui trouve le plan
#
# Un **auto-encodeur** fait la même chose avec un réseau : des couches qui descendent vers une couche étroite, puis des couches qui
# remontent. On le règle par descente de gradient, sur l'**erreur de reconstruction** : l'image est à la fois l'entrée et la réponse
# attendue, et il n'y a besoin d'aucune étiquette.
#
# Le plus petit n'a qu'une couche cachée, sans activation. Pas à pas, sur une image de deux pixels, $x = (3, 1)$, avec un seul latent :
#
# 1. l'encodeur calcule le latent, $z = W x + b$ ; avec $W = (0{,}5 \;\; 0{,}5)$ et $b = 0$, $z = 2$ ;
# 2. le décodeur en refait deux pixels, $\hat x = W' z + b'$ ; avec $W' = (1 \;\; 1)^\top$ et $b' = 0$, $\hat x = (2, 2)$ ;
# 3. la perte compare, $\lVert \hat x - x \rVert^2 = 1 + 1 = 2$ ;
# 4. on rétropropage, et les poids des **deux** couches changent.

# %% [markdown] lang="en"
# ## 2. A network that finds the plane
#
# An **autoencoder** does the same with a network: layers that go down to a narrow layer, then layers that come up again. It is trained by
# gradient descent on the **reconstruction error**: the picture is both the input and the answer wanted, and no label is needed.
#
# The smallest has a single hidden layer, without activation. Step by step, on a picture of two pixels, $x = (3, 1)$, with one latent:
#
# 1. the encoder computes the latent, $z = W x + b$; with $W = (0.5 \;\; 0.5)$ and $b = 0$, $z = 2$;
# 2. the decoder makes two pixels of it again, $\hat x = W' z + b'$; with $W' = (1 \;\; 1)^\top$ and $b' = 0$, $\hat x = (2, 2)$;
# 3. the loss compares, $\lVert \hat x - x \rVert^2 = 1 + 1 = 2$;
# 4. backpropagate, and the weights of **both** layers change.

# %% [markdown] lang="fr"
# ### Exercice
#
# Les couches de `Autoencoder` sont données : `self.encoder` et `self.decoder`. Écrivez `forward(images)`, de (n, d) à (n, d), et
# `loss(images)` : un seul nombre, l'erreur au carré **sommée** sur les pixels, puis **moyennée** sur les images.
#
# <details><summary>Un indice</summary>
#
# `self(images)` appelle `forward`. `.sum(dim=-1)` donne un nombre par image.
#
# </details>

# %% [markdown] lang="en"
# ### Exercise
#
# The layers of `Autoencoder` are given: `self.encoder` and `self.decoder`. Write `forward(images)`, from (n, d) to (n, d), and
# `loss(images)`: a single number, the squared error **summed** over pixels, then **averaged** over pictures.
#
# <details><summary>A hint</summary>
#
# `self(images)` calls `forward`. `.sum(dim=-1)` gives a number for each picture.
#
# </details>

# %% implements="autoencoder:Autoencoder" level=1 hollow=["forward", "loss"]
"""Un encodeur de d pixels à k latents, et un décodeur qui remonte.

Si `hidden` vaut `()`, les deux sont linéaires, et l'ACP est ce qu'ils peuvent
faire de mieux.
"""
"""Les images refaites à partir de leurs latents."""
"""L'erreur au carré : la somme sur les pixels, la moyenne sur les images."""

# %% scratch=true
small = Autoencoder(pixels=2, latent=1)
# en: the weights of the example above
# fr: les poids de l'exemple ci-dessus
with torch.no_grad():
    small.encoder[0].weight.fill_(0.5)
    small.decoder[0].weight.fill_(1.0)
    small.encoder[0].bias.zero_()
    small.decoder[0].bias.zero_()
small.loss(torch.tensor([[3.0, 1.0]])).item()
# → 2.0

# %% [markdown] lang="fr"
# L'auto-encodeur linéaire trouve-t-il le même plan que l'ACP ? Un théorème le promet ([](work:baldi1989)) : au minimum de la perte, ses
# latents couvrent le même **sous-espace**. Pour le vérifier, il nous faut un angle entre deux plans. C'est le plus grand angle qu'une
# direction de l'un fait avec l'autre : 0 si les plans sont les mêmes, $\pi / 2$ si une direction de l'un est à angle droit de tout
# l'autre ([](work:bjorck1973)).

# %% [markdown] lang="en"
# Does the linear autoencoder find the same plane as PCA? A theorem promises it ([](work:baldi1989)): at the minimum of the loss, its
# latents span the same **subspace**. To check this, we need an angle between two planes. It is the largest angle that a direction of one
# makes with the other: 0 if the planes are the same, $\pi / 2$ if a direction of one is at right angles to all of the other
# ([](work:bjorck1973)).

# %% [markdown] lang="fr"
# ### Exercice
#
# Écrivez `largest_angle(first, second)`. Chaque argument est de forme (k, d) : k lignes qui engendrent un espace, pas forcément
# orthogonales ni de longueur 1. Rendez l'angle en radians, un `float`. La méthode : donner à chaque espace une base orthonormée, ôter au
# second sa part dans le premier, mesurer la plus grande longueur de ce qui reste ; c'est le **sinus** de l'angle.
#
# <details><summary>Un indice</summary>
#
# `torch.linalg.qr(rows.T).Q` a pour **colonnes** une base orthonormée de l'espace des lignes.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# La part de `q2` dans l'espace de `q1` est `q1 @ (q1.T @ q2)`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `torch.linalg.matrix_norm(outside, ord=2)` est la plus grande longueur ; puis `math.asin`, d'un nombre qui ne dépasse pas 1.
#
# </details>

# %% [markdown] lang="en"
# ### Exercise
#
# Write `largest_angle(first, second)`. Each argument is of shape (k, d): k rows that span a space, not necessarily orthogonal nor of
# length 1. Return the angle in radians, a `float`. The method: give each space an orthonormal basis, take from the second its part within
# the first, measure the largest length of what is left; this is the **sine** of the angle.
#
# <details><summary>A hint</summary>
#
# `torch.linalg.qr(rows.T).Q` has as **columns** an orthonormal basis of the space of the rows.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The part of `q2` in the space of `q1` is `q1 @ (q1.T @ q2)`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `torch.linalg.matrix_norm(outside, ord=2)` is the largest length; then `math.asin`, of a number that is at most 1.
#
# </details>

# %% implements="autoencoder:largest_angle" level=2
"""Le plus grand angle entre les espaces de deux ensembles de lignes, en radians.

Il va de 0, quand les deux espaces n'en font qu'un, à π/2 (Björck et Golub 1973).
Les lignes n'ont besoin d'être ni orthogonales ni de longueur 1 : on leur donne
d'abord une base orthonormée. L'angle vient de son sinus, la plus grande longueur
qu'une direction d'un espace a hors de l'autre : près de 0, un cosinus se perd
dans l'arrondi.
"""

# %% scratch=true
# en: the first axis, and the diagonal: 45 degrees
# fr: le premier axe, et la diagonale : 45 degrés
angle = largest_angle(torch.tensor([[1.0, 0.0]]), torch.tensor([[5.0, 5.0]]))
round(math.degrees(angle), 3)  # → 45.0

# %% [markdown] lang="fr"
# Entraînons. Tous les chiffres connus à chaque pas, et l'angle tous les cent pas. **Devinez** : part-il de 0, de 45 ou de presque 90
# degrés ? Et où arrive-t-il ?

# %% [markdown] lang="en"
# Let us train. All known digits at each step, and the angle every hundred steps. **Guess**: does it start at 0, at 45 or at nearly 90
# degrees? And where does it end?

# %%
def train_linear():
    torch.manual_seed(0)
    linear = Autoencoder(64, 2)
    optimizer = torch.optim.Adam(linear.parameters(), lr=0.02)
    best, angles = pca(known, 2).directions, []
    for step in range(1201):
        if step % 100 == 0:
            found = linear.decoder[0].weight.detach().T
            angles.append(math.degrees(largest_angle(found, best)))
        loss = linear.loss(known)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"angles": angles, "weights": linear.state_dict()}


# %%
linear_found = kept("linear", train_linear, patience=5)
linear = Autoencoder(64, 2)
linear.load_state_dict(linear_found["weights"])
with torch.no_grad():
    error_linear = error(linear(new), new)
print(say("angle, first and last:", "angle, premier et dernier :"),
      decimal(linear_found["angles"][0], 0),
      decimal(linear_found["angles"][-1], 1), say("degrees", "degrés"))
print(say("squared error: PCA", "erreur au carré : ACP"), decimal(by_pca[0], 2),
      say(" network", " réseau"), decimal(error_linear, 2))

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Un réseau qui trouve le plan
#
# L'angle entre son plan et celui de l'ACP, à mesure qu'il apprend.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. A network that finds the plane
#
# The angle between its plane and PCA's, as it learns.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.4, height=3.2)
axes.plot(range(0, 1201, 100), linear_found["angles"], color=BLUE, marker="o",
          linewidth=2)
axes.set(xlabel=say("steps", "pas"), ylabel=say("angle (degrees)", "angle (degrés)"),
         ylim=(-3, 93))
picture(figure, say("The angle between the two planes falls from nearly 90 degrees to "
                    "nearly zero.",
                    "L'angle entre les deux plans tombe de presque 90 degrés à presque "
                    "zéro."))

# %% claims=true
assert linear_found["angles"][0] > 75 and linear_found["angles"][-1] < 1
assert abs(error_linear - by_pca[0]) < 0.02
axes_found = F.normalize(linear.decoder[0].weight.detach().T, dim=1)
assert abs(float(axes_found[0] @ axes_found[1])) > 0.005

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Dérouler le petit exemple (3, 1) au tableau : latent 2, image rendue (2, 2), perte 2. Puis la courbe ; faire deviner les deux
# bouts. Demander si le réseau trouve aussi les **axes** de l'ACP. (Non : rien, dans la perte, ne préfère une base du plan à une autre.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Work the small example (3, 1) on the board: latent 2, picture (2, 2), loss 2. Then the curve; have both ends guessed. Ask whether
# the network also finds PCA's **axes**. (No: nothing in the loss prefers one basis of the plane to another.)

# %% [markdown] lang="fr"
# Au début, les deux plans sont presque à angle droit : en 64 dimensions, deux plans au hasard n'ont presque rien de commun. À la fin,
# l'angle est de moins d'un degré et l'erreur est la même. Le réseau a trouvé le **sous-espace** de l'ACP, non ses axes : toute autre base
# du même plan a la même perte, et ses deux latents ne sont donc ni ordonnés ni à angle droit.

# %% [markdown] lang="en"
# At the start the two planes are nearly at right angles: in 64 dimensions two random planes have almost nothing in common. At the end the
# angle is less than a degree, and the error is the same. The network has found PCA's **subspace**, not its axes: any other basis of the
# same plane has the same loss, so that its two latents are neither ordered nor at right angles.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercices 1 à 3 · Le plan, deux fois
#
# **20 min.**
#
# - **1** ●● `pca` : centrer, puis décomposer.
# - **2** ● `Autoencoder` : descendre, remonter, comparer.
# - **3** ●● `largest_angle` : l'angle de deux plans.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercises 1 to 3 · The plane, twice
#
# **20 min.**
#
# - **1** ●● `pca`: centre, then decompose.
# - **2** ● `Autoencoder`: down, up, compare.
# - **3** ●● `largest_angle`: the angle of two planes.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner les sections 1 et 2. Fautes à guetter : des données non centrées ; `mean()` sur les pixels au lieu de la somme ; des
# degrés au lieu de radians. Qui a fini cherche pourquoi l'on passe par le sinus. (Près de 0, le cosinus est plat : il perd la moitié des
# chiffres.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out sections 1 and 2. Mistakes to look for: data that are not centred; `mean()` over pixels instead of the sum; degrees
# instead of radians. Those who finish ask why one goes by the sine. (Near 0 the cosine is flat: it loses half of the digits.)

# %% [markdown] lang="fr"
# ## 3. Plier le plan
#
# Ajoutons des couches cachées avec ReLU, à l'encodeur et au décodeur : la surface des images que le décodeur peut rendre n'est plus un
# plan, elle se courbe. **Devinez** de combien tombe l'erreur, avec deux latents (ACP : environ 3,4) et avec dix (ACP : environ 1,3).

# %% [markdown] lang="en"
# ## 3. Bending the plane
#
# Let us add hidden layers with ReLU, to the encoder and to the decoder: the surface of the pictures that the decoder can give is no
# longer a plane, it bends. **Guess** by how much the error falls, with two latents (PCA: about 3.4) and with ten (PCA: about 1.3).

# %%
def loss_of_autoencoder(network, batch, generator):
    return network.loss(batch)


def train_plain():
    weights = {}
    for size in (2, 10):
        torch.manual_seed(0)
        network = Autoencoder(64, size, HIDDEN)
        learn(network, known, loss_of_autoencoder, steps=600)
        weights[str(size)] = network.state_dict()
    return weights


# %%
plain_weights, plain = kept("plain", train_plain, patience=5), {}
for size in (2, 10):
    plain[size] = Autoencoder(64, size, HIDDEN)
    plain[size].load_state_dict(plain_weights[str(size)])
with torch.no_grad():
    plain_errors = {size: error(each(new), new) for size, each in plain.items()}
    error_of_known = error(plain[10](known), known)
for size, of_pca in ((2, by_pca[0]), (10, by_pca[2])):
    print(size, say("latents: PCA", "latents : ACP"), decimal(of_pca, 2),
          say(" network", " réseau"), decimal(plain_errors[size], 2))

# %% claims=true
assert abs(by_pca[0] - 3.4) < 0.05 and abs(by_pca[2] - 1.3) < 0.05
assert plain_errors[2] < 0.75 * by_pca[0] and plain_errors[10] < 0.75 * by_pca[2]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Plier le plan
#
# Deux nombres par chiffre : l'original, l'ACP, le réseau.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. Bending the plane
#
# Two numbers a digit: the original, PCA, the network.

# %% slide="fragment" tags=["hide-input"]
plane = pca(known, 2)
with torch.no_grad():
    rows = {say("written", "écrit"): new[:8],
            say("PCA", "ACP"): plane.decode(plane.encode(new[:8])),
            say("network", "réseau"): plain[2](new[:8])}
figure, panels = plot(3, 8, width=7.4, height=3.2)
for line, (name, pictures) in zip(panels, rows.items()):
    for panel, each in zip(line, pictures):
        show(panel, each)
    line[0].set_ylabel(name, fontsize=14)
picture(figure, say("Eight new digits, rebuilt from two numbers: by PCA they are grey "
                    "clouds, by the network they are nearly digits.",
                    "Huit chiffres nouveaux, refaits de deux nombres : par l'ACP, des "
                    "nuages gris ; par le réseau, presque des chiffres."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire lire les deux dernières lignes sans regarder la première. Le réseau va au moins un quart plus bas que l'ACP, avec deux
# latents comme avec dix. Demander ce que « ce qui compte » veut dire pour lui. (Ce qui fait baisser la perte : la diapositive suivante.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have the last two rows read without looking at the first. The network goes lower than PCA by a quarter at least, with two latents
# and with ten. Ask what "what matters" means to it. (What lowers the loss: the next slide.)

# %% [markdown] lang="fr"
# ### Ce qui compte, pour lui
#
# On dit que la couche étroite force le réseau à garder **ce qui compte**. Pour lui, ce qui compte est ce qui fait baisser la perte.
# Faisons-en l'épreuve : dans le premier pixel, toujours noir, écrivons un secret, un gris de 0,3 une fois sur deux. C'est un bit
# d'information, qui vaut peut-être plus que tout le reste ; au carré, ce n'est rien. **Devinez** : un auto-encodeur de deux latents,
# entraîné sur ces images, rend-il le secret ?

# %% [markdown] lang="en"
# ### What matters, to it
#
# One says that the narrow layer forces the network to keep **what matters**. To the network, what matters is what lowers the loss. Let us
# put it to the test: in the first pixel, always black, we write a secret, a grey of 0.3 one time in two. That is one bit of information,
# worth perhaps more than all the rest; squared, it is nothing. **Guess**: does an autoencoder of two latents, trained on these pictures,
# give the secret back?

# %%
secret = torch.rand(1500, generator=torch.Generator().manual_seed(3)) < 0.5
with_secret = known.clone()
with_secret[:, 0] = 0.3 * secret


def train_on_secrets():
    torch.manual_seed(0)
    network = Autoencoder(64, 2, HIDDEN)
    learn(network, with_secret, loss_of_autoencoder, steps=400)
    return network(with_secret)[:, 0].detach()


corner = kept("secrets", train_on_secrets, patience=5)
told, kept_quiet = corner[secret].mean().item(), corner[~secret].mean().item()
print(say("corner pixel: with the secret", "pixel du coin : avec le secret"),
      decimal(told, 2), say(" without", " sans"), decimal(kept_quiet, 2))

# %% claims=true
assert abs(told - kept_quiet) < 0.03 and 0.1 < kept_quiet < 0.2 and 0.1 < told < 0.2

# %% [markdown] lang="fr"
# Avec ou sans secret, le coin rend à peu près la même valeur, proche de la moyenne, 0,15. L'auto-encodeur a gardé les grands traits et
# perdu le bit. Une petite chose importante disparaît ; nous le reverrons à la [](#our-scenes-blurred), où les formes de nos scènes
# s'effacent.

# %% [markdown] lang="en"
# With or without the secret, the corner comes back with about the same value, near the mean, 0.15. The autoencoder kept the broad strokes
# and lost the bit. A small thing that matters vanishes; we shall see it again in [](#our-scenes-blurred), where the shapes of our scenes
# fade.

# %% [markdown] lang="fr"
# ## 4. Tirer un code au hasard : les trous
#
# Le décodeur fait une image de deux nombres, ou de dix. Une idée vient aussitôt : **inventons** les nombres. Tirons dix latents au sort,
# décodons : voilà une machine qui écrit des chiffres ! Mais au sort, comment ? Rien ne dit où sont les codes. Essayons de deux façons :
# la loi normale réduite, comme on en tire d'ordinaire ; et une loi normale de même moyenne et de même écart-type que les codes des
# chiffres connus.
#
# Pour juger, mesurons l'**étrangeté** d'une image : le carré de sa distance au chiffre connu le plus proche.

# %% [markdown] lang="en"
# ## 4. A code at random: the holes
#
# The decoder makes a picture of two numbers, or of ten. An idea comes at once: let us **invent** the numbers. Sample ten latents at
# random, decode: here is a machine that writes digits! But at random how? Nothing says where the codes are. Let us try two ways: the
# standard normal distribution, the usual one to sample from; and a normal distribution of the same mean and standard deviation as the
# codes of the known digits.
#
# To judge, let us measure how **strange** a picture is: its squared distance to the nearest known digit.

# %% [markdown] lang="fr"
# ### Exercice
#
# Écrivez `strangeness(pictures, examples)` : `pictures`, de forme (n, d), `examples`, de forme (m, d). Rendez un tenseur de forme (n,) :
# pour chaque image, le carré de la distance à l'exemple le plus proche.
#
# <details><summary>Un indice</summary>
#
# `torch.cdist(pictures, examples)` donne toutes les distances, de forme (n, m).
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `.min(dim=1).values` est la plus petite de chaque ligne.
#
# </details>

# %% [markdown] lang="en"
# ### Exercise
#
# Write `strangeness(pictures, examples)`: `pictures`, of shape (n, d), `examples`, of shape (m, d). Return a tensor of shape (n,): for
# each picture, the squared distance to the nearest example.
#
# <details><summary>A hint</summary>
#
# `torch.cdist(pictures, examples)` gives all distances, of shape (n, m).
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `.min(dim=1).values` is the smallest of each row.
#
# </details>

# %% level=1
def strangeness(pictures, examples):
    return torch.cdist(pictures, examples).min(dim=1).values.square()

# %% scratch=true
strangeness(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 2.0]]))
# → tensor([4.])

# %%
def strange_corners():
    corners = torch.tensor([[0.0, 0.0, 1.0], [2.0, 2.0, 2.0]])
    return strangeness(corners, torch.tensor([[0.0, 0.0, 0.0], [2.0, 1.0, 4.0]]))


expect(strange_corners, torch.tensor([1.0, 5.0]),
       say("the strangeness of two pictures of three pixels",
           "l'étrangeté de deux images de trois pixels"))

# %% [markdown] lang="fr"
# Un chiffre nouveau, écrit par une vraie personne, est aussi à quelque distance du plus proche : c'est la mesure d'une image « normale ».
# **Devinez** celle des codes tirés au sort.

# %% [markdown] lang="en"
# A new digit, written by a real person, is at some distance from the nearest one too: this is the measure of a "normal" picture.
# **Guess** that of the codes sampled at random.

# %%
@torch.no_grad()
def invented_by(network, size, fitted):
    codes = torch.randn(200, size, generator=torch.Generator().manual_seed(0))
    if fitted:
        of_known = network.encoder(known)
        codes = of_known.mean(dim=0) + of_known.std(dim=0) * codes
    return network.decoder(codes)


blind = invented_by(plain[10], 10, fitted=False)
fitted = invented_by(plain[10], 10, fitted=True)
strange = {say("new digits", "chiffres nouveaux"): new,
           say("codes of N(0, 1)", "codes de N(0, 1)"): blind,
           say("same mean and spread", "même moyenne, même écart"): fitted}
for name, pictures in strange.items():
    print(f"{name:26}", decimal(strangeness(pictures, known).mean().item(), 2))

# %% claims=true
normal_strangeness, blind_strangeness, fitted_strangeness = (
    strangeness(pictures, known).mean().item() for pictures in (new, blind, fitted))
assert blind_strangeness > 3 * normal_strangeness
assert fitted_strangeness > 1.6 * normal_strangeness
assert plain_errors[10] < 1.4 * error_of_known

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Les trous d'un auto-encodeur
#
# Dix latents au hasard, décodés : des chiffres ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. The holes of an autoencoder
#
# Ten latents at random, decoded: digits?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(3, 8, width=7.4, height=3.2)
names = say("new|N(0, 1)|fitted", "nouveaux|N(0, 1)|ajustés").split("|")
for line, name, pictures in zip(panels, names, strange.values()):
    for panel, each in zip(line, pictures):
        show(panel, each)
    line[0].set_ylabel(name, fontsize=14)
picture(figure, say("New digits; below, codes of the standard normal and codes of the "
                    "right mean and spread, decoded: many are no digit.",
                    "Des chiffres nouveaux ; dessous, des codes de la normale réduite et "
                    "des codes de bonne moyenne, décodés : beaucoup ne sont rien."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire lire les deux dernières lignes : combien de chiffres ? Puis la question piège : est-ce du surapprentissage ? (Non :
# l'erreur sur les chiffres nouveaux est proche de celle des chiffres connus. Rien, dans la perte, ne demande aux codes de remplir quoi
# que ce soit.) Écrire les deux mots au tableau : **continuité**, **complétude**.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Have the last two rows read: how many digits? Then the trick question: is this overfitting? (No: the error on new digits is near
# that on known ones. Nothing in the loss asks the codes to fill anything.) Write the two words on the board: **continuity**,
# **completeness**.

# %% [markdown] lang="fr"
# De la normale réduite viennent des images plus de trois fois plus étranges que de vrais chiffres nouveaux. Même bien centrés et bien
# étalés, les codes tirés restent étranges : le nuage des vrais codes a des îles, et des trous entre elles.
#
# On lit parfois que c'est du **surapprentissage**. Ce n'est pas la raison : notre réseau rend les chiffres nouveaux presque aussi bien
# que les connus. La raison est plus simple : **rien, dans la perte, ne demande aux codes de suivre une loi connue.** Pour générer, deux
# propriétés nous manquent :
#
# - la **continuité** : des codes voisins donnent des images voisines ;
# - la **complétude** : tout code que l'on tire donne une image plausible.
#
# Il faut **régulariser** les codes. Ce sera le VAE, l'auto-encodeur variationnel.

# %% [markdown] lang="en"
# From the standard normal come pictures more than three times as strange as true new digits. Even well centred and well spread, sampled
# codes remain strange: the cloud of true codes has islands, and holes between them.
#
# One sometimes reads that this is **overfitting**. That is not the reason: our network gives new digits back almost as well as known
# ones. The reason is simpler: **nothing in the loss asks the codes to follow a known distribution.** To generate, two properties are
# missing:
#
# - **continuity**: neighbouring codes give neighbouring pictures;
# - **completeness**: any code that is sampled gives a plausible picture.
#
# The codes must be **regularised**. This will be the VAE, the variational autoencoder.

