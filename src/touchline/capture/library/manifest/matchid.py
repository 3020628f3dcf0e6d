"""Match ids, which are also folder names."""

from __future__ import annotations

import unicodedata

from touchline.core.errors import Invalid

MATCH_ID_MAX_CHARACTERS = 128


_FILE_NAME_MAX_BYTES = 255


_PUNCTUATION = frozenset("._- ")


def valid_match_id(text: str) -> str:
    """Return the text itself, if it is a valid match id and folder name.

    Raises Invalid if it is not.
    """
    if not 1 <= len(text) <= MATCH_ID_MAX_CHARACTERS:
        raise _invalid(
            text,
            f"match_id has {len(text)} characters; it needs 1 to {MATCH_ID_MAX_CHARACTERS}",
            code="match_id_length",
        )
    if text.strip() != text:
        raise _invalid(text, "match_id must not begin or end with a space", code="match_id_space")
    if text.startswith("."):
        raise _invalid(text, "match_id must not begin with a dot", code="match_id_leading_dot")
    for character in text:
        # L: letters; N: digits and numbers; M: combining marks, which many scripts require.
        if character not in _PUNCTUATION and unicodedata.category(character)[0] not in "LNM":
            raise _invalid(
                text,
                f"match_id must not contain {character!a}; "
                "letters, digits, spaces and . _ - are allowed",
                code="match_id_character",
            )
    if len(text.encode()) > _FILE_NAME_MAX_BYTES:
        raise _invalid(
            text,
            f"match_id is longer than {_FILE_NAME_MAX_BYTES} bytes when used as a directory name",
            code="match_id_length",
        )
    return text


def _invalid(text: str, message: str, *, code: str) -> Invalid:
    """Return the error with the field of the request that names the match."""
    return Invalid(message, code=code, loc=("body", "match_id"), input=text)
