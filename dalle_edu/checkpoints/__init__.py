"""Weights on disk: the file format, where the weights that come with the package are, and the hub that others come from."""
