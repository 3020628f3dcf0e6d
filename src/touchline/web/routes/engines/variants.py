"""Routes of the custom variant: configuration, templates and replacing engines."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from touchline.engines import (
    CatalogueEntry,
    ConfigInvalid,
    PlatformInfo,
    ReprovisionStatus,
    TemplateContent,
    TemplateList,
    VariantConfig,
    config_of,
    hidden,
)
from touchline.web.auth.auth import NEEDS_KEY, PRIVATE
from touchline.web.http.answers import answer
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Handler, Route
from touchline.web.models.engines.orchestrator import Message
from touchline.web.models.engines.variants import (
    ChangedConfig,
    ConfigSaved,
    ImportTemplate,
    ReprovisionStarted,
    TemplateActivated,
    TemplateBody,
    TemplateName,
)
from touchline.web.routes.engines.cached import engines_of


class ConfigRoute(Route):
    """Route that answers an invalid configuration with 400."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler so that a configuration it refuses becomes a 400."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except ConfigInvalid as error:
                return answer({"detail": error.message, "code": error.code}, 400)

        return handled


router = APIRouter(
    strict_content_type=False,  # clients of the earlier system send none
    prefix="/custom-variant",
    tags=["custom variant"],
    route_class=ConfigRoute,
    responses=may_answer(413, 500),
)

Slot = Annotated[
    int,
    # Documented but not enforced by the framework: other numbers are answered with 400.
    Path(
        description="Number of the slot, 1 to 10.", json_schema_extra={"minimum": 1, "maximum": 10}
    ),
]


@router.get(
    "/platform",
    name="variant_platform",
    operation_id="get_platform",
    summary="Get the platform of this machine",
    response_model=PlatformInfo,
)
async def get_platform(request: Request) -> Response:
    """Return the platform of this machine and all supported ones."""
    return answer(engines_of(request).platform())


@router.get(
    "/parameters",
    name="variant_parameters",
    operation_id="get_parameter_catalogue",
    summary="List the known parameters",
    response_model=list[CatalogueEntry],
)
async def get_parameter_catalogue(request: Request) -> Response:
    """List the known parameters with type, default, bounds, unit and help."""
    return answer(engines_of(request).catalogue())


@router.get(
    "/config",
    name="variant_config",
    operation_id="get_variant_config",
    summary="Get the configuration",
    response_model=VariantConfig,
)
async def get_variant_config(request: Request) -> Response:
    """Return the current configuration. Secrets are masked."""
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
    request: Request, config: Annotated[ChangedConfig, Body()]
) -> Response:
    """Validate and save the configuration. Running engines keep theirs until they are replaced."""
    variants = engines_of(request).variants
    not_kept = sorted(config.model_extra or ())
    given = config.model_dump(exclude=set(not_kept))
    saved = await variants.save(config_of(given))
    message = "Configuration saved successfully"
    if not_kept:
        message += f"; unknown settings were not saved: {', '.join(not_kept)[:500]}"
    reply: ConfigSaved = {
        "message": message,
        "config": hidden(saved),
        "not_kept": not_kept[:100],
    }
    return answer(reply)


@router.post(
    "/reprovision",
    name="reprovision",
    operation_id="reprovision_engines",
    summary="Replace all engines",
    response_model=ReprovisionStarted,
    responses=may_answer(401, 403, 409, 503),
    dependencies=[NEEDS_KEY],
)
async def reprovision_engines(request: Request) -> Response:
    """Replace every engine by one with the current configuration, in the background.

    A new engine is ready before an old one is removed. Engines with streams are removed after
    these have ended.
    """
    count = await engines_of(request).reprovision.start()
    reply: ReprovisionStarted = {
        "message": f"Started reprovisioning of {count} engines",
        "deleted_count": count,
    }
    return answer(reply)


@router.get(
    "/reprovision/status",
    name="reprovision_status",
    operation_id="get_reprovision_status",
    summary="Get the progress of a reprovisioning",
    response_model=ReprovisionStatus,
)
async def get_reprovision_status(request: Request) -> Response:
    """Return the progress of the latest reprovisioning."""
    return answer(engines_of(request).reprovision.status())


@router.get(
    "/templates",
    name="templates",
    operation_id="get_templates",
    summary="List the templates",
    response_model=TemplateList,
    responses=may_answer(401, 403),
    dependencies=[PRIVATE],
)
async def get_templates(request: Request) -> Response:
    """List all slots and the active template."""
    return answer(engines_of(request).variants.templates())


@router.get(
    "/templates/{slot_id}",
    name="template",
    operation_id="get_template",
    summary="Get a template",
    response_model=TemplateContent,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[PRIVATE],
)
async def get_template(request: Request, slot_id: Slot) -> Response:
    """Return the name and configuration of a template."""
    return answer(engines_of(request).variants.template(slot_id).to_json())


@router.post(
    "/templates/{slot_id}",
    name="save_template",
    operation_id="save_template",
    summary="Save a template",
    response_model=Message,
    responses=may_answer(400, 401, 403),
    dependencies=[NEEDS_KEY],
)
async def save_template(
    request: Request, slot_id: Slot, template: Annotated[TemplateBody, Body()]
) -> Response:
    """Validate a template and save it to this slot, replacing an existing one."""
    if template.name is None or template.config is None:
        raise ConfigInvalid("A template needs a name and a config")
    saved = await engines_of(request).variants.save_template(
        slot_id, template.name, config_of(template.config)
    )
    return _done(f"Template {slot_id} ({saved.name}) saved successfully")


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
    """Delete a template. The active one is refused."""
    await engines_of(request).variants.delete(slot_id)
    return _done(f"Template {slot_id} deleted successfully")


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
    """Rename a template."""
    renamed = await engines_of(request).variants.rename(slot_id, name.name or "")
    return _done(f"Template {slot_id} renamed to {renamed.name}")


@router.post(
    "/templates/{slot_id}/activate",
    name="activate_template",
    operation_id="activate_template",
    summary="Activate a template",
    response_model=TemplateActivated,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def activate_template(request: Request, slot_id: Slot) -> Response:
    """Use a template's configuration for new engines."""
    template = await engines_of(request).variants.activate(slot_id)
    reply: TemplateActivated = {
        "message": f"Template {template.name} activated successfully",
        "template_id": template.slot,
        "template_name": template.name,
    }
    return answer(reply)


@router.get(
    "/templates/{slot_id}/export",
    name="export_template",
    operation_id="export_template",
    summary="Export a template",
    response_model=TemplateContent,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[PRIVATE],
)
async def export_template(request: Request, slot_id: Slot) -> Response:
    """Return a template as a file for importing. Secrets are left out."""
    name, content = engines_of(request).variants.export(slot_id)
    return answer(content, headers={"Content-Disposition": f"attachment; filename={name}"})


@router.post(
    "/templates/{slot_id}/import",
    name="import_template",
    operation_id="import_template",
    summary="Import a template",
    response_model=Message,
    responses=may_answer(400, 401, 403),
    dependencies=[NEEDS_KEY],
)
async def import_template(
    request: Request, slot_id: Slot, given: Annotated[ImportTemplate, Body()]
) -> Response:
    """Validate an exported template and save it to this slot."""
    if not isinstance(given.json_data, str):
        raise ConfigInvalid("json_data must be the text of an exported template")
    template = await engines_of(request).variants.import_(slot_id, given.json_data)
    return _done(f"Template {template.name} imported to slot {slot_id}")


def _done(message: str) -> Response:
    reply: Message = {"message": message}
    return answer(reply)
