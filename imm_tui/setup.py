"""From a key to a working profile: what there is already, what has to be made, and its making and taking away.

MNS gives each message of a queue to one consumer, but each message of a topic to every queue that is subscribed to it.
So every viewer gets a queue of its own on the project's topic: several people watch one project, and each of them sees
every event.

What is made is written down beside the histories before it is made, so that it can be taken away again, and nothing
else with it, however a run ended.
"""

from __future__ import annotations

import difflib
import getpass
import hashlib
import json
import os
import re
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from imm_tui import config, config_file
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, HistoryUnusable, Refused, Trouble, Unreachable
from imm_tui.i18n import N_, _
from imm_tui.tasks import API_VERSIONS, ApiVersion

if TYPE_CHECKING:
    from imm_tui.cloud.mns_account import MnsAccount

REGIONS = (
    *("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "cn-zhangjiakou", "cn-qingdao", "cn-wulanchabu"),
    *("cn-guangzhou", "cn-chengdu", "cn-hongkong", "ap-southeast-1", "ap-southeast-5", "eu-central-1", "eu-west-1"),
    *("us-east-1", "us-west-1"),
)
"""Where IMM is (its documentation, January 2026); 2017-09-06 is in the first five only."""

CONTENT_FORMAT = "JSON"
"""NotifyContentFormat of what is subscribed here: unlike SIMPLIFIED it says when the topic got the message."""

VISIBILITY_TIMEOUT, POLLING_WAIT, RETENTION = 60, 30, 345_600
"""Seconds: to store a batch on a slow disk there are many; a long poll's most; and the service's own four days."""

ACTIONS = (
    *("mns:GetTopicAttributes", "mns:CreateTopic", "mns:GetQueueAttributes", "mns:CreateQueue"),
    *("mns:ListSubscriptionByTopic", "mns:GetSubscriptionAttributes", "mns:Subscribe"),
)
"""The permissions that it takes to look and to make."""

REMOVAL_ACTIONS = (
    *("mns:GetQueueAttributes", "mns:ListSubscriptionByTopic", "mns:GetSubscriptionAttributes"),
    *("mns:Unsubscribe", "mns:DeleteQueue", "mns:DeleteTopic"),
)

Told = TypeVar("Told")

NOTHING = "–"

_LONGEST = 120
"""Characters of the name of a queue or a topic (MNS API 2015-06-06, limits of new ones)."""


class Kind(StrEnum):
    """What a way from a topic to a viewer is made of."""

    TOPIC = "topic"
    QUEUE = "queue"
    SUBSCRIPTION = "subscription"


_KINDS = {
    Kind.TOPIC: N_("topic {name}"),
    Kind.QUEUE: N_("queue {name}"),
    Kind.SUBSCRIPTION: N_("subscription {name} of the topic {topic}"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One of them. `topic` is a subscription's."""

    kind: Kind
    name: str
    topic: str = ""

    def __str__(self) -> str:
        """As a person is told of it."""
        return _(_KINDS[self.kind]).format(name=self.name, topic=self.topic)


@dataclass(frozen=True, slots=True)
class Plan:
    """What these settings need: `there` is, `missing` has to be made, in this order."""

    settings: Settings
    there: tuple[Part, ...]
    missing: tuple[Part, ...]
    remarks: tuple[str, ...] = ()
    """What a person should know of what is there, a sentence each."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made here for one profile, and where."""

    mns_endpoint: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What would be taken away, in this order; `kept` is of our making too, but others use it by now."""

    made: Made
    gone: tuple[Part, ...]
    kept: tuple[Part, ...]
    messages: int
    """On the queue, which go with it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can say: the value of a setting, one of `options`, or any text where there are none."""

    setting: str
    words: str
    options: tuple[str, ...] = ()
    usual: str = ""
    """What is meant where nothing is answered; empty where there is no telling."""


Load = Callable[[Mapping[str, str]], Settings]
"""The settings with these answers above them, by the names of config.KEYS. Raises BadInput for one that cannot be."""


def complete(
    load: Load, keys: Keys, environ: Mapping[str, str], *, private: bool = False
) -> Generator[Question, str, Settings]:
    """The settings with everything that there has to be. What is not set is looked for in the account; what cannot be
    found is yielded as a question, and its answer sent back.

    `private` wants a queue of this viewer's own although the profile names another. Raises BadInput, Refused and
    Unreachable.
    """
    answers: dict[str, str] = {}
    settings = load(answers)
    if not settings.region:
        answers["region"] = yield Question("region", _("Which region is the project in?"), REGIONS)
        settings = load(answers)
    answers["account_id"] = account_of(settings, keys) or (
        yield Question("account_id", _("The main account’s id, as the console shows it?"))
    )
    settings = load(answers)
    answers["project"], answers["api_version"] = yield from _project(settings, keys)
    settings = load(answers)
    if not settings.topic:
        own = topic_of(settings.project)
        others = [name for name in _topics(settings, keys) if name != own]
        question = _("Which topic is IMM to publish to? Everybody who watches the project needs the same.")
        answers["topic"] = (yield Question("topic", question, (own, *others), own)) if others else own
    if private or not settings.queue:
        answers["queue"] = private_queue(settings.profile, environ)
    return load(answers)


def _project(settings: Settings, keys: Keys) -> Generator[Question, str, tuple[str, ApiVersion]]:
    """The project and the version that has it: what is set, the only one there is, or what is chosen."""
    found = _projects(settings, keys)
    names = dict.fromkeys(name for name, _version in found)
    if settings.project:
        versions = [version for name, version in found if name == settings.project]
        if not versions:
            raise BadInput(
                _("There is no project {name} in {region}.").format(name=settings.project, region=settings.region),
                _("What there is: {names}.").format(names=", ".join(names) or NOTHING),
                _("Name one of them with {flag}, or another region.").format(flag="--project"),
                field="project",
            )
        return settings.project, settings.api_version if settings.api_version in versions else versions[0]
    if not found:
        raise BadInput(
            _("There is no IMM project in {region}.").format(region=settings.region),
            _("Neither API version lists one for this access key’s account."),
            _("Create one in the IMM console, or name another region with {flag}.").format(flag="--region"),
            field="project",
        )
    shown = {f"{name} ({version})": (name, version) for name, version in found}
    if len(names) == 1:  # a name that both versions know is two projects
        return next((it for it in found if it[1] == settings.api_version), found[0])
    return shown[(yield Question("project", _("Which project?"), tuple(shown)))]


def private_queue(profile: str, environ: Mapping[str, str]) -> str:
    """The name of a viewer's own queue: always the same one for a person on a machine with a profile."""
    try:
        user = environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else ""
    parts = ["imm-tui", user, socket.gethostname().partition(".")[0], *([profile] if profile != "default" else [])]
    return _as_name("-".join(parts))


def topic_of(project: str) -> str:
    """The name of a project's topic, where none was chosen: the same for everybody who watches it."""
    return _as_name(f"imm-tui-{project}")


def _as_name(text: str) -> str:
    """`text` as the name of a queue or a topic. Two that differ stay different where signs of them have to go."""
    name = re.sub("-+", "-", re.sub("[^A-Za-z0-9]", "-", text)).strip("-")
    if name == text and len(name) <= _LONGEST:
        return name
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=3).hexdigest()
    return f"{name[: _LONGEST - 7].rstrip('-')}-{digest}"


def account_of(settings: Settings, keys: Keys) -> str:
    """The main account's id: the settings', else what STS says of the key; "" where nobody can be asked.

    Raises Refused and Unreachable.
    """
    if settings.account_id:
        return settings.account_id
    if named := re.match(r"https?://([0-9]+)\.mns\.", settings.mns_endpoint):
        return named[1]
    if not settings.sts_endpoint:
        return ""
    from imm_tui.cloud.sts import caller

    return caller(settings.sts_endpoint, keys).account_id


def _projects(settings: Settings, keys: Keys) -> list[tuple[str, ApiVersion]]:
    """The account's projects in the region of `settings`, and which API version knows each.

    Not every account has both versions. Raises Refused or Unreachable where neither can be asked.
    """
    from imm_tui.cloud.imm import Imm

    found: list[tuple[str, ApiVersion]] = []
    troubles: list[Trouble] = []
    for version in reversed(API_VERSIONS):  # what new accounts have comes first
        try:
            imm = Imm(
                endpoint=settings.imm_endpoint,
                region=settings.region,
                api_version=version,
                project=None,
                topic="",
                mns_endpoint="",
                credentials=keys,
                read_only=True,
            )
            with closing(imm):
                found += [(project.name, version) for project in imm.list_projects()]
        except (Refused, Unreachable) as trouble:
            troubles.append(trouble)
    if len(troubles) == len(API_VERSIONS):
        raise troubles[0]
    return found


def _topics(settings: Settings, keys: Keys) -> list[str]:
    """The names of the account's topics. Raises Refused and Unreachable."""
    with _account(settings, keys) as account:
        return account.topics()


def at_account(settings: Settings, account_id: str) -> Settings:
    """`settings` with the account, and the endpoint that follows from it where none is given."""
    derived = f"https://{account_id}.mns.{settings.region}.aliyuncs.com" if account_id and settings.region else ""
    return replace(settings, account_id=account_id, mns_endpoint=settings.mns_endpoint or derived)


# Looking, making and taking away


def look(settings: Settings, keys: Keys) -> Plan:
    """What of it is there. `settings` name a topic and a queue, and have an account and an endpoint.

    Changes nothing. Raises Refused, Unreachable, and BadInput where another subscription stands in the way.
    """
    topic, queue = Part(Kind.TOPIC, settings.topic), Part(Kind.QUEUE, settings.queue)
    remarks = []
    with _account(settings, keys) as account:
        has_topic = _if_there(lambda: account.topic(settings.topic)) is not None
        has_queue = _if_there(lambda: account.queue(settings.queue)) is not None
        subscriptions = account.subscriptions(settings.topic) if has_topic else []
    from imm_tui.cloud.mns_account import queue_arn

    arn = queue_arn(settings.region, settings.account_id, settings.queue)
    pushing = [each for each in subscriptions if each.endpoint.lower() == arn.lower()]
    whole = next((each for each in pushing if not each.filter_tag), None)
    if whole is None and (other := next((each for each in subscriptions if each.name == settings.queue), None)):
        raise BadInput(
            _("The topic {topic} has a subscription {name} already, which is another one.").format(
                topic=settings.topic, name=other.name
            ),
            _("It pushes to {endpoint}{tag}.").format(
                endpoint=other.endpoint,
                tag=_(", and only what has the tag {tag}").format(tag=other.filter_tag) if other.filter_tag else "",
            ),
            _("Name another queue with {flag}, or take that subscription away.").format(flag="--queue"),
            field="queue",
        )
    for each in pushing:
        if each.filter_tag:
            remark = _("The subscription {name} pushes only what has the tag {tag}: IMM's messages have none.")
            remarks.append(remark.format(name=each.name, tag=each.filter_tag))
    subscription = Part(Kind.SUBSCRIPTION, whole.name if whole else settings.queue, settings.topic)
    known = ((topic, has_topic), (queue, has_queue), (subscription, whole is not None))
    return Plan(
        settings,
        there=tuple(part for part, is_there in known if is_there),
        missing=tuple(part for part, is_there in known if not is_there),
        remarks=tuple(remarks),
    )


def make(plan: Plan, keys: Keys, record: Path) -> Iterator[Part]:
    """Makes what is missing, and yields each when it is there. Safe to be run again, however the last run ended.

    Raises Refused, Unreachable, and HistoryUnusable where `record` cannot be written: then nothing more is made.
    """
    settings = plan.settings
    with _account(settings, keys) as account:
        for part in plan.missing:
            before = made_here(record)
            parts = before.parts if before and before.mns_endpoint == settings.mns_endpoint else ()
            _keep(record, Made(settings.mns_endpoint, (*(it for it in parts if it != part), part)))
            if not _create(account, part, settings):  # somebody else was quicker
                _keep(record, Made(settings.mns_endpoint, parts))
            yield part


def _create(account: MnsAccount, part: Part, settings: Settings) -> bool:
    match part.kind:
        case Kind.TOPIC:
            return account.create_topic(part.name)
        case Kind.QUEUE:
            return account.create_queue(
                part.name, visibility_timeout=VISIBILITY_TIMEOUT, retention=RETENTION, polling_wait=POLLING_WAIT
            )
        case Kind.SUBSCRIPTION:
            return account.subscribe(
                part.topic,
                part.name,
                settings.queue,
                region=settings.region,
                account_id=settings.account_id,
                content_format=CONTENT_FORMAT,
            )


def look_at_removal(settings: Settings, keys: Keys, record: Path) -> Removal | None:
    """What would be taken away; None where nothing was made here. Raises Refused, Unreachable, HistoryUnusable."""
    made = made_here(record)
    if made is None or not made.parts:
        return None
    messages, kept = 0, []
    own = {part.name for part in made.parts if part.kind is Kind.SUBSCRIPTION}
    with _account(replace(settings, mns_endpoint=made.mns_endpoint), keys) as account:
        for part in made.parts:
            if part.kind is Kind.QUEUE and (queue := _if_there(partial(account.queue, part.name))):
                messages += queue.active + queue.inactive + queue.delayed
            elif part.kind is Kind.TOPIC:
                subscribers = _if_there(partial(account.subscriptions, part.name)) or []
                if any(each.name not in own for each in subscribers):
                    kept.append(part)
    order = (Kind.SUBSCRIPTION, Kind.QUEUE, Kind.TOPIC)
    gone = sorted((part for part in made.parts if part not in kept), key=lambda part: order.index(part.kind))
    return Removal(made, tuple(gone), tuple(kept), messages)


def remove(removal: Removal, settings: Settings, keys: Keys, record: Path) -> Iterator[Part]:
    """Takes it away, and yields each when it is gone. Raises as `make` does."""
    left = list(removal.made.parts)
    with _account(replace(settings, mns_endpoint=removal.made.mns_endpoint), keys) as account:
        for part in removal.gone:
            match part.kind:
                case Kind.TOPIC:
                    account.delete_topic(part.name)
                case Kind.QUEUE:
                    account.delete_queue(part.name)
                case Kind.SUBSCRIPTION:
                    account.unsubscribe(part.topic, part.name)
            left.remove(part)
            _keep(record, Made(removal.made.mns_endpoint, tuple(left)))
            yield part


def _if_there(ask: Callable[[], Told]) -> Told | None:
    """What `ask` returns, or None where the service has no such thing."""
    from imm_tui.cloud.refusals import is_missing

    try:
        return ask()
    except Refused as refusal:
        if is_missing(refusal.code):
            return None
        raise


def _account(settings: Settings, keys: Keys) -> closing[MnsAccount]:
    from imm_tui.cloud.mns_account import MnsAccount

    return closing(MnsAccount(settings.mns_endpoint, keys, read_only=settings.read_only))


# What was made


def record_path(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where it is written down what was made for a profile; the file need not exist."""
    name = "setup.json" if settings.profile == "default" else f"setup-{settings.profile}.json"
    return config.data_dir(environ) / name


def made_here(record: Path) -> Made | None:
    """What was made; None where nothing was. Raises HistoryUnusable for a file that cannot be read."""
    try:
        told = json.loads(record.read_bytes())
        parts = tuple(Part(Kind(it["kind"]), str(it["name"]), str(it["topic"])) for it in told["parts"])
        return Made(str(told["mns_endpoint"]), parts)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(record, f"{error.strerror}.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unusable(record, _("It does not hold what imm-tui writes there.")) from None


def _keep(record: Path, made: Made) -> None:
    fresh = record.with_name(f"{record.name}.{os.getpid()}")
    try:
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not made.parts:
            record.unlink(missing_ok=True)
            return
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(made), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(record)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise _unusable(record, f"{error.strerror}.") from None


def _unusable(record: Path, why: str) -> HistoryUnusable:
    return HistoryUnusable(
        _("What was made for this profile is written down in {path}, which cannot be used.").format(path=record),
        why,
        _("Mend the file or its permissions; what it names can also be deleted in the MNS console."),
    )


# The profile


@dataclass(frozen=True, slots=True)
class Change:
    """What config.toml is and what it is to be."""

    path: Path
    before: str
    after: str

    @property
    def lines(self) -> list[str]:
        """The lines that go, with a `-` in front, and those that come, with a `+`."""
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=0)
        return [line for line in list(lines)[2:] if not line.startswith("@@")]

    def write(self) -> None:
        """Raises BadInput where the file cannot be written."""
        if self.before != self.after:
            config_file.write(self.path, self.after)


def profile_of(plan: Plan) -> Change:
    """The profile with what the plan comes to. Raises BadInput where the file cannot be read."""
    return _changed(plan.settings, profile_values(plan.settings))


def profile_without(removal: Removal, settings: Settings) -> Change:
    """The profile without what is taken away. Raises BadInput where the file cannot be read."""
    gone = {str(part.kind): part.name for part in removal.gone}
    return _changed(settings, {key: "" for key in ("queue", "topic") if gone.get(key) == getattr(settings, key)})


def _changed(settings: Settings, values: Mapping[str, str]) -> Change:
    path = settings.config_file
    assert path is not None, "load() says which file it is"
    before = config_file.read(path)
    return Change(path, before, config_file.with_profile(before, settings.profile, values))


def profile_values(settings: Settings) -> dict[str, str]:
    """What config.toml has to say of these settings; what follows from the rest is left out, as an empty value."""
    derived = at_account(replace(settings, mns_endpoint=""), settings.account_id)
    values: dict[str, Any] = {key: getattr(settings, key) for key in config.KEYS}
    if settings.mns_endpoint == derived.mns_endpoint:
        values["mns_endpoint"] = ""
    for key, host in (("imm_endpoint", "imm"), ("sts_endpoint", "sts")):
        if values[key] == f"https://{host}.{settings.region}.aliyuncs.com":
            values[key] = ""
    return values
