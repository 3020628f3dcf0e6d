"""Answer with the figures of the last hour, day or week."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER

Range = Literal["hour", "day", "week"]
Column = list[float | None]


@with_config(ANSWER)
class MetricsSeries(TypedDict):
    """One value per time; null if unknown."""

    cpu_percent: Column
    """CPU load over all cores, in percent."""
    memory_percent: Column
    """Memory in use, in percent."""
    disk_percent: Column
    """Recordings disk in use, in percent."""
    temperature_c: Column
    """Temperature of the hottest zone; null without any zone."""
    engines: Column
    """Number of running engines."""
    streams: Column
    """Number of playing streams."""


MetricsWindow = TypedDict(
    "MetricsWindow",
    {
        "range": Annotated[Range, Field(description="Range as requested.")],
        "step_s": Annotated[int, Field(description="Step between two times, in seconds.")],
        "from": Annotated[float, Field(description="Start of the range, in Unix seconds.")],
        "to": Annotated[float, Field(description="Current time of the server, in Unix seconds.")],
        "times": Annotated[
            list[float],
            Field(
                description="Start of each step, in Unix seconds. A gap, for example while the"
                " server was not running, is one time with null values."
            ),
        ],
        "series": Annotated[MetricsSeries, Field(description="One column per figure.")],
    },
)
"""Figures of a range: columns of equal length with the mean of each step."""
