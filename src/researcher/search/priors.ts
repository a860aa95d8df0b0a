/**
 * What is known about the constants of a transformer's training file before anything was tried: how a constant is
 * best stepped, what moving it does, and which ones belong together. A table of the field's common knowledge, kept small; a constant
 * it does not know gets a generic word.
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
	/** How much a step usually matters, beside other constants; 1 unless given. */
	weight?: number;
	/**
	 * Which way a run of seconds instead of hours leans: +1 for up, -1 for down. Where few steps fit, small batches and models
	 * and high rates come further.
	 */
	shortRun?: 1 | -1;
	/** Why raising (switching on) it may help, and why lowering (switching off) it may. Clauses without a full stop. */
	up: string;
	down: string;
}

const PRIORS: ParameterPrior[] = [
	{
		name: /WARM_?DOWN|COOL_?DOWN|DECAY_(FRACTION|RATIO|STEPS)|LR_DECAY/,
		real: true,
		up: "a longer warm-down averages out gradient noise over more of the budget",
		down: "a shorter warm-down leaves more of the budget at the full learning rate",
	},
	{
		name: /MOMENTUM_?WARM_?UP/,
		weight: 0.5,
		up: "momentum that rises slowly lets the first steps find their direction",
		down: "full momentum from the start goes further in few steps",
	},
	{
		name: /WARM_?UP/,
		weight: 0.5,
		shortRun: -1,
		real: true,
		up: "a longer warm-up spares the first updates, when the optimizer's moments are still poor",
		down: "a short budget cannot afford steps at a low learning rate",
	},
	{
		name: /FINAL_LR|LR_(MIN|FLOOR|FINAL)|MIN_LR/,
		real: true,
		up: "updates near the end still teach something if the rate does not fall to nothing",
		down: "a lower final rate settles deeper into the minimum",
	},
	{
		name: /(EMBED|WTE|UNEMBED|LM_?HEAD|HEAD).*LR$/,
		scale: "log",
		real: true,
		up: "rows of rare tokens are seldom updated and can take larger steps",
		down: "embeddings that move too fast make the layers above chase them",
	},
	{
		name: /(^|_)(LR|LEARNING_RATE)($|_)/,
		weight: 1.5,
		shortRun: 1,
		scale: "log",
		real: true,
		up: "few steps fit in the budget, so each one should go further",
		down: "smaller steps follow the loss surface more closely and may end lower",
	},
	{
		name: /WEIGHT_DECAY|(^|_)WD$|L2/,
		scale: "log",
		real: true,
		up: "stronger decay keeps the weights small, so that updates stay large beside them",
		down: "a short run sees little data twice and needs less regularisation",
	},
	{
		name: /BETA_?2|BETA2/,
		weight: 0.5,
		scale: "complement",
		real: true,
		up: "a longer memory makes the second moment less noisy",
		down: "a shorter memory lets the second moment follow a fast-changing gradient",
	},
	{
		name: /BETA|MOMENTUM/,
		weight: 0.5,
		scale: "complement",
		real: true,
		up: "more momentum averages the gradient over more batches",
		down: "less momentum reacts sooner, which counts when steps are few",
	},
	{
		name: /GRAD(IENT)?_?CLIP|CLIP/,
		real: true,
		up: "clipping that seldom acts leaves the gradients' own scale",
		down: "tighter clipping tames rare large updates",
	},
	{
		name: /GRAD(IENT)?_?ACC|ACCUM/,
		shortRun: -1,
		up: "accumulating more gives each update a cleaner gradient",
		down: "accumulating less gives more updates in the same seconds",
	},
	{
		name: /BATCH|(^|_)ROWS$/,
		weight: 1.5,
		shortRun: -1,
		scale: "log",
		up: "larger batches give cleaner gradients and use the hardware better",
		down: "smaller batches give more updates in the same seconds",
	},
	{
		name: /(SEQ|SEQUENCE|CONTEXT|BLOCK)_?(LEN|LENGTH|SIZE)|(^|_)LENGTH$|MAX_SEQ/,
		shortRun: -1,
		scale: "log",
		up: "longer rows let the model learn to use more context",
		down: "shorter rows make attention cheaper, so more tokens are seen",
	},
	{
		name: /GATE(?!D)/,
		weight: 0.3,
		up: "a gate with more to look at can choose better",
		down: "a leaner gate costs less and may choose as well",
	},
	{
		name: /DEPTH|(^|_)(N_?)?LAYERS?$|N_LAYER|NUM_LAYERS/,
		weight: 1.5,
		shortRun: -1,
		up: "a deeper model composes more features, if the steps it costs are worth it",
		down: "a shallower model trains more steps in the same seconds",
	},
	{
		name: /WIDTH|(^|_)(D_?MODEL|MODEL_?DIM|N_?EMBD|EMBED_?DIM|HIDDEN|CHANNELS|ASPECT)/,
		weight: 1.5,
		shortRun: -1,
		up: "a wider model learns more from each token, if the steps it costs are worth it",
		down: "a narrower model trains more steps in the same seconds",
	},
	{
		name: /QUERIES_PER|KV_?HEADS?_?RATIO/,
		up: "queries can share keys and values without much loss, and attention gets cheaper",
		down: "keys and values of their own let heads attend to different things",
	},
	{
		name: /HEAD_?(DIM|SIZE)|(N|NUM)_?(KV_?)?HEADS?|(^|_)(KV_)?HEADS?$/,
		up: "it changes how finely attention is divided among heads",
		down: "it changes how finely attention is divided among heads",
	},
	{
		name: /MLP|FFN?_|EXPANSION|FEED_?FORWARD/,
		up: "more of the model's capacity goes into the MLP, where most facts are stored",
		down: "a leaner MLP makes each step cheaper, so more of them fit in the budget",
	},
	{
		name: /WINDOW/,
		up: "wider attention windows reach further back",
		down: "narrower attention windows make steps cheaper; most of the prediction is local",
	},
	{
		name: /SOFT_?CAP/,
		real: true,
		up: "a looser cap lets the model be as sure as it can be",
		down: "a tighter cap keeps logits from growing early, which steadies training",
	},
	{
		name: /ROPE|ROTARY|THETA/,
		weight: 0.5,
		scale: "log",
		step: 3,
		up: "slower rotations tell distant positions apart",
		down: "faster rotations tell near positions apart, which is most of what a small model needs",
	},
	{
		name: /DROP_?OUT/,
		real: true,
		scale: "linear",
		step: 0.05,
		up: "dropout helps once the data is seen again",
		down: "a run that sees the data about once has nothing to over-fit",
	},
	{
		name: /INIT|STD/,
		scale: "log",
		real: true,
		up: "a larger initial scale gives the layers a voice from the first step",
		down: "a smaller initial scale starts the residual stream close to the identity",
	},
	{
		name: /EPS/,
		weight: 0.3,
		scale: "log",
		step: 10,
		real: true,
		up: "a larger epsilon damps updates of parameters with tiny gradients",
		down: "a smaller epsilon keeps the update's scale free of the gradient's",
	},
	{
		name: /(SCALE|MULT|MULTIPLIER|TEMPERATURE|GAIN|RATIO|FRACTION|FRAC|LAMBDA|ALPHA)$/,
		real: true,
		up: "its effect has room to be stronger",
		down: "its effect may be too strong",
	},
	{
		name: /TIE|TIED/,
		up: "tied embeddings save parameters and learn from both ends",
		down: "separate embeddings let input and output differ",
	},
	{
		name: /ACTIVATION|ACT_FN|NONLINEARITY/,
		up: "the activation sets how the MLP selects features",
		down: "the activation sets how the MLP selects features",
	},
	{
		name: /NORM/,
		up: "where and how activations are normalised decides how large the learning rates may be",
		down: "every normalisation costs time, and some may not be needed at this depth",
	},
	{
		name: /RESIDUAL|SKIP|VALUE_EMB|X0/,
		up: "a shortcut gives later layers the input unmixed",
		down: "without the shortcut each step is cheaper",
	},
];

export function priorOf(name: string): ParameterPrior | undefined {
	return PRIORS.find((prior) => prior.name.test(name));
}

/** Two constants that are best moved together: when the first goes up, the second goes the given way. */
export interface Coupling {
	first: RegExp;
	second: RegExp;
	together: "same" | "opposite";
	/** Why the second follows when the first goes up, and when it goes down. Clauses. */
	up: string;
	down: string;
}

/** Rates of embeddings, heads and scalars do not follow width and batch in the same way. */
const MATRIX_RATE = /^(?!.*(EMB|HEAD|SCALAR)).*(LR|LEARNING_RATE)$/;

export const COUPLINGS: Coupling[] = [
	{
		first: /BATCH|ACCUM|(^|_)ROWS$/,
		second: MATRIX_RATE,
		together: "same",
		up: "a cleaner gradient bears a larger step",
		down: "a noisier gradient asks for a smaller step",
	},
	{
		first: /WIDTH|MODEL_?DIM|D_?MODEL|N_?EMBD|ASPECT/,
		second: MATRIX_RATE,
		together: "opposite",
		up: "wider layers want smaller steps",
		down: "narrower layers bear larger steps",
	},
	{
		first: /DEPTH|(^|_)(N_?)?LAYERS?$/,
		second: /WIDTH|MODEL_?DIM|D_?MODEL|N_?EMBD|ASPECT|MLP/,
		together: "opposite",
		up: "giving up some width pays for the layers",
		down: "the layers given up pay for some width",
	},
	{
		first: /DEPTH|WIDTH|MODEL_?DIM|D_?MODEL|N_?EMBD|MLP/,
		second: /BATCH|(^|_)ROWS$/,
		together: "opposite",
		up: "a smaller batch keeps the number of steps in the budget about the same",
		down: "the time saved can go into cleaner gradients",
	},
	{
		first: /(^|_)LENGTH$|(SEQ|CONTEXT|BLOCK)_?(LEN|SIZE)/,
		second: /BATCH|(^|_)ROWS$/,
		together: "opposite",
		up: "fewer rows keep the tokens of a batch about the same",
		down: "more rows keep the tokens of a batch about the same",
	},
	{
		first: /(^|_)(LR|LEARNING_RATE)$/,
		second: /WARM_?DOWN|COOL_?DOWN/,
		together: "same",
		up: "a hotter run needs a longer cooling",
		down: "a cooler run needs less cooling",
	},
];
