"""The names of what is made where a person gives none."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import secrets
import socket
from collections.abc import Mapping

from imm_tui import config, private_file
from imm_tui.config import Settings
from imm_tui.errors import HistoryUnusable
from imm_tui.i18n import _

_LONGEST = 120
"""Characters of the name of a queue or a topic (MNS API 2015-06-06, limits of new ones)."""


def private_queue(settings: Settings, environ: Mapping[str, str], *, afresh: bool = False) -> str:
    """The name of a viewer's own queue: always the same one for a person on a machine with a profile.

    `afresh` is where it turned out to be another's, as in a copy of a machine. Raises HistoryUnusable where the
    viewer's name cannot be kept.
    """
    profile = [settings.profile] if settings.profile != "default" else []
    return _as_name("-".join(["imm-tui", _viewer(environ, afresh=afresh), *profile]))


def topic_of(project: str) -> str:
    """The name of a project's topic, where none was chosen: the same for everybody who watches it."""
    return _as_name(f"imm-tui-{project}")


def _viewer(environ: Mapping[str, str], *, afresh: bool) -> str:
    """Who looks from here. Made up once and kept beside the histories: many machines have the same name and the same
    users, and a machine's name may change with its network.
    """
    path = config.data_dir(environ) / "viewer"
    try:
        if not afresh and path.exists() and (kept := path.read_text(encoding="utf-8").strip()):
            return kept
        viewer = f"{_user(environ)}-{socket.gethostname().partition('.')[0]}-{secrets.token_hex(3)}"
        private_file.write(path, viewer.encode("utf-8", "replace"))
    except (OSError, UnicodeDecodeError) as error:
        raise HistoryUnusable(
            _("The name of this viewer's own queue is kept in {path}, which cannot be used.").format(path=path),
            f"{getattr(error, 'strerror', None) or error}.",
            _("Mend the file or its permissions, or name another folder with IMM_TUI_DATA_DIR."),
        ) from None
    return viewer


def _user(environ: Mapping[str, str]) -> str:
    try:
        return environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def _as_name(text: str) -> str:
    """`text` as the name of a queue or a topic. Two that differ stay different where signs of them have to go."""
    name = re.sub("-+", "-", re.sub("[^A-Za-z0-9]", "-", text)).strip("-")
    if name == text and len(name) <= _LONGEST:
        return name
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=3).hexdigest()
    return f"{name[: _LONGEST - 7].rstrip('-')}-{digest}"
