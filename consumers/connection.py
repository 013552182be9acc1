"""How to reach Kafka: the one set of options that every client of the service is made with."""

import ssl
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KafkaConnection:
    """Bootstrap servers and security. `sasl_*` only with SASL_SSL, `cafile` only with TLS."""

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
    cafile: str | None = None
    client_id: str = "claim-analytics"

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client. Reads `cafile`."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol != "PLAINTEXT":
            options["ssl_context"] = ssl.create_default_context(cafile=self.cafile)
        if self.security_protocol == "SASL_SSL":
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password,
            }
        return options
