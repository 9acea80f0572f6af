// The server's jobs, as promises.

import type { Cue, Span } from "./cues.js";

export interface Model {
  name: string; tasks: string[]; simulated_only: boolean; layout: string; languages: string[];
  writes_glosses: boolean; reads_lips: boolean;
}
export interface Server { signloom: string; models: Model[]; limits: Record<string, number>; extracts: boolean; holistic: boolean; local: boolean }
export interface Result {
  task: Task; name: string; model: Model | null; notices: string[];
  clip: { duration: number; fps: number; frames: number; layout: string; simulated: boolean; size: [number, number];
    origin: { extractor: string; version: string } };
  signing: Span[]; phrases: Span[]; share?: number;
  signloom: string; text?: string; alternatives?: { text: string }[]; glosses?: boolean;
  candidates?: { gloss: string; probability: number }[]; known?: boolean;
  cues?: Cue[]; lag?: number; confidence?: number; low?: number; timecode?: number; distrust?: string | null;
  subtitles?: string; format?: string;
}
export type Task = "translate" | "recognize" | "segment" | "align";
export interface Progress { state: string; stage: string; done: number; total: number; ahead: number }

export class Refused extends Error {
  constructor(readonly status: number, readonly kind: string, detail: string) { super(detail); }
}

async function refused(answer: Response): Promise<Refused> {
  const said = await answer.json().catch(() => ({ kind: "failed", detail: answer.statusText }));
  return new Refused(answer.status, String(said.kind), String(said.detail));
}

export async function get(path: string): Promise<Response> {
  const answer = await fetch(path);
  if (!answer.ok) throw await refused(answer);
  return answer;
}

export async function exported(form: FormData): Promise<Blob> {
  const answer = await fetch("v1/export", { method: "POST", body: form });
  if (!answer.ok) throw await refused(answer);
  return answer.blob();
}

/** One job from upload to result. Abort `signal` to cancel it, wherever it is. */
export class Job {
  id = "";
  constructor(private readonly told: (progress: Progress) => void, private readonly signal: AbortSignal) {}

  async run(task: Task, form: FormData): Promise<Result> {
    const upload = new XMLHttpRequest();
    const began = new Promise<{ id: string }>((done, fail) => {
      upload.upload.onprogress = event =>
        this.told({ state: "uploading", stage: "", done: event.loaded, total: event.total, ahead: 0 });
      upload.onload = () => {
        let said: Record<string, string> = {};
        try { said = JSON.parse(upload.responseText); } catch { /* told below */ }
        if (upload.status === 202) done(said as { id: string });
        else fail(new Refused(upload.status, said.kind ?? "failed", said.detail ?? "the server gave no answer"));
      };
      upload.onerror = () => fail(new Refused(0, "gone", "the server cannot be reached; is it still running?"));
      upload.onabort = () => fail(new Refused(0, "cancelled", "cancelled"));
    });
    this.signal.addEventListener("abort", () => upload.abort());
    upload.open("POST", `v1/${task}`);
    upload.send(form);
    this.id = (await began).id;
    await this.watched();
    return (await get(`v1/jobs/${this.id}/result`)).json();
  }

  private watched(): Promise<void> {
    return new Promise((done, fail) => {
      const events = new EventSource(`v1/jobs/${this.id}/events`);
      const over = (act: () => void) => { events.close(); act(); };
      for (const name of ["queued", "running"]) {
        events.addEventListener(name, event => this.told(JSON.parse((event as MessageEvent).data)));
      }
      events.addEventListener("done", () => over(done));
      events.addEventListener("failed", event => {
        const { error } = JSON.parse((event as MessageEvent).data);
        over(() => fail(new Refused(422, error?.kind ?? "failed", error?.detail ?? "the work failed")));
      });
      events.addEventListener("cancelled", () => over(() => fail(new Refused(0, "cancelled", "cancelled"))));
      events.onerror = () => {
        if (events.readyState === EventSource.CLOSED) {
          over(() => fail(new Refused(0, "gone", "the server cannot be reached; is it still running?")));
        }
      };
      this.signal.addEventListener("abort", () => over(() => {
        void fetch(`v1/jobs/${this.id}/cancel`, { method: "POST" });
        fail(new Refused(0, "cancelled", "cancelled"));
      }));
    });
  }

  async file(format: string): Promise<Blob> {
    return (await get(`v1/jobs/${this.id}/result?format=${format}`)).blob();
  }

  /** The server forgets it; also while the page is being closed. */
  forget(): void {
    if (this.id) void fetch(`v1/jobs/${this.id}`, { method: "DELETE", keepalive: true });
  }
}
