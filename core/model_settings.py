"""Settings of the embedding model, and of the labels that tickets get."""

from typing import Annotated, Final, Literal

from pydantic import Field

from core.setting_types import FilePath, Group, Number, Positive, Url, default_cache

#: Name of the embedding model that Amazon Bedrock runs: Titan Text Embeddings V2.
TITAN: Final = "titan-embed-text-v2"


class ModelSettings(Group):
    """The embedding model."""

    name: str = Field(
        "all-MiniLM-L6-v2",
        description="Built-in model: `all-MiniLM-L6-v2` (English, fast), `multilingual-e5-small-q4` (other languages "
        "too), `titan-embed-text-v2` (run by Amazon Bedrock), or `hashing`, which needs no weights and is for tests "
        "only.",
    )
    card: FilePath | None = Field(
        None,
        description="Card of another BERT encoder, written by `ticketstream model card`; overrides the name.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="`auto` uses a GPU if there is one and requirements/gpu.txt is installed."
    )
    cache_dir: FilePath = Field(default_factory=default_cache, description="Folder of weights and graphs.")
    precision: Literal["auto", "fp32", "int8", "fp16"] = Field(
        "auto",
        description="`auto` chooses `fp16` on a GPU, `int8` on a CPU with VNNI (more than twice as fast there), "
        "else `fp32`. Set it if workers on different machines share an index: each precision has its own model stamp.",
    )
    store: Url | None = Field(
        None,
        description="Folder or s3://bucket/prefix that `ticketstream model build --to` filled. The model is downloaded "
        "from there instead of being built.",
    )
    stamp: str | None = Field(
        None,
        description="Required model stamp (see `ticketstream model show`); the worker refuses to start with any other.",
    )
    vector_cache_texts: Annotated[int, Field(ge=0)] = Field(
        20_000, description="Size of the vector cache, in texts: a cached text is not embedded again; 0 disables it."
    )
    batch_tokens: Positive | None = Field(
        None, description="Maximum tokens of a model call, padding included; by default measured once on this machine."
    )
    threads: Positive | None = Field(
        None,
        description="Inference threads on the CPU; by default one per core. Each takes 65 MiB with the default model.",
    )
    dimensions: Annotated[Literal[256, 512, 1024], Number] = Field(
        1024, description="Titan: size of a vector, 256, 512 or 1024. Each size has its own model stamp."
    )
    aws_region: str | None = Field(
        None, description="Titan: AWS region of Bedrock; by default that of the environment or profile."
    )
    max_concurrent_calls: Positive = Field(
        8, description="Titan: maximum concurrent calls of a process for passages. Each call embeds one text."
    )

    @property
    def remote(self) -> bool:
        """Whether a service runs the model, so that embedding is a call that may fail."""
        return self.card is None and self.name == TITAN


class ClassifySettings(Group):
    """Category and priority of tickets whose producer gave none: by a label model, or by the nearest examples."""

    model: Url | None = Field(
        None,
        description="Folder or s3://bucket/prefix of a label model that `ticketstream train --to` wrote, or the "
        "s3://…/model.tar.gz of a training job. It has a threshold for each label.",
    )
    examples_file: FilePath | None = Field(
        None,
        description="Instead of a label model, if few tickets are labelled: JSONL file of {text, category?, "
        "priority?}; the five nearest vote.",
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.6, description="Minimum confidence of a label by the nearest examples; below it the ticket gets none."
    )
