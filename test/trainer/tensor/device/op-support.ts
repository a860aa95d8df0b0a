/** Which operations CUDA and Metal support, as data, for tests on machines without such devices. */
import koffi from "koffi";
import { BYTES, type Ggml, type Pointer, TYPE } from "../../../../trainer/tensor/ggml.ts";

/**
 * What each back end's `supports_op` says yes to, in ggml's names, where `meetsConditions`. Read from the source of
 * ggml 0.25.1, the pinned version (functions ggml_backend_cuda_device_supports_op and ggml_metal_device_supports_op),
 * as llama/gitRelease.bundle in the npm package node-llama-cpp@3.22.1 has it. docs/gpu.md has the table.
 */
const EVERYWHERE = [
	...["NONE", "RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE", "CONT", "CPY", "CONCAT", "REPEAT", "GET_ROWS", "SET_ROWS"],
	...["ADD", "SUB", "MUL", "DIV", "SCALE", "SQR", "SQRT", "SIN", "COS", "LOG", "SUM", "SUM_ROWS", "MEAN", "ARGMAX"],
	...["ABS", "NEG", "STEP", "RELU", "SILU", "SIGMOID", "TANH", "EXP"],
	...["MUL_MAT", "RMS_NORM", "SOFT_MAX", "ROPE"],
];

export const SUPPORTED = {
	cuda: new Set([
		...EVERYWHERE,
		...["OUT_PROD", "REPEAT_BACK", "GET_ROWS_BACK", "RMS_NORM_BACK", "SOFT_MAX_BACK", "PAD"],
	]),
	// PAD only at the end of a dimension: counted as missing.
	metal: new Set(EVERYWHERE),
};

/** Blocks of a CUDA grid in its second and third dimension. */
const MAX_GRID = 65_535;

/** Operations that move elements of either type, from wherever they lie. */
const MOVES = new Set(["NONE", "RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE", "CONT", "CPY", "CONCAT"]);
/** Operations whose second operand is indices. */
const INDEXED = new Set(["GET_ROWS", "GET_ROWS_BACK", "SET_ROWS", "ROPE"]);

/** Operations whose operands' rows may lie apart. */
const GAPS_BETWEEN_ROWS = new Set(["MUL_MAT", "OUT_PROD", "ADD"]);

/** The start of `struct ggml_tensor`. */
const TENSOR = koffi.struct({
	type: "int",
	buffer: "void*",
	ne: koffi.array("int64", 4),
	nb: koffi.array("size_t", 4),
	op: "int",
	op_params: koffi.array("int32", 16),
	flags: "int",
	src: koffi.array("void*", 10),
});
interface TensorStruct {
	type: number;
	ne: ArrayLike<number>;
	nb: ArrayLike<number>;
	src: (Pointer | null)[];
}

/**
 * Both back ends look at more than an operation's name: at gaps in rows or in whole tensors, and at types (CUDA repeats
 * f32 only). Contiguous f32, but for indices, satisfies all of it. Products and sums also take gaps between rows, and
 * CUDA's OUT_PROD a second operand that has been transposed (out-prod.cu asks for elements or rows that follow each
 * other).
 */
export function meetsConditions(ggml: Ggml, node: Pointer): boolean {
	const name = ggml.op_desc(node);
	if (!fitsGrid(name, node)) return false;
	if (MOVES.has(name)) return true;
	return read(node).src.every((source, i) => {
		if (!source) return true;
		const { type, ne, nb } = read(source);
		if (type !== (INDEXED.has(name) && i === 1 ? TYPE.i32 : TYPE.f32)) return false;
		const [element, row] = [nb[0], nb[1]].map(Number);
		if (name === "OUT_PROD" && i === 1 && row === BYTES) return true;
		return GAPS_BETWEEN_ROWS.has(name) ? element === BYTES : isContiguous(ne, nb);
	});
}

/**
 * What `supports_op` does not ask: CUDA's kernels start a block for each index of some dimensions (pad.cu, norm.cu, …).
 */
function fitsGrid(name: string, node: Pointer): boolean {
	const [, b, c, d] = Array.from(read(node).ne, Number) as [number, number, number, number];
	if (name === "PAD" || name === "REPEAT_BACK") return b <= MAX_GRID && c * d <= MAX_GRID;
	return !(name === "RMS_NORM" || name === "SOFT_MAX") || (c <= MAX_GRID && d <= MAX_GRID);
}

/** How many elements a node writes: all of its own, but for SET_ROWS, whose result lies where its destination did. */
export function elementsWritten(ggml: Ggml, node: Pointer): number {
	const written = ggml.op_desc(node) === "SET_ROWS" ? read(node).src[0]! : node;
	return Array.from(read(written).ne, Number).reduce((product, length) => product * length, 1);
}

function read(tensor: Pointer): TensorStruct {
	return koffi.decode(tensor, TENSOR) as TensorStruct;
}

function isContiguous(ne: ArrayLike<number>, nb: ArrayLike<number>): boolean {
	let step = BYTES;
	return Array.from(ne, Number).every((length, i) => {
		const follows = length === 1 || Number(nb[i]) === step;
		step *= length;
		return follows;
	});
}
