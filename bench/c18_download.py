"""C18: a match of 27 GB downloaded as one archive: how soon it begins, and what it costs.

The segments are sparse files, so the disk is not what is measured.
"""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

import anyio
from _report import ROUNDS, Row, median, report, times

from touchline.capture.library import Library

SEGMENTS, SEGMENT_BYTES = 54, 500_000_000
EARLIER_BYTES = 100_000_000
FLOOR_SEGMENTS = 4


def make_match(folder: Path) -> None:
    folder.mkdir(parents=True)
    for n in range(SEGMENTS):
        with (folder / f"cam{n % 2}_20260211_220241_{n // 2:02}.mp4").open("wb") as file:
            file.truncate(SEGMENT_BYTES)


async def first_byte_ms(library: Library) -> float:
    began_s = time.perf_counter()
    archive = await library.archive("match")
    chunks = archive.chunks()
    await chunks.__anext__()
    taken_ms = (time.perf_counter() - began_s) * 1e3
    await chunks.aclose()  # type: ignore[attr-defined]
    return taken_ms


def memory_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def whole(library: Library) -> tuple[float, float]:
    """Gigabytes a second, and mebibytes that the process grew by at most."""
    before = peak = memory_bytes()
    archive = await library.archive("match")
    began_s, sent_bytes, pieces = time.perf_counter(), 0, 0
    async for chunk in archive.chunks():
        sent_bytes += len(chunk)
        pieces += 1
        if pieces % 4096 == 0:
            peak = max(peak, memory_bytes())
    if sent_bytes != archive.size_bytes:
        raise SystemExit(f"{sent_bytes} bytes came of {archive.size_bytes}")
    return sent_bytes / 1e9 / (time.perf_counter() - began_s), (peak - before) / (1 << 20)


def deflated_first_ms(source: Path, scratch: Path) -> float:
    """As the earlier system did: nothing is sent before the whole is deflated into a file."""
    began_s = time.perf_counter()
    with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(source, "match/cam0.mp4")
    return (time.perf_counter() - began_s) * 1e3


def floor(folder: Path) -> float:
    """Gigabytes a second of reading and summing alone, which no ZIP can do without."""
    began_s, read_bytes, crc = time.perf_counter(), 0, 0
    for path in sorted(folder.iterdir())[:FLOOR_SEGMENTS]:
        with path.open("rb", buffering=0) as file:
            while data := file.read(1 << 16):
                crc = zlib.crc32(data, crc)
                read_bytes += len(data)
    return read_bytes / 1e9 / (time.perf_counter() - began_s)


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        root = Path(name) / "recordings"
        make_match(root / "match" / "segments")
        source = Path(name) / "earlier.mp4"
        source.write_bytes(os.urandom(EARLIER_BYTES))  # video does not deflate either
        library = Library(root, is_running=lambda _: False)
        ours_ms, earlier_ms = [], []
        for _ in range(ROUNDS):
            ours_ms.append(await first_byte_ms(library))
            earlier_ms.append(deflated_first_ms(source, Path(name) / "earlier.zip"))
        floors = [floor(root / "match" / "segments")]
        rate, grown_mib = await whole(library)
        floors.append(floor(root / "match" / "segments"))
        report(
            [
                Row(
                    "C18",
                    "27 GB match as an archive, first byte (without HTTP)",
                    f"{median(ours_ms):.1f} ms, worst {max(ours_ms):.1f}",
                    "<= 100 ms",
                    max(ours_ms) <= 100,
                    f"0.1 GB deflated into a file first: {median(earlier_ms):.0f} ms",
                    times(median(ours_ms), median(earlier_ms)),
                ),
                Row(
                    "C18",
                    f"the whole of it, at {rate:.2f} GB/s",
                    f"{grown_mib:.1f} MiB more memory",
                    "constant memory",
                    grown_mib <= 32,
                    f"reading and CRC-32 alone: {median(floors):.2f} GB/s",
                    f"{rate / median(floors):.2f} of it",
                ),
            ]
        )


if __name__ == "__main__":
    anyio.run(main)
