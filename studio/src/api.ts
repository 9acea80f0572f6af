// The server's jobs, as promises, over the generated client.

import { Client, Refused, type JobState, type ModelInfo } from "./client.js";
import type { Cue, Span } from "./cues.js";

export { Refused, type Server } from "./client.js";
export const client = new Client();

/** A sign that a recogniser saw: its middle, in seconds of the recording. */
export interface Sign { gloss: string; time: number; probability: number }
export interface Result {
  task: Task; name: string; model: ModelInfo | null; notices: string[];
  clip: { duration: number; fps: number; frames: number; layout: string; simulated: boolean; size: [number, number];
    origin: { extractor: string; version: string } };
  signing: Span[]; phrases: Span[]; share?: number;
  signloom: string; text?: string; alternatives?: { text: string }[]; glosses?: boolean;
  candidates?: { gloss: string; probability: number }[]; known?: boolean;
  cues?: Cue[]; signs?: Sign[]; lag?: number; confidence?: number; low?: number; timecode?: number; distrust?: string | null;
  subtitles?: string; format?: string;
}
export type Format = "vtt" | "srt" | "eaf" | "json" | "pose";
export type Task = "translate" | "recognize" | "segment" | "align";
export type Progress = Pick<JobState, "stage" | "done" | "total" | "ahead"> & { state: JobState["state"] | "uploading" };

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
    return (await client.result(this.id)).json();
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
        void client.cancel(this.id).catch(() => undefined);
        fail(new Refused(0, "cancelled", "cancelled"));
      }));
    });
  }

  async file(format: Format): Promise<Blob> {
    return (await client.result(this.id, { format })).blob();
  }

  /** The server forgets it; also while the page is being closed. */
  forget(): void {
    if (this.id) void client.delete(this.id).catch(() => undefined);
  }
}
