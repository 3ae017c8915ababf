from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imm_tui.emulator.conversion.oss import Oss, split_uri


@pytest.fixture
def oss(tmp_path: Path) -> Oss:
    (tmp_path / "data" / "bucket").mkdir(parents=True)
    return Oss(tmp_path / "data")


@given(
    st.from_regex(r"[a-z0-9][a-z0-9-]{2,20}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=100).filter(lambda key: not key.startswith(("/", "\\"))),
)
def test_a_uri_is_its_bucket_and_its_key(bucket: str, key: str) -> None:
    assert split_uri(f"oss://{bucket}/{key}") == (bucket, key)


@given(st.text())
def test_any_other_text_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"oss://bucket/object|slash|Unicode|longer"):
        split_uri(text.replace("oss://", "oss:/"))


@pytest.mark.parametrize(
    "uri",
    [
        "http://bucket/key.pdf",
        "oss://bucket.oss-cn-beijing.aliyuncs.com/key.pdf",
        "oss:///key.pdf",
        "oss://bucket//key.pdf",
        "oss://bucket/" + "长" * 342,
        "oss://bucket/\udc80",
    ],
)
def test_common_mistakes_are_refused(uri: str) -> None:
    with pytest.raises(ValueError, match=r"oss://bucket/object|slash|Unicode|longer"):
        split_uri(uri)


def test_what_is_written_can_be_read(oss: Oss) -> None:
    oss.write("oss://bucket/输出/1.png", b"content")
    assert oss.read("oss://bucket/输出/1.png", 7) == b"content"
    assert (oss.root / "bucket" / "输出" / "1.png").read_bytes() == b"content"


def test_an_object_over_the_limit_is_not_read(oss: Oss) -> None:
    oss.write("oss://bucket/big", b"12345")
    with pytest.raises(OverflowError, match="5 bytes"):
        oss.read("oss://bucket/big", 4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.sampled_from(["..", ".", "", "a", "link", "bucket", "other", "\0", "x" * 300]), max_size=6))
def test_no_key_leads_out_of_its_bucket(oss: Oss, segments: list[str]) -> None:
    outside = oss.root / "other"
    outside.mkdir(exist_ok=True)
    (outside / "secret").write_bytes(b"secret")
    link = oss.root / "bucket" / "link"
    if not link.is_symlink():
        link.symlink_to(outside)
    key = "/".join([*segments, "secret"])
    try:
        oss.write(f"oss://bucket/{key}", b"overwritten")
    except OSError:
        with pytest.raises(OSError):  # noqa: PT011 (the operating system's words differ)
            oss.read(f"oss://bucket/{key}", 1000)
    assert (outside / "secret").read_bytes() == b"secret"
    assert sorted(path.name for path in oss.root.iterdir()) == ["bucket", "other"]
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_a_bucket_is_a_real_folder(oss: Oss) -> None:
    (oss.root / "linked").symlink_to("/")
    (oss.root / "file").write_bytes(b"")
    for bucket in ("linked", "file", "missing"):
        with pytest.raises(FileNotFoundError, match=f"There is no bucket {bucket}|is not inside its bucket"):
            oss.read(f"oss://{bucket}/etc/passwd", 1 << 20)


def test_a_pipe_is_no_object(oss: Oss) -> None:
    os.mkfifo(oss.root / "bucket" / "pipe.pdf")
    with pytest.raises(FileNotFoundError, match="There is no object"):
        oss.read("oss://bucket/pipe.pdf", 10)
