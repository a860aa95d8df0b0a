/** A mistake of the user or a fact of the machine that the message explains; not a defect. */
export class PrepareError extends Error {
	override name = "PrepareError";
}
