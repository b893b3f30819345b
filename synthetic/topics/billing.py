"""Topics about invoices and contracts."""

from typing import Final

from synthetic.topics.topic import Cause, Topic

_BILLING: Final = (
    Cause(
        "billing/twice",
        ("Charged twice in {month}", "Double debit of {amount}"),
        ("We were charged {amount} twice for {month}.", "Our card was debited {amount} two times on {day}."),
        "Do both debits carry the same reference?",
        "Yes, both say {invoice}.",
        "Payment retried after timeout {code} on {host}; two captures of {invoice}.",
        "A retry after {code} captured {invoice} twice. The second {amount} goes back to your card in five days; "
        "{build} prevents it.",
        ("billed two times for the same month", "duplicate payment taken"),
    ),
    Cause(
        "billing/seats",
        ("Wrong amount on invoice {invoice}", "Too many seats on the bill"),
        (
            "Invoice {invoice} lists {n} seats, but we have fewer.",
            "On {invoice} you bill seats of people who left in {month}.",
        ),
        "When were these people deactivated?",
        "All of them before the end of {month}.",
        "Deactivated users count until the term ends; credit under {code}.",
        "Deactivated users counted until the renewal. I credited {amount} under {code}; remove users instead, as in "
        "{article}.",
        ("the statement counts more licences than we use",),
    ),
    Cause(
        "billing/discount",
        ("Discount is missing", "Bill for {month} without our discount"),
        (
            "The discount we agreed on is missing from the bill for {month}.",
            "Invoice {invoice} has the full price of {product} although we agreed on a discount.",
        ),
        "Which voucher is in your contract?",
        "The contract of {month} names the voucher {code}.",
        "Voucher {code} expired with the old plan and was not carried over.",
        "Voucher {code} was lost when your plan changed. It is back, and {invoice} is replaced by one that is {amount} "
        "lower, see {article}.",
        ("promised price reduction was not applied",),
    ),
    Cause(
        "billing/annual",
        ("Still billed by the month", "Question on our bill"),
        (
            "Our card was debited {amount} although we had moved to annual billing.",
            "We pay {product} by the year since {month} and were billed for a single month again.",
        ),
        "Is there an old workspace on the same card?",
        "There may be one of our office in {city}.",
        "Second workspace of the customer in {city}, still on a monthly plan.",
        "The debit is for your old workspace in {city}. I closed it ({code}) and returned {amount}; {article} shows "
        "all workspaces of a card.",
        ("switched to yearly payment but still debited every month",),
    ),
)
_INVOICE: Final = (
    Cause(
        "invoice/copy",
        ("Invoice copy for {month}", "Please resend invoice {invoice}"),
        (
            "Could you send the invoice for {month} as a PDF?",
            "The download of {invoice} gives an empty file; please send the invoice by mail.",
        ),
        "Which browser do you download it with?",
        "With {browser}, and the file has 0 bytes.",
        "PDF service on {host} fails with {code} in {browser}.",
        "The file was empty because of {code} on {host}. {invoice} is attached; from {build} on the download works "
        "again.",
        ("needs a duplicate of an old bill", "bill document has no content"),
    ),
    Cause(
        "invoice/vat",
        ("VAT number missing on invoice", "{invoice} lacks our VAT number"),
        (
            "Our VAT number is missing on invoice {invoice}, so we can't book it.",
            "The tax office in {city} refuses {invoice} because our VAT number is not on it.",
        ),
        "Did you enter it before or after {day}?",
        "After that day, in the settings.",
        "Number was entered after the run; corrected invoice via {host}.",
        "The number came after the invoice run. A corrected {invoice} is on {host}; {article} says until which day "
        "changes count.",
        ("tax identification is not on the bill",),
    ),
    Cause(
        "invoice/address",
        ("Old address on the invoice", "Change of billing address"),
        (
            "The billing address still shows our former office in {city}.",
            "{invoice} went to our former address in {city} again.",
        ),
        "Which address does the payment profile show?",
        "The new one, since {month}.",
        "Payment profile and contract differ; job {code} copies only one way.",
        "The contract kept the former address. I copied the new one ({code}) and sent {invoice} again; {article} shows "
        "both places.",
        ("statements are sent to the place we moved away from",),
    ),
    Cause(
        "invoice/audit",
        ("All invoices for an audit", "Invoices since {month}"),
        (
            "We need all invoices since {month} for an audit.",
            "Our auditor in {city} asks for every invoice of {product} in one file.",
        ),
        "Do you need them as PDF or as a table?",
        "As a table, with the numbers of the purchase orders.",
        "Bulk export is for finance roles only; hidden behind {host}/finance.",
        "The bulk export is at {host}/finance and needs the finance role, which I gave you; {article} describes its "
        "columns.",
        ("collect every bill for the accountants",),
    ),
)
_CANCEL: Final = (
    Cause(
        "cancel/end-of-month",
        ("Cancel my subscription", "End our {product} plan"),
        (
            "I want to cancel {product} at the end of {month}.",
            "Please end our plan for {product}; we moved to another tool in {month}.",
        ),
        "Are you the owner of the workspace?",
        "Yes, I signed the contract in {city}.",
        "Cancellation {code} entered; access to {host} until the end of the term.",
        "The plan ends as you wish, number {code}. You can export from {host} for 30 more days; {article} tells how.",
        ("how to terminate the contract",),
    ),
    Cause(
        "cancel/grey-button",
        ("Cancel button is greyed out", "Can't cancel in the settings"),
        (
            "The cancel button in the settings of {product} is greyed out.",
            "I can't cancel {product}: the button is grey and shows {code}.",
        ),
        "Is an invoice still open?",
        "Yes, {invoice} is in dispute since {day}.",
        "Open invoice {invoice} blocks self-service; {code} is expected.",
        "An open {invoice} blocks the button ({code}). I settled it with you as agreed, and the button works; see "
        "{article}.",
        ("control for ending the membership is disabled",),
    ),
    Cause(
        "cancel/renewed",
        ("Plan renewed after I cancelled", "Renewal of {product} in spite of my notice"),
        (
            "I cancelled on {day}, but the plan renewed anyway.",
            "{product} was renewed for {amount} although I had cancelled in {month}.",
        ),
        "Did you get a mail that confirms it?",
        "No, there was no mail.",
        "Request stopped at step two, {code}; never confirmed on {host}.",
        "Your request stopped before its last step ({code}). I cancelled the renewal and return {amount}; since "
        "{build} the page warns.",
        ("membership went on although notice was given",),
    ),
    Cause(
        "cancel/confirmation",
        ("How do I close the contract?", "Confirmation of the end"),
        (
            "Please confirm that our contract ends with {month} and that nothing more is charged.",
            "We need a letter that says the contract for {product} ends with {month}.",
        ),
        "Who should the letter be addressed to?",
        "To our purchasing in {city}.",
        "Letter template {article}, number {code}.",
        "The letter {code} is on its way to {city}: nothing more is charged after {month}. A copy is on {host}.",
        ("written proof that the agreement is over",),
    ),
)
_UPGRADE: Final = (
    Cause(
        "upgrade/seats",
        ("More seats for {product}", "Add {n} seats"),
        (
            "We would like to add {n} seats to {product} from {month} on.",
            "Our office in {city} grows and needs {n} more seats of {product}.",
        ),
        "Should they start at once or with the next term?",
        "With the next term, in {month}.",
        "Seats are prorated by the day; offer {code}.",
        "Offer {code} has the seats from {month} on. Confirm it at {host}/plan; {article} shows the price by the day.",
        ("wants to buy additional licences",),
    ),
    Cause(
        "upgrade/comparison",
        ("Difference between the plans?", "Upgrade to the team plan"),
        (
            "What does the team plan of {product} include that the basic one does not?",
            "Before we upgrade {product}: does the team plan have an audit log?",
        ),
        "Which of its functions matter most to you?",
        "Single sign-on and the audit log.",
        "Team plan: single sign-on, audit log, 99.9 %. Sheet {article}.",
        "The team plan adds single sign-on, an audit log and a second region; {article} compares all, and voucher "
        "{code} gives a month.",
        ("which tier has which features",),
    ),
    Cause(
        "upgrade/mid-term",
        ("Move to annual billing", "Switch in the middle of a term"),
        (
            "Can we move {n} seats to annual billing in the middle of a term?",
            "We want to pay {product} by the year, but the term runs until {month}.",
        ),
        "Which invoice was the last one?",
        "The last one was {invoice}.",
        "Mid-term switch allowed since {build}; rest of {invoice} is credited.",
        "You can: the rest of {invoice} is credited. Choose yearly at {host}/plan and enter {code}; {article} has an "
        "example.",
        ("change from monthly to yearly payment early",),
    ),
    Cause(
        "upgrade/not-owner",
        ("Upgrade page says not the owner", "Upgrade refused with {code}"),
        (
            "The upgrade page of {product} says that we are not the owner of the workspace.",
            "I can't upgrade {product}: {code}, not the owner, although I pay for it.",
        ),
        "Who created the workspace?",
        "A colleague in {city}, who has left us.",
        "Owner is the deleted user; transfer with {code}.",
        "The owner is still the colleague who left. I made you the owner on {host}; {article} shows how to name a "
        "deputy.",
        ("purchase of a bigger package is denied for lack of ownership",),
    ),
)

BILLING: Final = (
    Topic(
        "billing",
        "normal",
        (
            "Accounting closes the month on {day}.",
            "The old price is still on your website.",
            "Please correct it and send a credit note.",
        ),
        _BILLING,
    ),
    Topic(
        "invoice",
        "low",
        (
            "Our accountant asks for it by {day}.",
            "Purchase order {order} must be on it.",
            "Please answer our accounting in {city}.",
        ),
        _INVOICE,
    ),
    Topic(
        "cancel",
        "normal",
        ("We moved to another tool.", "The notice period should be {n} weeks.", "No answer to my first message."),
        _CANCEL,
    ),
    Topic(
        "upgrade",
        "low",
        (
            "We are about {n} people in {city}.",
            "A quote would help our purchasing.",
            "Is there a discount for schools?",
        ),
        _UPGRADE,
    ),
)
