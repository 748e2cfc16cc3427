/** What the index names, and where that is: nats-server's words, which scripts look for. */
export const INDEX: readonly [title: string, path: string][] = [
  ["General", "/varz"],
  ["JetStream", "/jsz"],
  ["Connections", "/connz"],
  ["Accounts", "/accountz"],
  ["Account Stats", "/accstatz"],
  ["Subscriptions", "/subsz"],
  ["Routes", "/routez"],
  ["LeafNodes", "/leafz"],
  ["Gateways", "/gatewayz"],
  ["Raft Groups", "/raftz"],
  ["Health Probe", "/healthz"],
  ["Expvar", "/debug/vars"],
];

/** The index for programs: links to all that can be asked. `base` is "" or a path such as "/nats". */
export function indexPage(version: string, base: string): string {
  const links = INDEX.map(
    ([title, path]) => `\t<a href=.${base}${path}>${title}<span class="endpoint"> ${path}</span></a>`,
  );
  return `<html lang="en">
  <head><title>gnatlet</title></head>
  <body>
\t<a class='version'>v${version}</a>
\t<br/>
${links.join("\n")}
\t<a href=https://docs.nats.io/running-a-nats-service/nats_admin/monitoring class="help">Help</a>
  </body>
</html>`;
}
