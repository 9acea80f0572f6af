// A recording of the camera, made in a dialog by mouse or keys; it becomes a file like any other.

import { announce, byId, clock } from "./dom.js";

const KINDS = ["video/webm;codecs=vp8", "video/mp4", "video/webm"];
const COUNT = 3;
/** Seconds between "Record" and the recording: hands have to get from the keys to where signing begins. */

export class Camera {
  private readonly dialog = byId<HTMLDialogElement>("camera");
  private readonly preview = byId<HTMLVideoElement>("preview");
  private readonly button = byId<HTMLButtonElement>("record");
  private stream: MediaStream | null = null;
  private recorder: MediaRecorder | null = null;
  private timer = 0;

  constructor(private readonly recorded: (video: File) => void) {
    byId("camera-button").addEventListener("click", () => void this.open());
    this.button.addEventListener("click", () => this.toggle());
    this.dialog.addEventListener("close", () => this.close());
  }

  private async open(): Promise<void> {
    this.say("Waiting for the camera. Your browser may ask whether this page may use it.");
    this.button.disabled = true;
    this.button.textContent = "Record";
    this.dialog.showModal();
    try {
      const stream = await cameraStream();
      if (!this.dialog.open) return stop(stream);
      this.stream = this.preview.srcObject = stream;
      await this.preview.play();
    } catch (error) { return this.say(why(error)); }
    this.say(`Nothing is recorded yet. After “Record” there are ${COUNT} seconds to get ready.`);
    this.button.disabled = false;
    this.button.focus();
  }

  private toggle(): void {
    if (this.recorder?.state === "recording") this.recorder.stop();
    else if (this.recorder) return;
    else if (this.timer) this.wait();
    else this.count(COUNT);
  }

  /** Back to before the countdown. */
  private wait(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    byId("count").textContent = "";
    this.button.textContent = "Record";
  }

  private count(left: number): void {
    byId("count").textContent = left ? String(left) : "";
    this.button.textContent = "Not yet";
    if (!left) return this.begin();
    this.say(`Recording starts in ${left}.`);
    this.timer = window.setTimeout(() => this.count(left - 1), 1000);
  }

  private begin(): void {
    const type = KINDS.find(kind => MediaRecorder.isTypeSupported(kind)), parts: Blob[] = [];
    const recorder = new MediaRecorder(this.stream!, { mimeType: type, videoBitsPerSecond: 4e6 });
    this.recorder = recorder;
    const began = performance.now();
    const tick = () => {
      byId("recorded-for").textContent = clock((performance.now() - began) / 1000, false);
      this.timer = window.setTimeout(tick, 250);
    };
    recorder.ondataavailable = event => parts.push(event.data);
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

  private say(text: string): void { byId("camera-words").textContent = text; }

  /** The camera goes off; what was recorded until a dialog is closed by Escape is dropped. */
  private close(): void {
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
}

/** Pictures without sound. Throws what `why` puts into words. */
export async function cameraStream(): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
  return navigator.mediaDevices.getUserMedia({
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } }, audio: false,
  });
}

export function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export function why(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The camera may not be used. Allow it for this page in the browser's settings, then try again.";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "No camera was found. Is it plugged in?";
  if (name === "NotReadableError") return "The camera is in use by another program.";
  if (name === "SecurityError") return "Browsers hand out the camera on this computer's own pages and over HTTPS only.";
  return `The camera does not start: ${error instanceof Error ? error.message : error}`;
}
