/**
 * Cuts a document into passages of 1 to 2 thousand characters. A speech of 30,000 words is one document when the splits
 * are drawn, but rows of a few hundred tokens are packed from passages, so that a batch draws from many documents.
 */

const SHORTEST = 1000;
const LONGEST = 2000;

/** Where a passage may end, best first; each match ends where the next passage begins. */
const BOUNDARIES = [
	// A blank line.
	/\n\s*\n/g,
	// The end of a sentence, its closing quotes and brackets included.
	/[.!?…]["'”’)\]]*\s+/g,
	// The end of a line, then of a word.
	/\n/g,
	/\s/g,
];

export function* passages(document: string): Generator<string> {
	let start = 0;
	while (document.length - start > LONGEST) {
		const end = start + boundary(document.slice(start, start + LONGEST));
		const passage = document.slice(start, end).trim();
		if (passage) yield passage;
		start = end;
	}
	const last = document.slice(start).trim();
	if (last) yield last;
}

/** The length of the first passage of a text that is too long: the last boundary of the best kind that has any. */
function boundary(text: string): number {
	for (const pattern of BOUNDARIES) {
		let end = 0;
		for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
		if (end >= SHORTEST) return end;
	}
	const splitsSurrogatePair = /[\uD800-\uDBFF]$/.test(text);
	return splitsSurrogatePair ? text.length - 1 : text.length;
}
