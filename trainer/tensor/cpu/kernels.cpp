/*
 * The CPU kernels of the tensor library: what ggml's CPU back end does slowly, done near the speed of the machine.
 *
 * Every kernel is a ggml custom op, `void ar_<name>(ggml_tensor* dst, int ith, int nth, void* userdata)`. It reads the
 * Descriptor at `userdata` and nothing else; ggml only schedules it: thread `ith` of `nth` does its share, and no share
 * waits for another, for custom ops have no barrier. Work that needs two phases is two ops.
 *
 * Conventions
 *   - Arrays are row-major f32, the last axis contiguous unless a stride says otherwise. Strides count elements.
 *   - A kernel writes the buffers named y, c, d<name>, losses and lse; it only reads the others. It never
 *     touches an element outside the shapes given. Pointers need no alignment beyond that of their element.
 *   - A size of 0 is an empty array and does nothing. A pointer in [brackets] may be null.
 *   - The same inputs and the same `nth` give the same bits.
 *   - Forward and backward stand together. `d<name>` is the gradient of the loss with respect to <name>.
 *
 * Non-goals: other element types than f32 in memory, other devices, shape inference, error messages. TypeScript checks
 * shapes before it fills a descriptor (descriptor.ts); machines without a compiler use ggml's own ops.
 *
 * Contents: vectors / vector math / scratch and descriptors / threads / matrix products / attention / cross-entropy /
 * softmax / RMSNorm / rotary / embedding / fused elementwise / copies / sums / the peak / exports.
 */
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

#include <dlfcn.h>
#include <pthread.h>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

using i64 = int64_t;

#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

namespace {

// ---------------------------------------------------------------------------------------------------------- vectors
// A vector is VL floats in one register. A tile of a matrix product keeps MR x 2 of them as accumulators: 24 of
// AVX-512's and NEON's 32 registers, 12 of AVX2's and SSE's 16.

#if defined(__AVX512F__)
constexpr int VL = 16, MR = 12;
#elif defined(__AVX2__) && defined(__FMA__)
constexpr int VL = 8, MR = 6;
#elif defined(__aarch64__)
constexpr int VL = 4, MR = 12;
#else
constexpr int VL = 4, MR = 6;
#endif
constexpr int NR = 2 * VL;

typedef float vec __attribute__((vector_size(4 * VL)));
typedef int32_t ivec __attribute__((vector_size(4 * VL)));
typedef float unaligned_vec __attribute__((vector_size(4 * VL), aligned(4), may_alias));

INLINE vec splat(float x) { return x - vec{}; }
INLINE vec load(const float* p) { return *reinterpret_cast<const unaligned_vec*>(p); }
/** The 32 bits at p in every lane, whatever they stand for. */
INLINE vec repeat(const float* p) {
	int32_t bits;
	memcpy(&bits, p, 4);
	return (vec)(bits - ivec{});
}
INLINE void store(float* p, vec x) { *reinterpret_cast<unaligned_vec*>(p) = x; }

/** The first `count` floats at p; `fill` in the lanes beyond. */
INLINE vec load(const float* p, int count, float fill = 0) {
	if (count == VL) return load(p);
#if defined(__AVX512F__)
	return (vec)_mm512_mask_loadu_ps((__m512)splat(fill), (__mmask16)((1u << count) - 1), p);
#else
	vec x = splat(fill);
	for (int i = 0; i < count; i++) x[i] = p[i];
	return x;
#endif
}

INLINE void store(float* p, vec x, int count) {
	if (count == VL) return store(p, x);
#if defined(__AVX512F__)
	_mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)x);
#else
	for (int i = 0; i < count; i++) p[i] = x[i];
#endif
}

/** Calls f(i, lanes) for i = 0, VL, 2 VL, ... below n; lanes is VL but for the last. */
template <class F>
INLINE void sweep(i64 n, F f) {
	i64 i = 0;
	for (; i + VL <= n; i += VL) f(i, VL);
	if (i < n) f(i, int(n - i));
}

INLINE vec maximum(vec a, vec b) { return a > b ? a : b; }

INLINE float sum(vec x) {
	float s = 0;
	UNROLL for (int i = 0; i < VL; i++) s += x[i];
	return s;
}

INLINE float maximum(vec x) {
	float m = x[0];
	UNROLL for (int i = 1; i < VL; i++) m = x[i] > m ? x[i] : m;
	return m;
}

/**
 * Elements, and rows of a matrix, summed in f32 before their sum goes into a double: the error of a long sum stays that
 * of a short one.
 */
constexpr i64 SUM_BLOCK = 1024, SUM_ROWS = 32;

INLINE vec square_root(vec x) {
#if defined(__AVX512F__)
	return (vec)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__) && defined(__FMA__)
	return (vec)_mm256_sqrt_ps((__m256)x);
#elif defined(__aarch64__)
	return (vec)vsqrtq_f32((float32x4_t)x);
#else
	for (int i = 0; i < VL; i++) x[i] = std::sqrt(x[i]);
	return x;
#endif
}

// The lanes of a and b in turn: a0 b0 a1 b1 ... The low and the high half of that sequence.
#if defined(__AVX512F__)
#define ZIP_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define ZIP_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif defined(__AVX2__) && defined(__FMA__)
#define ZIP_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define ZIP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define ZIP_LOW 0, 4, 1, 5
#define ZIP_HIGH 2, 6, 3, 7
#endif
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, ivec{__VA_ARGS__})
#endif

/** Transposes VL rows of VL floats in registers: log2(VL) rounds of zipping row i with row i + VL/2. */
INLINE void transpose(vec (&row)[VL]) {
	UNROLL for (int round = 1; round < VL; round *= 2) {
		vec next[VL];
		UNROLL for (int i = 0; i < VL / 2; i++) {
			next[2 * i] = SHUFFLE(row[i], row[i + VL / 2], ZIP_LOW);
			next[2 * i + 1] = SHUFFLE(row[i], row[i + VL / 2], ZIP_HIGH);
		}
		UNROLL for (int i = 0; i < VL; i++) row[i] = next[i];
	}
}

/** y[j, i] = x[i, j] for a block of at most VL x VL: `rows` rows of x, `columns` of its columns; zeros pad y to VL. */
INLINE void transpose_block(const float* x, i64 x_row, int rows, int columns, float* y, i64 y_row, int y_columns) {
	vec t[VL];
	if (rows == VL && columns == VL) {
		UNROLL for (int i = 0; i < VL; i++) t[i] = load(x + i * x_row);
	} else {
		for (int i = 0; i < VL; i++) t[i] = i < rows ? load(x + i * x_row, columns) : vec{};
	}
	transpose(t);
	if (y_columns == VL && columns == VL) {
		UNROLL for (int j = 0; j < VL; j++) store(y + j * y_row, t[j]);
	} else {
		for (int j = 0; j < columns; j++) store(y + j * y_row, t[j], y_columns);
	}
}

// ------------------------------------------------------------------------------------------------------ vector math
// Relative error about 1e-7 each (polynomials of Cephes). NaN stays NaN; results below 2^-125 become 0.

INLINE vec exp(vec x) {
	constexpr float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
	// Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits. A compiler that reassociates floating
	// point takes this apart: hence -fno-associative-math, and the self-check of every new build.
	constexpr float magic = 12582912.f;
	constexpr float largest = 88.7228391f, smallest = -86.6433975f;
	vec bounded = x > largest ? splat(largest) : x;
	bounded = bounded < smallest ? splat(smallest) : bounded;
	vec shifted = bounded * log2e + magic;
	vec n = shifted - magic;
	vec r = bounded - n * ln2_high - n * ln2_low;
	vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * r * r + r + 1.f;
	// 2 * 2^(n-1), because 2^128 itself has no exponent.
	ivec exponent = ((ivec)shifted - 0x4B400000 + 126) << 23;
	vec y = p * (vec)exponent * 2.f;
	y = x < smallest ? vec{} : y;
	return x > largest ? splat(INFINITY) : y;
}

INLINE vec log(vec x) {
	constexpr float smallest_normal = 1.17549435e-38f;
	vec scaled = x < smallest_normal ? x * 16777216.f : x;
	vec offset = x < smallest_normal ? splat(-24.f) : vec{};
	ivec bits = (ivec)scaled;
	vec e = __builtin_convertvector((bits >> 23) - 126, vec) + offset;
	vec m = (vec)((bits & 0x007FFFFF) | 0x3F000000); // in [0.5, 1)
	e = m < 0.707106781f ? e - 1.f : e;
	vec r = m < 0.707106781f ? m + m - 1.f : m - 1.f;
	vec z = r * r;
	vec p = r * 7.0376836292e-2f - 1.1514610310e-1f;
	p = p * r + 1.1676998740e-1f;
	p = p * r - 1.2420140846e-1f;
	p = p * r + 1.4249322787e-1f;
	p = p * r - 1.6668057665e-1f;
	p = p * r + 2.0000714765e-1f;
	p = p * r - 2.4999993993e-1f;
	p = p * r + 3.3333331174e-1f;
	vec y = p * r * z - e * 2.12194440e-4f - z * 0.5f + r + e * 0.693359375f;
	y = x == 0.f ? splat(-INFINITY) : y;
	y = x == INFINITY ? x : y;
	return x >= 0.f ? y : splat(NAN);
}

INLINE vec sigmoid(vec x) { return 1.f / (1.f + exp(-x)); }

INLINE vec tanh(vec x) {
	vec size = x < 0.f ? -x : x;
	vec large = 1.f - 2.f / (exp(size + size) + 1.f);
	vec z = x * x;
	vec p = z * -5.70498872745e-3f + 2.06390887954e-2f;
	p = p * z - 5.37397155531e-2f;
	p = p * z + 1.33314422036e-1f;
	p = p * z - 3.33332819422e-1f;
	vec small = p * z * x + x;
	large = x < 0.f ? -large : large;
	return size < 0.625f ? small : large;
}

// --------------------------------------------------------------------------------------------- scratch, descriptors

[[noreturn]] void out_of_memory(i64 floats) {
	fprintf(stderr, "autoresearch kernels: cannot allocate %lld bytes of scratch memory\n", (long long)floats * 4);
	abort();
}

/** A thread's working memory: grows, is reused by the next kernel, and is freed when the thread ends. */
struct Scratch {
	float* p = nullptr;
	i64 capacity = 0;
	~Scratch() { free(p); }
	float* reserve(i64 floats) {
		if (floats > capacity) {
			free(p);
			void* fresh = nullptr;
			if (posix_memalign(&fresh, 4096, size_t(floats) * 4) != 0) out_of_memory(floats);
			p = static_cast<float*>(fresh);
			capacity = floats;
		}
		return p;
	}
};
thread_local Scratch scratch;

constexpr i64 divide_up(i64 a, i64 b) { return (a + b - 1) / b; }
constexpr i64 round_up(i64 a, i64 b) { return divide_up(a, b) * b; }

struct Range {
	i64 begin, end;
};

/** The share of thread `ith` in n items, cut at multiples of `grain` (16 floats are a cache line). */
INLINE Range share(i64 n, i64 ith, i64 nth, i64 grain = 1) {
	const i64 grains = divide_up(n, grain);
	return {std::min(n, grains * ith / nth * grain), std::min(n, grains * (ith + 1) / nth * grain)};
}

/** The arguments of a kernel. descriptor.ts writes the same layout: 12 pointers, 36 integers, 8 floats. */
struct Descriptor {
	void* pointers[12];
	i64 sizes[36];
	float scalars[8];
};
static_assert(sizeof(Descriptor) == 416, "descriptor.ts writes 416 bytes");

/** Reads a descriptor's slots in the order in which the kernel lists them. */
struct Slots {
	void* const* pointers;
	const i64* sizes;
	const float* scalars;
	explicit Slots(const void* userdata) {
		auto d = static_cast<const Descriptor*>(userdata);
		pointers = d->pointers, sizes = d->sizes, scalars = d->scalars;
	}
	float* pointer() { return static_cast<float*>(*pointers++); }
	const int32_t* ids() { return static_cast<const int32_t*>(*pointers++); }
	i64 size() { return *sizes++; }
	float scalar() { return *scalars++; }
};

using Kernel = void (*)(struct ggml_tensor*, int, int, void*);

// ---------------------------------------------------------------------------------------------------------- threads

/**
 * The threads that share a kernel's work. ggml's own threads meet after every node and busy-wait for one another, so
 * that any other program on the machine makes a step several times slower. Here the first free thread takes the next
 * share, so the caller does the work of a thread that is not scheduled, and a thread that waits for long gives up its
 * core. A share is the same work on any thread: the bits of a result depend on the number of shares alone.
 */
class ThreadPool {
	/** Iterations of the spin loop before a thread sleeps: about the time of a small kernel. */
	static constexpr int SPIN_LIMIT = 4000;

	std::atomic<int> size{1};
	std::atomic<Kernel> kernel{nullptr};
	std::atomic<void*> userdata{nullptr};
	/** The number of the job in the high half; its next share that is not taken in the low half. */
	std::atomic<uint64_t> turn{0};
	std::atomic<int> done{0};
	std::mutex mutex;
	std::condition_variable wake;
	std::atomic<int> sleepers{0};
	/** Whether a job has the pool. */
	std::atomic<bool> busy{false};
	/** Threads there are, the caller included. */
	int present = 1;

	template <class Condition>
	void wait(Condition met) {
		for (int i = 0; i < SPIN_LIMIT; i++) {
			if (met()) return;
			pause();
		}
		std::unique_lock<std::mutex> lock(mutex);
		sleepers++;
		wake.wait(lock, met);
		sleepers--;
	}

	void notify() {
		if (sleepers == 0) return;
		std::lock_guard<std::mutex> lock(mutex);
		wake.notify_all();
	}

	/** Does shares of the present job for as long as there are some. */
	void work() {
		for (;;) {
			uint64_t now = turn;
			const int share = int(now & 0xffffffff), shares = size;
			const Kernel run = kernel;
			void* const with = userdata;
			if (share >= shares) return;
			// If `turn` has not changed, what was read above belongs to this job.
			if (!turn.compare_exchange_strong(now, now + 1)) continue;
			run(nullptr, share, shares, with);
			if (++done == shares) notify();
		}
	}

	[[noreturn]] void help() {
		for (;;) {
			// Read before looking for work, so that no job is missed in between.
			const uint64_t seen = turn >> 32;
			work();
			wait([&] { return turn >> 32 != seen; });
		}
	}

	/** Keeps this library loaded: Node closes its libraries at exit, while threads may still be waiting in this one. */
	static void stayLoaded() {
		Dl_info here;
		// The handle is not closed, so that the code stays.
		if (dladdr(reinterpret_cast<void*>(&stayLoaded), &here)) (void)dlopen(here.dli_fname, RTLD_LAZY | RTLD_NODELETE);
	}

	static void pause() {
#if defined(__x86_64__)
		__builtin_ia32_pause();
#elif defined(__aarch64__)
		asm volatile("yield");
#endif
	}

public:
	/**
	 * Cuts jobs into `wanted` shares from now on, for as many threads, the caller included. They live as long as the
	 * process.
	 */
	void resize(int wanted) {
		if (wanted > 1) stayLoaded();
		// No share of the finished job may look available to the larger pool.
		turn = (turn >> 32 << 32) + uint64_t(std::max<int>(size, wanted));
		size = wanted;
		for (; present < wanted; present++) {
			pthread_t thread;
			const auto start = [](void* pool) -> void* { static_cast<ThreadPool*>(pool)->help(); };
			// If the system refuses a thread, the others do its shares.
			if (pthread_create(&thread, nullptr, start, this) != 0) return;
			pthread_detach(thread);
		}
	}

	void run(Kernel job, void* with) {
		const int shares = size;
		// If another thread's job has the pool, this job runs on its own thread.
		if (shares == 1 || busy.exchange(true)) {
			for (int i = 0; i < shares; i++) job(nullptr, i, shares, with);
			return;
		}
		kernel = job, userdata = with, done = 0;
		turn = ((turn >> 32) + 1) << 32;
		notify();
		work();
		wait([&] { return done == shares; });
		busy = false;
	}
};
/** Never destroyed: its threads may still be waiting when the process ends. */
ThreadPool& pool = *new ThreadPool;

/** One line of the table of kernels; each KERNEL below puts itself on the list. */
struct Entry {
	const char *name, *slots;
	/** One share of the work; all of it, done by the pool. */
	Kernel run, parallel;
	const Entry* next;
	static const Entry* first;
	Entry(const char* name, const char* slots, Kernel run, Kernel parallel)
		: name(name), slots(slots), run(run), parallel(parallel), next(first) {
		first = this;
	}
};
const Entry* Entry::first = nullptr;

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

/**
 * Defines ar_<name>, one share of the work, and ar_parallel_<name>, all of it; and lists the slots, in order: "pointers
 * / sizes / scalars". The body sees slots, ith and nth.
 */
#define KERNEL(name, slot_names)                                                                  \
	static void run_##name(Slots s, i64 ith, i64 nth);                                            \
	EXPORT void ar_##name(struct ggml_tensor*, int ith, int nth, void* userdata) {                \
		run_##name(Slots(userdata), ith, nth);                                                    \
	}                                                                                             \
	EXPORT void ar_parallel_##name(struct ggml_tensor*, int, int, void* userdata) {                 \
		pool.run(ar_##name, userdata);                                                            \
	}                                                                                             \
	static const Entry entry_##name(#name, slot_names, ar_##name, ar_parallel_##name);              \
	static void run_##name([[maybe_unused]] Slots s, [[maybe_unused]] i64 ith, [[maybe_unused]] i64 nth)

// -------------------------------------------------------------------------------------------------- matrix products
// C[m, n] = A[m, k] B[k, n] after Goto and van de Geijn (2008). A block of B is packed into slivers of NR columns; A
// goes by in panels of at most MR rows, packed too; a tile of MR x NR accumulators stays in registers while it runs
// down k. The tile alone reaches the peak: what is lost is lost to memory, so packing reads along rows and asks for
// lines in advance.

namespace {

/** Longest run of a tile down k: a panel of A then stays in the first-level cache. */
constexpr i64 KC = 320;
/** Widest block of B, and the floats in one that is deeper than KC: about the second-level cache. */
constexpr i64 NC = 1024, BLOCK_FLOATS = 256 * 1024;
/** Distance of a packed panel's rows: off the powers of two, so that they do not meet in one set of the cache. */
constexpr i64 PANEL_ROW = KC + 16;
constexpr i64 PANEL_FLOATS = MR * PANEL_ROW;
/** Panels of a transposed A that are packed together, so that whole cache lines of its rows are used. */
constexpr i64 GROUP = 8;
/** Rows of a transposed A that packing asks for in advance: each is on another page, where no hardware looks ahead. */
constexpr i64 AHEAD = 12;
/** Floats in a cache line. */
constexpr i64 LINE = 16;

/** Element (i, j) of a read-only matrix is p[i * row + j * col]. One of the strides should be 1. */
struct Matrix {
	const float* p;
	i64 row, col;
	Matrix from(i64 i, i64 j) const { return {p + i * row + j * col, row, col}; }
};

/**
 * A format says what a word of packed memory is, a float or a pair of bf16, and so how many steps of k it holds.
 * Everything else is the same for both: sizes of packed memory and the depth of a tile count words.
 */
struct F32 {
	static constexpr int STEPS = 1;
	/** A word for each of `lanes` columns at p. */
	static INLINE vec across(const float* p, i64, bool, int lanes) { return load(p, lanes); }
	/** The words of `count` elements at p that follow one another along k. */
	static INLINE vec along(const float* p, int count) { return load(p, count); }
	static INLINE vec multiply_add(vec a, vec b, vec c) { return c + a * b; }
};

#if defined(__AVX512BF16__)
struct BF16 {
	static constexpr int STEPS = 2;
	/** Pairs of what stands at p and, where there are both, one step of k further. */
	static INLINE vec across(const float* p, i64 step, bool both, int lanes) {
		const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)load(p, lanes)));
		if (!both) return (vec)low;
		const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)load(p + step, lanes)));
		return (vec)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
	}
	static INLINE vec along(const float* p, int count) {
		const vec low = load(p, std::min(count, VL)), high = count > VL ? load(p + VL, count - VL) : vec{};
		return (vec)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
	}
	static INLINE vec multiply_add(vec a, vec b, vec c) {
		return (vec)_mm512_dpbf16_ps((__m512)c, (__m512bh)a, (__m512bh)b);
	}
};
#endif

/** How many words hold `steps` of k. */
template <class Format>
constexpr i64 words(i64 steps) {
	return divide_up(steps, Format::STEPS);
}

/** Slivers of NR columns: word (w, j) is p[(j / NR) * sliver + w * NR + j % NR]; zeros beyond the last column. */
struct Packed {
	const float* p;
	i64 sliver;
	Packed from(i64 word, i64 j) const { return {p + j / NR * sliver + word * NR, sliver}; }
};

/** Packs b[depth, n] into y; takes round_up(n, NR) * words(depth) floats. */
template <class Format = F32>
Packed pack(Matrix b, i64 depth, i64 n, float* y) {
	constexpr int STEPS = Format::STEPS;
	const i64 sliver = words<Format>(depth) * NR;
	if (b.col == 1) {
		for (i64 k = 0; k < depth; k += STEPS) {
			const float* from = b.p + k * b.row;
			float* to = y + k / STEPS * NR;
			const bool both = k + 1 < depth;
			i64 j = 0;
			for (; j + NR <= n; j += NR, to += sliver) {
				store(to, Format::across(from + j, b.row, both, VL));
				store(to + VL, Format::across(from + j + VL, b.row, both, VL));
			}
			if (j < n) {
				const int low = int(std::min<i64>(n - j, VL)), high = int(n - j - low);
				store(to, Format::across(from + j, b.row, both, low));
				store(to + VL, Format::across(from + j + low, b.row, both, high));
			}
		}
		return {y, sliver};
	}
	for (i64 j = 0; j < round_up(n, NR); j += VL) {
		float* to = y + j / NR * sliver + j % NR;
		const i64 columns = std::clamp<i64>(n - j, 0, VL);
		for (i64 k = 0; k < depth; k += VL * STEPS) {
			const int steps = int(std::min<i64>(VL * STEPS, depth - k));
			const float* from = b.p + k * b.row + j * b.col;
			vec t[VL];
			if (b.row == 1 && columns == VL && steps == VL * STEPS) {
				UNROLL for (int i = 0; i < VL; i++) t[i] = Format::along(from + i * b.col, VL * STEPS);
			} else {
				float run[VL * STEPS];
				for (i64 i = 0; i < VL; i++) {
					for (i64 q = 0; q < steps && i < columns; q++) run[q] = from[q * b.row + i * b.col];
					t[i] = i < columns ? Format::along(run, steps) : vec{};
				}
			}
			transpose(t);
			for (i64 w = 0; w < words<Format>(steps); w++) store(to + (k / STEPS + w) * NR, t[w]);
		}
	}
	return {y, sliver};
}

/** How a packed panel of A lies: word (i, w) at p[i * PANEL_ROW + w], or at p[w * MR + i] where A is transposed. */
enum class Panel { rows, columns };

INLINE Panel panel_kind(Matrix a) { return a.row == 1 && a.col != 1 ? Panel::columns : Panel::rows; }

/** Packs a[rows, depth] into panels of `height` rows, PANEL_FLOATS apart; words(depth) <= KC. */
template <class Format = F32>
void pack_panels(Matrix a, i64 rows, i64 height, i64 depth, float* y) {
	constexpr int STEPS = Format::STEPS;
	if (panel_kind(a) == Panel::columns) {
		for (i64 k = 0; k < depth; k += STEPS) {
			const float* from = a.p + k * a.col;
			for (i64 step = AHEAD; step < AHEAD + STEPS; step++)
				for (i64 i = 0; i < rows; i += LINE) __builtin_prefetch(from + step * a.col + i);
			float* to = y + k / STEPS * MR;
			for (i64 i = 0; i < rows; i += height, to += PANEL_FLOATS) {
				const i64 count = std::min(height, rows - i);
				if (STEPS == 1 && count == MR) memcpy(to, from + i, MR * 4);
				else
					sweep(count, [&](i64 r, int lanes) {
						store(to + r, Format::across(from + i + r, a.col, k + 1 < depth, lanes), lanes);
					});
			}
		}
		return;
	}
	for (i64 i = 0; i < rows; i++) {
		float* to = y + i / height * PANEL_FLOATS + i % height * PANEL_ROW;
		const float* from = a.p + i * a.row;
		if (STEPS == 1 && a.col == 1) {
			memcpy(to, from, size_t(depth) * 4);
			continue;
		}
		for (i64 k = 0; k < depth; k += VL * STEPS) {
			const int steps = int(std::min<i64>(VL * STEPS, depth - k));
			float run[VL * STEPS];
			for (i64 q = 0; q < steps && a.col != 1; q++) run[q] = from[(k + q) * a.col];
			store(to + k / STEPS, Format::along(a.col == 1 ? from + k : run, steps), int(words<Format>(steps)));
		}
	}
}

/** Asks for part `i` of `parts` of the rows of a[rows, depth], which will be packed soon. */
INLINE void prefetch(Matrix a, i64 rows, i64 depth, i64 i, i64 parts) {
	const Range mine = share(rows, i, parts);
	for (i64 r = mine.begin; r < mine.end; r++)
		for (i64 k = 0; k < depth; k += LINE) __builtin_prefetch(a.p + r * a.row + k, 0, 2);
}

/** Where a tile's sums go: c[rows, width] = alpha sums, or += with accumulate. */
struct Target {
	float* c;
	i64 row, rows, width;
	float alpha;
	bool accumulate;
};

/** A tile of R rows, of which `rows` count, and V vectors, of which `width` columns do; `depth` words deep. */
template <class Format, int R, int V, Panel P>
void tile(i64 depth, const float* a, const float* b, const Target& target) {
	const Target to = target; // a copy, which no store can change
	// The lines of c arrive while the products are computed.
	UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++)
		__builtin_prefetch(to.c + i * to.row + v * VL, 1);
	vec t[R][V] = {};
	for (i64 w = 0; w < depth; w++) {
		vec bw[V];
		UNROLL for (int v = 0; v < V; v++) bw[v] = *reinterpret_cast<const vec*>(b + w * NR + v * VL);
		UNROLL for (int i = 0; i < R; i++) {
			const vec ai = repeat(P == Panel::rows ? a + i * PANEL_ROW + w : a + w * MR + i);
			UNROLL for (int v = 0; v < V; v++) t[i][v] = Format::multiply_add(ai, bw[v], t[i][v]);
		}
	}
	if (to.rows == R && to.width == V * VL) {
		if (to.accumulate) {
			UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++) {
				float* c = to.c + i * to.row + v * VL;
				store(c, load(c) + t[i][v] * to.alpha);
			}
		} else {
			UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++)
				store(to.c + i * to.row + v * VL, t[i][v] * to.alpha);
		}
		return;
	}
	vec edge[R * V]; // indexed by variables, as registers cannot be
	UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++) edge[i * V + v] = t[i][v] * to.alpha;
	for (int i = 0; i < to.rows; i++)
		for (int v = 0; v < V; v++) {
			const int lanes = int(std::clamp<i64>(to.width - v * VL, 0, VL));
			float* c = to.c + i * to.row + v * VL;
			store(c, to.accumulate ? load(c, lanes) + edge[i * V + v] : edge[i * V + v], lanes);
		}
}

using Tile = void (*)(i64, const float*, const float*, const Target&);

/** of_pairs[i] takes up to 2 i + 2 rows: every other height, for compiling them takes its time. */
struct Tiles {
	Tile of_pairs[MR / 2];
};

template <class Format, int V, Panel P, int... I>
constexpr Tiles tiles_of(std::integer_sequence<int, I...>) {
	return {{tile<Format, 2 * I + 2, V, P>...}};
}
template <class Format, int V, Panel P>
constexpr Tiles tiles = tiles_of<Format, V, P>(std::make_integer_sequence<int, MR / 2>{});

/**
 * c[rows, n] = alpha panel b, or +=, for one packed panel of `depth` words; calls between(j) before the tile at column
 * j.
 */
template <class Format, class F>
INLINE void multiply_packed(const float* panel, Panel kind, i64 rows, i64 depth, Packed b, i64 n, float* c, i64 c_row,
	float alpha, bool accumulate, F between) {
	const bool by_rows = kind == Panel::rows;
	const Tiles& wide = by_rows ? tiles<Format, 2, Panel::rows> : tiles<Format, 2, Panel::columns>;
	const Tiles& narrow = by_rows ? tiles<Format, 1, Panel::rows> : tiles<Format, 1, Panel::columns>;
	for (i64 j = 0; j < n; j += NR) {
		between(j);
		const i64 width = std::min<i64>(NR, n - j);
		(width > VL ? wide : narrow).of_pairs[(rows - 1) / 2](depth, panel, b.from(0, j).p,
			{c + j, c_row, rows, width, alpha, accumulate});
	}
}

/** The length of blocks that cut n evenly, none longer than most. */
INLINE i64 even(i64 n, i64 most) { return divide_up(n, std::max<i64>(1, divide_up(n, most))); }

/** c[rows, n] = alpha a[rows, depth] b[depth, n], or +=, for rows <= MR. `panel` is PANEL_FLOATS of scratch. */
void multiply_panel(
	Matrix a, i64 rows, i64 depth, Packed b, i64 n, float* c, i64 c_row, float alpha, bool accumulate, float* panel) {
	const i64 step = even(depth, KC);
	for (i64 k = 0; k < depth; k += step) {
		const i64 kc = std::min(step, depth - k);
		pack_panels(a.from(0, k), rows, rows, kc, panel);
		multiply_packed<F32>(
			panel, panel_kind(a), rows, kc, b.from(k, 0), n, c, c_row, alpha, accumulate || k > 0, [](i64) {});
	}
}

/** c[m, n] = a[m, k] b[k, n], by one thread. */
template <class Format>
void multiply(Matrix a, Matrix b, float* c, i64 c_row, i64 m, i64 n, i64 k) {
	constexpr int STEPS = Format::STEPS;
	if (m <= 0 || n <= 0) return;
	if (k <= 0) {
		for (i64 i = 0; i < m; i++) memset(c + i * c_row, 0, size_t(n) * 4);
		return;
	}
	const Panel kind = panel_kind(a);
	const i64 nc = round_up(even(n, NC), NR), height = even(m, MR);
	// Where A's panels are cheap to pack again, B's block is as deep as its memory allows: c is then visited less often.
	const i64 deepest = kind == Panel::rows ? std::max(KC, BLOCK_FLOATS / nc) : KC;
	const i64 block = even(words<Format>(k), deepest), kc = even(block, KC) * STEPS;
	const i64 group = kind == Panel::rows ? height : GROUP * height;
	float* panels = scratch.reserve(GROUP * PANEL_FLOATS + nc * block);
	float* packed = panels + GROUP * PANEL_FLOATS;
	for (i64 j = 0; j < n; j += nc) {
		const i64 columns = std::min(nc, n - j);
		for (i64 p = 0; p < k; p += block * STEPS) {
			const i64 depth = std::min(block * STEPS, k - p);
			const Packed b_block = pack<Format>(b.from(p, j), depth, columns, packed);
			for (i64 i = 0; i < m; i += group) {
				const i64 rows = std::min(group, m - i), next = std::clamp<i64>(m - i - group, 0, group);
				for (i64 q = 0; q < depth; q += kc) {
					const i64 run = std::min(kc, depth - q);
					const Matrix from = a.from(i, p + q);
					pack_panels<Format>(from, rows, height, run, panels);
					for (i64 r = 0; r < rows; r += height) {
						multiply_packed<Format>(panels + r / height * PANEL_FLOATS, kind, std::min(height, rows - r),
							words<Format>(run), b_block.from(q / STEPS, 0), columns, c + (i + r) * c_row + j, c_row, 1,
							p + q > 0, [&](i64 at) {
								if (kind == Panel::rows) prefetch(from.from(group, 0), next, run, at / NR, divide_up(columns, NR));
							});
					}
				}
			}
		}
	}
}

/** How many parts to cut the rows into, the rest of nth going to the columns: the grid with the least work a thread. */
i64 row_parts(i64 m, i64 n, i64 nth) {
	i64 best = 1;
	double least = INFINITY;
	for (i64 parts = 1; parts <= nth; parts++) {
		if (nth % parts != 0) continue;
		const double rows = double(divide_up(m, parts)), columns = double(round_up(divide_up(n, nth / parts), VL));
		// Cycles for each step of k: tiles, packing B once, packing A once for every NC columns.
		const double cost = rows * columns / VL + 0.5 * columns + 0.25 * rows * std::ceil(columns / NC);
		if (cost < least) least = cost, best = parts;
	}
	return best;
}

template <class Format>
INLINE void multiply_heads(Slots s, i64 ith, i64 nth) {
	const float *a = s.pointer(), *b = s.pointer();
	float* c = s.pointer();
	const i64 batch = s.size(), heads = s.size(), m = s.size(), n = s.size(), k = s.size();
	const i64 a_row = s.size(), a_col = s.size(), b_row = s.size(), b_col = s.size(), c_row = s.size();
	const i64 a_batch = s.size(), a_head = s.size(), b_batch = s.size(), b_head = s.size();
	const i64 c_batch = s.size(), c_head = s.size();

	const i64 count = batch * heads;
	const bool whole = count >= 4 * nth || (count >= nth && count % nth == 0);
	const Range mine = whole ? share(count, ith, nth) : Range{0, count};
	const i64 parts = whole ? 1 : row_parts(m, n, nth), others = whole ? 1 : nth / parts;
	const i64 part = whole ? 0 : ith;
	const Range rows = share(m, part / others, parts), columns = share(n, part % others, others, VL);
	for (i64 i = mine.begin; i < mine.end; i++) {
		const i64 x = i / heads, y = i % heads;
		multiply<Format>(Matrix{a + x * a_batch + y * a_head, a_row, a_col}.from(rows.begin, 0),
			Matrix{b + x * b_batch + y * b_head, b_row, b_col}.from(0, columns.begin),
			c + x * c_batch + y * c_head + rows.begin * c_row + columns.begin, c_row, rows.end - rows.begin,
			columns.end - columns.begin, k);
	}
}

} // namespace

/**
 * c[b, h, m, n] = a[b, h, m, k] b[b, h, k, n]. Element (i, j) of one matrix a is a[i * a_row + j * a_col]: a_col = 1 is
 * a matrix as it lies, a_row = 1 one transposed. Likewise b. c has rows of stride c_row. x_batch and x_head are the
 * strides from one matrix to the next; 0 repeats it.
 */
KERNEL(sgemm,
	"a b c / batch heads m n k a_row a_col b_row b_col c_row a_batch a_head b_batch b_head c_batch c_head") {
	multiply_heads<F32>(s, ith, nth);
}

#if defined(__AVX512BF16__)
/**
 * The same with a and b rounded to bf16 while they are packed; c and its sums are f32. Where the CPU has AVX512-BF16.
 */
KERNEL(sgemm_bf16,
	"a b c / batch heads m n k a_row a_col b_row b_col c_row a_batch a_head b_batch b_head c_batch c_head") {
	multiply_heads<BF16>(s, ith, nth);
}
#endif

// -------------------------------------------------------------------------------------------------------- attention
// y = softmax(scale q k' + mask) v for each head. Query t sees the keys of (t - window, t] (causal), or of
// (t - window, length) (not causal); window = 0 is no window. Query head h uses key head h / (heads / kv_heads).
// Nothing of size length x length is kept: forward stores a row's log-sum-exp, backward computes the probabilities
// again. Only tiles that touch the band are computed. A thread owns whole key heads, so gradients need no reduction.

namespace {

struct Band {
	i64 length, window;
	bool causal;
	i64 first_key(i64 query) const { return window > 0 ? std::max<i64>(0, query - window + 1) : 0; }
	i64 end_key(i64 query) const { return causal ? query + 1 : length; }
	/** First and one past the last query that see any of the keys [begin, end). */
	i64 first_query(i64 begin) const { return causal ? begin : 0; }
	i64 end_query(i64 end) const { return window > 0 ? std::min(length, end - 1 + window) : length; }
};

/** A [batch, time, head, head_dim] array by strides; head_dim is contiguous. */
template <class Float>
struct Heads {
	Float* p;
	i64 batch, time, head;
	Heads(Float* p, Slots& s) : p(p), batch(s.size()), time(s.size()), head(s.size()) {}
	Float* at(i64 b, i64 h, i64 t = 0) const { return p + b * batch + h * head + t * time; }
};

/** Queries a block of the backward pass takes: the depth of the products that give dk and dv. */
constexpr i64 QUERY_BLOCK = 8 * MR;

} // namespace

/**
 * q, y [batch, length, heads, head_dim], k, v [batch, length, kv_heads, head_dim], by strides (head_dim contiguous);
 * lse [batch, heads, length]: the log-sum-exp of each row of scaled scores, for the backward pass.
 */
KERNEL(attention,
	"q k v y lse / batch length heads kv_heads head_dim causal window q_batch q_time q_head k_batch k_time k_head "
	"v_batch v_time v_head y_batch y_time y_head / scale") {
	float *q_data = s.pointer(), *k_data = s.pointer(), *v_data = s.pointer(), *y_data = s.pointer(), *lse = s.pointer();
	const i64 batch = s.size(), length = s.size(), heads = s.size(), kv_heads = s.size(), dim = s.size();
	const bool causal = s.size() != 0;
	const Band band{length, s.size(), causal};
	const Heads<const float> q(q_data, s), k(k_data, s), v(v_data, s);
	const Heads<float> y(y_data, s);
	const float scale = s.scalar();
	if (length <= 0 || dim <= 0 || kv_heads <= 0) return;

	const i64 padded = round_up(length, NR), group = heads / kv_heads, height = even(length, MR);
	float* panel = scratch.reserve(PANEL_FLOATS + padded * dim + length * round_up(dim, NR) + MR * padded);
	float* keys_memory = panel + PANEL_FLOATS;
	float* values_memory = keys_memory + padded * dim;
	float* scores = values_memory + length * round_up(dim, NR); // [MR, padded], from key `low` on

	const Range mine = share(batch * kv_heads, ith, nth);
	for (i64 unit = mine.begin; unit < mine.end; unit++) {
		const i64 b = unit / kv_heads, kv = unit % kv_heads;
		const Packed keys = pack(Matrix{k.at(b, kv), 1, k.time}, dim, length, keys_memory);
		const Packed values = pack(Matrix{v.at(b, kv), v.time, 1}, length, dim, values_memory);
		for (i64 h = kv * group; h < (kv + 1) * group; h++) {
			for (i64 t = 0; t < length; t += height) {
				const i64 rows = std::min(height, length - t);
				const i64 low = band.first_key(t) / NR * NR, end = band.end_key(t + rows - 1);
				const i64 width = round_up(end - low, VL);
				multiply_panel(Matrix{q.at(b, h, t), q.time, 1}, rows, dim, keys.from(0, low), width, scores, padded,
					scale, false, panel);
				float scale_of[MR];
				for (i64 r = 0; r < rows; r++) {
					float* row = scores + r * padded;
					std::fill(row, row + band.first_key(t + r) - low, -INFINITY);
					std::fill(row + band.end_key(t + r) - low, row + width, -INFINITY);
					vec most = splat(-INFINITY), total = {};
					for (i64 j = 0; j < width; j += VL) most = maximum(most, load(row + j));
					const float largest = maximum(most);
					for (i64 j = 0; j < width; j += VL) {
						const vec e = exp(load(row + j) - largest);
						store(row + j, e);
						total += e;
					}
					scale_of[r] = 1 / sum(total);
					lse[(b * heads + h) * length + t + r] = largest + std::log(sum(total));
				}
				multiply_panel(Matrix{scores, padded, 1}, rows, end - low, values.from(low, 0), dim, y.at(b, h, t), y.time,
					1, false, panel);
				for (i64 r = 0; r < rows; r++) {
					float* out = y.at(b, h, t + r);
					sweep(dim, [&](i64 i, int lanes) { store(out + i, load(out + i, lanes) * scale_of[r], lanes); });
				}
			}
		}
	}
}

/**
 * Arrays as in attention; dy, dq like q; dk, dv like k. With p the probabilities: dv = p' dy, ds = p (dy v' - sum(p dy
 * v')).
 */
KERNEL(attention_back,
	"q k v lse dy dq dk dv / batch length heads kv_heads head_dim causal window q_batch q_time q_head k_batch k_time "
	"k_head v_batch v_time v_head dy_batch dy_time dy_head dq_batch dq_time dq_head dk_batch dk_time dk_head dv_batch "
	"dv_time dv_head / scale") {
	float *q_data = s.pointer(), *k_data = s.pointer(), *v_data = s.pointer(), *lse = s.pointer();
	float *dy_data = s.pointer(), *dq_data = s.pointer(), *dk_data = s.pointer(), *dv_data = s.pointer();
	const i64 batch = s.size(), length = s.size(), heads = s.size(), kv_heads = s.size(), dim = s.size();
	const bool causal = s.size() != 0;
	const Band band{length, s.size(), causal};
	const Heads<const float> q(q_data, s), k(k_data, s), v(v_data, s), dy(dy_data, s);
	const Heads<float> dq(dq_data, s), dk(dk_data, s), dv(dv_data, s);
	const float scale = s.scalar();
	if (length <= 0 || dim <= 0 || kv_heads <= 0) return;

	const i64 padded = round_up(length, NR), padded_dim = round_up(dim, NR), group = heads / kv_heads;
	const i64 score_row = padded + 16; // off the powers of two
	float* panel = scratch.reserve(PANEL_FLOATS + 2 * padded * dim + length * padded_dim +
		2 * QUERY_BLOCK * padded_dim + 2 * QUERY_BLOCK * score_row);
	float* next = panel + PANEL_FLOATS;
	const auto take = [&](i64 floats) { return std::exchange(next, next + floats); };
	float *keys_memory = take(padded * dim), *values_memory = take(padded * dim);
	float* rows_memory = take(length * padded_dim);
	float *q_memory = take(QUERY_BLOCK * padded_dim), *dy_memory = take(QUERY_BLOCK * padded_dim);
	// [QUERY_BLOCK, score_row] from key `low` on: probabilities, and the gradient of the scores.
	float *p = take(QUERY_BLOCK * score_row), *ds = take(QUERY_BLOCK * score_row);

	const Range mine = share(batch * kv_heads, ith, nth);
	for (i64 unit = mine.begin; unit < mine.end; unit++) {
		const i64 b = unit / kv_heads, kv = unit % kv_heads;
		const Packed keys = pack(Matrix{k.at(b, kv), 1, k.time}, dim, length, keys_memory);
		const Packed values = pack(Matrix{v.at(b, kv), 1, v.time}, dim, length, values_memory);
		const Packed key_rows = pack(Matrix{k.at(b, kv), k.time, 1}, length, dim, rows_memory);
		for (i64 t = 0; t < length; t++) {
			memset(dk.at(b, kv, t), 0, size_t(dim) * 4);
			memset(dv.at(b, kv, t), 0, size_t(dim) * 4);
		}
		for (i64 h = kv * group; h < (kv + 1) * group; h++) {
			for (i64 t = 0; t < length; t += QUERY_BLOCK) {
				const i64 queries = std::min(QUERY_BLOCK, length - t);
				const i64 low = band.first_key(t) / NR * NR, end = band.end_key(t + queries - 1);
				const i64 height = even(queries, MR);
				for (i64 i = 0; i < queries; i += height) {
					const i64 rows = std::min(height, queries - i), panel_end = band.end_key(t + i + rows - 1);
					const i64 width = round_up(panel_end - low, VL);
					multiply_panel(Matrix{q.at(b, h, t + i), q.time, 1}, rows, dim, keys.from(0, low), width,
						p + i * score_row, score_row, scale, false, panel);
					multiply_panel(Matrix{dy.at(b, h, t + i), dy.time, 1}, rows, dim, values.from(0, low), width,
						ds + i * score_row, score_row, 1, false, panel);
					for (i64 r = i; r < i + rows; r++) {
						float *p_row = p + r * score_row, *ds_row = ds + r * score_row;
						std::fill(p_row, p_row + band.first_key(t + r) - low, -INFINITY);
						std::fill(p_row + band.end_key(t + r) - low, p_row + width, -INFINITY);
						const float log_sum = lse[(b * heads + h) * length + t + r];
						vec dot = {};
						for (i64 j = 0; j < width; j += VL) {
							const vec e = exp(load(p_row + j) - log_sum);
							store(p_row + j, e);
							dot += e * load(ds_row + j);
						}
						const float mean = sum(dot);
						for (i64 j = 0; j < width; j += VL)
							store(ds_row + j, load(p_row + j) * (load(ds_row + j) - mean) * scale);
						// The products below read the block's whole width.
						if (end - low > width) {
							std::fill(p_row + width, p_row + end - low, 0.f);
							std::fill(ds_row + width, ds_row + end - low, 0.f);
						}
					}
					multiply_panel(Matrix{ds + i * score_row, score_row, 1}, rows, panel_end - low, key_rows.from(low, 0), dim,
						dq.at(b, h, t + i), dq.time, 1, false, panel);
				}
				const Packed q_rows = pack(Matrix{q.at(b, h, t), q.time, 1}, queries, dim, q_memory);
				const Packed dy_rows = pack(Matrix{dy.at(b, h, t), dy.time, 1}, queries, dim, dy_memory);
				const i64 key_height = even(end - low, MR);
				for (i64 j = low; j < end; j += key_height) {
					const i64 rows = std::min(key_height, end - j);
					const i64 from = std::max<i64>(0, band.first_query(j) - t);
					const i64 depth = std::min(queries, band.end_query(j + rows) - t) - from;
					if (depth <= 0) continue;
					const i64 offset = from * score_row + j - low;
					multiply_panel(Matrix{p + offset, 1, score_row}, rows, depth, dy_rows.from(from, 0), dim,
						dv.at(b, kv, j), dv.time, 1, true, panel);
					multiply_panel(Matrix{ds + offset, 1, score_row}, rows, depth, q_rows.from(from, 0), dim,
						dk.at(b, kv, j), dk.time, 1, true, panel);
				}
			}
		}
	}
}

// ---------------------------------------------------------------------------------------------------- cross-entropy

/**
 * losses[r] = weight_r (logsumexp(u_r) - u_r[targets[r]]) with u = z, or u = softcap tanh(z / softcap) where softcap >
 * 0, and in the same pass dz[r, :] = d losses[r] / d z[r, :].
 *
 * z [rows, vocab] with rows of stride z_row, targets [rows] i32, [weights] [rows], losses [rows], [dz] [rows, vocab]
 * with rows of stride dz_row; dz may be z itself. weight_r is `weight` times weights[r], where given. A negative target
 * is ignored: loss and gradient 0. A target beyond the vocabulary gives NaN.
 */
KERNEL(cross_entropy, "z targets [weights] losses [dz] / rows vocab z_row dz_row / weight softcap") {
	const float* z = s.pointer();
	const int32_t* targets = s.ids();
	const float* weights = s.pointer();
	float *losses = s.pointer(), *dz = s.pointer();
	const i64 rows = s.size(), vocab = s.size(), z_row = s.size(), dz_row = s.size();
	const float weight = s.scalar(), cap = s.scalar();

	float* capped = cap > 0 ? scratch.reserve(vocab) : nullptr; // u of one row
	const Range mine = share(rows, ith, nth);
	for (i64 r = mine.begin; r < mine.end; r++) {
		const float* row = z + r * z_row;
		float* grad = dz ? dz + r * dz_row : nullptr;
		const i64 target = targets[r];
		const float w = target >= vocab ? NAN : weights ? weight * weights[r] : weight;
		if (target < 0) {
			losses[r] = 0;
			if (grad) memset(grad, 0, size_t(vocab) * 4);
			continue;
		}
		vec most = splat(-INFINITY);
		if (cap > 0) {
			sweep(vocab, [&](i64 i, int lanes) {
				// 1 - 2 / (e^2x + 1): near 0 this loses relative, not absolute precision, and a logit needs the latter.
				const vec t = 1.f - 2.f / (exp(load(row + i, lanes) * (2 / cap)) + 1.f);
				store(capped + i, t * cap, lanes);
				most = maximum(most, lanes == VL ? t * cap : load(capped + i, lanes, -INFINITY));
			});
		} else {
			sweep(vocab, [&](i64 i, int lanes) { most = maximum(most, load(row + i, lanes, -INFINITY)); });
		}
		const float* u = cap > 0 ? capped : row;
		const float largest = maximum(most), u_target = target < vocab ? u[target] : NAN;
		double denominator = 0;
		for (i64 from = 0; from < vocab; from += SUM_BLOCK) {
			vec total = {};
			sweep(std::min(SUM_BLOCK, vocab - from), [&](i64 i, int lanes) {
				const vec e = exp(load(u + from + i, lanes, -INFINITY) - largest);
				if (grad) store(grad + from + i, e, lanes);
				total += e;
			});
			denominator += sum(total);
		}
		// The logits are subtracted from each other before anything small is added, so that a shift of all of them
		// changes no loss.
		losses[r] = float(w * (std::log(denominator) + (double(largest) - double(u_target))));
		if (!grad) continue;
		const float factor = float(w / denominator);
		if (cap > 0) {
			const float inverse = 1 / cap;
			sweep(vocab, [&](i64 i, int lanes) {
				const vec t = load(capped + i, lanes) * inverse;
				store(grad + i, load(grad + i, lanes) * factor * (1.f - t * t), lanes);
			});
			const float t = u_target * inverse;
			if (target < vocab) grad[target] -= w * (1 - t * t);
		} else {
			sweep(vocab, [&](i64 i, int lanes) { store(grad + i, load(grad + i, lanes) * factor, lanes); });
			if (target < vocab) grad[target] -= w;
		}
	}
}

// ---------------------------------------------------------------------------------------------------------- softmax

/** y[r, :] = softmax(scale x[r, :]) for x, y [rows, width] with rows of stride x_row, y_row. */
KERNEL(softmax, "x y / rows width x_row y_row / scale") {
	const float* x = s.pointer();
	float* y = s.pointer();
	const i64 rows = s.size(), width = s.size(), x_row = s.size(), y_row = s.size();
	const float scale = s.scalar();
	const Range mine = share(rows, ith, nth);
	for (i64 r = mine.begin; r < mine.end; r++) {
		const float* in = x + r * x_row;
		float* out = y + r * y_row;
		vec most = splat(-INFINITY), total = {};
		sweep(width, [&](i64 i, int lanes) {
			const vec scaled = load(in + i, lanes) * scale;
			store(out + i, scaled, lanes);
			most = maximum(most, lanes == VL ? scaled : load(out + i, lanes, -INFINITY));
		});
		const float largest = maximum(most);
		sweep(width, [&](i64 i, int lanes) {
			const vec e = exp(load(out + i, lanes, -INFINITY) - largest);
			store(out + i, e, lanes);
			total += e;
		});
		const float inverse = 1 / sum(total);
		sweep(width, [&](i64 i, int lanes) { store(out + i, load(out + i, lanes) * inverse, lanes); });
	}
}

// ---------------------------------------------------------------------------------------------------------- RMSNorm

/** y = x / sqrt(mean(x^2) + eps) along the rows of x, y [rows, width] with rows of stride x_row, y_row. */
KERNEL(rms_norm, "x y / rows width x_row y_row / eps") {
	const float* x = s.pointer();
	float* y = s.pointer();
	const i64 rows = s.size(), width = s.size(), x_row = s.size(), y_row = s.size();
	const float eps = s.scalar();
	const Range mine = share(rows, ith, nth);
	for (i64 r = mine.begin; r < mine.end; r++) {
		const float* in = x + r * x_row;
		float* out = y + r * y_row;
		vec squares = {};
		sweep(width, [&](i64 i, int lanes) { squares += load(in + i, lanes) * load(in + i, lanes); });
		const float scale = 1 / std::sqrt(sum(squares) / float(width) + eps);
		sweep(width, [&](i64 i, int lanes) { store(out + i, load(in + i, lanes) * scale, lanes); });
	}
}

/**
 * dx = s dy - x s^3 mean(x dy) with s = 1 / sqrt(mean(x^2) + eps). All [rows, width], with rows of stride x_row,
 * dy_row, dx_row; dx may be dy itself.
 */
KERNEL(rms_norm_back, "x dy dx / rows width x_row dy_row dx_row / eps") {
	const float *x = s.pointer(), *dy = s.pointer();
	float* dx = s.pointer();
	const i64 rows = s.size(), width = s.size(), x_row = s.size(), dy_row = s.size(), dx_row = s.size();
	const float eps = s.scalar();
	const Range mine = share(rows, ith, nth);
	for (i64 r = mine.begin; r < mine.end; r++) {
		const float *in = x + r * x_row, *grad = dy + r * dy_row;
		float* to = dx + r * dx_row;
		vec squares = {}, dot = {};
		sweep(width, [&](i64 i, int lanes) {
			const vec v = load(in + i, lanes);
			squares += v * v;
			dot += v * load(grad + i, lanes);
		});
		const float scale = 1 / std::sqrt(sum(squares) / float(width) + eps);
		const float slope = sum(dot) / float(width) * scale * scale * scale;
		sweep(width, [&](i64 i, int lanes) {
			store(to + i, load(grad + i, lanes) * scale - load(in + i, lanes) * slope, lanes);
		});
	}
}

// ----------------------------------------------------------------------------------------------------------- rotary
// Rotary position embedding (Su et al. 2021) in Karpathy's convention: a head's first and second half are the two
// coordinates, and the angle turns the first towards minus the second.

namespace {

/** y1 = x1 cos + x2 sin, y2 = x2 cos - x1 sin; the other way round for direction = -1. */
INLINE void rotate(Slots s, i64 ith, i64 nth, float direction) {
	const float *x_data = s.pointer(), *cosine = s.pointer(), *sine = s.pointer();
	float* y_data = s.pointer();
	const i64 batch = s.size(), length = s.size(), heads = s.size(), half = s.size();
	const Heads<const float> x(x_data, s);
	const Heads<float> y(y_data, s);
	const Range mine = share(batch * length, ith, nth);
	for (i64 row = mine.begin; row < mine.end; row++) {
		const i64 b = row / length, t = row % length;
		for (i64 h = 0; h < heads; h++) {
			const float* in = x.at(b, h, t);
			float* out = y.at(b, h, t);
			sweep(half, [&](i64 i, int lanes) {
				const vec x1 = load(in + i, lanes), x2 = load(in + half + i, lanes);
				const vec c = load(cosine + t * half + i, lanes), d = load(sine + t * half + i, lanes) * direction;
				store(out + i, x1 * c + x2 * d, lanes);
				store(out + half + i, x2 * c - x1 * d, lanes);
			});
		}
	}
}

} // namespace

/** x, y [batch, length, heads, 2 half] by strides (the last contiguous); cosine, sine [length, half]. y may be x. */
KERNEL(rotary,
	"x cosine sine y / batch length heads half x_batch x_time x_head y_batch y_time y_head") {
	rotate(s, ith, nth, 1);
}

/** The gradient of a rotation is the rotation back. */
KERNEL(rotary_back,
	"dy cosine sine dx / batch length heads half dy_batch dy_time dy_head dx_batch dx_time dx_head") {
	rotate(s, ith, nth, -1);
}

// -------------------------------------------------------------------------------------------------------- embedding

/** y[r, :] = table[ids[r], :]; table [vocab, width], ids [rows] i32, y [rows, width]. An id out of range gives NaN. */
KERNEL(embedding, "table ids y / rows width vocab") {
	const float* table = s.pointer();
	const int32_t* ids = s.ids();
	float* y = s.pointer();
	const i64 rows = s.size(), width = s.size(), vocab = s.size();
	const Range mine = share(rows, ith, nth);
	for (i64 r = mine.begin; r < mine.end; r++) {
		if (ids[r] >= 0 && ids[r] < vocab) memcpy(y + r * width, table + ids[r] * width, size_t(width) * 4);
		else std::fill(y + r * width, y + (r + 1) * width, NAN);
	}
}

/**
 * dtable[id, :] = the sum of dy[r, :] over the rows with that id. A thread owns columns, so that no two write the same
 * element and the order of summation is that of the rows, whatever the number of threads.
 */
KERNEL(embedding_back, "dy ids dtable / rows width vocab") {
	const float* dy = s.pointer();
	const int32_t* ids = s.ids();
	float* dtable = s.pointer();
	const i64 rows = s.size(), width = s.size(), vocab = s.size();
	const Range mine = share(width, ith, nth, 16);
	const i64 columns = mine.end - mine.begin;
	if (columns <= 0) return;
	for (i64 v = 0; v < vocab; v++) memset(dtable + v * width + mine.begin, 0, size_t(columns) * 4);
	for (i64 r = 0; r < rows; r++) {
		if (ids[r] < 0 || ids[r] >= vocab) continue;
		const float* from = dy + r * width + mine.begin;
		float* to = dtable + ids[r] * width + mine.begin;
		sweep(columns, [&](i64 i, int lanes) { store(to + i, load(to + i, lanes) + load(from + i, lanes), lanes); });
	}
}

// ------------------------------------------------------------------------------------------------- fused elementwise
// An expression as a list of elementwise instructions, run on one tile of the result at a time: whatever the length of
// the expression, memory is read and written once. lower/fuse.ts finds the expressions.

namespace {

/** Elements of a tile: a dozen of them fit into the first-level cache. */
constexpr i64 TILE = 512;

/**
 * How an input is laid out against the result: alike, one number for all of it, or by strides of which 0 broadcasts.
 */
enum class Layout : i64 { dense, scalar, strided };

struct FusedInput {
	const float* p;
	Layout layout;
	i64 stride[4];
};

struct FusedOutput {
	float* p;
	/** The value it is: inputs are numbered first, then instructions. */
	i64 value;
};

/** lower/fused-expression.ts numbers them in this order. */
enum class Operation : i64 {
	fill, affine, add, sub, mul, div, abs, cos, exp, log, relu, sigmoid, silu, sin, sqrt, square, step, tanh, softcap
};

struct Instruction {
	Operation operation;
	/** Values it reads. */
	i64 a, b;
	/** Which tile of scratch it writes. */
	i64 tile;
	/** affine: scale and bias; fill, softcap: the number. */
	double x, y;
};

struct FusedHeader {
	i64 inputs, outputs, instructions, tiles, n[4];
};

template <class F>
INLINE void unary(const float* a, float* y, i64 n, F f) {
	sweep(n, [&](i64 i, int lanes) { store(y + i, f(load(a + i, lanes)), lanes); });
}

template <class F>
INLINE void binary(const float* a, const float* b, float* y, i64 n, F f) {
	sweep(n, [&](i64 i, int lanes) { store(y + i, f(load(a + i, lanes), load(b + i, lanes)), lanes); });
}

void execute(const Instruction& it, const float* a, const float* b, float* y, i64 n) {
	const float c = float(it.x), d = float(it.y);
	switch (it.operation) {
	case Operation::fill: std::fill(y, y + n, c); break;
	case Operation::affine: unary(a, y, n, [=](vec x) { return x * c + d; }); break;
	case Operation::add: binary(a, b, y, n, [](vec x, vec z) { return x + z; }); break;
	case Operation::sub: binary(a, b, y, n, [](vec x, vec z) { return x - z; }); break;
	case Operation::mul: binary(a, b, y, n, [](vec x, vec z) { return x * z; }); break;
	case Operation::div: binary(a, b, y, n, [](vec x, vec z) { return x / z; }); break;
	case Operation::abs: unary(a, y, n, [](vec x) { return x < 0.f ? -x : x; }); break;
	case Operation::cos: for (i64 i = 0; i < n; i++) y[i] = std::cos(a[i]); break;
	case Operation::exp: unary(a, y, n, [](vec x) { return exp(x); }); break;
	case Operation::log: unary(a, y, n, [](vec x) { return log(x); }); break;
	case Operation::relu: unary(a, y, n, [](vec x) { return x < 0.f ? vec{} : x; }); break;
	case Operation::sigmoid: unary(a, y, n, [](vec x) { return sigmoid(x); }); break;
	case Operation::silu: unary(a, y, n, [](vec x) { return x * sigmoid(x); }); break;
	case Operation::sin: for (i64 i = 0; i < n; i++) y[i] = std::sin(a[i]); break;
	case Operation::sqrt: unary(a, y, n, [](vec x) { return square_root(x); }); break;
	case Operation::square: unary(a, y, n, [](vec x) { return x * x; }); break;
	case Operation::step: unary(a, y, n, [](vec x) { return x > 0.f ? splat(1.f) : vec{}; }); break;
	case Operation::tanh: unary(a, y, n, [](vec x) { return tanh(x); }); break;
	case Operation::softcap: unary(a, y, n, [=](vec x) { return tanh(x * (1 / c)) * c; }); break;
	}
}

/** The elements [begin, begin + count) of the result's order, gathered from an input by strides. */
void gather(const FusedInput& input, const i64 (&n)[4], i64 begin, i64 count, float* y) {
	for (i64 i = begin, end = begin + count; i < end;) {
		const i64 column = i % n[3], row = i / n[3], i2 = row % n[2], i1 = row / n[2] % n[1], i0 = row / n[2] / n[1];
		const i64 length = std::min(n[3] - column, end - i), step = input.stride[3];
		const float* from = input.p + i0 * input.stride[0] + i1 * input.stride[1] + i2 * input.stride[2] + column * step;
		float* to = y + (i - begin);
		if (step == 1) memcpy(to, from, size_t(length) * 4);
		else if (step == 0) std::fill(to, to + length, *from);
		else
			for (i64 j = 0; j < length; j++) to[j] = from[j * step];
		i += length;
	}
}

} // namespace

/**
 * Computes the expression at `expression` (a FusedHeader, then its inputs, outputs and instructions). Outputs are
 * dense, of n[0] n[1] n[2] n[3] elements, and may be dense inputs: a tile is written when all of it has been computed.
 */
KERNEL(fused, "expression / count") {
	const char* at = reinterpret_cast<const char*>(s.pointer());
	const FusedHeader& header = *reinterpret_cast<const FusedHeader*>(at);
	const auto* inputs = reinterpret_cast<const FusedInput*>(at += sizeof(FusedHeader));
	const auto* outputs = reinterpret_cast<const FusedOutput*>(at += sizeof(FusedInput) * header.inputs);
	const auto* instructions = reinterpret_cast<const Instruction*>(at + sizeof(FusedOutput) * header.outputs);
	const Range mine = share(s.size(), ith, nth, 16);
	if (mine.begin >= mine.end) return;

	constexpr int MOST_VALUES = 128;
	const float* values[MOST_VALUES];
	if (header.inputs + header.instructions > MOST_VALUES) abort();
	float* gathered = scratch.reserve((header.inputs + header.tiles) * TILE);
	float* tiles = gathered + header.inputs * TILE;
	for (i64 i = 0; i < header.inputs; i++) {
		values[i] = gathered + i * TILE;
		if (inputs[i].layout == Layout::scalar) std::fill(gathered + i * TILE, gathered + (i + 1) * TILE, *inputs[i].p);
	}
	for (i64 begin = mine.begin; begin < mine.end; begin += TILE) {
		const i64 count = std::min(TILE, mine.end - begin);
		for (i64 i = 0; i < header.inputs; i++) {
			if (inputs[i].layout == Layout::dense) values[i] = inputs[i].p + begin;
			else if (inputs[i].layout == Layout::strided) gather(inputs[i], header.n, begin, count, gathered + i * TILE);
		}
		for (i64 i = 0; i < header.instructions; i++) {
			const Instruction& it = instructions[i];
			// With one output, its last instruction writes it where it belongs.
			const bool last = i == header.instructions - 1 && outputs[0].value == header.inputs + i;
			float* y = last ? outputs[0].p + begin : tiles + it.tile * TILE;
			execute(it, values[it.a], values[it.b], y, count);
			values[header.inputs + i] = y;
		}
		for (i64 i = 0; i < header.outputs; i++) {
			const float* from = values[outputs[i].value];
			if (from != outputs[i].p + begin) memcpy(outputs[i].p + begin, from, size_t(count) * 4);
		}
	}
}

// ----------------------------------------------------------------------------------------------------------- copies

/** y = x, both [n0, n1, n2, n3] by strides: permutes, transposes, slices and concatenates. y3 should be 1. */
KERNEL(copy, "x y / n0 n1 n2 n3 x0 x1 x2 x3 y0 y1 y2 y3") {
	const float* x = s.pointer();
	float* y = s.pointer();
	i64 n[4], x_stride[4], y_stride[4];
	for (i64& size : n) size = s.size();
	for (i64& stride : x_stride) stride = s.size();
	for (i64& stride : y_stride) stride = s.size();

	// Where another axis than the last is the contiguous one of x, blocks of VL x VL are transposed in registers.
	int across = -1;
	for (int axis = 0; axis < 3; axis++)
		if (x_stride[axis] == 1 && n[axis] > 1 && x_stride[3] != 1 && y_stride[3] == 1) across = axis;
	if (across >= 0) {
		const int outer = across == 0 ? 1 : 0, inner = across == 2 ? 1 : 2;
		// Four blocks side by side, so that memory is read along whole cache lines and pages are revisited less.
		constexpr i64 WIDE = 4 * VL;
		const i64 strips = divide_up(n[across], WIDE);
		const Range mine = share(n[outer] * n[inner] * strips, ith, nth);
		for (i64 item = mine.begin; item < mine.end; item++) {
			const i64 i = item / strips / n[inner], j = item / strips % n[inner], begin = item % strips * WIDE;
			const float* from = x + i * x_stride[outer] + j * x_stride[inner];
			float* to = y + i * y_stride[outer] + j * y_stride[inner];
			for (i64 c = 0; c < n[3]; c += VL) {
				const int columns = int(std::min<i64>(VL, n[3] - c));
				for (i64 at = begin; at < std::min(begin + WIDE, n[across]); at += VL) {
					const int rows = int(std::min<i64>(VL, n[across] - at));
					transpose_block(from + c * x_stride[3] + at, x_stride[3], columns, rows, to + c + at * y_stride[across],
						y_stride[across], columns);
				}
			}
		}
		return;
	}
	const Range mine = share(n[0] * n[1] * n[2], ith, nth);
	for (i64 row = mine.begin; row < mine.end; row++) {
		const i64 i2 = row % n[2], i1 = row / n[2] % n[1], i0 = row / n[2] / n[1];
		const float* from = x + i0 * x_stride[0] + i1 * x_stride[1] + i2 * x_stride[2];
		float* to = y + i0 * y_stride[0] + i1 * y_stride[1] + i2 * y_stride[2];
		if (x_stride[3] == 1 && y_stride[3] == 1) memcpy(to, from, size_t(std::max<i64>(0, n[3])) * 4);
		else
			for (i64 i = 0; i < n[3]; i++) to[i * y_stride[3]] = from[i * x_stride[3]];
	}
}

// ------------------------------------------------------------------------------------------------------------- sums

/**
 * y[o, i] = scale sum over m of x[o, m, i]; x [outer, middle, inner] and y [outer, inner] contiguous. inner = 1 sums
 * rows, outer = 1 columns (a bias gradient). For the sum of a large array: [chunks, n / chunks, 1], then [1, chunks,
 * 1].
 */
KERNEL(sum, "x y / outer middle inner / scale") {
	const float* x = s.pointer();
	float* y = s.pointer();
	const i64 outer = s.size(), middle = s.size(), inner = s.size();
	const float scale = s.scalar();
	if (inner == 1) {
		const Range mine = share(outer, ith, nth);
		for (i64 o = mine.begin; o < mine.end; o++) {
			double total = 0;
			for (i64 from = 0; from < middle; from += SUM_BLOCK) {
				const float* row = x + o * middle + from;
				const i64 count = std::min(SUM_BLOCK, middle - from);
				vec part[4] = {};
				i64 m = 0;
				for (; m + 4 * VL <= count; m += 4 * VL) UNROLL for (int i = 0; i < 4; i++) part[i] += load(row + m + i * VL);
				sweep(count - m, [&](i64 i, int lanes) { part[0] += load(row + m + i, lanes); });
				total += sum(part[0] + part[1] + (part[2] + part[3]));
			}
			y[o] = float(scale * total);
		}
		return;
	}
	constexpr i64 WIDE = 4 * VL;
	const i64 strips = divide_up(inner, WIDE);
	const Range mine = share(outer * strips, ith, nth);
	for (i64 item = mine.begin; item < mine.end; item++) {
		const i64 o = item / strips, at = item % strips * WIDE, width = std::min(WIDE, inner - at);
		const float* from = x + o * middle * inner + at;
		float* to = y + o * inner + at;
		double total[WIDE] = {};
		for (i64 first = 0; first < middle; first += SUM_ROWS) {
			const i64 last = std::min(middle, first + SUM_ROWS);
			vec part[4] = {};
			if (width == WIDE) {
				for (i64 m = first; m < last; m++)
					UNROLL for (int i = 0; i < 4; i++) part[i] += load(from + m * inner + i * VL);
			} else {
				for (i64 m = first; m < last; m++)
					sweep(width, [&](i64 i, int lanes) { part[i / VL] += load(from + m * inner + i, lanes); });
			}
			for (i64 i = 0; i < WIDE; i++) total[i] += part[i / VL][i % VL];
		}
		for (i64 i = 0; i < width; i++) to[i] = float(total[i] * scale);
	}
}

// --------------------------------------------------------------------------------------------------------- the peak

/**
 * gflops[ith] = how fast this thread multiplies and adds in registers alone: MR x 2 independent chains, `steps` times.
 * The ceiling that sgemm's speed is a fraction of. The inputs come from memory, so the compiler cannot know the result.
 */
KERNEL(peak, "inputs gflops / steps") {
	const float* inputs = s.pointer(); // [2]: factor and term; the chains x = x * factor + term start at the term
	float* gflops = s.pointer();
	const i64 steps = s.size();
	const vec factor = splat(inputs[0]), term = splat(inputs[1]);
	vec chain[MR][2];
	for (auto& pair : chain) pair[0] = pair[1] = term;
	const auto start = std::chrono::steady_clock::now();
	for (i64 i = 0; i < steps; i++)
		UNROLL for (int j = 0; j < MR; j++) UNROLL for (int v = 0; v < 2; v++) chain[j][v] = chain[j][v] * factor + term;
	const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
	vec total = {};
	for (auto& pair : chain) total += pair[0] + pair[1];
	// A NaN among the inputs shows in the result; without a use of `total` the loop would be removed.
	gflops[ith] = float(double(steps) * MR * 2 * VL * 2 / seconds.count() / 1e9) + 0 * sum(total);
}

// ---------------------------------------------------------------------------------------------------------- exports

/** Changes with the descriptor's layout or any kernel's slots; descriptor.ts holds the same number. */
EXPORT int ar_version() { return 6; }

/** Which of the paths above was compiled: "avx512", "avx2", "neon" or "plain". */
EXPORT const char* ar_target() {
#if defined(__AVX512F__)
	return "avx512";
#elif defined(__AVX2__) && defined(__FMA__)
	return "avx2";
#elif defined(__aarch64__)
	return "neon";
#else
	return "plain";
#endif
}

/** The kernel's function for ggml_custom_4d, or null. */
EXPORT void* ar_kernel(const char* name) {
	for (const Entry* e = Entry::first; e; e = e->next)
		if (strcmp(e->name, name) == 0) return reinterpret_cast<void*>(e->run);
	return nullptr;
}

/** The same kernel done by the pool, whatever ith and nth are. */
EXPORT void* ar_parallel(const char* name) {
	for (const Entry* e = Entry::first; e; e = e->next)
		if (strcmp(e->name, name) == 0) return reinterpret_cast<void*>(e->parallel);
	return nullptr;
}

/** Makes the pool as large as `threads`, the caller included; not while it works. */
EXPORT void ar_resize(int threads) { pool.resize(threads); }

/** The kernel's slots as it lists them, or null. */
EXPORT const char* ar_slots(const char* name) {
	for (const Entry* e = Entry::first; e; e = e->next)
		if (strcmp(e->name, name) == 0) return e->slots;
	return nullptr;
}
