"""Built-in functions by name: how they are declared, how their arguments are checked, and where they are found."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from bpmn.dmn.errors import Undefined
from bpmn.dmn.run import Run
from bpmn.dmn.types import BUILT_IN, Type, coerce
from bpmn.dmn.values import Function, kind

Parameter = tuple[str, Type | None, bool]  # name, type (None: anything, null too), optional


@dataclass(frozen=True, slots=True)
class Signature:
    parameters: tuple[Parameter, ...]
    body: Callable[..., Any]
    variadic: bool
    spread: bool
    """Whether one list alone in place of all the rest stands for its items."""

    def bind(self, arguments: list[Any] | dict[str, Any]) -> list[Any] | None:
        """Values in the order of the parameters; None when names or number do not fit."""
        if isinstance(arguments, dict):
            names = [name for name, _, _ in self.parameters]
            if set(arguments) - set(names) or any(name not in arguments and not optional for name, _, optional in self.parameters):
                return None
            values = [arguments.get(name) for name in names]
            return [*values[:-1], [values[-1]]] if self.variadic and not self.spread else values
        if self.variadic:
            fixed = len(self.parameters) - 1
            if len(arguments) <= fixed:
                return None
            rest = arguments[fixed:]
            return [*arguments[:fixed], rest[0] if self.spread and len(rest) == 1 and isinstance(rest[0], list) else rest]
        needed = sum(not optional for _, _, optional in self.parameters)
        if not needed <= len(arguments) <= len(self.parameters):
            return None
        return [*arguments, *[None] * (len(self.parameters) - len(arguments))]

    def check(self, run: Run, values: list[Any]) -> list[Any]:
        checked = []
        for value, (name, wanted, optional) in zip(values, self.parameters, strict=True):
            if wanted is not None:
                try:
                    value = coerce(value, wanted, run)  # noqa: PLW2901
                except Undefined:
                    raise Undefined(f"“{name}” needs a {wanted.label()}, not a {kind(value)}") from None
                if value is None and not optional:
                    raise Undefined(f"“{name}” is null")
            checked.append(value)
        return checked


_signatures: dict[str, list[Signature]] = {}
_functions: dict[str, Function] = {}


def builtin(name: str, *parameters: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function: `"start position:number"`, `"length:number?"` (optional), no type: anything.

    `"list:*"` takes all the rest, or one list of it; `"item:**"` takes all the rest, each for itself.
    """

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        read: list[Parameter] = []
        variadic = spread = False
        for parameter in parameters:
            label, _, spelled = parameter.partition(":")
            optional = spelled.endswith("?") or label.endswith("?")
            spelled = spelled.rstrip("?")
            variadic, spread = variadic or spelled in ("*", "**"), spread or spelled == "*"
            wanted = BUILT_IN["list" if spelled in ("*", "**") else spelled] if spelled else None
            read.append((label.rstrip("?"), wanted, optional))
        _signatures.setdefault(name, []).append(Signature(tuple(read), body, variadic, spread))
        _functions.setdefault(name, _function(name, tuple(label for label, _, _ in read)))
        return body

    return register


def _function(name: str, parameters: tuple[str, ...]) -> Function:
    def call(run: Run, arguments: list[Any] | dict[str, Any]) -> Any:
        run.tick()
        reason = "is called with other arguments than it takes"
        for signature in _signatures[name]:
            values = signature.bind(arguments)
            if values is None:
                continue
            try:
                return signature.body(run, *signature.check(run, values))
            except Undefined as problem:
                reason = str(problem)
            except (decimal.DecimalException, OverflowError):
                reason = "the result is no number"
        run.note(f"{name}: {reason}")
        return None

    return Function(name, parameters, call)


for _module in ("numbers", "strings", "lists", "temporals", "contexts", "ranges"):
    import_module(f"bpmn.dmn.functions.{_module}")

NAMES = frozenset(name for name in _functions if " " in name)


def get(name: str) -> Function | None:
    return _functions.get(name)


def all_names() -> list[str]:
    """Every built-in function, in order of the alphabet."""
    return sorted(_functions)
