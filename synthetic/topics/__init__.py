"""Twenty topics of synthetic tickets, in English. All text was written for this project."""

from typing import Final

from synthetic.topics.account import ACCOUNT
from synthetic.topics.billing import BILLING
from synthetic.topics.orders import ORDERS
from synthetic.topics.software import SOFTWARE
from synthetic.topics.topic import Topic

__all__ = ["TOPICS", "Topic"]

#: Topics are chosen by position, so changing the order changes the tickets of every seed.
_ORDER: Final = (
    "login",
    "refund",
    "delivery",
    "damaged",
    "billing",
    "invoice",
    "cancel",
    "upgrade",
    "api-errors",
    "webhooks",
    "export",
    "mobile-app",
    "performance",
    "security",
    "privacy",
    "permissions",
    "hardware",
    "warranty",
    "feature-request",
    "outage",
)
_BY_NAME: Final = {topic.name: topic for topic in (*ACCOUNT, *ORDERS, *BILLING, *SOFTWARE)}

TOPICS: Final = tuple(_BY_NAME[name] for name in _ORDER)
