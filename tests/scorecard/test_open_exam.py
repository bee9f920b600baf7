"""The exam without an examiner, of systems whose marks are known: they draw the truth, noise, or what another caption says."""

import json
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from picture_book import CAPTIONS, page, write_picture_book
from tiny_systems import tiny_clip, tiny_dalle1

from dalle_edu.datasets.folder import Folder
from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard.caption_retrieval import GALLERY
from dalle_edu.scorecard.open_exam import held_out_losses, open_exam, open_score
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.critics.reranking import BestOf
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.world.domain import OpenDomain
from dalle_edu.world.sheet import as_pixels
from dalle_edu.world.tokenizer import caption_tokenizer


class Pictures:
    """A batch of pictures and captions, and a source whose held-out pictures these are."""

    name, fingerprint, domain, tokenizer, text_length, size = "pictures", "0", OpenDomain(()), caption_tokenizer(), None, None

    def __init__(self, images: torch.Tensor, captions: list[str]):
        self.at_full_size, self.captions = images, captions

    def images(self, resolution: int, device="cpu") -> torch.Tensor:
        return F.interpolate(self.at_full_size, size=(resolution, resolution), mode="area").to(device)

    def held_out(self, n: int) -> "Pictures":
        return Pictures(self.at_full_size[:n], self.captions[:n])

    def series(self, seed: int) -> "Pictures":
        return self

    def remarks(self, batch_size: int | None = None) -> list[str]:
        return []

    def __len__(self):
        return len(self.captions)

    def __getitem__(self, index):
        return self.at_full_size[index % len(self)], self.captions[index % len(self)]

    def collate(self, items) -> "Pictures":
        return Pictures(torch.stack([picture for picture, _ in items]), [caption for _, caption in items])


class Folderful(Pictures):
    """A source with an end: it is trained on 80 pictures and keeps others."""

    def __init__(self, trained: Pictures, kept: Pictures):
        super().__init__(trained.at_full_size, trained.captions)
        self.size, self.kept = len(trained), kept

    def held_out(self, n: int) -> Pictures:
        return self.kept.held_out(n)


def book(n: int, seed: int) -> Pictures:
    pages = [page(i, seed) for i in range(n)]
    images = torch.stack([torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(64, 64, 3) for picture, _ in pages])
    return Pictures(images.permute(0, 3, 1, 2) / 127.5 - 1, [caption for _, caption in pages])


class Prototypes(Critic):
    """Sees a picture as 8 x 8 colours, and takes a caption for the mean of the training pictures that have it."""

    title, scale = "prototypes", torch.tensor(1.0)

    def __init__(self, known: Pictures):
        seen = self._seen(known.images(32))
        self.mean = seen.mean(dim=0)
        self.of = {text: seen[[text == each for each in known.captions]].mean(dim=0) - self.mean for text in set(known.captions)}

    @staticmethod
    def _seen(images):
        return F.adaptive_avg_pool2d(images, 8).flatten(1)

    def encode_images(self, images):
        return F.normalize(self._seen(images) - self.mean, dim=1)

    def encode_texts(self, captions):
        return F.normalize(torch.stack([self.of[text] for text in captions]), dim=1)


class Oracle:
    """Draws, for the captions of a batch in order, what a test wants it to."""

    name, resolution = "oracle", 32

    def __init__(self, images: torch.Tensor):
        self.drawings, self.drawn, self.seeds = images, 0, []

    def generate(self, prompts, *, seed):
        start, self.drawn = self.drawn, self.drawn + len(prompts)
        self.seeds.append(seed)
        return self.drawings[start : self.drawn]


@pytest.fixture(scope="module")
def held_out() -> Pictures:
    return book(80, seed=1)


@pytest.fixture(scope="module")
def critic() -> Critic:
    return Prototypes(book(80, seed=0))


def chance_is_possible(rate) -> bool:
    facts = rate.to_json()
    return facts["low"] <= 1 / GALLERY <= facts["high"]


def test_a_perfect_system_gets_the_numbers_of_the_true_pictures(held_out, critic):
    report = open_exam(Oracle(held_out.images(32)), held_out, critic)
    assert report.drawn == report.true
    assert report.true.found.n == 80
    assert report.true.found.correct >= 72
    assert report.true.clip_score > report.true.clip_score_of_others + 40
    assert (report.kernel.drawn, report.kernel.deviation) == (report.kernel.floor, 0)
    assert report.frechet is None  # 192 channels, 80 pictures
    assert (report.pictures, report.captions, report.gallery, report.channels) == (80, 20, 20, 192)


def test_noise_is_at_chance_and_far_from_the_truth(held_out, critic):
    noise = torch.rand(80, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    report = open_exam(Oracle(noise), held_out, critic)
    assert chance_is_possible(report.drawn.found)
    assert abs(report.drawn.clip_score - report.drawn.clip_score_of_others) < 5
    assert report.kernel.drawn > report.kernel.floor + 5 * report.kernel.deviation
    assert report.true == open_exam(Oracle(held_out.images(32)), held_out, critic).true


def test_true_pictures_under_wrong_captions_are_faithful_and_at_chance(held_out, critic):
    order = torch.randperm(80, generator=torch.Generator().manual_seed(0))
    report = open_exam(Oracle(held_out.images(32)[order]), held_out, critic)
    assert chance_is_possible(report.drawn.found)
    assert abs(report.drawn.clip_score - report.drawn.clip_score_of_others) < 10
    assert abs(report.kernel.drawn - report.kernel.floor) < 3 * report.kernel.deviation


def test_the_exam_repeats_itself_and_asks_with_seeds_of_its_own(held_out, critic):
    one, two = Oracle(held_out.images(32)), Oracle(held_out.images(32))
    assert open_exam(one, held_out, critic, seed=3) == open_exam(two, held_out, critic, seed=3)
    assert one.seeds == two.seeds == [3_000_009, 3_000_073]


def test_seen_and_held_out_pictures_are_examined_apart(held_out, critic):
    known = book(80, seed=0)
    reports = open_score(Oracle(torch.cat([known.images(32)[:40], held_out.images(32)])), Folderful(known, held_out), critic, prompts=40)
    assert list(reports) == ["seen", "held_out"]
    for report in reports.values():
        assert report.pictures == 40
        assert report.drawn == report.true
    assert reports["seen"].memorization is None
    nothing_kept = Folderful(known, Pictures(torch.zeros(0, 3, 64, 64), []))
    assert list(open_score(Oracle(known.images(32)), nothing_kept, critic, prompts=8)) == ["seen"]


class Selection(BestOf):
    """The best of one."""

    def __init__(self, system):
        self.system, self.name = system, f"{system.name}, 1 × prototypes"

    def generate(self, prompts, *, seed=0, **options):
        return self.system.generate(prompts, seed=seed)


def test_the_best_of_several_pictures_is_examined_as_one_system(held_out, critic):
    report = open_exam(Selection(Oracle(held_out.images(32))), held_out, critic)
    assert report.drawn == report.true
    assert report.system == "oracle, 1 × prototypes"


def test_a_caption_that_the_critic_cannot_read_is_refused_before_anything_is_drawn(held_out, critic):
    oracle = Oracle(held_out.images(32))
    with pytest.raises(KeyError):
        open_exam(oracle, Pictures(held_out.at_full_size, ["of something else", *held_out.captions[1:]]), critic)
    assert oracle.drawn == 0


def test_a_critic_judges_itself_on_true_pictures_alone(held_out, critic):
    critic.resolution = 32
    report = open_exam(critic, held_out)
    assert report.true.found.correct >= 72
    assert report.drawn is report.kernel is report.sheet is None
    assert "drawn" not in " ".join(report.lines("en"))


def test_without_a_critic_only_the_sheet_is_left(held_out):
    report = open_exam(Oracle(held_out.images(32)), held_out)
    assert report.critic is report.true is report.kernel is None
    assert "no critic" in report.lines("en")[-1]
    assert "pas de critique" in report.lines("fr")[-1]


def test_the_sheet_holds_true_and_drawn_pictures_side_by_side(held_out):
    drawn = -held_out.images(32)
    sheet = open_exam(Oracle(drawn), held_out).sheet
    assert sheet.width == 4 * 128 + 5 * 8
    first = as_pixels(torch.cat([held_out.images(32)[:2], drawn[:2]]))[[0, 2, 1, 3]]
    for place, picture in enumerate(first):
        left = 8 + place * 136
        assert sheet.getpixel((left + 66, 8 + 66)) == tuple(picture[16, 16].tolist())


def test_the_report_is_said_in_both_languages_and_written_as_json(held_out, critic, tmp_path):
    report = open_exam(Oracle(held_out.images(32)), held_out, critic)
    english, french = report.lines("en"), report.lines("fr")
    assert len(english) == len(french) == 6
    assert "finds a picture's caption among 20: true pictures" in english[1]
    assert "by chance 5.0 %" in english[1]
    assert "au hasard 5,0\u00a0%" in french[1]
    assert "80 pictures; 192 channels take 768" in english[-1]
    report.save(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written == report.to_json()
    assert "skills" not in written
    assert written["true"]["found"]["n"] == 80
    assert written["frechet_distance"] is None


# ------------------------------------------------------------- memorisation


def test_copies_of_training_pictures_are_found_and_true_pictures_are_none(held_out):
    source = Folderful(book(80, seed=0), held_out)
    known, unknown = source.images(32), held_out.images(32)
    copied = open_score(Oracle(torch.cat([known, known])), source)["held_out"].memorization
    assert (copied.trained, copied.drawn, copied.nearer) == (80, pytest.approx(0, abs=1e-3), 1)
    honest = open_score(Oracle(torch.cat([known, unknown])), source)["held_out"]
    assert (honest.memorization.nearer, honest.memorization.drawn) == (0.5, honest.memorization.true)
    assert honest.memorization.true > 0.1
    assert "50 % of the time" in honest.lines("en")[1]
    without_end = open_score(Oracle(torch.cat([unknown[:9], unknown])), held_out, prompts=9)["held_out"]
    assert without_end.memorization is None


# ------------------------------------------------------------- losses


class Mean(Trainable):
    """A system whose loss is the mean of its pictures, plus noise in its first stage."""

    name, resolution, presets = "mean", 8, {}
    stages = tuple(Stage(name, ("part",), 0.5, 4, 1e-3, 0.5) for name in ("noisy", "exact"))

    def __init__(self):
        super().__init__()
        self.part, self.frozen = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1).eval()

    def stage_loss(self, stage, images, captions, progress, generator):
        assert progress == 1
        assert not self.training
        assert all(float(image.mean()) == pytest.approx(float(text), abs=1e-5) for image, text in zip(images, captions, strict=True))
        noise = torch.randn((), generator=generator) if stage == "noisy" else 0
        return {"loss": images.mean() + noise}


def test_losses_are_means_over_all_pictures_with_fixed_noise_and_leave_no_trace():
    values = torch.rand(130, generator=torch.Generator().manual_seed(0))  # 130: parts of 44, 43 and 43
    images, system = values.view(-1, 1, 1, 1).expand(-1, 3, 8, 8).contiguous(), Mean()
    losses = held_out_losses(system, images, [str(float(each)) for each in values])
    assert losses["exact"] == pytest.approx(float(values.mean()), abs=1e-6)
    assert losses["noisy"] != losses["exact"]
    torch.manual_seed(1)
    assert held_out_losses(system, images, [str(float(each)) for each in values]) == losses
    assert system.training
    assert system.part.training
    assert not system.frozen.training


@pytest.mark.parametrize("build", [tiny_dalle1, tiny_clip])
def test_real_systems_have_the_same_losses_each_time(build):
    system = build()
    images = torch.rand(6, 3, system.resolution, system.resolution, generator=torch.Generator().manual_seed(0)) * 2 - 1
    captions = ["a red circle", "un carré bleu", "a green star"] * 2
    losses = held_out_losses(system, images, captions)
    assert list(losses) == [stage.name for stage in system.stages]
    assert losses == held_out_losses(system, images, captions)
    assert all(parameter.grad is None for parameter in system.parameters())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [({"prompts": 0}, "an exam of 0 prompts"), ({"prompts": 100_001}, "it has 1 to 100000"), ({"seed": -1}, "the seed is -1")],
)
def test_bad_numbers_are_refused(held_out, arguments, complaint):
    with pytest.raises(DalleEduError, match=complaint):
        open_score(Oracle(held_out.images(32)), held_out, **arguments)


def test_an_exam_of_no_pictures_is_refused():
    with pytest.raises(DalleEduError, match="no held-out picture"):
        open_exam(SimpleNamespace(name="x", resolution=8), Pictures(torch.zeros(0, 3, 8, 8), []))


def test_the_book_has_twelve_pictures_of_each_of_twenty_captions():
    pages = [page(i) for i in range(240)]
    assert len(set(CAPTIONS)) == 20
    assert all([caption for _, caption in pages].count(text) == 12 for text in CAPTIONS)
    assert len({picture.tobytes() for picture, _ in pages}) == 240
    assert page(7, seed=0)[0].tobytes() == page(7, seed=0)[0].tobytes() != page(7, seed=1)[0].tobytes()


def test_the_book_is_a_folder_of_captioned_pictures(tmp_path):
    captions = write_picture_book(tmp_path / "book", n=21)
    folder = Folder(tmp_path / "book", resolution=64)
    assert [caption for _, caption in folder] == captions == [*CAPTIONS, CAPTIONS[0]]
    assert folder.report.good == 21
    assert torch.allclose(folder[3][0], book(4, seed=0).at_full_size[3], atol=0.01)
