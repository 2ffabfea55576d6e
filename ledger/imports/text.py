"""Text from banks: decoded, cleaned of what is invisible or disguises, capped, and reduced to what identifies it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from charset_normalizer import from_bytes

from ledger.imports.statement import UnreadableFile

MERCHANT_LENGTH: Final = 80
MEMO_LENGTH: Final = 200
ID_LENGTH: Final = 128

_ARCHIVES: Final = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"%PDF": "a PDF document",
}
_BOMS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_GUESSED: Final = ["cp1252", "cp932", "cp1250", "cp1251", "gb18030", "big5", "euc_kr", "cp1253", "cp1254"]
_SAMPLE_BYTES: Final = 64 * 1024
_PLAIN = re.compile(r"[ -~]*")
_SPACE = re.compile(r"\s+")
_RAISED = re.compile(r"[^\W\d_][¹³¿¯]|\ufffd")
_FORMULA = ("'=", "'+", "'-", "'@")


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The file's text and the encoding it was in (given, or found from the bytes). Raises UnreadableFile for archives
    and what is no text."""
    for magic, name in _ARCHIVES.items():
        if data.startswith(magic):
            raise UnreadableFile(f"This is {name}; export the statement as CSV, OFX, QIF or CAMT.053 instead.")
    name = encoding or _encoding(data)
    try:
        text = data.decode(name)
    except (UnicodeError, LookupError):
        raise UnreadableFile(
            f"The file is not text in {name[:32]}; name its encoding in the mapping (“encoding”)."
        ) from None
    if "\x00" in text:
        raise UnreadableFile("The file contains NUL characters, so it is not a text file.")
    return text.removeprefix("\ufeff"), name


def _encoding(data: bytes) -> str:
    for mark, name in _BOMS.items():
        if data.startswith(mark):
            return name
    sample = data[:1024]
    if sample.count(0) * 3 > len(sample):
        return "utf-16-be" if sample[:1] == b"\x00" else "utf-16-le"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # Only lines with other letters than ASCII say anything about the encoding.
        telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE_BYTES]
        best = from_bytes(telling, cp_isolation=_GUESSED, language_threshold=0.0).best()
        found = best.encoding if best else "cp1252"
        return _latin(telling) if found in ("cp1250", "cp1252", "cp1254") else found
    return "utf-8"


def _latin(telling: bytes) -> str:
    """Western or, when raised figures would stand within words, Eastern European: their other letters mostly agree."""
    western = telling.decode("cp1252", "replace")
    return "cp1250" if _RAISED.search(western) else "cp1252"


def clean(text: str, limit: int) -> str:
    """One line of text without control, bidi, zero-width and private characters, composed (NFC), single spaces, at
    most `limit` characters. An apostrophe that guards a spreadsheet against a formula is taken off."""
    if not _PLAIN.fullmatch(text):
        text = "".join(_visible(c) for c in unicodedata.normalize("NFC", text[: 4 * limit]))
    text = _SPACE.sub(" ", text).strip()
    return (text[1:] if text.startswith(_FORMULA) else text)[:limit].rstrip()


def _visible(character: str) -> str:
    match unicodedata.category(character):
        case "Cf" | "Cs" | "Co" | "Cn":
            return ""
        case "Cc" | "Zl" | "Zp":
            return " "
        case _:
            return character


def identity(*texts: str) -> str:
    """The letters and digits of the texts, without case, width and accents of form: what stays the same when a bank
    prints the same posting again."""
    joined = unicodedata.normalize("NFKC", " ".join(texts)).casefold()
    return " ".join(re.findall(r"\w+", joined))
