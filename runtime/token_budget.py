"""Opens the budget of language models' tokens: in this process, or on the server of the shared cache."""

from contextlib import ExitStack

from connectors.cache.memory_tokens import DailyTokens
from core.language_model import TokenBudget
from core.service_settings import CacheSettings


def open_token_budget(settings: CacheSettings, stack: ExitStack, *, tokens_per_day: int) -> TokenBudget:
    """A budget of `tokens_per_day` for each tenant, 0 for no limit; `stack` closes its connections.

    While the server doesn't answer, each process counts alone.

    Raises:
        ConfigError: the cache's URL or CA file is unusable, or the server refuses the user name and password.
    """
    if settings.url is None:
        return DailyTokens(tokens_per_day)
    from connectors.cache.redis_client import open_redis  # noqa: PLC0415 - imported for a server only
    from connectors.cache.redis_tokens import RedisTokens  # noqa: PLC0415 - likewise

    return RedisTokens(open_redis(settings, stack), tokens_per_day)
