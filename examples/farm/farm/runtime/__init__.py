"""The runtime: language and encoder models behind an OpenAI-compatible API."""
