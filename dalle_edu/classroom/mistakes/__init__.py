"""Classic mistakes, one file for each brick or group of bricks: wrong versions of functions and classes, each with its explanation."""
