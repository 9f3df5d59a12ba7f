"""An RTSP server of GStreamer's, for Debian's own Python: ``rtsp_server.py PORT NAME=KIND:WIDTHxHEIGHT …``.

Kinds are ``h264``, ``jpeg`` and ``broken``, whose packets are not what they say. It prints ``ready`` when it listens.
Lines on standard input tell it what to do: ``silence NAME``, ``sound NAME``. It ends when standard input does.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

RATE = 20
SOURCE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width={width},height={height},framerate={rate}/1"
GATE = "valve name=gate drop=false"
KINDS = {
    "h264": f"{GATE} ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 bframes=0 ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1",
    "jpeg": f"{GATE} ! video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 pt=26",
    "broken": f"{GATE} ! video/x-raw,format=I420 ! jpegenc ! rtpjpegpay ! "
    "capssetter join=true caps=application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000 ! "
    "identity name=pay0",
}

medias: dict[str, list[Any]] = {}


def serve(server: Any, name: str, what: str) -> None:
    """Offer one camera under its name."""
    kind, _, size = what.partition(":")
    width, _, height = size.partition("x")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {SOURCE.format(width=width, height=height, rate=RATE)} ! {KINDS[kind]} )")
    factory.set_shared(True)
    factory.connect("media-configure", lambda _factory, media: medias.setdefault(name, []).append(media))
    server.get_mount_points().add_factory(f"/{name}", factory)


def obey() -> None:
    """Do what standard input says."""
    for line in sys.stdin:
        verb, _, name = line.strip().partition(" ")
        for media in medias.get(name, []):
            gate = media.get_element().get_by_name_recurse_up("gate") or media.get_element().get_by_name("gate")
            gate.set_property("drop", verb == "silence")
    loop.quit()


Gst.init(None)
loop = GLib.MainLoop()
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
for argument in sys.argv[2:]:
    serve(server, *argument.split("=", 1))
if not server.attach(None):
    sys.exit(f"cannot listen on port {sys.argv[1]}")
threading.Thread(target=obey, daemon=True).start()
print("ready", flush=True)
loop.run()
