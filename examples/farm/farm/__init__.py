"""A farm of three services: a model runtime, a chat server, and workers that ingest and retrieve."""
