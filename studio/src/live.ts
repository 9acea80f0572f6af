// Signing before the camera, written down while it goes on: skeletons out, text in (docs/studio.md, Live).

import { Refused, type Server } from "./api.js";
import { cameraStream, stop, why } from "./camera.js";
import { announce, byId, make } from "./dom.js";
import { Holistic } from "./holistic.js";
import { REFUSALS } from "./words.js";

const MEASURED = 8, SLOWEST = 5, FASTEST = 25;
/** Pictures on which the rate is measured; the rates at which frames are sent, a second. */

interface Told {
  type: "ready" | "provisional" | "final" | "closed" | "error";
  model: string; simulated_only: boolean; look_ahead_s: number; number: number; text: string; notice: string; delay_s?: number;
  kind: string; detail: string;
}

/** What can be done live here: the first model's first task; null where nothing can. */
export function liveTask(server: Server): string | null {
  if (!server.holistic) return null;
  const tasks = server.models.flatMap(model => model.live);
  return tasks[0] ?? null;
}

export class Live {
  private readonly preview = byId<HTMLVideoElement>("live-preview");
  private readonly button = byId<HTMLButtonElement>("live-stop");
  private stream: MediaStream | null = null;
  private socket: WebSocket | null = null;
  private run = 0;

  constructor(private readonly server: Server) {
    this.button.addEventListener("click", () => this.socket || this.stream ? this.end() : void this.begin());
    byId("live-nonsense").addEventListener("click", () => void this.begin(true));
  }

  /** Forgets what was written before. */
  clear(): void {
    byId("live-text").replaceChildren();
    byId("live-simulated").hidden = true;
  }

  async begin(nonsense = false): Promise<void> {
    const run = ++this.run, over = () => run !== this.run;
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
        canvas.getContext("2d")!.drawImage(this.preview, 0, 0);
        return holistic.read(canvas);
      };
      await read(); // the first takes longer than all that follow
      const began = performance.now();
      for (let k = 0; k < MEASURED && !over(); k++) await read();
      const rate = (1000 * MEASURED) / (performance.now() - began);
      if (over()) return;
      if (rate < SLOWEST) throw new Refused(0, "slow", `It reads ${rate.toFixed(1)} pictures a second, and ${SLOWEST} are needed. A recording works.`);
      const fps = Math.min(Math.floor(rate * 0.9), FASTEST) || SLOWEST;
      await this.connect({
        task: liveTask(this.server), layout: "holistic", fps: Math.max(fps, SLOWEST),
        size: [canvas.width, canvas.height], origin: holistic.origin, allow_simulated: nonsense,
      });
      await this.send(read, Math.max(fps, SLOWEST), over);
    } catch (error) {
      if (!over()) this.failed(error);
    }
  }

  /** Frames are the clock: where reading a picture takes longer than one, it is sent again. */
  private async send(read: () => Promise<Float32Array<ArrayBuffer>>, fps: number, over: () => boolean): Promise<void> {
    const began = performance.now();
    for (let sent = 0; !over() && this.socket;) {
      const frame = await read();
      const due = Math.floor(((performance.now() - began) / 1000) * fps);
      for (; sent < due && this.socket?.readyState === WebSocket.OPEN; sent++) this.socket.send(frame);
      await new Promise(requestAnimationFrame);
    }
  }

  private connect(first: object): Promise<void> {
    const address = new URL("v1/live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = this.socket = new WebSocket(address);
    return new Promise((ready, fail) => {
      let last: Refused | null = null;
      socket.onopen = () => socket.send(JSON.stringify(first));
      socket.onmessage = event => {
        const told = JSON.parse(event.data) as Told;
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

  private write(told: Told): void {
    if (told.type === "provisional") return this.provisional(told.text);
    this.provisional("");
    if (told.text) byId("live-text").append(make("li", { dir: "auto", lang: "" }, told.text));
    byId("live-notice").textContent = told.notice;
    byId("live-text").lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  private provisional(text: string): void {
    byId("live-provisional").textContent = text && `${text} …`;
  }

  private say(text: string): void { byId("live-words").textContent = text; }

  private failed(error: unknown): void {
    const said = error instanceof Refused ? REFUSALS[error.kind] : undefined;
    this.say(said ? `${said.title}. ${said.advice}` : error instanceof Refused ? error.message : why(error));
    byId("live-nonsense").hidden = !(error instanceof Refused && error.kind === "simulated-only");
    this.end();
  }

  /** The camera goes off; the text of what was signed until now still comes. */
  end(): void {
    this.run++;
    stop(this.stream);
    this.stream = this.preview.srcObject = null;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "end" }));
    else this.socket = null;
    this.button.textContent = "Go on";
    announce("The camera is off");
  }
}
