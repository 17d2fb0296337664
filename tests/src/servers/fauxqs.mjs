// Starts fauxqs on the loopback address alone: node fauxqs.mjs PORT REGION
import { startFauxqs } from "fauxqs";

const [port, region] = process.argv.slice(2);
await startFauxqs({ host: "127.0.0.1", port: Number(port), defaultRegion: region, logger: false });
