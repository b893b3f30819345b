"""A server that speaks as language models do, with faults: OpenAI's API, Bedrock's and SageMaker's runtimes."""

from tests.rigs.language_models.server import Fault, LanguageModelServer, Reply

__all__ = ["Fault", "LanguageModelServer", "Reply"]
