"""Models of the library: matches, their segments and files, and their integrity."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.core.answers import example
from touchline.web.models.base import Answer, Truth
from touchline.web.models.capture.processing import JobState


class MatchFile(Answer):
    """All segments of one camera, or a single file of the match."""

    file: str = Field(description="`camN` for segments, otherwise the file name.")
    type: Literal["segmented", "single"] = Field(
        description="Kind of entry: segments of a camera or a single file."
    )
    size_mb: float = Field(description="MiB.")
    created_at: int | None = Field(description="Unix time in seconds.")
    segment_count: int | None = Field(
        default=None, description="Number of segments; only for segments."
    )
    path: str | None = Field(default=None, description="Download URL; only for files.")


class MatchEntry(Answer):
    """A recorded match."""

    files: list[MatchFile]
    total_size_mb: float = Field(description="Total size in MiB.")
    camera_count: int = Field(description="Number of cameras with footage.")
    segments_count: int = Field(description="Number of segments of all cameras.")
    created_at: int | None = Field(description="Start of the first segment in Unix seconds.")
    state: Literal["recording", "finished", "interrupted"] | None = Field(
        default=None,
        description="Format version of the manifest. This and the following fields are missing"
        " for matches recorded by other programs.",
    )
    protected: bool | None = Field(
        default=None, description="Whether the match is protected from deletion."
    )
    verified: bool | None = Field(
        default=None,
        description="Whether every byte was read back and is intact; false if not read yet or"
        " damaged.",
    )
    interruptions: int | None = Field(
        default=None, description="Number of unplanned interruptions of the recording."
    )
    gaps: int | None = Field(
        default=None, description="Number of gaps: intervals without footage of a camera."
    )
    started_at: float | None = Field(
        default=None, description="Start of the match in Unix seconds."
    )
    duration_s: float | None = Field(
        default=None, description="Seconds from the start to the last frame."
    )


class Recordings(Answer):
    """Matches with footage, by id."""

    model_config = example(
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
                }
            }
        }
    )

    recordings: dict[str, MatchEntry]


class Segment(Answer):
    """A segment file."""

    name: str = Field(description="File name.")
    path: str = Field(description="Download URL.")
    size_mb: float = Field(description="MiB.")
    created_at: int = Field(description="Unix time in seconds.")
    segment_number: int = Field(
        description="Sequence number per camera, from 1 in recording order."
    )
    camera: str = Field(description="Camera as `camN`, or `unknown`.")


class Segments(Answer):
    """Segments of a match by camera: `cam0`, `cam1`, further `camN`, and `other`."""

    model_config = example(
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

    match_id: str
    type: Literal["segmented", "single"] = Field(
        description="`single` if the match has exactly one segment."
    )
    cam0: list[Segment]
    cam1: list[Segment]
    other: list[Segment] = Field(description="Files whose names contain no camera.")
    total_size_mb: float = Field(description="MiB.")
    segments_count: int


class Deleted(Answer):
    """Result of a deletion."""

    model_config = example(
        {
            "status": "deleted",
            "match_id": "match_20260211_001",
            "files_deleted": 3,
            "size_mb_freed": 2861.02,
        }
    )

    status: Literal["deleted"]
    match_id: str
    files_deleted: int
    size_mb_freed: float = Field(description="MiB.")


class ProcessingStatus(Answer):
    """State of post-processing. An unknown match is reported as not processed, never as 404."""

    model_config = example({"processing": False, "completed": False, "message": "Not processed"})

    processing: bool = Field(description="Whether a job is running.")
    completed: bool | None = Field(
        default=None, description="Whether a job has completed successfully."
    )
    message: str | None = Field(default=None, description="Human-readable summary.")
    archives: dict[str, bool] | None = Field(default=None, description="Existing archives.")
    status: str | None = Field(default=None, description="State of the job.")
    start_time: str | None = Field(default=None, description="Local ISO time.")
    duration_seconds: float | None = Field(
        default=None, description="Duration of post-processing in seconds; null while unknown."
    )
    progress: float | None = Field(
        default=None, description="Progress over all jobs of the match, 0 to 1."
    )
    eta_seconds: float | None = Field(
        default=None, description="Estimated seconds left for the running job."
    )
    jobs: list[JobState] | None = Field(default=None, description="Jobs of the match.")


class Fault(Answer):
    """A fault in the footage, located as precisely as possible."""

    code: str = Field(description="Machine-readable fault in snake_case, stable across versions.")
    what: str = Field(description="Human-readable description.")
    camera: str = Field(description="`camN`.")
    segment: str | None = Field(description="File name; null if the fault is not in a file.")
    fragment: int | None = Field(description="Number of the fragment in the file.")
    offset: int | None = Field(description="Byte offset of the fragment in the file.")


class VerifiedCamera(Answer):
    """Verified footage of one camera."""

    segments: int
    fragments: int
    frames: int
    recorded_s: float = Field(description="Duration of the footage in seconds.")
    gaps_s: float = Field(description="Known gaps in seconds.")
    expected_s: float | None = Field(description="Expected duration in seconds, if known.")


class ProtectRequest(BaseModel):
    """Protection of a match."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"protected": True}]})

    protected: Truth = Field(description="Whether to protect the match from deletion.")


class Protection(Answer):
    """Protection of a match."""

    model_config = example({"match_id": "match_20260211_001", "protected": True})

    match_id: str = Field(description="Match id.")
    protected: bool = Field(
        description="Whether the match is protected from requests and from making space on a full"
        " disk."
    )


class Verification(Answer):
    """Result of reading every fragment of every segment again."""

    model_config = example(
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

    match_id: str
    ok: bool = Field(description="Whether there is footage without faults.")
    checksums: bool = Field(description="Whether every byte was read, not only the structure.")
    cameras: dict[str, VerifiedCamera] = Field(description="Results by `camN`.")
    faults: list[Fault]
    foreign: list[str] = Field(description="Video files that were not written by this server.")
    start_skew_s: float | None = Field(
        description="Offset between the first frames of the cameras, in seconds."
    )
