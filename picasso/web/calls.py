"""Every call there is: its method and path, what it says and takes, and who answers. Routes and OpenAPI come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Schema = Mapping[str, Any]
_TEXT: Final[Schema] = {"type": "string"}
_OBJECT: Final[Schema] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that can be asked for."""

    method: str
    path: str
    """``{source_id}`` stands for the id of a source; one with slashes is written as it is, or with ``%2F``."""
    name: str
    """Of the function that answers."""
    summary: str
    answers: Mapping[int, str]
    """What each status says."""
    is_control: bool = False
    """Whether only a listener with ``is_control`` offers it."""
    body: Schema | None = None
    """What must be said; None takes no body."""
    gives: str = "application/json"


def _body(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


_STATE: Final = {200: "running", 503: "any other state, as a word"}
_GONE: Final = {404: "no such source", 409: "makes no sense for it now"}
ENTRY: Final = _body(
    ("element",),
    element={"enum": ["uridecodebin", "v4l2src", "videotestsrc"], "description": "Kind of source."},
    name={"type": ["string", "null"], "minLength": 1, "description": "Its source_id, where properties name none."},
    properties={"type": ["object", "null"], "description": "As in pipeline.source of a module."},
)
CALLS: Final = (
    Call("GET", "/healthcheck", "state", "State of the module as a word", _STATE, gives="text/plain"),
    Call("GET", "/status", "state", "The same, under the path that newer clients ask for", _STATE, gives="text/plain"),
    Call("GET", "/live", "live", "Whether the process answers", {200: "it does"}, gives="text/plain"),
    Call("GET", "/ready", "state", "Whether the module takes frames", _STATE, gives="text/plain"),
    Call(
        "GET", "/metrics", "metrics", "Metrics for Prometheus",
        {200: "families", 501: "prometheus-client is not installed"}, gives="text/plain",
    ),
    Call("GET", "/sources", "sources", "Every source: state, spec, counts, last error", {200: "a list"}),
    Call(
        "GET", "/sources/{source_id}", "source", "One source", {200: "as in the list", 404: "no such source"}
    ),
    Call("GET", "/statistics", "statistics", "Stages, queues, sinks and drops of the module", {200: "a snapshot"}),
    Call(
        "GET", "/actors", "actors", "Each actor of a module on a cluster: node, process, state, addresses",
        {200: "a list", 404: "the module runs in one process"},
    ),
    Call("GET", "/openapi.json", "openapi", "This document", {200: "OpenAPI 3.1"}),
    Call(
        "POST",
        "/sources",
        "add_source",
        "Add a source while the module runs",
        {201: "it is read", 409: "the id is in use", 422: "the entry is wrong; every fault is named"},
        is_control=True,
        body=ENTRY,
    ),
    Call(
        "DELETE", "/sources/{source_id}", "remove_source", "End a source, and forget it",
        {204: "it is gone", **_GONE}, is_control=True,
    ),
    Call(
        "POST", "/sources/{source_id}/remove", "remove_source", "The same, for clients that only POST",
        {204: "it is gone", **_GONE}, is_control=True,
    ),
    Call(
        "POST", "/sources/{source_id}/pause", "pause", "Read no further frame for now; a live source is closed",
        {202: "asked for", **_GONE}, is_control=True,
    ),
    Call(
        "POST", "/sources/{source_id}/resume", "resume", "Read a paused source on",
        {202: "asked for", **_GONE}, is_control=True,
    ),
    Call(
        "POST", "/sources/{source_id}/reconnect", "reconnect", "Open a source again now, also one that has failed",
        {202: "asked for", **_GONE}, is_control=True,
    ),
    Call(
        "POST", "/sources/{source_id}/drawing", "set_drawing", "Change what is drawn on its frames",
        {204: "holds from the next frame", **_GONE, 422: "the looks are wrong"}, is_control=True,
        body=_body(
            is_on={"type": "boolean", "description": "Whether anything is drawn. Default true."},
            rendered_objects={
                "type": ["object", "null"],
                "description": "By element name and label, as in draw_func; null draws as the module says.",
            },
        ),
    ),
    Call(
        "POST", "/sources/{source_id}/gate", "set_gate", "Change which of its frames are encoded",
        {204: "holds from the next frame", **_GONE}, is_control=True,
        body=_body(
            tag={
                "type": ["string", "null"], "minLength": 1,
                "description": "The tag that a frame needs; null encodes every frame; without it the module's holds.",
            }
        ),
    ),
    Call(
        "POST", "/sources/{source_id}/keyframe", "keyframe", "Make its next encoded frame a keyframe",
        {202: "asked for", **_GONE}, is_control=True,
    ),
    Call(
        "POST", "/sources/{source_id}/snapshot", "snapshot", "Its next frame, with what is drawn, in full size",
        {200: "a picture", 504: "no frame came in time", **_GONE}, is_control=True, gives="image/jpeg",
        body=_body(timeout_s={"type": "number", "exclusiveMinimum": 0, "maximum": 60, "description": "Default 5."}),
    ),
    Call(
        "POST", "/stop", "stop", "Stop the module in order",
        {202: "nothing is read any more; what was read comes out", 403: "not the key, or there is none"},
        is_control=True, body=_body(auth={"type": "string", "description": "parameters.shutdown_auth."}),
    ),
    Call(
        "POST", "/session", "open_session", "Give a browser a cookie for the token",
        {204: "the cookie is set", 401: "not the token"}, is_control=True, body=_body(("token",), token=_TEXT),
    ),
    Call(
        "DELETE", "/session", "close_session", "Take the cookie back", {204: "it is worth nothing"}, is_control=True
    ),
)  # fmt: skip


def openapi(name: str, version: str, *, is_control: bool, needs_token: bool) -> dict[str, Any]:
    """Return the OpenAPI document of a listener.

    Args:
        name: The module's.
        version: Of this package.
        is_control: Whether the module can be controlled there.
        needs_token: Whether callers have to know a token.
    """
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        if is_control or not call.is_control:
            paths.setdefault(call.path, {})[call.method.lower()] = _operation(call)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": f"picasso module {name}", "version": version},
        "paths": paths,
        "components": {"schemas": {"Error": _error_schema()}},
    }
    if needs_token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _operation(call: Call) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": f"{call.method.lower()}{call.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": call.summary,
        "responses": {str(status): _response(call, status, text) for status, text in call.answers.items()},
    }
    if "{source_id}" in call.path:
        made["parameters"] = [{"name": "source_id", "in": "path", "required": True, "schema": dict(_TEXT)}]
    if call.body is not None:
        content = {"application/json": {"schema": call.body}}
        made["requestBody"] = {"required": bool(call.body["required"]), "content": content}
    return made


def _response(call: Call, status: int, text: str) -> dict[str, Any]:
    if status in (202, 204):
        return {"description": text}
    if status >= 400 and call.name != "state":
        return {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    is_json = call.gives == "application/json"
    return {"description": text, "content": {call.gives: {"schema": {} if is_json else dict(_TEXT)}}}


def _error_schema() -> dict[str, Any]:
    problems = {"type": "array", "items": dict(_TEXT)}
    return {**_OBJECT, "required": ["error"], "properties": {"error": dict(_TEXT), "problems": problems}}
