"""What was made here for a profile, written down beside the histories."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from imm_tui import config, private_file
from imm_tui.config import Settings
from imm_tui.errors import HistoryUnusable
from imm_tui.i18n import _
from imm_tui.setup.parts import Kind, Part


@dataclass(frozen=True, slots=True)
class Made:
    """One part that was made here, and where."""

    part: Part
    region: str
    account_id: str
    mns_endpoint: str

    def settings(self, beside: Settings) -> Settings:
        """Those that lead to it; what it does not decide is that of `beside`."""
        return replace(
            beside,
            region=self.region,
            account_id=self.account_id,
            mns_endpoint=self.mns_endpoint,
            topic=beside.topic if self.part.kind is Kind.QUEUE else self.part.topic or self.part.name,
            queue=self.part.name if self.part.kind is Kind.QUEUE else beside.queue,
        )


def record_path(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where it is written down what was made for a profile; the file need not exist."""
    name = "setup.json" if settings.profile == "default" else f"setup-{settings.profile}.json"
    return config.data_dir(environ) / name


def made_here(record: Path) -> tuple[Made, ...]:
    """What was made. Raises HistoryUnusable for a file that cannot be read."""
    try:
        return tuple(_made(it) for it in json.loads(record.read_bytes())["parts"])
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise _unusable(record, f"{error.strerror}.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unusable(record, _("It does not hold what imm-tui writes there.")) from None


def _made(it: dict[str, Any]) -> Made:
    part = Part(Kind(it["kind"]), str(it["name"]), str(it["topic"]))
    return Made(part, str(it["region"]), str(it["account_id"]), str(it["mns_endpoint"]))


def keep(record: Path, made: Sequence[Made]) -> None:
    """Writes all of it down, in place of what was. Raises HistoryUnusable where that cannot be."""
    parts = [
        {**asdict(it.part), "region": it.region, "account_id": it.account_id, "mns_endpoint": it.mns_endpoint}
        for it in made
    ]
    try:
        if parts:
            private_file.write(record, json.dumps({"parts": parts}, indent=1).encode())
        else:
            record.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(record, f"{error.strerror}.") from None


def _unusable(record: Path, why: str) -> HistoryUnusable:
    return HistoryUnusable(
        _("What was made for this profile is written down in {path}, which cannot be used.").format(path=record),
        why,
        _("Mend the file or its permissions; what it names can also be deleted in the MNS console."),
    )
