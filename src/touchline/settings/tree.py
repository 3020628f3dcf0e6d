"""Settings of the server. Flags override the environment, then come the file and the defaults.

A key is spelled `capture.segment_s` in a TOML file and `TOUCHLINE_CAPTURE__SEGMENT_S` in the
environment; cameras are tables by number (`[capture.cameras.0]`). Unknown keys and invalid values
are refused, all of them in one message.
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
    Layer,
    SettingFault,
    faults_of,
    merge,
    unknown,
)

DEFAULT_DATA_DIR = Path("~/.local/share/touchline")


class LogSettings(BaseModel):
    """Log of the server."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Minimum level of logged messages."
    )
    directory: Path | None = Field(
        None,
        description="Directory of log files and alerts. Default: `logs` in the data directory.",
    )
    format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="Format on the console. `auto`: text on a terminal, JSON lines otherwise.",
    )


class AuthSettings(BaseModel):
    """Authentication: who may read, write and download."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    mode: Literal["auto", "key", "none"] = Field(
        "auto",
        description="`auto`: require a key, except on loopback when none is set. `key`: always"
        " require a key. `none`: open to everyone who can reach the port.",
    )
    api_key: SecretStr | None = Field(
        None,
        description="API key of at least 16 characters. Default: generated and stored when one is"
        " required.",
    )
    reads: bool = Field(
        False, description="Require the key for reads too, except /health and /health/ready."
    )
    link_lifetime_s: int = Field(
        12 * 3600, ge=60, le=366 * 86_400, description="Lifetime of signed links to media."
    )
    cors_origins: list[str] = Field(
        default_factory=list,
        description="Origins whose pages may call this server (CORS); `*` is not accepted.",
    )

    @field_validator("cors_origins")
    @classmethod
    def _whole_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            scheme, _, host = origin.partition("://")
            if scheme not in {"http", "https"} or not host or any(c in host for c in "/*? "):
                raise ValueError(
                    f"{origin!r} is not an origin; write it like https://club.example:8443"
                )
        return origins


class DatabaseSettings(BaseModel):
    """Database of the server."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    url: SecretStr | None = Field(
        None,
        description="`postgresql://…` or `sqlite:////path`. Default: `touchline.db` in the data"
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
    """WebSocket at `/ws`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    max_connections: int = Field(
        10,
        ge=1,
        le=10_000,
        description="Maximum number of WebSocket connections; further ones are closed with code"
        " 1013.",
    )


class HttpSettings(BaseModel):
    """Limits for HTTP connections."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    max_connections: int = Field(
        4096,
        ge=16,
        le=60_000,
        description="Maximum number of connections; fewer if too few open files are allowed.",
    )
    max_connections_per_address: int = Field(
        3000,
        ge=4,
        le=60_000,
        description="Maximum number of connections per client address, or per IPv6 network (/64)."
        " This machine (by any of its addresses) and trusted proxies are exempt; clients behind a"
        " trusted proxy are counted by their own address.",
    )
    trusted_proxies: list[str] = Field(
        default_factory=lambda: ["127.0.0.1", "::1"],
        description="Addresses or networks of proxies whose X-Forwarded-For header is trusted.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(
                    f"{proxy!r} is not an address or network; write it like 10.0.0.5 or 10.0.0.0/24"
                ) from None
        return proxies


_EMPTY_COUNTS = {
    f"{ENV_PREFIX}CAPTURE{ENV_DELIMITER}PREVIEW{ENV_DELIMITER}{name}"
    for name in ("STUN_SERVER", "TURN_SERVER")
}
"""Variables that have a meaning when empty: they unset a default."""


class Settings(BaseSettings):
    """All settings of the server, complete and validated. Use `load_settings` to create them."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
        env_ignore_empty=True,  # compose files pass empty variables for unset ones
    )

    _notices: tuple[str, ...] = PrivateAttr(())
    _variables: dict[str, str] = PrivateAttr(default_factory=dict)

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    data_dir: Path = Field(
        DEFAULT_DATA_DIR,
        validate_default=True,
        description="Directory of recordings, logs, state and sockets unless configured"
        " separately.",
    )
    log: LogSettings = Field(default_factory=LogSettings, description="Log of the server.")
    auth: AuthSettings = Field(
        default_factory=AuthSettings, description="Authentication and access."
    )
    database: DatabaseSettings = Field(
        default_factory=DatabaseSettings, description="Database for events and state."
    )
    websocket: WebSocketSettings = Field(
        default_factory=WebSocketSettings,
        description="WebSocket at `/ws` for live state and commands.",
    )
    http: HttpSettings = Field(
        default_factory=HttpSettings, description="Limits for HTTP connections."
    )
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
        """Return the directory of log files and alerts."""
        return (self.log.directory or self.data_dir / "logs").expanduser()

    @property
    def database_url(self) -> str:
        """Return the URL of the database; it may contain a password."""
        if self.database.url is not None:
            return database_url(self.database.url.get_secret_value())
        return f"sqlite:///{self.data_dir / 'touchline.db'}"

    def with_notices(self, notices: tuple[str, ...], variables: Mapping[str, str]) -> Settings:
        """Attach notices for the log and the DOCKER_ variables."""
        self._notices = notices
        self._variables = {k: v for k, v in variables.items() if k.startswith("DOCKER_")}
        return self

    @property
    def docker_variables(self) -> Mapping[str, str]:
        """Return the DOCKER_ variables of the environment or the `.env` file."""
        return self._variables

    @property
    def notices(self) -> tuple[str, ...]:
        """Return notices for the log about how the settings were given."""
        return self._notices

    @property
    def engines_configured(self) -> bool:
        """Return whether any setting of engines was given; otherwise that half is not started."""
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
        """Read no sources when constructed; `load_settings` collects the layers."""
        return (init_settings,)


class SettingsInvalid(Invalid):
    """Invalid settings: `faults` has every fault."""

    default_code = "settings_invalid"

    def __init__(self, faults: list[SettingFault]) -> None:
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
    """Load the settings from all layers. Raises SettingsInvalid with every fault of every layer.

    `dotenv` is a file of variables that apply where the environment does not set them. Names of
    the earlier system rank below the configuration file, and `defaults` (set by a command) below
    everything else.
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
            return settings.with_notices(before.notices, variables)
    raise SettingsInvalid(faults)


def _dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _runtime_kind(layers: list[Layer]) -> str | None:
    runtime = merge(layers).get("engines", {})
    kind = runtime.get("runtime", {}) if isinstance(runtime, Mapping) else {}
    return kind.get("kind") if isinstance(kind, Mapping) else None


def _short_key(layers: list[Layer]) -> list[SettingFault]:
    """Reject a short API key, unless it comes from the earlier system."""
    for layer in layers:
        auth = layer.values.get("auth")
        key = auth.get("api_key") if isinstance(auth, Mapping) else None
        if isinstance(key, str) and key:
            short = len(key) < LEAST_KEY
            right = f"must have at least {LEAST_KEY} characters"
            return [SettingFault(layer.format_key(("auth", "api_key")), "", right)] if short else []
    return []


def _environment_layer(environ: Mapping[str, str]) -> tuple[Layer, list[SettingFault]]:
    ours = {
        name: value
        for name, value in environ.items()
        if name.upper().startswith(ENV_PREFIX) and (value or name.upper() in _EMPTY_COUNTS)
    }
    faults: list[SettingFault] = []
    for name in list(ours):
        # One by one first: pydantic-settings stops at the first value that is not JSON.
        try:
            _read_environment({name: ours[name]})
        except (SettingsError, ValueError):
            wrong = "not valid JSON, which lists and tables are written in"
            faults.append(SettingFault(name, "", wrong))
            del ours[name]
    layer = Layer("environment", _read_environment(ours))
    # pydantic-settings ignores unknown variables, so they are detected here.
    paths = [tuple(name[len(ENV_PREFIX) :].lower().split(ENV_DELIMITER)) for name in ours]
    faults += [unknown(p, Settings, layer, layer.values) for p in paths if layer.depth(p) < len(p)]
    return layer, faults


def _read_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in variables.items()}
    return source()


def _file_layer(config: Path | None) -> tuple[Layer, list[SettingFault]]:
    if config is None:
        return Layer("file", {}), []
    name = str(config)
    try:
        with config.open("rb"):  # a missing file would be ignored silently
            values = TomlConfigSettingsSource(Settings, config)()
    except OSError as error:
        return Layer("file", {}, name), [SettingFault(name, "", error.strerror or str(error))]
    except ValueError as error:
        return Layer("file", {}, name), [SettingFault(name, "", f"not valid TOML: {error}")]
    return Layer("file", values, name), []
