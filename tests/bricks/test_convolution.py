import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.convolution import (
    Patchify,
    ResidualBlock,
    SmallClassifier,
    Spread,
    Unpatchify,
    conv2d,
    conv2d_by_loops,
    conv_output_size,
    conv_transpose2d,
    convolution_matrix,
    im2col,
    receptive_field,
    residual_stack,
    transposed_output_size,
)
from dalle_edu.bricks.pooling import avg_pool2d, max_pool2d, upsample_bilinear, upsample_nearest
from dalle_edu.datasets.digits import digits
from dalle_edu.errors import DalleEduError


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


@pytest.mark.parametrize("patch", [1, 2, 3])
@pytest.mark.parametrize("kind", [Patchify, Spread])
def test_patches_are_the_convolutions_that_they_are_called_after(kind, patch):
    layer = stirred(kind(3, 5, patch))
    x = pictures(2, 3, 8)  # for patches of 3, two rows and columns are left aside
    torch.testing.assert_close(layer(x), super(kind, layer).forward(x), rtol=0, atol=1e-10)


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


# ---------------------------------------------------------------- the convolution, three times


def tensors(*shapes: tuple[int, ...], seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


settings = st.tuples(st.integers(1, 3), st.integers(0, 2))  # stride, padding


@given(seed=st.integers(0, 2**31), setting=settings, kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_the_three_tellings_agree(seed, setting, kernel):
    images, kernels = tensors((2, 2, 5, 4), (3, 2, *kernel), seed=seed)
    loops, product = conv2d_by_loops(images, kernels, *setting), conv2d(images, kernels, *setting)
    torch.testing.assert_close(loops, product)
    matrix = convolution_matrix(kernels, (5, 4), *setting)
    torch.testing.assert_close((images.flatten(1) @ matrix.T).view_as(product), product)


@given(seed=st.integers(0, 2**31), setting=settings)
def test_the_transposed_convolution_is_the_transpose(seed, setting):
    maps, kernels = tensors((2, 3, 3, 4), (3, 2, 3, 3), seed=seed)
    if setting[1] == 2 and setting[0] == 1:
        return  # paints less than the margin takes away
    painted = conv_transpose2d(maps, kernels, *setting)
    matrix = convolution_matrix(kernels, (painted.shape[2], painted.shape[3]), *setting)
    torch.testing.assert_close((maps.flatten(1) @ matrix).view_as(painted), painted)


def test_it_is_the_gradient_of_the_convolution():
    images, kernels, gradient = tensors((1, 2, 6, 6), (3, 2, 3, 3), (1, 3, 4, 4))
    images.requires_grad_()
    conv2d(images, kernels).backward(gradient)
    torch.testing.assert_close(images.grad, conv_transpose2d(gradient, kernels))


def test_the_arithmetic_by_hand():
    assert conv_output_size(5, 3, stride=2) == 2
    assert conv_output_size(8, 3, padding=1) == 8
    assert transposed_output_size(2, 2) == 3
    assert transposed_output_size(8, 4, stride=2, padding=1) == 16


@given(size=st.integers(1, 20), kernel=st.integers(1, 5), stride=st.integers(1, 4), padding=st.integers(0, 1))
def test_a_convolution_brings_back_what_its_transpose_painted(size, kernel, stride, padding):
    if (size - 1) * stride - 2 * padding + kernel >= 1:
        assert conv_output_size(transposed_output_size(size, kernel, stride, padding), kernel, stride, padding) == size


def test_a_shifted_picture_gives_shifted_maps():
    images, kernels = tensors((1, 1, 8, 8), (2, 1, 3, 3))
    torch.testing.assert_close(conv2d(images[:, :, 1:, 2:], kernels), conv2d(images, kernels)[:, :, 1:, 2:])


def test_gradients_are_right():
    images, kernels, maps = (tensor.requires_grad_() for tensor in tensors((1, 2, 4, 4), (2, 2, 3, 3), (1, 2, 2, 2)))
    assert torch.autograd.gradcheck(lambda x, k: conv2d(x, k, 2, 1), (images, kernels))
    assert torch.autograd.gradcheck(lambda x, k: conv_transpose2d(x, k, 2, 1), (maps, kernels))


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 3)), max_size=5))
def test_the_receptive_field_grows_with_every_kernel(chain):
    kernels, strides = [kernel for kernel, _ in chain], [stride for _, stride in chain]
    forwards, jump = 1, 1
    for kernel, stride in chain:
        forwards, jump = forwards + (kernel - 1) * jump, jump * stride
    assert receptive_field(kernels, strides) == forwards


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: conv_output_size(4, 5), "kernel of 5.*does not fit 4 pixels"),
        (lambda: conv_output_size(4, 0), "kernel of 0"),
        (lambda: conv_output_size(4, 2, stride=0), "stride 0"),
        (lambda: conv_output_size(4, 2, padding=-1), "padding -1"),
        (lambda: transposed_output_size(1, 2, padding=1), "paints nothing from 1 positions"),
        (lambda: conv2d(torch.zeros(1, 3, 8, 8), torch.zeros(4, 2, 3, 3)), "3 channels and the kernels expect 2"),
        (lambda: conv2d_by_loops(torch.zeros(1, 3, 8, 8), torch.zeros(4, 2, 3, 3)), "3 channels and the kernels expect 2"),
        (lambda: conv_transpose2d(torch.zeros(1, 3, 8, 8), torch.zeros(4, 2, 3, 3)), "3 channels and the kernels expect 4"),
        (lambda: im2col(torch.zeros(1, 3, 2, 8), (3, 3)), "does not fit 2 pixels"),
        (lambda: max_pool2d(torch.zeros(1, 1, 2, 2), 3), "does not fit 2 pixels"),
        (lambda: avg_pool2d(torch.zeros(1, 1, 4, 4), 2, 0), "stride 0"),
        (lambda: upsample_nearest(torch.zeros(1, 1, 2, 2), 0), "scale is 0"),
        (lambda: upsample_bilinear(torch.zeros(1, 1, 2, 2), -1), "scale is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, said, no_shape_checking):
    with pytest.raises(DalleEduError, match=said):
        call()


# ---------------------------------------------------------------- pooling and upsampling


@given(seed=st.integers(0, 2**31), scale=st.integers(1, 4))
def test_enlarging_keeps_the_mean_and_averaging_undoes_it(seed, scale):
    (images,) = tensors((1, 2, 3, 5), seed=seed)
    large = upsample_nearest(images, scale)
    torch.testing.assert_close(avg_pool2d(large, scale), images)
    torch.testing.assert_close(max_pool2d(large, scale), images)
    smooth = upsample_bilinear(images, scale)
    assert smooth.shape == large.shape
    assert smooth.max() <= images.max() + 1e-9
    assert smooth.min() >= images.min() - 1e-9


def test_bilinear_enlarging_of_a_ramp_is_a_ramp():
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    torch.testing.assert_close(upsample_bilinear(ramp, 2)[0, 0, 0], torch.tensor([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]))


# ---------------------------------------------------------------- the classifier


@pytest.mark.parametrize("size", [8, 13, 32])
def test_the_classifier_takes_any_size(size):
    assert SmallClassifier(3, 10)(torch.zeros(2, 3, size, size)).shape == (2, 10)


def test_the_classifier_learns_digits():
    images, labels = digits()
    torch.manual_seed(0)
    classifier = SmallClassifier(1, 10)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=5e-3)
    for step in range(60):
        rows = torch.randint(1500, (64,), generator=torch.Generator().manual_seed(step))
        loss = torch.nn.functional.cross_entropy(classifier(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (classifier(images[1500:]).argmax(dim=-1) == labels[1500:]).float().mean() > 0.75  # chance is 0.1
