"""One file from an address: over HTTP, from S3 and other stores that fsspec knows, or from this machine."""

from __future__ import annotations

import base64
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final

from picasso.errors import MissingDependencyError, ModelError, require

Progress = Callable[[int, int | None], object]
"""Called with the bytes that have come, and those that there are, None where the server does not say."""
TIMEOUT_S: Final = 30.0
"""Seconds that a server may be silent."""
_BLOCK: Final = 1 << 18
_HTTP: Final = ("http", "https")
_SECRETS: Final = ("access_key", "secret_key", "key", "secret", "token", "password", "headers")
"""Parameters that are kept out of files and messages."""


class FetchError(ModelError):
    """An address cannot be reached or read; what was fetched before may serve."""


def scheme_of(url: str) -> str:
    """Return the scheme of an address in small letters; a path has none."""
    return urllib.parse.urlsplit(url).scheme.lower()


def shown(url: str) -> str:
    """Return an address without user, password and query, for messages."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def public(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that are no secrets."""
    return {name: value for name, value in parameters.items() if name.lower() not in _SECRETS}


def fetch(url: str, target: IO[bytes], parameters: Mapping[str, Any], on_progress: Progress | None = None) -> None:
    """Copy what is at an address to a file.

    Args:
        url: ``http://``, ``https://``, ``file://``, ``s3://`` or another scheme that fsspec knows.
        target: An open file.
        parameters: For HTTP ``headers``; for S3 ``endpoint``, ``region``, ``access_key``, ``secret_key``; for others
            the arguments of fsspec's file system.
        on_progress: Told of every block.

    Raises:
        FetchError: It cannot be reached, or breaks off.
        ModelError: The address has no meaning here.
        MissingDependencyError: fsspec, or what it needs for the scheme, is not there.
    """
    with _opened(url, parameters) as (source, size):
        come = 0
        while block := _block_of(source, url):
            target.write(block)
            come += len(block)
            if on_progress is not None:
                on_progress(come, size)
    if size is not None and come != size:
        raise FetchError(f"{shown(url)}: broke off after {come} of {size} bytes")


def _block_of(source: IO[bytes], url: str) -> bytes:
    try:
        return source.read(_BLOCK)
    except Exception as error:  # OSError, HTTPException, and what each store raises
        raise FetchError(f"{shown(url)}: broke off: {_words(error)}") from error


@contextmanager
def _opened(url: str, parameters: Mapping[str, Any]) -> Iterator[tuple[IO[bytes], int | None]]:
    scheme = scheme_of(url)
    if scheme in _HTTP:
        with _open_http(url, parameters) as response:
            length = response.headers.get("Content-Length")
            yield response, int(length) if length and length.isdigit() else None
    elif scheme in ("", "file"):
        path = url if not scheme else urllib.request.url2pathname(urllib.parse.urlsplit(url).path)
        try:
            file, size = open(path, "rb"), os.path.getsize(path)  # noqa: SIM115 - closed below
        except OSError as error:
            raise FetchError(f"{url}: {_words(error)}") from error
        with file:
            yield file, size
    else:
        stored, known = _open_other(url, scheme, parameters)
        with stored:
            yield stored, known


class _SameSafety(urllib.request.HTTPRedirectHandler):
    """Follows redirects to HTTP only, and from HTTPS to HTTPS only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        before, behind = scheme_of(req.full_url), scheme_of(newurl)
        if behind not in _HTTP or (before == "https" and behind != "https"):
            raise FetchError(f"{shown(req.full_url)}: redirects to {shown(newurl)}, which is not followed")
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and urllib.parse.urlsplit(newurl).netloc != urllib.parse.urlsplit(req.full_url).netloc:
            for name in [name for name in made.headers if name.lower() not in ("user-agent", "accept")]:
                del made.headers[name]  # they were meant for the first server
        return made


def _open_http(url: str, parameters: Mapping[str, Any]) -> Any:
    parts = urllib.parse.urlsplit(url)
    headers = {str(name): str(value) for name, value in (parameters.get("headers") or {}).items()}
    if "@" in parts.netloc:
        user, _at, host = parts.netloc.rpartition("@")
        token = base64.b64encode(urllib.parse.unquote(user).encode()).decode()
        headers.setdefault("Authorization", f"Basic {token}")
        url = urllib.parse.urlunsplit(parts._replace(netloc=host))
    opener = urllib.request.build_opener(_SameSafety)
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "picasso", **headers})
        return opener.open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchError(f"{shown(url)}: the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise FetchError(f"{shown(url)}: {_words(error.reason)}") from error
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"{shown(url)}: {_words(error)}") from error
    except ValueError as error:
        raise ModelError(f"{shown(url)}: is not an address: {error}") from error


def _open_other(url: str, scheme: str, parameters: Mapping[str, Any]) -> tuple[Any, int | None]:
    fsspec = require("fsspec", extra="s3")
    if scheme == "s3":
        require("s3fs", extra="s3")
    options = _s3_options(parameters) if scheme == "s3" else dict(parameters)
    try:
        system, path = fsspec.core.url_to_fs(url, **options)
        return system.open(path, "rb"), system.size(path)
    except ImportError as error:
        raise MissingDependencyError(f"{scheme}:// needs a library that is not there: {error}") from error
    except (ValueError, TypeError) as error:
        raise ModelError(f"{shown(url)}: {_words(error)}") from error
    except Exception as error:  # each store has errors of its own
        raise FetchError(f"{shown(url)}: {_words(error)}") from error


def _s3_options(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what s3fs takes, of the names that modules use; without keys a bucket is read as anyone may."""
    given = dict(parameters)
    options: dict[str, Any] = {}
    client: dict[str, Any] = dict(given.pop("client_kwargs", None) or {})
    for names, ours in ((("access_key", "key"), "key"), (("secret_key", "secret"), "secret"), (("token",), "token")):
        for name in names:
            if given.get(name) is not None:
                options[ours] = given[name]
            given.pop(name, None)
    for name in ("endpoint", "endpoint_url"):
        if (endpoint := given.pop(name, None)) is not None:
            client["endpoint_url"] = endpoint
    for name in ("region", "region_name"):
        if (region := given.pop(name, None)) is not None:
            client["region_name"] = region
    if client:
        options["client_kwargs"] = client
    if "anon" not in given and "key" not in options and not _has_aws_credentials():
        options["anon"] = True
    return {**options, **given}


def _has_aws_credentials() -> bool:
    names = (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    )
    return any(os.environ.get(name) for name in names) or os.path.exists(
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or os.path.expanduser("~/.aws/credentials")
    )


def _words(error: object) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:300]
