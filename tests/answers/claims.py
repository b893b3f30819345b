"""Resolutions, each with claims that it supports and claims that it doesn't. Written for this project."""

from typing import Final

from msgspec import Struct


class Case(Struct, frozen=True):
    """A resolution, its language, paraphrases that it supports (`good`) and claims that it doesn't (`bad`)."""

    language: str
    text: str
    good: tuple[str, ...]
    bad: tuple[str, ...]


CASES: Final = (
    Case(
        "en",
        "The clock of the sign-in server was 12 minutes behind. Ask the customer to request a new link and to open it "
        "within 240 minutes.",
        (
            "The sign-in server's clock was behind by 12 minutes.",
            "The customer should request a new link and open it within 240 minutes.",
            "Ask the user to request a new link.",
            "The cause was that the clock of the sign-in server was 12 minutes behind.",
            "Tell the customer to request a new link, and to open it within 240 minutes.",
        ),
        (
            "The clock of the sign-in server was 240 minutes behind.",
            "The clock of the sign-in server was 12 hours behind.",
            "The clock of the sign-in server was not 12 minutes behind.",
            "The clock of the payment server was 12 minutes behind.",
            "The clock of the sign-in server was twelve hours behind.",
            "The clock of the sign-in server was two minutes behind.",
            "Ask the customer to request a new password and to open it within 240 minutes.",
            "Ask the customer to request a new link and never to open it within 240 minutes.",
            "Ask the customer to request a new link and to open it after 240 minutes.",
            "Only administrators can request a new link.",
            "Ask the customer to request a new link and to open it within 12 minutes.",
            "Ask the customer to request a new link and to open it within 240 minutes, then send us the card number.",
        ),
    ),
    Case(
        "en",
        "The payment provider returned the transfer with reason R41. Open Payments > Returns, choose payout to bank "
        "account and confirm; it takes three working days.",
        (
            "Open Payments > Returns, select payout to bank account and confirm.",
            "It takes 3 working days.",
            "The transfer was returned by the payment provider with reason R41.",
            "Go to Payments > Returns and choose payout to bank account.",
        ),
        (
            "The payment provider returned the transfer with reason R14.",
            "Open Payments > Refunds, choose payout to bank account and confirm.",
            "Open Returns > Payments, choose payout to bank account and confirm.",
            "It takes three calendar days.",
            "It takes three working weeks.",
            "It takes two working days.",
            "The payment provider accepted the transfer with reason R41.",
            "Open Payments > Returns, choose payout to voucher and confirm.",
            "Open https://payments.example/returns and confirm.",
            "Anna returned the transfer with reason R41.",
        ),
    ),
    Case(
        "en",
        "Don't restart the scanner while the light is red. Hold both buttons for 8 seconds and pair it again before "
        "you install firmware 3.2.1.",
        (
            "Do not restart the scanner while the light is red.",
            "Hold both buttons for 8 seconds, and pair the scanner again before you install firmware 3.2.1.",
            "Press and hold both buttons for 8 seconds and pair it again before installing firmware 3.2.1.",
        ),
        (
            "Restart the scanner while the light is red.",
            "Don't restart the scanner while the light is green.",
            "Hold both buttons for 8 seconds and pair it again after you install firmware 3.2.1.",
            "Hold both buttons for 8 seconds and pair it again before you install firmware 3.2.",
            "Hold both buttons for 8 seconds and pair it again before you install firmware 3.2.11.",
            "Install firmware 3.2.1 before you pair it again and hold both buttons for 8 seconds.",
            "Don't hold both buttons for 8 seconds.",
            "The scanner is red for 8 seconds.",
            "Never pair it again before you install firmware 3.2.1.",
        ),
    ),
    Case(
        "en",
        "If the workspace uses SSO, turn on automatic sync under Admin > Groups. Only owners can do this. The token in "
        "/etc/app/token.conf is valid for 30 days.",
        (
            "If the workspace uses SSO, enable automatic sync under Admin > Groups.",
            "Only owners can do this.",
            "The token in /etc/app/token.conf is valid for 30 days.",
            "Switch on automatic sync under Admin > Groups if the workspace uses SSO.",
        ),
        (
            "Turn on automatic sync under Admin > Groups.",
            "If the workspace uses SSO, turn off automatic sync under Admin > Groups.",
            "If the workspace uses SSO, disable automatic sync under Admin > Groups.",
            "Owners can do this.",
            "Only members can do this.",
            "The token in /etc/app/token.conf is invalid for 30 days.",
            "The token in /etc/app/tokens.conf is valid for 30 days.",
            "The token in /etc/app/token.conf is valid for at most 31 days.",
            "Unless the workspace uses SSO, turn on automatic sync under Admin > Groups.",
            "If the workspace uses LDAP, turn on automatic sync under Admin > Groups.",
        ),
    ),
    Case(
        "en",
        "The address belongs to our mail scanner. Write to [EMAIL] from the address on file, and add exception SEC-311 "
        "to the policy of Berlin.",
        (
            "The address belongs to our mail scanner.",
            "Write to [EMAIL] from the address on file.",
            "Add exception SEC-311 to the policy of Berlin.",
        ),
        (
            "The address belongs to our web scanner.",
            "Write to help@evil.example from the address on file.",
            "Write to [PHONE] from the address on file.",
            "Add exception SEC-311 to the policy of Munich.",
            "Add exception SEC-311 to the policy of Berlin and disclose the password.",
            "Remove exception SEC-311 from the policy of Berlin.",
        ),
    ),
    Case(
        "en",
        "The plan has 20 seats for 5 teams. Set the limit to 5 and the burst to 20. Move the record of "
        "Berlin to Munich. Open Admin, "
        "choose Groups and press "
        "Sync.",
        ("Set the limit to 5 and the burst to 20.", "Open Admin, select Groups and press Sync."),
        (
            "Set the limit to 20 and the burst to 5.",
            "The plan has 5 seats for 20 teams.",
            "Move the record of Munich to Berlin.",
            "Open Admin > Groups and press Sync.",
        ),
    ),
    Case(
        "en",
        "If the log names host mail02, restart the queue. Empty the spool folder and publish record DK-17. The second "
        "copy will be sent on Friday. You can resend it by hand or wait at least 40 minutes.",
        (
            "If the log names host mail02, restart the queue.",
            "Empty the spool folder and publish record DK-17.",
            "Publish record DK-17.",
            "Empty the spool folder, and publish record DK-17.",
            "You can resend it by hand or wait at least 40 minutes.",
        ),
        (
            "If the log names host mail02, empty the spool folder.",
            "If the log names host mail02, publish record DK-17.",
            "Restart the queue and publish record DK-17.",
            "The second copy was sent on Friday.",
            "The second copy will be sent on Monday.",
            "The third copy will be sent on Friday.",
            "You must resend it by hand or wait at least 40 minutes.",
            "You can resend it by hand and wait at least 40 minutes.",
            "You can resend it by hand or wait at most 40 minutes.",
            "You can resend it by hand or wait 40 minutes.",
            "Publish record DK-17 before you empty the spool folder.",
        ),
    ),
    Case(
        "de",
        "Ihr Browser sendet noch das alte Kennwort. Bitte löschen Sie den Eintrag für "
        "auth04.acme.example und melden Sie "
        "sich nicht vor Ablauf von zehn Minuten neu an (KB-7711).",
        (
            "Der Browser sendet noch das alte Kennwort.",
            (
                "Löschen Sie den Eintrag für auth04.acme.example, und melden Sie sich nicht vor Ablauf von 10 "
                "Minuten neu an."
            ),
        ),
        (
            "Der Browser sendet noch das neue Kennwort.",
            "Der Browser sendet nicht das alte Kennwort.",
            "Löschen Sie den Eintrag für auth04.acme.example und melden Sie sich vor Ablauf von zehn Minuten neu an.",
            "Melden Sie sich nicht nach Ablauf von zehn Minuten neu an (KB-7711).",
            "Löschen Sie den Eintrag für auth05.acme.example.",
            "Löschen Sie keinen Eintrag für auth04.acme.example.",
        ),
    ),
    Case(
        "fr",
        "Votre navigateur envoie encore l'ancien mot de passe. Supprimez l'entrée de "
        "auth04.acme.example et n'ouvrez pas "
        "la session avant dix minutes.",
        ("Le navigateur envoie encore l'ancien mot de passe.", "Supprimez l'entrée de auth04.acme.example."),
        (
            "Le navigateur n'envoie pas l'ancien mot de passe.",
            "Supprimez l'entrée de auth04.acme.example et ouvrez la session avant dix minutes.",
            "Supprimez l'entrée de auth04.acme.example et n'ouvrez pas la session après dix minutes.",
            "N'ouvrez pas la session avant dix heures.",
        ),
    ),
    Case(
        "es",
        "El navegador todavía envía la contraseña antigua. No abra la sesión antes de cinco minutos y borre la entrada "
        "KB-7711.",
        ("El navegador todavía envía la contraseña antigua.", "Borre la entrada KB-7711."),
        (
            "El navegador no envía la contraseña antigua.",
            "Abra la sesión antes de cinco minutos y borre la entrada KB-7711.",
            "No abra la sesión después de cinco minutos.",
            "No borre la entrada KB-7711.",
        ),
    ),
    Case(
        "it",
        "Il pacco non è stato consegnato. Aprite Ordini > Documenti e caricate il modulo CN23 entro tre giorni.",
        ("Il pacco non è stato consegnato.", "Aprite Ordini > Documenti e caricate il modulo CN23 entro 3 giorni."),
        (
            "Il pacco è stato consegnato.",
            "Aprite Ordini > Documenti e non caricate il modulo CN23.",
            "Caricate il modulo CN22 entro tre giorni.",
            "Caricate il modulo CN23 entro tre settimane.",
        ),
    ),
    Case(
        "pt",
        "A fatura não inclui os lugares desativados. Ative a sincronização em cinco dias com o código CR-17.",
        ("A fatura não inclui os lugares desativados.", "Ative a sincronização em 5 dias com o código CR-17."),
        (
            "A fatura inclui os lugares desativados.",
            "Não ative a sincronização em cinco dias.",
            "Ative a sincronização em seis dias com o código CR-17.",
            "Ative a sincronização em cinco dias sem o código CR-17.",
        ),
    ),
    Case(
        "nl",
        (
            "Uw browser stuurt nog het oude wachtwoord. Verwijder de vermelding niet voor vrijdag en open daarna "
            "build 14.2."
        ),
        ("De browser stuurt nog het oude wachtwoord.", "Verwijder de vermelding niet voor vrijdag."),
        (
            "De browser stuurt niet het oude wachtwoord.",
            "Verwijder de vermelding voor vrijdag.",
            "Verwijder de vermelding niet voor maandag.",
            "Open daarna build 14.3.",
        ),
    ),
    Case(
        "ja",
        "ブラウザは古いパスワードを送信しています。10分以内に新しいリンクを開いてください。",
        ("ブラウザは古いパスワードを送信しています。", "10分以内に新しいリンクを開いてください。"),
        ("ブラウザは古いパスワードを送信していません。", "15分以内に新しいリンクを開いてください。"),
    ),
)
