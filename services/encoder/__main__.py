"""`python -m services.encoder` embeds texts until SIGTERM or SIGINT, as a container of SageMaker."""

import sys
from typing import Final

from core.settings import Settings
from services.encoder.compose import open_app
from services.http.running import Address, Service

#: SageMaker's port.
_PORT: Final = 8080


def _address(_settings: Settings) -> Address:
    return Address("0.0.0.0", _PORT, f"port {_PORT}")  # noqa: S104 - SageMaker's router is outside the container


SERVICE: Final = Service(open_app, _address)

if __name__ == "__main__":
    sys.exit(SERVICE.main())
