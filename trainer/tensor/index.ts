/**
 * The tensor library: PyTorch's vocabulary and shapes, differentiated by one tape, run by ggml.
 *
 * Functions build expressions; nothing is computed until a compiled graph runs:
 *
 *     const x = input("x", [8, 3]);
 *     const w = parameter("w", zeros([2, 3]));
 *     const loss = linear(x, w).square().mean();
 *     const [gradient] = grad(loss, [w]);
 *     const step = compile({ loss }, [assign(w, w.sub(gradient.mul(0.1)))]);
 *     step.run({ x: new Float32Array(24) }).loss.item();
 */
import { installMethods } from "./methods.ts";

export { type CompiledGraph, compile, type Memory, memoryForecast, type Result } from "./compile.ts";
export { configure, type Device, type DeviceOptions, describeCpu } from "./device/device.ts";
export type { DeviceKind, DeviceName } from "./device/name.ts";
export { TensorError } from "./errors.ts";
export { grad } from "./grad.ts";
export { attention } from "./ops/attention.ts";
export { broadcastTo } from "./ops/broadcast.ts";
export {
	abs,
	add,
	cos,
	div,
	exp,
	gelu,
	log,
	maximum,
	minimum,
	mul,
	neg,
	pow,
	relu,
	rsqrt,
	sigmoid,
	sign,
	silu,
	sin,
	softcap,
	sqrt,
	square,
	step,
	sub,
	tanh,
	where,
} from "./ops/elementwise.ts";
export { full, input, ones, scalar, tensor, zeros } from "./ops/leaf.ts";
export { linear, matmul } from "./ops/matmul.ts";
export { crossEntropy, detach, embedding, rmsNorm, rotary, softmax } from "./ops/nn.ts";
export { mean, sum, variance } from "./ops/reduce.ts";
export { concat, pad, permute, reshape, shift, slice, transpose } from "./ops/shape.ts";
export { adamw } from "./optim/adamw.ts";
export { muon } from "./optim/muon.ts";
export {
	buffer,
	/** The former name of `buffer`, for training files of version 0.1. */
	buffer as state,
	normal,
	type Parameter,
	parameter,
	parameters,
	uniform,
} from "./parameter.ts";
export type { Update } from "./plan.ts";
export { type Random, seeded } from "./random.ts";
export { assign } from "./schedule.ts";
export { read, write } from "./storage.ts";
export { type Operand, type Shape, Tensor } from "./tensor.ts";

installMethods();
