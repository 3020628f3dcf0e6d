from __future__ import annotations

import base64
import hashlib
import re

import pytest

from touchline.worker.rtsp.authentication import (
    ChallengeVerdict,
    Credentials,
    RequestSigner,
    challenges,
    strongest,
)

MUFASA = Credentials("Mufasa", "Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={},'
    f' nonce="{NONCE}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def signer(*fields: str, credentials: Credentials | None = MUFASA) -> RequestSigner:
    made = RequestSigner(credentials, client_nonce=lambda: CNONCE)
    assert made.challenged(fields) is ChallengeVerdict.SIGN
    return made


def part(text: str | None, name: str) -> str:
    assert text is not None
    match = re.search(rf'\b{name}="?([^",]+)', text)
    assert match, text
    return match[1]


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_come_out(algorithm: str, response: str) -> None:
    text = signer(RFC_7616.format(algorithm)).authorization("GET", "/dir/index.html")
    assert part(text, "response") == response
    assert part(text, "algorithm") == algorithm
    assert (part(text, "nc"), part(text, "qop")) == ("00000001", "auth")


def test_sha_512_256_hashes_the_user_where_the_camera_wants_it() -> None:
    field = 'Digest realm="r", qop="auth", algorithm=SHA-512-256, nonce="n", userhash=true'
    made = RequestSigner(
        Credentials("J\u00e4s\u00f8n", "Secret, or not?"), client_nonce=lambda: "c"
    )
    assert made.challenged([field]) is ChallengeVerdict.SIGN
    text = made.authorization("GET", "/doe.json")

    def digest(words: str) -> str:
        return hashlib.new("sha512_256", words.encode()).hexdigest()

    first, second = digest("J\u00e4s\u00f8n:r:Secret, or not?"), digest("GET:/doe.json")
    assert part(text, "username") == digest("J\u00e4s\u00f8n:r")
    assert part(text, "response") == digest(f"{first}:n:00000001:c:auth:{second}")
    assert text is not None
    assert "userhash=true" in text


def test_the_oldest_form_has_no_count() -> None:
    field = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    text = signer(field, credentials=Credentials("Mufasa", "Circle Of Life")).authorization(
        "GET", "/dir/index.html"
    )
    assert part(text, "response") == "670fd8c2df070c60b045671b8b24ff02"
    assert text is not None
    assert "nc=" not in text
    assert "algorithm" not in text


@pytest.mark.parametrize("algorithm", ["MD5-sess", "SHA-256-sess", "sha-512-256-SESS"])
def test_session_variants_send_the_client_nonce_and_the_cameras_spelling(algorithm: str) -> None:
    text = signer(f'Digest realm="r", nonce="n", qop="auth", algorithm={algorithm}')
    sent = text.authorization("DESCRIBE", "rtsp://h/")
    assert part(sent, "cnonce") == CNONCE
    assert part(sent, "algorithm") == algorithm


def test_requests_of_one_nonce_are_counted() -> None:
    made = signer(RFC_7616.format("SHA-256"))
    counts = [part(made.authorization("PLAY", "rtsp://h/"), "nc") for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]


def test_basic_is_used_where_nothing_else_is_offered() -> None:
    text = signer('Basic realm="cam"').authorization("DESCRIBE", "rtsp://h/")
    assert text == "Basic " + base64.b64encode(b"Mufasa:Circle of Life").decode()


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        (['Basic realm="a"', 'Digest realm="a", nonce="n"'], ("digest", "MD5")),
        (['Digest realm="a", nonce="n", Basic realm="a"'], ("digest", "MD5")),
        (
            [
                'Digest realm="a", nonce="n", algorithm=MD5',
                'Digest realm="a", nonce="n", algorithm="SHA-256"',
            ],
            ("digest", "SHA-256"),
        ),
        (
            ['Digest realm="a", nonce="n", algorithm=SHA-999', 'Basic realm="a"'],
            ("basic", "MD5"),
        ),
        (["Negotiate", 'Digest nonce="n", qop="auth-conf"'], None),
        (['Digest realm="no nonce"'], None),
        ([], None),
        (["Digest " + "x" * 9000, "," * 500, '"', "=", 'Digest a="b'], None),
    ],
)
def test_the_strongest_challenge_that_is_known_is_chosen(
    fields: list[str], chosen: tuple[str, str] | None
) -> None:
    found = strongest(challenges(fields))
    assert (found and (found.scheme, found.algorithm[0])) == chosen


def test_a_wrong_password_is_offered_once() -> None:
    made = signer('Digest realm="r", nonce="1"')
    made.authorization("DESCRIBE", "rtsp://h/")
    assert made.challenged(['Digest realm="r", nonce="2"']) is ChallengeVerdict.WRONG


def test_a_stale_nonce_is_replaced_but_not_for_ever() -> None:
    made = signer('Digest realm="r", nonce="0"')
    verdicts = []
    for number in range(1, 6):
        made.authorization("DESCRIBE", "rtsp://h/")
        verdicts.append(made.challenged([f'Digest realm="r", nonce="{number}", stale=true']))
    assert verdicts == [ChallengeVerdict.SIGN] * 3 + [ChallengeVerdict.WRONG] * 2


def test_credentials_that_were_right_survive_a_new_nonce_that_is_not_called_stale() -> None:
    made = signer('Digest realm="r", nonce="1"')
    made.authorization("DESCRIBE", "rtsp://h/")
    made.accepted()
    made.authorization("GET_PARAMETER", "rtsp://h/")
    assert made.challenged(['Digest realm="r", nonce="2"']) is ChallengeVerdict.SIGN


def test_without_credentials_nothing_is_signed() -> None:
    made = RequestSigner(None)
    assert made.challenged(['Basic realm="r"']) is ChallengeVerdict.NO_CREDENTIALS
    assert made.authorization("DESCRIBE", "rtsp://h/") is None


def test_a_way_of_signing_in_that_is_not_known_is_told_from_a_wrong_password() -> None:
    assert RequestSigner(MUFASA).challenged(["Negotiate"]) is ChallengeVerdict.NO_COMMON_METHOD


def test_credentials_are_not_shown() -> None:
    assert "Circle" not in repr(MUFASA)
