"""References, one file for each brick: the same inputs to our code and to code that nobody here wrote."""
