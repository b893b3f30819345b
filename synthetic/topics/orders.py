"""Topics about orders and the goods in them."""

from typing import Final

from synthetic.topics.topic import Cause, Topic

_REFUND: Final = (
    Cause(
        "refund/returned",
        ("Refund for order {order}", "Refund still missing"),
        (
            "I returned order {order} {n} weeks ago and the refund of {amount} has not reached me.",
            "Order {order} went back to you in {month}, and my {amount} is still missing.",
        ),
        "Which number is on the return label?",
        "The label says {code}.",
        "Return {code} was scanned in {city}, but never booked to {order}.",
        "Return {code} was scanned but not booked to {order}. I booked it: {amount} arrives in three days; {article} "
        "has the steps.",
        ("customer wants money back for goods that were sent back",),
    ),
    Cause(
        "refund/promised",
        ("Where is my money?", "Promised refund of {amount}"),
        (
            "You promised me {amount} back for {product} on {day}, but nothing has arrived.",
            "On {day} your colleague promised {amount} for {order}, and my bank sees no transfer.",
        ),
        "Has your card been replaced since?",
        "Yes, I got a new card in {month}.",
        "Refund bounced with {code}: the card is closed.",
        "The transfer bounced ({code}) because the card is closed. Enter the new one at {host}/refund and I send "
        "{amount} again today.",
        ("reimbursement that was agreed never showed up on the bank statement",),
    ),
    Cause(
        "refund/short",
        ("Refund is too low", "{amount} short on {order}"),
        (
            "The refund for {order} came, yet it is {amount} short.",
            "You paid back less than I paid for {order}: {amount} is missing.",
        ),
        "Did you use a voucher for the order?",
        "Yes, the voucher {code}.",
        "Refunds leave out vouchers until {build}; {code} must be restored by hand.",
        "The missing {amount} is your voucher {code}. It is valid again on {host}; from {build} on vouchers come back "
        "by themselves.",
        ("got back less than the purchase price",),
    ),
    Cause(
        "refund/trial",
        ("Cancelled in the trial and still charged", "Charged after the trial of {product}"),
        (
            "Please pay back {amount}: I cancelled within the trial period.",
            "I left the trial of {product} before {day} and was charged {amount} all the same.",
        ),
        "In which time zone did you cancel?",
        "In ours, at eleven in the evening.",
        "Trial ends at midnight UTC; customer in {city} was an hour late, {code}.",
        "The trial ends at midnight UTC, which was early for you. I return {amount} as {code}; {article} will say so.",
        ("free test phase was billed",),
    ),
)
_DELIVERY: Final = (
    Cause(
        "delivery/lost",
        ("Parcel {order} not delivered", "Order {order} is late"),
        (
            "Order {order} should have been here on {day} and there is no trace of it.",
            "Parcel {order} was due in {city} on {day} and nobody knows where it is.",
        ),
        "Which status does the carrier show?",
        "It says {code}, and nothing else.",
        "{code} means lost between hubs; claim with the carrier.",
        "{code} means that the carrier lost it. A new parcel for {order} left today, free of charge; follow it at "
        "{host}/track.",
        ("package never arrived", "shipment vanished on its way"),
    ),
    Cause(
        "delivery/marked-delivered",
        ("Marked as delivered, not here", "{order} delivered to whom?"),
        (
            "Tracking says delivered, but nobody in {city} has seen the parcel.",
            "{order} is shown as delivered on {day}, and there was no parcel at our door.",
        ),
        "Is there a parcel locker near you?",
        "There is one at the station in {city}.",
        "Driver used the locker, card {code} was never left.",
        "It is in the locker at the station of {city}; the pickup number is {code}. Set your wish under {article} to "
        "avoid lockers.",
        ("status claims handed over but I received nothing",),
    ),
    Cause(
        "delivery/neighbour",
        ("Parcel left with a stranger", "{order} is with a neighbour"),
        (
            "The courier left {order} with a neighbour we don't know.",
            "{order} was given to somebody in {city} whose name we can't read.",
        ),
        "Can you send a photo of the card?",
        "Here it is; it only says {code}.",
        "Proof of delivery {code} on {host} has the name.",
        "The proof of delivery {code} on {host} names house number 14. I forbade neighbours for {order} and later "
        "ones; see {article}.",
        ("courier handed my goods to an unknown person",),
    ),
    Cause(
        "delivery/stuck",
        ("Tracking has not moved for {n} days", "Package stuck in {city}"),
        (
            "My package has been sitting in {city} for {n} days without a scan.",
            "{order} has not moved since {day}; the last scan is from {city}.",
        ),
        "What is the declared value of the goods?",
        "It is {amount}, as on {invoice}.",
        "Customs in {city} waits for form {code}.",
        "Customs in {city} waited for form {code}, which I sent. {order} moves again in two days; {article} avoids it "
        "next time.",
        ("shipment is delayed and no update is shown",),
    ),
)
_DAMAGED: Final = (
    Cause(
        "damaged/screen",
        ("{device} arrived broken", "Cracked screen out of the box"),
        (
            "The {device} from order {order} arrived with a cracked screen.",
            "The screen of our new {device} has a crack from corner to corner.",
        ),
        "Is the seal of the carton blue or white?",
        "It is white, with {code} on it.",
        "Batch {code} was packed without the foam; recall.",
        "Cartons of batch {code} lack a foam part. A new {device} leaves tomorrow, and the driver takes the broken one "
        "along; see {article}.",
        ("display was broken when it was unpacked",),
    ),
    Cause(
        "damaged/wet-box",
        ("Damaged on arrival: {order}", "Wet carton from the courier"),
        (
            "The box was wet and {n} of the parts inside are bent.",
            "{order} came in a soaked carton, and parts of the {device} are bent.",
        ),
        "Did the driver note it on the receipt?",
        "Yes, he noted it on {day}.",
        "Claim {code} against the carrier, hub {city}.",
        "The carrier accepts the claim {code}. Keep the carton; new parts come from {city} by {day}, and {article} "
        "lists them.",
        ("goods spoiled by rain in transport",),
    ),
    Cause(
        "damaged/socket",
        ("Power socket fell out", "{device} with a loose socket"),
        (
            "When I unpacked {device}, the power socket fell out.",
            "The socket of the {device} from {order} is loose and drops inside.",
        ),
        "Which serial number is on the back?",
        "It begins with {code}.",
        "Series {code}: two screws missing from the socket.",
        "In series {code} two screws are missing. A technician brings the kit {article} to {city}; don't connect the "
        "{device} before.",
        ("plug connector came off inside the new unit",),
    ),
    Cause(
        "damaged/glass",
        ("Shattered glass in {order}", "Broken glass in the parcel"),
        (
            "One of the {n} glasses in {order} is shattered.",
            "There are splinters in {order}: the glass of the {device} is broken.",
        ),
        "Would you like a new one or your money?",
        "A new one, please, before {day}.",
        "Replacement {code} from the warehouse in {city}.",
        "A new glass leaves {city} today under {code}. Throw the old one away; {article} shows how to put it in.",
        ("fragile item was in pieces",),
    ),
)

ORDERS: Final = (
    Topic(
        "refund",
        "normal",
        (
            "The parcel was signed for at your warehouse in {city}.",
            "My bank sees no incoming transfer.",
            "The order page still says that the refund is being processed.",
        ),
        _REFUND,
    ),
    Topic(
        "delivery",
        "normal",
        (
            "I need it before the weekend.",
            "The address on the label is the right one.",
            "The courier's hotline sends me back to you.",
        ),
        _DELIVERY,
    ),
    Topic(
        "damaged",
        "normal",
        (
            "I can send photos of the packaging.",
            "The driver noted the damage on the receipt.",
            "I would like a replacement rather than money.",
        ),
        _DAMAGED,
    ),
)
