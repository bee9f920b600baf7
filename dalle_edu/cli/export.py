"""`dalle-edu export`."""

from pathlib import Path
from typing import Annotated

import typer

from dalle_edu.cli.app import JsonOption, command, models, ready, write_json, written
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say


@command(
    say(
        "Write a CLIP as a folder that open_clip loads: open_clip.create_model_and_transforms('local-dir:FOLDER').",
        "Écrit un CLIP dans un dossier qu'open_clip charge : open_clip.create_model_and_transforms('local-dir:DOSSIER').",
    ),
)
def export(
    folder: Annotated[Path, typer.Argument(help=say("the folder to create", "le dossier à créer"))],
    clip: Annotated[str, typer.Option(help=say("clip, or the path of its weights", "clip, ou le chemin de ses poids"))] = "clip",
    json_file: JsonOption = None,
) -> None:
    """Write a CLIP as a model of open_clip. Raises `DalleEduError` for a model that is no CLIP."""
    from dalle_edu.files import check_new_folder
    from dalle_edu.loading import load_model
    from dalle_edu.publishing.open_clip_export import export_to_open_clip, exported_files
    from dalle_edu.systems.clip import Clip

    check_new_folder(folder)
    ready(*(folder / name for name in exported_files()), json_file, given=models(clip))
    model = load_model(clip)
    if not isinstance(model, Clip):
        raise DalleEduError(
            f"{model.name} is no CLIP, and only a CLIP can be exported; give clip, or the path of its weights",
            f"{model.name} n'est pas un CLIP, et seul un CLIP s'exporte ; donnez clip, ou le chemin de ses poids",
        )
    export_to_open_clip(model, folder)
    if json_file:
        sizes = {name: (folder / name).stat().st_size for name in exported_files()}
        loads = f"local-dir:{folder}"
        write_json(json_file, {"model": model.name, "parameters": model.parameter_count(), "open_clip": loads, "bytes": sizes})
    written(folder)
