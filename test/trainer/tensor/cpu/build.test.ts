/** Building the kernels: once, checked, found again in the cache, and refused with a reason when they are wrong. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { COMPILE_FLAGS, ensureKernels } from "../../../../trainer/tensor/cpu/build.ts";
import { builds } from "./builds.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../../..");
const { kernels, missing } = await builds();
const skip = kernels.size === 0 && missing[0];
const scratch = await mkdtemp(join(tmpdir(), "autoresearch-build-"));
after(() => rm(scratch, { recursive: true }));

/** -O0 compiles in a second, and what is tested here is the building, not the speed. */
const FAST = [...COMPILE_FLAGS, "-O0"];

describe("building the kernels", { skip }, () => {
	test("two processes that build at once both get the one library, and a third finds it there", async () => {
		const cacheFolder = join(scratch, "two");
		const program = `
			import { ensureKernels } from ${JSON.stringify(join(ROOT, "trainer/tensor/cpu/build.ts"))};
			console.log(JSON.stringify(await ensureKernels(${JSON.stringify({ cacheFolder, flags: FAST })})));`;
		const build = async () => JSON.parse((await run(process.execPath, ["--input-type=module", "-e", program])).stdout);
		const both = await Promise.all([build(), build()]);
		assert.deepEqual(
			both.map(({ ok, compiled }) => ({ ok, compiled })),
			Array(2).fill({ ok: true, compiled: true }),
		);
		assert.equal(both[0].path, both[1].path);
		assert.deepEqual(await build(), { ok: true, path: both[0].path, compiled: false });
		assert.equal((await readdir(cacheFolder)).length, 1, "nothing half-made is left behind");
	});

	test("a process that may not spawn others can load them and compute", async () => {
		const build = await ensureKernels({ cacheFolder: join(scratch, "two"), flags: FAST });
		assert.ok(build.ok);
		const program = `
			import koffi from "koffi";
			import { loadKernels } from "./trainer/tensor/cpu/load.ts";
			const [x, y] = [Float32Array.of(1, -2, 3), new Float32Array(3)];
			const sizes = { outer: 3, middle: 1, inner: 1, scale: 2 };
			loadKernels(${JSON.stringify(build.path)}).run("sum", { x: koffi.address(x), y: koffi.address(y), ...sizes });
			console.log(y.join(" "));`;
		const permissions = ["--permission", "--allow-addons", `--allow-fs-read=${ROOT}/*`, `--allow-fs-read=${scratch}/*`];
		const { stdout } = await run(process.execPath, [...permissions, "--input-type=module", "-e", program], {
			cwd: ROOT,
		});
		assert.equal(stdout.trim(), "2 -4 6");
	});

	test("a build that computes wrongly is refused with the reason, and not built again", async () => {
		const options = {
			cacheFolder: join(scratch, "wrong"),
			flags: [...FAST, "-O1", "-ffast-math"],
			compilers: ["c++"],
		};
		const first = await ensureKernels(options);
		assert.ok(!first.ok);
		assert.match(first.reason, /compute wrongly and are not used \(.* is .*, not /);
		const start = await readdir(options.cacheFolder);
		assert.deepEqual(await ensureKernels(options), first);
		assert.deepEqual(await readdir(options.cacheFolder), start);
		assert.ok(start.every((name) => name.endsWith(".refused")));
	});

	test("a library that was damaged in the cache is built again", async () => {
		const options = { cacheFolder: join(scratch, "damaged"), flags: FAST };
		const whole = await ensureKernels(options);
		assert.ok(whole.ok && whole.compiled);
		const bytes = await readFile(whole.path);
		await truncate(whole.path, 20_000);
		const truncated = await ensureKernels(options);
		assert.ok(truncated.ok && truncated.compiled);
		assert.deepEqual(await readFile(truncated.path), bytes);
		await writeFile(truncated.path, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1));
		const flipped = await ensureKernels(options);
		assert.ok(flipped.ok && flipped.compiled);
		assert.deepEqual(await ensureKernels(options), { ...flipped, compiled: false });
	});

	describe("a check that is cut short", () => {
		/** Builds kernels that are ended by `signal` as soon as they are loaded, then the same without that. */
		async function dyingOf(signal: string) {
			const header = join(scratch, `${signal}.h`);
			const dies = `#include <csignal>\n__attribute__((constructor)) static void die() { raise(${signal}); }\n`;
			const options = { cacheFolder: join(scratch, signal), flags: [...FAST, "-include", header], compilers: ["c++"] };
			await writeFile(header, dies);
			const first = await ensureKernels(options);
			await writeFile(header, "");
			assert.ok(!first.ok);
			return { reason: first.reason, second: await ensureKernels(options) };
		}

		test("from outside says what happened, and the build is tried again", async () => {
			const { reason, second } = await dyingOf("SIGKILL");
			assert.match(reason, /could not be checked: the check was ended by SIGKILL/);
			assert.ok(second.ok && second.compiled);
		});

		test("by a fault of the build condemns it", async () => {
			const { reason, second } = await dyingOf("SIGILL");
			assert.match(reason, /compute wrongly and are not used \(ended by SIGILL\)/);
			assert.deepEqual(second, { ok: false, reason });
		});
	});

	test("a compiler whose result cannot be loaded is tried again", async () => {
		const empty = join(scratch, "empty-c++");
		await writeFile(empty, '#!/bin/sh\nfor last; do :; done\n: > "$last"\n');
		await chmod(empty, 0o755);
		const cacheFolder = join(scratch, "unloadable");
		const build = await ensureKernels({ cacheFolder, flags: FAST, compilers: [empty] });
		assert.ok(!build.ok);
		assert.match(build.reason, /could not be checked: .*Failed to load shared library/);
		assert.deepEqual(await readdir(cacheFolder), []);
	});

	test("a compiler that fails gives its own message as the reason", async () => {
		const build = await ensureKernels({ cacheFolder: join(scratch, "bad"), flags: ["-no-such-flag"] });
		assert.ok(!build.ok);
		assert.match(build.reason, /could not compile the CPU kernels: .*no-such-flag/);
	});

	test("where the first compiler fails, the next is tried", async () => {
		const broken = join(scratch, "broken-c++");
		await writeFile(broken, "#!/bin/sh\necho 'error: out of order' >&2\nexit 1\n");
		await chmod(broken, 0o755);
		const cacheFolder = join(scratch, "next");
		const alone = await ensureKernels({ cacheFolder, flags: FAST, compilers: [broken] });
		assert.ok(!alone.ok);
		assert.match(alone.reason, /error: out of order/);
		const build = await ensureKernels({ cacheFolder, flags: FAST, compilers: [broken, "c++", "g++", "clang++"] });
		assert.ok(build.ok && build.compiled);
	});
});

test("without a compiler the reason says what was looked for", async () => {
	const build = await ensureKernels({ cacheFolder: scratch, compilers: ["no-such-compiler", "/nor/this/one"] });
	assert.deepEqual(build, { ok: false, reason: "no C++ compiler found (looked for no-such-compiler, /nor/this/one)" });
});
