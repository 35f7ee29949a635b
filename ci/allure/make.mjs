// Makes the Allure report of one run. Its settings come from fixtures/results/report/allure.py by standard input.
// Reading, judging and writing happen in one process, so the history gets one point for each build and the report
// shows the gate's verdict. The counts go to standard output as one JSON object, which ci/support/allure.py compares.
import { readFile, writeFile } from "node:fs/promises";
import { json } from "node:stream/consumers";
import { AllureReport, FileSystemReportFiles, maxFailuresRule, minTestsCountRule } from "@allurereport/core";
import Awesome from "@allurereport/plugin-awesome";
import Dashboard from "@allurereport/plugin-dashboard";

const settings = await json(process.stdin);

// A rule that shows the verdict of the gate, beside the rules with which Allure counts by itself.
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
  settings.environments.map(({ id, name, variables }) => [
    id,
    { name, variables, matcher: ({ labels }) => labels.some((l) => l.name === "env" && l.value === name) },
  ]),
);

const plugins = [
  ["awesome", Awesome, settings.awesome],
  ["dashboard", Dashboard, settings.dashboard],
].map(([id, Plugin, options]) => ({ id, enabled: true, options, plugin: new Plugin(options) }));

const report = new AllureReport({
  name: settings.name,
  output: settings.output,
  reportFiles: new FileSystemReportFiles(settings.output),
  historyPath: settings.history,
  historyLimit: settings.historyLimit,
  appendHistory: settings.appendHistory,
  variables: settings.variables,
  environments,
  categories: { rules: settings.categories },
  plugins,
  qualityGate: {
    rules: settings.gate,
    use: [maxFailuresRule, minTestsCountRule, verdictRule],
  },
});

await report.start();
await report.readDirectory(settings.results);
const shown = await report.store.allTestResults({ includeRetries: false });
const { results: gate } = await report.validate({ trs: shown });
report.realtimeDispatcher.sendQualityGateResults(gate);
await report.done();

// Allure keeps every label and trace of every test, and puts six runs into its page: megabytes without use.
const KEPT_LABELS = new Set(["feature", "story", "severity"]);

function shortenLine(line) {
  const point = JSON.parse(line);
  for (const result of Object.values(point.testResults)) {
    result.labels = result.labels.filter(({ name }) => KEPT_LABELS.has(name));
    delete result.trace;
  }
  return JSON.stringify(point);
}

const past = (await readFile(settings.history, "utf8")).split("\n").filter(Boolean);
await writeFile(settings.history, past.map((line) => `${shortenLine(line)}\n`).join(""));

const statuses = {};
for (const { status } of shown) {
  statuses[status] = (statuses[status] ?? 0) + 1;
}
const rules = Object.fromEntries(gate.map(({ rule, success }) => [rule, success]));
process.stdout.write(`\n${JSON.stringify({ shown: shown.length, statuses, rules })}\n`);
