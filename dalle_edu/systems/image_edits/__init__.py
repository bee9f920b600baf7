"""What systems do with a picture at hand: inpainting, completion, alteration,
variations.
"""
