"""Best of many: what is kept is what the critic likes, and examined it is better for it."""

import json

import pytest
import torch
from tiny_systems import build

from dalle_edu import cli
from dalle_edu.bricks.contrastive import CLIPConfig
from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard import mark, parse_pictures, questions, score
from dalle_edu.studies.candidates import score_against_candidates
from dalle_edu.systems.clip import Clip, ClipConfig, ClipModel
from dalle_edu.systems.critics import reranking
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.critics.reranking import BestOf, best_of, draw_candidates, judge
from dalle_edu.systems.interface.noise import uniforms_for
from dalle_edu.systems.interface.system import System
from dalle_edu.world import read_caption, render, sample_scene

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]


class Bright(Critic):
    """Likes bright pictures, whatever is said of them."""

    title, scale = "bright", torch.tensor(1.0)

    def encode_images(self, images):
        angle = (1 - images.mean(dim=(1, 2, 3))) / 2
        return torch.stack([angle.cos(), angle.sin()], dim=1)

    def encode_texts(self, captions):
        return torch.tensor([[1.0, 0.0]]).expand(len(captions), 2)


class Guesser(System):
    """Draws what was said one time in five, and otherwise something else."""

    name, presets = "guesser", {}
    evaluations = 1
    resolution = 32

    def __init__(self):
        super().__init__()
        self.scenes = {question.text: question.scene for question in questions(16)}

    def generate(self, prompts, *, seed=0, **options):
        draws = zip(prompts, uniforms_for(len(prompts), 2, seed).tolist(), strict=True)
        scenes = [self.scenes[text] if luck < 0.2 else sample_scene(int(1e6 * other)) for text, (luck, other) in draws]
        return render(scenes, 32)

    def stage_loss(self, *arguments):
        raise NotImplementedError


class Examiner(Critic):
    """Reads pictures as the examiner does, and likes those that it finds right."""

    title, scale = "examiner", torch.tensor(1.0)

    def __init__(self, texts):
        self.texts = list(dict.fromkeys(texts))

    def encode_images(self, images):
        found = parse_pictures(images)
        marks = [[mark(read_caption(text), objects) for text in self.texts] for objects in found]
        return torch.tensor([[sum(each.values()) / len(each) for each in row] for row in marks])

    def encode_texts(self, captions):
        return torch.eye(len(self.texts))[[self.texts.index(text) for text in captions]]


@pytest.fixture(scope="module")
def tiny() -> System:
    return build("dalle1")


# ---------------------------------------------------------------- choosing


def test_what_is_kept_is_what_the_critic_likes_best_in_order(tiny):
    every = draw_candidates(tiny, PROMPTS, 6, seed=2)
    liked = judge(Bright(), every, PROMPTS)
    images, scores = best_of(tiny, PROMPTS, Bright(), candidates=6, keep=3, seed=2)
    assert images.shape == (3, 3, 3, 32, 32)
    torch.testing.assert_close(scores, liked.sort(dim=1, descending=True).values[:, :3])
    for i in range(3):
        brightness = every[i].mean(dim=(1, 2, 3)).sort(descending=True).values[:3]
        torch.testing.assert_close(images[i].mean(dim=(1, 2, 3)), brightness)


def test_four_are_kept_unless_another_number_is_asked_for(tiny):
    images, scores = best_of(tiny, PROMPTS[:1], Bright(), candidates=6)
    assert len(images[0]) == len(scores[0]) == 4


def test_one_candidate_is_what_the_system_draws(tiny):
    images, _ = best_of(tiny, PROMPTS, Bright(), candidates=1, keep=1, seed=3)
    assert torch.equal(images[:, 0], tiny.generate(PROMPTS, seed=3))


def test_options_reach_the_system_and_the_seed_decides(tiny):
    plain = draw_candidates(tiny, PROMPTS[:1], 2, seed=3)
    assert torch.equal(draw_candidates(tiny, PROMPTS[:1], 2, seed=3), plain)
    assert not torch.equal(draw_candidates(tiny, PROMPTS[:1], 2, seed=4), plain)
    assert not torch.equal(draw_candidates(tiny, PROMPTS[:1], 2, seed=3, guidance_scale=6.0), plain)


def test_more_candidates_than_a_call_draws_are_drawn_in_several(tiny, monkeypatch):
    monkeypatch.setattr(reranking, "MAX_IMAGES", 4)
    told = []
    images = draw_candidates(tiny, PROMPTS, 2, seed=0, callback=told.append)
    assert [len(each.state) for each in told if each.index == 0] == [4, 2]
    assert images.shape == (3, 2, 3, 32, 32)
    torch.testing.assert_close(images[0, 0], tiny.generate(PROMPTS[:1], seed=0)[0], atol=1e-5, rtol=0)
    again = draw_candidates(tiny, [PROMPTS[0]] * 3, 2, seed=0)
    assert not torch.equal(again[0], again[2])  # another call, other chance


@pytest.mark.parametrize(("candidates", "keep"), [(0, 1), (1025, 1), (4, 5), (4, 0)])
def test_more_cannot_be_kept_than_are_drawn(tiny, candidates, keep):
    with pytest.raises(DalleEduError, match=r"candidates"):
        best_of(tiny, PROMPTS, Bright(), candidates, keep)


# ---------------------------------------------------------------- the curve


def test_the_best_of_more_is_better_for_a_critic_that_sees_and_not_for_one_that_does_not():
    system, asked = Guesser(), questions(16)
    right = Examiner([question.text for question in asked])
    seeing = score_against_candidates(system, right, prompts=16, candidates=(1, 4, 8))
    blind = score_against_candidates(system, Bright(), prompts=16, candidates=(1, 8))
    assert set(seeing) == {0, 1, 4, 8}

    def rate(report) -> float:
        return sum(all(marks.values()) for marks in report.marks) / len(report.marks)

    assert rate(seeing[1]) == rate(blind[1]) < 0.5
    assert rate(seeing[1]) < rate(seeing[4]) < rate(seeing[8])
    assert rate(seeing[8]) == rate(seeing[0]) > 0.7
    assert rate(blind[8]) < 0.5


def test_a_system_that_chooses_is_examined_as_any_other():
    asked = questions(16)
    chooser = BestOf(Guesser(), Examiner([question.text for question in asked]), candidates=8)
    chosen, plain = (score(each, "x", prompts=16).rates()["shape"] for each in (chooser, Guesser()))
    assert chosen.correct > plain.correct + 3
    assert "8" in chooser.name


# ---------------------------------------------------------------- the command line


@pytest.fixture
def run(monkeypatch, capsys, tmp_path, tiny):
    torch.manual_seed(0)
    tiny.save(tmp_path / "tiny.safetensors")
    towers = CLIPConfig(resolution=16, stem_depth=0, width=16, heads=2, image_depth=1, text_depth=1, embedding=8)
    Clip(ClipConfig(ClipModel(towers))).save(tmp_path / "critic.safetensors")
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["dalle-edu", *map(str, words)])
        try:
            cli.main()
            status = 0
        except SystemExit as stop:
            status = stop.code or 0
        return int(status), capsys.readouterr().err

    return call


def test_generate_keeps_the_best(run, tmp_path):
    own = ("--system", "tiny.safetensors", "--clip", "critic.safetensors", "--temperature", 1)
    assert run("generate", *PROMPTS[:2], *own, "--candidates", 5, "-n", 2, "--out", "a.png", "--json", "a.json") == (0, "")
    report = json.loads((tmp_path / "a.json").read_text())
    scores = [picture["clip_score"] for picture in report["pictures"]]
    assert len(scores) == 4
    assert scores[0] >= scores[1]
    assert scores[2] >= scores[3]
    assert report["candidates"] == 5


def test_score_examines_the_best(run, tmp_path):
    own = ("--clip", "critic.safetensors", "--prompts", 4, "--json", "s.json")
    status, _ = run("score", "tiny.safetensors", *own, "--candidates", 3)
    assert status == 0
    assert "3" in json.loads((tmp_path / "s.json").read_text())["system"]


def test_score_examines_a_critic(run, tmp_path):
    status, _ = run("score", "critic.safetensors", "--prompts", 8, "--json", "c.json")
    assert status == 0
    assert json.loads((tmp_path / "c.json").read_text())["questions"]["zero_shot_shape"]["n"] == 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--candidates", 2, "-n", 4), "keep 1 to 2"),
        (("--candidates", 2, "-n", 1, "--clip", "tiny.safetensors"), "what compares is wanted"),
        (("--candidates", 2, "-n", 1, "--clip", "nothing"), "nothing"),
        (("--candidates", 2, "-n", 1, "--clip", "ViT-B-32/openai"), "cannot be fetched"),
    ],
)
def test_mistakes_end_in_one_sentence(run, words, said):
    status, err = run("generate", PROMPTS[0], "--system", "tiny.safetensors", *words)
    assert status != 0
    assert len(err.strip().splitlines()) == 1
    assert said in err
