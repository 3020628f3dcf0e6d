from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from support import examples
from touchline import capture
from touchline.capture import answers
from touchline.capture.cameras import answers as cameras
from touchline.capture.host import answers as host
from touchline.capture.library import answers as library
from touchline.capture.library.verification import answers as verification
from touchline.capture.live import answers as live
from touchline.capture.logs import answers as logs
from touchline.capture.panorama import answers as panorama
from touchline.capture.processing import answers as processing
from touchline.capture.recording import answers as recording
from touchline.core.history import answers as history
from touchline.web.models import service
from touchline.web.models.capture.recording import StartRecording
from touchline.web.models.errors import ErrorBody

EXAMPLES = [
    (StartRecording, examples.START_BODY),
    (capture.HostHealth, examples.HEALTH),
    (capture.Status, examples.STATUS),
    (capture.RecordingStatus, examples.STATUS["recording"]),
    (capture.PipelineState, examples.PIPELINE_STATE),
    (capture.StartReport, examples.START),
    (capture.StartReport, examples.REFUSAL),
    (capture.StopReport, examples.STOP),
    (capture.StopReport, examples.REFUSAL),
    (capture.RecordingHealth, examples.RECORDING_HEALTH),
    (ErrorBody, examples.HTTP_ERROR),
]


@pytest.mark.parametrize(
    ("model", "example"), EXAMPLES, ids=lambda part: getattr(part, "__name__", "")
)
def test_every_example_of_the_contract_is_valid_and_keeps_its_values(
    model: Any, example: dict[str, Any]
) -> None:
    adapter = TypeAdapter(model)
    parsed = adapter.validate_python(example, strict=True)
    kept = adapter.dump_python(parsed, mode="json", exclude_unset=True)
    assert kept == example


def _shown(model: Any) -> list[Any]:
    config = getattr(model, "__pydantic_config__", None)  # of a TypedDict
    if config is None and isinstance(model, type) and issubclass(model, BaseModel):
        config = model.model_config
    extra = (config or {}).get("json_schema_extra")
    shown = extra.get("examples", []) if isinstance(extra, dict) else []
    assert isinstance(shown, list)
    return shown


def _documented(*modules: ModuleType) -> list[Any]:
    return [
        model
        for module in modules
        for model in vars(module).values()
        if getattr(model, "__module__", None) == module.__name__ and _shown(model)
    ]


DOCUMENTED = _documented(
    service,
    answers,
    cameras,
    host,
    library,
    verification,
    live,
    logs,
    panorama,
    processing,
    recording,
    history,
)


@pytest.mark.parametrize("model", DOCUMENTED, ids=lambda model: model.__name__)
def test_the_documentation_s_own_examples_are_valid(model: Any) -> None:
    for value in _shown(model):
        TypeAdapter(model).validate_python(value)
