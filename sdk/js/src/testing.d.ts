import type { Operator } from "./index.js";

/** The rows after the operator, run without WebAssembly through the code that a component runs. A rejected row is an error. */
export function run(operator: Operator, rows: object[], params?: object): any[];
