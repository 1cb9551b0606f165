package main

import "os"

func debugParams(m map[string]string) map[string]string {
	if os.Getenv("BENCH_PGLOG") != "" {
		m["log_min_duration_statement"] = "0"
	} else {
		m["log_min_duration_statement"] = "-1"
	}
	return m
}
