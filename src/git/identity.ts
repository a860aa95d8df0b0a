/** Whose name is on the experiments' commits: the loop's, so that a missing git identity cannot end a night. */
export const IDENTITY = ["user.name=autoresearch", "user.email=autoresearch@localhost"];
