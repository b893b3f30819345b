"""The phrases of mail programs in each language, and sentences of customers and others."""

from typing import Final

from msgspec import Struct


class MailLanguage(Struct, frozen=True, kw_only=True):
    """The phrases of one language.

    Attributes:
        headers: Outlook's names of sender, time, recipient and subject.
        when: a date and a time of day, as programs write them there.
        gmail: Gmail's attribution; `{who}`, `{mail}` and `{when}` are filled in.
        apple: Apple Mail's attribution.
        forwarded: Gmail's and Zimbra's forward marker, without its hyphens.
        apple_forward: Apple Mail's line above a forwarded mail.
        original: Outlook's and Zimbra's marker of the mail that is answered.
        device: the line that a telephone adds.
        own: sentences of the customer's.
        other: sentences of somebody else's.
    """

    headers: tuple[str, str, str, str]
    when: str
    gmail: str
    apple: str
    forwarded: str
    apple_forward: str
    original: str
    device: str
    own: tuple[str, str]
    other: tuple[str, str]


LANGUAGES: Final[dict[str, MailLanguage]] = {
    "en": MailLanguage(
        headers=("From", "Sent", "To", "Subject"),
        when="Monday, January 5, 2026 9:12 AM",
        gmail="On Mon, 5 Jan 2026 at 09:12, {who} <{mail}> wrote:",
        apple="On Jan 5, 2026, at 9:12 AM, {who} <{mail}> wrote:",
        forwarded="Forwarded message",
        apple_forward="Begin forwarded message:",
        original="Original Message",
        device="Sent from my iPhone",
        own=("The export still stops at 40 percent.", "It happens on every machine: laptop and desktop."),
        other=("Please reinstall the driver and try again.", "Our team will look into it: ticket 4711."),
    ),
    "de": MailLanguage(
        headers=("Von", "Gesendet", "An", "Betreff"),
        when="Montag, 5. Januar 2026 09:12",
        gmail="Am Mo., 5. Jan. 2026 um 09:12 Uhr schrieb {who} <{mail}>:",
        apple="Am 05.01.2026 um 09:12 schrieb {who} <{mail}>:",
        forwarded="Weitergeleitete Nachricht",
        apple_forward="Anfang der weitergeleiteten Nachricht:",
        original="Ursprüngliche Nachricht",
        device="Von meinem iPhone gesendet",
        own=("Der Export bricht immer noch bei 40 Prozent ab.", "Das passiert auf jedem Rechner: Laptop und PC."),
        other=("Bitte installieren Sie den Treiber neu.", "Unser Team prüft das: Vorgang 4711."),
    ),
    "fr": MailLanguage(
        headers=("De", "Envoyé", "À", "Objet"),
        when="lundi 5 janvier 2026 09:12",
        gmail="Le lun. 5 janv. 2026 à 09:12, {who} <{mail}> a écrit :",
        apple="Le 5 janv. 2026 à 09:12, {who} <{mail}> a écrit :",
        forwarded="Message transféré",
        apple_forward="Début du message transféré :",
        original="Message d'origine",
        device="Envoyé de mon iPhone",
        own=("L'export s'arrête toujours à 40 pour cent.", "Cela arrive sur chaque machine : portable et fixe."),
        other=("Veuillez réinstaller le pilote.", "Notre équipe examine le dossier : 4711."),
    ),
    "es": MailLanguage(
        headers=("De", "Enviado el", "Para", "Asunto"),
        when="lunes, 5 de enero de 2026 9:12",
        gmail="El lun, 5 ene 2026 a las 9:12, {who} (<{mail}>) escribió:",
        apple="El 5 ene 2026, a las 9:12, {who} <{mail}> escribió:",
        forwarded="Mensaje reenviado",
        apple_forward="Inicio del mensaje reenviado:",
        original="Mensaje original",
        device="Enviado desde mi iPhone",
        own=("La exportación sigue parándose al 40 por ciento.", "Pasa en todos los equipos: portátil y sobremesa."),
        other=("Por favor, reinstale el controlador.", "Nuestro equipo lo revisa: caso 4711."),
    ),
    "it": MailLanguage(
        headers=("Da", "Inviato", "A", "Oggetto"),
        when="lunedì 5 gennaio 2026 09:12",
        gmail="Il giorno lun 5 gen 2026 alle ore 09:12 {who} <{mail}> ha scritto:",
        apple="Il giorno 5 gen 2026, alle ore 09:12, {who} <{mail}> ha scritto:",
        forwarded="Messaggio inoltrato",
        apple_forward="Inizio messaggio inoltrato:",
        original="Messaggio originale",
        device="Inviato da iPhone",
        own=("L'esportazione si ferma ancora al 40 per cento.", "Succede su ogni macchina: portatile e fisso."),
        other=("La preghiamo di reinstallare il driver.", "Il nostro team verifica: pratica 4711."),
    ),
    "pt": MailLanguage(
        headers=("De", "Enviado", "Para", "Assunto"),
        when="segunda-feira, 5 de janeiro de 2026 09:12",
        gmail="Em seg., 5 de jan. de 2026 às 09:12, {who} <{mail}> escreveu:",
        apple="Em 5 de jan. de 2026, à(s) 09:12, {who} <{mail}> escreveu:",
        forwarded="Mensagem encaminhada",
        apple_forward="Início da mensagem encaminhada:",
        original="Mensagem original",
        device="Enviado do meu iPhone",
        own=("A exportação ainda para nos 40 por cento.", "Acontece em todas as máquinas: portátil e fixa."),
        other=("Por favor, reinstale o controlador.", "A nossa equipa está a analisar: caso 4711."),
    ),
    "nl": MailLanguage(
        headers=("Van", "Verzonden", "Aan", "Onderwerp"),
        when="maandag 5 januari 2026 09:12",
        gmail="Op ma 5 jan 2026 om 09:12 schreef {who} <{mail}>:",
        apple="Op 5 jan 2026, om 09:12 heeft {who} <{mail}> het volgende geschreven:",
        forwarded="Doorgestuurd bericht",
        apple_forward="Begin doorgestuurd bericht:",
        original="Oorspronkelijk bericht",
        device="Verstuurd vanaf mijn iPhone",
        own=("De export stopt nog steeds bij 40 procent.", "Het gebeurt op elke machine: laptop en desktop."),
        other=("Installeer het stuurprogramma opnieuw.", "Ons team kijkt ernaar: zaak 4711."),
    ),
    "da": MailLanguage(
        headers=("Fra", "Sendt", "Til", "Emne"),
        when="5. januar 2026 09:12",
        gmail="Den man. 5. jan. 2026 kl. 09.12 skrev {who} <{mail}>:",
        apple="Den 5. jan. 2026 kl. 09.12 skrev {who} <{mail}>:",
        forwarded="Videresendt meddelelse",
        apple_forward="Start på videresendt besked:",
        original="Oprindelig meddelelse",
        device="Sendt fra min iPhone",
        own=("Eksporten stopper stadig ved 40 procent.", "Det sker på alle maskiner: bærbar og stationær."),
        other=("Geninstaller venligst driveren.", "Vores team ser på det: sag 4711."),
    ),
    "nb": MailLanguage(
        headers=("Fra", "Sendt", "Til", "Emne"),
        when="mandag 5. januar 2026 09:12",
        gmail="man. 5. jan. 2026 kl. 09:12 skrev {who} <{mail}>:",
        apple="5. jan. 2026 kl. 09:12 skrev {who} <{mail}>:",
        forwarded="Videresendt melding",
        apple_forward="Begynnelse på videresendt melding:",
        original="Opprinnelig melding",
        device="Sendt fra min iPhone",
        own=("Eksporten stopper fortsatt på 40 prosent.", "Det skjer på alle maskiner: bærbar og stasjonær."),
        other=("Installer driveren på nytt.", "Teamet vårt ser på det: sak 4711."),
    ),
    "sv": MailLanguage(
        headers=("Från", "Skickat", "Till", "Ämne"),
        when="den 5 januari 2026 09:12",
        gmail="Den mån 5 jan. 2026 kl 09:12 skrev {who} <{mail}>:",
        apple="5 jan. 2026 kl. 09:12 skrev {who} <{mail}>:",
        forwarded="Vidarebefordrat meddelande",
        apple_forward="Vidarebefordrat brev:",
        original="Ursprungligt meddelande",
        device="Skickat från min iPhone",
        own=("Exporten stannar fortfarande vid 40 procent.", "Det händer på alla datorer: bärbar och stationär."),
        other=("Installera om drivrutinen.", "Vårt team tittar på det: ärende 4711."),
    ),
    "fi": MailLanguage(
        headers=("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
        when="maanantai 5. tammikuuta 2026 9.12",
        gmail="ma 5. tammik. 2026 klo 9.12 {who} ({mail}) kirjoitti:",
        apple="{who} <{mail}> kirjoitti 5.1.2026 kello 9.12:",
        forwarded="Välitetty viesti",
        apple_forward="Välitetty viesti alkaa:",
        original="Alkuperäinen viesti",
        device="Lähetetty iPhonesta",
        own=("Vienti pysähtyy yhä 40 prosenttiin.", "Näin käy joka koneella: kannettava ja pöytäkone."),
        other=("Asenna ajuri uudelleen.", "Tiimimme tutkii asiaa: tapaus 4711."),
    ),
    "pl": MailLanguage(
        headers=("Od", "Wysłano", "Do", "Temat"),
        when="poniedziałek, 5 stycznia 2026 09:12",
        gmail="pon., 5 sty 2026 o 09:12 {who} <{mail}> napisał(a):",
        apple="Wiadomość napisana przez {who} <{mail}> w dniu 05.01.2026, o godz. 09:12, napisał(a):",
        forwarded="Wiadomość przekazana dalej",
        apple_forward="Początek przekazanej wiadomości:",
        original="Wiadomość oryginalna",
        device="Wysłane z iPhone'a",
        own=("Eksport nadal zatrzymuje się na 40 procentach.", "Dzieje się tak na każdym komputerze: laptop i PC."),
        other=("Proszę ponownie zainstalować sterownik.", "Nasz zespół to sprawdza: sprawa 4711."),
    ),
    "cs": MailLanguage(
        headers=("Od", "Odesláno", "Komu", "Předmět"),
        when="pondělí 5. ledna 2026 9:12",
        gmail="po 5. 1. 2026 v 9:12 odesílatel {who} <{mail}> napsal:",
        apple="5. 1. 2026 v 9:12, {who} <{mail}> napsal:",
        forwarded="Přeposlaná zpráva",
        apple_forward="Začátek přeposlané zprávy:",
        original="Původní zpráva",
        device="Odesláno z iPhonu",
        own=("Export se stále zastavuje na 40 procentech.", "Děje se to na každém počítači: notebook i stolní."),
        other=("Přeinstalujte prosím ovladač.", "Náš tým to prověřuje: případ 4711."),
    ),
    "hu": MailLanguage(
        headers=("Feladó", "Elküldve", "Címzett", "Tárgy"),
        when="2026. január 5., hétfő 9:12",
        gmail="{who} <{mail}> ezt írta (időpont: 2026. jan. 5., H, 9:12):",
        apple="2026. jan. 5. dátummal, 9:12 időpontban {who} <{mail}> írta:",
        forwarded="Továbbított üzenet",
        apple_forward="Továbbított levél kezdete:",
        original="Eredeti üzenet",
        device="Küldve az iPhone készülékemről",
        own=("Az exportálás továbbra is 40 százaléknál áll meg.", "Minden gépen előfordul: laptopon és asztali gépen."),
        other=("Kérjük, telepítse újra az illesztőprogramot.", "Csapatunk vizsgálja: 4711-es ügy."),
    ),
    "tr": MailLanguage(
        headers=("Kimden", "Gönderildi", "Kime", "Konu"),
        when="5 Ocak 2026 Pazartesi 09:12",
        gmail="{who} <{mail}>, 5 Oca 2026 Pzt, 09:12 tarihinde şunu yazdı:",
        apple="{who} <{mail}> şunları yazdı (5 Oca 2026 09:12):",
        forwarded="Yönlendirilen mesaj",
        apple_forward="İletilen mesaj:",
        original="Özgün İleti",
        device="iPhone'umdan gönderildi",
        own=("Dışa aktarma hâlâ yüzde 40'ta duruyor.", "Her makinede oluyor: dizüstü ve masaüstü."),
        other=("Lütfen sürücüyü yeniden yükleyin.", "Ekibimiz inceliyor: kayıt 4711."),
    ),
    "el": MailLanguage(
        headers=("Από", "Στάλθηκε", "Προς", "Θέμα"),
        when="Δευτέρα, 5 Ιανουαρίου 2026 9:12 πμ",
        gmail="Στις Δευ 5 Ιαν 2026 στις 9:12 π.μ., ο χρήστης {who} <{mail}> έγραψε:",
        apple="Στις 5 Ιαν 2026, 9:12 π.μ., ο/η {who} <{mail}> έγραψε:",
        forwarded="Προωθημένο μήνυμα",
        apple_forward="Προωθημένο μήνυμα:",
        original="Αρχικό μήνυμα",
        device="Στάλθηκε από το iPhone μου",
        own=("Η εξαγωγή σταματά ακόμα στο 40 τοις εκατό.", "Συμβαίνει σε κάθε υπολογιστή: φορητό και σταθερό."),
        other=("Παρακαλώ επανεγκαταστήστε το πρόγραμμα οδήγησης.", "Η ομάδα μας το εξετάζει: υπόθεση 4711."),
    ),
    "ru": MailLanguage(
        headers=("От", "Отправлено", "Кому", "Тема"),
        when="5 января 2026 г. 9:12",
        gmail="пн, 5 янв. 2026 г. в 09:12, {who} <{mail}>:",
        apple="5 янв. 2026 г., в 9:12, {who} <{mail}> написал(а):",
        forwarded="Пересылаемое сообщение",
        apple_forward="Начало переадресованного сообщения:",
        original="Исходное сообщение",
        device="Отправлено с iPhone",
        own=("Экспорт всё ещё останавливается на 40 процентах.", "Так на каждой машине: ноутбук и настольный."),
        other=("Пожалуйста, переустановите драйвер.", "Наша команда проверяет: дело 4711."),
    ),
    "uk": MailLanguage(
        headers=("Від", "Надіслано", "Кому", "Тема"),
        when="понеділок, 5 січня 2026 р. 9:12",
        gmail="пн, 5 січ. 2026 р. о 09:12 {who} <{mail}> пише:",
        apple="5 січ. 2026 р. о 9:12, {who} <{mail}> написав(ла):",
        forwarded="Переслане повідомлення",
        apple_forward="Переадресоване повідомлення:",
        original="Оригінальне повідомлення",
        device="Надіслано з iPhone",
        own=("Експорт досі зупиняється на 40 відсотках.", "Так на кожному комп'ютері: ноутбук і настільний."),
        other=("Будь ласка, перевстановіть драйвер.", "Наша команда перевіряє: справа 4711."),
    ),
    "ja": MailLanguage(
        headers=("差出人", "送信日時", "宛先", "件名"),
        when="2026年1月5日 9:12",
        gmail="2026年1月5日(月) 9:12 {who} <{mail}>:",
        apple="2026/01/05 9:12、{who} <{mail}>のメール:",
        forwarded="転送メッセージ",
        apple_forward="転送されたメッセージ:",
        original="元のメッセージ",
        device="iPhoneから送信",
        own=("書き出しはまだ40パーセントで止まります。", "どの機械でも起こります。ノートもデスクトップも。"),
        other=("ドライバーを再インストールしてください。", "担当者が確認しています。番号4711。"),
    ),
    "zh": MailLanguage(
        headers=("发件人", "发送时间", "收件人", "主题"),
        when="2026年1月5日 9:12",
        gmail="{who} <{mail}> 于2026年1月5日周一 09:12写道：",
        apple="在 2026年1月5日，09:12，{who} <{mail}> 写道：",
        forwarded="转发的邮件",
        apple_forward="转发的邮件：",
        original="原始邮件",
        device="发自我的iPhone",
        own=("导出仍然停在百分之四十。", "每台机器都这样，笔记本和台式机。"),
        other=("请重新安装驱动程序。", "我们的团队正在处理，编号4711。"),
    ),
    "ko": MailLanguage(
        headers=("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
        when="2026년 1월 5일 월요일 오전 9:12",
        gmail="2026년 1월 5일 (월) 오전 9:12, {who} <{mail}>님이 작성:",
        apple="2026. 1. 5. 오전 9:12, {who} <{mail}> 작성:",
        forwarded="전달된 메시지",
        apple_forward="전달된 메시지:",
        original="원본 메시지",
        device="나의 iPhone에서 보냄",
        own=("내보내기가 여전히 40퍼센트에서 멈춥니다.", "모든 컴퓨터에서 그렇습니다. 노트북과 데스크톱."),
        other=("드라이버를 다시 설치해 주세요.", "저희 팀이 확인 중입니다. 번호 4711."),
    ),
}
