// Makes the Allure report of one run; its order, as fixtures/results/report/allure.py writes it, comes by standard input.
// Reading, judging and writing happen in one process, so history gets one point a build and the gate's answer
// stands in the report. What it saw goes to standard output as one JSON object; nobody trusts its exit code alone.
import { readFile, writeFile } from "node:fs/promises";
import { json } from "node:stream/consumers";
import { AllureReport, FileSystemReportFiles, maxFailuresRule, minTestsCountRule } from "@allurereport/core";
import Awesome from "@allurereport/plugin-awesome";
import Dashboard from "@allurereport/plugin-dashboard";

const order = await json(process.stdin);

// The verdict of the gate, as a rule beside those that count for themselves.
const verdictRule = {
  rule: "verdict",
  message: ({ actual }) => `${actual}`,
  successMessage: ({ actual }) => `${actual}`,
  validate: async ({ expected }) => ({
    success: expected.verdict === "go",
    actual: expected.says,
    testResults: [],
  }),
};

const environments = Object.fromEntries(
  order.environments.map(({ id, name, variables }) => [
    id,
    { name, variables, matcher: ({ labels }) => labels.some((l) => l.name === "env" && l.value === name) },
  ]),
);

const plugins = [
  ["awesome", Awesome, order.awesome],
  ["dashboard", Dashboard, order.dashboard],
].map(([id, Plugin, options]) => ({ id, enabled: true, options, plugin: new Plugin(options) }));

const report = new AllureReport({
  name: order.name,
  output: order.output,
  reportFiles: new FileSystemReportFiles(order.output),
  historyPath: order.history,
  historyLimit: order.historyLimit,
  appendHistory: order.appendHistory,
  variables: order.variables,
  environments,
  categories: { rules: order.categories },
  plugins,
  qualityGate: {
    rules: order.gate,
    use: [maxFailuresRule, minTestsCountRule, verdictRule],
  },
});

await report.start();
await report.readDirectory(order.results);
const shown = await report.store.allTestResults({ includeRetries: false });
const { results: gate } = await report.validate({ trs: shown });
report.realtimeDispatcher.sendQualityGateResults(gate);
await report.done();

// Allure remembers every label and trace of every test, and puts six runs into its page: megabytes that nobody reads.
const REMEMBERED_LABELS = new Set(["feature", "story", "severity"]);

function slimmed(line) {
  const point = JSON.parse(line);
  for (const result of Object.values(point.testResults)) {
    result.labels = result.labels.filter(({ name }) => REMEMBERED_LABELS.has(name));
    delete result.trace;
  }
  return JSON.stringify(point);
}

const past = (await readFile(order.history, "utf8")).split("\n").filter(Boolean);
await writeFile(order.history, past.map((line) => `${slimmed(line)}\n`).join(""));

const statuses = {};
for (const { status } of shown) {
  statuses[status] = (statuses[status] ?? 0) + 1;
}
const rules = Object.fromEntries(gate.map(({ rule, success }) => [rule, success]));
process.stdout.write(`\n${JSON.stringify({ shown: shown.length, statuses, rules })}\n`);
