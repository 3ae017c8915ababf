"""The documents of a demo, written by code: Office files with real text, PDFs, a table, and two that must fail."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from imm_tui.emulator.conversion.pdf import write_pdf

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN_TYPE = "application/vnd.openxmlformats-officedocument"
_MAIN = "http://schemas.openxmlformats.org"

_CHAPTERS = (
    ("项目概述", "Alibaba Cloud IMM converts documents in Object Storage without a server of one's own."),
    ("转换流程", "A task is created, runs by itself, and says when it has ended."),
    ("消息通知", "The event goes to a topic, the topic pushes it to a queue, a listener takes it from there."),
    ("使用限制", "A source has at most 200 MB. Information about a task is kept for seven days."),
    ("常见问题", "A task that ends with OpenFileError has a damaged source, or one that needs a password."),
)


def write_samples(bucket: Path) -> None:
    """Writes the demo documents into the folder `bucket`, which is made where it is missing."""
    bucket.mkdir(parents=True, exist_ok=True)
    manual = [[f"{number}. {title}", "", text] for number, (title, text) in enumerate(_CHAPTERS, 1)]
    documents = {
        "5页Word.docx": _word(_CHAPTERS),
        "季度报告.pptx": _slides(_CHAPTERS[:3]),
        "产品手册.pdf": write_pdf(manual),
        "销售数据.csv": "季度,地区,销售额\r\n一,华东,1280\r\n一,华北,960\r\n二,华东,1415\r\n二,华北,1102\r\n".encode(
            "utf-8-sig"
        ),
        "annual-maintenance-and-inspection-record-of-the-beijing-data-centre-2026-final-signed.pdf": write_pdf(
            [["Inspection record", "", f"Rack {rack}: no objections."] for rack in range(1, 13)]
        ),
        # The first sector of an Excel 97 file, and nothing after it.
        "损坏的表格.xls": bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504),
        "加密合同.pdf": write_pdf([["Confidential", "", "This page opens with the password imm-demo."]], "imm-demo"),
    }
    for name, content in documents.items():
        (bucket / name).write_bytes(content)


def _package(parts: Mapping[str, tuple[str, str]], relations: Mapping[str, Sequence[tuple[str, str]]]) -> bytes:
    """An Open Packaging file. `parts`: name → (content type, XML); `relations`: part → (type, target)s, in order."""
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, (kind, _) in parts.items())
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(
            "[Content_Types].xml",
            f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
        )
        for source, targets in relations.items():
            folder, _, name = source.rpartition("/")
            items = "".join(
                f'<Relationship Id="rId{number}" Type="{_OFFICE}/relationships/{kind}" Target="{target}"/>'
                for number, (kind, target) in enumerate(targets, 1)
            )
            file.writestr(
                f"{folder}/_rels/{name}.rels".lstrip("/"),
                f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>',
            )
        for name, (_, xml) in parts.items():
            file.writestr(name, _XML + xml)
    return buffer.getvalue()


def _properties(element: str, count: int) -> tuple[str, str]:
    """docProps/app.xml, where a document says how many pages it has."""
    return (
        f"{_MAIN_TYPE}.extended-properties+xml",
        f'<Properties xmlns="{_OFFICE}/extended-properties"><{element}>{count}</{element}></Properties>',
    )


def _word(chapters: Sequence[tuple[str, str]]) -> bytes:
    """A text document with one chapter a page."""

    def paragraph(text: str, half_points: int) -> str:
        return f'<w:p><w:r><w:rPr><w:sz w:val="{half_points}"/></w:rPr><w:t>{escape(text)}</w:t></w:r></w:p>'

    page_break = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
    body = page_break.join(paragraph(title, 48) + paragraph(text, 24) for title, text in chapters)
    return _package(
        {
            "word/document.xml": (
                f"{_MAIN_TYPE}.wordprocessingml.document.main+xml",
                f'<w:document xmlns:w="{_MAIN}/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>',
            ),
            "docProps/app.xml": _properties("Pages", len(chapters)),
        },
        {"": [("officeDocument", "word/document.xml"), ("extended-properties", "docProps/app.xml")]},
    )


def _slides(chapters: Sequence[tuple[str, str]]) -> bytes:
    """A presentation with a title and a text on each slide, and the master, layout and theme that no file may lack."""
    namespaces = (
        f'xmlns:p="{_MAIN}/presentationml/2006/main" xmlns:a="{_MAIN}/drawingml/2006/main" '
        f'xmlns:r="{_OFFICE}/relationships"'
    )
    group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
    width, height = 9_144_000, 6_858_000  # 10 × 7.5 inches in EMU

    def box(number: int, text: str, top: int, hundredths: int) -> str:
        return (
            f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="Text {number}"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr>'
            f'<p:spPr><a:xfrm><a:off x="685800" y="{top}"/><a:ext cx="{width - 1_371_600}" cy="1200000"/></a:xfrm>'
            f'<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr wrap="square"/><a:p><a:r>'
            f'<a:rPr sz="{hundredths}"/><a:t>{escape(text)}</a:t></a:r></a:p></p:txBody></p:sp>'
        )

    def part(kind: str, element: str, content: str) -> tuple[str, str]:
        return f"{_MAIN_TYPE}.presentationml.{kind}+xml", f"<p:{element} {namespaces}>{content}</p:{element}>"

    def tree(shapes: str = "") -> str:
        return f"<p:cSld><p:spTree>{group}{shapes}</p:spTree></p:cSld>"

    names = [f"slide{number}.xml" for number in range(1, len(chapters) + 1)]
    slide_ids = "".join(f'<p:sldId id="{255 + number}" r:id="rId{number + 1}"/>' for number in range(1, len(names) + 1))
    color_map = " ".join(
        f'{role}="{colour}"'
        for role, colour in (
            *(("bg1", "lt1"), ("tx1", "dk1"), ("bg2", "lt2"), ("tx2", "dk2")),
            *((name, name) for name in (*(f"accent{number}" for number in range(1, 7)), "hlink", "folHlink")),
        )
    )
    override = "<p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr>"
    return _package(
        {
            "ppt/presentation.xml": part(
                "presentation.main",
                "presentation",
                '<p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst>'
                f"<p:sldIdLst>{slide_ids}</p:sldIdLst>"
                f'<p:sldSz cx="{width}" cy="{height}"/><p:notesSz cx="{height}" cy="{width}"/>',
            ),
            "ppt/slideMasters/slideMaster1.xml": part(
                "slideMaster",
                "sldMaster",
                f'{tree()}<p:clrMap {color_map}/><p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/>'
                "</p:sldLayoutIdLst>",
            ),
            "ppt/slideLayouts/slideLayout1.xml": part("slideLayout", "sldLayout", tree() + override),
            "ppt/theme/theme1.xml": (f"{_MAIN_TYPE}.theme+xml", _theme()),
            **{
                f"ppt/slides/{name}": part(
                    "slide", "sld", tree(box(2, title, 1_200_000, 4400) + box(3, text, 3_000_000, 2400)) + override
                )
                for name, (title, text) in zip(names, chapters, strict=True)
            },
            "docProps/app.xml": _properties("Slides", len(chapters)),
        },
        {
            "": [("officeDocument", "ppt/presentation.xml"), ("extended-properties", "docProps/app.xml")],
            "ppt/presentation.xml": [
                ("slideMaster", "slideMasters/slideMaster1.xml"),
                *(("slide", f"slides/{name}") for name in names),
            ],
            "ppt/slideMasters/slideMaster1.xml": [
                ("slideLayout", "../slideLayouts/slideLayout1.xml"),
                ("theme", "../theme/theme1.xml"),
            ],
            "ppt/slideLayouts/slideLayout1.xml": [("slideMaster", "../slideMasters/slideMaster1.xml")],
            **{f"ppt/slides/{name}": [("slideLayout", "../slideLayouts/slideLayout1.xml")] for name in names},
        },
    )


def _theme() -> str:
    colours = {
        **{"dk1": "1F1F1F", "lt1": "FFFFFF", "dk2": "3A3A3A", "lt2": "F2F2F2"},
        **{f"accent{number}": "FF6A00" for number in range(1, 7)},
        **{"hlink": "0064C8", "folHlink": "6A3FA0"},
    }
    scheme = "".join(f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in colours.items())
    font = '<a:latin typeface="Arial"/><a:ea typeface=""/><a:cs typeface=""/>'
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    effect = "<a:effectStyle><a:effectLst/></a:effectStyle>"
    return (
        f'<a:theme xmlns:a="{_MAIN}/drawingml/2006/main" name="imm-tui"><a:themeElements>'
        f'<a:clrScheme name="imm-tui">{scheme}</a:clrScheme><a:fontScheme name="imm-tui">'
        f"<a:majorFont>{font}</a:majorFont><a:minorFont>{font}</a:minorFont></a:fontScheme>"
        f'<a:fmtScheme name="imm-tui"><a:fillStyleLst>{fill * 3}</a:fillStyleLst>'
        f"<a:lnStyleLst>{f'<a:ln>{fill}</a:ln>' * 3}</a:lnStyleLst><a:effectStyleLst>{effect * 3}</a:effectStyleLst>"
        f"<a:bgFillStyleLst>{fill * 3}</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>"
    )
