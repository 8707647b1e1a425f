#!/usr/bin/env node
/** Debian packages that the tests run or compare with. Missing ones are installed when this runs as root on a Debian
 *  system; otherwise one line names them and the status is 1. Does nothing when all are there. */
import { spawnSync } from "node:child_process";

const PACKAGES = [
  "gcc", "g++", "libc6-dev", "musl-tools", "busybox-static", "bash-static", "zsh-static", "qemu-user", "gdb", "chromium",
  "libjemalloc-dev", "libmimalloc-dev",
];

function installed(name) {
  const query = spawnSync("dpkg-query", ["-W", "-f", "${Status}", name], { encoding: "utf8" });
  return query.status === 0 && query.stdout.includes("ok installed");
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", ["-qq", "-y", ...args], { env, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

let missing = PACKAGES.filter((name) => !installed(name));
if (missing.length > 0 && process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
  // An index that is there already is enough in most cases; a stale one is refreshed once.
  if (!apt("install", "--no-install-recommends", ...missing)) {
    apt("update");
    apt("install", "--no-install-recommends", ...missing);
  }
  missing = missing.filter((name) => !installed(name));
}
if (missing.length > 0) {
  console.error(`tests need these Debian packages: apt-get install ${missing.join(" ")}`);
  process.exit(1);
}
