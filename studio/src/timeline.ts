// The timeline: lanes of given and aligned cues over phrases, signing and signs that were seen. It is a picture of what the
// cue list holds: all that can be done here with a pointer can be done there, and with keys.

import type { Sign } from "./api.js";
import type { Cues, Span } from "./cues.js";
import { clock, make } from "./dom.js";

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
const LEAST_TICK = 72, MOST_ZOOM = 400;
/** The share of the width that the playhead may reach before what is shown follows it. */
export const FOLLOWED = 0.92;
/** Half of what a sign is drawn as, in seconds: its middle is known, its ends are not. */
const HALF_A_SIGN = 0.2;
type Grip = "start" | "end" | "whole";

export class Timeline {
  duration = 0;
  fps = 25;
  offset = 0;
  phrases: Span[] = [];
  signing: Span[] = [];
  signs: Sign[] = [];
  selected = -1;
  onSeek: (time: number) => void = () => {};
  onSelect: (cue: number) => void = () => {};
  private zoom = 20;
  private time = 0;
  private wide = 0;
  private readonly inner = make("div", { class: "inner" });
  private readonly head = make("div", { class: "playhead" });
  private shown = new Map<string, HTMLElement>();
  private queued = false;

  constructor(private readonly scroll: HTMLElement, private readonly cues: Cues) {
    scroll.append(this.inner);
    this.inner.append(this.head);
    scroll.addEventListener("scroll", () => this.later());
    new ResizeObserver(() => this.resized()).observe(scroll);
    this.inner.addEventListener("pointerdown", event => this.pressed(event));
    scroll.addEventListener("wheel", event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.25 : 0.8, this.at(event.clientX));
    }, { passive: false });
  }

  open(duration: number, fps: number, offset: number, phrases: Span[], signing: Span[], signs: Sign[]): void {
    Object.assign(this, { duration, fps, offset, phrases, signing, signs, selected: -1 });
    this.fit();
  }

  /** The whole recording, or the first half minute of a long one. */
  fit(): void {
    this.zoom = Math.max(this.scroll.clientWidth / Math.max(Math.min(this.duration, 30), 1), 4);
    this.scroll.scrollLeft = 0;
    this.render();
  }

  whole(): void {
    this.zoom = Math.max((this.scroll.clientWidth - 2) / Math.max(this.duration, 0.1), 0.5);
    this.render();
  }

  zoomBy(factor: number, around = this.time): void {
    const before = around * this.zoom - this.scroll.scrollLeft;
    const least = Math.min((this.scroll.clientWidth - 2) / Math.max(this.duration, 0.1), 20);
    this.zoom = Math.min(Math.max(this.zoom * factor, least), MOST_ZOOM);
    this.inner.style.width = `${this.duration * this.zoom}px`;
    this.scroll.scrollLeft = around * this.zoom - before;
    this.render();
  }

  /** What was to be seen stays to be seen. */
  private resized(): void {
    const { clientWidth } = this.scroll, before = this.scroll.scrollLeft / this.zoom;
    if (this.wide && clientWidth) this.zoom *= clientWidth / this.wide;
    this.wide = clientWidth || this.wide;
    this.render();
    this.scroll.scrollLeft = before * this.zoom;
  }

  /** follow: see FOLLOWED; 0 = what is shown stays where it is. */
  setTime(time: number, follow: number): void {
    this.time = time;
    const x = time * this.zoom;
    this.head.style.transform = `translateX(${x}px)`;
    const { scrollLeft, clientWidth } = this.scroll;
    if (follow && (x < scrollLeft || x > scrollLeft + clientWidth * follow)) this.scroll.scrollLeft = x - clientWidth * 0.15;
  }

  reveal(span: Span): void {
    const left = span.start * this.zoom, right = span.end * this.zoom;
    const { scrollLeft, clientWidth } = this.scroll;
    if (left < scrollLeft || right > scrollLeft + clientWidth) this.scroll.scrollLeft = left - clientWidth * 0.3;
  }

  later(): void {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => { this.queued = false; this.render(); });
  }

  private at(x: number): number {
    return (x - this.inner.getBoundingClientRect().left) / this.zoom;
  }

  render(): void {
    this.inner.style.width = `${this.duration * this.zoom}px`;
    const from = (this.scroll.scrollLeft - 200) / this.zoom;
    const to = (this.scroll.scrollLeft + this.scroll.clientWidth + 200) / this.zoom;
    const wanted = new Map<string, () => HTMLElement>();
    const inside = (span: Span) => span.end >= from && span.start <= to;
    const step = STEPS.find(s => s * this.zoom >= LEAST_TICK) ?? 3600;
    for (let t = Math.max(Math.floor(from / step), 0) * step; t <= Math.min(to, this.duration); t += step) {
      const label = clock(t + this.offset, step < 1);
      wanted.set(`t${t.toFixed(2)}`, () => {
        const tick = make("div", { class: "tick" }, label);
        tick.style.left = `${t * this.zoom}px`;
        return tick;
      });
    }
    for (const [name, spans] of [["phrase", this.phrases], ["signing", this.signing]] as const) {
      spans.forEach((span, k) => {
        if (inside(span)) wanted.set(`${name}${k}`, () => this.bar(span, name));
      });
    }
    this.signs.forEach((sign, k) => {
      const span = { start: sign.time - HALF_A_SIGN, end: sign.time + HALF_A_SIGN };
      if (inside(span)) wanted.set(`s${k}`, () => this.bar(span, "sign", sign.gloss));
    });
    this.cues.cues.forEach((cue, k) => {
      const place = this.cues.places[k]!;
      const given = this.local(cue.old), now = this.local(place.span);
      if (inside(given)) wanted.set(`g${k}`, () => this.bar(given, "given", cue.text, k));
      if (inside(now)) wanted.set(`a${k}`, () => {
        const state = place.locked ? "locked" : cue.level.replace(" ", "-");
        const bar = this.bar(now, `aligned ${state}`, cue.text, k);
        if (k === this.selected) bar.classList.add("selected");
        bar.append(make("i", { class: "grip start" }), make("i", { class: "grip end" }));
        return bar;
      });
    });
    // What a pointer holds stays the same element while it is dragged.
    for (const [key, element] of this.shown) {
      if (element.dataset.held && wanted.has(key)) continue;
      element.remove();
      this.shown.delete(key);
    }
    for (const [key, made] of wanted) {
      const held = this.shown.get(key);
      const element = made();
      if (held) {
        [held.style.left, held.style.width, held.className] = [element.style.left, element.style.width, element.className];
        continue;
      }
      this.shown.set(key, element);
      this.inner.append(element);
    }
    this.setTime(this.time, 0);
  }

  private local(span: Span): Span {
    return { start: span.start - this.offset, end: span.end - this.offset };
  }

  private bar(span: Span, kind: string, text = "", cue = -1): HTMLElement {
    const made = make("div", { class: `bar ${kind}`, "data-cue": cue < 0 ? undefined : cue, title: text || undefined });
    if (text) made.append(make("span", { dir: "auto" }, text));
    made.style.left = `${span.start * this.zoom}px`;
    made.style.width = `${Math.max((span.end - span.start) * this.zoom, 2)}px`;
    return made;
  }

  private pressed(event: PointerEvent): void {
    if (event.button !== 0) return;
    const target = event.target as HTMLElement, bar = target.closest<HTMLElement>(".bar");
    const began = this.at(event.clientX), cue = Number(bar?.dataset.cue ?? -1);
    if (!bar || cue < 0) {
      this.onSeek(Math.min(Math.max(began, 0), this.duration));
      return;
    }
    this.onSelect(cue);
    const place = this.cues.places[cue]!;
    this.onSeek(Math.max((bar.classList.contains("given") ? this.cues.cues[cue]!.old : place.span).start - this.offset, 0));
    if (!bar.classList.contains("aligned")) return;
    const grip: Grip = target.classList.contains("start") ? "start" : target.classList.contains("end") ? "end" : "whole";
    const first = { ...place.span }, x = event.clientX;
    const held = this.shown.get(`a${cue}`) ?? bar;
    let moved = false;
    held.dataset.held = "yes";
    this.inner.setPointerCapture(event.pointerId);
    const move = (now: PointerEvent) => {
      const by = (now.clientX - x) / this.zoom;
      if (!moved && Math.abs(now.clientX - x) < 3) return;
      const span = {
        start: grip === "end" ? first.start : first.start + by,
        end: grip === "start" ? first.end : first.end + by,
      };
      if (grip === "start") span.start = Math.min(span.start, span.end - 1 / this.fps);
      this.cues.move(cue, span, this.fps, !moved);
      moved = true;
    };
    const release = () => {
      this.inner.removeEventListener("pointermove", move);
      this.inner.removeEventListener("pointerup", release);
      this.inner.removeEventListener("pointercancel", release);
      delete held.dataset.held;
      this.later();
    };
    this.inner.addEventListener("pointermove", move);
    this.inner.addEventListener("pointerup", release);
    this.inner.addEventListener("pointercancel", release);
  }
}
