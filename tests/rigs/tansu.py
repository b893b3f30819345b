"""The local broker behind a proxy: it advertises the proxy's address, so every client connects through it."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from local.broker import binary
from local.ports import free_port
from tests.rigs.guard import guard
from tests.rigs.proxy import Proxy
from tests.rigs.waiting import PATIENCE_S

_ANSWER_S: Final = 0.5


@contextmanager
def start_proxied() -> Iterator[tuple[str, Proxy]]:
    """Start the broker and yield the proxy's address and the proxy."""
    inner = f"127.0.0.1:{free_port()}"
    with Proxy(inner) as proxy:
        urls = ["--listener-url", f"tcp://{inner}", "--advertised-listener-url", f"tcp://{proxy.address}"]
        process = subprocess.Popen(
            [binary(), "broker", *urls, "--storage-engine", "memory://tansu/"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        guarding = guard(process.pid)
        try:
            _await_answer(proxy.address)
            yield proxy.address, proxy
        finally:
            process.kill()
            process.wait()
            guarding.kill()
            guarding.wait()
            if guarding.stdin is not None:
                guarding.stdin.close()


def _await_answer(address: str) -> None:
    client = AdminClient({"bootstrap.servers": address, "log_level": 0, "reconnect.backoff.ms": 20})
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            client.list_topics(timeout=_ANSWER_S)
        except KafkaException:
            assert time.monotonic() < deadline, "the local broker doesn't answer"
        else:
            return
