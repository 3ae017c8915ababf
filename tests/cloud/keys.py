"""Keys that are replaced, as those of a role are."""

from __future__ import annotations

from imm_tui.credentials import Credentials


class Rotating:
    """Each of these keys takes the place of the one before when that one is refused."""

    def __init__(self, *keys: Credentials) -> None:
        self._keys = list(keys)
        self.refused: list[Credentials] = []

    def current(self) -> Credentials:
        return self._keys[0]

    def renew(self, refused: Credentials) -> bool:
        self.refused.append(refused)
        if refused == self._keys[0] and len(self._keys) > 1:
            del self._keys[0]
        return self._keys[0] != refused
