"""The loader of all templates: parsed once, constants folded."""

from __future__ import annotations

from typing import Any

from django.template import Template
from django.template.loaders import base, cached

from portal.templating.constants import fold


class _Folded(base.Loader):
    """Folds a template before anybody else sees it."""

    def get_template(self, template_name: str, skip: Any = None) -> Template:
        template = super().get_template(template_name, skip)
        fold(template.nodelist)
        return template


class Loader(cached.Loader, _Folded):
    """Django's cached loader, which keeps the folded ones. `generation` is another number after they were forgotten."""

    generation = 0

    def reset(self) -> None:
        """Forget what is kept."""
        super().reset()
        Loader.generation += 1
