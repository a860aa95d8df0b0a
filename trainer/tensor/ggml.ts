/**
 * ggml's C interface: the one file that knows its names. ggml comes prebuilt inside the platform packages of
 * node-llama-cpp; koffi calls it. Lengths are in ggml's order here (`ne[0]` is the contiguous dimension, PyTorch's
 * last).
 */
import { readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";

/** An address in ggml's memory. */
export type Pointer = bigint;

/** C types as koffi spells them, and what stands for each here. `data` is a void* to a typed array or a buffer. */
interface C {
	void: undefined;
	pointer: Pointer;
	nullable: Pointer | null;
	data: NodeJS.ArrayBufferView | null;
	int: number;
	int64: number;
	size_t: number;
	float: number;
	bool: boolean;
	str: string;
	callback: unknown;
	pointers: Pointer[];
	context: { mem_size: number; mem_buffer: null; no_alloc: boolean };
}
type CType = keyof C;
type Library = ReturnType<typeof koffi.load>;

interface Signature<R extends CType, A extends readonly CType[]> {
	result: R;
	args: A;
}
type Call<S> =
	S extends Signature<infer R, infer A> ? (...args: { [K in keyof A]: C[A[K] & CType] }) => C[R & CType] : never;

function c<R extends CType, const A extends readonly CType[]>(result: R, ...args: A): Signature<R, A> {
	return { result, args };
}

/** (context, x) → tensor */
const one = c("pointer", "pointer", "pointer");
/** (context, x, y) → tensor */
const two = c("pointer", "pointer", "pointer", "pointer");
const three = c("pointer", "pointer", "pointer", "pointer", "pointer");
const shape4 = ["int64", "int64", "int64", "int64"] as const;
const inputs3 = ["pointer", "pointer", "pointer"] as const;
const ints8 = ["int", "int", "int", "int", "int", "int", "int", "int"] as const;
const floats6 = ["float", "float", "float", "float", "float", "float"] as const;
const strides3 = ["size_t", "size_t", "size_t"] as const;

/** Functions of libggml-base, without their `ggml_` prefix. */
const baseFunctions = {
	version: c("str"),
	init: c("pointer", "context"),
	free: c("void", "pointer"),
	tensor_overhead: c("size_t"),
	graph_overhead_custom: c("size_t", "size_t", "bool"),
	new_tensor_4d: c("pointer", "pointer", "int", ...shape4),
	set_output: c("void", "pointer"),
	get_data: c("pointer", "pointer"),
	nbytes: c("size_t", "pointer"),
	op_desc: c("str", "pointer"),

	abs: one,
	argmax: one,
	cont: one,
	cos: one,
	exp: one,
	log: one,
	neg: one,
	relu: one,
	sigmoid: one,
	silu: one,
	sin: one,
	soft_max: one,
	sqr: one,
	sqrt: one,
	step: one,
	sum: one,
	sum_rows: one,
	mean: one,
	tanh: one,
	transpose: one,

	add: two,
	add_inplace: two,
	sub: two,
	mul: two,
	div: two,
	cpy: two,
	get_rows: two,
	mul_mat: two,
	out_prod: two,
	repeat_back: two,
	get_rows_back: three,
	set_rows: three,
	concat: c("pointer", "pointer", "pointer", "pointer", "int"),
	scale_bias: c("pointer", "pointer", "pointer", "float", "float"),
	scale: c("pointer", "pointer", "pointer", "float"),
	rms_norm: c("pointer", "pointer", "pointer", "float"),
	rms_norm_back: c("pointer", "pointer", "pointer", "pointer", "float"),
	soft_max_ext: c("pointer", "pointer", "pointer", "nullable", "float", "float"),
	soft_max_ext_back: c("pointer", "pointer", "pointer", "pointer", "float", "float"),
	// (context, x, positions, factors, dims, mode, original context, base, scale, extrapolation, attention, fast, slow)
	rope_ext: c("pointer", ...inputs3, "nullable", ...(["int", "int", "int"] as const), ...floats6),
	permute: c("pointer", "pointer", "pointer", "int", "int", "int", "int"),
	reshape_4d: c("pointer", "pointer", "pointer", ...shape4),
	repeat_4d: c("pointer", "pointer", "pointer", ...shape4),
	view_4d: c("pointer", "pointer", "pointer", ...shape4, ...strides3, "size_t"),
	pad_ext: c("pointer", "pointer", "pointer", ...ints8),
	custom_4d: c("pointer", "pointer", "int", ...shape4, "pointers", "int", "pointer", "int", "pointer"),

	new_graph_custom: c("pointer", "pointer", "size_t", "bool"),
	build_forward_expand: c("void", "pointer", "pointer"),
	graph_n_nodes: c("int", "pointer"),
	graph_node: c("pointer", "pointer", "int"),

	backend_alloc_ctx_tensors: c("nullable", "pointer", "pointer"),
	backend_buffer_free: c("void", "pointer"),
	backend_buffer_get_size: c("size_t", "pointer"),
	backend_dev_backend_reg: c("pointer", "pointer"),
	backend_dev_description: c("str", "pointer"),
	backend_dev_init: c("nullable", "pointer", "nullable"),
	backend_dev_memory: c("void", "pointer", "data", "data"),
	backend_dev_name: c("str", "pointer"),
	backend_dev_supports_op: c("bool", "pointer", "pointer"),
	backend_dev_type: c("int", "pointer"),
	backend_get_default_buffer_type: c("pointer", "pointer"),
	backend_graph_compute: c("int", "pointer", "pointer"),
	backend_reg_get_proc_address: c("nullable", "pointer", "str"),
	backend_reg_name: c("str", "pointer"),
	backend_tensor_alloc: c("int", "pointer", "pointer", "pointer"),
	backend_tensor_get: c("void", "pointer", "data", "size_t", "size_t"),
	backend_tensor_set: c("void", "pointer", "data", "size_t", "size_t"),
	gallocr_alloc_graph: c("bool", "pointer", "pointer"),
	gallocr_free: c("void", "pointer"),
	gallocr_get_buffer_size: c("size_t", "pointer", "int"),
	gallocr_new: c("pointer", "pointer"),
	gallocr_reserve: c("bool", "pointer", "pointer"),
	gallocr_reserve_n_size: c("void", "pointer", "pointer", "data", "data", "data"),
	threadpool_params_init: c("void", "data", "int"),
};

/** Functions of libggml, the registry of back ends. */
const registryFunctions = {
	backend_load_all_from_path: c("void", "str"),
	backend_dev_count: c("size_t"),
	backend_dev_get: c("pointer", "size_t"),
};

type Functions<T> = { readonly [K in keyof T]: Call<T[K]> };
export type Ggml = Functions<typeof baseFunctions> & Functions<typeof registryFunctions>;

/** ggml_type of the two dtypes there are here. */
export const TYPE = { f32: 0, i32: 26 } as const;
export const BYTES = 4;
/** ROPE mode in which x[i] pairs with x[i + D/2]. */
export const ROPE_NEOX = 2;
/** `ggml_backend_dev_type`: a CPU, and a GPU that shares the CPU's memory. */
export const DEVICE_CPU = 0;
export const DEVICE_INTEGRATED = 2;

/** The last lines ggml logged, among them why a back end could not be loaded. */
export const log: string[] = [];
const LOG_LINES = 100;
/** `ggml_log_level`: an error, and more of the line before. */
const LEVEL_ERROR = 4;
const LEVEL_CONTINUED = 5;
/** Characters of errors written to stderr, so that a device that fails repeatedly cannot fill the log. */
const ERROR_CHARACTERS = 16_384;

/**
 * Loads ggml and every back end found beside it. Loaded once a process: two copies of the library would not share
 * tensors.
 * @param directory The folder with libggml-base and its back ends.
 */
export function loadGgml(directory: string): Ggml {
	// ggml_abort would print a native backtrace over the one line that says what failed.
	process.env.GGML_NO_BACKTRACE = "1";
	const pointer = "void*";
	const logCallback = koffi.pointer(koffi.proto("void ggml_log_callback(int level, const char* text, void* data)"));
	const spelled: Partial<Record<CType, unknown>> = {
		pointer,
		nullable: pointer,
		data: pointer,
		pointers: "void**",
		callback: logCallback,
		context: koffi.struct("ggml_init_params", { mem_size: "size_t", mem_buffer: pointer, no_alloc: "bool" }),
	};
	const spell = (type: CType) => (spelled[type] ?? type) as string;
	const bind = (library: Library, functions: Record<string, Signature<CType, readonly CType[]>>) =>
		Object.entries(functions).map(([name, { result, args }]) => [
			name,
			library.func(`ggml_${name}`, spell(result), args.map(spell)),
		]);

	const base = koffi.load(join(directory, find(directory, "ggml-base")), { global: true });
	const registry = koffi.load(join(directory, find(directory, "ggml")), { global: true });
	const keep = koffi.register(logger(), logCallback);
	base.func("ggml_log_set", "void", [logCallback, pointer])(keep, null);
	const ggml = Object.fromEntries([...bind(base, baseFunctions), ...bind(registry, registryFunctions)]) as Ggml;
	ggml.backend_load_all_from_path(directory);
	returnLargeBlocks();
	return ggml;
}

/**
 * Keeps what ggml logs. Errors go to stderr, and before the call returns: after a device's error ggml aborts the
 * process.
 */
function logger(): (level: number, text: string) => void {
	let lineLevel = 0;
	let room = ERROR_CHARACTERS;
	return (level, text) => {
		log.push(text.trimEnd());
		if (log.length > LOG_LINES) log.shift();
		if (level !== LEVEL_CONTINUED) lineLevel = level;
		if (lineLevel !== LEVEL_ERROR || room <= 0) return;
		room -= text.length;
		try {
			writeSync(2, text);
		} catch {
			// stderr is closed or its pipe is full.
		}
	};
}

/**
 * Has glibc give large blocks back to the system when they are freed. By default it stops doing so after the first one,
 * and small allocations in between then keep the memory of closed graphs from being reused.
 */
function returnLargeBlocks(): void {
	if (process.platform !== "linux") return;
	const [M_MMAP_THRESHOLD, threshold] = [-3, 1 << 20];
	koffi.load(null).func("int mallopt(int parameter, int value)")(M_MMAP_THRESHOLD, threshold);
}

/** The file of a library: `libggml-base.so`, `libggml.v0.5.0.so`, `libggml.vulkan.v0.5.0.so`, `ggml.dll`, … */
function find(directory: string, name: string): string {
	const pattern = new RegExp(`^(lib)?${name}(\\.[a-z]+)?(\\.v[\\d.]+)?\\.(so|dylib|dll)$`);
	const file = readdirSync(directory).find((entry) => pattern.test(entry));
	if (!file) throw new Error(`there is no ${name} library in ${directory}: reinstall it with npm install`);
	return file;
}

/**
 * Gives a CPU back end threads that last: the pool ggml makes for each call costs about 15 ms a step. They do not spin
 * between steps, so that the cores are free for the data loader and the console.
 */
export function startThreads(ggml: Ggml, device: Pointer, backend: Pointer, threads: number): void {
	// struct ggml_threadpool_params { bool cpumask[512]; int n_threads; int prio; uint32_t poll; bool strict, paused; }
	const params = Buffer.alloc(1024);
	const POLL_AT = 520;
	ggml.threadpool_params_init(params, threads);
	params.writeUInt32LE(0, POLL_AT);
	const registration = ggml.backend_dev_backend_reg(device);
	const newPool = backendFunction(ggml, registration, "ggml_threadpool_new", c("pointer", "data"));
	const setPool = backendFunction(
		ggml,
		registration,
		"ggml_backend_cpu_set_threadpool",
		c("void", "pointer", "pointer"),
	);
	const setThreads = backendFunction(ggml, registration, "ggml_backend_set_n_threads", c("void", "pointer", "int"));
	setPool(backend, newPool(params));
	setThreads(backend, threads);
}

/** Calls a function a back end exports under `name`, with C types as in the table above. */
function backendFunction<R extends CType, const A extends readonly CType[]>(
	ggml: Ggml,
	registration: Pointer,
	name: string,
	{ result, args }: Signature<R, A>,
): Call<Signature<R, A>> {
	const address = ggml.backend_reg_get_proc_address(registration, name);
	if (!address) throw new Error(`this build of ggml has no ${name}`);
	const spell = (type: CType) => (["pointer", "nullable", "data"].includes(type) ? "void*" : type);
	const type = koffi.proto(name, spell(result), args.map(spell));
	return ((...values: unknown[]) => koffi.call(address, type, ...values)) as unknown as Call<Signature<R, A>>;
}
