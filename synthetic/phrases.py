"""Phrases around the subject of a ticket, by language: greetings, requests, replies, names of days.

All text was written for this project. Names are fictitious.
"""

from typing import Final

from msgspec import Struct


class Phrases(Struct, frozen=True):
    """The phrases of one language. `wrote` is the attribution line above a quoted mail."""

    days: tuple[str, ...]
    months: tuple[str, ...]
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    requests: tuple[str, ...]
    replies: tuple[str, ...]
    follow_ups: tuple[str, ...]
    wrote: str


PHRASES: Final = {
    "en": Phrases(
        days=(
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "the weekend",
            "the 3rd",
            "the 17th",
            "last week",
        ),
        months=("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
        greetings=("Hello,", "Hi there,", "Hi team,", "Good morning,", "Dear support,"),
        closings=("Thanks", "Kind regards", "Best", "Thank you in advance", "Regards"),
        requests=(
            "What can I do?",
            "Please have a look.",
            "Can you tell me how long this will take?",
            "Please get back to me today.",
            "Is this a known problem?",
        ),
        replies=(
            "Thank you for the details. The team that looks after this has them and will be back by {day}.",
            "Could you tell us which version you use and since when this happens?",
            "We have found the cause and a fix is on its way; it should reach you within {n} hours.",
            "I am sorry for the trouble. I have added {amount} to your account as a small apology.",
            "Please remove {product} from the list of devices, wait {n} minutes and add it again.",
            "If that does not help, send us the log from the settings page and the time at which it happened last.",
        ),
        follow_ups=(
            "It still happens, {n} times today alone.",
            "Version {version}, since {day}.",
            "That helped for an hour, then it was back.",
            "Any news on this?",
            "Thanks, that solved it.",
            "I did what you wrote and the message is another one now: code {code}.",
            "The log has {n} lines about it, and none of them tells me anything.",
        ),
        wrote="On Mon, 5 Jan 2026 at 09:12, Support <support@example.com> wrote:",
    ),
    "de": Phrases(
        days=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
        months=("Januar", "Februar", "März", "April", "Mai", "Juni", "September"),
        greetings=("Guten Tag,", "Hallo,", "Sehr geehrte Damen und Herren,"),
        closings=("Mit freundlichen Grüßen", "Viele Grüße", "Danke"),
        requests=("Was kann ich tun?", "Bitte melden Sie sich bald.", "Ist das Problem bekannt?"),
        replies=(
            "Vielen Dank für die Angaben, wir melden uns bis {day}.",
            "Welche Version verwenden Sie, und seit wann tritt das auf?",
        ),
        follow_ups=("Es passiert immer noch, heute schon {n} Mal.", "Gibt es etwas Neues dazu?"),
        wrote="Am 05.01.2026 um 09:12 schrieb Support <support@example.com>:",
    ),
    "fr": Phrases(
        days=("lundi", "mardi", "mercredi", "jeudi", "vendredi"),
        months=("janvier", "février", "mars", "mai", "juin", "septembre"),
        greetings=("Bonjour,", "Madame, Monsieur,"),
        closings=("Cordialement", "Merci d'avance", "Bien à vous"),
        requests=("Que puis-je faire ?", "Merci de me répondre rapidement.", "Est-ce un problème connu ?"),
        replies=(
            "Merci pour ces précisions, nous revenons vers vous avant {day}.",
            "Quelle version utilisez-vous, et depuis quand ?",
        ),
        follow_ups=("Cela se produit encore, {n} fois aujourd'hui.", "Avez-vous des nouvelles ?"),
        wrote="Le lun. 5 janv. 2026 à 09:12, Support <support@example.com> a écrit :",
    ),
    "es": Phrases(
        days=("el lunes", "el martes", "el miércoles", "el jueves", "el viernes"),
        months=("enero", "febrero", "marzo", "abril", "mayo", "septiembre"),
        greetings=("Hola,", "Buenos días,"),
        closings=("Un saludo", "Gracias de antemano", "Atentamente"),
        requests=("¿Qué puedo hacer?", "Por favor, respóndanme hoy mismo.", "¿Es un fallo conocido?"),
        replies=(
            "Gracias por los datos, le contestaremos en {n} horas.",
            "¿Qué versión utiliza y desde cuándo ocurre?",
        ),
        follow_ups=("Sigue pasando, hoy ya {n} veces.", "¿Hay alguna novedad?"),
        wrote="El lun, 5 ene 2026 a las 9:12, Support <support@example.com> escribió:",
    ),
    "it": Phrases(
        days=("lunedì", "martedì", "mercoledì", "giovedì", "venerdì"),
        months=("gennaio", "febbraio", "marzo", "aprile", "maggio", "settembre"),
        greetings=("Buongiorno,", "Salve,"),
        closings=("Cordiali saluti", "Grazie mille", "Distinti saluti"),
        requests=("Che cosa posso fare?", "Attendo una vostra risposta.", "È un problema noto?"),
        replies=("Grazie per le informazioni, le rispondiamo entro {day}.", "Quale versione usa, e da quando succede?"),
        follow_ups=("Succede ancora, oggi già {n} volte.", "Ci sono novità?"),
        wrote="Il giorno lun 5 gen 2026 alle ore 09:12 Support <support@example.com> ha scritto:",
    ),
    "nl": Phrases(
        days=("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag"),
        months=("januari", "februari", "maart", "april", "mei", "september"),
        greetings=("Beste,", "Goedemorgen,", "Hallo,"),
        closings=("Met vriendelijke groet", "Alvast bedankt", "Groeten"),
        requests=("Wat kan ik doen?", "Graag vandaag nog een antwoord.", "Is dit een bekend probleem?"),
        replies=("Bedankt voor de informatie, we komen hier voor {day} op terug.", "Welke versie gebruikt u precies?"),
        follow_ups=("Het gebeurt nog steeds, vandaag al {n} keer.", "Is er al nieuws?"),
        wrote="Op ma 5 jan 2026 om 09:12 schreef Support <support@example.com>:",
    ),
}

#: Internal notes are in English, whatever the customer's language.
NOTES: Final = (
    "Customer called from {city}, sounds upset. Second contact this week.",
    "Same cause as the ticket from {month}; see the runbook before answering.",
    "Checked the log: {n} failed attempts, nothing else unusual.",
)
PRODUCTS: Final = tuple(
    f"{first} {second}"
    for first in ("Orbit", "Lumen", "Tidewater", "Kestrel", "Harbor", "Atlas", "Pico", "Juniper", "Marlin", "Quill")
    for second in ("Desk", "Scan", "Print", "Pay", "Notes", "Sync")
)
CITIES: Final = (
    "Lyon", "Leeds", "Graz", "Porto", "Ghent", "Turin", "Aarhus", "Bremen", "Cork", "Tampere", "Boise", "Halifax",
    "Malmö", "Girona", "Utrecht", "Linz", "Nantes", "Bergen", "Perth", "Leipzig", "Trieste", "Dayton", "Brno", "Namur",
)  # fmt: skip
BROWSERS: Final = ("Firefox", "Chrome", "Safari", "Edge")
FIRST_NAMES: Final = (
    "Ada", "Bruno", "Chiara", "Dario", "Elif", "Femke", "Goran", "Hanna", "Imre", "Jonas", "Kaya", "Lena",
)  # fmt: skip
LAST_NAMES: Final = ("Okafor", "Lindqvist", "Moreau", "Petrov", "Haddad", "Novak", "Brandt", "Silva", "Tanaka", "Weber")
