"""The settings of a profile made whole: looked for in the account, or asked for where only a person can say."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from imm_tui import endpoints
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.endpoints import REGIONS
from imm_tui.errors import BadInput, Refused, Trouble, Unreachable
from imm_tui.i18n import _
from imm_tui.setup.names import private_queue, topic_of
from imm_tui.setup.parts import Kind, Part, account_at, if_there
from imm_tui.setup.record import made_here, record_path
from imm_tui.tasks import API_VERSIONS, ApiVersion

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Imm

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can say: the value of a setting, one of `options`, or any text where there are none."""

    setting: str
    words: str
    options: tuple[str, ...] = ()
    usual: str = ""
    """What is meant where nothing is answered; empty where there is no telling."""
    new: str = ""
    """The option that is not there yet, and would be made."""

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
    settings = load({})
    named, own_queue = settings.queue, private_queue(settings, environ)
    answers = {"queue": own_queue} if private or not settings.queue else {}
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
        answers["topic"] = yield from _topic(settings, keys)
    if private is None and settings.queue != own_queue:
        question = _("Which queue is to bring you the events? From a shared one, each goes to one of its readers only.")
        new = "" if _is_made_here(settings, own_queue, environ) else own_queue
        answers["queue"] = yield Question("queue", question, (settings.queue, own_queue), settings.queue, new)
    settings = load(answers)
    if settings.queue == own_queue != named and _is_anothers_queue(settings, keys, environ):
        answers["queue"] = private_queue(settings, environ, afresh=True)
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


def _topic(settings: Settings, keys: Keys) -> Generator[Question, str, str]:
    """The only topic there is, most likely, and one of the project's own where there is none or there are several."""
    with account_at(settings, keys) as account:
        names = account.topics()
    own = topic_of(settings.project)
    others = [name for name in names if name != own]
    if not others:
        return own
    question = _("Which topic is IMM to publish to? Everybody who watches the project needs the same.")
    usual = others[0] if len(names) == 1 else own
    return (yield Question("topic", question, (own, *others), usual, new="" if own in names else own))


def _is_made_here(settings: Settings, queue: str, environ: Mapping[str, str]) -> bool:
    made = made_here(record_path(settings, environ))
    return any((it.part, it.region) == (Part(Kind.QUEUE, queue), settings.region) for it in made)


def _is_anothers_queue(settings: Settings, keys: Keys, environ: Mapping[str, str]) -> bool:
    """Whether the queue of `settings` is there, and was not made here."""
    if _is_made_here(settings, settings.queue, environ):
        return False
    with account_at(settings, keys) as account:
        return if_there(lambda: account.queue(settings.queue)) is not None


def at_account(settings: Settings, account_id: str) -> Settings:
    """`settings` with the account, and the endpoint that follows from it where none is given."""
    derived = endpoints.mns(account_id, settings.region)
    return replace(settings, account_id=account_id, mns_endpoint=settings.mns_endpoint or derived)
