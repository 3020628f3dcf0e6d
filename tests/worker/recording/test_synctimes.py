from touchline.worker.recording.synctimes import BOUNDS_S, SyncTimes


def test_each_time_is_counted_at_the_first_bound_it_does_not_exceed() -> None:
    times = SyncTimes()
    for seconds in (0.0, 0.001, 0.0011, 2.5, 2.6):
        times.observe(seconds)
    told = times.to_json()
    assert told["bounds_s"] == list(BOUNDS_S)
    assert told["counts"] == [2, 1, *[0] * (len(BOUNDS_S) - 3), 1, 1]
    assert told["total_s"] == 5.1021
