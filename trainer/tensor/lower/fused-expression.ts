/**
 * Expressions of elementwise operations that the CPU kernel `fused` computes in one pass over memory. This file encodes
 * them for the kernel.
 */
import { affineOp, softcapOp } from "../ops/elementwise.ts";
import { uniformValue } from "../ops/leaf.ts";
import type { OpName, TensorOf } from "../ops/table.ts";
import type { Shape, Tensor } from "../tensor.ts";

/** In the order of `enum class Operation` in cpu/kernels.cpp. */
const OPERATIONS = [
	"fill",
	"affine",
	"add",
	"sub",
	"mul",
	"div",
	"abs",
	"cos",
	"exp",
	"log",
	"relu",
	"sigmoid",
	"silu",
	"sin",
	"sqrt",
	"square",
	"step",
	"tanh",
	"softcap",
] as const satisfies readonly ("fill" | OpName)[];
/** How an input is laid out, in the order of `enum class Layout`. */
const [DENSE, SCALAR, STRIDED] = [0, 1, 2];

/** The operations an expression is made of. `broadcast_to` needs no instruction: its input is read by other strides. */
export type ElementwiseName = Exclude<(typeof OPERATIONS)[number], "fill"> | "broadcast_to";
const ELEMENTWISE: ReadonlySet<string> = new Set([...OPERATIONS.slice(1), "broadcast_to"]);

export function isElementwise(tensor: Tensor): tensor is TensorOf<ElementwiseName> {
	return ELEMENTWISE.has(tensor.op);
}

interface Instruction {
	operation: number;
	/** Positions of operands: an input's, or that of an earlier instruction counted from the end of the inputs. */
	operands: Ref[];
	numbers: [number, number];
}
type Ref = { input: number } | { instruction: number };

export class FusedExpression {
	readonly shape: Shape;
	/** The tensors it reads, each of its shape or broadcast to it. */
	readonly inputs: readonly Tensor[];
	readonly #inputs: Tensor[] = [];
	readonly #instructions: Instruction[] = [];
	readonly #outputs: Ref[];

	/**
	 * @param roots What it computes: elementwise operations of one shape.
	 * @param isInside Whether an operand is computed within the expression; the others are inputs.
	 */
	constructor(roots: readonly Tensor[], isInside: (tensor: Tensor) => boolean) {
		this.shape = roots[0]!.shape;
		this.inputs = this.#inputs;
		const written = new Map<Tensor, Ref>();
		const refer = (tensor: Tensor): Ref => {
			const known = written.get(tensor);
			if (known) return known;
			const ref = isInside(tensor) || roots.includes(tensor) ? this.#compute(tensor, refer) : this.#read(tensor);
			written.set(tensor, ref);
			return ref;
		};
		this.#outputs = roots.map(refer);
	}

	#compute(tensor: Tensor, refer: (tensor: Tensor) => Ref): Ref {
		const operands = tensor.inputs.map(refer);
		if (!isElementwise(tensor)) throw new Error(`${tensor.op} is no elementwise operation`);
		if (tensor.op === "broadcast_to") return operands[0]!;
		let numbers: [number, number] = [0, 0];
		if (affineOp.is(tensor)) numbers = [tensor.attrs.scale, tensor.attrs.bias];
		else if (softcapOp.is(tensor)) numbers = [tensor.attrs.cap, 0];
		return this.#add({ operation: OPERATIONS.indexOf(tensor.op), operands, numbers });
	}

	#read(tensor: Tensor): Ref {
		const value = uniformValue(tensor);
		if (value !== undefined) return this.#add({ operation: 0, operands: [], numbers: [value, 0] });
		this.#inputs.push(tensor);
		return { input: this.#inputs.length - 1 };
	}

	#add(instruction: Instruction): Ref {
		this.#instructions.push(instruction);
		return { instruction: this.#instructions.length - 1 };
	}

	get isTrivial(): boolean {
		return this.#instructions.length === 0;
	}

	/** The expression as cpu/kernels.cpp reads it, with the addresses of inputs and outputs. */
	encode(inputs: readonly bigint[], outputs: readonly bigint[]): Uint8Array<ArrayBuffer> {
		const position = (ref: Ref) => ("input" in ref ? ref.input : this.#inputs.length + ref.instruction);
		const { tiles, count } = this.#placeTiles();
		const words = new WordWriter();
		words.integers(inputs.length, outputs.length, this.#instructions.length, count, ...four(this.shape, 1));
		this.#inputs.forEach((tensor, i) => {
			const strides = stridesOf(tensor.shape, this.shape);
			words.address(inputs[i]!);
			words.integers(tensor.size === 1 ? SCALAR! : strides ? STRIDED! : DENSE!, ...(strides ?? [0, 0, 0, 0]));
		});
		this.#outputs.forEach((ref, i) => {
			words.address(outputs[i]!);
			words.integers(position(ref));
		});
		this.#instructions.forEach(({ operation, operands, numbers }, i) => {
			const [a, b = a] = operands.map(position);
			words.integers(operation, a ?? 0, b ?? 0, tiles[i]!);
			words.floats(...numbers);
		});
		return words.bytes();
	}

	/** Gives each instruction a tile of scratch, reusing those whose values are no longer read. */
	#placeTiles(): { tiles: number[]; count: number } {
		const lastUse = this.#instructions.map((_, i) => i);
		this.#instructions.forEach(({ operands }, i) => {
			for (const ref of operands) if ("instruction" in ref) lastUse[ref.instruction] = i;
		});
		for (const ref of this.#outputs) if ("instruction" in ref) lastUse[ref.instruction] = Number.POSITIVE_INFINITY;
		const free: number[] = [];
		const tiles: number[] = [];
		let count = 0;
		this.#instructions.forEach(({ operands }, i) => {
			// An operand's tile may become the result's: an instruction reads a vector before it writes it.
			for (const ref of new Set(operands.flatMap((ref) => ("instruction" in ref ? [ref.instruction] : [])))) {
				if (lastUse[ref] === i) free.push(tiles[ref]!);
			}
			tiles.push(free.pop() ?? count++);
		});
		return { tiles, count };
	}
}

/** Element strides with which a tensor of shape `from` is read as one of shape `to`; undefined if it lies like it. */
function stridesOf(from: Shape, to: Shape): number[] | undefined {
	const [lengths, wanted] = [four(from, 1), four(to, 1)];
	if (lengths.every((length, i) => length === wanted[i])) return undefined;
	let stride = 1;
	return lengths
		.map((length) => length)
		.reverse()
		.map((length) => {
			const step = length === 1 ? 0 : stride;
			stride *= length;
			return step;
		})
		.reverse();
}

/** A shape of exactly four dimensions. */
function four(shape: Shape, fill: number): number[] {
	return [...Array<number>(4 - shape.length).fill(fill), ...shape];
}

/** Eight-byte words in native byte order. */
class WordWriter {
	readonly #parts: (bigint | number)[] = [];

	address(value: bigint): void {
		this.#parts.push(value);
	}

	integers(...values: number[]): void {
		this.#parts.push(...values.map(BigInt));
	}

	floats(...values: number[]): void {
		this.#parts.push(...values);
	}

	bytes(): Uint8Array<ArrayBuffer> {
		const view = new DataView(new ArrayBuffer(8 * this.#parts.length));
		this.#parts.forEach((value, i) => {
			if (typeof value === "bigint") view.setBigInt64(8 * i, value, true);
			else view.setFloat64(8 * i, value, true);
		});
		return new Uint8Array(view.buffer);
	}
}
