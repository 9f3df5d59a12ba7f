"""The application: calls, the page's files, and the WebSocket of viewers, behind the guard."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from picasso.web.answers import Answers, as_error
from picasso.web.calls import CALLS, openapi
from picasso.web.guard import Guard, Sessions
from picasso.web.viewer import watch

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from picasso.web.listener import Listener
    from picasso.web.live import Live
    from picasso.web.operations import Operated

KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
"""What the files of the page are; others are not served."""


@functools.cache
def page_files() -> dict[str, tuple[bytes, str]]:
    """Return the page's files by path, with their types: these are served, and no path leads to any other file."""
    folder = files("picasso.web").joinpath("page")
    found = {}
    for file in folder.iterdir():
        kind = KINDS.get(file.name.rpartition(".")[2])
        if kind is not None:
            found["/" if file.name == "index.html" else f"/page/{file.name}"] = (file.read_bytes(), kind)
    return found


def _version() -> str:
    """Return the package's version; a checkout that runs as it is has none."""
    try:
        return version("picasso-engine")
    except PackageNotFoundError:
        return "unknown"


def application(module: Operated, listener: Listener, live: Live | None, port: int) -> ASGIApp:
    """Build the application of a listener, which listens at ``port``."""
    sessions = Sessions(listener.token if listener.is_control else None, port)
    document = openapi(
        module.name,
        _version(),
        is_control=listener.is_control,
        needs_token=sessions.is_needed,
    )
    answers = Answers(module, sessions, document)
    routes: list[Any] = []
    for call in CALLS:
        if listener.is_control or not call.is_control:
            path = call.path.replace("{source_id}", "{source_id:path}")
            routes.append(Route(path, answers.of(call), methods=[call.method]))
    routes.sort(key=lambda route: route.path.endswith(":path}"))  # /sources/a/pause is not the source "a/pause"
    served = page_files() if listener.is_control and live is not None else {}
    routes += [Route(path, _file(*file), methods=["GET"]) for path, file in served.items()]
    if live is not None and listener.is_control:
        routes.append(WebSocketRoute("/watch", functools.partial(watch, live)))
    handlers: Any = {404: _nothing_here, 405: as_error, 500: as_error}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), listener, sessions, frozenset(served))


def _file(content: bytes, kind: str) -> Callable[[Request], Response]:
    def answer(_request: Request) -> Response:
        return Response(content, headers={"content-type": kind, "cache-control": "no-cache"})

    return answer


async def _nothing_here(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("", 404)
