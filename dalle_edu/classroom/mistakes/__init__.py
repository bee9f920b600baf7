"""Classic mistakes, one file for each brick: small wrong versions of its functions, each with what to tell whoever makes it."""
