"""The bricks, one file per idea, in lesson order; each imports earlier ones."""

# An import-linter contract in pyproject.toml keeps each brick from importing later
# ones, and a test compares its order with this one.
BRICKS = (
    "perceptron", "mlp", "words", "word2vec", "recurrent", "language_model",
    "seq2seq", "convolution", "pooling", "attention", "transformer", "guidance",
    "decoding", "unet_blocks", "unet", "segmentation", "autoencoder", "vae",
    "codebook", "gan", "dcgan", "cyclegan", "vqgan", "noise_schedule", "diffusion",
    "inpainting", "samplers", "flow", "dvae", "neighbours", "local_model",
    "cached_gpt", "gpt", "contrastive", "zero_shot", "bart",
)  # fmt: skip
