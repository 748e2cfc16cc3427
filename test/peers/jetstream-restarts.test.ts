import { after, before, describe, it } from "node:test";
import { type Ask, Both, type Step } from "../support/jetstream-both.ts";

/** What is there after both servers were ended and started again: found with random scripts. */

let both: Both;
before(async () => {
  both = await Both.start();
});
after(() => both.close());

type Fields = Readonly<Record<string, unknown>>;

const create = (config: Fields): Step => [
  "$JS.API.STREAM.CREATE.S",
  { name: "S", subjects: ["s.>"], storage: "file", ...config },
];
const consumer = (name: string, config: Fields = {}): Step => [
  `$JS.API.CONSUMER.CREATE.S.${name}`,
  { stream_name: "S", config: { durable_name: name, ack_policy: "explicit", ...config } },
];
const info: Step = ["$JS.API.STREAM.INFO.S", { subjects_filter: ">", deleted_details: true }];
/** nats-server writes what becomes of consumers some time after it has told of it. */
const WRITTEN_MS = 500;
const RESTART: Step = { restart: true };
const message = (subject: string): Step => [subject, subject];
const pull = (name: string, answers: number, ack?: string): Ask => ({
  subject: `$JS.API.CONSUMER.MSG.NEXT.S.${name}`,
  body: { batch: answers, expires: 5_000_000_000 },
  answers,
  ack,
});

describe("after a restart, as in nats-server", () => {
  it("a work queue has what a consumer passed over when it began anew", () =>
    both.same([
      create({ retention: "workqueue" }),
      consumer("c"),
      message("s.1"),
      message("s.2"),
      ["$JS.API.CONSUMER.RESET.S.c", { seq: 3 }],
      message("s.3"),
      pull("c", 1, "+ACK"),
      info,
      WRITTEN_MS,
      RESTART,
      info,
      ["$JS.API.CONSUMER.RESET.S.c", { seq: 1 }],
      pull("c", 2, "+ACK"),
      info,
    ]));

  it("a work queue has what a consumer passed over because its filter was another", () =>
    both.same([
      create({ retention: "workqueue" }),
      consumer("c", { filter_subject: "s.1" }),
      message("s.1"),
      message("s.2"),
      message("s.1"),
      pull("c", 2, "+ACK"),
      consumer("c", { filter_subject: "s.*" }),
      info,
      WRITTEN_MS,
      RESTART,
      info,
    ]));

  for (const ack of ["+WPI", "-NAK 1h"])
    it(`a consumer has been active when it is told ${ack}`, () =>
      both.same([
        create({ retention: "limits" }),
        consumer("c"),
        message("s.1"),
        pull("c", 1),
        WRITTEN_MS,
        RESTART,
        ["$JS.API.CONSUMER.INFO.S.c"],
        ["$JS.ACK.S.c.1.1.1.1.0", ack],
        ["$JS.API.CONSUMER.INFO.S.c"],
      ]));

  it("messages are there that only a consumer wants whose state is kept in memory", () =>
    both.same([
      create({ retention: "interest" }),
      consumer("memory", { filter_subject: "s.*", mem_storage: true }),
      message("s.1"),
      message("s.2"),
      info,
      WRITTEN_MS,
      RESTART,
      info,
      consumer("memory", { filter_subject: "s.*", mem_storage: true }),
      pull("memory", 2, "+ACK"),
      info,
    ]));
});
