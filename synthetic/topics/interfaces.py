"""Topics about interfaces for programs."""

from typing import Final

from synthetic.topics.topic import Cause, Topic

_API: Final = (
    Cause(
        "api-errors/500",
        ("API returns 500 since {day}", "{code} from the API"),
        (
            "Our integration gets HTTP 500 on about {n} percent of the calls since {day}.",
            "The API on {host} answers with 500 and {code} since {day}.",
        ),
        "Do the failing calls have an empty list of tags?",
        "Yes, all that fail have no tags.",
        "Empty lists break the serialiser in {version}; {code}.",
        "An empty list of tags breaks {version} ({code}). Leave the field out for now; {build} on {host} fixes it.",
        ("server errors when calling the REST interface",),
    ),
    Cause(
        "api-errors/timeout",
        ("Timeouts on /v2/orders", "POST to {host} times out"),
        (
            "POST to /v2/orders times out after 30 seconds from {city}.",
            "Calls of {host} from {city} hang until the timeout, with {code} at the end.",
        ),
        "How many items does an order have?",
        "Up to {n} hundred.",
        "Orders over 200 items lock the stock table; {code}.",
        "Orders of over 200 items lock a table ({code}). Send them to /v2/orders/batch on {host}; {article} has an "
        "example.",
        ("requests hang and never complete",),
    ),
    Cause(
        "api-errors/429",
        ("429 although we are under the limit", "Rate limit on {host}"),
        (
            "We receive 429 at {n} requests a second, far below the documented limit.",
            "{host} rejects us with 429 and {code}, at half of our limit.",
        ),
        "Do all your servers use one token?",
        "Yes, one token in {city} and everywhere.",
        "Limit counts by token and by minute; {code} is the burst rule.",
        "The burst rule {code} counts by token. Use one token for each server, as in {article}, and the limit holds "
        "for each of them.",
        ("calls are throttled too early",),
    ),
    Cause(
        "api-errors/tls",
        ("TLS handshake error", "Client {version} can't connect"),
        (
            "Version {version} of the client fails with a TLS handshake error.",
            "Since {day} our client stops at the TLS handshake with {host}: {code}.",
        ),
        "Which root certificates does the image have?",
        "Those of an image from {month}.",
        "{host} has a certificate of the new root; old images lack it ({code}).",
        "{host} has a certificate of a new root, which your image lacks ({code}). Update its certificates, or the "
        "client to {build}.",
        ("secure connection can't be established by the library",),
    ),
)
_WEBHOOKS: Final = (
    Cause(
        "webhooks/late",
        ("Webhooks arrive late", "No webhook since {day}"),
        (
            "Webhook deliveries are {n} hours late since {day}.",
            "The webhooks of {product} come hours late, and the queue shows {code}.",
        ),
        "How long does your endpoint take to answer?",
        "About {n} seconds, it writes to a database first.",
        "Slow endpoints are moved to the slow lane on {host}, {code}.",
        "Endpoints that take over two seconds wait in a slow lane ({code}). Answer first and work later; {article} "
        "shows it.",
        ("callbacks are delayed by hours",),
    ),
    Cause(
        "webhooks/signature",
        ("Signature check fails", "Webhook signature is wrong"),
        (
            "Since {day} the signature header does not match the body any more.",
            "We refuse the webhooks of {product} because the signature is wrong since {version}.",
        ),
        "Does a proxy change the body?",
        "Our proxy in {city} reformats JSON.",
        "Proxy reformats the body; or the v1 signature, gone since {build}.",
        "Your proxy reformats the body, so the hash differs. Check the raw bytes, with the v2 header since {build}; "
        "see {article}.",
        ("authenticity hash of callbacks can't be verified",),
    ),
    Cause(
        "webhooks/twice",
        ("Events come several times", "Duplicate webhooks"),
        (
            "We get every event {n} times from the webhooks of {product}.",
            "{product} sends each webhook again and again, all with {code}.",
        ),
        "What status does your endpoint return?",
        "It returns 302, to the path with a slash.",
        "A redirect counts as failed; {host} retries with {code}.",
        "A redirect counts as a failure, so {host} sends again ({code}). Register the address with its slash; "
        "{article} lists valid answers.",
        ("event notifications are repeated",),
    ),
    Cause(
        "webhooks/failing",
        ("Endpoint marked as failing", "{product} stopped our webhooks"),
        (
            "{product} marks our endpoint as failing since {day}, yet our log shows 200.",
            "Our endpoint in {city} is disabled with {code} although it answers 200.",
        ),
        "Does the answer have a body?",
        "Yes, a page of HTML.",
        "Answers over 1 kB count as failed since {version}; {code}.",
        "An answer of over 1 kB counts as failed ({code}). Answer with an empty body and press Resume at {host}/hooks.",
        ("receiver is considered broken although it accepts",),
    ),
)
_EXPORT: Final = (
    Cause(
        "export/stops",
        ("Export stops at {n} percent", "Export of {month} never ends"),
        (
            "The export of our {month} data stops at {n} percent.",
            "The export from {product} hangs since {day} and then shows {code}.",
        ),
        "Are there attachments of over a gigabyte?",
        "Yes, videos of our shop in {city}.",
        "Attachments over 1 GB stop the job on {host} with {code}.",
        "Attachments of over 1 GB stop the job ({code}). Leave them out, or take them from {host}/files; {build} "
        "splits them.",
        ("download of our records gets stuck halfway",),
    ),
    Cause(
        "export/empty",
        ("CSV export is empty", "Headers and no rows"),
        (
            "The CSV of {product} has headers, but no rows.",
            "Since {version} the CSV that {product} exports has no rows.",
        ),
        "Which time zone is set in your profile?",
        "The one of {city}.",
        "Filter compares local time with UTC; empty before noon, {code}.",
        "A filter mixed up time zones ({code}). Choose UTC in your profile until {build} is on {host}; see {article}.",
        ("the report file contains nothing",),
    ),
    Cause(
        "export/umlauts",
        ("Broken umlauts in the export", "Strange characters in the CSV"),
        (
            "Umlauts are broken in the file that {product} exports.",
            "Names from {city} have strange characters in the CSV of {product}.",
        ),
        "Do you open it with a double click?",
        "Yes, it opens in the spreadsheet.",
        "UTF-8 without a mark; spreadsheets guess. Option since {build}.",
        "The file is UTF-8 and your spreadsheet guesses another code. Tick the byte order mark, new in {build}; "
        "{article} has pictures.",
        ("special letters look garbled in the spreadsheet",),
    ),
    Cause(
        "export/everything",
        ("How to get all our data out?", "Full copy of our data"),
        (
            "We need a full copy of our data in {product} for the legal department.",
            "Our lawyers in {city} want all data of {product} since {month}.",
        ),
        "Do you need deleted entries as well?",
        "Yes, the deleted ones too.",
        "Legal hold export, {code}, owner only, on {host}.",
        "The legal export has deleted entries too. The owner starts it at {host}/legal with {code}; {article} explains "
        "the files.",
        ("complete dump including removed records",),
    ),
)

INTERFACES: Final = (
    Topic(
        "api-errors",
        "high",
        (
            "The request ids are in the attached log.",
            "A retry succeeds most of the time.",
            "It began right after your maintenance window.",
        ),
        _API,
    ),
    Topic(
        "webhooks",
        "normal",
        (
            "The endpoint is in {city} behind a plain proxy.",
            "Nothing changed on our side.",
            "We rotated the secret last week.",
        ),
        _WEBHOOKS,
    ),
    Topic(
        "export",
        "normal",
        ("It worked until version {version}.", "There are about {n} thousand rows.", "We need it by {day}."),
        _EXPORT,
    ),
)
