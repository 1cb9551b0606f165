package dmdata_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagura/feeds/dmdata/dmdatatest"
)

func shared(t testing.TB, path string) []byte {
	t.Helper()
	dir := os.Getenv("YAGURA_SHARED")
	for at, err := filepath.Abs("."); dir == "" && err == nil && at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "shared", "jma")); err == nil {
			dir = filepath.Join(at, "shared")
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, path))
	if dir == "" || err != nil {
		t.Skip("the folder shared is not here: ", path)
	}
	return text
}

// shape is a value with every scalar replaced by its kind and every list by its first element.
func shape(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return reduce(v)
}

func reduce(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = reduce(e)
		}
		return out
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{reduce(v[0])}
	case string:
		return "text"
	case float64:
		return "number"
	case bool:
		return "truth"
	}
	return v
}

// TestTheDoubleSpeaksAsTheService compares the double's frames field by field with real ones and with the reference's example.
func TestTheDoubleSpeaksAsTheService(t *testing.T) {
	s := dmdatatest.New(1)
	defer s.Close()
	env := telegram("震源・震度に関する情報", "通常", 1)
	real := shape(t, shared(t, "jma/dmdata/ws_real/socket-vxse53-20260311184809-1.json"))
	if diff := cmp.Diff(real, shape(t, s.Conversion(env))); diff != "" {
		t.Errorf("a conversion, real (-) and double (+):\n%s", diff)
	}
	example := shape(t, shared(t, "jma/dmdata/doc_examples/websocket_8.json")).(map[string]any)
	ours := shape(t, s.Frame(env)).(map[string]any)
	delete(ours["head"].(map[string]any), "designation")                               // the reference lists it; its example leaves it out
	example["xmlReport"].(map[string]any)["head"].(map[string]any)["eventId"] = "text" // null in the example, of a kind without one
	ours["xmlReport"].(map[string]any)["head"].(map[string]any)["serial"] = nil
	if diff := cmp.Diff(any(example), any(ours)); diff != "" {
		t.Errorf("XML, the reference (-) and double (+):\n%s", diff)
	}
}
