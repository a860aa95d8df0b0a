/** The current proposal: what it is, why it should help, and its diff, while the researcher still writes it. */
import { memo } from "react";
import type { Mode } from "../journal/events.ts";
import { inFlight, type State } from "../journal/state.ts";
import { condensed, type DiffLine, diffLine, parseDiff } from "./diff-lines.ts";
import { inside, type Size } from "./layout.ts";
import type { Line } from "./line.ts";
import { Panel } from "./panel.tsx";
import { type Theme, useTheme } from "./theme.ts";
import { wrapText, wrapTextTo } from "./wrap.ts";

export interface ShownProposal {
	n: number;
	title: string;
	hypothesis: string;
	diff: string;
	/** What the researcher has said so far, while there is no diff. */
	text: string;
	/** Not committed yet: more may come. */
	open: boolean;
	/** What it was asked to be, in words; "" when anything would do. */
	asked: string;
	/** The next one, drafted while this one trains: its number and title. */
	next: string;
}

/** What a researcher is asked for when the wins stop coming. */
export const MODE_TEXT: Record<Mode, string> = {
	open: "",
	"other-family": "another kind of change",
	combine: "near misses combined",
	bold: "a bolder change",
	restart: "from another experiment",
};

/** The proposal to show: the draft of the experiment in flight, or what is known of it from the journal. */
export function shownProposal(state: State): ShownProposal | undefined {
	const experiment = inFlight(state) ?? state.experiments.at(-1);
	const { draft, ahead } = state.live;
	const asked = MODE_TEXT[experiment?.mode ?? "open"];
	const next = ahead ? `${ahead.n}  ${ahead.title ?? "being written"}` : "";
	if (draft && draft.n >= (experiment?.n ?? 0)) {
		const journalled = experiment?.n === draft.n ? experiment : undefined;
		return {
			n: draft.n,
			title: draft.title || journalled?.title || "",
			hypothesis: draft.hypothesis || journalled?.hypothesis || "",
			diff: draft.diff ?? "",
			text: draft.text ?? "",
			open: journalled?.commit === undefined,
			asked,
			next,
		};
	}
	if (!experiment) return;
	const { n, title, hypothesis, commit } = experiment;
	return { n, title, hypothesis, diff: "", text: "", open: commit === undefined, asked, next };
}

const NOTHING: Line = [["Nothing proposed yet.", "quiet"]];

export interface ProposalProps {
	state: State;
	/** The committed one, for a proposal whose draft was lost with an earlier process. */
	diff?: string;
	/** Number of the experiment that Enter opens. */
	selected?: number;
	size: Size;
	framed: boolean;
}

export function ProposalPanel({ state, diff, selected, size, framed }: ProposalProps) {
	const proposal = shownProposal(state);
	if (!proposal) return <Panel {...size} title={[["proposal", "strong"]]} lines={[NOTHING]} framed={framed} />;
	const opens = selected === proposal.n;
	return <ProposalContent {...proposal} diff={proposal.diff || diff || ""} {...{ opens, framed }} {...size} />;
}

/** `opens`: Enter shows it whole. */
type Shown = ShownProposal & Size & { opens: boolean };

/** Drawn again only when the proposal changes: its props are plain values. */
const ProposalContent = memo(function ProposalContent(props: Shown & { framed: boolean }) {
	const theme = useTheme();
	const { n, diff, width, height, framed } = props;
	const parsed = parseDiff(diff);
	const added = parsed.filter(({ kind }) => kind === "added").length;
	const removed = parsed.filter(({ kind }) => kind === "removed").length;
	const size: Line = [[`+${added}`, "good"], " ", [`-${removed}`, "bad"]];
	return (
		<Panel
			width={width}
			height={height}
			framed={framed}
			title={[["proposal", "strong"], `  ${n}`, [props.asked && `  ${props.asked}`, "warn"]]}
			aside={added + removed > 0 ? size : []}
			lines={bodyLines({ ...props, ...inside(props) }, parsed, theme)}
		/>
	);
});

/** The proposal, and below it the next one where there is room. */
function bodyLines(proposal: Shown, diff: readonly DiffLine[], theme: Theme): Line[] {
	const { height } = proposal;
	if (!proposal.next || height < 6) return proposalLines(proposal, diff, theme);
	const body = proposalLines({ ...proposal, height: height - 1 }, diff, theme);
	const gap = Array.from({ length: height - 1 - body.length }, (): Line => []);
	return [
		...body,
		...gap,
		[
			["next  ", "accent"],
			[proposal.next, "quiet"],
		],
	];
}

function proposalLines(proposal: Shown, diff: readonly DiffLine[], { glyphs }: Theme): Line[] {
	const { width, height } = proposal;
	const title: Line[] = proposal.title ? [[[proposal.title, "strong"]]] : [];
	const why = wrapTextTo(proposal.hypothesis, width, height >= 8 ? 3 : 1, glyphs.ellipsis);
	const head: Line[] = [...title, ...why.map((text): Line => [text])];
	const room = height - head.length;
	if (diff.length === 0) {
		const said = proposal.text.split("\n").flatMap((text) => wrapText(text, width));
		const waiting = proposal.open ? [[["being written", "quiet"]] as Line] : [];
		return [...head, ...(said.length > 0 ? said.slice(-room).map((text): Line => [[text, "quiet"]]) : waiting)];
	}
	const lines = ([3, 1, 0] as const)
		.map((context) => condensed(diff, context))
		.find((candidate, i) => candidate.length <= room || i === 2)!
		.map(diffLine);
	if (lines.length <= room) return [...head, ...lines];
	// While it is being written the end is what is new; afterwards the beginning is where to read.
	if (proposal.open) return [...head, ...lines.slice(-room)];
	return [
		...head,
		...lines.slice(0, room - 1),
		[[`${lines.length - room + 1} more lines${proposal.opens ? "; Enter shows them" : ""}`, "quiet"]],
	];
}
