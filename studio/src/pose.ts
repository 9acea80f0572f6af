// .pose files, versions 0.1 and 0.2, read from a Blob a stretch at a time; every length is checked
// before anything is allocated. See docs/specs of pose-format.

export type Part = "body" | "face" | "left_hand" | "right_hand";
export interface Edge { a: number; b: number; part: Part }
export interface Frame { points: Float32Array; confidence: Float32Array }

const LONGEST_HEADER = 1 << 22, MOST_POINTS = 16_384, CHUNK = 64, KEPT = 40;
const COMPONENTS: Record<string, Part> = {
  POSE_LANDMARKS: "body", FACE_LANDMARKS: "face",
  LEFT_HAND_LANDMARKS: "left_hand", RIGHT_HAND_LANDMARKS: "right_hand",
};
const LEGS = ["KNEE", "ANKLE", "HEEL", "FOOT"], HEAD = ["NOSE", "EYE", "EAR", "MOUTH"];
const FINGERS = ["PINKY", "INDEX", "THUMB"];

class Reader {
  at = 0;
  constructor(readonly view: DataView) {}
  private take(size: number): number {
    if (this.at + size > this.view.byteLength) throw new Error("the file ends inside its header");
    this.at += size;
    return this.at - size;
  }
  u16(): number { return this.view.getUint16(this.take(2), true); }
  u32(): number { return this.view.getUint32(this.take(4), true); }
  f32(): number { return this.view.getFloat32(this.take(4), true); }
  text(): string {
    const length = this.u16(), at = this.take(length);
    return new TextDecoder().decode(new Uint8Array(this.view.buffer, at, length));
  }
  skip(size: number): void { this.take(size); }
}

export class Poses {
  private chunks = new Map<number, Frame[]>();
  private loading = new Set<number>();
  /** Called when frames have arrived that were asked for. */
  arrived: () => void = () => {};

  private constructor(
    readonly blob: Blob, readonly width: number, readonly height: number, readonly fps: number,
    readonly frames: number, readonly people: number, readonly keypoints: number,
    readonly dims: number, readonly edges: Edge[], private readonly body: number,
  ) {}

  get duration(): number { return this.frames / this.fps; }

  /** Throws an Error that says what is wrong with the file. */
  static async open(blob: Blob): Promise<Poses> {
    const reader = new Reader(new DataView(await blob.slice(0, LONGEST_HEADER).arrayBuffer()));
    const version = reader.f32();
    const second = Math.abs(version - 0.2) < 1e-4;
    if (!second && Math.abs(version - 0.1) > 1e-4) throw new Error("it is not version 0.1 or 0.2");
    const width = reader.u16(), height = reader.u16();
    reader.u16();
    const edges: Edge[] = [];
    const names: { component: string; point: string }[] = [];
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
    if (!second && held > frames && held % 65_536 === frames) frames = held;
    if (!frames || held < frames) throw new Error(`${frames} frames do not fit into its ${blob.size} bytes`);
    return new Poses(
      blob, Math.max(width, 1), Math.max(height, 1), fps, frames, people, names.length, dims,
      edges.filter(edge => drawn(edge, names)), reader.at,
    );
  }

  /** A frame if it is here; else it is fetched, and `arrived` is called. */
  frame(number: number): Frame | null {
    const at = Math.min(Math.max(number, 0), this.frames - 1), chunk = Math.floor(at / CHUNK);
    const here = this.chunks.get(chunk);
    if (!here) void this.load(chunk);
    if (at % CHUNK > CHUNK / 2) void this.load(chunk + 1);
    return here?.[at % CHUNK] ?? null;
  }

  async load(chunk: number): Promise<void> {
    const first = chunk * CHUNK, last = Math.min(first + CHUNK, this.frames);
    if (first >= last || this.chunks.has(chunk) || this.loading.has(chunk)) return;
    this.loading.add(chunk);
    try {
      const wide = this.people * this.keypoints, behind = this.body + 4 * this.frames * wide * this.dims;
      const [xyz, sure] = await Promise.all([
        this.floats(this.body, first, last, wide * this.dims), this.floats(behind, first, last, wide),
      ]);
      const frames: Frame[] = [];
      for (let f = 0; f < last - first; f++) {
        const p = f * wide * this.dims, c = f * wide;
        frames.push({
          points: xyz.subarray(p, p + this.keypoints * this.dims),
          confidence: sure.subarray(c, c + this.keypoints),
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

  private async floats(start: number, first: number, last: number, wide: number): Promise<Float32Array> {
    const bytes = await this.blob.slice(start + 4 * first * wide, start + 4 * last * wide).arrayBuffer();
    return new Float32Array(bytes);
  }

  /** [left, top, right, bottom] of what is drawn, over a dozen frames; null where nothing is. */
  async box(): Promise<[number, number, number, number] | null> {
    const xs: number[] = [], ys: number[] = [];
    for (let k = 0; k < 12; k++) {
      const number = Math.floor((k * (this.frames - 1)) / 11);
      await this.load(Math.floor(number / CHUNK));
      const frame = this.frame(number);
      if (!frame) continue;
      for (const { a, b } of this.edges) {
        for (const point of [a, b]) {
          if ((frame.confidence[point] ?? 0) <= 0) continue;
          xs.push(frame.points[point * this.dims]!);
          ys.push(frame.points[point * this.dims + 1]!);
        }
      }
    }
    if (!xs.length) return null;
    xs.sort((a, b) => a - b);
    ys.sort((a, b) => a - b);
    const at = (of: number[], share: number) => of[Math.round(share * (of.length - 1))]!;
    return [at(xs, 0.005), at(ys, 0.005), at(xs, 0.995), at(ys, 0.995)];
  }
}

/** No legs, and no body points that stand for a face or fingers where these are there in detail. */
function drawn(edge: Edge, names: { component: string; point: string }[]): boolean {
  if (edge.part !== "body") return true;
  const has = (component: string) => names.some(name => name.component === component);
  const out = [
    ...LEGS, ...(has("FACE_LANDMARKS") ? HEAD : []), ...(has("LEFT_HAND_LANDMARKS") ? FINGERS : []),
  ];
  return ![edge.a, edge.b].some(at => out.some(word => names[at]?.point.includes(word)));
}
