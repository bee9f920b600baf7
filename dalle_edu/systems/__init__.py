"""The systems: bricks assembled, one file each, one interface."""

from importlib import import_module

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.system import Stage, System

SYSTEMS = {"dalle1": "dalle_edu.systems.dalle1:DallE1"}


def system_class(name: str) -> type[System]:
    """The class of a system by its name."""
    if name not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise DalleEduError(f'there is no system "{name}"; there is {known}', f"il n'y a pas de système « {name} » ; il y a {known}")
    module, attribute = SYSTEMS[name].split(":")
    return getattr(import_module(module), attribute)


__all__ = ["SYSTEMS", "Stage", "System", "system_class"]
