import type { BenchCase, Target } from "./case.ts";
import {
  client,
  clientFan,
  commandStart,
  idleConnections,
  idleEmbedded,
  inProcess,
  jetStream,
  jetStreamInProcess,
  overTcp,
  tcpRate,
} from "./kinds.ts";

const atLeast = (ratio: number): Target => ({ kind: "ratio", atLeast: ratio });
const below = (limit: number): Target => ({ kind: "limit", below: limit });

/**
 * Every case, in the order of the table. Numbers of messages are such that a run takes one to two seconds.
 */
export const CASES: readonly BenchCase[] = [
  ...(
    [
      ["16 B", 16, 4],
      ["128 B", 128, 4],
      ["1 KiB", 1024, 3],
    ] as const
  ).map(([label, size, ratio]) =>
    inProcess(
      `in process 1:1, ${label}`,
      atLeast(ratio),
      { kind: "fan", size, count: 8_000_000 },
      { kind: "fan", size, count: 2_000_000 },
    ),
  ),
  inProcess(
    "in process 1:1, 128 B, for await",
    undefined,
    { kind: "fan", size: 128, count: 4_000_000, iterate: true },
    { kind: "fan", size: 128, count: 2_000_000 },
  ),
  inProcess(
    "in process request-reply",
    atLeast(8),
    { kind: "request", size: 16, count: 400_000 },
    { kind: "request", size: 16, count: 50_000 },
  ),
  inProcess(
    "in process, start to first message",
    atLeast(1),
    { kind: "start" },
    { kind: "start", size: 1, count: 1 },
  ),
  tcpRate("TCP publish only, 16 B", atLeast(1.4), {
    kind: "pub",
    size: 16,
    subscribers: 0,
    count: 6_000_000,
  }),
  tcpRate("TCP 1:1, 16 B", atLeast(1.4), { size: 16, count: 5_000_000 }),
  tcpRate("TCP 1:1, 128 B", atLeast(1.4), { size: 128, count: 4_000_000 }),
  tcpRate("TCP 1:1, 1 KiB", atLeast(1.1), { size: 1024, count: 1_000_000 }),
  tcpRate("TCP 1:1, 64 KiB", atLeast(1.1), { size: 65_536, count: 30_000 }),
  tcpRate("TCP 1:10, 128 B", atLeast(1.1), { size: 128, subscribers: 10, count: 500_000 }),
  tcpRate("TCP 4:4, 128 B", atLeast(1.1), { size: 128, publishers: 4, subscribers: 4, count: 1_200_000 }),
  tcpRate("TCP 1:1, 128 B, 10,000 subjects", atLeast(2), { size: 128, subjects: 10_000, count: 3_000_000 }),
  overTcp(
    "TCP request-reply",
    [
      { name: "TCP request-reply, p50", key: "p50", unit: "µs", target: atLeast(1) },
      { name: "TCP request-reply, p99", key: "p99", unit: "µs", target: atLeast(1) },
    ],
    { kind: "request", size: 16, publishers: 1, subscribers: 1, subjects: 1, count: 20_000 },
  ),
  clientFan("client over TCP 1:1, 16 B", atLeast(3), 16),
  clientFan("client over TCP 1:1, 128 B", atLeast(3), 128),
  clientFan("client over TCP 1:1, 1 KiB", atLeast(3), 1024),
  clientFan("client over TCP 1:1, 128 B, for await", atLeast(2), 128, true),
  client(
    "client over TCP request-reply, p50",
    { key: "p50", unit: "µs", target: atLeast(1.43) },
    { kind: "requests", size: 16, count: 20_000, together: 1 },
  ),
  client(
    "client over TCP, 100 requests in flight",
    { key: "rate", unit: "/s", target: atLeast(2) },
    { kind: "requests", size: 16, count: 200_000, together: 100 },
  ),
  client(
    "client over TCP, connect",
    { key: "ms", unit: "ms", target: atLeast(1) },
    { kind: "connect", count: 200 },
  ),
  client(
    "client over TCP, heap a message of 128 B",
    { key: "bytes", unit: "B", target: atLeast(2) },
    { kind: "heap", size: 128, count: 100_000 },
  ),
  ...(
    [
      ["1,000 in flight", 1.5, { storage: "file", count: 300_000 }],
      ["1,000 in flight, theirs syncs always", 20, { storage: "file", count: 100_000 }, "always"],
      ["one at a time, theirs syncs always", 1, { storage: "file", count: 2_000, together: 1 }, "always"],
      ["1,000 in flight, memory", 1.5, { storage: "memory", count: 500_000 }],
      [
        "64 publishers, one at a time each",
        1,
        { storage: "file", count: 60_000, publishers: 64, together: 1 },
      ],
    ] as const
  ).map(([what, ratio, load, sync]) =>
    jetStream(`stream publish, ${what}`, atLeast(ratio), { ...load, kind: "publish", size: 128 }, sync),
  ),
  ...(
    [
      ["stream consume, batches of 500, explicit ack", 1.2, { kind: "consume", count: 300_000 }],
      ["stream consume, ordered", 1.2, { kind: "consume", count: 500_000, acks: "none" }],
      ["stream direct get, 100 in flight", 1.2, { kind: "get", count: 200_000 }],
      [
        "key-value put, 1,000 in flight",
        1.2,
        { kind: "publish", count: 200_000, subjects: 1000, history: 1 },
      ],
      ["key-value get, 100 in flight", 1.2, { kind: "get", count: 200_000, subjects: 1000, history: 1 }],
      [
        "stream consume, one of 10,000 subjects",
        1,
        { kind: "consume", count: 500_000, subjects: 10_000, filterEvery: 100 },
      ],
      [
        "work queue, acks in random order",
        1,
        { kind: "consume", count: 200_000, retention: "workqueue", acks: "random order" },
      ],
    ] as const
  ).map(([name, ratio, load]) => jetStream(name, atLeast(ratio), { ...load, storage: "file", size: 128 })),
  ...(
    [
      ["publish, 1,000 in flight", { kind: "publish", storage: "file", count: 200_000, together: 1000 }],
      ["publish, one at a time, memory", { kind: "publish", storage: "memory", count: 20_000, together: 1 }],
      ["consume", { kind: "consume", storage: "file", count: 200_000, together: 1000 }],
      ["consume, one at a time", { kind: "next", storage: "file", count: 30_000, together: 1000 }],
    ] as const
  ).map(([what, load]) =>
    jetStreamInProcess(`stream ${what}, in process against TCP`, atLeast(2), { ...load, size: 128 }),
  ),
  commandStart("command, shell to first client", below(150)),
  idleEmbedded("memory, idle embedded server", below(10)),
  idleConnections("memory, 1,000 idle TCP connections", below(40), 1_000),
];
