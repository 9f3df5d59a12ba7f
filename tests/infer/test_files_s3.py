"""Files of models from a store that speaks as S3 does."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Shelf, served

from picasso.errors import MissingDependencyError, ModelError
from picasso.infer.files import Remote, provide
from picasso.infer.files.fetching import fetch


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shelf]:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with served() as made:
        yield made


KEYS = {"anonymous": {}, "with keys": {"access_key": "me", "secret_key": "s3cret", "region": "eu-1"}}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS.keys())
def test_an_archive_is_fetched_from_a_bucket(keys: dict[str, str], shelf: Shelf, tmp_path: Path):
    pytest.importorskip("s3fs", reason="pip install 'picasso-engine[s3]'")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("y.onnx", b"the graph")
    shelf.files["/bucket/models/y.zip"] = out.getvalue()
    remote = Remote("s3://bucket/models/y.zip", parameters={"endpoint": shelf.address, **keys})
    provide(remote, tmp_path / "cache", tmp_path / "models")
    assert (tmp_path / "models" / "y.onnx").read_bytes() == b"the graph"
    signed = ["authorization" in headers for headers in shelf.headers]
    assert all(signed) if keys else not any(signed)
    assert "s3cret" not in (tmp_path / "cache" / "remote.json").read_text()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_not_in_a_bucket_is_named(shelf: Shelf, tmp_path: Path):
    pytest.importorskip("s3fs", reason="pip install 'picasso-engine[s3]'")
    remote = Remote("s3://bucket/y.zip", parameters={"endpoint": shelf.address})
    with pytest.raises(ModelError, match=r"s3://bucket/y.zip: .*; put the files into"):
        provide(remote, tmp_path / "cache", tmp_path / "models")


def test_what_s3_needs_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[s3\]'"):
        fetch("s3://bucket/y.zip", io.BytesIO(), {})
