/** What every part of the loop works with: one run of one lab. */
import type { Repository } from "../git/repository.ts";
import type { Worktree } from "../git/worktree.ts";
import type { RunDir } from "../journal/run-dir.ts";
import type { Store } from "../journal/store.ts";
import type { Lab } from "../lab/lab.ts";
import type { Program } from "../program/program.ts";
import type { Researcher } from "../researcher/researcher.ts";
import type { Trainer } from "../runner/trainer.ts";
import type { Controls } from "./controls.ts";
import type { Spending } from "./spending.ts";

export interface RunContext {
	lab: Lab;
	tag: string;
	dir: RunDir;
	store: Store;
	repository: Repository;
	worktree: Worktree;
	program: Program;
	researcher: Researcher;
	trainer: Trainer;
	/** What the run may spend, and has spent. */
	spending: Spending;
	/** What the human has asked for. */
	controls: Controls;
}
