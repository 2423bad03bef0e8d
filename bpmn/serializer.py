"""The stored state of an instance: bytes with a version, and how the states of older releases are read again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import InvalidOperation
from typing import Any

import orjson
import zstandard

from bpmn.model import StateRefused
from bpmn.values import pack, unpack

VERSION = 3
MAGIC = b"TS"
MAX_STATE = 16 * 1024 * 1024


class _Zstd(threading.local):
    """One compressor and decompressor a thread: making them costs more than using them, sharing them isn't safe."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=3).compress
        self.unpack = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()


def encode(content: dict[str, Any]) -> bytes:
    """A state as bytes: magic, version, packed content."""
    raw = orjson.dumps(pack(content))
    if len(raw) > MAX_STATE:
        raise StateRefused(f"The instance's state has {len(raw):,} bytes; {MAX_STATE:,} are allowed.")
    return MAGIC + bytes([VERSION]) + _zstd.pack(raw)


def decode(state: bytes) -> dict[str, Any]:
    """The content of a stored state, migrated from the version it was written with."""
    state = bytes(state)
    if state[:2] != MAGIC or len(state) < 4:
        raise StateRefused("These bytes aren't a stored process instance.")
    version = state[2]
    if version not in _MIGRATIONS and version != VERSION:
        raise StateRefused(f"The instance was stored by a newer release (format {version}).")
    try:
        if zstandard.frame_content_size(state[3:]) > MAX_STATE:
            raise ValueError("it is too large")
        raw = _zstd.unpack(state[3:], max_output_size=MAX_STATE)
        content = unpack(orjson.loads(raw))
    except (zstandard.ZstdError, orjson.JSONDecodeError, KeyError, ValueError, TypeError, InvalidOperation) as error:
        raise StateRefused(f"The stored instance is damaged: {error}.") from None
    while version != VERSION:
        content = _MIGRATIONS[version](content)
        version += 1
    return content


def _from_1_to_2(content: dict[str, Any]) -> dict[str, Any]:
    """Each workflow has learned what of it can be undone."""
    return {**content, "flows": [[*flow, []] for flow in content["flows"]]}


def _from_2_to_3(content: dict[str, Any]) -> dict[str, Any]:
    """What is left to undo says where its variables are; so does what is being undone, of which older states knew only its workflow."""
    for _host, _scope, _data, tokens, _undoable in content["flows"]:
        for _key, _name, _state, internal, _local in tokens:
            if "undo" in internal:
                steps = [{"scope": scope, "handler": handler, "called": None, "data": data} for scope, handler, data in internal["undo"]]
                internal["undo"] = [step if step["data"] else {k: v for k, v in step.items() if k != "data"} for step in steps]
                internal |= {"undoing": {"scope": "", "handler": "", "called": None}, "undo_called": []}
    return content


# How the content of an older format becomes that of the next: {1: from_1_to_2, …}. Golden states of every format are kept as tests.
_MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1_to_2, 2: _from_2_to_3}
