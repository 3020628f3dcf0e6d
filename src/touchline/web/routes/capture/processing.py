"""Routes of post-processing: a queue of jobs for matches, run one at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from touchline.capture import JobList, JobRemoved, JobState, MadeOfMatch
from touchline.web.auth.auth import NEEDS_KEY, PRIVATE
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.models.capture.processing import ProcessMatch

router = APIRouter(
    prefix="/api/v1", tags=["processing"], responses=may_answer(500), route_class=Route
)

JobId = Annotated[str, Path(min_length=1, max_length=64, description="Job id.")]


@router.post(
    "/recordings/{match_id}/process",
    name="process_match",
    operation_id="process_match",
    summary="Process a match",
    response_model=JobList,
    responses=may_answer(401, 403, 404, 409, 413),
    dependencies=[NEEDS_KEY],
)
async def process_match(
    match_id: Annotated[str, Path(description="Match id.")],
    body: ProcessMatch,
    capture: CaptureDep,
) -> Response:
    """Queue post-processing jobs for a match. A job that is already queued is not added again."""
    jobs = await capture.processing.start(match_id, body.steps, body.params())
    return answer(JobList(jobs=[job.to_json() for job in jobs]))


@router.get(
    "/recordings/{match_id}/made",
    name="made_of_match",
    operation_id="get_made_of_match",
    summary="Get the results of post-processing",
    response_model=MadeOfMatch,
    responses=may_answer(401, 403, 404),
    dependencies=[PRIVATE],
)
async def get_made(
    match_id: Annotated[str, Path(description="Match id.")], capture: CaptureDep
) -> Response:
    """Return the existing archives, panorama with its calibration, thumbnails and uploads."""
    return answer(await capture.processing.results.of_match(match_id))


@router.get(
    "/processing/jobs",
    name="jobs",
    operation_id="list_jobs",
    summary="List jobs",
    response_model=JobList,
    responses=may_answer(401, 403),
    dependencies=[PRIVATE],
)
async def list_jobs(
    capture: CaptureDep,
    match_id: Annotated[
        str | None, Query(max_length=128, description="Only jobs of this match.")
    ] = None,
) -> Response:
    """List jobs, oldest first. One job runs at a time."""
    jobs = capture.jobs.all() if match_id is None else capture.jobs.of_match(match_id)
    return answer(JobList(jobs=[job.to_json() for job in jobs]))


@router.get(
    "/processing/jobs/{job_id}",
    name="job",
    operation_id="get_job",
    summary="Get a job",
    response_model=JobState,
    responses=may_answer(401, 403, 404),
    dependencies=[PRIVATE],
)
async def get_job(job_id: JobId, capture: CaptureDep) -> Response:
    """Return the progress of a job and the reason for a failure."""
    return answer(capture.jobs.get(job_id).to_json())


@router.post(
    "/processing/jobs/{job_id}/retry",
    name="job_retry",
    operation_id="retry_job",
    summary="Repeat a job",
    response_model=JobState,
    responses=may_answer(401, 403, 404, 409),
    dependencies=[NEEDS_KEY],
)
async def retry_job(job_id: JobId, capture: CaptureDep) -> Response:
    """Repeat a failed or cancelled job. It resumes from completed work."""
    return answer((await capture.jobs.retry(job_id)).to_json())


@router.post(
    "/processing/jobs/{job_id}/cancel",
    name="job_cancel",
    operation_id="cancel_job",
    summary="Cancel a job",
    response_model=JobState,
    responses=may_answer(401, 403, 404, 409),
    dependencies=[NEEDS_KEY],
)
async def cancel_job(job_id: JobId, capture: CaptureDep) -> Response:
    """Cancel a queued or running job. Completed work is kept."""
    return answer((await capture.jobs.cancel(job_id)).to_json())


@router.delete(
    "/processing/jobs/{job_id}",
    name="job",
    operation_id="remove_job",
    summary="Delete a job",
    response_model=JobRemoved,
    responses=may_answer(401, 403, 404, 409),
    dependencies=[NEEDS_KEY],
)
async def remove_job(job_id: JobId, capture: CaptureDep) -> Response:
    """Delete a finished job from the list. Its results are kept."""
    await capture.jobs.remove(job_id)
    return answer(JobRemoved(removed=job_id))
