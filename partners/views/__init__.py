"""Pages of the partner area, and employees’ pages about partners."""
