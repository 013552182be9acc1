"""Console tokens and the sessions of those who have one."""

import base64
import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from service.http.console.sessions import SESSION_SECONDS, Sessions, WrongLogins, form_proof
from service.http.console.tokens import ConsoleToken, Role, new_token, parse_tokens

ANN, ANN_KEPT = new_token("ann", Role.OPERATOR)
BOB, BOB_KEPT = new_token("bob", Role.READER)
SESSIONS = Sessions([ANN_KEPT, BOB_KEPT])


def test_a_token_opens_a_session_of_its_holder() -> None:
    session = SESSIONS.log_in(ANN)
    assert session
    assert SESSIONS.holder(session) == ANN_KEPT
    assert ANN not in session


def test_the_setting_holds_nothing_that_opens_a_session() -> None:
    assert ANN not in ANN_KEPT.line
    assert SESSIONS.log_in(ANN_KEPT.public_key) is None
    assert SESSIONS.log_in(ANN_KEPT.line) is None


@pytest.mark.parametrize(
    "token", ["", "x", BOB[:-1], "y" * 10_000], ids=["none", "short", "cut off", "long"]
)
def test_no_other_text_is_a_token(token: str) -> None:
    assert SESSIONS.log_in(token) is None


def test_a_token_that_was_taken_away_ends_its_sessions() -> None:
    assert Sessions([BOB_KEPT]).holder(SESSIONS.log_in(ANN)) is None


def test_a_session_ends_after_twelve_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    session, now = SESSIONS.log_in(ANN), time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_SECONDS + 1)
    assert SESSIONS.holder(session) is None


def signed(header: dict[str, str], claims: dict[str, object], token: str) -> str:
    key = OKPKey.derive_key(token, "Ed25519")
    return jwt.encode({"alg": "Ed25519"} | header, claims, key, algorithms=["Ed25519"])


LATER = int(time.time()) + 3_600


@pytest.mark.parametrize(
    "session",
    [
        signed({"kid": "ann"}, {"exp": LATER}, BOB),  # a reader signs as the operator
        signed({}, {"exp": LATER}, "somebody else's"),
        signed({"kid": "carl"}, {"exp": LATER}, BOB),
        signed({"kid": "ann"}, {}, ANN),  # one that never ends
        "a.b.c",
        "ä.ö.ü",
        "",
    ],
    ids=["another's name", "no name", "unknown", "endless", "three words", "no ASCII", "nothing"],
)
def test_no_other_signature_makes_a_session(session: str) -> None:
    assert SESSIONS.holder(session) is None


def test_a_reader_cannot_claim_to_be_somebody_else() -> None:
    """Whoever has a token can sign what he likes with its key."""
    session = signed({"kid": "bob"}, {"exp": LATER, "sub": "ann", "role": "operator"}, BOB)
    assert SESSIONS.holder(session) == BOB_KEPT


def test_a_session_without_a_signature_is_none() -> None:
    parts = ({"alg": "none", "kid": "ann"}, {"exp": LATER})
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    assert SESSIONS.holder(".".join([*encoded, ""])) is None


def test_the_proof_of_a_form_is_of_one_visit_and_one_session() -> None:
    proofs = {form_proof(v, s) for v in ("one", "other") for s in (None, "a", "b")}
    assert len(proofs) == 6


def test_lines_of_the_setting_may_stand_in_a_file_or_in_one_line() -> None:
    lines = [ANN_KEPT.line, BOB_KEPT.line]
    assert parse_tokens("\n".join(lines) + "\n") == parse_tokens(",".join(lines))
    assert [*parse_tokens("\n".join(lines))] == [ANN_KEPT, BOB_KEPT]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{ANN_KEPT.line},ann", "entry 2 is not"),
        (f"{ANN_KEPT.line}\n{ANN_KEPT.line}", "entry 2 has a name"),
        (ANN_KEPT.line.replace("operator", "owner"), "entry 1 is not"),
    ],
    ids=["no line", "the same name", "no role"],
)
def test_what_is_no_line_is_named_by_its_number_and_not_quoted(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        parse_tokens(text)
    assert ANN_KEPT.public_key not in str(caught.value)


def test_a_name_that_no_line_can_hold_gets_no_token() -> None:
    with pytest.raises(ValueError, match="a name is letters"):
        new_token("ann:operator", Role.READER)


def test_an_address_may_guess_ten_times_in_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    logins, now = WrongLogins(), time.monotonic()
    for _ in range(10):
        assert not logins.must_wait("one")
        logins.note("one")
    assert logins.must_wait("one")
    assert not logins.must_wait("other")
    monkeypatch.setattr(time, "monotonic", lambda: now + 301)
    assert not logins.must_wait("one")


def test_tokens_differ() -> None:
    assert len({new_token("ann", Role.READER)[0] for _ in range(10)}) == 10
    assert ConsoleToken("ann", Role.READER, "x").line == "ann:reader:x"
