package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yagura/feeds/jma"
	"yagura/feeds/replay"
	"yagura/store/desk"
)

// decodeSection is row 21: a whole decode against the tokeniser alone.
func decodeSection(_ context.Context, b *bench) ([]measure, error) {
	raw, name, err := largestVXSE53()
	if err != nil {
		return nil, err
	}
	env := desk.Envelope{Feed: "bench", Name: name, Raw: raw, ReceivedAt: time.Now()}
	const repeat = 20
	var full, plain []float64
	for range max(b.Rounds, 5) {
		began := time.Now()
		for range repeat {
			if _, err := jma.Parse(env); err != nil {
				return nil, err
			}
		}
		full = append(full, time.Since(began).Seconds()*1000/repeat)
		began = time.Now()
		for range repeat {
			if err := tokenise(raw); err != nil {
				return nil, err
			}
		}
		plain = append(plain, time.Since(began).Seconds()*1000/repeat)
	}
	return []measure{compared("decode_largest_vxse53_ms", "ms", full, plain, 2.5,
		fmt.Sprintf("jma.Parse ÷ encoding/xml の字句だけ、%s（%d バイト）、%d 回ずつ交互に %d 回の中央値", name, len(raw), repeat, max(b.Rounds, 5)))}, nil
}

func tokenise(raw []byte) error {
	d := xml.NewDecoder(bytes.NewReader(raw))
	for {
		if _, err := d.RawToken(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// largestVXSE53 is the largest real telegram of ../shared/jma when that folder is there, else of the shipped scenarios.
func largestVXSE53() (raw []byte, name string, err error) {
	if shared := sharedFolder(); shared != "" {
		err := filepath.WalkDir(filepath.Join(shared, "jma"), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".xml" || !strings.Contains(path, "VXSE53") {
				return nil // what cannot be read is not the largest
			}
			if info, err := entry.Info(); err != nil || int(info.Size()) <= len(raw) {
				return nil
			}
			text, err := os.ReadFile(path)
			if err == nil {
				raw, name = text, filepath.Base(path)
			}
			return nil
		})
		if err == nil && raw != nil {
			return raw, name, nil
		}
	}
	for _, scenario := range replay.BuiltinNames() {
		s, err := replay.Builtin(scenario)
		if err != nil {
			return nil, "", err
		}
		envs, err := s.Envelopes()
		if err != nil {
			return nil, "", err
		}
		for _, e := range envs {
			if bytes.Contains(e.Raw, []byte("VXSE53")) || strings.Contains(e.Name, "VXSE53") {
				if len(e.Raw) > len(raw) {
					raw, name = e.Raw, e.Name
				}
			}
		}
	}
	if raw == nil {
		return nil, "", desk.Errorf(desk.NotFound, "sim.bench", "測るための VXSE53 がありません。")
	}
	return raw, name, nil
}

// sharedFolder is $YAGURA_SHARED, else a folder "shared" beside this checkout, else "".
func sharedFolder() string {
	if dir := os.Getenv("YAGURA_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		if info, err := os.Stat(filepath.Join(dir, "shared", "jma")); err == nil && info.IsDir() {
			return filepath.Join(dir, "shared")
		}
	}
	return ""
}
