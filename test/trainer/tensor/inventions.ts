/** Operations a researcher may compose, written as a language model would write them; each must train a model. */
import assert from "node:assert/strict";
import {
	adamw,
	assign,
	attention,
	compile,
	crossEntropy,
	div,
	embedding,
	exp,
	full,
	gelu,
	grad,
	input,
	linear,
	matmul,
	maximum,
	minimum,
	mul,
	normal,
	ones,
	type Parameter,
	parameter,
	parameters,
	relu,
	rmsNorm,
	rotary,
	scalar,
	seeded,
	shift,
	sigmoid,
	silu,
	softmax,
	sqrt,
	state,
	step,
	type Tensor,
	tanh,
	tensor,
	type Update,
	variance,
	where,
	zeros,
} from "../../../trainer/tensor/index.ts";
import type { Lowering } from "../../../trainer/tensor/lower/lowering.ts";
import { release } from "../../../trainer/tensor/storage.ts";

const [B, T, D, V] = [3, 20, 24, 31];
const draw = seeded(11);
const matrix = (name: string, out: number, width: number) => parameter(name, normal([out, width], width ** -0.5, draw));

type Middle = (x: Tensor, tokens: Tensor) => Tensor;
type Optimizer = (weights: Parameter[], gradients: Tensor[], lr: Tensor) => Update[];
const withAdamW: Optimizer = (weights, gradients, lr) => adamw(weights, gradients, { lr });

/** Trains embedding → `middle` → head to predict each token's square modulo V, and asks that the loss falls clearly. */
function learns(middle: Middle, lowering: Lowering, optimizer = withAdamW, options: { tied?: boolean } = {}): void {
	const [tokens, targets] = [input("tokens", [B, T], "i32"), input("targets", [B, T], "i32")];
	const table = matrix("table", V, D);
	const head = options.tied ? table : matrix("head", V, D);
	const x = middle(rmsNorm(embedding(tokens, table)), tokens);
	const loss = crossEntropy(linear(rmsNorm(x), head), targets);
	const weights = parameters(loss);
	const program = compile({ loss }, optimizer(weights, grad(loss, weights), scalar("lr")), lowering);
	const ids = Int32Array.from({ length: B * T }, (_, i) => (i * 7) % V);
	const feeds = { tokens: ids, targets: ids.map((id) => (id * id) % V) };
	const losses = Array.from({ length: 40 }, () => program.run({ ...feeds, lr: 0.01 }).loss.item());
	program.close();
	release(weights);
	assert.ok(losses.at(-1)! < 0.5 * losses[0]!, `${losses[0]} → ${losses.at(-1)}`);
}

/** Parameters are made again each time, because a model has a name once. */
export const inventions: Record<string, (lowering: Lowering) => void> = {
	"an activation from primitives": (lowering) => {
		// A smooth, self-gated unit: x * tanh(softplus(x)), also called Mish.
		const softplus = (x: Tensor) =>
			maximum(x, 0).add(
				exp(mul(-1, relu(x).add(relu(x.neg()))))
					.add(1)
					.log(),
			);
		const mish = (x: Tensor) => x.mul(tanh(softplus(x)));
		const [up, down] = [matrix("up", 2 * D, D), matrix("down", D, 2 * D)];
		learns((x) => x.add(linear(mish(linear(rmsNorm(x), up)), down)), lowering);
	},
	"a piecewise activation with a learned slope": (lowering) => {
		const slope = parameter("slope", full([2 * D], 0.1));
		const prelu = (x: Tensor) => where(step(x), x, x.mul(slope));
		const [up, down] = [matrix("up", 2 * D, D), matrix("down", D, 2 * D)];
		learns((x) => x.add(linear(prelu(linear(x, up)), down)), lowering);
	},
	"a gated MLP": (lowering) => {
		const [gate, up, down] = [matrix("gate", 2 * D, D), matrix("up", 2 * D, D), matrix("down", D, 2 * D)];
		learns((x) => {
			const h = rmsNorm(x);
			return x.add(linear(silu(linear(h, gate)).mul(linear(h, up)), down));
		}, lowering);
	},
	"another norm: LayerNorm with gain and bias": (lowering) => {
		const [gain, bias] = [parameter("gain", ones([D])), parameter("bias", zeros([D]))];
		const layerNorm = (x: Tensor) => {
			const centred = x.sub(x.mean(-1, { keepdim: true }));
			return centred
				.mul(variance(x, -1, { keepdim: true }).add(1e-5).rsqrt())
				.mul(gain)
				.add(bias);
		};
		const [up, down] = [matrix("up", 2 * D, D), matrix("down", D, 2 * D)];
		learns((x) => x.add(linear(gelu(linear(layerNorm(x), up)), down)), lowering);
	},
	"tied embeddings": (lowering) => learns((x) => x.mul(1.5), lowering, withAdamW, { tied: true }),
	"another scale of attention, learned for each head, and a soft cap on its logits": (lowering) => {
		const [H, C] = [4, D / 4];
		const temperature = parameter("temperature", full([H, 1], 1));
		const [qkv, out] = [matrix("qkv", 3 * D, D), matrix("out", D, D)];
		learns((x) => {
			const heads = linear(x, qkv).reshape([B, T, 3 * H, C]);
			const [q, k, v] = [0, H, 2 * H].map((from) => heads.slice(2, from, from + H)) as [Tensor, Tensor, Tensor];
			const y = attention(rotary(rmsNorm(q).mul(temperature)), rotary(rmsNorm(k)), v, { scale: 0.12 });
			return x.add(linear(y.reshape([B, T, D]), out));
		}, lowering);
	},
	"attention written out with matrix products and a mask of its own": (lowering) => {
		const bias = tensor(
			Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e9 : (i % T) - Math.floor(i / T))),
			[T, T],
		);
		const [query, key, value] = [matrix("q", D, D), matrix("k", D, D), matrix("v", D, D)];
		learns((x) => {
			const scores = matmul(linear(x, query), linear(x, key), { transposeB: true }).div(Math.sqrt(D));
			return x.add(matmul(softmax(scores.add(bias.mul(0.1))), linear(x, value)));
		}, lowering);
	},
	"a convolution along time made of shifts": (lowering) => {
		const taps = parameter("taps", normal([4, D], 0.3, draw));
		learns((x) => {
			let y = x.mul(taps.slice(0, 0, 1).reshape([D]));
			for (let i = 1; i < 4; i++) y = y.add(shift(x, i).mul(taps.slice(0, i, i + 1).reshape([D])));
			return x.add(y);
		}, lowering);
	},
	"an embedding of the previous token, gated by the present one": (lowering) => {
		const [previous, gate] = [matrix("previous", V, D), matrix("gate", D, D)];
		learns((x, tokens) => x.add(embedding(shift(tokens, 1), previous).mul(sigmoid(linear(x, gate)))), lowering);
	},
	"a mixture of two experts": (lowering) => {
		const router = matrix("router", 2, D);
		const experts = [0, 1].map((i) => [matrix(`up${i}`, D, D), matrix(`down${i}`, D, D)] as const);
		learns((x) => {
			const weights = softmax(linear(x, router));
			return experts.reduce((y, [up, down], i) => {
				const out = linear(relu(linear(x, up)).square(), down);
				return y.add(out.mul(weights.slice(-1, i, i + 1)));
			}, x);
		}, lowering);
	},
	"a second optimizer: Lion": (lowering) => {
		// Chen et al. 2023: the sign of an interpolated momentum.
		const lion: Optimizer = (weights, gradients, lr) =>
			weights.flatMap((weight, i) => {
				const gradient = gradients[i]!;
				const momentum = state(`momentum.${weight.name}`, zeros(weight.shape));
				const direction = momentum.mul(0.9).add(gradient.mul(0.1));
				const sign = step(direction).sub(step(direction.neg()));
				return [assign(weight, weight.sub(sign.mul(lr))), assign(momentum, momentum.mul(0.99).add(gradient.mul(0.01)))];
			});
		learns((x) => x, lowering, lion);
	},
	"clipping of gradients by their global norm, and an average of the weights": (lowering) => {
		const clipped: Optimizer = (weights, gradients, lr) => {
			const norm = sqrt(gradients.map((g) => g.square().sum()).reduce((a, b) => a.add(b)));
			const factor = minimum(div(1, norm.add(1e-6)), 1);
			const updates = adamw(
				weights,
				gradients.map((g) => g.mul(factor)),
				{ lr, weightDecay: 0.01 },
			);
			const averages = weights.map((weight) => {
				const average = state(`average.${weight.name}`, zeros(weight.shape));
				return assign(average, average.mul(0.9).add(weight.mul(0.1)));
			});
			return [...updates, ...averages];
		};
		learns((x) => x, lowering, clipped);
	},
};
