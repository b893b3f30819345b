"""A server that speaks as language models do, with faults: OpenAI's API, Bedrock's and SageMaker's runtimes."""

from tests.rigs.language_models.replies import Fault, Reply
from tests.rigs.language_models.server import LanguageModelServer

__all__ = ["Fault", "LanguageModelServer", "Reply"]
