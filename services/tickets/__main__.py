"""`python -m services.tickets` serves the ticket API until SIGTERM or SIGINT."""

import sys
from typing import Final

from core.settings import Settings
from services.http.running import Address, Service
from services.tickets.compose import open_app


def _address(settings: Settings) -> Address:
    return Address(settings.api.host, settings.api.port, "TICKETS_API__PORT")


SERVICE: Final = Service(open_app, _address)

if __name__ == "__main__":
    sys.exit(SERVICE.main())
