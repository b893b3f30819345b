"""Personal data in sentences of many languages and scripts, and order numbers in the same languages."""

from collections.abc import Iterator
from random import Random
from typing import Final

from synthetic.pii.frames import TONGUES
from synthetic.pii.labelled import Labelled
from synthetic.pii.numbers import PLAIN, order_number, telephone
from synthetic.pii.tongue import Tongue
from synthetic.pii.values import any_ip, card, iban, password, plain_mail


def multilingual(count: int, *, seed: int = 7) -> Iterator[Labelled]:
    """Each language and kind in turn, in the script's own digits at times; one in seven with an order number only."""
    rng = Random(seed)  # noqa: S311 - made-up data
    tongues = list(TONGUES.values())
    for number in range(count):
        tongue = tongues[number % len(tongues)]
        kind = _SPOKEN[number // len(tongues) % len(_SPOKEN)]
        if kind == "ORDER":
            yield Labelled(_around(rng.choice(tongue.order), order_number(rng))[0], (), script=tongue.script)
            continue
        frames, value = _spoken(rng, tongue, kind)
        text, start, end = _around(rng.choice(frames), value)
        yield Labelled(text, ((start, end, kind),), script=tongue.script)


_SPOKEN: Final = ("PHONE", "CARD", "EMAIL", "PHONE", "IBAN", "IP", "SECRET", "ORDER")


def _spoken(rng: Random, tongue: Tongue, kind: str) -> tuple[tuple[str, ...], str]:
    if kind == "PHONE":
        frames, value = tongue.phone, telephone(rng, rng.choice(tongue.regions))
    elif kind == "CARD":
        frames, value = tongue.card, card(rng)
    elif kind == "EMAIL":
        return tongue.mail, plain_mail(rng)
    elif kind == "IBAN":
        return tongue.account, iban(rng)
    elif kind == "IP":
        return tongue.address, any_ip(rng)
    else:
        return tongue.secret, password(rng)
    if tongue.digits is not None and rng.random() < 0.4:
        value = value.translate({0x30 + n: ord(tongue.digits) + n for n in range(10)})
    return frames, value


def lookalikes(count: int, *, seed: int = 7) -> Iterator[Labelled]:
    """Order, case and tracking numbers in all languages, versions, dates, storage URLs and code: nothing may go."""
    rng = Random(seed)  # noqa: S311 - likewise
    tongues = list(TONGUES.values())
    for number in range(count):
        if number % 2:
            yield Labelled(rng.choice(PLAIN)(rng), ())
        else:
            tongue = tongues[number // 2 % len(tongues)]
            yield Labelled(_around(rng.choice(tongue.order), order_number(rng))[0], (), script=tongue.script)


def _around(frame: str, value: str) -> tuple[str, int, int]:
    at = frame.index("@@")
    return frame.replace("@@", value), at, at + len(value)
