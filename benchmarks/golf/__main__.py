"""`python -m benchmarks.golf`: play, again, check, board; without a command it tells how, and shows the scoreboard."""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.golf import exam, rules
from benchmarks.golf.judge import judge
from benchmarks.golf.record import Record, check, folders, keep, library
from benchmarks.golf.rules import TRACKS, Track
from benchmarks.golf.scoreboard import board, table, write
from benchmarks.golf.source_check import check_source
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say, sentence_language
from dalle_edu.scorecard.exam import questions
from dalle_edu.scorecard.marks import SKILL_NAMES


def main(arguments: list[str] | None = None) -> int:
    """Run a command, and return its exit status."""
    given = _parser().parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return {"play": _play, "again": _again, "check": _check, "board": _board, None: _help}[given.command](given)
    except DalleEduError as error:
        print(f"golf: {error}", file=sys.stderr)
        return 1


# what argparse says of a command that it refuses, and the same in French
_REFUSALS = (
    (r"^argument (.+?): ", r"\1 : "),
    (r"invalid choice: (.+) \(choose from (.+)\)", r"\1 n'est pas un choix ; choisissez parmi \2"),
    (r"invalid \w+ value: (.+)", r"\1 n'est pas un nombre qui convienne"),
    (r"expected (?:one|at least one) argument", "donnez une valeur"),
    (r"the following arguments are required: (.+)", r"il manque : \1"),
    (r"unrecognized arguments: (.+)", r"rien de tel n'est attendu : \1"),
    (r"ignored explicit argument (.+)", r"n'attend pas de valeur, et reçoit \1"),
    (r"ambiguous option: (.+) could match (.+)", r"\1 peut vouloir dire \2 ; écrivez l'option en entier"),
)


class _Formatter(argparse.HelpFormatter):
    """A usage that begins in the reader's language."""

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, say("usage: ", "usage : ") if prefix is None else prefix)


class _Parser(argparse.ArgumentParser):
    """A parser whose help has its titles in the reader's language, in which it refuses too."""

    def __init__(self, **settings: Any):
        super().__init__(add_help=False, formatter_class=_Formatter, **settings)
        self._positionals.title, self._optionals.title = say("what to give", "à donner\u00a0"), say("options", "options\u00a0")
        self.add_argument("-h", "--help", action="help", help=say("show this help and end", "montrer cette aide et finir"))

    def error(self, message: str) -> NoReturn:
        """Say what was refused, and end with status 2."""
        french = message
        for pattern, words in _REFUSALS:
            french = re.sub(pattern, words, french)
        self.print_usage(sys.stderr)
        self.exit(2, f"golf: {say(message, french)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m benchmarks.golf", description=say(*_WHAT))
    commands = parser.add_subparsers(dest="command", title=say("commands", "commandes\u00a0"))
    play = commands.add_parser("play", help=say("train, examine and mark a file", "entraîner, examiner et noter un fichier"))
    play.add_argument("file", type=Path, help=say("the file to play", "le fichier à jouer"))
    play.add_argument("--track", choices=list(TRACKS), required=True, help=say("the track", "la catégorie"))
    play.add_argument("--seeds", type=int, nargs="+", default=list(rules.SEEDS), help=say("1 2 3, unless given", "1 2 3, sauf indication"))
    play.add_argument("--out", type=Path, help=say("the folder of the record", "le dossier du record"))
    again = commands.add_parser("again", help=say("run a record with a fresh seed", "rejouer un record avec une autre graine"))
    again.add_argument("folder", type=Path, help=say("the record's folder", "le dossier du record"))
    again.add_argument("--seed", type=int, help=say("the seed (one more than the largest)", "la graine (une de plus que la plus grande)"))
    for command in (play, again):
        command.add_argument("--by", choices=rules.BY, default=None, help=say("what time is counted in", "en quoi se compte le temps"))
    checking = commands.add_parser("check", help=say("check digests, sums and limits", "vérifier empreintes, sommes et limites"))
    checking.add_argument("folders", type=Path, nargs="*", help=say("all records, unless given", "tous les records, sauf indication"))
    commands.add_parser("board", help=say("write the scoreboard into the pages", "écrire le tableau dans les pages"))
    play.add_argument("--seconds", type=float, help=say("less time, to try", "moins de temps, pour essayer"))
    play.add_argument("--prompts", type=int, help=say("fewer questions, to try", "moins de questions, pour essayer"))
    checking.add_argument("--toy", action="store_true", help=say("accept a try", "admettre un essai"))
    return parser


_WHAT = (
    "from nothing to pictures of what a sentence says, in minutes on two cores; how to play: book/en/golf.md",
    "de rien à des images de ce que dit une phrase, en quelques minutes sur deux cœurs ; comment jouer : book/fr/golf.md",
)


def _help(_: argparse.Namespace) -> int:
    _parser().print_help()
    print("\n" + board(sentence_language()))
    return 0


def _play(given: argparse.Namespace) -> int:
    source, by = check_source(given.file), given.by or "wall"
    track = TRACKS[given.track].shortened(given.seconds, given.prompts)
    out = given.out or Path("runs") / "golf" / f"{given.track}-{given.file.resolve().parent.name}-{given.file.stem}"
    record = None
    for seed in given.seeds:
        print(_seed_begins(track, seed, by), flush=True)
        run, log = judge(source, track, seed, by, tell=lambda sentence: print(sentence, flush=True))
        record = keep(out, source, track, by, run, log)
        print(_one_run(record, run), flush=True)
    if record is None:
        return 1
    print("\n" + table([record], sentence_language()))
    print("\n" + say(f"written in {out}", f"écrit dans {out}"))
    if record.track != TRACKS[track.name]:
        english, french = "less time or fewer questions than the rules say", "moins de temps ou de questions que la règle"
        print(say(f"{english}: a try, and no record", f"{french} : un essai, pas un record"))
    return 0


def _again(given: argparse.Namespace) -> int:
    record = check(given.folder, toy=True)
    seed = given.seed if given.seed is not None else max(run["seed"] for run in record.runs) + 1
    by = given.by or record.by
    print(_seed_begins(record.track, seed, by), flush=True)
    source = check_source(given.folder / "record.py")
    run, _ = judge(source, record.track, seed, by, tell=lambda sentence: print(sentence, flush=True))
    anew = Record(record.folder, record.track, by, [run])
    print(_one_run(anew, run), flush=True)
    before, after = record.figure(), anew.figure()
    print("\n" + table([record, Record(Path(say("again", "rejoué")), record.track, by, [run])], sentence_language()) + "\n")
    holds = exam.stands(before, after.mean, after.variance)
    was, now = decimal(100 * before.mean), decimal(100 * after.mean)
    if holds:
        print(say(f"the record stands: {was}% before, {now}% now", f"le record tient : {was} % avant, {now} % maintenant"))
    else:
        print(say(f"the record does not stand: {was}% before, {now}% now", f"le record ne tient pas : {was} % avant, {now} % maintenant"))
    return 0 if holds else 1


def _check(given: argparse.Namespace) -> int:
    for folder in given.folders or folders():
        record = check(folder, given.toy)
        seeds = ", ".join(str(run["seed"]) for run in record.runs)
        print(say(f"{folder}: in order (seeds: {seeds})", f"{folder} : en ordre (graines : {seeds})"))
        if any(run["library"]["digest"] != library()["digest"] for run in record.runs):
            english = "  the library has changed since it was played; `again` tells whether it still stands"
            print(say(english, "  la bibliothèque a changé depuis qu'il a été joué ; `again` dit s'il tient encore"))
    return 0


def _board(_: argparse.Namespace) -> int:
    for path in write():
        print(path)
    return 0


def _seed_begins(track: Track, seed: int, by: str) -> str:
    seconds = f"{track.seconds(by):.0f}"
    return say(
        f"seed {seed}: {seconds} s of {'wall time' if by == 'wall' else 'CPU'}, then {track.prompts} questions",
        f"graine {seed} : {seconds} s {'de temps réel' if by == 'wall' else 'de processeur'}, puis {track.prompts} questions",
    )


def _one_run(record: Record, run: dict) -> str:
    """What a run came to, skill by skill, in a few lines."""
    asked, marks = questions(record.track.prompts, run["exam_seed"]), run["marks"].split()
    names = SKILL_NAMES[sentence_language()]
    skills = ", ".join(f"{names[skill]} {100 * each['correct'] / max(1, each['n']):.0f}" for skill, each in run["skills"]["seen"].items())
    seen, held = (decimal(100 * exam.mark_of(asked, marks, split)) for split in exam.SPLITS)
    cost = ", ".join(f"{run[name]:.0f}" for name in ("wall_seconds", "cpu_seconds", "calibrated_cpu_seconds"))
    chance, untrained, shuffled = (decimal(100 * run["probes"][name]) for name in ("chance", "untrained", "shuffled"))
    updates, pictures, size = run["updates"], run["samples"], decimal(run["bytes"] / 1e6)
    english = (
        f"mark {seen}, held out {held} ({skills})",
        f"wall, CPU and calibrated CPU seconds {cost}; load {run['load']}; {updates} updates, {pictures} pictures, {size} MB",
        f"guessing gets {chance}, untrained weights {untrained}, its weights in disorder {shuffled}",
    )
    french = (
        f"note {seen}, combinaisons réservées {held} ({skills})",
        f"secondes réelles, de processeur, calibrées {cost} ; charge {run['load']} ; {updates} mises à jour, {pictures} images, {size} Mo",
        f"le hasard obtient {chance}, des poids non entraînés {untrained}, ses poids en désordre {shuffled}",
    )
    return "  " + say("\n  ".join(english), "\n  ".join(french))


if __name__ == "__main__":
    sys.exit(main())
