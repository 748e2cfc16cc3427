import { gunzipSync } from "node:zlib";
import { sortMessages } from "./exchanges.ts";
import { RawClient } from "./raw-client.ts";
import { hpub, type TraceScenario } from "./traced.ts";

/** What came of a scenario. */
export interface TraceOutcome {
  /** What each connection but "watch" heard. */
  readonly heard: string[];
  /** The traces: the subscription, the headers, and the JSON with what is of one run alone masked. Fields are in the order they came in. */
  readonly traces: string[];
}

/** Runs a scenario against a server. */
export async function runTraces(port: number, scenario: TraceScenario): Promise<TraceOutcome> {
  const clients = new Map<string, RawClient>();
  const heard = new Map<string, string>();
  const ask = async (on: string, client: RawClient, send: string): Promise<void> => {
    heard.set(on, (heard.get(on) ?? "") + (await client.ask(`${send}PING\r\n`)).replace("PONG\r\n", ""));
  };
  const [watch] = scenario.steps[0];
  for (const [on, send] of scenario.steps) {
    let client = clients.get(on);
    if (client === undefined) clients.set(on, (client = await RawClient.open(port)));
    // Traces come when the server gets round to them: whoever waits for them does not wait for an answer too.
    if (on === watch && clients.size > 1) client.send(send);
    else await ask(on, client, send);
  }
  for (const [on, client] of clients) if (on !== watch && !client.closed) await ask(on, client, "");
  const traces = await watched(clients.get(watch)!, scenario.traces);
  // The next scenario does not meet what is left of this one.
  for (const client of clients.values()) {
    if (client.closed) continue;
    client.send(`${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((sid) => `UNSUB ${sid}\r\n`).join("")}PING\r\n`);
    await client.take(/PONG\r\n/);
    client.close();
  }
  return {
    traces: traces.map(maskTrace),
    heard: [...heard].map(([on, text]) => `${on}: ${sortMessages(text)}`),
  };
}

interface Trace {
  readonly sid: string;
  readonly headers: string;
  readonly json: string;
}

/** What the client that watches gets, until a last trace of its own, and at least so many. */
async function watched(client: RawClient, count: number): Promise<Trace[]> {
  client.send(hpub("end", ["Nats-Trace-Dest: t"]));
  let received = "";
  let traces: Trace[] = [];
  const isEnd = (trace: Trace): boolean => trace.json.includes('"subj":"end"');
  while (!traces.some(isEnd) || traces.length <= count) {
    received += await client.take(/[\s\S]+/);
    traces = parse(received);
  }
  return traces.filter((trace) => !isEnd(trace));
}

function parse(text: string): Trace[] {
  const traces: Trace[] = [];
  let rest = text;
  for (;;) {
    const line = /^H?MSG \S+ (\S+) +(?:(\d+) )?(\d+)\r\n/.exec(rest.trimStart());
    if (line === null) return traces;
    rest = rest.trimStart().slice(line[0].length);
    const [, sid, headerSize = "0", size] = line;
    if (rest.length < Number(size) + 2) return traces;
    const headers = rest.slice(0, Number(headerSize));
    const body = rest.slice(Number(headerSize), Number(size));
    const json = headers.includes("gzip") ? gunzipSync(Buffer.from(body, "latin1")).toString("latin1") : body;
    traces.push({ sid, headers, json });
    rest = rest.slice(Number(size) + 2);
  }
}

function maskTrace({ sid, headers, json }: Trace): string {
  const cids: string[] = [];
  const [head, events] = json.split('"events":[');
  const masked = head
    // Flags of JetStream features, which has nothing to do with traces.
    .replace(/"feature_flags":\{.*?\},/, "")
    .replace(/"(name|id|ver|time)":".*?"/g, '"$1":"?"')
    .replace(/"seq":\d+/, '"seq":?');
  const list = events
    .slice(0, -2)
    .split(/(?<=\}),/)
    .map((event) =>
      event
        .replace(/"ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"/, '"ts":"?"')
        .replace(/"cid":(\d+)/, (_, cid) => {
          if (!cids.includes(cid)) cids.push(cid);
          return `"cid":#${cids.indexOf(cid)}`;
        }),
    );
  // Which of several subscriptions comes first is open.
  const isEgress = (event: string): boolean => event.startsWith('{"type":"eg"');
  const sorted = [...list.filter((event) => !isEgress(event)), ...list.filter(isEgress).sort()];
  return `${sid} ${headers} ${masked} ${sorted.join("\n")}`;
}
