"""The one exception that a reader meets on purpose: a sentence that says what came, what was expected, what to do."""

from dalle_edu.language import say


class DalleEduError(ValueError):
    """Bad input, told in one sentence of the reader's language. The command line prints it and exits with status 1."""

    def __init__(self, en: str, fr: str):
        super().__init__(say(en, fr))
