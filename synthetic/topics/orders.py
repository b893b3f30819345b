"""Topics about orders and the goods in them."""

from typing import Final

from synthetic.topics.topic import Topic

ORDERS: Final = (
    Topic(
        "refund",
        "normal",
        ("Refund for order {order}", "Where is my money?", "Refund still missing"),
        (
            "I returned order {order} {n} weeks ago and the refund of {amount} has not reached me.",
            "You promised me {amount} back for {product} on {day}, but nothing has arrived.",
            "The refund for {order} came, yet it is {amount} short.",
            "Please pay back {amount}: I cancelled within the trial period.",
        ),
        (
            "The parcel was signed for at your warehouse in {city}.",
            "My bank sees no incoming transfer.",
            "The order page still says that the refund is being processed.",
        ),
        ("customer wants money back for a returned order", "refund has not arrived"),
    ),
    Topic(
        "delivery",
        "normal",
        ("Parcel {order} not delivered", "Order {order} is late", "Tracking has not moved for {n} days"),
        (
            "Order {order} should have been here on {day} and there is no trace of it.",
            "Tracking says delivered, but nobody in {city} has seen the parcel.",
            "The courier left {order} with a neighbour we don't know.",
            "My package has been sitting in {city} for {n} days without a scan.",
        ),
        (
            "I need it before the weekend.",
            "The address on the label is the right one.",
            "The courier's hotline sends me back to you.",
        ),
        ("package never arrived", "shipment is delayed and tracking does not update"),
    ),
    Topic(
        "damaged",
        "normal",
        ("{product} arrived broken", "Damaged on arrival: {order}", "Cracked screen out of the box"),
        (
            "The {product} from order {order} arrived with a cracked screen.",
            "The box was wet and {n} of the parts inside are bent.",
            "When I unpacked {product}, the power socket fell out.",
            "One of the {n} glasses in {order} is shattered.",
        ),
        (
            "I can send photos of the packaging.",
            "The driver noted the damage on the receipt.",
            "I would like a replacement rather than money.",
        ),
        ("item was broken when it was unpacked", "goods damaged in transport"),
    ),
    Topic(
        "hardware",
        "normal",
        ("Scanner {product} does not turn on", "Printer offline again", "Device loses the network"),
        (
            "The {product} does not turn on any more; the light blinks {n} times.",
            "Our label printer goes offline every {n} hours.",
            "The terminal in {city} loses the wireless network whenever the door is closed.",
            "The battery of {product} lasts less than {n} hours.",
        ),
        ("We tried another cable.", "The firmware is {version}.", "It stands in our shop in {city}."),
        ("device will not power on", "printer keeps disconnecting"),
    ),
    Topic(
        "warranty",
        "normal",
        ("Warranty for {product}", "Repair takes {n} weeks", "Is this covered?"),
        (
            "My {product} broke after {n} months; is that still under warranty?",
            "The repair centre in {city} has had my device since {day}.",
            "I can't find the serial number of my {product} that the warranty form asks for.",
            "You repaired my {product} in {month} and the same fault is back.",
        ),
        ("I have the receipt of order {order}.", "A loan device would help.", "It was never dropped."),
        ("repair of a defective device under guarantee", "fault came back after the repair"),
    ),
)
