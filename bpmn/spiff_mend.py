"""Where SpiffWorkflow is bent: its tasks, workflows and task specs, extended so that they run exactly and cheaply.

What is kept: the spec graph (`BpmnProcessSpec`, `BpmnTaskSpec`), tasks with their states, `Task.run` → `TaskSpec._run` →
`complete` → `_on_complete`, workflows with subprocesses. What is changed, and why (each was measured to go wrong):

- No prediction. SpiffWorkflow builds the tree of possible futures; twelve parallel blocks in a row make 32,765 tasks, stored
  predictions skip steps inserted later, and joins that read the tree fire after one of two approvals in a loop's second round.
  Here a task exists only once a token is there; children are made when their parent is done.
- Finished tasks leave at once. History belongs to the host; a state is as small after 5,000 steps as after 10.
- No logging and no clock in state changes: the time is given by the caller.
- One scope of variables per process (and per multi-instance round), not one copy per task: parallel branches can't overwrite each
  other's values with stale copies at a join.
- Specs never change after they were built, so one graph serves every instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from bpmn.model import Element, Scope

if TYPE_CHECKING:
    from bpmn.execution import Execution

LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class _NoScripts(PythonScriptEngine):
    """SpiffWorkflow's own script engine evaluates with full Python; nothing may ever reach it."""

    def evaluate(self, task: Task, expression: str, external_context: Any = None) -> Any:
        raise RuntimeError("SpiffWorkflow's script engine is closed; use bpmn.scripts")

    execute = evaluate
    call_service = evaluate


_NO_SCRIPTS = _NoScripts()


class Token(Task):
    """A SpiffWorkflow task that exists because the process is there; a child of its workflow's root."""

    def __init__(self, workflow: Any, task_spec: Any, parent: Task | None = None, state: int = TaskState.FUTURE, id: UUID | None = None):  # noqa: A002
        self.id = id or uuid4()
        workflow.tasks[self.id] = self
        self.workflow = workflow
        self._parent = parent.id if parent is not None else None
        self._children: list[UUID] = []
        self._state = state
        self.triggered = False
        self.task_spec = task_spec
        self.thread_id = 0
        self.data: dict[str, Any] = {}
        self.internal_data: dict[str, Any] = {}
        self.last_state_change = 0.0

    @property
    def key(self) -> str:
        """The task's id as text, the same for its whole life."""
        return self.id.hex

    @property
    def element(self) -> Element:
        """The diagram element where this token stands."""
        return self.task_spec.element

    def _set_state(self, value: int) -> None:
        self._state = value

    def _inherit_data(self) -> None:
        """Variables live in scopes, not in tasks."""

    def forget(self) -> None:
        """Leave the workflow: the host keeps the history."""
        self.workflow.tasks.pop(self.id, None)
        self.workflow.top_workflow.by_id.pop(self.id, None)


class _Tokens:
    """What both kinds of workflow share: a root, flat tokens, and variables."""

    tasks: dict[UUID, Token]
    scope: Scope
    top_workflow: Any
    undoable: list[dict[str, Any]]
    is_undoing = False

    def _plant(self, spec: ScopeSpec) -> None:
        self.scope = spec.scope
        self.undoable = []
        self.task_tree = Token(self, spec.start, state=TaskState.COMPLETED)
        self.last_task = self.task_tree

    def add_token(self, task_spec: Node, token_id: UUID | None = None) -> Token:
        """Put a new token on a node; the caller makes it ready."""
        token = Token(self, task_spec, self.task_tree, id=token_id)
        self.top_workflow.by_id[token.id] = token
        return token

    def tokens(self) -> list[Token]:
        """Every live token of this workflow, in the order of arrival."""
        root = self.task_tree
        return [task for task in self.tasks.values() if task is not root and task._state & LIVE]

    def is_busy(self) -> bool:
        """Whether any token is here that is more than an armed event subprocess."""
        root = self.task_tree
        return any(task is not root and task._state & LIVE and "armed" not in task.internal_data for task in self.tasks.values())

    def _task_completed_notify(self, task: Task) -> None:
        """SpiffWorkflow would look at every waiting task of the tree here; the engine's loop does what is due."""


class Workflow(_Tokens, BpmnWorkflow):
    """The instance's top workflow."""

    def __init__(self, specs: dict[str, ScopeSpec], key: str):
        self.by_id: dict[UUID, Token] = {}
        self.execution: Execution | None = None
        super().__init__(specs[key], specs, script_engine=_NO_SCRIPTS, deserializing=True)
        self._plant(specs[key])

    def create_subprocess(self, my_task: Token, spec_name: str) -> SubWorkflow:
        """A workflow within a subprocess or call activity."""
        subprocess = SubWorkflow(self.subprocess_specs[spec_name], my_task, self)
        self.subprocesses[my_task.id] = subprocess
        return subprocess

    def tokens_everywhere(self) -> list[Token]:
        """Every live token of the instance."""
        return [token for flow in self.workflows() for token in flow.tokens()]

    def workflows(self) -> list[Workflow | SubWorkflow]:
        """This workflow and every one inside it."""
        return [self, *self.subprocesses.values()]


class SubWorkflow(_Tokens, BpmnSubWorkflow):
    """The workflow inside a subprocess, an event subprocess or a call activity."""

    def __init__(self, spec: ScopeSpec, parent_task: Token, top: Workflow):
        self.parent_task = parent_task
        super().__init__(spec, parent_task.id, top, deserializing=True)
        self._plant(spec)

    def _calculate_depth(self) -> int:
        depth, flow = 1, self.parent_task.workflow
        while isinstance(flow, SubWorkflow):
            depth, flow = depth + 1, flow.parent_task.workflow
        return depth

    @property
    def is_undoing(self) -> bool:  # type: ignore[override]
        """Whether this runs a compensation handler, within the event that asked for it, rather than a scope of its own."""
        return "undo" in self.parent_task.internal_data

    @property
    def parent_workflow(self) -> Workflow | SubWorkflow:
        return self.parent_task.workflow


class ScopeSpec(BpmnProcessSpec):
    """The spec graph of one scope of a definition; never changed once built."""

    def __init__(self, scope: Scope):
        super().__init__(name=scope.id)
        self.scope = scope
        self.reach: dict[str, dict[str, frozenset[str]]] = {}


class Node(BpmnTaskSpec):
    """A task spec for one element. Subclasses say what happens on entering (`work`) and where the token goes (`ways_out`)."""

    def __init__(self, wf_spec: ScopeSpec, element: Element, name: str = ""):
        super().__init__(wf_spec, name or element.id, lane=element.lane_name or None)
        self.element = element
        self.bpmn_id = element.id
        self.bpmn_name = element.name
        self.manual = element.is_human

    # SpiffWorkflow's life cycle, mended -------------------------------------------------------------------------

    def test(self) -> None:
        """The deploy gate has checked the graph."""

    def _predict(self, my_task: Task, seen: Any = None, looked_ahead: int = 0, mask: int = 0) -> None:
        """No futures."""

    def _update_hook(self, my_task: Token) -> bool:
        return True

    def _on_ready(self, my_task: Token) -> None:
        my_task.workflow.top_workflow.execution.ready.append(my_task)

    def _run(self, my_task: Token) -> bool | None:
        """Run without SpiffWorkflow's handling of errors: a step that fails stays READY, to be tried again."""
        if my_task.internal_data.get("done"):
            return True
        return self.enter(my_task, my_task.workflow.top_workflow.execution)

    def _on_complete(self, my_task: Token) -> None:
        execution = my_task.workflow.top_workflow.execution
        my_task.internal_data["done"] = True  # should leaving fail, a retry won't do the work twice
        execution.before_leaving(my_task)
        my_task.workflow.last_task = my_task
        execution.finish(my_task)
        self.leave(my_task, execution)
        my_task.forget()

    def _on_cancel(self, my_task: Token) -> None:
        my_task.forget()

    # what a kind of node decides --------------------------------------------------------------------------------

    def enter(self, token: Token, execution: Execution) -> bool | None:
        """Prepare what is attached, do the work, and attach if the work goes on."""
        waits = execution.prepare(token, self.element.boundary) if self.element.boundary and "loop" not in token.internal_data else ()
        done = self.work(token, execution)
        if done is None:
            for boundary, wait in waits:
                execution.attach(token, boundary, wait)
        return done

    def work(self, token: Token, execution: Execution) -> bool | None:
        """Do what the node does: True when it is done, None when it goes on until something comes from outside."""
        return True

    def leave(self, token: Token, execution: Execution) -> None:
        """Send tokens on, or report to the multi-instance step that this token is one round of."""
        if "loop" in token.internal_data:
            self.end_round(token, execution)
            return
        for flow_id in self.ways_out(token):
            execution.follow(token, flow_id)

    def end_round(self, token: Token, execution: Execution) -> None:
        """A token that is one round of a multi-instance step has ended."""
        from bpmn.rounds import round_done  # rounds are built on tokens

        round_done(execution, token)

    def ways_out(self, token: Token) -> tuple[str, ...]:
        """The flows that get a token."""
        return tuple(token.internal_data["taken"]) if self.element.conditional_ways else self.element.outgoing
