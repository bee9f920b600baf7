"""The systems: bricks assembled, one file each, one interface."""

from importlib import import_module

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.system import System
from dalle_edu.systems.interface.trainable import Stage, Trainable

SYSTEMS = {  # what draws
    "dalle1": "dalle_edu.systems.dalle1:DallE1",
    "dalle_mini": "dalle_edu.systems.dalle_mini:DallEMini",
    "dalle2": "dalle_edu.systems.dalle2:DallE2",
    "imagen": "dalle_edu.systems.imagen:Imagen",
    "vqgan_clip": "dalle_edu.systems.vqgan_clip:VqganClip",
}
MODELS = SYSTEMS | {  # what learns, or is put together from what has learned
    "clip": "dalle_edu.systems.clip:Clip",
}


def model_class(name: str) -> type[Trainable]:
    """The class of a model by its name."""
    if name not in MODELS:
        known = ", ".join(MODELS)
        raise DalleEduError(
            f'there is no system "{name}"; choose among: {known}',
            f"il n'y a pas de système « {name} » ; choisissez parmi : {known}",
        )
    module, attribute = MODELS[name].split(":")
    return getattr(import_module(module), attribute)


__all__ = ["MODELS", "SYSTEMS", "Stage", "System", "Trainable", "model_class"]
