// The studio: choose a recording and a task, watch the job, look at what came of it, correct, export.

import { client, Job, Refused, type Format, type Progress, type Result, type Server, type Task } from "./api.js";
import { Camera } from "./camera.js";
import { written } from "./card.js";
import { Cues, round, WORDS, type Span } from "./cues.js";
import { announce, byId, clock, make, save, seconds } from "./dom.js";
import { skeletonOf } from "./extract.js";
import { Live, liveTask } from "./live.js";
import { Player, SPEEDS, type View } from "./player.js";
import { Poses } from "./pose.js";
import { FOLLOWED, Timeline } from "./timeline.js";
import { FLAGS, KEYS, REFUSALS, STAGES, TASKS } from "./words.js";

const cues = new Cues();
const player = new Player(byId<HTMLVideoElement>("video"), byId<HTMLCanvasElement>("skeleton"), byId("stage"));
const timeline = new Timeline(byId("timeline"), cues);
new Camera(video => {
  choose([video]);
  announce(`Recorded ${size(video.size)}. Press Start to go on.`);
  byId(byId<HTMLButtonElement>("begin").disabled ? "choose-subtitles" : "begin").focus();
});

let server: Server | null = null;
let recording: File | null = null;
let subtitles: File | null = null;
let taken: { video: File; poses: File } | null = null;
let poses: Blob | null = null;
let result: Result | null = null;
let files = new Map<string, Blob>();
let job: AbortController | null = null;
let current: Job | null = null;
let selected = -1;
let shortcuts = true;

// --- choosing ------------------------------------------------------------------------------------

function task(): Task {
  return document.querySelector<HTMLInputElement>("input[name=task]:checked")!.value as Task;
}

function isSubtitles(file: File): boolean {
  return /\.(vtt|srt|eaf|ass|ssa|ttml|dfxp|xml|textgrid)$/i.test(file.name);
}

function isVideo(file: File | null): file is File {
  return file !== null && !/\.(pose|json)$/i.test(file.name);
}

/** Whether the video that is chosen stays in this browser, and its skeleton alone is sent. */
function staysHere(): boolean {
  return isVideo(recording) && server?.holistic === true && byId<HTMLInputElement>("here").checked;
}

function choose(chosen: Iterable<File>): void {
  for (const file of chosen) {
    if (isSubtitles(file)) {
      subtitles = file;
      byId<HTMLInputElement>("task-align").checked = true;
    } else recording = file;
  }
  showChosen();
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(Math.round(bytes / 1e3), 1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function showChosen(): void {
  const align = task() === "align";
  byId("chosen-recording").textContent = recording ? `${recording.name}, ${size(recording.size)}` : "none yet";
  byId("chosen-subtitles").textContent = subtitles ? `${subtitles.name}, ${size(subtitles.size)}` : "none yet";
  byId("subtitles-row").hidden = !align;
  const ready = recording !== null && (!align || subtitles !== null);
  byId<HTMLButtonElement>("begin").disabled = !ready;
  const needs = recording ? "Add the subtitles to align." : align ? "Choose a recording and its subtitles." : "Choose a recording.";
  byId("needs").textContent = ready ? "" : needs;
  showWhere();
  showModels();
}

/** Where the video goes, said before it goes there. */
function showWhere(): void {
  byId("video-row").hidden = !isVideo(recording);
  byId("here-row").hidden = !server?.holistic;
  const here = staysHere();
  const at = server?.local ? "the signloom server on this computer" : `the signloom server at ${location.host}`;
  byId("goes").classList.toggle("good", here);
  byId("goes").textContent = here
    ? `The video does not leave this browser. Only keypoints are sent, to ${at}. It takes longer than there: keep this page in front.`
    : `The video itself is sent to ${at} and decoded there. It is deleted as soon as the skeleton has been taken from it.`;
}

function showModels(): void {
  const align = task() === "align";
  const able = server?.models.filter(model => model.tasks.includes(task()) && !(align && model.simulated_only)) ?? [];
  const row = byId("model-row"), select = byId<HTMLSelectElement>("model");
  row.hidden = able.length === 0;
  const before = select.value;
  select.replaceChildren(...(align ? [make("option", { value: "" }, "none is needed")] : []),
    ...able.map(model => make("option", { value: model.name }, model.name)));
  if (able.some(model => model.name === before)) select.value = before;
  const model = able.find(each => each.name === select.value);
  const notice = byId("model-notice");
  const wanted = task() === "translate" || task() === "recognize";
  notice.hidden = !wanted || (able.length > 0 && !model?.simulated_only);
  notice.textContent = able.length === 0
    ? "No model is loaded that can do this. Start the server with --model."
    : "This model knows only simulated signing. It refuses recordings of people. To align subtitles or to find signing, no model is needed.";
}

function listen(): void {
  for (const radio of document.querySelectorAll("input[name=task]")) radio.addEventListener("change", showChosen);
  byId("model").addEventListener("change", showModels);
  byId("here").addEventListener("change", showWhere);
  const pick = (id: string) => {
    const input = byId<HTMLInputElement>(id);
    input.addEventListener("change", () => { choose(input.files ?? []); input.value = ""; });
  };
  pick("recording-input");
  pick("subtitles-input");
  byId("choose-recording").addEventListener("click", () => byId("recording-input").click());
  byId("choose-subtitles").addEventListener("click", () => byId("subtitles-input").click());
  const drop = byId("drop");
  addEventListener("dragover", event => { event.preventDefault(); drop.classList.add("over"); });
  addEventListener("dragleave", event => { if (!event.relatedTarget) drop.classList.remove("over"); });
  addEventListener("drop", event => {
    event.preventDefault();
    drop.classList.remove("over");
    const dropped = event.dataTransfer?.files;
    if (!dropped?.length || job || !byId("along").hidden) return;
    show("start");
    choose(dropped);
  });
  byId("begin").addEventListener("click", () => void begin());
  byId("example").addEventListener("click", () => void example());
  byId("again").addEventListener("click", () => { player.clear(); back(); });
  byId("cancel").addEventListener("click", () => job?.abort());
  byId("card-button").addEventListener("click", () => void card());
  addEventListener("pagehide", () => current?.forget());
}

async function example(): Promise<void> {
  try {
    const data = await (await client.example()).blob();
    byId<HTMLInputElement>("task-translate").checked = true;
    choose([new File([data], "simulated-example.pose")]);
    await begin();
  } catch (error) { refuse(error); }
}

// --- the job -------------------------------------------------------------------------------------

type Screen_ = "start" | "along" | "progress" | "refusal" | "work";

function show(screen: Screen_): void {
  for (const id of ["start", "along", "progress", "refusal", "work"]) byId(id).hidden = id !== screen;
  byId("again").hidden = screen !== "work";
  scrollTo({ top: 0 });
}

function progressed(progress: Progress): void {
  const bar = byId<HTMLProgressElement>("bar");
  let words = STAGES[progress.stage] ?? progress.stage;
  if (progress.state === "uploading") words = "Sending the recording to the server";
  if (progress.state === "queued") words = progress.ahead ? `Waiting: ${progress.ahead} before this one` : "Waiting";
  if (byId("stage-words").textContent !== words) byId("stage-words").textContent = words;
  if (progress.total > 0) bar.value = progress.done / progress.total;
  else bar.removeAttribute("value");
  byId("stage-share").textContent = progress.total > 0 ? `${Math.floor((100 * progress.done) / progress.total)} %` : "";
}

async function begin(extra: Record<string, string> = {}): Promise<void> {
  const what = task();
  if (!recording || job || (what === "align" && !subtitles)) return;
  const form = new FormData();
  if (what === "align") {
    form.set("subtitles", subtitles!, subtitles!.name);
    form.set("any_order", "true");
  }
  if (what === "translate") form.set("alternatives", "4");
  const model = byId<HTMLSelectElement>("model").value;
  if (!byId("model-row").hidden && model) form.set("model", model);
  for (const [name, value] of Object.entries(extra)) form.set(name, value);
  byId("progress-title").textContent = `${TASKS[what]!.title}: ${recording.name}`;
  show("progress");
  byId("progress-title").focus();
  try {
    const media = staysHere() ? await skeleton(recording) : recording;
    form.set("media", media, media.name);
    const found = { ...(await run(what, form)), name: recording.name };
    const seen = await current!.file("pose");
    files = new Map();
    if (what !== "align") {
      for (const format of ["vtt", "srt", "eaf"] as const) files.set(format, await current!.file(format));
    }
    await open(found, seen);
  } catch (error) {
    refuse(error);
  } finally {
    current?.forget();
    current = null;
  }
}

/** The skeleton of a video, taken in this browser; once, however often it is asked for. */
async function skeleton(video: File): Promise<File> {
  if (taken?.video === video) return taken.poses;
  job = new AbortController();
  try {
    const told = (done: number, total: number) => progressed({ state: "running", stage: "here", done, total, ahead: 0 });
    told(0, 0);
    taken = { video, poses: await skeletonOf(video, server!.limits.seconds!, told, job.signal) };
    return taken.poses;
  } finally { job = null; }
}

async function run(what: Task, form: FormData): Promise<Result> {
  job = new AbortController();
  current = new Job(progressed, job.signal);
  try { return await current.run(what, form); } finally { job = null; }
}

function back(): void {
  show("start");
  byId("choose-recording").focus();
}

function refuse(error: unknown): void {
  const kind = error instanceof Refused ? error.kind : "failed";
  const said = REFUSALS[kind] ?? { title: "This did not work", advice: "" };
  byId("refusal-title").textContent = said.title;
  byId("refusal-advice").textContent = said.advice;
  byId("refusal-detail").textContent = ["cancelled", "simulated-only"].includes(kind) ? "" : error instanceof Error ? error.message : String(error);
  const buttons = byId("refusal-buttons");
  buttons.replaceChildren(make("button", { type: "button", class: "primary", click: back }, "Back"));
  if (kind === "unplayable" || kind === "no-webgl") {
    const send = () => { byId<HTMLInputElement>("here").checked = false; back(); showChosen(); };
    buttons.append(make("button", { type: "button", click: send }, "Send the video to the server instead"));
  }
  if (kind === "simulated-only") {
    const segment = () => { byId<HTMLInputElement>("task-segment").checked = true; showChosen(); void begin(); };
    buttons.append(
      make("button", { type: "button", click: segment }, "Find the signing instead"),
      make("button", { type: "button", click: () => void card(byId<HTMLSelectElement>("model").value) }, "About this model"),
      make("button", { type: "button", click: () => void begin({ allow_simulated: "true" }) }, "Show me the nonsense"),
    );
  }
  show("refusal");
  byId("refusal-title").focus();
}

// --- what came of it -----------------------------------------------------------------------------

async function open(found: Result, seen: Blob): Promise<void> {
  result = found;
  poses = seen;
  selected = -1;
  player.clear();
  const played = isVideo(recording) && (await player.openVideo(recording));
  let note = isVideo(recording) && !played ? "This browser cannot play the video; the skeleton taken from it is shown." : "";
  try { await player.openPoses(await Poses.open(seen)); } catch (error) {
    note = `The skeleton cannot be drawn: ${(error as Error).message}.`;
  }
  show("work");
  byId("stage-note").textContent = note;
  byId("view-label").hidden = !played;
  player.setView(byId<HTMLSelectElement>("view").value as View);
  const { clip } = found, offset = found.timecode ?? 0;
  byId("file-name").textContent = found.name;
  byId("facts").textContent = [
    TASKS[found.task]!.title, clock(clip.duration, false), `${Number(clip.fps.toFixed(2))} pictures a second`,
    clip.simulated ? "simulated signing" : "", staysHere() ? "the video stayed in this browser" : "",
  ].filter(Boolean).join(" · ");
  byId("simulated").hidden = !(clip.simulated || found.model?.simulated_only);
  byId("simulated").textContent = !clip.simulated
    ? "This model knows only simulated signing, and this recording is not simulated: what it says below is nonsense."
    : found.model?.simulated_only
      ? "Simulated signing, and a model that knows nothing else: an instrument, not a sign language. It says nothing about people signing."
      : "Simulated signing: an instrument, not a sign language.";
  byId("model-line").hidden = !found.model;
  byId("model-name").textContent = found.model?.name ?? "";
  const slider = byId<HTMLInputElement>("position");
  slider.max = String(Math.max(clip.frames - 1, 1));
  byId("result-title").textContent = TASKS[found.task]!.result;
  byId("result").replaceChildren(); // the list of the result before is none of these cues
  cues.open(found.cues ?? []);
  byId("work").dataset.task = found.task;
  timeline.open(Math.max(clip.duration, player.duration), clip.fps, offset, found.phrases, found.signing, found.signs ?? []);
  byId("work").toggleAttribute("data-signs", Boolean(found.signs?.length));
  for (const id of ["cue-tools", "cue-editor"]) byId(id).hidden = found.task !== "align";
  showNotices(found);
  showResult(found);
  player.seek(0);
  byId("file-name").focus();
  announce(`${TASKS[found.task]!.result}: ready`);
}

function showNotices(found: Result): void {
  const told = [...found.notices, ...(found.distrust ? [`Do not trust this: ${found.distrust}`] : [])];
  byId("notices").replaceChildren(...told.map(text => make("li", {}, text)));
  byId("notices").hidden = told.length === 0;
}

function showResult(found: Result): void {
  const body = byId("result");
  if (found.task === "translate") {
    body.append(make("p", { class: "said", dir: "auto", lang: "" }, found.text || "(nothing)"));
    if (found.glosses) body.append(make("p", { class: "soft" }, "Glosses: the names of signs in their order, no sentence."));
    if (found.alternatives?.length) {
      body.append(make("details", {}, make("summary", {}, "Other readings"), make("ol", { class: "others" },
        ...found.alternatives.map(other => make("li", { dir: "auto", lang: "" }, other.text)))));
    }
  }
  if (found.task === "recognize") {
    const [best] = found.candidates ?? [];
    body.append(make("p", { class: "said", dir: "auto", lang: "" }, found.known && best ? best.gloss : "Unknown"));
    body.append(make("p", { class: "soft" }, found.known
      ? "The most likely of the signs that this model knows:"
      : "Probably none of the signs that this model knows. The nearest are:"));
    body.append(make("ol", { class: "candidates" }, ...(found.candidates ?? []).map(each => {
      const meter = make("meter", { min: 0, max: 1, "aria-label": `probability of ${each.gloss}` });
      meter.value = each.probability;
      return make("li", {}, make("span", { dir: "auto", lang: "" }, each.gloss), meter,
        make("span", { class: "number" }, `${(100 * each.probability).toFixed(1)} %`));
    })));
  }
  if (found.task === "segment") {
    body.append(make("p", {}, `${found.phrases.length} ${found.phrases.length === 1 ? "phrase" : "phrases"}; ${Math.round(100 * (found.share ?? 0))} % of the time somebody signs.`));
    body.append(make("ol", { class: "list", id: "list" }, ...found.phrases.map((span, k) => make("li", {},
      make("button", { type: "button", class: "row", click: () => watch(span) },
        make("span", { class: "text" }, `Phrase ${k + 1}`),
        make("span", { class: "when" }, `${clock(span.start)} to ${clock(span.end)}`))))));
  }
  if (found.task === "align") {
    byId("summary").textContent =
      `${found.cues!.length} cues. Signing follows speech by ${found.lag!.toFixed(1)} s. ${toCheck(found)}`;
    body.append(make("ol", { class: "list", id: "list" }));
    showCues();
  } else byId("summary").textContent = "";
}

function toCheck(found: Result): string {
  return found.low ? `${found.low} to check.` : "None is unsure.";
}

/** Plays a stretch from its start. */
function watch(span: Span): void {
  player.seek(span.start);
  if (loopOn()) player.loop = span;
}

// --- cues ----------------------------------------------------------------------------------------

function local(span: Span): Span {
  const by = result?.timecode ?? 0;
  return { start: span.start - by, end: span.end - by };
}

function state(k: number): { word: string; kind: string; number: string } {
  const cue = cues.cues[k]!, place = cues.places[k]!;
  if (place.locked) return { word: place.corrected ? "corrected, locked" : "locked", kind: "locked", number: "" };
  return {
    word: WORDS[cue.level], kind: cue.level.replace(" ", "-"),
    number: cue.level === "not placed" ? "" : `${Math.round(100 * cue.confidence)} %`,
  };
}

function showCues(): void {
  const list = document.getElementById("list");
  if (!list || result?.task !== "align") return;
  cues.cues.forEach((cue, k) => {
    const place = cues.places[k]!, here = state(k), chosen = k === selected;
    let item = list.children[k] as HTMLElement | undefined;
    if (!item) {
      const row = make("button", { type: "button", class: "row", click: () => select(k, true) },
        make("span", { class: "number" }, String(cue.number)),
        make("span", { class: "text", dir: "auto", lang: "" }, cue.text || "(no text)"),
        make("span", { class: "when" }), make("span", { class: "sure" }));
      const lock = make("button", { type: "button", class: "lock", click: () => toggleLock(k) },
        "Lock", make("span", { class: "sr" }, ` cue ${cue.number}`));
      item = make("li", {}, row, lock);
      list.append(item);
    }
    const [row, lock] = item.children as unknown as [HTMLElement, HTMLElement];
    item.classList.toggle("selected", chosen);
    row.tabIndex = lock.tabIndex = chosen || (selected < 0 && k === 0) ? 0 : -1;
    if (chosen) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
    const shift = place.span.start - cue.old.start;
    const flags = cue.flags.map(flag => FLAGS[flag]).filter(Boolean).join(", ");
    row.children[2]!.textContent = `${clock(place.span.start)} (${shift < -0.0005 ? "−" : "+"}${Math.abs(shift).toFixed(2)} s)`;
    row.children[3]!.replaceChildren(make("i", { class: `swatch ${here.kind}`, "aria-hidden": "true" }),
      [here.word, here.number].filter(Boolean).join(" ") + (flags && !place.locked ? `; ${flags}` : ""));
    lock.setAttribute("aria-pressed", String(place.locked));
  });
  while (list.children.length > cues.cues.length) list.lastElementChild!.remove();
  const undo = byId<HTMLButtonElement>("undo"), redo = byId<HTMLButtonElement>("redo");
  undo.disabled = !cues.undoable;
  redo.disabled = !cues.redoable;
  byId("locked-count").textContent = cues.locked
    ? `Aligns again around ${cues.locked} locked.` : "Lock what is right, then align the rest again.";
  byId<HTMLButtonElement>("realign").disabled = cues.locked === 0;
  const left = cues.cues.filter((cue, k) => cue.level === "low" && !cues.places[k]!.locked).length;
  byId<HTMLButtonElement>("next-unsure").disabled = left === 0;
  showEditor();
}

function showEditor(): void {
  const cue = cues.cues[selected], place = cues.places[selected];
  const fields = byId<HTMLFieldSetElement>("cue-fields");
  fields.disabled = !cue;
  byId("cue-name").textContent = cue ? `Cue ${cue.number}` : "Choose a cue to correct it";
  if (!place) return;
  for (const end of ["start", "end"] as const) {
    const input = byId<HTMLInputElement>(`cue-${end}`);
    if (document.activeElement !== input) input.value = clock(place.span[end]);
    input.removeAttribute("aria-invalid");
  }
}

function select(k: number, seek: boolean, focus = false): void {
  if (k < 0 || k >= cues.cues.length) return;
  selected = timeline.selected = k;
  const span = local(cues.places[k]!.span);
  if (loopOn()) player.loop = span;
  if (seek) player.seek(span.start);
  showCues();
  timeline.reveal(span);
  timeline.later();
  const item = byId("list").children[k] as HTMLElement;
  item.scrollIntoView({ block: "nearest" });
  if (focus) (item.firstElementChild as HTMLElement).focus({ preventScroll: true });
}

function toggleLock(k: number): void {
  const now = !cues.places[k]?.locked;
  cues.lock(k, now);
  announce(`Cue ${cues.cues[k]!.number} ${now ? "locked" : "unlocked"}`);
}

function nudge(by: number): void {
  const place = cues.places[selected];
  if (!place) return;
  cues.move(selected, { start: place.span.start + by, end: place.span.end + by }, player.fps);
  announce(`Cue ${cues.cues[selected]!.number} starts at ${clock(cues.places[selected]!.span.start)}`);
}

function setEdge(end: "start" | "end", time: number): void {
  const place = cues.places[selected];
  if (!place) return;
  const span = { ...place.span, [end]: time };
  if (end === "start" && span.start >= span.end) span.end = span.start + (place.span.end - place.span.start);
  cues.move(selected, span, player.fps);
  announce(`Cue ${cues.cues[selected]!.number} ${end}s at ${clock(cues.places[selected]!.span[end])}`);
}

function undo(back: boolean): void {
  const what = back ? cues.undo() : cues.redo();
  announce(what ? `${back ? "Undone" : "Done again"}: ${what}` : `Nothing to ${back ? "undo" : "redo"}`);
}

async function realign(): Promise<void> {
  if (!result || !poses || !subtitles || job || cues.locked === 0) return;
  const locks = cues.cues.flatMap((cue, k) => {
    const place = cues.places[k]!;
    return place.locked ? [{ cue: cue.number, start: place.span.start, end: place.span.end }] : [];
  });
  const form = new FormData();
  form.set("media", new File([poses], "clip.pose"));
  form.set("subtitles", subtitles, subtitles.name);
  form.set("any_order", "true");
  form.set("locked", JSON.stringify(locks));
  if (result.model) form.set("model", result.model.name);
  const button = byId<HTMLButtonElement>("realign");
  button.disabled = true;
  byId("summary").textContent = "Aligning again around what is locked …";
  announce("Aligning again around what is locked");
  try {
    const found = await run("align", form);
    result = { ...found, name: result.name };
    cues.replace(found.cues!);
    showNotices(found);
    byId("summary").textContent = `Aligned again around ${locks.length} locked. ${toCheck(found)}`;
    announce(byId("summary").textContent!);
  } catch (error) {
    byId("summary").textContent = `Not aligned again: ${error instanceof Error ? error.message : error}`;
    announce(byId("summary").textContent!);
  } finally {
    current?.forget();
    current = null;
    showCues();
  }
}

// --- exports -------------------------------------------------------------------------------------

function corrected(): Result {
  if (result!.task !== "align") return result!;
  const told = cues.cues.map((cue, k) => {
    const place = cues.places[k]!, flags = cue.flags.filter(flag => flag !== "locked");
    return {
      ...cue, new: place.span, shift: round(place.span.start - cue.old.start),
      flags: [...flags, ...(place.locked ? ["locked"] : []), ...(place.corrected ? ["corrected"] : [])],
    };
  });
  return { ...result!, cues: told };
}

async function write(format: Format): Promise<void> {
  if (!result) return;
  const stem = (result.task === "align" ? result.subtitles! : result.name).replace(/\.[^.]*$/, "");
  const name = `${stem}${result.task === "align" && format !== "pose" ? ".aligned" : ""}.${format}`;
  try {
    let data: Blob | undefined;
    if (format === "pose") data = poses!;
    else if (format === "json") data = new Blob([JSON.stringify(corrected(), null, 1)], { type: "application/json" });
    else if (result.task === "align") {
      const spans = JSON.stringify(cues.places.map(place => place.span));
      const told = format === "eaf" ? JSON.stringify(corrected()) : null;
      data = await (await client.export({ subtitles: subtitles!, cues: spans, format, result: told })).blob();
    } else data = files.get(format);
    if (!data) throw new Error(`there is no ${format} of this`);
    save(data, name);
    byId("export-note").textContent = `Saved as ${name}.`;
  } catch (error) {
    byId("export-note").textContent = `Not saved: ${error instanceof Error ? error.message : error}`;
  }
}

/** What helps to understand a fault: times, texts and settings; no picture and no poses. */
function report(): void {
  if (!result) return;
  const told = {
    signloom: result.signloom, browser: navigator.userAgent, page: "studio", server,
    recording: recording && { name: recording.name, bytes: recording.size }, result: corrected(),
  };
  save(new Blob([JSON.stringify(told, null, 1)], { type: "application/json" }), "signloom-report.json");
  byId("export-note").textContent = "Saved signloom-report.json: times, texts and settings, no picture and no poses.";
}

async function card(name = result?.model?.name): Promise<void> {
  if (!name) return;
  const dialog = byId<HTMLDialogElement>("card");
  byId("card-title").textContent = `About the model ${name}`;
  try {
    const text = await (await client.card(name)).text();
    byId("card-text").replaceChildren(...(text.trim() ? written(text) : ["This model has no card."]));
  } catch (error) { byId("card-text").textContent = String(error); }
  dialog.showModal();
}

// --- playing -------------------------------------------------------------------------------------

function loopOn(): boolean { return byId("loop").getAttribute("aria-pressed") === "true"; }

function setLoop(on: boolean): void {
  byId("loop").setAttribute("aria-pressed", String(on));
  const place = cues.places[selected];
  player.loop = on ? (place ? local(place.span) : { start: 0, end: player.duration - 0.01 }) : null;
}

function faster(by: number): void {
  const at = SPEEDS.indexOf(player.speed as (typeof SPEEDS)[number]);
  const speed = SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)]!;
  byId<HTMLSelectElement>("speed").value = String(speed);
  player.setRate(speed);
  announce(`Speed ${speed}×`);
}

function nextView(): void {
  const select_ = byId<HTMLSelectElement>("view");
  if (!player.withVideo) return;
  select_.selectedIndex = (select_.selectedIndex + 1) % select_.options.length;
  player.setView(select_.value as View);
  announce(select_.selectedOptions[0]!.text);
}

function listenToPlayer(): void {
  const slider = byId<HTMLInputElement>("position"), play = byId("play");
  player.onTime = time => {
    const at = clock(time + (result?.timecode ?? 0));
    slider.value = String(Math.floor(time * player.fps + 1e-3));
    slider.setAttribute("aria-valuetext", at);
    byId("time").textContent = `${at} / ${clock(player.duration + (result?.timecode ?? 0), false)}`;
    timeline.setTime(time, player.playing ? FOLLOWED : 1);
    showNow(time);
  };
  player.onPlaying = playing => { play.textContent = playing ? "Stop" : "Play"; };
  play.addEventListener("click", () => player.toggle());
  slider.addEventListener("input", () => player.seek(Number(slider.value) / player.fps));
  byId("back").addEventListener("click", () => step(-1));
  byId("on").addEventListener("click", () => step(1));
  byId("loop").addEventListener("click", () => setLoop(!loopOn()));
  const speed = byId<HTMLSelectElement>("speed"), view = byId<HTMLSelectElement>("view");
  speed.addEventListener("change", () => player.setRate(Number(speed.value)));
  view.addEventListener("change", () => player.setView(view.value as View));
  timeline.onSeek = time => player.seek(time);
  timeline.onSelect = k => select(k, false);
  byId("zoom-in").addEventListener("click", () => timeline.zoomBy(1.5));
  byId("zoom-out").addEventListener("click", () => timeline.zoomBy(1 / 1.5));
  byId("zoom-all").addEventListener("click", () => timeline.whole());
  byId("undo").addEventListener("click", () => undo(true));
  byId("redo").addEventListener("click", () => undo(false));
  byId("realign").addEventListener("click", () => void realign());
  byId("next-unsure").addEventListener("click", nextUnsure);
  for (const end of ["start", "end"] as const) {
    const input = byId<HTMLInputElement>(`cue-${end}`);
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
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-export]")) {
    button.addEventListener("click", () => void write(button.dataset.export as Format));
  }
  byId("report").addEventListener("click", report);
}

/** The cue that is signed now, below the picture and never on it. */
function showNow(time: number): void {
  const now = byId("now");
  let text = "";
  if (result?.task === "align") {
    const at = time + (result.timecode ?? 0);
    const k = cues.places.findIndex(place => place.span.start <= at && at < place.span.end);
    text = k < 0 ? "" : cues.cues[k]!.text;
  }
  if (now.textContent !== text) now.textContent = text;
}

function step(by: number): void {
  player.pause();
  player.seek((Math.floor(player.time * player.fps + 1e-3) + by + 0.01) / player.fps);
}

// --- keys ----------------------------------------------------------------------------------------

function pressed(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
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
    const own = event.key.startsWith("Arrow") && (target.id === "position" || (/Up|Down/.test(event.key) && result?.task !== "align"));
    if (own || (event.key === " " && target.matches("button, summary, a"))) return;
    const act = ACTIONS[event.key] ?? ACTIONS[event.key.toLowerCase()];
    if (!act) return;
    act(event);
  }
  event.preventDefault();
}

const ACTIONS: Record<string, (event: KeyboardEvent) => void> = {
  " ": () => player.toggle(),
  k: () => player.toggle(),
  ",": () => step(-1),
  ".": () => step(1),
  ArrowLeft: () => player.seek(player.time - 1),
  ArrowRight: () => player.seek(player.time + 1),
  ArrowUp: event => along(event, -1),
  ArrowDown: event => along(event, 1),
  "[": () => setEdge("start", player.time + (result?.timecode ?? 0)),
  "]": () => setEdge("end", player.time + (result?.timecode ?? 0)),
  l: () => { if (selected >= 0) toggleLock(selected); },
  n: nextUnsure,
  r: () => void realign(),
  z: event => undo(!event.shiftKey),
  "+": () => timeline.zoomBy(1.5),
  "=": () => timeline.zoomBy(1.5),
  "-": () => timeline.zoomBy(1 / 1.5),
  "0": () => timeline.whole(),
  o: () => setLoop(!loopOn()),
  "<": () => faster(-1),
  ">": () => faster(1),
  v: nextView,
  "?": () => help(),
};

/** The next cue after the chosen one that is unsure and not yet locked. */
function nextUnsure(): void {
  const count = cues.cues.length;
  for (let by = 1; by <= count; by++) {
    const k = (Math.max(selected, -1) + by) % count;
    if (cues.cues[k]!.level !== "low" || cues.places[k]!.locked) continue;
    select(k, true);
    announce(`Cue ${cues.cues[k]!.number}: ${cues.cues[k]!.text}`);
    return;
  }
  announce("Nothing is left to check");
}

function along(event: KeyboardEvent, by: number): void {
  const inList = (event.target as HTMLElement).closest("#list") !== null;
  select(selected < 0 ? 0 : selected + by, true, inList);
}

function help(): void { byId<HTMLDialogElement>("help").showModal(); }

// --- the beginning -------------------------------------------------------------------------------

async function start(): Promise<void> {
  byId("keys").append(...KEYS.flatMap(([keys, what]) => [make("dt", {}, keys), make("dd", {}, what)]));
  byId("help-button").addEventListener("click", help);
  const box = byId<HTMLInputElement>("shortcuts");
  box.addEventListener("change", () => { shortcuts = box.checked; });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector(".close")!.addEventListener("click", () => dialog.close());
  }
  listen();
  listenToPlayer();
  addEventListener("keydown", pressed);
  try {
    server = await client.about();
    byId("live-row").hidden = liveTask(server) === null;
    const live = new Live(server);
    byId("live-button").addEventListener("click", () => { show("along"); live.clear(); void live.begin(); });
    byId("live-back").addEventListener("click", () => { live.end(); back(); });
    byId("version").textContent = `signloom ${server!.signloom}`;
    const at = server!.local ? "the signloom server on this computer" : `the signloom server at ${location.host}`;
    byId("where").textContent = server!.holistic
      ? `A video stays in this browser, unless you choose otherwise; its skeleton goes to ${at}, and nowhere else.`
      : `Your recording goes to ${at}, and nowhere else. A video is deleted as soon as the skeleton has been taken from it.`;
  } catch (error) { refuse(error); }
  showChosen();
}

void start();
