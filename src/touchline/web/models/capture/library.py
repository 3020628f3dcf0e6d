"""The library: matches, their segments and files, and what is known of their integrity."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.web.models.base import Answer, Truth, example
from touchline.web.models.capture.processing import JobState


class MatchFile(Answer):
    """One camera's segments together, or a single file of the match."""

    file: str = Field(description="`camN` for segments, else the file's name.")
    type: Literal["segmented", "single"] = Field(description="Which of the two it is.")
    size_mb: float = Field(description="MiB.")
    created_at: int | None = Field(description="Unix seconds.")
    segment_count: int | None = Field(default=None, description="Only for segments.")
    path: str | None = Field(default=None, description="Where it is downloaded; only for files.")


class MatchEntry(Answer):
    """One match."""

    files: list[MatchFile]
    total_size_mb: float = Field(description="MiB of everything listed.")
    camera_count: int = Field(description="Cameras with footage.")
    segments_count: int = Field(description="Segments of all cameras.")
    created_at: int | None = Field(description="Unix seconds of the first segment.")
    state: Literal["recording", "finished", "interrupted"] | None = Field(
        default=None, description="This and what follows is missing for a match of others."
    )
    protected: bool | None = Field(default=None, description="It is kept from every deletion.")
    verified: bool | None = Field(
        default=None,
        description="Every byte was read and is good; false: not read yet, or found damaged.",
    )
    interruptions: int | None = Field(
        default=None, description="How often the recording broke off against our will."
    )
    gaps: int | None = Field(default=None, description="Stretches that a camera did not film.")
    started_at: float | None = Field(default=None, description="Unix seconds of its first instant.")
    duration_s: float | None = Field(default=None, description="From there to its last frame.")


class Recordings(Answer):
    """Every match with footage, by its id."""

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
    """One segment file."""

    name: str = Field(description="The file's name.")
    path: str = Field(description="Where it is downloaded.")
    size_mb: float = Field(description="MiB.")
    created_at: int = Field(description="Unix seconds.")
    segment_number: int = Field(description="From 1, in the order of recording, per camera.")
    camera: str = Field(description="`camN`, or `unknown`.")


class Segments(Answer):
    """The segments of a match by camera: `cam0`, `cam1`, any further `camN`, and `other`."""

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
    type: Literal["segmented", "single"] = Field(description="`single`: one segment in all.")
    cam0: list[Segment]
    cam1: list[Segment]
    other: list[Segment] = Field(description="Files whose names tell no camera.")
    total_size_mb: float = Field(description="MiB.")
    segments_count: int


class Deleted(Answer):
    """What a deletion freed."""

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
    """Post-processing of a match; never 404: an unknown match is one that was not processed."""

    model_config = example({"processing": False, "completed": False, "message": "Not processed"})

    processing: bool = Field(description="A job runs.")
    completed: bool | None = Field(default=None, description="A job has ended well.")
    message: str | None = Field(default=None, description="What that means, for people.")
    archives: dict[str, bool] | None = Field(default=None, description="Which archives exist.")
    status: str | None = Field(default=None, description="The job's state.")
    start_time: str | None = Field(default=None, description="Local ISO time.")
    duration_seconds: float | None = Field(default=None, description="Null while unknown.")
    progress: float | None = Field(default=None, description="0 to 1, over all its jobs.")
    eta_seconds: float | None = Field(default=None, description="Of the job that runs.")
    jobs: list[JobState] | None = Field(default=None, description="The match's jobs.")


class Fault(Answer):
    """One thing that is wrong with the footage, located as closely as it can be."""

    code: str = Field(description="What it is, for programs: stable, snake_case.")
    what: str = Field(description="What it is, for people.")
    camera: str = Field(description="`camN`.")
    segment: str | None = Field(description="The file; null where the fault is not in one.")
    fragment: int | None = Field(description="The fragment's number in that file.")
    offset: int | None = Field(description="The byte of that file at which it begins.")


class VerifiedCamera(Answer):
    """What was read of one camera."""

    segments: int
    fragments: int
    frames: int
    recorded_s: float = Field(description="Seconds of footage.")
    gaps_s: float = Field(description="Seconds known to be missing between them.")
    expected_s: float | None = Field(description="What there should be, where that is known.")


class ProtectRequest(BaseModel):
    """Whether the match is to be kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"protected": True}]})

    protected: Truth = Field(description="True keeps it from every deletion until it is false.")


class Protection(Answer):
    """Whether a match is kept from being deleted."""

    model_config = example({"match_id": "match_20260211_001", "protected": True})

    match_id: str = Field(description="The match.")
    protected: bool = Field(description="Neither a request nor a full disk deletes it.")


class Verification(Answer):
    """Every fragment of every segment read again, and each fault located."""

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
    ok: bool = Field(description="There is footage and no fault was found in it.")
    checksums: bool = Field(description="Every byte was read, not only the structure.")
    cameras: dict[str, VerifiedCamera] = Field(description="By `camN`.")
    faults: list[Fault]
    foreign: list[str] = Field(description="Video files that this server did not write.")
    start_skew_s: float | None = Field(description="Between the cameras' first frames.")
