"""The kernel painter: nine numbers to set, and a picture as the convolution with them makes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.convolution import conv2d
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import Picture, picture, plot
from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say, with_minus

LIMIT = 9.0  # the largest weight that can be set, and its negative the smallest


class KernelPainter:
    """Pictures of ink in [0, 1], 0 for white paper, and kernels by name: nine knobs and two menus in a notebook, two menus on a page.

    Raises `DalleEduError` for no picture or kernel, for a kernel that is not 3 x 3, and for more than 64 pairs of them. Lesson 04.
    """

    def __init__(self, pictures: Mapping[str, Float[Tensor, "h w"]], kernels: Mapping[str, Sequence[Sequence[float]]]):
        self.pictures = dict(pictures)
        self.kernels = {name: torch.tensor(rows, dtype=torch.float32) for name, rows in kernels.items()}
        for name, kernel in self.kernels.items():
            if kernel.shape != (3, 3):
                raise DalleEduError(
                    f"the kernel “{name}” is of shape {tuple(kernel.shape)}; give three rows of three numbers",
                    f"le noyau « {name} » est de forme {tuple(kernel.shape)} ; donnez trois lignes de trois nombres",
                )
        self.explorer = Explorer(
            lambda kernel, seen: draw_seen(self.pictures[seen], self.kernels[kernel]),
            kernel=Knob(say("kernel", "noyau"), list(self.kernels), list(self.kernels)),
            seen=Knob(say("picture", "image"), list(self.pictures), list(self.pictures)),
        )

    def __repr__(self) -> str:
        return repr(self.explorer)

    def _ipython_display_(self) -> None:
        show_widget(self.widget, self.explorer.frames, lambda box: box.children[-1].value, repr(self))

    def widget(self) -> Any:
        """The painter for a notebook, an ipywidgets box: two menus, nine numbers, and what they make of the picture."""
        from ipywidgets import HTML, BoundedFloatText, Dropdown, GridBox, Layout, VBox

        begun = next(iter(self.kernels))
        menus = [
            Dropdown(options=names, value=next(iter(names)), description=label)
            for label, names in ((say("picture", "image"), list(self.pictures)), (say("kernel", "noyau"), list(self.kernels)))
        ]
        weights = [
            BoundedFloatText(
                value=float(weight),
                min=-LIMIT,
                max=LIMIT,
                step=1.0,
                layout=Layout(width="5em"),
                tooltip=say(f"row {place // 3 + 1}, column {place % 3 + 1}", f"ligne {place // 3 + 1}, colonne {place % 3 + 1}"),
            )
            for place, weight in enumerate(self.kernels[begun].flatten())
        ]
        shown = HTML()

        def redraw(_: Any = None) -> None:
            kernel = torch.tensor([weight.value for weight in weights]).view(3, 3)
            shown.value = draw_seen(self.pictures[menus[0].value], kernel)._repr_html_()

        def take(change: Any) -> None:
            for weight, number in zip(weights, self.kernels[change["new"]].flatten().tolist(), strict=True):
                weight.value = round(number, 2)

        menus[0].observe(redraw, names="value")
        menus[1].observe(take, names="value")
        for weight in weights:
            weight.observe(redraw, names="value")
        redraw()
        grid = GridBox(weights, layout=Layout(grid_template_columns="repeat(3, 5.5em)"))
        return VBox([*menus, grid, shown])


def draw_seen(image: Float[Tensor, "h w"], kernel: Float[Tensor, "3 3"]) -> Picture:
    """A picture of ink in [0, 1], the nine numbers of a kernel, and the map of their weighted sums: orange above 0, purple below."""
    seen = conv2d(image[None, None].float(), kernel[None, None])[0, 0]
    figure, panels = plot(1, 3, width=8.2, height=2.9, margins={"left": 0.01, "bottom": 0.01, "right": 0.99, "top": 0.91, "wspace": 0.08})
    panels[0].imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=1)
    panels[0].set_title(say("picture", "image"))
    strongest = max(float(kernel.abs().max()), 1e-9)
    panels[1].imshow(kernel.numpy(), cmap="PuOr_r", vmin=-strongest, vmax=strongest)
    for place, weight in enumerate(kernel.flatten().tolist()):
        colour = "white" if abs(weight) > 0.7 * strongest else "black"
        panels[1].text(place % 3, place // 3, _weight(weight), ha="center", va="center", color=colour, fontsize=14)
    panels[1].set_title(say("kernel", "noyau"))
    reach = max(float(seen.abs().max()), 1e-9)
    panels[2].imshow(seen.numpy(), cmap="PuOr_r", vmin=-reach, vmax=reach)
    panels[2].set_title(say("what it sees", "ce qu'il voit"))
    for panel in panels:
        panel.set(xticks=[], yticks=[])
    low, high = (with_minus(decimal(float(bound))) for bound in (seen.min(), seen.max()))
    rows = " / ".join(" ".join(map(_weight, row)) for row in kernel.tolist())
    en = f"A picture, the kernel {rows}, and the map of its sums, from {low} to {high}: orange above zero, purple below."
    fr = f"Une image, le noyau {rows}, et la carte de ses sommes, de {low} à {high} : orange au-dessus de zéro, violet au-dessous."
    return picture(figure, say(en, fr))


def _weight(weight: float) -> str:
    """A weight in the reader's language: a whole number without decimals, any other with two."""
    return with_minus(decimal(weight, 0 if weight == round(weight) else 2))
