"""The kinds of slips: each is one change in the code of a function, which says in two languages what it is like.

The sentences end "It answers as if …" and « Elle répond comme si … ».
"""

import ast
import copy
from collections.abc import Iterator
from functools import partial
from typing import Any

from dalle_edu.classroom.checking.slip_words import MODULES, STEPS, TWIN, TWINS, Speaker, called, is_self

Change = tuple[Any, str, str]  # what stands in place of a node, or of a list of statements, and its words

COMPARISONS = {ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE)}
MOST_NAMES = 12


class Edit:
    """One change, in force within a `with` block: a node, or a list of statements, in place of another."""

    def __init__(self, parent: ast.AST, field: str, index: int | None, change: Change):
        self.parent, self.field, self.index = parent, field, index
        self.new, self.en, self.fr = change

    def __enter__(self) -> None:
        value = getattr(self.parent, self.field)
        self.old = value if self.index is None else list(value)
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            value[self.index] = self.new

    def __exit__(self, *error: object) -> None:
        value = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, self.old)
        else:
            value[:] = self.old


def edits(function: ast.FunctionDef) -> Iterator[Edit]:
    """All changes of a function's body, one after the other; the likeliest kinds come first."""
    places = list(_places(function))
    told = Speaker(function)
    spoken = (partial(kind, told=told) for kind in (_expressions, _statements))
    kinds = (_optional(function), *spoken, _constants, _exchanged(_given(function), _members(function)))
    for kind in (*kinds, _returned([*_given(function), *_stored(function)], told)):
        for parent, field, index, node in places:
            for change in kind(node):
                yield Edit(parent, field, index, change)


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, Any]]:
    """Every node within another, where it stands; docstrings, annotations and what raises are left out."""
    if isinstance(node, (ast.Raise, ast.arguments)):
        return
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "args") and isinstance(node, (ast.FunctionDef, ast.AnnAssign, ast.arg)):
            continue
        if isinstance(value, ast.AST):
            yield node, field, None, value
            yield from _places(value)
        elif isinstance(value, list):
            if value and isinstance(value[0], ast.stmt):
                yield node, field, None, value
            for index, each in enumerate(value):
                if isinstance(each, ast.AST) and not _is_docstring(each):
                    yield node, field, index, each
                    yield from _places(each)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _given(function: ast.FunctionDef) -> list[str]:
    """The arguments of a function."""
    return [arg.arg for arg in (*function.args.args, *function.args.kwonlyargs) if arg.arg != "self"]


def _stored(function: ast.FunctionDef) -> list[str]:
    """The variables of a function."""
    stored = [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return list(dict.fromkeys(stored))[:MOST_NAMES]


def _members(function: ast.FunctionDef) -> list[str]:
    """What a method reads of its object."""
    found = [node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute) and is_self(node.value)]
    return list(dict.fromkeys(found))


def _changed(node: ast.AST, **fields: Any) -> Any:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


# ---------------------------------------------------------------- expressions


def _expressions(node: Any, told: Speaker) -> Iterator[Change]:
    if isinstance(node, ast.BinOp):
        yield from _operation(node, told)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        (en, fr) = told(node.operand)
        if isinstance(node.op, (ast.Invert, ast.Not)):
            yield node.operand, f"{en} were read the other way round", f"{fr} était lu à l'envers"
        else:
            yield node.operand, f"{en} had the other sign", f"{fr} était de signe contraire"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        at_equality, reversed_ = COMPARISONS[type(node.ops[0])]
        yield (
            _changed(node, ops=[at_equality()]),
            "a comparison took equality the other way: think of what lies exactly on the limit",
            "une comparaison traitait l'égalité à l'envers : pensez à ce qui tombe exactement sur la limite",
        )
        yield _changed(node, ops=[reversed_()]), "a comparison were the other way round", "une comparaison était à l'envers"
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _changed(node, op=other), "“and” stood for “or”, or “or” for “and”", "« et » tenait lieu de « ou », ou l'inverse"
        for i, value in enumerate(node.values):
            left = node.values[:i] + node.values[i + 1 :]
            (en, fr) = told(value)
            rest = left[0] if len(left) == 1 else _changed(node, values=left)
            yield rest, f"the condition on {en} were left out", f"la condition sur {fr} était oubliée"
    elif isinstance(node, ast.IfExp):
        for part in (node.body, node.orelse):
            (en, fr) = told(node.test)
            yield part, f"the two cases of {en} were one", f"les deux cas de {fr} n'en faisaient qu'un"
    elif isinstance(node, ast.Call):
        yield from _step(node, told)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        yield node.value, "a transposition were left out", "une transposition était oubliée"


def _operation(node: ast.BinOp, told: Speaker) -> Iterator[Change]:
    (left_en, left_fr), (right_en, right_fr) = told(node.left), told(node.right)
    if isinstance(node.op, ast.Add):
        yield node.left, f"{right_en} were not added", f"on n'ajoutait pas {right_fr}"
        yield node.right, f"{left_en} were not added", f"on n'ajoutait pas {left_fr}"
        yield _changed(node, op=ast.Sub()), f"{right_en} had the other sign", f"{right_fr} était de signe contraire"
    elif isinstance(node.op, ast.Sub):
        yield node.left, f"{right_en} were not subtracted", f"on ne retranchait pas {right_fr}"
        yield ast.UnaryOp(ast.USub(), node.right), f"{left_en} were left out of a difference", f"{left_fr} manquait à une différence"
        yield _changed(node, op=ast.Add()), f"{right_en} had the other sign", f"{right_fr} était de signe contraire"
        swapped = _changed(node, left=node.right, right=node.left)
        yield swapped, "a subtraction were the other way round", "une soustraction était à l'envers"
        yield node.right, f"only {right_en} were taken of a difference", f"on ne prenait d'une différence que {right_fr}"
    elif isinstance(node.op, (ast.Mult, ast.MatMult)):
        yield node.left, f"nothing were multiplied by {right_en}", f"rien n'était multiplié par {right_fr}"
        yield node.right, f"nothing were multiplied by {left_en}", f"rien n'était multiplié par {left_fr}"
        yield _changed(node, op=ast.Div()), f"{right_en} divided instead of multiplying", f"{right_fr} divisait au lieu de multiplier"
        yield _changed(node, op=ast.Add()), f"{right_en} were added instead of multiplying", f"{right_fr} s'ajoutait au lieu de multiplier"
    elif isinstance(node.op, (ast.Div, ast.FloorDiv)):
        yield node.left, f"nothing were divided by {right_en}", f"rien n'était divisé par {right_fr}"
        yield _changed(node, op=ast.Mult()), f"{right_en} multiplied instead of dividing", f"{right_fr} multipliait au lieu de diviser"
        squared = _changed(node, right=ast.BinOp(node.right, ast.Mult(), node.right))
        yield squared, f"the division by {right_en} were done twice", f"la division par {right_fr} était faite deux fois"
    elif isinstance(node.op, ast.Pow):
        yield node.left, "a power were left out", "une puissance était oubliée"
    elif isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        other = ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd()
        yield _changed(node, op=other), "“and” stood for “or”, or “or” for “and”", "« et » tenait lieu de « ou », ou l'inverse"
        yield node.left, f"the condition on {right_en} were left out", f"la condition sur {right_fr} était oubliée"
        yield node.right, f"the condition on {left_en} were left out", f"la condition sur {left_fr} était oubliée"


def _step(node: ast.Call, told: Speaker) -> Iterator[Change]:
    name = called(node)
    if isinstance(node.func, ast.Attribute) and is_self(node.func.value):
        en, fr = f"`self.{name}`", f"`self.{name}`"
    else:
        en, fr = STEPS.get(name, (f"`{name}`", f"`{name}`"))
    is_method = isinstance(node.func, ast.Attribute) and not (isinstance(node.func.value, ast.Name) and node.func.value.id in MODULES)
    inner = node.func.value if is_method and isinstance(node.func, ast.Attribute) else node.args[0] if node.args else None
    if inner is not None and name not in MODULES:
        yield inner, f"{en} were left out", f"on sautait {fr}"
    if name in TWIN and isinstance(node.func, ast.Attribute) and name in TWINS:
        yield (_changed(node, func=_changed(node.func, attr=TWIN[name])), *TWINS[name])
    for i, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if name == "zip" or isinstance(one, ast.Starred) or isinstance(other, ast.Starred):
            continue
        args = [*node.args[:i], other, one, *node.args[i + 2 :]]
        (one_en, one_fr), (other_en, other_fr) = told(one), told(other)
        yield _changed(node, args=args), f"{one_en} and {other_en} were exchanged", f"{one_fr} et {other_fr} étaient échangés"
    for i, keyword in enumerate(node.keywords):
        less = _changed(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])
        if keyword.arg in ("axis", "dim"):
            yield less, f"{en} ran over everything at once", f"{fr} portait sur le tout à la fois"
        elif keyword.arg:
            yield less, f"`{keyword.arg}` were left out", f"`{keyword.arg}` était oublié"
    for i, arg in enumerate(node.args):
        if i and isinstance(arg, (ast.Name, ast.Attribute)):
            (arg_en, arg_fr) = told(arg)
            yield _changed(node, args=node.args[:i]), f"{arg_en} were not passed on", f"{arg_fr} n'était pas transmis"


# ---------------------------------------------------------------- statements


def _statements(node: Any, told: Speaker) -> Iterator[Change]:
    if not isinstance(node, list):
        return
    for i, statement in enumerate(node):
        rest = node[:i] + node[i + 1 :]
        if isinstance(statement, ast.If) and rest:
            (en, fr) = told(statement.test)
            yield rest, f"the case of {en} were forgotten", f"le cas de {fr} était oublié"
            yield node[:i] + statement.body + node[i + 1 :], f"the case of {en} held always", f"le cas de {fr} valait toujours"
        elif isinstance(statement, (ast.AugAssign, ast.Assign)) and rest:
            target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
            filled = told.filled(statement) if isinstance(statement, ast.Assign) else None
            if filled:
                (en, fr), number = filled
                yield rest, f"nothing in {en} were set to {number}", f"rien dans {fr} n'était mis à {number}"
                continue
            (en, fr) = told(target)
            yield rest, f"a step that changes {en} were left out", f"une étape qui change {fr} était oubliée"
        elif isinstance(statement, ast.Expr) and rest and not _is_docstring(statement):
            (en, fr) = told(statement.value)
            yield rest, f"a step were left out, with {en}", f"une étape était oubliée, avec {fr}"
        elif isinstance(statement, ast.For):
            once = _changed(statement, body=[*statement.body, ast.Break()])
            yield [*node[:i], once, *node[i + 1 :]], "a loop ended after its first turn", "une boucle finissait après son premier tour"
            if i and len(statement.body) > 1:
                before = node[i - 1]
                inside = _changed(statement, body=[before, *statement.body])
                yield (
                    [*node[: i - 1], inside, *node[i + 1 :]],
                    "something were begun anew at each turn of a loop",
                    "quelque chose recommençait à chaque tour d'une boucle",
                )
            outside = [*node[:i], *statement.body[:1], _changed(statement, body=statement.body[1:] or [ast.Pass()]), *node[i + 1 :]]
            yield (
                outside,
                "what must be done at each turn of a loop were done once",
                "ce qui se fait à chaque tour n'était fait qu'une fois",
            )
        if i + 1 < len(node) and not isinstance(node[i + 1], ast.Return):
            swapped = [*node[:i], node[i + 1], statement, *node[i + 2 :]]
            yield swapped, "two steps came in the wrong order", "deux étapes venaient dans le mauvais ordre"


# ---------------------------------------------------------------- constants and names


def _constants(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.keyword) and node.arg in ("axis", "dim"):
        for axis in (0, 1, -1, -2):
            if ast.unparse(node.value) != str(axis):
                yield (
                    _changed(node, value=ast.Constant(axis)),
                    f"a sum, a mean or the like ran along axis {axis}",
                    f"une somme, une moyenne… portait sur l'axe {axis}",
                )
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value), "True and False were exchanged somewhere", "True et False étaient échangés quelque part"
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1), "a whole number were one too large", "un nombre entier était trop grand de un"
        yield ast.Constant(node.value - 1), "a whole number were one too small", "un nombre entier était trop petit de un"
    elif isinstance(node, ast.Subscript) and ast.unparse(node.slice) in ("-1", "0"):
        other = ast.Constant(-1 if ast.unparse(node.slice) == "0" else 0)
        words = "the first were taken for the last, or the last for the first", "le premier était pris pour le dernier, ou l'inverse"
        yield (_changed(node, slice=other), *words)


def _optional(function: ast.FunctionDef) -> Any:
    """An optional argument that is not read."""
    given = [*function.args.args, *function.args.kwonlyargs]
    defaults = [*([None] * (len(function.args.args) - len(function.args.defaults))), *function.args.defaults, *function.args.kw_defaults]
    usual = {arg.arg: default for arg, default in zip(given, defaults, strict=True) if default is not None}

    def ignored(node: Any) -> Iterator[Change]:
        if node is function.body or (isinstance(node, list) and node and node[0] is function.body[0]):
            for name, default in usual.items():
                first = ast.Assign([ast.Name(name, ast.Store())], default)
                yield [first, *node], f"`{name}` were not used", f"`{name}` ne servait pas"

    return ignored


def _exchanged(given: list[str], members: list[str]) -> Any:
    """An argument in place of another; a part of the object in place of one with the same stem, such as `norm_1` and `norm_2`."""

    def instead(node: Any) -> Iterator[Change]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in given:
            for name in given:
                if name != node.id:
                    yield ast.Name(name, ast.Load()), f"`{name}` stood where `{node.id}` belongs", f"`{name}` était mis pour `{node.id}`"
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_self(node.value):
            for name in members:
                if name != node.attr and name.rstrip("_0123456789") == node.attr.rstrip("_0123456789"):
                    words = f"`self.{name}` stood where `self.{node.attr}` belongs", f"`self.{name}` était mis pour `self.{node.attr}`"
                    yield (_changed(node, attr=name), *words)

    return instead


def _returned(names: list[str], told: Speaker) -> Any:
    def another(node: Any) -> Iterator[Change]:
        if not isinstance(node, ast.Return) or node.value is None:
            return
        if isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            swapped = ast.Tuple(node.value.elts[::-1], ast.Load())
            yield ast.Return(swapped), "the two results came in the wrong order", "les deux résultats venaient dans le mauvais ordre"
        for name in names:
            if ast.unparse(node.value) != name:
                (en, fr) = told(ast.Name(name, ast.Load()))
                yield ast.Return(ast.Name(name, ast.Load())), f"it returned {en}", f"elle rendait {fr}"

    return another
