/** Types of build-user.mjs, for the tests. */
export interface GuestProgram {
  readonly name: string;
  readonly libc: "glibc" | "musl";
  readonly path: string;
}
export const guestsDir: string;
export function meniosCommand(sources: readonly string[], output: string, extra?: readonly string[], libc?: readonly string[]): [string, string[]];
export function buildMenios(name: string, sources: readonly string[], extra?: readonly string[]): Promise<string>;
export function buildConformance(name: string): Promise<{ host: string; menios: string }>;
export function buildLinux(libc: "glibc" | "musl", source: string): Promise<string | undefined>;
export function buildAllLinux(folder: string, libcs?: readonly ("glibc" | "musl")[]): Promise<GuestProgram[]>;
export function buildCheckedIn(directory: string): Promise<string[]>;
export function checkCheckedIn(): Promise<string[]>;
export function buildAllocators(): Promise<{ readonly name: string; readonly path: string; readonly menios: boolean }[]>;
