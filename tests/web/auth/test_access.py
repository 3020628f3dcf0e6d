"""Whether a server needs a key, where the key is kept, and who is told."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.serving import KEY
from touchline.core.errors import Failed
from touchline.listen import is_loopback
from touchline.web.auth.access import KEY_FILE, decide_access


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("camera.club.example", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_loopback_without_a_key_is_open(system: FakeSystem, tmp_path: Path) -> None:
    access = decide_access(system.settings)  # type: ignore[arg-type]
    assert access.key is None
    assert access.hosts == frozenset({"localhost", "127.0.0.1"})
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize(("mode", "host"), [("auto", "0.0.0.0"), ("key", "127.0.0.1")])
def test_a_needed_key_is_made_once_kept_private_and_not_written_to_the_log(
    system: FakeSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str, host: str
) -> None:
    caplog.set_level(logging.INFO)
    system.settings.host, system.settings.auth.mode = host, mode
    settings: Any = system.settings
    first, second = decide_access(settings), decide_access(settings)
    assert first.key is not None
    assert len(first.key) >= 32
    assert second == first
    file = tmp_path / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert caplog.text.count("Generated an API key") == 1
    assert str(file) in caplog.text
    assert first.key not in caplog.text


def test_an_empty_key_file_is_not_a_key(system: FakeSystem, tmp_path: Path) -> None:
    system.settings.host = "0.0.0.0"
    (tmp_path / KEY_FILE).write_text("\n")
    assert decide_access(system.settings).key  # type: ignore[arg-type]


def test_a_key_that_cannot_be_kept_stops_the_start(system: FakeSystem, tmp_path: Path) -> None:
    system.settings.host = "0.0.0.0"
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(Failed, match=KEY_FILE):
        decide_access(system.settings)  # type: ignore[arg-type]


def test_switching_authentication_off_is_said_loudly(
    system: FakeSystem, caplog: pytest.LogCaptureFixture
) -> None:
    system.settings.host, system.settings.auth.mode = "0.0.0.0", "none"
    system.settings.auth.api_key = SecretStr(KEY)
    assert decide_access(system.settings).key is None  # type: ignore[arg-type]
    assert "AUTHENTICATION IS OFF" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize(
    ("host", "reads", "told"),
    [
        ("0.0.0.0", False, True),
        ("0.0.0.0", True, False),
        ("127.0.0.1", False, False),
    ],
)
def test_closing_reads_is_recommended_where_others_reach_the_server(
    locked: FakeSystem, caplog: pytest.LogCaptureFixture, host: str, *, reads: bool, told: bool
) -> None:
    locked.settings.host, locked.settings.auth.reads = host, reads
    decide_access(locked.settings)  # type: ignore[arg-type]
    assert ("auth.reads" in caplog.text) is told


@pytest.mark.parametrize("terminal", [True, False])
def test_a_made_key_is_shown_to_a_terminal_alone(
    system: FakeSystem,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    terminal: bool,
) -> None:
    system.settings.host = "0.0.0.0"
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    key = decide_access(system.settings).key  # type: ignore[arg-type]
    shown = capsys.readouterr()
    assert key is not None
    assert (key in shown.err) is terminal
    assert key not in shown.out
