/** How far the making of a dataset has come. */
export interface PrepareProgress {
	stage: "corpus" | "tokenizer" | "tokens";
	done: number;
	total: number;
	note?: string;
}
