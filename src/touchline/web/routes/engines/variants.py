"""The custom variant: its configuration, its templates, and making engines anew with it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response

from touchline.engines import ConfigInvalid, config_of, hidden
from touchline.web.auth.auth import NEEDS_KEY, PRIVATE
from touchline.web.http.answers import answer
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Handler, Route
from touchline.web.models.engines.orchestrator import Message
from touchline.web.models.engines.variants import (
    CatalogueEntry,
    ConfigSaved,
    ImportTemplate,
    PlatformInfo,
    ReprovisionStarted,
    ReprovisionStatus,
    TemplateActivated,
    TemplateBody,
    TemplateContent,
    TemplateList,
    TemplateName,
    VariantConfig,
)
from touchline.web.routes.engines.standing import engines_of


class ConfigRoute(Route):
    """A route that answers 400 where a configuration makes no sense."""

    def get_route_handler(self) -> Handler:
        """The handler, and what becomes of a configuration that it refuses."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except ConfigInvalid as error:
                return answer({"detail": error.message, "code": error.code}, 400)

        return handled


router = APIRouter(
    strict_content_type=False,  # clients of the earlier system name none
    prefix="/custom-variant",
    tags=["custom variant"],
    route_class=ConfigRoute,
    responses=may_answer(413, 500),
)

Slot = Annotated[
    int,
    # Told and not enforced by the framework: another number is a 400 here.
    Path(description="1 to 10.", json_schema_extra={"minimum": 1, "maximum": 10}),
]


@router.get(
    "/platform",
    name="variant_platform",
    operation_id="get_platform",
    summary="This machine's platform",
    response_model=PlatformInfo,
)
async def get_platform(request: Request) -> Response:
    """The platform of this machine, and those that there are."""
    return answer(engines_of(request).platform())


@router.get(
    "/parameters",
    name="variant_parameters",
    operation_id="get_parameter_catalogue",
    summary="What engines can be told",
    response_model=list[CatalogueEntry],
)
async def get_parameter_catalogue(request: Request) -> Response:
    """The known parameters with type, default, bounds, unit and a line of help."""
    return answer(engines_of(request).catalogue())


@router.get(
    "/config",
    name="variant_config",
    operation_id="get_variant_config",
    summary="The configuration",
    response_model=VariantConfig,
)
async def get_variant_config(request: Request) -> Response:
    """The configuration that counts; secrets are only said to be there."""
    return answer(hidden(engines_of(request).variants.config))


@router.post(
    "/config",
    name="save_variant_config",
    operation_id="save_variant_config",
    summary="Change the configuration",
    response_model=ConfigSaved,
    responses=may_answer(400, 401, 403),
    dependencies=[NEEDS_KEY],
)
async def save_variant_config(
    request: Request, config: Annotated[VariantConfig, Body()]
) -> Response:
    """Check and keep it. Engines that run stay as they are until they are made anew."""
    variants = engines_of(request).variants
    not_kept = sorted(config.model_extra or ())
    given = config.model_dump(mode="json", exclude=set(not_kept))
    saved = await variants.save(config_of(given))
    message = "Configuration saved successfully"
    if not_kept:
        message += f"; not kept, as there is no such setting here: {', '.join(not_kept)[:500]}"
    return answer({"message": message, "config": hidden(saved), "not_kept": not_kept[:100]})


@router.post(
    "/reprovision",
    name="reprovision",
    operation_id="reprovision_engines",
    summary="Make all engines anew",
    response_model=ReprovisionStarted,
    responses=may_answer(401, 403, 409, 503),
    dependencies=[NEEDS_KEY],
)
async def reprovision_engines(request: Request) -> Response:
    """Replace every engine with one of the current configuration, in the background.

    A new one is ready before an old one goes, and one with streams goes when they have ended.
    """
    count = await engines_of(request).reprovision.start()
    return answer({"message": f"Started reprovisioning of {count} engines", "deleted_count": count})


@router.get(
    "/reprovision/status",
    name="reprovision_status",
    operation_id="get_reprovision_status",
    summary="How far that is",
    response_model=ReprovisionStatus,
)
async def get_reprovision_status(request: Request) -> Response:
    """The progress of the last reprovisioning."""
    return answer(engines_of(request).reprovision.status())


@router.get(
    "/templates",
    name="templates",
    operation_id="get_templates",
    summary="The ten templates",
    response_model=TemplateList,
    responses=may_answer(401, 403),
    dependencies=[PRIVATE],
)
async def get_templates(request: Request) -> Response:
    """All slots, and which template is active."""
    return answer(engines_of(request).variants.templates())


@router.get(
    "/templates/{slot_id}",
    name="template",
    operation_id="get_template",
    summary="One template",
    response_model=TemplateContent,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[PRIVATE],
)
async def get_template(request: Request, slot_id: Slot) -> Response:
    """Its name and configuration."""
    return answer(_shown(engines_of(request).variants.template(slot_id)))


@router.post(
    "/templates/{slot_id}",
    name="save_template",
    operation_id="save_template",
    summary="Keep a template",
    response_model=Message,
    responses=may_answer(400, 401, 403),
    dependencies=[NEEDS_KEY],
)
async def save_template(
    request: Request, slot_id: Slot, template: Annotated[TemplateBody, Body()]
) -> Response:
    """Check it and keep it in this slot, in the place of what was there."""
    if template.name is None or template.config is None:
        raise ConfigInvalid("A template needs a name and a config")
    saved = await engines_of(request).variants.save_template(
        slot_id, template.name, config_of(template.config)
    )
    return answer({"message": f"Template {slot_id} ({saved.name}) saved successfully"})


@router.delete(
    "/templates/{slot_id}",
    name="delete_template",
    operation_id="delete_template",
    summary="Delete a template",
    response_model=Message,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def delete_template(request: Request, slot_id: Slot) -> Response:
    """Empty a slot; the active template is kept."""
    await engines_of(request).variants.delete(slot_id)
    return answer({"message": f"Template {slot_id} deleted successfully"})


@router.patch(
    "/templates/{slot_id}/rename",
    name="rename_template",
    operation_id="rename_template",
    summary="Rename a template",
    response_model=Message,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def rename_template(
    request: Request, slot_id: Slot, name: Annotated[TemplateName, Body()]
) -> Response:
    """Give it another name."""
    renamed = await engines_of(request).variants.rename(slot_id, name.name or "")
    return answer({"message": f"Template {slot_id} renamed to {renamed.name}"})


@router.post(
    "/templates/{slot_id}/activate",
    name="activate_template",
    operation_id="activate_template",
    summary="Use a template",
    response_model=TemplateActivated,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def activate_template(request: Request, slot_id: Slot) -> Response:
    """Its configuration is the one that counts from now on, for engines that are made anew."""
    template = await engines_of(request).variants.activate(slot_id)
    return answer(
        {
            "message": f"Template {template.name} activated successfully",
            "template_id": template.slot,
            "template_name": template.name,
        }
    )


@router.get(
    "/templates/{slot_id}/export",
    name="export_template",
    operation_id="export_template",
    summary="A template as a file",
    response_model=TemplateContent,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[PRIVATE],
)
async def export_template(request: Request, slot_id: Slot) -> Response:
    """A file that can be imported here or elsewhere; secrets are left out."""
    name, content = engines_of(request).variants.export(slot_id)
    return answer(content, headers={"Content-Disposition": f"attachment; filename={name}"})


@router.post(
    "/templates/{slot_id}/import",
    name="import_template",
    operation_id="import_template",
    summary="Take a template from a file",
    response_model=Message,
    responses=may_answer(400, 401, 403),
    dependencies=[NEEDS_KEY],
)
async def import_template(
    request: Request, slot_id: Slot, given: Annotated[ImportTemplate, Body()]
) -> Response:
    """Check what an export has given, and keep it in this slot."""
    if not isinstance(given.json_data, str):
        raise ConfigInvalid("json_data must be the text of an exported template")
    template = await engines_of(request).variants.import_(slot_id, given.json_data)
    return answer({"message": f"Template {template.name} imported to slot {slot_id}"})


def _shown(template: Any) -> dict[str, Any]:
    return {
        "slot_id": template.slot,
        "name": template.name,
        "config": hidden(template.config),
    }
