"""Edits of a given picture: inpainting, completion, alteration, variations."""
