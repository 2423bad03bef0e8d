"""The demo's processes."""

from __future__ import annotations

from portal.demo import World
from workflows.packs import deploy_shipped


def seed(world: World) -> None:
    """Publish every shipped process; the packages above fill them with work."""
    deploy_shipped()
