#!/usr/bin/env bash
# Prints clause → code → test: every place that cites a clause of the contract, e.g. F3-1-k.3.
set -euo pipefail
cd "$(dirname "$0")/../.."
clause='\b(F[34]-[123]-[a-o]|S8-9-[a-f]|SEC-18-1[abc]|SEC-1[68]-[1-6]|SEC-[0-9]{1,2}|(OTH15|DC10|DOC13|FORM|I1|OPS9|P5|P6|R7|S8)-[1-8]|PLACE14|SYS2|TERM12)(\.[1-4])?\b'
{ grep -rnoE "$clause" --include='*.go' --include='*.sql' --include='*.html' --exclude-dir=testdata cmd tui engine store feeds 2>/dev/null || true; } |
  awk -F: '
    !seen[$1 ":" $3]++ {
      place = $1 ":" $2
      if ($1 ~ /_test\.go$/) tests[$3] = tests[$3] "\n" place; else code[$3] = code[$3] "\n" place
      ids[$3]
    }
    END {
      for (id in ids) {
        c = split(substr(code[id], 2), left, "\n"); t = split(substr(tests[id], 2), right, "\n")
        for (i = 1; i <= c || i <= t || i == 1; i++)
          printf "%s\t%d\t%s\t%s\n", id, i, (i <= c ? left[i] : (i == 1 ? "-" : "")), (i <= t ? right[i] : (i == 1 ? "no test cites it" : ""))
      }
    }' | sort -t "$(printf '\t')" -k1,1V -k2,2n |
  awk -F'\t' 'BEGIN {printf "%-12s  %-52s  %s\n", "clause", "code", "test"} {printf "%-12s  %-52s  %s\n", ($2 == 1 ? $1 : ""), $3, $4}'
