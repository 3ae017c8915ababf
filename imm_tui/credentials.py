"""Where the keys come from. A key never has a printable form.

The environment and the plain keys of the `aliyun` command line are read here. Everything else (roles, single sign-on,
the ini file, …) is left to Alibaba Cloud's own library, which is imported only for that.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from imm_tui.errors import NoCredentials
from imm_tui.i18n import _, sentences


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

    def current(self) -> Credentials:
        return self

    def renew(self, refused: Credentials) -> bool:
        return False


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
    return _checked(access_key_id, secret, token, _("the environment"))


def _aliyun_cli(env: Mapping[str, str], profile: str) -> Credentials | str:
    """A profile that `aliyun configure` wrote: the named one, else ALIBABA_CLOUD_PROFILE, else the current one."""
    path = _home(env) / ".aliyun" / "config.json"
    if not profile and _is_true(env, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"):
        return ""
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return _("{path} does not exist.").format(path=path)
    except OSError as error:
        return _("{path} cannot be read: {cause}.").format(path=path, cause=error.strerror)
    except (ValueError, RecursionError):
        return _("{path} is not JSON.").format(path=path)
    profiles = document.get("profiles") if isinstance(document, dict) else None
    if not isinstance(profiles, list):
        return _("{path} holds no profiles.").format(path=path)
    name = profile or _value(env, "ALIBABA_CLOUD_PROFILE") or document.get("current")
    entry = next((entry for entry in profiles if isinstance(entry, dict) and entry.get("name") == name), None)
    if entry is None:
        lacking = _("{path} has no profile {name}.") if name else _("{path} has no current profile.")
        return lacking.format(path=path, name=name)
    source = _("the profile {name} of {path}").format(name=name, path=path)
    mode = str(entry.get("mode")).lower()
    if mode in ("ak", "ststoken"):
        token = entry.get("sts_token") if mode == "ststoken" else ""
        if mode == "ststoken" and not token:
            return _("There is no security token in {source}.").format(source=source)
        return _checked(entry.get("access_key_id"), entry.get("access_key_secret"), token, source)

    def provider(library: Any) -> Any:
        # The library would start a scheduler for an ECS role, and write the keys of an external program into the file.
        if mode == "ecsramrole":
            return library.EcsRamRoleCredentialsProvider(
                role_name=entry.get("ram_role_name"), async_update_enabled=False
            )
        if mode == "external":
            return library.ExternalCredentialsProvider(process_command=entry.get("process_command"))
        return library.CLIProfileCredentialsProvider(profile_name=name, profile_file=str(path))

    return _ask_library(provider, source)


def _ini_file(env: Mapping[str, str], _profile: str) -> Credentials | str:
    named = _value(env, "ALIBABA_CLOUD_CREDENTIALS_FILE")
    path = Path(named) if named else _home(env) / ".alibabacloud" / "credentials.ini"
    if not path.is_file():
        return _("{path} does not exist.").format(path=path)
    section = _value(env, "ALIBABA_CLOUD_PROFILE") or "default"
    return _ask_library(
        lambda library: library.ProfileCredentialsProvider(profile_file=str(path), profile_name=section),
        _("the section {section} of {path}").format(section=section, path=path),
    )


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


def _ask_library(provider: Callable[[Any], Any], source: str) -> Credentials | str:
    """What one provider of Alibaba Cloud's library gives, without a word on the terminal."""
    import logging
    import warnings

    from alibabacloud_credentials import provider as library
    from alibabacloud_credentials.utils import auth_util

    # Both log to stderr through handlers of their own: tracebacks with signed URLs and, with DEBUG=sdk, whole requests.
    for name in ("credentials", "alibabacloud-tea"):
        logging.getLogger(name).disabled = True
    # Half a key in a file would be made whole with the other half from the environment.
    auth_util.environment_access_key_id = auth_util.environment_access_key_secret = None
    auth_util.environment_security_token = None
    try:
        with warnings.catch_warnings(action="ignore"):  # it uses what newer Pythons advise against
            found = provider(library).get_credentials()
    except Exception as error:  # the library raises whatever its parsers, its HTTP client and its files raise
        return _("There is no access key from {source}: {cause}.").format(source=source, cause=_cause(error))
    return _checked(found.get_access_key_id(), found.get_access_key_secret(), found.get_security_token() or "", source)


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
    if "expired" in text:
        return _("the sign-in has expired")
    if "unsupported" in text:
        return _("its kind of credentials is not supported")
    if type(error).__name__ == "RetryError":
        return _("the service that gives it cannot be reached")
    if isinstance(error, OSError) and error.strerror:
        return _("a file cannot be read ({cause})").format(cause=error.strerror)
    return _("what is there cannot be used ({error})").format(error=type(error).__name__)


def _checked(access_key_id: object, secret: object, token: object, source: str) -> Credentials | str:
    """Credentials of strings that can stand in a header, without the blanks and line breaks that copying adds."""
    key, secret, token = (value.strip() if isinstance(value, str) else "" for value in (access_key_id, secret, token))
    if not key or not secret:
        return _("There is no whole access key in {source}.").format(source=source)
    if not re.fullmatch("[!-~]*", key + secret + token):
        return _("The access key in {source} has characters that no key has.").format(source=source)
    return Credentials(key, secret, token, source)


def _value(env: Mapping[str, str], name: str) -> str:
    return env.get(name, "").strip()


def _is_true(env: Mapping[str, str], name: str) -> bool:
    return _value(env, name).lower() == "true"


def _home(env: Mapping[str, str]) -> Path:
    return Path(env.get("HOME") or os.path.expanduser("~"))
