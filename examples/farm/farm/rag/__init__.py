"""The workers: ingestion, retrieval and deletion of documents."""
