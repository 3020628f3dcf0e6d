r"""Display of external text: in one line, printable, and the same wherever it is stored.

`shown` is for readers of lines: logs, terminals, messages, names in JSON. `written` is for text
that keeps its lines. Unprintable characters are escaped as in Python (`\n`, `\x1b`, `\u202e`), and
a byte of a name that is not UTF-8 as `\xff`.
"""

from __future__ import annotations

import html
import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

DEEPEST = 16
"""Maximum depth of a value that is stored or logged; touchline's own values have three levels."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_ORDINARY = re.compile(r"[\x20-\x7e]*")
_UNSHOWN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls: newlines, NUL, escape sequences of terminals
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # direction, invisible
    "\u2028\u2029"  # line and paragraph separators
    "\ufff9-\ufffb"  # interlinear annotation
    "\ud800-\udfff"
    "\U000e0000-\U000e007f"  # tags
    "]"
)


def shown(text: str, most_chars: int | None = None) -> str:
    r"""Convert text to one printable line; longer than `most_chars` it ends in `…`."""
    if not _ORDINARY.fullmatch(text):
        text = _UNSHOWN.sub(_escaped, text)
    if most_chars is not None and len(text) > most_chars:
        return text[: most_chars - 1] + "…"
    return text


def written(text: str) -> str:
    r"""Convert text with several lines and tabs; escape everything else like `shown`."""
    return "\n".join("\t".join(map(shown, line.split("\t"))) for line in text.split("\n"))


def one_line(text: str) -> str:
    """Convert text to one line of words: unprintable characters and repeated spaces are removed."""
    return " ".join(_UNSHOWN.sub(" ", text).split())


def paragraphs(text: str) -> str:
    """Convert text to lines like `one_line`, without empty ones at the beginning and the end."""
    return "\n".join(map(one_line, text.splitlines())).strip()


def vtt_text(text: str) -> str:
    """Convert text to one line of a WebVTT cue: no markup, no timing line, never empty."""
    line = html.escape(shown(" ".join(text.split())), quote=False)
    return line or "-"


def of_bytes(data: bytes, most_chars: int | None = None) -> str:
    """Convert another program's output to one printable line."""
    return shown(data.decode("utf-8", "surrogateescape"), most_chars)


def printable(value: Any, depth: int = DEEPEST) -> Any:
    """Convert every string of plain JSON values like `written`, and other values to text.

    Numbers that JSON does not support, and levels deeper than `depth`, become text.
    """
    if isinstance(value, str):
        return written(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth > 0 and isinstance(value, Mapping):
        return {shown(str(name)): printable(each, depth - 1) for name, each in value.items()}
    if depth > 0 and isinstance(value, list | tuple | set | frozenset):
        return [printable(each, depth - 1) for each in value]
    return shown(str(value), 200) if depth > 0 else "…"


def json_line(value: Mapping[str, Any]) -> str:
    """Encode JSON in one line that is safe for a terminal, whatever its strings contain."""
    return json.dumps(printable(value), ensure_ascii=False, allow_nan=False)


def json_bytes(encoded: str) -> bytes:
    """Encode JSON text; a lone surrogate in its strings is escaped like in `shown`."""
    try:
        return encoded.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub(lambda m: _escaped(m).replace("\\", "\\\\"), encoded).encode()


def file_name(name: str) -> str:
    """Convert the name of a file or folder, with any bytes, to text for storing and sending."""
    return shown(os.fsencode(name).decode("utf-8", "surrogateescape"))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if code in _SHORT:
        return _SHORT[code]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_SHORT = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
