"""From the setting REPORT_STORAGE_URL to a store.

    /var/lib/claim-analytics                     a folder of this machine
    file:///var/lib/claim-analytics              the same
    s3://bucket/folder?region=ca-central-1       a bucket
    s3://bucket?endpoint=https://host:9000       one of an S3-compatible service

Options of a bucket: `region`, `endpoint` and `virtual_hosted=true` (the bucket in the host's name
instead of the path). Credentials never stand in the URL: AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, or the role of the machine or container.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from obstore.store import LocalStore, S3Store

from service.reports.files import local
from service.reports.files.file_errors import StorageUrlWrong, StoreUnavailable
from service.reports.files.store import FileStore, store_faults

if TYPE_CHECKING:
    from obstore.store import S3Config  # exists for type checkers alone

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]+[A-Za-z0-9]")
_OPTIONS = ("region", "endpoint", "virtual_hosted")
LOCAL = ("", "file")  # schemes of a folder's URL


def open_store(url: str) -> FileStore:
    """Makes a local folder if it is missing; asks nothing of a bucket yet.

    Raises StorageUrlWrong, and StoreUnavailable if the folder cannot be made.
    """
    try:
        parts = urlsplit(url)
        if parts.fragment:
            raise StorageUrlWrong("a # in the report storage's URL is written as %23")
        if parts.scheme == "s3":
            return _bucket(parts)
        if parts.scheme in LOCAL:
            return _folder(parts)
    except StorageUrlWrong:
        raise
    except ValueError:  # from whoever takes it apart; the texts can quote credentials
        raise StorageUrlWrong(
            "the report storage's URL cannot be read: look at host, port and folder in it"
        ) from None
    raise StorageUrlWrong(f"{parts.scheme}:// is no report storage; use a path, file:// or s3://")


def local_folder(url: str) -> Path | None:
    """The folder of a local store, which is not made; None for others. Raises StorageUrlWrong."""
    parts = urlsplit(url)
    return _root(parts) if parts.scheme in LOCAL else None


def _folder(parts: SplitResult) -> FileStore:
    root = _root(parts)
    try:
        local.open_root(root)
    except (FileExistsError, NotADirectoryError):
        raise StorageUrlWrong(f"{root} is, or is below, a file and no folder") from None
    except OSError as error:
        raise StoreUnavailable(
            f"the folder {root} of the report store cannot be made ({type(error).__name__})"
        ) from None
    with store_faults(str(root)):
        return FileStore(LocalStore(root), root)


def _root(parts: SplitResult) -> Path:
    relative = parts.scheme and not parts.path.startswith("/")
    if parts.netloc or parts.query or not parts.path or relative:
        raise StorageUrlWrong("a folder is written as a path or as file:///absolute/path")
    path = unquote(parts.path) if parts.scheme else parts.path
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise StorageUrlWrong(
            "the user whose home folder is to hold the reports has none"
        ) from None


def _bucket(parts: SplitResult) -> FileStore:
    if "@" in parts.netloc or parts.port or not _BUCKET.fullmatch(parts.netloc):
        raise StorageUrlWrong(
            "a bucket is written as s3://bucket/folder, without credentials or port"
        )
    options = _options(parts.query)
    config: S3Config = {
        "virtual_hosted_style_request": options.get("virtual_hosted", "false") == "true"
    }
    if "region" in options:
        config["region"] = options["region"]
    if "endpoint" in options:
        config["endpoint"] = options["endpoint"]
    plain = options.get("endpoint", "").startswith("http://")
    folder = parts.path.strip("/") or None
    return FileStore(
        S3Store(
            parts.netloc,
            prefix=folder,
            config=config,
            client_options={"allow_http": plain},
            # The report worker tries again later; until then it must not look stuck.
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
        )
    )


def _options(query: str) -> dict[str, str]:
    given = parse_qsl(query, keep_blank_values=True)
    options = dict(given)
    for name, value in given:
        if name not in _OPTIONS:
            raise StorageUrlWrong(f"s3:// has no option {name}; it has {', '.join(_OPTIONS)}")
        if not value or options[name] != value:
            raise StorageUrlWrong(f"the option {name} of s3:// has one value")
    if options.get("virtual_hosted", "false") not in ("true", "false"):
        raise StorageUrlWrong("virtual_hosted is true or false")
    if "endpoint" in options:
        _check_endpoint(urlsplit(options["endpoint"]))
    return options


def _check_endpoint(endpoint: SplitResult) -> None:
    """Raises ValueError where the port is none."""
    if endpoint.scheme not in ("https", "http"):
        raise StorageUrlWrong("endpoint starts with https:// (or http:// on a trusted network)")
    if not endpoint.hostname or "@" in endpoint.netloc or endpoint.port == 0:
        raise StorageUrlWrong("endpoint is https://host:port, without credentials")
