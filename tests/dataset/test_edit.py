"""Edits undo themselves and merge."""

import pytest

from curator.dataset import AnnotationPatch, ContentPatch, Edit, SettingPatch


def typing(before: str, after: str) -> Edit:
    return Edit("Type", "anna", (ContentPatch(1, before, after),), "1.0")


def test_inverse_of_inverse_is_the_edit():
    edit = Edit(
        "Mix",
        "anna",
        (
            ContentPatch(1, None, "a"),
            AnnotationPatch("status", (1, 2), ("pending",), ("accepted", "rejected")),
            SettingPatch("seed", None, 7),
        ),
    )
    assert edit.inverse().inverse() == edit
    assert edit.inverse().patches[-1] == ContentPatch(1, "a", None)


def test_typing_merges_into_one_step():
    merged = typing("a", "ab").then(typing("ab", "abc"))
    assert merged.patches == (ContentPatch(1, "a", "abc"),)


def test_patches_of_other_places_stay_apart():
    edit = typing("a", "ab").then(
        Edit("Flag", "anna", (AnnotationPatch("flag", (1,), (False,), (True,)),))
    )
    assert len(edit.patches) == 2
    assert edit.conversations() == (1,)


def test_labels_of_two_annotators_do_not_merge():
    anna = AnnotationPatch("label:intent", (1,), (None,), ("a",), "anna")
    ben = AnnotationPatch("label:intent", (1,), (None,), ("b",), "ben")
    assert len(Edit("x", "x", (anna,)).then(Edit("y", "y", (ben,))).patches) == 2


def test_a_patch_needs_one_value_or_one_for_each():
    with pytest.raises(ValueError, match="one value"):
        AnnotationPatch("status", (1, 2, 3), ("a", "b"), ("c",))


def test_an_edit_knows_that_it_changes_nothing():
    def of(*patches):
        return Edit("x", "anna", patches).changes_nothing

    assert of()
    assert of(ContentPatch(1, "a", "a"), SettingPatch("s", [1], [1]))
    assert of(AnnotationPatch("status", (1, 2), ("open",), ("open", "open")))
    assert not of(AnnotationPatch("status", (1, 2), ("open",), ("open", "shut")))
    assert not of(ContentPatch(1, "a", "a"), SettingPatch("s", None, 1))


def test_a_setting_that_goes_from_1_to_true_is_a_change():
    """Python takes them for equal."""
    changes = [
        Edit("t", "a", (SettingPatch("x", before, after),))
        for before, after in ((1, True), (0, False))
    ]
    assert not any(edit.changes_nothing for edit in changes)
    assert Edit("t", "a", (SettingPatch("x", {"a": 1, "b": 2}, {"b": 2, "a": 1}),)).changes_nothing
