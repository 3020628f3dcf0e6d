"""Limits of memory, as files in both versions of cgroups."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchline.engines.runtimes.process.kernel.memorylimit import MemoryLimits

LIMIT = 64 << 20


def version_1(root: Path) -> Path:
    (root / "memory").mkdir()
    (root / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712")
    return root / "memory" / "touchline"


def version_2(root: Path) -> Path:
    (root / "cgroup.subtree_control").write_text("memory")
    return root / "touchline"


def test_version_1_limits_memory_and_swap_together(tmp_path: Path) -> None:
    group = version_1(tmp_path) / "one"
    limits = MemoryLimits(tmp_path)
    assert limits.apply("one", 4711, LIMIT)
    assert (group / "memory.limit_in_bytes").read_text() == str(LIMIT)
    assert (group / "memory.memsw.limit_in_bytes").read_text() == str(LIMIT)
    assert (group / "cgroup.procs").read_text() == "4711"
    assert limits.limit_of("one") == LIMIT


def test_version_2_hands_the_controller_on_and_takes_swap_away(tmp_path: Path) -> None:
    parent = version_2(tmp_path)
    limits = MemoryLimits(tmp_path)
    assert limits.apply("one", 4711, LIMIT)
    # Without this the group has no file for the limit.
    assert (parent / "cgroup.subtree_control").read_text() == "+memory"
    assert (parent / "one" / "memory.max").read_text() == str(LIMIT)
    assert (parent / "one" / "memory.swap.max").read_text() == "0"
    assert (parent / "one" / "cgroup.procs").read_text() == "4711"
    assert limits.limit_of("one") == LIMIT
    (parent / "one" / "memory.max").write_text("max\n")
    assert limits.limit_of("one") is None


def test_where_no_limit_can_be_set_it_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = MemoryLimits(tmp_path / "missing")
    assert not limits.apply("one", 4711, LIMIT)
    assert not limits.apply("two", 4712, LIMIT)
    assert len(caplog.messages) == 1
    assert "have no effect" in caplog.text
    assert limits.limit_of("one") is None
    limits.forget("one")
