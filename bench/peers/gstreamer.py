"""The GStreamer peer, for the system's Python: frames in memory, pushed by reference, to H.264 that no one keeps.

python3 gstreamer.py '<order as JSON>'     prints the figures as JSON
"""

import json
import resource
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401  # the second gives appsrc its methods

LABEL_HIGH = 18


def drawer(boxes):
    """Return a callback of cairooverlay that draws boxes with filled labels above them."""

    def draw(_overlay, context, _timestamp, _duration):
        context.set_line_width(2)
        context.set_font_size(14)
        for left, top, right, bottom, red, green, blue, text in boxes:
            context.set_source_rgb(red, green, blue)
            context.rectangle(left, top, right - left, bottom - top)
            context.stroke()
            context.rectangle(left, top - LABEL_HIGH, 8 * len(text), LABEL_HIGH)
            context.fill()
            context.set_source_rgb(0, 0, 0)
            context.move_to(left + 2, top - 4)
            context.show_text(text)

    return draw


def description(order):
    """Return the pipeline of one source."""
    (wide, high), (target_wide, target_high) = order["source_wh"], order["target_wh"]
    size = f"width={target_wide},height={target_high},pixel-aspect-ratio=1/1"
    convert = "videoconvertscale n-threads=1 method=bilinear add-borders=true"
    if order["boxes"]:
        convert += f" ! video/x-raw,format=BGRx,{size} ! cairooverlay name=overlay ! videoconvert n-threads=1"
    return (
        "appsrc name=source block=true max-buffers=3 format=time caps=video/x-raw,format=RGBA,"
        f"width={wide},height={high},framerate={order['frame_rate']}/1,pixel-aspect-ratio=1/1 ! "
        f"{convert} ! video/x-raw,format=I420,{size} ! "
        f"x264enc threads=1 speed-preset={order['preset']} tune=zerolatency bitrate={order['bit_rate'] // 1000} "
        f"key-int-max={order['interval']} vbv-buf-capacity=1000 ! "
        "video/x-h264,stream-format=byte-stream,alignment=au ! fakesink sync=false async=false"
    )


class Source:
    """One pipeline, and the thread that feeds it."""

    def __init__(self, order, buffers):
        self.pipeline = Gst.parse_launch(description(order))
        if order["boxes"]:
            self.pipeline.get_by_name("overlay").connect("draw", drawer(order["boxes"]))
        self.count = 0
        self.stop = False
        self._input = self.pipeline.get_by_name("source")
        self._buffers = buffers
        self._period = Gst.SECOND // order["frame_rate"]
        self.pipeline.set_state(Gst.State.PLAYING)
        self.thread = threading.Thread(target=self._feed)
        self.thread.start()

    def _feed(self):
        while not self.stop:
            buffer = self._buffers[self.count % len(self._buffers)].copy()
            buffer.pts, buffer.duration = self.count * self._period, self._period
            if self._input.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return
            self.count += 1


def cpu_s():
    """Return the processor time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    """Measure, and print the figures."""
    order = json.loads(sys.argv[1])
    Gst.init(None)
    wide, high = order["source_wh"]
    with open(order["file"], "rb") as file:
        buffers = [Gst.Buffer.new_wrapped(file.read(wide * high * 4)) for _ in range(order["frames"])]
    sources = [Source(order, buffers) for _ in range(order["sources"])]
    time.sleep(1)
    cpu, wall, counts = cpu_s(), time.perf_counter(), [source.count for source in sources]
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    time.sleep(order["seconds"])
    done = [source.count - count for source, count in zip(sources, counts, strict=True)]
    cpu, wall = cpu_s() - cpu, time.perf_counter() - wall
    usage = resource.getrusage(resource.RUSAGE_SELF)
    for source in sources:
        source.stop = True
    for source in sources:
        source.thread.join(5)
        source.pipeline.set_state(Gst.State.NULL)
    frames = max(sum(done), 1)
    figures = {
        "frames": sum(done),
        "cpu_ms": 1e3 * cpu / frames,
        "frames_a_second": frames / wall,
        "cores": cpu / wall,
        "faults": (usage.ru_minflt - faults) / frames,
        "fairness": min(done) / max(*done, 1),
        "rss_mib": usage.ru_maxrss / 1024 - order["frames"] * wide * high * 4 / (1 << 20),
    }
    print(json.dumps(figures))


main()
