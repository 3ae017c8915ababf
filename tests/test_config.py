"""Which value wins, what is derived, and what a person is told about a setting that cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from imm_tui.config import KEYS, Settings, config_path, data_dir, history_path, load, profile_names
from imm_tui.errors import BadInput
from imm_tui.profiles import lacking

GOOD = {
    "region": "cn-beijing",
    "api_version": "2017-09-06",
    "project": "GetResult-ByNotify-Demo",
    "topic": "imm-events",
    "queue": "imm-events-mine",
    "account_id": "1234567890123456",
    "mns_endpoint": "https://mns.example.com",
    "imm_endpoint": "https://imm.example.com",
    "sts_endpoint": "https://sts.example.com",
    "target_uri": "oss://bucket/converted/",
    "aliyun_profile": "work",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def resolve(
    file: Path, toml: str | bytes = "", flags: dict[str, str | None] | None = None, /, **environ: str
) -> Settings:
    """The settings as this file, these flags and these variables give them."""
    file.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return load(flags or {}, {"IMM_TUI_CONFIG": str(file), **environ})


def refusal(
    file: Path, toml: str | bytes = "", flags: dict[str, str | None] | None = None, /, **environ: str
) -> BadInput:
    with pytest.raises(BadInput) as caught:
        resolve(file, toml, flags, **environ)
    return caught.value


def toml_of(values: dict[str, str]) -> str:
    return "[profiles.default]\n" + "".join(f'{key} = "{value}"\n' for key, value in values.items())


def test_every_setting_can_stand_in_the_file(file: Path) -> None:
    settings = resolve(file, toml_of(GOOD))
    assert {key: getattr(settings, key) for key in KEYS} == GOOD
    assert settings.config_file == file


@pytest.mark.parametrize("key", KEYS)
def test_a_flag_wins_over_the_environment_and_that_over_the_file(file: Path, key: str) -> None:
    other = {"api_version": "2020-09-30", "account_id": "42", "region": "cn-hangzhou"}.get(key, GOOD[key] + "2")
    variable = f"IMM_TUI_{key.upper()}"
    by_variable = resolve(file, toml_of(GOOD), None, **{variable: f" {other}\n"})
    assert getattr(by_variable, key) == other
    by_flag = resolve(file, toml_of({**GOOD, key: other}), {key: GOOD[key]}, **{variable: other})
    assert getattr(by_flag, key) == GOOD[key]


def test_blank_is_not_set(file: Path) -> None:
    settings = resolve(file, toml_of(GOOD), {"queue": None, "topic": ""}, IMM_TUI_REGION=" ", IMM_TUI_PROFILE="")
    assert (settings.queue, settings.topic, settings.region) == (GOOD["queue"], GOOD["topic"], GOOD["region"])
    assert resolve(file, toml_of({"api_version": "", "queue": " "})) == Settings()


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = load({}, {"IMM_TUI_CONFIG": str(tmp_path / "none" / "config.toml")})
    assert settings == Settings()
    assert (settings.profile, settings.api_version) == ("default", "2020-09-30")


def test_the_clis_region_is_the_last_resort(file: Path) -> None:
    assert resolve(file, ALIBABA_CLOUD_REGION_ID="cn-shanghai").region == "cn-shanghai"
    assert (
        resolve(file, toml_of({"region": "cn-beijing"}), ALIBABA_CLOUD_REGION_ID="cn-shanghai").region == "cn-beijing"
    )


def test_a_key_in_the_environment_wins_over_the_place_of_one_that_the_file_names(file: Path) -> None:
    toml = toml_of({"aliyun_profile": "work"})
    assert resolve(file, toml, ALIBABA_CLOUD_ACCESS_KEY_ID="id").aliyun_profile == ""
    named = resolve(file, toml, {"aliyun_profile": "work"}, ALIBABA_CLOUD_ACCESS_KEY_ID="id")
    assert named.aliyun_profile == "work"


def test_endpoints_follow_from_account_and_region(file: Path) -> None:
    settings = resolve(file, IMM_TUI_REGION="cn-beijing", IMM_TUI_ACCOUNT_ID="42")
    assert settings.mns_endpoint == "https://42.mns.cn-beijing.aliyuncs.com"
    assert settings.imm_endpoint == "https://imm.cn-beijing.aliyuncs.com"
    assert resolve(file, IMM_TUI_REGION="cn-beijing").mns_endpoint == ""


def test_an_account_id_may_be_written_as_the_number_it_is(file: Path) -> None:
    assert resolve(file, "[profiles.default]\naccount_id = 1234567890123456").account_id == "1234567890123456"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("42.mns.cn-beijing.aliyuncs.com", "https://42.mns.cn-beijing.aliyuncs.com"),
        ("https://42.mns.cn-beijing.aliyuncs.com/", "https://42.mns.cn-beijing.aliyuncs.com"),
        ("localhost:8080", "https://localhost:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("HTTP://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_endpoint_is_a_scheme_a_host_and_a_port(file: Path, written: str, meant: str) -> None:
    assert resolve(file, IMM_TUI_MNS_ENDPOINT=written).mns_endpoint == meant


@pytest.mark.parametrize("host", ["42.mns.cn-beijing.aliyuncs.com", "10.0.0.1", "localhost.example.com", "0.0.0.0"])
def test_http_to_anywhere_but_this_machine_needs_leave(file: Path, host: str) -> None:
    trouble = refusal(file, IMM_TUI_MNS_ENDPOINT=f"http://{host}")
    assert trouble.field == "mns_endpoint"
    assert "unencrypted" in str(trouble)
    assert "allow_http" in str(trouble)
    allowed = resolve(file, "[profiles.default]\nallow_http = true", IMM_TUI_MNS_ENDPOINT=f"http://{host}")
    assert allowed.mns_endpoint == f"http://{host}"


@pytest.mark.parametrize(
    "value",
    [
        "ftp://host",
        "https://",
        "https://user:hunter2@host",
        "https://host/path",
        "https://host?a=b",
        "https://host:port",
        "https://host:84432",
        "https://[::1",
        "https://hö.example.com",
        "https://a b",
    ],
)
def test_anything_else_is_no_endpoint_and_is_not_repeated(file: Path, value: str) -> None:
    trouble = refusal(file, IMM_TUI_IMM_ENDPOINT=value)
    assert "IMM_TUI_IMM_ENDPOINT" in str(trouble)
    assert "hunter2" not in str(trouble)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("region", "cn_beijing"),
        ("region", "evil.example.com/cn-beijing"),
        ("api_version", "2020"),
        ("project", "1st"),
        ("project", "p" * 129),
        ("topic", "1st"),
        ("topic", "a_b"),
        ("queue", "-queue"),
        ("queue", "q" * 257),
        ("queue", "a/../b"),
        ("account_id", "me"),
        ("account_id", "٤٢"),
    ],
)
def test_a_value_that_the_service_cannot_mean_is_refused_with_its_source(file: Path, key: str, value: str) -> None:
    trouble = refusal(file, toml_of({key: value}))
    assert trouble.field == key
    assert value in str(trouble)
    assert str(file) in str(trouble)
    assert f"--{key.replace('_', '-')}" in str(refusal(file, "", {key: value}))
    variable = f"IMM_TUI_{key.upper()}"
    assert variable in str(refusal(file, "", None, **{variable: value}))


PROFILES = """
profile = "work"
[profiles.work]
region = "cn-beijing"
[profiles.home]
region = "cn-hangzhou"
quueue = "this profile is broken, and nobody asked for it"
[profiles.default]
region = "cn-shenzhen"
"""


def test_the_profile_is_the_flags_else_the_environments_else_the_files(file: Path) -> None:
    assert resolve(file, PROFILES).region == "cn-beijing"
    assert resolve(file, PROFILES, IMM_TUI_PROFILE="default").region == "cn-shenzhen"
    assert resolve(file, PROFILES, {"profile": "work"}, IMM_TUI_PROFILE="default").profile == "work"
    assert resolve(file, PROFILES.replace('profile = "work"', "")).profile == "default"


def test_a_profile_that_is_not_there_is_refused_with_the_nearest_one(file: Path) -> None:
    for trouble in (refusal(file, PROFILES, {"profile": "wrok"}), refusal(file, PROFILES, IMM_TUI_PROFILE="wrok")):
        assert trouble.field == "profile"
        assert "wrok" in str(trouble)
        assert "Did you mean work?" in str(trouble)
        assert str(file) in str(trouble)
    assert "work, home, default" in str(refusal(file, PROFILES, {"profile": "zzz"}))
    assert "holds no profile" in str(refusal(file, "", {"profile": "work"}))


def test_an_unknown_setting_is_refused_with_the_nearest_one(file: Path) -> None:
    trouble = refusal(file, PROFILES, {"profile": "home"})
    assert trouble.field == "quueue"
    assert "Did you mean queue?" in str(trouble)
    assert f"[profiles.home] in {file}" in str(trouble)
    assert "Did you mean profiles?" in str(refusal(file, "[profils.work]"))


def test_a_key_in_the_file_is_refused_unseen(file: Path) -> None:
    trouble = refusal(file, toml_of({"access_key_secret": "hunter2"}))
    assert "Keys are never kept in this file" in str(trouble)
    assert "hunter2" not in str(trouble)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[profiles.default]\nregion = cn-beijing\n", "line 2"),
        ("a" * 70_000 + " = ", "not TOML"),
        (b'[profiles.default]\nregion = "\xff"', "UTF-8"),
        ("a = " + "[" * 50_000, "cannot be read"),
        ("[profiles.default]\nqueue = 7", "queue"),
        ("[profiles.default]\naccount_id = true", "account_id"),
        ('[profiles.default]\nallow_http = "yes"', "true or false"),
        ("profiles = 7", "[profiles.NAME]"),
        ("[profile.work]", "[profiles.NAME]"),
        ("[profiles]\ndefault = 7", "not a table"),
    ],
)
def test_a_file_that_cannot_be_used_says_which_and_why(file: Path, toml: str | bytes, words: str) -> None:
    trouble = refusal(file, toml)
    assert str(file) in str(trouble)
    assert words in str(trouble)


def test_a_byte_order_mark_does_no_harm(file: Path) -> None:
    assert resolve(file, b"\xef\xbb\xbf" + toml_of(GOOD).encode()).queue == GOOD["queue"]


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="directory"):
        load({"config": str(tmp_path)}, {})


def test_a_file_that_a_flag_names_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load({"config": str(tmp_path / "none.toml")}, {})


def test_what_is_missing_is_named() -> None:
    assert Settings().missing_to_listen() == ("region", "account_id", "queue")
    assert Settings(mns_endpoint="https://x", queue="q").missing_to_listen() == ()
    assert Settings().missing_to_submit() == ("region", "project")
    assert Settings(region="cn-beijing", project="p", topic="t").missing_to_submit() == ()
    old = Settings(region="cn-beijing", project="p", topic="t", api_version="2017-09-06")
    assert old.missing_to_submit() == ("account_id",)


def test_the_files_are_where_the_environment_says_else_where_the_platform_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_path("~/a.toml", {"IMM_TUI_CONFIG": "/b.toml"}) == tmp_path / "a.toml"
    assert config_path(None, {"IMM_TUI_CONFIG": "/b.toml"}) == Path("/b.toml")
    assert config_path(None, {}).parts[-2:] == ("imm-tui", "config.toml")
    assert data_dir({"IMM_TUI_DATA_DIR": "~/data"}) == tmp_path / "data"
    assert data_dir({}).name == "imm-tui"


def test_each_profile_has_a_history_of_its_own(tmp_path: Path) -> None:
    environ = {"IMM_TUI_DATA_DIR": str(tmp_path)}
    assert history_path(Settings(), environ) == tmp_path / "history.db"
    assert history_path(Settings(profile="工作.1"), environ) == tmp_path / "history-工作.1.db"


@pytest.mark.parametrize("name", ["../up", "/root", "a/b", "a\\b", "..", ".", "a\0", "a b", "", "p" * 65, "-p"])
def test_a_profiles_name_never_leaves_the_folder(file: Path, name: str) -> None:
    with pytest.raises(BadInput):
        history_path(Settings(profile=name), {"IMM_TUI_DATA_DIR": str(file.parent)})
    if name:
        table = f"[profiles.{json.dumps(name)}]"
        assert "cannot be called" in str(refusal(file, table, {"profile": name}))


def test_settings_without_a_file_import_only_what_it_needs(file: Path) -> None:
    code = "import sys; from imm_tui.config import load; load({}, {'IMM_TUI_CONFIG': sys.argv[1]}); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert not {"platformdirs", "difflib", "tomllib", "textual"} & set(run.stdout.split())


# Hooks and keys


def test_hooks_and_keys_are_everybodys_whatever_the_profile(file: Path) -> None:
    toml = """
        [hooks]
        on_succeeded = ["notify-send", "a task is done"]
        on_batch_done = ["/opt/report"]
        [keys]
        new = "ctrl+n, f2"
        help.close = "x"
        [profiles.work]
    """
    for profile in ("default", "work"):
        settings = resolve(file, toml, {"profile": profile})
        assert settings.hooks == {"on_succeeded": ("notify-send", "a task is done"), "on_batch_done": ("/opt/report",)}
        assert settings.keys == {"new": "ctrl+n,f2", "help.close": "x"}, "a dotted name needs no quotes"


@pytest.mark.parametrize(
    "value", ['"notify-send done"', "[]", '[""]', "[1]", '["notify-send", 3]', "true", "{argv = []}"]
)
def test_a_hook_is_a_list_of_words_and_nothing_a_shell_would_take_apart(file: Path, value: str) -> None:
    bad = refusal(file, f"[hooks]\non_failed = {value}")
    assert bad.field == "on_failed"
    assert 'Write it as a list, which no shell takes apart: on_failed = ["notify-send", "done"]' in bad.fix


def test_an_unknown_hook_names_the_nearest(file: Path) -> None:
    bad = refusal(file, '[hooks]\non_success = ["true"]')
    assert bad.field == "on_success"
    assert "on_succeeded" in bad.fix


@pytest.mark.parametrize("value", ["3", '""', '" "', '["n"]', "true"])
def test_keys_are_text(file: Path, value: str) -> None:
    bad = refusal(file, f"[keys]\nnew = {value}")
    assert bad.field == "keys"
    assert "“new”" in bad.what
    assert '"new" = ' in bad.fix or "ctrl+n" in bad.fix


@pytest.mark.parametrize("table", ["hooks", "keys"])
def test_hooks_and_keys_are_tables(file: Path, table: str) -> None:
    assert refusal(file, f"{table} = 3").field == table


def test_the_profiles_of_a_file_can_be_listed(file: Path) -> None:
    assert profile_names(file) == ["default"], "there is no file yet"
    file.write_text('[profiles.work]\n[profiles.default]\n[profiles."../x"]\n[profiles."工作"]\n')
    assert profile_names(file) == ["default", "work", "工作"]
    file.write_text("profiles = 3")
    assert profile_names(file) == ["default"]
    file.write_text("[profiles")
    with pytest.raises(BadInput, match="TOML"):
        profile_names(file)


def test_sts_is_asked_where_imm_is_alibabas_own_or_a_setting_says_where(file: Path) -> None:
    assert resolve(file, IMM_TUI_REGION="cn-beijing").sts_endpoint == "https://sts.cn-beijing.aliyuncs.com"
    elsewhere = {"IMM_TUI_REGION": "cn-beijing", "IMM_TUI_IMM_ENDPOINT": "https://imm.example.com"}
    assert resolve(file, **elsewhere).sts_endpoint == ""
    assert resolve(file, **elsewhere, IMM_TUI_STS_ENDPOINT="sts.example.com").sts_endpoint == "https://sts.example.com"


@pytest.mark.parametrize(("toml", "variable", "flag", "read_only"), [
    ("", "", None, False),
    ("read_only = true", "", None, True),
    ("read_only = true", "0", None, False),
    ("read_only = false", "1", None, True),
    ("", "False", "true", True),
])  # fmt: skip
def test_read_only_is_a_flag_a_variable_and_a_setting(
    file: Path, toml: str, variable: str, flag: str | None, read_only: bool
) -> None:
    settings = resolve(file, f"[profiles.default]\n{toml}", {"read_only": flag}, IMM_TUI_READ_ONLY=variable)
    assert settings.read_only is read_only


def test_a_read_only_that_is_neither_true_nor_false_is_refused(file: Path) -> None:
    assert "IMM_TUI_READ_ONLY" in refusal(file, IMM_TUI_READ_ONLY="perhaps").why
    assert "true or false" in refusal(file, '[profiles.default]\nread_only = "yes"').why


@pytest.fixture
def aliyun(tmp_path: Path) -> dict[str, str]:
    """A home where `aliyun configure` keeps a profile of its own beside one that is in config.toml too."""
    path = tmp_path / ".aliyun" / "config.json"
    path.parent.mkdir()
    entries = [{"name": "ops", "mode": "AK", "region_id": "cn-shanghai"}, {"name": "work", "region_id": "cn-qingdao"}]
    path.write_text(json.dumps({"current": "ops", "profiles": entries}))
    return {"HOME": str(tmp_path)}


WORK = '[profiles.work]\nproject = "mine"\n'


def test_a_named_profile_that_the_file_lacks_is_that_of_aliyun_configure(file: Path, aliyun: dict[str, str]) -> None:
    key_in_environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI"}  # a profile that is named wins over it
    settings = resolve(file, WORK, {"profile": "ops"}, **aliyun, **key_in_environment, IMM_TUI_PROJECT="theirs")
    assert settings.is_aliyuns
    assert (settings.profile, settings.aliyun_profile, settings.region) == ("ops", "ops", "cn-shanghai")
    assert settings.project == "theirs"
    assert resolve(file, WORK, **aliyun, IMM_TUI_PROFILE="ops").aliyun_profile == "ops"
    ours = resolve(file, WORK, {"profile": "work"}, **aliyun)
    assert not ours.is_aliyuns
    assert (ours.project, ours.aliyun_profile) == ("mine", "")


def test_the_first_line_that_such_a_profile_gets_in_the_file_is_not_all(file: Path, aliyun: dict[str, str]) -> None:
    theirs = resolve(file, WORK, {"profile": "ops"}, **aliyun)
    assert 'aliyun_profile = "ops"' in theirs.first_line
    assert theirs.first_line in lacking(theirs, ["queue"]).fix
    assert resolve(file, WORK, {"profile": "work"}, **aliyun).first_line == ""


def test_each_setting_says_where_it_comes_from(file: Path, aliyun: dict[str, str]) -> None:
    settings = resolve(file, WORK, {"profile": "work", "topic": "t"}, **aliyun, IMM_TUI_QUEUE="q", IMM_TUI_REGION="")
    aliyuns = aliyun["HOME"] + "/.aliyun/config.json"
    assert settings.sources == {
        "project": f"[profiles.work] in {file}",
        "topic": "--topic",
        "queue": "IMM_TUI_QUEUE",
        "region": f"the profile ops of {aliyuns}",
    }


def test_a_profile_is_named_as_it_is_written(file: Path) -> None:
    settings = resolve(file, '[profiles."工作.2"]\nqueue = "q"', {"profile": "工作.2"})
    assert settings.place == f'[profiles."工作.2"] in {file}'


def test_a_profile_that_is_in_neither_file_is_refused_with_what_there_is(file: Path, aliyun: dict[str, str]) -> None:
    refused = refusal(file, WORK, {"profile": "nobody"}, **aliyun)
    assert str(file) in refused.what
    assert "config.json" in refused.what
    assert "work, ops" in refused.why


def test_the_profile_that_chooses_the_key_gives_the_region_too_where_nothing_else_does(
    file: Path, aliyun: dict[str, str]
) -> None:
    assert resolve(file, **aliyun).region == "cn-shanghai"
    assert resolve(file, **aliyun, ALIBABA_CLOUD_PROFILE="work").region == "cn-qingdao"
    assert resolve(file, '[profiles.default]\naliyun_profile = "work"', **aliyun).region == "cn-qingdao"
    assert resolve(file, **aliyun, ALIBABA_CLOUD_REGION_ID="cn-beijing").region == "cn-beijing"
    assert resolve(file, **aliyun, ALIBABA_CLOUD_ACCESS_KEY_ID="LTAI").region == ""
