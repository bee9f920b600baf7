"""The pictures of pages as files: named by their content, shared by the languages, fetched when a reader comes near them."""

import base64
import hashlib
import io
import re
from html import escape
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.book.page import outputs
from dalle_edu.files import write_aside

_DATA = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,([A-Za-z0-9+/=]+)")
_IMAGE = re.compile(r"<img ([^>]*)>")


def as_files(page: Any, folder: Path, address: str) -> Any:
    """The page, changed: pictures inside its outputs are files in `folder`, and `address` leads from the page to that folder."""
    for cell in page.cells:
        for output in outputs(cell):
            data = output.get("data", {})
            if "image/png" in data and "text/html" not in data:
                alt = escape(str(data.get("text/plain", "")), quote=True)
                data["text/html"] = f'<img src="data:image/png;base64,{"".join(data.pop("image/png").split())}" alt="{alt}">'
            if "text/html" in data:
                data["text/html"] = with_files(data["text/html"], folder, address)
    return page


def with_files(html: str, folder: Path, address: str) -> str:
    """HTML whose pictures are files: each `img` is lazy and has its width and height, so that nothing moves when it comes."""
    sizes: dict[str, tuple[int, int]] = {}

    def place(found: re.Match[str]) -> str:
        name, size = _written(base64.b64decode(found.group(1)), folder)
        sizes[f"{address}/{name}"] = size
        return f"{address}/{name}"

    def sized(found: re.Match[str]) -> str:
        attributes = found.group(1).rstrip(" /")
        source = re.search(r'src="([^"]*)"', attributes)
        if source is None or source.group(1) not in sizes:
            return found.group()
        width, height = sizes[source.group(1)]
        given = re.search(r'\bwidth="(\d+)"', attributes)
        wide = int(given.group(1)) if given else width
        attributes += "" if given else f' width="{wide}"'
        return f'<img {attributes} height="{round(wide * height / width)}" loading="lazy" decoding="async">'

    return _IMAGE.sub(sized, _DATA.sub(place, html))


def _written(data: bytes, folder: Path) -> tuple[str, tuple[int, int]]:
    """The name of the file that holds a picture, written unless it is there, and the picture's size."""
    from PIL import Image

    image = Image.open(io.BytesIO(data))
    kind = "gif" if image.format == "GIF" else "webp"
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.{kind}"
    if not path.exists():
        packed = io.BytesIO()
        image.save(packed, format="WEBP", lossless=True, quality=80, method=4)
        content = data if kind == "gif" else packed.getvalue()
        write_aside(path, lambda file: file.write(content))
    return path.name, image.size
