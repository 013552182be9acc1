"""A bucket of the S3 stand-in, asked over plain HTTP: a second opinion beside the store's own."""

from typing import NamedTuple
from urllib.request import Request, urlopen


class Bucket(NamedTuple):
    """Where a bucket is."""

    endpoint: str
    name: str

    @property
    def url(self) -> str:
        """As the setting REPORT_STORAGE_URL has it."""
        return f"s3://{self.name}/below?region=us-east-1&endpoint={self.endpoint}"

    def create(self) -> None:
        self._ask("PUT", "")

    def unfinished_uploads(self) -> int:
        return self._ask("GET", "?uploads").count("<UploadId>")

    def _ask(self, method: str, query: str) -> str:
        request = Request(f"{self.endpoint}/{self.name}{query}", method=method)
        with urlopen(request, timeout=30) as answer:
            text: str = answer.read().decode()
        return text
