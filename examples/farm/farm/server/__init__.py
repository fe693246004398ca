"""The server: chat with retrieval, uploads, and ingestion."""
