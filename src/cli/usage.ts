/** Command lines that are not plain: commands, help and mistakes, with commander. */
import { Command, InvalidArgumentError, Option } from "commander";
import { InvalidValue, longForm, OPTIONS, type OptionRow, type RunOptions, runOptions, STANDARD_ERROR } from "./options.ts";

/** Calls one of the actions. Usage errors are printed by commander and end the process with status 125. */
export interface Actions {
  run(options: RunOptions): Promise<void>;
  demo(): Promise<void>;
}

export async function parse(argv: readonly string[], version: string, actions: Actions): Promise<void> {
  const program = new Command("menios");
  program
    .description("Run unmodified x86-64 ELF programs, each in its own address space with real page tables.")
    .version(version)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : 125);
    })
    .enablePositionalOptions();
  const run = program.command("run").description("run PROGRAM with ARGS; its exit status is ours");
  run.argument("<program>", "path of an ELF program or #! script").argument("[args...]", "its arguments").passThroughOptions();
  for (const row of OPTIONS) run.addOption(optionOf(row));
  run.action((name: string, args: string[], values: Record<string, unknown>) => actions.run(runOptions(name, args, values)));
  program.command("demo").description("run the bundled demo and say what happened in its memory").action(() => actions.demo());
  await program.parseAsync(bareOptions(longForm(argv)), { from: "user" });
}

function optionOf(row: OptionRow): Option {
  const option = new Option(row.value === undefined ? `--${row.name}` : `--${row.name} <${row.value}>`, row.about);
  if (row.initial !== undefined) option.default(row.initial);
  if (row.choices !== undefined) option.choices(row.choices);
  const { parse } = row;
  if (parse === undefined) return option;
  return option.argParser((text: string, before: unknown) => {
    try {
      return parse(text, before as never);
    } catch (error) {
      throw error instanceof InvalidValue ? new InvalidArgumentError(error.message) : error;
    }
  });
}

/** `--strace`, `--stats` and `--report-faults` take a file only as `--strace=FILE`; alone they mean standard error. */
function bareOptions(argv: readonly string[]): string[] {
  const names = (takes: "when given" | undefined): string[] => OPTIONS.filter((row) => row.value !== undefined && row.takes === takes).map((row) => `--${row.name}`);
  const [alone, valued] = [names("when given"), names(undefined)];
  const out = [...argv];
  for (let i = 1; i < out.length && out[i].startsWith("-") && out[i] !== "--"; i++) {
    if (alone.includes(out[i])) out[i] += `=${STANDARD_ERROR}`;
    else if (valued.includes(out[i])) i++;
  }
  return out;
}
