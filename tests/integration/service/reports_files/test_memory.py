import subprocess
import sys
from pathlib import Path

MB = 1024 * 1024


def peak(folder: Path, megabytes: int) -> int:
    """Most bytes that a process held that wrote and read a report of this size."""
    module = "tests.integration.service.reports_files.peak_memory"
    command = [sys.executable, "-m", module, str(folder), str(megabytes)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_a_report_ten_times_longer_takes_no_more_memory(tmp_path: Path) -> None:
    short, long = peak(tmp_path / "short", 20), peak(tmp_path / "long", 200)

    assert long - short < 40 * MB  # of 180 more; allocators differ by 20 from run to run
