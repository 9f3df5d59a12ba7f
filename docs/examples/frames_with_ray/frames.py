"""Frames of clips as a dataset, with what a model finds, joined with a table of one's own.

Run it as ``python frames.py MODEL.onnx WEATHER.csv CLIPS…``; the table has the columns ``source`` and ``weather``.
"""

import sys

import pandas as pd
import ray

import picasso
from picasso.cluster import FindObjects, read_video


def main(model: str, table: str, clips: list[str]) -> pd.DataFrame:
    """Return how many objects are seen, by weather."""
    detector = picasso.Detector(model)
    frames = read_video(clips, spec=detector.spec, every=2)  # nothing is read yet
    found = frames.map_batches(
        FindObjects,
        fn_constructor_args=(model,),
        fn_constructor_kwargs={"drop_tensor": True},
        batch_size=8,
        compute=ray.data.ActorPoolStrategy(size=1),  # num_gpus=1 gives each actor a GPU
    )
    weather = pd.read_csv(table).set_index("source")["weather"].to_dict()

    def joined(row: dict) -> dict:
        return {"weather": weather.get(row["source"], "unknown"), "objects": len(row["found_xyxy"])}

    seen = found.map(joined).to_pandas()
    return (
        seen.groupby("weather")["objects"].agg(["count", "sum"]).rename(columns={"count": "frames", "sum": "objects"})
    )


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
