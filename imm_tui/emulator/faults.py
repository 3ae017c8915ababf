"""Fault rules: what shall go wrong, for whom and how often. Here they are read and chosen; elsewhere carried out."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from random import Random

SERVICES = ("mns", "imm", "sts", "*")
RECEIVING = ("ReceiveMessage", "BatchReceiveMessage")
HANDLING = (*RECEIVING, "DeleteMessage", "BatchDeleteMessage", "ChangeMessageVisibility")
OPERATIONS = (
    *("CreateQueue", "SetQueueAttributes", "GetQueueAttributes", "DeleteQueue", "ListQueue"),
    *("SendMessage", "BatchSendMessage", "PeekMessage", "BatchPeekMessage", *HANDLING),
    *("CreateTopic", "SetTopicAttributes", "GetTopicAttributes", "DeleteTopic", "ListTopic", "Publish"),
    *("Subscribe", "SetSubscriptionAttributes", "GetSubscriptionAttributes", "Unsubscribe", "ListSubscriptionByTopic"),
    *("PutProject", "CreateProject", "GetProject", "ListProjects", "DeleteProject"),
    *("CreateOfficeConversionTask", "GetOfficeConversionTask", "ListOfficeConversionTask"),
    *("DeleteOfficeConversionTask", "GetTask", "ListTasks"),
    "GetCallerIdentity",
    "*",
)

BEFORE = ("latency", "skew", "error", "throttle", "html", "redirect", "cut-before")
"""Effects on a request. All but the first two keep the operation from taking place."""

AFTER = ("hang", "malformed", "truncate", "cut-after")
"""Effects on the answer of an operation that took place."""

ON_HANDLES = ("expire-handle", "duplicate")
"""Effects on the messages of a receive, and the first of them on what a handle is good for."""

ON_DELIVERY = ("drop", "delay", "duplicate", "reorder")
"""Effects on a notification on its way from a topic, of whichever service, to a queue."""

_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "drop": ("Publish",),
    "delay": ("Publish",),
    "reorder": ("Publish",),
    "duplicate": ("Publish", *RECEIVING),
    "expire-handle": HANDLING,
}
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "latency": ("seconds",),
    "skew": ("seconds",),
    "hang": ("seconds",),
    "delay": ("seconds",),
    "error": ("status", "code", "message", "retry_after"),
    "throttle": ("status", "code", "message", "retry_after"),
    "html": ("status",),
    "redirect": ("status", "location"),
    "duplicate": ("times",),
}
_NEEDED = {"latency": "seconds", "skew": "seconds", "delay": "seconds", "redirect": "location"}
_COMMON = ("effect", "service", "operation", "probability", "count", "skip", "seed")


class BadRule(Exception):
    """A rule that cannot be followed; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Of what it fits it lets the first `skip` pass, then strikes with `probability`, `count` times at most.

    What is None has a default that depends on the service. `seconds` is the length of a latency, a hang or a delay, or
    how far the clock that dates signatures is ahead; `times` how often a duplicate arrives in all.
    """

    effect: str
    service: str = "*"
    operation: str = "*"
    probability: float = 1.0
    count: int | None = None
    skip: int = 0
    seed: int | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    seconds: float | None = None
    location: str | None = None
    times: int = 2

    def fits(self, services: Collection[str], operation: str) -> bool:
        return (self.service == "*" or self.service in services) and self.operation in ("*", operation)


def read_rule(members: Mapping[str, object]) -> Rule:
    """A rule from the members of a JSON object. Raises BadRule."""
    effect = members.get("effect")
    if not isinstance(effect, str) or effect not in {*BEFORE, *AFTER, *ON_HANDLES, *ON_DELIVERY}:
        raise BadRule(f"effect must be one of {', '.join(dict.fromkeys(BEFORE + AFTER + ON_HANDLES + ON_DELIVERY))}.")
    known = (*_COMMON, *_OPTIONS.get(effect, ()))
    if unknown := sorted(members.keys() - set(known)):
        raise BadRule(f"There is no {', '.join(unknown)} for {effect}, but {', '.join(known)}.")
    if (needed := _NEEDED.get(effect)) and members.get(needed) is None:
        raise BadRule(f"{effect} needs {needed}.")
    for name, value in members.items():
        if value is not None or name not in _MAY_BE_NONE:
            _CHECKS[name](name, value)
    rule = Rule(**members)  # type: ignore[arg-type]  # each value was just checked
    allowed = _ONLY_FOR.get(effect, OPERATIONS)
    if rule.operation not in (*allowed, "*"):
        raise BadRule(f"{effect} is for {', '.join(allowed)}, not for {rule.operation}.")
    return rule


def _number(low: float, high: float) -> Callable[[str, object], None]:
    def check(name: str, value: object) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not (number and low <= value <= high):  # type: ignore[operator]
            raise BadRule(f"{name} must be a number from {low:g} to {high:g}.")

    return check


def _whole(low: int, high: int) -> Callable[[str, object], None]:
    def check(name: str, value: object) -> None:
        if type(value) is not int or not low <= value <= high:
            raise BadRule(f"{name} must be a whole number from {low} to {high}.")

    return check


def _one_of(choices: tuple[str, ...]) -> Callable[[str, object], None]:
    def check(name: str, value: object) -> None:
        if value not in choices:
            raise BadRule(f"{name} must be one of {', '.join(choices)}.")

    return check


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.isprintable():
        raise BadRule(f"{name} must be printable text.")


_MANY = 10**9
_CHECKS: Mapping[str, Callable[[str, object], None]] = {
    "effect": _text,
    "service": _one_of(SERVICES),
    "operation": _one_of(OPERATIONS),
    "probability": _number(0, 1),
    "count": _whole(0, _MANY),
    "skip": _whole(0, _MANY),
    "seed": _whole(0, 2**63),
    "status": _whole(200, 599),
    "code": _text,
    "message": _text,
    "retry_after": _number(0, _MANY),
    "seconds": _number(-_MANY, _MANY),
    "location": _text,
    "times": _whole(1, 100),
}
_MAY_BE_NONE = {option.name for option in fields(Rule) if option.default is None}


@dataclass(slots=True)
class _Armed:
    rule: Rule
    random: Random
    fitted: int = 0
    injected: int = 0

    def strikes(self) -> bool:
        self.fitted += 1
        rule = self.rule
        if self.fitted <= rule.skip or (rule.count is not None and self.injected >= rule.count):
            return False
        if rule.probability < 1 and self.random.random() >= rule.probability:
            return False
        self.injected += 1
        return True


class Faults:
    """The rules in force. The same seed, rules and requests make the same choices."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._armed: list[_Armed] = []
        self._added = 0

    @property
    def active(self) -> bool:
        """Whether there is any rule: without one, nobody need ask."""
        return bool(self._armed)

    def add(self, rule: Rule) -> int:
        """The number of the rule, from 1."""
        self._added += 1
        seed = f"{self._seed} {self._added}" if rule.seed is None else str(rule.seed)
        self._armed.append(_Armed(rule, Random(seed)))
        return self._added

    def strike(self, effects: Collection[str], services: Collection[str], operation: str) -> Iterator[Rule]:
        """The rules that take effect now, oldest first. Each is decided when it is asked for, and counted then."""
        for armed in tuple(self._armed):
            if armed.rule.effect in effects and armed.rule.fits(services, operation) and armed.strikes():
                yield armed.rule

    def listing(self) -> list[dict[str, object]]:
        first = self._added - len(self._armed) + 1
        return [
            {"id": number, **asdict(armed.rule), "injected": armed.injected}
            for number, armed in enumerate(self._armed, first)
        ]

    def clear(self) -> None:
        self._armed.clear()

    def reset(self) -> None:
        """No rules, and numbers from 1 again."""
        self.clear()
        self._added = 0
