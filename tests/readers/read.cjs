// Reads envelopes as consumers do, with Node's JSON.parse and readline and with the official CloudEvents SDK, and says
// where one of them gets something else than the sender sent. Batches and reports are those of read.py.
"use strict";
const { createRequire } = require("node:module");
const readline = require("node:readline");
const { Readable } = require("node:stream");
const { isDeepStrictEqual } = require("node:util");
const { CloudEvent, HTTP } = createRequire(process.argv[2] + "/")("cloudevents");

const HEADERS = { "content-type": "application/cloudevents+json" };

function differs(what) {
  throw new Error(`other ${what}`);
}

function node(text, body) {
  const message = JSON.parse(text);
  const envelope = message.envelope ?? message;
  const isJson = "data" in envelope;
  const expected = isJson ? JSON.parse(body.toString()) : body;
  const got = isJson ? envelope.data : Buffer.from(envelope.data_base64, "base64");
  if (!isDeepStrictEqual(got, expected)) differs("data");
  return { envelope, expected, isJson, isWhole: envelope === message };
}

function sdk(message, { envelope, expected, isJson }) {
  const bytes = (data) => isDeepStrictEqual(Buffer.from(data), expected);
  const same = (data) => (isJson ? isDeepStrictEqual(data, expected) : bytes(data));
  // As a message from outside, and as the object that a strict consumer makes of it.
  for (const event of [HTTP.toEvent({ headers: HEADERS, body: message }), new CloudEvent(envelope)]) {
    event.validate();
    if (!same(event.data)) differs("data");
    for (const [name, value] of Object.entries(envelope)) {
      if (name === "data" || name === "data_base64") continue;
      // A time that it does not understand becomes the time of reading.
      const got = name === "time" ? Date.parse(event.time) : event[name];
      if (got !== (name === "time" ? Date.parse(value) : value)) differs(name);
    }
    JSON.stringify(event);
  }
}

async function read(lineByLine, events) {
  const failures = [];
  const tried = (reader, index, work) => {
    try {
      return work();
    } catch (error) {
      failures.push({ reader, index, why: String(error).slice(0, 200) });
      return undefined;
    }
  };
  const texts = events.map(([envelope]) => envelope.toString());
  if (lineByLine) {
    const lines = [];
    const input = Readable.from([texts.map((text) => text + "\n").join("")]);
    for await (const line of readline.createInterface({ input, crlfDelay: Infinity })) lines.push(line);
    const index = texts.findIndex((text, place) => lines[place] !== text);
    if (index >= 0) failures.push({ reader: "Node's readline", index, why: `${lines.length} lines` });
  }
  texts.forEach((text, index) => {
    const [, body] = events[index];
    const got = tried("Node's JSON", index, () => node(text, body));
    if (!got) return;
    // Not written again where it was within something else: JSON.stringify makes 0 of -0.
    const message = got.isWhole ? text : got.envelope;
    tried("JavaScript's CloudEvents", index, () => sdk(message, got));
  });
  return failures;
}

async function main() {
  let held = [];
  let bytes = 0;
  const chunks = process.stdin[Symbol.asyncIterator]();
  const take = async (wanted) => {
    while (bytes < wanted) {
      const { value, done } = await chunks.next();
      if (done) return undefined;
      held.push(value);
      bytes += value.length;
    }
    const all = held.length === 1 ? held[0] : Buffer.concat(held);
    held = [all.subarray(wanted)];
    bytes = all.length - wanted;
    return all.subarray(0, wanted);
  };
  const number = async () => (await take(4))?.readUInt32LE();
  for (;;) {
    const lineByLine = await number();
    if (lineByLine === undefined) return;
    const events = [];
    for (let left = await number(); left > 0; left--) {
      const envelope = await take(await number());
      events.push([envelope, await take(await number())]);
    }
    process.stdout.write(JSON.stringify(await read(lineByLine, events)) + "\n");
  }
}

main();
