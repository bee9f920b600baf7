"""The words of slips: what a step, or an expression in the code, is called in English and in French."""

import ast

Words = tuple[str, str]

STEPS: dict[str, Words] = {
    "sqrt": ("a square root", "une racine carrée"),
    "exp": ("an exponential", "une exponentielle"),
    "log": ("a logarithm", "un logarithme"),
    "log_": ("a logarithm", "un logarithme"),
    "neg_": ("a sign", "un signe"),
    "softmax": ("the softmax", "le softmax"),
    "log_softmax": ("the softmax", "le softmax"),
    "sigmoid": ("the sigmoid", "la sigmoïde"),
    "tanh": ("the hyperbolic tangent", "la tangente hyperbolique"),
    "gelu": ("the activation", "l'activation"),
    "relu": ("the activation", "l'activation"),
    "activation": ("the activation", "l'activation"),
    "derivative": ("the slope of the activation", "la pente de l'activation"),
    "mean": ("a mean", "une moyenne"),
    "sum": ("a sum", "une somme"),
    "cumsum": ("a cumulative sum", "une somme cumulée"),
    "abs": ("an absolute value", "une valeur absolue"),
    "max": ("a maximum", "un maximum"),
    "min": ("a minimum", "un minimum"),
    "clamp": ("a limit", "une borne"),
    "clip": ("a limit", "une borne"),
    "transpose": ("a transposition", "une transposition"),
    "masked_fill": ("the mask", "le masque"),
    "scatter": ("putting things back in their places", "la remise en place"),
    "detach": ("`detach`", "`detach`"),
    "log2": ("a logarithm", "un logarithme"),
    "square": ("a square", "un carré"),
    "normalize": ("normalising", "la normalisation"),
    "permutation": ("the shuffling", "le mélange"),
    "step": ("the decision", "la décision"),
    "exact": ("computing in float64", "le calcul en float64"),
    "beside": ("going back to the dtype given", "le retour au dtype donné"),
}
PAIRS = {"sum": "mean", "max": "min", "argmax": "argmin", "tril": "triu", "topk": "sort", "zeros": "ones", "zeros_like": "ones_like"}
TWINS: dict[str, Words] = {
    "sum": ("a mean stood for a sum", "une moyenne tenait lieu de somme"),
    "mean": ("a sum stood for a mean", "une somme tenait lieu de moyenne"),
    "max": ("the smallest were taken for the largest", "le plus petit était pris pour le plus grand"),
    "min": ("the largest were taken for the smallest", "le plus grand était pris pour le plus petit"),
    "argmax": ("the smallest were taken for the largest", "le plus petit était pris pour le plus grand"),
    "argmin": ("the largest were taken for the smallest", "le plus grand était pris pour le plus petit"),
    "tril": ("what comes after were taken for what comes before", "ce qui suit était pris pour ce qui précède"),
    "triu": ("what comes before were taken for what comes after", "ce qui précède était pris pour ce qui suit"),
    "zeros": ("ones stood for zeros", "des uns tenaient lieu de zéros"),
    "zeros_like": ("ones stood for zeros", "des uns tenaient lieu de zéros"),
    "ones": ("zeros stood for ones", "des zéros tenaient lieu de uns"),
    "ones_like": ("zeros stood for ones", "des zéros tenaient lieu de uns"),
}
TWIN = {**PAIRS, **{b: a for a, b in PAIRS.items() if b != "sort"}}


class Speaker:
    """Says what the expressions of a function are, in words of a reader who has not seen its code.

    Arguments, members and constants keep their names, which the reader knows; a variable is told by the arguments that it is made of.
    """

    def __init__(self, function: ast.FunctionDef):
        self.sources: dict[str, list[str]] = {}  # variables, and the names known to the reader that each is made of
        given = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
        made = [pair for node in ast.walk(function) for pair in _made(node)]
        self.variables = {name for names, _ in made for name in names} - given
        for names, value in [*made, *made]:  # twice, as a loop may use what its end makes
            for name in self.variables.intersection(names):
                self.sources[name] = list(dict.fromkeys([*self.sources.get(name, []), *self._names(value)]))

    def __call__(self, node: ast.AST) -> Words:
        """What an expression is: a name, a number, a known step, or the names that it is made of."""
        short = isinstance(node, (ast.Name, ast.Attribute, ast.Constant, ast.Subscript)) and len(ast.unparse(node)) <= 24
        if short and not self._varies(node):
            return f"`{ast.unparse(node)}`", f"`{ast.unparse(node)}`"
        if isinstance(node, ast.Call) and called(node) in STEPS and not isinstance(node.func, ast.Name):
            return STEPS[called(node)]
        names = self._names(node)[:3]
        listed = ", ".join(f"`{name}`" for name in names)
        if not names:
            return ("an intermediate result", "un résultat intermédiaire") if self._varies(node) else ("a number", "un nombre")
        return f"what is made of {listed}", f"ce qui est fait de {listed}"

    def filled(self, node: ast.Assign) -> tuple[Words, str] | None:
        """What an assignment writes a number into, `x[places] = 0`, and the number; None for any other."""
        (target, *others), value = node.targets, _number(node.value)
        return (self(target.value), value) if isinstance(target, ast.Subscript) and value and not others else None

    def _names(self, node: ast.AST) -> list[str]:
        """The names that a reader knows among those of an expression."""
        functions = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
        names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each not in functions and each.id not in MODULES]
        known = [self.sources.get(name, []) if name in self.variables else [name] for name in names]
        return list(dict.fromkeys(source for sources in known for source in sources))

    def _varies(self, node: ast.AST) -> bool:
        """Whether an expression holds a variable."""
        return any(isinstance(each, ast.Name) and each.id in self.variables for each in ast.walk(node))


def _made(node: ast.AST) -> list[tuple[list[str], ast.AST]]:
    """The variables that a node makes, and what it makes them of."""
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        targets, value = node.targets if isinstance(node, ast.Assign) else [node.target], node.value
    elif isinstance(node, (ast.For, ast.comprehension)):
        targets, value = [node.target], node.iter
    else:
        return []
    return [([each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)], value)]


def _number(node: ast.AST) -> str:
    """A constant number as it is written, an infinity as ∞; empty for anything else."""
    minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    bare = node.operand if isinstance(node, ast.UnaryOp) and minus else node
    if isinstance(bare, ast.Attribute) and bare.attr == "inf":
        text = "∞"
    elif isinstance(bare, ast.Constant) and isinstance(bare.value, (int, float)) and not isinstance(bare.value, bool):
        text = f"{bare.value:g}"
    else:
        return ""
    return f"−{text}" if minus else text


MODULES = {"np", "torch", "F", "math", "nn", "self", "len", "range", "zip", "float", "int"}


def called(node: ast.Call) -> str:
    """The name of the function or method that a call is of."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def is_self(node: ast.AST) -> bool:
    """Whether an expression is `self`."""
    return isinstance(node, ast.Name) and node.id == "self"
