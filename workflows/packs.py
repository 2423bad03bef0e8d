"""Shipped processes: every app's `processes/*.bpmn`, with the decision tables beside them."""

from __future__ import annotations

from pathlib import Path

from django.apps import apps

from bpmn.model import DeployRefused, Problem
from portal.access import Actor
from workflows.services.deployment import DeployResult, deploy


def shipped_files() -> list[tuple[str, Path, dict[str, bytes]]]:
    """App, diagram and the app's decision tables by file name; in the apps' order."""
    found = []
    for config in apps.get_app_configs():
        folder = Path(config.path) / "processes"
        if not folder.is_dir():
            continue
        decisions = {path.name: path.read_bytes() for path in sorted(folder.glob("*.dmn"))}
        found.extend((config.label, path, decisions) for path in sorted(folder.glob("*.bpmn")))
    return found


def deploy_shipped() -> list[DeployResult]:
    """Publish every shipped process that changed. A process whose called process comes later is tried again after it.

    Raises DeployRefused with the problems of all that can't be published.
    """
    actor = Actor.system("Tandem")
    waiting, done = shipped_files(), []
    while waiting:
        refused: list[tuple[tuple[str, Path, dict[str, bytes]], list[Problem]]] = []
        for entry in waiting:
            app, path, decisions = entry
            try:
                done.append(deploy(actor, path.read_bytes(), decisions=decisions, source=f"{app}/processes/{path.name}"))
            except DeployRefused as error:
                refused.append((entry, error.problems))
        if len(refused) == len(waiting):
            told = [
                Problem(p.element_id, p.code, f"{path.name}: {p.message}", p.remedy) for (_app, path, _d), some in refused for p in some
            ]
            raise DeployRefused(told)
        waiting = [entry for entry, _problems in refused]
    return done
