"""Every address of the product, and real values to visit it with.

`all_addresses()` walks the resolver. `paths_of(address, samples)` fills its parameters: `<int:deal_id>` with ids of rows whose model's
name ends in "deal", `<str:ref>` with references of registered subjects, `<slug:slug>` with values of fields of that name. Where guessing
isn't enough, a package's `tests/worlds/<package>.py` has `samples(world) -> {"url_name": [{kwarg: value}, …]}`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.db import models
from django.urls import URLPattern, get_resolver
from django.urls.converters import IntConverter, UUIDConverter
from django.urls.resolvers import RoutePattern

from portal.access import Access, Actor
from portal.registry import SubjectRef, registry
from tests.world import PACKAGES

OUR_APPS = [package for package in PACKAGES if apps.is_installed(package)]
PARAMETER = re.compile(r"<(?:[^>:]+:)?([^>]+)>")


@dataclass(frozen=True)
class Address:
    """One view's place in the resolver."""

    route: str
    name: str
    view: Callable = field(compare=False)
    converters: dict[str, Any] = field(compare=False, default_factory=dict)
    is_regex: bool = False

    @property
    def access(self) -> Access | None:
        """What the view declares."""
        return getattr(self.view, "access", None)

    @property
    def package(self) -> str:
        """The package that the view lives in."""
        return self.view.__module__.partition(".")[0]

    @property
    def is_ours(self) -> bool:
        """Whether the view is the product's own."""
        return self.package in OUR_APPS

    def __str__(self) -> str:
        return f"/{self.route}"


def all_addresses() -> list[Address]:
    """Every view of the resolver, once a route."""
    return list(dict.fromkeys(_walk(get_resolver().url_patterns, "", {}, [], False)))


def _walk(patterns, prefix: str, converters: dict, spaces: list[str], is_regex: bool) -> Iterator[Address]:
    for entry in patterns:
        ours = isinstance(entry.pattern, RoutePattern)
        piece = entry.pattern._route if ours else entry.pattern._regex
        found = converters | (entry.pattern.converters if ours else {})
        regex = is_regex or (not ours and piece not in ("", "^"))
        if isinstance(entry, URLPattern):
            yield Address(prefix + piece, ":".join([*spaces, entry.name or ""]), entry.callback, found, regex)
        else:
            yield from _walk(entry.url_patterns, prefix + piece, found, [*spaces, entry.namespace] if entry.namespace else spaces, regex)


class Samples:
    """Values for the parameters of addresses, taken from the world's rows."""

    def __init__(self, world: Any, most: int = 4) -> None:
        self.most = most
        self.own: dict[str, list[dict]] = {}
        for package in PACKAGES:
            if find_spec(f"tests.worlds.{package}"):
                module = import_module(f"tests.worlds.{package}")
                if hasattr(module, "samples"):
                    self.own.update(module.samples(world))

    def models(self) -> list[type[models.Model]]:
        """The product's own tables."""
        return [m for package in OUR_APPS for m in apps.get_app_config(package).get_models()]

    def refs(self) -> list[str]:
        """References of some rows of each registered kind."""
        system = Actor.system("tests")
        return [
            str(SubjectRef(key, pk))
            for key, kind in registry.subjects.items()
            for pk in kind.visible(system).order_by("pk").values_list("pk", flat=True)[: self.most]
        ]

    def values(self, address: Address, name: str, converter: Any) -> list[Any]:
        """Some values for one parameter."""
        if name in ("ref", "subject", "subject_ref"):
            return self.refs()
        if isinstance(converter, IntConverter):
            return self._keys(address, name, int)
        if isinstance(converter, UUIDConverter):
            return self._keys(address, name, None)
        return self._fields(address, name)

    def _keys(self, address: Address, name: str, kind: type | None) -> list[Any]:
        numeric = [m for m in self.models() if isinstance(m._meta.pk, models.UUIDField) is (kind is None)]
        word = name.removesuffix("_id").removesuffix("_pk").replace("_", "")
        fitting = [m for m in numeric if m.__name__.lower().endswith(word)]
        if not fitting:
            fitting = [m for m in numeric if m._meta.app_label == address.package] or numeric
        lists = [list(m._default_manager.order_by("pk").values_list("pk", flat=True)[: self.most]) for m in fitting]
        segment = address.route.partition(f":{name}>")[0].rpartition("<")[0].rstrip("/").rpartition("/")[2].rstrip("s")
        named = [key for m, keys in zip(fitting, lists, strict=True) if segment and segment in m.__name__.lower() for key in keys]
        others = (key for keys in itertools.zip_longest(*lists) for key in keys if key is not None)
        return list(dict.fromkeys([*named[: self.most], *others]))[: self.most * 2]

    def _fields(self, address: Address, name: str) -> list[Any]:
        found: dict[Any, None] = {}
        for model in sorted(self.models(), key=lambda m: m._meta.app_label != address.package):
            if any(f.name == name for f in model._meta.concrete_fields):
                found.update(dict.fromkeys(v for v in model._default_manager.values_list(name, flat=True)[: self.most] if v))
        return list(found)[: self.most]

    def paths(self, address: Address) -> list[str]:
        """Full paths for an address; none where a parameter has no sample."""
        if address.is_regex:
            return []
        names = PARAMETER.findall(address.route)
        if not names:
            return [f"/{address.route}"]
        short = address.name.rpartition(":")[2]
        given = self.own.get(address.name) or self.own.get(short)
        if given is None:
            lists = [self.values(address, name, address.converters[name]) for name in names]
            given = [dict(zip(names, chosen, strict=True)) for chosen in itertools.islice(itertools.product(*lists), self.most * 4)]
        return [self._fill(address, kwargs) for kwargs in given]

    @staticmethod
    def _fill(address: Address, kwargs: dict) -> str:
        def replace(match: re.Match) -> str:
            name = match[1]
            return str(address.converters[name].to_url(kwargs[name]))

        return "/" + PARAMETER.sub(replace, address.route)
