/** Loads compiled kernels. Spawns nothing and writes nothing, so it works in a process without those permissions. */
import koffi, { type KoffiFunc, type LibraryHandle } from "koffi";
import { Descriptor, KERNELS_VERSION, type KernelArguments, type KernelName } from "./descriptor.ts";

type KernelCall = KoffiFunc<(dst: null, ith: number, nth: number, userdata: bigint) => void>;

export class Kernels {
	/** The instruction set they were compiled for. */
	readonly target: "avx512" | "avx2" | "neon" | "plain";
	readonly #library: LibraryHandle;
	readonly #find: (name: string) => bigint | null;
	readonly #calls = new Map<string, KernelCall>();

	/** @throws Error if the file is no kernel library, or one of another version. */
	constructor(path: string) {
		this.#library = koffi.load(path);
		const version = this.#library.func("int ar_version()")();
		if (version !== KERNELS_VERSION)
			throw new Error(`${path} holds kernels of version ${version}, not ${KERNELS_VERSION}`);
		this.target = this.#library.func("const char* ar_target()")();
		this.#find = this.#library.func("void* ar_kernel(const char* name)");
	}

	/** Whether this build has a kernel; all have all but `sgemm_bf16`. */
	has(kernel: KernelName): boolean {
		return !!this.#find(kernel);
	}

	/** The address of a kernel's function, for ggml_custom_4d. */
	address(kernel: KernelName): bigint {
		const address = this.#find(kernel);
		if (!address) throw new Error(`the compiled kernels have no "${kernel}"`);
		return address;
	}

	/** The address of the same kernel done by all threads of `shareWork`: one thread calls it. */
	parallel(kernel: KernelName): bigint {
		return this.#library.func("void* ar_parallel(const char* name)")(kernel);
	}

	/** How many threads share a kernel's work, the caller's included. They live as long as the process. */
	shareWork(threads: number): void {
		this.#library.func("void ar_resize(int threads)")(threads);
	}

	/** The slots as the compiled kernel lists them. */
	slots(kernel: KernelName): string {
		return this.#library.func("const char* ar_slots(const char* name)")(kernel);
	}

	/** A kernel as a function of ggml's signature, one share or all of them; `.async` runs it on a thread of its own. */
	call(kernel: KernelName, { parallel = false } = {}): KernelCall {
		const name = parallel ? `ar_parallel_${kernel}` : `ar_${kernel}`;
		let call = this.#calls.get(name);
		if (!call) {
			call = this.#library.func(`void ${name}(void* dst, int ith, int nth, void* userdata)`) as KernelCall;
			this.#calls.set(name, call);
		}
		return call;
	}

	/** Runs a kernel outside of ggml, by all threads. */
	runParallel<K extends KernelName>(kernel: K, values: KernelArguments<K>): void {
		const descriptor = new Descriptor(kernel).write(values);
		this.call(kernel, { parallel: true })(null, 0, 1, descriptor.address);
		descriptor.free();
	}

	/** Runs a kernel outside of ggml: its `nth` shares one after the other, which must not matter. */
	run<K extends KernelName>(kernel: K, values: KernelArguments<K>, nth = 1): void {
		const descriptor = new Descriptor(kernel).write(values);
		for (let ith = 0; ith < nth; ith++) this.call(kernel)(null, ith, nth, descriptor.address);
		descriptor.free();
	}
}

/** Loads the kernels that `ensureKernels` (build.ts) has left at `path`. */
export function loadKernels(path: string): Kernels {
	return new Kernels(path);
}
