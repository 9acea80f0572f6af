// The skeleton on a canvas, in the page's colours; the left hand is dashed, so that colour is not all.

import type { Part, Poses } from "./pose.js";

const WIDTHS: Record<Part, number> = { body: 2.5, face: 1.2, left_hand: 2.4, right_hand: 3 };
const MARGIN = 0.06;

/** window: what part of the picture is shown, [left, top, right, bottom] in its own units. */
export function draw(
  canvas: HTMLCanvasElement, poses: Poses, number: number,
  window_: readonly [number, number, number, number], over: boolean,
): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
  const w = Math.round(wide * ratio), h = Math.round(high * ratio);
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const frame = poses.frame(number);
  if (!frame) return; // the last picture stays until the frame is here
  pen.clearRect(0, 0, wide, high);
  const [left, top, right, bottom] = window_;
  const spanX = Math.max(right - left, 1e-6), spanY = Math.max(bottom - top, 1e-6);
  const scale = Math.min(wide / spanX, high / spanY);
  const dx = (wide - spanX * scale) / 2 - left * scale, dy = (high - spanY * scale) / 2 - top * scale;
  const style = getComputedStyle(canvas);
  pen.lineCap = pen.lineJoin = "round";
  const parts: Part[] = ["body", "face", "left_hand", "right_hand"];
  for (const halo of over ? [true, false] : [false]) {
    for (const part of parts) {
      pen.beginPath();
      for (const edge of poses.edges) {
        if (edge.part !== part) continue;
        if (!(frame.confidence[edge.a]! > 0) || !(frame.confidence[edge.b]! > 0)) continue;
        const a = edge.a * poses.dims, b = edge.b * poses.dims;
        pen.moveTo(dx + frame.points[a]! * scale, dy + frame.points[a + 1]! * scale);
        pen.lineTo(dx + frame.points[b]! * scale, dy + frame.points[b + 1]! * scale);
      }
      pen.lineWidth = WIDTHS[part] + (halo ? 3 : 0);
      pen.strokeStyle = halo ? "rgb(0 0 0 / .55)" : style.getPropertyValue(`--${over ? "over-" : ""}${part}`);
      pen.setLineDash(part === "left_hand" && !halo ? [6, 4] : []);
      pen.stroke();
    }
  }
  pen.setLineDash([]);
}

/** A box with a margin, as a window. */
export function around(box: readonly [number, number, number, number]): [number, number, number, number] {
  const [left, top, right, bottom] = box;
  const x = (right - left) * MARGIN, y = (bottom - top) * MARGIN;
  return [left - x, top - y, right + x, bottom + y];
}
