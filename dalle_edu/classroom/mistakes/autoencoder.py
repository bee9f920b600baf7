"""Mistakes about principal components and autoencoders."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.autoencoder import PCA, Autoencoder
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def not_centred(data: Tensor, latent: int) -> PCA:
    _, singular, directions = torch.linalg.svd(data, full_matrices=False)
    return PCA(torch.zeros_like(data[0]), directions[:latent], singular[:latent] ** 2 / (len(data) - 1))


def smallest_first(data: Tensor, latent: int) -> PCA:
    mean = data.mean(dim=0)
    variances, directions = torch.linalg.eigh((data - mean).T @ (data - mean) / (len(data) - 1))
    return PCA(mean, directions.T[:latent], variances[:latent])


def length_one_alone(first: Tensor, second: Tensor) -> float:
    q1, q2 = (F.normalize(rows, dim=1).T for rows in (first, second))
    sine = float(torch.linalg.matrix_norm(q2 - q1 @ (q1.T @ q2), ord=2))
    return math.asin(min(1.0, sine))


def rows_as_they_are(first: Tensor, second: Tensor) -> float:
    sine = float(torch.linalg.matrix_norm(second - second @ first.T @ first, ord=2))
    return math.asin(min(1.0, sine))


def from_its_cosine(first: Tensor, second: Tensor) -> float:
    q1, q2 = (torch.linalg.qr(rows.T).Q for rows in (first, second))
    return float(torch.linalg.svdvals(q1.T @ q2).min().clamp(-1, 1).acos())


class LatentsOfLengthOne(Autoencoder):
    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(F.normalize(self.encoder(images), dim=-1))


class PicturesThroughSigmoid(Autoencoder):
    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(self.encoder(images)).sigmoid()


NOT_CENTRED = (
    "The data are not centred: the first direction points at the mean instead of along the spread; subtract the mean first.",
    "Les données ne sont pas centrées : la première direction vise la moyenne, non l'étalement ; retranchez d'abord la moyenne.",
)
NOT_ORTHONORMAL = (
    "The rows need be neither at right angles nor of length 1; give each space an orthonormal basis first, by `torch.linalg.qr`.",
    "Les lignes ne sont pas forcément à angle droit ni de longueur 1 ; donnez d'abord à chaque espace une base orthonormée, par `qr`.",
)
SINE_ABOVE_ONE = (
    "Rounding can bring the sine a little above 1, where `asin` fails; take no more than 1: `min(1.0, sine)`.",
    "L'arrondi peut porter le sinus un peu au-dessus de 1, où `asin` échoue ; prenez au plus 1 : `min(1.0, sine)`.",
)

MISTAKES = [
    Mistake("autoencoder:pca", not_centred, *NOT_CENTRED),
    edited("autoencoder:pca", "data - mean, full", "data, full", *NOT_CENTRED),
    edited(
        "autoencoder:pca",
        "singular[:latent] ** 2",
        "singular[:latent]",
        "The singular values stand for the variances; a variance is the square of a singular value, over n - 1.",
        "Les valeurs singulières tiennent lieu de variances ; une variance est le carré d'une valeur singulière, sur n - 1.",
    ),
    edited(
        "autoencoder:pca",
        "(len(data) - 1)",
        "len(data)",
        "The variances are over n; the mean was found on the same data, which takes one degree of freedom: divide by n - 1.",
        "Les variances sont sur n ; la moyenne vient des mêmes données, ce qui ôte un degré de liberté : divisez par n - 1.",
    ),
    Mistake(
        "autoencoder:pca",
        smallest_first,
        "The eigenvalues of `eigh` come in increasing order, so these directions are the flattest; take the last ones, reversed.",
        "La fonction `eigh` trie par ordre croissant : ces directions sont les plus plates ; prenez les dernières, à l'envers.",
    ),
    edited(
        "autoencoder:largest_angle",
        "ord=2",
        "ord=-2",
        "This is the smallest of the angles between the two spaces; the largest goes with the largest singular value.",
        "C'est le plus petit des angles entre les deux espaces ; le plus grand va avec la plus grande valeur singulière.",
    ),
    edited(
        "autoencoder:largest_angle",
        "return math.asin(min(1.0, sine))",
        "return math.degrees(math.asin(min(1.0, sine)))",
        "The angle is in degrees; leave it in radians, as `math.asin` gives it.",
        "L'angle est en degrés ; laissez-le en radians, comme le donne `math.asin`.",
    ),
    Mistake("autoencoder:largest_angle", length_one_alone, *NOT_ORTHONORMAL),
    Mistake("autoencoder:largest_angle", rows_as_they_are, *NOT_ORTHONORMAL),
    Mistake(
        "autoencoder:largest_angle",
        from_its_cosine,
        "The angle is computed from its cosine, which near 1 hardly changes: half of the digits of a small angle are lost; use the sine.",
        "L'angle vient de son cosinus, qui près de 1 ne change guère : un petit angle perd la moitié de ses chiffres ; prenez le sinus.",
    ),
    Mistake(
        "autoencoder:Autoencoder",
        LatentsOfLengthOne,
        "The latents are brought to length 1, so how far a picture lies from the mean is lost; leave them as they are.",
        "Les latents sont ramenés à la longueur 1 : la distance d'une image à la moyenne est perdue ; laissez-les tels quels.",
    ),
    Mistake(
        "autoencoder:Autoencoder",
        PicturesThroughSigmoid,
        "A sigmoid at the end keeps every pixel between 0 and 1, and this squared error is for pixels of any value; leave it out.",
        "Une sigmoïde à la fin retient chaque pixel entre 0 et 1, or cette erreur au carré vaut pour des pixels quelconques ; ôtez-la.",
    ),
    edited(
        "autoencoder:Autoencoder",
        ".sum(dim=-1).mean()",
        ".mean()",
        "The squared error is averaged over pixels; sum over the pixels of a picture, then average over pictures.",
        "L'erreur au carré est moyennée sur les pixels ; sommez sur les pixels d'une image, puis moyennez sur les images.",
    ),
    edited(
        "autoencoder:Autoencoder",
        ".sum(dim=-1).mean()",
        ".sum()",
        "The squared errors of all pictures are added up, so that the loss grows with the batch; average over pictures.",
        "Les erreurs au carré de toutes les images sont ajoutées : la perte grandit avec le lot ; moyennez sur les images.",
    ),
    edited(
        "autoencoder:pca",
        "directions[:latent]",
        "directions[:, :latent].T",
        "The columns of what `svd` gives last are taken, but that is V already transposed: its rows are the directions.",
        "Ce sont les colonnes de ce que `svd` rend en dernier, or c'est V déjà transposée : les directions en sont les lignes.",
    ),
    edited(
        "autoencoder:Autoencoder",
        "return self.decoder(self.encoder(images))",
        "return self.encoder(images)",
        "(self(images) - images)",
        "(self.decoder(self.encoder(images)) - images)",
        "The latents come back, k numbers for each picture; give them to the decoder, which makes d pixels of them.",
        "Ce sont les latents qui sont rendus, k nombres par image ; donnez-les au décodeur, qui en fait d pixels.",
    ),
    edited(
        "autoencoder:Autoencoder",
        ".square().sum(dim=-1).mean()",
        ".norm(dim=-1).mean()",
        "The length of the error is averaged, a square root of what is asked: leave the sum of the squares as it is.",
        "C'est la longueur de l'erreur qui est moyennée, une racine carrée de trop : laissez la somme des carrés telle quelle.",
    ),
    *(
        edited("autoencoder:largest_angle", "math.asin(min(1.0, sine))", unchecked, *SINE_ABOVE_ONE)
        for unchecked in ("math.asin(sine)", "float(torch.tensor(sine, dtype=torch.float64).asin())")
    ),
]
