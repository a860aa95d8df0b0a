/**
 * The protocol between the harness and the sandboxed process. Batches go down one pipe as binary frames; requests and
 * reports come up another, one JSON object a line. Neither pipe is stdout, so nothing train.ts prints can be mistaken
 * for a message.
 */
import { readSync, writeSync } from "node:fs";
import type { Batch } from "../contract.ts";

/** File descriptors in the sandboxed process. */
export const BATCHES_FD = 3;
export const MESSAGES_FD = 4;

/** From the sandboxed process. The harness trusts none of it: it decides by its own clock, counts and measurement. */
export type Message =
	/** train.ts is loaded, its model built. */
	| { type: "ready"; rows: number; length: number; parameters: number }
	/** Asks for the next batch. */
	| { type: "next" }
	/** An optimizer step is done. The loss travels as text, because JSON has no NaN. */
	| { type: "step"; loss: string; lrMultiplier: number }
	/** train() has returned; the checkpoint comes next. */
	| { type: "trained" }
	/** The checkpoint is written. `peakMb` is used where the harness cannot read the figure itself. */
	| { type: "saved"; peakMb: number }
	| { type: "crash"; reason: string };

/** rows, length, index and epoch as uint32, progress as float64; then tokens and targets as int32. Little-endian. */
const HEADER = 24;

export function encodeBatch({ tokens, targets, epoch }: Omit<Batch, "index" | "progress">, rows: number): Buffer {
	const frame = Buffer.alloc(HEADER + tokens.byteLength + targets.byteLength);
	frame.writeUInt32LE(rows, 0);
	frame.writeUInt32LE(tokens.length / rows, 4);
	frame.writeUInt32LE(epoch, 12);
	frame.set(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength), HEADER);
	frame.set(new Uint8Array(targets.buffer, targets.byteOffset, targets.byteLength), HEADER + tokens.byteLength);
	return frame;
}

/** Fills in the fields that are known only when the batch is sent. */
export function stampBatch(frame: Buffer, index: number, progress: number): Buffer {
	frame.writeUInt32LE(index, 8);
	frame.writeDoubleLE(progress, 16);
	return frame;
}

/** A frame without rows: the budget is spent. */
export const endOfBatches: Buffer = Buffer.alloc(HEADER);

/** In the sandboxed process: waits for the next frame; undefined when the budget is spent. */
export function readBatch(): Batch | undefined {
	const header = readFully(Buffer.alloc(HEADER));
	const rows = header.readUInt32LE(0);
	if (rows === 0) return undefined;
	const tokens = new Int32Array(rows * header.readUInt32LE(4));
	const targets = new Int32Array(tokens.length);
	readFully(Buffer.from(tokens.buffer));
	readFully(Buffer.from(targets.buffer));
	return {
		tokens,
		targets,
		index: header.readUInt32LE(8),
		epoch: header.readUInt32LE(12),
		progress: header.readDoubleLE(16),
	};
}

function readFully(buffer: Buffer): Buffer {
	for (let at = 0; at < buffer.length; ) {
		const read = readSync(BATCHES_FD, buffer, at, buffer.length - at, null);
		// End of file: the harness has exited.
		if (read === 0) process.exit(1);
		at += read;
	}
	return buffer;
}

/** In the sandboxed process: sends a message to the harness. */
export function send(message: Message): void {
	writeSync(MESSAGES_FD, `${JSON.stringify(message)}\n`);
}
