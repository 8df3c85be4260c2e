"""Mutants of a module: one small wrong change each, made in its syntax tree.

Left alone are docstrings, annotations, text with a space in it (prose for people), what a type
checker alone sees, and the options of dataclass decorators.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
CALLED = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "minimum": "maximum",
    "maximum": "minimum",
}
NOTHING = ("return", "return None")
UNSEEN = {"TypeVar", "ParamSpec", "NewType", "dataclass"}


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, in words what it is, and the lines that run it."""

    line: int
    kind: str
    change: str
    lines: range  # a test that runs none of these cannot notice
    function: str | None  # None where it runs on import
    apply: Callable[[], Callable[[], None]]  # changes the tree, gives what changes it back


def mutants(tree: ast.Module) -> Iterator[Mutant]:
    """Every mutant of a module; each is to be applied and taken back before the next."""
    yield from _statements(tree.body, None)


def _statements(body: list[ast.stmt], function: str | None) -> Iterator[Mutant]:
    for k, statement in enumerate(body):
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass | ast.Global):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        yield from _whole(body, k, function)
        compound = hasattr(statement, "body")
        for field, value in ast.iter_fields(statement):
            if field in ("annotation", "returns", "target", "targets", "type_params", "name"):
                if field in ("target", "targets") and not compound:
                    yield from _targets(value, statement, function)
                continue
            if field in ("body", "orelse", "finalbody"):
                inner = function
                if isinstance(statement, ast.FunctionDef):
                    inner = function or statement.name
                yield from _statements(value, inner)
            elif field == "handlers":
                for handler in value:
                    yield from _statements(handler.body, function)
            elif field == "args" and isinstance(value, ast.arguments):
                for default in (*value.defaults, *value.kw_defaults):
                    yield from _expressions(default, statement, function, False)
            else:
                parts = value if isinstance(value, list) else [value]
                for part in parts:
                    if isinstance(part, ast.AST):
                        yield from _expressions(part, statement, function, not compound)


def _targets(value: object, statement: ast.stmt, function: str | None) -> Iterator[Mutant]:
    for target in value if isinstance(value, list) else [value]:
        if isinstance(target, ast.Subscript):
            yield from _expressions(target.slice, statement, function, True)


def _whole(body: list[ast.stmt], k: int, function: str | None) -> Iterator[Mutant]:
    """Changes of a whole statement: it is left out, or gives nothing back."""
    statement = body[k]
    lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    removed: ast.stmt | None = None
    sets = isinstance(statement, ast.Assign) and not isinstance(
        statement.targets[0], ast.Name | ast.Tuple
    )
    if sets or isinstance(statement, ast.Expr | ast.AugAssign | ast.Raise | ast.Delete):
        removed = ast.Pass()
    elif isinstance(statement, ast.Continue):
        removed = ast.Break()
    elif isinstance(statement, ast.Break):
        removed = ast.Continue()
    elif isinstance(statement, ast.Return) and ast.unparse(statement) not in NOTHING:
        removed = ast.Return(ast.Constant(None))
    if removed is not None and function is not None:
        kind = "return" if isinstance(removed, ast.Return) else "statement"
        told = f"{ast.unparse(statement)[:60]!r} -> {ast.unparse(removed)}"
        yield Mutant(statement.lineno, kind, told, lines, function, _swap(body, k, removed))


def _expressions(
    root: ast.AST | None, statement: ast.stmt, function: str | None, simple: bool
) -> Iterator[Mutant]:
    """Changes within one expression of a statement."""
    if isinstance(root, ast.withitem):
        root = root.context_expr
    if root is None or (isinstance(root, ast.Call) and _name(root.func) in UNSEEN):
        return
    test = getattr(statement, "test", None)
    ruled = statement if simple else root
    lines = range(ruled.lineno, (ruled.end_lineno or ruled.lineno) + 1)  # type: ignore[attr-defined]
    if root is test and not isinstance(root, ast.Compare | ast.BoolOp | ast.UnaryOp):
        change = f"{ast.unparse(root)} -> not"
        negated = ast.UnaryOp(ast.Not(), root)
        yield Mutant(
            root.lineno, "condition", change, lines, function, _set(statement, "test", negated)
        )
    stack: list[tuple[ast.AST, bool]] = [(root, False)]
    while stack:
        node, quoted = stack.pop()
        quoted = quoted or isinstance(node, ast.JoinedStr)
        if not (isinstance(node, ast.Call) and _name(node.func) in UNSEEN):
            children = [c for f, c in _parts(node) if f != "annotation"]
            stack += [(child, quoted) for child in reversed(children)]
        for kind, change, apply in _changes(node, quoted):
            line = getattr(node, "lineno", statement.lineno)
            yield Mutant(line, kind, change, lines, function, apply)


def _parts(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.FormattedValue):
        yield "value", node.value  # not its format
        return
    for field, value in ast.iter_fields(node):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield field, part


Change = tuple[str, str, Callable[[], Callable[[], None]]]


def _changes(node: ast.AST, quoted: bool) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for other in COMPARED[type(op)]:
                told = f"{ast.unparse(node)[:60]}: {type(op).__name__} -> {other.__name__}"
                yield "comparison", told, _swap(node.ops, k, other())
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        other_op = COMPUTED[type(node.op)]
        told = f"{ast.unparse(node)[:60]}: {type(node.op).__name__} -> {other_op.__name__}"
        yield "arithmetic", told, _set(node, "op", other_op())
    elif isinstance(node, ast.BoolOp):
        other_bool = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        told = f"{ast.unparse(node)[:60]} -> {type(other_bool).__name__}"
        yield "boolean", told, _set(node, "op", other_bool)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        told = f"{ast.unparse(node)[:60]} -> without {type(node.op).__name__}"
        doubled = ast.UnaryOp(type(node.op)(), node.operand)
        kind = "boolean" if isinstance(node.op, ast.Not) else "arithmetic"
        yield kind, told, _set(node, "operand", doubled)
    elif isinstance(node, ast.IfExp):
        if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            told = f"{ast.unparse(node.test)[:60]} -> not"
            yield "condition", told, _set(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.comprehension):
        for k, test in enumerate(node.ifs):
            told = f"if {ast.unparse(test)[:60]} -> True"
            yield "condition", told, _swap(node.ifs, k, ast.Constant(True))
    elif isinstance(node, ast.Call):
        name = _name(node.func)
        if name in CALLED:
            field = "id" if isinstance(node.func, ast.Name) else "attr"
            yield "call", f"{name} -> {CALLED[name]}", _set(node.func, field, CALLED[name])
        for k, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                told = f"{name}(..., {ast.unparse(keyword)[:50]}) -> left out"
                yield "argument", told, _drop(node.keywords, k)
    elif isinstance(node, ast.Constant):
        yield from _constants(node, quoted)


def _constants(node: ast.Constant, quoted: bool) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", f"{value} -> {not value}", _set(node, "value", not value)
    elif isinstance(value, int | float):
        yield "constant", f"{value} -> {value + 1}", _set(node, "value", value + 1)
    elif isinstance(value, str) and value and not quoted and " " not in value:
        yield "constant", f"{value!r} -> {'XX' + value!r}", _set(node, "value", "XX" + value)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _set(node: ast.AST, field: str, new: object) -> Callable[[], Callable[[], None]]:
    def apply() -> Callable[[], None]:
        old = getattr(node, field)
        setattr(node, field, new)
        return lambda: setattr(node, field, old)

    return apply


def _swap(parts: list, k: int, new: ast.AST) -> Callable[[], Callable[[], None]]:  # type: ignore[type-arg]
    def apply() -> Callable[[], None]:
        old, parts[k] = parts[k], new
        return lambda: parts.__setitem__(k, old)

    return apply


def _drop(parts: list, k: int) -> Callable[[], Callable[[], None]]:  # type: ignore[type-arg]
    def apply() -> Callable[[], None]:
        old = parts.pop(k)
        return lambda: parts.insert(k, old)

    return apply
