"""Answers about the library: matches with their segments and files, and their markers."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from touchline.capture.library.manifest.detailsfile import MatchDetails
from touchline.capture.library.manifest.manifest import State
from touchline.core.answers import ANSWER, example


@with_config(ANSWER)
class MatchFile(TypedDict):
    """All segments of one camera, or a single file of the match."""

    file: str
    """`camN` for segments, otherwise the file name."""
    type: Literal["segmented", "single"]
    """Kind of entry: segments of a camera or a single file."""
    size_mb: float
    """Size in MiB."""
    created_at: int | None
    """Unix time in seconds."""
    segment_count: NotRequired[int | None]
    """Number of segments; only for segments."""
    path: NotRequired[str | None]
    """Download URL; only for files."""


class ManifestFields(TypedDict, total=False):
    """Fields of a match from its manifest."""

    state: Annotated[
        State | None,
        Field(
            description="State of the recording. For matches of other programs this, `protected`,"
            " `verified`, `interruptions`, `gaps`, `started_at` and `duration_s` are missing."
        ),
    ]
    protected: Annotated[
        bool | None, Field(description="Whether the match is protected from deletion.")
    ]
    verified: Annotated[
        bool | None,
        Field(
            description="Whether every byte was read back and is intact; false if not read yet or"
            " damaged."
        ),
    ]
    interruptions: Annotated[
        int | None, Field(description="Number of unplanned interruptions of the recording.")
    ]
    gaps: Annotated[
        int | None, Field(description="Number of gaps: intervals without footage of a camera.")
    ]
    started_at: Annotated[float | None, Field(description="Start of the match in Unix seconds.")]
    duration_s: Annotated[
        float | None, Field(description="Seconds from the start to the last frame.")
    ]


class DetailsField(TypedDict, total=False):
    """Details of a match, if any were entered."""

    details: Annotated[
        MatchDetails, Field(description="Details of the match; missing if none were entered.")
    ]


@with_config(ANSWER)
class MatchEntry(ManifestFields, DetailsField):
    """A recorded match."""

    files: list[MatchFile]
    """Segments by camera, and single files."""
    total_size_mb: float
    """Total size in MiB."""
    camera_count: int
    """Number of cameras with footage."""
    segments_count: int
    """Number of segments of all cameras."""
    created_at: int | None
    """Start of the first segment in Unix seconds."""
    poster: NotRequired[str | None]
    """URL of the picture that stands for the match, which the first request creates; null without
    footage of a camera."""


@with_config(
    example(
        {
            "recordings": {
                "match_20260211_001": {
                    "files": [
                        {
                            "file": "cam0",
                            "type": "segmented",
                            "segment_count": 2,
                            "size_mb": 1430.51,
                            "created_at": 1770836561,
                        }
                    ],
                    "total_size_mb": 1430.51,
                    "camera_count": 1,
                    "segments_count": 2,
                    "created_at": 1770836561,
                    "poster": "/api/v1/matches/match_20260211_001/poster.jpg",
                }
            }
        }
    )
)
class Recordings(TypedDict):
    """Matches with footage, by id."""

    recordings: dict[str, MatchEntry]
    """Entries by match id."""


@with_config(ANSWER)
class Segment(TypedDict):
    """A segment file."""

    name: str
    """File name."""
    path: str
    """Download URL."""
    size_mb: float
    """Size in MiB."""
    created_at: int
    """Unix time in seconds."""
    segment_number: int
    """Sequence number per camera, from 1 in recording order."""
    camera: str
    """Camera as `camN`, or `unknown`."""


@with_config(
    example(
        {
            "match_id": "match_20260211_001",
            "type": "single",
            "cam0": [
                {
                    "name": "cam0_20260211_220241_00.mp4",
                    "path": "/api/v1/recordings/match_20260211_001/segments/"
                    "cam0_20260211_220241_00.mp4",
                    "size_mb": 3.85,
                    "created_at": 1770836561,
                    "segment_number": 1,
                    "camera": "cam0",
                }
            ],
            "cam1": [],
            "other": [],
            "total_size_mb": 3.85,
            "segments_count": 1,
        }
    )
)
class Segments(TypedDict):
    """Segments of a match: `cam0`, `cam1`, and `other` for all further files."""

    match_id: str
    """Match id."""
    type: Literal["segmented", "single"]
    """`single` if the match has exactly one segment."""
    cam0: list[Segment]
    """Segments of camera 0."""
    cam1: list[Segment]
    """Segments of camera 1."""
    other: list[Segment]
    """Segments of further cameras, and files whose names contain no camera."""
    total_size_mb: float
    """Total size in MiB."""
    segments_count: int
    """Number of segments of all cameras."""


@with_config(
    example(
        {
            "status": "deleted",
            "match_id": "match_20260211_001",
            "files_deleted": 3,
            "size_mb_freed": 2861.02,
        }
    )
)
class Deleted(TypedDict):
    """Result of a deletion."""

    status: Literal["deleted"]
    """Always `deleted`."""
    match_id: str
    """Match id."""
    files_deleted: int
    """Number of deleted files."""
    size_mb_freed: float
    """Freed space in MiB."""


@with_config(example({"match_id": "match_20260211_001", "protected": True}))
class Protection(TypedDict):
    """Protection of a match."""

    match_id: str
    """Match id."""
    protected: bool
    """Whether the match is protected from requests and from making space on a full disk."""


MarkerKind = Literal[
    "goal",
    "corner",
    "card",
    "substitution",
    "chance",
    "save",
    "foul",
    "kickoff",
    "whistle",
    "other",
]


@with_config(ANSWER)
class MarkerState(TypedDict):
    """A marker: a moment of a match."""

    marker_id: str
    """Marker id."""
    kind: MarkerKind
    """Kind of moment."""
    text: str
    """Text, as entered."""
    team: str
    """Team, as entered."""
    at: float
    """Seconds from the start of the match."""
    at_unix_ms: int
    """Unix time of the moment, in milliseconds."""
    created_unix_ms: int
    """Unix time at which the marker was added, in milliseconds."""


@with_config(ANSWER)
class MarkerList(TypedDict):
    """Markers of a match, ordered by time."""

    markers: list[MarkerState]
    """Markers, ordered by time."""


@with_config(ANSWER)
class MarkerRemoved(TypedDict):
    """Confirmation of a removed marker."""

    removed: str
    """Id of the marker."""
