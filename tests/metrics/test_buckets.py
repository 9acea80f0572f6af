"""Gloss sequences sorted into buckets: by length, by sentences training had, by signer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signloom.metrics.buckets import by_glosses, by_label, by_sentence
from signloom.metrics.recognition import edits

REFERENCES = ["A", "A B C", "A B C-1 D+E", "A B C D E F", "A B C D E F G", "   "]
HYPOTHESES = [f"h{i}" for i in range(len(REFERENCES))]


def test_glosses_are_counted_by_white_space() -> None:
    assert by_glosses(HYPOTHESES, REFERENCES) == {
        "1-3": (["h0", "h1"], REFERENCES[:2]),
        "4-6": (["h2", "h3"], REFERENCES[2:4]),
        "7+": (["h4"], REFERENCES[4:5]),
    }
    assert list(by_glosses(["h"], ["A A A A A A A A"])) == ["7+"]


def test_a_sentence_is_seen_where_training_has_it_whole() -> None:
    found = by_sentence(["x", "y", "z"], ["A  B", "B A", "A"], ["A B ", "A B C"])
    assert found == {"seen": (["x"], ["A  B"]), "unseen": (["y", "z"], ["B A", "A"])}


glosses = st.lists(st.sampled_from("ABC"), max_size=9).map(" ".join)


@given(st.lists(st.tuples(glosses, glosses, st.sampled_from(["ann", "ben", ""]))))
def test_signers_share_out_the_pairs_and_their_edits(
    pairs: list[tuple[str, str, str]],
) -> None:
    hypotheses, references, signers = ([pair[i] for pair in pairs] for i in range(3))
    found = by_label(hypotheses, references, signers)
    assert list(found) == sorted(set(signers))
    counted = [edits(*pair, costs="3/3/4").sum(axis=0) for pair in found.values()]
    whole = edits(hypotheses, references, costs="3/3/4").sum(axis=0)
    assert sum(counted, whole * 0).tolist() == whole.tolist()
