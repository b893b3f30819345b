"""A fake language-model server with faults: the APIs of OpenAI, Bedrock and SageMaker."""

from tests.rigs.language_models.replies import Fault, Reply
from tests.rigs.language_models.server import LanguageModelServer

__all__ = ["Fault", "LanguageModelServer", "Reply"]
