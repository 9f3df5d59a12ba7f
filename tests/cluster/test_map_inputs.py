"""Which files are meant, and what each is called; which modules can run for one file at a time."""

from __future__ import annotations

import io
import os
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from map_kit import MODULE, packets, results, write_clip, write_module

from picasso.cluster import map_files, plan_files
from picasso.cluster.files.fitting import fitted
from picasso.cluster.files.inputs import InputFile, _named, find_inputs
from picasso.errors import MediaError
from picasso.module.config import ConfigError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that are only looked for, in the working folder."""
    for name in ("b.mp4", "a.MKV", "note.doc", ".hidden.mp4", "sub/b.mp4", "sub/deep/c.mov", "odd [1].mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        (["b.mp4"], {"b": "b.mp4"}),
        (["b.mp4", "./b.mp4", "sub/../b.mp4"], {"b": "b.mp4"}),
        (["."], {"a": "a.MKV", "b": "b.mp4", "odd [1]": "odd [1].mp4"}),
        (["sub"], {"b": "sub/b.mp4"}),
        (["odd [1].mp4"], {"odd [1]": "odd [1].mp4"}),
        (["*.mp4"], {"b": "b.mp4", "odd [1]": "odd [1].mp4"}),
        (["sub/**/*.mo*"], {"deep_c": "sub/deep/c.mov"}),
        (["**/b.mp4"], {"b": "b.mp4", "sub_b": "sub/b.mp4"}),
        (["note.doc"], {"note": "note.doc"}),
    ],
    ids=str,
)
def test_files_folders_and_patterns_name_files(given_: list[str], wanted: dict[str, str], tree: Path) -> None:
    found = find_inputs(given_)
    assert {file.name: file.location for file in found} == {
        name: str(tree / location) for name, location in wanted.items()
    }


def test_a_list_holds_files_folders_patterns_and_comments(tree: Path) -> None:
    (tree / "sub" / "all.txt").write_text("# mine\n\ndeep/*.mov\nb.mp4\na.MKV\n", encoding="utf-8-sig")
    found = find_inputs(["sub/all.txt"])
    below_the_list_or_here = ["sub/deep/c.mov", "sub/b.mp4", "a.MKV"]
    assert [file.location for file in found] == [str(tree / name) for name in below_the_list_or_here]


def test_a_list_comes_on_standard_input(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("b.mp4\nsub\n"))
    assert [file.location for file in find_inputs(["-"])] == [str(tree / "b.mp4"), str(tree / "sub" / "b.mp4")]


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ([], "no input: expected files, folders, patterns, lists or addresses"),
        (["nothing.mp4"], "nothing.mp4: is not there"),
        (["*.webm"], r"\*.webm: no file matches"),
        (["sub/deep/.."], None),
        (["empty"], r"empty: no video file is there; empty/\*\*/\*.mp4 looks into folders below, too"),
        (["none.txt"], "none.txt: is an empty list"),
        (["bad.txt"], "bad.txt:2: nothing.mp4: is not there"),
        (["nested.txt"], "nested.txt:1: none.txt: a list does not hold lists"),
        (["memory://nowhere/x.mp4"], "memory://nowhere/x.mp4: "),
        (["nostore://x.mp4"], "nostore://x.mp4: Protocol not known: nostore"),
    ],
    ids=str,
)
def test_what_is_not_there_is_named_with_its_place(given_: list[str], words: str | None, tree: Path) -> None:
    (tree / "empty").mkdir()
    (tree / "none.txt").write_text("# nothing\n")
    (tree / "bad.txt").write_text("b.mp4\nnothing.mp4\n")
    (tree / "nested.txt").write_text("none.txt\n")
    if words is None:
        assert find_inputs(given_)
        return
    with pytest.raises(MediaError, match=words):
        find_inputs(given_)


PARTS = st.lists(st.sampled_from(["a", "A", "b", "a_b", "x-1"]), min_size=1, max_size=3).map("/".join)


@given(st.lists(st.tuples(PARTS, st.sampled_from([".mp4", ".mov"])), unique=True), st.data())
def test_names_are_unique_stay_what_they_were_and_do_not_depend_on_the_order(
    files: list[tuple[str, str]], data: st.DataObject
) -> None:
    found = [(InputFile(f"/{below}{suffix}", "", ""), below + suffix) for below, suffix in files]
    names = {file.location: file.name for file in _named(found, {})}
    assert len({name.casefold() for name in names.values()}) == len(files)
    shuffled = data.draw(st.permutations(found))
    assert {file.location: file.name for file in _named(shuffled, {})} == names
    before = dict(list(names.items())[: data.draw(st.integers(0, len(names)))])
    again = {file.location: file.name for file in _named(found, before)}
    assert {location: again[location] for location in before} == before
    assert len({name.casefold() for name in again.values()}) == len(files)


def test_files_of_stores_are_done_as_those_of_disks_are(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    clip = write_clip(tmp_path / "clip.mp4", 5)
    for name in ("one", "two"):
        memory.pipe(f"/store/{name}.mp4", clip.read_bytes())
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as archive:
        archive.write(clip, "deep/three.mp4")
    module, out = write_module(tmp_path / "module"), tmp_path / "out"
    given_ = ["memory://store/*.mp4", f"zip://deep/*.mp4::{tmp_path}/clips.zip", clip]
    try:
        outcome = map_files(module, given_, out, workers=2)
        outcome.raise_for_failures()
        assert [one.name for one in outcome] == ["one", "two", "three", "clip"]
        found = results(out)
        assert found["one.mp4"] == found["two.mp4"] == found["three.mp4"] == packets(out / "clip.mp4")
        tags = {name: found[f"{name}.ndjson"][0]["tags"]["location"] for name in ("one", "three", "clip")}
        assert tags == {
            "one": "memory://store/one.mp4",
            "three": f"zip://deep/three.mp4::{tmp_path}/clips.zip",
            "clip": str(clip),
        }
        assert {one.why for one in plan_files(module, given_, out)} == {"done"}
        memory.pipe("/store/two.mp4", write_clip(tmp_path / "other.mp4", 9).read_bytes())
        whys = [one.why for one in plan_files(module, given_, out)]
        assert whys == ["done", "the file has changed", "done", "done"]
    finally:
        memory.rm("/store", recursive=True)


def test_a_file_of_a_server_that_is_gone_is_tried_again_and_fails_alone(tmp_path: Path) -> None:
    clip, module = write_clip(tmp_path / "clip.mp4", 5), write_module(tmp_path / "module")
    outcome = map_files(
        module,
        ["http://127.0.0.1:9/gone.mp4?token=abc", clip],
        tmp_path / "out",
        workers=1,
        retries=1,
        first_pause_s=0.01,
    )
    assert [(one.name, one.state, one.attempts) for one in outcome] == [("gone", "failed", 2), ("clip", "done", 1)]
    assert "Connection refused" in outcome.failed[0].error


class Together(BaseHTTPRequestHandler):
    """Answers when four have asked."""

    four = threading.Barrier(4)

    def do_HEAD(self) -> None:
        self.four.wait(60)
        self.send_response(200)
        self.send_header("etag", self.path)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_addresses_of_a_list_are_asked_at_once_and_stay_in_order(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Together) as server:
        threading.Thread(target=server.serve_forever).start()
        urls = [f"http://127.0.0.1:{server.server_port}/c{number}.mp4" for number in range(4)]
        (tmp_path / "all.txt").write_text("\n".join(urls))
        try:
            found = find_inputs([tmp_path / "all.txt"])
        finally:
            server.shutdown()
    assert [file.location for file in found] == urls
    assert [file.remote and file.remote.mark for file in found] == [f"/c{number}.mp4" for number in range(4)]


def test_a_password_of_an_address_is_written_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip, module = write_clip(tmp_path / "clip.mp4", 5), write_module(tmp_path / "module")
    address = "http://me:opensesame@127.0.0.1:9/gone.mp4"
    outcome = map_files(module, [address, clip], tmp_path / "out", workers=1, retries=0)
    assert [(one.file, one.state) for one in outcome] == [
        ("http://127.0.0.1:9/gone.mp4", "failed"),
        (str(clip), "done"),
    ]
    planned = plan_files(module, [address, clip], tmp_path / "out")
    assert [one.why for one in planned] == ["failed before", "done"]
    for text in (repr(outcome), repr(planned), (tmp_path / "out" / "manifest.ndjson").read_text(), *capfd.readouterr()):
        assert "opensesame" not in text


SINKS = {
    '    - {element: zeromq_sink, properties: {socket: "pub+bind:tcp://127.0.0.1:5999"}}\n': (
        r"module.yml:14: pipeline.sink\[2\].element: map writes files, and zeromq_sink does not: .*"
        "Write by one of video_file_sink, .*, or send by picasso run"
    ),
    "    - {element: console_sink}\n": "console_sink does not",
}


@pytest.mark.parametrize("sink", SINKS, ids=["zeromq_sink", "console_sink"])
def test_a_module_that_sends_is_refused_with_what_to_do(sink: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=SINKS[sink]):
        fitted(write_module(tmp_path, MODULE + sink))


def test_a_module_of_several_sources_is_refused_with_what_to_do(tmp_path: Path) -> None:
    two = "source: [{element: videotestsrc}, {element: videotestsrc, properties: {source_id: b}}]"
    text = MODULE.replace(MODULE[MODULE.index("source:") : MODULE.index("  elements:")].rstrip(), two)
    with pytest.raises(
        ConfigError, match=r"pipeline.source\[1\]: map runs a module for one file at a time, and this one has 2 sources"
    ):
        fitted(write_module(tmp_path, text))


@pytest.mark.parametrize("end", ["", "  sink:\n    - {element: devnull_sink}\n"], ids=["default", "devnull"])
def test_a_module_without_files_is_refused_with_the_sinks_that_write_some(end: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="map needs a sink that writes files: one of video_file_sink, image_file_sink"
    ):
        fitted(write_module(tmp_path, MODULE[: MODULE.index("  sink:")] + end))


@pytest.mark.parametrize(
    ("locations", "below"),
    [
        (["out/{source}.mp4"], ["{source}.mp4"]),
        (["out/{source}/{time}.mp4"], ["{source}/{time}.mp4"]),
        (["/data/video/{source}.mp4", "/data/meta/{source}.mp4"], ["video/{source}.mp4", "meta/{source}.mp4"]),
        (["a/b/{source}.mp4", "a/b/c/{source}.mp4"], ["{source}.mp4", "c/{source}.mp4"]),
        (["clip.mp4"], ["clip-{source}.mp4"]),
        (["../x/{source}.mp4", "../y/{source}.mp4"], ["x/{source}.mp4", "y/{source}.mp4"]),
    ],
    ids=str,
)
def test_the_folder_that_all_sinks_begin_with_is_replaced(
    locations: list[str], below: list[str], tmp_path: Path
) -> None:
    sinks = "".join(f'    - {{element: video_file_sink, properties: {{location: "{one}"}}}}\n' for one in locations)
    module = fitted(write_module(tmp_path, MODULE[: MODULE.index("    - {element: video_file_sink")] + sinks))
    assert list(module.patterns) == below
    odd = tmp_path / "a {brace} %d"
    config = module.for_file("/x/clip.mp4", "clip.mp4", "clip", odd)
    made = [str(sink.properties["location"]).format(source="clip", time="T") for sink in config.sinks]
    assert made == [str(odd / one.format(source="clip", time="T")) for one in below]
    assert config.sources[0].properties == {
        "uri": "/x/clip.mp4",
        "source_id": "clip",
        "shown": "clip.mp4",
        "loop": False,
        "restart": False,
    }


def test_a_name_that_is_no_text_is_done_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    clip = write_clip(tmp_path / "clip.mp4", 5)
    odd = os.fsencode(tmp_path / "in") + b"/cl\xffip.mp4"
    os.rename(clip, odd)
    module, out = write_module(tmp_path / "module"), tmp_path / "out"
    map_files(module, tmp_path / "in", out, workers=1).raise_for_failures()
    (again,) = map_files(module, tmp_path / "in", out, workers=1)
    assert (again.is_new, again.name) == (False, "cl\\udcffip")
    assert len(list(out.glob("cl*.mp4"))) == 1


def test_results_among_the_inputs_are_no_inputs(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clips" / "clip.mp4", 5)
    module = write_module(tmp_path / "module", MODULE.replace("{source}.mp4", "{source}-drawn.mp4"))
    map_files(module, clip.parent, clip.parent, workers=1).raise_for_failures()
    assert (clip.parent / "clip-drawn.mp4").exists()
    assert [one.name for one in map_files(module, clip.parent, clip.parent, workers=1)] == ["clip"]
    content = clip.read_bytes()
    same = write_module(tmp_path / "same")
    (failed,) = map_files(same, clip, clip.parent, workers=1)
    assert "clip.mp4: is there already" in failed.error
    assert clip.read_bytes() == content


def test_a_folder_with_signs_in_its_name_holds_results_as_any_other(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in {x}" / "clip.mp4", 5)
    out = tmp_path / "out {source} %d"
    map_files(write_module(tmp_path / "module"), clip, out, workers=1).raise_for_failures()
    assert sorted(os.listdir(out)) == [".picasso", "clip.mp4", "clip.ndjson", "manifest.ndjson"]
