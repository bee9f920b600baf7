"""The bricks, one file per idea, in lesson order; each imports earlier ones."""

# in the order of the lessons; an import-linter contract, which a test holds to this
# list, keeps each from importing later ones
BRICKS = (
    "perceptron", "mlp", "words", "word2vec", "recurrent", "language_model",
    "seq2seq", "convolution", "attention", "transformer", "guidance", "decoding",
    "gpt", "bart", "autoencoder", "vae", "codebook", "dvae", "gan", "dcgan",
    "cyclegan", "vqgan", "unet_blocks", "unet", "noise_schedule", "diffusion",
    "inpainting", "samplers", "contrastive", "zero_shot",
)  # fmt: skip
