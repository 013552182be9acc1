"""Console tokens: who may look and who may act, and what the setting keeps of each.

A token is random text. From it a pair of keys is derived: the setting keeps the public one, from
which nobody makes the token or a session. A session is a JWT that the private one has signed at
login, so every instance can check it by the setting alone.
"""

import re
import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

PREFIX = "claim-analytics-console-"  # so that scanners for leaked secrets can know it
LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):(reader|operator):([A-Za-z0-9_-]{43})")


class Role(StrEnum):
    """What a token lets its holder do."""

    READER = "reader"  # look at everything that the console shows
    OPERATOR = "operator"  # and act


class ConsoleToken(NamedTuple):
    """What the setting keeps: whose it is, and the public key (Ed25519, the `x` of its JWK)."""

    name: str
    role: Role
    public_key: str

    @property
    def line(self) -> str:
        return f"{self.name}:{self.role}:{self.public_key}"


def parse_tokens(text: str) -> Sequence[ConsoleToken]:
    """Of lines `name:role:key`, with line breaks, blanks or commas between.

    Raises ValueError; it says which entry is wrong, by its number, and quotes none.
    """
    found: dict[str, ConsoleToken] = {}
    if not text.strip(" \t\r\n,"):
        return []
    for number, entry in enumerate(re.split(r"[\s,]+", text.strip(" \t\r\n,")), start=1):
        if not (parts := LINE.fullmatch(entry)):
            raise ValueError(
                f"entry {number} is not name:reader:key or name:operator:key, as"
                " `claim-analytics keys console-token` prints it"
            )
        token = ConsoleToken(parts[1], Role(parts[2]), parts[3])
        if token.name in found:
            raise ValueError(f"entry {number} has a name that an earlier one has")
        found[token.name] = token
    return list(found.values())


def new_token(name: str, role: Role) -> tuple[str, ConsoleToken]:
    """The token, for its holder alone, and what the setting keeps of it.

    Raises ValueError for a name that a line cannot hold.
    """
    from service.http.console.sessions import public_key  # noqa: PLC0415  # 0.1 s, and few need it

    token = PREFIX + secrets.token_urlsafe(32)
    kept = ConsoleToken(name, role, public_key(token))
    if not LINE.fullmatch(kept.line):
        raise ValueError("a name is letters, digits, dots, dashes and underscores, at most 64")
    return token, kept
