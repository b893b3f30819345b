"""The key of a cached answer: everything that the answer depends on."""

import unicodedata
from hashlib import sha256
from typing import Final

import msgspec

from answers.chain import Chain
from answers.evidence import Evidence
from answers.prompt import VERSION

#: Increase it when the check of claims changes, so that no cached answer is served that the new rules would refuse.
_CHECK: Final = "2"


def answer_key(
    question: str, evidence: Evidence, chain: Chain, *, tenant_id: str, audience: str, min_confidence: float
) -> str:
    """A hash, in hexadecimal. An edit or a delete of a source changes the evidence, and so the key.

    Args:
        question: compared without differences in white space and Unicode normalisation.
        evidence: the present evidence for this question.
        chain: the writers of the answer.
        tenant_id: of the caller.
        audience: the readers of the answer, such as `agents`.
        min_confidence: of the request.
    """
    sources = [
        (s.ticket_id, s.version, s.chunk, s.message, s.start, s.end, s.resolution, sha256(s.text.encode()).hexdigest())
        for s in evidence.sources
    ]
    refused = not evidence.sources or evidence.confidence < min_confidence
    asked = " ".join(unicodedata.normalize("NFC", question).split())
    rules = (VERSION, _CHECK)
    parts = (rules, tenant_id, audience, asked, sources, refused, evidence.nothing, evidence.model, chain.name)
    return sha256(msgspec.json.encode(parts)).hexdigest()
