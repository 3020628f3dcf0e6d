// Compresses the built files once, so that the server sends them as they are.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = "../src/touchline/web/static";
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

for (const name of await readdir(folder, { recursive: true })) {
  if (!/\.(js|css|html|svg|webmanifest)$/.test(name)) continue;
  const path = join(folder, name);
  const content = await readFile(path);
  await writeFile(`${path}.br`, brotliCompressSync(content, quality));
  await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
}
