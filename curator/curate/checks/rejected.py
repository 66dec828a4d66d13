"""Why a line cannot get in: the rule it breaks and a sentence a person can act on."""

import re
from typing import Final

from curator.curate.checks.shape import way_to_messages
from curator.dataset.conversation import kind_of
from curator.dataset.json_values import BadJson, Json, loads
from curator.dataset.rule import load_rules

_NOT_JSON: Final = re.compile(r"(NaN|-?Infinity) is not JSON")
_PYTHON_WORD: Final = re.compile(r"(?:None|True|False)\b")
_CUT_OFF: Final = b"\xed\xbf\xbf"
"""As formats.opening marks a character of UTF-16 or UTF-32 that the end of the file cuts in two."""
_CONTROL_NAMES: Final = {"\t": "a TAB", "\r": "a carriage return", "\n": "a line break"}


def explain_rejected(line: bytes) -> tuple[str, str]:
    """Return the rule a line breaks and the reason; both empty where it is a line that gets in."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return _explain("F05", byte=error.start + 1, guess=_encoding_guess(line, error))
    stripped = text.strip()
    try:
        value = loads(stripped)
    except BadJson as error:
        constant = _NOT_JSON.match(error.reason)
        if constant:
            return _explain("F09", value=constant[1])
        return _explain("F01", reason=_reason(stripped, error))
    return _explain_value(value)


def _explain(rule_id: str, **values: object) -> tuple[str, str]:
    return rule_id, load_rules()[rule_id].sentence(**values)


def _explain_value(value: Json) -> tuple[str, str]:
    if not isinstance(value, dict):
        way_out = "Put it into an object."
        if isinstance(value, list):
            is_messages = all(isinstance(m, dict) and "role" in m for m in value)
            way_out = 'Write it as {"messages": [...]}.' if value and is_messages else way_out
        return _explain("F02", kind=kind_of(value), way_out=way_out)
    messages = value.get("messages")
    if not isinstance(messages, list):
        return _explain("S01", way_out=way_to_messages(value))
    return ("", "") if messages else _explain("S02")


def _encoding_guess(line: bytes, error: UnicodeDecodeError) -> str:
    """Say in words what the bytes look like."""
    if error.end >= len(line) and error.reason == "unexpected end of data":
        return "the line ends in the middle of a character"
    if line.count(0) * 3 > len(line):
        return "it looks like UTF-16"
    first, second = line[error.start], line[error.start + 1 : error.start + 2]
    if line[error.start : error.start + 3] == _CUT_OFF:
        return "the file was cut off in the middle of a character"
    if first == 0xED:
        return "half of a pair written as a character of its own"
    never = first in (0xC0, 0xC1) or first >= 0xF5
    if (never and second >= b"\x80") or (first == 0xF4 and b"\x90" <= second < b"\xc0"):
        return "bytes that UTF-8 never has"
    return "it looks like Latin-1 or Windows-1252"


def _reason(text: str, error: BadJson) -> str:
    """Say in words what is wrong with a text that is no JSON, and how to fix it."""
    if text.startswith("\ufeff"):
        return "a byte-order mark (U+FEFF) stands before the first brace. Delete it."
    if not text.strip("\x00"):
        return "it is nothing but NUL bytes, as after a crash while writing. Delete the line."
    if "nested too deeply" in error.reason:
        return "it is nested too deeply for any reader. Write it flatter."
    if error.column is None:
        return f"{error.reason}. Correct it."
    at = error.column - 1
    explained = _python(text, at) or next(
        filter(None, (explain(text, at, error.reason) for explain in _EXPLAIN)), ""
    )
    return explained or f"{_lower(error.reason)} (column {error.column}). Correct it there."


def _python(text: str, at: int) -> str:
    if text[at : at + 1] == "'":
        return f"single quotes (column {at + 1}), as Python prints them. Write double quotes."
    if _PYTHON_WORD.match(text, at):
        return f"a Python word (column {at + 1}). Write null, true or false."
    if text.startswith(("//", "/*", "#"), at):
        return f"a comment (column {at + 1}). JSON has none; delete it."
    return ""


def _cut_off(text: str, at: int, reason: str) -> str:
    if at >= len(text.rstrip()) or reason.startswith("Unterminated string"):
        return f"it ends in the middle (after column {len(text)}). The line was cut off; complete it from the original."
    return ""


def _several_values(text: str, at: int, reason: str) -> str:
    if reason != "Extra data":
        return ""
    if text[at] in "{[":
        return f"a second value starts at column {at + 1}. Put each object on its own line."
    return f"something stands after the end of the object (column {at + 1}). Look whether it belongs to another line."


def _comma(text: str, at: int, reason: str) -> str:
    before = text[:at].rstrip()
    if text[at : at + 1] in ("}", "]") and before.endswith(","):
        return f"a comma stands before {text[at]} (column {len(before)}). Delete the comma."
    if reason == "Illegal trailing comma before end of object" or reason.endswith("end of array"):
        return f"a comma stands before the end (column {at + 1}). Delete the comma."
    if reason.startswith("Expecting ','"):
        return f"a comma is missing before column {at + 1}, or a quote inside a text is not escaped. Correct it."
    return ""


def _character(text: str, at: int, reason: str) -> str:
    if reason.startswith("Invalid control character"):
        character = text[at : at + 1]
        name = _CONTROL_NAMES.get(character, f"the control character U+{ord(character or ' '):04X}")
        return f"{name} inside a text (column {at + 1}). Write it as an escape."
    if reason.startswith("Invalid \\"):
        return f"an escape that JSON does not know (column {at + 1}). Write the backslash twice."
    return ""


def _lower(reason: str) -> str:
    return reason[:1].lower() + reason[1:]


_EXPLAIN: Final = (_cut_off, _several_values, _comma, _character)
