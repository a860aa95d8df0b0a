/**
 * Memory that the open graphs of this process have reserved. On a GPU it is in use once allocated; on the CPU once it
 * is touched, which for activations is the first run.
 */
export interface Reservation {
	/** Bytes of inputs and constants, written when the graph is compiled. */
	leaves: number;
	/** Bytes of everything else it computes. */
	activations: number;
	/** Whether it has run. */
	touched: boolean;
}

const open = new Set<Reservation>();

export function reserve(leaves: number, activations: number): Reservation {
	const reservation = { leaves, activations, touched: false };
	open.add(reservation);
	return reservation;
}

export function release(reservation: Reservation): void {
	open.delete(reservation);
}

/** Bytes all open graphs have reserved. */
export function reservedBytes(): number {
	return [...open].reduce((total, { leaves, activations }) => total + leaves + activations, 0);
}

/** Bytes of those that no run has touched yet. */
export function untouchedBytes(): number {
	return [...open].reduce((total, { activations, touched }) => total + (touched ? 0 : activations), 0);
}
