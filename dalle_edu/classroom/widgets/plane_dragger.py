"""The plane dragger: a point is moved in the plane of a VAE's two latents, and the picture that it stands for follows."""

import hashlib
import json
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from dalle_edu.bricks.vae import VAE, latent_plane
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import COLOURS, READABLE, VERMILION, Picture, picture
from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say

SIDE = 8  # a page has 8 x 8 pictures
REACH = 2.5  # the plane that is shown goes from -2.5 to 2.5 on both axes
SIZE, DENSITY = (6.0, 3.5), 1.2  # of the figure, in inches, and its pixels for each pixel of the page
PLANE = (0.125, 0.16, 0.44, 0.78)  # left, bottom, width and height of the plane, in parts of the figure
_BY = 256  # the side of the picture that the point stands for, in pixels of the figure
SEEN = (0.62, 0.165, _BY / (100 * DENSITY * SIZE[0]), _BY / (100 * DENSITY * SIZE[1]))  # its place, likewise


class PlaneDragger:
    """The plane of a VAE's two latents, with a point to move and the picture that the decoder makes of it. Lesson 07.

    In a notebook two sliders move the point anywhere, and the decoder runs at each move. A page has the pictures of `latent_plane(8)`, and
    the point is dragged, or moved by the sliders. `images` (n, pixels), square when unflattened, are shown as their `labels`, digits, where
    the encoder puts their means; n is at most a few hundred, or the plane is hard to read.

    Raises `DalleEduError` for a VAE of another number of latents than 2, pictures that are not square, and labels of another number.
    """

    def __init__(self, vae: VAE, images: Float[Tensor, "n d"], labels: Int[Tensor, " m"]):
        pixels = vae.config.pixels
        self.side = round(pixels**0.5)
        if vae.config.latent != 2:
            raise DalleEduError(
                f"the VAE has {vae.config.latent} latents; a plane has 2: train one with latent=2",
                f"le VAE a {vae.config.latent} latents ; un plan en a 2 : entraînez-en un avec latent=2",
            )
        if self.side**2 != pixels or len(labels) != len(images):
            raise DalleEduError(
                f"there are {len(images)} pictures of {pixels} pixels and {len(labels)} labels; give square pictures, and a label for each",
                f"il y a {len(images)} images de {pixels} pixels et {len(labels)} étiquettes ; "
                "donnez des images carrées, et une étiquette pour chacune",
            )
        with torch.no_grad():
            self.means = vae.encode(images)[0].float()
        self.vae, self.labels = vae, labels
        self._drawn: ndarray | None = None
        places = [round(float(value), 2) for value in latent_plane(SIDE)[0, :, 0]]
        middle = SIDE // 2
        self.explorer = Explorer(
            lambda first, second: self.at(first, second),
            first=Knob(say("first latent", "premier latent"), places, start=middle),
            second=Knob(say("second latent", "second latent"), places, start=middle),
        )

    def __repr__(self) -> str:
        return repr(self.explorer)

    def _ipython_display_(self) -> None:
        show_widget(self.widget, self.frames, lambda box: box.children[-1].value, repr(self))

    @torch.no_grad()
    def decoded(self, first: float, second: float) -> Float[Tensor, "h w"]:
        """What the decoder makes of two latents, pixels in [0, 1] as a rule."""
        weight = next(self.vae.parameters())
        latents = torch.tensor([[first, second]], device=weight.device, dtype=weight.dtype)
        return self.vae.decode(latents)[0].float().cpu().view(self.side, self.side)

    def at(self, first: float, second: float) -> Picture:
        """The plane with the point at two latents, beside it what the decoder makes of them."""
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D

        figure = Figure(figsize=SIZE, dpi=100 * DENSITY)  # without axes, which would take most of the time of its 64 pictures
        figure.figimage(self._cloud(), zorder=-1)
        left, bottom, width, height = PLANE  # where the script of a page expects the plane
        x, y = left + width * (first + REACH) / (2 * REACH), bottom + height * (second + REACH) / (2 * REACH)
        figure.add_artist(
            Line2D([x], [y], marker="o", markersize=13, markerfacecolor=VERMILION, markeredgecolor="white", markeredgewidth=1.8)
        )
        times = max(1, _BY // self.side)
        enlarged = self.decoded(first, second).numpy().repeat(times, 0).repeat(times, 1)
        left, bottom, width, height = SEEN
        across, up = round(100 * DENSITY * SIZE[0] * left), round(100 * DENSITY * SIZE[1] * bottom)
        figure.figimage(enlarged, across, up, cmap="gray", vmin=0, vmax=1, origin="upper")
        where = f"({decimal(first, 2)}{say(', ', ' ; ')}{decimal(second, 2)})"
        words = say(f"decoded from\n{where}", f"décodé de\n{where}")
        figure.text(left + width / 2, bottom + height + 0.02, words, color=VERMILION, fontsize=12, ha="center", va="bottom")
        near = self._nearest(first, second)
        en = f"The plane of two latents, the point at {where}, and the picture decoded there; the nearest digit of the cloud is a {near}."
        fr = (
            f"Le plan des deux latents, le point en {where}, et l'image décodée là ; le chiffre le plus proche dans le nuage est un {near}."
        )
        return picture(figure, say(en, fr), DENSITY)

    def _cloud(self) -> UInt8[ndarray, "h w 4"]:
        """The plane with the means of the pictures, each as its digit: read by its shape, found by its colour. It is drawn once."""
        if self._drawn is None:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure

            figure = Figure(figsize=SIZE, dpi=100 * DENSITY)
            axes = figure.add_axes(PLANE)
            for place, digit in enumerate(sorted(set(self.labels.tolist()))):
                means, colour = self.means[self.labels == digit], COLOURS[place % len(COLOURS)]
                axes.scatter(means[:, 0], means[:, 1], s=34, marker=f"${digit}$", color=colour, linewidth=0.2, alpha=0.75)
            axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xticks=[-2, 0, 2], yticks=[-2, 0, 2])
            axes.set_xlabel(say("first latent", "premier latent"), fontsize=READABLE, labelpad=1)
            axes.set_ylabel(say("second latent", "second latent"), fontsize=READABLE, labelpad=-4)
            axes.tick_params(labelsize=READABLE)
            axes.spines[["top", "right"]].set_visible(False)
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            self._drawn = np.array(canvas.buffer_rgba())
        return self._drawn

    def _nearest(self, first: float, second: float) -> int:
        away = (self.means.cpu() - torch.tensor([first, second])).square().sum(dim=1)
        return int(self.labels[away.argmin()])

    def widget(self) -> Any:
        """The dragger for a notebook, an ipywidgets box: a slider for each latent, and the plane with the picture."""
        from ipywidgets import HTML, FloatSlider, Layout, VBox

        sliders = [
            FloatSlider(
                value=knob.values[knob.start],
                min=-REACH,
                max=REACH,
                step=0.05,
                description=knob.label,
                style={"description_width": "9em"},
                layout=Layout(width="30em"),
            )
            for knob in self.explorer.knobs.values()
        ]
        shown = HTML()

        def redraw(_: Any = None) -> None:
            shown.value = self.at(*(slider.value for slider in sliders))._repr_html_()

        for slider in sliders:
            slider.observe(redraw, names="value")
        redraw()
        return VBox([*sliders, shown])

    def frames(self) -> str:
        """The dragger for a page without a kernel, as HTML: 8 x 8 pictures, two sliders, and a script that lets the point be dragged."""
        page = self.explorer.frames()
        identity = "dragger-" + hashlib.sha256(page.encode()).hexdigest()[:10]
        left, bottom, width, height = PLANE
        data = {
            "places": self.explorer.knobs["first"].values,
            "reach": REACH,
            "plane": {"left": left, "top": 1 - bottom - height, "width": width, "height": height},
        }
        ask = say("Drag the point, or move the sliders.", "Faites glisser le point, ou bougez les curseurs.")
        return f'<div id="{identity}"><p>{ask}</p>{page}<script>({_SCRIPT})("{identity}", {json.dumps(data)});</script></div>'


_SCRIPT = """function (id, data) {
  const box = document.getElementById(id), image = box.querySelector("img");
  const sliders = box.querySelectorAll("input[data-knob]");
  const nearest = value => {
    const away = data.places.map(place => Math.abs(place - value));
    return away.indexOf(Math.min(...away));
  };
  function move(event) {
    const frame = image.getBoundingClientRect();
    const across = ((event.clientX - frame.left) / frame.width - data.plane.left) / data.plane.width;
    const down = ((event.clientY - frame.top) / frame.height - data.plane.top) / data.plane.height;
    if (across > 1.05) return;
    const reach = data.reach, found = [(2 * across - 1) * reach, (1 - 2 * down) * reach].map(nearest);
    if (found.every((place, i) => place === Number(sliders[i].value))) return;
    found.forEach((place, i) => { sliders[i].value = place; });
    sliders.forEach(slider => slider.dispatchEvent(new Event("input")));
  }
  image.draggable = false;
  image.style.touchAction = "none";
  image.style.cursor = "crosshair";
  image.addEventListener("pointerdown", event => {
    image.setPointerCapture(event.pointerId);
    move(event);
  });
  image.addEventListener("pointermove", event => { if (event.buttons) move(event); });
}"""
