"""Topics about the software and its interfaces."""

from typing import Final

from synthetic.topics.topic import Topic

SOFTWARE: Final = (
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
