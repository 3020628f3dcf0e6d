from __future__ import annotations

from starlette.datastructures import Headers

from touchline.web.auth.cookies import MOST_READ, NAME, cookies_in, drop_cookie, set_cookie


def test_sessions_are_found_among_cookies_of_any_form() -> None:
    header = f'theme={{"x":1}}; {NAME}=one;broken; {NAME}x=no; {NAME} = "two"'
    assert cookies_in(Headers({"cookie": header})) == ["one", "two"]
    assert cookies_in(Headers({})) == []


def test_no_more_sessions_are_read_than_can_be_meant() -> None:
    header = "; ".join(f"{NAME}={n}" for n in range(100))
    assert len(cookies_in(Headers({"cookie": header}))) == MOST_READ


def test_a_session_is_kept_from_scripts_and_other_sites() -> None:
    header = set_cookie("token", secure=True)
    assert header.startswith(f"{NAME}=token; Path=/;")
    assert {"HttpOnly", "SameSite=Strict", "Secure"} <= set(header.split("; "))
    assert "Secure" not in set_cookie("token", secure=False)
    assert "Max-Age=0;" in drop_cookie(secure=False)
