/** The current proposal: its title, its hypothesis and its diff, also while the researcher is writing it. */
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
	/** What the researcher has written so far, while there is no diff. */
	text: string;
	/** Not committed yet: it may still change. */
	open: boolean;
	/** The kind of change that was asked for, in words; "" for any. */
	asked: string;
	/** Number and title of the next one, which is drafted while this one trains; "" for none. */
	next: string;
}

/** What a researcher is asked for when its proposals no longer win. */
export const MODE_TEXT: Record<Mode, string> = {
	open: "",
	"other-family": "another kind of change",
	combine: "near misses combined",
	bold: "a bolder change",
	restart: "from another experiment",
};

/** The proposal to show: the draft of the experiment in flight, or what the journal has of it. */
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
	/** The committed diff, for a proposal whose draft was lost when an earlier process ended. */
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

/** `opens`: Enter opens this proposal. */
type Shown = ShownProposal & Size & { opens: boolean };

/** Drawn again only when the proposal changes, since its props are plain values. */
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

/** The proposal, and below it the next one if there is room. */
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
	// While the proposal is being written its end is shown, which is new; afterwards its beginning.
	if (proposal.open) return [...head, ...lines.slice(-room)];
	return [
		...head,
		...lines.slice(0, room - 1),
		[[`${lines.length - room + 1} more lines${proposal.opens ? "; Enter shows them" : ""}`, "quiet"]],
	];
}
