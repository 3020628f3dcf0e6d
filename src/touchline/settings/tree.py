"""The one tree of settings. Flags win over the environment, that over the file, that over defaults.

A key is spelled `capture.segment_s` in a TOML file and `TOUCHLINE_CAPTURE__SEGMENT_S` in the
environment; cameras are tables by number (`[capture.cameras.0]`). What is unknown or wrong is
refused, all of it at once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from touchline.capture import CaptureSettings
from touchline.core.database.database import database_url
from touchline.core.errors import Invalid
from touchline.engines import EnginesSettings
from touchline.settings.earlier import LEAST_KEY, earlier
from touchline.settings.faults import (
    ENV_DELIMITER,
    ENV_PREFIX,
    Fault,
    Layer,
    faults_of,
    merge,
    unknown,
)

DEFAULT_DATA_DIR = Path("~/.local/share/touchline")


class LogSettings(BaseModel):
    """The server's own log."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is worth a line."
    )
    directory: Path | None = Field(
        None, description="Where log files and alerts go; unset: `logs` in the data directory."
    )
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="On the console; auto: text on a terminal, JSON lines otherwise."
    )


class AuthSettings(BaseModel):
    """Who may write and download."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    mode: Literal["auto", "key", "none"] = Field(
        "auto",
        description="auto: open on loopback unless a key is set, with a key elsewhere; key: always"
        " with a key; none: open to everybody who reaches the port.",
    )
    api_key: SecretStr | None = Field(
        None,
        description="The key, of 16 characters or more; unset where one is needed: made and kept.",
    )
    reads: bool = Field(
        False, description="true: reads need the key as well, but for /health and /health/ready."
    )
    link_lifetime_s: int = Field(
        12 * 3600, ge=60, le=366 * 86_400, description="How long a signed link to media opens it."
    )
    cors_origins: list[str] = Field(
        default_factory=list,
        description="Origins of other sites whose pages may call this server; never `*`.",
    )

    @field_validator("cors_origins")
    @classmethod
    def _whole_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            scheme, _, host = origin.partition("://")
            if scheme not in {"http", "https"} or not host or any(c in host for c in "/*? "):
                raise ValueError(
                    f"{origin!r} is no origin; write it like https://club.example:8443"
                )
        return origins


class DatabaseSettings(BaseModel):
    """The server's own database."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    url: SecretStr | None = Field(
        None,
        description="`postgresql://…` or `sqlite:////path`; unset: `touchline.db` in the data"
        " directory.",
    )

    @field_validator("url")
    @classmethod
    def _known(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            try:
                database_url(url.get_secret_value())
            except Invalid as error:
                raise ValueError(error.message) from error
        return url


class WebSocketSettings(BaseModel):
    """The WebSocket at `/ws`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    max_connections: int = Field(
        10, ge=1, le=10_000, description="Connections at a time; one more is told to try later."
    )


class HttpSettings(BaseModel):
    """Who may connect, and how often."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    max_connections: int = Field(
        4096, ge=16, le=60_000, description="Connections at a time, WebSockets included."
    )
    max_connections_per_address: int = Field(
        512,
        ge=4,
        le=60_000,
        description="Of these from one address; this machine and trusted proxies have no limit,"
        " but whose request a proxy passes on has.",
    )
    trusted_proxies: list[str] = Field(
        default_factory=lambda: ["127.0.0.1", "::1"],
        description="Addresses or networks of proxies whose X-Forwarded-For is believed.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(
                    f"{proxy!r} is no address; write it like 10.0.0.5 or 10.0.0.0/24"
                ) from None
        return proxies


_EMPTY_COUNTS = {
    f"{ENV_PREFIX}CAPTURE{ENV_DELIMITER}PREVIEW{ENV_DELIMITER}{name}"
    for name in ("STUN_SERVER", "TURN_SERVER")
}
"""Variables that say something when they are empty: that there is none of what has a default."""


class Settings(BaseSettings):
    """Everything that can be configured, complete and checked. `load_settings` makes it."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
        env_ignore_empty=True,  # compose files hand over empty variables for unset ones
    )

    _notices: tuple[str, ...] = PrivateAttr(())
    _variables: dict[str, str] = PrivateAttr(default_factory=dict)

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    data_dir: Path = Field(
        DEFAULT_DATA_DIR,
        validate_default=True,
        description="Recordings, logs, state and sockets live here unless placed elsewhere.",
    )
    log: LogSettings = Field(default_factory=LogSettings, description="The server's own log.")
    auth: AuthSettings = Field(default_factory=AuthSettings, description="Who may do what.")
    database: DatabaseSettings = Field(
        default_factory=DatabaseSettings, description="Where events and state are kept."
    )
    websocket: WebSocketSettings = Field(
        default_factory=WebSocketSettings, description="Live states and commands over `/ws`."
    )
    http: HttpSettings = Field(default_factory=HttpSettings, description="Connections of clients.")
    capture: CaptureSettings = Field(
        default_factory=CaptureSettings, description="Cameras and recording."
    )
    engines: EnginesSettings = Field(
        default_factory=EnginesSettings, description="Streaming engines."
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @model_validator(mode="after")
    def _log_directory_is_absolute(self) -> Settings:
        if self.log.directory is not None and not self.log.directory.expanduser().is_absolute():
            raise ValueError("log.directory must be an absolute path")
        return self

    @property
    def log_dir(self) -> Path:
        """Where log files and alerts go."""
        return (self.log.directory or self.data_dir / "logs").expanduser()

    @property
    def database_url(self) -> str:
        """The server's own database; the URL may hold a password."""
        if self.database.url is not None:
            return database_url(self.database.url.get_secret_value())
        return f"sqlite:///{self.data_dir / 'touchline.db'}"

    def told(self, notices: tuple[str, ...], variables: Mapping[str, str]) -> Settings:
        """These, with what is to be told about how they were given, and the variables."""
        self._notices = notices
        self._variables = {k: v for k, v in variables.items() if k.startswith("DOCKER_")}
        return self

    @property
    def docker_variables(self) -> Mapping[str, str]:
        """DOCKER_HOST and its like, from the environment or the `.env` file."""
        return self._variables

    @property
    def notices(self) -> tuple[str, ...]:
        """What is to be told about how these settings were given."""
        return self._notices

    @property
    def engines_configured(self) -> bool:
        """Whether anybody said anything about engines: what nobody asked for is not started."""
        return "engines" in self.model_fields_set

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Making Settings reads nothing by itself: `load_settings` gathers the layers."""
        return (init_settings,)


class SettingsInvalid(Invalid):
    """Settings that cannot be right; `faults` has every one of them, the message lists them."""

    default_code = "settings_invalid"

    def __init__(self, faults: list[Fault]) -> None:
        head = "1 setting is wrong" if len(faults) == 1 else f"{len(faults)} settings are wrong"
        super().__init__("\n  ".join([f"{head}:", *map(str, faults)]))
        self.faults = faults


def load_settings(
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
    dotenv: Path | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings of all layers. Raises SettingsInvalid with every fault of every layer.

    `dotenv` is a file of variables that count where the environment does not have them; names of
    the earlier system lie under the file; `defaults` under all: what a command presumes where the
    user said nothing.
    """
    variables = {**_dotenv(dotenv), **(environ or {})}
    environment, faults = _environment_layer(variables)
    file, file_faults = _file_layer(config)
    above = [
        Layer("flags", {k: v for k, v in (flags or {}).items() if v is not None}, "flag"),
        environment,
        file,
    ]
    before = earlier(variables, runtime_kind=_runtime_kind(above))
    layers = [*above, before.layer, Layer("defaults", defaults or {})]
    faults += file_faults
    faults += _short_key(above)
    try:
        settings = Settings(**merge(layers))
    except ValidationError as error:
        faults += faults_of(error.errors(include_url=False), Settings, layers)
    else:
        if not faults:
            return settings.told(before.notices, variables)
    raise SettingsInvalid(faults)


def _dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _runtime_kind(layers: list[Layer]) -> str | None:
    runtime = merge(layers).get("engines", {})
    kind = runtime.get("runtime", {}) if isinstance(runtime, Mapping) else {}
    return kind.get("kind") if isinstance(kind, Mapping) else None


def _short_key(layers: list[Layer]) -> list[Fault]:
    """A key that is short is a fault, unless it comes from the earlier system."""
    for layer in layers:
        auth = layer.values.get("auth")
        key = auth.get("api_key") if isinstance(auth, Mapping) else None
        if isinstance(key, str) and key:
            short = len(key) < LEAST_KEY
            right = f"must have at least {LEAST_KEY} characters"
            return [Fault(layer.spell(("auth", "api_key")), "", right)] if short else []
    return []


def _environment_layer(environ: Mapping[str, str]) -> tuple[Layer, list[Fault]]:
    ours = {
        name: value
        for name, value in environ.items()
        if name.upper().startswith(ENV_PREFIX) and (value or name.upper() in _EMPTY_COUNTS)
    }
    faults: list[Fault] = []
    for name in list(ours):
        # One by one first: pydantic-settings gives up at the first value that is no JSON.
        try:
            _read_environment({name: ours[name]})
        except (SettingsError, ValueError):
            faults.append(Fault(name, "", "not the JSON that a list or table is written in"))
            del ours[name]
    layer = Layer("environment", _read_environment(ours))
    # pydantic-settings passes over variables that it does not know, so they are looked for here.
    for name in ours:
        path = tuple(name[len(ENV_PREFIX) :].lower().split(ENV_DELIMITER))
        if layer.depth(path) < len(path):
            faults.append(unknown(path, Settings, layer, layer.values))
    return layer, faults


def _read_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in variables.items()}
    return source()


def _file_layer(config: Path | None) -> tuple[Layer, list[Fault]]:
    if config is None:
        return Layer("file", {}), []
    name = str(config)
    try:
        with config.open("rb"):  # a missing file would be passed over in silence
            values = TomlConfigSettingsSource(Settings, config)()
    except OSError as error:
        return Layer("file", {}, name), [Fault(name, "", error.strerror or str(error))]
    except ValueError as error:
        return Layer("file", {}, name), [Fault(name, "", f"not TOML: {error}")]
    return Layer("file", values, name), []
