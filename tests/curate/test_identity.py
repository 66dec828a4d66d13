"""Hashes that tell what is the same and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from curator.curate import identity
from curator.dataset import Conversation, Message


def talk(*pairs, **more):
    return Conversation.of([Message.of(role, text) for role, text in pairs], **more)


def test_spacing_and_key_order_do_not_matter_for_the_content_hash():
    one = Conversation.parse('{"messages": [{"role": "user", "content": "Hi"}]}')
    other = Conversation.parse('{ "messages":[{"content":"H\\u0069","role":"user"}] }')
    assert identity.content_hash(one) == identity.content_hash(other)
    assert identity.content_hash(one) != identity.content_hash(talk(("user", "hi")))


def test_the_hash_is_the_first_eight_bytes_of_sha_256():
    assert identity.hash_text("") == int.from_bytes(bytes.fromhex("e3b0c44298fc1c14"), signed=True)


def test_the_prompt_is_what_is_asked_before_the_last_answer():
    base = talk(("system", "S"), ("user", "How  Are\nyou?"), ("assistant", "Fine"))
    same = [
        talk(("user", "how are you?"), ("assistant", "Not fine")),
        talk(("system", "T"), ("user", " HOW ARE YOU? "), ("assistant", "x"), ("user", "later")),
        talk(("user", "how are you?")),
    ]
    assert {identity.prompt_hash(c) for c in same} == {identity.prompt_hash(base)}
    other = talk(("user", "how are you?"), ("user", "really?"), ("assistant", "Fine"))
    assert identity.prompt_hash(other) != identity.prompt_hash(base)


def test_tool_results_belong_to_the_prompt():
    one = talk(("user", "a"), ("assistant", "x"), ("tool", "21"), ("assistant", "y"))
    other = talk(("user", "a"), ("assistant", "x"), ("tool", "22"), ("assistant", "y"))
    assert identity.prompt_hash(one) != identity.prompt_hash(other)


def test_the_system_hash_is_zero_without_a_system_prompt():
    assert identity.system_hash(talk(("user", "a"))) == 0
    assert identity.system_hash(talk(("system", "S"), ("user", "a"))) == identity.hash_text("S")


def test_a_lone_surrogate_can_be_hashed():
    assert identity.content_hash(talk(("user", "\ud800"))) != identity.content_hash(
        talk(("user", "\ud801"))
    )
    assert identity.prompt_hash(talk(("user", "\ud800"))) != 0


@given(st.text())
def test_folding_is_stable_and_single_spaced(text):
    folded = identity.fold(text)
    assert folded == " ".join(folded.split())
    assert identity.fold(f"  {text}\n") == folded
    assert folded == " ".join(identity.normalize("NFKC", text).casefold().split())


def each(texts):
    return [identity.hash_text(identity.fold(text)) for text in texts]


whole = st.characters(exclude_categories=["Cs"])
spaces = st.sampled_from("a \0\t\n\x0b\x1c\x1f\x85\xa0\u1680\u2003\u2028\u2029\u3000")


@given(st.lists(st.text(whole | spaces), max_size=4))
def test_hashing_folded_texts_together_is_hashing_each(texts):
    assert identity.hash_folded(texts).tolist() == each(texts)


def test_every_sign_folds_together_as_by_itself():
    signs = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = [f"A{sign} {sign}b" for sign in signs if sign != "\0"]
    assert identity.hash_folded(texts).tolist() == each(texts)


def test_folding_together_keeps_marks_signs_and_ends_apart():
    texts = [
        "e",
        "\u0301a",
        "",
        "x\0y",
        "\u0344",
        "\uac00",
        "\u11a8",
        "\ufb03",
        "STRASSE",
        "\u1e9e",
        "  ",
    ]
    for chosen in (texts, [text for text in texts if "\0" not in text]):
        assert identity.hash_folded(chosen).tolist() == each(chosen)


@given(st.lists(st.text(), max_size=4))
def test_texts_joined_by_a_space_fold_as_joined_by_a_line_break(texts):
    """The fast path of an import joins by a space what prompt() joins by a line break."""
    assert identity.fold(" ".join(texts)) == identity.fold("\n".join(texts))


@given(st.text(max_size=20), st.text(max_size=20))
def test_different_texts_have_different_hashes(a, b):
    assert (identity.hash_text(a) == identity.hash_text(b)) == (a == b)
