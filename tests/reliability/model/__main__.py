"""`python -m tests.reliability.model`: explores the model, and shows how each seeded bug shows."""

import sys
import time

from rich.console import Console

from tests.reliability.model.exploring import explore
from tests.reliability.model.scenarios import LARGE, LARGEST, SHORT, WHERE

console = Console(markup=False, highlight=False, soft_wrap=True)


def main() -> int:
    bounds = {"--large": {**SHORT, **LARGE}, "--largest": LARGEST}
    wrong = False
    for name, protocol in bounds.get(" ".join(sys.argv[1:]), SHORT).items():
        started = time.process_time()
        explored = explore(protocol)
        took = f"{time.process_time() - started:.1f} s of CPU"
        console.print(f"{name}: {explored.states:,} states, {explored.steps:,} steps, {took}")
        if explored.problem:
            wrong = True
            _show(explored.problem, *explored.trace)
    for bug, protocol in WHERE.items():
        explored = explore(protocol)
        wrong = wrong or not explored.problem
        console.print(f"\nIf {bug}:")
        _show(explored.problem or "NOT FOUND", *explored.trace)
    return int(wrong)


def _show(problem: str, *trace: str) -> None:
    for what in trace:
        console.print(f"    {what}")
    console.print(f"  → {problem}")


if __name__ == "__main__":
    sys.exit(main())
