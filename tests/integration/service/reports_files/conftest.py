"""Every behaviour of the store is asked of a local folder and of an S3 stand-in alike."""

import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from service.reports.files.locations import open_store
from service.reports.files.store import FileStore
from tests.integration.service.reports_files.buckets import Bucket


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The URL of an S3 stand-in that this test run started."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, with credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    made = Bucket(s3_endpoint, f"bucket-{uuid4()}")
    made.create()
    return made


@pytest.fixture(params=["local", "s3"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return f"file://{tmp_path}/store"
    bucket: Bucket = request.getfixturevalue("bucket")
    return bucket.url


@pytest.fixture
def store(store_url: str) -> FileStore:
    return open_store(store_url)
