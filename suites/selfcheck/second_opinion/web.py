"""Serves a provider over HTTP: Flask on werkzeug's threaded server."""

import json
import threading
from collections.abc import Callable
from typing import Any

import flask
from werkzeug.exceptions import BadRequest, HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from suites.selfcheck.second_opinion.report_providers import DirectoryResponses, ReportProvider
from suites.selfcheck.second_opinion.reports import is_id
from suites.selfcheck.second_opinion.services import Service, UnknownState
from suites.selfcheck.second_opinion.subscribers import SubscribersErrors

VERSION = "1.66.4.1"
LARGEST_BATCH = 500


class QuietHandler(WSGIRequestHandler):
    """Logs no requests."""

    def log_request(self, *_args: Any, **_options: Any) -> None:
        pass


def start_server(service: Service) -> BaseWSGIServer:
    """Serve a provider on a free port of this machine, in a thread."""
    server = make_server("127.0.0.1", 0, build_app(service), threaded=True, request_handler=QuietHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def build_app(service: Service) -> flask.Flask:
    """Route the requests of a provider; a lock lets in one at a time."""
    app = flask.Flask(service.name, static_folder=None)
    app.url_map.merge_slashes = False
    app.register_error_handler(HTTPException, refuse)

    def add(method: str, path: str, view: Callable[..., Any]) -> None:
        def locked(**arguments: str) -> Any:
            with service.lock:
                return view(**arguments)

        app.add_url_rule(path, f"{method} {path}", locked, methods=[method], provide_automatic_options=False)

    add("POST", service.path, lambda: (service.take(read_list(service.takes)), service.taken_status))
    add("GET", service.observed_path, lambda: show_all(service))
    if isinstance(service, ReportProvider):
        add(
            "GET",
            f"{service.observed_path}/<item_id>",
            lambda item_id: service.show(item_id) or refuse(NotFound()),
        )
    if isinstance(service, DirectoryResponses):
        add("GET", f"{service.observed_path}/summary", lambda: service.count(read_app()))
    if isinstance(service, SubscribersErrors):
        add("POST", "/v1/resumed", lambda: resume(service))
    add("POST", "/_pact/provider-states", lambda: change_state(service))
    add("GET", "/_pact/version", lambda: {"service": service.name, "version": VERSION})
    return app


def refuse(error: HTTPException) -> Any:
    headers = [header for header in error.get_headers() if header[0] == "Allow"]
    return {"title": error.description or error.name, "status": error.code}, error.code, headers


def read_object() -> dict[str, Any]:
    """Read the body of the request as a JSON object."""
    try:
        body = json.loads(flask.request.get_data().decode(), parse_constant=reject_constant)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body is not an object")
    return body


def reject_constant(name: str) -> None:
    raise ValueError(name)


def read_list(member: str) -> list[Any]:
    entries = read_object().get(member)
    if not isinstance(entries, list):
        raise BadRequest(f"the body has no list {member}")
    if len(entries) > LARGEST_BATCH:
        raise RequestEntityTooLarge(f"more than {LARGEST_BATCH} entries")
    return entries


def read_app() -> str:
    apps = flask.request.args.getlist("firebase_app")
    if len(apps) != 1 or not is_id(apps[0]):
        raise BadRequest("firebase_app is not one UUID")
    return apps[0]


def show_all(service: Service) -> dict[str, Any]:
    item_ids = flask.request.args.getlist("id")
    if not item_ids:
        raise BadRequest("no id is given")
    items = [service.show(item_id) for item_id in item_ids]
    return {service.observed: [item for item in items if item]}


def resume(service: SubscribersErrors) -> tuple[str, int]:
    service.resume(read_list("resumed"))
    return "", 204


def change_state(service: Service) -> dict[str, Any]:
    """Enter or leave a provider state."""
    change = read_object()
    state, params, action = change.get("state"), change.get("params", {}), change.get("action", "setup")
    if not isinstance(state, str) or not isinstance(params, dict) or action not in ("setup", "teardown"):
        raise BadRequest("state, params or action cannot be read")
    try:
        service.change_state(state, params, set_up=action == "setup")
    except UnknownState as error:
        raise BadRequest(f"unknown state or unreadable params: {error}") from error
    return {}
