"""The liveness check of the image: exits with 0, or with 1 and the reason.

It uses the standard library only, because it runs every ten seconds beside the worker.
"""

import os
import sys
import urllib.error
import urllib.request

#: The port that is set, or the default ports of all roles.
PORTS = [os.environ["TICKETS_HEALTH__PORT"]] if os.environ.get("TICKETS_HEALTH__PORT") else ["8080", "8081"]
TIMEOUT_S = 3


def fault(port: str) -> str | None:
    """The reason why the worker on `port` is not healthy; None if it is."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=TIMEOUT_S):
            return None
    except urllib.error.HTTPError as error:
        return error.read(1000).decode(errors="replace")
    except OSError as error:
        return f"no answer on port {port} ({error})"


faults = [fault(port) for port in PORTS]
if None not in faults:
    sys.exit("; ".join(str(why) for why in faults))
