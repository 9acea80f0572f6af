"""Where real videos show signing: isolated signs from rest to rest, and two interpreters.

    python -m benchmarks.activity_real ROOT

ROOT holds videos (mp4, gif; not shipped) in folders. Each is extracted with MediaPipe; a
line a video: the stretches of signing found, and whether they begin after the first and
end before the last frame, as an isolated sign that is filmed from rest to rest should.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from signloom.extract.extraction import extract_clips
from signloom.pose.activity import activity, track


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    asked = parser.parse_args()
    videos = sorted(p for p in asked.root.rglob("*") if p.suffix in (".mp4", ".gif"))
    inside = found = 0
    for result in extract_clips(videos, jobs=2):
        if result.clip is None:
            print(f"{result.path.name}: {result.error}")
            continue
        seen = activity(track([result.clip]))
        spans = seen.spans()
        found += bool(spans)
        kept = bool(spans) and spans[0].start > 0 and spans[-1].end < seen.duration
        inside += kept
        shown = ", ".join(f"{s.start:.2f}–{s.end:.2f}" for s in spans)
        print(f"{result.path.name}: {seen.duration:.2f} s, signing {shown or 'nowhere'}")
    print(f"{len(videos)} videos, signing found in {found}, from rest to rest in {inside}")


if __name__ == "__main__":
    main()
