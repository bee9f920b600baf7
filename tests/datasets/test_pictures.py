import io
import struct
import zlib

import numpy as np
import pytest
import torch
from faulty import BAD_PICTURES, bomb, picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from dalle_edu.datasets.pictures import decode
from dalle_edu.datasets.report import Unusable, Why


def encoded(pixels, format="PNG", **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, format, **options)
    return file.getvalue()


def smooth(width, height):
    """A picture that changes slowly from corner to corner."""
    x, y = np.linspace(0, 1, width)[None, :], np.linspace(0, 1, height)[:, None]
    return (255 * np.stack(np.broadcast_arrays(x, y, 0.5 + 0.5 * np.sin(6 * x * y)), axis=-1)).astype(np.uint8)


@pytest.mark.parametrize("size", [(96, 64), (64, 96), (256, 128), (32, 32), (48, 32)])
@pytest.mark.parametrize("resolution", [16, 64])
def test_it_is_torchvisions_resize_and_centre_crop(size, resolution):
    reference = v2.Compose(
        [
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Resize(resolution, v2.InterpolationMode.BICUBIC, antialias=True),
            v2.CenterCrop(resolution),
        ]
    )
    image = Image.fromarray(smooth(*size))
    expected = reference(image).clamp(0, 1) * 2 - 1
    torch.testing.assert_close(decode(encoded(image), resolution), expected, atol=2 / 127.5, rtol=0)  # PIL rounds to grey levels, twice


def test_a_picture_of_the_right_size_comes_through_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    expected = torch.from_numpy(pixels).permute(2, 0, 1) / 127.5 - 1
    for format, options in (("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True})):
        assert torch.equal(decode(encoded(pixels, format, **options), 32), expected)


def test_fine_stripes_become_grey():
    stripes = np.zeros((256, 256), dtype=np.uint8)
    stripes[:, ::2] = 255
    assert decode(encoded(stripes), 16).abs().max() < 0.02


def test_transparent_is_white():
    clear = np.zeros((20, 20, 4), dtype=np.uint8)
    clear[:, 10:, 3] = 255
    image = decode(encoded(clear), 20)
    assert (image[:, :, :10] == 1).all()
    assert (image[:, :, 10:] == -1).all()
    palette = Image.fromarray(np.zeros((20, 20), dtype=np.uint8), "P")
    assert (decode(encoded(palette, transparency=0), 20) == 1).all()


def png(depth, colour, row, shade):
    """A PNG of eight columns and rows by hand: Pillow writes few of its kinds. `shade` is what it declares transparent."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 8, 8, depth, colour, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"tRNS", struct.pack(f">{len(shade)}H", *shade)),
        (b"IDAT", zlib.compress((b"\0" + row) * 8)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize(
    ("depth", "colour", "row", "shade", "opaque"),
    [  # the left half is transparent
        (1, 0, b"\xf0", (1,), (0, 0, 0)),
        (2, 0, b"\x55\x00", (1,), (0, 0, 0)),
        (4, 0, b"\x33\x33\xcc\xcc", (3,), (204, 204, 204)),
        (8, 0, b"\x03" * 4 + b"\x33" * 4, (3,), (51, 51, 51)),
        (16, 0, struct.pack(">8H", *[1000] * 4, *[1001] * 4), (1000,), (3, 3, 3)),
        (8, 2, b"\x09\x08\x07" * 4 + b"\x33\x00\xff" * 4, (9, 8, 7), (51, 0, 255)),
        (16, 2, struct.pack(">24H", *[1000, 2000, 3000] * 4, *[13107, 0, 65535] * 4), (1000, 2000, 3000), (51, 0, 255)),
    ],
)
def test_a_transparent_shade_is_white_whatever_the_depth(depth, colour, row, shade, opaque):
    image = decode(png(depth, colour, row, shade), 8)
    assert (image[:, :, :4] == 1).all()
    assert ((image[:, 0, 7] + 1) * 127.5).round().tolist() == list(opaque)


def test_sixteen_bits_keep_their_brightness():
    ramp = np.broadcast_to(np.linspace(0, 65535, 64).astype(np.uint16), (64, 64))
    image = decode(encoded(Image.fromarray(np.ascontiguousarray(ramp))), 64)
    torch.testing.assert_close(image[0, 0], torch.linspace(-1, 1, 64), atol=0.01, rtol=0)


def test_grey_palettes_and_ink():
    grey = np.full((20, 20), 51, dtype=np.uint8)
    for data in (encoded(grey), encoded(grey, "GIF"), encoded(Image.fromarray(grey).convert("CMYK"), "JPEG")):
        assert decode(data, 16).shape == (3, 16, 16)
        torch.testing.assert_close(decode(data, 16), torch.full((3, 16, 16), -0.6), atol=0.03, rtol=0)


def test_a_photograph_is_turned_the_way_its_camera_was_held():
    half = np.zeros((40, 40, 3), dtype=np.uint8)
    half[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image = decode(encoded(half, "JPEG", exif=exif, quality=95), 16)
    assert image[:, :6].max() < -0.9
    assert image[:, 10:].min() > 0.9


@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1)])
def test_odd_sizes_that_are_good(size):
    assert decode(encoded(Image.new("L", size, 255)), 32).shape == (3, 32, 32)


@pytest.mark.parametrize("case", BAD_PICTURES)
def test_bad_pictures(case):
    data, why, _ = BAD_PICTURES[case]
    with pytest.raises(Unusable) as caught:
        decode(data, 32)
    assert caught.value.why is why


@pytest.mark.parametrize("size", [(8001, 8000), (10_000, 9_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (1, 64_000_001)])
def test_the_size_is_looked_at_before_anything_is_decoded(size):
    with pytest.raises(Unusable) as caught:
        decode(bomb(*size), 32)
    assert caught.value.why is Why.TOO_LARGE


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]), st.data())
def test_damaged_bytes_give_a_picture_or_a_reason(format, data):
    whole = bytearray(picture(12, 9, format=format))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = decode(bytes(whole[: data.draw(st.integers(0, len(whole)))]), 16)
    except Unusable:
        return
    assert image.shape == (3, 16, 16)
    assert image.abs().max() <= 1
