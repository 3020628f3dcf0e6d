"""Segment files that grow as if a camera were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support import segmentfiles
from touchline.ipc import wire
from touchline.media.mp4 import scan

FRAGMENT_NS = segmentfiles.FRAME_NS * segmentfiles.FRAMES_A_FRAGMENT


class Segment:
    """A segment file that grows by whole fragments."""

    def __init__(self, order: wire.RecordOrder, index: int, start_unix_ns: int) -> None:
        while True:
            name = f"{order.prefix}_{order.label}_{index:02d}.mp4"
            self.path = Path(order.directory, name)
            try:
                self.path.touch(exist_ok=False)
            except FileExistsError:
                index += 1
                continue
            break
        self.index = index
        self.start_unix_ns = start_unix_ns
        self.fragments = 0
        self.finalized = False
        self.path.write_bytes(segmentfiles.join([]))

    def write_until(self, unix_ns: int) -> None:
        while self.start_unix_ns + self.fragments * FRAGMENT_NS < unix_ns:
            self.fragments += 1
            data = segmentfiles.fragment(self.fragments, start_unix_ns=self.start_unix_ns)
            with self.path.open("ab") as file:
                file.write(data)

    def finish(self) -> None:
        if not self.finalized and self.path.exists():
            scan.salvage(self.path)
            self.finalized = True

    def info(self) -> dict[str, Any]:
        return {
            "name": self.path.name,
            "index": self.index,
            "start_unix_ns": self.start_unix_ns,
            "end_unix_ns": self.start_unix_ns + self.fragments * FRAGMENT_NS,
            "frames": self.fragments * segmentfiles.FRAMES_A_FRAGMENT,
            "fragments": self.fragments,
            "size_bytes": self.path.stat().st_size if self.path.exists() else 0,
            "finalized": self.finalized,
        }
