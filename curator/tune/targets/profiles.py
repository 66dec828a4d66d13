"""Training targets: what each service is like, as data, with a user's own copies beside the shipped ones."""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field

from curator.dataset.errors import BrokenFile, UnreadableInput, WrongUse
from curator.dataset.file_names import is_reserved
from curator.dataset.resources import resource
from curator.dataset.small_files import read_object
from curator.tune.named_files import read_model, write_kept
from curator.tune.targets.addresses import fix_address

Method = Literal["sft", "dpo", "rft"]
Value = bool | int | float | str

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_LOCAL: Final = "this-computer"


class _Profile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AddressField(_Profile):
    """One blank of a base URL that a person fills in, such as a region."""

    name: str
    label: str
    help: str


class LearningRate(_Profile):
    """How a service takes the learning rate: as a multiple of its own, or as the rate itself."""

    field: str
    kind: Literal["multiplier", "absolute"]
    default: float | Literal["auto"]
    minimum: float
    maximum: float
    help: str

    @property
    def name(self) -> str:
        """The name a person uses; it says what is meant, whatever field the service reads it from."""
        return "learning_rate" if self.kind == "absolute" else "learning_rate_multiplier"


class Hyperparameter(_Profile):
    """One setting of a job: its kind, bounds, default and a plain word on what it does.

    ways names what is trained (lora, full, head and so on) where only some of that uses it.
    """

    name: str
    label: str
    kind: Literal["int", "float", "bool", "choice", "text"]
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    auto: bool = True
    advanced: bool = False
    methods: tuple[Method, ...] = ("sft", "dpo", "rft")
    ways: tuple[str, ...] = ()
    place: Literal["hyperparameters", "body", "metadata"] = "hyperparameters"
    help: str


class EndOfLife(_Profile):
    """The last day a service takes jobs, the last day it answers, and who is shut out already."""

    create: date
    serve: date
    note: str = ""


class Lifetime(_Profile):
    """The dates a service keeps for one base model; None is not announced.

    retires is when it takes no new customers for it, trains the last day of jobs for those it has,
    serves the last day its checkpoints answer.
    """

    pattern: str
    retires: date | None = None
    trains: date | None = None
    serves: date | None = None


class ProfileSource(_Profile):
    """Where a profile comes from and when that was looked at."""

    ref: str
    checked_on: date


class Target(_Profile):
    """One service that trains: where it is, how it is spoken to, and what it takes."""

    id: str = Field(pattern=_ID.pattern)
    label: str
    protocol: Literal["openai", "local", "together"]
    base_url: str
    address_fields: tuple[AddressField, ...] = ()
    address: Mapping[str, str] = {}
    auth: Literal["bearer", "api-key", "none"]
    key_env: str
    methods: tuple[Method, ...]
    hyper_style: Literal["method", "legacy"]
    learning_rate: LearningRate
    hyperparameters: tuple[Hyperparameter, ...]
    extra_body: Mapping[str, Value] = {}
    options_key: str = ""
    auto_epochs: int | None = None
    extra_headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    key_header: str = "api-key"
    graders: tuple[str, ...] = ()
    wandb: bool = False
    min_lines: int | None = None
    max_lines: int | None = None
    max_file_bytes: int | None = None
    plain_upload_bytes: int
    uploads_api: bool
    max_tokens_per_example: int | None = None
    rules_profile: str
    bills_validation: bool | None
    status_map: Mapping[str, str] = {}
    bases: tuple[str, ...] = ()
    prices: str
    end_of_life: EndOfLife | None = None
    lifetimes: tuple[Lifetime, ...] = ()
    tells_serving: bool = False
    verified: bool = True
    note: str = ""
    deploy_url: str = ""
    source: ProfileSource

    @property
    def url(self) -> str:
        """The base URL with its blanks filled in; empty blanks stay in braces."""
        return self._filled(self.base_url).rstrip("/")

    @property
    def headers(self) -> dict[str, str]:
        """The headers every call carries, their blanks filled in; never the key."""
        return {name: self._filled(value) for name, value in self.extra_headers.items()}

    @property
    def parameters(self) -> dict[str, str]:
        """The query every call carries, such as an API version, its blanks filled in."""
        return {name: self._filled(value) for name, value in self.query.items()}

    @property
    def is_complete(self) -> bool:
        """Whether every blank of the address is filled in."""
        parts = (self.url, *self.headers.values(), *self.parameters.values())
        return not any("{" in part for part in parts)

    def lifetime_of(self, base: str) -> Lifetime | None:
        """Return the dates of a base model at this target, None where none are known."""
        # A copy that was kept before there were dates takes those of the profile it was made from.
        known = self.lifetimes or _shipped_lifetimes(self.prices)
        return next((one for one in known if re.fullmatch(one.pattern, base)), None)

    def _filled(self, text: str) -> str:
        for name, value in self.address.items():
            text = text.replace("{" + name + "}", value.strip())
        return text

    def settings(self, method: Method) -> tuple[Hyperparameter, ...]:
        """Return every setting a job of this method has, the learning rate among them."""
        rate = self.learning_rate
        kind = "multiplier" if rate.kind == "multiplier" else "rate"
        as_setting = Hyperparameter(
            name=rate.name,
            label=f"Learning {'rate multiplier' if kind == 'multiplier' else 'rate'}",
            kind="float",
            default=rate.default,
            minimum=rate.minimum,
            maximum=rate.maximum,
            auto=rate.default == "auto",
            help=rate.help,
        )
        own = tuple(h for h in self.hyperparameters if method in h.methods)
        return (*own[:2], as_setting, *own[2:])


def settings_folder() -> Path:
    """Return the folder of the user's own targets and prices; CURATOR_CONFIG overrides it."""
    chosen = os.environ.get("CURATOR_CONFIG")
    return (
        Path(chosen) if chosen else Path(platformdirs.user_config_dir("curator", appauthor=False))
    )


def state_folder() -> Path:
    """Return the folder of the job table and the local server's state; CURATOR_STATE overrides it."""
    chosen = os.environ.get("CURATOR_STATE")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("curator", appauthor=False))


def corrected_prices() -> Path:
    """Return where a user's own price corrections lie, whether or not there are any."""
    return settings_folder() / "prices.json"


def load_targets() -> dict[str, Target]:
    """Return every target by id: shipped ones, then the user's own, which win.

    This computer's address is filled in only while its server says where it listens.
    """
    shipped = {path.stem: read_target(path) for path in sorted(resource("targets").glob("*.json"))}
    targets = {**shipped, _LOCAL: _with_local_address(shipped[_LOCAL])}
    folder = settings_folder() / "targets"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        # One that cannot be read takes no other with it; who asks for it by name hears why.
        with suppress(UnreadableInput):
            mine = read_target(path)
            targets[mine.id] = mine
    return targets


def unreadable_targets() -> dict[str, str]:
    """Return why profiles of the user's own cannot be read, by their names."""
    found = {}
    folder = settings_folder() / "targets"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            read_target(path)
        except UnreadableInput as error:
            found[path.stem] = str(error)
    return found


def find_target(name: str) -> Target:
    """Return a target by id; raises WrongUse with the names there are."""
    targets = load_targets()
    if name not in targets and _ID.fullmatch(name) and _own_path(name).exists():
        read_target(_own_path(name))
    if name not in targets and name in ended_targets():
        raise WrongUse(ended_targets()[name])
    if name not in targets:
        known = ", ".join(sorted(targets))
        raise WrongUse(f'There is no target "{name}". Known targets: {known}.')
    return targets[name]


@cache
def _shipped_lifetimes(name: str) -> tuple[Lifetime, ...]:
    path = resource("targets", f"{name}.json")
    return read_target(path).lifetimes if path.is_file() else ()


def ended_targets() -> dict[str, str]:
    """Return what to say of services that take no jobs any more, by the name of their profile."""
    ended: dict[str, str] = json.loads(resource("ended-targets.json").read_text("utf-8"))
    return ended


def read_target(path: Path) -> Target:
    """Read one profile; raises BrokenFile that names the field at fault, or the service that ended."""
    try:
        return read_model(path, Target)
    except BrokenFile as error:
        gone = ended_targets().get(_protocol_in(path))
        if gone:
            raise UnreadableInput(f"{gone} Remove the profile {path}.", path) from error
        raise


def _protocol_in(path: Path) -> str:
    """Return the protocol that a profile names, empty where it names none."""
    try:
        return str(read_object(path).get("protocol", ""))
    except BrokenFile:
        return ""


def is_own(target_id: str) -> bool:
    """Say whether the user has an own copy of a target."""
    return _own_path(target_id).is_file()


def save_target(target: Target) -> Path:
    """Write the user's own copy of a target; keys are never part of it."""
    path = _own_path(target.id)
    write_kept(path, target.model_dump(mode="json"))
    return path


def derive_target(kind: str, new_id: str, label: str, address: Mapping[str, str]) -> Target:
    """Return a target of the user's own made from a shipped one, address filled in.

    A custom server gets its own environment variable, so that no key meant for one service is ever
    sent to another.
    """
    if not _ID.fullmatch(new_id) or is_reserved(new_id):
        raise WrongUse(
            f'"{new_id}" cannot name a target: use small letters, digits and hyphens, and no name '
            "that a system keeps for itself."
        )
    template = find_target(kind)
    unknown = set(address) - {field.name for field in template.address_fields}
    if unknown:
        raise WrongUse(f'The target "{kind}" has no address field "{sorted(unknown)[0]}".')
    filled = {n: fix_address(v)[0] if n == "address" else v for n, v in address.items()}
    return template.model_copy(
        update={
            "id": new_id,
            "label": label or new_id,
            "address": filled,
            "key_env": key_variable(template, new_id),
        }
    )


def key_variable(template: Target, new_id: str) -> str:
    """Return the environment variable a derived target's key may stand in."""
    if "{address}" not in template.base_url:
        return template.key_env
    return f"CURATOR_{new_id.upper().replace('-', '_') or 'NAME'}_KEY"


def with_rate_kind(target: Target, kind: Literal["multiplier", "absolute"]) -> Target:
    """Return the target with its learning rate meant as a multiple, or as the rate itself."""
    if target.learning_rate.kind == kind:
        return target
    if kind == "multiplier":
        usual = read_target(resource("targets", "custom.json")).learning_rate
        return target.model_copy(update={"learning_rate": usual})
    rate = LearningRate(
        field=target.learning_rate.field,
        kind="absolute",
        default=2e-5,
        minimum=1e-8,
        maximum=0.1,
        help="The size of each step itself, for example 0.00002, as this server reads it.",
    )
    return target.model_copy(update={"learning_rate": rate})


def with_local_address(target: Target, url: str) -> Target:
    """Return this computer's target with the address its server listens at."""
    return target.model_copy(update={"address": {"local_server": url}})


def _own_path(target_id: str) -> Path:
    return settings_folder() / "targets" / f"{target_id}.json"


def _with_local_address(profile: Target) -> Target:
    """Return this computer's profile with the address a running local server wrote down."""
    path = state_folder() / "local-server.json"
    if not path.is_file():
        return profile
    try:
        known = read_object(path, {"base_url": str})
    except BrokenFile:
        return profile
    url, pid = known["base_url"], known.get("pid")
    if isinstance(pid, int) and not _is_alive(pid):
        # A killed server leaves its address behind.
        return profile
    return with_local_address(profile, str(url))


def _is_alive(pid: int) -> bool:
    """Say whether a process runs; where the system cannot be asked without harm, believe so."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
