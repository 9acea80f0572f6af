// Bundles src into the package: signloom/web/static/studio.js and client.js, which are committed.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";

const sources = readdirSync("src").sort();
const hash = createHash("sha256");
for (const name of sources) hash.update(name).update(readFileSync(`src/${name}`));

const built = {
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: `// Built from studio/src by \`npm run build\`; do not edit. Sources: sha256 ${hash.digest("hex")}` },
};
for (const [source, name] of [["main", "studio"], ["client", "client"]]) {
  await build({ ...built, entryPoints: [`src/${source}.ts`], outfile: `../signloom/web/static/${name}.js` });
}
