"""The plane dragger of lesson 07: the picture is what the decoder makes of the point, in a notebook and on a page."""

import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from dalle_edu.bricks.vae import VAE, VAEConfig, latent_plane
from dalle_edu.classroom.widgets import plane_dragger
from dalle_edu.classroom.widgets.plane_dragger import PlaneDragger
from dalle_edu.errors import DalleEduError
from dalle_edu.language import speak


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")


def vae(latent: int = 2, pixels: int = 16) -> VAE:
    torch.manual_seed(0)
    made = VAE(VAEConfig(pixels, latent, (12,)))
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(3)
    return made


def dragger() -> PlaneDragger:
    images = torch.rand(30, 16, generator=torch.Generator().manual_seed(1))
    return PlaneDragger(vae(), images, torch.arange(30) % 10)


def pixels_of(shown) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(shown.png)).convert("RGB")).astype(float) / 255


def test_the_picture_shown_is_what_the_decoder_makes_of_the_point():
    here = dragger()
    canvas = pixels_of(here.at(0.5, -1.0))
    left, bottom, width, height = plane_dragger.SEEN
    rows, columns = canvas.shape[:2]
    side = min(width * columns, height * rows)  # a square in the middle of its place
    middle = (left + width / 2) * columns, (1 - bottom - height / 2) * rows
    wanted = vae().decode(torch.tensor([[0.5, -1.0]]))[0].detach().view(4, 4)
    for row in range(4):
        for column in range(4):
            x, y = (centre + (place - 1.5) / 4 * side for centre, place in zip(middle, (column, row), strict=True))
            assert canvas[int(y), int(x)].mean() == pytest.approx(float(wanted[row, column]), abs=0.02)


def test_the_point_stands_where_the_script_of_a_page_looks_for_it():
    here = dragger()
    away = np.abs(pixels_of(here.at(-1.5, 1.0)) - pixels_of(here.at(1.5, -2.0))).sum(axis=2)
    left, bottom, width, height = plane_dragger.PLANE
    rows, columns = away.shape
    reach = plane_dragger.REACH
    for first, second in ((-1.5, 1.0), (1.5, -2.0)):
        x = (left + width * (first + reach) / (2 * reach)) * columns
        y = (1 - bottom - height * (second + reach) / (2 * reach)) * rows
        assert away[int(y), int(x)] > 0.3
    here.explorer.frames = lambda: "<img>"  # the pictures are not asked for here
    placed = re.search(r'"plane": ({[^}]*})', here.frames())[1]
    assert json.loads(placed) == {"left": left, "top": pytest.approx(1 - bottom - height), "width": width, "height": height}


def test_a_page_has_the_pictures_of_the_latent_plane():
    here = dragger()
    places = here.explorer.knobs["first"].values
    assert places == here.explorer.knobs["second"].values
    np.testing.assert_allclose(places, latent_plane(8)[0, :, 0], atol=0.005)
    page = here.frames()
    assert page.count("data:image/png") == 64 + 1  # and the first again, which is shown
    assert len(set(re.findall(r"data:image/png;base64,[^\"]+", page))) == 64
    assert json.dumps(places) in page
    assert page.count('type="range"') == 2


def test_sliders_move_the_point_anywhere():
    first, second, shown = dragger().widget().children
    before = shown.value
    first.value = 1.25
    assert "at (1.25, " in shown.value
    second.value = -2.0
    assert "at (1.25, -2.00)" in shown.value
    assert shown.value != before


def test_the_description_names_the_nearest_digit_and_speaks_french():
    here = dragger()
    first, second = here.means[7].tolist()
    assert f"is a {int(here.labels[7])}." in here.at(first, second).alt
    speak("fr")
    assert "le point en (0,50 ; -1,00)" in dragger().at(0.5, -1.0).alt.replace("\u00a0", " ")


def test_what_has_no_plane_is_refused():
    with pytest.raises(DalleEduError, match="has 3 latents; a plane has 2"):
        PlaneDragger(vae(latent=3), torch.zeros(1, 16), torch.zeros(1).long())
    with pytest.raises(DalleEduError, match="of 15 pixels"):
        PlaneDragger(vae(pixels=15), torch.zeros(1, 15), torch.zeros(1).long())
    with pytest.raises(DalleEduError, match="and 2 labels"):
        PlaneDragger(vae(), torch.zeros(1, 16), torch.zeros(2).long())
