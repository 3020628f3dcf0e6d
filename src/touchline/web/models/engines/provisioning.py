"""Models of provisioning engines and containers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER
from touchline.engines import RemovedInstance
from touchline.web.models.base import (
    PORT,
    PORT_DIGITS,
    WHOLE,
    Number,
    Port,
    SchemaKeywords,
    mapping,
)
from touchline.web.models.engines.streams import LABEL, Labels, Printable, ShortText

EnvName = Annotated[str, Field(min_length=1, max_length=255)]
EnvValue = Annotated[str, Field(max_length=32768)]
Env = Annotated[
    dict[EnvName, EnvValue],
    Field(max_length=64),
    mapping(
        {"maxLength": 255, "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$"},
        {"type": "string", "maxLength": 32768, "pattern": r"^[^\x00]*$"},
        most=64,
    ),
]
OrderLabels = Annotated[
    Labels,
    mapping(
        # Excludes the prefix of labels that only this server sets.
        {"maxLength": 255, "pattern": r"^(?!touchline\.)[A-Za-z0-9][A-Za-z0-9._/-]*$"},
        LABEL,
        most=64,
    ),
]
_IMAGE = "[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,511}"
Image = Annotated[Printable, Field(max_length=512)]
Ports = Annotated[
    dict[ShortText, Port | None],
    Field(max_length=64),
    mapping(
        {"pattern": f"^(?=[0-9]{{1,5}}(/|$)){PORT_DIGITS}(/(tcp|udp))?$"},
        {"anyOf": [*PORT, {"type": "null"}]},
        most=64,
    ),
]


class ProvisionGeneric(BaseModel):
    """A container to start."""

    # Required as well, but a missing one is answered with 400 instead of 422.
    model_config = ConfigDict(json_schema_extra={"required": ["image"]})

    image: Annotated[Image | None, WithJsonSchema({"type": "string", "pattern": f"^{_IMAGE}$"})] = (
        Field(default=None, description="Image reference.")
    )
    env: Env = Field(default_factory=dict)
    labels: OrderLabels = Field(default_factory=dict)
    ports: Ports = Field(
        default_factory=dict,
        description='Host ports by container port, such as `{"8000/tcp": 32001}`.',
    )
    name_prefix: Annotated[
        str,
        Field(min_length=1, max_length=63),
        SchemaKeywords({"pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$"}),
    ] = "svc"


class ProvisionEngine(BaseModel):
    """An engine to start."""

    image: Annotated[Image, SchemaKeywords({"pattern": f"^({_IMAGE})?$"})] | None = Field(
        default=None,
        description="Image to use instead of the variant's; empty or null for the variant's.",
    )
    labels: OrderLabels = Field(default_factory=dict)
    env: Env = Field(
        default_factory=dict,
        description="Environment variables; names must be allowed by the variant or"
        " `engines.image.env_names`.",
    )
    host_port: Port | None = Field(default=None, description="Host port; null for any free one.")


@with_config(ANSWER)
class GenericProvisioned(TypedDict):
    """A running container."""

    container_id: str
    container_name: str


@with_config(ANSWER)
class EngineProvisioned(TypedDict):
    """An engine that answers requests."""

    container_id: str
    container_name: str
    host_http_port: int
    """Port at which clients reach the engine."""
    container_http_port: int | None
    """The same port as seen inside the container."""
    container_https_port: int | None


class SelectEngine(BaseModel):
    """Requirements for the engine of a new stream."""

    stream_id: ShortText | None = Field(default=None, description="Id of the stream, for the log.")
    max_streams: Annotated[int, Field(strict=True, ge=1, le=1000), WHOLE] = Field(
        default=1, description="Maximum number of streams; only engines with fewer are selected."
    )
    wait_s: Annotated[Number, Field(ge=0, le=60)] = Field(
        default=0.0, description="How long to wait for an engine if none is free."
    )
    lease_s: Annotated[Number, Field(gt=0, le=3600)] | None = Field(
        default=None, description="Duration of the reservation; null for the configured one."
    )


@with_config(ANSWER)
class SelectedEngine(TypedDict):
    """An engine that is reserved for the client."""

    lease_id: str
    lease_seconds: float
    container_id: str
    container_name: str
    host: str
    port: int
    forwarded: bool
    last_stream_usage: str | None


@with_config(ANSWER)
class ScaledReply(TypedDict):
    """Result of scaling."""

    scaled_to: int
    """Value as requested."""
    target: int
    """Number of engines after scaling."""
    replicas: int
    """Current number of engines."""


@with_config(ANSWER)
class CollectedReply(TypedDict):
    """Result of a cleanup."""

    status: str
    removed: list[RemovedInstance]
    streams_forgotten: int


@with_config(ANSWER)
class DrainReply(TypedDict):
    """Confirmation of draining."""

    draining: str
    """Value as requested."""


@with_config(ANSWER)
class DeletedReply(TypedDict):
    """Confirmation of a removal."""

    deleted: str
    """Value as requested."""
