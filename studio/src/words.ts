// What the page says, in plain words.

export const STAGES: Record<string, string> = {
  "": "Starting",
  wait: "Waiting until another video is done",
  extract: "Finding body, hands and face in the video",
  here: "Finding body, hands and face, in this browser",
  activity: "Looking for signing",
  align: "Placing the subtitles",
  translate: "Translating",
  recognize: "Naming the sign",
};

export const TASKS: Record<string, { title: string; what: string; result: string }> = {
  align: {
    title: "Align subtitles",
    what: "Move subtitles from when the words are said to when they are signed. Any signed language.",
    result: "Aligned subtitles",
  },
  segment: {
    title: "Find signing",
    what: "Where somebody signs, cut into phrases. Any signed language.",
    result: "Signing",
  },
  translate: {
    title: "Translate",
    what: "Write down what is signed, in the language that the model knows.",
    result: "Translation",
  },
  recognize: {
    title: "Name one sign",
    what: "A short clip of one sign: which sign is it?",
    result: "Which sign",
  },
};

/** Heading and advice for each kind of refusal. */
export const REFUSALS: Record<string, { title: string; advice: string }> = {
  "simulated-only": {
    title: "This model knows only simulated signing",
    advice:
      "It has never seen a person sign. Whatever it wrote about this recording would look confident and be nonsense, so it writes nothing.",
  },
  "no-signing": {
    title: "No signing found",
    advice: "Are the signer's hands and shoulders in the picture, large enough and well lit?",
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
  token: { title: "The access token is missing", advice: "" },
};

export const FLAGS: Record<string, string> = {
  "no signing": "probably nobody signs it",
  prior: "moved only by the lag there",
  kept: "left where it was",
  clamped: "moved again so that nothing overlaps",
  outside: "outside of what was to be moved",
  "not speech": "music or a sound: follows its neighbours",
};

export const KEYS: [string, string][] = [
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
  ["?", "this help"],
];
