"""Measures the start of a fresh process with warm disk caches. Nothing is imported before it is needed."""

import os
import sys
import time


def _since_start_s() -> float:
    """Seconds since the start of this process (proc(5): field 22 of stat, in clock ticks since boot)."""
    with open("/proc/self/stat") as stat:  # noqa: PTH123 - pathlib is an import more
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _vector() -> None:
    """Embed one text."""
    from contextlib import ExitStack  # noqa: PLC0415

    from core.environment import load_settings  # noqa: PLC0415
    from runtime.model import open_embedder  # noqa: PLC0415

    with ExitStack() as stack:
        open_embedder(load_settings().model, stack).embed(["I have lost my card"])


def _pipeline() -> None:
    """Open broker, index and model, and wait for partitions; the next poll would read."""
    from core.environment import load_settings  # noqa: PLC0415
    from stream.compose import open_pipeline  # noqa: PLC0415

    pipeline = open_pipeline(load_settings())
    while not pipeline.telemetry.registry.get_sample_value("tickets_assigned_partitions", _ASSIGNED):
        pipeline.poll()


_ASSIGNED = {"topic": "tickets.raw"}
_WHAT = {"first vector": _vector, "ready to read": _pipeline}


def main() -> None:
    """The job comes on standard input."""
    import json  # noqa: PLC0415
    import resource  # noqa: PLC0415

    job: dict[str, str] = json.load(sys.stdin)
    _WHAT[job["contender"]]()
    seconds = _since_start_s()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    row = {
        "tickets": 1,
        "texts": 1,
        "tokens": 0,
        "seconds": seconds,
        "cpu_seconds": time.process_time(),
        "rss_mib": rss,
    }
    print(json.dumps({**row, "figures": {"seconds": round(seconds, 3)}}), flush=True)
    os._exit(0)  # an orderly shutdown isn't measured


if __name__ == "__main__":
    main()
