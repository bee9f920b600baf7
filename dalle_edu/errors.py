"""The one exception that a reader meets on purpose: a sentence that says what came, what was expected, what to do."""


class DalleEduError(ValueError):
    """Bad input, told in one sentence. The command line prints it and exits with status 1."""
