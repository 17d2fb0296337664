// Starts fauxqs on the loopback address alone: node fauxqs.mjs PORT REGION [plain-receipts]
import crypto from "node:crypto";
import { register, syncBuiltinESMExports } from "node:module";

// It asks for node:sqlite (Node 22.5) only to keep queues on disk, which nobody here does. Without this,
// older versions of Node would not get past its first line.
const hooks = `export async function resolve(specifier, context, next) {
  if (specifier !== "node:sqlite") return next(specifier, context);
  return { url: "data:text/javascript,export class DatabaseSync {}", shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const [port, region, receipts] = process.argv.slice(2);
if (receipts === "plain-receipts") {
  // Its receipts, and its other ids, are UUIDs.
  const { randomUUID } = crypto;
  crypto.randomUUID = () => randomUUID().replaceAll("-", "");
  syncBuiltinESMExports();
}

const { startFauxqs } = await import("fauxqs");
await startFauxqs({ host: "127.0.0.1", port: Number(port), defaultRegion: region, logger: false });
