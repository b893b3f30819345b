"""`python -m services.rag` serves search and answers until SIGTERM or SIGINT."""

import sys
from typing import Final

from core.settings import Settings
from services.http.running import Address, Service
from services.rag.compose import open_app


def _address(settings: Settings) -> Address:
    return Address(settings.rag.host, settings.rag.port, "TICKETS_RAG__PORT")


SERVICE: Final = Service(open_app, _address)

if __name__ == "__main__":
    sys.exit(SERVICE.main())
