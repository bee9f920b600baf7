"""Mistakes about the local model, which writes the codes of a token."""

from dalle_edu.classroom.checking.edited import edited

MISTAKES = [
    edited(
        "local_model:by_place",
        "return codes + num_codes * torch.arange(codes.shape[-1], device=codes.device)",
        "return codes + 0 * num_codes",
        "All places share one table, so that a token says which codes it holds and not in which order; each place has rows of its own.",
        "Toutes les places partagent une table : un jeton dit quels codes il contient, pas dans quel ordre ; chaque place a ses lignes.",
    ),
    edited(
        "local_model:by_place",
        "num_codes * torch.arange(codes.shape[-1], device=codes.device)",
        "torch.arange(codes.shape[-1], device=codes.device)",
        "The tables overlap: code c at one place is code c + 1 at the place before; move each place by num_codes rows.",
        "Les tables se chevauchent : le code c d'une place est le code c + 1 de la précédente ; décalez chaque place de num_codes lignes.",
    ),
    edited(
        "local_model:LocalModel",
        "codes[:, :, :-1]",
        "codes[:, :, 1:]",
        "A code is predicted from those after it, which are not written yet when pictures are drawn; give it the codes before it.",
        "Un code est prédit à partir de ceux qui le suivent, et qui ne sont pas encore écrits au dessin ; donnez-lui ceux d'avant.",
    ),
    edited(
        "local_model:LocalModel",
        "[hidden.unsqueeze(2), before], dim=2).cumsum(dim=2)",
        "[hidden.unsqueeze(2), hidden.unsqueeze(2) + before], dim=2)",
        "Each code knows the one just before it and forgets the others of its token; add up all that came before.",
        "Chaque code connaît celui qui le précède et oublie les autres de son jeton ; ajoutez tous ceux qui sont venus avant.",
    ),
    edited(
        "local_model:LocalModel",
        "return x + self.contract",
        "return self.contract",
        "The hidden layer replaces the stream, and what the GPT says goes through it or is lost; add its result to the stream.",
        "La couche cachée remplace le flux, et ce que dit le GPT doit la traverser ou se perd ; ajoutez son résultat au flux.",
    ),
]
