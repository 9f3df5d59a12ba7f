"""Files of models: fetched once, whole or not at all, and written into their folder only."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving import Shelf, served

from picasso.errors import ModelError
from picasso.infer.files import Remote, check_format, provide, read_labels, safe_part
from picasso.infer.files.archives import unpack
from picasso.infer.files.labels import labels_of_metadata

MODEL, LABELS = b"the graph" * 999, b"person\ncar\n"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with served() as made:
        yield made


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def taped(files: dict[str, bytes], mode: str = "w:gz", member: tarfile.TarInfo | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if member is not None:
            archive.addfile(member)
    return out.getvalue()


class Places:
    """The cache and the folder of one model."""

    def __init__(self, root: Path) -> None:
        self.cache, self.folder = root / "downloads" / "yolo", root / "models" / "yolo"

    def provide(self, remote: Remote, model_file: str | None = None) -> dict[str, bytes]:
        provide(remote, self.cache, self.folder, model_file)
        return self.files()

    def files(self) -> dict[str, bytes]:
        found = self.folder.rglob("*") if self.folder.exists() else ()
        return {str(one.relative_to(self.folder)): one.read_bytes() for one in found if one.is_file()}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


ARCHIVES: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "yolo.zip": zipped,
    "yolo-1.0-py3-none-any.whl": zipped,
    "yolo.tar": lambda files: taped(files, "w"),
    "yolo.tar.gz": taped,
    "yolo.tgz": taped,
    "yolo.tar.bz2": lambda files: taped(files, "w:bz2"),
    "yolo.tar.xz": lambda files: taped(files, "w:xz"),
    "download": zipped,
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_fetched_once_and_unpacked(name: str, shelf: Shelf, places: Places):
    there = {"yolo.onnx": MODEL, "more/labels.txt": LABELS}
    shelf.files[f"/m/{name}"] = ARCHIVES[name](there)
    remote = Remote(shelf.url(f"/m/{name}"))
    assert places.provide(remote) == there
    assert places.provide(remote) == there
    assert shelf.asked == [f"/m/{name}"]
    assert (places.cache / name).read_bytes() == shelf.files[f"/m/{name}"]


def test_a_file_that_is_no_archive_is_put_there_under_its_name(shelf: Shelf, places: Places):
    shelf.files["/yolo%20n.onnx"] = MODEL
    assert places.provide(Remote(shelf.url("/yolo%20n.onnx?token=1"))) == {"yolo n.onnx": MODEL}


def test_another_address_is_fetched_again(shelf: Shelf, places: Places):
    shelf.files |= {"/1/y.onnx": MODEL, "/2/y.onnx": b"new"}
    places.provide(Remote(shelf.url("/1/y.onnx")))
    assert places.provide(Remote(shelf.url("/2/y.onnx"))) == {"y.onnx": b"new"}
    record = json.loads((places.cache / "remote.json").read_text())
    assert record["remote"]["url"] == shelf.url("/2/y.onnx")


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_a_checksum_is_that_of_what_came(kind: str, shelf: Shelf, places: Places):
    shelf.files["/y.onnx"] = MODEL
    shelf.files["/y.sum"] = f"{hashlib.new(kind, MODEL).hexdigest().upper()}  y.onnx\nmore".encode()
    assert places.provide(Remote(shelf.url("/y.onnx"), shelf.url("/y.sum"))) == {"y.onnx": MODEL}
    assert shelf.asked == ["/y.sum", "/y.onnx"]


def test_a_wrong_checksum_changes_nothing(shelf: Shelf, places: Places):
    shelf.files |= {"/1/y.onnx": MODEL, "/2/y.onnx": b"damaged", "/y.md5": hashlib.md5(MODEL).hexdigest().encode()}
    places.provide(Remote(shelf.url("/1/y.onnx")))
    with pytest.raises(ModelError, match=r"its md5 is .*, .*/y.md5 says .*; nothing was changed"):
        places.provide(Remote(shelf.url("/2/y.onnx"), shelf.url("/y.md5")))
    assert places.files() == {"y.onnx": MODEL}
    assert sorted(os.listdir(places.cache)) == [".lock", "remote.json", "y.onnx"]


def test_always_check_fetches_again_where_the_checksum_has_changed(shelf: Shelf, places: Places):
    remote = Remote(shelf.url("/y.onnx"), shelf.url("/y.md5"), always_check=True)
    shelf.files |= {"/y.onnx": MODEL, "/y.md5": hashlib.md5(MODEL).hexdigest().encode()}
    places.provide(remote)
    places.provide(remote)
    assert shelf.asked == ["/y.md5", "/y.onnx", "/y.md5"]
    shelf.files |= {"/y.onnx": b"new", "/y.md5": hashlib.md5(b"new").hexdigest().encode()}
    assert places.provide(remote) == {"y.onnx": b"new"}


def test_what_was_fetched_before_is_put_there_again_without_a_network(shelf: Shelf, places: Places):
    shelf.files["/y.zip"] = zipped({"y.onnx": MODEL})
    places.provide(Remote(shelf.url("/y.zip")))
    (places.folder / "y.onnx").unlink()
    shelf.files.clear()
    assert places.provide(Remote(shelf.url("/y.zip"))) == {"y.onnx": MODEL}


def test_a_server_that_is_away_does_not_stop_a_model_that_is_there(
    shelf: Shelf, places: Places, caplog: pytest.LogCaptureFixture
):
    remote = Remote(shelf.url("/y.onnx"), shelf.url("/y.md5"), always_check=True)
    shelf.files |= {"/y.onnx": MODEL, "/y.md5": hashlib.md5(MODEL).hexdigest().encode()}
    places.provide(remote)
    shelf.files.clear()
    with caplog.at_level(logging.WARNING):
        assert places.provide(remote) == {"y.onnx": MODEL}
    assert "the server answers 404" in caplog.text
    assert "are used" in caplog.text


def test_a_model_that_was_put_there_by_hand_serves_while_the_server_is_away(
    shelf: Shelf, places: Places, caplog: pytest.LogCaptureFixture
):
    places.folder.mkdir(parents=True)
    (places.folder / "y.onnx").write_bytes(MODEL)
    assert places.provide(Remote(shelf.url("/y.zip")), "y.onnx") == {"y.onnx": MODEL}
    assert "is used as it is" in caplog.text


def test_what_is_neither_there_nor_to_be_had_is_an_error_that_says_where_to_put_it(shelf: Shelf, places: Places):
    with pytest.raises(ModelError, match=r"/y.zip: the server answers 404 .*; put the files into .*models/yolo"):
        places.provide(Remote(shelf.url("/y.zip")), "y.onnx")
    assert places.files() == {}


def test_nothing_is_fetched_while_offline_is_set(shelf: Shelf, places: Places, monkeypatch: pytest.MonkeyPatch):
    shelf.files["/y.onnx"] = MODEL
    monkeypatch.setenv("PICASSO_OFFLINE", "1")
    with pytest.raises(ModelError, match="PICASSO_OFFLINE is set"):
        places.provide(Remote(shelf.url("/y.onnx")))
    assert shelf.asked == []


def test_what_breaks_off_changes_nothing(shelf: Shelf, places: Places):
    shelf.files["/y.onnx"] = MODEL
    shelf.short_by["/y.onnx"] = 7
    with pytest.raises(ModelError, match="broke off"):
        places.provide(Remote(shelf.url("/y.onnx")))
    assert (places.files(), sorted(os.listdir(places.cache))) == ({}, [".lock"])


def test_a_server_that_is_not_there_is_named(places: Places):
    with pytest.raises(ModelError, match=r"http://127.0.0.1:1/y.onnx: .*refused"):
        places.provide(Remote("http://127.0.0.1:1/y.onnx"))


def test_a_damaged_record_counts_as_none(shelf: Shelf, places: Places):
    shelf.files["/y.onnx"] = MODEL
    places.provide(Remote(shelf.url("/y.onnx")))
    for text in ("{", "[]", '{"digests": 3}', '{"digests": {"sha256": ""}, "name": "../x", "files": []}'):
        (places.cache / "remote.json").write_text(text)
        assert places.provide(Remote(shelf.url("/y.onnx"))) == {"y.onnx": MODEL}
    record = json.loads((places.cache / "remote.json").read_text())
    for damage in ({"files": [5]}, {"files": None}, {"name": 5}, {"digests": {}}):
        (places.cache / "remote.json").write_text(json.dumps(record | damage))
        assert places.provide(Remote(shelf.url("/y.onnx"))) == {"y.onnx": MODEL}


def test_a_cache_that_was_changed_is_fetched_again(shelf: Shelf, places: Places):
    shelf.files["/y.onnx"] = MODEL
    places.provide(Remote(shelf.url("/y.onnx")))
    (places.cache / "y.onnx").write_bytes(b"damaged")
    (places.folder / "y.onnx").unlink()
    assert places.provide(Remote(shelf.url("/y.onnx"))) == {"y.onnx": MODEL}


def test_progress_is_told_in_bytes(shelf: Shelf, places: Places):
    told: list[tuple[int, int | None]] = []
    shelf.files["/y.onnx"] = MODEL * 100
    provide(Remote(shelf.url("/y.onnx")), places.cache, places.folder, on_progress=lambda *said: told.append(said))
    assert told[-1] == (len(MODEL) * 100, len(MODEL) * 100)
    assert [come for come, _ in told] == sorted({come for come, _ in told})


def test_headers_and_users_are_sent_and_written_nowhere(shelf: Shelf, places: Places, caplog: pytest.LogCaptureFixture):
    shelf.files["/y.onnx"] = MODEL
    url = shelf.url("/y.onnx?sig=s3cret").replace("http://", "http://me:hunter2@")
    with caplog.at_level(logging.DEBUG):
        places.provide(Remote(url, parameters={"headers": {"X-Key": "t0ken"}}))
    assert shelf.headers[0]["x-key"] == "t0ken"
    assert shelf.headers[0]["authorization"] == "Basic bWU6aHVudGVyMg=="
    written = (places.cache / "remote.json").read_text() + caplog.text
    assert not [word for word in ("s3cret", "hunter2", "t0ken", "bWU6") if word in written]


def test_a_redirect_is_followed_and_takes_no_secret_to_another_server(shelf: Shelf, places: Places):
    with served() as other:
        other.files["/y.onnx"] = MODEL
        shelf.redirects["/y.onnx"] = other.url("/y.onnx")
        remote = Remote(shelf.url("/y.onnx"), parameters={"headers": {"X-Key": "t0ken"}})
        assert places.provide(remote) == {"y.onnx": MODEL}
        assert "x-key" not in other.headers[0]


def test_a_redirect_to_a_file_is_not_followed(shelf: Shelf, places: Places):
    shelf.redirects["/y.onnx"] = "file:///etc/hostname"
    with pytest.raises(ModelError, match=r"is not (followed|allowed)"):
        places.provide(Remote(shelf.url("/y.onnx")))


def a_link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def a_zip_with_a_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("y.onnx")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/hostname")
    return out.getvalue()


HOSTILE = {
    "a name that leads up": zipped({"../evil": b"x"}),
    "a name that leads up on the way": zipped({"a/../../evil": b"x"}),
    "an absolute name": zipped({"/tmp/evil": b"x"}),
    "a name of Windows": zipped({"..\\evil": b"x"}),
    "a drive": zipped({"C:evil": b"x"}),
    "a name with a line in it": zipped({"a\nb": b"x"}),
    "a name that leads up, in a tar": taped({"../evil": b"x"}),
    "an absolute name in a tar": taped({"/tmp/evil": b"x"}),
    "a symbolic link": taped({}, member=a_link("y.onnx", tarfile.SYMTYPE, "/etc/hostname")),
    "a hard link": taped({"a": b"x"}, member=a_link("y.onnx", tarfile.LNKTYPE, "a")),
    "a link to a folder, and a file below it": taped({}, member=a_link("up", tarfile.SYMTYPE, "..")),
    "a device": taped({}, member=a_link("null", tarfile.CHRTYPE, "")),
    "a pipe": taped({}, member=a_link("pipe", tarfile.FIFOTYPE, "")),
    "a link in a zip": a_zip_with_a_link(),
    "a file twice": taped({"y.onnx": b"1", "./y.onnx": b"2"}),
    "a file as a folder": taped({"a": b"1", "a/b": b"2"}),
    "half an archive": zipped({"y.onnx": os.urandom(4096)})[:-3000] + zipped({"y.onnx": MODEL})[-60:],
}


@pytest.mark.parametrize("archive", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_archive_writes_nothing(archive: bytes, shelf: Shelf, tmp_path: Path):
    """Neither outside of its folder nor in it: what was there stays."""
    places = Places(tmp_path / "deep" / "down")
    shelf.files |= {"/1/y.onnx": MODEL, "/2/y.zip": archive}
    places.provide(Remote(shelf.url("/1/y.onnx")))
    before = everything_below(tmp_path)
    with pytest.raises(ModelError, match=r"y\.zip: (holds|cannot be unpacked)"):
        places.provide(Remote(shelf.url("/2/y.zip")))
    assert everything_below(tmp_path) == before
    assert not Path("/tmp/evil").exists()


def everything_below(folder: Path) -> dict[str, bytes | None]:
    return {str(one): one.read_bytes() if one.is_file() else None for one in folder.rglob("*")}


def test_an_archive_that_unpacks_to_a_hundred_times_its_size_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("picasso.infer.files.archives.LEAST_LIMIT", 1 << 16)
    bomb = tmp_path / "bomb.zip"
    bomb.write_bytes(zipped({"zeros": bytes(1 << 24)}))
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="unpacks to more than 100 times its size"):
        unpack(bomb, tmp_path / "out")


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("picasso.infer.files.archives.MOST_FILES", 3)
    crowd = tmp_path / "crowd.zip"
    crowd.write_bytes(zipped({str(number): b"" for number in range(4)}))
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="holds more than 3 files"):
        unpack(crowd, tmp_path / "out")


def test_a_link_in_the_folder_of_a_model_leads_no_file_out_of_it(shelf: Shelf, places: Places, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    places.folder.mkdir(parents=True)
    (places.folder / "sub").symlink_to(tmp_path / "elsewhere")
    shelf.files["/y.zip"] = zipped({"sub/y.onnx": MODEL})
    with pytest.raises(ModelError, match="by a link; nothing is written there"):
        places.provide(Remote(shelf.url("/y.zip")))
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/a/..%2f..%2fevil", "download"),
        ("http://h/", "download"),
        ("http://h/%2e%2e", "download"),
        ("http://h/remote.json", "download"),
        ("http://h/.lock", "download"),
        ("http://h/a%00b", "download"),
        ("http://h/a/y.onnx?x=/../z", "y.onnx"),
    ],
)
def test_the_name_of_what_comes_is_one_part_of_a_path(url: str, name: str):
    assert Remote(url).file_name == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\\b", "a\0", "a\n"])
def test_an_element_whose_name_leads_elsewhere_has_no_folder(name: str):
    with pytest.raises(ModelError, match=r"element .* names a folder of files"):
        safe_part(name, "element")
    assert safe_part("yolo v8", "element") == "yolo v8"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (b"person\ncar\n", ["person", "car"]),
        (b"\xef\xbb\xbfperson\r\ncar\r\n\r\n", ["person", "car"]),
        (b"red;green;blue;\n", ["red", "green", "blue"]),
        ("straße\n車".encode(), ["straße", "車"]),
        (b"one", ["one"]),
    ],
    ids=["lines", "of Windows", "semicolons", "letters", "one"],
)
def test_labels_are_read_in_the_order_of_the_classes(text: bytes, labels: list[str], tmp_path: Path):
    (tmp_path / "labels.txt").write_bytes(text)
    assert read_labels(tmp_path / "labels.txt") == labels


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"", "the file has none"), (b"a\n\nb\n", "labels.txt:2: expected a label"), (b"\xff\xfe\x00", "cannot be read")],
    ids=["empty", "a gap", "no text"],
)
def test_what_is_no_file_of_labels_is_refused(text: bytes, words: str, tmp_path: Path):
    (tmp_path / "labels.txt").write_bytes(text)
    with pytest.raises(ModelError, match=words):
        read_labels(tmp_path / "labels.txt")


def test_labels_that_a_model_carries_are_taken():
    assert labels_of_metadata({"names": "{0: 'person', 1: 'car'}"}) == ["person", "car"]
    assert labels_of_metadata({"names": "['a', 'b']"}) == ["a", "b"]
    assert labels_of_metadata({"names": '{"1": "car", "0": "person"}'}) == ["person", "car"]
    for names in (
        "",
        "{",
        "{0: 'a', 2: 'b'}",
        "{}",
        "__import__('os')",
        "3",
        "{0: 'a', 'x': 'b'}",
        "{[]: 1}",
        "(" * 9999,
    ):
        assert labels_of_metadata({"names": names}) is None
    assert labels_of_metadata({}) is None


@pytest.mark.parametrize(
    ("model_file", "model_format", "said"),
    [
        ("y.onnx", None, None),
        ("Y.ONNX", "onnx", None),
        ("model", None, None),
        ("y.etlt", "etlt", ("format", "etlt is NVIDIA's own; export the model to ONNX")),
        ("y.etlt", None, ("model_file", "y.etlt: .etlt is NVIDIA's own; export the model to ONNX")),
        ("y.uff", "uff", ("format", "uff is an old format of TensorRT; export the model to ONNX")),
        ("y.caffemodel", None, ("model_file", "y.caffemodel: .caffemodel is not loaded; convert the model to ONNX")),
        ("y.onnx", "custom", ("format", "custom is built by a library of TensorRT; export the model to ONNX")),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_way_on(model_file, model_format, said):
    assert check_format(model_file, model_format) == said


def test_a_weights_file_of_pytorch_is_refused_with_the_command_that_exports_it():
    key, text = check_format("yolo11n.pt") or ("", "")
    assert key == "model_file"
    assert "yolo export format=onnx" in text
