"""One instance at a steady rate for half an hour: what it holds must not grow.

`python -m tests.reliability.soak`; docs/reliability.md says what came of it.
"""
