"""`python -m tests.reliability.fuzz`: the long form, or one input again."""

import argparse
import time

from rich.console import Console

from tests.reliability.fuzz.checks import check, run
from tests.reliability.fuzz.mutations import mutated

console = Console(markup=False, highlight=False, soft_wrap=True)
STEP = 50_000


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.reliability.fuzz")
    arguments.add_argument("--inputs", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", type=int, metavar="NUMBER", help="this input, and show it")
    given = arguments.parse_args()
    if given.only is not None:
        one = mutated(given.seed, given.only)
        console.print(ascii(one))
        console.print(check(one))
        return
    started, found = time.monotonic(), run(given.seed, range(0))
    for begin in range(0, given.inputs, STEP):
        found += run(given.seed, range(begin, min(begin + STEP, given.inputs)))
        console.print(f"{found.total():>10,} inputs, {time.monotonic() - started:.0f} s")
    for outcome, count in found.most_common():
        console.print(f"{count:>10,}  {outcome}")


if __name__ == "__main__":
    main()
