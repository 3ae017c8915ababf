"""From what is known to what is said.

One wrong setting has many consequences. Each check therefore first asks whether another one explains what it sees: then
it is skipped, and that one is named. A check is a pure function of the evidence, and raises NotYet where that is not
enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from imm_tui.doctor import access, records, resources, rights
from imm_tui.doctor.check import Check
from imm_tui.doctor.evidence import Evidence, NotYet

CHECKS: Mapping[str, Callable[[Evidence], Check]] = {
    "credentials": access.credentials,
    "clock": access.clock,
    "imm_endpoint": access.imm_endpoint,
    "mns_endpoint": access.mns_endpoint,
    "region": access.region,
    "project": resources.project,
    "topic": resources.topic,
    "queue": resources.queue,
    "subscription": resources.subscription,
    "format": resources.format_,
    "consumers": resources.consumers,
    "permissions": rights.permissions,
    "history": records.history,
}
"""In the order in which they are shown."""


def judge(evidence: Evidence, name: str) -> Check | None:
    """What is said of one of CHECKS; None while too little is known for it."""
    try:
        return CHECKS[name](evidence)
    except NotYet:
        return None
