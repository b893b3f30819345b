"""The liveness check of the image: exits with 0, or with 1 and the reason. Arguments are the ports to ask.

It uses the standard library only, because it runs every ten seconds beside the worker.
"""

import os
import sys
import urllib.error
import urllib.request

#: The ports in the arguments, else the one in the setting, else the default ports of all roles.
SET = os.environ.get("TICKETS_HEALTH__PORT")
PORTS = sys.argv[1:] or ([SET] if SET else ["8080", "8081"])
TIMEOUT_S = 3
#: Without the proxies of the environment.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fault(port: str) -> str | None:
    """The reason why the worker on `port` is not healthy; None if it is."""
    try:
        with OPENER.open(f"http://127.0.0.1:{port}/health", timeout=TIMEOUT_S):
            return None
    except urllib.error.HTTPError as error:
        return error.read(1000).decode(errors="replace")
    except OSError as error:
        return f"no answer on port {port} ({error})"


faults = [fault(port) for port in PORTS]
if None not in faults:
    sys.exit("; ".join(str(why) for why in faults))
