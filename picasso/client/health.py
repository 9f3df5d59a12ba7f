"""Whether a module runs, as its HTTP endpoint says."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Collection
from typing import Final

from picasso.errors import HealthError, TransportError, TransportTimeoutError

RUNNING: Final = ("running",)
"""States in which a module takes frames."""
READABLE: Final = ("running", "stopping")
"""States in which it gives frames."""
_ANSWERS: Final = (200, 503)


def module_state(url: str, timeout_s: float = 5.0) -> str | None:
    """Ask a module for its state; None where no one answers yet.

    Args:
        url: Such as ``http://localhost:8888/healthcheck``.
        timeout_s: Longest wait for the answer, in seconds.

    Raises:
        HealthError: What answers is not a module.
        TransportError: The URL is none.
    """
    if not url.startswith(("http://", "https://")):
        raise TransportError(f"{url}: expected http:// or https://")
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as response:  # its scheme is checked above
            status, body = response.status, response.read(1024)
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read(1024)
    except (urllib.error.URLError, OSError):
        return None
    if status not in _ANSWERS:
        raise HealthError(f"{url}: Health check failed. Status code: {status}; expected 200 or 503")
    return str(body.decode(errors="replace").strip())


def wait_for_health(
    url: str, timeout_s: float = 60.0, interval_s: float = 5.0, accept: Collection[str] = RUNNING
) -> str:
    """Wait until a module is in one of the states ``accept``; return the state.

    Args:
        url: The module's health endpoint.
        timeout_s: Longest wait in seconds.
        interval_s: Seconds between two questions.
        accept: States that end the wait.

    Raises:
        TransportTimeoutError: It did not come to one of them in time.
        HealthError: What answers is not a module.
    """
    until_s = time.monotonic() + timeout_s
    while True:
        state = module_state(url, max(min(5.0, timeout_s), 0.1))
        if state in accept:
            return str(state)
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            seen = "no one answers" if state is None else f"its state is {state!r}"
            wanted = " or ".join(accept)
            raise TransportTimeoutError(
                f"Module is not ready after {timeout_s:g} seconds. {url}: {seen}; waited for {wanted}"
            )
        time.sleep(min(interval_s, left_s))
