"""Validate the API documents with the official validators of their specifications."""
