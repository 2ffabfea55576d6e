/**
 * Builds the widget: `node build.mjs` for the server (into api/assets), `package` for npm (into dist), `tests` for
 * Node's own test runner (into .test).
 *
 * The server's script is one file that is good both as a module and as a classic script, so it has no import, export or
 * import.meta, and its names stay its own; what it loads later (trend charts, languages) are modules that need nothing
 * of it. Under the stable name /widget.js it is the same bytes as under its hashed one.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const HERE = dirname(fileURLToPath(import.meta.url));
const ASSETS = join(HERE, "..", "api", "assets");
const LIMIT = 60_000; // bytes, gzipped

const common = {
  configFile: false,
  root: HERE,
  logLevel: "warn",
  define: { "process.env.NODE_ENV": '"production"' },
};

function options(input, outDir, names, more = {}) {
  return {
    ...common,
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2022",
      cssTarget: ["chrome123", "firefox120", "safari17.5"],
      modulePreload: false,
      reportCompressedSize: false,
      copyPublicDir: false,
      rollupOptions: { input, output: { format: "es", ...names } },
      ...more,
    },
  };
}

/** Hides the names of a script whose every line would otherwise stand in the page's global scope. */
const closed = {
  name: "closed",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk" || !chunk.isEntry) continue;
      if (chunk.imports.length || chunk.exports.length) throw new Error("The widget's script must stand by itself.");
      if (chunk.code.includes("import.meta")) throw new Error("The widget's script must be good as a classic one.");
      chunk.code = `(()=>{${chunk.code}})();\n`;
    }
  },
};

async function forServer() {
  const making = `${ASSETS}.new`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  // As a library: Vite then adds no loader of its own around import(), which would need import.meta.
  const names = { entryFileNames: "widget-[hash].js", chunkFileNames: "widget-[name]-[hash].js", minify: true };
  const lib = { entry: "src/script.ts", formats: ["es"] };
  await build({ ...options("src/script.ts", making, names, { lib }), plugins: [closed] });
  await build(
    options({ demo: "demo/demo.ts" }, making, {
      entryFileNames: "demo-[hash].js",
      assetFileNames: "[name]-[hash][extname]",
    }),
  );
  copyFileSync(join(HERE, "demo", "icon.svg"), join(making, "icon.svg"));
  const files = readdirSync(making);
  const hashed = (prefix, suffix) => files.find((name) => new RegExp(`^${prefix}-[\\w-]{8}\\${suffix}$`).test(name));
  const built = { widget: hashed("widget", ".js"), demo: hashed("demo", ".js"), style: hashed("demo", ".css") };
  const page = readFileSync(join(HERE, "demo", "index.html"), "utf8");
  writeFileSync(
    join(making, "index.html"),
    page.replace("/demo.ts", `/page/${built.demo}`).replace("/demo.css", `/page/${built.style}`),
  );
  for (const name of files.filter((one) => /\.(js|css)$/.test(one))) {
    const zipped = gzipSync(readFileSync(join(making, name)), { level: 9 });
    writeFileSync(join(making, `${name}.gz`), zipped);
    console.log(`  ${name}: ${(zipped.length / 1024).toFixed(1)} KB gzipped`);
    if (name === built.widget && zipped.length > LIMIT) throw new Error("The widget is larger than 60 KB gzipped.");
  }
  const digest = createHash("sha256")
    .update(readFileSync(join(making, built.widget)))
    .digest("hex")
    .slice(0, 16);
  writeFileSync(join(making, "manifest.json"), `${JSON.stringify({ ...built, digest })}\n`);
  rmSync(ASSETS, { recursive: true, force: true });
  renameSync(making, ASSETS);
}

async function forPackage() {
  rmSync(join(HERE, "dist"), { recursive: true, force: true });
  await build(
    options(
      "src/index.ts",
      "dist",
      { entryFileNames: "index.js", chunkFileNames: "[name]-[hash].js" },
      {
        lib: { entry: "src/index.ts", formats: ["es"], fileName: () => "index.js" },
        rollupOptions: { output: { chunkFileNames: "[name]-[hash].js" } },
      },
    ),
  );
  const tsc = join(HERE, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--noEmit", "false", "--emitDeclarationOnly", "--declaration", "--rootDir", "src", "--outDir", "dist"];
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.package.json", ...flags], { cwd: HERE, stdio: "inherit" });
}

async function forTests() {
  rmSync(join(HERE, ".test"), { recursive: true, force: true });
  const names = readdirSync(join(HERE, "test")).filter((name) => name.endsWith(".test.ts"));
  const input = Object.fromEntries(names.map((name) => [name.replace(".test.ts", ""), `test/${name}`]));
  await build(options(input, ".test", { entryFileNames: "[name].test.mjs" }, { ssr: true, minify: false }));
}

const task = { undefined: forServer, package: forPackage, tests: forTests }[process.argv[2]];
if (!task) throw new Error("node build.mjs [package|tests]");
await task();
