"""Topics about accounts and the data in them."""

from typing import Final

from synthetic.topics.topic import Cause, Topic

_LOGIN: Final = (
    Cause(
        "login/saved-password",
        ("Can't sign in", "Password refused on {product}"),
        (
            "Since {day} I can't sign in to {product}; it says my password is wrong although I just changed it.",
            "{product} refuses my new password with {code}, and I typed it three times from paper.",
        ),
        "Does it work in a private window of {browser}?",
        "Yes, in a private window I get in at once.",
        "{browser} saved the old password and sends it to {host} before the new one.",
        "Your browser still sends the old password. Delete the saved entry for {host} and sign in again; {article} "
        "shows where it is.",
        ("changed credentials are rejected although they were typed correctly", "can't log in with a fresh passphrase"),
    ),
    Cause(
        "login/reset-loop",
        ("Password reset loop on {product}", "Reset form comes back"),
        (
            "After the password reset {product} sends me back to the reset form again and again.",
            "I set a new password for {product} on {day} and land on the reset form each time.",
        ),
        "Which address does {browser} show when the form comes back?",
        "It ends with /reset?step=1 on {host}.",
        "The cookie of the old session on {host} survives the reset; fixed in {build}.",
        "An old session cookie causes the loop. Please delete the cookies of {host} once; from version {build} on the "
        "reset does that itself.",
        ("going round in circles when choosing new credentials", "asked to pick a new passphrase over and over"),
    ),
    Cause(
        "login/locked",
        ("Locked out of my account", "Unlock mail for {product} missing"),
        (
            "My account is locked after {n} attempts and the unlock mail never arrives.",
            "{product} says my account is locked ({code}), and no mail came to unlock it since {day}.",
        ),
        "Who filters the mail of your domain?",
        "Our own IT in {city} does, quite strictly.",
        "Unlock mails from {host} bounce at the customer's mail filter.",
        "Your mail filter held our message back. I have unlocked the account; please let mail from {host} through, as "
        "{article} describes.",
        ("too many wrong tries and nothing in my inbox to open the profile again",),
    ),
    Cause(
        "login/blank-page",
        ("Sign-in page stays blank", "{product} shows nothing after sign-in"),
        (
            "The sign-in page of {product} stays blank once I enter my credentials.",
            "After I sign in to {product} with {browser} there is only an empty page.",
        ),
        "Is an ad blocker active in {browser}?",
        "Yes, and with the blocker off the page loads.",
        "Ad blockers drop the script that {host} serves since {version}.",
        "Your ad blocker stops a script from {host}. Please allow {host} in it; release {build} no longer needs that "
        "script.",
        ("white screen after typing user name and passphrase",),
    ),
)
_SECURITY: Final = (
    Cause(
        "security/unknown-login",
        ("Suspicious login from {city}", "Login from {city} was not me"),
        (
            "I got a mail about a login from {city}, where I have never been.",
            "{product} reports a login from {city} on {day}; I was at home.",
        ),
        "Do you use a VPN, or has your phone roamed that day?",
        "No VPN, and my phone was switched off.",
        "Credential stuffing against {host}; the password was in an old leak.",
        "Somebody used a leaked password. I ended all sessions on {host} and locked the password; set a new one and "
        "turn on the second factor as in {article}.",
        ("a stranger got into my profile from abroad",),
    ),
    Cause(
        "security/phishing",
        ("Did you send this mail?", "Strange mail in the name of {product}"),
        (
            "A message of {day} in the name of {product} asks me to confirm my card; is it genuine?",
            "I got a mail that links to a page like that of {product} and wants my card number.",
        ),
        "Which host does the link lead to?",
        "The link leads to some host I don't know, not to {host}.",
        "Phishing wave {code}; the abuse team has the sender.",
        "It is a forgery, reported as {code}. Delete it; genuine mail comes from {host} only and never asks for a "
        "card, see {article}.",
        ("fraudulent message wants payment details", "is that letter fake"),
    ),
    Cause(
        "security/recovery-address",
        ("Recovery address was changed", "Possible takeover of my account"),
        (
            "Somebody changed the recovery address of my account on {day}.",
            "The recovery address of our {product} account is one that nobody here in {city} knows.",
        ),
        "Who else is an administrator of the workspace?",
        "Only me and a contractor who left in {month}.",
        "The contractor's token was still valid on {host}; change logged as {code}.",
        "A contractor's old token made the change ({code}). I restored your address and revoked all tokens; {article} "
        "shows how to limit them.",
        ("contact data for regaining entry was altered by an intruder",),
    ),
    Cause(
        "security/former-employee",
        ("Former employee still has access", "Remove access to {product}"),
        (
            "One of our former employees still has access to {product}.",
            "Somebody who left us in {month} can still open {product}, although the account is deactivated.",
        ),
        "Is the account deactivated in your directory or only in {product}?",
        "In our directory, on {day}.",
        "Directory sync from {host} stopped with {code}; deactivations don't arrive.",
        "The directory sync had stopped with {code}. It runs again, and the account has lost its access; renew the "
        "sync token every year, see {article}.",
        ("someone who quit can still get in", "offboarding did not revoke rights"),
    ),
)
_PRIVACY: Final = (
    Cause(
        "privacy/deletion",
        ("Delete my data", "Erase what {product} holds about me"),
        (
            "Please delete all personal data that {product} holds about me.",
            "I closed my {product} account in {month} and want my data deleted now.",
        ),
        "Is there an open order or invoice on the account?",
        "No, everything is paid since {month}.",
        "Erasure job {code} on {host}; invoices stay ten years.",
        "The erasure runs as {code} and ends within 30 days. Invoices stay as the law demands; {article} lists what is "
        "kept.",
        ("right to be forgotten", "asks to wipe personal information"),
    ),
    Cause(
        "privacy/copy",
        ("Request for a copy of my data", "Data protection request"),
        (
            "Under the data protection law I ask for a copy of everything {product} stores about me.",
            "Please send me by {day} what {product} has stored about me.",
        ),
        "Can you confirm the request from the address of the account?",
        "Done, I answered from that address.",
        "Subject access request {code}; the archive is on {host}.",
        "Your archive is ready at {host} for 14 days under the number {code}; {article} explains its folders.",
        ("subject access request", "what information do you keep on me"),
    ),
    Cause(
        "privacy/newsletter",
        ("Still getting newsletters", "Consent settings"),
        (
            "I withdrew my consent on {day} and still get newsletters.",
            "The newsletter of {product} arrives every week although I unsubscribed in {month}.",
        ),
        "Which sender is in the newsletter's header?",
        "It says {host}.",
        "The mailing list on {host} is not linked to the consent table; {code}.",
        "The list on {host} ignored your choice ({code}). You are off it now, and {build} links all lists to the "
        "consent page.",
        ("unwanted marketing mail after opting out",),
    ),
    Cause(
        "privacy/location",
        ("Where is our data stored?", "Storage countries of {product}"),
        (
            "Which countries do you store the data of {product} in?",
            "Our auditor in {city} wants to know where the data of {product} is stored.",
        ),
        "Is your workspace on the shared plan or on a region of your own?",
        "On the shared plan, since {month}.",
        "Shared plan: two regions, see {article}.",
        "On the shared plan the data is in Ireland and Germany, on {host}; {article} is the signed list for your "
        "auditor.",
        ("data residency and hosting region",),
    ),
)
_PERMISSIONS: Final = (
    Cause(
        "permissions/new-colleague",
        ("New colleague can't see the project", "No access for a new colleague"),
        (
            "A new colleague joined on {day} and can't open any of our projects.",
            "Our new colleague in {city} gets {code} on each project of {product}.",
        ),
        "Which group is she in?",
        "She is in the group for {city} only.",
        "The group lacks the viewer role since the migration to {build}.",
        "The migration to {build} took the viewer role from that group. Give it back under Members, as in {article}, "
        "and she sees the projects.",
        ("team member lacks rights to view the work",),
    ),
    Cause(
        "permissions/lost-admin",
        ("Who is our admin?", "Administrator has left"),
        (
            "Our only {product} administrator has left; how do we get the role back?",
            "Nobody in {city} is an administrator of {product} any more.",
        ),
        "Can somebody who signs for your company write to us?",
        "Our managing director wrote to you on {day}.",
        "Ownership transfer {code}, papers are complete.",
        "The papers are complete. I moved the role to your director under {code}; name a second administrator as "
        "{article} advises.",
        ("the person in charge quit and nobody can manage the workspace",),
    ),
    Cause(
        "permissions/role-reverts",
        ("Role changes are not saved", "Roles of {product} jump back"),
        (
            "When I change a role in {product}, it jumps back after a minute.",
            "Each role that I set in {product} is the old one again after a minute, with {code} in the log.",
        ),
        "Do you use single sign-on with a directory?",
        "Yes, the roles are in the directory as well.",
        "The directory on {host} overwrites roles every minute, as configured.",
        "Your directory overwrites the role every minute. Change it there, or turn off role sync for {host} as in "
        "{article}.",
        ("privilege edits get undone by themselves",),
    ),
    Cause(
        "permissions/guests",
        ("Guests see too much", "Folders are open to guests"),
        (
            "Guests can see {n} folders they should not see.",
            "A guest from {city} opened folders of {product} that are internal.",
        ),
        "Were these folders made from a template?",
        "Yes, all of them from the template of {month}.",
        "Template shares folders with guests; bug {code}, fixed in {build}.",
        "The template shared its folders ({code}). I closed them to guests; {build} fixes the template itself.",
        ("outsiders can read internal documents",),
    ),
)

ACCOUNT: Final = (
    Topic(
        "login",
        "high",
        (
            "I tried {browser} and a private window.",
            "A colleague in {city} can sign in without trouble.",
            "It was fine until {day}.",
        ),
        _LOGIN,
    ),
    Topic(
        "security",
        "urgent",
        ("I changed my password at once.", "Please end all sessions.", "Our security team wants the access log."),
        _SECURITY,
    ),
    Topic(
        "privacy",
        "normal",
        (
            "Please confirm within {n} weeks.",
            "The account is no longer used.",
            "Our data protection officer is in copy.",
        ),
        _PRIVACY,
    ),
    Topic(
        "permissions",
        "normal",
        ("It is urgent for our office in {city}.", "We use single sign-on.", "The audit log shows nothing."),
        _PERMISSIONS,
    ),
)
