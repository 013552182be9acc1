"""Names of practice locations."""

from uuid import UUID

from repositories.report_rows import Location, ProviderProfile

NO_LOCATION = "No location"


class Places:
    """A provider's locations; one that the profile does not name is called by its id."""

    def __init__(self, provider: ProviderProfile) -> None:
        self._known = {location.location_id: location for location in provider.locations}

    def known(self, location_id: UUID | None) -> Location | None:
        return self._known.get(location_id) if location_id else None

    def cell(self, location_id: UUID | None) -> str | None:
        """For a cell of data: None if the claim has no location."""
        known = self.known(location_id)
        return known.name if known else str(location_id) if location_id else None

    def label(self, location_id: UUID | None) -> str:
        """For a reader."""
        return self.cell(location_id) or NO_LOCATION
