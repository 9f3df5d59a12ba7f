"""Sends clips to the module, and writes a line for each result: ``python client.py a.mp4 b.mp4 c.mp4``."""

import os
import sys
import threading
from pathlib import Path

from picasso.client import SinkBuilder, SourceBuilder, VideoSource

TO_MODULE = os.environ.get("TO_MODULE", "dealer+connect:tcp://127.0.0.1:5555")
FROM_MODULE = os.environ.get("FROM_MODULE", "router+connect:tcp://127.0.0.1:5556")


def send(clips: list[str]) -> None:
    """Send one clip after the other, each as a source of its own."""
    with SourceBuilder().with_socket(TO_MODULE).build() as source:
        for clip in clips:
            for _result in source.send_iter(VideoSource(Path(clip).stem, clip)):
                pass
        if "SHUTDOWN_AUTH" in os.environ:
            source.send_shutdown("client", os.environ["SHUTDOWN_AUTH"])


def main(clips: list[str]) -> None:
    """Send and receive at once."""
    sending = threading.Thread(target=send, args=(clips,))
    sending.start()
    ended = 0
    with SinkBuilder().with_socket(FROM_MODULE).with_idle_timeout(60).build() as sink:
        for result in sink:
            ended += result.eos
            if result.frame_meta is not None:
                (light,) = result.frame_meta.get_all_objects()
                print(result.source_id, result.frame_meta.pts, light.detection_box.as_ltwh_int(), result.pixels().shape)
            if ended == len(clips):
                break
    sending.join()


if __name__ == "__main__":
    main(sys.argv[1:])
