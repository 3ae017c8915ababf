"""ImmApp: which screen is shown, of which profile, how the person wants it, and the way in and out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import MountError

from imm_tui import i18n
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import HistoryUnusable, NoCredentials, Trouble, mistake
from imm_tui.exits import END_SIGNALS, Exit
from imm_tui.i18n import N_, _, ngettext
from imm_tui.profiles import Profile, Profiles
from imm_tui.text import block, line
from imm_tui.tui import process, read_only, styles, theme
from imm_tui.tui.chosen import Chosen
from imm_tui.tui.pasting import whole_pastes
from imm_tui.tui.right_of_way import RightOfWay
from imm_tui.tui.screens.opening import BREAKPOINTS, Opening
from imm_tui.tui.terminal import suspend, use_mouse

if TYPE_CHECKING:  # most of it is imported after the first paint
    from rich.console import RenderableType

    from imm_tui.session import Session
    from imm_tui.sources import Lister
    from imm_tui.tui.screens.dashboard import Whereabouts
    from imm_tui.tui.screens.submit import SubmitScreen

_FRAME = 1 / 30
"""Seconds between two readings of the history, however often it changes."""

_BETWEEN_KEYS = 0.25
"""The same while a person is at the keys: what they want to see comes first."""

_PRESSED = (events.Key, events.MouseDown, events.MouseScrollDown, events.MouseScrollUp)
"""What a person wants to see an answer to."""

_NOTHING_LOST = N_("Nothing that was received is lost.")

_THREADS = {
    "listener": N_("The listener"),
    "reconciler": N_("Asking IMM"),
    "first reading": N_("Reading the history"),
    "finding": N_("Finding tasks"),
}
"""What a person calls the threads that work for the screen, by the names that they have here."""

_TOLD_FOR = 20.0

_MOVES = ("move", "scroll", "page", "cursor", "app.focus", "first", "last", "screen.copy_text", "app.command_palette")
"""How the names of actions begin that nobody looks up: they move about."""

_UNTIL_READ = 86_400.0
"""Seconds: longer than anybody looks at it."""

_TWICE = 2.0
"""Seconds within which a second Ctrl-C ends the dashboard."""


class ImmApp(App[str | None]):
    """The program on the screen. Where `problem` says why nothing can be done yet, it only shows the history.

    `overdue_after` is the seconds after which IMM is asked about a task whose event has not come (None: as long as the
    reconciler finds right). `profiles` are those that can be switched to. `scenario` is the name of what goes wrong in
    the demo's emulator.

    It returns "demo" when the demo was chosen instead. Its `return_code` is 0, 1 after an error of its own, or 128 and
    the number of the signal that ended it, for which Ctrl-C twice counts as SIGINT.
    """

    TITLE = "imm-tui"
    CSS = styles.frame()
    DEFAULT_MODE = "opening"
    SUSPENDED_SCREEN_CLASS = "-behind"
    BINDING_GROUP_TITLE = N_("Everywhere")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+z",
            "suspend_process",
            N_("suspend"),
            id="suspend",
            tooltip=N_("Back to the shell, where fg brings imm-tui to the front again"),
            show=False,
            priority=True,  # else no screen that is laid over another has it
        ),
        Binding(
            "escape",
            "read",
            N_("read"),
            id="read",
            tooltip=N_("Take away the errors that were told, before anything else"),
            show=False,
            priority=True,
        ),
    ]

    def __init__(
        self,
        settings: Settings,
        history_path: Path,
        credentials: Keys | None,
        *,
        problem: Trouble | None = None,
        demo: bool = False,
        overdue_after: float | None = None,
        scenario: str = "",
        profiles: Profiles | None = None,
    ) -> None:
        super().__init__()
        self.demo = demo
        self.scenario = scenario
        self._profiles = profiles
        self.lister: Lister | None = None
        """Lists the buckets that patterns of sources can be resolved in; the demo has one."""
        self.sample = ""
        """A document that the smoke test may offer where none was converted yet."""
        self._overdue_after = overdue_after
        self.chosen = Chosen(history_path.parent / "preferences.json", self._not_kept)
        self._speak(self.chosen.now.language)
        self.profile = Profile(settings=settings, history_path=history_path, credentials=credentials, problem=problem)
        self._form: SubmitScreen | None = None
        """The newest, which may be over."""
        self._alone = False
        """Nothing else is in the process."""
        self.right_of_way = RightOfWay(self)
        self._woken = False
        self._drained_at = 0.0
        self._interrupted_at = -_TWICE
        self.add_mode(self.DEFAULT_MODE, self._opening)  # Textual takes no other away
        self._opened = asyncio.Event()
        """The first frame was painted, or never will be."""
        self._dashboards = 0
        """How many have been shown: none at first."""
        self._left: dict[str, Whereabouts] = {}
        """Where the person was on the last dashboard of each profile."""
        for own in theme.themes(self.console.color_system):
            self.register_theme(own)
        wanted = self.chosen.now.theme
        # As if it had been Textual's own default: set in the ordinary way, all styles would be parsed once more.
        self.set_reactive(App.theme, theme.DARK.name)
        if wanted in self.available_themes:
            self.theme = wanted
        self.stylesheet.set_variables(self.get_css_variables())  # else its colours are those of Textual's default

    def run(self, **options: Any) -> str | None:
        """Runs to the end, which a signal can ask for as well; call it in the main thread."""
        self._alone = self.right_of_way.alone = True
        with process.taken(self.thread_failed), whole_pastes():
            return super().run(mouse=self.chosen.now.mouse, **options)

    def on_dashboard_settled(self) -> None:
        if self._alone:
            process.spare_what_is_there()

    def clear_selection(self) -> None:
        # From Python 3.12 on Textual mounts a first screen, with fields that say this, before it is on the stack.
        if self.screen_stack:
            super().clear_selection()

    def on_load(self) -> None:
        # Before the terminal is switched over: a signal that ends the process in the midst of that would leave it so.
        if self._alone:
            process.end_by_signal(self)

    def _opening(self) -> Screen[None]:
        return self._styled(Opening(self.settings, demo=self.demo, scenario=self.scenario))

    def _styled(self, screen: Screen[None]) -> Screen[None]:
        # It is mounted with the styles of now: Textual would parse them all twice, to be sure of that.
        screen._css_update_count = self._css_update_count
        # And as wide as it will be, else all of it would be styled again.
        width = next(name for columns, name in reversed(BREAKPOINTS) if self.size.width >= columns)
        return screen.add_class(width, update=False)

    async def _process_messages_loop(self) -> None:
        # Textual calls it once, when the first screen is mounted, and hands on nothing before: a key that is pressed
        # meanwhile waits for the dashboard.
        self.screen.call_after_refresh(self._opened.set)
        await self._opened.wait()
        if not self._exit:
            await self._stand()
        await super()._process_messages_loop()

    def exit(self, result: str | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        super().exit(result, return_code, message)
        self._opened.set()  # from here on Textual paints nothing

    async def _stand(self) -> None:
        """The first paint is over: all the rest."""
        from imm_tui.tui.submissions import Submissions

        self.stylesheet.add_source(styles.rest())
        self.submissions = Submissions(self.chosen, later=self._later, on_change=self.wake, on_accepted=self._accepted)
        self._open(self.profile)
        await self._show_dashboard()
        self.on_dashboard_settled()
        self._map_keys()
        if self.chosen.damaged is not None:
            words = _(
                "What you had chosen here could not all be read again: it begins anew. The damaged file is {path}."
            )
            words = words.format(path=line(self.chosen.damaged))
            self.notify(words, title=_("Choices"), severity="warning", timeout=_TOLD_FOR, markup=False)
        if self.problem is not None:
            self._welcome()
        else:
            self.call_after_refresh(self.session.start)

    def on_event(self, event: events.Event) -> Coroutine[Any, Any, None]:
        if isinstance(event, _PRESSED):
            self.right_of_way.press()
        if isinstance(event, events.Paste):
            # Not every field is one of ours: the palette's would hand control characters on to the terminal.
            event.text = block(event.text.replace("\r\n", "\n").replace("\r", "\n"), limit=None)
        return super().on_event(event)  # not awaited here: this place would be in every traceback

    def on_key(self, event: events.Key) -> None:
        """A field keeps what is typed in it. A character that comes here was pressed before the field had the focus, in
        one go with the key that opened it: it is the field's as well, and no key of the screen."""
        from textual.widgets import Input, TextArea

        field = self.focused
        if event.is_printable and (isinstance(field, Input) or (isinstance(field, TextArea) and not field.read_only)):
            event.prevent_default()
            field.post_message(events.Key(event.key, event.character))

    def on_unmount(self) -> None:
        self.right_of_way.end()
        if self._dashboards:
            self.submissions.stop()
            self.session.stop()

    def _map_keys(self) -> None:
        """Gives each action the key that config.toml wants for it."""
        if self.settings.keys:
            from imm_tui.tui import keymap

            for trouble in keymap.apply(self, self.settings.keys):
                self.notify(block(str(trouble)), title=_("Keys"), severity="warning", timeout=_TOLD_FOR, markup=False)

    # The profile, and what works for it

    def _open(self, profile: Profile) -> None:
        from imm_tui.session import Session

        self.profile = profile
        if profile.problem is None:
            self.submissions.open(profile)
        self.session = Session(
            profile,
            self.wake,
            overdue_after=self._overdue_after,
            on_hook_trouble=self._hook_failed,
            give_way=self.right_of_way.wait,
        )

    @property
    def settings(self) -> Settings:
        return self.profile.settings

    @property
    def history_path(self) -> Path:
        return self.profile.history_path

    @property
    def credentials(self) -> Keys | None:
        return self.profile.credentials

    @property
    def problem(self) -> Trouble | None:
        """Why nothing can be done yet but look at the history."""
        return self.profile.problem

    def wake(self) -> None:
        """Something has changed: may be called from any thread, as often as it likes."""
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended, nobody looks any more
                self.call_later(self._drain_soon)

    def _drain_soon(self) -> None:
        pause = _BETWEEN_KEYS if self.right_of_way.is_pressed else _FRAME
        wait = self._drained_at + pause - time.monotonic()
        if wait > 0:
            self.set_timer(wait, self._drain_next)
        else:
            self._drain_next()

    def _drain_next(self) -> None:
        self.call_after_refresh(self._drain)  # what a key has changed is drawn first

    def _drain(self) -> None:
        if not self.is_running:
            return  # the screen is being taken down
        self.right_of_way.take()
        self._woken = False
        self._drained_at = time.monotonic()
        self._take_back()
        self.dashboard.show_news()

    def _take_back(self) -> None:
        """What batches did not send: not into a form that is open, which does not hold it and is kept in its place."""
        if self._form is not None and self._form.is_open:
            return
        if count := self.submissions.take_back():
            words = ngettext(
                "{count} document that was left unsent when imm-tui ended is in the form: n opens it.",
                "{count} documents that were left unsent when imm-tui ended are in the form: n opens it.",
                count,
            ).format(count=f"{count:,}")
            self.notify(words, title=_("Not sent"), severity="warning", timeout=_TOLD_FOR, markup=False)

    # Submissions

    def action_leave(self) -> None:
        """The way out; where documents are not yet sent, after a question."""
        count = self.submissions.unsent
        if not count:
            self.exit()
            return
        from imm_tui.tui.screens.confirm import ConfirmScreen

        words = ngettext(
            "{count} document is not sent yet. It will be in the form the next time, if it came from there.",
            "{count} documents are not sent yet. They will be in the form the next time, if they came from there.",
            count,
        ).format(count=f"{count:,}")

        def leave(wanted: bool | None) -> None:
            if wanted:
                self.exit()

        self.push_screen(ConfirmScreen(_("Leave imm-tui?"), words, _("Leave"), _("Stay")), leave)

    def _accepted(self, profile: Profile, task: int) -> None:
        if profile is self.session.profile:
            self.dashboard.select(task)

    # Screens and keys

    def _welcome(self) -> None:
        from imm_tui.tui.screens.welcome import WelcomeScreen

        assert self.problem is not None
        self.push_screen(WelcomeScreen(self.settings, self.problem))

    async def action_quit(self) -> None:
        """Textual's ctrl+q, on any screen: what is typed in a form is kept, and what is not sent is asked about."""
        if self._form is not None and self._form.is_open:
            self._form.keep_draft()
        self.action_leave()

    def action_new_submission(self) -> None:
        """The submission form; where nothing can be submitted, what is missing for it."""
        if self.problem is not None:
            self._welcome()
            return
        if read_only.refuses(self, self.settings):
            return
        from imm_tui.tui.screens.submit import SubmitScreen

        self._take_back()
        self._form = SubmitScreen(self.session.profile, self.submissions, self.lister)
        self.push_screen(self._form)

    def action_help(self) -> None:
        """What every key does."""
        from imm_tui.tui.screens.help import HelpScreen

        file = None if self.demo else self.settings.config_file  # the demo reads none
        self.push_screen(HelpScreen(self.screen, self.settings.keys, str(file or "config.toml")))

    def action_command_palette(self) -> None:
        """Every action by its name."""
        from imm_tui.tui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_help_quit(self) -> None:
        """Ctrl-C where there is nothing to copy. On the dashboard the second ends it; no form is lost that way."""
        if self.screen is not self.dashboard:
            super().action_help_quit()
            return
        at = time.monotonic()
        if at - self._interrupted_at < _TWICE:
            self.exit(return_code=Exit.INTERRUPTED)
            return
        self._interrupted_at = at
        words = _("Once more Ctrl-C ends imm-tui, and so does q.")
        self.notify(words, title=_("Leave?"), timeout=_TWICE, markup=False)

    def action_suspend_process(self) -> None:
        """Stands still until the shell continues it."""
        if not suspend(self):
            words = _("Nothing here could bring imm-tui back: it was not started by a shell with job control.")
            self.notify(words, title=_("Not suspended"), severity="warning", timeout=_TOLD_FOR, markup=False)

    def action_reconnect(self) -> None:
        """Tries again now what the listener waits with; where it has ended, starts another; where something was missing
        from the settings or for the key, looks whether it is there now."""
        if self.problem is None:
            self.session.reconnect()
        else:
            self._open_profile(self.settings.profile)

    def action_pause(self) -> None:
        """Leaves events on the queue until `resume`."""
        self.session.pause()

    def action_resume(self) -> None:
        """Takes events from the queue again."""
        self.session.reconnect()

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """What is pressed after the end was asked for is meant for the shell, or for nobody."""
        return not self._exit and await super().run_action(action, default_namespace, namespaces)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        from imm_tui.listener import Phase

        phase = self.dashboard.listener.phase
        if action == "pause":
            at_work = (Phase.STARTING, Phase.LISTENING, Phase.PEEKING, Phase.RECONNECTING)
            return phase in at_work and self.credentials is not None
        if action == "resume":
            return phase is Phase.PAUSED
        if action == "suspend_process":
            return not hasattr(self.focused, "action_undo")  # there ctrl+z undoes what was typed
        if action == "read":
            # Some screens show no toast while they are open: there it waits.
            return bool(self._notifications) and any(toast.display for toast in self.screen.query("Toast.-error"))
        if action == "profile":
            return self._profiles is not None
        if action == "reconnect":
            return phase in (Phase.STOPPED, Phase.RECONNECTING) and (self.problem is None or self._profiles is not None)
        return super().check_action(action, parameters)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key of the screen that has a name, and what has no key. Textual's own are there in our words."""
        own = {active.binding.action: active for active in screen.active_bindings.values() if active.binding.id}
        for action, (node, binding, enabled, tooltip) in own.items():
            if enabled and not action.startswith(_MOVES):
                key = _("The key {key}").format(key=self.get_key_display(binding))
                # A person looks for the word of the footer, and reads the sentence.
                title = _("{name}: {what}").format(name=binding.description, what=tooltip)
                yield SystemCommand(title, key, partial(self.run_action, action, node))
        yield SystemCommand(_("Colours"), _("Choose a theme, dark or light"), self.action_change_theme)
        if not screen.is_modal:  # what is being typed there would be lost
            yield SystemCommand(_("Language"), _("English or Chinese"), self.action_language)
        yield SystemCommand(_("When a task ends"), _("A toast, the bell, or a notification"), self.action_telling)
        mouse = _("Leave it to the terminal") if self.chosen.now.mouse else _("Click, scroll and select here")
        yield SystemCommand(_("Mouse"), mouse, self.action_mouse)
        yield SystemCommand(_("Save a picture"), _("Write the screen to an SVG file"), self.deliver_screenshot)

    # How the person wants it

    def _not_kept(self, trouble: HistoryUnusable) -> None:
        self.notify(block(str(trouble)), title=_("Not kept"), severity="warning", timeout=_TOLD_FOR, markup=False)

    @staticmethod
    def _speak(language: str) -> None:
        i18n.use(language if language in i18n.LANGUAGES else i18n.of_environment(os.environ))

    def _choose(self, title: str, options: Mapping[str, str], current: str, then: Callable[[str], object]) -> None:
        from imm_tui.tui.screens.choose import ChooseScreen

        async def chosen(option: str | None) -> None:
            if option is not None and isawaitable(done := then(option)):
                await done

        self.push_screen(ChooseScreen(title, options, current), chosen)

    def action_change_theme(self) -> None:
        """Textual's themes, and the two of our own."""
        names = sorted(self.available_themes, key=lambda name: (not name.startswith("imm-"), name))
        self._choose(_("Colours"), {name: name for name in names}, self.theme, self._wear)

    def _wear(self, name: str) -> None:
        self.theme = name
        self.chosen.change(theme=name)

    def action_language(self) -> None:
        """English or Chinese, from now on."""
        self._choose(_("Language"), i18n.LANGUAGES, i18n.language(), self._switch_language)

    async def _switch_language(self, language: str) -> None:
        self._speak(language)
        self.chosen.change(language=language)
        await self._show_dashboard()
        if self.problem is not None:
            self._welcome()

    def action_telling(self) -> None:
        """How the end of a task is told."""
        ways = {
            "toast": _("a toast"),
            "bell": _("the bell of the terminal"),
            "osc9": _("a notification of the terminal (OSC 9)"),
            "none": _("nothing: the list shows it"),
        }
        self._choose(_("When a task ends"), ways, self.chosen.now.telling, lambda way: self.chosen.change(telling=way))

    def action_mouse(self) -> None:
        """Takes the mouse, or leaves it to the terminal, which can select text with it then."""
        self.chosen.change(mouse=not self.chosen.now.mouse)
        use_mouse(self, self.chosen.now.mouse)
        words = _("The mouse is for imm-tui.") if self.chosen.now.mouse else _("The mouse is the terminal's.")
        self.notify(words, markup=False)

    def action_smoke(self) -> None:
        """One conversion through everything."""
        if self.problem is not None or self.credentials is None:
            self._welcome()
            return
        if read_only.refuses(self, self.settings):
            return
        from imm_tui.listener import Phase

        if self.session.listening.phase is Phase.PAUSED:
            told = _("Events are not taken from the queue at the moment: the test would wait in vain. p resumes.")
            self.notify(told, title=_("Smoke test"), severity="warning", timeout=_TOLD_FOR, markup=False)
            return
        from imm_tui import smoke
        from imm_tui.tui.screens.smoke import SmokeScreen

        try:
            source = smoke.last_source(self.history_path, self.settings) or self.sample
        except HistoryUnusable:  # the dashboard says so
            source = self.sample
        self.push_screen(SmokeScreen(self.settings, self.credentials, self.history_path, source))

    def action_setup(self) -> None:
        """Makes what the profile needs, and writes it; then works with it."""
        if self._profiles is None:  # the demo's emulator is set up, and nobody's configuration is its
            told = _("The demo is set up. Start imm-tui by itself to set up an account of yours.")
            self.notify(told, title=_("Set-up"), timeout=_TOLD_FOR, markup=False)
            return
        if self.credentials is None and isinstance(self.problem, NoCredentials):
            self.notify(block(str(self.problem)), title=_("Set-up"), severity="error", markup=False)
            return
        if read_only.refuses(self, self.settings):
            return
        from imm_tui.credentials import Chain
        from imm_tui.tui.clipboard import copy
        from imm_tui.tui.screens.setup import SetupScreen

        name = self.settings.profile
        keys = self.credentials or Chain(self.settings.aliyun_profile)
        file = self.history_path.parent / "copied.txt"

        def open_it(ready: bool | None) -> None:
            if ready:
                self._open_profile(name, self.action_doctor)

        screen = SetupScreen(
            partial(self._profiles.answered, name),
            keys,
            os.environ,
            lambda policy: copy(self, policy, _("the RAM policy"), file),
        )
        self.push_screen(screen, open_it)

    def action_doctor(self) -> None:
        """What of this profile works, and what does not."""
        from imm_tui.credentials import Chain
        from imm_tui.tui.screens.doctor import DoctorScreen

        keys = self.credentials or Chain(self.settings.aliyun_profile)
        self.push_screen(DoctorScreen(self.settings, keys, self.history_path))

    def action_profile(self) -> None:
        """Another profile of the configuration file, with its own history."""
        assert self._profiles is not None
        try:
            names = self._profiles.names()
        except Trouble as trouble:
            self._not_switched(trouble)
            return
        self._choose(_("Profile"), {name: name for name in names}, self.settings.profile, self._switch_profile)

    def _switch_profile(self, name: str) -> None:
        if name != self.settings.profile:
            self._open_profile(name)

    def _open_profile(self, name: str, then: Callable[[], None] = lambda: None) -> None:
        """`then` is called when its dashboard is there."""
        threading.Thread(target=self._leave_for, args=(name, self.session, then), name="profile", daemon=True).start()

    def _leave_for(self, name: str, before: Session, then: Callable[[], None]) -> None:
        # Not in the screen's thread: a key may have to be asked for over the network, and what stops takes its time.
        assert self._profiles is not None
        try:
            profile = self._profiles.open(name)
        except Trouble as trouble:
            self._later(self._not_switched, trouble)
            return
        before.stop()
        self._later(self._arrive, profile, before, then)

    async def _arrive(self, profile: Profile, before: Session, then: Callable[[], None]) -> None:
        if self.session is not before:
            return  # another switch was faster, and what works for it is at work
        self._open(profile)
        self._map_keys()
        await self._show_dashboard()
        if profile.problem is None:
            self.session.start()
        else:
            self._welcome()
        then()

    def _not_switched(self, trouble: Trouble) -> None:
        self.notify(block(str(trouble)), title=_("Not switched"), severity="error", timeout=_TOLD_FOR, markup=False)

    async def _show_dashboard(self) -> None:
        """The dashboard: the first one, and anew for another profile or in another language."""
        before = self.current_mode
        if self._dashboards:
            self._left[self.dashboard.profile] = self.dashboard.whereabouts
        self._dashboards += 1
        mode = f"dashboard {self._dashboards}"
        self.add_mode(mode, self._dashboard)
        with self.batch_update():
            await self.switch_mode(mode)  # with what was laid over the one before: that goes with it
            await self.remove_mode(before)

    def _dashboard(self) -> Screen[None]:
        from imm_tui.tui.screens.dashboard import Dashboard

        self.dashboard = Dashboard(
            self.session,
            self.submissions,
            self.chosen,
            self.right_of_way,
            demo=self.demo,
            scenario=self.scenario,
            whereabouts=self._left.get(self.settings.profile),
        )
        return self._styled(self.dashboard)

    # What a person has to read

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """A toast. An error stays until a person has read it: a click on it, or Escape, takes it away."""
        if severity == "error":
            timeout = _UNTIL_READ
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def action_read(self) -> None:
        """What was told has been read."""
        self.clear_notifications()

    # Errors that nobody caught

    def thread_failed(self, failed: threading.ExceptHookArgs) -> None:
        """`threading.excepthook` while the app runs: a thread that has ended must not seem to be at work."""
        name = failed.thread.name if failed.thread is not None else ""
        if name == "textual-output":  # the terminal is gone, and everything else would wait for this thread for ever
            signal.raise_signal(END_SIGNALS[-1])
            return
        what = _(_THREADS[name]) if name in _THREADS else _("The thread {name}").format(name=name)
        trouble = mistake(failed.exc_value, what, _(_NOTHING_LOST))
        self._later(self._tell_failed, failed.thread, trouble)

    def _later(self, callback: Callable[..., object], *arguments: object) -> None:
        """Calls it in the screen's thread, unless the app has ended meanwhile."""
        with suppress(RuntimeError):
            self.call_later(callback, *arguments)

    def _tell_failed(self, thread: threading.Thread | None, trouble: Trouble) -> None:
        name = thread.name if thread is not None else ""
        if name in ("listener", "reconciler") and not self.session.has(thread):
            return  # it worked for a profile that was left
        match name:
            case "listener":
                self.session.listener_failed(trouble)
                self.dashboard.show_listener(self.session.listening)
            case "reconciler":
                self.session.reconciler_failed()
                self.dashboard.asking_failed(trouble)
                self._toast(trouble)
            case "first reading":
                self.dashboard.reading_failed(trouble)
            case _:
                self._toast(trouble)

    def _hook_failed(self, trouble: Trouble) -> None:
        self._later(self._tell_hook_failed, trouble)

    def _tell_hook_failed(self, trouble: Trouble) -> None:
        self.notify(block(str(trouble)), title=_("Hook"), severity="warning", timeout=_TOLD_FOR, markup=False)

    def _toast(self, trouble: Trouble) -> None:
        self.notify(line(trouble), title=_("A mistake"), severity="error", timeout=_TOLD_FOR, markup=False)

    async def _shutdown(self) -> None:
        """Also when something fails on the way out, what gives the terminal back is written before this returns."""
        try:
            await super()._shutdown()
        finally:
            if self._driver is not None:
                self._driver.close()

    def _handle_exception(self, error: Exception) -> None:
        """On the way out a screen, also one that is just opening, may find none of its widgets, or not take any: that
        is no mistake."""
        if not (self._exit and isinstance(error, (NoMatches, MountError))):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Textual would print a traceback with the values of variables; a person gets a sentence, and no secret."""
        error = sys.exc_info()[1] or self._exception
        then = _("Nothing that was received is lost. Start it again.")
        told = error if isinstance(error, Trouble) else mistake(error, then=then)
        self.panic(Text(block(str(told))))
        self._opened.set()
