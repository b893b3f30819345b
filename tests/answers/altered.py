"""More resolutions with claims: quantities, times, codes, outcomes and names that were altered a little."""

from typing import Final

from tests.answers.claims import Case

ALTERED: Final = (
    Case(
        "en",
        "The maintenance starts at 9:00 and ends at 10:30. Connect to db01:5432 and cache01:6379. Delete the files in "
        "C:\\Temp. Run tar -x backup. The report is sent at 3 pm. Choose option A, then plan B. The hotline is open "
        "from 8 am to 5 pm.",
        (
            "The maintenance starts at 9:00 and ends at 10:30.",
            "The maintenance begins at 9:00.",
            "Connect to db01:5432.",
            "Run tar -x backup.",
            "Select option A.",
        ),
        (
            "The maintenance starts at 9:30.",
            "The maintenance starts at 9.",
            "Connect to db01:6379.",
            "Delete the files in D:\\Temp.",
            "Run tar -c backup.",
            "Run tar -X backup.",
            "The report is sent at 3 am.",
            "The hotline is open from 8 pm.",
            "Choose option C.",
            "Choose option B.",
        ),
    ),
    Case(
        "en",
        "The refund takes 2 days 3 hours and costs $4. The offer runs from 3 April to 5 May. Files must be under 5 MB. "
        "The invoice is sent on 3 June. The team stores more than 7 copies. The trial runs from April 3 to May 9. The "
        "contract ends in June.",
        (
            "The refund takes two days 3 hours and costs $4.",
            "The offer runs from April 3 to May 5.",
            "The files must be under 5 MB.",
            "The invoice is sent on June 3.",
        ),
        (
            "The refund takes 2 hours.",
            "The refund takes a day.",
            "The refund costs €4.",
            "The offer runs from 3 May.",
            "The offer runs from 3 May to 5 April.",
            "The offer runs from 3 April to 5 June.",
            "Files must be 5 MB.",
            "Files must be over 5 MB.",
            "The invoice is sent on 3 May.",
            "The trial runs from April 9.",
            "The contract ends in May.",
            "The team stores 7 copies.",
            "The team stores fewer than 7 copies.",
        ),
    ),
    Case(
        "en",
        "Avoid restarting the server during the night. The sync fails to start after the update. Restart the "
        "client\u2014not the gateway. Dont delete the index. The list is non-empty. The job rarely stops.",
        (
            "Avoid restarting the server during the night.",
            "The sync fails to start after the update.",
            "Do not delete the index.",
        ),
        (
            "Restart the server during the night.",
            "The sync starts after the update.",
            "Restart the gateway.",
            "Delete the index.",
            "The list is empty.",
            "The job stops.",
        ),
    ),
    Case(
        "en",
        "Empty the spool folder, then press Sync. Install the driver. Restart the scanner.",
        (
            "Empty the spool folder, then press Sync.",
            "Clear the spool folder and then press Sync.",
            "Install the driver, then restart the scanner.",
        ),
        ("Press Sync, then empty the spool folder.", "Restart the scanner, then install the driver."),
    ),
    Case(
        "en",
        "Anna confirmed the refund to Ben. We pay the monthly fee for the nightly export. The team looks into the "
        "broken nightly import of the shop.",
        (
            "Anna confirmed the refund to Ben.",
            "The team pays the monthly fee for the nightly export.",
        ),
        (
            "Ben confirmed the refund to Anna.",
            "Ben confirmed the refund.",
            "The customer pays the monthly fee for the nightly export.",
            "The team fixed the broken nightly import of the shop.",
        ),
    ),
    Case(
        "de",
        "Die Gebühr beträgt 2,50 Euro. Wir überweisen den Betrag am 3. März. Vermeiden Sie den Neustart des Servers.",
        ("Die Gebühr beträgt 2,50 Euro.", "Wir überweisen den Betrag am 3. März."),
        (
            "Die Gebühr beträgt 50 Euro.",
            "Die Gebühr beträgt 2 Euro.",
            "Die Gebühr beträgt einen Euro.",
            "Wir überweisen den Betrag am 3. Mai.",
            "Wir überweisen den Betrag am 5. März.",
            "Der Neustart des Servers.",
        ),
    ),
    Case(
        "fr",
        "Le service ne fonctionne plus depuis lundi. L'envoi n'accepte que les fichiers CSV.",
        ("Le service ne fonctionne plus depuis lundi.",),
        ("Le service fonctionne depuis lundi.", "L'envoi accepte les fichiers CSV."),
    ),
)
