"""A broker with a listener for each way to talk to it, with users, certificates and permissions."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from consumers.kafka.connection import KafkaConnection
from service.local.stack.kafka import KafkaBroker
from service.local.stack.server import free_ports
from service.local.stack.workspace import Workspace
from tests.harness.certificates import Authority

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
SECRET = "horse"  # is in each secret of these tests, and nowhere else
PASSWORD = f"correct-{SECRET}"
USER = "service"  # who may do nothing before `permit`
NOBODY = "nobody"  # who never may
ROTATED = "rotated"  # whose password is changed
PROTOCOLS = {
    "TLS": "SSL",
    "MUTUAL": "SSL",  # with a client's certificate
    "SASL": "SASL_PLAINTEXT",
    "SASLTLS": "SASL_SSL",
    "OAUTH": "SASL_PLAINTEXT",  # with tokens that nobody has signed
    "BRIEF": "SASL_SSL",  # ends connections that have not logged in anew for a while
    "ENDED": "SSL",  # with a certificate that is no longer valid
    "LOST": "PLAINTEXT",  # sends its clients on to where nobody listens
}
NOWHERE = "localhost:1"
CLIENT = "client"  # whom the client's certificate names
BRIEF_SECONDS = 2
HOST = "localhost"  # what the broker's certificate is made out to; 127.0.0.1 is not in it


class SecureKafka(KafkaBroker):
    """Beside the plain listener, whose users may do everything, one for each of PROTOCOLS."""

    format_options = tuple(
        f"--add-scram={mechanism}=[name={user},password={PASSWORD}]"
        for mechanism in MECHANISMS
        if mechanism != "PLAIN"
        for user in (USER, ROTATED)
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._ports = dict(zip(PROTOCOLS, free_ports(len(PROTOCOLS)), strict=True))
        self.authority = Authority(workspace.folder, "authority")
        self.other_authority = Authority(workspace.folder, "other-authority")
        self.client_files = [str(file) for file in self.authority.issue(CLIENT)]
        self.stranger_files = [str(file) for file in self.other_authority.issue("stranger")]
        self._keystores = {}
        for ended in (False, True):
            certificate, key = self.authority.issue(HOST, ended=ended)
            self._keystores[ended] = store = workspace.folder / f"broker-{ended}.pem"
            store.write_bytes(key.read_bytes() + certificate.read_bytes())

    @property
    def ports(self) -> dict[str, int]:
        """By listener."""
        return {**self._ports, "PLAINTEXT": self.port}

    def server(self, listener: str) -> str:
        return f"{HOST}:{self._ports[listener]}"

    def connection(self, listener: str, **changes: str | None) -> KafkaConnection:
        """A way in that works, with these changes."""
        protocol = PROTOCOLS[listener]
        values: dict[str, Any] = {
            "bootstrap_servers": self.server(listener),
            "security_protocol": protocol,
        }
        if "SSL" in protocol:
            values["cafile"] = str(self.authority.file)
        if listener == "MUTUAL":
            values["certfile"], values["keyfile"] = self.client_files
        if listener == "OAUTH":
            values |= {"sasl_mechanism": "OAUTHBEARER", "oauth_token": token()}
        elif "SASL" in protocol:
            values |= {"sasl_mechanism": "PLAIN", "sasl_username": USER, "sasl_password": PASSWORD}
        return KafkaConnection(**values | changes)

    def change_password(self, user: str, password: str) -> None:
        """Of the mechanism that `BRIEF` takes; connections that are there live on."""
        change = ["--alter", "--add-config", f"SCRAM-SHA-512=[password={password}]"]
        whose = ["--entity-type", "users", "--entity-name", user]
        server = ["--bootstrap-server", self.bootstrap_servers]
        self._run([*self._java_command(), "kafka.admin.ConfigCommand", *server, *change, *whose])

    def _properties(self) -> dict[str, str | int]:
        plain = super()._properties()
        own = ",".join(f"{name}://{HOST}:{port}" for name, port in self._ports.items())
        advertised = own.replace(self.server("LOST"), NOWHERE)
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **PROTOCOLS}
        protocol_map = ",".join(f"{name}:{protocol}" for name, protocol in protocols.items())
        found = plain | {
            "listeners": f"{plain['listeners']},{own}",
            "advertised.listeners": f"{plain['advertised.listeners']},{advertised}",
            "listener.security.protocol.map": protocol_map,
            "inter.broker.listener.name": "PLAINTEXT",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._keystores[False]),
            "listener.name.ended.ssl.keystore.location": str(self._keystores[True]),
            "listener.name.ended.ssl.keystore.type": "PEM",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "listener.name.mutual.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:CN={CLIENT}",
        }
        for listener in ("sasl", "sasltls", "brief"):
            found |= _users(f"listener.name.{listener}")
        brief = "listener.name.brief.scram-sha-512.connections.max.reauth.ms"
        tokens = "listener.name.oauth.oauthbearer.sasl.jaas.config"
        return found | {
            brief: BRIEF_SECONDS * 1000,
            "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
            tokens: f"{SECURITY}.oauthbearer.OAuthBearerLoginModule required"
            ' unsecuredLoginStringClaim_sub="broker";',
        }


@contextmanager
def own_secure_kafka() -> Iterator[SecureKafka]:
    with Workspace() as workspace:
        broker = SecureKafka(workspace)
        broker.start()
        yield broker
        broker.stop()


# Of Kafka's protocol.
DENY, ALLOW, LITERAL, ANY_HOST = 2, 3, 3, "*"
SECURITY = "org.apache.kafka.common.security"
RESOURCES = {"topic": 2, "group": 3, "cluster": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "DescribeConfigs": 10}


async def permit(
    broker: SecureKafka,
    user: str,
    operation: str,
    resource: str,
    names: Iterable[str],
    permission: int = ALLOW,
) -> None:
    """As kafka-acls.sh does it, without the seconds that Java takes to start. DENY wins."""
    client = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await client.start()
    try:
        for name in names:
            request = CreateAclsRequest(
                RESOURCES[resource],
                name,
                LITERAL,
                f"User:{user}",
                ANY_HOST,
                OPERATIONS[operation],
                permission,
            )
            answer = await client._send_to_controller(request)
            assert answer.creation_responses[0][0] == 0, answer
    finally:
        await client.close()


def token(seconds: float = 3600) -> str:
    """An unsigned one for USER, which is valid for so long."""
    now = time.time()
    claims = {"sub": USER, "iat": now - 7200, "exp": now + seconds, "jti": SECRET}
    parts = (urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": "none"}, claims))
    return ".".join([*(part.decode().rstrip("=") for part in parts), ""])


def _users(listener: str) -> Mapping[str, str]:
    users = " ".join(f'user_{user}="{PASSWORD}"' for user in (USER, NOBODY))
    plain = f"{SECURITY}.plain.PlainLoginModule required {users};"
    scram = f"{SECURITY}.scram.ScramLoginModule required;"
    return {
        f"{listener}.sasl.enabled.mechanisms": ",".join(MECHANISMS),
        f"{listener}.plain.sasl.jaas.config": plain,
        f"{listener}.scram-sha-256.sasl.jaas.config": scram,
        f"{listener}.scram-sha-512.sasl.jaas.config": scram,
    }
