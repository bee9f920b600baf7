"""What the commands that draw say of each picture: the objects in it, and the examiner's marks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dalle_edu.world.domain import Domain


def mark_all(pictures: list[dict[str, Any]], domain: "Domain") -> None:
    """Add to each picture the objects found in it and, where it has a sentence, its marks. Where the examiner cannot read the sentence, the
    marks are None, and the words that it does not read are added. `domain` is that of the system that drew them: where it has no
    catalogue, nothing can be found, and all marks are None.
    """
    import torch

    from dalle_edu.scorecard import mark, parse_pictures
    from dalle_edu.world.grammar import read_caption, unknown_words

    catalogue = domain.catalogue
    if catalogue is None:
        for picture in pictures:
            picture |= {"marks": None} if "prompt" in picture else {}
        return
    descriptions = {text: read_caption(text, catalogue) for text in {picture["prompt"] for picture in pictures if "prompt" in picture}}
    for side in {picture["image"].shape[-1] for picture in pictures}:
        alike = [picture for picture in pictures if picture["image"].shape[-1] == side]
        for picture, objects in zip(alike, parse_pictures(torch.stack([each["image"] for each in alike]), catalogue), strict=True):
            if "prompt" in picture:
                description = descriptions[picture["prompt"]]
                picture["marks"] = None if description is None else mark(description, objects)
                if description is None:
                    picture["unread"] = unknown_words(picture["prompt"], catalogue)
            picture["objects"] = [vars(thing) for thing in objects]


def document(system: str, seed: int, settings: dict[str, Any], pictures: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """What `--json` writes of pictures that are marked: the system, what it was asked, and what is known of each picture."""
    import torch

    kept = [{key: value for key, value in picture.items() if key not in ("asked", "image")} for picture in pictures]
    return {"system": system, "seed": seed, "settings": settings, "torch": torch.__version__, **more, "pictures": kept}
