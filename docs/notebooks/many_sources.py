# %% [markdown]
# # Many sources, and where time goes
#
# The engine gives each source a thread, a queue and an encoder. A `Runner` reads files and cameras, feeds the engine, and writes
# what comes out. Here six files run at once; a camera is `Camera("rtsp://…", "gate")`.

# %%
import os
import time

import matplotlib.pyplot as plt
from street import demo_clip

import picasso as pc
from picasso.draw import BoundingBoxDraw, ColorDraw, LabelDraw, ObjectDraw
from picasso.encode import Codec, EncoderConfig
from picasso.flow import Runner
from picasso.media import StreamWriter, VideoReader, probe

clips = {
    "bikes": demo_clip("bikes.mp4"),
    "bunny": demo_clip("bigbuckbunny.mp4"),
    "carphone": demo_clip("carphone_pristine.mp4"),
}
names = [f"{name}-{number}" for name in clips for number in (1, 2)]

# %% [markdown]
# What is added to each frame, and how it looks. `annotate` runs on the thread that reads the source; a detector goes there.

# %%
draw = pc.ObjectDrawSpec()
outline = BoundingBoxDraw(border_color=ColorDraw.from_hex("#E69F00"), thickness=2)
draw.insert_default(
    "hands", ObjectDraw(outline, label=LabelDraw(ColorDraw(255, 255, 255)))
)


def mark(frame, surface):
    """Add one object in the middle of the picture."""
    width, height = surface.size_wh
    box = [width * 0.3, height * 0.2, width * 0.7, height * 0.8]
    frame.add_detections("hands", [box], frame.source_id)


# %% [markdown]
# ## Run
#
# All sources become H.264 of 320 × 320, letterboxed. `run` returns when every source has ended, with how each fared.

# %%
runner = Runner(draw=draw, encoder=EncoderConfig(Codec.H264, 320, 320))
for name in names:
    reader = VideoReader(clips[name.split("-")[0]], name, end_s=2)
    runner.add(reader, sinks=[StreamWriter(f"{name}.mp4")], annotate=mark)
start_s = time.perf_counter()
statuses = runner.run()
wall_s = time.perf_counter() - start_s
assert all((status.state, status.dropped) == ("ended", 0) for status in statuses)
total = sum(status.delivered for status in statuses)
assert total == 2 * (50 + 50 + 60)
print(
    f"{total} frames of {len(names)} sources in {wall_s:.1f} s, {os.cpu_count()} cores"
)
print(f"{total / wall_s:.0f} frames/s")

# %%
assert probe("bunny-1.mp4").size_wh == (320, 320)
with VideoReader("bunny-1.mp4", pixel_format="rgb") as reader:
    _, picture = reader[25]
picture

# %% [markdown]
# ## Where time goes
#
# `stats()` of an engine counts every frame and measures each step of each source: waiting in the queue, transform, draw, encode,
# callback. Nothing has to be switched on.

# %%
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.transform import TransformConfig

units = []
specs = {
    "jpeg": EncoderConfig(Codec.JPEG, 640, 640),
    "h264": EncoderConfig(Codec.H264, 640, 640),
}
with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=units.append)) as engine:
    for name, encoder in specs.items():
        codec = CodecSpec.encode(TransformConfig(), encoder)
        engine.set_source_spec(name, SourceSpec(codec, draw=draw))
    for name in specs:
        with VideoReader(clips["bunny"], name, end_s=2) as reader:
            for frame, surface in reader.frames():
                mark(frame, surface)
                engine.send_frame(name, frame, surface)
        engine.send_eos(name)
    engine.shutdown()
    stats = engine.stats()
assert all(
    source.frames_in == source.frames_out == 50 for source in stats.sources.values()
)
stats

# %% [markdown]
# The steps of a frame as shares of its time, which depend little on how busy the machine is. Transform and draw are small beside
# an encoder of video.

# %%
steps = ["transform", "draw", "encode", "callback"]
figure, axis = plt.subplots(figsize=(7, 2.2), dpi=80)
left = dict.fromkeys(stats.sources, 0.0)
for step in steps:
    shares = {}
    for name, source in stats.sources.items():
        median_ns = {str(key): found.p50_ns for key, found in source.latency.items()}
        shares[name] = 100 * median_ns[step] / sum(median_ns[each] for each in steps)
    axis.barh(
        list(shares), list(shares.values()), 0.35, list(left.values()), label=step
    )
    left = {name: left[name] + shares[name] for name in left}
assert all(abs(whole - 100) < 1e-6 for whole in left.values())
axis.set_xlim(0, 100)
axis.set_ylim(-0.5, 1.5)
axis.set_xlabel("% of a frame's time, medians")
axis.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.3), frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# A *module*, a YAML file that names sources, elements and sinks, has the same account with more stages, `picasso run module.yml`
# shows it as a table, and `--web 8080` as a live page. `docs/observing.md` says what each number means.
