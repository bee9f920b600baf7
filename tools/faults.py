"""Mutation operators: the small faults that can be planted in a Python file, each by replacing an exact span of its bytes.

Left alone is what no test should pin: annotations, decorators, f-strings, what is said to readers (`DalleEduError(...)`, `say(...)`), the
default `seed=0`, `__all__`, blocks for type checkers or `__main__`, and `strict=` of `zip`, which guards against mistakes of ours.

Source of the idea: R. DeMillo, R. Lipton and F. Sayward, "Hints on Test Data Selection: Help for the Practicing Programmer" (1978).
"""

import ast
import io
import random
import tokenize
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

COMPARISONS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "is": ("is not",),
    "is not": ("is",),
    "in": ("not in",),
    "not in": ("in",),
}
ARITHMETIC = {"+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "//": ("*",), "**": ("*",), "%": ("*",), "&": ("|",), "|": ("&",)}
IN_PLACE = {f"{old}=": tuple(f"{new}=" for new in news) for old, news in ARITHMETIC.items()}
LOGIC = {"and": ("or",), "or": ("and",)}
EXTREMES = {
    "min": "max",
    "max": "min",
    "argmin": "argmax",
    "argmax": "argmin",
    "amin": "amax",
    "amax": "amin",
    "minimum": "maximum",
    "maximum": "minimum",
}
NUMERIC = ("Tensor", "Float[", "Int[", "Num[", "Real[", "float", "int")  # annotations of results that have a sign
SPOKEN = ("say", "print", "warn")  # functions that take words for people, as do those whose name ends in Error or Warning
GUARDS = ("TYPE_CHECKING", "__name__")
KEPT = ("help", "strict")  # keywords that change no result


@dataclass(frozen=True)
class Fault:
    """A span of bytes, and what replaces it; `before` and `after` are the lines that it touches, with single spaces."""

    path: str
    line: int
    scope: str  # "Class.function", empty at the top of a file
    kind: str
    start: int
    end: int
    new: str
    before: str
    after: str

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """The same wherever the lines move in the file."""
        return self.path, self.scope, self.before, self.after

    def planted(self, source: bytes) -> bytes:
        """The file with the fault in it."""
        return source[: self.start] + self.new.encode() + source[self.end :]


class Word(NamedTuple):
    """A token of Python, and its bytes."""

    start: int
    end: int
    text: str


class Finder(ast.NodeVisitor):
    """Walks a file and collects its faults in `found`."""

    def __init__(self, path: str, source: bytes):
        self.path, self.source, self.found = path, source, list[Fault]()
        self.scopes: list[str] = []
        self.results: list[str] = []  # the annotations of the functions around
        lines = source.splitlines(keepends=True)
        self.begins = [0, *accumulate(map(len, lines))]  # the first byte of each line

        def byte(row: int, column: int) -> int:  # `tokenize` counts characters, `ast` bytes
            return self.begins[row - 1] + len(lines[row - 1].decode()[:column].encode())

        passed = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER)
        tokens = [token for token in tokenize.tokenize(io.BytesIO(source).readline) if token.type not in passed]
        self.words = [Word(byte(*token.start), byte(*token.end), token.string) for token in tokens]
        self.visit(ast.parse(source))

    def span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        """The first byte of a node, and the one after its last."""
        first, last = self.begins[node.lineno - 1], self.begins[(node.end_lineno or 0) - 1]
        return first + node.col_offset, last + (node.end_col_offset or 0)

    def text(self, node: ast.expr) -> str:
        start, end = self.span(node)
        return self.source[start:end].decode()

    def add(self, kind: str, start: int, end: int, *news: str) -> None:
        """A fault for each text that may stand in place of the span."""
        first, last = self.source.rfind(b"\n", 0, start) + 1, self.source.find(b"\n", end)
        last = len(self.source) if last < 0 else last
        old, head, tail = (self.source[a:b].decode() for a, b in ((start, end), (first, start), (end, last)))
        before, line = " ".join((head + old + tail).split()), self.source.count(b"\n", 0, start) + 1
        for new in dict.fromkeys(news):
            if new != old:
                after = " ".join((head + new + tail).split())
                self.found.append(Fault(self.path, line, ".".join(self.scopes), kind, start, end, new, before, after))

    def swap(self, kind: str, left: ast.expr, right: ast.expr, table: Mapping[str, tuple[str, ...]]) -> None:
        """The operator between two operands, whatever parentheses and comments stand around it."""
        start, end = self.span(left)[1], self.span(right)[0]
        words = [word for word in self.words[bisect_left(self.words, (start,)) :][:20] if word.end <= end and word.text not in ("(", ")")]
        self.add(kind, words[0].start, words[-1].end, *table.get(" ".join(word.text for word in words), ()))

    # ------------------------------------------------------------ what is walked

    def generic_visit(self, node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns", "decorator_list", "type_params"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self.visit(child)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scopes.append(node.name)
        self.generic_visit(node)
        self.scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.results.append(ast.unparse(node.returns) if node.returns else "")
        self.scopes.append(node.name)
        self.generic_visit(node)
        self.scopes.pop()
        self.results.pop()

    def visit_arguments(self, node: ast.arguments) -> None:
        places = [*node.posonlyargs, *node.args]
        places = [*places[len(places) - len(node.defaults) :], *node.kwonlyargs]
        for place, default in zip(places, [*node.defaults, *node.kw_defaults], strict=True):
            if default and place.arg != "seed":
                self.visit(default)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value and not (isinstance(node.target, ast.Name) and node.target.id == "seed"):
            self.visit(node.value)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in KEPT:
            self.generic_visit(node)

    # ------------------------------------------------------------ what is changed

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, right in pairwise([node.left, *node.comparators]):
            self.swap("comparison", left, right, COMPARISONS)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        sides = [side.value if isinstance(side, ast.Constant) else side for side in (node.left, node.right)]
        if not any(side is None or isinstance(side, (str, ast.JoinedStr)) for side in sides):  # neither a union of types nor words
            self.swap("arithmetic", node.left, node.right, ARITHMETIC)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.swap("arithmetic", node.target, node.value, IN_PLACE)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in pairwise(node.values):
            self.swap("and, or", left, right, LOGIC)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        inner, start = node.operand, self.span(node)[0]
        if isinstance(node.op, ast.USub) and isinstance(inner, ast.Constant) and isinstance(inner.value, (int, float)):
            return self.number(node, -inner.value)
        length = {ast.Not: len("not"), ast.Invert: 1, ast.USub: 1}.get(type(node.op), 0)
        end = start + length
        while length and self.source[end : end + 1] == b" ":
            end += 1
        self.add("not" if isinstance(node.op, ast.Not) else "sign", start, end, "" if length else self.source[start:end].decode())
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.add("boolean", *self.span(node), str(not node.value))
        elif isinstance(node.value, (int, float)):
            self.number(node, node.value)

    def number(self, node: ast.expr, value: float) -> None:
        values = {0.0: [value + 1], 1.0: [value - 1, 2 * value, -value]}.get(value, [value + 1, 2 * value, -value])
        self.add("number", *self.span(node), *map(repr, values))

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in SPOKEN or name.endswith(("Error", "Warning")):
            return
        if name in EXTREMES:
            end = self.span(node.func)[1]
            self.add("min, max", end - len(name), end, EXTREMES[name])
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in KEPT:
                self.drop(keyword)
        self.generic_visit(node)

    def drop(self, keyword: ast.keyword) -> None:
        """A keyword argument, and the comma after it or else before it."""
        start, end = self.span(keyword)
        before, after = self.words[bisect_left(self.words, (start,)) - 1], self.words[bisect_left(self.words, (end,))]
        if after.text == ",":
            end = after.end
            while self.source[end : end + 1] == b" ":
                end += 1
        elif before.text == ",":
            start = before.start
        self.add("keyword", start, end, "")

    def visit_Return(self, node: ast.Return) -> None:
        result, value = self.results[-1] if self.results else "", node.value
        if value and not isinstance(value, (ast.Constant, ast.Tuple)):
            truth = isinstance(value, (ast.Compare, ast.BoolOp)) or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not))
            sign = "not " if result == "bool" else "~" if result.startswith("Bool[") else "-" if result.startswith(NUMERIC) else ""
            if sign or truth:
                self.add("return", *self.span(value), f"{sign or 'not '}({self.text(value)})")
        self.generic_visit(node)

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        if any(isinstance(part, ast.Name) and part.id in GUARDS for part in ast.walk(node.test)):
            return
        self.add("condition", *self.span(node.test), "True", "False")
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self.add("condition", *self.span(node.test), "False")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.add("condition", *self.span(test), "True", "False")
        self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> None:
        start = self.span(node)[0]
        after = self.span(node.lower)[1] if node.lower else start
        colon = next(word for word in self.words[bisect_left(self.words, (after,)) :] if word.text == ":")
        for bound, place, new in ((node.lower, start, "1"), (node.upper, colon.end, "-1")):
            if bound is None:
                self.add("slice", place, place, new)
            elif not any(isinstance(part, ast.Constant) for part in (bound, getattr(bound, "operand", None))):  # numbers change anyway
                self.add("slice", *self.span(bound), f"({self.text(bound)}) + 1")
        self.generic_visit(node)

    visit_IfExp = visit_If


def faults(root: Path, files: Iterable[Path]) -> list[Fault]:
    """All that can be planted in the files, in their order."""
    return [fault for file in files for fault in Finder(file.relative_to(root).as_posix(), file.read_bytes()).found]


def draw(root: Path, found: Iterable[Fault], count: int, seed: int) -> Iterator[Fault]:
    """`count` faults in as many places, drawn by seed; only those with which the file still compiles, to something else."""
    place = attrgetter("path", "start", "end")
    places = [list(variants) for _, variants in groupby(sorted(found, key=attrgetter("path", "start", "end", "new")), place)]
    rng = random.Random(seed)
    rng.shuffle(places)
    for variants in places:
        rng.shuffle(variants)
        good = next((fault for fault in variants if count and _compiles((root / fault.path).read_bytes(), fault)), None)
        if good:
            count -= 1
            yield good


def _compiles(source: bytes, fault: Fault) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `x is not 0` is a fault as good as another
        try:
            compile(fault.planted(source), fault.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
    return ast.dump(ast.parse(source)) != ast.dump(ast.parse(fault.planted(source)))
