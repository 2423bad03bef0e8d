"""Durable BPM runtime: definitions, instances, tasks, timers, messages, outbox, incidents, monitor."""
