"""The way in: `claim-analytics`, or `python -m service`."""

import sys
import traceback
from types import TracebackType

INTERRUPTED = 130  # as shells put it: 128 + SIGINT


def main() -> None:
    """Ctrl-C ends any command without a traceback, also while its modules are being loaded."""
    sys.excepthook = show_without_text
    try:
        from service.cli.app import build_app  # noqa: PLC0415  # it takes a while, see above

        build_app(sys.argv[1:])()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def show_without_text(
    kind: type[BaseException], _error: BaseException, frames: TracebackType | None
) -> None:
    """Where an unforeseen error came from, and its class: its text could quote a patient's data."""
    lines = traceback.format_tb(frames)
    sys.stderr.write(f"{''.join(lines)}{kind.__name__}: please report this as a bug\n")


if __name__ == "__main__":
    main()
