"""Pages and fragments of the feed."""
