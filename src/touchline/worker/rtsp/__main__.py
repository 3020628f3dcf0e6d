"""The program `python -m touchline.worker.rtsp`: describe one camera and exit.

It reads a JSON object from standard input, `{"url": …, "user": …, "password": …, "verify_tls": …,
"track": …}` of which only the URL is required, so that no password appears in a process list. It
prints one JSON line: `{"ok": true, "track": …, "codec": …, "width": …, "height": …, "tracks":
[…]}`, or `{"ok": false, "refusal": "credentials" | "busy" | null, "message": …}`. Its exit status
is 0 for the first, 1 for the second and 2 for invalid input.
"""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from touchline.worker.rtsp.describing import describe
from touchline.worker.rtsp.errors import RtspError

_MAX_INPUT_CHARS = 64 << 10


def main(source: TextIO, output: TextIO) -> int:
    """Read the request, print the answer and return the exit status."""
    try:
        asked = json.loads(source.read(_MAX_INPUT_CHARS))
        url, user, password = asked["url"], asked.get("user"), asked.get("password")
        track, verify = asked.get("track"), asked.get("verify_tls", True)
        texts = all(each is None or isinstance(each, str) for each in (user, password))
        known = isinstance(track, (str, int, type(None))) and isinstance(verify, bool)
        if not (isinstance(url, str) and texts and known):
            raise TypeError("a field has the wrong type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        _print_json(
            output, {"ok": False, "refusal": None, "message": "the input is not such an object"}
        )
        return 2
    try:
        offer = describe(url, user, password, verify_tls=verify, track=track)
    except RtspError as error:
        refusal = error.refusal.value if error.refusal else None
        _print_json(output, {"ok": False, "refusal": refusal, "message": str(error)})
        return 1
    _print_json(output, {"ok": True, **offer.to_json()})
    return 0


def _print_json(output: TextIO, answer: dict[str, Any]) -> None:
    output.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.stdin, sys.stdout))
