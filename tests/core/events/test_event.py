from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from touchline.core.events.event import ALL_EVENTS, Event, EventFilter, make_event

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HAPPENED = Event(AT, "stream", "started", "m", ids={"container_id": "c1", "stream_id": "s"})


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (ALL_EVENTS, True),
        (EventFilter(type="stream", category="started", container_id="c1", stream_id="s"), True),
        (EventFilter(type="engine"), False),
        (EventFilter(category="ended"), False),
        (EventFilter(container_id="c2"), False),
        (EventFilter(stream_id="t"), False),
        (EventFilter(since=AT), True),
        (EventFilter(since=AT + timedelta(seconds=1)), False),
        (EventFilter(since=datetime(2026, 3, 1, 12)), True),  # noqa: DTZ001
        (EventFilter(since=datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))), True),
    ],
)
def test_an_event_fits_what_is_asked_for(wanted: EventFilter, fits: bool) -> None:  # noqa: FBT001
    assert wanted.fits(HAPPENED) is fits


def test_details_that_end_in_id_are_the_ids_of_an_event() -> None:
    made = make_event("engine", "created", "m\0", container_id="c1", port=6878)
    assert dict(made.ids) == {"container_id": "c1"}
    assert dict(made.details) == {"container_id": "c1", "port": 6878}
    assert (made.message, made.id) == ("m\\x00", None)
