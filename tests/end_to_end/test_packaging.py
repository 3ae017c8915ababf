"""What a person installs: the source archive, the wheel made from it, and the app started from a fresh environment."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from imm_tui import __version__
from tests.conftest import CHECKOUT
from tests.program import Program
from tests.terminal import Terminal

SHEETS = {path.name for path in (CHECKOUT / "styles").glob("*.tcss")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source archive, and the wheel made from that archive."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def test_the_archive_holds_the_stylesheets_where_the_checkout_has_them(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    assert {Path("styles", sheet) for sheet in SHEETS} <= names
    assert {Path("LICENSE"), Path("README.md"), Path("tests/test_house.py")} <= names


def test_the_wheel_holds_the_stylesheets_in_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"imm_tui/styles/{sheet}" for sheet in SHEETS} <= names
    assert {"imm_tui/py.typed", "imm_tui/locale/zh_CN/LC_MESSAGES/imm_tui.mo"} <= names
    assert not any(name.startswith(("tests/", "styles/")) for name in names)


@pytest.mark.timeout(300)
def test_the_app_starts_from_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    program = Program(tmp_path / "home", command=(str(python.with_name("imm-tui")),))
    del program.environment["PYTHONPATH"]
    assert program("--version").out == f"imm-tui {__version__}\n"
    with Terminal(program) as terminal:
        terminal.until_read("ALIBABA_CLOUD_ACCESS_KEY_ID", "demo")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()


def test_the_app_starts_from_a_zip_of_the_sources(built: Path, tmp_path: Path) -> None:
    sources = tmp_path / "sources.zip"
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive, zipfile.ZipFile(sources, "w") as zipped:
        for member in archive.getmembers():
            if (file := archive.extractfile(member)) is not None:
                zipped.writestr(str(Path(*Path(member.name).parts[1:])), file.read())
    program = Program(tmp_path / "home", {"PYTHONPATH": str(sources)}, command=(sys.executable, "-P", "-m", "imm_tui"))
    with Terminal(program) as terminal:
        terminal.until_read("ALIBABA_CLOUD_ACCESS_KEY_ID", "demo")
        terminal.press("q")
        assert terminal.ended() == 0
