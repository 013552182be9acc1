"""An event type and its major version, as the CloudEvents attribute `type` spells them."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class EventType:
    """`base` without its version: `ca.meritum.claim.paid` in major version 1 is `….paid.v1`."""

    base: str
    major: int

    @cached_property
    def name(self) -> str:
        return f"{self.base}.v{self.major}"

    def is_in_another_version(self, name: str) -> bool:
        """Whether `name` is this event in a major version other than this one."""
        base, _, major = name.rpartition(".v")
        return base == self.base and name != self.name and major.isascii() and major.isdigit()
