from pathlib import Path

import pytest

from service.reports.files.file_errors import StorageUrlWrong, StoreUnavailable
from service.reports.files.locations import open_store


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_is_made_for_this_user_alone(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "new" / "store"

    open_store(form.format(folder))

    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_exists_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    open_store(str(tmp_path))

    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_blank_in_a_file_url_may_be_escaped(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/two%20words")

    assert (tmp_path / "two words").is_dir()


def test_a_folder_that_cannot_be_made_is_an_unavailable_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        open_store("/proc/no-folder-can-be-made-here")


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_file_is_no_store(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageUrlWrong, match="no folder"):
        open_store(f"{tmp_path}/file{below}")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "a folder is written"),
        ("file://relative/path", "a folder is written"),
        ("file:///path?x=1", "a folder is written"),
        ("file:relative/path", "a folder is written"),
        ("ftp://host/path", "ftp:// is no report storage"),
        ("s3:///folder", "a bucket is written"),
        ("s3://key:secret@bucket", "without credentials"),
        ("s3://bucket:9000", "a bucket is written"),
        ("s3://bucket?regoin=x", "no option regoin; it has region, endpoint"),
        ("s3://bucket?endpoint=host:9000", "endpoint starts with https://"),
        ("s3://bucket?virtual_hosted=yes", "virtual_hosted is true or false"),
        ("s3://bucket?region=", "region of s3:// has one value"),
        ("s3://bucket?region=a&region=b", "region of s3:// has one value"),
        ("s3://bucket?endpoint=https://", "endpoint is https://host:port"),
        ("s3://bucket?endpoint=https://user:secret@host", "without credentials"),
        ("s3://bucket?endpoint=https://host:99999", "cannot be read"),
        ("s3://two words", "a bucket is written"),
        ("s3://..", "a bucket is written"),
        ("s3://[secret", "cannot be read"),
        ("s3://bucket:99999", "cannot be read"),
        ("s3://bucket/above/../below", "cannot be read"),
        ("s3://bucket#fragment", "written as %23"),
        ("/a/path\0", "cannot be read"),
        ("~nobody-of-this-name/store", "home folder"),
    ],
)
def test_a_wrong_url_says_what_is_wrong(url: str, says: str) -> None:
    with pytest.raises(StorageUrlWrong, match=says) as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3://bucket/folder/below/?region=ca-central-1",
        "s3://bucket?endpoint=https://minio.example.org:9000&virtual_hosted=true",
    ],
)
def test_a_bucket_is_not_asked_before_it_is_used(url: str) -> None:
    open_store(url)
