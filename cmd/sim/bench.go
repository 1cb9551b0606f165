package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// benchCommand measures what limits.md §9 asks for, on this machine, ours and the yardstick side by side.
type benchCommand struct {
	Out    string `help:"結果の JSON を書くファイル。" default:"var/bench.json"`
	Dir    string `help:"測定用の専用データベースなどを置くフォルダー。" default:"var/bench-pg"`
	Rounds int    `help:"交互に測る回数（中央値を採ります。5 以上）。" default:"5"`
	Only   string `help:"この文字で始まる測定だけ行います（dispatch、cost、kill、answers、tally、decode）。"`
	Trial  bool   `help:"短い試し測定（規模を小さくします。判定には使えません）。"`
}

// measure is one line of the table and of var/bench.json.
type measure struct {
	Name     string   `json:"name"`
	Value    float64  `json:"value"`
	Unit     string   `json:"unit"`
	Baseline *float64 `json:"baseline"` // the yardstick in the same unit; null when there is none
	Ratio    *float64 `json:"ratio"`    // value ÷ baseline, the median of the rounds' own ratios
	How      string   `json:"how"`
	most     float64  // the "must" of limits.md §9: at most (least when negative: at least)
	judge    byte     // 'r' judges the ratio, 'v' the value
}

// pass says whether the measure meets its "must".
func (m measure) pass() bool {
	got := m.Value
	if m.judge == 'r' {
		if m.Ratio == nil {
			return false
		}
		got = *m.Ratio
	}
	if m.most < 0 {
		return got >= -m.most
	}
	return got <= m.most
}

func (m measure) target() string {
	what := map[byte]string{'r': "比", 'v': ""}[m.judge]
	if m.most < 0 {
		return fmt.Sprintf("%s≥ %.4g", what, -m.most)
	}
	return fmt.Sprintf("%s≤ %.4g", what, m.most)
}

// section is one group of measures.
type section struct {
	prefix string
	run    func(context.Context, *bench) ([]measure, error)
}

// Run prints the table, writes the file, and fails when a measure is missing or misses its target.
func (c *benchCommand) Run(ctx context.Context) error {
	b := &bench{benchCommand: *c, log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	b.sizes(c.Trial)
	defer b.close()
	var all []measure
	var missing []string
	for _, s := range []section{
		{"dispatch", dispatchSection},
		{"cost", costSection},
		{"kill", killSection},
		{"answers", answersSection},
		{"tally", tallySection},
		{"decode", decodeSection},
	} {
		if !strings.HasPrefix(s.prefix, c.Only) && !strings.HasPrefix(c.Only, s.prefix) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(os.Stderr, "測定中: %s …", s.prefix)
		found, err := s.run(ctx, b)
		fmt.Fprintf(os.Stderr, " %.0f 秒\n", time.Since(began).Seconds())
		all = append(all, found...)
		if err != nil {
			fmt.Fprintf(os.Stderr, "  測れませんでした: %s: %s (%v)\n", s.prefix, desk.Message(err), err)
			missing = append(missing, s.prefix)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	printTable(all)
	if err := writeBench(c.Out, all); err != nil {
		return err
	}
	var missed []string
	for _, m := range all {
		if !m.pass() {
			missed = append(missed, m.Name)
		}
	}
	if len(missing)+len(missed) > 0 {
		return desk.Errorf(desk.Conflict, "sim.bench", "測れなかった項目: %s。目標に届かなかった項目: %s。", list(missing), list(missed))
	}
	return nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "なし"
	}
	return strings.Join(names, "、")
}

func printTable(all []measure) {
	fmt.Printf("%-30s %12s %-8s %12s %8s  %-10s %s\n", "name", "value", "unit", "baseline", "ratio", "must", "")
	for _, m := range all {
		verdict := "pass"
		if !m.pass() {
			verdict = "MISS"
		}
		fmt.Printf("%-30s %12.4g %-8s %12s %8s  %-10s %s\n", m.Name, m.Value, m.Unit, number(m.Baseline), number(m.Ratio), m.target(), verdict)
	}
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.4g", *v)
}

func writeBench(path string, all []measure) error {
	const op = "sim.bench"
	if all == nil {
		all = []measure{}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return desk.Wrap(desk.Internal, op, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return desk.Wrap(desk.Unavailable, op, err)
	}
	return desk.Wrap(desk.Unavailable, op, os.WriteFile(path, append(text, '\n'), 0o644))
}

// median of the values; the list is not empty.
func median[T cmp.Ordered](values []T) T {
	s := slices.Clone(values)
	slices.Sort(s)
	return s[len(s)/2]
}

// compared makes a measure of rounds of ours and the yardstick's; the ratio is the median of the rounds' own ratios.
func compared(name, unit string, ours, yardstick []float64, most float64, how string) measure {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / yardstick[i]
	}
	baseline, ratio := median(yardstick), median(ratios)
	return measure{Name: name, Value: median(ours), Unit: unit, Baseline: &baseline, Ratio: &ratio, How: how, most: most, judge: 'r'}
}
