"""The most common topics in five more languages. All text was written for this project."""

from typing import Final

#: Subject and problem sentences, by language and topic.
FOREIGN: Final[dict[str, dict[str, tuple[str, tuple[str, ...]]]]] = {
    "de": {
        "login": (
            "Anmeldung klappt nicht",
            (
                "Seit {day} kann ich mich bei {product} nicht mehr anmelden.",
                "Mein Konto ist nach {n} Versuchen gesperrt und die Mail zum Entsperren kommt nicht an.",
            ),
        ),
        "delivery": (
            "Paket {order} ist nicht da",
            (
                "Die Bestellung {order} sollte am {day} in {city} sein und ist nirgends zu finden.",
                "Laut Sendungsverfolgung zugestellt, aber niemand hat das Paket gesehen.",
            ),
        ),
        "refund": (
            "Wo bleibt mein Geld?",
            ("Ich habe {order} vor {n} Wochen zurückgeschickt und noch keine Erstattung über {amount} erhalten.",),
        ),
        "billing": (
            "Doppelt abgebucht",
            ("Für {month} wurden uns {amount} zweimal abgebucht, bitte korrigieren Sie die Rechnung.",),
        ),
        "cancel": (
            "Kündigung",
            ("Hiermit kündige ich {product} zum nächstmöglichen Termin und bitte um eine Bestätigung.",),
        ),
        "mobile-app": (
            "App stürzt ab",
            ("Die App schließt sich seit Version {version} gleich nach dem Start von selbst.",),
        ),
    },
    "fr": {
        "login": (
            "Connexion impossible",
            ("Depuis {day} je ne peux plus me connecter à {product}, mon mot de passe est refusé.",),
        ),
        "delivery": (
            "Colis {order} non livré",
            (
                "Ma commande {order} devait arriver à {city} et le suivi ne bouge plus depuis {n} jours.",
                "Le colis est indiqué comme livré mais je n'ai rien reçu.",
            ),
        ),
        "refund": (
            "Remboursement en attente",
            ("J'ai renvoyé la commande {order} il y a {n} semaines et j'attends le remboursement de {amount}.",),
        ),
        "billing": ("Facture incorrecte", ("La facture de {month} indique {amount} de trop, merci de la corriger.",)),
        "damaged": ("Produit cassé", ("Le {product} est arrivé avec un écran fissuré, je souhaite un échange.",)),
    },
    "es": {
        "login": (
            "No puedo entrar en mi cuenta",
            ("Desde {day} no puedo iniciar sesión en {product} y el correo para restablecer la contraseña no llega.",),
        ),
        "delivery": (
            "Pedido {order} sin entregar",
            ("El pedido {order} tenía que llegar a {city} hace {n} días y nadie sabe dónde está.",),
        ),
        "refund": (
            "Devolución pendiente",
            ("Devolví el pedido {order} y todavía no he recibido el reembolso de {amount}.",),
        ),
        "performance": (
            "La aplicación va muy lenta",
            ("Desde la versión {version} el panel tarda {n} minutos en cargar y no podemos trabajar.",),
        ),
    },
    "it": {
        "login": (
            "Non riesco ad accedere",
            ("Da {day} non riesco più ad accedere a {product}, la password viene rifiutata.",),
        ),
        "billing": (
            "Addebito doppio",
            ("Per {month} ci avete addebitato due volte {amount}, chiediamo una nota di credito.",),
        ),
        "hardware": (
            "Il dispositivo non si accende",
            ("Il {product} non si accende più e la spia lampeggia {n} volte.",),
        ),
    },
    "nl": {
        "login": (
            "Inloggen lukt niet",
            ("Sinds {day} kan ik niet meer inloggen bij {product} en de herstelmail komt niet aan.",),
        ),
        "delivery": (
            "Pakket {order} niet ontvangen",
            ("Bestelling {order} had al in {city} moeten zijn, maar de zending staat al {n} dagen stil.",),
        ),
        "cancel": ("Abonnement opzeggen", ("Ik wil {product} opzeggen per einde van {month}, graag een bevestiging.",)),
    },
}
