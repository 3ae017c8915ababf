"""The parameters of an RPC call as IMM reads them: every value is text, and each refusal names its parameter."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_INTEGER = re.compile(r"-?[0-9]{1,18}")


class ImmError(Exception):
    """A refusal of the service: the HTTP status, and the Code and Message of the JSON body."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def missing(name: str) -> ImmError:
    return ImmError(400, f"Missing{name}", f"The parameter {name} is required but not provided.")


def invalid(name: str, why: str) -> ImmError:
    return ImmError(400, f"Invalid{name}", f"The parameter {name} is invalid: {why}.")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Typed access to one call's parameters. An empty value counts as an absent one, as at the gateway."""

    values: Mapping[str, str]

    def text(self, name: str, *, max_bytes: int = 1024) -> str:
        """The value, or "" when absent; longer than `max_bytes` of UTF-8 is refused, and so is a NUL."""
        value = self.values.get(name, "")
        if "\0" in value:
            raise invalid(name, "it contains a NUL character")
        if len(value.encode("utf-8", "surrogatepass")) > max_bytes:
            raise invalid(name, f"it is longer than {max_bytes:,} bytes")
        return value

    def required(self, name: str, *, max_bytes: int = 1024) -> str:
        value = self.text(name, max_bytes=max_bytes)
        if not value:
            raise missing(name)
        return value

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """One of `choices`, or `default` when absent."""
        value = self.text(name)
        if value and value not in choices:
            raise invalid(name, f"it must be one of {', '.join(choices)}")
        return value or default

    def integer(self, name: str, default: int, low: int, high: int, *, everything: bool = False) -> int:
        """A whole number in `low`..`high`, or -1 where `everything` lets it stand for "no limit"."""
        value = self.text(name)
        if not value:
            return default
        if not _INTEGER.fullmatch(value):
            raise invalid(name, "it must be a whole number")
        number = int(value)
        if not (low <= number <= high or (everything and number == -1)):
            raise invalid(name, f"it must be between {low} and {high}" + (" or -1" if everything else ""))
        return number

    def flag(self, name: str) -> bool:
        # Python's SDK writes True, the others write true.
        value = self.text(name).lower()
        if value not in ("", "true", "false"):
            raise invalid(name, "it must be true or false")
        return value == "true"

    def json_object(self, name: str) -> dict[str, object]:
        """A JSON object, or {} when absent."""
        value = self._json(name, {})
        if not isinstance(value, dict):
            raise invalid(name, "it must be a JSON object")
        return value

    def json_list(self, name: str) -> list[object]:
        """A JSON array, or [] when absent."""
        value = self._json(name, [])
        if not isinstance(value, list):
            raise invalid(name, "it must be a JSON array")
        return value

    def _json(self, name: str, default: object) -> object:
        value = self.text(name, max_bytes=65536)
        if not value:
            return default
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise invalid(name, "Invalid JSON") from None
