package replay

import (
	"embed"
	"io/fs"
	"strings"

	"yagura/store/desk"
)

//go:embed scenarios/*.scenario
var scenarioFiles embed.FS

// Builtin reads one of the built-in scenarios: "noto", "drill" or "split".
func Builtin(name string) (Scenario, error) {
	f, err := scenarioFiles.Open("scenarios/" + name + ".scenario")
	if err != nil {
		return Scenario{}, desk.Errorf(desk.NotFound, "replay.Builtin", "シナリオ %q はありません（%s）。", name, strings.Join(BuiltinNames(), "、"))
	}
	defer f.Close()
	return ParseScenario(f)
}

// BuiltinNames lists the built-in scenarios.
func BuiltinNames() []string {
	found, err := fs.Glob(scenarioFiles, "scenarios/*.scenario")
	if err != nil {
		return nil
	}
	for i, f := range found {
		found[i] = strings.TrimSuffix(strings.TrimPrefix(f, "scenarios/"), ".scenario")
	}
	return found
}
