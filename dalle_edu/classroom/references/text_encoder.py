"""The text encoder of Imagen and its loss against the same networks, put together by hand."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from dalle_edu.bricks.neighbours import Smear
from dalle_edu.bricks.transformer import Transformer
from dalle_edu.classroom.checking.asking import asked, filled, lent
from dalle_edu.classroom.checking.cases import Case, scenario, slopes
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.hard_negatives import masked_loss
from dalle_edu.classroom.references.neighbours import smeared
from dalle_edu.language import say
from dalle_edu.systems.hard_negatives.contrastive_loss import compatible_captions
from dalle_edu.systems.hard_negatives.negatives import hard_negatives
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase
from dalle_edu.systems.parts.text_encoder import TextEncoder, TextEncoderConfig
from dalle_edu.world.tokenizer import caption_tokenizer, trimmed

SMALL, LARGER = TextEncoderConfig(9, 6, 4, 1, 2), TextEncoderConfig(20, 8, 12, 2, 3)
WORDS = TextEncoderConfig(width=8, depth=1, heads=2)


class _Parts(nn.Module):
    """The networks of a text encoder, under their names."""

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        v, w = config.vocabulary, config.width
        self.transformer = Transformer(v, v, w, config.depth, config.heads, config.text_length + 1, directed=True)
        self.whole = nn.Linear(w, w, bias=False)
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.smear = Smear(w) if config.smear else None

    def _states(self, text: Tensor) -> Tensor:
        """What the encoder makes of words, each with the one before it where the network is asked for it."""
        if self.smear is None:
            return self.transformer.encode(text)
        weight = self.transformer.source_embedding.weight
        words = weight[text] * weight.shape[1] ** 0.5 + self.transformer.positions[: text.shape[1]]
        return self.transformer.encoder(smeared(words, self.smear.before.weight), text != 0)

    def read(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """The states, zero at padding, and the direction of each sentence: that of the mean of its words' states, turned."""
        states, directions = self._states(text), []
        for row, tokens in zip(states, text, strict=True):
            words = [state for state, token in zip(row, tokens, strict=True) if token != 0]
            turned = self.whole(torch.stack(words).mean(dim=0) if words else 0 * row[0])
            directions.append(turned / turned.norm() if words else turned)
        return torch.where((text == 0)[..., None], 0.0, states), torch.stack(directions)

    def written(self, text: Tensor, states: Tensor, expected: Tensor) -> Tensor:
        """The mean of -log p over the tokens of paraphrases, each predicted from those before."""
        shown = torch.cat([torch.zeros_like(expected[:, :1]), expected[:, :-1]], dim=1)
        chances = self.transformer.decode(shown, states, text).double().softmax(dim=-1)
        surprises = [-chances[n, t, token].log() for n, row in enumerate(expected.tolist()) for t, token in enumerate(row) if token != 0]
        return torch.stack(surprises).mean()


def _texts(config: TextEncoderConfig, n: int, length: int, seed: int) -> Tensor:
    """Rows of tokens, each shorter than the one before it."""
    tokens = torch.randint(1, config.vocabulary, (n, length), generator=torch.Generator().manual_seed(seed))
    return tokens * (torch.arange(length) < torch.tensor([max(1, length - row) for row in range(n)])[:, None])


def _encoder(seed: int) -> list[Case]:
    def cases(config: TextEncoderConfig, text: Tensor, paraphrases: Tensor, seed: int) -> list[Case]:
        def made(version: Any) -> Any:
            return filled(version(config), seed)

        def read(version: Any) -> dict[str, Tensor]:
            states, visible, vectors = asked(made(version), text=text)
            return {say("states", "états"): states.detach(), "visible": visible, say("vectors", "vecteurs"): vectors.detach()}

        def theirs() -> dict[str, Tensor]:
            states, directions = filled(_Parts(config), seed).read(text)
            vectors = directions * config.width**0.5
            return {say("states", "états"): states.detach(), "visible": text != 0, say("vectors", "vecteurs"): vectors.detach()}

        def loss(version: Any) -> dict[str, Any]:
            model = made(version)
            states = model(text)[0]
            found = lent(lambda *given: model.loss(given[0], states, given[1]), "text paraphrases", text, paraphrases)
            return {"loss": found.detach(), "gradient": slopes(found, [model.transformer.get_parameter(name) for name in _LEARNED])}

        def their_loss() -> dict[str, Any]:
            parts = filled(_Parts(config), seed)
            found = parts.written(text, parts.read(text)[0], paraphrases)
            return {"loss": found.detach().float(), "gradient": slopes(found, [parts.transformer.get_parameter(name) for name in _LEARNED])}

        shown = f"text = {text.tolist()}" if text.numel() < 12 else " × ".join(map(str, text.shape))
        shown += ", smear=True" if config.smear else ""
        weight = text.numel() * config.width
        return [
            scenario(f"forward, {shown}", f"forward, {shown}", theirs, read, weight),
            scenario(
                f"sentence, {shown}", f"sentence, {shown}", lambda: filled(_Parts(config), seed).read(text)[1].detach().float(),
                lambda version: asked(made(version).sentence, text).detach(), weight + 1,
            ),
            scenario(f"loss, {shown}", f"loss, {shown}", their_loss, loss, weight + 2),
        ]  # fmt: skip

    _LEARNED = [name for name, _ in Transformer(4, 4, 4, 1, 2, 4, directed=True).named_parameters() if "weight" in name][:1]
    empty = torch.tensor([[3, 1, 0, 0], [0, 0, 0, 0]])
    return [
        *cases(SMALL, torch.tensor([[4, 2]]), torch.tensor([[2, 5, 1]]), seed),
        *cases(SMALL, empty, torch.tensor([[2, 0], [3, 7]]), seed + 1),
        *cases(LARGER, _texts(LARGER, 4, 7, seed), _texts(LARGER, 4, 5, seed + 1), seed + 2),
        *cases(replace(SMALL, smear=True), torch.tensor([[4, 2]]), torch.tensor([[2, 5, 1]]), seed + 3),
        *cases(replace(LARGER, smear=True), _texts(LARGER, 4, 7, seed), _texts(LARGER, 4, 5, seed + 1), seed + 4),
    ]


def _loss(seed: int) -> list[Case]:
    tokenizer = caption_tokenizer()

    def case(captions: list[str], log_scale: float, number: int) -> Case:
        def encoder(kind: Any) -> Any:
            network = filled(kind(WORDS), number).float()
            with torch.no_grad():
                network.log_scale.fill_(log_scale)
            return network

        def ask(version: Any) -> dict[str, Any]:
            network = encoder(TextEncoder)
            generator = torch.Generator().manual_seed(number)
            found = lent(lambda asked: version(network, tokenizer, asked, generator), "captions", captions)
            learned = [network.log_scale, network.whole.weight]
            return {key: value.detach() for key, value in found.items()} | {"gradient": slopes(found["loss"], learned)}

        def peer() -> dict[str, Any]:
            parts, generator = encoder(_Parts), torch.Generator().manual_seed(number)
            paraphrases = paraphrase(captions, generator)
            texts = [*captions, *hard_negatives(captions, 3, generator, "cpu")]
            tokens, said = (trimmed(tokenizer.encode(each, WORDS.text_length)) for each in (texts, paraphrases))
            states, directions = parts.read(tokens)
            written = parts.written(tokens[: len(captions)], states[: len(captions)], said)
            scale = torch.minimum(parts.log_scale.exp(), torch.tensor(100.0))
            anchors = parts.read(said)[1]
            sentences = masked_loss(anchors.double(), directions.double(), scale, compatible_captions(captions, texts))
            parts_of_it = {"loss": written + sentences, "written": written, "sentences": sentences}
            learned = [parts.log_scale, parts.whole.weight]
            bare = {key: value.detach().float() for key, value in parts_of_it.items()}
            return bare | {"gradient": slopes(parts_of_it["loss"], learned)}

        title = f"captions = {captions}, log_scale = {log_scale:g}"
        return scenario(title, title, peer, ask, len(captions))

    few = ["a red circle to the left of a blue square", "trois étoiles vertes", "un carré", "a small red circle"]
    return [case(few[:1], 3.0, seed), case(few[:2], 3.0, seed + 1), case(few, 2.0, seed + 2), case(few, 5.0, seed + 3)]


_ENCODER = "systems.parts.text_encoder"
REFERENCES = [
    Reference(
        f"{_ENCODER}:TextEncoder", say("the same parts, put together by hand", "les mêmes pièces, assemblées à la main"), _encoder, 1e-5
    ),
    Reference(f"{_ENCODER}:text_encoder_loss", say("both losses, written out", "les deux pertes, écrites"), cases=_loss, tolerance=1e-4),
]
