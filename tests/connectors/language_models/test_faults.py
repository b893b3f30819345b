"""Each fault of a server becomes a ModelError of the right kind, in one attempt and within its bounds."""

import socket

import pytest

from connectors.language_models.openai import OpenAIModel
from core.language_model import ModelError
from tests.connectors.language_models.clients import (
    CLIENTS,
    STREAMED,
    WHOLE,
    World,
    ask,
    failure_of,
    request,
)
from tests.rigs.language_models import Reply

_KINDS = {
    "throttled": "throttled",
    "unavailable": "unavailable",
    "denied": "denied",
    "no_model": "denied",
    "bad_request": "bad_request",
    "redirect": "protocol",
    "hang_up": "cut_off",
    "not_http": "protocol",
    "compressed": "protocol",
    "cut": "cut_off",
    "half_frame": "cut_off",
    "no_end": "cut_off",
    "error_midway": "failed",
    "garbage": "protocol",
    "bad_checksum": "protocol",
    "endless": "too_long",
    "long_line": "protocol",
}
_OF_THE_HEAD = ["throttled", "unavailable", "denied", "no_model", "bad_request", "redirect", "hang_up", "not_http"]
#: Only Bedrock's frames have checksums, and only the others have lines.
_PAIRS = [
    (name, fault)
    for name in STREAMED
    for fault in _KINDS
    if not (name == "openai" and fault == "bad_checksum") and not (name != "openai" and fault == "long_line")
]


@pytest.mark.parametrize(("name", "fault"), _PAIRS)
def test_a_fault_of_a_stream_has_its_kind(world: World, name: str, fault: str) -> None:
    """A stream that fails ends with one ModelError, which names the model and quotes nothing."""
    assert failure_of(world, name, Reply(fault=fault)).kind == _KINDS[fault]  # type: ignore[arg-type]  # a parameter


@pytest.mark.parametrize("fault", [*_OF_THE_HEAD, "garbage"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_fault_of_a_whole_answer_has_its_kind(world: World, name: str, fault: str) -> None:
    """An answer in one piece fails in the same ways."""
    assert failure_of(world, name, Reply(fault=fault)).kind == _KINDS[fault]  # type: ignore[arg-type]  # a parameter


@pytest.mark.parametrize("fault", ["silent", "stall"])
@pytest.mark.parametrize("name", STREAMED)
def test_silence_times_out(world: World, name: str, fault: str) -> None:
    """A server that sends nothing for the idle time has timed out, before its first byte and after."""
    world.idle_s = 0.3
    assert failure_of(world, name, Reply(fault=fault)).kind == "timeout"  # type: ignore[arg-type]  # a parameter


@pytest.mark.parametrize("name", STREAMED)
def test_a_slow_drip_ends_at_the_deadline(world: World, name: str) -> None:
    """An answer whose bytes never pause for long still ends at the deadline of the whole call."""
    world.server.script(Reply(fault="drip"))
    with pytest.raises(ModelError) as caught:
        ask(world.client(name), request(timeout_s=0.5))
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("name", CLIENTS)
def test_an_answer_that_takes_too_long_in_one_piece_times_out(world: World, name: str) -> None:
    """The deadline also applies while waiting for the head of the reply."""
    world.server.script(Reply(fault="silent"))
    with pytest.raises(ModelError) as caught:
        ask(world.client(name), request(timeout_s=0.3))
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("name", CLIENTS)
def test_the_server_s_wish_to_wait_is_passed_on(world: World, name: str) -> None:
    """The error of a throttled call carries the server's Retry-After."""
    assert failure_of(world, name, Reply(fault="throttled", retry_after="7")).retry_after_s == 7


def test_no_server_is_unavailable(world: World) -> None:
    """A refused connection is an outage."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, but not listening
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        model = OpenAIModel("x", url=url, key=None, transport=world.transport, idle_s=60, stream=True)
        with pytest.raises(ModelError) as caught:
            ask(model)
    assert caught.value.kind == "unavailable"


def test_a_server_that_accepts_no_connection_is_unavailable(world: World) -> None:
    """A connection that isn't established in time is an outage, long before the deadline."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # the backlog is full
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        model = OpenAIModel(
            "x", url=f"http://127.0.0.1:{address[1]}", key=None, transport=world.impatient, idle_s=60, stream=True
        )
        with pytest.raises(ModelError) as caught:
            ask(model)
        for one in waiting:
            one.close()
    assert caught.value.kind == "unavailable"
