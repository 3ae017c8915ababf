"""A submission as it was sent → the same call for other hands: an `aliyun` command line, a Python program.

Neither holds a key: both take it from where the tools look for it. The document's password is not kept, so both take
it from the environment variable DOCUMENT_PASSWORD.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

PASSWORD = "DOCUMENT_PASSWORD"

_CLI_VERSION = "2020-09-30"
"""The only version of IMM that the aliyun CLI has a description of."""


def needs_password(request: Mapping[str, Any]) -> bool:
    """Whether a password was sent with it; it is recorded as null."""
    return any(value is None for value in request["parameters"].values())


def is_described(request: Mapping[str, Any]) -> bool:
    """Whether the aliyun CLI has a description of this version of IMM, to check the parameters by."""
    return bool(request["version"] == _CLI_VERSION)


def aliyun(request: Mapping[str, Any]) -> str:
    """A command for a POSIX shell with bash's quoting, one option a line.

    A version of which the CLI has no description is refused for a product that it knows, even with --force (aliyun-cli
    3, Commando.main). A product that it does not know is called as the options say, and its name is not sent.
    """
    endpoint = urlsplit(request["endpoint"])
    options = [("region", request["region"]), ("endpoint", endpoint.netloc)]
    flags = ["--insecure"] if endpoint.scheme == "http" else []
    product = "imm"
    if not is_described(request):
        product = f"imm{request['version'][:4]}"
        options.append(("version", request["version"]))
        flags.append("--force")
    parts = [_option(name, value) for name, value in (*options, *request["parameters"].items())]
    return " \\\n    ".join([f"aliyun {product} {request['action']}", *flags, *parts])


def _option(name: str, value: object) -> str:
    if value is None:
        return f'--{name} "${PASSWORD}"'
    text = str(value)
    # The CLI takes a word with a hyphen in front for an option.
    return f"--{name}{'=' if text.startswith('-') else ' '}{_quoted(text)}"


def _quoted(text: str) -> str:
    if text.isprintable():
        return shlex.quote(text)
    # What a terminal would obey does not survive the clipboard as it is.
    return "$'" + "".join(_escaped(character) for character in text) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def python(request: Mapping[str, Any]) -> str:
    """A program for aliyun-python-sdk-core that prints IMM's answer. It sends once: a retry could convert twice."""
    endpoint = urlsplit(request["endpoint"])
    parameters = "\n".join(
        f"    {name!r}: {f'os.environ[{PASSWORD!r}]' if value is None else repr(str(value))},"
        for name, value in request["parameters"].items()
    )
    return f"""\
import os

from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkcore.request import CommonRequest

client = AcsClient(
    os.environ['ALIBABA_CLOUD_ACCESS_KEY_ID'],
    os.environ['ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
    {request["region"]!r},
    auto_retry=False,
)
request = CommonRequest(
    domain={endpoint.netloc!r},
    version={request["version"]!r},
    action_name={request["action"]!r},
)
request.set_method('POST')
request.set_protocol_type(protocol_type.{endpoint.scheme.upper()})
parameters = {{
{parameters}
}}
if token := os.environ.get('ALIBABA_CLOUD_SECURITY_TOKEN'):
    parameters['SecurityToken'] = token
for name, value in parameters.items():
    request.add_query_param(name, value)
print(client.do_action_with_exception(request).decode())
"""
