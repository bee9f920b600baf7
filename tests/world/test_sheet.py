import pytest
import torch
from PIL import Image

from dalle_edu.errors import DalleEduError
from dalle_edu.world import World, picture_sheet, render, save_picture


def tiles(n: int, resolution: int = 32) -> tuple[torch.Tensor, list[str]]:
    scenes, captions = zip(*(World(n, seed=1)[i] for i in range(n)), strict=True)
    return render(scenes, resolution), list(captions)


def test_a_saved_sheet_opens_as_the_same_png(tmp_path):
    sheet = picture_sheet(*tiles(6), columns=3)
    save_picture(sheet, tmp_path / "deep" / "sheet.png")
    with Image.open(tmp_path / "deep" / "sheet.png") as opened:
        assert opened.format == "PNG"
        assert opened.mode == "RGB"
        assert opened.tobytes() == sheet.tobytes()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["sheet.png"]


def test_the_grid_has_the_columns_asked_for():
    images, captions = tiles(6)
    three, six = picture_sheet(images, captions, columns=3), picture_sheet(images, captions, columns=6)
    assert three.width < six.width
    assert three.height > six.height
    assert picture_sheet(images[:2], captions[:2], columns=6).width < three.width  # no empty column


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_each_picture_is_on_it(resolution):
    red, blue = torch.ones(2, 3, resolution, resolution)
    red[1:], blue[:2] = -1, -1
    sheet = picture_sheet(torch.stack([red, blue]), ["red", "blue"], columns=2, tile=96)
    assert sheet.getpixel((sheet.width // 4, 50)) == (255, 0, 0)
    assert sheet.getpixel((3 * sheet.width // 4, 50)) == (0, 0, 255)


def test_captions_are_written_under_the_pictures():
    images, _ = tiles(1)
    bare, written = picture_sheet(images, [" "], tile=192), picture_sheet(images, ["cœur à l'étoile"], tile=192)
    below = written.crop((0, 205, written.width, written.height)).convert("L")
    assert below.getextrema()[0] < 100  # ink
    assert written.height > bare.height


def test_values_outside_the_range_are_clipped():
    images = torch.full((1, 3, 32, 32), 7.0)
    assert picture_sheet(images, ["white"], tile=64).getpixel((40, 40)) == (255, 255, 255)


def test_the_pictures_are_left_as_they_were():
    images, captions = tiles(2)
    before = images.clone()
    picture_sheet(images, captions)
    assert torch.equal(images, before)


@pytest.mark.parametrize("captions", [[], ["one"], ["one", "two", "three"]])
def test_a_wrong_number_of_captions_is_refused(captions):
    with pytest.raises(DalleEduError, match=f"2 pictures came with {len(captions)} captions"):
        picture_sheet(torch.ones(2, 3, 32, 32), captions)


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet", "sheet.png.exe"])
def test_only_png_is_written(tmp_path, name):
    with pytest.raises(DalleEduError, match=r"end its name in \.png"):
        save_picture(Image.new("RGB", (4, 4)), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DalleEduError, match=r"sheet\.png could not be written"):
        save_picture(Image.new("RGB", (4, 4)), tmp_path / "file" / "sheet.png")


def test_no_caption_runs_into_its_neighbour():
    images = torch.ones(2, 3, 8, 8)
    long = "imagen: un anneau violet sous un grand cœur rouge, MMMMMMMM WWWWWWWW"
    sheet = picture_sheet(images, [long, ""], columns=2, tile=155)
    gap = sheet.width - 2 * 155 - 2 * (sheet.width - 2 * 155) // 3
    below = sheet.crop((gap + 155 + 1, gap + 155 + 2, 2 * gap + 155 - 1, sheet.height))  # between the columns
    assert below.getextrema() == ((255, 255),) * 3
    assert sheet.crop((0, gap + 155 + 2, gap + 155, sheet.height)).getextrema()[0][0] < 128  # there is a caption
