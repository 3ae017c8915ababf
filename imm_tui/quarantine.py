"""The quarantine: what a person may do with a message that has no readable event.

Each decision is noted in the history first, and carried out at once while the message's receipt handle is good. Where
it is not, the listener carries it out when the message comes the next time.
"""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from imm_tui import notifications, places
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import Refused, Trouble
from imm_tui.history import History, Quarantined
from imm_tui.i18n import N_, _
from imm_tui.tasks import now

if TYPE_CHECKING:
    from imm_tui.cloud.mns import Queue

CHANGED = N_("The message was changed on the way: it does not fit its MessageBodyMD5.")
"""Why a message is in quarantine whose bytes are not what its publisher sent, however well they can be read."""

_MARGIN = 2_000
"""Milliseconds before its end from which on a receipt handle is not worth a call."""

_ODD = re.compile(r"[^0-9A-Za-z._-]+")


def retry(history: History, message: Quarantined) -> str:
    """Reads the stored bytes again, as a newer imm-tui may be able to. Returns why there is still no event in them.

    "" says that there was one: its task knows it now, and the message is one like any other, deleted when it comes.
    Bytes that were changed on the way are not read: it is its next delivery that may be whole.
    """
    if message.reason == CHANGED:
        return CHANGED
    found = notifications.parse(message.body)
    if found.events:
        history.record_read(message, found.events, now())
    return found.reason


def delete(history: History, settings: Settings, credentials: Keys, message: Quarantined) -> bool:
    """Deletes a message from its queue; false where that has to wait until it comes the next time.

    Its bytes stay in the history. Raises Trouble where the service cannot be reached or refuses; the wish stays noted.
    Raises ReadOnly, for a profile that is, and then it is not.
    """
    _check(settings, "mns:DeleteMessage")
    history.record_delete_wanted(message.id)
    if (handle := _handle(history, message)) is not None:
        # Noted first: should this process be killed in between, it is not waited for in vain, and may come again.
        history.record_deleted(message.id, now())
        try:
            with closing(_open(settings, credentials)) as queue:
                if not queue.delete([handle]):  # it may be gone already, which the answer does not tell
                    history.record_deleted(message.id, None)
                    _let_come(history, queue, message, handle)
        except Trouble:
            history.record_deleted(message.id, None)
            raise
    return history.in_quarantine(message.id) is None


def release(history: History, settings: Settings, credentials: Keys, message: Quarantined) -> bool:
    """Gives a message back: its owner can receive it a second from now. Here it is hidden only briefly from then on.

    False where it was not hidden any more, so that its owner can receive it already. Raises Trouble like `delete`.
    """
    _check(settings, "mns:ChangeMessageVisibility")
    history.record_released(message)
    if (handle := _handle(history, message)) is None:
        return False
    with closing(_open(settings, credentials)) as queue:
        return _let_come(history, queue, message, handle)


def _let_come(history: History, queue: Queue, message: Quarantined, handle: str) -> bool:
    """Ends the time for which a message is hidden; false where that has ended before. One that does not exist any more
    has left the quarantine as well, unless it comes again: the service says the same of a handle that is too old."""
    try:
        newer = queue.change_visibility(handle, 1)
    except Refused as refusal:
        if refusal.code == "MessageNotExist":  # deleted by somebody else, or older than its queue keeps any, perhaps
            history.record_deleted(message.id, now())
        elif refusal.code != "ReceiptHandleError":
            raise
        return False
    history.record_hidden(message.id, newer, now() + 1000)
    return True


def export(message: Quarantined, folder: Path) -> Path:
    """Writes the bytes, exactly as delivered, to a new file of its owner's only in `folder`; returns its path.

    Raises BadInput where that cannot be written.
    """
    name = _ODD.sub("_", message.message_id).strip("._-")[:80] or "message"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1000):
            path = folder / (f"{name}-{number}.bin" if number else f"{name}.bin")
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(message.body)
            except OSError:
                path.unlink()
                raise
            return path
    except (OSError, ValueError) as error:
        raise places.cannot(folder, error) from None
    raise places.refusal(folder, _("It holds a thousand exports of this message."))


def _handle(history: History, message: Quarantined) -> str | None:
    """The newest receipt handle, while it is good."""
    newest = history.in_quarantine(message.id)
    if newest and newest.receipt_handle and newest.hidden_until and newest.hidden_until > now() + _MARGIN:
        return newest.receipt_handle
    return None


def _check(settings: Settings, action: str) -> None:
    if settings.read_only:
        from imm_tui.cloud.read_only import forbidden  # not before the first paint

        if trouble := forbidden(action):
            raise trouble


def _open(settings: Settings, credentials: Keys) -> Queue:
    from imm_tui.cloud.mns import Queue  # the SDK is imported when it is needed

    return Queue(settings.mns_endpoint, settings.queue, credentials, read_only=settings.read_only)
