"""PostgreSQL's URL: which servers, which database, and how to connect to them."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote

from repositories.errors import DatabaseSettingWrong

URL = re.compile(
    r"(?:postgresql|postgres|postgresql\+asyncpg)://"
    r"(?:(?P<user>[^:/@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<hosts>[^/?@]*)/(?P<database>[^/?]+)(?:\?(?P<query>.*))?"
)
HOST = re.compile(r"(?:\[(?P<address>[^\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
TLS_MODES = ("require", "verify-ca", "verify-full")
TLS_FILES = ("sslrootcert", "sslcert", "sslkey")
SESSION_ATTRIBUTES = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
# As every PostgreSQL client knows them, each with the values that it takes.
PARAMETERS = {
    "sslmode": ("|".join(SSL_MODES), f"one of {', '.join(SSL_MODES)}"),
    **dict.fromkeys(TLS_FILES, (".+", "the path of a file")),
    "connect_timeout": ("[1-9][0-9]{0,4}", "whole seconds, 1 or more"),
    "application_name": ("[ -~]{1,63}", "63 plain letters at most"),
    "target_session_attrs": (
        "|".join(SESSION_ATTRIBUTES),
        f"one of {', '.join(SESSION_ATTRIBUTES)}",
    ),
}
SETTINGS = "CLAIM_ANALYTICS_DATABASE_URL (or …_DIRECT_URL)"
FORM = "postgresql://user:password@host:port/name"


@dataclass(frozen=True)
class Host:
    """One server: a name, an address, or the folder of a Unix socket."""

    name: str
    port: int = 5432

    @property
    def is_local(self) -> bool:
        """Whether nothing that is said to it leaves this machine."""
        try:
            return ipaddress.ip_address(self.name).is_loopback
        except ValueError:
            return self.name == "localhost" or self.name.startswith("/")

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class DatabaseUrl:
    """A URL in its parts. Without a user or password the driver takes PostgreSQL's variables."""

    hosts: tuple[Host, ...]
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError, which quotes nothing of the URL."""
        found = URL.fullmatch(url)
        if found is None:
            raise ValueError(f"expected {FORM}, with the name of a database")
        return cls(
            hosts=tuple(_host(text) for text in found["hosts"].split(",")),
            database=unquote(found["database"]),
            user=unquote(found["user"]) if found["user"] else None,
            password=unquote(found["password"]) if found["password"] else None,
            parameters=_parameters(found["query"] or ""),
        )

    @property
    def connect_timeout(self) -> int:
        """Seconds for each host."""
        return int(self.parameters.get("connect_timeout", 10))

    @property
    def target_session_attrs(self) -> str:
        """Of several servers the one that can be written to, unless the URL says otherwise."""
        usual = "read-write" if len(self.hosts) > 1 else "any"
        return self.parameters.get("target_session_attrs", usual)

    @property
    def is_local(self) -> bool:
        return all(host.is_local for host in self.hosts)

    def named(self, *hosts: Host) -> str:
        """For messages: these servers, or all, and the database."""
        servers = ", ".join(str(host) for host in hosts or self.hosts)
        return f"PostgreSQL at {servers}, database {self.database}"


class CurrentUrl:
    """A URL, or what gives it: then user, password and parameters may change while it is in use.

    `url` is as it was asked for last. Raises ValueError for what is no URL.
    """

    def __init__(self, url: str | Callable[[], str]) -> None:
        self._ask = url if callable(url) else lambda: url
        self.url = DatabaseUrl.parse(self._ask())

    def renewed(self) -> DatabaseUrl:
        """As it is now. Raises DatabaseSettingWrong, also if it leads to another database: one
        process must not write into two."""
        try:
            now = DatabaseUrl.parse(self._ask())
        except ValueError as error:
            raise DatabaseSettingWrong(f"{SETTINGS} is wrong: {error}") from None
        if (now.hosts, now.database) != (self.url.hosts, self.url.database):
            raise DatabaseSettingWrong(
                f"{SETTINGS} was changed and leads to {now.named()}, no longer to"
                f" {self.url.named()}: that takes a restart"
            )
        self.url = now
        return now


def _host(text: str) -> Host:
    found = HOST.fullmatch(text or "localhost")
    port = int(found["port"] or 5432) if found else 0
    if found is None or not 0 < port < 65_536:
        raise ValueError(
            f"expected {FORM}, or several host:port with commas between; a port is 1 to 65535"
        )
    return Host(unquote(found["address"] or found["name"]), port)


def _parameters(query: str) -> Mapping[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    # `ssl` is the driver's own name, which the service took at first.
    given = {"sslmode" if name == "ssl" else name: value for name, value in pairs}
    if set(given) - set(PARAMETERS) or (query and not given):
        raise ValueError(f"after ? it takes {', '.join(PARAMETERS)}, and nothing else")
    for name, value in given.items():
        pattern, meaning = PARAMETERS[name]
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{name} is {meaning}")
    if set(given) & set(TLS_FILES) and given.get("sslmode") not in TLS_MODES:
        raise ValueError(f"{', '.join(TLS_FILES)} need sslmode={', or '.join(TLS_MODES)}")
    return given
