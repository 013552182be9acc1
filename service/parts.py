"""The parts of the service, and what each reads."""

from collections.abc import Sequence
from enum import StrEnum

from consumers.engine.subscription import AnySubscription
from consumers.topics.cache_refresh_requests import CACHE_REFRESH_REQUESTS
from consumers.topics.claims import CLAIMS
from consumers.topics.providers import PROVIDER_UPDATES
from consumers.topics.report_requests import REPORT_REQUESTS
from consumers.topics.suggestions import AI_SUGGESTIONS


class Part(StrEnum):
    """What `run --only` can name."""

    CLAIMS = "claims"  # claim events, and the coach's, to figures; what keeps figures right
    REPORTS = "reports"  # requests and profiles to rows, rows to files, files announced
    HTTP = "http"  # health, metrics, the console, the API; the other parts have health and metrics


SUBSCRIPTIONS: dict[Part, Sequence[AnySubscription]] = {
    Part.CLAIMS: (CLAIMS, AI_SUGGESTIONS, CACHE_REFRESH_REQUESTS),
    Part.REPORTS: (REPORT_REQUESTS, PROVIDER_UPDATES),
    Part.HTTP: (),
}
EVERY_SUBSCRIPTION = tuple(one for those in SUBSCRIPTIONS.values() for one in those)
