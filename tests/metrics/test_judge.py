"""A planted judge: what it says is what comes out, failures count, and nothing is asked twice."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from signloom.errors import MediaError, UsageError
from signloom.metrics.judge import CommandJudge, JudgeFailure, mark_in, score_judged


@dataclass
class Planted:
    """Answers in turn; None is a failure. Keeps what it was asked."""

    answers: list[str | None]
    model: str = "planted-1"
    asked: list[str] = field(default_factory=list)

    def answer(self, prompt: str, hypothesis: str, reference: str) -> str:
        self.asked.append(prompt)
        answer = self.answers[len(self.asked) - 1]
        if answer is None:
            raise JudgeFailure("no answer")
        return answer


PROMPT = "R {reference} H {hypothesis}"


def test_rounds_spread_and_failures_by_hand() -> None:
    judge = Planted(["5", "1", "4", None, "3", "perhaps 3 or 4"])
    found = score_judged(judge, ["a", "b"], ["x", "{hypothesis}"], PROMPT, repeats=3)
    assert judge.asked[:2] == ["R x H a", "R {hypothesis} H b"]
    assert found.rounds == (3, 2, 1.5)
    assert found.failures == 2
    assert found.spread == pytest.approx(0.7637626)
    assert found.score.value == pytest.approx((3 + 2 + 1.5) / 3)
    assert found.score.unit == ""
    assert "judge:planted-1|prompt:" in found.score.signature
    assert "rounds:3|scale:0-5|failures:as 0" in found.score.signature
    other = score_judged(Planted(["5"]), ["a"], ["x"], PROMPT + ".", repeats=1).score.signature
    assert other.split("|")[2] != found.score.signature.split("|")[2]


def test_an_empty_output_is_nothing_without_asking() -> None:
    judge = Planted([])
    found = score_judged(judge, [" "], ["x"], PROMPT, repeats=2)
    assert (found.score.value, found.failures, judge.asked) == (0, 0, [])


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        ("4\n", 4),
        ("3.5/5", 3.5),
        ("The nouns match. Score: 2.", 2),
        ("Rating = 5", 5),
        ("6", None),
        ("45", None),
        ("-1", None),
        ("I would say four", None),
        ("", None),
    ],
)
def test_numbers_in_answers(answer: str, mark: float | None) -> None:
    assert mark_in(answer) == mark


def test_answers_are_kept_and_not_asked_again_but_failures_are(tmp_path: Path) -> None:
    cache = tmp_path / "answers.jsonl"
    score_judged(Planted(["4", None]), ["a", "b\u2028c"], ["x", "y"], PROMPT, 1, cache)
    kept = [json.loads(line) for line in cache.read_text().strip().split("\n")]
    assert [(line["answer"], line.get("failure")) for line in kept] == [
        ("4", None),
        (None, "no answer"),
    ]
    again = Planted(["2"])
    found = score_judged(again, ["a", "b\u2028c"], ["x", "y"], PROMPT, 1, cache)
    assert (found.score.value, found.failures, again.asked) == (3, 0, ["R y H b\u2028c"])
    cache.write_text('{"model": 1}\n')
    with pytest.raises(MediaError, match="line 1 is no answer of a judge"):
        score_judged(Planted([]), ["a"], ["x"], PROMPT, 1, cache)


def test_a_program_judges(tmp_path: Path) -> None:
    program = tmp_path / "judge.py"
    program.write_text(
        "import json, sys\n"
        "asked = json.load(sys.stdin)\n"
        "same = asked['hypothesis'] == asked['reference']\n"
        "sys.exit('broken') if asked['hypothesis'] == 'broken' else print(5 if same else 1)\n"
    )
    judge = CommandJudge((sys.executable, str(program)), "equal-v1")
    found = score_judged(judge, ["ä b", "b", "broken"], ["ä b", "a", "c"], PROMPT, repeats=1)
    assert (found.score.value, found.failures) == (2, 1)
    slow = CommandJudge((sys.executable, "-c", "import time; time.sleep(9)"), "slow", 0.1)
    with pytest.raises(JudgeFailure, match=r"no answer within 0\.1 s"):
        slow.answer("", "", "")
    with pytest.raises(UsageError, match="the judge '/no/such' cannot be run: No such file"):
        score_judged(CommandJudge(("/no/such",), "x"), ["a"], ["b"], PROMPT)


def test_what_a_judge_cannot_be_asked_with() -> None:
    with pytest.raises(UsageError, match=r"prompt has no \{hypothesis\}"):
        score_judged(Planted([]), ["a"], ["x"], "only {reference}")
    with pytest.raises(UsageError, match="asked 0 times, expected at least 1"):
        score_judged(Planted([]), ["a"], ["x"], PROMPT, repeats=0)
