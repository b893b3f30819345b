"""Claims that judge the check: the lexicon and the rules were not developed on them."""

from typing import Final

#: Resolution, claims that it supports in a language model's words, and claims that it doesn't.
UNSEEN: Final = (
    (
        (
            "Your browser still sends the old password. Delete the saved entry for auth04.acme.example and "
            "sign in again; "
            "KB-7711 shows where it is."
        ),
        (
            "The browser still sends the old password.",
            "The old password is still being sent by the browser.",
            "Delete the saved entry for auth04.acme.example and sign in again.",
            "Remove the saved entry for auth04.acme.example and log in again.",
            "KB-7711 shows where the saved entry is.",
        ),
        (
            "Your browser still sends the new password.",
            "Your browser no longer sends the old password.",
            "Delete the saved entry for auth04.acme.example and restart the browser.",
            "Delete your account for auth04.acme.example and sign in again.",
            "KB-7717 shows where it is.",
        ),
    ),
    (
        (
            "Somebody used a leaked password. I ended all sessions on app02.acme.example and locked the "
            "password; set a new "
            "one and turn on the second factor as in KB-1204."
        ),
        (
            "Somebody used a leaked password.",
            "All sessions on app02.acme.example were ended and the password was locked.",
            "Set a new password and enable the second factor as in KB-1204.",
            "A leaked password was used by somebody.",
        ),
        (
            "Nobody used a leaked password.",
            "Somebody used a guessed password.",
            "I ended all sessions on app02.acme.example and unlocked the password.",
            "Set a new one and turn off the second factor as in KB-1204.",
            "I ended two sessions on app02.acme.example and locked the password.",
        ),
    ),
    (
        (
            "The erasure runs as ERR-4410 and ends within 30 days. Invoices stay as the law demands; "
            "KB-2290 lists what is "
            "kept."
        ),
        (
            "The erasure runs as ERR-4410 and is complete within 30 days.",
            "Invoices are kept as the law demands.",
            "See KB-2290 for a list of what is kept.",
            "The erasure ends within 30 days.",
        ),
        (
            "The erasure runs as ERR-4410 and ends within 30 hours.",
            "Invoices are erased as the law demands.",
            "The erasure ends after 30 days.",
            "Contracts stay as the law demands.",
        ),
    ),
    (
        (
            "Your directory overwrites the role every minute. Change it there, or turn off role sync for "
            "hub03.acme.example "
            "as in KB-3301."
        ),
        (
            "The directory overwrites the role every minute.",
            "Change it there, or turn off role sync for hub03.acme.example as described in KB-3301.",
            "Change the role there, or disable role sync for hub03.acme.example as in KB-3301.",
        ),
        (
            "The directory overwrites the role every hour.",
            "Change it there and turn off role sync for hub03.acme.example as in KB-3301.",
            "Change it there, or turn on role sync for hub03.acme.example as in KB-3301.",
            "The role overwrites the directory every minute.",
        ),
    ),
    (
        "Amber means safe mode after an update. Hold the side button for 20 seconds, then install 14.2.0 with KB-5512.",
        (
            "Amber means safe mode after an update.",
            "Hold the side button for 20 seconds and then install 14.2.0 with KB-5512.",
            "Press the side button for 20 seconds, then install 14.2.0.",
            "An amber light means that the device is in safe mode after an update.",
        ),
        (
            "Red means safe mode after an update.",
            "Amber means safe mode before an update.",
            "Hold the power button for 20 seconds, then install 14.2.0 with KB-5512.",
            "Hold the side button for 20 minutes, then install 14.2.0 with KB-5512.",
            "Install 14.2.0 with KB-5512, and hold the side button for 20 seconds after each update.",
        ),
    ),
    (
        (
            "An empty list of tags breaks 9.4.1 (ERR-8213). Leave the field out for now; 13.6.2 on "
            "api05.acme.example fixes "
            "it."
        ),
        (
            "An empty list of tags breaks 9.4.1 with ERR-8213.",
            "Leave the field out for now.",
            "13.6.2 on api05.acme.example fixes it.",
            "Version 13.6.2 on api05.acme.example resolves the problem.",
        ),
        (
            "A long list of tags breaks 9.4.1 (ERR-8213).",
            "An empty list of tags breaks 13.6.2.",
            "9.4.1 on api05.acme.example fixes it.",
            "Fill the field in for now.",
            "An empty list of users breaks 9.4.1 (ERR-8213).",
        ),
    ),
    (
        (
            "Attachments of over 1 GB stop the job (ERR-1290). Leave them out, or take them from "
            "files01.acme.example/files; "
            "13.1.4 splits them."
        ),
        (
            "Attachments of over 1 GB stop the job (ERR-1290).",
            "Leave them out, or take them from files01.acme.example/files.",
            "The job stops at attachments over 1 GB.",
        ),
        (
            "Attachments of under 1 GB stop the job (ERR-1290).",
            "Attachments of over 1 MB stop the job (ERR-1290).",
            "Attachments of over 1 GB start the job (ERR-1290).",
            "Take them from files01.acme.example/other.",
            "Attachments of over 10 GB stop the job.",
        ),
    ),
    (
        (
            "Your backup locks the workspace (ERR-7005). Move it to the night, or use the snapshot on "
            "data02.acme.example; "
            "KB-6170 has the call."
        ),
        (
            "The backup locks the workspace (ERR-7005).",
            "Move the backup to the night, or use the snapshot on data02.acme.example.",
            "The workspace is locked by the backup.",
        ),
        (
            "The workspace locks your backup (ERR-7005).",
            "Move it to the morning, or use the snapshot on data02.acme.example.",
            "Your backup unlocks the workspace (ERR-7005).",
            "Move the workspace to the night.",
            "Use the snapshot on data03.acme.example.",
        ),
    ),
)
