"""Pages of the cabinet and of the public start."""
