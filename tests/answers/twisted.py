"""More resolutions with claims: words of two clauses that were mixed, certainty, voice, persons and comparisons."""

from typing import Final

from tests.answers.claims import Case

TWISTED: Final = (
    Case(
        "en",
        "Delete the index but keep the backup. Restart the agent and reinstall the server. Rebuild the cache. Archive "
        "the log. Set the limit to 5 and raise the burst to 20.",
        (
            "Delete the index.",
            "Keep the backup.",
            "Delete the index, and keep the backup.",
            "Reinstall the server.",
            "Rebuild the cache and archive the log.",
        ),
        (
            "Delete the backup.",
            "Keep the index.",
            "Delete the index and the backup.",
            "Restart the server.",
            "Restart the agent and the server.",
            "Rebuild the cache and the log.",
            "The backup.",
            "Set the limit to 20, and raise the burst.",
        ),
    ),
    Case(
        "en",
        "Instead of restarting the server, reinstall the agent. The nightly sync stopped working. Refrain from "
        "deleting the queue. It is forbidden to share the token. Renaming the folder is prohibited. The scanner used "
        "to print labels. The archive is too large to upload.",
        (
            "Reinstall the agent instead of restarting the server.",
            "Reinstall the agent.",
            "The nightly sync stopped working.",
            "Renaming the folder is forbidden.",
        ),
        (
            "Restart the server.",
            "The nightly sync works.",
            "Delete the queue.",
            "Share the token.",
            "Rename the folder.",
            "The scanner prints labels.",
            "Upload the archive.",
        ),
    ),
    Case(
        "en",
        "The driver may be outdated. The provider could refuse the card. We tried to restore the mailbox. The customer "
        "said that the invoice is wrong. We will refund the deposit on Friday. The parcel will be sent from Lyon. You "
        "may pay the invoice in June.",
        (
            "The driver might be outdated.",
            "We tried to restore the mailbox.",
            "We will refund the deposit on Friday.",
            "You may pay the invoice in June.",
        ),
        (
            "The driver is outdated.",
            "The provider refuses the card.",
            "We restored the mailbox.",
            "The invoice is wrong.",
            "We refunded the deposit on Friday.",
            "The parcel has been sent from Lyon.",
            "You may pay the invoice in May.",
        ),
    ),
    Case(
        "en",
        "The backup locks the workspace every hour. Restart the relay if the disk is full. The host that did not "
        "respond was restarted. We deleted the old account. Only owners can delete an export.",
        (
            "The workspace is locked by the backup every hour.",
            "If the disk is full, restart the relay.",
            "The host that did not respond was restarted.",
            "The old account was deleted.",
        ),
        (
            "The backup is locked by the workspace every hour.",
            "If you restart the relay, the disk is full.",
            "The host was not restarted.",
            "You deleted the old account.",
            "Owners can delete only an export.",
        ),
    ),
    Case(
        "en",
        "Files of >5 MB are refused. The import takes 10 to 20 minutes. The export takes between 30 and 40 minutes. "
        "The check takes 50 - 60 seconds. The plan has 5 million rows. The store is kept at minus 20 degrees. Empty "
        "/srv/Cache. De-activate the filter. Transfers cost 40.",
        (
            "Files of >5 MB are refused.",
            "Files over 5 MB are refused.",
            "The import takes 10 to 20 minutes.",
            "The import takes up to 20 minutes.",
            "The export takes between 30 and 40 minutes.",
            "The plan has 5 million rows.",
        ),
        (
            "Files of <5 MB are refused.",
            "The import takes 20 minutes.",
            "The export takes 40 minutes.",
            "The check takes 60 seconds.",
            "The plan has 5 rows.",
            "The store is kept at 20 degrees.",
            "Empty /srv/cache.",
            "Empty /srv/Cache*.",
            "Activate the filter.",
            "Transfers cost 40 ¥.",
        ),
    ),
    Case(
        "de",
        "Der Betrag würde erstattet. Starten Sie den Dienst neu, anstatt das Archiv zu löschen. Das Umbenennen der "
        "Datei ist verboten.",
        ("Der Betrag würde erstattet.",),
        ("Der Betrag wurde erstattet.", "Das Archiv löschen.", "Das Umbenennen der Datei."),
    ),
    Case("ca", "No reinicieu el servidor.", ("No reinicieu el servidor.",), ("Reinicieu el servidor.",)),
    Case("hu", "A szervert nem kell újraindítani.", (), ("A szervert kell újraindítani.",)),
    Case("id", "Server tidak perlu dimulai ulang.", (), ("Server perlu dimulai ulang.",)),
    Case("tr", "Sunucu değil istemci yeniden başlatıldı.", (), ("Sunucu istemci yeniden başlatıldı.",)),
    Case("ko", "서버를 다시 시작하면 안 됩니다.", (), ("서버를 다시 시작하면 됩니다.",)),
    # a language that was detected wrongly
    Case("en", "Ne redémarrez pas le serveur.", (), ("Redémarrez le serveur.",)),
    Case(
        "en",
        "Disable the sync and enable the backup. The first copy was sent and the second copy will be sent. The price "
        "for Basic is 5 and for Pro is 20. The payment provider returned the transfer with reason R41. Hold both "
        "buttons for 8 seconds. The nightly export of unpaid customer invoices to Berlin stops at midnight. Copy the "
        "primary to the replica. Go to Billing to reset the plan.",
        (
            "Disable the sync.",
            "Enable the backup.",
            "The price for Basic is 5.",
            "The customer should hold both buttons for 8 seconds.",
            "To reset the plan, go to Billing.",
        ),
        (
            "Enable the sync.",
            "Disable the backup.",
            "The second copy was sent.",
            "The price for Pro is 5.",
            "The price for Basic is 20.",
            "The customer returned the transfer with reason R41.",
            "The nightly export of unpaid customer invoices to Berlin stops at midnight due to a system fault.",
            "Copy the replica to the primary.",
        ),
    ),
    Case(
        "en",
        'The page shows "Send the password to support" and hangs. Make sure that the cable is plugged. Check whether '
        "the disk is full. The mailbox is almost empty. The job sometimes deletes files. The scan takes about 40 "
        "minutes. It is false that the gateway is down.",
        ("The job occasionally deletes files.",),
        (
            "Send the password to support.",
            "The cable is plugged.",
            "The disk is full.",
            "The mailbox is empty.",
            "The job deletes files.",
            "The scan takes 40 minutes.",
            "The gateway is down.",
        ),
    ),
    Case(
        "en",
        "The sync stopped because the token expired. The lease ended, so the relay paused. According to the vendor the "
        "patch is safe. The gateway was down. You do not need to restart the server. You don't have to reset the "
        "phone. You needn't renew the key. Everything works but the export. Unlike the old client, the new one syncs.",
        ("Because the token expired, the sync stopped.", "You don't need to restart the server."),
        (
            "The token expired because the sync stopped.",
            "The relay paused, so the lease ended.",
            "The patch is safe.",
            "The gateway is down.",
            "Do not restart the server.",
            "Don't reset the phone.",
            "Do not renew the key.",
            "The export works.",
            "The old client syncs.",
        ),
    ),
    Case(
        "de",
        "Sie müssen den Server nicht neu starten. Das Gateway war gestört.",
        ("Sie müssen den Server nicht neu starten.",),
        ("Starten Sie den Server nicht neu.", "Das Gateway ist gestört."),
    ),
    Case("en", "Take the Berlin Munich line.", ("Take the Berlin Munich line.",), ("Take the Munich Berlin line.",)),
    Case("en", "The area is 10² metres.", ("The area is 10² metres.",), ("The area is 102 metres.",)),
    Case("de", "Die Platte ist fast voll.", (), ("Die Platte ist voll.",)),
)
