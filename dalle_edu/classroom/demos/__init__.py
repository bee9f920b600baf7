"""Experiments, one file for each brick or group of bricks: each takes under a minute on two cores, and gives a figure and numbers."""
