"""Errors of requests to external servers, in place of the exceptions of the HTTP library."""

from __future__ import annotations

from touchline.core.errors import Failed


class HttpFailed(Failed):
    """Request without a complete answer: no connection, a lost one, or an invalid answer."""

    default_code = "http_failed"


class AnswerRefused(HttpFailed):
    """Answer that does not meet the requirements of this client."""

    default_code = "http_answer_refused"
