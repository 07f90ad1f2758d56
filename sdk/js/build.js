#!/usr/bin/env node
// `node build.js OPS.js|OPS.ts -o OPS.wasm`: makes a component with jco and its QuickJS engine.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const USAGE = "usage: djhost-sdk OPS.js|OPS.ts -o OPS.wasm";
const WIT = join(dirname(fileURLToPath(import.meta.url)), "wit");
// StarlingMonkey, the other engine of jco, makes components several times as large.
const ENGINE = ["--backend", "qjs", "--backend-qjs-disable-async"];

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

/** The bundler and the program of the `jco` package. */
async function tools() {
  try {
    const { build } = await import("rolldown");
    const library = fileURLToPath(import.meta.resolve("@bytecodealliance/jco"));
    const [root] = /^.*@bytecodealliance\/jco\//.exec(library);
    return { bundle: build, jco: join(root, JSON.parse(readFileSync(join(root, "package.json"), "utf8")).bin.jco) };
  } catch {
    return fail("jco is not installed: run `npm install` in the directory of the project");
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
});
const { bundle, jco } = await tools();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
if (positionals.length !== 1 || !values.output) fail(USAGE);
const output = resolve(values.output);
const temporary = mkdtempSync(join(tmpdir(), "djhost-sdk-"));
try {
  // One file for the engine, without types.
  const file = join(temporary, "ops.js");
  await bundle({
    input: resolve(positionals[0]),
    platform: "neutral",
    logLevel: "warn",
    // The host's services, which only a component that uses them imports.
    external: /^djhost:/,
    treeshake: { moduleSideEffects: "no-external" },
    resolve: { conditionNames: ["djhost-component", "import", "default"] },
    output: { file, format: "esm", codeSplitting: false },
  });
  // An engine imports all that its world has, so that of an operator without models has none.
  const world = readFileSync(file, "utf8").includes('"djhost:op/models@') ? "operator-with-services" : "operator";
  const args = [jco, "componentize", file, "--wit", WIT, "--world-name", world, "--out", output, ...ENGINE];
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exitCode = 1;
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true });
}
if (process.exitCode !== 1) console.log(`${values.output}: ${(statSync(output).size / 1e6).toFixed(1)} MB`);
