"""The access keys of the emulated account: its own one, and those that are added, temporary ones among them."""

from __future__ import annotations

from dataclasses import dataclass, field

from imm_tui.emulator.account import Account
from imm_tui.emulator.clock import Clock


@dataclass(frozen=True, slots=True)
class Key:
    """`token` is empty for a lasting key; `expires` is in seconds since the epoch, by the clock of the cloud."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires: float | None = None


class Keyring:
    """All keys that are good now, or were until they expired."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._own = Key(account.access_key_id, account.access_key_secret)
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self.reset()

    def reset(self) -> None:
        """Only the account's own one is there."""
        self._keys = {self._own.access_key_id: self._own}

    def find(self, access_key_id: str) -> Key | None:
        return self._keys.get(access_key_id)

    def has_expired(self, key: Key) -> bool:
        return key.expires is not None and key.expires <= self._clock.now()

    def add(self, access_key_id: str, secret: str, token: str = "", lasts: float | None = None) -> Key:
        """A key that lasts so many seconds, or for ever; in the place of one with the same id."""
        expires = None if lasts is None else self._clock.now() + lasts
        key = self._keys[access_key_id] = Key(access_key_id, secret, token, expires)
        return key

    def revoke(self, access_key_id: str) -> bool:
        """Whether there was such a key."""
        return self._keys.pop(access_key_id, None) is not None
