"""References, one file for each brick or group of bricks: the same inputs are given to our code and to independent code."""

ELSEWHERE = {  # by module: the files that also speak of it, without being called after a part of its path; a check imports no others
    "codebook": ("vqvae",),
    "convolution": ("patches", "residual"),
    "diffusion": ("denoising",),
    "flow": ("flow_samplers",),
    "gan": ("gan_training",),
    "gpt": ("code_sampling",),
    "guidance": ("decoding", "inpainting"),
    "language_model": ("recurrent",),
    "mlp": ("perceptron",),
    "pooling": ("convolution",),
    "scorecard.exam": ("world",),
    "scorecard.picture_parser": ("pictures",),
    "segmentation": ("pictures",),
    "systems.families.cascade": ("pictures",),
    "systems.vqgan_clip": ("cut_outs",),
    "vae": ("latents",),
    "word2vec": ("word2vec_training",),
    "words": ("similarity",),
}
