/**
 * The monotonic clock of one run. It belongs to the harness, starts when the first batch is sent, and ends the batches
 * when the budget is spent. Start-up and finishing have limits of their own, so that no train.ts can hang the loop.
 */
export interface Limits {
	/** Seconds of training. */
	budget: number;
	/** Seconds from the spawn to the first request for a batch: import, building the model. */
	startup: number;
	/** Seconds that finishing may take: the step in flight when the budget ends, then writing the checkpoint. */
	grace: number;
}

/** Seconds without a request for a batch after which a run counts as hung, even within its budget. */
const STALL = 60;

/** Finishing may take this many of the model's slowest step, if that is longer than the grace. */
const GRACE_STEPS = 3;

/** Seconds, plus one slowest step, within which train() must return after the last batch. */
const RETURN = 2;

type Phase = "starting" | "training" | "returning" | "saving";

export class RunClock {
	readonly #limits: Limits;
	readonly #now: () => number;
	readonly #spawnedAt: number;
	#phase: Phase = "starting";
	#first = Number.NaN;
	#asked = Number.NaN;
	#longestStep = 0;
	#ended = Number.NaN;
	#returned = Number.NaN;

	/** @param now seconds on a clock that never goes back */
	constructor(limits: Limits, now: () => number = () => performance.now() / 1000) {
		this.#limits = limits;
		this.#now = now;
		this.#spawnedAt = now();
	}

	/**
	 * The sandboxed process asks for a batch. Returns how much of the budget has passed, or undefined when it is spent.
	 */
	ask(): number | undefined {
		if (this.#phase === "saving") return undefined;
		const now = this.#now();
		if (this.#phase === "starting") {
			this.#phase = "training";
			this.#first = now;
		} else this.#longestStep = Math.max(this.#longestStep, now - this.#asked);
		this.#asked = now;
		const progress = (now - this.#first) / this.#limits.budget;
		if (progress < 1) return progress;
		if (this.#phase === "training") {
			this.#phase = "returning";
			this.#ended = now;
		}
		return undefined;
	}

	/** train() has returned, which it does once. */
	returned(): void {
		if (this.#phase === "saving") return;
		if (this.#phase === "starting") this.#first = this.#now();
		this.#phase = "saving";
		this.#returned = this.#now();
	}

	/** Seconds since the first batch; stops when train() has returned. 0 before. */
	get trained(): number {
		if (this.#phase === "starting") return 0;
		return (this.#phase === "saving" ? this.#returned : this.#now()) - this.#first;
	}

	/** Seconds from the spawn to the first batch. */
	get startup(): number {
		return (this.#phase === "starting" ? this.#now() : this.#first) - this.#spawnedAt;
	}

	/** Seconds since the spawn. */
	get total(): number {
		return this.#now() - this.#spawnedAt;
	}

	/** Seconds of the budget left. */
	get remaining(): number {
		return Math.max(0, this.#limits.budget - this.trained);
	}

	/** Seconds until the run overruns unless the process makes progress, and the reason to report then. */
	get deadline(): { seconds: number; reason: string } {
		const { at, reason } = this.#deadline();
		return { seconds: at - this.#now(), reason };
	}

	#deadline(): { at: number; reason: string } {
		const { budget, startup, grace } = this.#limits;
		const finishing = Math.max(grace, GRACE_STEPS * this.#longestStep);
		switch (this.#phase) {
			case "starting":
				return {
					at: this.#spawnedAt + startup,
					reason:
						`did not ask for its first batch within ${startup} s: ` +
						"an endless loop, or a model that takes too long to build",
				};
			case "training": {
				const stall = Math.max(STALL, GRACE_STEPS * this.#longestStep);
				if (this.#asked + stall < this.#first + budget + finishing)
					return { at: this.#asked + stall, reason: `hung: asked for no batch for ${round(stall)} s` };
				return {
					at: this.#first + budget + finishing,
					reason:
						`overran: still in a step ${round(finishing)} s after the budget of ${budget} s was spent; ` +
						"an endless loop?",
				};
			}
			case "returning": {
				const allowed = RETURN + this.#longestStep;
				return {
					at: this.#ended + allowed,
					reason: `overran: train() went on for ${round(allowed)} s after its batches had ended; it must return then`,
				};
			}
			case "saving":
				return {
					at: this.#returned + finishing,
					reason: `overran: writing the checkpoint took more than ${round(finishing)} s`,
				};
		}
	}
}

function round(seconds: number): number {
	return Math.round(seconds * 10) / 10;
}
