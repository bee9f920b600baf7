"""Install the course from this folder, with no network and no rights: python install.py [--to FOLDER]

Installe le cours à partir de ce dossier, sans réseau et sans droits : python install.py [--to DOSSIER]

Python's standard library is all that it needs. Everything goes into one folder, which may be deleted to remove it.
"""

import argparse
import hashlib
import json
import locale
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
SENTENCES = {"en": "a large red circle to the left of a small blue square", "fr": "un grand cercle rouge à gauche d'un petit carré bleu"}
SPACE = 1.2  # of what the wheels hold, for compiled files


def language():
    """ "fr" where the reader's machine speaks French, else "en"."""
    said = [os.environ.get(name, "") for name in ("DALLE_EDU_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next(filter(None, said), "") or (locale.getlocale()[0] or "")
    return "fr" if chosen.lower().startswith("fr") else "en"


def say(en, fr):
    """The sentence in the reader's language."""
    return fr if language() == "fr" else en


def fits(bundle):
    """Whether the bundle has wheels for this machine and this Python."""
    here = (list(sys.version_info[:2]), platform.system(), platform.machine())
    return any((each["python"], each["system"], each["machine"]) == here for each in bundle["machines"])


def checksum(path):
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def broken(bundle):
    """The names of wheels that are missing, or not what was packed."""
    wrong = []
    for name, digest in bundle["wheels"].items():
        path = HERE / "wheels" / name
        if not path.is_file() or checksum(path) != digest:
            wrong.append(name)
    return wrong


def refuse(bundle, folder):
    """Leave with a sentence, before anything is written, where the installation would fail."""
    if not fits(bundle):
        has = ", ".join(each["name"] for each in bundle["machines"])
        here = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        sys.exit(
            say(
                f"This archive is for {has}, and this is {here}. Use one of those, or ask for an archive for this machine.",
                f"Cette archive est pour {has}, et cette machine est {here}. Prenez l'une de celles-là, ou demandez une archive pour elle.",
            )
        )
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file())):
        sys.exit(
            say(
                f"{folder} holds something else: name a folder that does not exist yet, with --to FOLDER.",
                f"{folder} contient autre chose : nommez un dossier qui n'existe pas encore, par --to DOSSIER.",
            )
        )
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(there, os.W_OK):
        sys.exit(
            say(
                f"{there} cannot be written to: name another folder, with --to FOLDER.",
                f"On ne peut pas écrire dans {there} : nommez un autre dossier, par --to DOSSIER.",
            )
        )
    needed, free = bundle["bytes_on_disk"] * SPACE / 1e9, shutil.disk_usage(there).free / 1e9
    if free < needed:
        left, wanted = (f"{size:.1f}".replace(".", say(".", ",")) for size in (free, needed))
        sys.exit(
            say(
                f"{there} has {left} GB left, and {wanted} are needed: make room, or name another folder, with --to FOLDER.",
                f"Il reste {left} Go dans {there}, et il en faut {wanted} : libérez-en, ou nommez un autre dossier, par --to DOSSIER.",
            )
        )
    wrong = broken(bundle)
    if wrong:
        sys.exit(
            say(
                f"The copy of this archive is damaged: {', '.join(wrong)}. Copy the archive again.",
                f"La copie de cette archive est abîmée : {', '.join(wrong)}. Recopiez l'archive.",
            )
        )


def install(bundle, folder, extra):
    """Make an environment in the folder and install into it what is beside this file. Returns the path of its Python."""
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / ("python.exe" if os.name == "nt" else "python")
    pip = next(HERE.glob("wheels/pip-*.whl"))
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    alone["PIP_CONFIG_FILE"] = os.devnull
    command = [str(python), "-I", str(pip / "pip"), "--isolated", "--disable-pip-version-check", "install", "--quiet"]
    command += ["--no-index", "--only-binary", ":all:", "--find-links", str(HERE / "wheels"), f"dalle-edu{extra}=={bundle['version']}"]
    done = subprocess.run(command, env=alone)
    if done.returncode:
        sys.exit(say("The installation stopped: see above.", "L'installation s'est arrêtée : voyez ci-dessus."))
    return python


def main():
    """Check, install, draw a picture, and say what to do next."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path.home() / "dalle-edu", help=say("the folder to make", "le dossier à créer"))
    parser.add_argument("--without-jupyterlab", action="store_true", help=say("the library alone", "la bibliothèque seule"))
    given = parser.parse_args()
    folder = given.to.expanduser().resolve()
    bundle = json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
    refuse(bundle, folder)
    print(say(f"Installing into {folder}: a few minutes.", f"Installation dans {folder} : quelques minutes."), flush=True)
    python = install(bundle, folder, "" if given.without_jupyterlab else "[course]")
    picture = folder / "first.png"
    drawn = subprocess.run([str(python), "-I", "-m", "dalle_edu", "generate", SENTENCES[language()], "-n", "1", "--out", str(picture)])
    if drawn.returncode:
        sys.exit(say("Installed, but it does not draw: see above.", "Installé, mais rien ne se dessine : voyez ci-dessus."))
    command = python.with_name("dalle-edu.exe" if os.name == "nt" else "dalle-edu")
    lab = python.with_name("jupyter-lab.exe" if os.name == "nt" else "jupyter-lab")
    lessons = Path.home() / ("dalle-edu-lecons" if language() == "fr" else "dalle-edu-lessons")
    print(
        say(
            f"Done; its first picture is {picture}. What each student types:",
            f"Fait ; sa première image est {picture}. Ce que tape chaque élève :",
        )
    )
    print(f'  "{command}" lessons get --language {language()} --to "{lessons}"')
    if lab.exists():
        print(f'  "{lab}" "{lessons}"')


if __name__ == "__main__":
    main()
