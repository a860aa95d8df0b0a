/** Reads a gzipped tar archive as npm makes them (POSIX ustar with pax headers for what does not fit). */
import { gunzipSync } from "node:zlib";

export interface TarEntry {
	path: string;
	content: Buffer;
}

const BLOCK = 512;

/** The regular files of the archive, in its order. */
export function* readTarball(gzipped: Buffer): Generator<TarEntry> {
	const tar = gunzipSync(gzipped);
	let longPath: string | undefined;
	for (let at = 0; at + BLOCK <= tar.length; ) {
		const header = tar.subarray(at, at + BLOCK);
		if (header[0] === 0) return;
		const size = Number.parseInt(field(header, 124, 12), 8);
		const type = field(header, 156, 1);
		const content = tar.subarray(at + BLOCK, at + BLOCK + size);
		if (type === "x") longPath = /^\d+ path=(.*)$/m.exec(content.toString("utf8"))?.[1];
		else {
			const prefix = field(header, 345, 155);
			const name = field(header, 0, 100);
			if (type === "0" || type === "") yield { path: longPath ?? (prefix ? `${prefix}/${name}` : name), content };
			longPath = undefined;
		}
		at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
	}
}

/** A text field ends at its first NUL or at its full width. */
function field(header: Buffer, start: number, width: number): string {
	const bytes = header.subarray(start, start + width);
	const end = bytes.indexOf(0);
	return bytes.toString("utf8", 0, end < 0 ? width : end);
}
