/** The console in a real tmux. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
const PATIENCE_MS = 20_000;

/** A tmux server of its own with the demo in its only window. */
function tmux(t: TestContext, columns: number, rows: number, ...args: string[]) {
	const socket = `autoresearch-test-${process.pid}-${columns}${args.join("")}`;
	const env = { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC", CI: undefined, NO_COLOR: undefined, TMUX: undefined };
	const run = (...args: string[]) =>
		execFileSync("tmux", ["-u", "-L", socket, "-f", "/dev/null", ...args], { env, encoding: "utf8" });
	const script = join(import.meta.dirname, "demo.ts");
	// The shell stays, so that the window can be seen after the console has left.
	const command = `"${process.execPath}" "${script}" --still ${args.join(" ")}; echo "left with $?"; exec sleep 60`;
	run("new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, command);
	t.after(() => spawnSync("tmux", ["-L", socket, "kill-server"]));
	const screen = () => trimmed(run("capture-pane", "-p"));
	const until = async (condition: (screen: string) => boolean, name: string) => {
		for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await setTimeout(50)) {
			if (condition(screen())) return;
		}
		assert.fail(`waited too long for ${name}; the screen is\n${screen()}`);
	};
	return { run, until, screen };
}

const trimmed = (screen: string) => screen.replace(/ +$/gm, "").trimEnd();
const kept = (name: string) => trimmed(readFileSync(join(import.meta.dirname, "screens", name), "utf8"));

test("tmux shows the same screens, through a resize and keys, and gets its window back", {
	skip: !hasTmux && "tmux is not installed",
}, async (t) => {
	const { run, until } = tmux(t, 120, 40);
	await until((screen) => screen === kept("overview-120x40.txt"), "the overview");
	run("resize-window", "-x", "80", "-y", "24");
	await until((screen) => screen === kept("overview-80x24.txt"), "the overview at 80x24");
	run("send-keys", "j", "j");
	await until((screen) => screen === kept("selected-80x24.txt"), "the selection");
	run("send-keys", "g", "q");
	await until((screen) => screen.includes("Leave?"), "the question");
	run("send-keys", "s");
	await until((screen) => screen === "left with 0", "the window without the console");
});

test("a window that has grown is clean after the console has left", {
	skip: !hasTmux && "tmux is not installed",
}, async (t) => {
	const { run, until } = tmux(t, 80, 24);
	await until((screen) => screen === kept("overview-80x24.txt"), "the overview");
	run("resize-window", "-x", "200", "-y", "60");
	await until((screen) => screen === kept("overview-200x60.txt"), "the overview at 200x60");
	run("send-keys", "q");
	await until((screen) => screen.includes("Leave?"), "the question");
	run("send-keys", "s");
	await until((screen) => screen === "left with 0", "the window without the console");
});

test("letters whose width differs between terminals displace nothing", {
	skip: !hasTmux && "tmux is not installed",
}, async (t) => {
	const { run, until, screen } = tmux(t, 120, 40, "--scenario", "disputed-widths");
	await until((screen) => screen === kept("scenario-disputed-widths-120x40.txt"), "the overview");
	const views: [key: string, shows: RegExp][] = [
		["Enter", /experiment {2}38 of 38[\s\S]*SSSL/],
		["o", /training {2}38/],
		["w", /─ notices/],
		["r", /Force-revert/],
	];
	for (const [key, shows] of views) {
		run("send-keys", key);
		await until((screen) => shows.test(screen), `an answer to ${key}`);
		await setTimeout(300);
		const incremental = screen();
		run("send-keys", "C-l");
		await setTimeout(300);
		assert.equal(incremental, screen(), key);
	}
});
