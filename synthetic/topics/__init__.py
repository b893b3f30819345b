"""Twenty topics of synthetic tickets with four causes each, in English. All text was written for this project."""

from typing import Final

from synthetic.topics.account import ACCOUNT
from synthetic.topics.billing import BILLING
from synthetic.topics.devices import DEVICES
from synthetic.topics.interfaces import INTERFACES
from synthetic.topics.orders import ORDERS
from synthetic.topics.software import SOFTWARE
from synthetic.topics.topic import Cause, Topic

__all__ = ["CAUSES", "TOPICS", "Cause", "Topic"]

#: Topics are chosen by position, so changing the order changes the tickets of every seed.
TOPICS: Final = (*ACCOUNT, *ORDERS, *BILLING, *DEVICES, *INTERFACES, *SOFTWARE)

#: Causes by name, in the topics' order.
CAUSES: Final = {cause.name: cause for topic in TOPICS for cause in topic.causes}
