// Built from studio/src by `npm run build`; do not edit. Sources: sha256 87a2073f02051e7cdad9a1fc987b470f052e113ed3714568cbcc3ffc11bf8529

// src/client.ts
var Refused = class extends Error {
  constructor(status, kind, detail) {
    super(detail);
    this.status = status;
    this.kind = kind;
  }
  status;
  kind;
};
function within(name) {
  return name.split("/").map(encodeURIComponent).join("/");
}
var Client = class {
  /** base: the server's address with a slash behind it; "" for the server of this page. */
  constructor(base = "", token = null) {
    this.base = base;
    this.token = token;
  }
  base;
  token;
  /** Any request; throws Refused. */
  async request(method, path, form, query) {
    const url = new URLSearchParams(), body = new FormData();
    for (const [into, values] of [[url, query], [body, form]]) {
      for (const [name, value] of Object.entries(values ?? {})) {
        if (value === null || value === void 0) continue;
        if (value instanceof Blob && into instanceof FormData) into.set(name, value);
        else into.set(name, String(value));
      }
    }
    const keepalive = method === "DELETE";
    const headers = this.token ? { authorization: `Bearer ${this.token}` } : {};
    const asked = this.base + path + (url.size ? `?${url}` : "");
    let answer;
    try {
      answer = await fetch(asked, { method, headers, keepalive, body: form ? body : void 0 });
    } catch {
      throw new Refused(0, "gone", "the server cannot be reached; is it still running?");
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({ kind: "failed", detail: answer.statusText }));
    throw new Refused(answer.status, String(said.kind), String(said.detail));
  }
  /** Signing to text */
  async translate(form) {
    return (await this.request("POST", "v1/translate", form)).json();
  }
  /** One sign to its gloss */
  async recognize(form) {
    return (await this.request("POST", "v1/recognize", form)).json();
  }
  /** Where there is signing, cut into phrases */
  async segment(form) {
    return (await this.request("POST", "v1/segment", form)).json();
  }
  /** Subtitles timed to speech, re-timed to the signing */
  async align(form) {
    return (await this.request("POST", "v1/align", form)).json();
  }
  /** Where a job is */
  async state(id) {
    return (await this.request("GET", `v1/jobs/${within(id)}`)).json();
  }
  /** Forget a job and its files */
  async delete(id) {
    return this.request("DELETE", `v1/jobs/${within(id)}`);
  }
  /** The job's story as server-sent events, from its beginning or after Last-Event-ID */
  async events(id) {
    return this.request("GET", `v1/jobs/${within(id)}/events`);
  }
  /** The result as a file */
  async result(id, query = {}) {
    return this.request("GET", `v1/jobs/${within(id)}/result`, void 0, query);
  }
  /** Stop a job */
  async cancel(id) {
    return (await this.request("POST", `v1/jobs/${within(id)}/cancel`)).json();
  }
  /** The order of a layout's keypoints, for live frames and JSON */
  async layout(name) {
    return (await this.request("GET", `v1/layouts/${within(name)}`)).json();
  }
  /** Subtitles at corrected times, as a file; nothing is kept */
  async export(form) {
    return this.request("POST", "v1/export", form);
  }
  /** A simulated sentence, as a .pose file */
  async example() {
    return this.request("GET", "v1/example");
  }
  /** The models that are loaded */
  async listed() {
    return (await this.request("GET", "v1/models")).json();
  }
  /** A model's card, as Markdown */
  async card(name) {
    return this.request("GET", `v1/models/${within(name)}/card`);
  }
  /** What this server is and takes */
  async about() {
    return (await this.request("GET", "v1/server")).json();
  }
  /** Whether it works; needs no token */
  async health() {
    return (await this.request("GET", "healthz")).json();
  }
  /** For Prometheus */
  async measured() {
    return this.request("GET", "metrics");
  }
};
export {
  Client,
  Refused
};
