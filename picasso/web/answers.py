"""What is answered to each call."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, final

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from picasso.errors import OperationError
from picasso.web.bodies import checked
from picasso.web.guard import SESSION_S, WRONG_S
from picasso.web.listener import WAITING

if TYPE_CHECKING:
    from starlette.requests import Request

    from picasso.web.calls import Call
    from picasso.web.guard import Sessions
    from picasso.web.operations import Operated

SNAPSHOT_S: Final = 5.0
"""Seconds that a snapshot waits for a frame, where the caller says no other."""
logger: logging.Logger = logging.getLogger("picasso.web")

Answer = Callable[["Request"], Awaitable[Response]]


class JsonResponse(Response):
    """A value as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return ``content`` as JSON; what JSON does not know becomes text."""
        return msgspec.json.encode(content, enc_hook=str)


@final
class Answers:
    """The functions behind the calls, by name. What waits for the module does so on a thread of its own."""

    def __init__(self, module: Operated, sessions: Sessions, document: dict[str, Any]) -> None:
        """Take the module.

        Args:
            module: What is asked.
            sessions: Who knows the token.
            document: The OpenAPI document.
        """
        self._module = module
        self._sessions = sessions
        self._document = document
        self._waiting: Counter[bool] = Counter()
        """Calls that wait for the module now: those that change something, and those that only ask."""

    def of(self, call: Call) -> Answer:
        """Return the function that answers a call, with faults as JSON."""
        function = getattr(self, call.name)

        async def answer(request: Request) -> Response:
            try:
                body = checked(await request.body(), request.headers.get("content-type", ""), call.body)
                response: Response = await function(request, body)
            except OperationError as error:
                return as_response(error)
            return response

        return answer

    async def state(self, _request: Request, _body: Any) -> Response:
        """The state, as clients of the reference read it."""
        state = self._module.state()
        return PlainTextResponse(state, 200 if state == "running" else 503)

    async def live(self, _request: Request, _body: Any) -> Response:
        """Whether this process answers: this is the answer."""
        return PlainTextResponse("live")

    async def metrics(self, _request: Request, _body: Any) -> Response:
        """The families of the module."""
        text, kind = await self._wait(self._module.metrics, asks=True)
        return Response(text, headers={"content-type": kind})

    async def sources(self, _request: Request, _body: Any) -> Response:
        """Every source."""
        return JsonResponse(await self._wait(self._module.sources, asks=True))

    async def source(self, request: Request, _body: Any) -> Response:
        """One source."""
        wanted = request.path_params["source_id"]
        found = [one for one in await self._wait(self._module.sources, asks=True) if one["source_id"] == wanted]
        if not found:
            raise OperationError(f"there is no source {wanted!r}", 404)
        return JsonResponse(found[0])

    async def statistics(self, _request: Request, _body: Any) -> Response:
        """A snapshot of the module."""
        return JsonResponse(await self._wait(self._module.statistics, asks=True))

    async def actors(self, _request: Request, _body: Any) -> Response:
        """The actors, where the module has any."""
        actors = getattr(self._module, "actors", None)
        if actors is None:
            raise OperationError("the module runs in one process: it has no actors", 404)
        return JsonResponse(await self._wait(actors, asks=True))

    async def openapi(self, _request: Request, _body: Any) -> Response:
        """The OpenAPI document."""
        return JsonResponse(self._document)

    async def add_source(self, _request: Request, body: Any) -> Response:
        """Add a source."""
        source_id = await self._wait(self._module.add_source, body)
        logger.info("web: source %r was added", source_id)
        return JsonResponse({"source_id": source_id}, 201)

    async def remove_source(self, request: Request, _body: Any) -> Response:
        """Remove a source."""
        return await self._done(request, self._module.remove_source, 204)

    async def pause(self, request: Request, _body: Any) -> Response:
        """Pause a source."""
        return await self._done(request, self._module.pause)

    async def resume(self, request: Request, _body: Any) -> Response:
        """Resume a source."""
        return await self._done(request, self._module.resume)

    async def reconnect(self, request: Request, _body: Any) -> Response:
        """Open a source again."""
        return await self._done(request, self._module.reconnect)

    async def keyframe(self, request: Request, _body: Any) -> Response:
        """Request a keyframe."""
        return await self._done(request, self._module.request_keyframe)

    async def set_drawing(self, request: Request, body: Any) -> Response:
        """Change a drawing."""
        objects, is_on = body.get("rendered_objects"), body.get("is_on", True)
        return await self._done(request, lambda name: self._module.set_drawing(name, objects, is_on=is_on), 204)

    async def set_gate(self, request: Request, body: Any) -> Response:
        """Change a gate."""
        tag, is_own = body.get("tag"), "tag" in body
        return await self._done(request, lambda name: self._module.set_gate(name, tag, is_own=is_own), 204)

    async def snapshot(self, request: Request, body: Any) -> Response:
        """Take a picture."""
        timeout_s = float(body.get("timeout_s", SNAPSHOT_S))
        picture = await self._wait(self._module.snapshot, request.path_params["source_id"], timeout_s)
        return Response(picture, media_type="image/jpeg")

    async def stop(self, _request: Request, body: Any) -> Response:
        """Stop the module."""
        await self._wait(self._module.stop, body.get("auth"))
        logger.info("web: the module was asked to stop")
        return Response(status_code=202)

    async def open_session(self, _request: Request, body: Any) -> Response:
        """Give a browser a cookie."""
        if self._sessions.is_needed and not self._sessions.is_token(body["token"]):
            logger.warning("web: a session was asked for with a wrong token")
            await asyncio.sleep(WRONG_S)
            raise OperationError("not the token", 401)
        response = Response(status_code=204)
        response.set_cookie(
            self._sessions.cookie, self._sessions.begin(), int(SESSION_S), httponly=True, samesite="strict"
        )
        return response

    async def close_session(self, request: Request, _body: Any) -> Response:
        """Take a cookie back."""
        self._sessions.end(dict(request.scope["headers"]))
        response = Response(status_code=204)
        response.delete_cookie(self._sessions.cookie, httponly=True, samesite="strict")
        return response

    async def _done(self, request: Request, step: Callable[[str], None], status: int = 202) -> Response:
        source_id = request.path_params["source_id"]
        await self._wait(step, source_id)
        logger.info("web: %s of source %r", request.url.path.rpartition("/")[2], source_id)
        return Response(status_code=status)

    async def _wait(self, step: Callable[..., Any], *arguments: Any, asks: bool = False) -> Any:
        """Take a step of the module on a thread; what it raises beside faults of the caller is logged."""
        if self._waiting[asks] >= WAITING:
            raise OperationError(f"{WAITING} calls wait for the module already", 503)
        self._waiting[asks] += 1
        try:
            return await asyncio.to_thread(step, *arguments)
        except OperationError:
            raise
        except Exception as error:
            logger.exception("web: a call has failed")
            raise OperationError(f"{type(error).__name__}; the log says more", 500) from error
        finally:
            self._waiting[asks] -= 1


def as_response(error: OperationError) -> Response:
    """Return a fault as JSON, with every problem that it names."""
    problems = {"problems": error.problems} if error.problems else {}
    return JsonResponse({"error": str(error), **problems}, error.status)


async def as_error(_request: Request, error: Exception) -> Response:
    """Return what the framework refuses as JSON."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JsonResponse({"error": HTTPStatus(status).phrase}, status)
