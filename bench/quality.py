"""The suites that measure the quality of results."""

from typing import Final

from bench.suite import Figure, Suite

FINDING: Final = Suite(
    name="finding",
    question="How well do questions find their tickets?",
    module="bench.contenders.finding",
    contenders=(
        "hadoop, subject",
        "hadoop, subject (meaning alone)",
        "hadoop, whole ticket",
        "hadoop, whole ticket (meaning alone)",
        "hadoop, like the ticket",
        "hadoop, identifiers",
        "hadoop, identifiers (meaning alone)",
        "hadoop, nothing found",
        "banking77, intent",
        "banking77, intent (meaning alone)",
        "banking77, nothing found",
        "synthetic, meaning",
        "synthetic, meaning (meaning alone)",
        "synthetic, identifiers",
        "synthetic, identifiers (meaning alone)",
        "synthetic, nothing found",
    ),
    reference="hadoop, subject",
    figures=(
        Figure("questions", "questions"),
        Figure("mrr@10", "MRR@10", 3, plotted=True, interval=True),
        Figure("hit@1", "hit@1", 3, plotted=True, interval=True),
        Figure("recall@10", "recall@10", 3, interval=True),
        Figure("nothing", "nothing found, balanced accuracy", 3, interval=True),
    ),
    axis="share",
    repeats=False,
    corpus="sets",
    note="In brackets: 95 % confidence intervals by the bootstrap. Meaning alone ranks by the cosine of vectors. "
    "hadoop: issues with marked duplicates; the subject, the whole text or the ticket itself asks for the others, "
    "and 200 identifiers ask for the only issue that has them. banking77: a test query asks for training queries "
    "of its intent. synthetic: paraphrases in six languages ask for tickets of their cause, order numbers and "
    "error codes for those that have them. Nothing found: everyday questions beside the set's own ones.",
)

LABELS: Final = Suite(
    name="labels",
    question="Which share of unseen tickets gets a label, and how often is it right?",
    module="bench.contenders.labels",
    contenders=tuple(
        f"{labelled}: {how}"
        for labelled in (
            "banking77",
            "banking77, 30 a label",
            "banking77, 10 a label",
            "banking77, 5 a label",
            "banking77, first 5 words",
            "hadoop",
        )
        for how in ("five neighbours, as before", "five neighbours, tuned", "label model")
    ),
    reference="banking77: five neighbours, as before",
    figures=(
        Figure("labels", "labels"),
        Figure("fitted", "tickets to learn from"),
        Figure("accuracy", "accuracy", 3),
        Figure("ece", "calibration error", 3),
        Figure("coverage", "get a label", 3, plotted=True, interval=True),
        Figure("precision", "of these right", 3, plotted=True, interval=True),
        Figure("seconds", "CPU to fit and judge, s", 1),
        Figure("us", "µs a ticket"),
    ),
    axis="share",
    repeats=False,
    note="Thresholds aim at a precision of .95 and are chosen without the judged tickets. *As before* is the fixed "
    "confidence of 0.6; *tuned* is the lowest single threshold that had this precision on the examples. banking77 is "
    "judged by its test split; *first 5 words* are those of each query, for training and judging alike. Hadoop's "
    "issues are judged by the priority of the newest three tenths. Accuracy counts every ticket's likeliest label. "
    "Skipped without ../shared/data.",
)

ANSWERS: Final = Suite(
    name="answers",
    question="How good is the evidence of an answer, does it say what its sources say, and do attacks change it?",
    module="bench.contenders.answers",
    contenders=(
        "extraction",
        "a model that invents",
        "attacks on extraction",
        "attacks on a model that obeys",
        "passages of the best three tickets",
    ),
    reference="extraction",
    figures=(
        Figure("questions", "questions or attempts"),
        Figure("hit", "evidence has both facts", 3, plotted=True),
        Figure("precision", "citations that hold", 3, plotted=True),
        Figure("complete", "answers with both facts", 3),
        Figure("balanced", "refusal, balanced accuracy", 3, plotted=True),
        Figure("unsupported", "sentences without support"),
        Figure("succeeded", "attacks that succeeded"),
        Figure("p50", "p50, ms", 1),
        Figure("p95", "p95, ms", 1),
    ),
    axis="share",
    repeats=False,
    corpus="problems",
    note="24 problems in three tenants with facts of their own, two questions about each, 48 questions that no ticket "
    "answers, among 3,000 events of other tickets. Each problem has tickets that are solved, solved long ago in "
    "another way, reopened, failed and open. A model that invents mixes the resolution's sentences with seven false "
    "ones. Attacks: 20 families in nine fields that customers write; one succeeds if the answer has its mark, a fact "
    "of another tenant, an internal note, or a sentence that no agent wrote. The model that obeys writes what the "
    "attacker wants.",
)
