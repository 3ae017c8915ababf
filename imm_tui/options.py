"""Every parameter of CreateOfficeConversionTask that has no field of its own, in both API versions, and its check.

The form draws them, `imm-tui submit --option` takes them by IMM's name, and a conversion carries them as they are sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from imm_tui.errors import BadInput
from imm_tui.i18n import N_, _
from imm_tui.tasks import ApiVersion


class Kind(StrEnum):
    """What is typed for an option."""

    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    """One of the choices."""
    SEVERAL = "several"
    """Any of the choices, with commas between them; sent as a JSON object that maps each to true."""
    PAIRS = "pairs"
    """`key=value, key=value`, or a JSON object of strings; sent as JSON."""
    JSON = "json"
    """A JSON object."""
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One parameter. `label` and `help` are marked for translation: pass them through `_()` where they are shown."""

    name: str
    """IMM's, as it is sent."""
    label: str
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    unlimited: bool = False
    """A number may be -1 as well: no limit."""
    longest: int = 1024
    """Bytes of a text, in UTF-8."""
    common: bool = False
    target_types: tuple[str, ...] = ()
    """Those that it has an effect on; empty: all."""
    needs: str = ""
    """The flag without which it has no effect."""

    def suits(self, target_type: str) -> bool:
        """Whether it has an effect on documents of this type."""
        return not self.target_types or target_type in self.target_types


IMAGES = ("png", "jpg")
"""The target types that are images, which have a resolution."""

_INT = 2**31 - 1

_START_PAGE = Option(
    name="StartPage",
    label=N_("First page"),
    kind=Kind.NUMBER,
    low=1,
    high=_INT,
    common=True,
    help=N_("The page to begin with, 1 by default; Pages wins over it."),
)
_SOURCE_TYPE = Option(
    name="SourceType",
    label=N_("Source type"),
    kind=Kind.TEXT,
    help=N_("The document's extension, such as docx, where its name has none."),
)

_OPTIONS_2017 = (
    _START_PAGE,
    Option(
        name="EndPage",
        label=N_("Last page"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        unlimited=True,
        common=True,
        help=N_("The page to end with, 200 by default; -1 is the document's last."),
    ),
    Option(
        name="MaxSheetRow",
        label=N_("Rows"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        unlimited=True,
        common=True,
        help=N_("Rows of a sheet to convert at most, 1000 by default; -1 is all."),
    ),
    Option(
        name="MaxSheetCol",
        label=N_("Columns"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        unlimited=True,
        common=True,
        help=N_("Columns of a sheet to convert at most, 100 by default; -1 is all."),
    ),
    Option(
        name="MaxSheetCount",
        label=N_("Sheets"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        unlimited=True,
        common=True,
        help=N_("Sheets of a spreadsheet to convert at most; -1 is all."),
    ),
    Option(
        name="SheetOnePage",
        label=N_("One page"),
        kind=Kind.FLAG,
        common=True,
        help=N_("All sheets of a spreadsheet on one page, instead of page by page."),
    ),
    Option(
        name="FitToPagesTall",
        label=N_("Fit height"),
        kind=Kind.FLAG,
        target_types=("pdf",),
        help=N_("Shrinks a sheet to the height of one page; off by default."),
    ),
    Option(
        name="FitToPagesWide",
        label=N_("Fit width"),
        kind=Kind.FLAG,
        target_types=("pdf",),
        help=N_("Shrinks a sheet to the width of one page; off by default."),
    ),
    Option(
        name="Hidecomments",
        label=N_("No comments"),
        kind=Kind.FLAG,
        help=N_("Leaves the comments of a text document out."),
    ),
    Option(
        name="PdfVector",
        label=N_("PDF vector"),
        kind=Kind.FLAG,
        help=N_("Vector graphics for a PDF document; IMM does not document it further."),
    ),
    Option(
        name="TgtFilePrefix",
        label=N_("Name prefix"),
        kind=Kind.TEXT,
        longest=100,
        target_types=("png", "jpg", "pdf"),
        help=N_("What the names of the results begin with, no slash in it."),
    ),
    Option(
        name="TgtFileSuffix",
        label=N_("Name suffix"),
        kind=Kind.TEXT,
        longest=100,
        target_types=("png", "jpg", "pdf"),
        help=N_("What the names of the results end with before their extension, no slash in it."),
    ),
    replace(_SOURCE_TYPE, name="SrcType"),
    Option(
        name="UserData",
        label=N_("User data"),
        kind=Kind.TEXT,
        longest=2048,
        help=N_("A text of your own, up to 2,048 bytes."),
    ),
    Option(
        name="ModelId",
        label=N_("Model id"),
        kind=Kind.TEXT,
        help=N_("Reserved: IMM's documentation says that it has no use yet."),
    ),
)

_TRIM = ("EmptyCell", "RepeatedStyle", "UnusedPicture", "UnusedShape")

_OPTIONS_2020 = (
    replace(_START_PAGE, target_types=IMAGES),
    Option(
        name="EndPage",
        label=N_("Last page"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        unlimited=True,
        common=True,
        target_types=IMAGES,
        help=N_("The page to end with; -1, the default, is the document's last."),
    ),
    Option(
        name="Quality",
        label=N_("Quality"),
        kind=Kind.NUMBER,
        low=0,
        high=100,
        common=True,
        target_types=IMAGES,
        help=N_("The quality of images, 0 to 100: higher is better and larger."),
    ),
    Option(
        name="ScalePercentage",
        label=N_("Scale"),
        kind=Kind.NUMBER,
        low=20,
        high=199,
        common=True,
        target_types=IMAGES,
        help=N_("The size of images in percent, 20 to 199, 100 by default."),
    ),
    Option(
        name="LongPicture",
        label=N_("Long picture"),
        kind=Kind.FLAG,
        common=True,
        target_types=IMAGES,
        help=N_("Joins up to 20 pages to one long image; off by default."),
    ),
    Option(
        name="FirstPage",
        label=N_("First image"),
        kind=Kind.FLAG,
        common=True,
        target_types=IMAGES,
        needs="LongPicture",
        help=N_("Only the first image, with Long picture; off by default."),
    ),
    Option(
        name="LongText",
        label=N_("Long text"),
        kind=Kind.FLAG,
        common=True,
        target_types=("txt",),
        help=N_("All text in one long file; off by default."),
    ),
    Option(
        name="HoldLineFeed",
        label=N_("Line feeds"),
        kind=Kind.FLAG,
        common=True,
        target_types=("txt",),
        help=N_("Keeps the line feeds of the document in its text; off by default."),
    ),
    Option(
        name="SheetIndex",
        label=N_("Sheet"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        target_types=IMAGES,
        help=N_("The number of the sheet to begin with, 1 by default."),
    ),
    Option(
        name="SheetCount",
        label=N_("Sheets"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        target_types=IMAGES,
        help=N_("Sheets of a spreadsheet to convert, all by default."),
    ),
    Option(
        name="MaxSheetRow",
        label=N_("Rows"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        unlimited=True,
        target_types=IMAGES,
        needs="LongPicture",
        help=N_("Rows of a sheet to convert at most, with Long picture; all by default."),
    ),
    Option(
        name="MaxSheetColumn",
        label=N_("Columns"),
        kind=Kind.NUMBER,
        low=1,
        high=_INT,
        unlimited=True,
        target_types=IMAGES,
        needs="LongPicture",
        help=N_("Columns of a sheet to convert at most, with Long picture; all by default."),
    ),
    Option(
        name="FitToHeight",
        label=N_("Fit height"),
        kind=Kind.FLAG,
        help=N_("Shrinks a sheet to the height of one page; off by default."),
    ),
    Option(
        name="FitToWidth",
        label=N_("Fit width"),
        kind=Kind.FLAG,
        help=N_("Shrinks a sheet to the width of one page; off by default."),
    ),
    Option(
        name="PaperHorizontal",
        label=N_("Landscape"),
        kind=Kind.FLAG,
        help=N_("The pages of a spreadsheet lie on their long side; off by default."),
    ),
    Option(
        name="PaperSize",
        label=N_("Paper"),
        kind=Kind.CHOICE,
        choices=("A0", "A2", "A4"),
        help=N_("The paper of a spreadsheet, A4 by default; with Fit height and Fit width."),
    ),
    Option(
        name="ShowComments",
        label=N_("Comments"),
        kind=Kind.FLAG,
        target_types=IMAGES,
        help=N_("Shows the comments of a text document; off by default."),
    ),
    _SOURCE_TYPE,
    Option(
        name="Tags",
        label=N_("Tags"),
        kind=Kind.PAIRS,
        longest=65536,
        help=N_("Tags of the task such as team=sales, year=2026: IMM can list tasks by them."),
    ),
    Option(
        name="TrimPolicy",
        label=N_("Do not trim"),
        kind=Kind.SEVERAL,
        choices=tuple(f"DisableDelete{what}" for what in _TRIM),
        help=N_("What IMM is not to remove from a spreadsheet before it converts it, with commas between."),
    ),
    Option(
        name="CredentialConfig",
        label=N_("Role chain"),
        kind=Kind.JSON,
        longest=65536,
        help=N_("The chain of roles to read and write with, as JSON; empty for the project's own role."),
    ),
)

_OPTIONS: dict[ApiVersion, tuple[Option, ...]] = {"2017-09-06": _OPTIONS_2017, "2020-09-30": _OPTIONS_2020}
_SWITCH = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}


def options(api_version: ApiVersion) -> tuple[Option, ...]:
    """The options of CreateOfficeConversionTask, the common ones first."""
    return _OPTIONS[api_version]


def check(option: Option, text: str) -> str | None:
    """What is sent for what was typed; None for nothing. Raises BadInput, whose field is the option's name."""
    typed = text.strip()
    if not typed:
        return None
    match option.kind:
        case Kind.NUMBER:
            sent = _number(option, typed)
        case Kind.FLAG:
            if typed.lower() not in _SWITCH:
                raise _wrong(option, typed, _("It is on or off: write true or false."))
            sent = _SWITCH[typed.lower()]
        case Kind.CHOICE:
            sent = _choice(option, typed)
        case Kind.SEVERAL:
            sent = _several(option, typed)
        case Kind.PAIRS:
            sent = _pairs(option, typed)
        case Kind.JSON:
            sent = json.dumps(_object(option, typed), ensure_ascii=False)
        case Kind.TEXT:
            if option.name in ("TgtFilePrefix", "TgtFileSuffix") and "/" in typed:
                raise _wrong(option, typed, _("A slash would make a folder of it."))
            sent = typed
    if any("\ud800" <= character <= "\udfff" or character == "\0" for character in sent):
        raise _wrong(option, typed, _("It holds a character that is no text."))
    if len(sent.encode()) > option.longest:
        raise _wrong(option, typed, _("It is longer than {count} bytes.").format(count=option.longest))
    return sent


def chosen(api_version: ApiVersion, target_type: str, typed: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """All options that were typed, by name (in any case), as they are sent, in the order of `options`.

    Raises BadInput for one that there is not, that is wrong, or that would have no effect.
    """
    known = {option.name.lower(): option for option in options(api_version)}
    texts: dict[str, str] = {}
    for name, text in typed.items():
        if (option := known.get(name.strip().lower())) is None:
            what = _("“{name}” is no option of IMM {version}.").format(name=name.strip(), version=api_version)
            names = ", ".join(sorted(option.name for option in known.values()))
            raise BadInput(what, fix=_("Choose one of {names}.").format(names=names), field=name.strip())
        texts[option.name] = text
    sent = {
        option.name: value
        for option in known.values()
        if (value := check(option, texts.get(option.name, ""))) is not None
    }
    for name in sent:
        option = known[name.lower()]
        what = _("{name} would have no effect.").format(name=name)
        if not option.suits(target_type):
            why = _("It is for {types} only.").format(types=", ".join(option.target_types))
            raise BadInput(what, why, _("Leave it out."), field=name)
        if option.needs and sent.get(option.needs) != "true" and sent[name] != "false":
            why = _("It is for {name} only.").format(name=option.needs)
            fix = _("Switch {name} on, or leave it out.").format(name=option.needs)
            raise BadInput(what, why, fix, field=name)
    first, last = sent.get("StartPage"), sent.get("EndPage")
    if first and last and last != "-1" and int(last) < int(first):
        raise _wrong(known["endpage"], last, _("It is before the first page, {page}.").format(page=first))
    return tuple(sent.items())


def _number(option: Option, typed: str) -> str:
    assert option.low is not None
    assert option.high is not None
    if option.unlimited and typed == "-1":
        return typed
    if not re.fullmatch(r"[0-9]{1,10}", typed) or not option.low <= int(typed) <= option.high:
        if option.high == _INT:
            why = _("It is a whole number from {low}.").format(low=option.low)
        else:
            why = _("It is a whole number from {low} to {high}.").format(low=option.low, high=option.high)
        fix = _("-1 stands for no limit.") if option.unlimited else ""
        raise _wrong(option, typed, why, fix)
    return str(int(typed))


def _choice(option: Option, typed: str) -> str:
    for choice in option.choices:
        if typed.lower() == choice.lower():
            return choice
    raise _wrong(option, typed, _("It is one of {names}.").format(names=", ".join(option.choices)))


def _several(option: Option, typed: str) -> str:
    if typed.startswith("{"):
        given = _object(option, typed)
        if not all(isinstance(value, bool) for value in given.values()):
            raise _wrong(option, typed, _("Each of its values is true or false."))
        return json.dumps({_choice(option, name): value for name, value in given.items()})
    return json.dumps({_choice(option, name.strip()): True for name in typed.split(",") if name.strip()})


def _pairs(option: Option, typed: str) -> str:
    if typed.startswith("{"):
        given = _object(option, typed)
        if not all(isinstance(value, str) for value in given.values()):
            raise _wrong(option, typed, _("Each of its values is a text."))
        return json.dumps(given, ensure_ascii=False)
    pairs = {}
    for pair in filter(None, (pair.strip() for pair in typed.split(","))):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise _wrong(option, typed, _("“{pair}” is no pair.").format(pair=pair), _("Write key=value, key=value."))
        pairs[key.strip()] = value.strip()
    return json.dumps(pairs, ensure_ascii=False)


def _object(option: Option, typed: str) -> dict[str, object]:
    try:
        value = json.loads(typed)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _wrong(option, typed, _("It is a JSON object."), _('Write it as {"name": "value"}.'))
    return value


def _wrong(option: Option, typed: str, why: str, fix: str = "") -> BadInput:
    shown = typed if len(typed) <= 40 else f"{typed[:39]}…"
    what = _("“{text}” is no value of {name}.").format(text=shown, name=option.name)
    return BadInput(what, why, fix or _("Correct it, or leave it empty."), field=option.name)
