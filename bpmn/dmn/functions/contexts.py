"""Functions of contexts."""

from __future__ import annotations

from typing import Any

from bpmn.dmn.errors import Undefined
from bpmn.dmn.functions.library import builtin
from bpmn.dmn.run import Run


@builtin("get value", "m:context", "key:string")
def get_value(run: Run, context: dict[str, Any], key: str) -> Any:
    return context.get(key)


@builtin("get value", "context:context", "key:string")
def get_value_of_context(run: Run, context: dict[str, Any], key: str) -> Any:
    return context.get(key)


@builtin("get entries", "m:context")
def get_entries(run: Run, context: dict[str, Any]) -> list[Any]:
    run.tick(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "entries:list")
def context_(run: Run, entries: list[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
            raise Undefined("each entry is a context with key and value")
        if entry["key"] in made:
            raise Undefined(f"there are two entries “{entry['key']}”")
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put", "context:context", "key:string", "value")
def context_put(run: Run, context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**context, key: value}


@builtin("context put", "context:context", "keys:list", "value")
def context_put_deep(run: Run, context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    if not keys or not all(isinstance(key, str) for key in keys) or len(keys) > 50:
        raise Undefined("the keys are a list of texts")
    result = dict(context)
    here = result
    for key in keys[:-1]:
        inner = here.get(key, {})
        if not isinstance(inner, dict):
            raise Undefined(f"“{key}” is not a context")
        here[key] = dict(inner)
        here = here[key]
    here[keys[-1]] = value
    return result


@builtin("context merge", "contexts:list")
def context_merge(run: Run, contexts: list[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for context in contexts:
        if not isinstance(context, dict):
            raise Undefined("a list of contexts is needed")
        merged |= context
    return merged
