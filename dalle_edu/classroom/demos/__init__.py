"""Experiments, one file for each brick: each trains in under a minute on two cores and shows something."""
