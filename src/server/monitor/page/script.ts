import { JETSTREAM } from "./jetstream.ts";

/**
 * What the live page does: it asks for the views every other second while somebody looks, and shows what has changed. All that comes from
 * clients is put in as text.
 */
export const SCRIPT = String.raw`
"use strict";
const BASE = "." + document.body.dataset.base;
const EVERY = 2000;
const KEPT = 90;
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);

const count = new Intl.NumberFormat("en", { maximumFractionDigits: 1, notation: "compact" });
const number = (value) => (value < 10000 ? String(Math.round(value * 10) / 10) : count.format(value));
const bytes = (value) => {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  for (; value >= 1024 && at < units.length - 1; at++) value /= 1024;
  return (at === 0 ? Math.round(value) : value.toFixed(1)) + " " + units[at];
};

const TILES = [
  { name: "Messages in", of: (now) => now.rate("in_msgs"), show: (v) => number(v) + "/s", color: "in" },
  { name: "Messages out", of: (now) => now.rate("out_msgs"), show: (v) => number(v) + "/s", color: "out" },
  { name: "Data in", of: (now) => now.rate("in_bytes"), show: (v) => bytes(v) + "/s", color: "in" },
  { name: "Data out", of: (now) => now.rate("out_bytes"), show: (v) => bytes(v) + "/s", color: "out" },
  { name: "Connections", of: (now) => now.varz.connections, show: number, color: "plain" },
  { name: "Subscriptions", of: (now) => now.varz.subscriptions, show: number, color: "plain" },
  { name: "Slow consumers", of: (now) => now.varz.slow_consumers, show: number, color: "plain", alarm: true },
  { name: "Memory", of: (now) => now.varz.mem, show: bytes, color: "plain" },
  { name: "Processor", of: (now) => now.varz.cpu, show: (v) => v + " %", color: "plain" },
];

const element = (tag, text, css) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (css) made.className = css;
  return made;
};

function line(color) {
  const made = document.createElementNS(SVG, "polyline");
  made.setAttribute("class", color);
  return made;
}

function chart(label, ...lines) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 100 100");
  made.setAttribute("preserveAspectRatio", "none");
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  made.append(...lines);
  return made;
}

function draw(made, values, top) {
  // What little there is at first takes all the width.
  const width = Math.max(values.length, 10) - 1;
  const points = values.map((value, i) => {
    const x = 100 - ((values.length - 1 - i) * 100) / width;
    return x.toFixed(2) + "," + (98 - (value / (top || 1)) * 94).toFixed(2);
  });
  made.setAttribute("points", points.join(" "));
}

for (const tile of TILES) {
  const card = element("div", undefined, "card");
  tile.value = element("div", "\u2013", "value");
  tile.line = line(tile.color);
  tile.past = [];
  card.append(element("div", tile.name, "soft"), tile.value, chart(tile.name, tile.line));
  $("tiles").append(card);
}
const flow = [line("in"), line("out")];
$("flow").append(chart("Messages a second, in and out", ...flow));

function row(cells) {
  const made = element("tr");
  for (const [name, text, css] of cells) {
    const cell = element("td", text, css);
    cell.dataset.name = name;
    made.append(cell);
  }
  return made;
}

function fill(id, rows, empty) {
  const body = $(id).tBodies[0];
  if (rows.length > 0) return body.replaceChildren(...rows);
  const cell = element("td", empty, "soft");
  cell.colSpan = 20;
  const none = element("tr");
  none.append(cell);
  body.replaceChildren(none);
}

const nameOf = (each) => each.name || (each.lang ? each.lang + " client" : "client") + " " + each.cid;
const placeOf = (each) => (each.port ? each.ip + ":" + each.port : "in process");

let before;
let seen = new Map();

function perSecond(after, earlier, ms) {
  return earlier === undefined || after < earlier || !(ms > 0) ? 0 : ((after - earlier) * 1000) / ms;
}

function showServer(varz) {
  const same = before !== undefined && before.server_id === varz.server_id;
  const ms = same ? Date.parse(varz.now) - Date.parse(before.now) : 0;
  const now = { varz, rate: (field) => (same ? perSecond(varz[field], before[field], ms) : undefined) };
  $("name").textContent = varz.server_name;
  $("about").textContent = "version " + varz.version + ", up " + varz.uptime + ", " + varz.host + ":" + varz.port;
  document.title = varz.server_name + " \u2013 gnatlet";
  for (const tile of TILES) {
    const value = tile.of(now);
    // A rate takes two looks.
    if (value === undefined) continue;
    tile.past = tile.past.concat(value).slice(-KEPT);
    tile.value.textContent = tile.show(value);
    if (tile.alarm) tile.value.classList.toggle("bad", value > 0);
    draw(tile.line, tile.past, Math.max(...tile.past));
  }
  const top = Math.max(0, ...TILES[0].past, ...TILES[1].past);
  flow.forEach((each, i) => draw(each, TILES[i].past, top));
  $("top").textContent = "highest " + number(top) + "/s";
  before = varz;
}

function showConnections(connz) {
  const now = Date.parse(connz.now);
  const kept = new Map();
  const rows = connz.connections.map((each) => {
    const was = seen.get(each.cid);
    const rate = (field) => number(was ? perSecond(each[field], was.each[field], now - was.at) : 0) + "/s";
    kept.set(each.cid, { each, at: now });
    return row([
      ["Name", nameOf(each), "wide"],
      ["From", placeOf(each), "from"],
      ["Account", each.account || "$G"],
      ["In", rate("in_msgs"), "n"],
      ["Out", rate("out_msgs"), "n"],
      ["Waiting", bytes(each.pending_bytes), "n"],
      ["Subscriptions", number(each.subscriptions), "n"],
      ["Round trip", each.rtt || "", "n"],
      ["Idle", each.idle, "n"],
    ]);
  });
  seen = kept;
  fill("connections", rows, "Nobody is connected.");
  const more = connz.total - connz.connections.length;
  $("more").textContent = connz.total + (more > 0 ? ", of which the first " + connz.connections.length : "");
}

function showSubscriptions(subsz) {
  const rows = (subsz.subscriptions_list || []).map((each) =>
    row([
      ["Subject", each.subject, "wide"],
      ["Queue", each.qgroup || "\u2013"],
      ["Account", each.account],
      ["Connection", String(each.cid), "n"],
      ["Messages", number(each.msgs), "n"],
    ]),
  );
  fill("subscriptions", rows, "Nobody has subscribed.");
  $("subscribed").textContent = subsz.total + (subsz.total > rows.length ? ", of which " + rows.length : "");
}

function showGone(connz) {
  const rows = connz.connections.map((each) => {
    const made = row([
      ["Name", nameOf(each), "wide"],
      ["From", placeOf(each), "from"],
      ["Why", each.reason],
      ["When", new Date(each.stop).toLocaleTimeString()],
      ["Lasted", each.uptime, "n"],
    ]);
    if (each.reason.startsWith("Slow")) made.classList.add("bad");
    return made;
  });
  fill("gone", rows, "Nobody has gone.");
}

${JETSTREAM}
async function ask(path) {
  const response = await fetch(BASE + path, { cache: "no-store" });
  if (!response.ok) throw new Error(path + " was answered with " + response.status);
  return response.json();
}

async function look() {
  try {
    const sort = $("sort").value;
    const [varz, open, subs, gone, jsz] = await Promise.all([
      ask("/varz"),
      ask("/connz?auth=true&limit=50&sort=" + sort),
      ask("/subsz?subs=true&limit=50"),
      ask("/connz?state=closed&sort=stop&limit=15"),
      ask("/jsz?consumers=true&config=true&newest=" + NEWEST),
    ]);
    showServer(varz);
    showJetStream(jsz);
    showConnections(open);
    showSubscriptions(subs);
    showGone(gone);
    $("state").textContent = "running";
    $("state").classList.remove("bad");
  } catch (error) {
    $("state").textContent = "no answer: " + error.message;
    $("state").classList.add("bad");
  }
}

async function keepLooking() {
  if (!document.hidden) await look();
  setTimeout(keepLooking, EVERY);
}
$("sort").addEventListener("change", look);
void keepLooking();
`;
