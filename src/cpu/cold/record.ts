/** A decoded instruction as the cold engine's handlers read it: 32 bytes in RAM.
 *
 *    0 u16  handler: index into the function table
 *    2 u16  operand 0   ┐ RAM address of a register operand
 *    4 u16  operand 1   ┘
 *    6 u16  segment base register, or operand 2 when there is no memory operand
 *    8 u16  base register      10 u16  index register      (RAM addresses; ZERO when absent)
 *   12 u8   index shift        13 u8   bit 7: 32-bit address size, low bits: instruction length
 *   14 u16  instructions in the block that starts here (0 for a record that is no instruction)
 *   16 i64  displacement; without memory operand: address of the next instruction; branches: target address
 *   24 i64  immediate; memory operand and no immediate: address of the next instruction;
 *           branches: i32 target record (0 = look it up) and at 28 i32 relative displacement
 */
export const RECORD_BYTES = 32;
export const R_HANDLER = 0;
export const R_OPERAND0 = 2;
export const R_OPERAND1 = 4;
export const R_SEGMENT = 6;
export const R_BASE = 8;
export const R_INDEX = 10;
export const R_SCALE = 12;
export const R_LENGTH = 13;
export const R_COUNT = 14;
export const R_DISPLACEMENT = 16;
export const R_IMMEDIATE = 24;
export const R_TARGET = 24;
export const R_RELATIVE = 28;

/** Handlers that no instruction has. */
export const HANDLER_STALE = 0;
export const HANDLER_GOTO = 1;
export const HANDLER_STOP = 2;
export const HANDLER_UNDEFINED = 3;
export const HANDLER_TOO_LONG = 4;
/** Enters a translated region: operand 0 is the least budget, R_TARGET says which region and entry (REGION_*). The checked
 *  form enters only while the epoch at R_EPOCH is the one of the machine, else it leaves to have the region's pages looked at. */
export const HANDLER_REGION = 5;
export const HANDLER_REGION_CHECKED = 6;
export const FIRST_INSTRUCTION_HANDLER = 7;
export const R_EPOCH = 16;

/** Tables of the cold module: regions (imported, filled by the JIT) and handlers (its own). */
export const REGION_TABLE = 0;
export const HANDLER_TABLE = 1;

/** What looks up the target of a jump when it is no record that could be linked to it: an indirect call, an indirect jump, or
 *  anything else. */
export const FROM_ELSEWHERE = 0;
export const FROM_CALL = 1;
export const FROM_JUMP = 2;
/** Which region and entry, in one word: slot in the region table in the lower half, number of the entry in the upper. */
export const REGION_SLOT_MASK = 0xffff;
export const REGION_ENTRY_SHIFT = 16;
