"""Players as people run them: each plays a URL, and tells what it has shown.

A player that is not installed skips the test that asks for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest
from playwright.sync_api import Browser, Page

from support.browser import ASSETS, open_page
from support.frames import counters
from support.server import wait_for

SHOWS_WITHIN_S = 20
RUN_S = 90
"""How long a player may take, on a machine of any speed."""


_VLC_RTSP = "**/vlc/plugins/access/liblive555_plugin.so"


class Wanted(NamedTuple):
    """What to play: `seconds` of a stream that does not end by itself, else all of it."""

    url: str
    seconds: float | None = None
    at_s: float = 0.0


Films = Callable[[Wanted, Path], Path]
"""Plays into a film in the folder."""


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, timeout=RUN_S, check=False, cwd=cwd)
    assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')[-2000:]}"


def _needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def ffmpeg(wanted: Wanted, folder: Path) -> Path:
    _needs("ffmpeg")
    film = folder / "ffmpeg.mkv"
    begin = ["-ss", f"{wanted.at_s:.3f}"] if wanted.at_s else []
    until = ["-t", str(wanted.seconds)] if wanted.seconds else []
    over = ["-rtsp_transport", "tcp"] if wanted.url.startswith("rtsp") else []
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-fps_mode", "passthrough"]
    command = ["ffmpeg", "-v", "error", "-y", *over, *begin, "-i", wanted.url, *until]
    _run(*command, "-an", *coded, str(film))
    return film


def gstreamer(wanted: Wanted, folder: Path) -> Path:
    _needs("gst-launch-1.0")
    if wanted.at_s:
        film = folder / "gstreamer.y4m"
        script = str(ASSETS / "gstreamer_jump.py")
        _run(sys.executable, script, wanted.url, str(wanted.at_s), str(film))
        return film
    film = folder / "gstreamer.mkv"
    until = ["identity", f"eos-after={round(wanted.seconds * 30)}", "!"] if wanted.seconds else []
    command = ["gst-launch-1.0", "-q", "uridecodebin3", f"uri={wanted.url}", "!", *until]
    command += ["videoconvert", "!", "x264enc", "speed-preset=1", "pass=qual", "quantizer=10", "!"]
    _run(*command, "matroskamux", "!", "filesink", f"location={film}")
    return film


def mpv(wanted: Wanted, folder: Path) -> Path:
    _needs("mpv")
    film = folder / "mpv.mkv"
    command = ["mpv", "--no-config", "--no-audio", f"--o={film}"]
    command += [f"--start={wanted.at_s}"] if wanted.at_s else []
    command += ["--ovc=libx264", "--ovcopts=preset=ultrafast,qp=10"]
    command += [f"--length={wanted.seconds}"] if wanted.seconds else []
    command += ["--rtsp-transport=tcp"] if wanted.url.startswith("rtsp") else []
    _run(*command, wanted.url)
    return film


def vlc(wanted: Wanted, folder: Path) -> Path:
    _needs("cvlc")
    if wanted.url.startswith("rtsp") and not any(Path("/usr/lib").glob(_VLC_RTSP)):
        pytest.skip("VLC is installed without RTSP")
    with tempfile.TemporaryDirectory() as name:
        open_folder = Path(name)
        open_folder.chmod(0o777)
        film = open_folder / "vlc.ts"
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        as_user += ["env", f"HOME={open_folder}"]  # VLC does not run as root
        sink = f"#std{{access=file,mux=ts,dst={film}}}"
        command = ["cvlc", "-q", "--no-audio", "--sout", sink]
        command += [f"--start-time={wanted.at_s}"] if wanted.at_s else []
        command += [f"--run-time={wanted.seconds + 3}"] if wanted.seconds else []
        command = (as_user if os.geteuid() == 0 else []) + command
        _run(*command, wanted.url, "vlc://quit", cwd=open_folder)
        return Path(shutil.copy(film, folder / "vlc.ts"))


FILMING: dict[str, Films] = {"ffmpeg": ffmpeg, "gstreamer": gstreamer, "mpv": mpv, "vlc": vlc}


class Timeline:
    """Which picture a playlist shows when, by what ffmpeg copies out of it."""

    def __init__(self, url: str, folder: Path) -> None:
        whole = folder / "whole.ts"
        _run("ffmpeg", "-v", "error", "-y", "-i", url, "-c", "copy", str(whole))
        with av.open(str(whole)) as opened:
            at_s = sorted(float(frame.time or 0.0) for frame in opened.decode(video=0))
        self._shown = list(zip((at - at_s[0] for at in at_s), counters(whole), strict=True))

    def around(self, at_s: float) -> range:
        """The counters of the picture at a second, and of those beside it.

        In a gap that is the one before and the one behind it: browsers show either.
        """
        due = [counter for shown_s, counter in self._shown if shown_s <= at_s][-1]
        behind = next((counter for shown_s, counter in self._shown if shown_s > at_s), due)
        return range(due - 1, behind + 2)


SHAKA = ASSETS / "players/node_modules/shaka-player/dist/shaka-player.compiled.js"

State = dict[str, Any]


class VideoPage:
    """A page with one video element, played by Chromium itself, by hls.js or by shaka-player."""

    def __init__(
        self, browser: Browser, origin: str, player: str, url: str, *, plays: bool = False
    ) -> None:
        """Load it; `plays` starts it as soon as there is a picture."""
        scripts = ["counter.js"]
        if player == "hls.js":
            scripts.append("hls.js/hls.light.min.js")
        if player == "shaka":
            if not SHAKA.exists():
                pytest.skip("shaka-player is not installed")
            scripts.append(str(SHAKA))
        self.page: Page = open_page(browser, origin, *scripts)
        self.page.evaluate(
            """([player, url, plays]) => {
              const video = document.createElement("video");
              Object.assign(video, { muted: true, id: "video", autoplay: plays });
              document.body.append(video);
              window.shown = watchFrames(video);
              window.faults = [];
              if (player === "hls.js") {
                const hls = window.hls = new Hls();
                hls.on(Hls.Events.ERROR, (_, data) => data.fatal && faults.push(data.details));
                hls.attachMedia(video);
                hls.loadSource(url);
              } else if (player === "shaka") {
                const made = window.shakaPlayer = new shaka.Player();
                const fault = (error) => faults.push(`shaka ${error.code}`);
                made.addEventListener("error", (event) => fault(event.detail));
                made.attach(video).then(() => made.load(url)).catch(fault);
              } else video.src = url;
            }""",
            [player, url, plays],
        )

    def state(self) -> State:
        """What the element says."""
        found: State = self.page.evaluate(
            "(() => { const v = document.querySelector('video'); return { ready: v.readyState,"
            " error: v.error?.message ?? faults[0] ?? null, duration: v.duration,"
            " at: v.currentTime, seeking: v.seeking, ended: v.ended } })()"
        )
        return found

    def until(self, condition: Callable[[State], object], what: str) -> None:
        """Wait for it; a fault ends the wait."""

        def look() -> object:
            state = self.state()
            assert state["error"] is None, f"{what}: {state}"
            return condition(state)

        wait_for(look, what, 40)

    def ready(self) -> float:
        """The duration, once there is a picture."""
        self.until(lambda s: (s["ready"] or 0) >= 2, "showing a picture")
        return float(self.state()["duration"] or 0)

    def jump(self, at_s: float, *, shows: range | None = None) -> None:
        """Jump, and see a picture there; `shows` has the counters that it may have."""
        self.page.evaluate("at => { document.querySelector('video').currentTime = at }", at_s)
        self.until(lambda s: not s["seeking"], f"at {at_s}")
        if shows is None:
            return
        deadline_s = time.monotonic() + SHOWS_WITHIN_S
        while (seen := self.counter()) not in shows and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert seen in shows, f"{seen} after a jump to {at_s} s: {self.state()}"

    def counter(self) -> int | None:
        """The counter of the picture that the element shows now."""
        found: int | None = self.page.evaluate(
            "readCounter(document.querySelector('video'), document.createElement('canvas'))"
        )
        return found

    def play(self) -> None:
        self.page.evaluate("document.querySelector('video').play()")

    def counters(self) -> list[int]:
        """The readable counters of the frames shown so far."""
        found: list[int] = self.page.evaluate(
            "shown.map((frame) => frame.counter).filter((counter) => counter !== null)"
        )
        return found

    def close(self) -> None:
        self.page.close()


BROWSING = ("chromium", "hls.js", "shaka")
