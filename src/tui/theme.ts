/**
 * What the screen is drawn with: colours by meaning, never by name, and two sets of glyphs. Only the terminal's own
 * sixteen colours are used, so its palette decides how they look on a dark or a light background; plain yellow, white and
 * black are left out, since one background or the other swallows them. Nothing is said by colour alone.
 */
import { createContext, useContext } from "react";

/** What a piece of text means. */
export type Tone = "good" | "bad" | "warn" | "accent" | "quiet" | "strong" | "selected" | "chip";

export interface TextStyle {
	color?: "green" | "red" | "magenta" | "cyan" | "blue";
	bold?: boolean;
	dimColor?: boolean;
	inverse?: boolean;
}

export interface Glyphs {
	/** Of a frame: top left, top right, bottom left, bottom right, horizontal, vertical. */
	frame: readonly [string, string, string, string, string, string];
	/** Of a progress bar: full, eighths of a cell (none where it cannot be), empty. */
	bar: { full: string; parts: readonly string[]; empty: string };
	/** Where text was cut. */
	ellipsis: string;
}

export interface Theme {
	ascii: boolean;
	styles: Record<Tone, TextStyle>;
	glyphs: Glyphs;
}

const COLOURED: Record<Tone, TextStyle> = {
	good: { color: "green" },
	bad: { color: "red" },
	warn: { color: "magenta" },
	accent: { color: "cyan" },
	quiet: { dimColor: true },
	strong: { bold: true },
	selected: { inverse: true },
	chip: { inverse: true, bold: true },
};

const MONOCHROME: Record<Tone, TextStyle> = {
	good: {},
	bad: { bold: true },
	warn: { bold: true },
	accent: { bold: true },
	quiet: { dimColor: true },
	strong: { bold: true },
	selected: { inverse: true },
	chip: { inverse: true, bold: true },
};

const UNICODE: Glyphs = {
	frame: ["╭", "╮", "╰", "╯", "─", "│"],
	bar: { full: "█", parts: ["▏", "▎", "▍", "▌", "▋", "▊", "▉"], empty: "░" },
	ellipsis: "…",
};

const ASCII: Glyphs = {
	frame: ["+", "+", "+", "+", "-", "|"],
	bar: { full: "#", parts: [], empty: "." },
	ellipsis: "~",
};

/** The theme for a terminal, by its environment. `plain` asks for ASCII without colours whatever the terminal can do. */
export function themeFor(env: Record<string, string | undefined>, plain = false): Theme {
	const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
	const ascii = plain || env.TERM === "dumb" || env.TERM === "linux" || !/utf-?8/i.test(locale);
	const coloured = !plain && !env.NO_COLOR && env.TERM !== "dumb";
	return { ascii, styles: coloured ? COLOURED : MONOCHROME, glyphs: ascii ? ASCII : UNICODE };
}

const ThemeContext = createContext<Theme>({ ascii: false, styles: COLOURED, glyphs: UNICODE });

export const ThemeProvider = ThemeContext.Provider;

export function useTheme(): Theme {
	return useContext(ThemeContext);
}
