/** The x87 families, in the order that gives handlers their numbers. Rows with a memory operand come first: a row with ST(i) stands
 *  for what is left of its opcode and /digit. */
import "./x87-memory.ts";
import "./x87-control.ts";
import "./x87-register.ts";
