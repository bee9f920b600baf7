"""Mistakes about re-ranking, as edits of the library's code."""

from dalle_edu.classroom.checking.edited import edited

_JUDGE, _BEST_OF = "systems.critics.reranking:judge", "systems.critics.reranking:best_of"
_COSINES, _TOPK = 'torch.einsum("nce,ne->nc", embeddings, texts)', "scores, places = judge(clip, images, prompts).topk(keep, dim=1)"
MISTAKES = [
    edited(
        _JUDGE,
        _COSINES,
        "embeddings @ texts[0]",
        "All candidates are compared with the first sentence; those of row i belong to sentence i.",
        "Toutes les candidates sont comparées à la première phrase ; celles de la ligne i vont avec la phrase i.",
    ),
    edited(
        _JUDGE,
        _COSINES,
        "(embeddings.flatten(0, 1) * texts.repeat(images.shape[1], 1)).sum(dim=1).view(embeddings.shape[:2])",
        "The sentences are repeated as a whole, so that the second candidate meets the second sentence; repeat each of them in place.",
        "La liste des phrases est répétée d'un bloc : la deuxième candidate rencontre la deuxième phrase ; répétez chacune sur place.",
    ),
    edited(
        _JUDGE,
        _COSINES,
        f"{_COSINES}.softmax(dim=1)",
        "A softmax makes shares of the cosines, which add up to 1 even where all candidates are bad; return the cosines.",
        "Un softmax change les cosinus en parts dont la somme est 1, même si tout est mauvais ; rendez les cosinus.",
    ),
    edited(
        _BEST_OF,
        "topk(keep, dim=1)",
        "topk(keep, dim=1, largest=False)",
        "The candidates with the smallest cosines are kept; sort in descending order.",
        "Ce sont les candidates aux plus petits cosinus qui sont gardées ; triez par ordre décroissant.",
    ),
    edited(
        _BEST_OF,
        _TOPK,
        "scores = judge(clip, images, prompts)\n    places = scores.topk(keep, dim=1).indices.sort(dim=1).values",
        "return images[rows, places], scores",
        "return images[rows, places], scores[rows, places]",
        "The best are kept, but in the order in which they were drawn; the very best comes first.",
        "Les meilleures sont gardées, mais dans l'ordre où elles ont été dessinées ; la toute meilleure vient en tête.",
    ),
    edited(
        _BEST_OF,
        "images[rows, places]",
        "images[:, places[0]]",
        "The places that were best for the first sentence are taken for every sentence; each row has places of its own.",
        "Les places les meilleures pour la première phrase servent à toutes ; chaque ligne a les siennes.",
    ),
]
