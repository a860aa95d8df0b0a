/** What the kernels should compute, in double precision and the plainest TypeScript. Arrays are contiguous. */

type Numbers = ArrayLike<number>;

/** Central differences of sum(weight * f(x)) at each element of x. */
export function gradient(x: Numbers, weight: Numbers, f: (x: Float64Array) => Numbers): Float64Array {
	const at = Float64Array.from(x);
	const step = 1e-5;
	const value = () => {
		const y = f(at);
		let total = 0;
		for (let i = 0; i < y.length; i++) total += y[i]! * weight[i]!;
		return total;
	};
	return at.map((original, i) => {
		at[i] = original + step;
		const above = value();
		at[i] = original - step;
		const below = value();
		at[i] = original;
		return (above - below) / (2 * step);
	});
}

/** [m, k] times [k, n]. */
export function product(a: Numbers, b: Numbers, m: number, n: number, k: number): Float64Array {
	const c = new Float64Array(m * n);
	for (let i = 0; i < m; i++)
		for (let p = 0; p < k; p++) for (let j = 0; j < n; j++) c[i * n + j]! += a[i * k + p]! * b[p * n + j]!;
	return c;
}

/** [rows, columns] to [columns, rows]. */
export function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
	return Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Applies f to each row of `width` elements. */
export function byRow(x: Float64Array, width: number, f: (row: Float64Array, r: number) => Numbers): Float64Array {
	const y: number[] = [];
	for (let r = 0; r < x.length / width; r++) y.push(...Array.from(f(x.slice(r * width, (r + 1) * width), r)));
	return Float64Array.from(y);
}

export function softmax(row: Float64Array): Float64Array {
	const most = Math.max(...row);
	const e = row.map((x) => Math.exp(x - most));
	const total = e.reduce((a, b) => a + b, 0);
	return e.map((x) => x / total);
}

export function rmsNorm(row: Float64Array, eps: number): Float64Array {
	const squares = row.reduce((total, x) => total + x * x, 0);
	return row.map((x) => x / Math.sqrt(squares / row.length + eps));
}

/** Each row's loss; targets below 0 have none. */
export function crossEntropy(z: Float64Array, targets: Int32Array, vocab: number, softcap: number): Float64Array {
	return Float64Array.from(targets, (target, r) => {
		if (target < 0) return 0;
		const u = z.slice(r * vocab, (r + 1) * vocab).map((x) => (softcap > 0 ? softcap * Math.tanh(x / softcap) : x));
		const most = Math.max(...u);
		return most + Math.log(u.reduce((total, x) => total + Math.exp(x - most), 0)) - u[target]!;
	});
}

export interface AttentionShape {
	batch: number;
	length: number;
	heads: number;
	kvHeads: number;
	dim: number;
	causal: boolean;
	/** Keys a query sees, itself included; 0 for all. */
	window: number;
	scale: number;
}

/** q [batch, length, heads, dim], k and v [batch, length, kvHeads, dim] to y like q, and each row's log-sum-exp. */
export function attention(q: Numbers, k: Numbers, v: Numbers, shape: AttentionShape) {
	const { length, dim } = shape;
	const y = new Float64Array(q.length);
	const lse = new Float64Array(q.length / dim);
	forEachQuery(q, k, shape, ({ batch, head, t, query, keys, scores, p }) => {
		keys.forEach((key, j) => {
			for (let i = 0; i < dim; i++) y[query + i]! += p[j]! * v[key + i]!;
		});
		const most = Math.max(...scores);
		lse[(batch * shape.heads + head) * length + t] =
			most + Math.log(scores.reduce((s, x) => s + Math.exp(x - most), 0));
	});
	return { y, lse };
}

/** The gradients of sum(dy * y). */
export function attentionBack(q: Numbers, k: Numbers, v: Numbers, dy: Numbers, shape: AttentionShape) {
	const { dim, scale } = shape;
	const [dq, dk, dv] = [new Float64Array(q.length), new Float64Array(k.length), new Float64Array(v.length)];
	forEachQuery(q, k, shape, ({ query, keys, p }) => {
		const dp = keys.map((key) => {
			let dot = 0;
			for (let i = 0; i < dim; i++) dot += dy[query + i]! * v[key + i]!;
			return dot;
		});
		const mean = dp.reduce((total, d, j) => total + d * p[j]!, 0);
		keys.forEach((key, j) => {
			const ds = p[j]! * (dp[j]! - mean) * scale;
			for (let i = 0; i < dim; i++) {
				dq[query + i]! += ds * k[key + i]!;
				dk[key + i]! += ds * q[query + i]!;
				dv[key + i]! += p[j]! * dy[query + i]!;
			}
		});
	});
	return { dq, dk, dv };
}

interface Query {
	batch: number;
	head: number;
	t: number;
	/** Where this query begins in q, and the keys it sees in k. */
	query: number;
	keys: number[];
	scores: Float64Array;
	/** The softmax of the scores. */
	p: Float64Array;
}

function forEachQuery(q: Numbers, k: Numbers, shape: AttentionShape, visit: (query: Query) => void): void {
	const { length, heads, kvHeads, dim, causal, window, scale } = shape;
	for (let batch = 0; batch < shape.batch; batch++)
		for (let head = 0; head < heads; head++)
			for (let t = 0; t < length; t++) {
				const kv = Math.floor(head / (heads / kvHeads));
				const query = ((batch * length + t) * heads + head) * dim;
				const first = window > 0 ? Math.max(0, t - window + 1) : 0;
				const count = (causal ? t + 1 : length) - first;
				const keys = Array.from({ length: count }, (_, j) => ((batch * length + first + j) * kvHeads + kv) * dim);
				const scores = Float64Array.from(keys, (key) => {
					let dot = 0;
					for (let i = 0; i < dim; i++) dot += q[query + i]! * k[key + i]!;
					return scale * dot;
				});
				visit({ batch, head, t, query, keys, scores, p: softmax(scores) });
			}
}
