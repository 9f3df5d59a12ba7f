"""Plays what our writers leave, closed or killed, in the players that are installed.

``python bench/players.py`` makes recordings of 10 s, kills some of their writers with SIGKILL after the last frame, and
prints a line a file: frames that ``ffprobe`` and GStreamer decode, and how Chromium's ``<video>`` loads, seeks, ends.
Debian: ``apt install ffmpeg chromium gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
gstreamer1.0-libav``.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from picasso.encode import Codec, EncodedUnit, EncoderConfig, open_encoder
from picasso.media import StreamKind, StreamWriter
from picasso.surface import SurfaceView

SIZE_WH: Final = (320, 240)
FRAMES: Final = 250
FRAME_NS: Final = 40_000_000
PAUSE_NS: Final = 4_000_000_000_000
PAGE: Final = """<video id=v muted></video><script>
const out = [], v = document.getElementById('v');
const until = (name, ms) => new Promise(done => {
  const end = said => { clearTimeout(timer); v.removeEventListener(name, ok);
    v.removeEventListener('error', no); done(said) };
  const ok = () => end(name), no = () => end(v.error.message), timer = setTimeout(() => end('no ' + name), ms);
  v.addEventListener(name, ok); v.addEventListener('error', no); });
(async () => { for (const file of FILES) {
  const r = {file, seeks: []}; v.src = file; v.load();
  r.loaded = await until('loadeddata', 8000); r.duration = v.duration;
  if (r.loaded == 'loadeddata') {
    for (const t of [1.0, 7.3, 3.21]) { const seeked = until('seeked', 5000); v.currentTime = t;
      r.seeks.push(await seeked == 'seeked' && Math.abs(v.currentTime - t) < 0.05 && v.readyState > 1) }
    v.currentTime = 0; await until('seeked', 5000); v.playbackRate = 8; const ended = until('ended', 8000);
    v.play().catch(() => {}); r.ended = await ended; r.at = v.currentTime }
  out.push(r) } await fetch('/result', {method: 'POST', body: JSON.stringify(out)}) })();
</script>"""


def encode(codec: Codec) -> list[EncodedUnit]:
    """Ten seconds of a bar that moves."""
    encoder = open_encoder(EncoderConfig(codec, *SIZE_WH).fps(25, 1))
    picture = SurfaceView.allocate(encoder.input_format, SIZE_WH, encoder.color)
    units: list[EncodedUnit] = []
    for index in range(FRAMES):
        picture.memset(128)
        picture.planes[0][:, 3 * index % 300 : 3 * index % 300 + 20] = 235
        units += encoder.encode(picture, index * FRAME_NS, FRAME_NS)
    units += encoder.flush()
    encoder.close()
    return units


def record(path: Path, codec: Codec, units: list[EncodedUnit], *, killed: bool = False, **options: Any) -> None:
    """Write a file, in a process of its own if that is to be killed."""
    if killed and (child := os.fork()):
        os.waitpid(child, 0)
        return
    writer = StreamWriter(path, kind=StreamKind(codec, SIZE_WH, Fraction(25)), **options)
    for unit in units:
        writer.write(unit)
    if killed:
        os.kill(os.getpid(), signal.SIGKILL)
    writer.close()


def make(folder: Path) -> list[str]:
    """Make every file; returns their names."""
    for codec in (Codec.H264, Codec.HEVC, Codec.AV1):
        units = encode(codec)
        for suffix in ("mp4", "mkv") if codec is Codec.AV1 else ("mp4", "mov", "mkv"):
            record(folder / f"{codec.name()}-closed.{suffix}", codec, units)
            record(folder / f"{codec.name()}-killed.{suffix}", codec, units, killed=True)
        if codec is Codec.H264:
            paused = [
                EncodedUnit(unit.data, time, time, FRAME_NS, unit.keyframe)
                for index, unit in enumerate(units)
                for time in [unit.pts_ns + (index >= 150) * PAUSE_NS]
            ]
            for suffix in ("mp4", "mkv"):
                record(folder / f"h264-paused.{suffix}", codec, paused)
            record(folder / "h264-no-fragment.mp4", codec, units, fragment=False)
            for flags in ("faststart", "hybrid_fragmented", "frag_keyframe+empty_moov"):
                record(folder / f"h264-by-ffmpeg-{flags}.mp4", codec, units, options={"movflags": flags})
    return sorted(path.name for path in folder.iterdir())


def by_ffmpeg(path: Path) -> str:
    command = [
        "ffprobe",
        "-v",
        "error",
        "-count_frames",
        "-select_streams",
        "v",
        "-show_entries",
        "stream=nb_read_frames",
    ]
    done = subprocess.run([*command, "-of", "csv=p=0", path], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "-"


def by_gstreamer(path: Path) -> str:
    command = ["gst-launch-1.0", "-v", "filesrc", f"location={path}", "!", "decodebin", "!", "fakesink", "silent=false"]
    done = subprocess.run([*command, "sync=false"], capture_output=True, text=True, check=False)
    return str(done.stdout.count("last-message = chain"))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the page, the files by ranges, and takes the result."""

    folder: Path
    names: list[str]
    results: list[dict[str, Any]]
    done: threading.Event

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        if name == "page":
            self._answer(200, PAGE.replace("FILES", json.dumps(self.names)).encode(), {"Content-Type": "text/html"})
        elif name in self.names:
            data = (self.folder / name).read_bytes()
            asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first, last = (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data) - 1)
            headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{last}/{len(data)}"}
            self._answer(206 if asked else 200, data[first : last + 1], headers)
        else:
            self._answer(404, b"", {})

    def do_POST(self) -> None:
        self.results += json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, b"", {})
        self.done.set()

    def _answer(self, code: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            return  # the player has seen enough


def by_chromium(folder: Path, names: list[str], timeout_s: float) -> dict[str, str]:
    """Play all files on one page."""
    handler = type("Here", (Handler,), {"folder": folder, "names": names, "results": [], "done": threading.Event()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        page = f"http://127.0.0.1:{server.server_port}/page"
        command = ["chromium", *options, f"--user-data-dir={profile}", "--remote-debugging-port=0", page]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        handler.done.wait(timeout_s)
        browser.terminate()
        browser.wait()
    server.shutdown()
    return {one["file"]: shown(one) for one in handler.results}


def shown(one: dict[str, Any]) -> str:
    if one["loaded"] != "loadeddata":
        return str(one["loaded"])
    length = "no length" if one["duration"] is None else f"{one['duration']:.2f} s"
    return f"{length}, {sum(one['seeks'])} of 3 seeks, {one['ended']} at {one['at']:.2f} s"


def main() -> None:
    """Make the files, play them, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout", type=float, default=500, help="seconds for Chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = make(folder)
        seen = by_chromium(folder, names, options.timeout) if shutil.which("chromium") else {}
        for file in names:
            ffmpeg = by_ffmpeg(folder / file) if shutil.which("ffprobe") else "-"
            gstreamer = by_gstreamer(folder / file) if shutil.which("gst-launch-1.0") else "-"
            print(f"{file:44} ffmpeg {ffmpeg:4} gstreamer {gstreamer:4} chromium {seen.get(file, '-')}", flush=True)


if __name__ == "__main__":
    main()
