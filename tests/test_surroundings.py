"""Tests do not depend on what their caller has set, ignores, blocks or has closed."""

from __future__ import annotations

import locale
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
SEEN = """
import os, resource, signal, sys
from pathlib import Path

ignored = [s.name for s in signal.valid_signals() if signal.getsignal(s) is signal.SIG_IGN]
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
umask = os.umask(0)
print(sorted(ignored), sorted(blocked), oct(umask), os.environ["TZ"], os.environ["LANG"])
print(sorted(os.environ))
"""
HOSTILE = {
    "TZ": "Asia/Kathmandu",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "tr_TR.UTF-8",
    "HOME": "/nonexistent",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "TOUCHLINE_PORT": "not a port",
    "TOUCHLINE_CAPTURE__CAMERAS": "{}",
    "API_KEY": "short",
    "DB_URL": "nonsense://",
    "GST_PLUGIN_PATH": "/nonexistent",
    "GST_PLUGIN_SYSTEM_PATH": "/nonexistent",
    "DOCKER_HOST": "tcp://127.0.0.1:9",
    "DOCKER_CONTEXT": "elsewhere",
    "PYTHONPATH": "/nonexistent",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "latin-1",
    "COLUMNS": "20",
    "NOTIFY_SOCKET": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "PGHOST": "nowhere.invalid",
    "AWS_PROFILE": "nobody",
}


def hostile() -> None:
    """What a child inherits from a caller that cares for none of this."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR2})
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096))
    os.close(0)


def test_a_program_that_a_test_starts_finds_everything_as_usual() -> None:
    done = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, check=True, text=True)

    first, names = done.stdout.splitlines()
    assert first == "['SIGPIPE', 'SIGXFSZ'] [] 0o22 UTC C.UTF-8"
    assert not {
        "TOUCHLINE_PORT",
        "HTTP_PROXY",
        "http_proxy",
        "GST_PLUGIN_PATH",
        "PYTHONPATH",
    } & {name.strip("'[] ") for name in names.split(",")}


def test_a_test_finds_everything_as_usual() -> None:
    assert time.tzname == ("UTC", "UTC")
    assert Path.home().is_dir()
    assert Path.cwd() == HERE.parent
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 4096
    assert locale.getpreferredencoding().upper() == "UTF-8"
    assert os.fstat(0)


def test_tests_pass_whatever_their_caller_has_set() -> None:
    own = f"{HERE / 'test_surroundings.py'}::"
    places = [
        f"{own}test_a_program_that_a_test_starts_finds_everything_as_usual",
        f"{own}test_a_test_finds_everything_as_usual",
        f"{HERE / 'test_main.py'}::test_a_signal_stops_an_idle_server_in_order[SIGHUP]",
        *(str(HERE / name) for name in ("test_check.py", "core/test_logs.py")),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *places],
        cwd="/",
        env={**os.environ, **HOSTILE},
        preexec_fn=hostile,
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
