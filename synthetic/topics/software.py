"""Topics about the software that people use."""

from typing import Final

from synthetic.topics.topic import Cause, Topic

_MOBILE: Final = (
    Cause(
        "mobile-app/crash",
        ("App crashes on start", "{product} app closes itself"),
        (
            "The app closes by itself right after the splash screen since version {version}.",
            "The {product} app ends with {code} before I see anything.",
        ),
        "Is the phone's language set to one that is written from right to left?",
        "Yes, it is set to Hebrew.",
        "Right-to-left layouts crash in {version}; {code}.",
        "{version} crashes with languages written from right to left ({code}). Update to {build}, or set English for "
        "the app; see {article}.",
        ("the phone application quits immediately",),
    ),
    Cause(
        "mobile-app/battery",
        ("{product} app drains the battery", "Phone gets hot"),
        (
            "With {product} open my phone gets hot and is empty after {n} hours.",
            "Since {version} the {product} app eats my battery within hours.",
        ),
        "Is live location turned on?",
        "Yes, for my tours in {city}.",
        "Location is asked for every second since {version}.",
        "{version} asks for your place every second. Turn off live location, or update to {build}; {article} shows "
        "where.",
        ("smartphone runs warm and loses charge quickly",),
    ),
    Cause(
        "mobile-app/push",
        ("Push messages stopped", "No notifications from {product}"),
        (
            "I no longer get push notifications from {product}.",
            "Push messages of {product} stopped on {day}, and the settings say {code}.",
        ),
        "Did you move to a new phone?",
        "Yes, with a backup of the old one, in {month}.",
        "Token of the old phone was restored; {host} rejects it with {code}.",
        "The backup restored the old phone's token ({code}). Sign out and in once, and {host} issues a new one; see "
        "{article}.",
        ("alerts no longer appear on the handset",),
    ),
    Cause(
        "mobile-app/stale",
        ("App shows old data", "{product} app is stuck on {day}"),
        (
            "The {product} app shows the data of {day} until I reinstall it.",
            "In {city} the {product} app shows old entries and the web page shows new ones.",
        ),
        "Is data saver on?",
        "It is, to save money abroad.",
        "Data saver blocks background sync; message {code} was hidden.",
        "Data saver blocks the sync ({code}). Allow {product} in it; since {build} the app says so, see {article}.",
        ("handset displays outdated entries",),
    ),
)
_PERFORMANCE: Final = (
    Cause(
        "performance/dashboard",
        ("{product} is very slow", "Dashboard takes {n} minutes to load"),
        (
            "Loading the dashboard takes {n} minutes since the update to {version}.",
            "The dashboard of {product} loads for minutes and then shows {code}.",
        ),
        "How many widgets does it have?",
        "More than thirty, for all our sites.",
        "Widgets load one after the other since {version}; {code}.",
        "{version} loads widgets one after the other ({code}). Split the dashboard, or switch on parallel loading in "
        "{build}; see {article}.",
        ("start page takes ages to appear",),
    ),
    Cause(
        "performance/search",
        ("Search in {product} is slow", "Nobody can search any more"),
        (
            "Searching in {product} is so slow that our team in {city} has stopped using it.",
            "A search in {product} takes {n} seconds since {day}.",
        ),
        "Do your people search with a star in front?",
        "Yes, always with a star at the start.",
        "Leading wildcards scan everything on {host}; {code}.",
        "A star at the start makes {host} read everything ({code}). Leave it out: {build} finds parts of words "
        "anyway, see {article}.",
        ("looking things up responds sluggishly",),
    ),
    Cause(
        "performance/save",
        ("Saving takes long in the afternoon", "Every save hangs"),
        (
            "Every save takes {n} seconds in the afternoon.",
            "From two o'clock on each save in {product} hangs, in {city} only.",
        ),
        "Does a backup run at that time?",
        "Yes, our backup of {product} starts at two.",
        "Customer's backup locks the workspace on {host}, {code}.",
        "Your backup locks the workspace ({code}). Move it to the night, or use the snapshot on {host}; {article} has "
        "the call.",
        ("storing an entry freezes after lunch",),
    ),
    Cause(
        "performance/reports",
        ("Reports run into a timeout", "Slow reports since the update"),
        (
            "Reports of {month} that took seconds now run into a timeout.",
            "Each report of {product} ends with {code} since the update to {version}.",
        ),
        "Do they group by a custom field?",
        "Yes, by our own cost centre.",
        "Index on custom fields was dropped by {version}; {code}.",
        "{version} dropped the index of custom fields ({code}). I rebuilt it on {host} for you; {build} keeps it.",
        ("statistics can't be calculated in time",),
    ),
)
_FEATURE: Final = (
    Cause(
        "feature-request/bulk-edit",
        ("Bulk edit for tags", "Edit many entries at once"),
        (
            "It would help us a lot to edit the tags of {n} entries at once.",
            "Could {product} change the tags of many entries in one go?",
        ),
        "How many entries do you change in a week?",
        "About {n} hundred, in {city} alone.",
        "Bulk edit is in {build} behind flag {code}.",
        "It is in {build}: ask your administrator to set the flag {code}, then select entries with shift; "
        "see {article}.",
        ("modify labels on several records together",),
    ),
    Cause(
        "feature-request/dark-mode",
        ("Dark mode, please", "{product} is too bright"),
        (
            "Please add a dark mode to {product}; the night shift in {city} would thank you.",
            "Is a dark mode planned for {product}? It is too bright for our night shift.",
        ),
        "Do you use the web page or the app?",
        "The web page, in {browser}.",
        "Dark mode ships with {build}; preview by address.",
        "Dark mode comes with {build}. You can try it now at {host}/?theme=dark; {article} says what is missing.",
        ("black background for working after sunset",),
    ),
    Cause(
        "feature-request/report-mail",
        ("Report to people without an account", "Idea for {product}"),
        (
            "Could the weekly report of {product} also go to people without an account?",
            "Our partners in {city} should get the weekly report, but have no account.",
        ),
        "May the report leave your company?",
        "Yes, our lawyers agreed in {month}.",
        "Guest recipients: {build}, owner must allow the domain ({code}).",
        "Add their domain under {host}/sharing with {code}; from {build} on the report goes there too, see {article}.",
        ("send the summary to outside readers",),
    ),
    Cause(
        "feature-request/shortcut",
        ("Keyboard shortcut, please", "Too many clicks in {product}"),
        (
            "A keyboard shortcut for closing entries would save us {n} clicks each.",
            "Closing an entry in {product} takes {n} clicks; is there a shortcut?",
        ),
        "Which keyboard layout do you use?",
        "The one of our country, in {city}.",
        "Shortcuts exist since {version}, off for other layouts; {code}.",
        "There is one: press g and then c. Turn it on for your layout with {code} in {build}; {article} lists all of "
        "them.",
        ("hotkey to finish an item",),
    ),
)
_OUTAGE: Final = (
    Cause(
        "outage/all-sites",
        ("{product} is down", "Nothing works at our sites"),
        (
            "{product} is down for all {n} of our sites.",
            "None of our sites reaches {product} since {day}; we only see {code}.",
        ),
        "Can you reach {host} from a phone?",
        "From a phone it works.",
        "Customer's provider lost the route to {host}; incident {code}.",
        "Your provider lost the route to {host} (incident {code}). It is repaired; {article} has a second route for "
        "the next time.",
        ("complete failure everywhere in the company",),
    ),
    Cause(
        "outage/gateway",
        ("Gateway error since {n} o'clock", "{code} on every page"),
        (
            "Since {n} o'clock every page of {product} shows a gateway error.",
            "{product} answers with a gateway error and {code} wherever I click.",
        ),
        "Which host does the error page name?",
        "It names {host}.",
        "{host} ran out of connections after {version}; rolled back.",
        "{host} had run out of connections after {version} ({code}). We rolled it back; {build} raises the limit.",
        ("bad proxy response on all screens",),
    ),
    Cause(
        "outage/idle-team",
        ("Team in {city} is idle", "Nothing loads in {city}"),
        (
            "The whole team in {city} is idle because nothing loads.",
            "Nothing of {product} loads in {city}, while other offices work.",
        ),
        "Which resolver does the office use?",
        "The one of our provider in {city}.",
        "Resolver in {city} has a stale record of {host}; {code}.",
        "Your resolver in {city} keeps an old address of {host}. Flush it, or use ours as in {article}; incident "
        "{code} is closed.",
        ("one office can't work, name lookup problem",),
    ),
    Cause(
        "outage/status-page",
        ("Status page says all is well", "Green page, but down"),
        (
            "Your status page is green while we in {city} can't reach {product}.",
            "{product} does not answer us, and your status page shows no incident.",
        ),
        "Which region does your workspace have?",
        "The second one, since {month}.",
        "Status page shows region one only; incident {code} in region two.",
        "The page showed region one only; yours had incident {code}, over now. {host}/status shows both since {build}.",
        ("availability board claims everything works but the service is unreachable",),
    ),
)

SOFTWARE: Final = (
    Topic(
        "mobile-app",
        "normal",
        ("It is a {n}-year-old phone.", "Reinstalling helps for a day.", "My partner has the same on another model."),
        _MOBILE,
    ),
    Topic(
        "performance",
        "high",
        ("Our line is fast, we measured it.", "It is worst on {day}.", "Smaller workspaces are fine."),
        _PERFORMANCE,
    ),
    Topic(
        "feature-request",
        "low",
        ("Other tools have had it for years.", "We would test it for you.", "It need not be perfect."),
        _FEATURE,
    ),
    Topic(
        "outage",
        "urgent",
        ("We lose about {amount} an hour.", "Please call back at once.", "It came back for a minute and went again."),
        _OUTAGE,
    ),
)
