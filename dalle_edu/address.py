"""Where the project is published: the one place that says it.

Badges, links to files, what notebooks install from, the package's metadata and the citation follow these two, and are left out where they
are empty. Nothing is installed from an address that is not set. `make addresses` writes them again after a change.
"""

import os
from urllib.parse import quote, urlsplit

REPOSITORY = os.environ.get("DALLE_EDU_REPOSITORY", "").rstrip("/")  # https://github.com/OWNER/NAME
SITE = os.environ.get("DALLE_EDU_SITE", "").rstrip("/")  # the folder that `make book` fills, as readers reach it
BRANCH = "main"


def file_page(path: str) -> str:
    """The page that shows a file of the repository, `path` from its root; empty where no address is set."""
    return f"{REPOSITORY}/blob/{BRANCH}/{quote(path)}" if REPOSITORY else ""


def raw_file(path: str) -> str:
    """A file of the repository itself, such as a picture; empty where no address is set."""
    return f"{REPOSITORY}/raw/{BRANCH}/{quote(path)}" if REPOSITORY else ""


def book_page(path: str) -> str:
    """A page of the published book, `path` from the site's root; empty where no address is set."""
    return f"{SITE}/{path}" if SITE else ""


def on_github() -> str:
    """OWNER/NAME; empty where the repository is not on GitHub, or nowhere."""
    parts = urlsplit(REPOSITORY)
    return parts.path.strip("/") if parts.hostname == "github.com" else ""


def colab(notebook: str) -> str:
    """Colab's address of a notebook of the repository; empty where Colab cannot reach it."""
    return f"https://colab.research.google.com/github/{on_github()}/blob/{BRANCH}/{quote(notebook)}" if on_github() else ""


def binder(notebook: str) -> str:
    """Binder's address of a notebook of the repository; empty where no address is set."""
    if not REPOSITORY:
        return ""
    place = f"gh/{on_github()}" if on_github() else f"git/{quote(REPOSITORY, safe='')}"
    return f"https://mybinder.org/v2/{place}/{BRANCH}?urlpath={quote(f'lab/tree/{notebook}', safe='')}"
