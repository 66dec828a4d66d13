"""Testing a connection: three free questions that upload nothing, answered in plain sentences."""

from dataclasses import dataclass
from typing import Any

from curator.dataset.errors import TargetError
from curator.tune.services.client import CallFailed, Connection


@dataclass(frozen=True, slots=True)
class ServedBase:
    """One base model or checkpoint a server offers, with its last day where it is announced."""

    name: str
    shutdown: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection test found: per question yes, no or not tried, and a sentence on each."""

    reachable: bool
    key_accepted: bool | None
    lists_bases: bool | None
    fine_tuning: bool | None
    files: bool | None
    sentences: tuple[str, ...]
    bases: tuple[ServedBase, ...] = ()

    @property
    def works(self) -> bool:
        """Whether jobs can be started there, as far as free questions can tell."""
        return self.fine_tuning is True and self.files is not False

    def to_row(self) -> dict[str, Any]:
        """Return the capabilities as the command line shows them."""
        return {
            "works": self.works,
            "reachable": self.reachable,
            "key_accepted": self.key_accepted,
            "models": self.lists_bases,
            "fine_tuning": self.fine_tuning,
            "files": self.files,
            "sentences": list(self.sentences),
            "bases": [{"name": base.name, "shutdown": base.shutdown} for base in self.bases],
        }


def probe(connection: Connection) -> Probe:
    """Ask for the base models, one job and one file; never raises for what a server answers."""
    bases, no_models = _ask_bases(connection)
    if no_models is not None and no_models.code in ("unreachable", "timeout", "not_compatible"):
        return Probe(
            reachable=no_models.code == "not_compatible",
            key_accepted=None,
            lists_bases=False,
            fine_tuning=None,
            files=None,
            sentences=(str(no_models),),
        )
    if no_models is not None and no_models.status == 401:
        return Probe(
            reachable=True,
            key_accepted=False,
            lists_bases=False,
            fine_tuning=None,
            files=None,
            sentences=(str(no_models),),
        )
    no_jobs = _ask(connection, "looking for fine-tuning jobs", "jobs")
    no_files = _ask(connection, "looking for files", "files")
    refusals = [no_models, no_jobs, no_files]
    return Probe(
        reachable=True,
        key_accepted=not any(r is not None and r.status == 401 for r in refusals),
        lists_bases=no_models is None,
        fine_tuning=no_jobs is None,
        files=no_files is None,
        sentences=(
            f"Base models: {len(bases)} offered." if no_models is None else str(no_models),
            "Fine-tuning jobs: the server has them." if no_jobs is None else str(no_jobs),
            "Training files: the server takes them." if no_files is None else str(no_files),
        ),
        bases=bases,
    )


def list_bases(connection: Connection) -> tuple[ServedBase, ...]:
    """Return what models a server names; raises TargetError where it will not say."""
    page = connection.call(object, "listing base models", lambda sdk: sdk.models.list(), retries=1)
    data = getattr(page, "data", None)
    if not isinstance(data, list):
        raise connection.not_compatible("listing base models", page)
    served = [
        ServedBase(item.id, _text(getattr(item, "shutdown_date", None)))
        for item in data
        if isinstance(getattr(item, "id", None), str)
    ]
    return tuple(sorted(served, key=lambda base: base.name))


def _ask_bases(connection: Connection) -> tuple[tuple[ServedBase, ...], TargetError | None]:
    try:
        return list_bases(connection), None
    except TargetError as error:
        return (), error


def _ask(connection: Connection, what: str, kind: str) -> CallFailed | None:
    def fetch(sdk: Any) -> object:
        if kind == "jobs":
            return sdk.fine_tuning.jobs.list(limit=1)
        return sdk.files.list(purpose="fine-tune", limit=1)

    try:
        page = connection.call(object, what, fetch, retries=1)
        if not isinstance(getattr(page, "data", None), list):
            return connection.not_compatible(what, page)
    except CallFailed as error:
        return error
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
