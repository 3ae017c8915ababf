"""What `aliyun configure` keeps: the profiles of `~/.aliyun/config.json`, which say where a key comes from and which
region is meant. Only read here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imm_tui.errors import BadInput
from imm_tui.i18n import _


@dataclass(frozen=True, slots=True)
class AliyunConfig:
    """The file as it is now."""

    path: Path
    profiles: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """By name, each as it stands in the file: that may be with keys."""
    current: str


def home(environ: Mapping[str, str]) -> Path:
    """The folder in which Alibaba Cloud's tools keep theirs."""
    return Path(environ.get("HOME") or os.path.expanduser("~"))


def config_path(environ: Mapping[str, str]) -> Path:
    return home(environ) / ".aliyun" / "config.json"


def read(environ: Mapping[str, str]) -> AliyunConfig:
    """Raises BadInput, with a sentence about why there is none or it is none. It never quotes the file."""
    path = config_path(environ)
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(_("{path} does not exist.").format(path=path)) from None
    except OSError as error:
        raise BadInput(_("{path} cannot be read: {cause}.").format(path=path, cause=error.strerror)) from None
    except (ValueError, RecursionError):
        raise BadInput(_("{path} is not JSON.").format(path=path)) from None
    entries = document.get("profiles") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise BadInput(_("{path} holds no profiles.").format(path=path))
    named = {entry["name"]: entry for entry in reversed(entries) if isinstance(entry, dict) and _names(entry)}
    current = document.get("current")
    return AliyunConfig(path, named, current if isinstance(current, str) else "")


def default_profile(environ: Mapping[str, str], current: str) -> str:
    """The one that counts where none is named: ALIBABA_CLOUD_PROFILE, else the file's current one."""
    return environ.get("ALIBABA_CLOUD_PROFILE", "").strip() or current


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the environment wants the file left alone, unless one of its profiles is named."""
    return environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").strip().lower() == "true"


def _names(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("name"), str) and bool(entry["name"])
