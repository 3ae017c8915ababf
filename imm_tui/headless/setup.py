"""`imm-tui setup`: asks what cannot be found, shows what it will make and write, and makes and writes it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from imm_tui import config_file, ram, setup
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Denied
from imm_tui.exits import Exit
from imm_tui.headless.output import put
from imm_tui.i18n import N_, _, ngettext
from imm_tui.setup import REGIONS, Kind, Part
from imm_tui.tasks import ApiVersion
from imm_tui.text import line, say

KINDS = {Kind.TOPIC: N_("topic"), Kind.QUEUE: N_("queue"), Kind.SUBSCRIPTION: N_("subscription")}


Load = Callable[[Mapping[str, str]], Settings]
"""The settings with these answers above them, by the names of config.KEYS. Raises BadInput for one that cannot be."""


def run(
    load: Load,
    keys: Keys,
    environ: Mapping[str, str],
    *,
    private: bool = False,
    yes: bool = False,
    dry_run: bool = False,
) -> Exit:
    """Sets a profile up. What its settings do not say is looked for in the account, or asked for where there is a
    terminal. `private` wants a queue of this viewer's own although the profile names another; `yes` asks nothing.

    Raises BadInput where something has to be asked and there is nobody, and whatever the services raise.
    """
    talk = _Talk(yes=yes)
    settings = _completed(load, keys, environ, talk, private=private)
    say(_("Looking at the account’s topics and queues."))
    try:
        plan = setup.look(settings, keys)
    except Denied:
        _say_policy(setup.ACTIONS, settings)
        raise
    for part in plan.there:
        put(_("= there    {part}").format(part=_named(part)))
    for part in plan.missing:
        put(_("+ create   {part}").format(part=_named(part)))
    for remark in plan.remarks:
        put(f"! {line(remark)}")
    path = settings.config_file
    assert path is not None, "load() says which file it is"
    before = config_file.read(path)
    after = config_file.with_profile(before, settings.profile, setup.profile_values(settings))
    _put_difference(path, before, after)
    if not plan.missing and before == after:
        put(_("Everything is there. Nothing is to be done."))
        return Exit.SUCCEEDED
    if dry_run:
        return Exit.SUCCEEDED
    talk.confirm(_("Create and write this?"))
    try:
        for part in setup.make(plan, keys, setup.record_path(settings, environ)):
            put(_("✔ created  {part}").format(part=_named(part)))
    except Denied:
        _say_policy(setup.ACTIONS, settings)
        raise
    if before != after:
        config_file.write(path, after)
        put(_("✔ written  {path}").format(path=line(path)))
    flag = "" if settings.profile == "default" else f" --profile {settings.profile}"
    put(_("Next: {doctor} checks all of it, {smoke} sends one conversion through it.").format(
        doctor=f"`imm-tui doctor{flag}`", smoke=f"`imm-tui smoke{flag} --source oss://…`"
    ))  # fmt: skip
    return Exit.SUCCEEDED


def remove(
    settings: Settings, keys: Keys, environ: Mapping[str, str], *, yes: bool = False, dry_run: bool = False
) -> Exit:
    """Takes away what `run` made for the profile of `settings`, and nothing else. Raises as `run` does."""
    record = setup.record_path(settings, environ)
    try:
        removal = setup.look_at_removal(settings, keys, record)
    except Denied:
        _say_policy(setup.REMOVAL_ACTIONS, settings)
        raise
    if removal is None:
        put(_("Nothing was made here for the profile {name}.").format(name=line(settings.profile)))
        return Exit.SUCCEEDED
    for part in removal.gone:
        put(_("- delete   {part}").format(part=_named(part)))
    for part in removal.kept:
        put(_("= keep     {part}: others have subscribed to it").format(part=_named(part)))
    if removal.messages:
        told = ngettext(
            "! {count:,} message on the queue goes with it.", "! {count:,} messages on the queue go with it.",
            removal.messages,
        )  # fmt: skip
        put(told.format(count=removal.messages))
    path = settings.config_file
    assert path is not None, "load() says which file it is"
    before = config_file.read(path)
    gone = {part.kind: part.name for part in removal.gone}
    values = {key: "" for key in ("queue", "topic") if gone.get(Kind(key)) == getattr(settings, key)}
    after = config_file.with_profile(before, settings.profile, values) if before else before
    _put_difference(path, before, after)
    if dry_run:
        return Exit.SUCCEEDED
    _Talk(yes=yes).confirm(_("Delete this?"))
    try:
        for part in setup.remove(removal, settings, keys, record):
            put(_("✔ deleted  {part}").format(part=_named(part)))
    except Denied:
        _say_policy(setup.REMOVAL_ACTIONS, settings)
        raise
    if before != after:
        config_file.write(path, after)
        put(_("✔ written  {path}").format(path=line(path)))
    return Exit.SUCCEEDED


def _completed(load: Load, keys: Keys, environ: Mapping[str, str], talk: _Talk, *, private: bool) -> Settings:
    """The settings with everything that there has to be: as they are, as found in the account, or as answered."""
    answers: dict[str, str] = {}
    settings = load(answers)
    if not settings.region:
        answers["region"] = talk.choose("region", _("Which region is the project in?"), REGIONS)
        settings = load(answers)
    account_id = setup.account_of(settings, keys)
    answers["account_id"] = account_id or talk.ask("account_id", _("The main account’s id (the console shows it):"))
    settings = load(answers)
    answers["project"], answers["api_version"] = _project(settings, keys, talk)
    settings = load(answers)
    if not settings.topic:
        own = setup.topic_of(settings.project)
        others = [name for name in setup.topics(settings, keys) if name != own]
        answers["topic"] = talk.choose("topic", _("Which topic is IMM to publish to?"), [own, *others], own)
    if private or not settings.queue:
        answers["queue"] = setup.private_queue(settings.profile, environ)
    return load(answers)


def _project(settings: Settings, keys: Keys, talk: _Talk) -> tuple[str, ApiVersion]:
    found = setup.projects(settings, keys)
    if not settings.project:
        if not found:
            raise BadInput(
                _("There is no IMM project in {region}.").format(region=settings.region),
                _("Neither API version lists one for this access key’s account."),
                _("Create one in the IMM console, or name another region with {flag}.").format(flag="--region"),
                field="project",
            )
        shown = [f"{name} ({version})" for name, version in found]
        only = {name for name, _version in found}
        usual = next(
            (it for it, (_name, version) in zip(shown, found, strict=True) if version == settings.api_version), ""
        )
        chosen = talk.choose("project", _("Which project?"), shown, (usual or shown[0]) if len(only) == 1 else "")
        return found[shown.index(chosen)]
    versions = [version for name, version in found if name == settings.project]
    if not versions:
        raise BadInput(
            _("There is no project {name} in {region}.").format(name=settings.project, region=settings.region),
            _("What there is: {names}.").format(names=", ".join(name for name, _version in found) or "–"),
            _("Name one of them with {flag}, or another region.").format(flag="--project"),
            field="project",
        )
    if settings.api_version in versions:
        return settings.project, settings.api_version
    say(_("The project {name} is one of {version}.").format(name=settings.project, version=versions[0]))
    return settings.project, versions[0]


class _Talk:
    """Questions on stderr, answers from stdin; where nobody can answer the flag is named that would."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._somebody = sys.stdin.isatty() and not yes

    def choose(self, setting: str, question: str, options: Sequence[str], usual: str = "") -> str:
        """One of `options`, by its number or its name; `usual` where nothing is answered, or nobody does."""
        if not self._somebody:
            if usual:
                return usual
            raise self._nobody(question, setting, _("There are {names}.").format(names=", ".join(options)))
        for number, option in enumerate(options, 1):
            print(f"{number:>4}  {line(option)}", file=sys.stderr)
        while True:
            answer = self._answer(f"{question}{f' [{line(usual)}]' if usual else ''} ") or usual
            if answer in options:
                return answer
            if answer.isdecimal() and 0 < int(answer) <= len(options):
                return options[int(answer) - 1]
            say(_("Answer with a number from 1 to {count}, or with a name.").format(count=len(options)))

    def ask(self, setting: str, question: str) -> str:
        if not self._somebody:
            raise self._nobody(question, setting)
        while not (answer := self._answer(f"{question} ")):
            pass
        return answer

    def confirm(self, question: str) -> None:
        """Returns where the answer is yes. Raises BadInput where nobody can give it, SystemExit where it is no."""
        if self._yes:
            return
        if not self._somebody:
            raise self._nobody(question, "yes")
        if self._answer(f"{question} [y/N] ").lower() not in ("y", "yes", "是"):
            say(_("Nothing was changed."))
            sys.exit(Exit.INTERRUPTED)

    def _nobody(self, question: str, setting: str, why: str = "") -> BadInput:
        flag = f"--{setting.replace('_', '-')}"
        what = _("Nobody can be asked here: {question}").format(question=question)
        return BadInput(what, why, _("Answer it with {flag}.").format(flag=flag), field=setting)

    def _answer(self, question: str) -> str:
        print(question, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:  # Ctrl-D
            print(file=sys.stderr)
            sys.exit(Exit.INTERRUPTED)
        return answer.strip()


def _named(part: Part) -> str:
    kind = _(KINDS[part.kind])
    if part.kind is Kind.SUBSCRIPTION:
        return _("{kind} {name} of the topic {topic}").format(kind=kind, name=line(part.name), topic=line(part.topic))
    return _("{kind} {name}").format(kind=kind, name=line(part.name))


def _put_difference(path: Path, before: str, after: str) -> None:
    changes = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    if changes:
        put(f"~ {line(path)}")
    for change in changes:
        if not change.startswith("@@"):
            put(f"  {line(change)}")


def _say_policy(actions: Sequence[str], settings: Settings) -> None:
    """What an administrator can paste."""
    say(_("Whoever may grant permissions can paste this policy in the RAM console:"))
    put(ram.policy(actions, settings))
