/**
 * Settings of every git command of ours, over the user's own. Experiments' commits are the loop's, so that a missing
 * git identity cannot end a night; paths are printed as they are, not with octal escapes.
 */
export const SETTINGS = ["user.name=autoresearch", "user.email=autoresearch@localhost", "core.quotePath=false"];
