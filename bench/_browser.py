"""Headless Chromium that watches over WHEP and tells what it showed when."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

COUNTER = Path(__file__).parents[1] / "tests" / "assets" / "counter.js"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")

_JOIN = """
async (url) => {
  const clicked = performance.now();
  const peer = new RTCPeerConnection(), video = document.createElement("video");
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  document.body.replaceChildren(video);
  const first = new Promise((done) => video.requestVideoFrameCallback(done));
  window.peer = peer;
  window.frames_ = watchFrames(video);
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.ontrack = (event) => { [video.srcObject] = event.streams; };
  await peer.setLocalDescription(await peer.createOffer());
  const headers = { "Content-Type": "application/sdp" };
  const body = peer.localDescription.sdp;
  const answer = await fetch(url, { method: "POST", headers, body });
  if (answer.status !== 201) throw new Error(await answer.text());
  const place = answer.headers.get("Location");
  window.leave = async () => {
    peer.close();
    if (place) await fetch(place, { method: "DELETE" });
  };
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  await first;
  return performance.now() - clicked;
}
"""
_FRAMES = "() => window.frames_.splice(0)"


class Watcher:
    """A page of one server, and one viewer on it."""

    def __init__(self, browser: Browser, page_url: str, whep_url: str) -> None:
        self._whep_url = whep_url
        self._page: Page = browser.new_page()
        self._page.goto(page_url)
        self._page.set_content("<!DOCTYPE html><title>bench</title>")
        self._page.add_script_tag(path=COUNTER)

    def join(self) -> float:
        """Milliseconds from the click to the first picture."""
        took_ms: float = self._page.evaluate(_JOIN, self._whep_url)
        return took_ms

    def frames(self) -> list[dict[str, Any]]:
        """What was shown since this was last asked: `at` in Unix ms, `counter`."""
        shown: list[dict[str, Any]] = self._page.evaluate(_FRAMES)
        return shown

    def leave(self) -> None:
        """Hang up."""
        self._page.evaluate("() => window.leave()")


@contextmanager
def browser(*flags: str) -> Iterator[Browser]:
    """A running browser, with more flags."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        raise SystemExit(f"none of {', '.join(_NAMES)} is installed")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=path, headless=True, args=[*FLAGS, *flags]
        )
        try:
            yield made
        finally:
            made.close()
