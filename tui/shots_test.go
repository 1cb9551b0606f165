package tui_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/tui/tuitest"
)

// TestShots draws every screen as a picture, and one page that shows them all: make shots.
func TestShots(t *testing.T) {
	dir := os.Getenv("YAGURA_SHOTS")
	if dir == "" {
		t.Skip("make shots sets YAGURA_SHOTS to the folder for the pictures")
	}
	var page strings.Builder
	page.WriteString("<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><title>櫓の画面</title><body style=\"background:#333;color:#eee;font-family:sans-serif\">\n")
	for _, mode := range []desk.Mode{desk.Live, desk.Drill} {
		for _, size := range [][2]int{{80, 24}, {200, 50}} {
			for _, sc := range scenes() {
				name := fmt.Sprintf("%s-%s-%dx%d.svg", sc.name, mode, size[0], size[1])
				picture := tuitest.SVG(stage(t, sc, mode, size[0], size[1]).Screen(), "櫓 "+mode.Japanese()+" "+sc.name, size[0], size[1])
				if err := os.WriteFile(filepath.Join(dir, name), []byte(picture), 0o644); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&page, "<h2>%s</h2><img src=\"%s\" alt=\"\" style=\"max-width:100%%\">\n", html.EscapeString(name), name)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(page.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The picture of the README shows the desk as it is: the false bulletin of 23:05 under judgement. With -update it is drawn anew.
func TestPictureOfTheDesk(t *testing.T) {
	const w, h = 110, 30
	s := falseNight(t)
	s.sees(t, "矛盾 2 件", "緊急地震速報が出ていません", "警報1")
	picture := tuitest.SVG(s.Screen(), "櫓 当直卓", w, h)
	path := filepath.Join("..", "deploy", "desk.svg")
	if *update {
		if err := os.WriteFile(path, []byte(picture), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != picture {
		t.Errorf("deploy/desk.svg is not the desk of today (make golden): %v", err)
	}
}

// falseNight is 23:05 at a live desk: the main shock was dealt with in the afternoon, and a wrong bulletin has just come in.
func falseNight(t *testing.T) seat {
	t.Helper()
	at := tuitest.MainShock.Add(6*time.Hour + 55*time.Minute)
	clock := tuitest.NewClock(at)
	b := tuitest.NewBackend(clock.Now)
	tuitest.Scene(b, desk.Live)
	b.Feed = "jma"
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 110, 30)
	s.Press("enter", "g", "n", "5", "s")
	s.Advance(40 * time.Second)
	wrong := tuitest.False(90, desk.Live, at.Add(-time.Minute))
	wrong.Item.Event.FirstSeenAt = clock.Now()
	wrong.Telegrams[0].PressTime, wrong.Telegrams[0].Feed = clock.Now().Add(-time.Second), "jma"
	b.Put(wrong)
	s.Advance(6 * time.Second)
	s.Press("I", "a")
	return s
}

// A picture is well-formed, refers to nothing foreign, and no run of text reaches beyond the grid.
func TestPicturesKeepTheGrid(t *testing.T) {
	for _, sc := range scenes() {
		picture := tuitest.SVG(stage(t, sc, desk.Drill, 80, 24).Screen(), `<&"`, 80, 24)
		if strings.Contains(strings.Replace(picture, "http://www.w3.org/2000/svg", "", 1), "http") {
			t.Errorf("%s refers to another host", sc.name)
		}
		d := xml.NewDecoder(strings.NewReader(picture))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", sc.name, err)
			}
			var x, length int
			if el, ok := token.(xml.StartElement); ok && el.Name.Local == "text" {
				for _, a := range el.Attr {
					switch a.Name.Local {
					case "x":
						fmt.Sscan(a.Value, &x)
					case "textLength":
						fmt.Sscan(a.Value, &length)
					}
				}
			}
			if x+length > 18+80*9 {
				t.Fatalf("%s: a run ends at %d, beyond the grid", sc.name, x+length)
			}
		}
	}
}
