"""The shop's HTTP service."""
