"""word2vec's parts against gensim, PyTorch and formulas written out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.word2vec import NOTHING
from dalle_edu.classroom.checking.asking import lent
from dalle_edu.classroom.checking.cases import Case, call, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.words import drawn_vectors, rows, within_chance
from dalle_edu.language import say


def _around(tokens: Tensor, sentence: Tensor, window: int, generator: torch.Generator | None = None) -> Tensor:
    """The neighbours, place after place of the window: a matrix with ones beside its diagonal moves the words of a sentence along it."""
    from scipy.sparse import eye

    rows = []
    for words in tokens.split(torch.unique_consecutive(sentence, return_counts=True)[1].tolist()):
        size = len(words)
        around = np.full((size, 2 * window + 1), NOTHING)
        for offset in range(max(-window, 1 - size), min(window, size - 1) + 1):
            if offset:
                around[:, window + offset] += (eye(size, size, k=offset) @ (words.numpy() - NOTHING)).astype(int)
        rows.append(around)
    return torch.from_numpy(np.concatenate(rows)).long()


def _drawn_reaches(window: int, seed: int) -> Case:
    """With a generator: each token's window is the whole one or is cut at both ends alike, and each reach comes as often as the others."""
    generator = torch.Generator().manual_seed(seed)
    tokens, sentence = torch.randint(9, (6000,), generator=generator), torch.arange(6000) // 1500
    whole, sizes = _around(tokens, sentence, window), torch.arange(-window, window + 1).abs()

    def ask(version: Callable[..., Any]) -> dict[str, Any]:
        found = version(tokens.clone(), sentence.clone(), window, torch.Generator().manual_seed(seed))
        cut = torch.stack([whole.masked_fill(sizes > reach, NOTHING) for reach in range(1, window + 1)])
        fits = (found == cut).all(dim=2)
        inside = (whole != NOTHING).sum(dim=1) == 2 * window
        counts = [int(count) for count in fits[:, inside].sum(dim=1)]
        return {"cut": fits.any(dim=0), say("reaches", "portées"): within_chance(counts, [1 / window] * window)}

    def peer() -> dict[str, Any]:
        return {"cut": torch.ones(6000, dtype=torch.bool), say("reaches", "portées"): [1 / window] * window}

    en, fr = f"6000 tokens, window = {window}, a generator", f"6000 jetons, window = {window}, un générateur"
    return scenario(en, fr, peer, ask, 6000)


def _windows(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([1, 7, 2, 12])
    tokens, sentence = torch.randint(5, (22,), generator=generator), torch.arange(len(lengths)).repeat_interleave(lengths)
    few, apart = torch.tensor([4, 7, 5]), torch.tensor([3, 3, 8])
    return [
        call(_around, torch.tensor([6]), torch.tensor([0]), 1),
        call(_around, few, torch.tensor([0, 0, 0]), 1),
        call(_around, few, apart, 1),
        call(_around, few, apart, 2),
        *(call(_around, tokens, sentence, window) for window in (1, 3, 9)),
        call(_around, tokens, 2 * sentence + 1, window=2),
        call(_around, tokens, sentence, 1, torch.Generator().manual_seed(seed), may_change=("generator",)),
        *(_drawn_reaches(window, seed) for window in (2, 5)),
    ]


def _counts(seed: int, size: int) -> Tensor:
    """Counts as a text has them, a few words often and many seldom; the unknown word comes first."""
    drawn = torch.rand(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.cat([torch.tensor([777]), (3 / (drawn + 1e-3) ** 1.5).long() + 1])


def _in_gensim(counts: Tensor, **options: float) -> tuple[Any, list[int]]:
    """A model of gensim's that has met known words so often, and the place that it gives to each."""
    from gensim.models import Word2Vec

    theirs = Word2Vec(min_count=1, vector_size=1, **options)
    theirs.build_vocab_from_freq({f"w{number}": count for number, count in enumerate(counts.tolist()) if number})
    return theirs, [theirs.wv.key_to_index[f"w{number}"] for number in range(1, len(counts))]


def _keep_probability(seed: int) -> list[Case]:
    def peer(counts: Tensor, threshold: float = 1e-3) -> Tensor:
        theirs, places = _in_gensim(counts, sample=threshold)
        kept = [theirs.wv.get_vecattr(theirs.wv.index_to_key[place], "sample_int") / (2**32 - 1) for place in places]
        return torch.tensor([0.0, *kept], dtype=torch.float64)

    few, many = torch.tensor([0, 5, 95]), _counts(seed, 200)
    return [
        call(peer, few, 0.1),
        call(peer, few),
        call(peer, torch.tensor([900, 5, 95]), 0.25),
        call(peer, torch.tensor([3, 4])),
        call(peer, many),
        *(call(peer, many, threshold) for threshold in (1e-3, 1e-5, 0.02)),
        call(peer, _counts(seed + 1, 30), threshold=0.004),
    ]


def _noise_distribution(seed: int) -> list[Case]:
    def peer(counts: Tensor, power: float = 0.75) -> Tensor:
        theirs, places = _in_gensim(counts, ns_exponent=power)
        shares = np.diff(theirs.cum_table.astype(float), prepend=0.0) / theirs.cum_table[-1]
        return torch.tensor([0.0, *shares[places]], dtype=torch.float64)

    few, many = torch.tensor([0, 16, 1]), _counts(seed, 200)
    return [
        call(peer, few),
        call(peer, few, 1.0),
        call(peer, torch.tensor([7, 16, 1, 81])),
        call(peer, torch.tensor([0, 3])),
        call(peer, many),
        *(call(peer, many, power) for power in (0.0, 0.5, 1.0)),
        call(peer, _counts(seed + 1, 30), power=0.25),
        call(peer, torch.tensor([9, 100_000_000_000, 1, 50_000_000_000])),
    ]


def _step(seed: int, n: int, v: int, m: int, d: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Some examples; of the first one, a noise word is the target itself, and another comes twice."""
    generator = torch.Generator().manual_seed(seed)
    hidden, output = (scale * torch.randn(rows, d, generator=generator, dtype=torch.float64) for scale, rows in ((1.0, n), (2.0, v)))
    targets, negatives = torch.randint(v, (n,), generator=generator), torch.randint(v, (n, m), generator=generator)
    negatives[0, 0] = targets[0]
    negatives[-1, -1] = negatives[-1, 0]
    return hidden, output, targets, negatives


_STEPS = ((1, 3, 2, 1), (1, 4, 3, 2), (7, 12, 4, 6), (6, 3, 5, 2))


def _negative_sampling_formula(seed: int) -> list[Case]:
    """Loss and gradients written out, example by example, without autograd."""
    from scipy.special import expit, log_expit

    def case(hidden: Tensor, output: Tensor, targets: Tensor, negatives: Tensor) -> Case:
        def ask(version: Callable[..., Any]) -> dict[str, Any]:
            given = hidden.clone().requires_grad_(), output.clone().requires_grad_()
            answer = lent(lambda *others: version(*given, *others), "targets negatives", targets, negatives)
            return with_gradients(answer, given)

        def peer() -> dict[str, Any]:
            h, o = hidden.numpy(), output.numpy()
            total, slope_h, slope_o = 0.0, np.zeros_like(h), np.zeros_like(o)
            for i, target in enumerate(targets.tolist()):
                for word, sign in [(target, 1), *((noise, -1) for noise in negatives[i].tolist() if noise != target)]:
                    total -= log_expit(sign * (h[i] @ o[word])) / len(h)
                    pull = -sign * expit(-sign * (h[i] @ o[word])) / len(h)
                    slope_h[i] += pull * o[word]
                    slope_o[word] += pull * h[i]
            half = 0.5  # the weight that `slopes` gives to a single number
            gradient = [torch.from_numpy(half * slope) for slope in (slope_h, slope_o)]
            return {say("answer", "réponse"): torch.tensor(total, dtype=torch.float64), say("gradient", "gradient"): gradient}

        n, m, size = *negatives.shape, output.shape[0]
        en, fr = f"{n} examples, {m} noise words, {size} words", f"{n} exemples, {m} mots de bruit, {size} mots"
        return scenario(f"{en}: the gradients", f"{fr} : les gradients", peer, ask, 100 + n * m * size)

    return [case(*_step(seed + place, *sizes)) for place, sizes in enumerate(_STEPS)]


def _negative_sampling_in_pytorch(seed: int) -> list[Case]:
    """One logistic regression: the target is a 1, the noise words are 0s."""

    def peer(hidden: Tensor, output: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        words = torch.cat([targets[:, None], negatives], dim=1)
        counted = torch.cat([torch.ones(len(targets), 1), (negatives != targets[:, None]).float()], dim=1)
        truth = torch.zeros(words.shape, dtype=hidden.dtype).index_fill(1, torch.tensor(0), 1)
        logits = torch.einsum("nd,nmd->nm", hidden, F.embedding(words, output))
        return F.binary_cross_entropy_with_logits(logits, truth, counted, reduction="sum") / len(targets)

    table, none = rows([2.0], [-1.0], [0.5]), torch.tensor([0])
    small = [
        (rows([0.0]), table, none, torch.tensor([[1]])),
        (rows([1.0]), table, none, torch.tensor([[1]])),
        (rows([1.0]), table, none, torch.tensor([[1, 2, 1]])),
        (rows([1.0]), table, none, torch.tensor([[0, 2]])),
        (rows([1.0]), table, none, torch.tensor([[0]])),
        (rows([1.0], [3.0]), table, torch.tensor([1, 2]), torch.tensor([[0, 1], [0, 0]])),
        (rows([-1000.0]), table, none, torch.tensor([[2, 1]])),
    ]
    drawn = [_step(seed + 10 + place, *sizes) for place, sizes in enumerate(_STEPS)]
    single = [each.float() if each.is_floating_point() else each for each in drawn[2]]
    return [
        *(call(peer, *given) for given in small),
        *(call(peer, given[0].requires_grad_(), given[1].requires_grad_(), *given[2:]) for given in drawn),
        call(peer, *single),
    ]


def _new_model(version: Callable[..., Any], table: Tensor, output: Tensor | None = None) -> Any:
    """A model with these vectors."""
    model = version(*table.shape, torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        model.input.copy_(table)
        if output is not None:
            model.output.copy_(output)
    return model


def _mean_of_given(given: Tensor, table: Tensor) -> Tensor:
    padded, empty = torch.cat([table, table.new_zeros(1, table.shape[1])]), len(table)
    return F.embedding_bag(given.where(given != NOTHING, empty), padded, mode="mean", padding_idx=empty)


def _means(seed: int) -> list[Case]:
    def case(table: Tensor, given: Tensor, extra: int) -> Case:
        def ask(version: Callable[..., Any]) -> Any:
            return lent(_new_model(version, table).hidden, "given", given).detach()

        shown = str(given.tolist()) if given.numel() <= 4 else f"{given.shape[0]} × {given.shape[1]}"
        size = f"{table.shape[0]} × {table.shape[1]}"
        en, fr = f"vectors of {size}, hidden of {shown}", f"des vecteurs de {size}, hidden de {shown}"
        return scenario(en, fr, lambda: _mean_of_given(given, table), ask, table.numel() + given.numel() + extra)

    small = [[[0]], [[2, 1]], [[1, NOTHING]], [[NOTHING, NOTHING]], [[2, 2], [NOTHING, 0]]]
    ragged = [[3, 1, NOTHING, 9], [NOTHING, NOTHING, 0, NOTHING], [5, 5, 2, 1], [NOTHING] * 4, [0, 9, 9, 9]]
    drawn = torch.randint(-1, 10, (6, 7), generator=torch.Generator().manual_seed(seed))
    table = drawn_vectors(seed, 10, 4)
    return [
        *(case(torch.tensor([[1.0], [-2.0], [4.0]], dtype=torch.float64), torch.tensor(given), 0) for given in small),
        *(case(table, given, 50) for given in (torch.tensor(ragged), drawn)),
    ]


def _loss_of_model(seed: int) -> Case:
    """The loss, and the gradients of both tables of vectors."""
    table, output = drawn_vectors(seed, 10, 4), drawn_vectors(seed + 1, 10, 4)
    generator = torch.Generator().manual_seed(seed)
    given = torch.randint(-1, 10, (6, 5), generator=generator)
    targets, negatives = torch.randint(10, (6,), generator=generator), torch.randint(10, (6, 3), generator=generator)

    def ask(version: Callable[..., Any]) -> dict[str, Any]:
        model = _new_model(version, table, output)
        loss = lent(model, "given targets negatives", given, targets, negatives)
        return with_gradients(loss, [model.input, model.output])

    def peer() -> dict[str, Any]:
        tables = table.clone().requires_grad_(), output.clone().requires_grad_()
        words, hidden = torch.cat([targets[:, None], negatives], dim=1), _mean_of_given(given, tables[0])
        counted = torch.cat([torch.ones(6, 1), (negatives != targets[:, None]).float()], dim=1)
        truth = torch.zeros(6, 4, dtype=torch.float64).index_fill(1, torch.tensor(0), 1)
        logits = torch.einsum("nd,nmd->nm", hidden, F.embedding(words, tables[1]))
        return with_gradients(F.binary_cross_entropy_with_logits(logits, truth, counted, reduction="sum") / 6, tables)

    return scenario("6 examples, 3 noise words: the loss", "6 exemples, 3 mots de bruit : la perte", peer, ask, 300)


def _at_birth(size: int, dim: int) -> Case:
    """Input vectors uniform within 1/2 over their length, output vectors zero, as gensim has them; `vectors` are the input ones."""

    def ask(version: Callable[..., Any]) -> dict[str, Any]:
        model = version(size, dim, torch.Generator().manual_seed(1))
        reach = model.vectors * dim
        quarters = torch.histc(reach.float(), 4, -0.5, 0.5).long().tolist()
        outside = int((reach.abs() > 0.5 + 1e-6).sum())
        again = version(size, dim, torch.Generator().manual_seed(1))
        return {
            say("quarters", "quarts"): within_chance([*quarters, outside], [0.25, 0.25, 0.25, 0.25, 0.0]),
            "output": model.output.detach(),
            "vectors - input": model.vectors - model.input.detach(),
            "requires_grad": [bool(each.requires_grad) for each in (model.vectors, model.input, model.output)],
            say("same seed", "même graine"): again.vectors - model.vectors,
        }

    def peer() -> dict[str, Any]:
        nothing = torch.zeros(size, dim)
        return {
            say("quarters", "quarts"): [0.25, 0.25, 0.25, 0.25, 0.0],
            "output": nothing,
            "vectors - input": nothing,
            "requires_grad": [False, True, True],
            say("same seed", "même graine"): nothing,
        }

    title = f"{size} × {dim}"
    return scenario(f"{title}, freshly made", f"{title}, tout juste créé", peer, ask, 2000)


def _model(seed: int) -> list[Case]:
    return [*_means(seed), _loss_of_model(seed), _at_birth(300, 8), _at_birth(90, 20)]


REFERENCES = [
    Reference("word2vec:windows", "scipy.sparse.eye", cases=_windows, tolerance=0.0),
    Reference(
        "word2vec:keep_probability",
        say("gensim.models.Word2Vec, in 32-bit integers", "gensim.models.Word2Vec, en entiers de 32 bits"),
        cases=_keep_probability,
        tolerance=1e-9,
    ),
    Reference(
        "word2vec:noise_distribution",
        say("gensim.models.Word2Vec.cum_table, in 31-bit integers", "gensim.models.Word2Vec.cum_table, en entiers de 31 bits"),
        cases=_noise_distribution,
        tolerance=1e-9,
    ),
    Reference(
        "word2vec:negative_sampling_loss",
        "F.binary_cross_entropy_with_logits",
        cases=_negative_sampling_in_pytorch,
        tolerance=1e-10,
    ),
    Reference(
        "word2vec:negative_sampling_loss",
        say("scipy.special.log_expit, gradients by hand", "scipy.special.log_expit, gradients à la main"),
        cases=_negative_sampling_formula,
        tolerance=1e-10,
    ),
    Reference("word2vec:Word2Vec", "torch.nn.functional.embedding_bag", cases=_model, tolerance=1e-10),
]
