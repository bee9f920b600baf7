"""Checkpoints: the file format, the weights that come with the package, and the hub of pretrained models."""
