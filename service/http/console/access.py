"""Who is let in: this machine alone where there are no tokens, else who has logged in with one.

A post must come from a page of the console: by what the browser says of its origin, by a cookie
that other sites' requests do not carry, and by a proof in the form that only such a page has.
"""

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request
from starlette.datastructures import Headers

from service.http.console.sessions import Sessions, WrongLogins, form_proof, new_visit
from service.http.console.tokens import Role, parse_tokens
from service.operations.recorded import operator as operator_of_process
from service.settings import Settings
from service.settings.sources import SettingSourceWrong

log = logging.getLogger(__name__)

SESSION_COOKIE, VISIT_COOKIE = "claim_analytics_session", "claim_analytics_visit"
# What proxies add: behind one, a peer on this machine says nothing of who asks.
PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Refused(Exception):
    """The request is not served; the text says why and what to do."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class NotLoggedIn(Exception):
    """There is no session, or it is over."""


@dataclass(frozen=True)
class Visitor:
    """Who asks, and the proof that forms for them bring along."""

    name: str
    role: Role
    proof: str
    with_token: bool

    @property
    def may_act(self) -> bool:
        return self.role is Role.OPERATOR


class Access:
    """The rules, by the setting of tokens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._text: str | None = None
        self._told = ""
        self._sessions = Sessions([])
        self.has_tokens = settings.console_tokens is not None
        self.wrong_logins = WrongLogins()

    @property
    def sessions(self) -> Sessions:
        """By the tokens as they are now, where they stand in a file; a file that cannot be read, or
        holds something else, changes nothing."""
        given = self._settings.console_tokens
        try:
            text = given.get_secret_value() if given else ""
            if text != self._text:
                self._text, self._sessions = text, Sessions(parse_tokens(text))
                self._told = ""
        except (SettingSourceWrong, ValueError) as error:
            if str(error) != self._told:
                self._told = str(error)
                log.error("the console goes on with the tokens that it knows: %s", error)
        return self._sessions

    def check_sender(self, peer: str, headers: Headers) -> None:
        """Raises Refused. Where there are no tokens, also for a page of another site whose name was
        made to lead here (DNS rebinding): its browser sends that name as the host."""
        if self.has_tokens:
            return
        if not is_loopback(peer) or any(name in headers for name in PROXIED):
            raise Refused(
                403,
                "Without tokens the console serves only the machine that it runs on, and this"
                " request came from elsewhere. Make a token with `claim-analytics keys"
                " console-token NAME`, and set CLAIM_ANALYTICS_CONSOLE_TOKENS.",
            )
        if not is_loopback(host_of(headers.get("host", ""))):
            raise Refused(
                403,
                "Without tokens the console answers to localhost, 127.0.0.1 and [::1] alone. Open"
                " it by one of these names.",
            )

    def visitor(self, cookies: Mapping[str, str], visit: str) -> Visitor:
        """Raises NotLoggedIn."""
        if not self.has_tokens:
            proof = form_proof(visit, None)
            return Visitor(operator_of_process(self._settings), Role.OPERATOR, proof, False)
        session = cookies.get(SESSION_COOKIE)
        holder = self.sessions.holder(session)
        if holder is None:
            raise NotLoggedIn
        return Visitor(holder.name, holder.role, form_proof(visit, session), True)


def check_origin(headers: Headers) -> None:
    """Raises Refused for a post that a page of another site has sent. Browsers say where it is
    from; who is none, and says nothing, still needs cookie and proof."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site:
        own = site == "same-origin"
    else:
        own = origin is None or urlsplit(origin).netloc == headers.get("host")
    if not own:
        raise Refused(403, "This form was not sent by a page of the console. Nothing was done.")


def is_loopback(host: str) -> bool:
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def host_of(header: str) -> str:
    """Without its port; as it is where it is no host and port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def is_https(request: Request) -> bool:
    """Also behind a proxy that ends TLS. Who lies in this header gets a cookie that is useless."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return "https" in (request.url.scheme, forwarded.split(",")[0].strip())


def access_of(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


def visit_of(request: Request) -> str:
    """The browser's own random text; a new one is set with the answer."""
    if not hasattr(request.state, "visit"):
        request.state.visit = request.cookies.get(VISIT_COOKIE) or new_visit()
    return str(request.state.visit)


def reader(request: Request, access: Annotated[Access, Depends(access_of)]) -> Visitor:
    """Whoever may look."""
    return access.visitor(request.cookies, visit_of(request))


def operator(visitor: Annotated[Visitor, Depends(reader)]) -> Visitor:
    """Whoever may act."""
    if not visitor.may_act:
        raise Refused(403, f"{visitor.name} may look and not act: that takes an operator's token.")
    return visitor


def acting(
    visitor: Annotated[Visitor, Depends(operator)], proof: Annotated[str, Form()] = ""
) -> Visitor:
    """Whoever may act, with a form of the console's own."""
    check_proof(visitor.proof, proof)
    return visitor


def check_proof(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Refused(
            403, "The form is not of this session, or too old. Nothing was done: load it anew."
        )


Reader = Annotated[Visitor, Depends(reader)]
Operator = Annotated[Visitor, Depends(operator)]
Acting = Annotated[Visitor, Depends(acting)]
