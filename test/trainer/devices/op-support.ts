/**
 * What each back end's `supports_op` says yes to, of f32 and i32, in ggml's names. Read from the source of ggml 0.21.0
 * (commit d99724f2; functions ggml_backend_cuda_device_supports_op and ggml_metal_device_supports_op): the newest that is
 * mirrored where this was written, older than the pinned 0.25.1. docs/gpu.md has the table.
 */
const EVERYWHERE = [
	...["NONE", "RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE", "CONT", "CPY", "CONCAT", "REPEAT", "GET_ROWS", "SET_ROWS"],
	...["ADD", "SUB", "MUL", "DIV", "SCALE", "SQR", "SQRT", "SIN", "COS", "LOG", "SUM", "SUM_ROWS", "MEAN"],
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
