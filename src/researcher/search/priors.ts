/**
 * What is known about the constants of a transformer's training file before anything was measured: how a constant is
 * best stepped, what changing it does and who found that out, and which constants are best changed together.
 * "nanochat's log" is dev/LOG.md of karpathy/nanochat. A constant that no entry matches gets default steps and a
 * hypothesis that claims nothing.
 */

/** How a number is stepped: by ratios, by differences, or by ratios of its distance to one (0.9, 0.95, 0.975). */
export type Scale = "log" | "linear" | "complement";

export interface ParameterPrior {
	/** Matches the constant's name. The first match wins. */
	name: RegExp;
	scale?: Scale;
	/** The size of one step: a ratio for log and complement, a difference for linear. */
	step?: number;
	/** True when a whole number in the source may become a fraction. */
	real?: boolean;
	/** How much a step usually matters, relative to other constants; 1 unless given. */
	weight?: number;
	/**
	 * Which direction suits a run of seconds instead of hours: +1 for up, -1 for down. Where few steps fit, small
	 * batches, small models and high learning rates do better.
	 */
	shortRun?: 1 | -1;
	/**
	 * Why raising it (switching it on, another option) may help, and why lowering it (switching it off) may: a true
	 * statement with its source, as a clause without a full stop.
	 */
	up?: string;
	down?: string;
}

const PRIORS: ParameterPrior[] = [
	// Schedule
	{
		name: /WARM_?DOWN|COOL_?DOWN|DECAY_(FRACTION|RATIO|STEPS)|LR_DECAY/,
		real: true,
		up: "the loss falls fastest while the rate decays, and a longer decay gains a little more (Hägele et al. 2024)",
		down: "decaying the learning rate over 10 to 20% of the steps comes close to a full decay (Hägele et al. 2024)",
	},
	{
		name: /MOMENTUM_?WARM_?UP/,
		weight: 0.5,
		up: "less momentum follows early gradients, which change quickly; autoresearch raises Muon's over 300 steps",
		down: "momentum near 1 averages more gradients (Goh 2017), and a short run has few steps to spend below it",
	},
	{
		name: /WARM_?UP/,
		weight: 0.5,
		shortRun: -1,
		real: true,
		up: "Adam's second moment rests on few gradients at first, and warmup keeps those steps small (Liu et al. 2020)",
		down: "a pre-norm transformer trains without warmup (Xiong et al. 2020), and karpathy/autoresearch has none",
	},
	{
		name: /FINAL_LR|LR_(MIN|FLOOR|FINAL)|MIN_LR/,
		real: true,
		up: "steps at a learning rate of zero change nothing; nanochat ends at 0.05 of the full rate",
		down: "a linear decay to zero gave lower losses than one that stops at a tenth (Bergsma et al. 2025)",
	},

	// Optimizer
	{
		name: /(UNEMBED|LM_?HEAD|HEAD).*LR$/,
		scale: "log",
		real: true,
		up: "the best Adam rate of the output layer goes with 1 / width: high in a narrow model (Yang et al. 2022)",
		down: "at high learning rates output logits grow until training diverges (Wortsman et al. 2023)",
	},
	{
		name: /(EMBED|WTE).*LR$/,
		scale: "log",
		real: true,
		up: "a row of the embedding is updated only when its token occurs; nanochat gives the table 15 times Muon's rate",
		down: "Adam moves each weight by about the learning rate, however small its gradient (Kingma & Ba 2015)",
	},
	{
		name: /SCALAR.*LR$/,
		weight: 1.5,
		shortRun: 1,
		scale: "log",
		real: true,
		up: "the best rate of the x0 scalars was 0.1 to 0.6, by depth (nanochat's log, 2026-01-11)",
		down: "scalars that multiply the residual stream need a rate about 100 times lower (nanochat's log, 2026-01-11)",
	},
	{
		name: /(MATRIX|MUON).*LR$/,
		weight: 1.5,
		shortRun: 1,
		scale: "log",
		real: true,
		up: "Muon's update has one size whatever the gradient's (Jordan et al. 2024): few steps go far only at a high rate",
		down: "Muon's update does not shrink with the gradient (Jordan et al. 2024): a lower rate settles in a minimum",
	},
	{
		name: /(^|_)(LR|LEARNING_RATE)($|_)/,
		weight: 1.5,
		shortRun: 1,
		scale: "log",
		real: true,
		up: "the best learning rate rises as the number of training tokens falls (Bjorck et al. 2024)",
		down: "beyond a critical learning rate the loss spikes or diverges (Wortsman et al. 2023)",
	},
	{
		name: /WEIGHT_DECAY|(^|_)WD$|L2/,
		scale: "log",
		real: true,
		up: "weights average updates over 1 / (rate * decay) steps, best no longer than the run (Wang & Aitchison 2024)",
		down: "in one pass over the data decay only sets the effective learning rate (Andriushchenko et al. 2023)",
	},
	{
		name: /(MUON|ROW|COLUMN).*BETA/,
		weight: 0.5,
		scale: "complement",
		real: true,
		up: "NorMuon scales rows by a running mean of their squares (Li et al. 2025); a longer mean is less noisy",
		down: "NorMuon scales rows by a running mean of their squares (Li et al. 2025); a shorter mean follows sooner",
	},
	{
		name: /BETA_?2|BETA2/,
		weight: 0.5,
		scale: "complement",
		real: true,
		up: "the smaller the batch, the nearer to 1 the best beta2 lies (Marek et al. 2025)",
		down: "beta2 = 0.95 is usual for language models (Brown et al. 2020): a short memory follows gradients that change",
	},
	{
		name: /BETA|MOMENTUM/,
		weight: 0.5,
		scale: "complement",
		real: true,
		up: "momentum averages about 1 / (1 - beta) gradients and speeds up directions of low curvature (Goh 2017)",
		down: "at small batches momentum saves few steps over none (Shallue et al. 2019), and less of it reacts sooner",
	},
	{
		name: /GRAD(IENT)?_?CLIP|CLIP/,
		real: true,
		up: "clipping brought nothing where gradient norms stayed below the threshold (nanochat's log, 2026-01-08)",
		down: "clipping bounds the steps of heavy-tailed gradients (Zhang et al. 2020)",
	},
	{
		name: /(^|_)EPS(ILON)?($|_)/,
		weight: 0.3,
		scale: "log",
		step: 10,
		real: true,
		up: "a larger epsilon makes Adam behave more like momentum SGD where gradients are small (Choi et al. 2019)",
		down: "an epsilon as large as the gradients shrinks Adam's updates (Wortsman et al. 2023)",
	},

	// Batch
	{
		name: /GRAD(IENT)?_?ACC|ACCUM/,
		shortRun: -1,
		up: "below the critical batch size, twice the batch makes almost twice the progress (McCandlish et al. 2018)",
		down: "accumulating gradients is wasteful where smaller batches train as stably (Marek et al. 2025)",
	},
	{
		name: /BATCH|(^|_)ROWS$/,
		weight: 1.5,
		shortRun: -1,
		scale: "log",
		up: "below the critical batch size, twice the batch makes almost twice the progress (McCandlish et al. 2018)",
		down: "above the critical batch size, smaller batches learn more from the same tokens (McCandlish et al. 2018)",
	},
	{
		name: /(SEQ|SEQUENCE|CONTEXT|BLOCK)_?(LEN|LENGTH|SIZE)|(^|_)LENGTH$|MAX_SEQ/,
		shortRun: -1,
		scale: "log",
		up: "late tokens of a context are predicted better than early ones, and a longer one has more (Kaplan et al. 2020)",
		down: "training on shorter sequences is faster, and early in training no worse (Press et al. 2021)",
	},

	// Model
	{
		name: /GATE(?!D)/,
		weight: 0.3,
		up: "karpathy/autoresearch gates value embeddings by 32 channels of the layer's input, nanochat by 12",
		down: "nanochat gates value embeddings by 12 channels of the layer's input, karpathy/autoresearch by 32",
	},
	{
		name: /DEPTH|(^|_)(N_?)?LAYERS?$|N_LAYER|NUM_LAYERS/,
		weight: 1.5,
		shortRun: -1,
		up: "loss falls as a power of the parameter count (Kaplan et al. 2020), and each layer adds parameters",
		down: "the less compute, the smaller the best model (Hoffmann et al. 2022): a shallower one takes more steps",
	},
	{
		name: /WIDTH|(^|_)(D_?MODEL|MODEL_?DIM|N_?EMBD|EMBED_?DIM|HIDDEN|CHANNELS|ASPECT)/,
		weight: 1.5,
		shortRun: -1,
		up: "loss falls as a power of the parameter count (Kaplan et al. 2020), which grows with the square of the width",
		down: "the less compute, the smaller the best model (Hoffmann et al. 2022): a narrower one takes more steps",
	},
	{
		name: /KV_?HEADS?$/,
		up: "with as many key and value heads as query heads, attention is at its best quality (Ainslie et al. 2023)",
		down: "query heads that share keys and values lose little quality (Ainslie et al. 2023) and save matrix products",
	},
	{
		name: /HEAD_?(DIM|SIZE)/,
		up: "heads of few dimensions cannot express every pattern (Bhojanapalli et al. 2020); nanochat prefers 128 to 64",
		down: "GPT-2's heads have 64 dimensions at every width (Radford et al. 2019), and narrower heads are cheaper",
	},
	{
		name: /(N|NUM)_?HEADS?$|(^|_)HEADS?$/,
		up: "several heads attend to several positions at once (Vaswani et al. 2017)",
		down: "many heads of a trained model can be removed at little loss (Michel et al. 2019)",
	},
	{
		name: /GATED|GLU$/,
		up: "gated MLPs reached lower perplexity than plain ones of equal size (Shazeer 2020)",
		down: "without the gate an MLP needs two matrix products instead of three; nanochat's has none",
	},
	{
		name: /MLP|FFN?_|EXPANSION|FEED_?FORWARD/,
		up: "the hidden units of the MLP act as a key-value memory (Geva et al. 2021), and a wider one holds more",
		down: "at equal parameters the ratio matters little over a wide range (Kaplan et al. 2020); a narrow MLP is faster",
	},
	{
		name: /WINDOW/,
		up: "three short windows and a long one (SSSL) balanced compute and loss well (nanochat's log, 2026-01-11)",
		down: "three short windows and a long one (SSSL) balanced compute and loss well (nanochat's log, 2026-01-11)",
	},
	{
		name: /SOFT_?CAP/,
		real: true,
		up: "of caps from 5 to 30, 20 was best and 5 by far the worst (nanochat's log, 2026-03-02)",
		down: "a softcap bounds the logits, which Gemma 2 (2024) does at 30 and karpathy/autoresearch at 15",
	},
	{
		name: /ROPE|ROTARY|THETA/,
		weight: 0.5,
		scale: "log",
		step: 3,
		up: "a larger base lets distant tokens contribute more to attention (Xiong et al. 2023); nanochat's is 100000",
		down: "with a smaller base more dimensions turn through a full period within the context (Liu et al. 2023)",
	},
	{
		name: /DROP_?OUT/,
		real: true,
		scale: "linear",
		step: 0.05,
		up: "dropout helps once the data is repeated (Xue et al. 2023)",
		down: "a run that sees the data about once does not overfit, and dropout slows it (Geiping & Goldstein 2022)",
	},
	{
		name: /(UNEMBED|LM_?HEAD|HEAD).*(INIT|STD)/,
		scale: "log",
		real: true,
		up: "the gradient that reaches the layers is proportional to the output weights, which nanochat starts at 0.001",
		down: "an output layer that starts near zero makes the first predictions uniform; nanochat starts it at 0.001",
	},
	{
		name: /(EMBED|WTE).*(INIT|STD)/,
		scale: "log",
		real: true,
		up: "behind RMSNorm its length only sets how far an update turns an embedding: less if longer; autoresearch has 1",
		down: "behind RMSNorm its length only sets how far an update turns an embedding: more if shorter; nanochat has 0.8",
	},
	{
		name: /X0.*INIT/,
		scale: "log",
		real: true,
		up: "nanochat starts the scalar of x0 at 0.2 in its first layer and at 0.05 in its last",
		down: "a scalar of zero leaves x0 out until the model learns to use it (nanochat's log, 2026-01-11)",
	},
	{
		name: /INIT|STD/,
		scale: "log",
		real: true,
		up: "a standard deviation of 1 / sqrt(inputs) keeps the size of activations through layers (LeCun et al. 1998)",
		down: "GPT-2 starts projections into the residual stream smaller the more layers there are (Radford et al. 2019)",
	},
	{
		name: /TIE|TIED/,
		up: "tying input and output embeddings lowered perplexity with fewer weights (Press & Wolf 2017)",
		down: "untied, the embedding and the output layer get rates of their own; nanochat does not tie them",
	},
	{
		name: /ACTIVATION|ACT_FN|NONLINEARITY/,
		up: "an architecture search found relu squared (So et al. 2021); gelu is GPT-2's, silu SwiGLU's (Shazeer 2020)",
		down: "an architecture search found relu squared (So et al. 2021); gelu is GPT-2's, silu SwiGLU's (Shazeer 2020)",
	},
	{
		name: /QK_?NORM/,
		up: "normalised queries and keys bound the attention logits, which allows higher rates (Wortsman et al. 2023)",
		down: "QK norm prevents an instability of high learning rates (Wortsman et al. 2023); without it steps are cheaper",
	},
	{
		name: /NORM/,
		up: "pre-norm trains stably (Xiong et al. 2020); Gemma 2 (2024) normalises each sublayer's output as well",
		down: "pre-norm trains stably (Xiong et al. 2020), and each further normalisation costs time",
	},
	{
		name: /VALUE_EMB/,
		up: "value embeddings add capacity at almost no compute, best in alternate layers (nanochat's log, 2026-01-17)",
		down: "value embeddings bloat the parameter count (nanochat's log, 2026-01-17), and each table makes a step slower",
	},
	{
		name: /TOKEN_?SHIFT|SMEAR/,
		up: "mixing in the previous token gives the first layer bigrams at little cost (RWKV, Peng et al. 2023)",
		down: "a gate for mixing in the previous token gained next to nothing (nanochat's log, 2026-01-16)",
	},
	{
		name: /RESID|SKIP|X0/,
		up: "adding the scaled embedding x0 in each layer lowered val_bpb at every depth (nanochat's log, 2026-01-11)",
		down: "GPT-2's residual stream has no scalars (Radford et al. 2019), and without them a step is cheaper",
	},
	{
		name: /BF16|FP16|PRECISION|DTYPE/,
		up: "training in bf16 reaches the loss of f32 (Kalamkar et al. 2019), faster where the device has bf16 products",
		down: "f32 keeps 24 significant bits where bf16 keeps 8 (Kalamkar et al. 2019)",
	},
	{ name: /(SCALE|MULT|MULTIPLIER|TEMPERATURE|GAIN|RATIO|FRACTION|FRAC|LAMBDA|ALPHA)$/, real: true },
];

export function priorOf(name: string): ParameterPrior | undefined {
	return PRIORS.find((prior) => prior.name.test(name));
}

/** Two constants that are best changed together: when the first goes up, the second goes the given way. */
export interface Coupling {
	first: RegExp;
	second: RegExp;
	together: "same" | "opposite";
	/** Why the second follows when the first goes up, and when it goes down. Clauses. */
	up: string;
	down: string;
}

/** The rates of embeddings, output layer and scalars follow width and batch in other ways. */
const MATRIX_RATE = /^(?!.*(EMB|HEAD|SCALAR)).*(LR|LEARNING_RATE)$/;
const DEPTH = /DEPTH|(^|_)(N_?)?LAYERS?$/;
const WIDTH = /WIDTH|MODEL_?DIM|D_?MODEL|N_?EMBD|ASPECT/;
const BATCH = /BATCH|(^|_)ROWS$/;

export const COUPLINGS: Coupling[] = [
	{
		first: /BATCH|ACCUM|(^|_)ROWS$/,
		second: MATRIX_RATE,
		together: "same",
		up: "the best learning rate grows with the batch, as its square root for Adam (Malladi et al. 2022)",
		down: "the best learning rate falls with the batch, as its square root for Adam (Malladi et al. 2022)",
	},
	{
		first: WIDTH,
		second: MATRIX_RATE,
		together: "opposite",
		up: "the best learning rate of hidden layers falls as they widen (Yang et al. 2022)",
		down: "the best learning rate of hidden layers rises as they narrow (Yang et al. 2022)",
	},
	{
		first: DEPTH,
		second: /WIDTH|MODEL_?DIM|D_?MODEL|N_?EMBD|ASPECT|MLP/,
		together: "opposite",
		up: "loss depends on the parameter count more than on the shape (Kaplan et al. 2020): less width pays for layers",
		down: "loss depends on the parameter count more than on the shape (Kaplan et al. 2020): fewer layers pay for width",
	},
	{
		first: /DEPTH|WIDTH|MODEL_?DIM|D_?MODEL|N_?EMBD|MLP/,
		second: BATCH,
		together: "opposite",
		up: "a smaller batch keeps the number of steps in the budget about the same",
		down: "a larger batch keeps the number of steps in the budget about the same",
	},
	{
		first: /(^|_)LENGTH$|(SEQ|CONTEXT|BLOCK)_?(LEN|SIZE)/,
		second: BATCH,
		together: "opposite",
		up: "fewer sequences keep the tokens of a batch about the same",
		down: "more sequences keep the tokens of a batch about the same",
	},
	{
		first: /(^|_)(LR|LEARNING_RATE)$/,
		second: /WARM_?DOWN|COOL_?DOWN/,
		together: "same",
		up: "a higher rate leaves more noise in the weights, which the decay removes (Wen et al. 2024)",
		down: "a lower rate leaves less noise in the weights, so that a shorter decay removes it (Wen et al. 2024)",
	},
	{
		first: /(N|NUM)_?HEADS?$|^HEADS?$/,
		second: /KV_?HEADS?$/,
		together: "same",
		up: "the number of key and value heads must divide that of query heads, so both change",
		down: "the number of key and value heads must divide that of query heads, so both change",
	},
];
