"""What is staged for the doctor, one fault after the other, and what it must say of it."""

from dataclasses import dataclass

from service.operations.doctor import Level
from tests.integration.repositories.report_examples import P
from tests.integration.service.command_line import NOBODY_LISTENS

ACTION = "00000000-0000-0000-0000-000000000001"


@dataclass(frozen=True)
class Staged:
    """Settings to change; `{url}` and the like in them stand for what the test makes. What is
    expected to be wrong, each as a pattern."""

    settings: dict[str, str]
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join(self.settings)


WRONG_SETTINGS = [
    Staged({"database_url": "{stranger}"}, ("PostgreSQL: .*wrong user or password",)),
    Staged({"database_url": "{absent}"}, ("PostgreSQL: .*no database of this name",)),
    Staged({"database_url": "postgresql://a@127.0.0.1:1/b"}, ("nothing listens there.*Is it up",)),
    Staged({"database_direct_url": "{other}"}, ("no schema yet.*migrate", "to another database")),
    Staged({"kafka_bootstrap_servers": NOBODY_LISTENS}, ("Kafka: .*refuses connections",)),
    Staged({"kafka_security_protocol": "SSL"}, ("Kafka: .*speaks no TLS at this port",)),
    Staged(
        {
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": "ada",
            "kafka_sasl_password": "hidden",
        },
        ("Kafka: .*takes no user at this port",),
    ),
    Staged(
        {"topic_claim_paid": "not-there"},
        ("there is no topic not-there: run", r"there is no topic not-there\.dlq"),
    ),
    Staged(
        {"topic_claim_paid": "{misspelt}"},
        ("is it spelt wrongly", r"there is no topic .*\.dlq"),
    ),
    Staged({"report_storage_url": "{others_store}"}, ("report store: .*another installation's",)),
    Staged({"report_storage_url": "{file}"}, ("report store: .*a file and no folder",)),
    Staged({"report_storage_url": "ftp://host"}, ("report store: .*no report storage",)),
    Staged({"report_master_keys": "{other_keys}"}, ("keys: 1 report files open with .* lacks it",)),
    Staged({"report_master_keys": "{same_id}"}, ("keys: .*is not the one that wrapped 1 report",)),
    Staged({"report_master_keys": "nonsense"}, ("keys: .*master key 1 is not of the form",)),
    Staged({"report_password_keys": "nonsense"}, ("keys: .*REPORT_PASSWORD_KEYS",)),
]

REVISION = "UPDATE alembic_version SET version_num = '{}'"
STAGED_ROWS: list[tuple[str, str, Level, str]] = [
    # What stages it, what undoes it, how bad it is, and what is said.
    (REVISION.format("0001"), REVISION.format("{head}"), Level.WRONG, "revision 0001.*migrate"),
    (REVISION.format("9999"), REVISION.format("{head}"), Level.WRONG, "9999.*does not know"),
    (
        "UPDATE providers SET metrics_revision = 1",
        "UPDATE providers SET metrics_revision = 2",
        Level.WRONG,
        "of 1 providers the figures .* not filled in; `run` does it",
    ),
    (
        f"INSERT INTO lists_due VALUES ('{P}', 'top_hsc_codes', '2024-10-01')",
        "DELETE FROM lists_due",
        Level.WRONG,
        "1 lists of top codes are behind",
    ),
    (
        """INSERT INTO outbox (topic, message_key, event_type, occurred_at, data, created_at)
        VALUES ('report-status', 'k', 't', now(), '{}', now() - interval '6 minutes')""",
        "DELETE FROM outbox",
        Level.WRONG,
        "1 announcements of reports wait",
    ),
    (
        """INSERT INTO outbox (topic, message_key, event_type, occurred_at, data, refused_at)
        VALUES ('report-status', 'k', 't', now(), '{}', now())""",
        "DELETE FROM outbox",
        Level.WRONG,
        "1 announcements were set aside",
    ),
    (
        """INSERT INTO dead_letters (source_topic, source_partition, source_offset,
            source_timestamp, reason, detail, consumer_group)
        VALUES ('claim-paid', 0, 1, now(), 'not-json', '', 'g')""",
        "DELETE FROM dead_letters",
        Level.LOOK,
        r"dead letters: 1 are open \(claim-paid 1\): claim-analytics dlq list",
    ),
    (
        f"""INSERT INTO operator_actions (action_id, who, command, arguments)
        VALUES ('{ACTION}', 'ada', 'offsets pause', '{{}}');
        INSERT INTO orders (kind, topic, action_id) VALUES ('pause', 'claim-paid', '{ACTION}')""",
        "DELETE FROM orders; DELETE FROM operator_actions",
        Level.LOOK,
        "an operator has paused claim-paid: claim-analytics offsets resume",
    ),
    (
        """INSERT INTO stopped_partitions
            (consumer_group, topic, partition, next_offset, cause, why, instance)
        VALUES ('{group}', 'claim-paid', 3, 17, 'undecodable', 'It is damaged.', 'gone:1')""",
        "DELETE FROM stopped_partitions",
        Level.WRONG,
        "stopped partitions: claim-paid 3 is read no further than offset 17: It is damaged",
    ),
    (
        "INSERT INTO job_runs (job, night, ended_at) VALUES ('nightly', current_date - 4, now())",
        "DELETE FROM job_runs",
        Level.WRONG,
        r"nightly run: one is due since 20\d\d-.* nobody is at it.*start `claim-analytics run`",
    ),
    (
        "UPDATE installation SET installation_id = gen_random_uuid()",
        "UPDATE installation SET installation_id = '{installation}'",
        Level.WRONG,
        "report store: .*another installation's",
    ),
]
