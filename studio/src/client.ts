// A client of the HTTP API of `signloom serve`. Written by studio/generate.py from the server's OpenAPI
// document; do not edit. The studio page uses it, and so can a program, in a browser or in Node.

/** A request that was not served: its status (0: no answer), one word for programs, and the reason. */
export class Refused extends Error {
  constructor(readonly status: number, readonly kind: string, detail: string) { super(detail); }
}

export interface Health {
  status: "ok";
  signloom: string;
  models: number;
  unfinished: number;
}

/** Where a job is. */
export interface JobState {
  id: string;
  task: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  /** `wait` (for the cores), `extract`, `activity`, `align`, `translate`, `recognize`. */
  stage: string;
  /** Of the stage: frames or seconds finished. */
  done: number;
  /** Of the stage, 0 where that is not known. */
  total: number;
  /** Jobs that wait before this one. */
  ahead: number;
  error?: Problem | null;
}

/** A named layout: its keypoints in the order of a frame. */
export interface LayoutInfo {
  name: string;
  /** `COMPONENT:POINT`, as MediaPipe calls them. */
  keypoints: string[];
  /** Pairs of keypoints to draw. */
  edges: number[][];
}

/** A model that is loaded here. */
export interface ModelInfo {
  name: string;
  tasks: string[];
  /** What `/v1/live` may ask of it: `translate`, `glosses`. */
  live: string[];
  /** It refuses real signing. */
  simulated_only: boolean;
  layout: string;
  languages: string[];
  writes_glosses: boolean;
  reads_lips: boolean;
}

/** Why a request is refused, or a job failed. */
export interface Problem {
  /** One word for programs, such as `too-large` or `no-signing`. */
  kind: string;
  /** What was got, what was expected, and what to do next. */
  detail: string;
}

/** What this server is and takes. */
export interface Server {
  signloom: string;
  models: ModelInfo[];
  limits: Record<string, number>;
  /** Whether videos can be read here. */
  extracts: boolean;
  /** Whether the page can take skeletons inside the browser. */
  holistic: boolean;
  /** Whether it serves this machine only. */
  local: boolean;
}

/** A name as a part of an address; that of a model may have slashes. */
function within(name: string): string { return name.split("/").map(encodeURIComponent).join("/"); }

export class Client {
  /** base: the server's address with a slash behind it; "" for the server of this page. */
  constructor(readonly base = "", readonly token: string | null = null) {}

  /** Any request; throws Refused. */
  async request(method: string, path: string, form?: object, query?: object): Promise<Response> {
    const url = new URLSearchParams(), body = new FormData();
    for (const [into, values] of [[url, query], [body, form]] as const) {
      for (const [name, value] of Object.entries(values ?? {})) {
        if (value === null || value === undefined) continue;
        if (value instanceof Blob && into instanceof FormData) into.set(name, value);
        else into.set(name, String(value));
      }
    }
    const keepalive = method === "DELETE"; // a page forgets its job while it is being closed
    const headers: HeadersInit = this.token ? { authorization: `Bearer ${this.token}` } : {};
    const asked = this.base + path + (url.size ? `?${url}` : "");
    let answer: Response;
    try { answer = await fetch(asked, { method, headers, keepalive, body: form ? body : undefined }); } catch {
      throw new Refused(0, "gone", "the server cannot be reached; is it still running?");
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({ kind: "failed", detail: answer.statusText }));
    throw new Refused(answer.status, String(said.kind), String(said.detail));
  }

  /** Signing to text */
  async translate(form: {
    media: File;
    model?: string | null;
    allow_simulated?: boolean;
    beam?: number | null;
    alternatives?: number;
    signer_box?: string | null;
  }): Promise<JobState> {
    return (await this.request("POST", "v1/translate", form)).json();
  }

  /** One sign to its gloss */
  async recognize(form: {
    media: File;
    model?: string | null;
    allow_simulated?: boolean;
    top?: number;
    signer_box?: string | null;
  }): Promise<JobState> {
    return (await this.request("POST", "v1/recognize", form)).json();
  }

  /** Where there is signing, cut into phrases */
  async segment(form: { media: File; signer_box?: string | null }): Promise<JobState> {
    return (await this.request("POST", "v1/segment", form)).json();
  }

  /** Subtitles timed to speech, re-timed to the signing */
  async align(form: {
    media: File;
    subtitles: File;
    model?: string | null;
    allow_simulated?: boolean;
    signer_box?: string | null;
    locked?: string;
    tier?: string | null;
    offset?: number | null;
    max_shift?: number | null;
    min_duration?: number;
    overlap?: "forbid" | "allow";
    on_low?: "prior" | "keep" | "mark";
    any_order?: boolean;
    start_timecode?: number | null;
  }): Promise<JobState> {
    return (await this.request("POST", "v1/align", form)).json();
  }

  /** Where a job is */
  async state(id: string): Promise<JobState> {
    return (await this.request("GET", `v1/jobs/${within(id)}`)).json();
  }

  /** Forget a job and its files */
  async delete(id: string): Promise<Response> {
    return this.request("DELETE", `v1/jobs/${within(id)}`);
  }

  /** The job's story as server-sent events, from its beginning or after Last-Event-ID */
  async events(id: string): Promise<Response> {
    return this.request("GET", `v1/jobs/${within(id)}/events`);
  }

  /** The result as a file */
  async result(id: string, query: {
    format?: "json" | "vtt" | "srt" | "eaf" | "ass" | "ttml" | "textgrid" | "pose";
  } = {}): Promise<Response> {
    return this.request("GET", `v1/jobs/${within(id)}/result`, undefined, query);
  }

  /** Stop a job */
  async cancel(id: string): Promise<JobState> {
    return (await this.request("POST", `v1/jobs/${within(id)}/cancel`)).json();
  }

  /** The order of a layout's keypoints, for live frames and JSON */
  async layout(name: string): Promise<LayoutInfo> {
    return (await this.request("GET", `v1/layouts/${within(name)}`)).json();
  }

  /** Subtitles at corrected times, as a file; nothing is kept */
  async export(form: {
    subtitles: File;
    cues: string;
    format?: "json" | "vtt" | "srt" | "eaf" | "ass" | "ttml" | "textgrid";
    tier?: string | null;
    result?: string | null;
  }): Promise<Response> {
    return this.request("POST", "v1/export", form);
  }

  /** A simulated sentence, as a .pose file */
  async example(): Promise<Response> {
    return this.request("GET", "v1/example");
  }

  /** The models that are loaded */
  async listed(): Promise<ModelInfo[]> {
    return (await this.request("GET", "v1/models")).json();
  }

  /** A model's card, as Markdown */
  async card(name: string): Promise<Response> {
    return this.request("GET", `v1/models/${within(name)}/card`);
  }

  /** What this server is and takes */
  async about(): Promise<Server> {
    return (await this.request("GET", "v1/server")).json();
  }

  /** Whether it works; needs no token */
  async health(): Promise<Health> {
    return (await this.request("GET", "healthz")).json();
  }

  /** For Prometheus */
  async measured(): Promise<Response> {
    return this.request("GET", "metrics");
  }
}
