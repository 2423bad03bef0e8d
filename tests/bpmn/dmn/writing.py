"""Writes small DMN models for tests."""

from html import escape

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def model(*elements: str) -> bytes:
    return f'<definitions xmlns="{NAMESPACE}" id="d" name="Test" namespace="urn:test">{"".join(elements)}</definitions>'.encode()


def data(name: str, type_name: str = "Any") -> str:
    return f'<inputData id="in_{name.replace(" ", "_")}" name="{name}"><variable name="{name}" typeRef="{type_name}"/></inputData>'


def literal(text: str) -> str:
    return f"<literalExpression><text>{escape(text)}</text></literalExpression>"


def decision(name: str, logic: str, *, inputs=(), decisions=(), knowledge=(), type_name="") -> str:
    needs = [f'<informationRequirement><requiredInput href="#in_{key.replace(" ", "_")}"/></informationRequirement>' for key in inputs]
    needs += [f'<informationRequirement><requiredDecision href="#{key}"/></informationRequirement>' for key in decisions]
    needs += [f'<knowledgeRequirement><requiredKnowledge href="#{key}"/></knowledgeRequirement>' for key in knowledge]
    variable = f'<variable name="{name}"' + (f' typeRef="{type_name}"' if type_name else "") + "/>"
    return f'<decision id="{name.replace(" ", "_")}" name="{name}">{variable}{"".join(needs)}{logic}</decision>'


def table(policy: str, inputs, outputs, rules, *, aggregation: str = "") -> str:
    """`inputs`: (expression, type[, values]); `outputs`: (name, values, default); `rules`: cells of one row, inputs then outputs."""
    columns = []
    for expression, type_name, *values in inputs:
        allowed = f"<inputValues><text>{escape(values[0])}</text></inputValues>" if values else ""
        written = f'<inputExpression typeRef="{type_name}"><text>{escape(expression)}</text></inputExpression>'
        columns.append(f"<input>{written}{allowed}</input>")
    for name, values, default in outputs:
        allowed = f"<outputValues><text>{escape(values)}</text></outputValues>" if values else ""
        fallback = f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
        columns.append(f'<output name="{name}">{allowed}{fallback}</output>')
    rows = []
    for number, cells in enumerate(rules, 1):
        tests = "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells[: len(inputs)])
        values = "".join(f"<outputEntry><text>{escape(cell)}</text></outputEntry>" for cell in cells[len(inputs) :])
        rows.append(f'<rule id="r{number}"><description>note {number}</description>{tests}{values}</rule>')
    how = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable hitPolicy="{policy}"{how}>{"".join(columns)}{"".join(rows)}</decisionTable>'
