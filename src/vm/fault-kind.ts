/** What a page fault turned out to be. Every fault has exactly one kind. Import-free leaf. */

/** First touch of anonymous memory: a frame of zeros. */
export const FAULT_ZERO_FILL = 0;
/** First read of read-only anonymous memory: the shared frame of zeros. */
export const FAULT_ZERO_PAGE = 1;
/** First touch of a file page: the cache's own frame. */
export const FAULT_FILE = 2;
/** First write to a private file page: a copy of the cache's frame. */
export const FAULT_PAGE_IN = 3;
/** Write to a frame that others use too: a copy of it. */
export const FAULT_COPY_ON_WRITE = 4;
/** Write to a write-protected frame that nobody else uses any more: it becomes writable. */
export const FAULT_REUSE = 5;
/** First write to a page of shared memory: the backing learns that it is dirty. */
export const FAULT_SHARED_WRITE = 6;
/** First touch below a grow-down region. */
export const FAULT_STACK_GROWTH = 7;
/** Nothing was wrong any more. */
export const FAULT_SPURIOUS = 8;
/** A signal. */
export const FAULT_DENIED = 9;
/** The data is on its way. */
export const FAULT_BLOCKED = 10;
export const FAULT_KINDS = 11;

export type FaultKind = number;

/** Names for traces and statistics, by kind. */
export const FAULT_NAMES: readonly string[] = [
  "zero-fill", "zero-page", "file", "page-in", "copy-on-write", "reuse", "shared", "stack-growth", "spurious", "denied", "blocked",
];
