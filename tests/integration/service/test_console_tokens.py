"""`keys console-token` as a person gives it."""

from pathlib import Path

from service.http.console.sessions import Sessions
from service.http.console.tokens import Role, parse_tokens
from tests.integration.service.command_line import claim_analytics

SETTING = "CLAIM_ANALYTICS_CONSOLE_TOKENS"


def test_a_token_is_shown_once_beside_the_setting_that_lets_it_in(tmp_path: Path) -> None:
    first = claim_analytics(tmp_path, "keys", "console-token", "ann", "--role", "operator")
    name, _, setting = first.output.strip().partition("=")
    assert (first.code, name) == (0, SETTING)
    token = first.errors.split(": ")[1].strip()
    session = Sessions(parse_tokens(setting)).log_in(token)
    [ann] = parse_tokens(setting)
    assert (ann.role, Sessions([ann]).holder(session)) == (Role.OPERATOR, ann)

    second = claim_analytics(
        tmp_path, "keys", "console-token", "bob", environment={SETTING: setting}
    )
    both = parse_tokens(second.output.strip().partition("=")[2])
    assert [(one.name, one.role) for one in both] == [("ann", "operator"), ("bob", "reader")]

    again = claim_analytics(
        tmp_path, "keys", "console-token", "ann", environment={SETTING: setting}
    )
    assert (again.code, again.output) == (2, "")
    assert "a name that an earlier one has" in again.words
