"""The weights that come with the package: where they are, and how a system is loaded by name."""

from pathlib import Path

from dalle_edu.checkpoints import load_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems import SYSTEMS, System, system_class

_PACKAGE = Path(__file__).parent


def weights_path(name: str) -> Path:
    """Where the weights of a system are: inside an installed package, or in `data/weights` of a clone."""
    places = [_PACKAGE / "weights", _PACKAGE.parent / "data" / "weights"]
    return next(
        (place / f"{name}.safetensors" for place in places if (place / f"{name}.safetensors").is_file()), places[-1] / f"{name}.safetensors"
    )


def load_system(name_or_path: str | Path, device: str = "cpu") -> System:
    """A trained system, by its name or by the path of a checkpoint; what it is stands in the file itself."""
    name = str(name_or_path)
    if name in SYSTEMS:
        path = weights_path(name)
        if not path.is_file():
            raise DalleEduError(
                f"the weights of {name} are missing ({path}); train them with: dalle-edu train {name}",
                f"les poids de {name} manquent ({path}) ; entraînez-les : dalle-edu train {name}",
            )
    elif name.endswith(".safetensors") or Path(name).exists():
        path = Path(name)
    else:
        known = ", ".join(SYSTEMS)
        raise DalleEduError(
            f'there is no system "{name}"; give one of {known} or the path of a .safetensors file',
            f"il n'y a pas de système « {name} » ; donnez l'un de {known} ou le chemin d'un fichier .safetensors",
        )
    tensors, facts = load_checkpoint(path)
    if facts.get("system") not in SYSTEMS:
        raise DalleEduError(
            f"{path} holds no system that draws; give the final weights",
            f"{path} ne contient pas de système qui dessine ; donnez les poids finals",
        )
    return system_class(facts["system"]).restore(tensors, facts, path, device)
