/**
 * The arguments of a kernel of kernels.cpp: a fixed-size record of pointers, integers and floats in native memory,
 * filled by name. The order of the slots is stated here and in kernels.cpp, as the same string; a test compares the
 * two.
 */
import koffi from "koffi";

/** Must equal ar_version() of the compiled kernels: the layout below and the slots of every kernel. */
export const KERNELS_VERSION = 6;

const POINTERS = 12;
const SIZES = 36;
const SCALARS = 8;
const SIZES_AT = 8 * POINTERS;
const SCALARS_AT = SIZES_AT + 8 * SIZES;
const BYTES = SCALARS_AT + 4 * SCALARS;

const PRODUCT = "a b c / batch heads m n k a_row a_col b_row b_col c_row a_batch a_head b_batch b_head c_batch c_head";
/** The strides of a [batch, time, head, ...] array. */
const strides = <Name extends string>(name: Name) => `${name}_batch ${name}_time ${name}_head` as const;
const ATTENTION = "batch length heads kv_heads head_dim causal window";
const QKV_STRIDES = `${strides("q")} ${strides("k")} ${strides("v")}` as const;
const QKV_GRADIENT_STRIDES = `${strides("dy")} ${strides("dq")} ${strides("dk")} ${strides("dv")}` as const;

/**
 * Every kernel's slots, in order: "pointers / sizes and strides / scalars". A pointer in [brackets] may be left out.
 * Shapes and formulas are in kernels.cpp, at the kernel of that name.
 */
export const KERNEL_SLOTS = {
	sgemm: PRODUCT,
	/** Only in builds for CPUs with AVX512-BF16: ask `Kernels.has`. */
	sgemm_bf16: PRODUCT,
	attention: `q k v y lse / ${ATTENTION} ${QKV_STRIDES} ${strides("y")} / scale`,
	attention_back: `q k v lse dy dq dk dv / ${ATTENTION} ${QKV_STRIDES} ${QKV_GRADIENT_STRIDES} / scale`,
	cross_entropy: "z targets [weights] losses [dz] / rows vocab z_row dz_row / weight softcap",
	softmax: "x y / rows width x_row y_row / scale",
	rms_norm: "x y / rows width x_row y_row / eps",
	rms_norm_back: "x dy dx / rows width x_row dy_row dx_row / eps",
	rotary: "x cosine sine y / batch length heads half x_batch x_time x_head y_batch y_time y_head",
	rotary_back: "dy cosine sine dx / batch length heads half dy_batch dy_time dy_head dx_batch dx_time dx_head",
	embedding: "table ids y / rows width vocab",
	embedding_back: "dy ids dtable / rows width vocab",
	fused: "expression / count",
	copy: "x y / n0 n1 n2 n3 x0 x1 x2 x3 y0 y1 y2 y3",
	sum: "x y / outer middle inner / scale",
	peak: "inputs gflops / steps",
} as const;

export type KernelName = keyof typeof KERNEL_SLOTS;

type SplitWords<S extends string> = S extends `${infer First} ${infer Rest}` ? First | SplitWords<Rest> : S;
type Optional<Word extends string> = Word extends `[${infer Name}]` ? Name : never;
type Required<Word extends string> = Word extends `[${string}]` ? never : Word;
type Fields<P extends string, N extends string> = { [W in Required<SplitWords<P>>]: bigint } & {
	[W in Optional<SplitWords<P>>]?: bigint;
} & { [W in SplitWords<N>]: number };
type Parsed<S extends string> = S extends `${infer P} / ${infer I} / ${infer F}`
	? Fields<P, `${I} ${F}`>
	: S extends `${infer P} / ${infer I}`
		? Fields<P, I>
		: never;

/** The arguments of kernel K: addresses as bigint (a left-out optional one is null), sizes and scalars as numbers. */
export type KernelArguments<K extends KernelName> = Parsed<(typeof KERNEL_SLOTS)[K]>;

interface Slot {
	name: string;
	at: number;
	kind: "pointer" | "optional" | "size" | "scalar";
}

function layOut(slots: string): Slot[] {
	const [pointers = "", sizes = "", scalars = ""] = slots.split(" / ");
	const words = (text: string) => text.split(" ").filter((word) => word !== "");
	return [
		...words(pointers).map((word, i): Slot => {
			const optional = word.startsWith("[");
			return { name: optional ? word.slice(1, -1) : word, at: 8 * i, kind: optional ? "optional" : "pointer" };
		}),
		...words(sizes).map((name, i): Slot => ({ name, at: SIZES_AT + 8 * i, kind: "size" })),
		...words(scalars).map((name, i): Slot => ({ name, at: SCALARS_AT + 4 * i, kind: "scalar" })),
	];
}

const LAYOUTS = Object.fromEntries(
	Object.entries(KERNEL_SLOTS).map(([name, slots]) => [name, layOut(slots)]),
) as Record<KernelName, Slot[]>;

/**
 * One kernel's record in native memory. Its `address` is the `userdata` of a ggml custom op and is valid from the
 * start; write the record when the addresses of the arrays are known, and again whenever they change. The memory lives
 * until `free`.
 */
export class Descriptor<K extends KernelName> {
	readonly kernel: K;
	readonly address: bigint;
	readonly #view: DataView;

	constructor(kernel: K) {
		this.kernel = kernel;
		this.address = koffi.alloc("uint8", BYTES) as bigint;
		this.#view = new DataView(koffi.view(this.address, BYTES));
	}

	/** @throws TypeError naming the kernel and the slot if a value is missing or no integer, address or number. */
	write(values: KernelArguments<K>): this {
		const given = values as Record<string, bigint | number | undefined>;
		for (const { name, at, kind } of LAYOUTS[this.kernel]) {
			const value = given[name];
			if (kind === "scalar" && typeof value === "number") this.#view.setFloat32(at, value, true);
			else if (kind === "size" && Number.isSafeInteger(value)) this.#view.setBigInt64(at, BigInt(value!), true);
			else if (kind === "pointer" && typeof value === "bigint" && value !== 0n)
				this.#view.setBigUint64(at, value, true);
			else if (kind === "optional" && (value === undefined || typeof value === "bigint"))
				this.#view.setBigUint64(at, value ?? 0n, true);
			else throw new TypeError(`kernel ${this.kernel}: ${String(value)} is no ${kind} for "${name}"`);
		}
		return this;
	}

	free(): void {
		koffi.free(this.address);
	}
}
