/** A request that was not served: its status (0: no answer), one word for programs, and the reason. */
export declare class Refused extends Error {
    readonly status: number;
    readonly kind: string;
    constructor(status: number, kind: string, detail: string);
}
export interface Health {
    status: "ok";
    signloom: string;
    models: number;
    unfinished: number;
}
/** Where a job is. */
export interface JobState {
    id: string;
    task: string;
    state: "queued" | "running" | "done" | "failed" | "cancelled";
    /** `wait` (for the cores), `extract`, `activity`, `align`, `translate`, `recognize`. */
    stage: string;
    /** Of the stage: frames or seconds finished. */
    done: number;
    /** Of the stage, 0 where that is not known. */
    total: number;
    /** Jobs that wait before this one. */
    ahead: number;
    error?: Problem | null;
}
/** A named layout: its keypoints in the order of a frame. */
export interface LayoutInfo {
    name: string;
    /** `COMPONENT:POINT`, as MediaPipe calls them. */
    keypoints: string[];
    /** Pairs of keypoints to draw. */
    edges: number[][];
}
/** A model that is loaded here. */
export interface ModelInfo {
    name: string;
    tasks: string[];
    /** What `/v1/live` may ask of it: `translate`, `glosses`. */
    live: string[];
    /** It refuses real signing. */
    simulated_only: boolean;
    layout: string;
    languages: string[];
    writes_glosses: boolean;
    reads_lips: boolean;
}
/** Why a request is refused, or a job failed. */
export interface Problem {
    /** One word for programs, such as `too-large` or `no-signing`. */
    kind: string;
    /** What was got, what was expected, and what to do next. */
    detail: string;
}
/** What this server is and takes. */
export interface Server {
    signloom: string;
    models: ModelInfo[];
    limits: Record<string, number>;
    /** Whether videos can be read here. */
    extracts: boolean;
    /** Whether the page can take skeletons inside the browser. */
    holistic: boolean;
    /** Whether it serves this machine only. */
    local: boolean;
}
export declare class Client {
    readonly base: string;
    readonly token: string | null;
    /** base: the server's address with a slash behind it; "" for the server of this page. */
    constructor(base?: string, token?: string | null);
    /** Any request; throws Refused. */
    request(method: string, path: string, form?: object, query?: object): Promise<Response>;
    /** Signing to text */
    translate(form: {
        media: File;
        model?: string | null;
        allow_simulated?: boolean;
        beam?: number | null;
        alternatives?: number;
        signer_box?: string | null;
    }): Promise<JobState>;
    /** One sign to its gloss */
    recognize(form: {
        media: File;
        model?: string | null;
        allow_simulated?: boolean;
        top?: number;
        signer_box?: string | null;
    }): Promise<JobState>;
    /** Where there is signing, cut into phrases */
    segment(form: {
        media: File;
        signer_box?: string | null;
    }): Promise<JobState>;
    /** Subtitles timed to speech, re-timed to the signing */
    align(form: {
        media: File;
        subtitles: File;
        model?: string | null;
        allow_simulated?: boolean;
        signer_box?: string | null;
        locked?: string;
        tier?: string | null;
        offset?: number | null;
        max_shift?: number | null;
        min_duration?: number;
        overlap?: "forbid" | "allow";
        on_low?: "prior" | "keep" | "mark";
        any_order?: boolean;
        start_timecode?: number | null;
    }): Promise<JobState>;
    /** Where a job is */
    state(id: string): Promise<JobState>;
    /** Forget a job and its files */
    delete(id: string): Promise<Response>;
    /** The job's story as server-sent events, from its beginning or after Last-Event-ID */
    events(id: string): Promise<Response>;
    /** The result as a file */
    result(id: string, query?: {
        format?: "json" | "vtt" | "srt" | "eaf" | "ass" | "ttml" | "textgrid" | "pose";
    }): Promise<Response>;
    /** Stop a job */
    cancel(id: string): Promise<JobState>;
    /** The order of a layout's keypoints, for live frames and JSON */
    layout(name: string): Promise<LayoutInfo>;
    /** Subtitles at corrected times, as a file; nothing is kept */
    export(form: {
        subtitles: File;
        cues: string;
        format?: "json" | "vtt" | "srt" | "eaf" | "ass" | "ttml" | "textgrid";
        tier?: string | null;
        result?: string | null;
    }): Promise<Response>;
    /** A simulated sentence, as a .pose file */
    example(): Promise<Response>;
    /** The models that are loaded */
    listed(): Promise<ModelInfo[]>;
    /** A model's card, as Markdown */
    card(name: string): Promise<Response>;
    /** What this server is and takes */
    about(): Promise<Server>;
    /** Whether it works; needs no token */
    health(): Promise<Health>;
    /** For Prometheus */
    measured(): Promise<Response>;
}
