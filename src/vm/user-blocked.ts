/** Result of an operation on user memory whose page must be awaited: neither a count nor an errno (those end at -4095). The
 *  space's `blocked` says how to wait; the operation is then made again from its start. Import-free leaf. */
export const USER_BLOCKED = -0x1_0001;
