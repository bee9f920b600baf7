"""Golf: from nothing to pictures of what a sentence says, at 32 pixels, in a few minutes of a laptop.

A record is one Python file. `rules` says what it may be and do, `judge` trains it, has it draw and marks it, `record` keeps what came of
it, and `scoreboard` shows it. `python -m benchmarks.golf` tells how to play.
"""
