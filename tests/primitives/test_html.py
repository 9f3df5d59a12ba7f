"""What notebooks show of frames, detections, placements and statistics."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from picasso.engine import Callbacks, GeneralSpec, PicassoEngine
from picasso.engine.stats import LatencySummary
from picasso.observe.account import ModuleStatistics, SourceAccount, SourceStatistics, StageStatistics
from picasso.observe.levels import PoolUse
from picasso.primitives import RBBox, VideoFrame, VideoFrameContent
from picasso.primitives.html import MOST_ROWS, table
from picasso.surface import SurfaceView
from picasso.transform import Placement


class Cells(HTMLParser):
    """Reads the cells of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def svg_of(text: str) -> Xml.Element:
    found = re.search("<svg.*</svg>", text, re.DOTALL)
    assert found is not None
    return Xml.fromstring(found[0])


def frame() -> VideoFrame:
    made = VideoFrame("gate <1>", "30/1", 320, 240, pts=40)
    made.add_detections("yolo", [[10, 20, 30, 50], [100, 100, 140, 120]], ["car", "<b>"], confidences=[0.5, math.nan])
    made.create_object("yolo", "sign", detection_box=RBBox(200, 100, 40, 20, 90), track_id=7)
    return made


def test_a_frame_shows_its_boxes_and_a_table_of_its_objects() -> None:
    html = frame()._repr_html_()
    rows = Cells(html).rows
    assert rows[0] == ["id", "namespace", "label", "confidence", "track", "xc", "yc", "width", "height", "angle"]
    assert rows[1] == ["0", "yolo", "car", "0.5", "", "20", "35", "20", "30", ""]
    assert rows[2][2:5] == ["<b>", "", ""]
    assert rows[3][4:] == ["7", "200", "100", "40", "20", "90"]
    assert "gate &lt;1&gt;: 320 x 240, pts 40" in html
    svg = svg_of(html)
    polygons = [one.attrib["points"] for one in svg if one.tag.endswith("polygon")]
    assert polygons[0] == "10,20 30,20 30,50 10,50"
    corners = np.array([point.split(",") for point in polygons[2].split()], float)
    assert corners.min(0).tolist() == [190, 80]
    assert corners.max(0).tolist() == [210, 120]
    assert [one.text for one in svg if one.tag.endswith("text")] == ["car", "<b>", "sign"]


def test_a_frame_that_carries_a_picture_shows_it(tmp_path: object) -> None:
    made = frame()
    png = SurfaceView.wrap(np.zeros((240, 320, 3), np.uint8))._repr_png_()
    assert png is not None
    made.content = VideoFrameContent.internal(png)
    image = next(one for one in svg_of(made._repr_html_()) if one.tag.endswith("image"))
    assert image.attrib["href"].startswith("data:image/png;base64,iVBOR")
    made.content = VideoFrameContent.internal(b"not a picture")
    assert not [one for one in svg_of(made._repr_html_()) if one.tag.endswith("image")]


def test_boxes_that_are_no_numbers_are_left_out_of_the_picture() -> None:
    made = frame()
    made.detection_boxes()[0, 0] = math.nan
    assert len([one for one in svg_of(made._repr_html_()) if one.tag.endswith("polygon")]) == 2


def test_detections_are_a_table() -> None:
    rows = Cells(frame().get_detections()._repr_html_()).rows
    assert rows[1] == ["0", "yolo", "car", "0.5", "", "10", "20", "30", "50"]
    assert (len(rows), rows[3][4]) == (4, "7")


@pytest.mark.parametrize("count", [0, 3, MOST_ROWS, MOST_ROWS + 5])
def test_a_long_table_says_how_much_is_left_out(count: int) -> None:
    html = table(["n"], [[number] for number in range(count)])
    assert len(Cells(html).rows) == 1 + min(count, MOST_ROWS)
    assert ("and 5 more" in html) == (count > MOST_ROWS)


def test_a_placement_shows_where_the_source_lands() -> None:
    html = Placement.compute((1280, 720), (640, 640))._repr_html_()
    cells = dict(row for row in Cells(html).rows[1:])
    assert (cells["scale"], cells["offset"], cells["target"]) == ("0.5, 0.5", "0, 140", "640 x 640")
    (inner,) = [one for one in svg_of(html) if one.tag.endswith("polygon")]
    assert inner.attrib["points"] == "0,140 640,140 640,500 0,500"


def test_statistics_of_an_engine_are_a_table() -> None:
    with PicassoEngine(GeneralSpec(), Callbacks()) as engine:
        rows = Cells(engine.stats()._repr_html_()).rows
    assert rows[0][:6] == ["source", "in", "out", "dropped", "errors", "queue"]
    assert rows[0][6].endswith(" p50 ms")


def test_statistics_of_a_module_are_a_table_of_sources_and_one_of_stages() -> None:
    """Texts of others, such as an error, cannot become markup."""
    times = LatencySummary(count=9, p50_ns=2_000_000, p90_ns=0, p99_ns=8_500_000, max_ns=0)
    gate = SourceStatistics(SourceAccount(10, 7, {"element": 2}, 1), "live", latency=times, last_error="<b>late</b>")
    stage = StageStatistics("decode", 9, times=times)
    pool = PoolUse(0, None)
    made = ModuleStatistics("m", "running", 1.0, {"gate": gate}, SourceAccount(), (), (stage,), pool, (), None)
    rows = Cells(made._repr_html_()).rows
    assert rows[1] == ["gate", "live", "10", "7", "2", "1", "0", "2", "8.5", "<b>late</b>"]
    assert rows[3] == ["decode", "9", "2", "8.5"]
    assert "<b>" not in made._repr_html_()
