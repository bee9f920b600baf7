"""Shapes as signed distance functions.

A shape is a function of two coordinates, `x` to the right and `y` upwards, that gives the distance from each point to the outline:
negative inside, positive outside. The unit is the object's radius, and every shape fits in the disc of radius 1. The renderer needs
nothing else to draw an object at any place, size and resolution.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Distance = Callable[[Tensor, Tensor], Tensor]


def circle(x: Tensor, y: Tensor) -> Tensor:
    """A disc of radius 0.9."""
    return torch.hypot(x, y) - 0.9


def ring(x: Tensor, y: Tensor) -> Tensor:
    """A band between the radii 0.48 and 0.96."""
    return (torch.hypot(x, y) - 0.72).abs() - 0.24


def square(x: Tensor, y: Tensor) -> Tensor:
    """An upright square of half-side 0.7."""
    return _box(x, y, 0.7, 0.7)


def cross(x: Tensor, y: Tensor) -> Tensor:
    """Two bars at a right angle, each 0.6 wide."""
    return torch.minimum(_box(x, y, 0.94, 0.3), _box(x, y, 0.3, 0.94))


def diamond(x: Tensor, y: Tensor) -> Tensor:
    """A rhombus on its point, about two thirds as wide as it is high."""
    width, height = 0.68, 1.0
    return (height * x.abs() + width * y.abs() - width * height) / math.hypot(width, height)


def triangle(x: Tensor, y: Tensor) -> Tensor:
    """An equilateral triangle, one corner up."""
    slope = math.sqrt(3) / 2  # the two upper sides face the directions (±√3/2, 1/2), at half the circumscribed radius
    y = y + 0.075  # centred by eye, between the middle of its corners and that of its height
    return torch.maximum(slope * x.abs() + 0.5 * y, -y) - 0.48


def star(x: Tensor, y: Tensor) -> Tensor:
    """A five-pointed star, one point up. Reflections fold the plane onto one half of the upper point, whose edge is one line."""
    x = x.abs()
    for angle in (3 * math.pi / 5, math.pi / 5):  # the mirrors through the notches right of the axis, measured from the top
        normal_x, normal_y = math.cos(angle), -math.sin(angle)
        beyond = 2 * (x * normal_x + y * normal_y).clamp(min=0)
        x, y = x - beyond * normal_x, y - beyond * normal_y
    x = x.abs()
    tip, notch = 1.0, 0.45
    notch_x, notch_y = notch * math.sin(math.pi / 5), notch * math.cos(math.pi / 5)
    edge_x, edge_y = notch_x, notch_y - tip
    return ((tip - y) * edge_x + x * edge_y) / -math.hypot(edge_x, edge_y)


def heart(x: Tensor, y: Tensor) -> Tensor:
    """A heart: the union of a square on its point and two discs centred on its upper sides."""
    x, y = x.abs(), y + 0.1
    half = 0.36  # the square's corners are at (±2 half, 0) and (0, ±2 half), the discs' centres midway between two corners
    side = half * math.sqrt(2)
    point = _box((x - y) / math.sqrt(2), (x + y) / math.sqrt(2), side, side)
    lobe = torch.hypot(x - half, y - half) - side
    return torch.minimum(point, lobe)


def _box(x: Tensor, y: Tensor, half_width: float, half_height: float) -> Tensor:
    return torch.maximum(x.abs() - half_width, y.abs() - half_height)
