"""Phrases around the subject of a ticket, by language: greetings, requests, replies, names of days.

All text was written for this project. Names are fictitious.
"""

from typing import Final

from msgspec import Struct


class Phrases(Struct, frozen=True):
    """The phrases of one language.

    Attributes:
        replies: an agent's first words, which solve nothing.
        asks: an agent's questions, and `answers` the customer's, each of which fits each of them.
        tries: an agent's advice that doesn't help, and `still` the customer's words about it.
        again: words before an advice that is given once more.
        thanks: the customer confirms that the problem is solved.
        relapses: the customer opens a solved ticket again.
        wrote: the attribution line above a quoted mail.
    """

    days: tuple[str, ...]
    months: tuple[str, ...]
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    requests: tuple[str, ...]
    replies: tuple[str, ...]
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    tries: tuple[str, ...]
    still: tuple[str, ...]
    again: tuple[str, ...]
    thanks: tuple[str, ...]
    relapses: tuple[str, ...]
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
            "I am sorry for the trouble. I have added a note to your account, and we look into it at once.",
            "We have passed this on to the specialists; it should take less than {n} hours.",
        ),
        asks=(
            "Could you tell us which version you use and since when this happens?",
            "Does it happen to everybody in your team, and since when?",
            "Please send us the time at which it happened last, and how often it does.",
        ),
        answers=(
            "Version {version}, since {day}, for all of us.",
            "Since {day}, {n} times today alone, also for a colleague in {city}.",
            "At ten this morning, and again and again since {day}.",
        ),
        tries=(
            "Please sign out, wait {n} minutes and sign in again; that helps in most cases.",
            "Could you restart {product} and empty the cache of {browser}?",
            "Please update to version {version} first, and tell us whether that helps.",
        ),
        still=(
            "I did what you wrote, and nothing has changed.",
            "That helped for an hour, then it was back.",
            "No, still the same, {n} times today alone.",
        ),
        again=("It is the same cause as before.", "We have seen this once more.", "As in your last case:"),
        thanks=(
            "Thanks, that solved it.",
            "Great, it works again. You can close this.",
            "That was it, thank you for the quick help!",
        ),
        relapses=("It is back since {day}.", "I have to open this again: the same since this morning."),
        wrote="On Mon, 5 Jan 2026 at 09:12, Support <support@example.com> wrote:",
    ),
    "de": Phrases(
        days=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
        months=("Januar", "Februar", "März", "April", "Mai", "Juni", "September"),
        greetings=("Guten Tag,", "Hallo,", "Sehr geehrte Damen und Herren,"),
        closings=("Mit freundlichen Grüßen", "Viele Grüße", "Danke"),
        requests=("Was kann ich tun?", "Bitte melden Sie sich bald.", "Ist das Problem bekannt?"),
        replies=("Vielen Dank für die Angaben, wir melden uns bis {day}.",),
        asks=("Welche Version verwenden Sie, und seit wann tritt das auf?",),
        answers=("Version {version}, seit {day}, heute schon {n} Mal.",),
        tries=("Bitte melden Sie sich ab, warten Sie {n} Minuten und melden Sie sich wieder an.",),
        still=("Leider nein, es ist immer noch so.", "Das hat eine Stunde geholfen, dann war es wieder da."),
        again=("Es ist dieselbe Ursache wie zuvor.",),
        thanks=("Danke, jetzt geht es wieder.", "Vielen Dank, damit ist es gelöst."),
        relapses=("Seit {day} ist es leider wieder da.",),
        wrote="Am 05.01.2026 um 09:12 schrieb Support <support@example.com>:",
    ),
    "fr": Phrases(
        days=("lundi", "mardi", "mercredi", "jeudi", "vendredi"),
        months=("janvier", "février", "mars", "mai", "juin", "septembre"),
        greetings=("Bonjour,", "Madame, Monsieur,"),
        closings=("Cordialement", "Merci d'avance", "Bien à vous"),
        requests=("Que puis-je faire ?", "Merci de me répondre rapidement.", "Est-ce un problème connu ?"),
        replies=("Merci pour ces précisions, nous revenons vers vous avant {day}.",),
        asks=("Quelle version utilisez-vous, et depuis quand cela se produit-il ?",),
        answers=("La version {version}, depuis {day}, déjà {n} fois aujourd'hui.",),
        tries=("Merci de vous déconnecter, d'attendre {n} minutes et de vous reconnecter.",),
        still=("Non, c'est toujours pareil.", "Cela a marché une heure, puis le problème est revenu."),
        again=("La cause est la même que la dernière fois.",),
        thanks=("Merci, c'est résolu.", "Parfait, cela fonctionne de nouveau."),
        relapses=("Le problème est revenu depuis {day}.",),
        wrote="Le lun. 5 janv. 2026 à 09:12, Support <support@example.com> a écrit :",
    ),
    "es": Phrases(
        days=("el lunes", "el martes", "el miércoles", "el jueves", "el viernes"),
        months=("enero", "febrero", "marzo", "abril", "mayo", "septiembre"),
        greetings=("Hola,", "Buenos días,"),
        closings=("Un saludo", "Gracias de antemano", "Atentamente"),
        requests=("¿Qué puedo hacer?", "Por favor, respóndanme hoy mismo.", "¿Es un fallo conocido?"),
        replies=("Gracias por los datos, le contestaremos en {n} horas.",),
        asks=("¿Qué versión utiliza y desde cuándo ocurre?",),
        answers=("La versión {version}, desde {day}, hoy ya {n} veces.",),
        tries=("Por favor, cierre la sesión, espere {n} minutos y vuelva a entrar.",),
        still=("No, sigue igual.", "Funcionó una hora y luego volvió a fallar."),
        again=("La causa es la misma que antes.",),
        thanks=("Gracias, ya está resuelto.", "Perfecto, vuelve a funcionar."),
        relapses=("Ha vuelto a pasar desde {day}.",),
        wrote="El lun, 5 ene 2026 a las 9:12, Support <support@example.com> escribió:",
    ),
    "it": Phrases(
        days=("lunedì", "martedì", "mercoledì", "giovedì", "venerdì"),
        months=("gennaio", "febbraio", "marzo", "aprile", "maggio", "settembre"),
        greetings=("Buongiorno,", "Salve,"),
        closings=("Cordiali saluti", "Grazie mille", "Distinti saluti"),
        requests=("Che cosa posso fare?", "Attendo una vostra risposta.", "È un problema noto?"),
        replies=("Grazie per le informazioni, le rispondiamo entro {day}.",),
        asks=("Quale versione usa, e da quando succede?",),
        answers=("La versione {version}, da {day}, oggi già {n} volte.",),
        tries=("La preghiamo di uscire, aspettare {n} minuti e rientrare.",),
        still=("No, succede ancora.", "Ha funzionato per un'ora, poi è tornato tutto come prima."),
        again=("La causa è la stessa di prima.",),
        thanks=("Grazie, adesso funziona.", "Perfetto, il problema è risolto."),
        relapses=("Da {day} succede di nuovo.",),
        wrote="Il giorno lun 5 gen 2026 alle ore 09:12 Support <support@example.com> ha scritto:",
    ),
    "nl": Phrases(
        days=("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag"),
        months=("januari", "februari", "maart", "april", "mei", "september"),
        greetings=("Beste,", "Goedemorgen,", "Hallo,"),
        closings=("Met vriendelijke groet", "Alvast bedankt", "Groeten"),
        requests=("Wat kan ik doen?", "Graag vandaag nog een antwoord.", "Is dit een bekend probleem?"),
        replies=("Bedankt voor de informatie, we komen hier voor {day} op terug.",),
        asks=("Welke versie gebruikt u precies, en sinds wanneer gebeurt dit?",),
        answers=("Versie {version}, sinds {day}, vandaag al {n} keer.",),
        tries=("Wilt u uitloggen, {n} minuten wachten en opnieuw inloggen?",),
        still=("Nee, het gebeurt nog steeds.", "Het hielp een uur, daarna was het weer zo."),
        again=("Het is dezelfde oorzaak als eerder.",),
        thanks=("Bedankt, het werkt weer.", "Prima, het is opgelost."),
        relapses=("Sinds {day} is het helaas terug.",),
        wrote="Op ma 5 jan 2026 om 09:12 schreef Support <support@example.com>:",
    ),
}

#: Internal notes on tickets whose cause isn't known yet, in English whatever the customer's language.
NOTES: Final = (
    "Customer called from {city}, sounds upset. Second contact this week.",
    "Checked the log of {host}: {n} failed attempts, nothing else unusual.",
)
_MAKES: Final = ("Orbit", "Lumen", "Tidewater", "Kestrel", "Harbor", "Atlas", "Pico", "Juniper", "Marlin", "Quill")
PRODUCTS: Final = tuple(f"{first} {second}" for first in _MAKES for second in ("Desk", "Pay", "Notes", "Sync"))
DEVICES: Final = tuple(f"{first} {second}" for first in _MAKES for second in ("Scan", "Print"))
CITIES: Final = (
    "Lyon", "Leeds", "Graz", "Porto", "Ghent", "Turin", "Aarhus", "Bremen", "Cork", "Tampere", "Boise", "Halifax",
    "Malmö", "Girona", "Utrecht", "Linz", "Nantes", "Bergen", "Perth", "Leipzig", "Trieste", "Dayton", "Brno", "Namur",
)  # fmt: skip
BROWSERS: Final = ("Firefox", "Chrome", "Safari", "Edge")
FIRST_NAMES: Final = (
    "Ada", "Bruno", "Chiara", "Dario", "Elif", "Femke", "Goran", "Hanna", "Imre", "Jonas", "Kaya", "Lena",
)  # fmt: skip
LAST_NAMES: Final = ("Okafor", "Lindqvist", "Moreau", "Petrov", "Haddad", "Novak", "Brandt", "Silva", "Tanaka", "Weber")
