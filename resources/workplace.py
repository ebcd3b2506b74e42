"""Settings and the places that they name, as a Dagster resource."""

from pathlib import Path

import dagster as dg

from lakehouse.lake import Lake
from resources.landing.folder import Landing
from resources.settings import Settings, load_settings


class Workplace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings and the places they name. `home` overrules OPENAISLE_HOME."""

    home: str = ""

    def settings(self) -> Settings:
        """Read anew each time: a running server sees a changed file. Raises SettingsError."""
        return load_settings(home=Path(self.home) if self.home else None)

    def lake(self) -> Lake:
        """The tables."""
        return self.settings().lake()

    def landing(self) -> Landing:
        """The landing folder."""
        return Landing(self.settings().landing_root)
