/** menios/vm: what the operating system promises about memory. */
export { AddressSpace } from "./address-space.ts";
export { checkAddressSpace, checkFrames } from "./check.ts";
export { VmContext } from "./context.ts";
export * from "./fault-kind.ts";
export * from "./layout.ts";
export type { Region } from "./region.ts";
