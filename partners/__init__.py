"""The partner area: joint deals, registrations, the visibility contract."""
