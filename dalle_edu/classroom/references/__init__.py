"""References, one file for each brick or group of bricks: the same inputs are given to our code and to independent code."""
