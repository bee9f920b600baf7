"""A Jupyter server extension: the files of notebooks keep the static form of widgets, which a reader without a kernel sees.

JupyterLab saves the name of a widget that lives in the kernel, and says "model not found" where the kernel is gone. Installing the package
turns the extension on, by `etc/jupyter/jupyter_server_config.d/dalle_edu.json`.
"""

from typing import Any

from dalle_edu.classroom.static import KEPT, VIEW


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "dalle_edu.classroom.saving"}]


def _load_jupyter_server_extension(server: Any) -> None:
    # When the server runs: jupytext, loaded after this, puts another contents manager in place.
    server.io_loop.add_callback(lambda: server.contents_manager.register_pre_save_hook(keep_static_form))


def keep_static_form(model: Any, **_: Any) -> None:
    """Take the names of widgets out of a notebook that is about to be saved, wherever an output has a static form beside.

    `model` is what Jupyter's contents manager is given; a file that is no notebook is left as it is. It is a hook of Jupyter's, called with
    other keywords as well.
    """
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    for cell in model["content"].get("cells", []):
        for output in cell.get("outputs", []):
            if output.get("metadata", {}).get(KEPT):
                output.get("data", {}).pop(VIEW, None)
