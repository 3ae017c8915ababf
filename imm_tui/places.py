"""Where a person wants something written: the place that they typed, and the folders that are not there yet."""

from __future__ import annotations

from pathlib import Path

from imm_tui.errors import BadInput
from imm_tui.i18n import _


def whole(typed: str) -> Path:
    """The file or folder that was typed, from the root on. Raises BadInput where it cannot be told which it is."""
    try:
        return Path(typed).expanduser().absolute()
    except RuntimeError:
        raise refusal(typed, _("There is no such home folder.")) from None
    except (OSError, ValueError) as error:  # the folder that the program was started in is gone, say
        raise cannot(typed, error) from None


def missing(folder: Path) -> Path | None:
    """The uppermost folder that has to be made so that there is this one; None where it is there."""
    absent = None
    for place in (folder, *folder.parents):
        try:
            place.lstat()
        except FileNotFoundError:
            absent = place
        except (OSError, ValueError):  # whoever writes there says what is wrong
            return None
        else:
            break
    return absent


def cannot(place: Path | str, error: OSError | ValueError) -> BadInput:
    """What a person is told of a place that the system does not take."""
    if isinstance(error, OSError):
        return refusal(place, f"{error.strerror or error}.")
    return refusal(place, _("It cannot be a name."))  # a NUL, or half of a surrogate pair


def refusal(place: Path | str, why: str) -> BadInput:
    what = _("Nothing can be exported to {path}.").format(path=place)
    return BadInput(what, why, _("Name another place."), field="path")
