"""An instance's tokens and variables as plain content to store, and back; with a changed definition only where that is safe."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from SpiffWorkflow.util.task import TaskState

from bpmn.model import Definition, StateRefused
from bpmn.specs import compiled
from bpmn.spiff_mend import Node, ScopeSpec, SubWorkflow, Token, Workflow
from bpmn.variables import owns_variables


def dump(definition: Definition, workflow: Workflow, status: str) -> dict[str, Any]:
    """Everything about an instance that must survive: per workflow its host, scope, variables and tokens."""
    flows = []
    for flow in workflow.workflows():
        host = flow.parent_task.id.hex if isinstance(flow, SubWorkflow) else None
        data = flow.data if owns_variables(flow) else None
        tokens = [[t.id.hex, t.task_spec.name, t._state, t.internal_data, t.data] for t in flow.tokens()]
        flows.append([host, flow.scope.id, data, tokens, flow.undoable])
    return {"definition": definition.digest, "key": definition.key, "status": status, "flows": flows}


def restore(definition: Definition, content: dict[str, Any]) -> Workflow:
    """The instance as it was stored; refused when it stands where this definition has nothing (any more)."""
    specs = compiled(definition)
    if content["key"] != definition.key:
        raise StateRefused(f"The instance belongs to the process “{content['key']}”, not “{definition.key}”.")
    same = content["definition"] == definition.digest
    top = Workflow(specs, definition.key)
    for host, scope, data, tokens, undoable in content["flows"]:
        if host is None:
            flow = top
        else:
            parent = top.by_id.get(UUID(hex=host))
            if parent is None or scope not in specs:
                raise StateRefused(f"The instance is inside “{scope}”, which this version doesn't have.")
            flow = top.create_subprocess(parent, scope)
        if data is not None:
            flow.data = data
        flow.undoable = undoable
        if not same:
            _check_undoable(specs, undoable)
        for key, name, state, internal, local in tokens:
            spec = flow.spec.task_specs.get(name)
            if not isinstance(spec, Node):
                raise StateRefused(f"The instance stands at “{name}”, which this version doesn't have.")
            if not same:
                _check_moved(definition, spec, internal)
                _check_undoable(specs, [{"of": name, **step} for step in internal.get("undo", ())])
            token = flow.add_token(spec, UUID(hex=key))
            token.internal_data, token.data, token._state = internal, local, state
    return top


def _check_moved(definition: Definition, spec: Node, internal: dict[str, Any]) -> None:
    """Whether a token can go on in a changed version of its definition."""
    element = spec.element
    via = internal.get("via")
    if (
        via is not None
        and via not in element.incoming
        and len(element.incoming) > 1
        and element.kind in ("parallelGateway", "inclusiveGateway")
    ):
        raise StateRefused(f"The instance waits at “{element.id}” for a flow that this version doesn't have.")
    for target, _ in internal.get("waits", ()):
        if target not in definition.elements:
            raise StateRefused(f"The instance waits for “{target}”, which this version doesn't have.")


def _check_undoable(specs: dict[str, ScopeSpec], undoable: list[dict[str, Any]]) -> None:
    """Whether everything that was done can still be undone in a changed version."""
    for entry in undoable:
        _check_undoable(specs, entry.get("inner", []))
        if "handler" in entry and (entry["scope"] not in specs or entry["handler"] not in specs[entry["scope"]].task_specs):
            raise StateRefused(f"What “{entry['of']}” did is undone by “{entry['handler']}”, which this version doesn't have.")


def ready_tokens(workflow: Workflow) -> list[Token]:
    """Tokens that were to run when the state was stored (a bounded run, or an incident), in order of arrival."""
    return [t for t in workflow.tokens_everywhere() if t._state == TaskState.READY]
