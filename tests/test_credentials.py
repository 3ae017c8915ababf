"""Where a key is found, what is said when there is none, and that no key is ever shown."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from imm_tui.credentials import Chain, Credentials, find
from imm_tui.errors import NoCredentials
from tests.cloud.conftest import Authority

SECRET = "hunter2SECRET"
TOKEN = "hunter2TOKEN"
IN_ENVIRONMENT = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI-env", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}


@pytest.fixture(autouse=True)
def no_key_is_shown(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, nothing at all goes to the terminal or the log."""
    yield
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with a home and nothing else in it; and the library does not see the developer's proxy."""
    for proxy in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    return {"HOME": str(tmp_path)}


def aliyun(env: dict[str, str], *profiles: dict[str, object], current: str = "default") -> Path:
    """Writes `~/.aliyun/config.json`."""
    path = Path(env["HOME"], ".aliyun", "config.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"current": current, "profiles": profiles, "meta_path": ""}))
    return path


def ak(name: str = "default") -> dict[str, object]:
    return {"name": name, "mode": "AK", "access_key_id": f"LTAI-{name}", "access_key_secret": SECRET}


def failure(env: dict[str, str], aliyun_profile: str = "") -> str:
    """What is said where no key is found; and that neither the text nor the exceptions behind it hold a secret."""
    with pytest.raises(NoCredentials) as caught:
        find(aliyun_profile, env)
    error = caught.value
    assert error.__context__ is None
    assert "hunter2" not in "".join(traceback.format_exception(error)) + repr(error)
    return str(error)


def test_a_key_has_no_printable_form() -> None:
    shown = repr(Credentials("LTAI", SECRET, TOKEN, "the environment"))
    assert "LTAI" in shown
    assert "hunter2" not in shown


def test_the_environment_comes_first_and_its_blanks_are_dropped(env: dict[str, str]) -> None:
    aliyun(env, ak())
    env |= {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": " LTAI-env\n",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": f"{SECRET}\r\n",
        "ALIBABA_CLOUD_SECURITY_TOKEN": f"\t{TOKEN}",
    }
    assert find(environ=env) == Credentials("LTAI-env", SECRET, TOKEN, "the environment")


def test_a_profile_that_is_named_comes_before_the_environment(env: dict[str, str]) -> None:
    aliyun(env, ak(), ak("work"))
    env |= IN_ENVIRONMENT
    assert find("work", env).access_key_id == "LTAI-work"
    assert "no profile home" in failure(env, "home")


def test_half_a_key_in_the_environment_is_passed_over_and_named_in_the_end(env: dict[str, str]) -> None:
    for there, lacking in (("ID", "SECRET"), ("SECRET", "ID")):
        half = {f"ALIBABA_CLOUD_ACCESS_KEY_{there}": SECRET, f"ALIBABA_CLOUD_ACCESS_KEY_{lacking}": " "}
        said = f"ALIBABA_CLOUD_ACCESS_KEY_{there} is set, but ALIBABA_CLOUD_ACCESS_KEY_{lacking} is not."
        assert said in failure(env | half)
    aliyun(env, ak())
    assert find(environ=env | {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI-env"}).access_key_id == "LTAI-default"


def test_the_aliyun_profile_is_the_variables_else_the_current_one(env: dict[str, str]) -> None:
    path = aliyun(env, ak("work"), ak("home"), current="home")
    assert find(environ=env) == Credentials("LTAI-home", SECRET, "", f"the profile home of {path}")
    assert find(environ=env | {"ALIBABA_CLOUD_PROFILE": "work"}).access_key_id == "LTAI-work"


def test_a_temporary_key_comes_with_its_token(env: dict[str, str]) -> None:
    aliyun(env, ak() | {"mode": "StsToken", "sts_token": TOKEN})
    assert find(environ=env).security_token == TOKEN
    aliyun(env, ak() | {"mode": "StsToken"})
    assert "no security token" in failure(env)


def test_what_a_sign_in_of_cloudsso_left_is_used_while_it_is_good(env: dict[str, str]) -> None:
    ends = int(time.time()) + 3600
    kept = ak() | {"mode": "CloudSSO", "sts_token": TOKEN, "sts_expiration": ends}
    aliyun(env, kept)
    assert (find(environ=env).security_token, find(environ=env).expires_at) == (TOKEN, ends * 1000)
    aliyun(env, kept | {"sts_expiration": int(time.time())})
    with pytest.raises(NoCredentials):
        find(environ=env)


def test_a_token_left_behind_in_a_lasting_profile_is_not_used(env: dict[str, str]) -> None:
    aliyun(env, ak() | {"sts_token": TOKEN})
    assert find(environ=env).security_token == ""


def test_without_any_key_it_says_where_it_looked_and_what_to_do(env: dict[str, str]) -> None:
    said = failure(env)
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set." in said
    assert str(Path(env["HOME"], ".aliyun", "config.json")) in said
    assert str(Path(env["HOME"], ".alibabacloud", "credentials.ini")) in said
    assert "`aliyun configure`" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f'{{"access_key_secret": "{SECRET}"', "is not JSON"),
        ("\xff", "is not JSON"),
        ("[" * 50_000, "is not JSON"),
        ("[]", "holds no profiles"),
        ('{"profiles": {}}', "holds no profiles"),
        ('{"profiles": [7]}', "no current profile"),
        ('{"profiles": [{"name": "a"}], "current": "b"}', "no profile b"),
        ('{"profiles": [{"name": "a", "mode": "AK", "access_key_id": 7}], "current": "a"}', "no whole access key"),
        (json.dumps({"profiles": [ak() | {"access_key_id": "LTAI\nX-Evil: 1"}], "current": "default"}), "characters"),
        (json.dumps({"profiles": [ak() | {"mode": "BearerToken"}], "current": "default"}), "is not supported"),
    ],
)
def test_a_config_json_that_cannot_be_used_is_explained(env: dict[str, str], content: str, words: str) -> None:
    aliyun(env).write_bytes(content.encode("latin-1"))
    assert words in failure(env)


def test_an_unreadable_config_json_is_explained(env: dict[str, str]) -> None:
    Path(env["HOME"], ".aliyun", "config.json").mkdir(parents=True)
    assert "Is a directory" in failure(env)


def test_an_expired_sign_in_is_explained(env: dict[str, str]) -> None:
    sso = {"access_token": TOKEN, "cloud_sso_access_token_expire": 1_500_000_000, "cloud_sso_sign_in_url": "https://x"}
    aliyun(env, {"name": "default", "mode": "CloudSSO", **sso})
    assert "the sign-in has expired" in failure(env)


def test_a_role_that_cannot_be_assumed_leaks_nothing(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("DEBUG", "sdk")
    aliyun(env, ak() | {"mode": "RamRoleArn", "ram_role_arn": "acs:ram::42:role/r", "ram_session_name": "s"})
    assert "cannot be reached" in failure(env)


def test_an_external_program_gives_keys_and_config_json_stays_as_it_is(env: dict[str, str]) -> None:
    given = {"mode": "StsToken", "access_key_id": "LTAI-ext", "access_key_secret": SECRET, "sts_token": TOKEN}
    given["expiration"] = "2099-01-01T00:00:00Z"
    command = shlex.join([sys.executable, "-c", f"print({json.dumps(given)!r})"])
    path = aliyun(env, {"name": "default", "mode": "External", "process_command": command})
    before = path.read_bytes()
    found = find(environ=env)
    assert (found.access_key_id, found.access_key_secret, found.security_token) == ("LTAI-ext", SECRET, TOKEN)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_external_program_that_fails_is_not_quoted(env: dict[str, str]) -> None:
    command = shlex.join([sys.executable, "-c", f"raise SystemExit('{SECRET}')"])
    aliyun(env, {"name": "default", "mode": "External", "process_command": command})
    assert "cannot be used" in failure(env)


def test_the_ini_file_comes_after_config_json(env: dict[str, str], tmp_path: Path) -> None:
    ini = tmp_path / ".alibabacloud" / "credentials.ini"
    ini.parent.mkdir()
    section = f"type = access_key\naccess_key_id = LTAI-ini  # mine\naccess_key_secret = {SECRET}\n"
    ini.write_text(f"[default]\n{section}\n[work]\n{section.replace('-ini', '-work')}")
    assert find(environ=env) == Credentials("LTAI-ini", SECRET, "", f"the section default of {ini}")
    assert find(environ=env | {"ALIBABA_CLOUD_PROFILE": "work"}).access_key_id == "LTAI-work"
    elsewhere = ini.rename(tmp_path / "elsewhere.ini")
    assert find(environ=env | {"ALIBABA_CLOUD_CREDENTIALS_FILE": str(elsewhere)}).access_key_id == "LTAI-ini"
    aliyun(env, ak())
    assert find(environ=env).access_key_id == "LTAI-default"


def test_config_json_can_be_switched_off_but_not_against_a_named_profile(env: dict[str, str]) -> None:
    aliyun(env, ak())
    env["ALIBABA_CLOUD_CLI_PROFILE_DISABLED"] = "true"
    failure(env)
    assert find("default", env).access_key_id == "LTAI-default"


def test_a_malformed_ini_file_is_not_quoted(env: dict[str, str], tmp_path: Path) -> None:
    ini = tmp_path / "keys.ini"
    for content in (
        f"access_key_secret = {SECRET}",
        f"[default]\n{SECRET}",
        "[other]\n",
        "[default]\ntype = access_key\n",
    ):
        ini.write_text(content)
        assert str(ini) in failure(env | {"ALIBABA_CLOUD_CREDENTIALS_FILE": str(ini)})


def test_half_a_key_in_a_file_is_not_made_whole_from_the_environment(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini = tmp_path / "keys.ini"
    ini.write_text("[default]\ntype = access_key\naccess_key_id = LTAI-ini\n")
    code = "from imm_tui.credentials import find; find()"
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET)
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", str(ini))
    monkeypatch.setenv("HOME", env["HOME"])
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID", raising=False)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "NoCredentials" in run.stderr
    assert SECRET not in run.stderr + run.stdout


@contextmanager
def serving(status: int, reply: dict[str, str]) -> Iterator[str]:
    """The address of a server on this machine that answers everything with `reply`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys"
        finally:
            server.shutdown()
            thread.join()


def test_the_credentials_uri_is_asked_last(env: dict[str, str]) -> None:
    reply = {"Code": "Success", "AccessKeyId": "STS.uri", "AccessKeySecret": SECRET, "SecurityToken": TOKEN}
    with serving(200, reply | {"Expiration": "2099-01-01T00:00:00Z"}) as uri:
        asked = env | {"ALIBABA_CLOUD_CREDENTIALS_URI": uri}
        assert find(environ=asked) == Credentials("STS.uri", SECRET, TOKEN, "ALIBABA_CLOUD_CREDENTIALS_URI")
        assert find(environ=asked | IN_ENVIRONMENT).access_key_id == "LTAI-env"


def test_an_ecs_role_is_asked_for_only_where_a_variable_or_a_profile_says_so(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = {"Code": "Success", "AccessKeyId": "STS.ecs", "AccessKeySecret": SECRET, "SecurityToken": TOKEN}
    with serving(200, reply | {"Expiration": "2099-01-01T00:00:00Z"}) as uri:
        monkeypatch.setenv("HTTP_PROXY", uri.removesuffix("/keys"))  # in place of the metadata service's own address
        failure(env)
        assert find(environ=env | {"ALIBABA_CLOUD_ECS_METADATA": "role"}).access_key_id == "STS.ecs"
        aliyun(env, {"name": "default", "mode": "EcsRamRole", "ram_role_name": "role"})
        assert find(environ=env).security_token == TOKEN
    assert not any("APScheduler" in thread.name for thread in threading.enumerate())


def test_a_refusal_is_told_by_its_code_and_nothing_else_of_it(env: dict[str, str]) -> None:
    with serving(403, {"Code": "NoPermission.Role", "Message": SECRET}) as uri:
        said = failure(env | {"ALIBABA_CLOUD_CREDENTIALS_URI": uri})
    assert "the service refused it with NoPermission.Role (HTTP 403)" in said
    with serving(200, {"Code": "Success", "AccessKeySecret": SECRET}) as uri:
        assert "ALIBABA_CLOUD_CREDENTIALS_URI" in failure(env | {"ALIBABA_CLOUD_CREDENTIALS_URI": uri})


def test_a_token_file_that_is_not_there_is_explained(env: dict[str, str], tmp_path: Path) -> None:
    env |= {
        "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::42:role/r",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::42:oidc-provider/p",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(tmp_path / "none"),
    }
    assert "No such file" in failure(env)


def test_neither_the_environment_nor_a_plain_profile_nor_their_absence_imports_the_library(env: dict[str, str]) -> None:
    code = "import sys; from imm_tui.credentials import find\ntry: find()\nexcept Exception: pass\nprint(*sys.modules)"

    def imported() -> str:
        return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout

    assert "alibabacloud_credentials" not in imported()
    aliyun(env, ak())
    assert "alibabacloud_credentials" not in imported()
    env |= IN_ENVIRONMENT
    assert "alibabacloud_credentials" not in imported()


# Modes of `aliyun configure`


@pytest.mark.parametrize("spelling", ["StsToken", "STSTOKEN", "ststoken"])
def test_a_mode_is_taken_however_it_is_spelt(env: dict[str, str], spelling: str) -> None:
    ends = int(time.time()) + 900
    aliyun(env, ak() | {"mode": spelling, "sts_token": TOKEN, "sts_expiration": ends})
    assert find(environ=env).expires_at == ends * 1000


def test_a_profile_can_name_a_credentials_uri(env: dict[str, str]) -> None:
    with Giver() as giver:
        aliyun(env, {"name": "default", "mode": "credentialsuri", "credentials_uri": giver.uri})
        found = find(environ=env)
    assert (found.access_key_id, found.security_token) == ("STS.1", TOKEN)
    assert found.expires_at == giver.ends[0] * 1000


def test_a_key_that_is_over_when_it_is_given_is_none(env: dict[str, str]) -> None:
    with Giver(lives=-60) as giver:
        assert "what it gives has expired" in failure(env | {"ALIBABA_CLOUD_CREDENTIALS_URI": giver.uri})


def test_a_role_of_a_role_is_assumed_with_the_key_of_its_source(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Giver() as source, SignInService(tmp_path, monkeypatch, "sts.cn-test.aliyuncs.com") as sts:
        aliyun(
            env,
            {
                "name": "default",
                "mode": "ChainableRamRoleArn",
                "source_profile": "first",
                "ram_role_arn": "acs:ram::42:role/imm",
                "ram_session_name": "me",
                "sts_region": "cn-test",
                "expired_seconds": 900,
            },
            {"name": "first", "mode": "CredentialsURI", "credentials_uri": source.uri},
        )
        found = find(environ=env)
    assert (found.access_key_id, found.expires_at) == ("STS.1", sts.ends[0] * 1000)
    assert sts.asked[0]["AccessKeyId"] == "STS.1"
    assert sts.asked[0]["SecurityToken"] == TOKEN
    assert sts.asked[0]["RoleArn"] == "acs:ram::42:role/imm"


def test_a_chain_of_roles_that_bites_its_tail_ends(env: dict[str, str]) -> None:
    role = {"mode": "ChainableRamRoleArn", "ram_role_arn": "acs:ram::42:role/imm"}
    aliyun(env, {"name": "default", "source_profile": "a", **role}, {"name": "a", "source_profile": "default", **role})
    assert "There is no access key from the profile default" in failure(env)


def test_an_oauth_key_is_exchanged_in_time_and_the_new_tokens_are_kept(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = int(time.time()) + 60
    kept = {"access_key_id": "STS.0", "access_key_secret": SECRET, "sts_token": TOKEN, "sts_expiration": soon}
    tokens = {"oauth_access_token": TOKEN, "oauth_refresh_token": TOKEN, "oauth_access_token_expire": soon + 7200}
    path = aliyun(env, {"name": "default", "mode": "OAuth", "oauth_site_type": "CN", **kept, **tokens})
    with SignInService(tmp_path, monkeypatch, "oauth.aliyun.com") as oauth:
        found = find(environ=env)
        assert (found.access_key_id, found.expires_at) == ("STS.1", oauth.ends[0] * 1000)
        assert json.loads(path.read_text())["profiles"][0]["sts_expiration"] == oauth.ends[0]
        assert find(environ=env).access_key_id == "STS.1"
        assert len(oauth.ends) == 1


def test_the_ini_file_knows_roles_and_leaves_no_scheduler_behind(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini = tmp_path / "keys.ini"
    ini.write_text("[default]\ntype = ecs_ram_role\nrole_name = role\n")
    with Giver() as metadata:
        monkeypatch.setenv("HTTP_PROXY", metadata.uri.removesuffix("/keys"))
        found = find(environ=env | {"ALIBABA_CLOUD_CREDENTIALS_FILE": str(ini)})
    assert found.expires_at in [end * 1000 for end in metadata.ends]
    assert not any("APScheduler" in thread.name for thread in threading.enumerate())


# Keys that live


class Giver:
    """A server on this machine that gives another temporary key each time: STS.1, STS.2, …"""

    def __init__(self, lives: int = 3600) -> None:
        self.lives = lives
        """Seconds."""
        self.ends: list[int] = []
        """When the keys that it has given expire, in epoch seconds."""
        self.asked: list[dict[str, str]] = []
        """The parameters of each request."""
        self.answers = threading.Event()
        self.answers.set()
        self.refuses = False
        giver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                giver.asked.append({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})
                giver.answers.wait(10)
                body = json.dumps(giver._reply()).encode()
                self.send_response(500 if giver.refuses else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self._server.server_port}/keys"

    def _reply(self) -> dict[str, object]:
        self.ends.append(int(time.time()) + self.lives)
        key = {
            "AccessKeyId": f"STS.{len(self.ends)}",
            "AccessKeySecret": SECRET,
            "SecurityToken": TOKEN,
            "Expiration": datetime.fromtimestamp(self.ends[-1], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {"Code": "Success", "Credentials": key, **key}

    def __enter__(self) -> Giver:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class SignInService(Giver):
    """The same behind TLS, under a name of Alibaba Cloud's that leads here."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        super().__init__()
        authority = Authority(folder)
        self._server.socket = authority.server(name).wrap_socket(self._server.socket, server_side=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        here, look_up = ("127.0.0.1", self._server.server_port), socket.getaddrinfo

        def resolve(host: str, *rest: Any, **more: Any) -> Any:
            if host != name:
                return look_up(host, *rest, **more)
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", here)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture
def giver() -> Iterator[Giver]:
    with Giver() as giver:
        yield giver


@pytest.fixture
def chain(env: dict[str, str], giver: Giver) -> Iterator[Chain]:
    """Keys that come from `giver` where no file has any."""
    yield Chain(environ=env | {"ALIBABA_CLOUD_CREDENTIALS_URI": giver.uri})
    giver.answers.set()
    looked()


def looked() -> None:
    """Waits for a look that is under way."""
    for thread in threading.enumerate():
        if thread.name == "keys":
            thread.join(10)


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_key_is_looked_for_once_by_however_many_ask(chain: Chain, giver: Giver) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert {key.access_key_id for key in pool.map(lambda _: chain.current(), range(32))} == {"STS.1"}
    assert len(giver.ends) == 1


def test_without_a_key_a_chain_says_so_and_finds_it_when_it_is_there(env: dict[str, str]) -> None:
    chain = Chain(environ=env)
    with pytest.raises(NoCredentials):
        chain.current()
    aliyun(env, ak())
    assert chain.current().access_key_id == "LTAI-default"


def test_a_key_is_replaced_before_it_expires_and_nobody_waits_for_that(chain: Chain, giver: Giver) -> None:
    giver.lives = 2
    assert chain.current().access_key_id == "STS.1"
    giver.lives = 3600
    giver.answers.clear()
    until(lambda: chain.current().access_key_id == "STS.1" and len(giver.asked) == 2)
    assert chain.current().access_key_id == "STS.1"
    giver.answers.set()
    looked()
    assert chain.current().access_key_id == "STS.2"
    assert len(giver.asked) == 2


def test_a_look_ahead_that_fails_leaves_the_key_as_it_is(chain: Chain, giver: Giver) -> None:
    giver.lives = 2
    first = chain.current()
    giver.refuses = True
    until(lambda: chain.current() is first and len(giver.asked) == 2)
    looked()
    assert chain.current() is first


class Elsewhere(dict[str, str]):
    """An environment that for one look holds a lasting key."""

    def __init__(self, given: dict[str, str]) -> None:
        super().__init__(given)
        self.looks = 0

    def get(self, name: str, default: Any = None) -> Any:
        if name == "ALIBABA_CLOUD_ACCESS_KEY_ID":
            self.looks += 1
        fleeting = self.looks == 2 and name.startswith("ALIBABA_CLOUD_ACCESS_KEY_")
        return "LTAI" if fleeting else super().get(name, default)


def test_after_a_look_ahead_that_led_elsewhere_the_key_is_looked_for_again(env: dict[str, str], giver: Giver) -> None:
    giver.lives = 2
    environ = Elsewhere(env | {"ALIBABA_CLOUD_CREDENTIALS_URI": giver.uri})
    chain = Chain(environ=environ)
    assert chain.current().access_key_id == "STS.1"
    until(lambda: chain.current().access_key_id != "STS.1")
    looked()
    assert environ.looks == 3
    assert chain.current().access_key_id == "STS.2"


def test_the_key_of_the_environment_is_the_only_one_that_nothing_can_replace(env: dict[str, str], giver: Giver) -> None:
    aliyun(env, ak())
    assert find("", env).replaceable
    assert find(
        "", env | {"ALIBABA_CLOUD_CREDENTIALS_URI": giver.uri, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}
    ).replaceable
    assert not find("", env | {"ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}).replaceable


def test_a_refused_key_is_replaced_once_for_all_who_were_refused(chain: Chain, giver: Giver) -> None:
    refused = chain.current()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: chain.renew(refused), range(8)))
    assert chain.current().access_key_id == "STS.2"
    assert len(giver.ends) == 2


def test_a_refused_key_that_is_all_there_is_stays_refused(env: dict[str, str]) -> None:
    path = aliyun(env, ak())
    chain = Chain(environ=env)
    assert not chain.renew(chain.current())
    path.unlink()
    assert not chain.renew(chain.current())
    assert chain.current().access_key_id == "LTAI-default"
    aliyun(env, ak() | {"access_key_secret": "another"})
    assert chain.renew(chain.current())


def test_a_key_that_is_changed_in_its_file_is_taken(env: dict[str, str]) -> None:
    aliyun(env, ak())
    chain = Chain(environ=env)
    chain.current()
    aliyun(env, ak() | {"access_key_id": "LTAI-rotated"})
    chain.current()
    looked()
    assert chain.current().access_key_id == "LTAI-rotated"


def test_another_profile_that_became_the_current_one_is_taken_only_after_a_refusal(env: dict[str, str]) -> None:
    aliyun(env, ak(), ak("other"))
    chain = Chain(environ=env)
    first = chain.current()
    aliyun(env, ak(), ak("other"), current="other")
    chain.current()
    looked()
    assert chain.current() is first
    assert chain.renew(first)
    assert chain.current().access_key_id == "LTAI-other"


def test_a_fixed_key_is_keys_that_never_change() -> None:
    key = Credentials("LTAI", SECRET)
    assert key.current() is key
    assert not key.renew(key)
