"""Signing in to the simulated camera: Basic, Digest, stale nonces, locks."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from support.rawclient import client_of, connected, wait_until
from support.rtsp import camera_in_thread

SIGNED = {"user": "coach", "password": "p@ss"}


def digest(challenge: str, method: str, uri: str, password: str = "p@ss") -> str:
    """An Authorization header for a Digest challenge, after RFC 7616."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    make = hashlib.sha256 if given.get("algorithm") == "SHA-256" else hashlib.md5

    def h(text: str) -> str:
        return make(text.encode()).hexdigest()

    first, second = h(f"coach:{given['realm']}:{password}"), h(f"{method}:{uri}")
    middle, more = given["nonce"], ""
    if "qop" in given:
        middle += ":00000001:abc:auth"
        more = ', qop=auth, nc=00000001, cnonce="abc"'
    algorithm = f", algorithm={given['algorithm']}" if "algorithm" in given else ""
    return (
        f'Digest username="coach", realm="{given["realm"]}", nonce="{given["nonce"]}",'
        f' uri="{uri}", response="{h(f"{first}:{middle}:{second}")}"{more}{algorithm}'
    )


def challenges(head: str) -> list[str]:
    return re.findall(r"WWW-Authenticate: (.*?)(?:\r|$)", head)


@pytest.mark.parametrize("qop", ["auth", "none"])
@pytest.mark.parametrize(
    ("auth", "offered"),
    [
        ("digest", ["MD5"]),
        ("digest-sha256", ["SHA-256"]),
        ("digest-both", ["SHA-256", "MD5"]),
        ("basic-and-digest", ["Basic", "MD5"]),
    ],
)
def test_digests(auth: str, offered: list[str], qop: str) -> None:
    with client_of(**SIGNED, auth=auth, qop=qop) as client:
        head, _ = client.ask("DESCRIBE")
        found = challenges(head)
        assert len(found) == len(offered)
        for challenge in found:
            assert (" qop=" in challenge) == (qop == "auth" and challenge.startswith("Digest"))
            if challenge.startswith("Digest"):
                answer = digest(challenge, "DESCRIBE", client.url)
                assert " 200 " in client.ask("DESCRIBE", Authorization=answer)[0]
        wrong = digest(found[-1], "DESCRIBE", client.url, password="other")
        assert " 401 " in client.ask("DESCRIBE", Authorization=wrong)[0]


def test_sha256_only_refuses_md5() -> None:
    with client_of(**SIGNED, auth="digest-sha256") as client:
        challenge = challenges(client.ask("DESCRIBE")[0])[0].replace("SHA-256", "MD5")
        answer = digest(challenge, "DESCRIBE", client.url)
        assert " 401 " in client.ask("DESCRIBE", Authorization=answer)[0]


def test_a_nonce_goes_stale() -> None:
    with client_of(**SIGNED, auth="digest", stale_nonce_every=2) as client:
        challenge = challenges(client.ask("DESCRIBE")[0])[0]
        answer = digest(challenge, "DESCRIBE", client.url)
        heads = [client.ask("DESCRIBE", Authorization=answer)[0] for _ in range(3)]
    assert [" 200 " in head for head in heads] == [True, True, False]
    assert "stale=true" in heads[2]


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'coach:{password}'.encode()).decode()}"


def test_wrong_sign_ins_are_counted_and_lock_everybody_out() -> None:
    options = {**SIGNED, "lock_after": 2, "lock_for": 0.4}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.ask("DESCRIBE")
        for _ in range(2):
            assert " 401 " in client.ask("DESCRIBE", Authorization=basic("wrong"))[0]
        assert " 403 " in client.ask("DESCRIBE", Authorization=basic("p@ss"))[0]
        outcomes = [entry["outcome"] for entry in camera.ledger.entries("sign_in")]
        assert outcomes == ["wrong", "wrong", "locked"]
        wait_until(
            lambda: " 200 " in client.ask("DESCRIBE", Authorization=basic("p@ss"))[0], "unlocked"
        )


def test_credentials_that_reach_another_camera_are_in_its_ledger() -> None:
    with camera_in_thread() as other:
        with client_of(redirect=other.url) as client:
            head, _ = client.ask("DESCRIBE")
            to = re.search(r"Location: (\S+)", head)
            assert to
        with connected(other) as client:
            client.ask("DESCRIBE", to[1], Authorization=basic("p@ss"))
        (entry,) = other.ledger.entries("request")
    assert entry["authorization"] == "basic"
