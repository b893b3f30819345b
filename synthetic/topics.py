"""What synthetic tickets are about: twenty topics in English.

`{slots}` are filled by `synthetic.writing`. Every sentence is our own.
"""

from typing import Final

from msgspec import Struct


class Topic(Struct, frozen=True):
    """Sentences to combine; `questions` ask about it in other words."""

    name: str
    priority: str
    subjects: tuple[str, ...]
    problems: tuple[str, ...]
    details: tuple[str, ...]
    questions: tuple[str, ...] = ()


TOPICS: Final = (
    Topic(
        "login",
        "high",
        ("Can't sign in", "Locked out of my account", "Password reset loop on {product}"),
        (
            "Since {day} I can't sign in to {product}; it says my password is wrong although I just changed it.",
            "After the password reset {product} sends me back to the reset form again and again.",
            "My account is locked after {n} attempts and the unlock mail never arrives.",
            "The sign-in page of {product} stays blank once I enter my credentials.",
        ),
        (
            "I tried {browser} and a private window, with the same result.",
            "The code from my authenticator app is refused as expired.",
            "A colleague in {city} can sign in without trouble.",
        ),
        ("user cannot log in after resetting the password", "locked out of the account"),
    ),
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
    Topic(
        "api-errors",
        "high",
        ("API returns 500 since {day}", "Timeouts on /v2/orders", "429 although we are under the limit"),
        (
            "Our integration gets HTTP 500 on about {n} percent of the calls since {day}.",
            "POST to /v2/orders times out after 30 seconds from {city}.",
            "We receive 429 at {n} requests a second, far below the documented limit.",
            "Version {version} of the client fails with a TLS handshake error.",
        ),
        (
            "The request ids are in the attached log.",
            "A retry succeeds most of the time.",
            "It began right after your maintenance window.",
        ),
        ("server errors when calling the REST interface", "requests are rate limited or time out"),
    ),
    Topic(
        "webhooks",
        "normal",
        ("Webhooks arrive late", "Signature check fails", "No webhook since {day}"),
        (
            "Webhook deliveries are {n} hours late since {day}.",
            "Since {day} the signature header does not match the body any more.",
            "We get every event {n} times from the webhooks of {product}.",
            "{product} marks our endpoint as failing since {day}, yet our log shows 200.",
        ),
        (
            "The endpoint is in {city} behind a plain proxy.",
            "Nothing changed on our side.",
            "We rotated the secret last week.",
        ),
        ("callbacks are not delivered to our endpoint", "event notifications come twice"),
    ),
    Topic(
        "export",
        "normal",
        ("Export stops at {n} percent", "CSV export is empty", "How to get all our data out?"),
        (
            "The export of our {month} data stops at {n} percent.",
            "The CSV of {product} has headers, but no rows.",
            "Umlauts are broken in the file that {product} exports.",
            "We need a full copy of our data in {product} for the legal department.",
        ),
        ("It worked until version {version}.", "There are about {n} thousand rows.", "The job never shows an error."),
        ("cannot download our data as a spreadsheet", "the report file is empty"),
    ),
    Topic(
        "mobile-app",
        "normal",
        ("App crashes on start", "{product} app drains the battery", "Push messages stopped"),
        (
            "The app closes by itself right after the splash screen since version {version}.",
            "With {product} open my phone gets hot and is empty after {n} hours.",
            "I no longer get push notifications from {product}.",
            "The {product} app shows the data of {day} until I reinstall it.",
        ),
        ("It is a {n}-year-old phone.", "Reinstalling helps for a day.", "My partner has the same on another model."),
        ("the phone application crashes", "no notifications on mobile"),
    ),
    Topic(
        "performance",
        "high",
        ("{product} is very slow", "Dashboard takes {n} minutes to load", "Slow since the update"),
        (
            "Loading the dashboard takes {n} minutes since the update to {version}.",
            "Searching in {product} is so slow that our team in {city} has stopped using it.",
            "Every save takes {n} seconds in the afternoon.",
            "Reports of {month} that took seconds now run into a timeout.",
        ),
        ("Our line is fast, we measured it.", "It is worst on {day}.", "Smaller workspaces are fine."),
        ("the application responds slowly", "pages take minutes to load"),
    ),
    Topic(
        "security",
        "urgent",
        ("Suspicious login from {city}", "Did you send this mail?", "Possible leak of our data"),
        (
            "I got a mail about a login from {city}, where I have never been.",
            "A message of {day} in the name of {product} asks me to confirm my card; is it genuine?",
            "Somebody changed the recovery address of my account on {day}.",
            "One of our former employees still has access to {product}.",
        ),
        ("I changed my password at once.", "Please end all sessions.", "Our security team wants the access log."),
        ("somebody else may have accessed the account", "phishing mail in your name"),
    ),
    Topic(
        "privacy",
        "normal",
        ("Delete my data", "Request for a copy of my data", "Consent settings"),
        (
            "Please delete all personal data that {product} holds about me.",
            "Under the data protection law I ask for a copy of everything {product} stores about me.",
            "I withdrew my consent on {day} and still get newsletters.",
            "Which countries do you store the data of {product} in?",
        ),
        (
            "Please confirm within {n} weeks.",
            "The account is no longer used.",
            "Our data protection officer is in copy.",
        ),
        ("asks for deletion of personal information", "data protection request"),
    ),
    Topic(
        "permissions",
        "normal",
        ("New colleague can't see the project", "Who is our admin?", "Role changes are not saved"),
        (
            "A new colleague joined on {day} and can't open any of our projects.",
            "Our only {product} administrator has left; how do we get the role back?",
            "When I change a role in {product}, it jumps back after a minute.",
            "Guests can see {n} folders they should not see.",
        ),
        ("She is in the group for {city}.", "We use single sign-on.", "The audit log shows nothing."),
        ("team member lacks access rights", "administrator left the company"),
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
    Topic(
        "feature-request",
        "low",
        ("Dark mode, please", "Idea for {product}", "Bulk edit for tags"),
        (
            "It would help us a lot to edit the tags of {n} entries at once.",
            "Please add a dark mode to {product}; the night shift in {city} would thank you.",
            "Could the weekly report of {product} also go to people without an account?",
            "A keyboard shortcut for closing entries would save us {n} clicks each.",
        ),
        ("Other tools have had it for years.", "We would test it for you.", "It need not be perfect."),
        ("suggestion for a new function", "asks for dark mode"),
    ),
    Topic(
        "outage",
        "urgent",
        ("{product} is down", "Nothing works since {n} o'clock", "Status page says all is well"),
        (
            "{product} is down for all {n} of our sites.",
            "Since {n} o'clock every page of {product} shows a gateway error.",
            "The whole team in {city} is idle because nothing loads.",
            "Your status page is green while we in {city} can't reach {product}.",
        ),
        ("We lose about {amount} an hour.", "Please call back at once.", "It came back for a minute and went again."),
        ("the whole service is unavailable", "complete outage for everybody"),
    ),
)
