"""LibreOffice, where this machine has it: an Office document to a PDF."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

from imm_tui.emulator.conversion.documents import is_ooxml
from imm_tui.emulator.conversion.request import OPEN_ERROR, ConversionError

# LibreOffice goes by the extension; WPS Office's own are those of its models in Microsoft's.
_COUSINS = {
    "wps": "doc",
    "wpss": "doc",
    "dps": "ppt",
    "dpt": "ppt",
    "dpss": "ppt",
    "et": "xls",
    "ett": "xls",
    "ets": "xls",
}

# A document must not make its reader call out or run something.
_SETTINGS = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
</oor:items>
"""


def find_soffice() -> str | None:
    """The program's path, if it is on PATH."""
    return shutil.which("soffice")


class Office:
    """One LibreOffice profile and at most one running LibreOffice, in the folder `scratch`."""

    def __init__(self, scratch: Path, program: str) -> None:
        self._program = program
        self._scratch = scratch
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        settings = scratch / "profile" / "user" / "registrymodifications.xcu"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS, encoding="utf-8")

    def to_pdf(self, content: bytes, extension: str) -> bytes:
        """The document as a PDF; takes as long as it takes (see `stop`). Raises ConversionError."""
        cousin = _COUSINS.get(extension)
        if cousin:
            extension = cousin + ("x" if is_ooxml(content) else "")
        source, result = self._scratch / f"document.{extension}", self._scratch / "document.pdf"
        with self._starting:  # after `stop` nothing is written any more either: the folder is being removed
            source.write_bytes(content)
            result.unlink(missing_ok=True)
            self._process = subprocess.Popen(
                [
                    self._program,
                    "--headless",
                    "--norestore",
                    "--nolockcheck",
                    f"-env:UserInstallation={(self._scratch / 'profile').as_uri()}",
                    *(["--infilter=CSV:44,34,76"] if extension == "csv" and _is_utf8(content) else []),
                    "--convert-to",
                    "pdf",
                    "--outdir",
                    str(self._scratch),
                    str(source),
                ],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # soffice is a script round the real program: a group of its own ends as one.
                start_new_session=True,
            )
        self._process.wait()
        source.unlink()
        if not result.is_file():
            raise ConversionError(OPEN_ERROR, "LibreOffice could not open the document.")
        return result.read_bytes()

    def _environment(self) -> dict[str, str]:
        """All that it writes, its caches in the home folder too, goes to the scratch folder."""
        scratch = str(self._scratch)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        return {**kept, "HOME": scratch, "TMPDIR": scratch}

    def stop(self) -> None:
        """Ends a LibreOffice that is running, for good: none starts any more. From any thread."""
        self._starting.acquire()
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _is_utf8(content: bytes) -> bool:
    """LibreOffice reads a table's text in the system's encoding (on a server often none to speak of) unless told."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
