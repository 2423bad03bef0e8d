"""Expressions and scripts of a diagram, run by RestrictedPython with limits: no imports, classes, while, attributes with an
underscore, huge powers or repetitions, and a budget of steps. A script works on a copy; its result is taken only if it ends well.
An expression that begins with `feel:` is FEEL (DMN 1.3, chapter 10), wherever an expression may stand."""

from __future__ import annotations

import ast
import functools
import math
import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import CodeType, MappingProxyType
from typing import Any, ClassVar, Literal

from RestrictedPython import RestrictingNodeTransformer, compile_restricted, safe_builtins
from RestrictedPython.Eval import default_guarded_getitem
from RestrictedPython.Guards import guarded_iter_unpack_sequence, guarded_unpack_sequence, safer_getattr

from bpmn.dmn import CLOCK, DmnError, UnknownVariable, check_feel, feel, names_asked
from bpmn.values import copy_value
from bpmn.voting import vote_state

FEEL = "feel:"

MAX_SOURCE = 20_000
STEP_BUDGET = 20_000
MAX_SEQUENCE = 100_000
MAX_ITEMS = 20_000
MAX_NESTING = 20
MAX_RANGE = 10_000
MAX_DIGITS = 1_000


class ScriptError(Exception):
    """An expression or script that can't be compiled or failed; the message is for the person who drew the diagram."""


class UnknownName(ScriptError):
    """An expression asks for a variable that has no value yet."""


class _Limit(Exception):
    """A limit of the sandbox was hit."""


class _Policy(RestrictingNodeTransformer):
    """RestrictedPython's rules, and ours."""

    def _refuse(self, node: ast.AST) -> ast.AST:
        self.error(node, f"“{type(node).__name__}” is not allowed")
        return node

    visit_While = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _refuse  # noqa: N815
    visit_Import = visit_ImportFrom = visit_Try = visit_TryStar = visit_Global = visit_Nonlocal = visit_With = _refuse  # noqa: N815

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:  # noqa: N802
        node = self.node_contents_visit(node)
        if isinstance(node.op, ast.Mult | ast.Pow | ast.LShift | ast.Mod | ast.Add | ast.Sub | ast.Div | ast.FloorDiv):
            name = ast.Name("_binop_", ast.Load())
            call = ast.Call(func=name, args=[ast.Constant(type(node.op).__name__), node.left, node.right], keywords=[])
            return ast.fix_missing_locations(ast.copy_location(call, node))
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:  # noqa: N802
        if node.format_spec is not None:
            self.error(node, "format specifications are not allowed")
        node = self.node_contents_visit(node)
        node.value = _guarded("_small_", node.value)
        return ast.fix_missing_locations(node)

    def _build(self, node: ast.expr) -> ast.AST:
        """A list, dictionary or the like that is made here: its size is looked at before it can be nested again."""
        visited = self._PLAIN_VISIT[type(node)](self, node)
        parts = list(getattr(node, "elts", ())) + list(getattr(node, "keys", ())) + list(getattr(node, "values", ()))
        if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            return visited
        if isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set) and all(isinstance(part, ast.Constant) for part in parts):
            return visited
        return ast.fix_missing_locations(ast.copy_location(_guarded("_small_", visited), node))

    _PLAIN_VISIT: ClassVar[dict[type, Callable[..., Any]]] = {
        ast.List: RestrictingNodeTransformer.visit_List,
        ast.Tuple: RestrictingNodeTransformer.visit_Tuple,
        ast.Dict: RestrictingNodeTransformer.visit_Dict,
        ast.Set: RestrictingNodeTransformer.visit_Set,
        ast.ListComp: RestrictingNodeTransformer.visit_ListComp,
        ast.SetComp: RestrictingNodeTransformer.visit_SetComp,
        ast.DictComp: RestrictingNodeTransformer.visit_DictComp,
    }
    visit_List = visit_Tuple = visit_Dict = visit_Set = visit_ListComp = visit_SetComp = visit_DictComp = _build  # noqa: N815


def _guarded(name: str, node: ast.expr) -> ast.expr:
    """A call of one of the sandbox's own functions around an expression."""
    return ast.Call(func=ast.Name(name, ast.Load()), args=[node], keywords=[])


_CONTAINERS = (list, dict, tuple, set, frozenset)


def _small(value: Any) -> Any:
    """The value itself, unless it is nested or large beyond what a process can hold (containers of containers grow fast)."""
    if not isinstance(value, _CONTAINERS):
        return value
    budget, stack = MAX_ITEMS, [(value, 1)]
    while stack:
        thing, depth = stack.pop()
        budget -= len(thing)
        if budget < 0 or depth > MAX_NESTING:
            raise _Limit("the value is too large or too deeply nested")
        inner = [*thing, *thing.values()] if isinstance(thing, dict) else thing
        stack.extend((item, depth + 1) for item in inner if isinstance(item, _CONTAINERS))
    return value


def _power(left: Any, right: Any) -> Any:
    for number in (left, right):
        if not isinstance(number, int | float | Decimal):
            raise _Limit("a power needs numbers")
    if abs(right) > 64 or abs(left) > 1e9:
        raise _Limit("the power is too large")
    return left**right


_SIMPLE = {"Sub": operator.sub, "Div": operator.truediv, "FloorDiv": operator.floordiv}


def _binop(op: str, left: Any, right: Any) -> Any:
    """The operators that could eat all memory, with limits; money and plain fractions may be mixed."""
    numbers = (int, float, Decimal)
    if isinstance(left, Decimal) and isinstance(right, float):
        right = Decimal(repr(right))
    elif isinstance(left, float) and isinstance(right, Decimal):
        left = Decimal(repr(left))
    if op in _SIMPLE:
        return _SIMPLE[op](left, right)
    if op == "Pow":
        return _power(left, right)
    if op == "Mod":
        if not isinstance(left, numbers):
            raise _Limit("% on texts is not allowed")
        return left % right
    if op == "LShift":
        raise _Limit("<< is not allowed")
    if op == "Add":
        if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple) and len(left) + len(right) > MAX_SEQUENCE:
            raise _Limit("the result is too long")
        return _small(left + right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str | bytes | list | tuple) and isinstance(other, int) and len(one) * other > MAX_SEQUENCE:
            raise _Limit("the repetition is too long")
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > MAX_DIGITS * 4:
        raise _Limit("the number is too large")
    return _small(left * right)


_GUARDED = {"-=": "Sub", "/=": "Div", "//=": "FloorDiv", "+=": "Add", "*=": "Mult", "**=": "Pow", "%=": "Mod", "<<=": "LShift"}


def _inplace(op: str, left: Any, right: Any) -> Any:
    if op in _GUARDED:
        return _binop(_GUARDED[op], left, right)
    raise _Limit(f"{op} is not allowed")


class _Steps:
    """Counts the rounds of every loop of one run together, those inside `sum`, `sorted` and the like too."""

    __slots__ = ("left",)

    def __init__(self, budget: int):
        self.left = budget

    def spend(self, count: int) -> None:
        """Use up some of the budget."""
        self.left -= count
        if self.left < 0:
            raise _Limit("too many steps")

    def __call__(self, things: Iterable) -> Iterator:
        for thing in things:
            self.spend(1)
            yield thing


_run = threading.local()


def _counted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that walks through its arguments, at the price of their length."""

    @functools.wraps(function, updated=())
    def call(*args: Any, **options: Any) -> Any:
        _run.steps.spend(1 + sum(len(arg) for arg in args if hasattr(arg, "__len__")) // 10)
        return _small(function(*args, **options))

    return call


def _range(*args: int) -> range:
    result = range(*args)
    if len(result) > MAX_RANGE:
        raise _Limit("the range is too long")
    return result


def _int(value: Any = 0) -> int:
    if isinstance(value, str) and len(value) > MAX_DIGITS:
        raise _Limit("the number is too long")
    return int(value)


class _Writer:
    """Stands for a list or dictionary on the left of an assignment."""

    __slots__ = ("_target",)

    def __init__(self, target: Any):
        self._target = target

    def __setitem__(self, key: Any, value: Any) -> None:
        self._target[key] = _small(value)

    def __delitem__(self, key: Any) -> None:
        del self._target[key]


def _write(target: Any) -> Any:
    if type(target) in (dict, list):
        return _Writer(target)
    raise _Limit("only lists and dictionaries can be changed")


_FORBIDDEN_ATTRIBUTES = frozenset(
    {"format", "format_map", "mro", "tb_frame", "gi_frame", "cr_frame", "now", "utcnow", "today", "fromtimestamp"}
)


def _getattr(thing: Any, name: str, default: Any = None) -> Any:
    """Attributes: a dictionary's keys first come as items only; methods that format texts are closed."""
    if name in _FORBIDDEN_ATTRIBUTES or name.startswith("_"):
        raise _Limit(f"“.{name}” is not allowed")
    if isinstance(thing, str) and name in ("ljust", "rjust", "center", "zfill", "expandtabs", "translate"):
        raise _Limit(f"“.{name}” is not allowed")
    method = safer_getattr(thing, name, default)
    if isinstance(thing, str) and name in _TEXTS:
        return functools.partial(_TEXTS[name], thing)
    if name in _GROWING and isinstance(thing, _CONTAINERS):
        return functools.partial(_grow, thing, method)
    return method


def _grow(thing: Any, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """A method that puts things into a container."""
    added = sum(len(_small(arg)) for arg in args if isinstance(arg, _CONTAINERS))
    if len(thing) + added + len(options) > MAX_ITEMS:
        raise _Limit("the value is too large")
    return method(*(list(arg) if isinstance(arg, Iterator) else arg for arg in args), **options)


def _join(text: str, parts: Iterable) -> str:
    found, length = [], 0
    for part in parts:
        length += len(part) + len(text)
        if length > MAX_SEQUENCE:
            raise _Limit("the result is too long")
        found.append(part)
    return text.join(found)


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    if len(text) + text.count(old) * max(0, len(new) - len(old)) > MAX_SEQUENCE:
        raise _Limit("the result is too long")
    return text.replace(old, new, count)


_TEXTS: dict[str, Callable[..., str]] = {"join": _join, "replace": _replace}
_GROWING = frozenset(("append", "extend", "insert", "update", "setdefault", "add", "union"))
_MUTATORS = frozenset(
    ("append", "extend", "insert", "remove", "pop", "popitem", "clear", "update", "setdefault", "sort", "reverse", "add", "discard")
    + ("difference_update", "intersection_update", "symmetric_difference_update")
)


def _getattr_pure(thing: Any, name: str, default: Any = None) -> Any:
    """Attributes within an expression: nothing that changes a variable behind the engine's back."""
    if name in _MUTATORS:
        raise _Limit(f"“.{name}” would change a variable; use a script for that")
    return _getattr(thing, name, default)


def _isinstance(value: Any, kinds: Any) -> bool:
    """`isinstance`, for the kinds that scripts know by their counted functions."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    return isinstance(value, tuple(getattr(kind, "__wrapped__", kind) for kind in kinds))


_BUILTINS = {
    name: value
    for name, value in safe_builtins.items()
    if name not in ("setattr", "delattr", "id", "type", "_getattr_", "pow", "callable", "hash", "repr", "slice", "hex", "oct", "chr", "ord")
} | {
    **{function.__name__: _counted(function) for function in (sum, min, max, any, all, sorted, tuple, str)},
    **{kind.__name__: _counted(kind) for kind in (dict, list, set)},
    "isinstance": _isinstance,
    "enumerate": enumerate,
    "reversed": reversed,
    "range": _range,
    "int": _int,
    "Decimal": Decimal,
    "date": date,
    "datetime": datetime,
    "timedelta": timedelta,
    "UTC": UTC,
    "vote_state": _counted(vote_state),
}

_BASE: Mapping[str, Any] = MappingProxyType(
    {
        "__builtins__": _BUILTINS,
        "_getattr_": _getattr,
        "_getitem_": default_guarded_getitem,
        "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
        "_unpack_sequence_": guarded_unpack_sequence,
        "_write_": _write,
        "_small_": _small,
        "_inplacevar_": _inplace,
        "_binop_": _binop,
        "__name__": "script",
    }
)


@functools.lru_cache(8192)
def _compiled(source: str, mode: Literal["eval", "exec"]) -> CodeType:
    if len(source) > MAX_SOURCE:
        raise ScriptError(f"it is longer than {MAX_SOURCE:,} characters")
    try:
        code = compile_restricted(source, "<diagram>", mode, policy=_Policy)
    except SyntaxError as error:
        reason = error.args[0] if error.args else "it isn't valid"
        if isinstance(reason, tuple | list):
            reason = "; ".join(str(part) for part in reason)
        raise ScriptError(str(reason)) from None
    except Exception as error:  # the transformer stumbles over what it has refused
        raise ScriptError(f"it is too deeply nested or not valid ({type(error).__name__})") from None
    return code


def check_expression(source: str) -> None:
    """Raise ScriptError when this can't be an expression of a diagram."""
    if (text := _feel_text(source)) is None:
        _compiled(source.strip(), "eval")
        return
    try:
        check_feel(text)
    except DmnError as error:
        raise ScriptError(error.message) from None


@functools.lru_cache(2048)
def names_in(source: str) -> frozenset[str]:
    """The variables that an expression asks for, in FEEL the functions of the clock too; raises ScriptError for what is no expression."""
    check_expression(source)
    if (text := _feel_text(source)) is not None:
        return names_asked(text)
    names = [node for node in ast.walk(ast.parse(source.strip(), mode="eval")) if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return frozenset({node.id for node in names} - own - _BUILTINS.keys())


def asks_for_time(source: str) -> bool:
    """Whether an expression, one that can be read, gives another answer at another time."""
    return bool(names_in(source) & (CLOCK if _feel_text(source) is not None else {"now"}))


def _feel_text(source: str) -> str | None:
    """The FEEL of an expression, or None for Python."""
    text = source.strip()
    return text.removeprefix(FEEL).strip() if text.startswith(FEEL) else None


def _evaluate_feel(text: str, data: Mapping[str, Any]) -> Any:
    now, own = data.get("now"), {name: value for name, value in data.items() if name != "now"}  # in FEEL it is the function now()
    try:
        return feel(text, own, now=now if isinstance(now, datetime) else None)
    except DmnError as error:
        kind = UnknownName if isinstance(error, UnknownVariable) else ScriptError
        raise kind(str(error)) from None


def check_script(source: str) -> None:
    """Raise ScriptError when this can't be a script of a diagram."""
    _compiled(source.strip() + "\n", "exec")


def _reason(error: BaseException) -> str:
    if isinstance(error, NameError):
        return f"{error} (no variable of this name has a value yet)"
    if isinstance(error, KeyError):
        return f"there is no key {error}"
    if isinstance(error, _Limit):
        return str(error)
    return f"{type(error).__name__}: {error}"


_CAUGHT = (Exception, RecursionError)


def evaluate(source: str, data: Mapping[str, Any]) -> Any:
    """The value of an expression over the variables in `data`, which it can't change."""
    if (text := _feel_text(source)) is not None:
        return _evaluate_feel(text, data)
    code = _compiled(source.strip(), "eval")
    _run.steps = _Steps(STEP_BUDGET)
    names = {**data, **_BASE, "_getattr_": _getattr_pure, "_getiter_": _run.steps}
    try:
        value = eval(code, names)  # noqa: S307 - compiled by RestrictedPython
    except _CAUGHT as error:
        kind = UnknownName if isinstance(error, NameError) else ScriptError
        raise kind(f"“{source.strip()[:200]}” failed: {_reason(error)}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ScriptError(f"“{source.strip()[:200]}” isn't a finite number")
    return value


def truth(source: str, data: Mapping[str, Any]) -> bool:
    """Whether a condition holds. Emptiness counts as false, as in Python; FEEL has to give true or false."""
    value = evaluate(source, data)
    if _feel_text(source) is not None and not isinstance(value, bool):
        raise ScriptError(f"“{source.strip()[:200]}” gives neither true nor false")
    return bool(value)


def value_of(text: str, data: Mapping[str, Any]) -> Any:
    """A parameter's value: `= expression` is worked out, everything else is the text itself."""
    if text.lstrip().startswith("="):
        return copy_value(evaluate(text.lstrip()[1:], data))
    return text


def execute(source: str, data: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Run a script on a copy of the variables; returns what it set or changed, and the names it deleted."""
    code = _compiled(source.strip() + "\n", "exec")
    before = copy_value(dict(data))
    _run.steps = _Steps(STEP_BUDGET)
    names: dict[str, Any] = {**before, **_BASE, "_getiter_": _run.steps}
    try:
        exec(code, names)  # noqa: S102 - compiled by RestrictedPython
    except _CAUGHT as error:
        line = _line_of(error)
        raise ScriptError(f"the script failed{line}: {_reason(error)}") from None
    hidden = set(_BASE) | {"_getiter_", "_print"}
    after = {name: value for name, value in names.items() if name not in hidden}
    changed = {name: value for name, value in after.items() if name not in data or data[name] is not value and data[name] != value}
    return changed, {name for name in data if name not in after}


def _line_of(error: BaseException) -> str:
    trace = error.__traceback__
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<diagram>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" in line {line}" if line else ""


__all__ = [
    "ScriptError",
    "UnknownName",
    "asks_for_time",
    "check_expression",
    "check_script",
    "evaluate",
    "execute",
    "names_in",
    "truth",
    "value_of",
]
