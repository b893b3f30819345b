"""The most common causes in five more languages. All text was written for this project."""

from typing import Final

from msgspec import Struct


class Translation(Struct, frozen=True):
    """The texts of a cause in another language; see `synthetic.topics.Cause`."""

    subject: str
    symptoms: tuple[str, ...]
    fix: str
    question: str


#: By language and cause.
FOREIGN: Final[dict[str, dict[str, Translation]]] = {
    "de": {
        "login/saved-password": Translation(
            "Anmeldung klappt nicht",
            (
                "Seit {day} kann ich mich bei {product} nicht mehr anmelden, obwohl das Kennwort stimmt.",
                "{product} lehnt mein neues Kennwort mit {code} ab.",
            ),
            "Ihr Browser sendet noch das alte Kennwort. Bitte löschen Sie den Eintrag für {host} und melden Sie sich "
            "neu an ({article}).",
            "Login wird trotz richtiger Zugangsdaten verweigert",
        ),
        "login/locked": Translation(
            "Konto gesperrt",
            ("Mein Konto ist nach {n} Versuchen gesperrt und die Mail zum Entsperren kommt nicht an.",),
            "Ihr Mailfilter hielt unsere Nachricht zurück. Das Konto ist offen; bitte lassen Sie {host} durch "
            "({article}).",
            "zu viele Fehlversuche und keine Nachricht im Postfach",
        ),
        "delivery/lost": Translation(
            "Paket {order} ist nicht da",
            ("Die Bestellung {order} sollte am {day} in {city} sein und ist nirgends zu finden.",),
            "{code} heißt, dass der Paketdienst die Sendung verloren hat. Ein neues Paket für {order} ist unterwegs.",
            "Ware wurde nie geliefert",
        ),
        "delivery/marked-delivered": Translation(
            "Als zugestellt gemeldet",
            ("Laut Sendungsverfolgung zugestellt, aber niemand in {city} hat das Paket gesehen.",),
            "Es liegt in der Packstation am Bahnhof von {city}, die Abholnummer ist {code}.",
            "angeblich ausgehändigt, doch ich habe nichts bekommen",
        ),
        "refund/returned": Translation(
            "Wo bleibt mein Geld?",
            ("Ich habe {order} vor {n} Wochen zurückgeschickt und noch keine Erstattung über {amount} erhalten.",),
            "Die Rücksendung {code} war nicht verbucht. Das ist erledigt, {amount} kommen in drei Tagen ({article}).",
            "Rückzahlung für die Retoure fehlt",
        ),
        "billing/twice": Translation(
            "Doppelt abgebucht",
            ("Für {month} wurden uns {amount} zweimal abgebucht, bitte korrigieren Sie die Rechnung.",),
            "Ein Wiederholungsversuch nach {code} hat {invoice} zweimal eingezogen. {amount} kommen in fünf Tagen "
            "zurück.",
            "derselbe Betrag wurde uns zwei Mal belastet",
        ),
        "cancel/end-of-month": Translation(
            "Kündigung",
            ("Hiermit kündige ich {product} zum nächstmöglichen Termin und bitte um eine Bestätigung.",),
            "Die Kündigung ist unter {code} eingetragen. Ihre Daten bleiben noch 30 Tage auf {host} ({article}).",
            "Vertrag beenden",
        ),
        "mobile-app/crash": Translation(
            "App stürzt ab",
            ("Die App schließt sich seit Version {version} gleich nach dem Start von selbst.",),
            "Version {version} stürzt bei manchen Sprachen ab ({code}). Bitte laden Sie {build}.",
            "Programm auf dem Handy beendet sich sofort",
        ),
    },
    "fr": {
        "login/saved-password": Translation(
            "Connexion impossible",
            ("Depuis {day} je ne peux plus me connecter à {product}, mon mot de passe est refusé.",),
            "Votre navigateur envoie encore l'ancien mot de passe. Supprimez l'entrée de {host} et reconnectez-vous "
            "({article}).",
            "identifiants rejetés alors qu'ils sont justes",
        ),
        "delivery/lost": Translation(
            "Colis {order} non livré",
            ("Ma commande {order} devait arriver à {city} et le suivi ne bouge plus depuis {n} jours.",),
            "{code} signifie que le transporteur l'a perdu. Un nouveau colis pour {order} part aujourd'hui.",
            "paquet jamais arrivé",
        ),
        "delivery/marked-delivered": Translation(
            "Livré, mais rien reçu",
            ("Le colis {order} est indiqué comme livré mais je n'ai rien reçu.",),
            "Il est dans la consigne de la gare de {city}, le numéro de retrait est {code}.",
            "remis à qui ? je n'ai pas eu ma marchandise",
        ),
        "refund/returned": Translation(
            "Remboursement en attente",
            ("J'ai renvoyé la commande {order} il y a {n} semaines et j'attends le remboursement de {amount}.",),
            "Le retour {code} n'était pas enregistré. C'est fait : {amount} arrivent dans trois jours ({article}).",
            "récupérer l'argent d'un article retourné",
        ),
        "billing/seats": Translation(
            "Facture incorrecte",
            ("La facture de {month} indique {n} postes de trop, merci de la corriger.",),
            "Les comptes désactivés étaient encore comptés. Je vous ai crédité {amount} sous {code} ({article}).",
            "on nous compte trop de licences",
        ),
        "damaged/screen": Translation(
            "Produit cassé",
            ("Le {device} est arrivé avec un écran fissuré, je souhaite un échange.",),
            "Les cartons du lot {code} manquent de mousse. Un nouveau {device} part demain ({article}).",
            "l'affichage était brisé au déballage",
        ),
    },
    "es": {
        "login/locked": Translation(
            "No puedo entrar en mi cuenta",
            ("Desde {day} no puedo iniciar sesión en {product} y el correo para desbloquear la cuenta no llega.",),
            "Su filtro de correo retuvo nuestro mensaje. La cuenta está abierta; permita los correos de {host} "
            "({article}).",
            "acceso bloqueado y ningún mensaje en la bandeja",
        ),
        "delivery/lost": Translation(
            "Pedido {order} sin entregar",
            ("El pedido {order} tenía que llegar a {city} hace {n} días y nadie sabe dónde está.",),
            "{code} significa que el transportista lo perdió. Hoy sale otro paquete para {order}.",
            "el paquete se extravió",
        ),
        "refund/returned": Translation(
            "Devolución pendiente",
            ("Devolví el pedido {order} y todavía no he recibido el reembolso de {amount}.",),
            "La devolución {code} no estaba registrada. Ya está: {amount} llegan en tres días ({article}).",
            "quiero mi dinero por la mercancía devuelta",
        ),
        "performance/dashboard": Translation(
            "La aplicación va muy lenta",
            ("Desde la versión {version} el panel tarda {n} minutos en cargar y no podemos trabajar.",),
            "La versión {version} carga los gráficos uno tras otro ({code}). Actualice a {build}; vea {article}.",
            "la página de inicio es lentísima",
        ),
    },
    "it": {
        "login/saved-password": Translation(
            "Non riesco ad accedere",
            ("Da {day} non riesco più ad accedere a {product}, la password viene rifiutata.",),
            "Il browser invia ancora la vecchia password. Cancelli la voce di {host} e acceda di nuovo ({article}).",
            "credenziali respinte anche se corrette",
        ),
        "billing/twice": Translation(
            "Addebito doppio",
            ("Per {month} ci avete addebitato due volte {amount}, chiediamo una nota di credito.",),
            "Un secondo tentativo dopo {code} ha incassato due volte {invoice}. Riavrà {amount} in cinque giorni.",
            "pagamento preso due volte",
        ),
        "hardware/no-power": Translation(
            "Il dispositivo non si accende",
            ("Il {device} non si accende più e la spia lampeggia {n} volte.",),
            "La luce ambra indica la modalità sicura. Tenga premuto il tasto per 20 secondi e installi {build} "
            "({article}).",
            "apparecchio morto con luce intermittente",
        ),
    },
    "nl": {
        "login/locked": Translation(
            "Inloggen lukt niet",
            ("Sinds {day} kan ik niet meer inloggen bij {product} en de herstelmail komt niet aan.",),
            "Uw mailfilter hield ons bericht tegen. Het account is open; laat mail van {host} door ({article}).",
            "toegang geblokkeerd en geen bericht ontvangen",
        ),
        "delivery/lost": Translation(
            "Pakket {order} niet ontvangen",
            ("Bestelling {order} had al in {city} moeten zijn, maar de zending staat al {n} dagen stil.",),
            "{code} betekent dat de vervoerder het kwijt is. Vandaag gaat een nieuw pakket voor {order} weg.",
            "zending is zoek",
        ),
        "cancel/end-of-month": Translation(
            "Abonnement opzeggen",
            ("Ik wil {product} opzeggen per einde van {month}, graag een bevestiging.",),
            "De opzegging staat onder {code}. Uw gegevens blijven nog 30 dagen op {host} ({article}).",
            "contract beëindigen",
        ),
    },
}
