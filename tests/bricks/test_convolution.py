import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn

from dalle_edu.bricks.convolution import Patchify, ResidualBlock, Unpatchify, residual_stack


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def pictures(n: int, channels: int, side: int) -> torch.Tensor:
    return torch.randn(n, channels, side, side, dtype=torch.float64)


def stirred(module: nn.Module) -> nn.Module:
    """Every parameter away from its start, where zeros would hide a mistake."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module.double()


def convolve_by_hand(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """A 3 x 3 convolution as its definition says: for each of the nine neighbours, a matrix over channels."""
    padded = F.pad(x, (1, 1, 1, 1))
    height, width = x.shape[2:]
    total = bias.view(1, -1, 1, 1).expand(len(x), -1, height, width).clone()
    for row in range(3):
        for column in range(3):
            total += torch.einsum("nchw,dc->ndhw", padded[:, :, row : row + height, column : column + width], weight[:, :, row, column])
    return total


# ---------------------------------------------------------------- residual blocks


def test_a_residual_block_is_its_formula():
    block = stirred(ResidualBlock(6))
    x = pictures(2, 6, 5)
    look = convolve_by_hand(x.clamp(min=0), block.look.weight, block.look.bias)
    mix = torch.einsum("nchw,dc->ndhw", look.clamp(min=0), block.mix.weight[:, :, 0, 0]) + block.mix.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(block(x), x + mix, rtol=0, atol=1e-10)


def test_a_residual_block_is_pytorchs_composition():
    block = stirred(ResidualBlock(6))
    composed = nn.Sequential(nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 1)).double()
    composed[1].load_state_dict(block.look.state_dict())
    composed[3].load_state_dict(block.mix.state_dict())
    x = pictures(2, 6, 5)
    torch.testing.assert_close(block(x), x + composed(x), rtol=0, atol=1e-10)


def test_a_new_stack_is_the_identity_and_yet_learns():
    stack = residual_stack(4, depth=3)
    x = torch.randn(2, 4, 5, 5)
    assert len(stack) == 3
    assert torch.equal(stack(x), x)
    stack(x).square().sum().backward()
    for block in stack:
        assert block.mix.weight.grad.abs().sum() > 0


def test_a_block_does_not_change_its_input():
    x = pictures(1, 4, 5)
    before = x.clone()
    stirred(ResidualBlock(4))(x)
    assert torch.equal(x, before)


# ---------------------------------------------------------------- patches


@pytest.mark.parametrize("patch", [1, 2, 4])
def test_patchify_is_a_linear_map_of_each_patch(patch):
    patchify = stirred(Patchify(3, 5, patch))
    x = pictures(2, 3, 8)
    patches = rearrange(x, "n c (h p) (w q) -> n h w (c p q)", p=patch, q=patch)
    expected = F.linear(patches, patchify.weight.flatten(1), patchify.bias)
    torch.testing.assert_close(patchify(x), rearrange(expected, "n h w d -> n d h w"), rtol=0, atol=1e-10)


@pytest.mark.parametrize("patch", [1, 2, 4])
def test_unpatchify_paints_each_patch_from_its_neighbourhood(patch):
    """Pixel (a, b) of the patch at (i, j) is number a * p + b among the p² that the position paints for its channel."""
    width, channels, side = 5, 3, 4
    unpatchify = stirred(Unpatchify(width, channels, patch))
    x = pictures(2, width, side)
    painted = convolve_by_hand(x, unpatchify.paint.weight, unpatchify.paint.bias)
    expected = torch.empty(2, channels, side * patch, side * patch, dtype=torch.float64)
    for channel in range(channels):
        for a in range(patch):
            for b in range(patch):
                for i in range(side):
                    for j in range(side):
                        pixel = painted[:, channel * patch**2 + a * patch + b, i, j]
                        expected[:, channel, i * patch + a, j * patch + b] = pixel
    torch.testing.assert_close(unpatchify(x), expected, rtol=0, atol=1e-10)


def test_unpatchify_can_undo_patchify():
    """With the identity in the middle of its 3 x 3 window the one is the inverse of the other: nothing is lost or moved."""
    patch, channels = 2, 3
    width = channels * patch**2
    patchify, unpatchify = Patchify(channels, width, patch).double(), Unpatchify(width, channels, patch).double()
    with torch.no_grad():
        patchify.weight.copy_(torch.eye(width).view(width, channels, patch, patch))
        patchify.bias.zero_()
        unpatchify.paint.weight.zero_()
        unpatchify.paint.weight[:, :, 1, 1] = torch.eye(width)
        unpatchify.paint.bias.zero_()
    x = pictures(2, channels, 8)
    torch.testing.assert_close(unpatchify(patchify(x)), x, rtol=0, atol=1e-12)


def test_unpatchify_sees_one_neighbour_far():
    unpatchify = stirred(Unpatchify(2, 1, 2))
    x = pictures(1, 2, 7)
    other = x.clone()
    other[:, :, 3, 3] += 1
    moved = (unpatchify(other) - unpatchify(x))[0, 0].abs() > 1e-12
    touched = moved.view(7, 2, 7, 2).any(dim=3).any(dim=1)
    expected = torch.zeros(7, 7, dtype=torch.bool)
    expected[2:5, 2:5] = True
    assert torch.equal(touched, expected)
