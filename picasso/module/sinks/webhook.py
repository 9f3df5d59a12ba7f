"""``webhook_sink``: records of frames and events as JSON, by POST to an address."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from picasso.errors import SpecError, require
from picasso.module.sinks.far import KINDS, QUEUE_LENGTH, FarSink
from picasso.module.sinks.outbox import SIZE_BYTES, Outbox, Parcel, RefusedError, UnreachableError

SIGNATURE: Final = "X-Picasso-Signature"
"""The header with the signature of a body."""
MAX_PAUSE_S: Final = 60.0
"""Seconds that a receiver may ask to be left alone."""
_LATER: Final = frozenset({408, 425, 429})
"""Answers below 500 after which a request may be sent again."""


class WebhookSink(FarSink):
    """Posts what comes out to an address: an array of records, or with ``batch_size: 1`` one record each."""

    name = "webhook_sink"

    def __init__(
        self,
        url: str,
        module: str,
        headers: Mapping[str, str] | None = None,
        secret: str | None = None,
        send: Sequence[str] = KINDS,
        batch_size: int = 100,
        queue_length: int = QUEUE_LENGTH,
        queue_byte_size: int = SIZE_BYTES,
        timeout_s: float = 10.0,
        skip_frames_without_objects: bool = False,
    ) -> None:
        """Begin to send; the address is not tried before there is something to send.

        Args:
            url: Where to: http or https.
            module: The name of the module.
            headers: Of each request.
            secret: Signs each body: ``X-Picasso-Signature: sha256=`` and its HMAC.
            send: ``metadata``, ``events`` or both.
            batch_size: Records that a request holds at most.
            queue_length: Records that may wait; the oldest of more are dropped and counted.
            queue_byte_size: Bytes of them.
            timeout_s: Seconds that the receiver may take.
            skip_frames_without_objects: Whether frames without objects are left out.

        Raises:
            SpecError: The address is none.
            MissingDependencyError: The library ``requests`` is not installed.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SpecError("url: expected http://host… or https://host…")
        self._requests: Any = require("requests", extra="module")
        self._url = url
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._secret = None if secret is None else secret.encode()
        self._is_single = batch_size == 1
        self._timeout_s = timeout_s
        self._session = self._requests.Session()
        self._quiet_until_s = 0.0
        name = f"{self.name} {parts.scheme}://{parts.netloc.rpartition('@')[2]}"  # paths and queries may be secrets
        outbox = Outbox(name, self._post, length=queue_length, size_bytes=queue_byte_size, batch=batch_size)
        super().__init__(module, outbox, send, skip_frames_without_objects=skip_frames_without_objects)

    def close(self) -> None:
        """Send what is queued, for five seconds at most, and close the connection."""
        super().close()
        self._session.close()

    def _post(self, parcels: Sequence[Parcel]) -> None:
        if (pause_s := self._quiet_until_s - time.monotonic()) > 0:
            raise UnreachableError(f"it asked for a pause, of which {pause_s:.0f} s are left")
        body = parcels[0].body if self._is_single else b"[" + b",".join(parcel.body for parcel in parcels) + b"]"
        headers = self._headers
        if self._secret is not None:
            headers = {**headers, SIGNATURE: f"sha256={hmac.new(self._secret, body, hashlib.sha256).hexdigest()}"}
        try:
            answer = self._session.post(
                self._url, data=body, headers=headers, timeout=self._timeout_s, allow_redirects=False
            )
        except self._requests.RequestException as error:
            raise UnreachableError(type(error).__name__) from None  # its text has the whole address
        if answer.ok and answer.status_code < 300:
            return
        if answer.status_code >= 500 or answer.status_code in _LATER:
            self._quiet_until_s = time.monotonic() + min(_seconds(answer.headers.get("Retry-After")), MAX_PAUSE_S)
            raise UnreachableError(f"status {answer.status_code}")
        raise RefusedError(f"status {answer.status_code}")


def _seconds(text: str | None) -> float:
    """Return what ``Retry-After`` says in seconds; 0 for a date, and where it says nothing."""
    return float(text) if text is not None and text.isdecimal() else 0.0
