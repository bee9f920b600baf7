"""The bricks, one file per idea, in lesson order; each imports earlier ones."""

# An import-linter contract in pyproject.toml keeps each brick from importing later
# ones, and a test compares its order with this one.
BRICKS = (
    "perceptron", "mlp", "words", "word2vec", "recurrent", "language_model",
    "seq2seq", "convolution", "pooling", "attention", "transformer", "guidance",
    "decoding", "gpt", "bart", "autoencoder", "vae", "codebook", "dvae", "gan",
    "dcgan", "cyclegan", "vqgan", "unet_blocks", "unet", "noise_schedule",
    "diffusion", "inpainting", "samplers", "contrastive", "zero_shot",
)  # fmt: skip
