// One clock for the picture: that of the video where there is one, else our own.

import { around, draw } from "./draw.js";
import type { Poses } from "./pose.js";
import { load } from "./video.js";

export type View = "both" | "video" | "skeleton";
export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.5, 2] as const;

export class Player {
  poses: Poses | null = null;
  view: View = "both";
  loop: { start: number; end: number } | null = null;
  /** Called at every picture, with the time in seconds. */
  onTime: (time: number) => void = () => {};
  onPlaying: (playing: boolean) => void = () => {};
  private own = 0;
  private running = false;
  private last = 0;
  private rate = 1;
  private url = "";
  private box: [number, number, number, number] | null = null;
  private hasVideo = false;
  private length = 0;

  constructor(readonly video: HTMLVideoElement, readonly canvas: HTMLCanvasElement, readonly stage: HTMLElement) {
    video.muted = true;
    video.addEventListener("play", () => this.started());
    video.addEventListener("pause", () => { this.running = false; this.onPlaying(false); });
    video.addEventListener("seeked", () => this.paint());
    new ResizeObserver(() => this.paint()).observe(stage);
  }

  get time(): number { return this.hasVideo ? this.video.currentTime : this.own; }
  get playing(): boolean { return this.running; }
  get duration(): number { return this.length; }
  get fps(): number { return this.poses?.fps ?? 25; }
  get withVideo(): boolean { return this.hasVideo; }

  /** Shows a video file; false where this browser cannot play it. */
  async openVideo(file: Blob): Promise<boolean> {
    this.clear();
    this.url = URL.createObjectURL(file);
    this.hasVideo = await load(this.video, this.url);
    if (this.hasVideo) this.length = this.video.duration;
    else this.video.removeAttribute("src");
    this.fit();
    return this.hasVideo;
  }

  async openPoses(poses: Poses): Promise<void> {
    this.poses = poses;
    this.length = Math.max(poses.duration, this.hasVideo ? this.length : 0);
    poses.arrived = () => this.paint();
    const box = await poses.box();
    this.box = box && around(box);
    this.fit();
    this.paint();
  }

  clear(): void {
    this.pause();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
    this.video.removeAttribute("src");
    this.poses = this.box = this.loop = null;
    this.own = this.length = 0;
    this.hasVideo = false;
  }

  setView(view: View): void {
    this.view = view;
    this.fit();
    this.paint();
  }

  setRate(rate: number): void {
    this.rate = this.video.playbackRate = rate;
  }

  get speed(): number { return this.rate; }

  toggle(): void { if (this.running) this.pause(); else this.play(); }

  play(): void {
    if (!this.length) return;
    if (this.time >= this.length - 0.02) this.seek(0);
    if (this.hasVideo) {
      this.video.playbackRate = this.rate;
      void this.video.play().catch(() => this.onPlaying(false));
    } else this.started();
  }

  pause(): void {
    if (this.hasVideo) this.video.pause();
    if (this.running) { this.running = false; this.onPlaying(false); }
  }

  seek(time: number): void {
    const at = Math.min(Math.max(time, 0), this.length);
    if (this.hasVideo) this.video.currentTime = at;
    this.own = at;
    this.paint();
    this.onTime(at);
  }

  private started(): void {
    if (this.running) return;
    this.running = true;
    this.last = performance.now();
    this.onPlaying(true);
    const tick = (now: number) => {
      if (!this.running) return;
      if (!this.hasVideo) this.own = Math.min(this.own + (this.rate * (now - this.last)) / 1000, this.length);
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
  private fit(): void {
    const skeleton = !this.hasVideo || this.view === "skeleton";
    this.stage.dataset.view = skeleton ? "skeleton" : this.view;
    let ratio = 4 / 3;
    if (!skeleton && this.video.videoWidth) ratio = this.video.videoWidth / this.video.videoHeight;
    else if (this.poses && !this.box) ratio = this.poses.width / this.poses.height;
    this.stage.style.aspectRatio = String(Math.min(Math.max(ratio, 0.75), 2));
  }

  paint(): void {
    const { poses } = this;
    if (!poses) return;
    const over = this.stage.dataset.view !== "skeleton";
    const whole: [number, number, number, number] = [0, 0, poses.width, poses.height];
    const frame = Math.floor(this.time * poses.fps + 1e-3);
    draw(this.canvas, poses, frame, over ? whole : this.box ?? whole, over);
  }
}
