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

// src/api.ts
var client = new Client();
var Job = class {
  constructor(told, signal) {
    this.told = told;
    this.signal = signal;
  }
  told;
  signal;
  id = "";
  async run(task2, form) {
    const upload = new XMLHttpRequest();
    const began = new Promise((done, fail) => {
      upload.upload.onprogress = (event) => this.told({ state: "uploading", stage: "", done: event.loaded, total: event.total, ahead: 0 });
      upload.onload = () => {
        let said = {};
        try {
          said = JSON.parse(upload.responseText);
        } catch {
        }
        if (upload.status === 202) done(said);
        else fail(new Refused(upload.status, said.kind ?? "failed", said.detail ?? "the server gave no answer"));
      };
      upload.onerror = () => fail(new Refused(0, "gone", "the server cannot be reached; is it still running?"));
      upload.onabort = () => fail(new Refused(0, "cancelled", "cancelled"));
    });
    this.signal.addEventListener("abort", () => upload.abort());
    upload.open("POST", `v1/${task2}`);
    upload.send(form);
    this.id = (await began).id;
    await this.watched();
    return (await client.result(this.id)).json();
  }
  watched() {
    return new Promise((done, fail) => {
      const events = new EventSource(`v1/jobs/${this.id}/events`);
      const over = (act) => {
        events.close();
        act();
      };
      for (const name of ["queued", "running"]) {
        events.addEventListener(name, (event) => this.told(JSON.parse(event.data)));
      }
      events.addEventListener("done", () => over(done));
      events.addEventListener("failed", (event) => {
        const { error } = JSON.parse(event.data);
        over(() => fail(new Refused(422, error?.kind ?? "failed", error?.detail ?? "the work failed")));
      });
      events.addEventListener("cancelled", () => over(() => fail(new Refused(0, "cancelled", "cancelled"))));
      events.onerror = () => {
        if (events.readyState === EventSource.CLOSED) {
          over(() => fail(new Refused(0, "gone", "the server cannot be reached; is it still running?")));
        }
      };
      this.signal.addEventListener("abort", () => over(() => {
        void client.cancel(this.id).catch(() => void 0);
        fail(new Refused(0, "cancelled", "cancelled"));
      }));
    });
  }
  async file(format) {
    return (await client.result(this.id, { format })).blob();
  }
  /** The server forgets it; also while the page is being closed. */
  forget() {
    if (this.id) void client.delete(this.id).catch(() => void 0);
  }
};

// src/dom.ts
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== void 0) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}
function clock(seconds2, exact = true) {
  const whole = Math.round(Math.abs(seconds2) * 1e3);
  const pad = (n, digits = 2) => String(n).padStart(digits, "0");
  const h = Math.floor(whole / 36e5), m = Math.floor(whole / 6e4) % 60;
  const s = Math.floor(whole / 1e3) % 60;
  const minutes = h ? `${h}:${pad(m)}` : String(m);
  return `${seconds2 < -5e-4 ? "−" : ""}${minutes}:${pad(s)}${exact ? `.${pad(whole % 1e3, 3)}` : ""}`;
}
function seconds(text) {
  if (!/^(\d+:){0,2}\d+([.,]\d+)?$/.test(text.trim())) return null;
  return text.trim().replace(",", ".").split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
}
function announce(text) {
  const live = byId("live");
  live.textContent = live.textContent === text ? `${text} ` : text;
}
function save(data, name) {
  const url = URL.createObjectURL(data);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1e4);
}

// src/camera.ts
var KINDS = ["video/webm;codecs=vp8", "video/mp4", "video/webm"];
var COUNT = 3;
var Camera = class {
  constructor(recorded) {
    this.recorded = recorded;
    byId("camera-button").addEventListener("click", () => void this.open());
    this.button.addEventListener("click", () => this.toggle());
    this.dialog.addEventListener("close", () => this.close());
  }
  recorded;
  dialog = byId("camera");
  preview = byId("preview");
  button = byId("record");
  stream = null;
  recorder = null;
  timer = 0;
  async open() {
    this.say("Waiting for the camera. Your browser may ask whether this page may use it.");
    this.button.disabled = true;
    this.button.textContent = "Record";
    this.dialog.showModal();
    try {
      const stream = await cameraStream();
      if (!this.dialog.open) return stop(stream);
      this.stream = this.preview.srcObject = stream;
      await this.preview.play();
    } catch (error) {
      return this.say(why(error));
    }
    this.say(`Nothing is recorded yet. After “Record” there are ${COUNT} seconds to get ready.`);
    this.button.disabled = false;
    this.button.focus();
  }
  toggle() {
    if (this.recorder?.state === "recording") this.recorder.stop();
    else if (this.recorder) return;
    else if (this.timer) this.wait();
    else this.count(COUNT);
  }
  /** Back to before the countdown. */
  wait() {
    clearTimeout(this.timer);
    this.timer = 0;
    byId("count").textContent = "";
    this.button.textContent = "Record";
  }
  count(left) {
    byId("count").textContent = left ? String(left) : "";
    this.button.textContent = "Not yet";
    if (!left) return this.begin();
    this.say(`Recording starts in ${left}.`);
    this.timer = window.setTimeout(() => this.count(left - 1), 1e3);
  }
  begin() {
    const type = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)), parts = [];
    const recorder = new MediaRecorder(this.stream, { mimeType: type, videoBitsPerSecond: 4e6 });
    this.recorder = recorder;
    const began = performance.now();
    const tick = () => {
      byId("recorded-for").textContent = clock((performance.now() - began) / 1e3, false);
      this.timer = window.setTimeout(tick, 250);
    };
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.onstop = () => {
      const kept = this.dialog.open;
      this.dialog.close();
      if (!kept) return;
      const ending = recorder.mimeType.includes("mp4") ? "mp4" : "webm";
      this.recorded(new File(parts, `camera.${ending}`, { type: recorder.mimeType }));
    };
    recorder.start();
    this.dialog.classList.add("recording");
    this.button.textContent = "Stop";
    this.say("Recording.");
    tick();
  }
  say(text) {
    byId("camera-words").textContent = text;
  }
  /** The camera goes off; what was recorded until a dialog is closed by Escape is dropped. */
  close() {
    this.wait();
    const recorder = this.recorder;
    this.recorder = null;
    if (recorder?.state === "recording") {
      recorder.stop();
      announce("The recording is dropped");
    }
    stop(this.stream);
    this.stream = this.preview.srcObject = null;
    this.dialog.classList.remove("recording");
    byId("recorded-for").textContent = "";
  }
};
async function cameraStream() {
  if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
  return navigator.mediaDevices.getUserMedia({
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
    audio: false
  });
}
function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
function why(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The camera may not be used. Allow it for this page in the browser's settings, then try again.";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "No camera was found. Is it plugged in?";
  if (name === "NotReadableError") return "The camera is in use by another program.";
  if (name === "SecurityError") return "Browsers hand out the camera on this computer's own pages and over HTTPS only.";
  return `The camera does not start: ${error instanceof Error ? error.message : error}`;
}

// src/card.ts
function written(card2) {
  const blocks = card2.replace(/^---\n[\s\S]*?\n---\n/, "").trim().split(/\n{2,}/);
  return blocks.map((block) => {
    const lines = block.split("\n"), heading = /^#+ (.*)/.exec(lines[0]);
    if (heading) return make("h3", {}, ...spans(heading[1]));
    if (lines.every((line) => line.startsWith("|"))) return table(lines);
    if (/^[-*] /.test(block)) {
      return make("ul", {}, ...block.split(/^[-*] /m).slice(1).map((item) => make("li", {}, ...spans(item))));
    }
    return make("p", {}, ...spans(block));
  });
}
function table(lines) {
  const [head, , ...rows] = lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  return make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...head.map((cell) => make("th", { scope: "col" }, ...spans(cell))))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, ...spans(cell))))))
  );
}
function spans(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => part.startsWith("**") ? make("b", {}, part.slice(2, -2)) : part.startsWith("`") ? make("code", {}, part.slice(1, -1)) : part);
}

// src/cues.ts
var WORDS = {
  high: "sure",
  medium: "fairly sure",
  low: "unsure",
  "not placed": "not placed"
};
var LEAST = 0.04;
var Cues = class {
  cues = [];
  places = [];
  past = [];
  future = [];
  changed = () => {
  };
  open(cues2) {
    this.past = [];
    this.future = [];
    this.take(cues2);
    this.changed();
  }
  take(cues2) {
    const before = new Map(this.cues.map((cue, k) => [cue.number, this.places[k]]));
    this.places = cues2.map((cue) => {
      const locked = cue.flags.includes("locked");
      return { span: { ...cue.new }, locked, corrected: locked && (before.get(cue.number)?.corrected ?? false) };
    });
    this.cues = cues2;
  }
  /** New places from the server; what is locked is where it was. */
  replace(cues2) {
    this.remember("align again");
    this.take(cues2);
    this.changed();
  }
  get undoable() {
    return this.past.at(-1)?.what ?? null;
  }
  get redoable() {
    return this.future.at(-1)?.what ?? null;
  }
  get locked() {
    return this.places.filter((place) => place.locked).length;
  }
  copy(what) {
    return { cues: this.cues, places: this.places.map((place) => ({ ...place, span: { ...place.span } })), what };
  }
  remember(what) {
    this.past.push(this.copy(what));
    if (this.past.length > 200) this.past.shift();
    this.future = [];
  }
  undo() {
    return this.step(this.past, this.future);
  }
  redo() {
    return this.step(this.future, this.past);
  }
  step(from, to) {
    const back2 = from.pop();
    if (!back2) return null;
    to.push(this.copy(back2.what));
    this.cues = back2.cues;
    this.places = back2.places;
    this.changed();
    return back2.what;
  }
  /** A person's place for a cue, which locks it; times on frames, at least one long. */
  move(k, span, fps, keep = true) {
    const place = this.places[k];
    if (!place) return;
    if (keep) this.remember("move a cue");
    const frame = (time) => Math.round(time * fps) / fps;
    const start2 = Math.max(frame(span.start), 0);
    const end = Math.max(frame(span.end), start2 + Math.max(1 / fps, LEAST));
    place.span = { start: round(start2), end: round(end) };
    place.locked = place.corrected = true;
    this.changed();
  }
  lock(k, locked) {
    const place = this.places[k];
    if (!place) return;
    this.remember(locked ? "lock a cue" : "unlock a cue");
    place.locked = locked;
    this.changed();
  }
};
function round(time) {
  return Math.round(time * 1e3) / 1e3;
}

// src/holistic.ts
var KEYPOINTS = 576;
var PARTS = [
  { stream: "pose_landmarks", first: 0, count: 33 },
  { stream: "face_landmarks", first: 33, count: 468 },
  { stream: "left_hand_landmarks", first: 501, count: 21 },
  { stream: "right_hand_landmarks", first: 522, count: 21 },
  { stream: "world_landmarks", first: 543, count: 33 }
];
var STEP = 1e3 / 30;
var Holistic = class _Holistic {
  constructor(solution, origin) {
    this.solution = solution;
    this.origin = origin;
    solution.onResults((found) => {
      this.found = found;
    });
  }
  solution;
  origin;
  static opened = null;
  found = {};
  time = 0;
  /** Loads the models, once; a new signer may come after it. Throws Refused where this browser cannot. */
  static async open() {
    _Holistic.opened ??= _Holistic.load();
    try {
      const holistic = await _Holistic.opened;
      await holistic.solution.reset();
      return holistic;
    } catch (error) {
      _Holistic.opened = null;
      throw error;
    }
  }
  static async load() {
    const cpu = software();
    await script("holistic/holistic.js");
    const solution = new window.Solution(config(cpu));
    await solution.initialize();
    const settings = {
      model_complexity: 1,
      refine_face_landmarks: false,
      static_image_mode: false,
      parts: ["hands", "body", "face"],
      signer_box: null,
      inference: cpu ? "cpu" : "gpu"
    };
    return new _Holistic(solution, { extractor: "mediapipe-holistic", version: `npm ${window.VERSION}`, settings });
  }
  /** x, y, z and confidence of each keypoint in the next picture, in pixels; 0 where it is not seen. */
  async read(picture) {
    this.found = {};
    this.time += STEP;
    await this.solution.send({ image: picture }, this.time);
    const frame = new Float32Array(4 * KEYPOINTS);
    for (const { stream, first, count } of PARTS) {
      const bytes = this.found[stream];
      if (!bytes?.length) continue;
      const seen = stream === "pose_landmarks" || stream === "world_landmarks";
      landmarks(bytes).slice(0, count).forEach(([x, y, z, visibility], k) => {
        frame.set([x * picture.width, y * picture.height, z, seen ? visibility : 1], 4 * (first + k));
      });
    }
    return frame;
  }
};
function landmarks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const list = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + view.getUint8(at + 1), point = [0, 0, 0, 0];
    for (at += 2; at < end; at += 5) {
      const field = view.getUint8(at) >> 3;
      if (field <= 4) point[field - 1] = view.getFloat32(at + 1, true);
    }
    list.push(point);
  }
  return list;
}
function software() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) throw new Refused(0, "no-webgl", "WebGL 2 is switched off or missing.");
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  return /swiftshader|llvmpipe|software|basic render/i.test(String(gl.getParameter(named?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER)));
}
function script(path) {
  return new Promise((done, fail) => {
    const element = document.createElement("script");
    element.src = path;
    element.onload = () => done();
    element.onerror = () => fail(new Refused(0, "gone", `${path} cannot be loaded from the server.`));
    document.body.append(element);
  });
}
function config(cpu) {
  const side = (name, type, value) => ({
    type,
    default: value,
    graphOptionXref: {
      calculatorType: "ConstantSidePacketCalculator",
      calculatorName: `ConstantSidePacketCalculator${name}`,
      fieldName: type ? "int_value" : "bool_value"
    }
  });
  const streams = PARTS.map((part) => part.stream);
  const model = "pose_landmark_full.tflite";
  return {
    locateFile: (name) => `holistic/${name}`,
    files: [
      { url: "holistic_solution_packed_assets_loader.js" },
      { simd: false, url: "holistic_solution_wasm_bin.js" },
      { simd: true, url: "holistic_solution_simd_wasm_bin.js" },
      { url: model, data: true, path: `third_party/mediapipe/modules/pose_landmark/${model}` }
    ],
    graph: { url: "holistic.binarypb" },
    inputs: { image: { type: "video", stream: "input_frames_gpu" } },
    listeners: [{ wants: streams, outs: Object.fromEntries(streams.map((stream) => [stream, { type: "proto", stream }])) }],
    options: {
      modelComplexity: side("ModelComplexity", 1, 1),
      smoothLandmarks: side("SmoothLandmarks", 0, true),
      refineFaceLandmarks: side("RefineFaceLandmarks", 0, false),
      useCpuInference: {
        type: 0,
        default: cpu,
        graphOptionXref: { calculatorType: "InferenceCalculator", fieldName: "use_cpu_inference" }
      }
    }
  };
}

// src/video.ts
async function load(video, url) {
  video.src = url;
  const played2 = await new Promise((done) => {
    video.onloadeddata = () => done(true);
    video.onerror = () => done(false);
  });
  if (!played2 || !video.videoWidth) return false;
  if (!Number.isFinite(video.duration)) {
    await new Promise((done) => {
      video.onseeked = () => done();
      video.onerror = () => done();
      video.currentTime = 1e9;
    });
    await new Promise((done) => {
      video.onseeked = () => done();
      video.currentTime = 0;
    });
  }
  return Number.isFinite(video.duration);
}

// src/extract.ts
var COMMON_RATES = [24e3 / 1001, 24, 25, 3e4 / 1001, 30, 50, 6e4 / 1001, 60, 10, 12, 12.5, 15, 20];
var PICTURES = 16;
var PATIENCE = 8e3;
async function skeletonOf(video, longest, told, signal) {
  const element = document.createElement("video"), canvas = document.createElement("canvas");
  element.muted = true;
  const url = URL.createObjectURL(video);
  try {
    if (!await load(element, url)) {
      throw new Refused(0, "unplayable", `${video.name} is a video that this browser cannot play.`);
    }
    if (element.duration > longest) {
      throw new Refused(413, "too-large", `${video.name} is too long: ${element.duration.toFixed(0)} s, expected at most ${longest.toFixed(0)} s; cut it`);
    }
    const holistic = await Holistic.open();
    const fps = await rateOf(element), frames = Math.max(Math.round(element.duration * fps), 1);
    const pen = canvas.getContext("2d"), read = [];
    [canvas.width, canvas.height] = [element.videoWidth, element.videoHeight];
    for (let k = 0; k < frames; k++) {
      if (signal.aborted) throw new Refused(0, "cancelled", "cancelled");
      told(k, frames);
      await seek(element, (k + 0.5) / fps);
      pen.drawImage(element, 0, 0);
      read.push(await holistic.read(canvas));
    }
    const name = video.name.replace(/\.[^.]*$/, "");
    const header = await (await client.request("GET", "static/holistic.header")).arrayBuffer();
    const data = poseFile(header, read, fps, [canvas.width, canvas.height], name, holistic.origin);
    return new File([data], `${name}.pose`);
  } finally {
    element.removeAttribute("src");
    URL.revokeObjectURL(url);
  }
}
function seek(video, time) {
  return new Promise((done, fail) => {
    video.onseeked = () => done();
    video.onerror = () => fail(new Refused(0, "unplayable", `This browser cannot read the video at ${time.toFixed(1)} s.`));
    video.currentTime = time;
  });
}
async function rateOf(video) {
  for (const speed of [0.25, 0.0625]) {
    const times = await played(video, speed);
    const steps = times.slice(1).map((time, k) => time - times[k]).filter((step3) => step3 > 1e-4);
    const least = Math.min(...steps), single = steps.filter((step3) => step3 < 1.25 * least);
    if (!single.length) continue;
    const step2 = single.reduce((sum, each) => sum + each) / single.length;
    const near = COMMON_RATES.filter((rate) => Math.abs(rate * step2 - 1) < 0.02);
    near.sort((a, b) => Math.abs(a * step2 - 1) - Math.abs(b * step2 - 1));
    return near[0] ?? Number((1 / step2).toFixed(3));
  }
  throw new Refused(0, "unplayable", "This browser does not show how many pictures a second the video has. Keep the page in front while it works.");
}
async function played(video, speed) {
  const times = [];
  await seek(video, 0);
  video.playbackRate = speed;
  await new Promise((done) => {
    const next = (_, { mediaTime }) => {
      times.push(mediaTime);
      if (times.length > PICTURES) done();
      else video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
    video.onended = () => done();
    setTimeout(done, PATIENCE);
    void video.play().catch(() => done());
  });
  video.pause();
  return times;
}
function poseFile(header, read, fps, size2, id, origin) {
  const own = new DataView(header.slice(0));
  own.setUint16(4, size2[0], true);
  own.setUint16(6, size2[1], true);
  const about = new DataView(new ArrayBuffer(10));
  about.setFloat32(0, fps, true);
  about.setUint32(4, read.length, true);
  about.setUint16(8, 1, true);
  const points = read.map((frame) => frame.filter((_, k) => k % 4 < 3));
  const confidence = read.map((frame) => Float32Array.from({ length: KEYPOINTS }, (_, k) => frame[4 * k + 3]));
  const made = { ...origin, settings: { ...origin.settings, fps } };
  const ascii = JSON.stringify({ id, layout: "holistic", ...made }).replace(/[\u0080-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const trailer = new DataView(new ArrayBuffer(4));
  trailer.setUint32(0, ascii.length, true);
  return new Blob([own, about, ...points, ...confidence, "signloom", trailer, ascii]);
}

// src/words.ts
var STAGES = {
  "": "Starting",
  wait: "Waiting until another video is done",
  extract: "Finding body, hands and face in the video",
  here: "Finding body, hands and face, in this browser",
  activity: "Looking for signing",
  align: "Placing the subtitles",
  translate: "Translating",
  recognize: "Naming the sign"
};
var TASKS = {
  align: {
    title: "Align subtitles",
    what: "Move subtitles from when the words are said to when they are signed. Any signed language.",
    result: "Aligned subtitles"
  },
  segment: {
    title: "Find signing",
    what: "Where somebody signs, cut into phrases. Any signed language.",
    result: "Signing"
  },
  translate: {
    title: "Translate",
    what: "Write down what is signed, in the language that the model knows.",
    result: "Translation"
  },
  recognize: {
    title: "Name one sign",
    what: "A short clip of one sign: which sign is it?",
    result: "Which sign"
  }
};
var REFUSALS = {
  "simulated-only": {
    title: "This model knows only simulated signing",
    advice: "It has never seen a person sign. Whatever it wrote about this recording would look confident and be nonsense, so it writes nothing."
  },
  "no-signing": {
    title: "No signing found",
    advice: "Are the signer's hands and shoulders in the picture, large enough and well lit?"
  },
  "too-large": { title: "This is too large", advice: "" },
  unsupported: { title: "This file cannot be read", advice: "" },
  media: { title: "This recording cannot be read", advice: "" },
  subtitles: { title: "These subtitles do not fit", advice: "" },
  unplayable: { title: "This browser cannot play the video", advice: "So it cannot take the skeleton either. Nothing was sent." },
  "no-webgl": { title: "This browser cannot take the skeleton", advice: "Nothing was sent." },
  busy: { title: "The server is busy", advice: "" },
  gone: { title: "The server is gone", advice: "Start `signloom serve` again, then try once more." },
  cancelled: { title: "Cancelled", advice: "Nothing was kept." },
  "missing-extra": { title: "Videos cannot be read here", advice: "A .pose file works without it." },
  "not-found": { title: "The result is gone", advice: "" },
  token: { title: "The access token is missing", advice: "" }
};
var FLAGS = {
  "no signing": "probably nobody signs it",
  prior: "moved only by the lag there",
  kept: "left where it was",
  clamped: "moved again so that nothing overlaps",
  outside: "outside of what was to be moved",
  "not speech": "music or a sound: follows its neighbours"
};
var KEYS = [
  ["Space or K", "play, stop"],
  [", and .", "one picture back, on"],
  ["← and →", "one second back, on"],
  ["↑ and ↓", "the cue before, the next cue"],
  ["[ and ]", "the cue starts here, ends here"],
  ["Alt with ← and →", "move the cue by a picture; with Shift by ten"],
  ["L", "lock the cue, or unlock it"],
  ["N", "the next cue to check"],
  ["R", "align again around what is locked"],
  ["Z and Shift Z", "undo, redo (also Ctrl Z, Ctrl Y)"],
  ["+ and −", "timeline larger, smaller; 0 shows all of it"],
  ["O", "repeat the cue, or everything"],
  ["< and >", "slower, faster"],
  ["V", "video, skeleton, both"],
  ["?", "this help"]
];

// src/live.ts
var MEASURED = 8;
var SLOWEST = 5;
var FASTEST = 25;
function liveTask(server2) {
  if (!server2.holistic) return null;
  const tasks = server2.models.flatMap((model) => model.live);
  return tasks[0] ?? null;
}
var Live = class {
  constructor(server2) {
    this.server = server2;
    this.button.addEventListener("click", () => this.socket || this.stream ? this.end() : void this.begin());
    byId("live-nonsense").addEventListener("click", () => void this.begin(true));
  }
  server;
  preview = byId("live-preview");
  button = byId("live-stop");
  stream = null;
  socket = null;
  run = 0;
  /** Forgets what was written before. */
  clear() {
    byId("live-text").replaceChildren();
    byId("live-simulated").hidden = true;
  }
  async begin(nonsense = false) {
    const run2 = ++this.run, over = () => run2 !== this.run;
    byId("live-nonsense").hidden = true;
    this.provisional("");
    this.button.textContent = "Stop";
    this.button.focus();
    try {
      this.say("Waiting for the camera. Your browser may ask whether this page may use it.");
      const stream = await cameraStream();
      if (over()) return stop(stream);
      this.stream = this.preview.srcObject = stream;
      await this.preview.play();
      this.say("Loading what finds body, hands and face.");
      const holistic = await Holistic.open(), canvas = document.createElement("canvas");
      const read = () => {
        [canvas.width, canvas.height] = [this.preview.videoWidth, this.preview.videoHeight];
        canvas.getContext("2d").drawImage(this.preview, 0, 0);
        return holistic.read(canvas);
      };
      await read();
      const began = performance.now();
      for (let k = 0; k < MEASURED && !over(); k++) await read();
      const rate = 1e3 * MEASURED / (performance.now() - began);
      if (over()) return;
      if (rate < SLOWEST) throw new Refused(0, "slow", `It reads ${rate.toFixed(1)} pictures a second, and ${SLOWEST} are needed. A recording works.`);
      const fps = Math.min(Math.floor(rate * 0.9), FASTEST) || SLOWEST;
      await this.connect({
        task: liveTask(this.server),
        layout: "holistic",
        fps: Math.max(fps, SLOWEST),
        size: [canvas.width, canvas.height],
        origin: holistic.origin,
        allow_simulated: nonsense
      });
      await this.send(read, Math.max(fps, SLOWEST), over);
    } catch (error) {
      if (!over()) this.failed(error);
    }
  }
  /** Frames are the clock: where reading a picture takes longer than one, it is sent again. */
  async send(read, fps, over) {
    const began = performance.now();
    for (let sent = 0; !over() && this.socket; ) {
      const frame = await read();
      const due = Math.floor((performance.now() - began) / 1e3 * fps);
      for (; sent < due && this.socket?.readyState === WebSocket.OPEN; sent++) this.socket.send(frame);
      await new Promise(requestAnimationFrame);
    }
  }
  connect(first) {
    const address = new URL("v1/live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = this.socket = new WebSocket(address);
    return new Promise((ready, fail) => {
      let last = null;
      socket.onopen = () => socket.send(JSON.stringify(first));
      socket.onmessage = (event) => {
        const told = JSON.parse(event.data);
        if (told.type === "ready") {
          this.say(`Sign. Text comes about ${told.look_ahead_s.toFixed(1)} seconds after a phrase is over. Only the skeleton is sent.`);
          byId("live-model").textContent = `Model ${told.model}`;
          byId("live-simulated").hidden = !told.simulated_only;
          ready();
        } else if (told.type === "error") last = new Refused(0, told.kind, told.detail);
        else if (told.type === "closed") this.say("Stopped.");
        else this.write(told);
      };
      socket.onclose = () => {
        if (socket !== this.socket) return;
        const stopped = !this.stream;
        this.socket = null;
        if (stopped && !last) return;
        const error = last ?? new Refused(0, "gone", "the server closed the connection; is it still running?");
        fail(error);
        this.failed(error);
      };
    });
  }
  write(told) {
    if (told.type === "provisional") return this.provisional(told.text);
    this.provisional("");
    if (told.text) byId("live-text").append(make("li", { dir: "auto", lang: "" }, told.text));
    byId("live-notice").textContent = told.notice;
    byId("live-text").lastElementChild?.scrollIntoView({ block: "nearest" });
  }
  provisional(text) {
    byId("live-provisional").textContent = text && `${text} …`;
  }
  say(text) {
    byId("live-words").textContent = text;
  }
  failed(error) {
    const said = error instanceof Refused ? REFUSALS[error.kind] : void 0;
    this.say(said ? `${said.title}. ${said.advice}` : error instanceof Refused ? error.message : why(error));
    byId("live-nonsense").hidden = !(error instanceof Refused && error.kind === "simulated-only");
    this.end();
  }
  /** The camera goes off; the text of what was signed until now still comes. */
  end() {
    this.run++;
    stop(this.stream);
    this.stream = this.preview.srcObject = null;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "end" }));
    else this.socket = null;
    this.button.textContent = "Go on";
    announce("The camera is off");
  }
};

// src/draw.ts
var WIDTHS = { body: 2.5, face: 1.2, left_hand: 2.4, right_hand: 3 };
var MARGIN = 0.06;
function draw(canvas, poses2, number, window_, over) {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
  const w = Math.round(wide * ratio), h = Math.round(high * ratio);
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const frame = poses2.frame(number);
  if (!frame) return;
  pen.clearRect(0, 0, wide, high);
  const [left, top, right, bottom] = window_;
  const spanX = Math.max(right - left, 1e-6), spanY = Math.max(bottom - top, 1e-6);
  const scale = Math.min(wide / spanX, high / spanY);
  const dx = (wide - spanX * scale) / 2 - left * scale, dy = (high - spanY * scale) / 2 - top * scale;
  const style = getComputedStyle(canvas);
  pen.lineCap = pen.lineJoin = "round";
  const parts = ["body", "face", "left_hand", "right_hand"];
  for (const halo of over ? [true, false] : [false]) {
    for (const part of parts) {
      pen.beginPath();
      for (const edge of poses2.edges) {
        if (edge.part !== part) continue;
        if (!(frame.confidence[edge.a] > 0) || !(frame.confidence[edge.b] > 0)) continue;
        const a = edge.a * poses2.dims, b = edge.b * poses2.dims;
        pen.moveTo(dx + frame.points[a] * scale, dy + frame.points[a + 1] * scale);
        pen.lineTo(dx + frame.points[b] * scale, dy + frame.points[b + 1] * scale);
      }
      pen.lineWidth = WIDTHS[part] + (halo ? 3 : 0);
      pen.strokeStyle = halo ? "rgb(0 0 0 / .55)" : style.getPropertyValue(`--${over ? "over-" : ""}${part}`);
      pen.setLineDash(part === "left_hand" && !halo ? [6, 4] : []);
      pen.stroke();
    }
  }
  pen.setLineDash([]);
}
function around(box) {
  const [left, top, right, bottom] = box;
  const x = (right - left) * MARGIN, y = (bottom - top) * MARGIN;
  return [left - x, top - y, right + x, bottom + y];
}

// src/player.ts
var SPEEDS = [0.25, 0.5, 0.75, 1, 1.5, 2];
var Player = class {
  constructor(video, canvas, stage) {
    this.video = video;
    this.canvas = canvas;
    this.stage = stage;
    video.muted = true;
    video.addEventListener("play", () => this.started());
    video.addEventListener("pause", () => {
      this.running = false;
      this.onPlaying(false);
    });
    video.addEventListener("seeked", () => this.paint());
    new ResizeObserver(() => this.paint()).observe(stage);
  }
  video;
  canvas;
  stage;
  poses = null;
  view = "both";
  loop = null;
  /** Called at every picture, with the time in seconds. */
  onTime = () => {
  };
  onPlaying = () => {
  };
  own = 0;
  running = false;
  last = 0;
  rate = 1;
  url = "";
  box = null;
  hasVideo = false;
  length = 0;
  get time() {
    return this.hasVideo ? this.video.currentTime : this.own;
  }
  get playing() {
    return this.running;
  }
  get duration() {
    return this.length;
  }
  get fps() {
    return this.poses?.fps ?? 25;
  }
  get withVideo() {
    return this.hasVideo;
  }
  /** Shows a video file; false where this browser cannot play it. */
  async openVideo(file) {
    this.clear();
    this.url = URL.createObjectURL(file);
    this.hasVideo = await load(this.video, this.url);
    if (this.hasVideo) this.length = this.video.duration;
    else this.video.removeAttribute("src");
    this.fit();
    return this.hasVideo;
  }
  async openPoses(poses2) {
    this.poses = poses2;
    this.length = Math.max(poses2.duration, this.hasVideo ? this.length : 0);
    poses2.arrived = () => this.paint();
    const box = await poses2.box();
    this.box = box && around(box);
    this.fit();
    this.paint();
  }
  clear() {
    this.pause();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
    this.video.removeAttribute("src");
    this.poses = this.box = this.loop = null;
    this.own = this.length = 0;
    this.hasVideo = false;
  }
  setView(view) {
    this.view = view;
    this.fit();
    this.paint();
  }
  setRate(rate) {
    this.rate = this.video.playbackRate = rate;
  }
  get speed() {
    return this.rate;
  }
  toggle() {
    if (this.running) this.pause();
    else this.play();
  }
  play() {
    if (!this.length) return;
    if (this.time >= this.length - 0.02) this.seek(0);
    if (this.hasVideo) {
      this.video.playbackRate = this.rate;
      void this.video.play().catch(() => this.onPlaying(false));
    } else this.started();
  }
  pause() {
    if (this.hasVideo) this.video.pause();
    if (this.running) {
      this.running = false;
      this.onPlaying(false);
    }
  }
  seek(time) {
    const at = Math.min(Math.max(time, 0), this.length);
    if (this.hasVideo) this.video.currentTime = at;
    this.own = at;
    this.paint();
    this.onTime(at);
  }
  started() {
    if (this.running) return;
    this.running = true;
    this.last = performance.now();
    this.onPlaying(true);
    const tick = (now) => {
      if (!this.running) return;
      if (!this.hasVideo) this.own = Math.min(this.own + this.rate * (now - this.last) / 1e3, this.length);
      this.last = now;
      const { loop } = this;
      if (loop && (this.time >= loop.end || this.time < loop.start - 0.5)) this.seek(loop.start);
      else if (!this.hasVideo && this.own >= this.length) this.pause();
      this.paint();
      this.onTime(this.time);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }
  /** The stage takes the shape of what is shown. */
  fit() {
    const skeleton2 = !this.hasVideo || this.view === "skeleton";
    this.stage.dataset.view = skeleton2 ? "skeleton" : this.view;
    let ratio = 4 / 3;
    if (!skeleton2 && this.video.videoWidth) ratio = this.video.videoWidth / this.video.videoHeight;
    else if (this.poses && !this.box) ratio = this.poses.width / this.poses.height;
    this.stage.style.aspectRatio = String(Math.min(Math.max(ratio, 0.75), 2));
  }
  paint() {
    const { poses: poses2 } = this;
    if (!poses2) return;
    const over = this.stage.dataset.view !== "skeleton";
    const whole = [0, 0, poses2.width, poses2.height];
    const frame = Math.floor(this.time * poses2.fps + 1e-3);
    draw(this.canvas, poses2, frame, over ? whole : this.box ?? whole, over);
  }
};

// src/pose.ts
var LONGEST_HEADER = 1 << 22;
var MOST_POINTS = 16384;
var CHUNK = 64;
var KEPT = 40;
var COMPONENTS = {
  POSE_LANDMARKS: "body",
  FACE_LANDMARKS: "face",
  LEFT_HAND_LANDMARKS: "left_hand",
  RIGHT_HAND_LANDMARKS: "right_hand"
};
var LEGS = ["KNEE", "ANKLE", "HEEL", "FOOT"];
var HEAD = ["NOSE", "EYE", "EAR", "MOUTH"];
var FINGERS = ["PINKY", "INDEX", "THUMB"];
var Reader = class {
  constructor(view) {
    this.view = view;
  }
  view;
  at = 0;
  take(size2) {
    if (this.at + size2 > this.view.byteLength) throw new Error("the file ends inside its header");
    this.at += size2;
    return this.at - size2;
  }
  u16() {
    return this.view.getUint16(this.take(2), true);
  }
  u32() {
    return this.view.getUint32(this.take(4), true);
  }
  f32() {
    return this.view.getFloat32(this.take(4), true);
  }
  text() {
    const length = this.u16(), at = this.take(length);
    return new TextDecoder().decode(new Uint8Array(this.view.buffer, at, length));
  }
  skip(size2) {
    this.take(size2);
  }
};
var Poses = class _Poses {
  constructor(blob, width, height, fps, frames, people, keypoints, dims, edges, body) {
    this.blob = blob;
    this.width = width;
    this.height = height;
    this.fps = fps;
    this.frames = frames;
    this.people = people;
    this.keypoints = keypoints;
    this.dims = dims;
    this.edges = edges;
    this.body = body;
  }
  blob;
  width;
  height;
  fps;
  frames;
  people;
  keypoints;
  dims;
  edges;
  body;
  chunks = /* @__PURE__ */ new Map();
  loading = /* @__PURE__ */ new Set();
  /** Called when frames have arrived that were asked for. */
  arrived = () => {
  };
  get duration() {
    return this.frames / this.fps;
  }
  /** Throws an Error that says what is wrong with the file. */
  static async open(blob) {
    const reader = new Reader(new DataView(await blob.slice(0, LONGEST_HEADER).arrayBuffer()));
    const version = reader.f32();
    const second = Math.abs(version - 0.2) < 1e-4;
    if (!second && Math.abs(version - 0.1) > 1e-4) throw new Error("it is not version 0.1 or 0.2");
    const width = reader.u16(), height = reader.u16();
    reader.u16();
    const edges = [];
    const names = [];
    let dims = 0;
    for (let left = reader.u16(); left > 0; left--) {
      const component = reader.text();
      dims = Math.max(dims, reader.text().length - 1);
      const points = reader.u16(), limbs = reader.u16(), colours = reader.u16(), first = names.length;
      if (first + points > MOST_POINTS) throw new Error("it names too many points");
      for (let k = 0; k < points; k++) names.push({ component, point: reader.text() });
      for (let k = 0; k < limbs; k++) {
        const a = reader.u16(), b = reader.u16(), part = COMPONENTS[component];
        if (part && a < points && b < points) edges.push({ a: first + a, b: first + b, part });
      }
      reader.skip(6 * colours);
    }
    const fps = second ? reader.f32() : reader.u16();
    let frames = second ? reader.u32() : reader.u16();
    const people = reader.u16(), stride = 4 * people * names.length * (dims + 1);
    if (!(fps > 0 && fps <= 1e5) || !stride || dims < 2 || dims > 3) throw new Error("it has no frames");
    const held = Math.floor((blob.size - reader.at) / stride);
    if (!second && held > frames && held % 65536 === frames) frames = held;
    if (!frames || held < frames) throw new Error(`${frames} frames do not fit into its ${blob.size} bytes`);
    return new _Poses(
      blob,
      Math.max(width, 1),
      Math.max(height, 1),
      fps,
      frames,
      people,
      names.length,
      dims,
      edges.filter((edge) => drawn(edge, names)),
      reader.at
    );
  }
  /** A frame if it is here; else it is fetched, and `arrived` is called. */
  frame(number) {
    const at = Math.min(Math.max(number, 0), this.frames - 1), chunk = Math.floor(at / CHUNK);
    const here = this.chunks.get(chunk);
    if (!here) void this.load(chunk);
    if (at % CHUNK > CHUNK / 2) void this.load(chunk + 1);
    return here?.[at % CHUNK] ?? null;
  }
  async load(chunk) {
    const first = chunk * CHUNK, last = Math.min(first + CHUNK, this.frames);
    if (first >= last || this.chunks.has(chunk) || this.loading.has(chunk)) return;
    this.loading.add(chunk);
    try {
      const wide = this.people * this.keypoints, behind = this.body + 4 * this.frames * wide * this.dims;
      const [xyz, sure] = await Promise.all([
        this.floats(this.body, first, last, wide * this.dims),
        this.floats(behind, first, last, wide)
      ]);
      const frames = [];
      for (let f = 0; f < last - first; f++) {
        const p = f * wide * this.dims, c = f * wide;
        frames.push({
          points: xyz.subarray(p, p + this.keypoints * this.dims),
          confidence: sure.subarray(c, c + this.keypoints)
        });
      }
      this.chunks.set(chunk, frames);
      for (const old of this.chunks.keys()) {
        if (this.chunks.size <= KEPT) break;
        this.chunks.delete(old);
      }
    } finally {
      this.loading.delete(chunk);
    }
    this.arrived();
  }
  async floats(start2, first, last, wide) {
    const bytes = await this.blob.slice(start2 + 4 * first * wide, start2 + 4 * last * wide).arrayBuffer();
    return new Float32Array(bytes);
  }
  /** [left, top, right, bottom] of what is drawn, over a dozen frames; null where nothing is. */
  async box() {
    const xs = [], ys = [];
    for (let k = 0; k < 12; k++) {
      const number = Math.floor(k * (this.frames - 1) / 11);
      await this.load(Math.floor(number / CHUNK));
      const frame = this.frame(number);
      if (!frame) continue;
      for (const { a, b } of this.edges) {
        for (const point of [a, b]) {
          if ((frame.confidence[point] ?? 0) <= 0) continue;
          xs.push(frame.points[point * this.dims]);
          ys.push(frame.points[point * this.dims + 1]);
        }
      }
    }
    if (!xs.length) return null;
    xs.sort((a, b) => a - b);
    ys.sort((a, b) => a - b);
    const at = (of, share) => of[Math.round(share * (of.length - 1))];
    return [at(xs, 5e-3), at(ys, 5e-3), at(xs, 0.995), at(ys, 0.995)];
  }
};
function drawn(edge, names) {
  if (edge.part !== "body") return true;
  const has = (component) => names.some((name) => name.component === component);
  const out = [
    ...LEGS,
    ...has("FACE_LANDMARKS") ? HEAD : [],
    ...has("LEFT_HAND_LANDMARKS") ? FINGERS : []
  ];
  return ![edge.a, edge.b].some((at) => out.some((word) => names[at]?.point.includes(word)));
}

// src/timeline.ts
var STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
var LEAST_TICK = 72;
var MOST_ZOOM = 400;
var FOLLOWED = 0.92;
var HALF_A_SIGN = 0.2;
var Timeline = class {
  constructor(scroll, cues2) {
    this.scroll = scroll;
    this.cues = cues2;
    scroll.append(this.inner);
    this.inner.append(this.head);
    scroll.addEventListener("scroll", () => this.later());
    new ResizeObserver(() => this.resized()).observe(scroll);
    this.inner.addEventListener("pointerdown", (event) => this.pressed(event));
    scroll.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.25 : 0.8, this.at(event.clientX));
    }, { passive: false });
  }
  scroll;
  cues;
  duration = 0;
  fps = 25;
  offset = 0;
  phrases = [];
  signing = [];
  signs = [];
  selected = -1;
  onSeek = () => {
  };
  onSelect = () => {
  };
  zoom = 20;
  time = 0;
  wide = 0;
  inner = make("div", { class: "inner" });
  head = make("div", { class: "playhead" });
  shown = /* @__PURE__ */ new Map();
  queued = false;
  open(duration, fps, offset, phrases, signing, signs) {
    Object.assign(this, { duration, fps, offset, phrases, signing, signs, selected: -1 });
    this.fit();
  }
  /** The whole recording, or the first half minute of a long one. */
  fit() {
    this.zoom = Math.max(this.scroll.clientWidth / Math.max(Math.min(this.duration, 30), 1), 4);
    this.scroll.scrollLeft = 0;
    this.render();
  }
  whole() {
    this.zoom = Math.max((this.scroll.clientWidth - 2) / Math.max(this.duration, 0.1), 0.5);
    this.render();
  }
  zoomBy(factor, around2 = this.time) {
    const before = around2 * this.zoom - this.scroll.scrollLeft;
    const least = Math.min((this.scroll.clientWidth - 2) / Math.max(this.duration, 0.1), 20);
    this.zoom = Math.min(Math.max(this.zoom * factor, least), MOST_ZOOM);
    this.inner.style.width = `${this.duration * this.zoom}px`;
    this.scroll.scrollLeft = around2 * this.zoom - before;
    this.render();
  }
  /** What was to be seen stays to be seen. */
  resized() {
    const { clientWidth } = this.scroll, before = this.scroll.scrollLeft / this.zoom;
    if (this.wide && clientWidth) this.zoom *= clientWidth / this.wide;
    this.wide = clientWidth || this.wide;
    this.render();
    this.scroll.scrollLeft = before * this.zoom;
  }
  /** follow: see FOLLOWED; 0 = what is shown stays where it is. */
  setTime(time, follow) {
    this.time = time;
    const x = time * this.zoom;
    this.head.style.transform = `translateX(${x}px)`;
    const { scrollLeft, clientWidth } = this.scroll;
    if (follow && (x < scrollLeft || x > scrollLeft + clientWidth * follow)) this.scroll.scrollLeft = x - clientWidth * 0.15;
  }
  reveal(span) {
    const left = span.start * this.zoom, right = span.end * this.zoom;
    const { scrollLeft, clientWidth } = this.scroll;
    if (left < scrollLeft || right > scrollLeft + clientWidth) this.scroll.scrollLeft = left - clientWidth * 0.3;
  }
  later() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.render();
    });
  }
  at(x) {
    return (x - this.inner.getBoundingClientRect().left) / this.zoom;
  }
  render() {
    this.inner.style.width = `${this.duration * this.zoom}px`;
    const from = (this.scroll.scrollLeft - 200) / this.zoom;
    const to = (this.scroll.scrollLeft + this.scroll.clientWidth + 200) / this.zoom;
    const wanted = /* @__PURE__ */ new Map();
    const inside = (span) => span.end >= from && span.start <= to;
    const step2 = STEPS.find((s) => s * this.zoom >= LEAST_TICK) ?? 3600;
    for (let t = Math.max(Math.floor(from / step2), 0) * step2; t <= Math.min(to, this.duration); t += step2) {
      const label = clock(t + this.offset, step2 < 1);
      wanted.set(`t${t.toFixed(2)}`, () => {
        const tick = make("div", { class: "tick" }, label);
        tick.style.left = `${t * this.zoom}px`;
        return tick;
      });
    }
    for (const [name, spans2] of [["phrase", this.phrases], ["signing", this.signing]]) {
      spans2.forEach((span, k) => {
        if (inside(span)) wanted.set(`${name}${k}`, () => this.bar(span, name));
      });
    }
    this.signs.forEach((sign, k) => {
      const span = { start: sign.time - HALF_A_SIGN, end: sign.time + HALF_A_SIGN };
      if (inside(span)) wanted.set(`s${k}`, () => this.bar(span, "sign", sign.gloss));
    });
    this.cues.cues.forEach((cue, k) => {
      const place = this.cues.places[k];
      const given = this.local(cue.old), now = this.local(place.span);
      if (inside(given)) wanted.set(`g${k}`, () => this.bar(given, "given", cue.text, k));
      if (inside(now)) wanted.set(`a${k}`, () => {
        const state2 = place.locked ? "locked" : cue.level.replace(" ", "-");
        const bar = this.bar(now, `aligned ${state2}`, cue.text, k);
        if (k === this.selected) bar.classList.add("selected");
        bar.append(make("i", { class: "grip start" }), make("i", { class: "grip end" }));
        return bar;
      });
    });
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
  local(span) {
    return { start: span.start - this.offset, end: span.end - this.offset };
  }
  bar(span, kind, text = "", cue = -1) {
    const made = make("div", { class: `bar ${kind}`, "data-cue": cue < 0 ? void 0 : cue, title: text || void 0 });
    if (text) made.append(make("span", { dir: "auto" }, text));
    made.style.left = `${span.start * this.zoom}px`;
    made.style.width = `${Math.max((span.end - span.start) * this.zoom, 2)}px`;
    return made;
  }
  pressed(event) {
    if (event.button !== 0) return;
    const target = event.target, bar = target.closest(".bar");
    const began = this.at(event.clientX), cue = Number(bar?.dataset.cue ?? -1);
    if (!bar || cue < 0) {
      this.onSeek(Math.min(Math.max(began, 0), this.duration));
      return;
    }
    this.onSelect(cue);
    const place = this.cues.places[cue];
    this.onSeek(Math.max((bar.classList.contains("given") ? this.cues.cues[cue].old : place.span).start - this.offset, 0));
    if (!bar.classList.contains("aligned")) return;
    const grip = target.classList.contains("start") ? "start" : target.classList.contains("end") ? "end" : "whole";
    const first = { ...place.span }, x = event.clientX;
    const held = this.shown.get(`a${cue}`) ?? bar;
    let moved = false;
    held.dataset.held = "yes";
    this.inner.setPointerCapture(event.pointerId);
    const move = (now) => {
      const by = (now.clientX - x) / this.zoom;
      if (!moved && Math.abs(now.clientX - x) < 3) return;
      const span = {
        start: grip === "end" ? first.start : first.start + by,
        end: grip === "start" ? first.end : first.end + by
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
};

// src/main.ts
var cues = new Cues();
var player = new Player(byId("video"), byId("skeleton"), byId("stage"));
var timeline = new Timeline(byId("timeline"), cues);
new Camera((video) => {
  choose([video]);
  announce(`Recorded ${size(video.size)}. Press Start to go on.`);
  byId(byId("begin").disabled ? "choose-subtitles" : "begin").focus();
});
var server = null;
var recording = null;
var subtitles = null;
var taken = null;
var poses = null;
var result = null;
var files = /* @__PURE__ */ new Map();
var job = null;
var current = null;
var selected = -1;
var shortcuts = true;
function task() {
  return document.querySelector("input[name=task]:checked").value;
}
function isSubtitles(file) {
  return /\.(vtt|srt|eaf|ass|ssa|ttml|dfxp|xml|textgrid)$/i.test(file.name);
}
function isVideo(file) {
  return file !== null && !/\.(pose|json)$/i.test(file.name);
}
function staysHere() {
  return isVideo(recording) && server?.holistic === true && byId("here").checked;
}
function choose(chosen) {
  for (const file of chosen) {
    if (isSubtitles(file)) {
      subtitles = file;
      byId("task-align").checked = true;
    } else recording = file;
  }
  showChosen();
}
function size(bytes) {
  return bytes < 1e6 ? `${Math.max(Math.round(bytes / 1e3), 1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
function showChosen() {
  const align = task() === "align";
  byId("chosen-recording").textContent = recording ? `${recording.name}, ${size(recording.size)}` : "none yet";
  byId("chosen-subtitles").textContent = subtitles ? `${subtitles.name}, ${size(subtitles.size)}` : "none yet";
  byId("subtitles-row").hidden = !align;
  const ready = recording !== null && (!align || subtitles !== null);
  byId("begin").disabled = !ready;
  const needs = recording ? "Add the subtitles to align." : align ? "Choose a recording and its subtitles." : "Choose a recording.";
  byId("needs").textContent = ready ? "" : needs;
  showWhere();
  showModels();
}
function showWhere() {
  byId("video-row").hidden = !isVideo(recording);
  byId("here-row").hidden = !server?.holistic;
  const here = staysHere();
  const at = server?.local ? "the signloom server on this computer" : `the signloom server at ${location.host}`;
  byId("goes").classList.toggle("good", here);
  byId("goes").textContent = here ? `The video does not leave this browser. Only keypoints are sent, to ${at}. It takes longer than there: keep this page in front.` : `The video itself is sent to ${at} and decoded there. It is deleted as soon as the skeleton has been taken from it.`;
}
function showModels() {
  const align = task() === "align";
  const able = server?.models.filter((model2) => model2.tasks.includes(task()) && !(align && model2.simulated_only)) ?? [];
  const row = byId("model-row"), select2 = byId("model");
  row.hidden = able.length === 0;
  const before = select2.value;
  select2.replaceChildren(
    ...align ? [make("option", { value: "" }, "none is needed")] : [],
    ...able.map((model2) => make("option", { value: model2.name }, model2.name))
  );
  if (able.some((model2) => model2.name === before)) select2.value = before;
  const model = able.find((each) => each.name === select2.value);
  const notice = byId("model-notice");
  const wanted = task() === "translate" || task() === "recognize";
  notice.hidden = !wanted || able.length > 0 && !model?.simulated_only;
  notice.textContent = able.length === 0 ? "No model is loaded that can do this. Start the server with --model." : "This model knows only simulated signing. It refuses recordings of people. To align subtitles or to find signing, no model is needed.";
}
function listen() {
  for (const radio of document.querySelectorAll("input[name=task]")) radio.addEventListener("change", showChosen);
  byId("model").addEventListener("change", showModels);
  byId("here").addEventListener("change", showWhere);
  const pick = (id) => {
    const input = byId(id);
    input.addEventListener("change", () => {
      choose(input.files ?? []);
      input.value = "";
    });
  };
  pick("recording-input");
  pick("subtitles-input");
  byId("choose-recording").addEventListener("click", () => byId("recording-input").click());
  byId("choose-subtitles").addEventListener("click", () => byId("subtitles-input").click());
  const drop = byId("drop");
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const dropped = event.dataTransfer?.files;
    if (!dropped?.length || job || !byId("along").hidden) return;
    show("start");
    choose(dropped);
  });
  byId("begin").addEventListener("click", () => void begin());
  byId("example").addEventListener("click", () => void example());
  byId("again").addEventListener("click", () => {
    player.clear();
    back();
  });
  byId("cancel").addEventListener("click", () => job?.abort());
  byId("card-button").addEventListener("click", () => void card());
  addEventListener("pagehide", () => current?.forget());
}
async function example() {
  try {
    const data = await (await client.example()).blob();
    byId("task-translate").checked = true;
    choose([new File([data], "simulated-example.pose")]);
    await begin();
  } catch (error) {
    refuse(error);
  }
}
function show(screen) {
  for (const id of ["start", "along", "progress", "refusal", "work"]) byId(id).hidden = id !== screen;
  byId("again").hidden = screen !== "work";
  scrollTo({ top: 0 });
}
function progressed(progress) {
  const bar = byId("bar");
  let words = STAGES[progress.stage] ?? progress.stage;
  if (progress.state === "uploading") words = "Sending the recording to the server";
  if (progress.state === "queued") words = progress.ahead ? `Waiting: ${progress.ahead} before this one` : "Waiting";
  if (byId("stage-words").textContent !== words) byId("stage-words").textContent = words;
  if (progress.total > 0) bar.value = progress.done / progress.total;
  else bar.removeAttribute("value");
  byId("stage-share").textContent = progress.total > 0 ? `${Math.floor(100 * progress.done / progress.total)} %` : "";
}
async function begin(extra = {}) {
  const what = task();
  if (!recording || job || what === "align" && !subtitles) return;
  const form = new FormData();
  if (what === "align") {
    form.set("subtitles", subtitles, subtitles.name);
    form.set("any_order", "true");
  }
  if (what === "translate") form.set("alternatives", "4");
  const model = byId("model").value;
  if (!byId("model-row").hidden && model) form.set("model", model);
  for (const [name, value] of Object.entries(extra)) form.set(name, value);
  byId("progress-title").textContent = `${TASKS[what].title}: ${recording.name}`;
  show("progress");
  byId("progress-title").focus();
  try {
    const media = staysHere() ? await skeleton(recording) : recording;
    form.set("media", media, media.name);
    const found = { ...await run(what, form), name: recording.name };
    const seen = await current.file("pose");
    files = /* @__PURE__ */ new Map();
    if (what !== "align") {
      for (const format of ["vtt", "srt", "eaf"]) files.set(format, await current.file(format));
    }
    await open(found, seen);
  } catch (error) {
    refuse(error);
  } finally {
    current?.forget();
    current = null;
  }
}
async function skeleton(video) {
  if (taken?.video === video) return taken.poses;
  job = new AbortController();
  try {
    const told = (done, total) => progressed({ state: "running", stage: "here", done, total, ahead: 0 });
    told(0, 0);
    taken = { video, poses: await skeletonOf(video, server.limits.seconds, told, job.signal) };
    return taken.poses;
  } finally {
    job = null;
  }
}
async function run(what, form) {
  job = new AbortController();
  current = new Job(progressed, job.signal);
  try {
    return await current.run(what, form);
  } finally {
    job = null;
  }
}
function back() {
  show("start");
  byId("choose-recording").focus();
}
function refuse(error) {
  const kind = error instanceof Refused ? error.kind : "failed";
  const said = REFUSALS[kind] ?? { title: "This did not work", advice: "" };
  byId("refusal-title").textContent = said.title;
  byId("refusal-advice").textContent = said.advice;
  byId("refusal-detail").textContent = ["cancelled", "simulated-only"].includes(kind) ? "" : error instanceof Error ? error.message : String(error);
  const buttons = byId("refusal-buttons");
  buttons.replaceChildren(make("button", { type: "button", class: "primary", click: back }, "Back"));
  if (kind === "unplayable" || kind === "no-webgl") {
    const send = () => {
      byId("here").checked = false;
      back();
      showChosen();
    };
    buttons.append(make("button", { type: "button", click: send }, "Send the video to the server instead"));
  }
  if (kind === "simulated-only") {
    const segment = () => {
      byId("task-segment").checked = true;
      showChosen();
      void begin();
    };
    buttons.append(
      make("button", { type: "button", click: segment }, "Find the signing instead"),
      make("button", { type: "button", click: () => void card(byId("model").value) }, "About this model"),
      make("button", { type: "button", click: () => void begin({ allow_simulated: "true" }) }, "Show me the nonsense")
    );
  }
  show("refusal");
  byId("refusal-title").focus();
}
async function open(found, seen) {
  result = found;
  poses = seen;
  selected = -1;
  player.clear();
  const played2 = isVideo(recording) && await player.openVideo(recording);
  let note = isVideo(recording) && !played2 ? "This browser cannot play the video; the skeleton taken from it is shown." : "";
  try {
    await player.openPoses(await Poses.open(seen));
  } catch (error) {
    note = `The skeleton cannot be drawn: ${error.message}.`;
  }
  show("work");
  byId("stage-note").textContent = note;
  byId("view-label").hidden = !played2;
  player.setView(byId("view").value);
  const { clip } = found, offset = found.timecode ?? 0;
  byId("file-name").textContent = found.name;
  byId("facts").textContent = [
    TASKS[found.task].title,
    clock(clip.duration, false),
    `${Number(clip.fps.toFixed(2))} pictures a second`,
    clip.simulated ? "simulated signing" : "",
    staysHere() ? "the video stayed in this browser" : ""
  ].filter(Boolean).join(" · ");
  byId("simulated").hidden = !(clip.simulated || found.model?.simulated_only);
  byId("simulated").textContent = !clip.simulated ? "This model knows only simulated signing, and this recording is not simulated: what it says below is nonsense." : found.model?.simulated_only ? "Simulated signing, and a model that knows nothing else: an instrument, not a sign language. It says nothing about people signing." : "Simulated signing: an instrument, not a sign language.";
  byId("model-line").hidden = !found.model;
  byId("model-name").textContent = found.model?.name ?? "";
  const slider = byId("position");
  slider.max = String(Math.max(clip.frames - 1, 1));
  byId("result-title").textContent = TASKS[found.task].result;
  byId("result").replaceChildren();
  cues.open(found.cues ?? []);
  byId("work").dataset.task = found.task;
  timeline.open(Math.max(clip.duration, player.duration), clip.fps, offset, found.phrases, found.signing, found.signs ?? []);
  byId("work").toggleAttribute("data-signs", Boolean(found.signs?.length));
  for (const id of ["cue-tools", "cue-editor"]) byId(id).hidden = found.task !== "align";
  showNotices(found);
  showResult(found);
  player.seek(0);
  byId("file-name").focus();
  announce(`${TASKS[found.task].result}: ready`);
}
function showNotices(found) {
  const told = [...found.notices, ...found.distrust ? [`Do not trust this: ${found.distrust}`] : []];
  byId("notices").replaceChildren(...told.map((text) => make("li", {}, text)));
  byId("notices").hidden = told.length === 0;
}
function showResult(found) {
  const body = byId("result");
  if (found.task === "translate") {
    body.append(make("p", { class: "said", dir: "auto", lang: "" }, found.text || "(nothing)"));
    if (found.glosses) body.append(make("p", { class: "soft" }, "Glosses: the names of signs in their order, no sentence."));
    if (found.alternatives?.length) {
      body.append(make("details", {}, make("summary", {}, "Other readings"), make(
        "ol",
        { class: "others" },
        ...found.alternatives.map((other) => make("li", { dir: "auto", lang: "" }, other.text))
      )));
    }
  }
  if (found.task === "recognize") {
    const [best] = found.candidates ?? [];
    body.append(make("p", { class: "said", dir: "auto", lang: "" }, found.known && best ? best.gloss : "Unknown"));
    body.append(make("p", { class: "soft" }, found.known ? "The most likely of the signs that this model knows:" : "Probably none of the signs that this model knows. The nearest are:"));
    body.append(make("ol", { class: "candidates" }, ...(found.candidates ?? []).map((each) => {
      const meter = make("meter", { min: 0, max: 1, "aria-label": `probability of ${each.gloss}` });
      meter.value = each.probability;
      return make(
        "li",
        {},
        make("span", { dir: "auto", lang: "" }, each.gloss),
        meter,
        make("span", { class: "number" }, `${(100 * each.probability).toFixed(1)} %`)
      );
    })));
  }
  if (found.task === "segment") {
    body.append(make("p", {}, `${found.phrases.length} ${found.phrases.length === 1 ? "phrase" : "phrases"}; ${Math.round(100 * (found.share ?? 0))} % of the time somebody signs.`));
    body.append(make("ol", { class: "list", id: "list" }, ...found.phrases.map((span, k) => make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "row", click: () => watch(span) },
        make("span", { class: "text" }, `Phrase ${k + 1}`),
        make("span", { class: "when" }, `${clock(span.start)} to ${clock(span.end)}`)
      )
    ))));
  }
  if (found.task === "align") {
    byId("summary").textContent = `${found.cues.length} cues. Signing follows speech by ${found.lag.toFixed(1)} s. ${toCheck(found)}`;
    body.append(make("ol", { class: "list", id: "list" }));
    showCues();
  } else byId("summary").textContent = "";
}
function toCheck(found) {
  return found.low ? `${found.low} to check.` : "None is unsure.";
}
function watch(span) {
  player.seek(span.start);
  if (loopOn()) player.loop = span;
}
function local(span) {
  const by = result?.timecode ?? 0;
  return { start: span.start - by, end: span.end - by };
}
function state(k) {
  const cue = cues.cues[k], place = cues.places[k];
  if (place.locked) return { word: place.corrected ? "corrected, locked" : "locked", kind: "locked", number: "" };
  return {
    word: WORDS[cue.level],
    kind: cue.level.replace(" ", "-"),
    number: cue.level === "not placed" ? "" : `${Math.round(100 * cue.confidence)} %`
  };
}
function showCues() {
  const list = document.getElementById("list");
  if (!list || result?.task !== "align") return;
  cues.cues.forEach((cue, k) => {
    const place = cues.places[k], here = state(k), chosen = k === selected;
    let item = list.children[k];
    if (!item) {
      const row2 = make(
        "button",
        { type: "button", class: "row", click: () => select(k, true) },
        make("span", { class: "number" }, String(cue.number)),
        make("span", { class: "text", dir: "auto", lang: "" }, cue.text || "(no text)"),
        make("span", { class: "when" }),
        make("span", { class: "sure" })
      );
      const lock2 = make(
        "button",
        { type: "button", class: "lock", click: () => toggleLock(k) },
        "Lock",
        make("span", { class: "sr" }, ` cue ${cue.number}`)
      );
      item = make("li", {}, row2, lock2);
      list.append(item);
    }
    const [row, lock] = item.children;
    item.classList.toggle("selected", chosen);
    row.tabIndex = lock.tabIndex = chosen || selected < 0 && k === 0 ? 0 : -1;
    if (chosen) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    const shift = place.span.start - cue.old.start;
    const flags = cue.flags.map((flag) => FLAGS[flag]).filter(Boolean).join(", ");
    row.children[2].textContent = `${clock(place.span.start)} (${shift < -5e-4 ? "−" : "+"}${Math.abs(shift).toFixed(2)} s)`;
    row.children[3].replaceChildren(
      make("i", { class: `swatch ${here.kind}`, "aria-hidden": "true" }),
      [here.word, here.number].filter(Boolean).join(" ") + (flags && !place.locked ? `; ${flags}` : "")
    );
    lock.setAttribute("aria-pressed", String(place.locked));
  });
  while (list.children.length > cues.cues.length) list.lastElementChild.remove();
  const undo2 = byId("undo"), redo = byId("redo");
  undo2.disabled = !cues.undoable;
  redo.disabled = !cues.redoable;
  byId("locked-count").textContent = cues.locked ? `Aligns again around ${cues.locked} locked.` : "Lock what is right, then align the rest again.";
  byId("realign").disabled = cues.locked === 0;
  const left = cues.cues.filter((cue, k) => cue.level === "low" && !cues.places[k].locked).length;
  byId("next-unsure").disabled = left === 0;
  showEditor();
}
function showEditor() {
  const cue = cues.cues[selected], place = cues.places[selected];
  const fields = byId("cue-fields");
  fields.disabled = !cue;
  byId("cue-name").textContent = cue ? `Cue ${cue.number}` : "Choose a cue to correct it";
  if (!place) return;
  for (const end of ["start", "end"]) {
    const input = byId(`cue-${end}`);
    if (document.activeElement !== input) input.value = clock(place.span[end]);
    input.removeAttribute("aria-invalid");
  }
}
function select(k, seek2, focus = false) {
  if (k < 0 || k >= cues.cues.length) return;
  selected = timeline.selected = k;
  const span = local(cues.places[k].span);
  if (loopOn()) player.loop = span;
  if (seek2) player.seek(span.start);
  showCues();
  timeline.reveal(span);
  timeline.later();
  const item = byId("list").children[k];
  item.scrollIntoView({ block: "nearest" });
  if (focus) item.firstElementChild.focus({ preventScroll: true });
}
function toggleLock(k) {
  const now = !cues.places[k]?.locked;
  cues.lock(k, now);
  announce(`Cue ${cues.cues[k].number} ${now ? "locked" : "unlocked"}`);
}
function nudge(by) {
  const place = cues.places[selected];
  if (!place) return;
  cues.move(selected, { start: place.span.start + by, end: place.span.end + by }, player.fps);
  announce(`Cue ${cues.cues[selected].number} starts at ${clock(cues.places[selected].span.start)}`);
}
function setEdge(end, time) {
  const place = cues.places[selected];
  if (!place) return;
  const span = { ...place.span, [end]: time };
  if (end === "start" && span.start >= span.end) span.end = span.start + (place.span.end - place.span.start);
  cues.move(selected, span, player.fps);
  announce(`Cue ${cues.cues[selected].number} ${end}s at ${clock(cues.places[selected].span[end])}`);
}
function undo(back2) {
  const what = back2 ? cues.undo() : cues.redo();
  announce(what ? `${back2 ? "Undone" : "Done again"}: ${what}` : `Nothing to ${back2 ? "undo" : "redo"}`);
}
async function realign() {
  if (!result || !poses || !subtitles || job || cues.locked === 0) return;
  const locks = cues.cues.flatMap((cue, k) => {
    const place = cues.places[k];
    return place.locked ? [{ cue: cue.number, start: place.span.start, end: place.span.end }] : [];
  });
  const form = new FormData();
  form.set("media", new File([poses], "clip.pose"));
  form.set("subtitles", subtitles, subtitles.name);
  form.set("any_order", "true");
  form.set("locked", JSON.stringify(locks));
  if (result.model) form.set("model", result.model.name);
  const button = byId("realign");
  button.disabled = true;
  byId("summary").textContent = "Aligning again around what is locked …";
  announce("Aligning again around what is locked");
  try {
    const found = await run("align", form);
    result = { ...found, name: result.name };
    cues.replace(found.cues);
    showNotices(found);
    byId("summary").textContent = `Aligned again around ${locks.length} locked. ${toCheck(found)}`;
    announce(byId("summary").textContent);
  } catch (error) {
    byId("summary").textContent = `Not aligned again: ${error instanceof Error ? error.message : error}`;
    announce(byId("summary").textContent);
  } finally {
    current?.forget();
    current = null;
    showCues();
  }
}
function corrected() {
  if (result.task !== "align") return result;
  const told = cues.cues.map((cue, k) => {
    const place = cues.places[k], flags = cue.flags.filter((flag) => flag !== "locked");
    return {
      ...cue,
      new: place.span,
      shift: round(place.span.start - cue.old.start),
      flags: [...flags, ...place.locked ? ["locked"] : [], ...place.corrected ? ["corrected"] : []]
    };
  });
  return { ...result, cues: told };
}
async function write(format) {
  if (!result) return;
  const stem = (result.task === "align" ? result.subtitles : result.name).replace(/\.[^.]*$/, "");
  const name = `${stem}${result.task === "align" && format !== "pose" ? ".aligned" : ""}.${format}`;
  try {
    let data;
    if (format === "pose") data = poses;
    else if (format === "json") data = new Blob([JSON.stringify(corrected(), null, 1)], { type: "application/json" });
    else if (result.task === "align") {
      const spans2 = JSON.stringify(cues.places.map((place) => place.span));
      const told = format === "eaf" ? JSON.stringify(corrected()) : null;
      data = await (await client.export({ subtitles, cues: spans2, format, result: told })).blob();
    } else data = files.get(format);
    if (!data) throw new Error(`there is no ${format} of this`);
    save(data, name);
    byId("export-note").textContent = `Saved as ${name}.`;
  } catch (error) {
    byId("export-note").textContent = `Not saved: ${error instanceof Error ? error.message : error}`;
  }
}
function report() {
  if (!result) return;
  const told = {
    signloom: result.signloom,
    browser: navigator.userAgent,
    page: "studio",
    server,
    recording: recording && { name: recording.name, bytes: recording.size },
    result: corrected()
  };
  save(new Blob([JSON.stringify(told, null, 1)], { type: "application/json" }), "signloom-report.json");
  byId("export-note").textContent = "Saved signloom-report.json: times, texts and settings, no picture and no poses.";
}
async function card(name = result?.model?.name) {
  if (!name) return;
  const dialog = byId("card");
  byId("card-title").textContent = `About the model ${name}`;
  try {
    const text = await (await client.card(name)).text();
    byId("card-text").replaceChildren(...text.trim() ? written(text) : ["This model has no card."]);
  } catch (error) {
    byId("card-text").textContent = String(error);
  }
  dialog.showModal();
}
function loopOn() {
  return byId("loop").getAttribute("aria-pressed") === "true";
}
function setLoop(on) {
  byId("loop").setAttribute("aria-pressed", String(on));
  const place = cues.places[selected];
  player.loop = on ? place ? local(place.span) : { start: 0, end: player.duration - 0.01 } : null;
}
function faster(by) {
  const at = SPEEDS.indexOf(player.speed);
  const speed = SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)];
  byId("speed").value = String(speed);
  player.setRate(speed);
  announce(`Speed ${speed}×`);
}
function nextView() {
  const select_ = byId("view");
  if (!player.withVideo) return;
  select_.selectedIndex = (select_.selectedIndex + 1) % select_.options.length;
  player.setView(select_.value);
  announce(select_.selectedOptions[0].text);
}
function listenToPlayer() {
  const slider = byId("position"), play = byId("play");
  player.onTime = (time) => {
    const at = clock(time + (result?.timecode ?? 0));
    slider.value = String(Math.floor(time * player.fps + 1e-3));
    slider.setAttribute("aria-valuetext", at);
    byId("time").textContent = `${at} / ${clock(player.duration + (result?.timecode ?? 0), false)}`;
    timeline.setTime(time, player.playing ? FOLLOWED : 1);
    showNow(time);
  };
  player.onPlaying = (playing) => {
    play.textContent = playing ? "Stop" : "Play";
  };
  play.addEventListener("click", () => player.toggle());
  slider.addEventListener("input", () => player.seek(Number(slider.value) / player.fps));
  byId("back").addEventListener("click", () => step(-1));
  byId("on").addEventListener("click", () => step(1));
  byId("loop").addEventListener("click", () => setLoop(!loopOn()));
  const speed = byId("speed"), view = byId("view");
  speed.addEventListener("change", () => player.setRate(Number(speed.value)));
  view.addEventListener("change", () => player.setView(view.value));
  timeline.onSeek = (time) => player.seek(time);
  timeline.onSelect = (k) => select(k, false);
  byId("zoom-in").addEventListener("click", () => timeline.zoomBy(1.5));
  byId("zoom-out").addEventListener("click", () => timeline.zoomBy(1 / 1.5));
  byId("zoom-all").addEventListener("click", () => timeline.whole());
  byId("undo").addEventListener("click", () => undo(true));
  byId("redo").addEventListener("click", () => undo(false));
  byId("realign").addEventListener("click", () => void realign());
  byId("next-unsure").addEventListener("click", nextUnsure);
  for (const end of ["start", "end"]) {
    const input = byId(`cue-${end}`);
    input.addEventListener("change", () => {
      const time = seconds(input.value);
      if (time === null) {
        input.setAttribute("aria-invalid", "true");
        announce("A time is written as 1:02.500");
      } else setEdge(end, time);
    });
    byId(`cue-${end}-here`).addEventListener("click", () => setEdge(end, player.time + (result?.timecode ?? 0)));
  }
  cues.changed = () => {
    if (selected >= cues.cues.length) selected = timeline.selected = -1;
    showCues();
    timeline.later();
  };
  for (const button of document.querySelectorAll("[data-export]")) {
    button.addEventListener("click", () => void write(button.dataset.export));
  }
  byId("report").addEventListener("click", report);
}
function showNow(time) {
  const now = byId("now");
  let text = "";
  if (result?.task === "align") {
    const at = time + (result.timecode ?? 0);
    const k = cues.places.findIndex((place) => place.span.start <= at && at < place.span.end);
    text = k < 0 ? "" : cues.cues[k].text;
  }
  if (now.textContent !== text) now.textContent = text;
}
function step(by) {
  player.pause();
  player.seek((Math.floor(player.time * player.fps + 1e-3) + by + 0.01) / player.fps);
}
function pressed(event) {
  const target = event.target;
  if (byId("work").hidden || document.querySelector("dialog[open]") || !shortcuts) return;
  const typing = target.matches("input[type=text], select, textarea");
  const control = event.ctrlKey || event.metaKey;
  if (control && !typing && event.key.toLowerCase() === "z") undo(!event.shiftKey);
  else if (control && !typing && event.key.toLowerCase() === "y") undo(false);
  else if (control || typing) return;
  else if (event.altKey) {
    const by = (event.shiftKey ? 10 : 1) / player.fps;
    if (event.key === "ArrowLeft") nudge(-by);
    else if (event.key === "ArrowRight") nudge(by);
    else return;
  } else {
    const own = event.key.startsWith("Arrow") && (target.id === "position" || /Up|Down/.test(event.key) && result?.task !== "align");
    if (own || event.key === " " && target.matches("button, summary, a")) return;
    const act = ACTIONS[event.key] ?? ACTIONS[event.key.toLowerCase()];
    if (!act) return;
    act(event);
  }
  event.preventDefault();
}
var ACTIONS = {
  " ": () => player.toggle(),
  k: () => player.toggle(),
  ",": () => step(-1),
  ".": () => step(1),
  ArrowLeft: () => player.seek(player.time - 1),
  ArrowRight: () => player.seek(player.time + 1),
  ArrowUp: (event) => along(event, -1),
  ArrowDown: (event) => along(event, 1),
  "[": () => setEdge("start", player.time + (result?.timecode ?? 0)),
  "]": () => setEdge("end", player.time + (result?.timecode ?? 0)),
  l: () => {
    if (selected >= 0) toggleLock(selected);
  },
  n: nextUnsure,
  r: () => void realign(),
  z: (event) => undo(!event.shiftKey),
  "+": () => timeline.zoomBy(1.5),
  "=": () => timeline.zoomBy(1.5),
  "-": () => timeline.zoomBy(1 / 1.5),
  "0": () => timeline.whole(),
  o: () => setLoop(!loopOn()),
  "<": () => faster(-1),
  ">": () => faster(1),
  v: nextView,
  "?": () => help()
};
function nextUnsure() {
  const count = cues.cues.length;
  for (let by = 1; by <= count; by++) {
    const k = (Math.max(selected, -1) + by) % count;
    if (cues.cues[k].level !== "low" || cues.places[k].locked) continue;
    select(k, true);
    announce(`Cue ${cues.cues[k].number}: ${cues.cues[k].text}`);
    return;
  }
  announce("Nothing is left to check");
}
function along(event, by) {
  const inList = event.target.closest("#list") !== null;
  select(selected < 0 ? 0 : selected + by, true, inList);
}
function help() {
  byId("help").showModal();
}
async function start() {
  byId("keys").append(...KEYS.flatMap(([keys, what]) => [make("dt", {}, keys), make("dd", {}, what)]));
  byId("help-button").addEventListener("click", help);
  const box = byId("shortcuts");
  box.addEventListener("change", () => {
    shortcuts = box.checked;
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  }
  listen();
  listenToPlayer();
  addEventListener("keydown", pressed);
  try {
    server = await client.about();
    byId("live-row").hidden = liveTask(server) === null;
    const live = new Live(server);
    byId("live-button").addEventListener("click", () => {
      show("along");
      live.clear();
      void live.begin();
    });
    byId("live-back").addEventListener("click", () => {
      live.end();
      back();
    });
    byId("version").textContent = `signloom ${server.signloom}`;
    const at = server.local ? "the signloom server on this computer" : `the signloom server at ${location.host}`;
    byId("where").textContent = server.holistic ? `A video stays in this browser, unless you choose otherwise; its skeleton goes to ${at}, and nowhere else.` : `Your recording goes to ${at}, and nowhere else. A video is deleted as soon as the skeleton has been taken from it.`;
  } catch (error) {
    refuse(error);
  }
  showChosen();
}
void start();
