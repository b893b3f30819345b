"""The client of the services: server-sent events as the standard defines them, and problem documents as errors."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise

import pytest
from hypothesis import given, strategies
from pydantic import SecretStr

from answers.events import Done, Sentence, Sources
from core.client_settings import ClientSettings
from core.errors import ConfigError, FatalError, NoTicketError, TicketstreamError, UnavailableError
from runtime.answer_client import ask
from runtime.service_client import Reply, ServerEvent, decoded, open_service_client, segment, server_events
from tests.web.fake_rag import FIX, FakeServices, serve, token

_STREAM = (
    ': heartbeat\r\n\r\nevent: sentence\r\ndata: {"text":"é🙏\u2028"}\r\n\r\n'
    "data:1\ndata: 2\n\nevent: done\rdata: x\r\r"
).encode()
_EVENTS = [
    ServerEvent("sentence", '{"text":"é🙏\u2028"}'.encode()),
    ServerEvent("message", b"1\n2"),
    ServerEvent("done", b"x"),
]


@pytest.fixture(scope="module")
def services() -> Iterator[FakeServices]:
    with serve() as running:
        yield running


@pytest.fixture
def settings(services: FakeServices) -> ClientSettings:
    return ClientSettings(rag_url=services.url, tickets_url=services.url + "/", token=SecretStr(token()))


@given(cuts=strategies.lists(strategies.integers(0, len(_STREAM))))
def test_events_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    """Events don't depend on chunk boundaries, even inside a line break or a character; U+2028 is no line break."""
    edges = sorted({0, *cuts, len(_STREAM)})
    chunks = [_STREAM[start:end] for start, end in pairwise(edges)]
    assert list(server_events(chunks)) == _EVENTS


def test_an_event_that_was_cut_off_is_dropped() -> None:
    """An event without its final empty line is dropped."""
    assert list(server_events([b"event: done\ndata: {}\n"])) == []


def test_an_endless_event_is_refused() -> None:
    """An event of more than 4 MiB is refused."""
    with pytest.raises(FatalError, match="more than 4 MiB"):
        list(server_events(b"data: " + b"x" * 1_000_000 for _ in range(10)))


@pytest.mark.parametrize("content", [b"", b"<html>", b'"\xff"', b"[" * 100_000])
def test_an_answer_that_is_no_json_is_an_error(content: bytes) -> None:
    """An answer of another server is an error of one line, also if it isn't UTF-8 or nests too deeply."""
    with pytest.raises(FatalError, match="not JSON"):
        decoded(Reply(content))


def test_an_answer_arrives_as_events(settings: ClientSettings, services: FakeServices) -> None:
    """Sources come first, then sentences, and `Done` is last."""
    with ExitStack() as stack:
        events = list(ask(open_service_client(settings, "rag", stack), "halves of VAT", ticket_id="T-1"))
    assert isinstance(events[0], Sources)
    assert [event.text for event in events if isinstance(event, Sentence)][-1] == FIX
    assert events[-1] == Done("a-1", "answered")
    assert services.asked("/answers")[-1] == {"question": "halves of VAT", "ticket_id": "T-1"}


@pytest.mark.parametrize(
    ("question", "kind", "words"),
    [
        ("cut", UnavailableError, "was cut off"),
        ("busy", UnavailableError, "Too many questions are being answered; try again in 2 s"),
        ("expired", ConfigError, "does not accept the access token: The token has expired; set TICKETS_CLIENT__TOKEN"),
        ("broken", FatalError, "the RAG service: The service failed; its log has more (request req-7)"),
    ],
)
def test_a_problem_is_an_error_of_its_kind(
    settings: ClientSettings, question: str, kind: type[TicketstreamError], words: str
) -> None:
    """The problem's kind determines the exit code, and its detail is the message."""
    with ExitStack() as stack, pytest.raises(kind) as raised:
        list(ask(open_service_client(settings, "rag", stack), question))
    assert words in str(raised.value)


def test_a_field_that_is_not_valid_is_named(settings: ClientSettings) -> None:
    """The message says which field is wrong."""
    with ExitStack() as stack, pytest.raises(ConfigError, match=r"not valid \(question: It has more than 100"):
        open_service_client(settings, "rag", stack).call("POST", "/api/v1/search", body={"question": "x" * 101})


def test_a_missing_ticket_is_an_error_of_its_own(settings: ClientSettings) -> None:
    """404 is a `NoTicketError`; a slash in an id stays in its segment."""
    with ExitStack() as stack:
        client = open_service_client(settings, "rag", stack)
        with pytest.raises(NoTicketError, match="no ticket of this id"):
            client.call("GET", "/api/v1/tickets/T-404/similar")
    assert segment("A/1 ü") == "A%2F1%20%C3%BC"


def test_a_service_that_is_down_is_named_with_its_setting() -> None:
    """The line names the service, its URL and the setting."""
    settings = ClientSettings(rag_url="http://127.0.0.1:1", token=SecretStr("x"))
    with ExitStack() as stack, pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1; start it .*TICKETS_CLIENT__RAG"):
        list(ask(open_service_client(settings, "rag", stack), "q"))
