"""Classic mistakes, one file for each brick or group of bricks: wrong versions of functions and classes, each with its explanation."""

ELSEWHERE = {  # by module: the files that also speak of it, without being called after a part of its path; a check imports no others
    "attention": ("multi_head_attention",),
    "convolution": ("filters", "matrices", "patches"),
    "decoding": ("truncation",),
    "flow": ("flow_samplers",),
    "gan": ("gan_training",),
    "inpainting": ("diffusion",),
    "language_model": ("recurrent",),
    "mlp": ("perceptron",),
    "pooling": ("convolution", "filters"),
    "scorecard.exam": ("world",),
    "scorecard.picture_parser": ("pictures",),
    "segmentation": ("pictures",),
    "systems.families.cascade": ("pictures",),
    "systems.vqgan_clip": ("cut_outs",),
    "unet_blocks": ("unet",),
    "vae": ("latents",),
    "zero_shot": ("contrastive",),
}
