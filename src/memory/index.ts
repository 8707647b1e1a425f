/** menios/memory: what hardware knows. */
export * from "./access.ts";
export { CodeGuard } from "./code-guard.ts";
export { FrameAllocator } from "./frames.ts";
export { Mmu, TRANSLATE_BLOCKED, TRANSLATE_DENIED } from "./mmu.ts";
export type { PageCache, PageCacheMapping } from "./page-cache.ts";
export { PageTables } from "./page-table.ts";
export * from "./physical-map.ts";
export * from "./pte.ts";
export { MAX_RAM_BYTES, MIN_RAM_BYTES, Ram } from "./ram.ts";
export { Ranges } from "./ranges.ts";
export { Tlb } from "./tlb.ts";
