"""Rules for the environment and arguments that a client may give an engine. Pure.

Variables can determine what a program loads and runs (PATH, LD_PRELOAD, PYTHONWARNINGS, BROWSER …),
so an allow-list is used.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise

from touchline.core.errors import Invalid, Refused

ALWAYS = ("CONF", "ACE*", "EXTRA_*")
"""Variables allowed for every engine."""

DECLARED: Mapping[str, tuple[str, ...]] = {
    "krinkuto11-amd64": (
        "HTTP_PORT",
        "HTTPS_PORT",
        "P2P_PORT",
        "BIND_ALL",
        "INTERNAL_BUFFERING",
        "CACHE_LIMIT",
    ),
}
"""Additional variables that the images of variants read."""

ARGUMENTS = ("CONF", "ACESTREAM_ARGS")
"""Variables that hold an engine's arguments."""

BIND_ALL = "--bind-all"
_OF_THE_MACHINE = (
    "--allow-user-config",
    "--bind",
    "--cache-dir",
    "--config",
    "--host",
    "--listen",
    "--log-file",
    "--state-dir",
)
"""Arguments that name addresses and files, which are the machine's for a process engine."""

_ENDS = ("dir", "directory", "folder", "file", "path", "socket", "host", "address")
"""Last words of other arguments that name files."""

OWN_CACHE = ("--cache-dir", "~/.ACEStream")
"""Cache of an engine in its own home directory."""


def allowed_names(variant: str, more: Iterable[str]) -> tuple[str, ...]:
    """Return the variable names allowed for an engine of this variant.

    Some are prefixes of names with `*`.
    """
    return (*ALWAYS, *DECLARED.get(variant, ()), *more)


def check_names(env: Mapping[str, str], allowed: Collection[str]) -> None:
    """Check variable names.

    Raises Invalid, with the list, for a name that is not on it.
    """
    for name in env:
        if not any(fnmatchcase(name, pattern) for pattern in allowed):
            raise Invalid(
                f"env: {name} is not allowed; allowed names: {', '.join(allowed)}. Nothing was"
                " started. Set engines.image.env_names to allow more",
                code="env_not_allowed",
                loc=("body", "env", name),
                input=name,
                allowed=list(allowed),
            )


def check_arguments(env: Mapping[str, str]) -> None:
    """Check arguments. Raises Invalid for those that name files or addresses of the machine.

    It applies to engines that share them with this server. In a container any are allowed.
    """
    for variable in ARGUMENTS:
        for word in _of_the_machine(words_of(env.get(variable, ""), variable)):
            raise Invalid(
                f"env: {_name_in(word)} in {variable} names files or addresses of this machine"
                " and is not allowed for engines that run as processes. Nothing was started",
                code="env_not_allowed",
                loc=("body", "env", variable),
                input=word,
            )


def check_custom(words: Iterable[str]) -> None:
    """Check the custom variant's arguments. Raises Refused for those of `check_arguments`."""
    for word in _of_the_machine(words):
        raise Refused(
            f"The custom variant's {_name_in(word)} names files or addresses of this machine"
            " and is not allowed for engines that run as processes. Nothing was started; remove it"
            " from the custom variant",
            code="argument_not_allowed",
            argument=_name_in(word),
        )


def _name_in(word: str) -> str:
    return word.partition("=")[0][:64]


def _of_the_machine(words: Iterable[str]) -> Iterator[str]:
    """Yield the arguments that name files or addresses.

    All spellings that programs accept are recognised.
    """
    for word, after in pairwise([*words, ""]):
        name, given, value = word.partition("=")
        if (name, value if given else after) == OWN_CACHE:
            continue
        if name != BIND_ALL and _names_what_is_shared(name):  # `on_loopback` removes that one
            yield word


def _names_what_is_shared(name: str) -> bool:
    # Many programs accept one dash for two, underscores for dashes, and abbreviated names.
    stem = name.lstrip("-").lower().replace("_", "-")
    dashes = len(name) - len(name.lstrip("-"))
    if not dashes or not stem or (dashes == 1 and len(stem) == 1):
        return False
    plain, known = f"--{stem}", (*_OF_THE_MACHINE, BIND_ALL)
    return any(each.startswith(plain) for each in known) or plain.rpartition("-")[2] in _ENDS


def words_of(text: str, variable: str) -> list[str]:
    """Return the arguments in `text`, split as by an image's entry point.

    Raises Invalid.
    """
    try:
        return shlex.split(text, comments=False)
    except ValueError as error:
        raise Invalid(
            f"env: {variable} cannot be parsed: {error}. Nothing was started",
            code="env_not_allowed",
            loc=("body", "env", variable),
            input=text,
        ) from error


def on_loopback(
    command: Iterable[str], env: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return arguments and environment without options to listen on every address."""
    kept = {name: value for name, value in env.items() if name != "BIND_ALL"}
    for variable in ARGUMENTS:
        if variable in kept:
            words = [w for w in words_of(kept[variable], variable) if not _binds_all(w)]
            kept[variable] = "\n".join(shlex.quote(word) for word in words)
    return tuple(word for word in command if not _binds_all(word)), kept


def _binds_all(word: str) -> bool:
    return word == BIND_ALL or word.startswith(f"{BIND_ALL}=")
