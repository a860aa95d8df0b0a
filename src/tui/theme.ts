/**
 * Colours by meaning, and two sets of glyphs. Only the terminal's own sixteen colours are used, so that its palette
 * suits a dark or a light background; yellow, white and black are left out, since they are invisible on one of the two.
 * Colour alone carries no information.
 */
import { createContext, useContext } from "react";

/** What a piece of text means. */
export type Tone = "good" | "bad" | "warn" | "accent" | "quiet" | "strong" | "selected" | "chip";

/** Formats of `util.styleText`. */
type Formats = readonly ("green" | "red" | "magenta" | "cyan" | "bold" | "dim" | "inverse")[];

export interface Glyphs {
	/** Of a progress bar: full, eighths of a cell (none in ASCII), empty. */
	bar: { full: string; parts: readonly string[]; empty: string };
	/** Marks text that was cut. */
	ellipsis: string;
}

export interface Theme {
	ascii: boolean;
	styles: Record<Tone, Formats>;
	glyphs: Glyphs;
	/** Of the panels. */
	border: Border;
}

type Side = "top" | "right" | "bottom" | "left";
type Corner = "topLeft" | "topRight" | "bottomRight" | "bottomLeft";
export type Border = Record<Side | Corner, string>;

const COLOURED: Record<Tone, Formats> = {
	good: ["green"],
	bad: ["red"],
	warn: ["magenta"],
	accent: ["cyan"],
	quiet: ["dim"],
	strong: ["bold"],
	selected: ["inverse"],
	chip: ["inverse", "bold"],
};

const MONOCHROME: Record<Tone, Formats> = { ...COLOURED, good: [], bad: ["bold"], warn: ["bold"], accent: ["bold"] };

const UNICODE: Glyphs = {
	bar: { full: "█", parts: ["▏", "▎", "▍", "▌", "▋", "▊", "▉"], empty: "░" },
	ellipsis: "…",
};

const ASCII: Glyphs = {
	bar: { full: "#", parts: [], empty: "." },
	ellipsis: "~",
};

const ROUND: Border = frame("─", "│", ["╭", "╮", "╯", "╰"]);
const PLAIN: Border = frame("-", "|", ["+", "+", "+", "+"]);

function frame(across: string, down: string, corners: readonly [string, string, string, string]): Border {
	const [topLeft, topRight, bottomRight, bottomLeft] = corners;
	return { top: across, bottom: across, left: down, right: down, topLeft, topRight, bottomRight, bottomLeft };
}

/** The theme for a terminal, chosen from its environment. `plain` means ASCII without colours. */
export function themeFor(env: Record<string, string | undefined>, plain = false): Theme {
	const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
	const ascii = plain || env.TERM === "dumb" || env.TERM === "linux" || !/utf-?8/i.test(locale);
	const coloured = !plain && !env.NO_COLOR && env.TERM !== "dumb";
	return {
		ascii,
		styles: coloured ? COLOURED : MONOCHROME,
		glyphs: ascii ? ASCII : UNICODE,
		border: ascii ? PLAIN : ROUND,
	};
}

const ThemeContext = createContext<Theme>({ ascii: false, styles: COLOURED, glyphs: UNICODE, border: ROUND });

export const ThemeProvider = ThemeContext.Provider;

export function useTheme(): Theme {
	return useContext(ThemeContext);
}
