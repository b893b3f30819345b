"""The composition roots: all of the way in one process, or one of its stages. docs/stages.md says when to divide it."""

from functools import partial
from typing import Final

from core.settings import Settings
from core.wire import embedded_message, enriched_message
from worker.model import open_tokenizer
from worker.pipeline import Pipeline
from worker.plan import RECEIVE_ENRICHED, asking_steps, embedding_steps, enriching_steps
from worker.site import Site

#: Of the health port, where the settings name none: two stages on one host don't meet.
PORT: Final = 8080
EMBEDDING_PORT: Final = 8081

ENRICHMENT: Final = "enrichment"
EMBEDDING: Final = "embedding"


def build_pipeline(settings: Settings) -> Pipeline:
    """A pipeline from `tickets.raw` to the index, checked and ready to poll.

    Raises:
        ConfigError: a setting is wrong, the index belongs to another process or model, or a port is taken.
        UnavailableError: the broker, a topic, the index or the model's weights can't be had.
    """
    with Site(settings, reads=settings.topics.raw, port=PORT) as site:
        site.require_topics()
        embedder = site.open_embedder()
        index = site.open_index(embedder)
        steps = enriching_steps(settings, embedder)
        finishing = [*asking_steps(settings), *embedding_steps(settings, embedder)]
        site.serve(index=index, embedder=embedder)
        return site.pipeline(steps=steps, finishing=finishing, sinks={"index": index}, model=embedder.stamp)


def build_enrichment(settings: Settings) -> Pipeline:
    """The first stage, from `tickets.raw` to `tickets.enriched`. It has the model's tokenizer and not the model.

    Raises:
        ConfigError: a setting is wrong, or a port is taken.
        UnavailableError: the broker, a topic or the model's files can't be had.
    """
    topics = settings.topics
    with Site(settings, reads=topics.raw, stage=ENRICHMENT, port=PORT) as site:
        site.require_topics(topics.enriched)
        steps = enriching_steps(settings, open_tokenizer(settings.model))
        site.serve()
        enriched = site.topic(topics.enriched, enriched_message)
        return site.pipeline(steps=steps, finishing=asking_steps(settings), sinks={"enriched": enriched}, model="none")


def build_embedding(settings: Settings) -> Pipeline:
    """The second stage, from `tickets.enriched` to `tickets.embedded` and, once that has it, the index.

    Raises:
        ConfigError: a setting is wrong, the index belongs to another process or model, or a port is taken.
        UnavailableError: the broker, a topic, the index or the model's weights can't be had.
    """
    topics = settings.topics
    with Site(settings, reads=topics.enriched, stage=EMBEDDING, port=EMBEDDING_PORT) as site:
        site.require_topics(topics.embedded)
        embedder = site.open_embedder()
        index = site.open_index(embedder)
        finishing = embedding_steps(settings, embedder)
        site.serve(index=index, embedder=embedder)
        embedded = site.topic(topics.embedded, partial(embedded_message, model=embedder.stamp))
        return site.pipeline(
            steps=[RECEIVE_ENRICHED],
            finishing=finishing,
            sinks={"embedded": embedded, "index": index},
            model=embedder.stamp,
        )
