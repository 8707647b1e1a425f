/** ELF-64 as the System V ABI defines it: the fields a loader reads. Offsets in bytes. Import-free leaf. */

export const ELF_MAGIC = 0x464c_457f;
export const ELFCLASS64 = 2, ELFDATA2LSB = 1;
export const ET_EXEC = 2, ET_DYN = 3;
export const EM_X86_64 = 62;

/** Elf64_Ehdr. */
export const EHDR_BYTES = 64;
export const EI_CLASS = 4, EI_DATA = 5;
export const E_TYPE = 16, E_MACHINE = 18, E_ENTRY = 24, E_PHOFF = 32, E_PHENTSIZE = 54, E_PHNUM = 56;

/** Elf64_Phdr. */
export const PHDR_BYTES = 56;
export const P_TYPE = 0, P_FLAGS = 4, P_OFFSET = 8, P_VADDR = 16, P_FILESZ = 32, P_MEMSZ = 40, P_ALIGN = 48;
export const PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6, PT_GNU_STACK = 0x6474_e551;
export const PF_X = 1, PF_W = 2, PF_R = 4;
