"""Problems with their symptoms, causes and fixes, questions about them, and questions that no ticket answers.

All text was written for this project. `{a}` and `{b}` are facts that differ in each tenant.
"""

from typing import Final

from msgspec import Struct

from operators.pii.detector import words


class Problem(Struct, frozen=True):
    """One problem.

    Attributes:
        symptoms: what customers write.
        questions: what agents ask, in other words.
        cause: states the fact `{a}`, and `fix` the fact `{b}`.
    """

    topic: str
    symptoms: tuple[str, ...]
    questions: tuple[str, ...]
    cause: str
    fix: str


def _problem(topic: str, symptoms: str, questions: str, cause: str, fix: str) -> Problem:
    return Problem(topic, tuple(symptoms.split(" | ")), tuple(questions.split(" | ")), cause, fix)


PROBLEMS: Final = (
    _problem(
        "login",
        "the reset link opens and then says the request has expired | after the reset mail I am told that the link is "
        "not valid any more | password reset link is refused as out of date",
        "customer's password reset link is always rejected as expired | reset mail comes but its link no longer works",
        "The clock of the sign-in server was {a} minutes behind.",
        "Ask the customer to request a new link and to open it within {b} minutes.",
    ),
    _problem(
        "login",
        "the code from my authenticator is refused | two-factor code never accepted | the six digits from my phone are "
        "wrong every time",
        "2FA codes are not accepted | authenticator app shows codes that the login refuses",
        "The device time was off by {a} seconds.",
        "Turn on automatic time under Settings > Date and enter a fresh code within {b} seconds.",
    ),
    _problem(
        "refund",
        "the refund was booked to an old card | money went back to a card I no longer have | refund sent to my "
        "cancelled credit card",
        "refund was paid to a card that no longer exists | repayment landed on a closed credit card",
        "The payment provider returned the transfer with reason R{a}.",
        "Open Payments > Returns, choose payout to bank account and confirm; it takes {b} working days.",
    ),
    _problem(
        "delivery",
        "tracking stands still at the customs office | parcel stuck in customs for days | no scan since it reached "
        "customs",
        "shipment is held at customs and does not move | package waits at customs without progress",
        "The commercial invoice lacked tariff number {a}.",
        "Upload form CN{b} in Orders > Documents and the carrier releases the parcel.",
    ),
    _problem(
        "billing",
        "we were billed for users we had removed | the bill still counts people who left | charged for seats that are "
        "deactivated",
        "invoice includes seats that were deactivated | billing counts users who left the company",
        "Deactivated users count until the cycle ends on day {a}.",
        "Issue a credit with code CR-{b} under Billing > Adjustments.",
    ),
    _problem(
        "invoice",
        "the downloaded invoice is an empty file | PDF of the invoice has no pages | invoice download gives zero bytes",
        "downloading the invoice yields a blank PDF | invoice file is empty after the download",
        "The PDF renderer fails for addresses longer than {a} characters.",
        "Shorten the company name and press Rebuild; the file is ready after {b} minutes.",
    ),
    _problem(
        "api",
        "the API answers 429 below our limit | rate limit hit although we send few calls | too many requests at low "
        "volume",
        "API requests are throttled although usage is under the quota | rate limit errors with only a few calls",
        "Key rotation left two keys sharing bucket {a}.",
        "Delete the old key and set header X-Client-Tier to {b}.",
    ),
    _problem(
        "webhooks",
        "the signature of webhooks does not match | webhook HMAC check fails | signature header is wrong since the "
        "rotation",
        "webhook signature verification fails after secret rotation | HMAC of the callbacks doesn't match any more",
        "Both secrets are valid for {a} hours after a rotation.",
        "Verify against the second value of header X-Sig-V{b} until then.",
    ),
    _problem(
        "export",
        "export stops at the same row each time | CSV job ends half way | the export never gets past the middle",
        "data export aborts before it is complete | CSV export always stops at one row",
        "A record with more than {a} attachments breaks the job.",
        "Start it with chunk size {b} under Export > Advanced.",
    ),
    _problem(
        "mobile",
        "app closes right after the logo | the app crashes on start | it quits at the splash screen",
        "mobile app shuts down immediately after launch | app crash at the splash screen",
        "The local database is of schema {a}.",
        "Clear the app storage and install build {b}.",
    ),
    _problem(
        "performance",
        "the dashboard takes minutes to load | overview page is very slow | loading the start page takes ages",
        "dashboard needs very long to load | start page is extremely slow",
        "A widget asks for {a} months of data.",
        "Set the range to {b} days in Dashboard > Defaults.",
    ),
    _problem(
        "security",
        "a mail about a sign-in from abroad arrived | login alert from a country I never visited | warned of an access "
        "from far away",
        "customer got an alert on a login from a foreign country | security mail about a sign-in from abroad",
        "The address belongs to our mail scanner in block {a}.",
        "Add exception SEC-{b} under Security > Alerts and tell the customer that nobody signed in.",
    ),
    _problem(
        "privacy",
        "my deletion request is not confirmed | nobody confirmed that my data is gone | asked for erasure weeks ago",
        "data erasure request has had no confirmation | customer waits for confirmation that his data was deleted",
        "Backups are kept for {a} days after the deletion.",
        "Send template PR-{b} and close the request in Privacy > Queue.",
    ),
    _problem(
        "permissions",
        "a new colleague sees no projects | invited person has an empty workspace | new team member can't open "
        "anything",
        "newly invited user has no access to projects | new team member sees an empty workspace",
        "The group sync runs every {a} hours.",
        "Press Sync now in Admin > Groups and give role level {b}.",
    ),
    _problem(
        "hardware",
        "the scanner blinks red and does nothing | red light on the scanner | device shows a blinking red LED",
        "barcode scanner flashes red and won't read | scanner LED blinks red",
        "Firmware {a} loses its pairing.",
        "Hold both buttons for {b} seconds and pair it again.",
    ),
    _problem(
        "warranty",
        "the form does not accept my serial number | serial is refused by the warranty page | warranty form says "
        "number unknown",
        "warranty registration rejects the serial number | serial number unknown to the warranty form",
        "Serials that begin with {a} were moved to the new system.",
        "Register them with prefix W{b} under Warranty > Manual.",
    ),
    _problem(
        "calendar",
        "all meetings moved by an hour | calendar shows appointments in the wrong time zone | events are shifted since "
        "the clocks changed",
        "calendar entries are off by one hour since daylight saving | appointments show in the wrong time zone",
        "The import ignored time zone rule {a}.",
        "Run the repair job TZ-{b} and ask the customer to subscribe to the calendar again.",
    ),
    _problem(
        "mail",
        "our newsletters end up in spam | mails we send are marked as junk | recipients find our messages in the spam "
        "folder",
        "outgoing mail is classified as spam | newsletters land in the junk folder of recipients",
        "The DKIM selector s{a} was not published.",
        "Publish the record of template DK-{b} and resend after one hour.",
    ),
    _problem(
        "printing",
        "labels are printed twice as large | the label does not fit on the paper | shipping labels are cut off at the "
        "edge",
        "shipping labels print in the wrong size | label is cut off when printing",
        "The driver assumes {a} dots per inch.",
        "Choose paper profile LP-{b} in Print > Labels.",
    ),
    _problem(
        "search",
        "search finds none of my documents | new files do not show up in the search | the search index is stuck",
        "recently uploaded documents are not found by search | search doesn't show new files",
        "The indexer stopped at file number {a}.",
        "Press Reindex in Files > Maintenance and wait {b} minutes.",
    ),
    _problem(
        "voucher",
        "my voucher code is refused | the discount code says invalid | coupon does not work at checkout",
        "coupon code is rejected at checkout | voucher shows as invalid",
        "Vouchers of campaign {a} need a minimum order.",
        "Replace the code by VC-{b} and apologise for the wording of the mail.",
    ),
    _problem(
        "backup",
        "the nightly backup did not run | last backup is days old | backup job shows as failed each night",
        "nightly backup fails every time | no backup was made for several days",
        "The storage key expired after {a} days.",
        "Create a new key in Storage > Keys and start job BK-{b} by hand.",
    ),
    _problem(
        "chat",
        "the chat window stays white | live chat does not open on our site | chat bubble is missing from the page",
        "live chat widget does not appear on the website | chat window remains blank",
        "The content policy of the page blocks host number {a}.",
        "Add the directive of article CH-{b} to the page and clear the CDN cache.",
    ),
    _problem(
        "subscription",
        "I can't cancel my plan online | the cancel page gives an error | cancellation is not possible in my account",
        "cancellation of the plan fails with an error | customer can't cancel the subscription online",
        "Plans of generation {a} have no online cancellation.",
        "Cancel it in Admin > Contracts with reason CX-{b}.",
    ),
)

#: Causes of other synthetic tickets that would also answer some of these questions.
OVERLAPPING: Final = words(
    "login/reset-loop refund/returned delivery/stuck billing/seats billing/discount billing/annual api-errors/429 "
    "api-errors/tls webhooks/signature export/stops mobile-app/crash mobile-app/battery performance/dashboard "
    "security/unknown-login privacy/deletion privacy/location permissions/new-colleague cancel/end-of-month "
    "cancel/grey-button cancel/confirmation warranty/serial invoice/vat upgrade/mid-term upgrade/comparison "
    "feature-request/dark-mode feature-request/shortcut outage/gateway damaged/wet-box hardware/battery"
)

#: Questions about such products that no ticket answers.
UNANSWERED: Final = (
    "our VAT number was rejected",
    "can we move to annual payment in the middle of a term",
    "please add dark mode",
    "every page shows a gateway error",
    "TLS handshake fails with the new client",
    "driver left the package in the rain",
    "gift voucher balance is missing",
    "single sign-on loops between two domains",
    "battery is empty after two hours",
    "we need events for deleted contacts",
    "how many users does the starter plan include",
    "the video call has no sound",
    "translate the interface into Finnish",
    "is there a discount for schools",
    "map shows the wrong office",
    "copy a project with all its tasks",
    "keyboard shortcut for the next ticket",
    "profile picture is upside down",
    "where is your data centre",
    "the survey counts answers twice",
    "import contacts from a spreadsheet",
    "fax number for contracts",
    "who is our account manager",
    "comments can't be sorted by date",
)
