"""Invalid and edge-case values: JSON literals, times, slow texts, and marks that must not leak."""

from typing import Final

#: Marks in texts and invalid values; no reason, log or metric may contain one.
MARKS: Final = ("Quetzalmark", "ada.lovelace@private.example", "4111 1111 1111 1111", "4111111111111111", "hunter2-Qx9")
#: The marks that redaction must remove from an accepted ticket.
SECRETS: Final = MARKS[1:]
_MARKED: Final = f"{MARKS[0]}, {MARKS[1]}, {MARKS[2]}; {MARKS[3]}, password: {MARKS[4]}"

#: Raw bytes, valid JSON or not.
LITERALS: Final[tuple[bytes, ...]] = (
    b"null", b"true", b"false", b"0", b"-0", b"1", b"-1", b"1.0", b"1.5", b"1e0", b"1E+2", b"-0.0", b"01", b"+1", b".5",
    b"1.", b"0x10", b"1_000", b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"nan", b"undefined", b"1e400", b"-1e400",
    b"1e-400", b"9007199254740990", b"9007199254740991", b"9007199254740992", b"9223372036854775807",
    b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", b"18446744073709551615",
    b"18446744073709551616", b"1" * 25, b"9" * 400, b"9" * 5_000, b"253402300799999", b"253402300800000", b"1704442353", b"99999999",
    b"100000000", b"99999999999", b"100000000000", b"1704442353000000", b"20240105", b"20241305", b"202401050812",
    b"20240105081233", b"20240105081299", b'""', b'"1"',
    b'" "', b'"acme"', b"[]", b"{}", b"[1]", b'{"a":1}', b"[[]]", b'["x","y"]', b"'single'", b'"open', b"tru", b"",
    b'"\\ud800"', b'"\\udc00"', b'"\\ud83d\\ude00"', b'"\\ude00\\ud83d"', b'"\\u12"', b'"\\x41"', b'"\\q"', b'"\\u0000"',
    b'"a\x00b"', b'"a\x01b"', b'"line\nbreak"', b'"tab\there"', b'"\x7f"', b'"\xc2\x85"', b'"\xff"', b'"\xc0\xaf"',
    b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82"', b'"\xef\xbb\xbf"', b'"\xe2\x80\xae"', b'"\xf0\x9f\x98\x80"',
    b"/* c */ 1", b"1 // c", b"[1,]", b'{"a":1,}', b"[" * 15 + b"]" * 15, b"[" * 40 + b"]" * 40, b"[" * 40,
    b'"' + _MARKED.encode() + b'"', b'"it\'s ' + _MARKED.encode() + b'"', b'{"' + _MARKED.encode() + b'":{}}',
    b'"`x` - at `$.' + _MARKED.encode() + b'`"', b'"' + b"x" * 64 + b'"', b'"' + b"x" * 65 + b'"', b'"' + b"x" * 129 + b'"',
    '"٣"'.encode(), b'"upsert"', b'"delete"', b'"Upsert"', b'"agent"', b'"2026-01-05T08:00:00Z"',
    b'[{"author":"agent","body":"x","created_at":0}]', b'[{"author":"it\'s ' + _MARKED.encode() + b'"}]',
    b'[{"author":"agent","body":"x","created_at":0,"public":1}]', b'[{"author":"agent","body":null,"created_at":0}]',
)  # fmt: skip

#: Times that RFC 3339 allows, and similar ones that it doesn't.
TIMES: Final = (
    "2026-01-05T08:00:00Z", "2026-01-05t08:00:00z", "2026-01-05 08:00:00Z", "2026-01-05T08:00:00+0100", "2026-01-05",
    "2026-01-05T08:00:00", "2026-02-29T08:00:00Z", "2028-02-29T08:00:00Z", "2026-13-01T08:00:00Z", "2026-00-10T08:00:00Z",
    "2026-01-05T24:00:00Z", "2026-01-05T08:60:00Z", "2026-06-30T23:59:60Z", "2026-01-05T08:00Z", "20260105T080000Z",
    "2026-W02-1T08:00:00Z", "2026-01-05T08:00:00+23:59", "2026-01-05T08:00:00+24:00", "2026-01-05T08:00:00+01:60",
    "2026-01-05T08:00:00-00:00", "2026-01-05T08:00:00+01", "2026-01-05T08:00:00.Z", "2026-01-05T08:00:00.1Z",
    "2026-01-05T08:00:00.123456789Z", "2026-01-05T08:00:00,5Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59Z",
    "١٢٣٤-01-05T08:00:00Z", "2026-01-05T08:00:00Z ", " 2026-01-05T08:00:00Z", "2026-01-05T08:00:00Z\\n", "", "now", "0",
    "-2026-01-05T08:00:00Z", "12026-01-05T08:00:00Z", "2026-1-5T8:0:0Z",
)  # fmt: skip

#: Short strings whose repetition is slow for backtracking patterns, parsers or tokenizers.
PIECES: Final = (
    "a", "9", "1 ", "1-", "1.", "0 1", "+1", "(0", "((((", "@", "a@", "a.", "a@b.", "a@b.c.", "%", "-", "--", "-- \n", ">",
    "> ", ">>\n", "\n", "\r", "\r\n\r\n", "\t", " ", "\u00a0", "\u200b", "\u200d", "\u202e", "\ufeff", "\u0301", "e\u0301",
    "😀", "👩‍👩‍👧", "ﷺ", "מ", "م\u200f", "٣", "１", "Ａ", "ß", "İ", "<", "<a", "<b>", "<div>", "</div>", "<div><p>", "<p ", "<!--", "<![CDATA[",
    "<script>", "<style>", "<table><tr><td>", "<a href='", "&amp;", "&#x41;", "&", "&lt;b&gt;", "<pre>\n", "<blockquote>",
    "<svg><desc>", "<select><option>", "<b><i>", "<font size=1>", "On Mon wrote: ", "On ", "On a\nwrote:\n", "From: x\n",
    "From: x\nSent: y\n", "Sent from my x\n", "wrote:", "le écrit ", "password", "password: ", "password is ", "token=", "?key=",
    "&key=", "http://a:", "://", "ftp://a:b", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "eyJ", "eyJabcdefgh.", "sk-", "sk-a", "xox", "AKIA",
    "ghp_", "_", "Bearer ", "bearer a", "DE89", "DE89 3704 ", "GB82 WEST ", "AA00", "5500 ", "5500-", "5500 0000 0000 0004 ",
    "123-45-", "123-45-6789 ", "ssn 123", "nhs ", "bsn 1", "tax id 1", "tel ", "tel 1 ", "phone number is 0", "01 23 45 ",
    "+49 30 ", "0049", "192.168.", "1.1.1.1.", "::", "1:", "a:b:", "fe80::", "abcdef:", "1A", "2000000 A", "X-1", "19000101-",
    "a\u0300\u0301\u0302", "\ud7ff", "\uffff", "\U0010ffff", "w" * 63 + " ", "x" * 1000 + " ", '"', "\\", "{", "[", "[CARD]", "[EMAIL",
    "ada at", "ada (at) b (dot) ", "ada[at]b[dot]", "a (at) ", "a.b-c_d+e%", "contraseña", "ist 1", "version 1.", "v1.2.3.4 ",
    "\n1", "(1", "1:2:", "0171 ", "01234 56789 ", "+1", "tel 030 ", "ip 1.2.3.4 ", "upgrade to 1.2.3.4 and ", "4111 ",
    "a at b.com ", "_at_", "x@y.com.", "x@y.Com", "%40", "a%40", "&#52;", "\\u0034", "\\n", "４", "4\u200b", "4\ufe0f\u20e3", "卡号4111",
    "api_key=", "DB_PASSWORD=", "password the a b c d ", "パスワードはa1b2", "secret</name> ", "basic YTpi ", "curl -u ", "mysql ",
    "/home/ab/", "C:\\Users\\ab", "RSSMRA85T10A562S", "passport 12345678 ", "👩\u200d", "م\u200c", "日\U000e0100", "\U000e0041",
)  # fmt: skip
