/** Names of the condition codes in encoding order (Intel SDM 1 appendix B), as the suffixes of jcc, setcc and cmovcc. Import-free leaf. */
export const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"] as const;

/** Opcode byte `first + code` in the notation of encoding rows. */
export function opcodeText(first: number, code: number): string {
  return (first + code).toString(16).toUpperCase().padStart(2, "0");
}
