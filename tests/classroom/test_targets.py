"""Exercises on what the bricks are made into: any target of the library can be checked, and stubbed in a lesson."""

import sys

import pytest
from wrong_answers import survivors, wrong_answers

from dalle_edu.classroom.builder.hollow import French, hollowed, imports_for, solution
from dalle_edu.classroom.checking.diagnosis import diagnose
from dalle_edu.classroom.checking.proof import prove_bricks, references
from dalle_edu.errors import DalleEduError

TARGETS: dict[str, tuple[str, ...]] = {  # those that lessons beyond the bricks write, with the methods that are the exercise
    "attention:directed_mask": (),
    "attention:DirectedAttention": ("forward",),
    "decoding:temper": (),
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
    "classroom.demos.unet:mean_iou": (),
}


@pytest.mark.parametrize("target", TARGETS)
def test_wrong_answers_made_by_machine_are_all_refused(target):
    wrong = wrong_answers(target, TARGETS[target])
    assert len(wrong) >= 8
    assert survivors(target, wrong) == []


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
