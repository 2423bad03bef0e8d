"""The kit's components (`<c-card>` …), by django-cotton, rendered once for each shape and then filled in (portal/templating/shapes.py)."""

from __future__ import annotations

import contextlib
import threading
from html import escape as html_escape
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.template import Library, Template, TemplateDoesNotExist
from django.template.base import Node, Parser, Token, render_value_in_context
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django_cotton.templatetags import Attrs, UnprocessableDynamicAttr
from django_cotton.templatetags._component import AttrKind, CottonComponentNode, cotton_component
from django_cotton.templatetags._slot import CottonSlotNode
from django_cotton.utils import get_cotton_data

from portal.templatetags.kit import sprite_url
from portal.templating.constants import fold
from portal.templating.loader import Loader
from portal.templating.shapes import Unknown, Uses, cut, mark

register = Library()

_MOST_SHAPES = 500  # of one component
_LONGEST_VALUE = 200
_THERE = object()  # a hole's place in a key
_SIMPLE = {str, SafeString, int, bool, type(None)}


class _Shapes:
    """A component's template: how it uses what it is given, and its markup by what that depends on."""

    def __init__(self, template: Template) -> None:
        self.uses = Uses(template)
        self.known: dict[tuple, tuple[str, list[tuple[str, str]]]] = {}


class _Plan(NamedTuple):
    """A component's place on a page: what of it is the same whatever the page shows, and the names of what isn't."""

    key: tuple
    filling: dict[str, str]
    holes: list[str]
    values: list[str]


_of_template: WeakKeyDictionary[Template, _Shapes | None] = WeakKeyDictionary()
_reading = threading.RLock()
_being_read: set[Template] = set()


def shapes_of(template: Template) -> _Shapes | None:
    """What is known of a component's template; None where it looks at more than what it is given."""
    with contextlib.suppress(KeyError):
        return _of_template[template]
    with _reading:
        if template in _being_read:  # a component inside itself
            return None
        _being_read.add(template)
        try:
            found: _Shapes | None = _Shapes(template)
        except Unknown:
            found = None
        finally:
            _being_read.discard(template)
        return _of_template.setdefault(template, found)


class Component(CottonComponentNode):
    """A component of the kit on a page."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._planned: tuple[Template | None, _Shapes | None, _Plan | None] = (None, None, None)
        self._loaded: tuple[int, Template | None] = (-1, None)
        for attribute in self._prepared_attrs:
            for compiled in (attribute.compiled, getattr(attribute.compiled, "_template", None)):
                if hasattr(compiled, "nodelist"):
                    fold(compiled.nodelist)

    def uses(self) -> Uses | None:
        """How the component uses what it is given; None where it looks at more, or where the page names it."""
        if self.component_name == "component" or self.only:
            return None
        try:
            found = shapes_of(self._template(Context(), Attrs({})))
        except TemplateDoesNotExist:
            return None
        return found.uses if found else None

    def _template(self, context: Context, attributes: Attrs) -> Template:
        if self.component_name == "component":
            return self._get_cached_template(context, attributes)
        generation, template = self._loaded
        if template is None or generation != Loader.generation:
            template = self._get_cached_template(context, attributes)
            self._loaded = (Loader.generation, template)
        return template

    def render(self, context: Context) -> str:
        """Its markup."""
        data = get_cotton_data(context)
        own: dict[str, Any] = {"key": self.component_name, "attrs": Attrs({}), "slots": {}}
        data["stack"].append(own)
        self._read_attributes(own["attrs"], context)
        slot = self.nodelist.render(context)
        template = self._template(context, own["attrs"])
        text = None
        if context.autoescape and not self.only and not own["attrs"]._unprocessable:
            text = self._filled(template, context, own, slot)
        if text is None:
            text = self._in_full(template, context, own, slot)
        data["stack"].pop()
        return text

    def _read_attributes(self, into: Attrs, context: Context) -> None:
        """What the page gives it: names as they stand in the markup, and their values."""
        values = into.dict
        for key, kind, value, compiled in self._prepared_attrs:
            if compiled is None:
                values[key] = value
            elif kind == AttrKind.ESCAPED:
                values[key] = compiled.nodelist.render(context)
            else:
                try:
                    found = compiled.resolve(context)
                except UnprocessableDynamicAttr:
                    if kind == AttrKind.UNQUOTED:
                        values[key] = value
                    else:
                        into.unprocessable(key)
                    continue
                if key == "attrs" and kind == AttrKind.DYNAMIC:
                    values.update(found)
                else:
                    values[key] = found

    def _filled(self, template: Template, context: Context, own: dict[str, Any], slot: str) -> str | None:
        """The markup of its shape, with what the page gives in the holes; None where something given has no simple shape."""
        of, shapes, plan = self._planned
        if of is not template:
            shapes = shapes_of(template)
            plan = self._plan(shapes.uses, own, context) if shapes else None
            self._planned = (template, shapes, plan)
        if shapes is None or plan is None:
            return None
        own["attrs"]._exclude_from_str = shapes.uses.excluded
        given = _given(shapes.uses, own, slot)
        found = _key_and_filling(plan.holes, plan.values, given, context)
        if found is None:
            return None
        key = (get_language(), sprite_url(), plan.key, found[0])
        filling = {**plan.filling, **found[1]}
        shape = shapes.known.get(key)
        if shape is None:
            if len(shapes.known) >= _MOST_SHAPES:
                shapes.known.clear()
            marks = {name: SafeString(mark(name)) for name in filling}
            with context.push({**given, **marks, "cotton_data": get_cotton_data(context)}):
                shape = shapes.known[key] = cut(template.render(context))
        first, rest = shape
        parts = [first]
        for name, piece in rest:
            parts += (filling[name], piece)
        return SafeString("".join(parts))

    def _plan(self, uses: Uses, own: dict[str, Any], context: Context) -> _Plan | None:
        """What is the same on every page: defaults, and attributes that are written out."""
        own["attrs"]._exclude_from_str = uses.excluded
        given = _given(uses, own, "")
        changing = {"slot"} if self.nodelist else set()
        changing |= {node.slot_name for node in self.nodelist.get_nodes_by_type(CottonSlotNode)}
        for attribute in self._prepared_attrs:
            if attribute.compiled is not None:
                name = attribute.key.replace("-", "_")
                changing.add(name)
                if attribute.key not in uses.excluded:
                    changing.add("attrs")
                if name == "attrs":
                    return None
        found = _key_and_filling(
            [name for name in uses.holes if name not in changing], [name for name in uses.values if name not in changing], given, context
        )
        if found is None:
            return None
        holes, values = [name for name in uses.holes if name in changing], [name for name in uses.values if name in changing]
        return _Plan((*holes, None, *values, None, *found[0]), found[1], holes, values)

    def _in_full(self, template: Template, context: Context, own: dict[str, Any], slot: str) -> str:
        """As django-cotton makes it."""
        attributes = own["attrs"]
        attributes._exclude_from_str = {"is"}
        defaults = self._extract_vars_from_template(template, context, attributes, own["slots"])
        state = {**defaults, **own["slots"], **attributes.make_attrs_accessible(), "attrs": attributes, "slot": slot}
        state["cotton_data"] = get_cotton_data(context)
        if self.only:
            return template.render(Context(state))
        with context.push(state):
            return template.render(context)


def _given(uses: Uses, own: dict[str, Any], slot: str) -> dict[str, Any]:
    """What the component's template is told, by name."""
    attributes = own["attrs"]
    return {**uses.defaults, **own["slots"], **attributes.make_attrs_accessible(), "slot": slot, "attrs": attributes}


def _key_and_filling(holes: list[str], values: list[str], given: dict[str, Any], context: Context) -> tuple[tuple, dict[str, str]] | None:
    """What the markup depends on, and what its holes are filled with; None where something given has no simple shape."""
    key: list[Any] = []
    filling: dict[str, str] = {}
    for name in holes:
        value = given[name]
        text = _shown(value, context)
        if value and text and not text.isspace():
            filling[name] = text
            key.append(_THERE)
        elif type(value) in _SIMPLE or not text:
            key += (type(value), bool(value), text)
        else:
            return None
    for name in values:
        value = given[name]
        if type(value) not in _SIMPLE or len(str(value)) > _LONGEST_VALUE:
            return None
        key += (type(value), value)
    return tuple(key), filling


def _shown(value: Any, context: Context) -> str:
    """What `{{ value }}` says."""
    if type(value) is SafeString:
        return value
    return html_escape(value) if type(value) is str else render_value_in_context(value, context)


@register.tag("cotton")
def component(parser: Parser, token: Token) -> Node:
    """`{% cotton name … %}`, which `<c-name …>` is turned into."""
    node = cotton_component(parser, token)
    return Component(node.component_name, node.nodelist, node.attrs, node.only, node.active_library)
