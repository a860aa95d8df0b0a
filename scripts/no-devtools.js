/** Stands for react-devtools-core in the bundle: Ink imports it for its own developers only. */
export default {};
