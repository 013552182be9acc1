"""A stand-in for the service that publishes Alberta's claims: seeded, pure, no I/O.

What it makes up is made up: names, ids and personal health numbers are random, only the health
service codes and their base fees are real. `Simulator` is the way in.
"""

from service.simulator.imperfections import FLAWLESS, USUAL, Imperfections
from service.simulator.messages import OutgoingEvent
from service.simulator.providers import SimulatedProvider
from service.simulator.simulator import Simulator
from service.simulator.tally import Tally

__all__ = [
    "FLAWLESS",
    "USUAL",
    "Imperfections",
    "OutgoingEvent",
    "SimulatedProvider",
    "Simulator",
    "Tally",
]
