from __future__ import annotations

from pathlib import Path

import pytest

from touchline.settings import Settings, SettingsInvalid, load_settings


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "touchline.toml"
    path.write_text(text)
    return path


def faults(**layers: object) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(**layers)  # type: ignore[arg-type]
    assert caught.value.code == "settings_invalid"
    for fault in caught.value.faults:
        assert str(fault) in caught.value.message
    return [str(fault) for fault in caught.value.faults]


def test_the_defaults_are_safe_and_complete() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.data_dir == Path.home() / ".local/share/touchline"
    assert settings.log_dir == settings.data_dir / "logs"
    assert settings.auth.mode == "auto"
    assert settings.auth.api_key is None


def test_making_settings_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_PORT", "1234")
    assert Settings().port == 8000


def test_flags_win_over_environment_over_file_over_the_commands_defaults(tmp_path: Path) -> None:
    config = write(
        tmp_path, 'host = "10.0.0.1"\nport = 1\n[capture]\nsegment_s = 60\nfragment_s = 0.2\n'
    )
    settings = load_settings(
        flags={"port": 3, "host": None},
        environ={"TOUCHLINE_PORT": "2", "TOUCHLINE_CAPTURE__SEGMENT_S": "30", "PATH": "/bin"},
        config=config,
        defaults={"port": 0, "log": {"level": "debug"}, "capture": {"fragment_s": 0.5}},
    )
    assert (settings.host, settings.port) == ("10.0.0.1", 3)
    assert (settings.capture.segment_s, settings.capture.fragment_s) == (30, 0.2)
    assert settings.log.level == "debug"


def test_cameras_are_merged_by_number_from_every_layer(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        '[capture.cameras.0]\nkind = "rtsp"\nurl = "rtsp://10.0.0.2/a"\n'
        '[capture.cameras.1]\nname = "East"\n',
    )
    settings = load_settings(
        environ={
            "TOUCHLINE_CAPTURE__CAMERAS__0__LATENCY_MS": "50",
            "TOUCHLINE_CAPTURE__CAMERAS__2__KIND": "v4l2",
            "TOUCHLINE_CAPTURE__CAMERAS__2__DEVICE": "/dev/video2",
            "TOUCHLINE_CAPTURE__CAMERAS__2__CROP": '{"left": 8}',
            "TOUCHLINE_CAPTURE__CAMERAS__2__CROP__TOP": "4",
        },
        config=config,
        defaults={
            "capture": {"cameras": {n: {"kind": "test", "name": "Demo", "fps": 10} for n in "01"}}
        },
    )
    cameras = {number: camera.model_dump() for number, camera in settings.capture.cameras.items()}
    assert sorted(cameras) == [0, 1, 2]
    # Camera 0 is of another kind than the default: nothing of the default is left in it.
    assert (cameras[0]["kind"], cameras[0]["latency_ms"], cameras[0]["name"]) == ("rtsp", 50, None)
    assert (cameras[1]["kind"], cameras[1]["name"], cameras[1]["fps"]) == ("test", "East", "10")
    assert (cameras[2]["crop"]["left"], cameras[2]["crop"]["top"]) == (8, 4)


def test_every_fault_of_every_layer_is_told_at_once(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        'hots = "x"\n[capture]\nsegment_s = 1\n[capture.cameras.0]\nkind = "rtsp"\n'
        'url = "rtsp://a/b"\nlatency = 3\n[capture.cameras.1]\nkind = "rstp"\n'
        '[capture.cameras.2]\nkind = "v4l2"\n[capture.cameras.3]\nname = "x"\n'
        '[capture.cameras.west]\nkind = "test"\n',
    )
    told = faults(
        flags={"port": 99999},
        environ={
            "TOUCHLINE_CAPTURE__SEGMNT_S": "4",
            "TOUCHLINE_HOST__NAME": "4",
            "TOUCHLINE_CAPTUER__QUALITY": "fast",
            "TOUCHLINE_CAPTURE__QUALITY": "best",
        },
        config=config,
    )
    text = "\n".join(told)
    for expected in [
        "--port = 99999 (flag): Input should be less than or equal to 65535",
        "TOUCHLINE_CAPTURE__SEGMNT_S: unknown; did you mean TOUCHLINE_CAPTURE__SEGMENT_S?",
        "TOUCHLINE_HOST__NAME: unknown",
        "TOUCHLINE_CAPTUER__QUALITY: unknown; did you mean TOUCHLINE_CAPTURE__QUALITY?",
        "TOUCHLINE_CAPTURE__QUALITY = 'best': Input should be 'fast', 'balanced' or 'high'",
        f"hots ({config}): unknown; did you mean host?",
        f"capture.segment_s = 1 ({config}): Input should be greater than or equal to 5. Duration",
        f"capture.cameras.0.latency ({config}): unknown; did you mean capture.cameras.0.latency_",
        f"capture.cameras.1.kind = 'rstp' ({config}): one of 'test', 'file', 'rtsp'",
        f"capture.cameras.2.device ({config}): missing; it is required. Video device",
        f"capture.cameras.3.kind ({config}): missing; one of test, file, rtsp",
        f"capture.cameras.west = 'west' ({config}): Input should be a valid integer",
    ]:
        assert expected in text, f"{expected!r} is not in\n{text}"
    assert len(told) == 12


def test_a_key_is_told_once_even_where_it_is_also_unknown_to_the_model() -> None:
    told = faults(environ={"TOUCHLINE_LOG__LEVLE": "info"})
    assert told == ["TOUCHLINE_LOG__LEVLE: unknown; did you mean TOUCHLINE_LOG__LEVEL?"]


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"TOUCHLINE_AUTH__API_KEY": "hunter2"}, "TOUCHLINE_AUTH__API_KEY"),
        (
            {
                "TOUCHLINE_CAPTURE__CAMERAS__0__KIND": "rtsp",
                "TOUCHLINE_CAPTURE__CAMERAS__0__URL": "http://me:hunter2@camera/x",
            },
            "TOUCHLINE_CAPTURE__CAMERAS__0__URL",
        ),
        (
            {
                "TOUCHLINE_CAPTURE__CAMERAS__0__KIND": "rtsp",
                "TOUCHLINE_CAPTURE__CAMERAS__0__PASSWORD": '["hunter2"]',
                "TOUCHLINE_CAPTURE__CAMERAS__0__LATENCY_MS": "x",
            },
            "TOUCHLINE_CAPTURE__CAMERAS__0__LATENCY_MS",
        ),
    ],
)
def test_secrets_are_never_shown(environ: dict[str, str], key: str) -> None:
    told = faults(environ=environ)
    assert any(line.startswith(key) for line in told)
    assert "hunter2" not in "\n".join(told)


def test_a_table_that_is_no_json_is_told_beside_the_others() -> None:
    told = faults(environ={"TOUCHLINE_CAPTURE": "{cameras", "TOUCHLINE_PORT": "http"})
    assert any(line.startswith("TOUCHLINE_CAPTURE: not valid JSON") for line in told)
    assert any(line.startswith("TOUCHLINE_PORT = 'http'") for line in told)


def test_a_list_is_json_in_the_environment() -> None:
    settings = load_settings(
        environ={"TOUCHLINE_AUTH__CORS_ORIGINS": '["https://club.example"]'},
    )
    assert settings.auth.cors_origins == ["https://club.example"]
    assert (
        "club.example/x"
        in faults(environ={"TOUCHLINE_AUTH__CORS_ORIGINS": '["https://club.example/x"]'})[0]
    )


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_settings(environ={"TOUCHLINE_PORT": "", "TOUCHLINE_HOTS": ""}).port == 8000


def test_a_missing_or_broken_file_is_a_fault(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert faults(config=missing) == [f"{missing}: No such file or directory"]
    assert faults(config=tmp_path) == [f"{tmp_path}: Is a directory"]
    broken = write(tmp_path, "port = \n")
    assert faults(config=broken)[0].startswith(f"{broken}: not valid TOML: ")


def test_paths_are_absolute_whatever_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(flags={"data_dir": "match"}).data_dir == tmp_path / "match"
    assert "absolute" in faults(environ={"TOUCHLINE_LOG__DIRECTORY": "logs"})[0]


def test_the_database_is_a_file_of_ours_unless_a_url_says_otherwise(tmp_path: Path) -> None:
    settings = load_settings(flags={"data_dir": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path}/touchline.db"
    url = "postgres://club:hushhush@db.local/touchline"
    settings = load_settings(environ={"TOUCHLINE_DATABASE__URL": url})
    assert settings.database_url == "postgresql+psycopg://club:hushhush@db.local/touchline"
    assert "hushhush" not in repr(settings)
    with pytest.raises(SettingsInvalid, match="postgresql://") as caught:
        load_settings(environ={"TOUCHLINE_DATABASE__URL": "mysql://club:hushhush@db.local/x"})
    assert "hushhush" not in str(caught.value)


def test_an_empty_stun_server_means_none_and_other_empty_variables_mean_nothing() -> None:
    name = "TOUCHLINE_CAPTURE__PREVIEW__STUN_SERVER"
    settings = load_settings(environ={name: "", "TOUCHLINE_PORT": ""})
    assert settings.capture.preview.stun_server is None
    assert settings.port == 8000
    assert load_settings(environ={}).capture.preview.stun_server is not None
