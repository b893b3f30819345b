"""Titan embeds each text once, and each fault of Bedrock is an outage, a fault of this process, or one of a text."""

import json
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import numpy as np
import pytest

from connectors.language_models.titan import open_titan_embedder
from connectors.language_models.titan_calls import PROBE
from core.errors import ConfigError, FatalError, RefusedError, RefusedTextsError, TransientError
from core.vectors import vector_fault
from models.run.pieces import PieceTokenizer
from tests.connectors.language_models.clients import SECRET
from tests.connectors.language_models.titan_world import SIZE, TitanWorld, titan_world
from tests.rigs.titan import DENIED, DOWN, REFUSED, THROTTLED, Answer, always, for_text, right_body, right_vector
from tests.rigs.waiting import wait_until

_TEXTS: Final = [f"the export of Zanzibar fails with error {n}" for n in range(12)]
_BAD: Final = _TEXTS[5]


@pytest.fixture(scope="module")
def opened() -> Iterator[TitanWorld]:
    """The world of this file."""
    with titan_world() as world:
        yield world


@pytest.fixture
def world(opened: TitanWorld) -> TitanWorld:
    """A server that answers rightly, until the test wants otherwise."""
    opened.server.behave()
    opened.counted.clear()
    return opened


def _body(**changes: Any) -> bytes:
    fields = {**right_body(_BAD, SIZE), **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def _check_message(error: Exception) -> None:
    """The error is one line that quotes no text, secret or message of the server."""
    shown = "".join(traceback.format_exception(error))
    assert "\n" not in str(error)
    assert not any(hidden in shown for hidden in ("Zanzibar fails", "quotes", SECRET))


def test_a_text_is_sent_as_bedrock_expects_it(world: TitanWorld) -> None:
    """The body has the text, the size and the normalisation, and the vector is the server's."""
    found = world.embedder().embed(_TEXTS[:1])
    assert world.server.bodies == [{"inputText": _TEXTS[0], "dimensions": SIZE, "normalize": True}]
    assert world.server.headers[0]["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert (found.shape, str(found.dtype)) == ((1, SIZE), "float32")
    np.testing.assert_allclose(found[0], right_vector(_TEXTS[0], SIZE), atol=1e-6)


def test_each_text_gets_its_own_vector_and_one_call(world: TitanWorld) -> None:
    """Rows are in the order of the texts, of norm 1; a text that repeats is asked, and its tokens counted, once."""
    threads: list[int] = []
    embedder = world.embedder(on_text=lambda: threads.append(threading.get_ident()))
    found = embedder.embed([*_TEXTS, _TEXTS[3]])
    wanted = [right_vector(text, SIZE) for text in [*_TEXTS, _TEXTS[3]]]
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert world.server.asked == dict.fromkeys(_TEXTS, 1)
    assert sum(world.counted) == sum(right_body(text, SIZE)["inputTextTokenCount"] for text in _TEXTS)
    assert embedder.embed([]).shape == (0, SIZE)
    assert threads == [threading.get_ident()] * len(_TEXTS), "a part of the batch is done, as its thread hears"


def test_a_query_is_embedded_as_a_passage_is(world: TitanWorld) -> None:
    """The vector of a text is the same whether it is asked or stored."""
    embedder = world.embedder()
    np.testing.assert_array_equal(embedder.embed(_TEXTS[:1], "query"), embedder.embed(_TEXTS[:1]))


def test_calls_are_concurrent_and_bounded(world: TitanWorld) -> None:
    """Passages are embedded four at a time here, in several batches at once too, and never more."""
    world.server.behave(always(Answer(pause_s=0.02)))
    embedder = world.embedder()
    threads = [threading.Thread(target=embedder.embed, args=(_TEXTS,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 < world.server.most_at_once <= 4


_OUTAGES: Final = {
    "an error of the server": Answer(status=500, code="InternalServerException"),
    "down": DOWN,
    "the model failed": Answer(status=424, code="ModelErrorException"),
    "the model timed out": Answer(status=408, code="ModelTimeoutException"),
    "throttled": THROTTLED,
    "half a body": Answer(cut=True),
    "half a body, and a length to match": Answer(body=_body()[:400]),
    "no JSON": Answer(body=b"<html>Bad gateway</html>"),
    "nothing": Answer(body=b""),
    "a list": Answer(body=b"[]"),
    "a redirect": Answer(status=307, headers={"Location": "http://127.0.0.1:1/"}),
    "no vector": Answer(body=_body(embedding=...)),
    "no count of tokens": Answer(body=_body(inputTextTokenCount=...)),
    "a negative count": Answer(body=_body(inputTextTokenCount=-1)),
    "one number too few": Answer(body=_body(embedding=right_vector(_BAD, SIZE)[1:])),
    "another size": Answer(body=_body(embedding=right_vector(_BAD, 1024))),
    "no number": Answer(body=_body(embedding=[None] * SIZE)),
    "numbers as text": Answer(body=_body(embedding=["0.1"] * SIZE)),
    "numbers of many digits": Answer(body=_body().replace(b"0.0,", b"1" * 5_000 + b",", 1)),
    "a very long body": Answer(body=b" " * 300_000 + _body()),
    "deeply nested": Answer(body=b"[" * 50_000),
}


@pytest.mark.parametrize(
    ("fault", "kind"), [*((fault, "passage") for fault in _OUTAGES), ("down", "query"), ("no vector", "query")]
)
def test_a_bad_answer_is_an_outage(world: TitanWorld, fault: str, kind: Any) -> None:
    """An answer that isn't right raises TransientError after a few attempts, and gives no vector to anybody."""
    world.server.behave(for_text(_BAD, _OUTAGES[fault]))
    with pytest.raises(TransientError) as caught:
        world.embedder(timeout_s=0.4 if fault == "throttled" else 60).embed([_BAD], kind)
    _check_message(caught.value)
    assert 1 <= world.server.asked[_BAD] <= 12


def test_silence_times_out(world: TitanWorld) -> None:
    """A server that never answers has timed out, and counts as overloaded."""
    world.server.behave(always(Answer(silent=True)))
    with pytest.raises(TransientError) as caught:
        world.embedder(timeout_s=0.3).embed(_TEXTS)
    assert caught.value.overload


@pytest.mark.parametrize("numbers", ["NaN", "Infinity", "1e39", "1e400", "0"])
def test_a_vector_that_is_not_finite_or_zero_is_the_text_s_fault(world: TitanWorld, numbers: str) -> None:
    """Only the text's own row is bad, so that only its ticket is rejected; a query fails instead."""
    body = b'{"embedding": [%s], "inputTextTokenCount": 3}' % b",".join([numbers.encode()] * SIZE)
    world.server.behave(for_text(_BAD, Answer(body=body)))
    found = world.embedder().embed(_TEXTS)
    faults = [vector_fault(row, SIZE) for row in found]
    assert [n for n, fault in enumerate(faults) if fault] == ([] if numbers == "1e39" else [_TEXTS.index(_BAD)])
    if numbers != "1e39":  # a vector of huge numbers has a direction
        with pytest.raises(TransientError, match="Amazon Bedrock gave a vector"):
            world.embedder().embed([_BAD], "query")


def test_a_failure_that_passes_is_retried(world: TitanWorld) -> None:
    """A text that fails twice and is then answered gets its vector, and no other text is asked for again."""
    world.server.behave(lambda text, nth: (THROTTLED, DOWN)[nth - 1] if text == _BAD and nth <= 2 else None)
    world.embedder().embed(_TEXTS)
    assert world.server.asked == {**dict.fromkeys(_TEXTS, 1), _BAD: 3}


def test_throttling_is_waited_out_longer_than_other_failures(world: TitanWorld) -> None:
    """Six refusals for too many calls don't fail a text, while three other failures do."""
    world.server.behave(lambda _text, nth: THROTTLED if nth <= 6 else None)
    world.embedder().embed([_BAD])
    world.server.behave(lambda _text, nth: DOWN if nth <= 3 else None)
    with pytest.raises(TransientError):
        world.embedder().embed([_BAD])


def test_the_wait_that_the_server_asks_for_is_passed_on(world: TitanWorld) -> None:
    """A Retry-After beyond the time of the text ends the attempts, and is in the error."""
    throttled = Answer(status=429, code="ThrottlingException", headers={"Retry-After": "7"})
    world.server.behave(always(throttled))
    with pytest.raises(TransientError) as caught:
        world.embedder(timeout_s=3).embed([_BAD])
    assert (caught.value.retry_after_s, caught.value.overload, world.server.asked[_BAD]) == (7, True, 1)


def test_a_repeated_batch_asks_only_for_the_vectors_that_it_lacks(world: TitanWorld) -> None:
    """However many attempts a batch takes, no text that has its vector is asked for again."""
    up = threading.Event()
    world.server.behave(lambda text, _nth: DOWN if text in _TEXTS[5:] and not up.is_set() else None)
    embedder = world.embedder()
    for _ in range(2):
        with pytest.raises(TransientError):
            embedder.embed(_TEXTS)
    up.set()
    found = embedder.embed(_TEXTS)
    np.testing.assert_allclose(found, [right_vector(text, SIZE) for text in _TEXTS], atol=1e-6)
    assert world.server.answered == dict.fromkeys(_TEXTS, 1)


def test_a_failure_stops_the_calls_of_its_batch(world: TitanWorld) -> None:
    """After a failure no more texts of the batch are asked for, except by the calls that run beside it."""
    world.server.behave(always(DENIED))
    with pytest.raises(FatalError):
        world.embedder().embed(_TEXTS)
    assert len(world.server.asked) <= 4


@pytest.mark.parametrize(
    "answer",
    [
        DENIED,
        Answer(status=404, code="ResourceNotFoundException"),
        Answer(status=403, code="UnrecognizedClientException"),
        Answer(status=403, code="ExpiredTokenException"),
    ],
    ids=lambda answer: answer.code,
)
@pytest.mark.parametrize("kind", ["passage", "query"])
def test_a_process_that_may_not_call_the_model_stops(world: TitanWorld, answer: Answer, kind: Any) -> None:
    """A denied call is no outage: it is not retried, and the error says which right is missing, and where."""
    world.server.behave(always(answer))
    with pytest.raises(FatalError, match=r"eu-central-1 denies amazon\.titan.* bedrock:InvokeModel") as caught:
        world.embedder().embed([_BAD], kind)
    assert not isinstance(caught.value, RefusedError)
    assert answer.code in str(caught.value)
    assert world.server.asked[_BAD] == 1
    _check_message(caught.value)


def test_the_check_at_the_start_names_the_setting(world: TitanWorld) -> None:
    """A model that is denied, or that the region doesn't have, is a ConfigError at the start; an outage isn't."""
    for answer, words in ((DENIED, "denies"), (REFUSED, "refuses every request")):
        world.server.behave(always(answer))
        with pytest.raises(ConfigError, match=f"TICKETS_MODEL__NAME: .* {words} .*TICKETS_MODEL__AWS_REGION"):
            world.embedder().check()
    world.server.behave(always(DOWN))
    with pytest.raises(TransientError):
        world.embedder().check()
    world.server.behave()
    world.embedder().check()


def test_a_refused_text_fails_alone(world: TitanWorld) -> None:
    """The error names the refused texts in a field, not in its message, and the others keep their vectors."""
    bad = {_TEXTS[2], _BAD}
    world.server.behave(lambda text, _nth: REFUSED if text in bad else None)
    embedder = world.embedder()
    with pytest.raises(RefusedTextsError) as caught:
        embedder.embed(_TEXTS)
    assert caught.value.texts == bad
    _check_message(caught.value)
    embedder.embed([text for text in _TEXTS if text not in bad])
    assert world.server.answered == {**dict.fromkeys(set(_TEXTS) - bad, 1), PROBE: 2}
    with pytest.raises(ConfigError, match="the question can't be searched for by meaning: Titan refuses the text"):
        embedder.embed([_BAD], "query")


def test_a_refusal_of_everything_is_the_settings_fault(world: TitanWorld) -> None:
    """If the model refuses a harmless text too, the texts aren't at fault, and the process stops."""
    world.server.behave(always(REFUSED))
    with pytest.raises(FatalError, match="refuses every request") as caught:
        world.embedder().embed(_TEXTS)
    assert not isinstance(caught.value, RefusedError)


def test_a_refusal_during_an_outage_is_an_outage(world: TitanWorld) -> None:
    """Whether a refused text is at fault can't be told while the model is out, so it is tried again."""
    world.server.behave(lambda text, _nth: DOWN if text == PROBE else REFUSED)
    with pytest.raises(TransientError):
        world.embedder().embed(_TEXTS)


@pytest.mark.parametrize(
    "text",
    ["", " \n", "word " * 20_000, "x" * 60_000, "中" * 9_000, "😀" * 5_000, "\ud800 half a pair"],
    ids=["empty", "blank", "long", "one word", "chinese", "emoji", "surrogate"],
)
def test_every_text_is_accepted(world: TitanWorld, text: str) -> None:
    """The server counts a token for each byte and refuses blank and long texts, and still accepts every one of ours."""
    assert vector_fault(world.embedder().embed([text])[0], SIZE) is None


def test_calls_end_with_the_stack() -> None:
    """Closing ends calls that wait for an answer, as an outage, and retries that wait for their time."""
    with titan_world() as world:
        world.server.behave(always(Answer(silent=True)))
        errors: list[Exception] = []

        def embed() -> None:
            try:
                world.embedder().embed(_TEXTS)
            except TransientError as error:
                errors.append(error)

        thread = threading.Thread(target=embed)
        thread.start()
        wait_until(lambda: world.server.asked.total() >= 4)
        world.stop.set()
        thread.join()
    assert "shutting down" in str(errors[0])


def test_without_a_region_the_start_names_the_setting(monkeypatch: pytest.MonkeyPatch, world: TitanWorld) -> None:
    """A missing region is a ConfigError that names the variable."""
    del world
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with ExitStack() as stack, pytest.raises(ConfigError, match="TICKETS_MODEL__AWS_REGION: not set"):
        open_titan_embedder(stack, dimension=SIZE, region=None, max_concurrent_calls=1, tokenizer=PieceTokenizer())
