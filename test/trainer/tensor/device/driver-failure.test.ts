/** Drivers that list devices which cannot compute: the message, and that no run uses them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { memoryFailure } from "../../../../scripts/check-gpu/figures.ts";
import type { Throughput } from "../../../../scripts/check-gpu/throughput.ts";
import { packageRoot } from "../../../../src/package-root.ts";
import { chooseBest, chooseDevice, type FoundDevices, findDevices } from "../../../../trainer/tensor/device/choice.ts";
import { cli } from "../../../support/cli.ts";
import { tempDir } from "../../../support/lab.ts";
import { type Finished, finished } from "../../harness/harness.ts";
import { cases } from "../gradient-cases.ts";
import { failingDriver, PTX_ERROR } from "./failing-driver.ts";

const { devices, problem } = await findDevices("vulkan", true);
const skip =
	(process.platform !== "linux" && "it is preloaded as on Linux") ||
	(devices.length === 0 && `no software Vulkan here: ${problem}`);

/** Has processes started from here on meet a failing driver. */
function fail(t: TestContext, fault: string): void {
	const env = failingDriver(t, fault);
	t.after(() => {
		for (const name of Object.keys(env)) delete process.env[name];
	});
	Object.assign(process.env, env);
}

async function problemOf(limitMs?: number): Promise<string | undefined> {
	const { devices } = await findDevices("vulkan", true, limitMs);
	assert.equal(devices.length, 1, "it is listed all the same");
	return devices[0]!.problem;
}

test("a device that computes has no problem", { skip }, async () => assert.equal(await problemOf(), undefined));

test("a device whose driver aborts has its own error for a reason", { skip }, async (t) => {
	fail(t, "an illegal memory access was encountered");
	assert.equal(
		await problemOf(),
		"its driver ended the process (SIGABRT): CUDA error: an illegal memory access was encountered",
	);
});

test("a driver too old for the kernels is refused with the one it takes", { skip }, async (t) => {
	fail(t, PTX_ERROR);
	await assert.rejects(
		chooseDevice("vulkan:software"),
		/^DeviceError: vulkan:software \(.*\) does not work: .*unsupported toolchain; it takes .* driver 590 or newer$/,
	);
});

test("a device that computes wrong numbers does not work", { skip }, async (t) => {
	fail(t, "wrong");
	assert.equal(await problemOf(), "it computes wrong numbers");
});

test("a driver that hangs is given up", { skip }, async (t) => {
	fail(t, "hang");
	assert.equal(await problemOf(3000), "its driver did not answer within 3 s");
});

test("auto passes over what does not work, and says so", async () => {
	const facts = { description: "GPU", integrated: false, freeBytes: 1, totalBytes: 1 };
	const found = (devices: FoundDevices["devices"]) => (kind: FoundDevices["kind"]) =>
		Promise.resolve({ kind, devices: kind === "cuda" ? devices : [], inSight: false });
	const broken = { ...facts, description: "old GPU", problem: "CUDA error: no" };
	const second = await chooseBest(found([broken, facts]));
	assert.equal(second.device, "cuda:1");
	assert.deepEqual(second.passedOver, ["cuda: old GPU does not work: CUDA error: no"]);
	const none = await chooseBest(found([broken]));
	assert.equal(none.device, "cpu");
	assert.equal(none.passedOver[0], "cuda: old GPU does not work: CUDA error: no");
});

test("doctor says of a device that it does not work, and what auto takes instead", { skip }, async (t) => {
	// So that ggml lists the software device among the GPUs.
	const listed = { GGML_VK_VISIBLE_DEVICES: "0" };
	const works = await cli(t, ["doctor"], { env: listed });
	assert.match(works.stdout, /^ok +vulkan +0: .* GB free\nok +device +--device auto trains on vulkan:0$/m);
	const fails = await cli(t, ["doctor"], { env: { ...listed, ...failingDriver(t, PTX_ERROR) } });
	assert.equal(fails.code, 0, "nothing that is needed is missing");
	assert.match(
		fails.stdout,
		/^- +vulkan +0: .* does not work: .*unsupported toolchain; it takes .*\nok +device +--device auto trains on cpu$/m,
	);
});

test("check:gpu reports an operation that ends the process, and goes on", { skip }, async (t) => {
	const env = failingDriver(t, "an illegal memory access was encountered", 5);
	const out = join(tempDir(t), "report.json");
	const { code, stdout } = await check(["--device", "vulkan:software", "--out", out], env);
	assert.equal(code, 1);
	const { failures, comparison, throughput } = JSON.parse(readFileSync(out, "utf8"));
	assert.deepEqual(failures, [`${cases[4]![0]}: SIGABRT: CUDA error: an illegal memory access was encountered`]);
	assert.equal(Object.keys(comparison.operations).length, cases.length);
	assert.equal(throughput.length, 1);
	assert.match(
		stdout,
		/% of [\d.]*[1-9][\d.]* GFLOPS[\s\S]*FAILED {2}.*illegal memory access[\s\S]*1 failure; the report is/,
	);
});

test("check:gpu refuses what it cannot do", { skip }, async () => {
	for (const args of [
		["--sizes", "abc"],
		["--sizes", "0"],
		["--seconds", "soon"],
		["--device", "abacus"],
	]) {
		const { code, stderr } = await check(args);
		assert.equal(code, 2, args.join(" "));
		assert.match(stderr, new RegExp(`^.*"${args[1]}".*\n$`));
	}
});

test("memory that no forecast counts is allowed for, and no more", () => {
	const figures = (forecastMb: number, usedMb: number) => ({ size: [1, 2], forecastMb, usedMb }) as Throughput;
	assert.equal(memoryFailure(figures(40, 500)), undefined);
	assert.match(memoryFailure(figures(40, 600))!, /^1 2: 600 MB used, 40 MB forecast/);
	assert.equal(memoryFailure(figures(20_000, 22_400)), undefined);
	assert.ok(memoryFailure(figures(20_000, 22_600)));
});

function check(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
	const command = [join(packageRoot, "scripts/check-gpu/check.ts"), ...args];
	return finished(spawn(process.execPath, command, { env: { ...process.env, ...env } }));
}
