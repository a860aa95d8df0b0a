/**
 * The environment of a coding agent. It is the console's, which has the human's settings and credentials, without what
 * says where the human works: a program may go by `$PWD` or `GIT_DIR` instead of its working directory (OpenCode does),
 * and would then edit the human's own checkout.
 */

/** A shell's, npm's, and those of `git rev-parse --local-env-vars` that name a repository or a part of one. */
const PLACES = [
	"PWD",
	"OLDPWD",
	"INIT_CWD",
	"npm_config_local_prefix",
	"npm_package_json",
	"GIT_DIR",
	"GIT_WORK_TREE",
	"GIT_IMPLICIT_WORK_TREE",
	"GIT_COMMON_DIR",
	"GIT_INDEX_FILE",
	"GIT_OBJECT_DIRECTORY",
	"GIT_ALTERNATE_OBJECT_DIRECTORIES",
	"GIT_GRAFT_FILE",
	"GIT_SHALLOW_FILE",
	"GIT_NAMESPACE",
	"GIT_PREFIX",
];

/** @param dir the checkout that the agent works in, absolute */
export function agentEnvironment(env: NodeJS.ProcessEnv, dir: string): NodeJS.ProcessEnv {
	const kept = Object.entries(env).filter(([name]) => !PLACES.includes(name));
	return { ...Object.fromEntries(kept), PWD: dir };
}
