import { FLAG_SECTIONS, type FlagRule } from "./flag-table.ts";

/** Where the explanations begin. */
const COLUMN = 37;

/** The text of `--help`. */
export function usageText(program: string): string {
  const lines = ["", `Usage: ${program} [options]`, ""];
  for (const { title, flags } of FLAG_SECTIONS) {
    lines.push(`${title}:`);
    for (const rule of flags) lines.push(...flagLines(rule));
    lines.push("");
  }
  return `${lines.join("\n")}\n`;
}

function flagLines(rule: FlagRule): string[] {
  const names = rule.shown.split("\n").map((line) => `    ${line}`);
  const helps = rule.help.split("\n");
  const last = names.length - 1;
  // A name too long for its column has its explanation below it.
  const lines = [...names.slice(0, last)];
  if (names[last].length >= COLUMN) lines.push(names[last], `${" ".repeat(COLUMN)}${helps[0]}`);
  else lines.push(names[last].padEnd(COLUMN) + helps[0]);
  for (const help of helps.slice(1)) lines.push(" ".repeat(COLUMN) + help);
  return lines;
}

/** The text of `--help_tls`. */
export const TLS_HELP = `
TLS for clients is set in the tls block of the configuration file:

    tls {
        cert_file: "./certs/server-cert.pem"
        key_file:  "./certs/server-key.pem"

        # Roots that client certificates are checked with, and whether clients must show one:
        ca_file:   "./certs/ca.pem"
        verify:    true

        # Seconds that the handshake may take:
        timeout:   2
    }

or, shorter, with flags: --tls --tlscert <file> --tlskey <file>, and --tlsverify --tlscacert <file>.

docs/configuration.md lists every key of the block.
`;
