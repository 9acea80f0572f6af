"""docs/claims.md from the committed records: python -m signloom.claims.page [ROOT].

Nothing on the page is typed by hand but the notes of results/claims/notes.yaml, which say
why a claim fails as far as was found. A test holds the page to its records.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from signloom.claims.arms import OF_A_CLIP
from signloom.claims.catalogue import ALL, ARMS, CLAIMS, PAPERS, QUESTIONS, SETTINGS, scales_of
from signloom.claims.measured import ONCE, table
from signloom.claims.measures import ALIGNMENT, MEASURES
from signloom.claims.plot import curve, rows
from signloom.claims.records import RESULTS, ROOT, SCALES, Claim
from signloom.claims.run import SHUFFLED_OF
from signloom.claims.verdict import RESAMPLES
from signloom.data.files import writing
from signloom.errors import MediaError

PAGE = Path("docs/claims.md")
IMAGES = Path("docs/images")
NOTES = "notes.yaml"
SHOWN = (
    "BLEU-4", "chrF2", "CIDEr-D", "content-F1", "WER", "substitutions", "deletions", "insertions",
    "repetition-1", "top-1", "top-5", "top-1-class", "FID", "MPJPE-hands", "usage", "perplexity", *ALIGNMENT,
)  # fmt: skip


def kept(claim: Claim, results: Path = RESULTS) -> list[dict[str, Any]]:
    """The records of a claim's runs, by scale. Raises MediaError for one that cannot be read."""
    found = []
    for scale in SCALES:
        path = results / f"{claim.id}-{scale}.json"
        if not path.is_file():
            continue
        try:
            found.append(json.loads(path.read_text()))
        except ValueError as error:
            raise MediaError(
                f"{path} is no record of a claim ({error}); take it from the repository again"
            ) from error
    return found


def status(claim: Claim, results: Path = RESULTS) -> str:
    """A claim's verdicts by scale in one line; else what it waits for."""
    runs = kept(claim, results)
    if runs:
        return ", ".join(f"{run['verdict']['word']} ({run['scale']}{_once(run)})" for run in runs)
    return f"not yet: needs {claim.needs}" if claim.needs else "not run"


def word_at(claim: Claim, scale: str, results: Path = RESULTS) -> str:
    """The cell of a claim at a scale: a verdict, "not testable: …", or "not run"."""
    for run in kept(claim, results):
        if run["scale"] == scale:
            return f"**{run['verdict']['word']}**{_once(run)}"
    if scale not in claim.scales:
        return "–"
    found = scales_of(claim).get(scale)
    if found is not None and found.needs:
        return f"not testable here: needs {found.needs}"
    return "not run"


def _once(run: Mapping[str, Any]) -> str:
    return f", {ONCE}" if "measured" in run else ""


def said(claim: Claim, run: Mapping[str, Any]) -> str:
    """A run as plain text: the verdict, each difference, each arm."""
    verdict = run["verdict"]
    lines = [
        f"{claim.id} at scale {run['scale']}: {verdict['word']}",
        f"  {claim.statement}",
        f"  {verdict['why']}",
    ]
    if "measured" in run:
        return "\n".join(lines)
    lines += [f"  {more}" for more in _open(run)]
    main = _main(run)
    for name, arm in run["arms"].items():
        seeds = ", ".join(f"{value:.1f}" for value in arm["scores"][main])
        lines.append(
            f"  {name:<10} {main} {arm['mean'][main]:5.1f} ({seeds})  "
            + (f"content-F1 {arm['mean']['content-F1']:5.1f}" if main == "BLEU-4" else "")
        )
    signature = next(iter(run["arms"].values()))["signatures"][main]
    count = next(iter(run["arms"].values()))["n"]
    episodes = _episodes(next(iter(run["arms"].values())))
    lines.append(
        f"  N {count}{episodes}, seeds {', '.join(map(str, run['seeds']))}, "
        f"{main.removesuffix('-4')} {signature}"
    )
    return "\n".join(lines)


def _units(run: Mapping[str, Any]) -> str:
    """What a run's metrics resample."""
    return " and ".join(dict.fromkeys(MEASURES[part["metric"]].of for part in run["parts"]))


def _episodes(arm: Mapping[str, Any]) -> str:
    return f" and {arm['episodes']} episodes" if "episodes" in arm else ""


def _open(run: Mapping[str, Any]) -> Iterator[str]:
    """What an undecided verdict owes: the smallest effect it could have seen, and what deciding costs."""
    verdict = run["verdict"]
    if verdict["word"] != "undecided":
        return
    if verdict["smallest"] is not None:
        yield (
            "the smallest effect that would have been seen (four times in five): "
            f"{verdict['smallest']:.1f}"
        )
    if verdict["seeds"] is None:
        yield f"deciding it would take more seeds and more test {_units(run)} than can be named"
        return
    more = verdict["sentences"] > 1
    seeds = f"deciding it would take {verdict['seeds']} seeds"
    on = f" on {verdict['sentences']} times as many test {_units(run)}" if more else ""
    yield f"{seeds}{on}, about {verdict['minutes']} more minutes of training on one core"


def page(results: Path = RESULTS) -> tuple[str, dict[str, str]]:
    """(the page as Markdown, name → SVG of each of its plots)."""
    plots: dict[str, str] = {}
    notes = _notes(results)
    counted = {
        word: sum(word_at(c, "tiny", results).startswith(f"**{word}**") for c in CLAIMS.values())
        for word in ("holds", "fails", "undecided")
    }
    waiting = sum(bool(claim.needs) for claim in CLAIMS.values())
    parts = [
        _TOP.format(
            total=len(CLAIMS),
            waiting=waiting,
            resamples=RESAMPLES,
            tally=", ".join(f"{word} {n}" for word, n in counted.items() if n) or "none was run",
        )
    ]
    for paper in PAPERS.values():
        parts.append(f"## {paper.title} ({paper.source})\n")
        mine = [c for c in CLAIMS.values() if c.paper == paper.name]
        parts.append(_table(mine, results))
        ours = [c for c in QUESTIONS.values() if c.paper == paper.name]
        if ours:
            parts.append("Our own questions, decided the same way:\n")
            parts.append(_table(ours, results))
        of_base: dict[str, list[str]] = {}
        for claim in (*mine, *ours):
            of_base.setdefault(claim.base or paper.method, []).append(claim.id)
        for base, ids in of_base.items():
            corpora = [f"*{name}*: {s.corpora}." for name, s in SETTINGS.get(base, {}).items()]
            if corpora:
                parts.append(f"Corpora of {', '.join(ids)}. {' '.join(corpora)}\n")
        for claim in (*mine, *ours):
            for run in kept(claim, results):
                parts.append(_section(claim, run, notes, plots))
    return "\n".join(parts).rstrip() + "\n", plots


_TOP = """# Claims

Written by `python -m signloom.claims.page` from the records in `results/claims/`. Simulated
corpora are an instrument, not a sign language: a claim that holds on them holds of the method on
them, and says nothing yet of its paper's figures.

{total} claims of five papers; {waiting} wait for something that is not here yet. Of the others, at
scale *tiny*: {tally}.

```
signloom claims list
signloom claims run C1.2 --scale tiny --seeds 1,2,3 [--jobs 2] [--dry-run]
signloom claims show C1.2 [--json]
```

**How a claim is decided.** Its arms are trained with the same seeds and read the same test
sentences. Of every difference two 95 % intervals are made: a paired t over seeds, and a bootstrap
over seeds and sentences at once ({resamples:,} resamples); the wider end counts on either side. A
claim *holds* where the interval of every neighbouring difference lies above what it claims; it
*fails* where a difference as large as counts at all (ours, named with the claim) is ruled out;
*undecided* says the smallest effect that could have been seen and what deciding would cost; *not
testable* names the weights or data it needs. Equivalence is two one-sided tests at 5 % with a
margin (`signloom/claims/verdict.py`). A difference is positive where the first arm is the better
one, also for scores that should be low.

Weights are kept under the hash of their recipe in `runs/claims/`, so no two claims train the same
arm; an interrupted run goes on. Every arm is trained on one thread, the checkpoint is the one with
the best BLEU-4 (top-1, WER, the hands' error) on dev sentences, and test sentences are read once, at the end. Arms that align are
also scored on test episodes, which are resampled whole: each cue is asked for in the one window
around its speech and the usual lag, and placed by plateaus and one path (arXiv 2512.08040, A.6). An
arm that is another *reading* of a trained one (without a beam, by other plateaus, as evidence in
the program of `signloom align`, together with a recogniser of lips) is not trained again. What a benchmark measures
once, such as memory, has neither seeds nor an interval: the verdict says so.
"""


def _table(claims: Sequence[Claim], results: Path) -> str:
    if all(claim.needs for claim in claims):
        lines = ["| | claim | |", "|---|---|---|"]
        lines += [f"| {c.id} | {_statement(c)} | not yet: needs {c.needs} |" for c in claims]
        return "\n".join(lines) + "\n"
    lines = ["| | claim | tiny | small | paper |", "|---|---|---|---|---|"]
    for claim in claims:
        cells = " | ".join(word_at(claim, scale, results) for scale in SCALES)
        cells = f"not yet: needs {claim.needs} | |" if claim.needs else cells
        lines.append(f"| {claim.id} | {_statement(claim)} | {cells} |")
    return "\n".join(lines) + "\n"


def _statement(claim: Claim) -> str:
    return claim.statement + (f" *{claim.ours}*" if claim.ours else "")


def _section(
    claim: Claim, run: Mapping[str, Any], notes: Mapping[str, str], plots: dict[str, str]
) -> str:
    """One run: verdict, plot, differences, arms, the note, where the figures come from."""
    name = f"claims-{claim.id}-{run['scale']}.svg"
    verdict = run["verdict"]
    if "measured" in run:
        heading = f"### {claim.id} ({ONCE}): {verdict['word']}\n"
        return "\n".join([heading, claim.statement + "\n", *table(run)])
    simulated = all(arm["simulated"] for arm in run["arms"].values())
    heading = (
        f"### {claim.id}, {run['scale']}{' (simulated)' if simulated else ''}: {verdict['word']}\n"
    )
    lines = [heading, claim.statement + "\n"]
    plots[name] = _plot(claim, run)
    lines.append(f"![{claim.id}: each seed and the mean]({IMAGES.name}/{name})\n")
    lines += [f"{more[0].upper()}{more[1:]}.\n" for more in _open(run)]
    if claim.parts[0].kind == "falling":
        lines += _bucket_table(run)
    else:
        lines += _difference_table(run)
    lines += _arm_table(run)
    if claim.parts[0].kind != "falling":
        lines += _unseen_table(run)
    if note := notes.get(f"{claim.id}-{run['scale']}"):
        lines.append(note.strip() + "\n")
    lines.append(_provenance(run) + "\n")
    return "\n".join(lines)


def _difference_table(run: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "| difference | metric | mean | each seed | 95 % over seeds "
        f"| 95 % over seeds and {_units(run)} |"
    )
    yield "|---|---|---:|---:|---:|---:|"
    for part in run["parts"]:
        for d in part["differences"]:
            seeds = " ".join(f"{value:+.1f}" for value in d["per_seed"])
            yield (
                f"| {d['better']} − {d['worse']} | {part['metric']} | **{d['mean']:+.1f}** | {seeds} "
                f"| {_interval(d['over_seeds95'])} | {_interval(d['over_both95'])} |"
            )
    yield ""


def _arm_table(run: Mapping[str, Any]) -> Iterator[str]:
    names = [name for name in SHOWN if name in next(iter(run["arms"].values()))["scores"]]
    names = [name for name in names if name != "repetition-1" or "BLEU-4" in names]
    shuffled_of = next(name for name in SHUFFLED_OF if name in names)
    costly = "cost" in next(iter(run["arms"].values()))
    columns = [*names, f"shuffled input, {shuffled_of}"]
    columns += ["parameters", "GMAC a clip", "ms a clip"] if costly else []
    yield "| arm | | " + " | ".join(columns) + " |"
    yield "|---|---|" + "---:|" * len(columns)
    for name, arm in run["arms"].items():
        cells = " | ".join(
            f"{arm['mean'][s]:.1f} ({', '.join(f'{v:.1f}' for v in arm['scores'][s])})"
            for s in names
        )
        shuffled = sum(arm["shuffled"]) / len(arm["shuffled"])
        what = ARMS[name].what if name in ARMS else ""
        dear = f" {_cost(arm['cost'])} |" if costly else ""
        yield f"| {name} | {what} | {cells} | {shuffled:.1f} |{dear}"
    yield ""
    rate = run["references"].get("repetition-1")
    own = "" if rate is None else f" The references' own repetition-1 is {rate:.1f}."
    timing = ", ".join(f"{value:.1f} ({name})" for name, value in run.get("timing", {}).items())
    also = f" Without a model F1@.50 is {timing}." if timing else ""
    dear = (
        f" GMAC: 10⁹ multiply–adds of {OF_A_CLIP[0]} frames read as {OF_A_CLIP[1]} glosses; ms: processor "
        "time of a test clip, keypoints to glosses, each arm's own beside other work: no "
        "comparison (`python -m benchmarks.recognition_cost` is one)."
    )
    yield f"Means, and each seed in brackets.{own}{also}{dear if costly else ''}\n"


def _cost(cost: Mapping[str, int | float]) -> str:
    """Parameters, GMAC of a clip as `arms.OF_A_CLIP` says, and processor time of a test clip."""
    return f"{cost['parameters'] / 1e6:.2f} M | {cost['gmac']:.4f} | {cost['ms']:.1f}"


def _main(run: Mapping[str, Any]) -> str:
    """The score that stands for an arm of a run."""
    first = next(iter(run["arms"].values()))["scores"]
    named = run["parts"][0]["metric"]
    if named in ALIGNMENT or named == "FID":
        return str(named)
    return next(name for name in SHUFFLED_OF if name in first)


def _unseen_table(run: Mapping[str, Any]) -> Iterator[str]:
    """Each arm's mean BLEU-4 by the share of a sentence's signs that no real training sentence has."""
    buckets = next(iter(run["buckets"].values()))
    if not buckets:
        return
    cells = " | ".join(f"{row['unseen']} (n {row['n']})" for row in buckets)
    yield f"| BLEU-4 by unseen signs | {cells} |"
    yield "|---|" + "---:|" * len(buckets)
    for name, found in run["buckets"].items():
        means = " | ".join(f"{sum(row['BLEU-4']) / len(row['BLEU-4']):.1f}" for row in found)
        yield f"| {name} | {means} |"
    yield ""


def _bucket_table(run: Mapping[str, Any]) -> Iterator[str]:
    for name, found in run["buckets"].items():
        yield f"| unseen signs ({name}) | sentences | mean share | words | content-F1 | BLEU-4 |"
        yield "|---|---:|---:|---:|---:|---:|"
        for row in found:
            scores = " | ".join(
                f"{sum(row[m]) / len(row[m]):.1f} ({', '.join(f'{v:.1f}' for v in row[m])})"
                for m in ("content-F1", "BLEU-4")
            )
            yield (
                f"| {row['unseen']} | {row['n']} | {row['mean_share']:.2f} | {row['words']:.1f} "
                f"| {scores} |"
            )
        yield ""
    yield from _difference_table(run)


def _provenance(run: Mapping[str, Any]) -> str:
    arms = list(run["arms"].values())
    first = arms[0]
    seconds = [value for arm in arms for value in arm["seconds"]]
    commits = ", ".join(sorted({commit for arm in arms for commit in arm["commits"]}))
    processors = {cpu for arm in arms for cpu in arm.get("processors", [arm["hardware"]["cpu"]])}
    metrics = dict.fromkeys(part["metric"] for part in run["parts"])
    signatures = "; ".join(f"{m} `{first['signatures'][m]}`" for m in metrics)
    return (
        f"N {first['n']}{_episodes(first)}, seeds {', '.join(map(str, run['seeds']))}; {signatures}; trained at commit "
        f"{commits} on {' and '.join(sorted(processors))}, one thread an arm, {median(seconds):.0f} s an arm beside "
        f"other work (torch {first['hardware']['torch']}); judged at {run['commit']} on {run['judged']}."
    )


def _plot(claim: Claim, run: Mapping[str, Any]) -> str:
    part = claim.parts[0]
    if part.kind == "falling":
        return curve(
            {name: [row[part.metric] for row in found] for name, found in run["buckets"].items()},
            [f"{row['unseen']} (n {row['n']})" for row in next(iter(run["buckets"].values()))],
            part.metric,
        )
    return rows(
        {name: arm["scores"][part.metric] for name, arm in run["arms"].items()},
        {name: arm["ci95"][part.metric] for name, arm in run["arms"].items()},
        part.metric,
    )


def _interval(ends: Sequence[float | None]) -> str:
    low, high = ("∞" if end is None else f"{end:.1f}" for end in ends)
    return f"{'−' if ends[0] is None else ''}{low} – {high}"


def _notes(results: Path) -> dict[str, str]:
    path = results / NOTES
    found = yaml.safe_load(path.read_text()) if path.is_file() else {}
    unknown = [name for name in found or {} if name.rpartition("-")[0] not in ALL]
    if unknown:
        raise MediaError(
            f"{path} has notes for {', '.join(unknown)}, which are no claims; expected names such "
            "as C1.3-tiny"
        )
    return {str(name): str(text) for name, text in (found or {}).items()}


def write(root: Path) -> list[Path]:
    """Writes the page and its plots under ``root``; what was written."""
    text, plots = page(root / RESULTS.relative_to(ROOT))
    files = {root / PAGE: text, **{root / IMAGES / name: svg for name, svg in plots.items()}}
    for path, content in files.items():
        with writing(path, overwrite=True) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return list(files)


if __name__ == "__main__":
    for written in write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT):
        print(written)
