/**
 * Compiles kernels.cpp on first use with the system's C++ compiler, checks the result, and keeps it in the user's cache
 * under a name that says what it was made of (source, compiler, flags and CPU) and what it holds (the hash of the
 * library). Later runs find it there; a damaged one is built again.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { cpus, homedir } from "node:os";
import { dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import which from "which";

const run = promisify(execFile);

const COMPILE_TIMEOUT_MS = 120_000;
const CHECK_TIMEOUT_MS = 30_000;

/**
 * Not -ffast-math: reassociation takes vector exp apart (the loss came out 3.91 for 4.44), and finite-math-only would
 * hide the NaN of a run that diverges.
 */
export const COMPILE_FLAGS: readonly string[] = [
	"-std=c++17",
	"-O2",
	process.arch === "arm64" ? "-mcpu=native" : "-march=native",
	...["-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fno-associative-math"],
	...["-fno-exceptions", "-fno-rtti", "-fvisibility=hidden", "-fPIC", "-shared"],
];

export interface BuildOptions {
	/** Where compiled kernels are kept; by default autoresearch/kernels/ in the user's cache. */
	cacheFolder?: string;
	/** Names or paths of C++ compilers to try in turn; by default $CXX, c++, g++, clang++. */
	compilers?: readonly string[];
	flags?: readonly string[];
}

export type Build =
	| {
			ok: true;
			/** For `loadKernels`. */
			path: string;
			/** False if it was in the cache. */
			compiled: boolean;
	  }
	| {
			ok: false;
			/** One line for the user: why the portable lowering is used instead. */
			reason: string;
	  };

/** Finds or makes compiled kernels. Never throws: a failure is returned as the `reason` to do without them. */
export async function ensureKernels(options: BuildOptions = {}): Promise<Build> {
	const cacheFolder = options.cacheFolder ?? defaultCacheFolder();
	const candidates =
		options.compilers ?? [process.env.CXX, "c++", "g++", "clang++"].filter((name) => !!name).map(String);
	const flags = options.flags ?? COMPILE_FLAGS;
	try {
		const source = join(await packageRoot(), "trainer/tensor/cpu/kernels.cpp");
		let failure: Build | undefined;
		for (const candidate of candidates) {
			// Links stay unresolved: a compiler cache depends on the name it is called by.
			const compiler = await which(candidate, { nothrow: true });
			if (!compiler) continue;
			const build = await buildWith(compiler, flags, source, cacheFolder);
			if (build.ok) return build;
			failure ??= build;
		}
		return failure ?? { ok: false, reason: `no C++ compiler found (looked for ${candidates.join(", ")})` };
	} catch (error) {
		return { ok: false, reason: `the CPU kernels could not be built: ${(error as Error).message}` };
	}
}

async function buildWith(
	compiler: string,
	flags: readonly string[],
	source: string,
	cacheFolder: string,
): Promise<Build> {
	const made = await fingerprint(compiler, flags, source);
	const found = await findLibrary(cacheFolder, made);
	if (found) return { ok: true, path: found, compiled: false };
	const base = join(cacheFolder, made);
	const refusal = `${base}.refused`;
	if (await exists(refusal)) return { ok: false, reason: await readFile(refusal, "utf8") };

	await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
	// Renamed when complete: two processes may build at once, and neither sees an incomplete file of the other.
	const draft = `${base}.${process.pid}.${randomUUID()}.tmp`;
	try {
		try {
			await run(compiler, [...flags, source, "-o", draft], { timeout: COMPILE_TIMEOUT_MS });
		} catch (error) {
			return { ok: false, reason: `${compiler} could not compile the CPU kernels: ${firstError(error)}` };
		}
		const verdict = await check(draft);
		if ("wrong" in verdict) {
			const reason = `the CPU kernels built by ${compiler} compute wrongly and are not used (${verdict.wrong})`;
			await writeFile(`${draft}.txt`, reason);
			await rename(`${draft}.txt`, refusal);
			return { ok: false, reason };
		}
		if ("failure" in verdict) {
			return { ok: false, reason: `the CPU kernels built by ${compiler} could not be checked: ${verdict.failure}` };
		}
		await flush(draft);
		const library = `${base}.${await hashOf(draft)}.so`;
		await rename(draft, library);
		return { ok: true, path: library, compiled: true };
	} finally {
		await rm(draft, { force: true });
	}
}

/** The library in the cache that was made of `made` and holds what its name says. Loading a damaged one could crash. */
async function findLibrary(cacheFolder: string, made: string): Promise<string | undefined> {
	for (const name of await readdir(cacheFolder).catch(() => [])) {
		if (!name.startsWith(`${made}.`) || !name.endsWith(".so")) continue;
		const path = join(cacheFolder, name);
		const hash = await hashOf(path).catch(() => undefined);
		if (name === `${made}.${hash}.so`) return path;
	}
	return undefined;
}

async function hashOf(path: string): Promise<string> {
	return sha256(await readFile(path));
}

/** Waits until a file is on the disk: after a power cut, a renamed file may otherwise be empty. */
async function flush(path: string): Promise<void> {
	const file = await open(path, "r+");
	await file.sync().finally(() => file.close());
}

/**
 * Signals by which a build that computes wrongly may die. Any other comes from outside: a time limit, a lack of memory.
 */
const FAULTS: readonly unknown[] = ["SIGILL", "SIGSEGV", "SIGBUS", "SIGFPE"];

/** The verdict of the self-check, run in a process of its own. A `failure` means that the check itself failed. */
async function check(library: string): Promise<{ ok: true } | { wrong: string } | { failure: string }> {
	const program = join(import.meta.dirname, `self-check${extname(import.meta.filename)}`);
	try {
		await run(process.execPath, [program, library], {
			timeout: CHECK_TIMEOUT_MS,
			env: { ...process.env, NODE_OPTIONS: "" },
		});
		return { ok: true };
	} catch (error) {
		const { stdout, signal, killed } = error as { stdout?: string; signal?: string; killed?: boolean };
		if (stdout) return { wrong: stdout.trim() };
		if (FAULTS.includes(signal)) return { wrong: `ended by ${signal}` };
		if (killed) return { failure: `the check took longer than ${CHECK_TIMEOUT_MS / 1000} s` };
		return { failure: signal ? `the check was ended by ${signal}` : firstError(error) };
	}
}

function firstError(error: unknown): string {
	const { stderr, message } = error as { stderr?: string; message: string };
	const lines = (stderr || message).split("\n").map((line) => line.trim());
	return lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== "") ?? "no message";
}

/**
 * A name for what a build is made of. Size and time of the compiler's file stand for its version, so that no process is
 * spawned to ask.
 */
async function fingerprint(compiler: string, flags: readonly string[], source: string): Promise<string> {
	const { size, mtimeMs } = await stat(compiler);
	const parts = [compiler, size, mtimeMs, flags, process.platform, process.arch, await cpuIdentity()];
	return sha256(await readFile(source), JSON.stringify(parts));
}

function sha256(...parts: (string | Uint8Array)[]): string {
	const hash = createHash("sha256");
	for (const part of parts) hash.update(part);
	return hash.digest("hex").slice(0, 32);
}

/** The CPU's model and instruction sets: -march=native depends on them, and a cache may travel between machines. */
async function cpuIdentity(): Promise<string> {
	const model = cpus()[0]?.model ?? "";
	const information = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
	return `${model} ${/^(?:flags|Features)\s*:.*$/m.exec(information)?.[0] ?? ""}`;
}

/** kernels.cpp is read from the package, also when this file runs compiled from dist/. */
async function packageRoot(): Promise<string> {
	for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder))
		if (await exists(join(folder, "package.json"))) return folder;
	throw new Error(`no package.json above ${import.meta.dirname}`);
}

function defaultCacheFolder(): string {
	return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "autoresearch", "kernels");
}

function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}
