from __future__ import annotations

from touchline.sim.sessions import PlaybackSessions

HASH = "A" * 40


def test_a_content_has_one_session_and_another_player_supersedes_it() -> None:
    sessions = PlaybackSessions(lambda: 0.0)
    first = sessions.start({"infohash": HASH, "pid": "1"})
    assert first is not None
    assert sessions.start({"infohash": HASH, "pid": "1"}) is first
    second = sessions.start({"infohash": HASH, "pid": "2"})
    assert second is not None
    assert (first.superseded, second.superseded) == (True, False)
    assert sessions.find(first.infohash, first.id) is None
    assert sessions.find(second.infohash, second.id) is second
    assert sessions.start({"pid": "1"}) is None, "no content is named"


def test_a_session_that_nobody_reads_expires() -> None:
    now_s = 0.0
    sessions = PlaybackSessions(lambda: now_s, reader_timeout_s=10.0)
    session = sessions.start({"id": "x"})
    assert session is not None
    session.readers = 1
    now_s = 100.0
    assert sessions.find(session.infohash, session.id) is session
    session.readers = 0
    assert sessions.find(session.infohash, session.id) is None
    assert not sessions.stop(session.infohash, session.id)


def test_a_stopped_or_restarted_engine_knows_its_sessions_no_more() -> None:
    sessions = PlaybackSessions(lambda: 0.0)
    one, two = sessions.start({"id": "x"}), sessions.start({"id": "y"})
    assert one is not None
    assert two is not None
    assert not sessions.stop(two.infohash, one.id), "it is another content's"
    assert sessions.stop(one.infohash, one.id)
    sessions.forget_all()
    assert (one.superseded, two.superseded, sessions.by_id) == (True, True, {})
