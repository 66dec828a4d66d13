"""Testing a connection: three free questions that upload nothing, answered in plain sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curator.dataset.errors import TargetError
from curator.tune.services.adapters import service_of
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.port import Model


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection test found: per question yes, no or not tried, and a sentence on each."""

    reachable: bool
    key_accepted: bool | None
    lists_bases: bool | None
    fine_tuning: bool | None
    files: bool | None
    sentences: tuple[str, ...]
    bases: tuple[Model, ...] = ()

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
    service = service_of(connection)
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
    no_jobs = _ask(service.probe_jobs)
    no_files = _ask(service.probe_files)
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


def list_bases(connection: Connection) -> tuple[Model, ...]:
    """Return what models a server names; raises TargetError where it will not say."""
    return tuple(sorted(service_of(connection).models(), key=lambda model: model.name))


def _ask_bases(connection: Connection) -> tuple[tuple[Model, ...], TargetError | None]:
    try:
        return list_bases(connection), None
    except TargetError as error:
        return (), error


def _ask(question: Callable[[], None]) -> CallFailed | None:
    try:
        question()
    except CallFailed as error:
        return error
    return None
