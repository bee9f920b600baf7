"""What tests of training share: a run that was left alone, and one that was killed."""

from broken_run import broken, folder, undisturbed  # noqa: F401  fixtures
