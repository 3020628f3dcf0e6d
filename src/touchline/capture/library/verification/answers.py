"""Answers about the integrity of a match's footage."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, OPEN_OBJECT, Undocumented, example


@with_config(ANSWER)
class Fault(TypedDict):
    """A fault in the footage, located as precisely as possible."""

    code: str
    """Machine-readable fault in snake_case, stable across versions."""
    what: str
    """Human-readable description."""
    camera: str
    """`camN`."""
    segment: str | None
    """File name; null if the fault is not in a file."""
    fragment: int | None
    """Number of the fragment in the file."""
    offset: int | None
    """Byte offset of the fragment in the file."""


@with_config(ANSWER)
class VerifiedCamera(TypedDict):
    """Verified footage of one camera."""

    segments: int
    """Number of segments."""
    fragments: int
    """Number of fragments."""
    frames: int
    """Number of frames."""
    recorded_s: float
    """Duration of the footage in seconds."""
    gaps_s: float
    """Known gaps in seconds."""
    expected_s: float | None
    """Expected duration in seconds, if known."""
    # Facts of the check that the manifest keeps as well; the contract does not name them.
    camera: NotRequired[Undocumented[str]]
    start_unix_ns: NotRequired[Undocumented[int | None]]
    newest: NotRequired[Undocumented[str | None]]
    newest_size_bytes: NotRequired[Undocumented[int]]
    faults: NotRequired[Undocumented[list[Fault]]]


class IntegrityRecord(TypedDict):
    """Result of a verification, as the manifest keeps it."""

    ok: Annotated[bool, Field(description="Whether there is footage without faults.")]
    checksums: Annotated[
        bool, Field(description="Whether every byte was read, not only the structure.")
    ]
    cameras: Annotated[dict[str, VerifiedCamera], Field(description="Results by `camN`.")]
    faults: Annotated[list[Fault], Field(description="Faults of all cameras.")]
    foreign: Annotated[
        list[str], Field(description="Video files that were not written by this server.")
    ]
    start_skew_s: Annotated[
        float | None,
        Field(description="Offset between the first frames of the cameras, in seconds."),
    ]


class OfMatch(TypedDict):
    """Match that an answer is about."""

    match_id: Annotated[str, Field(description="Match id.")]


@with_config(
    example(
        {
            "match_id": "match_20260211_001",
            "ok": False,
            "checksums": True,
            "cameras": {
                "cam0": {
                    "segments": 2,
                    "fragments": 4800,
                    "frames": 36000,
                    "recorded_s": 1200.0,
                    "gaps_s": 0.0,
                    "expected_s": None,
                }
            },
            "faults": [
                {
                    "code": "checksum",
                    "what": "the bytes are not those that were written",
                    "camera": "cam0",
                    "segment": "cam0_20260211_220241_01.mp4",
                    "fragment": 17,
                    "offset": 6291456,
                }
            ],
            "foreign": [],
            "start_skew_s": 0.004,
        }
    )
)
class Verification(OfMatch, IntegrityRecord):
    """Result of reading every fragment of every segment again."""


@with_config(ANSWER)
class ProbeResult(TypedDict):
    """Result of ffprobe, whose numbers are text. What it did not report is missing."""

    checked: bool
    """Whether ffprobe was run."""
    ok: bool | None
    """Whether it found a video; null without a result."""
    error: str | None
    """Its message, or the reason for having none."""
    cached: NotRequired[bool]
    """Whether this is the result of an earlier run."""
    duration: NotRequired[str]
    """Duration in seconds."""
    bit_rate: NotRequired[str]
    """Bits per second."""
    avg_frame_rate: NotRequired[str]
    """Average frame rate, such as "30/1"."""


@with_config(ANSWER)
class CameraIntegrity(TypedDict):
    """Integrity of one camera's segments."""

    segment_found: bool
    """Whether any footage was found."""
    segment_path: NotRequired[str | None]
    """Newest segment."""
    segment_size: NotRequired[int | None]
    """Size in bytes, if found."""
    integrity_checked: bool
    """Whether the segment was read."""
    integrity_ok: bool | None
    """Whether the segment is intact; null if unknown."""
    integrity_error: str | None
    """First fault found."""
    probe: NotRequired[Annotated[ProbeResult, OPEN_OBJECT] | None]
    """Output of ffprobe."""
    # Facts of our own check; the contract has ffprobe's only.
    segments: NotRequired[Undocumented[int]]
    fragments: NotRequired[Undocumented[int]]
    frames: NotRequired[Undocumented[int]]
    recorded_s: NotRequired[Undocumented[float]]
    expected_s: NotRequired[Undocumented[float | None]]
    gaps_s: NotRequired[Undocumented[float]]
    faults_count: NotRequired[Undocumented[int]]
    faults: NotRequired[Undocumented[list[Fault]]]


@with_config(ANSWER)
class Integrity(TypedDict):
    """Integrity of the footage, over every segment of the match."""

    checked: bool
    """Whether the segments of every camera were read."""
    all_ok: bool | None
    """Whether every segment is intact; null if unknown for any camera."""
    reason: str | None
    """Reason for not checking: segments_dir_missing or no_segments_found."""
    cameras: dict[str, CameraIntegrity]
    """Entries by `camera_N`."""
    start_skew_s: NotRequired[Undocumented[float | None]]
