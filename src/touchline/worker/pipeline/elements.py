"""Creation and description of GStreamer elements with plain values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

from touchline.ipc.wire import Value
from touchline.media.h264.codec import Codec

_ERROR_TIMEOUT_NS = 500_000_000
# Jetson modules without an encoder (Orin Nano) have the element but no device.
_NVENC_DEVICES = ("/dev/nvhost-msenc", "/dev/v4l2-nvenc")


class BuildError(Exception):
    """The pipeline cannot be built on this machine; the message says which part."""


def available(names: Sequence[str]) -> list[str]:
    """Return those of the given elements that exist on this machine and can be used."""
    found = [name for name in names if Gst.ElementFactory.find(name) is not None]
    if not any(Path(device).exists() for device in _NVENC_DEVICES):
        found = [name for name in found if name != "nvv4l2h264enc"]
    return found


def link(before: Any, after: Any) -> None:
    """Link two elements. Raises BuildError if their formats are incompatible."""
    if not before.link(after):
        first, second = (each.get_factory().get_name() for each in (before, after))
        raise BuildError(f"cannot link {first} to {second}")


def set_property(element: Any, name: str, value: Value) -> None:
    """Set a property from a plain value; caps, enums, flags and fractions are given as text.

    Raises BuildError for a property that the element does not have, or that cannot have this value.
    """
    factory = element.get_factory().get_name()
    spec = element.find_property(name)
    if spec is None:
        raise BuildError(f"{factory} has no property {name}")
    try:
        if isinstance(value, str) and spec.value_type.name == "GstCaps":
            caps = Gst.Caps.from_string(value)
            if caps is None:
                raise ValueError(value)
            element.set_property(name, caps)
        elif isinstance(value, str) and spec.value_type.name != "gchararray":
            Gst.util_set_object_arg(element, name, value)
            if not _chosen(element.get_property(name), value):
                raise ValueError(value)  # GStreamer itself ignores this silently
        else:
            element.set_property(name, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BuildError(f"{factory} does not accept {value!r} as its {name}") from error


def _chosen(current: Any, text: str) -> bool:
    """Return whether an enum, flags or number property has the value that the text names."""
    if hasattr(current, "value_nicks"):
        return set(text.split("+")) <= {*current.value_nicks, *current.value_names, "0"}
    if hasattr(current, "value_nick"):
        return text in {current.value_nick, current.value_name, str(int(current))}
    if isinstance(current, (int, float)) and not isinstance(current, bool):
        return float(text) == current
    return True


def codec_of(caps: Any) -> Codec:
    """Return size and decoder configuration of AVC caps. Raises ValueError if they lack one."""
    structure = caps.get_structure(0)
    data = structure.get_value("codec_data")
    found_width, width = structure.get_int("width")
    found_height, height = structure.get_int("height")
    if data is None or not found_width or not found_height:
        raise ValueError(f"the stream does not describe itself: {caps.to_string()}")
    return Codec(width, height, data.extract_dup(0, data.get_size()))


def describe(message: Any) -> str:
    """Format an error or warning from the bus as one line: message, source and detail."""
    parse = message.parse_error if message.type == Gst.MessageType.ERROR else message.parse_warning
    error, debug = parse()
    detail = (debug or "").splitlines()[-1:] or [""]
    return f"{error.message} ({message.src.get_name()}: {detail[0]})"


def first_error(pipeline: Any) -> str | None:
    """Return the message of the failing element, which may arrive after its state change."""
    message = pipeline.get_bus().timed_pop_filtered(_ERROR_TIMEOUT_NS, Gst.MessageType.ERROR)
    return describe(message) if message else None
