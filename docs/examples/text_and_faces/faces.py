"""The converter of CenterFace: each cell of 4x4 pixels says how likely a face is there, and how large it is."""

import numpy as np

from picasso.module.models import BaseObjectModelOutputConverter

CELL = 4
"""Pixels of the model's input."""


class CenterFace(BaseObjectModelOutputConverter):
    likely = 0.4

    def __call__(self, likelihood, sizes, offsets, *, model, roi):
        left, top, width, height = roi
        rows, columns = np.nonzero(likelihood[0] > self.likely)
        high, wide = np.exp(sizes[:, rows, columns]) * CELL
        y = (rows + 0.5 + offsets[0, rows, columns]) * CELL
        x = (columns + 0.5 + offsets[1, rows, columns]) * CELL
        scale_x, scale_y = width / model.input.width, height / model.input.height
        sure = likelihood[0, rows, columns]
        return np.stack(
            [0 * x, sure, left + x * scale_x, top + y * scale_y, wide * scale_x, high * scale_y], axis=1
        ).astype(np.float32)
