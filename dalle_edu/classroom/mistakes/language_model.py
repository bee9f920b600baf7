"""Mistakes of a character model that writes."""

from dalle_edu.classroom.checking.edited import edited

MISTAKES = [
    edited(
        "language_model:CharacterModel",
        "logits, state = self(unread, state)",
        "logits, _ = self(unread, state)",
        "The state is not handed on: after the prompt each symbol is chosen knowing only the one before; keep the state that comes back.",
        "L'état n'est pas transmis : après l'invite, chaque symbole est choisi d'après le précédent seul ; gardez l'état rendu.",
    ),
    edited(
        "language_model:CharacterModel",
        "logits, state = self(unread, state)",
        "logits, state = self(tokens, state)",
        "The whole text is read again on top of a state that holds it already; read only what the state does not hold yet.",
        "Tout le texte est relu par-dessus un état qui le contient déjà ; ne lisez que ce que l'état ne contient pas encore.",
    ),
    edited(
        "language_model:CharacterModel",
        "chosen = chosen.masked_fill(ended, PAD)",
        "pass",
        "A text that has ended goes on; after the end symbol comes padding.",
        "Un texte fini continue ; après le symbole de fin vient le remplissage.",
    ),
    edited(
        "language_model:CharacterModel",
        "unread = chosen.unsqueeze(1)",
        "unread = chosen.squeeze(-1).unsqueeze(1)",
        "A lone prompt loses its only axis by `squeeze(-1)`: `sample_next` gives one symbol for each text already, of shape (n,).",
        "Une invite seule perd son seul axe par `squeeze(-1)` : `sample_next` rend déjà un symbole par texte, de forme (n,).",
    ),
]
