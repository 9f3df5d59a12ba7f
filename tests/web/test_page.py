"""The live page in a real Chromium: what is seen is read back from screenshots."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from browser_kit import BOXER, Visitor, chromium, extent, is_orange
from rtsp_kit import RtspServer
from web_kit import H264, Blinking, Running, pattern, running, tree, until

pytestmark = pytest.mark.usefixtures("compiled_kernels")
Visit = Callable[..., Visitor]
LABEL = 'label: "square"'
TILE = ".tile[data-source='gate'] canvas"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as started:
        one = chromium(started)
        yield one
        one.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Open a page; at the end nothing has gone wrong in it, and it has asked no other host for anything."""
    visitors: list[Visitor] = []

    def opened(one: Running, *, stays: bool = False, **options: Any) -> Visitor:
        assert one.module.web.page is not None
        visitor = Visitor(browser, one.module.web.page, **options)
        visitors.append(visitor)
        if not stays:
            one.guests.append(visitor.close)
        return visitor

    yield opened
    for visitor in visitors:
        visitor.close()
        assert visitor.faults == []
        hosts = {re.sub(r"^(?:https?|ws)://([^/:]+).*", r"\1", address) for address in visitor.addresses}
        assert {host for host in hosts if not host.startswith("blob:")} == {"127.0.0.1"}


@pytest.fixture
def boxer(tmp_path: Path) -> dict[str, Any]:
    code = tmp_path / "boxer.py"
    code.write_text(BOXER)
    return {"element": "pyfunc", "module": str(code), "class_name": "It"}


def square(boxer: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """A module whose sources show a square that moves, with a box on it."""
    config = tree(pattern("gate", width=640, height=360), **{"output_frame": H264, **parameters})
    config["pipeline"]["elements"] = [boxer]
    return config


def colored_of(one: Visitor) -> Any:
    """The colour of the box of the square, as the page draws it."""
    return one.run(
        "(async () => { const { colorOf } = await import('/page/boxes.js');"
        "const c = new OffscreenCanvas(1, 1).getContext('2d'); c.fillStyle = colorOf('yolo / square');"
        "c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3); })()"
    )


def test_every_source_is_a_tile_that_moves(visit: Visit, boxer: dict[str, Any]) -> None:
    config = square(boxer)
    config["pipeline"]["source"].append(pattern("yard", width=320, height=240))
    with running(config) as one:
        page = visit(one)
        page.wait("document.querySelectorAll('.tile canvas[data-shown]').length === 2")
        seen = set()

        def has_moved() -> bool:
            seen.add(extent(page.picture(TILE), is_orange).xc)
            return len(seen) >= 3

        until(has_moved)
        assert page.run("document.querySelector(\".tile[data-source='yard'] canvas\").width") == 320
        assert page.run("(async () => (await import('/page/player.js')).decodedCodecs())()") == ["h264", "av1"]
        names = page.page.get_by_role("button", name=re.compile("gate live")).count()
        assert names == 1


def test_boxes_lie_on_the_objects_that_they_name(visit: Visit, boxer: dict[str, Any]) -> None:
    with running(square(boxer)) as one:
        page = visit(one)
        page.wait("document.querySelector('.tile')")
        page.page.click(".tile[data-source='gate']")
        page.wait_for_pictures("#picture", 10)
        color = colored_of(page)
        places = set()
        for _look in range(4):
            page.wait_for_pictures("#picture", 3)
            seen = page.picture("#stage")
            scale = seen.shape[1] / 640
            found = extent(seen, is_orange)
            drawn = extent(seen, lambda pixels: np.abs(pixels - color).sum(2) < 60)
            places.add(round(found.xc))
            assert abs(found.width - 90 * scale) < 4 * scale + 4
            for side in ("left", "right", "bottom"):
                assert abs(getattr(drawn, side) - getattr(found, side)) <= 3 * scale + 3, (drawn, found)
            assert drawn.top < found.top  # the label lies above
        assert len(places) > 1


def test_boxes_are_switched_by_namespace_and_by_label(visit: Visit, boxer: dict[str, Any]) -> None:
    painted = (
        "(() => { const c = document.getElementById('overlay');"
        "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0); })()"
    )
    with running(square(boxer)) as one:
        page = visit(one)
        page.page.goto(f"{one.module.web.page}#gate")
        page.wait(painted)
        for label in ("square", "all of yolo"):
            page.page.get_by_label(label, exact=True).uncheck()
            page.wait(f"!{painted}")
            page.wait_for_pictures("#picture", 3)
            assert not page.run(painted)
            page.page.get_by_label(label, exact=True).check()
            page.wait(painted)


def test_a_killed_source_is_shown_as_lost_and_comes_back(visit: Visit) -> None:
    camera = Blinking("gate", size_wh=(320, 180))
    with running(tree(pattern("unused"), output_frame=H264), camera) as one:
        page = visit(one)
        page.wait_for_pictures(TILE)
        camera.is_lost.set()
        page.wait("document.querySelector('.tile').dataset.kind === 'lost'")
        assert page.page.locator(".tile .lost").is_visible()
        assert page.page.locator(".tile .lost").inner_text() in ("lost: backing off", "connecting")
        page.wait("document.querySelector('.tile .error').textContent.includes('the cable was cut')")
        assert "hunter2" not in page.page.content()
        page.wait("document.getElementById('news').textContent.startsWith('gate is lost')")
        page.wait("document.getElementById('summary').textContent.includes('1 lost')")
        camera.is_lost.clear()
        page.wait("document.querySelector('.tile').dataset.kind === 'good'")
        page.wait_for_pictures(TILE)
        assert not page.page.locator(".tile .lost").is_visible()


def test_a_real_camera_whose_server_loses_its_power_is_shown_as_lost(visit: Visit) -> None:
    server = RtspServer(gate="h264:160x120")
    source = {"element": "uridecodebin", "properties": {"uri": server.url("gate"), "source_id": "gate"}}
    try:
        with running(tree(source, output_frame=H264)) as one:
            page = visit(one)
            page.wait_for_pictures(TILE)
            server.cut()
            page.wait("document.querySelector('.tile').dataset.state === 'backing_off'")
            assert page.page.locator(".tile .lost").inner_text() == "lost: backing off"
            server.start(gate="h264:160x120")
            page.page.click(".tile")
            page.page.click("#reconnect")
            page.wait_for_pictures("#picture")
            page.wait("document.getElementById('state').textContent === 'live'")
            assert "could not" not in page.run("document.getElementById('answer').textContent")
    finally:
        server.cut()


def test_names_that_look_like_pages_are_shown_as_text(visit: Visit, tmp_path: Path) -> None:
    bad = "<img src=x onerror=alert(1)>"
    code = tmp_path / "names.py"
    code.write_text(
        "from picasso.module import ObjectMeta\nfrom picasso.primitives import BBox\n"
        f"def It(frame):\n    frame.add_obj_meta(ObjectMeta('a\"b', {bad!r}, BBox(40, 40, 20, 20), 0.5))\n"
    )
    config = tree(pattern(bad), output_frame=H264)
    config["pipeline"]["elements"] = [{"element": "pyfunc", "module": str(code), "class_name": "It"}]
    with running(config) as one:
        page = visit(one)
        page.page.on("dialog", lambda dialog: page.faults.append("a dialog") or dialog.dismiss())
        page.wait_for_pictures(".tile canvas")
        assert page.run("document.querySelector('.tile .name').textContent") == bad
        page.page.click(".tile")
        page.wait_for_pictures("#picture")
        page.wait("document.querySelectorAll('#filters input').length === 2")
        page.wait("document.querySelectorAll('[role=treeitem]').length > 5")
        assert page.run("document.getElementById('title').textContent") == bad
        assert page.run("document.querySelectorAll('main img').length") == 0


def test_a_narrow_window_shows_everything_below_each_other(visit: Visit, boxer: dict[str, Any]) -> None:
    with running(square(boxer)) as one:
        page = visit(one, viewport={"width": 320, "height": 640})
        page.wait_for_pictures(TILE)
        fits = "document.documentElement.scrollWidth <= 320"
        assert page.run(fits)
        box = page.page.locator(".tile").bounding_box()
        assert box["width"] > 270
        page.page.click(".tile")
        page.wait_for_pictures("#picture")
        page.wait("document.querySelector('#stages .stack')")
        assert page.run(fits)
        picture, facts = (page.page.locator(name).bounding_box() for name in (".picture", ".facts"))
        assert facts["y"] >= picture["y"] + picture["height"]
        assert extent(page.picture("#stage"), is_orange).width > 20


WITHOUT_STREAMS: dict[str, dict[str, Any]] = {
    "no pixels leave": {"output_frame": None},
    "a gate": {"output_frame": {**H264, "condition": {"tag": "never"}}},
    "hevc": {"output_frame": {"codec": "hevc", "encoder": "software", "encoder_params": {"speed-preset": "ultrafast"}}},
    "jpeg": {"output_frame": {"codec": "jpeg", "encoder": "software"}},
    "raw": {"output_frame": {"codec": "raw-rgba"}},
}


@pytest.mark.parametrize("case", WITHOUT_STREAMS)
def test_sources_are_shown_where_no_stream_can_be(visit: Visit, boxer: dict[str, Any], case: str) -> None:
    with running(square(boxer, **WITHOUT_STREAMS[case])) as one:
        page = visit(one)
        page.wait_for_pictures(TILE)
        page.page.click(".tile")
        page.wait_for_pictures("#picture")
        seen = page.picture("#stage")
        found, color = extent(seen, is_orange), colored_of(page)
        drawn = extent(seen, lambda pixels: np.abs(pixels - color).sum(2) < 60)
        assert abs(drawn.left - found.left) < 8
        assert abs(drawn.bottom - found.bottom) < 8


def test_av1_is_decoded_by_the_browser(visit: Visit, boxer: dict[str, Any]) -> None:
    av1 = {"codec": "av1", "encoder": "software", "encoder_params": {"speed-preset": 1}}
    config = square(boxer, output_frame=av1)
    config["pipeline"]["source"] = [pattern("gate", width=192, height=128)]
    with running(config) as one:
        page = visit(one)
        page.wait_for_pictures(TILE)
        assert one.source("gate")["stream"] == "av1"
        assert extent(page.picture(TILE), is_orange).width > 20


def test_without_webcodecs_pictures_come_as_jpeg_with_what_is_drawn(visit: Visit, boxer: dict[str, Any]) -> None:
    look = {"yolo": {"square": {"bbox": {"border_color": "0000FFFF", "background_color": "0000FFFF"}}}}
    with running(square(boxer, draw_func={"rendered_objects": look})) as one:
        page = visit(one, script="delete globalThis.VideoDecoder;")
        page.wait_for_pictures(TILE)
        seen = page.picture(TILE)
        blue = extent(seen, lambda pixels: np.abs(pixels - (0, 0, 255)).sum(2) < 90)
        assert abs(blue.width - 90 * seen.shape[1] / 640) < 6
        assert not is_orange(seen).any()


def test_a_tile_that_no_one_views_costs_nothing(visit: Visit, boxer: dict[str, Any]) -> None:
    config = square(boxer, output_frame=None)
    config["pipeline"]["source"] = [pattern(f"cam{number:02}") for number in range(12)]
    with running(config) as one:
        views = one.module.web.views
        assert views is not None

        def watched() -> set[str]:
            names = [f"cam{number:02}" for number in range(12)]
            return {name for name in names for view in ("tile", "large") if views.live.is_watched(name, view)}

        one.wait_for_more("cam00")
        assert watched() == set()
        assert views.engine is None  # nothing was ever converted or encoded for anyone
        page = visit(one, viewport={"width": 320, "height": 300})
        until(lambda: watched() >= {"cam00"})
        assert len(watched()) < 6
        page.page.evaluate("document.querySelector('[data-source=cam11]').scrollIntoView()")
        until(lambda: "cam11" in watched() and "cam00" not in watched())
        page.page.click("[data-source=cam11]")
        until(lambda: watched() == {"cam11"})
        page.page.goto("about:blank")
        until(lambda: watched() == set())


def test_a_new_viewer_gets_a_keyframe_at_once(visit: Visit, boxer: dict[str, Any]) -> None:
    """The encoder makes one in 250 frames by itself, which are more than eight seconds."""
    with running(square(boxer)) as one:
        one.wait_for_more("gate", 20)
        page = visit(one)
        page.wait_for_pictures(TILE, 1)
        before = one.source("gate")["counts"]["delivered"]
        page.page.click(".tile")
        page.wait_for_pictures("#picture", 1)
        assert one.source("gate")["counts"]["delivered"] < before + 200


def test_a_token_is_asked_for_and_is_nowhere_to_be_read(
    visit: Visit, boxer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    token = "correct horse battery"
    caplog.set_level("DEBUG")
    with running(square(boxer, web={"port": 0, "token": token})) as one:
        page = visit(one)
        page.wait("document.activeElement.id === 'token'")
        page.page.fill("#token", "a guess of mine")
        page.page.keyboard.press("Enter")
        page.wait("document.getElementById('refused').textContent === 'not the token'")
        assert page.run("document.querySelectorAll('.tile').length") == 0
        page.page.fill("#token", token)
        page.page.keyboard.press("Enter")
        page.wait_for_pictures(TILE)
        kept = page.run(
            "[location.href, document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]"
        )
        assert kept[1:] == ["", "{}", "{}"]
        assert not [address for address in [*page.addresses, kept[0]] if "horse" in address]
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], token in cookie["value"]) == (True, "Strict", False)
        page.page.click("#leave")
        page.wait("!document.getElementById('login').hidden")
        page.page.reload()
        page.wait("!document.getElementById('login').hidden")
        page.faults = [fault for fault in page.faults if "401" not in fault]  # the browser logs what was refused
    assert "horse" not in caplog.text
    assert "a guess" not in caplog.text


def test_keys_and_screen_readers_reach_everything(visit: Visit, boxer: dict[str, Any]) -> None:
    with running(square(boxer)) as one:
        page = visit(one)
        page.wait_for_pictures(TILE)
        page.page.keyboard.press("Tab")
        assert page.run("document.activeElement.textContent") == "Skip to the sources"
        page.page.keyboard.press("Tab")
        assert page.run("document.activeElement.dataset.source") == "gate"
        page.page.keyboard.press("Enter")
        page.wait("document.activeElement.id === 'title'")
        page.wait("document.querySelectorAll('[role=treeitem]').length > 5")
        tree_keys = "document.activeElement.dataset.path"
        page.run("document.querySelector('[role=treeitem][tabindex=\"0\"]').focus()")
        page.page.keyboard.press("End")
        assert page.run(tree_keys).startswith("metadata/objects")
        page.page.keyboard.press("ArrowRight")
        page.wait("document.querySelector('[data-path=\"metadata/objects/0/label\"]')")
        assert page.run("document.querySelector('[data-path=\"metadata/objects/0/label\"]').innerText") == LABEL
        page.page.keyboard.press("ArrowLeft")
        page.wait("!document.querySelector('[data-path=\"metadata/objects/0/label\"]')")
        page.page.keyboard.press("ArrowLeft")
        page.wait(f"{tree_keys} === 'metadata/objects'")
        names = page.run("[...document.querySelectorAll('button:not([hidden])')].every((b) => b.textContent.trim())")
        assert names
        assert page.run("[...document.querySelectorAll('input')].every((i) => i.labels.length || i.hidden)")
        page.page.keyboard.press("Escape")
        page.wait("document.activeElement.dataset.source === 'gate'")


def test_buttons_do_what_they_say(visit: Visit, boxer: dict[str, Any]) -> None:
    with running(square(boxer)) as one:
        page = visit(one)
        page.page.goto(f"{one.module.web.page}#gate")
        page.wait_for_pictures("#picture")
        page.page.click("#snapshot")
        page.wait("document.querySelector('#answer img')?.naturalWidth === 640")
        page.page.click("#pause")
        one.wait_for_state("gate", "paused")
        page.wait("document.getElementById('pause').textContent === 'Resume'")
        page.page.click("#pause")
        one.wait_for_state("gate", "live")
        page.wait("document.getElementById('pause').textContent === 'Pause'")
        page.wait("!document.getElementById('reconnect').disabled")
        page.page.click("#reconnect")
        page.wait("document.getElementById('answer').textContent === 'reconnect: done'")
        page.wait_for_pictures("#picture")
        page.page.click("#drawing")
        until(lambda: one.source("gate").get("drawing") == "off")
        page.wait("document.getElementById('drawing').getAttribute('aria-pressed') === 'false'")
        page.page.once("dialog", lambda dialog: dialog.accept())
        page.page.click("#remove")
        page.wait("!document.getElementById('none').hidden")
        assert one.http.get("/sources").json() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_light_or_dark_as_the_system_is(visit: Visit, boxer: dict[str, Any], scheme: str) -> None:
    with running(square(boxer)) as one:
        page = visit(one, color_scheme=scheme)
        page.wait_for_pictures(TILE)
        words = page.picture(".tile .words")
        brightness = np.median(words.reshape(-1, 3).sum(1))
        assert brightness > 600 if scheme == "light" else brightness < 150
        contrast = words.sum(2).max() - words.sum(2).min()
        assert contrast > 400


def test_the_page_comes_back_when_its_module_does(visit: Visit, boxer: dict[str, Any], unused_port: int) -> None:
    config = square(boxer, web={"port": unused_port})
    with running(config) as one:
        page = visit(one, stays=True)
        page.wait_for_pictures(TILE)
    page.wait("document.getElementById('link').dataset.state === 'lost'")
    with running(config) as one:
        page.wait("document.getElementById('link').dataset.state === 'open'")
        page.wait_for_pictures(TILE)
        page.close()
    page.faults = [fault for fault in page.faults if "ERR_CONNECTION" not in fault]
