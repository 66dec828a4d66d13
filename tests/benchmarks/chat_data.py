"""Chat data for the benchmarks, made the same way every time from real sentences."""

import csv
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

BUILT_IN = (
    "The parcel left the warehouse on Monday and should reach you within three working days. "
    "Please keep the receipt, because the shop asks for it when you return something. "
    "I have checked your account and the payment arrived this morning. "
    "Could you tell me how the pain began, and whether it gets worse at night? "
    "A loop that changes the list it walks over skips every second element. "
    "Interest is added to the sum, so later interest is earned on earlier interest."
)
SCRIPTS = (
    "Ваш заказ отправлен сегодня утром. Проверьте, пожалуйста, адрес доставки. Деньги вернутся завтра.",
    "您的订单今天早上已经发出。 请检查送货地址是否正确。 退款将在三天内到账。",
    "ご注文は今朝発送されました。 配送先の住所をご確認ください。 返金は三日以内に行われます。",
    "تم إرسال طلبك هذا الصباح. يرجى التحقق من عنوان التسليم. سيعاد المبلغ غدا.",
    "आपका ऑर्डर आज सुबह भेज दिया गया है। कृपया पता जाँच लें। पैसा कल वापस आएगा।",
    "주문하신 상품이 오늘 아침에 발송되었습니다. 배송 주소를 확인해 주세요. 환불은 내일 됩니다.",
)
_SENTENCE = re.compile(r"(?<=[.!?。।])\s+|\n+")


def data_root() -> Path | None:
    """Return the development data folder, where there is one."""
    named = os.environ.get("CURATOR_DATA")
    return Path(named) if named and Path(named).is_dir() else None


def english_sentences() -> list[str]:
    """Return distinct English sentences: consultations, word problems, instructions, orders."""
    root = data_root()
    texts = [BUILT_IN]
    if root:
        for name in ("mts_dialog_train_even.jsonl", "azure_gsm8k_chat_train.jsonl"):
            for line in (root / "chat" / name).open(encoding="utf-8"):
                texts += [message["content"] for message in json.loads(line)["messages"]]
        codegen = json.loads((root / "instruct" / "gpteacher_codegen.json").read_text("utf-8"))
        texts += [row["instruction"] for row in codegen]
        talks = json.loads((root / "dialogue" / "taskmaster4_data_00.json").read_text("utf-8"))
        texts += [turn["text"] for talk in talks for turn in talk["utterances"]]
        with (root / "classify" / "banking77_train.csv").open(encoding="utf-8", newline="") as file:
            texts += [row[0] for row in csv.reader(file)]
    return _distinct(piece for text in texts for piece in _SENTENCE.split(text))


def multilingual_sentences() -> list[str]:
    """Return distinct short sentences in many languages."""
    root = data_root()
    found = [piece for text in (BUILT_IN, *SCRIPTS) for piece in _SENTENCE.split(text)]
    if root:
        for path in sorted((root / "translation").glob("*.tsv")):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                    found += row
        for name in ("banking77_train.csv", "banking77_test.csv"):
            with (root / "classify" / name).open(encoding="utf-8", newline="") as file:
                found += [row[0] for row in csv.reader(file)]
        for number in ("00", "07"):
            dialogues = json.loads((root / f"dialogue/taskmaster4_data_{number}.json").read_text())
            found += [turn["text"] for talk in dialogues for turn in talk["utterances"]]
    return _distinct(found)


def write_long_english(path: Path, megabytes: float, seed: int = 7) -> None:
    """Write chats of 1 to 3 turns whose answers have 600 to 3,000 characters."""
    _write(path, megabytes, seed, english_sentences(), turns=(1, 3), ask=(1, 4), answer=(8, 30))


def write_short_multilingual(path: Path, megabytes: float, seed: int = 8) -> None:
    """Write chats of 2 to 6 turns whose messages have about 60 characters."""
    found = multilingual_sentences()
    _write(path, megabytes, seed, found, turns=(2, 6), ask=(1, 2), answer=(1, 2))


def _write(
    path: Path,
    megabytes: float,
    seed: int,
    sentences: list[str],
    *,
    turns: tuple[int, int],
    ask: tuple[int, int],
    answer: tuple[int, int],
) -> None:
    rng = random.Random(seed)
    systems = [" ".join(rng.choices(sentences, k=rng.randint(1, 4))) for _ in range(40)]
    left = megabytes * 1e6
    with path.open("w", encoding="utf-8", newline="\n") as file:
        while left > 0:
            messages = []
            if rng.random() < 0.6:
                messages.append({"role": "system", "content": rng.choice(systems)})
            for _ in range(rng.randint(*turns)):
                for role, size in (("user", ask), ("assistant", answer)):
                    text = " ".join(rng.choices(sentences, k=rng.randint(*size)))
                    messages.append({"role": role, "content": text})
            line = json.dumps({"messages": messages}, ensure_ascii=False)
            left -= len(line.encode()) + 1
            file.write(line + "\n")


def _distinct(pieces: Iterator[str] | list[str]) -> list[str]:
    return list(dict.fromkeys(piece.strip() for piece in pieces if piece.strip()))
