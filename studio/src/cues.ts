// The cues of an alignment while a person corrects them: places, locks, and what can be undone.

export interface Span { start: number; end: number }
export type Level = "high" | "medium" | "low" | "not placed";
export interface Cue {
  number: number; id: string; text: string; old: Span; new: Span; shift: number;
  confidence: number; flags: string[]; level: Level;
}
interface Place { span: Span; locked: boolean; corrected: boolean }

export const WORDS: Record<Level, string> = {
  high: "sure", medium: "fairly sure", low: "unsure", "not placed": "not placed",
};
export const LEAST = 0.04;

export class Cues {
  cues: Cue[] = [];
  places: Place[] = [];
  private past: { cues: Cue[]; places: Place[]; what: string }[] = [];
  private future: { cues: Cue[]; places: Place[]; what: string }[] = [];
  changed: () => void = () => {};

  open(cues: Cue[]): void {
    this.past = [];
    this.future = [];
    this.take(cues);
    this.changed();
  }

  private take(cues: Cue[]): void {
    const before = new Map(this.cues.map((cue, k) => [cue.number, this.places[k]!]));
    this.places = cues.map(cue => {
      const locked = cue.flags.includes("locked");
      return { span: { ...cue.new }, locked, corrected: locked && (before.get(cue.number)?.corrected ?? false) };
    });
    this.cues = cues;
  }

  /** New places from the server; what is locked is where it was. */
  replace(cues: Cue[]): void {
    this.remember("align again");
    this.take(cues);
    this.changed();
  }

  get undoable(): string | null { return this.past.at(-1)?.what ?? null; }
  get redoable(): string | null { return this.future.at(-1)?.what ?? null; }
  get locked(): number { return this.places.filter(place => place.locked).length; }

  private copy(what: string) {
    return { cues: this.cues, places: this.places.map(place => ({ ...place, span: { ...place.span } })), what };
  }

  remember(what: string): void {
    this.past.push(this.copy(what));
    if (this.past.length > 200) this.past.shift();
    this.future = [];
  }

  undo(): string | null { return this.step(this.past, this.future); }
  redo(): string | null { return this.step(this.future, this.past); }

  private step(from: typeof this.past, to: typeof this.past): string | null {
    const back = from.pop();
    if (!back) return null;
    to.push(this.copy(back.what));
    this.cues = back.cues;
    this.places = back.places;
    this.changed();
    return back.what;
  }

  /** A person's place for a cue, which locks it; times on frames, at least one long. */
  move(k: number, span: Span, fps: number, keep = true): void {
    const place = this.places[k];
    if (!place) return;
    if (keep) this.remember("move a cue");
    const frame = (time: number) => Math.round(time * fps) / fps;
    const start = Math.max(frame(span.start), 0);
    const end = Math.max(frame(span.end), start + Math.max(1 / fps, LEAST));
    place.span = { start: round(start), end: round(end) };
    place.locked = place.corrected = true;
    this.changed();
  }

  lock(k: number, locked: boolean): void {
    const place = this.places[k];
    if (!place) return;
    this.remember(locked ? "lock a cue" : "unlock a cue");
    place.locked = locked;
    this.changed();
  }
}

/** Whole thousandths, as subtitles have them. */
export function round(time: number): number { return Math.round(time * 1000) / 1000; }
