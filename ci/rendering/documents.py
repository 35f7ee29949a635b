"""Render the OpenAPI and AsyncAPI documents of docs/."""

from __future__ import annotations

import json

from fixtures.contracts.api_docs import asyncapi, openapi
from fixtures.contracts.api_docs.interfaces import INTERFACES


def render_documents() -> dict[str, str]:
    """Every document, by its path under docs/."""
    documents = {f"openapi/{service}.json": openapi.make_document(service) for service in INTERFACES}
    documents["asyncapi/platform.json"] = asyncapi.make_document()
    return {path: json.dumps(document, indent=2) + "\n" for path, document in documents.items()}
