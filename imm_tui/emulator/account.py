"""Whose cloud this is: an account that the emulator makes up, and the names in its ready-made environment."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field

PROJECT = "GetResult-ByNotify-Demo"
TOPIC = "imm-tui-topic"
QUEUE = "imm-tui-queue"
SUBSCRIPTION = "imm-tui-subscription"


@dataclass(frozen=True, slots=True)
class Account:
    """One Alibaba Cloud account in one region; `account_id` is the decimal number that owners are shown as."""

    account_id: str
    region: str
    access_key_id: str
    access_key_secret: str = field(repr=False)

    @classmethod
    def made_up(cls, region: str = "cn-beijing") -> Account:
        """An account with random keys in the shape of real ones. They open nothing but this emulator."""
        letters = string.ascii_letters + string.digits

        def draw(alphabet: str, length: int) -> str:
            return "".join(secrets.choice(alphabet) for _ in range(length))

        return cls(
            account_id="1" + draw(string.digits, 15),
            region=region,
            access_key_id="LTAI" + draw(letters, 20),
            access_key_secret=draw(letters, 30),
        )
