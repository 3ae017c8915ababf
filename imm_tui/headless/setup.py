"""`imm-tui setup`: asks what cannot be found, shows what it will make and write, and makes and writes it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from imm_tui import config_file, ram, setup
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Denied
from imm_tui.exits import Exit
from imm_tui.headless.output import put
from imm_tui.i18n import N_, _, ngettext
from imm_tui.setup import Kind, Load, Part, Question
from imm_tui.text import line, say

KINDS = {Kind.TOPIC: N_("topic"), Kind.QUEUE: N_("queue"), Kind.SUBSCRIPTION: N_("subscription")}


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
    settings = talk.through(setup.complete(load, keys, environ, private=private))
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


class _Talk:
    """Questions on stderr, answers from stdin; where nobody can answer the flag is named that would."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._somebody = sys.stdin.isatty() and not yes

    def through(self, questions: Generator[Question, str, Settings]) -> Settings:
        """Answers one after the other; what they come to."""
        try:
            question = next(questions)
            while True:
                question = questions.send(self._ask(question))
        except StopIteration as end:
            settings: Settings = end.value
            return settings

    def _ask(self, question: Question) -> str:
        if not self._somebody:
            if question.usual:
                return question.usual
            there = _("There are {names}.").format(names=", ".join(question.options)) if question.options else ""
            raise _nobody(question.words, question.setting, there)
        for number, option in enumerate(question.options, 1):
            print(f"{number:>4}  {line(option)}", file=sys.stderr)
        usual = f" [{line(question.usual)}]" if question.usual else ""
        while True:
            answer = self._answer(f"{question.words}{usual} ") or question.usual
            if answer in question.options or (answer and not question.options):
                return answer
            if answer.isdecimal() and 0 < int(answer) <= len(question.options):
                return question.options[int(answer) - 1]
            if question.options:
                told = _("Answer with a number from 1 to {count}, or with a name.")
                say(told.format(count=len(question.options)))

    def confirm(self, question: str) -> None:
        """Returns where the answer is yes. Raises BadInput where nobody can give it, SystemExit where it is no."""
        if self._yes:
            return
        if not self._somebody:
            raise _nobody(question, "yes")
        if self._answer(f"{question} [y/N] ").lower() not in ("y", "yes", "是"):
            say(_("Nothing was changed."))
            sys.exit(Exit.INTERRUPTED)

    def _answer(self, question: str) -> str:
        print(question, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:  # Ctrl-D
            print(file=sys.stderr)
            sys.exit(Exit.INTERRUPTED)
        return answer.strip()


def _nobody(question: str, setting: str, why: str = "") -> BadInput:
    what = _("Nobody can be asked here: {question}").format(question=question)
    fix = _("Answer it with {flag}.").format(flag=f"--{setting.replace('_', '-')}")
    return BadInput(what, why, fix, field=setting)


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
