/**
 * What a run may not change: the numbers that make two experiments comparable. A lab with a GPU raises them here,
 * before its first experiment; from then on they stay.
 */

/** Tokens of context the metric is measured with, and the default of train.ts. karpathy/autoresearch: MAX_SEQ_LEN. */
export const SEQUENCE_LENGTH = 256;

/**
 * Rows of SEQUENCE_LENGTH tokens the metric covers, always the same ones: 32,768 predictions. On `sotu` that is 139 kB,
 * three tenths of the validation split, drawn from all of its speeches. The standard error of the difference of two
 * models was 0.001 bits per byte for two runs of one file and seed, which differed by 0.008, and 0.003 for two seeds
 * (bench/paired-difference.ts).
 */
export const EVAL_ROWS = 128;

/** Rows in one forward pass of the evaluation. Divides EVAL_ROWS; only speed and memory depend on it. */
export const EVAL_BATCH_ROWS = 16;

/** Tokens in the vocabulary, the reserved ones included. */
export const VOCAB_SIZE = 4096;

/** The last ids of the vocabulary. The first of them begins every passage (BOS); the others are there to be used. */
export const RESERVED_TOKENS = ["<|reserved_0|>", "<|reserved_1|>", "<|reserved_2|>", "<|reserved_3|>"] as const;

/**
 * GPT-4's pre-tokenisation with numbers cut after two digits instead of three (as nanochat does, for small
 * vocabularies). Written without possessive quantifiers and inline flags, which change nothing here, so that the same
 * text means the same to JavaScript and to tiktoken.
 */
export const SPLIT_PATTERN =
	"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])" +
	"|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+" +
	"|\\p{N}{1,2}" +
	"| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" +
	"|\\s*[\\r\\n]" +
	"|\\s+(?!\\S)" +
	"|\\s+";

/** Share of the documents that go to `val` and to `test`, each. */
export const HELD_OUT_SHARE = 0.05;
