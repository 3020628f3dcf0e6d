"""The earlier system's environment names, and a file of variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchline.engines.runtimes.auto import AutoRuntimeSettings
from touchline.settings import SettingsInvalid, load_settings
from touchline.settings.earlier import NAMES

EVERYTHING = {
    "APP_PORT": "8100",
    "API_KEY": "test",
    "DB_URL": "sqlite:////tmp/orchestrator.db",
    "ENGINE_VARIANT": "jopsis-amd64",
    "ENGINE_ARM32_VERSION": "arm32-v3.2.14",
    "ENGINE_ARM64_VERSION": "arm64-v3.2.14",
    "ENGINE_MEMORY_LIMIT": "512m",
    "CONTAINER_LABEL": "a.b=c",
    "MIN_REPLICAS": "2",
    "MIN_FREE_REPLICAS": "3",
    "MAX_REPLICAS": "7",
    "MAX_ACTIVE_REPLICAS": "6",
    "AUTO_DELETE": "true",
    "ENGINE_GRACE_PERIOD_S": "31",
    "IDLE_TTL_S": "601",
    "STARTUP_TIMEOUT_S": "26",
    "MAX_CONCURRENT_PROVISIONS": "4",
    "MONITOR_INTERVAL_S": "9",
    "COLLECT_INTERVAL_S": "6",
    "STATS_HISTORY_MAX": "721",
    "HEALTH_CHECK_INTERVAL_S": "21",
    "HEALTH_FAILURE_THRESHOLD": "4",
    "HEALTH_UNHEALTHY_GRACE_PERIOD_S": "61",
    "HEALTH_REPLACEMENT_COOLDOWN_S": "62",
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "6",
    "CIRCUIT_BREAKER_RECOVERY_TIMEOUT_S": "301",
    "CIRCUIT_BREAKER_REPLACEMENT_THRESHOLD": "4",
    "CIRCUIT_BREAKER_REPLACEMENT_TIMEOUT_S": "181",
    "PORT_RANGE_HOST": "20000-20099",
    "ACE_HTTP_RANGE": "41000-41099",
    "ACE_HTTPS_RANGE": "46000-46099",
    "ACE_MAP_HTTPS": "true",
    "VPN_MODE": "redundant",
    "GLUETUN_CONTAINER_NAME": "gluetun",
    "GLUETUN_CONTAINER_NAME_2": "gluetun2",
    "GLUETUN_API_PORT": "8001",
    "GLUETUN_HEALTH_CHECK_INTERVAL_S": "6",
    "GLUETUN_PORT_CACHE_TTL_S": "61",
    "GLUETUN_PORT_RANGE_1": "21000-21009",
    "GLUETUN_PORT_RANGE_2": "21010-21019",
    "VPN_RESTART_ENGINES_ON_RECONNECT": "false",
    "VPN_UNHEALTHY_RESTART_TIMEOUT_S": "63",
}


def test_every_earlier_name_reaches_its_setting() -> None:
    assert set(EVERYTHING) == set(NAMES)
    settings = load_settings(environ=EVERYTHING)
    defaults = load_settings()
    for name, key in NAMES.items():
        now, before = settings, defaults
        for part in key.split("."):
            now, before = getattr(now, part), getattr(before, part)
        assert now != before, name
        shown = now.get_secret_value() if hasattr(now, "get_secret_value") else now
        assert str(shown).lower().removesuffix(".0") == EVERYTHING[name], name
    assert settings.engines_configured
    assert "GLUETUN_PORT_RANGE_2" in settings.notices[0]
    assert any("API_KEY is short" in notice for notice in settings.notices)


def test_todays_names_win_over_earlier_ones_and_over_the_file_of_variables(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("MIN_REPLICAS=5\nMAX_REPLICAS=9 # as many as fit\nTOUCHLINE_PORT=8200\n")
    settings = load_settings(
        environ={"TOUCHLINE_ENGINES__SCALING__MIN_REPLICAS": "2", "MAX_REPLICAS": "8"},
        dotenv=dotenv,
    )
    assert settings.engines.scaling.min_replicas == 2
    assert settings.engines.scaling.max_replicas == 8
    assert settings.port == 8200
    assert load_settings(dotenv=tmp_path / "none").port == 8000


def test_a_bad_value_is_told_by_the_name_it_was_given_under() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(
            environ={"MIN_REPLICAS": "many", "PORT_RANGE_HOST": "2-1", "CONTAINER_LABEL": "a"}
        )
    told = caught.value.message
    for name in ("MIN_REPLICAS", "PORT_RANGE_HOST", "CONTAINER_LABEL"):
        assert name in told


def test_a_network_is_dockers_wherever_docker_may_be_used() -> None:
    auto = load_settings(environ={"DOCKER_NETWORK": "net"}).engines.runtime
    assert isinstance(auto, AutoRuntimeSettings)
    assert auto.docker.network == "net"
    kind = {"TOUCHLINE_ENGINES__RUNTIME__KIND": "docker"}
    docker = load_settings(environ={"DOCKER_NETWORK": "net", **kind}).engines.runtime
    assert (docker.kind, docker.network) == ("docker", "net")  # type: ignore[union-attr]
    kind = {"TOUCHLINE_ENGINES__RUNTIME__KIND": "process"}
    settings = load_settings(environ={"DOCKER_NETWORK": "net", **kind})
    assert settings.engines.runtime.kind == "process"
    assert any("DOCKER_NETWORK" in notice for notice in settings.notices)


def test_names_without_a_setting_say_why() -> None:
    settings = load_settings(
        environ={"AUTOSCALE_INTERVAL_S": "5", "ENGINE_VARIANT": "mine", "DEBUG_MODE": "true"}
    )
    assert settings.engines.image.variant == "krinkuto11-amd64"
    assert settings.log.level == "debug"
    told = "\n".join(settings.notices)
    assert "AUTOSCALE_INTERVAL_S has no effect" in told
    assert "ENGINE_VARIANT=mine" in told


def test_a_short_key_is_a_fault_where_it_is_new() -> None:
    with pytest.raises(SettingsInvalid, match="TOUCHLINE_AUTH__API_KEY"):
        load_settings(environ={"TOUCHLINE_AUTH__API_KEY": "short"})
    assert load_settings(environ={"API_KEY": "test"}).auth.api_key is not None


def test_engines_are_asked_for_by_saying_anything_about_them() -> None:
    assert not load_settings().engines_configured
    kind = {"TOUCHLINE_ENGINES__RUNTIME__KIND": "process"}
    settings = load_settings(environ=kind)
    assert settings.engines_configured
    assert settings.engines.runtime.kind == "process"
