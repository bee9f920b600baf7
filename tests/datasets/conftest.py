"""A folder in COCO's format."""

import pytest
from faulty import picture
from small_coco import document, write


@pytest.fixture
def coco_folder(tmp_path):
    """Two good pictures with two captions each, and a secret next door."""
    folder = tmp_path / "data"
    (folder / "mine").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for i in (1, 2):
        (folder / "mine" / f"{i}.png").write_bytes(picture(seed=i))
    write(folder, document())
    (tmp_path / "secret.png").write_bytes(picture(seed=9))
    return folder
