"""Submitting once more what was submitted before, with its exact request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from imm_tui import options, submission
from imm_tui.config import Settings
from imm_tui.errors import BadInput, Trouble
from imm_tui.history import History, Order
from imm_tui.i18n import _
from imm_tui.tasks import Conversion, Task, now

_FIELDS = {
    "2017-09-06": {
        "SrcUri": "source_uri",
        "TgtUri": "target_uri",
        "TgtType": "target_type",
        "TgtFilePages": "pages",
        "DisplayDpi": "dpi",
    },
    "2020-09-30": {
        "SourceURI": "source_uri",
        "TargetURIPrefix": "target_uri",
        "TargetURI": "target_uri",
        "TargetType": "target_type",
        "Pages": "pages",
        "ImageDPI": "dpi",
    },
}
"""The parameters that are fields of a conversion, by API version."""

_PLACES = ("Project", "ProjectName", "NotifyEndpoint", "NotifyTopicName", "Notification")
"""What the profile gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resubmit:
    """One task as it can be submitted once more."""

    task: Task
    conversion: Conversion | None = None
    """None where there is a trouble."""
    needs_password: bool = False
    """It was submitted with one, which is not kept: give it with `with_password`."""
    trouble: Trouble | None = None
    """Why it cannot be submitted once more."""

    def with_password(self, password: str) -> Resubmit:
        conversion = self.conversion and replace(self.conversion, password=password)
        return replace(self, conversion=conversion, needs_password=False)


def resubmission(history: History, tasks: Iterable[int], settings: Settings) -> list[Resubmit]:
    """These tasks as they are submitted once more to the project of `settings`, in the same order.

    Source, target, type, pages, resolution and options are those of the request as it was sent; the place, the
    notification and the token are of now. A task that an older imm-tui submitted can be submitted once more where it
    had neither pages nor a resolution. Raises HistoryUnusable.
    """
    found = (task for number in tasks if (task := history.task(number)) is not None)
    return [_resubmit(history, task, settings) for task in found]


def differences(request: Mapping[str, Any] | None, settings: Settings) -> list[str]:
    """A sentence for each thing that is not now as it was when `request` was sent: version, region, project, topic."""
    if request is None:
        return []
    parameters = request["parameters"]
    then = {
        "api_version": request["version"],
        "region": request["region"],
        "project": parameters.get("Project") or parameters.get("ProjectName") or "",
        "topic": _topic(parameters),
    }
    sentences = {
        "api_version": _("The API version was {then} and is {now} now."),
        "region": _("The region was {then} and is {now} now."),
        "project": _("The project was {then} and is {now} now."),
        "topic": _("The topic was {then} and is {now} now."),
    }
    none = _("none")
    return [
        sentence.format(then=then[name] or none, now=getattr(settings, name) or none)
        for name, sentence in sentences.items()
        if then[name] != getattr(settings, name)
    ]


def _topic(parameters: Mapping[str, str | None]) -> str:
    if "Notification" in parameters:
        told = json.loads(parameters["Notification"] or "{}")
        return str(told.get("MNS", {}).get("TopicName", ""))
    return parameters.get("NotifyTopicName") or ""


def _resubmit(history: History, task: Task, settings: Settings) -> Resubmit:
    what = _("This task cannot be submitted once more.")
    request = history.request_of(task.id)
    if task.untracked or task.source_uri is None or task.target_uri is None or task.target_type is None:
        why = _("It was not submitted from here: its request is not known.")
        return Resubmit(task=task, trouble=Trouble(what, why))
    parameters: Mapping[str, str | None] = request["parameters"] if request else {}
    if request is not None:
        conversion = _conversion(request["version"], parameters)
    elif history.find("id = ? AND pages IS NULL AND dpi IS NULL", [task.id], Order(), now()):
        conversion = Conversion(source_uri=task.source_uri, target_uri=task.target_uri, target_type=task.target_type)
    else:
        why = _("An older imm-tui submitted it and did not keep its whole request.")
        return Resubmit(task=task, trouble=Trouble(what, why))
    try:
        _check(conversion, settings)
    except BadInput as wrong:
        return Resubmit(task=task, trouble=Trouble(what, str(wrong)))
    return Resubmit(task=task, conversion=conversion, needs_password="Password" in parameters)


def _conversion(version: str, parameters: Mapping[str, str | None]) -> Conversion:
    """What was asked for, read from the request as it was sent."""
    names = _FIELDS[version]
    fields: dict[str, Any] = {field: parameters[name] for name, field in names.items() if name in parameters}
    target_type = fields.pop("target_type")
    dpi = fields.pop("dpi", None)
    known = {option.name for option in options.options("2017-09-06" if version == "2017-09-06" else "2020-09-30")}
    return Conversion(
        **fields,
        target_type="txt" if target_type == "text" else target_type,
        dpi=None if dpi is None else int(dpi),
        options=tuple((name, value) for name, value in parameters.items() if name in known and value is not None),
    )


def _check(conversion: Conversion, settings: Settings) -> None:
    """Raises BadInput for what the API version of now does not have."""
    version = settings.api_version
    target_type = submission.check_target_type(conversion.target_type, version)
    submission.check_target_uri(conversion.target_uri, version)
    options.chosen(version, target_type, dict(conversion.options))
