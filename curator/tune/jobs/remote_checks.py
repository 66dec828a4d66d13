"""What only the service itself can say of a job before it is started; asking is free."""

from dataclasses import replace

from curator.dataset.errors import GateFailed, TargetError
from curator.dataset.rule import load_rules
from curator.tune.jobs.dry_run import DryRun
from curator.tune.jobs.recipe import Recipe
from curator.tune.services.adapters import service_of
from curator.tune.services.client import CallFailed, Connection, connect
from curator.tune.services.probing import probe

_READ_S = 15.0


def with_answers(found: DryRun, recipe: Recipe) -> DryRun:
    """Return a dry run with what the service says of the base, where it is one that can be asked."""
    target = recipe.target
    more = []
    if not target.verified:
        more.append(load_rules()["J08"].message.format(target=target.label))
    if target.tells_serving and target.is_complete:
        more += _serving(recipe)
    return replace(found, warnings=(*found.warnings, *more)) if more else found


def refuse_unlike(connection: Connection) -> None:
    """Ask a service whose profile is untested; raises GateFailed where it answers differently."""
    if connection.target.verified:
        return
    found = probe(connection)
    if not found.works:
        raise GateFailed(
            f"{connection.target.label} does not answer as its profile says, so nothing was uploaded "
            f"and no job was created. {' '.join(found.sentences)}"
        )


def _serving(recipe: Recipe) -> list[str]:
    """Return what is wrong with serving a base: that it cannot be, or that the question failed."""
    where = {"target": recipe.target.label, "base": recipe.base}
    try:
        with connect(recipe.target, read_s=_READ_S) as connection:
            service_of(connection).find_hardware(recipe.base)
    except CallFailed as error:
        if error.status == 404 and not error.is_page:
            return [load_rules()["J07"].message.format(**where)]
        return [_unknown(recipe, error)]
    except TargetError as error:
        return [_unknown(recipe, error)]
    return []


def _unknown(recipe: Recipe, error: TargetError) -> str:
    return f"Whether {recipe.target.label} can serve {recipe.base} could not be asked. {error}"
