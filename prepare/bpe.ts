/**
 * Trains a byte-level byte-pair encoding (Sennrich, Haddow and Birch 2016; bytes as in GPT-2). It only learns the
 * merges; encoding is tiktoken's work (tokenizer.ts).
 *
 * The work is on unique pre-tokens with their counts, and a merge touches only the pre-tokens that hold its pair: the
 * candidates wait in a heap with a count that may be out of date, and are put back when it is.
 */
import { PairHeap } from "./pair-heap.ts";

/** Counts the pre-tokens of a text into `counts`. */
export function countPretokens(text: string, pattern: RegExp, counts: Map<string, number>): void {
	for (const [pretoken] of text.matchAll(pattern)) counts.set(pretoken, (counts.get(pretoken) ?? 0) + 1);
}

interface Word {
	/** The pre-token as token ids; shrinks as pairs are merged. */
	ids: number[];
	count: number;
}

/** A pair of token ids as one number: ids fit 16 bits. */
const pairOf = (left: number, right: number): number => left * 65536 + right;

/**
 * The bytes of every token, in the order of their ids: the 256 bytes, then one merge an entry. Of pairs that are
 * equally frequent the one with the smallest ids wins, so the same counts always give the same tokens.
 *
 * @param size how many tokens to learn, the 256 bytes included
 * @param onMerge called after each merge; may pause the training by awaiting
 * @returns fewer than `size` tokens when the text has no more pairs to merge
 */
export async function trainBpe(
	pretokens: Map<string, number>,
	size: number,
	onMerge?: (tokens: number) => Promise<void> | void,
): Promise<Uint8Array[]> {
	const tokens = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
	const words: Word[] = [...pretokens].map(([text, count]) => ({ ids: [...Buffer.from(text, "utf8")], count }));

	const counts = new Map<number, number>();
	const places = new Map<number, Set<number>>();
	const add = (pair: number, count: number, word: number) => {
		counts.set(pair, (counts.get(pair) ?? 0) + count);
		const at = places.get(pair);
		if (at) at.add(word);
		else places.set(pair, new Set([word]));
	};
	for (const [w, { ids, count }] of words.entries())
		for (let i = 0; i + 1 < ids.length; i++) add(pairOf(ids[i]!, ids[i + 1]!), count, w);

	const heap = new PairHeap();
	for (const [pair, count] of counts) heap.push(pair, count);

	while (tokens.length < size) {
		const pair = mostFrequent(heap, counts);
		if (pair === undefined) break;
		const left = Math.floor(pair / 65536);
		const right = pair % 65536;
		const merged = tokens.length;
		tokens.push(Buffer.concat([tokens[left]!, tokens[right]!]));

		const born = new Set<number>();
		for (const w of places.get(pair)!) {
			const word = words[w]!;
			for (let i = 0; i + 1 < word.ids.length; i++) {
				if (word.ids[i] !== left || word.ids[i + 1] !== right) continue;
				const before = word.ids[i - 1];
				const after = word.ids[i + 2];
				word.ids.splice(i, 2, merged);
				if (before !== undefined) {
					counts.set(pairOf(before, left), counts.get(pairOf(before, left))! - word.count);
					add(pairOf(before, merged), word.count, w);
					born.add(pairOf(before, merged));
				}
				if (after !== undefined) {
					counts.set(pairOf(right, after), counts.get(pairOf(right, after))! - word.count);
					add(pairOf(merged, after), word.count, w);
					born.add(pairOf(merged, after));
				}
			}
		}
		counts.delete(pair);
		places.delete(pair);
		for (const p of born) if (counts.get(p)) heap.push(p, counts.get(p)!);
		await onMerge?.(tokens.length);
	}
	return tokens;
}

function mostFrequent(heap: PairHeap, counts: Map<number, number>): number | undefined {
	for (let top = heap.pop(); top; top = heap.pop()) {
		const now = counts.get(top.pair) ?? 0;
		if (now === top.count) return top.pair;
		if (now > 0) heap.push(top.pair, now);
	}
	return undefined;
}
