"""Words on the command line: options, prompts, and outputs that collide."""

import random
from pathlib import Path

from tools.fuzz import small
from tools.fuzz.hostile import TEXTS, WORDS
from tools.fuzz.trial import Maker, Trial

OPTIONS = (
    "-n",
    "--seed",
    "--candidates",
    "--guidance-scale",
    "--temperature",
    "--top-k",
    "--top-p",
    "--daring",
    "--epsilon",
    "--steps",
    "--device",
    "--set",
    "--tries",
)
COLLISIONS = (
    ("--out", "a/0.png", "--apart", "a"),
    ("--out", "o.png", "--apart", "a", "--json", "a/1.png"),
    ("--out", "a.png", "--apart", "a.png"),
    ("--out", "o.png", "--json", "o.png"),
    ("--out", "o.png", "--json", "./x/../o.png"),
    ("--out", "o.png", "--json", "link"),
    ("--out", "o.png", "--json", "o.png/j.json"),
    ("--out", "o.png", "--apart", "o.png/a"),
    ("--out", "d/o.png", "--json", "d"),
    ("--out", "linked/0.png", "--apart", "a/../real"),
    ("--out", "o.png", "--json", "w.safetensors"),
    ("--out", "o.png", "--json", "."),
    ("--out", "", "--json", ""),
    (
        "--out",
        "o.jpg",
    ),
    (
        "--apart",
        "full",
    ),
    (
        "--apart",
        "w.safetensors",
    ),
)


def of_collisions(rng: random.Random) -> Trial:
    """Outputs that would replace one another, or what is read."""
    words = rng.choice(COLLISIONS)

    def make(folder: Path) -> None:
        (folder / "w.safetensors").write_bytes(small.contents("dalle1"))
        (folder / "link").symlink_to("o.png")
        (folder / "real").mkdir()
        (folder / "linked").symlink_to("real")
        (folder / "full").mkdir()
        (folder / "full" / "kept").touch()

    return Trial(" ".join(words), make, ("generate", "a red circle", "-n", "2", "--system", "w.safetensors", *words))


def of_options(rng: random.Random) -> Trial:
    """Options with values that no one should give."""
    words = [word for _ in range(rng.choice((1, 1, 2))) for word in (rng.choice(OPTIONS), _value(rng))]
    name = rng.choice(("dalle1", "dalle_mini", "imagen", "dalle2"))
    if rng.random() < 0.3:
        doors = (
            ("edit", "inpaint", "--box"),
            ("edit", "complete", "--rows"),
            ("edit", "vary", "-n"),
            ("edit", "mix", "--ratio"),
            ("edit", "loop", "--frames"),
        )
        *verb, option = rng.choice(doors)
        needs = ["good.png"] * (2 if verb[1] == "mix" else 1) + ["a red circle"] * (verb[1] in ("inpaint", "complete"))
        out = "o.gif" if verb[1] == "loop" else "o.png"
        words = [*verb, *needs, option, _value(rng), "--out", out]
        name = {"inpaint": "imagen", "complete": "dalle1"}.get(verb[1], "dalle2")
    else:
        words = ["generate", "a red circle", *([] if "-n" in words else ["-n", "1"]), *words, "--out", "o.png"]

    def make(folder: Path) -> None:
        (folder / "good.png").write_bytes(small.picture())

    words += ["--system", str(small.checkpoint(name))]
    return Trial(f"{name}: {' '.join(words)}", make, tuple(words), refused=None, outputs=("o.png", "o.gif"))


def of_prompts(rng: random.Random) -> Trial:
    """Sentences that no one should ask for."""
    texts = [rng.choice(TEXTS) if rng.random() < 0.7 else _noise(rng) for _ in range(rng.choice((1, 1, 2)))]
    name = rng.choice(("dalle1", "dalle_mini", "imagen"))
    words = ("generate", *(["--"] if rng.random() < 0.2 else []), *texts)
    options = ("--system", str(small.checkpoint(name)), "-n", "1", "--out", "o.png", "--json", "o.json")
    words = (words[0], *options, *words[1:])
    return Trial(f"{name}: {texts!r}"[:200], words=words, refused=None, outputs=("o.png", "o.json"))


def of_commands(rng: random.Random) -> Trial:
    """Commands that there are not, and arguments that are missing or too many."""
    words = [
        rng.choice(("generate", "edit", "export", "score", "systems", "nothing", "", "-", "--", "\udcff", "[/x]"))
        for _ in range(rng.choice((1, 2)))
    ]
    words += [rng.choice((*TEXTS, *WORDS)) for _ in range(rng.choice((0, 1, 3)))]
    if words[0] in ("score", "generate", "systems", "export"):
        words = [words[0], "--unknown", *words[1:]]
    return Trial(f"{words!r}"[:200], words=tuple(words), refused=None, outputs=())


def _value(rng: random.Random) -> str:
    word = rng.choice(WORDS)
    return f"{rng.choice(('momentum', 'cutouts', 'x', 'é', '', '=', 'steps'))}={word}" if rng.random() < 0.15 else word


def _noise(rng: random.Random) -> str:
    words = (
        "red",
        "circle",
        "un",
        "carré",
        "two",
        "bleu",
        "à gauche d'",
        "and",
        "no",
        "5",
        "🙂",
        "\u200d",
        "ﷺ",
        "\u0300" * 50,
        "A" * 300,
        "—",
        '"',
        "'",
        "\t",
    )
    return " ".join(rng.choice(words) for _ in range(rng.randrange(1, 12)))


KINDS: dict[str, Maker] = {"collisions": of_collisions, "options": of_options, "prompts": of_prompts, "commands": of_commands}
