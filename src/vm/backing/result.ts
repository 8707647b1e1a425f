/** What a fault handler returns when it did not make the page accessible: below every FaultKind. Import-free leaf. */

/** No frame was left; nothing has changed. */
export const OUT_OF_FRAMES = -1;
/** The page comes later; the space's `blocked` says how to wait for it. */
export const PAGE_PENDING = -2;
/** The backing has no such page, or could not read it: SIGBUS. */
export const PAGE_FAILED = -3;
