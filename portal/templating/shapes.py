"""Partial evaluation of components: which of a component's words depend on what it is given, found out from its template.

A component of the kit mostly shows what it is given (`{{ title }}`) or asks whether it was given (`{% if title %}`). Its markup around
that is the same for everybody, so it is rendered once with holes, and a page only fills the holes. What is used in another way (compared,
filtered, handed to a tag) is part of the key under which the markup is kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.template import Template
from django.template.base import Node, NodeList, TextNode, Variable, VariableNode
from django.template.defaulttags import ForNode, IfNode, URLNode, WithNode
from django.template.library import SimpleNode
from django.template.smartif import Literal, TokenBase
from django_cotton.templatetags._component import AttrKind, CottonComponentNode
from django_cotton.templatetags._slot import CottonSlotNode
from django_cotton.templatetags._vars import CottonVarsNode

from portal.templating.constants import PURE_TAGS, ConstantNode, lists_in

PURE_FILTERS = {
    "add", "audience_icon", "audience_word", "capfirst", "default", "default_if_none", "escape", "first", "force_escape", "initials",
    "join", "last", "length", "linebreaksbr", "lower", "number", "pluralize", "safe", "slice", "stringformat", "title", "truncatechars",
    "upper", "urlencode", "yesno",
}  # fmt: skip
_MARK = f"\x02{secrets.token_hex(6)}:"  # nobody who fills a hole can write one
_END = "\x03"
_OPERATORS_OF_TRUTH = {"and", "or", "not"}


class Unknown(Exception):  # noqa: N818  says why, to nobody but the one who looks
    """This template may look at more than what the component is given."""


def mark(name: str) -> str:
    """How the hole of this name looks in markup."""
    return f"{_MARK}{name}{_END}"


def cut(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Markup with holes as what comes first, and then each hole's name with what follows it."""
    first, *rest = text.split(_MARK)
    holes = []
    for part in rest:
        name, _end, piece = part.partition(_END)
        holes.append((name, piece))
    return first, holes


class Uses:
    """How a component's template uses the names that it declares.

    `holes`: shown, or tested for being there, and nothing else, so they may be filled in later; `values`: used in other ways, so that the
    markup depends on what they are; `defaults`: of the names that it declares; `excluded`: attributes that aren't passed on.
    """

    def __init__(self, template: Template) -> None:
        declared = [node for node in template.nodelist if isinstance(node, CottonVarsNode)]
        if len(declared) > 1:
            raise Unknown("declares twice")
        self.defaults: dict[str, Any] = {}
        for node in declared:
            if node.empty_vars or any(one.kind not in (AttrKind.STATIC, AttrKind.DYNAMIC) for one in node._prepared_vars):
                raise Unknown("a default that depends on the page")
            for one in node._prepared_vars:
                if one.kind == AttrKind.DYNAMIC and one.value != "None":
                    raise Unknown("a default that depends on the page")
                self.defaults[one.accessible_key] = None if one.kind == AttrKind.DYNAMIC else one.value
        self.excluded = {one.exclude_key for node in declared for one in node._prepared_vars} | {"is"}
        self._shown: set[str] = set()
        self._valued: set[str] = set()
        self._walk(template.nodelist, frozenset())
        self.values = sorted(self._valued)
        self.holes = sorted(self._shown - self._valued)
        if "attrs" in self._valued:
            raise Unknown("looks into its other attributes")

    def _walk(self, nodes: NodeList, local: frozenset[str]) -> None:
        for node in nodes:
            local |= self._node(node, local)

    def _node(self, node: Node, local: frozenset[str]) -> frozenset[str]:
        """Note what a node uses; the names that it gives to its later neighbours."""
        given: frozenset[str] = frozenset()
        if isinstance(node, (TextNode, ConstantNode, CottonVarsNode)):
            return given
        if isinstance(node, VariableNode):
            self._expression(node.filter_expression, local, shown=True)
        elif isinstance(node, IfNode):
            for condition, _nodes in node.conditions_nodelists:
                if condition is not None:
                    self._condition(condition, local, truth=True)
        elif isinstance(node, ForNode):
            self._expression(node.sequence, local)
            local |= {*node.loopvars, "forloop"}
        elif isinstance(node, WithNode):
            self._expressions(node.extra_context.values(), local)
            local |= set(node.extra_context)
        elif isinstance(node, URLNode):
            self._expressions([node.view_name, *node.args, *node.kwargs.values()], local)
            given = frozenset([node.asvar] if node.asvar else [])
        elif type(node) is SimpleNode and node.func in PURE_TAGS:
            self._expressions([*node.args, *node.kwargs.values()], local)
            given = frozenset([node.target_var] if node.target_var else [])
        elif isinstance(node, CottonComponentNode):
            self._component(node, local)
        elif not isinstance(node, CottonSlotNode):
            raise Unknown(type(node).__name__)
        for inner in lists_in(node):
            self._walk(inner, local)
        return given

    def _component(self, node: CottonComponentNode, local: frozenset[str]) -> None:
        """A component inside: what it is given is a value, and it must look at nothing else itself."""
        inner = getattr(node, "uses", lambda: None)()
        slots = {"slot", *(one.slot_name for one in node.nodelist if isinstance(one, CottonSlotNode))}
        if inner is None or slots & set(inner.values):
            raise Unknown(f"c-{node.component_name}")
        for attribute in node._prepared_attrs:
            if attribute.kind in (AttrKind.DYNAMIC, AttrKind.UNQUOTED):
                variable = attribute.compiled._variable
                if variable is None or attribute.compiled._template is not None:
                    raise Unknown(f"{attribute.key} of c-{node.component_name}")
                self._variable(variable, local)
            elif attribute.compiled is not None:
                before, self._shown = self._shown, set()
                self._walk(attribute.compiled.nodelist, local)
                self._valued |= self._shown
                self._shown = before

    def _condition(self, part: TokenBase, local: frozenset[str], *, truth: bool) -> None:
        if isinstance(part, Literal) or part.id == "literal":
            self._expression(part.value, local, shown=truth, tested=truth)
            return
        truth = truth and part.id in _OPERATORS_OF_TRUTH
        for side in (part.first, part.second):
            if side is not None:
                self._condition(side, local, truth=truth)

    def _expressions(self, expressions: Iterable[Any], local: frozenset[str]) -> None:
        for expression in expressions:
            self._expression(expression, local)

    def _expression(self, expression: Any, local: frozenset[str], *, shown: bool = False, tested: bool = False) -> None:
        for function, arguments in expression.filters:
            if getattr(function, "_filter_name", "") not in PURE_FILTERS:
                raise Unknown(f"filter {function}")
            for is_variable, argument in arguments:
                if is_variable:
                    self._variable(argument, local)
        if expression.is_var:
            self._variable(expression.var, local, shown=shown and not expression.filters, tested=tested)

    def _variable(self, variable: Variable, local: frozenset[str], *, shown: bool = False, tested: bool = False) -> None:
        if variable.lookups is None:  # a literal
            return
        root, *rest = variable.lookups
        if root in local or root in ("True", "False", "None"):
            return
        if root not in self.defaults and root not in ("slot", "attrs"):
            raise Unknown(root)
        if root == "attrs" and (tested or rest):
            raise Unknown("looks into its other attributes")
        if (shown and not rest) or (tested and rest == ["strip"]):
            self._shown.add(root)
        else:
            self._valued.add(root)
