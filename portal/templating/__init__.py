"""Templates made cheaper, not other: what a template says is what Django would say (docs/decisions/templates.md)."""
