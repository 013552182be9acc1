"""The service at work on real servers of its own, with a simulated upstream and a live view.

`play` runs it inside a `Stack`; `summary` says afterwards whether everything came out right.
"""
