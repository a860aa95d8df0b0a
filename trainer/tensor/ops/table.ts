/**
 * The table of operations. A checkpoint is rebuilt through it, so a file cannot hold anything train.ts could not have
 * written; the lowerings are typed by it, so an operation without a lowering does not compile.
 */
import { fail } from "../errors.ts";
import type { Attributes, Tensor } from "../tensor.ts";
import { attentionBackward, attentionOp } from "./attention.ts";
import { broadcastToOp, sumToOp } from "./broadcast.ts";
import { buildNode, type Definition, type NodeOf, type Operation } from "./define.ts";
import * as elementwise from "./elementwise.ts";
import { fullOp } from "./leaf.ts";
import { matmulOp } from "./matmul.ts";
import * as nn from "./nn.ts";
import { concatOp, padOp, permuteOp, reshapeOp, sliceOp } from "./shape.ts";

const OPERATIONS = [
	fullOp,
	elementwise.addOp,
	elementwise.subOp,
	elementwise.mulOp,
	elementwise.divOp,
	elementwise.affineOp,
	elementwise.expOp,
	elementwise.logOp,
	elementwise.sqrtOp,
	elementwise.squareOp,
	elementwise.absOp,
	elementwise.sinOp,
	elementwise.cosOp,
	elementwise.stepOp,
	elementwise.reluOp,
	elementwise.sigmoidOp,
	elementwise.tanhOp,
	elementwise.siluOp,
	elementwise.softcapOp,
	sumToOp,
	broadcastToOp,
	reshapeOp,
	permuteOp,
	sliceOp,
	padOp,
	concatOp,
	matmulOp,
	nn.embeddingOp,
	nn.embeddingBackward,
	nn.rmsNormOp,
	nn.rmsNormBackward,
	nn.softmaxOp,
	nn.rotaryOp,
	nn.crossEntropyOp,
	nn.crossEntropyBackward,
	nn.detachOp,
	attentionOp,
	attentionBackward,
] as const;

type Known = (typeof OPERATIONS)[number];

/** The name of an operation in the table. */
export type OpName = Known["op"];

/** A node of the operation `Name`, with its attributes typed. */
export type TensorOf<Name extends OpName> = Name extends OpName
	? Extract<Known, { op: Name }> extends Operation<Name, infer Spec>
		? NodeOf<Name, Spec>
		: never
	: never;

const table = new Map<string, Definition>(OPERATIONS.map(({ op, definition }) => [op, definition]));

export function definition(op: string): Definition | undefined {
	return table.get(op);
}

/** Builds a node of the operation that `op` names, checking attributes, number of inputs, and shapes. */
export function build(op: string, inputs: readonly Tensor[], attrs: Attributes): Tensor {
	const known = table.get(op);
	if (!known) fail(op, "no such operation");
	return buildNode(op, known, inputs, attrs);
}
