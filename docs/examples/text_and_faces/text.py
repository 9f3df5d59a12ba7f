"""Converters of the two models that read text, and what is read on the frames between."""

import cv2
import numpy as np

from picasso.module import Frame, PyFunc
from picasso.module.models import BaseAttributeModelOutputConverter, BaseObjectModelOutputConverter


class FindLines(BaseObjectModelOutputConverter):
    """The model says for each pixel how likely it lies within text: each region of such pixels is a line."""

    likely = 0.3
    """Of a pixel."""
    grown = 1.6
    """By how much a region is smaller than its line, as the model learned it."""

    def __call__(self, likelihood, *, model, roi):
        left, top, width, height = roi
        scale_x, scale_y = width / model.input.width, height / model.input.height
        count, regions, stats, _centers = cv2.connectedComponentsWithStats(
            (likelihood[0] > self.likely).astype(np.uint8)
        )
        rows = []
        for number in range(1, count):
            x, y, w, h, area = stats[number]
            if area < 40 or h < 8:
                continue
            margin = w * h * self.grown / (2 * (w + h))
            sure = likelihood[0][regions == number].mean()
            center = left + (x + w / 2) * scale_x, top + (y + h / 2) * scale_y
            rows.append((0, sure, *center, (w + 2 * margin) * scale_x, (h + 2 * margin) * scale_y))
        return np.array(rows, np.float32)


class ReadLine(BaseAttributeModelOutputConverter):
    """The model says for each column of pixels which character it is; repeated ones and blanks count once and not."""

    least = 0.5
    """How sure a text must be."""

    def __call__(self, columns, *, model, roi):  # noqa: ARG002 - the text is all there is
        characters = ["", *model.metadata["character"].split("\n"), " "]
        best, sure = columns.argmax(axis=1), columns.max(axis=1)
        kept = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
        if not kept.any() or sure[kept].mean() < self.least:
            return []
        return [("text", "".join(characters[number] for number in best[kept]).strip(), float(sure[kept].mean()))]


class Remember(PyFunc):
    """Lines that the tracker expects on frames that no model looked at keep what was read of them."""

    def on_start(self) -> bool:
        self.read: dict[tuple[str, int], tuple[str, float]] = {}
        return True

    def on_source_eos(self, source_id: str) -> None:
        self.read = {key: text for key, text in self.read.items() if key[0] != source_id}

    def __call__(self, frame: Frame) -> None:
        for line in frame.objects:
            if line.element_name != "text":
                continue
            key, found = (frame.source_id, line.track_id), line.get_attr_meta("reader", "text")
            if found is not None:
                self.read[key] = found.value, found.confidence
            elif "text" in frame.skipped_models and key in self.read:
                line.add_attr_meta("reader", "text", *self.read[key])
