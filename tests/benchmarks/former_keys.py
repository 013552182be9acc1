"""The service with the 17 keys that it kept before there were 34: `run --drain`, claims alone.

Everything is the service's own, but for the metrics that are left out.
"""

from consumers.topics.claims import CLAIMS
from repositories.metrics import contributions
from repositories.metrics.definitions import METRICS
from repositories.vocabulary import MetricKey
from service.cli.common import load_settings, run_async
from service.cli.run import run_service

FORMER = list(MetricKey)[:17]

if __name__ == "__main__":
    # Statements are made when they are first needed, so it is not too late.
    former = tuple(metric for metric in METRICS if metric.key in FORMER)
    vars(contributions)["METRICS"] = former
    run_async(run_service(load_settings(), [CLAIMS], drain=True))
