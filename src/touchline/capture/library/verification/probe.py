"""Inspection of a file's header by ffprobe, as an independent second opinion."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from touchline.capture.library.verification.answers import ProbeResult
from touchline.core import patience

_KEPT_S = 10.0
_KEPT_MOST = 200
_COMMAND = (
    *("ffprobe", "-v", "error", "-select_streams", "v:0"),
    *("-show_entries", "stream=codec_name,avg_frame_rate"),
    *("-show_entries", "format=duration,size,bit_rate", "-of", "json"),
)


@dataclass(frozen=True)
class Probe:
    """Result of ffprobe; `ok` is None if there is no result.

    ffprobe's numbers are kept as text.
    """

    checked: bool
    ok: bool | None
    error: str | None = None
    cached: bool = False
    duration: str | None = None
    bit_rate: str | None = None
    avg_frame_rate: str | None = None

    def to_json(self) -> ProbeResult:
        """Return the contract's probe result.

        What ffprobe did not report is left out.
        """
        result: ProbeResult = {
            "checked": self.checked,
            "ok": self.ok,
            "error": self.error,
            "cached": self.cached,
        }
        if self.duration is not None:
            result["duration"] = self.duration
        if self.bit_rate is not None:
            result["bit_rate"] = self.bit_rate
        if self.avg_frame_rate is not None:
            result["avg_frame_rate"] = self.avg_frame_rate
        return result


class Prober:
    """Runner of ffprobe, for `timeout_s` at most, with a cache of 10 s.

    A result counts only as long as the file's size and change time stay the same.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        command: tuple[str, ...] = _COMMAND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._command = command
        self._clock = clock
        self._kept: dict[tuple[str, int, int], tuple[float, Probe]] = {}

    async def probe(self, path: Path) -> Probe:
        """Return ffprobe's result for the file.

        Never raises: an error is reported as the probe's `error`.
        """
        try:
            status = await anyio.Path(path).stat()
        except OSError as error:
            return Probe(checked=True, ok=False, error=f"ffprobe_exception:{error}")
        key = (os.fspath(path), status.st_mtime_ns, status.st_size)
        kept = self._kept.get(key)
        if kept is not None and self._clock() - kept[0] < _KEPT_S:
            return replace(kept[1], cached=True)
        probe = await self._ask(path)
        if probe.checked:
            self._kept.pop(key, None)
            while len(self._kept) >= _KEPT_MOST:
                del self._kept[next(iter(self._kept))]  # the oldest: dicts keep their order
            self._kept[key] = (self._clock(), probe)
        return probe

    async def _ask(self, path: Path) -> Probe:
        command = [*self._command, _file_argument(path)]
        try:
            with patience.fail_after(self._timeout_s):
                # Leaving the scope kills the process and waits for it.
                done = await anyio.run_process(command, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            return Probe(checked=False, ok=None, error="ffprobe_not_available")
        except TimeoutError:
            error = f"ffprobe_exception:no answer within {self._timeout_s:g} s"
            return Probe(checked=True, ok=False, error=error)
        except OSError as error:
            return Probe(checked=True, ok=False, error=f"ffprobe_exception:{error}")
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            return Probe(checked=True, ok=False, error=said or f"ffprobe_exit_{done.returncode}")
        return read_answer(done.stdout)


def _file_argument(path: Path) -> str:
    # An absolute path cannot be taken for an option or for one of ffprobe's protocols.
    return os.fspath(path.absolute())


def read_answer(text: bytes) -> Probe:
    """Parse ffprobe's JSON output."""
    try:
        answer = json.loads(text)
        streams = answer.get("streams") or []
        form = answer.get("format") or {}
        if not streams:
            return Probe(checked=True, ok=False, error="no_video_stream")
        return Probe(
            checked=True,
            ok=True,
            duration=_text(form.get("duration")),
            bit_rate=_text(form.get("bit_rate")),
            avg_frame_rate=_text(streams[0].get("avg_frame_rate")),
        )
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        return Probe(checked=True, ok=False, error=f"ffprobe_exception:{error}")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
