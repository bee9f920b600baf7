"""The bricks, one file per idea, in lesson order; each imports only earlier ones."""

BRICKS = (
    "perceptron", "words", "recurrent", "seq2seq", "convolution", "attention", "transformer", "decoding", "gpt", "bart", "autoencoder",
    "codebook", "dvae", "gan", "cyclegan", "vqgan", "unet", "diffusion", "samplers", "contrastive",
)  # in the order of the lessons; an import-linter contract, which a test holds to this list, keeps it  # fmt: skip
