"""What failed in passing and was tried again, and what fails right now."""

from collections import Counter

# By the class of the error, since the process started: a closed list, and it names no value.
RETRIES: Counter[str] = Counter()


def count_retry(error: BaseException) -> None:
    RETRIES[type(error).__name__] += 1
