/**
 * What a run prints: the progress line and the summary block of karpathy/autoresearch, to the character, so that
 * scripts written for it work. Of its figures only the model FLOPs utilization is left out: it needs the peak speed of
 * the device, and measuring that would cost each run some of its time.
 */
export interface ProgressLine {
	/** From 0. */
	step: number;
	/** Smoothed training loss, nats a token. */
	loss: number;
	lrMultiplier: number;
	stepSeconds: number;
	tokensPerSecond: number;
	epoch: number;
	/** Seconds of the budget left, and the budget. */
	remaining: number;
	budget: number;
}

/** Overwrites the line before it: begins with a carriage return, ends in four blanks, no newline. */
export function progressLine(p: ProgressLine): string {
	const percent = 100 * (1 - p.remaining / p.budget);
	return (
		`\rstep ${String(p.step).padStart(5, "0")} (${percent.toFixed(1)}%) | loss: ${p.loss.toFixed(6)} | ` +
		`lrm: ${p.lrMultiplier.toFixed(2)} | dt: ${Math.round(p.stepSeconds * 1000)}ms | ` +
		`tok/sec: ${Math.round(p.tokensPerSecond).toLocaleString("en-US")} | epoch: ${p.epoch} | ` +
		`remaining: ${Math.round(p.remaining)}s    `
	);
}

/** Values begin in column 19. */
export function summaryBlock(values: Record<string, string>): string {
	const lines = Object.entries(values).map(([name, value]) => `${`${name}:`.padEnd(18)}${value}\n`);
	return `---\n${lines.join("")}`;
}

/** The loss people watch: an exponential average over about ten steps, without the bias of its start. */
export class SmoothedLoss {
	#sum = 0;
	#steps = 0;

	add(loss: number): number {
		this.#sum = 0.9 * this.#sum + 0.1 * loss;
		this.#steps++;
		return this.#sum / (1 - 0.9 ** this.#steps);
	}
}
