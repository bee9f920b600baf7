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


def told(node: ast.AST) -> Words:
    """What an expression is, in words: a name, a number, a known step, or the names that it is made of."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Constant, ast.Subscript)) and len(ast.unparse(node)) <= 24:
        return f"`{ast.unparse(node)}`", f"`{ast.unparse(node)}`"
    if isinstance(node, ast.Call) and called(node) in STEPS and not isinstance(node.func, ast.Name):
        return STEPS[called(node)]
    names = list(dict.fromkeys(each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each.id not in MODULES))[:3]
    listed = ", ".join(f"`{name}`" for name in names)
    return (f"what is made of {listed}", f"ce qui est fait de {listed}") if names else ("a number", "un nombre")


MODULES = {"np", "torch", "F", "math", "nn", "self", "len", "range", "zip", "float", "int"}


def called(node: ast.Call) -> str:
    """The name of the function or method that a call is of."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def is_self(node: ast.AST) -> bool:
    """Whether an expression is `self`."""
    return isinstance(node, ast.Name) and node.id == "self"
