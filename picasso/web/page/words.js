// What states are called, and what kind they are of: good, to be waited for, or lost.

const KINDS = {
  live: "good",
  ended: "wait",
  waiting: "wait",
  connecting: "wait",
  paused: "wait",
  silent: "lost",
  backing_off: "lost",
  rejected: "lost",
  failed: "lost",
};

export function kindOfState(state) {
  return KINDS[state] ?? "wait";
}

export function stateWords(state) {
  const word = state.replaceAll("_", " ");
  return kindOfState(state) === "lost" ? `lost: ${word}` : word;
}

export function rateWords(source) {
  return `${source.frames_per_s.toFixed(1)} frames/s, ${source.latency_ms.p50.toFixed(0)} ms`;
}
