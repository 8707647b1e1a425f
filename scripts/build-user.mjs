#!/usr/bin/env node
/** Builds the guest programs of `user/`.
 *
 *    node scripts/build-user.mjs            meniOS programs into user/bin, where they are checked in
 *    node scripts/build-user.mjs --check    builds them elsewhere and compares bytes with the checked-in ones
 *    node scripts/build-user.mjs --guests   everything the tests run, into .tmp/guests (cached by content)
 *
 *  A build is reproducible: no build id, no time stamps, no absolute paths. */
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const user = join(root, "user");
export const guestsDir = join(root, ".tmp", "guests");
const run = promisify(execFile);

const MENIOS_FLAGS = [
  "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-nostdlib", "-ffreestanding", "-nostdinc",
  "-fno-stack-protector", "-fno-pic", "-no-pie", "-march=x86-64", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
  "-fno-ident", "-fno-tree-loop-distribute-patterns", "-ffunction-sections", "-fdata-sections",
  "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,norelro", "-s",
];

/** Programs checked in as built ELF files, and their sources relative to user/. */
const MENIOS_PROGRAMS = { hello: ["hello/hello.c"], demo: ["demo/demo.c"], selftest: sourcesIn("selftest") };

function sourcesIn(folder) {
  const path = join(user, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path).filter((name) => name.endsWith(".c") || name.endsWith(".S")).sort().map((name) => `${folder}/${name}`);
}

function compilerInclude() {
  return execFileSync("gcc", ["-print-file-name=include"], { encoding: "utf8" }).trim();
}

/** Command line that builds `sources` (absolute or relative to user/) against the meniOS libc, whose sources `libc` are. */
export function meniosCommand(sources, output, extra = [], libc = sourcesIn("libc/src")) {
  return ["gcc", [
    ...MENIOS_FLAGS, `-ffile-prefix-map=${user}=user`, "-isystem", "libc/include", "-isystem", compilerInclude(), "-Ilibc/src",
    ...extra, "-o", output, ...libc, ...sources, "-lgcc",
  ]];
}

/** Linux programs: `// flags: …` and `// only: glibc` in a source's first lines adjust its build. */
function linuxCommand(libc, source, output) {
  const head = readFileSync(source, "utf8").split("\n", 12).join("\n");
  const flags = /\/\/ flags: (.*)/.exec(head)?.[1].trim().split(/\s+/) ?? [];
  const only = /\/\/ only: (\w+)/.exec(head)?.[1];
  if (only !== undefined && only !== libc) return undefined;
  const cxx = source.endsWith(".cc");
  if (cxx && libc === "musl") return undefined; // Debian's g++ has no C++ library for musl
  const compiler = libc === "musl" ? "musl-gcc" : cxx ? "g++" : "gcc";
  return [compiler, ["-static", "-O2", "-w", "-o", output, source, ...flags, "-lm", ...(libc === "glibc" ? ["-lpthread"] : [])]];
}

function hashOf(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

const versions = new Map();
function versionOf(compiler) {
  if (!versions.has(compiler)) versions.set(compiler, execFileSync(compiler, ["--version"], { encoding: "utf8" }));
  return versions.get(compiler);
}

/** Runs a build command unless the output with the same inputs is there already. Returns the output's path. */
async function buildCached(name, folder, inputs, command) {
  const probe = command("OUTPUT");
  const key = hashOf([versionOf(probe[0]), probe[1].join(" "), ...inputs.map((path) => readFileSync(path))]);
  const directory = join(guestsDir, folder, key);
  const output = join(directory, name);
  if (existsSync(output)) return output;
  mkdirSync(directory, { recursive: true });
  const partial = `${output}.${process.pid}.part`;
  const [compiler, args] = command(partial);
  await run(compiler, args, { cwd: user, maxBuffer: 1 << 24 });
  renameSync(partial, output);
  return output;
}

async function inParallel(tasks, width = 2) {
  const results = new Array(tasks.length);
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < tasks.length) {
      const index = next++;
      results[index] = await tasks[index]();
    }
  }));
  return results;
}

function libcInputs() {
  const headers = readdirSync(join(user, "libc/include"), { recursive: true }).filter((name) => name.endsWith(".h")).sort();
  return [...headers.map((name) => join(user, "libc/include", name)), ...sourcesIn("libc/src").map((name) => join(user, name)),
    join(user, "libc/src/gate.h"), join(user, "libc/src/file.h"), join(user, "libc/src/decimal.h")];
}

/** One meniOS program from sources anywhere, cached. `variant` goes into the name only. */
export function buildMenios(name, sources, extra = []) {
  const inputs = [...libcInputs(), ...sources.map((source) => (source.startsWith("/") ? source : join(user, source)))];
  return buildCached(name, "menios", inputs, (output) => meniosCommand(sources, output, extra));
}

/** A program of user/libc/conformance, built with the host's C library and with ours for the meniOS gate. */
export async function buildConformance(name) {
  const source = join(user, "libc/conformance", `${name}.c`);
  const host = await buildCached(name, "host", [source], (output) => ["gcc", ["-O2", "-w", "-o", output, source]]);
  return { host, menios: await buildMenios(name, [source], ["-w"]) };
}

/** Unpacked Debian sources of mimalloc, fetched once into .tmp with apt lists of their own; undefined without a network. */
async function mimallocSource() {
  const directory = join(root, ".tmp", "sources");
  const unpacked = () => (existsSync(directory) ? readdirSync(directory).find((name) => /^mimalloc-[\d.]+/.test(name)) : undefined);
  if (unpacked() === undefined) {
    const state = join(directory, "apt");
    mkdirSync(join(state, "lists", "partial"), { recursive: true });
    const suite = /VERSION_CODENAME=(\w+)/.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "stable";
    writeFileSync(join(state, "sources.list"), `deb-src http://deb.debian.org/debian ${suite} main\n`);
    const options = ["-qq", "-o", `Dir::Etc::sourcelist=${join(state, "sources.list")}`, "-o", "Dir::Etc::sourceparts=-",
      "-o", `Dir::State::lists=${join(state, "lists")}`, "-o", "APT::Sandbox::User=root"];
    try {
      await run("apt-get", [...options, "update"], { cwd: directory });
      await run("apt-get", [...options, "source", "--download-only", "mimalloc"], { cwd: directory });
      const archive = readdirSync(directory).find((name) => /^mimalloc_.*\.orig\.tar\./.test(name));
      await run("tar", ["-xf", archive], { cwd: directory });
    } catch {
      return undefined;
    }
  }
  return join(directory, unpacked());
}

/** Programs of user/allocators with other people's malloc, as { name, path, menios }. mimalloc is there when its sources are:
 *  against the meniOS libc without thread-local storage, because that gate cannot set the fs base; and against glibc. */
export async function buildAllocators() {
  const stress = join(user, "allocators/stress.c");
  const threads = join(user, "allocators/threads.c");
  const glibc = (name, program, sources, libraries) => ({
    name, menios: false,
    path: buildCached(name, "allocators", [program], (output) => ["gcc", ["-O2", "-w", "-static", "-o", output, program, ...sources, ...libraries, "-lpthread", "-lm"]]),
  });
  const jemalloc = ["-ljemalloc", "-lstdc++", "-ldl"];
  const programs = [
    glibc("stress-glibc", stress, [], []), glibc("stress-jemalloc", stress, [], jemalloc), glibc("threads-jemalloc", threads, [], jemalloc),
    { name: "stress-menios", menios: true, path: buildMenios("stress-menios", ["allocators/stress.c"]) },
  ];
  const source = await mimallocSource();
  if (source !== undefined) {
    const mimalloc = [`-I${join(source, "include")}`, "-DMI_MALLOC_OVERRIDE", "-DNDEBUG", join(source, "src/static.c")];
    programs.push(glibc("stress-mimalloc", stress, mimalloc, []), glibc("threads-mimalloc", threads, mimalloc, []));
    const libc = [...sourcesIn("libc/src").filter((path) => !path.endsWith("/malloc.c")), "libc/compat/compat.c"];
    const extra = ["-w", "-isystem", "libc/compat/include", "-D__thread=", "-U__linux__", "-U__linux", "-Ulinux"];
    programs.push({
      name: "stress-mimalloc-menios", menios: true,
      path: buildCached("stress-mimalloc-menios", "menios", [...libcInputs(), stress, join(user, "libc/compat/compat.c")], (output) =>
        meniosCommand(["allocators/stress.c", ...mimalloc], output, extra, libc)),
    });
  }
  return Promise.all(programs.map(async (program) => ({ ...program, path: await program.path })));
}

/** One Linux program, cached; undefined when it is not for this libc. */
export async function buildLinux(libc, source) {
  if (linuxCommand(libc, source, "") === undefined) return undefined;
  const name = basename(source).replace(/\.(c|cc)$/, "");
  const common = join(dirname(source), source.includes("/bench/") ? "bench.h" : "check.h");
  const inputs = existsSync(common) ? [source, common] : [source];
  return buildCached(name, libc, inputs, (output) => linuxCommand(libc, source, output));
}

/** Every Linux program of a folder of user/ as { name, libc, path }. */
export async function buildAllLinux(folder, libcs = ["glibc", "musl"]) {
  const sources = readdirSync(join(user, folder)).filter((name) => /\.(c|cc)$/.test(name)).sort();
  const failures = [];
  const jobs = libcs.flatMap((libc) => sources.map((source) => async () => {
    try {
      const path = await buildLinux(libc, join(user, folder, source));
      return path === undefined ? undefined : { name: source.replace(/\.(c|cc)$/, ""), libc, path };
    } catch (error) {
      failures.push(error.stderr?.toString() || error.message);
      return undefined;
    }
  }));
  const programs = (await inParallel(jobs)).filter((program) => program !== undefined);
  if (failures.length > 0) throw new Error(failures.join("\n"));
  return programs;
}

/** Builds the checked-in programs into `directory`. */
export async function buildCheckedIn(directory) {
  mkdirSync(directory, { recursive: true });
  for (const [name, sources] of Object.entries(MENIOS_PROGRAMS)) {
    const [compiler, args] = meniosCommand(sources, join(directory, name));
    await run(compiler, args, { cwd: user, maxBuffer: 1 << 24 });
  }
  return Object.keys(MENIOS_PROGRAMS);
}

/** Names of checked-in programs whose bytes differ from a fresh build. */
export async function checkCheckedIn() {
  const directory = mkdtempSync(join(tmpdir(), "menios-user-"));
  try {
    const names = await buildCheckedIn(directory);
    return names.filter((name) => {
      const stored = join(user, "bin", name);
      return !existsSync(stored) || !readFileSync(stored).equals(readFileSync(join(directory, name)));
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (process.argv.includes("--check")) {
      const stale = await checkCheckedIn();
      if (stale.length > 0) throw new Error(`user/bin is stale: ${stale.join(", ")}; run node scripts/build-user.mjs`);
    } else if (process.argv.includes("--guests")) {
      const built = [...(await buildAllLinux("linux")), ...(await buildAllLinux("bench"))];
      console.log(`${built.length} guest programs in ${guestsDir}`);
    } else {
      console.log((await buildCheckedIn(join(user, "bin"))).join(" "));
    }
  } catch (error) {
    console.error(error.stderr?.toString() || error.message);
    process.exitCode = 1;
  }
}
