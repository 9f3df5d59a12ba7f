// One source in the overview.

import { Player } from "./player.js";
import { kindOfState, rateWords, stateWords } from "./words.js";

function span(className) {
  return Object.assign(document.createElement("span"), { className });
}

export class Tile {
  constructor(id, onOpen, onBroken) {
    this.id = id;
    this.isSeen = false;
    this.item = document.createElement("li");
    this.button = Object.assign(document.createElement("button"), { className: "tile", type: "button" });
    this.button.dataset.source = id;
    this.button.addEventListener("click", () => onOpen(id));
    const screen = span("screen");
    this.canvas = document.createElement("canvas");
    this.canvas.width = 16;
    this.canvas.height = 9;
    this.canvas.setAttribute("aria-hidden", "true");
    this.cover = span("lost");
    this.cover.setAttribute("aria-hidden", "true");
    screen.append(this.canvas, this.cover);
    const words = span("words");
    this.name = span("name");
    this.name.textContent = id;
    this.state = span("badge");
    this.rate = span("rate");
    this.error = span("error");
    words.append(this.name, this.state, this.rate, this.error);
    this.button.append(screen, words);
    this.item.append(this.button);
    this.player = new Player(this.canvas, () => {}, () => onBroken(id));
  }

  update(source) {
    const kind = kindOfState(source.state);
    this.button.dataset.kind = kind;
    this.button.dataset.state = source.state;
    this.state.dataset.kind = kind;
    this.state.textContent = stateWords(source.state);
    this.cover.textContent = stateWords(source.state);
    this.rate.textContent = rateWords(source);
    this.error.textContent = kind === "lost" ? (source.last_error ?? "") : "";
    this.error.title = this.error.textContent;
  }

  close() {
    this.player.close();
    this.item.remove();
  }
}
