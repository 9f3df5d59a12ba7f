"""The methods of detections that lead to other libraries and files, and back.

What they call is imported by the call: most programs need none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import msgspec
import numpy as np

from picasso.errors import MetadataError, require

if TYPE_CHECKING:
    from picasso.primitives.conversions.text_files import YoloForm
    from picasso.primitives.detections import Detections


class Conversions:
    """Detections as others have them. What is read needs no library, what is made needs the one it is for."""

    __slots__ = ()

    @classmethod
    def _of(cls, given: Mapping[str, Any]) -> Self:
        """Call ``Detections.of``."""
        return cast("Self", cast("type[Detections]", cls).of(**given))

    def to_supervision(self) -> Any:
        """Return ``supervision.Detections``; rotated boxes, keypoints and polygons stand in their ``data``.

        Raises:
            MissingDependencyError: supervision is not installed.
        """
        from picasso.primitives.conversions import libraries

        return libraries.to_supervision(cast("Detections", self))

    @classmethod
    def from_supervision(cls, given: Any) -> Self:
        """Make detections of ``given``, ``supervision.Detections``."""
        from picasso.primitives.conversions import libraries

        return cls._of(libraries.from_supervision(given))

    def to_ultralytics(self, size_wh: tuple[int, int]) -> Any:
        """Return an object with the attributes of a result of ultralytics, as NumPy arrays.

        Args:
            size_wh: Width and height of the picture in pixels.
        """
        from picasso.primitives.conversions import libraries

        return libraries.to_ultralytics(cast("Detections", self), size_wh)

    @classmethod
    def from_ultralytics(cls, result: Any) -> Self:
        """Make detections of ``result``, what a model of ultralytics says of one picture: boxes, masks, keypoints, obb.

        Raises:
            MetadataError: It holds no boxes, as that of a classifier.
        """
        from picasso.primitives.conversions import libraries

        return cls._of(libraries.from_ultralytics(result))

    def to_torchvision(self, as_tensor: Callable[[Any], Any] = np.asarray) -> dict[str, Any]:
        """Return a dictionary as torchvision's detectors give it: boxes, labels, scores and shapes.

        Args:
            as_tensor: Makes a tensor of an array, such as ``torch.from_numpy``; by default arrays stay arrays.
        """
        from picasso.primitives.conversions import libraries

        return libraries.to_torchvision(cast("Detections", self), as_tensor)

    @classmethod
    def from_torchvision(cls, given: Mapping[str, Any], names: Sequence[str] = ()) -> Self:
        """Make detections of a dictionary of torchvision.

        Args:
            given: Tensors or arrays.
            names: Labels of classes; those without one are called by their number.

        Raises:
            MetadataError: There are no boxes.
        """
        from picasso.primitives.conversions import libraries

        return cls._of(libraries.from_torchvision(given, names))

    def to_norfair(self, make: Callable[..., Any] | None = None) -> list[Any]:
        """Return a list of detections as norfair's tracker reads them.

        Args:
            make: What makes each, such as ``norfair.Detection``; by default a small class with those attributes.
        """
        from picasso.primitives.conversions import libraries

        return libraries.to_norfair(cast("Detections", self), make or libraries.NorfairDetection)

    @classmethod
    def from_norfair(cls, given: Iterable[Any]) -> Self:
        """Make detections of ``given``, norfair's detections, or objects that it tracks, with their ids."""
        from picasso.primitives.conversions import libraries

        return cls._of(libraries.from_norfair(given))

    def to_columns(self) -> dict[str, Any]:
        """Return a column for each number and text of a row, as a table has it; ``from_columns`` reads them.

        Raises:
            MetadataError: A column of ``data`` is called as another one.
        """
        from picasso.primitives.conversions import tables

        return tables.to_columns(cast("Detections", self))

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> Self:
        """Make detections of columns by name: ``x0 y0 x1 y1``, or ``xc yc width height angle``, and what else there is.

        Args:
            columns: Each of N rows; those with names of their own become ``data``.

        Raises:
            MetadataError: There is no box.
        """
        from picasso.primitives.conversions import tables

        given = tables.from_columns(columns)
        corners = given.pop("xyxy", None) if "xywha" in given else None
        made = cls._of(given)
        if corners is not None:
            cast("Detections", made).xyxy[...] = corners
        return made

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame`` with a row for each; see ``to_columns``.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return require("pandas", hint="pip install pandas").DataFrame(self.to_columns())

    @classmethod
    def from_pandas(cls, frame: Any) -> Self:
        """Make detections of ``frame``, a ``pandas.DataFrame`` of N rows; see ``from_columns``."""
        return cls.from_columns({name: frame[name].tolist() for name in frame.columns})

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame`` with a row for each; see ``to_columns``.

        Raises:
            MissingDependencyError: polars is not installed.
        """
        return require("polars", hint="pip install polars").DataFrame(self.to_columns())

    @classmethod
    def from_polars(cls, frame: Any) -> Self:
        """Make detections of ``frame``, a ``polars.DataFrame`` of N rows; see ``from_columns``."""
        return cls.from_columns({name: frame[name].to_list() for name in frame.columns})

    def to_arrow(self) -> Any:
        """Return a ``pyarrow.Table`` with a row for each; see ``to_columns``.

        Raises:
            MissingDependencyError: pyarrow is not installed.
        """
        return require("pyarrow", hint="pip install pyarrow").table(self.to_columns())

    @classmethod
    def from_arrow(cls, table: Any) -> Self:
        """Make detections of ``table``, a ``pyarrow.Table`` of N rows; see ``from_columns``."""
        return cls.from_columns(table.to_pydict())

    def to_coco(
        self, image_id: int = 1, *, file_name: str | None = None, size_wh: tuple[int, int] | None = None
    ) -> dict[str, Any]:
        """Return COCO's document of one picture: ``images``, ``annotations``, ``categories``.

        Args:
            image_id: Number of the picture.
            file_name: Name of its file.
            size_wh: Its width and height in pixels; by default those of the masks.
        """
        from picasso.primitives.conversions import coco

        found = cast("Detections", self)
        image: dict[str, Any] = {"id": image_id}
        if file_name is not None:
            image["file_name"] = file_name
        if size_wh is None and found.masks is not None:
            size_wh = found.masks.size_wh
        if size_wh is not None:
            image |= {"width": size_wh[0], "height": size_wh[1]}
        return coco.coco_document([(image, found)])

    @classmethod
    def from_coco(cls, document: Any) -> dict[Any, Self]:
        """Make detections of COCO's document, or of a list of its results, by the ids of pictures.

        Args:
            document: What ``json.load`` gives, or the path of a file.

        Raises:
            MetadataError: It is no such document.
        """
        from picasso.primitives.conversions import coco

        if isinstance(document, str | os.PathLike):
            try:
                with open(document, "rb") as file:
                    document = msgspec.json.decode(file.read())
            except ValueError as error:
                raise MetadataError(f"coco: the file is no JSON: {error}") from error
        return {number: cls._of(given) for number, given in coco.read_coco(document).items()}

    def to_yolo(self, size_wh: tuple[int, int], form: YoloForm | None = None, *, confidences: bool = False) -> str:
        """Return lines of a label file of YOLO, in fractions of the picture.

        Args:
            size_wh: Width and height of the picture in pixels.
            form: ``boxes``, ``rotated``, ``polygons`` (the largest ring of each) or ``keypoints``; by default boxes as
                they are.
            confidences: Whether each line ends with the confidence.

        Raises:
            MetadataError: There are no such shapes.
        """
        from picasso.primitives.conversions import text_files

        return text_files.to_yolo(cast("Detections", self), size_wh, form, confidences=confidences)

    @classmethod
    def from_yolo(
        cls,
        text: str | os.PathLike[str],
        size_wh: tuple[int, int],
        form: YoloForm = "boxes",
        *,
        names: Sequence[str] = (),
        keypoint_numbers: int = 3,
    ) -> Self:
        """Make detections of lines of a label file of YOLO.

        Args:
            text: What the file holds, or its path.
            size_wh: Width and height of the picture in pixels.
            form: What the lines say, as in ``to_yolo``.
            names: Labels of classes; those without one are called by their number.
            keypoint_numbers: 3 where points come with their visibility, 2 where not.

        Raises:
            MetadataError: A line is not of that form; the message says which.
        """
        from picasso.primitives.conversions import text_files

        given = text_files.from_yolo(text, size_wh, form, names=names, keypoint_numbers=keypoint_numbers)
        return cls._of(given)

    def to_mot(self, frame: int) -> str:
        """Return lines of the MOT challenge; ``frame`` is the number of the picture, from 1."""
        from picasso.primitives.conversions import text_files

        return text_files.to_mot(cast("Detections", self), frame)

    @classmethod
    def from_mot(cls, text: str | os.PathLike[str], names: Sequence[str] = ()) -> dict[int, Self]:
        """Make detections of lines of the MOT challenge, by the number of the frame.

        Args:
            text: What the file holds, or its path.
            names: Labels of classes; those without one are called by their number.

        Raises:
            MetadataError: A line is none; the message says which.
        """
        from picasso.primitives.conversions import text_files

        return {frame: cls._of(given) for frame, given in text_files.from_mot(text, names).items()}

    def __repr__(self) -> str:
        from picasso.primitives.conversions.summary import summary

        return f"<{summary(cast('Detections', self))}>"
