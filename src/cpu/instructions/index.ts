/** All instruction families, in the order that gives handlers their numbers. */
import "./arith.ts";
import "./logic.ts";
import "./move.ts";
import "./stack.ts";
import "./branch.ts";
import "./shift.ts";
import "./muldiv.ts";
import "./bits.ts";
import "./string.ts";
import "./atomic.ts";
import "./system.ts";
import "./sse-move.ts";
import "./sse-integer.ts";
import "./sse-float.ts";
import "./sse-convert.ts";
import "./sse-shuffle.ts";
import "./sse-string.ts";
import "./x87.ts";
import "./mmx.ts";

export { allEncodings } from "./define.ts";
