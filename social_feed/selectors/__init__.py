"""Reads of the feed: messages, posts, groups, notifications."""
