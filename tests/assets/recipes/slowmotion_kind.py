"""Job kind: the server's half of a job. Goes to capture/jobkinds/slowmotion.py."""

from __future__ import annotations

from touchline.capture.jobkinds.kind import JobKind

SLOWMOTION = JobKind("slowmotion", params={"factor": 4})
