/** What is known of a frame besides its reference count. One byte a frame in FrameAllocator.flags. Import-free leaf. */

/** Every byte is known to be zero. Meaningful while the frame is free. */
export const FRAME_ZERO = 1;
/** Holds translations; left out of write TLB entries. Written by CodeGuard. */
export const FRAME_CODE = 2;
/** Belongs to a block of the table pool. Written by TablePool. */
export const FRAME_TABLE = 4;
/** Was in use at least once. Written by FrameAllocator. */
export const FRAME_TOUCHED = 8;
