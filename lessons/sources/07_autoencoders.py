# ---
# jupyter:
#   lesson:
#     number: "07"
#     hours: [3, 1, 2, 2]
#     session: 229
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
# Voici douze chiffres de huit pixels sur huit. Six ont été écrits par des gens, puis numérisés. Les six autres, personne ne les a
# écrits : une machine a fait chacun d'eux de dix nombres tirés au sort.
#
# **Devinez d'abord.** Lesquels ? Notez six numéros ; la réponse est à la [](#the-vae).

# %% [markdown] lang="en"
# Here are twelve digits of eight pixels by eight. Six were written by people, then scanned. The other six nobody wrote: a machine made each
# of them out of ten numbers sampled at random.
#
# **Guess first.** Which ones? Note six numbers; the answer is in [](#the-vae).

# %% tags=["hide-input"]
import torch

from dalle_edu.bricks import vae as ready_made
from dalle_edu.classroom.desk import kept
from dalle_edu.classroom.figures import BLUE, GREEN, ORANGE, PURPLE
from dalle_edu.classroom.figures import SKY, VERMILION, legend, picture, plot
from dalle_edu.datasets.digits import digits
from dalle_edu.language import decimal

# en: 1,797 digits in random order, pixels from 0 (black) to 1 (white)
# fr: 1 797 chiffres dans un ordre au hasard, des pixels de 0 (noir) à 1 (blanc)
raw_digits, raw_names = digits()
generator = torch.Generator().manual_seed(0)
shuffled = torch.randperm(len(raw_digits), generator=generator)
all_digits = (raw_digits.flatten(1)[shuffled] + 1) / 2
all_names = raw_names[shuffled]
known, known_names = all_digits[:1500], all_names[:1500]
new, new_names = all_digits[1500:], all_names[1500:]


# %% tags=["hide-input"]
def learn(network, pictures, loss_of, steps=800, rate=3e-3, seed=0):
    # en: random batches of 64; the rate rises, then falls to zero
    # fr: des lots de 64 au hasard ; le pas monte, puis descend à zéro
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
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


# %% tags=["hide-input"]
forger = ready_made.VAE(TEN)
forger_weights = kept("forger", train_the_forger, patience=5)
forger.load_state_dict(forger_weights)
sixty = forger.sample(60, torch.Generator().manual_seed(4))
# en: of sixty, the six that are most like a known digit
# fr: sur soixante, les six qui ressemblent le plus à un chiffre connu
away = torch.cdist(sixty, known).min(dim=1).values.square()
likest = (away / sixty.var(dim=1)).argsort()[:6]
forged = sixty[likest]


# %% tags=["hide-input"]
def show(panel, digit, title=""):
    # en: 64 pixels of values in [0, 1], as a picture of 8 × 8
    # fr: 64 pixels de valeurs dans [0, 1], en image de 8 × 8
    side = round(digit.numel() ** 0.5)
    panel.imshow(digit.detach().view(side, side), cmap="gray", vmin=0, vmax=1)
    panel.set(title=title, xticks=[], yticks=[])


twelve = torch.cat([new[20:26], forged])
mixed = torch.randperm(12, generator=torch.Generator().manual_seed(2))

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 6, width=7.6, height=3.2)
for number, (panel, which) in enumerate(zip(panels.flat, mixed), start=1):
    show(panel, twelve[which], str(number))
picture(figure, say("Twelve digits of 8 × 8 pixels, numbered; it is hard to say "
                    "which were written by hand.",
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
# - show an autoencoder's holes;
# - derive the ELBO, in numbers;
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
from torch import nn

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
# La diagonale se trompe deux fois moins. De toutes les droites, c'est la meilleure : celle de l'**analyse en composantes principales**, ou
# ACP ([](work:pearson1901)). En général, la première composante est la direction où les données, **centrées**, varient le plus ; la
# deuxième, celle où elles varient le plus parmi les directions à angle droit de la première, et ainsi de suite. Ce sont les vecteurs
# propres de la covariance, $\frac{1}{n-1} X^\top X$ pour des données centrées $X$, qui ont les plus grandes valeurs propres (une matrice
# étire ses vecteurs propres sans les tourner, chacun autant de fois que le dit sa valeur propre). Garder les $k$ premières est ce que l'on
# peut faire de mieux avec un plan de dimension $k$, en erreur au carré ([](work:eckart1936)).
#
# On les calcule par la **décomposition en valeurs singulières** (SVD). `torch.linalg.svd(X, full_matrices=False)` rend trois choses,
# `u, s, v` : les lignes de `v` sont les directions, de la plus étalée à la plus plate, et `s ** 2 / (n - 1)` les variances le long de
# chacune.

# %% [markdown] lang="en"
# The diagonal is wrong by half as much. Of all lines it is the best: that of **principal component analysis**, or PCA
# ([](work:pearson1901)). In general, the first component is the direction along which the data, **centred**, vary most; the second is the
# one along which they vary most among the directions at right angles to the first, and so on. They are the eigenvectors of the covariance,
# $\frac{1}{n-1} X^\top X$ for centred data $X$, that have the largest eigenvalues (a matrix stretches its eigenvectors without turning
# them, each by its eigenvalue). To keep the first $k$ is the best that can be done with a plane of dimension $k$, in squared error
# ([](work:eckart1936)).
#
# They are computed by the **singular value decomposition** (SVD). `torch.linalg.svd(X, full_matrices=False)` returns three things,
# `u, s, v`: the rows of `v` are the directions, from the most spread out to the flattest, and `s ** 2 / (n - 1)` the variances along
# each.

# %% [markdown] lang="fr"
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

Ce sont les vecteurs singuliers à droite des données *centrées*, par
variance décroissante ; chacun est une ligne de `directions`, de longueur
1, dans un sens ou dans l'autre. `variances` sont les carrés des valeurs
singulières sur n - 1. Aucun autre plan de cette dimension ne rend les
données avec une moindre erreur au carré (Eckart et Young 1936).
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
                    "L'erreur baisse quand on garde plus de nombres ; partout, "
                    "les composantes font mieux que les pixels."))

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
# Les couches de `Autoencoder` sont données : `self.encoder` et `self.decoder`. Écrivez `forward(images)`, de (n, d) à (n, d), et
# `loss(images)` : un seul nombre, l'erreur au carré **sommée** sur les pixels, puis **moyennée** sur les images.
#
# <details><summary>Un indice</summary>
#
# `self(images)` appelle `forward`. `.sum(dim=-1)` donne un nombre par image.
#
# </details>

# %% [markdown] lang="en"
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

Si `hidden` vaut `()`, les deux sont linéaires, et l'ACP est ce qu'ils
peuvent faire de mieux.
"""
"""Les images refaites à partir de leurs latents."""
"""L'erreur au carré : somme sur les pixels, moyenne sur les images."""

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
# `torch.linalg.matrix_norm(outside, ord=2)` est la plus grande longueur ; puis `math.asin`. L'arrondi peut porter cette
# longueur un rien au-dessus de 1, où `asin` s'arrête : prenez `min(longueur, 1.0)`.
#
# </details>

# %% [markdown] lang="en"
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
# `torch.linalg.matrix_norm(outside, ord=2)` is the largest length; then `math.asin`. Rounding may carry this
# length a hair above 1, where `asin` stops: take `min(length, 1.0)`.
#
# </details>

# %% implements="autoencoder:largest_angle" level=2
"""Le plus grand angle entre les espaces de deux jeux de lignes, en radians.

Il va de 0, quand les deux espaces n'en font qu'un, à π/2 (Björck et Golub
1973). Les lignes n'ont besoin d'être ni orthogonales ni de longueur 1 : on
leur donne d'abord une base orthonormée. L'angle vient de son sinus, la
plus grande longueur qu'une direction d'un espace a hors de l'autre : près
de 0, un cosinus se perd dans l'arrondi.
"""

# %% scratch=true
# en: the first axis, and the diagonal: 45 degrees
# fr: le premier axe, et la diagonale : 45 degrés
angle = largest_angle(torch.tensor([[1.0, 0.0]]), torch.tensor([[5.0, 5.0]]))
round(math.degrees(angle), 3)  # → 45.0

# %% [markdown] lang="fr"
# Entraînons. Tous les chiffres connus à chaque pas, et l'angle tous les cent pas. **Devinez** : part-il de 0, de 45 ou de presque 90
# degrés ? Et après 1 200 pas, le théorème tient-il, à un degré près ?

# %% [markdown] lang="en"
# Let us train. All known digits at each step, and the angle every hundred steps. **Guess**: does it start at 0, at 45 or at nearly 90
# degrees? And after 1,200 steps, does the theorem hold to within a degree?

# %%
def train_linear():
    torch.manual_seed(0)
    linear = Autoencoder(64, 2)
    optimizer = torch.optim.Adam(linear.parameters(), lr=0.02, fused=True)
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
picture(figure, say("The angle between the two planes falls from nearly 90 "
                    "degrees to nearly zero.",
                    "L'angle entre les deux plans tombe de presque 90 degrés à "
                    "presque zéro."))

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
# **15 min.**
#
# - **1** ●● `pca` : centrer, puis décomposer.
# - **2** ● `Autoencoder` : descendre, remonter, comparer.
# - **3** ●● `largest_angle` : l'angle de deux plans.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercises 1 to 3 · The plane, twice
#
# **15 min.**
#
# - **1** ●● `pca`: centre, then decompose.
# - **2** ● `Autoencoder`: down, up, compare.
# - **3** ●● `largest_angle`: the angle of two planes.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner les sections 1 et 2. Fautes à guetter : des données non centrées ; `mean()` sur les pixels au lieu de la somme ; des
# degrés au lieu de radians. Qui a fini cherche pourquoi l'on passe par le sinus. (Près de 0, le cosinus est plat : il perd la moitié des
# chiffres.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out sections 1 and 2. Mistakes to look for: data that are not centred; `mean()` over pixels instead of the sum; degrees
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
print(say("10 latents, known digits: network", "10 latents, chiffres connus : réseau"),
      decimal(error_of_known, 2))

# %% claims=true
assert abs(by_pca[0] - 3.4) < 0.05 and abs(by_pca[2] - 1.3) < 0.05
assert plain_errors[2] < 0.75 * by_pca[0] and plain_errors[10] < 0.75 * by_pca[2]
assert error_of_known < plain_errors[10] < 1.4 * error_of_known

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
picture(figure, say("Eight new digits, rebuilt from two numbers: by PCA they "
                    "are grey clouds, by the network they are nearly digits.",
                    "Huit chiffres nouveaux, refaits de deux nombres : par "
                    "l'ACP, des nuages gris ; par le réseau, presque des "
                    "chiffres."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire lire les deux dernières lignes sans regarder la première. Le réseau va au moins un quart plus bas que l'ACP, avec deux
# latents comme avec dix. Demander ce que « ce qui compte » veut dire pour lui. (Ce qui fait baisser la perte : la diapositive suivante.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have the last two rows read without looking at the first. The network goes lower than PCA by a quarter at least, with two latents
# and with ten. Ask what "what matters" means to it. (What lowers the loss: the next slide.)

# %% [markdown] lang="fr"
# Dans les deux cas, l'erreur tombe de plus d'un quart : une surface courbe passe plus près des chiffres qu'aucun plan. Sur la figure, l'ACP
# rend des nuages gris ; le réseau, presque des chiffres. Il ne les sait pas par cœur : sur les chiffres connus, il ne se trompe qu'un peu
# moins.

# %% [markdown] lang="en"
# In both cases the error falls by more than a quarter: a bent surface passes nearer to the digits than any plane. In the picture, PCA
# gives grey clouds; the network, nearly digits. It does not know them by heart: on known digits it is wrong by only a little less.

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
# la loi normale réduite (la courbe en cloche de moyenne 0 et d'écart-type 1, notée $N(0, 1)$ ; c'est ce que tire `torch.randn`) ; et une
# loi normale de même moyenne et de même écart-type que les codes des
# chiffres connus.
#
# Pour juger, mesurons l'**étrangeté** d'une image : le carré de sa distance au chiffre connu le plus proche.

# %% [markdown] lang="en"
# ## 4. A code at random: the holes
#
# The decoder makes a picture of two numbers, or of ten. An idea comes at once: let us **invent** the numbers. Sample ten latents at
# random, decode: here is a machine that writes digits! But at random how? Nothing says where the codes are. Let us try two ways: the
# standard normal distribution (the bell curve of mean 0 and standard deviation 1, written $N(0, 1)$; it is what `torch.randn` samples);
# and a normal distribution of the same mean and standard deviation as the
# codes of the known digits.
#
# To judge, let us measure how **strange** a picture is: its squared distance to the nearest known digit.

# %% [markdown] lang="fr"
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
    examples = torch.tensor([[0.0, 0.0, 0.0], [2.0, 1.0, 4.0], [9.0, 9.0, 9.0]])
    return strangeness(corners, examples)


expect(strange_corners, torch.tensor([1.0, 5.0]),
       say("the strangeness of two pictures of three pixels",
           "l'étrangeté de deux images de trois pixels"))

# %% tags=["hide-input"]
def how_strange(pictures):
    # en: what follows uses this one, whether yours is written or not
    # fr: la suite emploie celle-ci, que la vôtre soit écrite ou non
    return torch.cdist(pictures, known).amin(dim=1) ** 2

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
    print(f"{name:26}", decimal(how_strange(pictures).mean().item(), 2))

# %% claims=true
normal_strangeness, blind_strangeness, fitted_strangeness = (
    how_strange(pictures).mean().item() for pictures in (new, blind, fitted))
assert blind_strangeness > 3 * normal_strangeness
assert fitted_strangeness > 1.6 * normal_strangeness

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
picture(figure, say("New digits; below, codes of the standard normal and codes "
                    "of the right mean and spread, decoded: many are no digit.",
                    "Des chiffres nouveaux ; dessous, des codes de la normale "
                    "réduite et des codes de bonne moyenne, décodés : beaucoup "
                    "ne sont rien."))

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
# étalés, les codes tirés donnent des images étranges : le nuage des vrais codes a des îles, et des trous entre elles.
#
# On lit parfois que c'est du **surapprentissage**. Ce n'est pas la raison : à la [](#bending-the-plane), notre réseau rendait les chiffres
# nouveaux presque aussi bien que les connus. La raison est plus simple : **rien, dans la perte, ne demande aux codes de suivre une loi
# connue.** Pour générer, deux propriétés nous manquent :
#
# - la **continuité** : des codes voisins donnent des images voisines ;
# - la **complétude** : tout code que l'on tire donne une image plausible.
#
# Il faut **régulariser** les codes. Ce sera le VAE, l'auto-encodeur variationnel.

# %% [markdown] lang="en"
# From the standard normal come pictures more than three times as strange as true new digits. Even well centred and well spread, sampled
# codes give strange pictures: the cloud of true codes has islands, and holes between them.
#
# One sometimes reads that this is **overfitting**. That is not the reason: in [](#bending-the-plane) our network gave new digits back
# almost as well as known ones. The reason is simpler: **nothing in the loss asks the codes to follow a known distribution.** To generate,
# two properties are missing:
#
# - **continuity**: neighbouring codes give neighbouring pictures;
# - **completeness**: any code that is sampled gives a plausible picture.
#
# The codes must be **regularised**. This will be the VAE, the variational autoencoder.

# %% [markdown] lang="fr"
# ## 5. Une loi pour les images
#
# L'U-Net de la [](lesson:06) rend une image pour une entrée : toujours la même, et rien ne dit si elle est probable. L'auto-encodeur non
# plus. Il nous faut une **loi** $P(x)$, qui donne à chaque image une probabilité. On attend d'elle trois choses :
#
# - **évaluer** $P(x)$ pour une image nouvelle : est-elle normale, est-elle étrange ?
# - **tirer** une image, $x \sim P(x)$ ;
# - **mesurer l'incertitude** : quels pixels sont sûrs, lesquels pourraient être autrement ?
#
# Être probabiliste ne suffit pas pour générer. Le classifieur de la [](lesson:04) donne $P(y \mid x)$, la probabilité d'un nom sachant
# l'image ; il n'a rien à dire de $P(x)$ et ne dessine pas. Un modèle **génératif** est une famille de lois $P_\theta(x)$, que l'on règle
# sur des images seules, sans étiquettes.
#
# Comment régler $\theta$ ? Par le **maximum de vraisemblance** : prendre les paramètres qui rendent ce que l'on a vu le plus probable. Un
# exemple : une pièce tombe trois fois sur pile en quatre lancers. Si elle donne pile avec la probabilité $\theta$, cette suite a la
# probabilité $\theta^3 (1 - \theta)$. **Devinez** le meilleur $\theta$.

# %% [markdown] lang="en"
# ## 5. A distribution over pictures
#
# The U-Net of [](lesson:06) gives a picture for an input: always the same, and nothing says whether it is probable. Nor does the
# autoencoder. We need a **distribution** $P(x)$, which gives each picture a probability. Three things are asked of it:
#
# - to **evaluate** $P(x)$ for a new picture: is it normal, is it strange?
# - to **sample** a picture, $x \sim P(x)$;
# - to **measure uncertainty**: which pixels are sure, which could be otherwise?
#
# To be probabilistic is not enough to generate. The classifier of [](lesson:04) gives $P(y \mid x)$, the probability of a name given the
# picture; it has nothing to say of $P(x)$, and does not draw. A **generative** model is a family of distributions $P_\theta(x)$, fitted
# to pictures alone, without labels.
#
# How is $\theta$ to be set? By **maximum likelihood**: take the parameters that make what was seen most probable. An example: a coin
# comes up heads three times in four tosses. If it gives heads with probability $\theta$, this sequence has probability
# $\theta^3 (1 - \theta)$. **Guess** the best $\theta$.

# %%
for heads in (0.25, 0.5, 0.75, 0.9):
    likelihood_of_coin = heads**3 * (1 - heads)
    print(say("theta", "thêta"), decimal(heads, 2), say(" likelihood", " vraisemblance"),
          decimal(likelihood_of_coin, 3))

# %% claims=true
grid = torch.linspace(0, 1, 101, dtype=torch.float64)
assert float(grid[(grid**3 * (1 - grid)).argmax()]) == 0.75

# %% [markdown] lang="fr"
# Le meilleur est 0,75, la proportion observée : c'est une **estimation** de $\theta$, et la règle qui la donne est un **estimateur**. En
# pratique on maximise la **log-vraisemblance**, dont le maximum est au même endroit :
# les produits y deviennent des sommes. C'est ce que faisait déjà l'entropie croisée de la [](lesson:01), qui est l'opposé d'une
# log-vraisemblance.
#
# Mais quelle famille de lois sur 64 pixels ? L'idée : l'image vient d'une **cause cachée** $z$, que personne n'observe (quel chiffre,
# quelle inclinaison, quelle épaisseur du trait). On tire d'abord $z$ d'une loi simple $p(z)$, l'**a priori** ; puis l'image de
# $p_\theta(x \mid z)$, que donne le décodeur. $z$ est une **variable latente**.
#
# $z$ ressemble à un **plongement** de la [](lesson:02) : quelques nombres que l'on apprend à donner à une chose. Mais un plongement est
# un point ; $z$ est une variable aléatoire, et a une loi.

# %% [markdown] lang="en"
# The best is 0.75, the proportion observed: it is an **estimate** of $\theta$, and the rule that gives it is an **estimator**. In
# practice one maximises the **log-likelihood**, whose maximum is at the same place:
# products become sums. This is what the cross-entropy of [](lesson:01) did, which is minus a log-likelihood.
#
# But which family of distributions over 64 pixels? The idea: the picture comes from a **hidden cause** $z$, which nobody observes (which
# digit, what slant, how thick a stroke). First $z$ is sampled from a simple distribution $p(z)$, the **prior**; then the picture from
# $p_\theta(x \mid z)$, which the decoder gives. $z$ is a **latent variable**.
#
# $z$ resembles an **embedding** of [](lesson:02): a few numbers that one learns to give a thing. But an embedding is a point; $z$ is a
# random variable, and has a distribution.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. Une cause cachée, puis une image
#
# Évaluer, tirer, mesurer l'incertitude : il faut une loi.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. A hidden cause, then a picture
#
# Evaluate, sample, measure uncertainty: this takes a distribution.

# %% tags=["hide-input"]
arrow = dict(arrowstyle="-|>", color="black", lw=2, shrinkA=30, shrinkB=30,
             mutation_scale=20)


def draw_two_circles(axes):
    for place, letter, colour in ((0, "z", ORANGE), (2, "x", SKY)):
        axes.scatter([place], [0], s=3000, color=colour, edgecolor="black")
        axes.text(place, 0, f"${letter}$", ha="center", va="center", fontsize=22)


# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.6, height=2.6)
draw_two_circles(axes)
for start, end, bend in ((0, 2, 0.35), (2, 0, 0.35)):
    axes.annotate("", (end, 0), (start, 0),
                  arrowprops=arrow | {"connectionstyle": f"arc3,rad={-bend}"})
axes.text(1, 0.62, say("decoder  $p(x|z)$", "décodeur  $p(x|z)$"), ha="center",
          fontsize=14)
axes.text(1, -0.78, say("encoder  $q(z|x)$", "encodeur  $q(z|x)$"), ha="center",
          fontsize=14)
axes.text(-0.5, 0, say("prior\n$p(z)$", "a priori\n$p(z)$"), ha="center",
          va="center", fontsize=14)
axes.set(xlim=(-0.9, 2.6), ylim=(-1.1, 1.1))
axes.set_axis_off()
picture(figure, say("A graph: z, from the prior, gives x by the decoder; the "
                    "encoder goes back from x to z.",
                    "Un graphe : z, tiré de l'a priori, donne x par le décodeur "
                    "; l'encodeur revient de x à z."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Les trois choses que l'on attend d'une loi, sur trois doigts. Demander pour chaque modèle connu lesquelles il sait faire : U-Net
# (aucune), classifieur (une loi, mais sur les noms), auto-encodeur (aucune). Puis la pièce : faire voter le meilleur thêta (0,75). Le
# graphe reste au tableau jusqu'à la fin.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. The three things that are asked of a distribution, on three fingers. Ask for each model they know which it can do: U-Net (none),
# classifier (a distribution, but over names), autoencoder (none). Then the coin: vote on the best theta (0.75). The graph stays on the
# board to the end.

# %% [markdown] lang="fr"
# ### L'atelier aux trois moules
#
# Prenons un monde assez petit pour tout compter. Un atelier a trois moules, $z \in \{0, 1, 2\}$. Il choisit le moule 0 une fois sur deux,
# le moule 1 trois fois sur dix, le moule 2 deux fois sur dix. Vous tenez une image $x$ : le moule 0 la produit avec la probabilité 0,1,
# le moule 1 avec 0,4, le moule 2 avec 0,2.
#
# La probabilité de l'image est la somme sur les moules, chacun compté selon sa chance :
#
# $$ p(x) = \sum_z p(z) \, p(x \mid z) = 0{,}05 + 0{,}12 + 0{,}04 = 0{,}21 $$
#
# **De quel moule vient-elle ?** La règle de Bayes répond : $p(z \mid x) = p(x \mid z) \, p(z) / p(x)$. C'est la loi **a posteriori** : ce
# que l'on croit de $z$ une fois que l'on a vu $x$. **Devinez** le moule le plus probable, et sa probabilité.

# %% [markdown] lang="en"
# ### The workshop of three moulds
#
# Let us take a world small enough to count everything. A workshop has three moulds, $z \in \{0, 1, 2\}$. It picks mould 0 one time in
# two, mould 1 three times in ten, mould 2 twice in ten. You hold a picture $x$: mould 0 produces it with probability 0.1, mould 1 with
# 0.4, mould 2 with 0.2.
#
# The probability of the picture is the sum over moulds, each counted by its chance:
#
# $$ p(x) = \sum_z p(z) \, p(x \mid z) = 0.05 + 0.12 + 0.04 = 0.21 $$
#
# **Which mould does it come from?** Bayes' rule answers: $p(z \mid x) = p(x \mid z) \, p(z) / p(x)$. This is the **posterior**
# distribution: what one believes of $z$ once $x$ has been seen. **Guess** the most probable mould, and its probability.

# %% [markdown] lang="fr"
# Écrivez `exact_posterior(prior, likelihood)` : deux tenseurs de forme (k,), les $p(z)$ et les $p(x \mid z)$ de l'image observée. Rendez
# les $p(z \mid x)$, de forme (k,).
#
# <details><summary>Un indice</summary>
#
# Le produit `prior * likelihood`, divisé par sa somme.
#
# </details>

# %% [markdown] lang="en"
# Write `exact_posterior(prior, likelihood)`: two tensors of shape (k,), the $p(z)$ and the $p(x \mid z)$ of the picture observed. Return
# the $p(z \mid x)$, of shape (k,).
#
# <details><summary>A hint</summary>
#
# The product `prior * likelihood`, divided by its sum.
#
# </details>

# %% level=1
def exact_posterior(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.sum()

# %% scratch=true
exact_posterior(torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75]))
# → tensor([0.2500, 0.7500])

# %%
def moulds_of_the_picture():
    return exact_posterior(torch.tensor([0.5, 0.3, 0.2]),
                           torch.tensor([0.1, 0.4, 0.2]))


expect(moulds_of_the_picture, torch.tensor([5.0, 12.0, 4.0]) / 21,
       say("the posterior over the three moulds", "la loi a posteriori des trois moules"))

# %%
prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
likelihood = torch.tensor([0.1, 0.4, 0.2], dtype=torch.float64)
evidence = (prior * likelihood).sum()
posterior = prior * likelihood / evidence
print("p(x) =", decimal(evidence.item(), 2), "  log p(x) =",
      decimal(evidence.log().item(), 4))
print(say("posterior:", "a posteriori :"), *(decimal(each, 3) for each in posterior))

# %% claims=true
assert abs(evidence - 0.21) < 1e-12 and abs(evidence.log() + 1.5606) < 5e-5
assert posterior.argmax() == 1 and abs(posterior[1] - 0.571) < 5e-4

# %% [markdown] lang="fr"
# Le moule 1, avec 0,571 : il est moins souvent choisi que le moule 0, mais produit bien plus souvent cette image.
#
# On voit parfois écrit « par Bayes, $p(x) = \int p(z \mid x) \, p(x) \, dz$ ». C'est vrai, et cela ne dit rien : $p(x)$ sort de
# l'intégrale, et $\int p(z \mid x) \, dz = 1$. L'intégrale utile est $p(x) = \int p(x \mid z) \, p(z) \, dz$ ([](work:kingma2014), §
# 2.1), celle que nous venons de faire avec une somme.

# %% [markdown] lang="en"
# Mould 1, with 0.571: it is picked less often than mould 0, but produces this picture far more often.
#
# One sometimes sees written "by Bayes, $p(x) = \int p(z \mid x) \, p(x) \, dz$". This is true, and says nothing: $p(x)$ comes out of the
# integral, and $\int p(z \mid x) \, dz = 1$. The useful integral is $p(x) = \int p(x \mid z) \, p(z) \, dz$ ([](work:kingma2014), § 2.1),
# the one that we have just done with a sum.

# %% claims=true
assert abs((posterior * evidence).sum() - evidence) < 1e-12

# %% [markdown] lang="fr"
# ### Pourquoi on ne peut pas faire la somme
#
# Trois moules, trois termes. Mais dix latents réels ? Une grille de 20 valeurs par latent a $20^{10}$ points, plus de dix mille milliards
# d'appels du décodeur, pour **une** image et **un** pas. L'intégrale est **hors de portée** (on dit *intractable*) ; et comme $p(x)$ est
# au dénominateur de la règle de Bayes, la loi a posteriori l'est aussi. C'est pour cela qu'on l'**approche**, par une loi
# $q_\phi(z \mid x)$ que l'on sait écrire : l'encodeur la donnera. Choisir, dans une famille, la fonction (ici une loi) qui rend une
# grandeur la plus grande possible est l'objet du calcul des **variations** : d'où « variationnel » ([](work:jordan1999)).

# %% [markdown] lang="en"
# ### Why the sum cannot be done
#
# Three moulds, three terms. But ten real latents? A grid of 20 values for each latent has $20^{10}$ points, more than ten thousand
# billion calls of the decoder, for **one** picture and **one** step. The integral is **intractable**; and since $p(x)$ is the denominator
# of Bayes' rule, so is the posterior. That is why it is **approximated**, by a distribution $q_\phi(z \mid x)$ that we can write down:
# the encoder will give it. To choose, in a family, the function (here a distribution) that makes a quantity as large as possible is the
# subject of the calculus of **variations**: hence "variational" ([](work:jordan1999)).

# %% claims=true
assert 1e13 < 20**10 < 1.1e13

# %% [markdown] lang="fr"
# ## 6. La borne, ligne à ligne ◆
#
# Puisque $p(x)$ est hors de portée, cherchons-en une **borne inférieure**, que l'on sache calculer, et poussons-la vers le haut. La
# démonstration tient en quatre lignes. Chacune est suivie de ses nombres, dans l'atelier aux trois moules, où tout se compte ; et cela
# pour **trois** lois $q$ : l'a priori, l'uniforme, et l'a posteriori exacte. Il faut deux outils.
#
# - L'**espérance** $\mathbb{E}_q[f(z)]$ : la moyenne de $f$, où chaque $z$ compte selon $q(z)$. Ici, $\sum_z q(z) f(z)$.
# - La **divergence de Kullback-Leibler** de $q$ à $p$ : $\mathrm{KL}(q \,\|\, p) = \mathbb{E}_q[\log (q(z) / p(z))]$. Elle n'est jamais
#   négative, et ne vaut 0 que si $q = p$.

# %% [markdown] lang="en"
# ## 6. The bound, line by line ◆
#
# As $p(x)$ is out of reach, let us look for a **lower bound** of it that we can compute, and push it up. The derivation has four lines.
# Each is followed by its numbers, in the workshop of three moulds, where everything can be counted; and that for **three** distributions
# $q$: the prior, the uniform one, and the exact posterior. Two tools are needed.
#
# - The **expectation** $\mathbb{E}_q[f(z)]$: the mean of $f$, where each $z$ counts by $q(z)$. Here, $\sum_z q(z) f(z)$.
# - The **Kullback-Leibler divergence** from $q$ to $p$: $\mathrm{KL}(q \,\|\, p) = \mathbb{E}_q[\log (q(z) / p(z))]$. It is never
#   negative, and 0 only if $q = p$.

# %%
beliefs = {say("the prior", "l'a priori"): prior,
           say("uniform", "uniforme"): torch.full((3,), 1 / 3, dtype=torch.float64),
           say("the posterior", "l'a posteriori"): posterior}
joint = prior * likelihood


def expectation(q, values):
    return (q * values).sum()


def kl(q, p):
    return expectation(q, (q / p).log())

# %% [markdown] lang="fr"
# **Ligne 1. Multiplier et diviser par $q$.** Rien ne change, pourvu que $q$ ne s'annule nulle part ; mais la somme est devenue une
# espérance sous $q$.
#
# $$ \log p(x) = \log \sum_z p(x, z) = \log \sum_z q(z) \, \frac{p(x, z)}{q(z)} = \log \mathbb{E}_q\!\left[ \frac{p(x, z)}{q(z)} \right] $$

# %% [markdown] lang="en"
# **Line 1. Multiply and divide by $q$.** Nothing changes, provided that $q$ is nowhere zero; but the sum has become an expectation under
# $q$.
#
# $$ \log p(x) = \log \sum_z p(x, z) = \log \sum_z q(z) \, \frac{p(x, z)}{q(z)} = \log \mathbb{E}_q\!\left[ \frac{p(x, z)}{q(z)} \right] $$

# %%
def checked(line, left, right):
    # en: both sides of an equality, to 1e-10
    # fr: les deux membres d'une égalité, à 1e-10 près
    difference = abs(float(left) - float(right))
    holds = say("holds", "vraie") if difference < 1e-10 else say("FALSE", "FAUSSE")
    print(f"{line:16} {decimal(float(left), 4):>8} {decimal(float(right), 4):>8}",
          holds)
    return difference < 1e-10


line_1 = [checked(name, evidence.log(), expectation(q, joint / q).log())
          for name, q in beliefs.items()]

# %% claims=true
assert all(line_1)

# %% [markdown] lang="fr"
# **Ligne 2. Rentrer le logarithme.** Le logarithme d'une moyenne est au moins la moyenne des logarithmes (inégalité de Jensen : la courbe
# du logarithme est creusée vers le bas, et une corde passe sous elle). Voilà la borne, l'**ELBO** (*evidence lower bound*).
#
# $$ \log p(x) \;\ge\; \mathbb{E}_q\!\left[ \log \frac{p(x, z)}{q(z)} \right] = \mathrm{ELBO}(q) $$
#
# **Devinez** laquelle des trois lois donne la borne la plus haute.

# %% [markdown] lang="en"
# **Line 2. Move the logarithm inside.** The logarithm of a mean is at least the mean of the logarithms (Jensen's inequality: the curve of
# the logarithm bends down, and a chord runs below it). Here is the bound, the **ELBO** (evidence lower bound).
#
# $$ \log p(x) \;\ge\; \mathbb{E}_q\!\left[ \log \frac{p(x, z)}{q(z)} \right] = \mathrm{ELBO}(q) $$
#
# **Guess** which of the three distributions gives the highest bound.

# %%
elbos = {name: expectation(q, (joint / q).log()) for name, q in beliefs.items()}
for name, elbo in elbos.items():
    print(f"{name:15} ELBO", decimal(elbo.item(), 4), say(" and log p(x)", " et log p(x)"),
          decimal(evidence.log().item(), 4))

# %% claims=true
values_of_elbo = [elbo.item() for elbo in elbos.values()]
assert all(value <= evidence.log().item() + 1e-12 for value in values_of_elbo)
assert abs(values_of_elbo[2] - evidence.log().item()) < 1e-10
assert max(values_of_elbo[:2]) < evidence.log().item() - 0.1

# %% [markdown] lang="fr"
# L'a posteriori exacte touche $\log p(x)$ ; les deux autres restent dessous.
#
# **Ligne 3. Couper en deux.** Comme $p(x, z) = p(x \mid z) \, p(z)$, le logarithme est une somme :
#
# $$ \mathrm{ELBO}(q) = \underbrace{\mathbb{E}_q[\log p(x \mid z)]}_{\text{reconstruire}} \;-\; \underbrace{\mathrm{KL}(q(z) \,\|\, p(z))}_{\text{rester près de l'a priori}} $$
#
# C'est l'équation 3 de [](work:kingma2014). Le premier terme est bien une **espérance** sous $q$, et le second compare $q$ à l'**a
# priori** $p(z)$.

# %% [markdown] lang="en"
# The exact posterior touches $\log p(x)$; the two others stay below.
#
# **Line 3. Cut in two.** As $p(x, z) = p(x \mid z) \, p(z)$, the logarithm is a sum:
#
# $$ \mathrm{ELBO}(q) = \underbrace{\mathbb{E}_q[\log p(x \mid z)]}_{\text{rebuild}} \;-\; \underbrace{\mathrm{KL}(q(z) \,\|\, p(z))}_{\text{stay near the prior}} $$
#
# This is equation 3 of [](work:kingma2014). The first term is indeed an **expectation** under $q$, and the second compares $q$ with the
# **prior** $p(z)$.

# %%
line_3 = [checked(name, elbos[name],
                  expectation(q, likelihood.log()) - kl(q, prior))
          for name, q in beliefs.items()]

# %% claims=true
assert all(line_3)

# %% [markdown] lang="fr"
# **Ligne 4. Ce qui manque.** L'écart entre la borne et $\log p(x)$ a un nom : c'est la divergence de $q$ à l'a posteriori exacte.
#
# $$ \log p(x) = \mathrm{ELBO}(q) + \mathrm{KL}(q(z) \,\|\, p(z \mid x)) $$
#
# Pour le voir, remplacez $p(x, z)$ par $p(z \mid x) \, p(x)$ dans l'ELBO : $\log p(x)$ sort, et il reste moins la divergence. Comme elle
# n'est jamais négative, voilà une seconde preuve de la ligne 2.

# %% [markdown] lang="en"
# **Line 4. What is missing.** The gap between the bound and $\log p(x)$ has a name: it is the divergence from $q$ to the exact posterior.
#
# $$ \log p(x) = \mathrm{ELBO}(q) + \mathrm{KL}(q(z) \,\|\, p(z \mid x)) $$
#
# To see it, put $p(z \mid x) \, p(x)$ for $p(x, z)$ in the ELBO: $\log p(x)$ comes out, and minus the divergence is left. As it is never
# negative, here is a second proof of line 2.

# %%
line_4 = [checked(name, evidence.log(), elbos[name] + kl(q, posterior))
          for name, q in beliefs.items()]

# %% claims=true
assert all(line_4)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. La borne, et ce qui lui manque ◆
#
# $$ \log p(x) = \mathrm{ELBO}(q) + \mathrm{KL}(q \,\|\, p(z \mid x)) $$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. The bound, and what it lacks ◆
#
# $$ \log p(x) = \mathrm{ELBO}(q) + \mathrm{KL}(q \,\|\, p(z \mid x)) $$

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.6, height=3.4)
floor, top = -2.0, evidence.log().item()
for place, (name, q) in enumerate(beliefs.items()):
    height, missing = elbos[name].item(), kl(q, posterior).item()
    axes.bar(place, height - floor, bottom=floor, color=BLUE, width=0.55,
             label="ELBO" if place == 0 else None)
    axes.bar(place, missing, bottom=height, color=ORANGE, width=0.55,
             label=say("what it lacks (KL)", "ce qui manque (KL)") if place == 0 else None)
axes.axhline(top, color="black", linestyle="--")
axes.text(2.35, top + 0.02, "log p(x)", fontsize=13, ha="right")
axes.set_xticks(range(3), list(beliefs))
axes.set(ylim=(floor, -1.3), ylabel="nats")
legend(axes, loc="upper left", ncols=2)
picture(figure, say("For three distributions q, the ELBO and what it lacks add "
                    "up to log p(x); for the posterior nothing is lacking.",
                    "Pour trois lois q, l'ELBO et ce qui manque font log p(x) ; "
                    "pour l'a posteriori, rien ne manque."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Distribuer l'atelier aux trois moules, imprimé sur une feuille : chacun calcule une ligne, à la calculatrice, pour une des trois
# lois. Faire annoncer l'ELBO de l'a priori (−1,748), de l'uniforme, puis de l'a posteriori (−1,561, soit log 0,21). Demander ce qui
# manque quand q est l'a posteriori. (Rien.) Sur le chemin sans intégrales : montrer l'image seule, 3 minutes.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out the workshop of three moulds, printed on a sheet: everyone computes one line, with a calculator, for one of the three
# distributions. Have the ELBO of the prior announced (−1.748), of the uniform one, then of the posterior (−1.561, or log 0.21). Ask what
# is lacking when q is the posterior. (Nothing.) On the path without integrals: show the picture alone, 3 minutes.

# %% claims=true
assert abs(values_of_elbo[0] + 1.748) < 5e-4 and abs(values_of_elbo[2] + 1.561) < 5e-4

# %% [markdown] lang="fr"
# Bleu plus orange font chaque fois la même hauteur, $\log p(x)$. L'ELBO monte à mesure que $q$ s'approche de l'a posteriori, et touche
# la ligne quand $q$ lui est égale.

# %% [markdown] lang="en"
# Blue plus orange reach the same height each time, $\log p(x)$. The ELBO rises as $q$ comes nearer to the posterior, and touches the line
# when $q$ is equal to it.

# %% [markdown] lang="fr"
# ### La vérification voit-elle une faute ?
#
# Une vérification qui ne peut pas échouer ne prouve rien. Changeons un signe, la faute la plus courante : écrivons la ligne 3 avec
# **plus** la divergence. **Devinez** : pour laquelle des trois lois la faute ne se voit-elle pas ?

# %% [markdown] lang="en"
# ### Does the check see a mistake?
#
# A check that cannot fail proves nothing. Let us change a sign, the most common mistake: write line 3 with **plus** the divergence.
# **Guess**: for which of the three distributions is the mistake not seen?

# %%
wrong_sign = [checked(name, elbos[name],
                      expectation(q, likelihood.log()) + kl(q, prior))
              for name, q in beliefs.items()]

# %% claims=true
assert wrong_sign == [True, False, False]

# %% [markdown] lang="fr"
# Pour l'a priori, la divergence est nulle : plus ou moins zéro, c'est pareil. Les deux autres voient la faute. Voilà pourquoi il en
# fallait trois.

# %% [markdown] lang="en"
# For the prior, the divergence is zero: plus or minus zero is the same. The two others see the mistake. That is why three were needed.

# %% [markdown] lang="fr"
# Écrivez `bound(prior, likelihood, q)`, l'ELBO pour $z$ fini. Les trois tenseurs sont de forme (k,). Ici $q$ peut être **nulle** pour
# certains $z$ : ces termes comptent pour 0, et le résultat doit rester fini. Rendez un tenseur sans dimension.
#
# <details><summary>Un indice</summary>
#
# Ne sommez que là où `q > 0` : `q[q > 0]`, et de même pour les deux autres.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `(q * (prior * likelihood / q).log()).sum()`, sur les moules gardés.
#
# </details>

# %% [markdown] lang="en"
# Write `bound(prior, likelihood, q)`, the ELBO for a finite $z$. The three tensors are of shape (k,). Here $q$ may be **zero** for some
# $z$: these terms count for 0, and the result must stay finite. Return a tensor without dimensions.
#
# <details><summary>A hint</summary>
#
# Sum only where `q > 0`: `q[q > 0]`, and likewise for the two others.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `(q * (prior * likelihood / q).log()).sum()`, over the moulds kept.
#
# </details>

# %% level=2
def bound(prior, likelihood, q):
    possible = q > 0
    joint = (prior * likelihood)[possible]
    q = q[possible]
    return (q * (joint / q).log()).sum()

# %% scratch=true
# en: q is sure of mould 1: log 0.3 + log 0.4
# fr: q est sûre du moule 1 : log 0,3 + log 0,4
sure = torch.tensor([0.0, 1.0, 0.0])
bound(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.4, 0.2]), sure)
# → tensor(-2.1203)

# %%
def three_bounds():
    at_the_prior = bound(prior, likelihood, prior)
    at_the_posterior = bound(prior, likelihood, posterior)
    at_two = bound(prior, likelihood, torch.tensor([0.5, 0.5, 0.0]).double())
    return torch.stack([at_the_prior, at_the_posterior, at_two])


expect(three_bounds, torch.tensor([-1.7480673, -1.5606477, -1.8648510]).double(),
       say("the bound for three distributions", "la borne de trois lois"))

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercices 4 à 6 · Trous, Bayes, borne
#
# **15 min.**
#
# - **4** ● `strangeness` : à quelle distance du connu ?
# - **5** ● `exact_posterior` : de quel moule ?
# - **6** ●● `bound` : l'ELBO, quand tout se compte. ◆

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercises 4 to 6 · Holes, Bayes, bound
#
# **15 min.**
#
# - **4** ● `strangeness`: how far from what is known?
# - **5** ● `exact_posterior`: which mould?
# - **6** ●● `bound`: the ELBO, when everything can be counted. ◆

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner les sections 4 à 6. Fautes à guetter : la distance au lieu de son carré ; des a posteriori dont la somme n'est pas 1 ;
# dans `bound`, 0 × log 0, qui vaut « nan ». Qui a fini prouve la ligne 4 sur papier.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out sections 4 to 6. Mistakes to look for: the distance instead of its square; posteriors that do not sum to 1; in
# `bound`, 0 × log 0, which is "nan". Those who finish prove line 4 on paper.

# %% [markdown] lang="fr"
# **À emporter, même sans les lignes :** on ne sait pas calculer $\log p(x)$, mais on en sait calculer une borne, l'ELBO. Elle a deux
# termes : bien reconstruire, et rester près de l'a priori. L'écart entre deux lois se mesure par la **divergence de Kullback-Leibler**,
# $\mathrm{KL}(q \,\|\, p)$ : jamais négative, et nulle seulement si $q = p$. Plus $q$ est proche de la vraie loi a posteriori, plus la
# borne est serrée.
#
# Ne paniquez pas si les intégrales vous effraient : le graphe et la borne suffisent pour la suite.

# %% [markdown] lang="en"
# **To take along, even without the lines:** we cannot compute $\log p(x)$, but we can compute a bound of it, the ELBO. It has two terms:
# rebuild well, and stay near the prior. How far one distribution is from another is measured by the **Kullback-Leibler divergence**,
# $\mathrm{KL}(q \,\|\, p)$: never negative, and zero only if $q = p$. The nearer $q$ is to the true posterior, the tighter the bound.
#
# Do not panic if integrals frighten you: the graph and the bound are enough for what follows.

# %% [markdown] lang="fr"
# ## 7. Les deux termes, pour des images
#
# Pour un VAE, l'a priori est la **normale réduite** : chaque latent suit $N(0, 1)$, indépendamment des autres. L'encodeur donne, pour
# chaque image, une loi $q(z \mid x)$ normale aussi : une moyenne $\mu$ et une variance $\sigma^2$ **par latent**. (On dit que la
# covariance est diagonale : rien de plus à apprendre pour les paires de latents.)
#
# ### La divergence
#
# Entre deux normales, l'intégrale de la divergence se calcule une fois pour toutes ([](work:kingma2014), annexe B) :
#
# $$ \mathrm{KL}\big(N(\mu, \sigma^2) \,\|\, N(0, 1)\big) = \tfrac12 \sum_j \big( \mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2 \big) $$
#
# Pour un latent de $N(1, 1)$, c'est $\tfrac12 (1 + 1 - 1 - 0) = 0{,}5$ nat (le nat est l'unité des logarithmes naturels). **Devinez**
# celle de $N(0, 4)$, puis celle, dans l'autre
# sens, de $N(0, 1)$ à $N(0, 4)$ : est-ce le même nombre ?

# %% [markdown] lang="en"
# ## 7. The two terms, for pictures
#
# For a VAE, the prior is the **standard normal**: each latent follows $N(0, 1)$, independently of the others. The encoder gives, for each
# picture, a distribution $q(z \mid x)$ that is normal too: a mean $\mu$ and a variance $\sigma^2$ **for each latent**. (One says that the
# covariance is diagonal: nothing more to learn for pairs of latents.)
#
# ### The divergence
#
# Between two normal distributions, the integral of the divergence is worked out once and for all ([](work:kingma2014), appendix B):
#
# $$ \mathrm{KL}\big(N(\mu, \sigma^2) \,\|\, N(0, 1)\big) = \tfrac12 \sum_j \big( \mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2 \big) $$
#
# For a latent of $N(1, 1)$, it is $\tfrac12 (1 + 1 - 1 - 0) = 0.5$ nats (the nat is the unit of natural logarithms). **Guess** that of
# $N(0, 4)$, then, in the other direction, that
# from $N(0, 1)$ to $N(0, 4)$: is it the same number?

# %%
from torch.distributions import Normal, kl_divergence

wide, standard = Normal(0.0, 2.0), Normal(0.0, 1.0)
print(say("from N(0, 4) to N(0, 1):", "de N(0, 4) à N(0, 1) :"),
      decimal(kl_divergence(wide, standard).item(), 3))
print(say("from N(0, 1) to N(0, 4):", "de N(0, 1) à N(0, 4) :"),
      decimal(kl_divergence(standard, wide).item(), 3))

# %% claims=true
assert abs(kl_divergence(wide, standard) - 0.807) < 5e-4
assert abs(kl_divergence(standard, wide) - 0.318) < 5e-4

# %% [markdown] lang="fr"
# 0,807 et 0,318 : les deux sens diffèrent. La divergence n'est donc **pas une distance**, et l'ordre compte : l'ELBO demande celle de $q$
# à l'a priori.
#
# L'encodeur ne donnera pas $\sigma$, mais $\log \sigma^2$, la **log-variance**. Une couche linéaire rend des nombres de tout signe ; une
# variance doit être positive, son logarithme n'a pas cette contrainte.

# %% [markdown] lang="en"
# 0.807 and 0.318: the two directions differ. So the divergence is **not a distance**, and the order matters: the ELBO asks for that from
# $q$ to the prior.
#
# The encoder will not give $\sigma$ but $\log \sigma^2$, the **log-variance**. A linear layer gives numbers of any sign; a variance must
# be positive, and its logarithm is free of that constraint.

# %% [markdown] lang="fr"
# Écrivez `kl_to_standard_normal(mean, log_variance)`, deux tenseurs de forme (…, k). Rendez la divergence de chaque image : la **somme**
# sur ses k latents, le dernier axe ; la forme est ce qui reste, (…).
#
# <details><summary>Un indice</summary>
#
# $\sigma^2$ est `log_variance.exp()`, et $\log \sigma^2$ est `log_variance` lui-même.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Pour vérifier : moyenne 1 et log-variance 0 donnent 0,5.
#
# </details>

# %% [markdown] lang="en"
# Write `kl_to_standard_normal(mean, log_variance)`, two tensors of shape (…, k). Return the divergence of each picture: the **sum** over
# its k latents, the last axis; the shape is what is left, (…).
#
# <details><summary>A hint</summary>
#
# $\sigma^2$ is `log_variance.exp()`, and $\log \sigma^2$ is `log_variance` itself.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# To check: mean 1 and log-variance 0 give 0.5.
#
# </details>

# %% implements="vae:kl_to_standard_normal" level=2
"""KL(N(moyenne, variance) || N(0, 1)) de chaque image, en nats.

C'est la somme sur les latents de l'image, qui sont le dernier axe, et 0 là
où toutes les moyennes et toutes les log-variances sont nulles (Kingma et
Welling 2014, annexe B).
"""

# %% scratch=true
kl_to_standard_normal(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
# → tensor([0.5000])

# %% [markdown] lang="fr"
# ### La log-vraisemblance : des pixels noirs ou blancs
#
# Reste $\log p(x \mid z)$. Si les pixels valent 0 ou 1, le décodeur donne à chacun une probabilité $p$ d'être blanc : c'est la loi de
# **Bernoulli**. Un pixel blanc, prévu blanc à 0,8, apporte $\log 0{,}8 \approx -0{,}22$ ; un pixel noir au même endroit,
# $\log 0{,}2 \approx -1{,}61$. Sachant $z$, les pixels sont indépendants : leurs probabilités se multiplient, leurs logarithmes
# **s'ajoutent**. Au signe près, c'est l'entropie croisée binaire (BCE).

# %% [markdown] lang="en"
# ### The log-likelihood: pixels black or white
#
# There remains $\log p(x \mid z)$. If pixels are 0 or 1, the decoder gives each a probability $p$ of being white: this is the
# **Bernoulli** distribution. A white pixel, expected white at 0.8, brings $\log 0.8 \approx -0.22$; a black pixel at the same place,
# $\log 0.2 \approx -1.61$. Given $z$, pixels are independent: their probabilities multiply, their logarithms **add**. Up to the sign,
# this is binary cross-entropy (BCE).

# %% [markdown] lang="fr"
# Écrivez `bernoulli_log_likelihood(images, logits)`, deux tenseurs de forme (…, d). La probabilité d'un pixel est la sigmoïde de son
# logit. Rendez la log-vraisemblance de chaque image, de forme (…), finie même pour un logit de 1 000.
#
# <details><summary>Un indice</summary>
#
# `F.logsigmoid(logits)` est $\log p$ sans passer par $p$ ; et $\log(1 - p)$ est `F.logsigmoid(-logits)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `images * …` pour la part blanche, `(1 - images) * …` pour la noire.
#
# </details>

# %% [markdown] lang="en"
# Write `bernoulli_log_likelihood(images, logits)`, two tensors of shape (…, d). The probability of a pixel is the sigmoid of its logit.
# Return the log-likelihood of each picture, of shape (…), finite even for a logit of 1,000.
#
# <details><summary>A hint</summary>
#
# `F.logsigmoid(logits)` is $\log p$ without going by $p$; and $\log(1 - p)$ is `F.logsigmoid(-logits)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `images * …` for the white part, `(1 - images) * …` for the black one.
#
# </details>

# %% implements="vae:bernoulli_log_likelihood" level=1
"""log p(image | latents) de chaque image, en nats, pour des pixels 0 ou 1.

Chaque pixel x vaut 1 avec la probabilité p = sigmoïde(logit). Le résultat
est la somme sur les pixels de x log p + (1 - x) log(1 - p), en logarithmes
naturels, finie si grand que soit un logit. Les gris, entre 0 et 1, sont
pris pour des probabilités, comme on fait d'ordinaire : la perte marche,
mais ce n'est plus le logarithme d'une densité (Loaiza-Ganem et Cunningham
2019).
"""

# %% scratch=true
# en: probabilities of one half: each pixel brings log ½
# fr: des probabilités d'un demi : chaque pixel apporte log ½
bernoulli_log_likelihood(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
# → tensor([-1.3863])

# %% [markdown] lang="fr"
# ### Des pixels gris
#
# Nos chiffres sont gris. Beaucoup leur appliquent quand même la loi de Bernoulli ; cela marche, mais ce n'est plus une log-vraisemblance
# ([](work:loaizaganem2019)). Prenons une loi faite pour des nombres : chaque pixel suit une **normale**, dont le décodeur donne la
# moyenne $\hat x$ et dont l'écart-type $s$ est choisi. Le logarithme de sa densité, sommé sur les pixels, est
#
# $$ \log p(x \mid z) = - \sum_i \left( \frac{(x_i - \hat x_i)^2}{2 s^2} + \tfrac12 \log (2 \pi s^2) \right) $$
#
# On y reconnaît l'**erreur au carré** : celle de l'ACP et de l'auto-encodeur. Au facteur $1 / 2 s^2$ près, la minimiser, c'est maximiser
# une vraisemblance normale. Ce facteur fixe le prix d'une erreur en nats : avec $s = 0{,}2$, une unité d'erreur au carré coûte 12,5 nats.

# %% [markdown] lang="en"
# ### Grey pixels
#
# Our digits are grey. Many apply the Bernoulli distribution to them all the same; it works, but it is no longer a log-likelihood
# ([](work:loaizaganem2019)). Let us take a distribution made for numbers: each pixel follows a **normal** one, whose mean $\hat x$ the
# decoder gives and whose standard deviation $s$ is chosen. The logarithm of its density, summed over pixels, is
#
# $$ \log p(x \mid z) = - \sum_i \left( \frac{(x_i - \hat x_i)^2}{2 s^2} + \tfrac12 \log (2 \pi s^2) \right) $$
#
# One recognises the **squared error**: that of PCA and of the autoencoder. Up to the factor $1 / 2 s^2$, to minimise it is to maximise a
# normal likelihood. The factor sets the price of an error in nats: with $s = 0.2$, a unit of squared error costs 12.5 nats.

# %% claims=true
assert abs(1 / (2 * 0.2**2) - 12.5) < 1e-9
assert abs(math.log(0.8) + 0.22) < 0.005 and abs(math.log(0.2) + 1.61) < 0.005

# %% [markdown] lang="fr"
# Écrivez `gaussian_log_likelihood(images, mean, std)` : `images` et `mean` de forme (…, d), `std` un nombre. Rendez la log-vraisemblance
# de chaque image, de forme (…), **constante comprise**.
#
# <details><summary>Un indice</summary>
#
# `math.log(2 * math.pi * std**2)`, une fois **par pixel** : ajoutez-le avant la somme.
#
# </details>

# %% [markdown] lang="en"
# Write `gaussian_log_likelihood(images, mean, std)`: `images` and `mean` of shape (…, d), `std` a number. Return the log-likelihood of
# each picture, of shape (…), **constant included**.
#
# <details><summary>A hint</summary>
#
# `math.log(2 * math.pi * std**2)`, once **for each pixel**: add it before the sum.
#
# </details>

# %% implements="vae:gaussian_log_likelihood" level=1
"""log p(image | latents) de chaque image, en nats, pixels de N(mean, std²).

Le résultat est la somme sur les pixels de l'erreur au carré divisée par -2
std², plus une constante, -log(2π std²) / 2 par pixel. Plus `std` est
petit, plus les détails fins comptent, et moins la KL pèse à côté.
"""

# %% scratch=true
# en: one exact pixel; with std = 0.1, its log-density is above 0
# fr: un pixel exact ; avec std = 0,1, sa log-densité dépasse 0
gaussian_log_likelihood(torch.zeros(1, 1), torch.zeros(1, 1), std=0.1)
# → tensor([1.3836])

# %% [markdown] lang="fr"
# Le résultat dépasse 0. Ce n'est pas une faute : une **densité** peut dépasser 1, au contraire d'une probabilité. Ne soyez donc pas
# surpris, plus loin, d'une perte négative.

# %% [markdown] lang="en"
# The result is above 0. This is no mistake: a **density** may exceed 1, unlike a probability. So do not be surprised, further on, at a
# loss below zero.

# %% [markdown] lang="fr"
# ### Deux termes qui tirent
#
# Mettons les deux termes face à face. Appelons **nuage** d'une image la loi $q(z \mid x)$ que l'encodeur lui donne. Voici ce que coûte le
# nuage d'un latent, en divergence, selon son écart-type, pour trois moyennes. **Devinez** : où ce prix est-il nul ? Et quel nuage la
# reconstruction, elle, voudrait-elle ?

# %% [markdown] lang="en"
# ### Two terms that pull
#
# Let us put the two terms face to face. Let the **cloud** of a picture be the distribution $q(z \mid x)$ that the encoder gives it. Here
# is what the cloud of one latent costs, in divergence, by its standard deviation, for three means. **Guess**: where is this price zero?
# And which cloud would reconstruction want?

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Deux termes qui tirent
#
# Où est-elle nulle ? Que coûte un nuage trop fin ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. Two terms that pull
#
# Where is it zero? What does too thin a cloud cost?

# %% slide="fragment" tags=["hide-input"]
spreads = torch.linspace(0.05, 2.5, 200)
figure, axes = plot(width=6.4, height=3.4)
for place, colour in ((0.0, BLUE), (1.0, ORANGE), (2.0, VERMILION)):
    costs = kl_to_standard_normal(torch.full((200, 1), place),
                                  2 * spreads.log()[:, None])
    axes.plot(spreads, costs, color=colour, linewidth=2,
              label=say(f"mean {place:g}", f"moyenne {place:g}"))
axes.axvline(1, color="grey", linestyle=":")
axes.set(xlabel=say("standard deviation of the cloud", "écart-type du nuage"),
         ylabel=say("divergence (nats)", "divergence (nats)"), ylim=(0, 5))
legend(axes)
picture(figure, say("The divergence of one latent against its standard "
                    "deviation: lowest at 1, and higher the further the mean is "
                    "from 0.",
                    "La divergence d'un latent selon son écart-type : minimale "
                    "à 1, et plus haute quand la moyenne s'éloigne de 0."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Écrire la formule au tableau ; faire calculer N(1, 1) (un demi) puis N(0, 4) (0,807). Demander où la divergence est nulle (moyenne
# 0, écart-type 1 : le nuage de toutes les images, qui ne dit rien de celle-ci) et ce que la reconstruction voudrait, elle. (Un point : un
# écart-type de 0, que la divergence rend infiniment cher.) Les deux termes tirent en sens contraire.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. Write the formula on the board; have N(1, 1) worked out (one half), then N(0, 4) (0.807). Ask where the divergence is zero (mean 0,
# standard deviation 1: the cloud of all pictures, which says nothing of this one), and what reconstruction would want. (A point: a standard
# deviation of 0, which the divergence makes infinitely dear.) The two terms pull in opposite directions.

# %% [markdown] lang="fr"
# La divergence n'est nulle que pour le nuage $N(0, 1)$, le même pour toutes les images : il ne dit rien de celle-ci. La reconstruction,
# elle, voudrait un point. Entre les deux, un compromis, et un **prix** : forcer les codes à suivre une loi connue, c'est reconstruire un
# peu moins bien.

# %% [markdown] lang="en"
# The divergence is zero only for the cloud $N(0, 1)$, the same for all pictures: it says nothing of this one. Reconstruction would want a
# point. Between the two there is a compromise, and a **price**: to force the codes to follow a known distribution is to rebuild a little
# less well.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercices 7 à 9 · Les deux termes
#
# **15 min.**
#
# - **7** ●● `kl_to_standard_normal` : somme sur les latents.
# - **8** ● `bernoulli_log_likelihood` : noir ou blanc.
# - **9** ● `gaussian_log_likelihood` : gris.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercises 7 to 9 · The two terms
#
# **15 min.**
#
# - **7** ●● `kl_to_standard_normal`: summed over latents.
# - **8** ● `bernoulli_log_likelihood`: black or white.
# - **9** ● `gaussian_log_likelihood`: grey.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner la section 7. Fautes à guetter : la moyenne au lieu de la somme (elle change l'équilibre, section 12) ; la divergence
# dans l'autre sens ; la sigmoïde deux fois ; la constante comptée une fois pour toute l'image. Qui a fini retrouve 12,5 nats.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out section 7. Mistakes to look for: the mean instead of the sum (it changes the balance, section 12); the divergence in
# the other direction; the sigmoid taken twice; the constant counted once for the whole picture. Those who finish find 12.5 nats again.

# %% [markdown] lang="fr"
# ## 8. Mettre le hasard dehors
#
# L'encodeur donne $\mu$ et $\sigma$ ; on tire $z$ de $N(\mu, \sigma^2)$ ; le décodeur rend l'image ; la perte rétropropage… jusqu'au
# tirage. Quelle est la pente d'un **tirage au sort** par rapport à $\mu$ ? **Devinez** ce qu'en dit PyTorch : tirons des $z$ de
# $N(1{,}5 ; 0{,}5^2)$ et demandons la pente de la moyenne de $z^2$. En espérance, $z^2$ vaut $\mu^2 + \sigma^2$ : les pentes devraient
# être $2 \mu = 3$ et $2 \sigma = 1$.

# %% [markdown] lang="en"
# ## 8. Put the chance outside
#
# The encoder gives $\mu$ and $\sigma$; $z$ is sampled from $N(\mu, \sigma^2)$; the decoder gives the picture; the loss backpropagates… as
# far as the sampling. What is the slope of a **random sample** with respect to $\mu$? **Guess** what PyTorch says: let us sample values
# $z$ from $N(1.5, 0.5^2)$ and ask for the slope of the mean of $z^2$. In expectation $z^2$ is $\mu^2 + \sigma^2$: the slopes ought to be
# $2 \mu = 3$ and $2 \sigma = 1$.

# %%
def slopes(sampled):
    centre = torch.tensor(1.5, requires_grad=True)
    spread = torch.tensor(0.5, requires_grad=True)
    z = sampled(centre.expand(10_000), spread.expand(10_000))
    z.square().mean().backward()
    return centre.grad.item(), spread.grad.item()


# %%
def lots(centre, spread):
    return torch.normal(centre, spread, generator=torch.Generator().manual_seed(0))


def noise_outside(centre, spread):
    noise = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    return centre + spread * noise


for name, sampled in ((say("sampled within", "tiré dedans"), lots),
                      (say("noise outside", "bruit dehors"), noise_outside)):
    print(f"{name:16}", *(decimal(slope, 2) for slope in slopes(sampled)))

# %% claims=true
assert slopes(lots) == (0, 0)
assert abs(slopes(noise_outside)[0] - 3) < 0.05 and abs(slopes(noise_outside)[1] - 1) < 0.05

# %% [markdown] lang="fr"
# Sur la première ligne, zéro et zéro : le tirage coupe le gradient, sans un mot. L'encodeur n'apprendrait rien de la reconstruction. La
# seconde ligne trouve 3 et 1, au hasard près. C'est le remède, et il tient en une ligne : la **reparamétrisation** ([](work:kingma2014),
# § 2.4 ; [](work:rezende2014)). On tire $\varepsilon$ de $N(0, 1)$, **hors** du réseau : c'est là que l'on jette le dé. Puis l'on calcule
#
# $$ z = \mu + \sigma \, \varepsilon , \qquad \sigma = e^{\frac12 \log \sigma^2} $$
#
# La loi de $z$ est la même. Mais $\mu$ et $\sigma$ sont maintenant dans une formule : $\partial z / \partial \mu = 1$ et
# $\partial z / \partial \sigma = \varepsilon$. Sur la figure, le gradient, en pointillés, s'arrête au dé à gauche ; à droite, il passe.

# %% [markdown] lang="en"
# On the first line, zero and zero: the sampling cuts the gradient, without a word. The encoder would learn nothing from the
# reconstruction. The second line finds 3 and 1, but for the luck of the samples. This is the remedy, and it is one line:
# **reparametrisation** ([](work:kingma2014), § 2.4; [](work:rezende2014)). Sample $\varepsilon$ from $N(0, 1)$, **outside** the network:
# the die is thrown there. Then compute
#
# $$ z = \mu + \sigma \, \varepsilon , \qquad \sigma = e^{\frac12 \log \sigma^2} $$
#
# The distribution of $z$ is the same. But $\mu$ and $\sigma$ are now within a formula: $\partial z / \partial \mu = 1$ and
# $\partial z / \partial \sigma = \varepsilon$. In the picture the gradient, dashed, stops at the die on the left; on the right it passes.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Mettre le hasard dehors
#
# À gauche, le gradient s'arrête au dé. À droite, il passe.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. Put the chance outside
#
# On the left the gradient stops at the die. On the right it passes.

# %% tags=["hide-input"]
def box(panel, x, y, text, colour):
    panel.text(x, y, text, ha="center", va="center", fontsize=14,
               bbox=dict(boxstyle="round,pad=0.35", facecolor=colour,
                         edgecolor="black"))


def arrows(panel, pairs, colour="black", style="-", bend=0.0):
    for start, end in pairs:
        panel.annotate("", end, start, arrowprops=dict(
            arrowstyle="-|>", lw=2, color=colour, linestyle=style, shrinkA=18,
            shrinkB=18, mutation_scale=16, connectionstyle=f"arc3,rad={bend}"))


# %% tags=["hide-input"]
means, spread_of_z, sampled_z, loss_place = (0.5, 0), (2.5, 0), (1.5, 1.5), (1.5, 3)


def draw_common(panel):
    box(panel, *means, r"$\mu$", "#DDDDDD")
    box(panel, *spread_of_z, r"$\sigma$", "#DDDDDD")
    box(panel, *loss_place, say("loss", "perte"), "#DDDDDD")
    arrows(panel, ((means, sampled_z), (spread_of_z, sampled_z),
                   (sampled_z, loss_place)))
    panel.set(xlim=(-0.3, 4.3), ylim=(-0.6, 3.6))
    panel.set_axis_off()


# %% tags=["hide-input"]
def draw_the_way_on(panel):
    # en: from z, the gradient goes on to the mean and the standard deviation
    # fr: de z, le gradient va jusqu'à la moyenne et à l'écart-type
    arrows(panel, (((0.85, 1.4), means),), VERMILION, "--", bend=0.3)
    arrows(panel, (((2.15, 1.4), spread_of_z),), VERMILION, "--", bend=-0.3)


# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=8.0, height=3.6)
for panel in panels:
    draw_common(panel)
draw_the_way_on(panels[1])
box(panels[0], *sampled_z, r"$z \sim N(\mu, \sigma^2)$", ORANGE)
box(panels[1], *sampled_z, r"$z = \mu + \sigma\,\varepsilon$", SKY)
box(panels[1], 3.8, 1.5, r"$\varepsilon$", ORANGE)
arrows(panels[1], (((3.8, 1.5), (1.95, 1.5)),))
for panel in panels:
    arrows(panel, ((loss_place, sampled_z),), VERMILION, "--", bend=0.5)
panels[0].set_title(say("the die within", "le dé dedans"))
panels[1].set_title(say("the die outside", "le dé dehors"))
picture(figure, say("Two graphs: with the sampling inside, the dashed gradient "
                    "stops at z; with the noise outside, it goes on to the "
                    "mean and to the standard deviation.",
                    "Deux graphes : si le tirage est dedans, le gradient en "
                    "pointillés s'arrête à z ; si le bruit est dehors, il va "
                    "jusqu'à la moyenne et à l'écart-type."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire deviner les deux pentes avant de montrer : 0 et 0 dedans, 3 et 1 dehors. Demander où est passé le hasard. (Dans epsilon,
# qui n'a pas de paramètre.) Faire remarquer que la loi de z n'a pas changé.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Have both slopes guessed before showing them: 0 and 0 within, 3 and 1 outside. Ask where the chance has gone. (Into epsilon,
# which has no parameter.) Point out that the distribution of z has not changed.

# %% [markdown] lang="fr"
# Écrivez `reparametrise(mean, log_variance, generator)`, deux tenseurs de même forme (…, k). Rendez un tirage de cette forme. Le hasard
# vient d'un seul appel de `torch.randn`, avec `generator`, la forme, l'appareil et le type de `mean`.
#
# <details><summary>Un indice</summary>
#
# `torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# $\sigma$ est `(log_variance / 2).exp()` : avec le demi, sinon c'est la variance.
#
# </details>

# %% [markdown] lang="en"
# Write `reparametrise(mean, log_variance, generator)`, two tensors of the same shape (…, k). Return one sample of that shape. The chance
# comes from a single call of `torch.randn`, with `generator`, and the shape, device and dtype of `mean`.
#
# <details><summary>A hint</summary>
#
# `torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# $\sigma$ is `(log_variance / 2).exp()`: with the half, or else it is the variance.
#
# </details>

# %% implements="vae:reparametrise" level=2
"""Tire des latents de N(mean, variance) : mean + σ ε, ε de loi normale
réduite.

`log_variance` est le logarithme naturel de σ², si bien que σ est
exp(log_variance / 2). ε vient de `torch.randn`, appelée une fois, avec
`generator` et la forme, l'appareil et le type de `mean`. Tout le hasard
est dans ε : le gradient traverse la moyenne et σ (Kingma et Welling 2014,
§ 2.4).
"""

# %% scratch=true
# en: a log-variance of -100: hardly any spread, the sample is the mean
# fr: une log-variance de -100 : presque pas d'étalement, le tirage est la moyenne
reparametrise(torch.tensor([2.0, -1.0]), torch.full((2,), -100.0),
              torch.Generator().manual_seed(0))
# → tensor([ 2., -1.])

# %% [markdown] lang="fr"
# ## 9. Le VAE
#
# Tout est prêt. Le **VAE**, auto-encodeur variationnel ([](work:kingma2014)), est le réseau qui pousse la borne vers le haut :
#
# 1. l'encodeur donne la moyenne et la log-variance des latents de l'image ;
# 2. on tire $z$ par la reparamétrisation, une fois par image ;
# 3. le décodeur donne la moyenne de chaque pixel ;
# 4. la perte est l'opposé de l'ELBO : moins la log-vraisemblance, plus la divergence ;
# 5. on rétropropage dans le décodeur **et** dans l'encodeur.
#
# $$ \text{perte} = - \log p_\theta(x \mid z) + \beta \, \mathrm{KL}\big(q_\phi(z \mid x) \,\|\, N(0, 1)\big) $$
#
# avec $\beta = 1$ pour l'ELBO. Les moyennes et les variances changent donc d'une image à l'autre : $\sigma$ n'est pas apprise une fois
# pour toutes.
#
# **Pour générer**, il n'y a pas d'image, donc ni $\mu$ ni $\sigma$. On tire $\varepsilon$ de $N(0, 1)$, on pose $z = \varepsilon$, on
# décode. C'est pour que cela marche que la divergence a rapproché tous les nuages de $N(0, 1)$.

# %% [markdown] lang="en"
# ## 9. The VAE
#
# All is ready. The **VAE**, variational autoencoder ([](work:kingma2014)), is the network that pushes the bound up:
#
# 1. the encoder gives the mean and the log-variance of the picture's latents;
# 2. $z$ is sampled by reparametrisation, once for each picture;
# 3. the decoder gives the mean of each pixel;
# 4. the loss is minus the ELBO: minus the log-likelihood, plus the divergence;
# 5. backpropagate through the decoder **and** the encoder.
#
# $$ \text{loss} = - \log p_\theta(x \mid z) + \beta \, \mathrm{KL}\big(q_\phi(z \mid x) \,\|\, N(0, 1)\big) $$
#
# with $\beta = 1$ for the ELBO. So means and variances change from picture to picture: $\sigma$ is not learned once and for all.
#
# **To generate**, there is no picture, hence neither $\mu$ nor $\sigma$. Sample $\varepsilon$ from $N(0, 1)$, set $z = \varepsilon$,
# decode. It is for this to work that the divergence has brought all clouds near $N(0, 1)$.

# %% [markdown] lang="fr"
# Les couches de `VAE`, `encode`, `decode` et `log_likelihood` sont données. Écrivez deux méthodes.
#
# - `loss(images, generator)`, pour des images de forme (n, d), rend un dictionnaire de quatre nombres : `"reconstruction"`, moins la
#   log-vraisemblance ; `"kl"` ; `"elbo"`, l'opposé de leur somme, sans bêta ; `"loss"`, la reconstruction plus `self.config.beta` fois la
#   divergence. Tous sont des **moyennes sur les images** ; tous sauf `"loss"` sont détachés (`.detach()`), pour que l'on puisse les noter
#   sans garder le graphe.
# - `sample(count, generator)` rend `count` images nouvelles, de forme (count, d). Un seul `torch.randn`, dans le type des poids et sur
#   leur appareil.
#
# <details><summary>Un indice</summary>
#
# `mean, log_variance = self.encode(images)`, puis `reparametrise`, puis `self.log_likelihood(images, latents)`, qui rend un nombre par
# image : `.mean()`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `elbo = -(reconstruction + kl)` : sans bêta.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Pour `sample`, `weight = next(self.parameters())` donne un poids, qui a `.device` et `.dtype` ; les latents sont de forme (`count`,
# `self.config.latent`), et `self.decode` en fait des pixels.
#
# </details>

# %% [markdown] lang="en"
# The layers of `VAE`, `encode`, `decode` and `log_likelihood` are given. Write two methods.
#
# - `loss(images, generator)`, for pictures of shape (n, d), returns a dictionary of four numbers: `"reconstruction"`, minus the
#   log-likelihood; `"kl"`; `"elbo"`, minus their sum, without beta; `"loss"`, the reconstruction plus `self.config.beta` times the
#   divergence. All are **means over pictures**; all but `"loss"` are detached (`.detach()`), so that they can be noted without keeping
#   the graph.
# - `sample(count, generator)` returns `count` new pictures, of shape (count, d). A single `torch.randn`, in the type of the weights and
#   on their device.
#
# <details><summary>A hint</summary>
#
# `mean, log_variance = self.encode(images)`, then `reparametrise`, then `self.log_likelihood(images, latents)`, which gives a number for
# each picture: `.mean()`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `elbo = -(reconstruction + kl)`: without beta.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# For `sample`, `weight = next(self.parameters())` gives a weight, which has `.device` and `.dtype`; the latents are of shape (`count`,
# `self.config.latent`), and `self.decode` makes pixels of them.
#
# </details>

# %% implements="vae:VAE" level=3 hollow=["loss", "sample"]
"""Un encodeur et un décodeur, et entre eux des latents de loi normale.

L'encodeur donne la moyenne et la log-variance de chaque latent. Le
décodeur donne de chaque pixel le logit (Bernoulli) ou la moyenne
(normale).

La perte somme sur les pixels et sur les latents, et moyenne sur les
images, car la vraisemblance et la KL appartiennent toutes deux à une image
entière. Moyenner l'une sur son axe changerait leur équilibre, et le sens
de `beta` = 1.
"""
"""La moyenne et la log-variance des latents de chaque image."""
"""La moyenne de chaque pixel, sachant les latents.

Sous la loi de Bernoulli, elle est dans [0, 1].
"""
"""log p(image | latents) de chaque image, en nats."""
"""L'opposé de l'ELBO, sa KL multipliée par `beta`, et ses parts, en nats.

« reconstruction » est moins la log-vraisemblance, pour des latents de
chaque image que `reparametrise` tire une fois. « elbo » est
-(reconstruction + kl), sans `beta`. « loss » est reconstruction + beta *
kl ; si beta = 1, c'est moins l'ELBO (Kingma et Welling 2014, équation 3).
Toutes les valeurs sont des moyennes sur les images, et toutes sauf
« loss » sont détachées.
"""
"""Des images décodées de latents tirés de N(0, 1).

Ils viennent d'un seul `torch.randn`, dans le type des poids du réseau, et
sur leur appareil, où `generator` doit se trouver.
"""

# %% scratch=true
torch.manual_seed(0)
newborn = VAE(VAEConfig(64, 2, (8,), "gaussian", std=0.2))
# en: minus the ELBO is the loss, since beta is 1
# fr: l'opposé de l'ELBO est la perte, puisque bêta vaut 1
parts = newborn.loss(torch.zeros(3, 64), torch.Generator().manual_seed(0))
bool(parts["loss"] == -parts["elbo"])  # → True

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 10-11"
# ### Exercices 10 et 11 · Le VAE
#
# **20 min.**
#
# - **10** ●● `reparametrise` : le dé dehors.
# - **11** ●●● `VAE` : la perte, puis le tirage.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 10-11"
# ### Exercises 10 and 11 · The VAE
#
# **20 min.**
#
# - **10** ●● `reparametrise`: the die outside.
# - **11** ●●● `VAE`: the loss, then sampling.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner la section 8 et le début de la 9. Fautes à guetter : la variance au lieu de l'écart-type ; la divergence sommée sur le
# lot ; bêta dans l'ELBO ; dans `sample`, `self.decoder` au lieu de `self.decode`. Qui a fini dit pourquoi l'on tire une fois par image,
# et non cent. (Le lot en fait déjà beaucoup.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out section 8 and the beginning of 9. Mistakes to look for: the variance instead of the standard deviation; the divergence
# summed over the batch; beta in the ELBO; in `sample`, `self.decoder` instead of `self.decode`. Those who finish say why one samples once
# for each picture, and not a hundred times. (The batch makes many already.)

# %% [markdown] lang="fr"
# ### Qui a écrit cela ? La réponse
#
# La machine du début est un VAE de dix latents. Chargeons ses poids dans **votre** classe : `sample(60)` redonne ses chiffres ; nous en
# avions gardé les six qui ressemblent le plus à un chiffre connu. Revoici les douze, avec leur origine. Combien en aviez-vous trouvé ?

# %% [markdown] lang="en"
# ### Who wrote this? The answer
#
# The machine of the beginning is a VAE of ten latents. Let us load its weights into **your** class: `sample(60)` gives its digits again;
# we had kept the six that are most like a known digit. Here are the twelve again, with where they come from. How many had you found?

# %%
digit_vaes = {10: VAE(TEN)}
digit_vaes[10].load_state_dict(forger_weights)
again = digit_vaes[10].sample(60, torch.Generator().manual_seed(4))[likest]
print(say("the same six digits:", "les six mêmes chiffres :"),
      say("yes", "oui") if torch.allclose(again, forged, atol=1e-5) else say("no", "non"))

# %% claims=true
assert torch.allclose(again, forged, atol=1e-5)
assert how_strange(forged).min() > 0.1

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. La réponse
#
# Personne n'a écrit les encadrés.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. The answer
#
# Nobody wrote the framed ones.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 6, width=7.6, height=3.2)
for number, (panel, which) in enumerate(zip(panels.flat, mixed), start=1):
    show(panel, twelve[which], str(number))
    if which >= 6:
        panel.spines[:].set(visible=True, color=VERMILION, linewidth=5)
machine = [str(number) for number, which in enumerate(mixed, start=1) if which >= 6]
listed = ", ".join(machine)
picture(figure, say("The twelve digits; those that nobody wrote are framed: "
                    f"{listed}.",
                    "Les douze chiffres ; ceux que personne n'a écrits sont "
                    f"encadrés : {listed}."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Confronter aux votes du début. Demander à qui s'est trompé ce qui l'a trompé, et à qui a trouvé ce qui a trahi la machine. (Un
# peu de flou, des gris.) Puis faire dire le trajet : un tirage de dix nombres, le décodeur, c'est tout.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Compare with the votes of the beginning. Ask those who were wrong what misled them, and those who found them what gave the
# machine away. (A little blur, greys.) Then have the way told: ten numbers sampled, the decoder, that is all.

# %% [markdown] lang="fr"
# Personne n'a écrit les chiffres encadrés, et ce ne sont pas des copies : aucun n'est un chiffre connu. Dix nombres de $N(0, 1)$, un
# décodeur, et voilà un chiffre. Mais nous avons choisi les six meilleurs de soixante ; la suite juge tous les tirages.

# %% [markdown] lang="en"
# Nobody wrote the framed digits, and they are no copies: none is a known digit. Ten numbers from $N(0, 1)$, a decoder, and here is a
# digit. But we chose the six best of sixty; what follows judges all samples.

# %% [markdown] lang="fr"
# ### Deux, cinq, dix, vingt latents
#
# Combien de latents faut-il ? Entraînons les tailles de la figure 5 de [](work:kingma2014) : 2, 5, 10 et 20. Pour chacune, mesurons sur
# des chiffres nouveaux l'erreur de reconstruction, en décodant la **moyenne** de chaque nuage (à l'essai, on prend la moyenne ; on ne
# tire que pour apprendre et pour générer), l'ELBO, et l'étrangeté de 200 images tirées. **Devinez** : l'erreur, l'ELBO et l'étrangeté
# s'améliorent-elles toutes trois quand on ajoute des latents ?

# %% [markdown] lang="en"
# ### Two, five, ten, twenty latents
#
# How many latents are needed? Let us train the sizes of figure 5 of [](work:kingma2014): 2, 5, 10 and 20. For each, let us measure on new
# digits the reconstruction error, decoding the **mean** of each cloud (in use one takes the mean; one samples only to learn and to
# generate), the ELBO, and the strangeness of 200 sampled pictures. **Guess**: do error, ELBO and strangeness all three improve as latents
# are added?

# %%
from dataclasses import replace


def train_other_sizes():
    weights = {}
    for size in (2, 5, 20):
        torch.manual_seed(0)
        network = VAE(replace(TEN, latent=size))
        learn(network, known, loss_of_vae)
        weights[str(size)] = network.state_dict()
    return weights


other_sizes = kept("other_sizes", train_other_sizes, patience=5)
for size in (2, 5, 20):
    digit_vaes[size] = VAE(replace(TEN, latent=size))
    digit_vaes[size].load_state_dict(other_sizes[str(size)])

# %%
@torch.no_grad()
def measured(network):
    generator = torch.Generator().manual_seed(0)
    rebuilt = network.decode(network.encode(new)[0])
    # en: each picture twenty times, to average over the sampling
    # fr: chaque image vingt fois, pour moyenner sur le tirage
    elbo = network.loss(new.repeat(20, 1), generator)["elbo"].item()
    sampled = network.sample(200, generator)
    return error(rebuilt, new), elbo, how_strange(sampled).mean().item()


of_sizes = {size: measured(digit_vaes[size]) for size in sizes}
print(say("latents   error   ELBO   strangeness", "latents  erreur   ELBO    étrangeté"))
for size, (lost, elbo, odd) in of_sizes.items():
    print(f"{size:5} {decimal(lost, 2):>9} {decimal(elbo, 1):>7}",
          f"{decimal(odd, 2):>10}")

# %% claims=true
assert of_sizes[2][0] > 1.5 * of_sizes[5][0] and of_sizes[2][1] < of_sizes[5][1] - 3
assert max(of_sizes, key=lambda size: of_sizes[size][1]) != 20
assert max(of_sizes[2][2], of_sizes[5][2]) < 0.9 * min(of_sizes[10][2], of_sizes[20][2])
assert all(odd < 0.75 * fitted_strangeness for _, _, odd in of_sizes.values())
assert abs(of_sizes[20][0] - of_sizes[10][0]) < 0.25 * (of_sizes[2][0] - of_sizes[10][0])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Des chiffres tirés du bruit
#
# 2, 5, 10, 20 latents : qu'est-ce qui change ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Digits out of noise
#
# 2, 5, 10, 20 latents: what changes?

# %% tags=["hide-input"]
def mosaic(panel, pictures, columns, title=""):
    # en: pictures of 8 × 8 in rows, with a grey line between them
    # fr: des images de 8 × 8 en rangées, séparées par un trait gris
    framed = F.pad(pictures.detach().unflatten(1, (8, 8)), (0, 1, 0, 1), value=0.5)
    rows = framed.unflatten(0, (-1, columns)).transpose(1, 2)
    rows = rows.flatten(0, 1).flatten(1)
    panel.imshow(rows[:-1, :-1], cmap="gray", vmin=0, vmax=1)
    panel.set_title(title)
    panel.set_axis_off()


# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 4, width=9.0, height=2.7)
for panel, size in zip(panels, sizes):
    mosaic(panel, digit_vaes[size].sample(36, torch.Generator().manual_seed(1)), 6,
           say(f"{size} latents", f"{size} latents"))
picture(figure, say("Four sheets of 36 digits sampled from 2, 5, 10 and 20 "
                    "latents; with 2 they are few kinds and soft, with more "
                    "they vary.",
                    "Quatre planches de 36 chiffres, tirés de 2, 5, 10 et 20 "
                    "latents ; à 2, peu de sortes, et douces ; à plus, ils "
                    "varient."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire compter les chiffres lisibles par planche. Avec 2 latents, la reconstruction est la plus mauvaise ; à partir de 5, on ne
# gagne presque plus, et à 10 les images tirées sont plus étranges. Demander combien ils en choisiraient, et pour quoi faire. (Pour
# regarder : 2 ; pour reconstruire : 10.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Have the readable digits of each sheet counted. With 2 latents reconstruction is worst; from 5 on one hardly gains any more, and
# with 10 sampled pictures are stranger. Ask how many they would choose, and what for. (To look: 2; to rebuild: 10.)

# %% [markdown] lang="fr"
# Non : elles ne vont pas ensemble. De 2 à 5 latents, l'erreur tombe de plus d'un tiers et l'ELBO monte ; ensuite on ne gagne presque
# plus, et 20 latents n'ont pas le meilleur ELBO. Quant aux images tirées, elles deviennent **plus** étranges à 10 et 20 latents qu'à 2 et
# 5 : il y a plus de place où se perdre. Dans tous les cas, elles sont bien moins étranges que celles de l'auto-encodeur ordinaire,
# même quand ses codes avaient la bonne moyenne et le bon écart-type.

# %% [markdown] lang="en"
# No: they do not go together. From 2 to 5 latents the error falls by more than a third and the ELBO rises; beyond, one hardly gains any
# more, and 20 latents do not have the best ELBO. As for the sampled pictures, they become **stranger** with 10 and 20 latents than with 2
# and 5: there is more room to get lost in. In all cases they are far less strange than those of the plain autoencoder,
# even when its codes had the right mean and spread.

# %% [markdown] lang="fr"
# ### Le nuage d'une seule image
#
# L'encodeur donne à chaque image un nuage, et non un point. Tirons-y plusieurs fois. **Devinez** : les images décodées seront-elles
# toutes pareilles ? Quels pixels changeront le plus ?

# %% [markdown] lang="en"
# ### The cloud of a single picture
#
# The encoder gives each picture a cloud, and not a point. Let us sample there several times. **Guess**: will the decoded pictures all be
# alike? Which pixels will change most?

# %%
@torch.no_grad()
def cloud_of(network, digit, count):
    mean, log_variance = network.encode(digit[None].repeat(count, 1))
    generator = torch.Generator().manual_seed(0)
    return network.decode(reparametrise(mean, log_variance, generator))


one_digit = new[1]
cloud = cloud_of(digit_vaes[10], one_digit, 200)
unsure = cloud.std(dim=0)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Le nuage d'une image
#
# Où le VAE hésite-t-il ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The cloud of a picture
#
# Where does the VAE hesitate?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 6, width=9.0, height=2.0)
titles = say("written|sample 1|sample 2|sample 3|sample 4|unsure",
             "écrit|tirage 1|tirage 2|tirage 3|tirage 4|peu sûr").split("|")
shown = [one_digit, *cloud[:4], unsure / unsure.max()]
for panel, each, title in zip(panels, shown, titles):
    show(panel, each, title)
picture(figure, say("A written digit, four samples of its cloud, all nearly "
                    "that digit, and a map of the pixels that change.",
                    "Un chiffre écrit, quatre tirages de son nuage, presque "
                    "pareils, et la carte des pixels qui changent."))

# %% claims=true
spread_within = (cloud - cloud.mean(dim=0)).square().sum(dim=1).mean().item()
spread_of_all = (known - known.mean(dim=0)).square().sum(dim=1).mean().item()
assert spread_within < 0.25 * spread_of_all
changing, still = known.std(dim=0) > 0.2, known.std(dim=0) < 0.05
assert unsure[changing].mean() > 4 * unsure[still].mean()

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. C'est la troisième chose attendue d'une loi : l'incertitude. Demander pourquoi les bords gauche et droit sont sûrs. (Les chiffres
# n'y ont guère de blanc.) Des codes voisins, des images voisines : c'est la continuité, vue de près.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. This is the third thing asked of a distribution: uncertainty. Ask why the left and right edges are sure. (Digits have hardly any
# white there.)
# Neighbouring codes, neighbouring pictures: this is continuity, seen from near.

# %% [markdown] lang="fr"
# Des tirages voisins, des images voisines : voilà la **continuité**. La carte de droite dit où le VAE hésite : au milieu, là où passe un
# trait, et presque pas sur les bords gauche et droit, où les chiffres n'ont guère de blanc. C'est la mesure d'incertitude que l'on
# demandait à la [](#a-distribution-over-pictures).

# %% [markdown] lang="en"
# Neighbouring samples, neighbouring pictures: this is **continuity**. The map on the right says where the VAE hesitates: in the middle,
# where a stroke passes, and hardly at the left and right edges, where digits have hardly any white. This is the measure of uncertainty
# that was asked for in
# [](#a-distribution-over-pictures).

# %% [markdown] lang="fr"
# ## 10. Le plan des chiffres
#
# Avec deux latents, on peut tout voir. Plaçons chaque chiffre nouveau à l'endroit où l'encodeur le met : à gauche, l'auto-encodeur
# ordinaire ; à droite, le VAE, avec le cercle de rayon 2. **Devinez** en quoi les nuages diffèrent.

# %% [markdown] lang="en"
# ## 10. The plane of digits
#
# With two latents, everything can be seen. Let us put each new digit where the encoder places it: on the left, the plain autoencoder; on
# the right, the VAE, with the circle of radius 2. **Guess** how the clouds differ.

# %%
with torch.no_grad():
    places = {say("plain autoencoder", "auto-encodeur ordinaire"): plain[2].encoder(new),
              "VAE": digit_vaes[2].encode(new)[0]}
for name, codes in places.items():
    print(f"{name:24}", say("spread:", "écart-type :"),
          *(decimal(each, 2) for each in codes.std(dim=0)))

# %% claims=true
codes_of_plain, codes_of_vae = places.values()
assert ((codes_of_vae.std(dim=0) - 1).abs() < 0.2).all()
assert codes_of_vae.mean(dim=0).abs().max() < 0.25
assert not ((codes_of_plain.std(dim=0) - 1).abs() < 0.2).all()
assert (codes_of_vae.norm(dim=1) < 2).float().mean() > 0.7

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. Deux nuages
#
# Même décodeur, mêmes chiffres : où mettre un code nouveau ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. Two clouds
#
# The same decoder, the same digits: where to put a new code?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 2, width=8.4, height=4.2)
palette = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
for panel, (name, codes) in zip(panels, places.items()):
    for digit in range(10):
        of_digit = codes[new_names == digit]
        panel.scatter(of_digit[:, 0], of_digit[:, 1], s=42, marker=f"${digit}$",
                      color=palette[digit % 6], linewidth=0.2)
    panel.set(title=name, xlabel=say("first latent", "premier latent"))
    panel.set_aspect("equal", adjustable="datalim")
panels[0].set_ylabel(say("second latent", "second latent"))
turn = torch.linspace(0, 2 * math.pi, 100)
panels[1].plot(2 * turn.cos(), 2 * turn.sin(), color="grey", linestyle=":")
picture(figure, say("Two clouds of digits by their codes: the plain "
                    "autoencoder's lies off centre, with gaps, the VAE's fills a "
                    "disc around zero.",
                    "Deux nuages de chiffres selon leurs codes : celui de "
                    "l'auto-encodeur est décentré et troué, celui du VAE remplit "
                    "un disque autour de zéro."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire poser le doigt sur un trou du nuage de gauche. Demander où l'on tirerait un code, à gauche. (On ne sait pas : le nuage n'a
# pas de loi.) À droite : selon N(0, 1), et plus de deux chiffres sur trois sont dans le cercle de rayon 2.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have a finger put on a hole of the left cloud. Ask where one would sample a code, on the left. (Nobody knows: the cloud has no
# distribution.) On the right: by N(0, 1), and more than two digits out of three are within the circle of radius 2.

# %% [markdown] lang="fr"
# À gauche, le nuage est où il veut. À droite, il est centré sur 0, d'écart-type proche de 1, et il est plein : tirer de $N(0, 1)$, c'est
# tomber presque toujours là où l'on a appris. Voilà la **complétude**.
#
# Parcourons ce plan, d'une grille de points. Une grille régulière **en valeur** gaspillerait des images là où l'a priori ne va guère.
# Rendons-la régulière **en probabilité** : avec 4 colonnes, les coordonnées coupent $N(0, 1)$ aux probabilités 1/8, 3/8, 5/8 et 7/8. La
# fonction qui va d'une probabilité à la valeur est l'inverse de la fonction de répartition : `torch.special.ndtri`.

# %% [markdown] lang="en"
# On the left, the cloud is wherever it likes. On the right it is centred on 0, its standard deviation is near 1, and it is full: to
# sample from $N(0, 1)$ is to land nearly always where one has learned. This is **completeness**.
#
# Let us go over this plane, with a grid of points. A grid even **in value** would waste pictures where the prior hardly goes. Let us make
# it even **in probability**: with 4 columns, the coordinates cut $N(0, 1)$ at the probabilities 1/8, 3/8, 5/8 and 7/8. The function that
# goes from a probability to the value is the inverse of the distribution function: `torch.special.ndtri`.

# %% [markdown] lang="fr"
# Écrivez `latent_plane(side)` : un tenseur de forme (`side`, `side`, 2). Sur chaque axe, les valeurs sont `ndtri((i + ½) / side)`, $i$
# de 0 à `side − 1`. Le premier latent croît vers la droite, avec la colonne ; le second croît vers le **haut** : la ligne 0 a le plus
# grand. Calculez en double précision, puis rendez le type par défaut.
#
# <details><summary>Un indice</summary>
#
# `torch.arange(side, dtype=torch.float64)`, plus un demi, sur `side` ; puis `.to(torch.get_default_dtype())`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.meshgrid(values, values.flip(0), indexing="xy")` rend deux grilles ; `torch.stack(…, dim=-1)` les réunit.
#
# </details>

# %% [markdown] lang="en"
# Write `latent_plane(side)`: a tensor of shape (`side`, `side`, 2). On each axis the values are `ndtri((i + ½) / side)`, $i$ from 0 to
# `side − 1`. The first latent grows to the right, with the column; the second grows **upwards**: row 0 has the largest. Compute in double
# precision, then return the default type.
#
# <details><summary>A hint</summary>
#
# `torch.arange(side, dtype=torch.float64)`, plus one half, over `side`; then `.to(torch.get_default_dtype())`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.meshgrid(values, values.flip(0), indexing="xy")` gives two grids; `torch.stack(…, dim=-1)` joins them.
#
# </details>

# %% implements="vae:latent_plane" level=2
"""Une grille carrée de deux latents, régulière en *probabilité*.

Ses coordonnées sont l'inverse de la fonction de répartition de la loi
normale en (i + ½) / side, i de 0 à side - 1. Une grille régulière en
valeur mettrait la plupart de ses images là où l'a priori ne va guère. Le
premier latent croît vers la droite, avec la colonne ; le second vers le
haut : la ligne 0 a le plus grand.
"""

# %% scratch=true
latent_plane(2)[0]
# → tensor([[-0.6745, 0.6745], [ 0.6745, 0.6745]])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### La carte
#
# Qui a pour voisin qui ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The map
#
# Who has whom as a neighbour?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=4.8, height=4.8)
mosaic(axes, digit_vaes[2].decode(latent_plane(13).flatten(0, 1)), 13)
picture(figure, say("A square map of digits, 13 by 13, decoded from the plane: "
                    "from one digit to its neighbour the picture changes little "
                    "by little.",
                    "Une carte carrée de chiffres, 13 sur 13, décodée du plan : "
                    "d'un chiffre au voisin, l'image change peu à peu."))

# %% claims=true
map_of_digits = digit_vaes[2].decode(latent_plane(13)).detach()
neighbours_apart = (map_of_digits[:, 1:] - map_of_digits[:, :-1]).square().sum(dim=-1).mean()
flat_map = map_of_digits.flatten(0, 1)
strangers_apart = torch.cdist(flat_map, flat_map).square().mean()
assert neighbours_apart < 0.15 * strangers_apart

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire nommer les régions, et chercher deux chiffres qui se touchent : que dessine la frontière ? D'une case à la voisine, l'image
# change six fois moins, au moins, qu'entre deux cases quelconques. Passer au plan vivant.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have the regions named, and two digits looked for that touch: what does the border draw? From a square to the next, the picture
# changes at least six times less than between two squares taken at random. Go on to the living plane.

# %% [markdown] lang="fr"
# D'une case à sa voisine, l'image change bien moins qu'entre deux cases quelconques. Tous les chiffres n'ont pas la même place, et
# certains n'en ont guère.
#
# À vous de vous promener. **Tirez le point** dans le plan : le chiffre suit. Avant chaque geste, devinez où vous arriverez.

# %% [markdown] lang="en"
# From a square to the next, the picture changes far less than between two squares taken at random. Some digits have more room than
# others, and some have hardly any.
#
# Walk about yourself. **Drag the point** in the plane: the digit follows. Before each move, guess where you will end up.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Tirez le point, le chiffre suit

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Drag the point, the digit follows

# %% slide="fragment" tags=["output-only-slide"]
from dalle_edu.classroom.widgets.plane_dragger import PlaneDragger

two_latents = ready_made.VAE(replace(TEN, latent=2))
two_latents.load_state_dict(other_sizes["2"])
PlaneDragger(two_latents, new, new_names)

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Le moment attendu. Un élève conduit, la classe annonce le chiffre avant chaque arrêt. Demander un chemin qui passe par le plus de
# chiffres. Chercher une frontière, s'y arrêter : ce que l'on voit là, personne ne l'a écrit.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. The moment all wait for. A student drives, the class calls the digit before each stop. Ask for a way that passes by as many
# digits as possible. Look for a border, stop there: what one sees there, nobody wrote.

# %% [markdown] lang="fr"
# ## 11. D'un 3 à un 6
#
# Avec dix latents, on ne peut plus tout voir, mais on peut **marcher**. Prenons un 3 et un 6, que deux personnes ont écrits ; l'encodeur
# donne leurs codes ; allons de l'un à l'autre, tout droit, en neuf points, et décodons chaque point. **Devinez** ce qu'il y a au milieu.

# %% [markdown] lang="en"
# ## 11. From a 3 to a 6
#
# With ten latents, one can no longer see everything, but one can **walk**. Let us take a 3 and a 6, which two people wrote; the encoder
# gives their codes; let us go from one to the other, straight, in nine points, and decode each point. **Guess** what is in the middle.

# %% [markdown] lang="fr"
# Écrivez `interpolate(first, second, steps)` : deux codes de forme (k,), et un nombre de points. Rendez les points du segment, de forme
# (`steps`, k), également espacés, les **deux bouts compris**, dans le type et sur l'appareil de `first`.
#
# <details><summary>Un indice</summary>
#
# `torch.linspace(0, 1, steps, device=…, dtype=…)` donne les parts du chemin ; `.unsqueeze(-1)` en fait une colonne.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# À la part $t$ du chemin : $(1 - t)$ fois le premier, plus $t$ fois le second.
#
# </details>

# %% [markdown] lang="en"
# Write `interpolate(first, second, steps)`: two codes of shape (k,), and a number of points. Return the points of the segment, of shape
# (`steps`, k), evenly spaced, **both ends included**, in the type and on the device of `first`.
#
# <details><summary>A hint</summary>
#
# `torch.linspace(0, 1, steps, device=…, dtype=…)` gives the parts of the way; `.unsqueeze(-1)` makes a column of them.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# At part $t$ of the way: $(1 - t)$ times the first, plus $t$ times the second.
#
# </details>

# %% implements="vae:interpolate" level=1
"""L'interpolation linéaire d'un latent à un autre, les deux bouts compris.

Les `steps` lignes sont également espacées, dans le type et sur l'appareil
de `first`.
"""

# %% scratch=true
interpolate(torch.tensor([0.0, 4.0]), torch.tensor([2.0, 0.0]), 3).tolist()
# → [[0.0, 4.0], [1.0, 2.0], [2.0, 0.0]]

# %%
a_three = known[known_names == 3][1]
a_six = known[known_names == 6][1]
with torch.no_grad():
    both_codes = digit_vaes[10].encode(torch.stack([a_three, a_six]))[0]
    walk = digit_vaes[10].decode(interpolate(*both_codes, 9))
fade = interpolate(a_three, a_six, 9)
nearest = torch.cdist(walk, known).argmin(dim=1)
print(say("nearest known digit:", "chiffre connu le plus proche :"),
      *known_names[nearest].tolist())
print(say("strangeness in the middle: walk", "étrangeté au milieu : marche"),
      decimal(how_strange(walk)[4].item(), 2), say("fade", "fondu"),
      decimal(how_strange(fade)[4].item(), 2))

# %% claims=true
passed = known_names[nearest].tolist()
assert passed[0] == 3 and passed[-1] == 6 and 8 in passed
assert how_strange(walk).min() > 0.1
assert how_strange(walk)[4] < 0.7 * how_strange(fade)[4]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. D'un 3 à un 6
#
# Par où passe-t-on ? En haut, dans les latents ; en bas, un fondu de pixels.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. From a 3 to a 6
#
# What does one pass? Above, in the latents; below, a fade of pixels.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 9, width=9.4, height=2.7)
for line, pictures, name in zip(panels, (walk, fade), say("walk|fade",
                                                          "marche|fondu").split("|")):
    for panel, each in zip(line, pictures):
        show(panel, each)
    line[0].set_ylabel(name, fontsize=14)
picture(figure, say("Above, nine digits from a 3 to a 6: in the middle they "
                    "look like an 8. Below, a fade, where both digits show "
                    "through each other.",
                    "En haut, neuf chiffres d'un 3 à un 6 : au milieu, ils "
                    "ressemblent à un 8. En bas, un fondu, où les deux se "
                    "voient l'un à travers l'autre."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Découvrir les neuf images une à une, la classe nomme chacune. Au milieu, on dirait un 8. Qui l'a écrit ? (Personne : aucun
# chiffre connu n'est à distance nulle.) Comparer au fondu, où l'on voit deux chiffres à la fois.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Uncover the nine pictures one by one; the class names each. In the middle it looks like an 8. Who wrote it? (Nobody: no known
# digit is at distance zero.) Compare with the fade, where one sees two digits at once.

# %% [markdown] lang="fr"
# Du 3 au 6, on passe par quelque chose qui ressemble à un **8** : le chiffre connu le plus proche en est un. Et personne n'a écrit ces
# images : aucune n'est un chiffre connu. Le fondu, lui, montre les deux chiffres l'un à travers l'autre, et son milieu est bien plus
# étrange. Le décodeur a appris où sont les chiffres ; la droite des pixels n'en sait rien.

# %% [markdown] lang="en"
# From the 3 to the 6, one passes something that looks like an **8**: the nearest known digit is one. And nobody wrote these pictures:
# none is a known digit. The fade shows both digits through each other, and its middle is clearly stranger. The decoder has learned where
# digits are; the straight line of pixels knows nothing of it.

# %% [markdown] lang="fr"
# ### Par l'arc
#
# Tout droit, est-ce le bon chemin ? En une dimension, la normale réduite est surtout près de 0. En beaucoup de dimensions, c'est
# l'inverse. **Devinez** la longueur d'un tirage de $N(0, 1)$ en 100 dimensions, et celle du milieu de deux tirages.

# %% [markdown] lang="en"
# ### Along the arc
#
# Is straight the right way? In one dimension, the standard normal is mostly near 0. In many dimensions it is the other way round.
# **Guess** the length of a sample of $N(0, 1)$ in 100 dimensions, and that of the middle of two samples.

# %%
print(say("dimensions   length  (spread)   middle of two",
          "dimensions   longueur (écart)   milieu de deux"))
lengths = {}
for size in (2, 10, 100):
    pairs = torch.randn(2, 4000, size, generator=torch.Generator().manual_seed(0))
    ends, middles = pairs[0].norm(dim=1), pairs.mean(dim=0).norm(dim=1)
    lengths[size] = ends
    print(f"{size:6} {decimal(ends.mean().item(), 2):>14}"
          f"   ({decimal(ends.std().item(), 2)})",
          f"{decimal(middles.mean().item(), 2):>14}")

# %% claims=true
assert abs(lengths[100].mean() - 10) < 0.1 and lengths[100].std() < 0.8
assert abs(middles.mean() - 7.07) < 0.1
assert lengths[100].min() > middles.mean()

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Une orange sans pulpe
#
# En cent dimensions, où sont les tirages ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### An orange without flesh
#
# In a hundred dimensions, where are the samples?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.6, height=3.0)
for (size, found), colour in zip(lengths.items(), (BLUE, ORANGE, GREEN)):
    axes.hist(found, bins=40, range=(0, 13), color=colour, alpha=0.7, density=True,
              label=say(f"{size} dimensions", f"{size} dimensions"))
axes.axvline(middles.mean(), ymax=0.7, color="black", linestyle="--",
             label=say("middle of two (100)", "milieu de deux (100)"))
axes.set(xlabel=say("length of a sample", "longueur d'un tirage"), yticks=[],
         ylim=(0, 1.1))
legend(axes, loc="upper left", ncols=2)
picture(figure, say("Lengths of samples: in 2 dimensions near 1, in 100 all "
                    "near 10; the middle of two samples is at 7, where no "
                    "sample is.",
                    "Longueurs de tirages : près de 1 en 2 dimensions, toutes "
                    "près de 10 en 100 ; le milieu de deux tirages est à 7, où "
                    "il n'y en a aucun."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire deviner la longueur en 100 dimensions : la racine de 100. Une orange sans pulpe : tout est dans la peau. Le milieu d'une
# corde est dans le vide, à 7 ; un arc reste dans la peau.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Have the length in 100 dimensions guessed: the square root of 100. An orange without flesh: all is in the skin. The middle of a
# chord is in the empty inside, at 7; an arc stays within the skin.

# %% [markdown] lang="fr"
# En 100 dimensions, presque tous les tirages ont une longueur proche de $\sqrt{100} = 10$ ; le milieu de deux, environ 7, est plus court
# que tous les tirages que nous avons faits. La loi est une orange sans pulpe, et la ligne droite la traverse par le vide. Pour rester
# dans la peau, on marche le long d'un **arc** : c'est l'interpolation sphérique, *slerp* ([](work:shoemake1985), et [](work:white2016)
# pour des latents). Si $\Omega$ est l'angle entre les codes $u$ et $v$, à la part $t$ du chemin :
#
# $$ \frac{\sin\big((1 - t) \, \Omega\big)}{\sin \Omega} \, u + \frac{\sin(t \, \Omega)}{\sin \Omega} \, v $$

# %% [markdown] lang="en"
# In 100 dimensions nearly all samples have a length near $\sqrt{100} = 10$; the middle of two, about 7, is shorter than all the samples
# that we made. The distribution is an orange without flesh, and the straight line crosses its empty inside. To stay in the skin, one
# walks along an **arc**: this is spherical interpolation, *slerp* ([](work:shoemake1985), and [](work:white2016) for latents). If
# $\Omega$ is the angle between the codes $u$ and $v$, at part $t$ of the way:
#
# $$ \frac{\sin\big((1 - t) \, \Omega\big)}{\sin \Omega} \, u + \frac{\sin(t \, \Omega)}{\sin \Omega} \, v $$

# %% [markdown] lang="fr"
# Écrivez `slerp(first, second, steps)` : deux codes de forme (k,) ; rendez (`steps`, k), les deux bouts compris. L'angle est celui des
# **directions**, quelle que soit la longueur des codes ; sous $10^{-6}$ radian, rendez la ligne droite.
#
# <details><summary>Un indice</summary>
#
# `F.normalize(first, dim=0)` est de longueur 1.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Pour un petit angle, l'arc cosinus perd la moitié de ses chiffres. Sûr partout, pour $a$ et $b$ de longueur 1 :
# `2 * torch.atan2((a - b).norm(), (a + b).norm())`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Les parts du chemin se calculent comme dans `interpolate`, qui sert aussi pour la ligne droite.
#
# </details>

# %% [markdown] lang="en"
# Write `slerp(first, second, steps)`: two codes of shape (k,); return (`steps`, k), both ends included. The angle is that of the
# **directions**, however long the codes are; below $10^{-6}$ radians, return the straight line.
#
# <details><summary>A hint</summary>
#
# `F.normalize(first, dim=0)` has length 1.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# For a small angle, the inverse cosine loses half of its digits. Safe everywhere, for $a$ and $b$ of length 1:
# `2 * torch.atan2((a - b).norm(), (a + b).norm())`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# The parts of the way are computed as in `interpolate`, which also serves for the straight line.
#
# </details>

# %% implements="vae:slerp" level=3
"""L'interpolation sphérique : le long de l'arc, les deux bouts compris.

La méthode est de Shoemake (1985) et, pour des latents, de White (2016). Si
Ω est l'angle entre les latents, à la part t du chemin on prend sin((1 - t)
Ω) / sin Ω du premier, plus sin(t Ω) / sin Ω du second. Là où Ω est sous
1e-6, c'est la ligne droite. En beaucoup de dimensions, presque toute une
loi normale est près d'une sphère de rayon √k, et la ligne droite en
traverse l'intérieur vide.
"""
# the inverse cosine of a small angle would lose half of its digits => l'arc cosinus d'un petit angle perdrait la moitié de ses chiffres
# the arc is straight, and the division below would be 0 / 0 => l'arc est droit, et la division ci-dessous serait 0 / 0

# %% scratch=true
# en: from one axis to the other, by way of 45 degrees
# fr: d'un axe à l'autre, en passant par 45 degrés
slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 3)
# → tensor([[1.0000, 0.0000], [0.7071, 0.7071], [0.0000, 1.0000]])

# %% [markdown] lang="fr"
# Prenons deux des tirages en 100 dimensions, et allons de l'un à l'autre des deux façons. **Devinez** la longueur au milieu de l'arc.

# %% [markdown] lang="en"
# Let us take two of the samples in 100 dimensions, and go from one to the other in both ways. **Guess** the length in the middle of the
# arc.

# %%
start, end = pairs[:, 0]
both_ways = {say("straight line", "ligne droite"): interpolate(start, end, 3),
             say("arc", "arc"): slerp(start, end, 3)}
print(say("lengths: beginning, middle, end", "longueurs : début, milieu, fin"))
for name, way in both_ways.items():
    print(f"{name:14}", *(f"{decimal(length, 1):>6}" for length in way.norm(dim=1)))

# %% claims=true
of_straight, of_arc = (way.norm(dim=1) for way in both_ways.values())
assert of_straight[1] < lengths[100].min() + 0.5 and of_straight[1] < 0.85 * of_straight[[0, 2]].min()
assert of_straight[[0, 2]].min() - 0.5 < of_arc[1] < of_straight[[0, 2]].max() + 0.5

# %% [markdown] lang="fr"
# La ligne droite plonge dans le vide ; l'arc garde la longueur de ses bouts.

# %% [markdown] lang="en"
# The straight line dives into the empty inside; the arc keeps the length of its ends.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 12-14"
# ### Exercices 12 à 14 · Se promener
#
# **15 min.**
#
# - **12** ●● `latent_plane` : une grille en probabilité.
# - **13** ● `interpolate` : tout droit.
# - **14** ●●● `slerp` : par l'arc.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 12-14"
# ### Exercises 12 to 14 · Walking about
#
# **15 min.**
#
# - **12** ●● `latent_plane`: a grid in probability.
# - **13** ● `interpolate`: straight.
# - **14** ●●● `slerp`: along the arc.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner les sections 10 et 11 ; le 14 peut finir à la maison. Fautes à guetter : une grille dont le second latent descend ; un
# bout oublié ; l'angle calculé sur des codes qui ne sont pas de longueur 1.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out sections 10 and 11; 14 may be finished at home. Mistakes to look for: a grid whose second latent goes down; an end
# forgotten; the angle computed on codes that are not of length 1.

# %% [markdown] lang="fr"
# ## 12. Tourner le bouton bêta
#
# La perte a deux termes, et $\beta$ les met en balance (le VAE de $\beta = 1$ est celui de la borne ; d'autres valeurs font un **β-VAE**,
# [](work:higgins2017)). Essayons 0, 1, 4 et 16, avec dix latents. **Devinez** d'abord :
#
# - à $\beta = 0$, l'écart-type des nuages : plus grand, plus petit, nul ?
# - à $\beta = 16$, que rend le décodeur ?
#
# Pour lire ce qui se passe, comptons les **latents utilisés** : ceux dont la divergence moyenne, sur les images, dépasse 0,1 nat. Un
# latent dont la divergence est nulle suit $N(0, 1)$ quelle que soit l'image : il n'en dit rien. On dit qu'il s'est **effondré** sur l'a
# priori (*posterior collapse*).

# %% [markdown] lang="en"
# ## 12. Turning the beta knob
#
# The loss has two terms, and $\beta$ balances them (the VAE of $\beta = 1$ is that of the bound; other values make a **β-VAE**,
# [](work:higgins2017)). Let us try 0, 1, 4 and 16, with ten latents. **Guess** first:
#
# - at $\beta = 0$, the standard deviation of the clouds: larger, smaller, zero?
# - at $\beta = 16$, what does the decoder give?
#
# To read what happens, let us count the **latents used**: those whose divergence, averaged over pictures, is above 0.1 nats. A latent
# whose divergence is zero follows $N(0, 1)$ whatever the picture: it says nothing of it. One says that it has **collapsed** onto the
# prior (posterior collapse).

# %% [markdown] lang="fr"
# Écrivez `latents_used(mean, log_variance, least=0.1)` : deux tenseurs de forme (n, k), une ligne par image. Rendez un `int` : le nombre
# de latents dont la divergence **moyenne sur les images** dépasse `least`. Un `.sum()` est un tenseur : `int(…)` en fait un `int`.
#
# <details><summary>Un indice</summary>
#
# `kl_to_standard_normal` somme sur les latents : ici, il faut un nombre **par latent**. Reprenez la formule, sans la somme.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Ou bien donnez à `kl_to_standard_normal` un axe de plus : `mean.unsqueeze(-1)` est de forme (n, k, 1).
#
# </details>

# %% [markdown] lang="en"
# Write `latents_used(mean, log_variance, least=0.1)`: two tensors of shape (n, k), one row for each picture. Return an `int`: the number
# of latents whose divergence, **averaged over pictures**, is above `least`. A `.sum()` is a tensor: `int(…)` makes an `int` of it.
#
# <details><summary>A hint</summary>
#
# `kl_to_standard_normal` sums over latents: here a number is needed **for each latent**. Take the formula again, without the sum.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Or give `kl_to_standard_normal` one more axis: `mean.unsqueeze(-1)` is of shape (n, k, 1).
#
# </details>

# %% level=2
def latents_used(mean, log_variance, least=0.1):
    of_each = kl_to_standard_normal(mean.unsqueeze(-1), log_variance.unsqueeze(-1))
    return int((of_each.mean(dim=0) > least).sum())

# %% scratch=true
# en: the first latent has collapsed; the second has means 1 and -1
# fr: le premier latent s'est effondré ; le second a pour moyennes 1 et -1
latents_used(torch.tensor([[0.0, 1.0], [0.0, -1.0]]), torch.zeros(2, 2))  # → 1

# %%
def three_counts():
    mean = torch.tensor([[0.0, 1.0, 0.3], [0.0, -1.0, 0.0]])
    log_variance = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, -2.0]])
    found = latents_used(mean, log_variance)
    return [type(found).__name__, found, latents_used(mean, log_variance, 0.4),
            latents_used(mean, log_variance, 0.6)]


expect(three_counts, ["int", 2, 1, 0],
       say("the latents used, for three thresholds",
           "les latents utilisés, pour trois seuils"))

# %% tags=["hide-input"]
def count_used(mean, log_variance):
    # en: what follows uses this one, whether yours is written or not
    # fr: la suite emploie celle-ci, que la vôtre soit écrite ou non
    of_each = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
    return (of_each.mean(dim=0) > 0.1).sum().item()

# %%
def train_betas():
    weights = {}
    for beta in (0, 4, 16):
        torch.manual_seed(0)
        network = VAE(replace(TEN, beta=beta))
        learn(network, known, loss_of_vae)
        weights[str(beta)] = network.state_dict()
    return weights


beta_weights = kept("betas", train_betas, patience=5)
by_beta = {1: digit_vaes[10]}
for beta in (0, 4, 16):
    by_beta[beta] = VAE(replace(TEN, beta=beta))
    by_beta[beta].load_state_dict(beta_weights[str(beta)])

# %%
betas, of_betas = (0, 1, 4, 16), {}
print(say("beta      used   error  divergence      spread  strangeness",
          "bêta  utilisés  erreur  divergence  écart-type    étrangeté"))
for beta in betas:
    with torch.no_grad():
        mean, log_variance = by_beta[beta].encode(new)
    spread = (log_variance / 2).exp().mean().item()
    divergence = kl_to_standard_normal(mean, log_variance).mean().item()
    lost, _, odd = measured(by_beta[beta])
    used, others = count_used(mean, log_variance), (lost, divergence, spread, odd)
    of_betas[beta] = (used, *others)
    row = [decimal(each, 2) for each in others]
    print(f"{beta:4} {used:9}", "{:>7} {:>11} {:>11} {:>12}".format(*row))
mean_digit = known.mean(dim=0).repeat(len(new), 1)
print(say("error of the mean digit:", "erreur du chiffre moyen :"),
      decimal(error(mean_digit, new), 2))

# %% claims=true
assert [of_betas[beta][0] for beta in betas] == sorted(
    (of_betas[beta][0] for beta in betas), reverse=True)
assert of_betas[0][0] == 10 and of_betas[16][0] == 0
assert of_betas[0][1] < of_betas[1][1] < of_betas[4][1] < of_betas[16][1]
assert of_betas[0][2] > 5 * of_betas[1][2] > 5 * of_betas[4][2] > 5 * of_betas[16][2]
assert of_betas[0][3] < 0.02 and of_betas[16][3] > 0.95
assert of_betas[0][4] > 2 * of_betas[1][4]
assert abs(of_betas[16][1] - error(mean_digit, new)) < 0.05

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Tourner le bouton bêta
#
# De 0 à 16 : que gagne-t-on, que perd-on ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. Turning the beta knob
#
# From 0 to 16: what is gained, what is lost?

# %%
@torch.no_grad()
def seen_with(beta):
    network = by_beta[beta]
    rows = {say("written", "écrits"): new[:8],
            say("rebuilt", "refaits"): network.decode(network.encode(new[:8])[0]),
            say("sampled", "tirés"): network.sample(8, torch.Generator().manual_seed(1))}
    figure, panels = plot(3, 8, width=7.4, height=3.4)
    for line, (name, pictures) in zip(panels, rows.items()):
        for panel, each in zip(line, pictures):
            show(panel, each)
        line[0].set_ylabel(name, fontsize=14)
    return picture(figure, say("Digits written, rebuilt and sampled, with beta "
                               f"{beta}.",
                               "Des chiffres écrits, refaits et tirés, avec "
                               f"bêta {beta}."))


# %% slide="fragment" tags=["output-only-slide"]
from dalle_edu.classroom.explorer import Explorer, Knob

Explorer(seen_with, beta=Knob(say("beta", "bêta"), list(betas), start=1))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Tourner le bouton, la classe annonce. À 0 : refaits nets, tirés informes ; les nuages sont devenus des points. À 16 : refaits
# tous pareils, c'est le chiffre moyen ; plus un latent ne sert. Demander où ils s'arrêteraient.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Turn the knob; the class calls. At 0: rebuilt sharply, sampled shapeless; the clouds have become points. At 16: all rebuilt
# alike, it is the mean digit; not one latent serves. Ask where they would stop.

# %% [markdown] lang="fr"
# **La trouvaille** : quand $\beta$ monte, la divergence tombe, l'erreur monte, et les latents s'éteignent un à un.
#
# À $\beta = 0$, l'écart-type des nuages est presque nul. Le réseau était libre de garder du bruit : il l'a éteint, parce que le bruit
# nuit à la reconstruction. On lit que le VAE est « un auto-encodeur avec du bruit », et que le bruit le régularise. Le bruit seul ne
# régularise rien : c'est la **divergence** qui l'oblige à rester. Sans elle, les images tirées redeviennent étranges, comme à la
# [](#a-code-at-random-the-holes).
#
# À $\beta = 16$, tout s'est effondré. La divergence est presque nulle, et l'erreur est celle du chiffre **moyen** : le décodeur rend la
# même image, toujours.

# %% [markdown] lang="en"
# **The finding**: as $\beta$ rises, the divergence falls, the error rises, and latents go out one by one.
#
# At $\beta = 0$, the standard deviation of the clouds is nearly zero. The network was free to keep noise: it has turned it off, because
# noise harms reconstruction. One reads that the VAE is "an autoencoder with noise", and that the noise regularises it. Noise alone
# regularises nothing: it is the **divergence** that forces it to stay. Without it, sampled pictures are strange again, as in
# [](#a-code-at-random-the-holes).
#
# At $\beta = 16$ all has collapsed. The divergence is nearly zero, and the error is that of the **mean** digit: the decoder gives the
# same picture, always.

# %% [markdown] lang="fr"
# ### Somme ou moyenne ?
#
# La question qui revient le plus souvent, chez qui programme un VAE : « mon modèle rend toujours la même image grise, pourquoi ? » Voici
# une cause fréquente. L'erreur est **moyennée** sur les 64 pixels (c'est ce que fait `F.mse_loss`, sans autre mot), et la divergence est
# **sommée** sur les latents. Cela divise la reconstruction par 64 ; à un facteur près, c'est un VAE dont **bêta vaut 64**. **Devinez**
# combien de latents restent utilisés.

# %% [markdown] lang="en"
# ### Sum or mean?
#
# The question that comes back most often, among those who program a VAE: "my model always gives the same grey picture, why?" Here is a
# frequent cause. The error is **averaged** over the 64 pixels (that is what `F.mse_loss` does, unless told otherwise), and the divergence
# is **summed** over latents. This divides the reconstruction by 64; up to a factor, it is a VAE whose **beta is 64**. **Guess** how many
# latents are still used.

# %%
def loss_with_pixels_averaged(network, batch, generator):
    mean, log_variance = network.encode(batch)
    latents = reparametrise(mean, log_variance, generator)
    averaged = -network.log_likelihood(batch, latents).mean() / batch.shape[1]
    return averaged + kl_to_standard_normal(mean, log_variance).mean()


def train_averaged():
    torch.manual_seed(0)
    network = VAE(TEN)
    learn(network, known, loss_with_pixels_averaged, steps=400)
    return network.state_dict()


# %%
collapsed = VAE(TEN)
collapsed.load_state_dict(kept("averaged", train_averaged, patience=5))
for name, trained in ((say("pixels averaged", "pixels moyennés"), collapsed),
                      (say("pixels summed", "pixels sommés"), digit_vaes[10])):
    with torch.no_grad():
        used = count_used(*trained.encode(new))
        differ = trained.decode(trained.encode(new)[0]).std(dim=0).max().item()
    print(f"{name:16}", say("latents used:", "latents utilisés :"), used,
          say(" most varied pixel:", " pixel le plus varié :"), decimal(differ, 2))

# %% claims=true
with torch.no_grad():
    assert count_used(*collapsed.encode(new)) == 0
    assert count_used(*digit_vaes[10].encode(new)) >= 6
    assert collapsed.decode(collapsed.encode(new)[0]).std(dim=0).max() < 0.02

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Somme ou moyenne ?
#
# `F.mse_loss` moyenne sur 64 pixels ; la divergence, elle, est une somme.
#
# | pixels | latents utilisés sur 10 |
# |---|---|
# | moyennés | 0 |
# | sommés | au moins 6 |
#
# **Moyenner, c'est mettre bêta à 64.**

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Sum or mean?
#
# `F.mse_loss` averages over 64 pixels; the divergence is a sum.
#
# | pixels | latents used out of 10 |
# |---|---|
# | averaged | 0 |
# | summed | at least 6 |
#
# **To average is to set beta to 64.**

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Cacher la seconde colonne et faire voter. Faire retrouver le 64 : on divise l'un des deux termes par le nombre de pixels.
# Demander ce que vaudrait bêta avec des images de 256 × 256 en couleurs. (196 608.) Le remède : sommer les deux, moyenner sur les images.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Hide the second column and have a vote. Have the 64 found: one of the two terms is divided by the number of pixels. Ask what beta
# would be with pictures of 256 × 256 in colour. (196,608.) The cure: sum both, average over pictures.

# %% claims=true
assert 256 * 256 * 3 == 196_608

# %% [markdown] lang="fr"
# Zéro : l'effondrement est complet, et aucun pixel ne varie d'une image à l'autre. Le remède est de **sommer** les deux termes, chacun sur
# son axe, et de ne moyenner que sur les images ; les latents reviennent. L'effondrement a d'autres causes, dont un décodeur si puissant
# qu'il se passe de $z$ ([](work:bowman2016), pour des phrases).
#
# Un latent effondré n'est pas toujours un mal : c'est aussi ainsi qu'un VAE de vingt latents en laisse de côté. Comptons.

# %% [markdown] lang="en"
# Zero: the collapse is complete, and no pixel varies from picture to picture. The cure is to **sum** both terms, each over its own axis,
# and to average over pictures alone; the latents come back. Collapse has other causes, among them a decoder so powerful that it does
# without $z$ ([](work:bowman2016), for sentences).
#
# A collapsed latent is not always an evil: it is also how a VAE of twenty latents leaves some aside. Let us count.

# %%
with torch.no_grad():
    used_of = {size: count_used(*digit_vaes[size].encode(new)) for size in sizes}
for size, used in used_of.items():
    print(f"{size:2}", say("latents, used:", "latents, utilisés :"), used)

# %% claims=true
assert used_of[2] == 2 and used_of[5] == 5 and used_of[10] <= 10
assert used_of[20] < 10

# %% [markdown] lang="fr"
# Deux et cinq sont tous utilisés ; de vingt, moins de la moitié. Donner plus de latents qu'il n'en faut coûte peu : le VAE choisit.

# %% [markdown] lang="en"
# Two and five are all used; of twenty, fewer than half. To give more latents than needed costs little: the VAE chooses.

# %% [markdown] lang="fr"
# ## 13. Quelle est la probabilité de cette image ? ◆
#
# La première chose que l'on attendait d'une loi était d'**évaluer** $P(x)$. L'ELBO en donne une borne. Peut-on faire mieux ? Prenons des
# pixels noirs ou blancs, et la loi de Bernoulli : $P(x)$ est alors une vraie probabilité, parmi $2^{64}$ images possibles. À une image
# quelconque, un modèle qui ne sait rien donne $-64 \log 2 \approx -44{,}4$ nats.
#
# Première idée, **naïve** : $p(x)$ est la moyenne des $p(x \mid z)$, pour des $z$ tirés de l'a priori. Mais presque tous ces $z$ sont ceux
# d'autres chiffres, et ne donnent presque rien : il en faudrait beaucoup. Seconde idée : tirer $z$ là où cela compte, de $q(z \mid x)$, et
# corriger par un **poids** :
#
# $$ p(x) = \mathbb{E}_{q}\!\left[ \frac{p(x \mid z) \, p(z)}{q(z \mid x)} \right] \approx \frac1S \sum_{s=1}^{S} w_s $$
#
# C'est l'**échantillonnage préférentiel** (*importance sampling*, [](work:burda2016)), et l'égalité est notre ligne 1. Avec un seul tirage,
# la moyenne des $\log w$ est l'ELBO ; avec $S$ tirages, le logarithme de la **moyenne** des poids serre la borne. **Devinez** : combien
# faut-il de tirages de l'a priori pour faire aussi bien qu'un seul de $q$ ?

# %% [markdown] lang="en"
# ## 13. How probable is this picture? ◆
#
# The first thing asked of a distribution was to **evaluate** $P(x)$. The ELBO gives a bound of it. Can we do better? Let us take pixels
# black or white, and the Bernoulli distribution: then $P(x)$ is a true probability, among $2^{64}$ possible pictures. To any picture, a
# model that knows nothing gives $-64 \log 2 \approx -44.4$ nats.
#
# First idea, **naive**: $p(x)$ is the mean of the $p(x \mid z)$, for values $z$ sampled from the prior. But nearly all these $z$ are
# those of other digits, and give almost nothing: many would be needed. Second idea: sample $z$ where it counts, from $q(z \mid x)$, and
# correct by a **weight**:
#
# $$ p(x) = \mathbb{E}_{q}\!\left[ \frac{p(x \mid z) \, p(z)}{q(z \mid x)} \right] \approx \frac1S \sum_{s=1}^{S} w_s $$
#
# This is **importance sampling** ([](work:burda2016)), and the equality is our line 1. With a single sample, the mean of the $\log w$ is
# the ELBO; with $S$ samples, the logarithm of the **mean** of the weights tightens the bound. **Guess**: how many samples from
# the prior do as well as a single one from $q$?

# %% claims=true
assert abs(-64 * math.log(2) + 44.4) < 0.05

# %% [markdown] lang="fr"
# Écrivez `importance_log_likelihood(vae, images, samples, generator)`, pour des images de forme (n, d) : une estimation de $\log p$ de
# chacune, de forme (n,). Les poids sont si petits que seuls leurs logarithmes tiennent dans un nombre : restez en logarithmes jusqu'au
# bout. La ligne `@torch.no_grad()`, au-dessus, dit qu'aucun gradient n'est suivi.
#
# <details><summary>Un indice</summary>
#
# `vae.encode(images)`, puis chaque part étendue à (`samples`, n, k) : `part.expand(samples, *part.shape)` ; un seul appel de
# `reparametrise`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `gaussian_log_likelihood(latents, torch.zeros_like(latents))` est $\log p(z)$. Pour $\log q$, appelez-la sur $(z - \mu) / \sigma$, puis
# retranchez la somme des $\log \sigma$.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Le logarithme d'une moyenne de poids : `log_weights.logsumexp(dim=0) - math.log(samples)`.
#
# </details>

# %% [markdown] lang="en"
# Write `importance_log_likelihood(vae, images, samples, generator)`, for pictures of shape (n, d): an estimate of $\log p$ of each, of
# shape (n,). The weights are so small that only their logarithms fit into a number: stay in logarithms to the end. The line
# `@torch.no_grad()`, above, says that no gradient is followed.
#
# <details><summary>A hint</summary>
#
# `vae.encode(images)`, then each part extended to (`samples`, n, k): `part.expand(samples, *part.shape)`; a single call of
# `reparametrise`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `gaussian_log_likelihood(latents, torch.zeros_like(latents))` is $\log p(z)$. For $\log q$, call it on $(z - \mu) / \sigma$, then
# subtract the sum of the $\log \sigma$.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# The logarithm of a mean of weights: `log_weights.logsumexp(dim=0) - math.log(samples)`.
#
# </details>

# %% implements="vae:importance_log_likelihood" level=3
"""Une estimation de log p(image), en nats, par échantillonnage préférentiel.

C'est le logarithme de la moyenne des poids p(image | z) p(z) / q(z |
image), pour `samples` tirages z de q (Burda et al. 2016). p(z) est la
normale réduite. Les poids sont si petits que seuls des logarithmes les
contiennent. En moyenne, l'estimation est trop basse, moins avec plus de
tirages ; avec un seul, elle estime l'ELBO.
"""
# s n k => s n k

# %% scratch=true
# en: nothing learned, all logits 0: every picture has probability 2 to the -64
# fr: rien d'appris, tous les logits à 0 : toute image a la probabilité 2 puissance -64
blank = VAE(VAEConfig(64, 2, ()))
for weights in blank.parameters():
    nn.init.zeros_(weights)
generator = torch.Generator().manual_seed(0)
importance_log_likelihood(blank, torch.ones(1, 64), 5, generator)
# → tensor([-44.3614])

# %%
black_or_white, new_black_or_white = (known > 0.5).float(), (new > 0.5).float()
BINARY = VAEConfig(64, 10, HIDDEN)


def train_binary():
    torch.manual_seed(0)
    network = VAE(BINARY)
    learn(network, black_or_white, loss_of_vae)
    return network.state_dict()


# %%
binary = VAE(BINARY)
binary.load_state_dict(kept("binary", train_binary, patience=5))


@torch.no_grad()
def naive_log_likelihood(network, images, samples, generator):
    latents = torch.randn(samples, 1, 10, generator=generator)
    repeated = images.expand(samples, *images.shape)
    each = network.log_likelihood(repeated, latents.expand(-1, len(images), -1))
    return each.logsumexp(dim=0) - math.log(samples)


# %%
counts, tightened, naive = (1, 10, 100, 1000), [], []
hundred = new_black_or_white[:100]
for count in counts:
    generator = torch.Generator().manual_seed(0)
    found = importance_log_likelihood(binary, hundred, count, generator)
    tightened.append(found.mean().item())
    generator = torch.Generator().manual_seed(0)
    found = naive_log_likelihood(binary, hundred, count, generator)
    naive.append(found.mean().item())
print(say("samples   from q   from the prior", "tirages   de q   de l'a priori"))
for count, good, bad in zip(counts, tightened, naive):
    print(f"{count:6} {decimal(good, 1):>10} {decimal(bad, 1):>10}")

# %% claims=true
assert tightened == sorted(tightened) and naive == sorted(naive)
assert 0.2 < tightened[-1] - tightened[0] < 2
assert naive[0] < tightened[0] - 20 and naive[1] < tightened[0] - 2
assert naive[2] < tightened[1] and naive[3] < tightened[2]
assert abs(naive[2] - tightened[0]) < 0.5

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 13. Combien de tirages ? ◆
#
# $$ \log p(x) \approx \log \tfrac1S \sum_s w_s $$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 13. How many samples? ◆
#
# $$ \log p(x) \approx \log \tfrac1S \sum_s w_s $$

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.4, height=3.2)
axes.semilogx(counts, tightened, color=BLUE, marker="o", linewidth=2,
              label=say("sampled from q", "tirés de q"))
axes.semilogx(counts, naive, color=VERMILION, marker="s", linewidth=2,
              label=say("sampled from the prior", "tirés de l'a priori"))
axes.set_xticks(counts, [str(count) for count in counts])
axes.set(xlabel=say("samples of z", "tirages de z"),
         ylabel=say("log p(x), in nats", "log p(x), en nats"), ylim=(-60, -10))
legend(axes)
picture(figure, say("The estimate of log p(x) by number of samples: from q it "
                    "is good at once; from the prior it climbs slowly and stays "
                    "below.",
                    "L'estimation de log p(x) selon le nombre de tirages : de "
                    "q, elle est bonne d'emblée ; de l'a priori, elle monte "
                    "lentement et reste dessous."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Sur le chemin sans intégrales, sauter. Demander pourquoi les deux courbes montent. (Le logarithme d'une moyenne estimée est trop
# bas en moyenne : Jensen encore.) De 1 à 1 000 tirages de q, on gagne moins de 2 nats : la borne était déjà serrée.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. On the path without integrals, skip. Ask why both curves rise. (The logarithm of an estimated mean is too low on average: Jensen
# again.) From 1 to 1,000 samples of q one gains less than 2 nats: the bound was tight already.

# %% [markdown] lang="fr"
# De $q$, un tirage suffit presque, et mille n'ajoutent pas 2 nats : la borne était serrée. De l'a priori, il en faut une centaine pour
# faire à peu près aussi bien qu'un seul de $q$ ; et ces images sont petites.
#
# Servons-nous de $P(x)$. **Rangez** de la plus probable à la moins probable : les chiffres nouveaux ; les mêmes, la tête en bas ; les
# mêmes, pixels mélangés ; du bruit.

# %% [markdown] lang="en"
# From $q$ one sample is nearly enough, and a thousand do not add 2 nats: the bound was tight. From the prior, about a hundred are needed
# to do as well as a single one from $q$; and these pictures are small.
#
# Let us make use of $P(x)$. **Rank** from the most probable to the least: new digits; the same, upside down; the same, their pixels
# mixed; noise.

# %%
mixing = torch.randperm(64, generator=torch.Generator().manual_seed(1))
upside_down = hundred.view(-1, 8, 8).flip(1).flatten(1)
white_share = torch.full((100, 64), hundred.mean().item())
noise = torch.bernoulli(white_share, generator=torch.Generator().manual_seed(1))
odd_pictures = {say("new digits", "chiffres nouveaux"): hundred,
                say("upside down", "tête en bas"): upside_down,
                say("pixels mixed", "pixels mélangés"): hundred[:, mixing],
                say("noise", "bruit"): noise}
of_odd = []
for name, images in odd_pictures.items():
    generator = torch.Generator().manual_seed(0)
    each = importance_log_likelihood(binary, images, 100, generator)
    of_odd.append(each.mean().item())
    print(f"{name:18} log P(x) =", decimal(of_odd[-1], 1))

# %% claims=true
assert of_odd == sorted(of_odd, reverse=True)
assert of_odd[1] + 3 < of_odd[0] < of_odd[1] + 10 and of_odd[1] > of_odd[2] + 15
assert of_odd[0] > -44.4 + 20 and of_odd[3] < -44.4

# %% [markdown] lang="fr"
# L'ordre est celui de la liste. La tête en bas ne coûte que quelques nats : un 0 ou un 8 retourné reste un chiffre. Mélanger les pixels
# coûte bien plus. Le VAE n'a vu que de bons chiffres, et sait pourtant dire ce qui n'en est pas un : le bruit est moins probable que chez
# un modèle qui ne sait rien. Aucune étiquette n'a servi.
#
# Que savent dire les autres ? Un GAN ([](lesson:09)) tire des images et ne donne **aucun** $P(x)$. Un GPT qui écrit des codes
# ([](lesson:11)) donne la probabilité exacte **des codes** ; de l'image, ce n'est de nouveau qu'une borne ([](work:ramesh2021), § 2).
#
# **À emporter, même sans les intégrales :** un VAE sait dire, à une borne près, si une image est probable ; et cette borne se resserre
# quand on tire plus souvent.

# %% [markdown] lang="en"
# The order is that of the list. To be upside down costs a few nats only: a 0 or an 8 turned over is still a digit. To mix the pixels
# costs far more. The VAE has seen good digits only, and yet can tell what is none: noise is less probable than with a model that knows
# nothing. No label was used.
#
# What can the others tell? A GAN ([](lesson:09)) samples pictures and gives **no** $P(x)$. A GPT that writes codes ([](lesson:11)) gives
# the exact probability **of the codes**; of the picture, it is again no more than a bound ([](work:ramesh2021), § 2).
#
# **To take along, even without the integrals:** a VAE can tell, up to a bound, whether a picture is probable; and the bound tightens as
# one samples more often.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 15-16"
# ### Exercices 15 et 16 · Compter, évaluer
#
# **10 min**, ou chez soi.
#
# - **15** ●● `latents_used` : qui s'est effondré ?
# - **16** ●●● `importance_log_likelihood` : des poids en logarithmes. ◆

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 15-16"
# ### Exercises 15 and 16 · Counting, evaluating
#
# **10 min**, or at home.
#
# - **15** ●● `latents_used`: which have collapsed?
# - **16** ●●● `importance_log_likelihood`: weights in logarithms. ◆

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 10 min. Le 15 en classe ; le 16 à la maison, pour qui suit le chemin ◆. Fautes à guetter : compter avant de moyenner sur les images ; la
# moyenne des logarithmes, qui redonne l'ELBO.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 10 min. 15 in class; 16 at home, for those on the ◆ path. Mistakes to look for: counting before averaging over pictures; the mean of the
# logarithms, which gives the ELBO again.

# %% [markdown] lang="fr"
# ## 14. Nos scènes, floues
#
# Les chiffres étaient faciles. Donnons au VAE les scènes de ce cours : un seul objet, de quatre formes, en couleurs, sur 16 × 16 pixels.
# Nous lui montrons l'**encre** (un moins le pixel), pour que le papier vaille 0. **Devinez** : à partir de seize latents, rendra-t-il la
# place ? la couleur ? la forme ?

# %% [markdown] lang="en"
# ## 14. Our scenes, blurred
#
# Digits were easy. Let us give the VAE the scenes of this course: a single object, of four shapes, in colour, on 16 × 16 pixels. We show
# it the **ink** (one minus the pixel), so that paper is 0. **Guess**: from sixteen latents, will it give back the place? the colour? the
# shape?

# %%
from dalle_edu.world import SHAPES, render, sample_scene

shape_names = ("circle", "square", "star", "heart")
four_shapes = replace(SHAPES, shapes=tuple(map(SHAPES.shape, shape_names)))
scenes = [sample_scene(0, number, "all", catalogue=four_shapes)
          for number in range(6000)]
lone = [scene for scene in scenes
        if len(scene.objects) == 1 and scene.objects[0].size == "large"]
ink = 0.5 - render(lone, 16, catalogue=four_shapes).flatten(1) / 2
known_ink, new_ink = ink[:-100], ink[-100:]
SCENES = VAEConfig(3 * 16 * 16, 16, (128, 64), "gaussian", std=0.15)


def train_scenes():
    torch.manual_seed(0)
    network = VAE(SCENES)
    learn(network, known_ink, loss_of_vae, steps=900, rate=2e-3)
    return network.state_dict()


# %%
painter = VAE(SCENES)
painter.load_state_dict(kept("scenes", train_scenes, patience=5))
with torch.no_grad():
    rebuilt = painter.decode(painter.encode(new_ink)[0])
sampled_ink = painter.sample(100, torch.Generator().manual_seed(0))


# %%
def sharpest_edge(images):
    # en: the largest step from a pixel to its right-hand neighbour, on average
    # fr: la plus grande marche d'un pixel à son voisin de droite, en moyenne
    images = images.view(-1, 3, 16, 16)
    steps = (images[..., 1:] - images[..., :-1]).abs()
    return steps.flatten(1).max(dim=1).values.mean().item()


edges = [sharpest_edge(images) for images in (new_ink, rebuilt, sampled_ink)]
print(say("sharpest edge: scenes, rebuilt, sampled:",
          "bord le plus net : scènes, refaites, tirées :"),
      *(decimal(edge, 2) for edge in edges))

# %%
def centres(images):
    # en: the mean column and the mean row of the ink, in pixels
    # fr: la colonne moyenne et la ligne moyenne de l'encre, en pixels
    weights = images.clamp(min=0).view(-1, 3, 16, 16).sum(dim=1)
    total = weights.sum(dim=(1, 2))
    columns = (weights.sum(dim=1) * torch.arange(16)).sum(dim=1) / total
    rows = (weights.sum(dim=2) * torch.arange(16)).sum(dim=1) / total
    return torch.stack([columns, rows], dim=1)


apart = (centres(new_ink) - centres(rebuilt)).norm(dim=1)
print(say("centres of the rebuilt, off by", "centres des refaites, écart de"),
      decimal(apart.median().item(), 1), say("pixel (median)", "pixel (médiane)"))

# %% claims=true
assert edges[0] > 1.7 * edges[1] > 1.7 * edges[2]
assert apart.median() < 1
def shares_of_colour(images):
    of_colour = images.clamp(min=0).view(-1, 3, 256).sum(dim=2)
    return of_colour / of_colour.sum(dim=1, keepdim=True)
true_shares = shares_of_colour(new_ink)
lost_colour = (true_shares - shares_of_colour(rebuilt)).norm(dim=1).mean()
assert lost_colour < 0.7 * (true_shares - true_shares.mean(dim=0)).norm(dim=1).mean()
def saturation(images):
    channels = images.view(-1, 3, 256)
    inkiest = channels.sum(dim=1).argmax(dim=1)
    colour = channels[torch.arange(len(channels)), :, inkiest]
    return (colour.max(dim=1).values - colour.min(dim=1).values).mean()
assert saturation(rebuilt) < 0.85 * saturation(new_ink)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 14. Nos scènes, floues
#
# Que reste-t-il : la place, la couleur, la forme ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 14. Our scenes, blurred
#
# What is left: the place, the colour, the shape?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(3, 8, width=7.6, height=3.4)
names = say("scenes|rebuilt|sampled", "scènes|refaites|tirées").split("|")
for line, name, images in zip(panels, names, (new_ink, rebuilt, sampled_ink)):
    for panel, each in zip(line, images):
        panel.imshow((1 - each.view(3, 16, 16).permute(1, 2, 0)).clamp(0, 1))
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set(visible=True, color="silver")
    line[0].set_ylabel(name, fontsize=14)
picture(figure, say("Scenes of one object; rebuilt, each is a soft blob at the "
                    "right place; sampled, they are coloured clouds.",
                    "Des scènes d'un objet ; refaites, une tache douce à la "
                    "bonne place ; tirées, des nuages de couleur."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire chercher une étoile parmi les refaites. Demander d'où vient le flou. (Une normale par pixel : entre deux formes possibles,
# la réponse la moins chère est leur moyenne, comme à la leçon 06.) Et ce qu'il faudrait. (Un juge qui refuse le flou : leçon 09. Des
# codes discrets : leçon 08.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have a star looked for among the rebuilt. Ask where the blur comes from. (A normal distribution for each pixel: between two
# possible shapes, the cheapest answer is their mean, as in lesson 06.) And what would be needed. (A judge who refuses blur: lesson 09.
# Discrete codes: lesson 08.)

# %% [markdown] lang="fr"
# La place revient, à moins d'un pixel près pour la moitié des scènes ; la couleur, à peu près, mais ternie ; la forme est devenue une
# **tache**, aux bords moitié moins nets, et les images tirées sont plus floues encore. C'est le secret de la [](#bending-the-plane) : les
# pointes d'une étoile sont peu de pixels, donc peu de nats ; et entre plusieurs formes possibles, la moins chère est leur **moyenne**.
# Voilà d'où vient le flou des VAE : d'une vraisemblance qui juge pixel par pixel.
#
# Trois réponses viendront. La [](lesson:08) remplace les latents réels par des **codes** pris dans un dictionnaire ; c'est ce que fait
# DALL·E, dont l'auto-encodeur est un VAE **discret** ([](lesson:11), [](work:ramesh2021)). La [](lesson:09) ajoute un juge, qui refuse le
# flou. La [](lesson:10) peint en beaucoup de petits pas.

# %% [markdown] lang="en"
# The place comes back, to less than a pixel for half of the scenes; the colour does, roughly, but faded; the shape has become a **blob**,
# whose edges are about half as sharp, and sampled pictures are more blurred still. It is the secret of [](#bending-the-plane): the tips of
# a star are few pixels, hence few nats; and among several possible shapes the cheapest is their **mean**. This is where the blur of VAEs
# comes from: from a likelihood that judges pixel by pixel.
#
# Three answers will come. [](lesson:08) replaces real latents by **codes** taken from a codebook; that is what DALL·E does, whose
# autoencoder is a **discrete** VAE ([](lesson:11), [](work:ramesh2021)). [](lesson:09) adds a judge, who refuses blur. [](lesson:10)
# paints in many small steps.

# %% [markdown] lang="fr"
# ## 15. Quelle erreur est-ce ?
#
# Voici une divergence écrite par quelqu'un d'autre. Elle est fausse. Ne regardez pas son code : interrogez-la. **Avant de lancer la
# cellule**, écrivez ce qu'une bonne version répondrait à chaque ligne.

# %% [markdown] lang="en"
# ## 15. Which mistake is this?
#
# Here is a divergence that somebody else wrote. It is wrong. Do not look at its code: question it. **Before you run the cell**, write
# down what a good version would answer on each line.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("vae:kl_to_standard_normal", "averaged_over_latents")
questions_asked = (
    (say("one latent, mean 1:", "un latent, moyenne 1 :"), [1.0]),
    (say("one latent, mean 2:", "un latent, moyenne 2 :"), [2.0]),
    (say("two latents, means 1 and 1:", "deux latents, moyennes 1 et 1 :"), [1.0, 1.0]),
    (say("two latents, means 2 and 0:", "deux latents, moyennes 2 et 0 :"), [2.0, 0.0]),
)
answers = []
for name, given in questions_asked:
    found = mystery(torch.tensor([given]), torch.zeros(1, len(given)))
    answers.append(found.item())
    print(f"{name:32}", decimal(answers[-1], 1))

# %% claims=true
assert answers == [0.5, 2, 0.5, 1]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 15. Quelle erreur est-ce ?
#
# Une divergence fausse ; toutes les log-variances sont nulles.
#
# | moyennes | elle répond |
# |---|---|
# | 1 | 0,5 |
# | 2 | 2,0 |
# | 1 et 1 | 0,5 |
# | 2 et 0 | 1,0 |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 15. Which mistake is this?
#
# A wrong divergence; all log-variances are zero.
#
# | means | it answers |
# |---|---|
# | 1 | 0.5 |
# | 2 | 2.0 |
# | 1 and 1 | 0.5 |
# | 2 and 0 | 1.0 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux minutes par deux, puis un vote. Un latent seul : juste. Deux latents de moyenne 1 devraient donner 1. Demander ce que cette
# faute ferait à l'entraînement. (Chaque latent ajouté rend les autres moins chers.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two minutes in pairs, then a vote. A single latent: right. Two latents of mean 1 should give 1. Ask what this mistake would do to
# training. (Each latent added makes the others cheaper.)

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz vae"
# ## 16. Neuf questions
#
# **9 min.** Répondez seul, puis comparez à deux.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz vae"
# ## 16. Nine questions
#
# **9 min.** Answer alone, then compare in pairs.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 9 min. Cinq minutes seul, dans le notebook ; puis à main levée. S'arrêter là où la moitié de la salle se trompe. Les deux divergences se
# refont au tableau. Que chacun note la question qu'il a manquée.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 9 min. Five minutes alone, in the notebook; then by show of hands. Stop where half the room is wrong. Both divergences are worked out
# again on the board. Let everyone note the question they missed.

# %% [markdown] lang="fr"
# ## 16. Questions

# %% [markdown] lang="en"
# ## 16. Questions

# %% quiz="vae"
quiz(
    Number(
        say("What is the divergence of N(1, 1) from the standard normal, in nats, for one latent?",
            "Pour un latent, que vaut la divergence de N(1, 1) à la normale réduite, en nats ?"),
        right=0.5,
        why=say("½ (1 + 1 − 1 − log 1).", "½ (1 + 1 − 1 − log 1)."),
        computed=lambda: kl_divergence(Normal(1.0, 1.0), Normal(0.0, 1.0)).item(),
        near_misses={1.0: say("The half in front is missing.", "Il manque le demi, devant.")},
    ),
    Number(
        say("And that of N(0, 4), whose variance is 4? Give three decimals.",
            "Et celle de N(0, 4), de variance 4 ? Donnez trois décimales."),
        right=0.807,
        decimals=3,
        tolerance=1e-3,
        why=say("½ (0 + 4 − 1 − log 4): 4 is the variance.", "½ (0 + 4 − 1 − log 4) : 4 est la variance."),
        computed=lambda: kl_divergence(Normal(0.0, 2.0), Normal(0.0, 1.0)).item(),
        near_misses={0.318: say("That is the other direction, from N(0, 1) to N(0, 4).",
                                "C'est l'autre sens, de N(0, 1) à N(0, 4)."),
                     6.114: say("4 is the variance, and its square was taken once too often.",
                                "4 est la variance : elle a été élevée au carré une fois de trop.")},
    ),
    Choice(
        say("A linear autoencoder with two latents, trained to the end, finds",
            "Un auto-encodeur linéaire de deux latents, entraîné jusqu'au bout, trouve"),
        [say("the two axes of PCA, in order", "les deux axes de l'ACP, dans l'ordre"),
         say("a better plane than PCA's", "un meilleur plan que celui de l'ACP"),
         say("PCA's plane, on other axes as a rule", "le plan de l'ACP, en général sur d'autres axes")],
        right=2,
        why=say("The loss is the same for all bases of the plane.", "La perte est la même pour toutes les bases du plan."),
        why_not=[
            say("Nothing in the loss prefers one basis to another.", "Rien, dans la perte, ne préfère une base à une autre."),
            say("No plane of that dimension has a smaller squared error.", "Aucun plan de cette dimension n'a une moindre erreur au carré."),
        ],
    ),
    Choice(
        say("Why are pictures decoded from random codes of a plain autoencoder strange?",
            "Pourquoi les images décodées de codes au hasard d'un auto-encodeur ordinaire sont-elles étranges ?"),
        [say("Nothing asks its codes to follow a known distribution.",
             "Rien ne demande à ses codes de suivre une loi connue."),
         say("It overfits the known pictures.", "Il surapprend les images connues."),
         say("Its decoder is too small.", "Son décodeur est trop petit.")],
        right=0,
        why=say("It rebuilds new digits well: the holes are between the codes.",
                "Il refait bien des chiffres nouveaux : les trous sont entre les codes."),
        why_not=[
            say("On new digits its error was hardly larger.", "Sur des chiffres nouveaux, son erreur était à peine plus grande."),
            say("The same decoder, in a VAE, gives far less strange ones.",
                "Le même décodeur, dans un VAE, en donne de bien moins étranges."),
        ],
    ),
    Choice(
        say("What is true of the ELBO, for any q that is nowhere zero?", "Que sait-on de l'ELBO, pour toute loi q qui ne s'annule nulle part ?"),
        [say("It is at least log p(x).", "Il est au moins log p(x)."),
         say("It is at most log p(x).", "Il est au plus log p(x)."),
         say("It is always below zero.", "Il est toujours négatif.")],
        right=1,
        why=say("The gap is a divergence, which is never negative.", "L'écart est une divergence, jamais négative."),
        why_not=[
            say("Then it would be an upper bound.", "Ce serait une borne supérieure."),
            say("With densities, log p(x) may be above zero, and the ELBO too.",
                "Avec des densités, log p(x) peut dépasser zéro, et l'ELBO aussi."),
        ],
    ),
    Choice(
        say("In z = μ + σ ε, the slope of z with respect to σ is", "Dans z = μ + σ ε, la pente de z par rapport à σ est"),
        ["1", "ε", say("0, since ε is random", "0, puisque ε est au hasard")],
        right=1,
        why=say("ε is a number once it is sampled, and multiplies σ.", "Une fois tiré, ε est un nombre, qui multiplie σ."),
        why_not=[
            say("That is the slope with respect to μ.", "C'est la pente par rapport à μ."),
            say("This is what happens when the sampling is within the graph.", "C'est ce qui arrive quand le tirage est dans le graphe."),
        ],
    ),
    Number(
        say("The reconstruction is averaged over the pixels of pictures of 28 × 28, and the divergence is summed. "
            "To which beta does this come down?",
            "La reconstruction est moyennée sur les pixels d'images de 28 × 28, et la divergence est sommée. "
            "À quel bêta cela revient-il ?"),
        right=784,
        why=say("One of the terms was divided by 28 × 28.", "L'un des termes est divisé par 28 × 28."),
        computed=lambda: 28 * 28,
        near_misses={64: say("That was for pictures of 8 × 8.", "C'était pour des images de 8 × 8.")},
    ),
    Choice(
        say("For a latent, q is the prior for every picture. Then", "Pour un latent, q est l'a priori, quelle que soit l'image. Alors"),
        [say("it carries most of the information", "il porte l'essentiel de l'information"),
         say("its divergence is infinite", "sa divergence est infinie"),
         say("its divergence is zero, and it says nothing of the picture", "sa divergence est nulle, et il ne dit rien de l'image")],
        right=2,
        why=say("It has collapsed: what is the same for all pictures tells none apart.",
                "Il s'est effondré : ce qui est le même pour toutes n'en distingue aucune."),
        why_not=[
            say("What does not depend on the picture cannot tell pictures apart.",
                "Ce qui ne dépend pas de l'image ne peut distinguer les images."),
            say("The divergence of a distribution from itself is zero.", "La divergence d'une loi à elle-même est nulle."),
        ],
    ),
    Choice(
        say("To generate a new picture with a VAE, one decodes", "Pour générer une image nouvelle avec un VAE, on décode"),
        [say("a sample of N(0, 1)", "un tirage de N(0, 1)"),
         say("a sample of N(μ, σ²)", "un tirage de N(μ, σ²)"),
         say("the mean of all codes", "la moyenne de tous les codes")],
        right=0,
        why=say("There is no picture yet, hence neither μ nor σ.", "Il n'y a pas encore d'image, donc ni μ ni σ."),
        why_not=[
            say("μ and σ belong to a picture that one has.", "μ et σ appartiennent à une image que l'on a."),
            say("That would always give the same picture.", "Ce serait toujours la même image."),
        ],
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Extraire vaut mieux que sélectionner.
# - Sans loi sur les codes, des trous.
# - ELBO : refaire, moins s'écarter.
# - Le dé dehors, le gradient passe.
# - Sommer, ne pas moyenner.
# - Juger pixel par pixel rend flou.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - Extraction beats selection.
# - No distribution over codes: holes.
# - ELBO: rebuild, minus stray.
# - The die outside, the gradient passes.
# - Sum, do not average.
# - To judge pixel by pixel is to blur.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 14 et 16. La leçon 08 part d'une
# question : et si les latents étaient des mots ?

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask everyone for the sentence they take home. For next time: finish exercises 14 and 16. Lesson 08 sets out from a question: what
# if latents were words?

# %% [markdown] lang="fr"
# ## À retenir
#
# - L'ACP est le meilleur plan ; un auto-encodeur linéaire le retrouve, non ses axes ; des couches cachées le courbent.
# - Un auto-encodeur garde ce qui fait baisser la perte. Rien ne donne de loi à ses codes : on ne peut pas y tirer.
# - Une variable latente a une loi. $\log p(x)$ est hors de portée ; l'ELBO en est une borne, et l'écart est une divergence.
# - La divergence n'est pas une distance, et l'a priori est le second terme.
# - $z = \mu + \sigma \varepsilon$ met le hasard dehors. Pour refaire, on prend $\mu$ ; pour générer, $z = \varepsilon$.
# - Sommez sur les pixels et sur les latents, moyennez sur les images. Sinon, $\beta$ n'est pas 1.
# - Une vraisemblance par pixel rend la moyenne des possibles : du flou.

# %% [markdown] lang="en"
# ## Take-aways
#
# - PCA is the best plane; a linear autoencoder finds it again, not its axes; hidden layers bend it.
# - An autoencoder keeps what lowers the loss. Nothing gives its codes a distribution: one cannot sample there.
# - A latent variable has a distribution. $\log p(x)$ is out of reach; the ELBO is a bound of it, and the gap is a divergence.
# - The divergence is not a distance, and the prior is its second argument.
# - $z = \mu + \sigma \varepsilon$ puts the chance outside. To rebuild, take $\mu$; to generate, $z = \varepsilon$.
# - Sum over pixels and over latents, average over pictures. Or else $\beta$ is not 1.
# - A likelihood by pixels gives the mean of what is possible: blur.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:08) remplace les nombres par des mots : chaque carré de l'image devient une entrée d'un dictionnaire. D'ici là, entraînez
# un VAE de deux latents sur les seuls 3 et 6, ou sur vos propres images. Peut-on aussi **apprendre** l'a priori, au lieu d'imposer
# $N(0, 1)$ ? Oui, et c'est ce que fera la [](lesson:11), sur des codes.
#
# Pour lire autrement ce que vous venez de faire : l'introduction écrite par les auteurs du VAE, claire et complète
# ([](work:kingma2019)) ; un tutoriel qui n'attend de vous que des probabilités élémentaires ([](work:doersch2016)) ; un billet en images
# sur le passage de l'auto-encodeur au VAE ([*Understanding variational
# autoencoders*](https://towardsdatascience.com/understanding-variational-autoencoders-vaes-f70510919f73), J. Rocca) ; un autre, qui va
# jusqu'au β-VAE et au VQ-VAE ([*From autoencoder to beta-VAE*](https://lilianweng.github.io/posts/2018-08-12-vae/), L. Weng).
#
# ## Sources
#
# - K. Pearson, [*On lines and planes of closest fit*](work:pearson1901), 1901 ; C. Eckart et G. Young, [*The approximation of one matrix
#   by another of lower rank*](work:eckart1936), 1936 ; Å. Björck et G. Golub, [*Numerical methods for computing angles between linear
#   subspaces*](work:bjorck1973), 1973.
# - P. Baldi et K. Hornik, [*Neural networks and principal component analysis*](work:baldi1989), 1989 ; G. Hinton et R. Salakhutdinov,
#   [*Reducing the dimensionality of data with neural networks*](work:hinton2006), 2006.
# - D. Kingma et M. Welling, [*Auto-encoding variational Bayes*](work:kingma2014), 2014 ; D. Rezende, S. Mohamed et D. Wierstra,
#   [*Stochastic backpropagation*](work:rezende2014), 2014 ; M. Jordan et al., [*An introduction to variational
#   methods*](work:jordan1999), 1999.
# - I. Higgins et al., [*beta-VAE*](work:higgins2017), 2017 ; S. Bowman et al., [*Generating sentences from a continuous
#   space*](work:bowman2016), 2016 ; Y. Burda, R. Grosse et R. Salakhutdinov, [*Importance weighted autoencoders*](work:burda2016), 2016.
# - G. Loaiza-Ganem et J. Cunningham, [*The continuous Bernoulli*](work:loaizaganem2019), 2019 ; K. Shoemake, [*Animating rotation with
#   quaternion curves*](work:shoemake1985), 1985 ; T. White, [*Sampling generative networks*](work:white2016), 2016.
# - A. Ramesh et al., [*Zero-shot text-to-image generation*](work:ramesh2021), 2021.
# - Les chiffres : E. Alpaydin et C. Kaynak, [*Optical recognition of handwritten digits*](work:alpaydin1998), 1998.

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:08) replaces numbers by words: each square of the picture becomes an entry of a codebook. Until then, train a VAE of two
# latents on the 3s and 6s alone, or on pictures of yours. Can the prior be **learned** too, instead of imposing $N(0, 1)$? Yes, and that
# is what [](lesson:11) will do, over codes.
#
# To read what you have just done in other words: the introduction written by the authors of the VAE, clear and complete
# ([](work:kingma2019)); a tutorial that asks for no more than elementary probability ([](work:doersch2016)); a post in pictures on the
# way from autoencoder to VAE ([*Understanding variational
# autoencoders*](https://towardsdatascience.com/understanding-variational-autoencoders-vaes-f70510919f73), J. Rocca); another that goes as
# far as the β-VAE and the VQ-VAE ([*From autoencoder to beta-VAE*](https://lilianweng.github.io/posts/2018-08-12-vae/), L. Weng).
#
# ## Sources
#
# - K. Pearson, [*On lines and planes of closest fit*](work:pearson1901), 1901; C. Eckart and G. Young, [*The approximation of one matrix
#   by another of lower rank*](work:eckart1936), 1936; Å. Björck and G. Golub, [*Numerical methods for computing angles between linear
#   subspaces*](work:bjorck1973), 1973.
# - P. Baldi and K. Hornik, [*Neural networks and principal component analysis*](work:baldi1989), 1989; G. Hinton and R. Salakhutdinov,
#   [*Reducing the dimensionality of data with neural networks*](work:hinton2006), 2006.
# - D. Kingma and M. Welling, [*Auto-encoding variational Bayes*](work:kingma2014), 2014; D. Rezende, S. Mohamed and D. Wierstra,
#   [*Stochastic backpropagation*](work:rezende2014), 2014; M. Jordan and others, [*An introduction to variational
#   methods*](work:jordan1999), 1999.
# - I. Higgins and others, [*beta-VAE*](work:higgins2017), 2017; S. Bowman and others, [*Generating sentences from a continuous
#   space*](work:bowman2016), 2016; Y. Burda, R. Grosse and R. Salakhutdinov, [*Importance weighted autoencoders*](work:burda2016), 2016.
# - G. Loaiza-Ganem and J. Cunningham, [*The continuous Bernoulli*](work:loaizaganem2019), 2019; K. Shoemake, [*Animating rotation with
#   quaternion curves*](work:shoemake1985), 1985; T. White, [*Sampling generative networks*](work:white2016), 2016.
# - A. Ramesh and others, [*Zero-shot text-to-image generation*](work:ramesh2021), 2021.
# - The digits: E. Alpaydin and C. Kaynak, [*Optical recognition of handwritten digits*](work:alpaydin1998), 1998.
