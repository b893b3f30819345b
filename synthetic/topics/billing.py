"""Topics about invoices and contracts."""

from typing import Final

from synthetic.topics.topic import Topic

BILLING: Final = (
    Topic(
        "billing",
        "normal",
        ("Charged twice in {month}", "Wrong amount on invoice {order}", "Question on our bill"),
        (
            "We were charged {amount} twice for {month}.",
            "Invoice {order} lists {n} seats, but we have fewer.",
            "The discount we agreed on is missing from the bill for {month}.",
            "Our card was debited {amount} although we had moved to annual billing.",
        ),
        (
            "Accounting closes the month on {day}.",
            "The old price is still on your website.",
            "Please correct it and send a credit note.",
        ),
        ("billed two times for the same month", "the invoice shows a wrong amount"),
    ),
    Topic(
        "invoice",
        "low",
        ("Invoice copy for {month}", "VAT number missing on invoice", "Please resend invoice {order}"),
        (
            "Could you send the invoice for {month} as a PDF?",
            "Our VAT number is missing on invoice {order}, so we can't book it.",
            "The billing address still shows our former office in {city}.",
            "We need all invoices since {month} for an audit.",
        ),
        (
            "The download button gives an empty file.",
            "Our accountant asks for it by {day}.",
            "Purchase order {order} must be on it.",
        ),
        ("needs a copy of an old invoice", "tax number is not on the bill"),
    ),
    Topic(
        "cancel",
        "normal",
        ("Cancel my subscription", "End our {product} plan", "How do I close the contract?"),
        (
            "I want to cancel {product} at the end of {month}.",
            "The cancel button in the settings of {product} is greyed out.",
            "I cancelled on {day}, but the plan renewed anyway.",
            "Please confirm that our contract ends with {month} and that nothing more is charged.",
        ),
        ("We moved to another tool.", "The notice period should be {n} weeks.", "No answer to my first message."),
        ("how to terminate the subscription", "plan renewed after cancellation"),
    ),
    Topic(
        "upgrade",
        "low",
        ("More seats for {product}", "Upgrade to the team plan", "Difference between the plans?"),
        (
            "We would like to add {n} seats to {product} from {month} on.",
            "What does the team plan of {product} include that the basic one does not?",
            "Can we move {n} seats to annual billing in the middle of a term?",
            "The upgrade page of {product} says that we are not the owner of the workspace.",
        ),
        (
            "We are about {n} people in {city}.",
            "A quote would help our purchasing.",
            "Is there a discount for schools?",
        ),
        ("wants to buy additional licences", "switch to a bigger plan"),
    ),
)
