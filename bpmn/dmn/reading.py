"""DMN XML → a checked model. Every cell is parsed here, so that a mistake shows when a model is deployed, not when it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from lxml import etree

from bpmn.dmn.boxed import (
    Box,
    CellTests,
    ConditionalBox,
    ContextBox,
    Expression,
    FunctionBox,
    InvocationBox,
    ListBox,
    LoopBox,
    RelationBox,
    TypedBox,
)
from bpmn.dmn.errors import DmnError
from bpmn.dmn.lexer import Names, name_parts, normal_name
from bpmn.dmn.model import Decision, DecisionModel, Element, InputData, Knowledge, Service
from bpmn.dmn.tables import InputClause, OutputClause, Rule, Table
from bpmn.dmn.types import ANY, Type, Types
from bpmn.model import DeployRefused
from bpmn.xml_safety import read_xml

XmlElement: TypeAlias = etree._Element
BOXES = (
    "literalExpression",
    "decisionTable",
    "context",
    "invocation",
    "list",
    "relation",
    "functionDefinition",
    "conditional",
    "filter",
    "for",
    "some",
    "every",
)
MAX_RULES = 5_000


def tag(element: XmlElement) -> str:
    """The name of an element without its namespace; comments have none."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def children(element: XmlElement, *names: str) -> Iterator[XmlElement]:
    return (child for child in element if tag(child) in names)


def child(element: XmlElement | None, name: str) -> XmlElement | None:
    return next(children(element, name), None) if element is not None else None


def text(element: XmlElement | None) -> str:
    """The text of an element, comments left out."""
    if element is None:
        return ""
    return ((element.text or "") + "".join(part.tail or "" for part in element)).strip()


def text_in(element: XmlElement | None) -> str:
    """The text of the `text` inside an element."""
    return text(child(element, "text"))


def type_of(element: XmlElement | None) -> str | None:
    """The typeRef of an element: an attribute, or a child in models of DMN 1.1."""
    if element is None:
        return None
    return element.get("typeRef") or text(child(element, "typeRef")) or None


def parse_decisions(xml: bytes, *, check: bool = True) -> DecisionModel:
    """Read a DMN file. `check=False` leaves syntax mistakes to the evaluation of the decision that has them."""
    try:
        root = read_xml(xml)
    except DeployRefused as refused:
        raise DmnError("the DMN file", " ".join(problem.message for problem in refused.problems)) from None
    if tag(root) != "definitions" or "dmn" not in (etree.QName(root).namespace or "").lower():
        raise DmnError("the DMN file", "its outermost element is not the definitions of DMN")
    try:
        return Reader(root, check).model()
    except RecursionError:
        raise DmnError("the DMN file", "it is nested too deeply") from None


class Reader:
    def __init__(self, root: XmlElement, check: bool) -> None:
        self.root, self.check = root, check
        self.names = self.known_names()
        self.types = Types()

    def known_names(self) -> Names:
        """Every name of several words that the model declares anywhere."""
        found = set()
        for element in self.root.iter():
            name = element.get("name") if isinstance(element.tag, str) else None
            if name and tag(element) != "definitions" and len(name) <= 200 and len(name_parts(name)) > 1:
                found.add(normal_name(name))
        return frozenset(found)

    def model(self) -> DecisionModel:
        for imported in children(self.root, "import"):
            if "dmn" in (imported.get("importType") or "").lower():
                raise DmnError("the DMN file", "it imports another model, which is not supported: keep what belongs together in one file")
        self.types = Types(self.item_definitions())
        model = DecisionModel(
            self.root.get("id") or "",
            self.root.get("name") or "",
            self.root.get("namespace") or "",
            self.types,
            self.names,
            self.elements(),
        )
        for element in model.elements.values():
            for key in getattr(element, "requires", ()):
                if key not in model.elements:
                    raise DmnError(f"“{element.name}”", f"it requires “{key}”, which the model does not have")
            for key in (*element.outputs, *element.input_data, *element.input_decisions) if isinstance(element, Service) else ():
                if key not in model.elements:
                    raise DmnError(f"decision service “{element.name}”", f"it names “{key}”, which the model does not have")
        model.in_order([decision.id for decision in model.decisions])
        return model

    # --- types -------------------------------------------------------------------------------------------------------

    def item_definitions(self) -> dict[str, Type]:
        found = {normal_name(item.get("name") or ""): item for item in children(self.root, "itemDefinition")}
        made: dict[str, Type] = {}
        open_: set[str] = set()

        def define(name: str) -> Type:
            if name not in made:
                if name in open_ or len(open_) > 60:
                    raise DmnError(f"type “{name}”", "it is made of itself")
                open_.add(name)
                made[name] = self.item(found[name], name, refer)
                open_.discard(name)
            return made[name]

        def refer(reference: str | None) -> Type:
            if not reference:
                return ANY
            name = normal_name(reference)
            for candidate in (name, name.rpartition(":")[2]):
                if candidate in found:
                    return define(candidate)
            return Types().named(reference) or ANY

        for name in found:
            define(name)
        return made

    def item(self, element: XmlElement, path: str, refer: Callable[[str | None], Type]) -> Type:
        parts = list(children(element, "itemComponent"))
        if parts:
            fields = {}
            for part in parts:
                name = normal_name(part.get("name") or "")
                fields[name] = self.item(part, f"{path}.{name}", refer)
            made = Type("context", fields=fields)
        elif child(element, "functionItem") is not None:
            made = self.function_type(child(element, "functionItem"), refer)
        else:
            made = refer(type_of(element))
        allowed = text_in(child(element, "allowedValues"))
        if allowed:
            tests = CellTests(allowed, f"type “{path}”, allowed values", self.names, check=self.check)
            made = Type(made.shape, made.name, made.item, made.fields, tests, allowed)
        if element.get("isCollection") == "true":
            made = Type("list", item=made)
        constraint = self.tests(text_in(child(element, "typeConstraint")), f"type “{path}”, constraint")
        return replace(made, constraint=constraint) if constraint else made

    def function_type(self, element: XmlElement, refer: Callable[[str | None], Type]) -> Type:
        parameters = {normal_name(part.get("name") or ""): refer(type_of(part)) for part in children(element, "parameters")}
        return Type("function", "function", refer(element.get("outputTypeRef")), parameters)

    # --- elements ----------------------------------------------------------------------------------------------------

    def elements(self) -> dict[str, Element]:
        made: dict[str, Element] = {}
        readers: dict[str, Callable[[XmlElement, str, str], Element]] = {
            "inputData": self.input_data,
            "decision": self.decision,
            "businessKnowledgeModel": self.knowledge,
            "decisionService": self.service,
        }
        for element in self.root:
            read = readers.get(tag(element))
            if read is None:
                continue
            name = normal_name(element.get("name") or element.get("id") or "")
            key = element.get("id") or f"{tag(element)} {name}"
            if key in made:
                raise DmnError(f"“{name}”", f"the id “{key}” is used twice")
            made[key] = read(element, key, name)
        return made

    def input_data(self, element: XmlElement, key: str, name: str) -> InputData:
        return InputData(key, name, type_of(child(element, "variable")))

    def requires(self, element: XmlElement) -> tuple[str, ...]:
        found = []
        for requirement in children(element, "informationRequirement", "knowledgeRequirement"):
            for required in children(requirement, "requiredInput", "requiredDecision", "requiredKnowledge"):
                found.append((required.get("href") or "").rpartition("#")[2])
        return tuple(dict.fromkeys(found))

    def decision(self, element: XmlElement, key: str, name: str) -> Decision:
        variable = child(element, "variable")
        logic = self.only_box(element, f"decision “{name}”")
        self.order(logic, type_of(variable))
        known_as = normal_name((variable.get("name") if variable is not None else None) or name)
        outputs = tuple(clause.name for clause in logic.outputs) if isinstance(logic, Table) and variable is None else ()
        return Decision(key, name, known_as, type_of(variable), self.requires(element), logic, outputs)

    def knowledge(self, element: XmlElement, key: str, name: str) -> Knowledge:
        place = f"knowledge model “{name}”"
        function = child(element, "encapsulatedLogic")
        if function is None:
            raise DmnError(place, "it has no logic")
        parameters, body = self.function_parts(function, place)
        declared = type_of(child(element, "variable")) or type_of(function)
        self.order(body[1], declared)
        return Knowledge(key, name, declared, parameters, self.requires(element), body[1])

    def service(self, element: XmlElement, key: str, name: str) -> Service:
        def ids(of: str) -> tuple[str, ...]:
            return tuple((part.get("href") or "").rpartition("#")[2] for part in children(element, of))

        return Service(
            key,
            name,
            type_of(child(element, "variable")),
            ids("outputDecision"),
            ids("encapsulatedDecision"),
            ids("inputDecision"),
            ids("inputData"),
        )

    # --- boxes -------------------------------------------------------------------------------------------------------

    def only_box(self, element: XmlElement | None, place: str) -> Box | None:
        found = next(children(element, *BOXES), None) if element is not None else None
        return self.box(found, place) if found is not None else None

    def need_box(self, element: XmlElement | None, place: str) -> Box:
        box = self.only_box(element, place)
        if box is None:
            raise DmnError(place, "an expression is missing")
        return box

    def box(self, element: XmlElement, place: str) -> Box:
        read: dict[str, Callable[[XmlElement, str], Box]] = {
            "literalExpression": self.literal,
            "decisionTable": self.table,
            "context": self.context,
            "invocation": self.invocation,
            "list": self.list_,
            "relation": self.relation,
            "functionDefinition": self.function,
            "conditional": self.conditional,
        }
        box = read[tag(element)](element, place) if tag(element) in read else self.loop(element, place)
        return box if isinstance(box, (Table, FunctionBox)) else of_type(box, element.get("typeRef"))

    def literal(self, element: XmlElement, place: str) -> Expression:
        language = element.get("expressionLanguage") or self.root.get("expressionLanguage") or "feel"
        if "feel" not in language.lower():
            raise DmnError(place, f"the expression language is {language}; only FEEL is evaluated")
        written = text_in(element)
        if not written:
            raise DmnError(place, "the expression is empty")
        return Expression(written, place, self.names, check=self.check)

    def context(self, element: XmlElement, place: str) -> ContextBox:
        entries = []
        for number, entry in enumerate(children(element, "contextEntry"), 1):
            variable = child(entry, "variable")
            name = normal_name(variable.get("name") or "") if variable is not None else None
            here = f"{place}, entry “{name}”" if name else f"{place}, entry {number}"
            entries.append((name, type_of(variable), self.need_box(entry, here)))
        return ContextBox(entries, place)

    def invocation(self, element: XmlElement, place: str) -> InvocationBox:
        bindings = []
        for binding in children(element, "binding"):
            parameter = child(binding, "parameter")
            name = normal_name(parameter.get("name") or "") if parameter is not None else ""
            here = f"{place}, argument “{name}”"
            box = self.only_box(binding, here)
            bindings.append((name, of_type(box, type_of(parameter)) if box is not None else Expression("null", here, self.names)))
        return InvocationBox(self.need_box(element, f"{place}, called function"), bindings, place)

    def list_(self, element: XmlElement, place: str) -> ListBox:
        return ListBox([self.box(part, f"{place}, item {number}") for number, part in enumerate(children(element, *BOXES), 1)], place)

    def relation(self, element: XmlElement, place: str) -> RelationBox:
        columns = [normal_name(column.get("name") or "") for column in children(element, "column")]
        types = [type_of(column) for column in children(element, "column")]
        rows = []
        for number, row in enumerate(children(element, "row"), 1):
            cells = list(children(row, *BOXES))
            if len(cells) != len(columns):
                raise DmnError(place, f"row {number} has {len(cells)} cells for {len(columns)} columns")
            boxes = [self.box(cell, f"{place}, row {number}, column “{column}”") for cell, column in zip(cells, columns, strict=True)]
            rows.append([of_type(box, type_name) for box, type_name in zip(boxes, types, strict=True)])
        return RelationBox(columns, rows, place)

    def function_parts(self, element: XmlElement, place: str) -> tuple[tuple[tuple[str, str | None], ...], tuple[XmlElement, Box]]:
        if (element.get("kind") or "FEEL").upper() != "FEEL":
            raise DmnError(place, f"functions of the kind {element.get('kind')} are not run")
        parameters = tuple((normal_name(part.get("name") or ""), type_of(part)) for part in children(element, "formalParameter"))
        found = next(children(element, *BOXES), None)
        if found is None:
            raise DmnError(place, "an expression is missing")
        return parameters, (found, self.box(found, place))

    def function(self, element: XmlElement, place: str) -> FunctionBox:
        parameters, (_, body) = self.function_parts(element, place)
        return FunctionBox(parameters, body, place, element.get("typeRef"))

    def conditional(self, element: XmlElement, place: str) -> ConditionalBox:
        condition, then, otherwise = (self.need_box(child(element, part), f"{place}, {part}") for part in ("if", "then", "else"))
        return ConditionalBox(condition, then, otherwise, place)

    def loop(self, element: XmlElement, place: str) -> LoopBox:
        how = tag(element)
        body = "match" if how == "filter" else "return" if how == "for" else "satisfies"
        variable = normal_name(element.get("iteratorVariable") or "item")
        return LoopBox(
            how,
            variable,
            self.need_box(child(element, "in"), f"{place}, in"),
            self.need_box(child(element, body), f"{place}, {body}"),
            place,
        )

    # --- decision tables ---------------------------------------------------------------------------------------------

    def table(self, element: XmlElement, place: str) -> Table:
        inputs = [self.input_clause(clause, place, number) for number, clause in enumerate(children(element, "input"), 1)]
        clauses = list(children(element, "output"))
        outputs = [self.output_clause(clause, place, number, len(clauses)) for number, clause in enumerate(clauses, 1)]
        rows = list(children(element, "rule"))
        if len(rows) > MAX_RULES:
            raise DmnError(place, f"the table has more than {MAX_RULES} rules")
        rules = [self.rule(row, place, number, inputs, outputs) for number, row in enumerate(rows, 1)]
        policy = " ".join((element.get("hitPolicy") or "UNIQUE").replace("_", " ").upper().split())
        table = Table(place, policy, (element.get("aggregation") or "").upper(), inputs, outputs, rules, element.get("typeRef"))
        self.order(table, element.get("typeRef"))
        return table

    def order(self, table: Box | None, type_name: str | None) -> None:
        """Outputs of a table without output values take the values that their type allows, in the order in which it names them."""
        if not isinstance(table, Table):
            return
        whole = self.types.named(type_name) or ANY
        while whole.shape in ("list", "function"):
            whole = whole.item or ANY

        def ordered(clause: OutputClause) -> OutputClause:
            part = whole if len(table.outputs) == 1 else whole.fields.get(clause.name, ANY)
            wanted = self.types.named(clause.type_name) if clause.type_name else part
            if clause.order or wanted is None or not wanted.allowed_text:
                return clause
            here = f"{table.place}, output “{clause.name}”, allowed values"
            return replace(clause, order=tuple(CellTests(one, here, self.names) for one in split_values(wanted.allowed_text)))

        table.outputs = tuple(ordered(clause) for clause in table.outputs)

    def tests(self, written: str, place: str) -> CellTests | None:
        return CellTests(written, place, self.names, check=self.check) if written and written != "-" else None

    def input_clause(self, element: XmlElement, place: str, number: int) -> InputClause:
        expression = child(element, "inputExpression")
        written = text_in(expression)
        label = normal_name(element.get("label") or "") or " ".join(written.split()) or f"input {number}"
        here = f"{place}, input “{label}”"
        if expression is None or not written:
            raise DmnError(here, "the input expression is empty")
        language = expression.get("expressionLanguage")
        if language and "feel" not in language.lower():
            raise DmnError(here, f"the expression language is {language}; only FEEL is evaluated")
        allowed = self.tests(text_in(child(element, "inputValues")), f"{here}, input values")
        return InputClause(label, Expression(written, here, self.names, check=self.check), type_of(expression), allowed)

    def output_clause(self, element: XmlElement, place: str, number: int, total: int) -> OutputClause:
        name = normal_name(element.get("name") or "") or normal_name(element.get("label") or "")
        if not name and total > 1:
            raise DmnError(place, f"output column {number} has no name")
        here = f"{place}, output “{name or number}”"
        written = text_in(child(element, "outputValues"))
        allowed = self.tests(written, f"{here}, output values")
        order = tuple(CellTests(one, f"{here}, output values", self.names) for one in split_values(written)) if allowed else ()
        default = text_in(child(element, "defaultOutputEntry"))
        return OutputClause(
            name or "result",
            type_of(element),
            allowed,
            order,
            Expression(default, f"{here}, default", self.names, check=self.check) if default else None,
        )

    def rule(self, element: XmlElement, place: str, number: int, inputs: list[InputClause], outputs: list[OutputClause]) -> Rule:
        here = f"{place}, rule {number}"
        entries, results = list(children(element, "inputEntry")), list(children(element, "outputEntry"))
        if len(entries) != len(inputs) or len(results) != len(outputs):
            raise DmnError(
                here, f"it has {len(entries)} input and {len(results)} output cells, the table {len(inputs)} and {len(outputs)} columns"
            )
        for cell in (*entries, *results):
            language = cell.get("expressionLanguage")
            if language and "feel" not in language.lower():
                raise DmnError(here, f"the expression language is {language}; only FEEL is evaluated")
        tests = tuple(
            CellTests(text_in(cell), f"{here}, input “{clause.label}”", self.names, check=self.check)
            for cell, clause in zip(entries, inputs, strict=True)
        )
        cells = tuple(
            of_type(Expression(text_in(cell) or "null", f"{here}, output “{clause.name}”", self.names, check=self.check), type_of(cell))
            for cell, clause in zip(results, outputs, strict=True)
        )
        notes = [text(child(element, "description")), *(text_in(note) for note in children(element, "annotationEntry"))]
        return Rule(element.get("id") or f"rule {number}", number, tests, cells, "\n".join(note for note in notes if note))


def of_type(box: Box, type_name: str | None) -> Box:
    """A box as the type that is declared for it, if any is."""
    return TypedBox(box, type_name) if type_name else box


def split_values(written: str) -> list[str]:
    """The values of a list such as `"a", "b", [1..3]`, cut at the commas that stand outside quotation marks and brackets."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, char in enumerate(written):
        if char == '"' and written[place - 1 : place] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (char in "([{") - (char in ")]}")
            if char == "," and depth <= 0:
                parts.append(written[start:place])
                start = place + 1
    return [part.strip() for part in (*parts, written[start:]) if part.strip()]
