/** A mistake the user can mend. Printed as one line, without a stack trace; the process exits with 2. */
export class UserError extends Error {
	override name = "UserError";
}

/** The message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
	const text = error instanceof Error ? error.message || error.name : String(error);
	return text.replace(/\s+/g, " ").trim();
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
	return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? "");
}
