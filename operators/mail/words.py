"""The words that mail programs and helpdesks put around other people's text, by language.

They are collected from the programs' own translations: Outlook on the desktop and the web, Gmail, Apple Mail,
Thunderbird, Yahoo, Lotus Notes and Zimbra.
"""

from typing import Final, Literal

#: The headers that a program repeats above a quoted or forwarded mail.
Header = Literal["from", "sent", "to", "cc", "subject"]

#: The names of each header: English, German, French, Spanish, Italian, Portuguese, Dutch, Danish, Norwegian, Swedish,
#: Finnish, Polish, Czech, Slovak, Hungarian, Romanian, Turkish, Greek, Russian, Ukrainian, Bulgarian, Arabic, Hebrew,
#: Japanese, Chinese (simplified, traditional), Korean, Vietnamese, Thai, Indonesian.
HEADERS: Final[dict[Header, tuple[str, ...]]] = {
    "from": (
        "from", "von", "de", "da", "van", "fra", "från", "lähettäjä", "od", "feladó", "de la", "expeditor", "kimden",
        "gönderen", "από", "от", "от кого", "від", "від кого", "من", "מאת", "差出人", "送信者", "发件人", "寄件者",
        "寄件人", "보낸 사람", "보낸사람", "từ", "จาก", "dari", "remitente", "mittente", "expéditeur", "absender",
        "afzender", "avsändare", "reply-to",
    ),
    "sent": (
        "sent", "date", "sent at", "gesendet", "datum", "envoyé", "envoyé le", "date d'envoi", "enviado", "enviado el",
        "enviado em", "fecha", "inviato", "data", "verzonden", "sendt", "dato", "skickat", "lähetetty", "päivämäärä",
        "päiväys", "wysłano", "wysłane", "odesláno", "dátum", "odoslané", "elküldve", "küldve", "trimis", "gönderildi",
        "gönderme tarihi", "tarih", "στάλθηκε", "ημερομηνία", "отправлено", "дата", "надіслано", "изпратено",
        "تم الإرسال", "التاريخ", "נשלח", "תאריך", "送信日時", "送信日", "日付", "日時", "发送时间", "发送日期", "日期",
        "寄件日期", "傳送時間", "보낸 날짜", "날짜", "đã gửi", "ngày", "ส่ง", "วันที่", "dikirim", "tanggal",
    ),
    "to": (
        "to", "an", "à", "pour", "para", "a", "per", "aan", "til", "till", "vastaanottaja", "do", "komu", "címzett",
        "către", "catre", "kime", "alıcı", "προς", "кому", "до", "إلى", "אל", "宛先", "收件人", "收件者", "받는 사람",
        "받는사람", "đến", "tới", "ถึง", "kepada", "destinatario", "destinatário", "destinataire", "empfänger",
        "untuk", "към",
    ),
    "cc": (
        "cc", "bcc", "kopie", "kopi", "kopia", "kopio", "copie", "copia", "cópia", "dw", "kopie (cc)", "másolatot kap",
        "bilgi", "κοιν", "κοινοποίηση", "копия", "копія", "نسخة", "עותק", "抄送", "副本", "참조", "สำเนา", "สำเนาถึง",
        "importance", "attachments", "anlagen", "pièces jointes",
    ),
    "subject": (
        "subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp", "emne", "ämne", "aihe", "temat",
        "předmět", "predmet", "tárgy", "subiect", "konu", "θέμα", "тема", "الموضوع", "נושא", "件名", "主题", "主旨",
        "主題", "제목", "chủ đề", "tiêu đề", "เรื่อง", "หัวเรื่อง", "perihal", "subjek", "относно",
    ),
}  # fmt: skip

#: Verbs of an attribution line ("On Monday, X wrote:"), which stand at its end or before the writer's name.
WROTE: Final = (
    "wrote", "writes", "schrieb", "schreibt", "geschrieben", "a écrit", "écrit", "escribió", "escribio", "escrito",
    "ha scritto", "scritto", "schreef", "geschreven", "het volgende geschreven", "escreveu", "skrev", "følgende",
    "skrifaði", "kirjoitti", "napisał", "napisała", "napisał(a)", "pisze", "napsal", "napsala", "napsal(a)", "napísal",
    "napísal(a)", "írta", "ezt írta", "a scris", "yazdı", "şunu yazdı", "şöyle yazdı", "έγραψε", "пишет", "писал",
    "написал", "написала", "написал(а)", "пише", "написав", "написав(ла)", "написа", "كتب", "كتب/كتبت", "כתב",
    "כתב/ה", "כתבה", "のメール", "は書きました", "さんは書きました", "wrote on", "写道", "写道：", "來信", "寫道", "작성",
    "님이 작성", "đã viết", "เขียนว่า", "เขียน", "menulis", "va escriure", "escriu", "schrieben",
)  # fmt: skip

#: A line before a forwarded mail, which the author passes on.
FORWARDED: Final = (
    "forwarded message", "begin forwarded message", "begin forwarded", "start of forwarded message", "forwarded by",
    "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail",
    "weitergeleitet von", "message transféré", "début du message transféré", "début du message réexpédié",
    "mensaje reenviado", "inicio del mensaje reenviado", "forwarded conversation", "messaggio inoltrato",
    "inizio messaggio inoltrato", "inizio del messaggio inoltrato", "mensagem encaminhada",
    "início da mensagem encaminhada", "início da mensagem reencaminhada", "mensagem reencaminhada",
    "doorgestuurd bericht", "begin doorgestuurd bericht", "videresendt meddelelse", "start på videresendt besked",
    "begynnelse på videresendt melding", "videresendt melding", "vidarebefordrat meddelande",
    "vidarebefordrat brev", "början på vidarebefordrat brev", "välitetty viesti", "välitetty viesti alkaa",
    "edelleenlähetetty viesti", "wiadomość przekazana dalej", "przekazana wiadomość", "przesłana wiadomość",
    "początek przekazanej wiadomości", "przeposlaná zpráva", "přeposlaná zpráva", "začátek přeposlané zprávy",
    "preposlaná správa", "továbbított üzenet", "továbbított levél kezdete", "mesaj redirecționat", "mesaj redirectionat",
    "iletilmiş mesaj", "iletilen mesaj", "iletilmiş ileti", "yönlendirilen mesaj", "προωθημένο μήνυμα",
    "πρωθημένο μήνυμα", "пересылаемое сообщение", "пересланное сообщение", "начало переадресованного сообщения",
    "переслане повідомлення", "переадресоване повідомлення", "препратено съобщение", "رسالة محولة",
    "رسالة مُعاد توجيهها", "بداية الرسالة المعاد توجيهها", "הודעה שהועברה", "転送メッセージ", "転送されたメッセージ",
    "转发的邮件", "转发邮件", "轉寄的郵件", "轉寄郵件", "已轉寄的郵件", "전달된 메일", "전달된 메시지", "thư được chuyển tiếp",
    "chuyển tiếp", "ข้อความที่ส่งต่อ", "pesan terusan", "pesan yang diteruskan", "missatge reenviat",
)  # fmt: skip

#: A line before history, to which the author replies.
ORIGINAL: Final = (
    "original message", "original appointment", "ursprüngliche nachricht", "originalnachricht", "message d'origine",
    "message original", "message initial", "mensaje original", "messaggio originale", "mensagem original",
    "oorspronkelijk bericht", "origineel bericht", "oprindelig meddelelse", "opprinnelig melding",
    "ursprungligt meddelande", "originalmeddelande", "ursprungsmeddelande", "alkuperäinen viesti",
    "wiadomość oryginalna", "oryginalna wiadomość", "původní zpráva", "pôvodná správa", "eredeti üzenet",
    "mesajul original", "mesaj original", "özgün ileti", "orijinal mesaj", "asıl ileti", "αρχικό μήνυμα",
    "исходное сообщение", "оригинальное сообщение", "вихідне повідомлення", "оригінальне повідомлення",
    "оригинално съобщение", "الرسالة الأصلية", "הודעה מקורית", "元のメッセージ", "original 邮件", "原始邮件", "原邮件",
    "原始郵件", "원본 메시지", "원본 메일", "thư gốc", "tin nhắn gốc", "ข้อความเดิม", "ข้อความต้นฉบับ", "pesan asli",
)  # fmt: skip

#: Phrases of a helpdesk's "reply above this line", below which is the helpdesk's own mail.
REPLY_ABOVE: Final = (
    "reply above this line", "type your reply above", "write your reply above", "please reply above", "reply above line",
    "do not write below this line", "don't write below this line", "add your reply above",
    "antworten sie oberhalb dieser linie", "antwort oberhalb dieser", "oberhalb dieser zeile", "über dieser linie",
    "bitte antworten sie über", "oberhalb dieser linie", "répondre au-dessus de cette ligne", "au-dessus de cette ligne",
    "répondez au-dessus", "responda por encima de esta línea", "por encima de esta línea",
    "escriba su respuesta por encima", "rispondere sopra questa riga", "sopra questa riga", "sopra questa linea",
    "responda acima desta linha", "acima desta linha", "antwoord boven deze lijn", "boven deze regel", "boven deze lijn",
    "svar over denne linje", "over denne linje", "over denne linjen", "svara ovanför den här raden",
    "ovanför den här raden", "ovanför denna rad", "vastaa tämän rivin yläpuolelle", "tämän rivin yläpuolelle",
    "odpowiedz powyżej tej linii", "powyżej tej linii", "odpovězte nad tento řádek", "nad tento řádek",
    "nad tuto čáru", "e vonal fölé", "bu satırın üstüne", "bu satırın üzerine", "пишите выше этой строки",
    "выше этой строки", "выше этой линии", "вище цієї лінії", "この行より上に", "この線より上に", "请在此行上方回复",
    "在此行上方", "请在此线以上", "請在此行上方", "이 줄 위에",
)  # fmt: skip

#: Lines that mobile and other programs add by themselves: `sent from my` and the like before a device.
SENT_FROM: Final = (
    "sent from my", "sent from", "sent via", "sent using", "sent with", "get outlook for", "von meinem", "von meiner",
    "gesendet von", "gesendet von meinem", "gesendet mit", "gesendet mit der", "holen sie sich outlook für",
    "outlook für", "envoyé de mon", "envoyé depuis mon", "envoyé à partir de", "envoyé depuis", "envoyé de",
    "télécharger outlook pour", "obtenez outlook pour", "enviado desde mi", "enviado desde", "enviado de mi",
    "obtener outlook para", "inviato da", "inviato dal mio", "inviato da mio", "scarica outlook per",
    "ottieni outlook per", "enviado do meu", "enviado a partir do meu", "enviado do", "obter o outlook para",
    "verzonden vanaf mijn", "verstuurd vanaf mijn", "verzonden vanaf", "verstuurd vanaf", "outlook voor",
    "sendt fra min", "sendt fra mit", "sendt fra", "hent outlook til", "skickat från min", "skickat från",
    "hämta outlook för", "lähetetty", "hanki outlook", "wysłane z", "wysłano z", "pobierz outlook", "odesláno z",
    "odesláno ze", "odoslané z", "küldve az", "trimis de pe", "gönderildi", "στάλθηκε από το", "отправлено с",
    "отправлено из", "надіслано з", "изпратено от", "أُرسلت من", "أرسلت من", "نשלח מה", "נשלח מ", "から送信",
    "发自我的", "发自", "傳送自我的", "從我的", "에서 보냄", "được gửi từ", "ส่งจาก", "dikirim dari",
)  # fmt: skip

#: Devices and programs that such a line names.
DEVICES: Final = (
    "iphone", "ipad", "ipod", "ios", "android", "galaxy", "samsung", "pixel", "huawei", "xiaomi", "oneplus", "nokia",
    "blackberry", "windows phone", "windows mail", "mail for windows", "mail für windows", "mail pour windows",
    "correo para windows", "posta per windows", "windows 10", "windows 11", "outlook", "yahoo", "gmail", "proton",
    "thunderbird", "mobile", "mobil", "smartphone", "handy", "handset", "telephone", "telefon", "téléphone", "teléfono",
    "telefono", "telefone", "telefoon", "phone", "tablet", "device", "gerät", "appareil", "dispositivo", "toestel",
    "apparaat", "puhelime", "telefonu", "aol", "gmx", "web.de", "mail app", "mail-app", "spark", "mailbird", "手机",
    "手機", "айфон", "телефон", "smartfon", "mobiltelefon", "mobiel",
)  # fmt: skip
