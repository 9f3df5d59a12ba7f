# %% [markdown]
# # On a GPU
#
#     pip install 'picasso-engine[cuda13]'
#
# The same arithmetic, on the device: pictures, tensors, drawing and NVENC. This notebook runs everywhere. Where there is no GPU,
# cells that need one say what they would show, and the figures come from a run on an H200 (`docs/gpu.json`).

# %%
import json
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import picasso as pc
from picasso.surface import SurfaceView, VideoFormat, gpu_name
from picasso.transform import Placement, TransformConfig
from picasso.transform.cpu import transform

device = gpu_name(0)
print(device or "no GPU: figures below come from the record")

# %% [markdown]
# ## Equal to the bit
#
# A kernel is one plain function on integers. Numba compiles it for the CPU and for CUDA, so both make the same picture. On a GPU
# the next cell compares them, sample by sample.

# %%
chance = np.random.default_rng(7)
picture = SurfaceView.allocate(VideoFormat.NV12, (1920, 1080))
for plane in picture.planes:
    plane[...] = chance.integers(16, 236, plane.shape, np.uint8)
placement = Placement.compute((1920, 1080), (640, 640))
expected = SurfaceView.allocate(VideoFormat.RGBA, (640, 640))
transform(picture, placement, expected)

if device:
    from picasso.surface.cuda_memory import Uploader, allocate_on_device
    from picasso.transform.cuda import CudaTransformer

    gpu = CudaTransformer()
    source = Uploader(gpu.stream).upload(picture)
    made = allocate_on_device(VideoFormat.RGBA, (640, 640), gpu.stream)
    gpu.transform(source, placement, made)
    assert np.array_equal(made.to_numpy(), expected.to_numpy())
    print("equal, all", expected.to_numpy().size, "bytes")
else:
    print("With a GPU this compares", expected.to_numpy().size, "bytes.")
    print("Here the picture was made on the CPU only.")

# %% [markdown]
# ## Tensors without a copy
#
# `to_tensor` makes a batch where the pictures are. On a GPU `torch.from_dlpack(batch)` takes it without a copy, and `Detector`
# hands it to ONNX Runtime the same way.

# %%
batch, placements = pc.to_tensor(
    [source if device else picture] * 4, size=(640, 640), pad=114
)
assert tuple(batch.shape) == (4, 3, 640, 640)
print(type(batch).__name__, tuple(batch.shape), "on", device or "the CPU")

# %% [markdown]
# ## How fast
#
# Time of one 1080p picture on this machine, and of a batch of 32 on an H200 as it was recorded.

# %%
here = SurfaceView.allocate(VideoFormat.NV12, (1280, 720))
to_720p = Placement.compute((1920, 1080), (1280, 720))
transform(picture, to_720p, here)
start_s = time.perf_counter()
for _ in range(20):
    transform(picture, to_720p, here)
cpu_us = (time.perf_counter() - start_s) / 20 * 1e6

recorded = json.loads(Path("../gpu.json").read_text())
frames = recorded["frames"]
assert recorded["device"] == "NVIDIA H200"
wanted = ("1080p to 720p", "NV12", "NV12")
nv12 = next(
    row for row in frames if (row["work"], row["source"], row["target"]) == wanted
)
print(f"here, the CPU, one thread: {cpu_us:.0f} µs a frame")
print(f"{recorded['device']}, recorded: {nv12['us']:.2f} µs a frame")

# %%
rows = [row for row in frames if row["source"] in {"NV12", "RGBA"}][:8]
titles = [f"{row['work']}, {row['source']} → {row['target']}" for row in rows]
figure, axis = plt.subplots(figsize=(8, 3.2), dpi=80)
axis.barh(titles, [row["us"] for row in rows], label="picasso")
floors = [row["floor_sectors_us"] for row in rows]
axis.barh(titles, floors, height=0.3, color="black", label="memory takes at least")
axis.invert_yaxis()
axis.set_xlabel(f"µs a frame, 32 at once, {recorded['device']}")
axis.legend(frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## A source on the GPU
#
# A source works on a GPU when its encoder's configuration says so, or when its first surface is there. Nothing else in the
# program changes.

# %%
from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.primitives import VideoFrame
from picasso.surface import MemType

config = EncoderConfig(Codec.JPEG, 640, 640)
if device:
    config = config.mem_type(MemType.CUDA_DEVICE)
outputs = []


def keep(output):
    """Keep what was encoded."""
    if output.is_video_frame:
        outputs.append(output)


with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=keep)) as engine:
    codec = CodecSpec.encode(TransformConfig(), config)
    engine.set_source_spec("cam", SourceSpec(codec))
    for number in range(5):
        frame = VideoFrame("cam", "30/1", 1920, 1080, time_base=(1, 30), pts=number)
        frame.add_detections("hands", [[400, 300, 800, 700]], "thing")
        engine.send_frame("cam", frame, (source if device else picture).share())
assert len(outputs) == 5
box = outputs[0].as_video_frame().get_detections().xyxy[0].tolist()
assert np.allclose(box, [400 / 3, 140 + 100, 800 / 3, 140 + 700 / 3], atol=0.01)
print("5 frames encoded", "from device memory" if device else "on the CPU")
print("the box moved with the pixels:", np.round(box, 1).tolist())
