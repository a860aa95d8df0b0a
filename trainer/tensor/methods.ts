/** The methods of tensors: the functions of the same name, so that expressions read from left to right. */
import * as elementwise from "./ops/elementwise.ts";
import * as reduce from "./ops/reduce.ts";
import * as shaping from "./ops/shape.ts";
import { Tensor } from "./tensor.ts";

/** Every method that tensor.ts declares. */
type Methods = {
	[Name in keyof Tensor as Tensor[Name] extends (...args: never[]) => Tensor ? Name : never]: Tensor[Name];
};

const methods: Methods & ThisType<Tensor> = {
	add(other) {
		return elementwise.add(this, other);
	},
	sub(other) {
		return elementwise.sub(this, other);
	},
	mul(other) {
		return elementwise.mul(this, other);
	},
	div(other) {
		return elementwise.div(this, other);
	},
	neg() {
		return elementwise.neg(this);
	},
	square() {
		return elementwise.square(this);
	},
	sqrt() {
		return elementwise.sqrt(this);
	},
	rsqrt() {
		return elementwise.rsqrt(this);
	},
	exp() {
		return elementwise.exp(this);
	},
	log() {
		return elementwise.log(this);
	},
	sum(dim, options) {
		return reduce.sum(this, dim, options);
	},
	mean(dim, options) {
		return reduce.mean(this, dim, options);
	},
	reshape(...shape) {
		return shaping.reshape(this, list(shape));
	},
	transpose(a, b) {
		return shaping.transpose(this, a, b);
	},
	permute(...dims) {
		return shaping.permute(this, list(dims));
	},
	slice(dim, start, end) {
		return shaping.slice(this, dim, start, end);
	},
};

/** Gives every tensor its methods. index.ts calls it; the library itself uses functions. */
export function installMethods(): void {
	for (const [name, value] of Object.entries(methods)) {
		Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
	}
}

/** Numbers as a method was given them: in one list, or one by one as in PyTorch. */
function list(given: [readonly number[]] | number[]): readonly number[] {
	const [first] = given;
	return Array.isArray(first) ? first : (given as number[]);
}
