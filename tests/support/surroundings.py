"""What every test and every program that it starts finds, whatever the caller of the tests had set.

A shell under `nohup` ignores SIGHUP, a background job SIGINT; a service has another umask, home,
time zone and limit of open files; an office has a proxy. Programs inherit all of that.
"""

from __future__ import annotations

import atexit
import fcntl
import locale
import os
import resource
import shutil
import signal
import tempfile
import time

KEPT = ("PATH", "TMPDIR", "USER", "LOGNAME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "CI")
KEPT_PREFIXES = ("PYTEST_", "HYPOTHESIS_", "COV_CORE_", "COVERAGE_", "EXPLORE_")
SYSTEM_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
OPEN_FILES = 4096
UMASK = 0o022

given_docker_host = os.environ.get("DOCKER_HOST", "")
"""The daemon that whoever started the tests wants used, where it answers."""


def settle() -> None:
    """Make this process, and so every one that it starts, independent of its caller."""
    _environment()
    _signals()
    _descriptors()
    os.umask(UMASK)


def _environment() -> None:
    for name in set(os.environ):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    path = os.environ.get("PATH", "").split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(
        dict.fromkeys(each for each in [*path, *SYSTEM_PATHS] if os.path.isabs(each))  # noqa: PTH117
    )
    home = tempfile.mkdtemp(prefix="touchline-tests-home-")
    # A child that was forked leaves the home to the process that made it.
    owner = os.getpid()

    def forget() -> None:
        if os.getpid() == owner:
            shutil.rmtree(home, ignore_errors=True)

    atexit.register(forget)
    os.environ |= {"HOME": home, "TZ": "UTC", "LANG": "C.UTF-8"}
    time.tzset()
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")


def _signals() -> None:
    """Nothing is blocked or ignored, but what Python itself ignores.

    A handler of Python's is the default again in a program that is started. So tests live on when
    they were started to live on, and what they start is ended by a signal.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) is signal.SIG_IGN:
            if number == signal.SIGINT:
                signal.signal(number, signal.default_int_handler)
            elif number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
            else:
                signal.signal(number, signal.SIG_DFL)


def _descriptors() -> None:
    for number in range(3):
        try:
            fcntl.fcntl(number, fcntl.F_GETFD)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        enough = OPEN_FILES if hard == resource.RLIM_INFINITY else max(hard, OPEN_FILES)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, enough))
        except (ValueError, OSError):  # only root may raise the hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
