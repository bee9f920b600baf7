"""Mistakes about codebooks; the second was published, and kept for years so that old weights would still load."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.codebook import VectorQuantizer, codes_alive
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.classroom.mistakes.vae import PARTS_ATTACHED


def largest_product(vectors: Tensor, codebook: Tensor) -> Tensor:
    return (vectors @ codebook.T).argmax(dim=-1)


def farthest_code(vectors: Tensor, codebook: Tensor) -> Tensor:
    return (codebook.square().sum(dim=-1) - 2 * vectors @ codebook.T).argmax(dim=-1)


def beta_on_the_other_term(vectors: Tensor, quantized: Tensor, beta: float = 0.25) -> tuple[Tensor, Tensor]:
    return beta * F.mse_loss(quantized, vectors.detach()), F.mse_loss(vectors, quantized.detach())


def nothing_detached(vectors: Tensor, quantized: Tensor, beta: float = 0.25) -> tuple[Tensor, Tensor]:
    return F.mse_loss(quantized, vectors), beta * F.mse_loss(vectors, quantized)


def gradient_cut(vectors: Tensor, quantized: Tensor) -> Tensor:
    return quantized.detach()


def gradient_to_the_codes(vectors: Tensor, quantized: Tensor) -> Tensor:
    return quantized + (vectors - vectors.detach())


def mean_over_pictures(codes: Tensor, num_codes: int) -> tuple[Tensor, Tensor]:
    each = [codes_alive(picture.unsqueeze(0), num_codes) for picture in codes]
    return torch.stack([alive for alive, _ in each]).mean(), torch.stack([perplexity for _, perplexity in each]).mean()


def perplexity_of_each_picture(codes: Tensor, num_codes: int) -> tuple[Tensor, Tensor]:
    return codes_alive(codes, num_codes)[0], mean_over_pictures(codes, num_codes)[1]


def zero_times_infinity(codes: Tensor, num_codes: int) -> tuple[Tensor, Tensor]:
    counts = torch.bincount(codes.flatten(), minlength=num_codes).float()
    frequencies = counts / counts.sum()
    return (counts > 0).float().sum(), (-frequencies * frequencies.log()).sum().exp()


class MeanOfTheLastBatch(VectorQuantizer):
    def follow(self, vectors: Tensor, codes: Tensor, decay: float) -> None:
        chosen = F.one_hot(codes, self.num_codes).to(vectors.dtype)
        counts = chosen.sum(dim=0).clamp(min=1)
        with torch.no_grad():
            self.codebook.copy_(chosen.T @ vectors / counts.unsqueeze(1))


class SumsNotDivided(VectorQuantizer):
    def follow(self, vectors: Tensor, codes: Tensor, decay: float) -> None:
        chosen = F.one_hot(codes, self.num_codes).to(vectors.dtype)
        with torch.no_grad():
            self.sums.lerp_(chosen.T @ vectors, 1 - decay)
            self.codebook.copy_(self.sums)


MISTAKES = [
    Mistake(
        "codebook:nearest_code",
        largest_product,
        "The largest product is not the nearest code: long codes win everywhere; subtract half of each code's squared norm.",
        "Le plus grand produit n'est pas le code le plus proche : les codes longs gagnent ; retranchez la moitié de leur norme au carré.",
    ),
    Mistake(
        "codebook:nearest_code",
        farthest_code,
        "The argmax of a distance finds the farthest code; take its argmin.",
        "L'argmax d'une distance trouve le code le plus lointain ; prenez l'argmin.",
    ),
    Mistake(
        "codebook:vq_losses",
        beta_on_the_other_term,
        "Beta weighs the codebook loss instead of the commitment loss: it belongs on the term whose code is detached.",
        "Bêta pèse sur la perte du dictionnaire au lieu de celle d'engagement : il va sur le terme dont le code est détaché.",
    ),
    Mistake(
        "codebook:vq_losses",
        nothing_detached,
        "Nothing is detached, so both terms pull on both sides and beta no longer separates them; each term moves one side only.",
        "Rien n'est détaché : les deux termes tirent des deux côtés et bêta ne les sépare plus ; chaque terme ne déplace qu'un côté.",
    ),
    Mistake(
        "codebook:straight_through",
        gradient_cut,
        "The gradient stops at the codes and the encoder never learns from the picture; add vectors - vectors.detach().",
        "Le gradient s'arrête aux codes et l'encodeur n'apprend rien de l'image ; ajoutez vectors - vectors.detach().",
    ),
    Mistake(
        "codebook:straight_through",
        gradient_to_the_codes,
        "The gradient goes to the codes as well as to the vectors; detach the codes, they have a loss of their own.",
        "Le gradient va aux codes autant qu'aux vecteurs ; détachez les codes, ils ont leur propre perte.",
    ),
    Mistake(
        "codebook:VectorQuantizer",
        MeanOfTheLastBatch,
        "Each code is the mean of the last batch alone, and codes that nobody chose fall to zero; keep running counts and sums.",
        "Chaque code est la moyenne du seul dernier lot, et les non choisis tombent à 0 ; gardez des comptes et des sommes glissants.",
    ),
    Mistake(
        "codebook:VectorQuantizer",
        SumsNotDivided,
        "The running sums are not divided by the running counts, so popular codes run away; divide them.",
        "Les sommes glissantes ne sont pas divisées par les comptes : les codes populaires s'envolent ; divisez-les.",
    ),
    edited(
        "codebook:nearest_code",
        "- 2 * vectors",
        "- vectors",
        "The product v·c is subtracted once; |v - c|² has it twice: |c|² - 2 v·c.",
        "Le produit v·c est retranché une fois ; |v - c|² l'a deux fois : |c|² - 2 v·c.",
    ),
    edited(
        "codebook:nearest_code",
        "codebook.square().sum(dim=-1)",
        "codebook.norm(dim=-1)",
        "The length of a code stands where its square belongs, and long codes are too near; |v - c|² has |c|².",
        "La longueur d'un code tient la place de son carré, et les codes longs sont trop proches ; |v - c|² a |c|².",
    ),
    edited(
        "codebook:straight_through",
        "vectors + (quantized - vectors).detach()",
        "quantized + (vectors - quantized).detach()",
        "The roles are exchanged: the values are the vectors', the gradient goes to the codes; start from the vectors.",
        "Les rôles sont échangés : les valeurs sont celles des vecteurs, le gradient va aux codes ; partez des vecteurs.",
    ),
    edited(
        "codebook:vq_losses",
        "F.mse_loss(quantized, vectors.detach())",
        'F.mse_loss(quantized, vectors.detach(), reduction="sum")',
        "F.mse_loss(vectors, quantized.detach())",
        'F.mse_loss(vectors, quantized.detach(), reduction="sum")',
        "The squared differences are added up, so that both losses grow with the batch; take their mean over all entries.",
        "Les différences au carré sont ajoutées : les deux pertes grandissent avec le lot ; prenez leur moyenne sur tous les nombres.",
    ),
    edited(
        "codebook:vq_losses",
        "return codebook_loss, commitment",
        "return commitment, codebook_loss",
        "The two losses come in the wrong order: the codebook loss first, then the commitment loss, which has beta.",
        "Les deux pertes sont dans le mauvais ordre : celle du dictionnaire d'abord, puis celle d'engagement, qui a bêta.",
    ),
    edited(
        "codebook:codes_alive",
        ".sum().exp()",
        ".sum()",
        "This is the entropy; the perplexity is its exponential, a number of codes.",
        "C'est l'entropie ; la perplexité en est l'exponentielle, un nombre de codes.",
    ),
    edited(
        "codebook:codes_alive",
        "perplexity = torch.special.entr(frequencies).sum().exp()",
        "perplexity = torch.special.entr(frequencies).sum().exp2()",
        "The entropy is in nats and the power is one of 2; an entropy of natural logarithms goes with `exp`.",
        "L'entropie est en nats, et la puissance est de 2 ; une entropie de logarithmes naturels va avec `exp`.",
    ),
    Mistake(
        "codebook:codes_alive",
        mean_over_pictures,
        "Each picture is counted alone and the results are averaged; count the codes of the whole batch together.",
        "Chaque image est comptée à part, puis les résultats sont moyennés ; comptez ensemble les codes de tout le lot.",
    ),
    Mistake(
        "codebook:codes_alive",
        zero_times_infinity,
        "For a code that does not occur, 0 × log 0 is not a number; it adds 0 to the entropy: use `torch.special.entr`.",
        "Pour un code absent, 0 × log 0 n'est pas un nombre ; il ajoute 0 à l'entropie : employez `torch.special.entr`.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "1 - decay",
        "decay",
        "The shares are exchanged: the moving average keeps 1 - decay of itself; with `lerp_`, the batch's share is 1 - decay.",
        "Les parts sont échangées : la moyenne glissante garde 1 - decay d'elle-même ; dans `lerp_`, la part du lot est 1 - decay.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "if self.training and self.decay is not None",
        "if self.decay is not None",
        "The codebook follows the vectors in eval mode too: pictures that are only looked at change it; test `self.training`.",
        "Le dictionnaire suit les vecteurs même en mode eval : des images qu'on regarde seulement le changent ; testez `self.training`.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "rearrange(straight_through(last, quantized)",
        "rearrange(quantized",
        "The codes are handed on as they are, and no gradient comes back to the vectors; use `straight_through`.",
        "Les codes sont transmis tels quels, et aucun gradient ne revient aux vecteurs ; employez `straight_through`.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "        self.sums.copy_(torch.where(rows, replacements, self.sums))\n",
        "",
        "A revived code keeps its old sums, and the next batch puts it back where it was; set its row of `sums` too.",
        "Un code ranimé garde ses anciennes sommes, et le lot suivant le remet où il était ; changez aussi sa ligne de `sums`.",
    ),
    edited(
        "codebook:VQVAE",
        "reconstruction.detach()",
        "reconstruction",
        *PARTS_ATTACHED,
    ),
    edited(
        "codebook:VQVAE",
        "reconstruction + quantized.loss",
        "reconstruction",
        "The quantiser's part of the loss is missing, and nothing keeps the vectors near their codes; add `quantized.loss`.",
        "La part du quantificateur manque à la perte, et rien ne retient les vecteurs près de leurs codes ; ajoutez `quantized.loss`.",
    ),
    edited(
        "codebook:VQVAE",
        " + F.l1_loss(painted, images)",
        "",
        "The reconstruction lacks the mean absolute error; add it to the mean squared error.",
        "Il manque à la reconstruction l'erreur absolue moyenne ; ajoutez-la à l'erreur au carré moyenne.",
    ),
    edited(
        "codebook:VQVAE",
        "self.decoder(quantized.vectors)",
        "self.decode(quantized.codes)",
        "The pictures are decoded from bare codes, and no gradient comes back to the encoder; decode `quantized.vectors`.",
        "Les images sont décodées des codes nus, et aucun gradient ne revient à l'encodeur ; décodez `quantized.vectors`.",
    ),
    edited(
        "codebook:VQVAE",
        "painted = self.decoder(quantized.vectors)",
        "painted = self.decoder(self.encoder(images))",
        "The decoder sees the encoder's vectors and never the codes; decode `quantized.vectors`.",
        "Le décodeur voit les vecteurs de l'encodeur, jamais les codes ; décodez `quantized.vectors`.",
    ),
    edited(
        "codebook:nearest_code",
        "return (codebook",
        "return codebook[(codebook",
        ".argmin(dim=-1)",
        ".argmin(dim=-1)]",
        "The nearest codes themselves come back; their numbers are asked for, which `argmin` gives.",
        "Ce sont les codes les plus proches qui sont rendus ; il faut leurs numéros, que donne `argmin`.",
    ),
    edited(
        "codebook:codes_alive",
        ".sum().exp()",
        ".sum().div(torch.tensor(2.0).log()).exp()",
        "The entropy is in bits and the power is one of e; an entropy of logarithms to base 2 goes with a power of 2.",
        "L'entropie est en bits, et la puissance est de e ; une entropie de logarithmes en base 2 va avec une puissance de 2.",
    ),
    Mistake(
        "codebook:codes_alive",
        perplexity_of_each_picture,
        "The perplexity is that of each picture alone, then averaged, and cannot see that pictures differ; count the whole batch.",
        "La perplexité est celle de chaque image à part, puis moyennée : elle ignore que les images diffèrent ; comptez tout le lot.",
    ),
    edited(
        "codebook:VectorQuantizer",
        'rearrange(vectors, "n d h w -> n h w d").float()',
        "vectors.reshape(len(vectors), *vectors.shape[2:], vectors.shape[1]).float()",
        'rearrange(straight_through(last, quantized), "n h w d -> n d h w")',
        "straight_through(last, quantized).reshape(vectors.shape)",
        "Memory is cut up, no axis is moved: with `reshape` a vector mixes several positions; put the channels last, with `rearrange`.",
        "Aucun axe ne bouge : par `reshape`, un vecteur mêle plusieurs positions ; mettez les canaux à la fin, par `rearrange`.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "self.counts.lerp_(chosen.sum(dim=0), 1 - decay)",
        "self.counts.mul_(decay)\n        self.counts[codes] += 1 - decay",
        "self.sums.lerp_(chosen.T @ vectors, 1 - decay)",
        "self.sums.mul_(decay)\n            self.sums[codes] += (1 - decay) * vectors",
        "Of the vectors that chose one code only one is added: `a[codes] += b` writes each place once; use one-hot rows, or `index_add_`.",
        "Des vecteurs qui ont choisi un code, un seul est ajouté : `a[codes] += b` n'écrit qu'une fois par place ; prenez `index_add_`.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "chosen.T @ vectors",
        "(chosen.T @ vectors / chosen.sum(dim=0).clamp(min=1).unsqueeze(1))",
        "The running sums take in the mean of a code's vectors, then are divided by the count again; take in their sum.",
        "Les sommes glissantes reçoivent la moyenne des vecteurs d'un code, puis sont divisées par le compte ; donnez-leur la somme.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "replacements = flat[picked]",
        "replacements = flat[picked[:1]].expand_as(self.codebook)",
        "All rare codes move onto one vector, where they stay twins: only the first is ever the nearest; sample a vector for each.",
        "Tous les codes rares vont sur un même vecteur, et restent jumeaux : seul le premier sera choisi ; tirez un vecteur pour chacun.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "        self.sums.copy_(torch.where(rows, replacements, self.sums))\n        self.counts.masked_fill_(dead, 1.0)\n",
        "",
        "A revived code keeps its old sums and count, and the next batch puts it back where it was; set its rows of `sums` and `counts`.",
        "Un code ranimé garde sa somme et son compte, et le lot suivant le remet où il était ; changez ses lignes de `sums` et `counts`.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "        self.counts.masked_fill_(dead, 1.0)\n",
        "",
        "A revived code keeps its old count, by which its sums are divided: it flies off at the next batch; set its count to 1.",
        "Un code ranimé garde son ancien compte, qui divise sa somme : il s'envole au lot suivant ; mettez son compte à 1.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "1e-5) * total",
        "1e-5)",
        "The smoothed counts are shares that add up to 1, and the codes too far out by as much; multiply them by the total.",
        "Les comptes lissés sont des parts dont la somme est 1, et les codes trop loin d'autant ; multipliez-les par le total.",
    ),
    edited(
        "codebook:vq_losses",
        "F.mse_loss(quantized, vectors.detach())",
        "F.mse_loss(quantized.detach(), vectors)",
        "F.mse_loss(vectors, quantized.detach())",
        "F.mse_loss(vectors.detach(), quantized)",
        "Each loss moves the wrong side: the codebook loss detaches the vectors, to move the codes, the commitment loss the codes.",
        "Chaque perte déplace le mauvais côté : celle du dictionnaire détache les vecteurs, pour déplacer les codes ; l'autre, les codes.",
    ),
    edited(
        "codebook:VQVAE",
        "reconstruction + quantized.loss",
        "(reconstruction + quantized.loss).detach()",
        "The loss, too, is detached, and nothing can learn from it; detach its parts only.",
        "La perte aussi est détachée, et rien ne peut en apprendre ; ne détachez que ses parties.",
    ),
    edited(
        "codebook:VectorQuantizer",
        "return dead.sum()",
        "return int(dead.sum())",
        "What `revive` returns is a number of Python; return a tensor, as `dead.sum()` is: nothing then waits for a GPU.",
        "Ce que rend `revive` est un nombre de Python ; rendez un tenseur, tel que `dead.sum()` : rien n'attend alors un GPU.",
    ),
]
