"""Executed lessons are kept: what executes one again and what does not, in real kernels, with a trial lesson and a package of its own."""
