"""Hard negatives: captions wrong in one thing, paraphrases, and the contrastive
loss that learns from both.
"""
