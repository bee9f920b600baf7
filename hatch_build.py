"""What a package is built with beyond pyproject.toml: the weights and notebooks of a wheel, and what follows the project's address.

An editable install takes weights and notebooks from the clone. Copies of them in site-packages would make a second package `dalle_edu`
there, which hides the first from a kernel that is already running.
"""

import re
import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SHIPPED = {"data/weights": "weights", "lessons/fr": "lessons/fr", "lessons/en": "lessons/en"}
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)\s]+)\)")
_LINK = re.compile(r"(?<!!)\[(?P<text>(?:!\[[^\]]*\]\([^)]*\)|[^\[\]])*)\]\((?P<path>[^)\s]+)\)")
_TABLE_OF_IMAGES = re.compile(r"<table>.*?</table>\n*", re.DOTALL)
_SOURCE = re.compile(r'(?<=src=")(?P<path>[^"]+)(?=")')


class Files(BuildHookInterface):
    """Puts weights and notebooks into wheels, and into no editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling; `version` is "standard" or "editable"."""
        if version != "editable":
            build_data["force_include"].update({source: f"dalle_edu/_shipped/{place}" for source, place in SHIPPED.items()})


class Addresses(MetadataHookInterface):
    """Gives the package its links, and a description whose links lead somewhere from a page of PyPI."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with the metadata to complete."""
        address = runpy.run_path(str(Path(self.root) / "dalle_edu" / "address.py"))
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": description(readme, address["file_page"], address["raw_file"])}
        metadata["urls"] = urls(address)


def urls(address: dict[str, Any]) -> dict[str, str]:
    """The links of the package; none where no address is set."""
    repository, links = address["REPOSITORY"], {}
    if address["SITE"]:
        links["Documentation"] = address["SITE"]
    if repository:
        links |= {"Repository": repository, "Changelog": address["file_page"]("CHANGELOG.md")}
    if address["on_github"]():
        links["Issues"] = f"{repository}/issues"
    return links


def description(readme: str, file_page: Any, raw_file: Any) -> str:
    """A README whose relative links and pictures have addresses; where none is set, links are plain text and pictures are left out."""
    if not file_page("README.md"):
        readme = _TABLE_OF_IMAGES.sub("", readme)

    def source(found: re.Match) -> str:
        return found["path"] if "://" in found["path"] else raw_file(found["path"])

    def image(found: re.Match) -> str:
        place = source(found)
        return f"![{found['alt']}]({place})" if place else ""

    def link(found: re.Match) -> str:
        path, _, section = found["path"].partition("#")
        if "://" in path or not path:
            return found.group()
        page = file_page(path)
        return f"[{found['text']}]({page}{'#' * bool(section)}{section})" if page else found["text"]

    return _SOURCE.sub(source, _LINK.sub(link, _IMAGE.sub(image, readme)))
