import { INDEX } from "../index-page.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

/** What the live page may load and run: itself, and the views. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";

/** By what the table of connections can be sorted. */
const SORTS: readonly [sort: string, title: string][] = [
  ["msgs_from", "most messages in"],
  ["msgs_to", "most messages out"],
  ["bytes_from", "most data in"],
  ["bytes_to", "most data out"],
  ["pending", "most waiting"],
  ["subs", "most subscriptions"],
  ["idle", "idle the longest"],
  ["rtt", "slowest round trip"],
  ["cid", "oldest"],
];

/** The page that shows the server as it lives, for browsers. It loads nothing from elsewhere. `base` is "" or a path such as "/nats". */
export function livePage(base: string): string {
  const prefix = escapeHtml(base);
  const links = INDEX.map(([title, path]) => `<a href=".${prefix}${path}">${title}</a>`);
  const sorts = SORTS.map(([sort, title]) => `<option value="${sort}">${title}</option>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gnatlet</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body data-base="${prefix}">
<main>
<header><h1 id="name">gnatlet</h1><span id="state" class="state">looking</span><span id="about" class="soft"></span></header>
<div id="tiles" class="tiles"></div>
<section class="card" id="flow">
<div class="bar"><h2>Messages</h2><div class="legend"><span class="in">in</span><span class="out">out</span><span id="top" class="soft"></span></div></div>
</section>
<section class="card" id="jetstream" hidden>
<div class="bar"><h2>Streams <span id="stored" class="soft"></span></h2></div>
${table("streams", ["Stream", "Account", "Storage", "Stored#", "Messages#", "Data#", "Subjects#", "Consumers#"])}
</section>
<section class="card" id="consuming" hidden>
<div class="bar"><h2>Consumers <span id="consumed" class="soft"></span></h2></div>
${table("consumers", ["Consumer", "Stream", "Delivered#", "Acknowledged#", "Lag#", "Pending#", "Redelivered#", "Waiting#"])}
</section>
<section class="card">
<div class="bar"><h2>Connections <span id="more" class="soft"></span></h2><label>by <select id="sort">${sorts.join("")}</select></label></div>
${table("connections", ["Name", "From", "Account", "In#", "Out#", "Waiting#", "Subscriptions#", "Round trip#", "Idle#"])}
</section>
<section class="card">
<div class="bar"><h2>Subscriptions <span id="subscribed" class="soft"></span></h2></div>
${table("subscriptions", ["Subject", "Queue", "Account", "Connection#", "Messages#"])}
</section>
<section class="card">
<div class="bar"><h2>Gone lately <span class="soft">(slow consumers are marked)</span></h2></div>
${table("gone", ["Name", "From", "Why", "When", "Lasted#"])}
</section>
<nav>${links.join("")}<a href=".${prefix}/metrics">Metrics</a><a href="https://docs.nats.io/running-a-nats-service/nats_admin/monitoring">Help</a></nav>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** A table without rows; columns of numbers end in "#". */
function table(id: string, columns: readonly string[]): string {
  const heads = columns.map((name) =>
    name.endsWith("#") ? `<th class="n">${name.slice(0, -1)}</th>` : `<th>${name}</th>`,
  );
  return `<table id="${id}"><thead><tr>${heads.join("")}</tr></thead><tbody></tbody></table>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}
