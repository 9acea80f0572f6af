// A video to a `.pose` file, inside the browser: what leaves the page then are keypoints.

import { client, Refused } from "./api.js";
import { Holistic, KEYPOINTS, type Origin } from "./holistic.js";
import { load } from "./video.js";

const COMMON_RATES = [24000 / 1001, 24, 25, 30000 / 1001, 30, 50, 60000 / 1001, 60, 10, 12, 12.5, 15, 20];
const PICTURES = 16, PATIENCE = 8000;

/** The skeleton of the one who signs in `video`, as a `.pose` file. Throws Refused. */
export async function skeletonOf(
  video: File, longest: number, told: (done: number, total: number) => void, signal: AbortSignal,
): Promise<File> {
  const element = document.createElement("video"), canvas = document.createElement("canvas");
  element.muted = true;
  const url = URL.createObjectURL(video);
  try {
    if (!(await load(element, url))) {
      throw new Refused(0, "unplayable", `${video.name} is a video that this browser cannot play.`);
    }
    if (element.duration > longest) {
      throw new Refused(413, "too-large", `${video.name} is too long: ${element.duration.toFixed(0)} s, expected at most ${longest.toFixed(0)} s; cut it`);
    }
    const holistic = await Holistic.open();
    const fps = await rateOf(element), frames = Math.max(Math.round(element.duration * fps), 1);
    const pen = canvas.getContext("2d")!, read: Float32Array<ArrayBuffer>[] = [];
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

function seek(video: HTMLVideoElement, time: number): Promise<void> {
  return new Promise((done, fail) => {
    video.onseeked = () => done();
    video.onerror = () => fail(new Refused(0, "unplayable", `This browser cannot read the video at ${time.toFixed(1)} s.`));
    video.currentTime = time;
  });
}

/** Pictures a second, measured on the first: browsers do not say. On a busy machine some are left out when it plays. */
async function rateOf(video: HTMLVideoElement): Promise<number> {
  for (const speed of [0.25, 0.0625]) {
    const times = await played(video, speed);
    const steps = times.slice(1).map((time, k) => time - times[k]!).filter(step => step > 1e-4);
    const least = Math.min(...steps), single = steps.filter(step => step < 1.25 * least);
    if (!single.length) continue;
    const step = single.reduce((sum, each) => sum + each) / single.length;
    const near = COMMON_RATES.filter(rate => Math.abs(rate * step - 1) < 0.02);
    near.sort((a, b) => Math.abs(a * step - 1) - Math.abs(b * step - 1));
    return near[0] ?? Number((1 / step).toFixed(3));
  }
  throw new Refused(0, "unplayable", "This browser does not show how many pictures a second the video has. Keep the page in front while it works.");
}

/** The times of the first pictures, as they are shown at a speed. */
async function played(video: HTMLVideoElement, speed: number): Promise<number[]> {
  const times: number[] = [];
  await seek(video, 0);
  video.playbackRate = speed;
  await new Promise<void>(done => {
    const next = (_: number, { mediaTime }: VideoFrameCallbackMetadata) => {
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

/** `header`: that of the layout "holistic", with the size of another picture; the rest as pose/files.py writes it. */
function poseFile(
  header: ArrayBuffer, read: Float32Array<ArrayBuffer>[], fps: number, size: [number, number], id: string, origin: Origin,
): Blob {
  const own = new DataView(header.slice(0));
  own.setUint16(4, size[0], true);
  own.setUint16(6, size[1], true);
  const about = new DataView(new ArrayBuffer(10));
  about.setFloat32(0, fps, true);
  about.setUint32(4, read.length, true);
  about.setUint16(8, 1, true);
  const points = read.map(frame => frame.filter((_, k) => k % 4 < 3));
  const confidence = read.map(frame => Float32Array.from({ length: KEYPOINTS }, (_, k) => frame[4 * k + 3]!));
  const made = { ...origin, settings: { ...origin.settings, fps } }; // as `signloom extract` says it
  const ascii = JSON.stringify({ id, layout: "holistic", ...made })
    .replace(/[\u0080-\uffff]/g, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const trailer = new DataView(new ArrayBuffer(4));
  trailer.setUint32(0, ascii.length, true);
  return new Blob([own, about, ...points, ...confidence, "signloom", trailer, ascii]);
}
