/**
 * A number as source text, written like the text it replaces: `2 ** 14` becomes `2 ** 15`, `64 * 4` becomes `64 *
 * 5`, `16_384` becomes `32_768`, `2e-3` becomes `3e-3`, `1.0` becomes `2.0`.
 */
export function writeNumber(value: number, like: string): string {
	const power = /^(\d+)(\s*\*\*\s*)\d+$/.exec(like);
	if (power) {
		const exponent = Math.log(value) / Math.log(Number(power[1]));
		const rounded = Math.round(exponent);
		if (Math.abs(exponent - rounded) < 1e-9) return `${power[1]}${power[2]}${rounded}`;
	}
	const product = /^(.*\*\s*)([\d_]+)$/.exec(like);
	if (product && !like.includes("**")) {
		const rest = product[1]!.split("*").reduce((all, factor) => all * (Number(factor.replaceAll("_", "")) || 1), 1);
		if (Number.isInteger(value / rest) && value > 0) return product[1]! + value / rest;
	}
	if (/^-?[\d.]+e[-+]?\d+$/i.test(like) && value !== 0) return writeExponent(value);
	const plain = Number(value.toPrecision(12));
	const digits = Math.abs(plain) >= 1e-6 || plain === 0 ? decimal(plain) : writeExponent(plain);
	if (like.includes("_")) return digits.replace(/\B(?=(\d{3})+(?!\d))/g, "_");
	return /\d\.\d/.test(like) && /^-?\d+$/.test(digits) ? `${digits}.0` : digits;
}

function writeExponent(value: number): string {
	return Number(value.toPrecision(12)).toExponential().replace("e+", "e");
}

function decimal(value: number): string {
	const text = String(value);
	return text.includes("e") ? value.toFixed(12).replace(/\.?0+$/, "") : text;
}
