"""C18: a match of 27 GB downloaded from the server: how soon it begins, and what it costs.

The segments are sparse files, so the disk is not what is measured; client and server share the CPU.
"""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

import _options
from _download_server import Server, serving
from _report import Row, interleaved, median, report, times

SEGMENTS, SEGMENT_BYTES = 54, 500_000_000
EARLIER_MB = 100
FLOOR_SEGMENTS = 4
URL = "/api/v1/recordings/match/download"


def make_match(folder: Path, segments: int) -> None:
    folder.mkdir(parents=True)
    for n in range(segments):
        with (folder / f"cam{n % 2}_20260211_220241_{n // 2:02}.mp4").open("wb") as file:
            file.truncate(SEGMENT_BYTES)


def first_byte_ms(server: Server) -> float:
    """From the connection to the first byte of the archive itself."""
    began_s = time.perf_counter()
    connection = server.connection()
    connection.request("GET", URL)
    if connection.getresponse().read(1) != b"P":
        raise SystemExit("this is no archive")
    taken_ms = (time.perf_counter() - began_s) * 1e3
    connection.close()
    return taken_ms


def whole(server: Server) -> tuple[float, float]:
    """Gigabytes a second, and mebibytes that the server grew by at most."""
    before = peak = server.memory_bytes()
    connection = server.connection()
    began_s, came_bytes = time.perf_counter(), 0
    connection.request("GET", URL)
    response = connection.getresponse()
    announced_bytes = int(response.headers["content-length"])
    buffer = bytearray(1 << 20)
    measured_at = 0
    while count := response.readinto(buffer):
        came_bytes += count
        if came_bytes - measured_at > 200_000_000:
            measured_at, peak = came_bytes, max(peak, server.memory_bytes())
    connection.close()
    if came_bytes != announced_bytes:
        raise SystemExit(f"{came_bytes} bytes came of {announced_bytes}")
    return came_bytes / 1e9 / (time.perf_counter() - began_s), (peak - before) / (1 << 20)


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


def main() -> None:
    options = _options.parser(__doc__)
    options.add_size("segments", SEGMENTS, quick=2, what="of the match, each of half a gigabyte")
    options.add_size("earlier-mb", EARLIER_MB, quick=5, what="that the earlier system deflated")
    args = options.parse_args()
    size_gb = args.segments * SEGMENT_BYTES / 1e9
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        data = Path(name)
        segments = data / "recordings" / "match" / "segments"
        make_match(segments, args.segments)
        source = data / "earlier.mp4"
        source.write_bytes(os.urandom(args.earlier_mb * 1_000_000))  # video does not deflate either
        with serving(data) as server:
            first_byte_ms(server)
            taken = interleaved(
                {
                    "ours": lambda: first_byte_ms(server),
                    "earlier": lambda: deflated_first_ms(source, data / "earlier.zip"),
                },
                rounds=args.rounds,
            )
            floors = [floor(segments)]
            rate, grown_mib = whole(server)
            floors.append(floor(segments))
        report(
            [
                Row(
                    "C18",
                    f"{size_gb:g} GB match as an archive over HTTP, first byte",
                    f"{median(taken['ours']):.1f} ms, worst {max(taken['ours']):.1f}",
                    "<= 5 ms",
                    median(taken["ours"]) <= 5,
                    f"{args.earlier_mb / 1e3:g} GB (not {size_gb:g}) deflated into a file first, as"
                    f" the earlier system did: {median(taken['earlier']):.0f} ms",
                    times(median(taken["ours"]), median(taken["earlier"])),
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
    main()
