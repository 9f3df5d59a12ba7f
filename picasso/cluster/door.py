"""The one door to Ray: it is imported when it is needed, joined or started, and left again."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final, final

from picasso.errors import TransportError, require

AUTO: Final = "auto"
"""The address that means: the cluster that is here, or a new one on this machine alone."""
KNOCK_S: Final = 10.0
"""Seconds that a cluster at an address has to answer."""
LOCAL: Final = "local"
"""The address that means: a new one on this machine alone, also where another one is here."""


def load_ray() -> ModuleType:
    """Return Ray; it sends no statistics of use unless ``RAY_USAGE_STATS_ENABLED`` says so.

    Raises:
        MissingDependencyError: It is not installed; the error names ``pip install 'picasso-engine[ray]'``.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return require("ray", extra="ray")


@final
class RaySession:
    """A connection to a Ray cluster while the context lasts.

    ::

        with RaySession("auto") as ray:
            ray.get(ray.remote(len).remote("four"))

    A program that is connected already keeps its connection: it is used, and not closed.
    """

    def __init__(self, address: str | None = None, **local_options: Any) -> None:
        """Connect to nothing yet.

        Args:
            address: ``host:port`` or ``ray://host:port`` of a cluster; ``auto`` or None joins the one that
                ``RAY_ADDRESS`` names or that runs on this machine, or starts one here; ``local`` starts one here.
            local_options: What ``ray.init`` takes where a cluster is started here, such as ``num_cpus``.
        """
        self._address = address or AUTO
        self._local_options = local_options
        self._is_ours = False

    def __enter__(self) -> ModuleType:
        """Join or start it.

        Raises:
            MissingDependencyError: Ray is not installed.
            TransportError: There is no cluster at the address.
        """
        ray = load_ray()
        if ray.is_initialized():
            return ray
        with _own_signals():
            self._open(ray)
        self._is_ours = True
        return ray

    def _open(self, ray: ModuleType) -> None:
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "warning"}
        try:
            if self._address == LOCAL or not self._joins(ray, quiet):
                ray.init(address=LOCAL, include_dashboard=False, **quiet, **self._local_options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            where = "this machine" if self._address in (AUTO, LOCAL) else self._address
            raise TransportError(f"Ray at {where}: {' '.join(str(error).split())}") from error

    def _joins(self, ray: ModuleType, quiet: dict[str, Any]) -> bool:
        """Join the cluster at the address; False where none is asked for by name and none is here."""
        _knock(os.environ.get("RAY_ADDRESS", "") if self._address == AUTO else self._address)
        try:
            ray.init(address=self._address, **quiet)
        except ConnectionError:
            if self._address != AUTO or os.environ.get("RAY_ADDRESS"):
                raise
            return False
        return True

    def __exit__(self, *_: object) -> None:
        """Leave it; one that was started here ends."""
        if self._is_ours:
            self._is_ours = False
            load_ray().shutdown()


def _knock(address: str) -> None:
    """Look whether anyone listens at ``host:port``: Ray would try for more than nine minutes.

    Raises:
        ConnectionError: No one does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()
    except OSError as error:
        raise ConnectionError(f"no cluster answers there: {error}") from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Put the handlers of signals back: those of Ray would end the process three seconds after SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for one, handler in before.items():
            if handler is not None:
                signal.signal(one, handler)
