from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imm_tui.emulator.conversion.office import Office
from imm_tui.emulator.conversion.oss import Oss
from imm_tui.emulator.conversion.request import Conversion, Outcome
from imm_tui.emulator.conversion.worker import convert
from imm_tui.emulator.samples import write_samples

SOFFICE = shutil.which("soffice")
CONTRACT = "加密合同.pdf"


def convert_samples(folder: Path, office: Office | None) -> dict[str, Outcome]:
    write_samples(folder / "demo")
    return {
        path.name: convert(
            Conversion(f"oss://demo/{path.name}", path.suffix[1:], (f"oss://demo/out/{path.name}.txt",), "txt"),
            Oss(folder),
            office,
        )
        for path in sorted((folder / "demo").iterdir())
    }


def test_the_samples_end_as_a_demo_needs_them(tmp_path: Path) -> None:
    outcomes = convert_samples(tmp_path, None)
    assert outcomes["5页Word.docx"].page_count == 5
    assert outcomes["产品手册.pdf"].page_count == 5
    assert outcomes["季度报告.pptx"].page_count > 1
    assert outcomes["销售数据.csv"].page_count == 1
    assert {name: outcome.code for name, outcome in outcomes.items() if not outcome.succeeded} == {
        "损坏的表格.xls": "OpenFileError",
        CONTRACT: "OpenFileError",
    }
    assert max(map(len, outcomes)) > 80


def test_the_contract_opens_with_the_password_of_the_demo(tmp_path: Path) -> None:
    write_samples(tmp_path / "demo")
    conversion = Conversion(f"oss://demo/{CONTRACT}", "pdf", ("oss://demo/out.txt",), "txt", password="imm-demo")
    assert convert(conversion, Oss(tmp_path), None).succeeded
    assert "imm-demo" in (tmp_path / "demo" / "out.txt").read_text(encoding="utf-8")


def test_the_samples_are_small(tmp_path: Path) -> None:
    write_samples(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 100_000


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_lays_the_samples_out_as_they_claim(tmp_path: Path) -> None:
    assert SOFFICE is not None
    (tmp_path / "scratch").mkdir()
    outcomes = convert_samples(tmp_path, Office(tmp_path / "scratch", SOFFICE))
    assert outcomes == convert_samples(tmp_path / "stand-ins", None)
    for name, words in {"5页Word": "常见问题", "季度报告": "消息通知", "销售数据": "1280"}.items():
        (result,) = (tmp_path / "demo" / "out").glob(f"{name}.*")
        text = result.read_text(encoding="utf-8")
        assert words in text
        assert "Stand-in" not in text
