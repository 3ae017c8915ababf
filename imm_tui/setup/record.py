"""What was made here for a profile, written down beside the histories."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from imm_tui import config
from imm_tui.config import Settings
from imm_tui.errors import HistoryUnusable
from imm_tui.i18n import _
from imm_tui.setup.parts import Kind, Part


@dataclass(frozen=True, slots=True)
class Made:
    """What was made here for one profile, and where."""

    mns_endpoint: str
    parts: tuple[Part, ...]


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


def keep(record: Path, made: Made) -> None:
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
