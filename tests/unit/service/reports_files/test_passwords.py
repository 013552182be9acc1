import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey, RSAKey

from service.reports.files.file_errors import KeySettingWrong, PasswordRefused
from service.reports.files.passwords import PasswordKeys, new_private_key, with_new_key

PASSWORD = "correct horse battery"
SETTING = new_private_key()
KEYS = PasswordKeys.parse(SETTING)
ACCEPTED = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}


def sealed(
    plaintext: str | bytes = PASSWORD,
    header: dict[str, Any] | None = None,
    jwk: dict[str, str] | None = None,
) -> str:
    """As a requester would make it, from the published key alone."""
    public = jwk or KEYS.public_jwk()
    key = ECKey.import_key({name: public[name] for name in ("kty", "crv", "x", "y")})
    chosen = header or ACCEPTED | {"kid": public["kid"]}
    algorithms = [chosen["alg"], chosen["enc"], "DEF"]
    return jwe.encrypt_compact(chosen, plaintext, key, algorithms=algorithms)


def refusal(token: str) -> str:
    with pytest.raises(PasswordRefused) as refused:
        KEYS.open_password(token)
    return str(refused.value)


def test_a_password_that_was_encrypted_to_the_public_key_opens() -> None:
    assert KEYS.open_password(sealed()) == PASSWORD


def test_a_password_opens_without_a_key_id_in_its_header() -> None:
    assert KEYS.open_password(sealed(header=ACCEPTED)) == PASSWORD


def test_a_password_may_have_letters_of_any_kind() -> None:
    assert KEYS.open_password(sealed("Nguyễn-Łukasz-Đặng")) == "Nguyễn-Łukasz-Đặng"


def test_the_public_key_is_a_jwk_without_the_private_part() -> None:
    public = KEYS.public_jwk()

    assert public.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (public["kty"], public["crv"], public["use"]) == ("EC", "P-256", "enc")
    assert public["kid"] == ECKey.import_key({**public}).thumbprint()


@pytest.mark.parametrize("length", [12, 128])
def test_the_shortest_and_the_longest_password_open(length: int) -> None:
    assert KEYS.open_password(sealed("p" * length)) == "p" * length


@pytest.mark.parametrize(
    ("plaintext", "says"),
    [
        ("", "fewer than 12 characters"),
        ("short", "fewer than 12 characters"),
        ("11 letters.", "fewer than 12 characters"),
        ("ééééééééééé", "fewer than 12 characters"),
        ("p" * 129, "more than 128 characters"),
        (b"\xff" * 20, "not text in UTF-8"),
        ("correct horse battery\n", "cannot be typed"),
        ("correct\0horse battery", "cannot be typed"),
    ],
)
def test_an_unfit_password_is_refused_with_its_reason(plaintext: str | bytes, says: str) -> None:
    text = refusal(sealed(plaintext))

    assert says in text
    assert "horse" not in text


@pytest.mark.parametrize(
    "header",
    [
        ACCEPTED | {"alg": "ECDH-ES"},
        ACCEPTED | {"alg": "ECDH-ES+A128KW"},
        ACCEPTED | {"enc": "A128GCM"},
        ACCEPTED | {"enc": "A256CBC-HS512"},
        ACCEPTED | {"zip": "DEF"},
        ACCEPTED | {"kid": "another"},
        ACCEPTED | {"kid": ""},
    ],
)
def test_another_algorithm_key_id_or_option_is_refused(header: dict[str, Any]) -> None:
    assert "cannot be opened" in refusal(sealed(header=header))


def test_a_password_for_another_key_is_refused() -> None:
    other = PasswordKeys.parse(new_private_key()).public_jwk()

    assert "cannot be opened" in refusal(sealed(jwk=other))
    assert "cannot be opened" in refusal(sealed(header=ACCEPTED, jwk=other))


def test_a_password_under_a_symmetric_key_is_refused() -> None:
    key = OctKey.import_key(b"k" * 32)
    header = {"alg": "dir", "enc": "A256GCM"}
    assert "cannot be opened" in refusal(jwe.encrypt_compact(header, PASSWORD, key))


def test_a_password_under_an_rsa_key_is_refused() -> None:
    header = {"alg": "RSA-OAEP", "enc": "A256GCM"}
    assert "cannot be opened" in refusal(
        jwe.encrypt_compact(header, PASSWORD, RSAKey.generate_key())
    )


@pytest.mark.parametrize("part", range(5))
def test_a_changed_part_is_refused(part: int) -> None:
    parts = sealed().split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    assert "cannot be opened" in refusal(".".join(parts))


@pytest.mark.parametrize(
    "token",
    [
        "",
        PASSWORD,
        "....",
        "a.b.c.d.e",
        "eyJhbGciOiJub25lIn0.e30.",
        "é" * 50,
        "a." * 2500,
        "\n",
        "\ud800",
        base64.urlsafe_b64encode(b"[" * 2900).decode() + ".a.a.a.a",
    ],
)
def test_what_is_no_jwe_is_refused(token: str) -> None:
    assert "cannot be opened" in refusal(token)


def test_a_jwe_that_is_too_long_is_refused() -> None:
    assert "cannot be opened" in refusal(sealed("p" * 5000))


def with_header(header: object) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([encoded, *sealed().split(".")[1:]])


PUBLIC = {name: KEYS.public_jwk()[name] for name in ("kty", "crv", "x", "y")}


@pytest.mark.parametrize(
    "header",
    [
        None,
        [],
        ["alg", "enc"],
        ACCEPTED,
        ACCEPTED | {"epk": None},
        ACCEPTED | {"epk": []},
        ACCEPTED | {"epk": PUBLIC | {"x": PUBLIC["y"]}},  # not on the curve
        ACCEPTED | {"epk": PUBLIC | {"x": 5}},
        ACCEPTED | {"epk": PUBLIC | {"crv": "P-384"}},
        ACCEPTED | {"epk": PUBLIC | {"d": PUBLIC["x"]}},
        ACCEPTED | {"epk": PUBLIC | {"use": []}},
        ACCEPTED | {"epk": PUBLIC},
        ACCEPTED | {"epk": PUBLIC, "apu": "%"},
        ACCEPTED | {"epk": PUBLIC, "apu": 5},
        ACCEPTED | {"epk": PUBLIC, "kid": 5},
        ACCEPTED | {"epk": PUBLIC, "typ": {}},
        ACCEPTED | {"epk": PUBLIC, "crit": ["exp"]},
        {"alg": ["ECDH-ES+A256KW"], "enc": "A256GCM", "epk": PUBLIC},
    ],
)
def test_a_made_up_header_is_refused(header: object) -> None:
    assert "cannot be opened" in refusal(with_header(header))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
EPKS = st.fixed_dictionaries(
    {"kty": st.just("EC"), "crv": st.just("P-256")},
    optional={
        "x": st.sampled_from([PUBLIC["x"], "A" * 43, "_" * 43]) | JSON,
        "y": st.sampled_from([PUBLIC["y"], "A" * 43, "_" * 43]) | JSON,
        "use": JSON,
        "key_ops": JSON,
        "kid": JSON,
        "alg": JSON,
    },
)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {"alg": st.just("ECDH-ES+A256KW"), "enc": st.just("A256GCM"), "epk": EPKS},
        optional={"apu": JSON, "apv": JSON, "typ": JSON, "cty": JSON, "kid": JSON},
    )
)
def test_no_header_brings_any_other_error(header: dict[str, object]) -> None:
    refusal(with_header(header))


@settings(deadline=None)
@given(st.lists(st.text("AQgwBd-_", max_size=30), min_size=4, max_size=4))
def test_no_body_brings_any_other_error(body: list[str]) -> None:
    refusal(".".join([sealed().split(".")[0], *body]))


@settings(deadline=None)
@given(st.text(max_size=200) | st.text("eyJ.AQ_-", max_size=200))
def test_no_text_brings_any_other_error(token: str) -> None:
    refusal(token)


def test_after_a_rotation_the_new_key_is_published_and_the_old_still_opens() -> None:
    old_token = sealed()
    new = new_private_key()

    rotated = PasswordKeys.parse(with_new_key(SETTING, new))

    assert rotated.public_jwk() == PasswordKeys.parse(new).public_jwk()
    assert rotated.open_password(old_token) == PASSWORD
    assert rotated.open_password(sealed(header=ACCEPTED)) == PASSWORD
    assert rotated.open_password(sealed(jwk=rotated.public_jwk())) == PASSWORD


PRIVATE: dict[str, str] = json.loads(SETTING)


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "null",
        "not json",
        "[" * 100_000,
        '{"keys": []}',
        '{"keys": 5}',
        '{"keys": [5]}',
        json.dumps({**PRIVATE, "kty": "oct"}),
        json.dumps({**PRIVATE, "crv": "P-384"}),
        json.dumps({**PRIVATE, "d": "AAAA"}),
        json.dumps({**PRIVATE, "d": None}),
        json.dumps({**PRIVATE, "x": PRIVATE["y"]}),
        json.dumps(PUBLIC),
    ],
)
def test_a_wrong_setting_says_what_is_wanted(setting: str) -> None:
    with pytest.raises(KeySettingWrong, match="password key") as refused:
        PasswordKeys.parse(setting)
    assert PRIVATE["d"] not in str(refused.value)
