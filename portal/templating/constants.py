"""Constant folding: what of a template depends on the reader's language alone is put into words once a language, not once a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.template.base import FilterExpression, Node, NodeList, TextNode, TokenType
from django.template.context import Context
from django.template.defaulttags import CommentNode, IfNode, LoadNode, URLNode
from django.template.library import SimpleNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from portal.templatetags.kit import icon, sprite_url

PURE_TAGS = {icon, sprite_url}  # simple tags that look at nothing but what they are given, the language and what was built


class ConstantNode(Node):
    """Neighbours that say the same to everybody who reads a language."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodelist = NodeList(nodes)
        self.token, self.origin = self.nodelist[0].token, self.nodelist[0].origin
        self.kept: dict[tuple[str | None, str], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """The words in the reader's language."""
        if not context.autoescape:
            return self.nodelist.render(context)
        key = (get_language(), sprite_url())
        known = self.kept.get(key)
        if known is None:
            if len(self.kept) > 50:  # the front end was built again and again under a running process
                self.kept.clear()
            known = self.kept[key] = self.nodelist.render(context)
        return known


def fold(nodes: NodeList) -> None:
    """Put constants of a parsed template together, in place, all the way down."""
    found: list[Node] = []
    run: list[Node] = []

    def end_run() -> None:
        if run:
            texts = [node for node in run if isinstance(node, TextNode)]
            found.append(_text_of(texts) if len(texts) == len(run) else ConstantNode(run))
            run.clear()

    for node in nodes:
        if isinstance(node, (CommentNode, LoadNode)):
            continue
        if is_constant(node):
            run.append(node)
            continue
        end_run()
        for inner in lists_in(node):
            fold(inner)
        found.append(node)
    end_run()
    nodes[:] = found


def lists_in(node: Node) -> Iterator[NodeList]:
    """The lists of nodes that a node holds."""
    if isinstance(node, IfNode):
        yield from (nodelist for _condition, nodelist in node.conditions_nodelists)
        return
    for name in node.child_nodelists:
        inner = getattr(node, name, None)
        if isinstance(inner, NodeList):
            yield inner


def is_constant(node: Node) -> bool:
    """Whether a node says the same to everybody who reads a language."""
    if isinstance(node, (TextNode, ConstantNode)):
        return True
    if isinstance(node, TranslateNode):
        of = node.filter_expression
        return node.asvar is None and node.message_context is None and not of.filters and getattr(of.var, "literal", None) is not None
    if isinstance(node, BlockTranslateNode):
        plain = all(token.token_type == TokenType.TEXT for token in node.singular)
        return plain and not (node.plural or node.countervar or node.extra_context or node.message_context or node.asvar)
    if isinstance(node, URLNode):
        return node.asvar is None and _are_constant([node.view_name, *node.args, *node.kwargs.values()])
    if type(node) is SimpleNode:
        return node.func in PURE_TAGS and node.target_var is None and _are_constant([*node.args, *node.kwargs.values()])
    return False


def _are_constant(expressions: Iterable[Any]) -> bool:
    return all(isinstance(one, FilterExpression) and not one.is_var and not one.filters for one in expressions)


def _text_of(run: list[TextNode]) -> TextNode:
    joined = TextNode("".join(node.s for node in run))
    joined.token, joined.origin = run[0].token, run[0].origin
    return joined
