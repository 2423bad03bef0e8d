"""The only way XML gets into the engine: no entities, no DOCTYPE, no network, and limits on size, depth and count."""

from __future__ import annotations

from lxml import etree

from bpmn.model import DeployRefused, Problem

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_TEXT = 200_000


def _refuse(code: str, message: str, remedy: str) -> DeployRefused:
    return DeployRefused([Problem(None, code, message, remedy)])


def _doctype() -> DeployRefused:
    return _refuse("xml.doctype", "The file declares a DOCTYPE, which is never accepted.", "Remove the <!DOCTYPE …> line.")


def read_xml(data: bytes) -> etree._Element:
    """Parse untrusted XML into an element tree, or raise `DeployRefused` with the reason in plain words."""
    if isinstance(data, str):
        data = data.encode()
    if not data.strip():
        raise _refuse("xml.empty", "The file is empty.", "Export the diagram again from your editor.")
    if len(data) > MAX_BYTES:
        raise _refuse(
            "xml.too_large", f"The file has {len(data):,} bytes; {MAX_BYTES:,} are allowed.", "Split the process into smaller ones."
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if b"<!DOCTYPE" in data:  # a bomb may be noticed before the document is there
            raise _doctype() from None
        raise _refuse("xml.broken", f"This isn't well-formed XML: {error}.", "Export the diagram again from your editor.") from None
    if root is None:
        raise _refuse("xml.empty", "The file holds no XML element.", "Export the diagram again from your editor.")
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    _measure(root)
    return root


def _measure(root: etree._Element) -> None:
    """Refuse trees that are too deep, too large, or that kept an entity reference."""
    count = 0
    stack = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if isinstance(node, etree._Entity):
            raise _refuse("xml.entity", "The file uses an XML entity, which is never accepted.", "Write the text itself instead.")
        if depth > MAX_DEPTH:
            raise _refuse(
                "xml.too_deep",
                f"Elements are nested deeper than {MAX_DEPTH} levels.",
                "Move inner subprocesses into processes of their own.",
            )
        if count > MAX_NODES:
            raise _refuse("xml.too_many", f"The file has more than {MAX_NODES:,} elements.", "Split the process into smaller ones.")
        if node.text and len(node.text) > MAX_TEXT:
            raise _refuse("xml.text_too_long", f"A text in the file is longer than {MAX_TEXT:,} characters.", "Shorten the text.")
        stack.extend((child, depth + 1) for child in node)
