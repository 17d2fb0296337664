// Parses an AsyncAPI document: node parse.cjs FOLDER-OF-THE-PARSER DOCUMENT
const [, , folder, document] = process.argv;
const { createRequire } = require("node:module");
const { Parser, fromFile } = createRequire(folder + "/")("@asyncapi/parser");

(async () => {
  const { document: parsed, diagnostics } = await fromFile(new Parser(), document).parse();
  // 0 is an error, 1 a warning; the rest is advice.
  const wrong = diagnostics.filter((found) => found.severity <= 1);
  for (const found of wrong) {
    console.log(`${found.code}: ${found.message} at ${found.path.join(".")}`);
  }
  console.log(`${parsed ? parsed.messages().length : 0} messages, ${wrong.length} found wrong`);
  process.exitCode = parsed && wrong.length === 0 ? 0 : 1;
})();
