"""What is asked, and of whom."""

from typing import Final

from bench.runner import Suite

SUITES: Final = {
    suite.name: suite
    for suite in (
        Suite(
            name="embed",
            question="How fast do texts become vectors, against what one would otherwise pick?",
            module="bench.contenders.encoders",
            contenders=(
                "ours, int8",
                "ours, fp32",
                "our int8 graph, one by one",
                "our fp32 graph, one by one",
                "our fp32 graph, 32 as they come",
                "our fp32 graph, 256 as they come",
            ),
            reference="ours, int8",
            unit="texts",
            foreign=(
                "sentence-transformers, torch",
                "fastembed",
                "fastembed, batch 32",
                "fastembed, one by one",
            ),
        ),
        Suite(
            name="pipeline",
            question="How much of the bare model's speed is left from broker to searchable?",
            module="bench.contenders.streams",
            contenders=("the bare model", "ticketstream", "a naive Bytewax flow"),
            reference="the bare model",
            streamed=True,
        ),
        Suite(
            name="enrich",
            question="How many tickets a second does one core take through each operator?",
            module="bench.contenders.operators",
            contenders=(
                "decode",
                "clean",
                "redact",
                "language",
                "enrich",
                "chunk",
                "classify",
                "points",
                "all of them",
            ),
            reference="all of them",
        ),
    )
}
