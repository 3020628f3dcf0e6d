from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from touchline.settings.faults import Layer, Path, SettingFault, faults_of, merge, unknown


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Lan(Strict):
    kind: Literal["lan"]
    port: int = Field(1, ge=1, description="Where it listens.")


class Usb(Strict):
    kind: Literal["usb"]
    device: str = "/dev/video0"


class Tree(Strict):
    data_dir: str = "data"
    api_password: SecretStr = Field(SecretStr(""), min_length=8)
    door: Annotated[Lan | Usb, Field(discriminator="kind")] = Lan(kind="lan")
    cameras: dict[str, Annotated[Lan | Usb, Field(discriminator="kind")]] = {}
    upload_url: str = Field("", max_length=40)


def layer(kind: Any, values: dict[str, Any], **more: Any) -> Layer:
    return Layer(kind, values, **more)


def faults(*layers: Layer) -> list[SettingFault]:
    with pytest.raises(ValidationError) as raised:
        Tree.model_validate(merge(layers))
    return faults_of(raised.value.errors(), Tree, layers)


@pytest.mark.parametrize(
    ("kind", "path", "spelled"),
    [
        ("file", ("door", "port"), "door.port"),
        ("environment", ("door", "port"), "TOUCHLINE_DOOR__PORT"),
        ("flags", ("upload_url",), "--upload-url"),
        ("flags", ("data_dir",), "--data"),
        ("defaults", ("door", "port"), "door.port"),
    ],
)
def test_a_key_is_spelled_as_in_the_layer_it_is_from(kind: Any, path: Path, spelled: str) -> None:
    assert layer(kind, {}).format_key(path) == spelled


def test_a_key_may_have_a_name_of_its_own_in_a_layer() -> None:
    earlier = layer("earlier", {}, names={("door", "port"): "DOOR_PORT"})
    assert earlier.format_key(("door", "port")) == "DOOR_PORT"
    assert earlier.format_key(("upload_url",)) == "upload_url"


def test_the_first_layer_wins_key_by_key() -> None:
    merged = merge(
        [
            layer("flags", {"a": 1, "t": {"x": 1}}),
            layer("file", {"a": 2, "b": 2, "t": {"x": 2, "y": 2}}),
            layer("defaults", {"c": 3, "t": {"y": 3, "z": 3}}),
        ]
    )
    assert merged == {"a": 1, "b": 2, "c": 3, "t": {"x": 1, "y": 2, "z": 3}}


@pytest.mark.parametrize(
    ("above", "below", "merged"),
    [
        ({"kind": "lan"}, {"kind": "usb", "device": "x"}, {"kind": "lan"}),
        ({"kind": "lan"}, {"kind": "lan", "port": 2}, {"kind": "lan", "port": 2}),
        ({"port": 3}, {"kind": "lan", "port": 2}, {"kind": "lan", "port": 3}),
    ],
)
def test_tables_of_different_kinds_are_not_mixed(
    above: dict[str, Any], below: dict[str, Any], merged: dict[str, Any]
) -> None:
    layers = [layer("environment", {"door": above}), layer("file", {"door": below})]
    assert merge(layers) == {"door": merged}


def test_a_fault_names_the_layer_that_gave_the_value() -> None:
    file = layer("file", {"door": {"kind": "lan", "port": 5}}, name="a.toml")
    (fault,) = faults(layer("environment", {"door": {"port": "0"}}), file)
    assert (fault.key, fault.given) == ("TOUCHLINE_DOOR__PORT", " = '0'")
    assert fault.right.endswith("Where it listens.")
    (fault,) = faults(layer("file", {"door": {"kind": "lan", "port": "x"}}, name="a.toml"))
    assert (fault.key, fault.given) == ("door.port", " = 'x' (a.toml)")
    assert str(fault).startswith("door.port = 'x' (a.toml): ")


def test_secrets_and_credentials_are_not_shown() -> None:
    url = "https://me:s3cret@storage.example/" + "x" * 40
    found = faults(layer("file", {"api_password": "s3cret", "upload_url": url}))
    assert [fault.key for fault in found] == ["api_password", "upload_url"]
    assert "s3cret" not in " ".join(map(str, found))
    assert "storage.example" in str(found[1])


@pytest.mark.parametrize(
    ("values", "key", "meant"),
    [
        ({"upload_ur": "x"}, "upload_ur", "upload_url?"),
        ({"door": {"kind": "lan", "prot": 1}}, "door.prot", "door.port?"),
        ({"door": {"kind": "usb", "port": 1}}, "door.port", "device, kind"),
        (
            {"cameras": {"a": {"kind": "usb", "devize": "x"}}},
            "cameras.a.devize",
            "cameras.a.device?",
        ),
    ],
)
def test_an_unknown_key_is_told_with_what_was_probably_meant(
    values: dict[str, Any], key: str, meant: str
) -> None:
    (fault,) = faults(layer("file", values))
    assert fault.key == key
    assert meant in fault.right


def test_nothing_stands_below_a_value() -> None:
    fault = unknown(("data_dir", "x"), Tree, layer("file", {}), {})
    assert fault.key == "data_dir.x"
    assert "did you mean" not in fault.right


@pytest.mark.parametrize(
    ("values", "key", "words"),
    [
        ({"door": {"port": 1}}, "door.kind", ("lan", "usb")),
        ({"door": {"kind": "tin"}}, "door.kind", ("lan", "usb")),
        ({"cameras": {"a": {"port": 1}}}, "cameras.a.kind", ("lan", "usb")),
    ],
)
def test_a_missing_or_unknown_kind_is_told_with_those_there_are(
    values: dict[str, Any], key: str, words: tuple[str, ...]
) -> None:
    (fault,) = faults(layer("file", values))
    assert fault.key == key
    assert all(word in fault.right for word in words)
