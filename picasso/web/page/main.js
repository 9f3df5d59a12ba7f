// The page: an overview of tiles, one source in large, a connection that says what is visible.

import { Connection } from "./connection.js";
import { Detail, History } from "./detail.js";
import { decodedCodecs } from "./player.js";
import { Tile } from "./tile.js";
import { kindOfState, stateWords } from "./words.js";

const $ = (id) => document.getElementById(id);
const tiles = new Map();
const histories = new Map();
const states = new Map();
let sources = [];
let decodes = [];

const connection = new Connection({ picture, statistics, metadata, state: linked });
const detail = new Detail({
  call: (method, id, what, body) => call(method, `/sources/${encodeURIComponent(id)}${what ? `/${what}` : ""}`, body),
  leave: () => { location.hash = ""; },
  broken: (id) => connection.askForKeyframe(id),
});
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const tile = tiles.get(entry.target.firstElementChild.dataset.source);
    if (tile) tile.isSeen = entry.isIntersecting;
  }
  want();
}, { rootMargin: "100px" });

async function call(method, path, body) {
  const options = { method, credentials: "same-origin" };
  if (body !== undefined) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  if (answer.status === 401 && path !== "/session") askForToken();
  return answer;
}

/** Watch what is visible, and nothing else. */
function want() {
  const watch = {};
  if (!document.hidden) {
    if (detail.id !== null) watch[detail.id] = "large";
    else for (const tile of tiles.values()) if (tile.isSeen) watch[tile.id] = "tile";
  }
  connection.want({ watch, decodes, detail: document.hidden ? null : detail.id });
}

function picture(head, data) {
  if (detail.id !== null) {
    if (head.source_id === detail.id && head.view !== "tile") detail.player.push(head, data);
  } else if (head.view !== "large") tiles.get(head.source_id)?.player.push(head, data);
}

function metadata(id, frame) {
  if (id === detail.id) detail.tree.show(frame);
}

function linked(state) {
  $("link").dataset.state = state;
  $("link").textContent = { open: "connected", lost: "connection lost, trying again", connecting: "connecting" }[state];
  if (state === "lost") {
    for (const tile of tiles.values()) tile.player.close();
    check();
  }
}

function statistics(said) {
  sources = said.sources;
  document.title = `${said.name}: picasso`;
  $("name").textContent = said.name;
  const lost = sources.filter((source) => kindOfState(source.state) === "lost").length;
  const rate = said.module.frames_per_s.toFixed(0);
  $("summary").textContent = `${said.state}, ${sources.length} sources${lost ? `, ${lost} lost` : ""}, ${rate} frames/s`;
  $("none").hidden = sources.length > 0;
  for (const source of sources) follow(source);
  for (const [id, tile] of tiles) {
    if (!sources.some((source) => source.source_id === id)) {
      seen.unobserve(tile.item);
      tile.close();
      for (const table of [tiles, histories, states]) table.delete(id);
    }
  }
  if (detail.id !== null) {
    const current = sources.find((source) => source.source_id === detail.id);
    if (current) detail.update(current, histories.get(detail.id));
    else location.hash = "";
  }
  want();
}

function follow(source) {
  const id = source.source_id;
  if (!tiles.has(id)) {
    const tile = new Tile(id, (name) => { location.hash = encodeURIComponent(name); }, (name) => connection.askForKeyframe(name));
    tiles.set(id, tile);
    histories.set(id, new History());
    $("sources").append(tile.item);
    seen.observe(tile.item);
  }
  tiles.get(id).update(source);
  histories.get(id).add(source);
  const before = states.get(id);
  if (before !== undefined && before !== source.state) $("news").textContent = `${id} is ${stateWords(source.state)}`;
  states.set(id, source.state);
}

/** The source that the address names, or nothing. */
function named() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

/** Show what the address names: all sources, or one. */
function route() {
  const id = named();
  const before = detail.id;
  if (id === (before ?? "")) return;
  if (before !== null) detail.close();
  for (const tile of tiles.values()) tile.player.close();
  if (id) {
    detail.open(id);
    const current = sources.find((source) => source.source_id === id);
    if (current) detail.update(current, histories.get(id));
  }
  $("overview").hidden = Boolean(id);
  if (!id) tiles.get(before)?.button.focus();
  want();
}

function askForToken() {
  connection.close();
  for (const part of ["overview", "detail", "leave"]) $(part).hidden = true;
  $("login").hidden = false;
  $("token").focus();
}

/** Whether the server lets this page in: where it does not, the token is asked for. */
async function check() {
  try {
    const answer = await call("GET", "/sources");
    return answer.ok;
  } catch {
    return false;
  }
}

async function begin() {
  $("login").hidden = true;
  $("overview").hidden = named() !== "";
  connection.open();
  route();
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await call("POST", "/session", { token: $("token").value });
  $("token").value = "";
  $("refused").textContent = answer.ok ? "" : (await answer.json()).error;
  if (answer.ok) {
    $("leave").hidden = false;
    await begin();
  }
});
$("leave").addEventListener("click", async () => {
  await call("DELETE", "/session");
  askForToken();
});
document.addEventListener("visibilitychange", want);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && detail.id !== null) location.hash = "";
});
addEventListener("hashchange", route);

decodes = await decodedCodecs();
const answer = await call("GET", "/openapi.json");
$("leave").hidden = !(await answer.json()).security;
if (await check()) await begin();
