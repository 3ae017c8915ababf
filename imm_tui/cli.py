"""The commands: parses the arguments, calls one function, chooses the exit code.

Whatever a command needs is imported by that command alone: `--help` waits for no screen, no SDK and no database.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import re
import signal
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from imm_tui import __version__, i18n
from imm_tui.errors import BadInput, NoCredentials, Trouble, mistake
from imm_tui.exits import END_SIGNALS, Exit, code_of, end_at_last
from imm_tui.i18n import N_, _, ngettext
from imm_tui.text import say

TYPE_CHECKING = False  # as type checkers know it; the import of typing alone would be a tenth of --help
if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn

    from imm_tui.config import Settings
    from imm_tui.credentials import Keys

_EXIT_CODES = N_("""\
exit codes:
  0         all succeeded
  1         some task failed
  2         an argument, a setting or a file cannot be used
  3         timed out: some task still runs
  4         no credentials
  5         the service refused, or cannot be reached
  6         an outcome is unknown: cut, or not readable, after it was sent
  130, 143  interrupted, terminated
Where several apply, the first of 2, 4, 130, 6, 5, 3, 1 is it.
""")

_FILTERS = N_("""\
filters (the dashboard's / takes the same):
  report "two words"           in the source URI, the task id, the code, the message or the request id
  a b, a or b, not a, -(a b)   both, either, not
  status:failed,unknown        status, type, code, name, source, target, project, id, request, version
  pages>10 pages:2-5 took>90s  pages, percent, events, batch; took in s, m or h
  since:1d before:2026-11-20   s, m, h, d, w; 14:00, today, yesterday, a date
  is:untracked                 untracked, asked, finished, batch, resubmitted, or a status
""")

_WHERE_SETTINGS_COME_FROM = N_("""\
A flag wins over its environment variable (--mns-endpoint is IMM_TUI_MNS_ENDPOINT), and that over [profiles.NAME] in
config.toml. The file is in ~/.config/imm-tui, on macOS in ~/Library/Application Support/imm-tui, on Windows in
%LOCALAPPDATA%\\imm-tui, or where --config or IMM_TUI_CONFIG says; IMM_TUI_DATA_DIR names the folder of the history.
Keys are no settings: they come from ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, else from where
`aliyun configure` keeps them, else from the rest of Alibaba Cloud's chain.
""")

_SETTINGS = {
    "config": ("FILE", N_("the configuration file")),
    "profile": ("NAME", N_("which profile of it (default: default), else of `aliyun configure`")),
    "region": ("REGION", N_("such as cn-beijing")),
    "api_version": ("VERSION", N_("of IMM: 2017-09-06, or 2020-09-30 (the default)")),
    "project": ("NAME", N_("the IMM project")),
    "topic": ("NAME", N_("the MNS topic that IMM publishes to")),
    "queue": ("NAME", N_("the MNS queue that is subscribed to the topic")),
    "account_id": ("NUMBER", N_("the main account's: with the region it gives the MNS endpoint")),
    "mns_endpoint": ("URL", N_("where MNS is, if elsewhere")),
    "imm_endpoint": ("URL", N_("where IMM is, if elsewhere")),
    "sts_endpoint": ("URL", N_("where STS is, if elsewhere")),
    "target_uri": ("URI", N_("where results go, such as oss://bucket/converted/")),
    "aliyun_profile": ("NAME", N_("take the key from this profile of `aliyun configure`")),
}

_SETUP_TOLD = N_("""\
Asks only what neither the settings nor the account tell: region, project, topic. By default you get a queue of your own
on the project's topic, so that everybody who watches the project sees every event. Shows what it will create and write
before it does; safe to run again. Writes no key anywhere.
""")

_DOCTOR_TOLD = N_("""\
Asks the services what works, side by side, and says of each check what was found and what to do: ✓ is well, ! will
hurt, ✗ is broken, - cannot be known before another check passes. Changes nothing and takes nothing off the queue.
exit codes:
  0         nothing is broken
  2         an argument or the configuration file cannot be used
  5         a check failed, whichever it is: a missing key is a finding here
""")

_EMULATOR_TOLD = N_("""\
Prints `export NAME=value` lines for a client, then serves until it is interrupted. oss://BUCKET/KEY is the
file BUCKET/KEY in the data folder; every folder in it is a bucket.
""")

_DEMO_PACE = 2.0

_SCENARIOS = {
    "calm": N_("nothing goes wrong"),
    "flaky-network": N_("connections are cut, answers garbled, a proxy interferes"),
    "at-least-twice": N_("messages come twice, and in another order"),
    "lost-events": N_("some events never arrive"),
    "poison": N_("messages that are not IMM's, or cannot be read"),
    "throttled": N_("the services refuse what is too much for them"),
}

_FOR_A_KEY = 0.5
"""Seconds that the dashboard waits for a key before it shows itself."""

_DEMO_HINT = N_("`imm-tui demo` shows everything on an emulator and needs no account.")


class _SignalCame(SystemExit):
    """A signal asks the program to end; its exit code is the one that a shell would show."""


def run() -> NoReturn:
    """`main` as a process of its own, with streams and an end."""
    code: object
    try:
        _set_up_process()
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        code = Exit.BROKEN_PIPE
    except OSError as error:
        # EIO: the terminal is gone. Else what was asked of the system was in the arguments, or is stdout itself.
        code = Exit.HUNG_UP if error.errno == errno.EIO else Exit.USAGE
        told = _("The system refuses something: {cause}.")
        say(told.format(cause=error.strerror or type(error).__name__))
    except Exception as error:
        code = Exit.INTERNAL
        say(mistake(error))
    _leave(code if isinstance(code, int) else Exit.SUCCEEDED)


def main(argv: Sequence[str]) -> int:
    """Runs one command and returns its exit code. SystemExit: --help and --version, and arguments that cannot be."""
    i18n.use(i18n.of_environment(os.environ))
    # argparse asks gettext's default catalogue; ours has its texts as well.
    argparse._, argparse.ngettext = i18n._, i18n.ngettext  # type: ignore[attr-defined]
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return command(arguments)
    except Trouble as trouble:
        say(trouble)
        return code_of(trouble)


def _set_up_process() -> None:
    import warnings

    # Whatever -W and PYTHONWARNINGS ask for: warnings speak to developers, and this terminal belongs to the user.
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _failed: None
    os.umask(0o077)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed; in this order each gets its own descriptor back
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # they are TextIOWrappers


def _end_in_order() -> None:
    """From here on there is something to finish when a signal asks for the end: until now it ended us on the spot."""
    for number in END_SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:  # not where nohup, say, has it ignored
            signal.signal(number, _end)


def _end(number: int, _frame: object) -> NoReturn:
    for other in END_SIGNALS:
        signal.signal(other, signal.SIG_IGN)  # finishing has begun, and once is enough
    end_at_last(128 + number)
    raise _SignalCame(128 + number)


def _leave(code: int) -> NoReturn:
    """Ends the process without waiting for threads: one may be in a call that takes its time."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


# The arguments


# What argparse says by itself.
_OF_ARGPARSE = (
    N_("usage: "),
    N_("positional arguments"),
    N_("options"),
    N_("show this help message and exit"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("expected one argument"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid choice: %(value)r, maybe you meant %(suggestion)r? (choose from %(choices)s)"),
    N_("ignored explicit argument %r"),
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line; no flag can be abbreviated."""

    def __init__(self, **options: object) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        told = _("{problem}. {command} says more.")
        say(told.format(problem=f"{message[:1].upper()}{message[1:]}", command=f"`{self.prog} --help`"))
        sys.exit(Exit.USAGE)


def _formatter(prog: str) -> argparse.HelpFormatter:
    try:
        width = os.get_terminal_size().columns
    except OSError:
        width = 120
    # A width that is given spares argparse the import of shutil.
    return _Formatter(prog, max_help_position=30, width=max(60, min(width, 120)) - 2)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Breaks lines of Chinese too: it has no blanks, and a glyph is two cells wide."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        if text.isascii():
            return super()._split_lines(text, width)
        lines, taken = [""], 0
        for word in _WORD.findall(text):
            cells = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in word)
            if taken and taken + cells > width:
                lines.append("")
                taken = 0
            lines[-1] += word if taken else word.lstrip()
            taken += cells
        return lines


_WORD = re.compile(r"[ ]?(?:[!-~–…]+|.)[，。；：、）》？！]*")
"""What is not to be divided: a run of Latin, or one glyph, with the punctuation that no line may begin with."""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="imm-tui",
        usage="imm-tui [-h] [--version] [SETTINGS] [COMMAND ...]",
        description=_(
            "Submit document conversions to Alibaba Cloud IMM and watch them finish. Without a command: the dashboard."
        ),
        epilog=f"{_(_WHERE_SETTINGS_COME_FROM)}\n{_(_EXIT_CODES)}",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"imm-tui {__version__}",
        help=_("show program's version number and exit"),
    )
    parser.set_defaults(run=_dashboard)
    commands = parser.add_subparsers(metavar="COMMAND", title=_("commands"), prog="imm-tui")

    def command(name: str, run: Callable[[argparse.Namespace], int], what: str, epilog: str = "") -> _Parser:
        description = _("{sentence}.").format(sentence=f"{what[:1].upper()}{what[1:]}")
        added: _Parser = commands.add_parser(name, help=what, description=description, epilog=epilog)
        added.set_defaults(run=run)
        return added

    demo = command(
        "demo", _demo, _("the dashboard on an embedded emulator: no account, nothing left behind"), _scenarios()
    )
    demo.add_argument(
        "--api-version",
        choices=("2017-09-06", "2020-09-30"),
        default=argparse.SUPPRESS,
        help=_("of IMM (default: 2017-09-06)"),
    )
    demo.add_argument(
        "--pace",
        metavar="S",
        type=_seconds,
        default=_DEMO_PACE,
        help=_("seconds that a conversion takes (default: %(default)g)"),
    )
    _add_scenario(demo)

    submit = command("submit", _submit, _("submit conversions, one line of output each"), _(_EXIT_CODES))
    submit.add_argument("sources", metavar="SOURCE", nargs="*", help=_("a document, oss://bucket/key"))
    submit.add_argument("--from", dest="file", metavar="FILE", help=_("sources, one a line; - is stdin"))
    submit.add_argument(
        "--to", metavar="TYPE", required=True, help=_("png, jpg, pdf or txt; with 2017-09-06 vector too")
    )
    submit.add_argument("--pages", metavar="P", default="", help=_("such as 1,2-4,7 (default: all)"))
    submit.add_argument("--dpi", metavar="N", default="", help=_("of images, 96 to 600"))
    submit.add_argument(
        "--option",
        dest="options",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=_("any other parameter of CreateOfficeConversionTask, such as Quality=80; may be repeated"),
    )
    submit.add_argument(
        "--dry-run",
        action="store_true",
        help=_("print where each result would go, and what is wrong, a duplicate or a collision; send nothing"),
    )
    submit.add_argument(
        "--password-file", metavar="FILE", help=_("the documents' password, the file's first line; - is stdin")
    )
    submit.add_argument(
        "--wait", action="store_true", help=_("print each task when it has ended, not when it is accepted")
    )
    submit.add_argument(
        "--timeout", metavar="S", type=_seconds, default=600.0, help=_("seconds to wait for the tasks (default: 600)")
    )
    _add_json(submit)
    _add_settings(submit)

    watch = command("watch", _watch, _("consume events, one line of output each"), _(_EXIT_CODES))
    watch.add_argument("--count", metavar="N", type=_count, help=_("end after N events; a batch is never cut"))
    watch.add_argument(
        "--idle-exit", metavar="S", type=_seconds, help=_("end when the queue has been empty for S seconds")
    )
    _add_json(watch)
    _add_settings(watch)

    tasks = command("tasks", _tasks, _("list what the history knows, newest first"), f"{_(_FILTERS)}\n{_(_EXIT_CODES)}")
    tasks.add_argument("--status", metavar="S", default="", help=_("Submitting, Running, Succeeded, Failed or Unknown"))
    tasks.add_argument(
        "--filter", metavar="QUERY", default="", help=_("only tasks that it finds, 'status:failed since:1d'")
    )
    tasks.add_argument("--limit", metavar="N", type=_count, default=100, help=_("at most N tasks (default: 100)"))
    _add_json(tasks)
    _add_settings(tasks)

    setup = command(
        "setup",
        _setup,
        _("make what a viewer needs, and write it into config.toml"),
        f"{_(_SETUP_TOLD)}\n{_(_EXIT_CODES)}",
    )
    setup.add_argument(
        "--private", action="store_true", help=_("a queue of your own, although the profile names another")
    )
    setup.add_argument("--remove", action="store_true", help=_("take away what setup has made for the profile"))
    setup.add_argument("--dry-run", action="store_true", help=_("show what would be done; change nothing"))
    setup.add_argument("--yes", action="store_true", help=_("ask nothing"))
    _add_settings(setup)

    doctor = command("doctor", _doctor, _("find out what does not work, and what to do about it"), _(_DOCTOR_TOLD))
    _add_json(doctor)
    _add_settings(doctor)

    profiles = command("profiles", _profiles, _("list the profiles of config.toml"), _(_EXIT_CODES))
    _add_json(profiles)
    _add_settings(profiles)

    smoke = command("smoke", _smoke, _("send one conversion through everything and time each leg"), _(_EXIT_CODES))
    smoke.add_argument(
        "--source",
        metavar="URI",
        default="",
        help=_("the document; its first page is converted (default: the one that was converted last)"),
    )
    smoke.add_argument(
        "--timeout", metavar="S", type=_seconds, help=_("seconds to wait for the event (default: three minutes)")
    )
    _add_json(smoke)
    _add_settings(smoke)

    emulator = command(
        "emulator",
        _emulator,
        _("run an emulator of IMM and MNS in the foreground"),
        f"{_(_EMULATOR_TOLD)}\n{_scenarios()}",
    )
    emulator.add_argument("--host", default="127.0.0.1", help=_("where to listen (default: %(default)s)"))
    emulator.add_argument("--port", type=_port, default=0, help=_("on which port (default: a free one)"))
    emulator.add_argument("--data-dir", metavar="D", help=_("the folder of the buckets (default: a temporary one)"))
    emulator.add_argument("--env-file", metavar="F", help=_("write the lines to this file as well"))
    emulator.add_argument("--samples", action="store_true", help=_("put the demo's documents into the bucket `demo`"))
    emulator.add_argument(
        "--pace",
        metavar="S",
        type=_seconds,
        default=0.0,
        help=_("seconds that a conversion takes (default: its own time)"),
    )
    emulator.add_argument(
        "--notify-format",
        choices=("XML", "JSON", "SIMPLIFIED"),
        default="JSON",
        help=_("NotifyContentFormat of the subscription (default: %(default)s)"),
    )
    _add_scenario(emulator)
    emulator.add_argument("--seed", metavar="N", type=_seed, default=0, help=_("lets it go wrong at other times"))
    _add_settings(parser)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help=_("print JSON Lines, every value as it was received"))


def _add_scenario(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario",
        metavar="NAME",
        choices=_SCENARIOS,
        default="calm",
        help=_("what goes wrong (default: %(default)s)"),
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(_("settings"))
    for name, (metavar, what) in _SETTINGS.items():
        # Suppressed, so that a command's missing flag does not undo the same flag in front of the command.
        group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=_(what), default=argparse.SUPPRESS)
    group.add_argument(
        "--read-only",
        action="store_const",
        const="true",
        default=argparse.SUPPRESS,
        help=_("change nothing: look at the queue without receiving, ask IMM, submit nothing"),
    )


def _scenarios() -> str:
    lines = (f"  {name:<15} {_(what)}\n" for name, what in _SCENARIOS.items())
    return _("scenarios:") + "\n" + "".join(lines)


def _number(text: str, kind: Callable[[str], float], fits: Callable[[float], bool], otherwise: str) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = float("nan")
    if not fits(number):
        raise argparse.ArgumentTypeError(otherwise.format(text=repr(text)))
    return number


def _seconds(text: str) -> float:
    return _number(text, float, lambda number: 0 <= number < 1e9, _("{text} is not a number of seconds"))


def _count(text: str) -> int:
    return int(_number(text, int, lambda number: 1 <= number < 1e15, _("{text} is not a whole number from 1")))


def _seed(text: str) -> int:
    return int(_number(text, int, lambda number: 0 <= number < 1e15, _("{text} is not a whole number")))


def _port(text: str) -> int:
    return int(_number(text, int, lambda number: 0 <= number < 65536, _("{text} is not a port, 0 to 65535")))


# The commands


def _dashboard(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    if not _has_terminal():
        _credentials(settings, settings.missing_to_listen() + settings.missing_to_submit())
        raise _no_terminal(_("The dashboard needs a terminal."))
    _leave_the_process_to_the_screen()
    from imm_tui.profiles import Profiles, ready
    from imm_tui.tui.app import ImmApp

    profile = ready(settings, os.environ, _FOR_A_KEY)
    app = ImmApp(
        profile.settings,
        profile.history_path,
        profile.credentials,
        problem=profile.problem,
        profiles=Profiles(_flags(arguments), os.environ, settings.profile),
    )
    if app.run() == "demo":
        return _demo(arguments)
    return app.return_code or 0


def _demo(arguments: argparse.Namespace) -> int:
    if not _has_terminal():
        raise _no_terminal(_("The demo needs a terminal."))
    _end_in_order()
    _leave_the_process_to_the_screen()
    from imm_tui import demo

    return demo.run(
        api_version=getattr(arguments, "api_version", None) or "2017-09-06",
        pace=getattr(arguments, "pace", _DEMO_PACE),
        scenario=getattr(arguments, "scenario", "calm"),
    )


def _leave_the_process_to_the_screen() -> None:
    """What fails in a thread the app says while it runs; before and after, a traceback would spoil the terminal.

    It also looks for garbage again, from when it stands: what is imported until then is none.
    """
    import gc
    import threading

    threading.excepthook = lambda _failed: None
    gc.disable()


def _has_terminal() -> bool:
    """Whether a person sees what is drawn and can press keys: Textual reads stdin and draws on stderr."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _no_terminal(what: str) -> BadInput:
    return BadInput(
        what,
        _("stdin, stdout or stderr is none here."),
        _("Without one there are imm-tui submit, imm-tui watch and imm-tui tasks."),
    )


def _submit(arguments: argparse.Namespace) -> int:
    _fail_as_one()
    from dataclasses import replace

    from imm_tui import submission
    from imm_tui.headless.submit import preview, read_options, read_password, read_sources, submit

    settings = _settings(arguments)
    if arguments.file == "-" == arguments.password_file:
        what = _("Standard input cannot be both the sources and the password.")
        raise BadInput(what, fix=_("Put one into a file."))
    wanted = submission.Wanted(
        target_type=arguments.to,
        target_uri=getattr(arguments, "target_uri", ""),  # the flag's; plan() knows the profile's
        pages=arguments.pages,
        dpi=arguments.dpi,
        options=read_options(arguments.options),
    )
    if arguments.dry_run:
        return preview(
            settings,
            _history_path(settings),
            arguments.sources,
            arguments.file,
            wanted,
            as_json=arguments.json,
        )
    sources = read_sources(arguments.sources, arguments.file)
    if arguments.password_file:
        wanted = replace(wanted, password=read_password(arguments.password_file))
    conversions = submission.plan(sources, wanted, settings)
    if again := len(sources) - len(conversions):
        told = ngettext(
            "{count} of {total} sources stands there again; each is submitted once.",
            "{count} of {total} sources stand there again; each is submitted once.",
            again,
        )
        say(told.format(count=f"{again:,}", total=f"{len(sources):,}"))
    missing = settings.missing_to_submit()
    if arguments.wait:
        # Without a topic no event comes, without a queue none is received.
        missing += (() if settings.topic else ("topic",)) + settings.missing_to_listen()
    keys = _credentials(settings, missing)
    _end_in_order()
    return submit(
        settings,
        keys,
        _history_path(settings),
        conversions,
        wait=arguments.wait,
        timeout=arguments.timeout,
        as_json=arguments.json,
    )


def _watch(arguments: argparse.Namespace) -> int:
    _fail_as_one()
    from imm_tui.headless.watch import watch

    settings = _settings(arguments)
    keys = _credentials(settings, settings.missing_to_listen())
    _end_in_order()
    return watch(
        settings,
        keys,
        _history_path(settings),
        count=arguments.count,
        idle_exit=arguments.idle_exit,
        as_json=arguments.json,
    )


def _setup(arguments: argparse.Namespace) -> int:
    from imm_tui import config
    from imm_tui.headless.setup import remove, run

    def load(answers: Mapping[str, str]) -> Settings:
        return config.load({**_flags(arguments), **answers}, os.environ, to_write=True)

    settings = load({})
    keys = _credentials(settings, ())
    _end_in_order()
    if arguments.remove:
        return remove(settings, keys, os.environ, yes=arguments.yes, dry_run=arguments.dry_run)
    return run(load, keys, os.environ, private=arguments.private, yes=arguments.yes, dry_run=arguments.dry_run)


def _doctor(arguments: argparse.Namespace) -> int:
    from imm_tui.credentials import Chain
    from imm_tui.headless.doctor import run

    settings = _settings(arguments)
    keys = Chain(settings.aliyun_profile, os.environ)
    _end_in_order()
    return run(settings, keys, _history_path(settings), as_json=arguments.json)


def _profiles(arguments: argparse.Namespace) -> int:
    from imm_tui.headless.profiles import list_profiles

    return list_profiles(_settings(arguments), getattr(arguments, "config", None), as_json=arguments.json)


def _smoke(arguments: argparse.Namespace) -> int:
    from imm_tui.headless.smoke import run

    settings = _settings(arguments)
    missing = settings.missing_to_submit() + (() if settings.topic else ("topic",)) + settings.missing_to_listen()
    keys = _credentials(settings, missing)
    _end_in_order()
    return run(
        settings,
        keys,
        _history_path(settings),
        arguments.source,
        timeout=arguments.timeout,
        as_json=arguments.json,
    )


def _tasks(arguments: argparse.Namespace) -> int:
    from imm_tui.headless.tasks import list_tasks

    path = _history_path(_settings(arguments))
    return list_tasks(
        path, status=arguments.status, filtered=arguments.filter, limit=arguments.limit, as_json=arguments.json
    )


def _emulator(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from imm_tui.emulator.server import serve

    return serve(
        host=arguments.host,
        port=arguments.port,
        data_dir=Path(arguments.data_dir) if arguments.data_dir else None,
        env_file=Path(arguments.env_file) if arguments.env_file else None,
        samples=arguments.samples,
        pace=arguments.pace,
        notify_format=arguments.notify_format,
        scenario=arguments.scenario,
        seed=arguments.seed,
    )


def _fail_as_one() -> None:
    """A mistake in the listener's thread ends the command too: it would wait for that thread for ever."""
    import threading

    def fail(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None:
            say(mistake(failed.exc_value))
            _leave(Exit.INTERNAL)

    threading.excepthook = fail


def _settings(arguments: argparse.Namespace) -> Settings:
    from imm_tui import config

    return config.load(_flags(arguments), os.environ)


def _flags(arguments: argparse.Namespace) -> dict[str, str | None]:
    return {name: getattr(arguments, name, None) for name in (*_SETTINGS, "read_only")}


def _history_path(settings: Settings) -> Path:
    from imm_tui import config

    return config.history_path(settings, os.environ)


def _credentials(settings: Settings, missing: Sequence[str]) -> Keys:
    """The keys. Raises NoCredentials, or BadInput for the settings that are missing; says both where both are so."""
    from imm_tui.credentials import Chain
    from imm_tui.profiles import lacking

    problem = lacking(settings, missing) if missing else None
    keys = Chain(settings.aliyun_profile, os.environ)
    try:
        found = keys.current()
    except NoCredentials:
        if problem is not None:
            say(problem)
            say(_(_DEMO_HINT))
        raise
    if problem is not None:
        raise problem
    if settings.is_aliyuns:
        told = _("{config} has no profile {name}: the key is from {source}.")
        say(told.format(config=settings.config_file, name=settings.profile, source=found.source))
    return keys
