/** The terminal's clipboard, through OSC 52 (xterm's control sequences), which also works over ssh. */

/** The sequence that puts a text on the clipboard. tmux passes it on when its `set-clipboard` is on. */
export function clipboardSequence(text: string): string {
	return `\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`;
}
