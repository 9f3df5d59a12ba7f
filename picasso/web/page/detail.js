// One source in large: its picture with boxes, what it does, and what can be done to it.

import { Boxes } from "./boxes.js";
import { sparkline, stackedBar, stageTimes } from "./charts.js";
import { Player } from "./player.js";
import { Tree } from "./tree.js";
import { kindOfState, stateWords } from "./words.js";

const HISTORY = 60;
const MOST_ERRORS = 5;

const $ = (id) => document.getElementById(id);

/** What the page keeps of each source between two statistics, also of those that are not open. */
export class History {
  constructor() {
    this.queue = [];
    this.drops = [];
    this.errors = [];
    this.stages = null;
    this.times = [];
    this.dropped = null;
  }

  add(source) {
    const push = (list, value, most) => {
      list.push(value);
      if (list.length > most) list.shift();
    };
    push(this.queue, source.waiting, HISTORY);
    push(this.drops, this.dropped === null ? 0 : Math.max(source.counts.dropped - this.dropped, 0), HISTORY);
    this.dropped = source.counts.dropped;
    if (source.last_error && source.last_error !== this.errors.at(-1)?.text) {
      push(this.errors, { at: new Date(), text: source.last_error }, MOST_ERRORS);
    }
    this.times = stageTimes(source.stages_ms, this.stages);
    this.stages = source.stages_ms;
  }
}

export class Detail {
  /** @param {{call: Function, leave: Function, broken: Function}} does */
  constructor(does) {
    this.does = does;
    this.id = null;
    this.source = null;
    this.boxes = new Boxes($("overlay"), $("filters"));
    this.player = new Player($("picture"), (head) => this.boxes.draw(head), () => this.does.broken(this.id));
    this.tree = new Tree($("metadata"));
    $("close").addEventListener("click", () => this.does.leave());
    $("reconnect").addEventListener("click", () => this.act("reconnect"));
    $("pause").addEventListener("click", () => this.act(this.source?.state === "paused" ? "resume" : "pause"));
    $("keyframe").addEventListener("click", () => this.act("keyframe"));
    $("drawing").addEventListener("click", () => this.act("drawing", { is_on: this.source?.drawing === "off" }));
    $("snapshot").addEventListener("click", () => this.snapshot());
    $("remove").addEventListener("click", () => this.remove());
  }

  open(id) {
    this.id = id;
    this.source = null;
    this.player.close();
    this.boxes.clear();
    $("metadata").replaceChildren();
    $("answer").textContent = "";
    $("title").textContent = id;
    $("stage").setAttribute("aria-label", `Picture of ${id}`);
    $("detail").hidden = false;
    $("title").focus();
  }

  close() {
    this.player.close();
    this.id = null;
    $("detail").hidden = true;
  }

  update(source, history) {
    this.source = source;
    const kind = kindOfState(source.state);
    $("state").textContent = stateWords(source.state);
    $("state").dataset.kind = kind;
    $("detail").dataset.kind = kind;
    $("pause").textContent = source.state === "paused" ? "Resume" : "Pause";
    $("reconnect").disabled = !source.can_reconnect;
    $("pause").disabled = !source.is_own || ["ended", "failed"].includes(source.state);
    $("remove").disabled = !source.is_own;
    $("keyframe").disabled = source.stream === null;
    $("drawing").setAttribute("aria-pressed", String(source.drawing !== "off"));
    $("drawing").textContent = source.drawing === "off" ? "Drawing: off" : "Drawing: on";
    stackedBar($("stages"), history.times);
    const dropped = Object.entries(source.counts.dropped_by).map(([why, count]) => `${why} ${count}`);
    sparkline($("queue"), history.queue, `${source.waiting} frames wait now`);
    sparkline($("drops"), history.drops, `${source.counts.dropped} dropped${dropped.length ? `: ${dropped.join(", ")}` : ""}`);
    this.showErrors(history.errors);
  }

  showErrors(errors) {
    const lines = errors.toReversed().map(({ at, text }) => {
      const line = document.createElement("li");
      const time = document.createElement("time");
      time.dateTime = at.toISOString();
      time.textContent = at.toLocaleTimeString();
      line.append(time, " ", text);
      return line;
    });
    if (!lines.length) lines.push(Object.assign(document.createElement("li"), { textContent: "none" }));
    $("errors").replaceChildren(...lines);
  }

  async act(what, body) {
    await this.tell(what, await this.does.call("POST", this.id, what, body));
  }

  async tell(what, answer) {
    if (answer.ok) $("answer").textContent = `${what}: done`;
    else $("answer").textContent = `${what}: ${(await answer.json().catch(() => ({}))).error ?? answer.status}`;
  }

  async snapshot() {
    const answer = await this.does.call("POST", this.id, "snapshot");
    if (!answer.ok) {
      await this.tell("snapshot", answer);
      return;
    }
    const url = URL.createObjectURL(await answer.blob());
    const image = Object.assign(document.createElement("img"), { alt: `Snapshot of ${this.id}`, src: url });
    image.addEventListener("load", () => URL.revokeObjectURL(url));
    $("answer").replaceChildren(image);
  }

  async remove() {
    if (!confirm(`Remove ${this.id}? Its sinks are closed behind what was read.`)) return;
    const answer = await this.does.call("DELETE", this.id, "");
    if (answer.ok) this.does.leave();
    else await this.tell("remove", answer);
  }
}
