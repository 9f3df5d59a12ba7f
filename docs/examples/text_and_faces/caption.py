"""Writes the name of the camera and the time into the picture, as cameras do."""

import cv2

from picasso.module import Frame, PyFunc

LEFT, BOTTOM, SCALE = 16, 330, 0.9


def caption_of(frame: Frame) -> str:
    seconds = frame.pts // 1_000_000_000
    return f"CAM {frame.source_id.upper()} {seconds // 60:02}:{seconds % 60:02}"


class Caption(PyFunc):
    def __call__(self, frame: Frame) -> None:
        with frame.edit_image() as pixels:
            font, text = cv2.FONT_HERSHEY_SIMPLEX, caption_of(frame)
            (width, height), below = cv2.getTextSize(text, font, SCALE, 2)
            cv2.rectangle(
                pixels, (LEFT - 8, BOTTOM - height - 8), (LEFT + width + 8, BOTTOM + below), (0, 0, 0, 255), -1
            )
            cv2.putText(pixels, text, (LEFT, BOTTOM), font, SCALE, (255, 255, 255, 255), 2, cv2.LINE_AA)
