// MediaPipe Holistic in the browser, from the files of its npm package that this server serves.
//
// The package's own class leaves out the world body and stamps each picture with the time at which it
// comes, which its smoothing then takes for the video's. The class below it, `Solution`, does neither.
// Settings and time steps are those of the server's own extraction (signloom/extract/holistic.py).

import { Refused } from "./api.js";

/** Keypoints of the layout "holistic": body 33, face 468, hands 21 and 21, world body 33. */
export const KEYPOINTS = 576;
const PARTS = [
  { stream: "pose_landmarks", first: 0, count: 33 },
  { stream: "face_landmarks", first: 33, count: 468 },
  { stream: "left_hand_landmarks", first: 501, count: 21 },
  { stream: "right_hand_landmarks", first: 522, count: 21 },
  { stream: "world_landmarks", first: 543, count: 33 },
] as const;
const STEP = 1000 / 30;
/** Milliseconds between two pictures, as MediaPipe in Python counts them at any rate. */

interface Solution {
  initialize(): Promise<void>;
  onResults(listener: (found: Record<string, Uint8Array | undefined>) => void): void;
  send(inputs: { image: HTMLCanvasElement }, milliseconds: number): Promise<void>;
  reset(): Promise<void>;
}
declare global {
  interface Window { Solution?: new (config: object) => Solution; VERSION?: string }
}

export interface Origin { extractor: string; version: string; settings: Record<string, unknown> }

export class Holistic {
  private static opened: Promise<Holistic> | null = null;
  private found: Record<string, Uint8Array | undefined> = {};
  private time = 0;

  private constructor(private readonly solution: Solution, readonly origin: Origin) {
    solution.onResults(found => { this.found = found; });
  }

  /** Loads the models, once; a new signer may come after it. Throws Refused where this browser cannot. */
  static async open(): Promise<Holistic> {
    Holistic.opened ??= Holistic.load();
    try {
      const holistic = await Holistic.opened;
      await holistic.solution.reset();
      return holistic;
    } catch (error) {
      Holistic.opened = null;
      throw error;
    }
  }

  private static async load(): Promise<Holistic> {
    const cpu = software();
    await script("holistic/holistic.js");
    const solution = new window.Solution!(config(cpu));
    await solution.initialize();
    const settings = {
      model_complexity: 1, refine_face_landmarks: false, static_image_mode: false,
      parts: ["hands", "body", "face"], signer_box: null, inference: cpu ? "cpu" : "gpu",
    };
    return new Holistic(solution, { extractor: "mediapipe-holistic", version: `npm ${window.VERSION}`, settings });
  }

  /** x, y, z and confidence of each keypoint in the next picture, in pixels; 0 where it is not seen. */
  async read(picture: HTMLCanvasElement): Promise<Float32Array<ArrayBuffer>> {
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
}

/** A MediaPipe LandmarkList: repeated messages (field 1) of floats, x, y, z, visibility and presence. */
function landmarks(bytes: Uint8Array): [number, number, number, number][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const list: [number, number, number, number][] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 2 + view.getUint8(at + 1), point: [number, number, number, number] = [0, 0, 0, 0];
    for (at += 2; at < end; at += 5) {
      const field = view.getUint8(at) >> 3;
      if (field <= 4) point[field - 1] = view.getFloat32(at + 1, true);
    }
    list.push(point);
  }
  return list;
}

/** Whether WebGL is drawn without a graphics card: then the models are quicker outside of it. Throws Refused. */
function software(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) throw new Refused(0, "no-webgl", "WebGL 2 is switched off or missing.");
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  return /swiftshader|llvmpipe|software|basic render/i.test(String(gl.getParameter(named?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER)));
}

function script(path: string): Promise<void> {
  return new Promise((done, fail) => {
    const element = document.createElement("script");
    element.src = path;
    element.onload = () => done();
    element.onerror = () => fail(new Refused(0, "gone", `${path} cannot be loaded from the server.`));
    document.body.append(element);
  });
}

function config(cpu: boolean): object {
  const side = (name: string, type: 0 | 1, value: boolean | number) => ({
    type, default: value,
    graphOptionXref: {
      calculatorType: "ConstantSidePacketCalculator", calculatorName: `ConstantSidePacketCalculator${name}`,
      fieldName: type ? "int_value" : "bool_value",
    },
  });
  const streams = PARTS.map(part => part.stream);
  const model = "pose_landmark_full.tflite";
  return {
    locateFile: (name: string) => `holistic/${name}`,
    files: [
      { url: "holistic_solution_packed_assets_loader.js" },
      { simd: false, url: "holistic_solution_wasm_bin.js" },
      { simd: true, url: "holistic_solution_simd_wasm_bin.js" },
      { url: model, data: true, path: `third_party/mediapipe/modules/pose_landmark/${model}` },
    ],
    graph: { url: "holistic.binarypb" },
    inputs: { image: { type: "video", stream: "input_frames_gpu" } },
    listeners: [{ wants: streams, outs: Object.fromEntries(streams.map(stream => [stream, { type: "proto", stream }])) }],
    options: {
      modelComplexity: side("ModelComplexity", 1, 1),
      smoothLandmarks: side("SmoothLandmarks", 0, true),
      refineFaceLandmarks: side("RefineFaceLandmarks", 0, false),
      useCpuInference: {
        type: 0, default: cpu,
        graphOptionXref: { calculatorType: "InferenceCalculator", fieldName: "use_cpu_inference" },
      },
    },
  };
}
