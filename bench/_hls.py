"""HLS in headless Chromium with hls.js, and ffmpeg's own HLS as what it is measured against."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import _processes
from _browser import COUNTER
from playwright.sync_api import Browser, Page

ASSETS = COUNTER.parent
SCRIPTS = (ASSETS / "hls.js" / "hls.light.min.js", COUNTER, ASSETS / "hlsplayer.js")
DESCRIPTION = "ffmpeg -c copy -f hls with 1 s fMP4 segments"
_PLAYLIST = "index.m3u8"


class HlsWatcher:
    """A page of one origin that plays one playlist from its construction until `leave`."""

    def __init__(self, browser: Browser, page_url: str, playlist: str, *, low: bool) -> None:
        self._page: Page = browser.new_page()
        self._page.goto(page_url)
        self._page.set_content("<!DOCTYPE html><title>bench</title>")
        for script in SCRIPTS:
            self._page.add_script_tag(path=script)
        self._page.evaluate(
            "([url, low]) => { window.player = new HlsPlayer(url, low) }", [playlist, low]
        )

    def frames(self) -> list[dict[str, Any]]:
        """What was shown since this was last asked: `at` in Unix ms, `counter`."""
        shown: list[dict[str, Any]] = self._page.evaluate("() => player.shown.splice(0)")
        return shown

    def stalls(self) -> int:
        """How often the player ran dry."""
        stalls: int = self._page.evaluate("() => player.state().stalls")
        return stalls

    def leave(self) -> None:
        """Close the page."""
        self._page.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {"": "video/mp4", ".m3u8": "application/vnd.apple.mpegurl"}  # noqa: RUF012

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def ffmpeg_hls(url: str, work: Path) -> Iterator[tuple[str, str]]:
    """What ffmpeg makes of a camera, and the address and path of its playlist."""
    folder = work / "ffmpeg-hls"
    folder.mkdir()
    command = [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url),
        *("-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "8"),
        *("-hls_segment_type", "fmp4", "-hls_flags", "delete_segments", str(folder / _PLAYLIST)),
    ]
    httpd = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        with _processes.running(command, log=work / "ffmpeg-hls.log"):
            _processes.wait_for(
                "playlist of ffmpeg", lambda: len(list(folder.glob("*.m4s"))) >= 4, every_s=0.1
            )
            yield f"http://127.0.0.1:{httpd.server_address[1]}", f"/{_PLAYLIST}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def copying_player(url: str) -> list[str]:
    """A player that fetches everything, in step with the clock, and decodes nothing."""
    return [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-i", url),
        *("-c", "copy", "-f", "null", "-"),
    ]
