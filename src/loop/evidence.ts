/** What a researcher may look at besides its brief: diffs, logs and files of the lab, none of it writable. */
import { existsSync, readFileSync } from "node:fs";
import type { Repository } from "../git/repository.ts";
import type { RunDir } from "../journal/run-dir.ts";
import type { State } from "../journal/state.ts";
import type { Lab } from "../lab/lab.ts";
import { libraryFiles, readLibrary } from "../lab/library.ts";
import { clean } from "../researcher/brief/quote.ts";
import type { Evidence } from "../researcher/researcher.ts";

const LOG_TAIL_BYTES = 16_384;
/** What a researcher may read besides what it may edit. */
const READABLE = /^(trainer|prepare)\/.*\.(ts|md)$|\.(py|js|ts|md|json|toml)$/;
const UNREADABLE = /^(test|node_modules|results|dist|\.ci)\/|package-lock\.json$/;

interface EvidenceParts {
	lab: Lab;
	store: { readonly state: State };
	repository: Repository;
	dir: RunDir;
}

export function evidenceOf({ lab, store, repository, dir }: EvidenceParts, basis: string): Evidence {
	const experiment = (n: number) => {
		const found = store.state.experiments[n - 1];
		if (!found) throw new Error(`there is no experiment ${n}`);
		return found;
	};
	const library = libraryFiles(lab);
	const list = async () => {
		const readable = (await repository.list(basis)).filter((path) => READABLE.test(path) && !UNREADABLE.test(path));
		return [...new Set([...readable, ...library])].sort();
	};
	return {
		async diff(n) {
			const { commit, parent } = experiment(n);
			return commit && commit !== parent ? repository.diff(parent, commit) : "";
		},
		async log(n) {
			const path = dir.experiment(experiment(n).n).log;
			if (!existsSync(path)) return "";
			const text = readFileSync(path).subarray(-LOG_TAIL_BYTES).toString("utf8");
			return clean(text.replace(/[\r\n]+/g, "\n"));
		},
		list,
		async read(path) {
			if (!(await list()).includes(path)) throw new Error(`${path} is not among the files that may be read`);
			return library.includes(path) ? readLibrary(lab, path) : repository.show(basis, path);
		},
	};
}
