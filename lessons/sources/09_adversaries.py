# ---
# jupyter:
#   lesson:
#     number: "09"
#     hours: [3, 1, 2, 2.5]
#     session: 273
#     title: {en: "Adversaries: GAN, VQGAN, CycleGAN", fr: "Les adversaires : GAN, VQGAN, CycleGAN"}
# ---

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Personne ne lui a montré une paire
#
# Des formes pleines entrent ; des contours sortent.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Nobody showed it a pair
#
# Filled shapes go in; outlines come out.

# %% [markdown] lang="fr"
# La première ligne montre des scènes que la machine n'avait jamais vues : des formes pleines. On lui demande des **contours**. Pour
# apprendre, elle a regardé des milliers de formes pleines d'un côté, et de l'autre des milliers de contours **d'autres scènes**. Jamais
# une forme pleine à côté de son propre contour : personne ne lui a donné une seule paire.
#
# **Devinez d'abord**, avant de regarder la deuxième ligne : les contours seront-ils à leur place ? de la bonne couleur ? Et comment a-t-on
# pu lui dire « faux », sans jamais savoir quelle était la bonne réponse ?

# %% [markdown] lang="en"
# The first row shows scenes that the machine had never seen: filled shapes. It is asked for **outlines**. To learn, it looked at thousands
# of filled shapes on one side, and on the other at thousands of outlines of **other scenes**. Never a filled shape beside its own outline:
# nobody gave it a single pair.
#
# **Guess first**, before you look at the second row: will the outlines be in their place? of the right colour? And how could one ever tell
# it "wrong", without knowing what the right answer was?

# %% tags=["hide-input"]
import torch

from dalle_edu.bricks.cyclegan import CycleGAN, CycleGANConfig
from dalle_edu.classroom.demos.cyclegan import filled_and_outlined
from dalle_edu.classroom.figures import picture, plot
from dalle_edu.classroom.pretrained import recall

exchanger = CycleGAN(CycleGANConfig())
# en: the weights that come with the course
# fr: les poids livrés avec le cours
recall("cyclegan", exchanger)
exchanger.eval()
# en: 64 scenes from number 1,000,000 on: training never showed them
# fr: 64 scènes à partir de la 1 000 000e : l'entraînement ne les a pas montrées
filled, outlined = filled_and_outlined(10**6, 64, seed=0)
with torch.no_grad():
    drawn = exchanger.to_b(filled)

# %% tags=["hide-input"]
def show_strip(panel, images, name=""):
    # en: images of shape (n, c, h, w), with values in [-1, 1], side by side
    # fr: des images de forme (n, c, h, w), de valeurs dans [-1, 1], côte à côte
    row = torch.cat(list(images.detach().expand(-1, 3, -1, -1)), dim=2)
    panel.imshow((row.permute(1, 2, 0) / 2 + 0.5).clamp(0, 1))
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set(visible=True, color="silver")
    panel.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=13)

# %% slide="fragment" tags=["hide-input", "output-only-slide"]
figure, panels = plot(2, 1, width=8.4, height=2.5)
show_strip(panels[0], filled[:8], say("given", "donné"))
show_strip(panels[1], drawn[:8], say("drawn", "dessiné"))
picture(figure, say("Eight scenes of filled shapes; below, the machine's "
                    "outlines of them, in the same places and colours.",
                    "Huit scènes de formes pleines ; dessous, leurs contours "
                    "par la machine, aux mêmes places et des mêmes couleurs."))

# %% claims=true
def inked(images):
    return images.amin(dim=1) < 0.4


wide_truth = torch.nn.functional.max_pool2d(inked(outlined).float()[:, None], 3, 1, 1)
near = (inked(drawn) & (wide_truth[:, 0] > 0)).sum() / inked(drawn).sum()
assert near > 0.98  # in the right place: within a pixel of the true outline
both = inked(drawn) & inked(outlined)
colour_error = (drawn - outlined).abs().mean(dim=1)[both].mean()
error_of_another = (drawn - outlined.roll(1, 0)).abs().mean(dim=1)[both].mean()
assert colour_error < error_of_another / 3  # in the right colour

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Cacher la deuxième ligne. Faire parier : la place ? la couleur ? Puis montrer. Demander comment on entraîne sans jamais connaître
# la bonne réponse. Laisser la question ouverte : la réponse vient à la section 11, et il faudra deux joueurs pour y arriver.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Hide the second row. Take bets: the place? the colour? Then show it. Ask how one trains without ever knowing the right answer.
# Leave the question open: the answer comes in section 11, and it takes two players to get there.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="goals"
# ### Vous saurez
#
# - calculer le meilleur juge, et la valeur ;
# - jouer l'algorithme 1 ;
# - provoquer l'effondrement, et le mesurer ;
# - juger par morceaux ;
# - traduire des styles sans paires.
#
# **Il faut** les leçons 01, 04, 07 et 08.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="goals"
# ### You will be able to
#
# - compute the best judge, and the value;
# - play algorithm 1;
# - cause mode collapse, and measure it;
# - judge by patches;
# - translate styles without pairs.
#
# **You need** lessons 01, 04, 07 and 08.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 2 min. Demander qui se rappelle la sigmoïde, l'entropie croisée, et d'où venait le flou. Annoncer trois séances : le jeu (sections 1 à
# 5), l'effondrement et les morceaux (6 à 10), les styles sans paires (11 à 14). Avec une seule séance : sections 1 à 6.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 2 min. Ask who remembers the sigmoid, cross-entropy, and where blur came from. Announce three classes: the game (sections 1 to 5),
# collapse and patches (6 to 10), styles without pairs (11 to 14). With a single class: sections 1 to 6.

# %% [markdown] lang="fr"
# Les contours sont à leur place, à un pixel près, et de la bonne couleur. Il manque quelques détails, comme le bord intérieur de certains
# anneaux, et les grands carrés ne sont pas tout à fait vidés. Pour l'obtenir, il a fallu deux réseaux qui jouent **l'un contre l'autre** :
# l'un fabrique, l'autre démasque. C'est un réseau antagoniste génératif, ou **GAN**. À la fin de la leçon, vous aurez écrit le juge, les
# pertes et les règles du jeu, et vous saurez ce que cette machine cache.

# %% [markdown] lang="en"
# The outlines are in their place, to within a pixel, and of the right colour. A few details are missing, such as the inner edge of some
# rings, and large squares are not quite emptied. To get there it took two networks that play **against each other**: one forges, the other
# finds out. It is a generative adversarial network, or **GAN**. By the end of the lesson you will have written the judge, the losses and
# the rules of the game, and you will know what this machine hides.

# %% [markdown] lang="fr"
# **À la fin de cette leçon, vous saurez**
#
# - calculer le meilleur juge, la valeur du jeu et la divergence de Jensen-Shannon, sur un exemple où tout se voit ;
# - expliquer les deux pertes du générateur, et pourquoi l'une s'éteint ;
# - jouer l'algorithme 1 sur des chiffres, et dire ce que sont k et la moyenne mobile ;
# - provoquer un effondrement des modes, et le mesurer ;
# - juger une image par morceaux, et équilibrer deux pertes par leurs gradients (VQGAN) ;
# - traduire un style en un autre sans paires (CycleGAN), et dire ce que le cycle ne garantit **pas**.
#
# **Il faut** la [](lesson:01) (sigmoïde, entropie croisée, Adam), la [](lesson:04) (convolution, champ récepteur), et, pour les deux
# sections sur la netteté ([9](#judging-by-patches) et [10](#vqgan)), les leçons [07](lesson:07) (d'où vient le flou) et [08](lesson:08)
# (codes d'images).
#
# **Si le temps manque**, les sections [1](#a-forger-and-an-expert) à [6](#mode-collapse) forment le chemin principal, et leurs exercices ●
# et ●● suffisent. Un exercice non fait n'arrête rien : la bibliothèque prend la place de ce qui manque.

# %% [markdown] lang="en"
# **By the end of this lesson you will be able to**
#
# - compute the best judge, the value of the game and the Jensen-Shannon divergence, on an example where all can be seen;
# - explain both losses of the generator, and why one of them dies away;
# - play algorithm 1 on digits, and say what k and the running mean are;
# - cause a mode collapse, and measure it;
# - judge a picture by patches, and balance two losses by their gradients (VQGAN);
# - translate one style into another without pairs (CycleGAN), and say what the cycle does **not** guarantee.
#
# **You need** [](lesson:01) (sigmoid, cross-entropy, Adam), [](lesson:04) (convolution, receptive field), and, for both sections on
# sharpness ([9](#judging-by-patches) and [10](#vqgan)), lessons [07](lesson:07) (where blur comes from) and [08](lesson:08) (codes of
# pictures).
#
# **If time is short**, sections [1](#a-forger-and-an-expert) to [6](#mode-collapse) are the main path, and their exercises ● and ●● are
# enough. An exercise left undone stops nothing: the library takes the place of what is missing.

# %%
import math
from copy import deepcopy

import torch.nn.functional as F
from torch import nn

from dalle_edu.bricks.dcgan import Discriminator, GANConfig, Generator
from dalle_edu.bricks.gan import NON_SATURATING, SATURATING, Game
from dalle_edu.classroom.desk import kept
from dalle_edu.classroom.figures import BLACK, BLUE, GREEN, ORANGE
from dalle_edu.classroom.figures import VERMILION, legend
from dalle_edu.language import decimal

# %% [markdown] lang="fr"
# ## 1. Un faussaire et une experte
#
# Montréal, 2014. Ian Goodfellow, doctorant, et ses collègues cherchent à faire dessiner un réseau. Les auto-encodeurs de la [](lesson:07)
# rendent du flou : leur perte compare des pixels, et la moyenne de deux images nettes y coûte moins que chacune. Leur idée
# ([](work:goodfellow2014)) : ne plus comparer de pixels du tout. **Que la perte soit un autre réseau, qui apprend lui aussi.**
#
# - Le **générateur** $G$, un faussaire, transforme du bruit en images. Il ne voit jamais une vraie image.
# - Le **discriminateur** $D$, une experte, reçoit une image et dit avec quelle probabilité elle est vraie.
#
# Un tour du jeu : l'experte voit un lot de vraies images et un lot de fausses, et corrige ses erreurs ; puis le faussaire présente un
# nouveau lot, apprend de l'experte **dans quel sens changer chaque pixel** pour mieux passer, et se corrige. Ce conseil, c'est un
# gradient, qui traverse $D$ avant d'arriver à $G$.
#
# Voici la notation de l'article, que tout le monde emploie :
#
# | signe | ce qu'il désigne |
# |---|---|
# | $x \sim P_r$ | une vraie image (*real*), tirée des données |
# | $z \sim p(z)$ | du bruit, tiré d'une loi normale |
# | $\tilde x = G(z)$ | une image fausse |
# | $P_g$ | la loi que suivent les fausses : $\tilde x \sim P_g$ |
# | $D(x)$ | la probabilité, selon $D$, que $x$ soit vraie |
#
# Chacun a son **objectif**. $D$ veut dire 1 aux vraies et 0 aux fausses ; $G$ veut que $D$ dise 1 aux fausses :

# %% [markdown] lang="en"
# ## 1. A forger and an expert
#
# Montréal, 2014. Ian Goodfellow, a doctoral student, and his colleagues want a network to draw. The autoencoders of [](lesson:07) give
# blur: their loss compares pixels, and the mean of two sharp pictures costs less there than either. Their idea ([](work:goodfellow2014)):
# to compare no pixels at all. **Let the loss be another network, which learns too.**
#
# - The **generator** $G$, a forger, turns noise into pictures. It never sees a real picture.
# - The **discriminator** $D$, an expert, is given a picture and says with what probability it is real.
#
# A round of the game: the expert sees a batch of real pictures and a batch of fakes, and corrects her errors; then the forger presents a
# new batch, learns from the expert **in which direction to change each pixel** so as to pass, and corrects himself. This advice is a
# gradient, which goes through $D$ before it reaches $G$.
#
# Here is the paper's notation, which everybody uses:
#
# | sign | what it stands for |
# |---|---|
# | $x \sim P_r$ | a real picture, sampled from the data |
# | $z \sim p(z)$ | noise, sampled from a normal distribution |
# | $\tilde x = G(z)$ | a fake picture |
# | $P_g$ | the distribution of the fakes: $\tilde x \sim P_g$ |
# | $D(x)$ | the probability, according to $D$, that $x$ is real |
#
# Each has an **objective**. $D$ wants to say 1 to real ones and 0 to fakes; $G$ wants $D$ to say 1 to fakes:

# %% [markdown]
# $$ \max_D \; \mathbb{E}_{x \sim P_r} \log D(x) + \mathbb{E}_{\tilde x \sim P_g} \log\,(1 - D(\tilde x))
# \qquad\qquad \max_G \; \mathbb{E}_{\tilde x \sim P_g} \log D(\tilde x) $$

# %% [markdown] lang="fr"
# Les deux veulent le contraire l'un de l'autre sur les fausses images. On peut aussi n'écrire qu'**une** valeur $V$, que $D$ pousse vers
# le haut et $G$ vers le bas : c'est un **min–max**, l'objet de la théorie.

# %% [markdown] lang="en"
# On the fakes, each wants the opposite of what the other wants. One may also write a **single** value $V$, which $D$ pushes up and $G$
# pushes down: it is a **min–max**, the subject of the theory.

# %% [markdown]
# $$ \min_G \max_D \; V(G, D) \qquad\qquad
# V(G, D) = \mathbb{E}_{x \sim P_r} \log D(x) + \mathbb{E}_{\tilde x \sim P_g} \log\,(1 - D(\tilde x)) $$

# %% [markdown] lang="fr"
# Attention, ces deux écritures ne disent pas la même chose de $G$ : dans la première il maximise $\log D(\tilde x)$, dans la seconde il
# minimise $\log\,(1 - D(\tilde x))$. Le but est le même, tromper $D$ ; les gradients, non. La [](#a-loss-that-dies-away) mesurera la
# différence, et c'est la première que l'on entraîne.

# %% [markdown] lang="en"
# Mind that these two do not say the same of $G$: in the first it maximises $\log D(\tilde x)$, in the second it minimises $\log\,(1 -
# D(\tilde x))$. The aim is the same, to fool $D$; the gradients are not. [](#a-loss-that-dies-away) will measure the difference, and it is
# the first that one trains.

# %% tags=["hide-input"]
def draw_the_game():
    figure, axes = plot(width=8.4, height=3.0)
    axes.axis("off")
    axes.set(xlim=(0, 10), ylim=(0, 3.4))
    boxes = {(0.8, 2.2): say("noise z", "bruit z"), (2.9, 2.2): "G",
             (5.0, 2.2): say("fake", "fausse"), (5.0, 0.7): say("real", "vraie"),
             (7.1, 1.45): "D", (9.1, 1.45): say("real?", "vraie ?")}
    for (x, y), name in boxes.items():
        axes.text(x, y, name, ha="center", va="center", fontsize=15,
                  bbox={"boxstyle": "round,pad=0.5", "facecolor": "white"})
    return figure, axes

# %% tags=["hide-input"]
game_arrows = [((1.5, 2.2), (2.5, 2.2)), ((3.3, 2.2), (4.3, 2.2)),
               ((5.7, 2.1), (6.7, 1.6)), ((5.7, 0.8), (6.7, 1.3)),
               ((7.5, 1.45), (8.3, 1.45))]
straight = {"arrowstyle": "->", "linewidth": 2}
bent = {"arrowstyle": "->", "linestyle": "--", "color": VERMILION, "linewidth": 2,
        "connectionstyle": "arc3,rad=0.35"}

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 1. Un faussaire et une experte
#
# Montréal, 2014 : ne plus comparer de pixels. $G$ ne voit jamais une vraie image.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 1. A forger and an expert
#
# Montréal, 2014: compare no pixels any more. $G$ never sees a real picture.

# %% slide="fragment" tags=["hide-input"]
figure, axes = draw_the_game()
for start, end in game_arrows:
    axes.annotate("", end, start, arrowprops=straight)
axes.annotate("", (2.9, 2.65), (7.1, 1.85), arrowprops=bent)
axes.text(6.6, 3.0, say("what to change", "que changer"),
          color=VERMILION, fontsize=14)
picture(figure, say("Noise goes through G and becomes a fake; fakes and real "
                    "pictures go to D, which says real or not; a gradient goes "
                    "back to G.",
                    "Du bruit traverse G et devient une fausse image ; fausses "
                    "et vraies vont à D, qui dit vraie ou non ; un gradient "
                    "revient à G."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 7 min. Raconter : Montréal, 2014, Goodfellow et ses collègues. Jouer la scène : deux faussaires dessinent des billets, deux experts
# votent, trois tours. Demander ce que le faussaire apprend de l'expert. (Non pas la note, mais ce qu'il faudrait changer.) Et de qui
# l'expert apprend-il ? (Des faux.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 7 min. Tell the story: Montréal, 2014, Goodfellow and colleagues. Act it out: two forgers draw banknotes, two experts vote, three rounds.
# Ask what the forger learns from the expert. (Not the mark, but what should change.) And from whom does the expert learn? (From the
# fakes.)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Deux objectifs, ou un min–max
#
# $$ \max_D \; \mathbb{E} \log D(x) + \mathbb{E} \log\,(1 - D(\tilde x)) \qquad \max_G \; \mathbb{E} \log D(\tilde x) $$
#
# $$ \min_G \max_D \; V(G, D) $$
#
# Même but, autres gradients.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Two objectives, or one min–max
#
# $$ \max_D \; \mathbb{E} \log D(x) + \mathbb{E} \log\,(1 - D(\tilde x)) \qquad \max_G \; \mathbb{E} \log D(\tilde x) $$
#
# $$ \min_G \max_D \; V(G, D) $$
#
# Same aim, other gradients.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Écrire les deux formes au tableau, et entourer ce que G peut changer : les fausses images seulement. Demander en quoi les deux
# lignes diffèrent pour G. (log D à maximiser, ou log(1 − D) à minimiser.) Annoncer que la différence se verra à la section 4. C'est de
# l'optimisation à deux joueurs : aucune fonction ne descend seule.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Write both forms on the board, and circle what G can change: the fakes only. Ask how the two lines differ for G. (log D to be
# maximised, or log(1 − D) to be minimised.) Announce that the difference will show in section 4. It is optimisation by two players: no
# function goes down by itself.

# %% [markdown] lang="fr"
# ## 2. Le meilleur juge
#
# Oublions les réseaux, et supposons que l'experte sache tout. Trois sortes de billets circulent. Le billet bleu fait 30 % des vrais et 10 %
# des faux. On lui en tend un, pris une fois sur deux chez les vrais. Sur cent billets de chaque sorte, trente vrais et dix faux sont bleus
# : un billet bleu est donc vrai avec la probabilité $30 / (30 + 10) = 0{,}75$. Aucun juge ne peut mieux faire que de le dire.
#
# C'est la proposition 1 de [](work:goodfellow2014) : si les vraies issues ont les probabilités $p$ et les fausses $q$, le meilleur juge
# est

# %% [markdown] lang="en"
# ## 2. The best judge
#
# Let us forget networks, and suppose that the expert knows everything. Three kinds of banknotes are about. The blue note makes up 30 % of
# the real ones and 10 % of the fakes. She is handed one, taken every other time from the real ones. Of a hundred notes of each kind,
# thirty real ones and ten fakes are blue: so a blue note is real with probability $30 / (30 + 10) = 0.75$. No judge can do better than to
# say so.
#
# This is proposition 1 of [](work:goodfellow2014): if the real outcomes have probabilities $p$ and the fakes $q$, the best judge is

# %% [markdown]
# $$ D^*(x) = \frac{p(x)}{p(x) + q(x)} $$

# %% [markdown] lang="fr"
# Écrivez-le pour k issues. `p` et `q`, de forme (k,), contiennent leurs probabilités. Rendez un tenseur de forme (k,). Là où ni les vraies
# ni les fausses ne viennent, toute réponse se vaut : répondez 0,5, et non « pas un nombre ».
#
# <details><summary>Un indice</summary>
#
# `p / (p + q)` marche partout où la somme n'est pas nulle.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.where(p + q > 0, réponse, 0.5)` choisit case par case. Mais la division a lieu partout : ramenez d'abord le dénominateur au-dessus
# de 0 avec `.clamp(min=…)`, le plus petit nombre du type étant `torch.finfo(p.dtype).tiny`.
#
# </details>

# %% [markdown] lang="en"
# Write it for k outcomes. `p` and `q`, of shape (k,), hold their probabilities. Return a tensor of shape (k,). Where neither real nor fake
# outcomes come, any answer is as good: answer 0.5, and not "not a number".
#
# <details><summary>A hint</summary>
#
# `p / (p + q)` works wherever the sum is not zero.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.where(p + q > 0, answer, 0.5)` chooses place by place. But the division happens everywhere: first lift the denominator above 0
# with `.clamp(min=…)`; the smallest number of the type is `torch.finfo(p.dtype).tiny`.
#
# </details>

# %% implements="gan:optimal_discriminator" level=1
"""Le meilleur D quand les vraies issues ont les probabilités p et les
fausses q.

C'est p / (p + q), la proposition 1 de Goodfellow et al. (2014). Là où p et q
sont nulles toutes deux, toute réponse se vaut, et celle-ci est 1/2.
"""
# no division by 0 => pas de division par 0

# %% scratch=true
optimal_discriminator(torch.tensor([0.3, 0.7]), torch.tensor([0.1, 0.9]))
# → tensor([0.7500, 0.4375])

# %% [markdown] lang="fr"
# Que vaut le jeu, si l'experte répond $d_i$ à l'issue $i$ ? Les espérances deviennent des sommes :
# $V = \sum_i p_i \log d_i + q_i \log\,(1 - d_i)$. Prenons une experte qui ne sait rien et répond toujours 1/2 : chaque terme a le même
# logarithme, et $V = \log \frac12 + \log \frac12 = -\log 4 \approx -1{,}386$, quels que soient $p$ et $q$.

# %% [markdown] lang="en"
# What is the game worth, if the expert answers $d_i$ to outcome $i$? Expectations become sums: $V = \sum_i p_i \log d_i + q_i \log\,(1 -
# d_i)$. Take an expert who knows nothing and always answers 1/2: each term has the same logarithm, and $V = \log \frac12 + \log \frac12 =
# -\log 4 \approx -1.386$, whatever $p$ and $q$ are.

# %% [markdown] lang="fr"
# Écrivez cette somme. `d`, `p` et `q` sont de forme (k,) ; rendez un tenseur d'un seul nombre, en nats (logarithmes naturels). Une issue
# de probabilité 0 n'ajoute rien, même si son logarithme est infini.
#
# <details><summary>Un indice</summary>
#
# En PyTorch, `0 * torch.log(0)` donne « pas un nombre ».
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.xlogy(p, d)` calcule $p \log d$, et donne 0 là où p est nul.
#
# </details>

# %% [markdown] lang="en"
# Write this sum. `d`, `p` and `q` are of shape (k,); return a tensor of a single number, in nats (natural logarithms). An outcome of
# probability 0 adds nothing, even where its logarithm is infinite.
#
# <details><summary>A hint</summary>
#
# In PyTorch, `0 * torch.log(0)` gives "not a number".
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.xlogy(p, d)` computes $p \log d$, and gives 0 where p is zero.
#
# </details>

# %% implements="gan:expected_value" level=1
"""La valeur exacte V du jeu : Σ p log d + q log(1 - d), en nats.

D tient l'issue i pour vraie avec la probabilité d_i.
"""

# %% scratch=true
guess = torch.tensor([0.5, 0.5])
expected_value(guess, torch.tensor([0.3, 0.7]), torch.tensor([0.1, 0.9]))
# → tensor(-1.3863)

# %% [markdown] lang="fr"
# Contre la meilleure experte, que reste-t-il à gagner au faussaire ? L'équation 6 de l'article le dit : la valeur devient

# %% [markdown] lang="en"
# Against the best expert, what is left for the forger to gain? Equation 6 of the paper says it: the value becomes

# %% [markdown]
# $$ \max_D V(G, D) = -\log 4 + 2 \, \mathrm{JSD}(p, q) \qquad\qquad
# \mathrm{JSD}(p, q) = H\!\left( \tfrac{p + q}{2} \right) - \frac{H(p) + H(q)}{2} $$

# %% [markdown] lang="fr"
# $H(p) = -\sum_i p_i \log p_i$ est l'entropie : elle mesure le hasard d'une loi. La **divergence de Jensen-Shannon** dit combien de hasard
# on ajoute en mélangeant les deux lois : rien si elles sont égales ; $\log 2$, un pile ou face entier, si elles n'ont aucune issue en
# commun. C'est tout ce que $G$ peut faire baisser, et elle n'a qu'un minimum : $q = p$.

# %% [markdown] lang="en"
# $H(p) = -\sum_i p_i \log p_i$ is the entropy: the chance in a distribution. The **Jensen-Shannon divergence** says how much chance is
# added by mixing both: none if they are equal; $\log 2$, a whole toss of a coin, if they share no outcome. It is all that $G$ can lower,
# and there is only one bottom: $q = p$.

# %% [markdown] lang="fr"
# Écrivez la divergence, de deux lois de forme (k,), en nats.
#
# <details><summary>Un indice</summary>
#
# Le mélange est `(p + q) / 2` : il est de somme 1.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.special.entr(p)` donne $-p_i \log p_i$ case par case, et 0 là où p est nul ; il reste à sommer.
#
# </details>

# %% [markdown] lang="en"
# Write the divergence, of two distributions of shape (k,), in nats.
#
# <details><summary>A hint</summary>
#
# The mixture is `(p + q) / 2`: it sums to 1.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.special.entr(p)` gives $-p_i \log p_i$ place by place, and 0 where p is zero; what is left is to sum.
#
# </details>

# %% implements="gan:jensen_shannon" level=2
"""La divergence de Jensen-Shannon de p et q, en nats.

C'est leur divergence moyenne à leur mélange : 0 si elles sont égales, log 2
si elles n'ont aucune issue en commun. Contre le meilleur D, V vaut -log 4 +
2 JSD(p, q) (Goodfellow et al. 2014, équation 6) : cette divergence est donc
tout ce que G peut faire baisser.
"""

# %% scratch=true
jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
# → tensor(0.6931)

# %% [markdown] lang="fr"
# Vérifions l'équation 6 par le calcul, sur trois sortes de billets. **Devinez** : une experte qui tranche (0,99 aux issues plus souvent
# vraies que fausses, 0,01 aux autres) fait-elle mieux que la meilleure, qui hésite ?

# %% [markdown] lang="en"
# Let us check equation 6 by computing it, on three kinds of notes. **Guess**: does an expert who decides outright (0.99 to outcomes that
# are more often real than fake, 0.01 to the others) do better than the best one, who hesitates?

# %%
p = torch.tensor([0.3, 0.5, 0.2])
q = torch.tensor([0.1, 0.3, 0.6])
best = optimal_discriminator(p, q)
judges = {
    say("the best", "la meilleure"): best,
    say("says 1/2", "dit 1/2"): torch.full((3,), 0.5),
    say("decides", "tranche"): torch.tensor([0.99, 0.99, 0.01]),
}
for name, answers in judges.items():
    print(f"{name:14}", decimal(expected_value(answers, p, q), 3))
print(f"{'-log 4 + 2 JSD':14}", decimal(-math.log(4) + 2 * jensen_shannon(p, q), 3))

# %% claims=true
values = [expected_value(answers, p, q).item() for answers in judges.values()]
assert abs(values[0] - (-math.log(4) + 2 * jensen_shannon(p, q).item())) < 1e-5
assert values[2] < values[1] < values[0]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 2. Le meilleur juge hésite
#
# Un billet bleu : 30 % des vrais, 10 % des faux. Que répondre ?
#
# $$ D^*(x) = \frac{p(x)}{p(x) + q(x)} $$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 2. The best judge hesitates
#
# A blue note: 30 % of the real ones, 10 % of the fakes. What to answer?
#
# $$ D^*(x) = \frac{p(x)}{p(x) + q(x)} $$

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=6.4, height=3.0)
places = torch.arange(3)
axes.bar(places - 0.2, p, 0.38, color=BLUE, label=say("real, p", "vrais, p"))
axes.bar(places + 0.2, q, 0.38, color=ORANGE, label=say("fake, q", "faux, q"))
axes.plot(places, best, "D", color=BLACK, label=say("best judge", "meilleur juge"))
for place, height in enumerate(best.tolist()):
    # en: a white ground, since some stand in front of a bar
    # fr: un fond blanc, car certains sont devant une barre
    axes.text(place, height + 0.08, f"{height:.2f}", ha="center", fontsize=13,
              bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
axes.set(ylim=(0, 1.05), xticks=range(3))
axes.set_xticklabels(say("blue|green|red", "bleu|vert|rouge").split("|"))
legend(axes, loc="center left", bbox_to_anchor=(1.0, 0.5))
picture(figure, say("Three kinds of notes: the best judge says 0.75, 0.62 and "
                    "0.25, the share of real ones among each.",
                    "Trois sortes de billets : le meilleur juge dit 0,75, 0,62 "
                    "et 0,25, la part de vrais dans chacune."))

# %% claims=true
assert [round(height, 2) for height in best.tolist()] in ([0.75, 0.62, 0.25], [0.75, 0.63, 0.25])

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire compter : cent vrais, cent faux, combien de bleus ? (30 et 10, donc 0,75.) Demander pourquoi l'experte ne tranche pas. (Une
# erreur dont on était sûr coûte un logarithme énorme.) Écrire −log 4 : la valeur quand elle ne sait rien, et le but du faussaire.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have them count: a hundred real, a hundred fake, how many blue? (30 and 10, so 0.75.) Ask why the expert does not decide outright.
# (An error one was sure of costs a huge logarithm.) Write −log 4: the value when she knows nothing, and the forger's aim.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercices 1 à 3 · Le jeu, exactement
#
# **20 min.**
#
# - **1** ● `optimal_discriminator` : $p / (p + q)$.
# - **2** ● `expected_value` : la valeur $V$.
# - **3** ●● `jensen_shannon` : ce que $G$ peut gagner.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 1-3"
# ### Exercises 1 to 3 · The game, exactly
#
# **20 min.**
#
# - **1** ● `optimal_discriminator`: $p / (p + q)$.
# - **2** ● `expected_value`: the value $V$.
# - **3** ●● `jensen_shannon`: what $G$ can gain.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner la section 2. Fautes à guetter : la part des faux au lieu de celle des vrais ; 0 fois log 0 ; une moyenne au lieu d'une
# somme ; le mélange oublié d'être divisé par 2. Demander la valeur quand p = q. (−log 4, quoi que fasse l'experte de mieux.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out section 2. Mistakes to look for: the share of fakes instead of that of real ones; 0 times log 0; a mean instead of a
# sum; a mixture not divided by 2. Ask for the value when p = q. (−log 4, at the expert's very best.)

# %% [markdown] lang="fr"
# La meilleure experte obtient exactement $-\log 4 + 2\,\mathrm{JSD}$. Celle qui tranche fait pire que celle qui dit toujours 1/2 : le
# logarithme punit fort qui se trompe en étant sûr.

# %% [markdown] lang="en"
# The best expert gets exactly $-\log 4 + 2\,\mathrm{JSD}$. The one who decides does worse than the one who always says 1/2: the logarithm
# is hard on whoever errs and is sure.

# %% [markdown] lang="fr"
# ## 3. Le jeu sur une ligne
#
# Regardons le jeu là où tout se voit : les « images » sont des **nombres**. Les vrais viennent de deux bosses, autour de $-1{,}5$ et de
# $1{,}5$. $G$, un petit réseau, change un nombre tiré d'une loi normale en un autre ; $D$, un autre petit réseau, dit à quel point un
# nombre lui paraît vrai. On peut alors tracer trois courbes : la densité $p$ des vrais, la densité $q$ des faux, et $D$.
#
# **Devinez**, avant de lancer : à la fin d'un jeu réussi, quelle est la courbe de $D$ ? La perte de $D$ est $-V$ : va-t-elle vers 0 ?

# %% [markdown] lang="en"
# ## 3. The game on a line
#
# Let us look at the game where all can be seen: the "pictures" are **numbers**. The real ones come from two bumps, around $-1.5$ and
# $1.5$. $G$, a small network, changes a number sampled from a normal distribution into another; $D$, another small network, says how real
# a number looks to it. So one can plot three curves: the density $p$ of the real ones, the density $q$ of the fakes, and $D$.
#
# **Guess**, before you run it: at the end of a game that goes well, what is the curve of $D$? The loss of $D$ is $-V$: does it go to 0?

# %%
from dalle_edu.classroom.diagrams.gan import bins, play_on_a_line

line_game = play_on_a_line(seed=0, rounds=600, seen=12)
print(say("round    V      JSD", "tour     V      JSD"))
for standing in line_game[::3]:
    print(f"{standing.rounds:5}  {decimal(standing.value, 2):>5}  "
          f"{decimal(standing.divergence, 3):>6}")

# %% claims=true
assert line_game[0].divergence > 0.65  # nearly log 2: nothing in common
assert line_game[-1].divergence < 0.1
assert abs(line_game[-1].value + math.log(4)) < 0.15
assert abs(line_game[0].value + math.log(4)) < 0.1
assert line_game[3].value > line_game[-1].value  # in between, the expert wins

# %% tags=["hide-input"]
def show_standing(column, standing):
    for part, colour, name in ((standing.p, BLUE, say("real", "vrais")),
                               (standing.q, VERMILION, say("fakes", "faux"))):
        column[0].fill_between(bins(), part * 10, color=colour, alpha=0.3)
        column[0].plot(bins(), part * 10, color=colour, label=name)
    column[1].plot(bins(), standing.d, color=BLACK)
    column[1].axhline(0.5, color="grey", linestyle=":")
    column[0].set(title=say(f"round {standing.rounds}", f"tour {standing.rounds}"))
    column[0].set(ylim=(0, 1.6), xticks=[])
    column[1].set(ylim=(0, 1.03), xticks=[-3, 0, 3], yticks=[0, 0.5, 1])

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 3. Le jeu sur une ligne
#
# Bleu : les vrais. Orange : les faux. Noir : ce que dit l'experte.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 3. The game on a line
#
# Blue: the real. Orange: the fakes. Black: what the expert says.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 3, width=9, height=4.4)
for column, standing in zip(panels.T, (line_game[0], line_game[4], line_game[12])):
    show_standing(column, standing)
panels[0, 0].set_ylabel(say("density", "densité"))
panels[1, 0].set_ylabel(say("judge", "juge"))
legend(panels[0, 2], loc="upper center")
picture(figure, say("At round 0 the fakes are a single spike; by round 600 "
                    "they cover both bumps, where the judge comes near one "
                    "half; between the bumps it says fake.",
                    "Au tour 0, les faux forment un seul pic ; au tour 600, "
                    "ils couvrent les deux bosses, où le juge approche d'un "
                    "demi ; entre les bosses, il dit faux."))

# %% claims=true
crowded = line_game[-1].p + line_game[-1].q > 0.02
assert (line_game[-1].d[crowded] - 0.5).abs().mean() < 0.15
assert line_game[0].q.max() > 0.2

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Avant la dernière colonne, faire dessiner au tableau la courbe de D à la fin. (Plate, à un demi.) Demander ce qu'est alors sa
# perte : log 4, soit 1,386, et non 0. Un jeu qui va bien ne se voit pas à une perte qui descend : elles restent là, à se tenir tête.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Before the last column, have the final curve of D sketched on the board. (Flat, at one half.) Ask what its loss is then: log 4, or
# 1.386, and not 0. A game that goes well is not seen by a loss that goes down: they stay there and hold each other off.

# %% [markdown] lang="fr"
# Faites défiler les tours. La courbe grise est la meilleure experte possible contre ces faux-là ; la noire, celle que l'on a.

# %% [markdown] lang="en"
# Step through the rounds. The grey curve is the best expert there could be against these fakes; the black one is the one we have.

# %%
from dalle_edu.classroom.widgets.gan_game import game_explorer

game_explorer(line_game, start=4)

# %% [markdown] lang="fr"
# Au début, presque aucun faux ne tombe là où sont les vrais : la divergence est près de $\log 2$. À la fin, sur les deux bosses, $D$
# approche de 1/2 ; si $q$ était égal à $p$, sa courbe serait plate, à 1/2 partout. La valeur $V$ est près de $-\log 4$ : la perte de $D$,
# $-V$, ne va pas vers 0 mais vers 1,386, la perte de qui ne sait rien. (Au tour 0 aussi, $V$ était près de $-\log 4$, mais parce que
# l'experte n'avait encore rien appris : la valeur seule ne distingue pas le début de la fin.) **On ne suit pas un GAN à ses pertes** :
# quand l'une descend, c'est que l'autre joueur perd, et un équilibre n'est pas le moment où elles sont égales. On regarde les images, ou
# une mesure que les joueurs n'optimisent pas.

# %% [markdown] lang="en"
# At first hardly any fake falls where the real ones are: the divergence is near $\log 2$. At the end, on both bumps, $D$ comes near 1/2;
# were $q$ equal to $p$, its curve would be flat, at 1/2 everywhere. The value $V$ is near $-\log 4$: the loss of $D$, $-V$, does not go to
# 0 but to 1.386, the loss of one who knows nothing. (At round 0 too $V$ was near $-\log 4$, but because the expert had not learned anything
# yet: the value alone does not tell the beginning from the end.) **One does not follow a GAN by its losses**: when one goes down, the other
# player is losing, and equilibrium is not the moment when they are equal. One looks at the pictures, or at a measure that the players do
# not optimise.

# %% [markdown] lang="fr"
# ## 4. Une perte qui s'éteint
#
# Un réseau ne rend pas de probabilité, mais un **logit** $l$, et $D = \sigma(l)$, la sigmoïde de la [](lesson:01). Ce n'est pas un détail.
# Pour $l = -200$, la sigmoïde s'arrondit à 0, et $\log 0$ est infini ; alors que $\log \sigma(-200)$ vaut simplement $-200$. On calcule
# donc $\log \sigma(l)$ d'un seul tenant (`F.logsigmoid`), sans passer par la probabilité. Et comme $1 - \sigma(l) = \sigma(-l)$, le second
# logarithme est $\log \sigma(-l)$.

# %% [markdown] lang="en"
# ## 4. A loss that dies away
#
# A network does not give a probability but a **logit** $l$, and $D = \sigma(l)$, the sigmoid of [](lesson:01). This is no detail. For $l =
# -200$ the sigmoid rounds to 0, and $\log 0$ is infinite; while $\log \sigma(-200)$ is simply $-200$. So one computes $\log \sigma(l)$ in
# one go (`F.logsigmoid`), without passing by the probability. And since $1 - \sigma(l) = \sigma(-l)$, the second logarithm is $\log
# \sigma(-l)$.

# %% [markdown] lang="fr"
# Écrivez la perte de $D$, c'est-à-dire $-V$. `real_logits` et `fake_logits` sont des tenseurs de n'importe quelle forme, peut-être
# différente. La moyenne des vrais s'ajoute à celle des faux ; la perte reste finie pour tout logit. Rendez un tenseur d'un seul nombre.
#
# <details><summary>Un indice</summary>
#
# $-\log D$ sur les vrais, $-\log\,(1 - D)$ sur les faux. La solution appellera `value`, de la bibliothèque, qui calcule $V$ sur des
# logits ; écrivez-en plutôt le calcul.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `-F.logsigmoid(real_logits).mean()`, et pour les faux, `-fake_logits`.
#
# </details>

# %% [markdown] lang="en"
# Write the loss of $D$, that is $-V$. `real_logits` and `fake_logits` are tensors of any shape, perhaps not the same. The mean over the
# real ones is added to that over the fakes; the loss stays finite for any logit. Return a tensor of a single number.
#
# <details><summary>A hint</summary>
#
# $-\log D$ on real ones, $-\log\,(1 - D)$ on fakes. The library goes through its function `value`; you may write out what it computes.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `-F.logsigmoid(real_logits).mean()`, and for the fakes, `-fake_logits`.
#
# </details>

# %% implements="gan:discriminator_loss" level=2
"""La perte de D : -V, l'entropie croisée des étiquettes « vraie » et
« fausse ».

C'est, en nats, la moyenne de -log D sur tous les logits des vraies plus
celle de -log(1 - D) sur tous ceux des fausses ; elle est finie pour tout
logit.
"""

# %% scratch=true
discriminator_loss(torch.tensor([0.0]), torch.tensor([0.0]))  # → tensor(1.3863)

# %% [markdown] lang="fr"
# Un logit de 0 veut dire 1/2 : on retrouve $\log 4$. Aux deux pertes du faussaire, maintenant. D'abord celle du min–max : $G$ **abaisse**
# $\log\,(1 - D(\tilde x))$.

# %% [markdown] lang="en"
# A logit of 0 means 1/2: there is $\log 4$ again. Now for the two losses of the forger. First that of the min–max: $G$ **lowers**
# $\log\,(1 - D(\tilde x))$.

# %% [markdown] lang="fr"
# Écrivez-la : la moyenne sur tous les logits des fausses images, finie pour tout logit.
#
# <details><summary>Un indice</summary>
#
# C'est le second terme de $V$ tel quel, sans changement de signe : $G$ l'abaisse.
#
# </details>

# %% [markdown] lang="en"
# Write it: the mean over all logits of fake pictures, finite for any logit.
#
# <details><summary>A hint</summary>
#
# It is the second term of $V$ as it is, without a change of sign: $G$ lowers it.
#
# </details>

# %% implements="gan:saturating_loss" level=1
"""La perte de G telle qu'elle est définie d'abord : E log(1 - D(G(z))), en
nats.

E est la moyenne sur tous les logits, D la sigmoïde de l'un d'eux ; la perte
est finie pour tout logit. Elle sature : son gradient selon le logit de D est
l'opposé de la probabilité de D, qui s'éteint quand D est sûr d'avoir affaire
à un faux.
"""

# %% scratch=true
saturating_loss(torch.tensor([0.0]))  # → tensor(-0.6931)

# %% [markdown] lang="fr"
# Puis celle que l'on emploie : $G$ **abaisse** $-\log D(\tilde x)$. Même forme, même exigence.
#
# <details><summary>Un indice</summary>
#
# C'est l'entropie croisée de l'étiquette « vraie », posée sur des fausses. D'où la recette des tutoriels, « retourner les étiquettes ».
#
# </details>

# %% [markdown] lang="en"
# Then the one in use: $G$ **lowers** $-\log D(\tilde x)$. Same shape, same demand.
#
# <details><summary>A hint</summary>
#
# It is the cross-entropy of the label "real", put on fakes. Hence the recipe of tutorials, "flip the labels".
#
# </details>

# %% implements="gan:non_saturating_loss" level=1
"""La perte de G en pratique : -E log D(G(z)), en nats.

E est la moyenne sur tous les logits, et la perte est finie pour tout logit.
Elle a le but de la perte qui sature, et son gradient est le plus fort là où
D est sûr d'avoir affaire à un faux (Goodfellow et al. 2014, section 3).
"""

# %% scratch=true
non_saturating_loss(torch.tensor([0.0]))  # → tensor(0.6931)

# %% [markdown] lang="fr"
# Au début, les faux sont mauvais, et l'experte les démasque sans peine : $D = 0{,}01$, disons. C'est là que le faussaire a le plus besoin
# de conseils. De combien chaque perte tire-t-elle sur le logit : quelle est la taille de sa dérivée ? **Devinez** laquelle des deux tire le
# plus fort, et combien de fois plus.

# %% [markdown] lang="en"
# At first the fakes are bad, and the expert finds them out with ease: $D = 0.01$, say. That is when the forger needs advice most. How hard
# does each loss pull on the logit: how large is its derivative? **Guess** which of the two pulls harder, and how many times as hard.

# %%
logit = torch.logit(torch.tensor([0.01], dtype=torch.float64)).requires_grad_()
pull = {}
for name, loss in ((say("saturating", "qui sature"), saturating_loss),
                   (say("non-saturating", "qui ne sature pas"), non_saturating_loss)):
    pull[name] = torch.autograd.grad(loss(logit), logit)[0].abs().item()
    print(f"{name:18}", decimal(pull[name], 2))

# %% claims=true
weak, strong = pull.values()
assert abs(weak - 0.01) < 1e-6 and abs(strong - 0.99) < 1e-6

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 4. Une perte qui s'éteint
#
# Là où $D$ est sûr de lui, laquelle conseille encore le faussaire ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 4. A loss that dies away
#
# Where $D$ is sure, which of them still advises the forger?

# %% slide="fragment" tags=["hide-input"]
from dalle_edu.classroom.diagrams.gan import draw_pulls

draw_pulls()

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire calculer la dérivée au tableau : −D pour l'une, −(1 − D) pour l'autre. À 0,01, l'une tire de 0,01, l'autre de 0,99. Demander
# où elles tirent autant. (À un demi.) Dire que le but est le même, et que l'article de 2014 le dit déjà, à la section 3.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Have the derivative worked out on the board: −D for one, −(1 − D) for the other. At 0.01 one pulls by 0.01, the other by 0.99. Ask
# where they pull equally. (At one half.) Say that the aim is the same, and that the paper of 2014 says so already, in section 3.

# %% [markdown] lang="fr"
# Cent fois moins, à l'endroit où il faudrait le plus. La dérivée de $\log\,(1 - \sigma(l))$ est en effet $-\sigma(l) = -D$ ; celle de
# $-\log \sigma(l)$ est $-(1 - D)$.
#
# Voyons-le en marche. Nous plaçons tous les faux autour de $-4$, loin des vrais, et laissons l'experte s'entraîner seule trois cents pas.
# Puis le faussaire fait cent pas, chaque fois par simple descente de gradient, avec l'une ou l'autre perte. **Devinez** où il sera rendu.

# %% [markdown] lang="en"
# A hundred times less, at the place where it is needed most. For the derivative of $\log\,(1 - \sigma(l))$ is $-\sigma(l) = -D$; that of
# $-\log \sigma(l)$ is $-(1 - D)$.
#
# Let us see it at work. We place all fakes around $-4$, far from the real ones, and let the expert train alone for three hundred steps.
# Then the forger takes a hundred steps, each by plain gradient descent, with one loss or the other. **Guess** where it will have got to.

# %%
from dalle_edu.bricks.gan import discriminator_step as library_d_step
from dalle_edu.bricks.gan import generator_step as library_g_step


def players_on_a_line(losses, seed=0):
    torch.manual_seed(seed)
    forger = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
    nn.init.constant_(forger[-1].bias, -4.0)
    expert = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32),
                           nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Flatten(0))
    plain_descent = torch.optim.SGD(forger.parameters(), lr=0.02)
    adam = torch.optim.Adam(expert.parameters(), lr=0.01, betas=(0.5, 0.999))
    return Game(forger, expert, plain_descent, adam, losses)

# %%
def run_after_a_head_start(losses, seed=0):
    game = players_on_a_line(losses, seed)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(300):
        bump = torch.randint(2, (256, 1), generator=generator) * 3 - 1.5
        real = bump + 0.4 * torch.randn(256, 1, generator=generator)
        library_d_step(game, real, torch.randn(256, 1, generator=generator))
    noise = torch.randn(256, 1, generator=generator)
    centres = []
    for _ in range(101):
        centres.append(game.generator(noise).mean().item())
        library_g_step(game, noise)
    return centres


runs = {name: run_after_a_head_start(losses) for name, losses in (
    (say("saturating", "qui sature"), SATURATING),
    (say("non-saturating", "qui ne sature pas"), NON_SATURATING))}

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### L'experte a de l'avance
#
# Les faux partent de −4 ; les vrais sont autour de −1,5 et de 1,5.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### The expert has a head start
#
# The fakes set out from −4; the real ones are around −1.5 and 1.5.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=7, height=3.3)
axes.axhspan(-1.9, -1.1, color=BLUE, alpha=0.2)
axes.text(2, -1.35, say("real numbers", "vrais nombres"), fontsize=13)
styles = {"--": BLACK, "-": VERMILION}
for (name, centres), (style, colour) in zip(runs.items(), styles.items()):
    axes.plot(centres, style, color=colour, linewidth=2, label=name)
axes.set(xlabel=say("steps of the forger", "pas du faussaire"), ylim=(-4.6, -0.8))
axes.set_ylabel(say("mean of the fakes", "moyenne des faux"))
legend(axes, loc="center right")
picture(figure, say("With the saturating loss the fakes stay where they are; "
                    "with the other they come near the real numbers.",
                    "Avec la perte qui sature, les faux restent sur place ; "
                    "avec l'autre, ils approchent des vrais nombres."))

# %% claims=true
stuck, moving = runs.values()
assert abs(stuck[-1] - stuck[0]) < 0.05
assert moving[-1] > moving[0] + 1

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Faire parier sur les deux courbes. L'une reste couchée : sûre d'elle, l'experte n'apprend plus rien au faussaire. Demander si une
# experte parfaite est une bonne nouvelle. (Non : il faut qu'elle doute pour que le gradient passe.) Prévenir : Adam, qui remet les
# gradients à l'échelle, masque en partie ce mal.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Take bets on both curves. One lies flat: sure of herself, the expert teaches the forger nothing any more. Ask whether a perfect
# expert is good news. (No: she must doubt for the gradient to pass.) A warning: Adam, which rescales gradients, hides part of this ill.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercices 4 à 6 · Trois pertes
#
# **15 min.**
#
# - **4** ●● `discriminator_loss` : $-V$, depuis les logits.
# - **5** ● `saturating_loss` : celle du min–max.
# - **6** ● `non_saturating_loss` : celle que l'on emploie.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 4-6"
# ### Exercises 4 to 6 · Three losses
#
# **15 min.**
#
# - **4** ●● `discriminator_loss`: $-V$, from logits.
# - **5** ● `saturating_loss`: that of the min–max.
# - **6** ● `non_saturating_loss`: the one in use.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner la section 4. Fautes à guetter : une sigmoïde, puis une perte qui en applique une autre ; le logarithme d'une probabilité
# arrondie à 0 ; un signe renversé, et le faussaire apprend à se faire prendre. Demander la perte pour un logit de 0. (log 2 chacune.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out section 4. Mistakes to look for: a sigmoid, then a loss that applies another; the logarithm of a probability rounded to
# 0; a sign turned round, so that the forger learns to be caught. Ask for the loss at a logit of 0. (log 2 each.)

# %% [markdown] lang="fr"
# Avec la perte qui sature, les faux n'ont pas bougé ; avec l'autre, ils ont rejoint le bord des vrais. Le remède est dans l'article de
# 2014 lui-même. (Nous avons pris exprès la descente de gradient toute simple : Adam remet chaque gradient à l'échelle, et masque en partie
# le mal.)

# %% [markdown] lang="en"
# With the saturating loss the fakes have not moved; with the other they have come near the edge of the real ones. The remedy is in the
# paper of 2014 itself. (We took plain gradient descent on purpose: Adam rescales each gradient, and hides part of the ill.)

# %% [markdown] lang="fr"
# ## 5. L'algorithme 1
#
# Le jeu tient en quelques lignes : c'est l'algorithme 1 de [](work:goodfellow2014).
#
# 1. Répéter $k$ fois : tirer un lot de vraies images et un lot de bruit ; un pas de gradient pour $D$.
# 2. Tirer un nouveau lot de bruit ; un pas de gradient pour $G$.
# 3. Recommencer.
#
# Pourquoi $k$ ? La théorie suppose que $D$ est le meilleur possible à tout instant ; en pratique, on lui accorde $k$ pas par tour. Les
# auteurs ont pris $k = 1$, « le choix le moins coûteux », et une descente avec **inertie** (*momentum*), la moyenne mobile des gradients.
# Avec Adam, [](work:radford2016) baissent cette inertie de 0,9 à 0,5 : l'adversaire change sans cesse, et un vieux gradient est un mauvais
# conseil.
#
# Deux optimiseurs, donc, un par joueur. Et une précaution de chaque côté : le pas de $D$ ne doit rien apprendre à $G$ (les faux sont
# calculés sous `torch.no_grad()`) ; le pas de $G$ doit **traverser** $D$ sans le changer. Pour essayer, voici un jeu minuscule : $G$
# multiplie par 1, et $D$ répond toujours le logit 0.

# %% [markdown] lang="en"
# ## 5. Algorithm 1
#
# The game is a few lines: algorithm 1 of [](work:goodfellow2014).
#
# 1. Repeat $k$ times: sample a batch of real pictures and a batch of noise; a gradient step for $D$.
# 2. Sample a new batch of noise; a gradient step for $G$.
# 3. Begin again.
#
# Why $k$? Theory supposes that $D$ is the best possible at every moment; in practice it is granted $k$ steps a round. The authors took $k
# = 1$, "the least expensive option", and descent with **momentum**, the running mean of gradients. With Adam, [](work:radford2016) lower
# this momentum from 0.9 to 0.5: the adversary changes all the time, and an old gradient is bad advice.
#
# So there are two optimisers, one for each player. And a precaution on each side: the step of $D$ must teach $G$ nothing (the fakes are
# computed under `torch.no_grad()`); the step of $G$ must **go through** $D$ without changing it. For trying out, here is a tiny game: $G$
# multiplies by 1, and $D$ always answers the logit 0.

# %%
def tiny_game():
    multiply = nn.Linear(1, 1)
    nn.init.constant_(multiply.weight, 1.0)
    nn.init.constant_(multiply.bias, 0.0)
    judge = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
    nn.init.constant_(judge[0].weight, 0.0)
    nn.init.constant_(judge[0].bias, 0.0)
    steps = [torch.optim.SGD(player.parameters(), lr=1.0)
             for player in (multiply, judge)]
    return Game(multiply, judge, *steps)

# %% [markdown] lang="fr"
# Écrivez le pas de $D$. `game` contient les deux joueurs (`game.generator`, `game.discriminator`), leurs optimiseurs
# (`game.generator_optimizer`, `game.discriminator_optimizer`) et leurs pertes (`game.losses.discriminator`) ; `real` est un
# lot de n vraies images, `noise` est de forme (n, z). S'il y a des étiquettes, les deux joueurs les reçoivent en second argument. Les
# vraies et les fausses passent dans $D$ en **deux lots** : mêlées, la normalisation par lot mélangerait leurs statistiques. Effacez les
# anciens gradients de $D$ avant la rétropropagation ; rendez la perte d'avant le pas, sans gradient.
#
# <details><summary>Un indice</summary>
#
# `given = () if labels is None else (labels,)`, puis `game.generator(noise, *given)` : l'étoile ajoute les étiquettes s'il y en a.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Les faux sous `with torch.no_grad():`. Ensuite : perte, `zero_grad()`, `backward()`, `step()`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `loss.detach()` rend la perte sans son graphe.
#
# </details>

# %% [markdown] lang="en"
# Write the step of $D$. `game` holds both players (`game.generator`, `game.discriminator`), their optimisers
# (`game.generator_optimizer`, `game.discriminator_optimizer`) and their losses (`game.losses.discriminator`); `real` is a batch of n
# real pictures, `noise` is of shape (n, z). If there are labels, both players are given them as a second argument. Real and fake pictures
# go through $D$ in **two batches**: together, batch normalisation would mix their statistics. Clear the old gradients of $D$ before
# backpropagation; return the loss of before the step, without gradient.
#
# <details><summary>A hint</summary>
#
# `given = () if labels is None else (labels,)`, then `game.generator(noise, *given)`: the star adds the labels if there are any.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The fakes under `with torch.no_grad():`. Then: loss, `zero_grad()`, `backward()`, `step()`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `loss.detach()` gives the loss without its graph.
#
# </details>

# %% implements="gan:discriminator_step" level=2
"""Un pas de l'optimiseur de D, sur de vraies images et autant de fausses.

Les anciens gradients de D sont d'abord effacés. G reste tel qu'il est,
gradients compris. Vraies et fausses passent dans D en lots séparés : en un
seul lot, la normalisation par lot mêlerait leurs statistiques. La perte
rendue est celle d'avant le pas, sans gradient.
"""
# D's loss gives G no gradient => la perte de D ne donne aucun gradient à G

# %% scratch=true
try_game = tiny_game()
discriminator_step(try_game, torch.ones(2, 1), torch.zeros(2, 1))
# → tensor(1.3863)

# %% [markdown] lang="fr"
# Écrivez le pas de $G$. La perte, `game.losses.generator`, prend les logits que $D$ donne aux faux. Le gradient traverse $D$, qui n'en
# garde rien ; après le pas, $D$ doit pouvoir apprendre de nouveau.
#
# <details><summary>Un indice</summary>
#
# `game.discriminator.requires_grad_(False)` gèle les paramètres de $D$, sans arrêter les gradients qui passent vers son entrée.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Calculez la perte, dégelez avec `requires_grad_(True)`, puis `zero_grad()`, `backward()`, `step()` de $G$.
#
# </details>

# %% [markdown] lang="en"
# Write the step of $G$. The loss, `game.losses.generator`, takes the logits that $D$ gives the fakes. The gradient goes through $D$, which
# keeps none of it; after the step, $D$ must be able to learn again.
#
# <details><summary>A hint</summary>
#
# `game.discriminator.requires_grad_(False)` freezes the parameters of $D$ without stopping the gradients that pass to its input.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# Compute the loss, unfreeze with `requires_grad_(True)`, then `zero_grad()`, `backward()`, `step()` of $G$.
#
# </details>

# %% implements="gan:generator_step" level=2
"""Un pas de l'optimiseur de G, sur ses faux ; rend sa perte.

Les anciens gradients de G sont d'abord effacés. Le gradient traverse D, qui
n'en garde rien : les paramètres de D ne demandent pas de gradient pendant le
calcul de la perte, et en demandent de nouveau ensuite. La perte rendue est
celle d'avant le pas, sans gradient.
"""

# %% scratch=true
generator_step(tiny_game(), torch.zeros(2, 1))  # → tensor(0.6931)

# %% [markdown] lang="fr"
# Assemblez l'algorithme 1. `draw_real()` rend un lot et ses étiquettes (ou `None`), `draw_noise()` autant de lignes de bruit. Chaque pas
# de $D$ a son propre lot et son propre bruit ; $G$ a un bruit frais, et les étiquettes du dernier lot. Après chaque tour, appelez, s'il
# est donné, `callback(tour, perte de D, perte de G)`, les tours étant comptés à partir de 0.
#
# <details><summary>Un indice</summary>
#
# Deux boucles : `for turn in range(rounds):`, et dedans, `for _ in range(k):`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# Le pas de $G$ est dans la boucle des tours, hors de celle des k.
#
# </details>

# %% [markdown] lang="en"
# Put algorithm 1 together. `draw_real()` returns a batch and its labels (or `None`), `draw_noise()` as many rows of noise. Each step of
# $D$ has its own batch and its own noise; $G$ has fresh noise, and the labels of the last batch. After each round call, if it is given,
# `callback(round, loss of D, loss of G)`, with rounds counted from 0.
#
# <details><summary>A hint</summary>
#
# Two loops: `for turn in range(rounds):`, and inside it `for _ in range(k):`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The step of $G$ is in the loop of rounds, outside that of k.
#
# </details>

# %% implements="gan:algorithm_1" level=2
"""Entraîne les deux joueurs : à chaque tour, k pas de D, puis un de G.

C'est l'algorithme 1 de Goodfellow et al. (2014). Chaque pas de D a des
images et un bruit frais, et G un bruit frais. `draw_real()` donne un lot
d'images et leurs étiquettes (ou None), `draw_noise()` autant de lignes de
bruit ; G reçoit les étiquettes du dernier lot. `callback(tour, perte de D,
perte de G)` est appelée après chaque tour.
"""

# %% scratch=true
rounds_seen = []
algorithm_1(tiny_game(), draw_real=lambda: (torch.ones(2, 1), None),
            draw_noise=lambda: torch.zeros(2, 1), rounds=3, k=2,
            callback=lambda turn, d, g: rounds_seen.append(turn))
rounds_seen  # → [0, 1, 2]

# %% [markdown] lang="fr"
# À présent, de vraies images : les chiffres manuscrits de scikit-learn, en 16 × 16. $G$ part de 32 nombres de bruit et agrandit par des
# convolutions transposées ; $D$ fait le chemin inverse. C'est un **DCGAN** ([](work:radford2016)), l'architecture qui a rendu les GAN
# praticables.

# %% [markdown] lang="en"
# Now real pictures: the handwritten digits of scikit-learn, in 16 × 16. $G$ sets out from 32 numbers of noise and enlarges by transposed
# convolutions; $D$ goes the other way. It is a **DCGAN** ([](work:radford2016)), the architecture that made GANs practicable.

# %%
from dalle_edu.datasets.digits import digits

digit_images, digit_labels = digits(16)
# en: the noise whose pictures we look at: always the same
# fr: le bruit dont nous regardons les images : toujours le même
fixed_noise = torch.randn(500, 32, generator=torch.Generator().manual_seed(1))


def new_game(classes=0, seed=0, rate=5e-4):
    torch.manual_seed(seed)
    config = GANConfig(resolution=16, latent_dim=32, width=16, num_classes=classes)
    players = Generator(config), Discriminator(config)
    optimisers = [torch.optim.Adam(player.parameters(), rate, betas=(0.5, 0.999))
                  for player in players]
    return Game(*players, *optimisers)

# %%
def lots(seed, classes=0):
    # en: what samples real digits, and what samples noise
    # fr: ce qui tire de vrais chiffres, et ce qui tire du bruit
    generator = torch.Generator().manual_seed(seed)

    def draw_real():
        chosen = torch.randint(len(digit_images), (64,), generator=generator)
        return digit_images[chosen], digit_labels[chosen] if classes else None

    return draw_real, lambda: torch.randn(64, 32, generator=generator)


@torch.no_grad()
def forged(game, noise, *labels):
    game.generator.eval()
    pictures = game.generator(noise, *labels)
    game.generator.train()
    return pictures

# %%
ROUNDS, LOOKED_AT = 400, (10, 50, 100, 400)


def play_on_digits():
    game, sheets, losses = new_game(), {}, []

    def watch(turn, d_loss, g_loss):
        losses.append([d_loss.item(), g_loss.item()])
        if turn + 1 in LOOKED_AT:
            sheets[str(turn + 1)] = forged(game, fixed_noise)

    algorithm_1(game, *lots(seed=0), ROUNDS, callback=watch)
    return {"sheets": sheets, "losses": torch.tensor(losses),
            "generator": game.generator.state_dict(),
            "discriminator": game.discriminator.state_dict()}

# %% [markdown] lang="fr"
# **Devinez** : au bout de combien de tours (de 64 chiffres) lirez-vous un chiffre ? Et à quoi ressemblent les pertes ?

# %% [markdown] lang="en"
# **Guess**: after how many rounds (of 64 digits) will you read a digit? And what do the losses look like?

# %%
digits_game = kept("digits", play_on_digits, patience=5)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 5. L'algorithme 1, sur des chiffres
#
# $k = 1$ : un pas pour $D$, un pas pour $G$, quatre cents fois.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 5. Algorithm 1, on digits
#
# $k = 1$: a step for $D$, a step for $G$, four hundred times.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(5, 1, width=7.6, height=3.6)
for panel, (rounds, forgeries) in zip(panels, digits_game["sheets"].items()):
    show_strip(panel, forgeries[:14], say(f"round {rounds}", f"tour {rounds}"))
show_strip(panels[4], digit_images[:14], say("real", "vrais"))
picture(figure, say("Grey mist at round 10, blots at 50, strokes at 100, and "
                    "digits that can be read at round 400; then real ones.",
                    "De la brume au tour 10, des taches au 50, des traits au "
                    "100, des chiffres lisibles au 400 ; puis de vrais "
                    "chiffres."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Révéler les lignes une à une ; à chacune, demander si un chiffre se lit. Rappeler que G n'a jamais vu un vrai chiffre : seulement
# ce que D lui reprochait. Demander ce que changerait k = 5. (Une meilleure experte, cinq fois plus chère ; ici, un pas suffit.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Reveal the rows one at a time; at each, ask whether a digit can be read. Recall that G has never seen a real digit: only what D
# found wrong. Ask what k = 5 would change. (A better expert, five times as dear; here one step is enough.)

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Ni l'une ni l'autre perte ne descend
#
# Laquelle de ces courbes dirait que les chiffres s'améliorent ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Neither loss goes down
#
# Which of these curves would tell that the digits get better?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=7, height=3.2)
smooth = digits_game["losses"].unfold(0, 20, 1).mean(dim=2)
axes.plot(smooth[:, 0], color=BLUE, label=say("expert, D", "experte, D"))
axes.plot(smooth[:, 1], "--", color=VERMILION, label=say("forger, G", "faussaire, G"))
axes.axhline(math.log(4), color="grey", linestyle=":")
axes.text(280, 1.43, "log 4", fontsize=12)
axes.set(xlabel=say("round", "tour"), ylabel=say("loss, nats", "perte, nats"))
axes.set_ylim(0, 4)
legend(axes, loc="upper right")
picture(figure, say("The expert's loss dips, then rises to about 1; the "
                    "forger's climbs above 3, then falls to about 1, where "
                    "both stay.",
                    "La perte de l'experte creuse, puis remonte vers 1 ; celle "
                    "du faussaire passe 3, puis redescend vers 1, où toutes "
                    "deux restent."))

# %% claims=true
assert smooth[0, 0] < smooth[-1, 0] < math.log(4)
late = smooth[200:]
assert late[:, 1].max() - late[:, 1].min() < 1.3
assert abs(late[:100].mean() - late[-80:].mean()) < 0.5

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander laquelle dit le progrès. (Aucune : après cent tours, elles se tiennent tête tandis que les chiffres s'améliorent.) D'où
# deux questions d'élèves. Quand s'arrêter ? (En regardant les images.) La perte de D tombe à 0, que faire ? (Le faussaire n'apprend plus
# rien : ralentir D, ou l'affaiblir.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask which tells the progress. (Neither: after a hundred rounds they hold each other off while the digits get better.) Hence two
# questions that students ask. When to stop? (By looking at the pictures.) The loss of D falls to 0, what now? (The forger learns nothing
# any more: slow D down, or weaken it.)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercices 7 à 9 · Les règles du jeu
#
# **30 min.**
#
# - **7** ●● `discriminator_step` : un pas de l'experte.
# - **8** ●● `generator_step` : un pas du faussaire.
# - **9** ●● `algorithm_1` : le jeu entier.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 7-9"
# ### Exercises 7 to 9 · The rules of the game
#
# **30 min.**
#
# - **7** ●● `discriminator_step`: a step of the expert.
# - **8** ●● `generator_step`: a step of the forger.
# - **9** ●● `algorithm_1`: the whole game.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 30 min. Donner la section 5. Fautes à guetter : les faux non détachés ; D resté gelé ; des gradients qui s'accumulent ; vraies et fausses
# dans un seul lot ; le même bruit pour D et pour G. Demander pourquoi deux optimiseurs. (Deux buts contraires.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 30 min. Hand out section 5. Mistakes to look for: fakes not detached; D left frozen; gradients that add up; real and fake in one batch;
# the same noise for D and for G. Ask why two optimisers. (Two opposite aims.)

# %% [markdown] lang="fr"
# Des chiffres lisibles, d'un réseau qui n'en a jamais vu un seul. Pourtant, une fois passé le début, les pertes ne disent plus rien :
# elles se tiennent tête, pendant que les chiffres s'améliorent. Si celle de $D$ tombait à 0, ce serait mauvais signe : une experte qui ne
# se trompe plus n'apprend plus rien à personne.

# %% [markdown] lang="en"
# Digits that can be read, by a network that has never seen one. Yet once the beginning is past, the losses tell nothing any more: they
# hold each other off, while the digits get better. If that of $D$ fell to 0 it would be a bad sign: an expert who errs no more teaches
# nobody.

# %% [markdown] lang="fr"
# ## 6. L'effondrement des modes
#
# Rien, dans la perte de $G$, ne demande de la **variété**. Un faussaire qui réussit un seul billet à la perfection peut le présenter
# toujours. Quand $G$ ne dessine plus qu'une partie de ce que contiennent les données, on parle d'**effondrement des modes** (*mode
# collapse*).
#
# Pour le mesurer, il faut un lecteur de chiffres et un compte. Sur cinq cents faux, combien de classes sont présentes, et à quel point le
# partage est-il égal ? Dix classes à parts égales ont pour entropie $\log 10 \approx 2{,}30$ nats ; une seule, 0.

# %% [markdown] lang="en"
# ## 6. Mode collapse
#
# Nothing in the loss of $G$ asks for **variety**. A forger who gets a single note perfectly right may hand it over every time. When $G$
# draws only a part of what the data hold, one speaks of **mode collapse**.
#
# To measure it takes a reader of digits, and a count. Among five hundred fakes, how many classes are there, and how evenly are they shared?
# Ten classes in equal shares have an entropy of $\log 10 \approx 2.30$ nats; a single one, 0.

# %% [markdown] lang="fr"
# Écrivez la mesure. `classes`, de forme (n,), contient les classes lues, de 0 à `num_classes - 1`. Rendez deux nombres : combien de
# classes ont au moins la part `least` des échantillons, et l'entropie de leur partage, en nats.
#
# <details><summary>Un indice</summary>
#
# `classes.bincount(minlength=num_classes)` compte ; divisez par `len(classes)`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `torch.special.entr(shares).sum()`, puis `int(…)` et `float(…)` pour rendre des nombres de Python.
#
# </details>

# %% [markdown] lang="en"
# Write the measure. `classes`, of shape (n,), holds the classes read, from 0 to `num_classes - 1`. Return two numbers: how many classes
# have at least a share `least` of the samples, and the entropy of the shares, in nats.
#
# <details><summary>A hint</summary>
#
# `classes.bincount(minlength=num_classes)` counts; divide by `len(classes)`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `torch.special.entr(shares).sum()`, then `int(…)` and `float(…)` to return Python numbers.
#
# </details>

# %% implements="gan:mode_coverage" level=2
"""Combien de classes couvrent des échantillons, et l'entropie de leurs
classes.

`classes` est ce qu'un classifieur entraîné sur de vraies images dit de
chaque échantillon. Une classe compte si une part d'au moins `least` des
échantillons y tombe ; l'entropie de leur histogramme est en nats. Si tous
les modes sont là, on trouve num_classes et environ log num_classes ; après
un effondrement sur un seul mode, 1 et 0.
"""

# %% scratch=true
covered, entropy = mode_coverage(torch.tensor([0, 1, 1, 3]), 4)
covered, round(entropy, 2)  # → (3, 1.04)

# %% [markdown] lang="fr"
# Donnons de la hâte au faussaire. Nous repartons des deux joueurs de la [](#algorithm-1) et jouons huit tours où $G$ fait vingt pas pour
# un de $D$ ; sa vitesse d'apprentissage est multipliée par 1, 2, 4 ou 8. C'est notre bouton : la **hâte**. **Devinez** combien de chiffres
# sur dix il restera dans chaque cas.

# %% [markdown] lang="en"
# Let us make the forger hasty. We set out again from both players of [](#algorithm-1) and play eight rounds in which $G$ takes twenty
# steps for one of $D$; its learning rate is multiplied by 1, 2, 4 or 8. That is our knob: **haste**. **Guess** how many of the ten digits
# will be left in each case.

# %%
def hasten(haste):
    game = new_game()
    game.generator.load_state_dict(digits_game["generator"])
    game.discriminator.load_state_dict(digits_game["discriminator"])
    for group in game.generator_optimizer.param_groups:
        group["lr"] *= haste
    draw_real, draw_noise = lots(seed=1)
    for _ in range(8):
        discriminator_step(game, draw_real()[0], draw_noise())
        for _ in range(20):
            generator_step(game, draw_noise())
    return forged(game, fixed_noise)


def turn_the_knob():
    return {str(haste): hasten(haste) for haste in (1, 2, 4, 8)}

# %%
from dalle_edu.classroom.demos.gan import digit_reader

# en: a reader trained on real digits, and its accuracy on others
# fr: un lecteur entraîné sur de vrais chiffres, et son exactitude sur d'autres
read_digits, reader_accuracy = digit_reader(seed=0)
hastened = kept("haste", turn_the_knob, patience=5)
before = mode_coverage(read_digits(digits_game["sheets"]["400"]), 10)
coverage = {haste: mode_coverage(read_digits(forgeries), 10)
            for haste, forgeries in hastened.items()}
print(say("before:   ", "avant :   "), before[0], say("digits, entropy", "chiffres, entropie"),
      decimal(before[1], 2))
for haste, (covered, entropy) in coverage.items():
    print(say(f"haste {haste}:  ", f"hâte {haste} :   "), f"{covered:2}",
          say("digits, entropy", "chiffres, entropie"), decimal(entropy, 2))

# %% claims=true
assert reader_accuracy > 0.95
assert before[0] == 10 and before[1] > 2.1
counts = [covered for covered, _ in coverage.values()]
assert counts[0] == 10 and counts == sorted(counts, reverse=True)
assert 4 <= counts[2] <= 6
assert counts[3] <= 2 and coverage["8"][1] < 0.2

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 6. La hâte, et ce qu'il en reste
#
# Vingt pas de $G$ pour un de $D$, de plus en plus grands.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 6. Haste, and what it leaves
#
# Twenty steps of $G$ for one of $D$, larger and larger.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(5, 1, width=7.6, height=3.6)
show_strip(panels[0], digits_game["sheets"]["400"][:14], say("before", "avant"))
for panel, (haste, forgeries) in zip(panels[1:], hastened.items()):
    show_strip(panel, forgeries[:14], say(f"haste {haste}", f"hâte {haste}"))
picture(figure, say("With haste 1 the digits stay varied; with 4 fewer are "
                    "left; with 8 nearly the same shape is drawn fourteen "
                    "times.",
                    "Avec une hâte de 1, les chiffres restent variés ; avec 4, "
                    "il en reste moins ; avec 8, presque la même forme est "
                    "dessinée quatorze fois."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Couvrir les lignes, faire parier sur le nombre de chiffres, puis découvrir. Demander si les dessins du bas sont mauvais un par un.
# (Chacun trompait l'experte de l'instant.) Constat du bouton : plus le faussaire va vite, moins il reste de chiffres. La réponse de D
# arrive trop tard.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Cover the rows, take bets on the number of digits, then uncover. Ask whether the drawings at the bottom are bad one by one. (Each
# fooled the expert of the moment.) Finding of the knob: the faster the forger, the fewer digits are left. The answer of D comes too late.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### Compter les modes
#
# Un lecteur de chiffres regarde cinq cents faux.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### Counting modes
#
# A reader of digits looks at five hundred fakes.

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=7, height=3.2)
for offset, (name, forgeries, colour) in enumerate((
        (say("before", "avant"), digits_game["sheets"]["400"], BLUE),
        (say("haste 2", "hâte 2"), hastened["2"], ORANGE),
        (say("haste 8", "hâte 8"), hastened["8"], VERMILION))):
    shares = read_digits(forgeries).bincount(minlength=10) / len(forgeries)
    axes.bar(torch.arange(10) + 0.27 * (offset - 1), shares, 0.27, color=colour,
             label=name)
axes.set(xlabel=say("digit read", "chiffre lu"), ylabel=say("share", "part"))
axes.set(xticks=range(10), ylim=(0, 1.05))
legend(axes, loc="upper left", bbox_to_anchor=(1.0, 1.0))
picture(figure, say("Before, all ten digits are there, none with more than a "
                    "fifth; at haste 8 one digit has nearly all.",
                    "Avant, les dix chiffres sont là, aucun n'a plus d'un "
                    "cinquième ; à la hâte 8, un seul a presque tout."))

# %% claims=true
hasty_shares = read_digits(hastened["8"]).bincount(minlength=10) / 500
assert hasty_shares.max() > 0.85

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Lire l'entropie : 2,30 si tout est égal, 0 pour un seul chiffre. Demander pourquoi on ne peut pas voir l'effondrement dans la
# perte. (Celle de G est excellente juste avant.) Lancer l'exercice 10, douze minutes chez soi ou en classe.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Read the entropy: 2.30 if all is even, 0 for a single digit. Ask why collapse cannot be seen in the loss. (That of G is excellent
# just before.) Start exercise 10, twelve minutes at home or in class.

# %% [markdown] lang="fr"
# Plus le faussaire se hâte, moins il reste de chiffres : la moitié à peu près avec une hâte de 4, et presque un seul avec une hâte de 8. Il
# a trouvé ce qui trompe l'experte **à cet instant**, et ne dessine que cela ; quand elle s'en aperçoit, il saute ailleurs. Lequel survit
# dépend du hasard. Les dessins s'abîment aussi, mais le mal est ailleurs : des dessins parfaits, s'ils sont tous le même, seraient aussi
# pauvres ensemble. Le min–max n'est pas un max–min : si $G$ fait tous ses pas contre un $D$ figé, sa meilleure réponse est un seul point.

# %% [markdown] lang="en"
# The hastier the forger, the fewer digits are left: about half of them at a haste of 4, and nearly a single one at a haste of 8. It has
# found what fools the expert **at that moment**, and draws nothing else; when she notices, it jumps elsewhere. Which one survives is a
# matter of chance. The drawings get worse too, but the trouble lies elsewhere: perfect drawings, if they are all the same, would be as poor
# together. The min–max is no max–min: if $G$ takes all its steps against a $D$ that stands still, its best answer is a single point.

# %% [markdown] lang="fr"
# ## 7. Choisir le chiffre
#
# Jusqu'ici, on ne commande rien : le bruit décide. Donnons l'étiquette aux **deux** joueurs ([](work:mirza2014)). $G$ reçoit, à côté du
# bruit, un vecteur appris pour la classe. $D$ reçoit la classe avec l'image, et sa question change : non plus « est-ce un vrai chiffre ? »
# mais « est-ce un vrai 7 ? » ; un beau 3 présenté comme un 7 est un faux. Ici, $D$ ajoute à son logit le produit scalaire de ses
# caractéristiques et d'un vecteur de la classe ([](work:miyato2018a)).
#
# Votre `algorithm_1` passe déjà les étiquettes : il suffit de `num_classes=10`. Reste à préparer la commande.

# %% [markdown] lang="en"
# ## 7. Choosing the digit
#
# So far nothing is ordered: the noise decides. Let us give the label to **both** players ([](work:mirza2014)). $G$ is given, beside the
# noise, a learned vector for the class. $D$ is given the class with the picture, and its question changes: no longer "is this a real
# digit?" but "is this a real 7?"; a fine 3 that is handed over as a 7 is a fake. Here $D$ adds to its logit the inner product of its
# features with a vector of the class ([](work:miyato2018a)).
#
# Your `algorithm_1` passes labels on already: `num_classes=10` is enough. What is left is to prepare the order.

# %% [markdown] lang="fr"
# Écrivez `labels_of_rows(rows, columns)` : pour une feuille de `rows` lignes et `columns` colonnes, lue ligne à ligne, les étiquettes, de
# forme (rows × columns,), qui font de la première ligne des 0, de la deuxième des 1, et ainsi de suite.
#
# <details><summary>Un indice</summary>
#
# `torch.arange(3)` donne 0, 1, 2.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `repeat_interleave` répète chaque nombre à côté de lui-même.
#
# </details>

# %% [markdown] lang="en"
# Write `labels_of_rows(rows, columns)`: for a sheet of `rows` rows and `columns` columns, read row by row, the labels, of shape (rows ×
# columns,), that make the first row 0s, the second 1s, and so on.
#
# <details><summary>A hint</summary>
#
# `torch.arange(3)` gives 0, 1, 2.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `repeat_interleave` repeats each number next to itself.
#
# </details>

# %% level=1
def labels_of_rows(rows, columns):
    return torch.arange(rows).repeat_interleave(columns)

# %% scratch=true
labels_of_rows(2, 3)  # → tensor([0, 0, 0, 1, 1, 1])

# %%
expect(lambda: labels_of_rows(3, 2), torch.tensor([0, 0, 1, 1, 2, 2]),
       say("three rows of two", "trois lignes de deux"))

# %% [markdown] lang="fr"
# Commandons une feuille : une ligne par étiquette, et douze bruits par ligne. **Devinez** : la commande sera-t-elle obéie ? et les douze
# chiffres d'une ligne seront-ils différents ?

# %% [markdown] lang="en"
# Let us order a sheet: a row for each label, and twelve lots of noise in a row. **Guess**: will the order be obeyed? and will the twelve
# digits of a row differ?

# %%
def play_with_labels():
    game = new_game(classes=10)
    algorithm_1(game, *lots(seed=0, classes=10), 240)
    ordered = torch.arange(500) % 10
    columns = fixed_noise[:12].repeat(10, 1)
    return {"ordered": forged(game, fixed_noise, ordered),
            "sheet": forged(game, columns, torch.arange(10).repeat_interleave(12))}


conditional = kept("conditional", play_with_labels, patience=5)
ordered = torch.arange(500) % 10
obeyed = (read_digits(conditional["ordered"]) == ordered).float().mean().item()
print(say("the digit ordered, as read:", "le chiffre commandé, d'après le lecteur :"),
      decimal(100 * obeyed, 0), "%")

# %%
def variety(pictures, labels):
    # en: how much the pictures of one class differ, averaged over the ten classes
    # fr: de combien diffèrent les images d'une classe, en moyenne sur les dix
    spreads = [pictures[labels == digit].std(dim=0).mean() for digit in range(10)]
    return torch.stack(spreads).mean().item()


variety_kept = (variety(conditional["ordered"], ordered)
                / variety(digit_images, digit_labels))
print(say("variety within a class, against real digits:",
          "variété dans une classe, comparée aux vrais :"),
      decimal(100 * variety_kept, 0), "%")

# %% claims=true
assert obeyed > 0.9
assert variety_kept < 0.4
assert mode_coverage(read_digits(conditional["ordered"]), 10)[0] == 10

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 7. Choisir le chiffre
#
# Une ligne par étiquette, une colonne par bruit : que change le bruit ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 7. Choosing the digit
#
# A row for each label, a column for each noise: what does the noise change?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(5, 1, width=7.2, height=3.3)
sheet_of_labels = conditional["sheet"].unflatten(0, (10, 12))
for panel, digit in zip(panels, (0, 2, 4, 7, 9)):
    show_strip(panel, sheet_of_labels[digit], str(digit))
picture(figure, say("Five rows of twelve digits: each row holds the digit "
                    "ordered, twelve times nearly the same.",
                    "Cinq lignes de douze chiffres : chaque ligne contient le "
                    "chiffre commandé, douze fois presque le même."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Demander ce que D doit savoir de plus. (L'étiquette : sinon G l'ignorerait.) Faire lire une ligne : l'étiquette est obéie, et le
# bruit ne change presque rien. Demander si la mesure de la section 6 le voit. (Non : elle compte dix classes sur dix.) L'effondrement
# s'est glissé dans chaque classe.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Ask what more D must know. (The label: or else G would ignore it.) Have a row read: the label is obeyed, and the noise changes
# next to nothing. Ask whether the measure of section 6 sees it. (No: it counts ten classes out of ten.) Collapse has slipped into each
# class.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 10-11"
# ### Exercices 10 et 11 · Compter, commander
#
# **15 min.**
#
# - **10** ●● `mode_coverage` : classes et entropie.
# - **11** ● `labels_of_rows` : une feuille de commandes.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 10-11"
# ### Exercises 10 and 11 · Count, order
#
# **15 min.**
#
# - **10** ●● `mode_coverage`: classes and entropy.
# - **11** ● `labels_of_rows`: a sheet of orders.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 15 min. Donner les sections 6 et 7. Fautes à guetter : l'entropie en bits ; « strictement plus » au lieu de « au moins » ; `repeat` au
# lieu de `repeat_interleave`. Demander l'entropie de trois modes égaux. (log 3, soit 1,10.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 15 min. Hand out sections 6 and 7. Mistakes to look for: entropy in bits; "more than" instead of "at least"; `repeat` instead of
# `repeat_interleave`. Ask for the entropy of three equal modes. (log 3, or 1.10.)

# %% [markdown] lang="fr"
# Plus de neuf commandes sur dix sont obéies, dit le lecteur, qui est parfois plus indulgent que l'œil : regardez la ligne du 9. L'étiquette
# dit **quoi**. Mais le bruit, qui devrait dire **comment**, ne change presque rien : les douze chiffres d'une ligne se valent. C'est encore
# un effondrement, cette fois **dans chaque classe**, et notre mesure n'en a rien vu, puisqu'elle trouve dix classes sur dix. Une mesure ne
# voit que ce qu'elle compte. Reste qu'on commande un dessin à cette machine, et qu'elle obéit ; une phrase n'est qu'une étiquette plus
# longue.

# %% [markdown] lang="en"
# More than nine orders out of ten are obeyed, says the reader, who is at times more lenient than the eye: look at the row of 9. The label
# says **what**. But the noise, which ought to say **how**, changes next to nothing: the twelve digits of a row are as good as one. It is a
# collapse again, this time **within each class**, and our measure saw nothing of it, since it finds ten classes out of ten. A measure sees
# only what it counts. Still, one orders a drawing from this machine, and it obeys; a sentence is no more than a longer label.

# %% [markdown] lang="fr"
# ## 8. Des visages, de 2014 à 2018
#
# En janvier 2019, Ian Goodfellow publie une image devenue célèbre : cinq visages, un par année, qu'aucun appareil n'a photographiés.
# Chacun vient d'un article (l'année est celle où il est paru sur arXiv) :
#
# | année | modèle | source |
# |---|---|---|
# | 2014 | GAN : de petits visages gris et flous | [](work:goodfellow2014) |
# | 2015 | DCGAN : en couleur, des convolutions | [](work:radford2016) |
# | 2016 | CoGAN : deux générateurs couplés | [](work:liu2016) |
# | 2017 | la croissance progressive : de 4 × 4 à 1 024 × 1 024, couche après couche | [](work:karras2018) |
# | 2018 | StyleGAN : un style à chaque résolution ; on les prend pour des photographies | [](work:karras2019) |
#
# Ces réseaux ont donné les premières images complexes de qualité. Depuis, la **diffusion** ([](lesson:10)) les a remplacés dans la plupart
# des emplois ([](work:dhariwal2021)). On lit qu'elle serait « un GAN, en mieux ». Ce n'est pas cela : une diffusion n'a **pas
# d'adversaire**. Elle apprend à prédire un bruit, par une simple régression, et dessine en beaucoup de pas ; un GAN dessine en un seul.
# Qualité, variété et coût diffèrent tous trois.
#
# Que reste-t-il des GAN ? Une leçon d'**optimisation à deux joueurs**, où rien ne descend tout seul. Le discriminateur, qui rend nets les
# décodeurs des machines d'aujourd'hui ([](#vqgan), et la diffusion latente de [](work:rombach2022)). Et l'art d'accélérer une diffusion :
# un adversaire lui apprend à dessiner en un à quatre pas ([](work:sauer2024)). Une chose manque toujours aux GAN :
# demandez-leur la probabilité d'une image, ils n'ont pas de réponse.

# %% [markdown] lang="en"
# ## 8. Faces, from 2014 to 2018
#
# In January 2019 Ian Goodfellow published a picture that became famous: five faces, one a year, of people whom no camera ever
# photographed. Each comes from a paper (the year is that in which it appeared on arXiv):
#
# | year | model | source |
# |---|---|---|
# | 2014 | GAN: small faces, grey and blurred | [](work:goodfellow2014) |
# | 2015 | DCGAN: in colour, convolutions | [](work:radford2016) |
# | 2016 | CoGAN: two coupled generators | [](work:liu2016) |
# | 2017 | progressive growing: from 4 × 4 to 1,024 × 1,024, layer after layer | [](work:karras2018) |
# | 2018 | StyleGAN: a style at each resolution; one takes them for photographs | [](work:karras2019) |
#
# These networks gave the first complex pictures of quality. Since then **diffusion** ([](lesson:10)) has replaced them in most uses
# ([](work:dhariwal2021)). One reads that it is "GANs, but better". It is not: a diffusion model has **no adversary**. It learns to predict
# a noise, by plain regression, and draws in many steps; a GAN draws in one. Quality, variety and cost all three differ.
#
# What remains of GANs? A lesson in **optimisation by two players**, where nothing goes down by itself. The discriminator, which makes the
# decoders of today's machines sharp ([](#vqgan), and the latent diffusion of [](work:rombach2022)). And the art of making diffusion fast:
# an adversary teaches it to draw in one to four steps ([](work:sauer2024)). One thing they always lack: ask a GAN for the probability of a
# picture, and it has no answer.

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 8. Des visages, de 2014 à 2018
#
# | année | modèle | source |
# |---|---|---|
# | 2014 | GAN | [](work:goodfellow2014) |
# | 2015 | DCGAN | [](work:radford2016) |
# | 2016 | CoGAN | [](work:liu2016) |
# | 2017 | croissance progressive | [](work:karras2018) |
# | 2018 | StyleGAN | [](work:karras2019) |

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 8. Faces, from 2014 to 2018
#
# | year | model | source |
# |---|---|---|
# | 2014 | GAN | [](work:goodfellow2014) |
# | 2015 | DCGAN | [](work:radford2016) |
# | 2016 | CoGAN | [](work:liu2016) |
# | 2017 | progressive growing | [](work:karras2018) |
# | 2018 | StyleGAN | [](work:karras2019) |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Projeter, si la salle a le réseau, les figures des cinq articles : un visage par année. Demander ce qui a changé d'une année à
# l'autre. (Convolutions, couleur, taille, style.) Puis : pourquoi dit-on que la diffusion les a remplacés, et pourquoi n'est-ce pas « un
# GAN, en mieux » ? (Pas d'adversaire.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. If the room is online, show the figures of the five papers: a face for each year. Ask what changed from one year to the next.
# (Convolutions, colour, size, style.) Then: why is diffusion said to have replaced them, and why is it not "GANs, but better"? (No
# adversary.)

# %% [markdown] lang="fr"
# ## 9. Juger par morceaux
#
# « Vraie » ou « fausse », pour une image entière : c'est tout ou rien. Une seule note, et le faussaire ne sait pas si c'est le ciel ou la
# main qui l'a trahi. Le **discriminateur par morceaux** (PatchGAN, [](work:isola2017)) rend une **carte** de logits, un par morceau
# (*patch*) de l'image. C'est un réseau convolutif que l'on arrête avant la fin : chaque nombre de sa dernière carte ne voit que son champ
# récepteur ([](lesson:04)). Il juge des bords et des textures, avec peu de poids, sur des images de toute taille. Les morceaux se
# chevauchent : ce n'est pas une image plus petite, ce sont beaucoup de questions sur la même.
#
# Avec des noyaux de 4, `layers` convolutions de pas 2 puis deux de pas 1, un morceau a 16, 34 ou 70 pixels de côté pour `layers` valant 1,
# 2 ou 3. Retrouvons le 16 à la main, en remontant depuis la fin : le dernier nombre voit 4 positions de la carte d'avant, qui en voient
# $4 + 3 = 7$ ; sous celles-ci, le pas est de 2, et $7$ positions voient $2 \times 6 + 4 = 16$ pixels. La fonction
# `receptive_field` de la [](lesson:04) retrouve les trois :

# %% [markdown] lang="en"
# ## 9. Judging by patches
#
# "Real" or "fake", for a whole picture: it is all or nothing. A single mark, and the forger cannot tell whether it was the sky or the hand
# that gave him away. The **patch discriminator** (PatchGAN, [](work:isola2017)) returns a **map** of logits, one for each patch of the
# picture. It is a convolutional network that one stops before the end: each number of its last map sees no more than its receptive field
# ([](lesson:04)). It judges edges and textures, with few weights, in pictures of any size. Patches overlap: it is not a smaller picture,
# it is many questions about the same one.
#
# With kernels of 4, `layers` convolutions of stride 2 and then two of stride 1, a patch has 16, 34 or 70 pixels on a side for `layers` of
# 1, 2 or 3. Let us find the 16 by hand, from the end upwards: the last number sees 4 positions of the map before it, which see $4 + 3 = 7$;
# with a stride of 2 below, $7$ positions see $2 \times 6 + 4 = 16$ pixels. The function `receptive_field` of [](lesson:04) finds all three:

# %%
from dalle_edu.bricks.convolution import receptive_field

for layers in (1, 2, 3):
    strides = [2] * layers + [1, 1]
    side = receptive_field([4] * len(strides), strides)
    print("layers =", layers, "→", side, "pixels")

# %% [markdown] lang="fr"
# Écrivez la classe. Dans `__init__`, mettez dans `self.strides` la liste des pas, `[2] * layers + [1, 1]`, et dans `self.judge` un
# `nn.Sequential` de convolutions 4 × 4 de marge 1. La première a `width` canaux et n'a pas de normalisation ; chaque suivante en a deux
# fois plus que la précédente, au plus 8 fois `width`, suivie de `norm(canaux)` ; la dernière en a 1. Après chacune, sauf la dernière,
# `nn.LeakyReLU(0.2)`. Tirez les poids avec `initialise(self)`. `forward` prend (n, c, h, w) et rend (n, lignes, colonnes).
#
# <details><summary>Un indice</summary>
#
# Les canaux : `[width * min(2**i, 8) for i in range(layers + 1)]`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `pairwise(widths)` donne les couples (étroit, large) ; à chacun va le pas suivant de la liste. Le dernier pas est celui de la convolution
# à 1 canal.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `forward` : `self.judge(images)` est de forme (n, 1, lignes, colonnes) ; ôtez l'axe 1 avec `squeeze(1)`.
#
# </details>

# %% [markdown] lang="en"
# Write the class. In `__init__`, put into `self.strides` the list of strides, `[2] * layers + [1, 1]`, and into `self.judge` an
# `nn.Sequential` of 4 × 4 convolutions with a padding of 1. The first has `width` channels and no normalisation; each further one has
# twice as many as the one before, 8 times `width` at most, followed by `norm(channels)`; the last has 1. After each but the last comes
# `nn.LeakyReLU(0.2)`. Sample the weights with `initialise(self)`. `forward` takes (n, c, h, w) and returns (n, rows, columns).
#
# <details><summary>A hint</summary>
#
# The channels: `[width * min(2**i, 8) for i in range(layers + 1)]`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `pairwise(widths)` gives the pairs (narrow, wide); each takes the next stride of the list. The last stride is that of the convolution
# with 1 channel.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `forward`: `self.judge(images)` is of shape (n, 1, rows, columns); take off axis 1 with `squeeze(1)`.
#
# </details>

# %% implements="dcgan:PatchDiscriminator" level=3 hollow=["__init__", "forward"]
"""Un discriminateur par morceaux : un logit par morceau, qui se chevauchent.

Il juge textures et bords, et prend des images de toute taille (PatchGAN,
Isola et al. 2017, section 3.2.2). `layers` convolutions de pas 2 et deux de
pas 1, toutes de 4 x 4 et de marge 1, voient des morceaux de 16, 34 et 70
pixels pour 1, 2 et 3 couches. La première a `width` canaux, chaque suivante
deux fois plus que la précédente, au plus 8 fois `width` ; la dernière en a
1. Une ReLU à fuite de pente 0,2 suit chacune, sauf la dernière. Celles entre
la première et la dernière ont un biais, et `norm(canaux)` avant leur ReLU.
Toutes sont dans l'ordre dans `judge`, une Sequential, dont `initialise` tire
les poids ; `strides` est la liste des pas.

Une normalisation sur l'image entière (lot, instance) fait dépendre le logit
d'un morceau des autres, mais seulement par leurs statistiques.
"""
"""Le côté d'un morceau, en pixels."""
"""Un logit pour chaque morceau, ligne par ligne."""

# %% scratch=true
torch.manual_seed(0)
PatchDiscriminator(width=8, layers=1)(torch.zeros(2, 3, 32, 32)).shape
# → torch.Size([2, 14, 14])

# %% [markdown] lang="fr"
# Sa perte est souvent la **charnière** (*hinge*, [](work:lim2017)), celle des machines à vecteurs de support : un logit vrai doit dépasser
# 1, un faux descendre sous $-1$ ; au-delà de la marge, il ne coûte plus rien, et l'experte cesse de s'acharner sur ce qu'elle sait déjà.

# %% [markdown] lang="en"
# Its loss is often the **hinge** ([](work:lim2017)), that of support vector machines: a real logit should exceed 1, a fake one go below
# $-1$; beyond the margin it costs nothing any more, and the expert no longer labours at what she knows already.

# %% [markdown] lang="fr"
# Écrivez-la : un vrai logit $l$ coûte $\max(0, 1 - l)$, un faux $\max(0, 1 + l)$ ; ajoutez les deux moyennes.
#
# <details><summary>Un indice</summary>
#
# `F.relu` est le maximum avec 0.
#
# </details>

# %% [markdown] lang="en"
# Write it: a real logit $l$ costs $\max(0, 1 - l)$, a fake one $\max(0, 1 + l)$; add both means.
#
# <details><summary>A hint</summary>
#
# `F.relu` is the maximum with 0.
#
# </details>

# %% implements="gan:hinge_discriminator_loss" level=1
"""La perte charnière de D : les vrais logits au-dessus de 1, les faux sous
-1.

Un vrai logit l coûte max(0, 1 - l), un faux max(0, 1 + l) : au-delà des
marges, ils ne coûtent rien (Lim et Ye 2017 ; Miyato et al. 2018). Le coût
moyen des vrais et celui des faux s'ajoutent.
"""

# %% scratch=true
hinge_discriminator_loss(torch.tensor([0.5, 2.0]), torch.tensor([-3.0]))
# → tensor(0.2500)

# %% [markdown] lang="fr"
# Entraînons ce juge à distinguer des scènes nettes de scènes un peu floues, puis montrons-lui des scènes **à moitié** floues, comme il
# n'en a jamais vu. **Devinez** : que dira sa carte ? Et que devrait-il dire d'un morceau de papier blanc ?

# %% [markdown] lang="en"
# Let us train this judge to tell sharp scenes from slightly blurred ones, then show it scenes that are **half** blurred, which it has
# never seen. **Guess**: what will its map say? And what ought it to say of a patch of blank paper?

# %%
from dalle_edu.world import render, sample_scene


def blurred(pictures):
    return F.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)

# %%
def train_patch_judge():
    scenes = render([sample_scene(0, index) for index in range(400)], 32)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    judge = PatchDiscriminator(3, 16, 1, nn.InstanceNorm2d)
    adam = torch.optim.AdamW(judge.parameters(), lr=2e-3, betas=(0.5, 0.9))
    for _ in range(100):
        batch = scenes[torch.randint(400, (32,), generator=generator)]
        sharp, soft = batch[:16], blurred(batch[16:])
        loss = hinge_discriminator_loss(judge(sharp), judge(soft))
        adam.zero_grad()
        loss.backward()
        adam.step()
    return judge.eval()

# %%
new_scenes = render([sample_scene(0, 10**6 + index) for index in range(32)], 32)
half_blurred = new_scenes.clone()
half_blurred[..., 16:] = blurred(new_scenes)[..., 16:]
patch_judge = train_patch_judge()
with torch.no_grad():
    verdicts = patch_judge(half_blurred)
# en: patches that hold nothing but paper; those in the middle see both halves
# fr: les morceaux où il n'y a que du papier ; ceux du milieu voient les deux moitiés
paper = (new_scenes.amin(dim=1) > 0.99).float()[:, None]
share = F.avg_pool2d(paper, 16, 2, 7, count_include_pad=False)[:, 0, :14, :14]
blank = share > 0.999
logits_of = {
    say("sharp", "nets"): verdicts[..., :5][~blank[..., :5]],
    say("blurred", "flous"): verdicts[..., -5:][~blank[..., -5:]],
    say("blank", "blancs"): verdicts[blank],
}
for name, logits in logits_of.items():
    print(f"{name:8}", say("mean logit", "logit moyen"), decimal(logits.mean(), 2))

# %% claims=true
on_sharp, on_blurred, on_blank = (logits.mean() for logits in logits_of.values())
assert on_sharp > 0.5 > on_blank > on_blurred and abs(on_blank) < 0.3

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 9. Un verdict par morceau
#
# À droite du trait, la scène est floue. Bleu : vrai ; rouge : faux.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 9. A verdict for each patch
#
# To the right of the line the scene is blurred. Blue: real; red: fake.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 5, width=8, height=3.4)
for column, scene, verdict in zip(panels.T, half_blurred[4:], verdicts[4:]):
    show_strip(column[0], scene[None])
    column[0].axvline(15.5, color="grey", linestyle=":")
    column[1].imshow(verdict, cmap="RdBu", vmin=-2, vmax=2)
    column[1].axvline(6.5, color="grey", linestyle=":")
    column[1].set(xticks=[], yticks=[])
for panel, name in zip(panels[:, 0], (say("scene", "scène"), "verdict")):
    panel.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=13)
picture(figure, say("Five scenes, sharp on the left and blurred on the right; "
                    "the verdicts are blue on sharp objects, pale or red on "
                    "blurred ones.",
                    "Cinq scènes, nettes à gauche et floues à droite ; les "
                    "verdicts sont bleus sur les objets nets, pâles ou rouges "
                    "sur les flous."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Demander, avant la carte, ce que dirait un juge qui ne rend qu'un nombre. Lire la carte : où est-ce bleu, où est-ce pâle ou
# rouge ? Le papier blanc est pâle : il se trouve autant dans les vraies scènes que dans les floues, et p / (p + q) vaut un demi. La
# section 2, à nouveau.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Before the map, ask what a judge who gives a single number would say. Read the map: where is it blue, where pale or red? Blank
# paper is pale: it is found in sharp scenes as often as in blurred ones, and p / (p + q) is one half. Section 2, once more.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 12-13"
# ### Exercices 12 et 13 · Des juges par morceaux
#
# **25 min.**
#
# - **12** ●●● `PatchDiscriminator` : une carte de logits.
# - **13** ● `hinge_discriminator_loss` : une marge de 1.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 12-13"
# ### Exercises 12 and 13 · Judges of patches
#
# **25 min.**
#
# - **12** ●●● `PatchDiscriminator`: a map of logits.
# - **13** ● `hinge_discriminator_loss`: a margin of 1.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 25 min. Donner la section 9. Commencer par le 13. Pour le 12, faire écrire au tableau la suite des canaux et des pas pour `layers = 2` :
# 3, w, 2w, 4w, 1 et 2, 2, 1, 1. Faute à guetter : une normalisation sur la première couche. Demander le champ récepteur. (34.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 25 min. Hand out section 9. Begin with 13. For 12, have the sequence of channels and strides for `layers = 2` written on the board: 3, w,
# 2w, 4w, 1 and 2, 2, 1, 1. Mistake to look for: a normalisation on the first layer. Ask for the receptive field. (34.)

# %% [markdown] lang="fr"
# Les morceaux nets passent pour vrais (en bleu, un logit positif), les flous beaucoup moins (pâle ou rouge), et chacun est jugé à sa place.
# Le papier blanc reste près de 0 : il vient aussi souvent des unes que des autres, et le meilleur juge y répond 1/2, comme à la
# [](#the-best-judge). (Ce juge normalise image par image : avec des moyennes de lots, il jugerait autrement une image seule.) Gardons-nous
# pourtant d'y voir un juge de beauté : **un discriminateur n'a appris qu'à démasquer ses propres faussaires**. Devant une faute qu'il n'a
# jamais rencontrée, il peut dire n'importe quoi. C'est ce qui le sépare du critique de la [](lesson:12), CLIP, qui n'est entraîné contre
# personne.

# %% [markdown] lang="en"
# Sharp patches pass for real (in blue, positive logits), blurred ones much less (pale or red), and each is judged in its place. Blank paper
# stays near 0: it comes from either as often, and there the best judge answers 1/2, as in [](#the-best-judge). (This judge normalises
# picture by picture: with means of batches it would judge a lone picture otherwise.) Yet let us not take it for a judge of beauty: **a
# discriminator has learned only to find out its own forgers**. Of a fault that it has never met it may say anything. This sets it apart
# from the critic of [](lesson:12), CLIP, which is trained against nobody.

# %% [markdown] lang="fr"
# ## 10. VQGAN
#
# Le VQ-VAE de la [](lesson:08) écrit une image en codes, et la rend floue : son erreur sur les pixels préfère la moyenne de deux réponses
# nettes. Le **VQGAN** (*vector-quantised GAN*, [](work:esser2021)) garde tout, encodeur convolutif, dictionnaire, décodeur convolutif, et
# ajoute deux juges.
#
# - Une **distance perceptuelle** ([](work:zhang2018)) : on ne compare plus les pixels, mais ce qu'un réseau entraîné **voit** dans les
#   deux images, couche après couche.
# - Un **discriminateur par morceaux**, dont la perte demande que chaque morceau décodé passe pour vrai.

# %% [markdown] lang="en"
# ## 10. VQGAN
#
# The VQ-VAE of [](lesson:08) writes a picture in codes, and gives it back blurred: its error on pixels prefers the mean of two sharp
# answers. **VQGAN** (vector-quantised GAN, [](work:esser2021)) keeps all of it, convolutional encoder, codebook, convolutional decoder,
# and adds two judges.
#
# - A **perceptual distance** ([](work:zhang2018)): what is compared is no longer pixels but what a trained network **sees** in both
#   pictures, layer after layer.
# - A **patch discriminator**, whose loss asks that each decoded patch pass for real.

# %% [markdown] lang="fr"
# Écrivez `forward` de la distance perceptuelle. `first` et `second` sont de forme (n, 3, H, W). Faites-les passer, couche après couche,
# dans `self.features` ; après chaque `nn.ReLU`, normez les caractéristiques de chaque position (`F.normalize(…, dim=1)` ; les vecteurs
# nuls restent nuls), prenez le carré de la distance, sommé sur les canaux, en moyenne sur le reste. Rendez la moyenne sur ces couches.
#
# <details><summary>Un indice</summary>
#
# `for layer in self.features:` parcourt les couches ; `isinstance(layer, nn.ReLU)` dit où regarder.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `(a - b).square().sum(dim=1).mean()` par couche, puis `torch.stack(distances).mean()`.
#
# </details>

# %% [markdown] lang="en"
# Write `forward` of the perceptual distance. `first` and `second` are of shape (n, 3, H, W). Pass them, layer after layer, through
# `self.features`; after each `nn.ReLU`, make the features of each position a unit vector (`F.normalize(…, dim=1)`; zero vectors stay
# zero), take the squared distance, summed over channels, averaged over the rest. Return the mean over those layers.
#
# <details><summary>A hint</summary>
#
# `for layer in self.features:` goes through the layers; `isinstance(layer, nn.ReLU)` says where to look.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `(a - b).square().sum(dim=1).mean()` for each layer, then `torch.stack(distances).mean()`.
#
# </details>

# %% implements="vqgan:PerceptualDistance" level=3 hollow=["forward"]
"""La distance entre ce qu'un réseau entraîné voit dans deux images.

À chaque couche, les caractéristiques de chaque position deviennent un
vecteur unitaire (des zéros restent des zéros), et le carré de leur distance,
sommé sur les canaux, est moyenné sur les positions et les images ; le
résultat est la moyenne sur les couches (LPIPS, Zhang et al. 2018, sans leurs
poids appris).

`features` est une pile de couches entraînée, ici par ce projet lui-même.
Elle est gelée, et lue après chaque ReLU.
"""
"""Reste en mode d'évaluation : les caractéristiques n'apprennent pas."""
"""La distance, de 0 pour deux images égales à 4 au plus."""

# %% scratch=true
red, green = torch.eye(3)[:2, :, None, None]
PerceptualDistance(nn.Sequential(nn.ReLU()))(red[None], green[None])  # → tensor(2.)

# %% [markdown] lang="fr"
# Trois pertes tirent maintenant sur le décodeur. Combien donner à l'adversaire ? La valeur d'une perte n'en dit rien : ce qui compte est
# la force de son **gradient**. L'équation 7 de [](work:esser2021) les compare là où tout se rejoint, sur la dernière couche $\theta_L$ du
# décodeur :

# %% [markdown] lang="en"
# Three losses now pull on the decoder. How much should be given to the adversary? The value of a loss says nothing of it: what counts is
# the strength of its **gradient**. Equation 7 of [](work:esser2021) compares them where all meet, on the last layer $\theta_L$ of the
# decoder:

# %% [markdown]
# $$ \lambda = \frac{\left\| \nabla_{\theta_L} L_{\mathrm{rec}} \right\|}{\left\| \nabla_{\theta_L} L_{\mathrm{adv}} \right\| + 10^{-4}} $$

# %% [markdown] lang="fr"
# Un exemple à la main : si le gradient de la reconstruction est $(3, 4)$, de longueur 5, et celui de l'adversaire $(2, 0)$, de longueur 2,
# le poids est $5 / 2 = 2{,}5$.

# %% [markdown] lang="en"
# An example by hand: if the gradient of the reconstruction is $(3, 4)$, of length 5, and that of the adversary $(2, 0)$, of length 2, the
# weight is $5 / 2 = 2.5$.

# %% [markdown] lang="fr"
# Écrivez ce poids. `reconstruction` et `adversarial` sont deux pertes, `last_layer` le tenseur des poids. Ramenez-le à `most` au plus, et
# rendez-le sans gradient. Les deux pertes doivent pouvoir être rétropropagées ensuite, et aucun `.grad` ne doit être rempli.
#
# <details><summary>Un indice</summary>
#
# `torch.autograd.grad(perte, last_layer, retain_graph=True)` rend un tuple d'un seul gradient (prenez son `[0]`) et garde
# le graphe.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `.norm()` donne une longueur ; `.clamp(max=most)` la borne ; `.detach()` oublie le graphe.
#
# </details>

# %% [markdown] lang="en"
# Write this weight. `reconstruction` and `adversarial` are two losses, `last_layer` the tensor of weights. Bring it down to `most` at
# most, and return it without gradient. It must still be possible to backpropagate both losses afterwards, and no `.grad` may be filled in.
#
# <details><summary>A hint</summary>
#
# `torch.autograd.grad(loss, last_layer, retain_graph=True)` returns a tuple of one gradient (take its `[0]`) and keeps
# the graph.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `.norm()` gives a length; `.clamp(max=most)` bounds it; `.detach()` forgets the graph.
#
# </details>

# %% implements="vqgan:adaptive_weight" level=2
"""Le poids de la perte adverse qui l'équilibre avec la reconstruction.

C'est la norme du gradient de `reconstruction` sur la dernière couche du
décodeur, divisée par celle de `adversarial` + 1e-4 (Esser et al. 2021,
équation 7), et `most` au plus. Il est rendu sans gradient. Les deux pertes
peuvent encore être rétropropagées ensuite, et aucun `grad` n'est rempli.
"""

# %% scratch=true
weights = torch.tensor([3.0, 4.0], requires_grad=True)
adaptive_weight(weights.square().sum() / 2, 2 * weights[0], weights)
# → tensor(2.4999)

# %% [markdown] lang="fr"
# Mettons les deux codecs côte à côte, à temps égal. Chaque chiffre de 16 × 16 doit tenir en **quatre** codes parmi 32 : l'information
# manque, et il faut inventer. L'un apprend 400 pas avec l'erreur au carré seule. L'autre en fait 200 de même, puis 50 avec la distance
# perceptuelle et l'adversaire, dont chaque pas coûte plusieurs fois plus. **Devinez** : lequel aura les bords les plus nets ? lequel, la
# plus petite erreur au carré ?

# %% [markdown] lang="en"
# Let us put both codecs side by side, at equal time. Each digit of 16 × 16 must fit into **four** codes out of 32: information is missing,
# and some has to be invented. One learns for 400 steps with squared error alone. The other takes 200 of the same, then 50 with the
# perceptual distance and the adversary, each of which costs several times as much. **Guess**: which will have the sharper edges? which the
# smaller squared error?

# %%
from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.convolution import SmallClassifier
from dalle_edu.bricks.vqgan import VQGAN

# en: the VQGAN that comes with the course; we borrow the network that it sees with
# fr: le VQGAN livré avec le cours ; nous lui empruntons le réseau par lequel il voit
features = SmallClassifier(3, 8).features
scene_config = CodecConfig(resolution=32, grid=8, num_codes=128, width=32, depth=1,
                           code_dim=16)
scene_codec = VQGAN(scene_config, features, discriminator_width=24)
recall("vqgan", scene_codec)
colour_digits = digit_images.expand(-1, 3, -1, -1)
train_digits, exam_digits = colour_digits[:1500], colour_digits[1500:]

# %%
def new_codec():
    torch.manual_seed(0)
    config = CodecConfig(resolution=16, grid=2, num_codes=32, width=16, depth=1,
                         code_dim=16)
    return VQGAN(config, features, discriminator_width=16, discriminator_layers=1)

# %%
def by_pixels(codec, steps):
    generator = torch.Generator().manual_seed(1)
    adam = torch.optim.AdamW(codec.codec_parameters(), lr=3e-3)
    for step in range(steps):
        batch = train_digits[torch.randint(1500, (32,), generator=generator)]
        quantized = codec.quantizer(codec.encoder(batch))
        loss = F.mse_loss(codec.decoder(quantized.vectors), batch) + quantized.loss
        adam.zero_grad()
        loss.backward()
        adam.step()
        if step % 15 == 14 and step < 200:
            found = codec.encoder(batch).detach()
            codec.quantizer.revive(found, generator=generator)

# %%
def by_judges(codec, steps):
    generator = torch.Generator().manual_seed(2)
    forger = torch.optim.AdamW(codec.codec_parameters(), lr=3e-3, betas=(0.5, 0.9))
    expert = torch.optim.AdamW(codec.discriminator.parameters(), lr=1e-3,
                               betas=(0.5, 0.9))
    for step in range(steps):
        batch = train_digits[torch.randint(1500, (32,), generator=generator)]
        # en: the adversary joins in after ten steps
        # fr: l'adversaire entre en jeu après dix pas
        parts = codec.loss(batch, adversarial=0.5 if step >= 10 else 0.0)
        forger.zero_grad()
        parts["loss"].backward()
        forger.step()
        expert.zero_grad()
        codec.discriminator_loss(batch).backward()
        expert.step()

# %%
@torch.no_grad()
def given_back(codec):
    return codec.eval().decode(codec.encode(exam_digits)).clamp(-1, 1)


def train_both_codecs():
    pixel_codec, judged_codec = new_codec(), new_codec()
    by_pixels(pixel_codec, 400)
    by_pixels(judged_codec, 200)
    by_judges(judged_codec, 50)
    return {"pixels": given_back(pixel_codec), "judges": given_back(judged_codec)}


codecs = kept("codecs", train_both_codecs, patience=5)

# %%
def edges(pictures):
    # en: how much neighbouring pixels differ, squared
    # fr: de combien diffèrent les pixels voisins, au carré
    down, across = pictures.diff(dim=2), pictures.diff(dim=3)
    return down.square().mean() + across.square().mean()


sharpness, errors = {}, {}
print(" " * 12, say("edges  squared error", "bords  erreur au carré"))
for name, pictures in codecs.items():
    sharpness[name] = (edges(pictures) / edges(exam_digits)).item()
    errors[name] = F.mse_loss(pictures, exam_digits).item()
    label = {"pixels": say("pixels alone", "pixels seuls"), "judges": "VQGAN"}[name]
    print(f"{label:13}{decimal(100 * sharpness[name], 0):>3} %  "
          f"{decimal(errors[name], 3):>7}")

# %% claims=true
assert sharpness["judges"] > 1.2 * sharpness["pixels"]
assert sharpness["pixels"] < 0.75
assert errors["judges"] > errors["pixels"]

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 10. VQGAN : la netteté a un prix
#
# Quatre codes par chiffre. Les pixels seuls, ou aussi des juges ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 10. VQGAN: sharpness has a price
#
# Four codes for each digit. Pixels alone, or judges as well?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(3, 1, width=7.6, height=2.4)
show_strip(panels[0], exam_digits[:14], say("real", "vrais"))
show_strip(panels[1], codecs["pixels"][:14], say("pixels", "pixels"))
show_strip(panels[2], codecs["judges"][:14], "VQGAN")
picture(figure, say("Real digits; below, grey and soft from pixels alone; at "
                    "the bottom sharper, with some strokes that are wrong.",
                    "De vrais chiffres ; dessous, gris et mous par les pixels "
                    "seuls ; en bas, plus nets, avec des traits faux."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Rappeler d'où vient le flou : la moyenne coûte moins. Demander laquelle des deux lignes a la plus petite erreur au carré. (Celle
# du milieu, la floue.) Puis : la ligne du bas est-elle plus vraie ? (Plus nette, non plus vraie : certains traits sont inventés.) Le poids
# de l'adversaire se règle par les gradients.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Recall where blur comes from: the mean costs less. Ask which of the two rows has the smaller squared error. (The middle one, the
# blurred one.) Then: is the bottom row truer? (Sharper, not truer: some strokes are invented.) The weight of the adversary is set by
# gradients.

# %% [markdown] lang="fr"
# À temps égal, les bords du VQGAN approchent de ceux des vrais chiffres, et son erreur au carré est **plus grande** : il a cessé de
# répondre la moyenne, il a choisi. Un trait net peut être un trait faux ; c'est le prix de la netteté, et cinquante pas n'y suffisent pas.
# Celui qui est livré avec le cours a été entraîné huit minutes, sur nos scènes. **Devinez** ce que son discriminateur dit de morceaux
# vrais, de morceaux décodés, et de vraies scènes couvertes de bruit.

# %% [markdown] lang="en"
# At equal time the edges of VQGAN come near those of real digits, and its squared error is **larger**: it no longer answers the mean, it
# has chosen. A sharp stroke may be a wrong stroke; that is the price of sharpness, and fifty steps are too few to get all of them right.
# The one that comes with the course was trained for eight minutes, on our scenes. **Guess** what its discriminator says of real patches,
# of decoded patches, and of real scenes covered with noise.

# %%
scene_codec.eval()
with torch.no_grad():
    decoded = scene_codec.decode(scene_codec.encode(filled)).clamp(-1, 1)
    speckle = torch.randn(filled.shape, generator=torch.Generator().manual_seed(0))
    noisy = (filled + 0.2 * speckle).clamp(-1, 1)
    taken = {}
    for name, pictures in ((say("real", "vrais"), filled),
                           (say("decoded", "décodés"), decoded),
                           (say("noisy", "bruités"), noisy)):
        maps_of_patches = scene_codec.discriminator(pictures)
        taken[name] = (maps_of_patches > 0).float().mean().item()
        print(f"{name:8}", say("taken for real:", "tenus pour vrais :"),
              decimal(100 * taken[name], 0), "%")

# %% claims=true
real_share, decoded_share, noisy_share = taken.values()
assert 0.5 < decoded_share < real_share < noisy_share
assert recall("vqgan", scene_codec)[1] == 8  # minutes of training

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ### De l'image aux codes, puis un transformeur
#
# 1. VQGAN : un codec, une image en codes et retour.
# 2. Un **transformeur** écrit les codes, un par un.
#
# DALL·E mini y met un BART ; VQGAN+CLIP se passe du second étage.

# %% [markdown] lang="en" slide="slide" slide_only=true
# ### From picture to codes, then a transformer
#
# 1. VQGAN: a codec, from a picture to codes and back.
# 2. A **transformer** writes the codes, one by one.
#
# DALL·E mini puts a BART there; VQGAN+CLIP does without the second stage.

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(2, 1, width=8.4, height=2.5)
show_strip(panels[0], filled[:8], say("real", "vraies"))
show_strip(panels[1], decoded[:8], say("decoded", "décodées"))
picture(figure, say("Eight scenes and what the shipped VQGAN gives back from "
                    "64 codes: nearly the same, with sharp edges; "
                    "some corners are rounded.",
                    "Huit scènes et ce que le VQGAN livré rend de 64 codes : "
                    "presque les mêmes, aux bords nets ; quelques coins "
                    "sont arrondis."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Demander ce que VQGAN sait dessiner seul. (Rien : il rend ce qu'on lui a donné en codes ; il faut quelqu'un pour écrire des codes
# nouveaux.) Nommer les deux étages. Dire les chiffres du discriminateur : le bruit le trompe, puisqu'aucun faussaire ne lui en a montré.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Ask what VQGAN can draw by itself. (Nothing: it gives back what it was given as codes; somebody must write new codes.) Name both
# stages. Tell the figures of the discriminator: noise fools it, since no forger ever showed it any.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 14-15"
# ### Exercices 14 et 15 · Deux juges, un poids
#
# **20 min.**
#
# - **14** ●●● `PerceptualDistance` : comparer ce que l'on voit.
# - **15** ●● `adaptive_weight` : équilibrer par les gradients.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 14-15"
# ### Exercises 14 and 15 · Two judges, one weight
#
# **20 min.**
#
# - **14** ●●● `PerceptualDistance`: compare what is seen.
# - **15** ●● `adaptive_weight`: balance by gradients.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 20 min. Donner la section 10. Fautes à guetter : comparer la dernière couche seule ; ne pas normer ; comparer les pertes au lieu de leurs
# gradients ; le rapport renversé. Demander le poids si l'adversaire tire dix fois plus fort. (Un dixième.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 20 min. Hand out section 10. Mistakes to look for: comparing the last layer only; no unit vectors; comparing losses and not their
# gradients; the ratio turned over. Ask for the weight if the adversary pulls ten times as hard. (A tenth.)

# %% [markdown] lang="fr"
# Il hésite entre vrais et décodés, comme il se doit contre un bon faussaire. Mais **le bruit lui paraît plus vrai que le vrai** : personne
# ne lui en avait montré. Un discriminateur n'est pas une mesure de qualité.
#
# Un mot sur la suite. Un VQGAN ne dessine rien de nouveau : c'est un codec. Les auteurs lui ajoutent un **second étage**, un transformeur
# comme le GPT de la [](lesson:05), qui écrit les codes un par un ; le décodeur les peint. Le CNN apprend de quoi sont faites les images, le
# transformeur comment on les assemble. DALL·E mini met à cette place un BART ([](lesson:13)) ; VQGAN+CLIP ([](work:crowson2022)) n'emploie
# que le premier étage, et cherche les codes en écoutant CLIP ([](lesson:12)).

# %% [markdown] lang="en"
# It wavers between real and decoded, as it should against a good forger. But **noise looks more real to it than the real**: nobody had
# shown it any. A discriminator is no measure of quality.
#
# A word on what comes next. A VQGAN draws nothing new: it is a codec. Its authors add a **second stage**, a transformer like the GPT of
# [](lesson:05), which writes the codes one by one; the decoder paints them. The CNN learns what pictures are made of, the transformer how
# to put it together. DALL·E mini has a BART in that place ([](lesson:13)); VQGAN+CLIP ([](work:crowson2022)) uses the first stage only,
# and looks for codes while listening to CLIP ([](lesson:12)).

# %% [markdown] lang="fr"
# ## 11. Sans une seule paire
#
# Revenons à la première image. On voudrait traduire un style en un autre, et l'on n'a que deux tas d'images, **sans correspondance**. Un
# GAN sait faire la moitié du travail : un traducteur $G$ de A vers B, et un juge $D_B$ qui demande que ses images ressemblent à celles de
# B. Mais il pourrait rendre n'importe quel B : toujours le même contour passerait. L'idée de **CycleGAN** ([](work:zhu2017)) est de
# demander le retour. Un second traducteur, $F$, va de B vers A, jugé par $D_A$ ; et l'aller-retour doit rendre l'image de départ :

# %% [markdown] lang="en"
# ## 11. Without a single pair
#
# Back to the first picture. One would like to translate a style into another, and has no more than two heaps of pictures, **without any
# correspondence**. A GAN can do half of the work: a translator $G$ from A to B, and a judge $D_B$ who asks that its pictures look like
# those of B. But it might return any B: always the same outline would pass. The idea of **CycleGAN** ([](work:zhu2017)) is to ask for the
# way back. A second translator, $F$, goes from B to A, judged by $D_A$; and going there and back must return the picture one set out from:

# %% [markdown]
# $$ L_{\mathrm{cyc}} = \mathbb{E}_{a} \left\| F(G(a)) - a \right\|_1 + \mathbb{E}_{b} \left\| G(F(b)) - b \right\|_1 $$

# %% [markdown] lang="fr"
# C'est la **cohérence de cycle** : qui traduit une phrase en anglais, puis retraduit, doit retrouver sa phrase. S'y ajoute souvent une
# perte d'**identité**, deux fois moins pesante : montrez à $G$ une image qui est déjà dans B, il doit la laisser telle quelle. Les auteurs
# ont ainsi échangé :
#
# - des tableaux de Monet et des photographies, dans les deux sens ;
# - des zèbres et des chevaux ;
# - l'été et l'hiver ;
# - une photographie vers quatre manières de peindre : trois peintres, Monet, Cézanne et Van Gogh, et un genre, l'estampe ukiyo-e.
#
# Leur juge est un discriminateur par morceaux, et sa perte, aux **moindres carrés** ([](work:mao2017)) : pas de sigmoïde ; la sortie
# devrait valoir 1 sur une vraie, 0 sur une fausse, et l'écart est mis au carré. Loin du but, un carré tire toujours.

# %% [markdown] lang="en"
# This is **cycle consistency**: who translates a sentence into French and back again should find the sentence. An **identity** loss is
# often added, with half the weight: show $G$ a picture that is in B already, and it should leave it as it is. The authors exchanged in
# this way:
#
# - paintings by Monet and photographs, both ways;
# - zebras and horses;
# - summer and winter;
# - a photograph into four manners of painting: three painters, Monet, Cézanne and Van Gogh, and a genre, the ukiyo-e print.
#
# Their judge is a patch discriminator, and its loss is **least squares** ([](work:mao2017)): no sigmoid; the output should be 1 on a real
# picture, 0 on a fake, and the difference is squared. Far from its aim, a square always pulls.

# %% [markdown] lang="fr"
# Écrivez la perte du juge : la moitié de la somme de deux moyennes, celle de $(l - 1)^2$ sur les vraies et celle de $l^2$ sur les fausses.
#
# <details><summary>Un indice</summary>
#
# `.square().mean()` ; la somme, puis `/ 2`.
#
# </details>

# %% [markdown] lang="en"
# Write the loss of the judge: half of the sum of two means, that of $(l - 1)^2$ over real ones and that of $l^2$ over fakes.
#
# <details><summary>A hint</summary>
#
# `.square().mean()`; the sum, then `/ 2`.
#
# </details>

# %% implements="cyclegan:least_squares_discriminator_loss" level=1
"""La perte aux moindres carrés de D : 1 sur les vraies, 0 sur les fausses.

C'est la moitié de la somme de deux moyennes : celle de (l - 1)² sur les
sorties l des vraies, celle de l² sur celles des fausses (Mao et al. 2017,
équation 9). Aucune sigmoïde n'est appliquée.
"""

# %% scratch=true
least_squares_discriminator_loss(torch.tensor([1.0, 0.0]), torch.tensor([0.5]))
# → tensor(0.3750)

# %% [markdown] lang="fr"
# Et celle du traducteur : la moyenne de $(l - 1)^2$ sur ses faux, sans la moitié.
#
# <details><summary>Un indice</summary>
#
# Il veut que le juge réponde 1 à ses faux.
#
# </details>

# %% [markdown] lang="en"
# And that of the translator: the mean of $(l - 1)^2$ over its fakes, without the half.
#
# <details><summary>A hint</summary>
#
# It wants the judge to answer 1 to its fakes.
#
# </details>

# %% implements="cyclegan:least_squares_generator_loss" level=1
"""La perte aux moindres carrés de G : les sorties de D sur ses faux
devraient être 1.

C'est la moyenne de (l - 1)² sur les sorties l, sans moitié. Au contraire
d'une perte qui sature, elle donne un gradient même là où D est sûr d'avoir
affaire à un faux.
"""

# %% scratch=true
least_squares_generator_loss(torch.tensor([0.5]))  # → tensor(0.2500)

# %% [markdown] lang="fr"
# Encore un soin. L'experte qui ne voit que les faux du moment oublie les anciens, et le faussaire peut y revenir : les deux tournent en
# rond. CycleGAN garde donc une **réserve** d'anciens faux ([](work:shrivastava2017)) ; la moitié de ceux que l'experte voit en viennent.

# %% [markdown] lang="en"
# One more precaution. An expert who sees only the fakes of the moment forgets the old ones, and the forger can go back to them: both go
# round in circles. So CycleGAN keeps a **pool** of old fakes ([](work:shrivastava2017)); half of those that the expert sees come from it.

# %% [markdown] lang="fr"
# Écrivez `__call__`. Prenez les faux un à un, sans gradient. Tant que `self.images` a moins de `self.size` images, gardez le nouveau **et**
# montrez-le. Ensuite, tirez `torch.rand((), generator=self.generator)` : au-dessous de 0,5, tirez une place avec `torch.randint` et le même
# générateur, montrez l'ancien et mettez le nouveau à sa place ; sinon, montrez le nouveau. Une réserve de taille 0 montre toujours le
# nouveau. Rendez un lot de même forme.
#
# <details><summary>Un indice</summary>
#
# `for fake in fakes.detach():` parcourt le premier axe.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# L'échange en une ligne : `fake, self.images[place] = self.images[place], fake`.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# `elif self.size and …` épargne le tirage à une réserve de taille 0 ; `torch.stack(shown)` refait un lot.
#
# </details>

# %% [markdown] lang="en"
# Write `__call__`. Take the fakes one by one, without gradient. As long as `self.images` has fewer than `self.size` pictures, keep the new
# one **and** show it. After that, sample `torch.rand((), generator=self.generator)`: below 0.5, sample a place with `torch.randint` and the
# same generator, show the old one and put the new one in its place; otherwise show the new one. A pool of size 0 always shows the new one.
# Return a batch of the same shape.
#
# <details><summary>A hint</summary>
#
# `for fake in fakes.detach():` goes along the first axis.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The exchange in one line: `fake, self.images[place] = self.images[place], fake`.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# `elif self.size and …` spares a pool of size 0 the sampling; `torch.stack(shown)` makes a batch again.
#
# </details>

# %% implements="cyclegan:HistoryPool" level=2 hollow=["__call__"]
"""Une réserve de faux anciens, pour qu'un discriminateur ne les oublie pas.

Appelée avec un lot de faux, elle rend un lot d'autant d'images. Tant qu'elle
n'est pas pleine, ce sont les nouveaux faux, qu'elle garde aussi. Ensuite,
chacun est, avec la probabilité 1/2, un faux ancien dont le nouveau prend la
place (Shrivastava et al. 2017, section 2.3). Les faux sont pris un à un,
dans leur ordre. Pour chacun, `generator` décide s'il faut montrer un ancien,
puis lequel ; toutes les places de la réserve se valent. Une réserve de
taille 0 rend les nouveaux faux. Ce qui est gardé, dans la liste `images`,
et ce qui est rendu n'ont pas de gradient.
"""

# %% scratch=true
pool = HistoryPool(2, torch.Generator().manual_seed(0))
[int(pool(torch.full((1, 1, 1, 1), float(number))).item()) for number in range(6)]
# → [0, 1, 1, 0, 2, 4]

# %% [markdown] lang="fr"
# Le cœur : la perte des deux traducteurs. `a` et `b` sont deux lots, pas forcément de même taille. Les faux : `to_b(a)` et `to_a(b)`
# (`self.to_b` est le $G$ de plus haut, `self.to_a` le $F$). Trois termes, chacun sommé sur les deux styles : `adversarial` (moindres
# carrés, `LEAST_SQUARES.generator`, chaque faux devant le juge de **son** style), `cycle` et `identity` (`F.l1_loss`). `loss` est leur
# somme, pondérée par `self.config.cycle_weight` et `identity_weight`. Rendez un dictionnaire : `loss` avec son gradient ; les trois termes
# et les deux faux (`fake_a`, `fake_b`) détachés.
#
# <details><summary>Un indice</summary>
#
# Le cycle de a : `self.to_a(self.to_b(a))` comparé à `a`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# L'identité : `to_b` laisse **b** tel quel, `to_a` laisse **a** tel quel.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Gardez les faux dans des variables : le cycle les reprend, sans les recalculer.
#
# </details>

# %% [markdown] lang="en"
# The heart: the loss of both translators. `a` and `b` are two batches, not necessarily of one size. The fakes: `to_b(a)` and `to_a(b)`
# (`self.to_b` is the $G$ of above, `self.to_a` the $F$). Three terms, each summed over both styles: `adversarial` (least squares,
# `LEAST_SQUARES.generator`, each fake before the judge of **its** style), `cycle` and `identity` (`F.l1_loss`). `loss` is their sum,
# weighted by `self.config.cycle_weight` and `identity_weight`. Return a dictionary: `loss` with its gradient; the three terms and both
# fakes (`fake_a`, `fake_b`) detached.
#
# <details><summary>A hint</summary>
#
# The cycle of a: `self.to_a(self.to_b(a))` compared with `a`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# The identity: `to_b` leaves **b** as it is, `to_a` leaves **a** as it is.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# Keep the fakes in variables: the cycle uses them again, without computing them anew.
#
# </details>

# %% implements="cyclegan:CycleGAN" level=3 hollow=["translators_loss"]
"""Les deux traducteurs, `to_b` et `to_a`, et les deux discriminateurs.

Les discriminateurs par morceaux `judge_a` et `judge_b` distinguent les
vraies images d'un style de celles qui sont traduites.
"""
"""La perte des traducteurs, ses parties nommées, et les faux qu'ils ont
faits.

Ses trois termes sont ceux de Zhu et al. (2017, équation 3, et section 5.2
pour l'identité). `adversarial` : le discriminateur de chaque style devrait
tenir les faux pour vrais. `cycle` : a -> b -> a devrait rendre a, et b -> a
-> b rendre b, en écart absolu moyen. `identity` : `to_b` devrait laisser b
tel quel, et `to_a` laisser a, en écart absolu moyen. Chaque terme est la
somme sur les deux styles, sans poids ; `loss` vaut `adversarial` +
`cycle_weight` * `cycle` + `identity_weight` * `identity`. `fake_a` et
`fake_b` servent au tour des discriminateurs ; comme les parties, ils ne
portent pas de gradient.
"""
"""La perte aux moindres carrés des deux discriminateurs, additionnée.

Les faux viennent des réserves. Aucun gradient ne remonte aux traducteurs.
"""

# %% scratch=true
torch.manual_seed(0)
small_exchanger = CycleGAN(CycleGANConfig(width=4, blocks=1))
parts = small_exchanger.translators_loss(filled[:2], outlined[2:5])
weighted = parts["adversarial"] + 10 * parts["cycle"] + 5 * parts["identity"]
torch.allclose(parts["loss"], weighted)  # → True

# %% [markdown] lang="fr"
# Enfin un pas du jeu à quatre. D'abord les traducteurs, juges gelés ; puis les juges, sur de vraies images et sur ce que rendent les deux
# réserves, chacune nourrie des faux de son style. Effacez les anciens gradients avant chaque rétropropagation. Rendez, sans gradient,
# `loss`, `adversarial`, `cycle`, `identity` et `judges`.
#
# <details><summary>Un indice</summary>
#
# `exchange` contient `model`, les optimiseurs `translators` et `judges`, et les réserves `pool_a` et `pool_b`.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `parts.pop("fake_a")` prend un faux dans le dictionnaire et l'en ôte.
#
# </details>
#
# <details><summary>Un troisième indice</summary>
#
# Pensez à dégeler les juges avant leur pas : `requires_grad_(True)`.
#
# </details>

# %% [markdown] lang="en"
# Last, a step of the game of four. First the translators, with the judges frozen; then the judges, on real pictures and on what both pools
# return, each fed with the fakes of its own style. Clear old gradients before each backpropagation. Return, without gradient, `loss`,
# `adversarial`, `cycle`, `identity` and `judges`.
#
# <details><summary>A hint</summary>
#
# `exchange` holds `model`, the optimisers `translators` and `judges`, and the pools `pool_a` and `pool_b`.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `parts.pop("fake_a")` takes a fake out of the dictionary.
#
# </details>
#
# <details><summary>A third hint</summary>
#
# Remember to unfreeze the judges before their step: `requires_grad_(True)`.
#
# </details>

# %% implements="cyclegan:cyclegan_step" level=3
"""Un pas des traducteurs, puis un des discriminateurs.

Les discriminateurs sont gelés pendant le pas des traducteurs, et peuvent de
nouveau apprendre ensuite. Ils s'entraînent sur de vraies images et sur ce
que les réserves rendent pour les faux de ce pas, chaque style ayant la
sienne. Les anciens gradients sont effacés avant chaque pas. Les pertes sont
rendues sans gradient : `loss` (des traducteurs), ses parties `adversarial`,
`cycle` et `identity`, et `judges`.
"""

# %% scratch=true
from dalle_edu.bricks.cyclegan import Exchange

try_exchange = Exchange.start(small_exchanger, torch.Generator().manual_seed(0))
sorted(cyclegan_step(try_exchange, filled[:2], outlined[2:4]))
# → ['adversarial', 'cycle', 'identity', 'judges', 'loss']

# %% [markdown] lang="fr"
# Voici les quatre lignes d'un aller-retour, par la machine du début : pleine, tracée par $G$, remplie de nouveau par $F$, et la vérité, que
# personne ne lui a montrée. **Devinez** lequel sera le plus près de son but : le contour, du vrai contour, ou le retour, du départ.

# %% [markdown] lang="en"
# Here are the four rows of a journey there and back, by the machine of the beginning: filled, outlined by $G$, filled again by $F$, and
# the truth, which nobody ever showed it. **Guess** which is nearer its aim: the outline to the true one, or the return to its departure.

# %%
with torch.no_grad():
    returned = exchanger.to_a(drawn)
outlining_error = F.l1_loss(drawn, outlined).item()
return_error = F.l1_loss(returned, filled).item()
print(say("outline against the truth:   ", "contour contre la vérité :     "),
      decimal(outlining_error, 3))
print(say("return against the departure:", "retour contre le départ :       "),
      decimal(return_error, 3))

# %% claims=true
assert return_error < outlining_error < F.l1_loss(filled, outlined).item() / 2
assert recall("cyclegan", exchanger)[1] == 12  # minutes of training

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 11. Aller, et revenir
#
# $$ F(G(a)) \approx a \qquad G(F(b)) \approx b $$

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 11. There, and back
#
# $$ F(G(a)) \approx a \qquad G(F(b)) \approx b $$

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(4, 1, width=8.2, height=3.6)
rows = say("filled|outlined|refilled|true", "plein|tracé|rempli|vrai").split("|")
for panel, name, pictures in zip(panels, rows, (filled, drawn, returned, outlined)):
    show_strip(panel, pictures[8:16], name)
picture(figure, say("Filled scenes, their outlines by G, filled again by F "
                    "nearly as they were, and the true outlines.",
                    "Des scènes pleines, leurs contours par G, remplies de "
                    "nouveau par F presque comme avant, et les vrais contours."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Suivre une colonne du doigt : aller, retour. Demander ce que seul le juge D_B empêcherait. (De rendre autre chose que des
# contours ; pas de rendre ceux d'une autre scène.) Nommer les échanges de l'article : Monet et photographies, chevaux et zèbres, été et
# hiver, trois peintres et l'estampe.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Follow a column with a finger: there, back. Ask what the judge D_B alone would prevent. (Returning anything but outlines; not
# returning those of another scene.) Name the exchanges of the paper: Monet and photographs, horses and zebras, summer and winter, three
# painters and the print.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 16-20"
# ### Exercices 16 à 20 · Quatre joueurs
#
# **25 min** en classe ; 19 et 20 chez soi.
#
# - **16**, **17** ● Les moindres carrés.
# - **18** ●● `HistoryPool` : ne pas oublier.
# - **19** ●●● `CycleGAN` : trois termes.
# - **20** ●●● `cyclegan_step` : un pas à quatre.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 16-20"
# ### Exercises 16 to 20 · Four players
#
# **25 min** in class; 19 and 20 at home.
#
# - **16**, **17** ● Least squares.
# - **18** ●● `HistoryPool`: not to forget.
# - **19** ●●● `CycleGAN`: three terms.
# - **20** ●●● `cyclegan_step`: a step of four.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 25 min. Faire 16 à 18 en classe. Fautes à guetter : une réserve qui garde une copie au lieu d'échanger ; un cycle qui prend deux fois le
# même chemin ; l'identité exigée de l'image à traduire. Pour 19, faire dessiner les quatre flèches avant d'écrire.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 25 min. Do 16 to 18 in class. Mistakes to look for: a pool that keeps a copy instead of exchanging; a cycle that goes the same way twice;
# the identity asked of the picture to be translated. For 19, have the four arrows drawn before anything is written.

# %% [markdown] lang="fr"
# Le retour est plus fidèle que l'aller : c'est lui que la perte mesure, et le vrai contour, personne ne l'a jamais comparé à rien. Une
# minute d'entraînement n'aurait rien montré : ces poids ont demandé douze minutes.

# %% [markdown] lang="en"
# The return is more faithful than the way out: it is what the loss measures, and the true outline was never compared with anything. A
# minute of training would have shown nothing: these weights took twelve minutes.

# %% [markdown] lang="fr"
# ## 12. Ce que le cycle ne dit pas
#
# Le cycle rend-il la traduction **juste** ? Prenons les plus petites images qui soient : un seul pixel. Le style A, ce sont six couleurs
# vives ; le style B, six couleurs pâles, les mêmes teintes. La bonne traduction pâlit chaque couleur sans changer sa teinte. Nous
# entraînons trois fois les mêmes petits traducteurs, avec votre `cyclegan_step` :
#
# - sans cycle (poids 0) ;
# - avec le cycle (poids 10) ;
# - avec le cycle et l'identité (poids 10 et 5).
#
# **Devinez** : dans quels cas rendront-ils des couleurs pâles ? dans lesquels retrouveront-ils, au retour, celles de départ ? dans
# lesquels le rouge deviendra-t-il rose ?

# %% [markdown] lang="en"
# ## 12. What the cycle does not say
#
# Does the cycle make a translation **right**? Let us take the smallest pictures there are: a single pixel. Style A is six vivid colours;
# style B is six pale colours, of the same hues. The right translation makes each colour paler and keeps its hue. We train the same small
# translators three times, with your `cyclegan_step`:
#
# - without the cycle (weight 0);
# - with the cycle (weight 10);
# - with the cycle and the identity (weights 10 and 5).
#
# **Guess**: in which cases will they give pale colours? in which will they find, on the way back, those they set out from? in which will
# red become pink?

# %%
import colorsys

hues = [place / 6 for place in range(6)]
vivid = torch.tensor([colorsys.hsv_to_rgb(hue, 1, 0.9) for hue in hues]) * 2 - 1
pale = torch.tensor([colorsys.hsv_to_rgb(hue, 0.35, 1) for hue in hues]) * 2 - 1


def one_pixel_player(outputs, *last):
    # en: convolutions of 1 × 1: each pixel for itself
    # fr: des convolutions 1 × 1 : chaque pixel pour lui-même
    return nn.Sequential(nn.Conv2d(3, 64, 1), nn.LeakyReLU(0.2),
                         nn.Conv2d(64, outputs, 1), *last)

# %%
def colour_exchanger(cycle_weight, identity_weight):
    settings = CycleGANConfig(width=4, blocks=0, cycle_weight=cycle_weight,
                              identity_weight=identity_weight)
    model = CycleGAN(settings)
    model.to_a = one_pixel_player(3, nn.Tanh())
    model.to_b = one_pixel_player(3, nn.Tanh())
    model.judge_a = one_pixel_player(1, nn.Flatten(1, 2))
    model.judge_b = one_pixel_player(1, nn.Flatten(1, 2))
    return model

# %%
def exchange_colours(cycle_weight, identity_weight, seed=0):
    torch.manual_seed(seed)
    model = colour_exchanger(cycle_weight, identity_weight)
    generator = torch.Generator().manual_seed(seed)
    game = Exchange.start(model, generator, learning_rate=2e-3)

    def some_of(colours):
        chosen = colours[torch.randint(6, (32,), generator=generator)]
        shaken = chosen + 0.05 * torch.randn(32, 3, generator=generator)
        return shaken[:, :, None, None]

    for _ in range(240):
        cyclegan_step(game, some_of(vivid), some_of(pale))
    with torch.no_grad():
        there = model.to_b(vivid[:, :, None, None])
        return torch.stack([there, model.to_a(there)])[..., 0, 0]

# %%
def three_exchanges():
    settings = {"none": (0.0, 0.0), "cycle": (10.0, 0.0), "both": (10.0, 5.0)}
    return {name: exchange_colours(*weights) for name, weights in settings.items()}


exchanges = kept("colours", three_exchanges, patience=5)
case_names = dict(zip(exchanges, say("no cycle|cycle|cycle and identity",
                                     "sans cycle|cycle|cycle et identité").split("|")))
right_hues, lost = {}, {}
print(say("                    right hue  lost on return",
          "                    teintes justes  perdu au retour"))
for name, (there, back) in exchanges.items():
    nearest = torch.cdist(there, pale).argmin(dim=1)
    right_hues[name] = int((nearest == torch.arange(6)).sum())
    lost[name] = F.l1_loss(back, vivid).item()
    print(f"{case_names[name]:19} {right_hues[name]:6}/6",
          f"{decimal(lost[name], 2):>12}")

# %% claims=true
assert right_hues == {"none": 0, "cycle": 0, "both": 6}
assert lost["none"] > 0.5 and lost["cycle"] < 0.1 and lost["both"] < 0.1
for there, _ in exchanges.values():  # the style is right in all three
    # on average less than half the way to the next pale colour, which is 0.7 away
    assert torch.cdist(there, pale).amin(dim=1).mean() < 0.25

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 12. Bon style, mauvaise image
#
# Aller, puis retour. Lequel des trois a traduit juste ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 12. Right style, wrong picture
#
# There, then back. Which of the three has translated rightly?

# %% slide="fragment" tags=["hide-input"]
figure, panels = plot(1, 3, width=8.6, height=3.0)
columns = say("from|to|back", "départ|aller|retour").split("|")
for panel, (name, (there, back)) in zip(panels, exchanges.items()):
    swatches = torch.stack([vivid, there, back], dim=1)
    panel.imshow((swatches / 2 + 0.5).clamp(0, 1), aspect="auto")
    panel.set(title=case_names[name], yticks=[], xticks=range(3))
    panel.set_xticklabels(columns)
    panel.vlines([0.5, 1.5], -0.5, 5.5, color="white", linewidth=4)
picture(figure, say("Without the cycle, hues change and do not come back; with "
                    "it, they change and come back; with identity, each stays.",
                    "Sans cycle, les teintes changent et ne reviennent pas ; "
                    "avec, elles changent et reviennent ; avec l'identité, "
                    "elles restent."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 6 min. Faire voter colonne par colonne : le style est-il bon ? le retour ? la teinte ? Le cycle seul a fait tourner toutes les teintes,
# puis les a fait tourner en sens inverse : rien, dans sa perte, ne l'interdit. Demander ce qui a sauvé le troisième. (L'identité : une
# couleur pâle reste telle quelle.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 6 min. Have a vote column by column: is the style right? the return? the hue? The cycle alone has turned all hues round, then turned them
# back: nothing in its loss forbids it. Ask what saved the third. (The identity: a pale colour stays as it is.)

# %% [markdown] lang="fr"
# Les trois rendent des couleurs pâles : le juge y veille, et c'est **le bon style**. Sans cycle, le retour ne retrouve rien. Avec le
# cycle, le retour est presque parfait, **et pas une teinte n'est juste** : $G$ a fait tourner toutes les couleurs, $F$ les fait tourner en
# sens inverse. Le cycle demande que l'on puisse revenir, non que l'on soit allé au bon endroit ; un code secret aussi se déchiffre. C'est
# l'identité, ici, qui a mis chaque teinte à sa place. Dans nos scènes, c'est aussi la convolution : elle regarde autour d'elle, et dessine
# sur place.

# %% [markdown] lang="en"
# All three give pale colours: the judge sees to that, and it is **the right style**. Without the cycle the way back recovers nothing.
# With the cycle the return is nearly perfect, **and not one hue is right**: $G$ has turned all colours round, and $F$ turns them back. The
# cycle asks that one can come back, not that one has gone to the right place; a secret code can be deciphered too. Here it is the identity
# that put each hue in its place. In our scenes convolution does so as well: it looks at what is near, and draws on the spot.

# %% [markdown] lang="fr"
# ## 13. Ce qu'un cycle cache
#
# Il y a pire qu'une permutation. Si B ne peut pas contenir tout ce qu'il y avait dans A (une carte, à partir d'une photographie aérienne),
# comment revenir ? En **cachant** l'information dans des différences que personne ne voit. [](work:chu2017) l'ont découvert : leur
# CycleGAN retrouvait, au retour, chaque détail de toits pourtant absents de la carte. C'est de la **stéganographie**.
#
# Fabriquons un tricheur parfait, à la main : il « traduit » une image en gris, et garde un centième de la couleur.

# %% [markdown] lang="en"
# ## 13. What a cycle hides
#
# There is worse than a permutation. If B cannot hold all that there was in A (a map, made of an aerial photograph), how does one come
# back? By **hiding** information in differences that nobody sees. [](work:chu2017) discovered it: of roofs that were absent from the map,
# their CycleGAN found every detail again on the way back. It is **steganography**.
#
# Let us make a perfect cheat by hand: it "translates" a picture into grey, and keeps a hundredth of the colour.

# %%
def grey_with_a_secret(images, strength=0.01):
    grey = images.mean(dim=1, keepdim=True)
    return grey + strength * (images - grey)

# %% [markdown] lang="fr"
# Écrivez le retour, `find_again(hidden, strength=0.01)` : des images grises au secret, de forme (n, 3, h, w), rendez les couleurs de
# départ, de même forme.
#
# <details><summary>Un indice</summary>
#
# Ce qui est caché, `images - grey`, est de moyenne nulle sur les canaux : la moyenne de `hidden` est donc le gris lui-même.
#
# </details>
#
# <details><summary>Un deuxième indice</summary>
#
# `(hidden - grey) / strength` rend ce qui était caché ; il reste à ajouter le gris.
#
# </details>

# %% [markdown] lang="en"
# Write the way back, `find_again(hidden, strength=0.01)`: of grey pictures with a secret, of shape (n, 3, h, w), return the colours they
# came from, in the same shape.
#
# <details><summary>A hint</summary>
#
# What is hidden, `images - grey`, has mean zero over the channels: so the mean of `hidden` is the grey itself.
#
# </details>
#
# <details><summary>A second hint</summary>
#
# `(hidden - grey) / strength` gives back what was hidden; what is left is to add the grey.
#
# </details>

# %% level=2
def find_again(hidden, strength=0.01):
    grey = hidden.mean(dim=1, keepdim=True)
    return grey + (hidden - grey) / strength

# %% scratch=true
orange_pixel = torch.tensor([0.9, 0.3, -0.6])[None, :, None, None]
find_again(grey_with_a_secret(orange_pixel)).flatten().round(decimals=2)
# → tensor([ 0.9000, 0.3000, -0.6000])

# %%
def comes_back():
    some_colours = torch.linspace(-1, 1, 24).view(2, 3, 2, 2).flip(1)
    return find_again(grey_with_a_secret(some_colours, 0.5), 0.5)


expect(comes_back, torch.linspace(-1, 1, 24).view(2, 3, 2, 2).flip(1),
       say("the colours of two pictures of 2 × 2, hidden at strength 0.5",
           "les couleurs de deux images de 2 × 2, cachées avec la force 0,5"))

# %% [markdown] lang="fr"
# Le cycle est parfait, et la traduction, vide. Comment démasquer un tel secret ? Par **un peu de bruit** sur l'image du milieu : un secret
# minuscule y disparaît, une image honnête y survit. Faisons passer l'épreuve au tricheur et à la machine du début. **Devinez** laquelle
# des deux courbes montera tout droit.

# %% [markdown] lang="en"
# The cycle is perfect, and the translation is void. How is such a secret found out? By **a little noise** on the picture in the middle: a
# tiny secret drowns in it, an honest picture survives. Let us put the cheat and the machine of the beginning to the test. **Guess** which
# of the two curves will shoot up.

# %%
from dalle_edu.classroom.demos.cyclegan import hidden_in_the_lines

deviations = (0, 0.02, 0.05, 0.1, 0.2)
honest = [hidden_in_the_lines(exchanger, filled[:32], deviation)[1]
          for deviation in deviations]
cheat, secret = [], grey_with_a_secret(filled[:32])
for deviation in deviations:
    speckle = torch.randn(secret.shape, generator=torch.Generator().manual_seed(0))
    between = secret + deviation * speckle
    # en: find_again, then clipped: a hundred times as far from grey
    # fr: find_again, puis borné : cent fois plus loin du gris
    grey = between.mean(dim=1, keepdim=True).expand_as(between)
    found = torch.lerp(grey, between, 100.0).clamp(-1, 1)
    cheat.append(F.l1_loss(found, filled[:32]).item())
print(say("noise     ", "bruit     "), *(f"{decimal(each, 2):>6}" for each in deviations))
print(say("CycleGAN  ", "CycleGAN  "), *(f"{decimal(each, 3):>6}" for each in honest))
print(say("cheat     ", "tricheur  "), *(f"{decimal(each, 3):>6}" for each in cheat))

# %% claims=true
assert cheat[0] < 1e-3 < honest[0]
assert cheat[1] > 20 * honest[1]
assert honest[2] < 1.2 * honest[0]  # what it says is not hidden in the last decimals

# %% [markdown] lang="fr" slide="slide" slide_only=true
# ## 13. Un peu de bruit sur l'image du milieu
#
# Qui cachait quelque chose ?

# %% [markdown] lang="en" slide="slide" slide_only=true
# ## 13. A little noise on the picture in the middle
#
# Who was hiding something?

# %% slide="fragment" tags=["hide-input"]
figure, axes = plot(width=7, height=3.2)
axes.plot(deviations, cheat, "s--", color=BLACK, label=say("cheat", "tricheur"))
axes.plot(deviations, honest, "o-", color=BLUE, label="CycleGAN")
axes.set(xlabel=say("deviation of the noise", "écart type du bruit"), ylim=(-0.03, 1))
axes.set_ylabel(say("error on return", "erreur au retour"))
legend(axes, loc="center right")
picture(figure, say("With no noise both come back; with a little, the cheat's "
                    "error shoots up, the CycleGAN's hardly moves.",
                    "Sans bruit, les deux reviennent ; avec un peu, l'erreur "
                    "du tricheur bondit, celle du CycleGAN bouge à peine."))

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 5 min. Faire deviner le secret : une image grise, un retour en couleur. Puis le bruit : demander pourquoi il suffit de si peu. (Le secret
# est multiplié par cent au retour, et le bruit avec lui.) Notre CycleGAN passe l'épreuve : ses contours portent leur couleur au grand
# jour. Celui de 2017 ne la passait pas.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 5 min. Let them guess the secret: a grey picture, a return in colour. Then the noise: ask why so little is enough. (The secret is
# multiplied by a hundred on the way back, and the noise with it.) Our CycleGAN passes the test: its outlines carry their colour in plain
# sight. That of 2017 did not.

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="exercises 21"
# ### Exercice 21 · Le tricheur
#
# **8 min.**
#
# - **21** ●● `find_again` : retrouver la couleur dans le gris.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="exercises 21"
# ### Exercise 21 · The cheat
#
# **8 min.**
#
# - **21** ●● `find_again`: find the colour in the grey.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 8 min. Faire calculer un pixel au tableau : 0,9, 0,3 et −0,6, de moyenne 0,2 ; le secret est 0,007, 0,001 et −0,008. Demander ce qu'un
# écran de 256 niveaux en garderait. (Presque rien : son pas est de 0,008 environ. La quantification aussi efface les secrets.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 8 min. Have one pixel worked out on the board: 0.9, 0.3 and −0.6, whose mean is 0.2; the secret is 0.007, 0.001 and −0.008. Ask what a
# screen of 256 levels would keep of it. (Hardly anything: its step is about 0.008. Quantisation wipes out secrets too.)

# %% [markdown] lang="fr"
# Le tricheur s'effondre au premier grain de bruit. Notre CycleGAN y est presque insensible : dans ces deux styles, le contour garde la
# couleur et la forme, et il n'y a presque rien à cacher. Ce n'est pas une loi : c'est une mesure, à refaire pour chaque machine. Une perte
# qui vaut zéro dit que la perte vaut zéro, rien de plus.

# %% [markdown] lang="en"
# The cheat collapses at the first grain of noise. Our CycleGAN hardly feels it: in these two styles the outline keeps colour and shape,
# and there is hardly anything to hide. That is no law: it is a measurement, to be made again for each machine. A loss of zero says that
# the loss is zero, and nothing more.

# %% [markdown] lang="fr"
# ## 14. Quelle erreur est-ce ?
#
# Voici une perte du discriminateur écrite par quelqu'un d'autre. Elle est fausse. **Avant de lancer la cellule**, écrivez ce qu'une bonne
# version répondrait à trois cas : un logit de 0 pour la vraie et pour la fausse ; 200 pour la vraie et $-200$ pour la fausse ; l'inverse.

# %% [markdown] lang="en"
# ## 14. Which mistake is this?
#
# Here is a discriminator's loss that somebody else wrote. It is wrong. **Before you run the cell**, write down what a good version would
# answer in three cases: a logit of 0 for the real and for the fake one; 200 for the real and $-200$ for the fake; the other way round.

# %%
from dalle_edu.classroom.suspect import suspect

mystery, question = suspect("gan:discriminator_loss", "sigmoid_twice")
answers_of_mystery = []
for real_logit, fake_logit in ((0.0, 0.0), (200.0, -200.0), (-200.0, 200.0)):
    loss = mystery(torch.tensor([real_logit]), torch.tensor([fake_logit])).item()
    answers_of_mystery.append(loss)
    print(say(f"real {real_logit:4.0f}, fake {fake_logit:4.0f}:",
              f"vraie {real_logit:4.0f}, fausse {fake_logit:4.0f} :"), decimal(loss, 2))

# %% claims=true
assert [round(loss, 2) for loss in answers_of_mystery] == [1.45, 1.01, 2.01]

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 14. Quelle erreur est-ce ?
#
# Une perte de $D$ qui est fausse.
#
# | logit vrai | logit faux | elle répond |
# |---|---|---|
# | 0 | 0 | 1,45 |
# | 200 | −200 | 1,01 |
# | −200 | 200 | 2,01 |

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz mystery"
# ## 14. Which mistake is this?
#
# A loss of $D$ that is wrong.
#
# | real logit | fake logit | it answers |
# |---|---|---|
# | 0 | 0 | 1.45 |
# | 200 | −200 | 1.01 |
# | −200 | 200 | 2.01 |

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 4 min. Deux minutes par deux, puis un vote. Une bonne version répondrait 1,39, 0 et 400. Celle-ci ne dépasse jamais 2,1 et ne descend
# jamais sous 1 : quelque chose écrase les logits avant la perte. Demander ce qui arrive au gradient. (Il est faible partout.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 4 min. Two minutes in pairs, then a vote. A good version would answer 1.39, 0 and 400. This one never exceeds 2.1 and never goes below 1:
# something squashes the logits before the loss. Ask what happens to the gradient. (It is weak everywhere.)

# %% quiz="mystery"
quiz(question)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="quiz adversaries"
# ## 15. Dix questions
#
# **9 min.** Répondez seul, puis comparez à deux.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="quiz adversaries"
# ## 15. Ten questions
#
# **9 min.** Answer alone, then compare in pairs.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 9 min. Quatre minutes seul, dans le notebook ; puis à main levée. S'arrêter là où la moitié de la salle se trompe. Refaire au tableau le
# meilleur juge et la divergence. Que chacun note la question qu'il a manquée.

# %% [markdown] lang="en" slide="notes" slide_only=true
# 9 min. Four minutes alone, in the notebook; then by show of hands. Stop where half the room is wrong. The best judge and the divergence
# are worked out again on the board. Let everyone note the question they missed.

# %% [markdown] lang="fr"
# ## 15. Questions

# %% [markdown] lang="en"
# ## 15. Questions

# %% quiz="adversaries"
quiz(
    Number(
        say("An outcome has probability 0.3 among real pictures and 0.1 among fakes. What does the best discriminator say?",
            "Une issue a la probabilité 0,3 chez les vraies images et 0,1 chez les fausses. Que dit le meilleur discriminateur ?"),
        right=0.75,
        why=say("0.3 / (0.3 + 0.1).", "0,3 / (0,3 + 0,1)."),
        computed=lambda: 0.3 / (0.3 + 0.1),
        near_misses={0.25: say("That is the share of fakes.", "C'est la part des fausses."),
                     3.0: say("That is the ratio of the two; a probability is at most 1.", "C'est le rapport des deux ; une probabilité vaut 1 au plus.")},
    ),
    Number(
        say("D answers 1/2 to everything. What is the value V, in nats, to two decimals?",
            "D répond 1/2 à tout. Que vaut V, en nats, à deux décimales ?"),
        right=-1.386,
        why=say("log 1/2 + log 1/2 = −log 4.", "log 1/2 + log 1/2 = −log 4."),
        computed=lambda: 2 * math.log(0.5),
        tolerance=0.01,
        decimals=2,
        near_misses={-0.69: say("That is one of the two terms.", "C'est un seul des deux termes.")},
    ),
    Number(
        say("Real and fake share no outcome. What is their Jensen-Shannon divergence, in nats, to two decimals?",
            "Vraies et fausses n'ont aucune issue en commun. Que vaut leur divergence de Jensen-Shannon, en nats, à deux décimales ?"),
        right=0.693,
        why=say("To know from which of the two an outcome comes is worth a toss of a coin: log 2.",
                "Savoir de laquelle des deux vient une issue vaut un pile ou face : log 2."),
        computed=lambda: math.log(2),
        tolerance=0.01,
        decimals=2,
    ),
    Number(
        say("D gives a fake 0.01. How hard does the saturating loss, log(1 − D), pull on its logit?",
            "D donne 0,01 à un faux. De combien la perte qui sature, log(1 − D), tire-t-elle sur son logit ?"),
        right=0.01,
        why=say("The size of its gradient is D itself.", "La taille de son gradient est D lui-même."),
        computed=lambda: 1 / (1 + math.exp(math.log(0.99 / 0.01))),
        near_misses={0.99: say("That is the other loss, −log D.", "C'est l'autre perte, −log D.")},
    ),
    Choice(
        say("The loss of D falls to 0 and stays there. This means that", "La perte de D tombe à 0 et y reste. Cela veut dire que"),
        [say("training has succeeded", "l'entraînement a réussi"),
         say("the fakes equal the real ones", "les faux égalent les vrais"),
         say("G hardly learns anything any more", "G n'apprend presque plus rien")],
        right=2,
        why=say("A judge who is never wrong gives next to no gradient: slow it down, or weaken it.",
                "Un juge qui ne se trompe jamais ne donne presque pas de gradient : ralentissez-le, ou affaiblissez-le."),
        why_not=[
            say("Two players: what one gains the other loses.", "Deux joueurs : ce que l'un gagne, l'autre le perd."),
            say("Then D could only answer 1/2, at a loss of log 4.", "Alors D ne pourrait répondre que 1/2, pour une perte de log 4."),
        ],
    ),
    Choice(
        say("In the step of D, the fakes are computed without gradient because", "Dans le pas de D, les faux sont calculés sans gradient parce que"),
        [say("the loss of D would teach G to be found out", "la perte de D apprendrait à G à se faire prendre"),
         say("D does not use the fakes", "D n'emploie pas les faux"),
         say("noise has no gradient", "le bruit n'a pas de gradient")],
        right=0,
        why=say("It wants fakes recognised; G wants the opposite, and has its own step.",
                "Elle veut que les faux soient reconnus ; G veut le contraire, et a son propre pas."),
        why_not=[
            say("Half of its loss is about them.", "La moitié de sa perte porte sur eux."),
            say("G's weights have one, and they stand between noise and picture.", "Les poids de G en ont un, et ils sont entre le bruit et l'image."),
        ],
    ),
    Number(
        say("A generator draws three digits only, equally often. What is the entropy of its classes, in nats, to two decimals?",
            "Un générateur ne dessine que trois chiffres, aussi souvent l'un que l'autre. Quelle est l'entropie de ses classes, en nats, à deux décimales ?"),
        right=1.0986,
        why=say("log 3.", "log 3."),
        computed=lambda: math.log(3),
        tolerance=0.01,
        decimals=2,
        near_misses={1.58: say("That is in bits.", "C'est en bits.")},
    ),
    Number(
        say("How many pixels on a side has a patch of a PatchGAN with two convolutions of stride 2, then two of stride 1, all of 4 × 4?",
            "Combien de pixels de côté a le morceau d'un PatchGAN de deux convolutions de pas 2, puis deux de pas 1, toutes de 4 × 4 ?"),
        right=34,
        why=say("From the end: 4, 7, then 2 × 6 + 4 = 16, then 2 × 15 + 4 = 34.", "Depuis la fin : 4, 7, puis 2 × 6 + 4 = 16, puis 2 × 15 + 4 = 34."),
        computed=lambda: 2 * (2 * (4 + 3 - 1) + 4 - 1) + 4,
        near_misses={16: say("That is with one convolution of stride 2.", "C'est avec une seule convolution de pas 2.")},
    ),
    Choice(
        say("A CycleGAN is trained with cycle weight 0. Its fakes", "Un CycleGAN est entraîné avec un poids de cycle de 0. Ses faux"),
        [say("have the wrong style", "ont un mauvais style"),
         say("have the right style, and may show any picture", "ont le bon style, et peuvent montrer n'importe quelle image"),
         say("are copies of what it was given", "sont des copies de ce qu'il reçoit")],
        right=1,
        why=say("The judge looks at the style alone; nothing ties a fake to its source.",
                "Le juge ne regarde que le style ; rien n'attache un faux à sa source."),
        why_not=[
            say("The style is the judge's business, and the judge is still there.", "Le style est l'affaire du juge, et le juge est toujours là."),
            say("A copy has the wrong style, and the judge would see it.", "Une copie a le mauvais style, et le juge le verrait."),
        ],
    ),
    Choice(
        say("What sets diffusion apart from a GAN is that it", "Ce qui distingue la diffusion d'un GAN, c'est qu'elle"),
        [say("is a GAN with more layers", "est un GAN avec plus de couches"),
         say("has two discriminators", "a deux discriminateurs"),
         say("has no adversary: it learns by regression, and draws in many steps",
             "n'a pas d'adversaire : elle apprend par régression, et dessine en beaucoup de pas")],
        right=2,
        why=say("Its loss is the error of a predicted noise; nobody plays against it.",
                "Sa perte est l'erreur d'un bruit prédit ; personne ne joue contre elle."),
        why_not=[
            say("It is another method, whatever the number of layers.", "C'est une autre méthode, quel que soit le nombre de couches."),
            say("That is CycleGAN.", "C'est CycleGAN."),
        ],
    ),
)

# %% [markdown] lang="fr" slide="slide" slide_only=true slide_for="closing"
# ## À retenir
#
# - Le meilleur juge : p / (p + q).
# - Même but, deux pertes : l'une s'éteint.
# - Les pertes ne disent rien ; comptez les modes.
# - Un juge par morceaux rend net, non vrai.
# - Revenir n'est pas avoir traduit juste.

# %% [markdown] lang="en" slide="slide" slide_only=true slide_for="closing"
# ## Take-aways
#
# - The best judge: p / (p + q).
# - One aim, two losses: one of them dies away.
# - Losses tell nothing; count the modes.
# - A judge of patches makes sharp, not true.
# - To come back is not to have translated rightly.

# %% [markdown] lang="fr" slide="notes" slide_only=true
# 3 min. Demander à chacun la phrase qu'il emporte. Pour la prochaine fois : finir les exercices 12, 14, 19 et 20. La leçon 10 dessine sans
# adversaire : elle ajoute du bruit, et apprend à l'ôter. Demander ce qu'elle y gagnera, et ce qu'elle y perdra. (La stabilité ; la
# vitesse.)

# %% [markdown] lang="en" slide="notes" slide_only=true
# 3 min. Ask everyone for the sentence they take home. For next time: finish exercises 12, 14, 19 and 20. Lesson 10 draws without an
# adversary: it adds noise, and learns to take it out. Ask what it will gain, and what it will lose. (Stability; speed.)

# %% [markdown] lang="fr"
# ## À retenir
#
# - Un GAN ne compare pas de pixels : sa perte est un autre réseau, qui apprend aussi.
# - Le meilleur juge répond $p / (p + q)$ ; contre lui, $G$ ne peut faire baisser que la divergence de Jensen-Shannon.
# - Le min–max et la pratique ont le même but et d'autres gradients : $\log\,(1 - D)$ s'éteint là où $D$ est sûr de lui.
# - Les pertes ne disent pas où en est le jeu. Regardez les images, et comptez les modes.
# - Un discriminateur par morceaux rend nets les bords ; la netteté n'est pas la vérité, et un juge n'est pas une mesure de qualité.
# - VQGAN est un codec ; un second étage, un transformeur, écrit ses codes.
# - Le cycle demande de pouvoir revenir. Il n'interdit ni de permuter, ni de cacher.

# %% [markdown] lang="en"
# ## Take-aways
#
# - A GAN compares no pixels: its loss is another network, which learns too.
# - The best judge answers $p / (p + q)$; against it, all that $G$ can lower is the Jensen-Shannon divergence.
# - The min–max and practice have the same aim but different gradients: $\log\,(1 - D)$ dies away where $D$ is sure.
# - The losses do not tell how the game stands. Look at the pictures, and count the modes.
# - A patch discriminator makes edges sharp; sharpness is not truth, and a judge is no measure of quality.
# - VQGAN is a codec; a second stage, a transformer, writes its codes.
# - The cycle asks that one can come back. It forbids neither to permute nor to hide.

# %% [markdown] lang="fr"
# ## Pour continuer
#
# La [](lesson:10) dessine sans adversaire, par beaucoup de petits pas. La [](lesson:12) présente un autre juge, CLIP, et fait dessiner
# VQGAN sous sa conduite ; la [](lesson:13) met un BART à l'étage du dessus. D'ici là, reprenez la [](#algorithm-1) et donnez à l'experte
# $k = 5$ pas par tour : que deviennent les chiffres, à temps égal ?
#
# ## Sources
#
# - I. Goodfellow et al., [*Generative adversarial nets*](work:goodfellow2014), 2014 ; A. Radford, L. Metz et S. Chintala, [*Unsupervised
#   representation learning with deep convolutional generative adversarial networks*](work:radford2016), 2016.
# - M. Mirza et S. Osindero, [*Conditional generative adversarial nets*](work:mirza2014), 2014 ; T. Miyato et M. Koyama, [*cGANs with
#   projection discriminator*](work:miyato2018a), 2018.
# - M.-Y. Liu et O. Tuzel, [*Coupled generative adversarial networks*](work:liu2016), 2016 ; T. Karras et al., [*Progressive growing of
#   GANs*](work:karras2018), 2018 ; T. Karras, S. Laine et T. Aila, [*A style-based generator architecture*](work:karras2019), 2019.
# - P. Isola et al., [*Image-to-image translation with conditional adversarial networks*](work:isola2017), 2017 ; J. H. Lim et J. C. Ye,
#   [*Geometric GAN*](work:lim2017), 2017 ; R. Zhang et al., [*The unreasonable effectiveness of deep features as a perceptual
#   metric*](work:zhang2018), 2018.
# - P. Esser, R. Rombach et B. Ommer, [*Taming transformers for high-resolution image synthesis*](work:esser2021), 2021 ; K. Crowson et al.,
#   [*VQGAN-CLIP: open domain image generation and editing with natural language guidance*](work:crowson2022), 2022.
# - P. Dhariwal et A. Nichol, [*Diffusion models beat GANs on image synthesis*](work:dhariwal2021), 2021 ; R. Rombach et al.,
#   [*High-resolution image synthesis with latent diffusion models*](work:rombach2022), 2022 ; A. Sauer et al., [*Adversarial diffusion
#   distillation*](work:sauer2024), 2024.
# - J.-Y. Zhu et al., [*Unpaired image-to-image translation using cycle-consistent adversarial networks*](work:zhu2017), 2017 ; X. Mao et
#   al., [*Least squares generative adversarial networks*](work:mao2017), 2017 ; C. Chu, A. Zhmoginov et M. Sandler, [*CycleGAN, a master
#   of steganography*](work:chu2017), 2017 ; A. Shrivastava et al., [*Learning from simulated and unsupervised images through adversarial
#   training*](work:shrivastava2017), 2017.

# %% [markdown] lang="en"
# ## Reading on
#
# [](lesson:10) draws without an adversary, in many small steps. [](lesson:12) presents another judge, CLIP, and lets VQGAN draw under its
# guidance; [](lesson:13) puts a BART in the second stage. Until then, go back to [](#algorithm-1) and give the expert $k = 5$ steps a
# round: what becomes of the digits, at equal time?
#
# ## Sources
#
# - I. Goodfellow and others, [*Generative adversarial nets*](work:goodfellow2014), 2014; A. Radford, L. Metz and S. Chintala,
#   [*Unsupervised representation learning with deep convolutional generative adversarial networks*](work:radford2016), 2016.
# - M. Mirza and S. Osindero, [*Conditional generative adversarial nets*](work:mirza2014), 2014; T. Miyato and M. Koyama, [*cGANs with
#   projection discriminator*](work:miyato2018a), 2018.
# - M.-Y. Liu and O. Tuzel, [*Coupled generative adversarial networks*](work:liu2016), 2016; T. Karras and others, [*Progressive growing of
#   GANs*](work:karras2018), 2018; T. Karras, S. Laine and T. Aila, [*A style-based generator architecture*](work:karras2019), 2019.
# - P. Isola and others, [*Image-to-image translation with conditional adversarial networks*](work:isola2017), 2017; J. H. Lim and J. C.
#   Ye, [*Geometric GAN*](work:lim2017), 2017; R. Zhang and others, [*The unreasonable effectiveness of deep features as a perceptual
#   metric*](work:zhang2018), 2018.
# - P. Esser, R. Rombach and B. Ommer, [*Taming transformers for high-resolution image synthesis*](work:esser2021), 2021; K. Crowson and others,
#   [*VQGAN-CLIP: open domain image generation and editing with natural language guidance*](work:crowson2022), 2022.
# - P. Dhariwal and A. Nichol, [*Diffusion models beat GANs on image synthesis*](work:dhariwal2021), 2021; R. Rombach and others,
#   [*High-resolution image synthesis with latent diffusion models*](work:rombach2022), 2022; A. Sauer and others, [*Adversarial diffusion
#   distillation*](work:sauer2024), 2024.
# - J.-Y. Zhu and others, [*Unpaired image-to-image translation using cycle-consistent adversarial networks*](work:zhu2017), 2017; X. Mao
#   and others, [*Least squares generative adversarial networks*](work:mao2017), 2017; C. Chu, A. Zhmoginov and M. Sandler, [*CycleGAN, a
#   master of steganography*](work:chu2017), 2017; A. Shrivastava and others, [*Learning from simulated and unsupervised images through
#   adversarial training*](work:shrivastava2017), 2017.
