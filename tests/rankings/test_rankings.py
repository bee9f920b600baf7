"""Rankings: questions that are fair, files that hold, and agreement as scipy and the eye find it."""

import json
from itertools import combinations
from pathlib import Path

import pytest
import torch
from tiny_systems import build

from dalle_edu.classroom.widgets.ranking import ranking as desk
from dalle_edu.datasets import Coco, write_coco_sample
from dalle_edu.errors import DalleEduError
from dalle_edu.rankings.agreement import agreement, agreements, places_of, ranked_by_critic, ranked_by_examiner
from dalle_edu.rankings.questionnaire import PROTOCOL, Questionnaire, Ranking, RankingQuestion, caption_questions, picture_questions
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.world import read_caption, render, sample_scene

RANKINGS = Path(__file__).parents[2] / "data" / "rankings"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return Coco(write_coco_sample(tmp_path_factory.mktemp("coco"), 40), "sample", 64)


@pytest.fixture
def folder(dataset, tmp_path):
    return Questionnaire(caption_questions(dataset, 6)).save(tmp_path / "asked")


class Longest(Critic):
    """Likes long sentences, whatever it sees."""

    title, scale = "longest", torch.tensor(1.0)

    def encode_images(self, images):
        return torch.tensor([[1.0, 0.0]]).expand(len(images), 2)

    def encode_texts(self, captions):
        angle = torch.tensor([1 / len(caption) for caption in captions])
        return torch.stack([angle.cos(), angle.sin()], dim=1)


def test_each_picture_has_its_own_sentence_a_near_one_and_a_far_one(dataset):
    questions = caption_questions(dataset, 12, seed=3)
    said = {caption: pair for pair in dataset.pairs for caption in pair.captions}
    for question in questions:
        assert sorted(question.meant) == [1, 2, 3]
        assert question.pictures.shape == (1, 3, 64, 64)
        own, near, far = (set(question.sentences[question.meant.index(place)].split()) for place in (1, 2, 3))
        assert len(own & near) / len(own | near) >= len(own & far) / len(own | far)
        assert not own <= near
        assert not near <= own
        pair = said[question.sentences[question.meant.index(1)]]
        assert torch.equal(dataset.picture(pair), question.pictures[0])
    assert {question.meant.index(1) for question in questions} == {0, 1, 2}  # the best stands anywhere


def test_the_same_seed_asks_the_same(dataset):
    again = caption_questions(dataset, 5, seed=1)
    assert [q.sentences for q in caption_questions(dataset, 5, seed=1)] == [q.sentences for q in again]
    assert [q.sentences for q in caption_questions(dataset, 5, seed=2)] != [q.sentences for q in again]


def test_the_examiner_finds_the_sentence_that_was_meant(dataset):
    questionnaire = Questionnaire(caption_questions(dataset, 30))
    examiner = ranked_by_examiner(questionnaire)
    assert len(examiner.places) == 30
    for name, places in examiner.places.items():
        assert places[questionnaire.questions[name].meant.index(1)] == 1
    found = agreement(questionnaire.ranking(PROTOCOL), examiner)
    assert found.tau > 0.8
    assert found.low <= found.tau <= found.high
    assert abs(agreement(questionnaire.ranking(PROTOCOL), ranked_by_critic(questionnaire, Longest())).tau) < 0.4


def test_pictures_of_a_sentence_are_ranked_by_their_marks():
    scene = sample_scene(0, 0, "seen", kinds={"pair": 1.0})
    other = sample_scene(0, 1, "seen", kinds={"count": 1.0})
    from dalle_edu.world import caption

    question = RankingQuestion("q", (caption(scene.description, "en"),), render([other, scene], 64))
    assert read_caption(question.sentences[0]) == scene.description
    assert ranked_by_examiner(Questionnaire([question])).places == {"q": (2, 1)}


def test_a_sentence_that_the_examiner_cannot_read_has_no_place():
    for unread in ("a dog", "5 red circles", "no red circle", "a red circle on a boat"):
        question = RankingQuestion("q", (unread, "a red circle"), torch.zeros(1, 3, 64, 64))
        assert ranked_by_examiner(Questionnaire([question])).places == {}


def test_a_system_draws_the_pictures():
    questions = picture_questions(build("dalle1"), ["un cercle rouge", "two stars"], choices=3)
    assert [question.pictures.shape for question in questions] == [(3, 3, 32, 32)] * 2
    assert [question.sentences for question in questions] == [("un cercle rouge",), ("two stars",)]


def test_places_of_equals_are_shared():
    assert places_of([0.1, 0.9, 0.9, 0.5]) == (4, 1, 1, 3)


def test_agreement_is_kendalls():
    def concordance(a, b):  # without equals: pairs in the same order less pairs in the other, of all pairs
        pairs = list(combinations(range(len(a)), 2))
        return sum(1 if (a[i] < a[j]) == (b[i] < b[j]) else -1 for i, j in pairs) / len(pairs)

    one = Ranking("one", "person", {"a": (1, 2, 3, 4), "b": (2, 1, 3, 4), "c": (1, 1, 1, 1)})
    other = Ranking("other", "person", {"a": (4, 3, 2, 1), "b": (1, 2, 3, 4), "c": (1, 2, 3, 4), "d": (1, 2, 3, 4)})
    found = agreement(one, other)
    taus = [concordance(one.places[name], other.places[name]) for name in "ab"]
    assert found.tau == pytest.approx(sum(taus) / 2)
    assert (found.questions, found.tied) == (2, 1)
    assert found.low == pytest.approx(min(taus))
    assert found.high == pytest.approx(max(taus))


def test_rankings_that_share_no_question_are_not_compared():
    assert agreements([Ranking("a", "person", {"x": (1, 2)}), Ranking("b", "person", {"y": (1, 2)})]) == []
    tied = agreement(Ranking("a", "person", {"x": (1, 1)}), Ranking("b", "person", {"x": (1, 2)}))
    assert (tied.questions, tied.tied, tied.low, tied.high) == (0, 1, -1.0, 1.0)


def test_what_is_saved_is_loaded(folder, dataset):
    asked = caption_questions(dataset, 6)
    questionnaire = Questionnaire.load(folder)
    assert list(questionnaire.questions) == [question.name for question in asked]
    for question in asked:
        found = questionnaire.questions[question.name]
        assert (found.sentences, found.meant) == (question.sentences, question.meant)
        assert (found.pictures - question.pictures).abs().max() <= 1 / 127  # bytes
    answer = Ranking("Zoé", "person", {"captions-00": (1, 3, 2)})
    questionnaire.add(answer)
    assert Questionnaire.load(folder).ranking("Zoé") == answer
    questionnaire.add(Ranking("Zoé", "person", {"captions-01": (2, 2, 1)}))
    assert dict(Questionnaire.load(folder).ranking("Zoé").places) == {"captions-01": (2, 2, 1)}


def test_nothing_is_written_over(folder, dataset):
    with pytest.raises(DalleEduError, match="holds something already"):
        Questionnaire(caption_questions(dataset, 2)).save(folder)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Ranking("../out", "person"), "name of letters"),
        (lambda: Ranking("anna", "cat"), "choose among: person"),
        (lambda: Ranking("anna", "protocol"), "belong together"),
        (lambda: Ranking("protocol", "person"), "belong together"),
        (lambda: Questionnaire([], [Ranking("anna", "person", {"x": (1, 2)})]), "no question here"),
        (
            lambda: Questionnaire([RankingQuestion("x", ("a", "b"), torch.zeros(1, 3, 8, 8))], [Ranking("anna", "person", {"x": (1, 3)})]),
            "2 places, from 1 to 2",
        ),
        (lambda: Questionnaire([]).ranking("anna"), "has ranked nothing"),
    ],
)
def test_rankings_that_cannot_be_are_refused(make, complaint):
    with pytest.raises(DalleEduError, match=complaint):
        make()


@pytest.mark.parametrize(
    ("file", "contents", "complaint"),
    [
        ("questions.json", "{", "JSON"),
        ("questions.json", '{"questions": []}', "JSON"),
        ("questions.json", '{"questions": [{"name": "x", "sentences": ["a"], "pictures": []}]}', "JSON"),
        ("questions.json", '{"questions": [{"name": "x", "sentences": ["a", "b"], "pictures": ["../../x.png"]}]}', "leaves the folder"),
        ("questions.json", '{"questions": [{"name": "x", "sentences": ["a", "b"], "pictures": ["none.png"]}]}', "none.png cannot be used"),
        ("captions-00-0.png", "GIF89a", "captions-00-0.png cannot be used"),
        ("captions-00-0.png", "\x89PNG", "captions-00-0.png cannot be used"),
        ("captions-00-0.png", "\x89PNG" + 12 * "\0" + "\0\0\x13\x88", "5000 > 4096 pixels"),
        ("captions-00-0.png", "\x89PNG" + 16 * "\0", "captions-00-0.png cannot be used"),
        ("rankings/anna.json", "[1]", "rankings/anna.json cannot be used"),
        ("rankings/anna.json", '{"rater": "anna", "kind": "person", "places": {"captions-00": 3}}', "rankings/anna.json cannot be used"),
        ("rankings/anna.json", '{"rater": "anna", "kind": "person", "places": {"captions-00": [1, 2]}}', "anna answers"),
    ],
)
def test_damaged_files_are_named(folder, file, contents, complaint):
    (folder / "rankings").mkdir(exist_ok=True)
    (folder / file).write_bytes(contents.encode("latin-1"))
    with pytest.raises(DalleEduError, match=complaint):
        Questionnaire.load(folder)


def test_a_person_ranks_at_the_desk_and_goes_on_later(folder):
    first = desk(folder, "anna")
    assert len(first.open) == 6
    widget = first.widget()
    view, choices, (keep, said) = widget.children[0], widget.children[1], widget.children[2].children
    keep.click()
    assert "alert" in said.value
    assert len(first.open) == 6
    for dropdown, place in zip(choices.children, (2, 1, 3), strict=True):
        dropdown.value = place
    keep.click()
    assert json.loads((folder / "rankings" / "anna.json").read_text())["places"] == {"captions-00": [2, 1, 3]}
    later = desk(folder, "anna")
    assert [question.name for question in later.open] == [f"captions-0{i}" for i in range(1, 6)]
    for question in later.open:
        later.answer(question.name, (1, 1, 1))
    assert "All answered" in later.widget().children[0].value or "répondu à tout" in later.widget().children[0].value
    assert "<img" in view.value
    assert "<img" in later.page()
    with pytest.raises(DalleEduError, match="takes another name"):
        desk(folder, PROTOCOL)


def test_the_command_asks_and_compares(run, tmp_path):
    assert run("rank", "captions", tmp_path / "asked", "-n", 8, "--side", 64)[0] == 0
    assert run("rank", "compare", tmp_path / "asked", "--without-clip", "--json", tmp_path / "report.json")[0] == 0
    (found,) = json.loads((tmp_path / "report.json").read_text())["agreements"]
    assert found["raters"] == ["protocol", "examiner"]
    assert found["tau"] > 0.5
    status, _, complaint = run("rank", "captions", tmp_path / "asked", "-n", 8)
    assert status == 1
    assert "holds something already" in complaint


# ---------------------------------------------------------------- the questionnaires that come with the project


def test_the_questionnaires_that_everybody_ranks_are_whole():
    captions, pictures = (Questionnaire.load(RANKINGS / name) for name in ("captions", "pictures"))
    assert [question.choices for question in captions.questions.values()] == [3] * 20
    assert [question.choices for question in pictures.questions.values()] == [4] * 20
    meant = agreement(captions.ranking(PROTOCOL), ranked_by_examiner(captions))
    assert meant.low > 0.5
    drawn = ranked_by_examiner(pictures)
    assert sum(len(set(places)) > 1 for places in drawn.places.values()) >= 15  # most sentences have right pictures and wrong ones


def test_people_who_ranked_them_are_people():
    for folder in ("captions", "pictures"):
        raters = [ranking for ranking in Questionnaire.load(RANKINGS / folder).rankings if ranking.kind != PROTOCOL]
        assert all(ranking.kind == "person" and ranking.places for ranking in raters)
