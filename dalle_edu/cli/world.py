"""`dalle-edu world`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dalle_edu.cli.app import PNG, JsonOption, SeedOption, command, ready_to_draw, write_json, written
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say


@command(say("Draw a sheet of the captioned world.", "Dessine une planche du monde légendé."))
def world(
    n: Annotated[int, typer.Option("-n", "--n", help=say("scenes to draw", "scènes à dessiner"))] = 16,
    seed: SeedOption = 0,
    split: Annotated[str, typer.Option(help=say("seen, held_out or all", "seen (vues), held_out (réservées) ou all (toutes)"))] = "all",
    resolution: Annotated[int, typer.Option(help=say("pixels on a side", "pixels de côté"))] = 64,
    out_file: Annotated[Path, typer.Option("--out", "-o", help=PNG)] = Path("world.png"),
    json_file: JsonOption = None,
) -> None:
    """Draw a sheet of the captioned world, and with `--json` say what is on it.

    Raises `DalleEduError` for an unknown split, and other than 1 to 1,024 scenes.
    """
    from dalle_edu.world import World, picture_sheet, save_picture
    from dalle_edu.world.scene_sampler import check_split

    if not 1 <= n <= 1024:
        raise DalleEduError(
            f"{n} scenes were asked for; a sheet holds 1 to 1024", f"{n} scènes sont demandées ; une planche en contient de 1 à 1024"
        )
    check_split(split)
    ready_to_draw(out_file, json_file)
    series = World(n, seed=seed, split=split)
    items = [series[i] for i in range(n)]
    save_picture(picture_sheet(series.collate(items).images(resolution), [text for _, text in items]), out_file)
    if json_file:
        write_json(json_file, [{"caption": text, **asdict(scene)} for scene, text in items])
    written(out_file)
