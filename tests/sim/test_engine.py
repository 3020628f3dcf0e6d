"""The simulated engine: its sessions, its stream, and where its ports come from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest

from support.simulated import simulated_engine
from touchline.sim.engine import EngineOptions, parse
from touchline.sim.mpegts import MAGIC, PACKET_BYTES, TransportStream
from touchline.sim.sessions import PlaybackSessions

pytestmark = pytest.mark.anyio


def test_the_stream_is_one_that_others_can_read(tmp_path: Path) -> None:
    stream = TransportStream(2_000_000)
    content = b"".join(stream.until(at / 10) for at in range(30))
    assert len(content) % PACKET_BYTES == 0
    assert {content[at] for at in range(0, len(content), PACKET_BYTES)} == {0x47}
    numbers = [int.from_bytes(part[:8], "big") for part in content.split(MAGIC)[1:]]
    assert numbers == list(range(len(numbers)))
    # As much as the rate says.
    assert 0.95 < len(content) * 8 / 2.9 / 2_000_000 < 1.05
    file = tmp_path / "x.ts"
    file.write_bytes(content)
    command = ["ffprobe", "-v", "error", "-show_entries", "format=format_name,nb_streams"]
    told = subprocess.run([*command, str(file)], check=True, capture_output=True, text=True)
    assert "format_name=mpegts" in told.stdout
    assert told.stderr == ""


def test_one_session_a_content_and_one_that_nobody_reads_ends() -> None:
    now = {"s": 0.0}
    sessions = PlaybackSessions(lambda: now["s"], reader_timeout_s=60.0)
    first = sessions.start({"id": "a", "pid": "1"})
    assert first is not None
    assert sessions.start({"id": "a", "pid": "1"}) is first
    second = sessions.start({"content_id": "a", "pid": "2"})
    assert second is not None
    assert sessions.find(first.infohash, first.id) is None
    assert first.superseded
    now["s"] = 59.0
    assert sessions.find(second.infohash, second.id) is second
    now["s"] = 61.0
    assert sessions.find(second.infohash, second.id) is None
    assert sessions.start({}) is None


async def test_a_stream_is_played_to_one_reader_and_ends_with_its_session() -> None:
    async with simulated_engine() as (engine, url), httpx.AsyncClient() as client:
        redirect = await client.get(f"{url}/ace/getstream", params={"id": "a"})
        assert redirect.status_code == 302
        playback = redirect.headers["location"]
        async with client.stream("GET", playback) as played:
            chunks = played.aiter_bytes()
            assert (await chunks.__anext__())[0] == 0x47
            assert (await client.get(playback)).status_code == 404
            engine.sessions.forget_all()
            async for _ in chunks:
                pass
        answer = await client.get(f"{url}/ace/manifest.m3u8", params={"id": "a", "format": "json"})
        playlist = await client.get(answer.json()["response"]["playback_url"])
        assert playlist.text.startswith("#EXTM3U")
        segment = next(line for line in playlist.text.splitlines() if line.endswith(".ts"))
        assert (await client.get(f"{url}{segment}")).content[0] == 0x47


async def test_faults_are_ordered_and_healed() -> None:
    async with simulated_engine() as (_, url), httpx.AsyncClient() as client:
        await client.get(f"{url}/sim/fault", params={"status": "503", "only": "/server"})
        assert (await client.get(f"{url}/server/api?method=get_status")).status_code == 503
        assert (await client.get(f"{url}/webui/api/service?method=get_version")).status_code == 200
        assert (await client.get(f"{url}/sim/fault?x=1")).status_code == 404
        await client.get(f"{url}/sim/heal")
        assert (await client.get(f"{url}/server/api?method=get_status")).status_code == 200
        state = (await client.get(f"{url}/sim/state")).json()
        assert state["asked"] == 3


def test_arguments_win_over_conf_over_the_environment() -> None:
    environ = {"CONF": "--http-port=2\n--bind-all", "HTTP_PORT": "3", "P2P_PORT": "4"}
    assert parse([], environ).http_port == 2
    assert parse([], environ).host == "0.0.0.0"
    assert parse(["--http-port", "1"], environ).http_port == 1
    assert parse([], {"HTTP_PORT": "3"}).http_port == 3
    assert parse([], environ).p2p_port == 4
    args = "--client-console --live-buffer 25 --http-port 7 --log-file '/a b'"
    assert parse([], {"ACESTREAM_ARGS": args}).http_port == 7


@pytest.mark.parametrize("conf", ["", "--http-port=2", "--port 3 --live-buffer 25"])
def test_it_listens_on_loopback_unless_told_otherwise(conf: str) -> None:
    assert parse([], {"CONF": conf}).host == EngineOptions().host == "127.0.0.1"
    assert parse(["--bind-all"], {"CONF": conf}).host == "0.0.0.0"
    assert parse(["--host", "192.0.2.1"], {"CONF": conf}).host == "192.0.2.1"
