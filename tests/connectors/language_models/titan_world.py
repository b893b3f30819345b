"""Titan embedders of a fake Bedrock."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Event

import pytest
from msgspec import Struct

from connectors.language_models.titan import TitanEmbedder
from connectors.language_models.titan_calls import TitanCalls, open_titan_calls
from connectors.language_models.transport import open_transport
from models.run.pieces import PieceTokenizer
from tests.connectors.language_models.clients import aws_environment
from tests.rigs.titan import TitanServer
from tests.rigs.waiting import PATIENCE_S

SIZE = 256


class TitanWorld(Struct):
    """A fake Bedrock and a client of it. `counted` has the tokens of each call."""

    server: TitanServer
    calls: TitanCalls
    pool: ThreadPoolExecutor
    stop: Event
    counted: list[int]

    def embedder(self, *, timeout_s: float = PATIENCE_S, on_text: Callable[[], None] = lambda: None) -> TitanEmbedder:
        """An embedder that has made no call yet; its vectors have 256 numbers, and it makes four calls at once."""
        return TitanEmbedder(
            self.calls,
            dimension=SIZE,
            tokenizer=PieceTokenizer(),
            pool=self.pool,
            stop=self.stop,
            on_text=on_text,
            timeout_s=timeout_s,
        )


@contextmanager
def titan_world() -> Iterator[TitanWorld]:
    """A world whose server answers rightly. It takes a third of a second to open, so a file's tests share one."""
    with ExitStack() as stack:
        server = stack.enter_context(TitanServer())
        aws_environment(server.url, stack.enter_context(pytest.MonkeyPatch.context()))
        transport = open_transport(stack, connect_timeout_s=PATIENCE_S)
        stop = Event()
        counted: list[int] = []
        calls = open_titan_calls(
            transport,
            region=None,
            dimension=SIZE,
            stop=stop,
            on_call=lambda tokens, _padding, _seconds: counted.append(tokens),
        )
        pool = stack.enter_context(ThreadPoolExecutor(4))
        stack.callback(stop.set)
        yield TitanWorld(server, calls, pool, stop, counted)
