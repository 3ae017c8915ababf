"""Settings: one profile of `config.toml`, with the environment above it and the flags above both; and hooks and keys.

Never a key: those have a room of their own (credentials.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

from imm_tui import aliyun_cli, endpoints
from imm_tui.errors import BadInput
from imm_tui.i18n import N_, _
from imm_tui.tasks import API_VERSIONS, ApiVersion

KEYS = (
    "region",
    "api_version",
    "project",
    "topic",
    "queue",
    "account_id",
    "mns_endpoint",
    "imm_endpoint",
    "sts_endpoint",
    "target_uri",
    "aliyun_profile",
)
"""The settings that the file, an environment variable (`IMM_TUI_REGION`) and a flag (`--region`) can give."""

_SWITCHES = ("allow_http", "read_only")
"""What the file gives as true or false. For read_only there are a variable and a flag too."""

_ENDPOINTS = ("mns_endpoint", "imm_endpoint", "sts_endpoint")

HOOKS = ("on_succeeded", "on_failed", "on_batch_done")
"""What a program can be started on, under [hooks]."""

# What the services take. MNS gives new names 120 characters, but older ones of up to 256 are still in use.
_RULES = {
    "region": (r"[a-z]+(-[a-z0-9]+)+", N_("A region is written like cn-beijing.")),
    "project": (
        r"[A-Za-z_][A-Za-z0-9_-]{0,127}",
        N_("A project's name has up to 128 letters, digits, - and _, and starts with a letter or _."),
    ),
    "topic": (
        r"[A-Za-z][A-Za-z0-9-]{0,255}",
        N_("A topic's name has up to 256 letters, digits and hyphens, and starts with a letter."),
    ),
    "queue": (
        r"[A-Za-z0-9][A-Za-z0-9-]{0,255}",
        N_("A queue's name has up to 256 letters, digits and hyphens, and starts with a letter or a digit."),
    ),
    "account_id": (r"[0-9]{1,20}", N_("The account id is the number that the console shows for the main account.")),
    "api_version": ("|".join(API_VERSIONS), N_("It is one of 2017-09-06 and 2020-09-30.")),
    "read_only": ("(?i:1|true|yes|on|0|false|no|off)", N_("It is true or false.")),
}
_YES = ("1", "true", "yes", "on")
_PROFILE_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One profile, resolved: flag, else environment, else file, else default. Empty is not set."""

    profile: str = "default"
    region: str = ""
    api_version: ApiVersion = "2020-09-30"
    project: str = ""
    topic: str = ""
    queue: str = ""
    account_id: str = ""
    mns_endpoint: str = ""
    """`https://HOST[:PORT]`, no slash behind it; so are the next two."""
    imm_endpoint: str = ""
    sts_endpoint: str = ""
    """Whom to ask of whom the key is; empty where nobody knows."""
    target_uri: str = ""
    aliyun_profile: str = ""
    read_only: bool = False
    """Nothing is submitted, received, hidden, deleted or created: the queue is peeked at, and IMM is asked."""
    is_aliyuns: bool = False
    """The profile is one of `aliyun configure` that the configuration file does not have."""
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The programs to start when tasks end, by the names of HOOKS, each with its arguments."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The keys that a person wants, joined by commas, by the id of a binding. Which there are, the screen knows."""
    config_file: Path | None = field(default=None, compare=False)
    """The file that was read, or would have been if it existed."""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where each setting that was given comes from, by its name: a flag (`--queue`), a variable (`IMM_TUI_QUEUE`), or
    a place in a file, in words. What follows from others has none."""

    @property
    def place(self) -> str:
        """Where these settings are in the file, or would be, for a person to find."""
        return _place(self.profile, self.config_file)

    @property
    def first_line(self) -> str:
        """What has to be written with the first line that a profile of `aliyun configure` gets in the file: from then
        on its name alone does not say where the key is. Empty for others."""
        if not self.is_aliyuns:
            return ""
        line = f'aliyun_profile = "{self.aliyun_profile}"'
        return _("Write {line} there too, or the key will be another.").format(line=line)

    def command(self, words: str) -> str:
        """What a person types to run `imm-tui WORDS` with these settings' profile and file."""
        import shlex

        typed = ["imm-tui", *words.split()]
        if self.profile != "default":
            typed += ["--profile", self.profile]
        if self.config_file is not None and self.config_file != config_path(None, {}):
            typed += ["--config", str(self.config_file)]
        return f"`{shlex.join(typed)}`"

    @property
    def unencrypted(self) -> bool:
        """Whether anything goes over a network unencrypted: http to another machine, which the profile allows."""
        urls = (urlsplit(getattr(self, endpoint)) for endpoint in _ENDPOINTS)
        return any(url.scheme == "http" and not _is_loopback(url.hostname or "") for url in urls)

    def missing_to_listen(self) -> tuple[str, ...]:
        """The settings without which no event can be received."""
        endpoint = () if self.mns_endpoint else self._unset("region", "account_id")
        return endpoint + self._unset("queue")

    def missing_to_submit(self) -> tuple[str, ...]:
        """The settings without which nothing can be submitted. 2017-09-06 wants the endpoint beside the topic."""
        missing = self._unset("region", "project")
        if self.topic and self.api_version == "2017-09-06" and not self.mns_endpoint:
            missing += self._unset("account_id")
        return missing

    def _unset(self, *names: str) -> tuple[str, ...]:
        return tuple(name for name in names if not getattr(self, name))


def load(flags: Mapping[str, str | None], environ: Mapping[str, str], *, to_write: bool = False) -> Settings:
    """Resolve the settings. `flags` are by the names of KEYS, and `config`, `profile` and `read_only`. With `to_write`
    neither the profile nor the file need be there yet.

    A profile that a flag or a variable names and the file does not have may be one of `aliyun configure`: then that is
    where the key comes from. Raises BadInput, with the name of the setting and where it came from.
    """
    path = config_path(flags.get("config"), environ)
    document = _read(path, needed=bool(flags.get("config")) and not to_write)
    profile, section = _choose_profile(document, path, flags.get("profile"), environ, may_be_new=to_write)
    place = _place(profile, path)
    is_aliyuns = section is None
    section = section or {}
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for key in (*KEYS, "read_only"):
        variable = f"IMM_TUI_{key.upper()}"
        candidates = [
            (flags.get(key), f"--{key.replace('_', '-')}"),
            (environ.get(variable), variable),
            (section.get(key), place),
        ]
        if key == "region":
            candidates.append((environ.get("ALIBABA_CLOUD_REGION_ID"), "ALIBABA_CLOUD_REGION_ID"))
        if key == "aliyun_profile" and is_aliyuns:
            candidates.append((profile, "--profile"))
        elif key == "aliyun_profile" and _given(environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")):
            candidates.pop()  # the file names one place of a key, the environment holds one: it wins over the file
        for value, source in candidates:
            if isinstance(value, bool) or (value and value.strip()):
                values[key], sources[key] = str(value).strip(), source
                break
    if "region" not in values and (found := _aliyuns_region(values.get("aliyun_profile", ""), environ)):
        values["region"], sources["region"] = found
    for key, (pattern, rule) in _RULES.items():
        if key in values and not re.fullmatch(pattern, values[key]):
            _refuse(key, values[key], sources[key], _(rule))
    allow_http = section.get("allow_http", False)
    for key in _ENDPOINTS:
        if key in values:
            values[key] = _endpoint(key, values[key], sources[key], allow_http)
    if region := values.get("region"):
        if account := values.get("account_id"):
            values.setdefault("mns_endpoint", endpoints.mns(account, region))
        if endpoints.is_alibabas(values.setdefault("imm_endpoint", endpoints.imm(region))):
            values.setdefault("sts_endpoint", endpoints.sts(region))
    version = cast(ApiVersion, values.pop("api_version", "2020-09-30"))
    read_only = values.pop("read_only", "").lower() in _YES
    return Settings(
        profile=profile,
        api_version=version,
        read_only=read_only,
        is_aliyuns=is_aliyuns,
        hooks=_hooks(document.get("hooks", {}), path),
        keys=_keys(document.get("keys", {}), path),
        config_file=path,
        sources=sources,
        **values,
    )


def _aliyuns_region(profile: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The region of the profile of `aliyun configure` that the key comes from, and where it stands."""
    elsewhere = _given(environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")) or aliyun_cli.is_disabled(environ)
    if not profile and elsewhere:
        return None
    try:
        aliyun = aliyun_cli.read(environ)
    except BadInput:
        return None
    name = profile or aliyun_cli.default_profile(environ, aliyun.current)
    region = aliyun.profiles.get(name, {}).get("region_id")
    if not isinstance(region, str) or not region.strip():
        return None
    return region.strip(), _("the profile {name} of {path}").format(name=name, path=aliyun.path)


def profile_names(path: Path) -> list[str]:
    """The profiles in the file, `default` first, which there always is. Raises BadInput where it cannot be read."""
    profiles = _read(path, needed=False).get("profiles", {})
    names = [name for name in profiles if _PROFILE_NAME.fullmatch(name)] if isinstance(profiles, dict) else []
    return ["default", *(name for name in names if name != "default")]


def config_path(flag: str | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: `--config`, else IMM_TUI_CONFIG, else in the platform's folder. It need not exist."""
    if named := _given(flag, environ.get("IMM_TUI_CONFIG")):
        return Path(named).expanduser()
    from platformdirs import user_config_path

    return user_config_path("imm-tui", appauthor=False) / "config.toml"


def data_dir(environ: Mapping[str, str]) -> Path:
    """The folder of the histories: IMM_TUI_DATA_DIR, else the platform's. It need not exist."""
    if named := _given(environ.get("IMM_TUI_DATA_DIR")):
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("imm-tui", appauthor=False)


def history_path(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The history of a profile. Raises BadInput for a profile's name that is no part of a file's name."""
    profile = _check_profile(settings.profile)
    return data_dir(environ) / ("history.db" if profile == "default" else f"history-{profile}.db")


def _given(*values: str | None) -> str:
    """The first value that is more than blanks, without the blanks around it."""
    return next((value.strip() for value in values if value and value.strip()), "")


def _refuse(key: str, value: str, source: str, rule: str) -> NoReturn:
    what = _("{key} cannot be “{value}”.").format(key=key, value=value)
    raise BadInput(what, _("It comes from {source}.").format(source=source), rule, field=key)


def _place(profile: str, path: Path | None) -> str:
    written = profile if re.fullmatch("[A-Za-z0-9_-]+", profile) else f'"{profile}"'  # as TOML wants it
    return _("[profiles.{profile}] in {path}").format(profile=written, path=path)


def _check_profile(name: str) -> str:
    if not _PROFILE_NAME.fullmatch(name):
        raise BadInput(
            _("A profile cannot be called “{name}”.").format(name=name),
            _("It names the profile's history, a file."),
            _("Use up to 64 letters, digits, dots, - and _, with a letter or a digit first."),
            field="profile",
        )
    return name


def nearest(name: str, names: Sequence[str]) -> str:
    """A sentence that leads from a wrong name to the right one."""
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1, cutoff=0.65)
    if near:
        return _("Did you mean {name}?").format(name=near[0])
    return _("What there is: {names}.").format(names=", ".join(names))


def _read(path: Path, *, needed: bool) -> dict[str, Any]:
    """The file's tables, none where it does not exist; then `needed` makes a difference."""
    what = _("The configuration file {path} cannot be read.").format(path=path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        if needed:
            raise BadInput(what, _("It does not exist."), _("Check --config."), field="config") from None
        return {}
    except OSError as error:
        raise BadInput(what, f"{error.strerror}.", field="config") from None
    except UnicodeDecodeError as error:
        why = _("It is not text in UTF-8: byte {position} is not.").format(position=error.start)
        raise BadInput(what, why, field="config") from None
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(what, _("It is not TOML: {error}.").format(error=error), field="config") from None
    except RecursionError:
        raise BadInput(what, _("It is nested too deeply."), field="config") from None


def _choose_profile(
    document: dict[str, Any], path: Path, flag: str | None, environ: Mapping[str, str], *, may_be_new: bool
) -> tuple[str, dict[str, Any] | None]:
    """The name of the profile and its table, with every key and type checked; other profiles are left alone.

    No table where the profile is one of `aliyun configure`."""
    _check_keys(document, ["profile", "profiles", "hooks", "keys"], _("the top of {path}").format(path=path))
    profiles = document.get("profiles", {})
    standing = document.get("profile", "")
    if not isinstance(standing, str) or not isinstance(profiles, dict):
        raise BadInput(
            _("{path} cannot be used.").format(path=path),
            _("profile = “NAME” chooses a profile, and [profiles.NAME] is one."),
            field="profile",
        )
    named = _given(flag, environ.get("IMM_TUI_PROFILE"))
    name = _check_profile(named or standing.strip() or "default")
    if name not in profiles and name != "default":
        theirs = _aliyuns_profiles(environ) if named else ()
        if name in theirs:
            return name, None
        if may_be_new:
            return name, {}
        what = _("There is no profile {name} in {path}.").format(name=name, path=path)
        if named:
            what = _("There is no profile {name}, neither in {path} nor in {aliyun}.")
            what = what.format(name=name, path=path, aliyun=aliyun_cli.config_path(environ))
        names = list(dict.fromkeys([*profiles, *theirs]))
        known = nearest(name, names) if names else _("That file holds no profile.")
        raise BadInput(what, known, field="profile")
    section = profiles.get(name, {})
    place = _place(name, path)
    _check_table(section, place, "profile")
    _check_keys(section, [*KEYS, *_SWITCHES], place)
    if isinstance(number := section.get("account_id"), int):
        section["account_id"] = str(number)
    for key, value in section.items():
        if not isinstance(value, bool if key in _SWITCHES else str):
            if key in _SWITCHES:
                wanted = _("It comes from {place}, where it has to be true or false.")
            else:
                wanted = _("It comes from {place}, where it has to be text in quotes.")
            raise BadInput(_("{key} cannot be used.").format(key=key), wanted.format(place=place), field=key)
    return name, section


def _aliyuns_profiles(environ: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return tuple(aliyun_cli.read(environ).profiles)
    except BadInput:
        return ()


def _hooks(section: object, path: Path) -> dict[str, tuple[str, ...]]:
    """The table [hooks]: argument lists, for no shell takes a line apart."""
    place = _("[hooks] in {path}").format(path=path)
    table = _check_table(section, place, "hooks")
    _check_keys(table, list(HOOKS), place)
    for name, words in table.items():
        if isinstance(words, list) and words and words[0] and all(isinstance(word, str) for word in words):
            continue
        example = words.split() if isinstance(words, str) and words.split() else ["notify-send", "done"]
        raise BadInput(
            _("The hook {name} cannot be used.").format(name=name),
            _("It stands in {place}, and is no list of a program and its arguments.").format(place=place),
            _("Write it as a list, which no shell takes apart: {line}").format(
                line=f"{name} = [{', '.join(json.dumps(word, ensure_ascii=False) for word in example)}]"
            ),
            field=name,
        )
    return {name: tuple(words) for name, words in table.items()}


def _keys(section: object, path: Path) -> dict[str, str]:
    """The table [keys]; blanks round a key do not count."""
    place = _("[keys] in {path}").format(path=path)
    table = _flat(_check_table(section, place, "keys"))
    for name, keys in table.items():
        if not isinstance(keys, str) or not keys.strip():
            raise BadInput(
                _("The keys of “{name}” cannot be used.").format(name=name),
                _("They stand in {place}, and are no text in quotes.").format(place=place),
                _("Write them like {line}").format(line=f'"{name}" = "ctrl+n,f2"'),
                field="keys",
            )
    return {name: ",".join(key.strip() for key in keys.split(",")) for name, keys in table.items()}


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`help.close = "q"` without quotes is a table in a table to TOML, and means the same here."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _check_table(section: object, place: str, name: str) -> dict[str, Any]:
    if not isinstance(section, dict):
        raise BadInput(_("{place} is not a table.").format(place=place), field=name)
    return section


def _check_keys(table: dict[str, Any], known: list[str], place: str) -> None:
    for key in table:
        if key in known:
            continue
        hint = nearest(key, known)
        if re.search("secret|token|access_?key", key, re.IGNORECASE):
            hint = _("Keys are never kept in this file: set the ALIBABA_CLOUD_… variables, or run `aliyun configure`.")
        what = _("There is no setting called “{key}”.").format(key=key)
        raise BadInput(what, _("It stands in {place}.").format(place=place), hint, field=key)


def _endpoint(key: str, value: str, source: str, allow_http: bool) -> str:
    """A service's address as `scheme://host[:port]`. The value is not quoted: it may hold a password."""
    if "://" not in value:
        value = f"https://{value}"
    try:
        url = urlsplit(value)
        host, _port = url.hostname or "", url.port
    except ValueError:
        url, host = urlsplit(""), ""
    rest = url.path.rstrip("/") + url.query + url.fragment
    if url.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9.:-]+", host) or rest or "@" in url.netloc:
        raise BadInput(
            _("{key} is not the address of a service.").format(key=key),
            _("It comes from {source}.").format(source=source),
            _("It is written https://HOST, or https://HOST:PORT."),
            field=key,
        )
    if url.scheme == "http" and not (allow_http or _is_loopback(host)):
        raise BadInput(
            _("{key} would send everything unencrypted.").format(key=key),
            _("It comes from {source} and starts with http.").format(source=source),
            _("Write https://…, or put allow_http = true into the profile if that is what you want."),
            field=key,
        )
    return f"{url.scheme}://{url.netloc}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
