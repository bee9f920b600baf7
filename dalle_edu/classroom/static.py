"""The static mode of figures and quizzes: book, slides and PDF have no kernel, so they show pictures where a notebook shows widgets."""

import os


def is_static() -> bool:
    """Whether the book or the slides are being built; the builder sets DALLE_EDU_STATIC=1."""
    return os.environ.get("DALLE_EDU_STATIC", "") not in ("", "0")
