"""The steps of each role: their operators, order and bound arguments."""

from functools import partial
from typing import Final

from connectors.files.customers import load_customers
from core.protocols import Embedder, ModelTokenizer
from core.settings import Settings
from operators.chunk import chunk
from operators.classify import classify
from operators.clean import clean
from operators.decode import decode
from operators.embed import embed
from operators.enrich import enrich
from operators.language import CompactDetector, detect_language
from operators.outcome import parse_statuses
from operators.points import to_points
from operators.receive import receive_embedded, receive_enriched
from operators.redact import redact
from operators.terms import add_terms
from runtime.labels import open_labeller
from stream.sinks import CUSTOMERS, MODEL
from stream.steps import Step

#: From a record of `tickets.enriched` to the enriched ticket.
RECEIVE_ENRICHED: Final = Step("receive", "embed", receive_enriched)
#: The last step wherever points are made or received.
TERMS: Final = Step("terms", "index", add_terms)


def ticket_steps(settings: Settings, embedder: Embedder) -> list[Step]:
    """Steps from raw record to points.

    Raises:
        ConfigError: the customers' file, the label model or the examples' file is missing or malformed.
    """
    return [*enriching_steps(settings, embedder), *lookup_steps(settings), *embedding_steps(settings, embedder)]


def enriching_steps(settings: Settings, tokenizer: ModelTokenizer) -> list[Step]:
    """Steps from raw record to enriched ticket that call no dependency."""
    max_tokens = min(settings.chunk.max_tokens or tokenizer.max_tokens, tokenizer.max_tokens)
    return [
        Step("decode", "decode", partial(decode, settings=settings.contract)),
        Step("clean", "enrich", clean),
        Step("redact", "enrich", redact),
        Step("language", "enrich", partial(detect_language, detector=CompactDetector())),
        Step(
            "chunk",
            "enrich",
            partial(
                chunk,
                tokenizer=tokenizer,
                max_tokens=max_tokens,
                overlap_tokens=min(settings.chunk.overlap_tokens, max_tokens // 4),
                max_passages=settings.chunk.max_passages,
            ),
            leaves_out="passages",
        ),
    ]


def lookup_steps(settings: Settings) -> list[Step]:
    """Steps that call a dependency to enrich a ticket. It may be slow or down, so they don't run on the polling thread.

    Raises:
        ConfigError: the customers' file is missing or malformed.
    """
    if settings.enrich.customers_file is None:
        return []
    customers = load_customers(settings.enrich.customers_file)
    return [Step("enrich", "enrich", partial(enrich, customers=customers), pure=False, calls=CUSTOMERS)]


def receiving_steps(model: str) -> list[Step]:
    """Steps from a record of `tickets.embedded` to points. `model` is the stamp of the model that made them."""
    return [Step("receive", "index", partial(receive_embedded, model=model)), TERMS]


def embedding_steps(settings: Settings, embedder: Embedder) -> list[Step]:
    """Steps from enriched ticket to points.

    Raises:
        ConfigError: the label model or the examples' file is missing, malformed or of another model, or the setting of
            solved statuses is malformed.
    """
    statuses = parse_statuses(settings.search.solved_statuses)
    labeller = open_labeller(settings.classify, embedder, cache=settings.model.cache_dir)
    return [
        embedding_step(embedder, remote=settings.model.remote),
        Step("classify", "embed", partial(classify, labeller=labeller)),
        Step("points", "index", partial(to_points, solved=statuses), leaves_out="attributes"),
        TERMS,
    ]


def embedding_step(embedder: Embedder, *, remote: bool = False) -> Step:
    """The step from enriched ticket to its vectors. The outages of a remote model are retried."""
    operator = partial(embed, embedder=embedder)
    return Step("embed", "embed", operator, pure=False, calls=MODEL if remote else "", whole=remote)
