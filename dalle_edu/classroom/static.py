"""Whether a page without a kernel is being made: book, slides and PDF show finished frames where a notebook shows widgets."""

import os


def is_static() -> bool:
    """True while the book and the slides are built (DALLE_EDU_STATIC=1)."""
    return os.environ.get("DALLE_EDU_STATIC", "") not in ("", "0")
