"""Mistakes about attention with several heads, as edits of the library's code."""

from dalle_edu.classroom.checking.edited import edited

MISTAKES = [
    edited(
        "attention:MultiHeadAttention",
        "mask & visible_keys",
        "mask | visible_keys",
        "A key may be seen if it is not later *and* not padding: combine the two masks with &.",
        "Une clé est visible si elle n'est pas postérieure *et* n'est pas du remplissage : combinez les deux masques par &.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "visible[:, None, None]",
        "~visible[:, None, None]",
        "The mask `visible` is read the other way round: it is False where a token is padding.",
        "Le masque `visible` est lu à l'envers : il vaut False là où un jeton est du remplissage.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "visible[:, None, None]",
        "visible[:, None, :, None]",
        "The mask `visible` hides queries, the rows; it says which *keys* may be looked at, the columns.",
        "Le masque `visible` cache des requêtes, les lignes ; il dit quelles *clés* on peut regarder, les colonnes.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "        if visible is not None:\n",
        "        if visible is not None and mask is not None:\n",
        "The mask `visible` counts only where attention is causal: padding must be hidden in any case.",
        "Le masque `visible` ne compte que si l'attention est causale : le remplissage doit être caché dans tous les cas.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "mask = visible_keys if mask is None else mask & visible_keys",
        "mask = visible_keys",
        "The mask `visible` takes the place of the causal mask: both must hold.",
        "Le masque `visible` prend la place du masque causal : il faut les deux.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "n t (three s d) -> three n s t d",
        "n t (three d s) -> three n s t d",
        "The channels of the heads are interleaved: each head has a slice of neighbouring channels, (s d).",
        "Les canaux des têtes sont entrelacés : chaque tête a une tranche de canaux voisins, (s d).",
    ),
    edited(
        "attention:MultiHeadAttention",
        "n t (three s d) -> three n s t d",
        "n t (s three d) -> three n s t d",
        "Queries, keys and values are cut within each head: of the 3w channels the first w are queries, then keys, then values.",
        "Requêtes, clés et valeurs sont découpées dans chaque tête : des 3w canaux, les w premiers sont les requêtes, "
        "puis les clés, les valeurs.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "three=3, s=self.heads",
        "three=3, s=1",
        "There is a single head: cut the channels into `self.heads` slices.",
        "Il n'y a qu'une tête : coupez les canaux en `self.heads` tranches.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "        query, key, value = rearrange(",
        "        key, query, value = rearrange(",
        "Queries and keys are exchanged: the first w channels are the queries.",
        "Requêtes et clés sont échangées : les w premiers canaux sont les requêtes.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "        query, key, value = rearrange(",
        "        query, value, key = rearrange(",
        "Keys and values are exchanged: the channels hold queries, then keys, then values.",
        "Clés et valeurs sont échangées : les canaux contiennent les requêtes, puis les clés, puis les valeurs.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "masked = causal and queries > 1",
        "masked = causal and cache is None",
        "With a cache nothing is masked: when several tokens come at once, the later ones must still be hidden from the earlier.",
        "Avec un cache, rien n'est masqué : si plusieurs jetons arrivent ensemble, les derniers doivent rester cachés aux premiers.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "self.out(attend(query, key, value, mask, maps))",
        "attend(query, key, value, mask, maps)",
        "The heads' results are not mixed: the projection `self.out` comes last.",
        "Les résultats des têtes ne sont pas mêlés : la projection `self.out` vient en dernier.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "causal_mask(queries, keys, x.device)",
        "causal_mask(keys, keys, x.device)[:queries]",
        "With a cache the queries are the last of the sequence: its mask must start at their position, not at the first.",
        "Avec un cache, les requêtes sont les dernières de la suite : le masque doit commencer à leur position, et non à la première.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "            key, value = cache.extend(layer, key, value)",
        "            cache.extend(layer, key, value)",
        "The cache is filled, but what it gives back is dropped: the queries must look at all keys so far.",
        "Le cache est rempli, mais ce qu'il rend est perdu : les requêtes doivent regarder toutes les clés jusqu'ici.",
    ),
]
