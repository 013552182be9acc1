"""`claim-analytics doctor`: what is wrong, all of it, and what to do about each fault.

It changes nothing. What depends on something that is wrong is not looked at, and it says so.
"""

from service.operations.doctor.examination import examine
from service.operations.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "examine"]
