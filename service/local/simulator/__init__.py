"""A stand-in for the service that publishes Alberta's claims: seeded, pure, no I/O.

What it makes up is made up: names, ids and personal health numbers are random, only the health
service codes and their base fees are real. `Simulator` is the way in.
"""

from service.local.simulator.courses import PAYMENTS, PLATFORM, Course, Payments, Platform
from service.local.simulator.imperfections import FLAWLESS, USUAL, Imperfections, Tally
from service.local.simulator.messages import OutgoingEvent
from service.local.simulator.providers import SimulatedProvider
from service.local.simulator.simulator import Simulator

__all__ = [
    "FLAWLESS",
    "PAYMENTS",
    "PLATFORM",
    "USUAL",
    "Course",
    "Imperfections",
    "OutgoingEvent",
    "Payments",
    "Platform",
    "SimulatedProvider",
    "Simulator",
    "Tally",
]
