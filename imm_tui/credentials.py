"""Where the keys come from, and how they live on. A key never has a printable form.

The environment and the plain keys of the files are read here. Everything else (roles, single sign-on, …) is left to
Alibaba Cloud's own library, which is imported only for that, in a thread that nobody waits for where that can be.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from imm_tui import aliyun_cli
from imm_tui.errors import BadInput, NoCredentials
from imm_tui.i18n import _, sentences
from imm_tui.tasks import now


class Keys(Protocol):
    """Where a client takes its access key from, at every call. Safe for several threads."""

    def current(self) -> Credentials:
        """The key to sign the next call with. Once one was found this does not wait. Raises NoCredentials."""

    def renew(self, refused: Credentials) -> bool:
        """The service refused `refused`: looks again where keys come from, which may take seconds. Whether `current`
        is another one now, so that the call is worth sending once more."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key, with a security token where it is a temporary one. By itself it is `Keys` that never change."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    source: str = ""
    """Where it was found, for a person."""
    expires_at: int | None = field(default=None, compare=False)
    """Epoch milliseconds; None for a lasting key, and where it is not known."""
    replaceable: bool = field(default=False, compare=False)
    """Whether another may take its place while the program runs: not of one that the program was started with."""

    def current(self) -> Credentials:
        return self

    def renew(self, refused: Credentials) -> bool:
        return False

    def is_same_key(self, other: Credentials) -> bool:
        """Whether the two sign alike, wherever they were found."""
        ours = (self.access_key_id, self.access_key_secret, self.security_token)
        return ours == (other.access_key_id, other.access_key_secret, other.security_token)


_AHEAD = 5 * 60_000
"""Milliseconds before it expires that a temporary key is looked for again; less for one that does not live long."""

_UNSAID = 20 * 60_000
"""Milliseconds after which a temporary key that does not say when it expires is looked for again."""

_SOONEST = 1_000
"""Milliseconds between two looks ahead."""


class Chain:
    """The keys that `find` finds, found again while the program runs: some minutes before they expire, when a file that
    may hold keys has changed, and when a service refuses them. Safe for several threads.

    `current` waits for the first look only. Later ones are in a thread of their own: what there is goes on being used
    until they have found another key in the same place. One from elsewhere, of another profile say, that became the
    current one, is somebody else's perhaps: it is taken when a service refuses what there is.
    """

    def __init__(self, aliyun_profile: str = "", environ: Mapping[str, str] | None = None) -> None:
        """Looks for nothing yet; the arguments are those of `find`."""
        self._profile = aliyun_profile
        self._environ = os.environ if environ is None else environ
        self._looking = threading.Lock()
        """Held by the one that looks."""
        self._found: Credentials | None = None
        self._again_at: float = 0
        self._files: object = None

    def current(self) -> Credentials:
        found = self._found
        if found is None:
            with self._looking:
                return self._found or self._keep(self._look())
        if (now() >= self._again_at or self._files != self._stamps()) and self._looking.acquire(blocking=False):
            try:
                threading.Thread(target=self._look_ahead, name="keys", daemon=True).start()
            except RuntimeError:  # the program ends, or has too many threads
                self._looking.release()
        return found

    def renew(self, refused: Credentials) -> bool:
        with self._looking:
            there = self._found
            if there is None or there.is_same_key(refused):
                try:
                    there = self._keep(self._look())
                except NoCredentials:
                    if there is not None:
                        self._keep(there)
                    return False
            return not there.is_same_key(refused)

    # The rest is for the one that holds `_looking`.

    def _look_ahead(self) -> None:
        there = self._found
        assert there is not None
        try:
            found = self._look()
            self._keep(found if found.source == there.source else there)
        except NoCredentials:
            self._keep(there)  # it may do; if it does not, a refusal says so
        finally:
            self._looking.release()

    def _look(self) -> Credentials:
        self._files = self._stamps()  # before: what changes while it looks is looked at again
        return find(self._profile, self._environ)

    def _keep(self, key: Credentials) -> Credentials:
        """From now on it is the current one, and looked for again in good time."""
        self._found = key
        self._again_at = _look_again_at(key)
        return key

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        """What shows that a file which may hold keys has changed."""
        stamps: list[tuple[int, int, int] | None] = []
        for path in (aliyun_cli.config_path(self._environ), _ini_path(self._environ)):
            try:
                stat = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        return stamps


def _look_again_at(found: Credentials) -> float:
    """Epoch milliseconds. Of what is left of a key's life the last quarter at most is for looking, so that what gives
    the same key once more is asked ever sooner, but not all the time."""
    if not found.security_token:
        return float("inf")
    if found.expires_at is None:
        return now() + _UNSAID
    left = found.expires_at - now()
    return now() + max(left - min(_AHEAD, left / 4), _SOONEST)


_ID, _SECRET, _TOKEN = (
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
)


def find(aliyun_profile: str = "", environ: Mapping[str, str] | None = None) -> Credentials:
    """The keys, from the first place that has them.

    The order is that of Alibaba Cloud's own tools: the environment, OIDC, `~/.aliyun/config.json`, the ini file, the
    ECS role, the credentials URI; the network is asked only where a variable or a profile says so. `aliyun_profile`
    names a profile of `~/.aliyun/config.json`: then it alone counts, as with `aliyun --profile`, whatever the
    environment holds.

    May take seconds where a role has to be assumed. An OAuth profile's new tokens are written back to
    `~/.aliyun/config.json` by the library, as the `aliyun` command does; nothing else writes there.
    Raises NoCredentials, which says where it looked, and never holds a key, not even in its context.
    """
    env = os.environ if environ is None else environ
    reasons = []
    places = [_aliyun_cli] if aliyun_profile else [_environment, _oidc, _aliyun_cli, _ini_file, _ecs_role, _uri]
    for look in places:
        found = look(env, aliyun_profile)
        if isinstance(found, Credentials):
            return found
        if found:
            reasons.append(found)
    if aliyun_profile:
        what = _("The aliyun profile {name} gives no access key.").format(name=aliyun_profile)
        fix = _("Run {command} to see yours.").format(command="`aliyun configure list`")
    else:
        what = _("No access key was found.")
        fix = _("Set {id} and {secret}, or run {command}.")
        fix = fix.format(id=_ID, secret=_SECRET, command="`aliyun configure`")
    raise NoCredentials(what, sentences(*reasons), fix)


# Each place gives its credentials, or else the sentence that says why it has none; none where it is not in use at all.


def _environment(env: Mapping[str, str], _profile: str) -> Credentials | str:
    access_key_id, secret, token = (_value(env, name) for name in (_ID, _SECRET, _TOKEN))
    if not access_key_id and not secret:
        return _("{id} and {secret} are not set.").format(id=_ID, secret=_SECRET)
    if not access_key_id or not secret:
        there, lacking = (_ID, _SECRET) if access_key_id else (_SECRET, _ID)
        return _("{there} is set, but {lacking} is not.").format(there=there, lacking=lacking)
    return _checked(access_key_id, secret, token, _("the environment"), replaceable=False)


def _aliyun_cli(env: Mapping[str, str], profile: str) -> Credentials | str:
    """A profile that `aliyun configure` wrote: the named one, else ALIBABA_CLOUD_PROFILE, else the current one."""
    if not profile and aliyun_cli.is_disabled(env):
        return ""
    try:
        config = aliyun_cli.read(env)
    except BadInput as trouble:
        return trouble.what
    name = profile or aliyun_cli.default_profile(env, config.current)
    if name not in config.profiles:
        lacking = _("{path} has no profile {name}.") if name else _("{path} has no current profile.")
        return lacking.format(path=config.path, name=name)
    source = _("the profile {name} of {path}").format(name=name, path=config.path)
    return _of_profile(config.profiles, name, source, str(config.path))


_INI_TYPES = {
    "access_key": "AK",
    "ram_role_arn": "RamRoleArn",
    "ecs_ram_role": "EcsRamRole",
    "oidc_role_arn": "OIDC",
    "rsa_key_pair": "RsaKeyPair",
}
_INI_NAMES = {
    "role_arn": "ram_role_arn",
    "role_session_name": "ram_session_name",
    "role_name": "ram_role_name",
    "oidc_token_file_path": "oidc_token_file",
    "public_key_id": "key_pair_name",
    "private_key_file": "private_key",
}
"""What an ini file calls what a profile of `aliyun configure` has too."""


def _ini_file(env: Mapping[str, str], _profile: str) -> Credentials | str:
    import configparser

    path = _ini_path(env)
    name = _value(env, "ALIBABA_CLOUD_PROFILE") or "default"
    source = _("the section {section} of {path}").format(section=name, path=path)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return _("{path} does not exist.").format(path=path)
    except (OSError, ValueError, configparser.Error) as error:
        return _no_key(source, error)
    if name not in parser:
        return _("{path} has no section {section}.").format(path=path, section=name)
    section = {key: value.partition("#")[0].strip() for key, value in parser[name].items()}
    entry = {_INI_NAMES.get(key, key): value for key, value in section.items()}
    entry["mode"] = _INI_TYPES.get(section.get("type", ""), "")
    return _of_profile({name: entry}, name, source)


def _ini_path(env: Mapping[str, str]) -> Path:
    named = _value(env, "ALIBABA_CLOUD_CREDENTIALS_FILE")
    return Path(named) if named else aliyun_cli.home(env) / ".alibabacloud" / "credentials.ini"


def _oidc(env: Mapping[str, str], _profile: str) -> Credentials | str:
    role, provider, token_file = (
        _value(env, f"ALIBABA_CLOUD_{name}") for name in ("ROLE_ARN", "OIDC_PROVIDER_ARN", "OIDC_TOKEN_FILE")
    )
    if not (role and provider and token_file):
        return ""
    return _ask_library(
        lambda library: library.OIDCRoleArnCredentialsProvider(
            role_arn=role,
            oidc_provider_arn=provider,
            oidc_token_file_path=token_file,
            role_session_name=_value(env, "ALIBABA_CLOUD_ROLE_SESSION_NAME"),
        ),
        _("the role of {variable}").format(variable="ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
    )


def _ecs_role(env: Mapping[str, str], _profile: str) -> Credentials | str:
    role = _value(env, "ALIBABA_CLOUD_ECS_METADATA")
    if not role or _is_true(env, "ALIBABA_CLOUD_ECS_METADATA_DISABLED"):
        return ""
    return _ask_library(
        lambda library: library.EcsRamRoleCredentialsProvider(role_name=role, async_update_enabled=False),
        _("the role of {variable}").format(variable="ALIBABA_CLOUD_ECS_METADATA"),
    )


def _uri(env: Mapping[str, str], _profile: str) -> Credentials | str:
    uri = _value(env, "ALIBABA_CLOUD_CREDENTIALS_URI")
    if not uri:
        return ""
    return _ask_library(lambda library: library.URLCredentialsProvider(uri=uri), "ALIBABA_CLOUD_CREDENTIALS_URI")


def _of_profile(profiles: Mapping[str, Mapping[str, Any]], name: str, source: str, path: str = "") -> Credentials | str:
    """What one of `profiles` gives; they are written as in the file of `aliyun configure` at `path`."""
    entry = profiles[name]
    mode = str(entry.get("mode")).lower()
    kept = mode == "cloudsso" and (_milliseconds(entry.get("sts_expiration")) or 0) > now() + _AHEAD
    if mode not in ("ak", "ststoken") and not kept:
        return _ask_library(lambda library: _provider(library, profiles, name, path), source)
    token = "" if mode == "ak" else entry.get("sts_token")
    if mode != "ak" and not token:
        return _("There is no security token in {source}.").format(source=source)
    ends = entry.get("sts_expiration") if token else None
    return _checked(entry.get("access_key_id"), entry.get("access_key_secret"), token, source, ends)


def _provider(library: Any, profiles: Mapping[str, Mapping[str, Any]], name: str, path: str) -> Any:
    """What the library has for a profile.

    Its own readers of files would not do: they keep to themselves when a key expires, know fewer modes than `aliyun`
    and only as they spell them, start a scheduler for an ECS role, and write what a program gave into the file.
    """
    entry = profiles[name]

    def assumed(source: Any) -> Any:
        return library.RamRoleArnCredentialsProvider(
            credentials_provider=source,
            role_arn=entry.get("ram_role_arn"),
            role_session_name=entry.get("ram_session_name"),
            duration_seconds=entry.get("expired_seconds") or None,
            policy=entry.get("policy"),
            external_id=entry.get("external_id"),
            sts_region_id=entry.get("sts_region"),
            enable_vpc=entry.get("enable_vpc"),
        )

    match str(entry.get("mode")).lower():
        case "ak":
            return library.StaticAKCredentialsProvider(
                access_key_id=entry.get("access_key_id"), access_key_secret=entry.get("access_key_secret")
            )
        case "ststoken":
            return _static_sts(library, entry)
        case "ramrolearn" if entry.get("sts_token"):
            return assumed(_static_sts(library, entry))
        case "ramrolearn":
            return assumed(_provider(library, {name: {**entry, "mode": "ak"}}, name, path))
        case "chainableramrolearn":
            # Without this one, so that a chain which bites its tail ends.
            rest = {other: profiles[other] for other in profiles if other != name}
            return assumed(_provider(library, rest, str(entry.get("source_profile")), path))
        case "ecsramrole":
            return library.EcsRamRoleCredentialsProvider(
                role_name=entry.get("ram_role_name") or "", async_update_enabled=False
            )
        case "ramrolearnwithrolename":
            return assumed(_provider(library, {name: {**entry, "mode": "ecsramrole"}}, name, path))
        case "oidc":
            return library.OIDCRoleArnCredentialsProvider(
                role_arn=entry.get("ram_role_arn"),
                oidc_provider_arn=entry.get("oidc_provider_arn"),
                oidc_token_file_path=entry.get("oidc_token_file"),
                role_session_name=entry.get("ram_session_name") or entry.get("role_session_name"),
                duration_seconds=entry.get("expired_seconds") or None,
                policy=entry.get("policy"),
                sts_region_id=entry.get("sts_region"),
                enable_vpc=entry.get("enable_vpc"),
            )
        case "rsakeypair":
            return library.RsaKeyPairCredentialsProvider(
                public_key_id=entry.get("key_pair_name"), private_key_file=entry.get("private_key")
            )
        case "external":
            return library.ExternalCredentialsProvider(process_command=entry.get("process_command"))
        case "credentialsuri":
            return library.URLCredentialsProvider(uri=entry.get("credentials_uri"))
        case "cloudsso":
            return library.CloudSSOCredentialsProvider(
                sign_in_url=entry.get("cloud_sso_sign_in_url"),
                account_id=entry.get("cloud_sso_account_id"),
                access_config=entry.get("cloud_sso_access_config"),
                access_token=entry.get("access_token"),
                access_token_expire=entry.get("cloud_sso_access_token_expire") or 0,
            )
        case "oauth":
            # Its new tokens have to go back into the file, or `aliyun` would have to sign in again.
            reader = library.CLIProfileCredentialsProvider(profile_name=name, profile_file=path)
            # The library would use up the key of last time to the very end, and have none when that has come.
            lasts = (_milliseconds(entry.get("sts_expiration")) or 0) > now() + _AHEAD
            kept = entry if lasts else {**entry, "sts_expiration": None}
            return reader._get_credentials_provider({"profiles": [{**kept, "mode": "OAuth"}]}, name)
        case _:
            raise ValueError("unsupported")


def _static_sts(library: Any, entry: Mapping[str, Any]) -> Any:
    return library.StaticSTSCredentialsProvider(
        access_key_id=entry.get("access_key_id"),
        access_key_secret=entry.get("access_key_secret"),
        security_token=entry.get("sts_token"),
    )


def _ask_library(provider: Callable[[Any], Any], source: str) -> Credentials | str:
    """What one provider of Alibaba Cloud's library gives, without a word on the terminal."""
    import logging
    import warnings

    # It uses what newer Pythons advise against. Not for a while only: that could not be undone in several threads.
    for advice in (DeprecationWarning, PendingDeprecationWarning):
        warnings.filterwarnings("ignore", category=advice, module=r"(alibabacloud|darabonba|Tea|apscheduler|aiohttp)")
    from alibabacloud_credentials import provider as library
    from alibabacloud_credentials.utils import auth_util

    # Both log to stderr through handlers of their own: tracebacks with signed URLs and, with DEBUG=sdk, whole requests.
    for name in ("credentials", "alibabacloud-tea"):
        logging.getLogger(name).disabled = True
    # Half a key in a file would be made whole with the other half from the environment.
    auth_util.environment_access_key_id = auth_util.environment_access_key_secret = None
    auth_util.environment_security_token = None
    try:
        found = provider(library).get_credentials()
    except Exception as error:  # the library raises whatever its parsers, its HTTP client and its files raise
        return _no_key(source, error)
    return _checked(
        found.get_access_key_id(),
        found.get_access_key_secret(),
        found.get_security_token() or "",
        source,
        found.get_expiration(),
    )


def _no_key(source: str, error: Exception) -> str:
    return _("There is no access key from {source}: {cause}.").format(source=source, cause=_cause(error))


def _cause(error: Exception) -> str:
    """Why the library failed, in words of ours: its own may hold replies, requests and lines of key files."""
    text = str(error)
    status = re.search(r"(?:http_?code|status code)\W{1,3}(\d{3})", text, re.IGNORECASE)
    code = re.search(r'"Code"\s*:\s*"([A-Za-z]+(?:\.[A-Za-z]+)*)"', text)
    if status and code:
        return _("the service refused it with {code} (HTTP {status})").format(code=code[1], status=status[1])
    if code:
        return _("the service refused it with {code}").format(code=code[1])
    if status:
        return _("the service refused it (HTTP {status})").format(status=status[1])
    if "No cached value" in text:
        return _("what it gives has expired")
    if "expired" in text:
        return _("the sign-in has expired")
    if "unsupported" in text:
        return _("its kind of credentials is not supported")
    if type(error).__name__ == "RetryError":
        return _("the service that gives it cannot be reached")
    if isinstance(error, OSError) and error.strerror:
        return _("a file cannot be read ({cause})").format(cause=error.strerror)
    return _("what is there cannot be used ({error})").format(error=type(error).__name__)


def _checked(
    access_key_id: object, secret: object, token: object, source: str, ends: object = None, *, replaceable: bool = True
) -> Credentials | str:
    """Credentials of strings that can stand in a header, without the blanks and line breaks that copying adds. `ends`
    is when they expire, in epoch seconds."""
    key, secret, token = (value.strip() if isinstance(value, str) else "" for value in (access_key_id, secret, token))
    if not key or not secret:
        return _("There is no whole access key in {source}.").format(source=source)
    if not re.fullmatch("[!-~]*", key + secret + token):
        return _("The access key in {source} has characters that no key has.").format(source=source)
    return Credentials(key, secret, token, source, _milliseconds(ends), replaceable)


def _milliseconds(seconds: object) -> int | None:
    """None for 0 and for what is no number: nobody knows when."""
    return seconds * 1000 if isinstance(seconds, int) and seconds > 0 else None


def _value(env: Mapping[str, str], name: str) -> str:
    return env.get(name, "").strip()


def _is_true(env: Mapping[str, str], name: str) -> bool:
    return _value(env, name).lower() == "true"
