"""Reading a table that somebody uploads: its encoding, its delimiter, its rows; every trouble is said with its place."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from datetime import date, datetime

import charset_normalizer
from django.utils.translation import gettext as _
from openpyxl import load_workbook

from portal.errors import Refused

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 20_000
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Table:
    """Column names and rows of text. `broken` holds rows whose number of cells doesn't fit: (row number, words)."""

    columns: list[str]
    rows: list[list[str]]
    encoding: str
    delimiter: str
    broken: list[tuple[int, str]]


def read_table(name: str, content: bytes) -> Table:
    """Read a CSV or XLSX file. Raises Refused, saying where and what to do, for anything that isn't a table."""
    if not content.strip():
        raise Refused(_("“%(name)s” is empty.") % {"name": name})
    if len(content) > MAX_BYTES:
        raise Refused(_("“%(name)s” is larger than 20 MB. Split it into several files.") % {"name": name})
    if content.startswith(b"PK\x03\x04"):
        return _read_xlsx(name, content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused(_("“%(name)s” is an old Excel file (.xls). Save it as .xlsx or CSV.") % {"name": name})
    text, encoding = decode(name, content)
    return _read_csv(name, text, encoding)


def decode(name: str, content: bytes) -> tuple[str, str]:
    """Bytes to text: by byte order mark, as UTF-8, else by the likeliest legacy encoding. Raises Refused where nothing fits."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise Refused(
                    _("“%(name)s” says that it is %(encoding)s, but byte %(byte)d isn't. Save it again as UTF-8.")
                    % {"name": name, "encoding": encoding, "byte": error.start}
                ) from None
    try:
        return _text(name, content.decode("utf-8")), "utf-8"
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(content[:200_000]).best()
        if best is None or best.encoding == "ascii":
            raise Refused(_("“%(name)s” isn't text in any encoding we know. Save it as CSV in UTF-8.") % {"name": name}) from None
        try:
            return _text(name, content.decode(best.encoding)), best.encoding
        except UnicodeDecodeError as error:
            raise Refused(
                _("“%(name)s” looks like %(encoding)s, but byte %(byte)d isn't. Save it as UTF-8.")
                % {"name": name, "encoding": best.encoding, "byte": error.start}
            ) from None


def _text(name: str, text: str) -> str:
    if "\x00" in text:
        raise Refused(_("“%(name)s” holds zero bytes: it isn't a CSV file. Save the table as CSV in UTF-8.") % {"name": name})
    return text


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first lines into the most columns of equal number."""
    sample = "\n".join(text.splitlines()[:20])

    def quality(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if row]
        except csv.Error:
            return (0, 0)
        return (sum(w == widths[0] for w in widths) if widths and widths[0] > 1 else 0, widths[0] if widths else 0)

    return max(DELIMITERS, key=quality)


def _read_csv(name: str, text: str, encoding: str) -> Table:
    delimiter = _delimiter(text)
    csv.field_size_limit(MAX_CELL * 4)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num, cells))
            if len(lines) > MAX_ROWS + 1:
                raise Refused(_("“%(name)s” has more than 200,000 rows. Split it into several files.") % {"name": name})
    except csv.Error as error:
        raise Refused(
            _("“%(name)s”, line %(line)d, can't be read as CSV: %(why)s. A quotation mark is probably left open there.")
            % {"name": name, "line": reader.line_num, "why": error}
        ) from None
    return _table(name, lines, encoding, delimiter)


def _read_xlsx(name: str, content: bytes) -> Table:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > 20 * MAX_BYTES:
                raise Refused(_("“%(name)s” unpacks to more than we take. Split it into several files.") % {"name": name})
        sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        lines = []
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            cells = [_cell(value) for value in row]
            if any(cells):
                lines.append((number, cells))
            if len(lines) > MAX_ROWS + 1:
                raise Refused(_("“%(name)s” has more than 200,000 rows. Split it into several files.") % {"name": name})
    except Refused:
        raise
    except Exception as error:  # openpyxl raises whatever its parts raise for a damaged file
        raise Refused(_("“%(name)s” can't be read as an Excel file: %(why)s.") % {"name": name, "why": type(error).__name__}) from None
    return _table(name, lines, "xlsx", "")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _table(name: str, lines: list[tuple[int, list[str]]], encoding: str, delimiter: str) -> Table:
    if not lines:
        raise Refused(_("“%(name)s” has no rows.") % {"name": name})
    columns = [cell.strip() for cell in lines[0][1]]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise Refused(_("“%(name)s” has more than 200 columns.") % {"name": name})
    blank = next((i for i, column in enumerate(columns, 1) if not column), None)
    if blank:
        raise Refused(_("“%(name)s”, line 1: column %(n)d has no name.") % {"name": name, "n": blank})
    twice = next((c for c in columns if columns.count(c) > 1), None)
    if twice:
        raise Refused(_("“%(name)s”, line 1: two columns are called “%(column)s”.") % {"name": name, "column": twice})
    if len(lines) == 1:
        raise Refused(_("“%(name)s” has column names but no rows under them.") % {"name": name})
    rows, broken = [], []
    for line, cells in lines[1:]:
        cells = [cell.strip()[:MAX_CELL] for cell in cells]
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        if len(cells) > len(columns):
            words = _("%(n)d cells where %(m)d are expected; is a delimiter unquoted?") % {"n": len(cells), "m": len(columns)}
            broken.append((line, words))
        rows.append([str(line), *(cells + [""] * len(columns))[: len(columns)]])
    return Table(columns, rows, encoding, delimiter, broken)
