"""The settings of a profile made whole: looked for in the account, or asked for where only a person can say."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Refused, Trouble, Unreachable
from imm_tui.i18n import _
from imm_tui.setup import REGIONS
from imm_tui.setup.parts import Kind, account_at
from imm_tui.setup.record import made_here, record_path
from imm_tui.tasks import API_VERSIONS, ApiVersion

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Imm

Told = TypeVar("Told")

_OURS = "imm-tui-"
"""How the names begin that are given here."""

_LONGEST = 120
"""Characters of the name of a queue or a topic (MNS API 2015-06-06, limits of new ones)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can say: the value of a setting, one of `options`, or any text where there are none."""

    setting: str
    words: str
    options: tuple[str, ...] = ()
    usual: str = ""
    """What is meant where nothing is answered; empty where there is no telling."""

    def takes(self, answer: str) -> bool:
        """Whether that can be the answer."""
        return answer in self.options if self.options else bool(answer)


Load = Callable[[Mapping[str, str]], Settings]
"""The settings with these answers above them, by the names of config.KEYS. Raises BadInput for one that cannot be."""


def complete(
    load: Load, keys: Keys, environ: Mapping[str, str], *, private: bool | None = False
) -> Generator[Question, str, Settings]:
    """The settings with everything that there has to be. What is not set is looked for in the account; what cannot be
    found is yielded as a question, and its answer sent back.

    `private` wants a queue of this viewer's own although the profile names another; None asks which of the two. Raises
    BadInput, Refused, Unreachable, and HistoryUnusable where what was made here cannot be read.
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
    own = private_queue(settings, environ)
    if private or not settings.queue:
        answers["queue"] = own
    elif private is None and settings.queue != own:
        question = _("Which queue is to bring you the events? From a shared one, each goes to one of its readers only.")
        answers["queue"] = yield Question("queue", question, (settings.queue, own), settings.queue)
    return load(answers)


def _project(settings: Settings, keys: Keys) -> Generator[Question, str, tuple[str, ApiVersion]]:
    """The project and the version that has it: what is set, the only one there is, or what is chosen."""
    if settings.project:
        return settings.project, _version_of_project(settings, keys)
    from imm_tui.cloud.imm import Imm

    listed, troubles = _ask_versions(settings, keys, Imm.list_projects)
    found = [(project.name, version) for version, projects in listed.items() for project in projects]
    if not found:
        if troubles:
            raise troubles[0]
        raise BadInput(
            _("There is no IMM project in {region}.").format(region=settings.region),
            _("Neither API version lists one for this access key’s account."),
            _("Create one in the IMM console, or name another region with {flag}.").format(flag="--region"),
            field="project",
        )
    if len({name for name, _version in found}) == 1:  # a name that both versions know is two projects
        return found[0]
    shown = {f"{name} ({version})": (name, version) for name, version in found}
    return shown[(yield Question("project", _("Which project?"), tuple(shown)))]


def _version_of_project(settings: Settings, keys: Keys) -> ApiVersion:
    """The version that has the project of `settings`. It takes no permission to list all of them."""
    from imm_tui.cloud.imm import Imm

    asked, troubles = _ask_versions(settings, keys, Imm.get_project)
    for version, project in asked.items():
        if project is not None:
            return version
    if troubles:
        raise troubles[0]
    listed, _troubles = _ask_versions(settings, keys, Imm.list_projects)
    names = dict.fromkeys(project.name for projects in listed.values() for project in projects)
    raise BadInput(
        _("There is no project {name} in {region}.").format(name=settings.project, region=settings.region),
        _("What there is: {names}.").format(names=", ".join(names)) if names else "",
        _("Name one of them with {flag}, or another region.").format(flag="--project"),
        field="project",
    )


def _ask_versions(
    settings: Settings, keys: Keys, ask: Callable[[Imm], Told]
) -> tuple[dict[ApiVersion, Told], list[Trouble]]:
    """What each API version answers, that of `settings` first, and why others do not.

    Not every region has both: a version that is not there is no trouble where the other answers.
    """
    from imm_tui.cloud.refusals import lacks_the_operation

    answers: dict[ApiVersion, Told] = {}
    troubles: list[Trouble] = []
    for version in sorted(API_VERSIONS, key=lambda version: version != settings.api_version):
        try:
            with closing(_imm(settings, keys, version)) as imm:
                answers[version] = ask(imm)
        except (Refused, Unreachable) as trouble:
            troubles.append(trouble)
    return answers, [it for it in troubles if not (answers and lacks_the_operation(it.code))]


def _imm(settings: Settings, keys: Keys, version: ApiVersion) -> Imm:
    from imm_tui.cloud.imm import Imm

    return Imm(
        endpoint=settings.imm_endpoint,
        region=settings.region,
        api_version=version,
        project=settings.project or None,
        topic="",
        mns_endpoint="",
        credentials=keys,
        read_only=True,
    )


def private_queue(settings: Settings, environ: Mapping[str, str]) -> str:
    """The name of a viewer's own queue: the one that was made here, else after the person, the machine and the profile.

    A machine's name may change with its network. Raises HistoryUnusable where what was made here cannot be read.
    """
    for it in made_here(record_path(settings, environ)):
        ours = it.part.kind is Kind.QUEUE and it.part.name.startswith(_OURS)
        if ours and (it.region, it.account_id) == (settings.region, settings.account_id):
            return it.part.name
    try:
        user = environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else ""
    profile = [settings.profile] if settings.profile != "default" else []
    return _as_name("-".join([f"{_OURS}{user}", socket.gethostname().partition(".")[0], *profile]))


def topic_of(project: str) -> str:
    """The name of a project's topic, where none was chosen: the same for everybody who watches it."""
    return _as_name(f"{_OURS}{project}")


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


def _topics(settings: Settings, keys: Keys) -> list[str]:
    """The names of the account's topics. Raises Refused and Unreachable."""
    with account_at(settings, keys) as account:
        return account.topics()


def at_account(settings: Settings, account_id: str) -> Settings:
    """`settings` with the account, and the endpoint that follows from it where none is given."""
    derived = f"https://{account_id}.mns.{settings.region}.aliyuncs.com" if account_id and settings.region else ""
    return replace(settings, account_id=account_id, mns_endpoint=settings.mns_endpoint or derived)
