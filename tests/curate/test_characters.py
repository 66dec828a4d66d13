"""Characters that nobody sees, letters that were lost, and texts that were read in the wrong encoding."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.checks import check_conversation
from curator.curate.checks.invisible import INVISIBLE, is_blank, unseen, without_unseen
from curator.curate.checks.misread import misread, reread
from curator.curate.fixes.fixing import apply_fix
from curator.dataset import Conversation

# Texts as people write them in many languages, with characters that have work to do.
RIGHTFUL = [
    "می\u200cخواهم",
    "क्\u200dष",
    "👨\u200d👩\u200d👧",
    "❤️",
    "☺️",
    "1️⃣",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "🏳️\u200d🌈",
    "👩🏽\u200d💻",
    "שלום 123\u200f!",
    "العربية\u200e 5",
    "\u2067שלום\u2069 (x)",
    "葛󠄀",
    "ᠬᠠᠷ\u180eᠠ",
    "ที่\u200bนี่",
    "កម្ពុ\u200bជា",
    "©️ ™️",
    "ℹ️",
    "〰️",
    "‼️",
    "⛹🏻\u200d♀️",
    "∩︀",
    "ක්\u200dර",
    "ന്\u200dറെ",
    "ကျွန်\u200bတော်",
    "می\u200cشود",
    "۱۲۳\u200c۴",
    "a\x09b\x0d\x0ac",
    "10 km",
    "« été »",
    "ﷺ",
    "é",
    "नमस्ते",
    "ᚠ",
    "\u200eא",
    "ﬁ",
    "❤",
    "✔︎",
    "🧑\u200d🤝\u200d🧑",
    "👁️\u200d🗨️",
    "🫱🏻\u200d🫲🏿",
    "#️⃣",
    "Österreich “Ärger” Ça £5 §3 ½ ©",
    "São É» MAÇÃ",
    "Ñandú ¿Qué?",
    "¡Â¡",
    "Ångström Åland Ø",
    "ÀÉÎÕÜ",
    "Рёбра США С» Сё Рё",
    "ΑΒΓΔ Γειά Ç",
    "├── x │ ┤",
    "‚Ärger‘",
    "Đà Nẵng ở đâu?",
    "ÂÃ",
    "√π √Ω ¬A",
    "Việt Nam: â ã",
    "L’été… «où» “Ärger”",
]

UNSEEN = [
    "a\u200bb",
    "lo\u200dan",
    "zero\u200cwidth",
    "\ufeffstart",
    "mid\ufeffdle",
    "\u202eevil\u202c",
    "\u202dx\u202c",
    "\u2066x\u2069",
    "he\xadllo",
    "x\u2060y",
    "tag\U000e0041\U000e0042",
    "A️",
    "a󠄀󠄁",
    "hiㅤ",
    "͏x",
    "x\u2063y",
    "\x00a",
    "\x1b[31mred\x1b[0m",
    "del\x7f",
    "u\u061cx",
    "\u202ax",
    "שלום\u202e x\u202c",
    "👨\u200d",
    "\u200d",
    "😀️️",
    "🏴\U000e0067\U000e0062",
    "x\u180ey",
    "a\ufff9b",
]

MISREAD = [
    "cafÃ©",
    "Ã¼ber",
    "â€œhiâ€\x9d",
    "Ð¿Ñ€Ð¸Ð²ÐµÑ‚",
    "РџСЂРёРІРµС‚",
    "voilÃ  tout",
    "ä½ å¥½",
    "ã\x81\x93ã‚“",
    "It\x92s",
    "ðŸ˜€",
    "caf√©",
    "caf├⌐",
    "ã‚¢ãƒ‹ãƒ¡",
    "SÃ£o Paulo",
    "Ã\x83Â©",
    "naÃƒÂ¯ve",
    "10Â°C",
    "Â£5",
    "Â«hiÂ»",
    "GrÃ¼Ã\x9fe",
    "Å\x82Ã³dÅº",
    "ÄŒeskÃ¡",
    "Ø§Ù„Ø¹Ø±Ø¨ÙŠØ©",
    "×©×œ×•×",
    "à¤¨à¤®à¤¸à¥\x8dà¤¤à¥‡",
    "í•œê¸€",
    " â€“ ",
]

BLANK = [
    "\u200b",
    "\ufeff",
    "\x00",
    " \u200b ",
    "ㅤ",
    "⠀",
    "\xad",
    "\u180e",
    "\u2063",
    "\U000e0020",
    "️",
    "\u200d\u200c",
    "\x85",
    "\x1f",
    "ᅟ",
    "\u202e\u202c",
    "\u2028",
    "\x08",
]

LETTERS = "Straße œuvre ćwiczyć Ελλάδα привет שלום مرحبا नमस्ते 안녕 你好 ‘quoted’ – 8 € 😀"


def found(text, **more):
    talk = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": text}]
    conversation = Conversation({"messages": talk, **more})
    return check_conversation(conversation, raw=conversation.to_json())


def rules(text):
    return {each.rule for each in found(text)} & {"S07", "S08", "F11", "F12", "F13"}


@pytest.mark.parametrize("text", RIGHTFUL, ids=ascii)
def test_what_people_write_is_left_alone(text):
    assert rules(text) == set()
    assert without_unseen(text) == reread(text) == text


@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
def test_an_invisible_character_without_work_is_named_and_taken_out(text):
    assert rules(text) <= {"F13", "S08"}
    (first, *_) = found(f"a b {text} c")
    assert first.rule == "F13"
    assert "U+" in first.message
    conversation = Conversation({"messages": [{"role": "user", "content": f"a b {text} c"}]})
    (fault,) = [f for f in check_conversation(conversation) if f.rule == "F13"]
    fixed = apply_fix(conversation, fault)
    assert not list(unseen(fixed.messages[0].text))
    assert is_subsequence(fixed.messages[0].text, f"a b {text} c")


def is_subsequence(short, long):
    rest = iter(long)
    return all(character in rest for character in short)


@pytest.mark.parametrize("text", MISREAD, ids=ascii)
def test_a_text_read_in_the_wrong_encoding_is_shown_with_what_it_was(text):
    assert "F12" in rules(text)
    assert reread(text) != text
    assert not list(misread(reread(reread(text))))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *((e, t) for e in ("latin-1", "cp1252", "cp437") for t in ("Grüße", "naïveté", "déjà vu")),
        *((e, "Вот ’так» и привет") for e in ("latin-1", "cp1251", "cp437")),
        ("mac_roman", "Grüße, naïveté"),
        ("latin-1", "“你好” 안녕 नमस्ते 😀"),
    ],
)
def test_texts_come_back_from_the_encodings_people_confuse(encoding, text):
    wrong = text.encode().decode(encoding)
    assert reread(wrong) == text
    assert "F12" in rules(f"so {wrong}")


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_an_answer_of_nothing_but_invisible_characters_shows_nothing(text):
    assert "S08" in rules(text)
    assert "S08" in rules([{"type": "text", "text": text}])
    assert "S08" in rules([{"type": "text", "text": text}, {"type": "text", "text": " "}])
    assert "S08" not in rules([{"type": "text", "text": text}, {"type": "text", "text": "Yes"}])


def test_they_are_found_in_calls_and_definitions_too():
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": json.dumps({"q": "cafÃ©"})},
    }
    talk = [{"role": "user", "content": "Which?"}, {"role": "assistant", "tool_calls": [call]}]
    tool = {"type": "function", "function": {"name": "f", "description": "lo\u200bng \ufffd"}}
    conversation = Conversation({"messages": talk, "tools": [tool]})
    places = {(f.rule, f.place.message, f.place.field) for f in check_conversation(conversation)}
    assert {
        ("F11", None, "tools[0].function.description"),
        ("F12", 1, "tool_calls[0].function.arguments"),
        ("F13", None, "tools[0].function.description"),
    } <= places


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Mn", "Me"]), max_size=40))
def test_texts_without_such_characters_have_none(text):
    text = INVISIBLE.sub("", text)
    assert not list(unseen(text))
    assert is_blank(text) == (not text.strip().strip("\u2800").strip())


@given(st.text(max_size=30), st.sampled_from(LETTERS.split()))
def test_taking_out_invisible_characters_takes_out_nothing_else(text, word):
    cleaned = without_unseen(text + word)
    assert INVISIBLE.sub("", cleaned) == INVISIBLE.sub("", text + word)
    assert not list(unseen(word))
