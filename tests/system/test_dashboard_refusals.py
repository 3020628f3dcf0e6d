"""What the server refuses to do, on the German page: nothing of it is told in English."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.engineserver import EngineServer, engine_server
from support.server import wait_for

START, STOP = "Aufnahme starten", "Aufnahme stoppen"


@pytest.fixture(scope="module")
def server(two_views: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    env = {
        "TOUCHLINE_CAPTURE__CAMERAS": two_views,
        "TOUCHLINE_CAPTURE__PROTECTION_S": "600",
    }
    with engine_server(tmp_path_factory.mktemp("server"), env=env) as running:
        yield running


@pytest.fixture
def phone(chromium: Browser, server: EngineServer) -> Iterator[Dashboard]:
    how = {"viewport": PHONE, "has_touch": True, "locale": "de-DE"}
    with dashboard(chromium, server.origin, **how) as made:
        yield made
        assert made.faults == []


def refuses_stops(board: Dashboard, armed: list[str]) -> None:
    """While `armed` has codes, a stop is refused with the first, as a server does it."""

    def connected(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def sent(frame: str | bytes) -> None:
            message = json.loads(frame)
            if message.get("action") != "stop_recording" or not armed:
                server.send(frame)
                return
            result = {"v": 1, "type": "command_result", "id": message["id"], "success": False}
            refused = {**result, "error": "In the server's words", "code": armed.pop(0)}
            socket.send(json.dumps(refused))

        socket.on_message(sent)

    board.page.route_web_socket(re.compile("/ws"), connected)


def test_a_refused_start_and_a_refused_stop_are_told_in_german(
    phone: Dashboard, server: EngineServer
) -> None:
    armed: list[str] = []
    refuses_stops(phone, armed)
    page = phone.go("/")
    expect(page.locator(".state-word")).to_have_text("Bereit")
    a_start_is_refused(phone, server)
    phone.button("Noch einmal versuchen").click()
    expect(page.locator(".state-word")).to_have_text("Aufnahme läuft")
    expect(page.get_by_role("alert")).to_have_count(0)
    stops_are_refused(phone, server, armed)


def a_start_is_refused(phone: Dashboard, server: EngineServer) -> None:
    """The disk of the recordings is another one than before."""
    memory = server.data / "recordings-disk.json"
    before = memory.read_text()
    elsewhere = {**json.loads(before), "mount_point": "/nowhere/matches"}
    memory.write_text(json.dumps(elsewhere))
    phone.button(START).click()
    alert = phone.page.get_by_role("alert")
    expect(alert).to_contain_text("Die Aufnahme wurde nicht gestartet")
    expect(alert).to_contain_text(
        "Der Datenträger für Aufnahmen ist nicht angeschlossen. Anschließen und einhängen."
    )
    no_english(alert)
    assert phone.violations() == []
    # The command that mends it is there for whoever asks.
    alert.get_by_text("Details", exact=True).click()
    expect(alert.get_by_text("mount /nowhere/matches")).to_be_visible()
    happened = phone.page.locator("section", has=phone.page.get_by_text("Was geschehen ist"))
    expect(happened).to_contain_text("wurde nicht aufgenommen: Der Datenträger für Aufnahmen")
    memory.write_text(before)


def stops_are_refused(phone: Dashboard, server: EngineServer, armed: list[str]) -> None:
    page = phone.page
    phone.button(STOP).click()
    phone.confirm(STOP)
    # Refused by the server, because the match has only just begun.
    question = page.get_by_role("alertdialog", name=re.compile("Trotzdem stoppen"))
    expect(question).to_contain_text("Die Aufnahme läuft erst seit")
    phone.confirm("Abbrechen")

    armed.append("too_busy")
    phone.button(STOP).click()
    phone.confirm(STOP)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Die Aufnahme wurde nicht gestoppt")
    expect(alert).to_contain_text("Der Server ist ausgelastet. Gleich noch einmal versuchen.")
    no_english(alert)
    assert server.status()["recording"]

    phone.button(STOP).click()
    phone.confirm(STOP)
    phone.confirm("Trotzdem stoppen")
    wait_for(lambda: not server.status()["recording"], "stopped")
    expect(page.locator(".state-word")).to_have_text("Bereit")


def no_english(place: Any) -> None:
    """What is seen without asking for details has none of the server's words."""
    assert not re.search(r"\b(the|is|not|start|again|words)\b", place.inner_text(), re.IGNORECASE)
