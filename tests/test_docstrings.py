"""Public names have docstrings, what raises says so, and the private words of version 0.1 do not come back.

All is read from the syntax trees; no module of the package is imported.

Public is what has no leading underscore, in a class or module that is public too; functions within functions and dunder methods are not.
The experiments, references and mistakes of the classroom are trivial or wrong on purpose: only their modules need docstrings.
"""

import ast
import inspect
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import torch
import typer.core

PACKAGE = Path(__file__).parent.parent / "dalle_edu"
MODULES_ONLY = {("classroom", "demos"), ("classroom", "references"), ("classroom", "mistakes")}

# Methods that other libraries' classes document; `inspect.getdoc` gives an override their docstring.
DOCUMENTED_OUTSIDE = {
    "Module": {"forward"},
    "Conv2d": {"forward"},
    "ConvTranspose2d": {"forward"},
    "Optimizer": {"step"},
    "TyperCommand": {"get_help_option", "get_usage"},
    "TyperGroup": {"get_help_option", "get_usage"},
}

# Words of our own that version 0.1 used, and the field's words that took their place (the table is in CONTRIBUTING.md).
OLD_CLASSES = {
    "Average": "EMA",
    "CodeSystem": "AutoregressiveSystem",
    "CodeWriter": "CachedBART",
    "Door": "CaptionedDataset",
    "FromPictures": "ImageVariations",
    "Painter": "BaseModel",
    "Reader": "TextEncoder",
    "Schedule": "NoiseSchedule",
    "Writer": "CachedGPT",
    "WritesCodes": "CodeModel",
}
OLD_FUNCTIONS = {
    "contradict": "hard_negative",
    "disturb": "augment",
    "examine_bricks": "prove_bricks",
    "excuses": "compatible_captions",
    "false_captions": "hard_negatives",
    "forgiving_loss": "masked_clip_loss",
    "from_facts": "from_metadata",
    "photocopied": "grayscale",
    "read_pictures": "parse_pictures",
    "say_otherwise": "paraphrase",
    "says_what_is_held_out": "names_held_out",
    "told_apart": "hard_negative_accuracy",
    "write_codes": "sample_sequence",
}
OLD_PARAMETERS = {"blank": "unconditional", "chance": "generator", "facts": "metadata", "guidance": "guidance_scale"}

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Public:
    """A public class, function, method or property; `owner` is the class that a method belongs to."""

    name: str
    node: Definition
    owner: ast.ClassDef | None


# ---------------------------------------------------------------- the checker


def complaints(sources: Mapping[str, str]) -> list[str]:
    """What is amiss in modules given as {path within the package: source text}, each as "path:line name: what"."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    classes = classes_by_name(trees.values())
    return [f"{path}:{line} {name}: {what}" for path, tree in trees.items() for line, name, what in _in_module(path, tree, classes)]


def _in_module(path: str, tree: ast.Module, classes: Mapping[str, list[ast.ClassDef]]) -> Iterator[tuple[int, str, str]]:
    yield from _old_words(tree)
    if is_private(path):
        return
    text = ast.get_docstring(tree) or ""
    if not text.strip():
        yield 1, path, "no module docstring"
    if "TODO" in text:
        yield 1, path, "the module docstring says TODO"
    if Path(path).parts[:2] in MODULES_ONLY:
        return
    for each in public_names(tree.body):
        text = docstring(each, classes)
        if not text.strip():
            yield each.node.lineno, each.name, "no docstring"
        elif isinstance(each.node, FUNCTIONS) and raises(each.node) and "raise" not in text.lower():
            yield each.node.lineno, each.name, "raises, and its docstring does not say so"
        for word in sorted(parameters(each.node) & set(OLD_PARAMETERS)):
            yield each.node.lineno, each.name, f"the parameter {word} is called {OLD_PARAMETERS[word]} now"


def is_private(path: str) -> bool:
    """Whether a module, or a package that it is in, has a leading underscore; `__init__.py` has none in this sense."""
    return any(part.startswith("_") and not part.startswith("__") for part in Path(path).parts)


def public_names(body: list[ast.stmt], owner: ast.ClassDef | None = None) -> Iterator[Public]:
    """The public definitions of a module or class, classes before their methods; those under an `if` or a `try` count."""
    for node in body:
        if isinstance(node, (ast.ClassDef, *FUNCTIONS)):
            if not node.name.startswith("_"):
                yield Public(f"{owner.name}.{node.name}" if owner else node.name, node, owner)
                if isinstance(node, ast.ClassDef):
                    yield from public_names(node.body, node)
        elif isinstance(node, (ast.If, ast.Try)):
            yield from public_names([*node.body, *node.orelse], owner)


def docstring(each: Public, classes: Mapping[str, list[ast.ClassDef]]) -> str:
    """A definition's own docstring, or that of the method which it overrides."""
    own = ast.get_docstring(each.node) or ""
    return own or (inherited(each.owner, each.node.name, classes) if each.owner and isinstance(each.node, FUNCTIONS) else "")


def inherited(owner: ast.ClassDef, method: str, classes: Mapping[str, list[ast.ClassDef]]) -> str:
    """The docstring of a method in the nearest base class that documents it; empty where none does."""
    for base in owner.bases:
        name = ast.unparse(base).split("[")[0].split(".")[-1]  # torch.optim.Optimizer, System[Config]
        if method in DOCUMENTED_OUTSIDE.get(name, ()):
            return f"documented by {name}"
        for found in classes.get(name, []):
            own = [node for node in found.body if isinstance(node, FUNCTIONS) and node.name == method]
            text = (ast.get_docstring(own[0]) if own else "") or inherited(found, method, classes)
            if text:
                return text
    return ""


def classes_by_name(trees: Iterable[ast.Module]) -> dict[str, list[ast.ClassDef]]:
    """All classes of some modules, private ones too."""
    found: dict[str, list[ast.ClassDef]] = defaultdict(list)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(node)
    return found


def raises(node: ast.AST) -> bool:
    """Whether a function's own body raises an exception; passing one on (a bare `raise`) and functions within it do not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise) and child.exc is not None:
            return True
        if not isinstance(child, (ast.ClassDef, ast.Lambda, *FUNCTIONS)) and raises(child):
            return True
    return False


def parameters(node: Definition) -> set[str]:
    """The names of a function's parameters; of a class, its constructor's and its fields, which are a dataclass's parameters."""
    if isinstance(node, ast.ClassDef):
        fields = {each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)}
        return fields.union(*(parameters(each) for each in node.body if isinstance(each, FUNCTIONS) and each.name == "__init__"))
    return {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}


def _old_words(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Definitions and uses of classes and functions by the names they had in version 0.1."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in OLD_CLASSES:
            yield node.lineno, node.name, f"the class is called {OLD_CLASSES[node.name]} now"
        name = node.name if isinstance(node, FUNCTIONS) else node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if name in OLD_FUNCTIONS and (isinstance(node, FUNCTIONS) or isinstance(node.ctx, ast.Load)):
            yield node.lineno, name, f"the function is called {OLD_FUNCTIONS[name]} now"


# ---------------------------------------------------------------- the package


@cache
def package() -> dict[str, str]:
    """The source of every module, by its path within the package."""
    return {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def package_complaints() -> list[str]:
    """What is amiss in the package, worked out once for all rooms."""
    return complaints(package())


def room_of(path: str) -> str:
    """The folder of the package that a module is in; modules at its root are a room of their own."""
    return path.split("/")[0] if "/" in path else "root"


@pytest.mark.parametrize("room", sorted({room_of(path) for path in package()}))
def test_a_room_is_documented(room):
    found = [f"dalle_edu/{line}" for line in package_complaints() if room_of(line.split(":")[0]) == room]
    assert not found, f"{len(found)} in {room}:\n" + "\n".join(found)


def test_the_package_is_read():
    found = Counter(type(each.node).__name__ for text in package().values() for each in public_names(ast.parse(text).body))
    assert len(package()) > 150
    assert found["ClassDef"] > 100
    assert found["FunctionDef"] > 500


# ---------------------------------------------------------------- the checker catches what is planted


GOOD = '''"""A module."""

class Shown:
    """A class."""

    @property
    def side(self):
        """In pixels."""

    def widen(self):
        """Raise `ValueError` for what cannot be wider."""
        raise ValueError

class Child(Shown):
    """Another."""
    width: int

    def widen(self):
        raise ValueError

def passes_on(path):
    """What `open` says of a path."""
    def inner():
        raise ValueError
    try:
        return inner
    except OSError:
        raise
'''


def test_nothing_is_said_of_a_documented_module():
    assert complaints({"bricks/planted.py": GOOD}) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"""A module."""', "", ["1 bricks/planted.py: no module docstring"]),
        ("A module.", "TODO", ["1 bricks/planted.py: the module docstring says TODO"]),
        ('"""A class."""', "", ["3 Shown: no docstring"]),
        ('"""In pixels."""', "return 1", ["7 Shown.side: no docstring"]),
        ("What `open` says of a path.", " ", ["21 passes_on: no docstring"]),
        ("class Child(Shown)", "class Child", ["18 Child.widen: no docstring"]),
        ("        raise\n", "        raise ValueError\n", ["21 passes_on: raises, and its docstring does not say so"]),
        (
            "Raise `ValueError`",
            "Stop",
            ["10 Shown.widen: raises, and its docstring does not say so", "18 Child.widen: raises, and its docstring does not say so"],
        ),
        ("passes_on(path)", "passes_on(guidance)", ["21 passes_on: the parameter guidance is called guidance_scale now"]),
        ("width: int", "chance: int", ["14 Child: the parameter chance is called generator now"]),
        ("passes_on(path)", "read_pictures(path)", ["21 read_pictures: the function is called parse_pictures now"]),
        ("return inner", "return inner.from_facts()", ["26 from_facts: the function is called from_metadata now"]),
        ("class Child(", "class Painter(", ["14 Painter: the class is called BaseModel now"]),
    ],
)
def test_a_planted_fault_is_found(old, new, said):
    assert GOOD.count(old) == 1
    assert complaints({"bricks/planted.py": GOOD.replace(old, new)}) == [f"bricks/planted.py:{line}" for line in said]


@pytest.mark.parametrize(
    ("path", "count"),
    [("bricks/planted.py", 2), ("classroom/mistakes/planted.py", 1), ("bricks/_planted.py", 0), ("bricks/__init__.py", 2)],
)
def test_only_public_modules_count_and_of_mistakes_only_the_module(path, count):
    assert len(complaints({path: "def undocumented(): pass"})) == count


def test_a_base_in_another_module_or_library_documents_an_override():
    base = '"""A module."""\nclass Base:\n    """A class."""\n    def side(self):\n        """In pixels."""'
    child = '"""A module."""\nclass Child(base.Base[int], nn.Module):\n    """A class."""\n    def side(self): pass'
    child += "\n    def forward(self): pass"
    assert complaints({"base.py": base, "child.py": child}) == []
    assert complaints({"base.py": base.replace("In pixels.", ""), "child.py": child.replace("forward", "backward")}) == [
        "base.py:4 Base.side: no docstring",
        "child.py:4 Child.side: no docstring",
        "child.py:5 Child.backward: no docstring",
    ]


def test_other_libraries_document_what_they_are_said_to():
    classes = (
        torch.nn.Module,
        torch.nn.Conv2d,
        torch.nn.ConvTranspose2d,
        torch.optim.Optimizer,
        typer.core.TyperCommand,
        typer.core.TyperGroup,
    )
    assert {each.__name__ for each in classes} == set(DOCUMENTED_OUTSIDE)
    for each in classes:
        for method in DOCUMENTED_OUTSIDE[each.__name__]:
            assert inspect.getdoc(getattr(each, method))
