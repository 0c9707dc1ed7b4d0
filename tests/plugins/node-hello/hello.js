#!/usr/bin/env node
// Says hello from Node.js, and for how long it has run: with one small package of npm's registry.
"use strict";

const readline = require("node:readline");
const ms = require("ms");

const VERSION = "1.0.0";
const BROKEN = false; // a release that passes every check before it runs, and then dies in init

const MANIFEST = {
  options: [{ name: "node-greeting", type: "string", default: "hello", description: "What to say" }],
  rpcmethods: [{ name: "node-hello", usage: "", description: "Say hello" }],
  subscriptions: [],
  hooks: [],
  dynamic: true,
};
let options = {};

function answer(method, params) {
  if (method === "getmanifest") return MANIFEST;
  if (method === "init") {
    if (BROKEN) {
      process.stderr.write("this release is broken\n");
      process.exit(1);
    }
    options = params.options;
    return {};
  }
  const running = ms(Math.round(process.uptime() * 1000), { long: true });
  return { say: options["node-greeting"], version: VERSION, options, running };
}

readline.createInterface({ input: process.stdin, terminal: false }).on("line", (line) => {
  if (!line.trim()) return;
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result: answer(method, params) }) + "\n\n");
});
