"""Writes of the feed: messages, posts, groups, follows, notifications."""
