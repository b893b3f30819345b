"""Is the worker of this container alive? Ends with 0 or 1, and says why not.

The standard library alone, as it runs every ten seconds beside the worker.
"""

import os
import sys
import urllib.error
import urllib.request

#: A worker listens on the port that is set, or on its role's own.
PORTS = [os.environ["TICKETS_HEALTH__PORT"]] if os.environ.get("TICKETS_HEALTH__PORT") else ["8080", "8081"]
TIMEOUT_S = 3


def fault(port: str) -> str | None:
    """What is wrong with the worker on `port`; None when it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=TIMEOUT_S):
            return None
    except urllib.error.HTTPError as error:
        return error.read(1000).decode(errors="replace")
    except OSError as error:
        return f"nobody answers on port {port} ({error})"


faults = [fault(port) for port in PORTS]
if None not in faults:
    sys.exit("; ".join(str(why) for why in faults))
