from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from support import examples
from touchline.web.models import state
from touchline.web.models.capture import diagnostics, library, recording
from touchline.web.models.errors import ErrorBody

EXAMPLES = [
    (recording.StartRecording, examples.START_BODY),
    (state.HostHealth, examples.HEALTH),
    (state.Status, examples.STATUS),
    (recording.RecordingStatus, examples.STATUS["recording"]),
    (state.PipelineState, examples.PIPELINE_STATE),
    (recording.StartReport, examples.START),
    (recording.StartReport, examples.REFUSAL),
    (recording.StopReport, examples.STOP),
    (recording.StopReport, examples.REFUSAL),
    (recording.RecordingHealth, examples.RECORDING_HEALTH),
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


def _shown(model: type[BaseModel]) -> list[Any]:
    extra = model.model_config.get("json_schema_extra")
    shown = extra.get("examples", []) if isinstance(extra, dict) else []
    assert isinstance(shown, list)
    return shown


DOCUMENTED = [
    model
    for module in (state, recording, diagnostics, library)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and _shown(model)
]


@pytest.mark.parametrize("model", DOCUMENTED, ids=lambda model: model.__name__)
def test_the_documentation_s_own_examples_are_valid(model: type[BaseModel]) -> None:
    for value in _shown(model):
        model.model_validate(value)
