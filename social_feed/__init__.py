"""The internal feed, messages by audience, notifications."""
