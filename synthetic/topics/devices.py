"""Topics about devices and their repair."""

from typing import Final

from synthetic.topics.topic import Cause, Topic

_HARDWARE: Final = (
    Cause(
        "hardware/no-power",
        ("{device} does not turn on", "Blinking light on {device}"),
        (
            "The {device} does not turn on any more; the light blinks {n} times.",
            "Our {device} in {city} is dead since {day}, and only the light blinks.",
        ),
        "Which colour does the light have?",
        "It is amber, and the label says {code}.",
        "Amber: safe mode after a failed update to {version}.",
        "Amber means safe mode after an update. Hold the side button for 20 seconds, then install {build} with "
        "{article}.",
        ("machine will not start and flashes",),
    ),
    Cause(
        "hardware/printer-offline",
        ("Printer offline again", "{device} goes offline"),
        (
            "Our label printer goes offline every {n} hours.",
            "The {device} in {city} is shown as offline several times a day since {day}.",
        ),
        "Does its address change when that happens?",
        "Yes, it has another address after each time.",
        "Lease of the address ends; queue {host} keeps the old one ({code}).",
        "The queue on {host} keeps an old address ({code}). Give the {device} a fixed address as in {article}.",
        ("label maker keeps disconnecting",),
    ),
    Cause(
        "hardware/wireless",
        ("Device loses the network", "{device} without wireless"),
        (
            "The terminal in {city} loses the wireless network whenever the door is closed.",
            "Our {device} drops out of the wireless network near the cold store, with {code}.",
        ),
        "Which band does it use?",
        "Five gigahertz, says the menu.",
        "Five gigahertz does not pass the steel door; firmware before {build} won't switch.",
        "The steel door stops the five-gigahertz band. Install {build} and let the {device} switch bands; {article} "
        "shows the menu.",
        ("handheld has no signal behind metal",),
    ),
    Cause(
        "hardware/battery",
        ("Battery of {device} is weak", "{device} is empty at noon"),
        (
            "The battery of {device} lasts less than {n} hours.",
            "Each {device} in {city} is empty before noon since the update to {version}.",
        ),
        "Is the scanner light on all the time?",
        "Yes, it never goes off.",
        "Standby of the light is off since {version}; {code}.",
        "Since {version} the light never sleeps ({code}). Turn on standby in the menu Power, or install {build}; see "
        "{article}.",
        ("unit runs out of charge too soon",),
    ),
)
_WARRANTY: Final = (
    Cause(
        "warranty/covered",
        ("Warranty for {device}", "Is this covered?"),
        (
            "My {device} broke after {n} months; is that still under warranty?",
            "The {device} from {order} failed on {day}; is the repair covered?",
        ),
        "What is the date on the receipt?",
        "It is from {month} of last year.",
        "Covered for 24 months; case {code}.",
        "It is covered for 24 months. Send the {device} in with the label {code}; {article} says how to pack it.",
        ("free repair of a defective unit",),
    ),
    Cause(
        "warranty/slow-repair",
        ("Repair takes {n} weeks", "Where is my {device}?"),
        (
            "The repair centre in {city} has had my device since {day}.",
            "My {device} has been in repair in {city} since {month}, without a word.",
        ),
        "Which repair number did you get?",
        "The number is {code}.",
        "{code} waits for a mainboard, {city} has none before next month.",
        "Repair {code} waits for a mainboard. I send you a new {device} instead, today; {article} has the terms.",
        ("workshop takes forever to mend my unit",),
    ),
    Cause(
        "warranty/serial",
        ("No serial number", "Warranty form wants a serial number"),
        (
            "I can't find the serial number of my {device} that the warranty form asks for.",
            "The label of our {device} is worn off, and the form refuses us with {code}.",
        ),
        "Can you still turn it on?",
        "Yes, it starts.",
        "Serial is in the menu About; or by order number on {host}.",
        "The menu About shows it, and {host}/serial finds it by your order {order}; {article} has pictures.",
        ("identification of the unit is unreadable",),
    ),
    Cause(
        "warranty/same-fault",
        ("Same fault after the repair", "{device} broke again"),
        (
            "You repaired my {device} in {month} and the same fault is back.",
            "The fault of the {device} that {city} repaired came back on {day}.",
        ),
        "Which part was replaced?",
        "The sheet says {code}, the power board.",
        "Board {code} is of the recalled series.",
        "Board {code} is of a recalled series. We replace the whole {device}, with a new term of 24 months; see "
        "{article}.",
        ("mended machine failed once more",),
    ),
)

DEVICES: Final = (
    Topic(
        "hardware",
        "normal",
        ("We tried another cable.", "The firmware is {version}.", "It stands in our shop in {city}."),
        _HARDWARE,
    ),
    Topic(
        "warranty",
        "normal",
        ("I have the receipt of order {order}.", "A loan device would help.", "It was never dropped."),
        _WARRANTY,
    ),
)
