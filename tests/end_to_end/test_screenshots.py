"""The pictures of the README show the program as it is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

PICTURES = CHECKOUT / "screenshots"


@pytest.mark.timeout(300)
def test_no_picture_is_stale() -> None:
    command = [sys.executable, "-m", "screenshots.make", "--check"]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-2_000:]


def test_readme_shows_pictures_that_there_are() -> None:
    shown = set(re.findall(r"\]\(screenshots/([\w-]+\.svg)\)", (CHECKOUT / "README.md").read_text(encoding="utf-8")))
    assert shown
    assert shown <= {path.name for path in PICTURES.glob("*.svg")}


def test_no_picture_holds_a_path_of_this_machine_or_a_key() -> None:
    for path in PICTURES.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert str(Path.home()) not in text
        assert "SECRET" not in text
