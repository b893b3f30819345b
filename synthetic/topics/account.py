"""Topics about accounts and the data in them."""

from typing import Final

from synthetic.topics.topic import Topic

ACCOUNT: Final = (
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
)
