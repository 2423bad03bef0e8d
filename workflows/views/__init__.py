"""Pages of the inbox and the processes."""
