"""Networks that systems are made of and that are more than a brick, and how CLIP's
pictures are augmented.
"""
