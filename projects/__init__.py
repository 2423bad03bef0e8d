"""Projects started by processes: milestones and tasks for all three audiences."""
