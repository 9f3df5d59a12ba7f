"""A mirror of a path in etcd: read once, then watched, so that reading a key asks no one."""

from __future__ import annotations

import base64
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from picasso.engine.threads import EngineThread
from picasso.errors import PicassoError, require

if TYPE_CHECKING:
    from etcd3gw import Etcd3Client

READ_TIMEOUT_S: Final = 60.0
"""Seconds without a word from etcd after which the path is read again: a connection can die in silence."""
CLOSE_S: Final = 1.0
"""Seconds that closing waits for a thread that is just calling a host which does not answer."""
FIRST_WAIT_S: Final = 0.2
MOST_WAIT_S: Final = 5.0
"""Seconds between attempts to reach an etcd that is away, at first and at most."""
NO_CREDENTIALS: Final = "etcd3gw cannot log in with a user name; use tls, or leave it out"
NS_PER_S: Final = 1_000_000_000

logger: logging.Logger = logging.getLogger("picasso.module")


class EtcdError(PicassoError, RuntimeError):
    """etcd cannot be reached at the start, or its settings cannot be used."""


def open_etcd(settings: Mapping[str, Any] | None) -> EtcdMirror | None:
    """Open the mirror that ``parameters.etcd`` asks for; None where there is no block, or it names no host.

    Raises:
        EtcdError: No host answers, or there are credentials, which etcd3gw cannot use.
        MissingDependencyError: etcd3gw is not installed.
    """
    if not settings or not settings["hosts"]:
        return None
    if settings.get("credentials"):
        raise EtcdError(f"parameters.etcd.credentials: {NO_CREDENTIALS}")
    return EtcdMirror(
        settings["hosts"],
        settings.get("watch_path", "savant"),
        tls=settings.get("tls"),
        connect_timeout_s=settings.get("connect_timeout", 5.0),
        wait_timeout_s=settings.get("watch_path_wait_timeout", 5.0),
    )


class EtcdMirror:
    """The values below a path of etcd, kept up to date by a thread.

    While etcd is away the last values stay, ``age_s`` grows, and the mirror reads everything again when etcd is back.
    ``get`` may be called from any thread and never waits.
    """

    def __init__(
        self,
        hosts: list[str],
        watch_path: str = "savant",
        *,
        tls: dict[str, str] | None = None,
        connect_timeout_s: float = 5.0,
        wait_timeout_s: float = 5.0,
    ) -> None:
        """Read the path, and begin to watch it.

        Args:
            hosts: ``host:port`` of the members of one cluster; the first that answers is used.
            watch_path: Keys are relative to it.
            tls: Paths of files: ``ca_certificate``, ``certificate``, ``key``.
            connect_timeout_s: Longest wait for an answer in seconds.
            wait_timeout_s: Longest wait in seconds for the path to hold a key; then the mirror starts empty.

        Raises:
            EtcdError: No host answers.
            MissingDependencyError: etcd3gw is not installed.
        """
        self._hosts = hosts
        self._prefix = f"{watch_path.strip('/')}/"
        self._tls = tls or {}
        self._timeout_s = connect_timeout_s
        self._values: dict[str, str] = {}
        self._heard_ns = 0
        self._revision = 0
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._watch: HTTPConnection | None = None
        """The open watch; set and shut under ``_changed``, so that none is opened behind ``close``."""
        self._is_watching = self._is_away = False
        self._client = self._connect()
        self._thread = EngineThread(target=self._run, name="etcd-mirror", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: bool(self._values), wait_timeout_s)
        if not self._values:
            logger.warning("etcd: nothing below %r after %.1f s; defaults are used", self._prefix, wait_timeout_s)

    def get(self, key: str) -> str | None:
        """Return the value of a key, relative to the watched path; None where there is none."""
        return self._values.get(key)

    def values(self) -> dict[str, str]:
        """Return all keys with their values."""
        return dict(self._values)

    @property
    def age_s(self) -> float:
        """Seconds since etcd was last heard of; 0 while the watch is open."""
        return 0.0 if self._is_watching else (time.monotonic_ns() - self._heard_ns) / NS_PER_S

    def wait_for(self, key: str, value: str | None, timeout_s: float) -> bool:
        """Wait until a key has a value, None for no value; tell whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._values.get(key) == value, timeout_s)

    def close(self) -> None:
        """Stop watching, within a second. The last values stay."""
        with self._changed:
            self._stopping.set()
        self._hang_up()
        self._thread.join(CLOSE_S)

    def _connect(self) -> Etcd3Client:
        """Return a client for the first host that answers, having read the path."""
        make_client = require("etcd3gw", extra="module").Etcd3Client
        failures = []
        for host in self._hosts:
            name, _, port = host.rpartition(":")
            client: Etcd3Client = make_client(
                host=name.strip("[]"),
                port=int(port),
                protocol="https" if self._tls else "http",
                ca_cert=self._tls.get("ca_certificate"),
                cert_cert=self._tls.get("certificate"),
                cert_key=self._tls.get("key"),
                timeout=self._timeout_s,
            )
            client.session.trust_env = False  # else variables for proxies and authorities win over the settings
            try:
                self._read_all(client)
            except Exception as error:  # noqa: BLE001 - etcd3gw passes on what requests, TLS and JSON raise
                failures.append(f"{host}: {_reason(error)}")
                continue
            finally:
                client.session.close()  # the watch has a connection of its own
            return client
        raise EtcdError(f"etcd cannot be reached: {'; '.join(failures)}")

    def _read_all(self, client: Etcd3Client) -> None:
        answer = client.post(
            client.get_url("/kv/range"),
            json={"key": _encoded(self._prefix), "range_end": _encoded(_after(self._prefix))},
        )
        self._revision = int(answer["header"]["revision"])
        self._replace({self._relative(pair["key"]): _decoded(pair.get("value", "")) for pair in answer.get("kvs", ())})

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            is_silent = False
            try:
                for answer in self._answers():
                    wait_s = FIRST_WAIT_S
                    self._take(answer)
            except TimeoutError as error:
                is_silent = self._is_watching
                if not is_silent:
                    self._complain(error)
            except Exception as error:  # noqa: BLE001 - the last values stay and it is tried again
                self._complain(error)
            self._hang_up()
            if not is_silent:  # an etcd in which nothing changes is asked again at once
                if self._stopping.wait(wait_s):
                    return
                wait_s = min(2 * wait_s, MOST_WAIT_S)
            self._read_again(is_silent)

    def _read_again(self, is_silent: bool) -> None:
        """Read everything again, from the first host that answers."""
        try:
            self._client = self._connect()
        except EtcdError as error:
            if is_silent:
                self._complain(error)
            logger.debug("%s", error)
            return
        if self._is_away:
            self._is_away = False
            logger.info("etcd is back")

    def _complain(self, error: BaseException) -> None:
        """Say that etcd is away, once."""
        if not self._stopping.is_set() and not self._is_away:
            self._is_away = True
            logger.warning("etcd is away, the last values stay: %s", _reason(error))

    def _answers(self) -> Iterator[dict[str, Any]]:
        """Open a watch behind what was read, and yield its answers."""
        request = {
            "create_request": {
                "key": _encoded(self._prefix),
                "range_end": _encoded(_after(self._prefix)),
                "start_revision": self._revision + 1,
                "progress_notify": True,
            }
        }
        url = urlsplit(self._client.get_url("/watch"))
        connection = self._connection(url.hostname or "", url.port or 2379)
        connection.connect()
        connection.auto_open = 0  # else a request opens what close() has just closed, and no one closes that
        with self._changed:
            if self._stopping.is_set():
                connection.close()
                return
            self._watch = connection
        connection.sock.settimeout(READ_TIMEOUT_S)
        connection.request("POST", url.path, json.dumps(request), {"Content-Type": "application/json"})
        with connection.getresponse() as response:
            if response.status != HTTPStatus.OK:
                raise EtcdError(f"the watch was refused: {response.status} {response.reason}")
            for line in response:
                if line.strip():
                    answer: dict[str, Any] = json.loads(line)
                    self._is_watching = "result" in answer
                    yield answer
        raise EtcdError("the watch ended")

    def _connection(self, host: str, port: int) -> HTTPConnection:
        if not self._tls:
            return HTTPConnection(host, port, timeout=self._timeout_s)
        context = ssl.create_default_context(cafile=self._tls.get("ca_certificate"))
        if "certificate" in self._tls:
            context.load_cert_chain(self._tls["certificate"], self._tls.get("key"))
        return HTTPSConnection(host, port, timeout=self._timeout_s, context=context)

    def _take(self, answer: dict[str, Any]) -> None:
        if "error" in answer:
            raise EtcdError(str(answer["error"].get("message", answer["error"])))
        result = answer["result"]
        self._heard_ns = time.monotonic_ns()
        if result.get("canceled"):  # a compaction has passed the revision: everything is read again
            raise EtcdError(result.get("cancel_reason") or "the watch was cancelled")
        self._revision = int(result["header"]["revision"])
        values = dict(self._values)
        for event in result.get("events", ()):
            key = self._relative(event["kv"]["key"])
            if event.get("type") == "DELETE":
                values.pop(key, None)
            else:
                values[key] = _decoded(event["kv"].get("value", ""))
        self._replace(values)

    def _replace(self, values: dict[str, str]) -> None:
        with self._changed:
            self._values = values
            self._heard_ns = time.monotonic_ns()
            self._changed.notify_all()

    def _relative(self, encoded: str) -> str:
        return _decoded(encoded).removeprefix(self._prefix)

    def _hang_up(self) -> None:
        """Close the watch; a read that waits for it ends."""
        with self._changed:
            connection, self._watch = self._watch, None
            self._is_watching = False
        if connection is not None:
            with suppress(OSError, AttributeError):  # closing alone does not wake a thread that reads
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def _after(prefix: str) -> str:
    """Return the first key behind all that begin with a prefix, which ends in ``/``."""
    return f"{prefix[:-1]}0"


def _reason(error: BaseException) -> str:
    """Say why in a few words; etcd3gw's own errors are empty and leave that to the one they come from."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and not str(cause):
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
        if id(cause) in seen:  # contexts may go round in a circle
            break
    words = str(cause or "") or type(error).__name__
    return " ".join(words.split())[:300]
