"""Words that say what the number behind them is, in the languages that customers write in."""

from typing import Final, Literal

Label = Literal["phone", "mine", "card", "order", "id", "filler", "unknown"]

LABELS: Final[dict[Label, str]] = {
    "phone": """
    phone phones telephone tel tele ph mob mobile mobil cell cellphone fax whatsapp telegram viber sms cel fon
    landline hotline voicemail call callback calling ring text dial dialed rufen anrufen anruf handy mobiltelefon
    festnetz telefon telefonisch durchwahl rufnummer erreichbar erreichen appelez appeler rappeler rappelez joindre
    joignable tél téléphone portable fixe llámame llamar llame llámeme teléfono tlf tfno móvil celular chiamare
    chiamatemi chiamami cellulare telefono recapito bel bellen telefoon mobiel gsm ligue ligar liga telefone
    telemóvel telefoni zadzwoń dzwonić komórka telefonu telefonnummer ringa mobilnummer puhelin puh soita
    matkapuhelin zavolejte volejte hívjon hivjon telefonszám mobilszam cep telefonum numaram arayın arayınız
    sunatși sunați τηλ τηλέφωνο κινητό тел телефон телефону моб мобильный звоните позвоните перезвоните звонить
    наберите дзвоніть зателефонуйте טל טלפון נייד לטלפון هاتف هاتفي جوال جوالي موبايل اتصل الاتصال الهاتف تلفن
    موبایل تماس फोन फ़ोन मोबाइल कॉल ốđt sđt đt gọi telp telpon hp hubungi ☎ ☏ ✆ 📞 📱 📲 reach contact contacter
    contatto kontakt kontaktiere kontaktieren
    """,
    # With one of these, the word "number" means a telephone.
    "mine": """
    my mine our meine mein meiner unsere mon ma notre mi mis nuestro mio nostro mijn ons meu minha nosso min mitt
    mój moje můj muj мой моє мій наш μου שלי رقمي मेरा benim
    """,
    "card": """
    card cards cardnumber creditcard debitcard visa mastercard maestro amex discover diners jcb unionpay pan cc
    kreditkarte karte kartennummer kartennr carte cb bancaire tarjeta carta cartão cartao creditcardnummer kaart
    kort kortet karta karty карта карты карту картой карти κάρτα κάρτας כרטיס بطاقة بطاقتي کارت कार्ड kart kartım
    kartı kortti thẻ kartu
    """,
    "order": """
    order orders ordernumber orderid ref refs reference referenz réf référence referencia riferimento referentie
    case cases ticket tickets incident invoice invoices tracking parcel package shipment shipping consignment
    waybill awb booking reservation confirmation serial sn imei iccid meid udid model part parts sku item items
    article artikel artikelnummer artnr bestellung bestellnummer bestellnr bestell auftrag auftragsnummer
    auftragsnr rechnung rechnungsnummer rechnungsnr kunde kunden kundennummer kundennr sendung sendungsnummer
    vorgang vorgangsnummer lieferschein lieferscheinnummer aktenzeichen az seriennummer vertragsnummer vertrag
    commande facture colis suivi dossier expédition client pedido factura envío seguimiento guia guía caso ordine
    fattura spedizione pratica tracciamento bestelling bestelnummer factuur zending pakket encomenda fatura
    rastreio rastreamento zamówienie zamówienia faktura faktury przesyłka paczka beställning ordrenummer ordre
    fakturanummer objednávka objednávky rendelés sipariş tilaus tilausnumero comanda заказ заказа замовлення счет
    счёт накладная заявка трек параггелία παραγγελία παραγγελίας הזמנה طلب طلبي الطلب فاتورة سفارش ऑर्डर आदेश đơn
    hàng pesanan guid uuid isbn issn ean upc gtin vin po rma transaction txn transaktion contract policy
    lot batch charge job build commit revision issue bug pr epoch timestamp ts
    offset size bytes row rows record port pid thread # №
    """,
    # Names a number of any kind, a person's or a thing's.
    "id": """
    id ids uid user member customer account konto
    """,
    "filler": """
    n mig meg minua mě moi ons para pelo até til till do ke số vanaf
    number numbers no nr num nummer nos numéro número numero numer numeru число номер is ist est es è é jest är er
    on je are was the a an at to of under for me us him her them back please pls now anytime today tomorrow
    directly it and or unter bitte auf den die das der dem mich uns zurück au sur le la les moi nous ici al en el å
    på na pod op naar via using with com work home office private privat geschäftlich dienstlich bureau oficina
    casa ufficio new old neue current main primary alternative other second im you can tell give here this that по
    на мне й στο הוא على رقم شماره है नंबर पर số là day evening
    """,
}

#: Labels of scripts that leave no space between words.
UNSPACED: Final[dict[Label, str]] = {
    "phone": """
    电话 電話 手机 手機 拨打 撥打 致电 联系我 聯絡 联系方式 號碼是 号码是
    微信 携帯 ケータイ 전화 휴대폰 핸드폰 연락처 연락
    โทร โทรศัพท์ เบอร์ มือถือ ទូរស័ព្ទ
    """,
    "card": "卡号 卡號 信用卡 银行卡 銀行卡 カード 카드 บัตร",
    "order": """
    订单 訂單 单号 單號 编号 編號 快递 运单 運單 物流 发票 發票 案件 工单 工單 版本 序列号 注文 伝票 追跡 問い合わせ番号
    管理番号 受付番号 주문 송장 운송장 예약 คำสั่งซื้อ ออเดอร์ พัสดุ ใบแจ้งหนี้
    """,
}
#: Beginnings and ends of compound words, such as Rückrufnummer and customerPhone.
STARTS: Final[dict[Label, str]] = {
    "phone": """
    phone telefon téléphon telefoon handynum mobilnum rückruf faxnum телефон мобильн τηλεφ mobilephone rufnum callback
    """,
    "card": "kreditkart creditcard cardnum kartennum cardno",
    "order": """
    bestell auftrag rechnung sendung kundenn order invoice tracking заказ serial serien artikel faktur liefer
    """,
}
ENDS: Final[dict[Label, str]] = {
    "phone": "phone telefon mobile telefoonnummer rufnummer handynummer",
    "card": "creditcard kreditkarte",
    "order": "orderid bestellung rechnung",
}
