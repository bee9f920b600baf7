"""Parts of systems: networks that are built from several bricks, and the
augmentation of CLIP's pictures.
"""
