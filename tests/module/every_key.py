"""A module, and the same module with one key changed: what each lets a test see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from picasso.errors import PicassoError
from picasso.module import Module
from picasso.module.config.schema import kinds, module_schema
from picasso.module.run.inprocess import Outcome
from picasso.module.sources.open import INGRESS
from picasso.primitives import BBox, VideoFrame

Tree = dict[str, Any]
Look = Callable[["Run"], Any]
CODE = "every_key_code"
"""The module of the pyfuncs, filters and drawers that cases name."""
FRAMES = 3
STOPPED = -1
"""Instead of a number of frames: the module is built, and not started."""
READ_HERE = ("uridecodebin", "v4l2src", "videotestsrc")
"""Sources that share the settings of the ingress."""


def keys_of_the_schema() -> list[str]:
    """Every key that a module may have, dotted; ``[]`` is an entry of a list, ``*`` a name of the user's."""
    schema = module_schema()
    names = list(_keys(schema["properties"]["name"], "name", schema))
    names += _keys(schema["properties"]["parameters"], "parameters", schema)
    for group, definition in (("source", "source"), ("sink", "sink"), ("element", "entry")):
        names += _keys(schema["$defs"][definition], group, schema)
        names += [
            f"{group}.{kind}.{key}"
            for kind, properties in kinds(f"{group}s").items()
            for key in properties["properties"]
        ]
    names += _keys(schema["$defs"]["element"], "element", schema)
    names = [name.replace("element.group.elements[]", "element") for name in names]
    names = [
        re.sub(f"^source.({'|'.join(READ_HERE)}).({'|'.join(INGRESS)})$", r"source.ingress.\2", name) for name in names
    ]
    return list(dict.fromkeys(name for name in names if not name.endswith(".properties") and name != "element"))


def _keys(rule: Tree, prefix: str, schema: Tree) -> Iterator[str]:
    parts = [_followed(part, schema) for part in (rule, *rule.get("anyOf", ()))]
    below = [one for part in parts for one in _below(part, prefix)]
    if not below:
        yield prefix
    for part, name in below:
        yield from _keys(part, name, schema)


def _below(part: Tree, prefix: str) -> Iterator[tuple[Tree, str]]:
    if "if" in part:
        part = part["then"]
    for name, inner in part.get("properties", {}).items():
        yield inner, f"{prefix}.{name}"
    inner = part.get("additionalProperties")
    if isinstance(inner, dict) and ("anyOf" in inner or "properties" in inner or "additionalProperties" in inner):
        yield inner, f"{prefix}.*"
    inner = part.get("items")
    if isinstance(inner, dict) and ("$ref" in inner or "properties" in inner):
        yield inner, f"{prefix}[]"


def _followed(part: Tree, schema: Tree) -> Tree:
    found: Tree = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    return found


@dataclass
class Run:
    """What came of a module."""

    tree: Tree
    module: Module | None = None
    outcome: Outcome | None = None
    error: str | None = None
    """Why it did not start, or stopped."""
    folder: Path = Path()
    during: Any = None
    """The statistics before the sources end."""

    @property
    def frames(self) -> list[VideoFrame]:
        """What left, all sources in one list."""
        assert self.outcome is not None, self.error
        return [out.frame.video_frame for frames in self.outcome.values() for out in frames]

    @property
    def data(self) -> bytes:
        """The payload of every frame."""
        return b"".join(one.content.get_data() for one in self.frames if one.content.is_internal())

    @property
    def warnings(self) -> list[str]:
        """What the check warned of."""
        assert self.module is not None, self.error
        return [problem.text for problem in self.module.config.warnings]

    def tags(self, name: str) -> list[Any]:
        """A tag of every frame; None where it is not there."""
        assert self.outcome is not None, self.error
        return [out.frame.get_tag(name) for frames in self.outcome.values() for out in frames]

    @property
    def statistics(self) -> Any:
        """The final snapshot."""
        assert self.module is not None, self.error
        return self.module.statistics()


@dataclass(frozen=True)
class Case:
    """A change of one key, and what it changes."""

    value: Any
    """What the key is changed to."""
    look: Look
    before: Any
    """What is seen without the change; ``...`` for anything."""
    after: Any
    """What is seen with it; ``...`` for anything else than before."""
    given: Tree = field(default_factory=dict)
    """Further keys, by their paths, that both modules have."""
    at: str | None = None
    """The path of the key, where it is not the key's name."""
    frames: int = FRAMES
    """Frames that are sent; 0 where the module reads a source of its own."""


def refusal(run: Run) -> str | None:
    """Why a module does not run, without the file's name."""
    return run.error


def run_of(given: Tree, folder: Path, frames: int) -> Run:
    """Run the least module with these keys."""
    tree: Tree = {"name": "least", "parameters": {"frame": {"width": 64, "height": 48}, "code_root": None}}
    for name, text in given.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        if name.endswith(".mp4"):
            write_clip(folder / name)
    for path, value in given.items():
        if path != "files":
            put(tree, path, _in_folder(value, folder))
    made = Run(tree, folder=folder)
    try:
        made.module = Module(tree)
        if frames == STOPPED:
            return made
        with made.module as module:
            for number in range(frames):
                module.send(sent(number), picture(number))
            made.during = module.statistics()
            made.outcome = module.run()
    except (PicassoError, OSError) as error:
        made.error = re.sub(r"^<config>: ", "", str(error))
    return made


def sent(number: int) -> VideoFrame:
    """A frame with a box, in source pixels."""
    frame = VideoFrame("cam", "25/1", 64, 48, time_base=(1, 10**9), pts=number * 40_000_000, duration=40_000_000)
    frame.create_object("yolo", "car", detection_box=BBox(32, 24, 24, 16).as_rbbox(), confidence=0.5)
    return frame


def picture(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Stripes that move with the number."""
    columns = (np.arange(64) // 4 + number) % 2 * 200
    return np.repeat(np.broadcast_to(columns.astype(np.uint8), (48, 64))[..., None], 3, axis=2)


def put(tree: Tree, path: str, value: Any) -> None:
    """Set the value at a dotted path, making what holds it; ``[0]`` is an entry of a list."""
    parts: list[Any] = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    here: Any = tree
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        if isinstance(here, list):
            while len(here) <= part:
                here.append({})
        if after is None:
            here[part] = value
            return
        if isinstance(here, dict) and not isinstance(here.get(part), dict | list):
            here[part] = [] if isinstance(after, int) else {}
        here = here[part]


def _in_folder(value: Any, folder: Path) -> Any:
    """Put the test's folder where a value says ``FOLDER``, a clip of five frames for ``CLIP``, two for ``PHOTOS``."""
    text = json.dumps(value).replace("FOLDER", str(folder))
    if "PHOTOS" in text:
        text = text.replace("PHOTOS", str(_photos(folder)))
    return json.loads(text.replace("CLIP", str(_clip(folder))) if "CLIP" in text else text)


def _photos(folder: Path) -> Path:
    photos = folder / "photos"
    photos.mkdir(exist_ok=True)
    for number in range(2):
        Image.fromarray(picture(number)).save(photos / f"{number}.png")
    return photos


def _clip(folder: Path) -> Path:
    path = folder / "clip.mp4"
    if not path.exists():
        write_clip(path)
    return path


def write_clip(path: Path) -> None:
    """Write five frames, 40 ms apart."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
        container.mux(stream.encode(None))
