"""Loading of models: by name or by path, assembled from other models' weights, or initialised with those of an earlier run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from dalle_edu.checkpoints.checkpoint import check_tensors, load_checkpoint, understood
from dalle_edu.checkpoints.hub import is_pretrained
from dalle_edu.checkpoints.shipped import weights_path
from dalle_edu.device import choose_device
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.python_files import names_a_file
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.critics.open_clip_pretrained import PretrainedClip
from dalle_edu.systems.interface.configuration import fitted
from dalle_edu.systems.interface.older_checkpoints import upgraded
from dalle_edu.systems.interface.registry import drawing_systems, model_class, system_names
from dalle_edu.systems.interface.system import System
from dalle_edu.systems.interface.trainable import Trainable, WithoutInitialisation
from dalle_edu.world.tokenizer import CaptionTokenizer


@torch.inference_mode(False)  # weights made in inference mode could not be trained, nor could a picture be optimised through them
def load_model(name_or_path: str | Path, device: str = "cpu") -> Trainable:
    """A trained model, ready to use: by its name, by the path of a checkpoint, which says what it holds, or, for a system from outside the
    package, as "mine.py:Mine@weights.safetensors".

    Raises `DalleEduError` where there is no such system or device, its weights are missing, or the file does not hold one.
    """
    device, name = str(choose_device(device).torch_device), str(name_or_path)
    if names_a_file(name):
        system, _, file = name.partition("@")
        kind = model_class(system)
        if not file:
            raise DalleEduError(
                f"{name} names no weights; add them: {name}@FILE.safetensors",
                f"{name} ne nomme pas de poids ; ajoutez-les : {name}@FICHIER.safetensors",
            )
        return kind.load(file, device)
    if name in system_names():
        kind, path = model_class(name), weights_path(name)
        if not kind.learns():
            return assemble(name, device)
        if not path.is_file():
            raise DalleEduError(
                f"the weights of {name} are missing ({path}); train them with: dalle-edu train {name}",
                f"les poids de {name} manquent ({path}) ; entraînez-les : dalle-edu train {name}",
            )
    elif name.endswith(".safetensors") or Path(name).exists():
        path = Path(name)
    else:
        known = ", ".join(system_names())
        raise DalleEduError(
            f'there is no system "{name}"; choose among: {known}, or give the path of a .safetensors file',
            f"il n'y a pas de système « {name} » ; choisissez parmi : {known}, ou donnez le chemin d'un fichier .safetensors",
        )
    tensors, metadata = load_checkpoint(path)
    held: str | None = metadata.get("system")
    if held is None:
        raise DalleEduError(
            f"{path} holds no finished system; give the final weights of a run",
            f"{path} ne contient pas de système fini ; donnez les poids finals d'un entraînement",
        )
    if held not in system_names():
        raise DalleEduError(
            f"{path} holds {held}, which is no system of this package; name its file and class too: FILE.py:CLASS@{path}",
            f"{path} contient {held}, qui n'est pas un système de ce paquet ; nommez aussi son fichier et sa classe :"
            f" FICHIER.py:CLASSE@{path}",
        )
    return model_class(held).restore(tensors, metadata, path, device)


def trained_systems() -> list[str]:
    """The names of the systems that can draw at once: their weights, or those that they are assembled from, are on this machine."""
    return [name for name in drawing_systems() if all(weights_path(each).is_file() for each in made_of(name))]


def made_of(name: str) -> list[str]:
    """The names of the models whose weights a system needs: its own, or those of the models that it is assembled from."""
    kind = model_class(name)
    return [name] if kind.learns() else sorted({source.split(".")[0] for source in kind.foundations.values()})


def assemble(name: str, device: str = "cpu") -> Trainable:
    """A model without training stages, filled with the weights of the models that it is made of, in evaluation mode on `device`."""
    kind: Any = model_class(name)
    model = kind(kind.presets["standard"])
    lay_foundations(model, {})
    return model.float().to(device).eval()  # whatever the default dtype


def load_system(name_or_path: str | Path, device: str = "cpu") -> System:
    """A trained system, ready to generate pictures, by its name or by the path of a checkpoint.

    Raises `DalleEduError` as `load_model` does, and for a model that generates no pictures.
    """
    model = load_model(name_or_path, device)
    if not isinstance(model, System):
        known = ", ".join(drawing_systems())
        raise DalleEduError(
            f"{model.name} does not draw; choose among: {known}", f"{model.name} ne dessine pas ; choisissez parmi : {known}"
        )
    return model


def load_critic(name_or_path: str | Path, device: str = "cpu") -> Critic:
    """A trained critic, which scores how well pictures and sentences fit.

    `name_or_path` is "clip", which comes with the package, the path of another checkpoint of it, or a pretrained model of open_clip
    ("ViT-B-32/laion2b_s34b_b79k", "local-dir:FOLDER"). Raises `DalleEduError` as `load_model` does, and for a model that is no critic.
    """
    model = load_examinee(name_or_path, device)
    if not isinstance(model, Critic):
        raise DalleEduError(
            f"{model.name} draws, and what compares is wanted; give clip, or a model of open_clip",
            f"{model.name} dessine, et il faut ce qui compare ; donnez clip, ou un modèle d'open_clip",
        )
    return model


def load_examinee(name_or_path: str | Path, device: str = "cpu") -> Trainable | Critic:
    """A model that can be examined: a system, as `load_system` loads it, or a critic, as `load_critic` does.

    Raises `DalleEduError` as they do.
    """
    name = str(name_or_path)
    if is_pretrained(name):
        return PretrainedClip.load(name, str(choose_device(device).torch_device))
    return load_model(name_or_path, device)


def lay_foundations(model: Trainable, given: Mapping[str, str]) -> None:
    """Copy pretrained weights into the parts of `model` that its `foundations` name.

    `given` maps a foundation's name to a checkpoint ({"clip": "runs/mine/clip.safetensors"}); the other foundations take the weights that
    come with the package. Raises `DalleEduError` for a name that is no foundation of this model, a checkpoint of another model, and
    weights of another shape.
    """
    needed = {source.split(".")[0] for source in model.foundations.values()}
    if set(given) - needed:
        unknown, known = ", ".join(sorted(set(given) - needed)), ", ".join(sorted(needed)) or say("nothing", "rien")
        raise DalleEduError(
            f"{model.name} is not built on {unknown}, but on: {known}", f"{model.name} ne repose pas sur {unknown}, mais sur : {known}"
        )
    loaded = {name: load_model(given.get(name, name)) for name in sorted(needed)}
    for name, found in loaded.items():
        if not found.tokenizer.same_words(model.tokenizer):
            raise DalleEduError(
                f"the {name} that {model.name} stands on learned other words; train it on the same pictures first (dalle-edu train {name},"
                f" with the same --data or --world), and name its file: --foundation {name}=FILE",
                f"le {name} sur lequel repose {model.name} a appris d'autres mots ; entraînez-le d'abord sur les mêmes images (dalle-edu"
                f" train {name}, avec les mêmes --data ou --world), et nommez son fichier : --foundation {name}=FICHIER",
            )
        if found.name != name:
            raise DalleEduError(
                f"{given[name]} holds {found.name}, and {name} is wanted; name weights of {name}",
                f"{given[name]} contient {found.name}, et il faut {name} ; nommez des poids de {name}",
            )
    for part, source in model.foundations.items():
        name, _, inside = source.partition(".")
        tensors = loaded[name].get_submodule(inside).state_dict()
        into = model.get_submodule(part)
        if {key: value.shape for key, value in tensors.items()} != {key: value.shape for key, value in into.state_dict().items()}:
            raise DalleEduError(
                f"the weights of {name} have other shapes than {model.name} expects; train it with the same preset (dalle-edu train {name}"
                f" --preset …), and name its file: --foundation {name}=FILE",
                f"les poids de {name} n'ont pas les formes que {model.name} attend ; entraînez-le avec le même préréglage (dalle-edu train"
                f" {name} --preset …), et nommez son fichier : --foundation {name}=FICHIER",
            )
        into.load_state_dict(tensors)


def go_on_from(model: Trainable, path: str | Path, tell: Callable[[str], object] = print) -> list[dict]:
    """Initialise a model with the weights of an earlier run of the same system and preset. Where that run had another tokenizer, the tables
    of words and of their positions keep their random weights, which `tell` is told.

    Returns the settings of the runs that made these weights, each with its machine, the oldest first. Raises `DalleEduError` where `path`
    is no whole checkpoint, or holds another system or another preset.
    """
    tensors, metadata = load_checkpoint(path)
    with understood(path):
        tensors, metadata = upgraded(tensors, metadata)
        words = CaptionTokenizer.from_json(metadata["tokenizer"]) if "tokenizer" in metadata else None
        run = metadata.get("run")
        runs = [*metadata.get("before", []), *([run | {"machine": metadata.get("machine")}] if run else [])]
    now = model.state_dict()
    if words is not None and not words.same_words(model.tokenizer):
        anew = [name for name in of_words(model) if name in now]
        tensors = {name: tensor for name, tensor in tensors.items() if name not in anew} | {name: now[name] for name in anew}
        tell(
            say(
                f"{path} knows other words: what it learned of pictures is kept, and its table of words begins anew ({', '.join(anew)})",
                f"{path} connaît d'autres mots : ce qu'il a appris des images est gardé, sa table de mots recommence ({', '.join(anew)})",
            )
        )
    here = {name: tensor.shape for name, tensor in now.items()}
    if metadata.get("system") != model.name or {name: tensor.shape for name, tensor in tensors.items()} != here:
        raise DalleEduError(
            f"{path} holds no weights of {model.name} with this preset; begin with those of a run of the same preset",
            f"{path} ne contient pas de poids de {model.name} à ce préréglage ; partez de ceux d'un entraînement au même préréglage",
        )
    check_tensors(tensors, now, path)
    model.load_state_dict(tensors)
    return runs


def of_words(model: Trainable) -> list[str]:
    """The weights of a model that belong to its tokenizer: those whose shape follows the number of tokens or the length of captions."""
    config: Any = model.config
    shapes = []
    for more, longer in ((1, 1), (2, 1), (1, 2)):  # tokens beyond the tokenizer's, and the length of captions
        with torch.device("meta"), WithoutInitialisation():
            other = type(model)(fitted(config, model.tokenizer.vocabulary_size + more, longer), model.tokenizer)
        shapes.append({name: tensor.shape for name, tensor in other.state_dict().items()})
    return [name for name in shapes[0] if any(shape[name] != shapes[0][name] for shape in shapes[1:])]
