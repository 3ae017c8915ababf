"""`imm-tui setup`: asks what cannot be found, shows what it will make and write, and makes and writes it."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from pathlib import Path

from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Denied
from imm_tui.exits import Exit
from imm_tui.headless.output import put
from imm_tui.i18n import _, ngettext
from imm_tui.setup import making, questions, removal
from imm_tui.setup.profile import Change, overruled, profile_of, profile_without
from imm_tui.setup.questions import Load, Question
from imm_tui.setup.record import record_path
from imm_tui.text import line, say


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
    known = [load({})]

    def noted(answers: Mapping[str, str]) -> Settings:
        known.append(load(answers))
        return known[-1]

    try:
        talk = _Talk(yes=yes)
        settings = talk.through(questions.complete(noted, keys, environ, private=private))
        return _set_up(settings, known[0], keys, record_path(settings, environ), talk, dry_run=dry_run)
    except Denied as denied:
        _say_policy(making.policy(denied, known[-1]))
        raise


def _set_up(settings: Settings, before: Settings, keys: Keys, record: Path, talk: _Talk, *, dry_run: bool) -> Exit:
    say(_("Looking at the account’s topics and queues."))
    plan = making.look(settings, keys)
    for part in plan.there:
        put(_("= there    {part}").format(part=line(part)))
    for part in plan.missing:
        put(_("+ create   {part}").format(part=line(part)))
    for remark in (*plan.remarks, *overruled(before, settings)):
        put(f"! {line(remark)}")
    change = profile_of(plan)
    _put(change)
    if not plan.missing and change.before == change.after:
        put(_("Everything is there. Nothing is to be done."))
        return Exit.SUCCEEDED
    if dry_run:
        return Exit.SUCCEEDED
    if trouble := making.forbidden(plan):
        raise trouble
    change.try_out()  # before anything is made that it could not be written of
    talk.confirm(_("Create and write this?"))
    for part in making.make(plan, keys, record):
        put(_("✔ created  {part}").format(part=line(part)))
    _write(change)
    told = _("Next: {doctor} checks all of it, {smoke} sends one conversion through it.")
    put(told.format(doctor=settings.command("doctor"), smoke=settings.command("smoke --source URI")))
    return Exit.SUCCEEDED


def remove(
    settings: Settings, keys: Keys, environ: Mapping[str, str], *, yes: bool = False, dry_run: bool = False
) -> Exit:
    """Takes away what `run` made for the profile of `settings`, and nothing else. Raises as `run` does."""
    record = record_path(settings, environ)
    try:
        return _take_away(settings, keys, record, _Talk(yes=yes), dry_run=dry_run)
    except Denied:
        _say_policy(removal.policy(record, settings))
        raise


def _take_away(settings: Settings, keys: Keys, record: Path, talk: _Talk, *, dry_run: bool) -> Exit:
    found = removal.look(settings, keys, record)
    if found is None:
        put(_("Nothing was made here for the profile {name}.").format(name=line(settings.profile)))
        return Exit.SUCCEEDED
    for it in found.gone:
        put(_("- delete   {part}").format(part=line(it.part)))
    for it in found.kept:
        put(_("= keep     {part}: others have subscribed to it").format(part=line(it.part)))
    if found.messages:
        count = found.messages
        told = ngettext("! {count:,} message on it goes too.", "! {count:,} messages on it go too.", count)
        put(told.format(count=count))
    change = profile_without(found, settings)
    _put(change)
    if dry_run:
        return Exit.SUCCEEDED
    talk.confirm(_("Delete this?"))
    for part in removal.remove(found, settings, keys, record):
        put(_("✔ deleted  {part}").format(part=line(part)))
    _write(change)
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
                told = _("{question} {answer}. Nobody was asked; {flag} names another.")
                say(told.format(question=question.words, answer=question.usual, flag=_flag(question.setting)))
                return question.usual
            there = _("There are {names}.").format(names=", ".join(question.options)) if question.options else ""
            raise _nobody(question.words, question.setting, there)
        for number, option in enumerate(question.options, 1):
            new = f"  ({_('new')})" if option == question.new else ""
            print(f"{number:>4}  {line(option)}{new}", file=sys.stderr)
        usual = f" [{line(question.usual)}]" if question.usual else ""
        while True:
            answer = self._answer(f"{question.words}{usual} ") or question.usual
            if question.takes(answer):
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
    fix = _("Answer it with {flag}.").format(flag=_flag(setting))
    return BadInput(what, why, fix, field=setting)


def _flag(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


def _put(change: Change) -> None:
    for number, changed in enumerate(change.lines):
        if not number:
            put(f"~ {line(change.path)}")
        put(f"  {line(changed)}")


def _write(change: Change) -> None:
    if change.before != change.after:
        change.write()
        put(_("✔ written  {path}").format(path=line(change.path)))


def _say_policy(policy: str) -> None:
    say(_("Whoever may grant permissions can paste this policy in the RAM console:"))
    put(policy)
