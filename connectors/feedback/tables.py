"""The table of feedback in DynamoDB and its keys.

`Feedback` has six kinds of items, told apart by `pk`, and no index:

| pk | sk | item |
|---|---|---|
| `answer/TENANT/ANSWER` | `-` | an answer; DynamoDB's TTL removes it by `expires_s`, which the others don't have |
| `verdict/TENANT` | `ANSWER/AGENT` | an agent's last verdict on an answer, with its `version` |
| `ticket/TENANT/TICKET` | `vote/QUESTION/AGENT` | an agent's vote on a pair of question and ticket |
| `ticket/TENANT/TICKET` | `counts` | number of the ticket's votes by verdict: what a search reads |
| `outbox` | `TIME/TENANT/ANSWER/AGENT/VERSION` | a verdict that the topic may not have yet |
| `lease` | `-` | the relay's lease |

A tenant's id contains no slash, and answers, agents and questions are hexadecimal. All items of a verdict are written
in one transaction. The outbox is one partition, which bears about 500 verdicts a second.
"""

import math
import zlib
from collections.abc import Mapping
from typing import Final

import msgspec

from connectors.aws import Timeouts
from connectors.dynamodb import Item, open_client
from connectors.dynamodb_tables import Tables, table_definition
from core.feedback import ANSWER_DAYS, Feedback, GivenAnswer

FEEDBACK: Final = "Feedback"
#: The attribute for DynamoDB's TTL, by table.
TTL: Final = {FEEDBACK: "expires_s"}

OUTBOX: Final = "outbox"
VERDICTS: Final = "verdict/"
LEASE: Final = {"pk": {"S": "lease"}, "sk": {"S": "-"}}

HINT: Final = f"create {FEEDBACK} with the prefix of TICKETS_RAG__TABLE_PREFIX"
#: Calls that a search or an answer waits for have short timeouts; a vote may wait longer.
_QUICK: Final = Timeouts(connect_s=0.5, read_s=0.5, attempts=2)
_PATIENT: Final = Timeouts(connect_s=1, read_s=3, attempts=2)

_DAY_S: Final = 86_400


def open_tables(*, prefix: str, region: str | None) -> tuple[Tables, Tables]:
    """The table with the process's own credentials: for calls that a search waits for, and for others.

    Raises:
        ConfigError: no region is configured.
    """
    quick, patient = (
        open_client(region, setting="TICKETS_RAG__AWS_REGION", timeouts=one) for one in (_QUICK, _PATIENT)
    )
    return Tables(quick, prefix, HINT, attempts=_QUICK.attempts), Tables(patient, prefix, HINT)


def definitions(prefix: str) -> list[Mapping[str, object]]:
    """The arguments of CreateTable."""
    return [table_definition(prefix + FEEDBACK, ["pk", "sk"])]


def answer_key(tenant_id: str, answer_id: str) -> Item:
    """The key of an answer."""
    return _key(f"answer/{tenant_id}/{answer_id}", "-")


def answer_item(answer: GivenAnswer) -> Item:
    """The item of an answer."""
    expires_s = math.ceil(answer.at_ms / 1000) + ANSWER_DAYS * _DAY_S
    return answer_key(answer.tenant_id, answer.answer_id) | {"expires_s": _number(expires_s), "value": _packed(answer)}


def verdict_key(feedback: Feedback) -> Item:
    """The key of an agent's verdict on an answer."""
    answer = feedback.answer
    return _key(f"{VERDICTS}{answer.tenant_id}", f"{answer.answer_id}/{feedback.agent}")


def verdict_item(feedback: Feedback, version: int) -> Item:
    """The item of a verdict."""
    return verdict_key(feedback) | {
        "at_ms": _number(feedback.at_ms),
        "version": _number(version),
        "value": _packed(feedback),
    }


def outbox_item(feedback: Feedback, version: int) -> Item:
    """A verdict in the outbox. Its version makes its key differ from that of a verdict that it replaced."""
    answer = feedback.answer
    order = f"{feedback.at_ms:015d}/{answer.tenant_id}/{answer.answer_id}/{feedback.agent}/{version:06d}"
    return outbox_key(order) | {"value": _packed(feedback)}


def outbox_key(order: str) -> Item:
    """The key of an item of the outbox."""
    return _key(OUTBOX, order)


def vote_key(feedback: Feedback, ticket_id: str) -> Item:
    """The key of an agent's vote on a pair of question and ticket."""
    answer = feedback.answer
    return _key(_ticket(answer.tenant_id, ticket_id), f"vote/{answer.question_key}/{feedback.agent}")


def vote_item(feedback: Feedback, ticket_id: str) -> Item:
    """The item of a vote."""
    return vote_key(feedback, ticket_id) | {"verdict": {"S": feedback.verdict}, "at_ms": _number(feedback.at_ms)}


def counts_key(tenant_id: str, ticket_id: str) -> Item:
    """The key of the counts of a ticket's votes."""
    return _key(_ticket(tenant_id, ticket_id), "counts")


def ticket_of(item: Item) -> str:
    """The ticket that an item of its counts or votes is about."""
    return str(item["pk"]["S"]).split("/", 2)[2]


def unpacked(item: Item) -> bytes:
    """The value of an item."""
    return zlib.decompress(item["value"]["B"])


def _ticket(tenant_id: str, ticket_id: str) -> str:
    return f"ticket/{tenant_id}/{ticket_id}"


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _number(value: int) -> Item:
    return {"N": str(value)}


def _packed(value: GivenAnswer | Feedback) -> Item:
    """Compressed. Its texts are bounded by the requests, far below the 400 KB that an item may have."""
    return {"B": zlib.compress(msgspec.json.encode(value))}
