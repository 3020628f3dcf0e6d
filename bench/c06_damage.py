"""C6: damage to a recorded match, of every kind and in random places, found and located.

The footage is H.264 from x264 in segments as the worker writes them, so that the peer (ffprobe on
the header of the newest segment, which is all that the earlier system looked at) has a fair chance.
"""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import _options
import anyio
from _report import Row, interleaved, median, report, times

from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.verification.integrity import verify_match
from touchline.capture.library.verification.integrityreport import MatchFault
from touchline.capture.library.verification.probe import Prober
from touchline.capture.library.verification.segmentcheck import check_segment
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import scan, writer
from touchline.media.mp4.fragment import fragment_part
from touchline.media.mp4.sample import Mp4Sample, ticks

CASES, PROBED = 1_000, 40
FRAME_NS = 40_000_000
FRAMES_A_FRAGMENT = 10
START_UNIX_NS = 1_770_847_361_000_000_000
NAMES = ("cam0_20260211_220241_00.mp4", "cam0_20260211_220241_01.mp4")
FRAGMENTS = 10


class Damage:
    """What was done to which segment; `fragments` are those that may be named, None the end."""

    def __init__(self, kind: str, segment: str, fragments: set[int | None]) -> None:
        self.kind, self.segment, self.fragments = kind, segment, fragments

    def is_located_by(self, faults: tuple[MatchFault, ...]) -> bool:
        """Some fault names the segment, and none names a fragment that is whole."""
        own = [fault for fault in faults if fault.segment == self.segment]
        named = {fault.fragment for fault in own if fault.code == "damaged"}
        return bool(own) and named <= self.fragments | {None}


def h264() -> tuple[Codec, list[bytes]]:
    """Coded frames with their sizes in front, as MP4 has them, and what decodes them."""
    command = [
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=8"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "aud=1:keyint=10:scenecut=0"),
        *("-f", "h264", "-"),
    ]
    stream = subprocess.run(command, check=True, capture_output=True).stdout
    frames: list[list[bytes]] = []
    sps = pps = b""
    for unit in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]:
        kind = unit[0] & 0x1F
        if kind == 9:
            frames.append([])
        elif kind == 7:
            sps = unit
        elif kind == 8:
            pps = unit
        else:
            frames[-1].append(unit)
    avcc = b"\1" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    avcc += b"\1" + len(pps).to_bytes(2, "big") + pps
    coded = [b"".join(len(unit).to_bytes(4, "big") + unit for unit in units) for units in frames]
    return Codec(640, 360, avcc), coded


def write_segment(path: Path, codec: Codec, frames: list[bytes], start_unix_ns: int) -> None:
    parts = [writer.init_part(codec)]
    for first in range(0, len(frames), FRAMES_A_FRAGMENT):
        samples = []
        for n in range(first, first + FRAMES_A_FRAGMENT):
            dts, end = ticks(n * FRAME_NS), ticks((n + 1) * FRAME_NS)
            samples.append(Mp4Sample(frames[n], dts, dts, end - dts, n == first))
        sequence = first // FRAMES_A_FRAGMENT + 1
        parts.append(fragment_part(sequence, samples, start_unix_ns + first * FRAME_NS))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(parts))
    scan.salvage(path)


class Match:
    """Two segments of 4 s, and how to damage and mend them."""

    def __init__(self, folder: Path, codec: Codec, frames: list[bytes]) -> None:
        self.folder = folder
        half = FRAGMENTS * FRAMES_A_FRAGMENT
        for n, name in enumerate(NAMES):
            start = START_UNIX_NS + n * half * FRAME_NS
            write_segment(folder / "segments" / name, codec, frames[n * half :][:half], start)
        self.manifest: Manifest = rescan(folder)
        self.whole = {name: (folder / "segments" / name).read_bytes() for name in NAMES}
        self.places = {
            name: [
                (f.offset, f.offset + f.size_bytes)
                for f in scan.scan(folder / "segments" / name, checksums=False).fragments
            ]
            for name in NAMES
        }

    def mend(self) -> None:
        """Every segment as it was."""
        for name, data in self.whole.items():
            (self.folder / "segments" / name).write_bytes(data)

    def damage(self, rng: random.Random) -> Damage:
        """Do something to one of the segments."""
        name = rng.choice(NAMES)
        path, data, places = self.folder / "segments" / name, self.whole[name], self.places[name]
        kind = rng.choice(("flip", "flip", "cut", "removed", "swapped", "missing", "short"))
        fragments: set[int | None] = set()
        if kind == "flip":
            at = rng.randrange(len(data))
            path.write_bytes(data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :])
            fragments = {n for n, (start, end) in enumerate(places, 1) if start <= at < end} or {0}
        elif kind == "cut":
            at = rng.randrange(len(data))
            path.write_bytes(data[:at])
            fragments = {n for n, (start, end) in enumerate(places, 1) if start <= at < end} or {0}
            if at >= places[-1][1]:
                fragments = {None}
            fragments |= {n for n, (start, _) in enumerate(places, 1) if start == at}
        elif kind in ("removed", "swapped"):
            order = list(range(1, FRAGMENTS + 1))
            n = rng.randrange(FRAGMENTS - 1)
            if kind == "removed":
                del order[n]
                fragments = {n + 1}
            else:
                order[n], order[n + 1] = order[n + 1], order[n]
                fragments = {n + 1, n + 2, n + 3}
            middle = b"".join(data[slice(*places[i - 1])] for i in order)
            path.write_bytes(data[: places[0][0]] + middle + data[places[-1][1] :])
        elif kind == "missing":
            path.unlink()
        else:
            kept = places[rng.randrange(FRAGMENTS - 1)][1]
            opened = bytearray(data[:kept])
            opened[writer.FREE_OFFSET : writer.FREE_OFFSET + 16] = writer.FREE
            path.write_bytes(opened)
            scan.salvage(path)  # a whole file in itself, only too short
        return Damage(kind, name, fragments)


def false_alarms(folder: Path, codec: Codec, frames: list[bytes], cases: int) -> int:
    rng = random.Random(6)
    alarms = 0
    for _ in range(cases):
        fragments = rng.randrange(1, FRAGMENTS)
        first = rng.randrange(len(frames) // FRAMES_A_FRAGMENT - fragments) * FRAMES_A_FRAGMENT
        path = folder / "segments" / NAMES[0]
        write_segment(
            path, codec, frames[first : first + fragments * FRAMES_A_FRAGMENT], START_UNIX_NS
        )
        alarms += bool(check_segment(folder, NAMES[0], checksums=True).faults)
    return alarms


def found_by_us(match: Match, cases: int) -> tuple[int, int, set[str]]:
    rng = random.Random(6)
    found = located = 0
    missed: set[str] = set()
    for _ in range(cases):
        damage = match.damage(rng)
        faults = verify_match(match.folder, match.manifest, checksums=True).faults
        match.mend()
        found += bool(faults)
        if damage.is_located_by(faults):
            located += 1
        else:
            missed.add(damage.kind)
    return found, located, missed


def found_by_probe(match: Match, cases: int) -> int:
    """How often ffprobe objects to the newest segment's header."""
    rng = random.Random(6)
    prober = Prober(timeout_s=8)
    found = 0
    for _ in range(cases):
        match.damage(rng)
        segments = sorted((match.folder / "segments").iterdir())
        found += anyio.run(prober.probe, segments[-1]).ok is not True
        match.mend()
    return found


def timed(call: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        began_s = time.perf_counter()
        call()
        return (time.perf_counter() - began_s) * 1e3

    return measure


def read_and_sum(path: Path) -> int:
    crc = 0
    with path.open("rb", buffering=0) as file:
        while data := file.read(1 << 20):
            crc = zlib.crc32(data, crc)
    return crc


def long_segment(folder: Path, codec: Codec, frames: list[bytes]) -> Path:
    """Ten minutes in 2,400 fragments of ten frames (the pictures repeat)."""
    path = folder / "segments" / NAMES[0]
    again = [frames[n % len(frames)] for n in range(24_000)]
    write_segment(path, codec, again, START_UNIX_NS)
    return path


def rows(root: Path, *, cases: int, rounds: int) -> Iterator[Row]:
    codec, frames = h264()
    match = Match(root / "match", codec, frames)
    found, located, missed = found_by_us(match, cases)
    probes = min(cases, PROBED)
    probed = found_by_probe(match, probes)
    yield Row(
        "C6",
        f"damage found / located to the fragment, {cases} cases",
        f"{100 * found / cases:.4g} % / {100 * located / cases:.4g} %"
        + (f" (not located: {', '.join(sorted(missed))})" if missed else ""),
        "100 % / 100 %",
        found == located == cases,
        f"ffprobe on the newest segment's header ({probes} cases): {100 * probed / probes:.3g} %",
        times(1 / max(found / cases, 1e-9), 1 / max(probed / probes, 1e-9)),
    )
    alarms = false_alarms(root / "clean", codec, frames, cases)
    yield Row("C6", f"false alarms in {cases} clean files", str(alarms), "0", alarms == 0)

    path = long_segment(root / "long", codec, frames)
    folder, size_mib = path.parent.parent, path.stat().st_size / (1 << 20)
    taken = interleaved(
        {
            "walk": timed(lambda: check_segment(folder, path.name, checksums=False)),
            "deep": timed(lambda: check_segment(folder, path.name, checksums=True)),
            "crc": timed(lambda: read_and_sum(path)),
        },
        rounds=rounds,
    )
    walk_ms, deep_ms, crc_ms = (median(taken[key]) for key in ("walk", "deep", "crc"))
    yield Row(
        "C6",
        "walk through a ten-minute segment (2,400 fragments)",
        f"{walk_ms:.0f} ms",
        "<= 60 ms",
        walk_ms <= 60,
    )
    yield Row(
        "C6",
        f"the same with every checksum, {size_mib:.0f} MiB",
        f"{deep_ms:.0f} ms",
        "-",
        met=True,
        peer=f"reading and CRC-32 alone: {crc_ms:.0f} ms",
        ratio=times(deep_ms, crc_ms),
    )


def main() -> None:
    options = _options.parser(__doc__)
    options.add_size("cases", CASES, quick=20, what="files damaged, and as many that are whole")
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        report(list(rows(Path(name), cases=args.cases, rounds=args.rounds)))


if __name__ == "__main__":
    main()
