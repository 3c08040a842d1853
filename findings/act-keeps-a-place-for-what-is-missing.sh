#!/usr/bin/env bash
# Guess:     in a workflow's expression `list.*.name` gives the same list in act as in GitHub's own evaluator for editors, the
#            npm package @actions/expressions.
# Behaviour: act keeps an empty place for each entry that has no such key, finds nothing in a map, and does not look into the
#            lists of a list. GitHub's leaves the entry out, and looks into both. With act 0.2.89 and @actions/expressions
#            0.3.61.
# Matters:   a condition that was tried in act need not decide the same on GitHub: `contains(LIST.*.note, '')` is true in act
#            as soon as one entry has no note. Do not decide on a `*` in an expression: hand the JSON over, and decide there.
# Seen:      act: x,,y | true | , | Array,Array
#            GitHub: x,y | false | 1,2 | 1,2,3
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > expressions <<'E'
join(fromJSON('[{"n":"x"},{},{"n":"y"}]').*.n)
contains(fromJSON('[{"n":"x"},{}]').*.n, '')
join(fromJSON('{"a":{"n":"1"},"b":{"n":"2"}}').*.n)
join(fromJSON('[{"a":[{"n":"1"},{"n":"2"}]},{"a":[{"n":"3"}]}]').*.a.*.n)
E
cat > go.mod <<'E'
module finding

go 1.26.0

require github.com/nektos/act v0.2.89
E
cat > main.go <<'E'
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"

	"github.com/nektos/act/pkg/exprparser"
	"github.com/nektos/act/pkg/model"
)

func main() {
	env := &exprparser.EvaluationEnvironment{Github: &model.GithubContext{}}
	act := exprparser.NewInterpeter(env, exprparser.Config{Context: "step"})
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		is, err := act.Evaluate(lines.Text(), exprparser.DefaultStatusCheckNone)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(is)
	}
}
E
cat > main.mjs <<'E'
import { readFileSync } from "node:fs";
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";

for (const line of readFileSync("expressions", "utf8").trim().split("\n")) {
  const tree = new Parser(new Lexer(line).lex().tokens, [], []).parse();
  console.log(new Evaluator(tree, new data.Dictionary()).evaluate().coerceString());
}
E
export npm_config_cache="$work/npm" npm_config_update_notifier=false
npm install --silent --no-audit --no-fund --ignore-scripts @actions/expressions@0.3.61 > /dev/null
in_a_line() { paste -sd'|' | sed 's/|/ | /g'; }
go run -mod=mod . < expressions > act 2> log || { cat log >&2; exit 1; }
node main.mjs > github
{
  echo "act: $(in_a_line < act)"
  echo "GitHub: $(in_a_line < github)"
} | tee out
diff out - <<'E'
act: x,,y | true | , | Array,Array
GitHub: x,y | false | 1,2 | 1,2,3
E
echo "as described"
