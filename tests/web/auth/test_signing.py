"""Signatures: what they open, for how long, and by which clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from touchline.web.auth.signing import Moment, Signer, elapsed_s

KEY = "a-key-of-some-length"
THEN = Moment("boot1", 1000, 1_813_000_000)


class Clocks:
    def __init__(self) -> None:
        self.now = THEN

    def __call__(self) -> Moment:
        return self.now


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Moment("boot1", 1060, 1_813_000_060), 60),
        (Moment("boot1", 1060, 0), 60),
        (Moment("boot1", 1060, 9_999_999_999), 60),
        (Moment("boot1", 900, 1_813_000_000), 0),
        (Moment("boot2", 5, 1_813_000_060), 60),
        (Moment("boot2", 5, 1_813_000_000 - 30), 0),
        (Moment("boot2", 5, 100), None),
        (Moment("boot2", 5, 1_813_000_000 - 3600), None),
        (Moment("boot2", 5, 1_813_000_000 + 2 * 366 * 86_400), None),
        (Moment("boot2", 5, 1_813_000_000 + 2 * 366 * 86_400, synchronised=True), 2 * 366 * 86_400),
    ],
)
def test_time_passes_by_the_clock_that_nobody_sets(now: Moment, expected: int | None) -> None:
    assert elapsed_s(THEN, now) == expected


def test_time_since_a_date_that_was_never_right_is_unknown() -> None:
    now = Moment("boot2", 5, 1_813_000_000, synchronised=True)
    assert elapsed_s(Moment("boot1", 10, 10), now) is None


def test_a_link_opens_its_scope_until_it_expires() -> None:
    clocks = Clocks()
    signer = Signer(KEY, read=clocks)
    token = signer.link("hls/cam0", 60)
    assert signer.link_state("hls/cam0", token) == "valid"
    assert signer.link_state("hls/cam1", token) == "wrong"
    clocks.now = replace(THEN, boottime_s=1059)
    assert signer.link_state("hls/cam0", token) == "valid"
    clocks.now = replace(THEN, boottime_s=1060)
    assert signer.link_state("hls/cam0", token) == "expired"
    clocks.now = Moment("boot2", 1, 1)
    assert signer.link_state("hls/cam0", token) == "ageless"


def test_no_part_of_a_link_can_be_changed() -> None:
    signer = Signer(KEY, read=Clocks())
    token = signer.link("hls/cam0", 60)
    told, _, signature = token.rpartition(".")
    longer = told.rpartition("-")[0] + "-999999"
    for forged in (
        f"{longer}.{signature}",
        f"{told}.",
        f"{told}.{signature[:-2]}AA",
        signature,
        "",
        ".",
        "é.é",
        f"{told}.é",
        "1" * 100_000,
        Signer("another key", read=Clocks()).link("hls/cam0", 60),
        signer.session("hls/cam0"),
    ):
        assert signer.link_state("hls/cam0", forged) == "wrong", forged


def test_a_link_is_no_session_and_a_session_no_link() -> None:
    signer = Signer(KEY, read=Clocks())
    assert signer.session_id(signer.session("abc")) == "abc"
    assert signer.session_id(signer.link("abc", 60)) is None
    assert Signer("another key").session_id(signer.session("abc")) is None
    for text in ("", ".", "\udcff.\udcff", "é.é", "1" * 100_000):
        assert signer.session_id(text) is None
