"""What becomes of tokens: a caller of right ones, of each wrong one a refusal."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from service.http.api.jwks import IssuerKeys
from service.http.api.problems import Problem
from service.http.api.tokens import Permission, Tokens, bearer
from service.settings import Settings
from tests.harness.issuer import AUDIENCE, ISSUER, Issuer

PROVIDER = UUID("6f1c3d5e-0b7a-4c1e-9a51-2f60c1c7b0a4")
NOW = int(time.time())
HOUR = 3_600
RSA, EC, ED = Issuer("RS256", "rsa"), Issuer("ES256", "ec"), Issuer("EdDSA", "ed")
STRANGER = Issuer("ES256", "ec")  # another key under a known id


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    file = RSA.publish(tmp_path_factory.mktemp("keys") / "jwks.json", EC, ED)
    settings = Settings.model_validate(
        {"api_issuer": ISSUER, "api_audience": AUDIENCE, "api_jwks": str(file)}
    )
    return Tokens(settings, IssuerKeys(str(file)))


def encoded(part: dict[str, Any] | bytes) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def unsigned() -> str:
    return f"{encoded({'alg': 'none'})}.{EC.token(PROVIDER).split('.')[1]}."


def signed_with_the_public_key() -> str:
    """What a verifier takes that lets the token choose between a signature and a shared secret."""
    assert isinstance(RSA.key, RSAKey)
    pem = RSA.key.as_pem(private=False)
    said = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{RSA.token(PROVIDER).split('.')[1]}"
    return f"{said}.{encoded(hmac.digest(pem, said.encode(), 'sha256'))}"


def changed() -> str:
    head, payload, signature = EC.token(PROVIDER).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{head}.{encoded(claims | {'provider_id': str(uuid4())})}.{signature}"


def with_head(**header: Any) -> str:
    return EC.token(PROVIDER, header)


def critical(name: str, value: Any) -> str:
    """Rightly signed; the library would not sign an extension that it does not know."""
    head = {"alg": "ES256", "kid": "ec", "crit": [name], name: value}
    said = f"{encoded(head)}.{EC.token(PROVIDER).split('.')[1]}"
    signature = JWSRegistry.algorithms["ES256"].sign(said.encode(), EC.key)
    return f"{said}.{encoded(signature)}"


@pytest.mark.parametrize("issuer", [RSA, EC, ED], ids=lambda issuer: issuer.algorithm)
async def test_a_genuine_token_says_who_asks_for_whom(tokens: Tokens, issuer: Issuer) -> None:
    caller = await tokens.caller(issuer.token(PROVIDER, permissions=["reports:read"]))
    assert (caller.subject, caller.provider_id) == ("user-7", PROVIDER)
    assert caller.permissions == {"reports:read"}
    caller.require(Permission.READ_REPORTS)
    with pytest.raises(Problem) as refused:
        caller.require(Permission.DOWNLOAD_REPORTS)
    assert refused.value.status == 403
    assert 'scope="reports:download"' in refused.value.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "token",
    [
        lambda: EC.token(PROVIDER, exp=int(time.time()) - 5),
        lambda: EC.token(PROVIDER, nbf=int(time.time()) + 5),
        lambda: EC.token(PROVIDER, aud=["others", AUDIENCE]),
        lambda: EC.token(PROVIDER, permissions="analytics:read reports:read"),
        lambda: with_head(typ="at+jwt"),
        lambda: with_head(typ=None),
        lambda: with_head(kid=None),  # one key of the set is for the algorithm
        lambda: with_head(jku="https://elsewhere.example/keys", jwk=STRANGER.jwk),
    ],
    ids=[
        "clocks",
        "clocks_nbf",
        "audiences",
        "scopes",
        "access_token",
        "no_typ",
        "no_kid",
        "keys_in_header",
    ],
)
async def test_what_is_unusual_and_right_is_taken(tokens: Tokens, token: Callable[[], str]) -> None:
    assert (await tokens.caller(token())).provider_id == PROVIDER


@pytest.mark.parametrize(
    "token",
    [
        lambda: EC.token(PROVIDER, exp=NOW - HOUR),
        lambda: EC.token(PROVIDER, exp=None),
        lambda: EC.token(PROVIDER, exp="soon"),
        lambda: EC.token(PROVIDER, nbf=NOW + HOUR),
        lambda: EC.token(PROVIDER, iss="https://id.example.test/"),
        lambda: EC.token(PROVIDER, iss=None),
        lambda: EC.token(PROVIDER, aud="others"),
        lambda: EC.token(PROVIDER, aud=None),
        lambda: EC.token(PROVIDER, sub=None),
        lambda: EC.token(PROVIDER, sub="line\nbreak"),
        lambda: EC.token(PROVIDER, sub="x" * 500),
        lambda: STRANGER.token(PROVIDER),
        lambda: with_head(jwk=STRANGER.jwk, kid="other"),
        lambda: STRANGER.token(PROVIDER, {"jwk": STRANGER.jwk}),
        lambda: with_head(kid="../../etc/passwd"),
        lambda: with_head(kid="https://elsewhere.example/keys"),
        lambda: with_head(kid="rsa"),
        lambda: critical("exp", NOW + HOUR),
        lambda: critical("b64", True),
        lambda: with_head(typ="logout+jwt"),
        lambda: EC.token(PROVIDER, note="x" * 9_000),
        unsigned,
        signed_with_the_public_key,
        changed,
        lambda: EC.token(PROVIDER).rpartition(".")[0] + ".",
        lambda: f"{encoded(b'[1]')}.{encoded(b'[]')}.x",
        lambda: f"{encoded(b'[' * 1000)}.x.x",
        lambda: jws.serialize_compact({"alg": "ES256", "kid": "ec"}, b"[" * 2_000, EC.key),
        lambda: "garbage",
        lambda: "ä.ö.ü",
        lambda: "",
    ],
)
async def test_every_wrong_one_is_401(tokens: Tokens, token: Callable[[], str]) -> None:
    with pytest.raises(Problem) as refused:
        await tokens.caller(token())
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].endswith('error="invalid_token"')


@pytest.mark.parametrize("provider", [None, "", "P", "*"])
async def test_one_that_names_no_provider_is_403(tokens: Tokens, provider: str | None) -> None:
    with pytest.raises(Problem) as refused:
        await tokens.caller(EC.token(None, provider_id=provider))
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "headers", [[], ["Basic dXNlcjpwYXNz"], ["Bearer a", "Bearer b"], ["token"]], ids=len
)
def test_what_is_no_bearer_token_is_401(headers: list[str]) -> None:
    with pytest.raises(Problem) as refused:
        bearer(headers)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")
