"""An upload in a process of its own, killed in the middle."""

import signal
import subprocess
import sys


def kill_in_the_middle(store_url: str, key: str) -> None:
    module = "tests.integration.service.reports_files.hanging_put"
    command = [sys.executable, "-m", module, store_url, key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        midway = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert midway == "midway\n"
    assert process.returncode == -signal.SIGKILL
