"""Exercises on what the bricks are made into: any target of the library can be checked, and stubbed in a lesson."""

import sys

import pytest
from wrong_answers import survivors, wrong_answers

from dalle_edu.classroom.builder.hollow import French, hollowed, imports_for, solution
from dalle_edu.classroom.checking.diagnosis import diagnose
from dalle_edu.classroom.checking.proof import prove_bricks, references
from dalle_edu.errors import DalleEduError

TARGETS: dict[str, tuple[str, ...]] = {  # those that lessons beyond the bricks write, with the methods that are the exercise
    "recurrent:RNNCell": ("forward",),
    "recurrent:LSTMCell": ("forward",),
    "recurrent:GRUCell": ("forward",),
    "recurrent:unroll": (),
    "language_model:teacher_forcing": (),
    "language_model:masked_cross_entropy": (),
    "language_model:sample_next": (),
    "language_model:CharacterModel": ("sample",),
    "seq2seq:DotAttention": ("scores",),
    "seq2seq:GeneralAttention": ("scores",),
    "seq2seq:AdditiveAttention": ("scores",),
    "seq2seq:Seq2Seq": ("translate",),
    "attention:directed_mask": (),
    "attention:DirectedAttention": ("forward",),
    "decoding:temper": (),
    "convolution:ResidualBlock": ("forward",),
    "convolution:Patchify": ("forward",),
    "convolution:Unpatchify": ("forward",),
    "words:Vocabulary": ("encode",),
    "words:one_hot": (),
    "words:cosine_similarity": (),
    "words:euclidean_similarity": (),
    "words:jaccard_similarity": (),
    "words:nearest": (),
    "words:analogy": (),
    "word2vec:windows": (),
    "word2vec:keep_probability": (),
    "word2vec:noise_distribution": (),
    "word2vec:negative_sampling_loss": (),
    "word2vec:Word2Vec": ("hidden",),
    "autoencoder:pca": (),
    "autoencoder:largest_angle": (),
    "autoencoder:Autoencoder": ("forward", "loss"),
    "vae:reparametrise": (),
    "vae:kl_to_standard_normal": (),
    "vae:bernoulli_log_likelihood": (),
    "vae:gaussian_log_likelihood": (),
    "vae:VAE": ("loss", "sample"),
    "vae:importance_log_likelihood": (),
    "vae:latent_plane": (),
    "vae:interpolate": (),
    "vae:slerp": (),
    "codebook:nearest_code": (),
    "codebook:straight_through": (),
    "codebook:vq_losses": (),
    "codebook:codes_alive": (),
    "codebook:VectorQuantizer": ("forward", "follow", "revive"),
    "codebook:VQVAE": ("loss",),
    "gan:optimal_discriminator": (),
    "gan:expected_value": (),
    "gan:jensen_shannon": (),
    "gan:discriminator_loss": (),
    "gan:saturating_loss": (),
    "gan:non_saturating_loss": (),
    "gan:hinge_discriminator_loss": (),
    "gan:discriminator_step": (),
    "gan:generator_step": (),
    "gan:algorithm_1": (),
    "gan:mode_coverage": (),
    "dcgan:PatchDiscriminator": ("__init__", "forward"),
    "cyclegan:least_squares_discriminator_loss": (),
    "cyclegan:least_squares_generator_loss": (),
    "cyclegan:HistoryPool": ("__call__",),
    "cyclegan:CycleGAN": ("translators_loss",),
    "cyclegan:cyclegan_step": (),
    "vqgan:PerceptualDistance": ("forward",),
    "vqgan:adaptive_weight": (),
    "noise_schedule:linear_schedule": (),
    "noise_schedule:cosine_schedule": (),
    "noise_schedule:shifted": (),
    "guidance:guided": (),
    "diffusion:add_noise": (),
    "diffusion:training_target": (),
    "diffusion:picture_and_noise": (),
    "diffusion:diffusion_loss": (),
    "diffusion:denoiser": (),
    "diffusion:dynamic_threshold": (),
    "inpainting:inpainting": (),
    "samplers:spaced_timesteps": (),
    "samplers:ddpm": (),
    "samplers:ddim": (),
    "samplers:dpm_solver": (),
    "flow:straight_path": (),
    "flow:endpoints": (),
    "flow:logit_normal_times": (),
    "flow:flow_matching_loss": (),
    "flow:spaced_times": (),
    "flow:euler": (),
    "flow:midpoint": (),
    "flow:heun": (),
    "systems.critics.reranking:judge": (),
    "systems.critics.reranking:best_of": (),
    "systems.vqgan_clip:cut_out": (),
    "systems.vqgan_clip:spherical_distance": (),
    "systems.hard_negatives.negatives:hard_negative": (),
    "systems.hard_negatives.attributes:compatible": (),
    "systems.hard_negatives.contrastive_loss:masked_clip_loss": (),
    "systems.hard_negatives.contrastive_loss:hard_negative_accuracy": (),
    "systems.image_edits.variations:on_the_way": (),
    "systems.image_edits.variations:ImageVariations": ("vary", "loop", "mix", "steer"),
    "systems.image_edits.rewriting:Rewriting": ("doubted", "complete", "alter"),
    "systems.parts.embedding_priors:DiffusionPrior": ("forward", "sample"),
    "systems.parts.embedding_priors:AutoregressivePrior": ("to_codes", "to_embedding", "forward"),
    "systems.parts.text_encoder:TextEncoder": ("forward", "sentence", "loss"),
    "systems.parts.text_encoder:text_encoder_loss": (),
    "systems.families.cascade:shrink": (),
    "systems.families.cascade:shrink_known": (),
    "scorecard.marks:mark": (),
    "scorecard.marks:tally": (),
    "scorecard.confidence_interval:wilson_interval": (),
    "scorecard.picture_parser:unmix": (),
    "scorecard.critic_exam:true_of": (),
    "scorecard.exam:questions": (),
    "rankings.agreement:places_of": (),
    "rankings.agreement:kendall_tau": (),
    "rankings.agreement:agreement": (),
    "world.grammar:unknown_words": (),
    "world.grammar:noun_phrase": (),
    "world.scenes:relation_between": (),
    "segmentation:mean_iou": (),
    "pooling:upsample_nearest": (),
    "pooling:linear_weights": (),
    "pooling:upsample_bilinear": (),
    "convolution:transposed_output_size": (),
    "convolution:conv_transpose2d": (),
    "unet_blocks:GroupNormBlock": ("forward",),
    "unet_blocks:sinusoidal_embedding": (),
    "unet:UNet": ("join", "down_and_up"),
}

RETURN_NOTHING = ("gan:algorithm_1",)  # and are given functions: there is little to change
NOT_WRONG = {"samplers:dpm_solver": ["generator is ignored"]}  # it adds no noise, and takes one only because all samplers are called alike


@pytest.mark.parametrize("target", TARGETS)
def test_wrong_answers_made_by_machine_are_all_refused(target):
    wrong = wrong_answers(target, TARGETS[target])
    assert len(wrong) >= (8 if target not in RETURN_NOTHING else 3)
    assert survivors(target, wrong) == NOT_WRONG.get(target, [])


def _stub(target: str, french: French, language: str) -> tuple[str, dict]:
    """An exercise's cell with empty bodies, and what running it defines, beside the imports that a lesson makes for it."""
    name = target.split(":")[1]
    code = solution(target, language, french)
    bare, scope = hollowed(code, language, TARGETS[target] or None), {"__name__": "__main__"}
    exec(compile(imports_for([(target, code)], {name}), "imports", "exec"), scope)
    exec(compile(bare, "cell", "exec"), scope)
    return bare, scope


def _in_french(target: str) -> French:
    """As many docstrings as the code has, and its comments: what a lesson gives, here without any sense."""
    code = None
    for docstrings in range(40):
        try:
            code = solution(target, "fr", French(("Une phrase.",) * docstrings, {}))
        except DalleEduError as error:
            found = error.args[0]
            count, comments = int(found.split("the code has ")[1].split(" docstrings")[0]), found.split("docstrings, ")[1].split("; the")[0]
            return French(("Une phrase.",) * count, dict.fromkeys(eval(comments), "un commentaire"))
    assert code is not None
    return French((), {})


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_an_exercise(target):
    """Hollowed, its code compiles, says nothing but `NotImplementedError`, and is told to begin; whole, it is right."""
    name, french = target.split(":")[1], _in_french(target)
    for language in ("en", "fr"):
        bare, scope = _stub(target, french, language)
        assert bare.count("raise NotImplementedError") >= max(len(TARGETS[target]), 1)
        assert diagnose(scope[name], target).kind == "untouched"
    exec(compile(solution(target, "en", french), "cell", "exec"), scope)
    assert diagnose(scope[name], target).right, diagnose(scope[name], target)


def test_every_reference_beyond_the_bricks_is_tried_here():
    assert {reference.target for reference in references() if "." in reference.module} <= set(TARGETS)


def test_what_is_beyond_the_bricks_is_proven_after_them(monkeypatch):
    held = [
        reference
        for reference in references()
        if reference.target in ("scorecard.marks:tally", "attention:causal_mask", "world.scenes:relation_between")
    ]
    monkeypatch.setattr(sys.modules[prove_bricks.__module__], "references", lambda target="": held[::-1])
    proofs = list(prove_bricks())
    assert [proof.target for proof in proofs] == ["attention:causal_mask", "scorecard.marks:tally", "world.scenes:relation_between"]
    assert all(proof.good and proof.mistakes >= 2 for proof in proofs)


def test_a_refusal_shows_descriptions_and_objects_as_they_are_written():
    verdict = diagnose(lambda description, objects: {"shape": True, "colours": True, "single_object": False}, "scorecard.marks:mark")
    given = "description = Description((Mention('star', colour='green'),)), objects = [Object('star', 'green', 'small', 0.5, 0.5, 0.14)]"
    assert f"With {given}, yours gives" in verdict.text, verdict.text
